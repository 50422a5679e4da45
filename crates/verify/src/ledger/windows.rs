//! Outcomes of windows, from prices by the minute and readings at their ends (verification §2, §3).
//!
//! An event that is proven by what was seen has happened, however much is missing; that it did not happen is said only of a window
//! of which four fifths were seen.

use super::COVERAGE_MIN;
use super::minutes::Minutes;
use barograph_domain::forecast::WindowOutcome;
use barograph_domain::{Span, Ts, math};

/// 1 h volatility above this, annualised, is high (regimes §2).
pub(super) const HIGH_VOL: f64 = 0.80;
/// Hourly ATR that price goes against the crowded side in a squeeze.
const SQUEEZE_ATR: f64 = 2.0;
/// Below this share of the way, price went nowhere.
const CHOP_EFFICIENCY: f64 = 0.20;
/// 4 h volatility below this, annualised, is no chop.
const CHOP_VOL: f64 = 0.50;
/// Returns of chop are taken over this, or over the step of the prices where that is longer.
const CHOP_STEP: Span = Span::mins(5);
/// Daily standard deviations that make a trend.
const TREND_SIGMA: f64 = 0.5;

/// Evidence of an outcome.
pub(super) type Judged = (WindowOutcome, [Option<f32>; 2]);

#[expect(clippy::cast_possible_truncation, reason = "evidence is shown to four digits")]
pub(super) fn short(x: f64) -> Option<f32> {
    let x = x as f32;
    x.is_finite().then_some(x)
}

fn missed(seen: bool) -> WindowOutcome {
    if seen { WindowOutcome::Missed } else { WindowOutcome::Gap }
}

/// `hv_1h`: the reading at the window's end is of exactly this window.
pub(super) fn high_vol(rv_1h: Option<f64>) -> Judged {
    match rv_1h {
        Some(rv) if rv > HIGH_VOL => (WindowOutcome::Happened, [short(rv), None]),
        Some(rv) => (WindowOutcome::Missed, [short(rv), None]),
        None => (WindowOutcome::Gap, [None, None]),
    }
}

/// What a squeeze is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Squeeze {
    /// Longs are crowded (true) or shorts.
    pub(super) longs: bool,
    /// Hourly ATR at the issue.
    pub(super) atr: f64,
    /// Liquidations of that side that are a burst; `None` where they are not reported.
    pub(super) burst: Option<f64>,
    /// Liquidations of that side within the window; `None` where too little of them was seen.
    pub(super) liquidated: Option<f64>,
}

/// `squeeze_4h`: the largest move against the crowded side in ATR, and the side's liquidations.
pub(super) fn squeeze(prices: &Minutes, (from, upto): (Ts, Ts), by: Squeeze) -> Judged {
    let Some(start) = prices.at(from) else { return (WindowOutcome::Gap, [None, None]) };
    let against = |p: f64| if by.longs { start - p } else { p - start };
    let worst = prices.within(from, upto).filter_map(|(_, p)| p).map(against).fold(0.0, f64::max) / by.atr;
    let burst = by.liquidated.zip(by.burst).is_some_and(|(sum, limit)| sum >= limit);
    let evidence = [short(worst), by.liquidated.and_then(short)];
    if worst >= SQUEEZE_ATR || burst {
        return (WindowOutcome::Happened, evidence);
    }
    let all_seen = by.burst.is_none() || by.liquidated.is_some();
    (missed(all_seen && prices.coverage(from, upto) >= COVERAGE_MIN), evidence)
}

/// `chop_4h`: share of the way that price went, and volatility.
pub(super) fn chop(prices: &Minutes, (from, upto): (Ts, Ts), step: Span, rv_4h: Option<f64>) -> Judged {
    let evidence = |e: Option<f64>| [e.and_then(short), rv_4h.and_then(short)];
    let step = step.max(CHOP_STEP);
    let (mut last, mut way, mut seen, mut all) = (prices.at(from), 0.0, 0_u32, 0_u32);
    let mut at = from;
    while at < upto {
        at = at + step;
        all += 1;
        let now = prices.at(at.min(upto));
        if let (Some(a), Some(b)) = (last, now) {
            way += math::ln(b / a).abs();
            seen += 1;
        }
        last = now;
    }
    let ends = prices.at(from).zip(prices.at(upto));
    let seen = all > 0 && f64::from(seen) / f64::from(all) >= COVERAGE_MIN;
    let (Some((a, b)), Some(rv), true) = (ends, rv_4h, seen) else { return (WindowOutcome::Gap, evidence(None)) };
    // Without any movement there is no direction to speak of, and no volatility either.
    let efficiency = if way > 0.0 { math::ln(b / a).abs() / way } else { 1.0 };
    let outcome =
        if efficiency < CHOP_EFFICIENCY && rv > CHOP_VOL { WindowOutcome::Happened } else { WindowOutcome::Missed };
    (outcome, evidence(Some(efficiency)))
}

