//! Back-tests and importance that are stopped halfway and started again.

use crate::world::{record, request, terms};
use barograph_research::train::{
    BACKTEST, BacktestReport, IMPORTANCE, ImportanceReport, StudyRequest, importance, study, traded,
};
use barograph_study::money::fees::TakerFee;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Three test blocks of two permuted blocks each.
const DAYS: i64 = 140;

/// A command that stops behind so many steps.
struct StopAfter(usize);

impl StopAfter {
    fn step(&mut self, done: usize, of: usize) {
        assert!(done < of, "{done} of {of}");
        assert!(self.0 > 0, "stopped here");
        self.0 -= 1;
    }
}

/// A call of one of the commands: with how many steps it may take, and what it leaves as its result.
type StudyCommand = fn(&StudyRequest, &mut StopAfter) -> Vec<u8>;

fn backtested(request: &StudyRequest, stop: &mut StopAfter) -> Vec<u8> {
    let said = traded(request, "linear", &terms(DAYS), &mut |done, of| stop.step(done, of)).unwrap();
    let kept = std::fs::read(request.folder.join(BACKTEST)).unwrap();
    assert_eq!(serde_json::from_slice::<BacktestReport>(&kept).unwrap(), said);
    kept
}

fn explained(request: &StudyRequest, stop: &mut StopAfter) -> Vec<u8> {
    let said = importance(request, "gbm", &mut |done, of| stop.step(done, of)).unwrap();
    let kept = std::fs::read(request.folder.join(IMPORTANCE)).unwrap();
    assert_eq!(serde_json::from_slice::<ImportanceReport>(&kept).unwrap(), said);
    kept
}

fn parts(folder: &Path) -> Vec<PathBuf> {
    let is_parts = |p: &PathBuf| p.extension().is_some_and(|e| e == "parts");
    let found = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).find(is_parts);
    let all = found.into_iter().flat_map(|p| std::fs::read_dir(p).unwrap()).map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = all.collect();
    all.sort();
    all
}

/// Stopped after some steps, then after more, with a part torn in between: what comes out in the end is what an unbroken run says, and
/// takes fewer steps than that.
fn check(request: &StudyRequest, command: StudyCommand, stops: [usize; 2]) {
    let mut unbroken = StopAfter(usize::MAX);
    let want = command(request, &mut unbroken);
    let steps = usize::MAX - unbroken.0;
    assert!(parts(&request.folder).is_empty(), "nothing is left behind a result");
    for stop in stops {
        let stopped = catch_unwind(AssertUnwindSafe(|| command(request, &mut StopAfter(stop))));
        assert!(stopped.is_err(), "{steps} steps are more than those");
    }
    let kept = parts(&request.folder);
    assert!(kept.len() >= 3, "{kept:?}");
    let torn = &kept[kept.len() / 2];
    let text = std::fs::read(torn).unwrap();
    std::fs::write(torn, &text[..text.len() - 2]).unwrap();
    let mut rest = StopAfter(usize::MAX);
    assert!(command(request, &mut rest) == want, "the result is another");
    let left = usize::MAX - rest.0;
    assert!(left < steps, "{left} steps of {steps} were left");
    assert!(parts(&request.folder).is_empty());
}

#[test]
fn a_command_that_is_stopped_goes_on_and_says_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (lake, studies) = (place.path().join("lake"), place.path().join("studies"));
    record(&lake, 0..DAYS);
    let request = request(&lake, &studies, &["linear", "gbm"], 1);
    study(&request, None, &mut |_| {}).unwrap();
    check(&request, backtested, [2, 9]);
    check(&request, explained, [1, 2]);
}

#[test]
fn what_was_kept_under_other_terms_is_not_gone_on_with() {
    let studies = tempfile::tempdir().unwrap();
    let request = request(&crate::lake(), studies.path(), &["linear"], 1);
    study(&request, None, &mut |_| {}).unwrap();
    let ask = |fee: f64, stop: usize| {
        let mut terms = terms(crate::DAYS);
        terms.trade.fee = TakerFee::new("test", fee).unwrap();
        let mut stop = StopAfter(stop);
        traded(&request, "linear", &terms, &mut |done, of| stop.step(done, of)).unwrap()
    };
    // Every threshold that was traded is in what the Sharpe ratio is deflated by, and both are counted before they are compared.
    ask(3.0, usize::MAX);
    let want = [ask(0.5, usize::MAX), ask(3.0, usize::MAX)];
    assert!(want.iter().all(|r| r.dsr.is_some()) && want[0] != want[1], "{want:?}");
    catch_unwind(AssertUnwindSafe(|| ask(3.0, 12))).unwrap_err();
    assert!(parts(&request.folder).len() > 8);
    assert_eq!([ask(0.5, usize::MAX), ask(3.0, usize::MAX)], want);
}
