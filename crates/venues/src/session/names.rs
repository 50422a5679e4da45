//! From a venue's symbol to the market: a small open-addressing table.
//!
//! Deterministic (FNV-1a, no random seed), found by the bytes as they stand in the message, without allocation.

use crate::session::MarketIndex;

const FREE: u32 = u32::MAX;

/// Symbols of a session.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<(Vec<u8>, MarketIndex)>,
    /// Positions in `names`; a power of two, at most half full.
    slots: Vec<u32>,
}

/// FNV-1a, 64 bit.
fn hash(name: &[u8]) -> usize {
    let h = name.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
    // The upper half is mixed best.
    usize::try_from(h >> 32).unwrap_or(0)
}

impl Names {
    /// Adds a name, or points it elsewhere.
    pub fn insert(&mut self, name: &[u8], market: MarketIndex) {
        if let Some(at) = self.position(name) {
            self.names[at].1 = market;
            return;
        }
        self.names.push((name.to_vec(), market));
        if self.names.len() * 2 > self.slots.len() {
            self.slots = vec![FREE; (self.names.len() * 4).next_power_of_two()];
            for at in 0..self.names.len() {
                self.place(at);
            }
        } else {
            self.place(self.names.len() - 1);
        }
    }

    fn place(&mut self, at: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = hash(&self.names[at].0) & mask;
        while self.slots[slot] != FREE {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = u32::try_from(at).unwrap_or(FREE);
    }

    fn position(&self, name: &[u8]) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash(name) & mask;
        loop {
            let at = *self.slots.get(slot)?;
            let (known, _) = self.names.get(at as usize)?;
            if known == name {
                return Some(at as usize);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// The market of this name.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<MarketIndex> {
        self.position(name).map(|at| self.names[at].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let mut names = Names::default();
        assert_eq!(names.get(b"BTCUSDT"), None);
        let all: Vec<String> = (0..1_000).map(|n| format!("C{n}USDT")).chain(["币安人生USDT".to_owned()]).collect();
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
