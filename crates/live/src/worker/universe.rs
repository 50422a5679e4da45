//! Hours between markets and the forecast ledger of a cluster: made from what is stored, once every group has stored it.
//!
//! One worker has the lease `universe` at a time, fenced as groups are: its group number is that behind the last. It reads published
//! minutes up to the watermark, so the order in which groups store theirs leaves no trace, and a worker that takes over makes the same.

use super::held::{HeldLease, store_token};
use super::outside::Outside;
use super::stand::{GroupsReach, UniverseStand};
use crate::Error;
use crate::delivery::Room;
use crate::ledger::{Base, Refold, restore, thinned_until};
use crate::meter::Meter;
use crate::publish::Batch;
use crate::published::Published;
use crate::setup::Setup;
use crate::storing::{Keep, Order, Storing};
use crate::universe::{REACH, WatchMarkets, rule, stored_samples};
use barograph_cluster::{FencingToken, GroupId, Holder, TenurePace, Watermark};
use barograph_domain::time::{DAY, LATENESS};
use barograph_domain::{Instrument, InstrumentName, KnownAlert, Ts, UniverseRow};
use barograph_engine::detect::pairs::PairWatches;
use barograph_engine::universe::{Universe, Watch};
use barograph_store::run::GRID;
use barograph_store::{LedgerState, LiveAlert, LiveLedger, LiveLedgerState, LiveUniverse, Range, Reader};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::Write as _;
use std::sync::Arc;

/// How often the watermark is looked at.
const CHECK_EVERY: Duration = Duration::from_millis(500);
/// After a failure it is begun anew so much later.
const AGAIN: Duration = Duration::from_secs(2);
/// Minutes read at once where there are many to catch up with.
const STRETCH: i64 = 24 * 60;

/// Opens a room that delivers, or says why not.
pub type OpenRoom = Arc<dyn Fn() -> Result<Arc<Room>, Error> + Send + Sync>;

/// What a universe worker is made of.
#[derive(Clone)]
pub struct UniversePlan {
    /// This worker, in this life of its process.
    pub me: Holder,
    /// How many groups there are.
    pub groups: u16,
    /// Book and policy.
    pub setup: Setup,
    /// How long things are kept.
    pub keep: Keep,
    /// Of the lease.
    pub pace: TenurePace,
    /// Opens who delivers what the groups have written to be delivered; it exists as long as the tenure.
    pub room: OpenRoom,
    /// The world.
    pub outside: Arc<dyn Outside>,
    /// How it does, for people and for measures.
    pub stand: Arc<UniverseStand>,
}

impl core::fmt::Debug for UniversePlan {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("UniversePlan").field("me", &self.me).field("groups", &self.groups).finish_non_exhaustive()
    }
}

/// Makes hours and the ledger until `stop`, whenever this worker has the lease.
///
/// # Errors
/// A thread cannot be started.
pub fn run_universe(plan: &UniversePlan, stop: &AtomicBool) -> Result<(), Error> {
    let (tenure, stand) = ((plan.me.clone(), plan.pace), &plan.stand);
    let lease = HeldLease::start("universe", tenure, Arc::clone(&plan.outside), Arc::clone(stand))?;
    while !stop.load(Ordering::Relaxed) {
        stand.making.beat();
        let Some(token) = lease.token() else {
            stand.holds(None);
            std::thread::sleep(CHECK_EVERY);
            continue;
        };
        report_line(format_args!("{} makes hours and the ledger (token {})", plan.me.worker, token.0.0));
        stand.holds(Some(token.0.0));
        let ended = own(plan, token, || {
            stand.making.beat();
            !stop.load(Ordering::Relaxed) && lease.token() == Some(token)
        });
        stand.reads(None);
        if let Err(e) = ended {
            report_line(format_args!("{e}; begun anew"));
            // Whatever it was, whoever comes next reads the store again; a newer owner shows there.
            lease.refused(token);
            std::thread::sleep(AGAIN);
        }
    }
    lease.end();
    Ok(())
}

fn report_line(line: core::fmt::Arguments<'_>) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: universe: {line}"));
}

