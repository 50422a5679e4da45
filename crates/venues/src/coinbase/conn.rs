//! One connection: its sequence, what it acknowledged, when it may be replaced.
//!
//! `sequence_num` counts the messages of a connection over all channels and products (sheet §4; the recording of 2026-08-09
//! runs 0 to 1029 without a break over seven channels and two products). A jump means lost messages: no book fed by the
//! connection can be trusted. Should the venue ever count otherwise, jumps and old numbers would be everywhere;
//! [`Watch`] notices and says so instead of reconnecting for ever.

use crate::session::{ConnId, LinkId};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

/// Whether a connection can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Health {
    /// Nothing was lost on it.
    Whole,
    /// Messages were lost: it feeds no book, and is closed as soon as that is allowed.
    Broken,
    /// Closing was asked for.
    Closing,
}

/// One instance of a wanted connection. What the venue's newest list on it holds is its coverage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) link: LinkId,
    /// Number expected next; `None` before the first message.
    next: Option<u64>,
    /// Data have come over it.
    pub(super) heard: bool,
    pub(super) health: Health,
    /// Newest stamp of the venue on it.
    pub(super) venue_now: Ts,
    /// Last heartbeat.
    pub(super) beat: Option<u64>,
    /// Last subscription sent and not yet compared with what the venue lists.
    pub(super) asked: Option<Ts>,
    /// The venue has sent a list at all.
    pub(super) listed: bool,
}

/// What a message's number says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sequence {
    /// The one expected.
    InOrder,
    /// Seen before, or overtaken.
    Old,
    /// Messages before this one are missing.
    Gap,
}

impl Conn {
    /// A connection that has just opened.
    pub(super) fn new(id: ConnId, link: LinkId, now: Ts) -> Self {
        Self {
            id,
            link,
            next: None,
            heard: false,
            health: Health::Whole,
            venue_now: Ts::MIN,
            beat: None,
            asked: Some(now),
            listed: false,
        }
    }

    /// Counts a message. The first number is taken as it is: before it there was nothing to lose, and a book waits for its
    /// snapshot.
    pub(super) fn count(&mut self, number: u64) -> Sequence {
        let verdict = match self.next {
            Some(next) if number < next => return Sequence::Old,
            Some(next) if number > next => Sequence::Gap,
            _ => Sequence::InOrder,
        };
        self.next = Some(number.saturating_add(1));
        verdict
    }
}

/// Decides from the share of messages out of sequence whether the sequence means what we think.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Watch {
    frames: u32,
    odd: u32,
    /// More than one message in a hundred is out of sequence.
    pub(super) storm: bool,
}

/// Messages over which the share is taken; halved when full.
const FRAMES_MAX: u32 = 4_096;
/// Fewer oddities than this are no storm, whatever their share.
const ODD_MIN: u32 = 10;

impl Watch {
    /// Counts a message; true when a storm begins.
    pub(super) fn note(&mut self, verdict: Sequence) -> bool {
        self.frames += 1;
        self.odd += u32::from(verdict != Sequence::InOrder);
        let storm = self.odd >= ODD_MIN && self.odd * 100 > self.frames;
        let begins = storm && !self.storm;
        self.storm = storm;
        if self.frames >= FRAMES_MAX {
            self.frames /= 2;
            self.odd /= 2;
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_old_or_a_gap() {
        let mut conn = Conn::new(ConnId(1), LinkId(0), Ts(0));
        let got: Vec<_> = [5, 6, 6, 4, 8, 9, 7].iter().map(|n| conn.count(*n)).collect();
        use Sequence::{Gap, InOrder, Old};
        assert_eq!(got, [InOrder, InOrder, Old, Old, Gap, InOrder, Old]);
    }

    #[test]
    fn a_storm_is_more_than_one_in_a_hundred_and_ends() {
        let mut watch = Watch::default();
        let mut begun = 0;
        for n in 0..4_000 {
            begun += u32::from(watch.note(if n % 150 == 149 { Sequence::Gap } else { Sequence::InOrder }));
        }
        assert_eq!((begun, watch.storm), (0, false));
        for n in 0..1_000 {
            begun += u32::from(watch.note(if n % 3 == 0 { Sequence::Old } else { Sequence::InOrder }));
        }
        assert_eq!((begun, watch.storm), (1, true), "said once");
        for _ in 0..60_000 {
            begun += u32::from(watch.note(Sequence::InOrder));
        }
        assert_eq!((begun, watch.storm), (1, false));
    }
}
