//! What must hold for every intent and context, extreme ones included: the loss at the stop with costs never exceeds 1 % of
//! equity, whatever is rounded; prices lie on their side; nothing is infinite; the verdict is that of its worst reason.

use crate::advice_common;
use advice_common::{NOW, calm, level, session, trend};
use barograph_domain::advice::{ReasonCode, SizeLimit, TargetSource, Verdict};
use barograph_domain::{
    LevelType, Posture, RiskBias, RiskRegime, Side, StopVulnerability, TradingSession, TrendRegime, VolRegime,
};
use barograph_engine::advice::render;
use barograph_engine::advice::{
    Advice, AdviceContext, CallerLimits, Costs, CrowdedSide, Intent, MarketRules, OperatorSettings, SideStops,
    Staleness, StopMode, Trades, advise,
};
use barograph_testkit::Voice;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Over many orders of magnitude.
fn decades(low: i32, high: i32) -> impl Strategy<Value = f64> {
    (1.0_f64..10.0, low..=high).prop_map(|(m, e)| format!("{m}e{e}").parse().unwrap_or(m))
}

fn maybe(s: impl Strategy<Value = f64>) -> impl Strategy<Value = Option<f64>> {
    prop::option::of(s)
}

/// Steps people meet, and steps nobody should: each must round without breaking anything.
fn step() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        Just(None),
        Just(Some(0.1)),
        Just(Some(0.001)),
        Just(Some(1.0)),
        Just(Some(25.0)),
        Just(Some(1e-8)),
        Just(Some(0.3)),
        decades(-12, 6).prop_map(Some),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Long), Just(Side::Short)]
}

prop_compose! {
    fn costs()(taker_fee in prop_oneof![Just(0.0), 0.0_f64..0.01, 0.0_f64..0.49], half_spread in prop_oneof![Just(0.0), decades(-8, 6)]) -> Costs {
        Costs { taker_fee, half_spread }
    }
}

prop_compose! {
    fn limits()(user_cap in prop_oneof![Just(0.01), 1e-6_f64..1.0], base_risk in maybe(1e-6_f64..1.0), max_leverage in prop_oneof![Just(3.0), decades(-3, 3)]) -> CallerLimits {
        CallerLimits { user_cap, base_risk, max_leverage }
    }
}

prop_compose! {
    fn trades()(n in 0_u32..3_000, part in 0.0_f64..=1.0, average_win in prop_oneof![Just(0.0), decades(-3, 3)], average_loss in prop_oneof![Just(0.0), decades(-3, 3)]) -> Trades {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
        let wins = (f64::from(n) * part) as u32;
        Trades { wins, n, average_win, average_loss }
    }
}

prop_compose! {
    fn intent()(
        side in side(), entry in decades(-8, 8), distance in decades(-9, 0), with_stop in any::<bool>(),
        equity in maybe(decades(-6, 15)), size in maybe(decades(-9, 9)), atr in maybe(decades(-10, 8)),
        limits in limits(), costs in costs(), tick in step(), lot in step(), min_notional in maybe(decades(-2, 6)),
        trades in prop::option::of(trades()),
    ) -> Intent<'static> {
        let away = if side == Side::Long { 1.0 - distance.min(0.999) } else { 1.0 + distance };
        let stop = (with_stop && (entry * away - entry).abs() > 0.0).then_some(entry * away);
        Intent {
            side, stop, equity, size, atr, limits, costs, trades,
            rules: MarketRules { tick, lot, min_notional },
            ..Intent::new("binance-usdm:BTCUSDT", side, entry)
        }
    }
}

#[derive(Clone, Debug)]
struct Market {
    label: RiskRegime,
    posture: Posture,
    volatility: VolRegime,
    trend: TrendRegime,
    session: Option<f64>,
    crowded: Option<Side>,
    stops: Option<StopVulnerability>,
    stale: bool,
    levels: Vec<(usize, f64, f64, f64)>,
    with_levels: bool,
    minutes: Option<f64>,
}

prop_compose! {
    fn market()(
        label in prop::sample::select(RiskRegime::ALL.to_vec()),
        posture in prop::sample::select(vec![Posture::Reduce, Posture::Hold, Posture::Normal, Posture::Aggressive]),
        volatility in prop::sample::select(VolRegime::ALL.to_vec()),
        trend in prop::sample::select(TrendRegime::ALL.to_vec()),
        session in maybe(0.1_f64..8.0),
        crowded in prop::option::of(side()),
        stops in prop::option::of(prop::sample::select(StopVulnerability::ALL.to_vec())),
        stale in any::<bool>(),
        levels in prop::collection::vec((0_usize..14, -0.2_f64..0.2, 0.0_f64..0.02, 0.0_f64..1.0), 0..8),
        with_levels in any::<bool>(),
        minutes in maybe(-300.0_f64..600.0),
    ) -> Market {
        Market { label, posture, volatility, trend, session, crowded, stops, stale, levels, with_levels, minutes }
    }
}

