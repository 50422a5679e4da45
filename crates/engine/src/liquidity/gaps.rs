//! Fair value gaps (features §4.2): three bars of which the outer two do not meet, the middle one in the direction.

use super::record::Record;
use super::window::Window;
use crate::features::bars::BuiltBar;
use barograph_domain::LevelType;

/// The gap that the newest bar completes: type, zone (bottom, top).
#[inline]
pub(super) fn gap(window: &Window) -> Option<(LevelType, (f64, f64))> {
    if window.run() < 3 {
        return None;
    }
    of(window.back(2), window.back(1), window.back(0))
}

/// The gap of three bars in a row.
#[inline]
pub(super) fn of(first: &BuiltBar, middle: &BuiltBar, last: &BuiltBar) -> Option<(LevelType, (f64, f64))> {
    let (kind, bottom, top) = if last.low > first.high && middle.close > middle.open {
        (LevelType::BullishFvg, first.high, last.low)
    } else if last.high < first.low && middle.close < middle.open {
        (LevelType::BearishFvg, last.high, first.low)
    } else {
        return None;
    };
    Some((kind, (bottom, top)))
}

/// A gap as a level: its price is the near edge, where price meets it first.
pub(super) fn record(kind: LevelType, zone: (f64, f64), middle: &BuiltBar) -> Record {
    let near = if kind == LevelType::BullishFvg { zone.1 } else { zone.0 };
    Record::zone(kind, near, zone, middle.index, middle.volume)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(open: f64, high: f64, low: f64, close: f64) -> BuiltBar {
        BuiltBar { index: 0, open, high, low, close, volume: None, quote_volume: None }
    }

    fn mirrored(b: &BuiltBar) -> BuiltBar {
        bar(-b.open, -b.low, -b.high, -b.close)
    }

    /// Both ways alike: no gap where the outer bars touch, none where the middle one closes as it opened.
    #[test]
    fn outer_bars_that_touch_or_a_middle_one_without_direction_leave_no_gap() {
        // From the first bar's high to the last one's low, and from the middle bar's open to its close.
        for (between, moved, is_gap) in
            [(1.0, 2.0, true), (0.0, 2.0, false), (-1.0, 2.0, false), (1.0, 0.0, false), (1.0, -2.0, false)]
        {
            let first = bar(99.0, 100.0, 98.0, 99.5);
            let middle = bar(100.0, 103.0, 97.0, 100.0 + moved);
            let last = bar(102.0, 104.0, 100.0 + between, 103.0);
            let up = is_gap.then_some((LevelType::BullishFvg, (100.0, 101.0)));
            assert_eq!(of(&first, &middle, &last), up, "{between} between, moved by {moved}");
            let down = is_gap.then_some((LevelType::BearishFvg, (-101.0, -100.0)));
            let [first, middle, last] = [first, middle, last].map(|b| mirrored(&b));
            assert_eq!(of(&first, &middle, &last), down, "mirrored, {between} between, moved by {moved}");
        }
    }
}
