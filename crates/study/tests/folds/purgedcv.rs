//! Our folds before a judge that others wrote: purgedcv (Python registry), over 1,000 sets of random labels (research §13).
//!
//! The folds are made here and handed over as JSON lines; `tests/peers/purgedcv_folds.py` holds each against purgedcv's purge and embargo
//! with the same test block. `PEERS_PYTHON` names an interpreter that has it.

use crate::spans::random;
use barograph_domain::random::SplitMix;
use barograph_domain::{Span, Ts};
use barograph_study::folds::{FoldPlan, RoleRows, StudyFolds, TrainWindow};
use barograph_testkit::skipped;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

const SETS: usize = 1_000;

/// What the judge counts.
fn counted(verdict: &Value, name: &str) -> u64 {
    verdict[name].as_u64().unwrap_or_else(|| panic!("{name} in {verdict}"))
}

/// One question to the judge: with this test block and embargo, are these rows within yours?
fn question<A, B>(
    before: &[usize],
    train: &RoleRows<A>,
    test: &RoleRows<B>,
    embargo: Span,
    window: TrainWindow,
) -> Value {
    let from = match window {
        TrainWindow::Expanding => None,
        TrainWindow::Rolling(length) => test.begins().map(|t| (t - embargo - length).as_millis()),
    };
    json!({
        "candidates": before,
        "train": train.positions(),
        "test": test.positions(),
        "embargo_ms": embargo.0 / 1_000_000,
        "from_ms": from,
    })
}

/// Random labels and all their folds, or none where they are too few; steps are as long as lives, at times far shorter.
fn set(draw: &mut SplitMix, n: usize) -> Option<Value> {
    let rows = 60 + usize::try_from(draw.below(300)).unwrap();
    let life_max = 1 + draw.below(200);
    let spans = random(draw, rows, life_max);
    let memory = Span::secs(i64::try_from(draw.below(40)).unwrap());
    let rolling = Span::secs(20 + i64::try_from(draw.below(400)).unwrap());
    let window = if n.is_multiple_of(4) { TrainWindow::Rolling(rolling) } else { TrainWindow::Expanding };
    let folds = 1 + usize::try_from(draw.below(3)).unwrap();
    let plan = FoldPlan { folds, memory, window, train_rows_min: 1, ..FoldPlan::default() };
    let made = StudyFolds::new(&spans, &plan).ok()?;
    let mut questions = Vec::new();
    for fold in made.folds() {
        let before: Vec<usize> = (0..fold.test.positions()[0]).collect();
        questions.push(question(&before, &fold.learn.train, &fold.test, fold.embargo, window));
        let learn = &fold.learn;
        let earlier = &learn.train.positions()[..learn.train.len() - learn.tune.len()];
        questions.push(question(earlier, &learn.fit, &learn.tune, learn.tune_embargo, TrainWindow::Expanding));
    }
    let times = |of: &dyn Fn(&barograph_study::targets::LabelSpan) -> Ts| -> Vec<i64> {
        spans.as_slice().iter().map(|s| of(s).as_millis()).collect()
    };
    Some(json!({ "start_ms": times(&|s| s.start), "end_ms": times(&|s| s.end), "questions": questions }))
}

#[test]
fn what_we_learn_from_purgedcv_would_as_well() {
    let Some(python) = std::env::var_os("PEERS_PYTHON") else {
        return skipped("PEERS_PYTHON names no Python with purgedcv");
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/purgedcv_folds.py");
    let mut judge = Command::new(&python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut asked = judge.stdin.take().unwrap();
    let mut draw = SplitMix::new(16);
    let (mut sets, mut tried) = (0, 0);
    while sets < SETS {
        tried += 1;
        assert!(tried < 20 * SETS, "only {sets} of {tried} sets have folds");
        if let Some(line) = set(&mut draw, sets) {
            writeln!(asked, "{line}").unwrap();
            sets += 1;
        }
    }
    drop(asked);
    let said = judge.wait_with_output().unwrap();
    assert!(said.status.success(), "{}", said.status);
    let verdict: Value = serde_json::from_slice(&said.stdout).unwrap();
    println!("{tried} sets drawn, {SETS} with folds: {verdict}");
    assert_eq!(counted(&verdict, "sets"), 1_000);
    assert_eq!(counted(&verdict, "rows_beyond"), 0, "we learn from rows that purgedcv removes: {verdict}");
    assert_eq!(counted(&verdict, "leaks"), 0, "purgedcv's own check finds leakage: {verdict}");
    assert!(counted(&verdict, "rows_removed") > 0, "a judge that removes nothing judges nothing: {verdict}");
}
