//! A live process against the built-in venue server: latency, memory, processor time, stop and restart.
//!
//! Both run as children on the same machine; what the venue server takes is said beside it, because it takes it from the same
//! cores.

use super::waits::{self, Moment, Moments, Sleeper};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Durations that the process counts: a message's and a minute's.
const RECEIPT: &str = "barograph_receipt_to_engine_seconds";
const MINUTE: &str = "barograph_minute_to_readable_seconds";

/// Clock ticks per second of `/proc/<pid>/stat`; 100 on every Linux this has met.
const TICKS: f64 = 100.0;

/// One child; killed when dropped.
#[derive(Debug)]
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Running {
    /// Processor seconds so far.
    pub(super) fn cpu_s(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id())).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?) / TICKS)
    }

    pub(super) fn resident_mib(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
    }

    fn terminate(&mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().map_err(|e| format!("cannot send a signal: {e}"))?;
        self.0.wait().map_err(|e| format!("cannot wait: {e}"))?;
        Ok(begun.elapsed())
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// Messages per second received.
    pub(crate) messages_per_s: f64,
    /// Moments, 99th percentile (upper bound of its bucket): from receipt until values include the message; of what came while
    /// the machine stood still for nobody.
    pub(crate) receipt_p99_s: Result<f64, String>,
    /// Moments, largest: from t + 200 ms until the snapshot of minute t reads; likewise.
    pub(crate) minute_max_s: Result<f64, String>,
    /// Resident at the end.
    pub(crate) resident_mib: f64,
    /// Growth of it over the second half, as a fraction.
    pub(crate) growth: f64,
    /// Share of one core: the process, and the venue server.
    pub(crate) core_share: f64,
    pub(crate) sim_share: f64,
    /// All sockets cut until as many streams are live as before, and how many that are.
    pub(crate) recovery: Duration,
    pub(crate) streams: usize,
    /// Whole lists over HTTP.
    pub(crate) lists: super::lists::Lists,
    /// SIGTERM until it has ended.
    pub(crate) stop: Duration,
    /// Start with the state of before until every market has a price that is younger than the start.
    pub(crate) restart: Duration,
}

/// How it is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) markets: usize,
    pub(crate) messages_per_s: u32,
    pub(crate) metrics: &'static str,
    pub(crate) books: &'static str,
    /// For memory and processor time.
    pub(crate) lasts: Duration,
    /// And then for waits.
    pub(crate) waits: Duration,
    /// How often they are read. Beyond a tenth of a second none are left out for what the machine did.
    pub(crate) looks: Duration,
}

/// Starts a child whose output can be read.
pub(super) fn start(command: &mut Command) -> Result<Running, String> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    child.map(Running).map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))
}

/// The built-in venue server, and what `--endpoint` takes.
pub(super) fn venue(binary: &Path, markets: usize, messages_per_s: u32) -> Result<(Running, String), String> {
    let mut sim = start(Command::new(binary).args([
        "sim".to_owned(),
        format!("--markets={markets}"),
        format!("--messages-per-s={messages_per_s}"),
    ]))?;
    let said = sim.0.stdout.take().ok_or("no output of the venue server")?;
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    let base = lines
        .take(2)
        .find_map(|l| l.split_once("--endpoint ").map(|(_, e)| e.trim().to_owned()))
        .ok_or("the venue server does not say where it is")?;
    Ok((sim, base))
}

/// Runs both, watches, stops and starts again.
pub(crate) fn run(binary: &Path, data: &Path, load: &Load) -> Result<Observed, String> {
    let (sim, base) = venue(binary, load.markets, load.messages_per_s)?;
    let address = free_address()?;
    let up = || {
        let mut command = Command::new(binary);
        command.args(["up", "--all", "--backfill", "0", "--min-volume-24h", "0", "--metrics", load.metrics]);
        command.args(["--books", load.books, "--endpoint", &base, "--listen", &address.to_string()]);
        // Without it the busiest thousand of a venue are listened to.
        command.env("BAROGRAPH_MARKETS_MAX", load.markets.to_string());
        command.arg("--data").arg(data);
        start(&mut command)
    };
    let mut process = up()?;
    let patience = Duration::from_secs(120).max(Duration::from_millis(60).mul_f64(load.markets as f64));
    wait_for(address, patience, |counts| counts >= load.markets)?;
    let (begun, cpu, sim_cpu) = (Instant::now(), process.cpu_s(), sim.cpu_s());
    let messages = || counter(&get(address, "/metrics")?, "barograph_feed_messages_total");
    let before = messages()?;
    std::thread::sleep(load.lasts / 2);
    let half = process.resident_mib().ok_or("memory cannot be read here (no /proc)")?;
    std::thread::sleep(load.lasts.saturating_sub(begun.elapsed()));
    let wall = begun.elapsed().as_secs_f64();
    let share = |now: Option<f64>, then: Option<f64>| Some((now? - then?) / wall);
    let resident_mib = process.resident_mib().ok_or("memory cannot be read here (no /proc)")?;
    let received = messages()? - before;
    let (core_share, sim_share) = (share(process.cpu_s(), cpu), share(sim.cpu_s(), sim_cpu));
    let moments = watch(address, load.waits, load.looks)?;
    let lists = super::lists::run(|path| get(address, path))?;
    let (recovery, streams) = recover(address, &base)?;
    let seen = Observed {
        recovery,
        streams,
        lists,
        messages_per_s: received / wall,
        receipt_p99_s: waits::quantile(&moments, 0, 0.99),
        minute_max_s: waits::longest(&moments, 1),
        resident_mib,
        growth: resident_mib / half - 1.0,
        core_share: core_share.unwrap_or(f64::INFINITY),
        sim_share: sim_share.unwrap_or(f64::INFINITY),
        stop: process.terminate()?,
        restart: Duration::ZERO,
    };
    let begun = Instant::now();
    let _second = up()?;
    wait_for(address, patience, |counts| counts >= load.markets)?;
    Ok(Observed { restart: begun.elapsed(), ..seen })
}

