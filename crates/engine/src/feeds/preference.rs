//! Which of several streams of one market is read first.

use super::TICK;
use barograph_domain::{Kind, MarketKind, Metric, Span, StreamDecl};

/// Preference among streams of one market: true units before derived ones, minutes before coarser grids, finer before
/// coarser; at equal steps the mark on contracts and the last trade on spot, then bars, trades, mids (features §1, mark
/// source).
pub(super) fn preference(kind: MarketKind, decl: &StreamDecl) -> (bool, bool, Span, u8) {
    let stand_in = decl.kind == Kind::Proxy || decl.metric == Metric::OpenInterestUsd;
    let rank = match (kind, decl.metric) {
        (MarketKind::Spot, Metric::Trade) => 0,
        (_, Metric::MarkPrice | Metric::FundingRate) => 1,
        (_, Metric::Bar) => 2,
        (_, Metric::Trade) => 3,
        (_, Metric::BestBidAsk) => 4,
        _ => 5,
    };
    // Last, where a spot market that is joined later stands too.
    (decl.metric == Metric::SpotPrice, stand_in, decl.cadence.max(TICK), rank)
}
