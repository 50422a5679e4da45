//! One expiry: its volatility at the money, and at a delta of a quarter on each side.
//!
//! Of each strike the option out of the money counts: a call from the forward upwards, a put below it. At the money is where the strike is
//! the forward; between the two strikes around it the volatility runs straight in ln(strike/forward). Deltas are those of Black (1976) with
//! respect to the forward, undiscounted and not adjusted for a premium that is paid in coin: N(d₁) of a call, N(d₁) − 1 of a put, with
//! the volatility of the strike itself; between two strikes the volatility runs straight in delta.

use super::NoVol;
use barograph_domain::math::{erfc, ln};
use barograph_domain::{OptionQuote, OptionRight, Ts};

/// A year of 365 days (features §1), in days.
const YEAR_DAYS: f64 = 365.0;
/// Delta of the wings.
const WING: f64 = 0.25;

/// What the options of one expiry amount to. Volatilities are annualised fractions.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExpiryVol {
    /// When they end.
    pub expiry: Ts,
    /// Median of the forwards of its quotes.
    pub forward: f64,
    /// Options it is made of.
    pub options: u32,
    /// Where the strike is the forward.
    pub atm: Result<f64, NoVol>,
    /// Where a call has a delta of +0.25.
    pub call_25: Result<f64, NoVol>,
    /// Where a put has a delta of −0.25.
    pub put_25: Result<f64, NoVol>,
}

/// A strike and its volatility.
#[derive(Clone, Copy, Debug)]
struct SmilePoint {
    /// ln(strike/forward).
    moneyness: f64,
    iv: f64,
    /// Of a call.
    delta: f64,
}

/// The expiries among these options that end after `at`, in the order of their ends.
#[must_use]
pub fn expiries(quotes: &[OptionQuote], at: Ts) -> Vec<ExpiryVol> {
    let mut sorted: Vec<&OptionQuote> = quotes.iter().filter(|q| q.expiry > at).collect();
    sorted.sort_by(|a, b| {
        (a.expiry, a.right).cmp(&(b.expiry, b.right)).then(a.strike.total_cmp(&b.strike)).then(a.iv.total_cmp(&b.iv))
    });
    sorted.chunk_by(|a, b| a.expiry == b.expiry).filter_map(|of_one| expiry(of_one, at)).collect()
}

fn expiry(quotes: &[&OptionQuote], at: Ts) -> Option<ExpiryVol> {
    let expiry = quotes.first()?.expiry;
    let mut forwards: Vec<f64> = quotes.iter().map(|q| q.forward).collect();
    forwards.sort_by(f64::total_cmp);
    let forward = forwards[forwards.len() / 2];
    let years = (expiry - at).as_days_f64() / YEAR_DAYS;
    let points = smile(quotes, forward, years);
    Some(ExpiryVol {
        expiry,
        forward,
        options: u32::try_from(quotes.len()).unwrap_or(u32::MAX),
        atm: at_the_money(&points),
        call_25: at_delta(points.iter(), WING),
        // From the highest strike down, so that of two places the one nearer to the forward counts here too.
        put_25: at_delta(points.iter().rev(), 1.0 - WING),
    })
}

/// Points by strike, ascending.
fn smile(quotes: &[&OptionQuote], forward: f64, years: f64) -> Vec<SmilePoint> {
    let mut by_strike = quotes.to_vec();
    by_strike.sort_by(|a, b| a.strike.total_cmp(&b.strike));
    let one = |of_strike: &[&OptionQuote]| {
        let out = of_strike.iter().find(|q| (q.right == OptionRight::Call) == (q.strike >= forward));
        let OptionQuote { strike, iv, .. } = **out.or(of_strike.first())?;
        Some(SmilePoint { moneyness: ln(strike / forward), iv, delta: forward_delta(strike, forward, iv, years) })
    };
    by_strike.chunk_by(|a, b| a.strike.total_cmp(&b.strike).is_eq()).filter_map(one).collect()
}

/// Delta of a call by Black (1976) with respect to the forward: N(d₁), d₁ = (ln(F/K) + σ²T/2)/(σ√T). That of a put is one less.
#[must_use]
pub fn forward_delta(strike: f64, forward: f64, iv: f64, years: f64) -> f64 {
    let spread = iv * years.sqrt();
    let d1 = ln(forward / strike) / spread + spread / 2.0;
    erfc(-d1 * core::f64::consts::FRAC_1_SQRT_2) / 2.0
}

/// Straight between two points.
fn between((x0, y0): (f64, f64), (x1, y1): (f64, f64), x: f64) -> f64 {
    if x0.total_cmp(&x1).is_eq() { y0 } else { y0 + (x - x0) / (x1 - x0) * (y1 - y0) }
}

fn at_the_money(points: &[SmilePoint]) -> Result<f64, NoVol> {
    let above = points.partition_point(|p| p.moneyness < 0.0);
    let high = points.get(above).ok_or(NoVol::NoStrikesAround)?;
    if high.moneyness <= 0.0 {
        return Ok(high.iv);
    }
    let low = above.checked_sub(1).and_then(|n| points.get(n)).ok_or(NoVol::NoStrikesAround)?;
    Ok(between((low.moneyness, low.iv), (high.moneyness, high.iv), 0.0))
}

