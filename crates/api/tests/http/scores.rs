//! The scorecard, its badge and the forecasts over HTTP: answers fit their schemas, pages lead back to the first, words that mean
//! nothing are refused with the nearest that does.

use super::client::Server;
use super::schema::{differences, document};

#[test]
fn answers_about_forecasts_fit_their_schemas() {
    let server = Server::start();
    let api = document();
    for (path, address) in [
        ("/api/v1/scorecard", "/api/v1/scorecard"),
        ("/api/v1/drift", "/api/v1/drift"),
        ("/api/v1/drift", "/api/v1/drift?market=bybit:BTCUSDT&weeks=104"),
        ("/api/v1/scorecard", "/api/v1/scorecard?event=hv_1h,calm_4h&market=all,bybit:BTCUSDT&window=30d"),
        ("/api/v1/forecasts", "/api/v1/forecasts"),
        ("/api/v1/forecasts", "/api/v1/forecasts?event=vol_class_24h&market=ETHUSDT&limit=3"),
    ] {
        let schema = &api["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let wrong = differences(&api, schema, &server.json(address), path);
        assert!(schema.is_object() && wrong.is_empty(), "{address}:\n{}", wrong.join("\n"));
    }
    let rows = server.json("/api/v1/scorecard?event=hv_1h&market=ethusdt")["rows"].clone();
    let of: Vec<_> = rows.as_array().unwrap().iter().map(|r| (r["scope"].clone(), r["window"].clone())).collect();
    assert_eq!(of, [("binance-usdm:ETHUSDT".into(), "all".into()), ("binance-usdm:ETHUSDT".into(), "90d".into())]);
    let boosting = server.json("/api/v1/scorecard?event=hv_1h&classifier=boosting&window=all")["rows"].clone();
    assert_eq!(boosting[0]["forecaster"], "boosting");
    for (classifier, n) in [("rules", 90), ("hmm", 0)] {
        let page = server.json(&format!("/api/v1/forecasts?classifier={classifier}&limit=1000"));
        assert_eq!(page["items"].as_array().unwrap().len(), n, "{classifier}");
    }
    let etag = server.get("/api/v1/scorecard").header("etag").unwrap().to_owned();
    assert_eq!(server.request("GET", "/api/v1/scorecard", &[("if-none-match", &etag)]).status, 304);
}

#[test]
fn words_that_mean_nothing_are_refused_with_the_nearest() {
    let server = Server::start();
    for (address, kind, hint) in [
        ("/api/v1/scorecard?event=hv_2h", "bad-request", "did you mean hv_1h?"),
        ("/api/v1/scorecard?classifier=hmn", "bad-request", "did you mean hmm?"),
        ("/api/v1/forecasts?classifier=oracle", "bad-request", "boosting"),
        ("/api/v1/scorecard?window=91d", "bad-request", "did you mean 90d?"),
        ("/api/v1/scorecard?market=BTCUSDX", "unknown-symbol", "did you mean BTCUSDT?"),
        ("/api/v1/scorecard?market=BTCUSDT", "ambiguous-symbol", "say the venue"),
        ("/api/v1/scorecard?as_of=2020-01-01", "nothing-yet", "later as_of"),
        ("/api/v1/drift?weeks=105", "bad-number", "1 to 104"),
        ("/api/v1/drift?market=BTCUSDX", "unknown-symbol", "did you mean BTCUSDT?"),
        ("/api/v1/drift?as_of=2020-01-01", "nothing-yet", "later as_of"),
        ("/api/v1/scorecard/badge.svg", "missing-parameter", "event=hv_1h"),
        ("/api/v1/scorecard/badge.svg?event=hv_1h,calm_4h", "bad-word", "name one"),
        ("/api/v1/forecasts?event=hv1h", "bad-request", "did you mean hv_1h?"),
        ("/api/v1/forecasts?from=2026-01-01&to=2026-03-01", "bad-range", "--export"),
        ("/api/v1/forecasts?from=2026-01-02&to=2026-01-01", "bad-range", ""),
        ("/api/v1/forecasts?limit=1001", "bad-number", "at most 1000"),
        ("/api/v1/forecasts?cursor=1-1-x", "bad-cursor", ""),
    ] {
        let reply = server.get(address);
        assert_eq!(reply.problem(), kind, "{address}");
        assert!(reply.text().contains(hint), "{address}: {}", reply.text());
    }
}

#[test]
fn pages_of_forecasts_lead_back_without_loss_or_doubles() {
    let server = Server::start();
    let ids = |page: &serde_json::Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|v| v["forecast_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&server.json("/api/v1/forecasts?limit=1000"));
    assert_eq!(all.len(), 90);
    let mut found: Vec<String> = Vec::new();
    let mut page = server.json("/api/v1/forecasts?limit=7");
    loop {
        found.splice(0..0, ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        page = server.json(&format!("/api/v1/forecasts?limit=7&cursor={next}"));
    }
    assert_eq!(found, all);
}

#[test]
fn the_badge_is_a_picture_of_its_own() {
    let server = Server::start();
    let reply = server.get("/api/v1/scorecard/badge.svg?event=hv_1h");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("image/svg+xml")));
    let svg = reply.text();
    assert!(svg.contains("hv_1h: +4.1 % vs persistence (1.2 to 7.0)") && svg.contains("75 separate windows"), "{svg}");
    // Nothing of it is loaded from elsewhere.
    assert!(!svg.replace("http://www.w3.org/2000/svg", "").contains("http"), "{svg}");
    assert!(server.get("/api/v1/scorecard/badge.svg?event=calm_4h").text().contains("calm_4h: no skill shown"));
}
