//! A plot with two axes: where numbers lie, and the lines that are read by.

use super::svg::Picture;

/// Width and height of a plot, pixels at full size; text is read at a phone's width too.
pub(super) const WIDTH: f64 = 360.0;
pub(super) const HEIGHT: f64 = 240.0;
const LEFT: f64 = 54.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 34.0;

/// Two scales.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlotScale {
    x: (f64, f64),
    y: (f64, f64),
}

impl PlotScale {
    /// From the smallest to the largest of each; a scale without length gets one.
    pub(super) fn over(x: impl Iterator<Item = f64>, y: impl Iterator<Item = f64>) -> Self {
        Self { x: ends(x), y: ends(y) }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        LEFT + (value - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }

    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    /// Frame, three numbers along and three upwards.
    pub(super) fn axes(&self, picture: &mut Picture, along: &dyn Fn(f64) -> String, up: &dyn Fn(f64) -> String) {
        let (low, high) = (HEIGHT - BOTTOM, TOP);
        for part in [0.0, 0.5, 1.0] {
            let (vx, vy) = (self.x.0 + part * (self.x.1 - self.x.0), self.y.0 + part * (self.y.1 - self.y.0));
            let (x, y) = self.at(vx, vy);
            picture.line((LEFT, y), (WIDTH - RIGHT, y), "line", 1.0);
            picture.text((LEFT - 6.0, y + 4.0), "end", "pale", &up(vy));
            let anchor = if part > 0.9 {
                "end"
            } else if part < 0.1 {
                "start"
            } else {
                "middle"
            };
            picture.text((x, HEIGHT - BOTTOM + 18.0), anchor, "pale", &along(vx));
        }
        picture.line((LEFT, low), (LEFT, high), "line", 1.0);
    }
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let margin = 0.5 * (1e-9_f64).max(low.abs() * 1e-6);
    if high - low > margin { (low, high) } else { (low - margin, high + margin) }
}

/// A number for an axis: few digits, enough beside its neighbours.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        s if s >= 1e5 || s > 0.0 && s < 1e-3 => format!("{value:.1e}"),
        s if s >= 100.0 => format!("{value:.0}"),
        s if s >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    text.replace('-', "−")
}
