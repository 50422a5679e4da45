//! Cumulative delta: a break of a price channel that the flow behind it confirms.
//!
//! The delta of a bar would be the volume bought less the volume sold by takers. Bars carry no taker side, so that its stand-in is
//! Chaikin's money-flow volume: volume × (2 · (close − low)/(high − low) − 1), nothing for a bar without a range. It says where in its
//! bar the price ended, not who traded.
//!
//! Long at a close above the highest high of the 20 bars before (Donchian's channel), if the cumulative delta stands above each of its
//! values at those 20 bars, and if the close of the bar before was not beyond its own channel. Short: a close below the lowest low, and
//! the cumulative delta below all 20. Where delta does not go along, a break is passed over.

use super::Picked;
use crate::kpi::fill::FillBar;
use barograph_domain::Side;

/// Bars of the channel.
const CHANNEL: usize = 20;
/// The channel of the bar before, and that bar.
pub(super) const WINDOW: usize = CHANNEL + 1;

pub(super) fn pick(bars: &[FillBar]) -> Option<Picked> {
    let side = beyond(&bars[1..])?;
    if beyond(&bars[..WINDOW]) == Some(side) {
        return None;
    }
    let (_, channel) = bars[1..].split_last()?;
    let level = edge(channel, side);
    // From the newest bar back: the cumulative delta less its value at each bar of the channel.
    let gained = bars[2..].iter().rev().scan(0.0, |sum, bar| {
        *sum += delta(bar);
        Some(*sum)
    });
    let confirms = |d: f64| if side == Side::Long { d > 0.0 } else { d < 0.0 };
    let cumulative = gained.clone().last()?;
    gained.clone().all(confirms).then(|| (side, vec![("channel", level), ("cumulative_delta", cumulative)]))
}

/// The side on which the last of these bars closes beyond the others.
fn beyond(bars: &[FillBar]) -> Option<Side> {
    let (newest, channel) = bars.split_last()?;
    let is_beyond = |side: Side| {
        let level = edge(channel, side);
        if side == Side::Long { newest.close > level } else { newest.close < level }
    };
    [Side::Long, Side::Short].into_iter().find(|side| is_beyond(*side))
}

/// Highest high, or lowest low.
fn edge(channel: &[FillBar], side: Side) -> f64 {
    match side {
        Side::Long => channel.iter().map(|b| b.high).fold(f64::NEG_INFINITY, f64::max),
        Side::Short => channel.iter().map(|b| b.low).fold(f64::INFINITY, f64::min),
    }
}

/// Money-flow volume, base units.
fn delta(bar: &FillBar) -> f64 {
    let range = bar.high - bar.low;
    if range > 0.0 { bar.volume.unwrap_or(0.0) * (2.0 * (bar.close - bar.low) / range - 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::StrategyName;
    use super::super::tests::{Row, picks};
    use super::*;

    const QUIET: Row = [100.0, 101.0, 99.0, 100.0, 10.0];

    #[test]
    fn the_delta_of_a_bar_is_where_it_closes_times_its_volume() {
        for ([_, high, low, close, volume], want) in [
            ([0.0, 110.0, 90.0, 110.0, 8.0], 8.0),
            ([0.0, 110.0, 90.0, 90.0, 8.0], -8.0),
            ([0.0, 110.0, 90.0, 105.0, 8.0], 4.0),
            ([0.0, 100.0, 100.0, 100.0, 8.0], 0.0),
        ] {
            let bar =
                FillBar { close_ts: barograph_domain::Ts(0), open: close, high, low, close, volume: Some(volume) };
            assert!((delta(&bar) - want).abs() < 1e-12, "{bar:?}");
        }
    }

    #[test]
    fn a_break_counts_once_and_only_with_the_delta() {
        // 22 quiet bars close in the middle of their range: delta zero. Then a close at the top, above all highs.
        let broken = [100.0, 102.0, 100.0, 102.0, 10.0];
        let with = |more: &[Row]| [vec![QUIET; 22], more.to_vec()].concat();
        let found = picks(StrategyName::CumDelta, &with(&[broken]));
        assert_eq!(found, [(22, Side::Long, vec![("channel", 101.0), ("cumulative_delta", 10.0)])]);
        // The next close beyond goes on with the same break.
        assert_eq!(picks(StrategyName::CumDelta, &with(&[broken, [102.0, 104.0, 102.0, 104.0, 10.0]])).len(), 1);
        // A close beyond, but in the lower part of its bar: 10 · (2 · 2/9 − 1) is below zero.
        assert_eq!(picks(StrategyName::CumDelta, &with(&[[100.0, 109.0, 100.0, 102.0, 10.0]])), []);
        // Sold on twice the volume one bar before: the cumulative delta was higher before that.
        let sold = [100.0, 101.0, 99.0, 99.0, 20.0];
        assert_eq!(picks(StrategyName::CumDelta, &with(&[sold, broken])), []);
        // Exactly at the high is not above it.
        assert_eq!(picks(StrategyName::CumDelta, &with(&[[100.0, 101.0, 100.0, 101.0, 10.0]])), []);
    }
}
