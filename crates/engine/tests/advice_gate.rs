//! Integration of the entry gate (R1.85): which regime gives which reasons, warnings and options; and no text of it instructs
//! anybody to enter, names a side that was not given, or promises (C01).

use crate::advice_common;
use advice_common::{NOW, ask, calm, level, long, session, short, squeeze, trend};
use barograph_domain::advice::{NoticeLevel, OptionKind, ReasonCode, Verdict, WarningCode};
use barograph_domain::{
    LevelType, Posture, RiskBias, RiskRegime, Side, Span, StopVulnerability, TradingSession, TrendRegime, VolRegime,
};
use barograph_engine::advice::{
    AdviceContext, Blackout, Calibrated, Confidence, CorrelatedPosition, Intent, OperatorSettings, PastDurations,
    SideStops, Staleness, UpcomingEvent, advise, render,
};
use std::borrow::Cow;

/// A position in another market, by how it moves with this one.
const fn moves(correlation: f64) -> [CorrelatedPosition<'static>; 1] {
    [CorrelatedPosition { symbol: Cow::Borrowed("ETHUSDT"), correlation }]
}
static AT_THE_BOUND: [CorrelatedPosition<'static>; 1] = moves(0.9);
static ABOVE: [CorrelatedPosition<'static>; 1] = moves(0.91);
static FAR_ABOVE: [CorrelatedPosition<'static>; 1] = moves(0.95);

fn of(label: RiskRegime) -> AdviceContext<'static> {
    let from = AdviceContext::of_label(NOW, label, NOW - Span::mins(90));
    AdviceContext { risk: from.risk, bias: from.bias, posture: from.posture, ..calm(&[]) }
}

struct Case {
    what: &'static str,
    ctx: AdviceContext<'static>,
    side: Side,
    verdict: Verdict,
    reasons: &'static str,
    warnings: &'static str,
    options: &'static str,
}

fn check(c: &Case) {
    let intent = Intent {
        stop: Some(if c.side == Side::Long { 49_168.4 } else { 50_831.6 }),
        ..Intent::new("x", c.side, 50_000.0)
    };
    let a = ask(&c.ctx, &intent);
    let words = |v: Vec<String>| v.join(" ");
    let reasons = words(a.judgement.reasons.iter().map(|r| r.name().to_owned()).collect());
    let warnings =
        words(a.warnings.iter().map(|(code, level, _)| format!("{}:{}", code.name(), level.name())).collect());
    let options = words(render(&a, Some(&c.ctx), &intent).options.iter().map(|o| format!("{:?}", o.option)).collect());
    assert_eq!(reasons, c.reasons, "{}: reasons", c.what);
    assert_eq!(a.judgement.verdict, c.verdict, "{}", c.what);
    assert_eq!(warnings, c.warnings, "{}: warnings", c.what);
    assert_eq!(options, c.options, "{}: options", c.what);
}

fn dense(ctx: AdviceContext<'static>, v: StopVulnerability) -> AdviceContext<'static> {
    AdviceContext { stops: SideStops { long: Some(v), short: Some(StopVulnerability::Low) }, ..ctx }
}

/// A frequency after similar moments, the upper end of its interval, and the usual one.
fn frequency(value: f64, high: f64, usual: Option<f64>) -> Option<Confidence> {
    Some(Confidence { value, calibrated: Some(Calibrated { high, usual }) })
}

#[test]
fn each_regime_and_what_the_gate_says() {
    use RiskRegime as R;
    use Verdict::{Allow, Avoid, Caution};
    const ABC: &str = "SmallerSize Wait ProceedUnchanged";
    const A: &str = "SmallerSize ProceedUnchanged";
    let case = |what, ctx, side, verdict, reasons, warnings, options| Case {
        what,
        ctx,
        side,
        verdict,
        reasons,
        warnings,
        options,
    };
    let long = Side::Long;
    let calm = of(R::Normal);
    let cases = [
        case("calm", calm, long, Allow, "ok", "", "ProceedUnchanged"),
        case(
            "squeeze of the other side",
            squeeze(&[], Side::Short),
            long,
            Caution,
            "squeeze_risk",
            "W_SQUEEZE:HIGH W_POSTURE:MEDIUM",
            ABC,
        ),
        case(
            "squeeze of this side",
            squeeze(&[], Side::Long),
            long,
            Avoid,
            "squeeze_risk squeeze_against_side",
            "W_SQUEEZE:HIGH W_POSTURE:MEDIUM W_REASONS:HIGH",
            ABC,
        ),
        case(
            "squeeze of shorts, short",
            squeeze(&[], Side::Short),
            Side::Short,
            Avoid,
            "squeeze_risk squeeze_against_side",
            "W_SQUEEZE:HIGH W_POSTURE:MEDIUM W_REASONS:HIGH",
            ABC,
        ),
        case(
            "high volatility",
            of(R::HighVol),
            long,
            Caution,
            "high_volatility",
            "W_HIGH_VOL:HIGH W_POSTURE:MEDIUM",
            ABC,
        ),
        case("chop", of(R::ChopRisk), long, Caution, "chop_risk", "W_CHOP:MEDIUM W_POSTURE:MEDIUM", ABC),
        case("no reading", of(R::Unknown), long, Avoid, "no_data", "W_POSTURE:MEDIUM W_REASONS:HIGH", ABC),
        case(
            "stale",
            AdviceContext {
                stale: Some(Staleness { warning: "Data stale (6 minutes old)" }),
                bias: RiskBias::Conservative,
                posture: Posture::Hold,
                ..calm
            },
            long,
            Avoid,
            "data_stale",
            "W_POSTURE:MEDIUM W_STALE:HIGH",
            A,
        ),
        case(
            "explosive",
            AdviceContext { volatility: VolRegime::Explosive, ..calm },
            long,
            Caution,
            "high_volatility",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "extreme",
            AdviceContext { volatility: VolRegime::Extreme, ..calm },
            long,
            Avoid,
            "extreme_volatility",
            "W_REASONS:HIGH",
            A,
        ),
        case(
            "event in two hours",
            AdviceContext { event: Some(Some(UpcomingEvent { name: "CPI", minutes: 120.0 })), ..calm },
            long,
            Avoid,
            "pre_news_blackout",
            "W_REASONS:HIGH",
            A,
        ),
        case(
            "event later",
            AdviceContext { event: Some(Some(UpcomingEvent { name: "CPI", minutes: 121.0 })), ..calm },
            long,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "event past",
            AdviceContext { event: Some(Some(UpcomingEvent { name: "CPI", minutes: -1.0 })), ..calm },
            long,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "rollover",
            AdviceContext { session: Some(session(TradingSession::Rollover, 2.0)), ..calm },
            long,
            Caution,
            "rollover_session",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "dense stops",
            dense(calm, StopVulnerability::High),
            long,
            Caution,
            "stop_cluster",
            "W_STOP_CLUSTER:HIGH",
            "SmallerSize MoveStop ProceedUnchanged",
        ),
        case(
            "dense stops on the other side",
            dense(calm, StopVulnerability::High),
            Side::Short,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "some stops",
            dense(calm, StopVulnerability::Medium),
            long,
            Allow,
            "ok",
            "W_STOP_MEDIUM:LOW",
            "ProceedUnchanged",
        ),
        case(
            "against a strong trend",
            AdviceContext { trend: Some(trend(TrendRegime::StrongDowntrend, true, 0.9)), ..calm },
            long,
            Caution,
            "against_strong_trend",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "with it",
            AdviceContext { trend: Some(trend(TrendRegime::StrongDowntrend, true, 0.9)), ..calm },
            Side::Short,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "not confirmed",
            AdviceContext { trend: Some(trend(TrendRegime::StrongDowntrend, false, 0.49)), ..calm },
            long,
            Caution,
            "unconfirmed_regime",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "low confidence",
            AdviceContext { confidence: Some(Confidence { value: 0.39, calibrated: None }), ..calm },
            long,
            Caution,
            "low_confidence",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "what the label says came more seldom than usual",
            AdviceContext { confidence: frequency(0.2, 0.29, Some(0.3)), ..calm },
            long,
            Caution,
            "low_confidence",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "seldom, but no more seldom than usual",
            AdviceContext { confidence: frequency(0.2, 0.31, Some(0.3)), ..calm },
            long,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "same exposure",
            AdviceContext { overlaps: Some(&ABOVE), ..calm },
            long,
            Caution,
            "exposure_overlap",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "other exposure",
            AdviceContext { overlaps: Some(&AT_THE_BOUND), ..calm },
            long,
            Allow,
            "ok",
            "",
            "ProceedUnchanged",
        ),
        case(
            "low health",
            AdviceContext { health: Some(49.0), ..calm },
            long,
            Caution,
            "low_health",
            "W_REASONS:MEDIUM",
            A,
        ),
        case(
            "several",
            AdviceContext {
                volatility: VolRegime::Extreme,
                session: Some(session(TradingSession::Rollover, 2.0)),
                ..squeeze(&[], Side::Long)
            },
            long,
            Avoid,
            "extreme_volatility squeeze_risk squeeze_against_side rollover_session",
            "W_SQUEEZE:HIGH W_POSTURE:MEDIUM W_REASONS:HIGH W_REASONS:HIGH W_REASONS:MEDIUM",
            ABC,
        ),
    ];
    for c in &cases {
        check(c);
    }
    let mut wild = session(TradingSession::Ny, 2.0);
    wild.vol_ratio = Some(2.1);
    check(&case(
        "wild session",
        AdviceContext { session: Some(wild), ..calm },
        long,
        Caution,
        "session_vol_anomaly",
        "W_REASONS:MEDIUM",
        A,
    ));
}

#[test]
fn a_calendar_that_only_warns() {
    let ctx =
        AdviceContext { event: Some(Some(UpcomingEvent { name: "FOMC", minutes: 30.0 })), ..of(RiskRegime::Normal) };
    let warn = OperatorSettings { blackout: Blackout::Warn, ..OperatorSettings::default() };
    let a = advise(Some(&ctx), &long(50_000.0), &warn).unwrap();
    assert_eq!((a.judgement.verdict, a.should_trade()), (Verdict::Caution, (true, "pre_news_blackout")));
    assert_eq!(a.warnings.iter().next().map(|w| w.1), Some(NoticeLevel::Medium));
}

#[test]
fn a_tight_stop_and_what_is_not_known() {
    let tight = Intent { stop: Some(49_801.0), ..long(50_000.0) };
    let ctx = of(RiskRegime::Normal);
    assert!(ask(&ctx, &tight).warnings.has(WarningCode::StopTight));
    assert!(!ask(&ctx, &Intent { stop: Some(49_800.0), ..tight }).warnings.has(WarningCode::StopTight));

    // A label and nothing else: what cannot be judged is listed, and counts neither for nor against.
    let bare = AdviceContext::of_label(NOW, RiskRegime::Normal, NOW);
    let a = ask(&bare, &tight);
    assert_eq!(a.judgement.verdict, Verdict::Allow);
    let unknown: Vec<&str> = a.judgement.not_evaluated.iter().map(ReasonCode::name).collect();
    let want = "pre_news_blackout extreme_volatility high_volatility rollover_session session_vol_anomaly stop_cluster \
                against_strong_trend unconfirmed_regime low_confidence exposure_overlap low_health";
    assert_eq!(unknown.join(" "), want);
    // One of two conditions is enough to be true, both are needed to be false.
    let volatile = AdviceContext::of_label(NOW, RiskRegime::HighVol, NOW);
    assert!(ask(&volatile, &tight).judgement.reasons.has(ReasonCode::HighVolatility));
}

#[test]
fn three_options_with_numbers_and_the_own_ones() {
    let levels = [level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5)];
    let mut ctx = squeeze(&levels, Side::Short);
    ctx.risk.past = Some(PastDurations { n: 41, median: Span::mins(150), low: Span::mins(30), high: Span::hours(9) });
    let intent = Intent { stop: Some(49_160.0), equity: Some(10_000.0), size: Some(0.2), ..long(50_000.0) };
    let a = ask(&ctx, &intent);
    let view = render(&a, Some(&ctx), &intent);
    let get = |kind| view.options.iter().find(|o| o.option == kind).unwrap();

    // STABLE leaves 1, REDUCE one half: 0.1, but 1 % of 10,000 halved is 50 at 840 + 50 a unit.
    let smaller = get(OptionKind::SmallerSize);
    assert_eq!(smaller.size, a.size.units.map(|u| u.size));
    assert!((smaller.size.unwrap() - 50.0 / 890.0).abs() < 1e-12);
    assert!((smaller.risk_fraction.unwrap() - 0.005).abs() < 1e-12);

    // 0.2 · 890 = 178 at the own stop is more than 1 %: the moved stop keeps to 1 %.
    let moved = get(OptionKind::MoveStop);
    assert_eq!((moved.stop, moved.r), (Some(49_110.0), Some(890.0)));
    assert!((moved.size.unwrap() - 100.0 / 940.0).abs() < 1e-9);
    let small = Intent { size: Some(0.05), ..intent };
    let kept = ask(&ctx, &small).options.move_stop.unwrap().offer;
    assert!((kept.risk_quote.unwrap() - 0.05 * 890.0).abs() < 1e-9, "a size within 1 % keeps its risk");

    let wait = get(OptionKind::Wait);
    assert_eq!((wait.regime_age_s, wait.median_s, wait.episodes), (Some(5_400), Some(9_000), Some(41)));
    assert_eq!(
        wait.text,
        "Wait for normal risk: squeeze risk for 1 h 30 min so far; 41 past episodes: median 2 h 30 min, most between \
         30 min and 9 h"
    );

    let own = get(OptionKind::ProceedUnchanged);
    assert_eq!((own.size, own.stop, own.above_one_percent), (Some(0.2), Some(49_160.0), Some(true)));
    assert_eq!(own.text, "As planned: size 0.2, stop 49,160, loses 178 at the stop (1.78 % of equity): more than 1 %");
    assert_eq!(
        view.reasons.iter().map(|r| r.text.as_str()).collect::<Vec<_>>(),
        ["Squeeze risk: liquidation cascade possible", "The stop at 49,160 lies on equal lows from 49,150 to 49,180",]
    );
    assert_eq!(view.summary, "CAUTION: Squeeze risk: liquidation cascade possible; one more reason below.");
    let texts: Vec<&str> = view.warnings.iter().map(|w| w.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Squeeze risk: liquidation cascade possible",
            "High stop clustering: consider wider stop or wait",
            "Recommended posture: REDUCE",
        ]
    );
    assert_eq!(view.stop.on_cluster.as_ref().map(|l| l.level_id.as_str()), Some("EQUAL_LOWS-49150"));
}

/// Words no text may hold; a side only as the answer to the one that was given.
fn no_forbidden_word(text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase) {
        let forbidden = [
            "buy",
            "sell",
            "detected",
            "guarantee",
            "guaranteed",
            "will",
            "profit",
            "profits",
            "order",
            "long",
            "short",
        ];
        assert!(!forbidden.contains(&word.as_str()), "'{word}' in: {text}");
    }
    assert!(!text.contains('!') && !text.contains("  "), "{text}");
}

