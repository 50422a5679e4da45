//! Orders at several prices that came and went together: what LAYERING counts.

use super::accounting::RestingSide;
use super::recent::Seen;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Orders that came and went together.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Stack {
    pub(super) at: Ts,
    pub(super) side: RestingSide,
    pub(super) levels: f64,
    pub(super) size: f64,
    pub(super) life: Span,
    /// What the market did over what it had to, whichever of the two it did more of.
    pub(super) answer: f64,
}

impl Seen for Stack {
    fn at(&self) -> Ts {
        self.at
    }
}
