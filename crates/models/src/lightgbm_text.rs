//! LightGBM's model text as a forest of the zoo: what `Tree::ToString` of LightGBM 4 writes (`src/io/tree.cpp`).
//!
//! There a number up to the threshold goes left; here one below a bound does, so the bound is the next number above the threshold. What
//! is missing goes where the split says; where none was missing in training, the library counts it as 0. Splits of categories and leaves
//! that are lines it grows only when asked, and they are refused.

use barograph_lab::zoo::{BoostedTree, Forest, TreeNode};
use std::collections::BTreeMap;

/// Bits of `decision_type`.
const CATEGORY: u8 = 1;
const DEFAULT_LEFT: u8 = 2;
const MISSING_SHIFT: u8 = 2;

/// The trees of a text, over so many columns; their first one holds the base.
pub(crate) fn forest_of(text: &str, columns: usize) -> Result<Forest, String> {
    let body = text.split("end of trees").next().unwrap_or_default();
    let trees = body.split("\nTree=").skip(1).map(|block| tree_of(block, columns)).collect::<Result<_, _>>()?;
    Ok(Forest { base: 0.0, columns, trees })
}

/// The lines of one tree by name.
struct Block<'a>(BTreeMap<&'a str, &'a str>);

impl Block<'_> {
    fn numbers<T: core::str::FromStr>(&self, name: &str) -> Result<Vec<T>, String> {
        let line = self.0.get(name).copied().unwrap_or_default();
        let read = |word: &str| word.parse().map_err(|_unread| format!("'{word}' in {name} of a tree is not known"));
        line.split_ascii_whitespace().map(read).collect()
    }
}

fn tree_of(block: &str, columns: usize) -> Result<BoostedTree, String> {
    let block = Block(block.lines().filter_map(|line| line.split_once('=')).collect());
    let whole = |name: &str| Ok::<_, String>(block.numbers::<u8>(name)?.iter().any(|n| *n > 0));
    if whole("num_cat")? || whole("is_linear")? {
        return Err("a tree has splits of categories, or lines in its leaves".to_owned());
    }
    let values: Vec<f64> = block.numbers("leaf_value")?;
    let counts: Vec<f64> = block.numbers("leaf_count")?;
    let splits: Vec<u32> = block.numbers("split_feature")?;
    let inside = splits.len();
    if values.len() != inside + 1 {
        return Err(format!("a tree has {} leaves and {inside} splits", values.len()));
    }
    let (thresholds, gains) = (block.numbers::<f64>("threshold")?, block.numbers::<f64>("split_gain")?);
    let (lefts, rights) = (block.numbers::<i64>("left_child")?, block.numbers::<i64>("right_child")?);
    let decisions: Vec<u8> = block.numbers("decision_type")?;
    let place = |child: i64| {
        // A leaf is written as the complement of its number.
        let at = if child < 0 { i64::try_from(inside).ok()? + !child } else { child };
        u32::try_from(at).ok().filter(|_| at < i64::try_from(2 * inside + 1).unwrap_or(i64::MAX))
    };
    let mut nodes = Vec::with_capacity(2 * inside + 1);
    for (at, column) in splits.iter().enumerate() {
        let cell = || {
            let (threshold, decision) = (*thresholds.get(at)?, *decisions.get(at)?);
            let (left, right) = (place(*lefts.get(at)?)?, place(*rights.get(at)?)?);
            Some((threshold, decision, left, right, *gains.get(at)?))
        };
        let cut_off = || format!("split {at} of a tree is cut off");
        let (threshold, decision, left, right, gain) = cell().ok_or_else(cut_off)?;
        let behind = |child: u32| usize::try_from(child).is_ok_and(|child| child > at);
        let known = usize::try_from(*column).is_ok_and(|c| c < columns) && behind(left) && behind(right);
        if decision & CATEGORY != 0 || !known || threshold.is_nan() {
            return Err(format!("split {at} of a tree is none of numbers"));
        }
        let missing_left = match decision >> MISSING_SHIFT {
            // None was missing in training.
            0 => 0.0 <= threshold,
            2 => decision & DEFAULT_LEFT != 0,
            _ => return Err(format!("split {at} of a tree takes zeros for missing")),
        };
        let missing = if missing_left { left } else { right };
        // An infinite threshold parts what is missing from every number; a file of JSON holds no infinity.
        let below = threshold.next_up().clamp(f64::MIN, f64::MAX);
        nodes.push(TreeNode::Split { column: *column, below, left, right, missing, cover: 0.0, gain });
    }
    // A tree of one leaf has no count.
    nodes.extend(
        values
            .iter()
            .enumerate()
            .map(|(at, value)| TreeNode::Leaf { value: *value, cover: counts.get(at).copied().unwrap_or(1.0) }),
    );
    covered(&mut nodes);
    Ok(BoostedTree { nodes })
}

