//! Charts over a data folder: candles are the stored bars put together, and what stands beside them is what the context of the
//! same moment says. Live, what was fetched from before the start stands there too.

use crate::support::Place;
use crate::support::data::now;
use crate::support::http::Server;
use crate::support::sim::Sim;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Candles of the stored bars of an hour, by hand: start, first close, last close.
fn folded(bars: &[Value], every: i64) -> Vec<(i64, f64, f64)> {
    let mut all: Vec<(i64, f64, f64)> = Vec::new();
    for bar in bars {
        let close = barograph_domain::Ts::parse(bar["timestamp"].as_str().unwrap()).unwrap();
        let start = (close.0 / 1_000_000_000 - 3_600).div_euclid(every) * every;
        let price = bar["value"].as_f64().unwrap();
        match all.last_mut().filter(|c| c.0 == start) {
            Some(candle) => candle.2 = price,
            None => all.push((start, price, price)),
        }
    }
    all
}

#[test]
fn a_chart_is_what_the_stored_bars_and_the_contexts_at_its_closes_say() {
    let stored = crate::support::data::stored();
    let server = Server::start(&stored.place, "data");
    let market = "/api/v1/markets/binance-usdm:BTCUSDT";
    let (mut bars, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("{market}/metrics?metric_name=bar&start=2020-01-01&limit=10000{cursor}"));
        bars.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let short = server.json(&format!("{market}/chart?interval=5m"));
    assert_eq!(short["t"], Value::Array(Vec::new()), "bars of an hour make no shorter candles");
    for (interval, every) in [("1h", 3_600), ("4h", 14_400), ("1d", 86_400)] {
        let chart = server.json(&format!("{market}/chart?interval={interval}&bars=300"));
        let want = folded(&bars, every);
        let want = &want[want.len().saturating_sub(300)..];
        let column = |name: &str| chart[name].as_array().unwrap().clone();
        let starts: Vec<i64> = column("t").iter().map(|t| t.as_i64().unwrap()).collect();
        // Places may be holes, so that the view begins no earlier than the hand's.
        let own = &want[want.len() - starts.len()..];
        assert!(!starts.is_empty() && starts.iter().eq(own.iter().map(|c| &c.0)), "{interval}: {starts:?}");
        let closes: Vec<f64> = column("c").iter().map(|c| c.as_f64().unwrap()).collect();
        assert!(closes.iter().eq(own.iter().map(|c| &c.2)), "{interval}");
        for name in ["o", "h", "l", "v", "risk", "trend", "volatility", "heat", "funding_8h", "oi", "vol"] {
            assert_eq!(column(name).len(), starts.len(), "{interval}: {name}");
        }
    }
    // At a close the chart says what the context of that moment says, and as of a moment nothing later.
    let chart = server.json(&format!("{market}/chart?interval=1h&bars=24"));
    let board = server.json("/api/v1/board");
    let at = chart["risk"].as_array().unwrap().iter().rposition(|r| r.as_u64() > Some(0)).unwrap();
    let close = chart["t"][at].as_i64().unwrap() + 3_600;
    let context = server.json(&format!("{market}/context?as_of={}", close * 1_000 + 200));
    let code = usize::try_from(chart["risk"][at].as_u64().unwrap()).unwrap();
    assert_eq!(board["labels"]["risk"][code], context["regimes"]["risk"]["label"]);
    assert_eq!(chart["funding_8h"][at], context["explanation"]["features"]["funding_rate_8h"]["value"]);
    // The candle is known a minute after its close, and so is how much it moved.
    let known = server.json(&format!("{market}/context?as_of={}", (close + 60) * 1_000 + 200));
    let volatility = |context: &Value| context["explanation"]["features"]["realized_vol_1h"]["value"].clone();
    assert!(volatility(&known).is_number(), "{known}");
    assert_eq!(chart["vol"][at], volatility(&known), "of the candle itself");
    assert_ne!(chart["vol"][at], volatility(&context), "not of the one before");
    // A bar is known some time after its close: a millisecond before its close it is not.
    let then = |ms: i64| server.json(&format!("{market}/chart?interval=1h&bars=24&as_of={}", close * 1_000 + ms));
    let before = then(-1);
    assert!(before["t"].as_array().unwrap().iter().all(|t| t.as_i64() < Some(close - 3_600)), "{before}");
    let then = then(600_000);
    let last = then["t"].as_array().unwrap().len() - 1;
    assert_eq!(then["t"][last].as_i64(), Some(close - 3_600), "{then}");
    assert_eq!((&then["c"][last], &then["risk"][last]), (&chart["c"][at], &chart["risk"][at]));
    let view = server.json(&format!("{market}/continuity"));
    assert!(view["streams"].as_array().is_some_and(|all| !all.is_empty()), "{view}");
}

#[test]
fn w17_open_interest_from_before_the_start_is_drawn() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let began = now().0.div_euclid(1_000_000_000);
    let up = Server::of(place.start(&format!(
        "up --symbols BTCUSDT --backfill 1d --books off --data data --listen 127.0.0.1:0 --endpoint {}",
        sim.endpoint
    )));
    let begun = Instant::now();
    loop {
        let reply = up.get("/api/v1/markets/binance-usdm:BTCUSDT/chart?interval=1h&bars=12");
        let chart = if reply.status == 200 { reply.json() } else { Value::Null };
        let column = |name: &str| chart[name].as_array().cloned().unwrap_or_default();
        // Candles that had closed an hour before anybody listened.
        let before = |start: &Value| start.as_i64().is_some_and(|start| start + 3_600 <= began - 3_600);
        let past: Vec<Value> =
            column("t").iter().zip(column("oi")).filter(|(start, _)| before(start)).map(|(_, oi)| oi).collect();
        if past.len() >= 8 && past.iter().all(|oi| oi.as_f64().is_some_and(|oi| oi > 0.0)) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(150), "{}: {chart}", reply.status);
        std::thread::sleep(Duration::from_millis(500));
    }
}
