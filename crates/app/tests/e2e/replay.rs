//! `replay`: the hash that nothing but the input decides, files left alone, wrong rows and wrong files named.

use crate::support::data::{FILES, slice};
use crate::support::{Outcome, Place, Random, hash_line, tree};
use std::fmt::Write as _;

/// Two markets of one week.
fn week() -> Place {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT", "ETHUSDT"], "2026-01-30", "2026-02-06");
    place
}

#[test]
fn the_hash_depends_on_the_input_alone() {
    let place = week();
    let hash = hash_line(&place.ok("replay in --hash"));
    let lines = [
        "replay in --hash",
        "replay in --hash --json --every 600s",
        "replay in --hash --json --every 3600s",
        "replay in --hash --json --from 2026-02-03 --until 2026-02-04",
        "replay in --hash --data stored",
        "replay in --hash --data stored --json --every 600s",
        "replay ./in/ --hash",
        "replay in in --hash",
    ];
    for line in lines {
        assert_eq!(hash_line(&place.ok(line)), hash, "{line}");
    }
    let mut random = Random::new(7);
    let mut files: Vec<String> = ["BTCUSDT", "ETHUSDT"]
        .iter()
        .flat_map(|s| FILES.iter().map(move |f| format!("in/binance-usdm/{s}/{f}")))
        .collect();
    for _ in 0..2 {
        random.shuffle(&mut files);
        let line = format!("replay {} --hash", files.join(" "));
        assert_eq!(hash_line(&place.ok(&line)), hash, "{line}");
    }
}

