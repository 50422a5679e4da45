//! Readings that the store has published, as rows of the data set use them.

use crate::commands::reader;
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::book_id;
use barograph_columns::known::derivatives;
use barograph_columns::{FeedMinute, FeedReading};
use barograph_domain::leg::SpotPairs;
use barograph_domain::time::LATENESS;
use barograph_domain::{Cell, Instrument, InstrumentName, MarketKind, Span, StreamDecl, Ts};
use barograph_engine::Feature;
use barograph_query::render::align;
use barograph_query::service::{BookId, configured_run};
use barograph_research::ResearchError;
use barograph_research::dataset::FeedSource;
use barograph_store::{Range, Reader, RowQuery, RunInfo};
use core::fmt;
use std::rc::Rc;

/// Rows asked for at once.
const PAGE: usize = 5_000;
/// How old the facts behind a reading may be where no stream is named (features §9: mark, funding, open interest, spot leg).
const AGE_MAX: Span = Span::secs(300);
/// A row that was corrected later than this was not known at its time, and its minute has passed by then.
const CORRECTED_MAX: Span = Span::mins(5);

/// Takes a row: its minute, when it became known, its readings, and the streams that they name.
type TakeRow<'a> = dyn FnMut([Ts; 2], &[Cell], &[StreamDecl]) + 'a;

/// The store of the settings.
pub(crate) struct StoredFeeds {
    reader: Box<dyn Reader>,
    markets: Vec<Instrument>,
    pairs: SpotPairs,
    runs: Vec<RunInfo>,
    book: BookId,
}

impl fmt::Debug for StoredFeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredFeeds").field("markets", &self.markets).finish_non_exhaustive()
    }
}

impl StoredFeeds {
    /// `None` where there is no store yet: then the readings are absent.
    pub(crate) fn open(settings: &Settings) -> Result<Option<Rc<dyn FeedSource>>, Failure> {
        let Ok(reader) = reader(settings) else { return Ok(None) };
        let markets = reader.instruments(None)?.into_iter().map(|info| info.instrument).collect();
        let (runs, book) = (reader.runs(None)?, book_id(settings)?);
        Ok(Some(Rc::new(Self { reader, markets, pairs: settings.spot_pairs.clone(), runs, book })))
    }

    /// The market whose readings of derivatives a market has: its own, or those of the perpetual it is the spot leg of.
    fn contract<'a>(&'a self, market: &'a InstrumentName) -> Option<&'a InstrumentName> {
        let own = self.markets.iter().find(|i| i.name == *market)?;
        if own.kind == MarketKind::Spot {
            self.pairs.perpetual(own, &self.markets).map(|i| &i.name)
        } else {
            Some(&own.name)
        }
    }

    /// Rows of one market that became known in this stretch.
    fn rows(
        &self,
        market: &InstrumentName,
        (from, until): (Ts, Ts),
        features: &[Feature],
        take: &mut TakeRow<'_>,
    ) -> Result<(), ResearchError> {
        let Some(run) = configured_run(&self.runs, market, &self.book) else { return Ok(()) };
        let ids: Vec<&str> = features.iter().map(|f| f.spec().id).collect();
        // A row that was corrected became known up to so much later.
        let mut range = Range { start: from - CORRECTED_MAX, end: until - LATENESS };
        loop {
            let query = RowQuery { range, every: None, after: None, limit: PAGE, as_of: None };
            let failed = |e: barograph_store::Error| ResearchError::Failed(e.to_string());
            let mut page = self.reader.glances(&run.spec.key, &query, &ids).map_err(failed)?;
            align(&mut page.rows, &page.columns);
            for row in &page.rows {
                let known =
                    page.corrected.get(&row.ts).map_or(row.ts + LATENESS, |since| (*since).max(row.ts + LATENESS));
                if known - row.ts <= CORRECTED_MAX && from <= known && known < until {
                    take([row.ts, known], &row.cells, &page.streams);
                }
            }
            match page.next {
                Some(next) if next > range.start => range.start = next,
                _ => return Ok(()),
            }
        }
    }
}

fn reading(cell: &Cell, streams: &[StreamDecl]) -> FeedReading {
    let stream = cell.stream.and_then(|s| streams.get(s.index()));
    FeedReading {
        value: cell.reason().map_or(Ok(cell.value), Err),
        anchor: cell.anchor,
        age_max: stream.map_or(AGE_MAX, |s| s.max_age().max(AGE_MAX)),
    }
}

impl FeedSource for StoredFeeds {
    fn minutes(&self, market: &InstrumentName, from: Ts, until: Ts) -> Result<Vec<FeedMinute>, ResearchError> {
        let mut found: Vec<FeedMinute> = Vec::new();
        if let Some(contract) = self.contract(market) {
            let all = derivatives();
            self.rows(contract, (from, until), &all, &mut |[minute, known], cells, streams| {
                let derivatives = all.map(|feature| reading(&cells[feature.index()], streams));
                found.push(FeedMinute { minute, known, derivatives: Some(derivatives), session_vol_ratio: None });
            })?;
        }
        let ratio = Feature::SessionVolRatio;
        self.rows(market, (from, until), &[ratio], &mut |[minute, known], cells, streams| {
            let session = reading(&cells[ratio.index()], streams);
            found.push(FeedMinute { minute, known, derivatives: None, session_vol_ratio: Some(session) });
        })?;
        found.sort_by_key(|one| (one.known, one.minute));
        Ok(found)
    }
}
