//! What may be chosen about levels (features §4.2, §4.4, §4.5, §4.9). The defaults are those of the specification.

use serde::{Deserialize, Serialize};

/// Which peaks make clusters of equal highs and lows (features §4.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterPeaks {
    /// One bar on either side; members at least three bars apart.
    #[default]
    Local,
    /// The swings themselves.
    Swings,
}

/// How peaks become clusters (C12).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterMethod {
    /// Peaks within a relative tolerance of the mean of the members.
    #[default]
    Tolerance,
    /// Modes of a Gaussian kernel density over the last 200 confirmed swings of a side (features §4.5).
    Kde,
}

/// Which bar before a break is the order block (features §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockRule {
    /// The last bar of the opposite direction.
    #[default]
    LastOpposite,
    /// The bar with the lowest low before a break upwards, highest high before one downwards; the last of equals.
    Extreme,
}

/// Choices of one timeframe.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimeframeOptions {
    /// Bars before a swing, all strictly inside it; at most [`TimeframeOptions::WING_MAX`].
    pub swing_left: u32,
    /// Bars after a swing, none beyond it; they delay its confirmation; at most [`TimeframeOptions::WING_MAX`].
    pub swing_right: u32,
    /// Peaks of clusters.
    pub cluster_peaks: ClusterPeaks,
    /// Tolerance or density.
    pub cluster_method: ClusterMethod,
    /// Relative distance from a cluster's mean within which a peak joins it.
    pub cluster_tolerance: f64,
    /// Bars between members of a cluster of local peaks.
    pub cluster_spacing: i64,
    /// Order block rule.
    pub block_rule: BlockRule,
    /// Smallest fair value gap in average true ranges; above 0, gaps before the average is ready are left out.
    pub fvg_min_atr: f64,
    /// Bars after which an untouched level has half its strength. A level is dropped after ten half-lives.
    pub half_life: f64,
    /// Exponents of the three factors of strength: members, age, volume.
    pub exponents: [f64; 3],
    /// Whether touches are followed up to see if the level held (features §4.3).
    pub reactions: bool,
}

impl TimeframeOptions {
    /// Longest wing of a swing.
    pub const WING_MAX: u32 = 200;
    /// Half-lives after which a level is dropped: less than a thousandth of its strength is left.
    const LIVES: f64 = 10.0;

    /// Age in bars at which a level is dropped.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes the nearest integer")]
    pub fn lifetime(&self) -> i64 {
        (self.half_life * Self::LIVES) as i64
    }
}

impl Default for TimeframeOptions {
    fn default() -> Self {
        Self {
            swing_left: 2,
            swing_right: 2,
            cluster_peaks: ClusterPeaks::Local,
            cluster_method: ClusterMethod::Tolerance,
            cluster_tolerance: 0.001,
            cluster_spacing: 3,
            block_rule: BlockRule::LastOpposite,
            fvg_min_atr: 0.0,
            half_life: 200.0,
            exponents: [1.0; 3],
            reactions: true,
        }
    }
}
