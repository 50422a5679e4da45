//! What a prediction was worth in money: fills, costs, back-tests, and how much of a Sharpe ratio is luck (research §6, §7).
//!
//! From below: [`fills`] walks an order book, [`books`] says which one, [`fees`] what it costs, [`blotter`] makes trades of decisions,
//! [`report`] adds them up. [`backtest`], [`simulator`] and [`execution`] decide, [`rule`] is how
//! a person writes what to decide. [`sharpe`], [`resample`], [`deflate`] and [`overfit`] judge,
//! and [`goal`] holds the result against what was promised.

pub mod backtest;
pub mod blotter;
pub mod books;
pub mod deflate;
pub mod execution;
pub mod fees;
pub mod fills;
pub mod funding;
pub mod goal;
mod medians;
pub mod normal;
pub mod overfit;
pub mod report;
pub mod resample;
pub mod rule;
pub mod sharpe;
pub mod simulator;
