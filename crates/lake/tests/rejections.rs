//! Every reason a row is refused, by a small file of its own; and files that are not what they claim.

use crate::common;
use barograph_domain::{Metric, Span, Stamp};
use barograph_lake::{Error, ImportOptions, plan};
use barograph_venues::{ColumnMap, RejectReason};
use common::{Folder, btc, gz, import, options, zip};
use std::path::PathBuf;

const NAME: &str = "binance-usdm_btcusdt_1m.csv";
const HEADER: &str = "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore\n";
const GOOD: &str = "1738368000000,100,102,99,101,5,1738368059999,500,1,1,1,0\n";
const NEXT: &str = "1738368060000,101,103,100,102,5,1738368119999,500,1,1,1,0\n";
const LAST: &str = "1738368120000,102,104,101,103,5,1738368179999,500,1,1,1,0\n";

/// One wrong row between two right ones: counted once, named with its line, the right ones used.
fn check_row(row: &str, reason: RejectReason, message: &str) {
    let folder = Folder::new();
    let path = folder.write(NAME, format!("{HEADER}{GOOD}{row}\n{LAST}"));
    let got = import(std::slice::from_ref(&path), &options());
    assert_eq!(got.events.len(), 2, "{row}");
    assert_eq!((got.report.rows, got.report.accepted, got.report.rejected_rows), (3, 2, 1), "{row}");
    let rejection = &got.report.rejected[0];
    assert_eq!((rejection.reason, rejection.count), (reason, 1), "{row}");
    assert_eq!(rejection.example, format!("{}:3: {message}", path.display()), "lines count from 1, header included");
}

#[test]
fn each_wrong_row_has_its_reason_and_its_place() {
    let cases = [
        ("1738368060000,101,103,100", RejectReason::WrongColumnCount, "wrong column count, 4 of 12 columns"),
        (
            "1738368060000,1,1,1,1,5,1738368119999,500,1,1,1,0,9",
            RejectReason::WrongColumnCount,
            "wrong column count, 13 of 12 columns",
        ),
        (
            "1738368060000,101,103,abc,102,5,1738368119999,5,1,1,1,0",
            RejectReason::NotANumber,
            "low 'abc': not a number",
        ),
        (
            "1738368060000,101,103,NaN,102,5,1738368119999,5,1,1,1,0",
            RejectReason::NotANumber,
            "low 'NaN': not a number",
        ),
        (
            "yesterday,101,103,100,102,5,1738368119999,5,1,1,1,0",
            RejectReason::NotATime,
            "open_time 'yesterday': not a time",
        ),
        ("1738368060000,101,103,100,,5,1738368119999,5,1,1,1,0", RejectReason::MissingValue, "close is empty"),
        ("1738368060000,101,103,-100,102,5,1738368119999,5,1,1,1,0", RejectReason::Negative, "low '-100': negative"),
        (
            "1738368060000,101,103,0,102,5,1738368119999,5,1,1,1,0",
            RejectReason::NotAboveZero,
            "low '0': not above zero",
        ),
        (
            "1738368060000,101,1e20,100,102,5,1738368119999,5,1,1,1,0",
            RejectReason::OutOfRange,
            "high '1e20': out of range",
        ),
        (
            "1738368060000,101,103,1e-16,102,5,1738368119999,5,1,1,1,0",
            RejectReason::OutOfRange,
            "low '1e-16': out of range",
        ),
        ("1738368060000,101,103,100,102,-5,1738368119999,5,1,1,1,0", RejectReason::Negative, "volume '-5': negative"),
        (
            "1738368060000,101,99,100,102,5,1738368119999,5,1,1,1,0",
            RejectReason::HighBelowLow,
            "high '99': high below low, or open or close outside",
        ),
        (
            "1738368060000,99,103,100,102,5,1738368119999,5,1,1,1,0",
            RejectReason::HighBelowLow,
            "high '103': high below low, or open or close outside",
        ),
        (
            "1738368060000,101,103,100,102,5,1738368359999,5,1,1,1,0",
            RejectReason::WrongTimeframe,
            "close_time '1738368359999': wrong timeframe",
        ),
        (
            "1895000000000,101,103,100,102,5,1895000059999,5,1,1,1,0",
            RejectReason::Future,
            "open_time '1895000000000': in the future",
        ),
        (
            "1738368000000,100,102,99,101,5,1738368059999,500,1,1,1,0",
            RejectReason::Duplicate,
            "duplicate of an earlier row",
        ),
    ];
    for (row, reason, message) in cases {
        check_row(row, reason, message);
    }
}

