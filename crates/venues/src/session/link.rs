//! Wanted connections, and what a venue allows.

use barograph_domain::Span;
use serde::{Deserialize, Serialize};

/// A wanted connection; its number is stable for the life of the session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(pub u16);

/// One instance of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnId(pub u32);

/// A connection the session wants to be open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// Its number.
    pub id: LinkId,
    /// Complete `ws://` or `wss://` address.
    pub url: String,
    /// Text the driver sends when nothing else was sent for `Limits::ping_every` (venues with an application ping). `None`:
    /// WebSocket ping frames.
    pub ping: Option<String>,
}

/// The connections of a session that numbers them as it needs them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Links {
    all: Vec<Link>,
    made: u16,
}

impl Links {
    /// Those that are wanted.
    #[must_use]
    pub fn all(&self) -> &[Link] {
        &self.all
    }

    /// Wants another one, with this address and ping.
    pub fn open(&mut self, url: String, ping: Option<&str>) -> LinkId {
        let id = LinkId(self.made);
        self.made = self.made.saturating_add(1);
        self.all.push(Link { id, url, ping: ping.map(str::to_owned) });
        id
    }

    /// Those that are of no use any more are not wanted; their numbers are not given again.
    pub fn keep(&mut self, is_used: impl Fn(LinkId) -> bool) {
        self.all.retain(|link| is_used(link.id));
    }
}

/// A request budget.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PoolId(pub u8);

/// One request budget of a venue, shared by all callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pool {
    /// Its number.
    pub id: PoolId,
    /// Label in metrics.
    pub name: &'static str,
    /// Weight that may be spent per `per`. Sessions state the venue's number; the driver keeps a margin.
    pub weight: u32,
    /// Length of the period.
    pub per: Span,
    /// True: the budget is refilled at whole multiples of `per` (UTC); false: it slides.
    pub aligned: bool,
    /// Response header that says how much is used in this period, where there is one.
    pub used_header: Option<&'static str>,
    /// Requests under way at once.
    pub in_flight_max: u32,
    /// Pools of this name are one budget, whichever venue spends it: the exchange counts them together per address. All of
    /// them state the same weight and period. `None`: this venue's own.
    pub shared: Option<&'static str>,
}

impl Pool {
    /// A budget of this venue alone that slides, and that no answer speaks of.
    #[must_use]
    pub const fn own(id: PoolId, name: &'static str, weight: u32, per: Span, in_flight_max: u32) -> Self {
        Self { id, name, weight, per, aligned: false, used_header: None, in_flight_max, shared: None }
    }
}

/// What the venue allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Who runs the venue. Venues of one operator are banned together: a ban is of our address, not of a product.
    pub operator: &'static str,
    /// Outgoing messages per second and connection.
    pub messages_per_s: u32,
    /// New connections per `connects_per`.
    pub connects_max: u32,
    /// Period of `connects_max`.
    pub connects_per: Span,
    /// A connection is replaced after this long (before the venue cuts it); `None`: no cut-off.
    pub rotate_after: Option<Span>,
    /// Old and new instance run together for this long.
    pub rotate_overlap: Span,
    /// Send a ping when nothing was sent for this long; `None`: only answer pings.
    pub ping_every: Option<Span>,
    /// A connection without any incoming frame, pongs included, for this long is dead.
    pub dead_after: Span,
    /// Largest incoming message, bytes.
    pub message_bytes_max: usize,
    /// Where status 403 means too many requests: everything rests this long, and the answer goes to whoever asked. `None`: the
    /// venue is not to be had from here, and asking again is no use.
    pub rest_after_403: Option<Span>,
    /// Ask for permessage-deflate.
    pub deflate: bool,
    /// Request budgets.
    pub pools: Vec<Pool>,
    /// "Too many requests" means the host: every budget of the venue rests, not only the one that was spent.
    pub host_rests_on_429: bool,
}

impl Limits {
    /// What is usual: connections that nobody cuts off, of which one opens a second and says five things a second; pings each 20 s,
    /// of which two may be lost; compressed messages of at most 4 MiB; no request budget.
    #[must_use]
    pub const fn usual(operator: &'static str) -> Self {
        Self {
            operator,
            messages_per_s: 5,
            connects_max: 1,
            connects_per: Span::secs(1),
            rotate_after: None,
            rotate_overlap: Span::secs(10),
            ping_every: Some(Span::secs(20)),
            dead_after: Span::secs(45),
            message_bytes_max: 4 << 20,
            rest_after_403: None,
            deflate: true,
            pools: Vec::new(),
            host_rests_on_429: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_connection_is_not_given_again() {
        let mut links = Links::default();
        let open = |links: &mut Links| links.open("wss://x".to_owned(), None);
        assert_eq!([open(&mut links), open(&mut links)], [LinkId(0), LinkId(1)]);
        links.keep(|id| id == LinkId(0));
        assert_eq!(open(&mut links), LinkId(2));
        let left: Vec<LinkId> = links.all().iter().map(|l| l.id).collect();
        assert_eq!(left, [LinkId(0), LinkId(2)]);
    }
}
