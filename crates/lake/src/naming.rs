//! Whose rows these are, and what is declared about them: venue, symbol, source, kind, delay.
//!
//! First what the user says, then what the rows say, then what the name says.

use crate::options::ImportOptions;
use barograph_domain::{InstrumentName, Kind, MarketKind, Metric, Span, Stamp, StreamDecl, Venue};
use barograph_venues::layout::{BarColumns, Format, Layout, Shape};
use barograph_venues::session::registry;
use barograph_venues::table::RowKey;
use barograph_venues::{Hints, RecordingMapper, TableMapper, policy, symbols};
use std::collections::BTreeSet;

/// Declarations of each key (none where the key is left out), and the symbols as the file itself gives them.
pub(crate) type Declared = (Vec<Option<Vec<StreamDecl>>>, Vec<String>);

/// What decides names.
pub(crate) struct Naming<'a> {
    pub(crate) hints: &'a Hints,
    pub(crate) options: &'a ImportOptions,
}

/// Whether rows of several venues or symbols share the file: options then pick among them instead of renaming all.
#[derive(Clone, Copy)]
struct Several {
    venues: bool,
    symbols: bool,
}

fn distinct<'a>(texts: impl Iterator<Item = &'a Vec<u8>>) -> bool {
    texts.collect::<BTreeSet<_>>().len() > 1
}

/// A symbol among several: taken, or left out by `--symbol`.
enum Choice {
    Take(InstrumentName),
    Leave,
}

