//! Venue sessions: pure state machines. Bytes, openings, closings, replies and ticks go in; events, texts to send and
//! requests come out. Sockets, clocks and pacing are the business of whoever drives them.
//!
//! One [`Session`] speaks for one venue over any number of connections. It says which connections it wants ([`Link`]); the
//! driver keeps them open, replaces each before the venue's cut-off (opening the new instance before it closes the old one, so
//! for a while two instances of one link deliver the same data and the session removes what comes twice), and paces whatever
//! is sent. Everything a session decides depends on its inputs alone, in their order: the same journal gives the same events.
//!
//! The rooms: [`input`] what goes in, [`output`] what comes out, [`link`] wanted connections and limits, [`spec`] instruments
//! and streams, `offer` what a venue has of them, [`desk`] what every session keeps, `kit` the machine that all venues are and
//! `protocol` what a venue adds to it, `rooms` which market goes on which connection, `asked` subscriptions that are not answered
//! yet, `facts` how sessions report what they read, `checked` the ranges of numbers, [`tracker`] continuity of every stream,
//! [`revive`] subscriptions that do not come, [`poll`] what has to be asked for again and again, [`book`] order books, `chain`
//! those that each change continues, [`decimal`] the one way from a decimal string to numbers, [`scan`] the reading of hot
//! messages, [`names`] symbols to markets, [`saved`] state as bytes, [`lag`] how far the venue's clock and ours are apart.

pub(crate) mod asked;
pub mod book;
pub(crate) mod chain;
pub(crate) mod checked;
pub mod decimal;
pub mod desk;
mod edges;
mod eight;
pub(crate) mod facts;
pub mod history;
pub mod input;
pub(crate) mod kit;
mod ladder;
pub mod lag;
pub mod link;
pub mod names;
pub(crate) mod offer;
pub mod output;
pub mod pace;
mod pair;
pub mod poll;
pub(crate) mod protocol;
pub mod registry;
pub mod revive;
pub mod rhythm;
pub(crate) mod rooms;
pub mod saved;
pub mod scan;
pub mod seen;
pub mod spec;
#[cfg(feature = "suite")]
pub mod suite;
pub mod tracker;
pub mod wire;

pub use book::{BookFault, BookLevel, BookVersion, OrderBook};
pub use decimal::Decimal;
pub use desk::{Desk, RepeatedValue};
pub use history::History;
pub use input::{CloseReason, FailReason, Input};
pub use lag::{Lag, LagMeter, LagVerdict};
pub use link::{ConnId, Limits, Link, LinkId, Pool, PoolId};
pub use names::Names;
pub use output::{Action, Emit, Fault, Origin, Out, Priority, Request, RequestId};
pub use pace::Pace;
pub use pair::Pairs;
pub use poll::Polls;
pub use registry::{Ask, VENUES, VenueDef, venue};
pub use revive::Revive;
pub use scan::Scan;
pub use seen::{Admit, Ids, Minutes};
pub use spec::{BaseAddresses, MarketIndex, MarketSpec, SessionConfig, StreamSpec};
pub use tracker::{Continuity, Tracker};

use barograph_domain::{Metric, Ts};

/// One venue, as a state machine.
pub trait Session: Send {
    /// Venue id, as in `binance-usdm`.
    fn venue(&self) -> &'static str;

    /// What the venue allows: message rates, connection counts, request weights, life time of a connection.
    fn limits(&self) -> &Limits;

    /// Takes one input received at `now`; never earlier than the one before. What follows from it is added to `out`.
    /// A frame that cannot be used is a [`Fault`] in `out`, never a panic, and never silent.
    fn input(&mut self, now: Ts, input: &Input<'_>, out: &mut Out);

    /// The process was away and goes on now. What was open and what was asked for is reported as closed and failed besides;
    /// here sessions that poll make it due, so that nothing waits for a time set before the pause.
    fn resume(&mut self, _now: Ts) {}

    /// Is history of this market and of one of these metrics still to be fetched? Windows over it are filled when it is
    /// complete.
    fn fetching(&self, market: MarketIndex, of: &dyn Fn(Metric) -> bool) -> bool;

    /// The connections wanted at this moment. Read again whenever `out` holds [`Action::Relink`].
    fn links(&self) -> &[Link];

    /// Subscriptions that a connection of this link carries, or will once it is open. For people.
    fn carried(&self, link: LinkId) -> usize;

    /// Every stream of every market of the configuration: what is delivered and what the venue does not offer. Changes
    /// only with [`Input::Markets`], and only by growing: a market that is no longer wanted keeps its place.
    fn streams(&self) -> &[StreamSpec];

    /// The order book of a market, while it can be trusted.
    fn book(&self, market: MarketIndex) -> Option<&OrderBook>;

    /// Continuity of every stream now.
    fn continuity(&self) -> &Tracker;

    /// How far the venue's stamps are from the receive clock; `None` where the venue sends no stamps.
    fn lag(&self) -> Option<&LagMeter> {
        None
    }

    /// State as bytes. Restoring them into a session of the same configuration and going on equals never having stopped.
    fn save(&self) -> Vec<u8>;

    /// Goes on from [`Self::save`].
    ///
    /// # Errors
    /// When the bytes are damaged, of another format or of another configuration; the session is unchanged then.
    fn restore(&mut self, bytes: &[u8]) -> Result<(), RestoreError>;
}

/// Why saved state cannot be used; the caller replays from further back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RestoreError;

impl core::fmt::Display for RestoreError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the saved session is damaged or of another configuration")
    }
}
impl core::error::Error for RestoreError {}
