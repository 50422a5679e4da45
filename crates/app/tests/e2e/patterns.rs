//! `verify patterns`: what the detectors of books and trades find of episodes that are laid over made markets and over a recording.

use crate::support::{Place, json_lines};
use barograph_domain::{Side, Span, Ts};
use barograph_engine::order_flow::{FlowInput, FlowLevel};
use barograph_verify::injected::acts::LaidActs;
use barograph_verify::injected::made::{MarketClass, class, play};
use std::fs::File;
use std::io::Write;

const BOOK: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
const TRADES: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";

/// A packed file of Tardis.
struct Tardis(flate2::write::GzEncoder<File>);

impl Tardis {
    fn new(place: &Place, name: &str, head: &str) -> Self {
        let mut out =
            flate2::write::GzEncoder::new(File::create(place.path(name)).unwrap(), flate2::Compression::fast());
        out.write_all(head.as_bytes()).unwrap();
        Self(out)
    }
    fn row(&mut self, at: Ts, middle: &str, side: &str, units: i64, qty: f64) {
        let (us, price) = (at.0 / 1_000, units as f64 / 100.0);
        writeln!(self.0, "binance-futures,BTCUSDT,{us},{us},{middle},{side},{price},{qty}").unwrap();
    }
}

/// What of one side is another than before: two lists, best first.
fn changes(before: &[FlowLevel], after: &[FlowLevel], falling: bool) -> Vec<(i64, f64)> {
    let (mut out, mut b, mut a) = (Vec::new(), 0, 0);
    while b < before.len() || a < after.len() {
        let (old, new) = (before.get(b), after.get(a));
        let first = match (old, new) {
            (Some(old), Some(new)) if old.units == new.units => {
                if old.qty.to_bits() != new.qty.to_bits() {
                    out.push((new.units, new.qty));
                }
                (a, b) = (a + 1, b + 1);
                continue;
            }
            (Some(old), Some(new)) => (old.units > new.units) == falling,
            (old, _) => old.is_some(),
        };
        if first {
            out.push((before[b].units, 0.0));
            b += 1;
        } else {
            out.push((after[a].units, after[a].qty));
            a += 1;
        }
    }
    out
}

/// A market of little volume, made and written as Tardis would have recorded it.
fn record(place: &Place, length: Span) {
    let quiet = MarketClass { step: Span::millis(240), changes: 2, levels: 24, ..class("thin").unwrap() };
    let (mut books, mut trades) =
        (Tardis::new(place, "book.csv.gz", BOOK), Tardis::new(place, "trades.csv.gz", TRADES));
    let (mut before, mut id) = ((Vec::new(), Vec::new()), 0);
    play(quiet, 11, length, &mut LaidActs::default(), |at, input| match input {
        FlowInput::Book(state) => {
            let whole = before.0.is_empty();
            for (units, qty) in changes(&before.0, state.bids, true) {
                books.row(at, if whole { "true" } else { "false" }, "bid", units, qty);
            }
            for (units, qty) in changes(&before.1, state.asks, false) {
                books.row(at, if whole { "true" } else { "false" }, "ask", units, qty);
            }
            before = (state.bids.to_vec(), state.asks.to_vec());
        }
        FlowInput::Trade { price, qty, aggressor_side } => {
            id += 1;
            let side = if aggressor_side == Some(Side::Long) { "buy" } else { "sell" };
            #[expect(clippy::cast_possible_truncation, reason = "a price of 90 in hundredths")]
            trades.row(at, &id.to_string(), side, (price * 100.0).round() as i64, qty);
        }
        _ => {}
    });
}