/// Covers of splits are the sums of their leaves'.
fn covered(nodes: &mut [TreeNode]) {
    for at in (0..nodes.len()).rev() {
        if let TreeNode::Split { left, right, .. } = nodes[at] {
            let of = |child: u32| usize::try_from(child).ok().and_then(|c| nodes.get(c)).map_or(0.0, TreeNode::cover);
            let sum = of(left) + of(right);
            if let TreeNode::Split { cover, .. } = &mut nodes[at] {
                *cover = sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=1 0\nsplit_gain=5 2\nthreshold=0.5 -1\n\
                        decision_type=2 8\nleft_child=1 -1\nright_child=-2 -3\nleaf_value=1 2 3\nleaf_count=10 20 30\nis_linear=0\n\n\
                        Tree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.25\nis_linear=0\n\nend of trees\n";

    #[test]
    fn a_tree_by_hand() {
        let forest = forest_of(TREE, 2).unwrap();
        let split = |at: usize| match forest.trees[0].nodes[at] {
            TreeNode::Split { column, below, left, right, missing, cover, .. } => {
                (column, below, left, right, missing, cover)
            }
            TreeNode::Leaf { .. } => panic!("{at} is a leaf"),
        };
        // What is missing counts as 0 in the first, and goes right in the second.
        assert_eq!(split(0), (1, 0.5_f64.next_up(), 1, 3, 1, 60.0));
        assert_eq!(split(1), (0, (-1.0_f64).next_up(), 2, 4, 4, 40.0));
        assert_eq!(forest.trees[1].nodes, [TreeNode::Leaf { value: 0.25, cover: 1.0 }]);
    }

    #[test]
    fn a_split_of_what_is_missing_from_all_numbers_has_a_finite_bound() {
        let forest = forest_of(&TREE.replace("threshold=0.5", "threshold=inf"), 2).unwrap();
        assert!(matches!(forest.trees[0].nodes[0], TreeNode::Split { below: f64::MAX, left: 1, .. }));
    }

    #[test]
    fn what_is_no_tree_of_numbers_is_refused() {
        for (from, to, why) in [
            ("num_cat=0", "num_cat=1", "categories"),
            ("is_linear=0", "is_linear=1", "lines in its leaves"),
            ("decision_type=2 8", "decision_type=2 6", "takes zeros for missing"),
            ("decision_type=2 8", "decision_type=2 9", "none of numbers"),
            ("decision_type=2 8", "decision_type=2", "cut off"),
            ("left_child=1 -1", "left_child=0 -1", "none of numbers"),
            ("split_feature=1 0", "split_feature=7 0", "none of numbers"),
            ("leaf_value=1 2 3", "leaf_value=1 2", "2 leaves and 2 splits"),
            ("threshold=0.5 -1", "threshold=0.5 nan", "none of numbers"),
            ("threshold=0.5 -1", "threshold=0.5 x", "'x' in threshold"),
        ] {
            let refused = forest_of(&TREE.replacen(from, to, 1), 2).unwrap_err();
            assert!(refused.contains(why), "{to}: {refused}");
        }
    }
}
