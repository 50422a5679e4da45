//! A reading of one feature at one moment: its state, and the number only where there is one.
//!
//! Stored and shown as value or null plus reason; never zero, NaN, infinity or a sentinel (features §1, value states).

use crate::{StreamIndex, Ts};
use serde::{Deserialize, Serialize};

/// How a number came to be.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Observed in full.
    #[default]
    Measured,
    /// Observed in part, by the venue's own rule (Binance liquidations).
    Sampled,
    /// Computed by a model from other observations.
    Modelled,
    /// Another quantity in its place (features §2.7).
    Proxy,
}

/// Why there is no number. Words of features §1, "reasons".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer samples than required so far.
    Warming,
    /// An input was never seen.
    MissingInput,
    /// A declared gap lies in the window.
    Gap,
    /// The newest sample is older than allowed.
    Stale,
    /// All values in the window are equal.
    ZeroVariance,
    /// A divisor is exactly zero.
    ZeroDenominator,
    /// Not enough book levels.
    InsufficientLevels,
    /// A logarithm or ratio outside its domain.
    OutOfDomain,
    /// The venue does not have the input.
    NotOffered,
}

impl Reason {
    /// Every reason, in the order of their stored codes.
    pub const ALL: [Self; 9] = [
        Self::Warming,
        Self::MissingInput,
        Self::Gap,
        Self::Stale,
        Self::ZeroVariance,
        Self::ZeroDenominator,
        Self::InsufficientLevels,
        Self::OutOfDomain,
        Self::NotOffered,
    ];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warming => "warming",
            Self::MissingInput => "missing_input",
            Self::Gap => "gap",
            Self::Stale => "stale",
            Self::ZeroVariance => "zero_variance",
            Self::ZeroDenominator => "zero_denominator",
            Self::InsufficientLevels => "insufficient_levels",
            Self::OutOfDomain => "out_of_domain",
            Self::NotOffered => "not_offered",
        }
    }
}

/// State of a reading. Only `Ready` enters a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum State {
    /// There is a value and it is fresh.
    Ready,
    /// Not enough samples yet.
    Warming {
        /// Samples present.
        have: u32,
        /// Samples needed.
        need: u32,
    },
    /// There was a value; its newest sample is too old. The last value is kept for display only.
    Stale,
    /// No value exists.
    Undefined(Reason),
}

/// One reading in a row of the catalogue. Booleans are 0 and 1, enumerations their catalogue code.
/// Written as it is only where an engine saves its state; everybody else gets a value or a reason.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Meaningful in `Ready` and `Stale` only; zero otherwise. Use [`Self::ready`].
    pub value: f64,
    /// The oldest event among the newest the value was read from, to the second; its age is counted from here.
    pub anchor: Ts,
    /// Present samples / expected samples of the window, in [0, 1].
    pub coverage: f32,
    /// See [`State`].
    pub state: State,
    /// See [`Kind`].
    pub kind: Kind,
    /// The window is not yet full.
    pub partial: bool,
    /// The main stream behind the value, where there is one.
    pub stream: Option<StreamIndex>,
}

impl Cell {
    /// No value, and why.
    #[must_use]
    pub const fn undefined(reason: Reason) -> Self {
        Self {
            value: 0.0,
            anchor: Ts(0),
            coverage: 0.0,
            state: State::Undefined(reason),
            kind: Kind::Measured,
            partial: false,
            stream: None,
        }
    }
    /// A value with full coverage.
    #[must_use]
    pub const fn ready_at(value: f64, anchor: Ts, kind: Kind) -> Self {
        Self { value, anchor, coverage: 1.0, state: State::Ready, kind, partial: false, stream: None }
    }
    /// The value, if it may be used.
    #[must_use]
    pub fn ready(&self) -> Option<f64> {
        matches!(self.state, State::Ready).then_some(self.value)
    }
    /// The reason there is no usable value; `None` when ready.
    #[must_use]
    pub const fn reason(&self) -> Option<Reason> {
        match self.state {
            State::Ready => None,
            State::Warming { .. } => Some(Reason::Warming),
            State::Stale => Some(Reason::Stale),
            State::Undefined(r) => Some(r),
        }
    }
}
