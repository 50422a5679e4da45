//! Models as ONNX, asked through `tract` (research §4): tree ensembles that classify, of scikit-learn,
//! LightGBM and others, and networks. Forests of numbers (`TreeEnsembleRegressor`) it does not run, nor base values for both sides of a
//! yes or no, which scikit-learn's gradient boosting is exported with; both are refused by name.
//!
//! A table of 32-bit numbers goes in, a missing one as NaN, which trees send down the branch that the file names for it; a table of
//! numbers comes out. Labels beside it are not looked at.

use crate::fault::OnnxFault;
use std::path::Path;
use tract_onnx::prelude::{
    Datum as _, Framework as _, InferenceFact, InferenceModelExt as _, IntoTValue as _, IntoTensor as _, OutletId,
    TypedModel, TypedRunnableModel, tvec,
};
use tract_onnx::tract_hir::infer::Factoid as _;
use tract_onnx::tract_hir::internal::DimLike as _;

/// Rows asked at once: their numbers stay in the second-level cache with 200 columns.
const BATCH: usize = 256;

/// A model as ONNX.
#[derive(Debug)]
pub struct OnnxModel {
    plan: TypedRunnableModel<TypedModel>,
    columns: usize,
}

impl OnnxModel {
    /// Reads a model.
    ///
    /// # Errors
    /// The file cannot be read, has an operator that is not known, or another form than a table in and a table out.
    pub fn open(path: &Path) -> Result<Self, OnnxFault> {
        let unread = |e: tract_onnx::prelude::TractError| OnnxFault::Unread(format!("{e:#}"));
        let mut model = tract_onnx::onnx().model_for_path(path).map_err(unread)?;
        let inputs = model.input_outlets().map_err(unread)?.len();
        if inputs != 1 {
            return Err(OnnxFault::Form(format!(
                "it has {inputs} inputs; it must have one, a table of rows and columns"
            )));
        }
        let given = model.input_fact(0).map_err(unread)?.shape.dims().nth(1).and_then(|d| d.concretize());
        let columns = given.and_then(|d| d.to_usize().ok()).ok_or_else(|| {
            OnnxFault::Form(
                "it does not name the number of its input columns; export it with a shape of [None, columns]"
                    .to_owned(),
            )
        })?;
        let rows = InferenceFact::dt_shape(f32::datum_type(), tvec!(BATCH, columns));
        model.set_input_fact(0, rows).map_err(unread)?;
        // What a model states of its answers is not always true: they are what its operators give.
        for at in 0..model.output_outlets().map_err(unread)?.len() {
            model.set_output_fact(at, InferenceFact::default()).map_err(unread)?;
        }
        let mut model = model.into_typed().map_err(unread)?;
        let is_float = |o: &OutletId| model.outlet_fact(*o).is_ok_and(|fact| fact.datum_type == f32::datum_type());
        let outlets: Vec<_> = model.output_outlets().map_err(unread)?.to_vec();
        let Some(answers) = outlets.iter().copied().rfind(is_float) else {
            return Err(OnnxFault::Form(
                "it answers with no table of 32-bit numbers; export probabilities as one, as with zipmap off"
                    .to_owned(),
            ));
        };
        model.set_output_outlets(&[answers]).map_err(unread)?;
        let plan = model.into_optimized().and_then(tract_onnx::prelude::TypedModel::into_runnable).map_err(unread)?;
        Ok(Self { plan, columns })
    }

    /// Columns that a row has to have.
    #[must_use]
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// What the model says of some rows, one after another, NaN where missing: a list of numbers for each row, in their order.
    ///
    /// # Errors
    /// The numbers are no whole rows, or the model fails on them.
    pub fn answers(&self, rows: &[f32]) -> Result<Vec<Vec<f64>>, OnnxFault> {
        if self.columns == 0 || rows.len() % self.columns != 0 {
            return Err(OnnxFault::Form(format!("{} numbers are no rows of {}", rows.len(), self.columns)));
        }
        let failed = |e: tract_onnx::prelude::TractError| OnnxFault::Failed(format!("{e:#}"));
        let mut said = Vec::with_capacity(rows.len() / self.columns);
        for some in rows.chunks(BATCH * self.columns) {
            let held = some.len() / self.columns;
            let mut batch = some.to_vec();
            batch.resize(BATCH * self.columns, f32::NAN);
            let table = tract_onnx::prelude::tract_ndarray::Array2::from_shape_vec((BATCH, self.columns), batch)
                .map_err(|e| OnnxFault::Failed(e.to_string()))?;
            let answers = self.plan.run(tvec!(table.into_tensor().into_tvalue())).map_err(failed)?;
            let answers = answers.first().ok_or_else(|| OnnxFault::Failed("it answered nothing".to_owned()))?;
            let answers = answers.to_array_view::<f32>().map_err(failed)?;
            let flat: Vec<f64> = answers.iter().map(|v| f64::from(*v)).collect();
            if flat.is_empty() || flat.len() % BATCH != 0 {
                return Err(OnnxFault::Form(format!("it gave {} numbers for {BATCH} rows", flat.len())));
            }
            said.extend(flat.chunks(flat.len() / BATCH).take(held).map(<[f64]>::to_vec));
        }
        Ok(said)
    }
}
