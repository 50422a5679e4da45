//! Folds of random labels: nothing is learnt from what is tested.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod purgedcv;
mod spans;

use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_study::folds::{
    FoldError, FoldPlan, FoldSheet, HoldOutError, LearningRows, RegisteredStudy, RoleRows, StudyFolds, TrainWindow,
};
use barograph_study::targets::{LabelSpan, LabelSpans, TargetId};
use proptest::prelude::*;
use spans::{even, random};

/// Why a row is not among those to learn from, if it should not be.
fn has_to_go(span: &LabelSpan, test: (Ts, Ts), embargo: Span, window: TrainWindow) -> bool {
    let intersects = span.start <= test.1 && test.0 <= span.end;
    let embargoed = span.end > test.0 - embargo;
    let too_old = match window {
        TrainWindow::Expanding => false,
        TrainWindow::Rolling(length) => span.start < test.0 - embargo - length,
    };
    intersects || embargoed || too_old
}

/// What is learnt from is what lies before the block and does not have to go, neither more nor less.
fn check_part<A, B>(
    from: impl Iterator<Item = usize>,
    train: &RoleRows<A>,
    test: &RoleRows<B>,
    embargo: Span,
    window: TrainWindow,
) {
    let all = train.spans().as_slice();
    let first = test.positions()[0];
    let block = (all[first].start, test.positions().iter().map(|at| all[*at].end).max().unwrap());
    assert_eq!((test.begins(), test.ends()), (Some(block.0), Some(block.1)));
    let want: Vec<usize> = from.filter(|at| *at < first && !has_to_go(&all[*at], block, embargo, window)).collect();
    assert_eq!(train.positions(), want);
}

fn check_inner(learn: &LearningRows) {
    let (train, tune) = (learn.train.positions(), learn.tune.positions());
    assert!(train.ends_with(tune));
    assert_eq!(tune.len(), (train.len() * 20).div_ceil(100));
    check_part(train.iter().copied(), &learn.fit, &learn.tune, learn.tune_embargo, TrainWindow::Expanding);
}

fn check_all(spans: &LabelSpans, folds: &StudyFolds) {
    let all = spans.as_slice();
    let (first, last) = (all[0].start, all[all.len() - 1].start);
    let (held_from, _) = folds.hold_out().reach().unwrap();
    assert!((held_from - first).0 >= (last - first).0 / 10 * 9, "the hold-out is the last tenth");
    let mut sizes = Vec::new();
    let mut next = None;
    let development = folds.development().train.positions();
    for fold in folds.folds() {
        check_part(0..all.len(), &fold.learn.train, &fold.test, fold.embargo, folds.plan().window);
        check_inner(&fold.learn);
        let hundredth = (fold.test.ends().unwrap() - fold.test.begins().unwrap()).0 / 100;
        assert!(fold.embargo >= folds.plan().memory && fold.embargo.0 >= hundredth);
        assert!(fold.test.ends().unwrap() <= held_from - folds.hold_out().embargo());
        // Blocks follow one another among the rows that are not held out.
        let places: Vec<usize> =
            fold.test.positions().iter().map(|at| development.binary_search(at).unwrap()).collect();
        assert!(places.windows(2).all(|w| w[1] == w[0] + 1) && next.is_none_or(|n| n == places[0]));
        next = places.last().map(|p| p + 1);
        sizes.push(places.len());
    }
    assert_eq!(next, Some(development.len()), "the blocks go up to the hold-out");
    assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_label_that_is_learnt_from_touches_a_tested_one(
        seed in any::<u64>(),
        rows in 50_usize..400,
        life in 1_u64..400,
        folds in 1_usize..7,
        memory in 0_i64..60,
        rolling in proptest::option::of(20_i64..400),
    ) {
        let spans = random(&mut SplitMix::new(seed), rows, life);
        let window = rolling.map_or(TrainWindow::Expanding, |s| TrainWindow::Rolling(Span::secs(s)));
        let memory = Span::secs(memory);
        let plan = FoldPlan { folds, memory, window, train_rows_min: 1, ..FoldPlan::default() };
        match StudyFolds::new(&spans, &plan) {
            // The development set follows the plan's window only where it expands.
            Ok(made) if window == TrainWindow::Expanding => check_all(&spans, &made),
            Ok(made) => for fold in made.folds() {
                check_part(0..rows, &fold.learn.train, &fold.test, fold.embargo, window);
                check_inner(&fold.learn);
            },
            Err(why) => prop_assert!(!why.to_string().is_empty()),
        }
    }

    #[test]
    fn weights_are_the_share_of_its_life_that_a_label_has_to_itself(
        seed in any::<u64>(), rows in 60_usize..150, life in 1_u64..60,
    ) {
        let spans = random(&mut SplitMix::new(seed), rows, life);
        let plan = FoldPlan { folds: 1, memory: Span::ZERO, train_rows_min: 1, ..FoldPlan::default() };
        let Ok(made) = StudyFolds::new(&spans, &plan) else { return Ok(()) };
        let train = &made.folds()[0].learn.train;
        let chosen: Vec<LabelSpan> = train.chosen().collect();
        // Lives begin and end on whole seconds here, so that seconds can be counted one by one.
        for (span, weight) in chosen.iter().zip(train.uniqueness()) {
            let seconds = (span.end - span.start).as_secs();
            let alive = |t: Ts| chosen.iter().filter(|s| s.start < t && t <= s.end).count();
            let shares = (1..=seconds).map(|n| 1.0 / f64::from(u32::try_from(alive(span.start + Span::secs(n))).unwrap()));
            let want = shares.sum::<f64>() / Span::secs(seconds).as_secs_f64();
            prop_assert!((weight - want).abs() < 1e-9, "{weight} is not {want}");
        }
    }
}

