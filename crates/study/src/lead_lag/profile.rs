//! Correlation of two series of returns at lags −10…10 (features §6, `xcorr`, `lead_ratio`, `lead_lag_best`).

use crate::money::sharpe::count;

/// Largest lag, in steps.
pub const PROFILE_LAG_MAX: i32 = 10;
/// Lags from −10 to 10.
pub const PROFILE_LAGS: usize = 21;
/// Share of the pairs of a window that a correlation needs (features §6).
const PAIRS_SHARE_MIN: f64 = 0.8;

/// The strongest correlation beside lag 0.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LagPeak {
    /// In steps; above 0 the first series moves first.
    pub lag: i32,
    /// Correlation at that lag.
    pub rho: f64,
    /// `ρ·√n`.
    pub t: f64,
}

/// Correlations at every lag.
#[derive(Clone, PartialEq, Debug)]
pub struct LagProfile {
    /// `corr(a(t), b(t + l))`, from lag −10 to 10.
    pub rho: [f64; PROFILE_LAGS],
    /// Pairs behind each.
    pub pairs: [usize; PROFILE_LAGS],
    /// `Σ ρ(l)² / Σ ρ(−l)²` over l = 1…10; above 1 the first series leads. `None` where the divisor is 0.
    pub lead_ratio: Option<f64>,
    /// The strongest beside lag 0; of equals the shortest lag, then the positive one.
    pub peak: LagPeak,
}

/// Why there are no correlations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoProfile {
    /// A lag has fewer pairs than are needed.
    Pairs {
        /// Pairs of the lag that has fewest.
        have: usize,
        /// Pairs that are needed.
        needed: usize,
    },
    /// A series does not vary.
    NoVariation,
}

impl core::fmt::Display for NoProfile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Pairs { have, needed } => write!(f, "{have} pairs of returns; a correlation needs {needed}"),
            Self::NoVariation => write!(f, "a series does not vary"),
        }
    }
}

impl core::error::Error for NoProfile {}

impl LagProfile {
    /// Of two series of returns on the same grid.
    ///
    /// # Errors
    /// Too few pairs have both returns, or a series does not vary.
    pub fn new(a: &[Option<f64>], b: &[Option<f64>]) -> Result<Self, NoProfile> {
        let steps = a.len().min(b.len());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let needed = ((count(steps) * PAIRS_SHARE_MIN).ceil() as usize).max(3);
        let (mut rho, mut pairs) = ([0.0; PROFILE_LAGS], [0; PROFILE_LAGS]);
        for (place, lag) in (-PROFILE_LAG_MAX..=PROFILE_LAG_MAX).enumerate() {
            let back = usize::try_from(lag.unsigned_abs()).unwrap_or_default();
            let (a, b) = if lag >= 0 { (a, b.get(back..)) } else { (a.get(back..).unwrap_or_default(), Some(b)) };
            let both: Vec<(f64, f64)> =
                a.iter().zip(b.unwrap_or_default()).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
            pairs[place] = both.len();
            if both.len() < needed {
                return Err(NoProfile::Pairs { have: both.len(), needed });
            }
            rho[place] = correlation(&both).ok_or(NoProfile::NoVariation)?;
        }
        let middle = PROFILE_LAGS / 2;
        let squares = |places: core::ops::Range<usize>| rho[places].iter().map(|r| r * r).sum::<f64>();
        let (ahead, behind) = (squares(middle + 1..PROFILE_LAGS), squares(0..middle));
        Ok(Self { lead_ratio: (behind > 0.0).then(|| ahead / behind), peak: peak(&rho, &pairs), rho, pairs })
    }
}

fn peak(rho: &[f64; PROFILE_LAGS], pairs: &[usize; PROFILE_LAGS]) -> LagPeak {
    let middle = PROFILE_LAGS / 2;
    let by_length = (1..=PROFILE_LAG_MAX).zip(1..).flat_map(|(lag, k)| [(lag, middle + k), (-lag, middle - k)]);
    let first = (1, middle + 1);
    let (lag, place) = by_length.fold(first, |best, at| if rho[at.1].abs() > rho[best.1].abs() { at } else { best });
    LagPeak { lag, rho: rho[place], t: rho[place] * count(pairs[place]).sqrt() }
}

/// Pearson's; `None` where a side does not vary.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = pairs.first()?;
    // Equal numbers can have a mean that differs from them in the last bit.
    let still = |of: fn(&(f64, f64)) -> f64| pairs.iter().all(|p| of(p).total_cmp(&of(first)).is_eq());
    if still(|p| p.0) || still(|p| p.1) {
        return None;
    }
    let n = count(pairs.len());
    let (ma, mb) = pairs.iter().fold((0.0, 0.0), |(a, b), p| (a + p.0, b + p.1));
    let (ma, mb) = (ma / n, mb / n);
    let [aa, ab, bb] = pairs.iter().fold([0.0; 3], |[aa, ab, bb], p| {
        let (a, b) = (p.0 - ma, p.1 - mb);
        [aa + a * a, ab + a * b, bb + b * b]
    });
    let scale = (aa * bb).sqrt();
    (scale > 0.0).then(|| (ab / scale).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    #[test]
    fn correlations_are_those_of_scipy() {
        let input = GoldenTable::whole("lead_lag_input");
        let series = |name: &str| input.rows().map(|row| row.number(name)).collect::<Vec<_>>();
        let profile = LagProfile::new(&series("ret_a"), &series("ret_b")).unwrap();
        for row in GoldenTable::whole("lead_lag_expected").rows() {
            let (stat, want) = (row.text("stat"), row.need("value"));
            let got = match stat.strip_prefix("rho_") {
                Some(lag) => profile.rho[usize::try_from(lag.parse::<i32>().unwrap() + PROFILE_LAG_MAX).unwrap()],
                None => profile.lead_ratio.unwrap(),
            };
            assert!((got - want).abs() <= 1e-10 * want.abs(), "{stat}: {got} is not {want}");
        }
        assert_eq!((profile.peak.lag, profile.pairs[0], profile.pairs[10]), (3, 390, 400));
    }

    #[test]
    fn too_little_or_no_variation_is_no_profile() {
        let wave = |n: usize| (0..n).map(|k| Some(count(k * k % 17))).collect::<Vec<_>>();
        assert_eq!(LagProfile::new(&wave(40), &wave(40)), Err(NoProfile::Pairs { have: 30, needed: 32 }));
        assert_eq!(LagProfile::new(&wave(100), &vec![Some(0.1); 100]), Err(NoProfile::NoVariation));
        assert!(matches!(LagProfile::new(&wave(100), &vec![None; 100]), Err(NoProfile::Pairs { have: 0, .. })));
        assert!(LagProfile::new(&[], &[]).is_err());
    }

    #[test]
    fn the_other_way_round_the_lags_are_reversed() {
        let series = |k: usize| (0..200).map(|n| (n % 9 != k).then(|| count((n * n * k + n) % 31))).collect::<Vec<_>>();
        let (a, b) = (series(2), series(5));
        let (one, other) = (LagProfile::new(&a, &b), LagProfile::new(&b, &a));
        let (Ok(one), Ok(mut other)) = (one, other) else { return };
        other.rho.reverse();
        one.rho.iter().zip(other.rho).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    }
}
