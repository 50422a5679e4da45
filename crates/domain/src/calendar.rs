//! Scheduled economic events: what is coming, when, how much it matters, and since when that was known (R2.55).
//!
//! An entry is one revision of one event. What is published later about the same `id` is another entry with a later
//! `known_ts`; nothing is overwritten.

use crate::Ts;
use serde::{Deserialize, Serialize};

/// How strongly an event usually moves markets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Rarely noticed.
    Low,
    /// Sometimes noticed.
    Medium,
    /// New positions wait for it to pass.
    High,
}

impl Impact {
    /// Every impact, in the order of their stored codes.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
    /// The impact of this word, whatever its case.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.name().eq_ignore_ascii_case(word))
    }
}

/// One revision of one scheduled event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CalendarEntry {
    /// Names the event through all its revisions, for example `fomc-2026-03-18`.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How strongly it usually moves markets.
    pub impact: Impact,
    /// When it happens.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub at: Ts,
    /// Who said so: a file name, a host, a calendar's own name.
    pub source: String,
    /// Since when this revision may be used.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub known_ts: Ts,
    /// The event was called off.
    pub cancelled: bool,
}
