//! What if: a changed rule book replayed over what is stored of many markets, several at a time (verification §5, R4.62).
//!
//! The replay itself is the engine's. Here rows are read, once, into columns that are kept beside the store ([`kept`]); questions
//! become books ([`ask`]), counts become rates ([`show`]), and a threshold is chosen by a budget ([`tune`]). What a book has to
//! turn is listed by [`offer`]. A condition on signals is counted beside the books ([`signals`]). Nothing is written but those columns and, where it is asked for, a changed book ([`own`]).

mod ask;
mod books;
mod gather;
mod kept;
mod limits;
mod offer;
mod own;
mod show;
mod signals;
mod tune;

pub use ask::{WhatIfQuestion, answer};
pub use limits::WhatIfLimits;
pub use offer::thresholds;
pub use own::{book_name, keep};
