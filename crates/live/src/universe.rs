//! Between the markets of a process or a store: which are compared, and how their minutes enter. Arithmetic is the engine's.

use barograph_domain::time::LATENESS;
use barograph_domain::{Instrument, InstrumentName, MinuteRow};
use barograph_engine::Feature;
use barograph_engine::universe::{PairRule, UniverseSample, WATCH_MAX, Watch, default_watch, ordered};
use serde::{Deserialize, Serialize};

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

/// What a minute row says to the universe. It was usable 200 ms after its minute.
pub fn sample(market: usize, row: &MinuteRow) -> UniverseSample {
    UniverseSample {
        market,
        ts: row.ts,
        known_ts: row.ts + LATENESS,
        price: row.price,
        vol_annual: row.cells.get(Feature::RealizedVol24h.index()).and_then(barograph_domain::Cell::ready),
        risk: row.risk.label,
        volatility: row.volatility.label,
    }
}
