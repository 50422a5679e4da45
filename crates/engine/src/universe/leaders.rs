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

/// Position of the largest score if it is above ln 1.2, of equal ones the first; and only while some pair says with
/// significance that this market moves first.
pub(super) fn leading(scores: &[Option<f64>], pairs: &[PairReading]) -> Option<u16> {
    let known = scores.iter().enumerate().filter_map(|(i, s)| Some((i, (*s)?)));
    let (best, score) = known.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let best = u16::try_from(best).unwrap_or(u16::MAX);
    (score > ln(LEADS_ABOVE) && pairs.iter().any(|p| moves_first(p, best))).then_some(best)
}

fn moves_first(pair: &PairReading, market: u16) -> bool {
    let lag = pair.lead.best.map_or(0, |b| b.lag);
    pair.lead.significant == Some(true) && (pair.a == market && lag > 0 || pair.b == market && lag < 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Reason;
    use barograph_domain::universe::{BestLag, Gauge, LeadReading, StateHours};

    fn pair(a: u16, b: u16, lag: i8, significant: bool) -> PairReading {
        let none = Gauge::none(Reason::MissingInput, 0, 20);
        PairReading {
            a,
            b,
            corr_20: none,
            corr_20_ci: None,
            corr_30d: none,
            corr_30d_ci: None,
            corr_20_pct_180d: none,
            band: None,
            state: None,
            severity: None,
            divergence_strength: None,
            exposure_overlap: None,
            held_90d: StateHours::default(),
            lead: LeadReading {
                ratio: none,
                best: Some(BestLag { lag, rho: 0.3, t: 9.0 }),
                significant: Some(significant),
                xcorr: Vec::new(),
            },
        }
    }

    #[test]
    fn the_first_of_the_highest_leads_and_a_small_or_doubtful_lead_is_none() {
        let first = [pair(0, 1, 2, true)];
        let second = [pair(0, 1, -2, true), pair(1, 3, 1, false)];
        assert_eq!(leading(&[Some(0.1), Some(0.5), None, Some(0.5)], &second), Some(1));
        assert_eq!(leading(&[Some(0.1), Some(0.5), None, Some(0.5)], &first), None, "nothing says that it moves first");
        assert_eq!(leading(&[Some(0.18), Some(-0.18)], &first), None, "ln 1.2 is 0.1823");
        assert_eq!(leading(&[Some(0.183), Some(-0.183)], &first), Some(0));
        assert_eq!(leading(&[Some(0.183), Some(-0.183)], &[pair(0, 1, 2, false)]), None, "it may be noise");
        assert_eq!(leading(&[None, None], &first), None);
    }
}
