//! Weights by uniqueness: they reach every fit that takes them, are another study, and without them nothing is other than it was.

use super::world::{market, request};
use super::{DAYS, lake};
use barograph_research::train::{RowWeights, StudyBoard, StudyRequest, artefacts, card, folder_of, study};
use barograph_study::targets::TargetId;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::path::Path;

const MODELS: [&str; 4] = ["linear", "gbm", "mlp", "ensemble"];

/// Labels of five seconds overlap, but for the first and last of a day, which therefore count for more.
fn asked(studies: &Path, weights: RowWeights) -> StudyRequest {
    let target = TargetId::parse("dir_5s").unwrap();
    let folder = folder_of(studies, &market(), target);
    StudyRequest { target, folder, weights, ..request(&lake(), studies, &MODELS, 1) }
}

/// A fitted model without the time that it took.
fn model(of: &StudyRequest, board: &StudyBoard, name: &str) -> Value {
    let fits = of.folder.join(format!("fits-{}", &board.config_hash[..12]));
    let kept: Value = serde_json::from_slice(&std::fs::read(fits.join(format!("{name}-1.json"))).unwrap()).unwrap();
    kept["model"].clone()
}

#[test]
fn weights_reach_the_fits_and_even_ones_change_nothing() {
    assert_eq!(DAYS, 72, "enough for every model");
    let studies = tempfile::tempdir().unwrap();
    let even = asked(studies.path(), RowWeights::Even);
    let plain = study(&even, None, &mut |_| {}).unwrap();
    // The digest that names fits is of what it was of before there were weights.
    let of = (&plain.about.data_digest, even.target, even.plan, even.preset, even.seed);
    let digest = Sha256::digest(serde_json::to_vec(&of).unwrap());
    assert_eq!(plain.config_hash, digest.iter().map(|b| format!("{b:02x}")).collect::<String>());
    let written = std::fs::read_to_string(even.folder.join("board.json")).unwrap();
    assert!(!written.contains("\"weights\""), "a board without weights says nothing of them");

    let weighted = asked(studies.path(), RowWeights::Uniqueness);
    let board = study(&weighted, None, &mut |_| {}).unwrap();
    assert_ne!(board.config_hash, plain.config_hash);
    assert_eq!((board.weights, board.earlier_runs), (RowWeights::Uniqueness, 1));
    for name in MODELS.into_iter().chain(["shuffled"]) {
        assert_ne!(model(&weighted, &board, name), model(&even, &plain, name), "{name} was fitted without them");
    }
    let kept = artefacts(&weighted.folder).unwrap();
    let texts: Vec<(RowWeights, String)> =
        kept.iter().map(|a| card(a).unwrap()).map(|(card, text)| (card.weights, text)).collect();
    assert_eq!(texts.iter().map(|(w, _)| *w).collect::<Vec<_>>(), [RowWeights::Even, RowWeights::Uniqueness]);
    assert!(!texts[0].1.contains("uniqueness") && texts[1].1.contains("rows count by the uniqueness of their labels"));
    // A report asks for the study with the settings of its board.
    let found = StudyRequest::of_board(&lake(), studies.path(), &market(), weighted.target).unwrap();
    assert!(found.weights == RowWeights::Uniqueness && found.command("importance").contains(" --weights uniqueness "));
    // The same rows fitted with the same weights are the same model.
    let again = study(&weighted, None, &mut |_| {}).unwrap();
    assert_eq!(again.board, board.board);
}
