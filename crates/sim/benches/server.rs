//! What the server costs: 1,000 markets (best bid/ask, trades, mark, liquidations) to one client at 1x, for 15 seconds.
//!
//! The server has a thread of its own, whose processor time the system counts; the client only reads. Prints messages
//! per second and the share of one core. Acceptance: at least 20,000 messages/s on a fraction of one core.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use barograph_domain::Ts;
use barograph_sim::{Server, SimConfig, Venue, VirtualClock};
use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

const MARKETS: usize = 1_000;
const MESSAGES_PER_S: f64 = 26_000.0;
const SECONDS: u64 = 15;
const THREAD: &str = "venue";

fn main() -> Result<(), Box<dyn Error>> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name(THREAD).enable_all().build()?;
    let mut config = SimConfig { enforce_limits: false, ..SimConfig::default() };
    config.world.usdm_markets = MARKETS;
    config.world.messages_per_s = MESSAGES_PER_S;
    config.world.levels = 50;
    config.world.deep_changes_per_s = 5.0;
    let began = Instant::now();
    let clock = Arc::new(VirtualClock::new(Ts::from_civil(2026, 11, 20, 9, 0, 0), 1.0));
    let handle = runtime.block_on(async { runtime.spawn(Server::start(config, clock)).await })??;
    println!("figure sim_start_ms {}", began.elapsed().as_millis());
    let symbols = handle.truth().symbols(Venue::BinanceUsdm);
    let names = |stream: &str| symbols.iter().map(|s| format!("{}@{stream}", s.to_lowercase())).collect::<Vec<_>>();
    for (tier, stream) in
        [("public", "bookTicker"), ("market", "aggTrade"), ("market", "markPrice@1s"), ("market", "forceOrder")]
    {
        let socket = open(handle.addr, &format!("/binance-usdm/{tier}/stream?streams={}", names(stream).join("/")))?;
        std::thread::Builder::new().name("client".to_owned()).spawn(move || read(socket))?;
    }
    std::thread::sleep(Duration::from_secs(2));
    let (cpu, sent, at) = (cpu_seconds(), handle.messages_sent(), Instant::now());
    std::thread::sleep(Duration::from_secs(SECONDS));
    let took = at.elapsed().as_secs_f64();
    let rate = (handle.messages_sent() - sent) as f64 / took;
    println!("figure sim_messages_per_s {rate:.0}");
    println!("figure sim_core_share {:.3}", (cpu_seconds() - cpu) / took);
    let lag = clock_lag(&handle);
    println!("figure sim_lag_ms {lag}");
    Ok(())
}

/// How far the world is behind its clock, as the largest of some looks.
fn clock_lag(handle: &barograph_sim::Handle) -> i64 {
    let look = || {
        std::thread::sleep(Duration::from_millis(7));
        handle.lag().0 / 1_000_000
    };
    (0..50).map(|_| look()).max().unwrap_or_default()
}

fn open(addr: SocketAddr, path: &str) -> Result<TcpStream, Box<dyn Error>> {
    let mut socket = TcpStream::connect(addr)?;
    let head = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    write!(socket, "GET {path} HTTP/1.1\r\n{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")?;
    let mut reply = [0; 12];
    socket.read_exact(&mut reply)?;
    if &reply != b"HTTP/1.1 101" {
        return Err(format!("the server answered {}", String::from_utf8_lossy(&reply)).into());
    }
    Ok(socket)
}

fn read(mut socket: TcpStream) {
    let mut chunk = vec![0; 256 * 1024];
    while socket.read(&mut chunk).is_ok_and(|n| n > 0) {}
}

/// Processor time of the server's threads so far (Linux; 0 elsewhere).
fn cpu_seconds() -> f64 {
    const TICKS_PER_S: f64 = 100.0;
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let stats = tasks.flatten().filter_map(|t| std::fs::read_to_string(t.path().join("stat")).ok());
    let of_thread = |stat: String| {
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let mut fields = rest.split_whitespace().skip(11);
        let ticks = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
        name.starts_with(THREAD).then_some(ticks / TICKS_PER_S)
    };
    stats.filter_map(of_thread).sum()
}
