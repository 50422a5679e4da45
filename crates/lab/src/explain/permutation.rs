//! Permutation importance (Breiman 2001): how much worse a model is when a column, or a group of columns together, is that of other rows.
//!
//! Blocks of consecutive rows change places, so that a column keeps its own rhythm and only loses its rows. Columns that say the same
//! mask each other; that is what groups are for. A boosted model is asked again only where a row's path meets the column, a line only for
//! its term: a hundred thousand rows of 197 columns take seconds.

use crate::zoo::{Features, TreeNode};
use crate::zoo::{FittedModel, Forest, LinearScorer, ZooTask, features::place, fitted::Parts, shuffle::permuted};
use barograph_domain::math::ln;
use barograph_domain::random::SplitMix;
use barograph_engine::kernel::student::student_p;
use serde::{Deserialize, Serialize};

/// How columns are permuted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PermutationPlan {
    /// Rows of a block.
    pub block_rows: usize,
    /// Permutations of each column.
    pub repeats: usize,
    /// Decides them; every column has the same.
    pub seed: u64,
}

impl Default for PermutationPlan {
    /// 300 rows, five times (research §9).
    fn default() -> Self {
        Self { block_rows: 300, repeats: 5, seed: 1 }
    }
}

/// How much worse the model gets without a column or a group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ImportanceRow {
    /// The columns permuted together.
    pub columns: Vec<usize>,
    /// Increase of the loss in every repeat, or of every window: nats of a question, squared units of a number.
    pub increases: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their sample deviation.
    pub sd: f64,
    /// Lower end of the 95 % band of the mean by Student's t.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided chance of such a mean where there is no increase.
    pub p: f64,
}

impl ImportanceRow {
    /// `None` of fewer than two increases.
    #[must_use]
    pub fn of(columns: Vec<usize>, increases: Vec<f64>) -> Option<Self> {
        (increases.len() >= 2).then(|| Self::over(columns, increases))
    }

    /// Of at least two increases.
    fn over(columns: Vec<usize>, increases: Vec<f64>) -> Self {
        let n = float(increases.len());
        let mean = increases.iter().sum::<f64>() / n;
        let sd = (increases.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0)).sqrt();
        let error = sd / n.sqrt();
        let p = match () {
            () if error > 0.0 => student_p(mean / error, n - 1.0),
            () if mean.abs() > 0.0 => 0.0,
            () => 1.0,
        };
        let reach = t_quantile(0.05, n - 1.0) * error;
        Self { columns, increases, mean, sd, low: mean - reach, high: mean + reach, p }
    }
}

