//! The universe worker: asks the store how far every group is, and makes the hours that are covered.

use super::engine::hour_end;
use super::world::{Bug, Happens, StoreAsk, World};
use barograph_cluster::{GroupId, Watermark};
use barograph_domain::Ts;

const EVERY_MS: u64 = 250;

#[derive(Debug)]
pub(crate) struct Universe {
    pub(crate) boot: u64,
    pub(crate) is_up: bool,
    mark: Watermark,
    next_hour: i64,
}

impl Universe {
    pub(crate) fn new(boot: u64, groups: u16) -> Self {
        Self { boot, is_up: true, mark: Watermark::new(groups), next_hour: 0 }
    }
}

impl World {
    pub(crate) fn universe_ticked(&mut self, boot: u64) {
        if boot == self.universe.boot && self.universe.is_up {
            self.ask_store(StoreAsk::Marks { boot });
            self.send(EVERY_MS, Happens::UniverseTick(boot));
        }
    }

    /// The newest stored tick of each group, and the last hour that is written.
    pub(crate) fn marks(&mut self, boot: u64, ticked: &[Option<Ts>], written: Option<i64>) {
        if boot != self.universe.boot || !self.universe.is_up {
            return;
        }
        let universe = &mut self.universe;
        universe.next_hour = written.map_or(0, |hour| hour + 1);
        // The planted bug: what one group has reached counts for all.
        let any = ticked.iter().copied().max().flatten();
        for (group, tick) in (0..).map(GroupId).zip(ticked) {
            let tick = if self.bug == Bug::HoursByArrival { any } else { *tick };
            if let Some(tick) = tick {
                universe.mark.stored(group, tick);
            }
        }
        while self.universe.mark.covers(hour_end(self.universe.next_hour)) {
            let hour = self.universe.next_hour;
            self.universe.next_hour += 1;
            self.ask_store(StoreAsk::Hour(hour));
        }
    }
}
