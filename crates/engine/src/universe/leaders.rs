//! Which asset moves first (features §6, `leading_asset`; R4.25).

use barograph_domain::math::ln;
use barograph_domain::universe::PairReading;

/// Mean lead ratio, as a logarithm, from which on an asset leads: ln 1.2.
const LEADS_ABOVE: f64 = 1.2;

/// Mean ln `lead_ratio` of each market over the pairs that have one; a pair counts for its first market as it is, for its second
/// with the sign turned.
pub(super) fn scores(markets: usize, pairs: &[PairReading]) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0_f64, 0_u32); markets];
    for pair in pairs {
        let Some(ratio) = pair.lead.ratio.value.filter(|r| *r > 0.0) else { continue };
        let log = ln(ratio);
        for (market, value) in [(pair.a, log), (pair.b, -log)] {
            let (sum, n) = &mut sums[usize::from(market)];
            *sum += value;
            *n += 1;
        }
    }
    sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect()
}

/// Position of the largest score if it is above ln 1.2; of equal ones the first.
pub(super) fn leading(scores: &[Option<f64>]) -> Option<u16> {
    let known = scores.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?)));
    let (best, score) = known.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    (score > ln(LEADS_ABOVE)).then(|| u16::try_from(best).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_highest_leads_and_a_small_lead_is_none() {
        assert_eq!(leading(&[Some(0.1), Some(0.5), None, Some(0.5)]), Some(1));
        assert_eq!(leading(&[Some(0.18), Some(-0.18)]), None, "ln 1.2 is 0.1823");
        assert_eq!(leading(&[Some(0.183), Some(-0.183)]), Some(0));
        assert_eq!(leading(&[None, None]), None);
    }
}
