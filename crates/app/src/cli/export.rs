//! Stored minutes for other tools.

use barograph_domain::{Span, Ts};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct MinuteExportArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// Where to; without it the market's name with .parquet in the current folder
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// First minute; without it the first that is stored
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// First minute no longer written
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// Only minutes that are a multiple of this, as in 1h
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) every: Option<Span>,
    /// Only these readings; `barograph features` lists their ids. May be repeated
    #[arg(long = "feature", value_name = "ID")]
    pub(crate) features: Vec<String>,
}
