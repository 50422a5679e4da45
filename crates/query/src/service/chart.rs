//! What the page draws: the board, charts, and what is heard this moment. Charts are candles folded by the store, and the rows at their
//! closes.
//!
//! Of the rows only those of closing minutes are kept; the store passes over hours without one unread. What has been put together
//! of closes that lie an hour back is remembered for a while, so that a page that pans reads each hour once.

use super::{Service, chart_intervals as intervals, internal};
use crate::render::align;
use barograph_api::board::{BoardView, Hub, code};
use barograph_api::chart::{BESIDE_MAX, ChartQuery, ChartView, ContinuityView, GapView, MarkView, SessionSpan};
use barograph_api::chart::{IntervalView, StreamContinuity};
use barograph_api::clock::ClockView;
use barograph_api::feeds::FeedsPulse;
use barograph_api::{AskBoard, FeedFilter, FeedHealth, FeedsView, QueryError, SeriesWindow};
use barograph_domain::alert::AlertChange;
use barograph_domain::stream::SYNTHETIC;
use barograph_domain::{InstrumentName, Metric, MinuteRow, Span, Status, StatusState, StreamDecl, Ts};
use barograph_engine::Feature;
use barograph_engine::detect::explain;
use barograph_engine::sessions::SessionSet;
use barograph_store::{AlertQuery, CandleQuery, Gap, PointQuery, Range, RowQuery, RunInfo};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A gap that began so long before a view is still found in it.
const GAP_BEFORE: Span = Span::days(7);
/// Changes of continuity read for one chart.
const GAPS: usize = 5_000;
/// Points of open interest read for one chart: two months of minutes.
const INTEREST_MAX: usize = 100_000;
/// Sessions are shown on candles up to this.
const SESSIONS_UP_TO: Span = Span::hours(1);
/// Views whose closes are remembered, at most some 150 kB each.
const REMEMBERED: usize = 64;
/// For how long: a file imported meanwhile may revise what lies behind.
const REMEMBERED_FOR: Span = Span::mins(2);
/// Closes younger than this are always read.
const SETTLED: Span = Span::hours(1);

/// What a chart shows of a closing minute.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Close {
    labels: [u8; 4],
    readings: [Option<f64>; 5],
}

impl Close {
    fn of(row: &MinuteRow, every: Span) -> Self {
        let reading = |f: Feature| row.cells.get(f.index()).and_then(barograph_domain::Cell::ready);
        let [long, short] = intervals::liquidated(every).map_or([None; 2], |both| both.map(reading));
        let [funding, interest, vol] =
            [Feature::FundingRate8h, Feature::OpenInterest, Feature::RealizedVol1h].map(reading);
        Self {
            labels: [code(row.risk.label), code(row.trend.label), code(row.volatility.label), code(row.heat.label)],
            readings: [funding, interest, vol, long, short],
        }
    }
}

/// Where a close's reading of volatility is among its readings.
const VOLATILITY: usize = 2;

/// Which rows candles are read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct CloseGrid {
    /// Length of a candle.
    every: Span,
    /// From its close until its own readings are known.
    lag: Span,
}

/// Closes by minute, with the moment they were read and the stretch they are of.
#[derive(Debug)]
struct Remembered {
    read: Ts,
    range: Range,
    closes: BTreeMap<Ts, Close>,
}

/// Closes of several markets and lengths.
#[derive(Debug, Default)]
pub(super) struct Closes(Mutex<BTreeMap<(String, InstrumentName, Span), Remembered>>);

/// A table is recent for so long: as long as it is not turned while nobody follows it, and a little.
const RECENT: Span = Span::millis(1_300);

impl AskBoard for Service {
    fn board(&self) -> Result<Arc<Hub>, QueryError> {
        self.update_board();
        Ok(Arc::clone(&self.board.hub))
    }

    fn recent_board(&self) -> Result<Arc<Hub>, QueryError> {
        let age = self.clock.now() - self.board.hub.updated();
        // A thread turns it about each second: nobody waits for that.
        if (Span::ZERO..RECENT).contains(&age) { Ok(Arc::clone(&self.board.hub)) } else { self.board() }
    }

    fn board_at(&self, moment: Ts) -> Result<BoardView, QueryError> {
        self.board_of(moment)
    }

    fn clock(&self) -> ClockView {
        let rate = self.clock.rate();
        let simulated = (rate - 1.0).abs() > f64::EPSILON;
        ClockView { now: self.clock.now(), rate, simulated, story: self.story.get().copied() }
    }

