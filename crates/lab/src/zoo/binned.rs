//! Columns in histogram bins, made once and used by every tree of a fit.

use super::features::{Features, place};
use super::recipe::FitThreads;
use forust_ml::binning::{TiledBins, bin_matrix};
use forust_ml::data::{JaggedMatrix, Matrix};

/// Bins of a column at most.
const BINS: u16 = 255;
/// Columns binned at a time: a copy of so many is all that is held beside the bins.
const COLUMNS: usize = 16;

/// The bins of some rows.
pub(super) struct Binned {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) bins: Vec<u16>,
    pub(super) cuts: JaggedMatrix<f64>,
    /// The same bins row by row in tiles, which is how histograms are filled fastest.
    pub(super) tiles: TiledBins,
}

impl Binned {
    /// `None` where the library refuses.
    pub(super) fn of(features: &Features, rows: &[u32], threads: FitThreads) -> Option<Self> {
        let (n, width, parallel) = (rows.len(), features.columns(), threads == FitThreads::All);
        let even = vec![1.0; n];
        let mut bins = Vec::with_capacity(n * width);
        let mut cuts = JaggedMatrix::new();
        for first in (0..width).step_by(COLUMNS) {
            let some = first..(first + COLUMNS).min(width);
            let held = some.len();
            let copied: Vec<f64> =
                some.map(|c| features.column(c)).flat_map(|c| rows.iter().map(|r| c[place(*r)])).collect();
            let part = bin_matrix(&Matrix::new(&copied, n, held), &even, BINS, f64::NAN, parallel).ok()?;
            bins.extend(part.binned_data);
            let before = cuts.data.len();
            cuts.data.extend(part.cuts.data);
            cuts.ends.extend(part.cuts.ends.iter().map(|end| end + before));
        }
        cuts.cols = cuts.ends.len();
        cuts.n_records = cuts.data.len();
        let tiles = TiledBins::new(&Matrix::new(&bins, n, width), &cuts, parallel);
        Some(Self { rows: n, columns: width, bins, cuts, tiles })
    }
}
