//! Scores of cases given as CSV on standard input, as JSON on standard output: how programs of others check the arithmetic
//! (crates/python/tests/test_scores_peers.py).
//!
//! `scores binary STEP_MINUTES HORIZON_MINUTES` reads `issued_ns,p,happened,climatology,persistence` in the order of time, several
//! lines of one moment being symbols of a pool; `scores ranked` reads the probabilities of ordered classes and the class that came.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a small program that reads its arguments, prints, and stops at what it cannot read"
)]

use barograph_domain::{Span, Ts};
use barograph_verify::scores::bootstrap::{DRAWS, SEED};
use barograph_verify::scores::{
    Binning, BlockSeries, Case, ConfidenceSequence, Contingency, auc, base_rate, brier, brier_skill, corp, ece,
    log_score, mean_by_time, mean_rps, murphy, n_eff, non_overlapping, reliability, sharpness, skill,
};
use serde_json::{Value, json};

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let rows: Vec<Vec<String>> = std::io::stdin()
        .lines()
        .skip(1)
        .map(|line| line.unwrap().split(',').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    let said = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["binary", step, horizon] => binary(&rows, minutes(step), minutes(horizon)),
        ["ranked"] => ranked(&rows),
        _ => panic!("usage: scores binary STEP_MINUTES HORIZON_MINUTES | scores ranked"),
    };
    println!("{said}");
}

fn minutes(word: &str) -> Span {
    Span::mins(word.parse().unwrap())
}

fn binary(rows: &[Vec<String>], step: Span, horizon: Span) -> Value {
    let number = |row: &[String], at: usize| row[at].parse::<f64>().unwrap();
    let case =
        |row: &Vec<String>| Case { issued: Ts(row[0].parse().unwrap()), p: number(row, 1), happened: row[2] == "1" };
    let cases: Vec<_> = rows.iter().map(case).collect();
    let [climatology, persistence] = [3, 4].map(|at| rows.iter().map(|row| number(row, at)).collect::<Vec<_>>());
    let widths = reliability(&cases, Binning::EqualWidth, horizon);
    let labels = Contingency::of(cases.iter().map(|c| (c.p >= 0.5, c.happened)));
    json!({
        "n": cases.len(),
        "n_eff": n_eff(cases.iter().map(|c| c.issued), horizon),
        "base_rate": base_rate(&cases),
        "brier": brier(&cases),
        "log_score": log_score(&cases),
        "bss_clim": brier_skill(&cases, &climatology),
        "bss_pers": brier_skill(&cases, &persistence),
        "murphy": murphy(&cases, Binning::EqualWidth),
        "murphy_equal_count": murphy(&cases, Binning::EqualCount),
        "ece": ece(&widths),
        "bins": widths,
        "corp": corp(&cases),
        "auc": auc(cases.iter().map(|c| (c.p, c.happened))),
        "sharpness": sharpness(cases.iter().map(|c| c.p)),
        "labels": {
            "pod": labels.pod(), "far": labels.far(), "pofd": labels.pofd(),
            "csi": labels.csi(), "hk": labels.hk(), "f1": labels.f1(),
        },
        "bands": bands(&cases, &climatology, &persistence, step, horizon),
        "sequence": sequence(&cases, &persistence, horizon),
    })
}

fn bands(cases: &[Case], climatology: &[f64], persistence: &[f64], step: Span, horizon: Span) -> Value {
    let references = climatology.iter().zip(persistence);
    let sums = cases
        .iter()
        .zip(references)
        .map(|(case, (c, q))| (case.issued, [1.0, case.loss(), case.loss_of(*c), case.loss_of(*q)]));
    let series = BlockSeries::new(sums, step, horizon);
    let resamples = series.resamples(DRAWS, SEED);
    let resamples = resamples.as_ref();
    json!({
        "slots": series.slots(),
        "block_slots": series.block_slots(),
        "blocks": series.blocks(),
        "brier": resamples.and_then(|r| r.band(|[n, bs, ..]| Some(bs / n))),
        "bss_clim": resamples.and_then(|r| r.band(|[_, bs, c, _]| skill(*bs, *c))),
        "bss_pers": resamples.and_then(|r| r.band(|[_, bs, _, q]| skill(*bs, *q))),
        "difference": resamples.and_then(|r| r.band(|[n, bs, _, q]| Some((q - bs) / n))),
    })
}

fn sequence(cases: &[Case], persistence: &[f64], horizon: Span) -> Value {
    let differences = cases.iter().zip(persistence).map(|(c, q)| (c.issued, c.loss_of(*q) - c.loss()));
    let moments = mean_by_time(differences);
    let mut sequence = ConfidenceSequence::of_loss_differences();
    let taken = non_overlapping(moments.iter().map(|(t, _)| *t), horizon);
    let points: Vec<_> = taken
        .into_iter()
        .map(|place| {
            let (issued, x) = moments[place];
            sequence.feed(issued + horizon, x);
            sequence.point()
        })
        .collect();
    json!({ "points": points, "activation": sequence.activation() })
}

fn ranked(rows: &[Vec<String>]) -> Value {
    let case = |row: &Vec<String>| {
        let (class, p) = row.split_last().unwrap();
        let p: Vec<f64> = p.iter().map(|cell| cell.parse().unwrap()).collect();
        (p, class.parse::<usize>().unwrap())
    };
    let cases: Vec<_> = rows.iter().map(case).collect();
    json!({ "rps": mean_rps(cases.iter().map(|(p, class)| (&p[..], *class))) })
}
