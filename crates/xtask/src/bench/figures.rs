//! The promised figures and how each is measured. Targets are those of issue 2, section 8.

use super::process::{self, Ran};
use super::{Bed, Row, alerts, board, http, lists, live, size_of, stored};
use std::path::Path;
use std::time::Duration;

const DAYS: u64 = 365;
/// Days for the disk figure: fewer than the 90 for which minute rows are kept, so that every minute is still there.
const DISK_DAYS: u64 = 60;
const MIB: f64 = 1_048_576.0;

/// One measurement, giving one or more rows.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Bed) -> Result<Vec<Row>, String>,
    /// Rows it owes, with their targets.
    rows: &'static [(&'static str, &'static str)],
}

impl Bench {
    /// The rows it owes, none of them ok.
    pub(crate) fn unmeasured(&self, why: &str) -> Vec<Row> {
        let row = |(what, target): &(&'static str, &'static str)| Row {
            what,
            measured: format!("not measured: {why}"),
            target,
            ok: false,
        };
        self.rows.iter().map(row).collect()
    }

    pub(super) fn row(&self, n: usize, measured: String, ok: bool) -> Row {
        let (what, target) = self.rows[n];
        Row { what, measured, target, ok }
    }
}

/// Every benchmark, in the order of the table.
pub(crate) static ALL: [Bench; 22] = [
    Bench {
        name: "engine",
        measure: engine,
        rows: &[
            ("engine, derivatives events per second on one core", "1,000,000"),
            ("all analytics but model fits, minute bars of a market per second on one core", "200,000"),
            ("the same for a market with every stream, minutes per second", "stated"),
        ],
    },
    Bench {
        name: "store",
        measure: store,
        rows: &[("a synthetic year of minutes, file to stored snapshots", "under 20 s")],
    },
    Bench { name: "replay", measure: replay, rows: &[("the same year, nothing stored", "under 4 s")] },
    Bench { name: "context", measure: context, rows: &[("context of one market from memory, p50", "under 50 µs")] },
    Bench {
        name: "liquidity",
        measure: liquidity,
        rows: &[
            ("levels of 100,000 bars against five functions of smartmoneyconcepts, same run", "100 times"),
            ("the same, one pass; 500 bars from nothing", "stated"),
        ],
    },
    Bench {
        name: "advice",
        measure: advice,
        rows: &[("advice on a filled context, with and without texts", "stated")],
    },
    Bench {
        name: "models",
        measure: models,
        rows: &[("statistical models, an hour of a market; a fit over 180 days", "stated")],
    },
    Bench {
        name: "python",
        measure: python,
        rows: &[
            ("Python: context of 500 bars from NumPy arrays, nothing kept, p50", "under 60 µs"),
            ("the same from a pandas frame", "under 150 µs"),
            ("the same quantities in NumPy; in pandas", "stated"),
            ("the next bar", "under 5 µs"),
            ("the next bar and its context", "stated"),
            ("50 strategies asking one engine from 8 threads, lock wait p99", "under 100 µs"),
        ],
    },
    Bench {
        name: "http",
        measure: serve,
        rows: &[
            ("snapshot over HTTP on loopback, 64 connections", "5,000 requests/s"),
            ("the same, 99th percentile", "under 20 ms"),
        ],
    },
    Bench {
        name: "memory",
        measure: memory,
        rows: &[
            ("resident memory, three markets, that year replayed", "under 150 MiB"),
            ("the same, growth over the second half", "flat (under 5 %)"),
        ],
    },
    Bench { name: "bytes", measure: bytes, rows: &[("stored bytes per market and minute", "under 500")] },
    Bench {
        name: "start",
        measure: start,
        rows: &[("cold start to the first snapshot, built-in history", "under 1 s")],
    },
    Bench {
        name: "causality",
        measure: causality,
        rows: &[("causality, 200 truncations of the built-in history", "under 120 s")],
    },
    Bench {
        name: "decode",
        measure: decode,
        rows: &[("decode, session and book, depth frames of 900 bytes on one core", "300,000 messages/s")],
    },
    Bench {
        name: "journal",
        measure: journal,
        rows: &[
            ("journal, frames accepted before compression on one core", "200 MB/s"),
            ("the same packed with zstd level 1: ratio and rate", "stated"),
        ],
    },
    Bench {
        name: "board",
        measure: board_followed,
        rows: &[
            ("200 clients on the board of 1,000 markets, batch to client, p99", "under 250 ms"),
            ("the same, bytes per changed market in a batch, median; batches a second", "at most 64; at most 5"),
            ("the same, share of one core with all clients", "under 100 %"),
            ("the same, resident memory that the clients add", "under 300 MiB"),
        ],
    },
    Bench {
        name: "alerts",
        measure: alerts_told,
        rows: &[
            ("alerts told alone, fact known until the receiver has it, p99", "under 100 ms"),
            ("1,000 markets cross a threshold within a minute: messages to a receiver in that minute", "at most 5"),
            ("deliveries of an outbox on disk, one request each", "2,000/s"),
        ],
    },
    Bench {
        name: "page",
        measure: page,
        rows: &[
            ("market page with a year of minutes behind it, until it can be used", "under 1.5 s"),
            ("the same, pan and zoom", "above 50 frames/s"),
            ("weather page of 1,000 live markets in a storm of alerts, scrolled", "above 30 frames/s"),
            ("first paint of the weather page", "under 1 s"),
        ],
    },
    Bench {
        name: "live",
        measure: live_thousand,
        rows: &[
            ("1,000 markets live, messages per second", "20,000"),
            ("the same, receipt until values include it, p99", "under 50 ms"),
            ("the same, minute plus 200 ms until it reads, worst", "under 50 ms"),
            ("the same, resident memory and growth over the second half", "under 1 GiB, flat (under 2 %)"),
            ("the same, share of one core (the venue server beside it)", "stated"),
            ("the same, SIGTERM until the end", "under 5 s"),
            ("the same, restart until all markets are live", "under 10 s"),
            ("the same, every socket cut until all streams are live", "under 15 s"),
            ("the same, list of all markets, 1,000 streams, counters over HTTP, p99 each", "under 50 ms"),
        ],
    },
    Bench { name: "append", measure: stored::measure, rows: stored::ROWS },
    Bench {
        name: "soak",
        measure: soak,
        rows: &[("1,000 markets live for 30 minutes, resident memory and growth", "under 1 GiB, flat (under 2 %)")],
    },
    Bench {
        name: "three",
        measure: live_three,
        rows: &[
            ("three markets live with everything on, share of one core", "under 3 %"),
            ("the same, resident memory", "under 80 MiB"),
        ],
    },
];

