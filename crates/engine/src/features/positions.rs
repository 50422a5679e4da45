//! Who holds the positions: concentration and ratios (features §2.5; R3.14, R3.22, A15).
//!
//! Public tier tables hold margin rules, not positions, so exposures by tier come from whoever has them. Without them the
//! share of the top traders stands in, rescaled from [½, 1] to [0, 1] and marked as a proxy.

use super::reading::{ReadingOrigin, Slot};
use barograph_domain::{Kind, Reason};

/// Largest share of the exposures by tier; `None` without any.
#[must_use]
pub fn concentration(tiers: &[f64]) -> Option<f64> {
    shares(tiers)?.reduce(f64::max)
}

/// Sum of the squared shares of the exposures by tier (Herfindahl and Hirschman); `None` without any.
#[must_use]
pub fn hhi(tiers: &[f64]) -> Option<f64> {
    Some(shares(tiers)?.map(|s| s * s).sum())
}

fn shares(tiers: &[f64]) -> Option<impl Iterator<Item = f64> + '_> {
    let total: f64 = tiers.iter().sum();
    let sound = tiers.iter().all(|e| e.is_finite() && *e >= 0.0) && total > 0.0 && total.is_finite();
    sound.then(|| tiers.iter().map(move |e| e / total))
}

/// Share of longs of a ratio of longs to shorts.
#[must_use]
pub fn long_share(ratio: f64) -> Option<f64> {
    (ratio.is_finite() && ratio >= 0.0).then(|| ratio / (1.0 + ratio))
}

/// How far the top traders are on one side: `2·max(L, 1 − L) − 1`.
#[must_use]
pub fn one_sidedness(ratio: f64) -> Option<f64> {
    long_share(ratio).map(|l| 2.0 * l.max(1.0 - l) - 1.0)
}

/// Readings about positions.
#[derive(Clone, Copy, Debug)]
pub struct PositionSlots {
    /// `position_concentration`.
    pub concentration: Slot,
    /// `position_hhi`.
    pub hhi: Slot,
}

/// Concentration from tiers where they are known, else from the ratio of the top traders' positions. `hhi` has no stand-in.
#[must_use]
pub fn slots(tiers: Option<(&[f64], &ReadingOrigin)>, top_traders: Option<(f64, &ReadingOrigin)>) -> PositionSlots {
    if let Some((tiers, origin)) = tiers {
        let of =
            |value: Option<f64>| value.map_or_else(|| origin.undefined(Reason::OutOfDomain), |v| origin.instant(v));
        return PositionSlots { concentration: of(concentration(tiers)), hhi: of(hhi(tiers)) };
    }
    let hhi = Slot::undefined(Reason::NotOffered);
    let Some((ratio, origin)) = top_traders else {
        return PositionSlots { concentration: Slot::undefined(Reason::NotOffered), hhi };
    };
    let stand_in = one_sidedness(ratio)
        .map_or_else(|| origin.undefined(Reason::OutOfDomain), |v| origin.instant(v))
        .of_kind(Kind::Proxy);
    PositionSlots { concentration: stand_in, hhi: Slot::undefined(Reason::MissingInput) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::{State, StreamIndex, Ts};

    #[test]
    fn tiers_are_shares_and_the_stand_in_is_marked() {
        assert_eq!(concentration(&[1.0, 1.0, 2.0]), Some(0.5));
        assert_eq!(hhi(&[1.0, 1.0, 2.0]), Some(0.375));
        for bad in [&[][..], &[0.0, 0.0], &[-1.0, 3.0], &[f64::NAN, 1.0]] {
            assert_eq!((concentration(bad), hhi(bad)), (None, None));
        }
        assert_eq!((one_sidedness(1.0), one_sidedness(3.0), one_sidedness(0.0)), (Some(0.0), Some(0.5), Some(1.0)));
        assert_eq!((one_sidedness(-1.0), long_share(f64::INFINITY)), (None, None));
        let origin = ReadingOrigin {
            anchor: Ts(0),
            event: Ts(0),
            expires: Ts::MAX,
            kind: Kind::Measured,
            stream: StreamIndex(3),
        };
        let both = slots(Some((&[3.0, 1.0], &origin)), Some((1.0, &origin)));
        assert_eq!((both.concentration.cell.value, both.concentration.cell.kind), (0.75, Kind::Measured));
        let proxy = slots(None, Some((3.0, &origin)));
        assert_eq!((proxy.concentration.cell.value, proxy.concentration.cell.kind), (0.5, Kind::Proxy));
        assert_eq!(proxy.hhi.cell.state, State::Undefined(Reason::MissingInput));
        assert_eq!(slots(None, None).concentration.cell.state, State::Undefined(Reason::NotOffered));
    }
}
