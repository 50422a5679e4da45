//! Frames of the venue are read by two decoders, that of the sessions (speed) and that of the importers (reasons for every wrong
//! line). They have to say the same.

use crate::rig::{FUTURES, Line, Rig, config, cryptofeed, hftbacktest, perpetual};
use barograph_domain::{MarketKind, Metric, Payload, Ts};
use barograph_venues::binance::map::{self, Market};
use barograph_venues::session::{Emit, MarketSpec};

const MARK: &str = r#"{"e":"markPriceUpdate","E":1791383686000,"s":"BTCUSDT","p":"83134.61729710","ap":"83134.61729710","P":"83143.84436135","i":"83165.64673913","r":"0.00000253","T":1791388800000,"st":1}"#;
const AGG: &str = r#"{"e":"aggTrade","E":1791383685696,"a":3477883931,"s":"BTCUSDT","p":"83143.00","q":"0.035","nq":"0.035","f":8153673401,"l":8153673403,"T":1791383685545,"m":false,"st":1}"#;
const FORCE: &str = r#"{"e":"forceOrder","E":1791383690120,"o":{"s":"BTCUSDT","S":"SELL","o":"LIMIT","f":"IOC","q":"0.750","p":"82410.50","ap":"83051.20","X":"FILLED","l":"0.120","z":"0.750","T":1791383690116},"ps":"BTCUSDT","st":1}"#;
const KLINE: &str = r#"{"e":"kline","E":1791383700013,"s":"BTCUSDT","k":{"t":1791383640000,"T":1791383699999,"s":"BTCUSDT","i":"1m","f":8153670676,"L":8153673404,"o":"83070.80","c":"83142.90","h":"83143.00","l":"83070.70","v":"86.568","n":2723,"x":true,"q":"7193689.13750","V":"55.410","Q":"4604044.96780","B":"0"}}"#;
const TICKER: &str = r#"{"e":"bookTicker","u":11262309112,"s":"BTCUSDT","ps":"BTCUSDT","b":"83142.90","B":"2.699","a":"83143.00","A":"7.556","T":1791383685545,"E":1791383685546,"st":1}"#;

/// What a fact says, without what only one of the two can know: the settlement interval comes from the venue's list.
fn said(metric: Metric, payload: &Payload, event_ts: Option<Ts>) -> String {
    let payload = match *payload {
        Payload::Funding { rate, next_ts, special, .. } => {
            Payload::Funding { rate, interval_h: None, next_ts, special }
        }
        other => other,
    };
    format!("{metric:?} {payload:?} {event_ts:?}")
}

fn by_session(rig: &Rig, events: &[Emit], stamped: bool) -> Vec<(u32, String)> {
    let data = events.iter().filter(|e| e.metric != Metric::Book && !matches!(e.payload, Payload::Status(_)));
    data.map(|e| {
        // Spot tickers have no stamp: the session says when they came.
        let at = Some(e.event_ts).filter(|t| stamped || e.metric != Metric::BestBidAsk || *t != rig.now);
        (e.market.0, said(e.metric, &e.payload, at))
    })
    .collect()
}

fn by_importer(text: &[u8], market: Market) -> Option<Vec<String>> {
    let mut facts = Vec::new();
    map::facts(text, market, &mut facts).ok()?;
    Some(facts.iter().map(|f| said(f.metric, &f.payload, f.event_ts)).collect())
}

