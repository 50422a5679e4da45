//! OKX v5: perpetual and dated contracts and spot, public data. The sheet is docs/sheets/okx.md; what
//! recordings and fixtures showed beyond it is in this folder's `README.md`.
//!
//! Left out: options, the VIP book channels, `trades-all` (it would count every trade twice), retail liquidity books.

mod books;
mod checksum;
mod feed;
mod limits;
mod map;
mod replies;
mod session;
mod symbols;
mod topics;
mod trades;
mod wire;

use crate::session::VenueDef;
use crate::session::kit::Kit;
use crate::session::registry::no_further;
use barograph_domain::MarketKind;

/// The venue.
pub static VENUE: VenueDef = VenueDef {
    id: "okx",
    trades: MarketKind::Perpetual,
    endpoints: limits::endpoints,
    limits: limits::limits,
    metrics: &topics::METRICS,
    discovery: symbols::discovery,
    further: no_further,
    instruments: symbols::instruments,
    time: symbols::time,
    read_time: symbols::read_time,
    open: |config| Box::new(Kit::new(session::Okx::default(), config)),
};
