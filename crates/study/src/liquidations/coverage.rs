//! How much more a full tape had than its thinned one shows, as a band that has to hold on days it was not fitted on (surveillance §11).
//!
//! The logarithm of full over published notional of a minute is modelled from three things: what was published (count and notional), the
//! fall of open interest, and how one-sided aggressors were. What a tape does not have is left out and declared. The lines at 10 % and
//! 90 % are fitted on the first half of the days; on the second half, which comes later, the band has to hold 75 to 85 of 100 minutes,
//! with at most 15 on either side. The sides are asked for because many minutes have lost nothing: none can lie below a band that begins
//! at 1, and one that misses every fifth minute above would pass as holding 80.

use super::quantile::{self, QuantileLine};
use super::thin::{ThinnedMinute, Thinning};
use crate::order::count;
use barograph_domain::math::{exp, ln};
use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};
use serde::Serialize;
use std::collections::BTreeSet;

/// Share of minutes that a band is for, and how far from it one may be.
pub const BAND: f64 = 0.8;
/// See [`BAND`].
pub const BAND_TOLERANCE: f64 = 0.05;
/// Minutes that either half needs.
pub const MINUTES_MIN: usize = 100;

/// A fitted band.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CoverageFit {
    /// Is the fall of open interest a column?
    pub with_open_interest: bool,
    /// Is the heavier side's share of aggressor volume one?
    pub with_one_sided: bool,
    /// Line of the tenth of a hundred that is lowest: constant, ln(1 + count), ln(1 + USD), then the columns above.
    pub low: QuantileLine,
    /// Line below which 90 of 100 lie.
    pub high: QuantileLine,
}

impl CoverageFit {
    /// Fits on these minutes; `None` where it cannot be solved.
    fn of(minutes: &[&ThinnedMinute]) -> Option<Self> {
        let all = |of: fn(&ThinnedMinute) -> Option<f64>| minutes.iter().all(|m| of(m).is_some());
        let mut fit = Self {
            with_open_interest: all(|m| m.open_interest_drop),
            with_one_sided: all(|m| m.one_sided),
            low: Vec::new(),
            high: Vec::new(),
        };
        let rows: Vec<Vec<f64>> = minutes.iter().map(|m| fit.row(m)).collect::<Option<_>>()?;
        let y: Vec<f64> = minutes.iter().map(|m| ln(m.ratio())).collect();
        fit.low = quantile::fit(&rows, &y, 0.5 - 0.5 * BAND)?;
        fit.high = quantile::fit(&rows, &y, 0.5 + 0.5 * BAND)?;
        Some(fit)
    }

    fn row(&self, m: &ThinnedMinute) -> Option<Vec<f64>> {
        let mut row = vec![ln(1.0 + f64::from(m.count)), ln(1.0 + m.usd)];
        if self.with_open_interest {
            row.push(m.open_interest_drop?);
        }
        if self.with_one_sided {
            row.push(m.one_sided?);
        }
        Some(row)
    }

    /// Band of full over published notional of a minute, each at least 1. `None` where a column it was fitted with is absent.
    #[must_use]
    pub fn band(&self, m: &ThinnedMinute) -> Option<[f64; 2]> {
        let row = self.row(m)?;
        let ratio = |line: &[f64]| exp(quantile::value(line, &row).clamp(0.0, 50.0));
        let (a, b) = (ratio(&self.low), ratio(&self.high));
        Some([a.min(b), a.max(b)])
    }
}

/// Why there is no band.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WithheldBand {
    /// Too few minutes.
    TooLittle {
        /// Minutes it would have been fitted on.
        fitted: usize,
        /// Minutes it would have been checked on.
        checked: usize,
    },
    /// Its equations have no solution.
    Unsolved,
    /// It does not hold 80 ± 5 of 100 of the minutes it was checked on, or more than 15 of 100 lie on one side of it.
    DoesNotHold {
        /// The share it holds.
        held: f64,
        /// Shares below it and above.
        outside: [f64; 2],
    },
}

