//! What an answer means (delivery §2.1, §3–§6).

use crate::plan::Outcome;
use crate::receiver::Format;
use barograph_domain::{Span, Ts};
use hyper::HeaderMap;
use serde_json::Value;

/// What came of a request that was answered.
#[must_use]
pub fn of(format: &Format, status: u16, headers: &HeaderMap, body: &[u8], now: Ts) -> Outcome {
    let asked = asked(format, headers, body, now);
    match format {
        Format::Discord => discord(status, body, asked),
        Format::Slack => slack(status, body, asked),
        Format::Telegram { chat_id, .. } => telegram(chat_id, status, body, asked),
        // An Alertmanager's clients drop what it refuses: it would refuse it again.
        Format::AlertmanagerApi if (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 410 | 429) => {
            Outcome::Reject
        }
        Format::Standard
        | Format::Alertmanager
        | Format::AlertmanagerApi
        | Format::Json
        | Format::Seed4
        | Format::Envelope
        | Format::Template { .. }
        | Format::Ntfy
        | Format::Gotify
        | Format::Callback(_) => generic(status, asked),
    }
}

fn generic(status: u16, asked: Option<Span>) -> Outcome {
    match status {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Disable("it answered 410, gone".to_owned()),
        429 => Outcome::RetryAfter(asked.unwrap_or(Span::secs(30))),
        502..=504 => asked.map_or(Outcome::Retry, Outcome::RetryAfter),
        400 | 413 | 422 => Outcome::Reject,
        401 | 403 | 404 => Outcome::Misconfigured(format!("it answered {status}")),
        _ => Outcome::Retry,
    }
}

fn discord(status: u16, body: &[u8], asked: Option<Span>) -> Outcome {
    // 10015: unknown webhook. Somebody has deleted it.
    if status == 404 && json(body)["code"] == 10_015 {
        return Outcome::Disable("Discord does not know this webhook any more".to_owned());
    }
    generic(status, asked)
}

fn slack(status: u16, body: &[u8], asked: Option<Span>) -> Outcome {
    let word = core::str::from_utf8(body).unwrap_or_default().trim();
    match (status, word) {
        (200, "ok") => Outcome::Delivered,
        // Whatever a page in between says, Slack has not taken it.
        (200..=299, _) => Outcome::Retry,
        (410, _) | (_, "channel_is_archived") => Outcome::Disable("Slack's channel is archived".to_owned()),
        (400, "user_not_found" | "invalid_payload" | "invalid_blocks" | "no_text" | "too_many_attachments") => {
            Outcome::Reject
        }
        (_, "invalid_token" | "action_prohibited" | "channel_not_found" | "no_service" | "no_team") => {
            Outcome::Misconfigured(format!("Slack answered {status}, {word}"))
        }
        _ => generic(status, asked),
    }
}

