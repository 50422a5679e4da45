//! Names that are hidden: markets, their assets, their venues.

use barograph_domain::InstrumentName;

/// Venues that a sentence may name besides those of the markets at hand, and names of assets that are no symbols.
const VENUES: [&str; 12] = [
    "binance",
    "bybit",
    "okx",
    "coinbase",
    "coinex",
    "deribit",
    "hyperliquid",
    "kraken",
    "bitget",
    "bitmex",
    "tardis",
    "freqtrade",
];
const ASSETS: [(&str, &str); 8] = [
    ("BTC", "bitcoin"),
    ("ETH", "ethereum"),
    ("ETH", "ether"),
    ("SOL", "solana"),
    ("XRP", "ripple"),
    ("DOGE", "dogecoin"),
    ("ADA", "cardano"),
    ("LTC", "litecoin"),
];
/// What stands for a venue.
pub(super) const VENUE: &str = "venue";
/// What stands for an asset without a market here.
const ASSET: &str = "asset";
/// Names that a list shows at most.
const LISTED: usize = 8;

/// Words in capitals that answers use, each of which may also be the name of an asset.
const WORDS: [&str; 28] = [
    "INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNKNOWN", "NORMAL", "LIVE", "STALE", "GAP", "DOWN", "UP", "OPEN",
    "CLOSED", "LONG", "SHORT", "CALM", "CHOP", "TREND", "SQUEEZE", "VOL", "ATR", "OI", "USD", "UTC", "ID", "OFF", "ON",
];

/// Would the name of this market make words of answers unreadable? Hidden, they would show it; shown, they would name it.
pub(super) fn is_word(market: &str) -> bool {
    let base = InstrumentName::parse(market).ok().and_then(|name| name.base_quote());
    base.is_some_and(|(base, _)| WORDS.contains(&&*base))
}

/// What is hidden, and what stands for it.
#[derive(Clone, Debug)]
pub(super) struct HiddenNames {
    /// `venue:symbol`, the first is `M01`.
    markets: Vec<String>,
    /// Words in sentences, the longest first; those of assets as they are written, the others in any case.
    words: Vec<HiddenWord>,
}

#[derive(Clone, Debug)]
struct HiddenWord {
    word: String,
    stands: String,
    is_exact: bool,
}

/// The masked name of a place.
fn masked(place: usize) -> String {
    format!("M{:02}", place + 1)
}

impl HiddenNames {
    pub(super) fn new(markets: &[String]) -> Self {
        let mut words = Vec::new();
        let mut add = |word: &str, stands: &str, is_exact: bool| {
            if !word.is_empty() && !words.iter().any(|known: &HiddenWord| known.word == word) {
                words.push(HiddenWord { word: word.to_owned(), stands: stands.to_owned(), is_exact });
            }
        };
        let (mut bases, mut quotes) = (Vec::new(), Vec::new());
        for (place, market) in markets.iter().enumerate() {
            add(market, &format!("{VENUE}:{}", masked(place)), false);
            let Ok(name) = InstrumentName::parse(market) else { continue };
            add(&name.symbol, &masked(place), false);
            add(name.venue.as_str(), VENUE, false);
            add(name.venue.source_word(), VENUE, false);
            add(name.venue.exchange(), VENUE, false);
            if let Some((base, quote)) = name.base_quote() {
                add(&format!("{base}/{quote}"), &masked(place), false);
                bases.push((base, masked(place)));
                quotes.push(quote);
            }
        }
        for (base, stands) in &bases {
            add(base, stands, true);
        }
        for (asset, spoken) in ASSETS {
            let stands = bases.iter().find(|(base, _)| base == asset).map_or(ASSET, |(_, stands)| stands);
            add(asset, stands, true);
            add(spoken, stands, false);
        }
        // Money in general is no secret.
        quotes.iter().filter(|quote| *quote != "USD").for_each(|quote| add(quote, "quote", true));
        VENUES.iter().for_each(|venue| add(venue, VENUE, false));
        words.sort_by(|a, b| b.word.len().cmp(&a.word.len()).then_with(|| a.word.cmp(&b.word)));
        Self { markets: markets.to_vec(), words }
    }

    /// Place of a market: `venue:symbol`, or a symbol that one of them has.
    pub(super) fn place(&self, real: &str) -> Option<usize> {
        let is_symbol = |market: &&String| market.split_once(':').is_some_and(|(_, symbol)| symbol == real);
        let exact = self.markets.iter().position(|market| market == real);
        exact.or_else(|| {
            let only = self.markets.iter().filter(is_symbol).count() == 1;
            self.markets.iter().position(|market| is_symbol(&market)).filter(|_| only)
        })
    }

