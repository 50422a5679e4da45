//! `up`: what is listened to.

use clap::Args;

#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Up {
    /// Venues, comma-separated: binance-usdm, coinbase, bybit …
    #[arg(long = "venue", visible_alias = "venues", value_name = "ID,…")]
    pub(crate) venues: Option<String>,
    /// Symbols, comma-separated: BTCUSDT, ETH/USDT …
    #[arg(long, visible_alias = "symbol", value_name = "SYMBOL,…", conflicts_with = "all")]
    pub(crate) symbols: Option<String>,
    /// All markets that pass the filters below
    #[arg(long)]
    pub(crate) all: bool,
    /// With --all: quote currency, as in USDT
    #[arg(long)]
    pub(crate) quote: Option<String>,
    /// With --all: spot, futures or both
    #[arg(long, value_name = "KIND")]
    pub(crate) market_type: Option<String>,
    /// With --all: least volume of the last 24 hours, in quote currency
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) min_volume_24h: Option<String>,
    /// Streams, comma-separated: all, or mark_price, open_interest …
    #[arg(long, value_name = "METRIC,…")]
    pub(crate) metrics: Option<String>,
    /// Order books: auto (up to 20 markets), on, off
    #[arg(long)]
    pub(crate) books: Option<String>,
    /// Statistical models beside the rules: auto (up to 20 markets), on, off, or symbols
    #[arg(long, value_name = "SYMBOL,…")]
    pub(crate) models: Option<String>,
    /// History fetched at first start: auto, 0, or a time such as 30d
    #[arg(long, value_name = "TIME")]
    pub(crate) backfill: Option<String>,
    /// Another address for a venue, as in binance-usdm=http://127.0.0.1:9000/binance-usdm
    #[arg(long = "endpoint", visible_alias = "endpoints", value_name = "VENUE=URL,…")]
    pub(crate) endpoints: Option<String>,
    /// Address to serve on
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// Record and compute without serving
    #[arg(long)]
    pub(crate) no_serve: bool,
    /// What this process does: all, or one part of a cluster: ingest, engine, universe, serve (docs/cluster.md)
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Stop after this much time, as in 60s
    #[arg(long = "for", value_name = "TIME", value_parser = barograph_domain::Span::parse)]
    pub(crate) for_time: Option<barograph_domain::Span>,
}

impl Up {
    /// Settings given as flags.
    pub(crate) fn settings(&self) -> crate::config::Flags {
        vec![
            ("venues", self.venues.clone()),
            ("symbols", self.symbols.clone()),
            ("quote", self.quote.clone()),
            ("market_type", self.market_type.clone()),
            ("min_volume_24h", self.min_volume_24h.clone()),
            ("metrics", self.metrics.clone()),
            ("books", self.books.clone()),
            ("models", self.models.clone()),
            ("backfill", self.backfill.clone()),
            ("endpoints", self.endpoints.clone()),
            ("listen", self.listen.clone()),
            ("role", self.role.clone()),
        ]
    }
}
