//! The health of each market on the board (R3.28): its data of the last hour as they are remembered, its alerts as they are counted.
//! [`crate::analysis`] reads the same from the store, for one market.

use super::alerts::AlertBook;
use super::past::Trail;
use crate::health::{JudgedHour, judged};
use crate::render::Lens;
use barograph_domain::health::{HealthScore, PatternJudged};
use barograph_domain::snapshot::InputView;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, Snapshot, Ts};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a newest minute leaves to be weighed.
#[derive(Clone, Debug)]
pub(super) struct Weighed {
    market: InstrumentName,
    /// The newest minute, and the first there is.
    newest: Ts,
    first: Ts,
    /// A recording is judged at its end.
    ended: Option<Ts>,
    inputs: Arc<[InputView]>,
    patterns: Arc<[PatternJudged]>,
}

impl Weighed {
    /// `first` is the first minute there is; the snapshot is that of the row.
    pub(super) fn new(lens: &Lens, row: &MinuteRow, first: Ts, snapshot: &Snapshot) -> Self {
        Self {
            market: lens.instrument.name.clone(),
            newest: row.ts,
            first,
            ended: snapshot.recorded_until.map(|_| row.ts + LATENESS),
            inputs: snapshot.explanation.inputs.as_slice().into(),
            patterns: judged(row, lens).into(),
        }
    }

    /// As it stands at `now`.
    pub(super) fn health(&self, trail: &Trail, book: &AlertBook, now: Ts) -> HealthScore {
        let moment = self.ended.unwrap_or(now);
        let hour = JudgedHour::of(self.newest, self.first, moment);
        let shares = hour.shares(&self.inputs, &trail.valid(hour));
        let shares = shares.into_iter().flatten().collect();
        let (burdens, open) = (book.burdens(&self.market, moment), book.open_with_data(&self.market));
        HealthScore::of(self.newest, burdens, shares, &self.patterns, &open)
    }
}

/// The health of each market, for whoever asks about one.
#[derive(Debug, Default)]
pub(super) struct HealthOfAll(RwLock<BTreeMap<InstrumentName, Arc<HealthScore>>>);

impl HealthOfAll {
    pub(super) fn set(&self, market: &InstrumentName, health: HealthScore) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(market.clone(), Arc::new(health));
    }

    /// Nothing is known any longer.
    pub(super) fn forget(&self, market: &InstrumentName) {
        if self.of(market).is_some() {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(market);
        }
    }

    /// `None` where the board has not come to this market yet.
    pub(super) fn of(&self, market: &InstrumentName) -> Option<Arc<HealthScore>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(market).map(Arc::clone)
    }
}
