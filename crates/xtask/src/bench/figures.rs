//! How each promised figure is measured. What is promised stands in `bench/targets.toml`; a benchmark gives the figures whose
//! ids begin with its name.

use super::process::{self, Ran};
use super::{Bed, Measured, agents, alerts, board, http, live, size_of, stored, waits};
use std::path::Path;
use std::time::{Duration, Instant};

const DAYS: u64 = 365;
/// Days for the disk figure: fewer than the 90 for which minute rows are kept, so that every minute is still there.
const DISK_DAYS: u64 = 60;
/// A month, for what grows with the input.
const MONTH_DAYS: u64 = 30;
const MIB: f64 = 1_048_576.0;

/// One measurement, giving one or more figures.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Bed) -> Result<Measured, String>,
    /// How many times it is run: a rented machine has moods of seconds, which one round of a few seconds is left to.
    pub(crate) rounds: u8,
}

const fn bench(name: &'static str, measure: fn(&Bed) -> Result<Measured, String>) -> Bench {
    Bench { name, measure, rounds: 1 }
}

/// One of a few seconds.
const fn short(name: &'static str, measure: fn(&Bed) -> Result<Measured, String>) -> Bench {
    Bench { rounds: 5, ..bench(name, measure) }
}

/// Every benchmark, in the order of the table.
pub(crate) static ALL: [Bench; 37] = [
    short("engine", engine),
    bench("store", store),
    bench("replay", replay),
    short("start", start),
    short("context", context),
    short("decode", decode),
    bench("bytes", bytes),
    bench("memory", memory),
    bench("causality", causality),
    short("liquidity", liquidity),
    Bench { rounds: 3, ..bench("flow", flow) },
    short("advice", advice),
    short("models", models),
    bench("no_skill", no_skill),
    short("columns", columns),
    bench("zoo", zoo),
    Bench { rounds: 3, ..bench("lake", lake) },
    Bench { rounds: 3, ..bench("ledger", ledger) },
    bench("scorecard", scorecard),
    bench("whatif", whatif),
    bench("forecasts", forecasts),
    bench("python", python),
    bench("http", serve),
    short("journal", journal),
    bench("live", live_thousand),
    bench("soak", soak),
    bench("three", live_three),
    bench("scale", live_ten_thousand),
    bench("append", stored::measure),
    bench("board", board_followed),
    bench("cluster", cluster),
    bench("agents", agents_answered),
    bench("alerts", alerts_delivered),
    bench("page", page),
    bench("coverage", coverage),
    bench("month", month),
    bench("build", build),
];

/// Too long to be run unless named.
pub(crate) const LONG: [&str; 5] = ["soak", "scale", "coverage", "month", "build"];

/// A figure's name here, what a bench prints it as, and the factor to the promised unit.
type Printed = (&'static str, &'static str, f64);

/// Figures that a `cargo bench` target prints.
fn printed(bed: &Bed, package: &str, target: &str, part: &[&str], figures: &[Printed]) -> Result<Measured, String> {
    Ok(taken(&bed.bench(package, target, part)?, target, figures))
}

/// The same of work on all cores.
fn printed_by_all_cores(bed: &Bed, package: &str, target: &str, figures: &[Printed]) -> Result<Measured, String> {
    Ok(taken(&bed.bench_on_all_cores(package, target)?, target, figures))
}

fn taken(said: &str, target: &str, figures: &[Printed]) -> Measured {
    let of = |name: &str| super::figure(said, name).ok_or_else(|| format!("the bench {target} prints no '{name}'"));
    figures.iter().map(|(id, name, factor)| (*id, of(name).map(|value| value * factor))).collect()
}

fn engine(bed: &Bed) -> Result<Measured, String> {
    let figures = [("events_per_s", "engine_events_per_s", 1.0), ("minutes_per_s", "engine_minutes_per_s", 1.0)];
    let mut measured = printed(bed, "barograph-engine", "step", &["events"], &figures)?;
    let bars = [("bars_per_s", "engine_bars_per_s", 1.0)];
    measured.extend(printed(bed, "barograph-engine", "step", &["bars"], &bars)?);
    Ok(measured)
}

fn context(bed: &Bed) -> Result<Measured, String> {
    printed(bed, "barograph-engine", "step", &["context"], &[("p50_us", "context_p50_us", 1.0)])
}

