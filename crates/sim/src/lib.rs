//! The built-in venue server: real HTTP and WebSocket on loopback, for the demo and for tests.
//!
//! It speaks Binance USD-M, Binance spot, Coinbase Advanced and CoinEx futures as their sheets describe them, over worlds of three
//! origins: made from a seed, bars from history, or recorded captures. Everything that comes out of it says which
//! (`/sim/capabilities`). It runs in a virtual clock and can fail in every way a venue fails, on purpose and on record.
//!
//! Left out: orders, accounts, TLS, venues other than these four. The truth about payloads is the venue sheets, which
//! rest on captures of 2026; a field that no capture showed is marked where it is written.

mod clock;
mod error;
mod fault;
mod num;
mod recording;
mod rng;
mod server;
mod truth;
mod wire;
pub mod world;

pub use clock::{Clock, RATE_MAX, RATE_MIN, VirtualClock, machine_time};
pub use error::Error;
pub use fault::{FaultRule, FaultTarget, Injected, InjectedFault, When};
pub use recording::Recording;
pub use server::{Handle, Server, SimConfig, Source};
pub use truth::{BookTruth, CandleTruth, LiquidationTruth, TradeTruth, TrueLevel, WorldTruth};

/// The venues that are spoken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Venue {
    /// Binance USD-M futures.
    BinanceUsdm,
    /// Binance spot.
    BinanceSpot,
    /// Coinbase Advanced.
    Coinbase,
    /// CoinEx futures.
    Coinex,
}

impl Venue {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [Self::BinanceUsdm, Self::BinanceSpot, Self::Coinbase, Self::Coinex];
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// First part of every path on the server.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::BinanceUsdm => "/binance-usdm",
            Self::BinanceSpot => "/binance-spot",
            Self::Coinbase => "/coinbase",
            Self::Coinex => "/coinex",
        }
    }

    /// Whether its markets are perpetual contracts.
    pub(crate) const fn has_perpetuals(self) -> bool {
        matches!(self, Self::BinanceUsdm | Self::Coinex)
    }

    /// The venue a path belongs to, and the rest of the path.
    pub(crate) fn split(path: &str) -> Option<(Self, &str)> {
        let own =
            |venue: &Self| path.strip_prefix(venue.prefix()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        Self::ALL.iter().find_map(|venue| own(venue).map(|rest| (*venue, rest)))
    }
}
