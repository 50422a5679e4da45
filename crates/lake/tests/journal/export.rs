//! The export for hftbacktest: its own converter makes the same arrays of it as of the recording the journal was fed with.

use crate::journal::support::open;
use barograph_domain::{Span, Ts};
use barograph_lake::export::{ExportReport, export_hftbacktest};
use barograph_lake::journal::{ControlRecord, JournalWriter, REST};
use barograph_testkit::recorded;
use barograph_venues::session::{FailReason, RequestId};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

const VENUE: &str = "binance-usdm";

fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    // Some recordings were cut off while the collector ran; what is whole is used.
    if let Err(e) = MultiGzDecoder::new(bytes).read_to_end(&mut text) {
        assert_eq!(e.kind(), std::io::ErrorKind::UnexpectedEof, "{e}");
        let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        text.truncate(whole);
    }
    text
}

/// `(stamp, message)` of each line.
fn lines(text: &[u8]) -> Vec<(Ts, &[u8])> {
    let split = |line: &'_ [u8]| (Ts(std::str::from_utf8(&line[..19]).unwrap().parse().unwrap()), 20);
    text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| (split(l).0, &l[split(l).1..])).collect()
}

/// Journals recordings of several symbols as a process would have: two connections, one of them replaced by a third that
/// overlaps it, snapshots as answers to requests, and messages that belong to nobody.
fn journal(root: &Path, recordings: &[(&str, &[u8])]) {
    let mut writer = open_at_the_beginning(root);
    let mut all: Vec<_> =
        recordings.iter().flat_map(|(s, text)| lines(text).into_iter().map(move |l| (l, *s))).collect();
    all.sort_by_key(|((at, _), _)| *at);
    let first = all[0].0.0 - Span::secs(1);
    let key = |w: &mut JournalWriter, name: &str| w.connection(VENUE, name, 0, first).unwrap();
    let [depth, old, new, rest] = ["depth-0", "market-0", "market-1", REST].map(|name| key(&mut writer, name));
    writer.frame(depth, first, b"{\"result\":null,\"id\":1}").unwrap();
    writer.frame(depth, first + Span(1), b"{\"stream\":\"!forceOrder@arr\",\"data\":{\"e\":\"forceOrder\"}}").unwrap();
    let mut id = RequestId(0);
    let ask = |w: &mut JournalWriter, at, id, symbol: &str| {
        let url = format!("https://fapi.binance.com/fapi/v1/depth?symbol={}&limit=1000", symbol.to_uppercase());
        w.control(at, &ControlRecord::Request { venue: VENUE.into(), id, url, purpose: "sync".into() }).unwrap();
    };
    let last = all.last().unwrap().0.0;
    let (overlap_from, overlap_to) = (first + Span((last - first).0 / 3), first + Span((last - first).0 / 2));
    for (i, ((at, message), symbol)) in all.iter().enumerate() {
        let (at, message) = (*at, *message);
        if !message.starts_with(b"{\"stream\"") {
            id.0 += 1;
            let asked = writer.last().unwrap() + Span(1);
            ask(&mut writer, asked, id, symbol);
            writer.reply(rest, at, id, 200, message).unwrap();
            continue;
        }
        if message.windows(7).take(40).any(|w| w == b"@depth@") {
            writer.frame(depth, at, message).unwrap();
            continue;
        }
        let before = at < overlap_to;
        writer.frame(if before { old } else { new }, at, message).unwrap();
        // The newer connection delivers the same a little later.
        let next = all.get(i + 1).map_or(Ts::MAX, |((at, _), _)| *at);
        if before && at > overlap_from && next > at + Span(2_000) {
            writer.frame(new, at + Span(1_000), message).unwrap();
        }
    }
    // Snapshots that did not come, and one that is none.
    let at = |n| last + Span(n);
    for (n, status) in [(1, 429), (11, 200)] {
        id.0 += 1;
        ask(&mut writer, at(n), id, recordings[0].0);
        writer.reply(rest, at(n + 1), id, status, b"{\"code\":-1003,\"msg\":\"Too many requests.\"}").unwrap();
    }
    id.0 += 1;
    ask(&mut writer, at(21), id, recordings[0].0);
    let failed = ControlRecord::Failed { venue: VENUE.into(), id, reason: FailReason::Timeout };
    writer.control(at(22), &failed).unwrap();
    writer.close().unwrap();
}

fn open_at_the_beginning(root: &Path) -> JournalWriter {
    let writer = open(root);
    assert_eq!(writer.last(), None);
    writer
}

fn export(root: &Path, symbol: &str, range: (Option<Ts>, Option<Ts>)) -> (ExportReport, Vec<u8>) {
    let mut out = Vec::new();
    let report = export_hftbacktest(root, VENUE, symbol, range, &mut out).unwrap();
    (report, out)
}

