//! A journal through the core: after a restart (the tail behind a checkpoint) and to verify (all of it).
//!
//! A damaged file is left where it is. What the journal holds from the damage to the next start record is not used: with a part
//! of it missing nobody knows what the rest would have meant. That start then goes on from the moment before the damage and
//! declares everything since as a gap, as after an absence.

use crate::config::{LiveConfig, MarketsChange};
use crate::core::{Core, CoreSink};
use crate::setup::Setup;
use crate::{Error, chain, checkpoint};
use barograph_domain::{CalendarEntry, Ts};
use barograph_engine::models::ModelUpdate;
use barograph_engine::rules::RuleBook;
use barograph_lake::journal::{self, ControlRecord, EntryKind, JournalReader};
use barograph_venues::session::{ConnId, Input, RequestId};
use std::path::{Path, PathBuf};

/// Name of a connection's file: `c17`.
pub(crate) fn connection_name(conn: ConnId) -> String {
    format!("c{}", conn.0)
}

fn connection_of(name: &str) -> Option<ConnId> {
    name.strip_prefix('c')?.parse().ok().map(ConnId)
}

/// Does a process write the journal of this folder now? Its lock says so, and goes with it however it ends.
pub fn is_listening(data: &Path) -> bool {
    let Ok(file) = std::fs::File::open(journal_folder(data).join("writer.lock")) else { return false };
    matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
}

/// The process that writes the journal of this folder, where its lock names one.
pub fn listener(data: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(journal_folder(data).join("writer.lock")).ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Folder of the journal in a data folder.
pub fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Is there anything of a live process in this folder?
pub fn was_live(data: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(journal_folder(data)) else { return false };
    let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    names.into_iter().any(|name| name == "control" || name.starts_with("venue="))
}

/// What a replay went through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replayed {
    /// Lines read.
    pub(crate) lines: u64,
    /// Stamp of the last one.
    pub(crate) last: Option<Ts>,
    /// The last process did not stop in order.
    pub(crate) torn: bool,
    /// What could not be used, each as a sentence.
    pub(crate) troubles: Vec<String>,
}

/// One line of a journal, wherever it was read.
pub(crate) enum JournalLine<'a> {
    /// A frame, or the body of a reply.
    Frame { venue: &'a str, connection: &'a str, bytes: &'a [u8] },
    /// A control record.
    Control(ControlRecord),
}

/// The lines of a journal on their way into a core. Without one the first start record makes it.
#[derive(Debug, Default)]
pub(crate) struct Player {
    pub(crate) core: Option<Core>,
    /// A reply's record comes before its body, which has the same stamp.
    reply: Option<(RequestId, u16)>,
    /// Behind damage, until the next start record.
    broken: bool,
    pub(crate) done: Replayed,
}

impl Player {
    /// Behind the last line of this core.
    pub(crate) fn new(core: Option<Core>) -> Self {
        Self { core, ..Self::default() }
    }

    /// A part of the journal cannot be read: nothing behind it is used until the next start record.
    pub(crate) fn lost(&mut self, why: &str) {
        let from = self.core.as_ref().map_or_else(String::new, |c| format!(" from {}", c.at));
        self.done.troubles.push(format!("{why}; nothing behind it{from} to the next start is used, a gap is declared"));
        self.broken = true;
    }

    /// Are minutes made of the lines that come? Not before the first start, and not behind damage.
    pub(crate) const fn is_whole(&self) -> bool {
        self.core.is_some() && !self.broken
    }

