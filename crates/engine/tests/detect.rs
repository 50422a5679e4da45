//! Detectors: the table of surveillance §2 and the episodes of surveillance §4, the score map, the originals' worked examples, base rates,
//! seeded bursts (synthetic), save and restore, and the words of every sentence.

#![expect(clippy::float_cmp, clippy::unwrap_used, reason = "exact numbers are meant; a test may panic")]

use crate::support;
use barograph_domain::alert::{AlertChange, Datum};
use barograph_domain::{
    Alert, AlertState, Axis, Cell, InstrumentName, Kind, Pattern, Reason, RiskRegime, Severity, Side, Span, State,
    TradingSession, TrendRegime, Trigger, Ts, VolRegime,
};
use barograph_engine::detect::inputs::Confirmed;
use barograph_engine::detect::plain::{
    FundingPoint, compute_funding_metrics, detect_cascade_events, detect_funding_anomalies, detect_reversal_signals,
};
use barograph_engine::detect::{Inputs, LiquidationInputs, Surveillance, Thresholds, explain, score};
use barograph_engine::liquidations::plain::Closed;
use barograph_testkit::GoldenTable;
use support::Random;

fn at(minute: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 0, 0, 0) + Span::mins(minute)
}

fn ready(value: f64) -> Cell {
    Cell::ready_at(value, at(0), Kind::Measured)
}

fn state(state: State) -> Cell {
    Cell { state, ..ready(0.0) }
}

const GAP: State = State::Undefined(Reason::Gap);

#[test]
fn the_score_map_and_the_values_of_its_table() {
    for row in GoldenTable::whole("score_map").rows() {
        let [c, x, u, want] = ["threshold", "x", "u", "score"].map(|column| row.need(column));
        assert!((x / c - u).abs() < 1e-10);
        let got = score(x / c);
        assert!((got - want).abs() <= 1e-10 * want.max(1e-2), "{x} of {c}: {got} is not {want}");
    }
    for (x, c, want) in [(4.132, 3.0, "85.0"), (0.03, 0.02, "89.5"), (0.02, 0.01, "98.2"), (10.0, 5.0, "98.2")] {
        assert_eq!(format!("{:.1}", score(x / c)), want);
    }
}

/// What one minute of one detector is, in the tables below.
#[derive(Clone, Copy)]
enum Minute {
    X(f64),
    Gap,
}
use Minute::{Gap, X};

/// Runs minutes of one statistic and returns (minute, change, state, severity) of every record.
fn episode(
    set: fn(&mut Inputs, Cell),
    pattern: Pattern,
    minutes: &[Minute],
) -> Vec<(i64, AlertChange, AlertState, Severity)> {
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    for (i, minute) in (0..).zip(minutes) {
        let mut inputs = Inputs::nothing(at(i));
        set(
            &mut inputs,
            match minute {
                X(x) => ready(*x),
                Gap => state(GAP),
            },
        );
        surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    }
    let minute = |t: Ts| (t - at(0)).0 / Span::mins(1).0;
    out.iter().filter(|a| a.pattern == pattern).map(|a| (minute(a.ts), a.change, a.state, a.severity)).collect()
}

