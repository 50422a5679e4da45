//! Discord (delivery §3), in the shape of the fourth original (R4.33): a line of content and one embed in one of two colours.

use super::text::{Words, cut, words};
use super::{Audience, DeliveryRequest, FormatDef, RequestContext};
use crate::outcome::{by_status, json_of};
use crate::plan::{DeliveryPace, Outcome};
use crate::transport::{ReceiverReply, ReplyReading};
use barograph_domain::Span;
use barograph_domain::delivery::{Message, Phase};
use serde_json::{Value, json};
use std::time::Duration;

/// A webhook of a channel. Discord takes 30 messages a minute there and 50 requests a second from one address.
pub const DISCORD: FormatDef = FormatDef {
    name: "discord",
    reader: Audience::People,
    render: |message, context| vec![request(message, context)],
    complete: |url| {
        // Else the answer says nothing of the message.
        if !url.query_pairs().any(|(k, _)| k == "wait") {
            url.query_pairs_mut().append_pair("wait", "true");
        }
    },
    hosts: &["discord.com", "discordapp.com"],
    pace: DeliveryPace { gap: Span::millis(400), per_minute: 30 },
    host_gap: Duration::from_millis(20),
    verdict: ReplyReading::Body,
    judge: |reply, rest, _| judge(reply, rest),
    rest_in_body: Some("/retry_after"),
    ..FormatDef::WEBHOOK
};

const RED: u32 = 16_711_680;
const ORANGE: u32 = 16_753_920;
/// Limits, in characters.
const CONTENT_MAX: usize = 2_000;
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4_096;
const NAME_MAX: usize = 256;
const VALUE_MAX: usize = 1_024;
const FIELDS_MAX: usize = 25;
/// Over all texts of the embed.
const SUM_MAX: usize = 6_000;

fn request(message: &Message, context: &RequestContext<'_>) -> DeliveryRequest {
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let is_critical = notice.severity.seed4() == "CRITICAL";
    let sign = match (notice.phase, is_critical) {
        (Phase::Resolved, _) => "✓",
        (_, true) => "▲",
        (_, false) => "△",
    };
    let title = cut(&escaped(&words.title), TITLE_MAX);
    let footer = format!("{} · {}", words.severity, notice.ts.iso());
    let mut left = SUM_MAX - title.chars().count() - footer.chars().count();
    // The text is worth more than the numbers, of which as many follow as fit.
    let description = cut(&escaped(&words.body()), DESCRIPTION_MAX.min(left));
    left -= description.chars().count();
    let mut fields: Vec<Value> = Vec::new();
    for figure in notice.figures.iter().take(FIELDS_MAX) {
        let name = cut(&full(&escaped(&figure.name)), NAME_MAX);
        let value = cut(&escaped(&format!("{} against {}", figure.value, figure.threshold)), VALUE_MAX);
        let size = name.chars().count() + value.chars().count();
        if size > left {
            break;
        }
        left -= size;
        fields.push(json!({"name": name, "value": value, "inline": true}));
    }
    let mut embed = json!({
        "title": title,
        "description": full(&description),
        "color": if is_critical { RED } else { ORANGE },
        "timestamp": notice.ts.iso(),
        "fields": fields,
        "footer": {"text": footer},
    });
    if let Some(link) = &words.link {
        embed["url"] = json!(link);
    }
    let body = json!({
        "content": content(sign, &words),
        "embeds": [embed],
        "allowed_mentions": {"parse": []},
    });
    DeliveryRequest::json(&body)
}

fn content(sign: &str, words: &Words) -> String {
    let text = words.lines.first().map_or("", String::as_str);
    cut(&format!("{sign} {}\n{}", escaped(&words.title), escaped(text)), CONTENT_MAX)
}

fn judge(reply: &ReceiverReply, rest: Option<Span>) -> Outcome {
    // 10015: unknown webhook. Somebody has deleted it.
    if reply.status == 404 && json_of(&reply.body)["code"] == 10_015 {
        return Outcome::Disable("Discord does not know this webhook any more".to_owned());
    }
    by_status(reply.status, rest)
}

/// Discord refuses empty texts.
fn full(text: &str) -> String {
    if text.trim().is_empty() { "–".to_owned() } else { text.to_owned() }
}

/// Markdown in symbols and numbers is text. Underscores of words such as `LIQUIDATION_CASCADE` as well.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        // Links work as they are only.
        let is_link = word.starts_with("http://") || word.starts_with("https://");
        for c in word.chars() {
            if !is_link && matches!(c, '*' | '_' | '~' | '`' | '|' | '>' | '\\' | '[' | ']') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{body, endless};
    use crate::testing::{notice, with};
    use barograph_domain::Severity;

    #[test]
    fn colours_and_first_line_are_the_originals() {
        let n = notice("okx:BTC-USDT", Phase::Firing);
        let v = body(&DISCORD, n.clone());
        assert_eq!(v["embeds"][0]["color"], RED);
        assert_eq!(v["content"], "▲ FUNDING\\_ANOMALY BTC-USDT\nLongs pay 2.6σ above their day.");
        assert_eq!(v["allowed_mentions"], json!({"parse": []}));
        assert_eq!(v["embeds"][0]["fields"][0]["value"], "2.60σ against 2.00σ");
        let v = body(&DISCORD, with(&n, |n| n.severity = Severity::Medium));
        assert_eq!(v["embeds"][0]["color"], ORANGE);
    }

    #[test]
    fn nothing_is_longer_than_discord_takes() {
        let long = |texts: usize| {
            with(&endless(), |n| {
                n.text = "t".repeat(texts);
                n.figures.iter_mut().for_each(|f| f.value = "v".repeat(150));
            })
        };
        for n in [endless(), long(10), long(2_000), long(4_000)] {
            let v = body(&DISCORD, n);
            let e = &v["embeds"][0];
            let size = |v: &Value| v.as_str().unwrap().chars().count();
            let fields = e["fields"].as_array().unwrap();
            let sum = size(&e["title"]) + size(&e["description"]) + size(&e["footer"]["text"]);
            let sum = sum + fields.iter().map(|f| size(&f["name"]) + size(&f["value"])).sum::<usize>();
            assert!(sum <= 6_000 && sum > 4_000, "{sum}");
            assert!(size(&e["title"]) <= 256 && size(&e["description"]) <= 4_096 && size(&v["content"]) <= 2_000);
            assert!(fields.len() <= 25 && fields.iter().all(|f| size(&f["value"]) <= 1_024));
            assert_eq!(v["allowed_mentions"]["parse"], json!([]));
        }
    }
}
