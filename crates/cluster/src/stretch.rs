//! Stretches of the journal, and following them without a hole.
//!
//! A message covers *every* input of its group with a stamp in `(after, last]`, also where there was none. So a follower knows from two
//! messages alone whether something is missing between them: the `after` of the second has to be the `last` of the first.
//!
//! Messages behind a hole are kept, within limits, until the hole is filled. Those let go are not lost: their stamps are remembered,
//! and the journal has them.

use barograph_domain::Ts;
use std::collections::BTreeMap;

/// A part of the journal: all stamps later than `after`, up to and with `last`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct JournalStretch {
    after: Ts,
    last: Ts,
}

impl JournalStretch {
    /// The stamps in `(after, last]`; none where both are equal. `None` if `last` is before `after`.
    #[must_use]
    pub fn new(after: Ts, last: Ts) -> Option<Self> {
        (after <= last).then_some(Self { after, last })
    }
    /// The stamp before its first: not part of it.
    #[must_use]
    pub const fn after(self) -> Ts {
        self.after
    }
    /// Its last stamp: part of it.
    #[must_use]
    pub const fn last(self) -> Ts {
        self.last
    }
}

/// What carries inputs: the machines here read its stretch and its size, and hand it back to be applied.
pub trait StretchMessage {
    /// The stamps it covers.
    fn stretch(&self) -> JournalStretch;
    /// Bytes it takes in memory.
    fn weight(&self) -> usize;
}

impl StretchMessage for JournalStretch {
    fn stretch(&self) -> JournalStretch {
        *self
    }
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

/// How a stretch stands to the place a follower has reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StretchVerdict {
    /// It begins exactly there.
    Next,
    /// It begins before and ends behind: inputs up to that place are to be skipped.
    Overlaps,
    /// All of it was applied.
    Known,
    /// Something is missing before it.
    Missing(Hole),
}

/// Stamps that are missing: `(after, until]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hole {
    /// The last stamp before them.
    pub after: Ts,
    /// The last of them.
    pub until: Ts,
}

/// A message whose turn it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextStretch<M> {
    /// The message.
    pub message: M,
    /// Its inputs with stamps up to this one were applied before: skip them.
    pub after: Ts,
}

/// How much may be kept behind a hole. One message is always kept, whatever its size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeptLimits {
    /// So many messages.
    pub count: usize,
    /// Bytes of their weights.
    pub bytes: usize,
}

/// A place in the journal, and messages that wait for theirs.
#[derive(Clone, Debug)]
pub struct Follower<M> {
    at: Ts,
    /// By the beginning of their stretch.
    kept: BTreeMap<Ts, M>,
    kept_bytes: usize,
    limits: KeptLimits,
    /// The latest stamp of any message, kept or let go.
    seen: Ts,
}

impl<M: StretchMessage> Follower<M> {
    /// Starts behind `at`: everything up to and with it is applied.
    #[must_use]
    pub const fn new(at: Ts, limits: KeptLimits) -> Self {
        Self { at, kept: BTreeMap::new(), kept_bytes: 0, limits, seen: at }
    }

    /// The last stamp that was applied or declared a gap.
    #[must_use]
    pub const fn at(&self) -> Ts {
        self.at
    }

    /// How a stretch stands to [`Self::at`].
    #[must_use]
    pub fn judge(&self, stretch: JournalStretch) -> StretchVerdict {
        match () {
            () if stretch.last <= self.at => StretchVerdict::Known,
            () if stretch.after > self.at => StretchVerdict::Missing(Hole { after: self.at, until: stretch.after }),
            () if stretch.after == self.at => StretchVerdict::Next,
            () => StretchVerdict::Overlaps,
        }
    }

    /// Keeps a message until [`Self::take`] hands it out; one that is known is dropped. Of two that begin alike the longer is kept. Beyond
    /// the limits those farthest ahead are let go.
    pub fn offer(&mut self, message: M) {
        let stretch = message.stretch();
        if self.judge(stretch) == StretchVerdict::Known {
            return;
        }
        self.seen = self.seen.max(stretch.last);
        if self.kept.get(&stretch.after).is_some_and(|k| k.stretch().last >= stretch.last) {
            return;
        }
        self.kept_bytes += message.weight();
        if let Some(shorter) = self.kept.insert(stretch.after, message) {
            self.kept_bytes -= shorter.weight();
        }
        while self.kept.len() > 1 && (self.kept.len() > self.limits.count || self.kept_bytes > self.limits.bytes) {
            if let Some((_, farthest)) = self.kept.pop_last() {
                self.kept_bytes -= farthest.weight();
            }
        }
    }

    /// The next message in order, if it is here; following goes on behind it.
    pub fn take(&mut self) -> Option<NextStretch<M>> {
        while let Some(first) = self.kept.first_entry().filter(|first| *first.key() <= self.at) {
            let message = first.remove();
            self.kept_bytes -= message.weight();
            let last = message.stretch().last;
            if last > self.at {
                let after = std::mem::replace(&mut self.at, last);
                return Some(NextStretch { message, after });
            }
        }
        None
    }

