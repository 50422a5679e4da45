//! The synthetic market itself: index, mark and last price with volume, premium, funding, open interest and ratios,
//! one minute at a time.
//!
//! Price is a geometric walk in four steps a minute whose volatility follows the [`Climate`]; jumps are rare and larger
//! in storms. The premium reverts to the phase's aim, funding follows from it by the venue's published formula
//! (mean premium plus an interest term clamped to ±0.05 %, capped at ±0.3 %). Open interest drifts with the phase and
//! shrinks with large moves.

use super::climate::{Climate, ClimatePhase};
use super::rng::Random;
use barograph_domain::math;

const MINUTES_PER_YEAR: f64 = 525_600.0;
const PRICE_START: f64 = 2_500.0;
const OI_START: f64 = 80_000.0;
/// Steps inside a minute: enough for a high and a low.
const STEPS: usize = 4;

/// Open, high, low and close of one series over a minute.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Ohlc {
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
}

/// One minute of every series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SynthMinute {
    pub(crate) last: Ohlc,
    pub(crate) mark: Ohlc,
    pub(crate) index: Ohlc,
    pub(crate) premium: Ohlc,
    /// Base units.
    pub(crate) volume: f64,
    /// Base units bought by takers.
    pub(crate) taker_volume: f64,
    /// Number of trades.
    pub(crate) count: f64,
}

/// What the archive's metrics say every five minutes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FiveMinutes {
    /// Base units, one side.
    pub(crate) open_interest: f64,
    pub(crate) mark: f64,
    pub(crate) top_account_ratio: f64,
    pub(crate) top_position_ratio: f64,
    pub(crate) account_ratio: f64,
    pub(crate) taker_ratio: f64,
}

#[derive(Debug)]
pub(crate) struct SynthMarket {
    rng: Random,
    climate: Climate,
    ln_index: f64,
    ln_vol: f64,
    premium: f64,
    ln_oi: f64,
    /// Level that chop returns to.
    anchor: f64,
    /// Slow lean of the accounts, about −1 to 1.
    lean: f64,
    /// Premium summed and counted since the last settlement.
    premium_sum: f64,
    premium_n: u32,
    /// Taker volume of the last five minutes: bought, sold.
    taken: (f64, f64),
    previous: Option<SynthMinute>,
    minutes: u64,
}

