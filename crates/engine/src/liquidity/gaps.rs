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
