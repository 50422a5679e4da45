//! Every worked example of the specification of advice, to the printed digits, and the golden vectors of Kelly and Wilson
//! (risk §9, `testdata/golden`).

use crate::advice_common;
use advice_common::{NOW, ask, calm, level, long, new_york, printed, session, short, squeeze, trend};
use barograph_domain::advice::{Missing, ReasonCode, SizeLimit, TargetSource, Verdict};
use barograph_domain::{Level, LevelType, Side, Span, TradingSession, TrendRegime, VolRegime};
use barograph_engine::advice::{
    AdviceContext, CallerLimits, Costs, Intent, Kelly, OperatorSettings, Parameters, StopMode, Trades, advise,
    expected_value, kelly_fraction, parameters, position_size, risk_fraction, wilson,
};
use barograph_engine::rules::RuleBook;
use barograph_testkit::{GoldenRow, GoldenTable};

#[test]
fn one_and_twelve_the_multiplier_of_the_session() {
    let none = OperatorSettings::default();
    let of = |s| {
        let c = barograph_engine::advice::AdviceContext { session: Some(s), ..calm(&[]) };
        parameters(Some(&c), Side::Long, &none).stop_loss_atr_mult
    };
    printed(Some(of(new_york())), 2.079, 1e-9, "example 1");
    // Example 12 is 1.0 · 0.6 · 0.825 = 0.495 before the clamp.
    printed(Some(of(session(TradingSession::Asian, 0.495))), 0.5, 1e-12, "example 12");
    printed(Some(of(session(TradingSession::Rollover, 7.0))), 4.0, 1e-12, "upper clamp");
    let wide = OperatorSettings { stop_uses_vol_multiplier: true, ..none };
    let c = barograph_engine::advice::AdviceContext { volatility: VolRegime::Explosive, ..calm(&[]) };
    printed(Some(parameters(Some(&c), Side::Long, &wide).stop_loss_atr_mult), 2.079 * 1.8, 1e-9, "by volatility");
}

#[test]
fn two_to_four_stop_and_target() {
    let plain = ask(&calm(&[]), &long(50_000.0));
    printed(plain.stop.used, 49_168.4, 1e-9, "stop");
    printed(plain.stop.r, 831.6, 1e-9, "R");
    printed(plain.target.price, 52_079.0, 1e-9, "ratio target");
    assert_eq!(plain.target.source, Some(TargetSource::Ratio));

    let levels = [level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.6)];
    let before = ask(&calm(&levels), &long(50_000.0));
    printed(before.target.price, 51_860.0, 1e-9, "liquidity target");
    printed(before.target.effective_rr, 2.237, 1e-3, "effective R");
    assert_eq!((before.target.source, before.target.level), (Some(TargetSource::Liquidity), Some(0)));
}

#[test]
fn targets_that_do_not_count() {
    let weak = level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.29);
    let near = level(LevelType::EqualHighs, 50_800.0, 50_820.0, 0.9);
    let far = level(LevelType::EqualHighs, 53_200.0, 53_300.0, 0.9);
    let gap = level(LevelType::BearishFvg, 51_900.0, 51_950.0, 0.9);
    let mut late = level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.9);
    late.known_at = NOW + Span::mins(1);
    let mut done = level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.9);
    done.mitigated_at = Some(NOW);
    for (what, l) in [("weak", weak), ("near", near), ("far", far), ("gap", gap), ("late", late), ("done", done)] {
        let levels = [l];
        assert_eq!(ask(&calm(&levels), &long(50_000.0)).target.source, Some(TargetSource::Ratio), "{what}");
    }
    // A trend of 4.0 wants 3,326: a level at 1,500 would offer 1.8 of it, less than half.
    let low = [level(LevelType::EqualHighs, 51_500.0, 51_550.0, 0.9)];
    let strong = AdviceContext { trend: Some(trend(TrendRegime::StrongUptrend, true, 1.0)), ..calm(&low) };
    let a = ask(&strong, &long(50_000.0));
    assert_eq!((a.parameters.risk_reward_ratio, a.target.source), (4.0, Some(TargetSource::Ratio)));
    printed(a.target.effective_rr, 4.0, 1e-9, "the ratio itself");
    // A stop of the caller's so wide that ten ATR are less than half the ratio: the limit gives way.
    let wide = Intent { stop: Some(50_000.0 - 8.0 * 400.0), ..long(50_000.0) };
    let a = ask(&strong, &wide);
    printed(a.target.effective_rr, 2.0, 1e-9, "half of four");
    // Of two equally far from the wanted 2,079 the nearer one.
    let two =
        [level(LevelType::VolumeNode, 52_279.0, 52_290.0, 0.9), level(LevelType::SessionHigh, 51_879.0, 51_890.0, 0.5)];
    assert_eq!(ask(&calm(&two), &long(50_000.0)).target.level, Some(1));
}

