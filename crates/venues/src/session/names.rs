//! From a venue's symbol to the market: a small open-addressing table.
//!
//! Deterministic (no random seed), found by the bytes as they stand in the message, without allocation. Names stand in the table
//! itself: a message of one of a thousand markets finds nothing of it in the processor's cache, and waits once instead of thrice.

use crate::session::MarketIndex;

use std::collections::BTreeMap;

/// Bytes of a name that stand in the table; the longest symbol of a venue that is listened to has 20.
const ROOM: usize = 24;

/// A name with zeros behind it.
type Key = [u8; ROOM];

/// Symbols of a session.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// A power of two, at most half full.
    slots: Vec<Option<Slot>>,
    count: usize,
    /// What has no room in a slot.
    long: BTreeMap<Vec<u8>, MarketIndex>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: Key,
    market: MarketIndex,
}

/// `None`: there is no room for it, or it ends with what is put behind names.
#[inline]
fn key(name: &[u8]) -> Option<Key> {
    let mut key = [0; ROOM];
    key.get_mut(..name.len())?.copy_from_slice(name);
    (name.last() != Some(&0)).then_some(key)
}

/// Every byte moves every bit of the upper half.
#[inline]
fn hash(key: &Key) -> usize {
    let words = key.as_chunks::<8>().0;
    let h = words.iter().fold(0x9e37_79b9_7f4a_7c15_u64, |h, word| {
        let mixed = (h ^ u64::from_le_bytes(*word)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 32)
    });
    usize::try_from(h >> 32).unwrap_or(0)
}

impl Names {
    /// Adds a name, or points it elsewhere.
    pub fn insert(&mut self, name: &[u8], market: MarketIndex) {
        let Some(key) = key(name) else {
            self.long.insert(name.to_vec(), market);
            return;
        };
        if self.count * 2 >= self.slots.len() {
            let grown = vec![None; (self.slots.len() * 2).max(8)];
            let known = core::mem::replace(&mut self.slots, grown);
            known.into_iter().flatten().for_each(|slot| self.place(slot));
        }
        self.count += usize::from(self.get(name).is_none());
        self.place(Slot { key, market });
    }

    fn place(&mut self, new: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = hash(&new.key) & mask;
        while self.slots[at].is_some_and(|slot| slot.key != new.key) {
            at = (at + 1) & mask;
        }
        self.slots[at] = Some(new);
    }

    /// The market of this name.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<MarketIndex> {
        let Some(key) = key(name) else { return self.long.get(name).copied() };
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(&key) & mask;
        loop {
            let slot = self.slots.get(at).copied().flatten()?;
            if slot.key == key {
                return Some(slot.market);
            }
            at = (at + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let mut names = Names::default();
        assert_eq!(names.get(b"BTCUSDT"), None);
        let all: Vec<String> = (0..1_000)
            .map(|n| format!("C{n}USDT"))
            .chain(["币安人生USDT".to_owned(), String::new(), "\0".to_owned(), "A".repeat(23), "A".repeat(24)])
            .chain(["A".repeat(25), "A\0".to_owned(), "A".to_owned()])
            .collect();
        for (n, name) in (0_u32..).zip(&all) {
            names.insert(name.as_bytes(), MarketIndex(n));
        }
        for (n, name) in (0_u32..).zip(&all) {
            assert_eq!(names.get(name.as_bytes()), Some(MarketIndex(n)), "{name}");
        }
        assert_eq!(names.get(b"C1000USDT"), None);
        names.insert(b"C7USDT", MarketIndex(70));
        assert_eq!(names.get(b"C7USDT"), Some(MarketIndex(70)));
    }
}
