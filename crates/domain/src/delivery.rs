//! From an alert to a person: what is to be delivered, to which endpoint, and what became of it.
//!
//! A [`Message`] enters the outbox in the transaction of the fact it reports, once, with one [`Delivery`] per endpoint that wants
//! it. Its id follows from what it reports, so that a replay, a retry and a second process make the same one, and a receiver can
//! recognise a repetition. Every delivery ends, with a record: delivered, superseded, held back, expired or dead.

use crate::alert::{AlertChange, namespace};
use crate::{InstrumentName, Pattern, Severity, Span, Trigger, Ts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a message reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// One record of an alert.
    Alert,
    /// Several alerts of one cause.
    Group,
    /// A notice about a registered position (R1.72).
    Position,
    /// A watch came true: what somebody asked to hear of once it turned.
    Watch,
    /// Something about the delivery itself: an endpoint was disabled, or works again.
    Delivery,
    /// A sample somebody asked for.
    Sample,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Alert, Self::Group, Self::Position, Self::Watch, Self::Delivery, Self::Sample];
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Group => "group",
            Self::Position => "position",
            Self::Watch => "watch",
            Self::Delivery => "delivery",
            Self::Sample => "sample",
        }
    }
}

/// What stands where in the life of what a message reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It began, or became worse.
    Firing,
    /// It is over.
    Resolved,
    /// It cannot be seen whether it goes on.
    NoData,
    /// It happened and has no length.
    Happened,
}

impl Phase {
    /// The phase that a record of an alert reports.
    #[must_use]
    pub const fn of(change: AlertChange) -> Self {
        match change {
            AlertChange::Opened | AlertChange::Updated | AlertChange::Resumed => Self::Firing,
            AlertChange::Closed => Self::Resolved,
            AlertChange::Suspended => Self::NoData,
            AlertChange::Happened => Self::Happened,
        }
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::NoData => "no_data",
            Self::Happened => "happened",
        }
    }
}

/// One statistic against its threshold, as text for people and as numbers for programs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Figure {
    /// Feature or quantity.
    pub name: String,
    /// Its value with unit, or the reason why there is none.
    pub value: String,
    /// Its threshold with unit.
    pub threshold: String,
    /// Value as a number.
    pub number: Option<f64>,
    /// Threshold as a number.
    pub limit: f64,
}

/// One alert of a group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Member {
    /// Whose.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub instrument: InstrumentName,
    /// Event type; `None` for a rule of the user's own, and in what older builds stored. So for all that follows.
    #[serde(default)]
    pub pattern: Option<Pattern>,
    /// When its episode began.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub opened_at: Option<Ts>,
    /// When it was over.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub closed_at: Option<Ts>,
    /// The numbers against their thresholds: of the first ten of a group only, as are the next three.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// What would clear it.
    #[serde(default)]
    pub clears: String,
    /// As [`Notice::fired_30d`].
    #[serde(default)]
    pub fired_30d: Option<u32>,
    /// As [`Notice::known_days`].
    #[serde(default)]
    pub known_days: Option<u32>,
    /// Its heading.
    pub title: String,
    /// How severe.
    pub severity: Severity,
    /// Where it stands.
    pub phase: Phase,
    /// Of its episode.
    pub alert_id: String,
    /// As its own messages have it, so that a program finds its end; empty in what older builds stored.
    #[serde(default)]
    pub fingerprint: String,
    /// How often it came since the group last had a message delivered or given up; `None` in what older builds stored.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What people are told: everything a receiver's format is made from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = MessageNotice))]
