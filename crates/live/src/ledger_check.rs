//! `verify forecasts`: the ledger made once more from stored minutes, held against the one that is stored.
//!
//! Ticks are compared whole, every number by its bits, and so are the heads of the chains. Scores follow from ticks alone, so equal
//! ticks give equal scores; they are hashed on both sides all the same.
//!
//! Of minutes that retention has thinned no outcome can be judged again. The ledger is then made again from the first state that was saved
//! where minutes are whole; of what is registered before, the chains are computed again and the rest is taken as it is stored.

use crate::Error;
use crate::ledger::{Base, Refold, saved_from, thinned_until};
use crate::setup::Setup;
use barograph_domain::forecast::{ForecastEvent, LedgerTick};
use barograph_domain::{Span, Ts};
use barograph_store::{Range, Reader};
use barograph_verify::ledger::chain::{Chains, day_of};
use barograph_verify::scorecard::{Gather, ScoreFilter};
use core::ops::ControlFlow;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};

/// Differences that are named; the others are counted.
const NAMED_MAX: usize = 10;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Ticks that are stored.
    pub ticks: u64,
    /// Of them made again, bit for bit.
    pub equal: u64,
    /// Forecasts in the stored ticks.
    pub forecasts: u64,
    /// Outcomes in them.
    pub outcomes: u64,
    /// Heads of chains that are stored.
    pub heads: u64,
    /// Of them made again.
    pub heads_equal: u64,
    /// SHA-256 over the scores of the stored ledger and of the one made again.
    pub scores: [String; 2],
    /// The first differences, in words.
    pub differences: Vec<String>,
    /// What cannot be judged again.
    pub not_judged: Option<ThinnedStretch>,
    /// A process writes the ledger: it was checked up to this tick, and the chains of its day are still open.
    pub open_after: Option<Ts>,
}

/// Ticks of minutes that retention has thinned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThinnedStretch {
    /// The first of them.
    pub from: Ts,
    /// The ledger is made again from here on.
    pub until: Ts,
    /// How many there are.
    pub ticks: u64,
    /// Before this moment minutes of some market have been thinned.
    pub thinned_until: Ts,
}

impl Checked {
    /// Is everything as it was?
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.scores[0] == self.scores[1]
    }
}

/// Both sides of the comparison.
struct Sides {
    found: Checked,
    chains: Chains,
    heads: BTreeMap<(Ts, ForecastEvent), (u64, [u8; 32])>,
    stored: Vec<Gather>,
    made: Vec<Gather>,
}

impl Sides {
    fn differs(&mut self, text: impl FnOnce() -> String) {
        if self.found.differences.len() < NAMED_MAX {
            self.found.differences.push(text());
        }
    }

    /// A tick that cannot be judged again.
    fn take(&mut self, tick: &LedgerTick, logic: &str) {
        self.count(tick);
        for (event, head) in self.chains.add(tick, logic) {
            self.heads.insert((day_of(tick.ts), event), (head.rows, head.hash));
        }
        self.made.iter_mut().for_each(|g| g.tick(tick));
    }

    fn count(&mut self, tick: &LedgerTick) {
        self.found.ticks += 1;
        self.found.forecasts += u64::try_from(tick.issues.len()).unwrap_or(u64::MAX);
        self.found.outcomes += u64::try_from(tick.resolutions.len()).unwrap_or(u64::MAX);
        self.stored.iter_mut().for_each(|g| g.tick(tick));
    }

    fn compare(&mut self, stored: Option<&LedgerTick>, made: Option<&LedgerTick>, logic: &str) {
        if let Some(tick) = stored {
            self.count(tick);
        }
        if let Some(tick) = made {
            for (event, head) in self.chains.add(tick, logic) {
                self.heads.insert((day_of(tick.ts), event), (head.rows, head.hash));
            }
            self.made.iter_mut().for_each(|g| g.tick(tick));
        }
        match (stored, made) {
            (Some(a), Some(b)) if a == b => self.found.equal += 1,
            (Some(a), Some(b)) => self
                .differs(|| format!("the tick of {} is not what its minutes give: {}", a.ts, first_difference(a, b))),
            (Some(a), None) => self.differs(|| format!("the tick of {} does not follow from the stored minutes", a.ts)),
            (None, Some(b)) => self.differs(|| format!("the tick of {} is missing from the ledger", b.ts)),
            (None, None) => {}
        }
    }
}

/// Where two ticks part.
fn first_difference(a: &LedgerTick, b: &LedgerTick) -> String {
    let of = |event: ForecastEvent, at: u16| {
        let market = a.market(at).map_or_else(String::new, ToString::to_string);
        format!("{} of {market}", event.id())
    };
    if let Some((x, _)) = a.resolutions.iter().zip(&b.resolutions).find(|(x, y)| x != y) {
        return format!("an outcome, {} issued {}", of(x.event, x.market), x.issued_ts);
    }
    if let Some((x, _)) = a.issues.iter().zip(&b.issues).find(|(x, y)| x != y) {
        return format!("a forecast, {}", of(x.event, x.market));
    }
    match (a.resolutions.len() == b.resolutions.len(), a.issues.len() == b.issues.len()) {
        (false, _) => format!("{} outcomes instead of {}", a.resolutions.len(), b.resolutions.len()),
        (_, false) => format!("{} forecasts instead of {}", a.issues.len(), b.issues.len()),
        _ => "what references are made of".to_owned(),
    }
}

