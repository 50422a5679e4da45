//! Alertmanager's webhook body, version 4, and alerts pushed into its API (delivery §6).
//!
//! Labels tell alerts apart and hold no values; every label and annotation is a text. An alert that is pushed while it fires is
//! given an end five minutes ahead and is pushed again every minute by the dispatcher: it lasts as long as it fires, is back a
//! minute after Alertmanager forgot it, and ends by itself when nobody is left to say so. Of a group the webhook body lists the
//! members with their own fingerprints; its moments are those of the group, which is all that is known of them there.

use super::text::words;
use super::{DeliveryRequest, FormatDef, RequestContext, def, fingerprint_of};
use crate::labels::labels;
use crate::outcome::by_status;
use crate::plan::Outcome;
use barograph_domain::Span;
use barograph_domain::delivery::{Member, Message, MessageKind, Notice, Phase};
use serde_json::{Map, Value, json};

/// The webhook body, for programs that read Alertmanager's.
pub const WEBHOOK: FormatDef = FormatDef {
    name: "alertmanager",
    render: |message, context| vec![webhook(message, context)],
    signed: true,
    ..FormatDef::WEBHOOK
};

/// Pushed into an Alertmanager, which groups by itself.
pub const API: FormatDef = FormatDef {
    name: "alertmanager_api",
    render: |message, context| vec![push([message], context)],
    refresh: Some(|messages, context| push(messages.iter().map(AsRef::as_ref), context)),
    complete: |url| def::end_path(url, "/api/v2/alerts"),
    groups: false,
    judge: |reply, rest, _| judge(reply.status, rest),
    ..FormatDef::WEBHOOK
};

/// An alert that nobody pushes again is over after this, as Alertmanager's own `resolve_timeout` has it.
const LASTS: Span = Span::mins(5);
/// Go's zero time: no end.
const NO_END: &str = "0001-01-01T00:00:00Z";

fn alertname(notice: &Notice) -> String {
    let kind = match notice.kind {
        MessageKind::Alert => {
            return notice.rule.clone().or_else(|| pattern(notice)).unwrap_or_else(|| notice.source.clone());
        }
        MessageKind::Group => "Storm",
        MessageKind::Position => "Position",
        MessageKind::Watch => "Watch",
        MessageKind::Delivery => "Delivery",
        MessageKind::Sample => "Sample",
    };
    match pattern(notice) {
        Some(pattern) => format!("{pattern} {kind}"),
        None => kind.to_owned(),
    }
}

fn pattern(notice: &Notice) -> Option<String> {
    notice.pattern.map(|p| p.name().to_owned())
}

/// What tells it apart; severity too, because people route by it.
fn names(message: &Message) -> Map<String, Value> {
    let mut out: Map<String, Value> =
        labels(&message.notice).into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
    out.insert("alertname".to_owned(), json!(alertname(&message.notice)));
    out.insert("source".to_owned(), json!(message.notice.source));
    if let Some(trigger) = message.notice.trigger {
        out.insert("trigger".to_owned(), json!(trigger.name()));
    }
    if message.notice.kind == MessageKind::Group || message.notice.instrument.is_none() {
        out.insert("group".to_owned(), json!(message.fingerprint));
    }
    out
}

fn annotations(message: &Message, dashboard: &str) -> Map<String, Value> {
    let words = words(&message.notice, dashboard);
    let mut out = Map::new();
    out.insert("summary".to_owned(), json!(words.title));
    out.insert("description".to_owned(), json!(words.lines.join("\n")));
    for figure in &message.notice.figures {
        let name: String = figure.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        out.insert(format!("figure_{name}"), json!(format!("{} against {}", figure.value, figure.threshold)));
    }
    if let Some(link) = words.link {
        out.insert("link".to_owned(), json!(link));
    }
    out
}

/// Alertmanager's word for a phase.
pub(super) const fn status(phase: Phase) -> &'static str {
    match phase {
        Phase::Resolved => "resolved",
        Phase::Firing | Phase::NoData | Phase::Happened => "firing",
    }
}

fn is_over(notice: &Notice) -> bool {
    matches!(notice.phase, Phase::Resolved)
}

fn link(message: &Message, context: &RequestContext<'_>) -> String {
    format!("{}{}", context.receiver.dashboard, message.notice.path)
}

fn ends(notice: &Notice, phase: Phase) -> String {
    if phase == Phase::Resolved { notice.closed_at.unwrap_or(notice.ts).iso() } else { NO_END.to_owned() }
}

