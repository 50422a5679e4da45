//! `lake gold`: bars, labels and readings of a market into the gold layer of a lake.
//!
//! Bars are made of the lake's trades where it has them, else of the candles in the store; labels and readings are those of the stored
//! minutes. All of them are made anew each time and hours that are as they were stay, so the command is given again and again as data come,
//! in whichever order.

use super::lake::of_folder;
use crate::cli::lake::GoldArgs;
use crate::commands::{lab, own_run, reader};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, Metric, MinuteRow, Span, Ts};
use barograph_lake::layers::{
    BarWriter, DerivedReport, DerivedTable, GoldBar, GoldSignal, HourSource, LakeConfig, LakeMarket, SignalWriter,
};
use barograph_research::ResearchError;
use barograph_research::dataset::{CLOSE_AFTER, bars_of_trades, has_trades, trades_of};
use barograph_store::{CandleQuery, Range, Reader, RowQuery, RunInfo};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Minutes read at a time.
const PAGE: usize = 5_000;
/// A candle query covers this many candles.
const CANDLES: i64 = 10_000;

pub(crate) fn run(args: &GoldArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = lab::name(&args.market, settings)?;
    if let Some(twice) = repeated(&args.bars) {
        return Err(Failure::usage(format!("--bars: {} is given twice", twice.compact())));
    }
    let config = LakeConfig::import(of_folder(args.place.lake.as_ref(), settings));
    let traded = has_trades(&config.root, &market)?;
    let stored = match reader(settings) {
        Ok(reader) => GoldSource::of(reader, &market, settings)?,
        // A lake may stand without a store; then there are bars of its trades alone.
        Err(e) if settings.data.exists() || settings.db_url.is_some() => {
            if !traded {
                return Err(e);
            }
            None
        }
        Err(_) => None,
    };
    if stored.is_none() && !traded {
        let nothing = format!(
            "the lake in {} holds no trades of {market}, and {} holds nothing of it either; name the lake with --lake and the data folder with \
             --data, record with: barograph up; or import with: barograph lake import {market} --source FILE",
            config.root.display(),
            stored_in(settings)
        );
        let is_named = settings.db_url.is_some() || settings.data.exists();
        return Err(if is_named { Failure::No(nothing) } else { Failure::usage(nothing) });
    }
    let place = LakeMarket::new(market.venue.as_str(), market.symbol.as_str());
    let mut lines = Vec::new();
    for every in &args.bars {
        let table = DerivedTable::open(&config, "bars", &place.clone().with_timeframe(every.compact()))?;
        let (mut writer, _) = BarWriter::open(table.config().clone(), place.clone(), *every)?;
        let labels = match &stored {
            Some(stored) => stored.labels(*every)?,
            None => BTreeMap::new(),
        };
        let mut take = |bar: GoldBar| -> Result<(), ResearchError> {
            let at_close = labels.get(&(bar.ts + *every)).filter(|(known, _)| *known <= bar.known_ts);
            let labels = at_close.map_or([None; 4], |(_, labels)| *labels);
            Ok(writer.push(&GoldBar { labels, ..bar })?)
        };
        let mut sources = GoldSources { stored: stored.is_some(), ..GoldSources::default() };
        if traded {
            sources.trades = trades_of(&config.root, &market)?;
            bars_of_trades(&config.root, &market, *every, &mut take)?;
        } else if let Some(stored) = &stored {
            stored.candles(*every, &mut take)?;
        }
        writer.into_partition().close()?;
        let done = table.settle(&mut |hour| sources.of_bars(hour, *every))?;
        lines.push(("bars", Some(every.compact()), done));
    }
    if let Some(stored) = &stored {
        let table = DerivedTable::open(&config, "signals", &place)?;
        let (mut writer, _) = SignalWriter::open(table.config().clone(), place)?;
        stored.signals(&mut writer)?;
        writer.into_partition().close()?;
        let done = table.settle(&mut |_| vec![GoldSources::minutes()])?;
        lines.push(("signals", None, done));
    }
    let mut out = std::io::stdout().lock();
    for (table, timeframe, DerivedReport { rows, replaced, .. }) in lines {
        if json {
            let line = serde_json::json!({ "market": market.to_string(), "table": table, "timeframe": timeframe, "rows": rows, "replaced_hours": replaced, "lake": config.root });
            writeln!(out, "{line}")?;
        } else {
            let of = timeframe.map(|t| format!(" {t}")).unwrap_or_default();
            let anew = match replaced {
                0 => String::new(),
                1 => "; 1 hour rewritten, because its trades or minutes have changed".to_owned(),
                n => format!("; {n} hours rewritten, because their trades or minutes have changed"),
            };
            writeln!(out, "gold/{table}{of}: {rows} rows of {market} were added{anew}")?;
        }
    }
    Ok(())
}

/// The first length that is given a second time.
fn repeated(bars: &[Span]) -> Option<Span> {
    bars.iter().enumerate().find(|(at, every)| bars[..*at].contains(every)).map(|(_, every)| *every)
}

/// Where minutes and candles would be.
fn stored_in(settings: &Settings) -> String {
    match &settings.db_url {
        Some(_) => "the database of --db-url".to_owned(),
        None if settings.data.exists() => format!("the data folder {}", settings.data.display()),
        None => format!("the data folder {}, which is not there,", settings.data.display()),
    }
}

/// What bars are made of.
#[derive(Default)]
struct GoldSources {
    /// Hours of trades with their digests.
    trades: Vec<(Ts, Option<String>)>,
    stored: bool,
}