/// Makes the ledger again and compares; `step` hears of each day. Where a process goes on writing (`is_written`), what it writes from
/// here on is left out.
///
/// # Errors
/// When the store cannot be read.
pub fn run(reader: &dyn Reader, setup: &Setup, is_written: bool, step: &mut dyn FnMut(Ts)) -> Result<Checked, Error> {
    let logic = setup.logic_version.as_str();
    let newest = if is_written { reader.latest_ledger(logic, None)?.map(|tick| tick.ts) } else { None };
    let behind = newest.map_or(Ts::MAX, |ts| ts + Span(1));
    let gathers = || ForecastEvent::ALL.map(Gather::new).into();
    let mut sides = Sides {
        found: Checked::default(),
        chains: Chains::default(),
        heads: BTreeMap::new(),
        stored: gathers(),
        made: gathers(),
    };
    let base = match thinned_until(reader, logic)? {
        Some(whole) => take_as_stored(reader, logic, whole, &mut sides)?,
        None => Base::Nothing(Ts::MIN),
    };
    let mut start = sides.found.not_judged.map_or(Ts::MIN, |n| n.until);
    let mut refold = Refold::begin_at(reader, setup, base)?;
    let mut made: VecDeque<LedgerTick> = VecDeque::new();
    loop {
        let day = refold.next_day()?;
        let end = if day.is_some() { refold.at().min(behind) } else { behind };
        made.extend(day.iter().flatten().filter(|tick| tick.ts < behind).cloned());
        let mut stored: Vec<LedgerTick> = Vec::new();
        reader.ledger_scan(logic, Range { start, end }, &[], None, &mut |tick| {
            stored.push(tick.clone());
            ControlFlow::Continue(())
        })?;
        merge(&mut sides, &stored, &mut made, logic);
        for one in refold.take_revisions() {
            let (event, market) = (one.key.event.id(), &one.key.market);
            let text = "is not what its corrected minutes give, and no note says so";
            sides.differs(|| format!("the outcome of {event} of {market} issued {} {text}", one.key.issued_ts));
        }
        step(end.min(refold.extent().1));
        start = end;
        if day.is_none() || end == behind {
            break;
        }
    }
    sides.found.open_after = newest;
    check_heads(reader, logic, newest.map_or(Ts::MAX, day_of), &mut sides)?;
    sides.found.scores = [digest(&sides.stored)?, digest(&sides.made)?];
    Ok(sides.found)
}

/// Takes what is registered where minutes are not whole as it is stored, and says what the fold goes on from: a saved state, or the
/// first tick behind it that says that the ledger began anew there.
fn take_as_stored(reader: &dyn Reader, logic: &str, whole: Ts, sides: &mut Sides) -> Result<Base, Error> {
    let saved = saved_from(reader, logic, whole)?;
    let mut anew = None;
    reader.ledger_scan(logic, Range { start: whole, end: Ts::MAX }, &[], None, &mut |tick| {
        anew = tick.begins.then_some(tick.ts);
        if tick.begins { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let (until, base) = match (saved, anew) {
        (Some((at, _)), Some(begins)) if begins < at => (begins, Base::Nothing(begins)),
        (Some((at, ledger)), _) => (at, Base::Saved(ledger)),
        (None, Some(begins)) => (begins, Base::Nothing(begins)),
        (None, None) => (Ts::MAX, Base::Nothing(Ts::MAX)),
    };
    let (mut ticks, mut from) = (0, None);
    reader.ledger_scan(logic, Range { start: Ts::MIN, end: until }, &[], None, &mut |tick| {
        (ticks, from) = (ticks + 1, from.or(Some(tick.ts)));
        sides.take(tick, logic);
        ControlFlow::Continue(())
    })?;
    sides.found.not_judged = from.map(|from| ThinnedStretch { from, until, ticks, thinned_until: whole });
    Ok(base)
}

fn merge(sides: &mut Sides, stored: &[LedgerTick], made: &mut VecDeque<LedgerTick>, logic: &str) {
    for tick in stored {
        while let Some(earlier) = made.front().filter(|m| m.ts < tick.ts).cloned() {
            made.pop_front();
            sides.compare(None, Some(&earlier), logic);
        }
        let same = made.front().filter(|m| m.ts == tick.ts).cloned();
        if same.is_some() {
            made.pop_front();
        }
        sides.compare(Some(tick), same.as_ref(), logic);
    }
    for rest in made.drain(..) {
        sides.compare(None, Some(&rest), logic);
    }
}

/// Heads that are stored against those of the rows; one that rows call for and that is not there is one that differs.
/// Days from `open` on are not over.
fn check_heads(reader: &dyn Reader, logic: &str, open: Ts, sides: &mut Sides) -> Result<(), Error> {
    let mut made = std::mem::take(&mut sides.heads);
    made.retain(|(day, _), _| *day < open);
    for head in reader.ledger_heads(logic, Range { start: Ts::MIN, end: open })? {
        sides.found.heads += 1;
        if made.remove(&(head.day, head.event)) == Some((head.rows, head.head)) {
            sides.found.heads_equal += 1;
        } else {
            sides.differs(|| {
                format!("the head of {} of the day that begins {} is not that of its rows", head.event.id(), head.day)
            });
        }
    }
    for (day, event) in made.into_keys() {
        sides.found.heads += 1;
        sides.differs(|| format!("the head of {} of the day that begins {day} is missing", event.id()));
    }
    Ok(())
}

/// Over the rows of every event, as JSON.
fn digest(gathers: &[Gather]) -> Result<String, Error> {
    let wanted = ScoreFilter { windows: vec!["all".to_owned()], scopes: Vec::new() };
    let mut hash = Sha256::new();
    for gather in gathers {
        hash.update(serde_json::to_vec(&gather.finish(&wanted).rows).map_err(Error::failed)?);
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}
