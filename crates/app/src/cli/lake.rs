//! The lake: what it holds, what comes in, what goes out.

use super::lab::{DatasetArgs, LakeArgs, out_file};
use barograph_domain::{Span, Ts};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(crate) enum Lake {
    /// Tables, markets and hours that are there
    Ls(LakeArgs),
    /// Read every row and compare it with the manifests, and name the hours that are missing between others; exit 1 when something is wrong.
    /// With --at a copy in object storage is read instead, and compared with its manifest
    Check(CheckArgs),
    /// Make one file of each closed hour
    Compact(CompactArgs),
    /// Play recordings of one market into the lake: books, trades and feature rows
    Import(DatasetArgs),
    /// Write what `barograph up` listens to into the lake as it comes, beside the running process
    Follow(FollowArgs),
    /// Write what is kept of a market minute by minute into the lake: bars, labels and readings
    Gold(GoldArgs),
    /// Send what is complete of a data folder to object storage: its journal, lake and checkpoint; only what is new or another
    Push(PushArgs),
    /// Bring a copy in object storage into a folder, each file verified; what is there already stays
    Pull(PullArgs),
    /// Write one market in a form for other tools: its frames, or its stored minutes as Parquet
    Export(Export),
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The copy: s3://bucket/prefix, file:///folder or a folder
    #[arg(long, value_name = "PLACE", conflicts_with = "lake")]
    pub(crate) at: Option<String>,
    /// With --at: a folder to compare with the copy too
    #[arg(requires = "at")]
    pub(crate) folder: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PushArgs {
    /// Data folder or lake; without it the data folder
    pub(crate) folder: Option<PathBuf>,
    /// Where to: s3://bucket/prefix, file:///folder or a folder
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: String,
    /// Read back what is there already, and send again what is damaged
    #[arg(long)]
    pub(crate) verify: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PullArgs {
    /// Folder to bring it into, which is made where it is not there
    pub(crate) folder: PathBuf,
    /// Where from: s3://bucket/prefix, file:///folder or a folder
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: String,
    /// Put files of the copy in the place of others that have their names; without it those are left and named
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CompactArgs {
    /// First close every hour under way that is past and no longer written: nothing can be added to it afterwards, and what a killed
    /// import lost stays lost
    #[arg(long)]
    pub(crate) close: bool,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct GoldArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// Lengths of the bars, separated by commas
    #[arg(long, value_name = "TIMES", default_value = "1m", value_delimiter = ',', value_parser = bar_length)]
    pub(crate) bars: Vec<Span>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct FollowArgs {
    /// Markets: venue:symbol, or a symbol of the default venue; without any, all whose book is recorded
    pub(crate) markets: Vec<String>,
    /// Rows become files at the latest so long after they were received
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = Span::parse)]
    pub(crate) flush: Span,
    /// End when the journal was read to its end, instead of waiting for more
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) symbol: String,
    /// Form: hftbacktest (its collector's gzip lines, out of the journal), hftbacktest-npy (its array of events, of any venue), or minutes
    /// (price, labels and every reading of each stored minute, as Parquet)
    #[arg(long, default_value = "hftbacktest")]
    pub(crate) format: String,
    /// First moment
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) from: Option<Ts>,
    /// Last moment
    #[arg(long, value_name = "TIME", value_parser = Ts::parse)]
    pub(crate) until: Option<Ts>,
    /// With hftbacktest-npy: recordings of the market, or the folder of a lake; without it the journal in the data folder
    #[arg(long = "source", value_name = "FILE", num_args = 1..)]
    pub(crate) sources: Vec<PathBuf>,
    /// With hftbacktest-npy: what a contract is worth, of recordings counted in contracts that do not hold the venue's list of instruments, in
    /// base units of a linear contract and quote units of an inverse one
    #[arg(long, value_name = "NUMBER", value_parser = super::verify::contract_worth, requires = "sources")]
    pub(crate) contract_size: Option<f64>,
    /// With hftbacktest-npy: the smallest latency, where the recorder's clock was behind the venue's and its stamps have to be moved; 0s
    /// without it
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) base_latency: Option<Span>,
    /// With minutes: whole hours, or other multiples of a time since 1970, only
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) every: Option<Span>,
    /// With minutes: one reading only, as `barograph features` lists them. May be repeated
    #[arg(long = "feature", value_name = "ID")]
    pub(crate) features: Vec<String>,
    /// File to write; without it the symbol with .gz, .npy or .parquet
    #[arg(long, value_name = "FILE", value_parser = out_file)]
    pub(crate) out: Option<PathBuf>,
}

/// Lengths of bars that the gold layer knows (features §8).
const BARS: [(&str, Span); 8] = [
    ("1s", Span::secs(1)),
    ("1m", Span::mins(1)),
    ("5m", Span::mins(5)),
    ("15m", Span::mins(15)),
    ("1h", Span::hours(1)),
    ("4h", Span::hours(4)),
    ("1d", Span::days(1)),
    ("1w", Span::days(7)),
];

fn bar_length(text: &str) -> Result<Span, String> {
    BARS.iter().find(|(name, _)| *name == text).map(|(_, every)| *every).ok_or_else(|| {
        let known = BARS.map(|(name, _)| name).join(", ");
        format!("there are no bars of '{text}'; there are {known}")
    })
}
