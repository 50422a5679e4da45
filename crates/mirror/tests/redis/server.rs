//! A real Redis server of Debian's package, in a temporary folder on a free port of the loopback address, keeping nothing.
//!
//! A helper process waits for the end of this one, however it ends, then stops the server by the process id in its folder and
//! removes the folder.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server takes milliseconds to begin; a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server.
pub(crate) struct Server {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    password: Option<String>,
    running: Option<Child>,
    _janitor: Child,
}

/// A program of the search path.
fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    names.iter().flat_map(|name| folders.iter().map(move |f| f.join(name))).find(|p| p.is_file())
}

/// A port that nobody uses, below those that systems hand out: while a server of a test is away, nobody else gets it.
fn quiet_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(7_907);
    (0..1_000)
        .map(|_| first.wrapping_add(TRIED.fetch_add(1, Ordering::Relaxed)) % 16_000 + 16_000)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port between 16,000 and 32,000")
}

impl Server {
    /// Starts one; none, and a word about it, where Redis is not installed.
    pub(crate) fn start(password: Option<&str>) -> Option<Self> {
        let Some(program) = program(&["redis-server", "valkey-server"]).filter(|_| cli().is_some()) else {
            barograph_testkit::skipped("Redis is not installed; on Debian or Ubuntu: sudo apt install redis-server");
            return None;
        };
        let folder = tempfile::tempdir().unwrap().keep();
        let janitor = janitor(&folder);
        let password = password.map(str::to_owned);
        let mut server = Self { program, folder, port: quiet_port(), password, running: None, _janitor: janitor };
        server.up();
        Some(server)
    }

    /// Starts it, empty, on the same port.
    pub(crate) fn up(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new(&self.program);
        let port = self.port.to_string();
        command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.arg("--dir").arg(&self.folder).arg("--pidfile").arg(self.folder.join("pid"));
        command.arg("--unixsocket").arg(self.socket());
        if let Some(password) = &self.password {
            command.args(["--requirepass", password]);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        self.running = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(begun.elapsed() < PATIENCE, "Redis does not begin: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it without a warning.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.kill().unwrap();
        running.wait().unwrap();
    }

    /// Its address, with its password.
    pub(crate) fn address(&self) -> String {
        let user = self.password.as_ref().map_or(String::new(), |password| format!(":{password}@"));
        format!("redis://{user}127.0.0.1:{}", self.port)
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` prints for this, without the end of the line.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(cli().unwrap());
        command.args(["-p", &self.port.to_string()]).args(arguments).stdin(Stdio::null());
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
        let done = command.output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        text.strip_suffix('\n').unwrap_or(&text).to_owned()
    }

    /// Every key there is, sorted.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.cli(&["KEYS", "*"]).lines().map(str::to_owned).collect();
        keys.retain(|key| !key.is_empty());
        keys.sort();
        keys
    }

    /// Milliseconds that a key has left; below zero where it has no end or does not exist.
    pub(crate) fn left_ms(&self, key: &str) -> i64 {
        self.cli(&["PTTL", key]).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

fn cli() -> Option<PathBuf> {
    program(&["redis-cli", "valkey-cli"])
}

/// Waits until this process is gone, then stops the server by the process id in its folder and removes the folder.
fn janitor(folder: &Path) -> Child {
    let script = "cat > /dev/null; pid=$(head -n 1 \"$1/pid\" 2> /dev/null); \
                  [ -n \"$pid\" ] && grep -q redis \"/proc/$pid/cmdline\" 2> /dev/null && kill \"$pid\"; sleep 1; rm -rf \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "janitor"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::null());
    command.stderr(Stdio::null()).process_group(0).spawn().unwrap()
}
