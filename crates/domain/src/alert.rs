//! Alerts: what a detector found, as evidence a person can check (surveillance §1, §7; R3.25, R4.28).
//!
//! A record is one moment in the life of one episode: opened, worse than before, suspended by a gap, resumed, closed.
//! Records are appended and never changed. A record holds numbers and words of closed sets; sentences are made from it when
//! somebody reads it, so that they are never stored. Nothing here says that anything was detected: patterns are consistent
//! with a behaviour, accounts are never visible.

use crate::pattern::Family;
use crate::{Axis, InstrumentName, Kind, Pattern, Reason, Ts};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::Uuid;

/// The one ordered scale of severity (C19); WARNING of the originals is MEDIUM.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Weak, or from a stand-in.
    Low,
    /// Something unusual.
    Medium,
    /// Far outside the usual.
    High,
    /// As far as the scale goes.
    Critical,
}

impl Severity {
    /// Every severity, in rising order.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];
    /// The canonical word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
    /// The severity of a word; WARNING of the originals is understood.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        if word == "WARNING" {
            return Some(Self::Medium);
        }
        Self::ALL.into_iter().find(|s| s.name() == word)
    }
    /// The word of the fourth original: WARNING for MEDIUM and below, CRITICAL for HIGH and above (payloads §5).
    #[must_use]
    pub const fn seed4(self) -> &'static str {
        match self {
            Self::Info | Self::Low | Self::Medium => "WARNING",
            Self::High | Self::Critical => "CRITICAL",
        }
    }
    /// The word of the third original, `risk_level`: HIGH, MEDIUM or LOW (surveillance §1).
    #[must_use]
    pub const fn risk_level(self) -> &'static str {
        match self {
            Self::Info | Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High | Self::Critical => "HIGH",
        }
    }
}

/// Which of several ways a pattern showed itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Many liquidations within a minute (C07).
    Burst,
    /// Much money within hours (C07).
    Sustained,
    /// The risk axis.
    Risk,
    /// The trend axis.
    Trend,
    /// The volatility axis.
    Volatility,
    /// The heat axis.
    Heat,
}

impl Trigger {
    /// Every trigger, in the order of their stored codes.
    pub const ALL: [Self; 6] = [Self::Burst, Self::Sustained, Self::Risk, Self::Trend, Self::Volatility, Self::Heat];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Sustained => "sustained",
            Self::Risk => "risk",
            Self::Trend => "trend",
            Self::Volatility => "volatility",
            Self::Heat => "heat",
        }
    }
    /// The trigger of a word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == word)
    }
    /// The axis, where it is one.
    #[must_use]
    pub const fn axis(self) -> Option<Axis> {
        match self {
            Self::Risk => Some(Axis::Risk),
            Self::Trend => Some(Axis::Trend),
            Self::Volatility => Some(Axis::Volatility),
            Self::Heat => Some(Axis::Heat),
            Self::Burst | Self::Sustained => None,
        }
    }
}

/// State of an episode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertState {
    /// It goes on.
    Open,
    /// It cannot be seen whether it goes on: an input is missing (surveillance §4).
    NoData,
    /// It is over.
    Closed,
}

impl AlertState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::NoData, Self::Closed];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::NoData => "NO_DATA",
            Self::Closed => "CLOSED",
        }
    }
}

/// What this record reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = Change))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlertChange {
    /// An episode began.
    Opened,
    /// Its severity rose, or its score by ten.
    Updated,
    /// An input is missing; the episode waits.
    Suspended,
    /// The input is back and the episode goes on.
    Resumed,
    /// It is over.
    Closed,
    /// It happened at a moment and has no length: a label changed.
    Happened,
}

impl AlertChange {
    /// Every change.
    pub const ALL: [Self; 6] =
        [Self::Opened, Self::Updated, Self::Suspended, Self::Resumed, Self::Closed, Self::Happened];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "OPENED",
            Self::Updated => "UPDATED",
            Self::Suspended => "SUSPENDED",
            Self::Resumed => "RESUMED",
            Self::Closed => "CLOSED",
            Self::Happened => "HAPPENED",
        }
    }
}

/// A name from a closed set: static where it is made, owned where it was read back.
pub type Word = Cow<'static, str>;