impl Naming<'_> {
    /// Streams of a table.
    pub(crate) fn table(&self, mapper: &TableMapper) -> Result<Declared, String> {
        let layout = mapper.layout();
        known_after_close(layout)?;
        let several = Several {
            venues: distinct(mapper.keys().iter().map(|k| &k.venue)),
            symbols: distinct(mapper.keys().iter().map(|k| &k.symbol)),
        };
        let mut declared = Vec::new();
        for key in mapper.keys() {
            declared.push(match self.instrument(key, several, Some(layout.format))? {
                Choice::Leave => None,
                Choice::Take(name) => Some(self.streams(&name, layout, mapper.cadence())),
            });
        }
        let mut own: Vec<String> = mapper.keys().iter().filter_map(|k| self.own_symbol(k, None)).collect();
        own.sort();
        own.dedup();
        let venues = mapper.keys().iter().map(|k| String::from_utf8_lossy(&k.venue).into_owned());
        self.some_left(declared, own, several.venues.then(|| venues.collect()))
    }

    /// Streams of a recording, one per channel.
    pub(crate) fn recording(&self, mapper: &RecordingMapper) -> Result<Declared, String> {
        let venue = self.options.venue.clone().or_else(|| self.hints.venue.clone());
        let venue = venue.unwrap_or_else(|| mapper.market().venue().to_owned());
        let mut own: Vec<String> = mapper.channels().map(|c| c.symbol.clone()).collect();
        own.dedup();
        if own.is_empty() {
            return Err("is a recording of books only; order books are not used yet".to_owned());
        }
        let mut declared = Vec::new();
        for channel in mapper.channels() {
            let key = RowKey { venue: venue.clone().into_bytes(), symbol: channel.symbol.clone().into_bytes() };
            let several = Several { venues: false, symbols: own.len() > 1 };
            declared.push(match self.instrument(&key, several, None)? {
                Choice::Leave => None,
                Choice::Take(name) => {
                    Some(vec![self.stream(&name, channel.metric, channel.cadence, Stamp::Instant, true)])
                }
            });
        }
        self.some_left(declared, own, None)
    }

    fn some_left(
        &self,
        declared: Vec<Option<Vec<StreamDecl>>>,
        own: Vec<String>,
        venues: Option<BTreeSet<String>>,
    ) -> Result<Declared, String> {
        if declared.iter().all(Option::is_none) {
            let asked = [self.options.venue.as_deref(), self.options.symbol.as_deref()];
            let asked: Vec<&str> = asked.into_iter().flatten().collect();
            let seen: Vec<String> = venues.into_iter().flatten().chain(own).take(12).collect();
            return Err(format!(
                "holds no row of {}; it has {}; keep the rows meant with --columns …,where.<column>=<value>",
                asked.join(" "),
                seen.join(", ")
            ));
        }
        Ok((declared, own))
    }

    fn instrument(&self, key: &RowKey, several: Several, format: Option<Format>) -> Result<Choice, String> {
        let told = (!key.venue.is_empty()).then(|| symbols::venue_id(&String::from_utf8_lossy(&key.venue)));
        if several.venues && self.options.venue.is_some() && self.options.venue != told {
            return Ok(Choice::Leave);
        }
        let venue = self.options.venue.clone().or(told).or_else(|| self.hints.venue.clone());
        let own = self.own_symbol(key, venue.as_deref());
        let venue = venue.or_else(|| home(format?, own.as_deref()?));
        let asked = self.options.symbol.as_deref().map(|s| symbols::spelled(venue.as_deref().unwrap_or_default(), s));
        let (venue, symbol) = match (venue, asked.clone().or_else(|| own.clone())) {
            (Some(venue), Some(symbol)) => (venue, symbol),
            (None, Some(_)) => {
                return Err("does not say which venue; add --venue, as in --venue binance-usdm".to_owned());
            }
            (Some(_), None) => return Err("does not say which symbol; add --symbol, as in --symbol BTCUSDT".to_owned()),
            (None, None) => {
                return Err(
                    "says neither venue nor symbol; add both, as in --venue binance-usdm --symbol BTCUSDT".to_owned()
                );
            }
        };
        let venue = Venue::new(&venue).map_err(|e| e.to_string())?;
        // Rows of several symbols: the option picks among them, and the rows keep their spelling.
        let symbol = match (asked, own) {
            (Some(asked), Some(own)) if several.symbols => {
                if !InstrumentName::new(venue.as_str(), &own).is_ok_and(|n| n.answers_to(&asked)) {
                    return Ok(Choice::Leave);
                }
                own
            }
            _ => symbol,
        };
        // Once more, for a venue that only the format gave.
        let symbol = symbols::spelled(venue.as_str(), &symbol);
        let name = InstrumentName::new(venue.as_str(), &symbol).map_err(|e| e.to_string())?;
        if registry::kind(&name).or(self.options.market).is_none() {
            return Err(format!("venue '{venue}' is not known; add --market spot, perpetual or dated_future"));
        }
        Ok(Choice::Take(name))
    }

    fn own_symbol(&self, key: &RowKey, venue: Option<&str>) -> Option<String> {
        let venue = venue.or(self.options.venue.as_deref()).or(self.hints.venue.as_deref()).unwrap_or_default();
        let told = (!key.symbol.is_empty()).then(|| String::from_utf8_lossy(&key.symbol).trim().to_owned());
        told.or_else(|| self.hints.symbol_at(venue)).map(|s| symbols::spelled(venue, &s))
    }

    fn streams(&self, name: &InstrumentName, layout: &Layout, cadence: Span) -> Vec<StreamDecl> {
        let stamp = layout.clock.stamp;
        layout.shape.metrics().into_iter().map(|m| self.stream(name, m, cadence, stamp, layout.filled)).collect()
    }

    fn stream(&self, name: &InstrumentName, metric: Metric, cadence: Span, stamp: Stamp, filled: bool) -> StreamDecl {
        let venue = name.venue.as_str();
        let source = self.options.source.clone().or_else(|| self.hints.source.clone());
        let source = source.unwrap_or_else(|| venue.to_owned());
        let foreign = source != venue && registry::trades(&source).is_some();
        let kind = match metric {
            Metric::Liquidation => Kind::Sampled,
            _ if foreign => Kind::Proxy,
            _ => Kind::Measured,
        };
        let declared = self.options.delays.iter().find(|(m, _)| *m == metric).map(|(_, d)| *d);
        let on_grid = metric == Metric::Bar || !(filled || policy::is_event_stream(metric));
        StreamDecl {
            instrument: name.clone(),
            metric,
            kind: self.options.kind.unwrap_or(kind),
            cadence: if on_grid { cadence } else { policy::STREAM_CADENCE },
            source,
            // Recordings are known at receipt, whatever is declared.
            delay: if filled { Span::ZERO } else { declared.unwrap_or_else(|| policy::archive_delay(metric)) },
            stamp,
            filled,
        }
    }
}

/// Formats only Binance's contract archives have; the symbol gives the margin.
fn home(format: Format, symbol: &str) -> Option<String> {
    let archive = matches!(
        format,
        Format::BinanceMetrics | Format::BinanceFunding | Format::BinanceFundingPages | Format::BinanceLiquidations
    );
    let venue = if symbol.contains("USD_") { "binance-coinm" } else { "binance-usdm" };
    archive.then(|| venue.to_owned())
}

/// A bar's own close time must not lie behind the moment it is said to be known.
fn known_after_close(layout: &Layout) -> Result<(), String> {
    match (&layout.shape, layout.clock.stamp) {
        (Shape::Bars { columns: BarColumns { close_time: Some(_), .. }, .. }, Stamp::Close) => {
            Err("its close times show that stamps are opens: with --stamp close every bar would be known before it \
                 closed; leave --stamp out"
                .to_owned())
        }
        _ => Ok(()),
    }
}

/// Kind of a market for the instruments of a plan.
pub(crate) fn market_of(name: &InstrumentName, options: &ImportOptions) -> MarketKind {
    options.market.or(registry::kind(name)).unwrap_or(MarketKind::Perpetual)
}
