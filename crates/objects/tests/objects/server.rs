//! A server of S3 in a process of its own, on a free port of the loopback address; it ends with the process that started it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// A server with the bucket `lake`.
pub(crate) struct S3Server {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    port: u16,
    keys: Vec<[String; 2]>,
}

/// The interpreter with the server: of `S3_VENV`, or of the virtual environment that `make s3-venv` makes below the target folder.
fn python() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let venv = std::env::var_os("S3_VENV").map_or_else(|| target.join("s3-venv"), PathBuf::from);
    Some(venv.join("bin/python")).filter(|python| python.is_file())
}

impl S3Server {
    /// Starts one; none, and a word about it, where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = python() else {
            barograph_testkit::skipped("no server of S3 is installed; install it with: make s3-venv");
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../objects/tests/server.py");
        let mut command = Command::new(python);
        command.arg("-B").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the server begins");
        let port = u16::try_from(ready["port"].as_u64().unwrap()).unwrap();
        let keys = serde_json::from_value(ready["keys"].clone()).unwrap();
        let pipes = Mutex::new((child.stdin.take().unwrap(), out));
        Some(Self { child, pipes, port, keys })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The variables with which it is asked, through a port.
    pub(crate) fn variables(&self, port: u16) -> Vec<(&'static str, String)> {
        let [id, secret] = &self.keys[0];
        vec![
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
            ("AWS_ACCESS_KEY_ID", id.clone()),
            ("AWS_SECRET_ACCESS_KEY", secret.clone()),
        ]
    }

    /// The same with the key that may do nothing.
    pub(crate) fn powerless(&self) -> Vec<(&'static str, String)> {
        let [id, secret] = &self.keys[1];
        let mut variables = self.variables(self.port);
        variables[1].1.clone_from(id);
        variables[2].1.clone_from(secret);
        variables
    }

    /// Changes a byte of an object, whose metadata stay as they are.
    pub(crate) fn damage(&self, key: &str) {
        self.command(&format!("damage {key}"));
    }

    /// Takes an object away.
    pub(crate) fn lose(&self, key: &str) {
        self.command(&format!("lose {key}"));
    }

    fn command(&self, line: &str) {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.0, "{line}").unwrap();
        let mut answer = String::new();
        pipes.1.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), "done", "{line}");
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
