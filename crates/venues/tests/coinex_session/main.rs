//! The CoinEx session against the sheet's payloads, the suite of behaviour and the sheet's checklist.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and the shared rig reads recordings"
)]

#[path = "../rig/mod.rs"]
mod rig;

mod checklist;
mod requests;
mod suite;

use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::suite::Open;
use barograph_venues::session::{Decimal, MarketSpec, Request, SessionConfig, venue};
use rig::{Rig, config};

const ALL: [Metric; 11] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::OpenInterestUsd,
    Metric::Liquidation,
    Metric::Book,
];
/// A second after the sheet's payloads.
const NOW: Ts = Ts::from_millis(1_795_078_801_000);
const BIDS: &str = r#"[["84310.5","0.52"],["84309.9","1.07"]]"#;
const ASKS: &str = r#"[["84311.2","0.34"],["84312.0","2.15"]]"#;
/// Of both, and of the asks alone.
const SUM: i64 = 1_965_609_965;
const ASKS_SUM: i64 = 3_319_476_284;

fn open() -> Open {
    venue("coinex").unwrap().open
}

fn perpetual(symbol: &str) -> MarketSpec {
    MarketSpec { tick: Decimal::parse(b"0.01"), ..MarketSpec::bare(symbol, MarketKind::Perpetual) }
}

/// A session with these markets and so much history, and its connection open.
fn opened(symbols: &[&str], metrics: &[Metric], backfill: Span) -> Rig {
    let markets = symbols.iter().map(|s| MarketSpec { inverse: s.ends_with("USD"), ..perpetual(s) }).collect();
    let mut rig = Rig::new(SessionConfig { backfill, ..config("coinex", markets, metrics) }, "coinex", NOW);
    rig.open(0, 1);
    rig
}

fn btc(metrics: &[Metric]) -> Rig {
    opened(&["BTCUSDT"], metrics, Span::ZERO)
}

/// A push of a topic.
fn push(topic: &str, data: &str) -> String {
    format!(r#"{{"method":"{topic}.update","data":{data},"id":null}}"#)
}

/// A push of a book.
fn depth(is_full: bool, bids: &str, asks: &str, checksum: i64) -> String {
    push(
        "depth",
        &format!(
            r#"{{"market":"BTCUSDT","is_full":{is_full},"depth":{{"asks":{asks},"bids":{bids},"last":"84310.5","updated_at":1795078800120,"checksum":{checksum}}}}}"#
        ),
    )
}

/// Deals of a market, each with its number and the milliseconds since the sheet's.
fn deals(market: &str, numbers: &[(u64, i64)]) -> String {
    let rows: Vec<String> = numbers.iter().map(|(id, ms)| deal(*id, *ms)).collect();
    push("deals", &format!(r#"{{"market":"{market}","deal_list":[{}]}}"#, rows.join(",")))
}

fn deal(id: u64, ms: i64) -> String {
    format!(
        r#"{{"deal_id":{id},"created_at":{},"side":"buy","price":"84310.5","amount":"0.0120"}}"#,
        1_795_078_800_000 + ms
    )
}

/// A row of the state stream.
fn state(market: &str, interest: &str) -> String {
    format!(
        r#"{{"market":"{market}","last":"84310.5","open":"83010.0","close":"84310.5","high":"84990","low":"82640","volume":"912.40","value":"76480112.4","volume_sell":"401.10","volume_buy":"398.75","open_interest_size":"{interest}","insurance_fund_size":"21000000.50","mark_price":"84308.1","index_price":"84322.4","latest_funding_rate":"0.0001","next_funding_rate":"0.00006512","latest_funding_time":1795075200000,"next_funding_time":1795104000000,"period":86400}}"#
    )
}

fn states(rows: &[String]) -> String {
    push("state", &format!(r#"{{"state_list":[{}]}}"#, rows.join(",")))
}

/// A good answer.
fn answer(data: &str, has_next: bool) -> String {
    format!(r#"{{"code":0,"data":{data},"pagination":{{"has_next":{has_next}}},"message":"OK"}}"#)
}

/// Requests of this path since the last look; the others are forgotten.
fn asked(rig: &mut Rig, path: &str) -> Vec<Request> {
    let all = core::mem::take(&mut rig.requests);
    all.into_iter().filter(|r| r.url.contains(&format!("/v2/futures/{path}"))).collect()
}

fn kinds(rig: &Rig) -> Vec<&'static str> {
    rig.faults.iter().map(|f| f.kind).collect()
}
