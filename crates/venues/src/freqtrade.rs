//! The data folder of freqtrade: `<exchange>/[futures/]BASE_QUOTE[_SETTLE]-<timeframe>[-<candle type>].<format>`.
//!
//! Quirks that decide code here:
//! - Columns are `date, open, high, low, close, volume`; JSON rows the same six in an array without names.
//! - Funding files carry the rate in `open` and zero in the other columns; newer versions name them `1h` whatever the
//!   interval is. The stamp is the settlement, with the venue's jitter.
//! - Mark files carry volume 0 or none.
//! - Stamps are the open of the bar, in milliseconds, UTC.

/// Column names of rows that come without.
pub const JSON_COLUMNS: [&str; 6] = ["date", "open", "high", "low", "close", "volume"];

/// Funding in the shape of candles: only `open` holds something, and it is small.
#[must_use]
pub fn is_funding(rows: &[[Option<f64>; 5]]) -> bool {
    let zero = |v: Option<f64>| v.is_none_or(|v| v.abs() < f64::MIN_POSITIVE);
    !rows.is_empty()
        && rows.iter().all(|[open, high, low, close, volume]| {
            open.is_some_and(|v| v.abs() < 0.5) && zero(*high) && zero(*low) && zero(*close) && zero(*volume)
        })
}
