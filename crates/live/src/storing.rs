//! The thread that writes batches into the store, behind the journal.
//!
//! A batch is committed only when the journal holds everything it was made of, so that a killed process never leaves a minute
//! that its journal cannot make again. While the database is away batches wait here and writing goes on by itself afterwards;
//! when too many wait, what is made joins one batch in the core's hands. Who is asked to stop waits no longer: what is not
//! stored then is in the journal, and the next start stores it. Only a write that failed ends the thread; retention that did
//! not work is tried again an hour later.

use crate::delivery::Room;
use crate::meter::Meter;
use crate::publish::{Batch, Spill};
use crate::{Error, chain};
use barograph_domain::text::number_of;
use barograph_domain::{Span, Ts};
use barograph_store::{Fence, LedgerHead, LiveBatch, Outgoing, Retention, Writer};
use barograph_verify::ledger::chain::{Chains, Head, day_of};
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Batches that may wait: an hour of minutes and as much again in between. Tests fill it.
pub(crate) const WAITING_MAX: usize = if cfg!(test) { 4 } else { 128 };
/// Batches that may wait while a journal is run again: what it makes comes much faster than a store takes it.
const REPLAYED_WAITING: u64 = 2;
/// Pauses between tries while the database is away.
const RETRY: [Duration; 4] =
    [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

/// How long a process that is asked to stop still waits for a database that is away.
const LAST_WAIT: Duration = Duration::from_secs(1);
/// How soon a waiting thread sees that it is asked to stop, or that there is a place.
const STEP: Duration = Duration::from_millis(20);

/// What the thread is asked to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Write this.
    Write(Box<Batch>),
    /// Say what the journal makes otherwise than it is published; everything that it made is written by then.
    Replayed,
    /// Remove what is older than it has to be kept, journal included.
    Prune(Ts),
}

/// How long things are kept.
#[derive(Clone, Debug)]
pub struct Keep {
    /// In the database.
    pub store: Retention,
    /// Order books are stored this often (R3.40).
    pub books_every: Span,
    /// Folder of the journal.
    pub journal: PathBuf,
    /// Raw frames are kept so long.
    pub journal_age: Span,
    /// And no more bytes of them than this.
    pub journal_bytes: u64,
}

