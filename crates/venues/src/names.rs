//! What a file's path says about its content: venue, symbol, metric, timeframe, day. Hints only: content comes first,
//! and what the user says comes before both.
//!
//! Known shapes: the Binance archive (`futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01-02.zip`), freqtrade
//! (`binance/futures/BTC_USDT_USDT-5m-futures.feather`), Tardis (`binance-futures_trades_2024-01-01_BTCUSDT.csv.gz` and
//! its folder form), and names people give (`binance-usdm_btcusdt_1h.csv`).

use crate::session::registry;
use crate::symbols::{self, Pair};
use barograph_domain::{InstrumentName, Metric, Span, Ts};

/// What a path says. Empty where it says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// Venue id.
    pub venue: Option<String>,
    /// The venue's symbol, in capitals.
    pub symbol: Option<String>,
    /// A freqtrade pair, whose spelling depends on the venue.
    pub pair: Option<Pair>,
    /// What the rows are.
    pub metric: Option<Metric>,
    /// Timeframe of bars, or step of a series.
    pub cadence: Option<Span>,
    /// The timeframe is a calendar month.
    pub calendar_month: bool,
    /// The day of a daily archive file.
    pub day: Option<Ts>,
    /// Another provider named beside the venue.
    pub source: Option<String>,
    /// The name has the shape of the Binance archive.
    pub binance_archive: bool,
}

/// Folder and file words of the archive and of freqtrade, and the metric they stand for.
const KINDS: [(&str, Metric); 17] = [
    ("markpriceklines", Metric::MarkPrice),
    ("indexpriceklines", Metric::IndexPrice),
    ("premiumindexklines", Metric::PremiumIndex),
    ("premiumindex", Metric::PremiumIndex),
    ("klines", Metric::Bar),
    ("candles", Metric::Bar),
    ("futures", Metric::Bar),
    ("fundingrate", Metric::FundingRateSettled),
    ("funding", Metric::FundingRateSettled),
    ("metrics", Metric::OpenInterest),
    ("aggtrades", Metric::Trade),
    ("trades", Metric::Trade),
    ("liquidationsnapshot", Metric::Liquidation),
    ("liquidations", Metric::Liquidation),
    ("mark", Metric::MarkPrice),
    ("markprice", Metric::MarkPrice),
    ("index", Metric::IndexPrice),
];

