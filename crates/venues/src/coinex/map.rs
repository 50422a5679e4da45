//! CoinEx's texts to checked numbers, and its amounts in base units: those of inverse contracts are taken for USD (sheet §2,
//! unverified there).

use crate::session::checked::{self, LARGEST};
use crate::session::scan::{elements, object};
use crate::session::seen::identity;
use crate::session::wire::Millis;
use crate::session::{Decimal, MarketSpec};
use barograph_domain::{Bar, Payload, Side, Span, Ts};

/// Text of a decimal number; empty text is none.
pub(super) fn number(text: &str) -> Option<f64> {
    let v = Decimal::parse(text.as_bytes()).map(Decimal::to_f64).or_else(|| crate::number::decimal(text.as_bytes()))?;
    (v.abs() <= LARGEST).then_some(v)
}

checked::ranges!(number);

/// Is there no price because there are no orders? It is absent then, or zero.
pub(super) fn is_no_price(text: &str) -> bool {
    text.is_empty() || number(text) == Some(0.0)
}

/// A deal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Deal {
    pub at: Ts,
    pub id: u64,
    price: f64,
    qty: f64,
    taker: Side,
}

impl Deal {
    /// Each deal of a list, none stamped later than `now` allows.
    pub(super) fn each(spec: &MarketSpec, now: Ts, json: &str, mut f: impl FnMut(Self)) -> Option<()> {
        elements(json, |row| {
            let [id, time, side, cost, amount] = object(row, ["deal_id", "created_at", "side", "price", "amount"])?;
            let (price, qty) = checked::fill(spec.inverse, price(cost), qty(amount))?;
            let taker = match side {
                "buy" => Side::Long,
                "sell" => Side::Short,
                _ => return None,
            };
            f(Self { at: Millis::of(time).by(now)?, id: id.parse().ok()?, price, qty, taker });
            Some(())
        })
    }

    pub(super) const fn payload(self) -> Payload {
        Payload::Trade { price: self.price, qty: self.qty, aggressor_side: Some(self.taker) }
    }
}

/// A liquidation: when, what distinguishes it from others (it has no number), and what happened. The side is that of the position. `None`:
/// it is none; `Some(None)`: it is one of another market.
pub(super) fn liquidation(spec: &MarketSpec, now: Ts, row: &str) -> Option<Option<(Ts, u64, Payload)>> {
    let [market, side, cost, amount, time] =
        object(row, ["market", "side", "liq_price", "liq_amount", "created_at"])?.map(str::trim);
    if market != spec.symbol {
        return Some(None);
    }
    let (price, qty) = checked::fill(spec.inverse, price(cost), qty(amount))?;
    let liquidated_side = match side {
        "long" => Side::Long,
        "short" => Side::Short,
        _ => return None,
    };
    let id = identity(&[market, side, cost, amount].map(str::as_bytes));
    Some(Some((Millis::of(time).by(now)?, id, Payload::Liquidation { liquidated_side, price, qty })))
}

/// A bar, with its close. What the volumes of inverse contracts count is not known.
pub(super) fn bar(spec: &MarketSpec, row: &str) -> Option<(Ts, Bar)> {
    let [time, open, high, low, close, volume, value] =
        object(row, ["created_at", "open", "high", "low", "close", "volume", "value"])?;
    let start = Millis::of(time).ts().filter(|t| t.floor(Span::mins(1)) == *t)?;
    let volumes = [volume, value].map(|text| if spec.inverse { None } else { qty(text) });
    let prices = [price(open)?, price(high)?, price(low)?, price(close)?];
    Some((start + Span::mins(1), checked::bar(prices, volumes[0], volumes[1])?))
}

/// A settlement: when, and what was paid.
pub(super) fn settlement(row: &str) -> Option<(Ts, f64)> {
    let [time, paid] = object(row, ["funding_time", "actual_funding_rate"])?;
    Millis::of(time).ts().zip(rate(paid))
}

/// Hours between the last settlement and the next one.
pub(super) fn interval_h(latest: Millis, next: Millis) -> Option<f64> {
    let hours = (next.ts()? - latest.ts()?).as_secs_f64() / 3_600.0;
    ((1.0..=24.0).contains(&hours) && hours.fract() < f64::EPSILON).then_some(hours)
}
