//! What all tasks of this crate share, and what they know of one venue.

use crate::clock::{self, Clock};
use crate::dial::Dialer;
use crate::http::client::Client;
use crate::http::desk::{self, WaitingLine};
use crate::http::door::Carrier;
use crate::http::job::WaitingRequest;
use crate::inbox::Stamper;
use crate::incoming::VenueIndex;
use crate::limit::budget::Budget;
use crate::link::conn::Wire;
use crate::link::supervisor::LinkEntry;
use crate::random::Random;
use crate::stats::Counters;
use barograph_domain::{Span, Ts};
use barograph_venues::session::{ConnId, Limits, LinkId, Pool};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Locks, also after a panic elsewhere: no lock of this crate is held over a half-made change.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shared by everything.
pub(crate) struct NetState {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stamper: Stamper,
    pub(crate) dialer: Dialer,
    pub(crate) client: Client,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) body_bytes_max: usize,
    handle: Handle,
    tasks: Mutex<JoinSet<()>>,
    /// What several venues are counted for together.
    pub(crate) shared: SharedBudgets,
    next_conn: AtomicU32,
    random: Mutex<Random>,
}

impl NetState {
    pub(crate) fn new(
        handle: Handle,
        clock: Arc<dyn Clock>,
        stamper: Stamper,
        dialer: Dialer,
        options: &crate::NetOptions,
    ) -> Self {
        let seed = options.seed.unwrap_or_else(Random::seed_of_system);
        Self {
            clock,
            stamper,
            client: Client::new(),
            dialer,
            stopping: watch::Sender::new(false),
            body_bytes_max: options.body_bytes_max,
            handle,
            tasks: Mutex::default(),
            shared: SharedBudgets::default(),
            next_conn: AtomicU32::new(options.first_conn),
            random: Mutex::new(Random::seeded(seed)),
        }
    }

    pub(crate) fn now(&self) -> Ts {
        self.clock.now()
    }

    /// Runs `task` until it ends or the program stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    /// Waits for all tasks, and ends those that take longer than `at_most`.
    pub(crate) async fn settle(&self, at_most: Duration) {
        let deadline = tokio::time::Instant::now() + at_most;
        loop {
            let mut tasks = core::mem::take(&mut *lock(&self.tasks));
            if tasks.is_empty() {
                return;
            }
            let all = async { while tasks.join_next().await.is_some() {} };
            if tokio::time::timeout_at(deadline, all).await.is_err() {
                tasks.shutdown().await;
            }
        }
    }

    pub(crate) fn conn_id(&self) -> ConnId {
        ConnId(self.next_conn.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn random(&self) -> Random {
        lock(&self.random).fork()
    }

    /// Waits until the clock says `until`. Looks again at least every second, because a clock may change its rate.
    pub(crate) async fn sleep_until(&self, until: Ts) {
        loop {
            let now = self.now();
            if now >= until {
                return;
            }
            tokio::time::sleep(clock::real(&*self.clock, until - now).min(Duration::from_secs(1))).await;
        }
    }

    /// Resolves when the program stops.
    pub(crate) async fn stopped(&self) {
        // An error means that the sender is gone, and with it the program.
        drop(self.stopping.subscribe().wait_for(|stop| *stop).await);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// A ban, or a refusal of this address as such.
#[derive(Debug)]
struct Halt {
    until: Ts,
    forbidden: Option<u16>,
}

/// What venues of one operator are counted for together, by name.
#[derive(Debug, Default)]
pub(crate) struct SharedBudgets {
    halts: Mutex<BTreeMap<&'static str, Arc<Mutex<Halt>>>>,
    budgets: Mutex<BTreeMap<&'static str, Arc<Mutex<Budget>>>>,
}

impl SharedBudgets {
    fn halt(&self, operator: &'static str) -> Arc<Mutex<Halt>> {
        let new = || Arc::new(Mutex::new(Halt { until: Ts::MIN, forbidden: None }));
        Arc::clone(lock(&self.halts).entry(operator).or_insert_with(new))
    }

    /// The budget of a pool; the first venue that names it makes it.
    pub(crate) fn budget(&self, pool: &Pool) -> Arc<Mutex<Budget>> {
        let new = || Arc::new(Mutex::new(desk::budget(pool)));
        pool.shared.map_or_else(new, |name| Arc::clone(lock(&self.budgets).entry(name).or_insert_with(new)))
    }
}

/// One venue.
pub(crate) struct VenueLinks {
    pub(crate) index: VenueIndex,
    pub(crate) id: &'static str,
    pub(crate) limits: Limits,
    /// Who carries out its requests; `None`: they are HTTP.
    pub(crate) caller: Option<Arc<dyn Carrier>>,
    /// New connections.
    pub(crate) connects: Mutex<Budget>,
    /// Nothing is asked and nothing dialled before this (a ban); one for all venues of one operator.
    halt: Arc<Mutex<Halt>>,
    pub(crate) wires: Mutex<BTreeMap<ConnId, Wire>>,
    pub(crate) links: Mutex<BTreeMap<LinkId, LinkEntry>>,
    pub(crate) desk: Mutex<WaitingLine<WaitingRequest>>,
    /// Something about the desk has changed.
    pub(crate) desk_changed: Notify,
    pub(crate) counters: Counters,
}

impl VenueLinks {
    pub(crate) fn new(
        index: VenueIndex,
        (id, limits): (&'static str, Limits),
        caller: Option<Arc<dyn Carrier>>,
        shared: &SharedBudgets,
    ) -> Self {
        // No margin: the venues' numbers are far above what backoff produces, and a late SYN does no harm.
        let connects = Budget::new(limits.connects_max, limits.connects_per, false, 0);
        Self {
            index,
            id,
            connects: Mutex::new(connects),
            halt: shared.halt(limits.operator),
            wires: Mutex::default(),
            links: Mutex::default(),
            desk: Mutex::new(WaitingLine::new(&limits.pools, |pool| shared.budget(pool))),
            desk_changed: Notify::new(),
            counters: Counters::default(),
            caller,
            limits,
        }
    }

    /// End of the current ban, where there is one.
    pub(crate) fn halted(&self, now: Ts) -> Option<Ts> {
        let until = lock(&self.halt).until;
        (until > now).then_some(until)
    }

    /// The status with which the venue said that it is not for us, until it has answered something.
    pub(crate) fn forbidden(&self) -> Option<u16> {
        lock(&self.halt).forbidden
    }

    /// Everything stops for `rest`.
    pub(crate) fn halt(&self, now: Ts, rest: Span) {
        let mut halt = lock(&self.halt);
        halt.until = halt.until.max(now + rest);
        drop(halt);
        self.desk_changed.notify_one();
    }

    /// Not from here: everything stops for `rest`, and then one request finds out whether that has changed.
    pub(crate) fn forbid(&self, now: Ts, status: u16, rest: Span) {
        lock(&self.halt).forbidden = Some(status);
        self.halt(now, rest);
    }

    /// The venue answered.
    pub(crate) fn allowed(&self) {
        lock(&self.halt).forbidden = None;
    }
}
