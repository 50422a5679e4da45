//! The rows of `MarketColumns` against those of an independent implementation in Python (`tests/peer`), on the same events.
//!
//! `BAROGRAPH_PEER_EVENTS` names another file of events and `BAROGRAPH_PEER_ROWS` where its rows are written, for `peer/compare.py`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops when it cannot go on, and reads its own files"
)]

use barograph_columns::{
    Arrival, BookSides, COLUMNS, DepthLevel, MarketColumns, OtherFeeds, ResearchRow, catalogue, place_of,
};
use barograph_domain::{Span, Ts};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Rows are made this long after their second.
const LATENESS: Span = Span::millis(200);

fn side(text: &str) -> Vec<DepthLevel> {
    let level = |pair: &str| {
        let (price, size) = pair.split_once(':').unwrap();
        DepthLevel { price: price.parse().unwrap(), size: size.parse().unwrap() }
    };
    if text == "-" { Vec::new() } else { text.split(',').map(level).collect() }
}

/// Rows of the whole seconds from `from` to `upto`, by the lines of `peer/events.py`.
fn rows(events: &str, from: i64, upto: i64) -> Vec<(i64, Box<ResearchRow>)> {
    let mut out = Vec::new();
    each_row(events, (from, upto, 1), |second, row| out.push((second, row)));
    out
}

/// A row each `step` seconds.
fn each_row(events: &str, (from, upto, step): (i64, i64, i64), mut made: impl FnMut(i64, Box<ResearchRow>)) {
    let mut lines = events.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let ts = |text: &str| Ts(text.parse().unwrap());
    let first = lines.next().unwrap();
    let mut market = MarketColumns::new(first[2].parse().ok());
    market.trades_begin(ts(first[1]));
    let mut book: [Vec<DepthLevel>; 2] = Default::default();
    let mut next = from;
    let mut close = |market: &mut MarketColumns, book: &[Vec<DepthLevel>; 2], recv: Ts| {
        while next <= upto && Ts(next * 1_000_000_000) + LATENESS < recv {
            let now = BookSides { bids: &book[0], asks: &book[1] };
            let known = OtherFeeds { session: session(next), ..OtherFeeds::default() };
            made(next, market.close(Ts(next * 1_000_000_000), &now, &known));
            next += step;
        }
    };
    for line in lines {
        let recv = if line[0] == "G" { ts(line[3]) } else { ts(line[2]) };
        close(&mut market, &book, recv);
        let before = BookSides { bids: &book[0], asks: &book[1] };
        match line[0] {
            "G" if line[1] == "book" => market.book_gap(ts(line[2]), &before),
            "G" => market.trades_gap(ts(line[2])),
            "H" => market.trades_begin(ts(line[1])),
            "B" => {
                let after = [side(line[4]), side(line[5])];
                let at = Arrival { event: ts(line[1]), recv };
                let updates = line[3].parse().unwrap();
                market.book(at, &before, &BookSides { bids: &after[0], asks: &after[1] }, updates);
                book = after;
            }
            "T" => {
                let at = Arrival { event: ts(line[1]), recv };
                market.trade(at, line[3].parse().unwrap(), line[4].parse().unwrap(), line[5] == "1");
            }
            other => panic!("a line {other}"),
        }
    }
    close(&mut market, &book, Ts::MAX);
}

/// Features §3.
fn session(second: i64) -> u8 {
    match second.rem_euclid(86_400) / 3_600 {
        0..8 => 0,
        8..13 => 1,
        13..21 => 2,
        _ => 3,
    }
}

fn csv(rows: &[(i64, Box<ResearchRow>)]) -> String {
    let mut out = String::from("ts");
    catalogue().iter().for_each(|column| write!(out, ",{}", column.id).unwrap());
    for (second, row) in rows {
        write!(out, "\n{second}000000000").unwrap();
        for at in 0..COLUMNS {
            match row.get(at) {
                Ok(value) => write!(out, ",{value:?}").unwrap(),
                Err(_) => out.push(','),
            }
        }
    }
    out
}

#[test]
fn rows_of_a_file_named_from_outside() {
    let Ok(path) = std::env::var("BAROGRAPH_PEER_EVENTS") else { return };
    let bounds = std::env::var("BAROGRAPH_PEER_SECONDS").unwrap();
    let (from, upto) = bounds.split_once("..").unwrap();
    let events = std::fs::read_to_string(path).unwrap();
    let found = rows(&events, from.parse().unwrap(), upto.parse().unwrap());
    std::fs::write(std::env::var("BAROGRAPH_PEER_ROWS").unwrap(), csv(&found)).unwrap();
}

