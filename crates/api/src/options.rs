//! What options state of volatility to come, as it is answered (R4.66).
//!
//! Every number has its moment, its age and since when it was known, or a reason why there is none.

use barograph_domain::{InstrumentName, Ts};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A number that is of one moment.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct OptionNumber {
    /// An annualised fraction: 0.45 is 45 % a year. Null where there is none.
    pub value: Option<f64>,
    /// The moment it is of.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<Ts>,
    /// Seconds since then.
    pub age_s: Option<i64>,
    /// Since when it was known here.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub known_ts: Option<Ts>,
    /// Why there is none: `missing_input` (not fetched, or not recorded), `not_offered`, `no_bracket`, `stale` (older than two hours, with
    /// its moment and age), or that of a reading.
    #[schema(value_type = Option<String>)]
    pub reason: Option<&'static str>,
}

/// The summary of all options that the volatilities are made of.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct OptionSummaryView {
    /// When the venue answered, by its clock.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Ts,
    /// Seconds since then.
    pub age_s: i64,
    /// Since when it was known here.
    #[schema(value_type = String, format = DateTime)]
    pub known_ts: Ts,
    /// Options with a volatility that were used.
    pub options: u32,
}

/// One maturity of a fixed length, between the expiries around it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OptionMaturityView {
    /// Days from the summary.
    pub days: i64,
    /// At the money, an annualised fraction.
    pub iv_atm: Option<f64>,
    /// Volatility of the call with a delta of 0.25 less that of the put with −0.25; above zero where calls are dearer.
    pub risk_reversal_25: Option<f64>,
    /// Mean of those two less that at the money.
    pub butterfly_25: Option<f64>,
    /// Why a number is null, by its name: `no_bracket` where no expiry lies on one of the two sides.
    #[schema(value_type = BTreeMap<String, String>)]
    pub reasons: BTreeMap<&'static str, &'static str>,
}

/// One listed expiry.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OptionExpiryView {
    /// When its options end.
    #[schema(value_type = String, format = DateTime)]
    pub expiry: Ts,
    /// Days from the summary until then.
    pub days: f64,
    /// Price of the underlying for delivery then.
    pub forward: f64,
    /// Options it is made of.
    pub options: u32,
    /// Where the strike is the forward, an annualised fraction.
    pub iv_atm: f64,
    /// Where a call has a delta of 0.25.
    pub iv_call_25: Option<f64>,
    /// Where a put has a delta of −0.25.
    pub iv_put_25: Option<f64>,
    /// Why a number is null, by its name: `delta_not_reached`.
    #[schema(value_type = BTreeMap<String, String>)]
    pub reasons: BTreeMap<&'static str, &'static str>,
}

/// All that is known of the options of a currency at a moment.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OptionsView {
    /// Base currency.
    #[schema(example = "BTC")]
    pub currency: String,
    /// Who lists them.
    #[schema(value_type = String)]
    pub source: &'static str,
    /// The perpetual contract on the same underlying, with whose signals the values are kept.
    #[schema(value_type = String, example = "deribit:BTC-PERPETUAL")]
    pub market: InstrumentName,
    /// The moment that was asked about.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Ts,
    /// In one or two sentences.
    pub text: String,
    /// The venue's volatility index, of the next 30 days; of BTC and ETH.
    pub dvol: OptionNumber,
    /// At the money, 30 days from the summary (features §2.6).
    pub iv_atm_30d: OptionNumber,
    /// What the price did within the 24 hours before: `realized_vol_24h` of `realized_market`.
    pub realized_vol_24h: OptionNumber,
    /// Whose price that is; null where no market of the currency is recorded.
    #[schema(value_type = Option<String>)]
    pub realized_market: Option<InstrumentName>,
    /// The variance premium: `iv_atm_30d` less `realized_vol_24h`.
    pub iv_rv_spread: OptionNumber,
    /// The summary they are made of; null before the first.
    pub summary: Option<OptionSummaryView>,
    /// 7, 30, 90 and 180 days; none of a summary that is stale.
    pub maturities: Vec<OptionMaturityView>,
    /// Listed expiries that have a volatility at the money, the next first; none of a summary that is stale.
    pub expiries: Vec<OptionExpiryView>,
}