    fn chart(&self, id: &InstrumentName, asked: &ChartQuery) -> Result<ChartView, QueryError> {
        let (info, lens) = self.run(id, None)?;
        let now = asked.as_of.unwrap_or_else(|| self.clock.now());
        let streams = self.reader.counting_streams(Some(id), asked.as_of).map_err(internal)?;
        let offered = intervals::offered(&streams);
        let every = asked.interval.unwrap_or_else(|| intervals::usual(&streams));
        let mut view = ChartView::empty(id, every);
        view.offered = offered.iter().map(|(word, _)| *word).collect();
        view.synthetic = streams.iter().any(|s| s.decl.source == SYNTHETIC);
        let drawn = streams.iter().filter(|s| matches!(s.decl.metric, Metric::Bar | Metric::Trade));
        let newest = drawn.map(|s| s.newest_event).max().unwrap_or(now).min(now);
        let end = asked.end.unwrap_or(newest).min(now).ceil(every);
        let length = i64::try_from(asked.bars).unwrap_or(i64::MAX).saturating_mul(every.0);
        let range = Range { start: Ts(end.0.saturating_sub(length)), end };
        let query = CandleQuery { instrument: id.clone(), every, range, as_of: asked.as_of };
        let candles = self.reader.candles(&query).map_err(internal)?;
        view.more = candles.first.is_some_and(|first| first < range.start);
        let seconds = |t: Ts| t.0.div_euclid(1_000_000_000);
        view.first = candles.first.map(seconds);
        view.newest = candles.newest.map(|newest| seconds(newest.min(now)));
        let grid = CloseGrid { every, lag: intervals::lag(&streams) };
        let closes = self.closes(&info, grid, range, asked.as_of)?;
        for candle in &candles.items {
            let close = closes.get(&(candle.start + every));
            view.t.push(seconds(candle.start));
            view.o.push(candle.open);
            view.h.push(candle.high);
            view.l.push(candle.low);
            view.c.push(candle.close);
            view.v.push(candle.volume);
            let label = |at: usize| close.map(|c| c.labels[at]);
            view.risk.push(label(0));
            view.trend.push(label(1));
            view.volatility.push(label(2));
            view.heat.push(label(3));
            let reading = |at: usize| close.and_then(|c| c.readings[at]);
            view.funding_8h.push(reading(0));
            view.oi.push(reading(1));
            view.vol.push(reading(VOLATILITY));
            view.liq_long.push(reading(3));
            view.liq_short.push(reading(4));
        }
        self.fill_open_interest(id, asked, range, &mut view)?;
        self.fill_liquidations(id, asked.as_of, every, &mut view)?;
        view.gaps = self.gaps_in(&info, range, now, asked.as_of)?;
        if every <= SESSIONS_UP_TO {
            view.sessions = sessions(&lens.book.sessions, range);
        }
        view.marks = self.marks_in(&info, range, asked.as_of)?;
        Ok(view)
    }

    fn continuity(&self, id: &InstrumentName, window: &SeriesWindow) -> Result<ContinuityView, QueryError> {
        let (info, _) = self.run(id, None)?;
        let mut view = ContinuityView::empty(id, window);
        let range = Range { start: view.start, end: view.end };
        let (told, more) = self.reported_gaps(&info, range, window.as_of)?;
        view.more = more;
        let streams = self.reader.counting_streams(Some(id), window.as_of).map_err(internal)?;
        // A market that nobody listens to was heard until its last row; after that there is nothing to be continuous.
        let is_heard = self.live.as_ref().is_some_and(|live| live.board().names().contains(id));
        let newest = streams.iter().map(|s| s.newest_event).max().filter(|_| !is_heard);
        let end = newest.map_or(range.end, |newest| newest.min(range.end));
        for stream in streams {
            let lost = told.get(&stream.decl).map(|told| losses(told)).unwrap_or_default();
            view.streams.push(StreamContinuity {
                metric: stream.decl.metric.name(),
                source: stream.decl.source.clone(),
                intervals: intervals(&lost, Range { start: range.start.max(stream.first_event), end }),
            });
        }
        Ok(view)
    }

    fn live(&self, id: &InstrumentName) -> Result<barograph_api::MarketNow, QueryError> {
        let now = self.clock.now();
        let found = self.live.as_ref().and_then(|live| live.market(id, now));
        found.ok_or_else(|| QueryError::NotLive { instrument: Some(id.clone()) })
    }

    fn feeds(&self, filter: &FeedFilter) -> Result<FeedsView, QueryError> {
        let live = self.live.as_ref().ok_or(QueryError::NotLive { instrument: None })?;
        Ok(live.feeds(filter, self.clock.now()))
    }

    fn feeds_pulse(&self) -> Option<FeedsPulse> {
        self.weigh();
        Some(self.pulse_now())
    }