/// What the process counts of waits, again and again for so long. The metrics of a thousand markets cost more than listening to
/// them, so nothing else is measured meanwhile.
fn watch(address: SocketAddr, lasts: Duration, every: Duration) -> Result<Moments, String> {
    let mut moments = Moments { every, readings: Vec::new() };
    if lasts.is_zero() {
        return Ok(moments);
    }
    let (begun, sleeper) = (Instant::now(), Sleeper::start());
    while begun.elapsed() < lasts {
        let late = if every > waits::EVERY { Duration::ZERO } else { sleeper.longest() };
        moments.readings.push(Moment::of(late, &get(address, "/metrics")?, [RECEIPT, MINUTE]));
        std::thread::sleep(every);
    }
    if every <= waits::EVERY {
        eprintln!("{}", waits::report(&moments));
    }
    Ok(moments)
}

/// Cuts every socket of the venue server and waits until nothing is missing.
fn recover(address: SocketAddr, base: &str) -> Result<(Duration, usize), String> {
    let before = live(address)?;
    let server: SocketAddr = base
        .split_once("http://")
        .and_then(|(_, rest)| rest.split('/').next()?.parse().ok())
        .ok_or("the venue server's address cannot be read")?;
    let begun = Instant::now();
    ask(server, "POST", "/sim/cut")?;
    let mut fallen = false;
    while begun.elapsed() < Duration::from_secs(120) {
        let now = live(address)?;
        fallen |= now < before;
        if fallen && now >= before {
            return Ok((begun.elapsed(), before));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let now = live(address)?;
    Err(if fallen {
        format!("{now} of {before} streams were live 120 s after a cut")
    } else {
        "nothing was cut".into()
    })
}

/// Streams that are live.
fn live(address: SocketAddr) -> Result<usize, String> {
    let text = get(address, "/api/v1/feeds?state=LIVE&limit=1")?;
    let digits = text.split_once("\"live\":").and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|n| n.parse().ok()).ok_or_else(|| "no count of live streams".to_owned())
}

/// Until as many mark prices are live as wanted.
pub(super) fn wait_for(address: SocketAddr, patience: Duration, enough: impl Fn(usize) -> bool) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if let Ok(live) = live(address)
            // Marks, quotes and their companions: five streams of each market come by themselves.
            && enough(live / 5)
        {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("the markets were not live within {} s", patience.as_secs()))
}

pub(super) fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("cannot find a free port: {e}"))?;
    listener.local_addr().map_err(|e| format!("cannot find a free port: {e}"))
}

fn get(address: SocketAddr, path: &str) -> Result<String, String> {
    ask(address, "GET", path)
}

fn ask(address: SocketAddr, method: &str, path: &str) -> Result<String, String> {
    let failed = |e: std::io::Error| format!("{method} {path}: {e}");
    let mut socket = TcpStream::connect(address).map_err(failed)?;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).map_err(failed)?;
    let mut text = String::new();
    socket.read_to_string(&mut text).map_err(failed)?;
    if text.starts_with("HTTP/1.1 200") {
        Ok(text)
    } else {
        Err(format!("{method} {path}: {}", text.lines().next().unwrap_or_default()))
    }
}

/// Sum of a counter over its labels.
fn counter(text: &str, name: &str) -> Result<f64, String> {
    let values: Vec<f64> =
        text.lines().filter(|l| l.starts_with(name)).filter_map(|l| l.rsplit_once(' ')?.1.parse().ok()).collect();
    if values.is_empty() { Err(format!("no counter {name}")) } else { Ok(values.iter().sum()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_from_the_exposition() {
        let text = "x_total{venue=\"a\"} 3\nx_total{venue=\"b\"} 4\nh_bucket{le=\"0.001\"} 90\n";
        assert_eq!(counter(text, "x_total"), Ok(7.0));
    }
}