#[test]
fn the_open_candle_is_in_the_future() {
    // The present is 2026-11-20T00:00Z; this minute ends one minute after it.
    let row = "1795132800000,101,103,100,102,5,1795132859999,5,1,1,1,0";
    check_row(row, RejectReason::Future, "open_time '1795132800000': in the future");
}

#[test]
fn of_rows_with_one_stamp_the_later_line_counts() {
    let folder = Folder::new();
    let revised = GOOD.replace(",101,5,", ",101.5,5,");
    let path = folder.write(NAME, format!("{GOOD}{revised}{NEXT}"));
    let got = import(std::slice::from_ref(&path), &options());
    assert_eq!((got.events.len(), got.report.rejected_rows, got.report.disagreeing), (2, 0, 1));
    let close = |e: &barograph_domain::Event| e.payload.headline();
    assert_eq!(close(&got.events[0]), Some(101.5));
    let what = "binance-usdm:BTCUSDT bar 1m binance-usdm at 2025-02-01T00:01:00Z: other numbers than line 1";
    assert_eq!(got.report.disagreement, Some(format!("{}:2: {what}", path.display())));
    let swapped = import(&[folder.write(NAME, format!("{revised}{GOOD}{NEXT}"))], &options());
    assert_eq!((close(&swapped.events[0]), swapped.report.disagreement), (Some(101.0), got.report.disagreement));
    let once = import(&[folder.write(NAME, format!("{GOOD}{GOOD}{NEXT}"))], &options());
    assert_eq!(once.report.disagreeing, 0, "equal rows are duplicates");
}

#[test]
fn rows_another_file_has_brought_are_seen_not_wrong() {
    let folder = Folder::new();
    let a = folder.write("a/binance-usdm_btcusdt_1m.csv", format!("{GOOD}{NEXT}"));
    let b = folder.write("b/binance-usdm_btcusdt_1m.csv", format!("{NEXT}{LAST}"));
    let got = import(&[a, b], &options());
    let r = &got.report;
    assert_eq!((got.events.len(), r.rows, r.accepted, r.rejected_rows, r.already_seen), (3, 4, 4, 0, 1));
}

#[test]
fn two_markets_under_one_name_are_seen_by_their_numbers() {
    let folder = Folder::new();
    let a = folder.write("a.csv", "ts,rate\n1738368000000,0.0001\n1738396800000,0.0002\n");
    let b = folder.write("b.csv", "ts,rate\n1738368000000,0.0001\n1738396800000,0.0009\n");
    let got = import(&[b.clone(), a.clone()], &btc());
    assert_eq!((got.events.len(), got.report.already_seen, got.report.disagreeing), (2, 1, 1));
    assert_eq!(got.events[1].payload.headline(), Some(0.0009), "the file whose path sorts last counts");
    let want = "binance-usdm:BTCUSDT funding_rate_settled 8h binance-usdm at 2025-02-01T08:00:00Z";
    let files = format!("{want}: {} and {}", a.display(), b.display());
    assert_eq!(got.report.disagreement, Some(files));
}

#[test]
fn order_is_checked_where_it_is_promised() {
    let folder = Folder::new();
    let name = "data/futures/um/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2026-10-07.csv";
    let row = |id: u64, ms: u64| format!("{id},100,1,1,1,17913836{ms},false\n");
    let path = folder.write(name, [row(7, 83361), row(6, 83362), row(8, 83360), row(9, 83363)].concat());
    let got = import(std::slice::from_ref(&path), &options());
    assert_eq!(got.events.len(), 2);
    let want = format!("2 out of order: {}:2: transact_time '1791383683362': out of order", path.display());
    assert_eq!(got.rejections(), [want]);

    let liquidations = "1711836001000,SELL,LIMIT,IOC,1,69000,69500,FILLED,1,1\n1711836000000,SELL,LIMIT,IOC,1,69000,69500,FILLED,1,1\n\
                        1711836001000,HOLD,LIMIT,IOC,1,69000,69500,FILLED,1,1\n";
    let name = "BTCUSDT-liquidationSnapshot-2024-03-30.csv";
    let got = import(&[folder.write(name, liquidations)], &options());
    let reasons: Vec<RejectReason> = got.report.rejected.iter().map(|r| r.reason).collect();
    assert_eq!(reasons, [RejectReason::UnknownWord, RejectReason::OutOfOrder]);
}