#[test]
fn episodes_open_keep_suspend_and_close() {
    use AlertChange::{Closed, Opened, Resumed, Suspended, Updated};
    use AlertState::{Closed as C, NoData as N, Open as O};
    use Severity::{High, Low, Medium};
    type Case<'a> =
        (&'a str, fn(&mut Inputs, Cell), Pattern, Vec<Minute>, Vec<(i64, AlertChange, AlertState, Severity)>);
    let basis: fn(&mut Inputs, Cell) = |i, c| i.basis = c;
    let z: fn(&mut Inputs, Cell) = |i, c| i.funding_zscore = c;
    let repeat = |m: Minute, n: usize| vec![m; n];
    let cases: Vec<Case<'_>> = vec![
        ("at the threshold nothing fires", basis, Pattern::BasisManipulation, vec![X(0.02), X(-0.02)], vec![]),
        (
            "five minutes below nine tenths close it, four do not",
            basis,
            Pattern::BasisManipulation,
            [vec![X(0.021)], repeat(X(0.001), 4), vec![X(0.0185)], repeat(X(0.001), 6)].concat(),
            vec![(0, Opened, O, Medium), (11, Closed, C, Medium)],
        ),
        (
            "between nine tenths and the threshold it goes on and never opens",
            basis,
            Pattern::BasisManipulation,
            [vec![X(0.019), X(0.0201)], repeat(X(-0.0181), 30)].concat(),
            vec![(1, Opened, O, Medium)],
        ),
        (
            "worse is reported, as bad is not, better is not",
            basis,
            Pattern::BasisManipulation,
            vec![X(0.021), X(0.0211), X(0.031), X(0.031), X(0.025), X(0.031)],
            vec![(0, Opened, O, Medium), (2, Updated, O, High)],
        ),
        (
            "ten points of score are worth a word at the same severity",
            basis,
            Pattern::BasisManipulation,
            vec![X(0.0201), X(0.0215), X(0.024), X(0.0245)],
            vec![(0, Opened, O, Medium), (2, Updated, O, Medium)],
        ),
        (
            "a gap suspends, never closes, and the calm before it does not count",
            basis,
            Pattern::BasisManipulation,
            [vec![X(0.025)], repeat(X(0.0), 4), repeat(Gap, 60), repeat(X(0.0), 6)].concat(),
            vec![(0, Opened, O, Medium), (5, Suspended, N, Medium), (65, Resumed, O, Medium), (70, Closed, C, Medium)],
        ),
        ("a gap opens nothing", basis, Pattern::BasisManipulation, repeat(Gap, 5), vec![]),
        (
            "a second episode is another one",
            basis,
            Pattern::BasisManipulation,
            [vec![X(0.03)], repeat(X(0.0), 6), vec![X(0.03)]].concat(),
            vec![(0, Opened, O, Medium), (6, Closed, C, Medium), (7, Opened, O, Medium)],
        ),
        (
            "manipulation is high above a score of 85",
            z,
            Pattern::FundingManipulation,
            vec![X(3.0), X(-3.01), X(4.132), X(4.1321)],
            vec![(1, Opened, O, Medium), (2, Updated, O, Medium), (3, Updated, O, High)],
        ),
        (
            "an anomaly is medium from 2 and high from 3",
            z,
            Pattern::FundingAnomaly,
            vec![X(2.0), X(2.01), X(-3.2)],
            vec![(1, Opened, O, Medium), (2, Updated, O, High)],
        ),
        (
            "a premium of more than two per cent is high",
            |i, c| i.premium = c,
            Pattern::PremiumDeviation,
            vec![X(-0.0101), X(0.0201)],
            vec![(0, Opened, O, Medium), (1, Updated, O, High)],
        ),
        (
            "a stand-in for positions is low",
            |i, c| i.concentration = Cell { kind: Kind::Proxy, ..c },
            Pattern::PositionConcentration,
            vec![X(0.30), X(0.31)],
            vec![(1, Opened, O, Low)],
        ),
        (
            "exactly fifteen of twenty-one blocks are farming, and a block of calm ends it",
            |i, c| i.farming_share = c,
            Pattern::FundingFarming,
            [vec![X(14.0 / 21.0), X(15.0 / 21.0)], repeat(X(13.0 / 21.0), 481)].concat(),
            vec![(1, Opened, O, Medium), (482, Closed, C, Medium)],
        ),
    ];
    for (name, set, pattern, minutes, want) in cases {
        assert_eq!(episode(set, pattern, &minutes), want, "{name}");
    }
}

#[test]
fn the_original_funding_example_word_for_word() {
    let mut inputs = Inputs::nothing(at(0));
    inputs.funding_rate = ready(0.00062);
    inputs.funding_zscore = ready(2.30);
    inputs.funding_change = ready(0.0002);
    inputs.funding_volatility = ready(0.000_42);
    let mut out = Vec::new();
    Surveillance::default().step(&inputs, &Thresholds::default(), &mut out);
    let [alert] = &out[..] else { panic!("{out:?}") };
    assert_eq!((alert.pattern, alert.severity), (Pattern::FundingAnomaly, Severity::Medium));
    assert!((alert.number("anomaly_score").unwrap() - 2.80).abs() < 1e-12);
    let Some(Datum::Words(reasons)) = alert.datum("reasons") else { panic!("{alert:?}") };
    assert_eq!(reasons, &["Z-score anomaly: 2.30σ", "High volatility: 0.00042"]);
    inputs.funding_change = ready(0.00062);
    Surveillance::default().step(&inputs, &Thresholds::default(), &mut out);
    let Some(Datum::Words(reasons)) = out[1].datum("reasons") else { panic!("{out:?}") };
    assert_eq!(reasons[1], "Rapid change: 0.00062");
    assert!((out[1].number("anomaly_score").unwrap() - 3.30).abs() < 1e-12);
    // Volatility alone is no event; a change alone is one, without a z.
    let mut alone = Inputs::nothing(at(0));
    alone.funding_volatility = ready(0.01);
    alone.funding_zscore = ready(0.5);
    out.clear();
    Surveillance::default().step(&alone, &Thresholds::default(), &mut out);
    assert_eq!(out, []);
    alone.funding_zscore = state(GAP);
    alone.funding_change = ready(-0.0006);
    Surveillance::default().step(&alone, &Thresholds::default(), &mut out);
    assert_eq!(out.len(), 1);
    assert!(matches!(out[0].datum("anomaly_score"), Some(Datum::Missing(Reason::Gap))));
}

