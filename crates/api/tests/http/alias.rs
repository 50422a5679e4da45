//! The original paths: payloads compared with expected JSON to the last field, and arrays however long.

use super::client::Server;
use super::weather::snapshot;
use super::world::{MINUTES, Trouble, minute, name, points};
use barograph_api::alias::{AliasSnapshot, source_word};
use barograph_domain::snapshot::WireValue;
use barograph_domain::{Metric, RiskRegime, Snapshot, Span};
use serde_json::{Value, json};

fn mapped(change: impl FnOnce(&mut Snapshot)) -> Value {
    let mut s = snapshot(&name("binance-usdm:BTCUSDT"), "default", 125);
    change(&mut s);
    serde_json::to_value(AliasSnapshot::from(&s)).unwrap()
}

/// Minute 125 is a squeeze with every input there and high stop vulnerability.
fn whole() -> Value {
    json!({
        "snapshot_id": snapshot(&name("binance-usdm:BTCUSDT"), "default", 125).snapshot_id,
        "timestamp": "2026-02-05T02:05:00Z",
        "symbol": "BTCUSDT",
        "market_regime": "SQUEEZE_RISK",
        "risk_bias": "CONSERVATIVE",
        "stop_vulnerability": "HIGH",
        "recommended_posture": "REDUCE",
        "explanation_payload": {
            "funding_zscore_24h": 2.125,
            "oi_delta_4h": 0.225,
            "realized_vol_1h": 0.25,
            "logic_version": "v0.1.0+0123456789ab",
            "reasoning": "High funding + rising OI + low vol = squeeze risk"
        },
        "sources_used": ["binance_futures", "hyperliquid-archive"]
    })
}

