//! A market as it is this moment: every stream with its continuity and last value, the minute in progress, the top of the
//! book. Plain data, filled from memory by whoever implements [`crate::Query`].
//!
//! The constructors keep three promises: a reason stands beside every state that is not LIVE and beside no other, an age is
//! never negative, and a book that is not LIVE shows no levels. Left out on purpose: anything of the past (context and
//! metrics have it) and any judgement (context has it).

use barograph_domain::{GapReason, InstrumentName, Kind, StatusState, StreamDecl, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// Levels of a book shown per side; the best 25 hold what a person looks at, and keep an answer below 10 kB.
pub const LEVELS_MAX: usize = 25;

/// Where the data behind an answer come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DataOrigin {
    /// A venue, as it happens.
    Measured,
    /// Made up by the built-in venue server.
    Synthetic,
    /// A recording, played again.
    Recorded,
}

impl DataOrigin {
    /// Of both together: made up where either is, else played again where either is.
    #[must_use]
    pub const fn mixed_with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Synthetic, _) | (_, Self::Synthetic) => Self::Synthetic,
            (Self::Recorded, _) | (_, Self::Recorded) => Self::Recorded,
            (Self::Measured, Self::Measured) => Self::Measured,
        }
    }
}

/// Why a stream cannot be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = GapReasonView)]
pub struct ReasonView {
    /// The word, as stored and as in metrics.
    #[schema(example = "disconnected")]
    pub word: &'static str,
    /// As part of a sentence.
    #[schema(example = "the connection closed")]
    pub text: &'static str,
}

impl From<GapReason> for ReasonView {
    fn from(reason: GapReason) -> Self {
        Self { word: reason.word(), text: reason.spoken() }
    }
}

/// The reason to show beside a state: none for a stream that lives.
fn beside(continuity: StatusState, reason: GapReason) -> Option<ReasonView> {
    match continuity {
        StatusState::Live => None,
        StatusState::NotOffered => Some(GapReason::NotOffered.into()),
        StatusState::Gap | StatusState::Resync | StatusState::Stale => Some(reason.into()),
    }
}

/// One stream now.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LiveStreamView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// What is measured; the name `metrics` takes.
    #[schema(example = "mark_price")]
    pub metric: &'static str,
    /// Unit of its value.
    #[schema(example = "quote")]
    pub unit: &'static str,
    /// Who says it.
    #[schema(example = "binance-usdm")]
    pub source: String,
    /// measured, sampled, modelled or proxy.
    pub kind: Kind,
    /// Whether it can be trusted now.
    pub continuity: StatusState,
    /// Why not; null while LIVE.
    pub reason: Option<ReasonView>,
    /// When it entered that state; null before its first change.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Ts>,
    /// Newest event by the venue's clock; null before the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub event_ts: Option<Ts>,
    /// When that was received, by our clock.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub recv_ts: Option<Ts>,
    /// Its value: close, price, middle, rate, or quote value of a liquidation; null before the first.
    pub value: Option<f64>,
    /// Milliseconds since `event_ts`, never negative; null before the first event.
    pub age_ms: Option<i64>,
    /// How often it was lost since this process began.
    pub losses: u32,
}

impl LiveStreamView {
    /// A stream of which nothing has been heard yet.
    #[must_use]
    pub fn new(decl: &StreamDecl, continuity: StatusState, reason: GapReason, since: Option<Ts>, losses: u32) -> Self {
        Self {
            instrument: decl.instrument.clone(),
            metric: decl.metric.name(),
            unit: decl.metric.unit(),
            source: decl.source.clone(),
            kind: decl.kind,
            continuity,
            reason: beside(continuity, reason),
            since,
            event_ts: None,
            recv_ts: None,
            value: None,
            age_ms: None,
            losses,
        }
    }

    /// With its newest event, seen from `now`. A venue whose clock is ahead of ours makes no negative age.
    #[must_use]
    pub fn heard(mut self, event_ts: Ts, recv_ts: Ts, value: Option<f64>, now: Ts) -> Self {
        self.event_ts = Some(event_ts);
        self.recv_ts = Some(recv_ts);
        self.value = value.filter(|v| v.is_finite());
        self.age_ms = Some((now - event_ts).0.max(0) / 1_000_000);
        self
    }
}

/// The minute in progress, made of trades.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct OpenMinuteView {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    pub start: Ts,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume.
    pub volume: f64,
    /// Quote volume.
    pub quote_volume: f64,
    /// Trades in it.
    pub trades: u64,
    /// Every trade since `start` is in it.
    pub complete: bool,
    /// Why some may be missing; null when it is complete.
    pub reason: Option<ReasonView>,
}

