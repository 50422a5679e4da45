//! Events, hours between the markets and the calendar: from the store where somebody asks; alerts to the stream the moment they are
//! made.

use super::board::AlertBook;
use super::book::books;
use super::cases::no_episode;
use super::{BookId, Service, configured_run, internal, other_book};
use crate::episode::FoundAlert;
use crate::events::{Kept, RunWithEvents, records};
use crate::live::board::LiveStream;
use crate::render::Lens;
use barograph_api::events::HourOfLiquidations;
use barograph_api::{AskEvents, CalendarView, EventFilter, EventView, Page, QueryError, SeriesWindow, StreamEvent};
use barograph_domain::{
    InstrumentName, KnownAlert, Metric, Pattern, Payload, Reason, Side, Span, Status, StatusState, StreamDecl, Trigger,
    Ts, UniverseRow,
};
use barograph_engine::calendar::BLACKOUT_REASON;
use barograph_engine::detect::burst_so_far;
use barograph_engine::explain::Minute;
use barograph_engine::liquidations::{Close, recent};
use barograph_store::{AlertQuery, PointQuery, Range, RunInfo, RunKey, StreamInfo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use tokio::sync::broadcast;

const HOUR: Span = Span::hours(1);
/// What is older than this when the newest minute is seen is history that was imported, and no news.
const NEWS: Span = Span::mins(5);
/// Liquidations read at a time.
const POINTS: usize = 20_000;
/// Changes of continuity read at a time.
const GAPS: usize = 10_000;
/// Scheduled events shown.
const COMING_MAX: usize = 500;

impl AskEvents for Service {
    fn events(
        &self,
        id: Option<&InstrumentName>,
        book: Option<&str>,
        filter: &EventFilter,
        window: &SeriesWindow,
    ) -> Result<Page<EventView>, QueryError> {
        if let (None, None, None) = (id, book, window.as_of)
            && let Some(page) = self.events_of_all(filter, window)?
        {
            return Ok(page);
        }
        if let (None, None, Some(latest)) = (book, window.as_of, id.and_then(|id| self.market(id))) {
            let key = latest.key();
            let kept = [Kept::seen_by(&key, &latest.lens)];
            return crate::events::page(self.reader.as_ref(), &kept, filter, window).map_err(internal);
        }
        let runs: Vec<RunInfo> = match id {
            Some(id) => vec![self.run(id, book)?.0],
            None => {
                let wanted = book.map_or_else(|| self.book.clone(), BookId::named);
                let runs = self.reader.runs(None).map_err(internal)?;
                let names = self.names.read().unwrap_or_else(PoisonError::into_inner).clone();
                let own = names.iter().filter_map(|n| configured_run(&runs, n, &wanted).cloned());
                let own: Vec<RunInfo> = own.collect();
                match (own.is_empty(), book) {
                    (true, Some(_)) => {
                        return Err(QueryError::UnknownBook { name: wanted.name, known: books(&runs, None) });
                    }
                    (true, None) => match other_book(&runs, None, &wanted).filter(|e| !self.is_empty(e)) {
                        Some(refused) => return Err(refused),
                        None => own,
                    },
                    (false, _) => own,
                }
            }
        };
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<Kept<'_>> = runs.iter().map(|r| Kept::of(&mut books, r)).collect();
        drop(books);
        crate::events::page(self.reader.as_ref(), &keys, filter, window).map_err(internal)
    }

    fn event(&self, id: &str, as_of: Option<Ts>) -> Result<EventView, QueryError> {
        let reader = self.reader.as_ref();
        let refused = |e| no_episode("id", id, e);
        let episode = FoundAlert::find(reader, id.trim(), as_of).map_err(refused)?;
        let kept = Kept::of(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), &episode.run);
        episode.view(reader, &kept, as_of, as_of.unwrap_or_else(|| self.clock.now())).map_err(refused)
    }

    fn burst_so_far(&self, id: &InstrumentName, as_of: Option<Ts>) -> Result<Option<EventView>, QueryError> {
        let (info, lens) = self.run(id, None)?;
        let patterns = vec![Pattern::LiquidationCascade];
        let query = AlertQuery { patterns, open: true, as_of, ..AlertQuery::default() };
        let open = self.reader.alerts(&info.spec.key, &query).map_err(internal)?.items;
        let Some(told) = open.iter().find(|known| known.alert.trigger == Some(Trigger::Burst)) else {
            return Ok(None);
        };
        let closes = self.closes_since(id, told.alert.opened_at - recent::MINUTE, as_of)?;
        let Some(alert) = burst_so_far(&told.alert, &closes, &lens.book.detectors) else { return Ok(None) };
        let kept = Kept::of(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner), &info);
        let known = KnownAlert { alert, ..*told };
        kept.view(self.reader.as_ref(), &known, as_of).map(Some).map_err(internal)
    }

    fn liquidations_by_hour(
        &self,
        start: Ts,
        end: Ts,
        as_of: Option<Ts>,
    ) -> Result<Vec<HourOfLiquidations>, QueryError> {
        let hours = self.liquidated(None, HOUR, Range { start, end }, as_of)?;
        Ok(hours.into_iter().map(|(timestamp, sums)| HourOfLiquidations::new(timestamp, sums)).collect())
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<StreamEvent>> {
        self.sender.subscribe()
    }

    fn universe(&self, as_of: Option<Ts>) -> Result<Option<UniverseRow>, QueryError> {
        let found = self.newest_hour(as_of)?;
        if found.is_none() {
            self.is_own_book()?;
        }
        Ok(found)
    }

    fn universe_history(&self, window: &SeriesWindow) -> Result<Page<UniverseRow>, QueryError> {
        let Some(version) = self.versions()?.pop() else {
            self.is_own_book()?;
            return Ok(Page { items: Vec::new(), more: false });
        };
        let range = Range { start: window.start.unwrap_or(Ts::MIN), end: window.end.unwrap_or(Ts::MAX) };
        let wanted = window.limit.saturating_add(window.skip);
        let found = self.reader.universe(&version, range, wanted, window.as_of).map_err(internal)?;
        let items = found.items.into_iter().skip(window.skip).take(window.limit).collect();
        Ok(Page { items, more: found.next.is_some() })
    }

    fn calendar(&self, as_of: Option<Ts>) -> Result<CalendarView, QueryError> {
        let t = as_of.unwrap_or_else(|| self.clock.now());
        let known = self.known_calendar(as_of)?;
        let calendar = known.clone().unwrap_or_default();
        let minutes_to_event = calendar.minutes_to_event(t);
        let missing = if known.is_some() { Reason::MissingInput } else { Reason::NotOffered };
        Ok(CalendarView {
            timestamp: t,
            available: known.is_some(),
            next_high: calendar.next_high(t).cloned(),
            minutes_to_event,
            minutes_to_event_reason: minutes_to_event.is_none().then(|| missing.name()),
            blackout: calendar.blackout(t).map(|_| BLACKOUT_REASON),
            coming: calendar.coming(t).into_iter().take(COMING_MAX).cloned().collect(),
        })
    }
}