/// `calm_4h`: none of the others; one of them proves that it was not.
pub(super) fn calm(others: &[WindowOutcome]) -> Judged {
    let none = [None, None];
    if others.contains(&WindowOutcome::Happened) {
        (WindowOutcome::Missed, none)
    } else if others.iter().all(|o| *o == WindowOutcome::Missed) {
        (WindowOutcome::Happened, none)
    } else {
        (WindowOutcome::Gap, none)
    }
}

/// `trend_up_24h` and `trend_down_24h`: the move in daily standard deviations of the moment it was issued. Both ends prove it.
pub(super) fn trend(prices: &Minutes, (from, upto): (Ts, Ts), sigma: f64, up: bool) -> Judged {
    let Some((a, b)) = prices.at(from).zip(prices.at(upto)) else { return (WindowOutcome::Gap, [None, None]) };
    let moved = math::ln(b / a) / sigma;
    let there = if up { moved > TREND_SIGMA } else { moved < -TREND_SIGMA };
    let seen = there || prices.coverage(from, upto) >= COVERAGE_MIN;
    (if there { WindowOutcome::Happened } else { missed(seen) }, [short(moved), None])
}

/// `vol_class_24h`: the class that the reading at the window's end says.
pub(super) fn class(class: Option<u8>, vol_daily: Option<f64>) -> Judged {
    (class.map_or(WindowOutcome::Gap, WindowOutcome::Class), [vol_daily.and_then(short), None])
}

/// `vol_up_24h`: a more severe class than at the issue.
pub(super) fn class_up(before: u8, class: Option<u8>, vol_daily: Option<f64>) -> Judged {
    let outcome = match class {
        Some(now) if now > before => WindowOutcome::Happened,
        Some(_) => WindowOutcome::Missed,
        None => WindowOutcome::Gap,
    };
    (outcome, [vol_daily.and_then(short), None])
}

/// `alert_move_1h`: the largest move either way as a share of the price, against an hourly ATR.
pub(super) fn moved(prices: &Minutes, (from, upto): (Ts, Ts), atr: f64) -> Judged {
    let Some(start) = prices.at(from) else { return (WindowOutcome::Gap, [None, None]) };
    let share = |p: f64| math::ln(p / start).abs() / (atr / start);
    let most = prices.within(from, upto).filter_map(|(_, p)| p).map(share).fold(0.0, f64::max);
    let outcome =
        if most >= 1.0 { WindowOutcome::Happened } else { missed(prices.coverage(from, upto) >= COVERAGE_MIN) };
    (outcome, [short(most), None])
}

