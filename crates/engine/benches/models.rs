//! Statistical regimes: one hour of both classifiers, and one fit of 180 days of hours. Neither is on the path of a minute:
//! an hour comes once an hour, a fit once a week on a thread of its own.
//!
//! Prints `figure <name> <number>` lines; medians over runs.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

use barograph_domain::math::exp;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::models::fitting::{WINDOW_H, run};
use barograph_engine::models::{HourReadings, MarketModels};
use std::time::Instant;

fn main() {
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}"));
    let mut models = MarketModels::new(name);
    let (mut hours, mut fits) = (Vec::new(), Vec::new());
    let (mut seed, mut price, mut level) = (7_u64, 100.0, 0.3);
    let mut unit = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(seed >> 32).unwrap_or(0)) / 4_294_967_296.0
    };
    for hour in 1..=i64::try_from(WINDOW_H).unwrap_or(0) + 500 {
        if unit() < 0.02 {
            level = if unit() < 0.5 { 0.2 } else { 0.8 };
        }
        let rv = level * exp(unit() + unit() - 1.0);
        price *= exp(rv / 93.6 * (unit() + unit() + unit() - 1.5) * 2.0);
        let readings = HourReadings { price: Some(price), rv_1h: Some(rv), rv_24h: Some(level) };
        let began = Instant::now();
        let due = models.hour(480_000 + hour, &readings);
        hours.push(began.elapsed().as_secs_f64() * 1e6);
        if due && let Some(request) = models.wanted() {
            let began = Instant::now();
            let result = run(&request);
            fits.push(began.elapsed().as_secs_f64() * 1e3);
            let now = Ts(0) + Span::hours(480_000 + hour);
            models.enter(now, result).unwrap_or_else(|e| panic!("{e}"));
        }
    }
    let tail = hours.split_off(hours.len() - 500);
    println!("figure models_hour_us {:.1}", median(tail));
    println!("figure models_fit_180d_ms {:.0}", fits.last().copied().unwrap_or(f64::NAN));
    println!("figure models_fit_30d_ms {:.0}", fits.first().copied().unwrap_or(f64::NAN));
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
