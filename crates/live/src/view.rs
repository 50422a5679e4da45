//! What the HTTP surface may ask of a live process, answered from memory.

use crate::delivery::{Room, exposition};
use crate::links;
use crate::meter::Meter;
use crate::mirror::Mirroring;
use barograph_api::feeds::{
    BudgetView, ErrorView, FeedCounts, FeedPage, FeedsPulse, JournalView, LagView, PULSE_STREAMS_MAX, QueueView,
    TrafficView, VenueFeedView, urgency,
};
use barograph_api::live::{BookView, DataOrigin, LiveStreamView, OpenMinuteView};
use barograph_api::{FeedFilter, FeedHealth, FeedsView};
use barograph_domain::stream::{RECORDED, SYNTHETIC};
use barograph_domain::{InstrumentName, Metric, Span, StatusState, Ts};
use barograph_net::{Net, Stamper, VenueStats};
use barograph_query::live::Live;
use barograph_query::live::board::{Board, LastFact, LiveMarket, LiveStream};
use barograph_venues::session::LagVerdict;
use core::cmp::Reverse;
use core::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

/// Handles to the live process's memory.
#[derive(Clone, Debug)]
pub(crate) struct LiveView {
    pub(crate) board: Arc<Board>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) net: Arc<Net>,
    pub(crate) stamper: Stamper,
    pub(crate) origin: Option<String>,
    /// Who hears of alerts.
    pub(crate) room: Option<Arc<Room>>,
    /// Where it is mirrored.
    pub(crate) mirroring: Option<Mirroring>,
}

impl Live for LiveView {
    fn board(&self) -> &Board {
        &self.board
    }

    /// Where the data come from.
    fn origin(&self) -> DataOrigin {
        match self.origin.as_deref() {
            Some(SYNTHETIC) => DataOrigin::Synthetic,
            Some(RECORDED) => DataOrigin::Recorded,
            _ => DataOrigin::Measured,
        }
    }

    /// One market as it is this moment.
    fn market(&self, id: &InstrumentName, now: Ts) -> Option<barograph_api::MarketNow> {
        let market = self.board.market(id)?;
        Some(barograph_api::MarketNow {
            instrument: id.clone(),
            ts: now,
            origin: self.origin(),
            streams: market.streams.iter().map(|s| stream(s, now)).collect(),
            minute: minute(&market, now),
            book: book(&market, now),
        })
    }

    /// All streams, venues and queues.
    fn feeds(&self, filter: &FeedFilter, now: Ts) -> FeedsView {
        // Of eight thousand streams those of the page are copied, each under the lock of its market.
        let (mut page, mut position) = (FeedPage::default(), 0);
        self.board.each(|_, market| {
            for s in &market.streams {
                if page.counts_in(filter, position, &s.decl.instrument, s.state) {
                    page.items.push(stream(s, now));
                }
                position += 1;
            }
        });
        let mut view = FeedsView::new(now, self.origin(), page);
        let stats = self.net.stats();
        view.venues = stats.iter().filter(|v| filter.wants_venue(v.venue)).map(|v| self.venue(v, now)).collect();
        let depth = self.stamper.depth();
        view.queues = vec![
            QueueView { name: "inbox".to_owned(), depth: depth.items as u64, depth_max: INBOX_MAX },
            QueueView {
                name: "store".to_owned(),
                depth: self.meter.store_queue.load(Ordering::Relaxed),
                depth_max: crate::storing::WAITING_MAX as u64,
            },
        ];
        view.journal = Some(JournalView {
            bytes_raw: self.meter.journal_raw.load(Ordering::Relaxed),
            bytes_written: self.meter.journal_written.load(Ordering::Relaxed),
            files_open: self.meter.journal_files.load(Ordering::Relaxed),
            queue: self.meter.journal_queue.load(Ordering::Relaxed),
        });
        view.mirror = self.mirroring.as_ref().map(Mirroring::view);
        view
    }

    /// How everything that listens does; of what is stored nothing is known here.
    fn pulse(&self, now: Ts) -> FeedsPulse {
        let FeedsView { venues, queues, journal, .. } = self.feeds(&FeedFilter::all(1), now);
        let all = self.board.all();
        let mut streams: Vec<&LiveStream> = all.iter().flat_map(|(_, market)| &market.streams).collect();
        let mut counts = FeedCounts::default();
        streams.iter().for_each(|s| counts.add(s.state));
        streams.sort_by_key(|s| attention(s));
        let streams = streams.into_iter().take(PULSE_STREAMS_MAX).map(|s| stream(s, now)).collect();
        FeedsPulse { counts: counts.into(), venues, queues, journal, streams, ..FeedsPulse::default() }
    }

    /// Streams that are lost.
    fn health(&self) -> FeedHealth {
        let mut counts = FeedCounts::default();
        self.board.each(|_, market| market.streams.iter().for_each(|s| counts.add(s.state)));
        counts.health()
    }

