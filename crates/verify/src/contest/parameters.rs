//! What the contestants are fitted with (regimes §11). A change of any number gives their ledgers another name.

use barograph_domain::forecast::{ForecastEvent, Forecaster};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};

/// Fits stand for a week, from Monday 00:00 UTC.
pub const REFIT: Span = Span::days(7);
/// What resolved within this before a fit is not in it: 1 % of a week, in whole minutes up.
pub const EMBARGO: Span = Span::mins(101);
/// A fit looks back as far as this.
pub const TRAINED_ON: Span = Span::days(365);
/// Resolved cases that a fit needs, and windows of them that do not overlap: as many as the rules need of a label (regimes §7).
pub const CASES_MIN: usize = 100;
/// See [`CASES_MIN`].
pub const EPISODES_MIN: usize = 30;
/// A moment further out than this share of the training moments is passed over (regimes §11).
pub const OUTLIER_SHARE: f64 = 0.995;
/// Ridge of the logistic regression on standardised inputs, not of its intercept.
pub const RIDGE: f64 = 1.0;

/// How the logistic regression is climbed.
#[derive(Clone, Copy, Debug)]
pub struct LogisticRules {
    /// Newton steps at most.
    pub steps_max: u32,
    /// No coefficient moves by more: done.
    pub step_min: f64,
}

/// The published ones.
pub const LOGISTIC: LogisticRules = LogisticRules { steps_max: 50, step_min: 1e-9 };

/// How trees are grown: on squared loss, which is the Brier score and needs no function that differs between platforms.
#[derive(Clone, Copy, Debug)]
pub struct BoostRules {
    /// Number of trees.
    pub trees: usize,
    /// Share of a tree's correction that is taken.
    pub rate: f32,
    /// Questions in a row.
    pub depth: usize,
    /// Cases in a leaf at least.
    pub leaf_cases: f32,
    /// Ridge of a leaf's value, in cases.
    pub ridge: f32,
    /// Bins of an input.
    pub bins: u16,
}

/// The published ones.
pub const BOOST: BoostRules = BoostRules { trees: 60, rate: 0.1, depth: 3, leaf_cases: 40.0, ridge: 5.0, bins: 64 };

/// The week of a moment, counted from a Monday.
#[must_use]
pub const fn week_of(t: Ts) -> i64 {
    // 1970 began on a Thursday.
    (t.0 + 3 * DAY.0).div_euclid(REFIT.0)
}

/// First moment of a week.
#[must_use]
pub const fn week_begins(week: i64) -> Ts {
    Ts(week * REFIT.0 - 3 * DAY.0)
}

/// Moments whose forecasts are learnt from: neighbours share their outcome, so that eight of a window are enough.
#[derive(Clone, Copy, Debug)]
pub struct TrainingGrid;

impl TrainingGrid {
    /// Time between two of them.
    #[must_use]
    pub fn step(event: ForecastEvent) -> Span {
        let hours = event.horizon().map_or(1, |h| h.0 / Span::hours(8).0).max(1);
        Span::hours(hours)
    }
    /// Is this one of them?
    #[must_use]
    pub fn holds(event: ForecastEvent, t: Ts) -> bool {
        t.floor(Self::step(event)) == t
    }
}

/// Everything a contestant is made with, as text.
pub(super) fn of(who: Forecaster) -> String {
    let common = format!(
        "contest.v1 refit {REFIT} embargo {EMBARGO} window {TRAINED_ON} cases {CASES_MIN} episodes {EPISODES_MIN} calibrated on 1/5\n"
    );
    let own = match who {
        Forecaster::Rules => String::new(),
        Forecaster::Hmm => "three states, ahead, shares mixed\n".to_owned(),
        Forecaster::Bocpd => "fifths of the recent change, by present state\n".to_owned(),
        Forecaster::Logistic => {
            let LogisticRules { steps_max, step_min } = LOGISTIC;
            format!("four inputs, ridge {RIDGE:?} steps {steps_max} to {step_min:?}, outliers {OUTLIER_SHARE:?}\n")
        }
        Forecaster::Boosting => format!("fourteen inputs, {BOOST:?}, outliers {OUTLIER_SHARE:?}\n"),
    };
    format!("{}\n{common}{own}", who.id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_mondays() {
        let monday = Ts::from_civil(2026, 11, 23, 0, 0, 0);
        assert_eq!(week_begins(week_of(monday)), monday);
        assert_eq!(week_of(monday - Span(1)), week_of(monday) - 1);
        assert_eq!(week_of(monday + Span::days(6)), week_of(monday));
    }

    #[test]
    fn eight_moments_of_a_window_are_learnt_from_but_no_two_within_the_hour() {
        for (event, hours) in
            [(ForecastEvent::HighVol1h, 1), (ForecastEvent::Chop4h, 1), (ForecastEvent::TrendUp24h, 3)]
        {
            assert_eq!(TrainingGrid::step(event), Span::hours(hours), "{}", event.id());
        }
        assert!(TrainingGrid::holds(ForecastEvent::TrendUp24h, Ts(0) + Span::hours(6)));
        assert!(!TrainingGrid::holds(ForecastEvent::HighVol1h, Ts(0) + Span::mins(5)));
    }
}