/// The thread and the way to it.
#[derive(Debug)]
pub(crate) struct Storing {
    orders: SyncSender<Order>,
    /// The process is asked to stop.
    stop: Arc<AtomicBool>,
    /// The newest input of the batches that were committed; in a cluster.
    committed: Arc<AtomicI64>,
    /// Gone with the thread.
    running: Weak<()>,
    meter: Arc<Meter>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Storing {
    /// Starts the thread for one tenure of a group: each batch carries the group and the token.
    pub(crate) fn fenced(
        writer: Box<dyn Writer>,
        (meter, keep): (Arc<Meter>, Keep),
        stop: Arc<AtomicBool>,
        fence: Option<(u16, u64)>,
    ) -> Result<Self, Error> {
        Self::begin(writer, meter, keep, stop, None, Chains::default(), fence)
    }

    /// The same for one who writes the ledger.
    pub(crate) fn fenced_with(
        writer: Box<dyn Writer>,
        (meter, keep): (Arc<Meter>, Keep),
        stop: Arc<AtomicBool>,
        fence: (u16, u64),
        chains: Chains,
    ) -> Result<Self, Error> {
        Self::begin(writer, meter, keep, stop, None, chains, Some(fence))
    }

    /// Is anything waiting or being written?
    pub(crate) fn is_busy(&self) -> bool {
        self.meter.store_queue.load(Ordering::Acquire) > 0
    }

    /// The newest input of what is committed.
    pub(crate) fn committed(&self) -> Ts {
        Ts(self.committed.load(Ordering::Acquire))
    }

    /// Has the thread stopped writing?
    pub(crate) fn has_ended(&self) -> bool {
        self.running.strong_count() == 0
    }

    /// Starts the thread over an open store. Nobody waits for a database that is away once `stop` is set.
    pub(crate) fn start(
        writer: Box<dyn Writer>,
        meter: Arc<Meter>,
        keep: Keep,
        stop: Arc<AtomicBool>,
        room: Option<Arc<Room>>,
        chains: Chains,
    ) -> Result<Self, Error> {
        Self::begin(writer, meter, keep, stop, room, chains, None)
    }

    fn begin(
        writer: Box<dyn Writer>,
        meter: Arc<Meter>,
        keep: Keep,
        stop: Arc<AtomicBool>,
        room: Option<Arc<Room>>,
        mut chains: Chains,
        fence: Option<(u16, u64)>,
    ) -> Result<Self, Error> {
        let (orders, inbox) = sync_channel(WAITING_MAX);
        let (told, counts, alive) = (Arc::clone(&stop), Arc::clone(&meter), Arc::new(()));
        let running = Arc::downgrade(&alive);
        let committed = Arc::new(AtomicI64::new(0));
        let reached = Arc::clone(&committed);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                let ended =
                    write_all(writer, &inbox, &counts, &keep, (&told, room.as_deref()), (&mut chains, fence, &reached));
                drop(alive);
                ended
            })
            .map_err(Error::failed)?;
        Ok(Self { orders, stop, committed, running, meter, thread })
    }

    /// The sign that the process is to end.
    pub(crate) fn asked_to_stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Is there a place for an order?
    pub(crate) fn has_room(&self) -> bool {
        self.meter.store_queue.load(Ordering::Relaxed) < WAITING_MAX as u64
    }

    /// Hands over an order; waits while too many are waiting, unless the process is to end.
    pub(crate) fn send(&self, order: Order) -> Result<(), Error> {
        send(&self.orders, order, &self.meter, &self.stop)
    }

    /// A way to the store for what a journal makes that is run again: at most [`REPLAYED_WAITING`] batches are under way.
    pub(crate) fn spill(&self) -> Spill {
        let (orders, meter, stop) = (self.orders.clone(), Arc::clone(&self.meter), Arc::clone(&self.stop));
        let running = Weak::clone(&self.running);
        Box::new(move |batch| {
            while meter.store_queue.load(Ordering::Acquire) >= REPLAYED_WAITING && running.strong_count() > 0 {
                if stop.load(Ordering::Relaxed) {
                    return Err(Error::Stopped);
                }
                std::thread::sleep(STEP / 10);
            }
            send(&orders, Order::Write(Box::new(batch)), &meter, &stop)
        })
    }

    /// Writes what is waiting and ends.
    pub(crate) fn finish(self) -> Result<(), Error> {
        drop(self.orders);
        self.thread.join().map_err(|_panic| Error::failed("the thread that writes the store has crashed"))?
    }
}

fn send(orders: &SyncSender<Order>, mut order: Order, meter: &Meter, stop: &AtomicBool) -> Result<(), Error> {
    meter.store_queue.fetch_add(1, Ordering::Relaxed);
    loop {
        order = match orders.try_send(order) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Disconnected(_)) => {
                return Err(Error::failed("the store has stopped writing; see the message above"));
            }
            Err(TrySendError::Full(_)) if stop.load(Ordering::Relaxed) => {
                meter.store_queue.fetch_sub(1, Ordering::Relaxed);
                return Err(Error::failed(
                    "the store is away and nothing more can wait for it; what is not stored is in the journal, and the next \
                     start stores it",
                ));
            }
            Err(TrySendError::Full(order)) => order,
        };
        std::thread::sleep(STEP);
    }
}

