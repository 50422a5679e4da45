//! Range trading: a close back inside the Bollinger bands while nothing trends.
//!
//! Bands: mean of the last 20 closes and two of their population standard deviations on either side (Bollinger). A range is where Kaufman's
//! efficiency ratio over 20 changes, the way made over the way gone, is below 0.3. Long where the bar before closed below its own
//! lower band and this one closes above its own again; short at the upper band, mirrored.

use super::{Picked, closes, mean};
use crate::kpi::fill::FillBar;
use barograph_domain::Side;

/// Bars of the bands; changes of the efficiency ratio.
const LENGTH: usize = 20;
/// Standard deviations from the mean to a band.
const WIDTH: f64 = 2.0;
/// Efficiency ratio from which on the market goes somewhere.
const EFFICIENT: f64 = 0.3;
/// The bands of the bar before.
pub(super) const WINDOW: usize = LENGTH;

pub(super) fn pick(bars: &[FillBar]) -> Option<Picked> {
    let [.., before, newest] = bars else { return None };
    let (lower, middle, upper) = bands(&bars[1..])?;
    let (lower_before, _, upper_before) = bands(&bars[..LENGTH])?;
    let (side, band) = if before.close < lower_before && newest.close > lower {
        (Side::Long, lower)
    } else if before.close > upper_before && newest.close < upper {
        (Side::Short, upper)
    } else {
        return None;
    };
    let efficiency = efficiency(bars)?;
    (efficiency < EFFICIENT).then(|| (side, vec![("band", band), ("mean", middle), ("efficiency", efficiency)]))
}

/// Lower band, mean, upper band.
fn bands(bars: &[FillBar]) -> Option<(f64, f64, f64)> {
    let middle = mean(closes(bars))?;
    let away = WIDTH * mean(closes(bars).map(|c| (c - middle) * (c - middle)))?.sqrt();
    Some((middle - away, middle, middle + away))
}

/// From 0, no way made, to 1, straight; `None` where nothing moved.
fn efficiency(bars: &[FillBar]) -> Option<f64> {
    let way: f64 = bars.windows(2).map(|w| (w[1].close - w[0].close).abs()).sum();
    let made = (bars.last()?.close - bars.first()?.close).abs();
    (way > 0.0).then(|| made / way)
}

#[cfg(test)]
mod tests {
    use super::super::StrategyName;
    use super::super::tests::{Row, flat, picks};
    use super::*;

    #[test]
    fn bands_and_efficiency_are_those_of_the_definitions() {
        // Ten closes at 98 and ten at 102: mean 100, deviation 2.
        let bars: Vec<FillBar> = (0..20).map(|n| FillBar::at(if n % 2 == 0 { 98.0 } else { 102.0 })).collect();
        assert_eq!(bands(&bars), Some((96.0, 100.0, 104.0)));
        // 19 changes of 4 that end 4 from where they began.
        assert!((efficiency(&bars).unwrap() - 1.0 / 19.0).abs() < 1e-12);
        assert_eq!(efficiency(&[FillBar::at(1.0), FillBar::at(1.0)]), None);
    }

    /// So many closes about 100, then these.
    fn after(swaying: f64, then: &[f64]) -> Vec<Row> {
        let quiet = (0..24).map(|n| flat(if n % 2 == 0 { 100.0 + swaying } else { 100.0 - swaying }));
        quiet.chain(then.iter().map(|c| flat(*c))).collect()
    }

    #[test]
    fn the_way_back_inside_counts_in_a_range_only() {
        let found = picks(StrategyName::RangeTrading, &after(1.0, &[94.0, 99.0, 100.0]));
        assert_eq!(found.iter().map(|(at, side, _)| (*at, *side)).collect::<Vec<_>>(), [(25, Side::Long)]);
        let [(_, band), (_, mean), (_, efficiency)] = found[0].2[..] else { panic!("{found:?}") };
        assert!(band < 99.0 && (mean - (18.0 * 100.0 + 94.0 + 99.0) / 20.0).abs() < 1e-9, "{found:?}");
        // 21 closes from 101: 18 changes of 2, then 7 or so down to 94 and 5 up to 99.
        assert!(efficiency < 0.1, "{found:?}");
        // Still outside, or never outside.
        assert_eq!(picks(StrategyName::RangeTrading, &after(1.0, &[94.0, 93.0])), []);
        assert_eq!(picks(StrategyName::RangeTrading, &after(1.0, &[98.5, 99.0])), []);
        // The same way back after twenty closes that hardly moved: all of the way is the fall.
        assert_eq!(picks(StrategyName::RangeTrading, &after(0.01, &[90.0, 90.4])), [], "a fall, not a range");
    }
}
