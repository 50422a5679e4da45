//! Between expiries: volatilities at maturities of a fixed length, and the skew there.
//!
//! Total variance w = σ²T runs straight in maturity between the two expiries around it (features §2.6):
//! √((w₁·(T₂−T)+w₂·(T−T₁))/((T₂−T₁)·T)). Without one on each side there is no number: nothing is drawn on beyond the last expiry. The
//! wings are brought to the maturity in the same way, each by itself, and the skew is made of them there: the risk reversal is the call's
//! volatility less the put's, the butterfly the mean of the two less that at the money.

use super::{ExpiryVol, NoVol};
use barograph_domain::{Span, Ts};

/// Maturities that are made, in days.
pub const MATURITIES: [i64; 4] = [7, 30, 90, 180];

/// One maturity. Volatilities are annualised fractions, the skew differences of such.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TermPoint {
    /// Days from now.
    pub days: i64,
    /// At the money.
    pub atm: Result<f64, NoVol>,
    /// Call less put, each at a delta of a quarter; above zero where calls are dearer.
    pub risk_reversal_25: Result<f64, NoVol>,
    /// Mean of the two less that at the money.
    pub butterfly_25: Result<f64, NoVol>,
}

/// All maturities.
#[must_use]
pub fn term(expiries: &[ExpiryVol], at: Ts) -> [TermPoint; MATURITIES.len()] {
    MATURITIES.map(|days| {
        let of = |part: fn(&ExpiryVol) -> Result<f64, NoVol>| at_maturity(expiries, at, Span::days(days), part);
        let (atm, call, put) = (of(|e| e.atm), of(|e| e.call_25), of(|e| e.put_25));
        let wings = call.and_then(|call| put.map(|put| (call, put)));
        TermPoint {
            days,
            atm,
            risk_reversal_25: wings.map(|(call, put)| call - put),
            butterfly_25: wings.and_then(|(call, put)| atm.map(|atm| f64::midpoint(call, put) - atm)),
        }
    })
}

/// The volatility at `maturity` after `at`, of the part of each expiry that is asked for; an expiry without that part is stepped over.
///
/// # Errors
/// When no expiry that has it lies on one of the two sides.
pub fn at_maturity(
    expiries: &[ExpiryVol],
    at: Ts,
    maturity: Span,
    part: impl Fn(&ExpiryVol) -> Result<f64, NoVol>,
) -> Result<f64, NoVol> {
    let known = || expiries.iter().filter_map(|e| Some(((e.expiry - at).as_days_f64(), part(e).ok()?)));
    let t = maturity.as_days_f64();
    let low = known().filter(|(days, _)| *days <= t && *days > 0.0).max_by(|a, b| a.0.total_cmp(&b.0));
    let high = known().filter(|(days, _)| *days >= t).min_by(|a, b| a.0.total_cmp(&b.0));
    let (Some((t1, iv1)), Some((t2, iv2))) = (low, high) else { return Err(NoVol::NoBracket) };
    if t2 <= t1 {
        return Ok(iv1);
    }
    let (w1, w2) = (iv1 * iv1 * t1, iv2 * iv2 * t2);
    Ok(((w1 * (t2 - t) + w2 * (t - t1)) / ((t2 - t1) * t)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Ts = Ts::from_civil(2026, 11, 20, 12, 0, 0);

    fn expiry(hours: i64, atm: f64, call: f64, put: f64) -> ExpiryVol {
        ExpiryVol {
            expiry: AT + Span::hours(hours),
            forward: 91_500.0,
            options: 20,
            atm: Ok(atm),
            call_25: Ok(call),
            put_25: Ok(put),
        }
    }

    /// 2 d 20 h, 13 d 20 h, 34 d 20 h, 125 d 20 h: expiries at 08:00 of a Friday as seen at noon.
    fn listed() -> Vec<ExpiryVol> {
        vec![
            expiry(68, 0.52, 0.53, 0.55),
            expiry(332, 0.47, 0.475, 0.50),
            expiry(836, 0.45, 0.452, 0.485),
            expiry(3_020, 0.46, 0.49, 0.47),
        ]
    }

    fn near(got: Result<f64, NoVol>, want: f64) {
        assert!((got.unwrap() - want).abs() < 1e-12, "{got:?}, not {want}");
    }

    const GOLDEN_WEEK: f64 = 0.483_059_446_208_671_7;
    const GOLDEN_MONTH: f64 = 0.452_164_537_485_455_2;
    const GOLDEN_MONTH_RR: f64 = -0.032_117_690_864_902_74;
    const GOLDEN_MONTH_BF: f64 = 0.018_390_480_683_077_637;
    const GOLDEN_QUARTER: f64 = 0.458_490_040_550_447_1;
    const GOLDEN_QUARTER_RR: f64 = 0.012_084_359_088_856_19;
    /// The same without the third expiry's call.
    const GOLDEN_MONTH_RR_FAR: f64 = -0.002_476_629_970_783_961;

    /// Expected values: the formula of features §2.6 in Python, with maturities in days; the unit of T cancels.
    #[test]
    fn maturities_are_those_of_the_golden_term() {
        let [week, month, quarter, half] = term(&listed(), AT);
        near(week.atm, GOLDEN_WEEK);
        near(month.atm, GOLDEN_MONTH);
        near(month.risk_reversal_25, GOLDEN_MONTH_RR);
        near(month.butterfly_25, GOLDEN_MONTH_BF);
        near(quarter.atm, GOLDEN_QUARTER);
        near(quarter.risk_reversal_25, GOLDEN_QUARTER_RR);
        assert_eq!((half.atm, half.risk_reversal_25), (Err(NoVol::NoBracket), Err(NoVol::NoBracket)));
        assert_eq!([week, month, quarter, half].map(|p| p.days), MATURITIES);
    }

    #[test]
    fn nothing_is_drawn_on_beyond_the_expiries_and_one_that_fits_is_itself() {
        let of = |list: &[ExpiryVol]| at_maturity(list, AT, Span::days(30), |e| e.atm);
        assert_eq!(of(&[]), Err(NoVol::NoBracket));
        assert_eq!(of(&listed()[..2]), Err(NoVol::NoBracket), "all before");
        assert_eq!(of(&listed()[2..]), Err(NoVol::NoBracket), "all after");
        assert_eq!(of(&[expiry(720, 0.44, 0.45, 0.46)]), Ok(0.44), "30 days exactly");
    }

    #[test]
    fn an_expiry_without_the_part_is_stepped_over() {
        let mut list = listed();
        list[2].call_25 = Err(NoVol::DeltaNotReached);
        let month = term(&list, AT)[1];
        near(month.atm, GOLDEN_MONTH);
        // The call's wing now runs from the second expiry to the last.
        near(month.risk_reversal_25, GOLDEN_MONTH_RR_FAR);
        list[3].call_25 = Err(NoVol::DeltaNotReached);
        assert_eq!(term(&list, AT)[1].butterfly_25, Err(NoVol::NoBracket));
    }
}
