//! Multi-timeframe trend: a cross of two averages, taken only along the trend of a timeframe four times as long.
//!
//! The two-screen idea of Elder's triple screen with the simplest averages. Fast: mean of the last 10 closes; slow: of 30. Trend: the
//! close of the last closed bar of the fourfold timeframe against the mean of its last 20 closes. Its bars lie at whole multiples of the
//! fourfold timeframe, UTC, and consist of four closed bars each; the one under way is not looked at, so that nothing of it is
//! known early. Long where fast rises above slow in an uptrend, short where it falls below in a downtrend.

use super::{Picked, closes, mean};
use crate::kpi::fill::FillBar;
use barograph_domain::{Side, Span};

const FAST: usize = 10;
const SLOW: usize = 30;
/// Bars of one bar of the longer timeframe.
const FOLD: usize = 4;
/// Bars of its average.
const TREND: usize = 20;
/// Twenty whole bars of the longer timeframe, wherever among its parts the newest bar lies.
pub(super) const WINDOW: usize = FOLD * TREND + (FOLD - 1) - 1;

pub(super) fn pick(bars: &[FillBar], timeframe: Span) -> Option<Picked> {
    let (fast, slow) = averages(bars)?;
    let (fast_before, slow_before) = averages(bars.split_last()?.1)?;
    let side = if fast > slow && fast_before <= slow_before {
        Side::Long
    } else if fast < slow && fast_before >= slow_before {
        Side::Short
    } else {
        return None;
    };
    let (close, usual) = trend(bars, timeframe)?;
    let along = if side == Side::Long { close > usual } else { close < usual };
    along.then(|| (side, vec![("fast", fast), ("slow", slow), ("trend_close", close), ("trend_mean", usual)]))
}

fn averages(bars: &[FillBar]) -> Option<(f64, f64)> {
    let of = |n: usize| mean(closes(bars.get(bars.len().checked_sub(n)?..)?));
    Some((of(FAST)?, of(SLOW)?))
}

/// Close of the last whole bar of the longer timeframe, and the mean of its last closes.
fn trend(bars: &[FillBar], timeframe: Span) -> Option<(f64, f64)> {
    let fold = i64::try_from(FOLD).ok()?;
    let last = bars.iter().rposition(|b| b.close_ts.0.rem_euclid(timeframe.0 * fold) == 0)?;
    // The oldest of them is whole too: its first part lies inside.
    let first = (last + 1).checked_sub(FOLD * TREND)?;
    let ends = bars[first..=last].chunks_exact(FOLD).filter_map(<[_]>::last);
    let of: Vec<f64> = ends.map(|b| b.close).collect();
    Some((*of.last()?, mean(of.iter().copied())?))
}

#[cfg(test)]
mod tests {
    use super::super::StrategyName;
    use super::super::tests::{Row, flat, picks};
    use super::*;
    use barograph_domain::Ts;

    /// A slow fall, a fast rise: the cross, and where the longer timeframe stands at it.
    fn rising_after(falling: bool) -> Vec<Row> {
        let start = if falling { 400.0 } else { 100.0 };
        let step = if falling { -1.0 } else { 1.0 };
        let mut price = start;
        let mut rows = Vec::new();
        for _ in 0..100 {
            rows.push(flat(price));
            price += step;
        }
        // A dip, so that the fast average falls below the slow one, then back up.
        for by in [-3.0; 12].into_iter().chain([6.0; 12]) {
            price += by;
            rows.push(flat(price));
        }
        rows
    }

    #[test]
    fn a_cross_counts_along_the_longer_trend_only() {
        let up = picks(StrategyName::MultiTf, &rising_after(false));
        let longs: Vec<&(usize, Side, _)> = up.iter().filter(|(_, side, _)| *side == Side::Long).collect();
        assert_eq!(longs.len(), 1, "{up:?}");
        let [(_, fast), (_, slow), (_, close), (_, usual)] = longs[0].2[..] else { panic!("{up:?}") };
        assert!(fast > slow && close > usual, "{up:?}");
        let down = picks(StrategyName::MultiTf, &rising_after(true));
        assert!(down.iter().all(|(_, side, _)| *side == Side::Short), "against the trend: {down:?}");
    }

    #[test]
    fn the_longer_bars_are_whole_and_closed() {
        // Bar n closes at hour n with close n: the fourfold bars close at 4, 8, … with closes 4, 8, ….
        let bar = |n: i32| FillBar { close_ts: Ts(0) + Span::hours(i64::from(n)), ..FillBar::at(f64::from(n)) };
        for (newest, close) in [(88, 88.0), (89, 88.0), (90, 88.0), (91, 88.0), (92, 92.0)] {
            let bars: Vec<FillBar> = (newest - i32::try_from(WINDOW).unwrap()..=newest).map(bar).collect();
            // The mean of twenty closes four apart lies 9.5 of them below the last.
            assert_eq!(trend(&bars, Span::hours(1)), Some((close, close - 38.0)), "at {newest}");
        }
    }
}
