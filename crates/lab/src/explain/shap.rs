//! Shapley values: what each column adds to one margin, so that the parts add up to it.
//!
//! Of trees they are exact and follow the training rows down the tree (Lundberg, Erion and Lee, "Consistent individualized feature
//! attribution for tree ensembles", 2018). A leaf is a game of its own: the columns asked on its path are the players, a known column lets
//! the leaf's value through or stops it, an unknown one lets through the share of training cover that went that way. What a player earns
//! then depends only on which questions the row answers the leaf's way, so it is worked out once for each pattern of answers.

use crate::zoo::{BoostedTree, Features, Forest, LinearScorer, TreeNode};

/// Parts of the margins of some rows.
#[derive(Clone, PartialEq, Debug)]
pub struct ShapValues {
    /// What is said of a row of which nothing is known: the mean margin over training cover.
    pub base: f64,
    columns: usize,
    /// Row by row.
    parts: Vec<f64>,
}

impl ShapValues {
    /// What each column adds to the margin of a row, by its place among the rows asked for; with [`Self::base`] they add up to it.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn row(&self, at: usize) -> &[f64] {
        &self.parts[at * self.columns..(at + 1) * self.columns]
    }

    /// Rows explained.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.parts.len().checked_div(self.columns).unwrap_or_default()
    }

    /// Mean size of what each column adds; zeros without rows.
    #[must_use]
    pub fn mean_abs(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for row in self.parts.chunks_exact(self.columns.max(1)) {
            sums.iter_mut().zip(row).for_each(|(s, p)| *s += p.abs());
        }
        let n = f64::from(u32::try_from(self.rows().max(1)).unwrap_or(u32::MAX));
        sums.iter_mut().for_each(|s| *s /= n);
        sums
    }

    /// Pairs of a column's number and what it adds, row by row: the dependence plot. `rows` are those explained.
    #[must_use]
    pub fn dependence(&self, features: &Features, rows: &[u32], column: usize) -> Vec<(Option<f64>, f64)> {
        let at = |row: u32| usize::try_from(row).unwrap_or(usize::MAX);
        rows.iter().enumerate().map(|(n, r)| (features.get(at(*r), column), self.row(n)[column])).collect()
    }
}

/// Exact Shapley values of a forest's margins.
///
/// # Panics
/// When a row is not there, or a path of the forest asks more than 64 columns.
#[must_use]
pub fn tree_shap(forest: &Forest, features: &Features, rows: &[u32]) -> ShapValues {
    let columns = features.columns();
    let mut trees: Vec<Games> = forest.trees.iter().map(Games::of).collect();
    let known = trees.iter().flat_map(|t| &t.leaves).map(|l| l.value * l.shares.iter().product::<f64>());
    let base = forest.base + known.sum::<f64>();
    let mut parts = vec![0.0; rows.len() * columns];
    crate::zoo::RowTile::over(features, rows, |first, block| {
        let parts = &mut parts[first * columns..];
        for (tree, games) in forest.trees.iter().zip(&mut trees) {
            for (row, parts) in block.iter().zip(parts.chunks_exact_mut(columns)) {
                games.add(tree, row, parts);
            }
        }
    });
    ShapValues { base, columns, parts }
}

/// Patterns of answers whose earnings are kept: paths of more columns are worked out anew for each row.
const KEPT_COLUMNS: usize = 10;

/// The game of one leaf.
struct LeafGame {
    value: f64,
    /// Columns asked on the path.
    columns: Vec<usize>,
    /// Share of cover that goes the leaf's way at all questions of the column.
    shares: Vec<f64>,
    /// Node, the child the path takes there, and which of the columns is asked.
    path: Vec<(usize, usize, usize)>,
    /// Earnings by pattern of answers; empty while not yet worked out.
    kept: Vec<Vec<f64>>,
}

struct Games {
    leaves: Vec<LeafGame>,
    /// Where the row goes from each node.
    goes: Vec<usize>,
}

impl Games {
    fn of(tree: &BoostedTree) -> Self {
        let mut leaves = Vec::new();
        let mut open = vec![(0, Vec::new())];
        while let Some((at, path)) = open.pop() {
            match tree.nodes[at] {
                TreeNode::Leaf { value, .. } => leaves.push(LeafGame::of(tree, value, path)),
                TreeNode::Split { left, right, missing, .. } => {
                    let mut children = vec![left, right];
                    if missing != left && missing != right {
                        children.push(missing);
                    }
                    for child in children {
                        let mut path = path.clone();
                        let child = usize::try_from(child).unwrap_or(usize::MAX);
                        path.push((at, child));
                        open.push((child, path));
                    }
                }
            }
        }
        Self { leaves, goes: vec![usize::MAX; tree.nodes.len()] }
    }

