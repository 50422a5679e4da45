//! Key figures over files or a store: entries are gathered from a run, and what came of them is printed.

mod compared;
pub(crate) mod gather;
pub(crate) mod print;

use crate::cli::KpiArgs;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::kpi::{
    KpiCounts, KpiReport, MeasuredTrade, SessionTuning, StrategyComparison, StrategyName, TradeCosts,
};

/// One market that was looked at.
#[derive(Debug)]
pub(crate) struct MeasuredMarket {
    pub(crate) name: InstrumentName,
    pub(crate) step: Option<Span>,
    pub(crate) first: Option<Ts>,
    pub(crate) last: Option<Ts>,
}

/// What one strategy came to.
#[derive(Debug)]
pub(crate) struct MeasuredStrategy {
    pub(crate) name: StrategyName,
    /// In the order of the markets.
    pub(crate) by_market: Vec<KpiCounts>,
    pub(crate) counts: KpiCounts,
    pub(crate) trades: Vec<MeasuredTrade>,
    pub(crate) report: KpiReport,
    /// Where it was asked for.
    pub(crate) tuning: Option<SessionTuning>,
}

/// Everything there is to print.
#[derive(Debug)]
pub(crate) struct KpiRun<'a> {
    pub(crate) args: &'a KpiArgs,
    pub(crate) costs: TradeCosts,
    pub(crate) book: String,
    pub(crate) logic_version: String,
    pub(crate) markets: Vec<MeasuredMarket>,
    pub(crate) strategies: Vec<MeasuredStrategy>,
    /// Of several strategies.
    pub(crate) comparison: Option<StrategyComparison>,
}
