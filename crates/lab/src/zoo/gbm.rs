//! Gradient boosting: small trees, each grown on what those before it leave unexplained (Friedman 2001).
//!
//! `forust-ml` bins columns and grows trees. The boosting around it is here, because the library's own takes exponentials of the
//! platform, whose last bits differ; and because bins are made once for all questions and configurations. Nothing is drawn at random;
//! threads, where allowed, change no bit.

use super::binned::Binned;
use super::calibrate::sigmoid;
use super::features::{Features, float};
use super::forest::{BoostedTree, Forest, TreeNode};
use super::recipe::{FitThreads, Preset, RecipeError, TrainSet, ZooTask};
use barograph_domain::math::{exp, ln};
use forust_ml::data::Matrix;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::Tree;

/// One configuration of boosting, whoever grows the trees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GbmConfig {
    /// Trees at most.
    pub rounds: usize,
    /// Rounds without a better inner loss after which it ends.
    pub patience: usize,
    /// Share of each tree that is taken.
    pub rate: f32,
    /// Splits on the way to a leaf at most.
    pub depth: usize,
}

impl GbmConfig {
    /// Rows that a leaf rests on at least.
    pub const LEAF_ROWS: u8 = 20;
    /// Ridge on what a leaf adds.
    pub const RIDGE: f32 = 1.0;

    /// What a preset tries, one configuration after another; the inner loss chooses.
    #[must_use]
    pub const fn of(preset: Preset) -> &'static [Self] {
        const QUICK: [GbmConfig; 1] = [GbmConfig { rounds: 200, patience: 25, rate: 0.1, depth: 5 }];
        const BEST: [GbmConfig; 3] = [
            GbmConfig { rounds: 1_000, patience: 50, rate: 0.03, depth: 4 },
            GbmConfig { rounds: 1_000, patience: 50, rate: 0.03, depth: 6 },
            GbmConfig { rounds: 1_000, patience: 50, rate: 0.03, depth: 8 },
        ];
        match preset {
            Preset::Quick => &QUICK,
            Preset::Best => &BEST,
        }
    }
}

/// A forest for each question, and how many configurations were fitted.
pub(super) fn fit(train: &TrainSet<'_>, task: ZooTask, preset: Preset) -> Result<(Vec<Forest>, usize), RecipeError> {
    let binned = Binned::of(train.features, train.fit, train.threads).ok_or(RecipeError::Degenerate)?;
    let configs = GbmConfig::of(preset);
    let weights = (train.weights_of(train.fit), train.weights_of(train.inner));
    let forests = (0..task.heads()).map(|head| {
        let labels = (train.asked(task, head, train.fit), train.asked(task, head, train.inner));
        let target = Target::of(task, &labels.0, &weights.0)?;
        let job = Job { train, binned: &binned, target, labels: &labels, weights: &weights };
        let mut best: Option<(f64, Forest)> = None;
        for config in configs {
            let (loss, forest) = job.run(*config);
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, forest));
            }
        }
        best.map(|(_, forest)| forest).ok_or(RecipeError::Degenerate)
    });
    Ok((forests.collect::<Result<_, _>>()?, configs.len()))
}

/// What is boosted: log loss of log odds, or squared loss of a number in deviations of the training labels.
#[derive(Clone, Copy)]
struct Target {
    logistic: bool,
    base: f64,
    /// Labels are divided by it: gradients are kept in 32 bits, and returns are small.
    scale: f64,
}

impl Target {
    fn of(task: ZooTask, labels: &[f64], weights: &[f64]) -> Result<Self, RecipeError> {
        let total: f64 = weights.iter().sum();
        let mean = labels.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>() / total;
        let variance = labels.iter().zip(weights).map(|(y, w)| w * (y - mean) * (y - mean)).sum::<f64>() / total;
        if variance <= 0.0 || !variance.is_finite() {
            return Err(RecipeError::OneOutcome);
        }
        Ok(match task {
            ZooTask::Binary | ZooTask::Classes => Self { logistic: true, base: ln(mean / (1.0 - mean)), scale: 1.0 },
            ZooTask::Regression => Self { logistic: false, base: mean, scale: variance.sqrt() },
        })
    }

    /// Slope and curvature of the loss of one row; margins are in units of the scale, from the base on.
    #[expect(clippy::cast_possible_truncation, reason = "the tree library takes 32 bits")]
    fn slope(self, y: f64, margin: f64, weight: f64) -> (f32, f32) {
        if self.logistic {
            let p = sigmoid(self.base + margin);
            (((p - y) * weight) as f32, (p * (1.0 - p) * weight) as f32)
        } else {
            (((margin - (y - self.base) / self.scale) * weight) as f32, weight as f32)
        }
    }

    fn loss(self, y: f64, margin: f64) -> f64 {
        if self.logistic {
            let m = self.base + margin;
            // ln(1 + e^m) − y·m, without overflow.
            m.max(0.0) + ln(1.0 + exp(-m.abs())) - y * m
        } else {
            let d = margin - (y - self.base) / self.scale;
            d * d
        }
    }

