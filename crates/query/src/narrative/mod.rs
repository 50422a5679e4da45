//! The summary of a day in a market: from facts only, in our own sentences or phrased by a language model of the reader's choice
//! (R4.44, A27).
//!
//! [`facts`] gathers what is known, [`own`] puts it into sentences, [`prompt`] is what a model is asked, and [`check`] is the judge of
//! what it answers: a text with a number, a date or a name that no fact has is refused, and so is one that advises or foretells. All of
//! it is pure; who asks a model, and keeps what was asked and answered, is elsewhere. Lists of words are a net and prove
//! nothing; what cannot be checked is said in `docs/narrative.md`.

pub mod check;
pub mod facts;
pub mod figures;
mod layout;
mod near;
pub mod own;
pub mod prompt;
pub mod record;
mod words;

pub use check::{NarrativeFault, check};
pub use facts::{NarrativeDay, NarrativeFact, NarrativeFacts, NarrativeValue};
