//! CoinEx futures, API v2: perpetual contracts, linear and inverse, public data. The sheet is docs/sheets/coinex.md; what is decided
//! beyond it is in this folder's `README.md`.
//!
//! Left out: spot, the streams `index` and `premium` (the state stream has the index), basis, margin tiers, everything that needs a key.

mod books;
mod feed;
mod frames;
mod limits;
mod map;
mod past;
mod replies;
mod session;
mod symbols;
mod topics;
mod wire;

use crate::session::VenueDef;
use crate::session::kit::Kit;
use crate::session::registry::no_further;
use barograph_domain::MarketKind;

/// The venue.
pub static VENUE: VenueDef = VenueDef {
    id: "coinex",
    trades: MarketKind::Perpetual,
    endpoints: limits::endpoints,
    limits: limits::limits,
    metrics: &topics::METRICS,
    discovery: symbols::discovery,
    further: no_further,
    instruments: symbols::instruments,
    time: symbols::time,
    read_time: symbols::read_time,
    open: |config| Box::new(Kit::new(session::Coinex::new(&config), config)),
};
