//! Every capture of the family replays with its books right at every step, no hole that is not in it, and no fault.

use crate::rig::{FUTURES, Line, Rig, config, cryptofeed, data_of, hftbacktest, perpetual, play, status_of};
use barograph_domain::{GapReason, MarketKind, Metric, Payload, Span, StatusState};
use barograph_venues::session::{Fault, LagVerdict, MarketIndex, MarketSpec, venue};
use std::collections::{BTreeMap, VecDeque};

const CAPTURED: [Metric; 4] = [Metric::Bar, Metric::Trade, Metric::BestBidAsk, Metric::Book];

/// What the venue says the top is, to hold our books against: every book ticker, by update id.
#[derive(Default)]
struct Witness {
    tops: BTreeMap<u32, VecDeque<(u64, f64, f64)>>,
    agreed: usize,
    compared: usize,
}

impl Witness {
    fn ticker(&mut self, market: u32, id: u64, bid: f64, ask: f64) {
        let tops = self.tops.entry(market).or_default();
        tops.push_back((id, bid, ask));
        if tops.len() > 4_096 {
            tops.pop_front();
        }
    }

    /// After the book's update `id`: a ticker of just this id says the same.
    fn book(&mut self, market: u32, id: u64, top: (f64, f64)) {
        let Some(tops) = self.tops.get(&market) else { return };
        let Some((_, bid, ask)) = tops.iter().rev().find(|(u, _, _)| *u == id) else { return };
        self.compared += 1;
        self.agreed += usize::from((*bid, *ask) == top);
    }
}

fn number(v: &serde_json::Value) -> f64 {
    v.as_str().unwrap().parse().unwrap()
}

struct Played {
    rig: Rig,
    events: Vec<barograph_venues::session::Emit>,
    witness: Witness,
    frames: BTreeMap<String, usize>,
}

/// Plays a capture; after every depth frame the book is held against the tickers of the same update id.
fn played(id: &str, markets: Vec<MarketSpec>, lines: &[Line], metrics: &[Metric]) -> Played {
    let symbols: Vec<String> = markets.iter().map(|m| m.symbol.clone()).collect();
    let mut rig = Rig::new(id, config(id, markets, metrics));
    let mut witness = Witness::default();
    let mut frames: BTreeMap<String, usize> = BTreeMap::new();
    let mut pending: Vec<(u32, u64, (f64, f64))> = Vec::new();
    let events = play(&mut rig, lines, |rig, bytes, _| {
        let v: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let stream = v["stream"].as_str().unwrap();
        let kind = stream.split('@').nth(1).unwrap().to_owned();
        let d = &v["data"];
        let market = symbols.iter().position(|s| d["s"] == s.as_str()).unwrap();
        let market = u32::try_from(market).unwrap();
        match &*kind {
            "bookTicker" => witness.ticker(market, d["u"].as_u64().unwrap(), number(&d["b"]), number(&d["a"])),
            "depth" => {
                if let Some(top) = rig.session.book(MarketIndex(market)).and_then(|b| b.top()) {
                    pending.push((market, d["u"].as_u64().unwrap(), top));
                }
            }
            _ => {}
        }
        *frames.entry(kind).or_default() += 1;
        // Tickers and depth of one update come in either order.
        if pending.len() > 64 {
            let (market, id, top) = pending.remove(0);
            witness.book(market, id, top);
        }
    });
    for (market, id, top) in pending {
        witness.book(market, id, top);
    }
    Played { rig, events, witness, frames }
}