    /// The next line.
    pub(crate) fn line(
        &mut self,
        at: Ts,
        line: JournalLine<'_>,
        setup: &Setup,
        sink: &mut dyn CoreSink,
    ) -> Result<(), Error> {
        self.done.lines += 1;
        self.done.last = Some(at);
        if self.broken && !matches!(line, JournalLine::Control(ControlRecord::Start { .. })) {
            return Ok(());
        }
        self.broken = false;
        match line {
            JournalLine::Frame { venue, connection, bytes } => {
                let Some(core) = self.core.as_mut() else { return Ok(()) };
                let Some(index) = core.venue(venue) else { return Ok(()) };
                if let Some(conn) = connection_of(connection) {
                    core.input(at, index, &Input::Frame { conn, bytes }, sink)?;
                } else if let Some((request, status)) = self.reply.take() {
                    core.input(at, index, &Input::Reply { request, status, body: bytes }, sink)?;
                }
            }
            JournalLine::Control(record) => {
                self.done.torn = !matches!(record, ControlRecord::Stop);
                if let ControlRecord::Start { config, .. } = &record
                    && let Err(e) = LiveConfig::from_json(config)
                {
                    // Written by a release that knew other settings: what follows cannot be made again by this one.
                    self.done.troubles.push(format!("{}; what follows it is not used", e.text().unwrap_or_default()));
                    (self.core, self.broken) = (None, true);
                    return Ok(());
                }
                control(at, record, setup, &mut self.core, &mut self.reply, sink)?;
            }
        }
        Ok(())
    }
}

/// Feeds the journal behind `core.at` into the core. `None` as core: the first start record makes it.
pub(crate) fn run(
    data: &Path,
    setup: &Setup,
    core: Option<Core>,
    sink: &mut dyn CoreSink,
) -> Result<(Option<Core>, Replayed), Error> {
    let after = core.as_ref().map(|c| c.at);
    let mut player = Player::new(core);
    let mut reader = JournalReader::open(&journal_folder(data), after).map_err(|e| Error::failed(chain(&e)))?;
    loop {
        let entry = match reader.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(e @ (journal::Error::Damaged { .. } | journal::Error::Missing { .. })) => {
                if !reader.pass_over() {
                    return Err(Error::failed(chain(&e)));
                }
                player.lost(&chain(&e));
                continue;
            }
            Err(e) => return Err(Error::failed(chain(&e))),
        };
        let line = match entry.kind {
            EntryKind::Frame { venue, connection, bytes, .. } => JournalLine::Frame { venue, connection, bytes },
            EntryKind::Control(record) => JournalLine::Control(record),
        };
        player.line(entry.at, line, setup, sink)?;
    }
    Ok((player.core, player.done))
}

fn control(
    at: Ts,
    record: ControlRecord,
    setup: &Setup,
    core: &mut Option<Core>,
    reply: &mut Option<(RequestId, u16)>,
    sink: &mut dyn CoreSink,
) -> Result<(), Error> {
    if let ControlRecord::Start { config, resumed_from, .. } = &record {
        let config = LiveConfig::from_json(config)?;
        match core {
            Some(core) if resumed_from.is_some() => {
                core.resume(at, sink)?;
                return core.reconfigure(at, &config, sink);
            }
            // A process that began from nothing although there was a past: what it made does not follow from that past.
            _ => {
                let mut gone = core.take();
                gone.iter_mut().try_for_each(|gone| gone.end_episodes(at, sink))?;
                let mut anew = Core::new(setup.clone(), config, at, sink)?;
                // Its forecasts do.
                gone.into_iter().for_each(|gone| anew.adopt_ledger(gone.forecasts.into_ledger()));
                *core = Some(anew);
                return Ok(());
            }
        }
    }
    let Some(core) = core.as_mut() else { return Ok(()) };
    match record {
        ControlRecord::Open { venue, link, conn, .. } => core.named(at, &venue, &Input::Opened { link, conn }, sink),
        ControlRecord::Close { venue, conn, reason } => core.named(at, &venue, &Input::Closed { conn, reason }, sink),
        ControlRecord::Reply { id, status, .. } => {
            *reply = Some((id, status));
            Ok(())
        }
        ControlRecord::Failed { venue, id, reason } => {
            core.named(at, &venue, &Input::Failed { request: id, reason }, sink)
        }
        ControlRecord::Tick => core.tick(at, sink),
        ControlRecord::Config { value } => {
            let change: MarketsChange = serde_json::from_value(value).map_err(Error::failed)?;
            match core.venue(&change.venue) {
                Some(index) => core.markets(at, index, &change.markets, sink),
                None => Ok(()),
            }
        }
        ControlRecord::Calendar { value } => {
            let entries: Vec<CalendarEntry> = serde_json::from_value(value).map_err(Error::failed)?;
            core.scheduled(at, &entries, sink)
        }
        // The fit that was made then; nothing is fitted again.
        ControlRecord::Model { value } => {
            let update: ModelUpdate = serde_json::from_value(value).map_err(Error::failed)?;
            core.model(at, &update, sink)
        }
        // As far as the process came, and its checkpoint with it.
        ControlRecord::Stop => {
            core.at = at;
            Ok(())
        }
        ControlRecord::Start { .. } | ControlRecord::Request { .. } => Ok(()),
    }
}

