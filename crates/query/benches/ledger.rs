//! What the ledger of a thousand live markets costs: its share of a core over two days and what it takes in the store.
//! `cargo bench -p barograph-query --bench ledger`; prints `figure <name> <number>` lines. The first day is not counted.
//!
//! Counted is all there is of it: the sample of each published row and the fold, which the core thread does, and the chains of
//! hashes and the append, which the store's does; hours and days are packed on the way, as they are live. Everything is put on one
//! thread here and its time on a core added up, so the share of a core is what both threads take together.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops when it cannot go on"
)]

#[expect(dead_code, reason = "rows are wanted here, a store of them is not")]
mod market;
#[expect(dead_code, reason = "ticks are taken one by one here")]
mod world;

use barograph_domain::{Span, Ts};
use barograph_engine::rules::RuleBook;
use barograph_store::{LedgerHead, LiveBatch, LiveLedger, Reader as _, SqliteReader, SqliteWriter, Writer, WriterRole};
use barograph_verify::ledger::chain::{Chains, day_of};
use barograph_verify::ledger::{GRID, MinuteSample};
use std::path::Path;

const START: Ts = Ts::from_civil(2025, 1, 1, 0, 0, 0);
const MARKETS: usize = 1_000;
const LOGIC: &str = "v0+synthetic";
const DAY: i64 = 1_440;
/// Two days are counted, after one in which nothing is old enough to resolve.
const DAYS: i64 = 3;

/// Seconds of work, by who does it.
#[derive(Default)]
struct Work {
    core: f64,
    store: f64,
    /// Of the core thread at each grid instant, in milliseconds.
    at_grid: Vec<f64>,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
    let (mut world, mut chains) = (world::World::new(MARKETS), Chains::default());
    let sample = sample_s();
    let (mut work, mut bytes) = (Work::default(), 0);
    for day in 0..DAYS {
        if day == 1 {
            work = Work::default();
            bytes = stored(folder.path());
        }
        for minute in day * DAY..(day + 1) * DAY {
            step(&mut world, START + Span::mins(minute), &mut writer, &mut chains, &mut work, sample);
        }
    }
    let minutes = ((DAYS - 1) * DAY) as f64;
    let share = |seconds: f64| 100.0 * seconds / (minutes * 60.0);
    work.at_grid.sort_by(f64::total_cmp);
    println!("figure ledger_sample_us {:.2}", sample * 1e6);
    println!("figure ledger_core_thread_percent {:.3}", share(work.core));
    println!("figure ledger_store_thread_percent {:.3}", share(work.store));
    println!("figure ledger_core_percent {:.3}", share(work.core + work.store));
    println!("figure ledger_grid_median_ms {:.1}", work.at_grid[work.at_grid.len() / 2]);
    println!("figure ledger_grid_longest_ms {:.1}", work.at_grid[work.at_grid.len() - 1]);
    let grown = (stored(folder.path()) - bytes) as f64;
    println!("figure ledger_bytes_per_market_minute {:.2}", grown / (minutes * MARKETS as f64));
}

/// Seconds of this thread on a core: others use the machine.
fn on_core_s() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Bytes of the database.
fn stored(folder: &Path) -> u64 {
    SqliteReader::open(folder).unwrap().database_bytes().unwrap()
}

/// Seconds that the sample of a row on the grid takes; that of another row is next to nothing.
fn sample_s() -> f64 {
    let book = RuleBook::standard();
    let rows = market::rows(200, &book);
    let rounds = 20_u32;
    let begun = on_core_s();
    for _ in 0..rounds {
        for (row, streams) in &rows {
            std::hint::black_box(MinuteSample::of(row, streams, &book));
        }
    }
    (on_core_s() - begun) / (f64::from(rounds) * rows.len() as f64)
}

fn step(
    world: &mut world::World,
    ts: Ts,
    writer: &mut dyn Writer,
    chains: &mut Chains,
    work: &mut Work,
    sample_s: f64,
) {
    world.publish(ts);
    let begun = on_core_s();
    let ticks = world.ledger.close();
    let mut core = on_core_s() - begun;
    if ts.floor(GRID) == ts {
        core += sample_s * MARKETS as f64;
        work.at_grid.push(core * 1e3);
    }
    work.core += core;
    let begun = on_core_s();
    for tick in ticks {
        let moved = chains.add(&tick, LOGIC);
        let day = day_of(tick.ts);
        let heads = moved
            .into_iter()
            .map(|(event, head)| LedgerHead { day, event, rows: head.rows, head: head.hash })
            .collect();
        let live = [LiveLedger { logic_version: LOGIC.to_owned(), tick, heads }];
        writer.append(&LiveBatch { ledger: &live, ..LiveBatch::default() }).unwrap();
    }
    work.store += on_core_s() - begun;
}
