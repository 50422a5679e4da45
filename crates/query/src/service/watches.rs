//! Watches: asked for, listed, and judged against every minute as it is published.
//!
//! Stored minutes are judged in their order, a page at a time; the newest one straight from memory once it is the next, because the
//! store follows a second later. What is to be delivered is stored before the watch remembers that it came true: a process killed in
//! between finds the turn again and makes the same message, which is there already.

use super::advice::unwritable;
use super::watch_signals::SeenNow;
use super::{Latest, Service, internal};
use crate::render::align;
use crate::watch::condition::Condition;
use crate::watch::{self, CHANGES_KEPT, DeskError, Kept, WatchDesk, WatchedChange};
use barograph_api::watches::{NewWatch, UserWatch, WatchChange, WatchPast, WatchView, Watches};
use barograph_api::{AskMarkets as _, AskWatches, DeliveryName, QueryError};
use barograph_domain::delivery::message_id;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, Span, Ts};
use barograph_engine::explain::price;
use barograph_store::run::GRID;
use barograph_store::{Range, RowQuery};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Longest note, characters.
const NOTE_MAX: usize = 300;
/// Most receivers of a watch: as many as anybody has.
const TO_MAX: usize = 20;
/// Minutes judged at a time, so that a stop is heeded while a long absence is caught up with.
const PAGE: usize = 1_000;
const ELSEWHERE: &str = "this process serves what is stored and listens to no venue, or not yet: watches are judged by the process that does; \
                         start it with barograph up, or open its page";

impl AskWatches for Service {
    fn watches(&self) -> Result<Watches, QueryError> {
        let desk = self.watches.get();
        let mut kept = match (desk, self.folder.get()) {
            (Some(desk), _) => desk.all().clone(),
            (None, Some(folder)) => watch::read(folder).map_err(unreadable)?,
            (None, None) => Vec::new(),
        };
        kept.sort_by_key(|k| (!k.goes_on(), core::cmp::Reverse(k.watch.ended_at.unwrap_or(k.watch.created_at))));
        Ok(Watches {
            items: kept.iter().map(|k| self.watch_view(k)).collect(),
            judged_here: desk.is_some(),
            why_not: desk.is_none().then(|| self.why_unwatched()),
            most: watch::WAITING_MAX,
        })
    }

    fn watch_past(&self, market: &str, when: &str) -> Result<WatchPast, QueryError> {
        self.tried(market, when)
    }

    fn put_watch(&self, new: &NewWatch) -> Result<WatchView, QueryError> {
        let desk = self.watch_desk()?;
        let market = self.resolve(&new.market, false)?;
        let condition = Condition::parse(&new.when).map_err(|why| bad("when", &new.when, why))?;
        let (note, to) = (self.note(new)?, self.to(new)?);
        let when = condition.written();
        let mut held = desk.all();
        let same = |k: &&Kept| {
            let w = &k.watch;
            k.goes_on()
                && w.instrument == market
                && w.when == when
                && w.repeat == new.repeat
                && w.note == note
                && w.to == to
        };
        if let Some(same) = held.iter().find(same) {
            return Ok(self.watch_view(same));
        }
        if held.iter().filter(|k| k.goes_on()).count() >= watch::WAITING_MAX {
            return Err(QueryError::Conflict {
                reason: format!("{} watches go on already", watch::WAITING_MAX),
                hint: "remove one that is not needed any more".to_owned(),
            });
        }
        let latest = self.market(&market);
        let seen = self.watch_now(&condition, &market, latest.as_deref()).map_err(|fault| fault.of(&new.when))?;
        self.can_change(&market, &condition, new, &seen)?;
        let now = self.clock.now();
        let words = condition.words();
        let id = message_id(&format!("watch|{market}|{when}|{}|{}", new.repeat, now.0)).replace("msg_", "wat_");
        let (repeat, instrument) = (new.repeat, market);
        let fired = Vec::new();
        let watch = UserWatch {
            id,
            instrument,
            when,
            words,
            repeat,
            note,
            to,
            created_at: now,
            ended_at: None,
            turns: 0,
            fired,
        };
        let kept = Kept::new(watch, latest.as_ref().map(|l| l.row.ts), seen.reading.as_ref());
        let mut all = held.clone();
        all.push(kept.clone());
        desk.replace(&mut held, all).map_err(unreadable)?;
        drop(held);
        self.board.hub.notices_moved();
        Ok(self.watch_view(&kept))
    }