#[test]
fn the_old_liquidation_files_say_every_row_twice() {
    let folder = Folder::new();
    let row = "1711836001000,SELL,LIMIT,IOC,1,69000,69500,FILLED,1,1\n";
    let got = import(&[folder.write("BTCUSDT-liquidationSnapshot-2024-03-30.csv", [row, row].concat())], &options());
    assert_eq!((got.events.len(), got.report.rejected[0].reason), (1, RejectReason::Duplicate));
}

#[test]
fn values_out_of_range_are_refused() {
    let folder = Folder::new();
    let text = "calc_time,funding_interval_hours,last_funding_rate\n1735689600000,8,0.0001\n1735718400000,8,1.5\n1735747200000,0,0.1\n1735776000000,,0.0001\n";
    let path = folder.write("BTCUSDT-fundingRate-2025-01.csv", text);
    let got = import(std::slice::from_ref(&path), &options());
    let want = format!("2 out of range: {}:3: last_funding_rate '1.5': out of range", path.display());
    assert_eq!(got.rejections(), [want]);
    assert_eq!(got.events.len(), 2, "an empty interval is absence");
}

#[test]
fn recordings_refuse_what_is_no_frame() {
    let folder = Folder::new();
    let trade = |recv: &str, rest: &str| {
        format!(
            "{recv} {{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"{rest}\",\"q\":\"1\",\"T\":1721347022799,\"m\":true}}\n"
        )
    };
    let text = [
        trade("1721347021000000000", "100"),
        trade("1721347020000000000", "100"),
        trade("1721347022000000000", "-1"),
        "1721347022000000000 {\"e\":\"tra\n".to_owned(),
        trade("1721347023000000000", "101").trim_end_matches("true}\n").to_owned(),
    ]
    .concat();
    let path = folder.write("binance-usdm_rec.gz", text);
    let got = import(std::slice::from_ref(&path), &options());
    let reasons: Vec<(RejectReason, u64)> = got.report.rejected.iter().map(|r| (r.reason, r.count)).collect();
    let want = [
        (RejectReason::Negative, 1),
        (RejectReason::NotJson, 1),
        (RejectReason::OutOfOrder, 1),
        (RejectReason::Truncated, 1),
    ];
    assert_eq!(reasons, want);
    assert_eq!(got.events.len(), 1);
    let shown = &got.report.rejected[1].example;
    assert_eq!(*shown, format!("{}:4: not json: 1721347022000000000 {{\"e\":\"tra", path.display()));
}

#[test]
fn a_file_that_ends_in_the_middle_keeps_what_came_before() {
    let folder = Folder::new();
    // Incompressible, so that the cut falls into the middle of the rows.
    let mut seed = 7_u64;
    let mut text = HEADER.to_owned();
    for n in 0..5_000_u64 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let open = 1_738_368_000_000 + n * 60_000;
        text.push_str(&format!("{open},100,102,99,101,{},{},5,1,1,1,0\n", seed >> 20, open + 59_999));
    }
    let packed = gz(&text);
    let cut = folder.write("binance-usdm_btcusdt_1m.csv.gz", &packed[..packed.len() / 2]);
    let got = import(std::slice::from_ref(&cut), &options());
    assert!(got.events.len() > 1_000, "rows before the cut are used: {}", got.events.len());
    let last = got.report.rows + 1;
    let rejection = &got.report.rejected[0];
    assert_eq!((rejection.reason, rejection.count), (RejectReason::Truncated, 1));
    assert!(
        rejection.example.starts_with(&format!("{}:{last}: the file ends in the middle", cut.display())),
        "{}",
        rejection.example
    );

    let plain = folder.write("plain/binance-usdm_btcusdt_1m.csv", format!("{HEADER}{GOOD}{}", &NEXT[..30]));
    let got = import(std::slice::from_ref(&plain), &options());
    let want =
        format!("1 truncated file: {}:3: the file ends in the middle of a row, 6 of 12 columns", plain.display());
    assert_eq!((got.events.len(), got.rejections()), (1, vec![want]));

    let json = folder
        .write("j/binance-usdm_btcusdt_1m.json", "[[1738368000000,1,2,1,2,5],[1738368060000,1,2,1,2,5],[17383681");
    let got = import(std::slice::from_ref(&json), &options());
    assert_eq!((got.events.len(), got.report.rejected[0].reason), (2, RejectReason::Truncated));
}