/// What is equal in all.
fn common(alerts: &[Value], key: &str) -> Map<String, Value> {
    let Some(Value::Object(first)) = alerts.first().map(|a| &a[key]) else { return Map::new() };
    let shared = first.iter().filter(|(name, value)| alerts.iter().all(|a| a[key].get(*name) == Some(*value)));
    shared.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// One member of a group as an alert: the labels of its own messages, as far as the group knows them.
fn of_member(member: &Member, message: &Message, context: &RequestContext<'_>) -> Value {
    let notice = &message.notice;
    let own = Notice {
        kind: MessageKind::Alert,
        phase: member.phase,
        severity: member.severity,
        instrument: Some(member.instrument.clone()),
        ..notice.clone()
    };
    let own = Message { notice: own, ..message.clone() };
    let mut annotations = Map::from_iter([("summary".to_owned(), json!(member.title))]);
    annotations.insert("group".to_owned(), json!(notice.title));
    json!({
        "status": status(member.phase),
        "labels": names(&own),
        "annotations": annotations,
        "startsAt": notice.opened_at.iso(),
        "endsAt": ends(notice, member.phase),
        "generatorURL": link(message, context),
        "fingerprint": fingerprint_of(member),
    })
}

fn webhook(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let reason = match (notice.kind, notice.phase, notice.revision) {
        (_, Phase::Resolved, _) => "all alerts resolved",
        (_, _, 0 | 1) => "first notification",
        (MessageKind::Group, _, _) => "new alerts added",
        _ => "unknown",
    };
    let mut alerts: Vec<Value> = notice.members.iter().map(|m| of_member(m, message, context)).collect();
    if alerts.is_empty() {
        alerts.push(json!({
            "status": status(notice.phase),
            "labels": names(message),
            "annotations": annotations(message, &context.receiver.dashboard),
            "startsAt": notice.opened_at.iso(),
            "endsAt": ends(notice, notice.phase),
            "generatorURL": link(message, context),
            "fingerprint": message.fingerprint,
        }));
    }
    let name = alerts[0]["labels"]["alertname"].clone();
    let name = name.as_str().unwrap_or_default();
    let fires = !is_over(notice) || alerts.iter().any(|a| a["status"] == "firing");
    DeliveryRequest::json(&json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname={name:?}, fingerprint={:?}}}", message.fingerprint),
        "truncatedAlerts": notice.more_members,
        "status": if fires { "firing" } else { "resolved" },
        "receiver": context.receiver.name,
        "notification_reason": reason,
        "routeLabels": {},
        "groupLabels": {"alertname": name},
        "commonLabels": common(&alerts, "labels"),
        "commonAnnotations": common(&alerts, "annotations"),
        "externalURL": context.receiver.dashboard,
        "alerts": alerts,
    }))
}

fn pushed(message: &Message, context: &RequestContext<'_>) -> Value {
    let notice = &message.notice;
    let ends = match notice.phase {
        Phase::Resolved => notice.closed_at.unwrap_or(notice.ts).min(context.now),
        Phase::Firing | Phase::NoData => context.now + LASTS,
        // A moment has no length; it stands for as long as Alertmanager lets an alert stand that is not repeated. Like every end it
        // is of the receiver's clock: one that is behind it would arrive as resolved.
        Phase::Happened => context.now + LASTS,
    };
    let mut labels = names(message);
    // It may rise while the alert goes on, which would make it another alert there.
    let severity = labels.remove("severity").unwrap_or_default();
    let mut annotations = annotations(message, &context.receiver.dashboard);
    annotations.insert("severity".to_owned(), severity);
    json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": notice.opened_at.iso(),
        "endsAt": ends.iso(),
        "generatorURL": link(message, context),
    })
}

/// Alerts as they stand, several at once where they are pushed again.
fn push<'a>(messages: impl IntoIterator<Item = &'a Message>, context: &RequestContext<'_>) -> DeliveryRequest {
    DeliveryRequest::json(&messages.into_iter().map(|m| pushed(m, context)).collect())
}

