//! Confidence sequences: bounds that hold at every moment at once, so that one may look every day and act on what one sees.
//!
//! Empirical Bernstein for differences within `[−c, c]`, one bound for each side: with `t` values `x_i`, predictable centres `γ_i` (the
//! mean of the values before, at most 0 for the lower bound, at least 0 for the upper one) and intrinsic time
//! `V = max(1, Σ (x_i − γ_i)²)`, the mean of the expected differences lies above `x̄ − u(V)/t` for all `t` at once with probability
//! `1 − α`, and likewise below `x̄ + u(V)/t` (Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
//! confidence sequences", 2021, theorem 4; Choe and Ramdas, "Comparing sequential forecasters", 2023, propositions 1 and 2). `u` is
//! the gamma-exponential mixture boundary of scale `c`, tight around `V` = 10, as in `comparecast`. Each side has `α` = 2.5 %, both
//! together 5 %. Centred on zero, a side needs half the scale of the textbook's two-sided form (`c` for `hi − lo`), which is a
//! third of the cases when the differences are small.
//!
//! The mixture is written as a ratio of one series, `m(s, v) = M(a, x)/M(r, r)` with `M(a, x) = Σ x^n/(a(a+1)…(a+n))`, `r = ρ/c²`,
//! `a = (v + ρ)/c²`, `x = (cs + v + ρ)/c²`: the lower incomplete gamma function without its powers, all terms positive. Its logarithm
//! is convex and rising in `s`, so Newton's steps from above come down on `ln m = ln(1/α)` without overshooting.
//!
//! The values are taken to be of cases that do not overlap: who feeds it sees to that ([`super::case::non_overlapping`]).

use super::sums::float;
use barograph_domain::{Ts, math};
use serde::{Deserialize, Serialize};

/// Chance that the bound of one side fails anywhere in time: both sides together are a 95 % sequence.
const ALPHA_SIDE: f64 = 0.025;
/// Intrinsic time at which the boundary is tightest: the default of the peers, fixed before any data was seen.
const V_OPT: f64 = 10.0;
/// Sums are scaled down by this before they overflow.
const HUGE: f64 = 1e280;

/// The gamma-exponential mixture of one scale and level.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Mixture {
    /// Scale: the greatest size of a value.
    c: f64,
    rho: f64,
    /// `ln M(r, r)`.
    ln_start: f64,
    /// `ln(1/α)` of one side.
    threshold: f64,
}

impl Mixture {
    fn new(c: f64, alpha: f64) -> Self {
        // Best ρ of a one-sided normal mixture at the intrinsic time of interest (Howard et al., proposition 3).
        let ln_inverse = -math::ln(2.0 * alpha);
        let rho = V_OPT / (2.0 * ln_inverse + math::ln(1.0 + 2.0 * ln_inverse));
        let r = rho / (c * c);
        Self { c, rho, ln_start: ln_series(r, r), threshold: -math::ln(alpha) }
    }

    /// `ln m(s, v) − ln(1/α)` and its slope in `s`.
    fn above(&self, s: f64, v: f64) -> (f64, f64) {
        let c2 = self.c * self.c;
        let (a, x) = ((v + self.rho) / c2, (self.c * s + v + self.rho) / c2);
        let ln_sum = ln_series(a, x);
        // From the differential equation of the series: M' = 1/x − (a/x)·M + M.
        let slope = (1.0 - a / x + math::exp(-ln_sum) / x) / self.c;
        (ln_sum - self.ln_start - self.threshold, slope)
    }

    /// Has a sum of centred values this large crossed the boundary? Most have not by far: `m` is at most `exp(s²/2v)`.
    fn crossed(&self, s: f64, v: f64) -> bool {
        s > 0.0 && s * s > 2.0 * v * self.threshold && self.above(s, v).0 > 0.0
    }

    /// The boundary: the sum at which `m` reaches `1/α`.
    fn bound(&self, v: f64) -> f64 {
        let mut s = (2.0 * v * self.threshold).sqrt();
        while self.above(s, v).0 < 0.0 {
            s *= 2.0;
        }
        for _ in 0..100 {
            let (excess, slope) = self.above(s, v);
            let next = s - excess / slope;
            // Convexity brings every step down; the first that does not is rounding.
            if next >= s {
                break;
            }
            s = next;
        }
        s
    }
}

