//! What fitted models said of rows of their test blocks.

use super::inputs::InputMaker;
use super::request::StudyRequest;
use super::run::{KeptFit, Study};
use crate::ResearchError;
use barograph_domain::Ts;
use barograph_lab::zoo::ZooPrediction;
use barograph_study::folds::StudyFold;
use barograph_study::transforms::Transforms;
use std::collections::BTreeMap;

/// What a model of a fold says of rows of the frame, from the inputs that it was fitted on: those of baselines and of regimes are others.
pub(super) fn answers_of(
    study: &Study<'_>,
    model: &str,
    fold: &StudyFold,
    kept: &KeptFit,
    rows: &[usize],
) -> Result<ZooPrediction, ResearchError> {
    let frame = &study.rows.frame;
    let transforms = Transforms::fit(frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let made = InputMaker::fit(frame, &study.labels, &fold.learn, &transforms).make(frame, rows)?;
    let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| ResearchError::Failed(e.to_string()))?).collect();
    Ok(kept.model.predict(made.of(model), &all))
}

/// Numbers said out of fold, by the moment of their row: each by what was learnt before its block. Rows whose book could not be used
/// have none.
///
/// # Errors
/// The study was not fitted with these settings, or its target is no number.
pub fn predicted(request: &StudyRequest, model: &str) -> Result<BTreeMap<Ts, f64>, ResearchError> {
    let study = Study::open(request)?;
    let frame = &study.rows.frame;
    let mut out = BTreeMap::new();
    for fold in study.folds.folds() {
        let Some((first, last)) = fold.test.rows().next().zip(fold.test.rows().next_back()) else { continue };
        let rows: Vec<usize> = (first..=last).filter(|row| frame.is_valid(*row)).collect();
        let ZooPrediction::Values(said) = answers_of(&study, model, fold, &study.kept(model, fold)?, &rows)? else {
            return Err(ResearchError::Refused(format!("{} is no number", request.target)));
        };
        out.extend(rows.iter().map(|row| frame.times()[*row]).zip(said));
    }
    Ok(out)
}
