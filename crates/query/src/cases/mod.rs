//! Cases: filed from alerts, written into, exported, and the books and trades around them (surveillance §12).
//!
//! What a case holds is copied when it is filed; nothing of it is asked of the market's records again, but for more books and
//! trades than were kept. Left out on purpose: how a journal is read, which is another crate's and comes in as [`CaseRecorder`].

mod desk;
mod export;
mod page;
mod steps;
#[cfg(test)]
mod texts_tests;
mod view;
pub mod words;

pub use desk::{CaseDesk, CaseRecorder, CaseStretch};
pub use export::{Attached, attachments, json};
pub use page::html;
pub use steps::{around, from_store, nearest};
pub use view::{precision, summary, view};
