//! What is known of each market: newest contexts from memory, everything else read on demand.

use super::{Service, internal, split};
use crate::analysis::Subject;
use crate::calls::OrderedCalls;
use crate::events::Kept;
use crate::render::features;
use crate::shown::{catalogue_entries, metric_point, stream_view};
use barograph_api::analysis::AnalysisView;
use barograph_api::{
    AskBoard as _, AskMarkets, CatalogueEntry, FeatureRowView, Health, LevelFilter, LevelView, MarketHealth,
    MarketView, MetricPoint, Page, QueryError, Rendered, SeriesWindow, StreamView,
};
use barograph_domain::similar::SimilarView;
use barograph_domain::{InstrumentName, Metric, Snapshot, Ts};
use barograph_store::{PointQuery, Range};
use std::sync::{Arc, PoisonError};

impl AskMarkets for Service {
    fn now(&self) -> Ts {
        self.clock.now()
    }

    fn instruments(&self) -> Arc<[InstrumentName]> {
        Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn default_venue(&self) -> &str {
        &self.default_venue
    }

    fn catalogue(&self) -> Vec<CatalogueEntry> {
        catalogue_entries(&self.book.read())
    }

    fn health(&self) -> Health {
        let latest = self.newest_of_all();
        let newest = |name: &InstrumentName| {
            let at = latest.binary_search_by(|l| l.lens.instrument.name.cmp(name));
            at.ok().map(|at| latest[at].row.ts)
        };
        let markets = self
            .instruments()
            .iter()
            .map(|name| MarketHealth {
                instrument: name.clone(),
                newest: newest(name),
                // Serving recorded history is a use of its own: being old is reported by `freshness` and by every snapshot,
                // and does not make the server unready.
                gap_alert: None,
            })
            .collect();
        Health { store_open: true, problems: Vec::new(), markets }
    }

    fn markets(&self, as_of: Option<Ts>) -> Result<Vec<MarketView>, QueryError> {
        match as_of {
            None => Ok(self.markets_now()),
            Some(moment) => self.markets_at(moment),
        }
    }

    fn streams(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Vec<StreamView>, QueryError> {
        let moment = as_of.unwrap_or_else(|| self.clock.now());
        let streams = self.reader.counting_streams(Some(id), as_of).map_err(internal)?;
        Ok(streams.iter().map(|s| stream_view(&s.decl, s.newest_event, moment)).collect())
    }

    fn context(&self, id: &InstrumentName, book: Option<&str>, as_of: Option<Ts>) -> Result<Rendered, QueryError> {
        if let (None, None, Some(latest)) = (book, as_of, self.market(id)) {
            return self.rendered(&latest, self.clock.now());
        }
        let (info, lens) = self.run(id, book)?;
        let (lens, rows) = self.newest(&info, &lens, as_of)?;
        let (row, previous) = split(&rows)?;
        let lens = self.holding(&lens, row, as_of)?;
        let calls = crate::calls::before(self.reader.as_ref(), &lens, row, self.in_use.get()).map_err(internal)?;
        let lens = lens.stating(calls);
        match as_of {
            Some(moment) => Rendered::fixed(Arc::new(lens.as_of(row, previous, moment))),
            None => {
                let now = self.clock.now();
                Rendered::present(Arc::new(lens.at_present_or_end(row, previous, now, || self.is_listened(id))))
            }
        }
    }

    fn analysis(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<AnalysisView, QueryError> {
        let (info, lens) = self.run(id, None)?;
        let (row, previous, lens) = match (as_of, self.market(id)) {
            (None, Some(latest)) => (latest.row.clone(), latest.previous.clone(), latest.lens.clone()),
            _ => {
                let (lens, rows) = self.newest(&info, &lens, as_of)?;
                let (row, previous) = split(&rows)?;
                (row.clone(), previous.cloned(), lens)
            }
        };
        let now = as_of.unwrap_or_else(|| self.clock.now());
        let lens = self.holding(&lens, &row, as_of)?;
        let kept = Kept::of(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), &info);
        let first = info.minutes.map_or(row.ts, |(first, _)| first);
        let (previous, is_listened) = (previous.as_ref(), self.is_listened(id));
        let of = Subject { kept: &kept, lens: &lens, row: &row, previous, is_listened, first, as_of, now };
        crate::analysis::analysis(self.reader.as_ref(), &of).map_err(internal)
    }

    fn similar(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<SimilarView, QueryError> {
        if let (None, Some(latest)) = (as_of, self.market(id)) {
            return crate::similar::similar(self.reader.as_ref(), &latest.lens, &latest.row, None).map_err(internal);
        }
        let (info, lens) = self.run(id, None)?;
        let (lens, rows) = self.newest(&info, &lens, as_of)?;
        let (row, _) = split(&rows)?;
        crate::similar::similar(self.reader.as_ref(), &lens, row, as_of).map_err(internal)
    }

    fn history(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &SeriesWindow,
    ) -> Result<Page<Arc<Snapshot>>, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let start = window.start.unwrap_or(Ts::MIN);
        let (rows, more) = self.rows(&info.spec.key, window, true)?;
        let lens = lens.over(&rows);
        let first = rows.rows.iter().position(|r| r.ts >= start).unwrap_or(rows.rows.len());
        let mut items = Vec::new();
        let wanted = (first..rows.rows.len()).skip(window.skip).take(window.limit);
        let stretch = wanted.clone().next().zip(wanted.clone().next_back());
        let mut stated = match stretch {
            Some((from, to)) => crate::calls::over(self.reader.as_ref(), &lens, rows.rows[from].ts, rows.rows[to].ts)
                .map_err(internal)?,
            None => OrderedCalls::default(),
        };
        for at in wanted {
            let row = &rows.rows[at];
            let lens = lens.clone().stating(stated.before(row.ts));
            let snapshot = if window.every.is_some() || at == 0 {
                lens.snapshot(row, self.before(&info.spec.key, row.ts, window.as_of)?.as_ref())
            } else {
                lens.snapshot(row, Some(&rows.rows[at - 1]))
            };
            items.push(Arc::new(snapshot));
        }
        Ok(Page { items, more })
    }

    fn features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        window: &SeriesWindow,
    ) -> Result<Page<FeatureRowView>, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let (rows, more) = self.rows(&info.spec.key, window, false)?;
        let lens = lens.over(&rows);
        let items = rows.rows.iter().skip(window.skip).take(window.limit).map(|r| features(r, &lens)).collect();
        Ok(Page { items, more })
    }

