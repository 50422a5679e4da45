//! Which inputs say nearly the same.

use super::apply::InputForm;
use super::fit::{TransformError, Transforms};
use super::spearman::RankedColumn;
use crate::folds::TrainRows;
use crate::frame::ResearchFrame;
use serde::{Deserialize, Serialize};

/// Rank correlation from which on two columns are one (research §2); its sign does not matter to a model.
const TOGETHER: f64 = 0.95;
/// Rows that ranks are taken over, evenly spread. The standard error of a rank correlation of 0.95 is 0.001 then.
const SAMPLE_MAX: usize = 10_000;

/// Inputs that hang together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ColumnCluster {
    /// Their names, in the order of the inputs.
    pub columns: Vec<String>,
    /// The smallest of the correlations among them, without sign: how far the chain reaches. `None` for one column by itself, and where
    /// two of them are never there together.
    pub weakest: Option<f64>,
}

/// Inputs in clusters of rank correlation (Spearman), single linkage: two columns are in one cluster exactly where a chain of pairs
/// with at least [`Self::threshold`] leads from one to the other. So no column outside a cluster can stand in for one inside, which is
/// what permuting by groups needs (research §9); a cluster that is only a chain shows in its [`weakest`](ColumnCluster::weakest).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RedundancyReport {
    /// Correlation from which on two columns are joined, without sign.
    pub threshold: f64,
    /// Training rows that ranks were taken over.
    pub sample_rows: usize,
    /// Every input is in one of these, by itself where nothing is like it. In the order of the first input of each.
    pub clusters: Vec<ColumnCluster>,
}

impl RedundancyReport {
    /// Clusters of two and more.
    pub fn redundant(&self) -> impl Iterator<Item = &ColumnCluster> {
        self.clusters.iter().filter(|c| c.columns.len() > 1)
    }
}

impl Transforms {
    /// Clusters of the inputs over training rows. Nothing is dropped for it.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn redundancy(&self, frame: &ResearchFrame, train: &TrainRows) -> Result<RedundancyReport, TransformError> {
        let step = train.len().div_ceil(SAMPLE_MAX).max(1);
        let matrix = self.apply(frame, train.rows().step_by(step), InputForm::Sparse)?;
        let ranked: Vec<RankedColumn> = (0..matrix.names().len())
            .filter_map(|at| matrix.column(at))
            .map(|(values, present)| RankedColumn::new(values, present))
            .collect();
        let n = ranked.len();
        let mut cluster_of: Vec<usize> = (0..n).collect();
        let mut strengths = vec![None; n * n];
        for a in 0..n {
            for b in a + 1..n {
                let strength = ranked[a].correlation(&ranked[b]).map(f64::abs);
                strengths[a * n + b] = strength;
                if strength.is_some_and(|s| s >= TOGETHER) {
                    let (keep, give) = (cluster_of[a].min(cluster_of[b]), cluster_of[a].max(cluster_of[b]));
                    cluster_of.iter_mut().filter(|c| **c == give).for_each(|c| *c = keep);
                }
            }
        }
        let mut clusters = Vec::new();
        for first in (0..n).filter(|at| cluster_of[*at] == *at) {
            let members: Vec<usize> = (first..n).filter(|at| cluster_of[*at] == first).collect();
            let pairs = || members.iter().flat_map(|a| members.iter().filter(move |b| a < b).map(move |b| (*a, *b)));
            let all: Option<Vec<f64>> = pairs().map(|(a, b)| strengths[a * n + b]).collect();
            let weakest = all.and_then(|s| s.into_iter().reduce(f64::min));
            let columns = members.iter().map(|at| matrix.names()[*at].clone()).collect();
            clusters.push(ColumnCluster { columns, weakest });
        }
        Ok(RedundancyReport { threshold: TOGETHER, sample_rows: matrix.rows(), clusters })
    }
}
