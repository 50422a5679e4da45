//! Two of the four properties that every column owes (features §10), over all 197 and to the bit: it makes no difference in how many pieces
//! what was recorded is given, nor whether one goes on from what was kept. The other two stand beside: `prefix.rs` (what comes later changes
//! no row) and `crates/columns/tests/stream.rs` (where one begins leaves no trace).
//!
//! No run keeps the state of the columns: what was recorded is kept, in files and in the journal, and a run that was stopped is given it
//! again. So "save, restore, continue" is that here, and the state in memory, copied, stands for whoever would keep it.

use crate::heard::{Heard, Rows, feed, listen, shipped};
use barograph_columns::{COLUMNS, FeedMinute, FeedMinutes, FeedReading, OtherFeeds, ResearchRow};
use barograph_domain::cell::Reason;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::layers::{LakeQuery, hours};
use barograph_lake::recorded::RecordedFeed;
use barograph_research::ResearchError;
use barograph_research::dataset::{DatasetBeside, DatasetRequest, FeedSource, SecondRows, record_beside};
use core::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A row as bytes: what each column says, or why it says nothing.
fn bytes(row: &ResearchRow) -> Vec<Result<u64, Reason>> {
    (0..COLUMNS).map(|at| row.get(at).map(f64::to_bits)).collect()
}

/// Readings of other feeds, some late, some without a number.
fn readings(begin: Ts) -> Vec<FeedMinute> {
    let reading = |n: i64, column: usize| FeedReading {
        value: if (n + column as i64) % 5 == 2 { Err(Reason::Warming) } else { Ok(n as f64 / 4.0 + column as f64) },
        anchor: begin + Span::secs(5 * n),
        age_max: Span::secs(20),
    };
    let minute = |n: i64| FeedMinute {
        minute: begin + Span::secs(5 * n),
        known: begin + Span::secs(5 * n) + Span::millis(200),
        derivatives: Some(core::array::from_fn(|column| reading(n, column))),
        session_vol_ratio: Some(reading(n, 12)),
    };
    (0..30).map(minute).collect()
}

/// The recording as it is, and with both streams lost here and there.
fn tapes() -> [Vec<Heard>; 2] {
    let whole = listen("binance-usdm:BTCUSDT", &shipped(), (7_000, 25));
    let mut torn = Vec::new();
    let mut now = Ts::MIN;
    for (n, heard) in whole.iter().enumerate() {
        if let Heard::Passed(t) = heard {
            now = *t;
            match n % 1_500 {
                500..503 => torn.push(Heard::Lost(RecordedFeed::Book, now)),
                900..903 => torn.push(Heard::Lost(RecordedFeed::Trades, now)),
                1_100..1_103 => torn.push(Heard::Begins(now)),
                _ => {}
            }
        }
        torn.push(heard.clone());
    }
    assert!(torn.len() > whole.len() + 6 && now > Ts::MIN);
    [whole, torn]
}

/// Rows, where the state is left behind and a copy goes on at each of `cuts` places.
fn rows_with_copies(all: &[Heard], cuts: usize) -> Rows {
    let begin = all.iter().find_map(|h| if let Heard::Book(at, ..) = h { Some(at.event) } else { None }).unwrap();
    let mut rows = SecondRows::new(Some(0.1), SessionSet::UTC);
    let mut minutes = FeedMinutes::default();
    minutes.extend(readings(begin));
    let mut made = Rows::new();
    for (n, heard) in all.iter().enumerate() {
        if cuts > 0 && n % (all.len() / cuts) == 0 {
            let copy = rows.clone();
            // What the one that is left behind goes on to hear is nothing to the copy.
            let other = &mut Rows::new();
            all[n..].iter().take(40).for_each(|h| feed(&mut rows, h, &mut |_| OtherFeeds::default(), other));
            rows = copy;
        }
        let known = &mut |t: Ts| {
            let (derivatives, session_vol_ratio) = minutes.at(t);
            OtherFeeds { derivatives, session_vol_ratio, ..OtherFeeds::default() }
        };
        feed(&mut rows, heard, known, &mut made);
    }
    made
}

