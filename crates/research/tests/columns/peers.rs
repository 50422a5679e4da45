//! The 197 columns against an independent implementation in NumPy and Polars (`crates/columns/tests/peer`), over recordings of three venues
//! and with readings of other feeds. `PEERS_PYTHON` names a Python with numpy and polars; without it these tests are skipped, and say so.
//!
//! The recordings are the longest that there are of each venue with its book and its trades; none has an hour:
//!
//! | venue | market | recording | length |
//! |---|---|---|---|
//! | Binance USD-M | BTCUSDT | `testdata/recordings/binance-usdm_btcusdt_20240718.gz`, its first 7,000 states and trades | 72 s |
//! | Binance USD-M | BTCUSDT | that one whole and `raw/hftbacktest/binance-usdm_btcusdt_20240719.gz` behind it | 8 min |
//! | Coinbase | BTC-USD | `raw/cryptofeed/coinbase.jsonl.zst`, whole | 24 s |
//! | Bybit | BTCUSDT | `raw/cryptofeed/bybit.jsonl.zst`, whole | 42 s |
//!
//! (`raw/archives/xrpusdt-ob500.data.zip` of Bybit has fifty states and no trades.) Windows of hours, and of days for VPIN, are held against
//! the same peer over synthetic markets in `crates/columns/tests/peer_rows.rs`.

use crate::heard::{Heard, Row, Rows, Sides, feed, listen, listen_to_all, shipped};
use barograph_columns::venues::compared;
use barograph_columns::{COLUMNS, FeedMinute, FeedMinutes, FeedReading, OtherFeeds, SECOND, VenueSecond, catalogue};
use barograph_domain::cell::Reason;
use barograph_domain::{Span, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_research::dataset::SecondRows;
use barograph_testkit::{recorded, skipped};
use core::fmt::Write as _;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;

/// One line for each thing, as `peer/events.py` writes them.
fn lines(all: &[Heard], tick: Option<f64>) -> String {
    let side = |side: &Sides, n: usize| -> String {
        let levels: Vec<String> = side[n].iter().map(|l| format!("{:?}:{:?}", l.price, l.size)).collect();
        if levels.is_empty() { "-".to_owned() } else { levels.join(",") }
    };
    let mut now = Ts::MIN;
    let mut out = format!("L {}", tick.map_or_else(|| "-".to_owned(), |t| format!("{t:?}")));
    for heard in all {
        match heard {
            Heard::Book(at, sides, updates) => {
                let (bids, asks) = (side(sides, 0), side(sides, 1));
                write!(out, "\nB {} {} {updates} {bids} {asks}", at.event.0, at.recv.0).unwrap();
            }
            Heard::Trade(at, t) => {
                let (event, recv, is_buy) = (at.event.0, at.recv.0, u8::from(t.is_buy));
                write!(out, "\nT {event} {recv} {:?} {:?} {is_buy}", t.price, t.size).unwrap();
            }
            Heard::Lost(feed, from) => write!(out, "\nG {feed:?} {} {}", from.0, now.0).unwrap(),
            Heard::Begins(from) => write!(out, "\nH {} {}", from.0, now.0).unwrap(),
            Heard::Passed(recv) => now = *recv,
        }
    }
    out
}

fn csv(rows: &[Row]) -> String {
    let mut out = String::from("ts");
    catalogue().iter().for_each(|column| write!(out, ",{}", column.id).unwrap());
    for (t, row) in rows {
        write!(out, "\n{}", t.0).unwrap();
        for at in 0..COLUMNS {
            match row.get(at) {
                Ok(value) => write!(out, ",{value:?}").unwrap(),
                Err(_) => out.push(','),
            }
        }
    }
    out
}

/// What lies beside: readings of derivatives, late, absent and too old ones among them, and two venues, of which one is away for a while.
struct Surroundings {
    minutes: Vec<FeedMinute>,
    begin: Ts,
}

impl Surroundings {
    fn from(begin: Ts) -> Self {
        let reading = |n: i64, column: i64| FeedReading {
            value: if (n + column) % 7 == 3 { Err(Reason::Warming) } else { Ok((n * 13 + column) as f64 / 8.0) },
            anchor: begin + Span::secs(5 * n - 20 * (column % 4)),
            age_max: Span::secs(25),
        };
        let minute = |n: i64| FeedMinute {
            minute: begin + Span::secs(5 * n),
            known: begin + Span::secs(5 * n) + Span::millis(200),
            derivatives: Some(core::array::from_fn(|c| reading(n, i64::try_from(c).unwrap()))),
            session_vol_ratio: (n % 2 == 0).then(|| reading(n, 12)),
        };
        // Nothing comes any more behind the first half minute: what is known grows old.
        Self { minutes: (0..7).map(minute).collect(), begin }
    }

    fn other(&self, venue: i64, t: Ts, own: f64) -> VenueSecond {
        let second = (t - self.begin).as_secs();
        let away = venue == 1 && (8..14).contains(&second) || (16..18).contains(&second);
        let mid = own.floor() + (second * (venue + 2) % 5) as f64;
        let notional = 1e6 * (1 + (second + venue) % 3) as f64;
        if away {
            return VenueSecond { mid: Err(Reason::Gap), notional: Err(Reason::Gap) };
        }
        VenueSecond { mid: Ok(mid), notional: Ok(notional) }
    }

    /// What the peer is given.
    fn given(&self, rows: &[Row]) -> Value {
        let mut as_of = Map::new();
        let item = |known: Ts, r: &FeedReading| json!([known.0, r.anchor.0, r.value.ok(), r.age_max.0]);
        for (n, column) in catalogue()[173..185].iter().enumerate() {
            let one = |m: &FeedMinute| m.derivatives.as_ref().map(|all| item(m.known, &all[n]));
            as_of.insert(column.id.to_owned(), self.minutes.iter().filter_map(one).collect());
        }
        let one = |m: &FeedMinute| m.session_vol_ratio.as_ref().map(|r| item(m.known, r));
        as_of.insert("sx_session_vol_ratio".to_owned(), self.minutes.iter().filter_map(one).collect());
        let series = |venue: i64, of: fn(&VenueSecond) -> Result<f64, Reason>| -> Value {
            let seconds =
                rows.iter().filter_map(|(t, _)| Some((t.0 / SECOND.0, of(&self.other(venue, *t, OWN)).ok()?)));
            seconds.map(|(second, value)| json!([second, value])).collect()
        };
        json!({
            "as_of": as_of,
            "other_mids": { "a": series(0, |s| s.mid), "b": series(1, |s| s.mid) },
            "other_quote_volume": { "a": series(0, |s| s.notional), "b": series(1, |s| s.notional) },
            "reference_mid": series(1, |s| s.mid),
        })
    }
}

/// Mids of the other venues lie near this.
const OWN: f64 = 64_000.0;

/// Rows with what lies beside them, on both sides.
fn agree(what: &str, all: &[Heard], tick: Option<f64>) {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        return skipped("PEERS_PYTHON names no Python with numpy and polars");
    };
    let mut rows = SecondRows::new(tick, SessionSet::UTC);
    let mut made: Rows = Vec::new();
    let begin = all.iter().find_map(|h| if let Heard::Book(at, ..) = h { Some(at.event) } else { None }).unwrap();
    let beside = Surroundings::from(begin.floor(SECOND));
    let mut minutes = FeedMinutes::default();
    minutes.extend(beside.minutes.iter().copied());
    let mut known = |t: Ts| {
        let (derivatives, session_vol_ratio) = minutes.at(t);
        OtherFeeds { derivatives, session_vol_ratio, ..OtherFeeds::default() }
    };
    all.iter().for_each(|heard| feed(&mut rows, heard, &mut known, &mut made));
    let first = made.first().map(|(t, _)| *t);
    for (t, row) in &mut made {
        let others = [0, 1].map(|venue| beside.other(venue, *t, OWN));
        // A second before the first row has no row on the other venues either.
        let before = if Some(*t) == first { Err(Reason::MissingInput) } else { beside.other(1, *t - SECOND, OWN).mid };
        row.compare(compared(VenueSecond::of(row), &others, Some([before, others[1].mid])));
    }
    assert!(made.len() >= 15, "{what}: {} rows", made.len());
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("events.txt"), lines(all, tick)).unwrap();
    std::fs::write(dir.path().join("rows.csv"), csv(&made)).unwrap();
    std::fs::write(dir.path().join("beside.json"), beside.given(&made).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../columns/tests/peer/compare_events.py");
    let judged = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success(), "{what}:\n{out}\n{err}");
}