#[test]
fn a_score_of_settlements_says_its_week() {
    for (window, says) in [(Span::hours(24), "above its 24-hour mean"), (Span::days(7), "above its 7-day mean")] {
        let mut inputs = Inputs::nothing(at(0));
        inputs.funding_zscore = ready(3.4);
        inputs.funding_window = window;
        let mut out = Vec::new();
        Surveillance::default().step(&inputs, &Thresholds::floors(), &mut out);
        let alert = out.iter().find(|a| a.pattern == Pattern::FundingManipulation).unwrap();
        assert_eq!(alert.ts - alert.window_from, window);
        let text = explain::description(alert);
        assert!(text.contains(says), "{text}");
    }
}

fn closed(t: Ts, usd: f64, side: Side) -> Closed {
    Closed { ts: t, liquidated_side: side, price: 100.0, qty: usd / 100.0 }
}

#[test]
fn seeded_bursts_are_found_at_the_event_that_completes_them() {
    // Synthetic: five liquidations of 1,000 each, 10 s apart, then quiet.
    let events: Vec<Closed> = (0..5).map(|i| closed(at(60) + Span::secs(7 + 10 * i), 1_000.0, Side::Long)).collect();
    let found = detect_cascade_events(&events, at(80), &Thresholds::floors());
    let told: Vec<_> = found.iter().map(|a| (a.change, a.trigger, a.ts)).collect();
    assert_eq!(
        told,
        [
            (AlertChange::Opened, Some(Trigger::Burst), at(60) + Span::secs(47)),
            // The last within 60 s leave at 61:47; rows see calm from minute 62, two minutes close it.
            (AlertChange::Closed, Some(Trigger::Burst), at(64)),
        ]
    );
    assert_eq!(found[0].severity, Severity::High);
    assert_eq!(format!("{:.1}", found[0].score), "63.2");
    // Four are none, and five within 61 s are none.
    assert_eq!(detect_cascade_events(&events[..4], at(80), &Thresholds::floors()), []);
    let slow: Vec<Closed> = (0..5).map(|i| closed(at(60) + Span::secs(15 * i), 1_000.0, Side::Long)).collect();
    assert_eq!(detect_cascade_events(&slow, at(80), &Thresholds::floors()), []);
}

#[test]
fn a_sustained_cascade_needs_velocity_and_money_and_is_critical_from_one_and_a_half() {
    // Synthetic: one liquidation each quarter of an hour, four hours.
    let every_quarter =
        |usd: f64| -> Vec<Closed> { (0..16).map(|i| closed(at(15 * i) + Span::secs(1), usd, Side::Short)).collect() };
    let strongest = |usd: f64| {
        let found = detect_cascade_events(&every_quarter(usd), at(241), &Thresholds::floors());
        found.iter().filter(|a| a.trigger == Some(Trigger::Sustained)).map(|a| a.severity).max()
    };
    assert_eq!(strongest(20_000.0), None, "320 thousand in all");
    assert_eq!(strongest(55_000.0), Some(Severity::High), "220 thousand an hour");
    assert_eq!(strongest(80_000.0), Some(Severity::Critical), "320 thousand an hour");
    let found = detect_cascade_events(&every_quarter(93_750.0), at(241), &Thresholds::floors());
    let last = found.iter().rfind(|a| a.trigger == Some(Trigger::Sustained)).unwrap();
    assert_eq!(last.word("side_bias"), Some("SHORT"));
    assert!(last.statistics.iter().any(|s| s.name == "liq_velocity_4h" && s.threshold == 200_000.0));
}

