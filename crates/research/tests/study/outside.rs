//! A model of somebody else, as ONNX, on the board of a study; without the build feature it is refused before anything is written.

use crate::world::request;
use barograph_research::train::{StudyBoard, study};
use std::path::{Path, PathBuf};

/// What says that the sign of `ofi` leads, which is so in this market in 85 of 100 seconds; a file for each fold.
fn files(folder: &Path) -> PathBuf {
    let stump = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/onnx/ofi_stump.onnx");
    for fold in 1..=3 {
        std::fs::copy(&stump, folder.join(format!("theirs-{fold}.onnx"))).unwrap();
    }
    folder.join("theirs-{fold}.onnx")
}

fn board(folder: &Path, seed: u64) -> Result<StudyBoard, String> {
    let model = format!("onnx={}", files(folder).display());
    let asked = request(&crate::lake(), folder, &["linear", &model], seed);
    study(&asked, None, &mut |_| {}).map_err(|e| e.to_string())
}

#[cfg(not(feature = "onnx"))]
#[test]
fn a_build_without_onnx_says_which_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let refused = board(folder.path(), 1).unwrap_err();
    assert!(
        refused.contains("theirs-1.onnx") && refused.ends_with("cargo build --release --features onnx"),
        "{refused}"
    );
}

#[cfg(feature = "onnx")]
mod built_in {
    use super::{board, files};
    use crate::world::{market, record, request, terms};
    use barograph_research::train::{
        PredictRequest, Predictor, StudyRequest, artefacts, card, importance, read_board, study, summary, traded,
    };

    #[test]
    fn a_model_of_somebody_else_is_judged_on_the_same_rows_and_is_no_artefact() {
        let folder = tempfile::tempdir().unwrap();
        let made = board(folder.path(), 1).unwrap();
        let asked: StudyRequest = request(&crate::lake(), folder.path(), &["linear"], 1);
        assert_eq!(read_board(&asked.folder).unwrap(), made, "the leaderboard shows what was made");
        let row = |name: &str| made.rows.iter().find(|r| r.scores.model == name).unwrap();
        let (theirs, linear, control) = (row("theirs"), row("linear"), row("shuffled"));
        // A row counts what was tried up to it: the last one without it, and a file for each of three folds.
        let alone = tempfile::tempdir().unwrap();
        let without = study(&request(&crate::lake(), alone.path(), &["linear"], 1), None, &mut |_| {}).unwrap();
        let trials = without.rows.iter().map(|r| r.scores.n_trials).max().unwrap() + 3;
        assert_eq!((theirs.scores.n_test, theirs.scores.n_trials), (linear.scores.n_test, trials));
        // Nine of ten signs are right here but for the noise around them; calibration knows that 0.8 is too little.
        let (auc, skill) = (theirs.scores.auc.unwrap(), theirs.scores.bss_clim.unwrap());
        assert!((0.7..0.95).contains(&auc) && skill > 0.2 && control.scores.auc.unwrap() < 0.65, "{auc} {skill}");
        let sheets = summary(&asked, &mut |_, _| {}).unwrap();
        assert!(sheets.board["rows"].as_array().unwrap().iter().any(|r| r["model"] == "theirs"), "{}", sheets.board);

        // Another file under the same name is another model, and another run.
        let again = board(folder.path(), 1).unwrap();
        assert_eq!(again.run, made.run);
        let path = folder.path().join("theirs-2.onnx");
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(9).position(|w| w == b"ofi_stump").unwrap();
        bytes[at] = b'O';
        std::fs::write(&path, bytes).unwrap();
        let model = format!("onnx={}", folder.path().join("theirs-{fold}.onnx").display());
        let other = request(&crate::lake(), folder.path(), &["linear", &model], 1);
        let other = study(&other, None, &mut |_| {}).unwrap();
        assert!(other.run != made.run && other.earlier_trials > made.earlier_trials, "{} {}", other.run, made.run);

        // What needs the model itself works with the program's own, and says so of this one.
        let worth = traded(&asked, "linear", &terms(crate::DAYS), &mut |_, _| {}).unwrap();
        assert!(worth.trials > 6, "{}", worth.trials);
        let refused = traded(&asked, "theirs", &terms(crate::DAYS), &mut |_, _| {}).unwrap_err().to_string();
        assert!(refused.contains("not of 'theirs'"), "{refused}");
        let refused = importance(&asked, "theirs", &mut |_, _| {}).unwrap_err().to_string();
        assert!(refused.contains("'theirs' has no columns of its own"), "{refused}");
    }

    #[test]
    fn the_best_of_the_programs_own_predicts_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake");
        record(&lake, 0..14);
        let model = format!("onnx={}", files(folder.path()).display());
        let asked = request(&lake, folder.path(), &["linear", &model], 1);
        let made = barograph_research::train::study(&asked, None, &mut |_| {}).unwrap();
        let kept = artefacts(&asked.folder).unwrap();
        assert_eq!(kept[0].files.model, "linear");
        let text = card(&kept[0]).unwrap().1;
        let above = made.rows[0].scores.model == "theirs";
        assert_eq!(text.contains("theirs, which was fitted outside this program"), above, "{text}");
        record(&lake, 14..15);
        let targets = vec![(asked.target, asked.folder.clone())];
        let mut predictor = Predictor::open(PredictRequest { lake, market: market(), targets }).unwrap();
        assert_eq!(predictor.step().unwrap(), 40);
        assert_eq!(predictor.report()[0].model, "linear");
        predictor.close().unwrap();
    }
}
