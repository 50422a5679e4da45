//! Where the stops of registered positions stand, for headlines: the check that the watch makes, with what it remembers.

use barograph_domain::advice::{Position, SeenPrice, StopState};
use barograph_domain::{Cell, InstrumentName, MinuteRow, Ts};
use barograph_engine::Feature;
use barograph_engine::advice::PositionState;
use barograph_engine::explain::headline::Held;
use barograph_store::{Reader, Result};
use std::collections::BTreeMap;

/// Positions that have a stop, by market, each with what the watch found last.
#[derive(Debug, Default)]
pub struct WatchedStops(BTreeMap<InstrumentName, Vec<(Position, Option<StopState>)>>);

impl WatchedStops {
    /// Those registered now, or as known at a moment: what is remembered now says nothing of an earlier one.
    pub fn read(reader: &dyn Reader, as_of: Option<Ts>) -> Result<Self> {
        let mut open: Vec<Position> = reader.positions(as_of)?;
        open.retain(|p| p.stop.is_some());
        if open.is_empty() {
            return Ok(Self::default());
        }
        let states = if as_of.is_none() { reader.position_states()? } else { Vec::new() };
        // What this version cannot read is forgotten.
        let read = |text: &str| serde_json::from_str::<PositionState>(text).ok()?.stop().copied();
        let before: BTreeMap<&str, StopState> =
            states.iter().filter_map(|s| Some((s.position.as_str(), read(&s.state)?))).collect();
        Ok(Self::of(open.into_iter().map(|position| {
            let found = before.get(position.id.as_str()).copied();
            (position, found)
        })))
    }

    /// Positions with what the watch found last of each; one without a stop has nowhere to stand.
    pub fn of(positions: impl IntoIterator<Item = (Position, Option<StopState>)>) -> Self {
        let mut out = Self::default();
        for (position, found) in positions {
            out.0.entry(position.instrument.clone()).or_default().push((position, found));
        }
        out
    }

    /// The worst placed of a market at the price of a row; `None` while all are far from their stops.
    pub fn held(&self, market: &InstrumentName, row: &MinuteRow) -> Option<Held> {
        let seen = SeenPrice {
            price: row.price?,
            at: Some(row.ts),
            atr: row.cells.get(Feature::Atr14.index()).and_then(Cell::ready),
        };
        let found = self.0.get(market)?.iter().filter_map(|(position, before)| {
            let stop = StopState::of(position.side, position.stop?, seen, row.ts, before.as_ref())?;
            Held::of(position.side, &stop)
        });
        Held::worst(found)
    }
}
