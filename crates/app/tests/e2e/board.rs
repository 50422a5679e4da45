//! The board of a process that listens: what a client puts together from batches is what a fresh answer says, and batches are
//! small.

use crate::support::Place;
use crate::support::http::{Sent, Server, Stream, address};
use crate::support::sim::Sim;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PRICE: usize = 0;
const ROW_TS: usize = 12;
const EPOCHS: [usize; 2] = [11, ROW_TS];
/// What a change of one market may cost (bench/targets.toml).
const BYTES_MAX: usize = 64;
/// A minute begins when the clock says so, and a machine with more to do is late with it: many times what an idle one takes.
const PATIENCE: Duration = Duration::from_secs(400);

/// What a client holds, and what it was sent.
#[derive(Default)]
struct Held {
    n: u64,
    rows: Vec<Vec<Value>>,
    reasons: Vec<Value>,
    header: Value,
    /// Bytes per changed market of batches of prices alone, and of entries of minutes that follow a minute: the first one brings
    /// every reading.
    prices: Vec<usize>,
    whole: Vec<usize>,
    /// Markets of which such an entry came.
    followed: std::collections::BTreeSet<usize>,
    kinds: std::collections::BTreeMap<String, usize>,
}

impl Held {
    fn take(&mut self, sent: &Sent) {
        *self.kinds.entry(sent.event.clone()).or_default() += 1;
        let data = sent.json();
        match sent.event.as_str() {
            "board" => {
                self.n = data["n"].as_u64().unwrap();
                self.header = data["header"].clone();
                (self.rows, self.reasons) = (Vec::new(), Vec::new());
                self.come(&data["rows"]);
            }
            "rows" => self.come(&data),
            "cells" => self.batch(&data, sent.data.len()),
            "header" => self.header = data,
            "reasons" => {
                for news in data.as_array().unwrap() {
                    self.reasons[usize::try_from(news[0].as_u64().unwrap()).unwrap()] = news[1].clone();
                }
            }
            _ => {}
        }
    }

    /// Rows are reported by their numbers: one that a table held already may be reported again.
    fn come(&mut self, rows: &Value) {
        for row in rows.as_array().unwrap() {
            let i = usize::try_from(row["i"].as_u64().unwrap()).unwrap();
            assert!(i <= self.rows.len(), "numbers are given in order: {row}");
            let cells = row["cells"].as_array().unwrap().clone();
            if i == self.rows.len() {
                self.rows.push(cells);
                self.reasons.push(row["reasons"].clone());
            }
        }
    }

