//! One market's models over seeded hours: causal, restorable, fitted on the past only, on their own hour of the week.

use super::Random;
use barograph_domain::math::exp;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::models::fitting::{FIRST_FIT_H, REFIT_H, WINDOW_H, run};
use barograph_engine::models::{ClassifierReading, HourReadings, MarketModels, ModelUpdate};

const START: i64 = 480_000;

fn name(symbol: &str) -> InstrumentName {
    InstrumentName::parse(&format!("binance-usdm:{symbol}")).unwrap()
}

/// Hours of a market that is calm, usual or wild for days at a time; every 50th hour lacks its volatility, and two days are
/// missing altogether.
fn hours(seed: u64, n: i64) -> Vec<(i64, HourReadings)> {
    let mut random = Random(seed);
    let (mut price, mut level) = (100.0, 0.3);
    let mut out = Vec::new();
    for h in 0..n {
        if random.unit() < 0.02 {
            let u = random.unit();
            level = if u < 0.34 {
                0.2
            } else if u < 0.67 {
                0.5
            } else {
                1.5
            };
        }
        let rv_1h = level * exp(0.25 * random.normal());
        price *= exp(rv_1h / 8_760.0_f64.sqrt() * random.normal());
        if (800..848).contains(&h) {
            continue;
        }
        let readings = HourReadings { price: Some(price), rv_1h: (h % 50 != 49).then_some(rv_1h), rv_24h: Some(level) };
        out.push((START + h, readings));
    }
    out
}

/// Feeds hours; a fit enters `delay` hours after it was asked for. What was said after each hour, and the fits.
fn live(
    models: &mut MarketModels,
    hours: &[(i64, HourReadings)],
    delay: i64,
) -> (Vec<[ClassifierReading; 2]>, Vec<ModelUpdate>) {
    let (mut said, mut fits, mut coming) = (Vec::new(), Vec::new(), Vec::new());
    for (hour, readings) in hours {
        let due = models.hour(*hour, readings);
        assert!(models.awaits() || !due);
        if due {
            let request = models.wanted().unwrap();
            assert_eq!((request.cut_off, request.window.len() <= WINDOW_H), (*hour, true));
            coming.push((*hour + delay, run(&request)));
        }
        if coming.first().is_some_and(|(at, _)| at <= hour) {
            let (_, result) = coming.remove(0);
            let now = Ts(0) + Span::hours(*hour);
            assert!(result.fitted_until <= now - Span::hours(delay));
            models.enter(now, result.clone()).unwrap();
            assert!(!models.awaits());
            fits.push(result);
        }
        said.push(models.readings());
    }
    (said, fits)
}

#[test]
fn later_hours_never_change_what_was_said() {
    let hours = hours(1, 1_400);
    let (full, fits) = live(&mut MarketModels::new(name("BTCUSDT")), &hours, 1);
    assert!(fits.len() >= 4, "{} fits", fits.len());
    for cut in [730, 900, 1_300] {
        // Another future from the cut on.
        let mut other = hours[..cut].to_vec();
        other.extend(hours[cut..].iter().map(|(h, r)| (*h, HourReadings { price: r.price.map(|p| p * 2.0), ..*r })));
        let (said, _) = live(&mut MarketModels::new(name("BTCUSDT")), &other, 1);
        assert_eq!(said[..cut], full[..cut], "cut at {cut}");
        assert_ne!(said[cut..], full[cut..], "another future is seen once it is there");
    }
}

#[test]
fn restored_models_go_on_with_the_same_words_and_bits() {
    let hours = hours(2, 1_100);
    let (full, _) = live(&mut MarketModels::new(name("ETHUSDT")), &hours, 0);
    for cut in [0, 1, 500, 720, 760, 820, 1_000] {
        let mut models = MarketModels::new(name("ETHUSDT"));
        let (mut said, _) = live(&mut models, &hours[..cut], 0);
        let bytes = postcard::to_allocvec(&models).unwrap();
        let mut restored: MarketModels = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_allocvec(&restored).unwrap(), bytes);
        said.extend(live(&mut restored, &hours[cut..], 0).0);
        assert_eq!(said, full, "cut at {cut}");
    }
}

