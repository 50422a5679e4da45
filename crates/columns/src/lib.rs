//! The research data set: 197 columns of a market's book and trades, a row each second (features §7).
//!
//! One implementation for both ways in: a book as it is followed live, and wide snapshots of files. What cannot be said is withheld with
//! a reason, never zero.
#![warn(missing_docs)]

pub mod amihud;
pub mod catalogue;
mod decay;
mod fill;
pub mod flow;
pub mod hist;
pub mod known;
pub mod latency;
mod market_book;
mod market_trades;
pub mod merge;
pub mod order_flow;
pub mod pair;
pub mod row;
mod seconds;
pub mod sliding;
pub mod stream;
pub mod structural;
pub mod totals;
pub mod venues;
pub mod vpin;
mod windows;

pub use barograph_domain::depth::{BookSides, DepthLevel};
pub use catalogue::{COLUMNS, ResearchColumn, catalogue, place_of};
pub use known::{FeedMinute, FeedMinutes, FeedReading};
pub use market_book::SECOND;
pub use row::ResearchRow;
pub use stream::{Arrival, MarketColumns, OtherFeeds};
pub use venues::VenueSecond;
