//! Prices of a contract beside those of its index and its spot market: premium and basis.

use super::{FeedRoute, Feeds};
use crate::engine::Config;
use crate::features::basis::BasisPair;
use barograph_domain::{MarketKind, Metric, StreamDecl, StreamIndex};
use serde::{Deserialize, Serialize};

/// Two price feeds compared; positions in `prices` and `indexes`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairFeed {
    pub(crate) price: usize,
    pub(crate) index: usize,
    pub(crate) pair: BasisPair,
}

impl Feeds {
    /// Premium compares mark and index; basis compares the futures price (mid, else last trade, else close) and the spot market's.
    /// Where nobody records that, the index stands in, and the basis is a proxy.
    pub(super) fn pair_up(&mut self) {
        if self.kind == MarketKind::Spot || self.indexes.is_empty() {
            return;
        }
        let compared = |metric: Metric| self.indexes.iter().position(|p| p.source.metric == metric);
        let (index, spot) = (compared(Metric::IndexPrice), compared(Metric::SpotPrice));
        let feed = |price: usize, index: usize| PairFeed {
            price,
            index,
            pair: BasisPair::new(self.prices[price].step(), self.indexes[index].step()),
        };
        let of = |metric: Metric| self.prices.iter().position(|p| p.source.metric == metric);
        let futures = [Metric::BestBidAsk, Metric::Trade, Metric::Bar].into_iter().find_map(of);
        let premium = of(Metric::MarkPrice).zip(index).map(|(price, index)| feed(price, index));
        let of_futures = |other: Option<usize>| futures.zip(other).map(|(price, index)| feed(price, index));
        let (basis, spot_basis) = (of_futures(index), of_futures(spot));
        (self.premium, self.basis, self.spot_basis) = (premium, basis, spot_basis);
    }

    /// Compares futures prices with those of a spot market from now on.
    pub(crate) fn join_spot(&mut self, stream: StreamIndex, decl: &StreamDecl, config: &Config) -> FeedRoute {
        let (premium, basis) = (self.premium.take(), self.basis.take());
        let route = self.add(stream, decl, config);
        self.declared.push((decl.metric, decl.filled));
        self.pair_up();
        (self.premium, self.basis) = (premium, basis);
        route
    }
}
