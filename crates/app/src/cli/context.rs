//! One market's context, its last day in sentences, and the hours that were like it.

use super::values;
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct ContextArgs {
    /// Market: venue:symbol or a bare symbol
    pub(crate) name: Option<String>,
    /// The same, as the original command spells it
    #[arg(long, conflicts_with = "name")]
    pub(crate) symbol: Option<String>,
    /// The context as it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
    /// Judge a recording by the clock of now, instead of showing its last reading
    #[arg(long, conflicts_with = "as_of")]
    pub(crate) now: bool,
    /// Again on each interval until stopped
    #[arg(long)]
    pub(crate) continuous: bool,
    /// Seconds (or 5m) between contexts
    #[arg(long, default_value = "300", value_parser = barograph_domain::Span::parse)]
    pub(crate) interval: barograph_domain::Span,
}

#[derive(Args, Debug)]
pub(crate) struct AnalyzeArgs {
    /// Market: venue:symbol or a bare symbol
    pub(crate) name: String,
    /// The market as it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
}

#[derive(Args, Debug)]
pub(crate) struct SimilarArgs {
    /// Market: venue:symbol or a bare symbol
    pub(crate) name: String,
    /// The minute that was the newest at a moment, with what was known then
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
}

#[derive(Args, Debug)]
pub(crate) struct NarrativeArgs {
    /// Market: venue:symbol or a bare symbol; without it each that is stored, up to ten
    pub(crate) name: Option<String>,
    /// The 24 hours before a moment, with what was known then
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
    /// In our own words, whatever the settings say: nothing is sent
    #[arg(long)]
    pub(crate) own: bool,
}
