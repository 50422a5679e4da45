//! Numbers of a market, checked: what is outside its range is not a number here. Whatever the venue's spelling, these are the
//! ranges.

use barograph_domain::{Bar, Price};

/// No quantity or value of a market is larger.
pub(crate) const LARGEST: f64 = 1e18;

/// A price that a market can have.
pub(crate) fn price(value: f64) -> Option<f64> {
    Price::new(value).map(Price::get)
}

/// A quantity: not negative.
pub(crate) fn qty(value: f64) -> Option<f64> {
    (0.0..=LARGEST).contains(&value).then_some(value)
}

/// A funding rate: a fraction between −1 and 1.
pub(crate) fn rate(value: f64) -> Option<f64> {
    (value.abs() <= 1.0).then_some(value)
}

/// Declares `price`, `qty` and `rate` of a text, as this function reads numbers.
macro_rules! ranges {
    ($number:path) => {
        /// A price that a market can have.
        pub(super) fn price(text: &str) -> Option<f64> {
            $number(text).and_then($crate::session::checked::price)
        }

        /// A quantity: not negative.
        pub(super) fn qty(text: &str) -> Option<f64> {
            $number(text).and_then($crate::session::checked::qty)
        }

        /// A funding rate: a fraction between −1 and 1.
        pub(super) fn rate(text: &str) -> Option<f64> {
            $number(text).and_then($crate::session::checked::rate)
        }
    };
}
pub(crate) use ranges;

/// Price and base units of something that was traded. Inverse contracts are counted in quote units.
pub(crate) fn fill(inverse: bool, price: Option<f64>, size: Option<f64>) -> Option<(f64, f64)> {
    let (price, size) = price.zip(size.filter(|size| *size > 0.0))?;
    Some((price, if inverse { size / price } else { size }))
}

/// A bar of open, high, low, close, where the high is the highest and the low the lowest.
pub(crate) fn bar([open, high, low, close]: [f64; 4], volume: Option<f64>, quote_volume: Option<f64>) -> Option<Bar> {
    let inside = |price: f64| (low..=high).contains(&price);
    (inside(open) && inside(close)).then_some(Bar { open, high, low, close, volume, quote_volume })
}