pub struct Notice {
    /// What this reports.
    pub kind: MessageKind,
    /// Where it stands.
    pub phase: Phase,
    /// Of the episode; of a group its own.
    pub alert_id: String,
    /// Counts the records of the episode from 1.
    pub revision: u32,
    /// Event type; `None` for what no detector said.
    pub pattern: Option<Pattern>,
    /// Which of several ways.
    pub trigger: Option<Trigger>,
    /// Id of the user's own rule, where one fired.
    pub rule: Option<String>,
    /// Part that speaks.
    pub source: String,
    /// How severe.
    pub severity: Severity,
    /// Whose; `None` for a group of several.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub instrument: Option<InstrumentName>,
    /// `BASE/QUOTE`; empty for a group of several.
    pub symbol: String,
    /// At most 60 characters, fit for a lock screen.
    pub title: String,
    /// What happened, in sentences.
    pub text: String,
    /// The market at that moment in one or two sentences; empty where it is not known.
    #[serde(default)]
    pub headline: String,
    /// The numbers against their thresholds.
    pub figures: Vec<Figure>,
    /// What it means for new entries.
    pub new_entries: String,
    /// What it means for open positions.
    pub open_positions: String,
    /// What would clear it.
    pub clears: String,
    /// How often this rule fired here before, in the last 30 days.
    pub fired_30d: Option<u32>,
    /// Whole days of the last 30 on which it could be judged; `None` where nobody counted.
    #[serde(default)]
    pub known_days: Option<u32>,
    /// An open alert of this pattern says the same more strongly: nobody is called.
    #[serde(default)]
    pub inhibited_by: Option<Pattern>,
    /// Nothing new for whoever knows that it fires at this severity: it can be seen again, or a burst has grown.
    #[serde(default)]
    pub resumed: bool,
    /// Where it says that the price of a market is lost: how many markets of that venue are listened to.
    #[serde(default)]
    pub venue_markets: Option<u32>,
    /// Moment of the evaluation.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub ts: Ts,
    /// When it was known.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub known_at: Ts,
    /// When the episode began.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub opened_at: Ts,
    /// When it was over.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub closed_at: Option<Ts>,
    /// Path and query of the page at that moment, such as `/m/binance-usdm:BTCUSDT?as_of=…`.
    pub path: String,
    /// Members of a group, at most 100; what has changed since the last message first.
    pub members: Vec<Member>,
    /// Members beside those.
    pub more_members: u32,
    /// The whole canonical event as JSON; empty where there is none.
    pub event: String,
    /// The event as the fourth original sent it (payloads §5), as JSON; empty for what it did not know.
    pub seed4: String,
}

impl Notice {
    /// One that says nothing yet: severity INFO, first revision, known at the moment at which it begins.
    #[must_use]
    pub const fn bare(kind: MessageKind, phase: Phase, alert_id: String, at: Ts) -> Self {
        Self {
            kind,
            phase,
            alert_id,
            revision: 1,
            pattern: None,
            trigger: None,
            rule: None,
            source: String::new(),
            severity: Severity::Info,
            instrument: None,
            symbol: String::new(),
            title: String::new(),
            text: String::new(),
            headline: String::new(),
            figures: Vec::new(),
            new_entries: String::new(),
            open_positions: String::new(),
            clears: String::new(),
            fired_30d: None,
            known_days: None,
            inhibited_by: None,
            resumed: false,
            venue_markets: None,
            ts: at,
            known_at: at,
            opened_at: at,
            closed_at: None,
            path: String::new(),
            members: Vec::new(),
            more_members: 0,
            event: String::new(),
            seed4: String::new(),
        }
    }
}

/// One thing to deliver, stored once whatever the number of endpoints.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// `msg_` and 26 characters of base32, see [`message_id`].
    pub id: String,
    /// 16 hex digits, the same for all messages about one thing: see [`fingerprint`]. Order is kept per endpoint and this.
    pub fingerprint: String,
    /// When it became known.
    pub known_at: Ts,
    /// What people receive.
    pub notice: Notice,
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent, or sent again.
    Waiting,
    /// Goes with the message of a group and shares its end.
    Grouped,
    /// The receiver has confirmed it.
    Delivered,
    /// Something newer, a silence or an inhibition made it unnecessary.
    Superseded,
    /// The receiver's budget was spent; a person may have it sent.
    HeldBack,
    /// It was too old to be worth delivering.
    Expired,
    /// It cannot be delivered; a person may have it sent again.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Grouped, Self::Delivered, Self::Superseded, Self::HeldBack, Self::Expired, Self::Dead];
    /// The word on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Grouped => "grouped",
            Self::Delivered => "delivered",
            Self::Superseded => "superseded",
            Self::HeldBack => "held_back",
            Self::Expired => "expired",
            Self::Dead => "dead",
        }
    }
    /// The state of a word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == word)
    }
    /// Nothing more will happen to it by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Superseded | Self::HeldBack | Self::Expired | Self::Dead)
    }
}

