//! The thread that watches positions in a live process: at every new minute of their markets, and every 300 seconds
//! whatever comes; the positions file, when it changes; and judges the watches that people have asked for.

use super::file;
use crate::failure::Failure;
use barograph_query::service::Service;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often the thread looks whether there is something to do.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Starts watching.
pub(crate) fn start(
    service: Arc<Service>,
    listed: Option<PathBuf>,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, Failure> {
    std::thread::Builder::new()
        .name("positions".to_owned())
        .spawn(move || {
            let mut watcher = Watcher { service, listed, seen: None, done: false, away: false, unwatched: false };
            while !stop.load(Ordering::Relaxed) {
                watcher.check();
                watcher.check_watches();
                watcher.service.check_moves();
                std::thread::park_timeout(CHECK_EVERY);
            }
        })
        .map_err(Failure::broken)
}

struct Watcher {
    service: Arc<Service>,
    listed: Option<PathBuf>,
    /// State of the file when it was last read.
    seen: Option<SystemTime>,
    /// All of it could be registered.
    done: bool,
    /// The store did not take what was found; reported once.
    away: bool,
    /// Watches could not be judged; reported once.
    unwatched: bool,
}

impl Watcher {
    fn check(&mut self) {
        self.read_file();
        match self.service.check_positions() {
            Ok(notices) => {
                if std::mem::take(&mut self.away) {
                    report("the store answers again");
                }
                for n in notices {
                    report(&format!("{} {}: {} [{}]", n.instrument, n.level.name(), n.text, n.position_id));
                }
            }
            Err(e) if !self.away => {
                self.away = true;
                report(&format!("positions are not checked: {e}"));
            }
            Err(_) => {}
        }
    }

    fn check_watches(&mut self) {
        match self.service.check_watches() {
            Ok(lines) => {
                if std::mem::take(&mut self.unwatched) {
                    report_as("WATCH", "watches are judged again");
                }
                lines.iter().for_each(|line| report_as("WATCH", line));
            }
            Err(e) if !self.unwatched => {
                self.unwatched = true;
                report_as("WATCH", &format!("watches are not judged: {e}"));
            }
            Err(_) => {}
        }
    }

    fn read_file(&mut self) {
        let Some(path) = &self.listed else { return };
        let now = std::fs::metadata(path).ok().and_then(|m| m.modified().ok());
        let first = self.seen.is_none() && now.is_none() && !self.done;
        if now == self.seen && (self.done || now.is_none()) && !first {
            return;
        }
        let changed = now != self.seen;
        self.seen = now;
        self.done = true;
        if now.is_none() {
            report(&format!("there is no positions file {}; what it listed stays as it is", path.display()));
            return;
        }
        match file::read(path) {
            Ok(entries) => match self.service.sync_positions(&entries) {
                Ok(synced) => {
                    // A market that is not known yet may be known a second later.
                    self.done = synced.problems.is_empty();
                    if changed || synced.changed > 0 {
                        synced.lines(entries.len(), path).iter().for_each(|line| report(line));
                    }
                }
                Err(why) => {
                    self.done = false;
                    if changed {
                        report(&format!("the positions file is not taken up yet: {why}"));
                    }
                }
            },
            Err(why) => report(&format!("the positions file is not taken up: {why}")),
        }
    }
}

fn report(line: &str) {
    report_as("POS", line);
}

fn report_as(tag: &str, line: &str) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: [{tag}] {line}"));
}
