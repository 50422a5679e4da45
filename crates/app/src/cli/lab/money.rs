//! Questions about money that need no model: which market leads, when to execute, what a rule of one's own is worth.

use super::{LakeArgs, fee};
use barograph_domain::{Span, Ts};
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct LeadLagArgs {
    /// Two markets or more: venue:symbol, or a symbol of the default venue
    #[arg(required = true, num_args = 2.., value_name = "MARKET")]
    pub(crate) markets: Vec<String>,
    /// Step of the grid. May be repeated; without it 100ms, 1s, 5s and 1m
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) step: Vec<Span>,
    /// Largest difference that the venues' clocks may have: a shorter lead is nobody's
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = Span::parse)]
    pub(crate) skew: Span,
    /// Where the period that has to confirm a lead begins; without it the middle of the time in common
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) confirm_from: Option<Ts>,
    /// Tier and its taker fee a side in basis points, as in VIP0=5, for what following a lead was worth
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: Option<TakerFee>,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

/// How an order reaches the venue.
#[derive(Args, Debug)]
pub(crate) struct OrderArgs {
    /// Quote behind every order
    #[arg(long, value_name = "QUOTE", default_value_t = 10_000.0)]
    pub(crate) notional: f64,
    /// Milliseconds from a decision until its order is at the venue
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub(crate) latency_ms: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum TakerArg {
    /// All orders buy
    Buy,
    /// All orders sell
    Sell,
    /// One buys, the next sells
    Both,
}

#[derive(Args, Debug)]
pub(crate) struct ExecutionArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// In what time an order has to be done
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = Span::parse)]
    pub(crate) horizon: Span,
    /// An order begins each so often; without it when the one before is over
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) every: Option<Span>,
    /// Parts may be sent each so often
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = Span::parse)]
    pub(crate) grid: Span,
    /// Which orders
    #[arg(long, value_enum, default_value = "both")]
    pub(crate) side: TakerArg,
    /// Model that predicts what buying and selling will cost, of studies of cost_buy_fwd_1m and cost_sell_fwd_1m (or 5m); without it a cost is
    /// predicted to stay as it is
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// With --model: how far ahead its studies predict, 1m or 5m
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = cost_targets, requires = "model")]
    pub(crate) cost: [TargetId; 2],
    /// With --model: folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER", requires = "model")]
    pub(crate) studies: Option<PathBuf>,
    /// Decides every draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
#[command(after_help = GRAMMAR)]
pub(crate) struct SimulateArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// The rule, lines separated by semicolons
    #[arg(long, value_name = "RULE", required_unless_present = "rule_file", conflicts_with = "rule_file")]
    pub(crate) rule: Option<String>,
    /// File that holds the rule, a decision a line
    #[arg(long, value_name = "FILE")]
    pub(crate) rule_file: Option<PathBuf>,
    /// Tier and its taker fee a side in basis points, as in VIP0=5; there is no default
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: TakerFee,
    /// First row that counts; without it the first there is
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// First row that no longer counts
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// Decides every draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Settled funding of the market, as any file that `collect --source` reads; what the data folder holds is used besides
    #[arg(long = "funding", value_name = "FILE", num_args = 1..)]
    pub(crate) funding: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

const GRAMMAR: &str = "A rule, read from the top; the first line that holds decides:
  long when ofi > 2 and risk is NORMAL
  short when ofi < -2 and trend is not (UPTREND, STRONG_UPTREND)
  keep when abs(ofi) > 0.5
  otherwise flat
Names are the columns of `barograph lab columns` and the axes risk, trend, volatility and heat, whose labels are those of the data
folder as they were known. Numbers: + - * / abs( ). Conditions: < <= > >= == !=, is missing, and, or, not, ( ). A comparison with a
number that is missing decides nothing.";

fn cost_targets(text: &str) -> Result<[TargetId; 2], String> {
    match text {
        "1m" => Ok([TargetId::CostBuy1m, TargetId::CostSell1m]),
        "5m" => Ok([TargetId::CostBuy5m, TargetId::CostSell5m]),
        _ => Err(format!("'{text}': costs are predicted over 1m or 5m")),
    }
}
