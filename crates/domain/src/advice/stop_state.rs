//! How near the price is to the stop of a position that is held.
//!
//! A stop that the price has been at counts as reached until the price is well clear of it again: whoever still holds the
//! position wants to know, and a price that hovers at the stop is one episode and not twenty.

use crate::{Side, Ts};
use serde::{Deserialize, Serialize};

/// A stop this near, in ATR of 1 h bars, is near.
const NEAR_ATR: f64 = 0.5;
/// The same where the ATR is not known, as a fraction of the price.
const NEAR_SHARE: f64 = 0.005;

/// Far, near, or reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopReach {
    /// More than half an ATR away (0.5 % of the price where the ATR is not known).
    Far,
    /// Nearer than that.
    Near,
    /// The price is at or beyond it, or was and is not yet far from it again.
    Reached,
}

/// The stop of a position against the price.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopState {
    /// How near.
    pub state: StopReach,
    /// The stop.
    pub stop: f64,
    /// The price it was compared with.
    pub price: f64,
    /// The minute of that price: recorded history and a lost feed have old ones.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub price_at: Option<Ts>,
    /// From the price to the stop, as a fraction of the price; negative once the price is beyond it.
    pub distance: f64,
    /// The same in ATR(14) of 1 h bars; null while that is not known.
    pub distance_atr: Option<f64>,
    /// When it was first seen reached; null unless `state` is `reached`.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub reached_at: Option<Ts>,
}

impl StopState {
    /// The stop of this side against a price at `now`; `before` is what was found the last time. `None` when a number is
    /// no price.
    #[must_use]
    pub fn of(side: Side, stop: f64, seen: SeenPrice, now: Ts, before: Option<&Self>) -> Option<Self> {
        let price = seen.price;
        if !(stop.is_finite() && stop > 0.0 && price.is_finite() && price > 0.0) {
            return None;
        }
        let away = match side {
            Side::Long => price - stop,
            Side::Short => stop - price,
        };
        let atr = seen.atr.filter(|a| a.is_finite() && *a > 0.0);
        let near = atr.map_or(NEAR_SHARE * price, |a| NEAR_ATR * a);
        let since = before.filter(|b| b.stop.to_bits() == stop.to_bits()).and_then(|b| b.reached_at);
        let (state, reached_at) = match since {
            _ if away <= 0.0 => (StopReach::Reached, Some(since.unwrap_or(now))),
            Some(at) if away <= near => (StopReach::Reached, Some(at)),
            _ if away <= near => (StopReach::Near, None),
            _ => (StopReach::Far, None),
        };
        Some(Self {
            state,
            stop,
            price,
            price_at: seen.at,
            distance: away / price,
            distance_atr: atr.map(|a| away / a),
            reached_at,
        })
    }
    /// The price has been there, and is not well clear of it again.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.state == StopReach::Reached
    }
}

/// A price with its minute and the ATR of then.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SeenPrice {
    /// Price.
    pub price: f64,
    /// Its minute, where that is known.
    pub at: Option<Ts>,
    /// ATR(14) of 1 h bars.
    pub atr: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    #[test]
    fn a_reached_stop_stays_reached_until_the_price_is_far_from_it() {
        let start = Ts(1_000);
        // Side, stop, ATR, then prices with what is said at each.
        type Case<'a> = (Side, f64, Option<f64>, &'a [(f64, StopReach, Option<i64>)]);
        use StopReach::{Far, Near, Reached};
        let cases: [Case<'_>; 4] = [
            (
                Side::Long,
                2.5,
                Some(0.1),
                &[(2.6, Far, None), (2.54, Near, None), (2.5, Reached, Some(2)), (2.4, Reached, Some(2))],
            ),
            (
                Side::Long,
                2.5,
                Some(0.1),
                &[(2.4, Reached, Some(0)), (2.54, Reached, Some(0)), (2.6, Far, None), (2.45, Reached, Some(3))],
            ),
            (Side::Short, 100.0, Some(2.0), &[(98.0, Far, None), (99.5, Near, None), (101.0, Reached, Some(2))]),
            (Side::Short, 100.0, None, &[(99.0, Far, None), (99.6, Near, None), (100.0, Reached, Some(2))]),
        ];
        for (side, stop, atr, prices) in cases {
            let mut before = None;
            for (i, (price, want, since)) in prices.iter().enumerate() {
                let now = start + Span::mins(i64::try_from(i).unwrap());
                let seen = SeenPrice { price: *price, at: None, atr };
                let found = StopState::of(side, stop, seen, now, before.as_ref()).unwrap();
                assert_eq!(found.state, *want, "{side:?} {stop} at {price}");
                assert_eq!(found.reached_at, since.map(|m| start + Span::mins(m)), "{side:?} {stop} at {price}");
                before = Some(found);
            }
        }
        let seen = SeenPrice { price: f64::NAN, at: None, atr: None };
        assert_eq!(StopState::of(Side::Long, 1.0, seen, start, None), None);
    }

    #[test]
    fn a_moved_stop_is_another_one() {
        let seen = SeenPrice { price: 2.4, at: None, atr: Some(0.1) };
        let reached = StopState::of(Side::Long, 2.5, seen, Ts(1), None).unwrap();
        let moved = StopState::of(Side::Long, 2.37, seen, Ts(2), Some(&reached)).unwrap();
        assert_eq!((moved.state, moved.reached_at), (StopReach::Near, None));
        assert!((moved.distance - 0.0125).abs() < 1e-9 && (moved.distance_atr.unwrap() - 0.3).abs() < 1e-9);
    }
}
