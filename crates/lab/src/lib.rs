//! Statistical forecasters: those held against the rules in shadow (`contest`, regimes §11), and those a study fits and ranks
//! (`zoo`, research §4–§5), with what makes a fitted one legible (`explain`, research §9).
//!
//! Pure like rings 0 and 1: the same arguments give the same statements; no clock, file, socket or unseeded randomness. It stands
//! outside those rings only because the library that grows trees links threads and randomness: `contest` never uses either, `zoo`
//! lets it use threads where the caller says so, which changes no bit of a fit. Nothing live imports the contest: what it says goes
//! into ledgers of its own, and what becomes of that is decided by `barograph_verify::contest`.
#![warn(missing_docs)]

pub mod contest;
pub mod explain;
pub mod zoo;
