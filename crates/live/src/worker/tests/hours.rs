//! Hours between markets: behind the slowest group, and the same whoever makes them.

use super::super::{UniversePlan, UniverseStand, run_universe};
use super::outside::{BrokerMood, MemoryOutside, MemoryWorld, SeatTrouble, until};
use super::scene::{SceneLife, lines};
use super::{GROUPS, MemoryWorker, check, holder, keep};
use crate::delivery::Room;
use crate::tests::setup;
use crate::{Error, ledger_check};
use barograph_cluster::TenurePace;
use barograph_domain::{Span, Ts};
use barograph_net::SystemClock;
use barograph_store::Range;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;

const BEGIN: Ts = Ts::from_civil(2026, 10, 1, 12, 49, 45);

/// A worker that makes hours.
struct HoursWorker {
    outside: MemoryOutside,
    stand: Arc<UniverseStand>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<(), Option<String>>>,
}

impl HoursWorker {
    fn start(world: &Arc<MemoryWorld>, runtime: &tokio::runtime::Runtime, (name, boot): (&str, u64)) -> Self {
        let (outside, stand) = (MemoryOutside::new(world), Arc::new(UniverseStand::default()));
        let (target, handle) = (world.target(), runtime.handle().clone());
        let open = move || Room::open(Vec::new(), &target, &setup().book, Arc::new(SystemClock), handle.clone());
        let plan = UniversePlan {
            me: holder(name, boot),
            groups: GROUPS,
            setup: setup(),
            keep: keep(world.folder.path()),
            pace: TenurePace::of_ttl(1_000),
            room: Arc::new(open),
            outside: Arc::new(outside.clone()),
            stand: Arc::clone(&stand),
        };
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || run_universe(&plan, &asked).map_err(Error::text));
        Self { outside, stand, stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap().unwrap();
    }
}

#[test]
fn hours_wait_for_the_slowest_group_and_whoever_takes_over_makes_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let life = SceneLife { begin: BEGIN, length: Span::mins(135), every: Span::secs(15) };
    let world = MemoryWorld::of(lines(&[life]), GROUPS);
    let logic = setup().logic_version;
    let hours = || world.reader().published_hours(&logic, Range::ALL).unwrap();
    let end = world.parcels.len();
    // Each group has a worker of its own, so that one of them can be late.
    let [quick, slow] = [MemoryWorker::start_one(&world, "a", 0), MemoryWorker::start_one(&world, "b", 1)];
    let late = BEGIN + Span::mins(9);
    slow.outside.reaches(late);
    let first = HoursWorker::start(&world, &runtime, ("u", 1));
    world.publish(0..end / 2, BrokerMood::Honest);
    world.stored(0..1, end / 2);
    let waits = || {
        let reach = first.stand.reach();
        reach.is_some_and(|reach| {
            reach.behind == 1 && reach.complete.is_some_and(|minute| minute + Span::mins(2) >= late)
        })
    };
    until("a watermark at the slow group", waits);
    assert_eq!(hours(), []);
    slow.outside.reaches(Ts::MAX);
    world.stored(0..GROUPS, end / 2);
    until("an hour", || !hours().is_empty());

    // It is gone, and another one goes on.
    let token = first.stand.token();
    first.outside.begins(SeatTrouble::Gone);
    let second = HoursWorker::start(&world, &runtime, ("v", 2));
    until("another one", || second.stand.token() > token && token.is_some());
    world.publish(end / 2..end, BrokerMood::Honest);
    world.stored(0..GROUPS, end);
    until("all hours", || hours().len() >= 3);
    let found = check(&world, world.folder.path());
    assert_eq!((found.hours, found.hours_equal), (3, 3));
    let witness = world.witness();
    assert!(witness.hours.iter().all(|(_, behind)| *behind), "{:?}", witness.hours);
    for worker in [first, second] {
        worker.end();
    }
    let ledger = ledger_check::run(world.reader().as_ref(), &setup(), true, &mut |_| ()).map_err(Error::text).unwrap();
    assert!(ledger.is_equal() && ledger.ticks > 20, "{ledger:?}");
    for worker in [quick, slow] {
        worker.end();
    }
}
