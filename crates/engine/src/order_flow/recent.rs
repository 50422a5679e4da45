//! What a detector remembers of the last minutes: things that came and went.

use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Things that are remembered.
const MEMORY: usize = 64;

/// Something that was seen at a moment.
pub(super) trait Seen {
    fn at(&self) -> Ts;
}

/// The newest of them, oldest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Recent<T>(VecDeque<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Seen> Recent<T> {
    pub(super) fn push(&mut self, one: T) {
        self.0.push_back(one);
    }

    /// Forgets what is as old as the window or older.
    pub(super) fn forget(&mut self, now: Ts, window: Span) {
        while self.0.len() > MEMORY || self.0.front().is_some_and(|one| now - one.at() >= window) {
            self.0.pop_front();
        }
    }

    pub(super) fn newest(&self) -> Option<&T> {
        self.0.back()
    }

    /// How many there are of these.
    pub(super) fn count(&self, of: impl Fn(&T) -> bool) -> f64 {
        self.0.iter().filter(|one| of(one)).count() as f64
    }

    /// The mean of a number over these; 0 where there are none.
    pub(super) fn mean(&self, of: impl Fn(&T) -> bool, number: fn(&T) -> f64) -> f64 {
        self.0.iter().filter(|one| of(one)).map(number).sum::<f64>() / self.count(of).max(1.0)
    }
}