#[test]
fn five_a_stop_on_a_cluster_and_beyond_it() {
    let levels = [level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5)];
    let a = ask(&calm(&levels), &long(50_000.0));
    printed(a.stop.used, 49_168.4, 1e-9, "the stop stays");
    printed(a.stop.alternative, 49_110.0, 1e-9, "alternative");
    assert_eq!(a.stop.on_level, Some(0));
    let beyond = OperatorSettings { stop_mode: StopMode::BeyondCluster, ..OperatorSettings::default() };
    let b = advise(Some(&calm(&levels)), &long(50_000.0), &beyond).unwrap();
    printed(b.stop.used, 49_110.0, 1e-9, "by mode");
    assert_eq!((b.stop.source, b.stop.on_level), (Some("beyond_cluster"), None));
    // The user's own stop is judged by the same rule and never replaced.
    let own = Intent { stop: Some(49_140.0), ..long(50_000.0) };
    let c = advise(Some(&calm(&levels)), &own, &beyond).unwrap();
    printed(c.stop.used, 49_140.0, 1e-9, "own stop");
    assert_eq!((c.stop.source, c.stop.on_level), (Some("user"), Some(0)));
}

#[test]
fn clusters_that_touch_are_one_and_far_ones_have_no_way_around() {
    let chain =
        [level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5), level(LevelType::SwingLow, 49_060.0, 49_120.0, 0.9)];
    let a = ask(&calm(&chain), &long(50_000.0));
    assert_eq!(a.stop.on_level, Some(0), "the second is 48 away from the stop");
    printed(a.stop.alternative, 49_020.0, 1e-9, "beyond both");
    let deep = [level(LevelType::LiquidationZone, 48_000.0, 49_180.0, 0.5)];
    assert_eq!(ask(&calm(&deep), &long(50_000.0)).stop.on_level, None, "nobody's zone");
    let mut of_longs = deep[0].clone();
    of_longs.side = Some(Side::Long);
    let deep = [of_longs];
    let b = ask(&calm(&deep), &long(50_000.0));
    assert_eq!((b.stop.alternative, b.stop.alternative_missing), (None, Some(Missing::TooFar)));
    // A short's stop lies above, on highs.
    let highs = [level(LevelType::EqualHighs, 50_820.0, 50_850.0, 0.5)];
    let c = ask(&calm(&highs), &short(50_000.0));
    printed(c.stop.used, 50_831.6, 1e-9, "short");
    printed(c.stop.alternative, 50_890.0, 1e-9, "above the highs");
    assert_eq!(ask(&calm(&highs), &long(50_000.0)).stop.on_level, None);
}

/// A level gathers stops from the book's strength on: below it there is no cluster, neither under the stop nor beyond it.
#[test]
fn only_strong_levels_are_clusters() {
    let table = RuleBook::shipped("default").unwrap().verdict;
    let of = |levels: &[Level]| ask(&AdviceContext { verdict: &table, ..calm(levels) }, &long(50_000.0));
    let weakest = table.cluster_strength;
    assert!((0.1..0.9).contains(&weakest), "{weakest}");
    for (strength, hit) in [(weakest - 1e-9, false), (weakest, true), (weakest + 1e-9, true)] {
        let levels = [level(LevelType::EqualLows, 49_150.0, 49_180.0, strength)];
        let a = of(&levels);
        assert_eq!((a.stop.on_level.is_some(), a.stop.alternative.is_some()), (hit, hit), "{strength}");
        assert_eq!(a.judgement.reasons.has(ReasonCode::StopCluster), hit, "{strength}");
        assert!(a.stop.clusters_known, "known to be none is known");
        // The originals' table takes any level for one.
        assert_eq!(ask(&calm(&levels), &long(50_000.0)).stop.on_level, Some(0), "{strength}");
        // A weak level behind a strong one is nothing to go around.
        let chain = [
            level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5),
            level(LevelType::SwingLow, 49_060.0, 49_120.0, strength),
        ];
        printed(of(&chain).stop.alternative, if hit { 49_020.0 } else { 49_110.0 }, 1e-9, "beyond");
    }
}

