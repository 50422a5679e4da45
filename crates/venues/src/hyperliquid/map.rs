//! Fields to numbers, checked: what is not finite, not in range or not plausible never leaves this file.

use super::wire;
use crate::number::PLAUSIBLE;
use crate::session::{Decimal, checked};
use barograph_domain::{Bar, Price, Side, Span, Ts};

const QTY_MAX: f64 = 1e15;
/// The venue caps funding at 4 % per hour; rows of 2023 are per eight hours.
const FUNDING_MAX: f64 = 0.5;
/// The venue's clock may be ahead of ours by this much.
const AHEAD_MAX: Span = Span::mins(1);
/// Funding moments are some milliseconds after the hour: 48 ms usually, and never seen a minute late.
const SETTLED_LATE: Span = Span::mins(5);
/// Longest interval between two settlements that is believed.
const INTERVAL_MAX: Span = Span::hours(24);

/// A stamp that can be true at `now`.
pub(super) fn moment(ms: u64, now: Ts) -> Option<Ts> {
    wire::millis(ms).filter(|t| PLAUSIBLE.contains(t) && *t <= now + AHEAD_MAX)
}

/// A price above zero.
pub(super) fn price(text: &[u8]) -> Option<(Decimal, f64)> {
    let decimal = Decimal::parse(text)?;
    let value = decimal.to_f64();
    Price::new(value).map(|price| (decimal, price.get()))
}

/// A quantity, zero or more. The venue sends sums with the noise of binary floats (`605822.2557999999`).
pub(super) fn qty(text: &[u8]) -> Option<f64> {
    let value = crate::number::decimal(text)?;
    (0.0..QTY_MAX).contains(&value).then_some(value)
}

/// A rate per interval.
pub(super) fn rate(text: &[u8]) -> Option<f64> {
    crate::number::decimal(text).filter(|r| r.abs() <= FUNDING_MAX)
}

/// A trade, checked.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Trade {
    pub(super) tid: u64,
    pub(super) time: Ts,
    pub(super) price: f64,
    pub(super) qty: f64,
    pub(super) side: Option<Side>,
}

/// A trade; the error names the field. `side` is the aggressor's: `B` buys, `A` sells.
pub(super) fn trade(row: &wire::Trade<'_>, now: Ts) -> Result<Trade, &'static str> {
    let (_, price) = price(row.px).ok_or("px is no price")?;
    let qty = qty(row.sz).filter(|q| *q > 0.0).ok_or("sz is no quantity")?;
    let time = moment(row.time, now).ok_or("time is not plausible")?;
    let side = match row.side {
        b"B" => Some(Side::Long),
        b"A" => Some(Side::Short),
        _ => return Err("side is neither A nor B"),
    };
    Ok(Trade { tid: row.tid, time, price, qty, side })
}

/// What is known of a coin now; the venue stamps nothing of it.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub(super) struct Context {
    pub(super) mark: Option<f64>,
    pub(super) oracle: Option<f64>,
    /// Fraction per hour.
    pub(super) funding: Option<f64>,
    /// Base units, longs.
    pub(super) open_interest: Option<f64>,
}

/// A context; the error names the field. Empty fields are absent.
pub(super) fn context(row: &wire::Context<'_>) -> Result<Context, &'static str> {
    fn some<T>(text: &[u8], read: impl Fn(&[u8]) -> Option<T>, why: &'static str) -> Result<Option<T>, &'static str> {
        if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or(why) }
    }
    Ok(Context {
        mark: some(row.mark_px, |t| price(t).map(|(_, v)| v), "markPx is no price")?,
        oracle: some(row.oracle_px, |t| price(t).map(|(_, v)| v), "oraclePx is no price")?,
        funding: some(row.funding, rate, "funding is no rate")?,
        open_interest: some(row.open_interest, qty, "openInterest is no quantity")?,
    })
}

/// A one-minute candle with its close instant.
pub(super) fn candle(row: &wire::Candle<'_>) -> Option<(Ts, Bar)> {
    let start = wire::millis(u64::try_from(row.t).ok()?).filter(|t| PLAUSIBLE.contains(t))?;
    let minute = row.i == "1m" && start.floor(Span::mins(1)) == start && row.end.checked_sub(row.t)? == 59_999;
    let value = |text: &str| price(text.as_bytes()).map(|(_, v)| v);
    let prices = [value(row.o)?, value(row.h)?, value(row.l)?, value(row.c)?];
    let bar = checked::bar(prices, Some(qty(row.v.as_bytes())?), None)?;
    minute.then_some((start + Span::mins(1), bar))
}

/// The hour a settlement belongs to, or the stamp itself when it is not shortly after one.
pub(super) fn settled_at(ms: i64) -> Option<Ts> {
    let at = wire::millis(u64::try_from(ms).ok()?).filter(|t| PLAUSIBLE.contains(t))?;
    let hour = at.floor(Span::hours(1));
    Some(if at - hour <= SETTLED_LATE { hour } else { at })
}

/// Hours between two settlements that follow one another.
pub(super) fn interval(before: Ts, at: Ts) -> Option<f64> {
    let between = at - before;
    (between > Span::ZERO && between <= INTERVAL_MAX).then(|| between.as_secs_f64() / 3_600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settlements_belong_to_their_hour() {
        let hour = Ts::from_civil(2026, 11, 19, 12, 0, 0);
        assert_eq!(settled_at(hour.as_millis() + 48), Some(hour));
        assert_eq!(settled_at(hour.as_millis()), Some(hour));
        assert_eq!(settled_at(hour.as_millis() + 1_800_000), Some(hour + Span::mins(30)));
        assert_eq!(interval(hour, hour + Span::hours(8)), Some(8.0));
        assert_eq!(interval(hour, hour + Span::hours(1)), Some(1.0));
        assert_eq!(interval(hour, hour + Span::days(3)), None, "a hole is no interval");
    }
}