impl Service {
    /// Events of all markets of the configured book: those without any, or without one in the window, are not asked. `None` while none has
    /// a minute.
    fn events_of_all(
        &self,
        filter: &EventFilter,
        window: &SeriesWindow,
    ) -> Result<Option<Page<EventView>>, QueryError> {
        let newest = self.newest_of_all();
        if newest.is_empty() {
            return Ok(None);
        }
        // They are in the order of names.
        let own = |key: &RunKey| {
            let at = newest.binary_search_by(|l| l.lens.instrument.name.cmp(&key.instrument)).ok()?;
            Some(&newest[at].lens).filter(|lens| lens.logic_version == key.logic_version)
        };
        let reader = self.reader.as_ref();
        let mut reach = reader.alerts_reach().map_err(internal)?;
        reach.retain(|(key, until)| window.start.is_none_or(|start| *until >= start) && own(key).is_some());
        reach.sort_by_key(|one| core::cmp::Reverse(one.1));
        let runs: Vec<RunWithEvents<'_>> =
            reach.iter().map(|(key, until)| RunWithEvents { key, until: *until }).collect();
        let (found, more) = records(reader, &runs, filter, window).map_err(internal)?;
        let mut items = Vec::with_capacity(found.len());
        for (at, known) in &found {
            let Some(lens) = own(runs[*at].key) else { continue };
            items.push(Kept::seen_by(runs[*at].key, lens).view(reader, known, None).map_err(internal)?);
        }
        Ok(Some(Page { items, more }))
    }

    /// A record of an alert that has just been made, or stored by another process, to whoever listens.
    pub fn take_alert(&self, lens: &Lens, known: &KnownAlert, minute: Option<&Minute>) {
        let market = &lens.instrument.name;
        self.board.alerts.lock().unwrap_or_else(PoisonError::into_inner).note(market, &known.alert);
        if !self.anybody_listens() {
            return;
        }
        let instrument = lens.instrument.name.clone();
        let event = crate::events::view(&instrument, &lens.logic_version, known, lens.book.detectors.keep, minute);
        if let Ok(json) = serde_json::to_vec(&event) {
            self.board.hub.alert(&json);
            // Nobody listening is fine.
            drop(self.sender.send(Arc::new(StreamEvent { instrument, snapshot_id: None, json: json.into() })));
        }
    }

