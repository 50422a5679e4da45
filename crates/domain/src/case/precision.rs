//! What dispositions say of a detector's precision, beside what injected episodes say of it (surveillance §9, §12).
//!
//! Neither stands for the other. Injections are of synthetic markets, so their precision is an upper bound; dispositions are of
//! the cases that somebody thought worth filing, which are no fair sample of all alerts.

use super::Disposition;
use crate::Pattern;
use crate::math::wilson;
use serde::{Deserialize, Serialize};

/// 97.5 % quantile of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// A share with its interval.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ShareInterval {
    /// The share, 0 to 1.
    pub value: f64,
    /// Lower end of the 95 % Wilson interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Closed cases of one pattern, by what was made of them. A case counts once for each pattern among its alerts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaseCount {
    /// Which pattern.
    pub pattern: Pattern,
    /// Closed as true.
    pub confirmed: u32,
    /// Closed as false.
    pub refuted: u32,
    /// Closed as unclear; no part of the precision.
    pub unclear: u32,
}

impl CaseCount {
    /// Nothing closed yet.
    #[must_use]
    pub const fn none(pattern: Pattern) -> Self {
        Self { pattern, confirmed: 0, refuted: 0, unclear: 0 }
    }

    /// One more case.
    pub const fn add(&mut self, disposition: Disposition) {
        let count = match disposition {
            Disposition::True => &mut self.confirmed,
            Disposition::False => &mut self.refuted,
            Disposition::Unclear => &mut self.unclear,
        };
        *count = count.saturating_add(1);
    }

    /// True ones among true and false ones; `None` where there is neither.
    #[must_use]
    pub fn precision(&self) -> Option<ShareInterval> {
        let n = f64::from(self.confirmed) + f64::from(self.refuted);
        if n == 0.0 {
            return None;
        }
        let value = f64::from(self.confirmed) / n;
        let [low, high] = wilson(value, n, Z_95);
        Some(ShareInterval { value, low, high })
    }
}

/// The strict precision that injected episodes gave, as docs/order-flow.md publishes it: the lowest of the classes at twice the
/// threshold (surveillance §9).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InjectedPrecision {
    /// Which pattern.
    pub pattern: Pattern,
    /// Class of synthetic markets that it is of.
    pub class: &'static str,
    /// The share, with its 95 % Wilson interval.
    pub share: ShareInterval,
}

const fn injected(pattern: Pattern, class: &'static str, value: f64, low: f64, high: f64) -> InjectedPrecision {
    InjectedPrecision { pattern, class, share: ShareInterval { value, low, high } }
}

/// Every pattern that was injected; of the others no precision has been measured.
pub const INJECTED: [InjectedPrecision; 6] = [
    injected(Pattern::Spoofing, "deep", 1.0, 0.96, 1.0),
    injected(Pattern::Layering, "deep", 1.0, 0.96, 1.0),
    injected(Pattern::QuoteStuffing, "deep", 1.0, 0.95, 1.0),
    injected(Pattern::WashTrading, "busy", 1.0, 0.96, 1.0),
    injected(Pattern::PumpAndDump, "busy", 1.0, 0.98, 1.0),
    injected(Pattern::FundingWindowPressure, "quiet", 0.96, 0.91, 0.99),
];

impl InjectedPrecision {
    /// That of a pattern, where it was measured.
    #[must_use]
    pub fn of(pattern: Pattern) -> Option<Self> {
        INJECTED.into_iter().find(|i| i.pattern == pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_disposition_gives_no_precision() {
        let mut count = CaseCount::none(Pattern::Spoofing);
        assert_eq!(count.precision(), None);
        count.add(Disposition::Unclear);
        assert_eq!(count.precision(), None, "an unclear case decides nothing");
        (0..8).for_each(|_| count.add(Disposition::True));
        (0..2).for_each(|_| count.add(Disposition::False));
        let share = count.precision().unwrap();
        // Wilson's interval of 8 in 10 at 95 %: 0.490 to 0.943.
        assert!((share.value - 0.8).abs() < 1e-12, "{share:?}");
        assert!((share.low - 0.4902).abs() < 1e-3 && (share.high - 0.9433).abs() < 1e-3, "{share:?}");
    }

    /// The figures are those of the published table: at ι = 2 the lowest precision, of equal ones the one with the lowest bound.
    #[test]
    fn injected_figures_are_the_published_ones() {
        let doc = include_str!("../../../../docs/order-flow.md");
        let mut rows = 0;
        for one in INJECTED {
            let name = format!("`{}`", one.pattern.name());
            let mut found: Vec<(f64, f64, f64, &str)> = Vec::new();
            for line in doc.lines().filter(|l| l.starts_with('|')) {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                if cells.len() < 8 || cells[1] != name || cells[3] != "2" {
                    continue;
                }
                let (value, interval) = cells[6].split_once(' ').unwrap();
                let (low, high) = interval.trim_matches(['(', ')']).split_once('–').unwrap();
                let number = |text: &str| text.parse::<f64>().unwrap();
                found.push((number(value), number(low), number(high), cells[2]));
            }
            rows += found.len();
            let lowest = found.into_iter().min_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).unwrap()).unwrap();
            let share = one.share;
            assert_eq!((share.value, share.low, share.high, one.class), lowest, "{name}");
        }
        assert_eq!(rows, 18);
    }
}
