//! Forecasts: what a reading asserts of a window that has not begun, and what came of it (verification §1, §2, §3, §7).
//!
//! A tick of the ledger holds everything that is registered and resolved at one minute, over all markets of a logic version. Issues
//! and resolutions are appended and never changed. What follows from others (ids, base rates, hashes) is made on reading.

use crate::{Axis, InstrumentName, Label as _, RiskRegime, Span, TrendRegime, Ts, VolRegime};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod abstention;
mod call;
mod drift;
mod revision;
mod tick;

pub use abstention::Abstention;
pub use call::{Call, Calls, frequency_interval};
pub use drift::{DriftWord, FeatureDrift, GroupSkill, MoveBase};
pub use revision::{OutcomeKey, OutcomeRevision, REVISED_AFTER};
pub use tick::{CLIMATOLOGY_MIN, LedgerTick, ReferenceCounts};

/// An event that forecasts are about (verification §2). Its definition never changes; another definition is another event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForecastEvent {
    /// 1 h volatility above 80 % at the end of the next hour.
    #[serde(rename = "hv_1h")]
    HighVol1h,
    /// A move of 2 ATR against the crowded side, or a burst of its liquidations, within 4 h.
    #[serde(rename = "squeeze_4h")]
    Squeeze4h,
    /// Volatile and directionless over the next 4 h.
    #[serde(rename = "chop_4h")]
    Chop4h,
    /// None of the three within 4 h.
    #[serde(rename = "calm_4h")]
    Calm4h,
    /// Up by more than half a day's standard deviation after 24 h.
    #[serde(rename = "trend_up_24h")]
    TrendUp24h,
    /// Down by more than that.
    #[serde(rename = "trend_down_24h")]
    TrendDown24h,
    /// Volatility class of the next 24 h; four ordered classes.
    #[serde(rename = "vol_class_24h")]
    VolClass24h,
    /// A more severe class than now.
    #[serde(rename = "vol_up_24h")]
    VolUp24h,
    /// Correlation of a pair below −0.5 at some hour of 7 days.
    #[serde(rename = "corr_break_7d")]
    CorrBreak7d,
    /// Price enters a level's zone within 24 h.
    #[serde(rename = "zone_reach_24h")]
    ZoneReach24h,
    /// Price reacts to a level it has touched within 12 bars of the level's timeframe.
    #[serde(rename = "level_react")]
    LevelReact,
    /// A liquidation cascade begins within an hour of a funding, squeeze or basis alert.
    #[serde(rename = "alert_cascade_1h")]
    AlertCascade1h,
    /// Price moves by one hourly ATR within an hour of an alert.
    #[serde(rename = "alert_move_1h")]
    AlertMove1h,
    /// Funding is at most half of what it was, 8 h after an anomaly of it.
    #[serde(rename = "post_fund_rev_8h")]
    PostFundRev8h,
}

impl ForecastEvent {
    /// Every event, in the order of their stored codes.
    pub const ALL: [Self; 14] = [
        Self::HighVol1h,
        Self::Squeeze4h,
        Self::Chop4h,
        Self::Calm4h,
        Self::TrendUp24h,
        Self::TrendDown24h,
        Self::VolClass24h,
        Self::VolUp24h,
        Self::CorrBreak7d,
        Self::ZoneReach24h,
        Self::LevelReact,
        Self::AlertCascade1h,
        Self::AlertMove1h,
        Self::PostFundRev8h,
    ];
    /// Those that every market is asked at every grid instant, whatever its labels say.
    pub const EVERY_TICK: [Self; 8] = [
        Self::HighVol1h,
        Self::Squeeze4h,
        Self::Chop4h,
        Self::Calm4h,
        Self::TrendUp24h,
        Self::TrendDown24h,
        Self::VolClass24h,
        Self::VolUp24h,
    ];