/// Too long to be run unless named.
pub(crate) const LONG: [&str; 1] = ["soak"];

pub(super) fn of(name: &str) -> &'static Bench {
    ALL.iter().find(|b| b.name == name).unwrap_or(&ALL[0])
}

fn engine(bed: &Bed) -> Result<Vec<Row>, String> {
    let rate = bed.figure("barograph-engine", "engine_events_per_s")?;
    let bars = bed.figure("barograph-engine", "engine_bars_per_s")?;
    let minutes = bed.figure("barograph-engine", "engine_minutes_per_s")?;
    Ok(vec![
        of("engine").row(0, format!("{:.2} M/s", rate / 1e6), rate >= 1_000_000.0),
        of("engine").row(1, format!("{bars:.0}/s"), bars >= 200_000.0),
        of("engine").row(2, format!("{minutes:.0}/s"), true),
    ])
}

fn advice(bed: &Bed) -> Result<Vec<Row>, String> {
    let numbers = bed.figure("barograph-engine", "advise_ns")?;
    let texts = bed.figure("barograph-engine", "advise_rendered_ns")?;
    Ok(vec![of("advice").row(0, format!("{:.2} µs; {:.2} µs", texts / 1e3, numbers / 1e3), true)])
}

fn models(bed: &Bed) -> Result<Vec<Row>, String> {
    let hour = bed.figure("barograph-engine", "models_hour_us")?;
    let fit = bed.figure("barograph-engine", "models_fit_180d_ms")?;
    Ok(vec![of("models").row(0, format!("{hour:.1} µs; {fit:.0} ms"), true)])
}