/// Everything a good capture owes.
fn check(p: &mut Played, markets: u32) {
    // A renewal of a book that moved far is asked for, and no recording holds an answer to it.
    let unanswered = |f: &Fault| f.kind == "request_failed" && f.detail.contains("no answer for minutes");
    let faults: Vec<&Fault> = p.rig.faults.iter().filter(|f| !unanswered(f)).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let lost: Vec<_> = p.events.iter().filter(|e| matches!(e.payload, Payload::Status(s) if s.state != StatusState::Live && s.state != StatusState::NotOffered)).collect();
    assert!(lost.is_empty(), "no hole: {lost:?}");
    for market in 0..markets {
        assert!(p.rig.live(market), "book {market}");
    }
    assert!(p.witness.compared > 20, "{} comparisons", p.witness.compared);
    assert_eq!(p.witness.agreed, p.witness.compared, "books agree with the tickers");
    let tickers = data_of(&p.events, Metric::BestBidAsk).len();
    assert_eq!(tickers, p.frames["bookTicker"], "every ticker is a fact, once");
}

fn exchange_info(id: &str, lines: &[Line], symbols: &[&str]) -> Vec<MarketSpec> {
    let info = lines.iter().find_map(|l| match l {
        Line::Rest(_, url, body) if url.contains("exchangeInfo") => Some(body.clone()),
        Line::Rest(..) | Line::Frame(..) => None,
    });
    let all = (venue(id).unwrap().instruments)(&[info.unwrap(), b"[]".to_vec()]).unwrap();
    symbols.iter().map(|s| all.iter().find(|m| m.symbol == *s).unwrap().clone()).collect()
}

#[test]
fn cryptofeed_futures() {
    let Some(lines) = cryptofeed("raw/cryptofeed/binance_futures.jsonl.zst") else { return };
    let markets = exchange_info("binance-usdm", &lines, &["SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT"]);
    assert_eq!(markets[0].tick.map(|t| t.to_f64()), Some(0.001));
    assert!(markets.iter().all(|m| m.kind == MarketKind::Perpetual && m.settle.as_deref() == Some("USDT")));
    let mut p = played("binance-usdm", markets, &lines, &CAPTURED);
    check(&mut p, 4);
    assert_eq!(data_of(&p.events, Metric::Trade).len(), p.frames["aggTrade"]);
    let bars = data_of(&p.events, Metric::Bar);
    assert!(bars.len() == 4 && bars.iter().all(|b| b.event_ts.floor(Span::mins(1)) == b.event_ts), "{bars:?}");
}

#[test]
fn cryptofeed_spot() {
    let Some(lines) = cryptofeed("raw/cryptofeed/binance.jsonl.zst") else { return };
    let markets = exchange_info("binance-spot", &lines, &["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"]);
    assert_eq!((markets[3].base.as_str(), markets[3].quote.as_str()), ("RUNE", "EUR"));
    let mut p = played("binance-spot", markets, &lines, &CAPTURED);
    check(&mut p, 4);
    assert_eq!(data_of(&p.events, Metric::Trade).len(), p.frames["aggTrade"]);
}

/// The recordings of one market, continued over midnight where the next day follows. Their receive clock is behind the venue's.
fn recorded(id: &str, symbol: &str, files: &[&str], contract: Option<f64>) -> Option<Played> {
    let lines = hftbacktest(files)?;
    let kind = if id == "binance-spot" { MarketKind::Spot } else { MarketKind::Perpetual };
    let mut spec = MarketSpec::bare(symbol, kind);
    spec.contract_size = contract;
    spec.inverse = contract.is_some();
    // No candles in these.
    let mut p = played(id, vec![spec], &lines, &CAPTURED[1..]);
    check(&mut p, 1);
    let trades = data_of(&p.events, Metric::Trade);
    assert!(trades.windows(2).all(|w| w[0].seq < w[1].seq));
    let lag = p.rig.session.lag().and_then(|l| l.lag()).expect("stamps");
    assert_eq!(lag.verdict, LagVerdict::Skew, "{lag:?}");
    assert!((-1.6..-1.1).contains(&lag.min.as_secs_f64()), "{lag:?}");
    Some(p)
}