    /// The id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::HighVol1h => "hv_1h",
            Self::Squeeze4h => "squeeze_4h",
            Self::Chop4h => "chop_4h",
            Self::Calm4h => "calm_4h",
            Self::TrendUp24h => "trend_up_24h",
            Self::TrendDown24h => "trend_down_24h",
            Self::VolClass24h => "vol_class_24h",
            Self::VolUp24h => "vol_up_24h",
            Self::CorrBreak7d => "corr_break_7d",
            Self::ZoneReach24h => "zone_reach_24h",
            Self::LevelReact => "level_react",
            Self::AlertCascade1h => "alert_cascade_1h",
            Self::AlertMove1h => "alert_move_1h",
            Self::PostFundRev8h => "post_fund_rev_8h",
        }
    }

    /// The event of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.id() == id)
    }

    /// Version of the definition.
    #[must_use]
    pub const fn version(self) -> u16 {
        1
    }

    /// Position in [`Self::ALL`]; the stored code.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Length of the window; `None` where it depends on a level's timeframe.
    #[must_use]
    pub const fn horizon(self) -> Option<Span> {
        match self {
            Self::HighVol1h | Self::AlertCascade1h | Self::AlertMove1h => Some(Span::hours(1)),
            Self::Squeeze4h | Self::Chop4h | Self::Calm4h => Some(Span::hours(4)),
            Self::PostFundRev8h => Some(Span::hours(8)),
            Self::TrendUp24h | Self::TrendDown24h | Self::VolClass24h | Self::VolUp24h | Self::ZoneReach24h => {
                Some(Span::days(1))
            }
            Self::CorrBreak7d => Some(Span::days(7)),
            Self::LevelReact => None,
        }
    }

    /// The same as it is written.
    #[must_use]
    pub const fn horizon_word(self) -> &'static str {
        match self {
            Self::HighVol1h | Self::AlertCascade1h | Self::AlertMove1h => "1h",
            Self::Squeeze4h | Self::Chop4h | Self::Calm4h => "4h",
            Self::PostFundRev8h => "8h",
            Self::TrendUp24h | Self::TrendDown24h | Self::VolClass24h | Self::VolUp24h | Self::ZoneReach24h => "24h",
            Self::CorrBreak7d => "7d",
            Self::LevelReact => "12 bars",
        }
    }

    /// For how long a moment counts at most for what is stated of it; `None`: for ever. How often an hour or four are volatile, calm or choppy
    /// changes with the year, and weeks give cases enough; what is rare, or lasts a day, needs all there are (ADR 35).
    #[must_use]
    pub const fn memory(self) -> Option<Span> {
        match self {
            Self::HighVol1h | Self::Chop4h | Self::Calm4h => Some(Span::days(75)),
            _ => None,
        }
    }

    /// The axis whose label asserts it; `None` where an alert, a pair or a level does.
    #[must_use]
    pub const fn axis(self) -> Option<Axis> {
        match self {
            Self::HighVol1h | Self::Squeeze4h | Self::Chop4h | Self::Calm4h => Some(Axis::Risk),
            Self::TrendUp24h | Self::TrendDown24h => Some(Axis::Trend),
            Self::VolClass24h | Self::VolUp24h => Some(Axis::Volatility),
            Self::CorrBreak7d
            | Self::ZoneReach24h
            | Self::LevelReact
            | Self::AlertCascade1h
            | Self::AlertMove1h
            | Self::PostFundRev8h => None,
        }
    }

    /// What a label, by its stored code, says of the window to come (verification §2, "asserted by"); `None` for labels that say
    /// nothing of it.
    #[must_use]
    pub fn asserted(axis: Axis, label: u8) -> Option<Self> {
        match axis {
            Axis::Risk => match RiskRegime::from_code(label)? {
                RiskRegime::HighVol => Some(Self::HighVol1h),
                RiskRegime::SqueezeRisk => Some(Self::Squeeze4h),
                RiskRegime::ChopRisk => Some(Self::Chop4h),
                RiskRegime::Normal => Some(Self::Calm4h),
                RiskRegime::Unknown => None,
            },
            Axis::Trend => match TrendRegime::from_code(label)?.direction() {
                1 => Some(Self::TrendUp24h),
                -1 => Some(Self::TrendDown24h),
                _ => None,
            },
            Axis::Volatility => (VolRegime::from_code(label)? != VolRegime::Unknown).then_some(Self::VolClass24h),
            Axis::Heat => None,
        }
    }

    /// What happens, as people say it after "whether".
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::HighVol1h => "1 h volatility is above 80 % annualised an hour later",
            Self::Squeeze4h => {
                "price moves 2 hourly ATR against the crowded side within 4 h, or its liquidations are among the largest of 30 days"
            }
            Self::Chop4h => "the next 4 h are volatile and directionless",
            Self::Calm4h => "the next 4 h bring neither high volatility, squeeze nor chop",
            Self::TrendUp24h => "price is up by more than half a daily standard deviation after 24 h",
            Self::TrendDown24h => "price is down by more than half a daily standard deviation after 24 h",
            Self::VolClass24h => "which volatility class the next 24 h fall in",
            Self::VolUp24h => "the next 24 h fall in a more volatile class than now",
            Self::CorrBreak7d => "the pair's 20 h correlation falls below −0.5 within 7 days",
            Self::ZoneReach24h => "price enters the level's zone within 24 h",
            Self::LevelReact => "price reacts to the touched level within 12 bars",
            Self::AlertCascade1h => "a liquidation cascade begins within an hour of the alert",
            Self::AlertMove1h => "price moves by one hourly ATR within an hour of the alert",
            Self::PostFundRev8h => "funding halves within 8 h of the anomaly",
        }
    }
}

