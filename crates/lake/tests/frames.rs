//! Frames others have captured, and what a peer makes of the same ones.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use barograph_domain::{Metric, Payload, Side};
use barograph_testkit::recorded;
use barograph_venues::Unused;
use barograph_venues::binance::map::{Fact, Market, facts};
use std::io::Read;

fn text(below: &str) -> Option<String> {
    let mut out = String::new();
    let file = std::fs::File::open(recorded(below)?).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut out).unwrap();
    Some(out)
}

#[test]
fn captured_messages_by_kind() {
    let Some(lines) = text("raw/fixtures/crypto-msg-parser_binance.jsonl.gz") else { return };
    let mut seen = 0;
    for line in lines.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| case[key].as_str().unwrap().to_owned();
        let (kind, market, message) = (word("kind"), word("case"), word("message"));
        let market = match market.as_str() {
            "spot" => Market::Spot,
            m if m.starts_with("inverse") => Market::CoinM,
            m if m.starts_with("linear") => Market::UsdM,
            _ => continue, // Options are another venue.
        };
        let mut out: Vec<Fact<'_>> = Vec::new();
        let outcome = facts(message.as_bytes(), market, &mut out);
        let metrics: Vec<Metric> = out.iter().map(|f| f.metric).collect();
        let told = format!("{kind} {message}");
        match kind.as_str() {
            "trade" => assert_eq!(metrics, [Metric::Trade], "{told}"),
            "bbo" => assert_eq!(metrics, [Metric::BestBidAsk], "{told}"),
            "funding_rate" => assert!(metrics.contains(&Metric::FundingRate), "{told}"),
            "l2_event" => assert_eq!(outcome, Ok(Some(Unused::BookFrame)), "{told}"),
            "l2_topk" => {
                let books = [Ok(Some(Unused::BookFrame)), Ok(Some(Unused::BookSnapshot))];
                assert!(books.contains(&outcome), "{told}");
            }
            "l2_snapshot" => assert_eq!(outcome, Ok(Some(Unused::BookSnapshot)), "{told}"),
            "candlestick" => assert_eq!(outcome, Ok(Some(Unused::OpenCandle)), "{told}"),
            "ticker" | "open_interest" => assert_eq!(outcome, Ok(Some(Unused::Control)), "{told}"),
            other => panic!("unknown kind {other}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 49);
}

#[test]
fn a_peer_reads_the_same_numbers() {
    let Some(text) = text("vectors/venue_mapping/tardis_mappers.json.gz") else { return };
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let set = &vectors["map binance messages"];
    let mut compared = 0;
    for (message, expected) in
        set["inputs"]["messages"].as_array().unwrap().iter().zip(set["expected_in_order"].as_array().unwrap())
    {
        let message = message.to_string();
        let mut out: Vec<Fact<'_>> = Vec::new();
        assert!(facts(message.as_bytes(), Market::Spot, &mut out).is_ok(), "{message}");
        for want in expected.as_array().unwrap() {
            let (kind, number) = (want["type"].as_str().unwrap(), |key: &str| want[key].as_f64().unwrap());
            let payload = match kind {
                "trade" => {
                    let bought = want["side"] == "buy";
                    let aggressor_side = Some(if bought { Side::Long } else { Side::Short });
                    Payload::Trade { price: number("price"), qty: number("amount"), aggressor_side }
                }
                "book_ticker" => Payload::BestBidAsk { bid: number("bidPrice"), ask: number("askPrice") },
                _ => continue, // Books are not used yet.
            };
            assert_eq!((out[0].payload, &*out[0].symbol), (payload, want["symbol"].as_str().unwrap()));
            if kind == "trade" {
                let at = out[0].event_ts.unwrap().iso_millis();
                assert_eq!(
                    (out[0].seq.to_string(), at),
                    (want["id"].as_str().unwrap().to_owned(), want["timestamp"].as_str().unwrap().to_owned())
                );
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}
