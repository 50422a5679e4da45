//! Time of one advice: numbers and codes alone on a full context with 200 levels, and with all texts and JSON.
//!
//! Prints `figure <name> <number>` lines; medians over runs of a thousand.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints and may panic"
)]

#[path = "../tests/advice_common/mod.rs"]
mod advice_common;

use advice_common::{calm, level, long};
use barograph_domain::LevelType;
use barograph_engine::advice::{Costs, Intent, Settings, Trades, advise, render};
use std::hint::black_box;
use std::time::Instant;

fn main() {
    let levels: Vec<_> = (0_u32..200)
        .map(|i| {
            let kind = LevelType::ALL[(i % 14) as usize];
            let bottom = 46_000.0 + 40.0 * f64::from(i);
            level(kind, bottom, bottom + 25.0, 0.5)
        })
        .collect();
    let ctx = calm(&levels);
    let intent = Intent {
        stop: Some(49_160.0),
        equity: Some(10_000.0),
        size: Some(0.2),
        costs: Costs { taker_fee: 0.0005, half_spread: 0.5 },
        trades: Some(Trades { wins: 110, n: 200, average_win: 1.5, average_loss: 1.0 }),
        ..long(50_000.0)
    };
    let settings = Settings::default();
    let numbers = per_call(|| {
        black_box(advise(Some(black_box(&ctx)), black_box(&intent), &settings).unwrap());
    });
    println!("figure advise_ns {numbers:.0}");
    let texts = per_call(|| {
        let a = advise(Some(black_box(&ctx)), black_box(&intent), &settings).unwrap();
        black_box(serde_json::to_vec(&render(&a, Some(&ctx), &intent)).unwrap());
    });
    println!("figure advise_rendered_ns {texts:.0}");
}

/// Median nanoseconds over runs of a thousand calls.
fn per_call(mut call: impl FnMut()) -> f64 {
    let mut runs: Vec<f64> = (0..200)
        .map(|_| {
            let began = Instant::now();
            for _ in 0..1_000 {
                call();
            }
            began.elapsed().as_secs_f64() * 1e9 / 1_000.0
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}
