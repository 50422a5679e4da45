//! A real NATS server with JetStream in a temporary folder, on a free port of the loopback address.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Killed when dropped.
pub(crate) struct Nats {
    child: Child,
    port: u16,
    _folder: TempDir,
}

/// The server of `NATS_SERVER`, or the one that `make packages-tools` installs below the target folder.
fn program() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let installed = target.join("checks/venv/bin/nats-server");
    Some(std::env::var_os("NATS_SERVER").map_or(installed, PathBuf::from)).filter(|program| program.is_file())
}

impl Nats {
    /// Starts one; none, and a word about it, where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            barograph_testkit::skipped("no NATS server is installed; install it with: make packages-tools");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd", &folder.path().to_string_lossy()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not begin");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { child, port, _folder: folder })
    }

    /// Its address, as `nats_url` takes it.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it the hard way.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