/// `ln Σ_{n≥0} x^n/(a(a+1)…(a+n))` for positive `a` and `x`.
fn ln_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut scaled) = (1.0 / a, 1.0 / a, 0.0);
    let mut n = a;
    loop {
        n += 1.0;
        term *= x / n;
        sum += term;
        if sum > HUGE {
            (sum, term, scaled) = (sum / HUGE, term / HUGE, scaled + math::ln(HUGE));
        }
        if term < sum * 1e-17 && x < n {
            return math::ln(sum) + scaled;
        }
    }
}

/// The boundary `u(v)` of scale `c` at one-sided level `alpha`, for those who check it against another program.
#[must_use]
pub fn mixture_bound(v: f64, alpha: f64, c: f64) -> f64 {
    Mixture::new(c, alpha).bound(v)
}

/// When the lower bound first rose above zero, and on what.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// Time of the value that did it.
    pub at: Ts,
    /// Values until then, this one included.
    pub n: usize,
    /// The lower bound at that moment.
    pub lower: f64,
}

/// Mean and bounds after some value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct SequencePoint {
    /// Values so far.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Lower bound of the mean expected difference.
    pub lower: f64,
    /// Upper bound of the mean expected difference.
    pub upper: f64,
}

/// A running 95 % confidence sequence of the mean of bounded differences.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ConfidenceSequence {
    mixture: Mixture,
    n: usize,
    sum: f64,
    /// Σ (x_i − γ_i)² of the lower and of the upper bound.
    spread: (f64, f64),
    activation: Option<Activation>,
}

impl ConfidenceSequence {
    /// Differences of two Brier losses: `(π − o)² − (p − o)²`, positive where the classifier is the better one.
    #[must_use]
    pub fn of_loss_differences() -> Self {
        Self::within(1.0)
    }

    /// Values within `[−size, size]`.
    ///
    /// # Panics
    /// When the size is not positive.
    #[must_use]
    pub fn within(size: f64) -> Self {
        assert!(size > 0.0, "the size of values is positive, not {size}");
        Self { mixture: Mixture::new(size, ALPHA_SIDE), n: 0, sum: 0.0, spread: (0.0, 0.0), activation: None }
    }

    /// Takes the next value, of a case that overlaps with none before.
    ///
    /// # Panics
    /// When the value is larger than the bounds hold for.
    pub fn feed(&mut self, at: Ts, x: f64) {
        let size = self.mixture.c;
        assert!(x.abs() <= size, "{x} is not within {size} of zero");
        let centre = if self.n == 0 { 0.0 } else { self.sum / float(self.n) };
        let squared = |centre: f64| (x - centre) * (x - centre);
        self.n += 1;
        self.sum += x;
        self.spread = (self.spread.0 + squared(centre.min(0.0)), self.spread.1 + squared(centre.max(0.0)));
        if self.activation.is_none() && self.mixture.crossed(self.sum, self.spread.0.max(1.0)) {
            let lower = self.point().map_or(0.0, |point| point.lower);
            self.activation = Some(Activation { at, n: self.n, lower });
        }
    }

    /// Mean and bounds now; `None` before the first value.
    #[must_use]
    pub fn point(&self) -> Option<SequencePoint> {
        if self.n == 0 {
            return None;
        }
        let bound = |spread: f64| self.mixture.bound(spread.max(1.0));
        let sums = [self.sum, self.sum - bound(self.spread.0), self.sum + bound(self.spread.1)];
        let [mean, lower, upper] = sums.map(|sum| sum / float(self.n));
        Some(SequencePoint { n: self.n, mean, lower, upper })
    }

