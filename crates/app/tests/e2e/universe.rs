//! Three markets beside each other: hours computed from stored minutes, however they came in; the same over HTTP and on the
//! command line; as of a moment; a basket judged as one.

use crate::support::data::{Mood, market, now, shipped, slice};
use crate::support::http::Server;
use crate::support::{Place, json_lines};
use barograph_domain::Span;
use serde_json::{Value, json};

const MARKETS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];
const FROM: &str = "2026-01-29";
const UNTIL: &str = "2026-02-07";
/// The evening of the crash.
const HOUR: &str = "2026-02-05T18:00:00Z";

fn imported() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, FROM, UNTIL);
    place.ok("collect --source in --data data");
    place
}

/// The hash over all content.
fn hash(place: &Place) -> String {
    place.ok("db check --hash --data data").lines().last().unwrap().to_owned()
}

/// Closes of the shipped candles, by the hour they close at.
fn closes(symbol: &str) -> Vec<(String, f64)> {
    let path = shipped().join("binance-usdm").join(symbol).join("candles_1h.csv.zst");
    let text = String::from_utf8(zstd::decode_all(std::fs::read(path).unwrap().as_slice()).unwrap()).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at = header.iter().position(|c| *c == "close").unwrap();
    let cell = |line: &str, n: usize| line.split(',').nth(n).unwrap().to_owned();
    text.lines().skip(1).map(|l| (cell(l, 0), cell(l, at).parse().unwrap())).collect()
}

/// Pearson's correlation of the last twenty hourly log returns up to the candle that opens at `last`.
fn correlation(a: &str, b: &str, last: &str) -> f64 {
    let returns = |symbol: &str| -> Vec<f64> {
        let all = closes(symbol);
        let end = all.iter().position(|(open, _)| open.starts_with(last)).unwrap();
        all[end - 20..=end].windows(2).map(|w| (w[1].1 / w[0].1).ln()).collect()
    };
    let (x, y) = (returns(a), returns(b));
    let mean = |v: &[f64]| v.iter().sum::<f64>() / 20.0;
    let (mx, my) = (mean(&x), mean(&y));
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(&y).map(|(p, q)| f(p - mx, q - my)).sum::<f64>();
    sum(&|p, q| p * q) / (sum(&|p, _| p * p) * sum(&|_, q| q * q)).sqrt()
}

