//! Checks on one's own data.

use super::DeclaredArgs;
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
    /// The signs of wash trading held against round trips of linked accounts, where a recorded set names the accounts
    Accounts(AccountsArgs),
    /// How much of a full tape of liquidations a feed of one per market and second shows, and whether a band for the rest holds
    Liquidations(LiquidationsArgs),
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