    /// The moment at which the lower bound was first above zero, if it ever was. It stays: that a lower bound fell back later does not
    /// undo that zero was excluded, with the error that the sequence allows once for all time.
    #[must_use]
    pub const fn activation(&self) -> Option<Activation> {
        self.activation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_incomplete_gamma_function() {
        // M(1, x) = (e^x − 1)/x; M(2, x) = (e^x − 1 − x)/x².
        for x in [0.1, 1.0, 7.5, 300.0] {
            let want =
                [math::ln(math::exp(x) - 1.0) - math::ln(x), math::ln(math::exp(x) - 1.0 - x) - 2.0 * math::ln(x)];
            for (a, want) in [1.0, 2.0].into_iter().zip(want) {
                assert!((ln_series(a, x) - want).abs() < 1e-12 * want.abs().max(1.0), "M({a}, {x})");
            }
        }
        // Beyond what a float holds the leading term of the exponential remains.
        assert!((ln_series(1.0, 2_000.0) - (2_000.0 - math::ln(2_000.0))).abs() < 1e-9);
    }

    #[test]
    fn the_bound_is_where_the_mixture_reaches_its_threshold() {
        let mixture = Mixture::new(1.0, 0.025);
        for v in [1.0, 3.0, 10.0, 250.0, 20_000.0] {
            let s = mixture.bound(v);
            assert!(mixture.above(s, v).0.abs() < 1e-9, "{v}: {:?}", mixture.above(s, v));
            assert!(mixture.crossed(s * 1.000_001, v) && !mixture.crossed(s * 0.999_999, v), "{v}");
        }
    }

    /// What confseq 0.0.11 says of the boundary and comparecast 1.0.0 of eight differences; a test of `crates/python` asks them again.
    #[test]
    fn bounds_are_those_of_confseq_and_comparecast() {
        let near = |got: f64, want: f64| assert!((got - want).abs() <= 1e-10 * want.abs(), "{got} is not {want}");
        for (v, one, two) in [
            (1.0, 6.624_032_581_425_126, 8.532_079_801_421_787),
            (10.0, 13.008_091_040_401_268, 15.001_381_189_986_205),
            (20_000.0, 574.958_026_066_099_1, 559.824_359_567_358),
        ] {
            near(mixture_bound(v, 0.025, 1.0), one);
            near(mixture_bound(v, 0.05, 2.0), two);
        }
        let mut sequence = ConfidenceSequence::of_loss_differences();
        let bounds = [
            (0.5, -6.124_032_581_425_126, 7.124_032_581_425_126),
            (-0.25, -3.187_016_290_712_563, 3.437_016_290_712_563),
            (0.75, -1.874_677_527_141_708_9, 2.617_678_883_377_626_3),
            (0.5, -1.316_545_911_529_260_6, 2.095_891_884_299_272_4),
            (-1.0, -1.457_112_312_794_697_4, 1.831_285_741_326_483_8),
            (0.25, -1.182_287_594_410_600_6, 1.570_811_275_693_665_4),
            (0.5, -0.974_453_598_944_153_6, 1.434_151_023_734_523_9),
            (0.5, -0.817_618_417_098_614_7, 1.327_728_589_871_724_2),
        ];
        let mut mirrored = sequence.clone();
        for (x, lower, upper) in bounds {
            sequence.feed(Ts(0), x);
            mirrored.feed(Ts(0), -x);
            let (point, mirror) = (sequence.point().unwrap(), mirrored.point().unwrap());
            near(point.lower, lower);
            near(point.upper, upper);
            near(-mirror.upper, lower);
            near(-mirror.lower, upper);
        }
    }

    #[test]
    fn the_slope_is_that_of_the_mixture() {
        let mixture = Mixture::new(1.0, 0.025);
        for (s, v) in [(1.0, 1.0), (12.0, 30.0), (90.0, 400.0)] {
            let slope = (mixture.above(s + 1e-4, v).0 - mixture.above(s - 1e-4, v).0) / 2e-4;
            assert!((mixture.above(s, v).1 - slope).abs() < 1e-6 * slope, "{s}, {v}");
        }
    }

    #[test]
    #[should_panic(expected = "1.5 is not within 1 of zero")]
    fn a_value_out_of_range_is_refused() {
        ConfidenceSequence::of_loss_differences().feed(Ts(0), 1.5);
    }
}