#[test]
fn columns_of_a_shipped_recording_are_those_of_numpy() {
    let all = listen("binance-usdm:BTCUSDT", &shipped(), (7_000, usize::MAX));
    agree("Binance USD-M", &all, Some(0.1));
}

/// Long enough for windows of five minutes. Of each side so many levels as lie within ten basis points would make a text of a hundred
/// megabytes; those columns are held against the peer above.
#[test]
fn columns_of_eight_minutes_are_those_of_numpy() {
    let Some(second) = recorded("raw/hftbacktest/binance-usdm_btcusdt_20240719.gz") else { return };
    let all = listen_to_all("binance-usdm:BTCUSDT", &[shipped(), second], (usize::MAX, 25));
    agree("Binance USD-M, eight minutes", &all, Some(0.1));
}

#[test]
fn columns_of_coinbase_are_those_of_numpy() {
    let Some(path) = recorded("raw/cryptofeed/coinbase.jsonl.zst") else { return };
    agree("Coinbase", &listen("coinbase:BTC-USD", &path, (usize::MAX, usize::MAX)), Some(0.01));
}

#[test]
fn columns_of_bybit_are_those_of_numpy() {
    let Some(path) = recorded("raw/cryptofeed/bybit.jsonl.zst") else { return };
    agree("Bybit", &listen("bybit:BTCUSDT", &path, (usize::MAX, usize::MAX)), Some(0.1));
}
