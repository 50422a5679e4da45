//! Telegram (delivery §5): plain text with entities, counted in UTF-16 units, split at line ends.

use super::text::words;
use super::{Audience, DeliveryRequest, FormatDef, RequestContext, def};
use crate::outcome::{by_status, json_of};
use crate::plan::{DeliveryPace, Outcome};
use crate::receiver::{FormatSettings, Receiver};
use crate::secret::Secret;
use crate::transport::{ReceiverReply, ReplyReading};
use barograph_domain::delivery::Message;
use barograph_domain::{Severity, Span, delivery::Phase};
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

/// A chat, by way of a bot. Telegram takes 20 messages a minute for a group and 30 requests a second from one bot.
pub const TELEGRAM: FormatDef = FormatDef {
    name: "telegram",
    reader: Audience::People,
    render,
    settings: |table| {
        let chat_id = table.chat_id.clone().unwrap_or_default();
        Ok(FormatSettings { chat_id, thread: table.thread, ..FormatSettings::default() })
    },
    check: |receiver| {
        if receiver.settings.chat_id.is_empty() { Err("format telegram needs chat_id".to_owned()) } else { Ok(()) }
    },
    complete: |url| def::end_path(url, "/sendMessage"),
    hosts: &["telegram.org"],
    unpack,
    pace: DeliveryPace { gap: Span::secs(1), per_minute: 20 },
    host_gap: Duration::from_millis(34),
    verdict: ReplyReading::Body,
    judge,
    rest_in_body: Some("/parameters/retry_after"),
    doubt: Some(Span::secs(30)),
    ..FormatDef::WEBHOOK
};

/// Ends a part that the chat may have got already: Telegram has nothing that marks a repetition (delivery §5).
const REPEAT: &str = "\n(repeat)";
/// Units of a text, after its entities are taken out, of which we use none that vanish.
const UNITS_MAX: usize = 4_096 - REPEAT.len();
/// Parts of one message; what is longer is cut.
const PARTS_MAX: usize = 3;

fn render(message: &Message, context: &RequestContext<'_>) -> Vec<DeliveryRequest> {
    let FormatSettings { chat_id, thread, .. } = &context.receiver.settings;
    let notice = &message.notice;
    let words = words(notice, &context.receiver.dashboard);
    let sign = match (notice.phase, notice.severity) {
        (Phase::Resolved, _) => "✅",
        (_, Severity::Info | Severity::Low) => "🔹",
        (_, Severity::Medium) => "🔸",
        (_, Severity::High | Severity::Critical) => "🔴",
    };
    let figures = notice.figures.iter().map(|f| format!("\n{}: {} against {}", f.name, f.value, f.threshold));
    let text = format!("{sign} {}\n{}{}", words.head(), words.body(), figures.collect::<String>());
    let chat = chat_now(chat_id, context.learned);
    let chat = chat.parse::<i64>().map_or_else(|_name| json!(chat), |number| json!(number));
    let parts = split(&text);
    parts
        .into_iter()
        .enumerate()
        .map(|(nth, part)| {
            let repeats = context.repeats.is_some_and(|part| usize::try_from(part) == Ok(nth));
            let part = if repeats { format!("{part}{REPEAT}") } else { part };
            let title = (units(sign) + 1, units(&words.title));
            let room = units(&part).saturating_sub(title.0);
            let entities: Vec<Value> = if nth == 0 {
                vec![json!({"type": "bold", "offset": title.0, "length": title.1.min(room)})]
            } else {
                Vec::new()
            };
            let mut body = json!({
                "chat_id": chat,
                "text": part,
                "entities": entities,
                "link_preview_options": {"is_disabled": true},
                "disable_notification": notice.phase == Phase::Resolved,
            });
            if let Some(thread) = thread {
                body["message_thread_id"] = json!(thread);
            }
            DeliveryRequest::json(&body)
        })
        .collect()
}

/// Where an address is all that is given, the chat is a part of it, as `?chat_id=…`.
fn unpack(receiver: &mut Receiver, url: &mut Url) {
    let of = |key: &str| url.query_pairs().find(|(k, _)| k == key).map(|(_, v)| v.into_owned());
    receiver.settings.chat_id = of("chat_id").unwrap_or_default();
    receiver.settings.thread = of("message_thread_id").and_then(|t| t.parse().ok());
    url.set_query(None);
    receiver.url = Secret::new(url.as_str());
}

fn judge(reply: &ReceiverReply, rest: Option<Span>, receiver: &Receiver) -> Outcome {
    let answer = json_of(&reply.body);
    if let Some(to) = answer["parameters"]["migrate_to_chat_id"].as_i64() {
        return Outcome::Learned(moved(&receiver.settings.chat_id, to));
    }
    let says = answer["description"].as_str().unwrap_or_default();
    match reply.status {
        200 if answer["ok"] == true => Outcome::Delivered,
        200..=299 => Outcome::Retry,
        403 => Outcome::Disable("Telegram's bot was blocked or removed from the chat".to_owned()),
        400 if says.contains("chat not found") => Outcome::Misconfigured("Telegram does not find the chat".to_owned()),
        status => by_status(status, rest),
    }
}

