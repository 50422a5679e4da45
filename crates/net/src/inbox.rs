//! The one queue from the network to the core, and the one place where receive stamps are made.
//!
//! Stamping and queueing happen under one lock, so the order in which the core takes things is the order of their stamps,
//! and no stamp is given twice in a process. The queue is bounded in items and in payload bytes, counting what the core
//! has taken but not finished. Frames and replies wait for room (their socket is not read meanwhile, so the venue's TCP
//! stack holds the rest); openings, closings and failures are few, small and always admitted. Nothing is dropped.

use crate::clock::Clock;
use crate::incoming::{Incoming, VenueIndex};
use barograph_domain::Ts;
use barograph_venues::session::ConnId;
use bytes::Bytes;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How much may wait for the core.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Items that may wait.
    pub items: usize,
    /// Bytes of payload. One item larger than this is admitted when nothing else is waiting.
    pub bytes: usize,
}

impl Default for Bounds {
    /// 65,536 items (1.3 s at 50,000 messages/s) and 64 MiB.
    fn default() -> Self {
        Self { items: 65_536, bytes: 64 << 20 }
    }
}

/// What waits at this moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Depth {
    /// Items queued or in the core's hands.
    pub items: usize,
    /// Their payload bytes.
    pub bytes: usize,
    /// How often a sender found no room and stopped reading.
    pub full: u64,
}

/// Stamps left to the core after each batch: a microsecond, which no message notices.
const OWN_STAMPS: i64 = 1_000;

struct State {
    queue: Vec<(Ts, Incoming)>,
    queued_bytes: usize,
    held: Depth,
    last: Ts,
    full: u64,
    core_waits: bool,
    ended: bool,
}

struct Shared {
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    state: Mutex<State>,
    arrived: Condvar,
    room: Notify,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held cannot leave a half-made state: every change below is complete or not begun.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn stamp(&mut self, clock: &dyn Clock) -> Ts {
        self.last = clock.now().max(Ts(self.last.0.saturating_add(1)));
        self.last
    }
    fn has_room(&self, bounds: Bounds, bytes: usize) -> bool {
        let items = self.queue.len() + self.held.items;
        let waiting = self.queued_bytes + self.held.bytes;
        items == 0 || (items < bounds.items && waiting.saturating_add(bytes) <= bounds.bytes)
    }
    fn push(&mut self, at: Ts, item: Incoming) {
        self.queued_bytes += item.payload_bytes();
        self.queue.push((at, item));
    }
}

/// The sending side: stamps and queues. Cheap to clone.
#[derive(Clone)]
pub struct Stamper {
    shared: Arc<Shared>,
}

/// The core's side.
pub struct InboxReceiver {
    shared: Arc<Shared>,
}

/// What [`InboxReceiver::take`] found besides the items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// A stamp later than those of all items taken so far and earlier than that of any item to come: the moment of a
    /// tick after this batch.
    pub now: Ts,
    /// The stamps from `now` up to this are the core's own, for what it writes down itself before it takes the next batch.
    pub own_until: Ts,
    /// The network has stopped and nothing will follow.
    pub ended: bool,
}

/// Makes the queue. `after`: no stamp will be at or before it (the newest stamp in the journal, after a restart).
#[must_use]
pub fn inbox(clock: Arc<dyn Clock>, bounds: Bounds, after: Ts) -> (Stamper, InboxReceiver) {
    let state = State {
        queue: Vec::new(),
        queued_bytes: 0,
        held: Depth::default(),
        last: after,
        full: 0,
        core_waits: false,
        ended: false,
    };
    let shared =
        Arc::new(Shared { clock, bounds, state: Mutex::new(state), arrived: Condvar::new(), room: Notify::new() });
    (Stamper { shared: Arc::clone(&shared) }, InboxReceiver { shared })
}

impl Stamper {
    /// The next stamp. Whatever is queued later has a later one; what is queued already has earlier ones, so a tick made
    /// from this belongs behind them ([`InboxReceiver::take`] returns one that fits without further thought).
    #[must_use]
    pub fn stamp(&self) -> Ts {
        self.shared.lock().stamp(&*self.shared.clock)
    }

