//! Rows a second from wide snapshots, and changes of a book a second with a row each second, on one core:
//! `cargo bench -p barograph-columns`; prints `figure <name> <number>` lines.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark looks at the clock")]

use barograph_columns::{Arrival, BookSides, DepthLevel, MarketColumns, OtherFeeds, ResearchRow};
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

fn main() {
    // `cargo bench -p barograph-columns -- rows` measures one of them.
    let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| named.is_empty() || named.iter().any(|one| one == name);
    if wanted("rows") {
        let rows = followed(1, SECONDS * 10);
        println!("figure columns_rows_per_s {:.0}", (SECONDS * 10) as f64 / rows);
    }
    if wanted("changes") {
        let changes = followed(CHANGES, SECONDS);
        println!("figure columns_changes_per_s {:.0}", (SECONDS * CHANGES) as f64 / changes);
    }
}
