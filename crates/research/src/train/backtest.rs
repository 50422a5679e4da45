//! What predictions of a direction were worth in money (research §6): taker fills through the recorded book, fees of a named tier, funding
//! as far as it is known.

use super::artefact::{read_board, write};
use super::lineup::MODELS;
use super::request::StudyRequest;
use super::run::Study;
use super::trades::{ModelTrades, MoneyTerms, TradedFolds, no_direction, parts_of, trade};
use crate::ResearchError;
use barograph_study::money::deflate::{DeflatedSharpe, TrialSpread, sample_variance};
use barograph_study::money::funding::FundingCover;
use barograph_study::money::goal::sharpe_goal;
use barograph_study::money::report::TradeReport;
use barograph_study::money::sharpe::SharpeMoments;
use barograph_study::targets::TargetId;
use serde::{Deserialize, Serialize};

/// The back-test of a study, in its folder.
pub const BACKTEST: &str = "backtest.json";

/// What predictions were worth.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BacktestReport {
    /// The model.
    pub model: String,
    /// Tier whose taker fee was paid.
    pub tier: String,
    /// That fee, basis points a side.
    pub fee_bps: f64,
    /// Milliseconds from a decision until its order was at the venue.
    pub latency_ms: f64,
    /// Quote behind every trade; the capital that returns are stated on.
    pub notional: f64,
    /// Distance from one half that each fold's inner split chose, in the order of time.
    pub delta: Vec<f64>,
    /// Thresholds tried, all folds together: each counts as a trial.
    pub tried: usize,
    /// Rows decided at: every row of the test blocks whose book could be used, whether or not the mid moved after it.
    pub rows: usize,
    /// Round trips.
    pub trades: usize,
    /// Orders that found no usable book, or not enough in it.
    pub untraded: usize,
    /// P&L per round trip before costs, basis points; `None` without trades. What a round trip may cost until nothing is left.
    pub break_even_cost_bps: Option<f64>,
    /// What a round trip cost: spread, impact and fees, basis points.
    pub avg_cost_bps: Option<f64>,
    /// P&L per round trip after all costs, basis points.
    pub net_bps: Option<f64>,
    /// Costs of all trades by name, quote.
    pub costs: [(String, f64); 4],
    /// How much of the funding that was due is known, and so among the costs.
    pub funding: FundingCover,
    /// Sum of net P&L, as a fraction of the capital.
    pub net: f64,
    /// Largest fall of the equity curve, as a fraction of the capital.
    pub max_drawdown: f64,
    /// Quote traded per day in multiples of the capital.
    pub turnover: f64,
    /// Share of the time with a position.
    pub exposure: f64,
    /// UTC days.
    pub days: usize,
    /// Annual Sharpe ratio after costs.
    pub sharpe_net: Option<f64>,
    /// The same before costs.
    pub sharpe_gross: Option<f64>,
    /// The 90 % band of the first.
    pub sharpe_band: Option<[f64; 2]>,
    /// Why there is no Sharpe ratio.
    pub no_sharpe: Option<String>,
    /// Is a position still open at the end, and in no figure?
    #[serde(default)]
    pub unclosed: bool,
    /// Deflated Sharpe ratio on these terms, with all trials so far; `None` where it is undefined.
    #[serde(default)]
    pub dsr: Option<f64>,
    /// All trials so far for this target, which it is deflated by.
    #[serde(default)]
    pub trials: usize,
    /// Variance of the Sharpe ratios per day of those that were traded, over all runs.
    #[serde(default)]
    pub trials_variance: f64,
    /// Conditions of the goal of a Sharpe ratio (research §8) that are not met, each as a clause; `None` in files of versions that did not
    /// hold a back-test against it.
    #[serde(default)]
    pub goal_misses: Option<Vec<String>>,
    /// Cumulative net P&L after each trade: moment, fraction of the capital.
    pub equity: Vec<(String, f64)>,
}

