//! Alertmanager's webhook body, version 4, and alerts pushed into its API (delivery §6).
//!
//! Labels tell alerts apart and hold no values; every label and annotation is a text. An alert that is pushed while it fires is
//! given an end a day ahead, so that it needs no repetition every minute and still ends if its own end never arrives.

use super::text::words;
use super::{Context, Request};
use crate::labels::labels;
use barograph_domain::delivery::{DELIVER_RESOLVED_WITHIN, Message, MessageKind, Notice, Phase};
use serde_json::{Map, Value, json};

/// Go's zero time: no end.
const NO_END: &str = "0001-01-01T00:00:00Z";

fn alertname(notice: &Notice) -> String {
    let kind = match notice.kind {
        MessageKind::Alert => {
            return notice.rule.clone().or_else(|| pattern(notice)).unwrap_or_else(|| notice.source.clone());
        }
        MessageKind::Group => "Storm",
        MessageKind::Position => "Position",
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
    if message.notice.instrument.is_none() {
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

fn is_over(notice: &Notice) -> bool {
    matches!(notice.phase, Phase::Resolved)
}

fn link(message: &Message, context: &Context<'_>) -> String {
    format!("{}{}", context.receiver.dashboard, message.notice.path)
}

pub(super) fn webhook(message: &Message, context: &Context<'_>) -> Request {
    let notice = &message.notice;
    let status = if is_over(notice) { "resolved" } else { "firing" };
    let ends = if is_over(notice) { notice.closed_at.unwrap_or(notice.ts).iso() } else { NO_END.to_owned() };
    let (labels, annotations) = (names(message), annotations(message, &context.receiver.dashboard));
    let reason = match (notice.kind, notice.phase, notice.revision) {
        (_, Phase::Resolved, _) => "all alerts resolved",
        (_, _, 0 | 1) => "first notification",
        (MessageKind::Group, _, _) => "new alerts added",
        _ => "unknown",
    };
    let name = alertname(notice);
    Request::json(&json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname={name:?}, fingerprint={:?}}}", message.fingerprint),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": context.receiver.name,
        "notification_reason": reason,
        "routeLabels": {},
        "groupLabels": {"alertname": name},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": context.receiver.dashboard,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": notice.opened_at.iso(),
            "endsAt": ends,
            "generatorURL": link(message, context),
            "fingerprint": message.fingerprint,
        }],
    }))
}

pub(super) fn push(message: &Message, context: &Context<'_>) -> Request {
    let notice = &message.notice;
    let ends = match notice.phase {
        Phase::Resolved => notice.closed_at.unwrap_or(notice.ts).min(context.now),
        Phase::Firing | Phase::NoData => message.known_at + DELIVER_RESOLVED_WITHIN,
        // A moment has no length; it stands for as long as Alertmanager lets an alert stand that is not repeated.
        Phase::Happened => message.known_at + barograph_domain::Span::mins(5),
    };
    let mut labels = names(message);
    // It may rise while the alert goes on, which would make it another alert there.
    let severity = labels.remove("severity").unwrap_or_default();
    let mut annotations = annotations(message, &context.receiver.dashboard);
    annotations.insert("severity".to_owned(), severity);
    Request::json(&json!([{
        "labels": labels,
        "annotations": annotations,
        "startsAt": notice.opened_at.iso(),
        "endsAt": ends.iso(),
        "generatorURL": link(message, context),
    }]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{body, group};
    use crate::receiver::Format;
    use crate::testing::notice;
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
            let b: Body = serde_json::from_value(body(Format::Alertmanager, n)).unwrap();
            let a = &b.alerts[0];
            assert_eq!((b.version.as_str(), b.status.as_str(), a.status.as_str()), ("4", status, status));
            assert!(!b.group_key.is_empty() && b.group_labels["alertname"] == a.labels["alertname"]);
            assert_eq!((&b.common_labels, &b.common_annotations), (&a.labels, &a.annotations));
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
    fn pushed_alerts_keep_their_labels_and_end_in_the_past_when_over() {
        let on = body(Format::AlertmanagerApi, notice("okx:BTC-USDT", Phase::Firing));
        let over = body(Format::AlertmanagerApi, notice("okx:BTC-USDT", Phase::Resolved));
        assert_eq!(on[0]["labels"], over[0]["labels"]);
        assert!(on[0]["labels"].get("severity").is_none());
        assert_eq!(on[0]["endsAt"], "2026-02-06T14:35:00Z");
        assert_eq!(over[0]["endsAt"], "2026-02-05T14:35:00Z");
    }
}
