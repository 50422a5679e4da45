//! Reports of what was studied.

use super::LakeArgs;
use barograph_study::targets::TargetId;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// Whose study, as in dir_5s
    #[arg(long, value_name = "TARGET", value_parser = TargetId::parse)]
    pub(crate) target: TargetId,
    /// File to write; without it `report.html` in the folder of the study
    #[arg(long, value_name = "FILE", value_parser = super::out_file)]
    pub(crate) out: Option<PathBuf>,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct GoalsArgs {
    /// Markets: venue:symbol, or a symbol of the default venue
    #[arg(required = true, num_args = 1.., value_name = "MARKET")]
    pub(crate) markets: Vec<String>,
    /// As a table for a document
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Folder of the studies; without it `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}