#[test]
fn a_market_is_judged_by_its_own_month_and_the_floor_stands_beside() {
    // Synthetic: a busy market, 20 a minute in one minute of a hundred, everything else quiet, for nine days.
    let mut r = Random(2);
    let mut events = Vec::new();
    for minute in 0..9 * 1_440 {
        let n = if r.unit() < 0.01 { 20 } else { 0 };
        events.extend((0..n).map(|i| closed(at(minute) + Span::secs(2 * i), 500.0, Side::Long)));
    }
    let last = 9 * 1_440 + 5;
    events.extend((0..25).map(|i| closed(at(last) + Span::secs(i), 500.0, Side::Long)));
    let opened = |thresholds: &Thresholds, from: i64| {
        let all = detect_cascade_events(&events, at(last + 10), thresholds);
        all.into_iter().filter(|a| a.change == AlertChange::Opened && a.ts >= at(from)).collect::<Vec<_>>()
    };
    assert!(opened(&Thresholds::floors(), 0).len() > 60, "the floor fires every day");
    let own = opened(&Thresholds::default(), 8 * 1_440);
    let [alert] = &own[own.len() - 1..] else { panic!("{own:?}") };
    assert!(alert.ts >= at(last), "{alert:?}");
    let told: Vec<_> = alert.statistics.iter().map(|s| (s.threshold, s.decides)).collect();
    assert_eq!(told, [(5.0, false), (20.0, true)]);
    assert!(alert.base_rate.fired_90d > 0 && alert.base_rate.known_days > 8.9);
    let text = explain::description(alert);
    assert!(
        text.starts_with(
            "20 liquidations in 19 s (alert at 20 within 60 s, fixed floor 5): 10 K USD, all longs, at 100.00."
        ),
        "{text}"
    );
}

#[test]
fn own_history_keeps_a_busy_market_quiet_about_velocity() {
    let mut inputs = Inputs::nothing(at(0));
    let l = LiquidationInputs {
        velocity: ready(300_000.0),
        total: ready(900_000.0),
        velocity_pct: ready(0.60),
        velocity_threshold: ready(800_000.0),
        severity_ratio: ready(1.5),
        ..LiquidationInputs::NOTHING
    };
    inputs.liquidations = l;
    let step = |inputs: &Inputs, t: &Thresholds| {
        let mut out = Vec::new();
        Surveillance::default().step(inputs, t, &mut out);
        out
    };
    assert_eq!(step(&inputs, &Thresholds::default()), []);
    assert_eq!(step(&inputs, &Thresholds::floors()).len(), 1);
    inputs.liquidations.velocity_pct = state(State::Warming { have: 20, need: 168 });
    inputs.liquidations.velocity_threshold = ready(200_000.0);
    let early = step(&inputs, &Thresholds::default());
    assert!(early[0].statistics.iter().any(|s| s.uncalibrated), "before a week the floor decides and says so");
    assert!(explain::description(&early[0]).contains("too little history of its own"));
}

#[test]
fn one_side_needs_five_events_and_a_cascade_stands_over_it() {
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    let mut inputs = Inputs::nothing(at(0));
    inputs.liquidations.long_share_1h = ready(0.10);
    inputs.liquidations.events_1h = ready(4.0);
    surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    assert_eq!(out, []);
    inputs.liquidations.events_1h = ready(5.0);
    inputs.ts = at(1);
    surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    assert_eq!((out[0].pattern, out[0].inhibited_by), (Pattern::ForcedLiquidations, None));
    let mut surveillance = Surveillance::default();
    inputs.liquidations.count_60s = ready(9.0);
    out.clear();
    surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    let told: Vec<_> = out.iter().map(|a| (a.pattern, a.inhibited_by)).collect();
    assert_eq!(
        told,
        [(Pattern::LiquidationCascade, None), (Pattern::ForcedLiquidations, Some(Pattern::LiquidationCascade))]
    );
}