impl SynthMarket {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Random::new(seed);
        let climate = Climate::first(&mut rng);
        let ln_index = math::ln(PRICE_START);
        Self {
            climate,
            ln_index,
            ln_vol: math::ln(climate.vol),
            premium: 0.0,
            ln_oi: math::ln(OI_START),
            anchor: ln_index,
            lean: 0.0,
            premium_sum: 0.0,
            premium_n: 0,
            taken: (0.0, 0.0),
            previous: None,
            minutes: 0,
            rng,
        }
    }

    /// The rate settled now, for the minutes since the last call; 0.01 % when there are none.
    pub(crate) fn settle(&mut self) -> f64 {
        let rate = running_rate(self.premium_sum, self.premium_n);
        self.premium_sum = 0.0;
        self.premium_n = 0;
        rate
    }

    /// One minute later.
    pub(crate) fn step(&mut self) -> SynthMinute {
        let entered = self.climate.pass(&mut self.rng);
        if entered {
            self.anchor = self.ln_index;
        }
        let before = self.ln_index;
        let sigma = self.volatility();
        let path = self.walk(sigma, entered);
        self.settle_in(sigma, self.ln_index - before);
        let m = self.minute(&path, sigma, self.ln_index - before);
        self.premium_sum += m.premium.close;
        self.premium_n += 1;
        self.taken.0 += m.taker_volume;
        self.taken.1 += m.volume - m.taker_volume;
        self.previous = Some(m);
        self.minutes += 1;
        m
    }

    /// What the metrics say now, for the five minutes since the last call.
    pub(crate) fn five_minutes(&mut self) -> FiveMinutes {
        let (bought, sold) = std::mem::take(&mut self.taken);
        let ratio = |lean: f64| math::exp(0.25 + 0.5 * lean);
        FiveMinutes {
            open_interest: math::exp(self.ln_oi),
            mark: self.previous.map_or(PRICE_START, |m| m.mark.close),
            top_account_ratio: ratio(self.lean),
            top_position_ratio: ratio(0.6 * self.lean),
            account_ratio: ratio(1.3 * self.lean),
            taker_ratio: bought / sold.max(0.001),
        }
    }

    /// Volatility of one minute, after one step of the way to the phase's aim: faster up than down.
    fn volatility(&mut self) -> f64 {
        let aim = math::ln(self.climate.vol);
        let tau = if aim > self.ln_vol { 6.0 } else { 25.0 };
        self.ln_vol += (aim - self.ln_vol) / tau + 0.01 * self.rng.normal();
        math::exp(self.ln_vol) / MINUTES_PER_YEAR.sqrt()
    }

    /// ln(index) at the beginning and after each step of the minute.
    fn walk(&mut self, sigma: f64, entered: bool) -> [f64; STEPS + 1] {
        let c = self.climate;
        // Pull per minute. Storms and unwinds trend by a third of a standard deviation a minute for their first hours.
        let mut pull = match c.phase {
            ClimatePhase::Chop => (self.anchor - self.ln_index) * 0.012,
            ClimatePhase::Storm if c.age < 180 => 0.12 * c.side * sigma,
            ClimatePhase::Unwind if c.age < 90 => -0.20 * c.side * sigma,
            ClimatePhase::Crowding => 0.04 * c.side * sigma,
            ClimatePhase::Calm | ClimatePhase::Ordinary | ClimatePhase::Storm | ClimatePhase::Unwind => 0.0,
        };
        // A year must not wander out of sight: half of the way back in about 60 days.
        pull += (math::ln(PRICE_START) - self.ln_index) * 8e-6;
        if entered && c.phase == ClimatePhase::Unwind {
            pull -= c.side * self.rng.between(0.006, 0.02);
        }
        let rate =
            if matches!(c.phase, ClimatePhase::Storm | ClimatePhase::Unwind) { 1.0 / 200.0 } else { 1.0 / 5_000.0 };
        if self.rng.unit() < rate {
            pull += self.rng.sign() * self.rng.between(3.0, 7.0) * sigma;
        }
        let steps = STEPS as f64;
        let mut path = [self.ln_index; STEPS + 1];
        for point in &mut path[1..] {
            self.ln_index += pull / steps + sigma / steps.sqrt() * self.rng.normal();
            *point = self.ln_index;
        }
        path
    }

    /// Premium, open interest and lean after a minute with this return.
    fn settle_in(&mut self, sigma: f64, ret: f64) {
        let c = self.climate;
        let noise = 0.000_012 + 0.02 * sigma;
        self.premium += (c.premium - self.premium) / 60.0 + noise * self.rng.normal();
        let shed = 0.4 * (ret.abs() - 3.0 * sigma).max(0.0);
        let back = if c.phase == ClimatePhase::Crowding { 0.0 } else { (math::ln(OI_START) - self.ln_oi) * 1.2e-4 };
        self.ln_oi += c.oi_drift + back - shed + 0.000_3 * self.rng.normal();
        self.lean += -self.lean / 2_880.0 - 2.0 * ret + 0.01 * self.rng.normal();
    }

    fn minute(&mut self, path: &[f64; STEPS + 1], sigma: f64, ret: f64) -> SynthMinute {
        let before = self.previous.map_or(self.premium, |m| m.premium.close);
        let (mut index, mut premium) = ([0.0; STEPS + 1], [0.0; STEPS + 1]);
        let (mut mark, mut last) = ([0.0; STEPS + 1], [0.0; STEPS + 1]);
        for at in 0..=STEPS {
            let share = at as f64 / STEPS as f64;
            index[at] = math::exp(path[at]);
            premium[at] = before + (self.premium - before) * share;
            mark[at] = index[at] * (1.0 + premium[at]);
            last[at] = tick(mark[at] * (1.0 + 0.000_015 * self.rng.normal()));
        }
        let calm = 0.42 / MINUTES_PER_YEAR.sqrt();
        let hour = (self.minutes / 60 % 24) as f64;
        let day_shape = 1.0 - 0.35 * (1.0 - (hour - 15.0).abs().min(24.0 - (hour - 15.0).abs()) / 12.0 - 0.5);
        let volume = 14.0 * day_shape * math::exp(0.9 * math::ln(sigma / calm) + 0.5 * self.rng.normal());
        let volume = (volume * 1_000.0).round().max(1.0) / 1_000.0;
        let share = (0.5 + 0.08 * ret / sigma + 0.05 * self.rng.normal()).clamp(0.05, 0.95);
        SynthMinute {
            last: ohlc(&last),
            mark: ohlc(&mark),
            index: ohlc(&index),
            premium: ohlc(&premium),
            volume,
            taker_volume: (volume * share * 1_000.0).round() / 1_000.0,
            count: (volume * 6.0).ceil(),
        }
    }
}

/// The venue's formula for a perpetual with 8 h funding.
fn running_rate(premium_sum: f64, n: u32) -> f64 {
    const INTEREST: f64 = 0.000_1;
    if n == 0 {
        return INTEREST;
    }
    let mean = premium_sum / f64::from(n);
    (mean + (INTEREST - mean).clamp(-0.000_5, 0.000_5)).clamp(-0.003, 0.003)
}

