//! Events: all that ever reaches the engine, in one total order.
//!
//! `event_ts` is the venue's clock (bars: the close), `recv_ts` the moment the fact may be used: receipt for live data,
//! stamp plus declared delay for archives. Order is (`recv_ts`, source rank, `event_ts`, sequence, content): the last two
//! make it total without looking at the order in which files were named.

use crate::{Metric, Status, StreamIndex, Ts};
use core::cmp::Ordering;
use serde::{Deserialize, Serialize};

/// Which side acted or was closed; the field that holds it says whose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Buyer, or holder of a long.
    Long,
    /// Seller, or holder of a short.
    Short,
}

/// A closed bar `[event_ts − cadence, event_ts)`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bar {
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume.
    pub volume: Option<f64>,
    /// Quote volume.
    pub quote_volume: Option<f64>,
}

/// What happened. Numbers are finite and in range: the edge has checked.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Payload {
    /// A closed bar; [`Metric::Bar`].
    Bar(Bar),
    /// A trade; [`Metric::Trade`].
    Trade {
        /// Price.
        price: f64,
        /// Base quantity.
        qty: f64,
        /// Side that took liquidity, where known.
        aggressor_side: Option<Side>,
    },
    /// Best bid and ask; [`Metric::BestBidAsk`].
    BestBidAsk {
        /// Best bid price.
        bid: f64,
        /// Best ask price.
        ask: f64,
    },
    /// A single number of the stream's metric: mark, index, premium, open interest, ratios.
    Value(f64),
    /// A funding rate, running or settled as the stream's metric says.
    Funding {
        /// Fraction per interval.
        rate: f64,
        /// Hours between settlements at that observation, where known.
        interval_h: Option<f64>,
        /// Next settlement, where known.
        next_ts: Option<Ts>,
        /// An extra settlement outside the schedule (`rateType=Special`): kept, but in no statistic.
        special: bool,
    },
    /// A liquidation.
    Liquidation {
        /// Side of the position that was closed.
        liquidated_side: Side,
        /// Price.
        price: f64,
        /// Base quantity.
        qty: f64,
    },
    /// Continuity of the stream changed.
    Status(Status),
    /// Time passed; carries no data. `recv_ts` is the moment.
    Tick,
}

/// One fact with its two clocks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Event {
    /// When it may be used.
    pub recv_ts: Ts,
    /// When it happened, by the venue's clock.
    pub event_ts: Ts,
    /// Which stream it belongs to; also the source rank.
    pub stream: StreamIndex,
    /// Venue's own sequence (trade id, line of a recording); 0 where there is none.
    pub seq: u64,
    /// What happened.
    pub payload: Payload,
}

impl Payload {
    /// The one number people ask for: close, price, rate, value. `None` for status and ticks.
    #[must_use]
    pub fn headline(&self) -> Option<f64> {
        match self {
            Self::Bar(b) => Some(b.close),
            Self::Trade { price, .. } => Some(*price),
            Self::Liquidation { price, qty, .. } => Some(price * qty),
            Self::BestBidAsk { bid, ask } => Some(0.5 * (bid + ask)),
            Self::Value(v) => Some(*v),
            Self::Funding { rate, .. } => Some(*rate),
            Self::Status(_) | Self::Tick => None,
        }
    }

    /// Appends everything but the tag to `out`, so that [`Self::decode`] with the same metric gives it back bit for
    /// bit. Data payloads only.
    pub fn encode(&self, out: &mut Vec<u8>) {
        fn put(out: &mut Vec<u8>, v: f64) {
            out.extend_from_slice(&v.to_le_bytes());
        }
        match *self {
            Self::Bar(b) => {
                out.push(u8::from(b.volume.is_some()) | u8::from(b.quote_volume.is_some()) << 1);
                for v in [Some(b.open), Some(b.high), Some(b.low), Some(b.close), b.volume, b.quote_volume]
                    .into_iter()
                    .flatten()
                {
                    put(out, v);
                }
            }
            Self::Trade { price, qty, aggressor_side } => {
                out.push(side_code(aggressor_side));
                put(out, price);
                put(out, qty);
            }
            Self::BestBidAsk { bid, ask } => {
                put(out, bid);
                put(out, ask);
            }
            Self::Value(v) => put(out, v),
            Self::Funding { rate, interval_h, next_ts, special } => {
                out.push(u8::from(interval_h.is_some()) | u8::from(next_ts.is_some()) << 1 | u8::from(special) << 2);
                put(out, rate);
                if let Some(h) = interval_h {
                    put(out, h);
                }
                if let Some(t) = next_ts {
                    out.extend_from_slice(&t.0.to_le_bytes());
                }
            }
            Self::Liquidation { liquidated_side, price, qty } => {
                out.push(side_code(Some(liquidated_side)));
                put(out, price);
                put(out, qty);
            }
            Self::Status(_) | Self::Tick => {}
        }
    }

