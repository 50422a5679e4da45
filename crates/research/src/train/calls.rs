//! What the models of a fold say of every row whose book could be used, labelled or not: what a back-test decides on.

use super::inputs::InputMaker;
use super::run::Study;
use crate::ResearchError;
use crate::dataset::CLOSE_AFTER;
use barograph_domain::Ts;
use barograph_lab::zoo::ZooPrediction;
use barograph_study::folds::StudyFold;
use barograph_study::money::backtest::UpProbability;
use barograph_study::transforms::Transforms;
use core::ops::Range;
use serde::{Deserialize, Serialize};

/// Calibrated probabilities over the inner split and over the test block.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "KeptCalls", into = "KeptCalls")]
pub(super) struct FoldCalls {
    pub(super) inner: Vec<UpProbability>,
    pub(super) test: Vec<UpProbability>,
}

/// The same as it is kept: nanoseconds since 1970, probability.
type KeptCalls = [Vec<(i64, f64)>; 2];

impl From<FoldCalls> for KeptCalls {
    fn from(of: FoldCalls) -> Self {
        [of.inner, of.test].map(|calls| calls.iter().map(|c| (c.known_ts.0, c.p_up)).collect())
    }
}

impl From<KeptCalls> for FoldCalls {
    fn from(kept: KeptCalls) -> Self {
        let call = |(at, p_up): &(i64, f64)| UpProbability { known_ts: Ts(*at), p_up: *p_up };
        let [inner, test] = kept.map(|calls| calls.iter().map(call).collect());
        Self { inner, test }
    }
}

/// The calls of some models on one fold, in the order of their names. Nobody knows at a row whether the mid will have moved, which is what
/// it takes to have a label: every row counts whose book could be used.
pub(super) fn calls_of(study: &Study<'_>, models: &[&str], fold: &StudyFold) -> Result<Vec<FoldCalls>, ResearchError> {
    let frame = &study.rows.frame;
    let transforms = Transforms::fit(frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let maker = InputMaker::fit(frame, &study.labels, &fold.learn, &transforms);
    let mut calls = vec![FoldCalls::default(); models.len()];
    for (is_test, rows) in [(false, ends(fold.learn.tune.rows())), (true, ends(fold.test.rows()))] {
        let rows: Vec<usize> = rows.filter(|row| frame.is_valid(*row)).collect();
        let made = maker.make(frame, &rows)?;
        let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| ResearchError::Failed(e.to_string()))?).collect();
        for (model, calls) in models.iter().zip(&mut calls) {
            let kept = study.kept(model, fold)?;
            let ZooPrediction::Binary { probabilities, .. } = kept.model.predict(made.of(model), &all) else {
                return Err(ResearchError::Failed(format!("{model} was not fitted on a yes or no")));
            };
            let known = rows.iter().map(|row| frame.times()[*row] + CLOSE_AFTER);
            let to = if is_test { &mut calls.test } else { &mut calls.inner };
            to.extend(known.zip(probabilities).map(|(known_ts, p_up)| UpProbability { known_ts, p_up }));
        }
    }
    Ok(calls)
}

/// From the first row to one past the last.
fn ends(mut rows: impl DoubleEndedIterator<Item = usize>) -> Range<usize> {
    let first = rows.next().unwrap_or_default();
    first..rows.next_back().unwrap_or(first) + 1
}
