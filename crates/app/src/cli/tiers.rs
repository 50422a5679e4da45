//! `tiers` as written.

use barograph_venues::tiers::TierMargin;
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct TiersArgs {
    /// Market, in the venue's spelling or as in BTCUSDT
    pub(crate) symbol: String,
    /// bybit, okx or coinex
    #[arg(long, value_name = "ID")]
    pub(crate) venue: String,
    /// Where the venue has tiers of each: cross or isolated
    #[arg(long, value_name = "MODE", default_value = "cross", value_parser = margin)]
    pub(crate) margin: TierMargin,
    /// Another address for the venue, as in bybit=http://127.0.0.1:9000
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…")]
    pub(crate) endpoints: Option<String>,
}

fn margin(text: &str) -> Result<TierMargin, String> {
    match text {
        "cross" => Ok(TierMargin::Cross),
        "isolated" => Ok(TierMargin::Isolated),
        _ => Err(format!("'{text}': write cross or isolated")),
    }
}
