//! How often the configuration that was best on one half of the time is below the median on the other (research §6, PBO).
//!
//! Combinatorially symmetric cross-validation: Bailey, Borwein, López de Prado and Zhu, "The probability of backtest overfitting"
//! (2017). Days are cut into `S` slices that follow each other; every way to take half of them is one split.

use super::sharpe::count;

/// Slices of time (research §6).
pub const OVERFIT_SLICES: usize = 16;
/// A board with fewer configurations than this has no such column (research §6).
pub const OVERFIT_CONFIGURATIONS_MIN: usize = 8;

/// Why there is no probability of overfitting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoOverfit {
    /// Fewer configurations than are needed to speak of a rank.
    Configurations {
        /// Configurations that there are.
        have: usize,
        /// Configurations that are needed.
        needed: usize,
    },
    /// Fewer days than slices.
    Days {
        /// Days that there are.
        have: usize,
        /// Slices asked for.
        needed: usize,
    },
    /// The configurations are not over the same days.
    Uneven,
    /// The number of slices is odd or below 2, or above 24, where there are millions of splits.
    Slices,
    /// A day's P&L is no finite number.
    NotANumber,
}

impl core::fmt::Display for NoOverfit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Configurations { have, needed } => write!(f, "{have} configurations; a rank needs {needed}"),
            Self::Days { have, needed } => {
                write!(f, "it takes {needed} days, and there {} {have}", if *have == 1 { "is" } else { "are" })
            }
            Self::Uneven => write!(f, "the configurations are not over the same days"),
            Self::Slices => write!(f, "slices have to be an even number from 2 to 24"),
            Self::NotANumber => write!(f, "a day's P&L is no finite number"),
        }
    }
}

impl core::error::Error for NoOverfit {}

/// Outcome of all splits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OverfitReading {
    /// Share of splits whose best configuration ranks below the median on the other half.
    pub probability: f64,
    /// Splits tried.
    pub splits: usize,
    /// Slope of the best configuration's Sharpe ratio on the other half against that on its own: below 1, strength fades; below 0,
    /// strength on one half goes with weakness on the other. `None` where the ratio on its own half never varies.
    pub slope: Option<f64>,
}

/// Days of one configuration in one slice, ready to be joined: how many, mean, sum of squared distances, smallest and largest.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Part {
    n: f64,
    mean: f64,
    squares: f64,
    low: f64,
    high: f64,
}

impl Part {
    const NONE: Self = Self { n: 0.0, mean: 0.0, squares: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };

    fn of(days: &[f64]) -> Self {
        days.iter().fold(Self::NONE, |part, r| part.with(&Self { n: 1.0, mean: *r, squares: 0.0, low: *r, high: *r }))
    }

    /// Both together (Chan, Golub and LeVeque 1983).
    fn with(self, other: &Self) -> Self {
        let n = self.n + other.n;
        let apart = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + apart * other.n / n,
            squares: self.squares + other.squares + apart * apart * self.n * other.n / n,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// Mean over sample deviation; 0 for days that do not vary, which then neither win nor lose.
    fn sharpe(&self) -> f64 {
        if self.n < 2.0 || self.low >= self.high {
            return 0.0;
        }
        let deviation = (self.squares / (self.n - 1.0)).sqrt();
        if deviation > 0.0 { self.mean / deviation } else { 0.0 }
    }
}

/// The probability of overfitting of a board: daily net P&L of its configurations over the same days, in 16 slices.
///
/// # Errors
/// Fewer than 8 configurations, fewer than 16 days, days that differ, or a P&L that is no number.
pub fn overfit(daily: &[Vec<f64>]) -> Result<OverfitReading, NoOverfit> {
    if daily.len() < OVERFIT_CONFIGURATIONS_MIN {
        return Err(NoOverfit::Configurations { have: daily.len(), needed: OVERFIT_CONFIGURATIONS_MIN });
    }
    overfit_in(daily, OVERFIT_SLICES)
}

/// The same for two configurations or more and any even number of slices. Where the days cannot be cut evenly, the first slices have
/// one day more.
///
/// # Errors
/// As [`overfit`].
pub fn overfit_in(daily: &[Vec<f64>], slices: usize) -> Result<OverfitReading, NoOverfit> {
    if !slices.is_multiple_of(2) || !(2..=24).contains(&slices) {
        return Err(NoOverfit::Slices);
    }
    if daily.len() < 2 {
        return Err(NoOverfit::Configurations { have: daily.len(), needed: 2 });
    }
    let days = daily[0].len();
    if daily.iter().any(|d| d.len() != days) {
        return Err(NoOverfit::Uneven);
    }
    if days < slices {
        return Err(NoOverfit::Days { have: days, needed: slices });
    }
    if daily.iter().flatten().any(|r| !r.is_finite()) {
        return Err(NoOverfit::NotANumber);
    }
    let parts: Vec<Vec<Part>> = daily.iter().map(|d| cut(d, slices)).collect();
    let mut below = 0_usize;
    let mut pairs = Vec::new();
    for chosen in halves(slices) {
        let ratios = |inside: bool| -> Vec<f64> { parts.iter().map(|p| join(p, chosen, inside).sharpe()).collect() };
        let (within, outside) = (ratios(true), ratios(false));
        let best = first_largest(&within);
        if ranks_below_median(&outside, best) {
            below += 1;
        }
        pairs.push((within[best], outside[best]));
    }
    Ok(OverfitReading { probability: count(below) / count(pairs.len()), splits: pairs.len(), slope: slope(&pairs) })
}

fn cut(days: &[f64], slices: usize) -> Vec<Part> {
    let (length, more) = (days.len() / slices, days.len() % slices);
    let mut from = 0;
    (0..slices)
        .map(|k| {
            let begin = from;
            from += length + usize::from(k < more);
            Part::of(&days[begin..from])
        })
        .collect()
}

/// Every choice of half of the slices, as bits.
fn halves(slices: usize) -> impl Iterator<Item = u32> {
    let half = u32::try_from(slices / 2).unwrap_or(0);
    (0..1_u32 << slices).filter(move |bits| bits.count_ones() == half)
}

fn join(parts: &[Part], chosen: u32, inside: bool) -> Part {
    let taken = parts.iter().enumerate().filter(|(k, _)| (chosen >> k & 1 == 1) == inside);
    taken.fold(Part::NONE, |sum, (_, part)| sum.with(part))
}

fn first_largest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, n| if values[n] > values[best] { n } else { best })
}

