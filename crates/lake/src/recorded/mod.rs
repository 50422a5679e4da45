//! Recordings of books and trades, market by market: raw messages are played to the venue's session, which follows its books as it does
//! live. Either of one market's files, or of a whole journal with all that was decided at the time.

mod capture;
mod ear;
mod journal;
mod journal_heard;
mod journal_venue;
mod listener;
mod player;
mod view;

pub use capture::{Capture, CapturePlayed};
pub use ear::Played;
pub use journal::play_journal;
pub use journal_heard::{JournalAudience, JournalPlayed, PlayedMarket};
pub use listener::{Received, RecordListener, RecordedFeed, RecordedTrade};
pub use player::RecordedMarket;
