//! How good a model's forecasts have been lately: the newest thirty days of its shadow ledger (research §11).

use barograph_domain::scorecard::SkillVerdict;
use barograph_domain::{Span, Ts};
use barograph_lab::zoo::ZooTask;
use barograph_verify::scores::{BlockSeries, bootstrap};
use serde::Serialize;

/// How far back it looks, as the scorecard's rolling skill does (verification §5).
const WINDOW: Span = Span::days(30);

/// A forecast whose outcome is known.
pub(super) struct ResolvedCase<'a> {
    pub(super) t: Ts,
    /// A probability, three of them, or a number.
    pub(super) stated: &'a [f64],
    /// The same of the training rows.
    pub(super) base: &'a [f64],
    pub(super) label: f64,
}

/// Skill and calibration of the newest thirty days.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RollingSkill {
    /// The first forecast of them.
    pub from: Ts,
    /// The last.
    pub to: Ts,
    /// Forecasts with an outcome.
    pub n: usize,
    /// Share of the training rows' loss that the model saves: squared error of its probabilities against the training frequencies (Brier
    /// skill), of numbers against the training mean. `None` where those have no loss.
    pub skill: Option<f64>,
    /// Its 90 % band by blocks; `None` under ten blocks.
    pub band: Option<[f64; 2]>,
    /// What the band allows to be said.
    pub verdict: SkillVerdict,
    /// What was stated less what came, on average: calibration in the large. `None` for three classes.
    pub bias: Option<f64>,
    /// Its 90 % band by blocks; one that does not hold zero says that the model states too much or too little.
    pub bias_band: Option<[f64; 2]>,
}

/// Of forecasts in the order of time; `None` without any.
pub(super) fn rolling(cases: &[ResolvedCase<'_>], task: ZooTask, block: Span) -> Option<RollingSkill> {
    let to = cases.last()?.t;
    let recent: Vec<&ResolvedCase<'_>> = cases.iter().filter(|c| c.t > Ts(to.0.saturating_sub(WINDOW.0))).collect();
    let loss = |said: &[f64], label: f64| {
        said.iter()
            .enumerate()
            .map(|(head, p)| (p - task.asked(label, head)) * (p - task.asked(label, head)))
            .sum::<f64>()
    };
    let sums = recent.iter().map(|c| {
        let off = c.stated.first().map_or(0.0, |p| p - c.label);
        (c.t, [loss(c.stated, c.label), loss(c.base, c.label), off, 1.0])
    });
    let series = BlockSeries::with_block(sums, super::shadow::GRID, block);
    let skill_of = |s: &[f64; 4]| (s[1] > 0.0).then(|| 1.0 - s[0] / s[1]);
    let bias_of = |s: &[f64; 4]| (task != ZooTask::Classes && s[3] > 0.0).then(|| s[2] / s[3]);
    let resamples = series.resamples(bootstrap::DRAWS, bootstrap::SEED);
    let ends = |of: &dyn Fn(&[f64; 4]) -> Option<f64>| {
        resamples.as_ref().and_then(|r| r.band(of)).map(|band| [band.low, band.high])
    };
    let (band, bias_band) = (ends(&skill_of), ends(&bias_of));
    let total = series.total();
    Some(RollingSkill {
        from: recent.first().map_or(to, |c| c.t),
        to,
        n: recent.len(),
        skill: skill_of(&total),
        band,
        verdict: SkillVerdict::of_band(band.map(|b| b[0]), band.map(|b| b[1])),
        bias: bias_of(&total),
        bias_band,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::random::SplitMix;

    /// Forecasts of a yes that comes in three of ten cases each five minutes, by a model that knows whether it is one of the seven of ten
    /// or of the rest; from some day on it says the same and the market has turned.
    fn judged(days: i64, turned: i64) -> RollingSkill {
        let mut random = SplitMix::new(5);
        let mut drawn = Vec::new();
        for n in 0..days * 288 {
            let likely = random.unit() < 0.3;
            let chance = if likely == (n / 288 < turned) { 0.7 } else { 0.13 };
            drawn.push((n, [if likely { 0.7 } else { 0.13 }], f64::from(u8::from(random.unit() < chance))));
        }
        let case = |(n, stated, label): &'_ (i64, [f64; 1], f64)| (Ts(0) + Span::mins(5 * n), *stated, *label);
        let cases: Vec<_> = drawn.iter().map(case).collect();
        let cases: Vec<ResolvedCase<'_>> = cases
            .iter()
            .map(|(t, stated, label)| ResolvedCase { t: *t, stated, base: &[0.3], label: *label })
            .collect();
        rolling(&cases, ZooTask::Binary, Span::mins(10)).unwrap()
    }

    #[test]
    fn skill_and_calibration_are_those_of_the_newest_month() {
        let good = judged(40, 99);
        assert_eq!((good.n, good.verdict), (30 * 288, SkillVerdict::BetterSoFar), "{good:?}");
        assert!((good.skill.unwrap() - 0.32).abs() < 0.03 && good.bias.unwrap().abs() < 0.02, "{good:?}");
        let [low, high] = good.bias_band.unwrap();
        assert!(low < 0.0 && high > 0.0, "{good:?}");
        // What was good before the month does not help.
        let turned = judged(60, 29);
        assert!(turned.verdict == SkillVerdict::WorseSoFar && turned.bias_band.unwrap()[1] < 0.0, "{turned:?}");
        assert_eq!((judged(1, 9).n, rolling(&[], ZooTask::Binary, Span::mins(10))), (288, None));
    }

    #[test]
    fn one_case_by_hand_for_each_kind() {
        for (task, stated, base, label, skill, bias) in [
            (ZooTask::Binary, &[0.8][..], &[0.5][..], 1.0, 0.84, Some(-0.2)),
            (ZooTask::Classes, &[0.1, 0.8, 0.1], &[0.3, 0.4, 0.3], 1.0, 1.0 - 0.06 / 0.54, None),
            (ZooTask::Regression, &[3.0], &[1.0], 2.0, 0.0, Some(1.0)),
        ] {
            let got = rolling(&[ResolvedCase { t: Ts(0), stated, base, label }], task, Span::mins(10)).unwrap();
            assert!((got.skill.unwrap() - skill).abs() < 1e-12, "{task:?}: {got:?}");
            assert!(
                got.bias.zip(bias).is_none_or(|(a, b)| (a - b).abs() < 1e-12) && got.bias.is_some() == bias.is_some()
            );
            assert_eq!((got.verdict, got.band), (SkillVerdict::TooLittleData, None), "one case has no band");
        }
    }
}