impl Hints {
    /// Reads a path; `/` and `\` both separate folders.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split(['/', '\\']).filter(|p| !p.is_empty() && *p != ".").collect();
        let Some((file, folders)) = parts.split_last() else { return Self::default() };
        let stem = stem(file);
        let mut hints = Self::default();
        hints.read_folders(folders);
        if !hints.read_archive_name(&stem) && !hints.read_freqtrade_name(&stem, folders) {
            hints.read_tardis_name(&stem, folders);
            hints.read_tokens(&stem);
        }
        hints.finish()
    }

    fn read_folders(&mut self, folders: &[&str]) {
        let lower: Vec<String> = folders.iter().map(|f| f.to_ascii_lowercase()).collect();
        let pair = |a: &str, b: &str| lower.windows(2).any(|w| w[0] == a && w[1] == b);
        let archive_venue = [("um", "binance-usdm"), ("cm", "binance-coinm")];
        for (folder, venue) in archive_venue {
            if pair("futures", folder) {
                self.venue = Some(venue.to_owned());
            }
        }
        if pair("spot", "daily") || pair("spot", "monthly") {
            self.venue = Some("binance-spot".to_owned());
        }
        if self.venue.is_none() {
            self.venue = lower.iter().rev().find(|f| is_venue(f)).cloned();
        }
        // From the innermost folder outwards: a kind, and in the archive the symbol behind it.
        for (i, folder) in folders.iter().enumerate().rev() {
            if self.metric.is_none() && is_archive_folder(folder) {
                self.metric = kind_of(folder);
                if self.metric.is_some() && self.symbol.is_none() {
                    self.symbol = folders.get(i + 1).filter(|s| s.parse::<u32>().is_err()).map(|s| (*s).to_owned());
                }
            }
        }
        if self.symbol.is_none() {
            self.symbol = folders.iter().rev().find(|f| is_upper_symbol(f)).map(|s| (*s).to_owned());
        }
        for folder in folders {
            if let Some((span, month)) = timeframe(folder) {
                (self.cadence, self.calendar_month) = (Some(span), month);
            }
        }
    }

    /// `BTCUSDT-1m-2025-01`, `BTCUSDT-metrics-2025-01-02`.
    fn read_archive_name(&mut self, stem: &str) -> bool {
        let parts: Vec<&str> = stem.split('-').collect();
        let (symbol, kind, date) = match parts[..] {
            [symbol, kind, y, m] => (symbol, kind, [y, m, "01"]),
            [symbol, kind, y, m, d] => (symbol, kind, [y, m, d]),
            _ => return false,
        };
        let Ok(first_day) = Ts::parse(&date.join("-")) else { return false };
        let frame = timeframe(kind);
        let named = kind_of(kind);
        if symbol.is_empty() || (frame.is_none() && named.is_none()) {
            return false;
        }
        self.symbol = Some(symbol.to_owned());
        if let Some((span, month)) = frame {
            (self.cadence, self.calendar_month) = (Some(span), month);
        }
        self.metric = named.or(self.metric);
        // A monthly file of metrics does not exist; its days would follow two rules in one month anyway.
        self.day = (parts.len() == 5).then_some(first_day);
        self.binance_archive = true;
        true
    }

    /// `BTC_USDT_USDT-5m-futures`, `BTC_USDT-1h`.
    fn read_freqtrade_name(&mut self, stem: &str, folders: &[&str]) -> bool {
        let Some((pair, rest)) = stem.split_once('-') else { return false };
        let (frame, kind) = rest.split_once('-').map_or((rest, None), |(f, k)| (f, Some(k)));
        let Some((span, month)) = timeframe(frame) else { return false };
        let parts: Vec<&str> = pair.split('_').collect();
        let plain = |p: &&str| !p.is_empty() && p.chars().all(char::is_alphanumeric);
        let (base, quote, settle) = match parts[..] {
            [base, quote] => (base, quote, None),
            [base, quote, settle] => (base, quote, Some(settle)),
            _ => return false,
        };
        if !parts.iter().all(plain) {
            return false;
        }
        (self.cadence, self.calendar_month) = (Some(span), month);
        let inside = |name: &str| folders.iter().any(|f| f.eq_ignore_ascii_case(name));
        let futures = settle.is_some() || inside("futures");
        self.metric = kind.map_or(self.metric.filter(|_| kind.is_none()), kind_of);
        let exchange = folders.iter().rev().find(|f| !f.eq_ignore_ascii_case("futures"));
        if self.venue.is_none() {
            let exchange = exchange.map(|e| e.to_ascii_lowercase()).unwrap_or_default();
            self.venue = symbols::venue_of_freqtrade(&exchange, futures, quote, settle).map(str::to_owned);
        }
        self.pair = Some(Pair { base: base.to_owned(), quote: quote.to_owned(), settle: settle.map(str::to_owned) });
        true
    }

    /// `binance-futures_trades_2024-01-01_BTCUSDT`, or folders `binance-futures/trades/2024/01/01`.
    fn read_tardis_name(&mut self, stem: &str, folders: &[&str]) {
        let known = |kind: &str| matches!(kind, "trades" | "liquidations" | "derivative_ticker");
        let parts: Vec<&str> = stem.splitn(2, '_').collect();
        if let [exchange, rest] = parts[..] {
            for kind in ["derivative_ticker", "trades", "liquidations"] {
                if let Some(rest) = rest.strip_prefix(kind).and_then(|r| r.strip_prefix('_')) {
                    self.metric = kind_of(kind);
                    self.venue.get_or_insert_with(|| symbols::venue_of_tardis(exchange));
                    self.symbol = rest.split_once('_').map(|(_, symbol)| symbol.to_owned()).or(self.symbol.take());
                }
            }
        }
        if let [.., exchange, kind, _, _, _] = folders
            && known(kind)
        {
            self.metric = kind_of(kind);
            self.venue.get_or_insert_with(|| symbols::venue_of_tardis(exchange));
            self.symbol = Some(stem.to_owned());
        }
    }

    /// Names people give: parts between `_`, `.` and spaces; the symbol is the first part that looks like one.
    fn read_tokens(&mut self, stem: &str) {
        let tokens: Vec<&str> = stem.split(['_', '.', ' ']).filter(|t| !t.is_empty()).collect();
        for token in &tokens {
            let lower = token.to_ascii_lowercase();
            let venue = match lower.as_str() {
                "usdm" => Some("binance-usdm".to_owned()),
                "coinm" => Some("binance-coinm".to_owned()),
                name if is_venue(name) => Some(name.to_owned()),
                _ => None,
            };
            match (&self.venue, venue) {
                (None, Some(found)) => self.venue = Some(found),
                (Some(known), Some(found)) if *known != found => self.source = Some(found),
                _ => {}
            }
            if let (None, Some((span, month))) = (self.cadence, timeframe(token)) {
                (self.cadence, self.calendar_month) = (Some(span), month);
            }
            for word in token.split('-') {
                self.metric = self.metric.or_else(|| kind_of(word));
            }
        }
        let lower = stem.to_ascii_lowercase();
        if lower.contains("open_interest") || tokens.iter().any(|t| t.eq_ignore_ascii_case("oi")) {
            self.metric = Some(Metric::OpenInterest);
        }
        if self.symbol.is_none() {
            self.symbol = tokens.iter().find(|t| is_loose_symbol(t)).map(|t| t.to_uppercase());
        }
        // `btcusd_perp`: the archive's own spelling of a COIN-M perpetual.
        if let Some(symbol) = &self.symbol {
            let joined = format!("{symbol}_PERP");
            if stem.to_uppercase().contains(&joined) {
                self.symbol = Some(joined);
            }
        }
    }

    fn finish(mut self) -> Self {
        // Some archive files exist for contracts only; the symbol then gives the margin.
        let contracts_only = matches!(
            self.metric,
            Some(
                Metric::MarkPrice
                    | Metric::IndexPrice
                    | Metric::PremiumIndex
                    | Metric::FundingRateSettled
                    | Metric::OpenInterest
                    | Metric::Liquidation
            )
        );
        if self.venue.is_none() && self.binance_archive && contracts_only {
            let coin_margined = self.symbol.as_deref().is_some_and(|s| s.contains("USD_"));
            self.venue = Some(if coin_margined { "binance-coinm" } else { "binance-usdm" }.to_owned());
        }
        self
    }

    /// The symbol in the spelling of `venue`.
    #[must_use]
    pub fn symbol_at(&self, venue: &str) -> Option<String> {
        self.pair.as_ref().map(|p| p.native(venue)).or_else(|| self.symbol.clone())
    }
}

