//! The dispatcher's thread.

use super::Now;
use super::inbox::{Batch, Command, Inbox, Stop};
use super::send::{Finished, Target, send};
use super::writes::Writes;
use crate::outbox::{Outbox, OutboxError};
use crate::plan::{Action, Outcome, Planner, Send, Tried};
use crate::receiver::Receiver;
use crate::transport::Transport;
use barograph_domain::delivery::Attempt;
use std::collections::BTreeMap;
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

pub(super) struct Runner {
    targets: Vec<Arc<Target>>,
    planner: Planner,
    outbox: Box<dyn Outbox>,
    transport: Arc<Transport>,
    runtime: Handle,
    now: Now,
    inbox: Arc<Inbox>,
    writes: Writes,
    /// Sends whose message is not stored yet.
    held: Vec<Send>,
    in_flight: usize,
    look: bool,
    /// Messages that reading the store brought, and when: they may still come through the queue.
    adopted: BTreeMap<String, Instant>,
    /// When the first unwritten result came.
    since: Option<Instant>,
    /// The store is left alone until then.
    retry_at: Option<Instant>,
    pause: Duration,
}

impl Runner {
    pub(super) fn new(
        receivers: Vec<Receiver>,
        outbox: Box<dyn Outbox>,
        transport: Arc<Transport>,
        runtime: Handle,
        now: Now,
        seed: u64,
        inbox: Arc<Inbox>,
    ) -> Result<Self, String> {
        let planner = Planner::new(receivers.iter().map(Receiver::endpoint).collect(), seed);
        let targets = receivers.into_iter().map(|r| Target::new(r).map(Arc::new)).collect::<Result<_, _>>()?;
        Ok(Self {
            targets,
            planner,
            outbox,
            transport,
            runtime,
            now,
            inbox,
            writes: Writes::default(),
            held: Vec::new(),
            in_flight: 0,
            look: false,
            adopted: BTreeMap::new(),
            since: None,
            retry_at: None,
            pause: PAUSE_FIRST,
        })
    }

    pub(super) fn run(mut self) {
        if let Err(why) = self.take_over() {
            return self.inbox.count(|s| s.broken = Some(why));
        }
        let mut wait = Duration::ZERO;
        loop {
            let batch = self.inbox.take(wait);
            match batch.stop {
                Some(Stop::Now) => return,
                Some(Stop::Within(within)) => {
                    self.learn(batch);
                    return self.end(within);
                }
                None => self.learn(batch),
            }
            if let Err(OutboxError::Broken(why)) = self.work() {
                return self.inbox.count(|s| s.broken = Some(why));
            }
            wait = self.sleep();
        }
    }

