//! Tools for agents over a thousand live markets: how long a call takes, and what a hostile client costs another one.

use super::board::{at, sorted};
use super::http::Connection;
use super::live::{Running, free_address, start, venue, wait_for};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What was seen, milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct AgentFigures {
    /// Each kind of call.
    pub(crate) calls: Vec<CallTimes>,
    /// Each kind that is computed over months.
    pub(crate) over_months: Vec<CallTimes>,
    /// The same of a context over HTTP for another client, while a hostile one does what it can.
    pub(crate) beside_p99_ms: f64,
    /// Calls of the hostile one.
    pub(crate) hostile: usize,
}

/// How long calls of one kind took.
#[derive(Clone, Debug)]
pub(crate) struct CallTimes {
    pub(crate) tool: &'static str,
    /// Median, milliseconds.
    pub(crate) p50_ms: f64,
    /// 99th percentile, milliseconds.
    pub(crate) p99_ms: f64,
    /// The world of the benchmark has no answer to it: a refusal, which is fast.
    pub(crate) is_refused: bool,
}

/// Messages of all markets together, per second, as beside the board.
const MESSAGES_PER_S: u32 = 2_000;
/// Calls of each kind: enough that the 99th percentile is not the worst.
const CALLS: usize = 300;
/// Between two calls, so that the process is not measured against its own client.
const PAUSE: Duration = Duration::from_millis(10);
/// A polite client asks this often beside a hostile one.
const POLITE: Duration = Duration::from_millis(20);
/// Threads of the hostile client, and its calls.
const HOSTILE: usize = 4;
const HOSTILE_CALLS: usize = 10_000;
/// The first minutes of all markets are made meanwhile.
const WARM: Duration = Duration::from_secs(130);
const CONTEXT: &str = "/api/v1/markets/binance-usdm:BTCUSDT/context";

