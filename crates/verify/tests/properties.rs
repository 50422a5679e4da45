//! What scores owe whatever the cases are: the splits add up, order and scale of what carries none do not matter, bands and sequences
//! hold as often as they say.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::{Span, Ts};
use barograph_verify::scores::bootstrap::{DRAWS, SEED};
use barograph_verify::scores::{
    Binning, BlockSeries, Case, ConfidenceSequence, SplitMix, auc, brier, brier_skill, corp, isotonic, murphy,
    reliability,
};
use proptest::prelude::*;

const GRID: Span = Span::mins(5);

fn cases() -> impl Strategy<Value = Vec<Case>> {
    // Probabilities with ties and both ends, and any.
    let p = prop_oneof![(0_u8..=20).prop_map(|k| f64::from(k) / 20.0), 0.0..=1.0_f64];
    proptest::collection::vec((p, any::<bool>()), 1..200).prop_map(timed)
}

fn timed(said: Vec<(f64, bool)>) -> Vec<Case> {
    let at = |i: usize| Ts(0) + GRID.times(i64::try_from(i).unwrap());
    said.into_iter().enumerate().map(|(i, (p, happened))| Case { issued: at(i), p, happened }).collect()
}

proptest! {
    #[test]
    fn murphys_terms_add_up_to_the_brier_score(cases in cases()) {
        for binning in [Binning::EqualWidth, Binning::EqualCount] {
            let split = murphy(&cases, binning).unwrap();
            prop_assert!((split.brier() - brier(&cases).unwrap()).abs() < 1e-12, "{split:?}");
            prop_assert_eq!(reliability(&cases, binning, GRID).iter().map(|b| b.n).sum::<usize>(), cases.len());
        }
    }

    #[test]
    fn corp_adds_up_and_its_curve_is_the_best_recalibration(cases in cases()) {
        let corp = corp(&cases).unwrap();
        prop_assert!((corp.brier() - brier(&cases).unwrap()).abs() < 1e-12, "{corp:?}");
        prop_assert!(corp.miscalibration > -1e-12 && corp.discrimination > -1e-12, "{corp:?}");
        prop_assert!(corp.curve.windows(2).all(|s| s[0].observed < s[1].observed && s[0].p_upto < s[1].p_from));
        // The recalibrated forecasts, scored case by case, are what the split says; and they need no recalibration.
        let step = |p: f64| corp.curve.iter().find(|s| s.p_from <= p && p <= s.p_upto).unwrap().observed;
        let recalibrated: Vec<_> = cases.iter().map(|c| Case { p: step(c.p), ..*c }).collect();
        let score = brier(&recalibrated).unwrap();
        prop_assert!((score - (corp.uncertainty - corp.discrimination)).abs() < 1e-12);
        prop_assert!(barograph_verify::scores::corp(&recalibrated).unwrap().miscalibration.abs() < 1e-12);
        // Calibration at the best shifts no constant: any single bend of the curve scores no better.
        prop_assert!(score <= brier(&cases).unwrap() + 1e-12);
    }

    #[test]
    fn isotonic_values_rise_and_keep_the_weighted_sum(inputs in proptest::collection::vec((0.0..1.0_f64, 0.5..9.0_f64), 0..60)) {
        let fitted = isotonic(&inputs);
        prop_assert_eq!(fitted.len(), inputs.len());
        prop_assert!(fitted.windows(2).all(|pair| pair[0] <= pair[1]));
        let total = |values: &[f64]| values.iter().zip(&inputs).map(|(x, (_, w))| x * w).sum::<f64>();
        let given: Vec<_> = inputs.iter().map(|(x, _)| *x).collect();
        prop_assert!((total(&fitted) - total(&given)).abs() < 1e-9);
    }

    #[test]
    fn auc_knows_order_only(cases in cases()) {
        let of = |f: fn(f64) -> f64| auc(cases.iter().map(|c| (f(c.p), c.happened)));
        let plain = of(|p| p);
        // Exact where the transformation keeps ties and order: doubling, and a power of two added in place of nothing.
        prop_assert_eq!(plain, of(|p| 8.0 * p));
        let turned = auc(cases.iter().map(|c| (-c.p, c.happened)));
        prop_assert_eq!(plain.map(|a| (a * 1e12).round()), turned.map(|a| ((1.0 - a) * 1e12).round()));
        let mut backwards = cases.clone();
        backwards.reverse();
        prop_assert_eq!(plain, auc(backwards.iter().map(|c| (c.p, c.happened))));
    }

    #[test]
    fn the_area_is_the_share_of_pairs(cases in cases()) {
        let (mut won, mut pairs) = (0.0, 0.0);
        for with in cases.iter().filter(|c| c.happened) {
            for without in cases.iter().filter(|c| !c.happened) {
                pairs += 1.0;
                won += if with.p > without.p { 1.0 } else if with.p < without.p { 0.0 } else { 0.5 };
            }
        }
        let got = auc(cases.iter().map(|c| (c.p, c.happened)));
        prop_assert_eq!(got.is_some(), pairs > 0.0);
        prop_assert!(got.is_none_or(|got| (got - won / pairs).abs() < 1e-12));
    }

    #[test]
    fn a_constant_has_no_band(value in -5.0..5.0_f64, days in 11_i64..40, symbols in 1_usize..4) {
        let steps = Span::days(days).0 / GRID.0;
        let cases = (0..steps).flat_map(|i| std::iter::repeat_n((Ts(0) + GRID.times(i), [1.0, value]), symbols));
        let resamples = BlockSeries::new(cases, GRID, Span::hours(1)).resamples(50, SEED).unwrap();
        let band = resamples.band(|[n, x]| Some(x / n)).unwrap();
        prop_assert!([band.value, band.low, band.high].iter().all(|x| (x - value).abs() < 1e-9), "{band:?}");
    }

    #[test]
    fn symbols_of_one_moment_stay_together(days in 11_i64..20, seed in any::<u64>()) {
        // Two symbols that always differ by one: their difference has no spread, whatever is drawn.
        let mut random = SplitMix::new(seed);
        let steps = Span::days(days).0 / GRID.0;
        let of = |i: i64, x: f64| { let t = Ts(0) + GRID.times(i); [(t, [x, 0.0]), (t, [0.0, x + 1.0])] };
        let cases: Vec<_> = (0..steps).flat_map(|i| of(i, random.unit())).collect();
        let series = BlockSeries::new(cases, GRID, Span::hours(1));
        let slots = series.slots() as f64;
        let band = series.resamples(50, seed).unwrap().band(|[a, b]| Some((b - a) / slots)).unwrap();
        prop_assert!((band.low - 1.0).abs() < 1e-9 && (band.high - 1.0).abs() < 1e-9, "{band:?}");
    }
}

