//! Bybit v5: linear and inverse contracts and spot, public data. The sheet is docs/sheets/bybit.md; what
//! recordings and fixtures showed beyond it is in this folder's `README.md`.
//!
//! One session serves all three parts of the venue; the kind of a market decides which. Left out: options, spreads, the full
//! book channel and the premium index (REST only, nobody reads them yet).

mod books;
mod feed;
mod limits;
mod map;
mod replies;
mod session;
mod symbols;
mod ticker;
mod topics;
mod wire;

use crate::session::VenueDef;
use crate::session::kit::Kit;
use barograph_domain::MarketKind;

/// The venue.
pub static VENUE: VenueDef = VenueDef {
    id: "bybit",
    trades: MarketKind::Perpetual,
    endpoints: limits::endpoints,
    limits: limits::limits,
    metrics: &topics::METRICS,
    discovery: symbols::discovery,
    further: symbols::further,
    instruments: symbols::instruments,
    time: symbols::time,
    read_time: symbols::read_time,
    open: |config| Box::new(Kit::new(session::Bybit::new(&config), config)),
};