/// `post_fund_rev_8h`: funding at the end against that of the issue.
pub(super) fn funding_halved(before: f64, now: Option<f64>) -> Judged {
    let outcome = match now {
        Some(now) if now.abs() <= 0.5 * before.abs() => WindowOutcome::Happened,
        Some(_) => WindowOutcome::Missed,
        None => WindowOutcome::Gap,
    };
    (outcome, [now.and_then(short), None])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> Ts {
        Ts(0) + Span::mins(n)
    }

    /// Prices by the minute from minute 0 on; a missing one is a hole.
    fn prices(of: impl Fn(i64) -> Option<f64>) -> Minutes {
        let mut m = Minutes::default();
        (0..=240).for_each(|n| m.push(at(n), of(n)));
        m
    }

    const WINDOW: (Ts, Ts) = (Ts(0), Ts(240 * 60_000_000_000));

    /// Without liquidations, or with a sum of them (if it was seen) against a burst of half a million.
    fn long_squeeze(liquidated: Option<Option<f64>>) -> Squeeze {
        Squeeze { longs: true, atr: 1.0, burst: liquidated.map(|_| 5e5), liquidated: liquidated.flatten() }
    }

    /// What was seen proves an event; what was not seen proves none.
    #[test]
    fn a_squeeze_is_proven_by_one_minute_and_denied_by_four_fifths() {
        let dip = |hole: i64| prices(move |n| (n == 0 || n > hole).then_some(if n == 200 { 98.0 } else { 100.0 }));
        let flat = |hole: i64| prices(move |n| (n == 0 || n > hole).then_some(100.0));
        let of = |p: &Minutes, by| squeeze(p, WINDOW, by).0;
        let none = long_squeeze(None);
        assert_eq!(of(&dip(0), none), WindowOutcome::Happened);
        assert_eq!(of(&dip(199), none), WindowOutcome::Happened, "most of it was not seen");
        assert_eq!(of(&flat(48), none), WindowOutcome::Missed, "four fifths were seen");
        assert_eq!(of(&flat(49), none), WindowOutcome::Gap);
        assert_eq!(of(&dip(0), Squeeze { longs: false, ..none }), WindowOutcome::Missed, "shorts do not mind");
        assert_eq!(of(&flat(0), long_squeeze(Some(Some(6e5)))), WindowOutcome::Happened);
        assert_eq!(of(&flat(0), long_squeeze(Some(Some(4e5)))), WindowOutcome::Missed);
        let unseen = long_squeeze(Some(None));
        assert_eq!(of(&flat(0), unseen), WindowOutcome::Gap, "liquidations are reported and were not seen");
        assert_eq!(of(&dip(0), unseen), WindowOutcome::Happened, "prices prove it");
        assert_eq!(squeeze(&dip(0), WINDOW, none).1, [Some(2.0), None]);
    }

    #[test]
    fn chop_goes_nowhere_in_large_steps() {
        let saw = prices(|n| Some(if (n / 5) % 2 == 0 { 100.0 } else { 101.0 }));
        let line = prices(|n| Some(100.0 + f64::from(i32::try_from(n).unwrap()) / 100.0));
        let of = |p: &Minutes, rv| chop(p, WINDOW, Span::mins(1), rv).0;
        assert_eq!(of(&saw, Some(0.6)), WindowOutcome::Happened);
        assert_eq!(of(&saw, Some(0.5)), WindowOutcome::Missed);
        assert_eq!(of(&line, Some(0.6)), WindowOutcome::Missed);
        assert_eq!(of(&saw, None), WindowOutcome::Gap);
        assert_eq!(of(&prices(|n| (n % 100 < 70).then_some(100.0)), Some(0.6)), WindowOutcome::Gap);
    }

    #[test]
    fn calm_needs_all_to_be_seen_and_is_denied_by_one() {
        use WindowOutcome::{Gap, Happened, Missed};
        assert_eq!(calm(&[Missed, Missed]).0, Happened);
        assert_eq!(calm(&[Missed, Gap]).0, Gap);
        assert_eq!(calm(&[Happened, Gap]).0, Missed);
    }

    #[test]
    fn a_trend_is_measured_in_the_days_own_volatility() {
        let p = prices(|n| Some(if n == 240 { 102.0 } else { 100.0 }));
        let of = |sigma, up| trend(&p, WINDOW, sigma, up).0;
        assert_eq!(
            [of(0.03, true), of(0.05, true), of(0.03, false)],
            [WindowOutcome::Happened, WindowOutcome::Missed, WindowOutcome::Missed]
        );
        let ends = prices(|n| [0, 240].contains(&n).then_some(if n == 240 { 102.0 } else { 100.0 }));
        let of_ends = |sigma| trend(&ends, WINDOW, sigma, true).0;
        assert_eq!(
            [of_ends(0.03), of_ends(0.05)],
            [WindowOutcome::Happened, WindowOutcome::Gap],
            "nothing between them"
        );
        assert_eq!(moved(&p, WINDOW, 1.9).0, WindowOutcome::Happened);
        assert_eq!(moved(&p, WINDOW, 2.1).0, WindowOutcome::Missed);
        assert_eq!(
            [class_up(1, Some(2), None).0, class_up(2, Some(2), None).0],
            [WindowOutcome::Happened, WindowOutcome::Missed]
        );
        assert_eq!(
            [funding_halved(-0.002, Some(0.001)).0, funding_halved(0.002, Some(0.0011)).0],
            [WindowOutcome::Happened, WindowOutcome::Missed]
        );
        assert_eq!(
            [high_vol(Some(0.81)).0, high_vol(Some(0.8)).0, high_vol(None).0],
            [WindowOutcome::Happened, WindowOutcome::Missed, WindowOutcome::Gap]
        );
    }
}
