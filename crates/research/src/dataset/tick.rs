//! The smallest step of prices, as the user states it: does it fit the book, and the rows that the lake has?

use crate::ResearchError;
use barograph_domain::InstrumentName;
use barograph_domain::depth::BookSides;
use barograph_lake::layers::{LakeQuery, LakeReader, Layer, hours};
use std::path::Path;

/// Prices are whole steps to this part of one: decimals are not exact in binary.
const OFF_MAX: f64 = 1e-3;
/// Counts of steps beyond this cannot be told apart to that part.
const STEPS_MAX: f64 = 1e12;

/// Refuses a step that the best prices of a book are no multiples of.
///
/// # Errors
/// It is no step of them.
pub(super) fn check_prices(tick: f64, sides: &BookSides<'_>) -> Result<(), ResearchError> {
    for price in [sides.bids, sides.asks].into_iter().filter_map(|side| side.first()).map(|level| level.price) {
        let steps = price / tick;
        if !(steps.is_finite() && (1.0..STEPS_MAX).contains(&steps) && (steps - steps.round()).abs() <= OFF_MAX) {
            return Err(ResearchError::Refused(format!(
                "--tick {tick:?}: it cannot be the step of these prices, as {price:?} is no multiple of it; give the market's price step"
            )));
        }
    }
    Ok(())
}

/// Refuses a step other than that of the rows which the lake has: they are never written again, and would not be comparable.
///
/// # Errors
/// They were made with another, or without one; or they cannot be read.
pub(super) fn check_rows(tick: f64, lake: &Path, market: &InstrumentName) -> Result<(), ResearchError> {
    let query = LakeQuery {
        layer: Some(Layer::Silver),
        table: Some("features".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..LakeQuery::default()
    };
    let refused = |how: &str| {
        Err(ResearchError::Refused(format!(
            "--tick {tick:?}: the lake in {} has rows of {market} that were made {how}, and they are never written again; leave --tick as it was, or \
             begin another lake with --lake",
            lake.display()
        )))
    };
    for hour in hours(lake, &query)?.into_iter().rev() {
        for batch in LakeReader::new(vec![hour], Some(&["spread_abs", "spread_ticks"])) {
            let batch = batch?;
            let Some((spreads, ticks)) = batch.numbers("spread_abs").zip(batch.numbers("spread_ticks")) else {
                continue;
            };
            let mut compared = false;
            for row in 0..batch.rows() {
                let Some(spread) = spreads.get(row) else { continue };
                match ticks.get(row) {
                    None => return refused("without it"),
                    Some(ticks) if (spread / tick - ticks).abs() > 0.5 + OFF_MAX => {
                        return refused(&format!("with another, about {:?}", spread / ticks));
                    }
                    Some(_) => compared = true,
                }
            }
            // An hour that agrees is enough: each import was held against the one before it.
            if compared {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::depth::DepthLevel;

    #[test]
    fn a_step_that_prices_are_no_multiples_of_is_none() {
        let level = |price| [DepthLevel { price, size: 1.0 }];
        for (tick, bid, ask, fits) in [
            (0.1, 64_000.1, 64_000.2, true),
            (0.5, 64_000.5, 64_001.0, true),
            (0.5, 64_000.1, 64_001.0, false),
            (0.000_01, 0.123_45, 0.123_46, true),
            (1e308, 64_000.0, 64_001.0, false),
            (1e-300, 64_000.0, 64_001.0, false),
            (100_000.0, 64_000.0, 64_001.0, false),
            (f64::NAN, 64_000.0, 64_001.0, false),
            (0.0, 64_000.0, 64_001.0, false),
            (-1.0, 64_000.0, 64_001.0, false),
        ] {
            let (bids, asks) = (level(bid), level(ask));
            let said = check_prices(tick, &BookSides { bids: &bids, asks: &asks });
            assert_eq!(said.is_ok(), fits, "{tick} {bid}: {said:?}");
        }
    }
}
