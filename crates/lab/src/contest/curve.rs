//! From a score to a probability: isotonic regression (pool adjacent violators) on cases the score was not fitted on.
//!
//! Cases are first gathered in parts of equal number, six separate windows each at least: a step of a few cases would say 0 or 1.

use super::gate::float;
use barograph_domain::forecast::{Abstention, frequency_interval};
use barograph_domain::{Span, Ts};
use barograph_verify::scores::case::n_eff;
use core::ops::Range;

/// Parts at most.
const PARTS_MAX: usize = 20;
/// Windows of a part that do not overlap, at least on average.
const PART_WINDOWS: usize = 6;
/// A wider 90 % interval is no statement (regimes §7).
const WIDTH_MAX: f64 = 0.5;

/// A score with what came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) score: f64,
    pub(super) issued: Ts,
    pub(super) happened: bool,
}

/// One step of the curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Step {
    /// Smallest score of it.
    from: f64,
    /// Probability, Jeffreys smoothed.
    pub(super) p: f64,
    /// Calibration cases in the step.
    pub(super) cases: u32,
    /// Windows of them that do not overlap.
    pub(super) separate: u32,
}

impl Step {
    /// Does it leave too wide a range?
    pub(super) fn is_wide(&self) -> bool {
        let [low, high] = frequency_interval(self.p, self.separate);
        high - low > WIDTH_MAX
    }
}

/// Never less likely at a larger score.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Curve(Vec<Step>);

impl Curve {
    /// # Errors
    /// Without cases.
    pub(super) fn fit(mut cases: Vec<Scored>, horizon: Span) -> Result<Self, Abstention> {
        cases.sort_by(|a, b| a.score.total_cmp(&b.score).then(a.issued.cmp(&b.issued)));
        let mut blocks: Vec<Range<usize>> = Vec::new();
        for part in parts(&cases, horizon) {
            blocks.push(part);
            while let [.., before, after] = &blocks[..]
                && share(&cases[before.clone()]) >= share(&cases[after.clone()])
            {
                let joined = before.start..after.end;
                blocks.truncate(blocks.len() - 2);
                blocks.push(joined);
            }
        }
        let step = |range: &Range<usize>| {
            let block = &cases[range.clone()];
            let came = block.iter().filter(|c| c.happened).count();
            let mut times: Vec<Ts> = block.iter().map(|c| c.issued).collect();
            times.sort_unstable();
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Some(Step {
                from: block.first()?.score,
                p: (float(came) + 0.5) / (float(block.len()) + 1.0),
                cases: count(block.len()),
                separate: count(n_eff(times, horizon)),
            })
        };
        let steps: Vec<Step> = blocks.iter().filter_map(step).collect();
        if steps.is_empty() { Err(Abstention::FewForecasts) } else { Ok(Self(steps)) }
    }

    /// The step of a score; below the first it is the first.
    pub(super) fn at(&self, score: f64) -> Step {
        let at = self.0.partition_point(|s| s.from <= score);
        self.0[at.saturating_sub(1)]
    }
}

fn share(part: &[Scored]) -> f64 {
    float(part.iter().filter(|c| c.happened).count()) / float(part.len().max(1))
}

/// Parts of about as many cases each; equal scores stay together.
fn parts(sorted: &[Scored], horizon: Span) -> Vec<Range<usize>> {
    let mut times: Vec<Ts> = sorted.iter().map(|c| c.issued).collect();
    times.sort_unstable();
    let wanted = (n_eff(times, horizon) / PART_WINDOWS).clamp(1, PARTS_MAX);
    let size = sorted.len().div_ceil(wanted).max(1);
    let (mut out, mut start) = (Vec::new(), 0);
    while start < sorted.len() {
        let last = sorted[(start + size).min(sorted.len()) - 1].score;
        let end = sorted.partition_point(|c| c.score <= last);
        out.push(start..end);
        start = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(n: u32, score: f64, happened: bool) -> Scored {
        Scored { score, issued: Ts(0) + Span::hours(i64::from(n)), happened }
    }

    #[test]
    fn the_curve_rises_and_violators_are_pooled() {
        let cases: Vec<Scored> = (0..600)
            .map(|n| {
                let score = f64::from(n % 10);
                // Parts 3 and 4 come the wrong way round.
                let rate = [0, 1, 2, 6, 4, 5, 7, 8, 9, 10][n as usize % 10];
                case(n, score, n / 10 % 10 < rate)
            })
            .collect();
        let curve = Curve::fit(cases, Span::hours(1)).unwrap();
        let p: Vec<f64> = (0..10).map(|s| curve.at(f64::from(s)).p).collect();
        assert!(p.is_sorted(), "{p:?}");
        assert_eq!((p[3].to_bits(), p[4].to_bits()), (p[4].to_bits(), p[5].to_bits()), "{p:?}");
        assert!((p[4] - 90.5 / 181.0).abs() < 1e-12, "{p:?}");
        assert_eq!(curve.at(-5.0), curve.at(0.0));
        assert_eq!((curve.at(9.5).cases, curve.at(9.5).separate), (60, 60));
    }

    #[test]
    fn few_windows_make_few_steps_and_a_wide_range_is_seen() {
        let crowded: Vec<Scored> = (0..400)
            .map(|n| Scored { score: f64::from(n), issued: Ts(0) + Span::mins(i64::from(n)), happened: n > 200 })
            .collect();
        let curve = Curve::fit(crowded, Span::hours(1)).unwrap();
        assert_eq!(curve.0.len(), 1, "400 cases of seven hours");
        assert!(curve.0[0].is_wide(), "seven windows, half of them: {curve:?}");
        assert_eq!(Curve::fit(Vec::new(), Span::hours(1)), Err(Abstention::FewForecasts));
    }
}
