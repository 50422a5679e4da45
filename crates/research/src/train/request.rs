//! What a study is asked for.

use super::lineup::Lineup;
use super::weights::RowWeights;
use crate::typed::placed;
use barograph_domain::{InstrumentName, Span};
use barograph_lab::zoo::Preset;
use barograph_study::folds::FoldPlan;
use barograph_study::targets::TargetId;
use std::path::{Path, PathBuf};

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
    /// How much each row counts in a fit.
    pub weights: RowWeights,
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

    /// The folder of all studies, which this one's is below; see [`super::folder_of`].
    #[must_use]
    pub fn studies(&self) -> &Path {
        self.folder.ancestors().nth(3).unwrap_or(&self.folder)
    }

    /// A command of `barograph lab` over this study, with its settings and folders; what is as it would be anyhow is left out.
    #[must_use]
    pub fn command(&self, name: &str) -> String {
        let place = placed(&self.lake, self.studies());
        format!("barograph lab {name} {} --target {}{}{place}", self.market, self.target, self.settings())
    }

    /// The options that differ from the defaults, each behind a blank.
    #[must_use]
    pub fn settings(&self) -> String {
        let (plan, usual) = (&self.plan, FoldPlan::default());
        let mut line = String::new();
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
        add(!self.weights.is_even(), format!(" --weights {}", self.weights.word()));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder_of;
    use super::*;

    #[test]
    fn a_command_has_the_settings_that_differ_and_the_folders() {
        let (market, target) =
            (InstrumentName::new("binance-usdm", "BTCUSDT").unwrap(), TargetId::parse("dir_5s").unwrap());
        let usual = StudyRequest {
            lake: PathBuf::from("my lake"),
            folder: folder_of(Path::new("deep/studies"), &market, target),
            market,
            target,
            plan: FoldPlan::default(),
            preset: Preset::Quick,
            time_limit: usual_limit(Preset::Quick),
            seed: 1,
            weights: RowWeights::Even,
            lineup: Lineup::all(),
        };
        let place = "--lake 'my lake' --studies deep/studies";
        assert_eq!(usual.command("train"), format!("barograph lab train binance-usdm:BTCUSDT --target dir_5s {place}"));
        let plan = FoldPlan { folds: 2, memory: Span::secs(90), train_rows_min: 50, ..usual.plan };
        let other =
            StudyRequest { plan, preset: Preset::Best, seed: 7, weights: RowWeights::Uniqueness, ..usual.clone() };
        assert_eq!(
            other.settings(),
            " --preset best --folds 2 --embargo 90s --rows-min 50 --seed 7 --weights uniqueness"
        );
    }
}
