//! Key figures of risk §8 from trades whose outcomes are known: counts add up, figures are those of the definitions, and what
//! makes it worse is called worse.

use crate::advice_common;
use advice_common::{calm, level};
use barograph_domain::advice::{TargetSource, Verdict};
use barograph_domain::{LevelType, Side, Span, TradingSession, Ts};
use barograph_engine::advice::{OperatorSettings, Trades, expected_value};
use barograph_engine::kpi::{
    Arm, BarMark, FillBar, JudgedEntry, JudgedMoments, MarketRecord, MeasuredTrade, NotJudged, SessionTuning,
    StrategyName, TradeCosts, TradeExit, compare, judge, measure, report, tune_sessions,
};

const HOUR: Span = Span::hours(1);
const FREE: TradeCosts = TradeCosts { taker_fee: 0.0, half_spread: 0.0 };

/// R2.53 as a calculation: 0.45 wins of 1.5 R make 0.125 R, 0.60 of 2.2 R make 0.92 R.
#[test]
fn the_expected_values_of_the_original_follow_from_its_own_win_rates() {
    for (wins, average_win, want) in [(45, 1.5, 0.125), (60, 2.2, 0.92)] {
        let (value, w, b) = expected_value(Trades { wins, n: 100, average_win, average_loss: 1.0 }).unwrap();
        assert!((value - want).abs() < 1e-12, "{value}");
        assert!((w * b - (1.0 - w) - value).abs() < 1e-12);
    }
}

#[test]
fn arms_differ_by_the_part_they_name() {
    let levels = [level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.6)];
    let ctx = calm(&levels);
    let entry = judge(Some(&ctx), &OperatorSettings::default(), (advice_common::NOW, Side::Long, 50_000.0)).unwrap();
    let plan = |arm| {
        let p = entry.plan(arm);
        (p.stop, p.target)
    };
    let near = |(a, b): (f64, f64), (c, d): (f64, f64)| {
        assert!((a - c).abs() < 1e-9 && (b - d).abs() < 1e-9, "{a} {b}, not {c} {d}")
    };
    near(plan(Arm::Plain), (49_400.0, 50_900.0));
    near(plan(Arm::Context), (49_168.4, 51_860.0));
    near(plan(Arm::ContextStop), (49_168.4, 50_000.0 + 1.5 * 831.6));
    near(plan(Arm::ContextTarget), (49_400.0, 51_860.0));
    near(plan(Arm::RatioTarget), (49_168.4, 52_079.0));
    assert_eq!((entry.target_source, entry.verdict), (TargetSource::Liquidity, Verdict::Allow));
    assert_eq!(entry.confidence, Some(0.7));
    let no_atr = barograph_engine::advice::AdviceContext { atr_14: None, ..ctx };
    let of = |c| judge(c, &OperatorSettings::default(), (advice_common::NOW, Side::Long, 50_000.0)).unwrap_err();
    assert_eq!([of(None), of(Some(&no_atr))], [NotJudged::NoContext, NotJudged::NoAtr]);
}

/// What becomes of a day's trade: where the close goes in the hour after the entry, quote units from 50,000.
const UP: f64 = 1_000.0;
const FAR_UP: f64 = 2_000.0;
const DOWN: f64 = -900.0;

/// One entry a day at 10:00, followed by a bar that reaches so far; the plain pair ends at −600 and +900, the context's at
/// −831.6 and +1,860.
fn market(moves: &[f64]) -> (MarketRecord, JudgedMoments) {
    let levels = [level(LevelType::EqualHighs, 51_900.0, 51_950.0, 0.6)];
    let mut record = MarketRecord { step: HOUR, ..MarketRecord::default() };
    let mut crosses = JudgedMoments::new();
    for (day, &far) in (0_i64..).zip(moves) {
        let begin = Ts::from_civil(2025, 1, 1, 0, 0, 0) + Span::days(day);
        for hour in 1..=24 {
            let away = if hour == 11 { far } else { 0.0 };
            let (high, low) = (50_000.0 + away.max(0.0), 50_000.0 + away.min(0.0));
            let close_ts = begin + HOUR.times(hour);
            record.bars.push(FillBar { close_ts, open: 50_000.0, high, low, close: 50_000.0, volume: None });
            record.marks.push(BarMark { at: close_ts, close: 50_000.0, atr: 400.0 });
        }
        let at = begin + HOUR.times(10);
        let judged = judge(Some(&calm(&levels)), &OperatorSettings::default(), (at, Side::Long, 50_000.0));
        crosses.push(judged.map(|e| JudgedEntry { at, ..e }));
    }
    (record, crosses)
}