fn write_all(
    mut writer: Box<dyn Writer>,
    inbox: &Receiver<Order>,
    meter: &Meter,
    keep: &Keep,
    (stop, room): (&AtomicBool, Option<&Room>),
    (chains, fence, reached): (&mut Chains, Option<(u16, u64)>, &AtomicI64),
) -> Result<(), Error> {
    while let Ok(order) = inbox.recv() {
        let done = match order {
            Order::Write(mut batch) => {
                chain_up(&mut batch, chains);
                write(writer.as_mut(), &batch, fence, (meter, stop)).map(|done| {
                    reached.fetch_max(batch.reached.map_or(0, |at| at.0), Ordering::AcqRel);
                    if let Some(room) = room {
                        done.hand_over(room);
                    }
                })
            }
            Order::Replayed => {
                report_other(meter.minutes_other.load(Ordering::Relaxed));
                Ok(())
            }
            Order::Prune(now) => {
                prune(writer.as_mut(), now, keep, meter);
                Ok(())
            }
        };
        meter.store_queue.fetch_sub(1, Ordering::Release);
        if let Err(failure) = done {
            let text = failure.text().unwrap_or_default();
            write_line(format_args!("the store has failed: {text}"));
            return Err(Error::Failed(text));
        }
    }
    Ok(())
}

/// Makes the chains of the ledger longer by what a batch adds to it. Here and not in the core, which has no time for hashes.
fn chain_up(batch: &mut Batch, chains: &mut Chains) {
    for one in &mut batch.ledger {
        let day = day_of(one.tick.ts);
        let moved = chains.add(&one.tick, &one.logic_version);
        let head = |(event, head): (_, Head)| LedgerHead { day, event, rows: head.rows, head: head.hash };
        one.heads = moved.into_iter().map(head).collect();
    }
}

/// Says how many published minutes the journal makes otherwise, where it does.
fn report_other(minutes: u64) {
    match minutes {
        0 => {}
        1 => write_line(format_args!("the journal gives 1 published minute otherwise now; it stays as published")),
        n => write_line(format_args!("the journal gives {n} published minutes otherwise now; they stay as published")),
    }
}

fn write_line(line: core::fmt::Arguments<'_>) {
    // Standard error may be closed; there is nobody left to report to.
    drop(writeln!(std::io::stderr(), "barograph: [MKT] {line}"));
}

/// Waits for so long, or until the process is asked to stop; then for a last moment only.
fn pause(length: Duration, stop: &AtomicBool) {
    let begun = Instant::now();
    while begun.elapsed() < length && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(STEP);
    }
    if stop.load(Ordering::Relaxed) {
        std::thread::sleep(RETRY[0]);
    }
}

/// What a batch left to be delivered.
#[derive(Debug)]
struct Written {
    /// What the store had not known. What a replayed journal makes again was reported by an earlier process, or waits in the store
    /// and was read from there.
    new: Vec<Outgoing>,
    /// It was tried again: an earlier try may have stored it although its answer never came.
    again: bool,
}

impl Written {
    fn hand_over(self, room: &Room) {
        room.stored(self.new);
        if self.again {
            room.reread();
        }
    }
}

