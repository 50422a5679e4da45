//! What people receive and what became of it, as this API shows it; and what they may ask for: a silence, another try.

use barograph_domain::delivery::{
    Attempt, Delivery, DeliveryState, Matcher, Message, MessageKind, Notice, Phase, Silence,
};
use barograph_domain::{InstrumentName, Severity, Ts};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A place in the list of deliveries, newest first: by the moment the message was known, its id and the endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryPlace {
    /// When the message was known.
    pub known_at: Ts,
    /// Its id.
    pub message: String,
    /// Name of the endpoint.
    pub endpoint: String,
}

/// Which deliveries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryFilter {
    /// In this state only.
    pub state: Option<DeliveryState>,
    /// To this endpoint only.
    pub endpoint: Option<String>,
    /// Of messages of this kind only.
    pub kind: Option<MessageKind>,
    /// About this market only.
    pub instrument: Option<InstrumentName>,
    /// Only of messages that were known then; `None`: all.
    pub as_of: Option<Ts>,
    /// Only what follows this place; `None`: from the newest on.
    pub after: Option<DeliveryPlace>,
    /// Most wanted; at least 1.
    pub limit: usize,
}

/// One message on its way to one endpoint, or at its end.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Id of the message; receivers see it as `webhook-id`.
    pub message: String,
    /// Name of the endpoint.
    pub endpoint: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Message of the group it goes with.
    pub via: Option<String>,
    /// Why it stands so, in a word; empty where there is nothing to say.
    pub reason: String,
    /// Tries so far.
    pub attempts: u32,
    /// Not before this. Later than `deliver_until`: no try is left.
    #[schema(value_type = String, format = DateTime)]
    pub next_try: Ts,
    /// No try after this.
    #[schema(value_type = String, format = DateTime)]
    pub deliver_until: Ts,
    /// When it came to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Ts>,
    /// When the message was known.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// What the message reports.
    pub kind: MessageKind,
    /// Where that stands.
    pub phase: Phase,
    /// How severe it is.
    pub severity: Severity,
    /// Whose; null for several.
    #[schema(value_type = Option<String>)]
    pub instrument: Option<InstrumentName>,
    /// Its heading.
    pub title: String,
}

impl DeliveryView {
    /// A delivery with the heading of its message.
    #[must_use]
    pub fn new(delivery: Delivery, message: &Message) -> Self {
        let notice = &message.notice;
        Self {
            message: delivery.message,
            endpoint: delivery.endpoint,
            state: delivery.state,
            via: delivery.via,
            reason: delivery.reason,
            attempts: delivery.attempts,
            next_try: delivery.next_try,
            deliver_until: delivery.deliver_until,
            ended_at: delivery.ended_at,
            known_at: message.known_at,
            kind: notice.kind,
            phase: notice.phase,
            severity: notice.severity,
            instrument: notice.instrument.clone(),
            title: notice.title.clone(),
        }
    }

    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> DeliveryPlace {
        let (message, endpoint) = (self.message.clone(), self.endpoint.clone());
        DeliveryPlace { known_at: self.known_at, message, endpoint }
    }
}

/// One message, to whom it goes or went, and every try.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct MessageView {
    /// Id of the message.
    pub message: String,
    /// The same for all messages about one thing.
    pub fingerprint: String,
    /// When it was known.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// What is told.
    pub notice: Notice,
    /// One per endpoint.
    pub deliveries: Vec<Delivery>,
    /// Every try, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Several alerts of one cause, told as one.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// Id of the newest message about it.
    pub message: String,
    /// When that was known.
    #[schema(value_type = String, format = DateTime)]
    pub known_at: Ts,
    /// What it says.
    pub notice: Notice,
}

