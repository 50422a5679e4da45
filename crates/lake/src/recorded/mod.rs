//! Recordings of books and trades, market by market: raw messages are played to the venue's session, which follows its books as it does
//! live.

mod capture;
mod listener;
mod player;
mod view;

pub use capture::{Capture, CapturePlayed};
pub use listener::{Received, RecordListener, RecordedFeed, RecordedTrade};
pub use player::{Played, RecordedMarket};
