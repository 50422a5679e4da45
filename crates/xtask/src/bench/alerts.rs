//! Alerts on their way: how late one that is delivered alone reaches its receiver, what becomes of a storm of all markets, and how many
//! deliveries a second an outbox on disk gives.
//!
//! The receiver runs in this process and reads the same clock; lateness counts from the moment at which the fact was known.

use super::Bed;
use super::board::{at, sorted};
use super::live::{Running, free_address, start, venue};
use barograph_domain::Ts;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Funding is heard within the first minutes of a market's life.
const FIRST_WITHIN: Duration = Duration::from_secs(240);
const MINUTE: Duration = Duration::from_secs(60);

/// One message as it came.
#[derive(Clone, Debug)]
struct Taken {
    at: SystemTime,
    /// What a group or an alert calls itself, such as `alert.fired`.
    kind: String,
    /// From the moment its fact was known, milliseconds.
    late_ms: f64,
}

/// A receiver on loopback that says yes and remembers what it received.
#[derive(Debug)]
struct Receiver {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Receiver {
    fn start() -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("no port for a receiver: {e}"))?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let taken: Arc<Mutex<Vec<Taken>>> = Arc::default();
        let all = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let all = Arc::clone(&all);
                std::thread::spawn(move || serve(&stream, &all));
            }
        });
        Ok(Self { address, taken })
    }

    /// Settings that name it.
    fn settings(&self, more: &str) -> String {
        let (address, port) = (self.address, self.address.port());
        format!(
            "[[receiver]]\nname = \"desk\"\nformat = \"standard\"\nurl = \"http://{address}/\"\nallow_http = true\n\
             allow_private = [\"127.0.0.1/32:{port}\"]\nsecrets = [\"{SECRET}\"]\n{more}\n"
        )
    }

    fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many messages of a kind have come.
    fn wait(&self, kind: &str, number: usize, within: Duration) -> Result<Vec<Taken>, String> {
        let until = Instant::now() + within;
        loop {
            let found: Vec<Taken> = self.taken().into_iter().filter(|t| t.kind.starts_with(kind)).collect();
            if found.len() >= number {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(format!(
                    "{} of {number} messages '{kind}' came within {} s",
                    found.len(),
                    within.as_secs()
                ));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(stream: &TcpStream, all: &Mutex<Vec<Taken>>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim_end().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let at = SystemTime::now();
        all.lock().unwrap_or_else(PoisonError::into_inner).push(read(&String::from_utf8_lossy(&body), at));
        if writer.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_err() {
            return;
        }
    }
}

fn read(body: &str, at: SystemTime) -> Taken {
    let text = |key: &str| {
        let found = body.split_once(&format!("\"{key}\":\"")).and_then(|(_, rest)| rest.split_once('"'));
        found.map_or("", |(value, _)| value)
    };
    let known = Ts::parse(text("known_at")).map_or(0, |ts| u64::try_from(ts.0).unwrap_or(0));
    let late = at.duration_since(SystemTime::UNIX_EPOCH + Duration::from_nanos(known)).unwrap_or_default();
    Taken { at, kind: text("type").to_owned(), late_ms: late.as_secs_f64() * 1e3 }
}

/// Starts a process that listens to a venue server of so many markets, with the shipped rule book and these rules.
fn listen(
    bed: &Bed,
    data: &Path,
    markets: usize,
    rules: &str,
    receiver: &Receiver,
) -> Result<(Running, Running), String> {
    let binary = bed.binary()?;
    let (sim, base) = venue(&binary, markets, u32::try_from(markets).unwrap_or(u32::MAX).saturating_mul(2).max(50))?;
    let shipped = bed.root.join("crates/engine/books/default.toml");
    let shipped = std::fs::read_to_string(&shipped).map_err(|e| format!("{}: {e}", shipped.display()))?;
    let (book, settings) = (data.join("book.toml"), data.join("barograph.toml"));
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()));
    std::fs::create_dir_all(data).map_err(|e| format!("{}: {e}", data.display()))?;
    write(&book, &format!("{shipped}\n{rules}"))?;
    write(&settings, &receiver.settings("types = [\"ALERT_RULE\"]"))?;
    let mut command = Command::new(binary);
    command.args(["up", "--all", "--backfill", "0", "--min-volume-24h", "0", "--books", "off", "--endpoint", &base]);
    command.args(["--listen", &free_address()?.to_string(), "--data"]).arg(data.join("data"));
    command.arg("--config").arg(settings).arg("--book").arg(book);
    Ok((sim, start(&mut command)?))
}

/// A rule that fires for every market as soon as its funding is heard.
fn rule(id: usize) -> String {
    format!(
        "[[alert]]\nid = \"heard{id}\"\nseverity = \"HIGH\"\ntext = \"Funding is heard\"\n\
         all = [{{ feature = \"funding_rate_8h\", op = \">\", value = -1.0, scale = 0.1 }}]\n"
    )
}

