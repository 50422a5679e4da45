//! Workers over memory: the same threads as over a server, with a broker, leases and a store that fail when a test wants it. Whatever
//! happens, what is stored is what one process makes of the same journal.

mod groups;
mod hours;
mod outside;
mod scene;

use super::{GroupStand, GroupThread, WorkerPlan};
use crate::core::{Core, CoreSink};
use crate::storing::Keep;
use crate::tests::setup;
use crate::verify::{self, Found};
use crate::{Error, replay};
use barograph_cluster::{CoursePace, Holder, KeptLimits, TenurePace, WorkerId, WorkerSettings};
use barograph_domain::{MinuteRow, Span, Ts, UniverseRow};
use barograph_engine::AlertOut;
use barograph_store::Retention;
use core::ops::Range;
use outside::{MemoryOutside, MemoryWorld};
use std::path::Path;
use std::sync::Arc;

/// How many groups there are; each has some of the markets.
const GROUPS: u16 = 2;
/// Of a lease. Where a busy machine takes longer, a worker loses it and takes it again, and the result is the same.
const TTL_MS: u64 = 400;

/// What one process makes, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct MadeAlone {
    rows: u64,
    alerts: u64,
    hours: u64,
}

impl CoreSink for MadeAlone {
    fn row(&mut self, _row: &MinuteRow) -> Result<(), Error> {
        self.rows += 1;
        Ok(())
    }
    fn alert(&mut self, _alert: &AlertOut) -> Result<(), Error> {
        self.alerts += 1;
        Ok(())
    }
    fn hour(&mut self, _row: &UniverseRow) -> Result<(), Error> {
        self.hours += 1;
        Ok(())
    }
}

/// The store has what one process makes of the journal in this folder: as many minutes and alerts, each the same, and no minute came
/// twice as news.
#[track_caller]
fn check(world: &MemoryWorld, journal: &Path) -> Found {
    let mut alone = MadeAlone::default();
    let (core, _): (Option<Core>, _) = replay::run(journal, &setup(), None, &mut alone).map_err(Error::text).unwrap();
    assert!(core.is_some() && alone.rows > 20 && alone.alerts > 4, "{alone:?}");
    let found = verify::run(journal, world.reader().as_ref()).map_err(Error::text).unwrap();
    assert_eq!(found.differences, [] as [String; 0]);
    assert_eq!((found.equal, found.alerts_equal), (found.published, found.alerts));
    assert_eq!((found.published, found.alerts), (alone.rows, alone.alerts));
    let witness = world.witness();
    assert_eq!(witness.repeated, 0, "nothing is stored twice");
    for (group, tokens) in &witness.tokens {
        assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]), "group {group}: {tokens:?}");
    }
    found
}

fn holder(name: &str, boot: u64) -> Holder {
    Holder { worker: WorkerId::new(name), boot }
}

/// What a worker of this name is made of, with every wait as short as it may be.
fn plan(outside: &MemoryOutside, me: Holder) -> WorkerPlan {
    let folder = outside.0.world.folder.path();
    WorkerPlan {
        me,
        groups: GROUPS,
        setup: setup(),
        keep: keep(folder),
        target: outside.0.world.target(),
        room: None,
        settings: WorkerSettings {
            lease: TenurePace::of_ttl(TTL_MS),
            course: CoursePace {
                kept: KeptLimits { count: 256, bytes: 64 << 20 },
                hole_ms: 20,
                silent_ms: 150,
                retry_ms: 1_000,
                unstored_max: 64,
                checkpoint_pieces: 2,
                checkpoint_min_ms: 50,
                checkpoint_max_ms: 1_000,
                deposit_ms: 1_000,
            },
            beginning: Ts(0),
            release_ms: 20_000,
            load_ms: 500,
        },
        outside: Arc::new(outside.clone()),
    }
}

/// The journal is another process's: workers have none.
fn keep(folder: &Path) -> Keep {
    Keep {
        store: Retention { minute_rows: Span::days(90), raw: Span::days(7), ..Retention::default() },
        books_every: Span::secs(30),
        journal: folder.join("none"),
        journal_age: Span::days(7),
        journal_bytes: u64::MAX,
    }
}

/// A worker with the groups that it wants.
struct MemoryWorker {
    outside: MemoryOutside,
    groups: Vec<GroupThread>,
}

impl MemoryWorker {
    fn start(world: &Arc<MemoryWorld>, name: &str, boot: u64) -> Self {
        Self::of(world, holder(name, boot), 0..GROUPS)
    }

    /// One that wants this group alone.
    fn start_one(world: &Arc<MemoryWorld>, name: &str, group: u16) -> Self {
        Self::of(world, holder(name, 1), group..group + 1)
    }

    fn of(world: &Arc<MemoryWorld>, me: Holder, groups: Range<u16>) -> Self {
        let outside = MemoryOutside::new(world);
        let plan = plan(&outside, me);
        let groups: Vec<GroupThread> =
            groups.map(|group| GroupThread::start(group, plan.clone()).map_err(Error::text).unwrap()).collect();
        groups.iter().for_each(|group| group.want(true));
        Self { outside, groups }
    }

    fn stands(&self) -> Vec<GroupStand> {
        self.groups.iter().map(GroupThread::stand).collect()
    }

    fn all(&self, is_so: impl Fn(&GroupStand) -> bool) -> bool {
        assert!(!self.groups.iter().any(GroupThread::has_ended), "a thread has ended by itself");
        self.stands().iter().all(is_so)
    }

    /// Ends in order.
    fn end(self) {
        self.groups.into_iter().for_each(GroupThread::end);
    }
}
