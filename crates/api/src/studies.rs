//! Studies of the lab as they go over the wire: a list, and one with all that its folder holds (research §5, §9).
//!
//! Scores travel by their names, because a board gains columns: whoever shows them shows those that are there.

use barograph_domain::Ts;
use barograph_domain::scorecard::{CurveStep, ReliabilityRow};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The studies of the folder that this process reads.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct LabStudies {
    /// The folder.
    #[schema(example = "data/studies")]
    pub folder: String,
    /// By market and target.
    pub studies: Vec<LabStudy>,
    /// Boards that cannot be read, with the reason, by study.
    pub unread: BTreeMap<String, String>,
}

/// One study in a line.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct LabStudy {
    /// Its place below the folder of studies; what `study` of `/api/v1/study` takes.
    #[schema(example = "binance-usdm/BTCUSDT/dir_5s")]
    pub study: String,
    /// Whose rows, `venue:symbol`.
    pub market: String,
    /// What is predicted.
    #[schema(example = "dir_5s")]
    pub target: String,
    /// `binary`, `classes` or `regression`.
    pub task: String,
    /// How far ahead, seconds; null where that is counted in changes of the book.
    pub horizon_s: Option<f64>,
    /// First and last second of its rows.
    pub span: Option<[String; 2]>,
    /// When its board was written.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub made_at: Option<Ts>,
    /// Rows of the data set.
    pub rows: Option<u64>,
    /// Rows with a label.
    pub labelled: Option<u64>,
    /// Test blocks.
    pub folds: Option<u64>,
    /// `quick` or `best`.
    pub preset: Option<String>,
    /// What the control on permuted labels says: `clean`, `suspected` or `untested`.
    pub control: String,
    /// What is printed over the board; null where the control is harmless.
    #[schema(example = "LEAK SUSPECTED")]
    pub stamp: Option<String>,
    /// All configurations fitted.
    pub trials: Option<u64>,
    /// Models on the board, the control among them.
    pub models: u64,
    /// The first model of the board that is not the control.
    pub best: Option<String>,
    /// By what the board is ordered: `bss_clim`, `macro_f1` or `r2_oos`.
    pub criterion: String,
    /// That of the best.
    pub best_value: Option<f64>,
}

/// A study with all that its folder holds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct LabStudyView {
    /// Its line.
    pub about: LabStudy,
    /// Decides every draw.
    pub seed: Option<u64>,
    /// Digest of rows, target, plan, preset and seed.
    pub config_hash: Option<String>,
    /// Digest of the rows' content.
    pub data_digest: Option<String>,
    /// Options of `barograph lab` that it was fitted with, as they are typed: those that differ from the defaults, and the folder of studies.
    #[schema(example = "--folds 2 --embargo 2s --studies studies")]
    pub options: String,
    /// Share of moves that were exactly zero.
    pub zero_share: Option<f64>,
    /// Rows without a label, by reason.
    pub unlabelled: BTreeMap<String, u64>,
    /// Seconds before each test block from which nothing was learnt.
    pub embargo_s: Vec<f64>,
    /// Names of the scores that any model has, in the order in which a board shows them.
    pub columns: Vec<String>,
    /// Models, from the best.
    pub models: Vec<LabModelRow>,
    /// Numbers of the board as a whole, by name.
    pub figures: BTreeMap<String, f64>,
    /// Models that were left out, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// Columns of the data set that entered the models.
    pub inputs: u64,
    /// Columns that did not, with the reason.
    pub dropped: BTreeMap<String, String>,
    /// Stated against observed probabilities on test rows, by model and question.
    pub reliability: Vec<LabReliability>,
    /// What a model goes by, where it was asked.
    pub importance: Option<LabImportance>,
    /// Which rows taught and judged.
    pub fold_map: Option<LabFoldMap>,
    /// What calls were worth, where it was asked.
    pub backtest: Option<LabBacktest>,
    /// Files of the study that cannot be read, with the reason.
    pub unread: BTreeMap<String, String>,
}

