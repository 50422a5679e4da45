//! Sets of numbers a clause allows, as closed intervals of neighbouring floats; and what values a feature can take.
//!
//! With `next_up` and `next_down` an open end is a closed one, so that "x > 2 and x < 1", "percentile > 1" and "this rule
//! is always caught by that one" are decided exactly.

use super::{Clause, Op, Test};
use crate::catalogue::Feature;

/// A union of closed intervals, ascending and disjoint.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ranges(Vec<(f64, f64)>);

impl Ranges {
    pub(super) fn between(lo: f64, hi: f64) -> Self {
        Self(if lo <= hi { vec![(lo, hi)] } else { Vec::new() })
    }
    fn of_op(op: Op, value: f64) -> Self {
        match op {
            Op::Gt => Self::between(value.next_up(), f64::MAX),
            Op::Ge => Self::between(value, f64::MAX),
            Op::Lt => Self::between(f64::MIN, value.next_down()),
            Op::Le => Self::between(f64::MIN, value),
            Op::Eq => Self::between(value, value),
        }
    }
    /// Values for which a number clause holds at its full threshold; `None` for flags and words.
    pub(super) fn of_clause(clause: &Clause) -> Option<Self> {
        let Test::Number { op, value, .. } = clause.test else { return None };
        let plain = Self::of_op(op, value);
        if !clause.abs {
            return Some(plain);
        }
        let up = plain.and(&Self::between(0.0, f64::MAX));
        let down = up.0.iter().map(|(lo, hi)| (-hi, -lo));
        Some(Self::merged(down.chain(up.0.iter().copied()).collect()))
    }
    fn merged(mut parts: Vec<(f64, f64)>) -> Self {
        parts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut out: Vec<(f64, f64)> = Vec::with_capacity(parts.len());
        for (lo, hi) in parts {
            match out.last_mut() {
                Some(last) if lo <= last.1.next_up() => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        Self(out)
    }
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        for a in &self.0 {
            for b in &other.0 {
                let (lo, hi) = (a.0.max(b.0), a.1.min(b.1));
                if lo <= hi {
                    out.push((lo, hi));
                }
            }
        }
        Self::merged(out)
    }
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|a| other.0.iter().any(|b| b.0 <= a.0 && a.1 <= b.1))
    }
    pub(super) fn contains(&self, x: f64) -> bool {
        self.0.iter().any(|(lo, hi)| *lo <= x && x <= *hi)
    }
}

/// Values the feature can take by its definition; wider where the definition sets no bound.
pub(super) fn domain(feature: Feature) -> Ranges {
    use Feature as F;
    if feature.spec().ranks.is_some() {
        // A mid-rank counts half of the value itself: never 0, never 1.
        return Ranges::between(0.0_f64.next_up(), 1.0_f64.next_down());
    }
    match feature {
        F::Efficiency12h | F::SqueezeRiskScore => Ranges::between(0.0, 1.0),
        F::RealizedVol1h
        | F::RealizedVol1hHi
        | F::RealizedVol4h
        | F::RealizedVol4hHi
        | F::RealizedVol24h
        | F::RealizedVol24hHi
        | F::FundingRateDeviationStd
        | F::FundingStd24h
        | F::FundingVol24h
        | F::OiUsd
        | F::OiToVolume24h
        | F::Atr14
        | F::StopDensityLong
        | F::StopDensityShort
        | F::PrevDayHigh
        | F::PrevDayLow => Ranges::between(0.0, f64::MAX),
        F::OiDelta1h | F::OiDelta4h | F::OiDelta24h | F::Basis | F::Premium | F::PremiumMa8h => {
            Ranges::between(-1.0, f64::MAX)
        }
        _ => Ranges::between(f64::MIN, f64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_ends_meet_without_overlap() {
        let above = Ranges::of_op(Op::Gt, 2.0);
        assert!(above.and(&Ranges::of_op(Op::Le, 2.0)).is_empty());
        assert!(!above.and(&Ranges::of_op(Op::Le, 2.0_f64.next_up())).is_empty());
        assert!(Ranges::of_op(Op::Gt, 3.0).within(&above) && !above.within(&Ranges::of_op(Op::Gt, 3.0)));
    }

    #[test]
    fn an_absolute_value_below_something_is_one_piece() {
        let clause = Clause {
            feature: Feature::OiDelta1h,
            abs: true,
            test: Test::Number { op: Op::Lt, value: 0.02, exit: 0.022 },
            scale: None,
            warming: super::super::Warming::Unknown,
            cuts: None,
            place: 0,
        };
        let r = Ranges::of_clause(&clause).unwrap();
        assert_eq!(r, Ranges::between((-0.02_f64).next_up(), 0.02_f64.next_down()));
        assert!(r.contains(0.0) && !r.contains(0.02));
    }
}
