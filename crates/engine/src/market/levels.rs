//! The levels of a market: those of its bars, and the zones of its liquidations.

use super::MarketState;
use crate::engine::{LevelOut, Outputs};
use crate::features::stops::{Pending, Stops};
use crate::liquidations::levels::TIMEFRAME;
use crate::liquidity::{Happening, LevelHappening, Record};
use barograph_domain::Ts;
use barograph_domain::time::LATENESS;

impl MarketState {
    /// Standing levels: those of each timeframe lows first, then highs, each from the nearest outwards, then volume nodes; at
    /// last the zones of liquidations, by price.
    pub fn levels(&self) -> impl Iterator<Item = LevelOut> {
        let instrument = self.index;
        let known = move |timeframe, record: Record, bar| {
            let change = LevelHappening { what: Happening::Known, record, bar, known_at: record.known_at };
            LevelOut { instrument, timeframe, change }
        };
        let of_bars = self.feeds.stops().into_iter().flat_map(Stops::levels).map(move |(of, timeframe, record)| {
            known(timeframe, of.ranked(record), of.newest().unwrap_or(record.confirmed))
        });
        let zones = self.feeds.liquidations.iter().flat_map(|l| l.levels().records());
        of_bars.chain(zones.map(move |record| known(TIMEFRAME, record, record.confirmed)))
    }

    /// Hands what happened to levels in this minute to whoever takes the rows; after a catch-up also every level that stands,
    /// since nobody heard how it came about.
    pub(super) fn report_levels(&mut self, t: Ts, out: &mut Outputs) {
        let (instrument, known_at) = (self.index, t + LATENESS);
        if core::mem::take(&mut self.untold) {
            if let Some(stops) = self.feeds.stops_mut() {
                stops.take().for_each(drop);
            }
            if let Some(zones) = self.feeds.zones_mut() {
                zones.take().for_each(drop);
            }
            for level in self.levels() {
                let record = Record { known_at, ..level.change.record };
                out.push_level(LevelOut { change: LevelHappening { record, known_at, ..level.change }, ..level });
            }
            return;
        }
        if let Some(stops) = self.feeds.stops_mut() {
            for Pending { timeframe, change } in stops.take() {
                out.push_level(LevelOut { instrument, timeframe, change });
            }
        }
        if let Some(zones) = self.feeds.zones_mut() {
            for change in zones.take() {
                out.push_level(LevelOut { instrument, timeframe: TIMEFRAME, change });
            }
        }
    }
}
