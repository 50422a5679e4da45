//! The spot leg of a contract (R3.6): which market it is, and its prices as a stream of the contract itself.
//!
//! A market's rows depend on its own streams only. So the price of its spot market enters it as one of them, by the same clock:
//! what is stored, replayed and restored knows nothing of two markets.

use crate::{Instrument, Kind, MarketKind, Metric, Payload, Span, Stamp, StreamDecl};

/// The spot market of the same base and quote on the same exchange; none of a spot market, or where nobody records one.
#[must_use]
pub fn spot_leg<'a>(of: &Instrument, among: impl IntoIterator<Item = &'a Instrument>) -> Option<&'a Instrument> {
    let pair = of.name.base_quote().filter(|_| of.kind != MarketKind::Spot)?;
    let same = |i: &&Instrument| {
        i.kind == MarketKind::Spot
            && i.name.venue.exchange() == of.name.venue.exchange()
            && i.name.base_quote().as_ref() == Some(&pair)
    };
    among.into_iter().filter(same).min_by(|a, b| a.name.cmp(&b.name))
}

/// The stream of a spot market that prices its contracts: the middle of its quote, else its trades, else its finest candles.
#[must_use]
pub fn priced_by<'a>(streams: impl IntoIterator<Item = &'a StreamDecl>) -> Option<&'a StreamDecl> {
    let rank = |d: &StreamDecl| match d.metric {
        Metric::BestBidAsk => Some((0, Span::ZERO)),
        Metric::Trade => Some((1, Span::ZERO)),
        Metric::Bar => Some((2, d.cadence)),
        _ => None,
    };
    streams
        .into_iter()
        .filter(|d| matches!(d.kind, Kind::Measured | Kind::Sampled))
        .filter_map(|d| Some((rank(d)?, d)))
        .min_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
        .map(|(_, d)| d)
}

/// A stream of spot prices as one of the contract.
#[must_use]
pub fn as_stream(of: &Instrument, from: &StreamDecl) -> StreamDecl {
    let single = matches!(from.metric, Metric::BestBidAsk | Metric::Trade);
    StreamDecl {
        instrument: of.name.clone(),
        metric: Metric::SpotPrice,
        source: from.instrument.to_string(),
        stamp: if from.metric == Metric::Bar { Stamp::Close } else { Stamp::Instant },
        filled: from.filled || single,
        ..from.clone()
    }
}

/// What a fact of the spot market says about its price; none of one that says nothing.
#[must_use]
pub fn price(payload: &Payload) -> Option<Payload> {
    match *payload {
        Payload::Bar(bar) => Some(Payload::Value(bar.close)),
        Payload::Trade { price, .. } => Some(Payload::Value(price)),
        Payload::BestBidAsk { bid, ask } => Some(Payload::Value(f64::midpoint(bid, ask))),
        Payload::Status(status) => Some(Payload::Status(status)),
        Payload::Value(_) | Payload::Funding { .. } | Payload::Liquidation { .. } | Payload::Tick => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstrumentName;

    fn market(name: &str, kind: MarketKind) -> Instrument {
        Instrument { name: InstrumentName::parse(name).unwrap(), kind, expiry: None }
    }

    #[test]
    fn a_leg_is_of_the_same_pair_on_the_same_exchange() {
        let all = [
            market("binance-spot:BTCUSDT", MarketKind::Spot),
            market("binance-spot:BTCUSDC", MarketKind::Spot),
            market("coinbase:BTC-USD", MarketKind::Spot),
            market("binance-usdm:BTCUSDT", MarketKind::Perpetual),
            market("binance-usdm:ETHUSDT", MarketKind::Perpetual),
            market("bybit:BTCUSDT", MarketKind::Perpetual),
        ];
        let leg = |at: usize| spot_leg(&all[at], &all).map(|i| i.name.to_string());
        assert_eq!(leg(3).as_deref(), Some("binance-spot:BTCUSDT"));
        for without in [0, 4, 5] {
            assert_eq!(leg(without), None, "{}", all[without].name);
        }
    }
}
