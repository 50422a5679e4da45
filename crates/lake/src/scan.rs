//! First pass over one file: what it is, whose, from when to when, in order or not.

use crate::file::{Place, PlannedFile, Reader, Step};
use crate::options::ImportOptions;
use crate::sniff::{self, Content};
use barograph_domain::{InstrumentName, Kind, MarketKind, Metric, Span, Stamp, StreamDecl, Ts, Venue};
use barograph_venues::layout::{BarColumns, Layout, Shape};
use barograph_venues::recognise::{self, Asked};
use barograph_venues::table::Key;
use barograph_venues::{Hints, TableMapper, policy, symbols};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What the scan of a file gives.
pub(crate) struct Scanned {
    pub(crate) file: PlannedFile,
    /// Symbols as the file itself tells them, before the user's `--symbol`.
    pub(crate) own_symbols: Vec<String>,
}

/// Plans one file.
///
/// # Errors
/// One sentence for this file.
pub(crate) fn scan(place: Place, options: &ImportOptions) -> Result<Scanned, String> {
    options.checked()?;
    let sniffed = sniff::sniff(&place.path, place.member.as_ref())?;
    let hints = hints_of(&place);
    if sniffed.content == Content::Recording {
        return Err("is a raw recording, which is not read here".to_owned());
    }
    let asked = Asked {
        metric: options.metric,
        stamp: options.stamp,
        columns: options.columns.as_ref(),
        venue: options.venue.as_deref(),
        symbol: options.symbol.as_deref(),
    };
    let layout = recognise::recognise(&sniffed.sample, &hints, &asked)?;
    let measured = recognise::cadence(&sniffed.sample, &layout);
    let cadence = cadence(&layout, options, &hints, measured)?;
    let infers = matches!(layout.shape, Shape::Funding { metric: Metric::FundingRateSettled, interval_h: None, .. });
    let mut mapper = TableMapper::new(layout, cadence, options.now);
    let pass = first_pass(&place, sniffed.content, &mut mapper)?;
    let naming = Naming { hints: &hints, options, layout: mapper.layout(), cadence };
    let decls = naming.declare(mapper.keys())?;
    let own_symbols = mapper.keys().iter().filter_map(|k| naming.own_symbol(k, None)).collect();
    let delays: Vec<Span> = decls.iter().flatten().flatten().map(|d| d.delay).collect();
    let shift = if mapper.layout().clock.recv.is_some() {
        Span::ZERO
    } else {
        delays.iter().min().copied().unwrap_or_default()
    };
    let sorted = pass.sorted || mapper.layout().ordered;
    let bytes = std::fs::metadata(&place.path).map_or(0, |m| m.len());
    let file = PlannedFile {
        place,
        content: sniffed.content,
        mapper,
        decls,
        known: (pass.first + shift, pass.last + shift),
        sorted,
        infer_interval: infers.then_some(cadence),
        bytes,
    };
    Ok(Scanned { file, own_symbols })
}

fn hints_of(place: &Place) -> Hints {
    let mut path = std::path::absolute(&place.path).unwrap_or_else(|_| place.path.clone());
    if let Some(member) = &place.member {
        // The name inside the archive says at least as much; the folders around the archive say the rest.
        path.pop();
        path.push(&member.name);
    }
    Hints::of(&path.to_string_lossy())
}

/// Declared by the user, fixed by the format, measured on the first rows, or said by the name.
fn cadence(layout: &Layout, options: &ImportOptions, hints: &Hints, measured: Option<Span>) -> Result<Span, String> {
    let month = matches!(layout.shape, Shape::Bars { columns: BarColumns { calendar_month: true, .. }, .. });
    let named = hints.cadence;
    let known = match &layout.shape {
        Shape::Trades { .. } | Shape::Liquidations { .. } | Shape::Ticker { .. } => Some(policy::STREAM_CADENCE),
        Shape::Funding { .. } => measured.or(Some(policy::FUNDING_INTERVAL)),
        // The name of a candle file is its timeframe; a hole at the beginning could fool a measurement.
        Shape::Bars { .. } if month => named,
        Shape::Bars { .. } => match (named, measured) {
            (Some(named), Some(measured)) if measured < named && options.cadence.is_none() => {
                return Err(bar_conflict(named, measured));
            }
            (named, measured) => named.or(measured),
        },
        Shape::Values(_) => layout.cadence.or(measured).or(named),
    };
    options.cadence.or(known).ok_or_else(|| {
        "holds too few rows to tell how far apart they are; say --cadence, as in --cadence 1m".to_owned()
    })
}

fn bar_conflict(named: Span, measured: Span) -> String {
    format!(
        "the name says bars of {named}, the rows are {measured} apart; say --cadence {measured} or --cadence {named}"
    )
}

struct Pass {
    first: Ts,
    last: Ts,
    sorted: bool,
}

