//! The dispatcher's thread.

use super::identity;
use super::inbox::{Batch, Command, Inbox, Stop};
use super::refresh::{self, Refresh};
use super::send::{Finished, SendTarget, send};
use super::writes::Writes;
use super::{Clocks, Now};
use crate::outbox::{Outbox, OutboxError, Outgoing, Recovered};
use crate::plan::{Outcome, PlanAction, Planner, Send, Tried};
use crate::receiver::Receiver;
use crate::transport::Transport;
use barograph_domain::delivery::{Attempt, EndpointState, Message};
use barograph_domain::{Span, Ts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Results are written when there are so many, or when the first has waited for so long.
const BATCH_MAX: usize = 256;
const BATCH_WAIT: Duration = Duration::from_millis(20);
/// Nothing more is sent while the store owes us so many.
const UNWRITTEN_MAX: usize = 20_000;
/// The clock is looked at this often at least, because it may be set.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Pauses after a call that the store refused.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// More of what the store holds is taken up when fewer wait, or after so long: what waits for a receiver that is away must not
/// keep the rest from those that are not.
const FEW: usize = 10_000;
const NEXT_PAGE_AFTER: Duration = Duration::from_secs(10);
/// Messages that are remembered for what a receiver said of them; older ones are forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// Messages of endpoints, by position.
type Marked = BTreeSet<(usize, String)>;

pub(super) struct Runner {
    targets: Vec<Arc<SendTarget>>,
    planner: Planner,
    outbox: Box<dyn Outbox>,
    transport: Arc<Transport>,
    runtime: Handle,
    now: Now,
    /// The receivers' clock, and seconds of ours per second of it.
    wire: Now,
    rate: f64,
    seed: u64,
    inbox: Arc<Inbox>,
    writes: Writes,
    /// Sends whose message is not stored yet.
    held: Vec<Send>,
    in_flight: usize,
    /// Counts beginnings: what was sent before one ends unheard.
    epoch: u64,
    reread: bool,
    /// The queue has lost rows: what else comes through it is dropped until the store was read, so that nothing overtakes them.
    deaf: bool,
    /// When the newest message was known that came through the queue, and the same at the moment rows were lost.
    heard: Ts,
    deaf_since: Option<Ts>,
    /// The last message of a reading that came back full, and when: the store holds more behind it.
    rest: Option<(Message, Instant)>,
    /// Messages that reading the store brought, and when: they may still come through the queue.
    adopted: BTreeMap<String, Instant>,
    refresh: Refresh,
    /// Names of endpoints that nothing is sent to.
    off: BTreeSet<String>,
    /// Messages whose receiver answered with something new once; the same again would go round in circles.
    taught: Marked,
    /// Messages that a receiver may have taken although it did not say so.
    doubts: Marked,
    /// When the first unwritten result came.
    since: Option<Instant>,
    /// The store is left alone until then.
    retry_at: Option<Instant>,
    pause: Duration,
    /// Something was written since the beginning.
    worked: bool,
}

impl Runner {
    pub(super) fn new(
        receivers: Vec<Receiver>,
        outbox: Box<dyn Outbox>,
        transport: Arc<Transport>,
        runtime: Handle,
        clocks: Clocks,
        seed: u64,
        inbox: Arc<Inbox>,
    ) -> Result<Self, String> {
        let Clocks { now, wire, rate } = clocks;
        let planner = Planner::new(receivers.iter().map(Receiver::endpoint).collect(), seed).at_rate(rate);
        let targets: Vec<_> =
            receivers.into_iter().map(|r| SendTarget::new(r).map(Arc::new)).collect::<Result<_, _>>()?;
        let refresh = Refresh::of(&targets, now());
        Ok(Self {
            targets,
            planner,
            outbox,
            transport,
            runtime,
            now,
            wire,
            rate,
            seed,
            inbox,
            writes: Writes::default(),
            held: Vec::new(),
            in_flight: 0,
            epoch: 0,
            reread: false,
            deaf: false,
            heard: Ts::MIN,
            deaf_since: None,
            rest: None,
            adopted: BTreeMap::new(),
            refresh,
            off: BTreeSet::new(),
            taught: Marked::new(),
            doubts: Marked::new(),
            since: None,
            retry_at: None,
            pause: PAUSE_FIRST,
            worked: false,
        })
    }

    /// Runs until it is stopped; `Some` says why it cannot go on.
    pub(super) fn run(&mut self) -> Option<String> {
        match self.take_over() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(why) => return Some(why),
        }
        let mut wait = Duration::ZERO;
        loop {
            let batch = self.inbox.take(wait);
            match batch.stop {
                Some(Stop::Now) => return None,
                Some(Stop::Within(within)) => {
                    self.learn(batch);
                    self.end(within);
                    return None;
                }
                None => self.learn(batch),
            }
            if let Err(OutboxError::Broken(why)) = self.work() {
                return Some(why);
            }
            wait = self.sleep();
        }
    }

    /// Something was written since the beginning.
    pub(super) const fn has_worked(&self) -> bool {
        self.worked
    }

    /// Notes why nothing is delivered and waits; false when it is stopped meanwhile.
    pub(super) fn rest(&mut self, why: String, rest: Span) -> bool {
        self.inbox.count(|s| (s.broken, s.in_flight) = (Some(why), 0));
        // On the clock of the planner, which is looked at now and then: it may be set.
        let until = (self.now)() + rest;
        while (self.now)() < until {
            // What comes meanwhile is in the store, and so is what people want.
            if self.inbox.take(SLEEP_MAX).stop.is_some() {
                return false;
            }
        }
        true
    }

    /// Forgets everything but what it is for.
    pub(super) fn begin_again(&mut self) {
        self.epoch += 1;
        let endpoints = self.targets.iter().map(|t| t.receiver.endpoint()).collect();
        self.planner = Planner::new(endpoints, self.seed).at_rate(self.rate);
        self.refresh = Refresh::of(&self.targets, (self.now)());
        (self.writes, self.in_flight, self.reread, self.deaf, self.worked) =
            (Writes::default(), 0, false, false, false);
        (self.deaf_since, self.rest, self.since, self.retry_at, self.pause) = (None, None, None, None, PAUSE_FIRST);
        self.held.clear();
        self.adopted.clear();
    }

    /// Waits for the store at the start; false when it is stopped before.
    fn take_over(&mut self) -> Result<bool, String> {
        loop {
            match self.outbox.recover() {
                Ok(recovered) => {
                    self.begin(recovered);
                    return Ok(true);
                }
                Err(OutboxError::Broken(why)) => return Err(why),
                Err(OutboxError::Unavailable(_)) => {
                    self.inbox.count(|s| s.store_failures += 1);
                    let batch = self.inbox.take(self.pause);
                    if batch.stop.is_some() {
                        let why = "stopped before the outbox could be read".to_owned();
                        self.inbox.count(|s| s.broken = Some(why));
                        return Ok(false);
                    }
                    // What came meanwhile is in the store as well; what people want is not.
                    batch.commands.into_iter().for_each(|c| self.command(c));
                    std::thread::sleep(self.pause.min(PAUSE_FIRST));
                    self.pause = (self.pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    fn begin(&mut self, mut recovered: Recovered) {
        let now = (self.now)();
        let mut states = Vec::new();
        for state in core::mem::take(&mut recovered.endpoints) {
            let Some(target) = self.targets.iter().find(|t| t.receiver.name == state.endpoint) else { continue };
            match identity::opened(&target.receiver, state) {
                Ok(state) => states.push(state),
                // It was said of another address.
                Err(fresh) => self.writes.state(*fresh),
            }
        }
        self.off = states.iter().filter(|s| s.disabled.is_some()).map(|s| s.endpoint.clone()).collect();
        self.inbox.count(|s| {
            s.broken = None;
            for target in &self.targets {
                s.endpoints.entry(target.receiver.name.clone()).or_default().disabled = None;
            }
            for state in &states {
                s.endpoints.entry(state.endpoint.clone()).or_default().disabled.clone_from(&state.disabled);
            }
        });
        recovered.endpoints = states;
        for firing in &recovered.firing {
            let message = Arc::new(firing.message.clone());
            for name in &firing.told {
                if let Some(place) = self.targets.iter().position(|t| t.receiver.name == *name) {
                    self.refresh.confirmed(place, &message);
                }
            }
        }
        self.remember_rest(recovered.more, &recovered.unfinished);
        // What was stored just before may still come through the queue.
        let read_at = Instant::now();
        self.adopted.extend(recovered.unfinished.iter().map(|o| (o.message.id.clone(), read_at)));
        self.planner.recover(recovered, now);
        self.since = (self.writes.len() > 0).then(Instant::now);
    }

    fn remember_rest(&mut self, more: bool, read: &[Outgoing]) {
        self.rest = read.last().filter(|_| more).map(|last| (last.message.clone(), Instant::now()));
        // Until the last of them was read, what comes through the queue may follow something that was not.
        self.deaf |= self.rest.is_some();
    }

    fn learn(&mut self, batch: Batch) {
        for finished in batch.finished {
            self.finished(finished);
        }
        for place in batch.refreshed {
            let owed = self.refresh.done(place);
            self.refresh_endpoint(place, owed);
        }
        let now = (self.now)();
        if batch.overflown && !self.deaf {
            self.inbox.count(|s| s.overflows += 1);
        }
        self.deaf |= batch.overflown;
        if self.deaf {
            if batch.overflown || !batch.rows.is_empty() {
                // They are in the store: it is read once more behind what is being read.
                self.reread = true;
                self.deaf_since.get_or_insert(self.heard);
            }
        } else {
            for outgoing in batch.rows {
                self.heard = self.heard.max(outgoing.message.known_at);
                self.take(outgoing, now);
            }
        }
        self.reread |= batch.reread;
        for command in batch.commands {
            self.command(command);
        }
    }

    fn take(&mut self, outgoing: Outgoing, now: Ts) {
        if !self.adopted.contains_key(&outgoing.message.id) {
            self.refresh.note(&outgoing.message);
            self.planner.take(outgoing, now);
        }
    }

    fn command(&mut self, command: Command) {
        let now = (self.now)();
        match command {
            Command::Reread => self.reread = true,
            Command::Enable(endpoint) => self.planner.enable(&endpoint, now),
            Command::Replay(outgoing) => self.planner.replay(*outgoing, now),
        }
    }

    fn finished(&mut self, finished: Finished) {
        if finished.epoch != self.epoch {
            return;
        }
        self.in_flight -= 1;
        let Finished { send, at, mut done, latency_ms, .. } = finished;
        let mark = (send.endpoint, send.message.id.clone());
        if done.in_doubt {
            remember(&mut self.doubts, mark.clone());
        } else if done.outcome == Outcome::Delivered {
            self.doubts.remove(&mark);
            self.refresh.confirmed(send.endpoint, &send.message);
        }
        if matches!(done.outcome, Outcome::Learned(_)) && !remember(&mut self.taught, mark) {
            done.outcome = Outcome::Retry;
        }
        let now = (self.now)();
        let endpoint = &self.targets[send.endpoint].receiver.name;
        let outcome = match &done.outcome {
            Outcome::Delivered => "delivered",
            Outcome::RetryAfter(_) => "retry_after",
            Outcome::Retry | Outcome::Learned(_) | Outcome::Unconfirmed => "retry",
            Outcome::Reject | Outcome::NotInFormat => "rejected",
            Outcome::Misconfigured(_) => "misconfigured",
            Outcome::Disable(_) => "gone",
        };
        self.inbox.count(|s| {
            let stats = s.endpoints.entry(endpoint.clone()).or_default();
            stats.latency.add(u64::from(latency_ms));
            if done.outcome == Outcome::Delivered {
                let age = (now - send.message.known_at).0.max(0) / 1_000_000;
                stats.age.add(u64::try_from(age).unwrap_or(0));
            }
        });
        self.writes.attempt(Attempt {
            endpoint: endpoint.clone(),
            message: send.message.id.clone(),
            at,
            status: done.status,
            latency_ms,
            outcome: outcome.to_owned(),
            excerpt: done.excerpt,
        });
        let Send { endpoint, message, .. } = send;
        self.planner.tried(Tried { endpoint, message, outcome: done.outcome, parts_done: done.parts_done }, now);
    }

    fn work(&mut self) -> Result<(), OutboxError> {
        if self.writes.len() < UNWRITTEN_MAX {
            self.planner.tick((self.now)());
        }
        self.act();
        self.write(false)?;
        if self.must_read() && self.writes.len() == 0 {
            self.read_again()?;
        }
        for (place, messages) in self.refresh.due((self.now)()) {
            self.refresh_endpoint(place, messages);
        }
        let (queue, in_flight, unwritten) = (self.planner.queue(), self.in_flight, self.writes.len());
        let unread = self.reread || self.rest.is_some();
        self.inbox.count(|s| {
            (s.queue, s.in_flight, s.unwritten) = (queue as u64, in_flight as u64, unwritten as u64);
            s.unread = unread;
            s.recovered = true;
        });
        Ok(())
    }

    fn act(&mut self) {
        for action in self.planner.drain() {
            match action {
                PlanAction::Enqueue(messages, joins) => {
                    messages.iter().for_each(|o| self.refresh.note(&o.message));
                    self.writes.enqueue(messages, joins);
                }
                PlanAction::Change(change) => {
                    self.inbox.count(|s| s.endpoints.entry(change.endpoint.clone()).or_default().end(change.state));
                    self.writes.change(change);
                }
                PlanAction::State(mut state) => {
                    if state.disabled.is_some() {
                        self.off.insert(state.endpoint.clone());
                    } else {
                        self.off.remove(&state.endpoint);
                    }
                    self.seal(&mut state);
                    self.inbox.count(|s| {
                        s.endpoints.entry(state.endpoint.clone()).or_default().disabled.clone_from(&state.disabled);
                    });
                    self.writes.state(state);
                }
                PlanAction::Send(send) if self.writes.is_unsaved(&send.message.id) => self.held.push(send),
                PlanAction::Send(send) => self.launch(send),
            }
        }
        if self.since.is_none() && self.writes.len() > 0 {
            self.since = Some(Instant::now());
        }
    }

    fn launch(&mut self, what: Send) {
        self.in_flight += 1;
        let target = Arc::clone(&self.targets[what.endpoint]);
        let repeats = self.doubts.contains(&(what.endpoint, what.message.id.clone()));
        let (transport, inbox) = (Arc::clone(&self.transport), Arc::clone(&self.inbox));
        let clocks = (Arc::clone(&self.now), Arc::clone(&self.wire));
        drop(self.runtime.spawn(send(transport, target, what, (self.epoch, repeats), clocks, inbox)));
    }

    /// Delivers again how things stand, to an endpoint that wants that.
    fn refresh_endpoint(&mut self, place: usize, messages: Vec<Arc<Message>>) {
        let target = Arc::clone(&self.targets[place]);
        if messages.is_empty() || self.off.contains(&target.receiver.name) {
            self.refresh.done(place);
            return;
        }
        let (transport, wire, inbox) = (Arc::clone(&self.transport), Arc::clone(&self.wire), Arc::clone(&self.inbox));
        drop(self.runtime.spawn(async move {
            refresh::deliver(&transport, &target, &messages, &wire).await;
            inbox.refreshed(place);
        }));
    }

    /// What is stored of an endpoint says of which address.
    fn seal(&self, state: &mut EndpointState) {
        if let Some(target) = self.targets.iter().find(|t| t.receiver.name == state.endpoint) {
            identity::seal(&target.receiver, state);
        }
    }

    /// Writes when it is time to, or at once.
    fn write(&mut self, at_once: bool) -> Result<(), OutboxError> {
        let Some(since) = self.since else { return Ok(()) };
        let rests = self.retry_at.is_some_and(|at| Instant::now() < at);
        let is_time = self.writes.len() >= BATCH_MAX || since.elapsed() >= BATCH_WAIT;
        if (rests && !at_once) || !(is_time || at_once || self.must_read() || self.writes.has_unsaved()) {
            return Ok(());
        }
        match self.writes.flush(&mut *self.outbox) {
            Ok(()) => {
                (self.since, self.retry_at, self.pause) = (None, None, PAUSE_FIRST);
                self.worked = true;
                for send in core::mem::take(&mut self.held) {
                    self.launch(send);
                }
                Ok(())
            }
            Err(error) => self.refused(error),
        }
    }

    fn refused(&mut self, error: OutboxError) -> Result<(), OutboxError> {
        self.inbox.count(|s| s.store_failures += 1);
        match error {
            OutboxError::Broken(_) => Err(error),
            OutboxError::Unavailable(_) => {
                self.retry_at = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                Ok(())
            }
        }
    }

    fn must_read(&self) -> bool {
        match &self.rest {
            Some((_, since)) => self.planner.queue() < FEW || since.elapsed() >= NEXT_PAGE_AFTER,
            None => self.reread || self.deaf,
        }
    }

    /// The store knows more than came through the queue, or than was taken up so far.
    fn read_again(&mut self) -> Result<(), OutboxError> {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let read = match &self.rest {
            Some((last, _)) => self.outbox.unfinished_after(last).map(|(all, more)| (all, more, None)),
            None => self.outbox.recover().map(|mut r| (core::mem::take(&mut r.unfinished), r.more, Some(r))),
        };
        let now = (self.now)();
        match read {
            Ok((mut unfinished, more, whole)) => {
                self.remember_rest(more, &unfinished);
                if let Some(recovered) = whole {
                    self.reread = false;
                    self.planner.set_silences(recovered.silences, now);
                    if !more {
                        self.add_missed(&mut unfinished, recovered.recent);
                    }
                }
                let (read_at, kept_for) = (Instant::now(), Duration::from_secs(60));
                self.adopted.retain(|_, at| at.elapsed() < kept_for);
                self.adopted.extend(unfinished.iter().map(|o| (o.message.id.clone(), read_at)));
                unfinished.iter().for_each(|o| self.refresh.note(&o.message));
                self.planner.adopt(unfinished, now);
                if self.rest.is_none() && !self.reread {
                    (self.deaf, self.deaf_since) = (false, None);
                }
                self.planner.tick(now);
                self.act();
                Ok(())
            }
            Err(error) => self.refused(error),
        }
    }

    /// What nobody wants is heard all the same, because it may end what others wait for; of what the queue has lost the store
    /// knows.
    fn add_missed(&self, unfinished: &mut Vec<Outgoing>, recent: Vec<Outgoing>) {
        let Some(since) = self.deaf_since else { return };
        unfinished.extend(recent.into_iter().filter(|o| o.deliveries.is_empty() && o.message.known_at > since));
        unfinished.sort_by_key(|o| (o.message.known_at, o.message.notice.revision));
    }

    fn sleep(&self) -> Duration {
        let now = (self.now)();
        let left = |at: Ts| {
            let real = (at - now).as_secs_f64().max(0.0) / self.rate;
            Duration::try_from_secs_f64(real).unwrap_or(SLEEP_MAX).max(Duration::from_millis(1))
        };
        let wake = self.planner.next_wake().map_or(SLEEP_MAX, left);
        let mut wait = wake.min(SLEEP_MAX);
        if let Some(since) = self.since {
            wait = wait.min(BATCH_WAIT.saturating_sub(since.elapsed()).max(Duration::from_millis(1)));
        }
        if let Some(at) = self.refresh.next_wake() {
            wait = wait.min(left(at));
        }
        if self.must_read() {
            wait = wait.min(BATCH_WAIT);
        }
        wait
    }

    /// Requests under way may end; nothing new begins.
    fn end(&mut self, within: Duration) {
        let until = Instant::now() + within;
        loop {
            // Also of what ended in the moment of the stop.
            for action in self.planner.drain() {
                match action {
                    PlanAction::Enqueue(messages, joins) => self.writes.enqueue(messages, joins),
                    PlanAction::Change(change) => self.writes.change(change),
                    PlanAction::State(mut state) => {
                        self.seal(&mut state);
                        self.writes.state(state);
                    }
                    PlanAction::Send(_) => {}
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if self.in_flight == 0 || left.is_zero() {
                break;
            }
            for finished in self.inbox.take_last(left) {
                self.finished(finished);
            }
        }
        self.since = Some(Instant::now());
        self.held.clear();
        if let Err(error) = self.write(true) {
            self.inbox.count(|s| s.broken = Some(error.to_string()));
        }
    }
}

/// Marks a message; false when it was marked before.
fn remember(marked: &mut Marked, mark: (usize, String)) -> bool {
    if marked.len() >= REMEMBERED_MAX {
        marked.clear();
    }
    marked.insert(mark)
}