#[test]
fn an_export_is_the_recording_it_came_from() {
    let (Some(btc), Some(eth)) = (
        recorded("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz"),
        recorded("raw/hftbacktest/binance-usdm_ethusdt_20240808.gz"),
    ) else {
        return;
    };
    // The first 30,000 lines of each: about two minutes, with the snapshot.
    let head = |path: PathBuf| {
        let text = inflate(&std::fs::read(path).unwrap());
        let end = text.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(29_999).unwrap().0;
        text[..=end].to_vec()
    };
    let (btc, eth) = (head(btc), head(eth));
    let dir = tempfile::tempdir().unwrap();
    journal(dir.path(), &[("btcusdt", &btc), ("ethusdt", &eth)]);
    for (symbol, text, failed) in [("BTCUSDT", &btc, 3), ("ethusdt", &eth, 0)] {
        let (report, out) = export(dir.path(), symbol, (None, None));
        assert!(inflate(&out) == *text, "{symbol}");
        assert_eq!((report.lines, report.snapshots, report.failed_snapshots), (30_000, 1, failed), "{symbol}");
        assert_eq!(report.bytes, text.len() as u64);
        assert!(report.repeated > 1_000 && report.other_symbols > 30_000, "{report:?}");
        assert!(report.unaddressed >= 3 && report.tails.is_empty(), "{report:?}");
        let all = lines(text);
        assert_eq!(report.span, Some((all[0].0, all[29_999].0)));
        // A range takes what is inside; a snapshot whose request came before it is among that.
        let snapshot = all.iter().position(|(_, m)| !m.starts_with(b"{\"stream\"")).unwrap();
        let (from, to) = (all[snapshot].0, all[snapshot + 500].0);
        let (report, out) = export(dir.path(), symbol, (Some(from), Some(to)));
        assert_eq!((report.lines, report.snapshots), (501, 1), "{symbol}");
        assert!(lines(&inflate(&out)) == all[snapshot..=snapshot + 500]);
    }
    let none = export(dir.path(), "SOLUSDT", (None, None)).0;
    assert_eq!((none.lines, none.span), (0, None));
}

#[test]
fn line_breaks_become_spaces_and_other_venues_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = Ts(1_700_000_000_000_000_001);
    let key = writer.connection(VENUE, "c", 0, at).unwrap();
    writer.frame(key, at, b"{\"stream\":\"btcusdt@trade\",\r\n\"data\":{}}").unwrap();
    writer.close().unwrap();
    let (_, out) = export(dir.path(), "BTCUSDT", (None, None));
    assert_eq!(inflate(&out), b"1700000000000000001 {\"stream\":\"btcusdt@trade\",  \"data\":{}}\n");
    let refused = export_hftbacktest(dir.path(), "okx", "BTC-USDT", (None, None), Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("'okx' cannot be exported"), "{refused}");
}

#[test]
fn s7_messages_of_coinbase_are_written_by_product_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let at = |n: i64| Ts(1_775_570_400_000_000_000 + n);
    let book = |kind: &str, product: &str| {
        format!(
            r#"{{"channel":"l2_data","sequence_num":1,"events":[{{"type":"{kind}","product_id":"{product}","updates":[]}}]}}"#
        )
    };
    let trades = r#"{"channel":"market_trades","events":[{"type":"update","trades":[{"product_id":"ETH-USD"},{"product_id":"BTC-USD"}]}]}"#;
    let acks = r#"{"channel":"subscriptions","events":[{"subscriptions":{"level2":["BTC-USD"]}}]}"#;
    let (old, new) = ("old", "new");
    let frames = [
        (old, acks.to_owned(), false),
        (old, book("snapshot", "BTC-USD"), true),
        (old, book("update", "BTC-USD"), true),
        (old, book("update", "ETH-USD"), false),
        (new, book("update", "BTC-USD"), false),
        (old, trades.to_owned(), true),
        (new, book("snapshot", "BTC-USD"), true),
        (old, book("update", "BTC-USD"), false),
        (new, book("update", "BTC-USD"), true),
    ];
    let keys = [old, new].map(|name| writer.connection("coinbase", name, 0, at(0)).unwrap());
    let mut want = String::new();
    for (n, (connection, text, kept)) in (1..).zip(&frames) {
        writer.frame(keys[usize::from(*connection == new)], at(n), text.as_bytes()).unwrap();
        if *kept {
            want.push_str(&format!("{} {text}\n", at(n).0));
        }
    }
    writer.close().unwrap();
    let mut out = Vec::new();
    let report = export_hftbacktest(dir.path(), "coinbase", "BTC-USD", (None, None), &mut out).unwrap();
    assert_eq!(String::from_utf8(inflate(&out)).unwrap(), want);
    assert_eq!((report.lines, report.snapshots, report.repeated), (5, 2, 2), "{report:?}");
    assert_eq!((report.other_symbols, report.unaddressed), (1, 1), "{report:?}");
}

#[test]
fn the_converter_of_hftbacktest_reads_the_export() {
    let Some(original) = recorded("raw/hftbacktest/binance-usdm_btcusdt_20240718.gz") else { return };
    let Some(python) = crate::journal::python::with_hftbacktest() else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = inflate(&std::fs::read(&original).unwrap());
    journal(&dir.path().join("journal"), &[("btcusdt", &text)]);
    let (report, out) = export(&dir.path().join("journal"), "BTCUSDT", (None, None));
    assert!(report.lines > 10_000 && report.snapshots == 1 && report.repeated > 100, "{report:?}");
    let exported = dir.path().join("btcusdt.gz");
    std::fs::write(&exported, out).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/convert.py");
    let compare = |a: &Path| Command::new(&python).arg(&script).arg(a).arg(&exported).output().unwrap();
    let said = compare(&original);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success() && text.contains("equal: "), "{text}{}", String::from_utf8_lossy(&said.stderr));
    println!("{}", text.lines().last().unwrap_or_default());
    // That it would notice: one line less is another array.
    let mut short = inflate(&std::fs::read(&exported).unwrap());
    let end = short.iter().rposition(|b| *b == b'\n').unwrap();
    let cut = short[..end].iter().rposition(|b| *b == b'\n').unwrap();
    short.drain(cut / 2..end);
    let whole = short[..cut / 2].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &short[..whole]).unwrap();
    let part = dir.path().join("part.gz");
    std::fs::write(&part, gzip.finish().unwrap()).unwrap();
    let said = compare(&part);
    assert!(String::from_utf8_lossy(&said.stdout).contains("differs: "));
}