fn advice(bed: &Bed) -> Result<Measured, String> {
    let figures = [("numbers_us", "advise_ns", 1e-3), ("texts_us", "advise_rendered_ns", 1e-3)];
    printed(bed, "barograph-engine", "advice", &[], &figures)
}

fn models(bed: &Bed) -> Result<Measured, String> {
    let figures = [("hour_us", "models_hour_us", 1.0), ("fit_ms", "models_fit_180d_ms", 1.0)];
    printed(bed, "barograph-engine", "models", &[], &figures)
}

fn no_skill(bed: &Bed) -> Result<Measured, String> {
    let figures = [("activated_percent", "no_skill_activated_percent", 1.0)];
    printed(bed, "barograph-verify", "no_skill", &[], &figures)
}

/// Virtual time: no matter of pace.
fn cluster(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("violations", "cluster_violations", 1.0),
        ("takeover_ms", "cluster_takeover_ms", 1.0),
        ("mistakes", "cluster_mistakes", 1.0),
    ];
    printed(bed, "barograph-cluster", "seeds", &[], &figures)
}

fn columns(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("wide_rows_per_s", "columns_wide_rows_per_s", 1.0),
        ("memory_share", "columns_polars_memory_share", 1.0),
        ("changes_per_s", "columns_changes_per_s", 1.0),
    ];
    printed(bed, "barograph-columns", "columns", &[], &figures)
}

/// Beside LightGBM in the Python that `PEERS_PYTHON` names: `make bench` has one.
fn zoo(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("gbm_times", "lab_gbm_times", 1.0),
        ("gbm_auc_more", "lab_gbm_auc_more", 1e3),
        ("controls_stamped", "lab_controls_stamped", 1.0),
        ("importance_s", "lab_importance_s", 1.0),
    ];
    printed_by_all_cores(bed, "barograph-lab", "zoo", &figures)
}

fn lake(bed: &Bed) -> Result<Measured, String> {
    printed_by_all_cores(bed, "barograph-lake", "layers", &[("write_mb_s", "lake_write_mb_s", 1.0)])
}

fn ledger(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("core_percent", "ledger_core_percent", 1.0),
        ("bytes", "ledger_bytes_per_market_minute", 1.0),
        ("grid_ms", "ledger_grid_longest_ms", 1.0),
    ];
    printed(bed, "barograph-query", "ledger", &[], &figures)
}

fn scorecard(bed: &Bed) -> Result<Measured, String> {
    printed_by_all_cores(bed, "barograph-query", "scorecard", &[("year_s", "scorecard_year_s", 1.0)])
}

fn whatif(bed: &Bed) -> Result<Measured, String> {
    printed_by_all_cores(bed, "barograph-query", "whatif", &[("threshold_s", "whatif_threshold_s", 1.0)])
}

/// The ledger of the built-in history, three markets over three months, made again and compared.
fn forecasts(bed: &Bed) -> Result<Measured, String> {
    let (binary, data) = (bed.binary()?, bed.scratch("data-forecasts")?);
    bed.sampler.without(|| process::run(&binary, &[path("replay"), &bed.history(), path("--data"), &data]))?;
    let ran = process::run(&binary, &[path("verify"), path("forecasts"), &data])?;
    Ok(vec![("history_s", Ok(ran.wall.as_secs_f64()))])
}

/// Detectors in books and trades: the accounting by itself, and all six on a hundred markets with books at ten updates a second.
fn flow(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("updates_per_s", "flow_level_changes_sparse_per_s", 1.0),
        ("core_percent", "flow_100_markets_core_share_pct", 1.0),
        ("market_mib", "flow_held_bytes_most", 1.0 / MIB),
    ];
    printed(bed, "barograph-verify", "order_flow", &[], &figures)
}

fn liquidity(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("pass_ms", "liquidity_100k_ms", 1.0),
        ("cold_500_us", "liquidity_cold_500_us", 1.0),
        ("times", "liquidity_against_smartmoneyconcepts", 1.0),
    ];
    let mut measured = printed(bed, "barograph-engine", "liquidity", &[], &figures)?;
    // The bench says why on standard error; the package belongs to the interpreter in BENCH_PYTHON.
    let times = measured.iter_mut().filter(|(id, value)| *id == "times" && value.is_err());
    times.for_each(|(_, value)| *value = Err("no Python with smartmoneyconcepts".to_owned()));
    Ok(measured)
}

fn decode(bed: &Bed) -> Result<Measured, String> {
    printed(bed, "barograph-venues", "decode", &[], &[("frames_per_s", "decode_session_book_per_s", 1.0)])
}