fn write(
    writer: &mut dyn Writer,
    batch: &Batch,
    fence: Option<(u16, u64)>,
    (meter, stop): (&Meter, &AtomicBool),
) -> Result<Written, Error> {
    if let Some(ticket) = &batch.ticket {
        ticket.wait().map_err(|e| Error::failed(chain(&e)))?;
    }
    let began = Instant::now();
    let live = LiveBatch {
        instruments: &batch.instruments,
        streams: &batch.streams,
        points: &batch.points,
        backfill: &batch.backfill,
        runs: &batch.runs,
        rows: &batch.rows,
        again: &batch.again,
        gaps: &batch.gaps,
        levels: &batch.levels,
        alerts: &batch.alerts,
        books: &batch.books,
        universe: &batch.hours,
        calendar: &batch.calendar,
        messages: &batch.messages,
        ledger: &batch.ledger,
        ledger_states: &batch.ledger_states,
        fence: fence.map(|(group, token)| Fence { group, token, through: batch.through }),
    };
    let mut tries = 0;
    let mut last_tries_since: Option<Instant> = None;
    let new = loop {
        match writer.append(&live) {
            Ok(done) => {
                let compared = u64::try_from(batch.again.len()).unwrap_or(u64::MAX);
                meter.minutes_compared.fetch_add(compared, Ordering::Relaxed);
                meter.minutes_other.fetch_add(done.rows_other, Ordering::Relaxed);
                break done.messages;
            }
            Err(e) if may_pass(&e) => {
                if stop.load(Ordering::Relaxed)
                    && last_tries_since.get_or_insert_with(Instant::now).elapsed() > LAST_WAIT
                {
                    return Err(Error::from(e));
                }
                if tries == 0 {
                    write_line(format_args!("the store is away, waiting: {}", chain(&e)));
                }
                pause(RETRY[tries.min(RETRY.len() - 1)], stop);
                tries += 1;
            }
            Err(e) => return Err(Error::from(e)),
        }
    };
    if tries > 0 {
        write_line(format_args!("the store is back"));
    }
    meter.store.add(i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX));
    Ok(Written { new, again: tries > 0 && !batch.messages.is_empty() })
}

/// Is it worth trying again?
fn may_pass(e: &barograph_store::Error) -> bool {
    matches!(e.recovery(), barograph_store::Recovery::RetryAfter)
}