    /// Waits for the store at the start.
    fn take_over(&mut self) -> Result<(), String> {
        loop {
            match self.outbox.recover() {
                Ok(recovered) => {
                    self.planner.recover(recovered, (self.now)());
                    return Ok(());
                }
                Err(OutboxError::Broken(why)) => return Err(why),
                Err(OutboxError::Unavailable(_)) => {
                    self.inbox.count(|s| s.store_failures += 1);
                    let batch = self.inbox.take(self.pause);
                    if batch.stop.is_some() {
                        return Err("stopped before the outbox could be read".to_owned());
                    }
                    // What was told meanwhile is in the store as well; wishes of people are not.
                    batch.commands.into_iter().for_each(|c| self.wish(c));
                    std::thread::sleep(self.pause.min(PAUSE_FIRST));
                    self.pause = (self.pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    fn learn(&mut self, batch: Batch) {
        for finished in batch.finished {
            self.finished(finished);
        }
        let now = (self.now)();
        for outgoing in batch.rows {
            if !self.adopted.contains_key(&outgoing.message.id) {
                self.planner.take(outgoing, now);
            }
        }
        if batch.look {
            self.look = true;
            self.inbox.count(|s| s.overflows += 1);
        }
        for command in batch.commands {
            self.wish(command);
        }
    }

    fn wish(&mut self, command: Command) {
        let now = (self.now)();
        match command {
            Command::Look => self.look = true,
            Command::Enable(endpoint) => self.planner.enable(&endpoint, now),
            Command::Replay(outgoing) => self.planner.replay(*outgoing, now),
        }
    }

    fn finished(&mut self, finished: Finished) {
        self.in_flight -= 1;
        let Finished { send, at, done, latency_ms } = finished;
        let now = (self.now)();
        let endpoint = &self.targets[send.endpoint].receiver.name;
        let outcome = match &done.outcome {
            Outcome::Delivered => "delivered",
            Outcome::RetryAfter(_) => "retry_after",
            Outcome::Retry | Outcome::Learned(_) => "retry",
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
        if self.look && self.writes.len() == 0 {
            self.read_again()?;
        }
        let (queue, in_flight, unwritten) = (self.planner.queue(), self.in_flight, self.writes.len());
        self.inbox.count(|s| {
            (s.queue, s.in_flight, s.unwritten) = (queue as u64, in_flight as u64, unwritten as u64);
            s.recovered = true;
        });
        Ok(())
    }

    fn act(&mut self) {
        for action in self.planner.drain() {
            match action {
                Action::Enqueue(messages, joins) => self.writes.enqueue(messages, joins),
                Action::Change(change) => {
                    self.inbox.count(|s| s.endpoints.entry(change.endpoint.clone()).or_default().end(change.state));
                    self.writes.change(change);
                }
                Action::State(state) => {
                    self.inbox.count(|s| {
                        s.endpoints.entry(state.endpoint.clone()).or_default().disabled.clone_from(&state.disabled);
                    });
                    self.writes.state(state);
                }
                Action::Send(send) if self.writes.is_unsaved(&send.message.id) => self.held.push(send),
                Action::Send(send) => self.launch(send),
            }
        }
        if self.since.is_none() && self.writes.len() > 0 {
            self.since = Some(Instant::now());
        }
    }

    fn launch(&mut self, what: Send) {
        self.in_flight += 1;
        let target = Arc::clone(&self.targets[what.endpoint]);
        let (transport, now, inbox) = (Arc::clone(&self.transport), Arc::clone(&self.now), Arc::clone(&self.inbox));
        drop(self.runtime.spawn(async move { inbox.finished(send(transport, target, what, now).await) }));
    }

    /// Writes when it is time to, or at once.
    fn write(&mut self, at_once: bool) -> Result<(), OutboxError> {
        let Some(since) = self.since else { return Ok(()) };
        let rests = self.retry_at.is_some_and(|at| Instant::now() < at);
        let is_time = self.writes.len() >= BATCH_MAX || since.elapsed() >= BATCH_WAIT;
        if (rests && !at_once) || !(is_time || at_once || self.look || self.writes.has_unsaved()) {
            return Ok(());
        }
        match self.writes.flush(&mut *self.outbox) {
            Ok(()) => {
                (self.since, self.retry_at, self.pause) = (None, None, PAUSE_FIRST);
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

    /// The store knows more than the queue has told.
    fn read_again(&mut self) -> Result<(), OutboxError> {
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return Ok(());
        }
        let read = self.outbox.recover();
        let now = (self.now)();
        match read {
            Ok(recovered) => {
                self.look = false;
                let (read_at, kept_for) = (Instant::now(), Duration::from_secs(60));
                self.adopted.retain(|_, at| at.elapsed() < kept_for);
                self.adopted.extend(recovered.unfinished.iter().map(|o| (o.message.id.clone(), read_at)));
                self.planner.adopt(recovered.unfinished, now);
                self.planner.set_silences(recovered.silences, now);
                self.planner.tick(now);
                self.act();
                Ok(())
            }
            Err(error) => self.refused(error),
        }
    }

    fn sleep(&self) -> Duration {
        let now = (self.now)();
        let wake = self.planner.next_wake().map_or(SLEEP_MAX, |at| {
            Duration::from_nanos(u64::try_from((at - now).0.max(0)).unwrap_or(0)).max(Duration::from_millis(1))
        });
        let mut wait = wake.min(SLEEP_MAX);
        if let Some(since) = self.since {
            wait = wait.min(BATCH_WAIT.saturating_sub(since.elapsed()).max(Duration::from_millis(1)));
        }
        if self.look {
            wait = wait.min(BATCH_WAIT);
        }
        wait
    }

    /// Requests under way may end; nothing new begins.
    fn end(mut self, within: Duration) {
        let until = Instant::now() + within;
        while self.in_flight > 0 && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            for finished in self.inbox.take_last(left) {
                self.finished(finished);
            }
            for action in self.planner.drain() {
                match action {
                    Action::Enqueue(messages, joins) => self.writes.enqueue(messages, joins),
                    Action::Change(change) => self.writes.change(change),
                    Action::State(state) => self.writes.state(state),
                    Action::Send(_) => {}
                }
            }
        }
        self.since = Some(Instant::now());
        self.held.clear();
        if let Err(error) = self.write(true) {
            self.inbox.count(|s| s.broken = Some(error.to_string()));
        }
    }
}