/// What agents ask of the board: each of the twelve tools, of markets that have been listened to for some minutes.
const ASKED: [(&str, &str); 14] = [
    ("markets", "{}"),
    ("markets", r#"{"label":"HIGH_VOL","budget":2000}"#),
    ("context", r#"{"market":"BTCUSDT"}"#),
    ("context", r#"{"market":"BTCUSDT","why":true,"budget":3000}"#),
    ("history", r#"{"market":"BTCUSDT","from":"2026-02-05"}"#),
    ("levels", r#"{"market":"BTCUSDT"}"#),
    ("advise", r#"{"market":"BTCUSDT","side":"long","entry":83000,"stop":82000,"equity":10000}"#),
    ("events", "{}"),
    ("universe", "{}"),
    ("scorecard", r#"{"event":"hv_1h"}"#),
    ("similar", r#"{"market":"BTCUSDT"}"#),
    ("whatif", r#"{"set":["HIGH_VOL.realized_vol_1h=0.9"],"markets":["BTCUSDT"]}"#),
    ("feeds", "{}"),
    ("catalogue", r#"{"id":"realized_vol_1h"}"#),
];
/// What needs more than minutes, and is kept once it is made: asked of three months of three markets as well.
const KEPT: [(&str, &str); 2] = [("universe", "{}"), ("scorecard", r#"{"event":"hv_1h"}"#)];
/// What is computed over months of minutes, or of a moment of the past, each time anew.
const OVER_MONTHS: [(&str, &str); 5] = [
    // Each of forty records is explained by its own minute.
    ("events", "{}"),
    (
        "universe",
        r#"{"as_of":"2026-03-05T10:00:00Z","holdings":[{"symbol":"BTCUSDT","side":"long","notional":1000},{"symbol":"ETHUSDT","side":"short","notional":900}]}"#,
    ),
    ("history", r#"{"market":"BTCUSDT","from":"2026-02-05","to":"2026-03-05"}"#),
    ("similar", r#"{"market":"BTCUSDT","as_of":"2026-03-04T12:00:00Z"}"#),
    (
        "whatif",
        r#"{"set":["HIGH_VOL.realized_vol_1h=0.9"],"markets":["BTCUSDT"],"from":"2025-12-07","to":"2026-03-05"}"#,
    ),
];
/// Calls of each of these.
const MONTHS_CALLS: usize = 200;

fn message(tool: &str, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#)
}

/// What a hostile client sends: nothing, garbage, what is deep, large or expensive, what does not exist.
fn hostile() -> Vec<Vec<u8>> {
    let large = format!("{}{}", message("markets", "{}"), " ".repeat(200_000));
    let mut all: Vec<Vec<u8>> =
        vec![Vec::new(), b"{".to_vec(), b"\xff\xfe".to_vec(), "[".repeat(20_000).into_bytes(), large.into_bytes()];
    all.extend(ASKED.iter().map(|(tool, _)| message(tool, r#"{"budget":8000,"market":"BTCUSDT"}"#).into_bytes()));
    all.push(message("markets", r#"{"budget":8000}"#).into_bytes());
    all.push(message("whatif", r#"{"set":["HIGH_VOL.realized_vol_1h=0.9"]}"#).into_bytes());
    all.push(message("drop", "{}").into_bytes());
    all
}

/// Over a board of so many markets, and then over a stored history.
pub(crate) fn run(
    binary: &Path,
    (history, stored): (&Path, &Path),
    data: &Path,
    markets: usize,
) -> Result<AgentFigures, String> {
    let (_sim, base) = venue(binary, markets, MESSAGES_PER_S)?;
    let address = free_address()?;
    let mut command = Command::new(binary);
    command.args(["up", "--all", "--backfill", "0", "--min-volume-24h", "0", "--books", "off", "--endpoint", &base]);
    command.args(["--listen", &address.to_string(), "--data"]).arg(data);
    let process = start(&mut command)?;
    wait_for(address, Duration::from_secs(120), |live| live >= markets)?;
    std::thread::sleep(WARM);
    let mut calls = Vec::new();
    for (tool, arguments) in ASKED {
        calls.push(timed(address, tool, &message(tool, arguments), CALLS)?);
    }
    let (beside_p99_ms, hostile) = beside_hostile(address)?;
    drop(process);
    let mut over_months = Vec::new();
    let (_process, address) = serving(binary, history, stored)?;
    for (of, times, count) in [(&KEPT[..], &mut calls, CALLS), (&OVER_MONTHS[..], &mut over_months, MONTHS_CALLS)] {
        for (tool, arguments) in of {
            let one = timed(address, tool, &message(tool, arguments), count)?;
            if one.is_refused {
                return Err(format!("{tool} {arguments} was refused over months of history"));
            }
            times.push(one);
        }
    }
    Ok(AgentFigures { calls, over_months, beside_p99_ms, hostile })
}

/// A process that serves an imported history.
fn serving(binary: &Path, history: &Path, stored: &Path) -> Result<(Running, SocketAddr), String> {
    let mut import = Command::new(binary);
    let imported = import.arg("collect").arg("--source").arg(history).arg("--data").arg(stored).output();
    let imported = imported.map_err(|e| format!("cannot start {}: {e}", binary.display()))?;
    if !imported.status.success() {
        return Err(format!("the history was not stored: {}", String::from_utf8_lossy(&imported.stderr)));
    }
    let address = free_address()?;
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(stored);
    let process = start(&mut command)?;
    let until = Instant::now() + Duration::from_secs(60);
    while Connection::open(address).is_err() {
        if Instant::now() > until {
            return Err("the program does not serve the history".to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok((process, address))
}

fn timed(to: SocketAddr, tool: &'static str, body: &str, calls: usize) -> Result<CallTimes, String> {
    let mut connection = Connection::open(to)?;
    let mut first = Vec::new();
    connection.call_into(body.as_bytes(), &mut first)?;
    let is_refused = !String::from_utf8_lossy(&first).contains("\"isError\":false");
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = Instant::now();
        let status = connection.call(body.as_bytes())?;
        if status != 200 {
            return Err(format!("{body} was answered with {status}"));
        }
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(PAUSE);
    }
    let times = sorted(times.into_iter());
    Ok(CallTimes { tool, p50_ms: at(&times, 0.5), p99_ms: at(&times, 0.99), is_refused })
}

/// How long a polite client waits while a hostile one sends its calls as fast as it can.
fn beside_hostile(to: SocketAddr) -> Result<(f64, usize), String> {
    let (bodies, over) = (hostile(), AtomicBool::new(false));
    let attack = |thread: usize| {
        let (mut connection, mut sent) = (None, 0);
        for n in (thread..HOSTILE_CALLS).step_by(HOSTILE) {
            sent += 1;
            let open = connection.take().map_or_else(|| Connection::open(to), Ok);
            let Ok(mut open) = open else { continue };
            // What the server has closed is opened again.
            connection = open.call(&bodies[n % bodies.len()]).is_ok().then_some(open);
        }
        sent
    };
    std::thread::scope(|scope| {
        let attackers: Vec<_> = (0..HOSTILE).map(|n| scope.spawn(move || attack(n))).collect();
        let (over, polite) = (
            &over,
            scope.spawn(|| {
                let (mut connection, mut times) = (Connection::open(to)?, Vec::new());
                while !over.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    match connection.get(CONTEXT)? {
                        200 => times.push(begun.elapsed().as_secs_f64() * 1e3),
                        status => {
                            return Err(format!("beside the hostile client {CONTEXT} was answered with {status}"));
                        }
                    }
                    std::thread::sleep(POLITE);
                }
                Ok(times)
            }),
        );
        let sent = attackers.into_iter().map(|thread| thread.join().unwrap_or(0)).sum();
        over.store(true, Ordering::Relaxed);
        let times = polite.join().map_err(|_panic| "the polite client has crashed".to_owned())??;
        Ok((at(&sorted(times.into_iter()), 0.99), sent))
    })
}
