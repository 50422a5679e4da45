//! Events per second through `Engine::step` on one core, minute rows included; the same in minutes of one market with every
//! stream and all analytics but model fits; and the context of one market from memory: a row explained and written as JSON.
//!
//! Prints `figure <name> <number>` lines, which `cargo x bench` collects. Medians over runs; nothing else is averaged.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use barograph_domain::{MinuteRow, Span};
use barograph_engine::{Outputs, explain};
use std::time::Instant;

fn main() {
    let (mut rates, mut minutes) = (Vec::new(), Vec::new());
    let world = support::random_world(7, 60);
    for _ in 0..5 {
        let mut engine = world.engine("default");
        let mut out = Outputs::default();
        let mut rows = 0_usize;
        let began = Instant::now();
        for event in &world.events {
            engine.step(event, &mut out);
            rows += out.rows().len();
            out.clear();
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!(rows > 80_000, "the engine made {rows} rows");
        let per_second = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / seconds;
        rates.push(per_second(world.events.len()));
        minutes.push(per_second(rows));
    }
    println!("figure engine_events_per_s {:.0}", median(rates));
    println!("figure engine_minutes_per_s {:.0}", median(minutes));
    println!("figure context_p50_us {:.1}", median(context_micros()));
}

/// Microseconds to explain the newest row of the built-in history at the present moment and write it as JSON.
fn context_micros() -> Vec<f64> {
    let world = support::built_in_world("BTCUSDT");
    let config = support::config("default");
    let rows = world.rows("default", &world.events, |r| r.ts.0 % Span::mins(7).0 == 0);
    let ctx = explain::Context {
        book: &config.book,
        logic_version: "v0.0.0+bench",
        instrument: &world.instruments[0],
        streams: &world.streams,
    };
    let recent: Vec<&MinuteRow> = rows.iter().rev().take(2_000).collect();
    recent
        .windows(2)
        .map(|pair| {
            let began = Instant::now();
            let snapshot = explain::at_present(&ctx, pair[0], Some(pair[1]), pair[0].ts + Span::secs(30));
            let json = serde_json::to_vec(&snapshot).map_or(0, |v| v.len());
            assert!(json > 1_000);
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
