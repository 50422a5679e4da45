//! Groups of markets: what is lost on the way, workers that die, that sleep, and that come and go in order.

use super::super::{EngineStand, RosterPlan, held, run_groups};
use super::outside::{BrokerMood, MemoryOutside, MemoryWorld, SeatTrouble, until};
use super::scene::{self, SceneLife, lines};
use super::{GROUPS, MemoryWorker, check, holder, plan};
use crate::Error;
use crate::replay::journal_folder;
use barograph_cluster::Stage;
use barograph_domain::time::LATENESS;
use barograph_domain::{Span, StatusState, Ts};
use barograph_lake::journal::{Retention, prune};
use barograph_store::Range;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

const BEGIN: Ts = Ts::from_civil(2026, 10, 1, 12, 0, 20);

fn life(begin: Ts) -> SceneLife {
    SceneLife { begin, length: Span::mins(12), every: Span::secs(5) }
}

fn world() -> Arc<MemoryWorld> {
    MemoryWorld::of(lines(&[life(BEGIN)]), GROUPS)
}

/// Brings a worker to where it follows the broker, so that what comes then comes in single parcels; how many have come.
fn followed(world: &MemoryWorld, worker: &MemoryWorker) -> usize {
    let first = 20;
    world.publish(0..first, BrokerMood::Honest);
    world.stored(0..GROUPS, first);
    until("groups that follow", || worker.all(|stand| stand.stage == Stage::Following));
    first
}

/// One worker, and a broker that carries what follows the first parcels like this; `trouble` lasts while they come.
fn carried(mood: BrokerMood, trouble: Option<SeatTrouble>) {
    let world = world();
    let end = world.parcels.len();
    let worker = MemoryWorker::start(&world, "a", 1);
    let first = followed(&world, &worker);
    trouble.into_iter().for_each(|trouble| worker.outside.begins(trouble));
    trouble.into_iter().for_each(|trouble| worker.outside.begins(trouble));
    let ranges = || worker.stands().iter().map(|stand| stand.tally.ranges).collect::<Vec<_>>();
    let before = ranges();
    world.publish(first..end, mood);
    match trouble {
        Some(SeatTrouble::BrokerAway) => {
            until("the loss of the leases", || worker.all(|stand| !stand.is_held()));
            assert!((0..GROUPS).all(|group| world.through(group) < Some(world.parcels[end - 1].last())));
        }
        Some(SeatTrouble::StoreAway) => {
            let asked = worker.outside.0.asked.load(Ordering::Acquire);
            until("more tries", || worker.outside.0.asked.load(Ordering::Acquire) > asked + 4);
        }
        // The journal is enough, however long the broker brings nothing.
        _ => world.stored(0..GROUPS, end),
    }
    trouble.into_iter().for_each(|trouble| worker.outside.ends(trouble));
    world.stored(0..GROUPS, end);
    // What the broker has lost came from the journal.
    let lossy = matches!(mood, BrokerMood::Loses | BrokerMood::Swallows);
    assert!(!lossy || ranges().iter().zip(&before).all(|(now, before)| now > before), "{mood:?}: {:?}", ranges());
    assert!(worker.stands().iter().all(|stand| stand.tally.different == 0));
    worker.end();
    check(&world, world.folder.path());
}

#[test]
fn one_worker_to_whom_nothing_happens_stores_what_one_process_makes() {
    carried(BrokerMood::Honest, None);
}

#[test]
fn parcels_that_are_lost_doubled_or_out_of_order_leave_no_trace() {
    for mood in [BrokerMood::Loses, BrokerMood::Doubles, BrokerMood::Reorders] {
        carried(mood, None);
    }
}

#[test]
fn a_parcel_of_which_a_part_is_known_is_not_applied_twice() {
    let world = world();
    let end = world.parcels.len();
    let worker = MemoryWorker::start(&world, "a", 1);
    let first = followed(&world, &worker);
    // The journal is read up to the middle of a parcel, between its frames and its tick.
    let middle = world.parcels[end / 2].last() - Span::millis(100);
    assert!(world.parcels[end / 2].after() < middle);
    worker.outside.reaches(middle);
    worker.outside.begins(SeatTrouble::NoParcels);
    world.publish(first..end, BrokerMood::Honest);
    until("the middle", || worker.all(|stand| stand.at >= Some(middle)));
    worker.outside.reaches(Ts::MAX);
    worker.outside.ends(SeatTrouble::NoParcels);
    world.stored(0..GROUPS, end);
    worker.end();
    check(&world, world.folder.path());
}

