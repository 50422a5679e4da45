//! Market structure (features §4.2, R2.12): breaks in the direction of the state (BOS) and against it (CHOCH).
//!
//! A close beyond the most recent known, unbroken swing is a break; each swing breaks once. An older swing that is not
//! beyond a newer one can never be the most recent unbroken one that a close goes through alone, so the stack of each face
//! stays monotonic and every step is amortised constant.

use super::record::Face;
use serde::{Deserialize, Serialize};

/// Swings remembered per face. The stack is monotonic: as many unbroken swings, each beyond all later ones, within a
/// lifetime of bars; beyond this the oldest is forgotten.
const SWINGS_MAX: usize = 512;

/// Swings there is room for at once.
const ROOM: usize = 64;

/// A swing that no close has gone through.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct SwingRef {
    /// Its price.
    pub price: f64,
    /// Its bar.
    pub bar: i64,
}

/// What a break says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreakKind {
    /// A break in the direction of the structure; also the first break of all.
    Bos,
    /// A break against it: the state flips.
    Choch,
}

/// A break of structure at a bar.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StructureBreak {
    /// With or against the state before it.
    pub kind: BreakKind,
    /// High: upwards.
    pub face: Face,
    /// The swing that broke.
    pub swing: SwingRef,
    /// The breaking bar.
    pub bar: i64,
}

/// State and unbroken swings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Structure {
    state: Option<Face>,
    /// Outward price and bar, older further out; low and high.
    stacks: [Vec<(f64, i64)>; 2],
}

impl Structure {
    pub(super) fn new() -> Self {
        Self { state: None, stacks: [Vec::with_capacity(ROOM), Vec::with_capacity(ROOM)] }
    }

    /// The direction of the last break.
    pub(super) fn state(&self) -> Option<Face> {
        self.state
    }

    /// Takes a close; at most one face breaks.
    #[inline]
    pub(super) fn close(&mut self, close: f64, bar: i64) -> Option<StructureBreak> {
        let broken = self.close_face::<false>(close, bar);
        if broken.is_some() { broken } else { self.close_face::<true>(close, bar) }
    }

    #[inline]
    fn close_face<const HIGH: bool>(&mut self, close: f64, bar: i64) -> Option<StructureBreak> {
        let face = if HIGH { Face::High } else { Face::Low };
        let stack = &mut self.stacks[face as usize];
        let outward = face.outward(close);
        let &(price, at) = stack.last()?;
        if outward <= price {
            return None;
        }
        while stack.last().is_some_and(|(p, _)| outward > *p) {
            stack.pop();
        }
        let kind = if self.state.is_none_or(|s| s == face) { BreakKind::Bos } else { BreakKind::Choch };
        self.state = Some(face);
        let swing = SwingRef { price: face.outward(price), bar: at };
        Some(StructureBreak { kind, face, swing, bar })
    }

    /// Adds a confirmed swing; those that are older than `oldest` are forgotten.
    pub(super) fn swing(&mut self, face: Face, price: f64, bar: i64, oldest: i64) {
        let stack = &mut self.stacks[face as usize];
        let outward = face.outward(price);
        while stack.last().is_some_and(|(p, _)| *p <= outward) {
            stack.pop();
        }
        let stale = stack.partition_point(|(_, at)| *at < oldest);
        let surplus = (stack.len() + 1).saturating_sub(SWINGS_MAX);
        let gone = stale.max(surplus);
        if gone > 0 {
            stack.drain(..gone);
        }
        stack.push((outward, bar));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_recent_unbroken_swing_breaks_once_and_the_state_flips() {
        let mut s = Structure::new();
        s.swing(Face::High, 110.0, 1, 0);
        s.swing(Face::High, 105.0, 5, 0);
        s.swing(Face::Low, 95.0, 7, 0);
        assert_eq!(s.close(104.0, 8), None);
        let event = s.close(106.0, 9);
        assert_eq!(event.map(|e| (e.kind, e.face, e.swing.bar)), Some((BreakKind::Bos, Face::High, 5)));
        assert_eq!(s.close(107.0, 10), None, "105 is broken and 110 is not reached");
        assert_eq!(s.close(111.0, 11).map(|e| (e.kind, e.swing.bar)), Some((BreakKind::Bos, 1)));
        let down = s.close(94.0, 12);
        assert_eq!(down.map(|e| (e.kind, e.face)), Some((BreakKind::Choch, Face::Low)));
        assert_eq!(s.state(), Some(Face::Low));
    }

    #[test]
    fn a_close_through_an_older_lower_swing_is_no_break_while_a_newer_higher_one_stands() {
        let mut s = Structure::new();
        s.swing(Face::High, 105.0, 1, 0);
        s.swing(Face::High, 110.0, 5, 0);
        assert_eq!(s.close(106.0, 8), None);
        assert_eq!(s.close(111.0, 9).map(|e| e.swing.bar), Some(5));
        assert_eq!(s.close(112.0, 10), None, "one close broke both");
    }
}
