//! How often a price moves as alerts say it may: the event `alert_move_1h` from every instant of the grid, whether anything was said
//! then or not. Counts of a day are published with the first tick after it; a lift is a precision over this rate (verification §5).

use super::GRID;
use super::minutes::Minutes;
use super::windows;
use barograph_domain::forecast::{ForecastEvent, MoveBase, WindowOutcome};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One market's counts.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Moves {
    /// Instants of the last hour with their ATR, oldest first.
    begun: VecDeque<(Ts, f64)>,
    day: Option<i64>,
    windows: u32,
    moved: u32,
}

fn horizon() -> Span {
    ForecastEvent::AlertMove1h.horizon().unwrap_or(Span::hours(1))
}

impl Moves {
    /// Takes an instant on the grid whose price is among `prices`; the counts of a day that is over come back.
    pub(super) fn take(&mut self, market: u16, ts: Ts, atr: Option<f64>, prices: &Minutes) -> Option<MoveBase> {
        let day = ts.0.div_euclid(DAY.0);
        let over = self.day.replace(day).is_some_and(|before| before != day) && self.windows > 0;
        let told = over.then_some(MoveBase { market, windows: self.windows, moved: self.moved });
        if over {
            (self.windows, self.moved) = (0, 0);
        }
        let begins = ts - horizon();
        while let Some((from, atr)) = self.begun.front().copied().filter(|(from, _)| *from <= begins) {
            self.begun.pop_front();
            if from < begins {
                continue;
            }
            match windows::moved(prices, (from, ts), atr).0 {
                WindowOutcome::Happened => (self.windows, self.moved) = (self.windows + 1, self.moved + 1),
                WindowOutcome::Missed => self.windows += 1,
                WindowOutcome::Gap | WindowOutcome::Void | WindowOutcome::Class(_) => {}
            }
        }
        debug_assert_eq!(ts.floor(GRID), ts);
        self.begun.extend(atr.map(|atr| (ts, atr)));
        told
    }
}
