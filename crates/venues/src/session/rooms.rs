//! Wanted connections that fill up: each takes markets of one kind until it carries what the venue allows.

use crate::session::{Link, LinkId};
use serde::{Deserialize, Serialize};

/// How much a connection carries, in whatever the venue counts.
pub(crate) trait RoomLoad: Copy + PartialEq + Default {
    /// Both together.
    fn plus(self, more: Self) -> Self;
    /// Without that, nothing at least.
    fn minus(self, less: Self) -> Self;
    /// No part of it is above `most`.
    fn is_within(self, most: Self) -> bool;
}

impl RoomLoad for usize {
    fn plus(self, more: Self) -> Self {
        self + more
    }
    fn minus(self, less: Self) -> Self {
        self.saturating_sub(less)
    }
    fn is_within(self, most: Self) -> bool {
        self <= most
    }
}

impl RoomLoad for (u32, u32) {
    fn plus(self, more: Self) -> Self {
        (self.0 + more.0, self.1 + more.1)
    }
    fn minus(self, less: Self) -> Self {
        (self.0.saturating_sub(less.0), self.1.saturating_sub(less.1))
    }
    fn is_within(self, most: Self) -> bool {
        self.0 <= most.0 && self.1 <= most.1
    }
}

/// A wanted connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Room<K, L> {
    id: LinkId,
    kind: K,
    load: L,
}

/// The wanted connections of a session, by kind and load.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Rooms<K, L>(Vec<Room<K, L>>);

impl<K, L> Default for Rooms<K, L> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, L: RoomLoad> Rooms<K, L> {
    /// The first connection of a kind with room for so much, a new one if there is none.
    pub(crate) fn take(&mut self, kind: K, load: L, most: L) -> LinkId {
        let fits = |r: &&mut Room<K, L>| r.kind == kind && r.load.plus(load).is_within(most);
        if let Some(room) = self.0.iter_mut().find(fits) {
            room.load = room.load.plus(load);
            return room.id;
        }
        let id = LinkId(u16::try_from(self.0.len()).unwrap_or(u16::MAX));
        self.0.push(Room { id, kind, load });
        id
    }

    /// Gives back what a market took.
    pub(crate) fn give_back(&mut self, id: LinkId, load: L) {
        if let Some(room) = self.0.iter_mut().find(|r| r.id == id) {
            room.load = room.load.minus(load);
        }
    }

    /// Those that carry something, with their addresses.
    pub(crate) fn links(&self, ping: Option<&str>, url: impl Fn(&K) -> String) -> Vec<Link> {
        let used = self.0.iter().filter(|r| r.load != L::default());
        used.map(|r| Link { id: r.id, url: url(&r.kind), ping: ping.map(str::to_owned) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_filled_before_another_is_wanted_and_an_empty_one_is_not() {
        let mut rooms = Rooms::<bool, (u32, u32)>::default();
        let take = |rooms: &mut Rooms<_, _>, kind, books| rooms.take(kind, (1, books), (3, 2)).0;
        let taken = [(true, 1), (true, 1), (true, 1), (false, 0), (true, 0)].map(|(k, b)| take(&mut rooms, k, b));
        assert_eq!(taken, [0, 0, 1, 2, 0], "two books are all that go on one");
        rooms.give_back(LinkId(1), (1, 1));
        let url = |kind: &bool| kind.to_string();
        let links: Vec<_> = rooms.links(None, url).into_iter().map(|l| (l.id.0, l.url)).collect();
        assert_eq!(links, [(0, "true".to_owned()), (2, "false".to_owned())]);
        assert_eq!(take(&mut rooms, true, 1), 1, "its number stays");
    }
}