/// File name without its format and compression endings.
fn stem(file: &str) -> String {
    let mut stem = file;
    while let Some((head, tail)) = stem.rsplit_once('.') {
        let known = [
            "gz", "zst", "zstd", "zip", "csv", "tsv", "json", "jsonl", "ndjson", "parquet", "pq", "feather", "arrow",
            "ipc", "txt", "data",
        ];
        if head.is_empty() || !known.iter().any(|k| tail.eq_ignore_ascii_case(k)) {
            break;
        }
        stem = head;
    }
    stem.to_owned()
}

/// Folders of the archives. Plainer words, such as `mark` or `index`, may be anyone's name in a path.
fn is_archive_folder(word: &str) -> bool {
    let names = [
        "klines",
        "markPriceKlines",
        "indexPriceKlines",
        "premiumIndexKlines",
        "fundingRate",
        "metrics",
        "aggTrades",
        "trades",
        "liquidationSnapshot",
        "liquidations",
    ];
    names.iter().any(|n| n.eq_ignore_ascii_case(word))
}

fn is_venue(word: &str) -> bool {
    registry::trades(word).is_some()
}

fn kind_of(word: &str) -> Option<Metric> {
    let squeezed: String = word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    KINDS.iter().find(|(name, _)| *name == squeezed).map(|(_, metric)| *metric)
}

