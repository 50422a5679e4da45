//! Who is in a list of one event, tick after tick: written once and again only when it changes.
//!
//! A list that is empty at some ticks (those off the grid) is remembered over them. A member of a new list that was in the
//! one before keeps what is remembered of it.

use super::super::CodecError;
use super::super::bytes::{Input, put_uint, unzigzag, zigzag};

/// A list without members.
const EMPTY: u64 = 0;
/// The last list that had members.
const AGAIN: u64 = 1;

/// One member: a code (forecaster, reason), a market, a subject by its number in the dictionary, from 1 (0: none).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Key {
    pub(super) code: u8,
    pub(super) market: u16,
    pub(super) subject: u32,
}

/// The last list with what is remembered of each member.
pub(super) struct Roster<T> {
    keys: Vec<Key>,
    pub(super) slots: Vec<T>,
}

impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), slots: Vec::new() }
    }
}

impl<T: Clone + Default> Roster<T> {
    pub(super) fn key(&self, at: usize) -> Key {
        self.keys.get(at).copied().unwrap_or_default()
    }

    /// Writes the list of a tick.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, keys: &[Key]) {
        if keys.is_empty() {
            put_uint(out, EMPTY);
        } else if keys == self.keys {
            put_uint(out, AGAIN);
        } else {
            put_uint(out, keys.len() as u64 + 1);
            let mut next = 0_u64;
            for key in keys {
                out.push(key.code);
                put_uint(out, zigzag(u64::from(key.market).wrapping_sub(next)));
                put_uint(out, key.subject.into());
                next = u64::from(key.market) + 1;
            }
            self.change(keys.to_vec());
        }
    }

    /// Reads the list of a tick: how many. `max` is how many there can be.
    pub(super) fn get(&mut self, input: &mut Input<'_>, max: usize) -> Result<usize, CodecError> {
        match input.uint()? {
            EMPTY => Ok(0),
            AGAIN if self.keys.len() <= max => Ok(self.keys.len()),
            AGAIN => Err(CodecError("has a list that is too long")),
            count => {
                let count = usize::try_from(count - 1).ok().filter(|n| *n <= max.min(input.0.len()));
                let count = count.ok_or(CodecError("has a list that is too long"))?;
                let (mut keys, mut next) = (Vec::with_capacity(count), 0_u64);
                for _ in 0..count {
                    let code = input.byte()?;
                    let market = next.wrapping_add(unzigzag(input.uint()?));
                    let market = u16::try_from(market).map_err(|_e| CodecError("names a market out of range"))?;
                    let subject = input.uint()?;
                    let subject = u32::try_from(subject).map_err(|_e| CodecError("names a subject out of range"))?;
                    keys.push(Key { code, market, subject });
                    next = u64::from(market) + 1;
                }
                self.change(keys);
                Ok(count)
            }
        }
    }

    fn change(&mut self, keys: Vec<Key>) {
        let mut next = 0;
        let mut slots = Vec::with_capacity(keys.len());
        for key in &keys {
            // Most members stand where they stood, or a little further on.
            let found = (next..self.keys.len()).chain(0..next).find(|at| self.keys[*at] == *key);
            slots.push(found.map(|at| self.slots[at].clone()).unwrap_or_default());
            next = found.map_or(next, |at| at + 1);
        }
        (self.keys, self.slots) = (keys, slots);
    }
}
