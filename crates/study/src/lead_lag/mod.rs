//! Which of two markets moves first, and whether that is worth anything (research §10, features §6, R5.8).
//!
//! From below: [`mids`] are two series on one grid by either clock, [`profile`] their correlation at lags −10…10, [`study`] repeats it over
//! steps, clocks and two disjoint periods, [`follow`] trades what was found after costs.

pub mod follow;
pub mod mids;
pub mod profile;
pub mod study;