fn texts_of(json: &serde_json::Value, out: &mut Vec<String>) {
    match json {
        serde_json::Value::String(s) => out.push(s.clone()),
        serde_json::Value::Array(a) => a.iter().for_each(|v| texts_of(v, out)),
        serde_json::Value::Object(o) => o.values().for_each(|v| texts_of(v, out)),
        _ => {}
    }
}

#[test]
fn no_text_is_an_instruction() {
    let levels = [
        level(LevelType::EqualLows, 49_150.0, 49_180.0, 0.5),
        level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.6),
        level(LevelType::EqualHighs, 50_820.0, 50_850.0, 0.5),
    ];
    let mut seen = 0;
    for label in RiskRegime::ALL {
        for vol in VolRegime::ALL {
            for vulnerability in StopVulnerability::ALL {
                for intent in
                    [long(50_000.0), short(50_000.0), Intent { equity: Some(1e4), size: Some(1.0), ..long(50_000.0) }]
                {
                    let from = AdviceContext::of_label(NOW, label, NOW - Span::mins(7));
                    let mut wild = session(TradingSession::Rollover, 2.5);
                    (wild.vol_ratio, wild.vol_adjustment_default) = (Some(3.0), true);
                    let ctx = AdviceContext {
                        risk: from.risk,
                        posture: from.posture,
                        bias: from.bias,
                        volatility: *vol,
                        session: Some(wild),
                        trend: Some(trend(TrendRegime::StrongDowntrend, true, 0.3)),
                        stops: SideStops { long: Some(vulnerability), short: Some(vulnerability) },
                        confidence: Some(Confidence { value: 0.2, calibrated: None }),
                        health: Some(10.0),
                        overlaps: Some(&FAR_ABOVE),
                        event: Some(Some(UpcomingEvent { name: "NFP", minutes: 12.0 })),
                        stale: (vulnerability == StopVulnerability::Low)
                            .then_some(Staleness { warning: "Data stale (6 minutes old)" }),
                        ..calm(&levels)
                    };
                    for c in [Some(&ctx), None] {
                        let a = advise(c, &intent, &OperatorSettings::default()).unwrap();
                        let view = render(&a, c, &intent);
                        assert_eq!(view.side, intent.side, "no side but the one given");
                        let mut json = serde_json::to_value(&view).unwrap();
                        assert_eq!(
                            json["side"].take().as_str(),
                            Some(if intent.side == Side::Long { "long" } else { "short" })
                        );
                        let mut texts = Vec::new();
                        texts_of(&json, &mut texts);
                        texts.iter().for_each(|t| no_forbidden_word(t));
                        seen += texts.len();
                    }
                }
            }
        }
    }
    assert!(seen > 5_000, "{seen}");
    assert!(std::panic::catch_unwind(|| no_forbidden_word("go long here")).is_err());
}
