//! What the models see of one hour: three numbers from hourly readings, each present or missing.
//!
//! `y = (ln rv_1h, r_1h/rv_1h)` for hidden states, `r_1h/rv_24h` for changes (regimes §11). The logarithm takes the
//! annualised reading; in the ratios volatility stands on the scale of one hour, which makes them of order one whatever the
//! market, as the prior of the change detector supposes. A return needs the prices of two successive hours; an hour
//! without prices makes the two returns beside it missing, and nothing is filled forward.

use barograph_domain::math::ln;
use serde::{Deserialize, Serialize};

/// Hours of the annualising year (features §1).
const YEAR_H: f64 = 8_760.0;

/// Readings at a whole hour; `None` where one is not ready.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct HourReadings {
    /// Last price of the hour, in quote units.
    pub price: Option<f64>,
    /// Realised volatility of the hour, annualised.
    pub rv_1h: Option<f64>,
    /// Realised volatility of the day, annualised.
    pub rv_24h: Option<f64>,
}

/// What the models see of the hour that ends at `hour`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Observation {
    /// Hours since 1970.
    pub hour: i64,
    /// `(ln rv_1h, r_1h/rv_1h)`.
    pub y: Option<[f64; 2]>,
    /// `r_1h/rv_24h`.
    pub shock: Option<f64>,
}

impl Observation {
    /// An hour of which nothing is known.
    #[must_use]
    pub const fn missing(hour: i64) -> Self {
        Self { hour, y: None, shock: None }
    }
}

/// Makes observations of successive hours.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Hourly {
    /// The newest hour, with its price where it had one.
    last: Option<(i64, Option<f64>)>,
}

impl Hourly {
    /// The observation of an hour; `None` for one that is not later than the newest, because what was said stays.
    pub fn push(&mut self, hour: i64, readings: &HourReadings) -> Option<Observation> {
        let before = self.last;
        if before.is_some_and(|(newest, _)| hour <= newest) {
            return None;
        }
        let price = readings.price.filter(|p| *p > 0.0);
        self.last = Some((hour, price));
        let r_1h = match (before, price) {
            (Some((newest, Some(then))), Some(now)) if newest + 1 == hour => Some(ln(now / then)),
            _ => None,
        };
        let over = |rv: Option<f64>| {
            let ratio = r_1h? / (rv.filter(|v| *v > 0.0)? / YEAR_H.sqrt());
            ratio.is_finite().then_some(ratio)
        };
        let y = over(readings.rv_1h).and_then(|ratio| Some([ln(readings.rv_1h?), ratio]));
        Some(Observation { hour, y, shock: over(readings.rv_24h) })
    }

    /// The newest hour seen.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.last.map(|(hour, _)| hour)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(price: f64, rv_1h: f64, rv_24h: f64) -> HourReadings {
        let some = |v: f64| (v != 0.0).then_some(v);
        HourReadings { price: some(price), rv_1h: some(rv_1h), rv_24h: some(rv_24h) }
    }

    fn check(hours: &[(i64, HourReadings)], want: Option<(Option<[f64; 2]>, Option<f64>)>) {
        let mut hourly = Hourly::default();
        let (last, before) = hours.split_last().unwrap();
        for (hour, readings) in before {
            assert!(hourly.push(*hour, readings).is_some());
        }
        let got = hourly.push(last.0, &last.1);
        let want = want.map(|(y, shock)| Observation { hour: last.0, y, shock });
        assert_eq!(got, want);
    }

    #[test]
    fn an_hour_is_seen_where_its_inputs_are_and_missing_where_they_are_not() {
        // √8760 times 1 % is the annualised volatility of an hour of 1 %.
        let (one, two) = (0.01 * YEAR_H.sqrt(), 0.02 * YEAR_H.sqrt());
        let up = ln(101.0 / 100.0);
        let ratio = |scale: f64| up / (scale / YEAR_H.sqrt());
        let first = (7, at(100.0, one, two));
        check(&[first], Some((None, None)));
        check(&[first, (8, at(101.0, one, two))], Some((Some([ln(one), ratio(one)]), Some(ratio(two)))));
        assert!((ratio(one) - up / 0.01).abs() < 1e-12);
        check(&[first, (8, at(101.0, 0.0, two))], Some((None, Some(ratio(two)))));
        check(&[first, (8, at(101.0, one, 0.0))], Some((Some([ln(one), ratio(one)]), None)));
        check(&[first, (8, at(0.0, one, two))], Some((None, None)));
        // A hole of an hour costs the return over it.
        check(&[first, (9, at(101.0, one, two))], Some((None, None)));
        check(&[first, (8, at(0.0, one, two)), (9, at(101.0, one, two))], Some((None, None)));
        // An hour that was taken is not taken again.
        check(&[first, (8, at(101.0, one, two)), (8, at(105.0, one, two))], None);
    }
}
