//! `cross-venue` as written.

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct CrossVenueArgs {
    /// Only this base currency, as in BTC
    pub(crate) base: Option<String>,
    /// Address of the process that listens to the venues
    #[arg(long)]
    pub(crate) listen: Option<String>,
}