#[test]
fn a_state_that_is_kept_goes_on_as_if_it_had_never_stopped() {
    for (name, tape) in ["whole", "with gaps"].into_iter().zip(tapes()) {
        let want = rows_with_copies(&tape, 0);
        assert!(want.len() > 30, "{name}: {} rows", want.len());
        let defined = |at: usize| want.iter().any(|(_, row)| row.get(at).is_ok());
        assert!((0..COLUMNS).filter(|at| defined(*at)).count() > 100, "{name}");
        for cuts in [1, 7, 150] {
            let found = rows_with_copies(&tape, cuts);
            assert_eq!(found.len(), want.len(), "{name}, {cuts} cuts");
            for ((t, a), (_, b)) in found.iter().zip(&want) {
                assert_eq!(bytes(a), bytes(b), "{name}, {cuts} cuts, the row of {t}");
            }
        }
    }
}

/// Five minutes of a book and of trades of hftbacktest's collector, in which messages are missing.
fn with_gaps() -> String {
    let mut text = String::new();
    let begin = Ts::from_civil(2026, 3, 2, 9, 57, 30).as_millis();
    for n in 0..3_000_i64 {
        let (ms, first, last) = (begin + 100 * n, 100 * n + 1, 100 * n + 100);
        let recv = (ms + 20 + n % 60) * 1_000_000;
        let stamps = format!("\"E\":{ms},\"T\":{ms}");
        let price = 60_000.0 + (n as f64 / 40.0).sin().mul_add(30.0, (n % 7) as f64);
        let side = |sign: f64| -> String {
            let one = |k: i64| {
                format!("[\"{:.1}\",\"{:.3}\"]", price.floor() + sign * (1 + k) as f64, ((n + k) % 11) as f64 / 4.0)
            };
            (0..12).map(one).collect::<Vec<_>>().join(",")
        };
        if n % 700 == 0 {
            let level = |sign: f64| {
                (0..25)
                    .map(|k| format!("[\"{:.1}\",\"1.5\"]", 60_000.0 + sign * (40.0 + f64::from(k))))
                    .collect::<Vec<_>>()
                    .join(",")
            };
            let (bids, asks) = (level(-1.0), level(1.0));
            writeln!(
                text,
                "{} {{\"lastUpdateId\":{},{stamps},\"bids\":[{bids}],\"asks\":[{asks}]}}",
                recv - 1_000,
                first + 40
            )
            .unwrap();
        }
        // Two holes of half a second and one of seven.
        if !matches!(n % 1_000, 300..305) && !(2_100..2_170).contains(&n) {
            let (bids, asks) = (side(-1.0), side(1.0));
            let before = first - 1;
            writeln!(text, "{recv} {{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",{stamps},\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\"pu\":{before},\"b\":[{bids}],\"a\":[{asks}]}}}}").unwrap();
        }
        if n % 3 != 1 {
            let (maker, qty) = (n % 5 < 2, (n % 13 + 1) as f64 / 8.0);
            writeln!(text, "{} {{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",{stamps},\"s\":\"BTCUSDT\",\"t\":{n},\"p\":\"{price:.1}\",\"q\":\"{qty}\",\"X\":\"MARKET\",\"m\":{maker}}}}}", recv + 500).unwrap();
        }
    }
    text
}

fn shipped_text() -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&std::fs::read(shipped()).unwrap()[..]).read_to_string(&mut text).unwrap();
    text
}

/// The text as so many files, cut between lines.
fn cut(text: &str, pieces: usize, folder: &Path, name: &str) -> Vec<PathBuf> {
    let mut from = 0;
    let piece = |n: usize| {
        let aim = text.len() * (n + 1) / pieces;
        let end = text[..aim].rfind('\n').map_or(text.len(), |at| at + 1).max(from);
        let path = folder.join(format!("{name}-{pieces}-{n}.txt"));
        std::fs::write(&path, &text[from..end]).unwrap();
        from = end;
        path
    };
    (0..pieces).map(piece).filter(|path| path.metadata().unwrap().len() > 0).collect()
}

#[derive(Debug)]
struct Given(Vec<FeedMinute>);

impl FeedSource for Given {
    fn minutes(&self, _: &InstrumentName, from: Ts, until: Ts) -> Result<Vec<FeedMinute>, ResearchError> {
        Ok(self.0.iter().filter(|m| from <= m.known && m.known < until).copied().collect())
    }
}

