//! Many clients of the board at once: how late a batch reaches them, what it weighs, what they cost the server.
//!
//! A batch says when it was made, and clients run on the same machine, so the difference of the two clocks is the delay beyond
//! the coalescing wait. Clients are threads that read and parse as little as they can: they share the cores.

use super::live::{free_address, start, venue, wait_for};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) late_p50_ms: f64,
    pub(crate) late_p99_ms: f64,
    /// Median over batches of bytes per changed market, frame of the event included.
    pub(crate) bytes_per_market: f64,
    pub(crate) batches_per_s: f64,
    /// Share of one core with and without clients.
    pub(crate) core_share: f64,
    pub(crate) core_alone: f64,
    /// Memory without clients, and what they add.
    pub(crate) alone_mib: f64,
    pub(crate) added_mib: f64,
}

/// One batch as a client got it.
#[derive(Clone, Copy, Debug)]
struct Got {
    late_ms: f64,
    bytes: usize,
    markets: usize,
}

/// Messages of all markets together, per second: each changes several times a minute.
const MESSAGES_PER_S: u32 = 2_000;

pub(crate) fn run(
    binary: &Path,
    data: &Path,
    markets: usize,
    clients: usize,
    lasts: Duration,
) -> Result<Observed, String> {
    let (_sim, base) = venue(binary, markets, MESSAGES_PER_S)?;
    let address = free_address()?;
    let mut command = Command::new(binary);
    command.args(["up", "--all", "--backfill", "0", "--min-volume-24h", "0", "--books", "off", "--endpoint", &base]);
    command.args(["--listen", &address.to_string(), "--data"]).arg(data);
    command.env("BAROGRAPH_STREAM_CLIENTS_MAX", (clients + 8).to_string());
    let process = start(&mut command)?;
    wait_for(address, Duration::from_secs(120), |live| live >= markets)?;
    let unread = || "the process cannot be looked at (no /proc)".to_owned();
    let share = |wait: Duration| -> Result<f64, String> {
        let (begun, before) = (Instant::now(), process.cpu_s().ok_or_else(unread)?);
        std::thread::sleep(wait);
        Ok((process.cpu_s().ok_or_else(unread)? - before) / begun.elapsed().as_secs_f64())
    };
    let core_alone = share(lasts / 2)?;
    let alone_mib = process.resident_mib().ok_or_else(unread)?;
    let stop = Arc::new(AtomicBool::new(false));
    let got: Arc<Mutex<Vec<Vec<Got>>>> = Arc::default();
    let threads: Vec<_> = (0..clients)
        .map(|_| {
            let (stop, got) = (Arc::clone(&stop), Arc::clone(&got));
            std::thread::spawn(move || {
                let mine = follow(address, &stop);
                got.lock().unwrap_or_else(PoisonError::into_inner).push(mine);
            })
        })
        .collect();
    // The first table of each client is no batch.
    std::thread::sleep(Duration::from_secs(5));
    let core_share = share(lasts)?;
    let resident = process.resident_mib().ok_or_else(unread)?;
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_panic| "a client has crashed".to_owned())?;
    }
    let got = got.lock().unwrap_or_else(PoisonError::into_inner);
    let one = got.iter().map(Vec::len).max().unwrap_or(0);
    let all: Vec<Got> = got.iter().flatten().copied().collect();
    if all.len() < clients {
        return Err(format!("{} batches reached {clients} clients", all.len()));
    }
    let late = sorted(all.iter().map(|g| g.late_ms));
    let weight = sorted(all.iter().filter(|g| g.markets > 0).map(|g| ratio(g.bytes, g.markets)));
    Ok(Observed {
        late_p50_ms: at(&late, 0.5),
        late_p99_ms: at(&late, 0.99),
        bytes_per_market: at(&weight, 0.5),
        batches_per_s: ratio(one, 1) / (lasts + Duration::from_secs(5)).as_secs_f64(),
        core_share,
        core_alone,
        alone_mib,
        added_mib: resident - alone_mib,
    })
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
pub(super) fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b as f64
}

pub(super) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut out: Vec<f64> = values.collect();
    out.sort_by(f64::total_cmp);
    out
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
pub(super) fn at(sorted: &[f64], share: f64) -> f64 {
    sorted
        .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

fn follow(address: SocketAddr, stop: &AtomicBool) -> Vec<Got> {
    let mut out = Vec::new();
    let Ok(mut socket) = TcpStream::connect(address) else { return out };
    let head = format!("GET /api/v1/board/stream HTTP/1.1\r\nhost: {address}\r\n\r\n");
    if socket.write_all(head.as_bytes()).is_err() {
        return out;
    }
    let mut cells = false;
    for line in BufReader::new(socket).lines().map_while(Result::ok) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if let Some(name) = line.strip_prefix("event: ") {
            cells = name == "cells";
        } else if let (true, Some(data)) = (cells, line.strip_prefix("data: ")) {
            out.extend(read(data));
        }
    }
    out
}

/// Time, weight and number of markets of a batch.
fn read(data: &str) -> Option<Got> {
    let digits: String = data.split_once("\"t\":")?.1.chars().take_while(char::is_ascii_digit).collect();
    let made: f64 = digits.parse().ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64() * 1e3;
    let markets = data.split_once("\"c\":[")?.1.matches('[').count();
    Some(Got { late_ms: now - made, bytes: data.len(), markets })
}