/// One tenure.
fn own(plan: &UniversePlan, token: FencingToken, goes_on: impl Fn() -> bool) -> Result<(), Error> {
    let group = plan.groups;
    let token = store_token(token, &plan.me);
    let (reader, mut writer) = plan.outside.store(group).map_err(Error::from)?;
    writer.fence(group, token).map_err(Error::from)?;
    let logic = plan.setup.logic_version.as_str();
    let published = Published::load(reader.as_ref(), logic)?;
    let chains = published.chains(reader.as_ref(), logic)?;
    let means = (Arc::new(Meter::new(&[])), plan.keep.clone());
    let given_up = Arc::new(AtomicBool::new(false));
    let storing = Storing::fenced_with(writer, means, Arc::clone(&given_up), (group, token), chains)?;
    // Only who has the lease delivers.
    let closing = Closing((plan.room)()?);
    let room = &closing.0;
    let mut hours = StoredHours::default();
    let mut ledger = StoredLedger::begin(reader.as_ref(), &plan.setup)?;
    while goes_on() {
        // Other processes write the outbox, and nothing here hears of it.
        room.reread();
        let reach = reach(reader.as_ref(), plan.groups)?;
        plan.stand.reads(Some(reach));
        let Some(minute) = reach.complete else {
            std::thread::sleep(CHECK_EVERY);
            continue;
        };
        let mut batch = Batch::default();
        hours.reach(reader.as_ref(), &plan.setup, (minute, &published), &mut batch)?;
        // The ledger reads hours from the store, so they go there first.
        let whole = || goes_on() || given_up.swap(true, Ordering::Relaxed);
        send(&storing, reader.as_ref(), (&plan.setup, room), batch, whole)?;
        let mut batch = Batch::default();
        ledger.reach(&plan.setup, (minute, &published), &mut batch)?;
        send(&storing, reader.as_ref(), (&plan.setup, room), batch, whole)?;
        // What was cut short is made again by the next tenure.
        if goes_on() {
            plan.stand.has_made(minute);
        }
        std::thread::sleep(CHECK_EVERY);
    }
    storing.finish()
}

