//! A real PostgreSQL server in a temporary folder, on a free port of the loopback address.
//!
//! Binaries come from `BAROGRAPH_PG_BIN`, the folder of Debian's package, or the search path. As root the server runs as
//! `nobody`, because it refuses to run as root. A helper process waits for the end of this one, however it ends, and then
//! stops the server by its process id and removes the folder.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const NOBODY: u32 = 65_534;

/// A server.
pub(crate) struct Server {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    root: bool,
    _janitor: Child,
}

/// The folder with `postgres` and `initdb`, if they are installed.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::env::var_os("BAROGRAPH_PG_BIN").map(PathBuf::from).into_iter().collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut folders: Vec<PathBuf> = versions.flatten().map(|v| v.path().join("bin")).collect();
        folders.sort();
        found.extend(folders.into_iter().rev());
    }
    found.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    found.into_iter().find(|f| f.join("postgres").is_file() && f.join("initdb").is_file())
}

/// A port that nobody uses, below those that systems hand out: while a server of a test is away, nobody else gets it.
fn quiet_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(7_919);
    (0..1_000)
        .map(|_| first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 16_000 + 16_000)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port between 16,000 and 32,000")
}

fn missing<T>() -> Option<T> {
    barograph_testkit::skipped("PostgreSQL is not installed; on Debian or Ubuntu: sudo apt install postgresql");
    None
}

/// The server that tests share; none, and a word about it, where PostgreSQL is not installed.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    // Each test says for itself that it is skipped.
    let server = SHARED.get_or_init(|| binaries().map(|bin| Server::of(bin, &["fsync=off"], &[]))).as_ref();
    server.or_else(missing)
}

impl Server {
    /// Makes a cluster and starts it.
    pub(crate) fn start(settings: &[&str]) -> Option<Self> {
        Self::start_with(settings, &[])
    }

    /// The same with files in its data folder that only it can read.
    pub(crate) fn start_with(settings: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        let Some(bin) = binaries() else { return missing() };
        Some(Self::of(bin, settings, files))
    }

    fn of(bin: PathBuf, settings: &[&str], files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let root = fs::metadata(&folder).unwrap().uid() == 0;
        if root {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port = quiet_port();
        let janitor = janitor(&folder);
        let server = Self { bin, folder, port, root, _janitor: janitor };
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        let mut conf = fs::read_to_string(format!("{data}/postgresql.conf")).unwrap();
        conf.push_str(&format!(
            "\nport = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 60\n\
             shared_buffers = 32MB\n"
        ));
        settings.iter().for_each(|s| conf.push_str(&format!("{s}\n")));
        fs::write(format!("{data}/postgresql.conf"), conf).unwrap();
        for (name, text) in files {
            let path = Path::new(&data).join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            if root {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        server.up();
        server
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn run(&self, tool: &str, args: &[&str]) {
        let mut command = Command::new(self.bin.join(tool));
        command.args(args).current_dir(&self.folder).stdin(Stdio::null()).env("LC_ALL", "C");
        if self.root {
            command.uid(NOBODY).gid(NOBODY);
        }
        // A server that is started keeps what it inherits: no pipe, or its reader would wait for ever.
        let log = fs::File::create(self.folder.join(format!("{tool}.out"))).unwrap();
        let status = command.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
        let said = || fs::read_to_string(self.folder.join(format!("{tool}.out"))).unwrap_or_default();
        assert!(status.success(), "{tool} {args:?}: {}", said());
    }

    /// Starts it.
    pub(crate) fn up(&self) {
        let log = self.folder.join("log").display().to_string();
        self.run("pg_ctl", &["start", "-w", "-t", "60", "-D", &self.data(), "-l", &log]);
    }

    /// Stops it as an operator would.
    pub(crate) fn down(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "fast", "-D", &self.data()]);
    }

    /// Ends the server and all its processes' parent without a warning.
    pub(crate) fn kill(&self) {
        let pid = self.pid();
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(killed.success());
        // Its children notice, each in its time; a new server waits for the last of them to let go of the memory.
        let begin = Instant::now();
        while Path::new(&format!("/proc/{pid}")).exists() && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::remove_file(format!("{}/postmaster.pid", self.data())).unwrap();
    }

    fn pid(&self) -> u32 {
        let text = fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        text.lines().next().unwrap().trim().parse().unwrap()
    }

    /// An address with a schema of its own as the place for tables.
    pub(crate) fn schema(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("s{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {name}"));
        format!("{}?options=-csearch_path%3D{name}", self.address())
    }

    fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Rows of a plain question, in the schema of an address.
    pub(crate) fn ask(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
            drop(tokio::spawn(connection));
            let answer = client.simple_query(sql).await.unwrap();
            answer
                .iter()
                .filter_map(|m| match m {
                    tokio_postgres::SimpleQueryMessage::Row(r) => {
                        Some((0..r.len()).map(|i| r.get(i).map(str::to_owned)).collect())
                    }
                    _ => None,
                })
                .collect()
        })
    }

    fn sql(&self, sql: &str) {
        Self::ask(&self.address(), sql);
    }
}

/// Waits until this process is gone, then stops the server by the process id in its folder and removes the folder.
fn janitor(folder: &Path) -> Child {
    let script = "cat > /dev/null; pid=$(head -n 1 \"$1/data/postmaster.pid\" 2> /dev/null); \
                  [ -n \"$pid\" ] && kill -QUIT \"$pid\"; sleep 1; rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "janitor"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::null());
    command.stderr(Stdio::null()).process_group(0).spawn().unwrap()
}
