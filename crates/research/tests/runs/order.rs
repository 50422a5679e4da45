//! Runs come in any order, and hours are missing between them: the lake says the same.

use super::{all, content, import, said, wide};
use barograph_domain::{Span, Ts};
use barograph_lake::layers::{HourAbsence, LakeHour, LakeReader, absent_hours, check, list, unknown_times};
use std::path::{Path, PathBuf};

/// An hour of a day that has nothing to do with other tests.
fn at(hour: i64, second: i64) -> Ts {
    Ts::from_civil(2026, 3, 2, 0, 0, 0) + Span::hours(hour) + Span::secs(second)
}

/// States that nothing is known before, by the column that every tool reads.
fn flagged(lake: &Path) -> Vec<Ts> {
    let hours: Vec<LakeHour> = all(lake).into_iter().filter(|h| h.table == "orderbook").collect();
    let mut found = Vec::new();
    for batch in LakeReader::new(hours, Some(&["ts", "gap"])) {
        let batch = batch.unwrap();
        let ts = batch.moments("ts").unwrap();
        found.extend((0..batch.rows()).filter(|row| batch.flag("gap", *row) == Some(true)).map(|row| Ts(ts[row])));
    }
    found
}

/// Gaps between rows of a table: from, until, why.
fn unknown(lake: &Path, table: &str) -> Vec<(Ts, Ts, String)> {
    let hours: Vec<LakeHour> = all(lake).into_iter().filter(|h| h.table == table).collect();
    unknown_times(&hours).unwrap().into_iter().map(|g| (g.from, g.until, g.reason)).collect()
}

#[test]
fn a_hole_between_runs_is_a_gap_in_whichever_order_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let runs = [wide(dir.path(), at(9, 0), 90), wide(dir.path(), at(10, 600), 90), wide(dir.path(), at(30, 0), 90)];
    let lake = |order: [usize; 3]| {
        let lake = dir.path().join(format!("{order:?}"));
        order.iter().for_each(|run| drop(import("okx:X", &lake, &runs[*run..=*run])));
        lake
    };
    let oldest_first = lake([0, 1, 2]);
    let missing = "missing_rows".to_owned();
    let holes = [(at(9, 89), at(10, 600), missing.clone()), (at(10, 689), at(30, 0), missing)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let lake = if order == [0, 1, 2] { oldest_first.clone() } else { lake(order) };
        assert_eq!(flagged(&lake), [at(9, 0), at(10, 600), at(30, 0)], "{order:?}");
        assert_eq!(unknown(&lake, "orderbook"), holes, "{order:?}");
        assert_eq!(unknown(&lake, "features").len(), 2, "{order:?}");
        assert_eq!(content(&lake), content(&oldest_first), "{order:?}: the same rows");
        assert_eq!(check(&lake).unwrap(), [], "{order:?}");
        let listed = list(&lake).unwrap();
        assert!(listed.iter().all(|l| l.gaps == 2 || l.hours == 0), "{order:?}: {listed:?}");
        let absent = absent_hours(&lake).unwrap();
        let absent: Vec<_> = absent.iter().map(|a| (a.table.as_str(), a.from, a.until, a.why)).collect();
        let night = |table| (table, at(11, 0), at(30, 0), HourAbsence::Declared);
        assert_eq!(absent, [night("orderbook"), night("features")], "{order:?}");
    }
}

#[test]
fn what_goes_on_at_once_is_no_gap_behind_the_run_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (wide(dir.path(), at(8, 3_540), 60), wide(dir.path(), at(9, 0), 60));
    let far = wide(dir.path(), at(40, 0), 30);
    // What comes much later is there already when the second follows the first.
    for (order, flags) in [(vec![&first, &far, &second], 2), (vec![&far, &first, &second], 2)] {
        let lake = dir.path().join(format!("{}", order[0].display()).replace('/', "_"));
        order.into_iter().for_each(|file| drop(import("okx:X", &lake, std::slice::from_ref(file))));
        assert_eq!(flagged(&lake).len(), flags);
        assert_eq!(unknown(&lake, "orderbook"), [(at(9, 59), at(40, 0), "missing_rows".to_owned())]);
    }
}

