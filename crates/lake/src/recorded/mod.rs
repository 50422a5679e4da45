//! Recordings of books and trades, market by market. Raw messages are played to the venue's session, which follows its books as it does
//! live, either of one market's files or of a whole journal with all that was decided at the time; archives of books are followed here,
//! each form in its own file.

mod capture;
mod counted;
mod deltas;
mod depth;
mod ear;
mod held;
mod journal;
mod journal_heard;
mod journal_venue;
#[cfg_attr(not(feature = "parquet"), path = "lakes_absent.rs")]
mod lakes;
mod listener;
#[cfg(feature = "parquet")]
mod lists;
mod lobster;
mod orders;
mod passed_on;
mod piece;
mod player;
mod pulled;
mod recording;
mod snapshots;
mod table;
mod tardis;
mod view;
mod wide;

pub use capture::{Capture, CapturePlayed};
pub use ear::Played;
pub use held::{HeldBooks, HeldTrade, play_held};
pub use journal::{JournalPlaying, play_journal};
pub use journal_heard::{JournalAudience, JournalPlayed, PlayedMarket};
pub use listener::{RecordListener, RecordStamps, RecordedFeed, RecordedTrade};
pub use recording::Recorded;