impl OpenMinuteView {
    /// Says that trades may be missing, and why. The first reason stays.
    #[must_use]
    pub fn incomplete(mut self, reason: GapReason) -> Self {
        self.complete = false;
        self.reason = self.reason.or(Some(reason.into()));
        self
    }
}

/// What rests at one price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct BookLevelView {
    /// Quote units.
    pub price: f64,
    /// Base units.
    pub amount: f64,
}

/// The top of an order book, or why there is none.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct BookView {
    /// Whether it can be trusted now.
    pub continuity: StatusState,
    /// Why not; null while LIVE.
    pub reason: Option<ReasonView>,
    /// When it entered that state; null before its first change.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Ts>,
    /// The moment the levels show, by the venue's clock; null while there are none.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub event_ts: Option<Ts>,
    /// How old the levels are, milliseconds; null while there are none.
    pub age_ms: Option<i64>,
    /// Best first, at most 25; empty unless LIVE.
    pub bids: Vec<BookLevelView>,
    /// Best first, at most 25; empty unless LIVE.
    pub asks: Vec<BookLevelView>,
}

impl BookView {
    /// A book in a state; levels are (price, amount), best first, and only those of a LIVE book are taken over.
    #[must_use]
    pub fn new(
        continuity: StatusState,
        reason: GapReason,
        since: Option<Ts>,
        bids: &[(f64, f64)],
        asks: &[(f64, f64)],
    ) -> Self {
        let shown = if continuity == StatusState::Live { LEVELS_MAX } else { 0 };
        let top = |levels: &[(f64, f64)]| -> Vec<BookLevelView> {
            levels.iter().take(shown).map(|(price, amount)| BookLevelView { price: *price, amount: *amount }).collect()
        };
        Self {
            continuity,
            reason: beside(continuity, reason),
            since,
            event_ts: None,
            age_ms: None,
            bids: top(bids),
            asks: top(asks),
        }
    }

    /// Says which moment the levels show, where there are levels.
    #[must_use]
    pub fn at(self, event_ts: Ts, now: Ts) -> Self {
        if self.bids.is_empty() && self.asks.is_empty() {
            return self;
        }
        Self { event_ts: Some(event_ts), age_ms: Some((now - event_ts).0.max(0) / 1_000_000), ..self }
    }
}

/// One market now.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(as = LiveView)]
pub struct MarketNow {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// The moment of this answer.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// Where the data come from.
    pub origin: DataOrigin,
    /// Its streams, in source rank order; those the venue does not offer included.
    pub streams: Vec<LiveStreamView>,
    /// The minute in progress; null before its first trade, and where no trades are listened to.
    pub minute: Option<OpenMinuteView>,
    /// The order book; null where none is listened to.
    pub book: Option<BookView>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Metric, Span, Stamp};

    fn decl() -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            metric: Metric::MarkPrice,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "binance-usdm".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: true,
        }
    }

    #[test]
    fn a_reason_stands_beside_every_state_but_live() {
        for (state, want) in [
            (StatusState::Live, None),
            (StatusState::Gap, Some("disconnected")),
            (StatusState::Resync, Some("disconnected")),
            (StatusState::Stale, Some("disconnected")),
            (StatusState::NotOffered, Some("not_offered")),
        ] {
            let stream = LiveStreamView::new(&decl(), state, GapReason::Disconnected, None, 0);
            assert_eq!(stream.reason.map(|r| r.word), want, "{state:?}");
            let book = BookView::new(state, GapReason::Disconnected, None, &[(2.0, 1.0)], &[(3.0, 1.0)]);
            assert_eq!(
                (book.reason.map(|r| r.word), book.bids.len()),
                (want, usize::from(want.is_none())),
                "{state:?}"
            );
        }
    }

    #[test]
    fn ages_are_never_negative_and_values_are_finite() {
        let (at, now) = (Ts::from_secs(100), Ts::from_secs(160));
        let stream = |event_ts, value| {
            LiveStreamView::new(&decl(), StatusState::Live, GapReason::Starting, None, 0)
                .heard(event_ts, now, value, now)
        };
        assert_eq!(stream(at, Some(1.0)).age_ms, Some(60_000));
        assert_eq!(stream(now + Span::secs(2), Some(1.0)).age_ms, Some(0), "the venue's clock is ahead");
        assert_eq!((stream(at, Some(f64::NAN)).value, stream(at, Some(2.0)).value), (None, Some(2.0)));
    }

    #[test]
    fn books_are_cut_to_their_best_levels() {
        let levels: Vec<(f64, f64)> = (1..=40).map(|n| (f64::from(n), 1.0)).collect();
        let book = BookView::new(StatusState::Live, GapReason::Starting, None, &levels, &levels[..3]);
        assert_eq!((book.bids.len(), book.asks.len(), book.bids[0].price), (LEVELS_MAX, 3, 1.0));
    }
}