    /// Takes in what was heard of alerts before the service was there: the store may not have all of it yet.
    pub fn take_heard(&self, heard: AlertBook) {
        self.board.alerts.lock().unwrap_or_else(PoisonError::into_inner).join(heard);
    }

    /// Does anybody hear of alerts?
    fn anybody_listens(&self) -> bool {
        self.sender.receiver_count() > 0 || self.board_is_followed()
    }

    /// Reports the records that another process has stored of a market since the last look. The first look is no news.
    pub(super) fn check_alerts(&self, info: &RunInfo, lens: &Lens, until: Ts) -> barograph_store::Result<()> {
        let name = &info.spec.key.instrument;
        let seen = || self.alerts_seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen().get(name).copied();
        let told = match before.filter(|t| *t < until && self.anybody_listens()) {
            Some(before) => {
                let start = Ts(before.0.saturating_add(1)).max(until - NEWS);
                let range = Range { start, end: Ts(until.0.saturating_add(1)) };
                self.reader.alerts(&info.spec.key, &AlertQuery { range, ..AlertQuery::default() })?.items
            }
            None => Vec::new(),
        };
        // Only now: what could not be read is looked for again.
        seen().insert(name.clone(), until);
        for known in &told {
            let minute = crate::events::minute_of(self.reader.as_ref(), &info.spec.key, lens, &known.alert, None)?;
            self.take_alert(lens, known, minute.as_ref());
        }
        Ok(())
    }

    /// Streams of liquidations, one of each market: of several the first in rank, as they are of the same orders.
    fn sources_of_liquidations(
        &self,
        of: Option<&InstrumentName>,
        as_of: Option<Ts>,
    ) -> Result<Vec<StreamInfo>, QueryError> {
        let mut streams = self.reader.counting_streams(of, as_of).map_err(internal)?;
        streams.retain(|s| s.decl.metric == Metric::Liquidation);
        streams.dedup_by(|b, a| a.decl.instrument == b.decl.instrument);
        Ok(streams)
    }

    /// What was liquidated in each stretch of one length, of one market or of all; `range` begins and ends with a stretch.
    pub(super) fn liquidated(
        &self,
        of: Option<&InstrumentName>,
        every: Span,
        range: Range,
        as_of: Option<Ts>,
    ) -> Result<Sums, QueryError> {
        let mut sums = Sums::new();
        let mut at = range.start;
        while at < range.end {
            sums.insert(at, Err(Reason::MissingInput));
            at = at + every;
        }
        let sources = self.sources_of_liquidations(of, as_of)?;
        let listening = if as_of.is_none() { self.listening() } else { BTreeSet::new() };
        for stream in &sources {
            // Quiet stretches are zero while somebody listened: from the first fact to the newest, to now where it is live, less
            // gaps. Before and after nothing is known.
            let name = &stream.decl.instrument;
            let reach = if listening.contains(name) { range.end } else { stream.newest_event.floor(every) + every };
            let gaps = self.deaf(&stream.decl, range.start, as_of)?;
            heard(&mut sums, stream.first_event, reach, &gaps, every);
            self.each_close(&stream.decl, range, as_of, |close| {
                let Some(known) = sums.get_mut(&close.at.floor(every)) else { return };
                let (long, short) = known.unwrap_or_default();
                *known = Ok(match close.liquidated_side {
                    Side::Long => (long + close.usd, short),
                    Side::Short => (long, short + close.usd),
                });
            })?;
        }
        Ok(sums)
    }

    /// Stored liquidations of a market from a moment on, in order of time.
    fn closes_since(&self, id: &InstrumentName, start: Ts, as_of: Option<Ts>) -> Result<Vec<Close>, QueryError> {
        let mut closes = Vec::new();
        for stream in self.sources_of_liquidations(Some(id), as_of)? {
            let range = Range { start, end: Ts::MAX };
            self.each_close(&stream.decl, range, as_of, |close| closes.push(close))?;
        }
        closes.sort_by_key(|c| c.at);
        Ok(closes)
    }

