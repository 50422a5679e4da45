//! Scores of a year of five-minute forecasts of ten symbols: bands of three scores from one set of a thousand resamples, the CORP
//! curve, the confidence sequence.
//!
//! Prints `figure <name> <number>` lines; medians over runs.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

use barograph_domain::{Span, Ts};
use barograph_verify::scores::bootstrap::{DRAWS, SEED};
use barograph_verify::scores::{BlockSeries, Case, ConfidenceSequence, SplitMix, auc, corp, mean_by_time};
use barograph_verify::scores::{non_overlapping, skill};
use std::time::Instant;

const GRID: Span = Span::mins(5);
const MOMENTS: i64 = 365 * 288;
const SYMBOLS: usize = 10;

fn main() {
    let mut random = SplitMix::new(SEED);
    let mut cases = Vec::new();
    for i in 0..MOMENTS {
        for _ in 0..SYMBOLS {
            let p = random.unit();
            cases.push(Case { issued: Ts(0) + GRID.times(i), p, happened: random.unit() < 0.2 + 0.6 * p });
        }
    }
    figure("bands_year_ms", || {
        let sums = cases.iter().map(|c| (c.issued, [1.0, c.loss(), c.loss_of(0.5), c.loss_of(0.4)]));
        let resamples = BlockSeries::new(sums, GRID, Span::hours(4)).resamples(DRAWS, SEED);
        resamples.map(|r| {
            let skill_1 = r.band(|[_, bs, a, _]| skill(*bs, *a));
            (r.band(|[n, bs, _, _]| Some(bs / n)), skill_1, r.band(|[_, bs, _, b]| skill(*bs, *b)))
        })
    });
    figure("corp_year_ms", || corp(&cases).map(|corp| corp.curve.len()));
    figure("auc_year_ms", || auc(cases.iter().map(|c| (c.p, c.happened))));
    figure("sequence_year_ms", || {
        let moments = mean_by_time(cases.iter().map(|c| (c.issued, c.loss_of(0.5) - c.loss())));
        let mut sequence = ConfidenceSequence::of_loss_differences();
        for place in non_overlapping(moments.iter().map(|(t, _)| *t), Span::hours(1)) {
            sequence.feed(moments[place].0, moments[place].1);
        }
        (sequence.activation(), sequence.point())
    });
}

fn figure<T>(name: &str, work: impl Fn() -> T) {
    let mut took: Vec<_> = (0..5)
        .map(|_| {
            let began = Instant::now();
            std::hint::black_box(work());
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    println!("figure {name} {:.1}", took[2]);
}