/// One statistic against one threshold. Where a book judges a market against its own history, the original's floor stands
/// beside it, so that both can be compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Statistic {
    /// Feature or quantity.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub name: Word,
    /// Its value; `None` where it is not ready, with the reason.
    pub value: Option<f64>,
    /// Why there is no value.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub reason: Option<Reason>,
    /// What it is compared with.
    pub threshold: f64,
    /// `value / threshold`, 1 at the threshold.
    pub u: Option<f64>,
    /// Unit of value and threshold.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub unit: Word,
    /// Measured, sampled, modelled or proxy.
    pub kind: Kind,
    /// Present share of its window.
    pub coverage: f32,
    /// The book decides by it; `false`: shown beside the one that decides.
    pub decides: bool,
    /// There is too little of the market's own history to judge by it yet.
    pub uncalibrated: bool,
}

/// How often the same detector spoke at this market, so that nobody mistakes an alert for news.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BaseRate {
    /// Episodes that began in the last 90 days, before this one.
    pub fired_90d: u32,
    /// Episodes that began in the last 30 days, before this one.
    pub fired_30d: u32,
    /// Days of the last 90 on which it could be judged at all.
    pub known_days: f64,
    /// The same of the last 30, which `fired_30d` speaks of; `None` in records stored before it was counted.
    #[serde(default)]
    pub known_days_30d: Option<f64>,
    /// Share of the judged minutes of the last 90 days in which an episode was open; `None` before the first one.
    pub held_share_90d: Option<f64>,
}

impl BaseRate {
    /// The days that `fired_30d` speaks of.
    pub const RECENT_DAYS: f64 = 30.0;

    /// Did it begin more than once a day, over the days of the last 90 on which it could be judged? What does is no news. Of the first
    /// day it is not known yet.
    #[must_use]
    pub fn is_daily(&self) -> bool {
        f64::from(self.fired_90d) > self.known_days.max(1.0)
    }

    /// Days of the last 30 on which it could be judged: nothing is claimed about the others.
    #[must_use]
    pub fn recent_days(&self) -> f64 {
        self.known_days_30d.unwrap_or(self.known_days).min(Self::RECENT_DAYS)
    }
}

/// A number, word or list that the event's payload carries (payloads §5, `data`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Datum {
    /// A number.
    Number(f64),
    /// A word.
    Word(Word),
    /// Words.
    Words(Vec<Word>),
    /// No value, and why.
    Missing(Reason),
    /// Yes or no.
    Flag(bool),
}

/// One moment in the life of one episode at one market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Alert {
    /// What the detector looks for.
    pub pattern: Pattern,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// What this record reports.
    pub change: AlertChange,
    /// State after it.
    pub state: AlertState,
    /// Counts the records of one episode from 1.
    pub revision: u32,
    /// Moment of the evaluation, by the venue's clock.
    pub ts: Ts,
    /// Greatest severity so far.
    pub severity: Severity,
    /// 0 to 100 (surveillance §3); at the moment of the record.
    pub score: f64,
    /// When the episode began.
    pub opened_at: Ts,
    /// When the pattern last held.
    pub last_seen_at: Ts,
    /// When it was over.
    pub closed_at: Option<Ts>,
    /// Beginning of the window the statistics speak of; it ends at `ts`.
    pub window_from: Ts,
    /// What was measured.
    pub statistics: Vec<Statistic>,
    /// The event's own facts, in the order of the payload.
    pub data: Vec<(Word, Datum)>,
    /// How often it speaks here.
    pub base_rate: BaseRate,
    /// An open alert of this pattern says the same more strongly; kept, but nobody is called.
    pub inhibited_by: Option<Pattern>,
    /// The other market, where two are compared.
    pub other: Option<InstrumentName>,
    /// Id of the rule in the user's book that made it; `None`: a detector of ours did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Word>,
}

/// A record of an alert, with the moment from which on it may be used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KnownAlert {
    /// When it was known: 200 ms after its minute, or with the event that made it.
    pub known_at: Ts,
    /// The record.
    pub alert: Alert,
}

/// Namespace of every name-based id of the program.
#[must_use]
pub fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"barograph")
}

impl Alert {
    /// The first record of an episode that opens at this moment, with nothing measured yet.
    #[must_use]
    pub fn opened(pattern: Pattern, ts: Ts, severity: Severity) -> Self {
        Self {
            pattern,
            trigger: None,
            change: AlertChange::Opened,
            state: AlertState::Open,
            revision: 1,
            ts,
            severity,
            score: 0.0,
            opened_at: ts,
            last_seen_at: ts,
            closed_at: None,
            window_from: ts,
            statistics: Vec::new(),
            data: Vec::new(),
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        }
    }

