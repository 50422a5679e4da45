//! Collect, compute, classify and watch: seeded markets that end now or a while ago (R1.83, R1.84, R1.50 to R1.53).

use crate::support::data::{Mood, market, now, slice};
use crate::support::http::Server;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::Value;

/// A little more than a day, which the funding of a day needs.
const DAY: Span = Span::hours(26);

/// A collected market whose last candle closed `ago` before the last whole five minutes, when everything was measured.
fn collected(place: &Place, symbol: &str, mood: Mood, ago: Span) -> Ts {
    let end = now().floor(Span::mins(5)) - ago;
    market(&place.path(&format!("in-{symbol}")), symbol, mood, (end - DAY, end));
    let done = place.run(&format!("collect_derivatives_metrics --symbol {symbol} --source in-{symbol} --data data"));
    done.exits(0).says(" 0 of ").says("minutes of 1 market computed");
    end
}

fn context(place: &Place, symbol: &str) -> Value {
    let line = format!("generate_market_context --symbol {symbol} --json --data data");
    json_lines(&place.ok(&line)).remove(0)
}

/// Mood, rule book, label, rule text, posture.
const LABELS: &[(Mood, &str, &str, &str, &str)] = &[
    (Mood::Calm, "seed1-strict", "NORMAL", "No extremes detected, standard market conditions", "NORMAL"),
    (Mood::Crowded, "seed1-strict", "SQUEEZE_RISK", "High funding + rising OI + low vol = squeeze risk", "REDUCE"),
    (Mood::Wild, "seed1-strict", "HIGH_VOL", "Extreme volatility = higher risk of stop-outs and slippage", "REDUCE"),
    (Mood::Choppy, "seed1-strict", "CHOP_RISK", "High vol + flat OI = noise, not trend", "HOLD"),
    (Mood::Calm, "default", "NORMAL", "No extremes detected, standard market conditions", "NORMAL"),
    (Mood::Crowded, "default", "SQUEEZE_RISK", "High funding + rising OI + low vol = squeeze risk", "REDUCE"),
    (Mood::Wild, "default", "HIGH_VOL", "Extreme volatility = higher risk of stop-outs and slippage", "REDUCE"),
    (Mood::Crowded, "absolute", "SQUEEZE_RISK", "High funding + rising OI + low vol = squeeze risk", "REDUCE"),
];

#[test]
fn points_become_features_become_a_label() {
    for (mood, book, label, text, posture) in LABELS {
        let place = Place::new();
        place.write("barograph.toml", &format!("book = \"{book}\"\n"));
        collected(&place, "BTCUSDT", *mood, Span::ZERO);
        let snapshot = context(&place, "BTCUSDT");
        let what = format!("{mood:?} under {book}: {}", snapshot["explanation"]["reasoning"]);
        assert_eq!(snapshot["regimes"]["risk"]["label"], *label, "{what}");
        assert_eq!(snapshot["explanation"]["rule_text"], *text, "{what}");
        assert_eq!(snapshot["guidance"]["posture"], *posture, "{what}");
        assert_eq!(snapshot["book"], *book);
        // The features are what was put into the market.
        let feature = |id: &str| snapshot["explanation"]["features"][id]["value"].as_f64().unwrap();
        let volatility = match mood {
            Mood::Calm | Mood::Crowded => 0.2,
            Mood::Wild => 1.6,
            Mood::Choppy => 0.65,
        };
        assert!((feature("realized_vol_1h") / volatility - 1.0).abs() < 0.01, "{what}");
        let crowded = *mood == Mood::Crowded;
        assert_eq!(feature("funding_zscore_24h") > 2.0, crowded, "{what}");
        assert_eq!(feature("oi_delta_4h") > 0.1, crowded, "{what}");
        for id in ["realized_vol_1h", "funding_zscore_24h", "oi_delta_4h"] {
            assert_eq!(snapshot["explanation"]["features"][id]["kind"], "measured", "{id}");
        }
        // Every stage has left its output, and the command that watches them is content.
        let counts = &json_lines(&place.ok("db check --json --data data"))[0]["counts"];
        for stage in ["points", "rows", "label changes", "runs", "imports"] {
            assert!(counts[stage].as_u64().unwrap() > 0, "{stage}: {counts}");
        }
        place.run("monitor_context_freshness --threshold 600 --data data").exits(0).prints("fresh");
    }
}

