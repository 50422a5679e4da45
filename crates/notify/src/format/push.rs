//! Phones, by way of ntfy or Gotify (R4.69).

use super::text::{cut, words};
use super::{Audience, DeliveryRequest, FormatDef, RequestContext, def};
use barograph_domain::Severity;
use barograph_domain::delivery::{Message, Phase};
use serde_json::json;

/// A topic of ntfy.
pub const NTFY: FormatDef = FormatDef {
    name: "ntfy",
    reader: Audience::People,
    render: |message, context| vec![ntfy(message, context)],
    ..FormatDef::WEBHOOK
};

/// An application of Gotify.
pub const GOTIFY: FormatDef = FormatDef {
    name: "gotify",
    reader: Audience::People,
    render: |message, context| vec![gotify(message, context)],
    complete: |url| def::end_path(url, "/message"),
    token_header: Some("x-gotify-key"),
    ..FormatDef::WEBHOOK
};

/// ntfy turns longer texts into files.
const NTFY_BYTES_MAX: usize = 3_900;

fn body(text: &str) -> String {
    // A character of ours has at most four bytes.
    if text.len() <= NTFY_BYTES_MAX { text.to_owned() } else { cut(text, NTFY_BYTES_MAX / 4) }
}

/// Published as JSON, because its headers take no letters beyond Latin.
fn ntfy(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let url = url::Url::parse(context.receiver.url.expose()).ok();
    let path = url.as_ref().map(|u| u.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let (root, topic) = path.rsplit_once('/').unwrap_or(("", ""));
    let priority = match (notice.phase, notice.severity) {
        (Phase::Resolved, _) | (_, Severity::Info) => 2,
        (_, Severity::Low | Severity::Medium) => 3,
        (_, Severity::High) => 4,
        (_, Severity::Critical) => 5,
    };
    let mut publish = json!({
        "topic": topic,
        "title": words.head(),
        "message": body(&words.lines.join("\n")),
        "priority": priority,
        "tags": [notice.severity.name().to_lowercase()],
    });
    if let Some(link) = words.link {
        publish["click"] = json!(link);
    }
    DeliveryRequest { path: Some(format!("{root}/")), ..DeliveryRequest::json(&publish) }
}

fn gotify(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let priority = match (notice.phase, notice.severity) {
        (Phase::Resolved, _) | (_, Severity::Info) => 1,
        (_, Severity::Low) => 3,
        (_, Severity::Medium) => 5,
        (_, Severity::High) => 8,
        (_, Severity::Critical) => 10,
    };
    let mut body = json!({"title": words.head(), "message": words.body(), "priority": priority});
    if let Some(link) = words.link {
        body["extras"] = json!({"client::notification": {"click": {"url": link}}});
    }
    DeliveryRequest::json(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::body as json_body;
    use crate::testing::{notice, with};

    #[test]
    fn phones_get_title_priority_and_link() {
        let n = notice("okx:BTC-USDT", Phase::Firing);
        let v = json_body(&NTFY, n.clone());
        assert_eq!((&v["topic"], &v["priority"]), (&json!("topic"), &json!(4)));
        assert_eq!(v["click"], "http://127.0.0.1:8600/m/okx:BTC-USDT?as_of=2026-02-05T14:35:00Z");
        let v = json_body(&GOTIFY, with(&n, |n| n.severity = Severity::Critical));
        assert_eq!((&v["title"], &v["priority"]), (&json!("FUNDING_ANOMALY BTC-USDT  CRITICAL"), &json!(10)));
        let long = json_body(&NTFY, with(&n, |n| n.text = "σ".repeat(9_000)));
        assert!(long["message"].as_str().unwrap().len() <= 4_000);
    }
}