/// A model on the board.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabModelRow {
    /// The model.
    pub model: String,
    /// Is it the control on permuted labels?
    pub is_control: bool,
    /// Its scores by name; what cannot be known is left out.
    pub scores: BTreeMap<String, f64>,
}

/// How often came what one model stated of one question.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabReliability {
    /// The model.
    pub model: String,
    /// The class; null of a question with yes and no.
    pub class: Option<u64>,
    /// Ten bins of equal width; empty ones are left out.
    pub reliability: Vec<ReliabilityRow>,
    /// Curve by isotonic regression.
    pub curve: Vec<CurveStep>,
}

/// What a model goes by.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabImportance {
    /// The model.
    pub model: String,
    /// Test rows that were permuted, all folds together.
    pub rows: u64,
    /// Single columns, the most important first; at most 40.
    pub columns: Vec<LabInput>,
    /// Groups of columns whose ranks go together; at most 40.
    pub groups: Vec<LabInput>,
    /// How many single columns were judged.
    pub judged: u64,
    /// The same in each regime of volatility, calm ones first; none of a study that an older build explained.
    pub regimes: Vec<LabRegimeImportance>,
}

/// What a model goes by where volatility is low, middling or high: thirds of the rows it was fitted on, by the volatility of the five minutes before.
#[derive(Clone, PartialEq, Debug, Default, Serialize, ToSchema)]
pub struct LabRegimeImportance {
    /// `low`, `middle` or `high`.
    #[schema(example = "low")]
    pub regime: String,
    /// Test rows of it, all folds together; those of a fold with too few are not permuted.
    pub rows: u64,
    /// Single columns, the most important first; at most 40. None where a fold has too few rows of it.
    pub columns: Vec<LabInput>,
    /// Groups of columns whose ranks go together; at most 40.
    pub groups: Vec<LabInput>,
}

/// How much worse a model is without a column or a group.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabInput {
    /// The columns permuted together.
    pub columns: Vec<String>,
    /// Increase of the loss, mean over folds: nats of a question, squared units of a number.
    pub increase: f64,
    /// Ends of its 95 % band over folds.
    pub band: Option<[f64; 2]>,
    /// The increase of each fold, in the order of time.
    pub by_fold: Vec<f64>,
    /// Mean size of what it adds to a margin (SHAP); of single columns of trees and lines.
    pub shap: Option<f64>,
}

/// Rows of each fold by what they are for, counted from 0 in the order of time. Stretches closer than a four-hundredth of all rows are
/// drawn as one.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabFoldMap {
    /// All rows.
    pub rows: u64,
    /// The folds in the order of time.
    pub folds: Vec<LabFold>,
    /// When the hold-out begins.
    pub hold_out_from: Option<String>,
    /// The first row that is in no fold and behind all of them.
    pub hold_out_row: Option<u64>,
}

/// One fold.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabFold {
    /// From 1.
    pub number: u64,
    /// When the test block begins and when the last of its labels is known.
    pub test_span: Option<[String; 2]>,
    /// Stretches of rows to fit on, first and one past the last.
    pub fit: Vec<[u64; 2]>,
    /// Stretches to stop, calibrate and weigh by.
    pub tune: Vec<[u64; 2]>,
    /// Stretches to judge by.
    pub test: Vec<[u64; 2]>,
    /// How many rows each of the three has.
    pub counts: [u64; 3],
}

/// What a model's calls were worth.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabBacktest {
    /// The model.
    pub model: String,
    /// Tier whose taker fee was paid.
    pub tier: Option<String>,
    /// Numbers of the report, by name.
    pub figures: BTreeMap<String, f64>,
    /// Why there is no Sharpe ratio.
    pub no_sharpe: Option<String>,
    /// Cumulative net P&L as a fraction of the capital, at most 500 points; the last is the last trade's.
    pub equity: Vec<LabEquityPoint>,
}

/// A point of an equity curve.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct LabEquityPoint {
    /// Close of a trade.
    pub at: String,
    /// Net P&L until then, as a fraction of the capital.
    pub net: f64,
}
