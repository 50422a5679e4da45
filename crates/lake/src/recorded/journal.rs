//! Plays a journal to the sessions it was made by, as the live program does when it runs one again, and hands on what books and trades
//! of the chosen markets do. Several markets, and several venues, in one pass.
//!
//! Everything that was decided counts as it was decided then: starts with their configurations, openings, closings, answers, ticks,
//! changes of the market list. A time without a process is a hole, and so is what a damaged file of the journal held: what follows
//! damage is not used up to the next start, because nobody knows what the rest would have meant. Damage in the frames of one venue is
//! a hole of that venue alone, its sessions being their own; damage in the control records is one of all.
//!
//! Left out on purpose: checkpoints. They are the live program's own, so a journal is played from the first start it holds; of a
//! process that retention has taken the start of, nothing can be played.

use super::counted::Counted;
use super::journal_heard::{Failure, JournalAudience, JournalPlayed, PlayedMarket};
use super::journal_venue::JournalVenue;
use crate::error::Error;
use crate::journal::{self, ControlRecord, EntryKind, JournalCursor, JournalReader, Selection};
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_venues::session::{ConnId, Input, MarketSpec, RequestId, SessionConfig, venue};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A start record, as far as it says what the sessions were; the rest of it belongs to the live program.
#[derive(Deserialize)]
struct StartedWith {
    venues: Vec<StartedVenue>,
}

#[derive(Deserialize)]
struct StartedVenue {
    id: String,
    session: SessionConfig,
}

/// A change record.
#[derive(Deserialize)]
struct MarketsChanged {
    venue: String,
    markets: Vec<MarketSpec>,
}

/// Records between two looks at whether to go on, where no second passes.
const STRETCH: u64 = 1_000;

/// Plays what a journal holds, from its beginning up to a moment (all of it without one). The journal may be in use: what is not yet
/// flushed is not seen.
///
/// # Errors
/// The journal cannot be read, a record of it is of a newer release, or a listener fails. Damage is not an error: it is passed over
/// and declared.
pub fn play_journal<A: JournalAudience>(
    root: &Path,
    until: Option<Ts>,
    audience: &mut A,
) -> Result<JournalPlayed<A::Listener>, Failure<A>> {
    let mut playing = JournalPlaying::new(root, audience);
    playing.advance(until)?;
    playing.finish()
}

/// A journal on its way to its listeners: all of it at once, or as it grows.
pub struct JournalPlaying<A: JournalAudience> {
    root: PathBuf,
    /// Who listens.
    pub audience: A,
    lines: u64,
    /// The first stamp.
    first: Option<Ts>,
    /// What is not later was played.
    done: Option<Ts>,
    /// How far each file was read.
    cursor: JournalCursor,
    /// Files of which it was said that they are damaged or missing.
    known_damage: BTreeSet<PathBuf>,
    unclosed: usize,
    venues: Vec<JournalVenue<A::Listener>>,
    /// A reply's record comes before its body, which has the same stamp.
    reply: Option<(RequestId, u16)>,
    /// The first start was met, at this stamp.
    started: Option<Ts>,
    /// Something that decides what follows could not be read: the next process is followed from its own beginning.
    astray: bool,
    /// The newest stamp.
    at: Option<Ts>,
    troubles: Vec<String>,
}

impl<A: JournalAudience> core::fmt::Debug for JournalPlaying<A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("JournalPlaying").field("root", &self.root).field("done", &self.done).finish_non_exhaustive()
    }
}

impl<A: JournalAudience> JournalPlaying<A> {
    /// At the beginning of the journal in a folder.
    pub fn new(root: &Path, audience: A) -> Self {
        Self {
            root: root.to_owned(),
            audience,
            lines: 0,
            first: None,
            done: None,
            cursor: JournalCursor::default(),
            known_damage: BTreeSet::new(),
            unclosed: 0,
            venues: Vec::new(),
            reply: None,
            started: None,
            astray: false,
            at: None,
            troubles: Vec::new(),
        }
    }