/// What is to be remembered of a chat that has become another kind of group: from which to which.
fn moved(from: &str, to: i64) -> String {
    format!("{from}>{to}")
}

/// The chat's newer number; what was learned of another chat than that of the settings is of no use.
fn chat_now<'a>(chat: &'a str, learned: Option<&'a str>) -> &'a str {
    learned.and_then(|word| word.split_once('>')).filter(|(from, _)| *from == chat).map_or(chat, |(_, to)| to)
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Parts that fit, cut at the last line end that does, or where they must be.
fn split(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && parts.len() < PARTS_MAX {
        let mut size = 0;
        let end = rest
            .char_indices()
            .find(|(_, c)| {
                size += c.len_utf16();
                size > UNITS_MAX
            })
            .map_or(rest.len(), |(at, _)| at);
        let end = if end == rest.len() { end } else { rest[..end].rfind('\n').filter(|at| *at > 0).unwrap_or(end) };
        parts.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches('\n');
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{bodies_with, endless};
    use crate::testing::{T0, message, notice, with};

    fn chat(id: &str, thread: Option<i64>) -> FormatSettings {
        FormatSettings { chat_id: id.to_owned(), thread, ..FormatSettings::default() }
    }

    fn bodies(notice: barograph_domain::delivery::Notice) -> Vec<String> {
        bodies_with(&TELEGRAM, chat("-1001234567890", Some(12)), notice)
    }

    /// To a chat without topics.
    fn receiver(id: &str) -> Receiver {
        Receiver { settings: chat(id, None), ..Receiver::new("r", &TELEGRAM, "https://api.telegram.org/bot1:x") }
    }

    fn number(v: &Value) -> usize {
        usize::try_from(v.as_u64().unwrap()).unwrap()
    }

    #[test]
    fn bold_parts_are_counted_in_utf16_units() {
        let n = with(&notice("okx:BTC-USDT", Phase::Firing), |n| n.title = "𝔹TC σ".into());
        let v: Value = serde_json::from_str(&bodies(n)[0]).unwrap();
        let text: Vec<u16> = v["text"].as_str().unwrap().encode_utf16().collect();
        let entity = &v["entities"][0];
        let (at, length) = (number(&entity["offset"]), number(&entity["length"]));
        assert_eq!(String::from_utf16(&text[at..at + length]).unwrap(), "𝔹TC σ");
        assert_eq!((at, length), (3, 6), "the sign before it and the first letter are two units each");
        assert_eq!((&v["chat_id"], &v["message_thread_id"]), (&json!(-1_001_234_567_890_i64), &json!(12)));
    }

    #[test]
    fn long_texts_are_split_at_line_ends() {
        let line = "𝔹".repeat(99);
        let whole = vec![line.as_str(); 21].join("\n");
        assert!(units(&whole) > 4_096);
        let parts = split(&whole);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts.join("\n"), whole);
        // One unit too many.
        let exact = format!("{}\n{}", "a".repeat(4_000), "b".repeat(UNITS_MAX - 4_001));
        assert_eq!((units(&exact), split(&exact).len()), (UNITS_MAX, 1));
        assert_eq!(split(&format!("{exact}b")), ["a".repeat(4_000), "b".repeat(UNITS_MAX - 4_000)]);
        let parts = bodies(endless());
        assert!(parts.len() == 3);
        for part in parts {
            let v: Value = serde_json::from_str(&part).unwrap();
            let size = units(v["text"].as_str().unwrap());
            let entities = v["entities"].as_array().unwrap();
            assert!(size <= 4_096);
            assert!(entities.iter().all(|e| number(&e["offset"]) + number(&e["length"]) <= size));
        }
    }

    #[test]
    fn a_learned_chat_replaces_that_one_and_no_other() {
        let message = message(notice("okx:BTC-USDT", Phase::Firing), 1, T0);
        for (settings, learned, want) in [
            ("-100123", moved("-100123", -100_777), "-100777"),
            // Somebody has written another chat into the settings since.
            ("-100999", moved("-100123", -100_777), "-100999"),
            ("-100123", "-100777".to_owned(), "-100123"),
        ] {
            let context =
                RequestContext { receiver: &receiver(settings), learned: Some(&learned), now: T0, repeats: None };
            let body = String::from_utf8(render(&message, &context).remove(0).body).unwrap();
            assert!(body.contains(&format!("\"chat_id\":{want},")), "{settings} {learned}: {body}");
        }
    }

    #[test]
    fn a_repetition_says_so_in_its_part_and_fits() {
        let receiver = receiver("1");
        let message = message(endless(), 1, T0);
        let texts = |repeats| -> Vec<String> {
            let context = RequestContext { receiver: &receiver, learned: None, now: T0, repeats };
            let all = render(&message, &context);
            all.iter()
                .map(|r| serde_json::from_slice::<Value>(&r.body).unwrap()["text"].as_str().unwrap().to_owned())
                .collect()
        };
        let (first, again) = (texts(None), texts(Some(1)));
        assert_eq!((&first[0], &first[2]), (&again[0], &again[2]));
        assert_eq!(format!("{}\n(repeat)", first[1]), again[1]);
        assert!(again.iter().all(|t| units(t) <= 4_096));
    }
}