    /// Queues something small, whether there is room or not.
    pub(crate) fn queue(&self, item: Incoming) -> Ts {
        let mut state = self.shared.lock();
        let at = state.stamp(&*self.shared.clock);
        state.push(at, item);
        self.wake(state);
        at
    }

    /// Queues as many of `frames` as there is room for, oldest first, all under one lock. Those of one call were received
    /// by one read of the socket: the clock is read once and each gets the next free nanosecond. Returns how many went in.
    pub(crate) fn frames(&self, venue: VenueIndex, conn: ConnId, frames: &mut VecDeque<Bytes>) -> usize {
        let mut state = self.shared.lock();
        let mut at = state.stamp(&*self.shared.clock);
        let mut count = 0;
        while let Some(bytes) = frames.front().map(Bytes::len) {
            if !state.has_room(self.shared.bounds, bytes) {
                state.full += 1;
                break;
            }
            let Some(bytes) = frames.pop_front() else { break };
            state.push(at, Incoming::Frame { venue, conn, bytes });
            at.0 += 1;
            count += 1;
        }
        state.last = Ts(at.0 - i64::from(count > 0));
        self.wake(state);
        count
    }

    /// Queues a reply as soon as there is room.
    pub(crate) async fn reply(&self, item: Incoming) -> Ts {
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.shared.lock();
                if state.has_room(self.shared.bounds, item.payload_bytes()) {
                    let at = state.stamp(&*self.shared.clock);
                    state.push(at, item);
                    self.wake(state);
                    return at;
                }
                state.full += 1;
            }
            room.await;
        }
    }

    /// Waits until there is room for `bytes` more.
    pub(crate) async fn room(&self, bytes: usize) {
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.shared.lock().has_room(self.shared.bounds, bytes) {
                return;
            }
            room.await;
        }
    }

    /// What waits now.
    #[must_use]
    pub fn depth(&self) -> Depth {
        let state = self.shared.lock();
        Depth {
            items: state.queue.len() + state.held.items,
            bytes: state.queued_bytes + state.held.bytes,
            full: state.full,
        }
    }

    /// Says that nothing will follow.
    pub(crate) fn end(&self) {
        let mut state = self.shared.lock();
        state.ended = true;
        self.wake(state);
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        // Waking is a system call even when nobody waits, and a core woken for nothing would go back to sleep unnoticed.
        let wake = (!state.queue.is_empty() || state.ended) && core::mem::take(&mut state.core_waits);
        drop(state);
        if wake {
            self.shared.arrived.notify_one();
        }
    }
}

impl InboxReceiver {
    /// Takes everything that is queued, in the order of the stamps; waits up to `wait` of real time when there is nothing.
    /// `batch` is emptied first: what it held counts as finished from then on, and its memory is used again.
    pub fn take(&mut self, batch: &mut Vec<(Ts, Incoming)>, wait: Duration) -> Taken {
        batch.clear();
        let mut state = self.shared.lock();
        let freed = state.held.items > 0;
        state.held = Depth::default();
        if freed {
            self.shared.room.notify_waiters();
        }
        if state.queue.is_empty() && !state.ended && !wait.is_zero() {
            state.core_waits = true;
            state = self
                .shared
                .arrived
                .wait_timeout_while(state, wait, |s| s.queue.is_empty() && !s.ended)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            state.core_waits = false;
        }
        core::mem::swap(&mut state.queue, batch);
        state.held = Depth { items: batch.len(), bytes: state.queued_bytes, full: 0 };
        state.queued_bytes = 0;
        let now = state.stamp(&*self.shared.clock);
        state.last.0 += OWN_STAMPS;
        Taken { now, own_until: state.last, ended: state.ended && batch.is_empty() }
    }
}