    /// Plays what lies behind what was played, up to a moment (all of it without one): how many lines. Beside a process that writes the
    /// journal the moment has to be settled ([`journal::SettledJournal`]), because what comes later with an earlier stamp is not met.
    ///
    /// # Errors
    /// As [`play_journal`].
    pub fn advance(&mut self, until: Option<Ts>) -> Result<u64, Failure<A>> {
        let selection = Selection { after: self.done, until, ..Selection::default() };
        let mut reader = JournalReader::resume(&self.root, selection, core::mem::take(&mut self.cursor))
            .map_err(|e| unreadable(&e))?;
        let before = self.lines;
        loop {
            let entry = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(e) => {
                    if !reader.pass_over() {
                        return Err(unreadable(&e).into());
                    }
                    if self.known_damage.insert(place_of(&e).to_owned()) {
                        self.damaged(&e)?;
                    }
                    continue;
                }
            };
            self.lines += 1;
            let at = entry.at;
            self.first = self.first.or(Some(at));
            self.entry(at, entry.kind)?;
            if self.lines.is_multiple_of(STRETCH) {
                self.audience.reached(at)?;
            }
        }
        self.unclosed = reader.tails().len();
        self.troubles.extend(reader.mended().iter().map(|path| {
            format!(
                "the header of '{}' is damaged; its lines are read by what its name and its blocks say",
                path.display()
            )
        }));
        self.cursor = reader.into_cursor();
        self.done = self.done.max(until.or(self.at));
        Ok(self.lines - before)
    }

    /// What is not later was played; `None` before the first call.
    #[must_use]
    pub const fn done(&self) -> Option<Ts> {
        self.done
    }

    /// Bytes that were read of the journal so far.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.cursor.bytes_read()
    }

    /// Whoever listens by now.
    pub fn listeners(&mut self) -> impl Iterator<Item = &mut A::Listener> {
        self.venues.iter_mut().flat_map(|venue| venue.markets.iter_mut().map(|one| &mut one.listener))
    }

    /// What could not be used since it was last asked for, each as a sentence.
    pub fn take_troubles(&mut self) -> Vec<String> {
        core::mem::take(&mut self.troubles)
    }

    /// Nothing more is played.
    ///
    /// # Errors
    /// When a listener fails.
    pub fn finish(self) -> Result<JournalPlayed<A::Listener>, Failure<A>> {
        let Self { lines, first, at: last, unclosed, venues, troubles, .. } = self;
        let mut markets = Vec::new();
        for mut venue in venues {
            if let Some(last) = last.filter(|_| !venue.silent) {
                venue.passed(last)?;
            }
            for one in venue.markets {
                let (name, played) = (name_of(venue.id, &one.symbol)?, one.played().clone());
                markets.push(PlayedMarket { name, listener: one.listener, played });
            }
        }
        markets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(JournalPlayed { lines, span: first.zip(last), troubles, unclosed, markets })
    }

    fn entry(&mut self, at: Ts, kind: EntryKind<'_>) -> Result<(), Failure<A>> {
        let before = self.at.replace(at);
        match kind {
            EntryKind::Frame { venue, connection, bytes, .. } => {
                let reply = if connection == journal::REST { self.reply.take() } else { None };
                let Some(venue) = self.venue(venue) else { return Ok(()) };
                if let Some(conn) = connection_of(connection) {
                    return venue.input(at, &Input::Frame { conn, bytes });
                }
                let Some((request, status)) = reply else { return Ok(()) };
                let request = venue.own_request(request);
                venue.input(at, &Input::Reply { request, status, body: bytes })
            }
            EntryKind::Control(ControlRecord::Start { config, resumed_from, .. }) => {
                if self.started.is_none() && resumed_from.is_some() {
                    self.troubles.push(format!(
                        "the process that began before {at} has no start in this journal any more: what it received is not used"
                    ));
                }
                self.started = self.started.or(Some(at));
                match StartedWith::deserialize(config) {
                    Ok(with) => self.start(at, before, with, resumed_from.is_some()),
                    Err(e) => {
                        self.troubles.push(format!(
                            "the start record of {at} cannot be read by this version ({e}); what follows it is not used"
                        ));
                        self.astray = true;
                        self.stop(before.unwrap_or(at), |_| true)
                    }
                }
            }
            EntryKind::Control(record) => self.control(at, record),
        }
    }

    /// A venue that is played now.
    fn venue(&mut self, id: &str) -> Option<&mut JournalVenue<A::Listener>> {
        self.venues.iter_mut().find(|v| v.id == id && !v.silent)
    }

    fn control(&mut self, at: Ts, record: ControlRecord) -> Result<(), Failure<A>> {
        self.reply = None;
        let (id, input) = match record {
            ControlRecord::Open { venue, link, conn, .. } => (venue, Input::Opened { link, conn }),
            ControlRecord::Close { venue, conn, reason } => (venue, Input::Closed { conn, reason }),
            ControlRecord::Request { venue, id, url, .. } => {
                self.venue(&venue).into_iter().for_each(|v| v.request(id, url.clone()));
                return Ok(());
            }
            ControlRecord::Reply { id, status, .. } => {
                self.reply = Some((id, status));
                return Ok(());
            }
            ControlRecord::Failed { venue, id, reason } => {
                let Some(of) = self.venue(&venue) else { return Ok(()) };
                let request = of.own_request(id);
                return of.input(at, &Input::Failed { request, reason });
            }
            ControlRecord::Tick => {
                for venue in self.venues.iter_mut().filter(|v| !v.silent) {
                    venue.passed(at)?;
                    venue.input(at, &Input::Tick)?;
                }
                return self.audience.reached(at);
            }
            ControlRecord::Config { value } => return self.change(at, value),
            // Calendar and models are nothing that sessions hear of.
            ControlRecord::Calendar { .. } | ControlRecord::Model { .. } | ControlRecord::Stop => return Ok(()),
            ControlRecord::Start { .. } => return Ok(()),
        };
        match self.venue(&id) {
            Some(venue) => venue.input(at, &input),
            None => Ok(()),
        }
    }

    fn change(&mut self, at: Ts, value: serde_json::Value) -> Result<(), Failure<A>> {
        let change = match MarketsChanged::deserialize(value) {
            Ok(change) => change,
            Err(e) => {
                self.troubles.push(format!(
                    "the change of {at} cannot be read by this version ({e}); nothing behind it to the next start is used"
                ));
                self.astray = true;
                return self.stop(at, |_| true);
            }
        };
        let Some(place) = self.venues.iter().position(|v| v.id == change.venue && !v.silent) else { return Ok(()) };
        self.venues[place].change(at, &change.markets)?;
        self.offer(place)
    }

    /// A process starts: the one before has ended, at its last sign of life.
    fn start(&mut self, at: Ts, before: Option<Ts>, with: StartedWith, resumes: bool) -> Result<(), Failure<A>> {
        self.reply = None;
        self.stop(before.unwrap_or(at), |_| true)?;
        let resumes = resumes && !core::mem::take(&mut self.astray);
        for StartedVenue { id, session } in with.venues {
            if !self.audience.cares_for(&id) {
                continue;
            }
            if session.mcp.is_some() {
                // What is asked for now and then holds no books and trades.
                continue;
            }
            let Some(def) = venue(&id) else {
                self.troubles.push(format!("the process of {at} recorded '{id}', which this version does not know"));
                continue;
            };
            let place = if let Some(place) = self.venues.iter().position(|v| v.id == def.id) {
                let known = &mut self.venues[place];
                known.silent = false;
                known.back(at)?;
                if resumes {
                    known.resume(at)?;
                    if !known.lists(&session.markets) {
                        known.change(at, &session.markets)?;
                    }
                } else {
                    known.renew(def, session);
                }
                place
            } else {
                self.venues.push(JournalVenue::new(def, session));
                self.venues.len() - 1
            };
            self.offer(place)?;
        }
        Ok(())
    }

    /// Asks who listens to markets that a venue has not had before.
    fn offer(&mut self, place: usize) -> Result<(), Failure<A>> {
        let of = &mut self.venues[place];
        for at in of.offered..of.known.len() {
            let name = name_of(of.id, &of.known[at].symbol)?;
            if of.markets.iter().any(|m| m.symbol == name.symbol) {
                continue;
            }
            let Some(counted) = Counted::of(of.id, &of.known[at]) else {
                self.troubles.push(format!(
                    "{name} is left out: its quantities are contracts, and the venue's list did not say what one is worth"
                ));
                continue;
            };
            if let Some(listener) = self.audience.listener(&name, &of.known[at], of.has_book(at))? {
                of.listen(at, counted, listener);
            }
        }
        of.offered = of.known.len();
        Ok(())
    }

    /// Nothing more is used of some venues until the next start.
    fn stop(&mut self, at: Ts, which: impl Fn(&str) -> bool) -> Result<(), Failure<A>> {
        for venue in self.venues.iter_mut().filter(|v| !v.silent && which(v.id)) {
            venue.passed(at)?;
            venue.away(at, GapReason::NotRunning)?;
            venue.silent = true;
        }
        Ok(())
    }

    fn damaged(&mut self, e: &journal::Error) -> Result<(), Failure<A>> {
        let folder = place_of(e).ancestors().filter_map(|p| p.file_name()?.to_str()?.strip_prefix("venue=")).next();
        let from = self.at.map_or_else(String::new, |at| format!(" from {at}"));
        let what = folder.map_or_else(|| "nothing".to_owned(), |id| format!("nothing of {id}"));
        self.troubles.push(format!("{e}; {what} behind it{from} to the next start is used, a gap is declared"));
        self.stop(self.at.unwrap_or(Ts::MIN), |id| folder.is_none_or(|of| of == id))
    }
}

/// The file that an error is about.
fn place_of(e: &journal::Error) -> &Path {
    match e {
        journal::Error::Damaged { path, .. } | journal::Error::Missing { path, .. } => path.as_path(),
        _ => Path::new(""),
    }
}

fn connection_of(name: &str) -> Option<ConnId> {
    name.strip_prefix('c')?.parse().ok().map(ConnId)
}

fn name_of(venue: &str, symbol: &str) -> Result<InstrumentName, Error> {
    InstrumentName::new(venue, symbol)
        .map_err(|e| Error::Usage(format!("the journal names a market that is none: {e}")))
}

fn unreadable(e: &journal::Error) -> Error {
    Error::Usage(match std::error::Error::source(e) {
        Some(source) => format!("{e}: {source}"),
        None => e.to_string(),
    })
}
