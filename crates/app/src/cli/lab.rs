//! Research: recordings into the lake, studies on its rows.

use barograph_domain::Span;
use barograph_study::targets::TargetId;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct LakeArgs {
    /// Folder of the lake; without it the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) lake: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Lab {
    /// Rows of a market, one each second, with the 197 columns of its book and trades, from recordings
    Dataset(DatasetArgs),
    /// Fit every model on a target over purged walk-forward folds, and score them on the same rows
    Train(TrainArgs),
    /// Boards of studies, with what stands over them
    Leaderboard(BoardArgs),
    /// The targets that can be predicted
    Targets,
    /// The 197 columns of the data set, or one of them
    Columns {
        /// Column id
        id: Option<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct DatasetArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// Recordings of it: raw messages as hftbacktest's collector writes them, or captures of cryptofeed. All of an hour at once
    #[arg(long = "source", value_name = "FILE", required = true, num_args = 1..)]
    pub(crate) sources: Vec<PathBuf>,
    /// Smallest step of prices, where the recording does not say it; spread_ticks needs it
    #[arg(long, value_name = "PRICE", value_parser = tick)]
    pub(crate) tick: Option<f64>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum PresetArg {
    /// One configuration of each model
    Quick,
    /// Several, the inner split chooses
    Best,
}

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// What is predicted, as in dir_5s; `barograph lab targets` lists them. May be repeated
    #[arg(long, value_name = "TARGET", required = true, value_parser = TargetId::parse)]
    pub(crate) target: Vec<TargetId>,
    /// Models beside the baselines and the control; without it all of them. May be repeated
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Vec<String>,
    /// How much is tried; it and the seed decide the result
    #[arg(long, value_enum, default_value = "quick")]
    pub(crate) preset: PresetArg,
    /// Test blocks
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) folds: usize,
    /// How far features look back; nothing this close before a test block is learnt from
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = Span::parse)]
    pub(crate) embargo: Span,
    /// Decides every draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct BoardArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// One target only
    #[arg(long, value_name = "TARGET", value_parser = TargetId::parse)]
    pub(crate) target: Option<TargetId>,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
}

fn tick(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| t.is_finite() && *t > 0.0).ok_or_else(|| format!("'{text}' is no price step"))
}