/// Noise of days that last: blocks of a day keep it together, so the band is as wide as the noise of day means.
#[test]
fn bands_cover_the_mean_of_a_persistent_series_about_nine_times_in_ten() {
    let (mut covered, rounds) = (0, 200);
    let mut random = SplitMix::new(3);
    for _ in 0..rounds {
        let mut level = 0.0;
        let steps = 24 * 60;
        let cases: Vec<_> = (0..steps)
            .map(|hour| {
                level = 0.8 * level + random.unit() - 0.5;
                (Ts(0) + Span::hours(hour), [1.0, level])
            })
            .collect();
        let series = BlockSeries::new(cases, Span::hours(1), Span::hours(1));
        let band = series.resamples(300, random.bits()).unwrap().band(|[n, x]| Some(x / n)).unwrap();
        covered += usize::from(band.low <= 0.0 && 0.0 <= band.high);
    }
    // 90 % of 200, less what blocks of a finite length lose; a bootstrap of single hours covers about half.
    assert!((164..=194).contains(&covered), "{covered} of {rounds}");
}

#[test]
fn a_band_wants_ten_blocks() {
    let series = |days: i64| {
        let cases = (0..24 * days).map(|hour| (Ts(0) + Span::hours(hour), [1.0]));
        BlockSeries::new(cases, Span::hours(1), Span::hours(1))
    };
    assert!(series(9).resamples(DRAWS, SEED).is_none() && series(10).resamples(DRAWS, SEED).is_some());
    // A horizon longer than a day makes longer blocks.
    let week = BlockSeries::new((0..69).map(|day| (Ts(0) + Span::days(day), [1.0])), Span::days(1), Span::days(7));
    assert_eq!((week.block_slots(), week.blocks()), (7, 10));
    // A hole of a year is one block long.
    let split = [0, 1, 366, 367].map(|day| (Ts(0) + Span::days(day), [1.0]));
    assert_eq!(BlockSeries::new(split, Span::hours(1), Span::hours(1)).slots(), 1 + 24 + 24 + 24);
    assert_eq!(BlockSeries::<1>::new([], Span::hours(1), Span::hours(1)).blocks(), 0);
}