    fn add(&mut self, tree: &BoostedTree, row: &[f64], parts: &mut [f64]) {
        for (at, goes) in self.goes.iter_mut().enumerate() {
            *goes = tree.next(at, |column| row[column]).unwrap_or(usize::MAX);
        }
        for leaf in &mut self.leaves {
            leaf.add(&self.goes, parts);
        }
    }
}

impl LeafGame {
    fn of(tree: &BoostedTree, value: f64, steps: Vec<(usize, usize)>) -> Self {
        let (mut columns, mut shares, mut path) = (Vec::new(), Vec::new(), Vec::new());
        for (node, child) in steps {
            let TreeNode::Split { column, cover, .. } = tree.nodes[node] else { continue };
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            let share = if cover > 0.0 { tree.nodes[child].cover() / cover } else { 0.0 };
            let player = columns.iter().position(|c| *c == column).unwrap_or_else(|| {
                columns.push(column);
                shares.push(1.0);
                columns.len() - 1
            });
            shares[player] *= share;
            path.push((node, child, player));
        }
        assert!(columns.len() <= 64, "a path asks {} columns", columns.len());
        let kept = if columns.len() <= KEPT_COLUMNS { vec![Vec::new(); 1 << columns.len()] } else { Vec::new() };
        Self { value, columns, shares, path, kept }
    }

    fn add(&mut self, goes: &[usize], parts: &mut [f64]) {
        let mut pattern = u64::MAX;
        for (node, child, player) in &self.path {
            if goes[*node] != *child {
                pattern &= !(1 << player);
            }
        }
        let players = self.columns.len();
        let pattern = if players < 64 { pattern & ((1 << players) - 1) } else { pattern };
        let slot = usize::try_from(pattern).unwrap_or(usize::MAX);
        if let Some(kept) = self.kept.get_mut(slot) {
            if kept.is_empty() {
                *kept = earnings(&self.shares, pattern, self.value);
            }
            self.columns.iter().zip(&*kept).for_each(|(c, e)| parts[*c] += e);
        } else {
            let earned = earnings(&self.shares, pattern, self.value);
            self.columns.iter().zip(earned).for_each(|(c, e)| parts[*c] += e);
        }
    }
}

