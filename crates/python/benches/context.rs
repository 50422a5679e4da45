//! The same work without Python around it, and fifty strategies asking one engine from eight threads.
//!
//! `cargo bench -p barograph-python --profile python`; rows of `make bench` are taken from the lines `figure …`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench is a report; a failure ends it")]

use barograph_domain::Ts;
use barograph_engine::context::FrameOptions;
use barograph_engine::rules::RuleBook;
use barograph_python::answer::{Beside, PricedContext, priced};
use barograph_python::columns::FrameColumns;
use barograph_python::shared::{Analysis, SharedEngine};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const HOUR_NS: i64 = 3_600_000_000_000;

struct Data {
    time: Vec<i64>,
    columns: [Vec<f64>; 5],
}

impl Data {
    /// A seeded walk of hourly bars.
    fn of(bars: usize, mut seed: u64) -> Self {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(u32::MAX >> 1)
        };
        let mut columns: [Vec<f64>; 5] = Default::default();
        let mut price = 50_000.0;
        for _ in 0..bars {
            let open: f64 = price;
            let close = open * (1.0 + (next() - 0.5) * 0.012);
            let high = open.max(close) * (1.0 + next() * 0.004);
            let low = open.min(close) * (1.0 - next() * 0.004);
            for (column, x) in columns.iter_mut().zip([open, high, low, close, 10.0 + 90.0 * next()]) {
                column.push(x);
            }
            price = close;
        }
        let start = 1_767_225_600_000_000_000;
        let time = (0..bars).map(|i| start + i64::try_from(i).unwrap() * HOUR_NS).collect();
        Self { time, columns }
    }
    fn columns(&self, from: usize, upto: usize) -> FrameColumns<'_> {
        let [open, high, low, close, volume] = &self.columns;
        FrameColumns {
            time: &self.time[from..upto],
            unit: 1,
            open: &open[from..upto],
            high: &high[from..upto],
            low: &low[from..upto],
            close: &close[from..upto],
            volume: &volume[from..upto],
        }
    }
}

fn median(mut xs: Vec<f64>) -> f64 {
    xs.sort_by(f64::total_cmp);
    xs[xs.len() / 2]
}

fn main() {
    let book = RuleBook::shipped("default").unwrap();
    let options = FrameOptions::of(&book);
    let data = Data::of(20_000, 7);
    cold(&data, &book, &options);
    // For profilers: `-- cold` ends here.
    if std::env::args().any(|a| a == "cold") {
        return;
    }
    next_bar(&data, &book, &options);
    strategies(&data, &book, &options);
}

fn cold(data: &Data, book: &RuleBook, options: &FrameOptions) {
    let (mut all, mut push, mut read) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..400 {
        let columns = data.columns(i * 40, i * 40 + 500);
        let began = Instant::now();
        let frame = columns.frame(None, options).unwrap().unwrap();
        let pushed = began.elapsed();
        let price = *columns.close.last().unwrap();
        let said = priced(&frame, book, price).unwrap();
        let answer = PricedContext {
            analysis: None,
            said: Some(Arc::new(said)),
            beside: Beside::default(),
            symbol: "X".to_owned(),
            side: Some(barograph_domain::Side::Long),
            price: Some(price),
            version: "v".into(),
            too_few: false,
        };
        black_box(answer.judgement().unwrap());
        let whole = began.elapsed();
        all.push(whole.as_secs_f64() * 1e6);
        push.push(pushed.as_secs_f64() * 1e6);
        read.push((whole - pushed).as_secs_f64() * 1e6);
    }
    println!("figure context_cold_500_rust_us {:.1}", median(all));
    println!("figure context_cold_500_push_us {:.1}", median(push));
    println!("figure context_cold_500_read_us {:.1}", median(read));
}

fn next_bar(data: &Data, book: &RuleBook, options: &FrameOptions) {
    let mut frame = data.columns(0, 500).frame(None, options).unwrap().unwrap();
    let (mut push, mut both) = (Vec::new(), Vec::new());
    for i in 500..data.time.len() {
        let bar = barograph_engine::features::bars::BarSample {
            open: data.columns[0][i],
            high: data.columns[1][i],
            low: data.columns[2][i],
            close: data.columns[3][i],
            volume: Some(data.columns[4][i]),
            quote_volume: None,
        };
        let began = Instant::now();
        assert!(frame.push(Ts(data.time[i] + HOUR_NS), &bar));
        frame.will_be_asked_often();
        let pushed = began.elapsed();
        black_box(priced(&frame, book, bar.close));
        push.push(pushed.as_secs_f64() * 1e6);
        both.push(began.elapsed().as_secs_f64() * 1e6);
    }
    println!("figure context_next_bar_rust_us {:.2}", median(push));
    println!("figure context_next_bar_and_reading_rust_us {:.2}", median(both));
}

/// Fifty strategies on ten markets: each asks with the frame as it is, over and over, from eight threads.
fn strategies(data: &Data, book: &RuleBook, options: &FrameOptions) {
    let shared = SharedEngine::default();
    let ask = |strategy: usize, round: usize| {
        let market = strategy % 10;
        let from = market * 1_500 + round;
        let columns = data.columns(from, from + 500);
        let make =
            || columns.frame(None, options).map(|f| f.map(|frame| Analysis { frame, symbol: market.to_string() }));
        let now = u64::try_from(round).unwrap() * 1_000;
        let found = shared.analysis(columns.digest(0), (now, 60_000), make).unwrap().unwrap();
        black_box(priced(&found.frame, book, columns.close[499]));
    };
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ask = &ask;
            scope.spawn(move || {
                for round in 0..200 {
                    for strategy in (thread..50).step_by(8) {
                        ask(strategy, round);
                    }
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let s = shared.statistics(0, 60_000);
    println!("figure context_50_strategies_8_threads_per_s {:.0}", 10_000.0 / seconds);
    println!("figure context_lock_wait_p99_us {:.1}", s.lock_wait_p99_us);
    println!("note: {} locks, {} waited, hits {}, misses {}", s.locks, s.lock_waits, s.hits, s.misses);
}