/// A quiet session would place the stop at half an ATR: the default book goes no nearer than the plain one, the others do.
#[test]
fn no_computed_stop_of_the_default_book_is_nearer_than_the_plain_one() {
    let table = RuleBook::shipped("default").unwrap().verdict;
    for (mult, least, seed) in [(0.5, 1.5, 0.5), (1.49, 1.5, 1.49), (2.079, 2.079, 2.079), (4.5, 4.0, 4.0)] {
        let of = |table| {
            let session = Some(session(TradingSession::Asian, mult));
            ask(&AdviceContext { verdict: table, session, ..calm(&[]) }, &long(50_000.0))
        };
        for (table, want) in [(&table, least), (&barograph_engine::rules::VerdictTable::SEED, seed)] {
            let a = of(table);
            printed(Some(a.parameters.stop_loss_atr_mult), want, 1e-12, "multiplier");
            printed(a.stop.used, 50_000.0 - want * 400.0, 1e-9, "stop");
            assert_eq!(a.parameters.mult_fallback, None, "no fallback: the session is known");
        }
    }
}

#[test]
fn six_to_nine_size() {
    let record = Trades { wins: 110, n: 200, average_win: 1.5, average_loss: 1.0 };
    let k = Kelly::of(Some(record));
    printed(k.full, 0.25, 1e-9, "f*");
    printed(k.p_used, 0.49185, 1e-5, "Wilson");
    printed(kelly_fraction(k.p_used.unwrap(), 1.5), 0.15309, 1e-5, "f* at the bound");
    printed(k.fraction, 0.03827, 1e-5, "a quarter");

    let intent = Intent {
        equity: Some(10_000.0),
        costs: Costs { taker_fee: 0.0005, half_spread: 0.5 },
        trades: Some(record),
        ..long(50_000.0)
    };
    let with = |mut c: barograph_engine::advice::AdviceContext<'static>, v| {
        c.volatility = v;
        ask(&c, &intent)
    };
    let seven = with(calm(&[]), VolRegime::HighVol);
    let fraction = seven.size.fraction.unwrap();
    printed(Some(fraction.value), 0.008_333, 1e-6, "share");
    assert_eq!(fraction.limit, SizeLimit::OnePercent, "example 6: capped");
    printed(Some(seven.size.cost_per_unit), 50.5, 1e-9, "cost");
    let units = seven.size.units.unwrap();
    printed(Some(units.budget), 83.33, 1e-2, "risk");
    printed(Some(units.size), 0.094_47, 1e-5, "units");

    let eight = with(squeeze(&[], Side::Short), VolRegime::HighVol);
    printed(eight.size.fraction.map(|f| f.value), 0.004_167, 1e-6, "share");
    printed(eight.size.units.map(|u| u.size), 0.047_24, 1e-5, "units");

    let nine = with(calm(&[]), VolRegime::Extreme);
    printed(Some(nine.parameters.size_factor), 0.4, 1e-12, "size factor");
    assert_eq!(nine.should_trade(), (false, "extreme_volatility"));
    assert_eq!(nine.judgement.verdict, Verdict::Avoid);
    printed(nine.stop.used, 49_168.4, 1e-9, "parameters still returned");
    assert!(nine.target.price.is_some() && nine.size.units.is_some());
}

#[test]
fn ten_expected_value() {
    let before = Trades { wins: 45, n: 100, average_win: 1.5, average_loss: 1.0 };
    let after = Trades { wins: 60, n: 100, average_win: 2.2, average_loss: 1.0 };
    printed(expected_value(before).map(|v| v.0), 0.125, 1e-12, "before");
    printed(expected_value(after).map(|v| v.0), 0.92, 1e-12, "after");
}

