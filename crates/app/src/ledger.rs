//! The forecast ledger over a store: after an import, ticks that do not follow from the minutes any more are computed again, from the
//! last saved state before them. Ticks that a live process has published stay, and so do those of minutes that retention has thinned:
//! what these held cannot be judged again.

use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_domain::forecast::{LedgerTick, OutcomeRevision};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use barograph_live::ledger::{Base, Refold, restore, saved_from, thinned_until};
use barograph_live::setup::Setup;
use barograph_store::run::GRID;
use barograph_store::{LedgerHead, LedgerPart, LedgerState, PairRecord, Range, Reader, Writer, watch_words};
use barograph_verify::ledger::chain::{Chains, day_of};
use std::io::Write as _;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Days between saved states: computing a week again takes a second.
const STATE_EVERY_DAYS: i64 = 7;
/// And at each midnight so near the end: what comes next goes on from minutes that `keep_minutes_days` has not thinned yet.
const LATEST: Span = Span::days(2);
/// Days per transaction: a megabyte or so for three markets.
const DAYS_AT_ONCE: usize = 14;

/// Brings the ticks up to date; how many were stored.
pub(crate) fn update(reader: &dyn Reader, writer: &mut dyn Writer, setup: &Setup) -> Result<u64, Failure> {
    let logic = setup.logic_version.as_str();
    let mut runs = reader.runs(None)?;
    runs.retain(|r| r.spec.key.logic_version == logic && r.minutes.is_some());
    let words = watch_words(runs.iter().map(|r| &r.spec.key.instrument));
    let since = match reader.ledger_progress(logic)? {
        None if runs.is_empty() => return Ok(0),
        None => Ts::MIN,
        Some(progress) => match progress.dirty_since {
            None if progress.markets == words => return Ok(0),
            None => Ts::MIN,
            Some(since) => since,
        },
    };
    let (base, stays) = base(reader, logic, since)?;
    let refold = Refold::begin_at(reader, setup, base)?;
    let from = if refold.ledger().closed().is_some() { refold.at() } else { stays.unwrap_or(Ts::MIN) };
    if let Some(whole) = stays {
        report_what_stays(reader, logic, whole, from)?;
    }
    Writing { writer, logic, from, chains: Chains::default() }.run(refold, &words)
}

/// What to go on from to compute ticks from `since` on, and the moment before which what is registered stays because minutes of it
/// have been thinned.
fn base(reader: &dyn Reader, logic: &str, since: Ts) -> Result<(Base, Option<Ts>), Failure> {
    if let Some(whole) = thinned_until(reader, logic)?.filter(|whole| since < *whole) {
        if let Some((at, ledger)) = saved_from(reader, logic, whole)? {
            return Ok((Base::Saved(ledger), Some(at)));
        }
        // Nothing is known of what had been seen by then: it begins anew, behind everything that is registered.
        let newest = reader.latest_ledger(logic, None)?.map(|tick| tick.ts + GRID);
        let anew = newest.map_or(whole, |next| next.max(whole));
        return Ok((Base::Nothing(anew), Some(anew)));
    }
    let saved = if since == Ts::MIN { None } else { reader.ledger_state(logic, since)? };
    Ok((saved.as_ref().and_then(restore).map_or(Base::Nothing(Ts::MIN), Base::Saved), None))
}

/// Reports markets whose minutes before that are in no forecast.
fn report_what_stays(reader: &dyn Reader, logic: &str, whole: Ts, from: Ts) -> Result<(), Failure> {
    let known = reader.latest_ledger(logic, Some(whole))?.map(|tick| tick.markets);
    let early = reader.runs(None)?.into_iter().filter(|r| {
        let (key, known) = (&r.spec.key, known.as_deref().unwrap_or_default());
        key.logic_version == logic
            && !known.contains(&key.instrument)
            && r.minutes.is_some_and(|(first, _)| first < from)
    });
    for run in early {
        let market = &run.spec.key.instrument;
        writeln!(
            std::io::stderr(),
            "barograph: forecasts of {market} begin at {from}: before that minutes of other markets have been thinned, and what \
             is registered there stays as it is"
        )?;
    }
    Ok(())
}

