//! The order of events depends on the rows alone: not on the order of rows, files or arguments, and not on what came later.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use crate::common;
use barograph_domain::{Event, Ts};
use barograph_testkit::recorded;
use common::{Folder, Imported, gz, import, options, read};
use proptest::prelude::*;
use std::path::PathBuf;

/// A day's worth of rows of every kind that fixes its own cadence.
fn rows() -> Vec<(&'static str, Vec<String>)> {
    let start = 1_738_368_000_000_u64;
    let klines = |base: u64| {
        (0..120).map(move |n| {
            let (t, p) = (start + n * 60_000, base + n * 7 % 13);
            format!("{t},{p},{},{},{p},{},{},1,1,1,1,0", p + 2, p - 1, n % 5, t + 59_999)
        })
    };
    let metrics =
        (0..40).map(|n| format!("2025-02-01 {:02}:{:02}:00,BTCUSDT,{},1,1.5,,0.9,", n / 12, n * 5 % 60, 1000 + n));
    let funding = (0..9).map(|n| format!("{},8,0.000{}", start + n * 28_800_000 + n, n + 1));
    vec![
        ("klines/BTCUSDT/1m/BTCUSDT-1m-2025-02", klines(100).collect()),
        ("klines/ETHUSDT/1m/ETHUSDT-1m-2025-02", klines(30).collect()),
        ("metrics/BTCUSDT/BTCUSDT-metrics-2025-02", metrics.collect()),
        ("fundingRate/BTCUSDT/BTCUSDT-fundingRate-2025-02", funding.collect()),
    ]
}

/// Deals the rows of each kind out to some files; every file gets at least one.
fn deal(folder: &Folder, keys: &[u64], parts: usize) -> Vec<PathBuf> {
    let mut key = keys.iter().cycle();
    let mut paths = Vec::new();
    for (name, rows) in rows() {
        let mut shuffled: Vec<(u64, String)> = rows.into_iter().map(|r| (*key.next().unwrap(), r)).collect();
        shuffled.sort();
        for part in 0..parts {
            let mine = shuffled.iter().enumerate().filter(|(i, _)| i % parts == part);
            let text: String = mine.map(|(_, (_, row))| format!("{row}\n")).collect();
            let path = format!("{part}/futures/um/monthly/{name}.csv.gz");
            paths.push((*key.next().unwrap(), folder.write(&path, gz(text))));
        }
    }
    paths.sort();
    paths.into_iter().map(|(_, p)| p).collect()
}

fn all(parts: usize, keys: &[u64]) -> Imported {
    let folder = Folder::new();
    import(&deal(&folder, keys, parts), &options())
}

#[test]
fn rows_come_in_the_total_order_without_any_shuffling() {
    let got = all(1, &[0]);
    assert_eq!(got.events.len(), 120 + 120 + 40 * 3 + 9);
    assert_eq!(got.streams().len(), 8, "metrics declare all five series, filled or not: {:?}", got.streams());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_rows_in_any_number_of_files_in_any_order_are_the_same_events(
        keys in prop::collection::vec(any::<u64>(), 97), parts in 1_usize..4
    ) {
        let want = all(1, &[0]);
        let got = all(parts, &keys);
        prop_assert_eq!(want.streams(), got.streams());
        prop_assert_eq!(want.lines(), got.lines());
    }

    #[test]
    fn a_cut_run_is_the_beginning_of_the_full_run(
        keys in prop::collection::vec(any::<u64>(), 97), parts in 1_usize..3, minute in 0_i64..4500, shuffled in any::<bool>()
    ) {
        let folder = Folder::new();
        let full = import(&deal(&folder, if shuffled { &keys } else { &[0] }, parts), &options());
        let cut = Ts(1_738_368_000_000_000_000 + minute * 60_000_000_000 + keys[0].cast_signed() % 1_000);
        check_cut(&full, cut);
    }
}

fn check_cut(full: &Imported, cut: Ts) {
    let want: Vec<Event> = full.events.iter().copied().filter(|e| e.recv_ts <= cut).collect();
    let (got, _) = read(&full.plan, Some(cut));
    assert!(want == got, "cut at {cut}: {} events instead of {}", got.len(), want.len());
}

