//! What a venue's options say of volatility to come: at the money and in the wings of each expiry, and between expiries at maturities
//! of a fixed length (features §2.6, `iv_atm_30d`; R4.66).
//!
//! [`smile`] is one expiry, [`term`] several. Left out: prices, rates and dividends (the forward of a quote holds them), calendar
//! arbitrage between quotes, and what the numbers are worth.

mod smile;
mod term;

pub use smile::{ExpiryVol, expiries, forward_delta};
pub use term::{MATURITIES, TermPoint, at_maturity, term};

/// Why there is no volatility.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NoVol {
    /// No expiry on one of the two sides of the maturity.
    NoBracket,
    /// All strikes lie on one side of the forward.
    NoStrikesAround,
    /// No strike has a delta as far out as is asked for.
    DeltaNotReached,
}

impl NoVol {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoBracket => "no_bracket",
            Self::NoStrikesAround => "no_strikes_around",
            Self::DeltaNotReached => "delta_not_reached",
        }
    }

    /// The reason of such a word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::NoBracket, Self::NoStrikesAround, Self::DeltaNotReached].into_iter().find(|r| r.name() == name)
    }
}
