//! The columns of a board that cost money (research §5, §6): what every model's calls were worth on the same books, and how much of the
//! best is luck.

use super::backtest::untraded;
use super::run::Study;
use super::trades::{ModelTrades, MoneyTerms, TradedFolds, parts_of, trade};
use crate::ResearchError;
use barograph_study::folds::StudyFold;
use barograph_study::money::deflate::{DeflatedSharpe, TrialSpread};
use barograph_study::money::funding::FundingCover;
use barograph_study::money::overfit::overfit;
use barograph_study::money::sharpe::SharpeMoments;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The control, which nobody would choose: it is traded, and is no configuration of the probability of overfitting.
const CONTROL: &str = "shuffled";

/// What one model's calls were worth.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MoneyRow {
    /// Annual Sharpe ratio after costs; `None` with fewer than 30 days or without variation.
    pub sharpe_net: Option<f64>,
    /// The same before costs.
    pub sharpe_gross: Option<f64>,
    /// The 90 % band of the first.
    pub sharpe_band: Option<[f64; 2]>,
    /// Why there is none.
    pub no_sharpe: Option<String>,
    /// Deflated Sharpe ratio with all trials: the criterion of research §8.
    pub dsr: Option<f64>,
    /// The same with as many independent trials as those are worth.
    pub dsr_effective: Option<f64>,
    /// Quote traded per day in multiples of the capital.
    pub turnover: f64,
    /// What a round trip cost: spread, impact and fees, basis points; `None` without trades.
    pub avg_cost_bps: Option<f64>,
    /// Largest fall of the equity curve, as a fraction of the capital.
    pub max_drawdown: f64,
    /// P&L per round trip before costs, basis points; `None` without trades.
    pub break_even_cost_bps: Option<f64>,
    /// P&L per round trip after all costs, basis points; `None` without trades.
    pub net_bps: Option<f64>,
    /// Round trips.
    pub trades: usize,
    /// Orders that found no usable book, or not enough in it.
    pub untraded: usize,
    /// Distance from one half that each fold's inner split chose, in the order of time.
    pub delta: Vec<f64>,
}

/// The columns of all models, with what they have in common.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoardMoney {
    /// Tier whose taker fee was paid.
    pub tier: String,
    /// That fee, basis points a side.
    pub fee_bps: f64,
    /// Milliseconds from a decision until its order was at the venue.
    pub latency_ms: f64,
    /// Quote behind every trade; the capital that returns are stated on.
    pub notional: f64,
    /// UTC days.
    pub days: usize,
    /// How much of the funding that was due is known, and so paid.
    pub funding: FundingCover,
    /// All trials so far for this target: fits and thresholds, of this run and of earlier ones.
    pub trials: usize,
    /// As many independent trials as those are worth.
    pub trials_effective: f64,
    /// Sample variance of the trials' Sharpe ratios per day.
    pub trials_variance: f64,
    /// Configurations that entered `pbo`: every model but the control with every threshold.
    pub configurations: usize,
    /// Probability that the configuration which is best in one half of the days is below the median in the other.
    pub pbo: Option<f64>,
    /// Why there is none.
    pub no_pbo: Option<String>,
    /// By model.
    pub rows: BTreeMap<String, MoneyRow>,
}

/// Trades every model of a board.
pub(super) fn money_of(
    study: &Study<'_>,
    models: &[&str],
    folds: &[StudyFold],
    terms: &MoneyTerms,
    step: &mut dyn FnMut(usize, usize),
) -> Result<BoardMoney, ResearchError> {
    let parts = parts_of(study, models, folds, terms, "board.parts")?;
    let TradedFolds { models: traded, cover } = trade(study, models, folds, terms, &parts, step)?;
    for (model, trades) in models.iter().zip(&traded) {
        study.log_thresholds(model, terms, trades)?;
    }
    let days = traded.iter().map(|t| t.report.daily_net.len()).max().unwrap_or_default();
    // A position that is left after midnight makes a day that others have without a trade.
    let whole = |daily: &[f64]| {
        let mut daily = daily.to_vec();
        daily.resize(days.max(daily.len()), 0.0);
        daily
    };
    let candidates = models.iter().zip(&traded).filter(|(model, _)| **model != CONTROL);
    let mut series: Vec<Vec<f64>> = candidates.flat_map(|(_, t)| t.by_delta.iter().map(|d| whole(d))).collect();
    let longest = series.iter().map(Vec::len).max().unwrap_or_default();
    series.iter_mut().for_each(|s| s.resize(longest, 0.0));
    let spread = TrialSpread::new(study.trials()?, &series);
    let pbo = overfit(&series);
    let seed = study.request.seed;
    parts.end();
    let rows = models
        .iter()
        .zip(&traded)
        .map(|(m, t)| ((*m).to_owned(), row_of(t, &whole(&t.report.daily_net), &spread, seed)));
    let TradedTerms { tier, fee_bps, latency_ms, notional } = TradedTerms::of(terms);
    Ok(BoardMoney {
        tier,
        fee_bps,
        latency_ms,
        notional,
        days,
        funding: cover,
        trials: spread.trials,
        trials_effective: spread.trials_effective,
        trials_variance: spread.variance,
        configurations: series.len(),
        pbo: pbo.ok().map(|p| p.probability),
        no_pbo: pbo.err().map(|e| e.to_string()),
        rows: rows.collect(),
    })
}

struct TradedTerms {
    tier: String,
    fee_bps: f64,
    latency_ms: f64,
    notional: f64,
}

impl TradedTerms {
    fn of(terms: &MoneyTerms) -> Self {
        let terms = &terms.trade;
        Self {
            tier: terms.fee.tier().to_owned(),
            fee_bps: terms.fee.on(1e4),
            latency_ms: 1e3 * terms.latency.as_secs_f64(),
            notional: terms.notional,
        }
    }
}

fn row_of(trades: &ModelTrades, daily: &[f64], spread: &TrialSpread, seed: u64) -> MoneyRow {
    let report = &trades.report;
    let sharpe = report.sharpe_net();
    // Where there is no Sharpe ratio there is nothing to deflate.
    let moments = sharpe.and_then(|_| SharpeMoments::population(daily)).ok();
    let deflated = moments.and_then(|m| DeflatedSharpe::both(&m, spread));
    MoneyRow {
        sharpe_net: sharpe.ok(),
        sharpe_gross: report.sharpe_gross().ok(),
        sharpe_band: report.sharpe_net_band(seed).ok().map(|b| [b.low, b.high]),
        no_sharpe: sharpe.err().map(|e| e.to_string()),
        dsr: deflated.map(|[all, _]| all.probability),
        dsr_effective: deflated.map(|[_, effective]| effective.probability),
        turnover: report.turnover,
        avg_cost_bps: report.avg_cost_bps(),
        max_drawdown: report.max_drawdown(),
        break_even_cost_bps: report.break_even_cost_bps(),
        net_bps: report.net_bps(),
        trades: report.trips.len(),
        untraded: untraded(report),
        delta: trades.delta.clone(),
    }
}
