//! What a study is asked for.

use super::lineup::Lineup;
use barograph_domain::{InstrumentName, Span};
use barograph_lab::zoo::Preset;
use barograph_study::folds::FoldPlan;
use barograph_study::targets::TargetId;
use std::path::PathBuf;

/// The time limit of a preset: 10 minutes for `quick`, an hour for `best` (research §4).
#[must_use]
pub const fn usual_limit(preset: Preset) -> Span {
    match preset {
        Preset::Quick => Span::mins(10),
        Preset::Best => Span::hours(1),
    }
}

/// A study as it is asked for.
#[derive(Clone, Debug)]
pub struct StudyRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Whose rows.
    pub market: InstrumentName,
    /// What is predicted.
    pub target: TargetId,
    /// How rows are divided.
    pub plan: FoldPlan,
    /// How much is tried.
    pub preset: Preset,
    /// How long it may go on before what is not fitted yet is left out; see [`usual_limit`].
    pub time_limit: Span,
    /// Decides every draw.
    pub seed: u64,
    /// Which models.
    pub lineup: Lineup,
    /// The folder of the study; a study of the same settings that was stopped there goes on.
    pub folder: PathBuf,
}

impl StudyRequest {
    /// `quick` or `best`.
    #[must_use]
    pub const fn preset_word(&self) -> &'static str {
        match self.preset {
            Preset::Best => "best",
            Preset::Quick => "quick",
        }
    }

    /// The command that fits these models with these settings; what is as it would be anyhow is left out.
    #[must_use]
    pub fn command(&self) -> String {
        let (plan, usual) = (&self.plan, FoldPlan::default());
        let mut line = format!("barograph lab train {} --target {}", self.market, self.target);
        let mut add = |differs: bool, what: String| {
            if differs {
                line.push_str(&what);
            }
        };
        add(self.preset != Preset::default(), format!(" --preset {}", self.preset_word()));
        add(plan.folds != usual.folds, format!(" --folds {}", plan.folds));
        add(plan.memory != usual.memory, format!(" --embargo {}", plan.memory.compact()));
        add(plan.train_rows_min != usual.train_rows_min, format!(" --rows-min {}", plan.train_rows_min));
        add(self.seed != 1, format!(" --seed {}", self.seed));
        line
    }
}
