//! Levels against the smartmoneyconcepts package of Python over the same 100,000 bars in the same run (bench/targets.toml:
//! swings, structure, order blocks, gaps, equal highs and lows).
//!
//! Ours does all five in one pass, with touches, sweeps, mitigations, reactions and strength besides; theirs are its five
//! functions, timed by `smc_seconds.py` beside this file with the interpreter that `BENCH_PYTHON` names, else
//! `python3`. Without that package there is no ratio and the output says so. Prints `figure <name> <number>` lines.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reads the clock, starts the other side and prints"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use barograph_domain::math::exp;
use barograph_domain::{Span, Ts};
use barograph_engine::features::bars::BuiltBar;
use barograph_engine::liquidity::{LevelHappening, LevelSink, Liquidity, TimeframeOptions};
use std::process::Command;
use std::time::Instant;
use support::Random;

const BARS: usize = 100_000;

/// Counts, so that nothing is optimised away.
#[derive(Default)]
struct Count(u64);

impl LevelSink for Count {
    fn level(&mut self, change: &LevelHappening) {
        self.0 += u64::from(change.record.touches) + 1;
    }
}

fn main() {
    let bars = bars(11);
    let ours = (0..9).map(|_| pass(&bars)).fold(f64::INFINITY, f64::min);
    println!("figure liquidity_100k_ms {:.2}", ours * 1e3);
    println!("figure liquidity_ns_per_bar {:.0}", ours * 1e9 / BARS as f64);
    println!("figure liquidity_cold_500_us {:.1}", cold(&bars));
    match theirs(&bars) {
        Ok(seconds) => {
            println!("figure smartmoneyconcepts_100k_s {seconds:.2}");
            println!("figure liquidity_against_smartmoneyconcepts {:.0}", seconds / ours);
        }
        Err(why) => eprintln!("skipped: the comparison with smartmoneyconcepts was NOT made: {why}"),
    }
}

/// Seconds for all bars.
fn pass(bars: &[BuiltBar]) -> f64 {
    let mut count = Count::default();
    let began = Instant::now();
    let mut levels = Liquidity::new(TimeframeOptions::default());
    for bar in bars {
        levels.push(bar, Ts(bar.index * Span::hours(1).0), &mut count);
    }
    let seconds = began.elapsed().as_secs_f64();
    assert!(count.0 > 100_000, "{} changes", count.0);
    seconds
}

/// Median microseconds for 500 bars from nothing.
fn cold(bars: &[BuiltBar]) -> f64 {
    let mut micros: Vec<f64> = bars.chunks_exact(500).map(|c| pass_short(c) * 1e6).collect();
    micros.sort_by(f64::total_cmp);
    micros[micros.len() / 2]
}

fn pass_short(bars: &[BuiltBar]) -> f64 {
    let began = Instant::now();
    // As one answer about one array needs it: nobody asks afterwards whether touches held.
    let mut levels = Liquidity::new(TimeframeOptions { reactions: false, ..TimeframeOptions::default() });
    for bar in bars {
        levels.push(bar, Ts(bar.index * Span::hours(1).0), &mut ());
    }
    let standing = levels.levels().count();
    let seconds = began.elapsed().as_secs_f64();
    assert!(standing > 0);
    seconds
}

/// Seconds that the package takes for its five functions, best of three; the reason where it could not be asked.
fn theirs(bars: &[BuiltBar]) -> Result<f64, String> {
    let python = std::env::var("BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let folder = std::env::temp_dir().join(format!("barograph-liquidity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|e| format!("no folder for the bars: {e}"))?;
    let file = folder.join("bars.csv");
    let mut text = String::from("open,high,low,close,volume\n");
    for b in bars {
        text.push_str(&format!("{},{},{},{},{}\n", b.open, b.high, b.low, b.close, b.volume.unwrap_or(0.0)));
    }
    let written = std::fs::write(&file, text).map_err(|e| format!("bars not written: {e}"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/smc_seconds.py");
    let ran = written.and_then(|()| {
        Command::new(&python).arg(script).arg(&file).output().map_err(|e| format!("cannot start '{python}': {e}"))
    });
    // A folder that stays behind harms nobody.
    let _removed = std::fs::remove_dir_all(&folder);
    let ran = ran?;
    let said = String::from_utf8_lossy(&ran.stdout);
    let seconds = said.lines().rev().find_map(|l| l.strip_prefix("seconds ")).and_then(|s| s.trim().parse().ok());
    seconds.filter(|_| ran.status.success()).ok_or_else(|| {
        let errors = String::from_utf8_lossy(&ran.stderr);
        format!("'{python}' said: {}", errors.lines().last().unwrap_or("nothing"))
    })
}

/// A seeded walk with calm and wild stretches, in ticks of a tenth so that equal prices happen.
fn bars(seed: u64) -> Vec<BuiltBar> {
    let mut r = Random(seed);
    let mut price = 60_000.0_f64;
    let tick = |x: f64| (x * 10.0).round() / 10.0;
    (0..BARS)
        .map(|i| {
            let wild = if (i / 4_000) % 3 == 2 { 3.0 } else { 1.0 };
            let open = price;
            price = tick(price * exp(0.003 * wild * r.normal()));
            let (high, low) = (
                tick(open.max(price) * (1.0 + 0.002 * wild * r.unit())),
                tick(open.min(price) * (1.0 - 0.002 * wild * r.unit())),
            );
            let volume = 20.0 * wild * (0.2 + r.unit());
            let index = i64::try_from(i).unwrap_or(i64::MAX) + 480_000;
            BuiltBar { index, open, high, low, close: price, volume: Some(volume), quote_volume: None }
        })
        .collect()
}
