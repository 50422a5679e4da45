//! Prices and quantities: finite, in range, parsed exactly once from the venue's decimal text.

use serde::Serialize;

/// A price in quote units: finite and above zero.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize)]
#[serde(transparent)]
pub struct Price(f64);

/// A quantity in base units (or contracts where the field says so): finite and not negative.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize)]
#[serde(transparent)]
pub struct Qty(f64);

impl Price {
    /// `None` unless finite and above zero.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && value > 0.0).then_some(Self(value))
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
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(Price::new(bad).is_none());
        }
        for bad in [f64::NAN, f64::NEG_INFINITY, -1e-9] {
            assert!(Qty::new(bad).is_none());
        }
        assert_eq!(Qty::new(0.0).map(Qty::get), Some(0.0));
    }
}
