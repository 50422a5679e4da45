//! All streams of all venues with the machinery behind them: connections, lag, budgets, queues, journal. Plain data, filled
//! from memory by whoever implements [`crate::Query`]; [`FeedFilter::page`] does the choosing.
//!
//! A page is cut by position in the program's own list of streams, which only grows while it runs: streams that change their
//! state between two pages are neither lost nor doubled. Left out on purpose: history of outages (that is stored as gaps).

use crate::live::{DataOrigin, LiveStreamView};
use barograph_domain::{InstrumentName, StatusState, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// Which streams are wanted; all conditions must hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeedFilter {
    /// Of this venue.
    pub venue: Option<String>,
    /// In this state.
    pub state: Option<StatusState>,
    /// Of this market.
    pub market: Option<InstrumentName>,
    /// Position in the list of all streams where the page begins.
    pub from: usize,
    /// Most streams wanted; at least 1.
    pub limit: usize,
}

impl FeedFilter {
    /// Everything, as far as `limit` goes.
    #[must_use]
    pub const fn all(limit: usize) -> Self {
        Self { venue: None, state: None, market: None, from: 0, limit }
    }

    /// Is this venue asked about?
    #[must_use]
    pub fn wants_venue(&self, venue: &str) -> bool {
        self.venue.as_ref().is_none_or(|v| v == venue) && self.market.as_ref().is_none_or(|m| m.venue.as_str() == venue)
    }

    fn wants(&self, instrument: &InstrumentName) -> bool {
        self.wants_venue(instrument.venue.as_str()) && self.market.as_ref().is_none_or(|m| m == instrument)
    }

    /// The page out of all streams in their stable order. `key` is whose a stream is and how it does; `view` is called
    /// only for those that are shown.
    pub fn page<T>(
        &self,
        streams: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> (&InstrumentName, StatusState),
        view: impl Fn(T) -> LiveStreamView,
    ) -> FeedPage {
        let mut page = FeedPage::default();
        for (position, stream) in streams.into_iter().enumerate() {
            let (instrument, state) = key(&stream);
            if page.counts_in(self, position, instrument, state) {
                page.items.push(view(stream));
            }
        }
        page
    }
}

/// What [`FeedFilter::page`] has chosen.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FeedPage {
    /// All streams of the venue and market asked about, whatever their state and page.
    pub counts: FeedCounts,
    /// At most `limit` streams.
    pub items: Vec<LiveStreamView>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<usize>,
}

impl FeedPage {
    /// Counts a stream, the one at `position` in the stable order. Is it to be shown, behind those before it?
    pub fn counts_in(
        &mut self,
        filter: &FeedFilter,
        position: usize,
        instrument: &InstrumentName,
        state: StatusState,
    ) -> bool {
        if !filter.wants(instrument) {
            return false;
        }
        self.counts.add(state);
        if position < filter.from || filter.state.is_some_and(|s| s != state) || self.next.is_some() {
            return false;
        }
        if self.items.len() >= filter.limit {
            self.next = Some(position);
        }
        self.next.is_none()
    }
}

/// Streams by continuity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct FeedCounts {
    /// Data arrive and are continuous.
    pub live: usize,
    /// Without trustworthy data.
    pub gap: usize,
    /// Being rebuilt.
    pub resync: usize,
    /// Connected, but the data make no progress.
    pub stale: usize,
    /// The venue does not have them.
    pub not_offered: usize,
}

impl FeedCounts {
    /// Counts one stream.
    pub const fn add(&mut self, state: StatusState) {
        let count = match state {
            StatusState::Live => &mut self.live,
            StatusState::Gap => &mut self.gap,
            StatusState::Resync => &mut self.resync,
            StatusState::Stale => &mut self.stale,
            StatusState::NotOffered => &mut self.not_offered,
        };
        *count += 1;
    }
    /// How that looks to `/readyz`: what is not offered cannot be lost.
    #[must_use]
    pub const fn health(self) -> FeedHealth {
        let lost = self.gap + self.resync + self.stale;
        FeedHealth { feeds: self.live + lost, lost }
    }
}

