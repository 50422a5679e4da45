//! Tests of the venues from outside, as one program: ten would link the same crates as often.

#[path = "binance_session/main.rs"]
mod binance_session;
#[path = "bybit_session/main.rs"]
mod bybit_session;
mod calendar;
#[path = "coinbase_session/main.rs"]
mod coinbase_session;
mod conformance;
#[path = "deribit_session/main.rs"]
mod deribit_session;
mod driven;
#[path = "hyperliquid_session/main.rs"]
mod hyperliquid_session;
mod limits;
#[path = "okx_session/main.rs"]
mod okx_session;
mod rig;
mod tables;