/// What each player earns. The worth of a coalition is the value times, for its members, whether they answer the leaf's way, and for the
/// others their shares. With `Π (share + answer·y)` over the other players as a polynomial in y, coefficient s belongs to coalitions of
/// size s, each weighted `s!(k−1−s)!/k!`.
fn earnings(shares: &[f64], pattern: u64, value: f64) -> Vec<f64> {
    let k = shares.len();
    let answer = |player: usize| f64::from(u8::from(pattern >> player & 1 == 1));
    let mut earned = Vec::with_capacity(k);
    for player in 0..k {
        let mut sizes = vec![0.0; k];
        sizes[0] = 1.0;
        for (held, other) in (0..k).filter(|o| *o != player).enumerate() {
            for s in (0..=held).rev() {
                sizes[s + 1] += sizes[s] * answer(other);
                sizes[s] *= shares[other];
            }
        }
        // 1/k for the empty coalition; each size then has s/(k − s) times the weight of the one before.
        let mut weight = 1.0 / float(k);
        let mut worth = 0.0;
        for (s, size) in sizes.iter().enumerate() {
            if s > 0 {
                weight *= float(s) / float(k - s);
            }
            worth += weight * size;
        }
        earned.push(value * (answer(player) - shares[player]) * worth);
    }
    earned
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Shapley values of a straight line: a column's weight times its distance from the training mean, its indicator counted with it.
///
/// # Panics
/// When a row is not there.
#[must_use]
pub fn linear_shap(line: &LinearScorer, features: &Features, rows: &[u32]) -> ShapValues {
    let columns = features.columns();
    let sources: Vec<usize> = line.design.sources().collect();
    let mut parts = vec![0.0; rows.len() * columns];
    line.design.over(features, rows, |n, z| {
        for ((source, z), weight) in sources.iter().zip(z).zip(&line.weights) {
            parts[n * columns + source] += weight * z;
        }
    });
    ShapValues { base: line.intercept, columns, parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(value: f64, cover: f64) -> TreeNode {
        TreeNode::Leaf { value, cover }
    }

    fn split(column: u32, below: f64, [left, right, missing]: [u32; 3], cover: f64) -> TreeNode {
        TreeNode::Split { column, below, left, right, missing, cover, gain: 1.0 }
    }

    /// Three columns, one asked twice on a path, a third branch for what is missing.
    fn forest() -> Forest {
        let nodes = vec![
            split(0, 0.0, [1, 2, 1], 10.0),
            split(1, 1.0, [3, 4, 5], 6.0),
            split(0, 2.0, [6, 7, 7], 4.0),
            leaf(1.0, 3.0),
            leaf(-2.0, 2.0),
            leaf(0.5, 1.0),
            leaf(4.0, 1.5),
            split(2, 0.0, [8, 9, 8], 2.5),
            leaf(-1.0, 2.0),
            leaf(3.0, 0.5),
        ];
        let second = vec![split(2, 0.5, [1, 2, 2], 3.0), leaf(0.25, 1.0), leaf(-0.75, 2.0)];
        Forest { base: 0.125, columns: 3, trees: vec![BoostedTree { nodes }, BoostedTree { nodes: second }] }
    }

    fn rows() -> Features {
        let of = |n: i32, m: i32| (n % m != 0).then(|| f64::from(n % 7) - 3.0);
        Features::new(40, [5, 3, 4].map(|m| (0..40).map(move |n| of(n + m, m)))).unwrap()
    }

    /// The margin with only some columns known: others follow the cover.
    fn expected(tree: &BoostedTree, at: usize, row: &dyn Fn(usize) -> f64, known: usize) -> f64 {
        match tree.nodes[at] {
            TreeNode::Leaf { value, .. } => value,
            TreeNode::Split { column, left, right, missing, cover, .. } => {
                if known >> column & 1 == 1 {
                    return expected(tree, tree.next(at, row).unwrap(), row, known);
                }
                let mut children = vec![left, right, missing];
                children.dedup();
                children.sort_unstable();
                children.dedup();
                let share = |c: &u32| tree.nodes[*c as usize].cover() / cover;
                children.iter().map(|c| share(c) * expected(tree, *c as usize, row, known)).sum()
            }
        }
    }

    #[test]
    fn values_are_those_of_the_definition_over_all_coalitions() {
        let (forest, features) = (forest(), rows());
        let all: Vec<u32> = (0..40).collect();
        let got = tree_shap(&forest, &features, &all);
        for (n, r) in all.iter().enumerate() {
            let row = |c: usize| features.value(*r, c);
            let worth = |known| forest.trees.iter().map(|t| expected(t, 0, &row, known)).sum::<f64>();
            for column in 0..3_usize {
                let mut want = 0.0;
                for coalition in (0..8_usize).filter(|s| s >> column & 1 == 0) {
                    let weight = [1.0 / 3.0, 1.0 / 6.0, 1.0 / 3.0][coalition.count_ones() as usize];
                    want += weight * (worth(coalition | 1 << column) - worth(coalition));
                }
                assert!((got.row(n)[column] - want).abs() < 1e-12, "row {n}, column {column}");
            }
            assert!((got.base - forest.base - worth(0)).abs() < 1e-12);
        }
        let margins = forest.margins(&features, &all);
        for (n, margin) in margins.iter().enumerate() {
            assert!((got.base + got.row(n).iter().sum::<f64>() - margin).abs() < 1e-12);
        }
    }

    #[test]
    fn a_path_of_many_columns_adds_up_too() {
        let mut nodes = Vec::new();
        for c in 0..14_u32 {
            nodes.push(split(c, 0.5, [2 * c + 1, 2 * c + 2, 2 * c + 1], f64::from(30 - 2 * c)));
            nodes.push(leaf(f64::from(c), 2.0));
        }
        nodes.push(leaf(50.0, 2.0));
        let forest = Forest { base: 0.0, columns: 14, trees: vec![BoostedTree { nodes }] };
        let features =
            Features::new(20, (0..14).map(|c| (0..20).map(move |n| Some(f64::from((n + c) % 19 / 2 % 9).min(1.0)))))
                .unwrap();
        let all: Vec<u32> = (0..20).collect();
        let (got, margins) = (tree_shap(&forest, &features, &all), forest.margins(&features, &all));
        for (n, margin) in margins.iter().enumerate() {
            assert!((got.base + got.row(n).iter().sum::<f64>() - margin).abs() < 1e-10, "{n}");
        }
    }
}