    fn latest_features(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        as_of: Option<Ts>,
    ) -> Result<FeatureRowView, QueryError> {
        let (info, lens) = self.run(id, book)?;
        let (lens, rows) = self.newest(&info, &lens, as_of)?;
        Ok(features(split(&rows)?.0, &lens))
    }

    fn metrics(
        &self,
        id: &InstrumentName,
        metric: Metric,
        window: &SeriesWindow,
    ) -> Result<Page<MetricPoint>, QueryError> {
        let streams = self.reader.streams(Some(id), None).map_err(internal)?;
        if !streams.iter().any(|s| s.decl.metric == metric) {
            // Nobody was forced out yet: that is an answer.
            if metric == Metric::Liquidation && !streams.is_empty() && !self.not_offered(id, metric) {
                return Ok(Page { items: Vec::new(), more: false });
            }
            if self.not_offered(id, metric) {
                return Err(QueryError::NotOffered { metric, venue: id.venue.as_str().to_owned() });
            }
            let mut known: Vec<String> = streams.iter().map(|s| s.decl.metric.name().to_owned()).collect();
            known.dedup();
            return Err(QueryError::UnknownMetric { name: metric.name().to_owned(), known });
        }
        let query = PointQuery {
            instrument: id.clone(),
            metric,
            source: None,
            cadence: None,
            range: Range { start: window.start.unwrap_or(Ts::MIN), end: window.end.unwrap_or(Ts::MAX) },
            limit: window.limit + window.skip,
            as_of: window.as_of,
        };
        let page = self.reader.points(&query).map_err(internal)?;
        let more = page.next.is_some() || page.items.len() > window.limit + window.skip;
        let items = page.items.iter().skip(window.skip).take(window.limit).map(|p| metric_point(id, p)).collect();
        Ok(Page { items, more })
    }

    fn levels(
        &self,
        id: &InstrumentName,
        book: Option<&str>,
        filter: &LevelFilter,
        window: &SeriesWindow,
    ) -> Result<Page<LevelView>, QueryError> {
        let run = self.run_at(id, book, window.as_of)?;
        crate::levels::page(self.reader.as_ref(), &run, filter, window, self.clock.now()).map_err(internal)
    }
}
