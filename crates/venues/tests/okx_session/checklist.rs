//! Every line of the sheet's conformance checklist (section 10), by number.

use super::ALL;
use crate::rig::{Rig, config, is_backfill, value};
use barograph_domain::{GapReason, Kind, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::session::{Decimal, MarketIndex, MarketSpec, Priority, SessionConfig, suite, venue};

const NOW: Ts = Ts::from_millis(1_795_158_001_000);

pub(crate) fn swap(symbol: &str, contract_size: Option<f64>) -> MarketSpec {
    MarketSpec { tick: Decimal::parse(b"0.1"), contract_size, ..MarketSpec::bare(symbol, MarketKind::Perpetual) }
}

pub(crate) fn open(metrics: &[Metric], spec: MarketSpec, backfill: Span) -> Rig {
    let wanted = SessionConfig { backfill, ..config("okx", vec![spec], metrics) };
    let mut rig = Rig::new(wanted, "okx", NOW);
    let links: Vec<u16> = rig.session.links().iter().map(|l| l.id.0).collect();
    for (n, link) in (1_u32..).zip(links) {
        rig.open(link, n);
    }
    rig
}

fn btc(metrics: &[Metric]) -> Rig {
    open(metrics, swap("BTC-USDT-SWAP", Some(0.01)), Span::ZERO)
}

fn frame(channel: &str, data: &str) -> String {
    format!(r#"{{"arg":{{"channel":"{channel}","instId":"BTC-USDT-SWAP"}},"data":[{data}]}}"#)
}

fn book(action: &str, prev: i64, seq: i64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"arg":{{"channel":"books","instId":"BTC-USDT-SWAP"}},"action":"{action}","data":[{{"asks":{asks},"bids":{bids},"ts":"1795158001200","checksum":0,"prevSeqId":{prev},"seqId":{seq}}}]}}"#
    )
}

const BID: &str = r#"[["100.1","5","0","1"]]"#;
const ASK: &str = r#"[["100.3","5","0","1"]]"#;

fn top(rig: &Rig) -> Option<(f64, f64)> {
    rig.session.book(MarketIndex(0)).and_then(barograph_venues::session::OrderBook::top)
}

