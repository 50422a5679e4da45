//! What predictions of a direction were worth in money (research §6): taker fills through the recorded book, fees of a named tier.

use super::artefact::write;
use super::fold::FoldRows;
use super::run::{KeptFit, Study, StudyRequest};
use crate::ResearchError;
use crate::books::books_at;
use crate::dataset::CLOSE_AFTER;
use barograph_domain::Span;
use barograph_lab::zoo::{ZooPrediction, ZooTask};
use barograph_study::folds::StudyFold;
use barograph_study::money::backtest::{
    BacktestFault, HoldRule, UpProbability, backtest, delta_of_inner_split, moments, threshold,
};
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::books::RecordedBooks;
use barograph_study::money::report::TradeReport;
use barograph_study::targets::TargetId;
use barograph_study::transforms::Transforms;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The back-test of a study, in its folder.
pub const BACKTEST: &str = "backtest.json";

/// Distances from one half that the inner split chooses among.
const DELTAS: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3];
/// A book older than this is not traded on: the same as for the data set (features §7).
const BOOK_AGE_MAX: Span = Span::secs(5);

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
    /// Rows judged.
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
    /// Its 90 % band.
    pub sharpe_band: Option<[f64; 2]>,
    /// Why there is no Sharpe ratio.
    pub no_sharpe: Option<String>,
    /// Cumulative net P&L after each trade: moment, fraction of the capital.
    pub equity: Vec<(String, f64)>,
}

/// Trades what a study's model said of its test rows.
///
/// # Errors
/// The target is no direction over time, the model was not fitted, or the lake holds no books.
pub fn traded(
    request: &StudyRequest,
    model: &str,
    terms: &TradeTerms,
    step: &mut dyn FnMut(usize, usize),
) -> Result<BacktestReport, ResearchError> {
    let TargetId::Direction(horizon) = request.target else {
        return Err(ResearchError::Refused(format!(
            "{} is no direction; there is a back-test of dir_1s, dir_5s, dir_30s, dir_1m and dir_5m",
            request.target
        )));
    };
    let study = Study::open(request)?;
    let holding = HoldRule { horizon: horizon.span(), renewed: false };
    let folds: Vec<StudyFold> = study.folds.folds().to_vec();
    let mut said = Vec::new();
    for (n, fold) in folds.iter().enumerate() {
        step(n, folds.len() + 1);
        said.push(calls_of(&study, model, fold)?);
    }
    let wanted: BTreeSet<_> = said
        .iter()
        .flat_map(|[inner, test]| [inner, test])
        .flat_map(|p| moments(&threshold(p, 0.0), holding, terms.latency))
        .collect();
    step(folds.len(), folds.len() + 1);
    let mut books = RecordedBooks::new(books_at(&request.lake, &request.market, &wanted)?, BOOK_AGE_MAX);
    let failed = |e: BacktestFault| ResearchError::Failed(e.to_string());
    let (mut delta, mut tried, mut signals) = (Vec::new(), 0, Vec::new());
    for [inner, test] in &said {
        let chosen = delta_of_inner_split(inner, &DELTAS, holding, terms, &mut books, &[]).map_err(failed)?;
        delta.push(chosen.delta);
        tried += chosen.tried;
        signals.extend(threshold(test, chosen.delta));
    }
    let report = backtest(&signals, holding, terms, &mut books, &[]).map_err(failed)?;
    let report = report_of(model, terms, &report, request.seed, (delta, tried, signals.len()));
    write(&request.folder.join(BACKTEST), &report, true)?;
    Ok(report)
}

/// Calibrated probabilities of the inner split and of the test rows.
fn calls_of(study: &Study<'_>, model: &str, fold: &StudyFold) -> Result<[Vec<UpProbability>; 2], ResearchError> {
    let kept: KeptFit = study.kept(model, fold)?;
    if kept.model.task() != ZooTask::Binary {
        return Err(ResearchError::Failed(format!("{model} says no probability")));
    }
    let transforms =
        Transforms::fit(&study.rows.frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let rows = FoldRows::new(&study.rows.frame, &study.labels, &fold.learn, &fold.test, &transforms)?;
    let features = rows.features_of(model);
    let of = |wanted: &[u32]| {
        let ZooPrediction::Binary { probabilities, .. } = kept.model.predict(features, wanted) else {
            return Vec::new();
        };
        let at = |row: &u32| rows.times[usize::try_from(*row).unwrap_or(usize::MAX)] + CLOSE_AFTER;
        wanted.iter().zip(probabilities).map(|(row, p_up)| UpProbability { known_ts: at(row), p_up }).collect()
    };
    Ok([of(&rows.tune), of(&rows.test)])
}

fn report_of(
    model: &str,
    terms: &TradeTerms,
    report: &TradeReport,
    seed: u64,
    (delta, tried, rows): (Vec<f64>, usize, usize),
) -> BacktestReport {
    let sharpe = report.sharpe_net();
    let untraded = &report.untraded;
    let costs = [
        ("spread".to_owned(), report.costs.spread),
        ("impact".to_owned(), report.costs.impact),
        ("fees".to_owned(), report.costs.fees),
        ("funding".to_owned(), report.costs.funding),
    ];
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
        untraded: untraded.entries_no_book + untraded.entries_depth + untraded.exits,
        break_even_cost_bps: report.break_even_cost_bps(),
        avg_cost_bps: report.avg_cost_bps(),
        net_bps: report.net_bps(),
        costs,
        net: report.net(),
        max_drawdown: report.max_drawdown(),
        turnover: report.turnover,
        exposure: report.exposure,
        days: report.daily_net.len(),
        sharpe_net: sharpe.ok(),
        sharpe_band: report.sharpe_net_band(seed).ok().map(|b| [b.low, b.high]),
        no_sharpe: sharpe.err().map(|e| e.to_string()),
        equity: report.equity().into_iter().map(|p| (p.at.to_string(), p.net)).collect(),
    }
}
