//! Labels of small frames, by hand and against a second way of computing them.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts, math};
use barograph_study::folds::{FoldPlan, StudyFolds};
use barograph_study::targets::{LabelledRows, Labeller, TargetError, TargetId, Unlabelled, VolTercile, VolTerciles};
use barograph_study::{FrameColumn, ResearchFrame};

/// One row: its second, whether the book could be used, mid, seconds since the last gap, age of the last change in ms.
type Row = (i64, bool, Option<f64>, f64, f64);

fn frame(rows: &[Row]) -> ResearchFrame {
    let of = |f: &dyn Fn(&Row) -> Option<f64>| rows.iter().map(f).collect::<FrameColumn>();
    let columns = [
        ("mid_price", of(&|r| r.2)),
        ("dq_seconds_since_gap", of(&|r| Some(r.3))),
        ("dq_book_age_ms", of(&|r| Some(r.4))),
        ("sweep_cost_buy_bps", of(&|r| r.2.map(|m| m / 100.0))),
        ("sweep_cost_sell_bps", of(&|r| Some(r.3).filter(|s| *s > 0.0))),
    ];
    let columns = columns.map(|(name, column)| (name.to_owned(), column)).into();
    ResearchFrame::new(rows.iter().map(|r| Ts::from_secs(r.0)).collect(), rows.iter().map(|r| r.1).collect(), columns)
        .unwrap()
}

fn calm(mids: &[f64]) -> Vec<Row> {
    (0..).zip(mids).map(|(t, m)| (t, true, Some(*m), 86_400.0, 0.0)).collect()
}

fn label(rows: &[Row], id: &str) -> LabelledRows {
    Labeller::new(&frame(rows)).unwrap().label(TargetId::parse(id).unwrap()).unwrap()
}

/// Row and value of every label.
fn labels(of: &LabelledRows) -> Vec<(usize, f64)> {
    of.spans().as_slice().iter().map(|s| s.row).zip(of.values().iter().copied()).collect()
}

const MIDS: [f64; 7] = [100.0, 101.0, 101.0, 99.0, 100.0, 102.0, 101.0];

#[test]
fn moves_of_the_mid() {
    let rows = calm(&MIDS);
    let ret = label(&rows, "ret_1s");
    let want: Vec<(usize, f64)> = (0..6).map(|n| (n, math::ln(MIDS[n + 1] / MIDS[n]))).collect();
    assert_eq!(labels(&ret), want);
    let span = ret.spans().as_slice()[2];
    assert_eq!((span.start, span.end), (Ts::from_secs(2), Ts::from_secs(3)));
    assert_eq!(ret.unlabelled(), Unlabelled { end: 1, ..Unlabelled::default() });
    assert_eq!(labels(&label(&rows, "ret_5s")), [(0, math::ln(1.02)), (1, 0.0)]);
    // The mid that stays is no direction, and is counted.
    let dir = label(&rows, "dir_1s");
    assert_eq!(labels(&dir), [(0, 1.0), (2, 0.0), (3, 1.0), (4, 1.0), (5, 0.0)]);
    assert_eq!(dir.unlabelled().zero, 1);
    assert_eq!(labels(&label(&rows, "dir3_1s"))[..3], [(0, 1.0), (1, 0.0), (2, -1.0)]);
}

#[test]
fn zero_moves_are_counted_for_any_stretch() {
    for id in ["ret_1s", "dir_1s", "dir3_1s"] {
        let of = label(&calm(&MIDS), id);
        let zeros = |from, to| of.zeros_between(Ts::from_secs(from), Ts::from_secs(to)).unwrap();
        assert_eq!((zeros(0, 9).moves, zeros(0, 9).zeros), (6, 1), "{id}");
        assert_eq!(
            (zeros(1, 2).share(), zeros(2, 9).share(), zeros(7, 9).share()),
            (Some(0.5), Some(0.0), None),
            "{id}"
        );
    }
    assert_eq!(label(&calm(&[1.0; 70]), "cost_buy_fwd_1m").zeros_between(Ts::MIN, Ts::MAX), None);
}

