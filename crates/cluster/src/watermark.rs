//! Through which stamp every group is stored: what the universe worker waits for.
//!
//! An hour between markets is made from stored rows, when all rows of that hour are there, never when the last one seems to have come. Rows are
//! made by ticks and by nothing else, so what counts is the newest *tick* of each group whose rows are stored: a frame later than the
//! end of an hour says nothing of the row that the tick behind it will make.

use crate::GroupId;
use barograph_domain::Ts;
use barograph_domain::time::LATENESS;

/// The newest stored tick of each group. Groups come and go only with the settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watermark {
    ticked: Vec<Option<Ts>>,
}

impl Watermark {
    /// Of as many groups as the settings have, none of which has stored anything.
    #[must_use]
    pub fn new(groups: u16) -> Self {
        Self { ticked: vec![None; usize::from(groups)] }
    }

    /// The store has all rows of a group that ticks up to and with `tick` made. Earlier ones than known, and groups that the settings do not
    /// have, change nothing.
    pub fn stored(&mut self, group: GroupId, tick: Ts) {
        if let Some(known) = self.ticked.get_mut(usize::from(group.0)) {
            *known = (*known).max(Some(tick));
        }
    }

    /// The tick through which every group is stored; `None` while one has stored nothing, or there is no group.
    #[must_use]
    pub fn through(&self) -> Option<Ts> {
        self.ticked.iter().copied().min().flatten()
    }

    /// May a row over rows of minutes up to `end` be made? Rows of the minute that ends there use inputs up to 200 ms later.
    #[must_use]
    pub fn covers(&self, end: Ts) -> bool {
        self.through().is_some_and(|through| through >= end + LATENESS)
    }

    /// How many groups [`Self::covers`] of the same `end` waits for.
    #[must_use]
    pub fn behind(&self, end: Ts) -> usize {
        self.ticked.iter().filter(|tick| tick.is_none_or(|tick| tick < end + LATENESS)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::time::Span;

    #[test]
    fn an_hour_waits_for_the_slowest_group() {
        let end = Ts(0) + Span::hours(1);
        let mut mark = Watermark::new(2);
        let cases = [
            (0, end + Span::secs(5), None, false),
            (1, end + Span::millis(199), Some(end + Span::millis(199)), false),
            (1, end, Some(end + Span::millis(199)), false),
            (1, end + Span::millis(200), Some(end + Span::millis(200)), true),
            (7, Ts(0), Some(end + Span::millis(200)), true),
        ];
        assert_eq!(mark.behind(end), 2);
        for (group, tick, through, covers) in cases {
            mark.stored(GroupId(group), tick);
            assert_eq!((mark.through(), mark.covers(end)), (through, covers), "group {group} at {}", tick.0);
            assert_eq!(mark.behind(end), usize::from(!covers), "group {group} at {}", tick.0);
        }
        assert!(!Watermark::new(0).covers(end));
    }
}