/// Days of ticks that may wait to be stored.
const DAYS_AHEAD: usize = 4;

/// Ticks on their way into the store.
struct Writing<'a> {
    writer: &'a mut dyn Writer,
    logic: &'a str,
    /// From here on ticks are replaced.
    from: Ts,
    chains: Chains,
}

/// What goes into one transaction.
#[derive(Default)]
struct Part {
    ticks: Vec<LedgerTick>,
    alerts: Vec<PairRecord>,
    heads: Vec<LedgerHead>,
    states: Vec<LedgerState>,
    revisions: Vec<OutcomeRevision>,
}

/// A day as the fold made it.
struct Made {
    /// The ledger before it, where that is kept.
    state: Option<LedgerState>,
    ticks: Vec<LedgerTick>,
    revisions: Vec<OutcomeRevision>,
    alerts: Vec<PairRecord>,
    /// The next minute.
    end: Ts,
}

/// Makes day after day for whoever takes them; ends where nobody does.
fn make(mut refold: Refold<'_>, days: &SyncSender<Made>) -> Result<(), barograph_live::Error> {
    let (first, last) = refold.extent();
    loop {
        let at = refold.at();
        let is_kept = at.0.div_euclid(DAY.0) % STATE_EVERY_DAYS == 0 || last - at <= LATEST;
        let is_saved = at == at.floor(DAY) && at > first && is_kept;
        let state = is_saved.then(|| LedgerState { ts: at, bytes: refold.ledger().save() });
        let made = refold.next_day()?;
        let is_last = made.is_none();
        let (ticks, end) = (made.unwrap_or_default(), refold.at());
        let day = Made { state, ticks, revisions: refold.take_revisions(), alerts: refold.take_alerts(), end };
        if days.send(day).is_err() || is_last {
            return Ok(());
        }
    }
}

impl Writing<'_> {
    /// One thread makes the days, this one chains and stores them.
    fn run(mut self, refold: Refold<'_>, words: &str) -> Result<u64, Failure> {
        let (first, last) = refold.extent();
        let count = |t: Ts| u64::try_from((t - first).0.div_euclid(DAY.0)).unwrap_or(0);
        let mut progress = Progress::new(count(last), "resolving forecasts", Unit::Steps);
        let (mut part, mut stored) = (Part::default(), 0);
        std::thread::scope(|scope| {
            let (give, days) = sync_channel(DAYS_AHEAD);
            let maker = scope.spawn(move || make(refold, &give));
            for (n, day) in (1_usize..).zip(days) {
                part.states.extend(day.state);
                self.take(day.ticks, &mut part);
                part.revisions.extend(day.revisions);
                part.alerts.extend(day.alerts);
                progress.set(count(day.end));
                if n.is_multiple_of(DAYS_AT_ONCE) {
                    stored += self.write(&mut part, day.end, None)?;
                }
            }
            match maker.join() {
                Ok(made) => made?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
            Ok(stored + self.write(&mut part, Ts::MAX, Some(words))?)
        })
    }

    /// A day's ticks with the heads of its chains.
    fn take(&mut self, ticks: Vec<LedgerTick>, part: &mut Part) {
        let Some(day) = ticks.first().map(|t| day_of(t.ts)) else { return };
        let mut heads = std::collections::BTreeMap::new();
        for tick in &ticks {
            for (event, head) in self.chains.add(tick, self.logic) {
                heads.insert(event, LedgerHead { day, event, rows: head.rows, head: head.hash });
            }
        }
        part.heads.extend(heads.into_values());
        part.ticks.extend(ticks);
    }

    fn write(&mut self, part: &mut Part, end: Ts, done: Option<&str>) -> Result<u64, Failure> {
        let Part { ticks, alerts, heads, states, revisions } = core::mem::take(part);
        let range = Range { start: self.from, end };
        self.from = end;
        let part = LedgerPart {
            logic_version: self.logic,
            range,
            ticks: &ticks,
            heads: &heads,
            states: &states,
            revisions: &revisions,
            alerts: &alerts,
            done,
        };
        Ok(self.writer.replace_ledger(&part)?)
    }
}
