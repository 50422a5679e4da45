//! All markets together, minute by minute: the door of the ledger.

use super::GRID;
use super::calibration::{self, CalibrationTables};
use super::market::{Counted, Market, Step};
use super::pairs::Pairs;
use super::references::References;
use super::sample::MinuteSample;
use super::seldom::Seldom;
use super::skills::Skills;
use super::standing::{StandingOutcome, Standings};
use barograph_domain::forecast::{ForecastEvent, LedgerTick, OutcomeKey, OutcomeRevision, SymbolGroup};
use barograph_domain::{InstrumentName, KnownAlert, LevelChange, Ts, UniverseRow};
use barograph_engine::detect::drifts::{DriftAlert, DriftWatches};
use barograph_engine::rules::DriftRules;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of what [`Ledger::save`] writes.
const FORMAT: u32 = 6;

/// The ledger of one logic version. Two that saw the same minutes hold the same state.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// In the order they came.
    markets: Vec<Market>,
    places: BTreeMap<InstrumentName, usize>,
    /// By name; shared by the ticks of the same markets.
    names: Arc<[InstrumentName]>,
    seldom: Seldom,
    pairs: Pairs,
    references: References,
    calibration: CalibrationTables,
    skills: Skills,
    drifts: DriftWatches,
    /// Minutes of markets that wait for [`Self::close`].
    waiting: Vec<(usize, MinuteSample)>,
    /// The last minute that was closed.
    closed: Option<Ts>,
    /// It has made a tick.
    begun: bool,
    /// Not part of a saved state.
    standings: Standings,
}

/// Markets of a tick.
#[derive(Debug)]
pub(super) struct Names {
    all: Arc<[InstrumentName]>,
    /// Position of each place.
    places: Vec<u16>,
    /// Place of each position.
    order: Vec<usize>,
}

impl Names {
    pub(super) fn position(&self, place: usize) -> u16 {
        self.places.get(place).copied().unwrap_or(u16::MAX)
    }
}

/// What forecasts of seldom things are registered and resolved with.
pub(super) struct Context<'a> {
    pub(super) ts: Ts,
    pub(super) calibration: &'a CalibrationTables,
    pub(super) names: &'a Names,
    pub(super) step: &'a mut Step,
    pub(super) counted: &'a mut Vec<(usize, Counted)>,
}

/// What goes to a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub struct SavedLedger<'a> {
    format: u32,
    markets: Cow<'a, [Market]>,
    seldom: Cow<'a, Seldom>,
    pairs: Cow<'a, Pairs>,
    references: Cow<'a, References>,
    calibration: Cow<'a, CalibrationTables>,
    skills: Cow<'a, Skills>,
    drifts: Cow<'a, DriftWatches>,
    waiting: Cow<'a, [(usize, MinuteSample)]>,
    closed: Option<Ts>,
    begun: bool,
}

impl Ledger {
    /// The place of a market, which it keeps; a new one is added.
    pub fn place(&mut self, name: &InstrumentName) -> usize {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        self.markets.push(Market::new(name.clone()));
        self.places.insert(name.clone(), self.markets.len() - 1);
        self.markets.len() - 1
    }

    /// A minute of a market was published; minutes of one market come in order.
    pub fn minute(&mut self, place: usize, sample: MinuteSample) {
        self.waiting.push((place, sample));
    }

    /// A record of an alert of a market was published; before the minute it belongs to is closed. It counts from the first minute that
    /// knows it, whatever is closed with it.
    pub fn alert(&mut self, place: usize, known: &KnownAlert, id: impl FnOnce() -> String) {
        self.seldom.alert(place, known, id);
    }

    /// Something happened to a level of a market; before the minute it belongs to is closed.
    pub fn level(&mut self, place: usize, change: &LevelChange) {
        self.seldom.level(place, change);
    }

    /// An hour between the markets was published.
    pub fn hour(&mut self, row: &UniverseRow) {
        self.pairs.hour(row);
    }

    /// A market is not listened to any more: what waits for it, and for its pairs, is void at the next grid instant.
    pub fn gone(&mut self, place: usize) {
        self.seldom.gone(place);
        if let Some(market) = self.markets.get(place) {
            self.pairs.gone(place, &market.name);
        }
    }

    /// One market of a pair is not listened to any more.
    pub fn pair_gone(&mut self, place: usize, other: &str) {
        self.pairs.void(place, other);
    }