#[test]
fn every_change_of_a_frame_is_read_alike() {
    let changes: [(&str, &[(&str, &str)]); 5] = [
        (
            MARK,
            &[
                ("", ""),
                ("83134.61729710", "NaN"),
                ("\"p\":\"83134.61729710\"", "\"p\":\"0\""),
                ("\"p\":\"83134.61729710\"", "\"p\":\"-5\""),
                ("83165.64673913", ""),
                ("83165.64673913", "0"),
                ("0.00000253", ""),
                ("0.00000253", "-0.0123"),
                ("0.00000253", "1.0"),
                ("0.00000253", "-7"),
                ("1791388800000", "0"),
                ("\"st\":1", "\"st\":2"),
                ("83134.61729710", "8.3e4"),
                ("1791383686000", "5"),
            ],
        ),
        (
            AGG,
            &[
                ("", ""),
                ("83143.00", "0"),
                ("83143.00", "-1"),
                ("83143.00", "x"),
                ("0.035", "0"),
                ("\"q\":\"0.035\"", "\"q\":\"-0.035\""),
                ("false", "true"),
                ("1791383685545", "7"),
                ("\"m\":false", "\"X\":\"INSURANCE_FUND\",\"m\":false"),
                ("\"m\":false", "\"X\":\"MARKET\",\"m\":false"),
                ("\"m\":false,", ""),
                ("\"p\":\"83143.00\",", ""),
            ],
        ),
        (
            FORCE,
            &[
                ("", ""),
                ("SELL", "BUY"),
                ("SELL", "HOLD"),
                ("83051.20", "0"),
                ("82410.50", "0"),
                ("\"z\":\"0.750\"", "\"z\":\"-1\""),
                ("\"ap\":\"83051.20\"", "\"ap\":\"0\",\"p\":\"0\""),
                ("1791383690116", "1"),
            ],
        ),
        (
            KLINE,
            &[
                ("", ""),
                ("true", "false"),
                ("\"l\":\"83070.70\"", "\"l\":\"90000\""),
                ("\"o\":\"83070.80\"", "\"o\":\"99999\""),
                ("86.568", "-1"),
                ("\"c\":\"83142.90\"", "\"c\":\"0\""),
                ("1791383699999", "1791383600000"),
                ("7193689.13750", "?"),
            ],
        ),
        (
            TICKER,
            &[
                ("", ""),
                ("83142.90", "83143.10"),
                ("83142.90", "83143.00"),
                ("83142.90", "0"),
                ("83143.00", "-1"),
                ("83143.00", "z"),
                ("1791383685545", "3"),
            ],
        ),
    ];
    let mut read = 0;
    for (frame, changes) in changes {
        for (from, to) in changes {
            let text = if from.is_empty() { frame.to_owned() } else { frame.replacen(from, to, 1) };
            assert!(from.is_empty() || text != frame, "nothing was changed: {from}");
            let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], &FUTURES));
            rig.now = Ts::from_millis(1_791_383_701_000);
            rig.open_all(0);
            let ours: Vec<String> = {
                let events = rig.on(0, &text);
                by_session(&rig, &events, true).into_iter().map(|(_, said)| said).collect()
            };
            let theirs = by_importer(text.as_bytes(), Market::UsdM);
            assert_eq!(ours, theirs.clone().unwrap_or_default(), "{from} as {to} in {frame}");
            assert_eq!(
                rig.faults.is_empty(),
                theirs.is_some(),
                "refused by one only: {from} as {to}: {:?}",
                rig.faults
            );
            read += usize::from(theirs.is_some());
        }
    }
    assert!(read >= 18, "{read} were read");
}

/// Every fact of the session is the importer's too, of the same frame.
fn alike(id: &str, market: Market, markets: Vec<MarketSpec>, lines: &[Line]) {
    let metrics = [Metric::Bar, Metric::Trade, Metric::BestBidAsk];
    let mut rig = Rig::new(id, config(id, markets, &metrics));
    let (mut compared, mut more) = (0, 0);
    for (n, line) in lines.iter().enumerate() {
        let Line::Frame(at, bytes) = line else { continue };
        rig.now = rig.now.max(*at);
        if n == 0 || compared + more == 0 {
            rig.now = *at;
            rig.open_all(0);
        }
        let events = rig.on(0, std::str::from_utf8(bytes).unwrap());
        let theirs = by_importer(bytes, market).expect("a recorded frame");
        let ours = by_session(&rig, &events, market != Market::Spot);
        for (_, said) in &ours {
            assert!(theirs.contains(said), "only the session says {said}: {theirs:?}");
        }
        compared += ours.len();
        more += theirs.len() - ours.len();
    }
    assert!(compared > 500 && rig.faults.is_empty(), "{id}: {compared} compared, {:?}", rig.faults.first());
    // What comes twice, is older, or is said by both kinds of trades is reported once by the session.
    assert!(more < compared * 2, "{id}: {more} facts are the importer's only, {compared} both's");
}

#[test]
fn recorded_frames_are_read_alike() {
    if let Some(lines) = cryptofeed("raw/cryptofeed/binance_futures.jsonl.zst") {
        let markets = ["SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT"].map(perpetual).to_vec();
        alike("binance-usdm", Market::UsdM, markets, &lines);
    }
    if let Some(lines) = hftbacktest(&["binance-spot_ethusdt_20240808.gz"]) {
        alike("binance-spot", Market::Spot, vec![MarketSpec::bare("ETHUSDT", MarketKind::Spot)], &lines);
    }
    if let Some(lines) = hftbacktest(&["binance-coinm_ethusd_perp_20240808.gz"]) {
        alike("binance-coinm", Market::CoinM, vec![perpetual("ETHUSD_PERP")], &lines);
    }
}
