//! A large order that was shown and taken back: what SPOOFING counts.

use super::accounting::RestingSide;
use super::recent::Seen;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// How large it was against what a large one is, and where it stood.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct FeintSize {
    pub(super) size: f64,
    pub(super) size_from: f64,
    pub(super) distance_bps: f64,
    pub(super) weight: f64,
}

/// A large order that came and went.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Feint {
    pub(super) at: Ts,
    pub(super) side: RestingSide,
    pub(super) of_it: FeintSize,
    pub(super) life: Span,
    pub(super) opposite: f64,
    pub(super) opposite_from: f64,
}

impl Seen for Feint {
    fn at(&self) -> Ts {
        self.at
    }
}
