//! The thread that watches positions in a live process: at every new minute of their markets, and every 300 seconds
//! whatever comes; the positions file, when it changes; and judges the watches that people have asked for.

use super::file;
use crate::failure::Failure;
use barograph_query::service::Service;
use barograph_query::watch::WatchDesk;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// How often the thread looks whether there is something to do.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Where it is written what is watched.
pub(crate) struct WatchedFiles {
    /// A file of positions.
    pub(crate) listed: Option<PathBuf>,
    /// The data folder, which has the watches.
    pub(crate) folder: PathBuf,
}

/// Starts watching. The watches are taken here and now, or as soon as they can be.
pub(crate) fn start(
    service: Arc<Service>,
    watched: WatchedFiles,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<()>, Failure> {
    let WatchedFiles { listed, folder } = watched;
    let mut watcher =
        Watcher { service, listed, folder: Some(folder), seen: None, done: false, away: false, unwatched: false };
    watcher.take_watches();
    std::thread::Builder::new()
        .name("positions".to_owned())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                watcher.check();
                watcher.take_watches();
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
    /// Where the watches are that could not be taken yet.
    folder: Option<PathBuf>,
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

    fn take_watches(&mut self) {
        let Some(folder) = &self.folder else { return };
        match WatchDesk::open(folder) {
            Ok(desk) => {
                self.folder = None;
                self.service.keep_watches(Arc::new(desk));
                if std::mem::take(&mut self.unwatched) {
                    report_as("WATCH", "watches are judged now");
                }
            }
            Err(e) => {
                self.service.cannot_watch(format!("{e}; it is tried again"));
                if !std::mem::replace(&mut self.unwatched, true) {
                    report_as("WATCH", &format!("watches are not judged: {e}"));
                }
            }
        }
    }

    fn check_watches(&mut self) {
        if self.folder.is_some() {
            return;
        }
        let found = self.service.check_watches().and_then(|(lines, unread)| {
            // What other markets did is news all the same.
            lines.iter().for_each(|line| report_as("WATCH", line));
            unread.map_or(Ok(()), Err)
        });
        match found {
            Ok(()) => {
                if std::mem::take(&mut self.unwatched) {
                    report_as("WATCH", "watches are judged again");
                }
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