    /// Least curvature in a leaf.
    fn leaf_min(self) -> f32 {
        let rows = f32::from(GbmConfig::LEAF_ROWS);
        if self.logistic { rows * self.curvature() } else { rows }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the tree library takes 32 bits")]
    fn curvature(self) -> f32 {
        let p = sigmoid(self.base);
        (p * (1.0 - p)) as f32
    }
}

struct Job<'a> {
    train: &'a TrainSet<'a>,
    binned: &'a Binned,
    target: Target,
    /// Of the rows to fit on and of the inner ones.
    labels: &'a (Vec<f64>, Vec<f64>),
    weights: &'a (Vec<f64>, Vec<f64>),
}

impl Job<'_> {
    /// The forest of one configuration, cut back to its best round, and its inner loss.
    fn run(&self, config: GbmConfig) -> (f64, Forest) {
        let (target, binned) = (self.target, self.binned);
        let parallel = self.train.threads == FitThreads::All;
        let data = Matrix::new(&binned.bins, binned.rows, binned.columns);
        let columns: Vec<usize> = (0..binned.columns).collect();
        let splitter = MissingImputerSplitter {
            l1: 0.0,
            l2: GbmConfig::RIDGE,
            max_delta_step: 0.0,
            gamma: 0.0,
            min_leaf_weight: target.leaf_min(),
            learning_rate: config.rate,
            allow_missing_splits: true,
            constraints_map: Default::default(),
        };
        let mut margins = vec![0.0; binned.rows];
        let mut inner = vec![0.0; self.train.inner.len()];
        let (mut grad, mut hess) = (vec![0.0; binned.rows], vec![0.0; binned.rows]);
        let mut trees: Vec<BoostedTree> = Vec::new();
        let (mut least, mut kept) = (f64::INFINITY, 0);
        for round in 0..config.rounds {
            for (i, (y, w)) in self.labels.0.iter().zip(&self.weights.0).enumerate() {
                (grad[i], hess[i]) = target.slope(*y, margins[i], *w);
            }
            let mut grown = Tree::new();
            let ends = grown.fit_with_tiles(
                &data,
                data.index.clone(),
                &columns,
                &binned.cuts,
                &grad,
                &hess,
                &splitter,
                usize::MAX,
                config.depth,
                parallel,
                &SampleMethod::None,
                &GrowPolicy::DepthWise,
                Some(&binned.tiles),
            );
            let tree = taken(&grown);
            match ends {
                Some(ends) => ends.leaves(&grown).for_each(|(rows, v)| rows.iter().for_each(|r| margins[*r] += v)),
                None => add(&tree, self.train.features, self.train.fit, &mut margins),
            }
            add(&tree, self.train.features, self.train.inner, &mut inner);
            trees.push(tree);
            let loss = self.inner_loss(&inner);
            if loss < least {
                (least, kept) = (loss, round + 1);
            } else if round + 1 - kept >= config.patience {
                break;
            }
        }
        trees.truncate(kept.max(1));
        for leaf in trees.iter_mut().flat_map(|t| &mut t.nodes) {
            if let TreeNode::Leaf { value, .. } = leaf {
                *value *= target.scale;
            }
        }
        (least, Forest { base: target.base, columns: binned.columns, trees })
    }

    fn inner_loss(&self, margins: &[f64]) -> f64 {
        let losses = margins.iter().zip(&self.labels.1).zip(&self.weights.1);
        losses.map(|((m, y), w)| w * self.target.loss(*y, *m)).sum::<f64>() / float(margins.len())
    }
}

fn add(tree: &BoostedTree, features: &Features, rows: &[u32], margins: &mut [f64]) {
    for (margin, row) in margins.iter_mut().zip(rows) {
        *margin += tree.value(tree.leaf(|c| features.value(*row, c)));
    }
}

/// The library's tree as ours. Covers of splits are the sums of their leaves', so that shares of children add up to one exactly.
fn taken(grown: &Tree) -> BoostedTree {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut nodes: Vec<TreeNode> = grown
        .nodes
        .iter()
        .map(|n| {
            let cover = f64::from(n.hessian_sum);
            if n.is_leaf {
                TreeNode::Leaf { value: f64::from(n.weight_value), cover }
            } else {
                TreeNode::Split {
                    column: narrow(n.split_feature),
                    below: n.split_value,
                    left: narrow(n.left_child),
                    right: narrow(n.right_child),
                    missing: narrow(n.missing_node),
                    cover,
                    gain: f64::from(n.split_gain),
                }
            }
        })
        .collect();
    for at in (0..nodes.len()).rev() {
        if let TreeNode::Split { left, right, missing, .. } = nodes[at] {
            let third =
                if missing == left || missing == right { 0.0 } else { nodes[super::forest::wide(missing)].cover() };
            let sum = nodes[super::forest::wide(left)].cover() + nodes[super::forest::wide(right)].cover() + third;
            if let TreeNode::Split { cover, .. } = &mut nodes[at] {
                *cover = sum;
            }
        }
    }
    BoostedTree { nodes }
}
