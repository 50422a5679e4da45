//! What followed similar moments: calls in a context are those of the ledger, advice takes its confidence from them, and nothing of them
//! changes with what comes later.

use crate::support::data::slice;
use crate::support::{Place, json_lines};
use serde_json::Value;

const AT: &str = "2026-02-05T18:02:00Z";

fn imported(until: &str) -> Place {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2025-12-10", until);
    place.ok("collect --source in --data data");
    place
}

fn one(text: &str) -> Value {
    json_lines(text).remove(0)
}

#[test]
fn a_context_carries_the_calls_of_the_tick_before_it_and_later_data_change_none() {
    let place = imported("2026-02-06");
    let ask = format!("context BTCUSDT --data data --json --as-of {AT}");
    let context = one(&place.ok(&ask));
    let calls = &context["calls"];
    assert_eq!(calls["ts"], "2026-02-05T18:00:00Z");
    let events = calls["events"].as_array().unwrap();
    assert_eq!(events.len(), 8, "{events:?}");
    for call in events {
        let stated = !call["probability"].is_null() || !call["classes"].is_null();
        assert_ne!(stated, !call["abstain_reason"].is_null(), "a number or a reason: {call}");
        let id = call["event_id"].as_str().unwrap();
        let line = format!(
            "forecasts --data data --json --market BTCUSDT --event {id} --from 2026-02-05T18:00:00Z --to 2026-02-05T18:05:00Z"
        );
        let registered = one(&place.ok(&line));
        let near = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-4,
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(near(&call["probability"], &registered["probability"]), "{call} is not {registered}");
        assert_eq!(call["cases"], registered["cases"], "{call} is not {registered}");
    }
    let risk = &context["regimes"]["risk"];
    assert_eq!((&risk["event_id"], &risk["probability"]), (&context["event_id"], &context["probability"]));
    assert_eq!(risk["confidence_kind"], if risk["probability"].is_null() { "heuristic" } else { "calibrated" });
    let reasoning = context["explanation"]["reasoning"].as_str().unwrap();
    assert!(reasoning.contains(calls["sentence"].as_str().unwrap()), "{reasoning}");
    assert!(!context["not_available"].as_array().unwrap().iter().any(|f| f == "calls" || f == "probability"));

    let similar = one(&place.ok(&format!("similar BTCUSDT --data data --json --as-of {AT}")));
    assert_eq!((&similar["moments"], similar["episodes"].as_array().map(Vec::len)), (&50.into(), Some(3)));
    for episode in similar["episodes"].as_array().unwrap() {
        assert!(episode["ts"].as_str().unwrap() <= "2026-02-04T18:02:00Z", "its next day was not over: {episode}");
    }
    let text = place.ok(&format!("similar BTCUSDT --data data --as-of {AT}"));
    assert!(text.lines().all(|l| l.chars().count() <= 80) && text.contains("most similar"), "{text}");

    let longer = imported("2026-02-12");
    assert_eq!(one(&longer.ok(&ask)), context, "what came later changes nothing");
    assert_eq!(one(&longer.ok(&format!("similar BTCUSDT --data data --json --as-of {AT}"))), similar);
}

#[test]
fn advice_has_a_frequency_or_a_reason_and_little_history_is_said() {
    let place = imported("2026-02-06");
    for (at, calibrated) in [("2025-12-11T12:02:00Z", false), (AT, true)] {
        let line = format!("advise BTCUSDT --data data --side long --entry 65000 --confirm --json --as-of {at}");
        let parameters = one(&place.run(&line).out)["parameters"].clone();
        assert_eq!(parameters["confidence"].is_number(), calibrated, "{at}: {parameters}");
        assert_eq!(parameters["confidence_reason"].is_null(), calibrated, "{at}: {parameters}");
        let kind = if calibrated { "calibrated" } else { "not_available" };
        assert_eq!(parameters["confidence_kind"], kind, "{at}");
    }
    let young = one(&place.ok("similar BTCUSDT --data data --json --as-of 2025-12-14T12:02:00Z"));
    assert_eq!((&young["moments"], young["episodes"].as_array().map(Vec::len)), (&0.into(), Some(0)));
    assert!(young["sentence"].as_str().unwrap().starts_with("Too little history"), "{young}");
}
