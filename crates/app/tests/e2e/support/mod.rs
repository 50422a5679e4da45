//! What all end-to-end tests share: a home for a command, the command's outcome, JSON lines, seeded randomness.

pub(crate) mod data;
pub(crate) mod http;
pub(crate) mod nats;
#[path = "../../../../store/tests/postgres/server.rs"]
pub(crate) mod postgres;
pub(crate) mod process;
#[path = "../../../../lake/tests/journal/python.rs"]
pub(crate) mod python;
pub(crate) mod receiver;
#[path = "../../../../mirror/tests/redis/server.rs"]
pub(crate) mod redis;
#[expect(dead_code, reason = "the tests of the crate itself ask more of it")]
#[path = "../../../../objects/tests/objects/proxy.rs"]
pub(crate) mod s3_proxy;
#[expect(dead_code, reason = "the tests of the crate itself ask more of it")]
#[path = "../../../../objects/tests/objects/server.rs"]
pub(crate) mod s3_server;
pub(crate) mod sim;

use process::Running;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any command here takes in the dev profile on a slow machine with everything else at work: it ends what hangs, and measures nothing.
const PATIENCE: Duration = Duration::from_secs(600);

/// Longer than a minute takes to end, and to be stored or written elsewhere, on a busy machine.
const AWAITED: Duration = Duration::from_secs(100);

/// Asks again, ten times a second, until there is an answer; fails after [`AWAITED`].
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < AWAITED, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A home: current folder, HOME, XDG and temporary folders of every command run in it, and nothing else of ours.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["work", "home", "share", "tmp"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        Self { dir }
    }

    /// Everything a command could write into without being asked to.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A path below the current folder of the commands.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join("work").join(relative)
    }

    pub(crate) fn write(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The binary with arguments, not yet started.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_barograph"));
        command.args(args).current_dir(self.path("")).env_clear();
        command.env("HOME", self.dir.path().join("home")).env("XDG_DATA_HOME", self.dir.path().join("share"));
        command.env("TMPDIR", self.dir.path().join("tmp"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command line without blanks inside arguments to its end.
    pub(crate) fn run(&self, line: &str) -> Outcome {
        self.run_with(line, &[])
    }

    /// The same with environment variables.
    pub(crate) fn run_with(&self, line: &str, env: &[(&str, &str)]) -> Outcome {
        let mut command = self.command(line.split_whitespace());
        command.envs(env.iter().copied());
        Outcome::of(line, command)
    }

    /// Standard output of a command that must end well.
    pub(crate) fn ok(&self, line: &str) -> String {
        self.run(line).exits(0).out
    }

    /// Starts a command that goes on until it is asked to stop.
    pub(crate) fn start(&self, line: &str) -> Running {
        self.start_with(line, &[])
    }

    /// The same with environment variables.
    pub(crate) fn start_with(&self, line: &str, env: &[(&str, &str)]) -> Running {
        let mut command = self.command(line.split_whitespace());
        command.envs(env.iter().copied());
        Running::of(line, command)
    }

    /// The content hash of a data folder.
    pub(crate) fn hash(&self, data: &str) -> String {
        let out = self.ok(&format!("db check --hash --data {data}"));
        hash_line(&out)
    }
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) line: String,
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    pub(crate) fn of(line: &str, command: Command) -> Self {
        let mut running = Running::of(line, command);
        let code = running.wait(PATIENCE);
        Self { line: line.to_owned(), code, out: running.out.text(), err: running.err.text() }
    }

    /// Asserts the exit code, and that nothing panicked whatever it is.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { line, out, err, .. } = &self;
        assert_eq!(self.code, Some(code), "barograph {line}\n--- stdout\n{}\n--- stderr\n{err}", head(out));
        assert!(!err.contains("panicked"), "barograph {line}\n{err}");
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "barograph {}: '{words}' is not in\n{}", self.line, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, words: &str) -> Self {
        assert!(self.out.contains(words), "barograph {}: '{words}' is not in\n{}", self.line, head(&self.out));
        self
    }
}

fn head(text: &str) -> String {
    text.chars().take(2_000).collect()
}

/// The last line, which must be 64 hex digits.
#[track_caller]
pub(crate) fn hash_line(out: &str) -> String {
    let last = out.lines().last().unwrap_or_default();
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    assert!(last.len() == 64 && last.bytes().all(hex), "the last line is no hash: '{last}'");
    last.to_owned()
}

/// Every line as a JSON object.
#[track_caller]
pub(crate) fn json_lines(out: &str) -> Vec<Value> {
    let parse = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(value) if value.is_object() => value,
        Ok(_) => panic!("not an object: {line}"),
        Err(e) => panic!("not JSON ({e}): {line}"),
    };
    out.lines().map(parse).collect()
}

/// The keys of an object, sorted.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// SplitMix64: the seed decides everything, so a failure can be repeated.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap();
            items.swap(i, j);
        }
    }
}

/// Every file below a folder with its length and time of change.
pub(crate) fn tree(folder: &Path) -> Vec<(PathBuf, u64, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let meta = entry.metadata().unwrap();
        found.push((entry.path(), meta.len(), meta.modified().unwrap()));
        if meta.is_dir() {
            found.extend(tree(&entry.path()));
        }
    }
    found.sort();
    found
}
