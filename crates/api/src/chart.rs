//! What a chart of one market is drawn from: candles and what was known at their closes, column by column; and how its streams
//! stood meanwhile. Plain data, filled by whoever implements [`crate::Query`].

use crate::query::SeriesWindow;
use barograph_domain::{InstrumentName, Pattern, Severity, Span, StatusState, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// Lengths of candles, the shortest first, as a question writes them.
pub const INTERVALS: [(&str, Span); 6] = [
    ("1m", Span::mins(1)),
    ("5m", Span::mins(5)),
    ("15m", Span::mins(15)),
    ("1h", Span::hours(1)),
    ("4h", Span::hours(4)),
    ("1d", Span::days(1)),
];
/// Most candles of one view.
pub const BARS_MAX: usize = 2_000;
/// Most gaps, sessions and marks of one view; of marks the newest.
pub const BESIDE_MAX: usize = 500;

/// Which candles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChartQuery {
    /// Their length; `None`: as suits what is stored.
    pub interval: Option<Span>,
    /// The moment before which the last one begins; `None`: behind the newest.
    pub end: Option<Ts>,
    /// Places for candles, holes included: 1 to [`BARS_MAX`].
    pub bars: usize,
    /// Only what was known then.
    pub as_of: Option<Ts>,
}

/// Candles of one market, by columns: the lists are equally long, and a hole in the data is a candle that is not there.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ChartView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// Length of a candle, seconds.
    pub interval_s: i64,
    /// Beginnings, epoch seconds.
    pub t: Vec<i64>,
    /// First price.
    pub o: Vec<f64>,
    /// Highest price.
    pub h: Vec<f64>,
    /// Lowest price.
    pub l: Vec<f64>,
    /// Last price.
    pub c: Vec<f64>,
    /// Base volume; null where it is not known.
    pub v: Vec<Option<f64>>,
    /// Code of the risk label at the close, as in `/api/v1/board`; null where there is no row of that minute.
    pub risk: Vec<Option<u8>>,
    /// Code of the trend label.
    pub trend: Vec<Option<u8>>,
    /// Code of the volatility label.
    pub volatility: Vec<Option<u8>>,
    /// Code of the heat label.
    pub heat: Vec<Option<u8>>,
    /// Funding per 8 hours at the close.
    pub funding_8h: Vec<Option<f64>>,
    /// Open interest at the close, base units.
    pub oi: Vec<Option<f64>>,
    /// Annualised volatility of the hour before the close.
    pub vol: Vec<Option<f64>>,
    /// Longs liquidated in the candle, quote units; null where nobody listened.
    pub liq_long: Vec<Option<f64>>,
    /// Shorts liquidated in the candle, quote units; null where nobody listened.
    pub liq_short: Vec<Option<f64>>,
    /// Lengths of which there are candles, the shortest first: hourly bars make no candle of 15 minutes.
    pub offered: Vec<&'static str>,
    /// When the first stored candle begins, epoch seconds; null where nothing is stored.
    pub first: Option<i64>,
    /// The newest stored moment, epoch seconds; null where nothing is stored.
    pub newest: Option<i64>,
    /// The market is synthetic: from the built-in venue server.
    pub synthetic: bool,
    /// When streams were lost, at most 500.
    pub gaps: Vec<GapView>,
    /// Trading sessions, at most 500; none on candles longer than an hour.
    pub sessions: Vec<SessionSpan>,
    /// Alerts that began, the earliest first, at most the newest 500.
    pub marks: Vec<MarkView>,
    /// There are candles before the first place.
    pub more: bool,
}

/// A stream was lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GapView {
    /// Last trustworthy moment before.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// First trustworthy moment after; null while it lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Ts>,
    /// What it measures.
    pub metric: &'static str,
    /// Why nothing was known: the reason of the gap.
    pub reason: &'static str,
}

/// A trading session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SessionSpan {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// ASIAN, LONDON, NY or ROLLOVER.
    pub session: &'static str,
}

/// An alert that began.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct MarkView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// The kind of alert.
    pub event_type: Pattern,
    /// How severe it was then.
    pub severity: Severity,
    /// In a few words.
    pub title: String,
    /// Its id in `/api/v1/events`.
    pub alert_id: String,
}

impl ChartView {
    /// A chart without candles.
    #[must_use]
    pub fn empty(id: &InstrumentName, interval: Span) -> Self {
        Self {
            instrument: id.clone(),
            interval_s: interval.as_secs(),
            t: Vec::new(),
            o: Vec::new(),
            h: Vec::new(),
            l: Vec::new(),
            c: Vec::new(),
            v: Vec::new(),
            risk: Vec::new(),
            trend: Vec::new(),
            volatility: Vec::new(),
            heat: Vec::new(),
            funding_8h: Vec::new(),
            oi: Vec::new(),
            vol: Vec::new(),
            liq_long: Vec::new(),
            liq_short: Vec::new(),
            offered: Vec::new(),
            first: None,
            newest: None,
            synthetic: false,
            gaps: Vec::new(),
            sessions: Vec::new(),
            marks: Vec::new(),
            more: false,
        }
    }
}

/// How the streams of a market stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ContinuityView {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "binance-usdm:BTCUSDT")]
    pub instrument: InstrumentName,
    /// First moment shown.
    #[schema(value_type = String, format = DateTime)]
    pub start: Ts,
    /// First moment no longer shown.
    #[schema(value_type = String, format = DateTime)]
    pub end: Ts,
    /// Every stream that has said something, in source rank order.
    pub streams: Vec<StreamContinuity>,
    /// There were more interruptions than are shown.
    pub more: bool,
}

/// How one stream stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StreamContinuity {
    /// What it measures.
    pub metric: &'static str,
    /// Who says it.
    pub source: String,
    /// Without holes and in order, from its first event (or the first moment shown) to the last moment shown.
    pub intervals: Vec<IntervalView>,
}

/// A stretch in one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct IntervalView {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    pub from: Ts,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    pub until: Ts,
    /// LIVE, GAP, RESYNC or STALE.
    pub state: StatusState,
    /// Why it was not LIVE; null where it was.
    pub reason: Option<&'static str>,
}

impl ContinuityView {
    /// No streams.
    #[must_use]
    pub fn empty(id: &InstrumentName, window: &SeriesWindow) -> Self {
        Self {
            instrument: id.clone(),
            start: window.start.unwrap_or(Ts::MIN),
            end: window.end.unwrap_or(Ts::MAX),
            streams: Vec::new(),
            more: false,
        }
    }
}
