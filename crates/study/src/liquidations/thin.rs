//! A full tape of liquidations as a venue would publish it that publishes one per market and second.

use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;

const SECOND: Span = Span::secs(1);
const MINUTE: Span = Span::mins(1);

/// One liquidation of one market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TapeLiquidation {
    /// When, by the venue's clock.
    pub at: Ts,
    /// Notional, USD; above 0.
    pub usd: f64,
}

/// Which liquidation of a second is published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Thinning {
    /// The largest.
    Largest,
    /// The last one.
    Last,
}

impl Thinning {
    /// Both ways, the largest first.
    pub const ALL: [Self; 2] = [Self::Largest, Self::Last];

    /// Its word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Largest => "largest",
            Self::Last => "last",
        }
    }
}

/// A minute in which something was published.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ThinnedMinute {
    /// Its beginning.
    pub from: Ts,
    /// Liquidations that are published.
    pub count: u32,
    /// Their notional, USD.
    pub usd: f64,
    /// Notional of all of them, USD; at least `usd`.
    pub full_usd: f64,
    /// Fall of open interest over the minute, in parts of it. `None`: it is not known.
    pub open_interest_drop: Option<f64>,
    /// Share of the minute's aggressor volume on its heavier side, in 0.5 to 1. `None`: it is not known.
    pub one_sided: Option<f64>,
}

impl ThinnedMinute {
    /// Full over published notional; at least 1.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        (self.full_usd / self.usd).max(1.0)
    }
}

/// Minutes of one market's full tape, thinned. Trades are in the order of time, and those of one moment in the order of the tape.
#[must_use]
pub fn minutes(tape: &[TapeLiquidation], thinning: Thinning) -> Vec<ThinnedMinute> {
    let mut seconds: BTreeMap<Ts, (f64, f64)> = BTreeMap::new();
    for trade in tape {
        let (published, full) = seconds.entry(trade.at.floor(SECOND)).or_default();
        *published = match thinning {
            Thinning::Largest => published.max(trade.usd),
            Thinning::Last => trade.usd,
        };
        *full += trade.usd;
    }
    let mut out: Vec<ThinnedMinute> = Vec::new();
    for (second, (usd, full_usd)) in seconds {
        let from = second.floor(MINUTE);
        match out.last_mut().filter(|m| m.from == from) {
            Some(m) => {
                m.count = m.count.saturating_add(1);
                (m.usd, m.full_usd) = (m.usd + usd, m.full_usd + full_usd);
            }
            None => {
                out.push(ThinnedMinute { from, count: 1, usd, full_usd, open_interest_drop: None, one_sided: None })
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_second_is_published() {
        // Milliseconds and notional.
        let tape = [(100, 5.0), (400, 9.0), (900, 2.0), (1_000, 3.0), (59_999, 4.0), (60_000, 7.0)]
            .map(|(ms, usd)| TapeLiquidation { at: Ts::from_millis(ms), usd });
        let of = |thinning| -> Vec<(u32, f64, f64)> {
            minutes(&tape, thinning).iter().map(|m| (m.count, m.usd, m.full_usd)).collect()
        };
        assert_eq!(of(Thinning::Largest), [(3, 16.0, 23.0), (1, 7.0, 7.0)]);
        assert_eq!(of(Thinning::Last), [(3, 9.0, 23.0), (1, 7.0, 7.0)]);
        assert!((minutes(&tape, Thinning::Last)[0].ratio() - 23.0 / 9.0).abs() < 1e-12);
        assert!(minutes(&[], Thinning::Last).is_empty());
    }
}
