//! Venues and instruments. An instrument is named `venue:symbol`, with the venue's own spelling of the symbol kept; a bare symbol is resolved by whoever knows the configured venues, never guessed here.

use crate::text::escape_control;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Where an instrument trades: a lower-case id such as `binance-usdm`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Venue(String);

/// What kind of market an instrument is; decides which inputs are `not_offered`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarketKind {
    /// No funding, no open interest, no mark or index price.
    Spot,
    /// Perpetual contract.
    Perpetual,
    /// Contract that expires.
    DatedFuture,
}

/// `venue:symbol`, for example `binance-usdm:BTCUSDT`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstrumentName {
    /// Venue id.
    pub venue: Venue,
    /// The venue's own symbol, case kept.
    pub symbol: String,
}

/// An instrument as the engine needs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Instrument {
    /// `venue:symbol`.
    pub name: InstrumentName,
    /// Spot, perpetual or dated.
    pub kind: MarketKind,
    /// Expiry of a dated contract, where known.
    pub expiry: Option<crate::Ts>,
}

/// Why a text is no venue or instrument name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameError(String);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for NameError {}

impl Venue {
    /// Hours between settlements of every contract of the venue, where they are the same for all and always.
    #[must_use]
    pub fn funding_interval_h(&self) -> Option<f64> {
        (self.0 == "hyperliquid").then_some(1.0)
    }

    /// A venue id: lower-case ASCII letters, digits and dashes.
    ///
    /// # Errors
    /// When the text is empty or has other characters.
    pub fn new(id: &str) -> Result<Self, NameError> {
        let fine = !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fine {
            Ok(Self(id.to_owned()))
        } else {
            Err(NameError(format!(
                "'{id}' is not a venue id; write lower-case letters, digits and dashes, as in binance-usdm"
            )))
        }
    }
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The exchange, where a venue is one of its segments: `binance` of `binance-usdm`.
    #[must_use]
    pub fn exchange(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
    /// The word the original interfaces print as source (payloads §1).
    #[must_use]
    pub fn source_word(&self) -> &str {
        Self::source_word_of(&self.0)
    }
    /// The same of a venue's id, or of another source's name, which is its own word.
    #[must_use]
    pub fn source_word_of(source: &str) -> &str {
        if source == "binance-usdm" { "binance_futures" } else { source }
    }
}

impl fmt::Display for Venue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl InstrumentName {
    /// From its two parts.
    ///
    /// # Errors
    /// When the venue is no venue id, or the symbol is empty or has white space, a colon, or characters that
    /// [`escape_control`] would spell out.
    pub fn new(venue: &str, symbol: &str) -> Result<Self, NameError> {
        let shown = escape_control(symbol);
        if symbol.is_empty() || shown != symbol || symbol.chars().any(|c| c.is_whitespace() || c == ':') {
            return Err(NameError(format!("'{shown}' is not a symbol")));
        }
        Ok(Self { venue: Venue::new(venue)?, symbol: symbol.to_owned() })
    }
    /// From `venue:symbol`.
    ///
    /// # Errors
    /// As [`Self::new`], or when there is no colon.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (venue, symbol) = text.split_once(':').ok_or_else(|| {
            NameError(format!("'{text}' names no venue; write venue:symbol, as in binance-usdm:BTCUSDT"))
        })?;
        Self::new(venue, symbol)
    }
    /// Does a symbol as people type it (`BTCUSDT`, `btcusdt`, `BTC/USDT`, `BTC-USDT`) mean this instrument?
    #[must_use]
    pub fn answers_to(&self, bare: &str) -> bool {
        // A name with anything else in it is a mistake or worse, and is not read as if that were not there.
        let spelled = bare.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/'));
        self.symbol == bare || spelled && squeeze(&self.symbol) == squeeze(bare)
    }
    /// `BASE/QUOTE` as far as the symbol shows (payloads §4): known quote currencies are split off the end.
    #[must_use]
    pub fn base_quote(&self) -> Option<(String, String)> {
        const QUOTES: [&str; 10] = ["FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "BTC", "ETH", "BNB"];
        let plain = squeeze(&self.symbol);
        let plain = plain.strip_suffix("SWAP").or_else(|| plain.strip_suffix("PERP")).unwrap_or(&plain);
        QUOTES.iter().find_map(|q| {
            plain.strip_suffix(q).filter(|base| !base.is_empty()).map(|base| (base.to_owned(), (*q).to_owned()))
        })
    }
    /// Market kind: what the symbol says (`…_261225` is dated), else `traded`, what the venue trades as far as that is known.
    #[must_use]
    pub fn kind(&self, traded: Option<MarketKind>) -> Option<MarketKind> {
        let dated = self
            .symbol
            .rsplit_once(['_', '-'])
            .is_some_and(|(_, tail)| tail.len() == 6 && tail.bytes().all(|b| b.is_ascii_digit()));
        if dated && traded != Some(MarketKind::Spot) { Some(MarketKind::DatedFuture) } else { traded }
    }
}

fn squeeze(symbol: &str) -> String {
    // Letters beyond ASCII stay themselves: the capital of 'ſ' is 'S'.
    symbol.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect()
}

impl fmt::Display for InstrumentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.venue, self.symbol)
    }
}
impl Serialize for InstrumentName {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for InstrumentName {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Instrument {
    /// An instrument whose kind follows from its name and from what its venue trades.
    #[must_use]
    pub fn from_name(name: InstrumentName, traded: MarketKind) -> Self {
        let kind = name.kind(Some(traded)).unwrap_or(traded);
        Self { name, kind, expiry: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_print_and_answer() {
        let n = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        assert_eq!(n.to_string(), "binance-usdm:BTCUSDT");
        for bare in ["BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT"] {
            assert!(n.answers_to(bare), "{bare}");
        }
        assert!(!n.answers_to("BTCUSD"));
        for odd in [
            "BTCUSDT\0",
            "BTC USDT",
            " BTCUSDT",
            "BTCUSDT\n",
            "BTC\u{202e}USDT",
            "BTC.USDT",
            "BTCU\u{17f}DT",
            "BTCUSDT?",
            "",
        ] {
            assert!(!n.answers_to(odd), "{odd:?}");
        }
        assert_eq!(n.base_quote(), Some(("BTC".into(), "USDT".into())));
        assert!(InstrumentName::parse("BTCUSDT").is_err());
        assert!(InstrumentName::parse("Binance:BTCUSDT").is_err());
        assert!(InstrumentName::new("binance-usdm", "币安人生USDT").is_ok());
    }

    #[test]
    fn kind_follows_symbol_and_venue() {
        use MarketKind::{DatedFuture, Perpetual, Spot};
        let kind = |symbol: &str, traded| InstrumentName::new("x", symbol).unwrap().kind(traded);
        assert_eq!(kind("BTC-USD", Some(Spot)), Some(Spot));
        assert_eq!(kind("BTCUSDT_261225", Some(Perpetual)), Some(DatedFuture));
        assert_eq!(kind("BTCUSDT_261225", Some(Spot)), Some(Spot));
        assert_eq!(kind("BTC-USDT-SWAP", Some(Perpetual)), Some(Perpetual));
        assert_eq!(kind("BTCUSDT", None), None);
    }
}
