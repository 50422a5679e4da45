//! Bybit: `/v5/market/risk-limit` (bybit §3). Bounds are position values: in the quote currency of linear contracts, in the coin of inverse ones.
//!
//! Margins of inverse contracts are printed in percent there (bybit §3), those of linear ones as fractions. Which of the two it is shows
//! in the leverage: margin times leverage is one, or a hundred.

use super::{PositionTier, TierMargin, TierSource, TierUnit, tier, wrong};
use crate::number;
use crate::session::scan::{elements, object};
use crate::session::{Ask, BaseAddresses, PoolId};

pub(super) const SOURCE: TierSource =
    TierSource { venue: &crate::bybit::VENUE, by_margin: false, native, unit, ask, read };

/// `BTCUSDT`, `BTCPERP`, `BTCUSD`.
fn native(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | '/' | '_')).collect();
    let is_name = !plain.is_empty() && plain.bytes().all(|c| c.is_ascii_alphanumeric());
    is_name.then(|| plain.to_ascii_uppercase())
}

fn is_inverse(symbol: &str) -> bool {
    symbol.ends_with("USD")
}

fn unit(symbol: &str) -> TierUnit {
    if is_inverse(symbol) { TierUnit::Base } else { TierUnit::Quote }
}

fn ask(endpoints: &BaseAddresses, symbol: &str, _: TierMargin) -> Ask {
    let category = if is_inverse(symbol) { "inverse" } else { "linear" };
    Ask::get(format!("{}/v5/market/risk-limit?category={category}&symbol={symbol}", endpoints.rest), PoolId(0))
}

fn read(text: &str, symbol: &str) -> Result<Vec<PositionTier>, String> {
    let [code, message, result] = object(text, ["retCode", "retMsg", "result"]).ok_or("it is no answer of bybit")?;
    if code != "0" {
        return Err(format!("bybit refuses: {message}"));
    }
    let [rows] = object(result, ["list"]).ok_or("its result is no object")?;
    let (mut tiers, mut fault) = (Vec::new(), None);
    elements(rows, |row| {
        let [of, upto, maintenance] = object(row, ["symbol", "riskLimitValue", "maintenanceMargin"])?;
        let [initial, leverage] = object(row, ["initialMargin", "maxLeverage"])?;
        if of == symbol {
            match of_row([upto, initial, maintenance, leverage]) {
                Some(tier) => tiers.push(tier),
                None => fault = Some(wrong(row)),
            }
        }
        Some(())
    })
    .ok_or("its result is no list of tiers")?;
    fault.map_or(Ok(tiers), Err)
}

fn of_row([upto, initial, maintenance, leverage]: [&str; 4]) -> Option<PositionTier> {
    let of = |text: &str| number::decimal(text.as_bytes());
    let product = of(initial)? * of(leverage)?;
    if (0.5..2.0).contains(&product) {
        return tier([upto, initial, maintenance, leverage]);
    }
    let percent = (50.0..200.0).contains(&product);
    let fraction = |text: &str| percent.then(|| of(text)).flatten().map(|v| (v / 100.0).to_string());
    tier([upto, &fraction(initial)?, &fraction(maintenance)?, leverage])
}