#[test]
fn rows_are_counted_by_reason_and_the_first_of_each_is_shown() {
    let folder = Folder::new();
    let bad = NEXT.replace(",103,", ",x,");
    let a = folder.write("a/binance-usdm_btcusdt_1m.csv", format!("{GOOD}{bad}{bad}"));
    let b = folder.write("b/binance-usdm_ethusdt_1m.csv", format!("{bad}{GOOD}{NEXT}"));
    let want = format!("3 not a number: {}:2: high 'x': not a number", a.display());
    // The order of arguments does not matter, and neither does which market starts first.
    for paths in [[a.clone(), b.clone()], [b, a]] {
        let got = import(&paths, &options());
        assert_eq!(got.rejections(), std::slice::from_ref(&want));
        assert_eq!((got.report.rows, got.report.rejected_rows), (6, 3));
    }
}

/// Files that cannot be imported at all: one sentence each, the others go on.
#[test]
fn a_file_that_is_not_what_it_claims_is_one_clear_error() {
    let packed = gz(format!("{HEADER}{GOOD}{NEXT}"));
    let mut broken_gz = packed.clone();
    broken_gz.truncate(12);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty.csv", Vec::new(), "is empty"),
        ("blank.csv", b"\n\n  \n".to_vec(), "is empty"),
        ("page.csv", b"<!DOCTYPE html><html>502 Bad Gateway</html>".to_vec(), "is a web page"),
        ("refused.json", br#"{"code":-1121,"msg":"Invalid symbol."}"#.to_vec(), "error answer of the venue, not data: Invalid symbol."),
        ("broken.csv.gz", broken_gz, "packing is broken"),
        ("text.csv.gz.zip", b"PK\x03\x04 not really".to_vec(), "not a readable zip archive"),
        ("none.zip", zip(&[("README.md", "hello")]), "zip archive without a data file"),
        ("x.parquet", b"PAR1 and nothing else".to_vec(), "not a readable parquet file"),
        ("x.feather", b"ARROW1 and nothing else".to_vec(), "not a readable feather file"),
        ("x.csv.xz", b"\xfd7zXZ\0abc".to_vec(), "packing is broken"),
        ("x.csv.bz2", b"BZh91AY&SY".to_vec(), "a bzip2 file, which is not read"),
        ("binary.csv", b"\x01\x02\0\0\0\x03".to_vec(), "is binary"),
        ("header.csv", HEADER.into(), "a header and no row"),
        ("bytes.csv", b"\x8f\x03\xe1,\x17\xff\x92".to_vec(), "bytes that are no text"),
        ("words.csv", b"name,colour\nfox,red\n".to_vec(), "no known format has the columns name, colour; map them with --columns"),
        ("numbers.csv", b"1,2,3,4\n5,6,7,8\n".to_vec(), "rows of 4 cells without a header"),
        ("all_wrong_1m.csv", format!("{HEADER}x,1,1,1,1,1,1,1,1,1,1,1\n").into(), "no usable row; the first is wrong: line 2: not a time"),
        ("one.csv", b"timestamp,open,high,low,close\n2025-02-01,1,1,1,1\n".to_vec(), "too few rows to tell how far apart they are; say --cadence"),
        ("mixed.csv", b"timestamp,open,high,low,close\n2025-02-01,1,1,1,1\n2025-02-01,2,2,2,2\n2025-02-02,1,1,1,1\n2025-02-02,2,2,2,2\n".to_vec(), "several rows share each stamp"),
        ("books.gz", gz("1721347020984480942 {\"stream\":\"a@depth\",\"data\":{\"e\":\"depthUpdate\",\"pu\":1,\"s\":\"A\"}}\n"), "order books are not used yet"),
        ("other.gz", gz("1721347020984480942 {\"channel\":\"l2Book\"}\n"), "of no Binance market"),
        ("novolume.csv", b"timestamp,open,high,low,close,volume\n1738368000,1,1,1,1,0\n1738368060,1,1,1,1,0\n".to_vec(), "say --metric bar, mark_price"),
        ("markPriceKlines/x_1m.csv", format!("{HEADER}{GOOD}").into(), "the name says mark_price, but the rows carry volume"),
        ("BTC_1h.csv", format!("{HEADER}{GOOD}{NEXT}").into(), "the name says bars of 1h, the rows are 1m apart"),
    ];
    let base = ImportOptions { symbol: Some("BTCUSDT".into()), ..options() };
    let base = ImportOptions { venue: Some("binance-usdm".into()), ..base };
    let recordings = ImportOptions { venue: None, ..base.clone() };
    for (name, bytes, want) in cases {
        let folder = Folder::new();
        let bad = folder.write(name, bytes);
        let asked = if name == "other.gz" { &recordings } else { &base };
        match plan(std::slice::from_ref(&bad), asked) {
            Err(Error::Nothing { looked_at: 1, failed }) => {
                assert_eq!(failed[0].path, bad.display().to_string());
                assert!(failed[0].error.contains(want), "{name}: {}", failed[0].error);
                assert!(
                    !failed[0].error.contains('\n') && !failed[0].error.ends_with('.') || name == "refused.json",
                    "{}",
                    failed[0].error
                );
            }
            other => panic!("{name}: {other:?}"),
        }
        let good = folder.write("zz/binance-usdm_btcusdt_1m.csv", format!("{HEADER}{GOOD}{NEXT}"));
        let got = import(&[bad, good], asked);
        assert_eq!((got.events.len(), got.report.failed.len()), (2, 1), "{name}: the other file goes on");
    }
}