#[test]
fn moves_over_changes_of_the_book() {
    let mut rows = calm(&MIDS);
    // The book did not change in the seconds 1 and 4.
    (rows[1].4, rows[4].4) = (1_000.0, 1_400.0);
    let one = label(&rows, "ret_1tick");
    let simple = |a: usize, b: usize| MIDS[b] / MIDS[a] - 1.0;
    assert_eq!(labels(&one), [(0, simple(0, 2)), (2, simple(2, 3)), (3, simple(3, 5)), (5, simple(5, 6))]);
    assert_eq!(one.spans().as_slice()[2].end, Ts::from_secs(5));
    assert_eq!((one.unlabelled().unchanged, one.unlabelled().end), (2, 1));
    // Five changes on: none here.
    assert_eq!(label(&rows, "ret_5tick").values(), [0.0; 0]);
    let five = label(&calm(&[100.0, 1.0, 1.0, 1.0, 1.0, 100.0, 2.0]), "dir_5tick");
    assert_eq!(labels(&five), [(0, 0.0), (1, 1.0)], "no move counts as 0");
}

/// A hole in the rows or a declared gap takes the labels that span it and no others; a book that cannot be used those that begin or end with it.
#[test]
fn nothing_is_labelled_across_a_gap() {
    let whole = calm(&[1.0; 30]);
    let labelled = |rows: &[Row]| -> Vec<i64> {
        label(rows, "ret_5s").spans().as_slice().iter().map(|s| s.start.0 / 1_000_000_000).collect()
    };
    let without = |from: i64, to: i64| (0..25).filter(|t| !(from..=to).contains(t)).collect::<Vec<_>>();
    assert_eq!(labelled(&whole), without(99, 99));

    let mut hole = whole.clone();
    hole.remove(12);
    assert_eq!(labelled(&hole), without(7, 12), "second 12 is missing");

    let ends_at_12: Vec<i64> = without(7, 7).into_iter().filter(|t| *t != 12).collect();
    let mut unusable = whole.clone();
    unusable[12].1 = false;
    assert_eq!(labelled(&unusable), ends_at_12, "the book of second 12 could not be used");

    let mut short = whole.clone();
    // A gap between two rows, over before the second 12 was.
    (12..30).for_each(|t| short[usize::try_from(t).unwrap()].3 = f64::from(t - 12) + 0.4);
    assert_eq!(labelled(&short), without(7, 11), "a gap ended at 11.6");

    let mut one_sided = whole.clone();
    one_sided[12].2 = None;
    assert_eq!(labelled(&one_sided), ends_at_12, "no mid at second 12, but nothing is unknown");
}

/// Why a row has no label: what is missing is a gap; a book that only stood still, or was crossed, is none, and counts where the horizon ends.
#[test]
fn what_breaks_a_horizon_is_named() {
    let none = Unlabelled { end: 5, ..Unlabelled::default() };
    let spoil = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = calm(&[1.0; 30]);
        change(&mut rows);
        label(&rows, "ret_5s").unlabelled()
    };
    for (name, change, want) in [
        ("nothing", &(|_: &mut Vec<Row>| ()) as &dyn Fn(&mut Vec<Row>), none),
        ("a missing second", &|rows| _ = rows.remove(12), Unlabelled { gap: 5, ..none }),
        (
            "a declared gap",
            &|rows| (12..30).for_each(|t| rows[t].3 = (t - 12) as f64 + 0.4),
            Unlabelled { gap: 5, ..none },
        ),
        (
            "a book that stands still",
            &|rows| (rows[12].1, rows[12].4) = (false, 5_000.1),
            Unlabelled { now: 1, stale: 1, ..none },
        ),
        ("a crossed book", &|rows| rows[12].1 = false, Unlabelled { now: 1, unusable: 1, ..none }),
        (
            "both",
            &|rows| (rows[12].1, rows[12].4, rows[13].1) = (false, 6_000.0, false),
            Unlabelled { now: 2, stale: 1, unusable: 1, ..none },
        ),
        (
            "a gap with a stale book behind it",
            &|rows| {
                (12..30).for_each(|t| rows[t].3 = (t - 12) as f64 + 0.4);
                (rows[12].1, rows[12].4) = (false, 6_000.0);
            },
            Unlabelled { now: 1, gap: 5, ..none },
        ),
    ] {
        assert_eq!(spoil(change), want, "{name}");
    }
}