/// One message on its way to one endpoint; keyed by both.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Delivery {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Id of the message.
    pub message: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Message of the group it goes with.
    pub via: Option<String>,
    /// Why it stands so, in a word: `newer_state`, `silenced`, `inhibited`, `over_budget`, `too_old`, `refused`, `endpoint_disabled` …;
    /// empty where there is nothing to say.
    pub reason: String,
    /// No try after this.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub deliver_until: Ts,
    /// Tries so far.
    pub attempts: u32,
    /// Not before this. Later than `deliver_until`: no try is left.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub next_try: Ts,
    /// When it came to its end.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub ended_at: Option<Ts>,
}

/// A message and its deliveries: all of them where it is stored, those that were asked for where it is read.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    /// What is to be reported.
    pub message: Message,
    /// One per endpoint; each names this message.
    pub deliveries: Vec<Delivery>,
}

/// A delivery goes with the message of a group.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Join {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Message whose delivery goes with the group.
    pub message: String,
    /// Message of the group.
    pub via: String,
}

/// Where a delivery stands after a try or a decision.
#[derive(Clone, PartialEq, Debug)]
pub struct DeliveryChange {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Id of the message.
    pub message: String,
    /// Where it stands now. [`DeliveryState::Grouped`] is a [`Join`].
    pub state: DeliveryState,
    /// Why, in a word; see [`Delivery::reason`].
    pub reason: String,
    /// Tries so far.
    pub attempts: u32,
    /// Not before this.
    pub next_try: Ts,
    /// When this was decided: the moment of the end, if it is one.
    pub at: Ts,
}

/// What goes on, as far as the outbox knows: the newest message about a thing, if that says it fires.
#[derive(Clone, PartialEq, Debug)]
pub struct Firing {
    /// The newest message of its fingerprint.
    pub message: Message,
    /// Endpoints that have confirmed a message about it since it began, by name. Empty where nobody heard of it, which a silence or
    /// an inhibition may be the reason of.
    pub told: Vec<String>,
}

/// One try, as the delivery log keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Name of the endpoint.
    pub endpoint: String,
    /// Id of the message.
    pub message: String,
    /// When it began.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub at: Ts,
    /// HTTP status; `None`: there was no answer.
    pub status: Option<u16>,
    /// From the beginning of the try to its end.
    pub latency_ms: u32,
    /// `delivered`, `retry`, `retry_after`, `rejected`, `misconfigured` or `gone`.
    pub outcome: String,
    /// First 256 bytes of the answer, or what failed; no secrets.
    pub excerpt: String,
}

/// How an endpoint is doing.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EndpointState {
    /// Its name.
    pub endpoint: String,
    /// Nothing is sent any more, and why.
    pub disabled: Option<String>,
    /// Since when every try has failed.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub failing_since: Option<Ts>,
    /// Something the receiver answered that the next request needs, such as a chat's new number (Telegram).
    pub learned: Option<String>,
    /// What became of its budget. Stores keep it with what was learned.
    #[serde(skip)]
    pub budget: BudgetUse,
}

/// What became of a receiver's budget, so that a restart forgets neither.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct BudgetUse {
    /// Messages that count.
    pub spent: Vec<Spent>,
    /// Alerts held back that no message has named yet.
    pub held_back: u32,
    /// When the first of them was held back.
    pub since: Option<Ts>,
}

/// A message that counts against a budget.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Spent {
    /// Id of the message.
    pub message: String,
    /// When the receiver confirmed it; `None` while it is under way.
    pub delivered_at: Option<Ts>,
}