fn journal(bed: &Bed) -> Result<Measured, String> {
    let figures = [
        ("accept_mb_s", "journal_accept_mb_s", 1.0),
        ("ratio", "journal_zstd1_ratio", 1.0),
        ("pack_mb_s", "journal_zstd1_mb_s", 1.0),
    ];
    printed(bed, "barograph-lake", "journal", &[], &figures)
}

fn python(bed: &Bed) -> Result<Measured, String> {
    bed.sampler.without(|| bed.made("python-built"))?;
    let said = bed.made("python-figures")?;
    let figures = [
        ("numpy_us", "python_context_500_numpy_us"),
        ("pandas_us", "python_context_500_pandas_us"),
        ("next_bar_us", "python_next_bar_us"),
        ("next_context_us", "python_next_bar_and_context_us"),
        ("lock_wait_us", "context_lock_wait_p99_us"),
    ];
    let of = |name: &str| super::figure(&said, name).ok_or_else(|| format!("make python-bench prints no '{name}'"));
    Ok(figures.into_iter().map(|(id, name)| (id, of(name))).collect())
}

fn store(bed: &Bed) -> Result<Measured, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let data = bed.scratch("data-store")?;
    let ran = process::run(&binary, &[path("replay"), &year, path("--data"), &data])?;
    Ok(vec![("year_s", Ok(ran.wall.as_secs_f64()))])
}

fn replay(bed: &Bed) -> Result<Measured, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let ran = process::run(&binary, &[path("replay"), &year])?;
    Ok(vec![("year_s", Ok(ran.wall.as_secs_f64()))])
}

/// Folders of three synthetic markets.
fn three_markets(bed: &Bed, days: u64) -> Result<[std::path::PathBuf; 3], String> {
    let market = |symbol: &str, seed| bed.synthetic(symbol, seed, days);
    Ok([market("SYNTHAUSDT", 1)?, market("SYNTHBUSDT", 2)?, market("SYNTHCUSDT", 3)?])
}

fn memory(bed: &Bed) -> Result<Measured, String> {
    let (binary, [a, b, c]) = (bed.binary()?, three_markets(bed, DAYS)?);
    let ran = process::run(&binary, &[path("replay"), &a, &b, &c])?;
    Ok(vec![("peak_mib", Ok(ran.peak_bytes as f64 / MIB)), ("growth_percent", Ok(ran.growth() * 100.0))])
}

fn bytes(bed: &Bed) -> Result<Measured, String> {
    let (binary, days) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DISK_DAYS)?);
    let data = bed.scratch("data-bytes")?;
    process::run(&binary, &[path("replay"), &days, path("--data"), &data])?;
    // The whole folder counts, the imported points included.
    Ok(vec![("per_market_minute", Ok(size_of(&data)? as f64 / (DISK_DAYS * 1_440) as f64))])
}

fn serve(bed: &Bed) -> Result<Measured, String> {
    let server = http::demo(&bed.binary()?, &bed.scratch("data-http")?)?;
    http::until_live(&server)?;
    let load = http::load(server.address(), http::CONTEXT, 64, Duration::from_secs(10))?;
    Ok(vec![("requests_per_s", Ok(load.per_second())), ("p99_ms", Ok(ms(load.quantile(0.99))))])
}

fn start(bed: &Bed) -> Result<Measured, String> {
    let server = http::demo(&bed.binary()?, &bed.scratch("data-start")?)?;
    Ok(vec![("first_snapshot_s", Ok(server.first_answer.as_secs_f64()))])
}

fn causality(bed: &Bed) -> Result<Measured, String> {
    let ran = process::run(&bed.binary()?, &[path("verify"), path("causality"), &bed.history()])?;
    Ok(vec![("history_s", without_rewriting(&ran).map(|()| ran.wall.as_secs_f64()))])
}

fn month(bed: &Bed) -> Result<Measured, String> {
    let (binary, [a, b, c]) = (bed.binary()?, three_markets(bed, MONTH_DAYS)?);
    let ran = process::run(&binary, &[path("verify"), path("causality"), &a, &b, &c])?;
    Ok(vec![("causality_mib", without_rewriting(&ran).map(|()| ran.peak_bytes as f64 / MIB))])
}

fn without_rewriting(ran: &Ran) -> Result<(), String> {
    let fine = ran.last_line.starts_with("rewritten readings: 0 of ");
    if fine { Ok(()) } else { Err(ran.last_line.clone()) }
}