#[test]
fn venue_and_symbol_must_be_known() {
    let folder = Folder::new();
    let path = folder.write("x.csv", format!("{HEADER}{GOOD}{NEXT}"));
    let error = |o: &ImportOptions| plan(std::slice::from_ref(&path), o).unwrap_err().to_string();
    let with = |venue: Option<&str>, symbol: Option<&str>| ImportOptions {
        venue: venue.map(Into::into),
        symbol: symbol.map(Into::into),
        ..options()
    };
    assert!(error(&with(None, None)).contains("add both, as in --venue binance-usdm --symbol BTCUSDT"));
    assert!(error(&with(Some("bybit"), None)).contains("add --symbol"));
    assert!(error(&with(None, Some("BTCUSDT"))).contains("add --venue"));
    assert!(error(&with(Some("mexc"), Some("BTCUSDT"))).contains("add --market"));
    assert!(error(&with(Some("binance"), Some("BTCUSDT"))).contains("say binance-usdm, binance-coinm or binance-spot"));
    assert!(error(&with(Some("Bybit!"), Some("BTCUSDT"))).contains("not a venue id"));
}

#[test]
fn options_that_would_look_ahead_or_mix_markets_are_refused() {
    let folder = Folder::new();
    let klines = folder.write("binance-usdm_btcusdt_1m.csv", format!("{HEADER}{GOOD}{NEXT}"));
    let ether = folder.write("binance-usdm_ethusdt_1m.csv", format!("{HEADER}{GOOD}{NEXT}"));
    let error = |paths: &[PathBuf], o: &ImportOptions| plan(paths, o).unwrap_err().to_string();
    let early = ImportOptions { delays: vec![(Metric::Bar, Span::secs(-1))], ..options() };
    assert!(error(std::slice::from_ref(&klines), &early).contains("before they were known"));
    let close = ImportOptions { stamp: Some(Stamp::Close), ..options() };
    assert!(error(std::slice::from_ref(&klines), &close).contains("known before it closed"));
    let instant = ImportOptions { stamp: Some(Stamp::Instant), ..options() };
    assert!(error(std::slice::from_ref(&klines), &instant).contains("bars have an open and a close"));
    assert!(error(&[klines, ether], &btc()).contains("would make one market of files that name BTC, ETH"));
    assert!(error(&[folder.path().join("missing.csv")], &btc()).contains("cannot read"));
}

#[test]
fn a_column_map_that_fits_no_file_is_refused() {
    let folder = Folder::new();
    let known = folder.write("oi.csv", "t,oi\n1738368000,5\n1738368300,6\n");
    let unknown = folder.write("x.csv", "when,what\n1738368000,5\n1738368300,6\n");
    let map = ColumnMap::parse("time=when,value=wat,metric=open_interest").unwrap();
    let asked = ImportOptions { columns: Some(map), ..btc() };
    let error = plan(std::slice::from_ref(&known), &asked).unwrap_err().to_string();
    assert_eq!(error, "no file has all columns of --columns (when, wat)");
    let error = plan(&[unknown], &asked).unwrap_err().to_string();
    assert!(error.contains("has no column wat of --columns; its columns are when, what"), "{error}");
}

