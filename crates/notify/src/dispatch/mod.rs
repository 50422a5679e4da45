//! The running part: one thread owns planner and outbox, requests run on the program's runtime.
//!
//! The thread sleeps until something reaches its inbox, a request ends, or the planner wants to be woken. What became of
//! deliveries is written in batches of at most 256 or 20 ms; a message of a group is written before it is sent. Results that the
//! store cannot take are kept and written later, in order; when too many wait, nothing more is sent. Stopping lets requests under
//! way end and writes what they gave; what is not sent stays in the outbox. When the store cannot be used at all, or after a
//! mistake of ours, the thread rests and begins anew from the store: everything unfinished is there.

mod identity;
mod inbox;
mod refresh;
mod run;
mod send;
mod stats;
#[cfg(test)]
mod tests;
mod watch;
mod writes;

pub use identity::budget_of;
pub use send::SendTarget;
pub(crate) use send::{Try, attempt};
pub use stats::{EndpointStats, Histogram, Stats};

use crate::outbox::{Outbox, Outgoing};
use crate::receiver::Receiver;
use crate::transport::Transport;
use barograph_domain::Ts;
use inbox::{Command, Inbox};
use run::Runner;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// The present moment.
pub type Now = Arc<dyn Fn() -> Ts + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn system_clock() -> Now {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ts(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    })
}

/// The clocks that a dispatcher goes by.
#[derive(Clone)]
pub struct Clocks {
    /// Of what messages report: how old they are, when one is tried again.
    pub now: Now,
    /// Of the receivers: a request is signed with its moment, and dates in their answers are compared with it.
    pub wire: Now,
    /// Seconds of `now` per second of `wire`; 1 is real time.
    pub rate: f64,
}

impl core::fmt::Debug for Clocks {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Clocks").field("rate", &self.rate).finish_non_exhaustive()
    }
}

impl Clocks {
    /// Messages of a world whose clock this is, delivered to receivers on the machine's.
    #[must_use]
    pub fn of_world(now: Now, rate: f64) -> Self {
        Self { now, wire: system_clock(), rate }
    }
}

/// One clock for both.
impl From<Now> for Clocks {
    fn from(now: Now) -> Self {
        Self { wire: Arc::clone(&now), now, rate: 1.0 }
    }
}

/// A dispatcher that runs. Dropped without [`Dispatcher::stop`], it ends as if the process were killed.
#[derive(Debug)]
pub struct Dispatcher {
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Dispatcher {
    /// Starts. `seed` decides jitter.
    ///
    /// # Errors
    /// When a receiver cannot be used, two have one name, or no thread can be made.
    pub fn start(
        receivers: Vec<Receiver>,
        outbox: Box<dyn Outbox>,
        transport: Arc<Transport>,
        runtime: Handle,
        clocks: impl Into<Clocks>,
        seed: u64,
    ) -> Result<Self, String> {
        let mut names: Vec<&str> = receivers.iter().map(|r| r.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("two receivers are named '{}'; names tell them apart", twice[0]));
        }
        let inbox = Arc::new(Inbox::default());
        let runner = Runner::new(receivers, outbox, transport, runtime, clocks.into(), seed, Arc::clone(&inbox))?;
        let thread = std::thread::Builder::new()
            .name("notify".to_owned())
            .spawn(move || watch::watch(runner))
            .map_err(|e| format!("no thread for deliveries can be made: {e}"))?;
        Ok(Self { inbox, thread: Some(thread) })
    }

    /// Messages were stored. Never waits: when too many are in the queue already, the store is read again instead.
    pub fn deliver(&self, messages: Vec<Outgoing>) {
        self.inbox.deliver(messages);
    }
    /// Messages were stored by somebody else, or silences have changed: both are read again.
    pub fn reread(&self) {
        self.inbox.command(Command::Reread);
    }
    /// A person wants an endpoint to be used again.
    pub fn enable(&self, endpoint: &str) {
        self.inbox.command(Command::Enable(endpoint.to_owned()));
    }
    /// A person wants something delivered again, which waits again in the store.
    pub fn replay(&self, outgoing: Outgoing) {
        self.inbox.command(Command::Replay(Box::new(outgoing)));
    }
    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inbox.stats()
    }
    /// Ends: requests under way may take as long as `within`, what they gave is written.
    pub fn stop(mut self, within: Duration) {
        self.inbox.stop(Some(within));
        if let Some(thread) = self.thread.take() {
            // A panic of it was printed by its thread; there is nothing left to end.
            drop(thread.join());
        }
    }
}

impl Drop for Dispatcher {
    fn drop(&mut self) {
        self.inbox.stop(None);
    }
}
