//! The four trading sessions of the day (R2.1, features §3).

use serde::{Deserialize, Serialize};

/// A trading session; where two overlap the one that opened later has the hour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Session))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TradingSession {
    /// 00–08 UTC by default.
    Asian,
    /// 08–13 UTC by default.
    London,
    /// 13–21 UTC by default.
    Ny,
    /// 21–24 UTC by default.
    Rollover,
}

impl TradingSession {
    /// Every session, in the order of their stored codes and of the UTC day.
    pub const ALL: [Self; 4] = [Self::Asian, Self::London, Self::Ny, Self::Rollover];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asian => "ASIAN",
            Self::London => "LONDON",
            Self::Ny => "NY",
            Self::Rollover => "ROLLOVER",
        }
    }
    /// As said in a sentence.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Asian => "Asian session",
            Self::London => "London session",
            Self::Ny => "New York session",
            Self::Rollover => "rollover",
        }
    }
    /// Position in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