    /// Counters for `/metrics`.
    fn metrics(&self) -> String {
        let mut streams: BTreeMap<(String, &'static str), u64> = BTreeMap::new();
        let mut each =
            String::from("# HELP barograph_stream_live Whether a stream can be trusted now: 1 while LIVE.\n");
        each.push_str("# TYPE barograph_stream_live gauge\n");
        self.board.each(|name, market| {
            for s in &market.streams {
                *streams.entry((name.venue.as_str().to_owned(), state_word(s.state))).or_default() += 1;
                if s.state != StatusState::NotOffered {
                    let (metric, live) = (s.decl.metric.name(), u8::from(s.state == StatusState::Live));
                    each.push_str(&format!(
                        "barograph_stream_live{{instrument=\"{name}\",metric=\"{metric}\"}} {live}\n"
                    ));
                }
            }
        });
        let stats = self.net.stats();
        let mut text = self.meter.text(&streams, &stats, self.stamper.depth().items as u64);
        text.push_str(&links::exposition(&self.meter, &stats));
        text.push_str(&each);
        if let Some(stats) = self.room.as_ref().and_then(|room| room.stats()) {
            text.push_str(&exposition(&stats));
        }
        if let Some(mirroring) = &self.mirroring {
            text.push_str(&mirroring.exposition());
        }
        text
    }

    /// Does the venue say that it does not have this metric of this market?
    fn not_offered(&self, id: &InstrumentName, metric: Metric) -> bool {
        self.board
            .market(id)
            .is_some_and(|m| m.streams.iter().any(|s| s.metric == metric && s.state == StatusState::NotOffered))
    }

    fn dispatched(&self) -> Option<u64> {
        self.room.as_ref().map(|room| room.changes())
    }
}

impl LiveView {
    fn venue(&self, stats: &VenueStats, now: Ts) -> VenueFeedView {
        let meter = self.meter.venues.iter().find(|v| v.id == stats.venue);
        let lag = meter.and_then(|m| m.lately.lock().unwrap_or_else(PoisonError::into_inner).lag());
        let ms = |span: Span| span.as_secs_f64() * 1e3;
        let fault = meter.and_then(|m| m.last_fault.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let network = stats.last_error.clone().map(|(at, text)| ErrorView { ts: Some(at), text });
        VenueFeedView {
            venue: stats.venue.to_owned(),
            traffic: TrafficView {
                open: stats.open as u64,
                wanted: stats.wanted as u64,
                frames: stats.frames,
                bytes: stats.frame_bytes,
                reconnects: stats.reconnects,
                connect_failures: stats.connect_failures,
                refusals: stats.refusals,
            },
            connections: stats
                .links
                .iter()
                .map(|link| links::shown(link, meter.map_or(0, |m| m.carried(link.link)), now))
                .collect(),
            lag: lag.filter(|l| l.verdict == LagVerdict::Latency).map(|l| LagView {
                p50_ms: ms(l.p50),
                p95_ms: ms(l.p95),
                p99_ms: ms(l.p99),
                count: l.count,
            }),
            clock_skew_ms: lag.filter(|l| l.verdict == LagVerdict::Skew).map(|l| ms(l.min)),
            budgets: stats
                .pools
                .iter()
                .map(|p| BudgetView {
                    pool: p.pool.to_owned(),
                    used: u64::from(p.used),
                    left: u64::from(p.left),
                    in_flight: u64::from(p.in_flight),
                    waiting: p.waiting.iter().map(|n| *n as u64).sum(),
                    resets_in_s: None,
                    paused_until: p.paused_until,
                })
                .collect(),
            halted_until: stats.halted_until,
            last_error: network.or(fault.map(|text| ErrorView { ts: None, text })),
            ..VenueFeedView::default()
        }
    }
}

/// Items the inbox takes.
const INBOX_MAX: u64 = 65_536;

/// The word of a state, as in payloads.
pub const fn state_word(state: StatusState) -> &'static str {
    match state {
        StatusState::Live => "LIVE",
        StatusState::Gap => "GAP",
        StatusState::Resync => "RESYNC",
        StatusState::Stale => "STALE",
        StatusState::NotOffered => "NOT_OFFERED",
    }
}

/// Who needs most attention comes first: who is lost, longest first; then who lives, by losses and silence.
fn attention(s: &LiveStream) -> (u8, Reverse<u32>, Option<Ts>) {
    match s.state {
        StatusState::Live => (urgency(s.state), Reverse(s.losses), s.last.map(|last| last.event_ts)),
        _lost => (urgency(s.state), Reverse(0), s.since),
    }
}

fn stream(s: &LiveStream, now: Ts) -> LiveStreamView {
    let view = LiveStreamView::new(&s.decl, s.state, s.reason, s.since, s.losses);
    match s.last {
        Some(LastFact { event_ts, recv_ts, value }) => view.heard(event_ts, recv_ts, value, now),
        None => view,
    }
}

fn minute(market: &LiveMarket, now: Ts) -> Option<OpenMinuteView> {
    let m = market.minute?;
    // A minute that is over without a trade in the next one is no minute in progress.
    if now - m.start >= Span::mins(2) {
        return None;
    }
    let view = OpenMinuteView {
        start: m.start,
        open: m.open,
        high: m.high,
        low: m.low,
        close: m.close,
        volume: m.volume,
        quote_volume: m.quote_volume,
        trades: m.trades,
        complete: true,
        reason: None,
    };
    let trades = market.streams.iter().find(|s| s.metric == Metric::Trade)?;
    let broken = trades.state != StatusState::Live || trades.since.is_some_and(|since| since > m.start);
    Some(if broken { view.incomplete(trades.reason) } else { view })
}

fn book(market: &LiveMarket, now: Ts) -> Option<BookView> {
    let s = market.streams.iter().find(|s| s.metric == Metric::Book)?;
    let view = BookView::new(s.state, s.reason, s.since, &market.bids, &market.asks);
    Some(match market.book_ts {
        Some(ts) => view.at(ts, now),
        None => view,
    })
}
