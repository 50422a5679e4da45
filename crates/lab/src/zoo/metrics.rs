//! Numbers of a board that `barograph_verify::scores` does not have: bands of an AUC, F1 of classes, rank correlation, R².

use super::features::float;
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_verify::scores::bootstrap::{BLOCKS_MIN, DRAWS, SEED};

/// Scores of one fold, in the order of time.
#[derive(Clone, Debug)]
pub struct ScoredFold {
    /// When each was said.
    pub times: Vec<Ts>,
    /// Score and whether it came.
    pub scored: Vec<(f64, bool)>,
}

/// Mean of fold AUCs in every resample. Each fold is cut into stretches of `block` from its first moment on; a resample draws as many
/// stretches of every fold as it has, with replacement, from [`SplitMix`] at `SEED`, fold after fold, 1,000 times. Resamples in which a
/// fold has one outcome only are left out. `None` where all folds together hold fewer than ten stretches.
#[must_use]
pub fn auc_resamples(folds: &[ScoredFold], block: Span) -> Option<Vec<f64>> {
    let ready: Vec<Stretches> = folds.iter().map(|f| Stretches::of(f, block)).collect();
    if ready.iter().map(|f| f.blocks).sum::<usize>() < BLOCKS_MIN {
        return None;
    }
    let mut random = SplitMix::new(SEED);
    let mut draw = || {
        let (mut sum, mut whole) = (0.0, true);
        for fold in &ready {
            let mut times = vec![0_u32; fold.blocks];
            for _ in 0..fold.blocks {
                let at = usize::try_from(random.below(fold.blocks as u64)).unwrap_or_default();
                times[at] += 1;
            }
            match fold.auc(&times) {
                Some(auc) => sum += auc,
                None => whole = false,
            }
        }
        whole.then(|| sum / float(ready.len()))
    };
    let values: Vec<f64> = (0..DRAWS).filter_map(|_| draw()).collect();
    (values.len() * 20 >= DRAWS * 19).then_some(values)
}

/// A fold's cases by rising score, each with its stretch.
struct Stretches {
    blocks: usize,
    /// Stretch, whether it came, and whether the score is that of the case before.
    cases: Vec<(usize, bool, bool)>,
}

impl Stretches {
    fn of(fold: &ScoredFold, block: Span) -> Self {
        let first = fold.times.first().copied().unwrap_or(Ts(0));
        let number = |t: &Ts| usize::try_from((*t - first).0.div_euclid(block.0.max(1))).unwrap_or_default();
        let mut numbers: Vec<usize> = fold.times.iter().map(number).collect();
        // Stretches without a case are none.
        let mut held = numbers.clone();
        held.sort_unstable();
        held.dedup();
        numbers.iter_mut().for_each(|n| *n = held.binary_search(n).unwrap_or_default());
        let mut order: Vec<usize> = (0..fold.scored.len()).collect();
        order.sort_by(|a, b| fold.scored[*a].0.total_cmp(&fold.scored[*b].0));
        let mut before = None;
        let cases = order.into_iter().map(|n| {
            let (score, came) = fold.scored[n];
            let tied = before.replace(score).is_some_and(|b: f64| b >= score);
            (numbers[n], came, tied)
        });
        Self { cases: cases.collect(), blocks: held.len() }
    }

    /// AUC with every stretch counted so many times.
    fn auc(&self, times: &[u32]) -> Option<f64> {
        let (mut halves, mut below, mut came) = (0.0, 0.0, 0.0);
        // Of the scores that are equal.
        let (mut tied_without, mut tied_with) = (0.0, 0.0);
        for (stretch, happened, tied) in &self.cases {
            if !tied {
                halves += tied_with * (2.0 * below + tied_without);
                (below, came) = (below + tied_without, came + tied_with);
                (tied_without, tied_with) = (0.0, 0.0);
            }
            *(if *happened { &mut tied_with } else { &mut tied_without }) += f64::from(times[*stretch]);
        }
        halves += tied_with * (2.0 * below + tied_without);
        (below, came) = (below + tied_without, came + tied_with);
        (came > 0.0 && below > 0.0).then(|| halves / (2.0 * came * below))
    }
}

/// Counts of said against came for three classes: `counts[came][said]`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ClassCounts(pub [[f64; 3]; 3]);

impl ClassCounts {
    /// F1 of each class: 0 where it was neither said nor came (research §8).
    #[must_use]
    pub fn f1_by_class(&self) -> [f64; 3] {
        core::array::from_fn(|class| {
            let hits = self.0[class][class];
            let came: f64 = self.0[class].iter().sum();
            let said: f64 = self.0.iter().map(|row| row[class]).sum();
            if came + said > 0.0 { 2.0 * hits / (came + said) } else { 0.0 }
        })
    }