/// Where the delta of a call passes `target` first.
fn at_delta<'a>(points: impl Iterator<Item = &'a SmilePoint> + Clone, target: f64) -> Result<f64, NoVol> {
    let mut pairs = points.clone().zip(points.skip(1));
    let passes = |a: &SmilePoint, b: &SmilePoint| (a.delta - target) * (b.delta - target) <= 0.0;
    let (a, b) = pairs.find(|(a, b)| passes(a, b)).ok_or(NoVol::DeltaNotReached)?;
    Ok(between((a.delta, a.iv), (b.delta, b.iv), target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    const AT: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn quote(days: i64, strike: f64, right: OptionRight, iv: f64) -> OptionQuote {
        OptionQuote { expiry: AT + Span::days(days), strike, right, iv, forward: 91_500.0 }
    }

    /// Strikes and volatilities of 30 days as Python's `math.erf` and `math.log` see them: a script of twenty lines that follows the
    /// docstring of this file, with the three interpolations written out.
    const SMILE: [(f64, f64); 7] = [
        (70_000.0, 0.58),
        (80_000.0, 0.51),
        (90_000.0, 0.445),
        (95_000.0, 0.43),
        (100_000.0, 0.435),
        (110_000.0, 0.47),
        (120_000.0, 0.52),
    ];

    const GOLDEN_ATM: f64 = 0.440_414_235_770_898_3;
    const GOLDEN_CALL_25: f64 = 0.436_710_391_669_987_26;
    const GOLDEN_PUT_25: f64 = 0.487_894_300_071_588_24;
    const GOLDEN_DELTA: f64 = 0.257_864_399_413_161_2;

    fn both() -> Vec<OptionQuote> {
        let pair = |(k, iv): (f64, f64)| {
            // The option in the money is marked otherwise, which must not count.
            let (call, put) = if k >= 91_500.0 { (iv, 9.0) } else { (9.0, iv) };
            [quote(30, k, OptionRight::Call, call), quote(30, k, OptionRight::Put, put)]
        };
        SMILE.iter().copied().flat_map(pair).collect()
    }

    #[test]
    fn volatilities_are_those_of_the_golden_smile() {
        let [found] = expiries(&both(), AT)[..] else { panic!("one expiry") };
        assert_eq!((found.options, found.expiry), (14, AT + Span::days(30)));
        assert!((found.forward - 91_500.0).abs() < 1e-12);
        for (got, want) in [(found.atm, GOLDEN_ATM), (found.call_25, GOLDEN_CALL_25), (found.put_25, GOLDEN_PUT_25)] {
            assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} {want}");
        }
        let delta = forward_delta(100_000.0, 91_500.0, 0.435, 30.0 / 365.0);
        assert!((delta - GOLDEN_DELTA).abs() < 1e-12, "{delta}");
    }

    #[test]
    fn the_order_of_the_rows_changes_nothing() {
        let mut turned = both();
        turned.reverse();
        assert_eq!(expiries(&turned, AT), expiries(&both(), AT));
    }

    #[test]
    fn a_strike_that_has_one_option_counts_with_it() {
        let calls: Vec<OptionQuote> = SMILE.iter().map(|(k, iv)| quote(30, *k, OptionRight::Call, *iv)).collect();
        let [found] = expiries(&calls, AT)[..] else { panic!("one expiry") };
        assert!((found.atm.unwrap() - GOLDEN_ATM).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_around_is_absent_with_its_reason() {
        let of = |strikes: &[(f64, f64)]| {
            let all: Vec<OptionQuote> = strikes.iter().map(|(k, iv)| quote(30, *k, OptionRight::Put, *iv)).collect();
            expiries(&all, AT)[0]
        };
        assert_eq!(of(&SMILE[..3]).atm, Err(NoVol::NoStrikesAround), "all below");
        assert_eq!(of(&SMILE[3..]).atm, Err(NoVol::NoStrikesAround), "all above");
        assert_eq!(of(&SMILE[2..4]).call_25, Err(NoVol::DeltaNotReached));
        assert_eq!(of(&SMILE[2..4]).put_25, Err(NoVol::DeltaNotReached));
        assert_eq!(of(&[(91_500.0, 0.44)]).atm, Ok(0.44), "a strike at the forward needs no other");
        assert_eq!(expiries(&both(), AT + Span::days(30)), [], "what has ended");
    }

    #[test]
    fn of_two_places_with_the_delta_the_nearer_to_the_forward_counts() {
        // A mark of 3 at the last strike takes its delta back above a quarter.
        let mut wild: Vec<OptionQuote> = SMILE.iter().map(|(k, iv)| quote(30, *k, OptionRight::Call, *iv)).collect();
        wild.push(quote(30, 130_000.0, OptionRight::Call, 3.0));
        assert!((expiries(&wild, AT)[0].call_25.unwrap() - GOLDEN_CALL_25).abs() < 1e-12);
    }
}
