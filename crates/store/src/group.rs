//! Groups of markets: how several processes write one server without getting into each other's way.
//!
//! Each process owns the markets of one group for a while. Whoever hands groups out gives each owner a token greater than the one
//! before; the store keeps the greatest and refuses all that comes with a smaller one. So an owner that was paused and wakes up
//! writes nothing more, whatever it believes. None of it is part of the content hash.

use barograph_domain::Ts;

/// By which right a batch is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fence {
    /// The group of markets.
    pub group: u16,
    /// The owner's token; at most 2^63 - 1.
    pub token: u64,
    /// With this batch all is published that the group knew until then; an earlier moment than the stored one changes nothing.
    pub through: Option<Ts>,
}

/// What a new owner finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FenceState {
    /// How far the group is published; `None` before anything was.
    pub through: Option<Ts>,
}

/// A group as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupState {
    /// The group.
    pub group: u16,
    /// The greatest token that was shown.
    pub token: u64,
    /// How far it is published; `None` before anything was.
    pub through: Option<Ts>,
}