/// Who makes a forecast (regimes §11).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Forecaster {
    /// The rule book, calibrated on its own resolved forecasts.
    Rules,
    /// Hidden Markov model, filtered forward.
    Hmm,
    /// Change-point detection.
    Bocpd,
    /// Logistic regression.
    Logistic,
    /// Gradient boosting.
    Boosting,
}

impl Forecaster {
    /// Every one, in the order of their stored codes.
    pub const ALL: [Self; 5] = [Self::Rules, Self::Hmm, Self::Bocpd, Self::Logistic, Self::Boosting];

    /// The id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Hmm => "hmm",
            Self::Bocpd => "bocpd",
            Self::Logistic => "logistic",
            Self::Boosting => "boosting",
        }
    }

    /// The forecaster of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.id() == id)
    }
}

/// Markets that are pooled where one alone has seen too little (regimes §7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SymbolGroup {
    /// Markets whose base is Bitcoin.
    Btc,
    /// Markets whose base is Ether.
    Eth,
    /// Everything else.
    Other,
}

impl SymbolGroup {
    /// Every group, in the order of their stored codes.
    pub const ALL: [Self; 3] = [Self::Btc, Self::Eth, Self::Other];

    /// The group of a market, by its base asset.
    #[must_use]
    pub fn of(market: &InstrumentName) -> Self {
        match market.base_quote().as_ref().map(|(base, _)| base.as_str()) {
            Some("BTC" | "XBT") => Self::Btc,
            Some("ETH") => Self::Eth,
            _ => Self::Other,
        }
    }

    /// The id on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Btc => "btc",
            Self::Eth => "eth",
            Self::Other => "other",
        }
    }
}

/// Whose history a probability comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CalibrationScope {
    /// The market's own.
    Market,
    /// Its group's.
    Group,
    /// That of all markets.
    All,
}

impl CalibrationScope {
    /// Every scope, in the order of their stored codes.
    pub const ALL: [Self; 3] = [Self::Market, Self::Group, Self::All];

    /// The word on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Group => "group",
            Self::All => "all",
        }
    }
}

/// Why nothing was registered (verification §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotIssuedReason {
    /// There is no fresh price to start from.
    NoPrice,
    /// ATR, volatility or class at the moment is undefined.
    MissingReference,
    /// Funding does not say which side is crowded.
    NoSide,
    /// The venue has no such input.
    NotOffered,
    /// Price is in the zone already.
    AlreadyTrue,
}

