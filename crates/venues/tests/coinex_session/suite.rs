//! The suite every session owes, over three minutes of two markets in the spelling of the sheet.

use crate::rig::{config, says_nothing_impossible};
use crate::{ALL, NOW, open, perpetual, push, state, states};
use barograph_domain::{Metric, Span};
use barograph_venues::session::suite::{self, Script};
use barograph_venues::session::{MarketSpec, Request, SessionConfig};

/// The answer where the venue has nothing.
fn nothing(_: &Request) -> Option<(u16, Vec<u8>)> {
    Some((200, br#"{"code":0,"data":[],"pagination":{"has_next":false},"message":"OK"}"#.to_vec()))
}

/// Bars and liquidations, as requests ask for them.
fn something(request: &Request) -> Option<(u16, Vec<u8>)> {
    let of = |key: &str| request.url.split(&format!("{key}=")).nth(1).and_then(|rest| rest.split('&').next());
    let (Some(start), Some(end), Some(market)) = (of("start_time"), of("end_time"), of("market")) else {
        return nothing(request);
    };
    let (start, end): (i64, i64) = (start.parse().unwrap(), end.parse().unwrap());
    let rows: Vec<String> = if request.url.contains("/kline") {
        let row = |at: i64| {
            format!(
                r#"{{"market":"{market}","created_at":{at},"open":"5.0","close":"5.5","high":"6","low":"4","volume":"1.5","value":"8.1"}}"#
            )
        };
        (0..=(end - start) / 60_000).map(|n| row(start + n * 60_000)).collect()
    } else if request.url.contains("/liquidation") {
        let at = end.div_euclid(10_000) * 10_000;
        vec![format!(
            r#"{{"market":"{market}","side":"long","liq_price":"152.31","liq_amount":"41.5","bkr_price":"151.80","created_at":{at}}}"#
        )]
    } else {
        Vec::new()
    };
    let body = format!(r#"{{"code":0,"data":[{}],"pagination":{{"has_next":false}},"message":"OK"}}"#, rows.join(","));
    Some((200, body.into_bytes()))
}

/// Every channel of a linear and an inverse market, five times a second.
fn script() -> Script {
    let inverse = MarketSpec { inverse: true, ..perpetual("BTCUSD") };
    let metrics: Vec<Metric> = ALL.into_iter().chain([Metric::PremiumIndex]).collect();
    let markets = vec![perpetual("BTCUSDT"), inverse];
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("coinex", markets, &metrics) };
    let mut frames = Vec::new();
    for n in 0_u32..900 {
        let now = NOW + Span::millis(200).times(i64::from(n));
        let ms = now.as_millis();
        for name in ["BTCUSDT", "BTCUSD"] {
            let (bid, ask) = (format!("{}.0", 84_000 + n % 40), format!("{}.50", 84_000 + n % 40));
            let amount = format!("{}.10", 1 + n % 9);
            let (bids, asks) = (format!("84000.0:{amount}"), format!("85000.50:{amount}"));
            let sum = {
                let mut crc = flate2::Crc::new();
                crc.update(format!("{bids}:{asks}").as_bytes());
                crc.sum()
            };
            let book = format!(
                r#"{{"market":"{name}","is_full":{},"depth":{{"asks":[["85000.50","{amount}"],["86000.0","0"]],"bids":[["84000.0","{amount}"]],"last":"1","updated_at":{ms},"checksum":{sum}}}}}"#,
                n % 300 == 0
            );
            let deal = format!(
                r#"{{"market":"{name}","deal_list":[{{"deal_id":{},"created_at":{ms},"side":"sell","price":"{bid}","amount":"{amount}"}}]}}"#,
                9_000_000_000_u64 + u64::from(n)
            );
            let bbo = format!(
                r#"{{"market":"{name}","updated_at":{ms},"best_bid_price":"{bid}","best_bid_size":"1","best_ask_price":"{ask}","best_ask_size":"1"}}"#
            );
            frames.push((now, push("depth", &book)));
            frames.push((now, push("deals", &deal)));
            frames.push((now, push("bbo", &bbo)));
        }
        let interest = format!("{}.5", 1_000 + n / 3);
        frames
            .push((now, states(&[state("BTCUSDT", &interest), state("X_SIGNPRICE", "1"), state("BTCUSD", &interest)])));
    }
    let frames = frames.into_iter().map(|(at, text)| (at, text.into_bytes()));
    Script::record(open(), wanted, frames, |_, _| 0, something)
}

#[test]
fn the_suite_holds() {
    let script = script();
    let (session, did) = script.run(open());
    assert!(did.iter().all(|d| d.faults.is_empty()), "{:?}", did.iter().flat_map(|d| &d.faults).next());
    for stream in session.streams().iter().filter(|s| s.offered && s.metric != Metric::FundingRateSettled) {
        let has = |e: &&barograph_venues::session::Emit| (e.market, e.metric) == (stream.market, stream.metric);
        assert!(did.iter().flat_map(|d| &d.events).filter(has).count() > 1, "{stream:?}");
    }
    suite::is_deterministic(open(), &script);
    suite::survives_restarts(open(), &script, 97);
    suite::survives_a_new_list(open(), &script, "XYZUSDT");
    suite::takes_any_ticks(open(), &script);
    suite::declares_what_is_not_offered(open(), &script);
    let is_asked_for = |m| matches!(m, Metric::FundingRateSettled | Metric::Bar | Metric::Liquidation);
    suite::loses_and_finds_once(open(), &script, is_asked_for);
    suite::refuses_garbage(open(), &script);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_say_nothing_impossible_and_state_does_not_grow() {
    let script = script();
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    says_nothing_impossible("coinex", &script, count);
    // Two books of 2 × 100 levels of 16 bytes and of 80 as texts, twice 1,024 deals, liquidations and settlements, the lag meter, streams.
    let largest = suite::stays_bounded(open(), &script, count, 200_000);
    println!("{count} damaged frames, state at most {largest} bytes");
}

#[test]
fn hot_messages_allocate_nothing() {
    suite::allocates_nothing(open(), &script(), |_| true, |run| allocation_counter::measure(run).count_total);
}

#[test]
fn channels_that_do_not_come_are_subscribed_again() {
    let wanted = config("coinex", vec![perpetual("BTCUSDT")], &ALL);
    let pong = br#"{"id":0,"code":0,"data":{"result":"pong"},"message":"OK"}"#;
    let pongs = |text: &str| if text.contains("server.ping") { vec![pong.to_vec()] } else { Vec::new() };
    suite::asks_again_for_what_does_not_come(open(), &wanted, &["deals.", "bbo.", "state."], |_, _, text| pongs(text));
    // Confirmed, and silent: deals may be.
    suite::asks_again_for_what_does_not_come(open(), &wanted, &["bbo.", "state."], |_, _, text| {
        let id = text.split("\"id\":").nth(1).unwrap().trim_end_matches('}');
        if id == "0" { pongs(text) } else { vec![format!(r#"{{"id":{id},"code":0,"message":"OK"}}"#).into_bytes()] }
    });
}
