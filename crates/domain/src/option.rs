//! One listed option as its venue marks it: what implied volatilities are made of (R4.66).

use crate::Ts;
use std::fmt;

/// What an option gives a right to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OptionRight {
    /// To buy at the strike.
    Call,
    /// To sell at the strike.
    Put,
}

/// An option of one underlying at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OptionQuote {
    /// When it ends.
    pub expiry: Ts,
    /// In the currency of the index.
    pub strike: f64,
    /// Call or put.
    pub right: OptionRight,
    /// Implied volatility of its mark price, annualised, as a fraction; above zero.
    pub iv: f64,
    /// Price of the underlying for delivery at the expiry, as the venue uses it for this volatility; above zero.
    pub forward: f64,
}

/// A base currency in capitals, as venues list options by it: `BTC`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OptionCurrency(String);

/// Longest base currency.
const CURRENCY_MAX: usize = 12;

impl OptionCurrency {
    /// The currency in `text`, whatever its case.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = (2..=CURRENCY_MAX).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric());
        if !fits {
            return Err(format!("'{text}' is no currency that options are listed by; write its letters, as in BTC"));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OptionCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_letters_of_any_case() {
        assert_eq!(OptionCurrency::parse("btc").unwrap().as_str(), "BTC");
        for wrong in ["", "B", "BTC-USD", "BTC/USDT", "a currency"] {
            assert!(OptionCurrency::parse(wrong).unwrap_err().contains("as in BTC"), "{wrong}");
        }
    }
}
