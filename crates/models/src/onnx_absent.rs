//! In the place of the ONNX import, where the program was built without it.

use crate::fault::OnnxFault;
use std::path::Path;

/// A model as ONNX; there is none in this build.
#[derive(Debug)]
pub struct OnnxModel(core::convert::Infallible);

impl OnnxModel {
    /// Columns that a row has to have.
    #[must_use]
    pub const fn columns(&self) -> usize {
        match self.0 {}
    }

    /// Never: [`OnnxFault::NotBuilt`].
    ///
    /// # Errors
    /// Always.
    pub fn open(_path: &Path) -> Result<Self, OnnxFault> {
        Err(OnnxFault::NotBuilt)
    }

    /// Never called: there is no such model.
    ///
    /// # Errors
    /// Never.
    pub fn answers(&self, _rows: &[f32]) -> Result<Vec<Vec<f64>>, OnnxFault> {
        match self.0 {}
    }
}
