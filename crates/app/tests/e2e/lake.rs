//! The lake beside a process that listens, and what goes out of it to another tool.

use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Table and digest of what a lake holds, hour by hour.
fn content(folder: &Path, found: &mut Vec<(String, Value)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            content(&path, found);
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "_manifest.json" || name == "_open.json" {
            let said: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let said = if name == "_open.json" { said["so_far"].clone() } else { said };
            found.push((format!("{}/{}", said["table"], said["hour"]), said["content_sha256"].clone()));
        }
    }
}

#[test]
fn what_is_listened_to_comes_into_the_lake_whoever_is_killed() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let mut up =
        place.start(&format!("up --symbols BTCUSDT --backfill 0 --no-serve --data data --endpoint {}", sim.endpoint));
    up.err.wait_for("listening to 1 of 3 markets");
    let begun = std::time::Instant::now();
    while !place.path("data/journal/control").is_dir() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let follow = "lake follow --flush 1s --data data --lake lake";
    let mut first = place.start(follow);
    first.err.wait_for("the journal is in the lake");
    let has_rows = |table: &str| {
        let listed = json_lines(&place.ok("lake ls --data lake --json"));
        listed.iter().any(|l| l["table"] == table && l["rows"].as_u64().unwrap() > 0)
    };
    let begun = std::time::Instant::now();
    while !(has_rows("orderbook") && has_rows("features")) {
        assert!(begun.elapsed() < Duration::from_secs(90), "{}", first.err.text());
        std::thread::sleep(Duration::from_secs(1));
    }
    // In the middle of an hour that it writes.
    first.signal("KILL");
    first.wait(Duration::from_secs(10));
    let mut second = place.start(follow);
    second.err.wait_for("the journal is in the lake");
    up.signal("TERM");
    assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
    second.signal("TERM");
    assert_eq!(second.wait(Duration::from_secs(30)), Some(0), "{}", second.err.text());
    // An import takes readings of other feeds from the stored minutes of its data folder, a follower takes none.
    std::fs::create_dir(place.path("heard")).unwrap();
    std::fs::rename(place.path("data/journal"), place.path("heard/journal")).unwrap();
    place.ok("lake follow --once --data heard --lake lake");
    place.ok("lake import BTCUSDT --data heard --lake imported");
    let [mut followed, mut imported] = [Vec::new(), Vec::new()];
    content(&place.path("lake"), &mut followed);
    content(&place.path("imported"), &mut imported);
    assert!(imported.len() >= 3);
    assert_eq!(followed, imported, "nothing is lost, nothing comes twice");
    assert!(place.ok("lake check --data lake").contains("every row is as its manifest says"));
}

/// The last best prices of hftbacktest's book, and the trades it has seen.
const SCRIPT: &str = r#"
import sys, json
import numpy as np
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest
from hftbacktest.data import validate_event_order
path = sys.argv[1]
events = np.load(path)
validate_event_order(events)
asset = (BacktestAsset().data([path]).linear_asset(1.0).constant_order_latency(0, 0).risk_adverse_queue_model()
    .no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(0.1).lot_size(0.001))
backtest = HashMapMarketDepthBacktest([asset])
while backtest.elapse(1_000_000_000) == 0:
    pass
depth = backtest.depth(0)
latency = events["local_ts"] - events["exch_ts"]
print(json.dumps({"events": len(events), "bid": depth.best_bid, "ask": depth.best_ask,
    "latency_min": int(latency.min()), "latencies": len(np.unique(latency)),
    "trades": int(((events["ev"] & 0xFF) == 2).sum())}))
"#;

