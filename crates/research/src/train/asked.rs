//! A study that was made, asked for again with the settings that its board names.

use super::artefact::{BOARD, read_board};
use super::lineup::Lineup;
use super::request::{StudyRequest, usual_limit};
use super::run::folder_of;
use crate::ResearchError;
use crate::typed::placed;
use barograph_domain::InstrumentName;
use barograph_lab::zoo::Preset;
use barograph_study::targets::TargetId;
use std::path::Path;

impl StudyRequest {
    /// The request of a study that has a board.
    ///
    /// # Errors
    /// There is no board, or it cannot be read.
    pub fn of_board(
        lake: &Path,
        studies: &Path,
        market: &InstrumentName,
        target: TargetId,
    ) -> Result<Self, ResearchError> {
        let folder = folder_of(studies, market, target);
        if !folder.join(BOARD).is_file() {
            return Err(ResearchError::Refused(format!(
                "{} holds no study of {target} of {market}; one is made by: barograph lab train {market} --target {target}{}",
                studies.display(),
                placed(lake, studies)
            )));
        }
        let board = read_board(&folder)?;
        let preset = if board.preset == "best" { Preset::Best } else { Preset::Quick };
        Ok(Self {
            lake: lake.to_path_buf(),
            market: market.clone(),
            target,
            plan: board.plan,
            preset,
            time_limit: usual_limit(preset),
            seed: board.seed,
            weights: board.weights,
            lineup: Lineup::all(),
            folder,
        })
    }
}
