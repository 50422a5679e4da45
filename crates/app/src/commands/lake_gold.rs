//! `lake gold`: bars, labels and readings of a market into the gold layer of a lake.
//!
//! Bars are made of the lake's trades where it has them, else of the candles in the store; labels and readings are those of the stored
//! minutes. What the lake has already is not written again, so the command is given again and again as data come.

use super::lake::of_folder;
use crate::cli::lake::GoldArgs;
use crate::commands::{lab, own_run, reader};
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::{InstrumentName, Metric, MinuteRow, Span, Ts};
use barograph_lake::layers::{
    BarWriter, GoldBar, GoldSignal, LakeConfig, LakeMarket, LayerResult, PartitionWriter, RowPlace, SignalWriter,
};
use barograph_research::ResearchError;
use barograph_research::dataset::{CLOSE_AFTER, bars_of_trades, has_trades};
use barograph_store::{CandleQuery, Range, Reader, RowQuery, RunInfo};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Minutes read at a time.
const PAGE: usize = 5_000;
/// A candle query covers this many candles.
const CANDLES: i64 = 10_000;

pub(crate) fn run(args: &GoldArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let market = lab::name(&args.market, settings)?;
    let config = LakeConfig::import(of_folder(args.place.lake.as_ref(), settings));
    let traded = has_trades(&config.root, &market)?;
    let stored = match reader(settings) {
        Ok(reader) => GoldSource::of(reader, &market, settings)?,
        // A lake may stand without a store; then there are bars of its trades alone.
        Err(e) if !traded => return Err(e),
        Err(_) => None,
    };
    if stored.is_none() && !traded {
        return Err(Failure::No(format!(
            "neither {} nor the store holds anything of {market}; listen with: barograph up; or import with: barograph lake import {market} \
             --source FILE",
            config.root.display()
        )));
    }
    let place = LakeMarket::new(market.venue.as_str(), market.symbol.as_str());
    let mut lines = Vec::new();
    for every in &args.bars {
        let (mut writer, _) = BarWriter::open(config.clone(), place.clone(), *every)?;
        let from = writer.partition().last_ts().map(|last| last.floor(*every) + *every);
        let labels = match &stored {
            Some(stored) => stored.labels(*every, from)?,
            None => BTreeMap::new(),
        };
        let mut added = 0_u64;
        let mut take = |bar: GoldBar| -> Result<(), ResearchError> {
            if is_new(writer.partition(), bar.ts, bar.known_ts)? {
                let at_close = labels.get(&(bar.ts + *every)).filter(|(known, _)| *known <= bar.known_ts);
                let labels = at_close.map_or([None; 4], |(_, labels)| *labels);
                writer.push(&GoldBar { labels, ..bar })?;
                added += 1;
            }
            Ok(())
        };
        if traded {
            bars_of_trades(&config.root, &market, *every, from, &mut take)?;
        } else if let Some(stored) = &stored {
            stored.candles(*every, from, &mut take)?;
        }
        writer.into_partition().close()?;
        lines.push(("bars", Some(every.compact()), added));
    }
    if let Some(stored) = &stored {
        let (mut writer, _) = SignalWriter::open(config.clone(), place)?;
        let added = stored.signals(&mut writer)?;
        writer.into_partition().close()?;
        lines.push(("signals", None, added));
    }
    let mut out = std::io::stdout().lock();
    for (table, timeframe, added) in lines {
        if json {
            let line = serde_json::json!({ "market": market.to_string(), "table": table, "timeframe": timeframe, "rows": added, "lake": config.root });
            writeln!(out, "{line}")?;
        } else {
            let of = timeframe.map(|t| format!(" {t}")).unwrap_or_default();
            writeln!(out, "gold/{table}{of}: {added} rows of {market} were added")?;
        }
    }
    Ok(())
}

fn is_new(table: &mut PartitionWriter, ts: Ts, known_ts: Ts) -> LayerResult<bool> {
    Ok(matches!(table.place_of_row(ts, known_ts)?, RowPlace::New { .. }))
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

    /// Minutes of the run from a moment on, a page at a time; the last argument is when each was known.
    fn minutes(
        &self,
        every: Option<Span>,
        from: Ts,
        take: &mut dyn FnMut(&barograph_store::Columns, &MinuteRow, Ts) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(info) = &self.info else { return Ok(()) };
        let mut from = Some(from);
        while let Some(start) = from {
            let range = Range { start, end: Ts::MAX };
            let query = RowQuery { range, every, limit: PAGE, as_of: None };
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
    fn labels(&self, every: Span, from: Option<Ts>) -> Result<BTreeMap<Ts, KnownLabels>, Failure> {
        let mut labels = BTreeMap::new();
        let grid = every.max(Span::mins(1));
        self.minutes(Some(grid), from.unwrap_or(Ts(0)), &mut |_, row, known| {
            labels.insert(row.ts, (known, axes(row).map(|(_, label)| Some(label))));
            Ok(())
        })?;
        Ok(labels)
    }

    fn candles(
        &self,
        every: Span,
        from: Option<Ts>,
        take: &mut dyn FnMut(GoldBar) -> Result<(), ResearchError>,
    ) -> Result<(), Failure> {
        let probe = |start: Ts, end: Ts| {
            let range = Range { start, end };
            self.reader.candles(&CandleQuery { instrument: self.market.clone(), every, range, as_of: None })
        };
        let reach = probe(Ts(0), Ts(every.0))?;
        let (Some(first), Some(newest)) = (reach.first, reach.newest) else { return Ok(()) };
        let source = if self.has_bars { "venue_candle" } else { "trades" };
        let mut start = from.unwrap_or(Ts::MIN).max(first.floor(every));
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
    fn signals(&self, writer: &mut SignalWriter) -> Result<u64, Failure> {
        let from = writer.partition().last_ts().map_or(Ts(0), |last| last + Span(1));
        let mut added = 0;
        self.minutes(None, from, &mut |columns, row, known_ts| {
            if !is_new(writer.partition(), row.ts, known_ts)? {
                return Ok(());
            }
            let bare = GoldSignal { ts: row.ts, known_ts, signal: "", value: None, word: None };
            for (axis, label) in axes(row) {
                writer.push(&GoldSignal { signal: axis, word: Some(label), ..bare })?;
                added += 1;
            }
            for (feature, cell) in columns.features.iter().zip(&row.cells) {
                let word = cell.reason().map(barograph_domain::cell::Reason::name);
                writer.push(&GoldSignal { signal: &feature.id, value: cell.ready(), word, ..bare })?;
                added += 1;
            }
            Ok(())
        })?;
        Ok(added)
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
