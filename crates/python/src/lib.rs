//! The module `barograph` for Python: context and advice from a frame, the detectors over plain lists.
//!
//! Ring 3: what is computed comes from `engine`; here frames become bars, answers become Python objects, and many
//! strategies share one engine. Reading order: `columns` (a frame, checked), `shared` (the cache and the live markets),
//! `answer` (context and advice for a side); behind the feature `extension` everything that knows Python: `frames`,
//! `engine`, `context`, `functions`.
#![warn(missing_docs)]

pub mod answer;
pub mod columns;
pub mod shared;

#[cfg(feature = "extension")]
mod py;
