//! A server of tools as a venue: what is called when, what answers become, and what it means that one does not come.

#![expect(clippy::unwrap_used, reason = "tests")]

use barograph_domain::{GapReason, MarketKind, Metric, Payload, Side, Span, StatusState, Ts};
use barograph_venues::mcp::{self, McpCall, McpFact, McpSource, Offered, SHIPPED, StampUnit};
use barograph_venues::session::{
    Action, BaseAddresses, Emit, FailReason, Input, MarketIndex, MarketSpec, Origin, Out, Request, Session,
    SessionConfig,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BEGIN: &str = "2026-02-05T12:00:07Z";
const BTC: MarketIndex = MarketIndex(0);

fn spec(base: &str) -> MarketSpec {
    MarketSpec {
        base: base.to_owned(),
        quote: "USDT".to_owned(),
        settle: Some("USDT".to_owned()),
        ..MarketSpec::bare(&format!("{base}USDT"), MarketKind::Perpetual)
    }
}

fn config(source: McpSource, bases: &[&str]) -> SessionConfig {
    SessionConfig {
        endpoints: BaseAddresses { rest: mcp::SCHEME.to_owned(), ws: String::new() },
        markets: bases.iter().map(|base| spec(base)).collect(),
        metrics: Metric::ALL.into_iter().filter(|m| *m != Metric::SpotPrice).collect(),
        backfill: Span::days(30),
        book_depth: 20,
        poll_every: Span::mins(1),
        polls_every: Vec::new(),
        polls_in_flight_max: 5,
        trade_side_is_maker: true,
        mcp: Some(source),
    }
}

/// The shipped table, with a server that has every tool it names.
fn coinex() -> McpSource {
    let source = SHIPPED[0].1();
    let tools = source.calls.iter().map(|call| call.tool.clone()).collect();
    McpSource { tools, ..source }
}

/// What a tool answered, around the value.
fn answered(value: &Value) -> String {
    json!({"content": [{"type": "text", "text": value.to_string()}], "structuredContent": value, "isError": false})
        .to_string()
}

/// What CoinEx's server answers to a call, at a moment, of a market (coinex §2).
fn exchange(tool: &str, symbol: &str, now: Ts) -> Value {
    let ms = now.as_millis();
    let minute = ms - ms.rem_euclid(60_000);
    let eight = ms - ms.rem_euclid(28_800_000);
    let data = match tool {
        "get_ticker" => json!([{"market": symbol, "last": "84310.5", "index_price": "84322.4", "mark_price": "84308.1", "open_interest_volume": "210.40"}]),
        "get_kline" => (0..5_i64)
            .map(|n| json!({"market": symbol, "created_at": minute - (4 - n) * 60_000, "open": "84300.1", "close": "84310.5", "high": "84350.0", "low": "84260.2", "volume": "1.284", "value": "108251.20"}))
            .collect(),
        "get_orderbook" => json!({"market": symbol, "is_full": true, "depth": {"asks": [["84311.2", "0.34"], ["84312.0", "2.15"]], "bids": [["84310.5", "0.52"], ["84309.9", "1.07"]], "updated_at": ms - 50}}),
        "get_funding_rate" => json!([{"market": symbol, "latest_funding_rate": "0.0001", "latest_funding_time": eight, "next_funding_rate": "0.00006512", "next_funding_time": eight + 28_800_000}]),
        "get_funding_rate_history" => (0..3_i64)
            .map(|n| json!({"market": symbol, "funding_time": eight - n * 28_800_000, "theoretical_funding_rate": "0.00008100", "actual_funding_rate": "0.00010000"}))
            .collect(),
        "get_premium_index_history" => json!([{"market": symbol, "created_at": minute, "premium_index": "-0.00016400"}]),
        _ => json!([]),
    };
    json!({"code": 0, "data": data, "message": "OK"})
}

/// A session whose requests are answered as a function says: at once, or never where it says nothing.
struct Rig {
    session: Box<dyn Session>,
    now: Ts,
    asked: Vec<(Ts, String, Value)>,
    facts: Vec<Emit>,
    faults: Vec<&'static str>,
}

enum Answer {
    Body(String),
    Fails(FailReason),
    Silence,
}

impl Rig {
    fn new(config: SessionConfig) -> Self {
        let session = (mcp::def("coinex-mcp", MarketKind::Perpetual).open)(config);
        let now = Ts::parse(BEGIN).unwrap();
        Self { session, now, asked: Vec::new(), facts: Vec::new(), faults: Vec::new() }
    }

    fn input(&mut self, input: &Input<'_>) -> Vec<Request> {
        let mut out = Out::default();
        self.session.input(self.now, input, &mut out);
        self.facts.extend(out.events);
        self.faults.extend(out.faults.iter().map(|fault| fault.kind));
        let request = |action| match action {
            Action::Request(request) => Some(request),
            _ => None,
        };
        out.actions.into_iter().filter_map(request).collect()
    }

    /// So many seconds, one tick each.
    fn run(&mut self, seconds: i64, answer: &dyn Fn(&str, &Value, Ts) -> Answer) {
        for _ in 0..seconds {
            let mut waiting = self.input(&Input::Tick);
            while let Some(request) = waiting.pop() {
                let tool = request.url.strip_prefix(mcp::SCHEME).unwrap().to_owned();
                let arguments: Value = serde_json::from_str(&request.body.unwrap()).unwrap();
                self.asked.push((self.now, tool.clone(), arguments.clone()));
                let more = match answer(&tool, &arguments, self.now) {
                    Answer::Body(body) => {
                        self.input(&Input::Reply { request: request.id, status: 200, body: body.as_bytes() })
                    }
                    Answer::Fails(reason) => self.input(&Input::Failed { request: request.id, reason }),
                    Answer::Silence => Vec::new(),
                };
                waiting.extend(more);
            }
            self.now = self.now + Span::secs(1);
        }
    }

    fn state(&self, metric: Metric) -> (StatusState, GapReason) {
        let known = self.session.continuity().get(BTC, metric).unwrap();
        (known.state, known.reason)
    }

    /// Facts of a metric of the first market, changes of continuity aside.
    fn of(&self, metric: Metric) -> Vec<&Emit> {
        let is_data = |e: &&Emit| !matches!(e.payload, Payload::Status(_));
        self.facts.iter().filter(|e| e.market == BTC && e.metric == metric).filter(is_data).collect()
    }
}

fn well(tool: &str, arguments: &Value, now: Ts) -> Answer {
    let symbol = format!("{}{}", arguments["base"].as_str().unwrap(), arguments["quote"].as_str().unwrap());
    Answer::Body(answered(&exchange(tool, &symbol, now)))
}

#[test]
fn answers_of_the_known_server_become_facts() {
    let mut rig = Rig::new(config(coinex(), &["BTC", "ETH"]));
    rig.run(180, &well);
    assert_eq!(rig.faults, Vec::<&str>::new());
    let newest = |metric| rig.of(metric).last().unwrap().payload;
    assert_eq!(newest(Metric::MarkPrice), Payload::Value(84_308.1));
    assert_eq!(newest(Metric::IndexPrice), Payload::Value(84_322.4));
    assert_eq!(newest(Metric::OpenInterest), Payload::Value(210.4));
    assert_eq!(newest(Metric::PremiumIndex), Payload::Value(-0.000_164));
    assert_eq!(newest(Metric::Book), Payload::BestBidAsk { bid: 84_310.5, ask: 84_311.2 });
    let Payload::Funding { rate, interval_h, next_ts, .. } = newest(Metric::FundingRate) else { panic!("no funding") };
    assert_eq!((rate, interval_h, next_ts), (0.000_065_12, Some(8.0), Ts::parse("2026-02-05T16:00:00Z").ok()));
    // The three settlements of the list, once each and as what was fetched afterwards; the bars that closed, once each.
    let settled = rig.of(Metric::FundingRateSettled);
    assert_eq!(settled.len(), 3);
    assert!(settled.iter().all(|e| e.origin == Origin::Backfill));
    let closes: Vec<i64> =
        rig.of(Metric::Bar).iter().map(|e| (e.event_ts - Ts::parse(BEGIN).unwrap()).as_secs()).collect();
    assert_eq!(closes, [-187, -127, -67, -7, 53, 113, 173]);
    for metric in [Metric::Trade, Metric::Liquidation, Metric::LongShortRatio] {
        assert_eq!(rig.state(metric).0, StatusState::NotOffered);
    }
    let offered: Vec<_> = rig.session.streams().iter().filter(|s| s.offered).collect();
    assert!(
        offered.iter().all(|s| rig.session.continuity().get(s.market, s.metric).unwrap().state == StatusState::Live)
    );
    // Each call at its own pace.
    let count = |tool: &str| rig.asked.iter().filter(|(_, asked, a)| asked == tool && a["base"] == "BTC").count();
    let counts =
        ["get_ticker", "get_kline", "get_orderbook", "get_funding_rate_history", "get_margin_tiers"].map(count);
    assert_eq!(counts, [13, 4, 7, 1, 1]);
    let (_, _, arguments) = rig.asked.iter().find(|(_, tool, _)| tool == "get_kline").unwrap();
    assert_eq!(arguments["market_type"], "futures");
}

/// A way of failing, how it is counted, and the reason of the gaps.
type Failing = (&'static str, fn() -> Answer, &'static str, GapReason);

#[test]
fn what_does_not_come_is_a_gap_with_its_reason_and_ends() {
    let failing: [Failing; 5] = [
        (
            "the exchange refuses",
            || Answer::Body(answered(&json!({"code": 4213, "data": {}, "message": "busy"}))),
            "error_reply",
            GapReason::Refused,
        ),
        (
            "the tool fails",
            || Answer::Body(json!({"isError": true, "content": [{"type": "text", "text": "no"}]}).to_string()),
            "tool_error",
            GapReason::Refused,
        ),
        (
            "nothing that can be read",
            || Answer::Body("Error: no credentials".to_owned()),
            "undecodable",
            GapReason::Undecodable,
        ),
        (
            "an answer without its rows",
            || Answer::Body(answered(&json!({"code": 0, "data": null}))),
            "undecodable",
            GapReason::Undecodable,
        ),
        ("the server is gone", || Answer::Fails(FailReason::Network), "poll_failed", GapReason::Disconnected),
    ];
    for (name, fails, kind, reason) in failing {
        let mut rig = Rig::new(config(coinex(), &["BTC"]));
        rig.run(60, &well);
        let before = rig.of(Metric::Bar).len();
        rig.run(240, &|_, _, _| fails());
        for metric in [Metric::MarkPrice, Metric::Bar, Metric::Book] {
            assert_eq!(rig.state(metric), (StatusState::Gap, reason), "{name}: {}", metric.name());
        }
        assert!(rig.faults.iter().all(|fault| *fault == kind) && rig.faults.len() > 10, "{name}: {:?}", rig.faults);
        // Asked again, less and less often, and never more than the table asks.
        let tickers = rig.asked.iter().filter(|(_, tool, _)| tool == "get_ticker").count();
        assert!((8..=21).contains(&tickers), "{name}: {tickers}");
        let lost =
            rig.facts.iter().filter(|e| e.metric == Metric::Bar && matches!(e.payload, Payload::Status(_))).count();
        rig.run(400, &well);
        assert_eq!(rig.state(Metric::Bar).0, StatusState::Live, "{name}");
        // The list has the last bars of the hole: they are fetched, and what is older stays missing and declared.
        let bars = rig.of(Metric::Bar);
        let distinct: BTreeMap<Ts, usize> = bars.iter().fold(BTreeMap::new(), |mut all, e| {
            *all.entry(e.event_ts).or_default() += 1;
            all
        });
        assert!(distinct.values().all(|times| *times == 1), "{name}: a bar twice");
        assert!(bars.len() > before + 6, "{name}: {} bars after {before}", bars.len());
        let status = |e: &&Emit| e.metric == Metric::Bar && matches!(e.payload, Payload::Status(_));
        let ends: Vec<_> = rig.facts.iter().filter(status).skip(lost).collect();
        assert!(!ends.is_empty(), "{name}: nothing says that the hole has ended");
    }
}

#[test]
fn what_is_late_is_a_silence() {
    let mut rig = Rig::new(config(coinex(), &["BTC"]));
    rig.run(60, &well);
    rig.run(200, &|_, _, _| Answer::Silence);
    assert_eq!(rig.state(Metric::MarkPrice), (StatusState::Stale, GapReason::Silent));
    assert_eq!(rig.state(Metric::Bar), (StatusState::Stale, GapReason::Silent));
}

#[test]
fn a_tool_that_the_server_lacks_is_not_called_and_not_offered() {
    let mut source = coinex();
    source.tools.retain(|tool| tool != "get_orderbook");
    let mut rig = Rig::new(config(source, &["BTC"]));
    rig.run(120, &well);
    assert_eq!(rig.state(Metric::Book), (StatusState::NotOffered, GapReason::NotOffered));
    assert!(rig.asked.iter().all(|(_, tool, _)| tool != "get_orderbook"));
    assert_eq!(rig.state(Metric::MarkPrice).0, StatusState::Live);
}

/// A call of all markets, whose rows name them; stamps in seconds, parts in other units, the side of the order.
#[test]
fn one_call_of_all_markets_is_told_apart_by_its_rows() {
    let fact = |metric, fields: &[(&str, &str)]| McpFact {
        metric,
        rows: "/rows".to_owned(),
        fields: fields.iter().map(|(name, at)| ((*name).to_owned(), (*at).to_owned())).collect(),
        factors: Vec::new(),
        stamp: StampUnit::S,
        at_close: false,
        side_of_order: true,
    };
    let liquidation = [("at", "/2"), ("market", "/0"), ("side", "/1"), ("price", "/3"), ("qty", "/4")];
    let ratio = McpFact {
        factors: vec![("value".to_owned(), 0.01)],
        ..fact(Metric::LongShortRatio, &[("value", "/3"), ("market", "/0")])
    };
    let call = McpCall {
        tool: "all".to_owned(),
        arguments: "{}".to_owned(),
        every: Span::secs(30),
        good: None,
        facts: vec![fact(Metric::Liquidation, &liquidation), ratio],
    };
    let source = McpSource { calls: vec![call], tools: vec!["all".to_owned()] };
    assert_eq!(source.check(), Ok(()));
    let mut rig = Rig::new(config(source, &["BTC", "ETH"]));
    rig.run(90, &|_, _, now| {
        let at = now.as_millis() / 60_000 * 60;
        let rows = json!([
            ["BTCUSDT", "sell", at, "84000", "0.5"],
            ["ETHUSDT", "buy", at, 3_000, 1.5],
            ["DOGEUSDT", "buy", at, 1, 1]
        ]);
        Answer::Body(answered(&json!({"rows": rows})))
    });
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    let liquidated = rig.of(Metric::Liquidation);
    assert_eq!(liquidated.len(), 2, "one a minute, once each: {liquidated:?}");
    let want = Payload::Liquidation { liquidated_side: Side::Long, price: 84_000.0, qty: 0.5 };
    assert_eq!(liquidated[0].payload, want, "a sale closes a long");
    assert_eq!(rig.of(Metric::LongShortRatio)[0].payload, Payload::Value(840.0));
    assert_eq!(rig.asked.len(), 4, "one call for both");
}

#[test]
fn a_restored_session_goes_on_as_if_it_had_not_stopped() {
    let config = config(coinex(), &["BTC", "ETH"]);
    let mut one = Rig::new(config.clone());
    one.run(100, &well);
    let mut other = Rig::new(config.clone());
    other.session.restore(&one.session.save()).unwrap();
    other.now = one.now;
    let (facts, asked) = (one.facts.len(), one.asked.len());
    one.run(100, &well);
    other.run(100, &well);
    assert_eq!(one.facts[facts..], other.facts[..]);
    assert_eq!(one.asked[asked..], other.asked[..]);
    assert_eq!(one.session.save(), other.session.save());
    let mut less = config;
    less.mcp.as_mut().unwrap().calls.pop();
    assert!(Rig::new(less).session.restore(&one.session.save()).is_err(), "another table");
}

#[test]
fn what_the_server_has_names_the_markets() {
    let def = mcp::def("x-mcp", MarketKind::Perpetual);
    let offered = Offered { tools: vec!["t".to_owned()], markets: vec![spec("BTC")] };
    let body = serde_json::to_vec(&offered).unwrap();
    assert_eq!((def.instruments)(&[body]).unwrap(), [spec("BTC")]);
    assert!((def.instruments)(&[b"<html>".to_vec()]).unwrap_err().contains("cannot be read"));
    assert_eq!(mcp::trades("coinex-spot-mcp"), Some(MarketKind::Spot));
    assert_eq!((mcp::trades("coinex-mcp"), mcp::trades("coinex")), (Some(MarketKind::Perpetual), None));
}