/// What was not known at the cut is not even looked at: a row beyond it cannot be wrong.
#[test]
fn rows_beyond_a_cut_reach_no_mapper() {
    let folder = Folder::new();
    let row = |n: u64, price: &str| {
        format!("{},{price},2,1,1,1,{},1,1,1,1,0\n", 1_738_368_000_000 + n * 60_000, 1_738_368_059_999 + n * 60_000)
    };
    let (a, b, wrong, d) = (row(0, "1"), row(1, "1"), row(2, "oops"), row(3, "1"));
    let cut = Ts::from_civil(2025, 2, 1, 0, 2, 30);
    for (name, text) in [("sorted", [&*a, &b, &wrong, &d]), ("shuffled", [&*d, &b, &wrong, &a])] {
        let path = folder.write(&format!("{name}/binance-usdm_btcusdt_1m.csv"), text.concat());
        let full = import(&[path], &options());
        assert_eq!((full.report.rows, full.report.rejected_rows), (4, 1), "{name}");
        let (events, report) = read(&full.plan, Some(cut));
        assert_eq!((events.len(), report.rows, report.rejected_rows), (2, 2, 0), "{name}");
    }
}

#[test]
fn cuts_of_recorded_markets_are_beginnings_too() {
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/history");
    let mut sets = vec![shipped];
    sets.extend(recorded("raw/hftbacktest/binance-usdm_btcusdt_20240718.gz"));
    for path in sets {
        let full = import(&[path], &options());
        let (first, last) = full.plan.known_span().unwrap();
        for n in 0..12 {
            check_cut(&full, Ts(first.0 + (last.0 - first.0) / 11 * n + n));
        }
    }
}

#[test]
fn the_same_file_named_twice_and_a_folder_named_with_its_files_change_nothing() {
    let folder = Folder::new();
    let paths = deal(&folder, &[0], 2);
    let want = import(&[folder.path()], &options());
    let twice: Vec<PathBuf> = paths.iter().chain(&paths).cloned().chain([folder.path()]).collect();
    let got = import(&twice, &options());
    assert_eq!((want.lines(), want.report.rows), (got.lines(), got.report.rows));
}

#[test]
fn a_reader_can_move_between_threads() {
    fn check<T: Send>(_: &T) {}
    let folder = Folder::new();
    let got = import(&deal(&folder, &[0], 1), &options());
    check(&got.plan.open(None));
    check(&got.plan);
}

#[test]
fn thousands_of_daily_files_need_no_thousands_of_handles() {
    let folder = Folder::new();
    let day = 86_400_000_u64;
    for n in 0..1_500_u64 {
        let from = 1_600_000_000_000 / day * day + n * day;
        let date = Ts::from_millis(i64::try_from(from).unwrap()).iso();
        let row = |t: u64| format!("{t},1,1,1,1,1,{},1,1,1,1,0\n", t + 43_199_999);
        let text = row(from) + &row(from + day / 2);
        folder.write(
            &format!("futures/um/daily/klines/BTCUSDT/12h/BTCUSDT-12h-{}.zip", &date[..10]),
            common::zip(&[("x.csv", &text)]),
        );
    }
    let got = import(&[folder.path()], &options());
    assert_eq!((got.events.len(), got.streams().len()), (3_000, 1));
    assert_eq!(got.plan.declarations()[0].files, 1_500);
    let mut reader = got.plan.open(None);
    assert_eq!(reader.by_ref().count(), 3_000);
    assert_eq!(
        reader.bytes_read(),
        got.plan.total_bytes() - 1_500 * zip_overhead(),
        "all bytes but the zip directories"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_files_that_overlap_are_not_a_thousand_handles() {
    let folder = Folder::new();
    for n in 0..1_000_u64 {
        let rows = "1738368000000,1,1,1,1,1,1738368059999,1,1,1,1,0\n1738368060000,1,1,1,1,1,1738368119999,1,1,1,1,0\n";
        folder.write(&format!("futures/um/daily/klines/C{n}USDT/1m/C{n}USDT-1m-2025-02-01.csv"), rows);
    }
    let plan = barograph_lake::plan(&[folder.path()], &options()).unwrap();
    let mut reader = plan.open(None);
    assert_eq!(reader.by_ref().take(1_500).count(), 1_500, "all files are begun and half of them are not done");
    let handles = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(handles < 100, "{handles} handles are open");
    assert_eq!(reader.count(), 500);
}

/// Bytes of a one-member archive around its packed data: two headers with a five-letter name, and the end record.
const fn zip_overhead() -> u64 {
    (30 + 5) + (46 + 5) + 22
}
