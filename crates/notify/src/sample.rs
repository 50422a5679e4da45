//! One try outside of every queue, to see whether a receiver works: what is sent, what comes back, without secrets.

use crate::dispatch::{Now, SendTarget, Try};
use crate::format::{RequestContext, render};
use crate::receiver::Receiver;
use crate::transport::Transport;
use barograph_domain::delivery::{Figure, Message, MessageKind, Notice, Phase, fingerprint, message_id};
use barograph_domain::{InstrumentName, Pattern, Severity, Ts};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// What a sample showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleOutcome {
    /// Method and place, as `POST hooks.example…1234`.
    pub request: String,
    /// Name and value; secrets are `…`.
    pub headers: Vec<(String, String)>,
    /// What was sent, of several parts the first.
    pub body: String,
    /// HTTP status; `None`: there was no answer.
    pub status: Option<u16>,
    /// Beginning of the answer, or what failed.
    pub reply: String,
    /// From the request to the answer, in milliseconds.
    pub latency_ms: u32,
    /// Was it taken?
    pub delivered: bool,
}

/// A notice that says it is a sample, made by hand for measurements and tests: what a person has sent is delivered as alerts are, by the
/// program above this crate.
#[must_use]
pub fn notice(now: Ts) -> Notice {
    let instrument = InstrumentName::parse("binance-usdm:BTCUSDT").ok();
    let event = json!({
        "event_type": "FUNDING_ANOMALY", "timestamp": now.iso_millis(), "symbol": "BTC/USDT", "severity": "WARNING",
        "title": "Sample: FUNDING_ANOMALY BTCUSDT", "description": "This is a sample; nothing happened.",
        "source": "FUNDING", "data": {"funding_rate": 0.0012, "funding_z_score": 2.3, "anomaly_score": 42.0, "reasons": []},
    });
    Notice {
        pattern: Some(Pattern::FundingAnomaly),
        source: "FUNDING".to_owned(),
        severity: Severity::Medium,
        instrument,
        symbol: "BTC/USDT".to_owned(),
        title: "Sample: FUNDING_ANOMALY BTCUSDT".to_owned(),
        text: "This is a sample that somebody asked for; nothing happened.".to_owned(),
        figures: vec![Figure {
            name: "funding_zscore_24h".to_owned(),
            value: "2.30σ".to_owned(),
            threshold: "2.00σ".to_owned(),
            number: Some(2.3),
            limit: 2.0,
        }],
        new_entries: "none; this is a sample".to_owned(),
        open_positions: "none; this is a sample".to_owned(),
        path: format!("/m/binance-usdm:BTCUSDT?as_of={now}"),
        event: event.to_string(),
        seed4: event.to_string(),
        ..Notice::bare(MessageKind::Sample, Phase::Happened, format!("sample {}", now.0), now)
    }
}

/// The message of a sample.
#[must_use]
pub fn message(now: Ts) -> Message {
    let notice = notice(now);
    Message { id: message_id(&notice.alert_id), fingerprint: fingerprint("sample"), known_at: now, notice }
}

/// Sends a message once, outside of every queue.
///
/// # Errors
/// When the receiver cannot be used.
pub async fn try_once(
    receiver: Receiver,
    message: Message,
    learned: Option<&str>,
    transport: &Transport,
    now: &Now,
) -> Result<SampleOutcome, String> {
    let target = Arc::new(SendTarget::new(receiver)?);
    let message = Arc::new(message);
    let at = now();
    let parts = render(&message, &RequestContext { receiver: &target.receiver, learned, now: at, repeats: None });
    let first = parts.first();
    let is_call = target.receiver.settings.callback.is_some();
    if first.is_none() && !is_call {
        return Err(format!("format {} has no words for this message", target.receiver.format.name));
    }
    let headers = first.map(|part| target.headers(&message.id, part, at)).unwrap_or_default();
    let shown = headers.iter().map(|(name, value)| {
        let hide = value.is_sensitive();
        (name.to_string(), if hide { "…".to_owned() } else { value.to_str().unwrap_or("…").to_owned() })
    });
    let began = Instant::now();
    let done =
        crate::dispatch::attempt(transport, &target, &message, Try { learned, parts_done: 0, repeats: false }, now)
            .await;
    Ok(SampleOutcome {
        request: if is_call { "call".to_owned() } else { format!("POST {}", target.receiver.shown()) },
        headers: shown.collect(),
        body: first.map(|part| String::from_utf8_lossy(&part.body).into_owned()).unwrap_or_default(),
        status: done.status,
        reply: done.excerpt,
        latency_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
        delivered: done.outcome == crate::plan::Outcome::Delivered,
    })
}
