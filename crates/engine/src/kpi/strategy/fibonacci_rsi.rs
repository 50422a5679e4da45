//! Fibonacci RSI: the end of a pullback that gave back 50 to 61.8 % of a swing.
//!
//! Within the last 50 bars, the newest included, the lowest low comes before the highest high: an upswing (of equal ones the
//! latest counts). The pullback is the lowest low after that high; its depth is (high − pullback)/(high − low) and has to lie from
//! 0.5 to 0.618. Long where Wilder's RSI(14) rises through 40: at or below it at the close before, above it now. Short, mirrored: the
//! highest high before the lowest low, and RSI falls through 60. The band is Fibonacci's golden ratio and the half that Dow theory
//! adds; 40 and 60 are where Cardwell and Brown have momentum hold in trends.
//!
//! RSI is Wilder's recursion begun 100 changes ago with the mean of the first fourteen, so that it depends on these bars alone; its
//! beginning weighs (13/14)^86, less than 0.2 %.

use super::Picked;
use crate::kpi::fill::FillBar;
use barograph_domain::Side;

/// Bars in which the swing lies.
const SWING: usize = 50;
/// Share of the swing that the pullback gave back.
const PULLBACK: core::ops::RangeInclusive<f64> = 0.5..=0.618;
/// RSI through which momentum has to come back, longs; shorts at 100 less that.
const RSI_LONG: f64 = 40.0;
const RSI_LENGTH: usize = 14;
/// Changes that an RSI is made of.
const RSI_CHANGES: usize = 100;
/// Closes of the RSI at the bar before.
pub(super) const WINDOW: usize = RSI_CHANGES + 1;

pub(super) fn pick(bars: &[FillBar]) -> Option<Picked> {
    let (rsi_before, rsi) = (relative_strength(&bars[..WINDOW])?, relative_strength(&bars[1..])?);
    let side = if rsi_before <= RSI_LONG && rsi > RSI_LONG {
        Side::Long
    } else if rsi_before >= 100.0 - RSI_LONG && rsi < 100.0 - RSI_LONG {
        Side::Short
    } else {
        return None;
    };
    let swing = &bars[bars.len().checked_sub(SWING)?..];
    let (from, to, depth) = pullback(swing, side)?;
    PULLBACK.contains(&depth).then(|| {
        (
            side,
            vec![("swing_from", from), ("swing_to", to), ("pullback", depth), ("rsi_before", rsi_before), ("rsi", rsi)],
        )
    })
}

/// Where the swing began and ended, and the share of it that was given back since; `None` without a swing on this side.
fn pullback(bars: &[FillBar], side: Side) -> Option<(f64, f64, f64)> {
    // A short is a long on prices of the other sign.
    let of = |bar: &FillBar| if side == Side::Long { (bar.high, bar.low) } else { (-bar.low, -bar.high) };
    let mut low = (0, f64::INFINITY);
    let mut high = (0, f64::NEG_INFINITY);
    for (at, bar) in bars.iter().enumerate() {
        let (up, down) = of(bar);
        high = if up >= high.1 { (at, up) } else { high };
        low = if down <= low.1 { (at, down) } else { low };
    }
    let since = bars.get(high.0 + 1..).filter(|_| low.0 < high.0)?;
    let deepest = since.iter().map(|b| of(b).1).reduce(f64::min)?;
    let sign = if side == Side::Long { 1.0 } else { -1.0 };
    Some((sign * low.1, sign * high.1, (high.1 - deepest) / (high.1 - low.1)))
}

/// Wilder's RSI(14) over these bars alone, 0 to 100; `None` where nothing moved.
fn relative_strength(bars: &[FillBar]) -> Option<f64> {
    let n = 14.0;
    let (mut up, mut down) = (0.0, 0.0);
    for (at, pair) in bars.windows(2).enumerate() {
        let change = pair[1].close - pair[0].close;
        let (gain, loss) = (change.max(0.0), (-change).max(0.0));
        if at < RSI_LENGTH {
            up += gain / n;
            down += loss / n;
        } else {
            up += (gain - up) / n;
            down += (loss - down) / n;
        }
    }
    (up + down > 0.0).then(|| 100.0 * up / (up + down))
}

#[cfg(test)]
mod tests {
    use super::super::StrategyName;
    use super::super::tests::{Row, flat, picks};
    use super::*;

    #[test]
    fn relative_strength_is_wilders() {
        // Fourteen changes: eight up by 1, six down by 1, then one down by 7.
        let mut price = 100.0;
        let mut bars = vec![FillBar::at(price)];
        for change in [1.0; 8].into_iter().chain([-1.0; 6]) {
            price += change;
            bars.push(FillBar::at(price));
        }
        assert!((relative_strength(&bars).unwrap() - 100.0 * 8.0 / 14.0).abs() < 1e-9);
        bars.push(FillBar::at(price - 7.0));
        let (up, down) = (8.0 / 14.0 * 13.0 / 14.0, (6.0 / 14.0 * 13.0 + 7.0) / 14.0);
        assert!((relative_strength(&bars).unwrap() - 100.0 * up / (up + down)).abs() < 1e-9);
        assert_eq!(relative_strength(&vec![FillBar::at(1.0); 30]), None);
    }

    /// Bars that stay, then 20 up by 5 (100 to 200), then down to so much, then up by 3.
    fn swing(lowest: f64) -> Vec<Row> {
        let mut rows: Vec<Row> = (0..90).map(|n| flat(if n % 2 == 0 { 101.0 } else { 100.0 })).collect();
        rows.extend((1..=20).map(|n| flat(100.0 + 5.0 * f64::from(n))));
        let steps = 12;
        rows.extend((1..=steps).map(|n| flat(200.0 - (200.0 - lowest) * f64::from(n) / f64::from(steps))));
        rows.extend((1..=6).map(|n| flat(lowest + 3.0 * f64::from(n))));
        rows
    }

    #[test]
    fn a_pullback_of_the_band_counts_where_momentum_comes_back() {
        let found = picks(StrategyName::FibonacciRsi, &swing(143.0));
        assert_eq!(found.len(), 1, "{found:?}");
        let (at, side, readings) = &found[0];
        assert!(*at > 121 && *side == Side::Long, "{found:?}");
        assert_eq!(readings[..3], [("swing_from", 100.0), ("swing_to", 200.0), ("pullback", 0.57)]);
        assert!(readings[3].1 <= 40.0 && readings[4].1 > 40.0, "{found:?}");
        for outside in [155.0, 130.0] {
            assert_eq!(picks(StrategyName::FibonacciRsi, &swing(outside)), [], "to {outside}");
        }
    }
}
