//! The behaviour of the contract as tests, for every implementation to run, and the sample data they share.

pub mod sample;
