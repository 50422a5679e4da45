//! What the models find where the truth is known: seeded series with planted regimes and changes.

use super::Random;
use barograph_engine::models::Bocpd;
use barograph_engine::models::bocpd::{HAZARD, RUN_MAX};
use barograph_engine::models::hmm::{FitError, HmmFilter, HmmParams, Raw, Window, em, fit, stationary};

const WAYS: [f64; 9] = [0.97, 0.025, 0.005, 0.03, 0.94, 0.03, 0.01, 0.05, 0.94];
const MEANS: [f64; 6] = [-1.2, 0.0, -0.4, 0.0, 0.5, 0.0];
const SD: [f64; 6] = [0.25, 0.9, 0.3, 1.0, 0.35, 1.2];

/// Hours of three planted states, calm to wild, and which one each was in.
fn planted(seed: u64, n: usize) -> (Vec<[f64; 2]>, Vec<usize>) {
    let mut random = Random(seed);
    let mut state = 0;
    let step = |_| {
        let u = random.unit();
        let row = &WAYS[3 * state..3 * state + 3];
        state = if u < row[0] { 0 } else { 1 + usize::from(u >= row[0] + row[1]) };
        let y = [0, 1].map(|d| MEANS[2 * state + d] + SD[2 * state + d] * random.normal());
        (y, state)
    };
    (0..n).map(step).unzip()
}

fn window_of(rows: &[[f64; 2]]) -> Window {
    let mut window = Window::new(2);
    rows.iter().for_each(|y| window.push(Some(y)));
    window
}

/// Share of hours whose state the filter names, hour by hour and without looking ahead.
fn named(params: &HmmParams, rows: &[[f64; 2]], truth: &[usize]) -> f64 {
    let mut filter = HmmFilter::new();
    let hit = rows.iter().zip(truth).filter(|(y, state)| {
        filter.step(params, Some(&y[..]));
        filter.best(params) == **state
    });
    hit.count() as f64 / rows.len() as f64
}

#[test]
fn the_fitted_filter_finds_planted_regimes_in_hours_it_was_not_fitted_on() {
    for seed in [1, 2, 3] {
        let (rows, truth) = planted(seed, 6_320);
        let (past, future) = rows.split_at(4_320);
        let fitted = fit::fit(&window_of(past), 3, fit::RULE).unwrap();
        assert!(fitted.converged, "seed {seed}: {} rounds", fitted.rounds);
        let truly = HmmParams::new(Raw {
            states: 3,
            dims: 2,
            initial: stationary(&WAYS, 3),
            transition: WAYS.to_vec(),
            means: MEANS.to_vec(),
            variances: SD.map(|s| s * s).to_vec(),
        })
        .unwrap();
        let share = named(&fitted.params, future, &truth[4_320..]);
        let best = named(&truly, future, &truth[4_320..]);
        assert!(
            share > 0.93 && share > best - 0.01,
            "seed {seed}: {share} of the hours; {best} with the true parameters"
        );
        for (got, want) in fitted.params.means().chunks(2).zip(MEANS.chunks(2)) {
            assert!((got[0] - want[0]).abs() < 0.08, "seed {seed}: {:?}", fitted.params.means());
        }
        for (j, want) in [0.97, 0.94, 0.94].iter().enumerate() {
            let duration = fitted.params.expected_duration(j).unwrap();
            assert!((1.0 - 1.0 / duration - want).abs() < 0.02, "seed {seed}, state {j}: {duration} steps");
        }
    }
}

#[test]
fn each_round_climbs_with_and_without_missing_hours() {
    let (rows, _) = planted(9, 900);
    for every in [usize::MAX, 7] {
        let mut window = Window::new(2);
        for (t, y) in rows.iter().enumerate() {
            let gone = t % every == every - 1 || (every == 7 && (300..340).contains(&t));
            window.push((!gone).then_some(&y[..]));
        }
        for start in fit::starts(&window, 3) {
            let mut last = f64::NEG_INFINITY;
            for rounds_max in 0..25 {
                let now =
                    em::climb(&window, &start, em::Rule { gain_min: f64::MIN, rounds_max }).unwrap().ln_likelihood;
                assert!(now >= last - 1e-7, "round {rounds_max}: {now} after {last}");
                last = now;
            }
        }
        let fitted = fit::fit(&window, 3, fit::RULE).unwrap();
        for (got, want) in fitted.params.means().chunks(2).zip(MEANS.chunks(2)) {
            assert!((got[0] - want[0]).abs() < 0.15, "{:?}", fitted.params.means());
        }
    }
}

