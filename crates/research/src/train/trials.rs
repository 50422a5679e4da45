//! The study log: every configuration that was ever fitted or traded for a target, whatever came of it (research §5, `n_trials`).
//!
//! One line is added as soon as a configuration is done, so that a study that was stopped has counted what it tried. The same
//! configuration tried again is not another trial: its lines are known by what was tried, not by when.

use super::append::{append, lines};
use crate::ResearchError;
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The study log of a target, in its folder.
pub const TRIALS: &str = "trials.jsonl";

/// A line of the study log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TrialLine {
    /// When it was written, UTC.
    pub at: String,
    /// Hash of the settings: rows, target, folds, preset and seed.
    pub config_hash: String,
    /// The model; one that was fitted outside this program with the SHA-256 of its file behind `@`.
    pub model: String,
    /// Which fold, from 1; `None` for what was tried over all of them.
    pub fold: Option<usize>,
    /// Terms on which thresholds were traded; `None` for a fit.
    pub terms: Option<String>,
    /// Configurations tried.
    pub trials: usize,
    /// `fitted`, `judged` of a model from outside, `traded`, or why nothing came of it.
    pub outcome: String,
    /// Sharpe ratio per day of each threshold over all folds; empty of a fit, and of lines of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ratios: Vec<f64>,
}

/// What one line is the same as.
type TrialKey = (String, String, Option<usize>, Option<String>);

/// The study log, with everything that it holds so far.
pub(super) struct TrialLog {
    path: PathBuf,
    known: BTreeMap<TrialKey, usize>,
    ratios: BTreeMap<TrialKey, Vec<f64>>,
}

impl TrialLog {
    pub(super) fn open(folder: &Path) -> Result<Self, ResearchError> {
        let path = folder.join(TRIALS);
        let mut log = Self { known: BTreeMap::new(), ratios: BTreeMap::new(), path };
        for line in lines::<TrialLine>(&log.path)? {
            log.count(&line);
        }
        Ok(log)
    }

    /// Whether the line says more than was known.
    fn count(&mut self, line: &TrialLine) -> bool {
        let key = (line.config_hash.clone(), line.model.clone(), line.fold, line.terms.clone());
        let before = self.known.get(&key).copied();
        let is_spread = !line.ratios.is_empty() && !self.ratios.contains_key(&key);
        if is_spread {
            self.ratios.insert(key.clone(), line.ratios.clone());
        }
        self.known.insert(key, line.trials.max(before.unwrap_or_default()));
        is_spread || before.is_none_or(|n| n < line.trials)
    }

    /// Adds a configuration that is done, unless it is there.
    pub(super) fn add(&mut self, now: Ts, line: TrialLine) -> Result<(), ResearchError> {
        if self.count(&line) {
            append(&self.path, &[TrialLine { at: now.iso(), ..line }])?;
        }
        Ok(())
    }

    /// Configurations fitted, but for those of these models under these settings, on one fold or on all: what a board of them has to
    /// count besides.
    pub(super) fn fitted_beside(&self, config_hash: &str, models: &[(&str, Option<usize>)]) -> usize {
        let beside = |(config, model, fold, terms): &TrialKey| {
            let on_board = |(own, on): &(&str, Option<usize>)| *own == model && (on.is_none() || on == fold);
            terms.is_none() && !(config == config_hash && models.iter().any(on_board))
        };
        self.known.iter().filter(|(key, _)| beside(key)).map(|(_, n)| n).sum()
    }

    /// Sharpe ratios per day of everything that was traded, on whatever terms, of whatever run.
    pub(super) fn ratios(&self) -> Vec<f64> {
        self.ratios.values().flatten().copied().collect()
    }

    /// All configurations, thresholds that were traded among them.
    pub(super) fn all(&self) -> usize {
        self.known.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(config: &str, model: &str, fold: Option<usize>, trials: usize) -> TrialLine {
        TrialLine {
            at: String::new(),
            config_hash: config.to_owned(),
            model: model.to_owned(),
            fold,
            terms: fold.is_none().then(|| "VIP0".to_owned()),
            trials,
            outcome: "fitted".to_owned(),
            ratios: Vec::new(),
        }
    }

    #[test]
    fn what_was_traded_is_spread_over_all_runs_and_old_lines_are_filled_in() {
        let folder = tempfile::tempdir().unwrap();
        let now = Ts::from_secs(1_000_000);
        let mut log = TrialLog::open(folder.path()).unwrap();
        let traded =
            |config: &str, ratios: &[f64]| TrialLine { ratios: ratios.to_vec(), ..line(config, "gbm", None, 8) };
        // The first as an earlier version wrote it.
        for trial in [traded("a", &[]), traded("a", &[0.1, 0.2]), traded("a", &[0.1, 0.2]), traded("b", &[-0.3])] {
            log.add(now, trial).unwrap();
        }
        let again = TrialLog::open(folder.path()).unwrap();
        assert_eq!((again.ratios(), again.all()), (vec![0.1, 0.2, -0.3], 16));
        assert_eq!(lines::<TrialLine>(&folder.path().join(TRIALS)).unwrap().len(), 3);
    }

    #[test]
    fn what_is_tried_again_counts_once_and_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let now = Ts::from_secs(1_000_000);
        let mut log = TrialLog::open(folder.path()).unwrap();
        for trial in [
            line("a", "gbm", Some(1), 3),
            line("a", "gbm", Some(2), 3),
            line("a", "gbm", Some(2), 3),
            line("b", "gbm", Some(1), 5),
            line("b", "linear", Some(1), 7),
            line("a", "gbm", None, 8),
        ] {
            log.add(now, trial).unwrap();
        }
        let again = TrialLog::open(folder.path()).unwrap();
        for log in [&log, &again] {
            assert_eq!((log.all(), log.fitted_beside("c", &[])), (26, 18));
            assert_eq!(
                log.fitted_beside("b", &[("gbm", None)]),
                13,
                "what else was fitted under the same settings counts"
            );
        }
        // A model from outside is known by its file: an earlier file of the same name was another trial.
        for known in ["mine@1", "mine@1", "mine@2"] {
            log.add(now, line("d", known, Some(1), 1)).unwrap();
        }
        assert_eq!(log.fitted_beside("d", &[("mine@2", Some(1))]), 19);
        assert_eq!(
            log.fitted_beside("d", &[("mine@1", Some(2)), ("mine@2", Some(1))]),
            19,
            "of another fold it is another file"
        );
        assert_eq!(lines::<TrialLine>(&folder.path().join(TRIALS)).unwrap().len(), 7);
    }
}