/// Stamps and keys of all rows. Wrong rows are left to the second pass.
fn first_pass(place: &Place, content: Content, mapper: &mut TableMapper) -> Result<Pass, String> {
    let unread = Arc::new(AtomicU64::new(0));
    let limit = mapper.layout().plan_width();
    let columns: Vec<usize> = (0..limit).collect();
    let mut reader = Reader::open(place, content, mapper, limit, &columns, &unread)?;
    let mut pass: Option<Pass> = None;
    let mut newest = Ts::MIN;
    let mut rows = 0_u64;
    let mut wrong = None;
    loop {
        match reader.step() {
            Step::End | Step::Broken(_) => break,
            Step::Fault { line, text, .. } => {
                wrong.get_or_insert_with(|| format!("line {line}: {text}"));
            }
            Step::Row { line, row, .. } => {
                rows += 1;
                match mapper.plan(&row) {
                    Ok(None) => {}
                    Ok(Some((at, _))) => {
                        let p = pass.get_or_insert(Pass { first: at, last: at, sorted: true });
                        p.sorted &= at >= newest;
                        newest = newest.max(at);
                        (p.first, p.last) = (p.first.min(at), p.last.max(at));
                    }
                    Err(reject) => {
                        wrong.get_or_insert_with(|| format!("line {line}: {}", reject.reason.spoken()));
                    }
                }
            }
        }
    }
    pass.ok_or_else(|| match (rows, wrong) {
        (_, Some(wrong)) => format!("holds no usable row; the first is wrong: {wrong}"),
        (0, None) => "holds a header and no row".to_owned(),
        (_, None) => "holds no row that the filter keeps".to_owned(),
    })
}

/// Names and declarations of the streams of a file.
struct Naming<'a> {
    hints: &'a Hints,
    options: &'a ImportOptions,
    layout: &'a Layout,
    cadence: Span,
}

impl Naming<'_> {
    fn declare(&self, keys: &[Key]) -> Result<Vec<Option<Vec<StreamDecl>>>, String> {
        let several = keys.len() > 1;
        let mut declared = Vec::new();
        for key in keys {
            let venue = self.venue(key)?;
            let own = self.own_symbol(key, Some(&venue));
            let symbol = match (&self.options.symbol, own) {
                // Rows of several symbols: the option picks among them.
                (Some(asked), Some(own)) if several => {
                    let fits = InstrumentName::new(&venue, &own).is_ok_and(|n| n.answers_to(asked));
                    if !fits {
                        declared.push(None);
                        continue;
                    }
                    own
                }
                (Some(asked), _) => asked.clone(),
                (None, Some(own)) => own,
                (None, None) => {
                    return Err("does not say which symbol; add --symbol, as in --symbol BTCUSDT".to_owned());
                }
            };
            let name = InstrumentName::new(&venue, &symbol).map_err(|e| e.to_string())?;
            if name.kind().or(self.options.market).is_none() {
                return Err(format!("venue '{venue}' is not known; add --market spot, perpetual or dated_future"));
            }
            declared.push(Some(self.streams(&name)?));
        }
        if declared.iter().all(Option::is_none) {
            let asked = self.options.symbol.as_deref().unwrap_or_default();
            let seen: Vec<String> = keys.iter().filter_map(|k| self.own_symbol(k, None)).take(5).collect();
            return Err(format!("holds no row of {asked}; it has {}", seen.join(", ")));
        }
        Ok(declared)
    }

    fn venue(&self, key: &Key) -> Result<String, String> {
        let told = (!key.venue.is_empty()).then(|| symbols::venue_id(&String::from_utf8_lossy(&key.venue)));
        let venue = self.options.venue.clone().or(told).or_else(|| self.hints.venue.clone());
        let venue = venue.ok_or("does not say which venue; add --venue, as in --venue binance-usdm")?;
        Venue::new(&venue).map(|v| v.as_str().to_owned()).map_err(|e| e.to_string())
    }

    fn own_symbol(&self, key: &Key, venue: Option<&str>) -> Option<String> {
        let venue = venue.or(self.options.venue.as_deref()).or(self.hints.venue.as_deref()).unwrap_or_default();
        let told = (!key.symbol.is_empty()).then(|| String::from_utf8_lossy(&key.symbol).trim().to_owned());
        told.or_else(|| self.hints.symbol_at(venue)).map(|s| symbols::spelled(venue, &s))
    }

    fn streams(&self, name: &InstrumentName) -> Result<Vec<StreamDecl>, String> {
        let venue = name.venue.as_str();
        let source =
            self.options.source.clone().or_else(|| self.hints.source.clone()).unwrap_or_else(|| venue.to_owned());
        let foreign = source != venue && Venue::KNOWN.iter().any(|(id, _)| *id == source);
        let metrics = self.layout.shape.metrics();
        let mut out = Vec::with_capacity(metrics.len());
        for metric in metrics {
            let kind = match metric {
                Metric::Liquidation => Kind::Sampled,
                _ if foreign => Kind::Proxy,
                _ => Kind::Measured,
            };
            let declared = self.options.delays.iter().find(|(m, _)| *m == metric).map(|(_, d)| *d);
            let at_receipt = if self.layout.filled { Span::ZERO } else { policy::archive_delay(metric) };
            let is_stream = self.layout.filled || policy::is_event_stream(metric);
            out.push(StreamDecl {
                instrument: name.clone(),
                metric,
                kind: self.options.kind.unwrap_or(kind),
                cadence: if is_stream { policy::STREAM_CADENCE } else { self.cadence },
                source: source.clone(),
                delay: declared.filter(|_| !self.layout.filled).unwrap_or(at_receipt),
                stamp: self.layout.clock.stamp,
                filled: self.layout.filled,
            });
        }
        self.known_after_close()?;
        Ok(out)
    }

    /// A bar's own close time must not lie behind the moment it is said to be known.
    fn known_after_close(&self) -> Result<(), String> {
        match (&self.layout.shape, self.layout.clock.stamp) {
            (Shape::Bars { columns: BarColumns { close_time: Some(_), .. }, .. }, Stamp::Close) => Err(
                "its close times show that stamps are opens: with --stamp close every bar would be known before it \
                     closed; leave --stamp out"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

/// Kind of a market for the instruments of a plan.
pub(crate) fn market_of(name: &InstrumentName, options: &ImportOptions) -> MarketKind {
    options.market.or(name.kind()).unwrap_or(MarketKind::Perpetual)
}
