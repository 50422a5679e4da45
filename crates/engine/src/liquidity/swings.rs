//! Swing highs and lows (features §4.2): a bar strictly beyond the `left` bars before it and not exceeded by the `right` bars
//! after it. Known only when the last of those has closed.

use super::record::Face;
use super::window::Window;
use crate::features::bars::BuiltBar;

/// Whether the bar `right` bars ago is a swing on each face (low, high). Needs `left + right + 1` bars in a row.
#[inline]
pub(super) fn swing(window: &Window, left: usize, right: usize) -> [bool; 2] {
    if window.run() <= left + right {
        return [false; 2];
    }
    // The two that matter are worked out without branches: which bars are swings cannot be guessed.
    match (left, right) {
        (2, 2) => return fixed::<2, 2>(window),
        (1, 1) => return fixed::<1, 1>(window),
        _ => {}
    }
    let middle = window.back(right);
    let (mut low, mut high) = (true, true);
    // The bars after it come first: in a trend the newest decides at once.
    for back in 0..right {
        let bar = window.back(back);
        high &= middle.high >= bar.high;
        low &= middle.low <= bar.low;
        if !(high | low) {
            return [false; 2];
        }
    }
    for back in right + 1..=right + left {
        let bar = window.back(back);
        high &= middle.high > bar.high;
        low &= middle.low < bar.low;
        if !(high | low) {
            return [false; 2];
        }
    }
    [low, high]
}

#[inline]
fn fixed<const LEFT: usize, const RIGHT: usize>(window: &Window) -> [bool; 2] {
    let middle = window.back(RIGHT);
    let (mut low, mut high) = (true, true);
    for back in 0..RIGHT {
        let bar = window.back(back);
        high &= middle.high >= bar.high;
        low &= middle.low <= bar.low;
    }
    for back in RIGHT + 1..=RIGHT + LEFT {
        let bar = window.back(back);
        high &= middle.high > bar.high;
        low &= middle.low < bar.low;
    }
    [low, high]
}

/// Price of a swing.
#[inline]
pub(super) fn price(bar: &BuiltBar, face: Face) -> f64 {
    match face {
        Face::Low => bar.low,
        Face::High => bar.high,
    }
}
