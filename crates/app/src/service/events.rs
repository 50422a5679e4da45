//! Events: from the store where somebody asks, to the stream the moment they are made.

use super::book::books;
use super::{Service, configured_run, internal, other_book};
use crate::render::Lens;
use barograph_api::events::HourOfLiquidations;
use barograph_api::{EventFilter, EventView, Page, QueryError, StreamEvent, Window};
use barograph_domain::{InstrumentName, KnownAlert, Metric, Payload, Side, Span, Ts};
use barograph_store::{AlertQuery, PointQuery, Range, RunInfo, RunKey};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

const HOUR: Span = Span::hours(1);
/// What is older than this when the newest minute is seen is history that was imported, and no news.
const NEWS: Span = Span::mins(5);
/// Liquidations read at a time.
const POINTS: usize = 20_000;

impl Service {
    /// A record of an alert that has just been made, or stored by another process, to whoever listens.
    pub(crate) fn take_alert(&self, lens: &Lens, known: &KnownAlert) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        let instrument = lens.instrument.name.clone();
        let event = crate::events::view(&instrument, &lens.logic_version, known);
        if let Ok(json) = serde_json::to_vec(&event) {
            // Nobody listening is fine.
            drop(self.sender.send(Arc::new(StreamEvent { instrument, snapshot_id: None, json: json.into() })));
        }
    }

    /// Tells of the records that another process has stored of a market since the last look. The first look is no news.
    pub(super) fn look_for_alerts(&self, info: &RunInfo, lens: &Lens, until: Ts) -> barograph_store::Result<()> {
        let name = &info.spec.key.instrument;
        let seen = || self.alerts_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen().get(name).copied();
        let told = match before.filter(|t| *t < until && self.sender.receiver_count() > 0) {
            Some(before) => {
                let start = Ts(before.0.saturating_add(1)).max(until - NEWS);
                let range = Range { start, end: Ts(until.0.saturating_add(1)) };
                self.reader.alerts(&info.spec.key, &AlertQuery { range, ..AlertQuery::default() })?.items
            }
            None => Vec::new(),
        };
        // Only now: what could not be read is looked for again.
        seen().insert(name.clone(), until);
        told.iter().for_each(|known| self.take_alert(lens, known));
        Ok(())
    }

    /// See [`barograph_api::Query::events`].
    pub(super) fn events_of(
        &self,
        id: Option<&InstrumentName>,
        book: Option<&str>,
        filter: &EventFilter,
        window: &Window,
    ) -> Result<Page<EventView>, QueryError> {
        let keys: Vec<RunKey> = match id {
            Some(id) => vec![self.run(id, book)?.0.spec.key],
            None => {
                let wanted = book.map_or_else(|| self.book.clone(), super::BookId::named);
                let runs = self.reader.runs(None).map_err(internal)?;
                let names = self.names.read().unwrap_or_else(PoisonError::into_inner).clone();
                let own = names.iter().filter_map(|n| Some(configured_run(&runs, n, &wanted)?.spec.key.clone()));
                let keys: Vec<RunKey> = own.collect();
                match (keys.is_empty(), book) {
                    (true, Some(_)) => {
                        return Err(QueryError::UnknownBook { name: wanted.name, known: books(&runs, None) });
                    }
                    (true, None) => match other_book(&runs, None, &wanted).filter(|e| !self.is_empty(e)) {
                        Some(refused) => return Err(refused),
                        None => keys,
                    },
                    (false, _) => keys,
                }
            }
        };
        let keys: Vec<&RunKey> = keys.iter().collect();
        crate::events::page(self.reader.as_ref(), &keys, filter, window).map_err(internal)
    }

    /// See [`barograph_api::Query::liquidations_by_hour`].
    pub(super) fn by_hour(&self, start: Ts, end: Ts, as_of: Option<Ts>) -> Result<Vec<HourOfLiquidations>, QueryError> {
        let (first, last) = (start.floor(HOUR), end.floor(HOUR));
        let mut hours: BTreeMap<Ts, Option<(f64, f64)>> = BTreeMap::new();
        let mut at = first;
        while at <= last {
            hours.insert(at, None);
            at = at + HOUR;
        }
        let streams = self.reader.streams(None, as_of).map_err(internal)?;
        let mut sources: Vec<_> = streams.iter().filter(|s| s.decl.metric == Metric::Liquidation).collect();
        // Of several sources of one market the first in rank: they tell of the same orders.
        sources.dedup_by(|b, a| a.decl.instrument == b.decl.instrument);
        for stream in sources {
            // Quiet hours between the first and the newest are zero; before and after, nothing is known.
            for (_, sums) in hours.range_mut(stream.first_event.floor(HOUR)..=stream.newest_event.floor(HOUR)) {
                sums.get_or_insert((0.0, 0.0));
            }
            let mut query = PointQuery {
                instrument: stream.decl.instrument.clone(),
                metric: Metric::Liquidation,
                source: Some(stream.decl.source.clone()),
                cadence: Some(stream.decl.cadence),
                range: Range { start, end: Ts(end.0.saturating_add(1)) },
                limit: POINTS,
                as_of,
            };
            loop {
                let page = self.reader.points(&query).map_err(internal)?;
                for point in &page.items {
                    let Payload::Liquidation { liquidated_side, price, qty } = point.payload else { continue };
                    if let Some(sums) = hours.get_mut(&point.event_ts.floor(HOUR)) {
                        let sums = sums.get_or_insert((0.0, 0.0));
                        match liquidated_side {
                            Side::Long => sums.0 += price * qty,
                            Side::Short => sums.1 += price * qty,
                        }
                    }
                }
                match page.next {
                    Some(next) => query.range.start = next,
                    None => break,
                }
            }
        }
        let hour = |(timestamp, sums): (Ts, Option<(f64, f64)>)| HourOfLiquidations {
            timestamp,
            long_usd: sums.map(|s| s.0),
            short_usd: sums.map(|s| s.1),
        };
        Ok(hours.into_iter().map(hour).collect())
    }
}
