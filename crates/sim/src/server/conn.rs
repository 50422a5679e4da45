//! One WebSocket connection as the hub sees it: what it subscribed to, and bytes on their way out.

use crate::Venue;
use crate::num::Text;
use crate::server::streams::Tier;
use crate::wire::deflate::{Squeezer, gzip};
use crate::wire::frame::{self, Opcode};
use barograph_domain::{Span, Ts};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// What the writing task of a connection receives.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// Write these bytes.
    Bytes(Vec<u8>),
    /// Write what came before, then end the connection.
    End,
}

/// Chunks that may wait for a slow client; a chunk is what one tick of 5 ms produced. Bytes are bounded besides.
pub(crate) const CHUNKS_MAX: usize = 8_192;

/// The way to the tasks of a socket.
#[derive(Debug)]
pub(crate) struct SocketLine {
    pub(crate) tx: mpsc::Sender<Chunk>,
    /// Bytes handed over that have not been written yet.
    pub(crate) waiting: Arc<AtomicUsize>,
    /// How many may wait; more, and the client is given up.
    pub(crate) waiting_max: usize,
    /// Ends the socket at once, whatever it is doing.
    pub(crate) abort: Arc<Notify>,
    /// Whether messages are compressed.
    pub(crate) deflate: bool,
}

/// What may gather while a connection stands still.
const HELD_BYTES_MAX: usize = 64 << 20;

/// Client messages per second that are tolerated for long, and at once.
const REQUESTS_PER_S: f64 = 10.0;
const REQUESTS_BURST: f64 = 30.0;

/// One connection.
#[derive(Debug)]
pub(crate) struct ClientConn {
    pub(crate) id: u64,
    pub(crate) venue: Venue,
    pub(crate) tier: Tier,
    /// Whether payloads are wrapped as `{"stream":…,"data":…}`.
    pub(crate) envelope: bool,
    /// Names in the order of subscription, also those that never deliver.
    pub(crate) names: Vec<String>,
    pub(crate) opened: Ts,
    pub(crate) next_ping: Ts,
    /// Latest pong, or the opening.
    pub(crate) heard: Ts,
    /// Messages numbered on this connection (Coinbase).
    pub(crate) sequence: u64,
    /// Nothing goes out any more, and nothing says so.
    pub(crate) silent: bool,
    pub(crate) ended: bool,
    /// Nothing leaves before this moment.
    pub(crate) hold_until: Option<Ts>,
    /// When it is cut, once that was announced.
    pub(crate) ends_at: Option<Ts>,
    /// Channels and their products (Coinbase), topics and their markets (CoinEx).
    pub(crate) channels: Vec<(String, Vec<String>)>,
    /// A frame that lets the next one pass.
    held: Option<Vec<u8>>,
    /// Where compression was agreed on.
    squeezer: Option<Squeezer>,
    out: Vec<u8>,
    line: SocketLine,
    allowance: f64,
    allowance_at: Ts,
}

impl ClientConn {
    pub(crate) fn new(id: u64, venue: Venue, tier: Tier, envelope: bool, line: SocketLine, now: Ts) -> Self {
        Self {
            id,
            venue,
            tier,
            envelope,
            names: Vec::new(),
            opened: now,
            next_ping: now + ping_period(venue),
            heard: now,
            sequence: 0,
            silent: false,
            ended: false,
            hold_until: None,
            ends_at: None,
            channels: Vec::new(),
            held: None,
            squeezer: line.deflate.then(Squeezer::new),
            out: Vec::new(),
            line,
            allowance: REQUESTS_BURST,
            allowance_at: now,
        }
    }

    /// Appends a frame of a text made of pieces.
    pub(crate) fn text(&mut self, pieces: &[&[u8]]) {
        let mut out = core::mem::take(&mut self.out);
        self.write(&mut out, pieces);
        self.out = out;
        if let Some(held) = self.held.take() {
            self.out.extend_from_slice(&held);
        }
    }

    fn write(&mut self, out: &mut Vec<u8>, pieces: &[&[u8]]) {
        if let Some(squeezed) = self.squeezer.as_mut().and_then(|s| s.squeeze(pieces)) {
            frame::compressed_head(out, squeezed.len());
            out.extend_from_slice(&squeezed);
            return;
        }
        if let Some(packed) = self.packed(pieces) {
            frame::whole(out, Opcode::Binary, &packed);
            return;
        }
        frame::head(out, Opcode::Text, pieces.iter().map(|p| p.len()).sum());
        for piece in pieces {
            out.extend_from_slice(piece);
        }
    }