    /// The ledger begins anew with the next grid instant: what it had seen is not known any more. The markets keep their places.
    pub fn begin_anew(&mut self) {
        let mut anew = Self::default();
        self.markets.iter().for_each(|m| {
            anew.place(&m.name);
        });
        anew.standings = core::mem::take(&mut self.standings);
        anew.waiting = core::mem::take(&mut self.waiting);
        *self = anew;
    }

    /// This outcome stands, whatever the minutes give when its tick is made.
    pub fn stands(&mut self, key: OutcomeKey, standing: StandingOutcome) {
        self.standings.name(key, standing);
    }

    /// What the minutes gave of outcomes that stand, since this was asked; the others that were named are forgotten.
    pub fn take_revisions(&mut self) -> Vec<OutcomeRevision> {
        self.standings.take_heard()
    }

    /// Every market has made its minutes: what they register and resolve, minute by minute. Off the grid that is nothing.
    pub fn close(&mut self) -> Vec<LedgerTick> {
        let mut waiting = core::mem::take(&mut self.waiting);
        waiting.sort_by(|(a, x), (b, y)| (x.ts, &self.markets[*a].name).cmp(&(y.ts, &self.markets[*b].name)));
        let mut ticks = Vec::new();
        for minute in waiting.chunk_by(|(_, a), (_, b)| a.ts == b.ts) {
            ticks.extend(self.tick(minute));
        }
        ticks
    }

    /// What a book reports of a tick that was just made; every tick once, in order.
    pub fn judge(&mut self, tick: &LedgerTick, rules: &DriftRules) -> Vec<DriftAlert> {
        self.drifts.step(tick, rules)
    }

    fn tick(&mut self, minute: &[(usize, MinuteSample)]) -> Option<LedgerTick> {
        let ts = minute.first()?.1.ts;
        if self.closed.is_none_or(|c| day(c) != day(ts)) {
            self.calibration.refit(ts);
        }
        self.closed = Some(ts);
        self.begin(minute);
        let names = self.names();
        let mut step = Step::default();
        let mut counted: Vec<(usize, Counted)> = Vec::new();
        let on_grid = ts.floor(GRID) == ts;
        let begins = on_grid && !self.begun;
        self.begun |= on_grid;
        if begins {
            // What was said before anything was registered is nobody's to judge: who begins here again knows nothing of it.
            self.seldom.forget(ts);
            self.pairs.forget(ts);
        }
        if on_grid {
            let mut context =
                Context { ts, calibration: &self.calibration, names: &names, step: &mut step, counted: &mut counted };
            self.seldom.resolve(&self.markets, ts - GRID, &mut context);
            for (place, market) in self.markets.iter_mut().enumerate() {
                market.catch_up(names.position(place), ts, &mut step);
                counted.extend(step.counted.drain(..).map(|c| (place, c)));
            }
        }
        for (place, sample) in minute {
            let at = names.position(*place);
            self.markets[*place].step(at, sample, &self.calibration, *place, &mut step);
            counted.extend(step.counted.drain(..).map(|c| (*place, c)));
        }
        if !on_grid {
            return None;
        }
        let mut context =
            Context { ts, calibration: &self.calibration, names: &names, step: &mut step, counted: &mut counted };
        self.seldom.step(&mut self.markets, &mut context);
        self.pairs.step(&self.places, &self.markets, &mut context);
        self.standings.hold(ts, &names.all, &mut step.resolutions, &mut counted);
        let tick = LedgerTick {
            ts,
            references: self.references_of(&step, &names, ts),
            markets: names.all,
            issues: sorted(step.issues, |i| (i.event, i.forecaster, i.market, i.subject.clone())),
            not_issued: sorted(step.not_issued, |n| (n.event, n.market)),
            resolutions: sorted(step.resolutions, |r| (r.event, r.issued_ts, r.market, r.subject.clone())),
            begins,
            drift: sorted(step.drift, |d| (d.market, d.feature.clone())),
            skills: self.skills.at(ts),
            bases: sorted(step.bases, |b| b.market),
        };
        self.skills.take(&tick);
        for (place, one) in counted {
            self.count(place, &one);
        }
        (!tick.is_empty()).then_some(tick)
    }

