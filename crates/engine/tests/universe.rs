//! What the universe owes (features §10): the order of markets leaves no trace, later samples never change earlier rows, saving
//! and splitting change nothing; and a seeded world in which one asset leads is found out.

use crate::universe_common;
use barograph_domain::math::exp;
use barograph_domain::universe::{BandSource, PairState, UniverseRow, WeightsFrom};
use barograph_domain::{RiskRegime, Span, Ts, VolRegime};
use barograph_engine::universe::{Asset, PairRule, Universe, UniverseSample, portfolio};
use universe_common::{Random, hour, minute, sample, watch};

const ASSETS: [&str; 3] = ["BTC", "ETH", "SOL"];

/// Minutes of three markets in which ETH follows BTC by three minutes and SOL goes its own way; some minutes are missing, and
/// one sample in 400 is known too late.
fn following(seed: u64, days: i64) -> Vec<UniverseSample> {
    let mut r = Random(seed);
    let mut past = [0.0; 4];
    let mut prices = [100.0, 50.0, 20.0];
    let mut samples = Vec::new();
    for m in 1..=days * 1_440 {
        past.rotate_right(1);
        past[0] = r.normal();
        let moves = [past[0], 0.6 * past[3] + 0.8 * r.normal(), r.normal()];
        for (market, price) in prices.iter_mut().enumerate() {
            *price *= exp(0.0005 * moves[market]);
            let mut s = sample(market, minute(m), *price);
            if r.unit() < 0.01 {
                s.price = None;
            }
            if r.unit() < 0.0025 {
                s.known_ts = s.ts + Span::mins(3);
            }
            samples.push(s);
        }
    }
    samples
}

/// Hours of three markets that share most of their moves; now and then SOL turns against the others.
fn hours_of(seed: u64, days: i64) -> Vec<UniverseSample> {
    let mut r = Random(seed);
    let mut prices = [100.0, 50.0, 20.0];
    let mut samples = Vec::new();
    for h in 1..=days * 24 {
        let common = r.normal();
        let against = if h / 100 % 17 == 16 { -1.0 } else { 1.0 };
        for (market, price) in prices.iter_mut().enumerate() {
            let sign = if market == 2 { against } else { 1.0 };
            *price *= exp(0.005 * (0.9 * sign * common + 0.4 * r.normal()));
            let mut s = sample(market, hour(h), *price);
            if r.unit() < 0.005 {
                s.price = None;
            }
            samples.push(s);
        }
    }
    samples
}

fn run(universe: &mut Universe, samples: &[UniverseSample]) -> Vec<UniverseRow> {
    let mut rows: Vec<UniverseRow> = samples.iter().filter_map(|s| universe.push(*s)).collect();
    rows.extend(universe.close());
    rows
}

fn fresh(rule: PairRule) -> Universe {
    Universe::new(watch(&ASSETS), rule)
}

