//! What the small world hears of its venues: streams in every state, a minute in progress, a book, connections and a
//! journal. `World::listening` holds one; without it the world serves recorded history only.

use super::world::{LIVING, START, name};
use barograph_api::feeds::{
    BudgetView, ConnectionState, ConnectionView, ErrorView, FeedCounts, JournalView, LagView, MirrorView, QueueView,
    TrafficView, VenueFeedView,
};
use barograph_api::live::{BookView, DataOrigin, LiveStreamView, MarketNow, OpenMinuteView};
use barograph_api::{FeedFilter, FeedHealth, FeedsView};
use barograph_domain::{GapReason, InstrumentName, Kind, Metric, Span, Stamp, StatusState, StreamDecl, Ts};

/// One stream with what was last heard of it.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) decl: StreamDecl,
    pub(crate) state: StatusState,
    pub(crate) reason: GapReason,
    pub(crate) last: Option<(Ts, f64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Listening {
    pub(crate) streams: Vec<Heard>,
    pub(crate) minute: Option<OpenMinuteView>,
    pub(crate) levels: usize,
    pub(crate) metrics_text: String,
}

/// Metrics of every market, with their states: the last is not offered.
const STREAMS: [(Metric, StatusState, GapReason); 5] = [
    (Metric::Trade, StatusState::Live, GapReason::Starting),
    (Metric::MarkPrice, StatusState::Live, GapReason::Starting),
    (Metric::FundingRate, StatusState::Stale, GapReason::Silent),
    (Metric::TakerVolumeRatio, StatusState::NotOffered, GapReason::NotOffered),
    (Metric::Book, StatusState::Live, GapReason::Starting),
];

impl Listening {
    /// The living markets of the world.
    pub(crate) fn new(now: Ts) -> Self {
        Self::with(LIVING.map(name).to_vec(), now)
    }

    /// Any markets.
    pub(crate) fn with(markets: Vec<InstrumentName>, now: Ts) -> Self {
        let streams = markets.into_iter().flat_map(|instrument| {
            STREAMS.map(|(metric, state, reason)| Heard {
                decl: StreamDecl {
                    instrument: instrument.clone(),
                    metric,
                    kind: Kind::Measured,
                    cadence: Span::secs(1),
                    source: instrument.venue.to_string(),
                    delay: Span::ZERO,
                    stamp: Stamp::Instant,
                    filled: true,
                },
                state,
                reason,
                last: (state != StatusState::NotOffered).then_some((now - Span::millis(1_500), 97_000.5)),
            })
        });
        let minute = OpenMinuteView {
            start: now.floor(Span::mins(1)),
            open: 97_000.0,
            high: 97_010.0,
            low: 96_990.0,
            close: 97_000.5,
            volume: 12.5,
            quote_volume: 1_212_500.0,
            trades: 321,
            complete: true,
            reason: None,
        };
        Self {
            streams: streams.collect(),
            minute: Some(minute),
            levels: 40,
            metrics_text:
                "# HELP barograph_feed_messages_total messages received\n# TYPE barograph_feed_messages_total \
                           counter\nbarograph_feed_messages_total{venue=\"bybit\"} 7\n"
                    .to_owned(),
        }
    }

    /// Changes the state of one stream.
    pub(crate) fn set(&mut self, id: &str, metric: Metric, state: StatusState, reason: GapReason) {
        let id = name(id);
        for heard in self.streams.iter_mut().filter(|h| h.decl.instrument == id && h.decl.metric == metric) {
            (heard.state, heard.reason) = (state, reason);
        }
    }

    pub(crate) fn health(&self) -> FeedHealth {
        let mut counts = FeedCounts::default();
        self.streams.iter().for_each(|h| counts.add(h.state));
        counts.health()
    }

    pub(crate) fn market(&self, id: &InstrumentName, now: Ts) -> Option<MarketNow> {
        let of_market: Vec<&Heard> = self.streams.iter().filter(|h| h.decl.instrument == *id).collect();
        let book = of_market.iter().find(|h| h.decl.metric == Metric::Book)?;
        let levels = |step: f64| -> Vec<(f64, f64)> {
            (0..self.levels).scan(97_000.0, |price, _| Some((core::mem::replace(price, *price + step), 1.5))).collect()
        };
        Some(MarketNow {
            instrument: id.clone(),
            ts: now,
            origin: DataOrigin::Synthetic,
            streams: of_market.iter().map(|h| h.view(now)).collect(),
            minute: self.minute,
            book: Some(BookView::new(book.state, book.reason, Some(START), &levels(-0.5), &levels(0.5))),
        })
    }

    pub(crate) fn feeds(&self, filter: &FeedFilter, now: Ts) -> FeedsView {
        let page = filter.page(&self.streams, |h| (&h.decl.instrument, h.state), |h| h.view(now));
        let mut venues: Vec<String> = self.streams.iter().map(|h| h.decl.instrument.venue.to_string()).collect();
        venues.dedup();
        venues.retain(|v| filter.wants_venue(v));
        FeedsView {
            venues: venues.into_iter().map(|venue| venue_view(venue, now)).collect(),
            queues: vec![QueueView { name: "store".to_owned(), depth: 2, depth_max: 10_000 }],
            journal: Some(JournalView { bytes_raw: 5_000, bytes_written: 700, files_open: 2, queue: 0 }),
            mirror: Some(MirrorView {
                address: "redis://127.0.0.1:6379".to_owned(),
                connected: false,
                keys: 7,
                failures: 1,
                written_at: Some(now),
                last_error: Some("it does not answer in time".to_owned()),
            }),
            ..FeedsView::new(now, DataOrigin::Synthetic, page)
        }
    }
}

impl Heard {
    fn view(&self, now: Ts) -> LiveStreamView {
        let view = LiveStreamView::new(&self.decl, self.state, self.reason, Some(START), 1);
        match self.last {
            Some((event_ts, value)) => view.heard(event_ts, event_ts + Span::millis(30), Some(value), now),
            None => view,
        }
    }
}

/// One venue that is well, and one whose clock is wrong.
fn venue_view(venue: String, now: Ts) -> VenueFeedView {
    let skewed = venue == "bybit";
    let connection = ConnectionView {
        link: "0".to_owned(),
        url: format!("wss://{venue}.example/stream"),
        state: ConnectionState::Open,
        since: Some(START),
        streams: 5,
        frames: 7,
        bytes: 900,
        last_frame_age_s: Some(0.25),
        reconnects: 1,
        lost: 0,
        compressed: Some(true),
        replaced_at: Some(START + Span::hours(23)),
    };
    VenueFeedView {
        traffic: TrafficView { open: 1, wanted: 1, frames: 7, bytes: 900, reconnects: 1, ..TrafficView::default() },
        connections: vec![connection],
        lag: (!skewed).then_some(LagView { p50_ms: 12.0, p95_ms: 30.0, p99_ms: 45.5, count: 900 }),
        clock_skew_ms: skewed.then_some(-1_400.0),
        budgets: vec![BudgetView {
            pool: "weight_1m".to_owned(),
            used: 40,
            left: 2_360,
            in_flight: 1,
            waiting: 0,
            resets_in_s: Some(12.5),
            paused_until: None,
        }],
        queues: vec![QueueView { name: "inbox".to_owned(), depth: 0, depth_max: 65_536 }],
        halted_until: None,
        last_error: skewed.then(|| ErrorView { ts: Some(now), text: "reset by peer".to_owned() }),
        venue,
    }
}