#[test]
fn checklist_01_text_pong_and_json_on_one_socket() {
    let mut rig = btc(&ALL);
    let limits = rig.session.limits();
    assert_eq!(limits.ping_every, Some(Span::secs(20)));
    assert!(limits.dead_after <= Span::secs(30), "a pong is due 10 s after the ping");
    assert!(rig.session.links().iter().all(|l| l.ping.as_deref() == Some("ping")));
    rig.frame(1, "pong");
    rig.frame(
        1,
        &frame("mark-price", r#"{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"91251.3","ts":"1795158000123"}"#),
    );
    rig.frame(1, "pong");
    assert_eq!(rig.data(0, Metric::MarkPrice).iter().map(value).collect::<Vec<_>>(), [91251.3]);
    assert!(rig.faults.is_empty());
}

#[test]
fn checklist_02_checksums_do_not_matter_where_there_are_sequence_ids() {
    for checksum in ["\"checksum\":0,", "\"checksum\":-855196043,", ""] {
        let mut rig = btc(&[Metric::Book]);
        rig.frame(1, &book("snapshot", -1, 10, BID, ASK).replace("\"checksum\":0,", checksum));
        rig.frame(1, &book("update", 10, 12, r#"[["100.2","1","0","1"]]"#, "[]").replace("\"checksum\":0,", checksum));
        assert_eq!(top(&rig), Some((100.2, 100.3)), "{checksum}");
        assert!(rig.faults.is_empty());
    }
}

#[test]
fn checklist_03_a_snapshot_resets_the_book_at_any_time() {
    let mut rig = btc(&[Metric::Book]);
    rig.frame(1, &book("snapshot", -1, 1_000, BID, ASK));
    for seq in [2_000, 5] {
        rig.frame(1, &book("snapshot", -1, seq, r#"[["90.1","5","0","1"]]"#, r#"[["90.3","5","0","1"]]"#));
        assert_eq!(top(&rig), Some((90.1, 90.3)));
        rig.frame(1, &book("update", seq, seq + 3, r#"[["90.2","5","0","1"]]"#, "[]"));
        assert_eq!(top(&rig), Some((90.2, 90.3)));
    }
    assert!(rig.holes().is_empty());
}

#[test]
fn checklist_04_a_broken_chain_is_one_gap_and_one_resubscription() {
    let mut rig = btc(&[Metric::Book]);
    rig.frame(1, &book("snapshot", -1, 10, BID, ASK));
    rig.forget();
    for prev in [12, 14, 16, 18] {
        rig.frame(1, &book("update", prev, prev + 2, r#"[["100.2","1","0","1"]]"#, "[]"));
    }
    assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::SequenceJump)]);
    let sent: Vec<_> = rig.sent.iter().map(|s| s.1.contains("\"unsubscribe\"")).collect();
    assert_eq!(sent, [true, false], "{:?}", rig.sent);
    assert!(top(&rig).is_none());
    rig.frame(1, &book("snapshot", -1, 30, BID, ASK));
    assert_eq!(rig.statuses(0, Metric::Book).last(), Some(&(StatusState::Live, GapReason::SequenceJump)));
}

#[test]
fn checklist_05_maintenance_may_lower_the_sequence() {
    let mut rig = btc(&[Metric::Book]);
    rig.frame(1, &book("snapshot", -1, 1_000, BID, ASK));
    rig.frame(1, &book("update", 1_000, 3, r#"[["100.2","1","0","1"]]"#, "[]"));
    rig.frame(1, &book("update", 3, 5, r#"[["100.2","0","0","0"]]"#, "[]"));
    assert_eq!(top(&rig), Some((100.1, 100.3)));
    assert!(rig.holes().is_empty() && rig.faults.is_empty());
}

#[test]
fn checklist_06_an_empty_update_is_a_sign_of_life() {
    let mut rig = btc(&[Metric::Book]);
    rig.frame(1, &book("snapshot", -1, 10, BID, ASK));
    for _ in 0..6 {
        rig.wait(60);
        rig.frame(1, &book("update", 10, 10, "[]", "[]"));
    }
    assert_eq!((rig.state(0, Metric::Book), top(&rig)), (Some(StatusState::Live), Some((100.1, 100.3))));
    assert_eq!(rig.holes(), []);
    rig.wait(151);
    assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::Silent)]);
}

#[test]
fn checklist_07_without_a_snapshot_one_is_fetched_and_spliced() {
    let answer = |seq: i64| {
        format!(
            r#"{{"code":"0","msg":"","data":[{{"asks":[["100.3","5","0","1"]],"bids":[["100.1","5","0","1"]],"ts":"1795158001200","seqId":{seq}}}]}}"#
        )
    };
    let mut rig = btc(&[Metric::Book]);
    // B1: kept. The third is the first that counts.
    rig.frame(1, &book("update", 20, 22, r#"[["100.2","9","0","1"]]"#, "[]"));
    rig.frame(1, &book("update", 22, 24, r#"[["100.2","0","0","1"]]"#, "[]"));
    rig.frame(1, &book("update", 24, 26, "[]", r#"[["100.2","7","0","1"]]"#));
    rig.wait(1);
    assert!(rig.requests.is_empty(), "the snapshot may still come");
    rig.wait(1);
    assert_eq!(rig.requests.len(), 1);
    let request = rig.requests[0].clone();
    assert!(request.url.ends_with("/api/v5/market/books?instId=BTC-USDT-SWAP&sz=400"), "{}", request.url);
    assert_eq!(request.priority, Priority::Sync);
    // B3: older than what is kept.
    rig.reply(request.id, 200, &answer(19));
    assert!(top(&rig).is_none());
    rig.wait(1);
    assert_eq!(rig.requests.len(), 2, "fetched again");
    let id = rig.requests[1].id;
    rig.reply(id, 200, &answer(25));
    assert_eq!(top(&rig), Some((100.1, 100.2)), "B4 and B5");
    rig.frame(1, &book("update", 26, 28, r#"[["100.0","7","0","1"],["100.1","0","0","0"]]"#, "[]"));
    assert_eq!(top(&rig), Some((100.0, 100.2)), "B6");
    assert!(rig.faults.is_empty() && rig.holes().is_empty());
    rig.frame(1, &book("update", 30, 32, "[]", ASK));
    assert_eq!(rig.holes(), [(0, Metric::Book, GapReason::SequenceJump)], "strict from then on");
}

#[test]
fn checklist_08_code_50011_at_http_200_is_throttling() {
    let mut rig = open(&[Metric::Bar], swap("BTC-USDT-SWAP", Some(0.01)), Span::hours(1));
    let row = r#"["1795158000000","100.1","100.3","100.0","100.2","400","4","400.5","0"]"#;
    rig.frame(1, &frame("candle1m", row));
    rig.wait(3);
    let mut pauses = Vec::new();
    for _ in 0..3 {
        let request = rig.requests.remove(0);
        rig.reply(request.id, 200, r#"{"code":"50011","msg":"Too Many Requests","data":[]}"#);
        let asked = rig.now;
        for _ in 0..100 {
            if rig.requests.is_empty() {
                rig.wait(1);
            }
        }
        pauses.push((rig.now - asked).as_secs());
    }
    assert!(pauses.is_sorted() && pauses[0] >= 2, "{pauses:?}");
    assert!(rig.faults.iter().all(|f| f.kind == "rate_limited") && rig.faults.len() == 3, "{:?}", rig.faults);
}

#[test]
fn checklist_09_contracts_convert_or_there_is_no_quantity() {
    let trade = r#"{"instId":"BTC-USDT-SWAP","tradeId":"1930113","px":"50000","sz":"2.5","side":"buy","ts":"1795158001288","count":"3","source":"0","seqId":335226848537}"#;
    let qty = |spec: MarketSpec| {
        let mut rig = open(&[Metric::Trade], spec, Span::ZERO);
        rig.frame(1, &frame("trades", trade));
        let kinds: Vec<_> = rig.faults.iter().map(|f| f.kind).collect();
        let got = rig.data(0, Metric::Trade).first().map(|e| e.payload);
        (got.map(|p| if let Payload::Trade { qty, .. } = p { qty } else { panic!() }), kinds)
    };
    assert_eq!(qty(swap("BTC-USDT-SWAP", Some(0.01))), (Some(0.025), vec![]));
    let inverse = MarketSpec { inverse: true, ..swap("BTC-USDT-SWAP", Some(100.0)) };
    assert_eq!(qty(inverse), (Some(0.005), vec![]));
    assert_eq!(qty(swap("BTC-USDT-SWAP", None)), (None, vec!["undecodable"]));
    let list = |val: &str, mult: &str, ccy: &str| {
        let body = format!(
            r#"{{"code":"0","msg":"","data":[{{"instType":"SWAP","instId":"X-USDT-SWAP","uly":"X-USDT","settleCcy":"USDT","ctType":"linear","ctVal":"{val}","ctMult":"{mult}","ctValCcy":"{ccy}","lotSz":"1","tickSz":"0.1","state":"live","expTime":""}}]}}"#
        );
        (venue("okx").unwrap().instruments)(&[body.into_bytes()]).unwrap()[0].contract_size
    };
    assert_eq!((list("0.1", "10", "X"), list("", "1", "X"), list("0.1", "", "X")), (Some(1.0), None, None));
    assert_eq!(list("10", "1", "USDT"), None, "worth quote units although linear: not known how to convert");
}

#[test]
fn checklist_10_the_interval_is_derived_from_times() {
    let hour = 3_600_000;
    let next = 1_795_161_600_000_i64;
    let row = |prev: Option<i64>, then: i64, ts: i64| {
        let prev = prev.map_or(String::new(), |p| p.to_string());
        format!(
            r#"{{"instType":"SWAP","instId":"BTC-USDT-SWAP","method":"current_period","fundingRate":"0.0000712","fundingTime":"{next}","prevFundingTime":"{prev}","nextFundingRate":"","nextFundingTime":"{then}","settState":"settled","settFundingRate":"0.0000488","ts":"{ts}"}}"#
        )
    };
    for hours in [1, 2, 4, 6, 8] {
        let mut rig = btc(&[Metric::FundingRate]);
        rig.frame(1, &frame("funding-rate", &row(Some(next - hours * hour), next + hours * hour, 1_795_158_001_000)));
        let got = rig.data(0, Metric::FundingRate)[0].payload;
        #[expect(clippy::cast_precision_loss, reason = "at most 8")]
        let interval_h = Some(hours as f64);
        let next_ts = Some(Ts::from_millis(next));
        assert_eq!(got, Payload::Funding { rate: 0.0000712, interval_h, next_ts, special: false });
    }
    let mut rig = btc(&[Metric::FundingRate, Metric::FundingRateSettled]);
    rig.frame(1, &frame("funding-rate", &row(None, next + 8 * hour, 1_795_158_001_000)));
    rig.frame(1, &frame("funding-rate", &row(None, next + 8 * hour, 1_795_158_002_000)));
    rig.frame(1, &frame("funding-rate", &row(Some(next - 4 * hour), next + 4 * hour, 1_795_158_003_000)));
    let hours: Vec<_> = rig
        .data(0, Metric::FundingRate)
        .iter()
        .map(|e| if let Payload::Funding { interval_h, .. } = e.payload { interval_h } else { panic!() })
        .collect();
    assert_eq!(hours, [Some(8.0), Some(4.0)], "a change is an event");
    let settled = rig.data(0, Metric::FundingRateSettled);
    assert_eq!((settled.len(), value(&settled[0]), settled[0].event_ts.as_millis()), (1, 0.0000488, next - 4 * hour));
}

/// A socket holds as many candles as the venue allows, whatever the books it could hold; there is none for what nobody wants.
#[test]
fn thirty_markets_with_one_kind_of_channel_need_one_socket() {
    for metric in [Metric::Bar, Metric::Trade] {
        let specs = (0..30).map(|n| MarketSpec::bare(&format!("C{n}-USDT-SWAP"), MarketKind::Perpetual)).collect();
        let rig = Rig::new(config("okx", specs, &[metric]), "okx", Ts::from_millis(1_795_158_000_000));
        assert_eq!(rig.session.links().len(), 1, "{metric:?}: {:?}", rig.session.links());
    }
}

/// Two settlements that are no whole hours apart, or more than a day, do not state an interval: the announced one holds.
#[test]
fn an_interval_is_whole_hours_up_to_a_day() {
    let minute = 60_000;
    let first = 1_795_132_800_000_i64;
    for (apart, want) in
        [(240, Some(4.0)), (60, Some(1.0)), (1_440, Some(24.0)), (150, Some(8.0)), (1_500, Some(8.0)), (30, Some(8.0))]
    {
        let mut rig = btc(&[Metric::FundingRateSettled]);
        for prev in [first, first + apart * minute] {
            rig.now = Ts::from_millis(prev + 1_000);
            let text = format!(
                r#"{{"instType":"SWAP","instId":"BTC-USDT-SWAP","method":"current_period","fundingRate":"0.0000712","fundingTime":"{}","prevFundingTime":"{prev}","nextFundingRate":"","nextFundingTime":"{}","settState":"settled","settFundingRate":"0.0000488","ts":"{}"}}"#,
                prev + 480 * minute,
                prev + 960 * minute,
                prev + 500
            );
            rig.frame(1, &frame("funding-rate", &text));
        }
        let settled = rig.data(0, Metric::FundingRateSettled);
        let Some(Payload::Funding { interval_h, .. }) = settled.get(1).map(|e| e.payload) else {
            panic!("{apart}: {settled:?}")
        };
        assert_eq!(interval_h, want, "{apart} minutes apart");
    }
}

#[test]
fn checklist_11_empty_text_is_none() {
    let mut rig = btc(&ALL);
    rig.frame(
        1,
        &frame(
            "tickers",
            r#"{"instType":"SWAP","instId":"BTC-USDT-SWAP","last":"","askPx":"","bidPx":"","ts":"1795158001204"}"#,
        ),
    );
    rig.frame(
        1,
        &frame(
            "open-interest",
            r#"{"instType":"SWAP","instId":"BTC-USDT-SWAP","oi":"5000","oiCcy":"","oiUsd":"","ts":"1795158001204"}"#,
        ),
    );
    rig.frame(
        1,
        &frame("mark-price", r#"{"instType":"SWAP","instId":"BTC-USDT-SWAP","markPx":"","ts":"1795158001204"}"#),
    );
    rig.frame(
        1,
        &frame("funding-rate", r#"{"instId":"BTC-USDT-SWAP","fundingRate":"","fundingTime":"","ts":"1795158001204"}"#),
    );
    for metric in ALL {
        assert!(rig.data(0, metric).is_empty(), "{metric:?}");
    }
    let body = br#"{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","uly":"","baseCcy":"","quoteCcy":"","settleCcy":"","ctType":"","ctVal":"","ctMult":"","ctValCcy":"","lotSz":"","tickSz":"","expTime":"","state":"live"}]}"#;
    let spec = (venue("okx").unwrap().instruments)(&[body.to_vec()]).unwrap().remove(0);
    assert_eq!((spec.tick, spec.step, spec.contract_size, spec.settle, spec.expiry), (None, None, None, None, None));
    assert_eq!((spec.base.as_str(), spec.quote.as_str()), ("BTC", "USDT"));
}

fn liquidation(details: &str) -> String {
    format!(
        r#"{{"arg":{{"channel":"liquidation-orders","instType":"SWAP"}},"data":[{{"instType":"SWAP","instFamily":"BTC-USDT","instId":"BTC-USDT-SWAP","uly":"BTC-USDT","details":[{details}]}}]}}"#
    )
}

fn order(side: &str, pos: &str, ms: i64) -> String {
    format!(r#"{{"side":"{side}","posSide":"{pos}","bkPx":"3010.55","sz":"41.2","bkLoss":"0","ccy":"","ts":"{ms}"}}"#)
}

#[test]
fn checklist_12_the_first_liquidations_are_history() {
    let mut rig = btc(&[Metric::Liquidation]);
    assert_eq!(rig.session.streams()[0].kind, Kind::Sampled);
    rig.frame(1, &liquidation(&order("sell", "long", 1_795_158_000_100)));
    rig.frame(1, &liquidation(&order("sell", "long", 1_795_158_001_100)));
    rig.frame(1, &liquidation(&order("sell", "long", 1_795_158_001_100)));
    let got: Vec<_> = rig.data(0, Metric::Liquidation).iter().map(is_backfill).collect();
    assert_eq!(got, [true, false]);
    rig.close(1);
    rig.open(0, 2);
    rig.frame(2, &liquidation(&order("buy", "short", 1_795_158_001_200)));
    assert!(is_backfill(rig.data(0, Metric::Liquidation).last().unwrap()), "again after a reconnect");
    let other = liquidation(&order("buy", "short", 1_795_158_001_300)).replace("BTC-USDT-SWAP", "ETH-USDT-SWAP");
    rig.frame(2, &other);
    assert_eq!((rig.data(0, Metric::Liquidation).len(), rig.faults.len()), (3, 0), "all contracts come, one is wanted");
}

#[test]
fn checklist_13_a_sell_closes_a_long() {
    let mut rig = btc(&[Metric::Liquidation]);
    let all = [("sell", "long"), ("sell", "net"), ("buy", "short"), ("buy", "net")];
    let details: Vec<String> = (0..).zip(all).map(|(n, (s, p))| order(s, p, 1_795_158_000_100 + n)).collect();
    rig.frame(1, &liquidation(&details.join(",")));
    let got: Vec<_> = rig
        .data(0, Metric::Liquidation)
        .iter()
        .map(|e| {
            if let Payload::Liquidation { liquidated_side, price, qty } = e.payload {
                (liquidated_side, price, qty)
            } else {
                panic!()
            }
        })
        .collect();
    let qty = 41.2 * 0.01;
    assert_eq!(got, [Side::Long, Side::Long, Side::Short, Side::Short].map(|s| (s, 3010.55, qty)));
}

#[test]
fn checklist_14_a_notice_makes_before_it_breaks() {
    let mut rig = btc(&[Metric::Trade, Metric::Book]);
    let trade = |id: u64| {
        frame(
            "trades",
            &format!(
                r#"{{"instId":"BTC-USDT-SWAP","tradeId":"{id}","px":"50000","sz":"1","side":"sell","ts":"17951580{:05}","count":"1"}}"#,
                id
            ),
        )
    };
    rig.frame(1, &book("snapshot", -1, 10, BID, ASK));
    rig.frame(1, &trade(1_100));
    rig.frame(1, r#"{"event":"notice","code":"64008","msg":"The connection will soon be closed","connId":"a4d3ae55"}"#);
    assert_eq!(rig.replaces.iter().map(|c| c.0).collect::<Vec<_>>(), [1]);
    rig.open(0, 2);
    rig.frame(2, &book("snapshot", -1, 10, BID, ASK));
    for id in [1_101, 1_102] {
        rig.frame(2, &trade(id));
        rig.frame(1, &trade(id));
    }
    rig.frame(2, &book("update", 10, 12, r#"[["100.2","1","0","1"]]"#, "[]"));
    rig.frame(1, &book("update", 10, 12, r#"[["100.2","1","0","1"]]"#, "[]"));
    rig.close(1);
    rig.frame(2, &trade(1_103));
    rig.frame(2, &book("update", 12, 14, r#"[["100.2","0","0","1"]]"#, "[]"));
    let ids: Vec<_> = rig.data(0, Metric::Trade).iter().map(|e| e.seq).collect();
    assert_eq!(ids, [1_100, 1_101, 1_102, 1_103]);
    assert_eq!(top(&rig), Some((100.1, 100.3)));
    assert!(rig.holes().is_empty() && rig.faults.is_empty(), "{:?}", rig.faults);
}

#[test]
fn checklist_15_only_one_of_the_two_trade_channels_counts() {
    let mut rig = btc(&[Metric::Trade]);
    assert!(rig.sent.iter().all(|s| !s.1.contains("trades-all")));
    let row = r#"{"instId":"BTC-USDT-SWAP","tradeId":"7","px":"50000","sz":"1","side":"sell","ts":"1795158000123","count":"1"}"#;
    rig.frame(1, &frame("trades-all", row));
    assert!(rig.data(0, Metric::Trade).is_empty());
    assert_eq!(rig.faults[0].kind, "unknown_topic");
}

/// The only bars asked for last a minute, which is the same in every time zone; daily bars are not stored from this venue.
#[test]
fn checklist_16_only_one_minute_bars_are_asked_for() {
    let mut rig = open(&[Metric::Bar], swap("BTC-USDT-SWAP", Some(0.01)), Span::days(2));
    assert!(rig.sent[0].1.contains(r#"{"channel":"candle1m","instId":"BTC-USDT-SWAP"}"#));
    assert!(rig.session.links()[0].url.ends_with("/ws/v5/business"));
    rig.frame(1, &frame("candle1m", r#"["1795158000000","100.1","100.3","100.0","100.2","400","4","400.5","0"]"#));
    assert!(rig.data(0, Metric::Bar).is_empty(), "open");
    rig.wait(3);
    assert!(rig.requests.iter().all(|r| r.url.contains("&bar=1m&")) && !rig.requests.is_empty());
    assert!(rig.requests[0].url.contains("history-candles"), "older than the first list: {}", rig.requests[0].url);
    rig.frame(1, &frame("candle1D", r#"["1795158000000","100.1","100.3","100.0","100.2","400","4","400.5","1"]"#));
    assert_eq!(rig.faults[0].kind, "unknown_topic");
    rig.now = Ts::from_millis(1_795_158_060_100);
    rig.frame(1, &frame("candle1m", r#"["1795158000000","100.1","100.3","100.0","100.2","400","4","400.5","1"]"#));
    let bar = rig.data(0, Metric::Bar)[0];
    assert_eq!(bar.event_ts.as_millis(), 1_795_158_060_000);
    let Payload::Bar(b) = bar.payload else { panic!() };
    assert_eq!((b.volume, b.quote_volume), (Some(4.0), Some(400.5)), "base and quote, not contracts");
}

#[test]
fn checklist_17_a_refused_subscription_is_not_tried_again() {
    for code in ["60018", "64002", "64003", "64004"] {
        let mut rig = btc(&[Metric::Book, Metric::MarkPrice]);
        rig.frame(1, &format!(r#"{{"id":"1","event":"error","code":"{code}","msg":"channel:books,instId:BTC-USDT-SWAP doesn't exist","connId":"a4d3ae55"}}"#));
        assert_eq!(rig.faults.iter().map(|f| f.kind).collect::<Vec<_>>(), ["subscription_refused"]);
        rig.forget();
        rig.wait(300);
        let books = rig.sent.iter().any(|s| s.1.contains("books"));
        assert!(!books && rig.requests.is_empty(), "{code}: {:?}", rig.sent);
        let book = rig.session.continuity().get(MarketIndex(0), Metric::Book).unwrap();
        assert_eq!(book.reason, GapReason::Refused, "and says so");
        rig.forget();
        rig.close(1);
        rig.open(0, 2);
        assert!(rig.sent[0].1.contains("mark-price") && !rig.sent[0].1.contains("books"), "{code}");
    }
}

#[test]
fn checklist_18_requests_stay_below_480_an_hour_and_64_kb() {
    let markets: Vec<_> = (0..300).map(|n| swap(&format!("COIN{n:04}-USDT-SWAP"), Some(1.0))).collect();
    let mut rig = Rig::new(config("okx", markets, &ALL), "okx", NOW);
    let links: Vec<_> = rig.session.links().iter().map(|l| (l.id.0, l.url.clone())).collect();
    let mut seen = 0;
    for (n, (link, url)) in (0_u32..).zip(&links) {
        rig.sent.clear();
        rig.open(*link, n);
        let books: usize = rig.sent.iter().map(|s| s.1.matches("\"books\"").count()).sum();
        assert!(books < 30, "{books}");
        assert!(rig.sent.iter().all(|s| s.1.len() < 65_536));
        assert!(rig.sent.iter().all(|s| s.1.contains("candle1m") == url.ends_with("business")));
        seen += books;
    }
    assert_eq!(seen, 300);
    // A book that breaks all the time: resubscriptions stop before the hour's budget is spent.
    let mut rig = btc(&[Metric::Book]);
    rig.sent.clear();
    for n in 0..1_000 {
        rig.frame(1, &book("snapshot", -1, 10 + n * 10, BID, ASK));
        rig.frame(1, &book("update", 3, 4, r#"[["100.2","1","0","1"]]"#, "[]"));
        rig.wait(1);
    }
    let sent = rig.sent.len();
    assert!(sent > 100 && sent < 480, "{sent}");
}

#[test]
fn channels_that_do_not_come_are_subscribed_again() {
    let metrics = Metric::ALL.to_vec();
    let wanted = config("okx", vec![MarketSpec::bare("BTC-USDT-SWAP", MarketKind::Perpetual)], &metrics);
    let open = venue("okx").unwrap().open;
    let all = ["\"trades\"", "\"tickers\"", "mark-price", "index-tickers", "funding-rate", "open-interest", "candle1m"];
    let all = [&all[..], &["liquidation-orders"]].concat();
    suite::asks_again_for_what_does_not_come(open, &wanted, &all, |_, _, _| Vec::new());
    let often = br#"{"id":"1","event":"error","code":"60014","msg":"Requests too frequent","connId":"a"}"#;
    suite::asks_again_for_what_does_not_come(open, &wanted, &all, |_, _, _| vec![often.to_vec()]);
}