fn ohlc(path: &[f64; STEPS + 1]) -> Ohlc {
    let high = path.iter().copied().fold(path[0], f64::max);
    let low = path.iter().copied().fold(path[0], f64::min);
    Ohlc { open: path[0], high, low, close: path[STEPS] }
}

/// Rounded to the price step of 0.01.
fn tick(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minute series of the quantities that the risk rules look at.
    struct Year {
        squared: Vec<f64>,
        mark: Vec<f64>,
        oi: Vec<f64>,
        funding: Vec<f64>,
    }

    fn year(seed: u64) -> Year {
        let mut market = SynthMarket::new(seed);
        let mut y = Year { squared: vec![], mark: vec![], oi: vec![], funding: vec![] };
        for minute in 0..365 * 1_440 {
            if minute % 480 == 0 {
                market.settle();
            }
            let m = market.step();
            let r = y.mark.last().map_or(0.0, |p: &f64| math::ln(m.mark.close / p));
            y.squared.push(r * r);
            y.mark.push(m.mark.close);
            y.oi.push(math::exp(market.ln_oi));
            y.funding.push(running_rate(market.premium_sum, market.premium_n));
        }
        y
    }

    fn rv(squared: &[f64]) -> f64 {
        (squared.iter().sum::<f64>() / squared.len() as f64 * MINUTES_PER_YEAR).sqrt()
    }

    fn z(window: &[f64]) -> f64 {
        let n = window.len() as f64;
        let mean = window.iter().sum::<f64>() / n;
        let sd = (window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
        if sd > 0.0 { (window[window.len() - 1] - mean) / sd } else { 0.0 }
    }

    /// Shares of the readings (every ten minutes) at which the rules of the book `absolute` hold.
    fn shares(y: &Year) -> [f64; 4] {
        let mut hits = [0.0; 4];
        let mut n = 0.0;
        for t in (1_440..y.mark.len()).step_by(10) {
            let (v1, v4) = (rv(&y.squared[t - 59..=t]), rv(&y.squared[t - 239..=t]));
            let (d1, d4) = (y.oi[t] / y.oi[t - 60] - 1.0, y.oi[t] / y.oi[t - 240] - 1.0);
            let zf = z(&y.funding[t - 1_439..=t]);
            n += 1.0;
            if zf.abs() > 2.0 && d4 > 0.10 && v1 < 0.30 {
                hits[if zf > 0.0 { 0 } else { 1 }] += 1.0;
            } else if v1 > 0.80 {
                hits[2] += 1.0;
            } else if v4 > 0.50 && d1.abs() < 0.02 {
                hits[3] += 1.0;
            }
        }
        hits.map(|h| h / n)
    }

    #[test]
    fn a_year_holds_every_label_and_stays_plausible() {
        let y = year(1);
        let [longs, shorts, high, chop] = shares(&y);
        assert!(longs > 0.0005 && shorts > 0.0005, "squeezes: {longs} {shorts}");
        assert!((0.02..0.3).contains(&high), "high volatility: {high}");
        assert!((0.05..0.5).contains(&chop), "chop: {chop}");
        assert!((0.3..1.2).contains(&rv(&y.squared)), "volatility of the year: {}", rv(&y.squared));
        let range = |v: &[f64]| (v.iter().copied().fold(f64::MAX, f64::min), v.iter().copied().fold(0.0, f64::max));
        let ((low, high), (oi_low, oi_high)) = (range(&y.mark), range(&y.oi));
        assert!(low > 250.0 && high < 25_000.0, "price {low} to {high}");
        assert!(oi_low > 20_000.0 && oi_high < 250_000.0, "open interest {oi_low} to {oi_high}");
    }

    #[test]
    fn every_minute_is_a_bar() {
        let mut market = SynthMarket::new(9);
        for _ in 0..5_000 {
            let m = market.step();
            for o in [m.last, m.mark, m.index, m.premium] {
                assert!(o.low <= o.open && o.low <= o.close && o.high >= o.open && o.high >= o.close);
            }
            assert!(m.last.low > 0.0 && m.volume > 0.0 && m.taker_volume <= m.volume && m.count >= 1.0);
        }
    }

    #[test]
    fn funding_follows_the_published_formula() {
        for (mean, want) in [(0.0, 0.000_1), (0.000_6, 0.000_1), (0.001, 0.000_5), (-0.001, -0.000_5), (0.01, 0.003)] {
            assert!((running_rate(mean * 3.0, 3) - want).abs() < 1e-12, "{mean}");
        }
        assert!((running_rate(0.0, 0) - 0.000_1).abs() < 1e-15);
    }
}
