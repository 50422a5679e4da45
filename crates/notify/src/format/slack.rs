//! Slack incoming webhooks (delivery §4).

use super::text::{cut, words};
use super::{Audience, DeliveryRequest, FormatDef, RequestContext};
use crate::outcome::by_status;
use crate::plan::{DeliveryPace, Outcome};
use crate::transport::{ReceiverReply, ReplyReading};
use barograph_domain::Span;
use barograph_domain::delivery::{Message, Phase};
use serde_json::{Value, json};

/// An incoming webhook of a channel, which takes a message a second.
pub const SLACK: FormatDef = FormatDef {
    name: "slack",
    reader: Audience::People,
    render: |message, context| vec![request(message, context)],
    hosts: &["slack.com"],
    pace: DeliveryPace { gap: Span::secs(1), per_minute: 0 },
    verdict: ReplyReading::Body,
    judge: |reply, rest, _| judge(reply, rest),
    ..FormatDef::WEBHOOK
};

const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3_000;
const FIELD_MAX: usize = 2_000;
const FIELDS_MAX: usize = 10;
/// The notification's own line.
const FALLBACK_MAX: usize = 3_900;
/// Over all blocks; Slack refuses somewhere above 13,000.
const SUM_MAX: usize = 11_500;

fn request(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let header = cut(&words.head(), HEADER_MAX);
    let section = escaped(&words.lines.join("\n"), SECTION_MAX);
    let foot = words.link.as_ref().map_or_else(
        || escaped(&notice.ts.iso(), FIELD_MAX),
        |link| {
            escaped(&format!("{} \u{1}", notice.ts.iso()), FIELD_MAX)
                .replace('\u{1}', &format!("<{link}|open at that moment>"))
        },
    );
    let mut left = SUM_MAX.saturating_sub(header.chars().count() + section.chars().count() + foot.chars().count());
    let mut fields: Vec<Value> = Vec::new();
    for figure in notice.figures.iter().take(FIELDS_MAX) {
        let text = format!("{}\n{} against {}", figure.name, figure.value, figure.threshold);
        let text = escaped(&text, FIELD_MAX);
        let Some(rest) = left.checked_sub(text.chars().count()) else { break };
        left = rest;
        fields.push(json!({"type": "mrkdwn", "text": text}));
    }
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": false}}),
        json!({"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": true}}),
    ];
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]}));
    let colour = match (notice.phase, notice.severity.seed4()) {
        (Phase::Resolved, _) => "#2e7d32",
        (_, "CRITICAL") => "#d32f2f",
        _ => "#f9a825",
    };
    let text = escaped(&format!("{}: {}", words.head(), notice.text), FALLBACK_MAX);
    DeliveryRequest::json(
        &json!({"text": text, "attachments": [{"color": colour, "fallback": text, "blocks": blocks}]}),
    )
}

fn judge(reply: &ReceiverReply, rest: Option<Span>) -> Outcome {
    let word = core::str::from_utf8(&reply.body).unwrap_or_default().trim();
    match (reply.status, word) {
        (200, "ok") => Outcome::Delivered,
        // Whatever a page in between says, Slack has not taken it.
        (200..=299, _) => Outcome::Retry,
        (410, _) | (_, "channel_is_archived") => Outcome::Disable("Slack's channel is archived".to_owned()),
        (400, "user_not_found" | "invalid_payload" | "invalid_blocks" | "no_text" | "too_many_attachments") => {
            Outcome::Reject
        }
        (status, "invalid_token" | "action_prohibited" | "channel_not_found" | "no_service" | "no_team") => {
            Outcome::Misconfigured(format!("Slack answered {status}, {word}"))
        }
        (status, _) => by_status(status, rest),
    }
}

/// `&`, `<` and `>` are Slack's own; nothing is cut inside an entity. Counted after escaping.
fn escaped(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut size = 0;
    for c in text.chars() {
        let mut buffer = [0; 4];
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => c.encode_utf8(&mut buffer),
        };
        let more = piece.chars().count();
        if size + more > chars_max - 1 {
            out.push('…');
            break;
        }
        size += more;
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{bodies, body, endless};
    use crate::testing::{notice, with};

    fn size(v: &Value) -> usize {
        match v {
            Value::Array(all) => all.iter().map(size).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(k, v)| if k == "text" && v.is_string() { v.as_str().unwrap().chars().count() } else { size(v) })
                .sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }

    #[test]
    fn calls_in_data_are_text_and_links_are_links() {
        let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| {
            n.title = "<!channel> & co".into();
            n.text = "<!channel> pays".into();
        });
        let raw = bodies(&SLACK, n.clone()).remove(0);
        assert!(raw.contains("&lt;!channel&gt; pays"), "{raw}");
        let v = body(&SLACK, n);
        // A header is plain text: nothing in it is read as a call.
        assert_eq!(v["attachments"][0]["blocks"][0]["text"]["type"], "plain_text");
        assert!(v["text"].as_str().unwrap().starts_with("&lt;!channel&gt; &amp; co  HIGH"));
        let foot = v["attachments"][0]["blocks"][3]["elements"][0]["text"].as_str().unwrap();
        assert!(
            foot.ends_with("<http://127.0.0.1:8600/m/okx:BTC-USDT?as_of=2026-02-05T14:35:00Z|open at that moment>")
        );
    }

    #[test]
    fn all_blocks_together_stay_below_what_slack_refuses() {
        let v = body(&SLACK, endless());
        let blocks = &v["attachments"][0]["blocks"];
        assert!((8_000..12_000).contains(&size(blocks)), "{}", size(blocks));
        assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
        assert!(blocks[1]["text"]["text"].as_str().unwrap().chars().count() <= 3_000);
        assert!(v["text"].as_str().unwrap().chars().count() <= 4_000);
    }
}
