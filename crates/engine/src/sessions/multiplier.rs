//! The stop distance in average true ranges for a session under given conditions (R2.4, R2.5, A11).

/// Share of a deviation of volatility that reaches the multiplier.
const VOL_SENSITIVITY: f64 = 0.5;
/// Share of a deviation of volume that does.
const VOLUME_SENSITIVITY: f64 = 0.25;
const VOLUME_RANGE: (f64, f64) = (0.8, 1.25);
const TOTAL_RANGE: (f64, f64) = (0.5, 4.0);

/// What is measured now; `None` where it is not known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Conditions {
    /// Base multiplier of the session.
    pub base: f64,
    /// Volatility of the last hour over what is usual in the session.
    pub vol_ratio: Option<f64>,
    /// Quote volume a minute of the last hour over what is usual in the session.
    pub volume_ratio: Option<f64>,
}

/// The multiplier and its parts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Adjusted {
    /// `1 + (vol_ratio − 1) · 0.5`; 1 where the ratio is not known.
    pub vol_adjustment: f64,
    /// `clamp(1 + (volume_ratio − 1) · 0.25, 0.8, 1.25)`; 1 where the ratio is not known.
    pub volume_adjustment: f64,
    /// `clamp(base · vol · volume, 0.5, 4)`, in average true ranges.
    pub adaptive_mult: f64,
}

/// The multiplier under these conditions.
#[must_use]
pub fn adjust(c: &Conditions) -> Adjusted {
    let vol_adjustment = c.vol_ratio.map_or(1.0, |r| 1.0 + (r - 1.0) * VOL_SENSITIVITY);
    let volume = |r: f64| (1.0 + (r - 1.0) * VOLUME_SENSITIVITY).clamp(VOLUME_RANGE.0, VOLUME_RANGE.1);
    let volume_adjustment = c.volume_ratio.map_or(1.0, volume);
    Adjusted {
        vol_adjustment,
        volume_adjustment,
        adaptive_mult: (c.base * vol_adjustment * volume_adjustment).clamp(TOTAL_RANGE.0, TOTAL_RANGE.1),
    }
}
