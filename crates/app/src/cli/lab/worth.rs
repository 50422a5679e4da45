//! What calls are traded on, hold-outs and the research log, artefacts and their predictions.

use super::{LakeArgs, OrderArgs, StudyArgs, fee};
use barograph_domain::Span;
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use clap::Args;
use std::path::PathBuf;

/// How calls are traded, but for the fee.
#[derive(Args, Debug)]
pub(crate) struct TradeArgs {
    #[command(flatten)]
    pub(crate) order: OrderArgs,
    /// Settled funding of the market, as any file that `collect --source` reads; what the data folder holds is used besides
    #[arg(long = "funding", value_name = "FILE", num_args = 1..)]
    pub(crate) funding: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct HoldOutArgs {
    /// What is asked, in a sentence; it is kept in the research log
    #[arg(long, value_name = "TEXT")]
    pub(crate) question: String,
    /// Your name
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) researcher: String,
    /// Name of the study in the research log; without it market, target and settings name it
    #[arg(long = "study", value_name = "ID")]
    pub(crate) study_id: Option<String>,
    /// Opens it although it was opened for this study before; the reason is kept in the log
    #[arg(long, value_name = "REASON")]
    pub(crate) again: Option<String>,
    /// Tier and its taker fee a side in basis points, as in VIP0=5: what calls of a direction were worth there
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: Option<TakerFee>,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    #[command(flatten)]
    pub(crate) study: StudyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// One study only
    #[arg(long = "study", value_name = "ID")]
    pub(crate) study_id: Option<String>,
    /// Adds what was found in that study
    #[arg(long, value_name = "TEXT", requires = "study_id")]
    pub(crate) finding: Option<String>,
    /// By whom it was found
    #[arg(long, value_name = "NAME", default_value = "", requires = "finding")]
    pub(crate) researcher: String,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ModelsArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// One target only
    #[arg(long, value_name = "TARGET", value_parser = TargetId::parse)]
    pub(crate) target: Option<TargetId>,
    /// Makes this artefact the one that predicts
    #[arg(long = "use", value_name = "ARTEFACT", requires = "target")]
    pub(crate) chosen: Option<String>,
    /// Prints the card of this artefact
    #[arg(long, value_name = "ARTEFACT", requires = "target", conflicts_with = "chosen")]
    pub(crate) card: Option<String>,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct PredictArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// What is predicted, by the current model of each. May be repeated
    #[arg(long, value_name = "TARGET", required = true, value_parser = TargetId::parse)]
    pub(crate) target: Vec<TargetId>,
    /// Goes on as the lake grows, until it is stopped
    #[arg(long)]
    pub(crate) follow: bool,
    /// How often the lake is looked into with --follow
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = Span::parse, requires = "follow")]
    pub(crate) every: Span,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}
