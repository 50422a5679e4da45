//! Pairs of trades of one hand over recorded trades (surveillance §9.1): whole hours, for 10 to 25 % of an hour's volume.

use super::HourVolumes;
use crate::injected::acts::{LaidAct, PlannedEpisode};
use crate::injected::score::Injection;
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_engine::order_flow::RestingSide;

const HOUR: Span = Span::hours(1);
/// The detector wants two hours in a row, and an hour apart from the next episode.
const PAUSE: Span = Span::hours(1);
/// More pairs an hour than this are drawn larger.
const PAIRS_MAX: f64 = 2_000.0;

/// An episode from the next whole hour on; `None` while an hour's volume is not known. Look-alikes are pairs of one direction, and single
/// trades of round sizes.
pub(super) fn plan(
    at: Ts,
    (intensity, like): (f64, Option<u64>),
    hours: &HourVolumes,
    random: &mut SplitMix,
) -> Option<PlannedEpisode> {
    let (volume, size) = hours.usual()?;
    let from = at.ceil(HOUR) + PAUSE;
    let length = HOUR.times(2 + i64::try_from(random.below(3)).unwrap_or(0));
    let (mut acts, to) = (Vec::new(), from + length);
    let share = (intensity * (0.10 + 0.15 * random.unit())).min(0.8);
    let wanted = volume * share / (1.0 - share);
    // Half of a usual size, a whole one or one and a half, of one digit.
    let one = OneDigit::below((0.5 * size).max(wanted / (4.0 * PAIRS_MAX)));
    let mut hour = from;
    while hour < to {
        let mut made = 0.0;
        while made < wanted {
            let qty = one.of((1 + random.below(3)) as f64);
            let when = hour + Span::millis(i64::try_from(random.below(3_598_000)).unwrap_or(0));
            let gap = Span::millis(50 + i64::try_from(random.below(850)).unwrap_or(0));
            let bought = random.unit() < 0.5;
            let took = if bought { RestingSide::Ask } else { RestingSide::Bid };
            match like.map(|l| l % 2) {
                None => acts.push((when, LaidAct::Pair { bought, qty, gap })),
                Some(0) => acts.extend([when, when + gap].map(|t| (t, LaidAct::Take { took, qty }))),
                Some(_) => acts.push((when, LaidAct::Take { took, qty })),
            }
            made += if like.is_some_and(|l| l % 2 == 1) { qty } else { 2.0 * qty };
        }
        hour = hour + HOUR;
    }
    Some(PlannedEpisode { acts, floods: Vec::new(), laid: Injection { from, to, counts: true } })
}

/// A number of one digit, as a venue would write it.
#[derive(Clone, Copy, PartialEq, Debug)]
struct OneDigit {
    digit: f64,
    /// Ten to a whole power, to multiply by and to divide by: one of them is 1, so that decimals are those that a venue would have sent.
    times: f64,
    over: f64,
}

impl OneDigit {
    /// The greatest at or below this size.
    fn below(size: f64) -> Self {
        let mut of = Self { digit: 1.0, times: 1.0, over: 1.0 };
        while of.of(1.0) > size && of.over < 1e12 {
            of.over *= 10.0;
        }
        while 10.0 * of.of(1.0) <= size {
            of.times *= 10.0;
        }
        of.digit = (size / of.of(1.0)).floor().clamp(1.0, 9.0);
        of
    }

    /// So many times it.
    fn of(self, times: f64) -> f64 {
        self.digit * times * self.times / self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimals_of_one_digit() {
        let cases = [
            (0.037, "0.03", "0.09"),
            (1.0, "1", "3"),
            (9.99, "9", "27"),
            (260.0, "200", "600"),
            (0.000_5, "0.0005", "0.0015"),
        ];
        for (size, one, three) in cases {
            let of = OneDigit::below(size);
            assert_eq!((of.of(1.0).to_string().as_str(), of.of(3.0).to_string().as_str()), (one, three), "{size}");
        }
    }
}
