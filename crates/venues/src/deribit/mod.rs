//! Deribit: perpetual contracts over JSON-RPC, public data without credentials. The sheet is `venues/deribit.md` of the
//! specification; what recordings and fixtures showed beyond it is in this folder's `README.md`.
//!
//! Options and the volatility index are asked for on their own, not as markets: [`options`].
//!
//! Left out: dated contracts, spot and combos, and `raw` channels, which need a login.

mod books;
mod feed;
mod limits;
mod map;
pub mod options;
mod replies;
mod session;
mod symbols;
mod topics;
mod wire;

use crate::session::kit::Kit;
use crate::session::registry::no_further;
use crate::session::{Ask, BaseAddresses, VenueDef};
use barograph_domain::MarketKind;

/// The venue.
pub const VENUE: VenueDef = VenueDef {
    id: "deribit",
    trades: MarketKind::Perpetual,
    endpoints: || BaseAddresses { rest: "https://www.deribit.com".into(), ws: "wss://www.deribit.com".into() },
    limits: limits::limits,
    metrics: &topics::METRICS,
    discovery: symbols::discovery,
    further: no_further,
    instruments: symbols::instruments,
    time: |at| Some(Ask::get(format!("{}/api/v2/public/get_time", at.rest), limits::PUBLIC)),
    read_time: symbols::read_time,
    open: |config| Box::new(Kit::new(session::Deribit, config)),
};
