//! What has changed since the last look: minutes that another process stored, freshness, data gaps.

use super::book::lens_for;
use super::{Latest, Service, configured_run, list};
use crate::Error;
use crate::render::align;
use barograph_domain::time::LATENESS;
use barograph_domain::{Instrument, Span, Ts};
use barograph_store::RunInfo;
use std::sync::{Arc, Mutex, PoisonError};

/// At most one freshness message per market in this time (regimes §9).
const REPORT_EVERY: Span = Span::mins(5);

impl Service {
    /// Logic versions whose ledger has moved since it was looked at last.
    fn restated(&self, runs: &[RunInfo]) -> Result<Vec<String>, Error> {
        let mut versions: Vec<&String> = runs.iter().map(|r| &r.spec.key.logic_version).collect();
        versions.sort_unstable();
        versions.dedup();
        let mut seen = self.ledger_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moved = Vec::new();
        for version in versions {
            let progress = self.reader.ledger_progress(version)?;
            if seen.get(version) != Some(&progress) {
                seen.insert(version.clone(), progress);
                moved.push(version.clone());
            }
        }
        Ok(moved)
    }

    /// Takes in what is new in the store and publishes it.
    pub fn refresh(&self) -> Result<(), Error> {
        let runs = self.reader.runs(None)?;
        let instruments: Vec<Instrument> = self.reader.instruments(None)?.into_iter().map(|i| i.instrument).collect();
        let streams = self.reader.counting_streams(None, None)?;
        let held = list::held(instruments.clone(), streams);
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = held.keys().cloned().collect();
        let before = core::mem::replace(&mut *self.held.write().unwrap_or_else(PoisonError::into_inner), held);
        if before.len() < instruments.len() {
            self.board.news();
        }
        let restated = self.restated(&runs)?;
        for instrument in &instruments {
            let name = &instrument.name;
            let Some(info) = configured_run(&runs, name, &self.book) else { continue };
            let mut rows = self.reader.latest(&info.spec.key, 2, None)?;
            align(&mut rows.rows, &rows.columns);
            // Held for one market at a time: whoever asks meanwhile must not wait until the store has been read for all of them.
            let lens = lens_for(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), info, instrument)?;
            let lens = lens.over(&rows);
            let Some(row) = rows.rows.pop() else { continue };
            let previous = rows.rows.pop();
            let first = info.minutes.map_or(row.ts, |m| m.0);
            // Compared by content: a row that came late changes a minute without adding one.
            if !restated.contains(&info.spec.key.logic_version)
                && self.market(name).is_some_and(|k| k.shows(&lens, &row, previous.as_ref()))
            {
                continue;
            }
            let calls = crate::calls::before(self.reader.as_ref(), &lens, &row, self.in_use.get())?;
            let lens = lens.stating(calls);
            let fresh = Arc::new(Latest { lens, first, row, previous, rendered: Mutex::new(None) });
            // Published last: who hears of it and asks must find it.
            self.latest.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Arc::clone(&fresh));
            self.board.news();
            self.publish(name, &fresh);
            // A live process beside it hands its own over.
            if self.live.is_none() {
                self.check_alerts(info, &fresh.lens, fresh.row.ts + LATENESS)?;
            }
        }
        Ok(())
    }

    /// One line when a market's inputs become too old and one when they are fresh again (R1.51). `old_is_usual`: what is
    /// stale from the beginning, as recorded history is, is no news. And one where stored records of a market cannot be read.
    pub fn freshness_news(&self, old_is_usual: bool) -> Vec<String> {
        let now = self.clock.now();
        let mut lost = self.live_gaps(now);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = self.board.take_unreadable();
        news.append(&mut lost);
        for latest in self.newest_of_all() {
            let name = &latest.lens.instrument.name;
            let stale = latest.lens.axes_at_present(&latest.row, now).risk.stale;
            let (was, at) = told.get(name).copied().unwrap_or((old_is_usual && stale, Ts(0)));
            if stale == was || now - at < REPORT_EVERY {
                continue;
            }
            let Ok(rendered) = self.rendered(&latest, now) else { continue };
            told.insert(name.clone(), (stale, now));
            let warning = rendered.snapshot.explanation.freshness_warning.clone().unwrap_or_default();
            news.push(if stale { format!("{name} is stale: {warning}") } else { format!("{name} is fresh again") });
        }
        news
    }

    /// Streams of a live process whose newest data are older than two hours (R4.59), reported once and when it ends.
    fn live_gaps(&self, now: Ts) -> Vec<String> {
        let Some(live) = &self.live else { return Vec::new() };
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = Vec::new();
        live.board().each_place(|_, market| {
            let heard = market.streams.iter().filter_map(|s| Some((&*s.decl, s.last?.event_ts)));
            news.extend(gaps.report(now, heard));
        });
        news
    }
}