#[test]
fn fits_come_after_a_month_and_then_weekly_at_the_market_s_own_hour() {
    let mut slots = Vec::new();
    for symbol in ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"] {
        let (said, fits) = live(&mut MarketModels::new(name(symbol)), &hours(3, 1_500), 2);
        let cut_offs: Vec<i64> = fits.iter().map(|f| f.fitted_until.0 / Span::hours(1).0).collect();
        let first = &fits[0].outcome.as_ref().unwrap();
        assert_eq!(first.observations as usize, FIRST_FIT_H, "{symbol}");
        let slot = cut_offs.last().unwrap().rem_euclid(REFIT_H);
        // An hour that fell into the hole is made up for at its end.
        let made_up = |c: i64| c == START + 848 && cut_offs.contains(&(c + 1 + (slot - c - 1).rem_euclid(REFIT_H)));
        assert!(cut_offs[1..].iter().all(|c| c.rem_euclid(REFIT_H) == slot || made_up(*c)), "{symbol}: {cut_offs:?}");
        assert!(cut_offs.windows(2).all(|w| w[1] - w[0] <= REFIT_H + 48), "{symbol}: {cut_offs:?}");
        slots.push(slot);
        let begins = said.iter().position(|s| s[0].verdict.is_some()).unwrap();
        let warming = &said[begins - 1][0];
        assert!(warming.verdict.is_none() && warming.need as usize == FIRST_FIT_H);
        for [hidden, change] in &said[begins..] {
            let verdict = hidden.verdict.as_ref().unwrap();
            assert!(["LOW", "MID", "HIGH"].contains(&&*verdict.label) && verdict.expected_remaining.is_some());
            assert!((verdict.probabilities.iter().map(|(_, p)| p).sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(verdict.probability().unwrap() >= 1.0 / 3.0 - 1e-9);
            assert_eq!(hidden.digest.as_ref().map(String::len), Some(12));
            let recent = change.verdict.as_ref().unwrap().recent_change.unwrap();
            assert!((0.0..=1.0).contains(&recent));
        }
        // States stand in order of their volatility.
        let means = fits.last().unwrap().outcome.as_ref().unwrap().params.means().to_vec();
        assert!(means[0] < means[2] && means[2] < means[4], "{means:?}");
    }
    slots.dedup();
    assert!(slots.len() > 1, "markets ask at different hours: {slots:?}");
}

#[test]
fn a_model_from_the_future_or_of_another_market_is_refused_and_an_older_one_passed_over() {
    let hours = hours(5, 1_200);
    let mut models = MarketModels::new(name("BTCUSDT"));
    let (_, fits) = live(&mut models, &hours, 0);
    let now = Ts(0) + Span::hours(hours.last().unwrap().0);
    let before = models.clone();
    let ahead = ModelUpdate { fitted_until: now + Span::hours(1), ..fits[0].clone() };
    assert!(models.enter(now, ahead).unwrap_err().contains("cannot be known"));
    let other = ModelUpdate { instrument: name("ETHUSDT"), ..fits[0].clone() };
    assert!(models.enter(now, other).unwrap_err().contains("ETHUSDT"));
    models.enter(now, fits[0].clone()).unwrap();
    let failed = ModelUpdate { outcome: Err("flat".to_owned()), fitted_until: now, ..fits[0].clone() };
    models.enter(now, failed).unwrap();
    assert_eq!(models, before, "the model in force stays");
    assert!(models.ahead(4).is_some_and(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
}

#[test]
fn the_same_hours_fit_the_same_bits_and_a_journalled_result_comes_back_whole() {
    let mut models = MarketModels::new(name("BTCUSDT"));
    let (_, fits) = live(&mut models, &hours(6, 1_000), 0);
    let (_, again) = live(&mut MarketModels::new(name("BTCUSDT")), &hours(6, 1_000), 0);
    assert_eq!(fits, again);
    for fit in &fits {
        let text = serde_json::to_string(fit).unwrap();
        assert_eq!(&serde_json::from_str::<ModelUpdate>(&text).unwrap(), fit);
        // A damaged one is refused rather than run with.
        let broken = text.replacen("\"transition\":[", "\"transition\":[7.0,", 1);
        assert!(serde_json::from_str::<ModelUpdate>(&broken).is_err());
    }
}

#[test]
fn hours_that_were_passed_over_are_missing_ones_and_old_ones_leave() {
    let hours = hours(7, 1_000);
    let mut models = MarketModels::new(name("BTCUSDT"));
    live(&mut models, &hours, 0);
    let last = hours.last().unwrap().0;
    let mut step_by_step = models.clone();
    for h in last + 1..last + 30 {
        step_by_step.hour(h, &HourReadings::default());
    }
    models.hour(last + 29, &HourReadings::default());
    assert_eq!(models.readings(), step_by_step.readings());
    let size = |m: &MarketModels| postcard::to_allocvec(m).unwrap().len();
    assert!(size(&models) < 60_000, "{}", size(&models));
    // A year later nothing of it is left but the model.
    models.hour(last + 8_760, &HourReadings::default());
    assert_eq!(models.readings()[0].have, 0);
    assert!(!models.hour(last, &hours[3].1), "an hour that was told is not told again");
}
