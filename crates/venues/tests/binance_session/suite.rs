//! The behaviour every session owes, over recordings of every market of the family.

use crate::rig::{Line, Rig, config, cryptofeed, hftbacktest, perpetual};
use barograph_domain::{MarketKind, Metric, Span, Ts};
use barograph_venues::session::suite::{self, Open, Script};
use barograph_venues::session::{ConnId, MarketSpec, Request, venue};

const METRICS: [Metric; 6] =
    [Metric::Bar, Metric::Trade, Metric::BestBidAsk, Metric::FundingRate, Metric::Liquidation, Metric::Book];

/// A run of a recording, its first `frames` messages.
fn script(id: &str, markets: Vec<MarketSpec>, lines: &[Line], frames: usize) -> Script {
    let bodies: Vec<(String, Vec<u8>)> = lines
        .iter()
        .filter_map(|l| match l {
            Line::Rest(_, url, body) => Some((url.clone(), body.clone())),
            Line::Frame(..) => None,
        })
        .collect();
    // Snapshots can be given as soon as they are asked for, so the frames begin where the snapshots are.
    let begin = lines.iter().rposition(|l| matches!(l, Line::Rest(..))).unwrap_or(0);
    let before = begin.saturating_sub(200);
    let input = lines[before..].iter().filter_map(|l| match l {
        Line::Frame(at, bytes) => Some((*at, bytes.clone())),
        Line::Rest(..) => None,
    });
    let answer = |request: &Request| {
        let symbol = request.url.split("symbol=").nth(1)?.split('&').next()?.to_owned();
        let body =
            bodies.iter().find(|(url, _)| url.ends_with("/depth?") || url.contains(&format!("symbol={symbol}&")))?;
        request.url.contains("/depth?").then(|| (200, body.1.clone()))
    };
    let link_of = |urls: &[String], bytes: &[u8]| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let tier = if head.contains("@depth") || head.contains("@bookTicker") { "/public/" } else { "/market/" };
        urls.iter().position(|u| u.contains(tier)).unwrap_or(0)
    };
    Script::record(open(id), config(id, markets, &METRICS), input.take(frames), link_of, answer)
}

fn open(id: &str) -> Open {
    venue(id).expect("listed").open
}

fn scripts() -> Vec<(&'static str, Script)> {
    let mut all = Vec::new();
    if let Some(lines) = cryptofeed("raw/cryptofeed/binance_futures.jsonl.zst") {
        let markets = ["SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT"].map(perpetual).to_vec();
        all.push(("binance-usdm", script("binance-usdm", markets, &lines, 1_500)));
    }
    if let Some(lines) = hftbacktest(&["binance-spot_ethusdt_20240808.gz"]) {
        let markets = vec![MarketSpec::bare("ETHUSDT", MarketKind::Spot)];
        all.push(("binance-spot", script("binance-spot", markets.clone(), &lines, 2_500)));
        all.push(("binance-us", script("binance-us", markets, &lines, 2_500)));
    }
    if let Some(lines) = hftbacktest(&["binance-coinm_ethusd_perp_20240808.gz"]) {
        all.push(("binance-coinm", script("binance-coinm", vec![perpetual("ETHUSD_PERP")], &lines, 2_500)));
    }
    all
}

#[test]
fn every_session_behaves() {
    for (id, script) in scripts() {
        println!("{id}: {} inputs", script.inputs.len());
        suite::is_deterministic(open(id), &script);
        suite::survives_restarts(open(id), &script, 37);
        suite::survives_a_new_list(open(id), &script, "XYZUSDT");
        suite::takes_any_ticks(open(id), &script);
        suite::declares_what_is_not_offered(open(id), &script);
        suite::loses_and_finds_once(open(id), &script, |m| m == Metric::OpenInterest);
        suite::refuses_garbage(open(id), &script);
    }
}

#[test]
fn hot_frames_allocate_nothing() {
    for (id, script) in scripts() {
        let measure = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
        suite::allocates_nothing(open(id), &script, |bytes| bytes.starts_with(b"{\"stream\""), measure);
    }
}

/// One hundred thousand damaged frames by default for all four markets together; `FUZZ_FRAMES=1000000` for a long run.
#[test]
fn damaged_frames_neither_panic_nor_grow_the_state() {
    let count = std::env::var("FUZZ_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000_usize) / 4;
    for (id, script) in scripts() {
        let largest = suite::stays_bounded(open(id), &script, count, 2 << 20);
        println!("{id}: {count} damaged frames, state at most {largest} bytes");
    }
}

#[test]
fn a_market_that_was_added_is_known_after_a_restart() {
    let beginning = config("binance-usdm", vec![perpetual("BTCUSDT")], &[Metric::Trade]);
    let mut rig = Rig::new("binance-usdm", beginning.clone());
    rig.open_all(0);
    rig.give(&suite::Step::Markets(vec![perpetual("BTCUSDT"), perpetual("XYZUSDT")]));
    let t = rig.now.as_millis();
    let trade = format!(
        r#"{{"stream":"xyzusdt@aggTrade","data":{{"e":"aggTrade","E":{t},"a":7,"s":"XYZUSDT","p":"100","q":"1","f":1,"l":1,"T":{t},"m":false,"st":1}}}}"#
    );
    let open = open("binance-usdm");
    suite::knows_what_was_added(open, beginning, &mut *rig.session, rig.now, ConnId(0), trade.as_bytes());
}

/// The state of a thousand markets is saved and restored.
#[test]
fn a_thousand_markets_are_saved_and_restored() {
    let markets: Vec<MarketSpec> = (0..1_000).map(|n| perpetual(&format!("C{n}USDT"))).collect();
    let config = config("binance-usdm", markets, &METRICS);
    let inputs = (0..3).map(|s| (Ts::from_secs(1_790_000_000) + Span::secs(s), suite::Step::Tick)).collect();
    suite::survives_restarts(open("binance-usdm"), &Script { config, inputs }, 1);
}