    fn each_close(
        &self,
        stream: &StreamDecl,
        range: Range,
        as_of: Option<Ts>,
        mut each: impl FnMut(Close),
    ) -> Result<(), QueryError> {
        let mut query = PointQuery {
            instrument: stream.instrument.clone(),
            metric: Metric::Liquidation,
            source: Some(stream.source.clone()),
            cadence: Some(stream.cadence),
            range,
            limit: POINTS,
            as_of,
        };
        loop {
            let page = self.reader.points(&query).map_err(internal)?;
            for point in &page.items {
                let Payload::Liquidation { liquidated_side, price, qty } = point.payload else { continue };
                each(Close { at: point.event_ts, liquidated_side, price, usd: price * qty });
            }
            match page.next {
                Some(next) => query.range.start = next,
                None => return Ok(()),
            }
        }
    }

    /// Markets whose liquidations this process is listening to.
    fn listening(&self) -> BTreeSet<InstrumentName> {
        let all = self.live.as_ref().map(|live| live.board().all()).unwrap_or_default();
        let is = |s: &LiveStream| s.metric == Metric::Liquidation && s.state == StatusState::Live;
        all.into_iter().filter(|(_, market)| market.streams.iter().any(is)).map(|(name, _)| name).collect()
    }

    /// When a stream was lost, as far as it ended after `start` or has not ended, those that touch made one. A gap is reported when it
    /// ends, so nothing known before `start` is about later hours but what is open still: and behind that there are no facts.
    fn deaf(&self, stream: &StreamDecl, start: Ts, as_of: Option<Ts>) -> Result<Vec<(Ts, Ts)>, QueryError> {
        let runs = self.reader.runs_of(&stream.instrument, as_of).map_err(internal)?;
        let Some(run) = configured_run(&runs, &stream.instrument, &self.book) else { return Ok(Vec::new()) };
        let mut range = Range { start, end: Ts::MAX };
        let mut lost: Vec<(Ts, Ts)> = Vec::new();
        loop {
            let page = self.reader.gaps(&run.spec.key, range, GAPS, as_of).map_err(internal)?;
            let own = page.items.iter().filter(|g| g.stream == *stream);
            let over = own.map(|g| g.status).filter(|s| s.from < s.until && s.until != Status::OPEN);
            lost.extend(over.map(|s| (s.from, s.until)));
            match page.next {
                Some(next) => range.start = next,
                None => break,
            }
        }
        Ok(joined(lost))
    }
}

/// Sums of longs and shorts by the beginning of their stretch, or why there are none.
pub(super) type Sums = BTreeMap<Ts, Result<(f64, f64), Reason>>;

/// Makes the hours in which somebody listened at least for a part known: zero until something is found in them.
fn heard(sums: &mut Sums, first: Ts, reach: Ts, gaps: &[(Ts, Ts)], every: Span) {
    for (at, sums) in sums.range_mut(first.floor(every)..).take_while(|(at, _)| **at < reach) {
        let deaf = gaps.iter().any(|(from, until)| from <= at && *at + every <= *until);
        match sums {
            Err(reason) if deaf => *reason = Reason::Gap,
            Err(_) => *sums = Ok((0.0, 0.0)),
            Ok(_) => {}
        }
    }
}

/// The same stretches with those that touch made one.
fn joined(mut all: Vec<(Ts, Ts)>) -> Vec<(Ts, Ts)> {
    all.sort_unstable();
    let mut whole: Vec<(Ts, Ts)> = Vec::new();
    for (from, until) in all {
        match whole.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(until),
            None => whole.push((from, until)),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_known_where_somebody_listened_for_a_part_of_it() {
        let at = |minute| Ts(0) + Span::mins(minute);
        let mut hours: Sums = (0..7).map(|n| (at(60 * n), Err(Reason::MissingInput))).collect();
        // Listened from 1:20 to 5:00, less two gaps that touch: hours 2 and 3 lie in them whole, 1 and 4 in part.
        let gaps = joined(vec![(at(170), at(245)), (at(90), at(170))]);
        assert_eq!(gaps, [(at(90), at(245))]);
        heard(&mut hours, at(80), at(300), &gaps, HOUR);
        let said: Vec<&str> = hours.values().map(|h| h.map_or_else(Reason::name, |_| "known")).collect();
        assert_eq!(said, ["missing_input", "known", "gap", "gap", "known", "missing_input", "missing_input"]);
        // Another market that was listened to in hour 2 makes it known; a gap of a third does not take it back.
        heard(&mut hours, at(120), at(180), &[], HOUR);
        heard(&mut hours, at(120), at(180), &gaps, HOUR);
        assert_eq!(hours[&at(120)], Ok((0.0, 0.0)));
    }
}
