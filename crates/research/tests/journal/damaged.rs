//! A journal with a damaged file comes into the lake as far as it can be read.

use crate::made::{End, Message, Recorder, config};
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{HourManifest, LakeQuery, hours};
use barograph_research::dataset::{JournalRequest, record_journal};
use std::path::{Path, PathBuf};

const USDM: &str = "binance-usdm";
const BEGIN: Ts = Ts::from_civil(2026, 3, 2, 9, 0, 1);

/// A change of the book and a trade every 20 seconds of some hours, and the whole book in front.
fn heard(hours: core::ops::Range<i64>) -> Vec<Message> {
    let mut all = Vec::new();
    let mut say = |at: Ts, text: String| all.push(Message { at, symbol: "BTCUSDT", bytes: text.into_bytes() });
    for n in hours.start * 180..hours.end * 180 {
        let at = BEGIN + Span::secs(20 * n);
        let (ms, first, last) = (at.0 / 1_000_000, 100 * n + 1, 100 * n + 100);
        let times = format!("\"E\":{ms},\"T\":{ms}");
        let (before, size) = (first - 1, n % 9 + 1);
        say(
            at,
            format!(
                "{{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",{times},\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\
                 \"pu\":{before},\"b\":[[\"99.0\",\"{size}\"]],\"a\":[]}}}}"
            ),
        );
        if n == hours.start * 180 {
            let id = first + 50;
            say(
                at + Span::millis(1),
                format!("{{\"lastUpdateId\":{id},{times},\"bids\":[[\"99.0\",\"1\"]],\"asks\":[[\"101.0\",\"1\"]]}}"),
            );
        }
        say(
            at + Span::millis(2),
            format!(
                "{{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",{times},\"s\":\"BTCUSDT\",\"t\":{n},\"p\":\"100.0\",\"q\":\"1\",\
                 \"X\":\"MARKET\",\"m\":true}}}}"
            ),
        );
    }
    all
}

/// Imports the journal of a folder: what is said of the hours, and what could not be used.
fn import(data: &Path, lake: &str) -> (Vec<HourManifest>, Vec<String>) {
    let (data, lake) = (data.to_owned(), data.join(lake));
    let markets = vec![InstrumentName::new(USDM, "BTCUSDT").unwrap()];
    let request = JournalRequest { data, markets, lake, from: None, until: None };
    let done = record_journal(&request, &mut |_, _| {}).unwrap();
    let all = hours(&request.lake, &LakeQuery::default()).unwrap();
    let said = all.iter().map(|h| h.manifest().unwrap().or_else(|| h.so_far().unwrap()).unwrap());
    (said.map(|m| HourManifest { files: Vec::new(), ..m }).collect(), done.troubles)
}

/// The files of frames with this hour of the journal, those with lines of the book first.
fn frames(data: &Path, hour: usize) -> PathBuf {
    let folder = data.join("journal/venue=binance-usdm/date=2026-03-02");
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    all.retain(|p| p.file_name().unwrap().to_str().unwrap().ends_with(&format!("-{hour}.zst")));
    let large = |p: &PathBuf| std::cmp::Reverse(p.metadata().unwrap().len());
    all.sort_by_key(large);
    all.remove(0)
}

#[test]
fn a_damaged_header_costs_nothing_and_lines_behind_it_cost_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("journal");
    let mut recorder = Recorder::new(USDM, config(USDM, &["BTCUSDT"]));
    recorder.run(&root, &heard(0..3), End::InOrder);
    recorder.run(&root, &heard(3..4), End::InOrder);
    let (want, troubles) = import(dir.path(), "whole");
    assert_eq!((want.len(), troubles), (12, vec![]), "four hours of three tables");
    let path = frames(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    let end = 57 + u32::from_le_bytes(whole[13..17].try_into().unwrap()) as usize;
    for at in [2, 30, end - 5] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x81;
        std::fs::write(&path, bytes).unwrap();
        let (said, troubles) = import(dir.path(), &format!("header-{at}"));
        assert!(said == want, "byte {at}: every hour is as it was");
        assert_eq!(troubles.len(), 1, "{troubles:?}");
        assert!(troubles[0].contains("the header of") && troubles[0].contains("-1.zst"), "{troubles:?}");
    }
    // The header, and the lines behind it.
    let mut bytes = whole.clone();
    bytes[2..end + 60].fill(0x55);
    std::fs::write(&path, bytes).unwrap();
    let (said, troubles) = import(dir.path(), "lines");
    let of = |all: &[HourManifest], table: &str, hour: i64| {
        all.iter().find(|m| m.table == table && m.hour == (BEGIN + Span::hours(hour)).floor(Span::hours(1))).cloned()
    };
    for table in ["orderbook", "trades"] {
        assert_eq!(of(&said, table, 0), of(&want, table, 0), "{table}");
        assert!(of(&said, table, 1).is_none_or(|m| m.rows <= 2) && of(&said, table, 2).is_none(), "{table}");
        let (last, as_before) = (of(&said, table, 3).unwrap(), of(&want, table, 3).unwrap());
        assert_eq!(last.rows, as_before.rows, "{table}");
        let gap = &last.gaps[0];
        assert!(gap.until - gap.from > Span::mins(115), "{table}: {gap:?}");
    }
    assert!(
        troubles.iter().any(|t| t.contains("nothing of binance-usdm behind it from 2026-03-02T10:0")),
        "{troubles:?}"
    );
}
