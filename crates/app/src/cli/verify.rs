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
