//! Plays a recording: frames to those who asked for their streams, bodies to those who ask for their paths.
//!
//! It begins when the first client has subscribed, so that nobody misses the first snapshot of a book.

use crate::Venue;
use crate::num::Text;
use crate::recording::{Body, CapturedFrame, Recording, restamp};
use crate::server::coinbase::canonical;
use crate::server::conn::ClientConn;
use crate::server::deliver::{OutgoingMessage, deliver};
use crate::server::hub::ClientHub;
use crate::server::query::{QueryString, Reply};
use crate::server::streams;
use barograph_domain::Ts;

/// Lists of numbers beside the markets, which captures lack.
const LISTS: [&str; 3] = ["/fapi/v1/ticker/24hr", "/fapi/v1/fundingInfo", "/api/v3/ticker/24hr"];

/// A recording and how far it has been played.
#[derive(Debug)]
pub(crate) struct Tape {
    recording: Recording,
    next: usize,
    began: Option<Ts>,
}

impl Tape {
    pub(crate) const fn new(recording: Recording) -> Self {
        Self { recording, next: 0, began: None }
    }

    pub(crate) const fn venue(&self) -> Venue {
        self.recording.venue
    }

    /// Frames that have not been played yet.
    pub(crate) const fn left(&self) -> usize {
        self.recording.frames.len() - self.next
    }

    /// Whether the capture holds a product (Coinbase).
    pub(crate) fn has_product(&self, product: &str) -> bool {
        self.recording.frames.iter().any(|f| f.product.as_deref() == Some(product))
    }

    /// By how much times are moved.
    fn shift_ms(&self) -> i64 {
        match (self.began, self.recording.begins()) {
            (Some(began), Some(begins)) => (began - begins).0 / 1_000_000,
            _ => 0,
        }
    }

    /// Plays what is due.
    pub(crate) fn play(&mut self, hub: &mut ClientHub) {
        let now = hub.now;
        if self.began.is_none() {
            let venue = self.recording.venue;
            let wants = |c: &ClientConn| c.venue == venue && !(c.names.is_empty() && c.channels.is_empty());
            if !hub.conns.iter().flatten().any(wants) {
                return;
            }
            self.began = Some(now);
        }
        let (Some(began), Some(begins)) = (self.began, self.recording.begins()) else { return };
        let shift = self.shift_ms();
        while let Some(frame) = self.recording.frames.get(self.next) {
            if began + (Ts(frame.ns) - begins) > now {
                break;
            }
            self.next += 1;
            publish(hub, self.recording.venue, frame, shift);
        }
    }

    /// The answer to a request: the newest body of that path and symbol that is not in the future, else the first.
    pub(crate) fn answer(&self, path: &str, query: &QueryString, now: Ts) -> Reply {
        let symbol = query.get("symbol").or_else(|| query.get("product_id"));
        let fits = |b: &&Body| {
            let same = |s: &String| symbol.is_some_and(|x| x.eq_ignore_ascii_case(s));
            b.path == path && b.symbol.as_ref().is_none_or(same)
        };
        let mut fitting = self.recording.bodies.iter().filter(fits);
        let played = self.began.zip(self.recording.begins()).map(|(began, begins)| Ts(begins.0 + (now - began).0));
        let first = fitting.clone().next();
        let past = fitting.rfind(|b| played.is_some_and(|at| b.ns <= at.0));
        match past.or(first) {
            Some(body) => Reply::new(200, restamp(&body.text, self.shift_ms()).into_bytes()),
            // What every client asks for before it listens; an empty list invents nothing.
            None if LISTS.contains(&path) => Reply::new(200, b"[]".to_vec()),
            None => Reply::absent("NOT_OFFERED: the capture does not hold this"),
        }
    }
}

fn publish(hub: &mut ClientHub, venue: Venue, frame: &CapturedFrame, shift: i64) {
    let mut text = Text::skewed(0);
    text.s(&restamp(&frame.text, shift));
    if venue == Venue::Coinbase {
        leave_place(&mut text);
    }
    let market = frame.product.clone().or_else(|| frame.name.split('@').next().map(str::to_uppercase));
    let now = hub.now;
    for conn in hub.conns.iter_mut().flatten().filter(|c| c.venue == venue && !c.ended) {
        let Some(name) = asked(conn, frame) else { continue };
        let prefix = if conn.envelope { format!("{{\"stream\":\"{name}\",\"data\":") } else { String::new() };
        let message = OutgoingMessage {
            venue,
            market: market.as_deref(),
            name: &name,
            prefix: prefix.as_bytes(),
            payload: &text,
        };
        hub.sent += deliver(conn, &mut hub.plan, now, &message);
    }
}

/// The name under which a connection asked for a frame, if it did.
fn asked(conn: &ClientConn, frame: &CapturedFrame) -> Option<String> {
    if conn.venue == Venue::Coinbase {
        let (_, products) = conn.channels.iter().find(|(channel, _)| *channel == frame.name)?;
        let wanted = |p: &String| frame.product.as_ref().is_none_or(|have| canonical(p) == *have);
        return products
            .iter()
            .any(wanted)
            .then(|| format!("{}:{}", frame.name, frame.product.as_deref().unwrap_or("")));
    }
    let fits = |name: &&String| same(name, &frame.name) && streams::binance(conn.venue, conn.tier, name).is_some();
    conn.names.iter().find(fits).cloned()
}

/// Whether a name that was asked for means the recorded stream.
fn same(asked: &str, recorded: &str) -> bool {
    let diff = |name: &str| {
        name.split_once("@depth")
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with('@'))
            .map(|(s, _)| s.to_owned())
    };
    asked == recorded || diff(asked).is_some_and(|symbol| diff(recorded) == Some(symbol))
}

/// Takes the recorded number out: the connection has its own.
fn leave_place(text: &mut Text) {
    const KEY: &[u8] = b"\"sequence_num\":";
    let Some(at) = text.bytes.windows(KEY.len()).position(|w| w == KEY) else { return };
    let from = at + KEY.len();
    let digits = text.bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    text.bytes.drain(from..from + digits);
    text.hole = Some(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_depth_answers_to_any_speed_and_nothing_else_does() {
        for (asked, recorded, want) in [
            ("btcusdt@depth@100ms", "btcusdt@depth@0ms", true),
            ("btcusdt@depth", "btcusdt@depth@100ms", true),
            ("btcusdt@depth5", "btcusdt@depth@100ms", false),
            ("ethusdt@depth", "btcusdt@depth", false),
            ("btcusdt@trade", "btcusdt@trade", true),
            ("btcusdt@aggTrade", "btcusdt@trade", false),
        ] {
            assert_eq!(same(asked, recorded), want, "{asked} {recorded}");
        }
    }
}
