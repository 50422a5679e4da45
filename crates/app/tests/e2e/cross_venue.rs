//! Best prices of one asset over two venues that a process listens to.

use crate::support::http::Server;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines, until};
use std::time::Duration;

#[test]
fn the_best_prices_of_two_venues_are_held_against_each_other() {
    let place = Place::new();
    let nobody = "cross-venue --listen 127.0.0.1:9";
    place.run(nobody).exits(2).says("none answers at 127.0.0.1:9").says("barograph up --venue");
    let spot = Sim::with(&place, "--venue binance-spot --markets 2 --messages-per-s 200");
    let coinbase = Sim::with(&place, "--venue coinbase --markets 2 --messages-per-s 200");
    place.write("barograph.toml", "[taker_fees]\ncoinbase = \"25\"\n");
    let mut up = Server::of(place.start(&format!(
        "up --venue binance-spot,coinbase --all --market-type both --min-volume-24h 0 --backfill 0 --books off --data data \
         --listen 127.0.0.1:0 --endpoint {},{}",
        spot.endpoint, coinbase.endpoint
    )));
    let item = until("a fresh quote of BTC on both", || {
        let view = up.json("/api/v1/cross-venue?base=btc");
        let ts = view["ts"].as_str().unwrap();
        assert!(!ts.contains('.'), "a whole second: {ts}");
        view["items"][0].as_object().filter(|item| item["spread_bps"].is_number()).cloned()
    });
    assert!(item["quote"].is_null(), "USD here, USDT there: {item:?}");
    let side = |side: &str| item[side]["price"].as_f64().unwrap();
    let spread = 1e4 * (side("bid") - side("ask")) / f64::midpoint(side("bid"), side("ask"));
    assert!((item["spread_bps"].as_f64().unwrap() - spread).abs() < 1e-9, "{item:?}");
    assert_eq!((&item["base"], &item["kind"]), (&"BTC".into(), &"spot".into()));
    let markets: Vec<_> = item["quotes"].as_array().unwrap().iter().map(|q| q["market"].as_str().unwrap()).collect();
    assert_eq!(markets, ["binance-spot:BTCUSDT", "coinbase:BTC-USD"]);
    for name in ["bid", "ask"] {
        let side = &item[name];
        let of_coinbase = side["market"] == "coinbase:BTC-USD";
        assert_eq!(side["quote"], if of_coinbase { "USD" } else { "USDT" });
        let want = if of_coinbase { (25.0, "settings") } else { (10.0, "published") };
        assert_eq!((side["taker_fee_bps"].as_f64(), side["fee_from"].as_str()), (Some(want.0), Some(want.1)), "{side}");
    }
    let listen = format!("--listen {}", up.addr);
    let text = place.ok(&format!("cross-venue BTC {listen}"));
    assert!(
        text.starts_with("BTC spot, quoted in different dollars (USD, USDT): ") && text.contains("  coinbase:BTC-USD "),
        "{text}"
    );
    let lines = json_lines(&place.ok(&format!("cross-venue {listen} --json")));
    assert_eq!(lines.iter().map(|l| l["base"].as_str().unwrap()).collect::<Vec<_>>(), ["BTC", "ETH"]);
    assert_eq!(
        place.ok(&format!("cross-venue DOGE {listen}")),
        "no asset is quoted by two venues that are listened to\n"
    );
    up.process.signal("TERM");
    assert_eq!(up.process.wait(Duration::from_secs(30)), Some(0), "{}", up.process.err.text());
}