/// What is tried, what changes in the snapshot, and what then changes in the payload.
type Case = (&'static str, fn(&mut Snapshot), fn(&mut Value));

#[test]
fn a_whole_snapshot_maps_field_by_field() {
    assert_eq!(mapped(|_| {}), whole());
    let cases: &[Case] = &[
        ("chop", |s| s.regimes.risk.label = RiskRegime::ChopRisk, |v| v["market_regime"] = json!("CHOP_RISK")),
        ("high vol", |s| s.regimes.risk.label = RiskRegime::HighVol, |v| v["market_regime"] = json!("HIGH_VOL")),
        ("normal", |s| s.regimes.risk.label = RiskRegime::Normal, |v| v["market_regime"] = json!("NORMAL")),
        (
            "stale, label kept",
            |s| {
                s.explanation.freshness_warning = Some("Data stale (6 minutes old)".into());
                s.regimes.risk.raw_label = RiskRegime::Unknown;
                s.guidance.posture = barograph_domain::Posture::Hold;
            },
            |v| {
                v["explanation_payload"]["freshness_warning"] = json!("Data stale (6 minutes old)");
                v["recommended_posture"] = json!("HOLD");
            },
        ),
        (
            "undefined stop vulnerability",
            |s| s.stop_vulnerability.worst = None,
            |v| {
                v["stop_vulnerability"] = json!("MEDIUM");
                v["explanation_payload"]["defaults_used"] =
                    json!(["stop_vulnerability is undefined: MEDIUM stands in"]);
            },
        ),
        (
            "defaults of the rules come first",
            |s| {
                s.stop_vulnerability.worst = None;
                s.explanation.defaults_used = vec!["fixed limits until there are 14 d of history".into()];
            },
            |v| {
                v["stop_vulnerability"] = json!("MEDIUM");
                v["explanation_payload"]["defaults_used"] = json!([
                    "fixed limits until there are 14 d of history",
                    "stop_vulnerability is undefined: MEDIUM stands in"
                ]);
            },
        ),
        (
            "an undefined number",
            |s| {
                let view = s.explanation.features.get_mut("oi_delta_4h").unwrap();
                view.value = WireValue::Null;
                view.reason = Some("gap");
            },
            |v| {
                v["explanation_payload"]["oi_delta_4h"] = Value::Null;
                v["explanation_payload"]["oi_delta_4h_reason"] = json!("gap");
            },
        ),
        (
            "a number nobody computed",
            |s| {
                s.explanation.features.remove("realized_vol_1h");
            },
            |v| {
                v["explanation_payload"]["realized_vol_1h"] = Value::Null;
                v["explanation_payload"]["realized_vol_1h_reason"] = json!("not_offered");
            },
        ),
        (
            "sources in the original's words, once each",
            |s| {
                s.sources_used =
                    ["binance-usdm", "binance_futures", "bybit", "Some Provider"].map(str::to_owned).to_vec()
            },
            |v| v["sources_used"] = json!(["binance_futures", "bybit", "Some Provider"]),
        ),
    ];
    for (what, change, expect) in cases {
        let mut wanted = whole();
        expect(&mut wanted);
        assert_eq!(mapped(change), wanted, "{what}");
    }
}

#[test]
fn an_unknown_regime_prints_normal_and_says_what_is_missing() {
    let unknown = |n, change: fn(&mut Snapshot)| {
        let mut s = snapshot(&name("binance-usdm:BTCUSDT"), "default", n);
        change(&mut s);
        s.regimes.risk.label = RiskRegime::Unknown;
        let v = serde_json::to_value(AliasSnapshot::from(&s)).unwrap();
        assert_eq!(v["market_regime"], "NORMAL");
        let stands_in = &v["explanation_payload"]["defaults_used"][0];
        assert_eq!(stands_in, "market_regime is UNKNOWN: NORMAL stands in");
        v["explanation_payload"]["freshness_warning"].as_str().unwrap().to_owned()
    };
    // Minute 245 lacks funding and has too little volatility history.
    assert_eq!(
        unknown(245, |_| {}),
        "No reading: missing funding_zscore_24h (missing_input), realized_vol_1h (warming), funding_rate (never seen)"
    );
    assert_eq!(
        unknown(245, |s| s.explanation.freshness_warning = Some("Data stale (130 minutes old)".into())),
        "Data stale (130 minutes old); no reading without funding_zscore_24h (missing_input), \
         realized_vol_1h (warming), funding_rate (never seen)"
    );
    let nothing = |s: &mut Snapshot| {
        s.explanation.trace.clear();
        s.explanation.inputs.clear();
    };
    assert_eq!(unknown(245, nothing), "No reading yet");
    assert_eq!(source_word("binance-usdm"), "binance_futures");
    assert_eq!(source_word("okx"), "okx");
}

#[test]
fn the_snapshot_route_answers_with_and_without_slash() {
    let server = Server::start();
    for path in ["/api/market-context/snapshot/", "/api/market-context/snapshot"] {
        let got = server.json(&format!("{path}?symbol=BTCUSDT&as_of=2026-02-05T02:05:00.200Z"));
        assert_eq!(got, whole(), "{path}: a bare symbol means the default venue");
    }
    // Field order is the original's too.
    let text = server.get("/api/market-context/snapshot/?symbol=BTCUSDT").text();
    let order = [
        "snapshot_id",
        "timestamp",
        "symbol",
        "market_regime",
        "risk_bias",
        "stop_vulnerability",
        "recommended_posture",
        "explanation_payload",
        "sources_used",
    ];
    let places: Vec<usize> = order.iter().map(|f| text.find(&format!("\"{f}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    assert_eq!(server.json("/api/market-context/snapshot/?symbol=bybit:BTCUSDT")["symbol"], "BTCUSDT");
    server.world.set_now(minute(MINUTES - 1) + Span::mins(6));
    let stale = server.json("/api/market-context/snapshot/?symbol=ETHUSDT");
    assert_eq!(stale["explanation_payload"]["freshness_warning"], "Data stale (6 minutes old)");
    assert_eq!((&stale["risk_bias"], &stale["recommended_posture"]), (&json!("CONSERVATIVE"), &json!("HOLD")));
}

#[test]
fn history_is_one_array_however_long() {
    let server = Server::start();
    let day = server.get("/api/market-context/history/?symbol=BTCUSDT&start=2026-02-05&end=2026-02-06");
    assert!(day.whole && day.header("transfer-encoding") == Some("chunked"), "longer than one read");
    let all = day.json();
    assert_eq!(all.as_array().unwrap().len(), 720);
    for (n, got) in (0..).zip(all.as_array().unwrap()) {
        let wanted = AliasSnapshot::from(&snapshot(&name("binance-usdm:BTCUSDT"), "default", n));
        assert_eq!(*got, serde_json::to_value(wanted).unwrap(), "{n}");
    }
    let path = "/api/market-context/history?symbol=BTCUSDT&start=2026-02-05T02:05:00Z&end=2026-02-05T02:07:00Z";
    let two = server.json(path);
    assert_eq!((two.as_array().unwrap().len(), &two[0]), (2, &whole()));
    assert_eq!(server.json("/api/market-context/history/?symbol=BTCUSDT&start=2027-01-01&end=2027-01-02"), json!([]));
    let known = server.json(&format!("{path}&as_of=2026-02-05T02:05:30Z"));
    assert_eq!(known.as_array().unwrap().len(), 1);
}

#[test]
fn metrics_are_three_fields() {
    let server = Server::start();
    let one = server.json(
        "/api/market-context/metrics/?symbol=BTCUSDT&metric_name=funding_rate&start=2026-02-05T00:01:00Z&end=2026-02-05T00:02:00Z",
    );
    assert_eq!(one, json!([{"timestamp": "2026-02-05T00:01:00Z", "value": 1e-6, "source": "binance_futures"}]));
    let all = server.json("/api/market-context/metrics?symbol=BTCUSDT&metric_name=open_interest&start=2026-02-05");
    let got: Vec<f64> = all.as_array().unwrap().iter().map(|p| p["value"].as_f64().unwrap()).collect();
    let id = name("binance-usdm:BTCUSDT");
    let wanted: Vec<f64> = points(&id, Metric::OpenInterest, None).iter().map(|p| p.value.unwrap()).collect();
    assert_eq!(got, wanted);
    assert_eq!(all[1]["source"], "hyperliquid-archive");
    let all = server.json("/api/market-context/metrics?symbol=BTCUSDT&metric_name=funding_rate&start=2026-02-05");
    assert_eq!(all.as_array().unwrap().len(), 720, "more than one read");
}

#[test]
fn a_read_that_fails_midway_breaks_off_instead_of_ending() {
    let server = Server::start();
    server.world.set_trouble(Trouble::BreaksAfter(1));
    let cut = server.get("/api/market-context/history/?symbol=BTCUSDT&start=2026-02-05&end=2026-02-06");
    assert_eq!((cut.status, cut.whole), (200, false));
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err());
    let incidents = server.incidents.lock().unwrap();
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].route, "alias history");
    assert!(incidents[0].detail.contains("secret path is gone"));
}