fn telegram(chat_id: &str, status: u16, body: &[u8], asked: Option<Span>) -> Outcome {
    let answer = json(body);
    if let Some(chat) = answer["parameters"]["migrate_to_chat_id"].as_i64() {
        return Outcome::Learned(crate::format::moved(chat_id, chat));
    }
    let says = answer["description"].as_str().unwrap_or_default();
    match status {
        200 if answer["ok"] == true => Outcome::Delivered,
        200..=299 => Outcome::Retry,
        403 => Outcome::Disable("Telegram's bot was blocked or removed from the chat".to_owned()),
        400 if says.contains("chat not found") => Outcome::Misconfigured("Telegram does not find the chat".to_owned()),
        _ => generic(status, asked),
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// How long the receiver wants to be left alone.
fn asked(format: &Format, headers: &HeaderMap, body: &[u8], now: Ts) -> Option<Span> {
    let in_body = match format {
        Format::Discord => json(body)["retry_after"].as_f64(),
        Format::Telegram { .. } => json(body)["parameters"]["retry_after"].as_f64(),
        _ => None,
    };
    let header = headers.get("retry-after").and_then(|v| v.to_str().ok()).map(str::trim);
    let header = header.and_then(|text| match text.parse::<u32>() {
        Ok(seconds) => Some(Span::secs(i64::from(seconds))),
        Err(_no_number) => {
            let date = httpdate::parse_http_date(text).ok()?;
            let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(Ts::from_secs(i64::try_from(since.as_secs()).ok()?) - now)
        }
    });
    #[expect(clippy::cast_possible_truncation, reason = "rounded up, and out of range saturates; the schedule clamps")]
    let of_body =
        in_body.filter(|s| s.is_finite() && *s >= 0.0).map(|s| Span::millis((s.min(1e9) * 1e3).ceil() as i64));
    [of_body, header].into_iter().flatten().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::T0;

    fn judge(format: &Format, status: u16, header: &str, body: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert("retry-after", header.parse().unwrap());
        }
        of(format, status, &headers, body.as_bytes(), T0)
    }

    #[test]
    fn answers_mean_what_each_service_means_by_them() {
        let s = Format::Standard;
        let (d, k) = (Format::Discord, Format::Slack);
        let t = Format::Telegram { chat_id: "1".into(), thread: None };
        let a = Format::AlertmanagerApi;
        let wrong = |o: &Outcome| matches!(o, Outcome::Misconfigured(_));
        let gone = |o: &Outcome| matches!(o, Outcome::Disable(_));
        let after = |ms: i64| Outcome::RetryAfter(Span::millis(ms));
        let exact = [
            (&s, 200, "", "", Outcome::Delivered),
            (&s, 204, "", "", Outcome::Delivered),
            (&s, 302, "", "", Outcome::Retry),
            (&s, 500, "", "", Outcome::Retry),
            (&s, 503, "", "", Outcome::Retry),
            (&s, 503, "7", "", after(7_000)),
            (&s, 429, "7", "", after(7_000)),
            (&s, 429, "Thu, 05 Feb 2026 14:36:00 GMT", "", after(60_000)),
            (&s, 422, "", "", Outcome::Reject),
            (&a, 400, "", "", Outcome::Reject),
            (&a, 405, "", "", Outcome::Reject),
            (&a, 503, "", "", Outcome::Retry),
            (&d, 200, "", "{}", Outcome::Delivered),
            (&d, 429, "1", r#"{"retry_after":0.35,"global":false}"#, after(1_000)),
            (&d, 429, "", r#"{"retry_after":0.35}"#, after(350)),
            (&d, 429, "1", r#"{"retry_after":1.337}"#, after(1_337)),
            (&d, 400, "", r#"{"errors":{}}"#, Outcome::Reject),
            (&k, 200, "", "ok", Outcome::Delivered),
            (&k, 201, "", "ok", Outcome::Retry),
            (&k, 200, "", "<html>", Outcome::Retry),
            (&k, 400, "", "invalid_blocks", Outcome::Reject),
            (&k, 500, "", "rollup_error", Outcome::Retry),
            (&k, 429, "3", "", after(3_000)),
            (&t, 200, "", r#"{"ok":true}"#, Outcome::Delivered),
            (&t, 429, "", r#"{"ok":false,"parameters":{"retry_after":14}}"#, after(14_000)),
            (
                &t,
                400,
                "",
                r#"{"ok":false,"parameters":{"migrate_to_chat_id":-100777}}"#,
                Outcome::Learned("1>-100777".into()),
            ),
            (&t, 400, "", r#"{"ok":false,"description":"Bad Request"}"#, Outcome::Reject),
        ];
        for (format, status, header, body, want) in exact {
            assert_eq!(judge(format, status, header, body), want, "{format:?} {status} {header} {body}");
        }
        assert!(gone(&judge(&s, 410, "", "")) && gone(&judge(&d, 404, "", r#"{"code":10015}"#)));
        assert!(gone(&judge(&k, 410, "", "channel_is_archived")) && gone(&judge(&t, 403, "", "{}")));
        assert!(wrong(&judge(&s, 401, "", "")) && wrong(&judge(&d, 404, "", r#"{"code":1}"#)));
        assert!(wrong(&judge(&k, 404, "", "no_service")));
        assert!(wrong(&judge(&t, 400, "", r#"{"ok":false,"description":"Bad Request: chat not found"}"#)));
    }
}
