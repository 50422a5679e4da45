//! The suite every session owes: over the recording, and over three minutes of two perpetuals in the spelling of the fixtures.

use crate::rig::{capture, config, says_nothing_impossible};
use crate::{ALL, NOW, inverse, note, open};
use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::suite::{self, Script};
use barograph_venues::session::{Decimal, MarketSpec, Request, SessionConfig};

/// The answer where the venue has nothing.
fn nothing(request: &Request) -> Option<(u16, Vec<u8>)> {
    let result = if request.url.contains("get_last_trades") {
        r#"{"trades":[],"has_more":false}"#
    } else if request.url.contains("get_tradingview_chart_data") {
        r#"{"status":"no_data","ticks":[],"open":[],"high":[],"low":[],"close":[],"volume":[],"cost":[]}"#
    } else {
        "[]"
    };
    let body = format!(r#"{{"jsonrpc":"2.0","result":{result},"usIn":1795078801200123,"usOut":1795078801200456}}"#);
    Some((200, body.into_bytes()))
}

/// Messages with their receive times.
pub(crate) type Frames = Vec<(Ts, String)>;

/// The recording: books and tickers of ten options, with 100 ms where it has `raw`, which needs a login by now.
pub(crate) fn recorded() -> Option<(Vec<MarketSpec>, Frames)> {
    let lines = capture("deribit")?;
    let sent = lines.iter().find(|l| l.kind == "send").unwrap();
    let names = sent.data.split("\"book.").skip(1).map(|rest| rest.split(".raw").next().unwrap());
    let tick = Decimal::parse(b"0.0005");
    let spec = |name: &str| MarketSpec { tick, ..MarketSpec::bare(name, MarketKind::DatedFuture) };
    let frames = lines.iter().filter(|l| l.kind == "recv");
    let frames = frames.map(|l| (l.ts, l.data.replace(".raw\"", ".100ms\""))).collect();
    Some((names.map(spec).collect(), frames))
}

fn recorded_script() -> Option<Script> {
    let (markets, frames) = recorded()?;
    let metrics: Vec<Metric> = ALL.into_iter().chain([Metric::PremiumIndex]).collect();
    let wanted = SessionConfig { backfill: Span::hours(1), ..config("deribit", markets, &metrics) };
    let frames = frames.into_iter().map(|(at, text)| (at, text.into_bytes()));
    Some(Script::record(open(), wanted, frames, |_, _| 0, nothing))
}

/// Every channel of two perpetuals, five times a second.
fn perpetuals() -> Script {
    let tick = Decimal::parse(b"0.01");
    let linear = MarketSpec { tick, ..MarketSpec::bare("SOL_USDC-PERPETUAL", MarketKind::Perpetual) };
    let metrics: Vec<Metric> = ALL.into_iter().chain([Metric::PremiumIndex]).collect();
    let wanted =
        SessionConfig { backfill: Span::hours(1), ..config("deribit", vec![inverse(), linear.clone()], &metrics) };
    let mut frames = Vec::new();
    for n in 0_u32..900 {
        let now = NOW + Span::millis(200).times(i64::from(n));
        let ms = now.as_millis();
        for (market, name) in [crate::BTC, &*linear.symbol].into_iter().enumerate() {
            let price = f64::from(91_000 + n % 40);
            let (bid, ask) = (format!("{:.1}", price - 0.5), format!("{price:.1}"));
            let (id, amount) = (1_000 + n * 7, 10 * (1 + n % 9));
            let best = format!(
                r#""best_bid_price":{bid},"best_bid_amount":{amount}.0,"best_ask_price":{ask},"best_ask_amount":20.0"#
            );
            let name_and_time = format!(r#""instrument_name":"{name}","timestamp":{ms}"#);
            let levels = if n == 0 {
                format!(
                    r#""type":"snapshot","change_id":{id},"bids":[["new",90000.0,10.0]],"asks":[["new",92000.0,10.0]]"#
                )
            } else {
                format!(
                    r#""type":"change","prev_change_id":{},"change_id":{id},"bids":[["change",90000.0,{amount}.0]],"asks":[["new",{}.5,{amount}.0]]"#,
                    id - 7,
                    92_000 + n % 50
                )
            };
            let liquidation = if n % 50 == 3 { r#","liquidation":"T""# } else { "" };
            let trade = format!(
                r#"[{{"trade_seq":{},"trade_id":"{market}{n}",{name_and_time},"tick_direction":0,"price":{bid},"mark_price":{ask},"index_price":{ask},"direction":"sell","amount":{amount}.0,"contracts":1.0{liquidation}}}]"#,
                5_000 + n
            );
            let ticker = format!(
                r#"{{{name_and_time},"stats":{{"high":null,"volume":1.5}},"state":"open","settlement_price":{bid},"open_interest":{}.0,"mark_price":{ask},"index_price":{bid},"last_price":null,"interest_value":0.1,"funding_8h":6.55e-6,"current_funding":0.0,{best}}}"#,
                1_000_000 + n / 3
            );
            let minute = now.floor(Span::mins(1)).as_millis();
            let bar = format!(
                r#"{{"tick":{minute},"open":91000.0,"high":91100.0,"low":90900.0,"close":{bid},"volume":0.5,"cost":{amount}.0}}"#
            );
            frames.push((now, note(&format!("book.{name}.100ms"), &format!("{{{name_and_time},{levels}}}"))));
            frames.push((now, note(&format!("quote.{name}"), &format!("{{{name_and_time},{best}}}"))));
            frames.push((now, note(&format!("trades.{name}.100ms"), &trade)));
            frames.push((now, note(&format!("ticker.{name}.100ms"), &ticker)));
            frames.push((now, note(&format!("chart.trades.{name}.1"), &bar)));
        }
    }
    let frames = frames.into_iter().map(|(at, text)| (at, text.into_bytes()));
    Script::record(open(), wanted, frames, |_, _| 0, nothing)
}

fn holds(script: &Script) {
    suite::is_deterministic(open(), script);
    suite::survives_restarts(open(), script, 97);
    suite::survives_a_new_list(open(), script, "XYZ_USDC-PERPETUAL");
    suite::takes_any_ticks(open(), script);
    suite::declares_what_is_not_offered(open(), script);
    suite::loses_and_finds_once(open(), script, |m| m == Metric::FundingRateSettled);
    suite::refuses_garbage(open(), script);
}

#[test]
fn the_suite_holds_over_perpetuals() {
    let script = perpetuals();
    let (session, did) = script.run(open());
    assert!(did.iter().all(|d| d.faults.is_empty()), "{:?}", did.iter().flat_map(|d| &d.faults).next());
    for stream in session.streams().iter().filter(|s| s.offered && s.metric != Metric::FundingRateSettled) {
        let has = |e: &&barograph_venues::session::Emit| (e.market, e.metric) == (stream.market, stream.metric);
        assert!(did.iter().flat_map(|d| &d.events).filter(has).count() > 1, "{stream:?}");
    }
    holds(&script);
}

#[test]
fn the_suite_holds_over_the_recording() {
    let Some(script) = recorded_script() else { return };
    holds(&script);
}

/// `FUZZ_FRAMES` frames, some thousands without it.
#[test]
fn damaged_frames_say_nothing_impossible_and_state_does_not_grow() {
    let script = perpetuals();
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(4_000);
    says_nothing_impossible("deribit", &script, count);
    // Two books of 2 × 400 levels of 16 bytes, twice 1,024 trades, liquidations and settlements, the lag meter, streams.
    let largest = suite::stays_bounded(open(), &script, count, 200_000);
    println!("{count} damaged frames, state at most {largest} bytes");
}

#[test]
fn hot_messages_allocate_nothing() {
    let hot = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        ["\"book.", "\"quote.", "\"ticker.", "\"trades."].iter().any(|word| text.contains(word))
            && !text.contains("liquidation")
    };
    suite::allocates_nothing(open(), &perpetuals(), hot, |run| allocation_counter::measure(run).count_total);
}

#[test]
fn channels_that_do_not_come_are_subscribed_again() {
    let wanted = config("deribit", vec![inverse()], &ALL);
    let all = ["\"trades.", "\"quote.", "\"ticker.", "\"chart.trades."];
    suite::asks_again_for_what_does_not_come(open(), &wanted, &all, |_, _, _| Vec::new());
    // Confirmed, and silent: trades may be, and no other stream of theirs shows it.
    suite::asks_again_for_what_does_not_come(open(), &wanted, &["\"ticker."], |_, _, text| {
        let id = text.split("\"id\":").nth(1).unwrap().split(',').next().unwrap();
        let names = text.split("\"channels\":").nth(1).map_or("\"ok\"", |rest| rest.trim_end_matches('}'));
        vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{names},"usOut":1795158001200456}}"#).into_bytes()]
    });
}
