//! What the detectors of order flow cost, and what they find of injected truth (surveillance §9): the tables of docs/order-flow.md.
//!
//! Prints `figure <name> <number>` lines; with `truth` as an argument the table of precision and recall as well, which takes some
//! minutes.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a benchmark reads the clock and prints"
)]

#[path = "../tests/order_flow/market.rs"]
mod market;
#[path = "../tests/order_flow/sparse.rs"]
mod sparse;
#[path = "../tests/order_flow/truth.rs"]
mod truth;

use barograph_domain::math::wilson;
use barograph_domain::{Pattern, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowAccounting, FlowInput, FlowLevel, FlowThresholds, OrderFlow};
use market::{CLASSES, MarketClass, class, play};
use sparse::{SparsePlan, run};
use std::time::Instant;
use truth::{Injected, Scored, Untouched, alerts_of, plan};

const START: Ts = Ts(1_767_571_200_000_000_000);

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
    play(class("deep"), 3, Span::mins(5), &mut Injected::default(), |_, input| {
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
        play(c, 5, Span::mins(2), &mut Injected::default(), |at, input| of.push((at, Held::of(&input))));
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
    let (mut flow, mut out) = (OrderFlow::new(market::SCALE), Vec::new());
    play(MarketClass { step: Span::millis(200), ..c }, 5, Span::hours(26), &mut Injected::default(), |at, input| {
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
    println!(
        "| detector | class | ι | injections | recall | precision, strict | lenient | false | lead, median / p90 s | look-alikes that fired |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let is = |pattern: Pattern| only.is_none_or(|o| pattern.name().starts_with(o));
    for pattern in [Pattern::Spoofing, Pattern::Layering, Pattern::QuoteStuffing].into_iter().filter(|p| is(*p)) {
        for c in CLASSES {
            let (seed, count) = (11, 102);
            let untouched = Untouched::measure(c, seed, Span::hours(2));
            let warm = Span::mins(5 * 60 + 5);
            let length = warm + Span::secs(660 * count as i64);
            let background = alerts_of(c, seed, length, Injected::default());
            let run = |intensity: f64, like: bool| {
                let plan = plan(pattern, (c, &untouched), intensity, (START + warm, count), like, 5);
                Scored::of(pattern, &plan.injections, &alerts_of(c, seed, length, plan.injected), &background)
            };
            table(pattern, c.name, &run);
        }
    }
    for pattern in
        [Pattern::WashTrading, Pattern::PumpAndDump, Pattern::FundingWindowPressure].into_iter().filter(|p| is(*p))
    {
        for (name, trades) in [("busy", 3_600.0), ("middle", 1_200.0), ("quiet", 400.0)] {
            let (warm, days) = if pattern == Pattern::WashTrading { (12, 40) } else { (8, 30) };
            let of = |intensity, look_alikes| {
                run(SparsePlan { pattern, intensity, look_alikes, warm, days, seed: 4, trades })
            };
            let background = of(0.0, false).1;
            let run = |intensity: f64, like: bool| {
                let (injections, alerts) = of(intensity, like);
                Scored::of(pattern, &injections, &alerts, &background)
            };
            table(pattern, name, &run);
        }
    }
}

fn table(pattern: Pattern, name: &str, run: &dyn Fn(f64, bool) -> Scored) {
    let like = run(2.0, true);
    for intensity in [0.5, 1.0, 2.0] {
        let s = run(intensity, false);
        let band = |p: f64, n: usize| {
            let [lo, hi] = wilson(p, n.max(1) as f64, 1.959_964);
            format!("{p:.2} ({lo:.2}–{hi:.2})")
        };
        println!(
            "| {} | {name} | {intensity} | {} | {} | {} | {:.2} | {} | {:.0} / {:.0} | {} of {} |",
            pattern.name(),
            s.injections,
            band(s.recall(), s.injections),
            band(s.precision(), s.alerts_matched + s.false_alerts),
            s.lenient(),
            s.false_alerts,
            s.lead(0.5),
            s.lead(0.9),
            like.matched,
            like.injections,
        );
    }
}
