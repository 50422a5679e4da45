//! A market beside others of the same asset: the columns `vx_*` (features §7).
//!
//! What is compared are the rows of the same second, each made of what was known 200 ms after it.

use crate::catalogue::place_of;
use crate::row::{ResearchRow, ratio};
use crate::stream::at;
use crate::structural;
use barograph_domain::cell::Reason;
use barograph_domain::math;
use std::sync::LazyLock;

/// Place of `tf_notional_300s`.
static NOTIONAL: LazyLock<Option<usize>> = LazyLock::new(|| place_of("tf_notional_300s"));

/// What is compared of one venue's second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct VenueSecond {
    /// Mid of a book that can be used, in quote.
    pub mid: Result<f64, Reason>,
    /// Traded over 300 s, in quote.
    pub notional: Result<f64, Reason>,
}

impl VenueSecond {
    /// Of a row.
    #[must_use]
    pub fn of(row: &ResearchRow) -> Self {
        let notional = NOTIONAL.map_or(Err(Reason::MissingInput), |place| row.get(place));
        Self { mid: row.get(structural::at::MID), notional }
    }
}

/// Columns 191 to 193: distance of the mid from the median of all venues in basis points, last return of the venue of reference in basis
/// points, share of all that was traded. A venue counts where it has what is asked for; without another there is nothing to compare.
/// `reference` has the mids of the second before and of this one.
pub fn compared(
    own: VenueSecond,
    others: &[VenueSecond],
    reference: Option<[Result<f64, Reason>; 2]>,
) -> [Result<f64, Reason>; 3] {
    let none = if others.is_empty() { Reason::NotOffered } else { Reason::MissingInput };
    let beside = |of: fn(&VenueSecond) -> Result<f64, Reason>| -> Result<(f64, Vec<f64>), Reason> {
        let mine = of(&own)?;
        let fresh: Vec<f64> = others.iter().filter_map(|one| of(one).ok()).collect();
        if fresh.is_empty() { Err(none) } else { Ok((mine, fresh)) }
    };
    let deviation = beside(|one| one.mid).map(|(mid, mut all)| {
        all.push(mid);
        1e4 * math::ln(mid / median(&mut all))
    });
    let share =
        beside(|one| one.notional).and_then(|(notional, all)| ratio(notional, notional + all.iter().sum::<f64>()));
    let moved = reference.map_or(Err(Reason::NotOffered), |[before, now]| Ok(1e4 * math::ln(now? / before?)));
    [deviation, moved, share]
}

fn median(all: &mut [f64]) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    let half = all.len() / 2;
    if all.len() % 2 == 1 { all[half] } else { f64::midpoint(all[half - 1], all[half]) }
}

impl ResearchRow {
    /// Sets the columns that compare venues, once the rows of the others are there.
    pub fn compare(&mut self, values: [Result<f64, Reason>; 3]) {
        for (n, value) in values.into_iter().enumerate() {
            self.put_or(at::VENUES + n, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    fn second(mid: Option<f64>, notional: Option<f64>) -> VenueSecond {
        VenueSecond { mid: mid.ok_or(Reason::Gap), notional: notional.ok_or(Reason::Warming) }
    }

    #[test]
    fn a_market_is_compared_with_the_venues_that_are_there() {
        let own = second(Some(101.0), Some(10.0));
        let others = [second(Some(100.0), Some(30.0)), second(None, None), second(Some(102.0), None)];
        let [deviation, moved, share] = compared(own, &others, Some([Ok(100.0), Ok(100.0)]));
        assert_eq!((deviation, moved, share), (Ok(0.0), Ok(0.0), Ok(0.25)));
        let [deviation, moved, _] = compared(own, &others[..1], Some([Ok(100.0), Err(Reason::Stale)]));
        assert!((deviation.unwrap() - 1e4 * math::ln(101.0 / 100.5)).abs() < 1e-12, "of two the middle");
        assert_eq!(moved, Err(Reason::Stale));
        let idle = [second(Some(1.0), Some(0.0))];
        assert_eq!(compared(second(Some(1.0), Some(0.0)), &idle, None)[2], Err(Reason::ZeroDenominator));
    }

    #[test]
    fn without_another_venue_there_is_a_reason() {
        let own = second(Some(101.0), Some(10.0));
        assert_eq!(compared(own, &[], None), [Err(Reason::NotOffered); 3]);
        assert_eq!(compared(own, &[second(None, None)], None)[0], Err(Reason::MissingInput));
        assert_eq!(compared(second(None, None), &[own], None)[0], Err(Reason::Gap), "its own reason");
        for (n, id) in ["vx_mid_dev_bps", "vx_ref_ret_1s_bps", "vx_volume_share_300s"].into_iter().enumerate() {
            assert_eq!(catalogue()[at::VENUES + n].id, id);
        }
    }
}
