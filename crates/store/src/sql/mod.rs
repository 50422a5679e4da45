//! What both databases share: everything but how a connection is made.
//!
//! Statements are written once, in the SQL that both understand; [`db`] is the thin place where they part.

mod alerts;
mod asked;
mod axes;
pub(crate) mod books;
mod bulk;
mod candles;
mod cases;
mod check;
mod corrections;
pub(crate) mod db;
mod decl;
mod digest;
mod editions;
mod events;
pub(crate) mod fault;
mod hash;
mod imported;
mod ledger;
mod ledger_kept;
mod ledger_notes;
mod ledger_read;
mod levels;
mod live;
mod live_rows;
pub(crate) mod originals;
mod outbox;
mod outbox_read;
mod packing;
mod pieces;
mod placed;
mod points;
mod pool;
mod positions;
mod prune;
mod query;
pub(crate) mod reader;
mod replace;
mod rows;
mod runs;
mod segment;
mod signals;
mod silences;
mod streams;
mod universe;
pub(crate) mod writer;
