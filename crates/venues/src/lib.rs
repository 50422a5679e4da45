//! How each venue and data format speaks, mapped to events. Pure: rows and bytes in, events out.
//!
//! The rooms: [`row`] is what every format hands over, [`layout`] says which column of a table is what,
//! [`recognise`] finds that out from header, first rows ([`sample`]) and name, [`table`] turns rows into events, [`binance`] knows the
//! venue's archive and its frames, [`recording`] reads frames with their receive stamps, [`tardis`] and [`freqtrade`] two formats people already own, [`columns`] the map a
//! user writes, [`calendar`] the formats of economic calendars, [`onchain`] on-chain and sentiment sources, [`mcp`] servers of tools that are asked as a venue, [`policy`] what is declared by default, [`continuity`] finds missing rows after the merge.
//!
//! Left out on purpose: files, compression and merging (`lake`), order books (recognised, counted, not used yet).
//! Truth comes from the venue sheets and from the recorded files named in each module.
#![warn(missing_docs)]

pub mod binance;
pub mod bybit;
pub mod calendar;
mod cells;
pub mod coinbase;
pub mod coinex;
pub mod columns;
pub mod continuity;
pub mod counting;
pub mod deribit;
pub mod fees;
pub mod freqtrade;
pub mod funding;
pub mod hyperliquid;
pub mod layout;
mod mapped;
pub mod mcp;
pub mod names;
pub mod number;
pub mod okx;
pub mod onchain;
mod payload;
pub mod policy;
pub mod recognise;
pub mod recording;
pub mod reject;
pub mod row;
pub mod sample;
pub mod session;
pub mod signals;
pub mod symbols;
pub mod table;
pub mod tardis;
pub mod tiers;

pub use columns::ColumnMap;
pub use continuity::Continuity;
pub use layout::{Layout, Shape};
pub use names::Hints;
pub use recording::RecordingMapper;
pub use reject::{Reject, RejectReason, Unused};
pub use row::{Row, TableCell, TypedColumns};
pub use sample::{Owned, Sample};
pub use table::{EventSink, TableMapper};
