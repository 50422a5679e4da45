//! Positions in headlines: each market's worst placed stop, for everything that reports the present.

use super::{Latest, Service};
use crate::positions::WatchedStops;
use crate::render::Lens;
use barograph_api::{QueryError, Rendered};
use barograph_domain::health::HealthScore;
use barograph_domain::{InstrumentName, MinuteRow, Span, Ts};
use barograph_engine::explain::headline::Held;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Positions are read again this often: another process may register them.
const READ_EVERY: Span = Span::secs(5);

/// What was read, and when; `None` while it is to be read again.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<(Option<Ts>, Arc<WatchedStops>)>);

impl Known {
    fn open(&self) -> MutexGuard<'_, (Option<Ts>, Arc<WatchedStops>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Positions have changed here.
    pub(super) fn forget(&self) {
        self.open().0 = None;
    }
    /// As they were read last: whoever may not wait for the store takes these.
    pub(super) fn last(&self) -> Arc<WatchedStops> {
        Arc::clone(&self.open().1)
    }
}

impl Service {
    /// The stops of the present. A store that is away leaves those known before: no headline waits for it.
    pub(super) fn stops(&self) -> Arc<WatchedStops> {
        let now = self.clock.now();
        let mut known = self.stops.open();
        if known.0.is_some_and(|at| at <= now && now - at < READ_EVERY) {
            return Arc::clone(&known.1);
        }
        // Whoever asks meanwhile has the old ones.
        known.0 = Some(now);
        drop(known);
        match WatchedStops::read(self.reader.as_ref(), None) {
            Ok(stops) => {
                let stops = Arc::new(stops);
                self.stops.open().1 = Arc::clone(&stops);
                stops
            }
            Err(_) => self.stops.last(),
        }
    }

    /// The worst placed position of a market at this minute.
    pub(super) fn held_now(&self, lens: &Lens, row: &MinuteRow) -> Option<Held> {
        self.stops().held(&lens.instrument.name, row)
    }

    /// The same without asking the store, for who may not wait.
    pub fn held_as_read_last(&self, lens: &Lens, row: &MinuteRow) -> Option<Held> {
        self.stops.last().held(&lens.instrument.name, row)
    }

    /// The newest minute as it reads now, with the positions in its market.
    pub(super) fn rendered(&self, latest: &Latest, now: Ts) -> Result<Rendered, QueryError> {
        let name = &latest.lens.instrument.name;
        let held = self.held_now(&latest.lens, &latest.row);
        // From memory: who answers from there must not wait for the store.
        let health = || self.health_on_board(name).map(|known| HealthScore::clone(&known));
        latest.at(now, held, || self.is_listened(name), health)
    }

    /// Does the process that answers listen to this market? One that reads what another stores cannot know; minutes that come do.
    pub(super) fn is_listened(&self, name: &InstrumentName) -> bool {
        self.live.as_ref().is_some_and(|live| live.board().has(name))
    }

    /// A lens of the present, or of a moment with the positions known at it.
    pub(super) fn holding(&self, lens: &Lens, row: &MinuteRow, as_of: Option<Ts>) -> Result<Lens, QueryError> {
        let held = match as_of {
            None => self.held_now(lens, row),
            Some(_) => {
                let stops = WatchedStops::read(self.reader.as_ref(), as_of).map_err(super::internal)?;
                stops.held(&lens.instrument.name, row)
            }
        };
        Ok(lens.holding(held))
    }
}
