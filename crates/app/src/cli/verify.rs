//! Checks on one's own data.

use super::DeclaredArgs;
use barograph_domain::Pattern;
use barograph_verify::injected::INTENSITIES;
use barograph_verify::injected::synthetic::PATTERNS;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum Verify {
    /// Cut the input at N moments, run again on what was known, count readings that differ
    Causality(Causality),
    /// The same input in other orders, chunks and processes gives the same outputs
    Determinism(Determinism),
    /// The ledger of forecasts made again from stored minutes: outcomes, chains and scores must be the same, to the bit
    Forecasts(CheckedForecasts),
    /// What the detectors of books and trades find of episodes that are laid over made markets, or over a recording of your own, and what they
    /// report of it untouched
    Patterns(PatternsArgs),
    /// The signs of wash trading held against round trips of linked accounts, where a recorded set names the accounts
    Accounts(AccountsArgs),
    /// How much of a full tape of liquidations a feed of one per market and second shows, and whether a band for the rest holds
    Liquidations(LiquidationsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PatternsArgs {
    /// Market of a recording: venue:symbol, or a symbol of the default venue; without it markets made by a seed
    pub(crate) market: Option<String>,
    /// Recordings of the market, or the folder of a lake; without it the journal in the data folder
    #[arg(long = "source", value_name = "FILE", num_args = 1.., requires = "market")]
    pub(crate) sources: Vec<PathBuf>,
    /// What a contract is worth, of recordings counted in contracts that do not hold the venue's list of instruments, in base units of a linear
    /// contract and quote units of an inverse one
    #[arg(long, value_name = "NUMBER", value_parser = contract_worth, requires = "sources")]
    pub(crate) contract_size: Option<f64>,
    /// One detector only, as in SPOOFING. May be repeated
    #[arg(long = "pattern", value_name = "NAME", value_parser = pattern)]
    pub(crate) patterns: Vec<Pattern>,
    /// Class of made markets: deep, middle or thin of books, busy, middle or quiet of hours and days; all for every one. May be repeated;
    /// middle without it
    #[arg(long = "class", value_name = "NAME", value_parser = CLASSES, conflicts_with = "market")]
    pub(crate) classes: Vec<String>,
    /// Sizes, volumes and rates over those of the thresholds, separated by commas
    #[arg(long = "intensity", value_name = "X", value_delimiter = ',', value_parser = intensity, default_values_t = INTENSITIES)]
    pub(crate) intensities: Vec<f64>,
    /// Episodes of each run: at most, over a recording; without it 102 over made books and what fits otherwise
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) episodes: Option<u32>,
    /// Decides what is made and drawn; 0 gives the table of docs/order-flow.md
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// Classes of made markets.
const CLASSES: [&str; 6] = ["all", "deep", "middle", "thin", "busy", "quiet"];

fn pattern(text: &str) -> Result<Pattern, String> {
    let known = || PATTERNS.map(Pattern::name).join(", ");
    let found = PATTERNS.into_iter().find(|p| p.name() == text);
    found.ok_or_else(|| format!("'{text}' is no detector of books and trades; there are {}", known()))
}

fn intensity(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|x: &f64| (0.1..=10.0).contains(x));
    number.ok_or_else(|| format!("'{text}': write a number between 0.1 and 10, as in 0.5,1,2"))
}

/// What a contract is worth.
pub(crate) fn contract_worth(text: &str) -> Result<f64, String> {
    let size = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
    size.ok_or_else(|| "write what a contract is worth, a number above zero, as in 0.01".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct AccountsArgs {
    /// Fills of accounts: a CSV file with time, user, coin, side, px, sz and crossed, as Hyperliquid publishes them; may be packed
    pub(crate) file: PathBuf,
    /// What addresses are hashed with, at least 16 characters; without it accounts.salt in the data folder, which is made of chance where there is
    /// none
    #[arg(long, value_name = "TEXT")]
    pub(crate) salt: Option<String>,
    /// Trades that an hour needs for the characteristics; what the detector needs stays its own
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) trades: u32,
}

#[derive(Args, Debug)]
pub(crate) struct LiquidationsArgs {
    /// Full tapes: CSV, Parquet or Feather with the names of their columns; may be packed. Files of one market each, or with a column of symbols
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Which column is what, as in time=timestamp,usd=value,symbol=market; price and qty instead of usd. Without it the columns of Tardis'
    /// liquidations
    #[arg(long, value_name = "MAP")]
    pub(crate) columns: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct CheckedForecasts {
    /// A data folder, of any machine; without one that of the settings
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Causality {
    /// Files and folders; without any the built-in history
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
    /// Who measured it, where that is not the venue itself
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Number of cuts
    #[arg(long, short = 'n', default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) points: u32,
    /// Where the cuts fall
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Determinism {
    /// Files and folders; without any the built-in history
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) declared: DeclaredArgs,
    /// Who measured it, where that is not the venue itself
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Decides chunks, restarts and orders
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}
