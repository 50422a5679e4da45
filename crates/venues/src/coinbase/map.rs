//! Fields to numbers, checked: what is not finite, not in range or not plausible never leaves this file.

use super::wire;
use crate::number::PLAUSIBLE;
use crate::session::Decimal;
use crate::session::checked;
use crate::session::seen::identity;
use barograph_domain::{Bar, Price, Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Above this, a quantity is damage.
const QTY_MAX: f64 = 1e15;
/// Funding per interval beyond this is damage.
const FUNDING_MAX: f64 = 1.0;
/// The venue's clock may be ahead of ours by this much; one wild stamp must not move the minutes.
const AHEAD_MAX: Span = Span::mins(1);

/// How the word `side` of a trade is read (configuration `trade_side_is_maker`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggressorFrom {
    /// The word is the maker's side: the taker did the opposite. The venue's documents say so, and all 71 trades of the
    /// recording of 2026-08-09 that can be compared with the book agree.
    Maker,
    /// The word is the taker's side.
    Taker,
}

impl AggressorFrom {
    /// As configured.
    #[must_use]
    pub const fn configured(side_is_maker: bool) -> Self {
        if side_is_maker { Self::Maker } else { Self::Taker }
    }

    /// Who took liquidity; `None` for words that are neither `BUY` nor `SELL`.
    #[must_use]
    pub const fn side(self, word: &[u8]) -> Option<Side> {
        match (self, word) {
            (Self::Maker, b"SELL") | (Self::Taker, b"BUY") => Some(Side::Long),
            (Self::Maker, b"BUY") | (Self::Taker, b"SELL") => Some(Side::Short),
            _ => None,
        }
    }
}

/// A trade, checked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Trade {
    pub(super) id: u64,
    pub(super) price: f64,
    /// As the venue counts: base units, contracts of futures.
    pub(super) size: Decimal,
    pub(super) time: Ts,
    pub(super) side: Option<Side>,
}

/// A stamp that can be true at `now`.
pub(super) fn moment(stamp: Option<Ts>, now: Ts) -> Option<Ts> {
    stamp.filter(|t| PLAUSIBLE.contains(t) && *t <= now + AHEAD_MAX)
}

/// A price above zero.
pub(super) fn price(text: &[u8]) -> Option<(Decimal, f64)> {
    let decimal = Decimal::parse(text)?;
    let value = decimal.to_f64();
    Price::new(value).map(|price| (decimal, price.get()))
}

/// A quantity, zero or more.
pub(super) fn qty(text: &[u8]) -> Option<(Decimal, f64)> {
    let decimal = Decimal::parse(text)?;
    let value = decimal.to_f64();
    (0.0..QTY_MAX).contains(&value).then_some((decimal, value))
}

/// A trade; the error names the field.
pub(super) fn trade(row: &wire::Trade<'_>, from: AggressorFrom, now: Ts) -> Result<Trade, &'static str> {
    let id = crate::number::unsigned(row.trade_id).or_else(|| named(row.trade_id)).ok_or("trade without an id")?;
    let (_, price) = price(row.price).ok_or("trade price is no price")?;
    let (size, value) = qty(row.size).ok_or("trade size is no quantity")?;
    if value <= 0.0 {
        return Err("trade size is zero");
    }
    let time = moment(wire::stamp(row.time), now).ok_or("trade time is not plausible")?;
    Ok(Trade { id, price, size, time, side: from.side(row.side) })
}

/// A number for an id that is none: futures of other clearing houses may name their trades.
fn named(id: &[u8]) -> Option<u64> {
    (!id.is_empty()).then(|| identity(&[id]))
}

/// A closed minute candle with its close instant; `scale` turns contracts into base units.
pub(super) fn candle(row: &wire::Candle<'_>, scale: f64) -> Option<(Ts, Bar)> {
    let start: i64 = row.start.parse().ok()?;
    let close_ts = Ts(start.checked_mul(1_000_000_000)?.checked_add(60_000_000_000)?);
    let value = |text: &str| price(text.as_bytes()).map(|(_, v)| v);
    let prices = [value(row.open)?, value(row.high)?, value(row.low)?, value(row.close)?];
    let (_, volume) = qty(row.volume.as_bytes())?;
    let bar = checked::bar(prices, Some(volume * scale), None)?;
    (start % 60 == 0 && PLAUSIBLE.contains(&close_ts)).then_some((close_ts, bar))
}

/// What a future's product says about itself now.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Derived {
    /// Base units.
    pub(super) open_interest: Option<f64>,
    /// Per interval.
    pub(super) funding: Option<f64>,
    pub(super) interval_h: Option<f64>,
    pub(super) next_ts: Option<Ts>,
    pub(super) index: Option<f64>,
}