#[test]
fn labels_that_never_overlap_weigh_one_and_equal_ones_share() {
    let plan = FoldPlan { memory: Span::ZERO, train_rows_min: 1, ..FoldPlan::default() };
    let weights = |spans: &LabelSpans| StudyFolds::new(spans, &plan).unwrap().folds()[0].learn.train.uniqueness();
    assert!(weights(&even(400, 1, 1)).iter().all(|w| (w - 1.0).abs() < 1e-12));
    // Ten labels live at a time, once the first nine have begun and before the last nine end.
    assert!(weights(&even(400, 1, 10))[10..140].iter().all(|w| (w - 0.1).abs() < 1e-9));
}

/// A day of seconds with labels of five minutes under the plan of the specification.
#[test]
fn a_day_of_seconds_under_the_plan_of_the_specification() {
    let spans = even(86_400, 1, 300);
    let folds = StudyFolds::new(&spans, &FoldPlan::default()).unwrap();
    check_all(&spans, &folds);
    let [first, .., last] = folds.folds() else { panic!("folds") };
    assert_eq!((folds.folds().len(), first.number, last.number), (5, 1, 5));
    for fold in folds.folds() {
        // Known an hour before the block, asked five minutes before that.
        let learnt = fold.learn.train.chosen().next_back().unwrap();
        assert_eq!(learnt.end, fold.test.begins().unwrap() - Span::hours(1));
        assert_eq!(learnt.end - learnt.start, Span::mins(5));
    }
    assert_eq!(folds.hold_out().len(), 8_640);
}

#[test]
fn data_that_is_too_short_is_refused_in_plain_words() {
    let refused = |spans: &LabelSpans, plan: &FoldPlan| StudyFolds::new(spans, plan).unwrap_err();
    let default = FoldPlan::default();
    assert_eq!(refused(&even(0, 1, 1), &default), FoldError::NoRows);
    let minutes = refused(&even(1_800, 1, 60), &default);
    assert!(matches!(minutes, FoldError::HoldOut { .. }), "{minutes:?}");
    assert!(minutes.to_string().contains("too short"), "{minutes}");

    let few = FoldPlan { memory: Span::ZERO, folds: 50, ..default };
    let text = refused(&even(60, 1, 1), &few).to_string();
    assert!(
        text.starts_with("50 test blocks need at least as many labelled rows, and the time that is tested has 2"),
        "{text}"
    );

    let error = refused(&even(3 * 3_600, 1, 60), &default);
    let text = error.to_string();
    let FoldError::Training { part, length_min, .. } = error else { panic!("{text}") };
    assert!(part.ends_with("fold 1 of 5"), "{part}");
    assert!(text.contains("Evenly spread rows over about 6 h 1"), "{text}");
    // What it names is enough, but for the rows and the labels' own life.
    let enough = usize::try_from(length_min.as_secs()).unwrap() + 1_800;
    assert!(StudyFolds::new(&even(enough, 1, 60), &default).is_ok());

    // Labels of half an hour cost as much as half an hour of embargo, each time.
    let error = refused(&even(7 * 3_600, 1, 1_800), &default);
    let text = error.to_string();
    let FoldError::Training { length_min, .. } = error else { panic!("{text}") };
    assert!(text.contains("a label is known 30 min after its row. Evenly spread rows over about 9 h"), "{text}");
    let enough = usize::try_from(length_min.as_secs()).unwrap() + 1_800;
    assert!(StudyFolds::new(&even(enough, 1, 1_800), &default).is_ok());
}

