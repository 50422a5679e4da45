//! The thread that mirrors: it looks for news four times a second, and a lost server costs nothing but the mirror.

use crate::server::{KeyText, MirrorServer};
use crate::source::{MirrorSource, board_key, snapshot_key};
use crate::stats::{MirrorState, MirrorStats};
use crate::{BOARD_EVERY, BOARD_FOR, MirrorAddress, MirrorError, VERSION_FOR, VERSION_KEY};
use barograph_domain::{InstrumentName, Ts};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

/// How soon a minute is on its way: a look costs a walk over the names of markets in memory.
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// The first pause after a failure; each failure in a row doubles it.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest: one attempt in ten seconds disturbs nobody, and a server that is back is not left empty for long.
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// How long the end waits for a batch under way. Looking up a name may take longer, and is left behind.
const LAST_BATCH: Duration = Duration::from_secs(3);

/// Takes the lines that an operator should read.
pub type MirrorReport = Box<dyn Fn(String) + Send>;

/// A mirror at work.
#[derive(Debug)]
pub struct Mirror {
    thread: JoinHandle<()>,
}

impl Mirror {
    /// Mirrors what `source` has to this server until `stop` is set.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(
        address: MirrorAddress,
        source: Box<dyn MirrorSource>,
        stats: Arc<MirrorStats>,
        report: MirrorReport,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let mut work = Work {
            address,
            source,
            stats,
            report,
            server: None,
            written: BTreeMap::new(),
            board_at: None,
            again: None,
            pause: PAUSE_MIN,
        };
        let run = move || {
            while !stop.load(Ordering::Relaxed) {
                work.update(Instant::now());
                std::thread::park_timeout(CHECK_EVERY);
            }
        };
        let thread = std::thread::Builder::new().name("mirror".to_owned()).spawn(run)?;
        Ok(Self { thread })
    }

    /// Waits for a batch under way, once it was asked to stop. Keys are left to end by themselves.
    pub fn close(self) {
        self.thread.thread().unpark();
        let began = Instant::now();
        while !self.thread.is_finished() && began.elapsed() < LAST_BATCH {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

struct Work {
    address: MirrorAddress,
    source: Box<dyn MirrorSource>,
    stats: Arc<MirrorStats>,
    report: MirrorReport,
    server: Option<MirrorServer>,
    /// The minute of each market that the server has.
    written: BTreeMap<InstrumentName, Ts>,
    board_at: Option<Instant>,
    /// Not tried before this.
    again: Option<Instant>,
    pause: Duration,
}

impl Work {
    fn update(&mut self, now: Instant) {
        if self.again.is_some_and(|again| now < again) {
            return;
        }
        let newest = self.source.newest();
        self.written.retain(|id, _| newest.iter().any(|(known, _)| known == id));
        let is_news = |(id, minute): &&(InstrumentName, Ts)| self.written.get(id) != Some(minute);
        let news: Vec<(InstrumentName, Ts)> = newest.iter().filter(is_news).cloned().collect();
        let all: Vec<InstrumentName> = newest.into_iter().map(|(id, _)| id).collect();
        let is_due = self.board_at.is_none_or(|at| now.duration_since(at) >= BOARD_EVERY);
        if news.is_empty() && !is_due {
            return;
        }
        match self.write(&news, &all) {
            Ok(keys) => {
                self.written.extend(news);
                self.board_at = Some(now);
                (self.again, self.pause) = (None, PAUSE_MIN);
                self.wrote(keys);
            }
            Err(why) => {
                // A server that was started again has nothing of what was written to it.
                (self.server, self.board_at) = (None, None);
                self.written.clear();
                self.again = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                self.failed(&why);
            }
        }
    }

    /// What is new, the board, and the version last: it speaks of what is there.
    fn write(&mut self, news: &[(InstrumentName, Ts)], all: &[InstrumentName]) -> Result<usize, MirrorError> {
        let server = match &mut self.server {
            Some(server) => server,
            closed => {
                let server = MirrorServer::connect(&self.address)?;
                self.stats.connected();
                closed.insert(server)
            }
        };
        let mut keys: Vec<KeyText> = Vec::new();
        for (id, _) in news {
            if let Some(mirrored) = self.source.snapshot(id) {
                keys.push((snapshot_key(id), mirrored.json, mirrored.for_time));
            }
        }
        keys.extend(self.source.rows(all).into_iter().map(|(id, json)| (board_key(&id), json, BOARD_FOR)));
        keys.push((VERSION_KEY.to_owned(), self.source.version(), VERSION_FOR));
        server.write(&keys)?;
        Ok(keys.len())
    }

    fn wrote(&self, keys: usize) {
        match self.stats.wrote(keys, self.source.now()) {
            MirrorState::Written => {}
            MirrorState::Begun => (self.report)(format!("the weather is mirrored to {}", self.address)),
            MirrorState::Lost(_) => (self.report)(format!("the mirror at {} takes the weather again", self.address)),
        }
    }

    fn failed(&self, why: &MirrorError) {
        let before = self.stats.failed(why.to_string());
        if !matches!(before, MirrorState::Lost(_)) {
            (self.report)(format!("nothing is mirrored to {}: {why}; retrying, all else goes on", self.address));
        }
    }
}
