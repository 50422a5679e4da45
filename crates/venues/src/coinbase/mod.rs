//! Coinbase Advanced Trade: spot books, trades and quotes over WebSocket; US (FCM) perpetuals also by polling their product.
//!
//! The rooms: [`wire`] reads messages in the venue's spelling, [`map`] turns their fields into checked numbers, [`symbols`]
//! the product list, [`topics`] channels and streams, [`limits`] what the venue allows, [`conn`] one connection and its
//! sequence, [`books`], [`trades`] and [`bars`] the state of one product, [`market`] who stands for it, [`session`] products and
//! their places, [`subscriptions`] who is listened to where, [`feed`] the socket's messages, [`replies`] what is asked for.
//! Quirks and where they were seen are in the README beside this file.
//!
//! Left out on purpose: keys (market data need none), the five-minute candle channel (bars are made of trades), the
//! derivatives that moved to the Deribit gateway in 2026 (they are another venue), the older Exchange feed.

mod bars;
mod books;
mod conn;
mod feed;
mod limits;
mod map;
mod market;
mod replies;
mod session;
mod subscriptions;
mod symbols;
mod topics;
mod trades;
mod wire;

use crate::session::kit::Kit;
use crate::session::{Ask, BaseAddresses, VenueDef};
use barograph_domain::MarketKind;

pub use limits::LEVEL2_PER_LINK;
pub use map::AggressorFrom;

/// The venue as the registry lists it.
pub const VENUE: VenueDef = VenueDef {
    id: "coinbase",
    trades: MarketKind::Spot,
    endpoints: || BaseAddresses {
        rest: "https://api.coinbase.com".to_owned(),
        ws: "wss://advanced-trade-ws.coinbase.com".to_owned(),
    },
    limits: limits::limits,
    metrics: &topics::METRICS,
    discovery: symbols::discovery,
    further: symbols::further,
    instruments: symbols::instruments,
    time: |at| Some(Ask::get(format!("{}/api/v3/brokerage/time", at.rest), limits::PUBLIC)),
    read_time: wire::time,
    open: |config| Box::new(Kit::new(session::Coinbase::new(&config), config)),
};
