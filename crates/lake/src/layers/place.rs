//! Where rows lie: layer, table, market and hour as hive folders (R5.14).
//!
//! A value in a folder name has the characters escaped that Hive escapes (`FileUtils.escapePathName`: control characters and
//! `" # % ' * / : = ? \ { [ ] ^` as `%XX`, upper case), and besides these space, `+`, `&`, `<`, `>`, `|` and everything outside ASCII,
//! byte by byte of UTF-8, so that a name is the same on every file system. `BTC/USDT:USDT` is `BTC%2FUSDT%3AUSDT`. Readers undo it.

use super::{LayerError, LayerResult};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How far rows have been worked on (R5.13).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// As received: book states and trades.
    Bronze,
    /// Feature rows.
    Silver,
    /// Bars, signals and predictions.
    Gold,
}

impl Layer {
    /// Every layer, from the rawest on.
    pub const ALL: [Self; 3] = [Self::Bronze, Self::Silver, Self::Gold];

    /// The folder's name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bronze => "bronze",
            Self::Silver => "silver",
            Self::Gold => "gold",
        }
    }
}

/// Whose rows: the folders between a table and its years.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LakeMarket {
    /// Id of the venue.
    pub exchange: String,
    /// The market's name.
    pub symbol: String,
    /// Length of a bar, such as `1m`; `None` for tables that have no such folder.
    pub timeframe: Option<String>,
}

impl LakeMarket {
    /// A market of a table without bars.
    pub fn new(exchange: impl Into<String>, symbol: impl Into<String>) -> Self {
        Self { exchange: exchange.into(), symbol: symbol.into(), timeframe: None }
    }

    /// The same market's bars of one length.
    #[must_use]
    pub fn with_timeframe(mut self, timeframe: impl Into<String>) -> Self {
        self.timeframe = Some(timeframe.into());
        self
    }

    /// `exchange=…/symbol=…[/timeframe=…]` below a table.
    pub(super) fn folder(&self, table: &Path) -> LayerResult<PathBuf> {
        let mut folder = table.join(level("exchange", &self.exchange)?).join(level("symbol", &self.symbol)?);
        if let Some(timeframe) = &self.timeframe {
            folder.push(level("timeframe", timeframe)?);
        }
        Ok(folder)
    }
}

/// The hour a moment belongs to.
pub(super) const fn hour_of(ts: Ts) -> Ts {
    ts.floor(Span::hours(1))
}

/// `year=YYYY/month=MM/day=DD/hour=HH`.
pub(super) fn hour_folder(market: &Path, hour: Ts) -> PathBuf {
    let (year, month, day, hour, ..) = hour.civil();
    market.join(format!("year={year:04}/month={month:02}/day={day:02}/hour={hour:02}"))
}

fn level(key: &str, value: &str) -> LayerResult<String> {
    if value.is_empty() {
        return Err(LayerError::Misuse(format!("the {key} of a market is empty")));
    }
    Ok(format!("{key}={}", escape_name(value)))
}

/// The value as it stands in a folder's name: never two folders, but `.` and `..` stay what they are.
#[must_use]
pub fn escape_name(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        let plain = byte.is_ascii_graphic() && !b"\"#%'*/:=?\\{[]^+&<>|".contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The value of a folder named `key=value`.
pub(super) fn value_of(name: &str, key: &str) -> Option<String> {
    unescape(name.strip_prefix(key)?.strip_prefix('=')?)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folders_are_named_as_required() {
        let root = Path::new("bronze/orderbook");
        let cases = [
            ("BTCUSDT", "exchange=binance-usdm/symbol=BTCUSDT"),
            ("BTC/USDT:USDT", "exchange=binance-usdm/symbol=BTC%2FUSDT%3AUSDT"),
            ("..", "exchange=binance-usdm/symbol=.."),
            ("a b%", "exchange=binance-usdm/symbol=a%20b%25"),
            ("币", "exchange=binance-usdm/symbol=%E5%B8%81"),
        ];
        for (symbol, want) in cases {
            let folder = LakeMarket::new("binance-usdm", symbol).folder(root).unwrap();
            assert_eq!(folder, root.join(want));
        }
        assert!(LakeMarket::new("", "BTCUSDT").folder(root).is_err());
        let bars = LakeMarket::new("okx", "A").with_timeframe("1m").folder(Path::new("")).unwrap();
        assert_eq!(bars, Path::new("exchange=okx/symbol=A/timeframe=1m"));
        let hour = hour_folder(Path::new("m"), hour_of(Ts::from_civil(2024, 8, 8, 7, 59, 59)));
        assert_eq!(hour, Path::new("m/year=2024/month=08/day=08/hour=07"));
    }

    proptest! {
        #[test]
        fn any_symbol_comes_back_and_stays_in_its_folder(symbol in "\\PC{1,12}") {
            let name = level("symbol", &symbol).unwrap();
            prop_assert!(name.is_ascii() && !name.contains('/') && !name.contains('\\'));
            prop_assert_eq!(value_of(&name, "symbol"), Some(symbol));
        }
    }
}
