//! Key figures of advice, measured on what happened after it (risk §8, R2.48–R2.54, C11).
//!
//! A named simple strategy picks side and moment; [`judge`] asks `advice` at that moment; the same entry is then followed bar by
//! bar with the stop and target of the context and with a plain pair, so that two results differ by the advice alone. Every
//! figure has its n and a band, and a sentence says in plain words where context makes it worse. Measured on recorded bars, not
//! on fills: `fill` states the rules. Nothing here suggests an entry; the strategy is an example to measure with.
//!
//! Reading order: `strategy` (moments), `entry` (what advice said), `fill` (what came of it), `market` (one market's trades),
//! `bands` (resampling), `report` (the figures), `words` (the sentences), `compare` (strategies side by side), `tuning` (sessions
//! chosen in one part of the time, judged in the next).

mod bands;
mod compare;
mod entry;
mod fill;
mod market;
mod report;
mod strategy;
mod tuning;
mod words;

pub use bands::{KpiBand, RESAMPLES};
pub use compare::{StrategyComparison, StrategyFigures, compare};
pub use entry::{Arm, JudgedEntry, NotJudged, judge, plain};
pub use fill::{ClosedTrade, FillBar, TradeCosts, TradeExit, TradePlan, Unresolved};
pub use market::{BASELINE_DRAWS, BarMark, JudgedMoments, KpiCounts, MarketRecord, MeasuredTrade, measure};
pub use report::{
    AchievedRatio, ArmFigures, ConfidenceFigures, ConfidenceGroup, KpiReport, SessionFigures, TargetHits, TwoArms,
    report,
};
pub use strategy::{EntryMoment, Strategy, StrategyName};
pub use tuning::{SessionTuning, TUNING_MIN, TunedSession, tune_sessions};