/// A trade each ten seconds, in a file of its own.
fn trades(dir: &Path, from: Ts, seconds: i64) -> PathBuf {
    let mut text = "ts,known_ts,price,size,is_buy\n".to_owned();
    for n in (0..seconds).step_by(10) {
        let ts = from + Span::secs(n);
        text.push_str(&format!("{},{},{},1,true\n", ts.0, ts.0 + 100_000, 104 + n % 3));
    }
    let path = dir.join(format!("trades-{}.csv", from.0));
    std::fs::write(&path, text).unwrap();
    path
}

/// A run that was stopped before the first trade leaves books alone: when it is given again, its first trade begins the trades.
#[test]
fn a_run_that_is_given_again_begins_the_tables_that_had_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let (short, long) = (wide(dir.path(), at(9, 3_590), 5), dir.path().join("long"));
    std::fs::create_dir(&long).unwrap();
    let whole = [wide(&long, at(9, 3_590), 90), trades(&long, at(10, 30), 50)];
    let [lake, once] = ["lake", "once"].map(|name| dir.path().join(name));
    import("okx:X", &lake, &[short]);
    for to in [&lake, &once] {
        import("okx:X", to, &whole);
        let gaps: Vec<_> = said(to, "trades").into_iter().map(|(_, m)| m.gaps).collect();
        assert_eq!(gaps.iter().map(Vec::len).sum::<usize>(), 1, "{gaps:?}");
    }
    assert_eq!(content(&lake), content(&once));
}

/// The same where an earlier run had trades: the hole behind that one is stated by the first trade too.
#[test]
fn a_run_behind_a_hole_that_is_given_again_states_it_in_every_table() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = dir.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let (first, whole) = (folder("first"), folder("whole"));
    let first = [wide(&first, at(9, 0), 120), trades(&first, at(9, 5), 100)];
    let short = wide(&folder("short"), at(9, 1_800), 5);
    let whole = [wide(&whole, at(9, 1_800), 90), trades(&whole, at(9, 1_830), 50)];
    let [lake, once] = ["lake", "once"].map(|name| dir.path().join(name));
    for to in [&lake, &once] {
        import("okx:X", to, &first);
    }
    import("okx:X", &lake, &[short]);
    for to in [&lake, &once] {
        import("okx:X", to, &whole);
        assert_eq!(unknown(to, "trades"), [(at(9, 95), at(9, 1_830), "missing_rows".to_owned())]);
    }
    assert_eq!(content(&lake), content(&once));
}

/// The first trade of a run may come long after its first state.
#[test]
fn bars_at_a_seam_are_the_same_in_whichever_order_the_runs_come() {
    let dir = tempfile::tempdir().unwrap();
    let run = |from, seconds, first| {
        [wide(dir.path(), from, seconds), trades(dir.path(), from + Span::secs(first), seconds - first)]
    };
    let runs = [run(at(10, 3_400), 200, 0), run(at(11, 0), 300, 35)];
    let bars = |order: [usize; 2]| {
        let lake = dir.path().join(format!("{order:?}"));
        order.iter().for_each(|n| drop(import("okx:X", &lake, &runs[*n])));
        let market = barograph_domain::InstrumentName::parse("okx:X").unwrap();
        let mut all = Vec::new();
        let take = &mut |bar: barograph_lake::layers::GoldBar| {
            all.push(format!("{bar:?}"));
            Ok(())
        };
        barograph_research::dataset::bars_of_trades(&lake, &market, Span::mins(1), take).unwrap();
        all
    };
    let oldest_first = bars([0, 1]);
    assert!(oldest_first.len() > 6, "{oldest_first:?}");
    assert_eq!(bars([1, 0]), oldest_first);
}