/// Lateness of alerts that are delivered alone: as many rules as a book may have, nearly, over two markets, whose alerts all come to be at the close of one minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Late {
    pub(crate) alerts: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

pub(crate) fn alone(bed: &Bed, data: &Path) -> Result<Late, String> {
    const RULES: usize = 60;
    let receiver = Receiver::start()?;
    let rules: String = (0..RULES).map(rule).collect();
    let _running = listen(bed, data, 2, &rules, &receiver)?;
    let taken = receiver.wait("alert.", 2 * RULES, FIRST_WITHIN)?;
    let late = sorted(taken.iter().map(|t| t.late_ms));
    Ok(Late { alerts: late.len(), p50_ms: at(&late, 0.5), p99_ms: at(&late, 0.99) })
}

/// What a receiver heard of a thousand markets that crossed a threshold within a minute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storm {
    /// Messages within a minute of the first.
    pub(crate) messages: usize,
    /// Of those that were delivered alone, the latest.
    pub(crate) alone_ms: f64,
}

pub(crate) fn storm(bed: &Bed, data: &Path, markets: usize) -> Result<Storm, String> {
    let receiver = Receiver::start()?;
    let _running = listen(bed, data, markets, &rule(0), &receiver)?;
    receiver.wait("group.", 1, FIRST_WITHIN)?;
    std::thread::sleep(MINUTE);
    let taken = receiver.taken();
    let first = taken.iter().map(|t| t.at).min().unwrap_or(SystemTime::UNIX_EPOCH);
    let messages = taken.iter().filter(|t| t.at < first + MINUTE).count();
    let alone_ms = taken.iter().filter(|t| t.kind.starts_with("alert.")).map(|t| t.late_ms).fold(0.0, f64::max);
    Ok(Storm { messages, alone_ms })
}

/// Deliveries a second of an outbox in a folder: written before, then delivered one request each by a process of its own.
#[cfg(feature = "bench")]
pub(crate) fn deliveries(bed: &Bed, data: &Path, number: usize) -> Result<f64, String> {
    use barograph_domain::delivery::{Delivery, DeliveryState, Message, MessageKind, fingerprint, message_id};
    use barograph_notify::sample;
    use barograph_store::{Outgoing, StoreTarget, open_outbox};

    let receiver = Receiver::start()?;
    let settings = data.join("barograph.toml");
    std::fs::create_dir_all(data).map_err(|e| format!("{}: {e}", data.display()))?;
    std::fs::write(&settings, receiver.settings("groups = false")).map_err(|e| e.to_string())?;
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Ts(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
    let outgoing = |n: usize| {
        let mut notice = sample::notice(now);
        (notice.kind, notice.alert_id) = (MessageKind::Alert, format!("bench {n}"));
        let message = Message {
            id: message_id(&notice.alert_id),
            fingerprint: fingerprint(&notice.alert_id),
            known_at: now,
            notice,
        };
        let delivery = Delivery {
            endpoint: "desk".to_owned(),
            message: message.id.clone(),
            state: DeliveryState::Waiting,
            via: None,
            reason: String::new(),
            deliver_until: now + barograph_domain::Span::hours(1),
            attempts: 0,
            next_try: now,
            ended_at: None,
        };
        Outgoing { message, deliveries: vec![delivery] }
    };
    let folder = data.join("data");
    let mut outbox = open_outbox(&StoreTarget::Folder(folder.clone())).map_err(|e| e.to_string())?;
    let all: Vec<Outgoing> = (0..number).map(outgoing).collect();
    all.chunks(500).try_for_each(|piece| outbox.enqueue(piece, &[])).map_err(|e| e.to_string())?;
    drop(outbox);
    let mut command = Command::new(bed.binary()?);
    command.args(["alerts", "deliver", "--for", "60s", "--data"]).arg(folder).arg("--config").arg(settings);
    let mut process = start(&mut command)?;
    let ended = process.0.wait().map_err(|e| e.to_string())?;
    let taken = receiver.taken();
    let (first, last) = (taken.iter().map(|t| t.at).min(), taken.iter().map(|t| t.at).max());
    let (Some(first), Some(last)) = (first, last) else { return Err("nothing was delivered".to_owned()) };
    if !ended.success() || taken.len() != number {
        return Err(format!("{} of {number} were delivered; the process ended with {ended}", taken.len()));
    }
    let took = last.duration_since(first).unwrap_or_default();
    Ok(super::board::ratio(number, 1) / took.as_secs_f64())
}

#[cfg(not(feature = "bench"))]
pub(crate) fn deliveries(_: &Bed, _: &Path, _: usize) -> Result<f64, String> {
    Err("xtask was built without its feature bench".to_owned())
}
