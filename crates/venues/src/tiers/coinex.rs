//! CoinEx: `/v2/futures/position-level` (coinex §2). Bounds of linear contracts are units of the base; of inverse ones the
//! venue's documents do not state it (coinex §2), and what is counted in dollars there would be read as coins.

use super::{PositionTier, TierMargin, TierSource, TierUnit, tier, wrong};
use crate::session::scan::{elements, object};
use crate::session::{Ask, BaseAddresses, PoolId};

pub(super) const SOURCE: TierSource =
    TierSource { venue: &crate::coinex::VENUE, by_margin: false, native, unit, ask, read };

/// `BTCUSDT`.
fn native(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | '/' | '_')).collect();
    let is_name = !plain.is_empty() && plain.bytes().all(|c| c.is_ascii_alphanumeric());
    is_name.then(|| plain.to_ascii_uppercase())
}

fn unit(symbol: &str) -> TierUnit {
    if symbol.ends_with("USD") { TierUnit::Unstated } else { TierUnit::Base }
}

fn ask(endpoints: &BaseAddresses, symbol: &str, _: TierMargin) -> Ask {
    Ask::get(format!("{}/v2/futures/position-level?market={symbol}", endpoints.rest), PoolId(0))
}

fn read(text: &str, symbol: &str) -> Result<Vec<PositionTier>, String> {
    let [code, message, markets] = object(text, ["code", "message", "data"]).ok_or("it is no answer of coinex")?;
    if code != "0" {
        return Err(format!("coinex refuses: {message}"));
    }
    let (mut tiers, mut fault) = (Vec::new(), None);
    elements(markets, |market| {
        let [of, levels] = object(market, ["market", "level"])?;
        // Names may carry a leading space (coinex §2).
        if of.trim() != symbol {
            return Some(());
        }
        elements(levels, |row| {
            let fields = ["amount", "min_initial_margin_rate", "maintenance_margin_rate", "leverage"];
            match tier(object(row, fields)?) {
                Some(tier) => tiers.push(tier),
                None => fault = Some(wrong(row)),
            }
            Some(())
        })
    })
    .ok_or("its data is no list of markets with their levels")?;
    fault.map_or(Ok(tiers), Err)
}
