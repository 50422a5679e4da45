//! What fitted models said of rows of their test blocks.

use super::run::{KeptFit, Study, StudyRequest};
use crate::ResearchError;
use barograph_domain::Ts;
use barograph_lab::zoo::{Features, ZooPrediction};
use barograph_study::ResearchFrame;
use barograph_study::folds::StudyFold;
use barograph_study::transforms::{InputForm, Transforms};
use std::collections::BTreeMap;

/// What a model of a fold says of rows of the frame.
pub(super) fn answers_of(
    frame: &ResearchFrame,
    fold: &StudyFold,
    kept: &KeptFit,
    rows: &[usize],
) -> Result<ZooPrediction, ResearchError> {
    let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(e.to_string());
    let transforms = Transforms::fit(frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let matrix = transforms.apply(frame, rows.iter().copied(), InputForm::Sparse).map_err(|e| failed(&e))?;
    let column = |c| (0..matrix.rows()).map(|r| matrix.get(r, c)).collect::<Vec<_>>();
    let features = Features::new(rows.len(), (0..matrix.names().len()).map(column)).map_err(|e| failed(&e))?;
    let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| failed(&e))?).collect();
    Ok(kept.model.predict(&features, &all))
}

/// Numbers said out of fold, by the moment of their row: each by what was learnt before its block. Rows whose book could not be used
/// have none.
///
/// # Errors
/// The study was not fitted with these settings, or its target is no number.
pub(crate) fn predicted(request: &StudyRequest, model: &str) -> Result<BTreeMap<Ts, f64>, ResearchError> {
    let study = Study::open(request)?;
    let frame = &study.rows.frame;
    let mut out = BTreeMap::new();
    for fold in study.folds.folds() {
        let Some((first, last)) = fold.test.rows().next().zip(fold.test.rows().next_back()) else { continue };
        let rows: Vec<usize> = (first..=last).filter(|row| frame.is_valid(*row)).collect();
        let ZooPrediction::Values(said) = answers_of(frame, fold, &study.kept(model, fold)?, &rows)? else {
            return Err(ResearchError::Refused(format!("{} is no number", request.target)));
        };
        out.extend(rows.iter().map(|row| frame.times()[*row]).zip(said));
    }
    Ok(out)
}