#[test]
fn costs_are_means_over_every_second_ahead() {
    let mut rows = calm(&(0..100).map(|n| 100.0 + f64::from(n)).collect::<Vec<_>>());
    let buy = label(&rows, "cost_buy_fwd_1m");
    assert_eq!(buy.values().len(), 40);
    for (row, value) in labels(&buy) {
        let mean = (row + 1..=row + 60).map(|n| rows[n].2.unwrap() / 100.0).sum::<f64>() / 60.0;
        assert!((value - mean).abs() < 1e-12, "{row}: {value} is not {mean}");
    }
    // Too thin a book at second 70: the minutes that hold it have no mean.
    rows[70].2 = None;
    let thin = label(&rows, "cost_buy_fwd_1m");
    assert_eq!(labels(&thin).iter().map(|l| l.0).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(thin.unlabelled().input, 30);
    // What an order would have cost at a book that stood still nobody knows.
    (rows[70].2, rows[70].1, rows[70].4) = (Some(100.0), false, 6_000.0);
    let still = label(&rows, "cost_buy_fwd_1m");
    assert_eq!((still.values().len(), still.unlabelled().stale), (10, 30));
}

/// Against the definition: the root of the mean square of 1 800 returns, in units of a year.
#[test]
fn forward_volatility_is_that_of_the_next_half_hour() {
    let mut random = SplitMix::new(3);
    let mut mid = 50_000.0;
    let mids: Vec<f64> = (0..4_000)
        .map(|_| {
            mid *= 1.0 + 1e-4 * (random.unit() - 0.5);
            mid
        })
        .collect();
    let of = label(&calm(&mids), "vol_regime_fwd");
    assert_eq!(of.values().len(), 2_200);
    for (row, value) in labels(&of).into_iter().step_by(97) {
        let squares = (row + 1..=row + 1_800).map(|n| math::ln(mids[n] / mids[n - 1])).map(|r| r * r).sum::<f64>();
        let want = (squares / 1_800.0 * 365.0 * 86_400.0).sqrt();
        assert!((value / want - 1.0).abs() < 1e-12, "{row}: {value} is not {want}");
    }
}

/// The mid of a second is the last valid one: a move over seconds without a usable book counts where it ends, and too many of them have no
/// volatility.
#[test]
fn forward_volatility_goes_over_seconds_in_which_the_book_stood_still() {
    let mids: Vec<f64> = (0..2_400).map(|n| 100.0 + f64::from(n * n % 17)).collect();
    let of = |still: &dyn Fn(usize) -> bool| {
        let mut rows = calm(&mids);
        (0..rows.len()).filter(|n| still(*n)).for_each(|n| (rows[n].1, rows[n].4) = (false, 6_000.0));
        let labelled = label(&rows, "vol_regime_fwd");
        let mut last = mids[0];
        let carried: Vec<f64> = (0..rows.len())
            .map(|n| {
                last = if rows[n].1 { mids[n] } else { last };
                last
            })
            .collect();
        for (row, value) in labels(&labelled).into_iter().step_by(41) {
            let moves = (row + 1..=row + 1_800).map(|n| math::ln(carried[n] / carried[n - 1]));
            let moves = moves.map(|r| r * r).sum::<f64>();
            let want = (moves / 1_800.0 * 365.0 * 86_400.0).sqrt();
            assert!((value / want - 1.0).abs() < 1e-12, "{row}: {value} is not {want}");
        }
        labelled.unlabelled()
    };
    let none = Unlabelled { end: 1_800, ..Unlabelled::default() };
    assert_eq!(of(&|_| false), none);
    // Three seconds of ten from 600 to 1,500 are 270 of every half hour that is labelled, five of ten too many.
    assert_eq!(of(&|n| (600..1_500).contains(&n) && n % 10 < 3), Unlabelled { now: 270, end: 1_530, ..none });
    assert_eq!(of(&|n| n >= 1_900 && n % 10 < 3), Unlabelled { now: 150, end: 1_650, stale: 150, ..none });
    assert_eq!(
        of(&|n| (600..1_500).contains(&n) && n % 10 < 5),
        Unlabelled { now: 450, end: 1_350, input: 600, ..none }
    );
}

#[test]
fn terciles_come_from_training_rows() {
    let mut random = SplitMix::new(5);
    let mut mid = 50_000.0;
    // Each hour is twice as wild as the one before it.
    let mids: Vec<f64> = (0..6 * 3_600)
        .map(|t| {
            mid *= 1.0 + 1e-5 * f64::from(1 << (t / 3_600)) * (random.unit() - 0.5);
            mid
        })
        .collect();
    let of = label(&calm(&mids), "vol_regime_fwd");
    let plan = FoldPlan { folds: 2, memory: Span::secs(10), ..FoldPlan::default() };
    let folds = StudyFolds::new(of.spans(), &plan).unwrap();
    let fold = &folds.folds()[0];
    let cuts = VolTerciles::fit(&of, &fold.learn.train).unwrap();
    let mut counted = [0_usize; 3];
    let learnt = of.of(&fold.learn.train).unwrap();
    learnt.iter().for_each(|v| counted[cuts.class(*v).index()] += 1);
    assert!(counted.iter().all(|n| n.abs_diff(learnt.len() / 3) <= 1), "{counted:?}");
    // What comes later is wilder than all that was learnt from.
    assert!(of.of(&fold.test).unwrap().iter().all(|v| cuts.class(*v) == VolTercile::High));
    // Labels of another target, even of the same rows, are no answer.
    let other = label(&calm(&mids), "ret_1m");
    assert_eq!((other.of(&fold.test), VolTerciles::fit(&other, &fold.learn.train)), (None, None));
}

/// What comes after a label is known does not change it: rows are cut off at random places of a market with holes and gaps.
#[test]
fn later_rows_change_no_label() {
    let mut random = SplitMix::new(11);
    let (mut second, mut mid, mut since) = (0, 100.0, 400.0);
    let rows: Vec<Row> = (0..9_000)
        .map(|_| {
            let hole = random.below(700) == 0;
            second += 1 + i64::from(hole) * 5;
            since = if random.below(1_500) == 0 { 0.3 } else { since + 1.0 };
            mid += 0.5 * ((random.unit() * 3.0).floor() - 1.0);
            (second, random.below(900) > 0, (random.below(300) > 0).then_some(mid), since, 2_000.0 * random.unit())
        })
        .collect();
    let whole = frame(&rows);
    let labeller = Labeller::new(&whole).unwrap();
    let mut seen = 0;
    for id in TargetId::all() {
        let all = labeller.label(id).unwrap();
        for _ in 0..5 {
            let cut = usize::try_from(random.below(9_000)).unwrap().max(1);
            let part = Labeller::new(&frame(&rows[..cut])).unwrap().label(id).unwrap();
            let end = Ts::from_secs(rows[cut - 1].0);
            let known = all.spans().as_slice().iter().zip(all.values()).filter(|(s, _)| s.end <= end);
            assert!(known.eq(part.spans().as_slice().iter().zip(part.values())), "{id} at {cut}");
            assert_eq!(part.values().len() + part.unlabelled().total(), cut, "{id}: every row is counted");
            seen += part.values().len();
        }
    }
    assert!(seen > 100_000, "{seen} labels");
}

#[test]
fn a_missing_column_is_named() {
    let bare =
        ResearchFrame::new(vec![Ts(0)], vec![true], vec![("mid_price".to_owned(), [Some(1.0)].into_iter().collect())]);
    let error = Labeller::new(&bare.unwrap()).unwrap_err();
    assert_eq!(error, TargetError::Column("dq_seconds_since_gap"));
    assert!(error.to_string().contains("no column dq_seconds_since_gap"), "{error}");
}
