//! What to say where there is nothing to go on with: no row has a label, or a model was not fitted with the settings given.

use super::artefact::{read_board, unlabelled};
use super::request::StudyRequest;
use crate::ResearchError;
use crate::load::LoadedRows;
use barograph_study::targets::{LabelledRows, TargetId};

/// The command that fits it, and what is there instead: the same study without it, or a board of other settings or rows.
pub(super) fn to_fit(asked: &StudyRequest, config_hash: &str, model: &str) -> String {
    let fit = format!("run it first: {}", asked.command("train"));
    let (market, target) = (&asked.market, asked.target);
    let found = read_board(&asked.folder).ok();
    let made = found.as_ref().and(StudyRequest::of_board(&asked.lake, asked.studies(), market, target).ok());
    let (Some(board), Some(made)) = (found, made) else { return fit };
    if board.config_hash == config_hash {
        let others = board.board.rows.iter().map(|row| row.model.as_str()).filter(|name| *name != model);
        return format!(
            "fitted with them are {}: choose one with --model, or {fit}",
            others.collect::<Vec<_>>().join(", ")
        );
    }
    let settings = made.settings();
    if settings == asked.settings() {
        return format!("the lake holds other rows than its board was made of; {fit}");
    }
    let had = if settings.is_empty() { " the defaults" } else { settings.as_str() };
    format!("its board was made with{had}: give the same, or {fit}")
}

/// No row has a label: why, and what would do.
pub(super) fn no_label(target: TargetId, rows: &LoadedRows, labels: &LabelledRows) -> ResearchError {
    let reasons: Vec<String> =
        unlabelled(labels.unlabelled()).into_iter().map(|(why, n)| format!("{n} because {why}")).collect();
    let needs = target.horizon().map_or(String::new(), |h| {
        format!(
            "; a label of {target} is known {} after its row, and every second until then has to be there",
            h.spoken()
        )
    });
    ResearchError::Refused(format!("none of {} rows has a label: {}{needs}", rows.frame.len(), reasons.join(", ")))
}
