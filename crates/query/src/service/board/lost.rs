//! Is a market lost: does nothing come of what its readings rest on?
//!
//! A rule book names metrics, and a market has streams: on spot trades stand in for the mark price, which no venue offers there. So
//! what is required of a market is what it offers.

use crate::live::board::{LiveMarket, LiveStream};
use barograph_domain::{Metric, MinuteRow, StatusState, StreamDecl};

/// What must not be lost of a market: the metrics that the rule book reads, and those of the streams that speak for them.
pub(super) fn required(row: &MinuteRow, streams: &[StreamDecl]) -> Vec<Metric> {
    let speaks = row.inputs.iter().filter_map(|i| streams.get(i.stream?.index())).map(|decl| decl.metric);
    let mut all: Vec<Metric> = row.inputs.iter().map(|i| i.metric).chain(speaks).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Is something that is required lost in all streams that the market offers of it, or the market in every stream it has? A market
/// without a minute requires nothing.
pub(super) fn is_lost(market: &LiveMarket, required: &[Metric]) -> bool {
    let offered = || market.streams.iter().filter(|s| s.state != StatusState::NotOffered);
    let one = |metric: &Metric| all_lost(offered().filter(|s| s.metric == *metric));
    required.iter().any(one) || (!required.is_empty() && all_lost(offered()))
}

/// None of these says anything; nor are there none.
fn all_lost<'a>(streams: impl Iterator<Item = &'a LiveStream>) -> bool {
    let mut streams = streams.peekable();
    streams.peek().is_some()
        && streams.all(|s| matches!(s.state, StatusState::Gap | StatusState::Resync | StatusState::Stale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::board::{Board, Writer};
    use barograph_domain::{
        GapReason, InputAge, Instrument, InstrumentName, Kind, MarketKind, Span, Stamp, Status, StreamIndex, Ts,
    };

    fn decl(metric: Metric) -> StreamDecl {
        StreamDecl {
            instrument: InstrumentName::parse("binance-spot:BTCUSDT").unwrap(),
            metric,
            kind: Kind::Measured,
            cadence: Span::secs(1),
            source: "binance-spot".to_owned(),
            delay: Span::ZERO,
            stamp: Stamp::Instant,
            filled: false,
        }
    }

    /// A row of a book that reads three metrics; `price` is the stream that speaks for the price.
    fn row(price: Option<u16>) -> MinuteRow {
        let input = |metric, stream| InputAge { metric, stream, anchor: Ts(0), gap: None };
        let inputs = vec![
            input(Metric::MarkPrice, price.map(StreamIndex)),
            input(Metric::FundingRate, None),
            input(Metric::OpenInterest, None),
        ];
        MinuteRow { inputs, ..MinuteRow::bare(Ts(0)) }
    }

    /// The market while these of its streams, by position, are live and the others are in a gap.
    fn market(offered: &[StreamDecl], missing: &[StreamDecl], live: &[u16]) -> LiveMarket {
        let instrument = Instrument { name: decl(Metric::Trade).instrument, kind: MarketKind::Spot, expiry: None };
        let (board, mut writer) = (Board::default(), Writer::default());
        board.grow(&mut writer, core::slice::from_ref(&instrument), offered, missing);
        for at in 0..u16::try_from(offered.len()).unwrap() {
            let state = if live.contains(&at) { StatusState::Live } else { StatusState::Gap };
            let status = Status { state, from: Ts(0), until: Ts(0), reason: GapReason::Disconnected };
            writer.status(StreamIndex(at), &status, Ts(0));
        }
        board.market(&instrument.name).unwrap()
    }

    #[test]
    fn a_spot_market_is_lost_when_what_it_offers_is() {
        let offered = [Metric::Bar, Metric::Trade, Metric::BestBidAsk, Metric::Book].map(decl);
        let missing = [Metric::MarkPrice, Metric::FundingRate, Metric::OpenInterest].map(decl);
        // Live streams, and whether the market is lost: where trades speak for the price, and where nothing has spoken yet.
        for (live, by_trades, unheard) in
            [(&[0, 1, 2, 3][..], false, false), (&[1], false, false), (&[0, 2, 3], true, false), (&[], true, true)]
        {
            let market = market(&offered, &missing, live);
            let lost = |price| is_lost(&market, &required(&row(price), &offered));
            assert_eq!((lost(Some(1)), lost(None)), (by_trades, unheard), "{live:?}");
            assert!(!is_lost(&market, &[]), "a market without a minute");
        }
    }

    #[test]
    fn a_contract_is_lost_when_one_of_its_inputs_is() {
        let offered = [Metric::MarkPrice, Metric::FundingRate, Metric::OpenInterest, Metric::Trade].map(decl);
        for (live, is) in [(&[0, 1, 2, 3][..], false), (&[0, 1, 2], false), (&[0, 1, 3], true), (&[1, 2, 3], true)] {
            let required = required(&row(Some(0)), &offered);
            assert_eq!(is_lost(&market(&offered, &[], live), &required), is, "{live:?}");
        }
        // One of two streams of a metric is enough; one that the venue does not offer counts for nothing.
        let two = [Metric::MarkPrice, Metric::MarkPrice].map(decl);
        assert!(!is_lost(&market(&two, &[], &[1]), &[Metric::MarkPrice]));
        assert!(is_lost(&market(&two, &[decl(Metric::MarkPrice)], &[]), &[Metric::MarkPrice]));
    }
}