/// A lake of five hours, and its recording; the last hour is under way.
fn five_hours(dir: &Path) -> (PathBuf, PathBuf) {
    let (lake, file) = (dir.join("lake"), wide(dir, at(9, 0), 5 * 3_600 - 30));
    import("okx:X", &lake, std::slice::from_ref(&file));
    (lake, file)
}

/// Takes an hour away.
fn without(lake: &Path, hour: Ts, tables: &[&str]) {
    for found in all(lake).into_iter().filter(|h| h.hour == hour && tables.contains(&h.table.as_str())) {
        std::fs::remove_dir_all(&found.folder).unwrap();
    }
}

#[test]
fn an_hour_that_was_taken_away_is_named_and_an_import_fills_it() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, file) = five_hours(dir.path());
    let whole = content(&lake);
    assert_eq!((check(&lake).unwrap(), absent_hours(&lake).unwrap()), (vec![], vec![]));
    for (tables, findings) in [(&["orderbook", "features"][..], 2), (&["orderbook"], 1), (&["features"], 1)] {
        without(&lake, at(11, 0), tables);
        let found = check(&lake).unwrap();
        assert_eq!(found.len(), findings, "{tables:?}: {found:?}");
        assert!(found[0].what.contains("from 2026-03-02T11:00:00Z to 2026-03-02T12:00:00Z"), "{found:?}");
        let again = import("okx:X", &lake, std::slice::from_ref(&file));
        assert!(again.already > 0 && again.before == 0 && again.late == 0, "{again:?}");
        assert_eq!(content(&lake), whole, "{tables:?}");
        assert_eq!(check(&lake).unwrap(), []);
        assert!(said(&lake, "orderbook")[..4].iter().all(|(closed, m)| *closed && m.rows == 3_600), "{tables:?}");
    }
    // The run that goes on behind it is the same as without the hole.
    without(&lake, at(11, 0), &["orderbook", "features"]);
    let longer = wide(dir.path(), at(9, 0), 6 * 3_600);
    import("okx:X", &lake, std::slice::from_ref(&longer));
    let once = dir.path().join("once");
    import("okx:X", &once, &[longer]);
    assert_eq!((content(&lake), flagged(&lake)), (content(&once), vec![at(9, 0)]));
}

#[test]
fn a_price_step_fits_the_book_and_the_rows_that_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (wide(dir.path(), at(8, 0), 90), wide(dir.path(), at(9, 0), 90));
    let run = |lake: &str, file: &Path, tick| {
        let market = barograph_domain::InstrumentName::parse("okx:X").unwrap();
        let (files, lake) = (vec![file.to_owned()], dir.path().join(lake));
        let request = barograph_research::dataset::DatasetRequest { market, files, lake, tick, contract_size: None };
        barograph_research::dataset::record(&request, &mut |_, _| {}).map(|done| done.rows).map_err(|e| e.to_string())
    };
    for tick in [1e308, 1e-300, 3.0, 0.0, -1.0, f64::NAN] {
        let said = run("none", &first, Some(tick)).unwrap_err();
        assert!(said.starts_with(&format!("--tick {tick:?}: it cannot be the step")), "{said}");
        assert!(!dir.path().join("none").exists(), "nothing is written");
    }
    assert!(run("bare", &first, None).unwrap() > 80);
    let said = run("bare", &second, Some(0.5)).unwrap_err();
    assert!(said.contains("were made without it") && said.contains("begin another lake with --lake"), "{said}");
    assert!(run("ticks", &first, Some(0.5)).unwrap() > 80);
    let said = run("ticks", &second, Some(1.0)).unwrap_err();
    assert!(said.contains("were made with another, about 0.5"), "{said}");
    assert!(run("ticks", &second, Some(0.5)).unwrap() > 80);
}