fn judged(
    m: &Market,
    intent: &Intent<'_>,
    with_context: bool,
    settings: &OperatorSettings,
    look: impl FnOnce(&Advice, Option<&AdviceContext<'_>>),
) {
    let levels: Vec<_> = m
        .levels
        .iter()
        .map(|(kind, from, width, strength)| {
            let bottom = intent.entry * (1.0 + from);
            level(LevelType::ALL[*kind], bottom, bottom * (1.0 + width), *strength)
        })
        .collect();
    let plain = AdviceContext::of_label(NOW, m.label, NOW);
    let mut ctx = AdviceContext { risk: plain.risk, ..calm(&levels) };
    ctx.levels = m.with_levels.then_some(&levels);
    ctx.risk.crowded = m.crowded.map(CrowdedSide);
    (ctx.bias, ctx.posture) = (RiskBias::Neutral, m.posture);
    ctx.volatility = m.volatility;
    ctx.trend = Some(trend(m.trend, true, 0.7));
    ctx.session = m.session.map(|x| session(TradingSession::London, x));
    ctx.stops = SideStops { long: m.stops, short: m.stops };
    ctx.stale = m.stale.then_some(Staleness { warning: "Data stale (6 minutes old)" });
    ctx.event = m.minutes.map(|minutes| Some(barograph_engine::advice::UpcomingEvent { name: "CPI", minutes }));
    let known = with_context.then_some(&ctx);
    let got = advise(known, intent, settings).unwrap_or_else(|e| panic!("{e}"));
    look(&got, known);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_loss_at_the_stop_is_never_above_one_percent(
        m in market(), intent in intent(), with_context in any::<bool>(), beyond in any::<bool>(),
    ) {
        let stop_mode = if beyond { StopMode::BeyondCluster } else { StopMode::Base };
        judged(&m, &intent, with_context, &OperatorSettings { stop_mode, ..OperatorSettings::default() }, |a, _| {
            let cost = intent.entry * (2.0 * intent.costs.taker_fee) + intent.costs.half_spread;
            let Some(equity) = intent.equity else {
                assert!(a.size.units.is_none());
                return;
            };
            if let (Some(units), Some(stop)) = (a.size.units, a.stop.used) {
                let loss = units.size * ((intent.entry - stop).abs() + cost);
                assert!(loss <= 0.01 * equity, "{loss} of {equity} for {intent:?}");
                assert!(units.loss_fraction <= 0.01 && units.size >= 0.0 && units.size.is_finite());
                assert!(units.notional <= intent.limits.max_leverage * equity * (1.0 + 1e-9), "leverage");
                let cap = intent.limits.user_cap.min(0.01);
                assert!(units.loss <= cap * equity * (1.0 + 1e-9), "the user's cap");
                if let Some(least) = intent.rules.min_notional {
                    assert!(units.size <= 0.0 || units.notional >= least);
                    assert!(units.size > 0.0 || units.binding == SizeLimit::MinNotional || units.budget < f64::MIN_POSITIVE);
                }
            }
            for (offer, what) in [(a.options.smaller, "smaller"), (a.options.move_stop.map(|m| m.offer), "moved")] {
                if let Some((size, stop)) = offer.and_then(|o| o.size.zip(o.stop)) {
                    let loss = size * ((intent.entry - stop).abs() + cost);
                    assert!(loss <= 0.01 * equity, "{what}: {loss} of {equity} for {intent:?}");
                }
            }
        });
    }

    #[test]
    fn prices_lie_on_their_side_and_are_finite(m in market(), intent in intent(), with_context in any::<bool>()) {
        judged(&m, &intent, with_context, &OperatorSettings::default(), |a, _| {
            let sign = if intent.side == Side::Long { 1.0 } else { -1.0 };
            for stop in [a.stop.used, a.stop.base, a.stop.alternative].into_iter().flatten() {
                assert!(stop.is_finite() && stop > 0.0 && (intent.entry - stop) * sign > 0.0, "stop {stop}: {intent:?}");
            }
            if let Some(t) = a.target.price {
                assert!(t.is_finite() && t > 0.0 && (t - intent.entry) * sign > 0.0, "target {t}: {intent:?}");
            }
            if let (Some(t), Some(atr)) = (a.target.price, a.stop.atr) {
                let least = 0.5 * a.parameters.risk_reward_ratio * a.stop.r.unwrap_or(0.0);
                let tick = intent.rules.tick.unwrap_or(0.0);
                // A step of the grid is added where the least would be missed without.
                let step = if least + tick > 10.0 * atr { tick } else { 0.0 };
                assert!((t - intent.entry).abs() <= (10.0 * atr).max(least) * (1.0 + 1e-9) + step + intent.entry * 1e-14);
            }
            if let (Some(t), Some(r)) = (a.target.price, a.stop.r) {
                let rr = (t - intent.entry).abs() / r;
                assert_eq!(a.target.effective_rr, Some(rr), "what the prices say is what is said");
                // A coarse price step takes from a target that the ratio gives; never from the choice of a level.
                let step = if a.target.source == Some(TargetSource::Liquidity) { 0.0 } else { intent.rules.tick.unwrap_or(0.0) };
                let least = 0.5 * a.parameters.risk_reward_ratio - step / r;
                assert!(rr >= least * (1.0 - 1e-9) - intent.entry * 1e-14 / r, "{rr} of {least}: {intent:?}");
            }
            if let (Some(s), Some(alternative)) = (a.stop.used, a.stop.alternative) {
                let tick = intent.rules.tick.unwrap_or(0.0);
                let far = (intent.entry - alternative).abs() - tick;
                assert!(far <= 1.5 * (intent.entry - s).abs() * (1.0 + 1e-9), "too far: {intent:?}");
            }
            assert!((0.5..=4.0).contains(&a.parameters.stop_loss_atr_mult));
            assert!((0.0..=1.0).contains(&a.parameters.reduction()));
        });
    }

    #[test]
    fn the_verdict_is_that_of_its_worst_reason(m in market(), intent in intent(), with_context in any::<bool>()) {
        judged(&m, &intent, with_context, &OperatorSettings::default(), |a, _| {
            let j = &a.judgement;
            let worst = j.reasons.iter().map(|r| j.asks(r)).max().unwrap();
            assert_eq!(worst, j.verdict);
            assert_eq!(j.asks(j.decided_by), j.verdict);
            assert_eq!(j.verdict == Verdict::Allow, j.reasons.has(ReasonCode::Ok));
            assert_eq!(a.should_trade().0, j.verdict != Verdict::Avoid);
            for code in j.reasons.iter() {
                assert!(!j.not_evaluated.has(code), "{code:?} is both true and unknown");
            }
        });
    }
}

/// Texts of an answer: whatever has a blank in it, by where it is.
fn texts(voice: &mut Voice, at: &str, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.contains(' ') => voice.check_each(at, text),
        serde_json::Value::Array(all) => all.iter().for_each(|one| texts(voice, at, one)),
        serde_json::Value::Object(all) => {
            all.iter().for_each(|(name, one)| texts(voice, &format!("{at}: {name}"), one))
        }
        _ => {}
    }
}

