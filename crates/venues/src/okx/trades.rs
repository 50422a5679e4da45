//! Trades of one market: which were reported, and between which ids some were missed.

use crate::session::Ids;
use serde::{Deserialize, Serialize};

/// Holes in trades that are remembered per market.
const HOLES_MAX: usize = 16;

/// Trades that were missed lie between these ids, ends excluded and included; without an end the hole is still open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Hole {
    after: u64,
    until: Option<u64>,
}

/// What is kept of the trades of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Trades {
    pub seen: Ids,
    last: Option<u64>,
    holes: Vec<Hole>,
}

impl Trades {
    /// Trades are missed from here on.
    pub(super) fn hole(&mut self) {
        if let Some(after) = self.last
            && self.holes.last().is_none_or(|h| h.until.is_some())
        {
            // The oldest of more than a handful has been fetched or given up long ago.
            if self.holes.len() >= HOLES_MAX {
                self.holes.remove(0);
            }
            self.holes.push(Hole { after, until: None });
        }
    }

    /// A trade of the socket: `merged` matches, of which `id` is the last. It ends a hole that is open.
    pub(super) fn numbered(&mut self, id: u64, merged: u64) {
        let before = id.saturating_sub(merged);
        match self.holes.last_mut() {
            Some(hole) if hole.until.is_none() => hole.until = Some(before.max(hole.after)),
            // What was before the first trade is one hole, open downwards.
            None => self.holes.push(Hole { after: 0, until: Some(before) }),
            Some(_) => {}
        }
        self.last = self.last.max(Some(id));
    }

    /// Was this match never delivered? `first`: also if it is older than the first one that was.
    pub(super) fn missed(&self, id: u64, first: bool) -> bool {
        let inside = |h: &Hole| id > h.after && h.until.is_none_or(|u| id <= u) && (first || h.after > 0);
        self.holes.is_empty() || self.holes.iter().any(inside)
    }
}