    fn remove_watch(&self, id: &str) -> Result<(), QueryError> {
        let desk = self.watch_desk()?;
        let mut held = desk.all();
        let mut all = held.clone();
        all.retain(|k| k.watch.id != id);
        if all.len() == held.len() {
            return Err(QueryError::Unknown { what: DeliveryName::Watch, id: id.to_owned() });
        }
        desk.replace(&mut held, all).map_err(unreadable)?;
        drop(held);
        self.board.hub.notices_moved();
        Ok(())
    }
}

impl Service {
    /// Watches are kept there, and judged by this process, from now on.
    pub fn keep_watches(&self, desk: Arc<WatchDesk>) {
        // Set once, where the process begins.
        drop(self.watches.set(desk));
    }

    /// Watches would be judged here, and their file cannot be had; it is tried again.
    pub fn cannot_watch(&self, why: String) {
        *self.unwatched.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn why_unwatched(&self) -> String {
        let why = self.unwatched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.unwrap_or_else(|| ELSEWHERE.to_owned())
    }

    fn watch_desk(&self) -> Result<&WatchDesk, QueryError> {
        let none = || QueryError::Unavailable { reason: self.why_unwatched() };
        self.watches.get().map(|d| &**d).ok_or_else(none)
    }

    fn watch_view(&self, kept: &Kept) -> WatchView {
        let condition = Condition::parse(&kept.watch.when).ok().filter(|_| kept.goes_on());
        let latest = self.market(&kept.watch.instrument);
        let found = condition.map(|c| self.watch_now(&c, &kept.watch.instrument, latest.as_deref()));
        let (now, why_not_now) = match found {
            Some(Ok(seen)) => (seen.state, seen.why_none),
            Some(Err(fault)) => (None, Some(fault.sentence())),
            None => (None, None),
        };
        WatchView { watch: kept.watch.clone(), now, why_not_now, judged: kept.judged }
    }

    fn note(&self, new: &NewWatch) -> Result<Option<String>, QueryError> {
        let note = new.note.as_deref().map(str::trim).filter(|n| !n.is_empty());
        let Some(note) = note else { return Ok(None) };
        if note.chars().any(char::is_control) || note.chars().count() > NOTE_MAX {
            return Err(bad("note", note, format!("a note is one line of at most {NOTE_MAX} characters")));
        }
        Ok(Some(note.to_owned()))
    }

    /// The receivers that are meant, each once and in order.
    fn to(&self, new: &NewWatch) -> Result<Vec<String>, QueryError> {
        let mut to = new.to.clone();
        to.sort();
        to.dedup();
        if to.len() > TO_MAX {
            return Err(bad("to", &to.len().to_string(), format!("a watch has at most {TO_MAX} receivers")));
        }
        let known = self.deliveries.get().map(|d| d.outlet_names()).unwrap_or_default();
        match to.iter().find(|name| !known.contains(name)) {
            None => Ok(to),
            Some(name) => {
                let hint = match barograph_api::nearest(name, known.iter().map(String::as_str)) {
                    Some(like) => format!("did you mean '{like}'?"),
                    None if known.is_empty() => "none is set up here; leave it out".to_owned(),
                    None => format!("there are {}", known.join(", ")),
                };
                Err(bad("to", name, format!("there is no receiver '{name}'; {hint}")))
            }
        }
    }

    /// A watch that could never come true, or has already, is refused with the reason.
    fn can_change(
        &self,
        market: &InstrumentName,
        condition: &Condition,
        new: &NewWatch,
        seen: &SeenNow,
    ) -> Result<(), QueryError> {
        let heard = self.live.as_ref().is_none_or(|live| live.board().has(market));
        if !heard {
            let why = format!("{market} is recorded and not listened to: no new minute of it will be judged");
            return Err(bad("market", &new.market, why));
        }
        if let Some(signal) = condition.signal() {
            self.is_known(signal, market).map_err(|why| why.of(&new.when))?;
        }
        let Some((now, state)) = seen.reading.as_ref().zip(seen.state.as_ref()) else { return Ok(()) };
        if new.repeat || condition.is_met(now.word) != Some(true) {
            return Ok(());
        }
        let why = format!("{state} already: there is nothing to wait for; ask with repeat to hear of it the next time");
        Err(bad("when", &new.when, why))
    }

    /// Judges what has been published since the last look; each line is for the operator. A market that cannot be read is judged the
    /// next time, and the others at once; the first that could not be comes with them.
    pub fn check_watches(&self) -> Result<(Vec<String>, Option<QueryError>), QueryError> {
        let Some(desk) = self.watches.get() else { return Ok((Vec::new(), None)) };
        let mut held = desk.all();
        let mut all = held.clone();
        let mut markets: BTreeMap<InstrumentName, Vec<usize>> = BTreeMap::new();
        for (n, kept) in all.iter().enumerate().filter(|(_, k)| k.goes_on()) {
            markets.entry(kept.watch.instrument.clone()).or_default().push(n);
        }
        let (mut changed, mut messages, mut lines, mut unread) = (false, Vec::new(), Vec::new(), None);
        for (market, places) in markets {
            // Nothing was published of it yet.
            let Some(latest) = self.market(&market) else { continue };
            let newest = latest.row.ts;
            let judged = |n: &usize| all.get(*n).and_then(|k| k.judged);
            // One that has seen nothing yet begins with what comes.
            let since = places.iter().map(|n| judged(n).unwrap_or(newest - GRID)).min().unwrap_or(newest);
            if since >= newest {
                continue;
            }
            let rows = match self.published_since(&market, since, &latest) {
                Ok(rows) => rows,
                Err(e) => {
                    unread.get_or_insert(e);
                    continue;
                }
            };
            for n in places {
                let Some(kept) = all.get_mut(n) else { continue };
                // The words of a later version are left for it.
                let Ok(condition) = Condition::parse(&kept.watch.when) else { continue };
                let readings = match self.readings(&condition, &market, (kept.judged, &rows)) {
                    Ok(readings) => readings,
                    Err(e) => {
                        unread.get_or_insert(e);
                        continue;
                    }
                };
                let (mut next, mut turns) = (kept.clone(), Vec::new());
                let found = readings.into_iter().try_for_each(|(row, reading)| {
                    let Some(turned) = next.step(&condition, row.ts, reading) else { return Ok(()) };
                    let turn = self.change_of(&next.watch, &condition, &turned, row, &latest)?;
                    turns.push((next.watch.clone(), turn.clone()));
                    next.watch.turns = next.watch.turns.saturating_add(1);
                    next.watch.fired.insert(0, turn);
                    next.watch.fired.truncate(CHANGES_KEPT);
                    if !next.watch.repeat {
                        next.watch.ended_at = Some(row.ts + LATENESS);
                    }
                    Ok(())
                });
                if let Err(e) = found {
                    unread.get_or_insert(e);
                    continue;
                }
                changed |= !turns.is_empty() || kept.last != next.last || kept.unreported != next.unreported;
                // Values may come with a moment of the past since when they are known: what was judged is over.
                changed |= condition.signal().is_some() && kept.judged != next.judged;
                lines.extend(turns.iter().map(|(_, turn)| format!("{market}: {}", turn.text)));
                messages.append(&mut turns);
                *kept = next;
            }
        }
        if !messages.is_empty() {
            self.desk()?.deliver_changes(&messages).map_err(unwritable)?;
        }
        if changed {
            desk.replace(&mut held, all).map_err(unreadable)?;
        } else {
            // Only that minutes were judged: found again after a restart, with the same result.
            *held = all;
        }
        drop(held);
        if !messages.is_empty() {
            self.board.hub.notices_moved();
        }
        Ok((lines, unread))
    }

    /// Published minutes after a moment, in order; the newest from memory where it is the next.
    fn published_since(
        &self,
        market: &InstrumentName,
        since: Ts,
        latest: &Latest,
    ) -> Result<Vec<MinuteRow>, QueryError> {
        let mut rows = Vec::new();
        if latest.row.ts > since + GRID {
            match self.run(market, None) {
                Ok((info, _)) => {
                    let range = Range { start: since + Span(1), end: Ts::MAX };
                    let query = RowQuery { range, every: None, after: None, limit: PAGE, as_of: None };
                    let mut page = self.reader.history(&info.spec.key, &query).map_err(internal)?;
                    align(&mut page.rows, &page.columns);
                    rows = page.rows;
                }
                Err(e) if self.is_empty(&e) => {}
                Err(other) => return Err(other),
            }
        }
        let last = rows.last().map_or(since, |row| row.ts);
        if latest.row.ts == last + GRID {
            rows.push(latest.row.clone());
        }
        Ok(rows)
    }

    /// What is reported of a watch that came true in a minute.
    fn change_of(
        &self,
        watch: &UserWatch,
        condition: &Condition,
        turned: &WatchedChange,
        row: &MinuteRow,
        latest: &Latest,
    ) -> Result<WatchChange, QueryError> {
        let (title, mut text) = match condition.signal() {
            None => condition.reported(&turned.before, &turned.now),
            Some(signal) => self.signal_reported(signal, &watch.instrument, &turned.now, row.ts)?,
        };
        if let (Some(at), false) = (row.price, watch.when.starts_with("price ")) {
            text.push_str(&format!(" Price {}.", price(at)));
        }
        if let Some(note) = &watch.note {
            text.push_str(&format!(" Your note: {}", full_stop(note)));
        }
        match turned.unreported {
            0 => {}
            1 => text.push_str(" It turned once more within half an hour of the last message."),
            n => text.push_str(&format!(" It turned {n} more times within half an hour of the last message.")),
        }
        text.push_str(if watch.repeat { " This watch goes on." } else { " This watch has ended." });
        let snapshot = match latest.row.ts == row.ts {
            true => Some(latest.lens.snapshot(&latest.row, latest.previous.as_ref())),
            false => match self.run(&watch.instrument, None) {
                Ok((_, lens)) => Some(lens.snapshot(row, None)),
                Err(e) if self.is_empty(&e) => None,
                Err(other) => return Err(other),
            },
        };
        let said = |of: fn(&barograph_domain::Snapshot) -> &str| {
            snapshot.as_ref().map_or_else(String::new, |s| of(s).to_owned())
        };
        Ok(WatchChange {
            ts: row.ts,
            known_at: row.ts + LATENESS,
            title,
            text,
            headline: said(|s| &s.headline),
            new_entries: said(|s| &s.guidance.new_entries),
            open_positions: said(|s| &s.guidance.open_positions),
        })
    }
}

fn full_stop(text: &str) -> String {
    if text.ends_with(['.', '?']) { text.to_owned() } else { format!("{text}.") }
}

pub(super) fn bad(field: &str, value: &str, reason: String) -> QueryError {
    QueryError::BadField { field: field.to_owned(), value: value.to_owned(), reason }
}

fn unreadable(e: DeskError) -> QueryError {
    match e {
        DeskError::Held => QueryError::Unavailable { reason: e.to_string() },
        DeskError::Io(..) | DeskError::Unreadable(..) => QueryError::Internal { source: Box::new(e) },
    }
}
