//! Drives venue sessions: sockets, requests, pacing and receive stamps.
//!
//! A session says what it wants ([`barograph_venues::session`]); this crate does it and reports what happened, each thing
//! with a stamp, through one bounded queue ([`inbox`]) to the thread that owns the sessions. It keeps the wanted
//! connections open, replaces them before a venue's cut-off with both instances running for a while, answers pings, paces
//! what is sent, and asks within the venue's request budgets, which all callers share.
//!
//! Left out on purpose: what a message means, the journal, and every decision that could be made from the messages alone.
//! HTTP/2, proxies and sign-in are not needed by any venue here.

mod address;
pub mod clock;
mod dial;
mod error;
mod http;
mod inbox;
mod incoming;
mod limit;
mod link;
mod net;
mod random;
mod refusal;
mod stats;
mod world;
mod ws;

pub use clock::{Clock, ClockOf, SystemClock};
pub use error::{Error, Recovery, Result};
pub use http::client::PostHeaders;
pub use http::door::{Calling, Carrier, Closing, PostDoor, PostReply};
pub use http::job::{Fetch, Fetched};
pub use inbox::{Bounds, Depth, InboxReceiver, Stamper, Taken, inbox};
pub use incoming::{Incoming, VenueIndex};
pub use net::{Net, NetOptions};
pub use stats::{LinkState, LinkStats, PoolStats, VenueStats};