fn judge(status: u16, rest: Option<Span>) -> Outcome {
    match status {
        // An Alertmanager's clients drop what it refuses: it would refuse it again.
        400..=499 if !matches!(status, 401 | 403 | 404 | 410 | 429) => Outcome::Reject,
        _ => by_status(status, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{body, group};
    use crate::testing::{notice, with};
    use serde::Deserialize;
    use std::collections::BTreeMap;

    /// A reader of version 4 that is strict about what it knows and ignores the rest.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        version: String,
        group_key: String,
        status: String,
        group_labels: BTreeMap<String, String>,
        common_labels: BTreeMap<String, String>,
        common_annotations: BTreeMap<String, String>,
        alerts: Vec<Alert>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Alert {
        status: String,
        labels: BTreeMap<String, String>,
        annotations: BTreeMap<String, String>,
        starts_at: String,
        ends_at: String,
        fingerprint: String,
    }

    #[test]
    fn a_strict_reader_understands_the_webhook_body() {
        for (n, status) in [
            (notice("okx:BTC-USDT", Phase::Firing), "firing"),
            (notice("okx:BTC-USDT", Phase::Resolved), "resolved"),
            (group(), "firing"),
        ] {
            let b: Body = serde_json::from_value(body(&WEBHOOK, n)).unwrap();
            let a = &b.alerts[0];
            assert_eq!((b.version.as_str(), b.status.as_str(), a.status.as_str()), ("4", status, status));
            assert!(!b.group_key.is_empty() && b.group_labels["alertname"] == a.labels["alertname"]);
            let shared = |all: &BTreeMap<String, String>, of: fn(&Alert) -> &BTreeMap<String, String>| {
                all.iter().all(|(k, v)| b.alerts.iter().all(|a| of(a).get(k) == Some(v)))
            };
            assert!(shared(&b.common_labels, |a| &a.labels) && shared(&b.common_annotations, |a| &a.annotations));
            assert!(!b.common_labels.is_empty());
            let name = |k: &String| {
                k.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && k.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            assert!(a.labels.keys().chain(a.annotations.keys()).all(name), "{:?}", a.annotations);
            assert_eq!(a.ends_at == NO_END, status == "firing");
            assert!(a.starts_at.ends_with('Z') && a.fingerprint.len() == 16);
        }
    }

    #[test]
    fn figures_are_annotations_under_names_that_programs_take() {
        let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.figures[0].name = "open interest, 4 h".to_owned());
        let (value, threshold) = (n.figures[0].value.clone(), n.figures[0].threshold.clone());
        let b: Body = serde_json::from_value(body(&WEBHOOK, n)).unwrap();
        let figure = &b.alerts[0].annotations["figure_open_interest__4_h"];
        assert_eq!(*figure, format!("{value} against {threshold}"));
    }

    #[test]
    fn members_of_a_group_are_alerts_that_a_program_knows_again() {
        let n = with(&group(), |n| {
            n.revision = 3;
            n.members[4].phase = Phase::Resolved;
            n.members[9].fingerprint = String::new();
        });
        let whole = body(&WEBHOOK, n);
        assert_eq!(whole["truncatedAlerts"], 41);
        let b: Body = serde_json::from_value(whole).unwrap();
        assert_eq!((b.alerts.len(), b.status.as_str()), (10, "firing"));
        assert_eq!((b.alerts[4].status.as_str(), b.alerts[4].fingerprint.as_str()), ("resolved", "0000000000000004"));
        assert!(b.alerts[4].ends_at != NO_END && b.alerts[5].ends_at == NO_END);
        assert_eq!(b.alerts[9].fingerprint.len(), 16);
        let alone = body(&WEBHOOK, notice("okx:C5-USDT", Phase::Firing));
        let alone: Body = serde_json::from_value(alone).unwrap();
        for label in ["alertname", "instrument", "venue", "event_type", "severity"] {
            assert_eq!(b.alerts[5].labels[label], alone.alerts[0].labels[label], "{label}");
        }
    }

    /// Of a message that waited long too: Alertmanager takes what has an end behind its clock for resolved.
    #[test]
    fn what_happened_stands_for_as_long_as_what_is_not_repeated() {
        for late in [0, 1, 20] {
            let happened = with(&notice("okx:BTC-USDT", Phase::Happened), |n| {
                n.ts = n.ts - Span::mins(late);
                (n.known_at, n.opened_at) = (n.ts, n.ts);
            });
            assert_eq!(body(&API, happened)[0]["endsAt"], "2026-02-05T14:40:00Z", "{late} minutes late");
        }
    }

    #[test]
    fn pushed_alerts_keep_their_labels_and_end_in_the_past_when_over() {
        let on = body(&API, notice("okx:BTC-USDT", Phase::Firing));
        let over = body(&API, notice("okx:BTC-USDT", Phase::Resolved));
        assert_eq!(on[0]["labels"], over[0]["labels"]);
        assert!(on[0]["labels"].get("severity").is_none());
        assert_eq!(on[0]["endsAt"], "2026-02-05T14:40:00Z");
        assert_eq!(over[0]["endsAt"], "2026-02-05T14:35:00Z");
    }
}
