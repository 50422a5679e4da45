//! Between the markets of a process or a store: which are compared, and how their minutes enter. Arithmetic is the engine's.

use barograph_domain::time::LATENESS;
use barograph_domain::{Cell, Instrument, InstrumentName, MinuteRow, Span};
use barograph_engine::Feature;
use barograph_engine::universe::{PairRule, UniverseSample, WATCH_MAX, Watch, default_watch, ordered};
use barograph_store::{Range, Reader, RowQuery, RunKey};
use serde::{Deserialize, Serialize};

/// What reaches an hour between markets: 180 days of the percentile, 90 days of states and episodes that read it, the windows before them
/// and a week for an episode that those 90 days begin in, to whole days.
pub const REACH: Span = Span::days(280);

/// Which markets are compared.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum WatchMarkets {
    /// Of each major asset one.
    #[default]
    Auto,
    /// No market is compared.
    Off,
    /// These, by name: as written in the settings, whole (`venue:symbol`) once they are found.
    Named(Vec<String>),
}

impl WatchMarkets {
    /// As written: `auto`, `off`, or names between commas.
    ///
    /// # Errors
    /// A sentence, where these are not two to [`WATCH_MAX`] names.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => return Ok(Self::Auto),
            "off" => return Ok(Self::Off),
            _ => {}
        }
        let names: Vec<String> = text.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
        if (2..=WATCH_MAX).contains(&names.len()) {
            return Ok(Self::Named(names));
        }
        let n = names.len();
        Err(format!("'{text}' names {n} markets: write auto, off, or 2 to {WATCH_MAX} markets"))
    }

    /// The same with whole names; the error names what is not among `known`.
    pub fn found_in(&self, known: &[InstrumentName], default_venue: &str) -> Result<Self, String> {
        let Self::Named(names) = self else { return Ok(self.clone()) };
        let whole = |name: &String| {
            barograph_api::resolve(known, default_venue, name, true).map(|n| n.to_string()).map_err(|e| {
                let like = match &e {
                    barograph_api::QueryError::UnknownSymbol { nearest, .. } if !nearest.is_empty() => {
                        format!("; did you mean {}?", nearest.join(" or "))
                    }
                    _ => "; name one of these markets, or write watch = \"auto\"".to_owned(),
                };
                format!("watch: {e}{like}")
            })
        };
        names.iter().map(whole).collect::<Result<_, _>>().map(Self::Named)
    }

    /// The markets to compare among these; empty where there are not two.
    pub fn list(&self, markets: &[Instrument]) -> Vec<Watch> {
        let list = match self {
            Self::Off => Vec::new(),
            Self::Auto => default_watch(&markets.iter().map(|i| (i.name.clone(), i.kind)).collect::<Vec<_>>()),
            Self::Named(names) => {
                let wanted = markets.iter().filter(|i| names.contains(&i.name.to_string()));
                ordered(wanted.map(|i| Watch::of(&i.name)).collect())
            }
        };
        if list.len() < 2 { Vec::new() } else { list }
    }
}

/// Which rule says BREAK under a book (S10).
pub fn rule(book: &str) -> PairRule {
    if book == "default" { PairRule::Default } else { PairRule::Seed }
}

/// Samples of all compared markets over a stretch of stored minutes, minute by minute.
///
/// # Errors
/// When the store cannot be read.
pub fn stored_samples(
    reader: &dyn Reader,
    logic_version: &str,
    watch: &[Watch],
    range: Range,
) -> Result<Vec<UniverseSample>, barograph_store::Error> {
    let mut samples = Vec::new();
    for (place, market) in watch.iter().enumerate() {
        let key = RunKey { instrument: market.instrument.clone(), logic_version: logic_version.to_owned() };
        let mut start = range.start;
        loop {
            let range = Range { start, end: range.end };
            let query = RowQuery { range, every: None, after: None, limit: 1_440, as_of: None };
            let volatility = [Feature::RealizedVol24h.spec().id];
            let found = reader.glances(&key, &query, &volatility)?;
            samples.extend(found.rows.iter().map(|row| UniverseSample {
                vol_annual: row.cells.first().and_then(Cell::ready),
                ..sample(place, row)
            }));
            match found.next {
                Some(next) => start = next,
                None => break,
            }
        }
    }
    samples.sort_by_key(|s| (s.ts, s.market));
    Ok(samples)
}

/// What a minute row says to the universe. It was usable 200 ms after its minute.
pub fn sample(market: usize, row: &MinuteRow) -> UniverseSample {
    UniverseSample {
        market,
        ts: row.ts,
        known_ts: row.ts + LATENESS,
        price: row.price,
        vol_annual: row.cells.get(Feature::RealizedVol24h.index()).and_then(Cell::ready),
        risk: row.risk.label,
        volatility: row.volatility.label,
    }
}
