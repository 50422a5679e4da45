//! A sample for a receiver: an alert like any other, found by the detectors in made-up readings and written by the function that
//! writes real ones, so that a program sees the shape of what it will get. Every text says that it is a sample.

use super::notice::of_event;
use barograph_domain::delivery::{Message, MessageKind, Phase, fingerprint, message_id};
use barograph_domain::{Alert, Cell, InstrumentName, Kind, KnownAlert, Pattern, Posture, RiskBias, Span, Ts};
use barograph_engine::detect::{Inputs, Surveillance, Thresholds};
use barograph_engine::explain::{Care, Minute};
use barograph_query::events::view;

/// Whose it would be.
const MARKET: &str = "binance-usdm:BTCUSDT";
const SAMPLE_NOTE: &str = "This is a sample that somebody asked for; nothing happened.";
const NOTHING: &str = "none; this is a sample";

/// The message of a sample at a moment; `None` where the detectors find nothing in readings far beyond their limits.
#[must_use]
pub fn sample(now: Ts) -> Option<Message> {
    let instrument = InstrumentName::parse(MARKET).ok()?;
    let thresholds = Thresholds::default();
    let ts = now.floor(Span::mins(1));
    let known = KnownAlert { known_at: now, alert: anomaly(ts, &thresholds)? };
    let minute = Minute {
        headline: "Sample: a market as usual, +0.3 % in 24 h.".to_owned(),
        care: Care {
            by_table: true,
            bias: RiskBias::Neutral,
            posture: Posture::Reduce,
            new_entries: NOTHING.to_owned(),
            open_positions: NOTHING.to_owned(),
        },
        label: None,
        told: None,
    };
    let mut event = view(&instrument, "sample", &known, thresholds.keep, Some(&minute));
    event.title = format!("Sample: {}", event.title);
    event.description = format!("{SAMPLE_NOTE} {}", event.description);
    event.explanation.clone_from(&event.description);
    let mut message = of_event(&instrument, &event, &known, thresholds.keep, Some(&minute));
    let notice = &mut message.notice;
    // Nobody waits for its end.
    (notice.kind, notice.phase) = (MessageKind::Sample, Phase::Happened);
    notice.text = format!("{SAMPLE_NOTE} {}", notice.text);
    message.id = message_id(&format!("sample|{}", now.0));
    message.fingerprint = fingerprint("sample");
    Some(message)
}

/// What is found where funding is far from its day.
fn anomaly(ts: Ts, thresholds: &Thresholds) -> Option<Alert> {
    let cell = |x| Cell::ready_at(x, ts, Kind::Measured);
    let inputs = Inputs {
        funding_rate: cell(0.0012),
        funding_zscore: cell(2.3),
        funding_pct: cell(0.98),
        funding_change: cell(0.0003),
        funding_volatility: cell(0.0002),
        ..Inputs::nothing(ts)
    };
    let mut found = Vec::new();
    Surveillance::default().step(&inputs, thresholds, &mut found);
    found.into_iter().find(|alert| alert.pattern == Pattern::FundingAnomaly)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::delivery::Notice;
    use barograph_engine::detect::plain::{FundingPoint, detect_funding_anomalies};
    use barograph_notify::format::plain::{ENVELOPE, JSON, SEED4};
    use barograph_notify::format::standard::STANDARD;
    use barograph_notify::format::{FormatDef, RequestContext, render};
    use barograph_notify::receiver::Receiver;
    use serde_json::Value;
    use std::collections::BTreeSet;

    const NOW: Ts = Ts::from_civil(2026, 2, 5, 14, 35, 0);

    fn body(format: &'static FormatDef, message: &Message) -> Value {
        let receiver = Receiver::new("r", format, "https://hooks.example/x");
        let context = RequestContext { receiver: &receiver, learned: None, now: NOW, repeats: None };
        serde_json::from_slice(&render(message, &context)[0].body).unwrap()
    }

    /// Every key with its place, `[]` for what stands in a list.
    fn keys(value: &Value, at: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, v)| {
                let place = format!("{at}/{name}");
                out.insert(place.clone());
                keys(v, &place, out);
            }),
            Value::Array(list) => list.iter().for_each(|v| keys(v, &format!("{at}/[]"), out)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// An alert of a list of observations, written as the live process writes it.
    fn real() -> Message {
        let rate = |hour: i64| if hour < 40 { 0.000_1 + 0.000_01 * f64::from(u8::from(hour % 2 == 0)) } else { 0.002 };
        let point = |hour: i64| FundingPoint { ts: NOW + Span::hours(hour), rate: rate(hour), interval_h: 8.0 };
        let points: Vec<FundingPoint> = (0..42).map(point).collect();
        let alert = detect_funding_anomalies(&points, &Thresholds::floors()).remove(0);
        let instrument = InstrumentName::parse("binance-usdm:ETHUSDT").unwrap();
        let known = KnownAlert { known_at: alert.ts, alert };
        super::super::notice::of_alert(&instrument, "v1", &known, 0.9, None)
    }

    #[test]
    fn a_sample_has_the_shape_of_what_is_sent() {
        let (sample, real) = (sample(NOW).unwrap(), real());
        for format in [&JSON, &STANDARD, &SEED4, &ENVELOPE] {
            let of = |message: &Message| {
                let mut found = BTreeSet::new();
                keys(&body(format, message), "", &mut found);
                found
            };
            assert_eq!(of(&sample), of(&real), "{}", format.name);
        }
        let Notice { kind, title, text, .. } = &sample.notice;
        assert_eq!((*kind, title.as_str()), (MessageKind::Sample, "BTCUSDT: Sample: Funding anomaly, 2.3σ"));
        assert!(text.starts_with(SAMPLE_NOTE), "{text}");
        let said = body(&JSON, &sample);
        assert!(
            said["description"].as_str().unwrap().starts_with(SAMPLE_NOTE)
                && said["title"] == "Sample: Funding anomaly"
        );
    }
}
