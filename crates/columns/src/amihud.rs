//! Illiquidity of minutes (Amihud 2002): how far the mid moved for each million of quote that was traded.

use barograph_domain::cell::Reason;
use barograph_domain::math;
use std::collections::VecDeque;

/// Minutes that count.
const BARS: i64 = 60;
/// Minutes with volume that it needs.
const BARS_MIN: usize = 30;

/// The last hour, minute by minute.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Amihud {
    /// Minutes with volume, oldest first, with basis points per million.
    bars: VecDeque<(i64, f64)>,
    /// The last second in which something was missing.
    broken: Option<i64>,
}

impl Amihud {
    /// A minute is over: the mids at its ends, and what was traded in it, in quote.
    pub fn close(&mut self, minute: i64, mids: Option<(f64, f64)>, quote: f64) {
        if let Some((start, end)) = mids.filter(|_| quote > 0.0) {
            self.bars.push_back((minute, 1e4 * math::ln(end / start).abs() / (quote / 1e6)));
        }
        while self.bars.front().is_some_and(|(first, _)| *first <= minute - BARS) {
            self.bars.pop_front();
        }
    }

    /// Something is missing in a second: nothing is said while it lies in the hour.
    pub fn miss(&mut self, second: i64) {
        self.broken = Some(second);
    }

    /// Basis points per million of quote.
    ///
    /// # Errors
    /// Fewer than thirty of the last sixty minutes had volume, or something was missing in the hour that ends with the second.
    pub fn value(&self, second: i64) -> Result<f64, Reason> {
        if self.broken.is_some_and(|broken| broken > second - 60 * BARS) {
            return Err(Reason::Gap);
        }
        let n = self.bars.len();
        if n < BARS_MIN { Err(Reason::Warming) } else { Ok(self.bars.iter().map(|(_, x)| x).sum::<f64>() / n as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    #[test]
    fn minutes_are_those_of_numpy() {
        let table = GoldenTable::whole("amihud");
        let mut amihud = Amihud::default();
        for line in table.rows() {
            let mids = (line.need("mid_start"), line.need("mid_end"));
            let before = amihud.bars.len();
            amihud.close(line.text("bar").parse().unwrap(), Some(mids), line.number("quote_volume").unwrap_or(0.0));
            let counted = amihud.bars.len() > before;
            assert_eq!(counted, line.number("bar_value").is_some());
            if let Some(want) = line.number("bar_value") {
                assert!((amihud.bars.back().unwrap().1 - want).abs() <= 1e-10 * want);
            }
        }
        let want = table.last().need("amihud_illiq");
        assert!((amihud.value(3_600).unwrap() - want).abs() <= 1e-10 * want);
        (60..100).for_each(|minute| amihud.close(minute, None, 0.0));
        assert_eq!(amihud.value(6_000), Err(Reason::Warming));
        (100..160).for_each(|minute| amihud.close(minute, Some((1.0, 1.1)), 1e6));
        amihud.miss(9_000);
        assert_eq!(amihud.value(12_599), Err(Reason::Gap), "an hour that holds a gap says nothing");
        assert!(amihud.value(12_600).is_ok());
    }
}
