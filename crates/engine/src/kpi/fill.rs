//! What came of a trade, read off bars: stop, target or the end of its time.
//!
//! Entry at the close of the bar that decided. From the next bar on, inside one bar the stop comes first, whatever else the bar
//! reached, because its order is not known; both at once is counted. A bar that opens beyond the stop is filled at its open, a
//! target is never filled better than stated. After the horizon the close of the bar that ends it counts. Where a bar is missing
//! before one of these, nothing is claimed ([`Unresolved`]).

use barograph_domain::{Side, Span, Ts};

/// A closed bar.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct FillBar {
    /// Its close.
    pub close_ts: Ts,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume, where there is one.
    pub volume: Option<f64>,
}

/// What a round trip costs, as shares of the entry price.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct TradeCosts {
    /// Fee of one execution.
    pub taker_fee: f64,
    /// Half the spread.
    pub half_spread: f64,
}

impl Default for TradeCosts {
    /// A usual taker fee of the larger venues, and half a basis point.
    fn default() -> Self {
        Self { taker_fee: 0.0005, half_spread: 0.000_05 }
    }
}

impl TradeCosts {
    /// Two executions and half the spread, as a share of the entry price (risk §4).
    #[must_use]
    pub fn share(&self) -> f64 {
        2.0 * self.taker_fee + self.half_spread
    }
}

/// A trade in mind with both ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TradePlan {
    /// Whose side.
    pub side: Side,
    /// Entry price.
    pub entry: f64,
    /// Where it is given up.
    pub stop: f64,
    /// Where it has come off.
    pub target: f64,
}

/// How a trade ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeExit {
    /// At the target.
    Target,
    /// At the stop, or at an open beyond it.
    Stop,
    /// At the close that ended the horizon.
    Time,
}

impl TradeExit {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Stop => "stop",
            Self::Time => "time",
        }
    }
}

/// A trade that is over.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClosedTrade {
    /// At which of its ends.
    pub exit: TradeExit,
    /// Close of the bar in which it ended.
    pub at: Ts,
    /// Price of the exit.
    pub price: f64,
    /// Result in units of the risk taken, before costs.
    pub r: f64,
    /// The bar reached the target too; the stop counted.
    pub both: bool,
}

/// Why nothing is said about a trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unresolved {
    /// A bar is missing before it ended.
    Gap,
    /// The bars end before it did.
    StillOpen,
}

impl TradePlan {
    /// Distance from entry to stop, quote units.
    #[must_use]
    pub fn risk(&self) -> f64 {
        (self.entry - self.stop).abs()
    }

    /// Reward over risk as planned.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        (self.target - self.entry).abs() / self.risk()
    }

    /// Costs of the round trip in units of the risk.
    #[must_use]
    pub fn cost(&self, costs: &TradeCosts) -> f64 {
        self.entry * costs.share() / self.risk()
    }

    /// Follows the trade from its opening through the bars of `step` that close after it.
    ///
    /// # Errors
    /// Where the bars do not say how it ended.
    pub fn follow(&self, opened: Ts, horizon: Span, step: Span, bars: &[FillBar]) -> Result<ClosedTrade, Unresolved> {
        let mut last = opened;
        for bar in bars.iter().skip_while(|b| b.close_ts <= opened) {
            if bar.close_ts - step > last {
                return Err(Unresolved::Gap);
            }
            last = bar.close_ts;
            if let Some((exit, price, both)) = self.ends_in(bar, bar.close_ts >= opened + horizon) {
                let won = if self.side == Side::Long { price - self.entry } else { self.entry - price };
                return Ok(ClosedTrade { exit, at: bar.close_ts, price, r: won / self.risk(), both });
            }
        }
        Err(Unresolved::StillOpen)
    }

    fn ends_in(&self, bar: &FillBar, is_last: bool) -> Option<(TradeExit, f64, bool)> {
        let (stopped, reached, stop_price) = match self.side {
            Side::Long => (bar.low <= self.stop, bar.high >= self.target, bar.open.min(self.stop)),
            Side::Short => (bar.high >= self.stop, bar.low <= self.target, bar.open.max(self.stop)),
        };
        match (stopped, reached) {
            (true, both) => Some((TradeExit::Stop, stop_price, both)),
            (false, true) => Some((TradeExit::Target, self.target, false)),
            (false, false) => is_last.then_some((TradeExit::Time, bar.close, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::hours(1);
    const LONG: TradePlan = TradePlan { side: Side::Long, entry: 100.0, stop: 98.0, target: 104.0 };
    const SHORT: TradePlan = TradePlan { side: Side::Short, entry: 100.0, stop: 102.0, target: 96.0 };

    /// Bars as (open, high, low, close), an hour each from 0; `None` is missing.
    fn follow(plan: TradePlan, bars: &[Option<[f64; 4]>]) -> Result<(TradeExit, f64, bool), Unresolved> {
        let bars: Vec<FillBar> = (1..)
            .zip(bars)
            .filter_map(|(hour, bar)| {
                let [open, high, low, close] = (*bar)?;
                Some(FillBar { close_ts: Ts(0) + STEP.times(hour), open, high, low, close, volume: None })
            })
            .collect();
        plan.follow(Ts(0), Span::hours(3), STEP, &bars).map(|c| (c.exit, c.r, c.both))
    }

    #[test]
    fn ends_are_read_off_bars_by_the_stated_rules() {
        use TradeExit as E;
        let quiet = Some([100.0, 101.0, 99.0, 100.5]);
        let mirrored = |[open, high, low, close]: [f64; 4]| [200.0 - open, 200.0 - low, 200.0 - high, 200.0 - close];
        for (bars, want) in [
            (vec![quiet, Some([100.5, 104.0, 100.0, 103.0])], Ok((E::Target, 2.0, false))),
            (vec![quiet, Some([100.5, 101.0, 98.0, 99.0])], Ok((E::Stop, -1.0, false))),
            (vec![Some([100.0, 105.0, 97.0, 104.0])], Ok((E::Stop, -1.0, true))),
            (vec![quiet, Some([97.0, 97.5, 96.0, 97.0])], Ok((E::Stop, -1.5, false))),
            (vec![quiet, Some([106.0, 107.0, 105.0, 106.0])], Ok((E::Target, 2.0, false))),
            (vec![quiet, quiet, quiet, Some([100.0, 110.0, 90.0, 100.0])], Ok((E::Time, 0.25, false))),
            (vec![quiet, None, Some([100.0, 110.0, 99.0, 100.0])], Err(Unresolved::Gap)),
            (vec![quiet, quiet], Err(Unresolved::StillOpen)),
        ] {
            assert_eq!(follow(LONG, &bars), want, "{bars:?}");
            let mirror: Vec<_> = bars.iter().map(|b| b.map(mirrored)).collect();
            assert_eq!(follow(SHORT, &mirror), want, "short: {mirror:?}");
        }
    }

    #[test]
    fn costs_are_two_fees_and_half_a_spread_over_the_risk() {
        let costs = TradeCosts { taker_fee: 0.0005, half_spread: 0.0001 };
        assert!((LONG.cost(&costs) - 100.0 * 0.0011 / 2.0).abs() < 1e-12);
        assert!((LONG.ratio() - 2.0).abs() < 1e-12);
    }
}
