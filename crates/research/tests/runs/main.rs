//! A market's recording comes into the lake in several runs, and the lake is as if it had come in one.
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod order;

use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{HourManifest, LakeConfig, LakeHour, LakeQuery, check, compact, hours};
use barograph_research::dataset::{DatasetReport, DatasetRequest, record};
use std::io::Read as _;
use std::path::{Path, PathBuf};

const SHIPPED: &str = "../../testdata/recordings/binance-usdm_btcusdt_20240718.gz";

fn all(lake: &Path) -> Vec<LakeHour> {
    hours(lake, &LakeQuery::default()).unwrap()
}

/// Table, hour and digest of all that is there.
fn content(lake: &Path) -> Vec<(String, Ts, String)> {
    all(lake).iter().map(|h| (h.table.clone(), h.hour, h.content_digest().unwrap())).collect()
}

/// What is said of the hours of a table, closed or under way.
fn said(lake: &Path, table: &str) -> Vec<(bool, HourManifest)> {
    let of = |h: &LakeHour| match h.manifest().unwrap() {
        Some(manifest) => (true, manifest),
        None => (false, h.so_far().unwrap().expect("its writer stopped in order")),
    };
    all(lake).iter().filter(|h| h.table == table).map(of).collect()
}

fn import(market: &str, lake: &Path, files: &[PathBuf]) -> DatasetReport {
    let market = InstrumentName::parse(market).unwrap();
    let request =
        DatasetRequest { market, files: files.to_vec(), lake: lake.to_owned(), tick: None, contract_size: None };
    record(&request, &mut |_, _| {}).unwrap()
}

const BTC: &str = "binance-usdm:BTCUSDT";

/// The recording that comes with the sources, whole and in two parts.
fn parts(dir: &Path) -> [PathBuf; 3] {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED)).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    let middle = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    [("whole.txt", &text[..]), ("first.txt", &text[..middle]), ("second.txt", &text[middle..])].map(|(name, text)| {
        std::fs::write(dir.join(name), text).unwrap();
        dir.join(name)
    })
}

#[test]
fn two_runs_write_what_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, first, second] = parts(dir.path());
    let lake = |name: &str| dir.path().join(name);
    let once = import(BTC, &lake("once"), std::slice::from_ref(&whole));
    let want = content(&lake("once"));
    assert_eq!(want.len(), 4, "the row of midnight is of the hour behind it");
    // The second file alone has no whole book to begin with; with the first before it nothing comes twice.
    for (name, then) in [("both", vec![first.clone(), second.clone()]), ("whole", vec![whole.clone()])] {
        let begun = import(BTC, &lake(name), std::slice::from_ref(&first));
        assert!(begun.already == 0 && begun.rows > 60, "{begun:?}");
        let request = DatasetRequest {
            market: InstrumentName::parse(BTC).unwrap(),
            files: vec![second.clone()],
            lake: lake(name),
            tick: None,
            contract_size: None,
        };
        let before = content(&lake(name));
        let refused = record(&request, &mut |_, _| {}).unwrap_err().to_string();
        assert!(refused.contains("its book never begins"), "{refused}");
        assert_eq!(content(&lake(name)), before);
        let gone_on = import(BTC, &lake(name), &then);
        assert_eq!(begun.rows + gone_on.rows, once.rows, "{name}");
        assert_eq!((gone_on.late, gone_on.before), (0, 0));
        assert_eq!(content(&lake(name)), want, "{name}: the same rows, sequence numbers among them");
        assert_eq!(check(&lake(name)).unwrap(), []);
        let again = import(BTC, &lake(name), std::slice::from_ref(&whole));
        assert_eq!((again.rows, content(&lake(name)) == want), (0, true));
    }
}