/// The machine as it was when the last process ended, newest usable checkpoint and the journal behind it, with what could not
/// be used. `None`: nothing was ever recorded here, or nothing that this arithmetic can go on from.
pub(crate) fn last_state(
    data: &Path,
    setup: &Setup,
    sink: &mut dyn CoreSink,
) -> Result<(Option<Core>, Vec<String>), Error> {
    let (core, mut troubles) = checkpoint::newest(data, setup, sink)?;
    if !journal_folder(data).is_dir() {
        return Ok((core, troubles));
    }
    let (mut core, done) = run(data, setup, core, sink)?;
    // What that makes is of the past as well, and not published again.
    core.iter_mut().try_for_each(|core| core.settle(sink))?;
    troubles.extend(done.troubles);
    Ok((core, troubles))
}

/// The book and arithmetic that the journal of a data folder was made with.
pub(crate) fn setup_of(data: &Path) -> Result<Option<Setup>, Error> {
    let root = journal_folder(data);
    if !root.is_dir() {
        return Ok(None);
    }
    let mut reader = JournalReader::open(&root, None).map_err(|e| Error::failed(chain(&e)))?;
    let mut found = None;
    loop {
        let entry = match reader.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(e) => {
                if reader.pass_over() {
                    continue;
                }
                return Err(Error::failed(chain(&e)));
            }
        };
        if let EntryKind::Control(ControlRecord::Start { config, .. }) = entry.kind {
            let config = LiveConfig::from_json(&config)?;
            let book = RuleBook::parse(&format!("{}.toml", config.book), &config.book_text).map_err(Error::refused)?;
            found = Some(Setup::of(book, config.book_text, barograph_venues::policy::text()));
            break;
        }
    }
    Ok(found)
}

/// A number that no connection in the journal has: they are numbered through, so that files tell them apart.
pub(crate) fn next_conn(data: &Path) -> Result<u32, Error> {
    let mut most = 0;
    let folders = |path: &Path, prefix: &str| -> Result<Vec<PathBuf>, Error> {
        let Ok(entries) = std::fs::read_dir(path) else { return Ok(Vec::new()) };
        let paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
        let named = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix));
        Ok(paths.into_iter().filter(named).collect())
    };
    for venue in folders(&journal_folder(data), "venue=")? {
        for day in folders(&venue, "date=")? {
            for file in folders(&day, "c")? {
                let name = file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
                let conn = name.split('-').next().and_then(connection_of);
                most = most.max(conn.map_or(0, |c| c.0));
            }
        }
    }
    Ok(most + 1)
}

/// The newest stamp in the journal of a data folder.
pub fn last_stamp(data: &Path) -> Result<Option<Ts>, Error> {
    let found = barograph_lake::journal::survey(&journal_folder(data)).map_err(|e| Error::failed(chain(&e)))?;
    Ok(found.last)
}