/// Lines of the engine that its tests reach, as `make coverage` says it last.
fn coverage(bed: &Bed) -> Result<Measured, String> {
    let said = bed.made("coverage")?;
    let share = said.lines().rev().find_map(|l| l.split_once("% coverage")?.0.trim().parse().ok());
    Ok(vec![("engine_percent", share.ok_or_else(|| "make coverage names no share".to_owned()))])
}

/// The program from an empty folder, as `make run` builds it first; what others do on the machine counts, so it wants to be alone.
fn build(bed: &Bed) -> Result<Measured, String> {
    let folder = bed.scratch("first-build")?;
    let place = folder.to_string_lossy().into_owned();
    let begun = Instant::now();
    // Its own load is no slowness of the machine: the pace is that before and after.
    let program = ["build", "--release", "--locked", "--package", "barograph", "--target-dir", &place];
    bed.cargo(&[&program[..], &["--no-default-features", "--config", ".cargo/first.toml"]].concat())?;
    let took = begun.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).map_err(|e| format!("cannot empty {place}: {e}"))?;
    Ok(vec![("first_s", Ok(took))])
}

const fn thousand(lasts: Duration, waits: Duration) -> live::Load {
    live::Load {
        markets: 1_000,
        messages_per_s: 24_000,
        metrics: "best_bid_ask,trade,mark_price,index_price,funding_rate,open_interest,liquidation_usd",
        books: "off",
        lasts,
        waits,
        looks: waits::EVERY,
    }
}

fn live_thousand(bed: &Bed) -> Result<Measured, String> {
    let load = thousand(Duration::from_secs(240), Duration::from_secs(180));
    let seen = live::run(&bed.binary()?, &bed.scratch("data-live")?, &load)?;
    let slowest = seen.lists.markets.max(seen.lists.feeds).max(seen.lists.metrics);
    let figures = [
        ("messages_per_s", seen.messages_per_s),
        ("resident_mib", seen.resident_mib),
        ("growth_percent", seen.growth * 100.0),
        ("core_percent", seen.core_share * 100.0),
        ("recovery_s", seen.recovery.as_secs_f64()),
        ("stop_s", seen.stop.as_secs_f64()),
        ("restart_s", seen.restart.as_secs_f64()),
        ("lists_p99_ms", ms(slowest)),
    ];
    eprintln!("beside it the venue server took {:.0} % of a core; {} streams", seen.sim_share * 100.0, seen.streams);
    let waits = [("receipt_p99_ms", seen.receipt_p99_s), ("minute_max_ms", seen.minute_max_s)];
    Ok(plain(figures).into_iter().chain(waits.map(|(id, s)| (id, s.map(|s| s * 1e3)))).collect())
}

fn soak(bed: &Bed) -> Result<Measured, String> {
    let seen =
        live::run(&bed.binary()?, &bed.scratch("data-soak")?, &thousand(Duration::from_secs(1_800), Duration::ZERO))?;
    Ok(plain([("resident_mib", seen.resident_mib), ("growth_percent", seen.growth * 100.0)]))
}

fn live_three(bed: &Bed) -> Result<Measured, String> {
    let lasts = Duration::from_secs(120);
    let load = live::Load {
        markets: 3,
        messages_per_s: 60,
        metrics: "all",
        books: "on",
        lasts,
        waits: Duration::ZERO,
        looks: waits::EVERY,
    };
    let seen = live::run(&bed.binary()?, &bed.scratch("data-three")?, &load)?;
    Ok(plain([("core_percent", seen.core_share * 100.0), ("resident_mib", seen.resident_mib)]))
}

/// As many markets as a process numbers streams for: six of each.
fn live_ten_thousand(bed: &Bed) -> Result<Measured, String> {
    let load = live::Load {
        markets: 10_000,
        // The venue server sends nine tenths of what it is asked for.
        messages_per_s: 112_000,
        metrics: "best_bid_ask,trade,mark_price,index_price,funding_rate,liquidation_usd",
        // Six megabytes of metrics ten times a second would be what is measured.
        looks: Duration::from_secs(10),
        ..thousand(Duration::from_secs(120), Duration::from_secs(180))
    };
    let seen = live::run(&bed.binary()?, &bed.scratch("data-scale")?, &load)?;
    eprintln!(
        "{:.0} % of a core, and the venue server {:.0} %; {} streams; stopped within {:.1} s, live again within {:.1} s, {:.1} s after a cut",
        seen.core_share * 100.0,
        seen.sim_share * 100.0,
        seen.streams,
        seen.stop.as_secs_f64(),
        seen.restart.as_secs_f64(),
        seen.recovery.as_secs_f64()
    );
    let waits = [("receipt_p99_ms", seen.receipt_p99_s), ("minute_max_ms", seen.minute_max_s)];
    let figures = [("messages_per_s", seen.messages_per_s), ("resident_mib", seen.resident_mib)];
    Ok(plain(figures).into_iter().chain(waits.map(|(id, s)| (id, s.map(|s| s * 1e3)))).collect())
}

