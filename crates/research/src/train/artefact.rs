//! What a study leaves in its folder.

use super::money::BoardMoney;
use super::table::LeaderboardRow;
use super::weights::RowWeights;
use crate::ResearchError;
use barograph_lab::zoo::board::ZooBoard;
use barograph_lake::whole_file::WholeFile;
use barograph_study::folds::FoldPlan;
use barograph_study::targets::Unlabelled;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// The board of a study, in its folder.
pub const BOARD: &str = "board.json";
/// Its folds, for models outside this program.
pub const FOLDS: &str = "folds.json";

/// What was predicted, on which rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StudyTarget {
    /// The target's name.
    pub target: String,
    /// Whose rows.
    pub market: String,
    /// How far ahead, seconds; `None` where that is counted in changes of the book.
    pub horizon_s: Option<f64>,
    /// Rows of the data set.
    pub rows: usize,
    /// Rows with a label.
    pub labelled: usize,
    /// Why the others have none: by reason.
    pub unlabelled: BTreeMap<String, usize>,
    /// Share of moves that were exactly zero, which have no direction; `None` for targets that are none.
    pub zero_share: Option<f64>,
    /// First and last second.
    pub span: Option<[String; 2]>,
    /// Digest of the rows' content.
    pub data_digest: String,
}

/// What a model costs.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StudyModelCost {
    /// Seconds of fitting, all folds together.
    pub fit_s: f64,
    /// Microseconds of a predicted row.
    pub predict_us_row: f64,
    /// Size of the fitted model of the last fold, KiB.
    pub size_kb: f64,
}

/// A board with everything that it is to be read with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StudyBoard {
    /// Of what.
    pub about: StudyTarget,
    /// Folds as they were planned.
    pub plan: FoldPlan,
    /// Seconds before each test block from which nothing was learnt.
    pub embargo_s: Vec<f64>,
    /// Decides every draw.
    pub seed: u64,
    /// `quick` or `best`.
    pub preset: String,
    /// How much each row counted in a fit.
    #[serde(default, skip_serializing_if = "RowWeights::is_even")]
    pub weights: RowWeights,
    /// What entered the fits: digest of rows, target, plan, preset, seed and, where rows do not count alike, weights.
    pub config_hash: String,
    /// What names the board: digest of that, its models and the terms of trade; 12 hexadecimal digits.
    pub run: String,
    /// When it was made, UTC.
    pub made: String,
    /// The artefact that was kept; `None` where no model was fitted on everything that is not held out.
    pub artefact: Option<String>,
    /// Why there is none.
    pub no_artefact: Option<String>,
    /// Other boards of this target that were made before and are kept.
    pub earlier_runs: usize,
    /// Fits for this target under other settings, or of other models: `n_trials` counts them.
    pub earlier_trials: usize,
    /// Scores of every model.
    pub board: ZooBoard,
    /// What is printed over the board where the control on permuted labels was not harmless.
    pub stamp: Option<String>,
    /// Costs by model.
    pub costs: BTreeMap<String, StudyModelCost>,
    /// What calls were worth; `None` without a fee, or of targets that are no direction.
    pub money: Option<BoardMoney>,
    /// Why there is none.
    pub no_money: Option<String>,
    /// Every column of research §5, a row per model in the order of the board.
    pub rows: Vec<LeaderboardRow>,
    /// Models that were left out, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// Columns of the data set that are no inputs, with the reason, as of the last fold.
    pub dropped: BTreeMap<String, String>,
    /// Names of the inputs, as of the last fold.
    pub inputs: Vec<String>,
}

impl StudyBoard {
    /// The longest embargo, and why it is longer than what was asked where it is.
    #[must_use]
    pub fn embargo_words(&self) -> String {
        embargo_words(&self.plan, &self.embargo_s)
    }
}

/// The longest of some embargoes in words. A hundredth of a test block is the least (research §3).
#[must_use]
pub fn embargo_words(plan: &FoldPlan, embargo_s: &[f64]) -> String {
    let (longest, asked) = (embargo_s.iter().copied().fold(0.0, f64::max), plan.memory.as_secs_f64());
    if longest > asked {
        format!("embargo {longest} s, not the {asked} s asked for: a hundredth of the longest test block is the least")
    } else {
        format!("embargo {longest} s")
    }
}

/// Reads the board of a study's folder.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn read_board(folder: &Path) -> Result<StudyBoard, ResearchError> {
    read(&folder.join(BOARD))
}

pub(super) fn unlabelled(of: Unlabelled) -> BTreeMap<String, usize> {
    let Unlabelled { now, unchanged, end, gap, stale, unusable, input, zero } = of;
    let reasons = [
        ("no usable book at the row", now),
        ("the book did not change", unchanged),
        ("the data ends first", end),
        ("a gap before the horizon", gap),
        ("the book had not changed for more than 5 s where the label needs it", stale),
        ("the book was crossed where the label needs it", unusable),
        ("a cost is missing, or too many seconds without a usable book", input),
        ("the mid did not move", zero),
    ];
    reasons.into_iter().filter(|(_, n)| *n > 0).map(|(why, n)| (why.to_owned(), n)).collect()
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ResearchError> {
    let text = std::fs::read(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => ResearchError::Refused(format!("there is no {}", path.display())),
        _ => ResearchError::Failed(format!("cannot read {}: {e}", path.display())),
    })?;
    serde_json::from_slice(&text).map_err(|e| {
        let path = path.display();
        ResearchError::Failed(format!(
            "{path} is damaged, or another version wrote it: {e}; restore a copy, or take it away and run what made it"
        ))
    })
}

/// Whole or not at all.
pub(super) fn write<T: Serialize>(path: &Path, value: &T, pretty: bool) -> Result<(), ResearchError> {
    let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(format!("cannot write {}: {e}", path.display()));
    let text = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let text = text.map_err(|e| failed(&e))?;
    let (whole, mut file) = WholeFile::begin(path).map_err(|e| failed(&e))?;
    file.write_all(&text).and_then(|()| whole.finish(&file)).map_err(|e| failed(&e))
}
