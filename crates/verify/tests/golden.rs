//! Scores against golden vectors: numbers computed outside the project with other libraries (`testdata/golden/README.md`). Those of
//! Wilson's interval, of isotonic regression and of the flip-flop index are read beside their code.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::{Span, Ts};
use barograph_testkit::{GoldenTable, recorded};
use barograph_verify::scores::{
    Binning, BlockSeries, Case, Contingency, auc, base_rate, brier, brier_of_reference, brier_skill, ece, log_score,
    mean_rps, murphy, reliability, rps,
};
use std::io::Read;

const TOLERANCE: f64 = 1e-10;
const MINUTE: Span = Span::mins(1);

fn same(what: &str, got: f64, want: f64) {
    let fine = (got - want).abs() <= TOLERANCE * want.abs() || (got - want).abs() < 1e-12 && want.abs() < 1e-12;
    assert!(fine, "{what}: {got} is not {want}");
}

/// One case a minute, with climatology and persistence.
fn brier_input() -> (Vec<Case>, Vec<f64>, Vec<f64>) {
    let table = GoldenTable::whole("brier_input");
    let case = |i: usize| {
        let row = table.row(i);
        let issued = Ts(0) + MINUTE.times(i64::try_from(i).unwrap());
        Case { issued, p: row.need("p"), happened: row.text("o") == "1" }
    };
    let column = |name: &str| table.rows().map(|row| row.need(name)).collect();
    ((0..table.rows().len()).map(case).collect(), column("climatology"), column("persistence"))
}

#[test]
fn brier_and_all_that_is_read_from_it() {
    let (cases, climatology, persistence) = brier_input();
    let split = murphy(&cases, Binning::EqualWidth).unwrap();
    let table = GoldenTable::whole("brier_expected");
    for row in table.rows() {
        let score = row.text("score");
        let got = match score {
            "brier" => brier(&cases),
            "log_score" => log_score(&cases).map(|s| s.nats),
            "brier_clim" => brier_of_reference(&cases, &climatology),
            "brier_pers" => brier_of_reference(&cases, &persistence),
            "bss_clim" => brier_skill(&cases, &climatology),
            "bss_pers" => brier_skill(&cases, &persistence),
            "reliability" => Some(split.reliability),
            "resolution" => Some(split.resolution),
            "uncertainty" => Some(split.uncertainty),
            "within_bin_variance" => Some(split.within_variance),
            "within_bin_covariance" => Some(split.within_covariance),
            "ece" => ece(&reliability(&cases, Binning::EqualWidth, MINUTE)),
            "auc" => auc(cases.iter().map(|c| (c.p, c.happened))),
            "base_rate" => base_rate(&cases),
            other => panic!("brier_expected: nobody computes {other}"),
        };
        same(score, got.unwrap(), row.need("value"));
    }
    assert_eq!(table.rows().len(), 14);
    assert!((split.brier() - brier(&cases).unwrap()).abs() < 1e-12);
}

#[test]
fn reliability_table() {
    let bins = reliability(&brier_input().0, Binning::EqualWidth, MINUTE);
    let table = GoldenTable::whole("reliability_bins");
    assert_eq!(bins.len(), table.rows().len());
    for (bin, row) in bins.iter().zip(table.rows()) {
        assert_eq!((bin.index.to_string(), bin.n.to_string()), (row.text("bin").to_owned(), row.text("n").to_owned()));
        same("mean_p", bin.mean_p, row.need("mean_p"));
        same("observed", bin.observed, row.need("mean_o"));
        same("wilson low", bin.wilson_90.0, row.need("wilson90_lo"));
        same("wilson high", bin.wilson_90.1, row.need("wilson90_hi"));
    }
}