fn python(bed: &Bed) -> Result<Vec<Row>, String> {
    let said = bed.made("python-bench")?;
    let us =
        |name: &str| super::figure(&said, name).ok_or_else(|| format!("make python-bench prints no 'figure {name} …'"));
    let below = |n: usize, x: f64, target: f64| of("python").row(n, format!("{x:.1} µs"), x < target);
    let (numpy, pandas) = (us("baseline_numpy_500_us")?, us("baseline_pandas_500_us")?);
    Ok(vec![
        below(0, us("python_context_500_numpy_us")?, 60.0),
        below(1, us("python_context_500_pandas_us")?, 150.0),
        of("python").row(2, format!("{numpy:.0} µs; {pandas:.0} µs"), true),
        below(3, us("python_next_bar_us")?, 5.0),
        of("python").row(4, format!("{:.1} µs", us("python_next_bar_and_context_us")?), true),
        below(5, us("context_lock_wait_p99_us")?, 100.0),
    ])
}

fn decode(bed: &Bed) -> Result<Vec<Row>, String> {
    let rate = bed.figure("barograph-venues", "decode_session_book_per_s")?;
    Ok(vec![of("decode").row(0, format!("{:.0}/s", rate), rate >= 300_000.0)])
}

fn journal(bed: &Bed) -> Result<Vec<Row>, String> {
    let accepted = bed.figure("barograph-lake", "journal_accept_mb_s")?;
    let ratio = bed.figure("barograph-lake", "journal_zstd1_ratio")?;
    let rate = bed.figure("barograph-lake", "journal_zstd1_mb_s")?;
    Ok(vec![
        of("journal").row(0, format!("{accepted:.0} MB/s"), accepted >= 200.0),
        of("journal").row(1, format!("{ratio:.2} times at {rate:.0} MB/s"), ratio > 1.0),
    ])
}

const fn thousand(lasts: Duration) -> live::Load {
    live::Load {
        markets: 1_000,
        messages_per_s: 22_000,
        metrics: "best_bid_ask,trade,mark_price,index_price,funding_rate,open_interest,liquidation_usd",
        books: "off",
        lasts,
    }
}

fn soak(bed: &Bed) -> Result<Vec<Row>, String> {
    let seen = live::run(&bed.binary()?, &bed.scratch("data-soak")?, &thousand(Duration::from_secs(1_800)))?;
    let measured = format!("{:.0} MiB, {:+.1} %", seen.resident_mib, seen.growth * 100.0);
    Ok(vec![of("soak").row(0, measured, seen.resident_mib < 1_024.0 && seen.growth < 0.02)])
}

fn board_followed(bed: &Bed) -> Result<Vec<Row>, String> {
    let seen = board::run(&bed.binary()?, &bed.scratch("data-board")?, 1_000, 200, Duration::from_secs(90))?;
    let row = |n, measured, ok| of("board").row(n, measured, ok);
    let (p99, bytes, rate) = (seen.late_p99_ms, seen.bytes_per_market, seen.batches_per_s);
    Ok(vec![
        row(0, format!("{p99:.0} ms (p50 {:.0} ms)", seen.late_p50_ms), p99 < 250.0),
        row(1, format!("{bytes:.0} B; {rate:.1}"), bytes <= 64.0 && rate <= 5.05),
        row(
            2,
            format!("{:.0} % ({:.0} % without)", 100.0 * seen.core_share, 100.0 * seen.core_alone),
            seen.core_share < 1.0,
        ),
        row(3, format!("{:.0} MiB ({:.0} MiB without)", seen.added_mib, seen.alone_mib), seen.added_mib < 300.0),
    ])
}

fn alerts_told(bed: &Bed) -> Result<Vec<Row>, String> {
    let late = alerts::alone(bed, &bed.scratch("data-alone")?)?;
    let storm = alerts::storm(bed, &bed.scratch("data-storm")?, 1_000)?;
    let row = |n, measured, ok| of("alerts").row(n, measured, ok);
    let deliveries = match alerts::deliveries(bed, &bed.scratch("data-deliveries")?, 20_000) {
        Ok(rate) => row(2, format!("{rate:.0}/s"), rate >= 2_000.0),
        Err(why) => row(2, format!("not measured: {why}"), false),
    };
    Ok(vec![
        row(
            0,
            format!("{:.0} ms (p50 {:.0} ms, {} at once)", late.p99_ms, late.p50_ms, late.alerts),
            late.p99_ms < 100.0,
        ),
        row(1, format!("{} (alone after {:.0} ms)", storm.messages, storm.alone_ms), storm.messages <= 5),
        deliveries,
    ])
}

