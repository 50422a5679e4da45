//! Thresholds that several parts compare with: flags among the features, what detectors begin with, pairs of markets, the wire.
//! Each stands here once, with where it comes from; what only one part reads stands there.

/// Funding beyond this per 8 h, as a fraction, is extreme (A02), and a block beyond it counts as farmed (A18); strict.
pub const FUNDING_EXTREME: f64 = 0.0001;
/// Futures further than this from spot, as a fraction, are a dislocation (R3.11, R3.21); strict.
pub const BASIS_FAR: f64 = 0.02;
/// A mark further than this from its index, as a fraction, is a deviation (R3.24); strict.
pub const PREMIUM_FAR: f64 = 0.01;
/// Correlation of twenty hourly returns below which two markets part (R4.24); strict.
pub const CORRELATION_BREAK: f64 = -0.5;
/// Share of a pair's own past below which a correlation is rare (S10); strict.
pub const CORRELATION_RARE: f64 = 0.01;
/// Correlation above which positions in two markets are nearly one position (R2.56); strict.
pub const SAME_EXPOSURE: f64 = 0.9;
/// A day's move of total value locked, as a fraction, that may be a change of how it is counted (onchain §2); inclusive.
pub const TVL_JUMP_MIN: f64 = 0.2;
