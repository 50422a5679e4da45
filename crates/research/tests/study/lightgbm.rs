//! LightGBM as a model of a study: fitted on its folds, on its board, kept, explained and traded like the program's own.

use crate::world::{market, record, request, terms};
use barograph_research::train::{PredictRequest, Predictor, artefacts, importance, read_board, study, traded};

/// Three test blocks of two permuted blocks each.
const DAYS: i64 = 140;

#[test]
fn lightgbm_is_a_model_of_the_board_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    record(&lake, 0..DAYS);
    let asked = request(&lake, folder.path(), &["linear", "lightgbm"], 1);
    let made = study(&asked, None, &mut |_| {}).unwrap();
    assert_eq!(read_board(&asked.folder).unwrap(), made);
    let row = |name: &str| made.rows.iter().find(|r| r.scores.model == name).unwrap();
    let (theirs, linear, control) = (row("lightgbm"), row("linear"), row("shuffled"));
    assert_eq!(theirs.scores.n_test, linear.scores.n_test);
    let auc = theirs.scores.auc.unwrap();
    assert!((0.7..0.95).contains(&auc) && control.scores.auc.unwrap() < 0.65, "{auc}");

    let report = importance(&asked, "lightgbm", &mut |_, _| {}).unwrap();
    assert!(report.additivity < 1e-6 && !report.gain.is_empty(), "{}", report.additivity);
    assert!(!report.mean_abs_shap.is_empty());
    let worth = traded(&asked, "lightgbm", &terms(DAYS), &mut |_, _| {}).unwrap();
    assert!(worth.trials > 6, "{}", worth.trials);
}

#[test]
fn a_kept_lightgbm_predicts() {
    let folder = tempfile::tempdir().unwrap();
    let lake = folder.path().join("lake");
    record(&lake, 0..14);
    let asked = request(&lake, folder.path(), &["lightgbm"], 1);
    study(&asked, None, &mut |_| {}).unwrap();
    assert_eq!(artefacts(&asked.folder).unwrap()[0].files.model, "lightgbm");
    record(&lake, 14..15);
    let targets = vec![(asked.target, asked.folder.clone())];
    let mut predictor = Predictor::open(PredictRequest { lake, market: market(), targets }).unwrap();
    assert_eq!(predictor.step().unwrap(), 40);
    assert_eq!(predictor.report()[0].model, "lightgbm");
    predictor.close().unwrap();
}
