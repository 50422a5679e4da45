//! What the user declares about an import, and the same per file where an `import.toml` says it.

use barograph_domain::leg::SpotPairs;
use barograph_domain::{Kind, MarketKind, Metric, Span, Stamp, Ts, Venue};
use barograph_venues::ColumnMap;

/// What the user says. Everything but `now` is optional and overrides what names, content and `import.toml` say.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportOptions {
    /// `--venue`: whose market, as in `binance-usdm`.
    pub venue: Option<String>,
    /// `--symbol`: in the venue's own spelling; on Binance and Bybit `btcusdt`, `BTC/USDT` and `BTC-USDT` are `BTCUSDT`.
    pub symbol: Option<String>,
    /// `--market`: needed for venues this build has not heard of.
    pub market: Option<MarketKind>,
    /// `--metric`: what the rows are, where content and name leave it open.
    pub metric: Option<Metric>,
    /// `--stamp`: what a row's time means.
    pub stamp: Option<Stamp>,
    /// `--delay metric=span`: how long after its stamp a row was known.
    pub delays: Vec<(Metric, Span)>,
    /// `--cadence`: timeframe of bars, step of series. Settled funding is declared with 8 h unless this says otherwise, and
    /// each settlement carries its own interval.
    pub cadence: Option<Span>,
    /// `--source`: who measured it, where that is not the venue itself.
    pub source: Option<String>,
    /// `--columns`: which column is what. Used for tables that have all of its columns.
    pub columns: Option<ColumnMap>,
    /// How the numbers came to be; normally follows from metric and source.
    pub kind: Option<Kind>,
    /// Which spot market a contract's basis is of, where that is declared.
    pub spot_pairs: SpotPairs,
    /// The present: rows stamped later are refused.
    pub now: Ts,
}

impl ImportOptions {
    /// Nothing declared.
    #[must_use]
    pub const fn new(now: Ts) -> Self {
        Self {
            venue: None,
            symbol: None,
            market: None,
            metric: None,
            stamp: None,
            delays: Vec::new(),
            cadence: None,
            source: None,
            columns: None,
            kind: None,
            spot_pairs: SpotPairs::NONE,
            now,
        }
    }

    /// Refuses what can never be meant.
    ///
    /// # Errors
    /// A sentence naming the option.
    pub fn checked(&self) -> Result<(), String> {
        if let Some(venue) = &self.venue {
            if matches!(venue.as_str(), "binance" | "binance-futures") {
                return Err(format!("venue '{venue}' is several; say binance-usdm, binance-coinm or binance-spot"));
            }
            Venue::new(venue).map_err(|e| e.to_string())?;
        }
        if let Some((metric, delay)) = self.delays.iter().find(|(_, delay)| *delay < Span::ZERO) {
            return Err(format!(
                "a delay of {}s for {} would use rows before they were known; give zero or more",
                delay.as_secs(),
                metric.name()
            ));
        }
        if self.cadence.is_some_and(|c| c <= Span::ZERO) {
            return Err("cadence must be above zero, as in 1m or 8h".to_owned());
        }
        Ok(())
    }

    /// These options, and where they are silent, the other's.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut delays = self.delays.clone();
        delays.extend(other.delays.iter().filter(|(m, _)| !self.delays.iter().any(|(d, _)| d == m)));
        Self {
            venue: self.venue.clone().or_else(|| other.venue.clone()),
            symbol: self.symbol.clone().or_else(|| other.symbol.clone()),
            market: self.market.or(other.market),
            metric: self.metric.or(other.metric),
            stamp: self.stamp.or(other.stamp),
            delays,
            cadence: self.cadence.or(other.cadence),
            source: self.source.clone().or_else(|| other.source.clone()),
            columns: self.columns.clone().or_else(|| other.columns.clone()),
            kind: self.kind.or(other.kind),
            spot_pairs: self.spot_pairs.clone(),
            now: self.now,
        }
    }

    /// The overrides as stable text, for the policy that goes into the configuration hash.
    #[must_use]
    pub fn policy_text(&self) -> String {
        let of = self.metric.map_or("all", Metric::name);
        let mut out = String::new();
        if let Some(stamp) = self.stamp {
            out.push_str(&format!("override {of} stamp={}\n", stamp_word(stamp)));
        }
        if let Some(cadence) = self.cadence {
            out.push_str(&format!("override {of} cadence={cadence}\n"));
        }
        let mut delays = self.delays.clone();
        delays.sort();
        for (metric, delay) in delays {
            out.push_str(&format!("override {} delay={delay}\n", metric.name()));
        }
        out
    }
}

/// The word of a stamp in messages and options.
pub(crate) const fn stamp_word(stamp: Stamp) -> &'static str {
    match stamp {
        Stamp::Open => "open",
        Stamp::Close => "close",
        Stamp::Instant => "instant",
    }
}
