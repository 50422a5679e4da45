//! What verdicts and stops say over the whole built-in history: a word that nearly always comes out says nothing.

use crate::support::Place;
use crate::support::data::shipped;
use crate::support::http::Server;
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const MARKETS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

#[derive(Default)]
struct Counts(BTreeMap<String, u32>);

impl Counts {
    fn note(&mut self, word: &Value) {
        *self.0.entry(word.as_str().unwrap_or("none").to_owned()).or_default() += 1;
    }
    fn shares(&self) -> BTreeMap<&str, f64> {
        let n = f64::from(self.0.values().sum::<u32>());
        self.0.iter().map(|(word, count)| (word.as_str(), f64::from(*count) / n)).collect()
    }
    fn all_within(&self, words: &[&str], band: core::ops::RangeInclusive<f64>) {
        let shares = self.shares();
        for word in words {
            assert!(shares.get(word).is_some_and(|s| band.contains(s)), "{word} is outside {band:?}: {shares:?}");
        }
    }
}

/// Every nineteenth hour: all hours of the day come round.
#[test]
fn each_verdict_and_each_word_for_stops_says_something_over_real_hours() {
    check(Span::hours(19), 0.06);
}

#[test]
#[ignore = "takes minutes: cargo test --package barograph --test e2e -- --ignored over_every_real_hour"]
fn each_verdict_comes_as_often_as_is_said_over_every_real_hour() {
    check(Span::hours(1), 0.01);
}

/// Asks so often on both sides of three markets; a verdict comes as often as it says, to within `near`.
#[expect(clippy::print_stderr, reason = "what was measured is shown, as the base rates are written from it")]
fn check(every: Span, near: f64) {
    let place = Place::new();
    place.ok(&format!("collect --source {} --data data", shipped().display()));
    let server = Server::start(&place, "data");
    let (mut verdicts, mut sides, mut both) = (Counts::default(), Counts::default(), Counts::default());
    let (mut rates, mut confidence): (BTreeMap<String, f64>, Vec<u64>) = (BTreeMap::new(), Vec::new());
    for market in MARKETS {
        // A week in: the word for stops has history of its own from there on.
        let mut at = Ts::parse("2025-12-15T00:05:00Z").unwrap();
        while at < Ts::parse("2026-03-05T09:00:00Z").unwrap() {
            let context = server.json(&format!("/api/v1/markets/binance-usdm:{market}/context?as_of={at}"));
            let stops = &context["stop_vulnerability"];
            both.note(&stops["worst"]);
            for side in ["long", "short"] {
                sides.note(&stops[side]);
                let body = json!({"symbol": market, "side": side, "entry": context["price"]});
                let advice = server.send("POST", &format!("/api/v1/advice?as_of={at}"), &body).json();
                verdicts.note(&advice["verdict"]);
                let word = advice["verdict"].as_str().unwrap().to_owned();
                let said = advice["verdict_base_rate_text"].as_str().unwrap();
                assert!(said.starts_with(&format!("{word} in ")) && said.contains(" of hours"), "{said}");
                rates.insert(word, advice["verdict_base_rate"].as_f64().unwrap());
                let parameters = &advice["parameters"];
                assert!(
                    parameters["confidence"].is_null() != parameters["confidence_reason"].is_null(),
                    "a confidence or a reason: {parameters}"
                );
                confidence.extend(parameters["confidence"].as_f64().map(f64::to_bits));
                let target = &advice["target"];
                let nominal = advice["parameters"]["risk_reward_ratio"].as_f64().unwrap();
                assert!(target["effective_rr"].as_f64().unwrap() >= 0.5 * nominal - 1e-9, "{advice}");
                assert!(target["text"].as_str().unwrap().contains("times the risk"), "{target}");
            }
            at = at + every;
        }
    }
    for (what, counts) in [("verdicts", &verdicts), ("stops by side", &sides), ("stops in one word", &both)] {
        eprintln!("{what}: {:.3?}", counts.shares());
    }
    verdicts.all_within(&["ALLOW", "CAUTION", "AVOID"], 0.10..=0.70);
    sides.all_within(&["LOW", "MEDIUM", "HIGH"], 0.25..=0.42);
    // The worse of two is low only where both are.
    both.all_within(&["LOW", "MEDIUM", "HIGH"], 0.20..=0.45);
    for (word, rate) in rates {
        let measured = verdicts.shares()[word.as_str()];
        assert!((rate - measured).abs() <= near, "{word} is said to come out in {rate} of hours: {measured}");
    }
    confidence.sort_unstable();
    confidence.dedup();
    assert!(confidence.len() >= 4, "a confidence that never moves says nothing: {confidence:?}");
}
