//! `signals` as written.

use super::values;
use barograph_domain::{SignalName, Span, Ts};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum SignalsCommand {
    /// Bring values from files: metric points as JSON, JSON lines, or CSV with a header
    Import(SignalsImport),
    /// Signals that are stored, and what each amounts to
    Ls(SignalsLs),
    /// The values of one signal
    Show(SignalsShow),
}

#[derive(Args, Debug)]
pub(crate) struct SignalsImport {
    /// Files; - reads standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Market of points that name none: venue:symbol, a bare symbol, or * for every market; one that names another is refused
    #[arg(long)]
    pub(crate) market: Option<String>,
    /// Name of points that have none, as in x.desk_flow
    #[arg(long, value_name = "NAME", value_parser = SignalName::parse)]
    pub(crate) name: Option<SignalName>,
    /// Source of points that name none
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// History: each value was known so long after its time, as in 5m or 0s; else known since this import
    #[arg(long, value_name = "SPAN", value_parser = values::delay_of)]
    pub(crate) known_after: Option<Span>,
    /// Store the other points where some cannot be read
    #[arg(long)]
    pub(crate) skip_refused: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SignalsLs {
    /// Market: only signals that speak of it
    pub(crate) market: Option<String>,
    /// As they were known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<Ts>,
}

#[derive(Args, Debug)]
pub(crate) struct SignalsShow {
    /// Name of the signal, or of a value that the program fetches, as in deribit.dvol
    #[arg(value_parser = SignalName::any)]
    pub(crate) name: SignalName,
    /// Market: venue:symbol or a bare symbol; without it the values of every market
    pub(crate) market: Option<String>,
    /// Values of this moment or later
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// Values before this moment
    #[arg(long = "to", visible_alias = "until", value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// As they were known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<Ts>,
    /// Every revision, those that take a value back among them
    #[arg(long)]
    pub(crate) revisions: bool,
    /// At most so many, the newest
    #[arg(long, default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) limit: u32,
}