#[test]
fn a_window_that_cannot_be_fitted_says_why_and_odd_ones_give_models() {
    let (rows, _) = planted(4, 119);
    assert_eq!(fit::fit(&window_of(&rows), 3, fit::RULE), Err(FitError::TooShort { have: 119, need: 120 }));
    let flat: Vec<[f64; 2]> = (0..200).map(|i| [f64::from(i % 5), 2.0]).collect();
    assert_eq!(fit::fit(&window_of(&flat), 3, fit::RULE), Err(FitError::Flat { dim: 1 }));
    // One point far away: without a floor its state would have no variance and infinite likelihood.
    let mut lone = planted(5, 400).0;
    lone[200] = [50.0, 0.0];
    let fitted = fit::fit(&window_of(&lone), 3, fit::RULE).unwrap();
    assert!(fitted.params.variances().iter().all(|v| *v > 1e-4) && fitted.ln_likelihood.is_finite(), "{fitted:?}");
    // Two values only, many ties.
    let coins: Vec<[f64; 2]> = (0..300).map(|i| [f64::from(i % 2), f64::from(i / 2 % 2)]).collect();
    assert!(fit::fit(&window_of(&coins), 3, fit::RULE).is_ok());
    // Any number of states and of numbers.
    for (states, dims) in [(1, 1), (2, 3), (5, 1)] {
        let mut random = Random(7);
        let mut window = Window::new(dims);
        for _ in 0..600 {
            window.push(Some(&(0..dims).map(|_| random.normal()).collect::<Vec<_>>()));
        }
        let fitted = fit::fit(&window, states, fit::RULE).unwrap();
        assert_eq!((fitted.params.states(), fitted.params.dims()), (states, dims));
    }
}

#[test]
fn a_missing_hour_predicts_and_predictions_end_in_the_stationary_distribution() {
    let (rows, _) = planted(6, 50);
    let params = fit::fit(&window_of(&planted(6, 2_000).0), 3, fit::RULE).unwrap().params;
    let mut filter = HmmFilter::new();
    for y in &rows {
        filter.step(&params, Some(y));
    }
    let two_ahead = filter.predict(&params, 2);
    assert!(filter.step(&params, None).abs() < 1e-12);
    filter.step(&params, Some(&[f64::NAN, 0.0]));
    filter.step(&params, Some(&[1e200, 0.0]));
    let three = filter.predict(&params, 0);
    let mut ahead = HmmFilter::new();
    for y in &rows {
        ahead.step(&params, Some(y));
    }
    for (a, b) in three.iter().zip(ahead.predict(&params, 3)) {
        assert!((a - b).abs() < 1e-12 && (two_ahead.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let end = stationary(params.transition(), 3);
    for ((far, end), initial) in filter.predict(&params, 5_000).iter().zip(&end).zip(params.initial()) {
        assert!((far - end).abs() < 1e-9 && (initial - end).abs() < 1e-12);
    }
}

/// Feeds values from step `from` on. First steps at which the most probable run began after step 595, and at which a recent
/// change is more probable than none.
fn noticed(watch: &mut Bocpd, from: u32, values: impl Iterator<Item = f64>) -> (Option<u32>, Option<u32>) {
    let (mut dated, mut recent) = (None, None);
    for (at, x) in (from..).zip(values) {
        watch.step(at, x);
        let reading = watch.reading().unwrap();
        dated = dated.or((reading.since > 595).then_some(at));
        recent = recent.or((reading.recent_change > 0.5).then_some(at));
    }
    (dated, recent)
}

#[test]
fn a_planted_change_is_found_within_hours_and_dated() {
    for (what, mean, sd, within, sudden) in
        [("mean", 3.0, 1.0, 8, false), ("mean, far", 5.0, 1.0, 3, true), ("spread", 0.0, 5.0, 12, false)]
    {
        for seed in 1..=10 {
            let mut random = Random(seed);
            let mut watch = Bocpd::new();
            let before: Vec<f64> = (0..600).map(|_| random.normal()).collect();
            noticed(&mut watch, 0, before.into_iter());
            assert!(watch.reading().unwrap().recent_change < 0.5 && watch.reading().unwrap().run_length > 300);
            let after: Vec<f64> = (0..60).map(|_| mean + sd * random.normal()).collect();
            let (dated, recent) = noticed(&mut watch, 600, after.into_iter());
            assert!(dated.is_some_and(|at| at < 600 + within), "{what}, seed {seed}: found at {dated:?}");
            assert!(!sudden || recent.is_some_and(|at| at < 600 + within), "{what}, seed {seed}: recent at {recent:?}");
            let since = watch.reading().unwrap().since;
            assert!(since.abs_diff(600) <= 3, "{what}, seed {seed}: dated {since}");
        }
    }
}

#[test]
fn quiet_series_raise_few_alarms_and_memory_ends_at_the_cap() {
    let mut random = Random(11);
    let mut watch = Bocpd::new();
    let mut alarms = 0;
    for at in 0..6_000 {
        watch.step(at, random.normal());
        let reading = watch.reading().unwrap();
        alarms += u32::from(at > 20 && reading.recent_change > 0.5);
        assert!(watch.held() <= RUN_MAX as usize + 1);
        assert!((watch.probability_of(0) - HAZARD).abs() < 1e-6, "step {at}");
    }
    assert!(alarms < 6, "{alarms} alarms in 6000 quiet hours");
    let reading = watch.reading().unwrap();
    // At the cap the long run stays the most probable one, with its date; it is not cut off and taken for a change.
    assert_eq!((reading.run_length, reading.since < 1_000), (RUN_MAX, true), "{reading:?}");
    assert!(reading.probability > 0.5 && reading.recent_change < 0.1, "{reading:?}");
    assert!(postcard::to_allocvec(&watch).unwrap().len() < 70_000);
    assert_eq!(watch.step(6_001, f64::INFINITY), None);
}
