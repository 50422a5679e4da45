//! The board of a process that listens: what a client puts together from batches is what a fresh answer says, and batches are
//! small.

use crate::support::Place;
use crate::support::http::{Sent, Server, Stream, address};
use crate::support::sim::Sim;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ROW_TS: usize = 12;
const EPOCHS: [usize; 2] = [11, ROW_TS];
/// What a change of one market may cost (issue 5, "measured").
const BYTES_MAX: usize = 64;

/// What a client holds, and what it was sent.
#[derive(Default)]
struct Held {
    n: u64,
    rows: Vec<Vec<Value>>,
    /// Bytes per changed market of batches of prices alone, and of entries of whole rows.
    prices: Vec<usize>,
    whole: Vec<usize>,
    kinds: std::collections::BTreeMap<String, usize>,
}

impl Held {
    fn take(&mut self, sent: &Sent) {
        *self.kinds.entry(sent.event.clone()).or_default() += 1;
        let cells = |row: &Value| row["cells"].as_array().unwrap().clone();
        let data = sent.json();
        match sent.event.as_str() {
            "board" => {
                self.n = data["n"].as_u64().unwrap();
                self.rows = data["rows"].as_array().unwrap().iter().map(cells).collect();
            }
            "rows" => self.rows.extend(data.as_array().unwrap().iter().map(cells)),
            "cells" => self.batch(&data, sent.data.len()),
            _ => {}
        }
    }

    fn batch(&mut self, batch: &Value, bytes: usize) {
        assert_eq!(batch["n"].as_u64().unwrap(), self.n + 1, "no batch is missing");
        self.n += 1;
        let from = batch["r"].as_i64().unwrap_or(0);
        let changes = batch["c"].as_array().unwrap();
        let mut moved = 0;
        for change in changes {
            let i = usize::try_from(change[0].as_u64().unwrap()).unwrap();
            let mask = change[1].as_u64().unwrap();
            moved |= mask;
            let set = (0..20).filter(|column| mask & (1 << column) != 0);
            for (value, column) in change.as_array().unwrap()[2..].iter().zip(set) {
                let epoch = value.as_i64().filter(|_| EPOCHS.contains(&column));
                self.rows[i][column] = epoch.map_or_else(|| value.clone(), |v| json!(from + v));
            }
            if mask & (1 << ROW_TS) != 0 {
                self.whole.push(change.to_string().len() + 1);
            }
        }
        // Price and change alone.
        if moved & !3 == 0 {
            self.prices.push(bytes / changes.len());
        }
    }
}

/// Equal as numbers: 142 and 142.0 are one price.
fn alike(a: &[Value], b: &[Value]) -> bool {
    let same =
        |(x, y): (&Value, &Value)| x == y || x.as_f64().zip(y.as_f64()).is_some_and(|(x, y)| x.total_cmp(&y).is_eq());
    a.len() == b.len() && a.iter().zip(b).all(same)
}

fn until(stream: &mut Stream, held: &mut Held, holds: impl Fn(&Held) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(150);
    while !holds(held) {
        assert!(Instant::now() < deadline, "waited in vain at batch {}: {:?}", held.n, held.kinds);
        held.take(&stream.next().unwrap());
    }
}

#[test]
fn what_a_client_puts_together_is_what_a_fresh_answer_says() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("up --backfill 0 --books off --data data --listen 127.0.0.1:0 --endpoint {}", sim.endpoint);
    let mut process = place.start(&line);
    let addr = address(&process.err.wait_for("http://"));
    let server = Server { process, addr };
    let mut stream = server.stream("/api/v1/board/stream?market=BTCUSDT&feeds=1");
    let mut held = Held::default();
    // Two minutes' rows of all markets, and prices in between.
    until(&mut stream, &mut held, |h| h.whole.len() >= 6 && h.prices.len() >= 20);
    // A client that was given the table anew may have passed the answer: then another one is asked for.
    let fresh = loop {
        let fresh = server.json("/api/v1/board");
        let n = fresh["n"].as_u64().unwrap();
        until(&mut stream, &mut held, |h| h.n >= n);
        if held.n == n {
            break fresh;
        }
    };
    let rows = fresh["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{fresh}");
    for (row, own) in rows.iter().zip(&held.rows) {
        assert!(alike(row["cells"].as_array().unwrap(), own), "{}: {} {own:?}", row["instrument"], row["cells"]);
        assert_eq!(row["cells"][13].as_i64().unwrap() & 8, 8, "synthetic: {row}");
        assert!(row["spark"].as_array().unwrap().iter().any(Value::is_number), "{row}");
        assert!(row["reasons"]["change_24h"].is_string(), "there is no day yet: {row}");
    }
    assert_eq!((&fresh["origin"], &fresh["header"]["markets"]), (&json!("synthetic"), &json!(3)));
    for kind in ["board", "cells", "tick", "market", "snapshot", "feeds", "header"] {
        assert!(held.kinds.contains_key(kind), "{kind} of {:?}", held.kinds);
    }
    held.prices.sort_unstable();
    held.whole.sort_unstable();
    let (most, median) = (held.prices[held.prices.len() - 1], held.whole[held.whole.len() / 2]);
    assert!(most <= BYTES_MAX && median <= BYTES_MAX, "prices at most {most} B, rows {median} B: {:?}", held.whole);
}

/// Of a folder that nobody writes to, the board is that of its last minute; of a moment, what was known then.
#[test]
fn a_folder_has_a_board_of_every_moment() {
    let stored = crate::support::data::stored();
    let server = Server::start(&stored.place, "data");
    let now = server.json("/api/v1/board");
    assert_eq!(now["header"]["data"], "recorded", "{now}");
    let row = &now["rows"][0];
    let last = row["cells"][ROW_TS].as_i64().unwrap();
    let id = row["instrument"].as_str().unwrap();
    let moment = (last - 3_600) * 1_000;
    let then = server.json(&format!("/api/v1/board?as_of={moment}"));
    let past = then["rows"].as_array().unwrap().iter().find(|r| r["instrument"] == id).unwrap();
    // The row of a minute is known 200 ms after it.
    assert_eq!(past["cells"][ROW_TS].as_i64(), Some(last - 3_600 - 60), "{past}");
    let context = server.json(&format!("/api/v1/markets/{id}/context?as_of={moment}"));
    let code = usize::try_from(past["cells"][2].as_u64().unwrap()).unwrap();
    assert_eq!(then["labels"]["risk"][code], context["regimes"]["risk"]["label"]);
    assert_eq!(past["cells"][0], context["price"]);
}