#[test]
fn hftbacktest_reads_the_events_of_a_lake_and_of_its_recording() {
    let place = Place::new();
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz");
    let recording = recording.display();
    place.ok(&format!("lake import BTCUSDT --source {recording} --lake lake"));
    let export = "lake export BTCUSDT --format hftbacktest-npy --json";
    let of_files = &json_lines(&place.ok(&format!("{export} --source {recording} --out files.npy")))[0];
    let of_lake = &json_lines(&place.ok(&format!("{export} --source lake --out lake.npy")))[0];
    assert_eq!((&of_lake["trades"], &of_files["trades"]), (&json!(974), &json!(974)));
    assert!(of_files["events"].as_u64().unwrap() > of_lake["events"].as_u64().unwrap(), "a lake has 20 levels a side");
    // The recorder's clock was 1.52 s behind: all of its stamps are moved by that, and of the venue's only those that step back.
    for (report, moved) in [(of_files, 10), (of_lake, 5)] {
        let shift = report["local_shift_s"].as_f64().unwrap();
        assert!((1.3..1.6).contains(&shift) && report["moved"] == json!(moved), "{report}");
    }
    let said = place.ok(&format!(
        "lake export BTCUSDT --format hftbacktest-npy --source {recording} --base-latency 5ms --out later.npy"
    ));
    assert!(said.contains("were added to every local stamp, so that the smallest latency is 0.005 s"), "{said}");
    place.run("lake export BTCUSDT --format hftbacktest-npy --data none").exits(2).says("holds no journal");
    place.run("lake export BTCUSDT --format hftbacktest --source x").exits(2).says("hftbacktest-npy");
    place.run("lake export BTCUSDT --format csv").exits(2).says("there are hftbacktest, hftbacktest-npy and minutes");
    place.run(&format!("{export} --source lake --until 2020-01-01")).exits(1).says("nothing of binance-usdm:BTCUSDT");
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        barograph_testkit::skipped("PEERS_PYTHON names no Python with hftbacktest");
        return;
    };
    let read = |file: &str| -> Value {
        let run = Command::new(&python).args(["-c", SCRIPT]).arg(place.path(file)).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        serde_json::from_slice(&run.stdout).unwrap()
    };
    let (files, lake) = (read("files.npy"), read("lake.npy"));
    assert_eq!((&files["events"], &lake["events"]), (&of_files["events"], &of_lake["events"]));
    assert_eq!((&files["bid"], &files["ask"]), (&lake["bid"], &lake["ask"]), "the same last book");
    assert!(files["bid"].as_f64().unwrap() < files["ask"].as_f64().unwrap());
    let later = read("later.npy");
    for (events, least) in [(&files, 0), (&lake, 0), (&later, 5_000_000)] {
        assert_eq!(events["latency_min"], json!(least));
        assert!(events["latencies"].as_u64().unwrap() > 500, "latencies differ as they did: {events}");
    }
    assert_eq!(files["latencies"], later["latencies"]);
}

/// Sizes of OKX are contracts: what one is worth is in the list that the capture holds, or is given.
#[test]
fn trades_of_contracts_are_in_the_lake_or_the_command_says_what_is_missing() {
    let Some(capture) = barograph_testkit::recorded("raw/cryptofeed/okx.jsonl.zst") else { return };
    let place = Place::new();
    let shown = capture.display();
    let dataset = |market: &str, lake: &str| format!("lab dataset {market} --json --lake {lake} --source");
    for (market, trades) in [("okx:BTC-USDT", 69), ("okx:BTC-USD-220527", 4), ("okx:UNI-USD-SWAP", 1)] {
        let report = &json_lines(&place.ok(&format!("{} {shown}", dataset(market, "lake"))))[0];
        assert_eq!((&report["trades"], &report["refused"]), (&json!(trades), &json!(0)), "{market}: {report}");
    }
    let bare = place.path("bare.jsonl");
    let mut text = String::new();
    let lines = zstd::decode_all(std::fs::File::open(&capture).unwrap()).unwrap();
    for line in String::from_utf8(lines).unwrap().lines().filter(|line| !line.contains("\"t\":\"http\"")) {
        text.push_str(line);
        text.push('\n');
    }
    std::fs::write(&bare, text).unwrap();
    let market = dataset("okx:UNI-USD-SWAP", "given");
    place.run(&format!("{market} bare.jsonl")).exits(2).says("give it with --contract-size, in quote units");
    assert!(!place.path("given").exists(), "nothing is written");
    let report = &json_lines(&place.ok(&format!("{market} bare.jsonl --contract-size 10")))[0];
    assert_eq!(report["trades"], json!(1));
    for (words, said) in [
        (format!("{market} {shown} --contract-size 7"), "contradicts what is known of okx:UNI-USD-SWAP: 10"),
        (format!("{} {shown} --contract-size 10", dataset("okx:BTC-USDT", "x")), "not counted in contracts"),
        (format!("{market} bare.jsonl --contract-size=-1"), "a number above zero"),
        (format!("{market} bare.jsonl --contract-size okx:ETH-USDT-SWAP=1"), "there is no recording here"),
        (format!("{market} bare.jsonl --contract-size nowhere=1"), "nowhere"),
    ] {
        place.run(&words).exits(2).says(said);
    }
    place
        .run("lake export okx:UNI-USD-SWAP --format hftbacktest-npy --source bare.jsonl")
        .exits(2)
        .says("--contract-size");
    place.ok("lake export okx:UNI-USD-SWAP --format hftbacktest-npy --source bare.jsonl --contract-size 10");
}