/// `1m`, `4h`, `1d`, `1w`, `1s`; `1M` and `1mo` are calendar months, declared as 30 days.
fn timeframe(word: &str) -> Option<(Span, bool)> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 3 {
        return None;
    }
    let (number, unit) = word.split_at(digits);
    let n: i64 = number.parse().ok().filter(|n| *n > 0)?;
    match unit {
        "M" | "mo" => Some((Span::days(30).times(n), true)),
        "s" | "m" | "h" | "d" | "w" | "min" => Span::parse(word).ok().map(|s| (s, false)),
        _ => None,
    }
}

/// A folder named after a symbol: capitals and digits that end in a currency.
fn is_upper_symbol(word: &str) -> bool {
    word.len() >= 5 && !word.chars().any(char::is_lowercase) && is_loose_symbol(word)
}

/// `btcusdt`, `BTC-USDT-SWAP`, `BTC-PERP`: something priced in a dollar currency.
fn is_loose_symbol(word: &str) -> bool {
    let capitals = word.to_uppercase();
    let plain: String = capitals.chars().filter(|c| c.is_alphanumeric()).collect();
    if capitals.chars().any(|c| !(c.is_alphanumeric() || c == '-')) || plain.len() > 24 {
        return false;
    }
    if plain.strip_suffix("PERP").is_some_and(|base| !base.is_empty() && capitals.contains("-PERP")) {
        return true;
    }
    InstrumentName::new("x", &plain)
        .ok()
        .and_then(|n| n.base_quote())
        .is_some_and(|(base, quote)| quote.contains("USD") && !base.is_empty() && base.len() <= 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, venue: Option<&str>, symbol: Option<&str>, metric: Option<Metric>, cadence: Option<&str>) {
        let hints = Hints::of(path);
        let want_cadence = cadence.map(|c| Span::parse(c).unwrap());
        let spelled = hints.symbol_at(hints.venue.as_deref().unwrap_or_default());
        assert_eq!(
            (hints.venue.as_deref(), spelled.as_deref(), hints.metric, hints.cadence),
            (venue, symbol, metric, want_cadence),
            "{path}"
        );
    }

    #[test]
    fn archive_paths() {
        let usdm = Some("binance-usdm");
        let btc = Some("BTCUSDT");
        let um = "data/futures/um/daily";
        check(&format!("{um}/klines/BTCUSDT/1m/BTCUSDT-1m-2025-01-02.zip"), usdm, btc, Some(Metric::Bar), Some("1m"));
        check(
            &format!("{um}/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2025-01-02.zip"),
            usdm,
            btc,
            Some(Metric::MarkPrice),
            Some("1m"),
        );
        check(
            &format!("{um}/metrics/BTCUSDT/BTCUSDT-metrics-2025-01-02.zip"),
            usdm,
            btc,
            Some(Metric::OpenInterest),
            None,
        );
        check("BTCUSDT-fundingRate-2025-01.csv", usdm, btc, Some(Metric::FundingRateSettled), None);
        check(
            "BTCUSD_PERP-fundingRate-2025-01.csv",
            Some("binance-coinm"),
            Some("BTCUSD_PERP"),
            Some(Metric::FundingRateSettled),
            None,
        );
        check("BTCUSDT-1m-2025-01.zip", None, btc, None, Some("1m"));
        check("BTCUSDT_240628-1h-2024-06-01.csv", None, Some("BTCUSDT_240628"), None, Some("1h"));
        check(
            "data/spot/monthly/klines/BTCUSDT/1s/BTCUSDT-1s-2025-01.zip",
            Some("binance-spot"),
            btc,
            Some(Metric::Bar),
            Some("1s"),
        );
        let month = Hints::of("data/spot/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2025-01.zip");
        assert!(month.calendar_month);
        assert_eq!(Hints::of("BTCUSDT-metrics-2026-06-25.zip").day, Some(Ts::from_civil(2026, 6, 25, 0, 0, 0)));
        assert_eq!(Hints::of("BTCUSDT-1m-2026-06.zip").day, None);
        check(
            "data/spot/daily/klines/币安人生USDT/1m/币安人生USDT-1m-2026-01-02.zip",
            Some("binance-spot"),
            Some("币安人生USDT"),
            Some(Metric::Bar),
            Some("1m"),
        );
    }

    #[test]
    fn freqtrade_paths() {
        let at = |file: &str| format!("user_data/data/binance/futures/{file}");
        let (usdm, btc) = (Some("binance-usdm"), Some("BTCUSDT"));
        check(&at("BTC_USDT_USDT-5m-futures.feather"), usdm, btc, Some(Metric::Bar), Some("5m"));
        check(&at("BTC_USDT_USDT-8h-mark.feather"), usdm, btc, Some(Metric::MarkPrice), Some("8h"));
        check(&at("BTC_USDT_USDT-8h-funding_rate.json.gz"), usdm, btc, Some(Metric::FundingRateSettled), Some("8h"));
        check("data/binance/BTC_USDT-1h.feather", Some("binance-spot"), btc, None, Some("1h"));
        check(
            "okx/futures/BTC_USDT_USDT-1m-futures.parquet",
            Some("okx"),
            Some("BTC-USDT-SWAP"),
            Some(Metric::Bar),
            Some("1m"),
        );
        check("BTC_USDT_USDT-5m-futures.feather", None, btc, Some(Metric::Bar), Some("5m"));
    }

    #[test]
    fn tardis_paths() {
        let (usdm, btc) = (Some("binance-usdm"), Some("BTCUSDT"));
        check("binance-futures_trades_2024-01-01_BTCUSDT.csv.gz", usdm, btc, Some(Metric::Trade), None);
        check("binance-futures_liquidations_2024-01-01_BTCUSDT.csv.gz", usdm, btc, Some(Metric::Liquidation), None);
        check("binance-futures/liquidations/2024/01/01/BTCUSDT.csv.gz", usdm, btc, Some(Metric::Liquidation), None);
    }

    #[test]
    fn names_people_give() {
        check("ohlcv/btcusdt_1h.csv.gz", None, Some("BTCUSDT"), None, Some("1h"));
        check("btc-usdt-swap_okx_1m.feather", Some("okx"), Some("BTC-USDT-SWAP"), None, Some("1m"));
        check("binance-usdm_btcusdt_20240808.gz", Some("binance-usdm"), Some("BTCUSDT"), None, None);
        check("binance-coinm_btcusd_perp_20240808.gz", Some("binance-coinm"), Some("BTCUSD_PERP"), None, None);
        check("btcusdt_8h-mark.feather", None, Some("BTCUSDT"), Some(Metric::MarkPrice), None);
        check("btc-perp_1m.csv.gz", None, Some("BTC-PERP"), None, Some("1m"));
        check("-perp_1m.csv.gz", None, None, None, Some("1m"));
        check("allperp_1m.csv.gz", None, None, None, Some("1m"));
        check("coinbase_btcusd_1m.parquet", Some("coinbase"), Some("BTCUSD"), None, Some("1m"));
        check("candles.parquet", None, None, Some(Metric::Bar), None);
        let shipped = Hints::of("history/binance-usdm/BTCUSDT/open_interest_usd_1h.hyperliquid.csv.zst");
        assert_eq!((shipped.venue.as_deref(), shipped.symbol.as_deref()), (Some("binance-usdm"), Some("BTCUSDT")));
        assert_eq!(shipped.source.as_deref(), Some("hyperliquid"));
        check("/srv/mark/index/btcusdt_1m.csv", None, Some("BTCUSDT"), None, Some("1m"));
        assert_eq!(Hints::of(""), Hints::default());
        assert_eq!(Hints::of("notes.txt").symbol, None);
    }
}
