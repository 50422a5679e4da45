//! Research: recordings into the lake, studies on its rows.

mod money;
mod report;
pub(crate) mod worth;

pub(crate) use money::{ExecutionArgs, LeadLagArgs, OrderArgs, SimulateArgs, TakerArg};
pub(crate) use report::{GoalsArgs, ReportArgs};

use super::verify::contract_worth;
use barograph_domain::{InstrumentName, Span};
use barograph_research::train::RowWeights;
use barograph_study::money::fees::TakerFee;
use barograph_study::targets::TargetId;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use worth::{HoldOutArgs, LogArgs, ModelsArgs, PredictArgs, TradeArgs};

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
    /// Which of several markets moves first: by both clocks, at several steps, confirmed in a second period, after costs
    #[command(name = "leadlag")]
    LeadLag(LeadLagArgs),
    /// When to execute an order that has to be executed: in equal parts, at once, or when it is predicted to be cheap
    Execution(ExecutionArgs),
    /// What a rule of your own was worth: long, short or flat by columns and regimes, through the recorded book
    Simulate(SimulateArgs),
    /// A study as one HTML file: board, folds, reliability, equity, importance, partial dependence
    Report(ReportArgs),
    /// What was promised, held against what studies have measured: reached or not, why, and what would settle it
    Goals(GoalsArgs),
    /// Boards of studies, with the notes above them
    Leaderboard(BoardArgs),
    /// Open the last tenth of the time, once for a study, and judge its models there; the research log says so
    HoldOut(HoldOutArgs),
    /// The research log: studies, openings of hold-outs, findings
    Log(LogArgs),
    /// Fitted models that are kept, and which of them predicts
    Models(ModelsArgs),
    /// Predict rows of the lake that are new to the current model: gold/predictions, and forecasts in the shadow ledger
    Predict(PredictArgs),
    /// A perpetual's rows with those of its spot market beside them, as one Parquet file
    Pair(PairArgs),
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
    /// Recordings of it, one or several: messages of hftbacktest's collector or cryptofeed, archives of Bybit and Tardis, LOBSTER,
    /// Bitstamp orders, wide snapshots, or a lake. Without it the journal that `barograph up` has written in the data folder.
    /// What is in the lake already is not written again
    #[arg(long = "source", value_name = "FILE", num_args = 1..)]
    pub(crate) sources: Vec<PathBuf>,
    /// Smallest step of prices, where the recording does not say it; spread_ticks needs it
    #[arg(long, value_name = "PRICE", value_parser = tick)]
    pub(crate) tick: Option<f64>,
    /// What a contract is worth, of a market counted in contracts whose recording does not hold the venue's list of instruments. In base units
    /// of a linear contract, in quote units of an inverse one (OKX: ctVal times ctMult). MARKET=NUMBER is for one beside. May be repeated
    #[arg(long, value_name = "NUMBER", value_parser = contract_size, requires = "sources")]
    pub(crate) contract_size: Vec<(Option<InstrumentName>, f64)>,
    /// Recording of the same asset on another venue, for the columns vx_*. May be repeated, also for several files of one market; a journal
    /// has its own
    #[arg(long, value_name = "MARKET=FILE", value_parser = other, requires = "sources")]
    pub(crate) beside: Vec<(InstrumentName, PathBuf)>,
    /// Market whose returns vx_ref_ret_1s_bps has; without it Binance's where it is there, else the first by name
    #[arg(long, value_name = "MARKET", value_parser = InstrumentName::parse)]
    pub(crate) reference: Option<InstrumentName>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PairArgs {
    /// Either market of the pair: the perpetual, or its spot market. The pair is the one of the basis: what spot_pairs declares, else the
    /// same base and quote on the same exchange
    pub(crate) market: String,
    /// File that is made
    #[arg(long, value_name = "FILE", value_parser = out_file)]
    pub(crate) out: PathBuf,
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
    /// Tier and its taker fee a side in basis points, as in VIP0=5; without it the board has no columns of money
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: Option<TakerFee>,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
    /// How long each target may take before models that are not fitted yet are left out; 10m for quick and 1h for best without it
    #[arg(long, value_name = "TIME", value_parser = Span::parse)]
    pub(crate) time_limit: Option<Span>,
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
    /// Whose calls: any model of the board, baselines and the control among them
    #[arg(long, value_name = "MODEL", default_value = "gbm")]
    pub(crate) model: String,
    /// Tier and its taker fee a side in basis points, as in VIP0=5; there is no default
    #[arg(long, value_name = "TIER=BPS", value_parser = fee)]
    pub(crate) fee: TakerFee,
    #[command(flatten)]
    pub(crate) trade: TradeArgs,
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
    /// How much each row counts in a fit: linear, gbm, mlp and what is made of them take it
    #[arg(long, value_enum, default_value = "even")]
    pub(crate) weights: WeightsArg,
    /// Folder of the studies; without it that of the setting `studies`, else `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: LakeArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum WeightsArg {
    /// All rows alike
    Even,
    /// By how much of its own a label says: the mean over its life of one over the labels alive
    Uniqueness,
}