    /// Name-based UUID of (detector, symbol, venue, beginning of the episode, logic version): the same for all records of
    /// an episode, and the same in every replay.
    #[must_use]
    pub fn id(&self, instrument: &InstrumentName, logic_version: &str) -> String {
        let trigger = self.trigger.map_or("", Trigger::name);
        let other = self.other.as_ref().map_or_else(String::new, ToString::to_string);
        let name = format!(
            "{}{}|{trigger}|{instrument}|{other}|{}|{logic_version}",
            self.pattern.name(),
            self.ruled(),
            self.opened_at.0
        );
        Uuid::new_v5(&namespace(), name.as_bytes()).to_string()
    }
    /// What tells apart the rules that share a type.
    fn ruled(&self) -> String {
        self.rule.as_ref().map_or_else(String::new, |rule| format!(":{rule}"))
    }
    /// What the alert is about, whatever the episode: the same through all its episodes and records.
    #[must_use]
    pub fn subject(&self, instrument: &InstrumentName) -> String {
        let trigger = self.trigger.map_or("", Trigger::name);
        let other = self.other.as_ref().map_or_else(String::new, ToString::to_string);
        format!("{}{}|{trigger}|{instrument}|{other}", self.pattern.name(), self.ruled())
    }
    /// The axis whose label it is about, where it is about a label.
    #[must_use]
    pub fn axis(&self) -> Option<Axis> {
        self.trigger.filter(|_| self.pattern.family() == Family::Regime)?.axis()
    }
    /// The label it reports, where it is about a label: the one that was entered, or the one that timeframes confirm.
    #[must_use]
    pub fn label_entered(&self) -> Option<&str> {
        self.axis()?;
        self.word("to").or_else(|| self.word("regime"))
    }
    /// A fact by its name.
    #[must_use]
    pub fn datum(&self, name: &str) -> Option<&Datum> {
        self.data.iter().find(|(n, _)| n == name).map(|(_, d)| d)
    }
    /// A number by its name.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.datum(name)? {
            Datum::Number(x) => Some(*x),
            Datum::Word(_) | Datum::Words(_) | Datum::Missing(_) | Datum::Flag(_) => None,
        }
    }
    /// Does a fact of this name say yes?
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        matches!(self.datum(name), Some(Datum::Flag(true)))
    }
    /// A word by its name.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.datum(name)? {
            Datum::Word(w) => Some(w),
            Datum::Number(_) | Datum::Words(_) | Datum::Missing(_) | Datum::Flag(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> Alert {
        Alert {
            pattern: Pattern::LiquidationCascade,
            trigger: Some(Trigger::Burst),
            change: AlertChange::Opened,
            state: AlertState::Open,
            revision: 1,
            ts: Ts(5),
            severity: Severity::High,
            score: 63.2,
            opened_at: Ts(5),
            last_seen_at: Ts(5),
            closed_at: None,
            window_from: Ts(1),
            statistics: Vec::new(),
            data: vec![(Word::from("side_bias"), Datum::Word(Word::from("LONG")))],
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        }
    }

    #[test]
    fn words_round_trip_and_the_originals_words_are_understood() {
        for s in Severity::ALL {
            assert_eq!(Severity::from_name(s.name()), Some(s));
        }
        assert_eq!(Severity::from_name("WARNING"), Some(Severity::Medium));
        assert!(Severity::Info < Severity::Low && Severity::High < Severity::Critical);
        assert_eq!([Severity::Medium, Severity::High].map(Severity::seed4), ["WARNING", "CRITICAL"]);
        assert_eq!([Severity::Low, Severity::Critical].map(Severity::risk_level), ["LOW", "HIGH"]);
    }

    #[test]
    fn the_id_is_that_of_the_episode() {
        let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let one = alert();
        let later =
            Alert { revision: 2, ts: Ts(9), change: AlertChange::Updated, severity: Severity::Critical, ..alert() };
        let id = one.id(&name, "v1+a");
        assert_eq!(id, later.id(&name, "v1+a"));
        assert_eq!(&id[14..15], "5");
        let other_trigger = Alert { trigger: Some(Trigger::Sustained), ..alert() };
        let other_start = Alert { opened_at: Ts(6), ..alert() };
        let eth = InstrumentName::parse("binance-usdm:ETHUSDT").unwrap();
        for different in [
            other_trigger.id(&name, "v1+a"),
            other_start.id(&name, "v1+a"),
            one.id(&eth, "v1+a"),
            one.id(&name, "v2+a"),
        ] {
            assert_ne!(different, id);
        }
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&text).unwrap(), one);
        assert_eq!(one.word("side_bias"), Some("LONG"));
        assert_eq!(one.number("side_bias"), None);
    }
}
