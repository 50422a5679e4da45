//! Hyperliquid, core perpetuals: trades, quotes, books, contexts and candles over WebSocket, history over POST.
//!
//! The rooms: [`wire`] reads messages in the venue's spelling, [`map`] turns their fields into checked numbers, [`symbols`]
//! the universe, [`limits`] what the venue allows, [`market`] the state of one coin, [`feed`] the socket's messages,
//! [`history`] what is asked for, [`session`] the machine that joins them. Quirks and where they were seen are in the README
//! beside this file.
//!
//! Left out on purpose: exchanges deployed by builders (`xyz:NVDA`: a colon cannot be in an instrument's name here), spot
//! pairs, user streams, and liquidations, of which there is no public feed (trades carry no mark of them).

pub mod account_fills;
mod feed;
mod history;
mod limits;
mod map;
mod market;
mod session;
mod symbols;
mod wire;

use crate::session::kit::Kit;
use crate::session::registry::no_further;
use crate::session::{Ask, BaseAddresses, VenueDef};
use barograph_domain::MarketKind;

/// The venue as the registry lists it.
pub const VENUE: VenueDef = VenueDef {
    id: "hyperliquid",
    trades: MarketKind::Perpetual,
    endpoints: || BaseAddresses {
        rest: "https://api.hyperliquid.xyz".to_owned(),
        ws: "wss://api.hyperliquid.xyz".to_owned(),
    },
    limits: limits::limits,
    metrics: &market::METRICS,
    discovery: symbols::discovery,
    further: no_further,
    instruments: symbols::instruments,
    time: |endpoints| {
        let body = Some(r#"{"type":"exchangeStatus"}"#.to_owned());
        Some(Ask { url: format!("{}/info", endpoints.rest), body, pool: limits::INFO, weight: 2 })
    },
    read_time: wire::time,
    open: |config| Box::new(Kit::new(session::Hyperliquid::default(), config)),
};
