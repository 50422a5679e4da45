//! Events per second through `Engine::step` on one core, minute rows included; the same in minutes of one market with all
//! analytics but model fits, with every stream and with bars alone; and the context of one market from memory: a row explained
//! and written as JSON.
//!
//! Prints `figure <name> <number>` lines, which `cargo x bench` collects. Medians over runs; nothing else is averaged. Rates count
//! the time on a core, so that a busy machine changes them little.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use barograph_domain::{Event, Metric, MinuteRow, Span, StreamIndex};
use barograph_engine::{Outputs, explain};
use std::time::Instant;

/// How often the contexts are made again.
const ROUNDS: usize = 20;

fn main() {
    // For profilers: `-- bars` or `-- context` measures that alone, and `-- events 10` ten days once.
    let only = |part: &str| std::env::args().nth(1).is_none_or(|a| a == part || a.starts_with("--"));
    let days: Option<i64> = std::env::args().nth(2).and_then(|days| days.parse().ok());
    if only("events") {
        let world = support::random_world(7, days.unwrap_or(60));
        let (rows, seconds) = stepped(&world, if days.is_some() { 1 } else { 5 });
        println!("figure engine_events_per_s {:.0}", count(world.events.len()) / seconds);
        println!("figure engine_minutes_per_s {:.0}", count(rows) / seconds);
    }
    if only("bars") {
        let bars = bars_alone(support::random_world(7, days.unwrap_or(60)));
        let (rows, seconds) = stepped(&bars, if days.is_some() { 1 } else { 5 });
        println!("figure engine_bars_per_s {:.0}", count(rows) / seconds);
    }
    if only("context") {
        println!("figure context_p50_us {:.1}", median(context_micros()));
    }
}

/// Rows made of a world, and the median of the seconds it took over some runs.
fn stepped(world: &support::World, runs: usize) -> (usize, f64) {
    let (mut times, mut rows) = (Vec::new(), 0);
    for _ in 0..runs {
        let mut engine = world.engine("default");
        let mut out = Outputs::default();
        rows = 0;
        let began = (Instant::now(), on_core());
        for event in &world.events {
            engine.step(event, &mut out);
            rows += out.rows().len();
            out.clear();
        }
        let wall = began.0.elapsed().as_secs_f64();
        times.push(on_core().zip(began.1).map_or(wall, |(now, then)| now - then));
        assert!(rows * 5 > world.events.len(), "the engine made {rows} rows");
    }
    (rows, median(times))
}

/// Seconds this thread has had a core, where the kernel says so: what neighbours take is not the engine's.
fn on_core() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse::<f64>().ok().map(|ns| ns / 1e9)
}

/// The same market known by its minute bars only.
fn bars_alone(world: support::World) -> support::World {
    let bars = world.streams.iter().position(|s| s.metric == Metric::Bar).and_then(|i| u16::try_from(i).ok());
    let events = world.events.iter().filter(|e| Some(e.stream.0) == bars);
    let events = events.map(|e| Event { stream: StreamIndex(0), ..*e }).collect();
    let streams = world.streams.into_iter().filter(|s| s.metric == Metric::Bar).collect();
    support::World { streams, events, ..world }
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
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
        held: None,
        calls: None,
    };
    let recent: Vec<&MinuteRow> = rows.iter().rev().take(2_000).collect();
    // Many times over, for seconds: a rented machine's pace changes from one to the next.
    let again = std::iter::repeat_n(recent.windows(2), ROUNDS).flatten();
    again
        .map(|pair| {
            let began = Instant::now();
            let snapshot = explain::at_present(&ctx, pair[0], Some(pair[1]), pair[0].ts + Span::secs(30));
            // Room first, as the API does it.
            let mut json = Vec::with_capacity(32 << 10);
            let written = barograph_domain::json::write(&mut json, &snapshot);
            assert!(written.is_ok() && json.len() > 1_000);
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