#[test]
fn counts_add_up_and_every_reason_has_its_place() {
    let (mut record, mut crosses) = market(&[UP; 6]);
    let again = crosses[0].clone();
    crosses.insert(1, again);
    crosses.push(Err(NotJudged::NoContext));
    crosses.push(Err(NotJudged::NoAtr));
    crosses.push(Err(NotJudged::OutOfRange));
    // The third day's bar of the move is missing, and the last day breaks off.
    let missing = Ts::from_civil(2025, 1, 3, 11, 0, 0);
    let last = Ts::from_civil(2025, 1, 6, 10, 0, 0);
    record.bars.retain(|b| b.close_ts != missing && b.close_ts <= last);
    let (trades, counts) = measure((0, &record), &crosses, Span::hours(12), 1);
    assert_eq!(counts.crosses, 10);
    assert_eq!((counts.no_context, counts.no_atr, counts.out_of_range), (1, 1, 1));
    assert_eq!((counts.while_open, counts.gap, counts.still_open), (1, 1, 1), "{counts:?}");
    assert!(counts.add_up() && usize::try_from(counts.measured).unwrap() == trades.len(), "{counts:?}");
}

#[test]
fn figures_are_those_of_the_definitions() {
    // Of ten days five reach the plain target only, three the level as well, two the stops of both.
    let pattern = [UP, UP, UP, UP, UP, FAR_UP, FAR_UP, FAR_UP, DOWN, DOWN];
    let moves: Vec<f64> = pattern.iter().copied().cycle().take(100).collect();
    let (record, crosses) = market(&moves);
    let (trades, counts) = measure((0, &record), &crosses, Span::hours(12), 1);
    assert_eq!((counts.measured, counts.crosses), (100, 100));
    let r = report(&trades, &FREE, Span::hours(12), 1);
    let near = |got: Option<f64>, want: f64, what: &str| {
        assert!(got.is_some_and(|g| (g - want).abs() < 1e-9), "{what}: {got:?}, not {want}");
    };
    let [plain, context] = [&r.values[0], &r.values[1]];
    near(plain.win_rate.value, 0.8, "plain wins");
    near(plain.before_costs.value, 0.8 * 1.5 - 0.2, "plain");
    near(plain.formula, 0.8 * 1.5 - 0.2, "w·b − (1 − w)");
    // Five end with their time at the entry price: no win, no loss.
    near(context.win_rate.value, 0.3, "context wins");
    let planned = 1_860.0 / 831.6;
    near(context.before_costs.value, 0.3 * planned - 0.2, "context");
    near(context.difference.unwrap().value, 0.3 * planned - 0.2 - 1.0, "difference");
    near(r.stop_out.plain.value, 0.2, "stopped");
    near(r.stop_out.difference.value, 0.0, "stopped alike");
    near(r.achieved.context.value, 1.0, "winners reach what was planned");
    near(r.targets.reached.value, 0.3, "levels reached");
    // A random hour reaches 1,860 before the stop where the far move lies within its next twelve hours: about half of three days in ten.
    let random = r.targets.random.value.unwrap();
    assert!((0.10..0.20).contains(&random), "{random}");
    let session = r.sessions.iter().find(|s| s.session == TradingSession::Ny).unwrap();
    assert_eq!((session.win_rate.plain.n, r.sessions[0].win_rate.plain.n), (100, 0));
    // Everybody has the same confidence: nobody is above 0.7 or below 0.4.
    assert_eq!((r.confidence.gap.value, r.confidence.gap.missing), (None, Some("too few")));
    assert_eq!(r.confidence.groups.iter().map(|g| g.win_rate.n).collect::<Vec<_>>(), [0, 100, 0, 0]);
    assert!(r.sentences[0].starts_with("with context, against plain: 0.53 R worse per trade"), "{:?}", r.sentences);
    assert_eq!(r, report(&trades, &FREE, Span::hours(12), 1), "the seed decides");
    let costly = report(&trades, &TradeCosts { taker_fee: 0.0006, half_spread: 0.0 }, Span::hours(12), 1);
    near(costly.values[0].after_costs.value, 1.0 - 50_000.0 * 0.0012 / 600.0, "after costs");
    near(costly.values[0].before_costs.value, 1.0, "before costs");
    assert!(trades.iter().all(|t| t.result(Arm::Plain).exit != TradeExit::Time));
}

