//! Best bid and lowest ask of one asset over several venues, as they are answered (R4.67).
//!
//! A fact about prices at one moment: neither that both can be had, nor what it costs to hold a position on each side, is known here.

use barograph_domain::{InstrumentName, MarketKind, Ts};
use serde::Serialize;
use utoipa::ToSchema;

/// One side of one venue.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CrossVenueSide {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "bybit:BTCUSDT")]
    pub market: InstrumentName,
    /// The currency of the price.
    #[schema(example = "USDT")]
    pub quote: String,
    /// In that currency.
    pub price: f64,
    /// What a taker pays there, in ten-thousandths of the value; null where nobody has named it.
    pub taker_fee_bps: Option<f64>,
    /// `settings`, or `published` by the venue for its lowest tier; null with the fee.
    #[schema(value_type = Option<String>)]
    pub fee_from: Option<&'static str>,
}

/// What one venue quotes, and whether it counts.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CrossVenueQuote {
    /// `venue:symbol`.
    #[schema(value_type = String, example = "okx:BTC-USDT-SWAP")]
    pub market: InstrumentName,
    /// The currency of both prices.
    #[schema(example = "USDT")]
    pub quote: String,
    /// Best bid; null before the first.
    pub bid: Option<f64>,
    /// Best ask; null before the first.
    pub ask: Option<f64>,
    /// Milliseconds since the venue's stamp, or since it came here where the venue's clock is ahead; null before the first.
    pub age_ms: Option<i64>,
    /// Why it does not count: `missing_input`, `gap`, `stale`; null where it does.
    #[schema(value_type = Option<String>)]
    pub reason: Option<&'static str>,
}

/// One asset.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CrossVenueItem {
    /// Base currency.
    #[schema(example = "BTC")]
    pub base: String,
    /// Kind of market; contracts and spot markets are not held against each other.
    pub kind: MarketKind,
    /// When its contracts end; null where they do not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expiry: Option<Ts>,
    /// The currency of all its prices; null where they are in several dollars, whose prices in each other are part of the spread.
    #[schema(example = "USDT")]
    pub quote: Option<String>,
    /// `cross_venue_spread_bps` (features §2.6): highest bid less lowest ask, in ten-thousandths of what is between them; above zero they
    /// cross before fees. Null with fewer than two fresh venues.
    pub spread_bps: Option<f64>,
    /// The same less the taker fees of both sides; null where one is unknown, or the two sides are in different currencies: what it costs
    /// to turn one into the other is not known here.
    pub after_fees_bps: Option<f64>,
    /// Why there is no spread: `missing_input`.
    #[schema(value_type = Option<String>)]
    pub reason: Option<&'static str>,
    /// The highest bid; null with the spread.
    pub bid: Option<CrossVenueSide>,
    /// The lowest ask; null with the spread.
    pub ask: Option<CrossVenueSide>,
    /// In a sentence.
    pub text: String,
    /// Every venue that is listened to, by name.
    pub quotes: Vec<CrossVenueQuote>,
}

/// All assets that at least two listened venues quote: once for each currency that two of them quote it in, and once for several dollars.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct CrossVenueView {
    /// The moment, to the second; ages are exact.
    #[schema(value_type = String, format = DateTime)]
    pub ts: Ts,
    /// By base currency, kind and expiry; what is in one currency before what is in several.
    pub items: Vec<CrossVenueItem>,
}