/// A room that is closed with the tenure.
struct Closing(Arc<Room>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How far the groups have come.
fn reach(reader: &dyn Reader, groups: u16) -> Result<GroupsReach, Error> {
    let (mut watermark, mut newest) = (Watermark::new(groups), None);
    for group in reader.live_groups()?.into_iter().filter(|state| state.group < groups) {
        if let Some(through) = group.through {
            watermark.stored(GroupId(group.group), through);
            newest = newest.max(Some(through));
        }
    }
    let minute = |through: Ts| (through - LATENESS).floor(GRID);
    let behind = newest.map_or(usize::from(groups), |newest| watermark.behind(minute(newest)));
    Ok(GroupsReach { complete: watermark.through().map(minute), behind })
}

/// Hands a batch over and waits until it is stored.
fn send(
    storing: &Storing,
    reader: &dyn Reader,
    (setup, room): (&Setup, &Room),
    mut batch: Batch,
    goes_on: impl Fn() -> bool,
) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    if !batch.alerts.is_empty() {
        let instruments = instruments(reader, &setup.logic_version)?;
        let of: Vec<_> = batch.alerts.iter().map(|a| instruments[a.instrument].name.clone()).collect();
        batch.runs =
            Arc::new(instruments.iter().filter(|i| of.contains(&i.name)).map(|i| setup.run(&i.name, &[])).collect());
        for one in batch.alerts.iter().filter(|one| !one.alert.alert.pattern.is_experimental()) {
            let lens = setup.lens(&instruments[one.instrument], &[]);
            batch.messages.extend(room.mail().of_alert(&lens, &one.alert, None));
        }
        batch.instruments = Arc::new(instruments);
    }
    storing.send(Order::Write(Box::new(batch)))?;
    while storing.is_busy() {
        if storing.has_ended() {
            return Err(Error::failed("the store takes nothing more from here"));
        }
        // The thread that writes sees the sign and waits for a database that is away no longer.
        goes_on();
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// The markets that are published, by name.
fn instruments(reader: &dyn Reader, logic: &str) -> Result<Vec<Instrument>, Error> {
    let published: Vec<InstrumentName> = reader.published(logic)?.into_iter().map(|(name, _)| name).collect();
    let all = reader.instruments(None)?.into_iter().map(|i| i.instrument);
    Ok(all.filter(|i| published.contains(&i.name)).collect())
}

/// A record of an alert as a batch has it.
fn alert(instruments: &[Instrument], name: &InstrumentName, known: KnownAlert) -> Option<LiveAlert> {
    Some(LiveAlert { instrument: instruments.iter().position(|i| i.name == *name)?, alert: known })
}

/// Hours between markets as far as they are made.
#[derive(Debug, Default)]
struct StoredHours {
    universe: Option<Universe>,
    pairs: PairWatches,
    /// The next minute.
    at: Option<Ts>,
}

impl StoredHours {
    /// Makes the hours that are over by this minute, and puts into `batch` what is not published.
    fn reach(
        &mut self,
        reader: &dyn Reader,
        setup: &Setup,
        (minute, published): (Ts, &Published),
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let logic = setup.logic_version.as_str();
        let instruments = instruments(reader, logic)?;
        let list = listed(&setup.watch, &instruments, &setup.default_venue);
        if list.is_empty() {
            return Ok(());
        }
        self.universe = match self.universe.take() {
            Some(universe) if universe.watch() == list => Some(universe),
            // Another list has other places: what was seen of those that stay comes from the store again.
            Some(_) | None => {
                (self.at, self.pairs) = (None, PairWatches::default());
                Some(Universe::new(list, rule(&setup.book.name)))
            }
        };
        let Some(universe) = &mut self.universe else { return Ok(()) };
        let begin = match self.at {
            Some(at) => at,
            None => {
                let mut first: Option<Ts> = None;
                for market in universe.watch() {
                    let key = barograph_store::RunKey {
                        instrument: market.instrument.clone(),
                        logic_version: logic.to_owned(),
                    };
                    let of = reader.run(&key, None)?.and_then(|run| run.minutes).map(|(first, _)| first);
                    first = first.into_iter().chain(of).min();
                }
                first.map_or(minute + GRID, |first| first.max(Ts(minute.0.saturating_sub(REACH.0)).floor(DAY)))
            }
        };
        let mut start = begin;
        while start <= minute {
            let end = (start + barograph_domain::Span(GRID.0 * STRETCH)).min(minute + GRID);
            let mut rows: Vec<UniverseRow> = Vec::new();
            for sample in stored_samples(reader, logic, universe.watch(), Range { start, end })? {
                rows.extend(universe.push(sample));
            }
            if end > minute {
                rows.extend(universe.close());
            }
            for row in rows {
                let judged = self.pairs.step(&row, (&setup.book.detectors, &setup.book.severity));
                if published.has_hour(row.ts) {
                    continue;
                }
                batch.alerts.extend(judged.into_iter().filter_map(|a| alert(&instruments, &a.instrument, a.known)));
                batch.hours.push(LiveUniverse { logic_version: logic.to_owned(), row });
            }
            start = end;
        }
        self.at = Some(minute + GRID);
        Ok(())
    }
}

/// The markets to compare. A name that no market has is left out; it may come later.
fn listed(wanted: &WatchMarkets, instruments: &[Instrument], default_venue: &str) -> Vec<Watch> {
    let WatchMarkets::Named(names) = wanted else { return wanted.list(instruments) };
    let known: Vec<InstrumentName> = instruments.iter().map(|i| i.name.clone()).collect();
    let whole = |name: &String| WatchMarkets::Named(vec![name.clone()]).found_in(&known, default_venue).ok();
    let found =
        names.iter().filter_map(whole).filter_map(|w| if let WatchMarkets::Named(n) = w { Some(n) } else { None });
    WatchMarkets::Named(found.flatten().collect()).list(instruments)
}

/// The ledger as far as it is made.
struct StoredLedger<'a> {
    refold: Refold<'a>,
    reader: &'a dyn Reader,
    published: Option<Ts>,
}

impl<'a> StoredLedger<'a> {
    /// From the newest state that can be gone on from, else from the first minute there is.
    fn begin(reader: &'a dyn Reader, setup: &'a Setup) -> Result<Self, Error> {
        let logic = setup.logic_version.as_str();
        let published = reader.latest_ledger(logic, None)?.map(|tick| tick.ts);
        let state = reader.ledger_state(logic, Ts::MAX)?;
        let whole = thinned_until(reader, logic)?;
        let state = state.filter(|state| whole.is_none_or(|until| until <= state.ts));
        let base = state.as_ref().and_then(restore).map_or(Base::Nothing(whole.unwrap_or(Ts::MIN)), Base::Saved);
        Ok(Self { refold: Refold::begin_at(reader, setup, base)?, reader, published })
    }

    /// Makes the ticks up to this minute, and puts into `batch` what is not published.
    fn reach(&mut self, setup: &Setup, (minute, known): (Ts, &Published), batch: &mut Batch) -> Result<(), Error> {
        let logic = setup.logic_version.as_str();
        let instruments = instruments(self.reader, logic)?;
        while let Some(ticks) = self.refold.next_until(minute)? {
            for tick in ticks {
                if !known.has_tick(tick.ts) && Some(tick.ts) > self.published {
                    self.published = Some(tick.ts);
                    batch.ledger.push(LiveLedger { logic_version: logic.to_owned(), tick, heads: Vec::new() });
                }
            }
            for told in self.refold.take_alerts() {
                if !known.has_tick(told.alert.known_at.floor(GRID)) {
                    batch.alerts.extend(alert(&instruments, &told.instrument, told.alert));
                }
            }
            // Behind the last minute of a day: the ledger before the one that begins.
            if self.refold.at().floor(DAY) == self.refold.at() {
                let state = LedgerState { ts: self.refold.at(), bytes: self.refold.ledger().save() };
                batch.ledger_states.push(LiveLedgerState { logic_version: logic.to_owned(), state });
            }
        }
        Ok(())
    }
}
