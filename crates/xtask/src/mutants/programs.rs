//! Runs one test program with one mutant chosen, until its first failing test or its time is up.
//!
//! It runs in a process group of its own, so that what it started ends with it, with a folder for its temporary files and a limit on
//! its memory: a mutant may well loop and allocate.

use super::build::Program;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    Passed(Duration),
    /// The test that failed, or how the process ended.
    Failed(String),
    TimedOut,
}

/// Address space of a test program, in the kilobytes of `ulimit`: 8 GiB, several times what any test uses.
const MEMORY_KB: u64 = 8 << 20;

const EVERY: Duration = Duration::from_millis(50);

/// Runs it. `scratch` is emptied before and after.
pub(super) fn run(program: &Program, scratch: &Path, limit: Duration) -> Result<Ended, String> {
    empty(scratch)?;
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {MEMORY_KB} 2>/dev/null; exec \"$0\"")])
        .arg(&program.executable)
        .current_dir(&program.home)
        .env("CARGO_MANIFEST_DIR", &program.home)
        .env("TMPDIR", scratch)
        // The first counterexample will do.
        .env("PROPTEST_MAX_SHRINK_ITERS", "0");
    let ended = watch(command, limit).map_err(|e| format!("{}: {e}", program.name))?;
    empty(scratch)?;
    Ok(ended)
}

fn empty(scratch: &Path) -> Result<(), String> {
    let cannot = |e| format!("cannot empty {}: {e}", scratch.display());
    if scratch.exists() {
        std::fs::remove_dir_all(scratch).map_err(cannot)?;
    }
    std::fs::create_dir_all(scratch).map_err(cannot)
}

fn watch(mut command: Command, limit: Duration) -> Result<Ended, String> {
    let begun = Instant::now();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
    let (tell, heard) = sync_channel(1);
    if let Some(out) = child.stdout.take() {
        // Reads on to the end, whoever listens: a full pipe would stop the program.
        std::thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                if let Some(name) = failed(&String::from_utf8_lossy(&line)) {
                    // The first one is enough.
                    drop(tell.try_send(name));
                }
            }
        });
    }
    let ended = loop {
        match heard.recv_timeout(EVERY) {
            Ok(name) => break Ended::Failed(name),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(EVERY),
        }
        if let Some(status) = child.try_wait().map_err(|e| format!("cannot wait: {e}"))? {
            let name = || heard.recv_timeout(EVERY).unwrap_or_else(|_| format!("ended with {status}"));
            break if status.success() { Ended::Passed(begun.elapsed()) } else { Ended::Failed(name()) };
        }
        if begun.elapsed() > limit {
            break Ended::TimedOut;
        }
    };
    end(&mut child);
    Ok(ended)
}

/// Ends it and all that it started.
fn end(child: &mut Child) {
    let group = Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // Where there are no groups there is the child; what has ended by itself cannot be ended.
    drop((group, child.kill(), child.wait()));
}

/// The name in a line that says that a test has failed.
fn failed(line: &str) -> Option<String> {
    let name = line.trim_end().strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    Some(name.trim_end_matches(" - should panic").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        watch(command, limit).unwrap()
    }

    #[test]
    fn a_run_ends_with_its_first_failure_or_its_time() {
        let long = Duration::from_secs(20);
        assert!(matches!(sh("echo 'test a ... ok'", long), Ended::Passed(_)));
        let begun = Instant::now();
        let ended = sh("echo 'test a ... ok'; echo 'test b::c ... FAILED'; sleep 30", long);
        assert_eq!(ended, Ended::Failed("b::c".to_owned()));
        assert_eq!(sh("sleep 30 & sleep 30", Duration::from_millis(100)), Ended::TimedOut);
        assert!(begun.elapsed() < long);
        assert_eq!(sh("exit 3", long), Ended::Failed("ended with exit status: 3".to_owned()));
    }

    #[test]
    fn only_lines_about_tests_name_failures() {
        assert_eq!(failed("test a::b - should panic ... FAILED"), Some("a::b".to_owned()));
        for line in ["test a ... ok", "test result: FAILED. 1 passed", "FAILED"] {
            assert_eq!(failed(line), None, "{line}");
        }
    }
}
