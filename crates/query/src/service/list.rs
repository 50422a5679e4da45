//! The list of all markets: the present from memory, a moment of the past from the store in a handful of questions.
//!
//! With a thousand live markets the list is 8,000 streams. Nothing here is done per market that touches the disk or renders a
//! text, and the lock that the core thread takes to show a minute is held only while references are counted.

use super::{Latest, Service, configured_run, internal, lens_for, unreadable};
use crate::live::board::LiveStream;
use crate::recorded::recorded_until;
use crate::render::{Books, align};
use crate::shown::stream_view;
use barograph_api::{MarketView, QueryError};
use barograph_domain::{Instrument, InstrumentName, MinuteRow, StreamDecl, Ts};
use barograph_engine::rules::AxisStates;
use barograph_store::{RunInfo, StreamInfo};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// A market that is stored or listened to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) instrument: Instrument,
    /// Its streams when the store was looked at last, in rank order.
    streams: Arc<[StreamInfo]>,
}

/// All of them.
pub(super) type Held = Arc<BTreeMap<InstrumentName, Known>>;

/// Markets with these of their streams.
pub(super) fn held(instruments: Vec<Instrument>, streams: Vec<StreamInfo>) -> Held {
    let mut of: BTreeMap<InstrumentName, Vec<StreamInfo>> = BTreeMap::new();
    for stream in streams {
        of.entry(stream.decl.instrument.clone()).or_default().push(stream);
    }
    let known = |instrument: Instrument| {
        let streams = of.remove(&instrument.name).unwrap_or_default().into();
        (instrument.name.clone(), Known { instrument, streams })
    };
    Arc::new(instruments.into_iter().map(known).collect())
}

impl Service {
    /// The markets of a live process, which may have no row yet.
    pub fn know(&self, instruments: &[Instrument]) {
        let mut place = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = (**place).clone();
        for instrument in instruments {
            all.entry(instrument.name.clone())
                .or_insert_with(|| Known { instrument: instrument.clone(), streams: Arc::from([]) });
        }
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = all.keys().cloned().collect();
        *place = Arc::new(all);
        self.board.news();
    }

    /// Every market now.
    pub(super) fn markets_now(&self) -> Vec<MarketView> {
        let now = self.clock.now();
        let held = Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner));
        let newest = self.newest_of_all();
        let live: BTreeMap<InstrumentName, Vec<LiveStream>> = match &self.live {
            Some(live) => live.board().all().into_iter().map(|(name, market)| (name, market.streams)).collect(),
            None => BTreeMap::new(),
        };
        held.values()
            .map(|known| {
                let name = &known.instrument.name;
                // Both are in the order of names.
                let at = newest.binary_search_by(|l| l.lens.instrument.name.cmp(name));
                let seen = at.ok().map(|at| {
                    let latest = &newest[at];
                    Seen {
                        first: latest.first,
                        last: latest.row.ts,
                        axes: latest.lens.axes_at_present(&latest.row, now),
                    }
                });
                let streams = streams(&known.streams, live.get(name).map_or(&[][..], Vec::as_slice));
                let ends = seen.and_then(|s| recorded_until(s.last, now, || live.contains_key(name)));
                MarketView { recorded_until: ends, ..view(&known.instrument, seen, streams.into_iter(), now) }
            })
            .collect()
    }

    /// Every market as it was known at a moment.
    pub(super) fn markets_at(&self, moment: Ts) -> Result<Vec<MarketView>, QueryError> {
        let as_of = Some(moment);
        let runs = self.reader.runs(as_of).map_err(internal)?;
        let instruments = self.reader.instruments(as_of).map_err(internal)?;
        let streams = self.reader.counting_streams(None, as_of).map_err(internal)?;
        let held = held(instruments.into_iter().map(|i| i.instrument).collect(), streams);
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        held.values()
            .map(|known| {
                let run = configured_run(&runs, &known.instrument.name, &self.book);
                let seen = match run {
                    Some(run) => self.seen(run, known, moment, &mut books)?,
                    None => None,
                };
                let streams = known.streams.iter().map(|s| (&s.decl, s.newest_event));
                Ok(view(&known.instrument, seen, streams, moment))
            })
            .collect()
    }

    /// Label and staleness as of the moment asked about, like the context itself.
    fn seen(&self, run: &RunInfo, known: &Known, moment: Ts, books: &mut Books) -> Result<Option<Seen>, QueryError> {
        let mut rows = self.reader.latest(&run.spec.key, 1, Some(moment)).map_err(internal)?;
        align(&mut rows.rows, &rows.columns);
        let Some(row) = rows.rows.pop() else { return Ok(None) };
        let mut lens = lens_for(books, run, &known.instrument).map_err(|e| unreadable(&e))?;
        lens.streams = rows.streams.into();
        let first = run.minutes.map_or(row.ts, |m| m.0);
        Ok(Some(Seen { first, last: row.ts, axes: lens.axes_at_present(&row, moment) }))
    }

    /// The newest minute of every market, in the order of names. The core thread waits for this lock, so that references are all
    /// that is copied under it.
    pub(super) fn newest_of_all(&self) -> Vec<Arc<Latest>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// What the newest minute says.
#[derive(Clone, Copy, Debug)]
struct Seen {
    first: Ts,
    last: Ts,
    axes: AxisStates,
}

/// Stored streams with what memory knows of them, and those of memory that have not been stored yet; silent ones left out.
fn streams<'a>(stored: &'a [StreamInfo], live: &'a [LiveStream]) -> Vec<(&'a StreamDecl, Ts)> {
    let mut all: Vec<(&StreamDecl, Ts)> = stored.iter().map(|s| (&s.decl, s.newest_event)).collect();
    for (decl, newest) in live.iter().filter_map(|s| Some((&*s.decl, s.last?.event_ts))) {
        match all.iter_mut().find(|(d, _)| *d == decl) {
            Some((_, known)) => *known = newest.max(*known),
            None => all.push((decl, newest)),
        }
    }
    if all.len() > stored.len() {
        all.sort_by_key(|(decl, _)| *decl);
    }
    all
}

fn view<'a>(
    instrument: &Instrument,
    seen: Option<Seen>,
    streams: impl Iterator<Item = (&'a StreamDecl, Ts)>,
    moment: Ts,
) -> MarketView {
    MarketView {
        kind: instrument.kind,
        first_minute: seen.as_ref().map(|s| s.first),
        last_minute: seen.as_ref().map(|s| s.last),
        label: seen.as_ref().map(|s| s.axes.risk.label),
        trend: seen.as_ref().map(|s| s.axes.trend.label),
        volatility: seen.as_ref().map(|s| s.axes.volatility.label),
        heat: seen.as_ref().map(|s| s.axes.heat.label),
        since: seen.as_ref().map(|s| s.axes.risk.since),
        stale: seen.as_ref().is_some_and(|s| s.axes.risk.stale),
        // The newest minute may not be over yet.
        age_s: seen.as_ref().map(|s| (moment - s.last).as_secs().max(0)),
        recorded_until: None,
        streams: streams.map(|(decl, newest)| stream_view(decl, newest, moment)).collect(),
        instrument: instrument.name.clone(),
    }
}

/// First minute of a market whose newest is `row` now: the one known before, where the same logic made both.
pub(super) fn first_minute(before: Option<&Arc<Latest>>, logic_version: &str, row: &MinuteRow) -> Ts {
    before.filter(|l| l.lens.logic_version == logic_version).map_or(row.ts, |l| l.first)
}
