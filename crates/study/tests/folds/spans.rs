//! Lives of labels for tests of folds.

use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_study::targets::{LabelSpan, LabelSpans};

fn made(spans: impl Iterator<Item = (Ts, Span)>) -> LabelSpans {
    let spans = spans.enumerate().map(|(row, (start, life))| LabelSpan { row, start, end: start + life });
    LabelSpans::new(spans.collect()).unwrap()
}

/// Rows in equal steps with labels of equal life, in seconds.
pub(crate) fn even(rows: usize, step: i64, life: i64) -> LabelSpans {
    made((0..).take(rows).map(|n| (Ts::from_secs(n * step), Span::secs(life))))
}

/// Rows in random steps, some at the same moment, with labels of random life up to so many seconds.
pub(crate) fn random(random: &mut SplitMix, rows: usize, life_max: u64) -> LabelSpans {
    let mut at = 0;
    let second = |n: u64| i64::try_from(n).unwrap();
    made((0..rows).map(|_| {
        at += second(random.below(4) * random.below(3));
        (Ts::from_secs(at), Span::secs(1 + second(random.below(life_max))))
    }))
}