#[test]
fn fresh_data_is_called_fresh() {
    let place = Place::new();
    // To the last whole minute, as a running collector leaves it.
    let end = now() - Span::secs(10);
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (end - DAY, end));
    place.ok("collect --source in --data data");
    let done = place.run("monitor_context_freshness --threshold 300 --data data").exits(0);
    assert_eq!(done.out.matches("fresh").count(), done.out.lines().count(), "{}", done.out);
    let lines = json_lines(&place.run("freshness --threshold 300 --json --data data").exits(0).out);
    let whats: Vec<&str> = lines.iter().map(|l| l["what"].as_str().unwrap()).collect();
    assert_eq!(whats, ["snapshot", "mark_price", "funding_rate", "open_interest"]);
    for line in &lines {
        assert!((0..600).contains(&line["age_s"].as_i64().unwrap()), "{line}");
        assert_eq!(line["stale"], false);
    }
    let snapshot = context(&place, "BTCUSDT");
    assert!((0..120).contains(&snapshot["age_s"].as_i64().unwrap()), "{}", snapshot["age_s"]);
    assert_eq!(snapshot["regimes"]["risk"]["stale"], false);
    assert!(snapshot["explanation"]["freshness_warning"].is_null());
    assert_eq!(snapshot["explanation"]["stale_metrics"], serde_json::json!([]));
    assert!(snapshot["explanation"]["inputs"].as_array().unwrap().iter().all(|i| i["stale"] == false));
    assert_eq!(snapshot["guidance"]["risk_bias"], "NEUTRAL");
    let text = place.ok("context BTCUSDT --data data");
    assert!(!text.contains("stale") && text.contains("NORMAL ○"), "{text}");
    // The same over HTTP, in both shapes.
    let server = Server::start(&place, "data");
    let market = &server.json("/api/v1/markets")["items"][0];
    assert!(market["age_s"].as_i64().unwrap() >= 0, "{market}");
    let original = server.json("/api/market-context/snapshot/?symbol=BTCUSDT");
    assert!(original["explanation_payload"].get("freshness_warning").is_none(), "{original}");
    assert_eq!((&original["risk_bias"], &original["market_regime"]), (&"NEUTRAL".into(), &"NORMAL".into()));
}

/// Mood and rule book, minutes since the end (less than five more), whether the last label is still shown, posture.
const STALE: &[(Mood, &str, i64, bool, &str)] = &[
    (Mood::Calm, "default", 15, true, "HOLD"),
    (Mood::Crowded, "default", 15, true, "REDUCE"),
    (Mood::Wild, "default", 30, true, "REDUCE"),
    (Mood::Calm, "seed1-strict", 15, true, "HOLD"),
    (Mood::Wild, "seed1-strict", 15, true, "HOLD"),
    (Mood::Calm, "default", 200, false, "HOLD"),
    (Mood::Wild, "default", 200, false, "HOLD"),
];

