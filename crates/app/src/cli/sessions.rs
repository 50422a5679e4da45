//! Arguments of `sessions`.

use clap::Args;

/// Which market's sessions.
#[derive(Args, Debug)]
pub(crate) struct Sessions {
    /// Market, as in binance-usdm:BTCUSDT
    pub(crate) name: String,
    /// Print base multipliers as a rule book states them
    #[arg(long)]
    pub(crate) toml: bool,
    /// As known at this moment
    #[arg(long, value_parser = super::values::as_of)]
    pub(crate) as_of: Option<barograph_domain::Ts>,
}
