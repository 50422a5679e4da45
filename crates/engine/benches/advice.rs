//! Time of one advice: numbers and codes alone on a full context with 200 levels, and with all texts and JSON.
//!
//! Prints `figure <name> <number>` lines; medians over runs of a thousand. For profilers: `-- once` asks for texts a thousand
//! times and measures nothing; for comparisons of two builds: `-- dump` prints a few thousand answers.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, prints and may panic"
)]

#[path = "../tests/advice_common/mod.rs"]
mod advice_common;

use advice_common::{calm, level, long, short, squeeze};
use barograph_domain::{Level, LevelType};
use barograph_engine::advice::{AdviceContext, Costs, Intent, OperatorSettings, Trades, advise, render};
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
    let settings = OperatorSettings::default();
    match std::env::args().nth(1).as_deref() {
        Some("once") => return (0..1_000).for_each(|_| drop(black_box(answer(&ctx, &intent, &settings)))),
        Some("dump") => return dump(&levels),
        _ => {}
    }
    let numbers = per_call(|| {
        black_box(advise(Some(black_box(&ctx)), black_box(&intent), &settings).unwrap());
    });
    println!("figure advise_ns {numbers:.0}");
    let texts = per_call(|| {
        black_box(answer(black_box(&ctx), black_box(&intent), &settings));
    });
    println!("figure advise_rendered_ns {texts:.0}");
}

#[inline(never)]
fn answer(ctx: &AdviceContext<'_>, intent: &Intent<'_>, settings: &OperatorSettings) -> Vec<u8> {
    let a = advise(Some(ctx), intent, settings).unwrap();
    serde_json::to_vec(&render(&a, Some(ctx), intent)).unwrap()
}

/// Answers on prices of many magnitudes, round ones and odd ones, in calm and in a squeeze, with this and that unknown.
fn dump(levels: &[Level]) {
    for n in 0_u32..6_000 {
        let scale = 10_f64.powi((n % 13).cast_signed() - 8);
        let odd = 1.0 + f64::from(n * 7_919 % 1_009) / [64.0, 1e3, 1e5, 7.0][(n / 13 % 4) as usize];
        let entry = if n % 3 == 0 { 50_000.0 } else { 3.0 * scale * odd };
        let share = [0.01, 0.000_7, 0.1, 0.033][(n % 4) as usize];
        let side = if n % 2 == 0 { 1.0 } else { -1.0 };
        let plain = if n % 2 == 0 { long(entry) } else { short(entry) };
        let intent = Intent {
            stop: (n % 5 > 0).then_some(entry * (1.0 - side * share)),
            equity: (n % 7 > 0).then_some(10_000.0 * odd),
            size: (n % 3 > 0).then_some(0.2 * odd / scale),
            costs: Costs { taker_fee: 0.0005, half_spread: entry * 1e-5 },
            trades: (n % 4 > 0).then_some(Trades { wins: n % 150, n: 200, average_win: odd, average_loss: 1.0 }),
            ..plain
        };
        let scaled: Vec<Level> = levels
            .iter()
            .map(|l| {
                let of = |x: f64| x / 50_000.0 * entry;
                Level { price: of(l.price), top: of(l.top), bottom: of(l.bottom), ..l.clone() }
            })
            .collect();
        let of_market = if n % 6 < 4 { calm(&scaled) } else { squeeze(&scaled, intent.side) };
        let ctx = AdviceContext {
            price: Some(entry * (1.0 + share / 9.0)),
            atr_14: (n % 11 > 0).then_some(entry * share * odd / 3.0),
            session: of_market.session.filter(|_| n % 9 > 0),
            ..of_market
        };
        let ctx = (n % 17 > 0).then_some(&ctx);
        match advise(ctx, &intent, &OperatorSettings::default()) {
            Ok(a) => println!("{}", serde_json::to_string(&render(&a, ctx, &intent)).unwrap()),
            Err(e) => println!("{e}"),
        }
    }
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
