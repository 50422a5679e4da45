//! One open WebSocket, from its opening to its end.
//!
//! One task reads and writes. A read takes whatever the socket holds, up to the size of the buffer; all messages in it
//! are stamped and queued under one lock. While the inbox has no room the socket is not read, and silence during that
//! time is ours and not the venue's. Texts go out in order and no faster than the venue allows; the venue's pings are
//! answered at once. Ends with exactly one `Closed`, behind everything that was received.

use crate::clock;
use crate::incoming::Incoming;
use crate::limit::budget::Budget;
use crate::random::Random;
use crate::stats::LinkMeter;
use crate::world::{NetState, VenueLinks, lock};
use crate::ws::handshake::Shaken;
use crate::ws::read::{FrameReader, ServerFrame};
use crate::ws::write;
use barograph_domain::Span;
use barograph_domain::text::escape_control;
use barograph_venues::session::{CloseReason, ConnId, Link};
use bytes::{Bytes, BytesMut};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// Read buffers grow by this much when less than a quarter of it is left: some 70 depth messages of Binance.
const READ_BYTES: usize = 64 << 10;

/// Texts that may wait to be sent on one connection. A thousand markets are subscribed with far fewer; whoever has more
/// than this on the way has lost count, and the connection is closed so that it begins anew.
const TEXTS_WAITING: usize = 4_096;

/// Written but unsent bytes beyond which no further text is taken up.
const OUTPUT_BYTES: usize = 256 << 10;

/// How long a closing frame may take to leave.
const FAREWELL: Duration = Duration::from_millis(200);

/// The handle by which texts and the order to close reach a connection.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    texts: mpsc::Sender<String>,
    close: mpsc::Sender<CloseReason>,
    spoke: Arc<AtomicBool>,
    replace: Arc<Notify>,
}

impl Wire {
    /// Queues a text; when there are too many the connection is closed. False: it will not be sent.
    pub(crate) fn send(&self, text: String) -> bool {
        match self.texts.try_send(text) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.close(CloseReason::Network);
                false
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// Orders the end. A second order changes nothing.
    pub(crate) fn close(&self, reason: CloseReason) {
        match self.close.try_send(reason) {
            // Full: ordered already. Closed: over already.
            Ok(()) | Err(mpsc::error::TrySendError::Full(_) | mpsc::error::TrySendError::Closed(_)) => {}
        }
    }

    /// Asks for a replacement now.
    pub(crate) fn replace(&self) {
        self.replace.notify_one();
    }

    /// Resolves when a replacement has been asked for.
    pub(crate) async fn replacement_asked(&self) {
        self.replace.notified().await;
    }

    /// Whether a message has arrived.
    pub(crate) fn spoke(&self) -> bool {
        self.spoke.load(Ordering::Relaxed)
    }
}

/// One connection's task.
pub(crate) struct LinkTask {
    world: Arc<NetState>,
    venue: Arc<VenueLinks>,
    meter: Arc<LinkMeter>,
    id: ConnId,
    ping: Option<String>,
    texts: mpsc::Receiver<String>,
    close: mpsc::Receiver<CloseReason>,
    spoke: Arc<AtomicBool>,
    random: Random,
    pace: Budget,
    reader: FrameReader,
    input: BytesMut,
    output: BytesMut,
    unflushed: bool,
    received: VecDeque<Bytes>,
    heard_at: Instant,
    said_at: Instant,
}

/// How a connection ended.
struct End {
    reason: CloseReason,
    detail: String,
    /// Close code to send, where the other side may still be listening.
    farewell: Option<u16>,
}

impl LinkTask {
    /// Announces the connection to the core and returns its number, its handle and the task that lives it.
    pub(crate) fn open(
        world: Arc<NetState>,
        venue: Arc<VenueLinks>,
        link: &Link,
        meter: Arc<LinkMeter>,
        shaken: Shaken,
    ) -> (ConnId, Wire, impl Future<Output = ()> + Send + use<>) {
        let (texts_in, texts) = mpsc::channel(TEXTS_WAITING);
        let (close_in, close) = mpsc::channel(1);
        let spoke = Arc::new(AtomicBool::new(false));
        let wire = Wire { texts: texts_in, close: close_in, spoke: Arc::clone(&spoke), replace: Arc::default() };
        let id = world.conn_id();
        // Known before it is announced, so that the core's first text finds it.
        lock(&venue.wires).insert(id, wire.clone());
        world.stamper.queue(Incoming::Opened { venue: venue.index, link: link.id, conn: id, url: link.url.clone() });
        let limits = &venue.limits;
        // A twentieth longer than a second: two bursts may be brought closer together on the way.
        let pace = Budget::new(limits.messages_per_s, Span::millis(1_050), false, 0);
        let now = Instant::now();
        let conn = Self {
            id,
            ping: link.ping.clone(),
            texts,
            close,
            spoke,
            random: world.random(),
            pace,
            reader: FrameReader::new(limits.message_bytes_max, shaken.deflate),
            input: shaken.rest,
            output: BytesMut::new(),
            unflushed: false,
            received: VecDeque::new(),
            heard_at: now,
            said_at: now,
            world,
            venue,
            meter,
        };
        (id, wire, conn.live(shaken.stream))
    }

