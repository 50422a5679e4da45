//! Binance: the public archive, REST pages, and the frames of its sockets as recorders keep them.
//!
//! Quirks that decide code here (venue sheet, checked 2026-11-20):
//! - Archive files have a header row since about 2022 on futures, never on spot. Futures stamps are milliseconds, spot
//!   stamps microseconds from 2025-01-01 on.
//! - `metrics` labels meant the end of their five minutes until 2026-06-24 and mean the beginning from 2026-06-25 on.
//! - `fundingTime` jitters by milliseconds; the stamp is kept as it is.
//! - An empty funding rate and a next funding time of 0 mean "none".
//! - `rateType` `Special` is an extra settlement outside the schedule.
//! - COIN-M rows travel on the USD-M socket with `st` = 2. Their quantities count contracts of 100 USD (BTC) or 10 USD.
//! - The order side of a liquidation is the closing side: SELL closes a long. Since the venue pushes at most one order
//!   per symbol and second, the series is a sample.

//!
//! Live: [`venue`] lists the four markets; their sessions are the other private rooms, of which `session` is the first to read.

pub mod archive;
pub mod archiver;
mod asks;
mod backfill;
mod depth;
mod flavour;
mod frame;
mod halts;
mod history;
mod limits;
mod live;
pub mod map;
mod markets;
mod plan;
mod quarter;
mod ratios;
mod rest;
mod session;
mod subscribed;
mod symbols;
pub mod venue;
mod wire;