/// How many streams a live process listens to, and how many of them it cannot trust now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FeedHealth {
    /// Streams offered by their venues; 0 where nothing is listened to.
    pub feeds: usize,
    /// Of these, streams that are not LIVE.
    pub lost: usize,
}

/// What a connection does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Being opened.
    Connecting,
    /// The connection is open.
    Open,
    /// Being replaced by a newer one of the same link; both deliver.
    Rotating,
    /// Closed; the next attempt waits for its turn.
    Waiting,
}

/// One wanted connection of a venue. Counts are of all its instances since it was first wanted.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ConnectionView {
    /// Its number or name within the venue.
    #[schema(example = "0")]
    pub link: String,
    /// Its address without user name and query, which may hold keys.
    #[schema(example = "wss://fstream.binance.com/public/stream")]
    pub url: String,
    /// What it does.
    pub state: ConnectionState,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Ts>,
    /// Subscriptions it carries, or will once it is open.
    pub streams: u64,
    /// Messages received.
    pub frames: u64,
    /// Bytes of these, decompressed.
    pub bytes: u64,
    /// Age of the newest message, seconds; null before the first.
    pub last_frame_age_s: Option<f64>,
    /// Openings after the first one, planned replacements included.
    pub reconnects: u64,
    /// Instances that ended unplanned.
    pub lost: u64,
    /// Whether messages come compressed (permessage-deflate); null while nothing is open.
    pub compressed: Option<bool>,
    /// When it is to be replaced, ahead of the venue's own cut; null where the venue cuts nothing off or nothing is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub replaced_at: Option<Ts>,
}

/// From the venue's stamp to ours, over the last one to two minutes.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct LagView {
    /// Median, milliseconds.
    pub p50_ms: f64,
    /// 95th percentile, milliseconds.
    pub p95_ms: f64,
    /// 99th percentile, milliseconds.
    pub p99_ms: f64,
    /// Messages measured.
    pub count: u64,
}

/// A request budget.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct BudgetView {
    /// Its name in metrics.
    #[schema(example = "weight_1m")]
    pub pool: String,
    /// Spent in this period.
    pub used: u64,
    /// Still to be spent, with the margin taken off.
    pub left: u64,
    /// Requests under way.
    pub in_flight: u64,
    /// Requests waiting for it.
    pub waiting: u64,
    /// Seconds until it is refilled; null where it slides.
    pub resets_in_s: Option<f64>,
    /// Nothing is asked before this (the venue said so); null while it may be.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_until: Option<Ts>,
}

/// What all connections of a venue carried since the process began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct TrafficView {
    /// Connections open now.
    pub open: u64,
    /// Connections wanted now.
    pub wanted: u64,
    /// Messages received.
    pub frames: u64,
    /// Bytes of these, decompressed.
    pub bytes: u64,
    /// Connections that replaced a lost one.
    pub reconnects: u64,
    /// Attempts to connect that failed.
    pub connect_failures: u64,
    /// Requests the venue refused (403, 418, 429, 451).
    pub refusals: u64,
}

/// Work that waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct QueueView {
    /// Which queue.
    #[schema(example = "inbox")]
    pub name: String,
    /// Entries in it.
    pub depth: u64,
    /// Entries it takes at most.
    pub depth_max: u64,
}

/// Something that went wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ErrorView {
    /// When; null where that was not kept.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ts: Option<Ts>,
    /// What, with its causes.
    pub text: String,
}