    fn feed_health(&self) -> FeedHealth {
        self.live.as_ref().map(|live| live.health()).unwrap_or_default()
    }

    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool {
        self.live.as_ref().is_some_and(|live| live.not_offered(id, metric))
    }

    fn metrics_text(&self) -> String {
        self.live.as_ref().map(|live| live.metrics()).unwrap_or_default()
    }
}

impl Service {
    /// Open interest of candles that have no row: nobody was there, but the venue keeps it and it was fetched since.
    fn fill_open_interest(
        &self,
        id: &InstrumentName,
        asked: &ChartQuery,
        range: Range,
        view: &mut ChartView,
    ) -> Result<(), QueryError> {
        let every = Span::secs(view.interval_s);
        // Whole hours are what venues keep; a finer candle shows the value of its hour until the next.
        let held = every.max(Span::hours(1));
        let Some(first) = view.oi.iter().position(Option::is_none) else { return Ok(()) };
        let Some(start) = view.t.get(first).map(|s| Ts(s * 1_000_000_000)) else { return Ok(()) };
        let query = PointQuery {
            instrument: id.clone(),
            metric: Metric::OpenInterest,
            source: None,
            cadence: None,
            range: Range { start: start - held, end: range.end + Span(1) },
            limit: INTEREST_MAX,
            as_of: asked.as_of,
        };
        let points = self.reader.points(&query).map_err(internal)?.items;
        let known: BTreeMap<Ts, f64> =
            points.iter().filter_map(|p| Some((p.event_ts, p.payload.headline()?))).collect();
        for (t, oi) in view.t.iter().zip(&mut view.oi).filter(|(_, oi)| oi.is_none()) {
            let close = Ts(t * 1_000_000_000) + every;
            *oi = known.range(close - held..=close).next_back().map(|(_, value)| *value);
        }
        Ok(())
    }

    /// What was liquidated in candles whose close says nothing of it: lengths that no row sums up, and the candle in progress.
    fn fill_liquidations(
        &self,
        id: &InstrumentName,
        as_of: Option<Ts>,
        every: Span,
        view: &mut ChartView,
    ) -> Result<(), QueryError> {
        let summed = intervals::liquidated(every).is_some();
        let from = if summed { view.t.len().saturating_sub(1) } else { 0 };
        let (first, last) = (start_of(&view.t, from), start_of(&view.t, view.t.len().saturating_sub(1)));
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        if view.liq_long.get(from..).is_none_or(|own| own.iter().all(Option::is_some)) {
            return Ok(());
        }
        let sums = self.liquidated(Some(id), every, Range { start: first, end: last + every }, as_of)?;
        for at in from..view.t.len() {
            let known = start_of(&view.t, at).and_then(|t| sums.get(&t).copied()).and_then(Result::ok);
            let (Some((long, short)), Some(l), Some(s)) =
                (known, view.liq_long.get_mut(at), view.liq_short.get_mut(at))
            else {
                continue;
            };
            (*l, *s) = (Some(long), Some(short));
        }
        Ok(())
    }

    /// What the rows at closes say.
    fn closes(
        &self,
        info: &RunInfo,
        grid: CloseGrid,
        range: Range,
        as_of: Option<Ts>,
    ) -> Result<BTreeMap<Ts, Close>, QueryError> {
        let key = &info.spec.key;
        let every = grid.every;
        // A candle closes with the row of its end.
        let wanted = Range { start: range.start + every, end: range.end + Span(1) };
        if as_of.is_some() {
            return self.read_closes(info, grid, wanted, as_of);
        }
        let now = self.clock.now();
        let name = (key.logic_version.clone(), key.instrument.clone(), every);
        let held = || self.closes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held().get(&name).filter(|r| now - r.read < REMEMBERED_FOR).and_then(|r| {
            let inside = r.range.start <= wanted.start && r.range.end > wanted.start;
            inside.then(|| (r.range.end, r.closes.range(wanted.start..wanted.end).map(|(t, c)| (*t, *c)).collect()))
        });
        let (from, mut closes): (Ts, BTreeMap<Ts, Close>) = known.unwrap_or((wanted.start, BTreeMap::new()));
        if from < wanted.end {
            closes.extend(self.read_closes(info, grid, Range { start: from, end: wanted.end }, None)?);
        }
        let newest = info.minutes.map_or(Ts::MIN, |m| m.1);
        let settled = wanted.end.min(Ts(newest.0.saturating_sub(SETTLED.0).saturating_sub(grid.lag.0)));
        if settled > wanted.start && from == wanted.start {
            let mut held = held();
            if held.len() >= REMEMBERED
                && let Some(oldest) = held.iter().min_by_key(|(_, r)| r.read).map(|(name, _)| name.clone())
            {
                held.remove(&oldest);
            }
            let own = closes.range(..settled).map(|(t, c)| (*t, *c)).collect();
            held.insert(
                name,
                Remembered { read: now, range: Range { start: wanted.start, end: settled }, closes: own },
            );
        }
        Ok(closes)
    }