    /// CoinEx packs each message by itself, whatever was agreed on.
    fn packed(&self, pieces: &[&[u8]]) -> Option<Vec<u8>> {
        if self.venue == Venue::Coinex { gzip(pieces) } else { None }
    }

    /// A whole frame with half a message in it.
    pub(crate) fn half_text(&mut self, pieces: &[&[u8]]) {
        if let Some(packed) = self.packed(pieces) {
            frame::whole(&mut self.out, Opcode::Binary, &packed[..packed.len() / 2]);
            return;
        }
        let whole = pieces.concat();
        let mut half = whole.len() / 2;
        // A text frame must hold whole characters.
        while half > 0 && whole[half] & 0xC0 == 0x80 {
            half -= 1;
        }
        self.text(&[&whole[..half]]);
    }

    /// A text frame that goes out after the next one.
    pub(crate) fn text_after_next(&mut self, pieces: &[&[u8]]) {
        let mut frame = Vec::new();
        self.write(&mut frame, pieces);
        if let Some(held) = self.held.replace(frame) {
            self.out.extend_from_slice(&held);
        }
    }

    /// The head of a frame, half of its payload, and the end.
    pub(crate) fn half_frame(&mut self, pieces: &[&[u8]]) {
        let whole = pieces.concat();
        frame::head(&mut self.out, Opcode::Text, whole.len());
        self.out.extend_from_slice(&whole[..whole.len() / 2]);
        self.hold_until = None;
        self.cut();
    }

    /// A ping that carries the time, as Binance sends it.
    pub(crate) fn ping(&mut self, now: Ts) {
        let mut text = Text::default();
        text.n(now.as_millis());
        frame::whole(&mut self.out, Opcode::Ping, &text.bytes);
        self.next_ping = now + ping_period(self.venue);
    }

    pub(crate) fn pong(&mut self, payload: &[u8]) {
        frame::whole(&mut self.out, Opcode::Pong, payload);
    }

    /// Says goodbye and ends the connection after that.
    pub(crate) fn close(&mut self, code: u16, reason: &str) {
        frame::close(&mut self.out, code, reason);
        self.cut();
    }

    /// Ends the connection after what is already under way, without a word.
    pub(crate) fn cut(&mut self) {
        self.hold_until = None;
        self.flush(self.opened);
        self.ended = true;
        if self.line.tx.try_send(Chunk::End).is_err() {
            self.line.abort.notify_one();
        }
    }

    /// Hands what has gathered to the writing task. False when the client is too slow and was given up.
    pub(crate) fn flush(&mut self, now: Ts) -> bool {
        if self.silent || self.ended {
            self.out.clear();
            return true;
        }
        if self.hold_until.is_some_and(|until| now < until) {
            if self.out.len() > HELD_BYTES_MAX {
                self.ended = true;
                self.line.abort.notify_one();
            }
            return !self.ended;
        }
        self.hold_until = None;
        if self.out.is_empty() {
            return true;
        }
        let capacity = self.out.len();
        let bytes = core::mem::replace(&mut self.out, Vec::with_capacity(capacity));
        let waiting = self.line.waiting.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        if waiting > self.line.waiting_max || self.line.tx.try_send(Chunk::Bytes(bytes)).is_err() {
            self.ended = true;
            self.line.abort.notify_one();
            return false;
        }
        true
    }

    /// Whether one more client message is within the venue's limit.
    pub(crate) fn allow(&mut self, now: Ts) -> bool {
        let passed = (now - self.allowance_at).as_secs_f64().max(0.0);
        self.allowance = (self.allowance + passed * REQUESTS_PER_S).min(REQUESTS_BURST) - 1.0;
        self.allowance_at = now;
        self.allowance >= 0.0
    }

    /// How long a client may leave pings unanswered.
    pub(crate) const fn patience(&self) -> Span {
        match self.venue {
            Venue::BinanceSpot => Span::secs(60),
            Venue::BinanceUsdm | Venue::Coinbase | Venue::Coinex => Span::mins(10),
        }
    }
}

/// Time between two pings of the server. Coinbase sends heartbeats instead, and on CoinEx the client asks; a rare ping does no harm.
const fn ping_period(venue: Venue) -> Span {
    match venue {
        Venue::BinanceSpot => Span::secs(20),
        Venue::BinanceUsdm | Venue::Coinbase | Venue::Coinex => Span::mins(3),
    }
}