#[test]
fn two_classifiers_are_compared_on_the_same_resamples() {
    // The second is worse by a little on each case, amid noise that both share.
    let mut random = SplitMix::new(11);
    let cases = (0..24 * 90).map(|hour| {
        let loss = random.unit();
        (Ts(0) + Span::hours(hour), [1.0, loss, loss + 0.01])
    });
    let resamples = BlockSeries::new(cases, Span::hours(1), Span::hours(1)).resamples(DRAWS, SEED).unwrap();
    let difference = resamples.band(|[n, a, b]| Some((b - a) / n)).unwrap();
    let alone = resamples.band(|[n, a, _]| Some(a / n)).unwrap();
    assert!(!difference.holds_zero() && difference.high - difference.low < 1e-9, "{difference:?}");
    assert!(alone.high - alone.low > 0.015, "{alone:?}");
}

/// Skill of the same cases by sums is the skill by cases.
#[test]
fn skill_is_a_ratio_of_sums() {
    let mut random = SplitMix::new(5);
    let cases = timed((0..4_000).map(|_| (random.unit(), random.unit() < 0.3)).collect());
    let sums = cases.iter().map(|c| (c.issued, [c.loss(), c.loss_of(0.3)]));
    let series = BlockSeries::new(sums, GRID, Span::hours(1));
    let band = series.resamples(200, SEED).unwrap();
    let band = band.band(|[bs, reference]| barograph_verify::scores::skill(*bs, *reference)).unwrap();
    let plain = brier_skill(&cases, &vec![0.3; cases.len()]).unwrap();
    assert!((band.value - plain).abs() < 1e-12 && band.low < plain && plain < band.high, "{band:?}");
    // A score that is undefined in many resamples has no band.
    let mut seen = std::cell::Cell::new(0);
    let rare = |_: &[f64; 2]| {
        seen.set(seen.get() + 1);
        (seen.get() % 5 > 0).then_some(1.0)
    };
    assert_eq!(series.resamples(200, SEED).unwrap().band(rare), None);
    assert_eq!(*seen.get_mut(), 201);
}

/// Coin tosses less their chance: the bounds hold at all times at once in at least 95 of 100 runs.
#[test]
fn sequences_of_coin_tosses_hold_at_every_toss() {
    let mut random = SplitMix::new(17);
    for chance in [0.05, 0.5] {
        let mut failed = 0;
        for _ in 0..100 {
            let mut sequence = ConfidenceSequence::within(1.0);
            let held = (0..400_i64).all(|i| {
                sequence.feed(Ts(i), if random.unit() < chance { 1.0 } else { 0.0 });
                let point = sequence.point().unwrap();
                point.lower <= chance && chance <= point.upper
            });
            failed += usize::from(!held);
        }
        assert!(failed <= 5, "{failed} of 100 runs with {chance}");
    }
}

#[test]
fn activation_is_the_first_moment_with_a_lower_bound_above_zero() {
    let mut random = SplitMix::new(23);
    let mut sequence = ConfidenceSequence::of_loss_differences();
    let mut first = None;
    for i in 0..2_000 {
        sequence.feed(Ts(i), 0.1 + 0.8 * (random.unit() - 0.5));
        let point = sequence.point().unwrap();
        if first.is_none() && point.lower > 0.0 {
            first = Some((Ts(i), point.n, point.lower));
        }
    }
    let activation = sequence.activation().unwrap();
    assert_eq!(first, Some((activation.at, activation.n, activation.lower)));
    assert!(sequence.point().unwrap().lower > activation.lower);
    // Saved and restored it goes on as if nothing had been.
    let restored: ConfidenceSequence = serde_json::from_str(&serde_json::to_string(&sequence).unwrap()).unwrap();
    assert_eq!(restored, sequence);
}
