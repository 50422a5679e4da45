//! Whether a new list of markets can be taken up while running.
//!
//! Looked at before anything of it is journalled or passed to a session: what is refused here changes nothing, and what is not
//! refused cannot fail half-way.

use crate::config::MarketsChange;
use crate::core::Core;
use barograph_domain::InstrumentName;
use std::collections::BTreeSet;

/// Streams are numbered with 16 bits.
const STREAMS_MAX: usize = 1 << 16;

/// The position of the change's venue, or why the change cannot be.
pub(crate) fn admit(core: &Core, change: &MarketsChange) -> Result<usize, String> {
    let id = &change.venue;
    let index = core.venue(id).ok_or_else(|| format!("{id} is not connected; restart to add a venue"))?;
    if change.markets.is_empty() {
        return Err(format!("no market of {id} is left; name at least one, or stop the process"));
    }
    let session = &core.config.venues[index].session;
    let known: BTreeSet<&str> = session.markets.iter().map(|m| m.symbol.as_str()).collect();
    let new: BTreeSet<&str> = change.markets.iter().map(|m| m.symbol.as_str()).filter(|s| !known.contains(s)).collect();
    for symbol in &new {
        InstrumentName::new(id, symbol).map_err(|e| e.to_string())?;
    }
    let streams = core.streams.len() + new.len() * session.metrics.len();
    if streams > STREAMS_MAX {
        let most = STREAMS_MAX;
        return Err(format!("{id}: {} more markets would make {streams} streams of at most {most}", new.len()));
    }
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::core_of;
    use barograph_domain::MarketKind;
    use barograph_venues::session::MarketSpec;

    #[test]
    fn what_cannot_be_taken_up_is_refused_before_anything_is_changed() {
        let core = core_of("binance-usdm", &["BTCUSDT"]);
        let many = |n: usize| (0..n).map(|n| format!("M{n:05}USDT")).collect::<Vec<_>>();
        let per_market = core.config.venues[0].session.metrics.len();
        let room = (STREAMS_MAX - core.streams.len()) / per_market;
        for (venue, symbols, want) in [
            ("binance-usdm", vec!["BTCUSDT".to_owned(), "SOLUSDT".to_owned()], Ok(0)),
            ("binance-usdm", many(room), Ok(0)),
            ("binance-usdm", many(room + 1), Err("streams of at most 65536")),
            ("binance-usdm", vec![], Err("no market of binance-usdm is left")),
            ("binance-usdm", vec!["BTC USDT".to_owned()], Err("'BTC USDT' is not a symbol")),
            ("bybit", vec!["BTCUSDT".to_owned()], Err("bybit is not connected")),
        ] {
            let markets = symbols.iter().map(|s| MarketSpec::bare(s, MarketKind::Perpetual)).collect();
            let found = admit(&core, &MarketsChange { venue: venue.to_owned(), markets });
            match (found, want) {
                (Ok(at), Ok(want)) => assert_eq!(at, want),
                (Err(why), Err(want)) => assert!(why.contains(want), "{why}"),
                (found, want) => panic!("{venue} with {} markets: {found:?}, not {want:?}", symbols.len()),
            }
        }
    }
}