impl From<WeightsArg> for RowWeights {
    fn from(of: WeightsArg) -> Self {
        match of {
            WeightsArg::Even => Self::Even,
            WeightsArg::Uniqueness => Self::Uniqueness,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct BoardArgs {
    /// Market: venue:symbol, or a symbol of the default venue
    pub(crate) market: String,
    /// One target only
    #[arg(long, value_name = "TARGET", value_parser = TargetId::parse)]
    pub(crate) target: Option<TargetId>,
    /// An earlier board, by its name; without it the newest
    #[arg(long, value_name = "RUN", requires = "target")]
    pub(crate) run: Option<String>,
    /// Folder of the studies; without it that of the setting `studies`, else `studies` in the data folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) studies: Option<PathBuf>,
}

fn other(text: &str) -> Result<(InstrumentName, PathBuf), String> {
    let wrong = || format!("'{text}': write the market and its file, as in coinbase:BTC-USD=coinbase.jsonl.zst");
    let (market, file) = text.split_once('=').ok_or_else(wrong)?;
    let market = InstrumentName::parse(market.trim()).map_err(|e| format!("'{text}': {e}"))?;
    if file.is_empty() { Err(wrong()) } else { Ok((market, PathBuf::from(file))) }
}

/// A file to write: what is written under a temporary name and then put in its place cannot go to standard output.
pub(crate) fn out_file(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("name the file".to_owned()),
        "-" => Err("the result is written to a file, not to standard output; name the file".to_owned()),
        _ => Ok(PathBuf::from(text)),
    }
}

fn tick(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|t: &f64| t.is_finite() && *t > 0.0)
        .ok_or_else(|| format!("'{text}' is no price step: write a number above zero, such as 0.1"))
}

/// Of the market itself, or of a market that is named.
fn contract_size(text: &str) -> Result<(Option<InstrumentName>, f64), String> {
    let (market, size) = match text.rsplit_once('=') {
        Some((market, size)) => (Some(InstrumentName::parse(market.trim()).map_err(|e| e.to_string())?), size),
        None => (None, text),
    };
    Ok((market, contract_worth(size.trim())?))
}

fn fee(text: &str) -> Result<TakerFee, String> {
    let shape = "write TIER=BPS, the name of the tier and its taker fee a side in basis points, as in VIP0=5";
    let wrong = |what: &str| format!("'{text}' {what}; {shape}");
    let (tier, bps) = text.split_once('=').ok_or_else(|| wrong("has no '='"))?;
    if tier.trim().is_empty() {
        return Err(wrong("names no tier"));
    }
    if tier.contains(',') || bps.contains(',') {
        return Err(wrong("is more than one tier, or has a comma in its number"));
    }
    let number = bps.trim().parse().ok().filter(|n: &f64| n.is_finite());
    let number = number.ok_or_else(|| wrong(&format!("has no number behind '=', but '{}'", bps.trim())))?;
    TakerFee::new(tier.trim(), number).map_err(|e| format!("{e}; {shape}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_that_is_none_is_answered_by_what_is_wrong_with_it() {
        for (text, want) in [
            ("VIP0=5", Ok(5.0)),
            (" VIP 0 = -0.5 ", Ok(-0.5)),
            ("VIP0=0", Ok(0.0)),
            ("5", Err("'5' has no '='")),
            ("", Err("'' has no '='")),
            ("=5", Err("'=5' names no tier")),
            (" =5", Err("' =5' names no tier")),
            ("VIP0=", Err("has no number behind '=', but ''")),
            ("VIP0=5bp", Err("has no number behind '=', but '5bp'")),
            ("VIP0=5 %", Err("has no number behind '=', but '5 %'")),
            ("VIP0=NaN", Err("has no number behind '=', but 'NaN'")),
            ("VIP0=inf", Err("has no number behind '=', but 'inf'")),
            ("VIP0==5", Err("has no number behind '=', but '=5'")),
            ("VIP0=5,VIP1=4", Err("is more than one tier")),
            ("VIP0=0,5", Err("has a comma in its number")),
            ("VIP0=101", Err("is not within −100 and 100 basis points")),
        ] {
            match (fee(text), want) {
                (Ok(got), Ok(bps)) => assert!((got.bps() - bps).abs() < 1e-12, "{text}"),
                (Err(got), Err(why)) => assert!(got.contains(why) && got.contains("as in VIP0=5"), "{text}: {got}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }
}
