//! Continuity of a stream. A gap is an event: it reaches features, confidence and the sentence.

use crate::Ts;
use serde::{Deserialize, Serialize};

/// Whether a stream can be trusted now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatusState {
    /// Data arrive and are continuous.
    Live,
    /// An interval without trustworthy data has been declared.
    Gap,
    /// The stream is being rebuilt (order books).
    Resync,
    /// Connected, but the data make no progress.
    Stale,
    /// The venue does not have this stream.
    NotOffered,
}

/// A change of continuity of one stream. For a gap, samples with `from < stamp < until` are missing: both ends are
/// stamps of rows that exist (or of the moment the stream was lost and found).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub struct Status {
    /// The new state.
    pub state: StatusState,
    /// Last trustworthy stamp before a gap.
    pub from: Ts,
    /// First trustworthy stamp after it.
    pub until: Ts,
}
