//! Statistical models over files: off unless asked for, the same whatever the way, and nothing else changes by them.

use crate::support::{Place, hash_line, json_lines};
use serde_json::Value;

/// The built-in history of one market, 88 days of hours.
fn history() -> String {
    crate::support::data::shipped().join("binance-usdm/BTCUSDT").display().to_string()
}

fn snapshots(place: &Place, line: &str) -> Vec<Value> {
    json_lines(&place.ok(line)).into_iter().filter(|l| l["type"] == "snapshot").collect()
}

#[test]
fn models_stand_beside_the_rules_when_they_are_asked_for() {
    let place = Place::new();
    let line = format!("replay {} --json --every 3600s", history());
    let (off, on) = (snapshots(&place, &line), snapshots(&place, &format!("{line} --models on")));
    assert!(off.len() == on.len() && on.len() > 2_000, "{} and {}", off.len(), on.len());
    let (mut states, mut changes) = (std::collections::BTreeSet::new(), 0);
    for (mut a, mut b) in off.into_iter().zip(on) {
        assert!(a["models"].is_null() && a["not_available"].as_array().unwrap().contains(&"models".into()));
        let models = b["models"].as_array().unwrap().clone();
        let (hmm, bocpd) = (&models[0], &models[1]);
        assert_eq!((&hmm["classifier"], &bocpd["classifier"]), (&"hmm".into(), &"bocpd".into()));
        for model in &models {
            assert_eq!((&model["role"], &model["calibration"]), (&"shadow".into(), &"uncalibrated".into()));
            assert_eq!(model["state"].is_null(), model["reason"].is_string(), "{model}");
        }
        if let Some(state) = hmm["state"].as_str() {
            states.insert(state.to_owned());
            let p = hmm["probability"].as_f64().unwrap();
            assert!(p > 0.33 && p <= 1.0 && hmm["probabilities"][state].as_f64() == Some(p), "{hmm}");
            assert!(hmm["expected_remaining_s"].as_i64().unwrap() >= 3_600 && hmm["age_s"].as_i64().unwrap() >= 0);
            assert!(hmm["fitted_until"].as_str().unwrap() < b["ts"].as_str().unwrap(), "{hmm}");
            assert_eq!(hmm["parameters"].as_str().unwrap().len(), 12);
        }
        changes += usize::from(bocpd["state"] == "RECENT_CHANGE");
        // Everything else stays, the id too.
        for snapshot in [&mut a, &mut b] {
            snapshot.as_object_mut().unwrap().retain(|key, _| key != "models" && key != "not_available");
        }
        assert_eq!(a, b);
    }
    assert_eq!(states.into_iter().collect::<Vec<_>>(), ["HIGH", "LOW", "MID"]);
    assert!((5..200).contains(&changes), "{changes} hours of recent change in three months");
}

#[test]
fn models_are_the_same_whatever_the_way() {
    let place = Place::new();
    let hash = |line: &str| hash_line(&place.ok(&format!("replay {} --hash {line}", history())));
    let on = hash("--models on");
    assert_ne!(on, hash(""), "they are part of what a run makes");
    for line in ["--models on --json --every 86400s", "--models BTC/USDT", "--models binance-usdm:BTCUSDT,ETHUSDT"] {
        assert_eq!(hash(line), on, "{line}");
    }
    for line in ["--models off", "--models auto", "--models ETHUSDT"] {
        assert_eq!(hash(line), hash(""), "{line}");
    }
    place.write("barograph.toml", "models = [\"BTCUSDT\"]\n");
    assert_eq!(hash(""), on);
    place
        .run(&format!("replay {} --models ,", history()))
        .exits(2)
        .says("models")
        .says("write auto, on, off or symbols");
}

#[test]
fn stored_models_are_read_back_and_told_in_one_line() {
    let place = Place::new();
    place.ok(&format!("replay {} --models on --data stored", history()));
    // A minute is known 200 ms after its end.
    let (minute, at) = ("2026-02-05T18:00:00Z", "2026-02-05T18:00:30Z");
    let stored = place.ok(&format!("context BTCUSDT --data stored --as-of {at} --json"));
    let stored: Value = serde_json::from_str(&stored).unwrap();
    let line = format!("replay {} --models on --json --from {minute} --until 2026-02-05T18:01:00Z", history());
    let direct = &snapshots(&place, &line)[0];
    assert!(stored["models"][0]["state"].is_string());
    assert_eq!(stored["models"], direct["models"]);
    let text = place.ok(&format!("context BTCUSDT --data stored --as-of {at}"));
    let line = text.lines().find(|l| l.starts_with(" models ")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("hourly volatility high") && text.contains("uncalibrated"), "{text}");
}

#[test]
fn models_are_causal_and_deterministic() {
    let place = Place::new();
    place.write("barograph.toml", "models = \"on\"\n");
    place.run(&format!("verify causality {} -n 3", history())).exits(0).prints("rewritten readings: 0 of");
    place.run(&format!("verify determinism {}", history())).exits(0).prints("equal: ");
}