/// The catalogue of what advice says; with `--nocapture` it is printed.
#[test]
fn no_sentence_of_advice_has_a_private_word() {
    let mut runner = TestRunner::deterministic();
    let mut voice = Voice::default();
    for _ in 0..1_500 {
        let drawn = (market(), intent()).new_tree(&mut runner).unwrap_or_else(|e| panic!("{e}"));
        let (m, intent) = drawn.current();
        judged(&m, &intent, true, &OperatorSettings::default(), |a, ctx| {
            let view = serde_json::to_value(render(a, ctx, &intent)).unwrap_or_default();
            texts(&mut voice, "advice", &view);
        });
    }
    println!("{}", voice.catalogue());
    assert!(voice.len() > 120, "only {} templates: part of the catalogue is gone", voice.len());
    let faults = voice.faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let good = Intent { stop: Some(90.0), ..Intent::new("x", Side::Long, 100.0) };
    assert!(good.check().is_ok());
    let bad = [
        Intent { entry: f64::NAN, ..good },
        Intent { entry: -1.0, ..good },
        Intent { stop: Some(100.0), ..good },
        Intent { stop: Some(110.0), ..good },
        Intent { side: Side::Short, ..good },
        Intent { stop: Some(f64::INFINITY), ..good },
        Intent { equity: Some(0.0), ..good },
        Intent { size: Some(-0.1), ..good },
        Intent { atr: Some(0.0), ..good },
        Intent { limits: CallerLimits { user_cap: 1.5, ..CallerLimits::default() }, ..good },
        Intent { limits: CallerLimits { base_risk: Some(0.0), ..CallerLimits::default() }, ..good },
        Intent { limits: CallerLimits { max_leverage: f64::NAN, ..CallerLimits::default() }, ..good },
        Intent { costs: Costs { taker_fee: 0.5, half_spread: 0.0 }, ..good },
        Intent { costs: Costs { taker_fee: 0.0, half_spread: -1.0 }, ..good },
        Intent { rules: MarketRules { lot: Some(0.0), ..MarketRules::default() }, ..good },
        Intent { trades: Some(Trades { wins: 2, n: 1, average_win: 1.0, average_loss: 1.0 }), ..good },
    ];
    for (i, intent) in bad.iter().enumerate() {
        let e = advise(None, intent, &OperatorSettings::default()).unwrap_err();
        assert!(e.to_string().starts_with(e.field), "{i}: {e}");
    }
}