#[test]
fn ranked_scores() {
    let table = GoldenTable::whole("rps");
    let case = |i: usize| {
        let row = table.row(i);
        let p = ["p0", "p1", "p2", "p3"].map(|class| row.need(class));
        (p, row.text("outcome").parse::<usize>().unwrap(), row.need("rps"))
    };
    let cases: Vec<_> = (0..table.rows().len()).map(case).collect();
    for (p, class, want) in &cases {
        same("rps", rps(p, *class).unwrap(), *want);
    }
    let mean = cases.iter().map(|(_, _, want)| want).sum::<f64>() / 30.0;
    same("mean rps", mean_rps(cases.iter().map(|(p, class, _)| (&p[..], *class))).unwrap(), mean);
}

#[test]
fn resampled_blocks() {
    let cases = &brier_input().0[..120];
    let series = BlockSeries::with_block(cases.iter().map(|c| (c.issued, [1.0, c.loss()])), MINUTE, MINUTE.times(10));
    assert_eq!((series.slots(), series.block_slots(), series.blocks()), (120, 10, 12));
    let starts = GoldenTable::whole("bootstrap_starts");
    let resampled = |i: usize| {
        let row = starts.row(i);
        let starts = (0..12).map(|k| row.text(&format!("s{k}")).parse::<usize>().unwrap());
        let [n, loss] = series.resampled(starts);
        assert!((n - 120.0).abs() < 1e-9);
        loss / n
    };
    let mut scores: Vec<_> = (0..starts.rows().len()).map(resampled).collect();
    scores.sort_by(f64::total_cmp);
    // Type 7 of 200 values: ranks 9.95 and 189.05.
    let between = |rank: usize, part: f64| scores[rank] + part * (scores[rank + 1] - scores[rank]);
    let expected = GoldenTable::whole("bootstrap_expected");
    for row in expected.rows() {
        let got = match row.text("stat") {
            "bs_mean" => scores.iter().sum::<f64>() / 200.0,
            "bs_q05" => between(9, 0.95),
            "bs_q95" => between(189, 0.05),
            other => panic!("bootstrap_expected: nobody computes {other}"),
        };
        same(row.text("stat"), got, row.need("value"));
    }
}

#[test]
fn area_under_the_curve_and_f1() {
    let table = GoldenTable::whole("auc_f1");
    let want = table.last();
    same("auc", auc(table.rows().map(|row| (row.need("score"), row.text("y") == "1"))).unwrap(), want.need("auc"));
    let f1 = ["0", "1", "2"].map(|class| {
        let pairs = table.rows().map(|row| (row.text("pred3") == class, row.text("y3") == class));
        Contingency::of(pairs).f1().unwrap()
    });
    for (got, class) in f1.iter().zip(["f1_0", "f1_1", "f1_2"]) {
        same(class, *got, want.need(class));
    }
    same("macro_f1", f1.iter().sum::<f64>() / 3.0, want.need("macro_f1"));
}

/// What properscoring 0.1 computes on seeded random inputs: Brier and logarithmic loss.
#[test]
fn proper_scores_of_another_library() {
    let Some(path) = recorded("vectors/scores/proper_scores.json.gz") else { return };
    let mut text = String::new();
    flate2::read::GzDecoder::new(open(&path)).read_to_string(&mut text).unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    let numbers =
        |name: &str| -> Vec<f64> { vector[name].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    let pairs = numbers("prob").into_iter().zip(numbers("event"));
    let cases: Vec<_> = pairs.map(|(p, o)| Case { issued: Ts(0), p, happened: o > 0.5 }).collect();
    assert_eq!(cases.len(), 40);
    for (case, want) in cases.iter().zip(numbers("brier")) {
        same("brier of a case", case.loss(), want);
    }
    same("brier", brier(&cases).unwrap(), vector["mean_brier"].as_f64().unwrap());
    same("log loss", log_score(&cases).unwrap().nats, vector["mean_log_loss"].as_f64().unwrap());
}

#[expect(clippy::disallowed_types, reason = "a test reads recorded data")]
fn open(path: &std::path::Path) -> std::fs::File {
    std::fs::File::open(path).unwrap()
}
