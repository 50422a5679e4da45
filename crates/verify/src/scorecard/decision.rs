//! What a confidence sequence says of differences of losses: the same for a row of the scorecard and for a contestant.

use crate::scores::case::{mean_by_time, non_overlapping};
use crate::scores::sequence::ConfidenceSequence;
use barograph_domain::scorecard::SequenceReading;
use barograph_domain::{Span, Ts};

/// Differences of losses by moment of issue, in order: means over the markets of a moment, of windows that do not overlap.
pub(crate) fn sequence_reading(
    differences: impl IntoIterator<Item = (Ts, f64)>,
    horizon: Span,
) -> Option<SequenceReading> {
    let means = mean_by_time(differences);
    let mut sequence = ConfidenceSequence::of_loss_differences();
    for at in non_overlapping(means.iter().map(|(t, _)| *t), horizon) {
        let (t, x) = means[at];
        sequence.feed(t, x.clamp(-1.0, 1.0));
    }
    let point = sequence.point()?;
    Some(SequenceReading {
        n: u64::try_from(point.n).unwrap_or(u64::MAX),
        mean: point.mean,
        low: point.lower,
        high: point.upper,
        activated_at: sequence.activation().map(|a| a.at),
    })
}