/// Two hours from this one of a day on, as hftbacktest's collector writes them: a whole book, and a trade every ten seconds.
fn two_hours(day: i64, hour: i64) -> String {
    use std::fmt::Write as _;
    let begin = 1_772_409_600 + (day - 2) * 86_400 + hour * 3_600 + 5;
    let mut text = String::new();
    for n in 0..720 {
        let ms = (begin + 10 * n) * 1_000;
        let (first, last, times) = (100 * n + 1, 100 * n + 100, format!("\"E\":{ms},\"T\":{ms}"));
        writeln!(
            text,
            "{ms}000000 {{\"stream\":\"btcusdt@depth@0ms\",\"data\":{{\"e\":\"depthUpdate\",{times},\"s\":\"BTCUSDT\",\"U\":{first},\"u\":{last},\
             \"pu\":{},\"b\":[[\"99.0\",\"{}\"]],\"a\":[]}}}}",
            first - 1,
            n % 9 + 1
        )
        .unwrap();
        if n == 0 {
            let book = "\"bids\":[[\"99.0\",\"1\"]],\"asks\":[[\"101.0\",\"1\"]]";
            writeln!(text, "{ms}001000 {{\"lastUpdateId\":50,{times},{book}}}").unwrap();
        }
        writeln!(
            text,
            "{ms}002000 {{\"stream\":\"btcusdt@trade\",\"data\":{{\"e\":\"trade\",{times},\"s\":\"BTCUSDT\",\"t\":{n},\"p\":\"{}.5\",\"q\":\"1\",\
             \"X\":\"MARKET\",\"m\":true}}}}",
            100 + (n * day) % 7
        )
        .unwrap();
    }
    text
}