fn study(id: &str) -> RegisteredStudy {
    RegisteredStudy {
        study_id: id.to_owned(),
        researcher: "someone".to_owned(),
        question: "does the book lean before it falls?".to_owned(),
        data_digest: "d".to_owned(),
        config_hash: "c".to_owned(),
        n_trials: 12,
        registered: Ts::from_secs(100),
    }
}

#[test]
fn a_hold_out_opens_once_for_a_study_and_leaves_a_record() {
    let folds = StudyFolds::new(&even(86_400, 1, 60), &FoldPlan::default()).unwrap();
    let closed = folds.hold_out();
    let now = Ts::from_secs(200);
    let (rows, record) = closed.open(&study("lean"), now, &[]).unwrap();
    assert_eq!((rows.len(), record.rows, record.opened, record.earlier), (closed.len(), closed.len(), now, 0));
    assert_eq!(closed.reach(), Some((record.from, record.to)));
    let json = serde_json::to_string(&record).unwrap();
    let log = [serde_json::from_str(&json).unwrap()];
    assert_eq!(log[0], record);
    let again = closed.open(&study("lean"), now + Span::days(1), &log).unwrap_err();
    assert_eq!(again, HoldOutError::Opened { study_id: "lean".to_owned(), before: "lean".to_owned(), at: now });
    let (_, forced) = closed.open_again(&study("lean"), now, &log, " a fee was wrong ").unwrap();
    assert_eq!((forced.again.as_deref(), forced.earlier), (Some("a fee was wrong"), 1));
    assert_eq!(closed.open_again(&study("lean"), now, &log, " ").unwrap_err(), HoldOutError::NoReason);
    assert_eq!(closed.open_again(&study("lean"), now, &[], "none needed").unwrap().1.again, None);
    // The same settings under another name are the same study.
    let renamed = closed.open(&study("other"), now, &log).unwrap_err();
    assert!(renamed.to_string().contains("for 'lean' at"), "{renamed}");
    assert!(renamed.to_string().contains("which is this study under another name"), "{renamed}");
    let (_, forced) = closed.open_again(&study("other"), now, &log, "a fee was wrong").unwrap();
    assert_eq!((forced.again.as_deref(), forced.earlier), (Some("a fee was wrong"), 1));
    // Another study may, and its record says that the rows are not untouched.
    let other = RegisteredStudy { config_hash: "other".to_owned(), ..study("other") };
    assert_eq!(closed.open(&other, now, &log).unwrap().1.earlier, 1);
    for (id, at) in [(" ", now), ("late", Ts::from_secs(99))] {
        assert!(matches!(closed.open(&study(id), at, &[]), Err(HoldOutError::NotRegistered { .. })), "{id}");
    }
}

#[test]
fn a_sheet_has_the_same_rows_and_reads_back() {
    let spans = random(&mut SplitMix::new(1), 2_000, 50);
    let plan = FoldPlan { memory: Span::secs(5), train_rows_min: 1, ..FoldPlan::default() };
    let folds = StudyFolds::new(&spans, &plan).unwrap();
    let sheet = FoldSheet::new(TargetId::VolRegime, 2_000, &folds);
    let json = serde_json::to_string(&sheet).unwrap();
    assert!(
        json.starts_with(r#"{"format":1,"target":"vol_regime_fwd","frame_rows":2000,"folds":[{"number":1,"#),
        "{json}"
    );
    let back: FoldSheet = serde_json::from_str(&json).unwrap();
    assert_eq!(back, sheet);
    for (sheet, fold) in back.folds.iter().zip(folds.folds()) {
        assert!(sheet.learn.train.rows().eq(fold.learn.train.rows()));
        assert!(sheet.learn.fit.rows().eq(fold.learn.fit.rows()));
        assert!(sheet.learn.tune.rows().eq(fold.learn.tune.rows()));
        assert!(sheet.test.rows().eq(fold.test.rows()));
        assert_eq!((sheet.test_from, sheet.test_to), (fold.test.begins(), fold.test.ends()));
    }
    // A plan is written down beside it.
    let plan: FoldPlan = serde_json::from_str(r#"{"folds":3,"window":{"rolling":"2d"},"memory":"1h"}"#).unwrap();
    let want = FoldPlan { folds: 3, window: TrainWindow::Rolling(Span::days(2)), ..FoldPlan::default() };
    assert_eq!(plan, want);
}
