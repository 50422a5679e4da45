//! What an answer means (delivery §2.1, §3–§6): what all formats have in common.

use crate::plan::Outcome;
use crate::receiver::Receiver;
use crate::transport::ReceiverReply;
use barograph_domain::{Span, Ts};
use serde_json::Value;

/// What came of a request that was answered.
#[must_use]
pub fn of(receiver: &Receiver, reply: &ReceiverReply, now: Ts) -> Outcome {
    (receiver.format.judge)(reply, rest(receiver.format.rest_in_body, reply, now), receiver)
}

/// What a status means where the format says nothing else of it; `rest` is what the receiver asked for.
pub(crate) fn by_status(status: u16, rest: Option<Span>) -> Outcome {
    match status {
        200..=299 => Outcome::Delivered,
        410 => Outcome::Disable("it answered 410, gone".to_owned()),
        429 => Outcome::RetryAfter(rest.unwrap_or(Span::secs(30))),
        502..=504 => rest.map_or(Outcome::Retry, Outcome::RetryAfter),
        400 | 413 | 422 => Outcome::Reject,
        401 | 403 | 404 => Outcome::Misconfigured(format!("it answered {status}")),
        _ => Outcome::Retry,
    }
}

/// A body as JSON; `null` for what is none.
pub(crate) fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// How long the receiver wants to be left alone: what its body asks for at this place, or its header, whichever is longer.
fn rest(in_body: Option<&str>, reply: &ReceiverReply, now: Ts) -> Option<Span> {
    let in_body = in_body.and_then(|place| json_of(&reply.body).pointer(place).and_then(Value::as_f64));
    let header = reply.headers.get("retry-after").and_then(|v| v.to_str().ok()).map(str::trim);
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
    use crate::format::{FormatDef, alertmanager, discord, slack, standard, telegram};
    use crate::receiver::FormatSettings;
    use crate::testing::T0;
    use hyper::HeaderMap;

    fn judge(format: &'static FormatDef, status: u16, header: &str, body: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert("retry-after", header.parse().unwrap());
        }
        let settings = FormatSettings { chat_id: "1".into(), ..FormatSettings::default() };
        let receiver = Receiver { settings, ..Receiver::new("r", format, "https://hooks.example/x") };
        of(&receiver, &ReceiverReply { status, headers, body: body.to_owned().into(), whole: true }, T0)
    }

    #[test]
    fn answers_mean_what_each_service_means_by_them() {
        let (s, a) = (&standard::STANDARD, &alertmanager::API);
        let (d, k, t) = (&discord::DISCORD, &slack::SLACK, &telegram::TELEGRAM);
        let wrong = |o: &Outcome| matches!(o, Outcome::Misconfigured(_));
        let gone = |o: &Outcome| matches!(o, Outcome::Disable(_));
        let after = |ms: i64| Outcome::RetryAfter(Span::millis(ms));
        let exact = [
            (s, 200, "", "", Outcome::Delivered),
            (s, 204, "", "", Outcome::Delivered),
            (s, 302, "", "", Outcome::Retry),
            (s, 500, "", "", Outcome::Retry),
            (s, 503, "", "", Outcome::Retry),
            (s, 503, "7", "", after(7_000)),
            (s, 429, "7", "", after(7_000)),
            (s, 429, "Thu, 05 Feb 2026 14:36:00 GMT", "", after(60_000)),
            (s, 422, "", "", Outcome::Reject),
            (a, 400, "", "", Outcome::Reject),
            (a, 405, "", "", Outcome::Reject),
            (a, 503, "", "", Outcome::Retry),
            (d, 200, "", "{}", Outcome::Delivered),
            (d, 429, "1", r#"{"retry_after":0.35,"global":false}"#, after(1_000)),
            (d, 429, "", r#"{"retry_after":0.35}"#, after(350)),
            (d, 429, "1", r#"{"retry_after":1.337}"#, after(1_337)),
            (d, 400, "", r#"{"errors":{}}"#, Outcome::Reject),
            (k, 200, "", "ok", Outcome::Delivered),
            (k, 201, "", "ok", Outcome::Retry),
            (k, 200, "", "<html>", Outcome::Retry),
            (k, 400, "", "invalid_blocks", Outcome::Reject),
            (k, 500, "", "rollup_error", Outcome::Retry),
            (k, 429, "3", "", after(3_000)),
            (t, 200, "", r#"{"ok":true}"#, Outcome::Delivered),
            (t, 429, "", r#"{"ok":false,"parameters":{"retry_after":14}}"#, after(14_000)),
            (
                t,
                400,
                "",
                r#"{"ok":false,"parameters":{"migrate_to_chat_id":-100777}}"#,
                Outcome::Learned("1>-100777".into()),
            ),
            (t, 400, "", r#"{"ok":false,"description":"Bad Request"}"#, Outcome::Reject),
        ];
        for (format, status, header, body, want) in exact {
            assert_eq!(judge(format, status, header, body), want, "{format:?} {status} {header} {body}");
        }
        assert!(gone(&judge(s, 410, "", "")) && gone(&judge(d, 404, "", r#"{"code":10015}"#)));
        assert!(gone(&judge(k, 410, "", "channel_is_archived")) && gone(&judge(t, 403, "", "{}")));
        assert!(wrong(&judge(s, 401, "", "")) && wrong(&judge(d, 404, "", r#"{"code":1}"#)));
        assert!(wrong(&judge(k, 404, "", "no_service")));
        assert!(wrong(&judge(t, 400, "", r#"{"ok":false,"description":"Bad Request: chat not found"}"#)));
    }
}