#[test]
fn an_hour_says_what_the_candles_say_over_http_and_on_the_command_line() {
    let place = imported();
    let server = Server::start(&place, "data");
    let hour = server.json("/api/v1/universe?as_of=2026-02-05T18:30:00Z");
    assert_eq!((&hour["timestamp"], &hour["known_ts"]), (&json!(HOUR), &json!("2026-02-05T18:00:00.200Z")));
    let said = place.ok(&format!("universe --at {HOUR} --json --data data"));
    assert_eq!(json_lines(&said), std::slice::from_ref(&hour));
    let pairs: Vec<&str> =
        hour["pairs"].as_array().unwrap().iter().map(|p| p["asset_pair"].as_str().unwrap()).collect();
    assert_eq!(pairs, ["BTC/USDT/ETH/USDT", "BTC/USDT/SOL/USDT", "ETH/USDT/SOL/USDT"]);
    for (n, (a, b)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
        let reading = &hour["pairs"][n]["reading"];
        let got = reading["corr_20"]["value"].as_f64().unwrap();
        // The candle that closes at 18:00 is known two seconds later: the newest that this hour can know opened at 16:00.
        let want = correlation(MARKETS[a], MARKETS[b], "2026-02-05T16:00");
        assert!((got - want).abs() < 1e-9, "{}: {got}, by hand {want}", pairs[n]);
        assert_eq!(reading["corr_30d"]["reason"], "WARMING".to_lowercase(), "{reading}");
        assert_eq!(reading["band"]["source"], "stated");
    }
    let one = server.json("/api/v1/universe?as_of=2026-02-05T18:30:00Z&pair=SOL,btc");
    assert_eq!(one["pairs"], json!([hour["pairs"][1]]));
    let stranger = server.get("/api/v1/universe?pair=BTC,XRP");
    assert!(
        stranger.status == 400 && stranger.text().contains("there are BTC,ETH and BTC,SOL and ETH,SOL"),
        "{}",
        stranger.text()
    );
    // Not a moment earlier than it is known.
    let before = server.json("/api/v1/universe?as_of=2026-02-05T18:00:00.199Z");
    assert_eq!(before["timestamp"], "2026-02-05T17:00:00Z");
    assert_eq!(server.get("/api/v1/universe?as_of=2026-01-01").status, 404);
    // Pages of hours join up.
    let (mut hours, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/api/v1/universe/history?start=2026-02-05&end=2026-02-06&limit=7{cursor}"));
        hours.extend(page["items"].as_array().unwrap().iter().map(|v| v["timestamp"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(hours, (0..24).map(|h| format!("2026-02-05T{h:02}:00:00Z")).collect::<Vec<_>>());
    let text = place.ok(&format!("universe --at {HOUR} --data data"));
    assert!(text.starts_with("2026-02-05 18:00Z  3 markets"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
}

#[test]
fn whatever_came_first_the_hours_are_the_same() {
    let whole = imported();
    let want = hash(&whole);
    assert!(whole.ok("db check --hash --data data").contains("216 hours between markets"));
    let parts = Place::new();
    // One market alone has nothing beside it; the second begins the comparison, the third joins it, the last days follow.
    for (n, (markets, from, until)) in
        [(&MARKETS[2..], FROM, UNTIL), (&MARKETS[..1], FROM, "2026-02-04"), (&MARKETS[1..2], FROM, UNTIL)]
            .into_iter()
            .chain([(&MARKETS[..1], "2026-02-04", UNTIL)])
            .enumerate()
    {
        slice(&parts.path(&format!("in{n}")), markets, from, until);
        parts.ok(&format!("collect --source in{n} --data data"));
        if n == 0 {
            let none = parts.run("universe --data data");
            assert!(none.err.contains("no correlations are known yet"), "{}", none.err);
        }
    }
    assert_eq!(hash(&parts), want);
    // Again: nothing changes.
    parts.ok("collect --source in2 --data data");
    assert_eq!(hash(&parts), want);
}

#[test]
fn the_watch_list_is_a_setting_and_mistakes_in_it_are_told() {
    let place = Place::new();
    slice(&place.path("in"), &MARKETS, "2026-02-04", UNTIL);
    let pairs = |place: &Place| {
        let hour = &json_lines(&place.ok("universe --json --data data"))[0];
        hour["pairs"].as_array().unwrap().iter().map(|p| p["asset_pair"].clone()).collect::<Vec<Value>>()
    };
    std::fs::write(place.path("barograph.toml"), "watch = [\"SOLUSDT\", \"ETHUSDT\", \"XRPUSDT\"]\n").unwrap();
    let said = place.run("collect --source in --data data");
    assert!(said.err.contains("watch: 'XRPUSDT' is no symbol known here"), "{}", said.err);
    assert_eq!(pairs(&place), ["ETH/USDT/SOL/USDT"]);
    // Another list: everything is compared anew.
    std::fs::write(place.path("barograph.toml"), "watch = \"auto\"\n").unwrap();
    place.ok("collect --source in --data data");
    assert_eq!(pairs(&place).len(), 3);
    std::fs::write(place.path("barograph.toml"), "watch = \"BTCUSDT\"\n").unwrap();
    let wrong = place.run("universe --data data");
    assert_eq!(wrong.code, Some(2), "{}", wrong.err);
    assert!(wrong.err.contains("2 to 12 markets"), "{}", wrong.err);
}

#[test]
fn a_basket_is_judged_as_one() {
    let place = imported();
    let server = Server::start(&place, "data");
    let ask = |body: &Value| server.send("POST", "/api/v1/portfolio?as_of=2026-02-05T18:30:00Z", body);
    let equal = ask(&json!({})).json();
    assert_eq!((&equal["basket_from"], &equal["timestamp"]), (&json!("watch_list"), &json!(HOUR)));
    assert_eq!(equal["portfolio"]["regime"], "HIGH_VOL", "{equal}");
    let body = json!({"holdings": [
        {"symbol": "BTCUSDT", "side": "long", "notional": 3000.0},
        {"symbol": "ETHUSDT", "side": "short", "notional": 1000.0},
    ]});
    let own = ask(&body).json();
    let weights: Vec<f64> = own["holdings"].as_array().unwrap().iter().map(|h| h["weight"].as_f64().unwrap()).collect();
    assert_eq!((weights, &own["basket_from"]), (vec![0.75, -0.25], &json!("request")));
    assert_eq!(own["portfolio"]["overlaps"], json!([]), "opposite sides are no overlap");
    let line = "portfolio --long BTCUSDT=3000 --short ETHUSDT=1000 --as-of 2026-02-05T18:30:00Z --data data";
    assert_eq!(json_lines(&place.ok(&format!("{line} --json")))[0], own);
    let text = place.ok(line);
    assert!(text.contains("−25.0 %") && text.lines().all(|l| l.chars().count() <= 80), "{text}");
    for (bad, word) in [
        (json!({"holdings": [{"symbol": "BTCUSDT", "side": "up", "notional": 1}]}), "long or short"),
        (json!({"holdings": [{"symbol": "BTCUSDT", "side": "long", "notional": -1}]}), "above zero"),
        (json!({"holdings": [{"symbol": "NONE", "side": "long", "notional": 1}]}), "NONE"),
        (json!({"holding": []}), "holding"),
    ] {
        let reply = ask(&bad);
        assert!((400..500).contains(&reply.status) && reply.text().contains(word), "{}", reply.text());
    }
    let late = place.run("portfolio --data data");
    assert!(late.code != Some(0) && late.err.contains("correlations end at "), "{}", late.err);
}

#[test]
fn registered_positions_are_weighed_by_the_price_of_the_moment() {
    let place = Place::new();
    for symbol in MARKETS {
        market(&place.path("in"), symbol, Mood::Calm, (now() - Span::hours(3), now() - Span::secs(10)));
    }
    place.ok("collect --source in --data data");
    // What is registered counts where nothing is given; without a size it has no weight.
    place.ok("positions add BTCUSDT --side long --entry 70000 --size 0.1 --confirm --data data");
    place.ok("positions add ETHUSDT --side long --entry 20000 --size 0.1 --confirm --data data");
    place.ok("positions add SOLUSDT --side long --entry 90 --confirm --data data");
    let held = json_lines(&place.ok("portfolio --json --data data"));
    assert_eq!((&held[0]["basket_from"], held[0]["holdings"].as_array().unwrap().len()), (&json!("registered"), 2));
    assert!(held[0]["left_out"][0]["reason"].as_str().unwrap().contains("no size"), "{}", held[0]);
    // Both markets have one price, now and as of a moment, whatever was paid.
    let then = json_lines(&place.ok(&format!("portfolio --as-of {} --json --data data", now().iso())));
    for (shown, when) in [(&held[0], "now"), (&then[0], "then")] {
        let weights: Vec<f64> =
            shown["holdings"].as_array().unwrap().iter().map(|h| h["weight"].as_f64().unwrap()).collect();
        assert!(weights.len() == 2 && weights.iter().all(|w| (w - 0.5).abs() < 1e-9), "{when}: {weights:?}");
    }
}
