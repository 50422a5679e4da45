//! Labels and folds of a million rows, and inputs of a hundred thousand, on one core: `cargo bench -p barograph-study --bench
//! research_rows`; prints `figure <name> <number>` lines.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops when it cannot go on")]
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark looks at the clock")]

use barograph_domain::Ts;
use barograph_domain::random::SplitMix;
use barograph_study::folds::{FoldPlan, FoldSheet, StudyFolds};
use barograph_study::targets::{Labeller, TargetId};
use barograph_study::transforms::{InputForm, Transforms};
use barograph_study::{FrameColumn, ResearchFrame};
use std::hint::black_box;
use std::time::Instant;

/// Columns that labels need, and so many others as inputs.
fn frame(rows: usize, inputs: usize) -> ResearchFrame {
    let mut random = SplitMix::new(1);
    let mut mid = 50_000.0;
    let mids: FrameColumn = (0..rows)
        .map(|_| {
            mid += (random.unit() * 5.0).floor() - 2.0;
            Some(mid)
        })
        .collect();
    let mut any = |n: usize| (n, (0..rows).map(|_| Some(random.unit())).collect::<FrameColumn>());
    let mut columns = vec![
        ("mid_price".to_owned(), mids),
        ("dq_seconds_since_gap".to_owned(), (0..rows).map(|_| Some(86_400.0)).collect()),
    ];
    for name in ["dq_book_age_ms", "sweep_cost_buy_bps", "sweep_cost_sell_bps"] {
        columns.push((name.to_owned(), any(0).1));
    }
    columns.extend((0..inputs).map(any).map(|(n, column)| (format!("input_{n}"), column)));
    let times = (0..).take(rows).map(Ts::from_secs).collect();
    ResearchFrame::new(times, vec![true; rows], columns).unwrap()
}

fn timed<T>(name: &str, f: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let made = black_box(f());
    println!("figure {name} {:.4}", begun.elapsed().as_secs_f64());
    made
}

fn main() {
    let million = frame(1_000_000, 0);
    let labeller = timed("study.labeller.seconds", || Labeller::new(&million).unwrap());
    for id in ["ret_1s", "dir_5m", "ret_5tick", "vol_regime_fwd", "cost_buy_fwd_5m"] {
        let labels =
            timed(&format!("study.label.{id}.seconds"), || labeller.label(TargetId::parse(id).unwrap()).unwrap());
        let name = format!("study.folds.{id}.seconds");
        let folds = timed(&name, || StudyFolds::new(labels.spans(), &FoldPlan::default()).unwrap());
        if id == "dir_5m" {
            timed("study.sheet.seconds", || FoldSheet::new(labels.target(), million.len(), &folds));
            timed("study.uniqueness.seconds", || folds.development().train.uniqueness());
        }
    }
    let wide = frame(100_000, 192);
    let labels = Labeller::new(&wide).unwrap().label(TargetId::parse("ret_1m").unwrap()).unwrap();
    let folds = StudyFolds::new(labels.spans(), &FoldPlan::default()).unwrap();
    let train = &folds.development().train;
    let transforms = timed("study.transforms.fit.seconds", || Transforms::fit(&wide, train).unwrap());
    timed("study.transforms.apply.seconds", || transforms.apply(&wide, train.rows(), InputForm::Sparse).unwrap());
    timed("study.redundancy.seconds", || transforms.redundancy(&wide, train).unwrap());
}
