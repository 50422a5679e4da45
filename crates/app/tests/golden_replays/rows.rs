//! Whole feature rows as tables: one file a market, one line an hour, one column a feature.
//!
//! A number is the shortest decimal of the binary value, a word stands as it is, and where there is no value the cell is
//! `!` with the reason.

use crate::episode::blessing;
use crate::frozen::folder;
use serde_json::Value;
use std::collections::BTreeMap;

/// Differing cells shown before the rest is only counted.
const SHOWN: usize = 30;

/// A reading as text.
pub(crate) fn text(line: &Value, feature: &str) -> String {
    match &line["values"][feature] {
        Value::Null => format!("!{}", line["readings"][feature].as_str().unwrap_or("unknown")),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}

/// Compares the rows of every market with its table, or writes it.
pub(crate) fn check(episode: &str, lines: &[Value]) {
    let mut markets: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for line in lines {
        markets.entry(line["instrument"].as_str().unwrap()).or_default().push(line);
    }
    assert!(!markets.is_empty(), "{episode}: no rows");
    let mut differences = Vec::new();
    for (market, lines) in markets {
        let symbol = market.split_once(':').unwrap().1;
        let name = format!("{episode}.{symbol}.csv");
        let (path, now) = (folder().join(&name), table(&lines));
        let frozen = std::fs::read_to_string(&path).unwrap_or_default();
        if frozen == now {
            continue;
        }
        if blessing() {
            std::fs::write(&path, now).unwrap();
        } else {
            differences.extend(cells(&name, &frozen, &now));
        }
    }
    let more = differences.len().saturating_sub(SHOWN);
    differences.truncate(SHOWN);
    if more > 0 {
        differences.push(format!("… and {more} more"));
    }
    assert!(
        differences.is_empty(),
        "feature rows are not what is frozen:\n{}\nRight as it is now? BAROGRAPH_BLESS=1 writes it down.",
        differences.join("\n")
    );
}

fn table(lines: &[&Value]) -> String {
    let features: Vec<&String> = lines[0]["values"].as_object().unwrap().keys().collect();
    let mut out = String::from("ts");
    for feature in &features {
        out.push(',');
        out.push_str(feature);
    }
    out.push('\n');
    for line in lines {
        out.push_str(line["ts"].as_str().unwrap());
        for feature in &features {
            out.push(',');
            out.push_str(&text(line, feature));
        }
        out.push('\n');
    }
    out
}

/// Cells that differ, in words.
fn cells(name: &str, frozen: &str, now: &str) -> Vec<String> {
    let mut out = Vec::new();
    let header = |t: &str| t.lines().next().unwrap_or_default().to_owned();
    if header(frozen) != header(now) {
        return vec![format!("{name}: other columns: frozen {}, now {}", header(frozen), header(now))];
    }
    let rows = |t: &str| -> BTreeMap<String, Vec<String>> {
        let cells = |l: &str| l.split(',').map(str::to_owned).collect::<Vec<_>>();
        t.lines().skip(1).map(cells).map(|c| (c[0].clone(), c)).collect()
    };
    let (frozen, now, names) = (rows(frozen), rows(now), header(now));
    for ts in frozen.keys().chain(now.keys().filter(|k| !frozen.contains_key(*k))) {
        match (frozen.get(ts), now.get(ts)) {
            (Some(a), Some(b)) => {
                for ((feature, a), b) in names.split(',').zip(a).zip(b).filter(|((_, a), b)| a != b) {
                    out.push(format!("{name} {ts} {feature}: frozen {a}, now {b}"));
                }
            }
            (Some(_), None) => out.push(format!("{name} {ts}: frozen, and not made now")),
            _ => out.push(format!("{name} {ts}: made now, and not frozen")),
        }
    }
    out
}

#[test]
fn a_changed_cell_is_named() {
    let (a, b) = ("ts,x,y\nt1,1,!gap\nt2,2,2\n", "ts,x,y\nt1,1,0.5\nt3,2,2\n");
    let want = ["f t1 y: frozen !gap, now 0.5", "f t2: frozen, and not made now", "f t3: made now, and not frozen"];
    assert_eq!(cells("f", a, b), want);
    assert_eq!(cells("f", a, a), [""; 0]);
}
