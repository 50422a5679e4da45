//! The conformance list of the venue's sheet, as far as perpetuals go.

use crate::rig::{Rig, config, value};
use crate::{ALL, BTC, NOW, book, inverse, note, opened, trade, trades};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState};
use barograph_venues::session::{Input, MarketIndex, MarketSpec};

const BID: &str = r#"["new",91250.0,18650.0]"#;
const ASK: &str = r#"["new",91250.5,11760.0]"#;

fn top(rig: &Rig) -> Option<(f64, f64)> {
    rig.session.book(MarketIndex(0))?.top()
}

#[test]
fn checklist_01_the_heartbeat_is_asked_for_first_and_answered() {
    let mut rig = opened(inverse(), &ALL);
    let sent: Vec<_> = rig.sent.iter().map(|s| s.1.clone()).collect();
    assert!(sent[0].contains("public/set_heartbeat") && sent[0].contains("\"interval\":30"), "{sent:?}");
    let names = r#"["book.BTC-PERPETUAL.100ms","trades.BTC-PERPETUAL.100ms","quote.BTC-PERPETUAL","ticker.BTC-PERPETUAL.100ms","chart.trades.BTC-PERPETUAL.1"]"#;
    let want = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{{"channels":{names}}}}}"#);
    assert_eq!(sent[1..], [want]);
    rig.forget();
    rig.frame(1, r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}"#);
    assert!(rig.sent.is_empty());
    rig.frame(1, r#"{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}"#);
    assert_eq!(rig.sent.len(), 1);
    rig.frame(1, r#"{"jsonrpc":"2.0","id":0,"result":{"version":"1.2.26"},"usIn":1,"usOut":2,"usDiff":1}"#);
    assert!(rig.faults.is_empty());
}

#[test]
fn checklist_02_a_broken_chain_is_one_gap_and_one_resubscription() {
    let mut rig = opened(inverse(), &ALL);
    rig.frame(1, &book("snapshot", "", 123_456_789, BID, ASK));
    rig.forget();
    rig.frame(1, &book("change", "\"prev_change_id\":123456800,", 123_456_801, r#"["new",91249.0,1.0]"#, ""));
    assert_eq!(rig.statuses(0, Metric::Book), [(StatusState::Resync, GapReason::SequenceJump)]);
    assert_eq!((rig.sent.len(), top(&rig)), (2, None), "unsubscribed and subscribed: {:?}", rig.sent);
    assert!(rig.sent.iter().all(|s| s.1.contains(r#"["book.BTC-PERPETUAL.100ms"]"#)), "{:?}", rig.sent);
    rig.frame(1, &book("change", "\"prev_change_id\":123456801,", 123_456_802, r#"["new",91249.0,1.0]"#, ""));
    assert_eq!((rig.sent.len(), rig.statuses(0, Metric::Book).len()), (2, 1), "ignored until the snapshot");
    rig.frame(1, &book("snapshot", "", 123_456_900, BID, ASK));
    assert_eq!(top(&rig), Some((91_250.0, 91_250.5)));
    assert_eq!(rig.session.book(MarketIndex(0)).unwrap().bids().count(), 1, "no level survives");
}

#[test]
fn checklist_03_null_zero_and_absent_begin_a_book() {
    for prev in ["", "\"prev_change_id\":null,", "\"prev_change_id\":0,"] {
        for kind in ["snapshot", "change"] {
            let mut rig = opened(inverse(), &ALL);
            rig.frame(1, &book(kind, prev, 5, BID, ASK));
            assert_eq!(top(&rig), Some((91_250.0, 91_250.5)), "{kind} {prev}");
        }
    }
}

#[test]
fn checklist_04_a_delete_deletes_whatever_its_amount() {
    let mut rig = opened(inverse(), &ALL);
    rig.frame(1, &book("snapshot", "", 5, &format!("{BID},[\"new\",91249.0,5.0]"), ASK));
    rig.frame(1, &book("change", "\"prev_change_id\":5,", 9, r#"["delete",91250.0,77.0]"#, ""));
    assert_eq!(top(&rig), Some((91_249.0, 91_250.5)));
    // One side is empty: nothing is said of the book until it is filled, and it stays subscribed.
    rig.forget();
    rig.frame(1, &book("change", "\"prev_change_id\":9,", 12, r#"["delete",91249.0,0.0]"#, ""));
    assert_eq!(rig.statuses(0, Metric::Book), [(StatusState::Resync, GapReason::EmptyBook)]);
    rig.wait(3);
    assert_eq!((top(&rig), rig.sent.len()), (None, 0));
    rig.frame(1, &book("change", "\"prev_change_id\":12,", 13, BID, ""));
    assert_eq!(top(&rig), Some((91_250.0, 91_250.5)));
}

#[test]
fn checklist_05_too_many_requests_rest_ten_seconds_and_survive_the_close() {
    let mut rig = opened(inverse(), &ALL);
    rig.forget();
    rig.frame(1, r#"{"jsonrpc":"2.0","id":1,"error":{"code":10028,"message":"too_many_requests"}}"#);
    rig.close(1);
    rig.wait(1);
    rig.open(0, 2);
    rig.wait(8);
    assert_eq!(rig.sent.len(), 1, "only the heartbeat: {:?}", rig.sent);
    rig.wait(1);
    assert!(rig.sent.len() == 2 && rig.sent[1].1.contains("public/subscribe"), "{:?}", rig.sent);
    rig.frame(2, &book("snapshot", "", 5, BID, ASK));
    assert_eq!(top(&rig), Some((91_250.0, 91_250.5)));
}

#[test]
fn checklist_06_amounts_become_base_units() {
    let rows = [trade(1, NOW, "sell", "")];
    for (spec, want) in [(inverse(), 750.0 / 91_250.0), (MarketSpec { inverse: false, ..inverse() }, 750.0)] {
        let mut rig = opened(spec, &ALL);
        rig.frame(1, &trades(&rows));
        let Payload::Trade { qty, aggressor_side, .. } = rig.data(0, Metric::Trade)[0].payload else {
            panic!("a trade")
        };
        assert_eq!((qty.to_bits(), aggressor_side), (f64::to_bits(want), Some(Side::Short)));
    }
}

#[test]
fn checklist_07_open_interest_is_counted_in_usd_and_converted_with_the_mark() {
    for (inverse_, base, usd) in [(true, 0.5, 50_000.0), (false, 50_000.0, 5e9)] {
        let mut rig = opened(MarketSpec { inverse: inverse_, ..inverse() }, &ALL);
        let at = NOW.as_millis();
        let data = format!(
            r#"{{"timestamp":{at},"state":"open","mark_price":100000.0,"index_price":99999.5,"open_interest":50000.0,"funding_8h":1.0e-5}}"#
        );
        rig.frame(1, &note("ticker.BTC-PERPETUAL.100ms", &data));
        let got = [Metric::OpenInterest, Metric::OpenInterestUsd].map(|m| value(&rig.data(0, m)[0]).to_bits());
        assert_eq!(got, [f64::to_bits(base), f64::to_bits(usd)]);
        // Not open: the book is stale until it moves again.
        rig.frame(1, &book("snapshot", "", 5, BID, ASK));
        rig.frame(1, &note("ticker.BTC-PERPETUAL.100ms", &data.replace("open\"", "settlement\"")));
        assert_eq!((rig.state(0, Metric::Book), top(&rig)), (Some(StatusState::Stale), None));
        rig.frame(1, &book("change", "\"prev_change_id\":5,", 6, BID, ""));
        assert_eq!(rig.state(0, Metric::Book), Some(StatusState::Live));
        assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    }
}

#[test]
fn checklist_08_whose_position_was_liquidated() {
    use Side::{Long, Short};
    for (direction, mark, want) in [
        ("buy", "M", vec![Long]),
        ("sell", "M", vec![Short]),
        ("buy", "T", vec![Short]),
        ("sell", "T", vec![Long]),
        ("buy", "MT", vec![Short, Long]),
    ] {
        let mut rig = opened(inverse(), &ALL);
        let row = trade(7, NOW, direction, &format!(",\"liquidation\":\"{mark}\""));
        rig.frame(1, &trades(core::slice::from_ref(&row)));
        rig.frame(1, &trades(&[row]));
        let side = |p| if let Payload::Liquidation { liquidated_side, .. } = p { liquidated_side } else { panic!() };
        let got: Vec<_> = rig.data(0, Metric::Liquidation).iter().map(|e| side(e.payload)).collect();
        assert_eq!(got, want, "{direction} {mark}");
        assert_eq!(rig.data(0, Metric::Trade).len(), 1, "once");
    }
}

#[test]
fn checklist_10_blocks_and_combinations_have_no_aggressor() {
    let mut rig = opened(inverse(), &ALL);
    let more = ["", ",\"block_trade_id\":\"BLOCK-1\"", ",\"combo_id\":\"BTC-FS-25DEC26_PERP\"", ",\"combo_id\":null"];
    let rows: Vec<_> = (1..).zip(more).map(|(seq, more)| trade(seq, NOW, "buy", more)).collect();
    rig.frame(1, &trades(&rows));
    let got: Vec<_> = rig
        .data(0, Metric::Trade)
        .iter()
        .map(|e| matches!(e.payload, Payload::Trade { aggressor_side: Some(_), .. }))
        .collect();
    assert_eq!(got, [true, false, false, true]);
}

#[test]
fn checklist_13_a_side_without_orders_is_no_price() {
    let mut rig = opened(inverse(), &ALL);
    for (bid, ask, quotes, faults) in
        [("null", "5.0", 0, 0), ("0.0", "5.0", 0, 0), ("4.0", "0", 0, 0), ("4.0", "5.0", 1, 0), ("-1.0", "5.0", 0, 1)]
    {
        rig.forget();
        let at = NOW.as_millis();
        let data = format!(r#"{{"timestamp":{at},"best_bid_price":{bid},"best_ask_price":{ask}}}"#);
        rig.frame(1, &note("quote.BTC-PERPETUAL", &data));
        assert_eq!((rig.data(0, Metric::BestBidAsk).len(), rig.faults.len()), (quotes, faults), "{bid} {ask}");
    }
}

#[test]
fn checklist_16_requests_hold_a_hundred_names_and_a_bad_one_is_found() {
    let many: Vec<_> =
        (0..70).map(|n| MarketSpec::bare(&format!("C{n}_USDC-PERPETUAL"), MarketKind::Perpetual)).collect();
    let mut rig = Rig::new(config("deribit", many, &ALL), "deribit", NOW);
    assert_eq!(rig.session.links().len(), 2, "sixty markets of five channels on one");
    rig.open(0, 1);
    let names: Vec<_> = rig.sent.iter().map(|s| s.1.matches("-PERPETUAL").count()).collect();
    assert_eq!(names, [0, 100, 100, 100]);
    assert_eq!(rig.session.limits().messages_per_s, 3);
    let mut rig = opened(inverse(), &[Metric::Trade, Metric::BestBidAsk, Metric::MarkPrice]);
    let (mut asked, mut refused) = (rig.sent.split_off(1), 0);
    while let Some((_, text)) = asked.pop() {
        rig.forget();
        let id = text.split("\"id\":").nth(1).unwrap().split(',').next().unwrap().to_owned();
        if text.contains("quote.") {
            refused += 1;
            rig.frame(1, &format!(r#"{{"id":{id},"error":{{"code":-32602,"message":"Invalid params"}}}}"#));
        } else {
            let names = text.split("\"channels\":").nth(1).unwrap().trim_end_matches('}');
            rig.frame(1, &format!(r#"{{"id":{id},"result":{names}}}"#));
        }
        asked.append(&mut rig.sent);
    }
    assert_eq!(rig.state(0, Metric::BestBidAsk), Some(StatusState::Gap));
    assert_eq!((refused, rig.state(0, Metric::Trade)), (3, Some(StatusState::Live)), "three names, two, one");
    rig.forget();
    rig.wait(29);
    assert!(rig.sent.iter().all(|s| !s.1.contains("quote.")), "refused for good: {:?}", rig.sent);
}

#[test]
fn names_that_the_answer_leaves_out_are_asked_for_again() {
    let mut rig = opened(inverse(), &[Metric::Trade, Metric::BestBidAsk]);
    rig.forget();
    rig.frame(1, r#"{"id":1,"result":["trades.BTC-PERPETUAL.100ms"],"usOut":1795158001200456}"#);
    assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["not_subscribed"]);
    rig.wait(32);
    let sent: Vec<_> = rig.sent.iter().map(|s| s.1.contains(&format!("[\"quote.{BTC}\"]"))).collect();
    assert_eq!(sent, [true, true], "{:?}", rig.sent);
}

#[test]
fn markets_can_be_changed_while_running() {
    let mut rig = opened(inverse(), &ALL);
    rig.forget();
    let eth = MarketSpec { symbol: "ETH-PERPETUAL".to_owned(), ..inverse() };
    rig.input(&Input::Markets(&[inverse(), eth.clone()]));
    assert!(rig.sent.len() == 1 && rig.sent[0].1.contains("ETH") && !rig.sent[0].1.contains("BTC"), "{:?}", rig.sent);
    rig.forget();
    rig.input(&Input::Markets(&[eth]));
    assert!(rig.sent.len() == 1 && rig.sent[0].1.contains("public/unsubscribe"), "{:?}", rig.sent);
    rig.frame(1, &book("snapshot", "", 5, BID, ASK));
    assert!(rig.data(0, Metric::Book).is_empty() && rig.faults.is_empty(), "still under way");
    rig.now = rig.now + Span::secs(1);
}