    async fn live(mut self, stream: impl AsyncRead + AsyncWrite + Send) {
        let (mut from, mut to) = tokio::io::split(stream);
        let end = self.talk(&mut from, &mut to).await;
        lock(&self.venue.wires).remove(&self.id);
        self.hand_over_rest();
        if let Some(code) = end.farewell {
            write::close(&mut self.output, code, &mut self.random);
            let farewell = async {
                to.write_all_buf(&mut self.output).await?;
                to.shutdown().await
            };
            // Whether the venue hears it changes nothing any more.
            drop(tokio::time::timeout(FAREWELL, farewell).await);
        }
        while self.texts.try_recv().is_ok() {
            self.venue.counters.unsent.add(1);
        }
        if !matches!(end.reason, CloseReason::Asked | CloseReason::Replaced | CloseReason::Stopping) {
            self.venue.counters.error(self.world.now(), format!("connection {} closed: {}", self.id.0, end.detail));
        }
        let Self { id: conn, .. } = self;
        self.world.stamper.queue(Incoming::Closed {
            venue: self.venue.index,
            conn,
            reason: end.reason,
            detail: end.detail,
        });
    }

    async fn talk(&mut self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> End {
        let timer = tokio::time::sleep_until(self.heard_at);
        tokio::pin!(timer);
        let mut armed = self.heard_at;
        loop {
            if let Err(end) = self.digest() {
                return end;
            }
            self.hand_over();
            let (due, may_say) = self.timers();
            if self.is_silent() {
                // The machine may have been busy elsewhere: what waits in the socket counts.
                tokio::select! {
                    biased;
                    read = from.read_buf(&mut self.input) => match read {
                        Ok(0) => return self.hung_up(),
                        Ok(n) => self.heard(n),
                        Err(e) => return broken(&e),
                    },
                    () = core::future::ready(()) => return self.dead(),
                }
                continue;
            }
            // The timer is moved only when it would ring too late: most deadlines move away with every message.
            if due < armed || timer.is_elapsed() {
                timer.as_mut().reset(due);
                armed = due;
            }
            let blocked = self.received.front().map(Bytes::len);
            if blocked.is_none() && self.input.capacity() - self.input.len() < READ_BYTES / 4 {
                self.input.reserve(READ_BYTES);
            }
            let writing = !self.output.is_empty() || self.unflushed;
            tokio::select! {
                read = from.read_buf(&mut self.input), if blocked.is_none() => match read {
                    Ok(0) => return self.hung_up(),
                    Ok(n) => self.heard(n),
                    Err(e) => return broken(&e),
                },
                written = push(to, &mut self.output, &mut self.unflushed), if writing => if let Err(e) = written {
                    return broken(&e);
                },
                () = self.world.stamper.room(blocked.unwrap_or(0)), if blocked.is_some() => {
                    self.heard_at = Instant::now();
                }
                Some(text) = self.texts.recv(), if may_say && self.output.len() < OUTPUT_BYTES => self.send(&text),
                Some(reason) = self.close.recv() => {
                    let code = if reason == CloseReason::Stopping { 1001 } else { 1000 };
                    return End { reason, detail: "closed by us".to_owned(), farewell: Some(code) };
                }
                () = &mut timer => {}
            }
        }
    }

    /// Takes apart what was read.
    fn digest(&mut self) -> Result<(), End> {
        loop {
            match self.reader.next(&mut self.input) {
                Ok(None) => return Ok(()),
                Ok(Some(ServerFrame::Message(bytes))) => {
                    self.venue.counters.frames.add(1);
                    self.venue.counters.frame_bytes.add(bytes.len());
                    self.meter.frames.add(1);
                    self.meter.bytes.add(bytes.len());
                    self.received.push_back(bytes);
                }
                Ok(Some(ServerFrame::Ping(payload))) => {
                    if self.output.len() > 2 * OUTPUT_BYTES {
                        let detail = "the venue does not read its answers".to_owned();
                        return Err(End { reason: CloseReason::Network, detail, farewell: None });
                    }
                    write::pong(&mut self.output, &payload, &mut self.random);
                    self.spent();
                }
                Ok(Some(ServerFrame::Pong)) => {}
                Ok(Some(ServerFrame::Close(code, reason))) => {
                    let code = code.map_or_else(|| "no code".to_owned(), |c| format!("code {c}"));
                    let detail = format!("the venue closed with {code} '{}'", escape_control(&reason));
                    return Err(End { reason: CloseReason::ByVenue, detail, farewell: Some(1000) });
                }
                Err(e) => {
                    let farewell = Some(1002);
                    return Err(End { reason: CloseReason::Network, detail: e.to_string(), farewell });
                }
            }
        }
    }

    /// Gives the core what there is room for.
    fn hand_over(&mut self) {
        if self.received.is_empty() {
            return;
        }
        self.meter.heard(self.world.now());
        let count = self.world.stamper.frames(self.venue.index, self.id, &mut self.received);
        if count > 0 {
            self.spoke.store(true, Ordering::Relaxed);
        }
    }

    /// At the end: what was read is handed over in any case. It is one buffer at most.
    fn hand_over_rest(&mut self) {
        let (venue, conn) = (self.venue.index, self.id);
        for bytes in self.received.drain(..) {
            self.world.stamper.queue(Incoming::Frame { venue, conn, bytes });
        }
    }

    fn heard(&mut self, bytes: usize) {
        self.heard_at = Instant::now();
        self.venue.counters.wire_bytes.add(bytes);
    }

    /// Nothing has arrived for too long. While the inbox is full nobody listens, and silence says nothing.
    fn is_silent(&self) -> bool {
        let limit = clock::real(&*self.world.clock, self.venue.limits.dead_after);
        self.received.is_empty() && self.heard_at.elapsed() >= limit
    }

    fn dead(&self) -> End {
        let detail = format!("nothing arrived for {}", self.venue.limits.dead_after);
        End { reason: CloseReason::Dead, detail, farewell: Some(1001) }
    }

    /// Does what is due, and says when to look again and whether a text may be sent now.
    fn timers(&mut self) -> (Instant, bool) {
        let (world, venue) = (Arc::clone(&self.world), Arc::clone(&self.venue));
        let (clock, limits) = (&*world.clock, &venue.limits);
        let now = Instant::now();
        let heard_at = if self.received.is_empty() { self.heard_at } else { now };
        let mut due = heard_at + clock::real(clock, limits.dead_after);
        if let Some(every) = limits.ping_every {
            let every = clock::real(clock, every);
            if now >= self.said_at + every {
                self.send_ping();
            }
            due = due.min(self.said_at + every);
        }
        let at = self.world.now();
        let may_say_at = self.pace.ready_at(at, 1, u32::MAX);
        if may_say_at > at {
            due = due.min(now + clock::real(clock, may_say_at - at));
        }
        (due, may_say_at <= at)
    }

    fn send_ping(&mut self) {
        match &self.ping {
            Some(text) => write::text(&mut self.output, text, &mut self.random),
            None => write::ping(&mut self.output, &mut self.random),
        }
        self.said_at = Instant::now();
        self.spent();
    }

    fn send(&mut self, text: &str) {
        write::text(&mut self.output, text, &mut self.random);
        self.said_at = Instant::now();
        self.spent();
    }

    /// Pings and pongs count as messages at the venue too.
    fn spent(&mut self) {
        self.pace.spend(self.world.now(), 1);
        self.venue.counters.sent.add(1);
    }

    fn hung_up(&self) -> End {
        let detail = if self.input.is_empty() { "the venue hung up" } else { "the venue hung up within a message" };
        End { reason: CloseReason::ByVenue, detail: detail.to_owned(), farewell: None }
    }
}

fn broken(e: &io::Error) -> End {
    End { reason: CloseReason::Network, detail: e.to_string(), farewell: None }
}

/// One step of sending; may be given up and begun again without loss.
async fn push(to: &mut (impl AsyncWrite + Unpin), output: &mut BytesMut, unflushed: &mut bool) -> io::Result<()> {
    if output.is_empty() {
        to.flush().await?;
        *unflushed = false;
    } else {
        to.write_buf(output).await?;
        *unflushed = true;
    }
    Ok(())
}