    /// Markets that publish their first minute are named from now on.
    fn begin(&mut self, minute: &[(usize, MinuteSample)]) {
        let mut new = false;
        for (place, _) in minute {
            new |= !core::mem::replace(&mut self.markets[*place].begun, true);
        }
        if new {
            self.names = self.begun().map(|(name, _)| name.clone()).collect();
        }
    }

    /// Markets that have published something, by name, with their places.
    fn begun(&self) -> impl Iterator<Item = (&InstrumentName, usize)> {
        self.places.iter().map(|(name, place)| (name, *place)).filter(|(_, place)| self.markets[*place].begun)
    }

    /// Positions of markets in a tick: by name, all that have published a minute by then. Later ones leave no trace in it.
    fn names(&self) -> Names {
        let mut places = vec![u16::MAX; self.markets.len()];
        let order: Vec<usize> = self.begun().map(|(_, place)| place).collect();
        for (position, place) in order.iter().enumerate() {
            places[*place] = u16::try_from(position).unwrap_or(u16::MAX);
        }
        Names { all: self.names.clone(), places, order }
    }

    /// What has just resolved counts for what is stated from the next instant on.
    fn count(&mut self, place: usize, one: &Counted) {
        let group = self.markets[place].group;
        self.references.count((one.event, group), one.state, one.outcome, one.until);
        if let Some((label, bin)) = one.label_bin {
            let owners = [calibration::of_market(place), calibration::of_group(group as usize)];
            self.calibration.count(owners, (one.event, label, bin), one.outcome, (one.issued, one.until));
        }
    }

    fn references_of(
        &mut self,
        step: &Step,
        names: &Names,
        ts: Ts,
    ) -> Vec<barograph_domain::forecast::ReferenceCounts> {
        let mut asked: Vec<(ForecastEvent, SymbolGroup)> = step
            .issues
            .iter()
            .filter_map(|i| Some((i.event, self.markets[*names.order.get(usize::from(i.market))?].group)))
            .collect();
        asked.sort_unstable();
        asked.dedup();
        asked.into_iter().map(|(event, group)| self.references.at(event, group, ts)).collect()
    }

    /// The last minute that was closed.
    #[must_use]
    pub const fn closed(&self) -> Option<Ts> {
        self.closed
    }

    /// State as it goes to a checkpoint; nothing is copied.
    #[must_use]
    pub fn state(&self) -> SavedLedger<'_> {
        SavedLedger {
            format: FORMAT,
            markets: Cow::Borrowed(&self.markets),
            seldom: Cow::Borrowed(&self.seldom),
            pairs: Cow::Borrowed(&self.pairs),
            references: Cow::Borrowed(&self.references),
            calibration: Cow::Borrowed(&self.calibration),
            skills: Cow::Borrowed(&self.skills),
            drifts: Cow::Borrowed(&self.drifts),
            waiting: Cow::Borrowed(&self.waiting),
            closed: self.closed,
            begun: self.begun,
        }
    }

    /// Goes on from [`Self::state`]; `None` where another build wrote it.
    #[must_use]
    pub fn from_state(saved: SavedLedger<'_>) -> Option<Self> {
        if saved.format != FORMAT {
            return None;
        }
        let markets = saved.markets.into_owned();
        let places: BTreeMap<InstrumentName, usize> =
            markets.iter().enumerate().map(|(at, m)| (m.name.clone(), at)).collect();
        let names = places.iter().filter(|(_, at)| markets[**at].begun).map(|(name, _)| name.clone()).collect();
        Some(Self {
            markets,
            names,
            places,
            seldom: saved.seldom.into_owned(),
            pairs: saved.pairs.into_owned(),
            references: saved.references.into_owned(),
            calibration: saved.calibration.into_owned(),
            skills: saved.skills.into_owned(),
            drifts: saved.drifts.into_owned(),
            waiting: saved.waiting.into_owned(),
            closed: saved.closed,
            begun: saved.begun,
            standings: Standings::default(),
        })
    }

    /// State as bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        postcard::to_allocvec(&self.state()).unwrap_or_default()
    }

    /// Goes on from [`Self::save`]; `None` where the bytes are damaged or of another build.
    #[must_use]
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        Self::from_state(postcard::from_bytes(bytes).ok()?)
    }
}

fn day(t: Ts) -> i64 {
    t.0.div_euclid(barograph_domain::time::DAY.0)
}

fn sorted<T, K: Ord>(mut all: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    all.sort_by_cached_key(key);
    all
}
