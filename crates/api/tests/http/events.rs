//! Events over HTTP: in pages from either end, filtered, as the fourth original wrote them, on the stream, and the cascades.

use super::client::Server;
use super::found::{GOES_ON, OVER, event};
use super::world::events;
use barograph_api::EventView;
use barograph_domain::alert::AlertChange;
use barograph_domain::{Pattern, Severity, Span, Ts};
use serde_json::Value;

const ALL: &str = "/api/v1/events";
const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT/events";

fn ids(answer: &Value) -> Vec<String> {
    let id = |e: &Value| format!("{} {}", e["alert_id"].as_str().unwrap(), e["revision"]);
    answer["items"].as_array().unwrap().iter().map(id).collect()
}

fn names(events: &[EventView]) -> Vec<String> {
    events.iter().map(|e| format!("{} {}", e.alert_id, e.revision)).collect()
}

#[test]
fn events_come_in_pages_from_either_end() {
    let server = Server::start();
    for (path, order, whose) in [(BTC, "asc", Some("BTCUSDT")), (ALL, "asc", None), (ALL, "desc", None)] {
        let mut want = events(None);
        want.retain(|e| whose.is_none_or(|w| e.instrument.symbol == w));
        if order == "desc" {
            want.reverse();
        }
        let (mut joined, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.json(&format!("{path}?order={order}&limit=5{cursor}"));
            joined.extend(ids(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(joined, names(&want), "{path} {order}");
    }
    let one = server.json(&format!("{ALL}?market=binance-usdm:BTCUSDT"));
    assert_eq!(one["items"], server.json(BTC)["items"]);
}

#[test]
fn filters_keep_what_was_asked_for() {
    let server = Server::start();
    type Keep = fn(&EventView) -> bool;
    let cases: [(&str, Keep); 5] = [
        ("pattern=cascade", |e| e.pattern_type == Pattern::LiquidationCascade),
        ("severity=high", |e| e.severity >= Severity::High),
        ("start=2026-02-05T02:00:00Z&end=2026-02-05T03:00:00Z", |e| {
            e.known_at >= Ts::from_civil(2026, 2, 5, 2, 0, 0) && e.known_at < Ts::from_civil(2026, 2, 5, 3, 0, 0)
        }),
        ("as_of=2026-02-05T02:30:00Z", |e| e.known_at <= Ts::from_civil(2026, 2, 5, 2, 30, 0)),
        ("pattern=FUNDING_ANOMALY,BASIS_MANIPULATION&severity=LOW", |e| {
            e.pattern_type == Pattern::FundingAnomaly && e.severity >= Severity::Low
        }),
    ];
    for (query, keep) in cases {
        let mut want = events(None);
        let all = want.len();
        want.retain(keep);
        assert!(!want.is_empty() && want.len() < all, "{query}");
        assert_eq!(ids(&server.json(&format!("{ALL}?{query}"))), names(&want), "{query}");
    }
}

#[test]
fn the_fourth_originals_envelope_has_its_fields_and_no_others() {
    let server = Server::start();
    let page = server.json(&format!("{ALL}?format=seed4"));
    let items = page["items"].as_array().unwrap();
    assert!(!items.is_empty());
    for item in items {
        let fields: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["data", "description", "event_type", "severity", "source", "symbol", "timestamp", "title"],
            "{item}"
        );
        assert!(["WARNING", "CRITICAL"].contains(&item["severity"].as_str().unwrap()));
        assert_eq!(item["timestamp"].as_str().unwrap().len(), "2026-02-05T00:30:00.000Z".len());
        assert_eq!(item["symbol"].as_str().unwrap().matches('/').count(), 1);
    }
    let whole = server.json(ALL)["items"][0].clone();
    for field in ["alert_id", "pattern_type", "risk_level", "anomaly_score", "explanation", "state", "opened_at"] {
        assert!(whole.get(field).is_some(), "{field}");
    }
    assert_eq!(
        (&whole["evidence"]["similar"], &whole["evidence"]["similar_reason"]),
        (&Value::Null, &"ask_by_id".into())
    );
}

/// What was reported of a burst while it grew is a part of it.
#[test]
fn a_burst_is_told_with_the_figures_of_its_whole() {
    let server = Server::start();
    let usd = |n: usize, minutes: i64, as_of: Ts| {
        let found = server.json(&format!("/api/cascades?as_of={}", as_of.iso()));
        let told = (event(n).timestamp + Span::mins(minutes)).iso_millis();
        let all = found["events"].as_array().unwrap().clone();
        let it = all.into_iter().find(|e| e["timestamp"] == told.as_str()).unwrap();
        assert_eq!((&it["title"], &it["event_type"]), (&"Burst of liquidations".into(), &"LIQUIDATION_CASCADE".into()));
        (it["data"]["total_liquidated_usd"].as_f64().unwrap(), it["description"].as_str().unwrap().to_owned())
    };
    let began = event(OVER).known_at;
    assert_eq!(usd(OVER, 0, began), (0.5, event(OVER).description), "as it began");
    assert_eq!(usd(OVER, 1, began + Span::mins(2)), (1.5, "1.5 USD.".to_owned()), "as it was told last");
    assert_eq!(usd(OVER, 1, began + Span::mins(5)), (4.5, "4.5 USD.".to_owned()), "as its end says");
    let now = event(GOES_ON).known_at + Span::mins(1);
    assert_eq!(usd(GOES_ON, 0, now), (9.5, "9.5 USD.".to_owned()), "it goes on: what it is by now");
}

#[test]
fn cascades_are_told_once_with_the_series_they_are_made_of() {
    let server = Server::start();
    let now = "2026-02-05T12:00:00Z";
    let found = server.json(&format!("/api/cascades?hours=24&as_of={now}"));
    let mut cascades: Vec<EventView> =
        events(None).into_iter().filter(|e| e.seed4().is_some_and(|s| s.source == "CASCADE")).collect();
    // Of the one that grew only the last record of its growth.
    cascades.retain(|e| e.alert_id != event(OVER).alert_id || e.change == AlertChange::Updated);
    assert_eq!((&found["hours"], &found["count"]), (&24.into(), &cascades.len().into()));
    let newest_first: Vec<String> = cascades.iter().rev().map(|e| e.timestamp.iso_millis()).collect();
    let shown = found["events"].as_array().unwrap();
    let told: Vec<&str> = shown.iter().map(|e| e["timestamp"].as_str().unwrap()).collect();
    assert_eq!(told, newest_first);
    let series = found["series"].as_array().unwrap();
    let unknown = serde_json::json!({
        "timestamp": "2026-02-04T11:00:00Z", "long_usd": null, "long_usd_reason": "gap", "short_usd": null,
        "short_usd_reason": "gap",
    });
    assert_eq!((series.len(), &series[0]), (24, &unknown));
    // It is 11:59:30 in this world: the last hour that is over began at ten.
    assert_eq!(series[23], serde_json::json!({"timestamp": "2026-02-05T10:00:00Z", "long_usd": 0.0, "short_usd": 0.5}));
    let whole = server.json("/api/cascades?hours=3&as_of=2026-02-05T10:00:00Z");
    let hours: Vec<&str> =
        whole["series"].as_array().unwrap().iter().map(|h| h["timestamp"].as_str().unwrap()).collect();
    assert_eq!(hours, ["2026-02-05T07:00:00Z", "2026-02-05T08:00:00Z", "2026-02-05T09:00:00Z"]);
    assert_eq!(server.json(&format!("/api/cascades?as_of={now}")), found, "a day unless told");
    let hours = server.json(&format!("/api/v1/liquidations?as_of={now}"));
    assert_eq!(
        (&hours["hours"], &hours["items"]),
        (&24.into(), &found["series"]),
        "the same hours without the cascades"
    );
    assert_eq!(server.get("/api/v1/liquidations?hours=721").problem(), "bad-number");
    for (query, status) in [("hours=0", 400), ("hours=721", 400), ("hours=x", 400), ("hours=720", 200), ("our=1", 400)]
    {
        assert_eq!(server.get(&format!("/api/cascades?{query}")).status, status, "{query}");
    }
}

/// An event that is asked for by its id has what followed it, and those like it; an id that nobody has is refused.
#[test]
fn one_event_has_what_followed_and_those_like_it() {
    let server = Server::start();
    let wanted = event(OVER);
    let whole = server.json(&format!("/api/v1/events/{}", wanted.alert_id));
    assert_eq!((&whole["alert_id"], &whole["change"]), (&wanted.alert_id.as_str().into(), &"CLOSED".into()));
    let evidence = &whole["evidence"];
    assert!(evidence.get("similar_reason").is_none(), "{evidence}");
    let spans = evidence["outcome"]["spans"].as_array().unwrap();
    let of = |n: usize| (spans[n]["horizon"].as_str().unwrap(), &spans[n]["max_move"], spans[n].get("reason"));
    assert_eq!(of(0), ("5m", &(-0.012).into(), None));
    assert_eq!(of(1), ("1h", &Value::Null, Some(&"gap".into())));
    assert_eq!(evidence["similar"][0]["outcome"]["liquidated_usd_1h"], 2.5e6);
    let then = server.json(&format!("/api/v1/events/{}?as_of={}", wanted.alert_id, wanted.known_at.iso()));
    assert_eq!((&then["change"], &then["revision"]), (&"OPENED".into(), &1.into()));
    let none = server.get("/api/v1/events/ffffffff");
    assert_eq!((none.status, none.problem().as_str()), (404, "unknown-alert"));
}
