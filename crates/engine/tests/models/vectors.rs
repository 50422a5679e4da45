//! Numbers of statsmodels, hmmlearn and scipy: the golden ones of the repository and, where they are at hand, the peers' own.

use barograph_engine::models::Bocpd;
use barograph_engine::models::hmm::{HmmFilter, HmmParams, Raw, Window, em, fit, stationary};
use barograph_testkit::GoldenTable;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read as _;

type Row = BTreeMap<String, f64>;

fn table(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        header.iter().zip(line.split(',')).filter_map(|(h, v)| Some(((*h).to_owned(), v.parse().ok()?))).collect()
    };
    lines.map(row).collect()
}

/// A file of the recordings that are not in the repository.
fn peer(name: &str) -> Option<String> {
    let bytes = std::fs::read(barograph_testkit::recorded(&format!("vectors/regime/{name}"))?).unwrap();
    let mut text = String::new();
    match name.ends_with(".gz") {
        true => flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).map(drop),
        false => (&bytes[..]).read_to_string(&mut text).map(drop),
    }
    .unwrap();
    Some(text)
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

#[track_caller]
fn close(what: &str, got: f64, want: f64, absolute: f64) {
    assert!((got - want).abs() <= absolute, "{what}: {got} is not {want}");
}

fn model(states: usize, dims: usize, transition: &[f64], means: &[f64], variances: &[f64]) -> HmmParams {
    HmmParams::new(Raw {
        states,
        dims,
        initial: stationary(transition, states),
        transition: transition.to_vec(),
        means: means.to_vec(),
        variances: variances.to_vec(),
    })
    .unwrap()
}

#[test]
fn the_filter_agrees_with_statsmodels() {
    let params = model(2, 1, &[0.97, 0.03, 0.06, 0.94], &[0.02, -0.05], &[0.25, 2.56]);
    let mut filter = HmmFilter::new();
    for (i, row) in GoldenTable::whole("hmm_filter").rows().enumerate() {
        filter.step(&params, Some(&[row.need("y")]));
        let p = filter.probabilities(&params);
        close(&format!("row {i}, state 0"), p[0], row.need("filtered_p0"), 1e-9);
        close(&format!("row {i}, state 1"), p[1], row.need("filtered_p1"), 1e-9);
    }
}

#[test]
fn the_filter_agrees_with_the_published_funds_rate_regimes() {
    let (Some(text), Some(expected)) = (peer("markov_switching_fedfunds.json"), peer("results_predict_fedfunds.csv"))
    else {
        return;
    };
    let vector: Value = serde_json::from_str(&text).unwrap();
    let p = flat(&vector["params"]);
    let params = model(2, 1, &[p[0], 1.0 - p[0], p[1], 1.0 - p[1]], &[p[2], p[3]], &[p[4], p[4]]);
    let mut filter = HmmFilter::new();
    let mut total = 0.0;
    let mut compared = 0;
    for (i, (y, row)) in flat(&vector["input"]["fedfunds"]).iter().zip(table(&expected)).enumerate() {
        let predicted = filter.predict(&params, usize::from(i > 0));
        total += filter.step(&params, Some(&[*y]));
        let filtered = filter.probabilities(&params);
        // The origin prints seven digits and its parameters are rounded, as its own tests allow for (1e-3 there).
        for (what, got) in [
            ("const_p1", predicted[0]),
            ("const_p2", predicted[1]),
            ("const_f1", filtered[0]),
            ("const_f2", filtered[1]),
        ] {
            close(&format!("row {i}, {what}"), got, row[what], 1e-5);
            compared += 1;
        }
    }
    assert_eq!(compared, 4 * 226);
    close("log-likelihood", total, vector["loglik"].as_f64().unwrap(), 1e-5);
}