    /// Reads back what [`Self::encode`] wrote. `None` when the bytes are not of this metric.
    #[must_use]
    pub fn decode(metric: Metric, bytes: &[u8]) -> Option<Self> {
        let mut r = Reader(bytes);
        let payload = match metric {
            Metric::Bar => {
                let flags = r.u8()?;
                let (open, high, low, close) = (r.f64()?, r.f64()?, r.f64()?, r.f64()?);
                let volume = if flags & 1 != 0 { Some(r.f64()?) } else { None };
                let quote_volume = if flags & 2 != 0 { Some(r.f64()?) } else { None };
                Self::Bar(Bar { open, high, low, close, volume, quote_volume })
            }
            Metric::Trade => {
                let aggressor_side = side_of(r.u8()?)?;
                Self::Trade { price: r.f64()?, qty: r.f64()?, aggressor_side }
            }
            Metric::BestBidAsk | Metric::Book => Self::BestBidAsk { bid: r.f64()?, ask: r.f64()? },
            Metric::FundingRate | Metric::FundingRateSettled => {
                let flags = r.u8()?;
                let rate = r.f64()?;
                let interval_h = if flags & 1 != 0 { Some(r.f64()?) } else { None };
                let next_ts = if flags & 2 != 0 { Some(Ts(r.i64()?)) } else { None };
                Self::Funding { rate, interval_h, next_ts, special: flags & 4 != 0 }
            }
            Metric::Liquidation => {
                let liquidated_side = side_of(r.u8()?)??;
                Self::Liquidation { liquidated_side, price: r.f64()?, qty: r.f64()? }
            }
            Metric::MarkPrice
            | Metric::IndexPrice
            | Metric::PremiumIndex
            | Metric::OpenInterest
            | Metric::OpenInterestUsd
            | Metric::TopTraderAccountRatio
            | Metric::TopTraderPositionRatio
            | Metric::LongShortRatio
            | Metric::TakerVolumeRatio
            | Metric::SpotPrice => Self::Value(r.f64()?),
        };
        r.0.is_empty().then_some(payload)
    }
}

const fn side_code(side: Option<Side>) -> u8 {
    match side {
        None => 0,
        Some(Side::Long) => 1,
        Some(Side::Short) => 2,
    }
}

#[expect(clippy::option_option, reason = "outer: is it a code at all; inner: is the side known")]
const fn side_of(code: u8) -> Option<Option<Side>> {
    match code {
        0 => Some(None),
        1 => Some(Some(Side::Long)),
        2 => Some(Some(Side::Short)),
        _ => None,
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }
    fn i64(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(i64::from_le_bytes(*first))
    }
    fn f64(&mut self) -> Option<f64> {
        self.i64().map(|n| f64::from_bits(n.cast_unsigned()))
    }
}

impl Event {
    /// The total order of events. Equal means equal in every bit, so duplicates are neighbours after sorting.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.recv_ts
            .cmp(&other.recv_ts)
            .then(self.stream.cmp(&other.stream))
            .then(self.event_ts.cmp(&other.event_ts))
            .then(self.seq.cmp(&other.seq))
            .then_with(|| self.content_order(other))
    }

    fn content_order(&self, other: &Self) -> Ordering {
        if self.payload == other.payload {
            return Ordering::Equal;
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for (e, out) in [(self, &mut a), (other, &mut b)] {
            match e.payload {
                Payload::Status(s) => out.extend(
                    [s.from.0, s.until.0, s.state as i64, s.reason as i64].into_iter().flat_map(i64::to_le_bytes),
                ),
                Payload::Bar(_)
                | Payload::Trade { .. }
                | Payload::BestBidAsk { .. }
                | Payload::Value(_)
                | Payload::Funding { .. }
                | Payload::Liquidation { .. }
                | Payload::Tick => e.payload.encode(out),
            }
        }
        a.cmp(&b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_survives_the_store() {
        let bar = Bar { open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: Some(7.0), quote_volume: None };
        let cases = [
            (Metric::Bar, Payload::Bar(bar)),
            (Metric::Trade, Payload::Trade { price: 1.0, qty: 2.0, aggressor_side: Some(Side::Short) }),
            (Metric::BestBidAsk, Payload::BestBidAsk { bid: 1.0, ask: 1.1 }),
            (Metric::OpenInterest, Payload::Value(12.5)),
            (
                Metric::FundingRate,
                Payload::Funding { rate: -1e-4, interval_h: Some(4.0), next_ts: Some(Ts(5)), special: false },
            ),
            (
                Metric::FundingRateSettled,
                Payload::Funding { rate: 1e-4, interval_h: None, next_ts: None, special: true },
            ),
            (Metric::Liquidation, Payload::Liquidation { liquidated_side: Side::Long, price: 3.0, qty: 4.0 }),
        ];
        for (metric, payload) in cases {
            let mut bytes = Vec::new();
            payload.encode(&mut bytes);
            assert_eq!(Payload::decode(metric, &bytes), Some(payload), "{metric:?}");
            assert_eq!(Payload::decode(metric, &bytes[1..]), None, "{metric:?} cut short");
        }
    }

    #[test]
    fn order_is_total_and_ignores_arrival() {
        let e = |recv, stream, event, seq, v| Event {
            recv_ts: Ts(recv),
            event_ts: Ts(event),
            stream: StreamIndex(stream),
            seq,
            payload: Payload::Value(v),
        };
        let sorted =
            [e(1, 0, 1, 0, 5.0), e(1, 0, 1, 0, 6.0), e(1, 0, 1, 1, 1.0), e(1, 1, 0, 0, 1.0), e(2, 0, 0, 0, 0.0)];
        let mut shuffled = [sorted[4], sorted[1], sorted[3], sorted[0], sorted[2]];
        shuffled.sort_by(Event::order);
        assert_eq!(shuffled, sorted);
    }
}