fn board_followed(bed: &Bed) -> Result<Measured, String> {
    let seen = board::run(&bed.binary()?, &bed.scratch("data-board")?, 1_000, 200, Duration::from_secs(90))?;
    eprintln!(
        "without clients: {:.0} % of a core, {:.0} MiB; half of the batches within {:.0} ms",
        seen.core_alone * 100.0,
        seen.alone_mib,
        seen.late_p50_ms
    );
    Ok(plain([
        ("late_p99_ms", seen.late_p99_ms),
        ("bytes_per_market", seen.bytes_per_market),
        ("batches_per_s", seen.batches_per_s),
        ("core_percent", seen.core_share * 100.0),
        ("added_mib", seen.added_mib),
    ]))
}

fn agents_answered(bed: &Bed) -> Result<Measured, String> {
    let seen = agents::run(
        &bed.binary()?,
        (&bed.history(), &bed.scratch("data-agents-stored")?),
        &bed.scratch("data-agents")?,
        1_000,
    )?;
    for agents::CallTimes { tool, p50_ms, p99_ms, is_refused } in seen.calls.iter().chain(&seen.over_months) {
        let refused = if *is_refused { ", a refusal" } else { "" };
        eprintln!("{tool}: {p99_ms:.2} ms, half within {p50_ms:.2} ms{refused}");
    }
    eprintln!("{} hostile calls", seen.hostile);
    let slowest = |of: &[agents::CallTimes]| of.iter().map(|call| call.p99_ms).fold(0.0, f64::max);
    let (call, months) = (slowest(&seen.calls), slowest(&seen.over_months));
    Ok(plain([("call_p99_ms", call), ("months_p99_ms", months), ("beside_p99_ms", seen.beside_p99_ms)]))
}

fn alerts_delivered(bed: &Bed) -> Result<Measured, String> {
    let late = alerts::alone(bed, &bed.scratch("data-alone")?)?;
    let storm = alerts::storm(bed, &bed.scratch("data-storm")?, 1_000)?;
    eprintln!(
        "told alone: {} at once, half within {:.0} ms; one in a storm after {:.0} ms",
        late.alerts, late.p50_ms, storm.alone_ms
    );
    Ok(vec![
        ("alone_p99_ms", Ok(late.p99_ms)),
        ("storm_messages", Ok(storm.messages as f64)),
        ("deliveries_per_s", alerts::deliveries(bed, &bed.scratch("data-deliveries")?, 20_000)),
    ])
}

/// Measured in a browser, by `web/e2e/measure.mjs`.
fn page(bed: &Bed) -> Result<Measured, String> {
    let (binary, year) = (bed.binary()?, bed.synthetic("SYNTHUSDT", 1, DAYS)?);
    let data = bed.scratch("data-page")?;
    process::run(&binary, &[path("replay"), &year, path("--data"), &data])?;
    let said = bed.node("web/e2e/measure.mjs", &binary, &data)?;
    let figure = |name: &str| super::figure(&said, name).ok_or_else(|| format!("the page prints no 'figure {name} …'"));
    Ok(vec![
        ("usable_s", figure("market_usable_s")),
        ("pan_fps", figure("market_pan_fps")),
        ("play_fps", figure("play_fps")),
        ("play_heap_mb", figure("play_heap_growth_mb")),
        ("first_row_s", figure("first_row_s")),
        ("storm_fps", figure("storm_fps")),
        ("paint_s", figure("first_paint_s")),
        ("case_s", figure("case_steppable_s")),
    ])
}

fn plain<const N: usize>(figures: [(&'static str, f64); N]) -> Measured {
    figures.into_iter().map(|(id, value)| (id, Ok(value))).collect()
}

fn path(word: &str) -> &Path {
    Path::new(word)
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}
