//! A sum of trees, as data: what the tree library grew, in a form that is kept, read back and taken apart.

use super::features::{Features, RowTile};
use serde::{Deserialize, Serialize};

/// One node of a tree.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum TreeNode {
    /// What a row that ends here adds.
    Leaf {
        /// Added to the margin.
        value: f64,
        /// Curvature of the training rows in it, which is their number under squared loss.
        cover: f64,
    },
    /// A question of one column.
    Split {
        /// The column.
        column: u32,
        /// A number below it goes left.
        below: f64,
        /// Child of numbers below.
        left: u32,
        /// Child of all other numbers.
        right: u32,
        /// Child of missing numbers: one of the two, or a third.
        missing: u32,
        /// Cover of its leaves together.
        cover: f64,
        /// What the split gained in training.
        gain: f64,
    },
}

impl TreeNode {
    /// Cover of the training rows that came through.
    #[must_use]
    pub const fn cover(&self) -> f64 {
        match self {
            Self::Leaf { cover, .. } | Self::Split { cover, .. } => *cover,
        }
    }
}

/// One tree; its root is node 0, and children stand behind their parents.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoostedTree {
    /// The nodes.
    pub nodes: Vec<TreeNode>,
}

impl BoostedTree {
    /// Place of the child that a number leads to; `None` at a leaf. NaN is missing.
    pub(crate) fn next(&self, at: usize, value: impl FnOnce(usize) -> f64) -> Option<usize> {
        match self.nodes[at] {
            TreeNode::Leaf { .. } => None,
            TreeNode::Split { column, below, left, right, missing, .. } => {
                let x = value(wide(column));
                let to = if x < below {
                    left
                } else if x.is_nan() {
                    missing
                } else {
                    right
                };
                Some(wide(to))
            }
        }
    }

    /// The leaf that a row ends in.
    pub(crate) fn leaf(&self, value: impl Fn(usize) -> f64) -> usize {
        let mut at = 0;
        while let Some(next) = self.next(at, &value) {
            at = next;
        }
        at
    }

    /// What a leaf adds; 0 of a split.
    pub(crate) fn value(&self, at: usize) -> f64 {
        match self.nodes[at] {
            TreeNode::Leaf { value, .. } => value,
            TreeNode::Split { .. } => 0.0,
        }
    }
}

/// A node's or a column's number as an index.
pub(crate) fn wide(n: u32) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// A fitted sum of trees; its margin is the base and what every tree adds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Forest {
    /// Margin before the first tree.
    pub base: f64,
    /// Columns of the features it was grown on.
    pub columns: usize,
    /// The trees in the order grown.
    pub trees: Vec<BoostedTree>,
}

impl Forest {
    /// Margins of some rows: log odds of a yes, or the number itself.
    ///
    /// # Panics
    /// When the features have fewer columns than the forest, or a row is not there.
    #[must_use]
    pub fn margins(&self, features: &Features, rows: &[u32]) -> Vec<f64> {
        assert!(features.columns() >= self.columns, "{} columns of {}", features.columns(), self.columns);
        let mut margins = vec![self.base; rows.len()];
        RowTile::over(features, rows, |first, block| {
            for tree in &self.trees {
                for (margin, row) in margins[first..].iter_mut().zip(block.iter()) {
                    *margin += tree.value(tree.leaf(|c| row[c]));
                }
            }
        });
        margins
    }

    /// What the splits of each column gained in training, summed. Shown, never ranked: it favours columns with many values.
    #[must_use]
    pub fn gains(&self) -> Vec<f64> {
        let mut gains = vec![0.0; self.columns];
        for node in self.trees.iter().flat_map(|t| &t.nodes) {
            if let TreeNode::Split { column, gain, .. } = node {
                gains[wide(*column)] += gain;
            }
        }
        gains
    }
}