/// A band against days it was not fitted on.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct BandCheck {
    /// Minutes it was fitted on, of how many days.
    pub fitted: [usize; 2],
    /// Minutes it was checked on, of how many days.
    pub checked: [usize; 2],
    /// When the days that it was checked on begin.
    pub checked_from: Ts,
    /// Share of the checked minutes whose ratio lies within the band, its ends included.
    pub held: f64,
    /// Share of the checked minutes below it, and above.
    pub outside: [f64; 2],
    /// Share of the checked minutes from which the thinning took nothing.
    pub whole: f64,
    /// Published over full notional of the checked minutes together.
    pub published: f64,
    /// The band.
    pub fit: CoverageFit,
}

impl BandCheck {
    /// May the band be shown?
    #[must_use]
    pub fn holds(&self) -> bool {
        // A share of 85 of 100 is within: the comparison must not hang on its last bit.
        let tolerance = BAND_TOLERANCE + 1e-9;
        let side_max = 0.5 - 0.5 * BAND + tolerance;
        (self.held - BAND).abs() <= tolerance && self.outside.iter().all(|side| *side <= side_max)
    }
}

/// What one thinning came to.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ThinningStudy {
    /// `largest` or `last`.
    pub thinning: &'static str,
    /// Least published liquidations of the minutes that were studied.
    pub count_min: u32,
    /// Such minutes.
    pub minutes: usize,
    /// The check, where one could be made.
    pub check: Option<BandCheck>,
    /// Why the band is withheld; `None`: it may be shown.
    pub withheld: Option<WithheldBand>,
}

/// Studies the minutes of all markets, thinned in this way, that have at least `count_min` published liquidations. The first half of
/// the days is fitted, the second checked.
#[must_use]
pub fn thinning_study(minutes: &[ThinnedMinute], thinning: Thinning, count_min: u32) -> ThinningStudy {
    let chosen: Vec<&ThinnedMinute> = minutes.iter().filter(|m| m.count >= count_min && m.usd > 0.0).collect();
    let days: BTreeSet<Ts> = chosen.iter().map(|m| m.from.floor(DAY)).collect();
    let border = days.iter().nth(days.len().div_ceil(2)).copied().unwrap_or(Ts::MAX);
    let (fitted, checked): (Vec<&ThinnedMinute>, Vec<&ThinnedMinute>) = chosen.iter().partition(|m| m.from < border);
    let study = |check, withheld| ThinningStudy {
        thinning: thinning.name(),
        count_min,
        minutes: chosen.len(),
        check,
        withheld,
    };
    if fitted.len().min(checked.len()) < MINUTES_MIN {
        return study(None, Some(WithheldBand::TooLittle { fitted: fitted.len(), checked: checked.len() }));
    }
    let Some(check) = CoverageFit::of(&fitted).and_then(|fit| check(fit, &fitted, &checked, border)) else {
        return study(None, Some(WithheldBand::Unsolved));
    };
    let withheld = (!check.holds()).then_some(WithheldBand::DoesNotHold { held: check.held, outside: check.outside });
    study(Some(check), withheld)
}