/// Open interest, funding and index of a product; the error names the field.
pub(super) fn derived(product: &wire::Product, now: Ts) -> Result<Derived, &'static str> {
    let future = product.future_product_details.as_ref().ok_or("product is no future")?;
    let some = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    let mut derived = Derived::default();
    if let Some(text) = some(&future.open_interest) {
        let contracts = qty(text.as_bytes()).ok_or("open interest is no quantity")?.1;
        let (_, size) = price(future.contract_size.as_bytes()).ok_or("contract size is no number above zero")?;
        derived.open_interest = Some(contracts * size);
    }
    if let Some(text) = some(&future.funding_rate) {
        let rate = Decimal::parse(text.as_bytes()).map(Decimal::to_f64).filter(|r| r.abs() <= FUNDING_MAX);
        derived.funding = Some(rate.ok_or("funding rate is not a fraction up to one")?);
        derived.interval_h = some(&future.funding_interval).and_then(|t| hours(&t));
        // Seen as the hour that has passed; only a later one says anything about the next.
        derived.next_ts = some(&future.funding_time).and_then(|t| wire::stamp(t.as_bytes())).filter(|t| *t > now);
    }
    if let Some(text) = some(&future.index_price) {
        derived.index = Some(price(text.as_bytes()).ok_or("index price is no price")?.1);
    }
    Ok(derived)
}

/// `3600s` as hours.
pub(super) fn hours(text: &str) -> Option<f64> {
    let seconds = Span::parse(text).ok()?;
    Some(seconds.as_secs_f64() / 3_600.0).filter(|h| *h > 0.0)
}

/// A sum of decimals without rounding, so that a bar made of trades has the volume the venue prints.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(super) struct Sum {
    mantissa: i128,
    scale: u8,
}

impl Sum {
    /// Adds one; what cannot be held (more than 38 digits) saturates, far beyond `QTY_MAX`.
    pub(super) fn add(&mut self, d: Decimal) {
        let mut other = i128::from(d.mantissa);
        for _ in self.scale..d.scale {
            self.mantissa = self.mantissa.saturating_mul(10);
        }
        for _ in d.scale..self.scale {
            other = other.saturating_mul(10);
        }
        self.scale = self.scale.max(d.scale);
        self.mantissa = self.mantissa.saturating_add(other);
    }

    /// The nearest float.
    pub(super) fn to_f64(self) -> f64 {
        let (mut mantissa, mut scale) = (self.mantissa, self.scale);
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        i64::try_from(mantissa).map_or(QTY_MAX, |mantissa| Decimal { mantissa, scale }.to_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let mut sum = Sum::default();
        for text in ["0.1", "0.2", "0.00000003", "10", "0.69999997"] {
            sum.add(Decimal::parse(text.as_bytes()).unwrap());
        }
        assert_eq!(sum.to_f64().to_bits(), 11.0_f64.to_bits());
        sum.add(Decimal::parse(b"0.3").unwrap());
        assert_eq!(sum.to_f64().to_bits(), 11.3_f64.to_bits());
    }

    #[test]
    fn a_funding_rate_is_a_fraction_up_to_one() {
        for (text, want) in
            [("1", Some(1.0)), ("-1", Some(-1.0)), ("0.0001", Some(0.0001)), ("1.0001", None), ("x", None)]
        {
            let json = format!(
                r#"{{"product_id":"A","future_product_details":{{"contract_size":"1","open_interest":"","funding_rate":"{text}"}}}}"#
            );
            let product: wire::Product = serde_json::from_str(&json).unwrap();
            assert_eq!(derived(&product, Ts(0)).ok().map(|d| d.funding), want.map(Some), "{text}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for bad in ["0", "-1", "1e5", "", "9999999999999", "nan"] {
            assert_eq!(price(bad.as_bytes()), None, "{bad}");
        }
        for bad in ["-1", "", "0.-10000", "9999999999999999"] {
            assert_eq!(qty(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(qty(b"0"), Some((Decimal { mantissa: 0, scale: 0 }, 0.0)));
    }
}
