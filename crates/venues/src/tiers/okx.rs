//! OKX: `/api/v5/public/position-tiers` (okx §3). Bounds are contracts of the market's size; of a family of contracts, not of one.

use super::{PositionTier, TierMargin, TierSource, TierUnit, tier, wrong};
use crate::session::scan::{elements, object};
use crate::session::{Ask, BaseAddresses, PoolId};
use barograph_domain::InstrumentName;

pub(super) const SOURCE: TierSource =
    TierSource { venue: &crate::okx::VENUE, by_margin: true, native, unit: |_| TierUnit::Contracts, ask, read };

/// Budget of the lists: ten in two seconds, as for these.
const LISTS: PoolId = PoolId(6);
const SWAP: &str = "-SWAP";

/// `BTC-USDT-SWAP`, also of `BTCUSDT` and `BTC/USDT`.
fn native(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    if !upper.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'/' | b'_')) {
        return None;
    }
    if upper.ends_with(SWAP) && upper.matches('-').count() == 2 {
        return Some(upper);
    }
    let (base, quote) = InstrumentName::new(crate::okx::VENUE.id, &upper).ok()?.base_quote()?;
    Some(format!("{base}-{quote}{SWAP}"))
}

fn ask(endpoints: &BaseAddresses, symbol: &str, margin: TierMargin) -> Ask {
    let mode = match margin {
        TierMargin::Cross => "cross",
        TierMargin::Isolated => "isolated",
    };
    let family = symbol.strip_suffix(SWAP).unwrap_or(symbol);
    let path = format!("/api/v5/public/position-tiers?instType=SWAP&tdMode={mode}&instFamily={family}");
    Ask::get(format!("{}{path}", endpoints.rest), LISTS)
}

fn read(text: &str, _: &str) -> Result<Vec<PositionTier>, String> {
    let [code, message, rows] = object(text, ["code", "msg", "data"]).ok_or("it is no answer of okx")?;
    if code != "0" {
        return Err(format!("okx refuses: {message}"));
    }
    let (mut tiers, mut fault) = (Vec::new(), None);
    elements(rows, |row| {
        match tier(object(row, ["maxSz", "imr", "mmr", "maxLever"])?) {
            Some(tier) => tiers.push(tier),
            None => fault = Some(wrong(row)),
        }
        Some(())
    })
    .ok_or("its data is no list of tiers")?;
    fault.map_or(Ok(tiers), Err)
}
