//! Volume VWAP, the example of R2.43 (`crates/python/examples/volume_vwap.py`), on both sides.
//!
//! Long where a close rises above the volume-weighted average price of the last 24 bars, short where it falls below, if the bar's
//! volume is more than half as large again as the mean of the 24 bars before it. Closed bars only; a missing bar, or one without
//! volume, begins the window anew.

use super::{Picked, mean};
use crate::kpi::fill::FillBar;
use barograph_domain::Side;

/// Bars before the newest that a cross rests on; as many make an average, the newest included.
pub(super) const WINDOW: usize = 24;
/// Volume of the bar over the mean of the bars before it, from which a cross counts.
const VOLUME_RATIO: f64 = 1.5;

pub(super) fn pick(bars: &[FillBar]) -> Option<Picked> {
    let (newest, before) = bars.split_last()?;
    let (vwap, vwap_before) = (average(&bars[1..])?, average(before)?);
    let close_before = before.last()?.close;
    let side = if newest.close > vwap && close_before <= vwap_before {
        Side::Long
    } else if newest.close < vwap && close_before >= vwap_before {
        Side::Short
    } else {
        return None;
    };
    let usual = mean(before.iter().map(volume)).filter(|u| *u > 0.0)?;
    let volume_ratio = volume(newest) / usual;
    (volume_ratio > VOLUME_RATIO).then(|| (side, vec![("vwap", vwap), ("volume_ratio", volume_ratio)]))
}

/// Volume-weighted average of typical prices; `None` where nothing was traded.
fn average(bars: &[FillBar]) -> Option<f64> {
    let (value, volume) = bars.iter().fold((0.0, 0.0), |(a, b), bar| (a + typical(bar) * volume(bar), b + volume(bar)));
    (volume > 0.0).then(|| value / volume)
}

fn typical(bar: &FillBar) -> f64 {
    (bar.high + bar.low + bar.close) / 3.0
}

fn volume(bar: &FillBar) -> f64 {
    bar.volume.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::{EntryMoment, Strategy, StrategyName};
    use super::*;
    use barograph_domain::{Span, Ts};

    const HOUR: Span = Span::hours(1);

    fn bar(hour: i64, close: f64, volume: Option<f64>) -> FillBar {
        FillBar { close_ts: Ts(0) + HOUR.times(hour), open: close, high: close, low: close, close, volume }
    }

    /// So many bars below their average but one, then one at 101 with this volume.
    fn crosses(lull: i64, volume: Option<f64>, missing: Option<i64>) -> Option<EntryMoment> {
        let mut strategy = Strategy::new(StrategyName::VolumeVwap, HOUR);
        for hour in (0..lull).filter(|h| Some(*h) != missing) {
            let close = if hour == 0 { 100.5 } else { 100.0 };
            assert_eq!(strategy.push(&bar(hour, close, Some(10.0))), None, "hour {hour}");
        }
        strategy.push(&bar(lull, 101.0, volume))
    }

    #[test]
    fn a_cross_counts_on_volume_after_a_whole_window_without_a_gap() {
        // 25 bars before: the window of the bar before is whole, and so is that of the usual volume.
        let cross = crosses(25, Some(15.1), None).unwrap();
        assert_eq!(
            (cross.side, cross.at, cross.readings[1]),
            (Side::Long, Ts(0) + HOUR.times(25), ("volume_ratio", 1.51))
        );
        let vwap = (23.0 * 10.0 * 100.0 + 15.1 * 101.0) / (230.0 + 15.1);
        assert!(cross.readings[0].0 == "vwap" && (cross.readings[0].1 - vwap).abs() < 1e-9, "{cross:?}");
        assert_eq!(crosses(25, Some(15.0), None), None, "1.5 times is not more than 1.5 times");
        assert_eq!(crosses(23, Some(100.0), None), None, "no average before it");
        assert_eq!(crosses(25, None, None), None, "without a volume");
        assert_eq!(crosses(40, Some(100.0), Some(30)), None, "the window begins anew after a gap");
        assert!(crosses(56, Some(100.0), Some(30)).is_some(), "and is whole again");
    }

    #[test]
    fn a_fall_through_the_average_is_a_short_and_staying_there_is_none() {
        let mut strategy = Strategy::new(StrategyName::VolumeVwap, HOUR);
        let found: Vec<_> = (0..30)
            .filter_map(|hour| {
                let falling = hour >= 26;
                strategy.push(&bar(hour, if falling { 99.0 } else { 100.0 }, Some(if falling { 40.0 } else { 10.0 })))
            })
            .collect();
        assert_eq!(found.iter().map(|c| (c.side, c.at)).collect::<Vec<_>>(), [(Side::Short, Ts(0) + HOUR.times(26))]);
    }
}
