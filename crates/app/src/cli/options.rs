//! `options` as written.

use super::values;
use barograph_domain::{OptionCurrency, Span, Ts};
use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum OptionsCommand {
    /// Ask Deribit for the options and the volatility index of a currency, and keep what they amount to
    Fetch(OptionsFetch),
    /// What is known: volatility index, volatility by maturity, skew, and what it has above the realized one
    Show(OptionsShow),
}

#[derive(Args, Debug)]
pub(crate) struct OptionsFetch {
    /// Base currencies, as in BTC ETH
    #[arg(required = true, value_name = "CURRENCY", value_parser = OptionCurrency::parse)]
    pub(crate) currencies: Vec<OptionCurrency>,
    /// History of the volatility index too, an hour a value, known since now: so much of it, as in 30d
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) history: Option<Span>,
    /// Another address for the venue, as in deribit=http://127.0.0.1:9000
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…")]
    pub(crate) endpoints: Option<String>,
}

impl OptionsFetch {
    /// Settings given as flags.
    pub(crate) fn settings(&self) -> crate::config::Flags {
        vec![("endpoints", self.endpoints.clone())]
    }
}

#[derive(Args, Debug)]
pub(crate) struct OptionsShow {
    /// Base currency, as in BTC
    #[arg(value_name = "CURRENCY", value_parser = OptionCurrency::parse)]
    pub(crate) currency: OptionCurrency,
    /// Market whose realized volatility is compared: venue:symbol or a bare symbol; else the one on the same underlying
    #[arg(long)]
    pub(crate) market: Option<String>,
    /// As it was known at a moment
    #[arg(long, value_name = "TIME", value_parser = values::as_of)]
    pub(crate) as_of: Option<Ts>,
}