#[test]
fn a_killed_run_is_filled_by_the_next_and_no_compaction_closes_its_hour() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, first, _] = parts(dir.path());
    let (lake, once) = (dir.path().join("lake"), dir.path().join("once"));
    import(BTC, &once, std::slice::from_ref(&whole));
    import(BTC, &lake, &[first]);
    // As a run leaves it that was killed while it went on with the hour.
    for hour in all(&lake) {
        let note = std::fs::read(hour.folder.join("_open.json")).unwrap();
        let mut note: serde_json::Value = serde_json::from_slice(&note).unwrap();
        note["stopped_in_order"] = false.into();
        note.as_object_mut().unwrap().remove("so_far");
        std::fs::write(hour.folder.join("_open.json"), note.to_string()).unwrap();
        std::fs::write(hour.folder.join("part-9999999999999999999.parquet.partial"), "PAR1").unwrap();
    }
    let config = LakeConfig::import(&lake);
    assert_eq!(compact(&config, None).unwrap().closed, 0);
    assert!(check(&lake).unwrap().iter().any(|f| f.what.contains("did not stop in order")));
    import(BTC, &lake, &[whole]);
    assert_eq!(content(&lake), content(&once));
    assert_eq!(check(&lake).unwrap(), []);
    let gaps = |lake: &Path| said(lake, "orderbook").into_iter().map(|(_, m)| m.gaps).collect::<Vec<_>>();
    assert_eq!(gaps(&lake), gaps(&once), "nothing was lost");
    // Whoever knows that nothing follows closes it.
    let report = compact(&config, Some(Ts::from_civil(2024, 8, 1, 0, 0, 0))).unwrap();
    assert_eq!((report.closed, report.left.len()), (3, 0), "{report:?}");
    assert_eq!(content(&lake), content(&once));
    assert!(said(&lake, "trades").iter().all(|(closed, _)| *closed));
}

/// A book a second from a moment on, as wide rows.
fn wide(dir: &Path, from: Ts, seconds: i64) -> PathBuf {
    let mut text = "timestamp,local_timestamp,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n".to_owned();
    for n in 0..seconds {
        let ts = from + Span::secs(n);
        let (event, recv) = (ts.0 / 1_000, ts.0 / 1_000 + 100);
        text.push_str(&format!("{event},{recv},{},1,{},2\n", 100 + n % 7, 108 + n % 5));
    }
    let path = dir.join(format!("{}.csv", from.0));
    std::fs::write(&path, text).unwrap();
    path
}

/// Messages of the shipped recording's form: trades of three hours, and a book in front of them if wanted.
fn of_three_hours(dir: &Path, book: bool) -> PathBuf {
    let begin = Ts::from_civil(2026, 3, 2, 9, 0, 0);
    let mut text = String::new();
    for n in 0..180_i64 {
        let at = begin + Span::mins(n);
        let (ns, ms) = (at.0, at.0 / 1_000_000);
        if book {
            let (first, last) = (100 * n + 1, 100 * n + 100);
            text.push_str(&format!(
                "{ns} {{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",\"E\":{ms},\"T\":{ms},\"s\":\"BTCUSDT\",\
                 \"U\":{first},\"u\":{last},\"pu\":{},\"b\":[[\"99.0\",\"{}\"]],\"a\":[]}}}}\n",
                first - 1,
                n + 1
            ));
            if n == 0 {
                text.push_str(&format!(
                    "{} {{\"lastUpdateId\":50,\"E\":{ms},\"T\":{ms},\"bids\":[[\"99.0\",\"1\"]],\"asks\":[[\"101.0\",\"1\"]]}}\n",
                    ns + 1_000
                ));
            }
        }
        text.push_str(&format!(
            "{} {{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",\"E\":{ms},\"T\":{ms},\"s\":\"BTCUSDT\",\"t\":{n},\"p\":\"100.0\",\
             \"q\":\"1\",\"X\":\"MARKET\",\"m\":true}}}}\n",
            ns + 2_000
        ));
    }
    let path = dir.join(if book { "both.txt" } else { "trades.txt" });
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn trades_without_a_book_are_refused_and_nothing_of_them_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, once) = (dir.path().join("lake"), dir.path().join("once"));
    let (alone, both) = (of_three_hours(dir.path(), false), of_three_hours(dir.path(), true));
    let request = DatasetRequest {
        market: InstrumentName::parse(BTC).unwrap(),
        files: vec![alone],
        lake: lake.clone(),
        tick: None,
        contract_size: None,
    };
    let refused = record(&request, &mut |_, _| {}).unwrap_err().to_string();
    assert!(refused.contains("180 trades") && refused.contains("Nothing was written"), "{refused}");
    assert!(!lake.exists(), "not even a folder");
    let report = import(BTC, &lake, std::slice::from_ref(&both));
    assert_eq!((report.already, report.played.played.trades), (0, 180), "{report:?}");
    import(BTC, &once, &[both]);
    assert_eq!(content(&lake), content(&once));
    assert!(said(&lake, "trades").iter().filter(|(closed, _)| *closed).count() >= 2);
}

