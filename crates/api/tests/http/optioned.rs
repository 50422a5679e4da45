//! The options of the small world: those of one currency, half of whose numbers are absent.

use super::world::World;
use barograph_api::options::{OptionExpiryView, OptionMaturityView, OptionNumber, OptionSummaryView, OptionsView};
use barograph_api::{AskOptions, QueryError};
use barograph_domain::{InstrumentName, OptionCurrency, Span, Ts};
use std::collections::BTreeMap;

const DAY: Ts = Ts::from_civil(2026, 2, 5, 0, 0, 0);

fn number(value: f64) -> OptionNumber {
    let timestamp = Some(DAY);
    OptionNumber { value: Some(value), timestamp, age_s: Some(60), known_ts: timestamp, reason: None }
}

impl AskOptions for World {
    fn options(
        &self,
        currency: &OptionCurrency,
        market: Option<&InstrumentName>,
        as_of: Option<Ts>,
    ) -> Result<OptionsView, QueryError> {
        self.disk()?;
        Ok(OptionsView {
            currency: currency.to_string(),
            source: "deribit",
            market: InstrumentName::parse("deribit:BTC-PERPETUAL").unwrap(),
            as_of: as_of.unwrap_or(DAY),
            text: "BTC options price 45.0 % a year for the next 30 days.".to_owned(),
            dvol: number(0.43),
            iv_atm_30d: number(0.45),
            realized_vol_24h: OptionNumber { reason: Some("warming"), ..OptionNumber::default() },
            realized_market: market.cloned(),
            iv_rv_spread: OptionNumber { reason: Some("warming"), ..OptionNumber::default() },
            summary: Some(OptionSummaryView { timestamp: DAY, age_s: 60, known_ts: DAY, options: 812 }),
            maturities: vec![OptionMaturityView {
                days: 180,
                iv_atm: Some(0.46),
                risk_reversal_25: None,
                butterfly_25: None,
                reasons: BTreeMap::from([("risk_reversal_25", "no_bracket"), ("butterfly_25", "no_bracket")]),
            }],
            expiries: vec![OptionExpiryView {
                expiry: DAY + Span::days(30),
                days: 30.0,
                forward: 91_500.0,
                options: 40,
                iv_atm: 0.45,
                iv_call_25: Some(0.44),
                iv_put_25: None,
                reasons: BTreeMap::from([("iv_put_25", "delta_not_reached")]),
            }],
        })
    }
}