#[test]
fn likelihood_and_both_passes_agree_with_hmmlearn() {
    let Some(text) = peer("gaussian_hmm_3state.json.gz") else { return };
    let vector: Value = serde_json::from_str(&text).unwrap();
    let params = HmmParams::new(Raw {
        states: 3,
        dims: 2,
        initial: flat(&vector["startprob"]),
        transition: flat(&vector["transmat"]),
        means: flat(&vector["means"]),
        variances: flat(&vector["diag_vars"]),
    })
    .unwrap();
    let rows = flat(&vector["X"]);
    let (mut filter, mut window, mut total) = (HmmFilter::new(), Window::new(2), 0.0);
    for y in rows.chunks(2) {
        total += filter.step(&params, Some(y));
        window.push(Some(y));
    }
    close("log-likelihood", total, vector["loglik"].as_f64().unwrap(), 1e-9);
    // At the last step smoothed and filtered are the same.
    let posterior = flat(&vector["posterior"]);
    for (j, p) in filter.probabilities(&params).iter().enumerate() {
        close(&format!("last step, state {j}"), *p, posterior[posterior.len() - 3 + j], 1e-9);
    }
    let smoothed = em::posterior(&window, &params);
    for (i, (got, want)) in smoothed.iter().zip(&posterior).enumerate() {
        close(&format!("posterior {i}"), *got, *want, 1e-9);
    }
}

#[test]
fn the_fit_agrees_with_hmmlearn() {
    let mut window = Window::new(2);
    let sample = GoldenTable::whole("hmm_em_input");
    for row in sample.rows() {
        window.push(Some(&[row.need("y0"), row.need("y1")]));
    }
    let expected = GoldenTable::whole("hmm_em_expected");
    let start = HmmParams::new(Raw {
        states: 3,
        dims: 2,
        initial: vec![1.0 / 3.0; 3],
        transition: vec![0.9, 0.05, 0.05, 0.05, 0.9, 0.05, 0.05, 0.05, 0.9],
        means: vec![-1.0, 0.0, -0.5, 0.0, 0.5, 0.0],
        variances: vec![0.5; 6],
    })
    .unwrap();
    let exact = em::Rule { gain_min: 0.0, rounds_max: 2_000 };
    let climb = em::climb(&window, &start, exact).unwrap();
    // Our own starts find the same summit, and put its states in the same order.
    let fitted = fit::fit(&window, 3, exact).unwrap();
    let published = fit::fit(&window, 3, fit::RULE).unwrap();
    assert!(climb.converged && fitted.converged && published.converged);
    for (what, params, ln_likelihood, tolerance) in [
        ("from the same start", &climb.params, climb.ln_likelihood, 1e-6),
        ("from our starts", &fitted.params, fitted.ln_likelihood, 1e-6),
        ("by the published rule", &published.params, published.ln_likelihood, 0.02),
    ] {
        for (j, row) in expected.rows().enumerate() {
            assert_eq!(row.text("state"), j.to_string());
            let got = [
                &params.transition()[3 * j..3 * j + 3],
                &params.means()[2 * j..2 * j + 2],
                &params.variances()[2 * j..2 * j + 2],
            ]
            .concat();
            for (column, got) in ["to0", "to1", "to2", "mean0", "mean1", "var0", "var1"].iter().zip(got) {
                close(&format!("{what}, state {j}, {column}"), got, row.need(column), tolerance);
            }
            close(what, ln_likelihood, row.need("ln_likelihood"), 1e-6_f64.max(tolerance * 0.1));
        }
    }
    // The states the sample was drawn from: what is seen of them overlaps, so nearly all are found (1,182), not every one.
    let likely = em::posterior(&window, &fitted.params);
    let most = |p: &[f64]| (0..3).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap();
    let found = sample.rows().zip(likely.chunks(3)).filter(|(row, p)| row.text("state") == most(p).to_string()).count();
    assert!(found > 1_150, "{found} of 1,200 states");
}

#[test]
fn run_lengths_agree_with_scipy() {
    let mut watch = Bocpd::new();
    let table = GoldenTable::whole("bocpd");
    for (i, row) in (0_u32..).zip(table.rows()) {
        watch.step(i, row.need("y")).unwrap();
        let reading = watch.reading().unwrap();
        close(&format!("row {i}, run length"), f64::from(reading.run_length), row.need("map_run_length"), 0.0);
        assert_eq!(reading.since, i + 1 - reading.run_length, "row {i}");
        close(&format!("row {i}, at most 5"), reading.recent_change, row.need("p_run_le_5"), 1e-8);
        // The negative control: the probability of length 0 says nothing.
        close(&format!("row {i}, length 0"), watch.probability_of(0), row.need("p_run_0"), 1e-8);
    }
}
