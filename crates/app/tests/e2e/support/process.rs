//! A child process whose output is read as it comes, waited for with a limit, and killed by its own id when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Lines between the reading thread and the test; a full pipe stops the child, as a slow reader would.
const LINES: usize = 4_096;

pub(crate) struct Running {
    line: String,
    child: Child,
    pub(crate) out: Lines,
    pub(crate) err: Lines,
}

impl Running {
    pub(crate) fn of(line: &str, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|e| panic!("barograph {line}: {e}"));
        let out = Lines::read(child.stdout.take().unwrap());
        let err = Lines::read(child.stderr.take().unwrap());
        Self { line: line.to_owned(), child, out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, as in `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own `kill`: the program of that name is not on every machine.
        let line = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
    }

    /// Kills it the hard way and takes it off the list of processes; says whether it was still running.
    pub(crate) fn kill(&mut self) -> bool {
        self.child.kill().unwrap();
        self.child.wait().unwrap().code().is_none()
    }

    /// Reads everything to the end of both outputs, then the exit code; `None` when a signal ended it.
    #[track_caller]
    pub(crate) fn wait(&mut self, limit: Duration) -> Option<i32> {
        let deadline = Instant::now() + limit;
        // Side by side: a child whose one pipe is full does not close the other.
        let mut open = true;
        while open {
            assert!(Instant::now() < deadline, "barograph {} did not end within {limit:?}", self.line);
            let pause = Duration::from_millis(20);
            open = self.out.drain(pause) | self.err.drain(if self.out.ended { pause } else { Duration::ZERO });
        }
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One output of a child, line by line.
pub(crate) struct Lines {
    receiver: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    /// Where the search for the next line goes on.
    searched: usize,
    ended: bool,
}

impl Lines {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(LINES);
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            loop {
                let mut line = Vec::new();
                match pipe.read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {
                        if sender.send(line).is_err() {
                            return;
                        }
                    }
                }
            }
        });
        Self { receiver, seen: Vec::new(), searched: 0, ended: false }
    }

    /// Takes what is there, waiting at most `pause` for the first line; says whether more can come.
    fn drain(&mut self, pause: Duration) -> bool {
        let mut wait = pause;
        loop {
            match self.receiver.recv_timeout(wait) {
                Ok(line) => self.seen.extend(line),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => {
                    self.ended = true;
                    return false;
                }
            }
            wait = Duration::ZERO;
        }
    }

    /// The next line that contains `words`, waiting for it.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        self.wait_long_for(words, Duration::from_secs(60))
    }

    /// The same for what takes long on a busy machine.
    #[track_caller]
    pub(crate) fn wait_long_for(&mut self, words: &str, long: Duration) -> String {
        let deadline = Instant::now() + long;
        loop {
            let unread = String::from_utf8_lossy(&self.seen[self.searched..]).into_owned();
            let mut at = self.searched;
            for line in unread.split_inclusive('\n') {
                at += line.len();
                if line.contains(words) {
                    self.searched = at;
                    return line.trim_end().to_owned();
                }
            }
            self.searched = at;
            assert!(!self.ended, "ended without '{words}':\n{}", self.text());
            assert!(Instant::now() < deadline, "waited in vain for '{words}':\n{}", self.text());
            self.drain(Duration::from_secs(1));
        }
    }

    /// Everything read so far; it must be UTF-8.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.seen.clone()).unwrap()
    }
}