#[test]
fn rows_of_several_markets_are_never_poured_into_one() {
    let folder = Folder::new();
    let text = "timestamp,venue,coin,o,h,l,c\n1738368000,Binance,BTC,1,1,1,1\n1738368000,Bybit,BTC,1,1,1,1\n1738368060,Binance,BTC,1,1,1,1\n1738368060,Bybit,BTC,2,2,2,2\n";
    let path = folder.write("candles.csv", text);
    let error = plan(std::slice::from_ref(&path), &btc()).unwrap_err().to_string();
    assert!(error.contains("holds no row of binance-usdm BTCUSDT; it has Binance, Bybit, BTC"), "{error}");
    let map = ColumnMap::parse("time=timestamp,open=o,high=h,low=l,close=c,where.venue=Bybit").unwrap();
    let got = import(&[path], &ImportOptions { columns: Some(map), venue: Some("bybit".into()), ..btc() });
    assert_eq!(got.events.len(), 2);
}

#[test]
fn what_lies_beside_data_is_skipped_and_listed() {
    let folder = Folder::new();
    folder.write("binance-usdm_btcusdt_1m.csv", format!("{HEADER}{GOOD}{NEXT}"));
    folder.write("README.md", "about");
    folder.write("BTCUSDT-1m.zip.CHECKSUM", "0123  BTCUSDT-1m.zip");
    folder.write("LICENSE", "words");
    folder.write(".hidden/x.csv", "junk");
    let got = import(&[folder.path()], &options());
    assert_eq!((got.events.len(), got.report.skipped.len(), got.report.failed.len()), (2, 4, 0));
    let empty = Folder::new();
    assert!(matches!(plan(&[empty.path()], &options()), Err(Error::Nothing { looked_at: 0, .. })));
}

#[test]
fn a_zip_may_hold_several_files() {
    let folder = Folder::new();
    let members = [
        ("binance-usdm_ethusdt_1m.csv", GOOD.to_owned() + NEXT),
        ("binance-usdm_btcusdt_1m.csv", GOOD.to_owned() + "x\n" + NEXT),
    ];
    let members: Vec<(&str, &str)> = members.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let path = folder.write("all.zip", zip(&members));
    let got = import(std::slice::from_ref(&path), &options());
    assert_eq!(got.events.len(), 4);
    let want = format!(
        "1 wrong column count: {}/binance-usdm_btcusdt_1m.csv:2: wrong column count, 1 of 12 columns",
        path.display()
    );
    assert_eq!(got.rejections(), [want]);
    // A member whose bytes were changed: its check sum says so.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap() + 16;
    bytes[at] ^= 1;
    let changed = folder.write("changed.zip", bytes);
    let got = import(std::slice::from_ref(&changed), &options());
    let failed: Vec<&str> = got.report.failed.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(failed, [format!("{}/binance-usdm_ethusdt_1m.csv", changed.display())]);
}

/// A file whose check sum does not fit is a failed file: a command that reads it must not end well.
#[test]
fn a_check_sum_that_does_not_fit_fails_the_file() {
    let folder = Folder::new();
    let bars = format!("{HEADER}{GOOD}{NEXT}{LAST}");
    let pages = "[[1738368000000,1,2,1,2,5],[1738368060000,1,2,1,2,5],[1738368120000,1,2,1,2,5]]".to_owned();
    for (name, text) in [("binance-usdm_btcusdt_1m.csv.gz", bars), ("binance-usdm_ethusdt_1m.json.gz", pages)] {
        let mut bytes = gz(&text);
        let whole = import(&[folder.write(&format!("whole/{name}"), &bytes)], &options());
        assert_eq!((whole.events.len(), whole.report.failed.len()), (3, 0), "{name}");
        // The last eight bytes are check sum and length.
        let at = bytes.len() - 8;
        bytes[at] ^= 1;
        let path = folder.write(name, bytes);
        let got = import(std::slice::from_ref(&path), &options());
        assert_eq!((got.events.len(), got.report.rejected_rows, got.report.failed.len()), (3, 0, 1), "{name}");
        let failed = &got.report.failed[0];
        assert_eq!(failed.path, path.display().to_string());
        assert!(failed.error.starts_with("is damaged, noticed after line "), "{}", failed.error);
        assert!(failed.error.contains("checksum"), "{}", failed.error);
    }
}