/// Every column that is ever defined there, of a market with gaps, crossed and one-sided books and quiet seconds.
#[test]
fn rows_are_those_of_the_peer() {
    let want = include_str!("peer/fixture/rows.csv");
    let mut lines = want.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let places: Vec<usize> = header[1..].iter().map(|id| place_of(id).unwrap()).collect();
    let want: Vec<_> = lines.collect();
    let bounds = [&want[0], want.last().unwrap()].map(|line| line[0].parse().unwrap());
    let found = rows(include_str!("peer/fixture/events.txt"), bounds[0], bounds[1]);
    assert_eq!(found.len(), want.len());
    let mut compared = 0;
    for ((second, row), line) in found.iter().zip(&want) {
        assert_eq!(second.to_string(), line[0]);
        for ((at, id), cell) in places.iter().zip(&header[1..]).zip(&line[1..]) {
            match (row.get(*at), cell.parse::<f64>()) {
                // A distance from the mid near nothing keeps no more digits than the ratio that it is made of.
                (Ok(got), Ok(want)) => {
                    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-3), "{second} {id}: {got}, not {want}");
                    compared += 1;
                }
                (Err(_), Err(_)) => {}
                (got, want) => panic!("{second} {id}: {got:?}, not {want:?}"),
            }
        }
    }
    assert!(compared > 5_000, "{compared}");
}

/// Runs a script of the peer over a folder; what it prints.
fn script_of_peer(python: &OsStr, script: &str, folder: &Path, words: &[&str]) -> String {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer");
    let done = Command::new(python).arg(scripts.join(script)).arg(folder).args(words).output().unwrap();
    let (out, err) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{script}: {out}\n{err}");
    out
}

/// Columns that this market has nothing for: other feeds and venues, a day before the day before, a side that is known ten basis points far.
const NOT_THERE: [&str; 7] =
    ["bid_depth_10bps", "ask_depth_10bps", "imbalance_10bps", "vpin", "dv_", "sx_session_vol_ratio", "vx_"];

/// Seven and a half hours, in which the windows of hours fill, and of which the last breaks in every way: each column in a thousand rows.
#[test]
fn rows_of_hours_are_those_of_the_peer() {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        return barograph_testkit::skipped("PEERS_PYTHON names no Python with numpy and polars");
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str, words: &[&str]| script_of_peer(&python, script, folder.path(), words);
    run("synthetic_market.py", &["5", "27000", "1.0"]);
    let bounds = run("dump_events.py", &[]);
    let (from, upto) = bounds.trim().split_once("..").unwrap();
    let events = std::fs::read_to_string(folder.path().join("events.txt")).unwrap();
    let found = rows(&events, from.parse().unwrap(), upto.parse().unwrap());
    std::fs::write(folder.path().join("rows.csv"), csv(&found)).unwrap();
    let counted = run("compare_rows.py", &[]);
    let mut seen = 0;
    for line in counted.lines() {
        let (name, n) = line.split_once(' ').unwrap();
        let not_there = NOT_THERE.iter().any(|one| name.starts_with(one));
        assert_eq!(n.parse::<u32>().unwrap() >= 1_000, !not_there, "{name} has a value in {n} rows");
        seen += 1;
    }
    assert_eq!(seen, COLUMNS);
}

/// Seven days of trades: buckets are made of the day before, grow with it, are split between trades and are begun anew after a gap; behind a
/// day that is not whole there are none.
#[test]
fn vpin_of_days_is_that_of_the_peer() {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        return barograph_testkit::skipped("PEERS_PYTHON names no Python with numpy and polars");
    };
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| script_of_peer(&python, "vpin_days.py", folder.path(), words);
    let said = run(&["7"]);
    let (bounds, step) = said.trim().split_once(' ').unwrap();
    let (from, upto) = bounds.split_once("..").unwrap();
    let at = place_of("vpin").unwrap();
    let mut out = String::from("ts,vpin");
    let events = std::fs::read_to_string(folder.path().join("events.txt")).unwrap();
    each_row(&events, (from.parse().unwrap(), upto.parse().unwrap(), step.parse().unwrap()), |second, row| {
        let value = row.get(at).map_or_else(|_| String::new(), |v| format!("{v:?}"));
        write!(out, "\n{second}000000000,{value}").unwrap();
    });
    std::fs::write(folder.path().join("rows.csv"), out).unwrap();
    let days = run(&[]);
    let have: Vec<(i64, u32)> = days
        .split_whitespace()
        .map(|one| one.split_once(':').unwrap())
        .map(|(day, n)| (day.parse().unwrap(), n.parse().unwrap()))
        .collect();
    let with_values: Vec<i64> = have.iter().filter(|(_, n)| *n > 500).map(|(day, _)| *day).collect();
    assert_eq!(with_values, [1, 2, 3, 5], "of days 0 to 6 these have buckets: {days}");
}

/// What the peer's own tests say of it: golden vectors, catalogue, comparison, the original's script.
#[test]
fn the_peer_passes_its_own_tests() {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        return barograph_testkit::skipped("PEERS_PYTHON names no Python with numpy and polars");
    };
    if !Command::new(&python).args(["-c", "import pytest"]).output().is_ok_and(|done| done.status.success()) {
        return barograph_testkit::skipped("the Python of PEERS_PYTHON has no pytest");
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer");
    let mut pytest = Command::new(&python);
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    let done = pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).arg(tests).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains(" passed"), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}
