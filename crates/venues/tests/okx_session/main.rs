//! The OKX session against recordings, fixtures and the sheet's checklist.
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
mod silence;

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, StatusState, Ts};
use barograph_venues::session::{MarketIndex, MarketSpec, venue};
use rig::{Rig, capture, config};

const ALL: [Metric; 10] = [
    Metric::Bar,
    Metric::Trade,
    Metric::BestBidAsk,
    Metric::MarkPrice,
    Metric::IndexPrice,
    Metric::FundingRate,
    Metric::FundingRateSettled,
    Metric::OpenInterest,
    Metric::Liquidation,
    Metric::Book,
];

/// The markets of the capture, as its instrument lists have them.
fn captured_markets(lines: &[rig::Line]) -> Vec<MarketSpec> {
    let lists = lines.iter().filter(|l| l.kind == "http" && !l.url.contains("OPTION"));
    let bodies: Vec<Vec<u8>> = lists.map(|l| l.data.clone().into_bytes()).collect();
    let all = (venue("okx").unwrap().instruments)(&bodies).unwrap();
    let names = ["BTC-USD-220527", "UNI-USD-SWAP", "BTC-USDT"];
    names.iter().map(|n| all.iter().find(|s| s.symbol == *n).unwrap().clone()).collect()
}

fn replay(lines: &[rig::Line], mut seen: impl FnMut(&mut Rig, &rig::Line)) -> Rig {
    let mut rig = Rig::new(config("okx", captured_markets(lines), &ALL), "okx", lines[1].ts);
    for line in lines {
        rig.now = rig.now.max(line.ts);
        match line.kind.as_str() {
            "connect" => rig.open(0, 1),
            "recv" => {
                rig.frame(1, &line.data);
                seen(&mut rig, line);
            }
            _ => {}
        }
    }
    rig
}

#[test]
fn all_checksums_of_the_capture_agree() {
    let Some(lines) = capture("okx") else { return };
    let mut books = 0;
    let rig = replay(&lines, |rig, line| {
        let v: serde_json::Value = serde_json::from_str(&line.data).unwrap();
        if v["arg"]["channel"] == "books" && v["data"].is_array() {
            let names = ["BTC-USD-220527", "UNI-USD-SWAP", "BTC-USDT"];
            let at = names.iter().position(|n| v["arg"]["instId"] == *n).unwrap();
            assert!(rig.session.book(MarketIndex(u32::try_from(at).unwrap())).is_some(), "{}", line.data);
            books += 1;
        }
    });
    assert_eq!(books, 290);
    assert_eq!(rig.holes(), []);
    assert_eq!(rig.faults.iter().map(|f| (f.kind, f.detail.clone())).collect::<Vec<_>>(), []);
    let mut trades = 0;
    for line in lines.iter().filter(|l| l.kind == "recv" && l.data.contains("\"trades\"")) {
        let v: serde_json::Value = serde_json::from_str(&line.data).unwrap();
        trades += v["data"].as_array().map_or(0, Vec::len);
    }
    let ours: usize = (0..3).map(|m| rig.data(m, Metric::Trade).len()).sum();
    assert!(ours == trades && trades > 70, "{ours} of {trades}");
}

#[test]
fn a_wrong_checksum_of_an_unnumbered_book_rebuilds_it() {
    let Some(lines) = capture("okx") else { return };
    let mut broken = 0;
    let changed: Vec<rig::Line> = lines
        .iter()
        .map(|l| {
            let mut l = l.clone();
            if broken == 0 && l.data.contains("\"update\"") && l.data.contains("UNI-USD-SWAP") {
                broken += 1;
                l.data = l.data.replace("\"checksum\":", "\"checksum\":1");
            }
            l
        })
        .collect();
    let rig = replay(&changed, |_, _| {});
    assert_eq!(rig.holes(), [(1, Metric::Book, GapReason::ChecksumMismatch)]);
    assert_eq!(rig.state(1, Metric::Book), Some(StatusState::Resync));
    assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live), "the others go on");
}

#[test]
fn contracts_of_the_capture_are_base_units() {
    let Some(lines) = capture("okx") else { return };
    let rig = replay(&lines, |_, _| {});
    // 1 contract of 100 USD at 30218.8.
    let trade = rig.data(0, Metric::Trade)[0];
    assert_eq!(trade.event_ts, Ts::from_millis(1_652_459_199_958));
    let Payload::Trade { price, qty, aggressor_side } = trade.payload else { panic!("{trade:?}") };
    assert_eq!((price, aggressor_side), (30218.8, Some(Side::Long)));
    assert!((qty - 100.0 / 30218.8).abs() < 1e-15, "{qty}");
    let spec = &captured_markets(&lines)[0];
    assert_eq!((spec.kind, spec.inverse, spec.contract_size), (MarketKind::DatedFuture, true, Some(100.0)));
    assert_eq!((spec.base.as_str(), spec.quote.as_str()), ("BTC", "USD"));
}