/// Digest of each hour of each table of the lake that comes of a recording and the same one of another venue beside it, each in so many
/// files; and how many columns have a number somewhere.
fn lake_of(text: &str, pieces: usize) -> (Vec<(String, Ts, String)>, usize) {
    let dir = tempfile::tempdir().unwrap();
    let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    let mut files = cut(text, pieces, dir.path(), "own");
    // In any order.
    files.reverse();
    let begin: i64 = text.split_once(' ').unwrap().0.parse().unwrap();
    let other = other_venue(Ts(begin), dir.path(), pieces);
    let request = DatasetRequest {
        market: market.clone(),
        files,
        lake: dir.path().join("lake"),
        tick: Some(0.1),
        contract_size: None,
    };
    let beside = DatasetBeside {
        feeds: Some(Rc::new(Given(readings(Ts(begin))))),
        recordings: vec![(InstrumentName::parse("bybit:BTCUSDT").unwrap(), other)],
        ..DatasetBeside::default()
    };
    record_beside(&request, &beside, &mut |_, _| {}).unwrap();
    let all = hours(&request.lake, &LakeQuery::default()).unwrap();
    let digests = all.iter().map(|h| (h.table.clone(), h.hour, h.content_digest().unwrap())).collect();
    let frame = barograph_research::load(&request.lake, &market).unwrap().frame;
    let defined = frame.columns().iter().filter(|column| column.iter().any(|v| v.is_some())).count();
    (digests, defined)
}

/// A wide book of another venue, a state each half second.
fn other_venue(begin: Ts, folder: &Path, pieces: usize) -> Vec<PathBuf> {
    let head = "ts,known_ts,bid_price_L0,bid_size_L0,ask_price_L0,ask_size_L0\n";
    let mut rows = Vec::new();
    for n in 0_i64..640 {
        let t = begin.0 + 500_000_000 * n;
        let mid = 64_000 + n % 4;
        rows.push(format!("{t},{},{},1,{},1\n", t + 5_000_000, mid - 1, mid + 1));
    }
    let write = |(n, part): (usize, &[String])| {
        let path = folder.join(format!("other-{n}.csv"));
        std::fs::write(&path, format!("{head}{}", part.concat())).unwrap();
        path
    };
    rows.chunks(rows.len().div_ceil(pieces.min(9))).enumerate().map(write).collect()
}

#[test]
fn in_how_many_files_a_recording_comes_changes_nothing() {
    for (name, text) in [("shipped", shipped_text()), ("with gaps", with_gaps())] {
        let (want, defined) = lake_of(&text, 1);
        assert!(want.len() >= 3 && defined > 120, "{name}: {} hours, {defined} columns", want.len());
        for pieces in [2, 7, 60] {
            assert_eq!(lake_of(&text, pieces).0, want, "{name} in {pieces} files");
        }
    }
}

/// A run that was stopped is given what was recorded again, together with what came since: the lake is that of one run.
#[test]
fn a_run_that_is_begun_again_goes_on_as_if_it_had_never_stopped() {
    for (name, text) in [("shipped", shipped_text()), ("with gaps", with_gaps())] {
        let dir = tempfile::tempdir().unwrap();
        let market = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
        let run = |lake: &str, files: &[PathBuf]| {
            let request = DatasetRequest {
                market: market.clone(),
                files: files.to_vec(),
                lake: dir.path().join(lake),
                tick: Some(0.1),
                contract_size: None,
            };
            record_beside(&request, &DatasetBeside::default(), &mut |_, _| {}).unwrap();
            let all = hours(&request.lake, &LakeQuery::default()).unwrap();
            all.iter().map(|h| (h.table.clone(), h.hour, h.content_digest().unwrap())).collect::<Vec<_>>()
        };
        let pieces = cut(&text, 9, dir.path(), "piece");
        let want = run("once", &pieces);
        let mut found = Vec::new();
        for upto in 1..=pieces.len() {
            found = run("again", &pieces[..upto]);
        }
        assert_eq!(found, want, "{name}");
    }
}

/// The comparison sees a row that was made of less: the state that is begun anew instead of kept.
#[test]
fn a_state_that_is_not_kept_is_found_out() {
    let [whole, _] = tapes();
    let want = rows_with_copies(&whole, 0);
    let begun_later = rows_with_copies(&whole[whole.len() / 2..], 0);
    let same = begun_later.iter().filter(|(t, row)| want.iter().any(|(at, own)| at == t && bytes(own) == bytes(row)));
    assert!(same.count() < begun_later.len() / 2);
}