    /// Is a message here that [`Self::take`] would hand out?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.kept.range(..=self.at).any(|(_, message)| message.stretch().last > self.at)
    }

    /// What is missing before the next message that was seen; `None` where one is ready, or nothing later is known.
    #[must_use]
    pub fn hole(&self) -> Option<Hole> {
        if self.is_ready() {
            return None;
        }
        let until = self.kept.range(self.at..).next().map_or(self.seen, |(after, _)| *after);
        (until > self.at).then_some(Hole { after: self.at, until })
    }

    /// The journal cannot give `(after, until]`: following goes on behind it, or at the first kept message if that begins earlier. The gap to
    /// declare, or `None` if nothing of it is missing here: it was applied, or it begins later than what is missing.
    pub fn lost(&mut self, lost: Hole) -> Option<Hole> {
        if lost.after > self.at || lost.until <= self.at || self.is_ready() {
            return None;
        }
        let until = self.kept.range(self.at..).next().map_or(lost.until, |(after, _)| lost.until.min(*after));
        let after = std::mem::replace(&mut self.at, until);
        self.seen = self.seen.max(until);
        Some(Hole { after, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: KeptLimits = KeptLimits { count: 4, bytes: 1_000 };

    fn stretch(after: i64, last: i64) -> JournalStretch {
        JournalStretch::new(Ts(after), Ts(last)).unwrap()
    }

    fn hole(after: i64, until: i64) -> Hole {
        Hole { after: Ts(after), until: Ts(until) }
    }

    #[test]
    fn a_stretch_does_not_end_before_it_begins() {
        assert_eq!(JournalStretch::new(Ts(2), Ts(1)), None);
        assert_eq!(JournalStretch::new(Ts(2), Ts(2)).map(JournalStretch::last), Some(Ts(2)));
    }

    #[test]
    fn a_stretch_is_judged_by_where_it_begins_and_ends() {
        let follower = Follower::<JournalStretch>::new(Ts(10), LIMITS);
        let cases = [
            (stretch(10, 12), StretchVerdict::Next),
            (stretch(9, 11), StretchVerdict::Overlaps),
            (stretch(9, 10), StretchVerdict::Known),
            (stretch(10, 10), StretchVerdict::Known),
            (stretch(11, 12), StretchVerdict::Missing(hole(10, 11))),
        ];
        for (stretch, verdict) in cases {
            assert_eq!(follower.judge(stretch), verdict, "{stretch:?}");
        }
    }

    /// Stretches that arrive, what comes out as (skip up to, last), and what is missing then.
    type Case = (&'static [(i64, i64)], &'static [(i64, i64)], Option<Hole>);

    fn followed(limits: KeptLimits, arrive: &[(i64, i64)]) -> (Vec<(i64, i64)>, Option<Hole>) {
        let mut follower = Follower::new(Ts(0), limits);
        let mut out = Vec::new();
        for (after, last) in arrive {
            follower.offer(stretch(*after, *last));
            while let Some(next) = follower.take() {
                out.push((next.after.0, next.message.last().0));
            }
        }
        (out, follower.hole())
    }

    #[test]
    fn messages_behind_a_hole_wait_for_it() {
        let cases: [Case; 6] = [
            (&[(0, 2), (2, 5)], &[(0, 2), (2, 5)], None),
            (&[(2, 5), (0, 2)], &[(0, 2), (2, 5)], None),
            (&[(0, 2), (0, 2), (2, 2)], &[(0, 2)], None),
            (&[(2, 5), (7, 9)], &[], Some(hole(0, 2))),
            (&[(2, 5), (7, 9), (0, 3)], &[(0, 3), (3, 5)], Some(hole(5, 7))),
            (&[(2, 3), (2, 5), (0, 2)], &[(0, 2), (2, 5)], None),
        ];
        for (arrive, applied, hole) in cases {
            assert_eq!(followed(LIMITS, arrive), (applied.to_vec(), hole), "{arrive:?}");
        }
    }

    #[test]
    fn what_is_let_go_is_still_missing() {
        let two = KeptLimits { count: 2, ..LIMITS };
        let small = KeptLimits { bytes: 2 * size_of::<JournalStretch>(), ..LIMITS };
        for limits in [two, small] {
            let (applied, missing) = followed(limits, &[(1, 2), (2, 3), (3, 4), (4, 5), (0, 1)]);
            assert_eq!((applied, missing), (vec![(0, 1), (1, 2)], Some(hole(2, 5))));
        }
    }

    #[test]
    fn what_is_lost_ends_where_a_kept_message_begins() {
        let cases =
            [(hole(0, 9), Some(hole(0, 4))), (hole(0, 2), Some(hole(0, 2))), (hole(1, 4), None), (hole(-5, 0), None)];
        for (lost, gap) in cases {
            let mut follower = Follower::new(Ts(0), LIMITS);
            follower.offer(stretch(4, 6));
            assert_eq!(follower.lost(lost), gap, "{lost:?}");
            assert_eq!(follower.at(), gap.map_or(Ts(0), |g| g.until));
        }
    }

    proptest! {
        /// Whatever order, however often: every stamp is applied once and in order, once fetches fill what is missing.
        #[test]
        fn every_stamp_once(seed in any::<u64>(), count in 1_usize..6) {
            let mut random = barograph_domain::random::SplitMix::new(seed);
            let mut follower = Follower::new(Ts(0), KeptLimits { count, bytes: 1_000 });
            let mut next = 1;
            for _ in 0..60 {
                let after = i64::try_from(random.below(40)).unwrap();
                let offered = match follower.hole().filter(|_| random.below(3) == 0) {
                    Some(hole) => stretch(hole.after.0, hole.until.0),
                    None => stretch(after, after + 1 + i64::try_from(random.below(4)).unwrap()),
                };
                follower.offer(offered);
                while let Some(taken) = follower.take() {
                    prop_assert_eq!(taken.after.0 + 1, next);
                    prop_assert!(taken.message.after() <= taken.after && taken.after < taken.message.last());
                    next = taken.message.last().0 + 1;
                }
                prop_assert_eq!(follower.at().0 + 1, next);
                prop_assert!(follower.kept.len() <= count);
                prop_assert_eq!(follower.kept_bytes, follower.kept.len() * size_of::<JournalStretch>());
            }
        }
    }
}
