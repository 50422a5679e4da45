//! `markets` as written.

use super::Up;
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Markets {
    /// Ask these venues instead of the store, comma-separated
    #[arg(long = "venue", visible_alias = "venues", value_name = "ID,…")]
    pub(crate) venues: Option<String>,
    /// Everything the venue lists, not only what passes the filters
    #[arg(long, requires = "venues")]
    pub(crate) all: bool,
    /// Quote currency, as in USDT
    #[arg(long, requires = "venues")]
    pub(crate) quote: Option<String>,
    /// spot, futures or both
    #[arg(long, value_name = "KIND", requires = "venues")]
    pub(crate) market_type: Option<String>,
    /// Least volume of the last 24 hours, in quote currency
    #[arg(long, value_name = "AMOUNT", requires = "venues")]
    pub(crate) min_volume_24h: Option<String>,
    /// Another address for a venue, as in binance-usdm=http://127.0.0.1:9000/binance-usdm
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…", requires = "venues")]
    pub(crate) endpoints: Option<String>,
}

impl Markets {
    /// The same as `up --all` takes it.
    pub(crate) fn up(&self) -> Up {
        Up {
            venues: self.venues.clone(),
            all: true,
            quote: self.quote.clone(),
            market_type: self.market_type.clone(),
            min_volume_24h: self.min_volume_24h.clone(),
            endpoints: self.endpoints.clone(),
            ..Up::default()
        }
    }
}
