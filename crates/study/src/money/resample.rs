//! Bands of what was earned: the stationary bootstrap of Politis and Romano (1994) over days or parent orders.
//!
//! Exactly, so that others can repeat it: a resample has as many places as the series. Its first place is `below(n)` of
//! [`SplitMix`]; each further one draws `unit()`, begins anew at `below(n)` where that is below one over the mean block, and is else the
//! next place of the series, the first behind the last. One generator serves all resamples, which are drawn one after another. The
//! band lies between the type-7 quantiles 5 % and 95 %.

use super::sharpe::{NoSharpe, annual_sharpe, count};
use barograph_domain::random::SplitMix;

/// Resamples behind a band (research §6).
pub const RESAMPLES: usize = 2_000;
/// Mean length of a block, in days (research §6).
pub const BLOCK_DAYS_MEAN: f64 = 5.0;

/// A figure with its 90 % band.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MoneyBand {
    /// The figure of the series as it is.
    pub value: f64,
    /// 5 % quantile over the resamples.
    pub low: f64,
    /// 95 % quantile over the resamples.
    pub high: f64,
}

/// Places of one resample after another.
#[derive(Clone, Debug)]
pub struct StationaryResampler {
    random: SplitMix,
    /// Probability that a block ends.
    ends: f64,
    places: Vec<usize>,
}

impl StationaryResampler {
    /// Of a series with `places` places; blocks are `block_mean` long on average, at least 1.
    #[must_use]
    pub fn new(places: usize, block_mean: f64, seed: u64) -> Self {
        Self { random: SplitMix::new(seed), ends: 1.0 / block_mean.max(1.0), places: vec![0; places] }
    }

    /// Draws the next resample.
    pub fn draw(&mut self) -> &[usize] {
        let n = self.places.len();
        let mut at = 0;
        for k in 0..n {
            let anew = k == 0 || self.random.unit() < self.ends;
            at = if anew { self.start(n) } else { (at + 1) % n };
            self.places[k] = at;
        }
        &self.places
    }

    fn start(&mut self, n: usize) -> usize {
        usize::try_from(self.random.below(n as u64)).unwrap_or_default()
    }
}

/// The 90 % band of a figure over resamples of places `0..places`. `None` where the figure is absent for the series itself, or in
/// more than a twentieth of the resamples: leaving those out would bend the band.
pub fn band_of(
    places: usize,
    block_mean: f64,
    seed: u64,
    mut figure: impl FnMut(&[usize]) -> Option<f64>,
) -> Option<MoneyBand> {
    let value = figure(&(0..places).collect::<Vec<_>>())?;
    let mut resampler = StationaryResampler::new(places, block_mean, seed);
    let mut values: Vec<f64> = (0..RESAMPLES).filter_map(|_| figure(resampler.draw())).collect();
    if values.len() * 20 < RESAMPLES * 19 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some(MoneyBand { value, low: quantile(&values, 0.05)?, high: quantile(&values, 0.95)? })
}

/// The annual Sharpe ratio of daily returns with its 90 % band.
///
/// # Errors
/// As [`annual_sharpe`]; also [`NoSharpe::NoVariation`] where more than a twentieth of the resamples do not vary.
pub fn annual_sharpe_band(daily: &[f64], seed: u64) -> Result<MoneyBand, NoSharpe> {
    annual_sharpe(daily)?;
    let mut picked = Vec::with_capacity(daily.len());
    let band = band_of(daily.len(), BLOCK_DAYS_MEAN, seed, |places| {
        picked.clear();
        picked.extend(places.iter().map(|k| daily[*k]));
        annual_sharpe(&picked).ok()
    });
    band.ok_or(NoSharpe::NoVariation)
}

/// Type-7 quantile of sorted numbers; `None` of none.
pub(crate) fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = p.clamp(0.0, 1.0) * count(last);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the last place")]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_testkit::GoldenTable;

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sample = GoldenTable::part("quantile");
        let mut sorted: Vec<f64> = sample.rows().map(|row| row.need("x")).collect();
        sorted.sort_by(f64::total_cmp);
        for row in GoldenTable::part("quantile_expected").rows() {
            let got = quantile(&sorted, row.need("p")).unwrap();
            assert!((got - row.need("value")).abs() < 1e-10 * row.need("value").abs(), "{}", row.text("p"));
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn blocks_run_on_and_are_five_long_on_average() {
        let mut resampler = StationaryResampler::new(100, 5.0, 1);
        let (mut runs, mut starts) = (0_usize, 0_usize);
        for _ in 0..1_000 {
            let places = resampler.draw();
            assert!(places.iter().all(|k| *k < 100));
            let on = places.windows(2).filter(|w| w[1] == (w[0] + 1) % 100).count();
            (runs, starts) = (runs + on, starts + 100 - on);
        }
        let mean = count(runs + starts) / count(starts);
        assert!((mean - 5.0).abs() < 0.2, "{mean}");
    }

    #[test]
    fn the_band_holds_the_ratio_and_the_same_seed_gives_the_same_band() {
        let daily: Vec<f64> = (0..120).map(|d| 0.001 * (count((d * 37) % 23) - 10.0)).collect();
        let band = annual_sharpe_band(&daily, 9).unwrap();
        assert!(band.low < band.value && band.value < band.high, "{band:?}");
        assert_eq!(annual_sharpe_band(&daily, 9), Ok(band));
        assert_ne!(annual_sharpe_band(&daily, 10), Ok(band));
    }

    /// For days that do not depend on each other the ratio's error is known: √((1 + SR²/2)/T) per day.
    #[test]
    fn the_width_of_the_band_is_that_of_theory() {
        let mut random = SplitMix::new(5);
        let daily: Vec<f64> = (0..1_000).map(|_| (0..12).map(|_| random.unit()).sum::<f64>() - 5.95).collect();
        let band = annual_sharpe_band(&daily, 2).unwrap();
        let theory = 2.0 * 1.645 * (365.0_f64 / 1_000.0).sqrt();
        assert!(((band.high - band.low) / theory - 1.0).abs() < 0.12, "{band:?} {theory}");
    }

    #[test]
    fn days_that_hardly_ever_vary_have_no_band() {
        let mut daily = vec![0.0; 30];
        daily[3] = 0.01;
        assert!(annual_sharpe(&daily).is_ok());
        assert_eq!(annual_sharpe_band(&daily, 1), Err(NoSharpe::NoVariation));
    }
}