/// The size that Student's t exceeds with this two-sided chance, by bisection of its tail.
pub(crate) fn t_quantile(chance: f64, dof: f64) -> f64 {
    let (mut low, mut high) = (0.0, 100.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if student_p(middle, dof) > chance { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The importance of each group over windows: one increase per window, the mean of its repeats. The lists have the same groups.
#[must_use]
pub fn over_windows(windows: &[Vec<ImportanceRow>]) -> Vec<ImportanceRow> {
    let Some(first) = windows.first() else { return Vec::new() };
    let of = |(at, row): (usize, &ImportanceRow)| {
        let means = windows.iter().filter_map(|w| w.get(at)).filter(|r| r.columns == row.columns).map(|r| r.mean);
        ImportanceRow::of(row.columns.clone(), means.collect())
    };
    first.iter().enumerate().filter_map(of).collect()
}

/// Importance of each group of columns on these rows, in the order given; `labels` has a label for every row of the features. `None` where
/// there is no [`PermutationRun`] of them.
///
/// # Panics
/// When a row, a label or a column is not there.
#[must_use]
pub fn permutation_importance(
    model: &FittedModel,
    features: &Features,
    labels: &[f64],
    rows: &[u32],
    groups: &[Vec<usize>],
    plan: PermutationPlan,
) -> Option<Vec<ImportanceRow>> {
    let mut run = PermutationRun::new(model, features, labels, rows, plan)?;
    Some(groups.iter().map(|group| run.of(group)).collect())
}

/// A model's rows with their permutations, asked for one group of columns after another: what is said of a group does not depend on the
/// groups before it.
#[derive(Debug)]
pub struct PermutationRun<'a> {
    model: &'a FittedModel,
    sample: Features,
    labels: Vec<f64>,
    all: Vec<u32>,
    orders: Vec<Vec<usize>>,
    scores: Vec<Vec<f64>>,
    /// Loss of each row as the columns are.
    before: Vec<f64>,
    paths: Vec<Paths>,
}

impl<'a> PermutationRun<'a> {
    /// Of a model on these rows; `labels` has a label for every row of the features. `None` where the rows are fewer than two blocks, or
    /// the plan has fewer than two repeats.
    ///
    /// # Panics
    /// When a row or a label is not there.
    #[must_use]
    pub fn new(
        model: &'a FittedModel,
        features: &Features,
        labels: &[f64],
        rows: &[u32],
        plan: PermutationPlan,
    ) -> Option<Self> {
        if rows.len() < 2 * plan.block_rows.max(1) || plan.repeats < 2 {
            return None;
        }
        let mut seeds = SplitMix::new(plan.seed);
        let orders = (0..plan.repeats).map(|_| permuted(rows.len(), plan.block_rows, seeds.bits())).collect();
        let sample = features.gathered(rows);
        let labels: Vec<f64> = rows.iter().map(|r| labels[place(*r)]).collect();
        let all: Vec<u32> = (0..).take(rows.len()).collect();
        let scores = model.scores(&sample, &all);
        let before = losses(model, &scores, &labels);
        let paths = model.forests().iter().map(|f| Paths::of(f, &sample)).collect();
        Some(Self { model, sample, labels, all, orders, scores, before, paths })
    }

    /// How much worse the model is without a group of columns. The loss is the logarithmic loss of the calibrated probabilities, or the
    /// squared error.
    ///
    /// # Panics
    /// When a column is not there.
    #[must_use]
    pub fn of(&mut self, group: &[usize]) -> ImportanceRow {
        let moved = self.moved(group);
        self.row(group, &moved)
    }

    /// The same, and the mean increase over the rows of each class alone; `classes` has one for every row, in the order of the rows, where it is
    /// known. `None` of a class with fewer rows than a block.
    ///
    /// # Panics
    /// When a column or a class is not there.
    #[must_use]
    pub fn by_class<const N: usize>(
        &mut self,
        group: &[usize],
        classes: &[Option<usize>],
        block_rows: usize,
    ) -> (ImportanceRow, [Option<f64>; N]) {
        let moved = self.moved(group);
        let (mut sums, mut rows) = ([0.0; N], [0_usize; N]);
        for losses in &moved {
            for ((after, before), class) in losses.iter().zip(&self.before).zip(classes) {
                if let Some(class) = class {
                    sums[*class] += after - before;
                    rows[*class] += 1;
                }
            }
        }
        let least = block_rows * moved.len();
        let means = core::array::from_fn(|n| (rows[n] >= least.max(1)).then(|| sums[n] / float(rows[n])));
        (self.row(group, &moved), means)
    }

    fn row(&self, group: &[usize], moved: &[Vec<f64>]) -> ImportanceRow {
        let before = mean(&self.before);
        ImportanceRow::over(group.to_vec(), moved.iter().map(|losses| mean(losses) - before).collect())
    }

    /// Loss of each row without a group of columns, for every repeat.
    fn moved(&mut self, group: &[usize]) -> Vec<Vec<f64>> {
        let Self { model, sample, labels, all, orders, scores, paths, .. } = self;
        let mut chosen = vec![false; sample.columns()];
        group.iter().for_each(|c| chosen[*c] = true);
        let without = orders.iter().map(|order| {
            let moved = match model.parts() {
                Parts::Forests(forests) => {
                    let each = forests.iter().zip(&*paths).zip(&*scores);
                    each.map(|((f, p), s)| p.moved(f, sample, &chosen, order, s)).collect()
                }
                Parts::Lines(lines) => {
                    lines.iter().zip(&*scores).map(|(l, s)| moved_line(l, sample, &chosen, order, s)).collect()
                }
                Parts::Whole => {
                    let kept: Vec<Vec<f64>> = group.iter().map(|c| sample.column(*c).to_vec()).collect();
                    for (column, kept) in group.iter().zip(&kept) {
                        sample.column_mut(*column).iter_mut().zip(order).for_each(|(x, from)| *x = kept[*from]);
                    }
                    let moved = model.scores(sample, all);
                    group.iter().zip(&kept).for_each(|(c, kept)| sample.column_mut(*c).copy_from_slice(kept));
                    moved
                }
            };
            losses(model, &moved, labels)
        });
        without.collect()
    }
}

fn mean(losses: &[f64]) -> f64 {
    losses.iter().sum::<f64>() / float(losses.len())
}

fn losses(model: &FittedModel, scores: &[Vec<f64>], labels: &[f64]) -> Vec<f64> {
    let answers = model.answers_of(scores);
    let of = |(n, y): (usize, &f64)| match model.task() {
        ZooTask::Regression => (answers[0][n] - y) * (answers[0][n] - y),
        task => {
            let said =
                (0..task.heads()).map(|h| if task.asked(*y, h) > 0.5 { answers[h][n] } else { 0.0 }).sum::<f64>();
            // The one question of a binary target may have come out as no.
            let said = if task == ZooTask::Binary && *y < 0.5 { 1.0 - answers[0][n] } else { said };
            -ln(said.max(1e-6))
        }
    };
    labels.iter().enumerate().map(of).collect()
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Margins with some columns taken from other rows.
fn moved_line(line: &LinearScorer, sample: &Features, chosen: &[bool], order: &[usize], scores: &[f64]) -> Vec<f64> {
    let part = |row: usize| line.part(|c| chosen[c].then(|| sample.column(c)[row]));
    let parts: Vec<f64> = (0..scores.len()).map(part).collect();
    scores.iter().zip(order).enumerate().map(|(n, (s, from))| s + parts[*from] - parts[n]).collect()
}

/// The leaf that every row ends in, tree by tree.
#[derive(Debug)]
struct Paths {
    leaves: Vec<Vec<u32>>,
}

impl Paths {
    fn of(forest: &Forest, sample: &Features) -> Self {
        let leaf = |tree: &crate::zoo::BoostedTree, row: usize| {
            u32::try_from(tree.leaf(|c| sample.column(c)[row])).unwrap_or(u32::MAX)
        };
        let of = |tree| (0..sample.rows()).map(|row| leaf(tree, row)).collect();
        Self { leaves: forest.trees.iter().map(of).collect() }
    }

    fn moved(&self, forest: &Forest, sample: &Features, chosen: &[bool], order: &[usize], scores: &[f64]) -> Vec<f64> {
        let mut moved = scores.to_vec();
        for (tree, leaves) in forest.trees.iter().zip(&self.leaves) {
            // Nodes whose path asks a chosen column; children stand behind their parents.
            let mut asks = vec![false; tree.nodes.len()];
            let mut any = false;
            for (at, node) in tree.nodes.iter().enumerate() {
                let TreeNode::Split { column, left, right, missing, .. } = node else { continue };
                let here = asks[at] || chosen[place(*column)];
                any |= here;
                [left, right, missing].into_iter().for_each(|child| asks[place(*child)] |= here);
            }
            if !any {
                continue;
            }
            for ((n, leaf), from) in leaves.iter().enumerate().zip(order) {
                let before = place(*leaf);
                if asks[before] {
                    let after = tree.leaf(|c| sample.column(c)[if chosen[c] { *from } else { n }]);
                    moved[n] += tree.value(after) - tree.value(before);
                }
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_students_t() {
        let row = ImportanceRow::of(vec![3], vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        // t(4) at 97.5 % is 2.776445; the deviation of 1 … 5 is √2.5.
        let reach = 2.776_445_105_197_798 * (2.5_f64 / 5.0).sqrt();
        assert!((row.low - (3.0 - reach)).abs() < 1e-9 && (row.high - (3.0 + reach)).abs() < 1e-9, "{row:?}");
        assert!((row.p - 0.013_235).abs() < 1e-4, "{}", row.p);
        let still = ImportanceRow::of(vec![], vec![0.0, 0.0]).unwrap();
        assert!((still.p - 1.0).abs() < 1e-15 && still.high.abs() < 1e-15);
        assert_eq!(ImportanceRow::of(vec![], vec![1.0]), None);
        assert!((t_quantile(0.05, 1.0) - 12.706_204_736).abs() < 1e-8);
    }
}