#[test]
fn a_broker_or_a_store_that_is_away_for_a_while_leaves_no_trace() {
    for trouble in [SeatTrouble::NoParcels, SeatTrouble::BrokerAway, SeatTrouble::StoreAway] {
        carried(BrokerMood::Swallows, Some(trouble));
    }
}

/// How a worker ends that is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Death {
    /// With parcels on their way.
    AtOnce,
    /// The store has taken what the worker does not know to be stored.
    BehindWrite,
    /// What it has applied is not stored: the store was away for it.
    WithoutStore,
}

fn killed(death: Death) {
    let world = world();
    let end = world.parcels.len();
    // The next parcel ends with the tick that makes a minute.
    let first = 55;
    assert_eq!((world.parcels[first].last() - LATENESS).floor(Span::secs(1)).as_millis() % 60_000, 0);
    let killed = MemoryWorker::start(&world, "a", 1);
    let begun = followed(&world, &killed);
    // A checkpoint is begun when something is applied, so not everything comes at once.
    for n in begun..first {
        world.publish(n..n + 1, BrokerMood::Honest);
        world.stored(0..GROUPS, n + 1);
    }
    let kept = || (0..GROUPS).all(|group| world.checkpoint_at(group) > Some(world.parcels[begun].last()));
    until("checkpoints", kept);
    let outside = &killed.outside;
    match death {
        Death::AtOnce => world.publish(first..first + 8, BrokerMood::Honest),
        Death::BehindWrite => {
            outside.begins(SeatTrouble::EndsBehindWrite);
            world.publish(first..end - 20, BrokerMood::Honest);
            until("the last write", || outside.has(SeatTrouble::Gone));
        }
        Death::WithoutStore => {
            outside.begins(SeatTrouble::StoreAway);
            world.publish(first..end - 20, BrokerMood::Honest);
            let asked = outside.0.asked.load(Ordering::Acquire);
            until("rows that find no store", || outside.0.asked.load(Ordering::Acquire) > asked + 4);
            // As long as a checkpoint that does not wait for the store would need.
            let renewed = || (0..GROUPS).filter_map(|group| world.entry(&format!("group-{group}"))).map(|e| e.0).max();
            let before = renewed().unwrap();
            until("renewals", || renewed() > Some(before + 12));
        }
    }
    outside.begins(SeatTrouble::Gone);
    let heir = MemoryWorker::start(&world, "b", 2);
    world.publish(0..end, BrokerMood::Swallows);
    world.stored(0..GROUPS, end);
    assert!(heir.all(|stand| stand.tally.takeovers > 0 && stand.tally.different == 0), "{:?}", heir.stands());
    heir.end();
    check(&world, world.folder.path());
    let tokens = world.witness().tokens;
    assert!((0..GROUPS).all(|group| tokens[&group].len() > 1), "{death:?}: {tokens:?}");
    killed.end();
}

#[test]
fn whoever_takes_over_from_a_killed_worker_stores_what_is_missing_and_nothing_twice() {
    for death in [Death::AtOnce, Death::BehindWrite, Death::WithoutStore] {
        killed(death);
    }
}

#[test]
fn a_worker_that_wakes_up_behind_a_takeover_is_refused() {
    let world = world();
    let end = world.parcels.len();
    let (first, more) = (end / 3, end - 30);
    let sleeper = MemoryWorker::start(&world, "a", 1);
    let begun = followed(&world, &sleeper);
    world.publish(begun..first, BrokerMood::Honest);
    world.stored(0..GROUPS, first);
    // A write of each group has begun.
    sleeper.outside.begins(SeatTrouble::WritesHeld);
    world.publish(first..more, BrokerMood::Honest);
    until("writes of rows", || sleeper.outside.0.held.load(Ordering::Acquire) >= u64::from(GROUPS));
    sleeper.outside.begins(SeatTrouble::Paused);
    let other = MemoryWorker::start(&world, "b", 2);
    world.stored(0..GROUPS, more);
    assert_eq!(world.witness().refused, 0);
    sleeper.outside.ends(SeatTrouble::WritesHeld);
    sleeper.outside.ends(SeatTrouble::Paused);
    until("refusals", || world.witness().refused >= u64::from(GROUPS));
    world.publish(more..end, BrokerMood::Honest);
    world.stored(0..GROUPS, end);
    other.end();
    sleeper.end();
    check(&world, world.folder.path());
}

