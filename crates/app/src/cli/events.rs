//! Arguments of `events`.

use barograph_domain::Ts;
use clap::Args;

/// Which events.
#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Market: venue:symbol or a bare symbol; all of them without it
    pub(crate) name: Option<String>,
    /// Only these patterns, as in LIQUIDATION_CASCADE,FUNDING_ANOMALY
    #[arg(long, value_name = "PATTERN")]
    pub(crate) pattern: Vec<String>,
    /// At least as severe: INFO, LOW, MEDIUM, HIGH or CRITICAL
    #[arg(long)]
    pub(crate) severity: Option<String>,
    /// Only episodes that are still open
    #[arg(long)]
    pub(crate) open: bool,
    /// What was measured and what it means, below each
    #[arg(long)]
    pub(crate) long: bool,
    /// One alert by its id, or the first 8 characters of it: what followed, and earlier ones like it
    #[arg(long, value_name = "ALERT", conflicts_with_all = ["name", "pattern", "severity", "open", "long", "from", "until"])]
    pub(crate) id: Option<String>,
    /// Known at this moment or later
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// Known before this moment
    #[arg(long = "to", visible_alias = "until", value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// The events as they were known at a moment
    #[arg(long, value_name = "TIME", value_parser = super::values::as_of)]
    pub(crate) as_of: Option<Ts>,
    /// At most so many, the newest
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}
