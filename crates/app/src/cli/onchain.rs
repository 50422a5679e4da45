//! `onchain` as written.

use super::values;
use barograph_domain::Ts;
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum OnchainCommand {
    /// Ask every series of the settings once and store what is new; exit 1 when one did not answer
    Fetch(OnchainFetch),
    /// The series that are set or stored, and what came of each
    Ls,
    /// Readings as known at a moment: TVL, flows, volume, stablecoins, sentiment
    Show(OnchainShow),
}

#[derive(Args, Debug)]
pub(crate) struct OnchainFetch {
    /// Only these series, by their names in `onchain ls`
    pub(crate) names: Vec<String>,
    /// Ask also what rests: its key was corrected, its plan renewed
    #[arg(long)]
    pub(crate) resume: bool,
}

#[derive(Args, Debug)]
pub(crate) struct OnchainShow {
    /// Market: venue:symbol or a bare symbol; without it readings of all chains
    pub(crate) name: Option<String>,
    /// As they were known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<Ts>,
}