impl core::fmt::Debug for Stamper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Stamper({:?})", self.depth())
    }
}
impl core::fmt::Debug for InboxReceiver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Receiver")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_venues::session::RequestId;

    /// A clock that stands still.
    struct Still;
    impl Clock for Still {
        fn now(&self) -> Ts {
            Ts::from_secs(100)
        }
        fn rate(&self) -> f64 {
            1.0
        }
    }

    fn reply(request: u64, bytes: usize) -> Incoming {
        Incoming::Reply { venue: 0, request: RequestId(request), status: 200, body: vec![0; bytes].into() }
    }

    fn frames(sizes: &[usize]) -> VecDeque<Bytes> {
        sizes.iter().map(|n| Bytes::from(vec![0; *n])).collect()
    }

    #[test]
    fn stamps_are_unique_and_in_the_order_of_delivery_whoever_sends() {
        let (stamper, mut receiver) = inbox(Arc::new(Still), Bounds::default(), Ts::from_secs(200));
        let senders: Vec<_> = (0..4_u32)
            .map(|n| {
                let stamper = stamper.clone();
                std::thread::spawn(move || {
                    for _ in 0..500 {
                        stamper.queue(reply(u64::from(n), 0));
                        stamper.frames(0, ConnId(n), &mut frames(&[1, 2, 3]));
                        assert!(stamper.stamp() > Ts::from_secs(200));
                    }
                })
            })
            .collect();
        let (mut batch, mut count, mut last) = (Vec::new(), 0, Ts::from_secs(200));
        while count < 4 * 500 * 4 {
            let taken = receiver.take(&mut batch, Duration::from_secs(5));
            assert!(!batch.is_empty());
            for (at, _) in &batch {
                assert!(*at > last, "{at:?} after {last:?}");
                last = *at;
            }
            assert!(taken.now > last);
            last = taken.now;
            count += batch.len();
        }
        senders.into_iter().for_each(|s| s.join().unwrap());
    }

    #[test]
    fn room_is_counted_until_the_core_is_done() {
        let (stamper, mut receiver) = inbox(Arc::new(Still), Bounds { items: 3, bytes: 100 }, Ts::MIN);
        let mut waiting = frames(&[60, 60, 10, 10, 10]);
        assert_eq!(stamper.frames(0, ConnId(0), &mut waiting), 1, "the second does not fit beside the first");
        assert_eq!(stamper.depth(), Depth { items: 1, bytes: 60, full: 1 });
        let mut batch = Vec::new();
        receiver.take(&mut batch, Duration::ZERO);
        assert_eq!(stamper.frames(0, ConnId(0), &mut waiting), 0, "the core still has it in hand");
        receiver.take(&mut batch, Duration::ZERO);
        assert_eq!(stamper.frames(0, ConnId(0), &mut waiting), 3);
        assert_eq!((waiting.len(), stamper.depth().items), (1, 3));
        stamper.queue(reply(1, 0));
        assert_eq!(stamper.depth().items, 4, "small things are always admitted");
    }

    #[test]
    fn one_thing_larger_than_the_bound_gets_through_an_empty_inbox() {
        let (stamper, mut receiver) = inbox(Arc::new(Still), Bounds { items: 3, bytes: 100 }, Ts::MIN);
        assert_eq!(stamper.frames(0, ConnId(0), &mut frames(&[5_000])), 1);
        let mut batch = Vec::new();
        receiver.take(&mut batch, Duration::ZERO);
        assert_eq!(batch.len(), 1);
    }

    #[test]
    fn the_end_wakes_the_core_after_everything_is_taken() {
        let (stamper, mut receiver) = inbox(Arc::new(Still), Bounds::default(), Ts::MIN);
        let mut batch = Vec::new();
        assert!(!receiver.take(&mut batch, Duration::from_millis(5)).ended);
        let ender = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            stamper.queue(reply(1, 1));
            stamper.end();
        });
        let mut taken = receiver.take(&mut batch, Duration::from_secs(20));
        assert_eq!((batch.len(), taken.ended), (1, false));
        taken = receiver.take(&mut batch, Duration::from_secs(20));
        assert_eq!((batch.len(), taken.ended), (0, true));
        ender.join().unwrap();
    }
}
