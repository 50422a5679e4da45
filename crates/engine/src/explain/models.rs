//! What statistical models say, as it goes to JSON: beside the rules, in shadow, uncalibrated.

use barograph_domain::model::ModelView;
use barograph_domain::{MinuteRow, Model, Ts};

/// Views of a row's readings; `None` where models are off.
pub(super) fn views(row: &MinuteRow, moment: Ts) -> Option<Vec<ModelView>> {
    let view = |reading: &barograph_domain::ModelReading| {
        let said = reading.state.is_some();
        let states = reading.model.states().iter().zip(reading.probabilities).filter(|_| said);
        ModelView {
            classifier: reading.model.id(),
            role: "shadow",
            state: reading.state,
            probability: reading.probability(),
            probabilities: states.map(|(state, p)| (state.name(), p)).collect(),
            since: said.then_some(reading.since),
            age_s: said.then(|| (moment - reading.since).as_secs()),
            expected_remaining_s: reading.expected_remaining.map(barograph_domain::Span::as_secs),
            recent_change: reading.recent_change,
            parameters: reading.digest_text(),
            fitted_until: reading.fitted_until,
            calibration: "uncalibrated",
            hours: reading.have,
            hours_needed: reading.need,
            reason: (!said).then_some(match reading.model {
                Model::Hmm if reading.have >= reading.need => "waiting for its fit",
                Model::Hmm | Model::Bocpd => "warming",
            }),
        }
    };
    (!row.models.is_empty()).then(|| row.models.iter().map(view).collect())
}