    fn read_closes(
        &self,
        info: &RunInfo,
        grid: CloseGrid,
        range: Range,
        as_of: Option<Ts>,
    ) -> Result<BTreeMap<Ts, Close>, QueryError> {
        let CloseGrid { every, lag } = grid;
        let query = RowQuery { range, every: Some(every), after: None, limit: usize::MAX, as_of };
        let mut rows = self.reader.history(&info.spec.key, &query).map_err(internal)?;
        align(&mut rows.rows, &rows.columns);
        let mut closes: BTreeMap<Ts, Close> = rows.rows.iter().map(|row| (row.ts, Close::of(row, every))).collect();
        if lag > Span::ZERO {
            // The row at the close does not know the candle yet: its volatility is that of the candle before.
            let range = Range { start: range.start + lag, end: Ts(range.end.0.saturating_add(lag.0)) };
            let after = (Ts(lag.0) - Ts(lag.0).floor(every)).max(Span::ZERO);
            let query = RowQuery { range, after: Some(after), ..query };
            let volatility = Feature::RealizedVol1h.id();
            let late = self.reader.glances(&info.spec.key, &query, &[volatility]).map_err(internal)?;
            let known: BTreeMap<Ts, Option<f64>> = late
                .rows
                .iter()
                .map(|row| (row.ts - lag, row.cells.first().and_then(barograph_domain::Cell::ready)))
                .collect();
            for (ts, close) in &mut closes {
                close.readings[VOLATILITY] = known.get(ts).copied().flatten();
            }
        }
        Ok(closes)
    }

    /// Gaps that touch a stretch.
    fn gaps_in(&self, info: &RunInfo, range: Range, now: Ts, as_of: Option<Ts>) -> Result<Vec<GapView>, QueryError> {
        let (told, _) = self.reported_gaps(info, range, as_of)?;
        let mut views: Vec<GapView> = Vec::new();
        for (decl, told) in &told {
            for lost in losses(told).into_iter().filter(|l| l.from < range.end && l.until > range.start) {
                let until = Some(lost.until).filter(|until| *until != Status::OPEN && *until <= now);
                views.push(GapView { from: lost.from, until, metric: decl.metric.name(), reason: lost.reason.word() });
            }
        }
        views.sort_by_key(|g| g.from);
        views.truncate(BESIDE_MAX);
        Ok(views)
    }

    /// What was reported of each stream in a stretch, somewhat before it, and after it; and whether there is more.
    fn reported_gaps(
        &self,
        info: &RunInfo,
        range: Range,
        as_of: Option<Ts>,
    ) -> Result<(BTreeMap<StreamDecl, Vec<Gap>>, bool), QueryError> {
        let start = Ts(range.start.0.saturating_sub(GAP_BEFORE.0));
        let page = self.reader.gaps(&info.spec.key, Range { start, end: Ts::MAX }, GAPS, as_of).map_err(internal)?;
        let mut told: BTreeMap<StreamDecl, Vec<Gap>> = BTreeMap::new();
        for gap in page.items {
            told.entry(gap.stream.clone()).or_default().push(gap);
        }
        Ok((told, page.next.is_some()))
    }

    fn marks_in(&self, info: &RunInfo, range: Range, as_of: Option<Ts>) -> Result<Vec<MarkView>, QueryError> {
        let query = AlertQuery {
            range,
            changes: vec![AlertChange::Opened, AlertChange::Happened],
            newest_first: true,
            limit: BESIDE_MAX,
            as_of,
            ..AlertQuery::default()
        };
        let key = &info.spec.key;
        let page = self.reader.alerts(key, &query).map_err(internal)?;
        let mut marks: Vec<MarkView> = page
            .items
            .iter()
            .take(BESIDE_MAX)
            .map(|known| MarkView {
                at: known.alert.ts,
                event_type: known.alert.pattern,
                severity: known.alert.severity,
                title: explain::title(&known.alert),
                alert_id: known.alert.id(&key.instrument, &key.logic_version),
            })
            .collect();
        marks.reverse();
        Ok(marks)
    }
}

/// When the candle of this place begins.
fn start_of(t: &[i64], at: usize) -> Option<Ts> {
    t.get(at).map(|t| Ts(t * 1_000_000_000))
}