#[test]
fn days_come_one_by_one_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let midnight = Ts::from_civil(2026, 3, 2, 0, 0, 0);
    let at = |s: i64| midnight + Span::secs(s);
    let days = [wide(dir.path(), at(-90), 90), wide(dir.path(), at(0), 90), wide(dir.path(), at(3_590), 20)];
    let lake = dir.path().join("lake");
    let books = |lake: &Path| {
        let of = |(closed, m): &(bool, HourManifest)| (*closed, (m.hour - midnight).0 / 3_600_000_000_000, m.rows);
        said(lake, "orderbook").iter().map(of).collect::<Vec<_>>()
    };
    import("okx:X", &lake, &days[..1]);
    assert_eq!(books(&lake), [(false, -1, 90)]);
    // The next day follows at once: the hour before it is over.
    import("okx:X", &lake, &days[1..2]);
    assert_eq!(books(&lake), [(true, -1, 90), (false, 0, 90)]);
    // What comes later in the same hour goes on with it, the time between is a gap, and the hour behind closes it.
    let report = import("okx:X", &lake, &days[2..]);
    assert_eq!((report.already, report.before, report.late), (0, 0, 0));
    assert_eq!(books(&lake), [(true, -1, 90), (true, 0, 100), (false, 1, 10)]);
    let gaps = said(&lake, "orderbook")[1].1.gaps.clone();
    assert!(
        matches!(&gaps[..], [g] if (g.from, g.until, g.reason.as_str()) == (at(89), at(3_590), "missing_rows")),
        "{gaps:?}"
    );
    let gaps = said(&lake, "features")[1].1.gaps.clone();
    let is_it = |from: Ts, until: Ts| from >= at(85) && from <= at(91) && until >= at(3_590) && until <= at(3_592);
    assert!(matches!(&gaps[..], [g] if is_it(g.from, g.until) && g.reason == "missing_rows"), "{gaps:?}");
    // A day that comes after the one behind it; and what lies before rows of an hour under way is named.
    let late = wide(dir.path(), at(-86_400), 30);
    assert_eq!(import("okx:X", &lake, &[late]).played.played.books, 30);
    assert_eq!(books(&lake)[0], (false, -24, 30));
    let in_front = wide(dir.path(), at(-86_400 - 20), 25);
    let report = import("okx:X", &lake, &[in_front]);
    assert_eq!(books(&lake)[..2], [(false, -25, 20), (false, -24, 30)]);
    // The row of the very first second is made now, and there are rows behind it already.
    assert!(report.before == 1 && report.already >= 5, "{report:?}");
    let before = wide(dir.path(), at(3_600 - 86_400 + 40), 5);
    let behind = wide(dir.path(), at(3_600 - 86_400 + 10), 5);
    import("okx:X", &lake, &[before]);
    let report = import("okx:X", &lake, &[behind]);
    assert!(report.before >= 5 && report.before_hours.len() == 1, "{report:?}");
    assert_eq!(check(&lake).unwrap(), []);
}

#[test]
fn a_recording_that_is_heard_past_an_hour_closes_it_in_every_table() {
    let dir = tempfile::tempdir().unwrap();
    let begin = Ts::from_civil(2026, 3, 2, 9, 59, 50);
    let lake = dir.path().join("lake");
    import("okx:X", &lake, &[wide(dir.path(), begin, 80)]);
    for table in ["orderbook", "features"] {
        let closed: Vec<bool> = said(&lake, table).iter().map(|(closed, _)| *closed).collect();
        assert_eq!(closed, [true, false], "{table}");
    }
}

#[test]
fn a_state_that_is_left_out_keeps_what_was_lost_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let hour = Ts::from_civil(2026, 3, 2, 10, 0, 0);
    let at = |s: i64| hour + Span::secs(s);
    let mut text = "ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0,gap\n".to_owned();
    for n in -30..150 {
        // Behind what was lost comes one that the venue dates into an hour which is over.
        let (event, gap) = if n == 120 { (at(-20), true) } else { (at(n), false) };
        text.push_str(&format!(
            "{},{},{},1,{},2,{gap}\n",
            event.0,
            at(n).0 + 1_000_000,
            100 + (n + 30) % 7,
            108 + (n + 30) % 5
        ));
    }
    let path = dir.path().join("book.csv");
    std::fs::write(&path, text).unwrap();
    let lake = dir.path().join("lake");
    let report = import("okx:X", &lake, &[path]);
    assert_eq!(report.late, 1, "{report:?}");
    let gaps = said(&lake, "orderbook")[1].1.gaps.clone();
    assert!(matches!(&gaps[..], [g] if g.until == at(121) && g.reason == "missing_rows"), "{gaps:?}");
}