impl NotIssuedReason {
    /// Every reason, in the order of their stored codes.
    pub const ALL: [Self; 5] =
        [Self::NoPrice, Self::MissingReference, Self::NoSide, Self::NotOffered, Self::AlreadyTrue];

    /// The word on the wire.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::MissingReference => "missing_reference",
            Self::NoSide => "no_side",
            Self::NotOffered => "not_offered",
            Self::AlreadyTrue => "already_true",
        }
    }
}

/// What is stated of an event.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Stated {
    /// No number, and why.
    Abstained(Abstention),
    /// Probability that it happens, in [0, 1].
    Probability(f64),
    /// Probability of each of four ordered classes; they sum to 1.
    Classes([f64; 4]),
}

/// Number of volatility classes.
pub const CLASSES: usize = 4;

/// A forecast as it is registered. Its horizon ends at `resolve_after`; its snapshot is that of market and tick.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Issue {
    /// What it is about.
    pub event: ForecastEvent,
    /// Whose: position in [`LedgerTick::markets`].
    pub market: u16,
    /// The other market of a pair, the id of a level or of an alert; `None` for forecasts of every tick.
    pub subject: Option<Box<str>>,
    /// Who states it.
    pub forecaster: Forecaster,
    /// The window ends here.
    pub resolve_after: Ts,
    /// Published label of the axis, by its code; 0 where no axis asserts the event.
    pub label: u8,
    /// The same of the raw label.
    pub raw_label: u8,
    /// Whether the event was true of the window that has just ended (0, 1), or its class (0 to 3); `None`: not known.
    pub state: Option<u8>,
    /// What is stated.
    pub stated: Stated,
    /// Whose history that comes from.
    pub scope: Option<CalibrationScope>,
    /// Resolved forecasts of that history which were alike; 0 where there is no number.
    pub cases: u32,
    /// Windows of them that do not overlap: the interval is that of so many.
    pub separate: u32,
    /// First eight bytes of the SHA-256 over the readings it was made from.
    pub input_digest: u64,
}

/// A forecast that was not registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotIssued {
    /// What it would have been about.
    pub event: ForecastEvent,
    /// Whose.
    pub market: u16,
    /// Why not.
    pub reason: NotIssuedReason,
}

/// What came of a window (verification §3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum WindowOutcome {
    /// It did not happen, and the window was seen well enough to say so.
    Missed,
    /// It happened.
    Happened,
    /// The class that the window fell in, 0 to 3.
    Class(u8),
    /// Too little of the window was seen.
    Gap,
    /// The market was halted or taken off the list.
    Void,
}

impl WindowOutcome {
    /// Does it count?
    #[must_use]
    pub const fn is_resolved(self) -> bool {
        matches!(self, Self::Missed | Self::Happened | Self::Class(_))
    }

    /// The word of `resolution_reason` on the wire.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missed | Self::Happened | Self::Class(_) => "resolved",
            Self::Gap => "gap",
            Self::Void => "void",
        }
    }
}

/// What came of the forecasts of an event registered at a moment, whoever stated them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Resolution {
    /// What they were about.
    pub event: ForecastEvent,
    /// Whose: position in [`LedgerTick::markets`].
    pub market: u16,
    /// As in the issue.
    pub subject: Option<Box<str>>,
    /// When they were registered.
    pub issued_ts: Ts,
    /// What came.
    pub outcome: WindowOutcome,
    /// The numbers that decided, in the order that the event's definition names them; `None` where there is none.
    pub evidence: [Option<f32>; 2],
}

/// Namespace of ids (regimes §12).
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"barograph")
}