/// One venue.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct VenueFeedView {
    /// Its id.
    #[schema(example = "binance-usdm")]
    pub venue: String,
    /// All of its connections together.
    pub traffic: TrafficView,
    /// Each of its connections.
    pub connections: Vec<ConnectionView>,
    /// Latency; null before enough messages, while a clock is wrong, and where the venue sends no stamps.
    pub lag: Option<LagView>,
    /// By how much our clock and the venue's disagree, milliseconds (negative: ours is behind); null while they agree.
    /// Then there is no `lag`: what was measured is the clocks.
    pub clock_skew_ms: Option<f64>,
    /// Request budgets.
    pub budgets: Vec<BudgetView>,
    /// Its own queues.
    pub queues: Vec<QueueView>,
    /// End of a ban by the venue; null where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub halted_until: Option<Ts>,
    /// The newest error; null before the first.
    pub last_error: Option<ErrorView>,
}

/// The journal of raw messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct JournalView {
    /// Bytes of messages handed to it since the process began.
    pub bytes_raw: u64,
    /// Bytes written for them, compressed.
    pub bytes_written: u64,
    /// Files being written.
    pub files_open: u64,
    /// Messages waiting to be written.
    pub queue: u64,
}

/// The server that the newest weather is mirrored to (the setting `redis`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct MirrorView {
    /// Its address without its password.
    #[schema(example = "redis://:***@127.0.0.1:6379")]
    pub address: String,
    /// Whether it took what was written last; false before the first time, too.
    pub connected: bool,
    /// Keys written since the process began.
    pub keys: u64,
    /// Attempts to connect or to write that failed.
    pub failures: u64,
    /// The newest write; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub written_at: Option<Ts>,
    /// Why nothing is written now; null while it is.
    pub last_error: Option<String>,
}

/// Streams, venues and journal of a live process.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct FeedsView {
    /// The moment of this answer.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// Where the data come from.
    pub origin: DataOrigin,
    /// All streams of the venue and market asked about, whatever their state and page.
    pub counts: FeedCounts,
    /// Streams, in the program's own order, which stays while it runs.
    pub items: Vec<LiveStreamView>,
    /// Where the next page begins in that order; the client gets `next_cursor` instead.
    #[serde(skip)]
    pub next: Option<usize>,
    /// Hand this back as `cursor` for the next page; null on the last one.
    // Made from `next` on the way out, where the query it belongs to is known.
    pub next_cursor: Option<String>,
    /// The venues asked about.
    pub venues: Vec<VenueFeedView>,
    /// Queues that all venues share.
    pub queues: Vec<QueueView>,
    /// The journal; null where none is written.
    pub journal: Option<JournalView>,
    /// The mirror; null where none is set.
    pub mirror: Option<MirrorView>,
}

impl FeedsView {
    /// A view of a page of streams, before anything is said of venues, queues and journal.
    #[must_use]
    pub fn new(ts: Ts, origin: DataOrigin, page: FeedPage) -> Self {
        let FeedPage { counts, items, next } = page;
        Self {
            ts,
            origin,
            counts,
            items,
            next,
            next_cursor: None,
            venues: Vec::new(),
            queues: Vec::new(),
            journal: None,
            mirror: None,
        }
    }
}

/// Streams by continuity, under the words of their states.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct StateCounts {
    live: usize,
    gap: usize,
    resync: usize,
    stale: usize,
    not_offered: usize,
}

impl From<FeedCounts> for StateCounts {
    fn from(c: FeedCounts) -> Self {
        Self { live: c.live, gap: c.gap, resync: c.resync, stale: c.stale, not_offered: c.not_offered }
    }
}

/// What is stored, in bytes; null where it cannot be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct StorageView {
    /// The database.
    pub database_bytes: Option<u64>,
    /// The journal of raw messages.
    pub lake_bytes: Option<u64>,
}

/// Streams that [`FeedsPulse`] shows at most.
pub const PULSE_STREAMS_MAX: usize = 200;

/// How everything that listens does: the event `venues` of the board's stream, with `feeds=1`. Where nothing is listened to there
/// is storage alone.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct FeedsPulse {
    /// The moment, epoch milliseconds.
    pub t: i64,
    /// All streams.
    pub counts: StateCounts,
    /// As in `/api/v1/feeds`.
    pub venues: Vec<VenueFeedView>,
    /// As in `/api/v1/feeds`.
    pub queues: Vec<QueueView>,
    /// As in `/api/v1/feeds`.
    pub journal: Option<JournalView>,
    /// What is stored.
    pub storage: StorageView,
    /// The 200 streams that need most attention, most first; as in `/api/v1/feeds`.
    pub streams: Vec<LiveStreamView>,
}

