//! The folder of a lake in a program that was built without Parquet: recognised and refused. The same names as in `lakes.rs`.

use super::listener::RecordListener;
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::pulled::PulledTrades;
use crate::error::Error;
use barograph_domain::InstrumentName;
use core::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Hours of one market: there are none, since no lake is opened.
#[derive(Clone, Debug)]
pub(super) struct LakeHours(Infallible);

impl LakeHours {
    /// Is this the folder of a lake?
    pub(super) fn is_lake(folder: &Path) -> bool {
        folder.join("bronze").is_dir()
    }

    /// Refuses it.
    pub(super) fn find(root: &Path, _market: &InstrumentName) -> Result<Self, Error> {
        Err(Error::Usage(format!(
            "{} is a lake of Parquet files, and this program was built without reading those: {}",
            root.display(),
            crate::WHOLE_PROGRAM
        )))
    }

    pub(super) fn pieces(&self) -> core::iter::Empty<&Piece> {
        match self.0 {}
    }

    pub(super) fn trades(&self, _read: &Arc<AtomicU64>) -> PulledTrades {
        match self.0 {}
    }

    pub(super) fn play<L: RecordListener>(
        &self,
        _read: &Arc<AtomicU64>,
        _to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        match self.0 {}
    }
}