/// Measured in a browser, by `web/e2e/measure.mjs`.
fn page(bed: &Bed) -> Result<Vec<Row>, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let data = bed.scratch("data-page")?;
    process::run(&binary, &[path("replay"), &year, path("--data"), &data])?;
    let said = bed.node("web/e2e/measure.mjs", &binary, &data)?;
    let figure = |name: &str| super::figure(&said, name).ok_or_else(|| format!("the page prints no 'figure {name} …'"));
    let row = |n, measured, ok| of("page").row(n, measured, ok);
    let (usable, pan) = (figure("market_usable_s")?, figure("market_pan_fps")?);
    let (storm, paint) = (figure("storm_fps")?, figure("first_paint_s")?);
    Ok(vec![
        row(0, format!("{usable:.2} s"), usable < 1.5),
        row(1, format!("{pan:.0} frames/s"), pan > 50.0),
        row(2, format!("{storm:.0} frames/s"), storm > 30.0),
        row(3, format!("{paint:.2} s"), paint < 1.0),
    ])
}

fn live_thousand(bed: &Bed) -> Result<Vec<Row>, String> {
    let load = thousand(Duration::from_secs(240));
    let seen = live::run(&bed.binary()?, &bed.scratch("data-live")?, &load)?;
    let (mib, growth) = (seen.resident_mib, seen.growth);
    let seconds = |d: Duration| format!("{:.1} s", d.as_secs_f64());
    let millis = |s: f64| format!("at most {:.1} ms", s * 1e3);
    let row = |n, measured, ok| of("live").row(n, measured, ok);
    Ok(vec![
        row(0, format!("{:.0}/s", seen.messages_per_s), seen.messages_per_s >= 20_000.0),
        row(1, millis(seen.receipt_p99_s), seen.receipt_p99_s <= 0.05),
        row(2, millis(seen.minute_max_s), seen.minute_max_s <= 0.05),
        row(3, format!("{mib:.0} MiB, {:+.1} %", growth * 100.0), mib < 1_024.0 && growth < 0.02),
        row(4, format!("{:.0} % ({:.0} %)", seen.core_share * 100.0, seen.sim_share * 100.0), true),
        row(5, seconds(seen.stop), seen.stop < Duration::from_secs(5)),
        row(6, seconds(seen.restart), seen.restart < Duration::from_secs(10)),
        row(
            7,
            format!("{} for {} streams", seconds(seen.recovery), seen.streams),
            seen.recovery < Duration::from_secs(15),
        ),
        row(8, lists(seen.lists), seen.lists.markets.max(seen.lists.feeds).max(seen.lists.metrics).as_millis() < 50),
    ])
}

fn lists(seen: lists::Lists) -> String {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    format!("{:.1}, {:.1}, {:.1} ms", ms(seen.markets), ms(seen.feeds), ms(seen.metrics))
}

fn live_three(bed: &Bed) -> Result<Vec<Row>, String> {
    let load =
        live::Load { markets: 3, messages_per_s: 60, metrics: "all", books: "on", lasts: Duration::from_secs(120) };
    let seen = live::run(&bed.binary()?, &bed.scratch("data-three")?, &load)?;
    Ok(vec![
        of("three").row(0, format!("{:.1} %", seen.core_share * 100.0), seen.core_share < 0.03),
        of("three").row(1, format!("{:.0} MiB", seen.resident_mib), seen.resident_mib < 80.0),
    ])
}

fn context(bed: &Bed) -> Result<Vec<Row>, String> {
    let micros = bed.figure("barograph-engine", "context_p50_us")?;
    Ok(vec![of("context").row(0, format!("{micros:.1} µs"), micros < 50.0)])
}

