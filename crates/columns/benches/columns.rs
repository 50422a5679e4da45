//! Rows a second from wide snapshots, and changes of a book a second with a row each second, on one core:
//! `cargo bench -p barograph-columns`; prints `figure <name> <number>` lines. Where `PEERS_PYTHON` names a Python with numpy and polars,
//! wide snapshots are also given to the original's method in Polars, in the same run: how many times as fast, and which share of its memory.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark looks at the clock")]

use barograph_columns::{Arrival, BookSides, DepthLevel, MarketColumns, OtherFeeds, ResearchRow};
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use std::hint::black_box;
use std::time::Instant;

const START: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);
const SECONDS: i64 = 20_000;
const CHANGES: i64 = 100;

fn book(n: i64) -> [Vec<DepthLevel>; 2] {
    let centre = 50_000.0 + (n * 7 % 23) as f64 * 0.1;
    let side = |sign: f64| {
        let level = |k: i64| DepthLevel {
            price: centre + sign * (0.1 + 0.2 * k as f64),
            size: 0.1 + ((n + k) * 13 % 29) as f64,
        };
        (0..20).map(level).collect()
    };
    [side(-1.0), side(1.0)]
}

/// Seconds that it takes, a state of the book `changes` times a second and a trade as often as every fourth.
fn followed(changes: i64, seconds: i64) -> f64 {
    let books: Vec<[Vec<DepthLevel>; 2]> = (0..997).map(book).collect();
    let at = |n: i64| {
        let [bids, asks] = &books[usize::try_from(n.rem_euclid(997)).unwrap_or(0)];
        BookSides { bids, asks }
    };
    let mut stream = MarketColumns::new(Some(0.1));
    stream.trades_begin(START);
    let known = OtherFeeds::default();
    let begun = Instant::now();
    let mut row = Box::<ResearchRow>::default();
    for second in 0..seconds {
        for n in 0..changes {
            let number = second * changes + n;
            let event = START + Span::secs(second) + Span((n + 1) * 1_000_000_000 / (changes + 1));
            let stamp = Arrival { event, recv: event + Span::millis(3) };
            stream.book(stamp, &at(number), &at(number + 1), 5);
            if n % 4 == 0 {
                stream.trade(stamp, 50_000.0, 0.5, n % 8 == 0);
            }
        }
        row = stream.close(START + Span::secs(second + 1), &at((second + 1) * changes), &known);
    }
    black_box(row);
    begun.elapsed().as_secs_f64()
}

/// Snapshots that both methods are given.
const WIDE: usize = 100_000;
const LEVELS: usize = 20;

/// A table of wide snapshots: price and size of each level of both sides, a column each.
fn wide_table() -> Vec<Vec<f64>> {
    let mut random = SplitMix::new(1);
    let mut table: Vec<Vec<f64>> = (0..4 * LEVELS).map(|_| Vec::with_capacity(WIDE)).collect();
    let mut mid = 50_000.0;
    for _ in 0..WIDE {
        mid *= 1.0 + 4e-5 * (random.unit() - 0.5);
        let centre = (mid * 10.0).round() / 10.0;
        for (side, sign) in [(0, -1.0), (2 * LEVELS, 1.0)] {
            let mut distance = 0.0;
            for k in 0..LEVELS {
                distance += 0.1 * (1.0 + (5.0 * random.unit()).floor());
                table[side + 2 * k].push(centre + sign * distance);
                table[side + 2 * k + 1].push(0.001 + 4.0 * random.unit());
            }
        }
    }
    table
}

/// Seconds that all rows of the table take, one after the other.
fn from_wide(table: &[Vec<f64>]) -> f64 {
    let read = |row: usize, book: &mut [[DepthLevel; LEVELS]; 2]| {
        for (level, columns) in book.as_flattened_mut().iter_mut().zip(table.chunks_exact(2)) {
            *level = DepthLevel { price: columns[0][row], size: columns[1][row] };
        }
    };
    let known = OtherFeeds::default();
    let mut stream = MarketColumns::new(Some(0.1));
    let mut books = [[[DepthLevel::default(); LEVELS]; 2]; 2];
    let begun = Instant::now();
    for (row, second) in (0..WIDE).zip(1..) {
        // The book before stands where that of the row before was read.
        let [even, odd] = &mut books;
        let (now, before) = if row % 2 == 0 { (even, odd) } else { (odd, even) };
        read(row, now);
        let event = START + Span::secs(second);
        let old = BookSides { bids: &before[0], asks: &before[1] };
        let new = BookSides { bids: &now[0], asks: &now[1] };
        stream.book(Arrival { event, recv: event }, if row == 0 { &new } else { &old }, &new, 1);
        black_box(stream.close(event, &new, &known));
    }
    begun.elapsed().as_secs_f64()
}

/// Most memory that this process has had, in MiB.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()? / 1_024.0)
}

/// Rows a second and most memory of the original's method, where there is a Python for it.
fn of_polars() -> Option<(f64, f64)> {
    let python = std::env::var_os("PEERS_PYTHON")?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer/polars_original.py");
    let answer = std::process::Command::new(python).arg(script).arg(WIDE.to_string()).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let number = |name: &str| -> Option<f64> {
        let rest = text.split_once(&format!("\"{name}\": "))?.1;
        rest.split([',', '}']).next()?.trim().parse().ok()
    };
    Some((number("rows_per_s")?, number("peak_rss_mib")?))
}

/// Both methods on as many wide snapshots, this one first: its memory is that of the process.
fn side_by_side() {
    let table = wide_table();
    let rate = WIDE as f64 / from_wide(&table);
    println!("figure columns_wide_rows_per_s {rate:.0}");
    let Some(memory) = peak_mib() else { return };
    println!("figure columns_wide_peak_mib {memory:.1}");
    let Some((theirs, their_memory)) = of_polars() else {
        return println!("PEERS_PYTHON names no Python with numpy and polars: nothing to compare with");
    };
    println!("figure columns_polars_rows_per_s {theirs:.0}");
    println!("figure columns_polars_times {:.2}", rate / theirs);
    println!("figure columns_polars_memory_share {:.3}", memory / their_memory);
}

fn main() {
    // `cargo bench -p barograph-columns -- rows` measures one of them.
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    // First, because the memory that is measured is the most that the process has had.
    if wanted("wide") {
        side_by_side();
    }
    if wanted("rows") {
        let rows = followed(1, SECONDS * 10);
        println!("figure columns_rows_per_s {:.0}", (SECONDS * 10) as f64 / rows);
    }
    if wanted("changes") {
        let changes = followed(CHANGES, SECONDS);
        println!("figure columns_changes_per_s {:.0}", (SECONDS * CHANGES) as f64 / changes);
    }
}
