//! The hour as the universe counts it: whole hours since 1970, minutes since 1970, and how long the windows are.

use barograph_domain::{Span, Ts};

/// One minute.
pub(super) const MINUTE: Span = Span::mins(1);
/// One hour.
pub(super) const HOUR: Span = Span::hours(1);
/// Hourly returns of `pair_corr_20`.
pub(super) const SHORT: i64 = 20;
/// Pairs that it needs.
pub(super) const SHORT_MIN: u32 = 18;
/// Hourly returns of `pair_corr_30d`.
pub(super) const LONG: i64 = 720;
/// Pairs that it needs.
pub(super) const LONG_MIN: u32 = 576;
/// Hours of the percentile and of bands from history.
pub(super) const RANKED: i64 = 180 * 24;
/// Hours that these need.
pub(super) const RANKED_MIN: u32 = 90 * 24;
/// Hours over which states are counted.
pub(super) const HELD: i64 = 90 * 24;
/// Prices of an hourly ring: the oldest correlation in the percentile window begins 20 hours before that window.
pub(super) const HOURLY_PLACES: i64 = RANKED + SHORT;
/// Hours of the lead and lag window.
pub(super) const LEAD_HOURS: i64 = 24;
/// Prices of a minute ring: the window, the lags before its first minute, the hour under way.
pub(super) const MINUTE_PLACES: i64 = LEAD_HOURS * 60 + 10 + 61;

/// The minute index of an instant on the minute grid.
pub(super) fn minute_of(t: Ts) -> Option<i64> {
    (t.0.rem_euclid(MINUTE.0) == 0).then(|| t.0.div_euclid(MINUTE.0))
}
