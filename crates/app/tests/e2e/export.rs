//! `lake export` of what a live process has recorded: line by line what its journal holds of the market, and read by
//! hftbacktest's own converter, event by event.

use crate::support::sim::Sim;
use crate::support::{Place, json_lines, python};
use barograph_lake::journal::{ControlRecord, EntryKind, JournalReader, REST};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What the journal holds of a market, counted without the exporter.
#[derive(Debug, Default)]
struct Held {
    frames: u64,
    trades: u64,
    quantity: f64,
    levels: u64,
    snapshots: u64,
    snapshot_levels: u64,
}

fn held(journal: &Path, symbol: &str) -> Held {
    let mut reader = JournalReader::open(journal, None).unwrap();
    let (mut held, mut asked, mut answered) = (Held::default(), BTreeSet::new(), None);
    let levels = |data: &Value, sides: [&str; 2]| -> u64 {
        sides.iter().map(|s| data[*s].as_array().unwrap().len() as u64).sum()
    };
    let begins = format!("{}@", symbol.to_lowercase());
    while let Some(entry) = reader.next().unwrap() {
        match entry.kind {
            EntryKind::Control(ControlRecord::Request { id, url, .. })
                if url.contains("/depth?") && url.contains(&format!("symbol={symbol}")) =>
            {
                asked.insert(id);
            }
            EntryKind::Control(ControlRecord::Reply { id, status, .. }) => {
                answered = (asked.remove(&id) && status == 200).then_some(entry.at);
            }
            EntryKind::Control(_) => {}
            EntryKind::Frame { connection: REST, bytes, .. } if answered == Some(entry.at) => {
                let body: Value = serde_json::from_slice(bytes).unwrap();
                held.snapshots += 1;
                held.snapshot_levels += levels(&body, ["bids", "asks"]);
            }
            EntryKind::Frame { bytes, .. } => {
                let Ok(frame) = serde_json::from_slice::<Value>(bytes) else { continue };
                let Some(stream) = frame["stream"].as_str().filter(|s| s.starts_with(&begins)) else { continue };
                held.frames += 1;
                if stream.ends_with("@aggTrade") {
                    held.trades += 1;
                    held.quantity += frame["data"]["q"].as_str().unwrap().parse::<f64>().unwrap();
                } else if stream.contains("@depth") {
                    held.levels += levels(&frame["data"], ["b", "a"]);
                }
            }
        }
    }
    held
}

#[test]
fn what_was_heard_live_is_exported_whole_and_hftbacktest_reads_it() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("up --symbols BTCUSDT,ETHUSDT --backfill 0 --no-serve --data data --endpoint {}", sim.endpoint);
    let mut up = place.start(&line);
    up.err.wait_for("listening to 2 of 3 markets");
    std::thread::sleep(Duration::from_secs(15));
    up.signal("TERM");
    assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
    let none = place.run("lake export SOLUSDT --data data --out none.gz").exits(1);
    assert!(none.err.contains("nothing of binance-usdm:SOLUSDT") && !place.path("none.gz").exists(), "{}", none.err);
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let line = format!("lake export --format hftbacktest {symbol} --data data --out {symbol}.gz --json");
        let report = json_lines(&place.ok(&line)).remove(0);
        let held = held(&place.path("data/journal"), symbol);
        assert!(held.trades > 5 && held.levels > 100 && held.snapshots > 0, "{held:?}");
        let [lines, snapshots, trades] = ["lines", "snapshots", "trades"].map(|k| report[k].as_u64().unwrap());
        assert_eq!((lines, snapshots, trades), (held.frames + held.snapshots, held.snapshots, held.trades), "{report}");
        let Some(python) = python::with_hftbacktest() else { continue };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/counts.py");
        let said = Command::new(python).arg(script).arg(place.path(&format!("{symbol}.gz"))).output().unwrap();
        let out = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success(), "{out}{}", String::from_utf8_lossy(&said.stderr));
        let read: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
        let [trades, depth, snapshot] = ["trades", "depth", "snapshot"].map(|k| read[k].as_u64().unwrap());
        assert_eq!((trades, depth, snapshot), (held.trades, held.levels, held.snapshot_levels), "{read}");
        assert!((read["quantity"].as_f64().unwrap() - held.quantity).abs() < 1e-6 * held.quantity, "{read}");
    }
}