#[test]
fn hftbacktest_usdm_over_midnight() {
    let files = ["binance-usdm_btcusdt_20240718.gz", "binance-usdm_btcusdt_20240719.gz"];
    let Some(p) = recorded("binance-usdm", "BTCUSDT", &files, None) else { return };
    assert!(p.witness.compared > 500, "{}", p.witness.compared);
}

#[test]
fn hftbacktest_usdm_btc() {
    recorded("binance-usdm", "BTCUSDT", &["binance-usdm_btcusdt_20240808.gz"], None);
}

#[test]
fn hftbacktest_usdm_eth() {
    recorded("binance-usdm", "ETHUSDT", &["binance-usdm_ethusdt_20240808.gz"], None);
}

#[test]
fn hftbacktest_coinm() {
    let files = ["binance-coinm_btcusd_perp_20240808.gz", "binance-coinm_btcusd_perp_20240809.gz"];
    let Some(p) = recorded("binance-coinm", "BTCUSD_PERP", &files, Some(100.0)) else { return };
    let Payload::Trade { price, qty, .. } = data_of(&p.events, Metric::Trade)[0].payload else { panic!() };
    assert!((price * qty - 400.0).abs() < 1e-6, "the first trade is 4 contracts of 100 USD");
    recorded("binance-coinm", "ETHUSD_PERP", &["binance-coinm_ethusd_perp_20240808.gz"], Some(10.0));
}

#[test]
fn hftbacktest_spot() {
    let files = ["binance-spot_btcusdt_20240808.gz", "binance-spot_btcusdt_20240809.gz"];
    recorded("binance-spot", "BTCUSDT", &files, None);
    recorded("binance-spot", "ETHUSDT", &["binance-spot_ethusdt_20240808.gz"], None);
}

/// A day file whose snapshot is in the day before: no book is shown, however many events come.
#[test]
fn without_a_snapshot_there_is_no_book() {
    let Some(lines) = hftbacktest(&["binance-usdm_btcusdt_20240719.gz"]) else { return };
    let mut rig = Rig::new("binance-usdm", config("binance-usdm", vec![perpetual("BTCUSDT")], &FUTURES));
    let events = play(&mut rig, &lines, |rig, _, _| assert!(!rig.live(0)));
    assert!(data_of(&events, Metric::Book).is_empty());
    assert_eq!(rig.asked.iter().filter(|r| r.url.contains("/depth?")).count(), 1, "asked once, waiting for the answer");
    let said = status_of(&events, Metric::Book);
    assert!(said.iter().all(|s| s.state == StatusState::Stale && s.reason == GapReason::Silent), "{said:?}");
}

/// One depth event left out: that book is lost and found with the next snapshot, and nothing else is.
#[test]
fn a_hole_resyncs_that_book_only() {
    let Some(mut lines) = cryptofeed("raw/cryptofeed/binance_futures.jsonl.zst") else { return };
    let markets = exchange_info("binance-usdm", &lines, &["SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT"]);
    let is_depth = |l: &Line| matches!(l, Line::Frame(_, b) if b.starts_with(b"{\"stream\":\"sushiusdt@depth"));
    let at = lines.iter().enumerate().filter(|(_, l)| is_depth(l)).nth(40).unwrap().0;
    lines.remove(at);
    let p = played("binance-usdm", markets, &lines, &CAPTURED);
    let lost = p.events.iter().filter_map(|e| match e.payload {
        Payload::Status(s) if s.state != StatusState::Live && s.state != StatusState::NotOffered => {
            Some((e.market.0, e.metric, s.state, s.reason))
        }
        _ => None,
    });
    let lost: Vec<_> = lost.collect();
    assert_eq!(lost, [(0, Metric::Book, StatusState::Resync, GapReason::SequenceJump)]);
    assert!(!p.rig.live(0) && p.rig.live(1) && p.rig.live(2) && p.rig.live(3), "no second snapshot is in the capture");
    assert_eq!(p.rig.asked.iter().filter(|r| r.url.contains("symbol=SUSHIUSDT")).count(), 1);
}
