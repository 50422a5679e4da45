//! One asset over two venues of the small world, and one without a fresh quote.

use super::world::World;
use barograph_api::cross_venue::{CrossVenueItem, CrossVenueQuote, CrossVenueSide, CrossVenueView};
use barograph_api::{AskCrossVenue, AskMarkets as _, QueryError};
use barograph_domain::{InstrumentName, MarketKind};

fn market(text: &str) -> InstrumentName {
    InstrumentName::parse(text).unwrap()
}

fn side(name: &str, price: f64, fee: Option<f64>) -> CrossVenueSide {
    let fee_from = fee.map(|_| "published");
    CrossVenueSide { market: market(name), quote: "USDT".to_owned(), price, taker_fee_bps: fee, fee_from }
}

impl AskCrossVenue for World {
    fn cross_venue(&self, base: Option<&str>) -> Result<CrossVenueView, QueryError> {
        if base == Some("NOBODY") {
            return Err(QueryError::NotLive { instrument: None });
        }
        let quote = |name: &str, reason| CrossVenueQuote {
            market: market(name),
            quote: "USDT".to_owned(),
            bid: Some(100.0),
            ask: Some(100.1),
            age_ms: Some(120),
            reason,
        };
        let item = |base: &str, spread_bps: Option<f64>| CrossVenueItem {
            base: base.to_owned(),
            kind: MarketKind::Perpetual,
            expiry: None,
            quote: Some("USDT".to_owned()),
            spread_bps,
            after_fees_bps: None,
            reason: if spread_bps.is_some() { None } else { Some("missing_input") },
            bid: spread_bps.map(|_| side("bybit:BTCUSDT", 100.2, Some(5.5))),
            ask: spread_bps.map(|_| side("okx:BTC-USDT-SWAP", 100.1, None)),
            text: "a fact".to_owned(),
            quotes: vec![quote("bybit:BTCUSDT", None), quote("okx:BTC-USDT-SWAP", Some("stale"))],
        };
        let items = vec![item("BTC", Some(9.9)), item("ETH", None)];
        Ok(CrossVenueView { ts: self.now(), items })
    }
}