    fn batch(&mut self, batch: &Value, bytes: usize) {
        let n = batch["n"].as_u64().unwrap();
        if n <= self.n {
            // The table that was sent last held it already.
            return;
        }
        assert_eq!(n, self.n + 1, "no batch is missing");
        self.n = n;
        let from = batch["r"].as_i64().unwrap_or(0);
        let changes = batch["c"].as_array().unwrap();
        let mut moved = 0;
        for change in changes {
            let i = usize::try_from(change[0].as_u64().unwrap()).unwrap();
            let mask = change[1].as_u64().unwrap();
            moved |= mask;
            let follows = self.rows[i][ROW_TS].is_number();
            let set: Vec<_> = (0..self.rows[i].len()).filter(|column| mask & (1 << column) != 0).collect();
            let values = &change.as_array().unwrap()[2..];
            assert_eq!(values.len(), set.len(), "a value for each column that changed: {change}");
            for (value, column) in values.iter().zip(set) {
                let epoch = value.as_i64().filter(|_| EPOCHS.contains(&column));
                self.rows[i][column] = epoch.map_or_else(|| value.clone(), |v| json!(from + v));
            }
            if mask & (1 << ROW_TS) != 0 && follows {
                self.whole.push(change.to_string().len() + 1);
                self.followed.insert(i);
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
    let deadline = Instant::now() + PATIENCE;
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
    // A minute that follows a minute of each market, prices in between, and the seconds after which a pulse of the feeds is due. A
    // client that falls behind is given tables instead, and waits for the next minute.
    until(&mut stream, &mut held, |h| {
        h.followed.len() == 3 && h.prices.len() >= 20 && h.kinds.get("venues").is_some_and(|n| *n >= 2)
    });
    // A client that was given the table anew may have passed the answer, and header and reasons have no number: then another one is
    // asked for.
    let deadline = Instant::now() + PATIENCE;
    let fresh = loop {
        let fresh = server.json("/api/v1/board");
        let n = fresh["n"].as_u64().unwrap();
        until(&mut stream, &mut held, |h| h.n >= n);
        let reasons = fresh["rows"].as_array().unwrap().iter().map(|row| &row["reasons"]);
        if held.n == n && held.header == fresh["header"] && reasons.eq(&held.reasons) {
            break fresh;
        }
        assert!(
            Instant::now() < deadline,
            "never the same: {} of {n}, {} and {}",
            held.n,
            held.header,
            fresh["header"]
        );
    };
    let rows = fresh["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{fresh}");
    for (row, own) in rows.iter().zip(&held.rows) {
        assert!(alike(row["cells"].as_array().unwrap(), own), "{}: {} {own:?}", row["instrument"], row["cells"]);
        assert_eq!(row["cells"][13].as_i64().unwrap() & 8, 8, "synthetic: {row}");
        assert!(row["spark"].as_array().unwrap().iter().any(Value::is_number), "{row}");
        assert!(
            row["cells"][PRICE].is_number() && row["reasons"]["change_24h"].is_string(),
            "there is no day yet: {row}"
        );
    }
    let newest = rows.iter().filter_map(|r| r["cells"][ROW_TS].as_i64()).max().unwrap();
    assert_eq!(millis(&fresh["last_ts"]), newest * 1_000, "{}", fresh["last_ts"]);
    assert!(millis(&fresh["first_ts"]) < newest * 1_000, "{}", fresh["first_ts"]);
    assert_eq!((&fresh["origin"], &fresh["header"]["markets"]), (&json!("synthetic"), &json!(3)));
    for kind in ["board", "cells", "tick", "market", "snapshot", "feeds", "venues"] {
        assert!(held.kinds.contains_key(kind), "{kind} of {:?}", held.kinds);
    }
    held.prices.sort_unstable();
    held.whole.sort_unstable();
    let (most, median) = (held.prices[held.prices.len() - 1], held.whole[held.whole.len() / 2]);
    assert!(most <= BYTES_MAX && median <= BYTES_MAX, "prices at most {most} B, rows {median} B: {:?}", held.whole);
}

fn millis(instant: &Value) -> i64 {
    barograph_domain::Ts::parse(instant.as_str().unwrap()).unwrap().as_millis()
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
    let row = &server.json(&format!("/api/v1/markets/{id}/features?ids=price_change_24h&as_of={moment}"))["items"][0];
    let moved = row["values"]["price_change_24h"].as_f64().unwrap();
    assert!((past["cells"][1].as_f64().unwrap() - moved).abs() < 1e-3 * moved.abs(), "{past} and {moved}");
    assert!(millis(&then["last_ts"]) < millis(&now["last_ts"]), "what came later was not known: {}", then["last_ts"]);
    assert_eq!(then["first_ts"], now["first_ts"]);
    // Nothing is listened to: there is no list of feeds, but what is stored is reported, and how streams stood.
    assert_eq!(server.get("/api/v1/feeds").problem(), "not-live");
    let pulse = server.stream("/api/v1/board/stream?feeds=1").until("venues");
    assert!(pulse["storage"]["database_bytes"].as_u64().unwrap() > 4_096, "{pulse}");
    assert_eq!((&pulse["streams"], &pulse["journal"]), (&json!([]), &Value::Null));
    let stood = server.json(&format!("/api/v1/markets/{id}/continuity?start={moment}&end={}", last * 1_000));
    assert!(!stood["streams"].as_array().unwrap().is_empty(), "{stood}");
    assert_eq!(server.json(&format!("/api/v1/markets/{id}"))["instrument"], *id);
}

/// What people do about silences and positions is reported to whoever listens, also when another process does it.
#[test]
fn what_people_do_is_told_to_those_who_listen() {
    let place = Place::new();
    crate::support::data::slice(&place.path("in"), &["BTCUSDT"], "2026-02-05", "2026-02-06");
    place.ok("collect --source in --data data");
    let server = Server::start(&place, "data");
    let id = server.json("/api/v1/board")["rows"][0]["instrument"].as_str().unwrap().to_owned();
    let mut stream = server.stream("/api/v1/board/stream");
    // Both are reported when the store is looked at for the first time.
    let (mut told, deadline) = (std::collections::BTreeSet::new(), Instant::now() + PATIENCE);
    while told.len() < 2 {
        assert!(Instant::now() < deadline, "only {told:?}");
        let sent = stream.next().unwrap();
        told.extend(Some(sent.event).filter(|event| ["deliveries", "notices"].contains(&event.as_str())));
    }
    place.ok("alerts silence --data data --match venue=bybit --for 2h --author ann --reason work");
    assert!(stream.until("deliveries")["t"].is_i64());
    place.ok(&format!("positions add --data data {id} --side long --entry 100 --stop 90 --confirm"));
    assert!(stream.until("notices")["t"].is_i64());
}
