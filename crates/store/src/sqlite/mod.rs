//! The embedded implementation: one SQLite file, `barograph.db`, in the data folder.
//!
//! Write-ahead logging gives readers a stable view while something is written; a writer's transactions are short, also
//! while a year of rows is replaced (`replace`), because the two writing roles may be two processes and SQLite has
//! one writer at a time. `synchronous=NORMAL`: a killed process loses nothing that was committed, a power cut may lose
//! the last commits but never leaves half of one.

mod books;
mod check;
mod decl;
mod digest;
mod events;
mod fault;
mod hash;
mod live;
mod live_rows;
mod lock;
mod open;
mod pieces;
mod points;
mod pool;
mod prune;
mod query;
mod reader;
mod replace;
mod rows;
mod runs;
mod schema;
mod segment;
mod streams;
mod writer;

pub use reader::SqliteReader;
pub use writer::SqliteWriter;

/// Name of the store's file in the data folder.
pub const FILE: &str = "barograph.db";