/// Is the rank of this value, ties at their mean, below the middle of all ranks?
fn ranks_below_median(values: &[f64], at: usize) -> bool {
    let smaller = values.iter().filter(|v| **v < values[at]).count();
    let larger = values.iter().filter(|v| **v > values[at]).count();
    smaller < larger
}

fn slope(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = count(pairs.len());
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (xy, xx) =
        pairs.iter().fold((0.0, 0.0), |(xy, xx), p| (xy + (p.0 - x) * (p.1 - y), xx + (p.0 - x) * (p.0 - x)));
    (xx > 0.0).then(|| xy / xx)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::random::SplitMix;

    fn noise(configurations: usize, days: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = SplitMix::new(seed);
        let mut draw = || (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
        (0..configurations).map(|_| (0..days).map(|_| draw()).collect()).collect()
    }

    #[test]
    fn a_true_edge_is_found_again_and_noise_is_not() {
        let mut daily = noise(10, 320, 7);
        let luck = overfit(&daily).unwrap();
        assert_eq!(luck.splits, 12_870);
        assert!(luck.probability > 0.25, "{luck:?}");
        daily[3].iter_mut().for_each(|r| *r += 1.0);
        let edge = overfit(&daily).unwrap();
        assert!(edge.probability < 1e-9, "{edge:?}");
    }

    /// Two configurations that win in opposite halves: whoever is best in one half is worst in the other.
    #[test]
    fn what_only_fits_its_own_half_is_overfit_for_certain() {
        let day = |k: usize, up: usize| if k / 4 == up { 1.0 + 0.1 * count(k % 3) } else { -1.0 - 0.1 * count(k % 3) };
        let daily: Vec<Vec<f64>> = (0..2).map(|up| (0..8).map(|k| day(k, up)).collect()).collect();
        let got = overfit_in(&daily, 2).unwrap();
        assert!((got.probability - 1.0).abs() < 1e-12 && got.splits == 2, "{got:?}");
    }

    #[test]
    fn the_middle_rank_is_not_below_the_median() {
        assert!(!ranks_below_median(&[1.0, 2.0, 3.0], 1));
        assert!(ranks_below_median(&[1.0, 2.0, 3.0, 4.0], 1));
        assert!(!ranks_below_median(&[1.0, 2.0, 2.0, 3.0], 1), "ties have their mean rank");
    }

    #[test]
    fn joined_slices_are_one_series() {
        let series = noise(1, 53, 3).remove(0);
        let parts = cut(&series, 16);
        let joined = join(&parts, 0xFFFF, true);
        let mean = series.iter().sum::<f64>() / 53.0;
        let squares: f64 = series.iter().map(|r| (r - mean) * (r - mean)).sum();
        assert!((joined.mean - mean).abs() < 1e-14 && (joined.squares - squares).abs() < 1e-11);
        assert_eq!(parts.iter().map(|p| p.n).collect::<Vec<_>>()[4..6], [4.0, 3.0], "53 days: five slices of four");
    }

    #[test]
    fn what_cannot_be_ranked_says_why() {
        let daily = noise(8, 20, 1);
        let uneven = [daily[0].clone(), daily[1][..19].to_vec()];
        let broken = [daily[0].clone(), vec![f64::NAN; 20]];
        for (got, want) in [
            (overfit(&daily[..7]), NoOverfit::Configurations { have: 7, needed: 8 }),
            (overfit_in(&daily[..1], 2), NoOverfit::Configurations { have: 1, needed: 2 }),
            (overfit_in(&daily, 7), NoOverfit::Slices),
            (overfit_in(&daily, 22), NoOverfit::Days { have: 20, needed: 22 }),
            (overfit_in(&uneven, 2), NoOverfit::Uneven),
            (overfit_in(&broken, 2), NoOverfit::NotANumber),
        ] {
            assert_eq!(got, Err(want), "{want}");
        }
    }
}
