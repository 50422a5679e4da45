//! The spot leg of a contract (R3.6): which market it is, and its prices as a stream of the contract itself.
//!
//! A market's rows depend on its own streams only. So the price of its spot market enters it as one of them, by the same clock:
//! what is stored, replayed and restored knows nothing of two markets.

use crate::{Instrument, InstrumentName, Kind, MarketKind, Metric, Payload, Span, Stamp, StreamDecl};
use serde::{Deserialize, Serialize};

/// Spot markets that somebody has declared for contracts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SpotPairs(Vec<(InstrumentName, InstrumentName)>);

impl SpotPairs {
    /// No leg at all.
    pub const NONE: Self = Self(Vec::new());

    /// As written: `binance-usdm:BTCUSDT=coinbase:BTC-USD`, comma-separated.
    ///
    /// # Errors
    /// A sentence about what is no pair of whole names.
    pub fn parse(text: &str) -> Result<Self, String> {
        let one = |pair: &str| {
            let wrong = || format!("'{pair}' is no pair; write venue:CONTRACT=venue:SPOT");
            let (of, spot) = pair.split_once('=').ok_or_else(wrong)?;
            let name = |text: &str| InstrumentName::parse(text.trim()).map_err(|e| format!("'{pair}': {e}"));
            Ok((name(of)?, name(spot)?))
        };
        let pairs: Vec<_> =
            text.split(',').map(str::trim).filter(|p| !p.is_empty()).map(one).collect::<Result<_, String>>()?;
        match pairs.iter().enumerate().find(|(at, (of, _))| pairs[..*at].iter().any(|(earlier, _)| earlier == of)) {
            Some((_, (of, _))) => Err(format!("{of} has two spot markets; write one")),
            None => Ok(Self(pairs)),
        }
    }

    /// Nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The spot market of a contract: the declared one, and no other where one is declared; else [`spot_leg`].
    #[must_use]
    pub fn leg<'a>(&self, of: &Instrument, among: &'a [Instrument]) -> Option<&'a Instrument> {
        match self.0.iter().find(|(contract, _)| *contract == of.name) {
            Some((_, spot)) => among.iter().find(|i| i.name == *spot && of.kind != MarketKind::Spot),
            None => spot_leg(of, among),
        }
    }
}

impl SpotPairs {
    /// The perpetual that a spot market is the leg of, the other way round of [`Self::leg`]; of several the first by name.
    #[must_use]
    pub fn perpetual<'a>(&self, of: &Instrument, among: &'a [Instrument]) -> Option<&'a Instrument> {
        let is_leg = |i: &&Instrument| {
            i.kind == MarketKind::Perpetual && self.leg(i, among).is_some_and(|spot| spot.name == of.name)
        };
        among.iter().filter(is_leg).min_by(|a, b| a.name.cmp(&b.name))
    }
}

/// Currencies that are worth a US dollar, or say so.
const DOLLARS: [&str; 6] = ["USD", "USDT", "USDC", "FDUSD", "BUSD", "TUSD"];

/// Do the prices of two markets mean the same (features §7, `vx_*`)? They are of one kind and base asset, expire together if at all, and
/// are quoted in one currency or both in dollars.
#[must_use]
pub fn is_comparable(a: &Instrument, b: &Instrument) -> bool {
    let (Some((base, quote)), Some((other, by))) = (a.name.base_quote(), b.name.base_quote()) else { return false };
    let dollars = |quote: &String| DOLLARS.contains(&quote.as_str());
    a.kind == b.kind && a.expiry == b.expiry && base == other && (quote == by || dollars(&quote) && dollars(&by))
}

impl core::fmt::Display for SpotPairs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, (of, spot)) in self.0.iter().enumerate() {
            write!(f, "{}{of}={spot}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

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
        // Declared, another one counts, and none where that is not there.
        let pairs = SpotPairs::parse("bybit:BTCUSDT=coinbase:BTC-USD, binance-usdm:BTCUSDT=okx:BTC-USDT").unwrap();
        let leg = |at: usize| pairs.leg(&all[at], &all).map(|i| i.name.to_string());
        assert_eq!((leg(3), leg(5)), (None, Some("coinbase:BTC-USD".to_owned())));
        assert_eq!(SpotPairs::parse(&pairs.to_string()), Ok(pairs.clone()));
    }

    #[test]
    fn a_pair_is_found_from_either_side_and_venues_of_one_asset_are_compared() {
        let all = [
            market("binance-spot:BTCUSDT", MarketKind::Spot),
            market("coinbase:BTC-USD", MarketKind::Spot),
            market("binance-usdm:BTCUSDT", MarketKind::Perpetual),
            market("bybit:BTCUSDT", MarketKind::Perpetual),
            market("binance-usdm:ETHUSDT", MarketKind::Perpetual),
        ];
        let pairs = SpotPairs::parse("bybit:BTCUSDT=coinbase:BTC-USD").unwrap();
        let perpetual = |at: usize| pairs.perpetual(&all[at], &all).map(|i| i.name.to_string());
        assert_eq!(perpetual(0).as_deref(), Some("binance-usdm:BTCUSDT"));
        assert_eq!(perpetual(1).as_deref(), Some("bybit:BTCUSDT"));
        assert_eq!(perpetual(2), None, "a contract is no leg");
        let alike: Vec<(usize, usize)> = (0..all.len())
            .flat_map(|a| (a + 1..all.len()).map(move |b| (a, b)))
            .filter(|(a, b)| is_comparable(&all[*a], &all[*b]))
            .collect();
        assert_eq!(alike, [(0, 1), (2, 3)]);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for (text, why) in [
            ("BTCUSDT", "'BTCUSDT' is no pair"),
            ("bybit:BTCUSDT=x", "'bybit:BTCUSDT=x':"),
            ("bybit:A=okx:B,bybit:A=okx:C", "bybit:A has two spot markets"),
        ] {
            assert!(SpotPairs::parse(text).unwrap_err().starts_with(why), "{text}");
        }
    }
}
