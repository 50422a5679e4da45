//! What is polled: large markets first, quiet ones less often, never more at once than allowed (R3.32 to R3.35).

use crate::rig::{Rig, config, data_of, perpetual};
use barograph_domain::{Metric, Span};
use barograph_venues::session::{MarketSpec, SessionConfig};
use std::collections::BTreeMap;

/// Polls `markets` for `minutes`; at most `per_second` answers a second. The open interest of a market moves when `moves` says
/// so. Returns how often each was asked, and in which order.
fn poll(
    markets: Vec<MarketSpec>,
    at_once: u32,
    (per_second, minutes): (usize, i64),
    moves: impl Fn(&str) -> bool,
) -> (BTreeMap<String, usize>, Vec<String>) {
    let wanted = SessionConfig {
        polls_in_flight_max: at_once,
        poll_every: Span::secs(60),
        polls_every: Vec::new(),
        ..config("binance-usdm", markets, &[Metric::OpenInterest])
    };
    let mut rig = Rig::new("binance-usdm", wanted);
    rig.open_all(0);
    let (mut asked, mut order): (BTreeMap<String, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
    for second in 0..minutes * 60 {
        rig.tick(1);
        let under_way = rig.asked.iter().filter(|r| r.url.contains("/openInterest")).count();
        assert!(under_way <= at_once as usize, "{under_way} under way");
        for _ in 0..per_second {
            let Some(request) = rig.request("/openInterest") else { break };
            let symbol = request.url.split("symbol=").nth(1).unwrap().to_owned();
            let value = if moves(&symbol) { 1_000 + second } else { 1_000 };
            let time = rig.now.as_millis();
            let body = format!(r#"{{"symbol":"{symbol}","openInterest":"{value}","time":{time}}}"#);
            let told = data_of(&rig.answer(request.id, 200, &body), Metric::OpenInterest);
            assert_eq!(told.len(), 1, "a value that has not moved is still news: it holds");
            *asked.entry(symbol.clone()).or_default() += 1;
            order.push(symbol);
        }
    }
    (asked, order)
}

#[test]
fn open_interest_that_does_not_move_is_asked_for_less_often() {
    let markets = (0..10).map(|n| perpetual(&format!("C{n}USDT"))).collect();
    let moves = |symbol: &str| symbol < "C5";
    let (asked, _) = poll(markets, 5, (100, 120), moves);
    for (symbol, times) in &asked {
        let want = if moves(symbol) { 118..=121 } else { 30..=42 };
        assert!(want.contains(times), "{symbol} was asked {times} times in two hours");
    }
    assert_eq!(asked.len(), 10);
}

#[test]
fn where_the_budget_is_short_large_markets_are_asked_first_and_none_starves() {
    // 120 markets a minute, and one answer a second.
    let sized = |n: u32| {
        let volume_24h_quote = [None, Some(2e7), Some(2e8), Some(2e9)][n as usize % 4];
        MarketSpec { volume_24h_quote, ..perpetual(&format!("S{}N{n}USDT", n % 4)) }
    };
    let (asked, _) = poll((0..120).map(sized).collect(), 5, (1, 60), |_| true);
    let of = |size: char| {
        let of_size = asked.iter().filter(|(symbol, _)| symbol.chars().nth(1) == Some(size)).map(|(_, times)| *times);
        of_size.fold((usize::MAX, 0), |(least, sum), n| (least.min(n), sum + n))
    };
    let [small, low, middle, large] = ['0', '1', '2', '3'].map(of);
    assert!(large.1 > middle.1 && middle.1 > low.1 && low.1 > small.1, "{:?}", [small, low, middle, large]);
    assert!(small.0 >= 15 && asked.len() == 120, "the smallest at least every four minutes: {small:?}");
}

/// How often each was asked for in an hour: open interest and two ratios of one market, where some have an interval of their own.
fn in_an_hour(polls_every: &[(Metric, Span)]) -> [usize; 3] {
    const ASKED: [(Metric, &str); 3] = [
        (Metric::OpenInterest, "/openInterest?"),
        (Metric::LongShortRatio, "/globalLongShortAccountRatio?"),
        (Metric::TopTraderAccountRatio, "/topLongShortAccountRatio?"),
    ];
    let config = config("binance-usdm", vec![perpetual("BTCUSDT")], &ASKED.map(|(metric, _)| metric));
    let mut rig = Rig::new("binance-usdm", SessionConfig { polls_every: polls_every.to_vec(), ..config });
    rig.open_all(0);
    let mut times = [0; 3];
    for second in 0..3_600 {
        rig.tick(1);
        for ((metric, path), times) in ASKED.iter().zip(&mut times) {
            while let Some(request) = rig.request(path) {
                let time = rig.now.as_millis();
                let body = match metric {
                    // A value that does not move would be asked for less often.
                    Metric::OpenInterest => {
                        format!(r#"{{"symbol":"BTCUSDT","openInterest":"{}","time":{time}}}"#, 1_000 + second)
                    }
                    _ => format!(r#"[{{"symbol":"BTCUSDT","longShortRatio":"1.5","timestamp":{time}}}]"#),
                };
                rig.answer(request.id, 200, &body);
                *times += 1;
            }
        }
    }
    times
}

#[test]
fn s7_an_interval_of_one_metric_changes_when_it_is_asked_and_no_other() {
    let about = |times: [usize; 3], want: [usize; 3]| {
        let near = times.iter().zip(want).all(|(n, want)| n.abs_diff(want) <= 1);
        assert!(near, "{times:?}, not {want:?}");
    };
    let others = in_an_hour(&[]);
    about(others, [60, 12, 12]);
    let interest = in_an_hour(&[(Metric::OpenInterest, Span::secs(30))]);
    about(interest, [120, 12, 12]);
    assert_eq!(interest[1..], others[1..]);
    about(in_an_hour(&[(Metric::LongShortRatio, Span::mins(10))]), [60, 6, 12]);
}