/// How a silence's matcher compares; regular expressions match the whole value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Compare {
    /// The value is equal to it.
    #[serde(rename = "=")]
    Is,
    /// Not equal.
    #[serde(rename = "!=")]
    IsNot,
    /// Matches a regular expression.
    #[serde(rename = "=~")]
    Matches,
    /// Does not match a regular expression.
    #[serde(rename = "!~")]
    DoesNotMatch,
}

/// One condition of a silence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// `event_type`, `instrument`, `venue`, `symbol`, `severity`, `axis` or `rule`.
    pub label: String,
    /// How it compares.
    pub op: Compare,
    /// With what.
    pub value: String,
}

/// A stretch in which nobody is told of some alerts; all matchers must hold.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Silence {
    /// UUID.
    pub id: String,
    /// What it silences.
    pub matchers: Vec<Matcher>,
    /// Who asked for it.
    pub author: String,
    /// Why it was asked for, as people read it later.
    pub reason: String,
    /// From when.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub starts_at: Ts,
    /// Until when; a silence that somebody ends early is given that moment.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub ends_at: Ts,
    /// When it was stored.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime))]
    pub created_at: Ts,
}

impl Silence {
    /// Does it hold at `now`?
    #[must_use]
    pub fn is_active(&self, now: Ts) -> bool {
        self.starts_at <= now && now < self.ends_at
    }
}

/// Default of how long an alert is worth delivering.
pub const DELIVER_FIRED_WITHIN: Span = Span::mins(30);
/// Default of how long it is worth delivering that one is over.
pub const DELIVER_RESOLVED_WITHIN: Span = Span::hours(24);

/// Crockford's alphabet in lower case.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Id of a message about `what`, which names the record exactly: `msg_` and 26 characters of base32 of a name-based UUID.
/// Contains no full stop, as Standard Webhooks wants it.
#[must_use]
pub fn message_id(what: &str) -> String {
    let mut bits = Uuid::new_v5(&namespace(), what.as_bytes()).as_u128();
    let mut digits = [0_u8; 26];
    for digit in digits.iter_mut().rev() {
        *digit = BASE32[usize::from((bits & 31) as u8)];
        bits >>= 5;
    }
    let mut id = String::with_capacity(30);
    id.push_str("msg_");
    id.extend(digits.iter().map(|d| char::from(*d)));
    id
}

/// Fingerprint of a thing that messages are about, whatever the episode: 16 hex digits over the sorted labels of it.
#[must_use]
pub fn fingerprint(what: &str) -> String {
    let bits = Uuid::new_v5(&namespace(), what.as_bytes()).as_u128();
    format!("{:016x}", (bits >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_what_is_reported() {
        let one = message_id("alert|a|1");
        assert_eq!(one, message_id("alert|a|1"));
        assert_ne!(one, message_id("alert|a|2"));
        assert_eq!(one.len(), 30);
        assert!(one.starts_with("msg_") && one[4..].bytes().all(|b| BASE32.contains(&b)), "{one}");
        // 128 bits fill 26 digits of five bits with two to spare: the first digit is below 8.
        assert!(one.as_bytes()[4] < b'8');
        let print = fingerprint("alert|a");
        assert_eq!(print.len(), 16);
        assert!(print.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn words_round_trip_and_ends_are_ends() {
        for s in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_name(s.name()), Some(s));
            assert_eq!(serde_json::to_string(&s).unwrap(), format!("\"{}\"", s.name()));
            assert_eq!(s.is_final(), !matches!(s, DeliveryState::Waiting | DeliveryState::Grouped));
        }
        for k in MessageKind::ALL {
            assert_eq!(serde_json::to_string(&k).unwrap(), format!("\"{}\"", k.name()));
        }
        let matcher: Matcher = serde_json::from_str(r#"{"label":"venue","op":"=~","value":"binance.*"}"#).unwrap();
        assert_eq!(matcher.op, Compare::Matches);
    }
}
