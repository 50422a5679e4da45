//! What was already delivered: two instances of one connection, a reconnect and a repair all bring the same facts again.
//!
//! [`Ids`] remembers the last identities of one stream with their stamps, [`Minutes`] which of the last closed bars were
//! emitted. Both are bounded: [`Ids::MAX`] identities of 16 bytes, grown as needed, and 128 minutes in 24 bytes.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// Whether a fact is new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admit {
    /// Not seen before.
    New,
    /// Seen before.
    Seen,
    /// Older than everything remembered: nobody can say.
    TooLate,
}

/// Identities of the newest facts of one stream.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Ids {
    ring: Vec<(Ts, u64)>,
    /// Where the next one goes once the ring is full.
    at: usize,
    newest: Option<Ts>,
    /// Newest stamp that was forgotten.
    forgotten: Option<Ts>,
}

impl Ids {
    /// Identities kept: Bybit sends at most 1,024 trades in one message, and the same message may come twice in a row.
    pub const MAX: usize = 1_024;

    /// Asks and remembers. Facts newer than all before are new without a search, which is the usual case.
    pub fn admit(&mut self, at: Ts, id: u64) -> Admit {
        let fresh = self.newest.is_none_or(|n| at > n);
        if !fresh {
            if self.ring.iter().any(|e| e.1 == id && e.0 == at) {
                return Admit::Seen;
            }
            if self.forgotten.is_some_and(|f| at < f) {
                return Admit::TooLate;
            }
        }
        self.newest = self.newest.max(Some(at));
        if self.ring.len() < Self::MAX {
            self.ring.push((at, id));
        } else {
            let old = core::mem::replace(&mut self.ring[self.at], (at, id));
            self.forgotten = self.forgotten.max(Some(old.0));
            self.at = (self.at + 1) % Self::MAX;
        }
        Admit::New
    }

    /// Takes all the memory it will ever need now: streams whose every fact is hot do this once.
    pub fn reserve(&mut self) {
        if self.ring.capacity() < Self::MAX {
            self.ring.reserve_exact(Self::MAX - self.ring.len());
        }
    }

    /// Newest stamp admitted.
    #[must_use]
    pub fn newest(&self) -> Option<Ts> {
        self.newest
    }
}

/// Which of the newest closed one-minute bars were emitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Minutes {
    newest: Option<i64>,
    bits: u128,
}

impl Minutes {
    /// Asks whether the bar that closes at `close` is new, and remembers it.
    pub fn admit(&mut self, close: Ts) -> Admit {
        let minute = close.0.div_euclid(Span::mins(1).0);
        let newest = *self.newest.get_or_insert(minute);
        let behind = newest.saturating_sub(minute);
        match u32::try_from(behind) {
            Ok(n) if n < 128 => {
                let bit = 1_u128 << n;
                let seen = self.bits & bit != 0;
                self.bits |= bit;
                if seen { Admit::Seen } else { Admit::New }
            }
            Ok(_) => Admit::TooLate,
            Err(_) if behind > 0 => Admit::TooLate,
            Err(_) => {
                let ahead = u32::try_from(minute.saturating_sub(newest)).unwrap_or(u32::MAX);
                self.bits = self.bits.checked_shl(ahead).unwrap_or(0) | 1;
                self.newest = Some(minute);
                Admit::New
            }
        }
    }
}

impl Minutes {
    /// Was the bar that closes at `close` emitted?
    #[must_use]
    pub fn has(&self, close: Ts) -> bool {
        let behind = self.newest.map(|n| n.saturating_sub(close.0.div_euclid(Span::mins(1).0)));
        behind.and_then(|b| u32::try_from(b).ok()).is_some_and(|n| n < 128 && self.bits & (1_u128 << n) != 0)
    }
}

/// A stable 64-bit identity of bytes (FNV-1a): for ids that are not numbers.
#[must_use]
pub fn identity(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fact_is_admitted_once_in_whatever_order() {
        let mut ids = Ids::default();
        for (at, id, want) in [
            (10, 1, Admit::New),
            (10, 2, Admit::New),
            (10, 1, Admit::Seen),
            (12, 3, Admit::New),
            (11, 4, Admit::New),
            (11, 4, Admit::Seen),
            (12, 3, Admit::Seen),
        ] {
            assert_eq!(ids.admit(Ts(at), id), want, "{at} {id}");
        }
    }

    #[test]
    fn memory_is_bounded_and_says_so() {
        let mut ids = Ids::default();
        for n in 0..3_000 {
            assert_eq!(ids.admit(Ts(n), n.unsigned_abs()), Admit::New);
        }
        assert_eq!(ids.ring.len(), Ids::MAX);
        assert_eq!(ids.admit(Ts(2_999), 2_999), Admit::Seen);
        assert_eq!(ids.admit(Ts(1_900), 1_900), Admit::TooLate);
        assert_eq!(ids.admit(Ts(1_980), 1_980), Admit::Seen);
        assert_eq!(ids.admit(Ts(1_980), 7), Admit::New, "late, but within memory");
    }

    #[test]
    fn bars_are_admitted_once() {
        let at = |m: i64| Ts(0) + Span::mins(m);
        let mut minutes = Minutes::default();
        for (m, want) in [
            (1_000, Admit::New),
            (1_000, Admit::Seen),
            (998, Admit::New),
            (1_001, Admit::New),
            (1_000, Admit::Seen),
            (999, Admit::New),
            (998, Admit::Seen),
            (1_300, Admit::New),
            (1_301, Admit::New),
            (1_300, Admit::Seen),
            (1_173, Admit::TooLate),
            (1_174, Admit::New),
        ] {
            assert_eq!(minutes.admit(at(m)), want, "{m}");
        }
    }
}