/// Of a day and two hours: what is found, of how many, with the untouched recording beside it.
#[test]
fn episodes_are_laid_over_a_recording_of_more_than_a_day() {
    let place = Place::new();
    record(&place, Span::hours(26));
    let line = "verify patterns binance-usdm:BTCUSDT --source book.csv.gz trades.csv.gz --pattern SPOOFING --json";
    let lines = json_lines(&place.run(line).exits(0).out);
    assert!(
        lines[0]["book_known_s"].as_u64().unwrap() > 93_000 && lines[0]["slow_share"].as_f64() < Some(0.5),
        "{}",
        lines[0]
    );
    let background =
        |pattern: &str| lines.iter().find(|l| l["kind"] == "background" && l["pattern"] == pattern).unwrap();
    // Judged from the sixth hour on, which began with the recording.
    let spoofing = background("SPOOFING");
    assert!((70_000..76_000).contains(&spoofing["judged_s"].as_i64().unwrap()), "{spoofing}");
    assert!(spoofing["alerts_per_day"].as_f64().unwrap() < 5.0, "{spoofing}");
    assert!(background("FUNDING_WINDOW_PRESSURE")["withheld"].as_str().unwrap().contains("premiums"), "{lines:?}");
    let rows: Vec<_> = lines.iter().filter(|l| l["kind"] == "injected").collect();
    assert_eq!(rows.iter().map(|r| r["intensity"].as_f64().unwrap()).collect::<Vec<_>>(), [0.5, 1.0, 2.0]);
    let recalls: Vec<f64> = rows.iter().map(|r| r["recall"].as_f64().unwrap()).collect();
    assert!(recalls.is_sorted() && recalls[2] > 0.8, "{recalls:?}");
    for row in rows {
        assert!(row["injections"].as_u64() >= Some(100) && row["figures"] == "full", "{row}");
        assert!(row["look_alikes_fired"].as_u64() <= Some(5), "{row}");
    }
    // The same for a person, few episodes of one strength.
    let few = format!("{} --intensity 2 --episodes 20", line.trim_end_matches(" --json"));
    let said = place.run(&few).exits(0).prints("| `SPOOFING` | binance-usdm:BTCUSDT | 2 | 20, few |");
    assert!(
        said.out.contains("fewer than 100 episodes") && said.out.contains("withheld: it wants 7 days"),
        "{}",
        said.out
    );
}

/// A recording that is too short says what it is and what it would have to be.
#[test]
fn a_recording_that_is_too_short_is_refused() {
    let place = Place::new();
    record(&place, Span::mins(20));
    let line = "verify patterns binance-usdm:BTCUSDT --source book.csv.gz";
    let done = place.run(&format!("{line} trades.csv.gz")).exits(1);
    done.prints("book known for 19 min")
        .says("is too short: its book is known for 19 min")
        .says("Injections want 24 h of book and trades");
    place.run(line).exits(1).says("holds no trade");
    place.run("verify patterns binance-usdm:BTCUSDT --data d").exits(2).says("holds no journal");
    place.run("verify patterns --source book.csv.gz").exits(2);
    place.run("verify patterns --pattern SPOOF").exits(2).says("there are SPOOFING, LAYERING");
    place.run("verify patterns --pattern SPOOFING --class quiet").exits(2).says("books come deep, middle and thin");
    place.run("verify patterns --intensity 0").exits(2).says("between 0.1 and 10");
}

#[test]
fn an_hour_of_binance_is_refused() {
    let Some(path) = barograph_testkit::recorded("raw/hftbacktest/binance-usdm_btcusdt_20240808.gz") else { return };
    let place = Place::new();
    let line = format!("verify patterns binance-usdm:BTCUSDT --source {}", path.display());
    place.run(&line).exits(1).prints("binance-usdm:BTCUSDT, 2024-08-08").says("is too short: its book is known for");
}

/// Rows of the published table come out as they are printed there.
#[test]
fn made_markets_give_the_rows_of_the_document() {
    let place = Place::new();
    let out = place.ok("verify patterns --pattern FUNDING_WINDOW_PRESSURE --class quiet");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/order-flow.md");
    let text = std::fs::read_to_string(root).unwrap();
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(rows.len(), 3, "{out}");
    rows.iter().for_each(|row| assert!(text.lines().any(|line| line == *row), "not in the document: {row}"));
    let few = "verify patterns --pattern PUMP_AND_DUMP --class busy --intensity 2 --episodes 9";
    let lines = json_lines(&place.ok(&format!("{few} --json")));
    assert_eq!((lines.len(), lines[0]["figures"].as_str(), lines[0]["recall"].as_f64()), (1, Some("withheld"), None));
    assert!(place.ok(few).contains("| withheld (9 of 9) |"));
}
