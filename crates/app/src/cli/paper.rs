//! `paper` as written.

use super::values::{paper_timeframe, share, week};
use barograph_domain::{Span, Ts};
use barograph_engine::kpi::StrategyName;
use clap::Args;

/// What is followed on paper, and what is reviewed.
#[derive(Args, Debug)]
pub(crate) struct PaperArgs {
    /// Address of a running barograph, as in http://127.0.0.1:8600; without it that of the setting listen
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Access token, where the process asks for one; without it that of the setting token
    #[arg(long)]
    pub(crate) token: Option<String>,
    /// Markets, comma-separated, as venue:SYMBOL or a bare symbol; without it all that the process has, up to 20
    #[arg(long = "symbol", visible_alias = "symbols", value_name = "SYMBOL,…", value_delimiter = ',')]
    pub(crate) symbols: Vec<String>,
    /// Strategy that picks the entries: volume_vwap, cum_delta, multi_tf, fibonacci_rsi or range_trading
    #[arg(long, default_value = "volume_vwap", value_name = "NAME", value_parser = StrategyName::parse)]
    pub(crate) strategy: StrategyName,
    /// Bars of the strategy: 1m, 5m, 15m or 1h
    #[arg(long, default_value = "15m", value_name = "TIME", value_parser = paper_timeframe)]
    pub(crate) timeframe: Span,
    /// Longest a trade lasts; then the close of its bar counts
    #[arg(long, default_value = "48h", value_name = "TIME", value_parser = Span::parse)]
    pub(crate) horizon: Span,
    /// Account value that sizes are worked out for, quote currency
    #[arg(long, default_value_t = 10_000.0, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) equity: f64,
    /// Taker fee of one execution, as a share of the price
    #[arg(long, default_value_t = 0.0005, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) taker_fee: f64,
    /// Half the spread, as a share of the price
    #[arg(long, default_value_t = 0.000_05, value_name = "SHARE", value_parser = share, allow_negative_numbers = true)]
    pub(crate) half_spread: f64,
    /// Time between looks
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = Span::parse)]
    pub(crate) every: Span,
    /// Stop after this much time, as in 24h
    #[arg(long = "for", value_name = "TIME", value_parser = Span::parse)]
    pub(crate) for_time: Option<Span>,
    /// Print the review of a week instead: what was decided, and what came of it
    #[arg(long)]
    pub(crate) review: bool,
    /// With --review: ISO week, as in 2026-W08; without it that of the newest decision
    #[arg(long, value_name = "WEEK", requires = "review", value_parser = week)]
    pub(crate) week: Option<Ts>,
}
