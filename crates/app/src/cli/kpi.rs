//! `kpi` as written.

use super::DeclaredArgs;
use super::values::{share, strategies, strategy_timeframe};
use barograph_domain::{Span, Ts};
use barograph_engine::kpi::StrategyName;
use clap::Args;
use std::path::PathBuf;

/// What is measured, on what, and at what cost.
#[derive(Args, Debug)]
pub(crate) struct KpiArgs {
    /// Files and folders as for replay; without any what --data holds, without either the built-in history
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
    /// Who measured it, where that is not the venue itself
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// First entry that counts
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// First entry that no longer counts
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// Strategy that picks the entries: volume_vwap, cum_delta, multi_tf, fibonacci_rsi, range_trading, or all; several are compared
    #[arg(long = "strategy", default_value = "volume_vwap", value_name = "NAME,…", value_delimiter = ',', value_parser = strategies)]
    pub(crate) strategies: Vec<StrategyChoice>,
    /// Bars of the strategy: 1h or 15m; finer bars are put together, and trades followed on the finest
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = strategy_timeframe)]
    pub(crate) timeframe: Span,
    /// Longest a trade lasts; then the close of its bar counts
    #[arg(long, default_value = "48h", value_name = "TIME", value_parser = Span::parse)]
    pub(crate) horizon: Span,
    /// Taker fee of one execution, as a share of the price
    #[arg(long, default_value_t = 0.0005, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) taker_fee: f64,
    /// Half the spread, as a share of the price
    #[arg(long, default_value_t = 0.000_05, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) half_spread: f64,
    /// Choose sessions in the first part of the time, and report what they did in the part that follows
    #[arg(long)]
    pub(crate) tune_sessions: bool,
    /// With --tune-sessions: end of the part to choose in; without it two thirds of the time
    #[arg(long, value_name = "TIME", requires = "tune_sessions", value_parser = Ts::parse)]
    pub(crate) tune_until: Option<Ts>,
    /// With --json: a line for each measured trade before the object of the figures
    #[arg(long)]
    pub(crate) trades: bool,
    /// Decides resamples and random moments
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What `--strategy` was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StrategyChoice {
    All,
    One(StrategyName),
}

impl KpiArgs {
    /// Every strategy once, in the order typed.
    pub(crate) fn strategies(&self) -> Vec<StrategyName> {
        let of = |choice: &StrategyChoice| match choice {
            StrategyChoice::All => StrategyName::ALL.to_vec(),
            StrategyChoice::One(name) => vec![*name],
        };
        let mut out: Vec<StrategyName> = Vec::new();
        for name in self.strategies.iter().flat_map(of) {
            if !out.contains(&name) {
                out.push(name);
            }
        }
        out
    }
}