#[test]
fn eleven_without_context_the_legacy_parameters() {
    let intent = Intent { atr: Some(400.0), ..long(50_000.0) };
    let a = advise(None, &intent, &OperatorSettings::default()).unwrap();
    printed(a.stop.used, 49_400.0, 1e-9, "stop");
    printed(a.target.price, 51_200.0, 1e-9, "target");
    printed(a.target.effective_rr, 2.0, 1e-12, "what the two prices offer");
    printed(Some(a.parameters.risk_reward_ratio), 1.5, 1e-12, "the ratio as printed");
    assert_eq!(a.target.source, Some(TargetSource::Fallback));
    assert_eq!((a.error, a.should_trade()), (Some(Missing::NoSnapshot), (false, "no_data")));
    assert_eq!(a.parameters.mult_fallback, Some(Missing::NoSnapshot));
    // A stop cannot be invented.
    let bare = advise(None, &long(50_000.0), &OperatorSettings::default()).unwrap();
    assert_eq!((bare.stop.used, bare.stop.missing), (None, Some(Missing::AtrUndefined)));
    assert_eq!((bare.target.missing, bare.size.missing), (Some(Missing::NoStop), Some(Missing::NoStop)));
}

#[test]
fn the_ratio_follows_the_trend() {
    use TrendRegime as T;
    let cases = [
        (T::Sideways, 1.5, 1.5),
        (T::Uptrend, 2.5, 1.5),
        (T::StrongUptrend, 4.0, 1.5),
        (T::Downtrend, 1.5, 2.5),
        (T::StrongDowntrend, 1.5, 4.0),
        (T::Unknown, 1.5, 1.5),
    ];
    for (label, with_long, with_short) in cases {
        let mut c = calm(&[]);
        c.trend = Some(advice_common::trend(label, true, 0.9));
        let of = |side| parameters(Some(&c), side, &OperatorSettings::default());
        printed(Some(of(Side::Long).risk_reward_ratio), with_long, 1e-12, label.name());
        printed(Some(of(Side::Short).risk_reward_ratio), with_short, 1e-12, label.name());
        assert_eq!(of(Side::Long).ratio_fallback.is_some(), label == T::Unknown);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
fn count(row: GoldenRow<'_>, column: &str) -> u32 {
    row.need(column) as u32
}

fn same(got: Option<f64>, want: Option<f64>, what: &str) {
    match (got, want) {
        (None, None) => {}
        (Some(g), Some(w)) => assert!((g - w).abs() <= 1e-10 * w.abs().max(1e-2), "{what}: {g} is not {w}"),
        _ => panic!("{what}: got {got:?}, want {want:?}"),
    }
}

#[test]
fn golden_wilson() {
    let table = GoldenTable::whole("wilson");
    assert_eq!(table.rows().len(), 6);
    for row in table.rows() {
        let (k, n) = (count(row, "k"), count(row, "n"));
        let (lo, hi) = wilson(k, n, 1.644_853_626_951_472_2).unwrap();
        same(Some(lo), row.number("lo90"), "lo90");
        same(Some(hi), row.number("hi90"), "hi90");
        let (lo, hi) = wilson(k, n, 1.959_963_984_540_054).unwrap();
        same(Some(lo), row.number("lo95"), "lo95");
        same(Some(hi), row.number("hi95"), "hi95");
        // The middle of the interval of one deviation is (k + 1/2) / (n + 1), the mean by Jeffreys.
        let (lo, hi) = wilson(k, n, 1.0).unwrap();
        same(Some((lo + hi) / 2.0), row.number("jeffreys_mean"), "jeffreys_mean");
    }
    assert_eq!(wilson(0, 0, 1.0), None);
}

#[test]
fn golden_kelly() {
    let table = GoldenTable::whole("kelly");
    assert_eq!(table.rows().len(), 7);
    for (i, row) in table.rows().enumerate() {
        let b = row.need("b");
        let trades = Trades { wins: count(row, "wins"), n: count(row, "n"), average_win: b, average_loss: 1.0 };
        let k = Kelly::of(Some(trades));
        let (_, rate, payoff) = expected_value(trades).unwrap();
        same(Some(rate), row.number("p_hat"), &format!("win rate {i}"));
        same(Some(payoff), Some(b), &format!("payoff {i}"));
        same(k.full, row.number("kelly_full"), &format!("full {i}"));
        same(k.p_used, row.number("p_wilson90_lo"), &format!("p {i}"));
        same(kelly_fraction(k.p_used.unwrap(), b), row.number("kelly_at_lo"), &format!("at lo {i}"));
        same(k.fraction, row.number("kelly_fraction"), &format!("fraction {i}"));
        let limits = CallerLimits { user_cap: row.need("user_cap"), ..CallerLimits::default() };
        let (size_factor, posture_factor) = (row.need("size_factor"), row.need("posture_factor"));
        let p = Parameters { size_factor, posture_factor, aggressive: false, ..some_parameters() };
        same(Some(risk_fraction(limits, &k, &p).value), row.number("risk_fraction"), &format!("share {i}"));
    }
}

fn some_parameters() -> Parameters {
    parameters(Some(&calm(&[])), Side::Long, &OperatorSettings::default())
}

#[test]
fn aggressive_scales_the_usual_risk_and_never_the_cap() {
    let none = Kelly::of(None);
    let p = Parameters { size_factor: 1.0, posture_factor: 1.25, aggressive: true, ..some_parameters() };
    let share = |base, cap| {
        risk_fraction(CallerLimits { user_cap: cap, base_risk: base, ..CallerLimits::default() }, &none, &p)
    };
    printed(Some(share(None, 0.01).value), 0.01, 1e-12, "at the cap already");
    let room = share(Some(0.006), 0.01);
    printed(Some(room.value), 0.0075, 1e-12, "a quarter more");
    assert_eq!(room.limit, SizeLimit::BaseRisk);
    printed(Some(share(Some(0.009), 0.01).value), 0.01, 1e-12, "up to the cap");
    assert_eq!(share(Some(0.009), 0.005).limit, SizeLimit::UserCap);
    printed(Some(share(Some(0.5), 0.5).value), 0.01, 1e-12, "never above 1 %");
    // With Kelly earned the smallest of all counts.
    let small = Kelly::of(Some(Trades { wins: 110, n: 200, average_win: 1.08, average_loss: 1.0 }));
    assert_eq!(risk_fraction(CallerLimits::default(), &small, &p).limit, SizeLimit::Kelly);
}

#[test]
fn kelly_needs_a_hundred_trades_and_numbers_it_can_use() {
    let of = |wins, n, average_win, average_loss| Kelly::of(Some(Trades { wins, n, average_win, average_loss }));
    assert_eq!((of(60, 99, 2.0, 1.0).fraction, of(60, 99, 2.0, 1.0).missing), (None, Some(Missing::FewTrades)));
    assert!(of(60, 100, 2.0, 1.0).fraction.is_some());
    assert_eq!(of(0, 100, 2.0, 1.0).missing, Some(Missing::OutOfDomain), "no win rate to bet on");
    assert_eq!(of(60, 100, 0.0, 1.0).missing, Some(Missing::OutOfDomain), "b is 0");
    assert_eq!(of(60, 100, 2.0, 0.0).missing, Some(Missing::OutOfDomain), "b is infinite");
    let none = Trades { wins: 0, n: 100, average_win: 2.0, average_loss: 1.0 };
    let a = ask(&calm(&[]), &Intent { equity: Some(1e4), trades: Some(none), ..long(50_000.0) });
    assert_eq!((a.size.units, a.size.missing), (None, Some(Missing::OutOfDomain)), "nothing is sized on it");
}

#[test]
fn position_size_is_the_seed_signature() {
    let a = ask(&squeeze(&[], Side::Short), &Intent { equity: Some(10_000.0), ..long(50_000.0) });
    // STABLE: size factor 1; posture REDUCE: one half.
    printed(position_size(0.02, &a.parameters, None), 0.01, 1e-12, "by the factors");
    let units = a.size.units.unwrap();
    printed(position_size(9.0, &a.parameters, Some(&units)), units.size, 1e-12, "never above the size for the equity");
    assert_eq!(position_size(f64::NAN, &a.parameters, None), None);
}
