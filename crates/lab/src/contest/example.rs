//! A resolved forecast as contestants learn from it.

use super::sighting::ModelInputs;
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

/// What was known when a forecast was issued.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct KnownThen {
    /// Of the learnt models.
    pub inputs: ModelInputs,
    /// Probabilities of the hidden states at the end of the event's window, LOW to HIGH; `None` before the first fit.
    pub hidden: Option<[f32; 3]>,
    /// Probability that returns have changed within five hours; `None` while there are too few.
    pub recent: Option<f32>,
    /// Whether the event was true of the window that had just ended, or its class.
    pub state: Option<u8>,
}

/// The same with what came.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Example {
    /// When it was issued.
    pub issued: Ts,
    /// When its outcome was known.
    pub known: Ts,
    /// Which market, by the contest's own number.
    pub market: u16,
    /// What was known then.
    pub seen: KnownThen,
    /// 0 or 1, or the class.
    pub outcome: u8,
}