/// Name-based id of a forecast: the same event, market, subject, moment and logic version give the same id (verification §7).
#[must_use]
pub fn forecast_id(
    event: ForecastEvent,
    market: &InstrumentName,
    subject: Option<&str>,
    issued_ts: Ts,
    logic_version: &str,
) -> String {
    let subject = subject.unwrap_or_default();
    let name = format!("{}|{market}|{subject}|{}|{logic_version}", event.id(), issued_ts.0);
    Uuid::new_v5(&namespace(), name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(event: ForecastEvent, counts: &[u32]) -> ReferenceCounts {
        ReferenceCounts { event, group: SymbolGroup::Btc, counts: counts.into() }
    }

    #[test]
    fn ids_name_their_event_and_codes_are_positions() {
        for (at, event) in ForecastEvent::ALL.into_iter().enumerate() {
            assert_eq!((ForecastEvent::from_id(event.id()), event.index()), (Some(event), at));
            assert_eq!(serde_json::to_value(event).unwrap(), event.id());
            assert_eq!(event.horizon().is_none(), event == ForecastEvent::LevelReact);
        }
        assert_eq!(ForecastEvent::from_id("hv_2h"), None);
    }

    /// Forty hits in two hundred; after a true state three of four, after a false one a tenth.
    #[test]
    fn references_are_frequencies_in_all_and_after_the_present_state() {
        let r = counts(ForecastEvent::HighVol1h, &[144, 16, 10, 30, 0, 0]);
        assert_eq!((r.cases(), r.climatology(1)), (200, (46.0 / 200.0, false)));
        assert_eq!(r.persistence(Some(1), 1), Some(30.5 / 41.0));
        assert_eq!(r.persistence(Some(0), 1), Some(16.5 / 161.0));
        assert_eq!((r.persistence(None, 1), r.persistence_cases(1)), (None, 40));
        let few = counts(ForecastEvent::HighVol1h, &[90, 9, 0, 0, 0, 0]);
        assert_eq!(few.climatology(1), (0.5, true));
        let classes =
            counts(ForecastEvent::VolClass24h, &[5, 5, 0, 0, 0, 80, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let sum: f64 = (0..4).map(|o| classes.persistence(Some(1), o).unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-15);
        assert_eq!(classes.climatology(1), (85.0 / 100.0, false));
    }

    #[test]
    fn labels_assert_what_the_table_of_events_says() {
        use ForecastEvent as E;
        for (axis, code, want) in [
            (Axis::Risk, RiskRegime::HighVol.code(), Some(E::HighVol1h)),
            (Axis::Risk, RiskRegime::Normal.code(), Some(E::Calm4h)),
            (Axis::Risk, RiskRegime::Unknown.code(), None),
            (Axis::Trend, TrendRegime::StrongUptrend.code(), Some(E::TrendUp24h)),
            (Axis::Trend, TrendRegime::Downtrend.code(), Some(E::TrendDown24h)),
            (Axis::Trend, TrendRegime::Sideways.code(), None),
            (Axis::Volatility, VolRegime::Stable.code(), Some(E::VolClass24h)),
            (Axis::Volatility, VolRegime::Unknown.code(), None),
            (Axis::Heat, 0, None),
            (Axis::Risk, 99, None),
        ] {
            assert_eq!(E::asserted(axis, code), want, "{axis:?} {code}");
        }
    }

    #[test]
    fn a_forecast_is_named_by_what_it_is_about() {
        let btc = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let id = |event, subject, ts| forecast_id(event, &btc, subject, Ts(ts), "v0.1.0+x");
        let one = id(ForecastEvent::HighVol1h, None, 5);
        assert_eq!(one, id(ForecastEvent::HighVol1h, None, 5));
        for other in [
            id(ForecastEvent::Calm4h, None, 5),
            id(ForecastEvent::HighVol1h, Some("a"), 5),
            id(ForecastEvent::HighVol1h, None, 6),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(SymbolGroup::of(&btc), SymbolGroup::Btc);
        let sol = InstrumentName::parse("bybit:SOLUSDT").unwrap();
        assert_eq!(SymbolGroup::of(&sol), SymbolGroup::Other);
    }
}
