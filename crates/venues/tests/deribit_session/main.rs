//! The Deribit session against a recording, fixtures, the suite of behaviour and the sheet's checklist.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may fail by panicking, and reads recordings from files named by the environment"
)]

#[path = "../rig/mod.rs"]
mod rig;

mod checklist;
mod evidence;
mod history;
mod suite;

use barograph_domain::{MarketKind, Metric, Ts};
use barograph_venues::session::suite::Open;
use barograph_venues::session::{Decimal, MarketSpec, venue};
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
const NOW: Ts = Ts::from_civil(2026, 11, 19, 9, 0, 0);
const BTC: &str = "BTC-PERPETUAL";

fn open() -> Open {
    venue("deribit").unwrap().open
}

/// `BTC-PERPETUAL`, whose amounts are in USD.
fn inverse() -> MarketSpec {
    let tick = Decimal::parse(b"0.5");
    MarketSpec { inverse: true, tick, funding_interval_h: Some(1.0), ..MarketSpec::bare(BTC, MarketKind::Perpetual) }
}

/// A session with this market, and its connection open.
fn opened(spec: MarketSpec, metrics: &[Metric]) -> Rig {
    let mut rig = Rig::new(config("deribit", vec![spec], metrics), "deribit", NOW);
    rig.open(0, 1);
    rig
}

/// A notification.
fn note(channel: &str, data: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#)
}

/// A message of the book.
fn book(kind: &str, prev: &str, id: u64, bids: &str, asks: &str) -> String {
    let at = NOW.as_millis();
    note(
        "book.BTC-PERPETUAL.100ms",
        &format!(
            r#"{{"type":"{kind}","timestamp":{at},"instrument_name":"{BTC}",{prev}"change_id":{id},"bids":[{bids}],"asks":[{asks}]}}"#
        ),
    )
}

/// A trade as it stands in a list; `more` are fields behind the others.
fn trade(seq: u64, at: Ts, direction: &str, more: &str) -> String {
    format!(
        r#"{{"trade_seq":{seq},"trade_id":"4{seq}","timestamp":{},"tick_direction":2,"price":91250.0,"mark_price":91251.3,"instrument_name":"{BTC}","index_price":91238.12,"direction":"{direction}","amount":750.0,"contracts":75.0{more}}}"#,
        at.as_millis()
    )
}

fn trades(rows: &[String]) -> String {
    note("trades.BTC-PERPETUAL.100ms", &format!("[{}]", rows.join(",")))
}