/// One receiver and how it is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct EndpointView {
    /// Its name.
    pub name: String,
    /// What it is sent; null where this process has no settings of it and only knows what was stored.
    pub format: Option<String>,
    /// Host and the last four characters of the path: enough to tell two apart, too little to write to it. Null as `format`.
    pub address: Option<String>,
    /// Why nothing is sent any more; null while it is in use.
    pub disabled: Option<String>,
    /// Since when every try has failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Ts>,
    /// Deliveries that wait or go with a group.
    pub waiting: u64,
    /// Tries that were confirmed in the last 24 hours.
    pub delivered_24h: u64,
    /// How many alerts it is sent within a time, as `3/day`; null: any number. Null as `format`.
    pub budget: Option<String>,
    /// Most alerts within the budget's time; null: any number. Null as `format`.
    pub budget_most: Option<u32>,
    /// Alerts that count against it now.
    pub budget_used: u32,
    /// When there is room for the next, where it is spent.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub budget_next_at: Option<Ts>,
    /// Alerts held back that no message has named yet.
    pub held_back_now: u32,
    /// Made on the page, and removed there.
    pub made_here: bool,
    /// Deliveries that its budget held back in the last 24 hours.
    pub held_back_24h: u64,
    /// Half of the confirmed tries took no longer than this, milliseconds; null where there are none.
    pub latency_ms_p50: Option<u32>,
    /// 99 of 100 of them took no longer than this, milliseconds.
    pub latency_ms_p99: Option<u32>,
}

/// A receiver somebody makes on the page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReceiver {
    /// 1 to 60 lower-case letters, digits, dashes and underscores.
    #[schema(example = "phone")]
    pub name: String,
    /// What it is sent: `ntfy`, `telegram`, `discord`, `slack`, `gotify`, `standard`, `json` and others.
    #[schema(example = "ntfy")]
    pub format: String,
    /// Address to deliver to. It is never shown again.
    #[schema(example = "https://ntfy.example/my-alerts")]
    pub url: String,
    /// Signing secret of `standard`.
    #[serde(default)]
    pub secret: Option<String>,
    /// A bearer token.
    #[serde(default)]
    pub token: Option<String>,
    /// Telegram's chat.
    #[serde(default)]
    pub chat_id: Option<String>,
    /// Nothing less severe; null: everything.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// At most so many alerts, as `3/day`; null: any number.
    #[serde(default)]
    #[schema(example = "3/day")]
    pub budget: Option<String>,
}

/// By hand, because address, secret and token are secrets.
impl core::fmt::Debug for NewReceiver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NewReceiver").field("name", &self.name).field("format", &self.format).finish_non_exhaustive()
    }
}

/// What became of a sample that was sent to one receiver.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SampleView {
    /// Method and place, without secrets.
    pub request: String,
    /// HTTP status; null: there was no answer.
    pub status: Option<u16>,
    /// Beginning of the answer, or what failed.
    pub reply: String,
    /// From the request to the answer, milliseconds.
    pub latency_ms: u32,
    /// Was it taken?
    pub delivered: bool,
    /// What was sent.
    pub body: String,
}

/// A silence somebody asks for; it begins at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// What it silences: all of these must hold.
    pub matchers: Vec<Matcher>,
    /// Who asks for it.
    pub author: String,
    /// Why it is asked for, as people read it later.
    pub reason: String,
    /// Until when: a time, or give `duration`.
    #[serde(default)]
    #[schema(example = "2026-02-05T16:00:00Z")]
    pub ends_at: Option<String>,
    /// For how long: `30m`, `2h`, `7d`; or give `ends_at`.
    #[serde(default)]
    #[schema(example = "2h")]
    pub duration: Option<String>,
}

/// A silence, and whether it holds.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct SilenceView {
    /// What was asked for.
    pub silence: Silence,
    /// It holds at the moment asked about.
    pub active: bool,
}

impl SilenceView {
    /// As it is at a moment.
    #[must_use]
    pub fn at(silence: Silence, moment: Ts) -> Self {
        Self { active: silence.is_active(moment), silence }
    }
}
