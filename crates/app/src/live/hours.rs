//! Between the markets of a live process: published minutes in, one row per whole hour out, after the rows of that hour.
//!
//! Minutes wait until the tick that has made those of all markets, so the order in which markets make theirs leaves no trace.

use crate::universe::{rule, sample};
use barograph_domain::{Instrument, MinuteRow, Ts, UniverseRow};
use barograph_engine::universe::{Sample, Universe, Watch};
use serde::{Deserialize, Serialize};

/// The universe of a process and what it is about to take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours {
    /// None where there are not two markets to compare.
    universe: Option<Universe>,
    /// Position in the watch-list of each instrument.
    places: Vec<Option<usize>>,
    waiting: Vec<Sample>,
}

/// The same in a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedHours {
    watch: Vec<Watch>,
    universe: Vec<u8>,
    waiting: Vec<Sample>,
}

impl Hours {
    /// From now on these markets are compared. Those that were before keep what they have seen.
    pub(crate) fn watch(&mut self, list: Vec<Watch>, book: &str, instruments: &[Instrument]) {
        let same = self.universe.as_ref().is_some_and(|u| u.watch() == list);
        if !same {
            self.waiting.clear();
            self.universe = match self.universe.take() {
                _ if list.is_empty() => None,
                Some(old) => Some(old.with_watch(list)),
                None => Some(Universe::new(list, rule(book))),
            };
        }
        let of = |i: &Instrument| self.universe.as_ref()?.watch().iter().position(|w| w.instrument == i.name);
        self.places = instruments.iter().map(of).collect();
    }

    /// A minute was published.
    pub(crate) fn row(&mut self, row: &MinuteRow) {
        if let Some(place) = self.place(row.instrument as usize) {
            self.waiting.push(sample(place, row));
        }
    }

    /// All markets have made their minutes: the rows of the hours that are over by it.
    pub(crate) fn close(&mut self) -> Vec<UniverseRow> {
        let Some(universe) = &mut self.universe else { return Vec::new() };
        if self.waiting.is_empty() {
            return Vec::new();
        }
        self.waiting.sort_by_key(|s| (s.ts, s.market));
        let mut rows: Vec<UniverseRow> = self.waiting.drain(..).filter_map(|s| universe.push(s)).collect();
        rows.extend(universe.close());
        rows
    }

    /// Prices of whole hours that became known only now.
    pub(crate) fn remember(&mut self, instrument: usize, hours: &[(Ts, f64)]) {
        if let (Some(place), Some(universe)) = (self.place(instrument), &mut self.universe) {
            universe.remember(place, hours);
        }
    }

    fn place(&self, instrument: usize) -> Option<usize> {
        self.places.get(instrument).copied().flatten()
    }

    /// State as it goes to a checkpoint.
    pub(crate) fn save(&self) -> Option<SavedHours> {
        let universe = self.universe.as_ref()?;
        let (watch, waiting) = (universe.watch().to_vec(), self.waiting.clone());
        Some(SavedHours { watch, universe: universe.save(), waiting })
    }

    /// Goes on from [`Self::save`].
    pub(crate) fn restore(saved: Option<SavedHours>, book: &str) -> Result<Self, String> {
        let Some(saved) = saved else { return Ok(Self::default()) };
        let universe = Universe::restore(saved.watch, rule(book), &saved.universe).map_err(|e| e.to_string())?;
        Ok(Self { universe: Some(universe), places: Vec::new(), waiting: saved.waiting })
    }
}