fn liquidity(bed: &Bed) -> Result<Vec<Row>, String> {
    let (pass, cold) = (
        bed.figure("barograph-engine", "liquidity_100k_ms")?,
        bed.figure("barograph-engine", "liquidity_cold_500_us")?,
    );
    let stated = of("liquidity").row(1, format!("{pass:.1} ms; {cold:.0} µs"), true);
    let ratio = match bed.figure("barograph-engine", "liquidity_against_smartmoneyconcepts") {
        Ok(times) => of("liquidity").row(0, format!("{times:.0} times"), times >= 100.0),
        // The bench says why on standard error; the package belongs to the interpreter in BAROGRAPH_PYTHON.
        Err(_) => of("liquidity").row(0, "not measured: no Python with smartmoneyconcepts".to_owned(), false),
    };
    Ok(vec![ratio, stated])
}

fn store(bed: &Bed) -> Result<Vec<Row>, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let data = bed.scratch("data-store")?;
    let ran = process::run(&binary, &[path("replay"), &year, path("--data"), &data])?;
    Ok(vec![of("store").row(0, seconds(&ran), ran.wall < Duration::from_secs(20))])
}

fn replay(bed: &Bed) -> Result<Vec<Row>, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let ran = process::run(&binary, &[path("replay"), &year])?;
    Ok(vec![of("replay").row(0, seconds(&ran), ran.wall < Duration::from_secs(4))])
}

fn memory(bed: &Bed) -> Result<Vec<Row>, String> {
    let binary = bed.binary()?;
    let markets = [("SYNTHAUSDT", 1), ("SYNTHBUSDT", 2), ("SYNTHCUSDT", 3)]
        .map(|(symbol, seed)| bed.synthetic(symbol, seed, DAYS));
    let [a, b, c] = markets;
    let ran = process::run(&binary, &[path("replay"), &a?, &b?, &c?])?;
    let (peak, growth) = (ran.peak_bytes as f64 / MIB, ran.growth());
    Ok(vec![
        of("memory").row(0, format!("{peak:.0} MiB"), peak < 150.0),
        of("memory").row(1, format!("{:+.1} %", growth * 100.0), growth < 0.05),
    ])
}

fn bytes(bed: &Bed) -> Result<Vec<Row>, String> {
    let (binary, days) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DISK_DAYS)?);
    let data = bed.scratch("data-bytes")?;
    process::run(&binary, &[path("replay"), &days, path("--data"), &data])?;
    // The whole folder counts, the imported points included: an upper bound of what the target speaks of.
    let per_minute = size_of(&data)? as f64 / (DISK_DAYS * 1_440) as f64;
    Ok(vec![of("bytes").row(0, format!("{per_minute:.0}"), per_minute < 500.0)])
}

fn serve(bed: &Bed) -> Result<Vec<Row>, String> {
    let server = http::demo(&bed.binary()?, &bed.scratch("data-http")?)?;
    let load = http::load(server.address(), http::CONTEXT, 64, Duration::from_secs(10))?;
    let p99 = load.quantile(0.99);
    Ok(vec![
        of("http").row(0, format!("{:.0} requests/s", load.per_second()), load.per_second() >= 5_000.0),
        of("http").row(1, format!("{:.1} ms", p99.as_secs_f64() * 1e3), p99 < Duration::from_millis(20)),
    ])
}

fn start(bed: &Bed) -> Result<Vec<Row>, String> {
    let server = http::demo(&bed.binary()?, &bed.scratch("data-start")?)?;
    let took = server.first_answer;
    Ok(vec![of("start").row(0, format!("{:.2} s", took.as_secs_f64()), took < Duration::from_secs(1))])
}

fn causality(bed: &Bed) -> Result<Vec<Row>, String> {
    let ran = process::run(&bed.binary()?, &[path("verify"), path("causality"), &bed.history()])?;
    let fine = ran.last_line.starts_with("rewritten readings: 0 of ");
    let measured = if fine { seconds(&ran) } else { format!("{}, {}", seconds(&ran), ran.last_line) };
    Ok(vec![of("causality").row(0, measured, fine && ran.wall < Duration::from_secs(120))])
}

fn path(word: &str) -> &Path {
    Path::new(word)
}

fn seconds(ran: &Ran) -> String {
    format!("{:.1} s", ran.wall.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_measured_is_not_ok() {
        for bench in &ALL {
            let rows = bench.unmeasured("no binary");
            assert!(!rows.is_empty() && rows.iter().all(|r| !r.ok && r.measured.contains("no binary")));
            assert_eq!(of(bench.name).name, bench.name);
        }
    }
}