fn check(fit: CoverageFit, fitted: &[&ThinnedMinute], checked: &[&ThinnedMinute], from: Ts) -> Option<BandCheck> {
    let (mut below, mut above) = (0, 0);
    for minute in checked {
        let ([low, high], ratio) = (fit.band(minute)?, minute.ratio());
        // A ratio that is the band's end to a millionth is within: lines meet their points to what a step leaves.
        below += usize::from(ratio < low * (1.0 - 1e-6));
        above += usize::from(ratio > high * (1.0 + 1e-6));
    }
    let n = count(checked.len());
    let of_days = |of: &[&ThinnedMinute]| of.iter().map(|m| m.from.floor(Span::days(1))).collect::<BTreeSet<_>>().len();
    let sum = |of: fn(&ThinnedMinute) -> f64| checked.iter().map(|m| of(m)).sum::<f64>();
    Some(BandCheck {
        fitted: [fitted.len(), of_days(fitted)],
        checked: [checked.len(), of_days(checked)],
        checked_from: from,
        held: count(checked.len() - below - above) / n,
        outside: [count(below) / n, count(above) / n],
        whole: count(checked.iter().filter(|m| m.ratio() <= 1.0 + 1e-9).count()) / n,
        published: sum(|m| m.usd) / sum(|m| m.full_usd),
        fit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes whose ratio is `1 + count·u·growth` with u spread evenly over 0 to 1; growth from day 20 on is another.
    fn made(growth: [f64; 2]) -> Vec<ThinnedMinute> {
        (0..4_000_u32)
            .map(|k| {
                let day = i64::from(k / 100);
                let count = 1 + k % 9;
                let u = (f64::from(k * 7_919 % 4_001) + 0.5) / 4_001.0;
                let usd = 1_000.0 + f64::from(k * 31 % 977);
                let ratio = 1.0 + f64::from(count) * u * growth[usize::from(day >= 20)];
                let from = Ts(0) + Span::days(day) + Span::mins(i64::from(k % 100));
                ThinnedMinute { from, count, usd, full_usd: usd * ratio, open_interest_drop: None, one_sided: None }
            })
            .collect()
    }

    #[test]
    fn a_band_that_holds_is_shown_and_says_how_wide_it_is() {
        let study = thinning_study(&made([0.5, 0.5]), Thinning::Largest, 1);
        let check = study.check.unwrap();
        assert_eq!((study.withheld, check.fitted, check.checked), (None, [2_000, 20], [2_000, 20]));
        assert!((check.held - 0.8).abs() < 0.04, "{}", check.held);
        assert!(!check.fit.with_open_interest && !check.fit.with_one_sided, "nothing of the kind was there");
        let minute = ThinnedMinute { count: 9, usd: 1_500.0, ..made([0.5, 0.5])[0] };
        let [low, high] = check.fit.band(&minute).unwrap();
        assert!((low - 1.45).abs() < 0.4 && (high - 5.05).abs() < 1.2, "{low} to {high}");
    }

    #[test]
    fn a_band_that_does_not_hold_later_is_withheld() {
        let study = thinning_study(&made([0.5, 2.0]), Thinning::Last, 1);
        let Some(WithheldBand::DoesNotHold { held, .. }) = study.withheld else { panic!("{:?}", study.withheld) };
        assert!(held < 0.6, "{held}");
        let study = thinning_study(&made([0.0, 0.0]), Thinning::Last, 1);
        let why = study.withheld.unwrap();
        assert!(
            matches!(why, WithheldBand::DoesNotHold { held, .. } if held > 0.99),
            "everything is held by a band of 1: {why:?}"
        );
    }

    #[test]
    fn a_band_that_misses_on_one_side_is_withheld() {
        let check = thinning_study(&made([0.5, 0.5]), Thinning::Largest, 1).check.unwrap();
        let with = |held, outside| BandCheck { held, outside, ..check.clone() };
        for (held, outside, want) in [
            (0.8, [0.1, 0.1], true),
            (0.8, [0.05, 0.15], true),
            (0.85, [0.0, 0.15], true),
            (0.8, [0.0, 0.2], false),
            (0.86, [0.07, 0.07], false),
            (0.74, [0.13, 0.13], false),
        ] {
            assert_eq!(with(held, outside).holds(), want, "{held} {outside:?}");
        }
    }

    #[test]
    fn too_few_minutes_are_too_few() {
        let few: Vec<ThinnedMinute> = made([0.5, 0.5]).into_iter().take(150).collect();
        let study = thinning_study(&few, Thinning::Largest, 1);
        assert_eq!(study.withheld, Some(WithheldBand::TooLittle { fitted: 100, checked: 50 }));
        assert_eq!(
            thinning_study(&[], Thinning::Largest, 1).withheld,
            Some(WithheldBand::TooLittle { fitted: 0, checked: 0 })
        );
    }

    #[test]
    fn columns_are_used_where_every_minute_has_them() {
        let mut minutes = made([0.5, 0.5]);
        for (k, m) in minutes.iter_mut().enumerate() {
            m.open_interest_drop = Some(count(k % 7) / 100.0);
            m.one_sided = (k != 0).then_some(0.5 + count(k % 5) / 10.0);
        }
        let fit = thinning_study(&minutes, Thinning::Largest, 1).check.unwrap().fit;
        assert_eq!((fit.with_open_interest, fit.with_one_sided, fit.low.len()), (true, false, 4));
        assert_eq!(fit.band(&ThinnedMinute { open_interest_drop: None, ..minutes[0] }), None);
    }
}
