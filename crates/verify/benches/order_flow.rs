//! What the detectors of order flow cost, and what they find of injected truth (surveillance §9): the tables of docs/order-flow.md.
//!
//! Prints `figure <name> <number>` lines; with `truth` as an argument the table of precision and recall as well, which takes some
//! minutes.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a benchmark reads the clock and prints"
)]

use barograph_domain::{Span, Ts};
use barograph_engine::order_flow::{BookState, FlowAccounting, FlowInput, FlowLevel, FlowThresholds, OrderFlow};
use barograph_verify::injected::INTENSITIES;
use barograph_verify::injected::acts::LaidActs;
use barograph_verify::injected::made::{CLASSES, MarketClass, SCALE, class, play};
use barograph_verify::injected::synthetic::{MadeCase, PATTERNS, classes};
use barograph_verify::injected::table::HEAD;
use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(only) = args.iter().position(|a| a == "truth") {
        let only = args.get(only + 1).map(String::as_str);
        return truths(only);
    }
    accounting();
    markets();
}

/// Levels that changed, a second of one core.
fn accounting() {
    let mut ladders = Vec::new();
    play(class("deep").expect("a class"), 3, Span::mins(5), &mut LaidActs::default(), |_, input| {
        if let FlowInput::Book(state) = input {
            ladders.push((state.bids.to_vec(), state.asks.to_vec()));
        }
    });
    let best = (0..5)
        .map(|_| {
            let (mut accounting, mut flows, mut n) = (FlowAccounting::default(), Vec::new(), 0_usize);
            let began = Instant::now();
            for (at, (bids, asks)) in ladders.iter().enumerate() {
                flows.clear();
                accounting.update(Ts(at as i64 * 100_000_000), BookState { bids, asks }, &mut flows);
                n += flows.len();
            }
            (n, began.elapsed().as_secs_f64())
        })
        .fold((0, f64::INFINITY), |best, now| if now.1 < best.1 { now } else { best });
    println!("figure flow_levels_compared_per_s {:.0}", ladders.len() as f64 * 440.0 / best.1);
    println!("figure flow_level_changes_sparse_per_s {:.0}", best.0 as f64 / best.1);
    // Every level of forty changes with every update: what a level costs by itself.
    let ladder = |n: usize, sign: i64| -> Vec<FlowLevel> {
        (1..=20).map(|l| FlowLevel { units: 100_000 + sign * l, qty: 1.0 + ((n + l as usize) % 7) as f64 }).collect()
    };
    let all: Vec<_> = (0..2_000).map(|n| (ladder(n, -1), ladder(n, 1))).collect();
    let seconds = (0..7)
        .map(|_| {
            let (mut accounting, mut flows) = (FlowAccounting::default(), Vec::new());
            let began = Instant::now();
            for (at, (bids, asks)) in all.iter().enumerate() {
                flows.clear();
                accounting.trade(barograph_engine::order_flow::RestingSide::Bid, 99_999, 0.5);
                accounting.update(Ts(at as i64 * 100_000_000), BookState { bids, asks }, &mut flows);
            }
            began.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    println!("figure flow_level_updates_per_s {:.0}", 1_999.0 * 40.0 / seconds);
}

/// What a hundred markets cost: a core's share, and the memory of the one that holds most.
fn markets() {
    let t = FlowThresholds::default();
    let mut inputs: Vec<Vec<(Ts, Held)>> = Vec::new();
    for c in CLASSES {
        let mut of = Vec::new();
        let c = MarketClass { step: Span::millis(100), ..c };
        play(c, 5, Span::mins(2), &mut LaidActs::default(), |at, input| of.push((at, Held::of(&input))));
        inputs.push(of);
    }
    let mut flows: Vec<OrderFlow> = CLASSES.iter().map(|c| warmed(*c, &t)).collect();
    let mut out = Vec::new();
    let began = Instant::now();
    for (flow, inputs) in flows.iter_mut().zip(&inputs) {
        for (at, held) in inputs {
            held.give(*at + Span::hours(26), flow, &t, &mut out);
        }
    }
    let share = began.elapsed().as_secs_f64() / 120.0 / CLASSES.len() as f64 * 100.0;
    println!("figure flow_100_markets_core_share_pct {:.2}", 100.0 * share);
    let mut most = 0;
    for (c, flow) in CLASSES.iter().zip(&flows) {
        let held = allocation_counter::measure(|| drop(std::hint::black_box(flow.clone()))).bytes_max;
        println!("figure flow_held_bytes_{} {held}", c.name);
        most = most.max(held);
    }
    println!("figure flow_held_bytes_most {most}");
}

fn warmed(c: MarketClass, t: &FlowThresholds) -> OrderFlow {
    let (mut flow, mut out) = (OrderFlow::new(SCALE), Vec::new());
    play(MarketClass { step: Span::millis(200), ..c }, 5, Span::hours(26), &mut LaidActs::default(), |at, input| {
        flow.step(at, input, t, &mut out);
    });
    flow
}

/// An input kept, so that making it is not measured.
enum Held {
    Book(Vec<FlowLevel>, Vec<FlowLevel>),
    Other(FlowInput<'static>),
}

impl Held {
    fn of(input: &FlowInput<'_>) -> Self {
        match *input {
            FlowInput::Book(state) => Self::Book(state.bids.to_vec(), state.asks.to_vec()),
            FlowInput::Trade { price, qty, aggressor_side } => {
                Self::Other(FlowInput::Trade { price, qty, aggressor_side })
            }
            _ => Self::Other(FlowInput::Tick),
        }
    }
    fn give(&self, at: Ts, to: &mut OrderFlow, t: &FlowThresholds, out: &mut Vec<barograph_domain::Alert>) {
        match self {
            Self::Book(bids, asks) => to.step(at, FlowInput::Book(BookState { bids, asks }), t, out),
            Self::Other(input) => to.step(at, *input, t, out),
        }
    }
}

fn truths(only: Option<&str>) {
    println!("{HEAD}");
    let t = FlowThresholds::default();
    for pattern in PATTERNS.into_iter().filter(|p| only.is_none_or(|o| p.name().starts_with(o))) {
        for class in classes(pattern) {
            let case = MadeCase { pattern, class, intensities: INTENSITIES.to_vec(), episodes: None, seed: 0 };
            case.rows(&t, &mut || {}).iter().for_each(|row| println!("{row}"));
        }
    }
}