#[test]
fn labels_sessions_and_confirmations_happen_once() {
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    let confirmed = |is| Confirmed {
        axis: Axis::Trend,
        label: "UPTREND",
        code: 1,
        is: Some(is),
        confidence: Some(0.8),
        timeframes: &["1h", "4h"],
    };
    let mut step = |minute: i64, risk, volatility, is, session| {
        let mut inputs = Inputs::nothing(at(minute));
        inputs.labels.risk = Some(risk);
        inputs.labels.volatility = Some(volatility);
        inputs.labels.trend = Some(TrendRegime::Uptrend);
        inputs.confirmed[1] = confirmed(is);
        inputs.session = Some(session);
        out.clear();
        surveillance.step(&inputs, &Thresholds::default(), &mut out);
        out.iter().map(|a| (a.pattern, a.severity)).collect::<Vec<_>>()
    };
    use {Pattern as P, RiskRegime as R, Severity as Sev, TradingSession as S, VolRegime as V};
    assert_eq!(step(0, R::Unknown, V::Unknown, false, S::Asian), []);
    assert_eq!(step(1, R::Normal, V::Stable, false, S::Asian), [], "the first labels are no change");
    assert_eq!(
        step(2, R::SqueezeRisk, V::Stable, true, S::Asian),
        [(P::RegimeChange, Sev::High), (P::RegimeConfirmed, Sev::Info)]
    );
    assert_eq!(
        step(3, R::SqueezeRisk, V::Extreme, true, S::London),
        [(P::VolatilityRegimeChange, Sev::Critical), (P::SessionChanged, Sev::Info)]
    );
    assert_eq!(step(4, R::Unknown, V::Unknown, true, S::London), [(P::RegimeChange, Sev::Medium)]);
    assert_eq!(
        step(5, R::Normal, V::HighVol, false, S::London),
        [(P::RegimeChange, Sev::Info), (P::VolatilityRegimeChange, Sev::Info)]
    );
    assert_eq!(
        step(6, R::ChopRisk, V::Explosive, true, S::London),
        [(P::RegimeChange, Sev::Medium), (P::VolatilityRegimeChange, Sev::Medium), (P::RegimeConfirmed, Sev::Info)]
    );
}

