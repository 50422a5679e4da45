//! Statistical forecasters held against the rules, in shadow (regimes §11).
//!
//! Pure like rings 0 and 1: the same arguments give the same statements; no clock, file, socket, thread or unseeded randomness. It
//! stands outside those rings only because the library that grows trees links threads and randomness, which are never used here
//! (`contest::boosting`). Nothing live imports it: what it says goes into ledgers of its own, and what becomes of that is decided by
//! `barograph_verify::contest`.
#![warn(missing_docs)]

pub mod contest;
