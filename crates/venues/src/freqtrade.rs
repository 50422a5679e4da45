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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funding_is_small_and_alone_in_its_row() {
        const ZERO: Option<f64> = Some(0.0);
        let funding = [Some(0.0001), ZERO, ZERO, ZERO, ZERO];
        assert!(is_funding(&[funding]) && !is_funding(&[]));
        for (rate, want) in [(Some(-0.0075), true), (ZERO, true), (None, false)] {
            assert_eq!(is_funding(&[funding, [rate, ZERO, ZERO, ZERO, ZERO]]), want, "{rate:?}");
        }
        // What is half or more is a price.
        for (rate, want) in [(0.499, true), (-0.499, true), (0.5, false), (-0.5, false), (0.52, false)] {
            assert_eq!(is_funding(&[funding, [Some(rate), ZERO, ZERO, ZERO, ZERO]]), want, "{rate}");
        }
        for column in 1..5 {
            for (value, want) in [(None, true), (Some(0.0001), false), (Some(-0.0001), false)] {
                let mut row = funding;
                row[column] = value;
                assert_eq!(is_funding(&[funding, row]), want, "{value:?} in {column}");
            }
        }
    }
}
