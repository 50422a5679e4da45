//! The scorecard of ten markets over a year, every event, scope and window: `cargo bench -p barograph-query --bench scorecard`.
//! Prints `figure <name> <number>` lines; both cores, median of five.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops when it cannot go on")]

mod world;

use barograph_domain::{Span, Ts};
use barograph_query::scores::{ScorecardAsked, scorecard};
use barograph_store::{LedgerPart, Range, SqliteReader, SqliteWriter, Writer as _, WriterRole};
use std::time::Instant;

const START: Ts = Ts::from_civil(2025, 1, 1, 0, 0, 0);
const MARKETS: usize = 10;
const DAYS: i64 = 365;
const LOGIC: &str = "v0+synthetic";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = SqliteWriter::open(folder.path(), &WriterRole::ALL).unwrap();
    let mut world = world::World::new(MARKETS);
    for day in 0..DAYS {
        let start = START + Span::days(day);
        let (ticks, range) = (world.day(start), Range { start, end: start + Span::days(1) });
        let (heads, states, alerts) = (&[], &[], &[]);
        writer
            .replace_ledger(&LedgerPart {
                logic_version: LOGIC,
                range,
                ticks: &ticks,
                heads,
                states,
                alerts,
                revisions: &[],
                done: None,
            })
            .unwrap();
    }
    drop(writer);
    let reader = SqliteReader::open(folder.path()).unwrap();
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            let card = scorecard(&reader, LOGIC, "default", &ScorecardAsked::default()).unwrap();
            let took = begun.elapsed().as_secs_f64();
            let whole = card.rows.iter().filter(|r| r.scope == "all" && r.window == "all");
            let issued: u64 = whole.map(|r| r.denominators.issued).sum();
            assert!(issued > 8 * 288 * 10 * 365, "{issued} forecasts");
            took
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("figure scorecard_year_s {:.3}", rounds[2]);
}