/// How much attention a state needs: streams are shown in this order.
#[must_use]
pub const fn urgency(state: StatusState) -> u8 {
    match state {
        StatusState::Gap => 0,
        StatusState::Resync => 1,
        StatusState::Stale => 2,
        StatusState::Live => 3,
        StatusState::NotOffered => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{GapReason, Kind, Metric, Span, Stamp, StreamDecl};

    const STATES: [StatusState; 3] = [StatusState::Live, StatusState::Gap, StatusState::NotOffered];

    /// Stream n belongs to market n / 3 and is in state n % 3; markets alternate between two venues.
    fn streams(count: usize) -> Vec<(StreamDecl, StatusState)> {
        let decl = |n: usize| StreamDecl {
            instrument: InstrumentName::new(["okx", "bybit"][n / 3 % 2], &format!("M{}", n / 3)).unwrap(),
            metric: [Metric::Trade, Metric::MarkPrice, Metric::OpenInterest][n % 3],
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "x".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        };
        (0..count).map(|n| (decl(n), STATES[n % 3])).collect()
    }

    fn page(filter: &FeedFilter, all: &[(StreamDecl, StatusState)]) -> FeedPage {
        filter.page(
            all,
            |(decl, state)| (&decl.instrument, *state),
            |(decl, state)| LiveStreamView::new(decl, *state, GapReason::Silent, None, 0),
        )
    }

    #[test]
    fn conditions_are_joined_and_counts_ignore_state_and_page() {
        let all = streams(12);
        let market = Some(all[3].0.instrument.clone());
        let gap = Some(StatusState::Gap);
        for (filter, items, counted, next) in [
            (FeedFilter::all(100), 12, 12, None),
            (FeedFilter::all(5), 5, 12, Some(5)),
            (FeedFilter { state: gap, ..FeedFilter::all(100) }, 4, 12, None),
            (FeedFilter { state: gap, ..FeedFilter::all(2) }, 2, 12, Some(7)),
            (FeedFilter { venue: Some("okx".into()), ..FeedFilter::all(100) }, 6, 6, None),
            (FeedFilter { venue: Some("okx".into()), state: gap, ..FeedFilter::all(100) }, 2, 6, None),
            (FeedFilter { market: market.clone(), ..FeedFilter::all(100) }, 3, 3, None),
            (FeedFilter { market, venue: Some("okx".into()), ..FeedFilter::all(100) }, 0, 0, None),
        ] {
            let page = page(&filter, &all);
            let c = page.counts;
            let total = c.live + c.gap + c.resync + c.stale + c.not_offered;
            assert_eq!((page.items.len(), total, page.next), (items, counted, next), "{filter:?}");
        }
    }

    #[test]
    fn pages_lose_and_double_nothing_while_states_change() {
        let mut all = streams(30);
        let mut filter = FeedFilter { state: Some(StatusState::Gap), ..FeedFilter::all(3) };
        let mut seen = Vec::new();
        loop {
            let page = page(&filter, &all);
            seen.extend(page.items.iter().map(|i| i.instrument.symbol.clone()));
            // What has been shown recovers at once.
            for (decl, state) in &mut all {
                if seen.contains(&decl.instrument.symbol) {
                    *state = StatusState::Live;
                }
            }
            let Some(next) = page.next else { break };
            filter.from = next;
        }
        assert_eq!(seen, (0..10).map(|n| format!("M{n}")).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_not_offered_is_not_lost() {
        let counts = FeedCounts { live: 21, gap: 1, resync: 1, stale: 1, not_offered: 6 };
        assert_eq!(counts.health(), FeedHealth { feeds: 24, lost: 3 });
    }
}