#[test]
fn stale_data_is_called_stale_and_makes_careful() {
    for (mood, book, minutes, shown, posture) in STALE {
        let place = Place::new();
        place.write("barograph.toml", &format!("book = \"{book}\"\n"));
        let end = collected(&place, "BTCUSDT", *mood, Span::mins(*minutes));
        let case = format!("{mood:?} under {book}, {minutes} min ago");
        let done = place.run("monitor_context_freshness --threshold 300 --data data").exits(1);
        assert_eq!(done.out.matches("stale").count(), 4, "{case}: {}", done.out);
        let done = done.says("barograph: 4 of 4 are older than 5 min");
        assert_eq!(done.err.lines().count(), 1, "{}", done.err);
        place.run("monitor_context_freshness --threshold 20000 --data data").exits(0);
        let before = (now() - end).as_secs() / 60;
        let snapshot = context(&place, "BTCUSDT");
        let after = (now() - end).as_secs() / 60;
        let explanation = &snapshot["explanation"];
        let warning = explanation["freshness_warning"].as_str().unwrap();
        let said = (before..=after).any(|n| warning == format!("Data stale ({n} minutes old)"));
        assert!(said, "{case}: '{warning}', not {before} to {after}");
        assert_eq!(snapshot["guidance"]["risk_bias"], "CONSERVATIVE", "{case}");
        assert_eq!(snapshot["guidance"]["posture"], *posture, "{case}");
        assert_eq!(snapshot["regimes"]["risk"]["stale"], true, "{case}");
        let label = match (shown, mood) {
            (false, _) => "UNKNOWN",
            (true, Mood::Calm) => "NORMAL",
            (true, Mood::Wild) => "HIGH_VOL",
            (true, Mood::Crowded) => "SQUEEZE_RISK",
            (true, Mood::Choppy) => "CHOP_RISK",
        };
        assert_eq!(snapshot["regimes"]["risk"]["label"], label, "{case}: {}", explanation["reasoning"]);
        let metrics: Vec<&str> =
            explanation["stale_metrics"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
        for metric in ["mark_price", "funding_rate", "open_interest"] {
            assert!(metrics.contains(&metric), "{case}: {metrics:?}");
        }
        let text = place.ok("context BTCUSDT --data data");
        assert!(text.contains("stale") && text.contains("bias CONSERVATIVE"), "{case}: {text}");
        // What was published then was confident, and stays so.
        let then =
            json_lines(&place.ok(&format!("context BTCUSDT --as-of {} --json --data data", end + Span::secs(30))));
        assert!(then[0]["explanation"]["freshness_warning"].is_null(), "{case}");
    }
}

/// Seconds after the last mark, and what is said of the age then: the limit is five minutes, to the second.
const WARNED: &[(i64, Option<&str>)] = &[
    (90, None),
    (300, None),
    (301, Some("Data stale (5 minutes old)")),
    (360, Some("Data stale (6 minutes old)")),
    (899, Some("Data stale (14 minutes old)")),
];

#[test]
fn the_warning_is_that_of_the_moment_asked_for() {
    let place = Place::new();
    let end = collected(&place, "BTCUSDT", Mood::Calm, Span::mins(30));
    let server = Server::start(&place, "data");
    for (seconds, warning) in WARNED {
        let moment = end + Span::secs(*seconds);
        let snapshot = json_lines(&place.ok(&format!("context BTCUSDT --as-of {moment} --json --data data"))).remove(0);
        assert_eq!(snapshot["explanation"]["freshness_warning"].as_str(), *warning, "{seconds} s");
        let careful = snapshot["guidance"]["risk_bias"] == "CONSERVATIVE" && snapshot["guidance"]["posture"] == "HOLD";
        assert_eq!(careful, warning.is_some(), "{seconds} s: {}", snapshot["guidance"]);
        assert_eq!(server.json(&format!("/api/v1/markets/BTCUSDT/context?as_of={moment}")), snapshot, "{seconds} s");
    }
}

#[test]
fn each_market_is_judged_by_itself() {
    let place = Place::new();
    collected(&place, "BTCUSDT", Mood::Calm, Span::ZERO);
    collected(&place, "ETHUSDT", Mood::Calm, Span::mins(40));
    for (line, code) in [
        ("monitor_context_freshness --threshold 600 --symbol BTCUSDT", 0),
        ("monitor_context_freshness --threshold 600 --symbol ETHUSDT", 1),
        ("freshness binance-usdm:ETHUSDT --threshold 600", 1),
        ("freshness --threshold 600", 1),
        ("freshness --threshold 2h", 0),
    ] {
        place.run(&format!("{line} --data data")).exits(code);
    }
    place.run("freshness --threshold 600 --data data").exits(1).says("4 of 8 are older than 10 min");
}

#[test]
fn nothing_at_all_is_not_fresh() {
    let place = Place::new();
    place.ok("db migrate --data data");
    for line in ["monitor_context_freshness --threshold 300 --data data", "freshness --data data"] {
        let done = place.run(line).exits(1).says("no MetricPoint data found");
        assert!(done.out.is_empty(), "{}", done.out);
    }
    place.run("context BTCUSDT --data data").exits(2).says("there is no MetricPoint data in the data folder");
    // A market of which an input never came is not fresh, however young the rest; spot markets have none to come.
    let end = now() - Span::secs(10);
    for (venue, code) in [("binance-usdm", 1), ("binance-spot", 0)] {
        let place = Place::new();
        market(&place.path("in"), "BTCUSDT", Mood::Calm, (end - Span::hours(3), end));
        place.ok(&format!("collect --source in/BTCUSDT/BTCUSDT-1m.csv --venue {venue} --data data"));
        let done = place.run("freshness --data data").exits(code);
        assert_eq!(done.out.matches("never seen  stale").count(), if code == 1 { 2 } else { 0 }, "{}", done.out);
        if code == 1 {
            done.says("2 of 4 are older than 5 min or were never seen");
        }
    }
    // Points whose context is another book's.
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-03", "2026-02-05");
    place.ok("collect --source in --data data");
    place.run("freshness --data data --book absolute").exits(1).says("with rule book default, not with 'absolute'");
}

#[test]
fn a_running_collector_keeps_the_context_fresh() {
    let place = Place::new();
    let start = now() - Span::hours(7);
    let grow = |end: Ts| market(&place.path("in"), "BTCUSDT", Mood::Calm, (start, end));
    grow(now() - Span::mins(40));
    let mut collect = place.start("collect_derivatives_metrics --continuous --interval 1 --source in --data data");
    collect.err.wait_for("minutes of 1 market computed");
    place.run("freshness --data data").exits(1);
    grow(now() - Span::secs(10));
    collect.err.wait_for("minutes of 1 market computed");
    place.run("freshness --data data").exits(0);
    assert_eq!(context(&place, "BTCUSDT")["regimes"]["risk"]["stale"], false);
    assert!(collect.kill(), "it had ended: {}", collect.err.text());
}
