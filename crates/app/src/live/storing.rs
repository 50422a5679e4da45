//! The thread that writes batches into the store, behind the journal.
//!
//! A batch is committed only when the journal holds everything it was made of, so that a killed process never leaves a minute
//! that its journal cannot make again. While the database is away batches wait here and writing goes on by itself afterwards;
//! when too many wait, the core waits too, and what venues send meanwhile waits in the network.

use crate::failure::{Failure, chain};
use crate::live::meter::Meter;
use crate::live::publish::Batch;
use barograph_domain::{Span, Ts};
use barograph_store::{LiveBatch, Retention, Writer};
use core::sync::atomic::{AtomicBool, Ordering};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches that may wait: an hour of minutes and as much again in between.
pub(crate) const WAITING_MAX: usize = 128;
/// Pauses between tries while the database is away.
const RETRY: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How long a stopping process still waits for a database that is away. What is not stored then is in the journal, and the
/// next start stores it.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// What the thread is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Write this.
    Write(Box<Batch>),
    /// Remove what is older than it has to be kept, journal included.
    Prune(Ts),
}

/// How long things are kept.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    pub(crate) store: Retention,
    pub(crate) journal: PathBuf,
    pub(crate) journal_age: Span,
    pub(crate) journal_bytes: u64,
}

/// The thread and the way to it.
#[derive(Debug)]
pub(crate) struct Storing {
    orders: SyncSender<Order>,
    /// The process is stopping: a database that is away is waited for a little longer and no more.
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Storing {
    /// Starts the thread over an open store.
    pub(crate) fn start(writer: Box<dyn Writer>, meter: Arc<Meter>, keep: Keep) -> Result<Self, Failure> {
        let (orders, inbox) = sync_channel(WAITING_MAX);
        let stopping = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || write_all(writer, &inbox, &meter, &keep, &told))
            .map_err(Failure::broken)?;
        Ok(Self { orders, stopping, thread })
    }

    /// Hands over an order; waits while too many are waiting.
    pub(crate) fn send(&self, order: Order, meter: &Meter) -> Result<(), Failure> {
        meter.store_queue.fetch_add(1, Ordering::Relaxed);
        self.orders.send(order).map_err(|_gone| Failure::broken("the store has stopped writing; see the message above"))
    }

    /// Writes what is waiting and ends.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.orders);
        self.thread.join().map_err(|_panic| Failure::broken("the thread that writes the store has crashed"))?
    }
}

fn write_all(
    mut writer: Box<dyn Writer>,
    inbox: &Receiver<Order>,
    meter: &Meter,
    keep: &Keep,
    stopping: &AtomicBool,
) -> Result<(), Failure> {
    while let Ok(order) = inbox.recv() {
        let done = match order {
            Order::Write(batch) => write(writer.as_mut(), &batch, meter, stopping),
            Order::Prune(now) => prune(writer.as_mut(), now, keep),
        };
        meter.store_queue.fetch_sub(1, Ordering::Release);
        if let Err(failure) = done {
            let text = failure.text().unwrap_or_default();
            drop(writeln!(std::io::stderr(), "barograph: [MKT] the store has failed: {text}"));
            return Err(Failure::Broken(text));
        }
    }
    Ok(())
}

fn write(writer: &mut dyn Writer, batch: &Batch, meter: &Meter, stopping: &AtomicBool) -> Result<(), Failure> {
    if let Some(ticket) = &batch.ticket {
        ticket.wait().map_err(|e| Failure::broken(chain(&e)))?;
    }
    let began = Instant::now();
    let live = LiveBatch {
        instruments: &batch.instruments,
        streams: &batch.streams,
        points: &batch.points,
        backfill: &batch.backfill,
        runs: &batch.runs,
        rows: &batch.rows,
        gaps: &batch.gaps,
        books: &batch.books,
    };
    let mut tries = 0;
    let mut asked_to_stop: Option<Instant> = None;
    loop {
        match writer.append(&live) {
            Ok(_) => break,
            Err(e) if may_pass(&e) => {
                let since = asked_to_stop.get_or_insert_with(Instant::now);
                if !stopping.load(Ordering::Relaxed) {
                    *since = Instant::now();
                } else if since.elapsed() > LAST_WAIT {
                    return Err(Failure::from(e));
                }
                if tries == 0 {
                    drop(writeln!(std::io::stderr(), "barograph: [MKT] the store is away, waiting: {}", chain(&e)));
                }
                std::thread::sleep(RETRY[tries.min(RETRY.len() - 1)]);
                tries += 1;
            }
            Err(e) => return Err(Failure::from(e)),
        }
    }
    if tries > 0 {
        drop(writeln!(std::io::stderr(), "barograph: [MKT] the store is back"));
    }
    meter.store.add(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX));
    Ok(())
}

/// Is it worth trying again?
fn may_pass(e: &barograph_store::Error) -> bool {
    matches!(e.recovery(), barograph_store::Recovery::RetryAfter)
}

fn prune(writer: &mut dyn Writer, now: Ts, keep: &Keep) -> Result<(), Failure> {
    writer.prune(&keep.store)?;
    let retention = barograph_lake::journal::Retention { max_age: keep.journal_age, max_bytes: keep.journal_bytes };
    barograph_lake::journal::prune(&keep.journal, now, &retention).map_err(|e| Failure::broken(chain(&e)))?;
    Ok(())
}