fn worlds() -> [(&'static str, Vec<UniverseSample>); 2] {
    [("minutes", following(7, 4)), ("hours", hours_of(11, 230))]
}

/// Puts the samples of each minute into another order.
fn shuffled(samples: &[UniverseSample], seed: u64) -> Vec<UniverseSample> {
    let mut r = Random(seed);
    let mut keyed: Vec<(Ts, u64, UniverseSample)> = samples.iter().map(|s| (s.ts, r.next(), *s)).collect();
    keyed.sort_by_key(|(ts, k, _)| (*ts, *k));
    keyed.into_iter().map(|(.., s)| s).collect()
}

#[test]
fn the_order_of_markets_leaves_no_trace() {
    for (name, samples) in worlds() {
        let rows = run(&mut fresh(PairRule::Default), &samples);
        for seed in 0..3 {
            assert!(run(&mut fresh(PairRule::Default), &shuffled(&samples, seed)) == rows, "{name}");
        }
    }
    let reversed: Vec<_> = ASSETS.iter().rev().copied().collect();
    assert_eq!(Universe::new(watch(&reversed), PairRule::Seed).watch(), fresh(PairRule::Seed).watch());
}

#[test]
fn later_samples_never_change_earlier_rows() {
    for (name, samples) in worlds() {
        let rows = run(&mut fresh(PairRule::Default), &samples);
        for part in [samples.len() / 3, samples.len() * 2 / 3] {
            let short = run(&mut fresh(PairRule::Default), &samples[..part / 3 * 3]);
            assert!(short.len() > 10 && short[..] == rows[..short.len()], "{name}");
        }
    }
}

#[test]
fn saved_and_restored_at_any_moment_it_goes_on_as_if_it_had_not_stopped() {
    for (name, samples) in worlds() {
        let rows = run(&mut fresh(PairRule::Default), &samples);
        let mut r = Random(5);
        for _ in 0..6 {
            let cut = usize::try_from(r.next() % u64::try_from(samples.len()).unwrap()).unwrap();
            let mut first = fresh(PairRule::Default);
            let mut made: Vec<UniverseRow> = samples[..cut].iter().filter_map(|s| first.push(*s)).collect();
            let bytes = first.save();
            drop(first);
            let mut second = Universe::restore(watch(&ASSETS), PairRule::Default, &bytes).unwrap();
            assert_eq!(second.save(), bytes, "{name}: saving again gives the same bytes");
            made.extend(run(&mut second, &samples[cut..]));
            let differs = made.iter().zip(&rows).position(|(a, b)| a != b);
            assert_eq!((made.len(), differs), (rows.len(), None), "{name} cut at {cut}");
        }
        assert!(Universe::restore(watch(&ASSETS), PairRule::Seed, &fresh(PairRule::Default).save()).is_err());
        assert!(Universe::restore(watch(&["BTC"]), PairRule::Seed, &fresh(PairRule::Seed).save()).is_err());
        assert!(Universe::restore(watch(&ASSETS), PairRule::Seed, &fresh(PairRule::Seed).save()[..40]).is_err());
    }
}

#[test]
fn any_start_gives_the_same_correlations_once_windows_are_full() {
    let samples = hours_of(3, 60);
    let long = run(&mut fresh(PairRule::Seed), &samples);
    let later = run(&mut fresh(PairRule::Seed), &samples[17 * 3..]);
    let mut compared = 0;
    for (a, b) in long[17..].iter().zip(&later) {
        assert_eq!(a.ts, b.ts);
        for (p, q) in a.pairs.iter().zip(&b.pairs) {
            for (x, y) in [(p.corr_20, q.corr_20), (p.corr_30d, q.corr_30d)] {
                if let (Some(vx), Some(vy), false) = (x.value, y.value, y.partial) {
                    assert_eq!(vx.to_bits(), vy.to_bits(), "at {}", a.ts);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 4_000, "{compared}");
}

#[test]
fn who_leads_is_found_and_who_does_not_is_not() {
    let mut universe = fresh(PairRule::Default);
    let rows = run(&mut universe, &following(42, 4));
    assert!(universe.late() > 0, "the world has late samples");
    let early = &rows[22];
    assert!(early.pairs.iter().all(|p| p.lead.significant.is_none()), "one window proves nothing");
    let last = rows.last().unwrap();
    let (eth, sol) = (&last.pairs[0].lead, &last.pairs[1].lead);
    let best = eth.best.unwrap();
    assert_eq!((best.lag, eth.significant), (3, Some(true)));
    assert!((best.rho - 0.6).abs() < 0.05 && best.t > 20.0, "{best:?}");
    assert!(eth.ratio.value.unwrap() > 10.0 && eth.xcorr.len() == 21);
    assert_eq!(last.leading, Some(0));
    assert!(last.markets[0].lead_score > last.markets[1].lead_score);
    // Of independent markets, 5 % at most pass one window; two windows must agree on the sign as well.
    let hours: Vec<bool> = rows.iter().filter_map(|r| r.pairs[1].lead.significant).collect();
    assert!(hours.len() > 40 && hours.iter().filter(|s| **s).count() * 10 <= hours.len(), "{sol:?}");
}

#[test]
fn a_sample_known_too_late_counts_for_later_hours_only() {
    let samples = hours_of(9, 40);
    let base = run(&mut fresh(PairRule::Seed), &samples);
    let late_at = 500;
    let mut late = samples.clone();
    let place = late.iter().position(|s| s.market == 0 && s.ts == hour(late_at)).unwrap();
    late[place].known_ts = late[place].ts + Span::secs(1);
    let mut universe = fresh(PairRule::Seed);
    let rows = run(&mut universe, &late);
    assert_eq!(universe.late(), 1);
    let at = |rows: &[UniverseRow], h: i64| rows.iter().find(|r| r.ts == hour(h)).unwrap().clone();
    assert_eq!(at(&rows, late_at - 1), at(&base, late_at - 1));
    let (now, then) = (at(&rows, late_at), at(&base, late_at));
    assert_eq!(now.markets[0].price, None);
    assert_eq!(now.pairs[0].corr_20.n + 1, then.pairs[0].corr_20.n);
    assert_eq!(at(&rows, late_at + 1).pairs[0].corr_20, at(&base, late_at + 1).pairs[0].corr_20);
    // What comes for a minute that is over changes nothing made either.
    let mut over = fresh(PairRule::Seed);
    let mut made: Vec<UniverseRow> = Vec::new();
    for s in &samples {
        made.extend(over.push(*s));
        if s.ts == hour(late_at) && s.market == 2 {
            made.extend(over.push(UniverseSample { price: Some(1.0), ..sample(0, hour(late_at - 30), 1.0) }));
        }
    }
    made.extend(over.close());
    assert!(made == base && over.late() == 1);
}

#[test]
fn fetched_history_fills_the_windows_of_rows_to_come() {
    let samples = hours_of(21, 200);
    let whole = run(&mut fresh(PairRule::Default), &samples);
    let cut = 190 * 24;
    let (past, live) = samples.split_at(cut * 3);
    let mut universe = fresh(PairRule::Default);
    // One live hour, so that the rings have begun; then the past arrives.
    let mut rows: Vec<UniverseRow> = live[..4].iter().filter_map(|s| universe.push(*s)).collect();
    for market in 0..3 {
        let own = past.iter().filter(|s| s.market == market);
        let hours: Vec<(Ts, f64)> = own.filter_map(|s| Some((s.ts, s.price?))).collect();
        universe.remember(market, &hours);
    }
    rows.extend(run(&mut universe, &live[4..]));
    assert_eq!(rows[0].pairs[0].corr_20.value, None, "made before the past was known");
    let (got, want) = (&rows[40], &whole[cut + 40]);
    assert_eq!(got.ts, want.ts);
    for (p, q) in got.pairs.iter().zip(&want.pairs) {
        assert_eq!((p.corr_20, p.corr_30d), (q.corr_20, q.corr_30d));
        assert_eq!(p.corr_20_pct_180d, q.corr_20_pct_180d);
        assert!(p.corr_20_pct_180d.value.is_some());
    }
}

#[test]
fn pairs_without_a_stated_band_take_their_own_once_a_day() {
    let mut universe = Universe::new(watch(&["BTC", "XRP", "ADA"]), PairRule::Default);
    let rows = run(&mut universe, &hours_of(17, 200));
    let pair = |r: &UniverseRow| r.pairs[0].clone();
    assert_eq!(pair(&rows[1_000]).band, None);
    assert_eq!((pair(&rows[1_000]).state, pair(&rows[1_000]).corr_20.value.is_some()), (None, true));
    let bands: Vec<_> = rows.iter().filter_map(|r| Some((r.ts, pair(r).band?))).collect();
    assert!(bands.len() > 2_000 && bands.iter().all(|(_, b)| b.source == BandSource::History && b.low < b.high));
    let changes: Vec<Ts> = bands.windows(2).filter(|w| w[0].1 != w[1].1).map(|w| w[1].0).collect();
    assert!(changes.len() > 50 && changes.iter().all(|t| t.0 % Span::days(1).0 == 0), "once a day, at midnight");
    // SOL's stand-in turns against the others now and then: both kinds of state are met, and counted.
    let last = rows.last().unwrap();
    let held = last.pairs[1].held_90d;
    assert!(held.watch > 0 && held.broken > 0 && held.normal > held.watch, "{held:?}");
    assert_eq!(held.known, held.normal + held.watch + held.broken);
    let counted = rows[rows.len() - 2_160..].iter().filter(|r| r.pairs[1].state == Some(PairState::Break)).count();
    assert_eq!(held.broken as usize, counted);
}

#[test]
fn a_portfolio_takes_the_most_severe_label_that_weighs_enough() {
    let mut universe = fresh(PairRule::Seed);
    let rows = run(&mut universe, &hours_of(23, 40));
    let row = rows.last().unwrap();
    let asset = |market: usize, notional: f64, risk: RiskRegime, volatility: VolRegime| Asset {
        market,
        notional,
        risk,
        volatility,
    };
    let (calm, high) = (VolRegime::HighVol, VolRegime::Explosive);
    use RiskRegime::{ChopRisk, HighVol, Normal, SqueezeRisk, Unknown};
    let cases = [
        ([(50.0, Normal, calm), (20.0, SqueezeRisk, calm), (30.0, ChopRisk, calm)], ChopRisk, false),
        ([(40.0, Normal, calm), (30.0, SqueezeRisk, calm), (30.0, ChopRisk, calm)], SqueezeRisk, false),
        ([(-30.0, SqueezeRisk, calm), (40.0, Normal, calm), (30.0, ChopRisk, calm)], SqueezeRisk, false),
        ([(75.0, Normal, calm), (12.5, SqueezeRisk, calm), (12.5, ChopRisk, calm)], Normal, false),
        ([(51.0, Unknown, calm), (0.0, Normal, calm), (49.0, ChopRisk, calm)], Unknown, false),
        ([(90.0, Normal, calm), (5.0, HighVol, calm), (5.0, Normal, high)], HighVol, true),
    ];
    for (positions, regime, systemic) in cases {
        let basket: Vec<Asset> = (0..).zip(positions).map(|(m, (n, r, v))| asset(m, n, r, v)).collect();
        let got = portfolio(row, &basket);
        assert_eq!((got.regime, got.systemic), (regime, systemic), "{positions:?}");
        let total: f64 = got.shares.iter().map(|s| s.share).sum();
        assert!((total - 1.0).abs() < 1e-12);
    }
    let equal = portfolio(row, &[]);
    assert_eq!((equal.weights_from, equal.weights.len()), (WeightsFrom::Equal, 3));
    assert!(equal.diversification_ratio.unwrap() >= 1.0);
    let long = portfolio(row, &[asset(0, 1.0, Normal, calm), asset(1, 1.0, Normal, calm)]);
    let hedged = portfolio(row, &[asset(0, 1.0, Normal, calm), asset(1, -1.0, Normal, calm)]);
    assert!(hedged.vol_annual.value.unwrap() < 0.6 * long.vol_annual.value.unwrap());
    assert!(hedged.overlaps.is_empty());
}

#[test]
fn a_pair_without_a_correlation_counts_as_one_and_overlap_is_named() {
    let mut universe = fresh(PairRule::Seed);
    let mut price = 100.0;
    let mut rows = Vec::new();
    let mut r = Random(4);
    for h in 1..=30 {
        price *= exp(0.01 * r.normal());
        for market in 0..3 {
            rows.extend(universe.push(sample(market, hour(h), price)));
        }
    }
    let row = rows.last().unwrap();
    assert_eq!(row.pairs[0].exposure_overlap, Some(true));
    let all = portfolio(row, &[]);
    assert_eq!((all.assumed_pairs, all.overlaps.len()), (3, 3));
    assert!((all.vol_annual.value.unwrap() - 0.5).abs() < 1e-12 && all.vol_annual.partial);
    assert!(all.advice.iter().any(|l| l.contains("BTC/ETH moved as one")), "{:?}", all.advice);
    let held = Asset { market: 0, notional: 5.0, risk: RiskRegime::Normal, volatility: VolRegime::Stable };
    let two = portfolio(row, &[held.clone(), Asset { market: 2, ..held }]);
    assert!(two.advice.iter().any(|l| l.contains("reducing total exposure")), "{:?}", two.advice);
}