impl GoldSources {
    /// Of the bars that begin in an hour: the trades in them, those before, which say whether the first is whole, and the labels.
    fn of_bars(&self, hour: Ts, every: Span) -> Vec<HourSource> {
        let until = (hour + Span::hours(1) - Span(1)).floor(every) + every;
        let first = self.trades.partition_point(|(at, _)| *at < hour.floor(every)).saturating_sub(1);
        let within = self.trades[first..].iter().take_while(|(at, _)| *at < until);
        let trades = within.map(|(at, digest)| HourSource {
            what: "bronze/trades".to_owned(),
            hour: Some(*at),
            content_sha256: digest.clone(),
        });
        trades.chain(self.stored.then(Self::minutes)).collect()
    }

    fn minutes() -> HourSource {
        HourSource { what: "stored minutes".to_owned(), hour: None, content_sha256: None }
    }
}

/// When the labels of a minute were known, and the labels.
type KnownLabels = (Ts, [Option<&'static str>; 4]);

/// What the store has of the market.
struct GoldSource {
    reader: Box<dyn Reader>,
    market: InstrumentName,
    /// The run of the configured book.
    info: Option<RunInfo>,
    /// Candles come from the venue's bars, not from trades.
    has_bars: bool,
}

impl GoldSource {
    fn of(reader: Box<dyn Reader>, market: &InstrumentName, settings: &Settings) -> Result<Option<Self>, Failure> {
        let streams = reader.counting_streams(Some(market), None)?;
        if streams.is_empty() {
            return Ok(None);
        }
        let has_bars = streams.iter().any(|s| s.decl.metric == Metric::Bar);
        let runs = reader.runs_of(market, None)?;
        let info = match own_run(&runs, market, settings, |_| Failure::No(String::new())) {
            Ok(info) => Some(info.clone()),
            Err(e) if !runs.is_empty() => return Err(e),
            Err(_) => None,
        };
        Ok(Some(Self { reader, market: market.clone(), info, has_bars }))
    }

    /// All minutes of the run, a page at a time; the last argument is when each was known.
    fn minutes(
        &self,
        every: Option<Span>,
        take: &mut dyn FnMut(&barograph_store::Columns, &MinuteRow, Ts) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(info) = &self.info else { return Ok(()) };
        let mut from = Some(Ts(0));
        while let Some(start) = from {
            let range = Range { start, end: Ts::MAX };
            let query = RowQuery { range, every, after: None, limit: PAGE, as_of: None };
            let page = self.reader.history(&info.spec.key, &query)?;
            for row in &page.rows {
                let known = page.corrected.get(&row.ts).copied().unwrap_or(row.ts + CLOSE_AFTER);
                take(&page.columns, row, known)?;
            }
            from = page.next;
        }
        Ok(())
    }

    /// Labels of the axes at the closes of bars, and when each was known: a minute that was corrected later than its bar was made says
    /// nothing of what was known then.
    fn labels(&self, every: Span) -> Result<BTreeMap<Ts, KnownLabels>, Failure> {
        let mut labels = BTreeMap::new();
        let grid = every.max(Span::mins(1));
        self.minutes(Some(grid), &mut |_, row, known| {
            labels.insert(row.ts, (known, axes(row).map(|(_, label)| Some(label))));
            Ok(())
        })?;
        Ok(labels)
    }

    fn candles(&self, every: Span, take: &mut dyn FnMut(GoldBar) -> Result<(), ResearchError>) -> Result<(), Failure> {
        let probe = |start: Ts, end: Ts| {
            let range = Range { start, end };
            self.reader.candles(&CandleQuery { instrument: self.market.clone(), every, range, as_of: None })
        };
        let reach = probe(Ts(0), Ts(every.0))?;
        let (Some(first), Some(newest)) = (reach.first, reach.newest) else { return Ok(()) };
        let source = if self.has_bars { "venue_candle" } else { "trades" };
        let mut start = first.floor(every);
        while start + every <= newest {
            let end = Ts((start + every.times(CANDLES)).0.min((newest.floor(every)).0));
            for candle in probe(start, end)?.items {
                take(GoldBar {
                    ts: candle.start,
                    known_ts: candle.start + every + CLOSE_AFTER,
                    open: candle.open,
                    high: candle.high,
                    low: candle.low,
                    close: candle.close,
                    volume: candle.volume,
                    quote_volume: None,
                    trades: None,
                    buy_volume: None,
                    vwap: None,
                    source,
                    gap: None,
                    labels: [None; 4],
                })?;
            }
            start = end;
        }
        Ok(())
    }

    /// Labels and readings of every minute.
    fn signals(&self, writer: &mut SignalWriter) -> Result<(), Failure> {
        self.minutes(None, &mut |columns, row, known_ts| {
            let bare = GoldSignal { ts: row.ts, known_ts, signal: "", value: None, word: None };
            for (axis, label) in axes(row) {
                writer.push(&GoldSignal { signal: axis, word: Some(label), ..bare })?;
            }
            for (feature, cell) in columns.features.iter().zip(&row.cells) {
                let word = cell.reason().map(barograph_domain::cell::Reason::name);
                writer.push(&GoldSignal { signal: &feature.id, value: cell.ready(), word, ..bare })?;
            }
            Ok(())
        })
    }
}

/// The published labels, by the name of their signal; a reading may be called as an axis is.
fn axes(row: &MinuteRow) -> [(&'static str, &'static str); 4] {
    [
        ("risk_label", row.risk.label.name()),
        ("trend_label", row.trend.label.name()),
        ("volatility_label", row.volatility.label.name()),
        ("heat_label", row.heat.label.name()),
    ]
}