/// Interruptions of one stream in order: what was reported when one began is completed by what was reported when it ended.
fn losses(told: &[Gap]) -> Vec<Status> {
    let mut all: Vec<Status> = Vec::new();
    for status in told.iter().map(|g| g.status) {
        let open = all.last_mut().filter(|last| last.until == Status::OPEN);
        match (status.is_open(), open) {
            // It goes on in another state.
            (true, Some(last)) => {
                last.until = status.from.max(last.from);
                all.push(status);
            }
            (true, None) => all.push(status),
            (false, Some(last)) if status.state == StatusState::Live => last.until = status.until.max(last.from),
            // Archives report a gap when it is over; so does a live stream of one whose beginning was not reported.
            (false, _) if status.from < status.until && status.state != StatusState::NotOffered => {
                let state = if status.state == StatusState::Live { StatusState::Gap } else { status.state };
                all.push(Status { state, ..status });
            }
            (false, _) => {}
        }
    }
    all.sort_by_key(|s| (s.from, s.until));
    all
}

/// Stretches without holes: LIVE between interruptions.
fn intervals(lost: &[Status], range: Range) -> Vec<IntervalView> {
    let mut all = Vec::new();
    let mut at = range.start;
    for status in lost {
        let (from, until) = (status.from.max(at), status.until.min(range.end));
        if from >= until {
            continue;
        }
        if at < from {
            all.push(IntervalView { from: at, until: from, state: StatusState::Live, reason: None });
        }
        all.push(IntervalView { from, until, state: status.state, reason: Some(status.reason.word()) });
        at = until;
    }
    if at < range.end {
        all.push(IntervalView { from: at, until: range.end, state: StatusState::Live, reason: None });
    }
    all
}

fn sessions(set: &SessionSet, range: Range) -> Vec<SessionSpan> {
    let mut spans = Vec::new();
    let mut at = range.end;
    while at > range.start && spans.len() < BESIDE_MAX {
        let stretch = set.stretch(at - Span(1));
        spans.push(SessionSpan { from: stretch.from, until: stretch.until, session: stretch.session.name() });
        at = stretch.from;
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{GapReason, Kind, Stamp};

    fn told(state: StatusState, from: i64, until: Option<i64>, at: i64) -> Gap {
        let stream = StreamDecl {
            instrument: InstrumentName::parse("okx:A-USDT").unwrap(),
            metric: Metric::Trade,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "okx".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        let until = until.map_or(Status::OPEN, Ts::from_secs);
        let status = Status { state, from: Ts::from_secs(from), until, reason: GapReason::Disconnected };
        Gap { stream, status, known_ts: Ts::from_secs(at) }
    }

    #[test]
    fn what_was_told_becomes_stretches_without_holes() {
        use StatusState::{Gap as G, Live as L, Resync as R};
        let archive = told(G, 5, Some(8), 9);
        let cases = [
            (vec![], vec![(0, 100, L)]),
            (vec![archive], vec![(0, 5, L), (5, 8, G), (8, 100, L)]),
            (vec![told(G, 10, None, 11), told(L, 10, Some(20), 20)], vec![(0, 10, L), (10, 20, G), (20, 100, L)]),
            (
                vec![told(G, 10, None, 11), told(R, 15, None, 15), told(L, 10, Some(20), 20)],
                vec![(0, 10, L), (10, 15, G), (15, 20, R), (20, 100, L)],
            ),
            (vec![told(G, 90, None, 91)], vec![(0, 90, L), (90, 100, G)]),
            (vec![told(G, -10, None, -9), told(L, -10, Some(3), 3)], vec![(0, 3, G), (3, 100, L)]),
        ];
        for (all, want) in cases {
            let range = Range { start: Ts(0), end: Ts::from_secs(100) };
            let found = intervals(&losses(&all), range);
            let seen: Vec<_> =
                found.iter().map(|i| (i.from.0 / 1_000_000_000, i.until.0 / 1_000_000_000, i.state)).collect();
            assert_eq!(seen, want);
            assert!(found.iter().all(|i| (i.state == L) == i.reason.is_none()));
        }
    }

    #[test]
    fn sessions_cover_the_view() {
        let day = Ts::from_civil(2026, 2, 5, 0, 0, 0);
        let spans = sessions(&SessionSet::UTC, Range { start: day, end: day + Span::days(1) });
        assert!(spans[0].from <= day && spans[spans.len() - 1].until >= day + Span::days(1));
        assert!(spans.windows(2).all(|w| w[0].until == w[1].from && w[0].session != w[1].session), "{spans:?}");
    }
}