/// The journal lost what came behind the first quarter of a life; of its end the broker has kept so many parcels.
fn lost(kept: usize) {
    let later = BEGIN + Span::hours(3);
    let world = MemoryWorld::of(lines(&[life(BEGIN), life(later)]), GROUPS);
    let end = world.parcels.len();
    let (first, restart) = (end / 8, world.parcels.iter().position(|parcel| parcel.last() >= later).unwrap());
    let before = MemoryWorker::start(&world, "a", 1);
    world.publish(0..first, BrokerMood::Honest);
    world.stored(0..GROUPS, first);
    before.end();
    let known = world.parcels[first - 1].last();
    assert!((0..GROUPS).all(|group| world.checkpoint_at(group) == Some(known)), "it ends with a checkpoint");

    let retention = Retention { max_age: Span::hours(1), max_bytes: u64::MAX };
    let gone = prune(&journal_folder(world.folder.path()), later + Span::mins(30), &retention).unwrap();
    assert_eq!(gone.hours, [BEGIN.floor(Span::hours(1))]);
    world.publish(first..restart - kept, BrokerMood::Swallows);
    if kept > 0 {
        world.publish(restart - kept..restart, BrokerMood::Honest);
    }
    let behind = MemoryWorker::start(&world, "b", 2);
    until("owners", || behind.all(|stand| matches!(stand.stage, Stage::CatchingUp | Stage::Following)));
    world.publish(restart..end, BrokerMood::Honest);
    world.stored(0..GROUPS, end);
    behind.end();

    // One process over a journal that lacks the same.
    let alone = tempfile::tempdir().unwrap();
    scene::write(alone.path(), world.lines.iter().filter(|(at, _)| *at <= known || *at >= later));
    check(&world, alone.path());
    let reader = world.reader();
    for run in reader.runs(None).unwrap() {
        let gaps = reader.gaps(&run.spec.key, Range::ALL, 1_000, None).unwrap().items;
        let declared = gaps.iter().any(|gap| gap.known_ts >= later && gap.status.state == StatusState::Gap);
        assert!(declared, "{}: {gaps:?}", run.spec.key.instrument);
    }
}

#[test]
fn what_the_journal_no_longer_has_is_a_declared_gap() {
    lost(0);
}

/// Nobody knows what those lines would have meant behind what is missing: the next start goes on, as after damage.
#[test]
fn what_the_broker_has_kept_behind_a_lost_range_is_not_used() {
    lost(40);
}

#[test]
fn workers_share_the_groups_and_one_that_ends_in_order_leaves_its_own_at_once() {
    let world = world();
    let end = world.parcels.len();
    let member = |name: &'static str, boot: u64| {
        let (outside, stand) = (MemoryOutside::new(&world), Arc::new(EngineStand::new(GROUPS)));
        let worker = plan(&outside, holder(name, boot));
        let roster = RosterPlan { worker, ttl_ms: 2_000, stand: Arc::clone(&stand) };
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || run_groups(&roster, &asked).map_err(Error::text));
        (stand, stop, thread)
    };
    let one = member("a", 1);
    until("all groups", || held(&one.0.groups()) == usize::from(GROUPS));
    let two = member("b", 2);
    let half = || held(&one.0.groups()) == 1 && held(&two.0.groups()) == 1;
    until("a group for each", half);
    world.publish(0..end / 2, BrokerMood::Honest);
    world.stored(0..GROUPS, end / 2);

    two.1.store(true, Ordering::Relaxed);
    two.2.join().unwrap().unwrap();
    assert_eq!(world.entry("worker-b"), None, "it is on the list no longer");
    let holders: Vec<String> = (0..GROUPS).map(|group| world.entry(&format!("group-{group}")).unwrap().1).collect();
    assert!(holders.iter().all(|holder| holder == "-" || holder == "a/1"), "{holders:?}");
    until("all groups", || held(&one.0.groups()) == usize::from(GROUPS));
    world.publish(end / 2..end, BrokerMood::Honest);
    world.stored(0..GROUPS, end);
    one.1.store(true, Ordering::Relaxed);
    one.2.join().unwrap().unwrap();
    check(&world, world.folder.path());
}