/// Trades what a study's model said of its test rows. `step` is called with how many of how many steps are done.
///
/// What is finished is kept in the study's folder: a call that was killed is gone on with by the next one of the same settings.
///
/// # Errors
/// The target is no direction over time, the model was not fitted, or the lake holds no books.
pub fn traded(
    request: &StudyRequest,
    model: &str,
    terms: &MoneyTerms,
    step: &mut dyn FnMut(usize, usize),
) -> Result<BacktestReport, ResearchError> {
    if !matches!(request.target, TargetId::Direction(_)) {
        return Err(no_direction(request.target));
    }
    if !MODELS.contains(&model) {
        let known = MODELS.join(", ");
        return Err(ResearchError::Refused(format!("there is a back-test of {known}, not of '{model}'")));
    }
    let study = Study::open(request)?;
    let folds = study.folds.folds().to_vec();
    let parts = parts_of(&study, &[model], &folds, terms, &format!("backtest-{model}.parts"))?;
    let TradedFolds { models, cover } = trade(&study, &[model], &folds, terms, &parts, step)?;
    let Some(trades) = models.into_iter().next() else {
        return Err(ResearchError::Failed(format!("{model} was not traded")));
    };
    study.log_thresholds(model, terms, &trades)?;
    let spread = spread_of(&study, &trades)?;
    let report = report_of(model, terms, trades, cover, (&spread, request.seed));
    write(&request.folder.join(BACKTEST), &report, true)?;
    write(&study.beside(&format!("backtest-{model}.json")), &report, true)?;
    parts.end();
    Ok(report)
}

/// What all trials have in common: how many there are, over all runs, and how far the ratios of those that were traded are spread. The largest
/// variance counts, which is the strictest: of this model's thresholds, of all that the log of trials holds, and of the board of these fits
/// where that was traded.
fn spread_of(study: &Study<'_>, trades: &ModelTrades) -> Result<TrialSpread, ResearchError> {
    let days = trades.report.daily_net.len();
    let whole = |daily: &Vec<f64>| {
        let mut daily = daily.clone();
        daily.resize(days.max(daily.len()), 0.0);
        daily
    };
    let series: Vec<Vec<f64>> = trades.by_delta.iter().map(whole).collect();
    let spread = TrialSpread::new(study.trials()?, &series);
    let board = read_board(&study.request.folder).ok().filter(|board| board.config_hash == study.config_hash);
    let variance = board.and_then(|board| board.money).map_or(0.0, |money| money.trials_variance);
    let logged = sample_variance(&study.ratios()?).unwrap_or(0.0);
    Ok(TrialSpread { variance: spread.variance.max(variance).max(logged), ..spread })
}

fn report_of(
    model: &str,
    terms: &MoneyTerms,
    trades: ModelTrades,
    funding: FundingCover,
    (spread, seed): (&TrialSpread, u64),
) -> BacktestReport {
    let ModelTrades { delta, tried, rows, report, .. } = trades;
    let sharpe = report.sharpe_net();
    // Where there is no Sharpe ratio there is nothing to deflate.
    let moments = sharpe.and_then(|_| SharpeMoments::population(&report.daily_net)).ok();
    let dsr = moments.and_then(|m| DeflatedSharpe::both(&m, spread)).map(|[all, _]| all.probability);
    let goal_misses = sharpe_goal(&report, spread, seed).iter().map(ToString::to_string).collect();
    let terms = &terms.trade;
    BacktestReport {
        model: model.to_owned(),
        tier: terms.fee.tier().to_owned(),
        fee_bps: terms.fee.on(1e4),
        latency_ms: 1e3 * terms.latency.as_secs_f64(),
        notional: terms.notional,
        delta,
        tried,
        rows,
        trades: report.trips.len(),
        untraded: untraded(&report),
        break_even_cost_bps: report.break_even_cost_bps(),
        avg_cost_bps: report.avg_cost_bps(),
        net_bps: report.net_bps(),
        costs: [
            ("spread".to_owned(), report.costs.spread),
            ("impact".to_owned(), report.costs.impact),
            ("fees".to_owned(), report.costs.fees),
            ("funding".to_owned(), report.costs.funding),
        ],
        funding,
        net: report.net(),
        max_drawdown: report.max_drawdown(),
        turnover: report.turnover,
        exposure: report.exposure,
        days: report.daily_net.len(),
        sharpe_net: sharpe.ok(),
        sharpe_gross: report.sharpe_gross().ok(),
        sharpe_band: report.sharpe_net_band(seed).ok().map(|b| [b.low, b.high]),
        no_sharpe: sharpe.err().map(|e| e.to_string()),
        unclosed: report.unclosed,
        dsr,
        trials: spread.trials,
        trials_variance: spread.variance,
        goal_misses: Some(goal_misses),
        equity: report.equity().into_iter().map(|p| (p.at.to_string(), p.net)).collect(),
    }
}

pub(super) const fn untraded(report: &TradeReport) -> usize {
    report.untraded.entries_no_book + report.untraded.entries_depth + report.untraded.exits
}
