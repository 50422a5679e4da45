//! Pairs of trades of one hand over recorded trades (surveillance §9.1): whole hours, for 10 to 25 % of an hour's volume.

use super::HourVolumes;
use crate::injected::acts::{LaidAct, PlannedEpisode};
use crate::injected::score::Injection;
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};

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
    let mut hour = from;
    while hour < to {
        let share = (intensity * (0.10 + 0.15 * random.unit())).min(0.8);
        let wanted = volume * share / (1.0 - share);
        // Two, four or six usual sizes, of one digit.
        let one = round_size((2.0 * size).max(wanted / (4.0 * PAIRS_MAX)));
        let mut made = 0.0;
        while made < wanted {
            let qty = one * (1 + random.below(3)) as f64;
            let when = hour + Span::millis(i64::try_from(random.below(3_598_000)).unwrap_or(0));
            let gap = Span::millis(50 + i64::try_from(random.below(850)).unwrap_or(0));
            let bought = random.unit() < 0.5;
            let took = if bought {
                barograph_engine::order_flow::RestingSide::Ask
            } else {
                barograph_engine::order_flow::RestingSide::Bid
            };
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

/// The next number of one digit below or at this one.
fn round_size(size: f64) -> f64 {
    let mut one = 1.0;
    while one > size && one > 1e-12 {
        one /= 10.0;
    }
    while one * 10.0 <= size {
        one *= 10.0;
    }
    one * (size / one).floor().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit() {
        for (size, want) in [(0.037, 0.03), (1.0, 1.0), (9.99, 9.0), (260.0, 200.0), (0.000_5, 0.000_5)] {
            let got = round_size(size);
            assert!((got / want - 1.0).abs() < 1e-9, "{size}: {got}");
        }
    }
}
