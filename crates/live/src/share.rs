//! Which markets' minutes a process makes: in a cluster each worker makes those of its groups, and the node that listens makes none.
//!
//! Every process runs the sessions whole, because a venue's messages name many markets at once; what is left out is everything that
//! comes after: engine, facts, continuity, books. Markets of one asset are in one group, so that what is compared between them (spot and
//! contract, one venue and another) needs no other process.

use barograph_domain::InstrumentName;

/// The markets of one process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Share {
    /// All of them: one process, one data folder.
    #[default]
    All,
    /// None: a process that listens and journals.
    Nothing,
    /// Those of one group.
    Group {
        /// Its number.
        group: u16,
        /// How many groups there are.
        of: u16,
    },
}

impl Share {
    /// Are the minutes of this market made here?
    #[must_use]
    pub fn has(self, market: &InstrumentName) -> bool {
        match self {
            Self::All => true,
            Self::Nothing => false,
            Self::Group { group, of } => group_of(market, of) == group,
        }
    }

    /// Are those of every market?
    #[must_use]
    pub const fn is_all(self) -> bool {
        matches!(self, Self::All)
    }
}

/// The group of a market among so many: that of its asset.
#[must_use]
pub fn group_of(market: &InstrumentName, of: u16) -> u16 {
    // A venue with one quote currency names its contracts by the asset alone.
    let asset = market.base_quote().map_or_else(|| market.symbol.to_ascii_uppercase(), |(base, _)| base);
    barograph_cluster::group_of(&asset, of).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_of_one_asset_are_in_one_group_and_each_market_is_in_one() {
        let name = |text: &str| InstrumentName::parse(text).unwrap();
        let same = ["binance-usdm:BTCUSDT", "binance-spot:BTCUSDC", "hyperliquid:BTC", "coinbase:BTC-USD"];
        let group = group_of(&name(same[0]), 7);
        for other in same {
            assert_eq!(group_of(&name(other), 7), group, "{other}");
            let owners = (0..7).filter(|g| Share::Group { group: *g, of: 7 }.has(&name(other))).count();
            assert_eq!((owners, Share::All.has(&name(other)), Share::Nothing.has(&name(other))), (1, true, false));
        }
        let groups: std::collections::BTreeSet<u16> =
            ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"].map(|a| group_of(&name(&format!("hyperliquid:{a}")), 3)).into();
        assert!(groups.len() > 1, "{groups:?}");
    }
}
