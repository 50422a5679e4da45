//! Prices and quantities: finite, in range, parsed exactly once from the venue's decimal text.

use serde::Serialize;

/// A price in quote units, between [`Price::LEAST`] and [`Price::MOST`].
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize)]
#[serde(transparent)]
pub struct Price(f64);

/// A quantity in base units (or contracts where the field says so): finite and not negative.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize)]
#[serde(transparent)]
pub struct Qty(f64);

impl Price {
    /// No market is cheaper: the cheapest listed tokens cost 1e-9 dollars, 1e-14 bitcoin.
    pub const LEAST: f64 = 1e-15;
    /// No market is dearer: one bitcoin is 1e11 rials. One row with a price of 1e20 would outweigh all others of its window.
    pub const MOST: f64 = 1e12;

    /// `None` for what no market can have as a price.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (Self::LEAST..=Self::MOST).contains(&value).then_some(Self(value))
    }
    /// The plain number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}
impl Qty {
    /// `None` unless finite and not negative.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && value >= 0.0).then_some(Self(value))
    }
    /// The plain number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_numbers_get_in() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-16, 1e13, 1e20] {
            assert!(Price::new(bad).is_none(), "{bad}");
        }
        // A token in bitcoin, SHIB in dollars, bitcoin in rupiah and in rials.
        for good in [1e-14, 1e-8, 63_000.0, 1.6e9, 1e11] {
            assert_eq!(Price::new(good).map(Price::get), Some(good));
        }
        for bad in [f64::NAN, f64::NEG_INFINITY, -1e-9] {
            assert!(Qty::new(bad).is_none());
        }
        assert_eq!(Qty::new(0.0).map(Qty::get), Some(0.0));
    }
}
