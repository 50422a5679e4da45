//! How often a condition came true within the newest days that are stored: a watch tried before it is made.

use super::watch_signals::WatchFault;
use super::{Service, internal};
use crate::render::align;
use crate::watch::condition::{Condition, WatchedReading};
use crate::watch::minutes::tried_numbers;
use barograph_api::watches::WatchPast;
use barograph_api::{AskMarkets as _, QueryError};
use barograph_domain::time::LATENESS;
use barograph_domain::{Span, Ts};
use barograph_store::run::GRID;
use barograph_store::{Range, RowQuery};

/// How far back.
const BACK: Span = Span::days(30);
/// Rows read at a time: wide ones, of which a month together would be a hundred megabytes.
const PAGE: usize = 2_000;
/// Moments that are named.
const NAMED: usize = 10;

/// A condition judged over past rows, in their order.
struct Tried<'a> {
    condition: &'a Condition,
    last: Option<&'static str>,
    past: WatchPast,
}

impl Tried<'_> {
    fn step(&mut self, ts: Ts, reading: Option<WatchedReading>) {
        let Some(now) = reading else { return };
        self.past.since.get_or_insert(ts);
        self.past.until = Some(ts);
        self.past.minutes = self.past.minutes.saturating_add(1);
        let before = self.last.replace(now.word);
        if before.is_some_and(|before| self.condition.becomes_met(before, now.word)) {
            self.past.turns = self.past.turns.saturating_add(1);
            self.past.recent.insert(0, ts);
            self.past.recent.truncate(NAMED);
        }
    }
}

impl Service {
    pub(super) fn tried(&self, market: &str, when: &str) -> Result<WatchPast, QueryError> {
        let instrument = self.resolve(market, false)?;
        let bad = |reason| QueryError::BadField { field: "when".to_owned(), value: when.to_owned(), reason };
        let condition = Condition::parse(when).map_err(bad)?;
        if let Some(signal) = condition.signal() {
            self.is_known(signal, &instrument).map_err(|fault| fault.of(when))?;
        }
        let past = WatchPast {
            when: condition.written(),
            words: condition.words(),
            since: None,
            until: None,
            minutes: 0,
            turns: 0,
            recent: Vec::new(),
            signals: Vec::new(),
            unit: None,
            instrument,
        };
        let mut tried = Tried { condition: &condition, last: None, past };
        let newest = self.market(&tried.past.instrument).map(|latest| latest.row.ts);
        let (Some(newest), Ok((info, _))) = (newest, self.run(&tried.past.instrument, None)) else {
            return Ok(tried.past);
        };
        let (mut start, mut minutes) = (newest - BACK, Vec::new());
        loop {
            let range = Range { start, end: Ts::MAX };
            let query = RowQuery { range, every: None, after: None, limit: PAGE, as_of: None };
            let mut page = self.reader.history(&info.spec.key, &query).map_err(internal)?;
            align(&mut page.rows, &page.columns);
            match condition.signal() {
                None => page.rows.iter().for_each(|row| tried.step(row.ts, condition.reading(row))),
                Some(_) => minutes.extend(page.rows.iter().map(|row| row.ts)),
            }
            match page.rows.last() {
                Some(last) if page.rows.len() == PAGE => start = last.ts + GRID,
                _ => break,
            }
        }
        if let Some(signal) = condition.signal() {
            let known: Vec<Ts> = minutes.iter().map(|ts| *ts + LATENESS).collect();
            let found = tried_numbers(self.reader.as_ref(), signal, &tried.past.instrument, &known);
            let found = found.map_err(|fault| WatchFault::from(fault).of(when))?;
            for (ts, number) in minutes.into_iter().zip(found.numbers) {
                tried.step(ts, number.map(|number| signal.reading(number)));
            }
            (tried.past.signals, tried.past.unit) = (found.used, found.unit);
        }
        Ok(tried.past)
    }
}
