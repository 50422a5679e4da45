//! What predictions of a direction were worth in money (research §6): taker fills through the recorded book, fees of a named tier.

use super::artefact::write;
use super::run::{KeptFit, Study, StudyRequest};
use crate::ResearchError;
use crate::books::{BOOK_AGE_MAX, books_at};
use crate::dataset::CLOSE_AFTER;
use barograph_lab::zoo::{Features, ZooPrediction};
use barograph_study::ResearchFrame;
use barograph_study::folds::StudyFold;
use barograph_study::money::backtest::{
    BacktestFault, HoldRule, UpProbability, backtest, delta_of_inner_split, moments, threshold,
};
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::books::RecordedBooks;
use barograph_study::money::report::TradeReport;
use barograph_study::targets::TargetId;
use barograph_study::transforms::{InputForm, Transforms};
use core::ops::Range;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The back-test of a study, in its folder.
pub const BACKTEST: &str = "backtest.json";

/// Distances from one half that the inner split chooses among.
const DELTAS: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3];

/// Models that say a probability of every row.
const LEARNERS: [&str; 4] = ["linear", "gbm", "mlp", "ensemble"];

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
    if !LEARNERS.contains(&model) {
        let known = LEARNERS.join(", ");
        return Err(ResearchError::Refused(format!("there is a back-test of {known}, not of '{model}'")));
    }
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

/// Calibrated probabilities over the inner split and over the test block: of every row whose book could be used. Nobody knows at a row
/// whether the mid will have moved, which is what it takes to have a label.
fn calls_of(study: &Study<'_>, model: &str, fold: &StudyFold) -> Result<[Vec<UpProbability>; 2], ResearchError> {
    let kept: KeptFit = study.kept(model, fold)?;
    let frame = &study.rows.frame;
    let transforms = Transforms::fit(frame, &fold.learn.train).map_err(|e| ResearchError::Refused(e.to_string()))?;
    let inner = calls(frame, &kept, &transforms, ends(fold.learn.tune.rows()))?;
    Ok([inner, calls(frame, &kept, &transforms, ends(fold.test.rows()))?])
}

/// From the first row to one past the last.
fn ends(mut rows: impl DoubleEndedIterator<Item = usize>) -> Range<usize> {
    let first = rows.next().unwrap_or_default();
    first..rows.next_back().unwrap_or(first) + 1
}

fn calls(
    frame: &ResearchFrame,
    kept: &KeptFit,
    transforms: &Transforms,
    rows: Range<usize>,
) -> Result<Vec<UpProbability>, ResearchError> {
    let failed = |e: &dyn std::fmt::Display| ResearchError::Failed(e.to_string());
    let rows: Vec<usize> = rows.filter(|row| frame.is_valid(*row)).collect();
    let matrix = transforms.apply(frame, rows.iter().copied(), InputForm::Sparse).map_err(|e| failed(&e))?;
    let columns = (0..matrix.names().len()).map(|c| (0..matrix.rows()).map(|r| matrix.get(r, c)).collect::<Vec<_>>());
    let features = Features::new(rows.len(), columns).map_err(|e| failed(&e))?;
    let all: Vec<u32> = (0..u32::try_from(rows.len()).map_err(|e| failed(&e))?).collect();
    let ZooPrediction::Binary { probabilities, .. } = kept.model.predict(&features, &all) else {
        return Err(ResearchError::Failed("the model was not fitted on a yes or no".to_owned()));
    };
    let known = rows.iter().map(|row| frame.times()[*row] + CLOSE_AFTER);
    Ok(known.zip(probabilities).map(|(known_ts, p_up)| UpProbability { known_ts, p_up }).collect())
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
