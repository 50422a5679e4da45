//! From a notice to requests, and from answers to what they mean. Pure: the same message and receiver give the same bytes. One
//! module per service, with a row of [`FormatDef`] for each of its formats; limits are those of delivery §2–§6, words those of
//! UX §5.

pub mod alertmanager;
pub mod callback;
mod def;
pub mod discord;
pub mod plain;
pub mod push;
pub mod slack;
pub mod standard;
pub mod telegram;
pub mod template;
mod text;

pub use def::{Audience, FormatDef, RenderMany};

use crate::receiver::Receiver;
use barograph_domain::Ts;
use barograph_domain::delivery::{Member, Message, fingerprint};
use std::borrow::Cow;

/// The formats that settings may name, in the order in which people read of them.
pub const FORMATS: &[&FormatDef] = &[
    &standard::STANDARD,
    &discord::DISCORD,
    &slack::SLACK,
    &telegram::TELEGRAM,
    &alertmanager::WEBHOOK,
    &alertmanager::API,
    &plain::JSON,
    &plain::SEED4,
    &plain::ENVELOPE,
    &template::TEMPLATE,
    &push::NTFY,
    &push::GOTIFY,
];

/// Members that a text lists.
const LISTED_MAX: usize = 10;

/// What a request is made from beside the notice.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// For whom.
    pub receiver: &'a Receiver,
    /// What the receiver answered before that the request needs.
    pub learned: Option<&'a str>,
    /// The present moment, where a format has to say it.
    pub now: Ts,
    /// This part of it may have been taken before, and says so.
    pub repeats: Option<u32>,
}

/// A request without its address, authentication and signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRequest {
    /// Of the body.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// Path in place of the address's own, where the format decides it.
    pub path: Option<String>,
}

impl DeliveryRequest {
    fn json(value: &serde_json::Value) -> Self {
        Self { content_type: "application/json".to_owned(), body: value.to_string().into_bytes(), path: None }
    }
}

/// The requests of a message, to be sent one after the other; none where the format has no words for it.
#[must_use]
pub fn render(message: &Message, context: &RequestContext<'_>) -> Vec<DeliveryRequest> {
    let format = context.receiver.format;
    match format.reader {
        Audience::People => (format.render)(&for_people(message), context),
        Audience::Programs => (format.render)(message, context),
    }
}

/// The fingerprint of a member; what older builds stored has none.
fn fingerprint_of(member: &Member) -> String {
    if member.fingerprint.is_empty() { fingerprint(&member.alert_id) } else { member.fingerprint.clone() }
}

/// People read ten members; programs get all there are.
fn for_people(message: &Message) -> Cow<'_, Message> {
    if message.notice.members.len() <= LISTED_MAX {
        return Cow::Borrowed(message);
    }
    let mut short = message.clone();
    let left_out = short.notice.members.split_off(LISTED_MAX).len();
    short.notice.more_members += u32::try_from(left_out).unwrap_or(u32::MAX);
    Cow::Owned(short)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::receiver::FormatSettings;
    use crate::testing::{T0, message, notice, with};
    use barograph_domain::delivery::{Member, MessageKind, Notice, Phase};
    use barograph_domain::{InstrumentName, Severity};

    /// The bodies of a notice's requests.
    pub(crate) fn bodies(format: &'static FormatDef, notice: Notice) -> Vec<String> {
        bodies_with(format, FormatSettings::default(), notice)
    }
    /// As [`bodies`], with settings of the format's own.
    pub(crate) fn bodies_with(format: &'static FormatDef, settings: FormatSettings, notice: Notice) -> Vec<String> {
        let receiver = Receiver {
            dashboard: "http://127.0.0.1:8600".into(),
            settings,
            ..Receiver::new("r", format, "https://hooks.example/topic")
        };
        let context = RequestContext { receiver: &receiver, learned: None, now: T0, repeats: None };
        let requests = render(&message(notice, 1, T0), &context);
        requests.into_iter().map(|r| String::from_utf8(r.body).unwrap()).collect()
    }
    /// The only body, as JSON.
    pub(crate) fn body(format: &'static FormatDef, notice: Notice) -> serde_json::Value {
        let all = bodies(format, notice);
        assert_eq!(all.len(), 1);
        serde_json::from_str(&all[0]).unwrap()
    }
    /// A group of 51.
    pub(crate) fn group() -> Notice {
        with(&notice("okx:BTC-USDT", Phase::Firing), |n| {
            n.kind = MessageKind::Group;
            n.instrument = None;
            n.symbol = String::new();
            n.title = "FUNDING_ANOMALY at 51 markets".into();
            n.event = String::new();
            n.members = (0..10)
                .map(|i| Member {
                    instrument: InstrumentName::parse(&format!("okx:C{i}-USDT")).unwrap(),
                    pattern: None,
                    opened_at: None,
                    closed_at: None,
                    figures: Vec::new(),
                    clears: String::new(),
                    fired_30d: None,
                    known_days: None,
                    title: format!("FUNDING_ANOMALY C{i}-USDT"),
                    severity: Severity::High,
                    phase: Phase::Firing,
                    alert_id: format!("a{i}"),
                    fingerprint: format!("{i:016x}"),
                    times: Some(1),
                })
                .collect();
            n.more_members = 41;
        })
    }
    /// Far too long everywhere.
    pub(crate) fn endless() -> Notice {
        with(&notice("okx:BTC-USDT", Phase::Firing), |n| {
            n.title = "x*".repeat(400);
            n.text = "Würde <!channel> & @everyone rufen. ".repeat(900);
            n.clears = "c".repeat(3_000);
            n.new_entries = "n".repeat(3_000);
            n.figures = vec![n.figures[0].clone(); 40];
            for f in &mut n.figures {
                f.value = "v".repeat(2_000);
            }
            n.event = format!(r#"{{"pad":"{}"}}"#, "p".repeat(30_000));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{bodies, group};
    use super::*;
    use crate::testing::with;

    #[test]
    fn people_read_ten_members_whatever_there_are() {
        let many = with(&group(), |n| n.members = (0..40).map(|i| n.members[i % 10].clone()).collect());
        let text = bodies(&slack::SLACK, many).remove(0);
        assert!(text.contains("and 71 more"), "{text}");
        assert_eq!(text.matches("(okx, HIGH, active)").count(), 10);
    }

    #[test]
    fn the_documents_list_every_format() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/alerts.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, table) = text.split_once("| format |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let listed = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
        assert_eq!(listed.collect::<Vec<_>>(), FORMATS.iter().map(|f| f.name).collect::<Vec<_>>());
    }
}