#[test]
fn groups_of_thirty_have_a_gap() {
    let moves: Vec<f64> = (0..90).map(|n| if n % 3 == 2 { DOWN } else { FAR_UP }).collect();
    let (record, mut crosses) = market(&moves);
    for (n, cross) in crosses.iter_mut().enumerate() {
        let Ok(entry) = cross else { panic!("judged") };
        // Losers are unsure, winners sure or without a confidence.
        entry.confidence = [Some(0.8), None, Some(0.3)][n % 3];
    }
    let (trades, _) = measure((0, &record), &crosses, Span::hours(12), 1);
    let r = report(&trades, &FREE, Span::hours(12), 1);
    assert_eq!(r.confidence.gap.value, Some(1.0));
    assert_eq!(r.confidence.groups.iter().map(|g| g.win_rate.n).collect::<Vec<_>>(), [30, 0, 30, 30]);
    let fewer = report(&trades[..89], &FREE, Span::hours(12), 1);
    assert_eq!((fewer.confidence.gap.value, fewer.confidence.gap.n), (None, 29));
}

#[test]
fn a_verdict_that_knows_is_a_filter_that_helps() {
    let moves: Vec<f64> = (0..60).map(|n| if n % 2 == 0 { FAR_UP } else { DOWN }).collect();
    let (record, mut crosses) = market(&moves);
    for (n, cross) in crosses.iter_mut().enumerate() {
        let Ok(entry) = cross else { panic!("judged") };
        entry.verdict = if n % 2 == 0 { Verdict::Allow } else { Verdict::Avoid };
    }
    let (trades, _) = measure((0, &record), &crosses, Span::hours(12), 1);
    let r = report(&trades, &FREE, Span::hours(12), 1);
    let of = |name: &str| r.values.iter().find(|v| v.arm == name).unwrap();
    let kept = of("with context, AVOID left out");
    assert_eq!(kept.after_costs.n, 30);
    assert!(kept.difference.unwrap().low.unwrap() > 0.0, "{kept:?}");
    assert_eq!(of("with context, AVOID").win_rate.value, Some(0.0));
}

#[test]
fn strategies_are_compared_by_the_same_figures_with_bands_for_all_of_them() {
    let trades = |moves: &[f64]| {
        let (record, crosses) = market(moves);
        measure((0, &record), &crosses, Span::hours(12), 1).0
    };
    // One wins seven of ten, the other nothing but time at the entry price and stops.
    let good: Vec<f64> = (0..100).map(|n| if n % 10 < 7 { FAR_UP } else { DOWN }).collect();
    let bad: Vec<f64> = (0..100).map(|n| if n % 2 == 0 { UP } else { DOWN }).collect();
    let (good, bad) = (trades(&good), trades(&bad));
    let of =
        [(StrategyName::CumDelta, good.as_slice()), (StrategyName::MultiTf, &bad), (StrategyName::RangeTrading, &[])];
    let c = compare(&of, &FREE, Span::hours(12), 1);
    assert_eq!((c.strategies, c.level), (3, 0.95));
    assert!((c.level_of_all - (1.0 - 0.05 / 3.0)).abs() < 1e-12, "{}", c.level_of_all);
    for (figures, (strategy, trades)) in c.figures.iter().zip(of) {
        let alone = report(trades, &FREE, Span::hours(12), 1);
        assert_eq!((figures.strategy, figures.n, figures.days), (strategy, alone.n, alone.days));
        assert_eq!(figures.after_costs.context, alone.values[1].after_costs);
        assert_eq!(Some(figures.after_costs.difference), alone.values[1].difference);
        assert_eq!(figures.stop_out, alone.stop_out);
        let (one, all) = (figures.after_costs.context, figures.after_costs_of_all.context);
        assert!(one.value == all.value && all.low <= one.low && all.high >= one.high, "{one:?} {all:?}");
    }
    let first = &c.figures[0];
    assert_eq!((first.win_rate.context.value, first.target_hit.context.value), (Some(0.7), Some(0.7)));
    assert_eq!((c.figures[1].target_hit.plain.value, c.figures[1].target_hit.context.value), (Some(0.5), Some(0.0)));
    assert_eq!(
        c.sentences,
        [
            "mean after costs with context: above zero for cumulative delta; below zero for multi-timeframe trend (3 compared, \
             bands of 98.33 % each)",
            "mean after costs, plain: above zero for cumulative delta (3 compared, bands of 98.33 % each)",
            "context less plain after costs: above zero for cumulative delta; below zero for multi-timeframe trend (3 compared, \
             bands of 98.33 % each)",
            "too little data for a band: range trading",
        ]
    );
}