    /// The market of a masked name, with or without `venue:`.
    pub(super) fn real(&self, shown: &str) -> Option<&str> {
        let number = shown.strip_prefix(VENUE).and_then(|rest| rest.strip_prefix(':')).unwrap_or(shown);
        let number: usize = number.strip_prefix('M')?.parse().ok()?;
        let place = number.checked_sub(1).filter(|place| format!("{VENUE}:{}", masked(*place)).ends_with(shown))?;
        self.markets.get(place).map(String::as_str)
    }

    /// The masked name of a market, in the form that it was written in.
    pub(super) fn shown(&self, real: &str) -> Option<String> {
        let name = masked(self.place(real)?);
        Some(if real.contains(':') { format!("{VENUE}:{name}") } else { name })
    }

    /// The masked name of an asset.
    pub(super) fn asset(&self, asset: &str) -> Option<&str> {
        self.words.iter().find(|word| word.is_exact && word.word == asset).map(|word| word.stands.as_str())
    }

    /// All of them, as a sentence goes on: "are M01, M02".
    pub(super) fn list(&self) -> String {
        let shown: Vec<String> = (0..self.markets.len().min(LISTED)).map(masked).collect();
        let more = if self.markets.len() > LISTED { " and more; markets lists them" } else { "" };
        match shown.len() {
            0 => "is none".to_owned(),
            1 => format!("is {}", shown.join("")),
            _ => format!("are {}{more}", shown.join(", ")),
        }
    }

    /// A text with other words in place of what is hidden.
    pub(super) fn without(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, word| word.replaced(&text))
    }
}

impl HiddenWord {
    /// The text with another word in place of this one, wherever it stands as a word of its own.
    fn replaced(&self, text: &str) -> String {
        let within = if self.is_exact { text.to_owned() } else { text.to_ascii_lowercase() };
        let wanted = if self.is_exact { self.word.clone() } else { self.word.to_ascii_lowercase() };
        let mut made = String::with_capacity(text.len());
        let mut copied = 0;
        for (at, _) in within.match_indices(&wanted) {
            let end = at + wanted.len();
            // HIGH is a part of HIGH_VOL, a word of the program; binance of binance_futures is a venue all the same.
            let is_letter =
                |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || (self.is_exact && c == '_'));
            if at < copied || is_letter(text[..at].chars().next_back()) || is_letter(text[end..].chars().next()) {
                continue;
            }
            made.push_str(&text[copied..at]);
            made.push_str(&self.stands);
            copied = end;
        }
        made.push_str(&text[copied..]);
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> HiddenNames {
        HiddenNames::new(&["binance-usdm:ETHUSDT".into(), "bybit:BTCUSDT".into(), "binance-usdm:BTCUSDT".into()])
    }

    #[test]
    fn no_name_is_left_in_a_sentence() {
        for (text, expected) in [
            ("BTCUSDT of bybit:BTCUSDT moved", "M02 of venue:M02 moved"),
            ("ETH leads BTC; Bitcoin on Binance", "M01 leads M02; M02 on venue"),
            ("binance_futures, binance-usdm, ETH/USDT", "venue, venue, M01"),
            ("SOL and solana in USDT, USD", "asset and asset in quote, USD"),
            ("BTC_X stays, btc_x stays", "BTC_X stays, btc_x stays"),
            ("ETHER and BTCX stay no names", "M01 and BTCX stay no names"),
        ] {
            assert_eq!(names().without(text), expected, "{text}");
        }
    }

    #[test]
    fn a_masked_name_leads_to_one_market_and_a_real_one_to_none() {
        let names = names();
        assert_eq!(names.real("M01"), Some("binance-usdm:ETHUSDT"));
        assert_eq!(names.real("venue:M03"), Some("binance-usdm:BTCUSDT"));
        for stranger in ["M04", "M00", "M1", "m01", "BTCUSDT", "binance-usdm:ETHUSDT", "", "venue:", "e:M01", "M+1"] {
            assert_eq!(names.real(stranger), None, "{stranger}");
        }
        assert_eq!(names.shown("bybit:BTCUSDT").as_deref(), Some("venue:M02"));
        assert_eq!(names.shown("ETHUSDT").as_deref(), Some("M01"));
        assert_eq!(names.shown("BTCUSDT"), None, "two have it");
    }
}