/// Removes what is older than it has to be kept. Each step of it is whole in itself: what fails is reported and counted, and the
/// next hour does the rest.
fn prune(writer: &mut dyn Writer, now: Ts, keep: &Keep, meter: &Meter) {
    let failed = |what: &str, text: String| {
        meter.prunes_failed.fetch_add(1, Ordering::Relaxed);
        write_line(format_args!("the {what} is not pruned, next try in an hour: {text}"));
    };
    match writer.prune(&keep.store) {
        Ok(done) if done.rows + done.points + done.books > 0 => write_line(format_args!(
            "retention removed {}, {} and {} (rows of more than {}, the rest of more than {})",
            number_of(done.rows, "minute row"),
            number_of(done.points, "point"),
            number_of(done.books, "order book"),
            keep.store.minute_rows.spoken(),
            keep.store.raw.spoken()
        )),
        Ok(_nothing) => {}
        Err(e) => failed("store", chain(&e)),
    }
    // The journal of a cluster is another process's.
    if !keep.journal.is_dir() {
        return;
    }
    let retention = barograph_lake::journal::Retention { max_age: keep.journal_age, max_bytes: keep.journal_bytes };
    if let Err(e) = barograph_lake::journal::prune(&keep.journal, now, &retention) {
        failed("journal", chain(&e));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::never_prunes;
    use barograph_domain::{CalendarEntry, Event, Instrument, StreamDecl};
    use barograph_store::{
        Appended, Error, ImportRecord, Inserted, PointsVersion, Pruned, Result as Stored, RunKey, RunSpec, RunWriter,
        UniversePart,
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
        fn import_points(
            &mut self,
            _: &[Instrument],
            _: &[StreamDecl],
            _: &[Event],
            _: Ts,
        ) -> Stored<barograph_store::Imported> {
            self.ask()
        }
        fn import_batches(
            &mut self,
            _: &[Instrument],
            _: &[StreamDecl],
            _: &mut dyn barograph_store::Batches,
            _: Ts,
        ) -> Stored<barograph_store::Imported> {
            self.ask()
        }
        fn forget_batches(
            &mut self,
            _: &[StreamDecl],
            _: &mut dyn barograph_store::Batches,
            _: Ts,
            _: bool,
        ) -> Stored<barograph_store::Forgotten> {
            self.ask()
        }
        fn fence(&mut self, _: u16, _: u64) -> Stored<barograph_store::FenceState> {
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
        fn replace_universe(&mut self, _: &UniversePart<'_>) -> Stored<u64> {
            self.ask()
        }
        fn replace_ledger(&mut self, _: &barograph_store::LedgerPart<'_>) -> Stored<u64> {
            self.ask()
        }
        fn put_calendar(&mut self, _: &[CalendarEntry]) -> Stored<u64> {
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
    fn started(failures: u32, stop: &Arc<AtomicBool>) -> (Storing, Arc<Meter>, Arc<AtomicU32>, tempfile::TempDir) {
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
        let storing =
            Storing::start(Box::new(writer), Arc::clone(&meter), keep, Arc::clone(stop), None, Chains::default())
                .unwrap();
        (storing, meter, taken, folder)
    }

    fn write() -> Order {
        Order::Write(Box::default())
    }

    #[test]
    fn what_waits_for_a_server_is_written_once_it_is_back_and_retention_ends_nothing() {
        let (storing, meter, taken, _folder) = started(3, &Arc::default());
        for order in [Order::Prune(Ts(0)), write(), write()] {
            storing.send(order).unwrap();
        }
        storing.finish().unwrap();
        // The first failure was the retention's, which is not repeated; the other two were waited for.
        assert_eq!((taken.load(Ordering::Relaxed), meter.store_queue.load(Ordering::Relaxed)), (2, 0));
    }

    #[test]
    fn who_is_told_to_stop_waits_for_no_server_however_much_is_waiting() {
        let stop = Arc::new(AtomicBool::new(false));
        let (storing, _meter, taken, _folder) = started(u32::MAX, &stop);
        // One is in the thread's hands.
        (0..=WAITING_MAX).for_each(|_| storing.send(write()).unwrap());
        stop.store(true, Ordering::Relaxed);
        let refused = storing.send(write()).unwrap_err().text().unwrap();
        assert!(refused.contains("the next start stores it"), "{refused}");
        assert!(storing.finish().is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn told_is_what_the_store_had_not_known_and_the_outbox_is_read_where_nobody_knows() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _appended) = never_prunes(&folder.path().join("store"));
        let message = barograph_notify::sample::message(Ts::from_civil(2026, 2, 5, 14, 35, 0));
        let batch = Batch { messages: vec![Outgoing { message, deliveries: Vec::new() }], ..Batch::default() };
        let (meter, stop) = (Meter::default(), AtomicBool::new(false));
        let told = |writer: &mut dyn Writer| {
            let done = super::write(writer, &batch, None, (&meter, &stop)).unwrap();
            (done.new, done.again)
        };
        assert_eq!(told(writer.as_mut()), (batch.messages.clone(), false));
        assert_eq!(told(writer.as_mut()), (Vec::new(), false), "a journal that is run again makes it again");
        let mut away = Away { failures: Arc::new(AtomicU32::new(1)), taken: Arc::default() };
        assert!(told(&mut away).1, "the first try may have stored it although its answer was lost");
    }

    /// A database that is away, a journal that cannot be read: none of it is the end.
    #[test]
    fn retention_that_does_not_work_is_told_and_counted_and_writing_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let meter = Arc::new(Meter::default());
        // A folder where a file of the journal should be.
        let journal = folder.path().join("journal");
        std::fs::create_dir_all(journal.join("control/date=2026-10-01/0.zst")).unwrap();
        let keep = Keep {
            store: Retention::default(),
            books_every: Span::secs(30),
            journal,
            journal_age: Span::days(7),
            journal_bytes: 1,
        };
        let (writer, appended) = never_prunes(&folder.path().join("store"));
        let storing =
            Storing::start(writer, Arc::clone(&meter), keep, Arc::default(), None, Chains::default()).unwrap();
        for _ in 0..2 {
            storing.send(Order::Prune(Ts::from_civil(2026, 11, 1, 0, 0, 0))).unwrap();
            storing.send(Order::Write(Box::default())).unwrap();
        }
        storing.finish().unwrap();
        assert_eq!(appended.load(Ordering::Relaxed), 2);
        assert_eq!(meter.prunes_failed.load(Ordering::Relaxed), 4, "store and journal, twice");
    }
}