    /// The unweighted mean of the three.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        self.f1_by_class().iter().sum::<f64>() / 3.0
    }
}

/// Spearman's rank correlation, equal values at their mean rank; `None` where one side does not vary.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(x), ranks(y));
    let centre = (float(x.len()) + 1.0) / 2.0;
    let products = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(u, v)| (u - centre) * (v - centre)).sum::<f64>();
    let spread = (products(&a, &a) * products(&b, &b)).sqrt();
    (spread > 0.0 && x.len() == y.len()).then(|| products(&a, &b) / spread)
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
    let mut ranks = vec![0.0; x.len()];
    for equal in order.chunk_by(|a, b| x[*a] >= x[*b]) {
        let first = order.partition_point(|n| x[*n] < x[equal[0]]);
        let mean = float(first) + (float(equal.len()) + 1.0) / 2.0;
        equal.iter().for_each(|n| ranks[*n] = mean);
    }
    ranks
}

/// Root of the mean squared error, and `1 − SSE/SSE` of references that have a number of their own for every case (the training mean of
/// its fold). `None` without cases; the second also where the references are perfect.
#[must_use]
pub fn rmse_and_r2(said: &[f64], came: &[f64], references: &[f64]) -> (Option<f64>, Option<f64>) {
    let squares = |of: &[f64]| of.iter().zip(came).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let (ours, theirs) = (squares(said), squares(references));
    let rmse = (!said.is_empty()).then(|| (ours / float(said.len())).sqrt());
    (rmse, (theirs > 0.0).then(|| 1.0 - ours / theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_verify::scores::auc;

    fn fold(n: i64, skill: f64, seed: u64) -> ScoredFold {
        let mut random = SplitMix::new(seed);
        let times = (0..n).map(|s| Ts(0) + Span::secs(s)).collect();
        let scored = (0..n).map(|_| {
            let x = (20.0 * random.unit()).floor();
            (x, random.unit() < 0.5 + skill * (x - 9.5) / 20.0)
        });
        ScoredFold { times, scored: scored.collect() }
    }

    #[test]
    fn a_resample_in_which_every_stretch_comes_once_is_the_whole() {
        let fold = fold(1_000, 0.4, 3);
        let stretches = Stretches::of(&fold, Span::secs(60));
        assert_eq!(stretches.blocks, 17);
        let (got, want) = (stretches.auc(&[1; 17]).unwrap(), auc(fold.scored.iter().copied()).unwrap());
        assert!((got - want).abs() < 1e-14, "{got} is not {want}");
        assert_eq!(Stretches { blocks: 1, cases: vec![(0, true, false)] }.auc(&[1]), None);
    }

    #[test]
    fn resamples_lie_around_the_mean_of_the_folds() {
        let folds = [fold(3_000, 0.4, 5), fold(3_000, 0.4, 6)];
        let mean = folds.iter().map(|f| auc(f.scored.iter().copied()).unwrap()).sum::<f64>() / 2.0;
        let values = auc_resamples(&folds, Span::secs(60)).unwrap();
        let (n, centre) = (float(values.len()), values.iter().sum::<f64>() / float(values.len()));
        let sd = (values.iter().map(|v| (v - centre) * (v - centre)).sum::<f64>() / n).sqrt();
        // Hanley and McNeil's deviation for 3,000 independent cases of even outcomes, halved in variance by two folds.
        assert!((centre - mean).abs() < 2e-3 && (sd - 0.0074).abs() < 0.0012, "{centre} {mean} {sd}");
        assert_eq!(auc_resamples(&[fold(300, 0.4, 5)], Span::secs(60)), None);
    }

    #[test]
    fn classes_and_ranks_by_hand() {
        let counts = ClassCounts([[4.0, 1.0, 0.0], [2.0, 3.0, 0.0], [0.0, 0.0, 0.0]]);
        let f1 = counts.f1_by_class();
        assert!((f1[0] - 8.0 / 11.0).abs() < 1e-15 && (f1[1] - 6.0 / 9.0).abs() < 1e-15 && f1[2].abs() < 1e-15);
        assert!((counts.macro_f1() - (8.0 / 11.0 + 6.0 / 9.0) / 3.0).abs() < 1e-15);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[2.0, 1.0, 4.0, 3.0]).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        let (rmse, r2) = rmse_and_r2(&[1.0, 2.0], &[1.0, 4.0], &[3.0, 3.0]);
        assert!((rmse.unwrap() - 2.0_f64.sqrt()).abs() < 1e-15 && (r2.unwrap() - 0.2).abs() < 1e-15);
    }
}
