//! Recordings of books and trades, market by market. Raw messages are played to the venue's session, which follows its books as it does
//! live; archives of books are followed here, each form in its own file.

mod capture;
mod deltas;
mod depth;
mod lakes;
mod listener;
mod lists;
mod lobster;
mod orders;
mod piece;
mod player;
mod pulled;
mod recording;
mod snapshots;
mod table;
mod tardis;
mod tell;
mod view;
mod wide;

pub use capture::{Capture, CapturePlayed};
pub use listener::{Received, RecordListener, RecordedFeed, RecordedTrade};
pub use player::{Played, RecordedMarket};
pub use recording::Recorded;