#[test]
fn a_base_rate_counts_how_often_a_label_came_whatever_was_before_it_and_never_itself() {
    use RiskRegime::{ChopRisk, HighVol, Normal};
    let mut surveillance = Surveillance::default();
    let mut out = Vec::new();
    let labels = [Normal, HighVol, Normal, ChopRisk, Normal, HighVol, ChopRisk, HighVol];
    let basis = [0.0, 0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.03, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    for (i, x) in (0..).zip(basis) {
        let mut inputs = Inputs::nothing(at(i));
        inputs.labels.risk = labels.get(usize::try_from(i).unwrap()).copied();
        inputs.basis = ready(x);
        surveillance.step(&inputs, &Thresholds::floors(), &mut out);
    }
    let told = |pattern| out.iter().filter(move |a| a.pattern == pattern);
    let fired: Vec<u32> = told(Pattern::RegimeChange).map(|a| a.base_rate.fired_90d).collect();
    // HIGH_VOL and NORMAL, chop and NORMAL again; HIGH_VOL again from NORMAL, chop from HIGH_VOL, HIGH_VOL from chop.
    assert_eq!(fired, [0, 0, 0, 1, 1, 1, 2]);
    let episodes: Vec<(AlertChange, u32)> =
        told(Pattern::BasisManipulation).map(|a| (a.change, a.base_rate.fired_90d)).collect();
    assert_eq!(
        episodes,
        [(AlertChange::Opened, 0), (AlertChange::Closed, 0), (AlertChange::Opened, 1), (AlertChange::Closed, 1)]
    );
}

/// Every detector at once, wild numbers and gaps.
fn wild(r: &mut Random, minute: i64) -> Inputs {
    let mut cell = |scale: f64| {
        if r.unit() < 0.02 { state(GAP) } else { ready(scale * r.normal()) }
    };
    let mut inputs = Inputs::nothing(at(minute));
    inputs.funding_rate = cell(0.0004);
    inputs.funding_zscore = cell(2.0);
    inputs.funding_change = cell(0.0005);
    inputs.funding_volatility = cell(0.0003);
    inputs.basis = cell(0.015);
    inputs.premium = cell(0.01);
    let abs = |c: Cell| Cell { value: c.value.abs(), ..c };
    inputs.farming_share = abs(cell(0.6));
    inputs.concentration = abs(cell(0.2));
    let l = &mut inputs.liquidations;
    l.count_60s = abs(cell(5.0));
    l.velocity = abs(cell(250_000.0));
    l.total = abs(cell(700_000.0));
    l.events_1h = abs(cell(9.0));
    l.long_share_1h = Cell { value: cell(1.0).value.abs().min(1.0), ..ready(0.0) };
    let labels = [RiskRegime::Normal, RiskRegime::ChopRisk, RiskRegime::HighVol, RiskRegime::Unknown];
    inputs.labels.risk = Some(labels[usize::try_from(r.next() % 4).unwrap()]);
    inputs.session = Some(TradingSession::ALL[usize::try_from(minute / 400 % 4).unwrap()]);
    inputs
}

#[test]
fn a_save_changes_nothing_and_the_records_of_an_episode_fit_together() {
    let thresholds = Thresholds::floors();
    let mut r = Random(8);
    let (mut whole, mut saved) = (Surveillance::default(), Surveillance::default());
    let (mut a, mut b): (Vec<Alert>, Vec<Alert>) = (Vec::new(), Vec::new());
    for minute in 0..6_000 {
        let inputs = wild(&mut r, minute);
        whole.step(&inputs, &thresholds, &mut a);
        saved.step(&inputs, &thresholds, &mut b);
        if minute % 41 == 0 {
            let bytes = postcard::to_allocvec(&saved).unwrap();
            saved = postcard::from_bytes(&bytes).unwrap();
        }
    }
    assert_eq!(a, b);
    let name = InstrumentName::parse("binance-usdm:BTCUSDT").unwrap();
    for (i, alert) in a.iter().enumerate() {
        assert!(
            (0.0..=100.0).contains(&alert.score)
                && alert.opened_at <= alert.last_seen_at
                && alert.last_seen_at <= alert.ts
        );
        assert_eq!(alert.closed_at.is_some(), alert.state == AlertState::Closed);
        let text = explain::description(alert);
        no_forbidden_word(&text);
        assert!(text.ends_with('.') && !text.contains("  ") && !text.contains("NaN"), "{text}");
        no_forbidden_word(&explain::title(alert));
        if alert.revision > 1 {
            let before = a[..i].iter().rfind(|x| (x.pattern, x.trigger) == (alert.pattern, alert.trigger)).unwrap();
            assert_eq!((before.revision + 1, before.opened_at), (alert.revision, alert.opened_at));
            assert!(before.severity <= alert.severity && before.state != AlertState::Closed);
            assert_eq!(before.id(&name, "v"), alert.id(&name, "v"));
        }
    }
    let seen: std::collections::BTreeSet<_> = a.iter().map(|x| x.pattern).collect();
    assert!(seen.len() >= 11, "{seen:?}");
    let changes: std::collections::BTreeSet<_> = a.iter().map(|x| x.change).collect();
    assert_eq!(changes.len(), AlertChange::ALL.len());
}

fn no_forbidden_word(text: &str) {
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase) {
        let forbidden = [
            "buy",
            "sell",
            "guarantee",
            "guaranteed",
            "will",
            "profit",
            "profits",
            "long",
            "short",
            "detected",
            "should",
            "must",
            "reduce",
            "tighten",
            "fraud",
            "enter",
            "exit",
        ];
        assert!(!forbidden.contains(&word.as_str()), "'{word}' in: {text}");
    }
    assert!(!text.contains('!'), "{text}");
}

#[test]
fn lists_of_funding_give_what_the_stream_gives() {
    // Synthetic: hourly funding, flat for three days with a little noise, then a jump and a turn.
    let mut r = Random(4);
    let points: Vec<FundingPoint> = (0..100)
        .map(|h| {
            let base = if h < 80 {
                0.0001
            } else if h < 90 {
                0.0009
            } else {
                -0.0004
            };
            FundingPoint { ts: at(60 * h), rate: base + 0.000_003 * r.normal(), interval_h: 8.0 }
        })
        .collect();
    let metrics = compute_funding_metrics(&points);
    assert!((metrics.rate.cell.value - points[99].rate).abs() < 1e-15);
    let anomalies = detect_funding_anomalies(&points, &Thresholds::default());
    assert_eq!(anomalies[0].change, AlertChange::Opened);
    let jump = anomalies.iter().find(|a| a.ts == at(80 * 60)).unwrap();
    assert!(jump.number("funding_z_score").unwrap() > 4.0 && jump.severity == Severity::High, "{jump:?}");
    let reversals = detect_reversal_signals(&points, &Thresholds::default());
    assert_eq!((reversals[0].change, reversals[0].ts), (AlertChange::Opened, at(90 * 60)));
    assert!((reversals[0].number("previous_rate").unwrap() - points[82].rate).abs() < 1e-15);
    assert_eq!(detect_reversal_signals(&points[..1], &Thresholds::default()), []);
}
