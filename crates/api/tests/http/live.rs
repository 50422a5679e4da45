//! The market as it is this moment: what is shown, what a lost stream looks like, and what is not offered.

use super::client::Server;
use super::listening::Listening;
use super::world::{EMPTY, name};
use barograph_api::{AskBoard as _, AskMarkets as _};
use barograph_domain::{GapReason, Metric, StatusState};
use serde_json::{Value, json};

const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT";

fn listening() -> Server {
    let server = Server::start();
    *server.world.listening.lock().unwrap() = Some(Listening::new(server.world.now()));
    server
}

fn change(server: &Server, id: &str, metric: Metric, state: StatusState, reason: GapReason) {
    server.world.listening.lock().unwrap().as_mut().unwrap().set(id, metric, state, reason);
}

fn stream<'a>(live: &'a Value, metric: &str) -> &'a Value {
    live["streams"].as_array().unwrap().iter().find(|s| s["metric"] == metric).unwrap()
}

#[test]
fn the_market_as_it_is_this_moment() {
    let server = listening();
    let reply = server.get(&format!("{BTC}/live"));
    assert_eq!((reply.status, reply.header("cache-control"), reply.header("etag")), (200, Some("no-cache"), None));
    let live = reply.json();
    assert_eq!(
        (&live["instrument"], &live["ts"], &live["origin"]),
        (&json!("binance-usdm:BTCUSDT"), &json!("2026-02-05T11:59:30Z"), &json!("synthetic"))
    );
    assert_eq!(
        stream(&live, "mark_price"),
        &json!({
            "instrument": "binance-usdm:BTCUSDT", "metric": "mark_price", "unit": "quote", "source": "binance-usdm",
            "kind": "measured", "continuity": "LIVE", "reason": null, "since": "2026-02-05T00:00:00Z",
            "event_ts": "2026-02-05T11:59:28.500Z", "recv_ts": "2026-02-05T11:59:28.530Z", "value": 97_000.5,
            "age_ms": 1_500, "losses": 1
        })
    );
    assert_eq!(
        live["minute"],
        json!({
            "start": "2026-02-05T11:59:00Z", "open": 97_000.0, "high": 97_010.0, "low": 96_990.0, "close": 97_000.5,
            "volume": 12.5, "quote_volume": 1_212_500.0, "trades": 321, "complete": true, "reason": null
        })
    );
    let book = &live["book"];
    assert_eq!((&book["continuity"], &book["reason"]), (&json!("LIVE"), &Value::Null));
    for (levels, second) in [(&book["bids"], 96_999.5), (&book["asks"], 97_000.5)] {
        assert_eq!(levels.as_array().unwrap().len(), 25, "of 40");
        assert_eq!(levels[1], json!({"price": second, "amount": 1.5}), "best first");
    }
}

#[test]
fn what_is_lost_says_why() {
    let server = listening();
    let btc = "binance-usdm:BTCUSDT";
    change(&server, btc, Metric::Book, StatusState::Resync, GapReason::ChecksumMismatch);
    change(&server, btc, Metric::Trade, StatusState::Gap, GapReason::Disconnected);
    if let Some(listening) = server.world.listening.lock().unwrap().as_mut() {
        listening.minute = listening.minute.map(|m| m.incomplete(GapReason::Disconnected));
    }
    let live = server.json(&format!("{BTC}/live"));
    let checksum = json!({"word": "checksum_mismatch", "text": "the venue's checksum disagrees with our book"});
    let book = &live["book"];
    assert_eq!((&book["continuity"], &book["reason"]), (&json!("RESYNC"), &checksum));
    assert_eq!((&book["bids"], &book["asks"]), (&json!([]), &json!([])), "no level of a book that cannot be trusted");
    let closed = json!({"word": "disconnected", "text": "the connection closed"});
    assert_eq!(stream(&live, "trade")["reason"], closed);
    assert_eq!((&live["minute"]["complete"], &live["minute"]["reason"]), (&json!(false), &closed));
    let absent = stream(&live, "taker_volume_ratio");
    assert_eq!(
        (&absent["continuity"], &absent["value"], &absent["age_ms"]),
        (&json!("NOT_OFFERED"), &Value::Null, &Value::Null)
    );
    assert_eq!(server.json("/api/v1/markets/ETHUSDT/live")["book"]["continuity"], "LIVE", "that one book only");
}

#[test]
fn who_does_not_listen_says_so() {
    let server = Server::start();
    let refused = server.get(&format!("{BTC}/live"));
    assert_eq!((refused.status, refused.problem().as_str()), (404, "not-live"));
    let json = refused.json();
    assert_eq!(json["detail"], "binance-usdm:BTCUSDT is not recorded live by this process");
    assert!(json["hint"].as_str().unwrap().contains("`barograph up`"), "{json}");
    assert_eq!(server.get("/api/v1/feeds").problem(), "not-live");

    let server = listening();
    assert_eq!(server.get(&format!("/api/v1/markets/{EMPTY}/live")).problem(), "not-live", "another market is not");
    assert_eq!(server.get("/api/v1/markets/nothing/live").problem(), "unknown-symbol");
    assert_eq!(server.get(&format!("{BTC}/live?as_of=2026-02-05")).problem(), "unknown-parameter", "only the present");
}

#[test]
fn what_a_venue_does_not_offer_is_never_an_empty_success() {
    let server = listening();
    let alias = "/api/market-context/metrics/?symbol=BTCUSDT&start=2026-02-05";
    for path in [
        format!("{BTC}/metrics?metric_name=taker_volume_ratio"),
        format!("{BTC}/metrics?metric_name=taker_volume_ratio&start=2026-02-05T00:00:00Z&limit=5"),
        format!("{alias}&metric_name=taker_volume_ratio"),
    ] {
        let refused = server.get(&path);
        assert_eq!((refused.status, refused.problem().as_str()), (404, "not-offered"), "{path}");
        let json = refused.json();
        assert_eq!(json["type"], "urn:barograph:problem:not-offered");
        assert_eq!(json["detail"], "'taker_volume_ratio' is not offered by binance-usdm");
        assert_eq!(json["value"], "taker_volume_ratio");
    }
    // What was imported from elsewhere is answered, whatever the venue says of itself.
    change(&server, "binance-usdm:BTCUSDT", Metric::OpenInterest, StatusState::NotOffered, GapReason::NotOffered);
    assert_eq!(server.get(&format!("{BTC}/metrics?metric_name=open_interest")).status, 200);
    // What nobody says anything about is still an unknown metric.
    assert_eq!(server.get(&format!("{BTC}/metrics?metric_name=index_price")).problem(), "unknown-metric");
    assert!(!server.world.not_offered(&name(EMPTY), Metric::TakerVolumeRatio), "nothing is known of that venue");
}
