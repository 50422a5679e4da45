//! Words of `mcp`.

use barograph_domain::Ts;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct McpArgs {
    /// A session with a clock of its own, for those who test agents: nothing later than that clock is answered
    #[arg(long, requires_all = ["from", "until"])]
    pub(crate) locked: bool,
    /// Where its clock begins
    #[arg(long, value_name = "TIME", value_parser = Ts::parse, requires = "locked")]
    pub(crate) from: Option<Ts>,
    /// Where it ends
    #[arg(long, value_name = "TIME", value_parser = Ts::parse, requires = "locked")]
    pub(crate) until: Option<Ts>,
    /// Who is examined
    #[arg(long, value_name = "NAME", requires = "locked")]
    pub(crate) agent: Option<String>,
    /// Where the record of the session goes; without it a new file in agent-sessions of the data folder
    #[arg(long, value_name = "FILE", requires = "locked")]
    pub(crate) record: Option<PathBuf>,
    /// Names of markets, prices and times are hidden from the agent
    #[arg(long, requires = "locked")]
    pub(crate) mask: bool,
    /// What the mask is drawn from, below 2^53; without it from agent, span and data
    #[arg(long, value_name = "NUMBER", requires = "mask")]
    pub(crate) seed: Option<u64>,
    /// What a session was worth, from its record
    #[arg(long, value_name = "FILE", conflicts_with = "locked")]
    pub(crate) report: Option<PathBuf>,
}