#[test]
fn the_hash_sees_every_input() {
    let place = week();
    let hash = hash_line(&place.ok("replay in --hash"));
    let other_book = hash_line(&place.ok("replay in --hash --book absolute"));
    assert_ne!(other_book, hash, "the rule book is part of it");
    for file in FILES {
        let path = place.path(&format!("in/binance-usdm/BTCUSDT/{file}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let at = lines.len() / 2;
        // A high, a rate or a number of contracts that is a little different changes readings, and perhaps nothing else.
        let mut cells: Vec<String> = lines[at].split(',').map(str::to_owned).collect();
        let column = cells.len().min(3) - 1;
        cells[column] = (cells[column].parse::<f64>().unwrap() * 1.000_01).to_string();
        lines[at] = cells.join(",");
        std::fs::write(&path, lines.join("\n")).unwrap();
        assert_ne!(hash_line(&place.ok("replay in --hash")), hash, "{file} with {}", lines[at]);
        lines.remove(at);
        std::fs::write(&path, lines.join("\n")).unwrap();
        assert_ne!(hash_line(&place.ok("replay in --hash")), hash, "{file} without a row");
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(hash_line(&place.ok("replay in --hash")), hash);
}

#[test]
fn without_a_data_folder_nothing_is_written() {
    let place = week();
    // Shuffled rows have to be sorted on the way; that must leave nothing behind either.
    let path = place.path("in/binance-usdm/BTCUSDT/candles_1h.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    Random::new(3).shuffle(&mut rows);
    std::fs::write(&path, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    let before = tree(place.root());
    for line in [
        "replay in",
        "replay in --json --every 600s --hash",
        "verify causality in -n 1",
        "verify determinism in",
        "features",
        "config show",
        "rules check default",
    ] {
        place.ok(line);
        assert_eq!(tree(place.root()), before, "{line} has written something");
    }
    place.run("replay nowhere").exits(2);
    place.run("context BTCUSDT").exits(2);
    place.run("markets").exits(2);
    assert_eq!(tree(place.root()), before);
    // What the test looks for does happen when it is asked for.
    place.ok("replay in --data there");
    assert_ne!(tree(place.root()), before);
}

const KLINES: &str =
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore";

/// Minute candles of the archive, with some lines put in place of the right ones.
fn candles(count: i64, wrong: &[(usize, &str)]) -> String {
    let mut text = format!("{KLINES}\n");
    for i in 0..count {
        // The first line of the file is the header.
        let line = usize::try_from(i).unwrap() + 2;
        let open = 1_769_904_000_000 + 60_000 * i;
        match wrong.iter().find(|(at, _)| *at == line) {
            Some((_, instead)) => writeln!(text, "{instead}").unwrap(),
            None => writeln!(text, "{open},100,101,99,100.5,1,{},100,5,0.5,50,0", open + 59_999).unwrap(),
        }
    }
    text
}

/// A wrong row, the line it stands in, and what is said of it.
const WRONG: &[(usize, &str, &str)] = &[
    (5, "1769904180000,abc,101,99,100.5,1,1769904239999,100,5,0.5,50,0", "open 'abc': not a number"),
    (7, "1769904300000,100,101,99,100.5,-1,1769904359999,100,5,0.5,50,0", "volume '-1': negative"),
    (
        9,
        "1769904420000,100,101,102,100.5,1,1769904479999,100,5,0.5,50,0",
        "high '101': high below low, or open or close outside",
    ),
    (11, "1769904540000,100,101,99", "wrong column count, 4 of 12 columns"),
    (13, "4102444800000,100,101,99,100.5,1,4102444859999,100,5,0.5,50,0", "open_time '4102444800000': in the future"),
    (
        15,
        "1769904720000,100,101,99,100.5,1,1769904720000,100,5,0.5,50,0",
        "close_time '1769904720000': wrong timeframe",
    ),
    (17, "1769904840000,100,101,99,100.5,1,1769904899999,100,5,0.5,50,0", "duplicate of an earlier row"),
    (19, "1769904960000,,101,99,100.5,1,1769905019999,100,5,0.5,50,0", "open is empty"),
];

#[test]
fn wrong_rows_are_named_counted_and_left_out() {
    let place = Place::new();
    let wrong: Vec<(usize, &str)> = WRONG.iter().map(|(line, text, _)| (*line, *text)).collect();
    place.write("in/BTCUSDT-1m-2026-02-01.csv", &candles(60, &wrong));
    let done = place.run("replay in --venue binance-usdm --hash").exits(0);
    for (line, _, words) in WRONG {
        let place_and_reason = format!("rejected in/BTCUSDT-1m-2026-02-01.csv:{line}: {words}");
        let said = done.err.lines().find(|l| l.starts_with(&place_and_reason));
        assert!(said.is_some_and(|l| l.ends_with("(1 in all)")), "'{place_and_reason}' is not in\n{}", done.err);
    }
    assert_eq!(done.err.matches("rejected in/").count(), WRONG.len(), "{}", done.err);
    let done = done.says("read 60 rows from 1 file: 8 of 60 rejected");
    // The rest is used as if the wrong rows had never been there.
    let lines: Vec<String> = candles(60, &wrong).lines().map(str::to_owned).collect();
    let right: Vec<&str> =
        (1..).zip(&lines).filter(|(at, _)| !wrong.iter().any(|(w, _)| w == at)).map(|(_, l)| l.as_str()).collect();
    place.write("clean/BTCUSDT-1m-2026-02-01.csv", &(right.join("\n") + "\n"));
    let clean = place.run("replay clean --venue binance-usdm --hash").exits(0).says("0 of 52 rejected");
    assert_eq!(hash_line(&clean.out), hash_line(&done.out));
    // Many of one kind: counted, the first one shown.
    let many: Vec<(usize, &str)> = (20..40).map(|line| (line, WRONG[0].1)).collect();
    place.write("many/BTCUSDT-1m-2026-02-01.csv", &candles(60, &many));
    place
        .run("replay many --venue binance-usdm")
        .exits(0)
        .says(".csv:20: open 'abc': not a number (20 in all)")
        .says("20 of 60 rejected");
}

/// Files that are not what they claim, and what is said of each.
const BROKEN: &[(&str, &[u8], &str)] = &[
    ("notes.csv", b"dear diary\ntoday I lost money\n", "notes.csv: "),
    ("empty.csv", b"", "empty.csv: "),
    ("ETHUSDT-1m-2026-02-01.csv.gz", b"\x1f\x8b\x08\x00not really", "ETHUSDT-1m-2026-02-01.csv.gz: "),
    ("ETHUSDT-1m-2026-02-01.csv.zst", b"\x28\xb5\x2f\xfdnot really", "ETHUSDT-1m-2026-02-01.csv.zst: "),
    ("ETHUSDT-1m-2026-02-01.zip", b"PK\x03\x04not really", "ETHUSDT-1m-2026-02-01.zip: "),
    ("ETHUSDT.parquet", b"PAR1not reallyPAR1", "ETHUSDT.parquet: "),
];

fn named(done: Outcome, file: &str, words: &str) -> Outcome {
    let lines: Vec<&str> = done.err.lines().filter(|l| l.starts_with("failed ") && l.contains(file)).collect();
    assert_eq!(lines.len(), 1, "one line for {file}: {}", done.err);
    assert!(lines[0].contains(words) && lines[0].len() > "failed ".len() + words.len() + 5, "{}", lines[0]);
    done
}

#[test]
fn one_bad_file_does_not_cost_the_good_ones() {
    for (file, bytes, words) in BROKEN {
        let place = Place::new();
        place.write("in/BTCUSDT-1m-2026-02-01.csv", &candles(60, &[]));
        let alone = hash_line(&place.ok("replay in --venue binance-usdm --hash"));
        std::fs::write(place.path("in").join(file), bytes).unwrap();
        let beside = place.run("replay in --venue binance-usdm --hash").exits(3);
        assert_eq!(hash_line(&beside.out), alone, "{file}");
        let beside = named(beside, file, words);
        beside.says("read 60 rows").says("barograph: 1 file could not be read, see above; the rest was used");
        // Stored as well, and the code is the same.
        named(place.run("replay in --venue binance-usdm --data data").exits(3), file, words)
            .says("stored 60 new points");
        named(place.run("collect --source in --venue binance-usdm --data data").exits(3), file, words);
        place.run("context BTCUSDT --data data").exits(0);
        // Nothing but the bad one: that is a mistake of the command.
        let only = place.run(&format!("replay in/{file} --venue binance-usdm --symbol ETHUSDT")).exits(2);
        named(only, file, words).says("barograph: nothing to import");
    }
}

#[test]
fn a_file_that_ends_in_the_middle_is_used_up_to_there() {
    let place = Place::new();
    let text = candles(40_000, &[]);
    // Cut in the middle of a row: that row is wrong, the others are not.
    place.write("cut/BTCUSDT-1m-2026-02.csv", &text[..text.len() - 30]);
    place.run("replay cut --venue binance-usdm").exits(0).says("1 of 40000 rejected");
    let packed = zstd::encode_all(text.as_bytes(), 3).unwrap();
    std::fs::create_dir(place.path("in")).unwrap();
    std::fs::write(place.path("in/BTCUSDT-1m-2026-02.csv.zst"), &packed[..packed.len() - 400]).unwrap();
    let done = place.run("replay in --venue binance-usdm").exits(0).says("the file ends in the middle");
    let read: usize = done.err.split_once("\nread ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    assert!((30_000..40_000).contains(&read), "only {read} rows were used");
}

#[test]
fn missing_minutes_become_gaps() {
    let place = Place::new();
    let text = candles(120, &[]);
    let kept: Vec<&str> = (0..).zip(text.lines()).filter(|(i, _)| !(31..41).contains(i)).map(|(_, l)| l).collect();
    place.write("in/BTCUSDT-1m-2026-02-01.csv", &(kept.join("\n") + "\n"));
    let out = place.ok("replay in --venue binance-usdm --json");
    let gaps: Vec<serde_json::Value> =
        crate::support::json_lines(&out).into_iter().filter(|l| l["type"] == "gap").collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    // The candle that closes at 00:30 is the last before the hole, the one of 00:41 the first after it.
    assert_eq!(
        (gaps[0]["from"].as_str(), gaps[0]["until"].as_str()),
        (Some("2026-02-01T00:30:00Z"), Some("2026-02-01T00:41:00Z"))
    );
    assert_eq!(gaps[0]["metric"], "bar");
}
