//! Research: recordings into the lake, studies on its rows.

use barograph_domain::Span;
use barograph_study::money::fees::TakerFee;
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
    /// What a fitted model goes by: how much worse it is without a column, or without columns that move together
    Importance(ImportanceArgs),
    /// What a fitted model's calls of direction were worth: taker fills through the recorded book, fees, latency
    Backtest(BacktestArgs),
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
    /// Recordings of it, all of an hour at once: messages of hftbacktest's collector or cryptofeed, archives of Bybit and Tardis, LOBSTER,
    /// Bitstamp orders, wide snapshots, or a lake. Without it the journal that `barograph up` has written in the data folder
    #[arg(long = "source", value_name = "FILE", num_args = 1..)]
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
    /// Models beside the baselines and the control; without it all of them. onnx=FILE is a model of your own, FILE with {fold} in the place
    /// of the fold's number. May be repeated
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Vec<String>,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ImportanceArgs {
    /// Whose inputs: linear, gbm, mlp or ensemble
    #[arg(long, value_name = "MODEL", default_value = "gbm")]
    pub(crate) model: String,
    /// Columns shown
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct BacktestArgs {
    /// Whose calls: any model of the board
    #[arg(long, value_name = "MODEL", default_value = "gbm")]
    pub(crate) model: String,
    /// Tier and its taker fee a side in basis points, as in VIP0=5; there is no default
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: TakerFee,
    /// Quote behind every trade
    #[arg(long, value_name = "QUOTE", default_value_t = 10_000.0)]
    pub(crate) notional: f64,
    /// Milliseconds from a decision until its order is at the venue
    #[arg(long, value_name = "MS", default_value_t = 250)]
    pub(crate) latency_ms: u32,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
}

/// What decides a study.
#[derive(Args, Debug)]
pub(crate) struct StudyArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// What is predicted, as in dir_5s; `barograph lab targets` lists them. May be repeated
    #[arg(long, value_name = "TARGET", required = true, value_parser = TargetId::parse)]
    pub(crate) target: Vec<TargetId>,
    /// How much is tried; it and the seed decide the result
    #[arg(long, value_enum, default_value = "quick")]
    pub(crate) preset: PresetArg,
    /// Test blocks
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) folds: usize,
    /// How far features look back; nothing this close before a test block is learnt from
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = Span::parse)]
    pub(crate) embargo: Span,
    /// Least rows that a fold has to learn from
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) rows_min: usize,
    /// Decides every draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Folder of the studies; without it that of the setting `studies`, else `studies` in the data folder
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
    /// Folder of the studies; without it that of the setting `studies`, else `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
}

fn tick(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| t.is_finite() && *t > 0.0).ok_or_else(|| format!("'{text}' is no price step"))
}

fn fee(text: &str) -> Result<TakerFee, String> {
    let wrong = || format!("'{text}': write TIER=BPS, the taker fee a side, as in VIP0=5");
    let (tier, bps) = text.rsplit_once('=').ok_or_else(wrong)?;
    TakerFee::new(tier.trim(), bps.trim().parse().map_err(|_e| wrong())?).map_err(|e| e.to_string())
}