/// Every file of a folder that is no lock, with its bytes.
fn bytes(root: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
        if path.is_dir() {
            bytes(root, &path, found);
        } else if path.extension().is_none_or(|e| e != "lock") {
            found.push((path.strip_prefix(root).unwrap().display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
}

#[test]
fn bars_are_those_of_one_run_in_whichever_order_days_come() {
    let place = Place::new();
    // Between the first and the second nobody listened; the third follows the second at once.
    for (name, day, hour) in [("1", 2, 9), ("2", 4, 9), ("3", 4, 11)] {
        place.write(&format!("{name}.txt"), &two_hours(day, hour));
    }
    let import = |name: u32, lake: &str| place.ok(&format!("lake import BTCUSDT --source {name}.txt --lake {lake}"));
    let gold = |lake: &str| {
        let made = json_lines(&place.ok(&format!("lake gold BTCUSDT --bars 1m,1h --lake {lake} --json")));
        made.iter().map(|l| [&l["rows"], &l["replaced_hours"]].map(|n| n.as_u64().unwrap())).collect::<Vec<_>>()
    };
    (1..=3).for_each(|name| drop(import(name, "once")));
    assert_eq!(gold("once"), [[359, 0], [5, 0]], "the last bar of each length is not whole");
    import(3, "back");
    assert_eq!(gold("back"), [[119, 0], [1, 0]]);
    import(2, "back");
    assert_eq!(gold("back"), [[120, 1], [2, 0]], "the first minute of the third is whole now");
    import(1, "back");
    assert_eq!(gold("back"), [[120, 0], [2, 0]]);
    assert_eq!(gold("back"), [[0, 0], [0, 0]]);
    let [mut once, mut back] = [Vec::new(), Vec::new()];
    bytes(&place.path("once/gold"), &place.path("once/gold"), &mut once);
    bytes(&place.path("back/gold"), &place.path("back/gold"), &mut back);
    let names = |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&back), names(&once));
    let parquet =
        |all: &[(String, Vec<u8>)]| all.iter().filter(|(n, _)| n.ends_with(".parquet")).cloned().collect::<Vec<_>>();
    assert!(parquet(&back) == parquet(&once), "the same bytes");
    let manifest = once
        .iter()
        .find(|(name, _)| name.contains("timeframe=1m") && name.ends_with("hour=10/_manifest.json"))
        .unwrap();
    let said: Value = serde_json::from_slice(&manifest.1).unwrap();
    let of: Vec<&Value> = said["made_of"].as_array().unwrap().iter().map(|m| &m["hour"]).collect();
    assert_eq!(of.len(), 2, "its own trades, and those before: {of:?}");
    assert!(place.ok("lake check --lake back").contains("every row is as its manifest says"));
}

#[test]
fn what_the_store_holds_becomes_bars_and_signals_once() {
    let place = Place::new();
    crate::support::data::slice(&place.path("in"), &["BTCUSDT"], "2026-02-05", "2026-02-06");
    place.ok("collect --source in --data data");
    let gold =
        |bars: &str| json_lines(&place.ok(&format!("lake gold BTCUSDT --bars {bars} --data data --lake lake --json")));
    let rows = |made: &[Value]| made.iter().map(|l| l["rows"].as_u64().unwrap()).collect::<Vec<_>>();
    let made = gold("1h,4h");
    assert!(matches!(rows(&made)[..], [23..=24, 5..=6, signals] if signals > 50_000), "{made:?}");
    assert_eq!(rows(&gold("1h,4h")), [0, 0, 0]);
    assert_eq!(rows(&gold("1m"))[0], 0, "bars of an hour make no shorter ones");
    let listed = json_lines(&place.ok("lake ls --data lake --json"));
    let held: Vec<&str> = listed.iter().map(|l| l["table"].as_str().unwrap()).collect();
    assert_eq!(held, ["bars", "bars", "bars", "signals"]);
    assert!(place.ok("lake check --data lake").contains("every row is as its manifest says"));
    place
        .run("lake gold NOPE --data data --lake lake")
        .exits(1)
        .says("holds no trades of binance-usdm:NOPE, and the data folder data");
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        barograph_testkit::skipped("PEERS_PYTHON names no Python with duckdb");
        return;
    };
    let query = "SELECT count(*), count(DISTINCT ts), count(DISTINCT signal), count(*) FILTER (signal = 'risk_label' AND word IS NOT NULL), \
        count(*) FILTER (value IS NULL AND word IS NULL), (SELECT count(*) FROM read_parquet('lake/gold/bars/**/*.parquet', \
        hive_partitioning = true) WHERE timeframe = '1h' AND high >= low AND risk IS NOT NULL AND source = 'venue_candle') \
        FROM read_parquet('lake/gold/signals/**/*.parquet', hive_partitioning = true)";
    let code = format!("import duckdb, json; print(json.dumps(duckdb.sql(\"\"\"{query}\"\"\").fetchall()[0]))");
    let run = Command::new(&python).args(["-c", &code]).current_dir(place.path("")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: Vec<u64> = serde_json::from_slice(&run.stdout).unwrap();
    let [all, minutes, signals, risks, nothing, bars] = found[..] else { panic!("{found:?}") };
    assert_eq!((all, risks, nothing), (minutes * signals, minutes, 0), "{found:?}");
    assert!(bars > 15, "{found:?}");
}

/// Every reading of every minute as `gold/signals` has it too, labels, and what stands in the fields.
const MINUTES: &str = r#"
import json, polars as pl, pyarrow.parquet as pq
wide = pl.read_parquet("minutes.parquet")
ids = wide.columns[7:]
long = pl.read_parquet("lake/gold/signals/**/*.parquet", hive_partitioning=False)
labels = [c for c in wide.columns[:7] if c.endswith("_label")]
readings = long.filter(~pl.col("signal").is_in(labels))
mine = wide.unpivot(index=["ts", "known_ts"], on=ids, variable_name="signal", value_name="mine")
both = readings.select("ts", "known_ts", pl.col("signal").cast(pl.String), "value").join(mine, on=["ts", "known_ts", "signal"], how="inner")
words = long.filter(pl.col("signal").is_in(labels)).select("ts", pl.col("signal").cast(pl.String), pl.col("word").cast(pl.String))
said = words.join(wide.unpivot(index="ts", on=labels, variable_name="signal", value_name="mine"), on=["ts", "signal"], how="inner")
fields = pq.read_schema("minutes.parquet")
about = [fields.field(id).metadata or {} for id in wide.columns]
print(json.dumps({
    "cells": [readings.height, mine.height, both.height],
    "other": both.filter(~pl.col("value").eq_missing(pl.col("mine"))).height,
    "null": both["mine"].null_count(),
    "labels": [words.height, said.height, said.filter(pl.col("word").str.to_lowercase() != pl.col("mine").str.to_lowercase()).height],
    "described": all(b"description" in a for a in about), "units": all(b"unit" in a for a in about[7:]),
    "types": [str(t) for t in wide.dtypes[:4]], "hours": pl.read_parquet("hours.parquet").height,
}))
"#;

#[test]
fn stored_minutes_are_one_parquet_file_that_says_what_its_columns_are() {
    let place = Place::new();
    crate::support::data::slice(&place.path("in"), &["BTCUSDT"], "2026-02-05", "2026-02-06");
    place.ok("collect --source in --data data");
    let export = "lake export BTCUSDT --format minutes --data data";
    let made = json_lines(&place.ok(&format!("{export} --out minutes.parquet --json"))).remove(0);
    let (rows, features) = (made["rows"].as_u64().unwrap(), made["features"].as_u64().unwrap());
    assert!(rows > 1_000 && features > 50 && made["market"] == "binance-usdm:BTCUSDT", "{made}");
    let some = "--from 2026-02-05T12:00:00Z --until 2026-02-05T18:00:00Z --every 1h --feature realized_vol_1h";
    let said = place.ok(&format!("{export} {some} --out hours.parquet"));
    assert_eq!(said, "hours.parquet: 7 minutes of binance-usdm:BTCUSDT, 1 readings each\n");
    place.run(&format!("{export} --from 2040-01-01T00:00:00Z")).exits(1).says("in that time; they reach from");
    place.run(&format!("{export} --feature rsi")).exits(2).says("have no feature 'rsi'");
    place.run(&format!("{export} --source x")).exits(2).says("leave --source out");
    place.run("lake export NOPE --format minutes --data data").exits(2).says("NOPE");
    place.run("lake export BTCUSDT --every 1h --data data").exits(2).says("give --format minutes with them");
    assert!(!place.path("btcusdt.parquet").exists(), "what was refused leaves no file");
    place.ok("lake gold BTCUSDT --data data --lake lake");
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        barograph_testkit::skipped("PEERS_PYTHON names no Python with polars and pyarrow");
        return;
    };
    let run = Command::new(&python).args(["-c", MINUTES]).current_dir(place.path("")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    let cells = rows * features;
    assert_eq!(found["cells"], serde_json::json!([cells, cells, cells]), "{found}");
    assert_eq!((&found["other"], &found["labels"][2]), (&0.into(), &0.into()), "{found}");
    assert!(
        found["null"].as_u64().unwrap() > 0 && found["labels"][0] == 4 * rows && found["labels"][1] == 4 * rows,
        "{found}"
    );
    assert_eq!(
        (&found["described"], &found["units"], &found["hours"]),
        (&true.into(), &true.into(), &7.into()),
        "{found}"
    );
    let moment = "Datetime(time_unit='ns', time_zone='UTC')";
    assert_eq!(found["types"], serde_json::json!([moment, moment, "Float64", "String"]));
}
