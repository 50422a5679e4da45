//! From when to when a label takes to become known.

use barograph_domain::Ts;
use std::sync::Arc;

/// The life of one label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelSpan {
    /// The row of the frame it belongs to.
    pub row: usize,
    /// When it is asked: the moment of the row (`label_start`).
    pub start: Ts,
    /// When the answer is known (`label_end`).
    pub end: Ts,
}

/// Why spans cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanError {
    /// The label at this place ends no later than it starts: it would be known when it is asked.
    Ends(usize),
    /// The label at this place starts before the one in front of it.
    Order(usize),
}

impl core::fmt::Display for SpanError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Ends(at) => write!(f, "label {at} ends no later than it starts"),
            Self::Order(at) => write!(f, "label {at} starts before the one in front of it"),
        }
    }
}

impl core::error::Error for SpanError {}

/// Lives of labels in the order of their starts. A copy shares them with the original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelSpans(Arc<[LabelSpan]>);

impl LabelSpans {
    /// Spans in the order of their starts, of which some may be equal (rows of several markets).
    ///
    /// # Errors
    /// A label does not look ahead, or they are not in order.
    pub fn new(spans: Vec<LabelSpan>) -> Result<Self, SpanError> {
        if let Some(at) = spans.iter().position(|s| s.end <= s.start) {
            return Err(SpanError::Ends(at));
        }
        match spans.windows(2).position(|w| w[1].start < w[0].start) {
            Some(at) => Err(SpanError::Order(at + 1)),
            None => Ok(Self(spans.into())),
        }
    }

    /// Every span.
    #[must_use]
    pub fn as_slice(&self) -> &[LabelSpan] {
        &self.0
    }

    /// Are these the very same spans, not only equal ones?
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_look_ahead_and_are_in_order() {
        let spans = |at: &[(i64, i64)]| {
            LabelSpans::new(at.iter().map(|(a, b)| LabelSpan { row: 0, start: Ts(*a), end: Ts(*b) }).collect())
        };
        assert!(spans(&[(0, 9), (0, 3), (1, 2)]).is_ok());
        assert_eq!(spans(&[(0, 1), (4, 4)]), Err(SpanError::Ends(1)));
        assert_eq!(spans(&[(4, 5), (3, 9)]), Err(SpanError::Order(1)));
    }
}