/// Trades of 120 days, London's on even ones and Asia's on odd ones; before and since the 81st day they move so far.
fn two_sessions(before: [f64; 2], since: [f64; 2]) -> Vec<MeasuredTrade> {
    let moves: Vec<f64> = (0..120).map(|day| if day < 80 { before[day % 2] } else { since[day % 2] }).collect();
    let (record, mut crosses) = market(&moves);
    for (day, cross) in crosses.iter_mut().enumerate() {
        let Ok(entry) = cross else { panic!("judged") };
        entry.session = Some([TradingSession::London, TradingSession::Asian][day % 2]);
    }
    measure((0, &record), &crosses, Span::hours(12), 1).0
}

#[test]
fn sessions_are_chosen_before_the_split_and_judged_after_it() {
    let split = Ts::from_civil(2025, 1, 1, 0, 0, 0) + Span::days(80);
    let tuned = |trades: &[MeasuredTrade], split| tune_sessions(trades, split, &FREE, Span::hours(12), 1);
    let chosen = |t: &SessionTuning| -> Vec<TradingSession> {
        t.sessions.iter().filter(|s| s.chosen).map(|s| s.session).collect()
    };
    // A win is 1,860/831.6 R, a loss −1 R.
    let mixed = [FAR_UP, DOWN];
    let held = tuned(&two_sessions(mixed, mixed), split);
    assert_eq!((held.n_before, held.n_after, held.n_across), (80, 40, 0));
    assert_eq!(chosen(&held), [TradingSession::London]);
    let win = 1_860.0 / 831.6;
    assert!(
        (held.chosen.value.unwrap() - win).abs() < 1e-9 && (held.all.value.unwrap() - (win - 1.0) / 2.0).abs() < 1e-9
    );
    assert!(held.sentence.starts_with("LONDON, chosen before 2025-03-22: +2.24 R a trade since"), "{}", held.sentence);
    assert!(held.sentence.contains("; it held. All sessions: +0.62 R"), "{}", held.sentence);
    // What was the better session is the worse one afterwards: nothing of the first part is in the figure.
    let lost = tuned(&two_sessions(mixed, [DOWN, FAR_UP]), split);
    assert_eq!((chosen(&lost), lost.chosen.value), (vec![TradingSession::London], Some(-1.0)));
    assert!(lost.sentence.contains("it did not hold"), "{}", lost.sentence);
    // 29 trades are too few, and a session that lost is not chosen.
    let few = tuned(&two_sessions(mixed, mixed), split - Span::days(22));
    assert_eq!((few.sessions[1].before.n, chosen(&few).len()), (29, 0));
    assert!(few.sentence.contains("no session had a mean above zero after costs on 30 trades"), "{}", few.sentence);
    // A trade from 10:00 to 11:00 that is open at the split belongs to neither part.
    let across = tuned(&two_sessions(mixed, mixed), split + Span::mins(630));
    assert_eq!((across.n_before, across.n_after, across.n_across), (80, 39, 1));
    let nothing = tuned(&two_sessions(mixed, mixed), split + Span::days(60));
    assert!(nothing.sentence.contains("nothing can be judged"), "{}", nothing.sentence);
}
