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
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches that may wait: an hour of minutes and as much again in between.
pub(crate) const WAITING_MAX: usize = 128;
/// Pauses between tries while the database is away.
const RETRY: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How often a place is looked for while too many orders are waiting.
const FULL: Duration = Duration::from_millis(20);

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
    /// Order books are stored this often (R3.40).
    pub(crate) books_every: Span,
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
    /// The process is told to stop.
    stop: Arc<AtomicBool>,
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
        Ok(Self { orders, stopping, stop: Arc::default(), thread })
    }

    /// Whoever is told to stop while too many orders are waiting waits no longer.
    pub(crate) fn heed(&mut self, stop: Arc<AtomicBool>) {
        self.stop = stop;
    }

    /// Hands over an order; waits while too many are waiting, unless the process is to end: what a database that is away has
    /// not taken by then is in the journal.
    pub(crate) fn send(&self, mut order: Order, meter: &Meter) -> Result<(), Failure> {
        meter.store_queue.fetch_add(1, Ordering::Relaxed);
        loop {
            order = match self.orders.try_send(order) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => {
                    return Err(Failure::broken("the store has stopped writing; see the message above"));
                }
                Err(TrySendError::Full(_)) if self.stop.load(Ordering::Relaxed) => {
                    meter.store_queue.fetch_sub(1, Ordering::Relaxed);
                    return Err(Failure::broken(
                        "the store is away and nothing more can wait for it; what is not stored is in the journal, and the next \
                         start stores it",
                    ));
                }
                Err(TrySendError::Full(order)) => order,
            };
            std::thread::sleep(FULL);
        }
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
    match writer.prune(&keep.store) {
        Ok(done) if done.rows + done.points + done.books > 0 => {
            drop(writeln!(
                std::io::stderr(),
                "barograph: [MKT] retention removed {} minute rows, {} points and {} order books",
                done.rows,
                done.points,
                done.books
            ));
        }
        Ok(_nothing) => {}
        // Each step of it is whole in itself; the next hour does the rest.
        Err(e) if may_pass(&e) => {
            drop(writeln!(std::io::stderr(), "barograph: [MKT] the store is away, retention waits: {}", chain(&e)));
        }
        Err(e) => return Err(Failure::from(e)),
    }
    let retention = barograph_lake::journal::Retention { max_age: keep.journal_age, max_bytes: keep.journal_bytes };
    barograph_lake::journal::prune(&keep.journal, now, &retention).map_err(|e| Failure::broken(chain(&e)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{Event, Instrument, StreamDecl};
    use barograph_store::{
        Appended, Error, ImportRecord, Inserted, PointsVersion, Pruned, Result as Stored, RunKey, RunSpec, RunWriter,
    };
    use core::sync::atomic::AtomicU32;

    /// A server that is away until so many calls have failed, and counts what it takes afterwards.
    struct Away {
        failures: Arc<AtomicU32>,
        taken: Arc<AtomicU32>,
    }

    impl Away {
        fn ask<T: Default>(&self) -> Stored<T> {
            let away = |n: u32| n.checked_sub(1);
            if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, away).is_ok() {
                let (path, retry_after) = (PathBuf::new(), Duration::from_secs(1));
                return Err(Error::Unavailable { path, retry_after, reason: "gone".to_owned() });
            }
            self.taken.fetch_add(1, Ordering::Relaxed);
            Ok(T::default())
        }
    }

    impl Writer for Away {
        fn insert_points(&mut self, _: &[Instrument], _: &[StreamDecl], _: &[Event]) -> Stored<Inserted> {
            self.ask()
        }
        fn append(&mut self, _: &LiveBatch<'_>) -> Stored<Appended> {
            self.ask()
        }
        fn replace<'a>(&'a mut self, _: &RunSpec, _: Option<Ts>, _: PointsVersion) -> Stored<Box<dyn RunWriter + 'a>> {
            Err(Error::Invalid("a live process replaces nothing".to_owned()))
        }
        fn remove_run(&mut self, _: &RunKey) -> Stored<()> {
            self.ask()
        }
        fn record_import(&mut self, _: &ImportRecord) -> Stored<()> {
            self.ask()
        }
        fn prune(&mut self, _: &Retention) -> Stored<Pruned> {
            self.ask()
        }
    }

    /// Starts the thread over a server that fails so often; what it took in the end.
    fn started(failures: u32) -> (Storing, Arc<Meter>, Arc<AtomicU32>, tempfile::TempDir) {
        let (folder, taken) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU32::new(0)));
        let writer = Away { failures: Arc::new(AtomicU32::new(failures)), taken: Arc::clone(&taken) };
        let keep = Keep {
            store: Retention::default(),
            books_every: Span::secs(30),
            journal: folder.path().join("journal"),
            journal_age: Span::days(1),
            journal_bytes: 1,
        };
        let meter = Arc::new(Meter::new(&[]));
        (Storing::start(Box::new(writer), Arc::clone(&meter), keep).unwrap(), meter, taken, folder)
    }

    fn write() -> Order {
        Order::Write(Box::default())
    }

    #[test]
    fn what_waits_for_a_server_is_written_once_it_is_back_and_retention_ends_nothing() {
        let (storing, meter, taken, _folder) = started(3);
        for order in [Order::Prune(Ts(0)), write(), write()] {
            storing.send(order, &meter).unwrap();
        }
        storing.finish().unwrap();
        // The first failure was the retention's, which is not repeated; the other two were waited for.
        assert_eq!((taken.load(Ordering::Relaxed), meter.store_queue.load(Ordering::Relaxed)), (2, 0));
    }

    #[test]
    fn who_is_told_to_stop_waits_for_no_server_however_much_is_waiting() {
        let (mut storing, meter, taken, _folder) = started(u32::MAX);
        let stop = Arc::new(AtomicBool::new(false));
        storing.heed(Arc::clone(&stop));
        // One is in the thread's hands.
        (0..=WAITING_MAX).for_each(|_| storing.send(write(), &meter).unwrap());
        stop.store(true, Ordering::Relaxed);
        let refused = storing.send(write(), &meter).unwrap_err().text().unwrap();
        assert!(refused.contains("the next start stores it"), "{refused}");
        assert!(storing.finish().is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}
