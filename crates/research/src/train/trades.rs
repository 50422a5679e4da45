//! Calls of models traded over all folds on the same recorded books (research §6): with the threshold that each fold's inner split chose,
//! and with every threshold that it chose among. What is finished is kept among the parts of a call, so that one that was killed goes on.

use super::calls::{FoldCalls, calls_of};
use super::run::Study;
use crate::ResearchError;
use crate::books::{BOOK_AGE_MAX, books_at, books_digest};
use crate::due::funding_cover;
use crate::parts::KeptParts;
use barograph_domain::Ts;
use barograph_study::folds::StudyFold;
use barograph_study::money::backtest::{
    BacktestFault, HoldRule, StanceSignal, UpProbability, backtest, delta_of_inner_split, moments, threshold,
};
use barograph_study::money::blotter::{FundingPayment, Stance, TradeTerms};
use barograph_study::money::books::RecordedBooks;
use barograph_study::money::funding::{FundingCover, settlements};
use barograph_study::money::report::TradeReport;
use barograph_study::money::sharpe::SharpeMoments;
use barograph_study::targets::TargetId;
use std::collections::BTreeSet;

/// Distances from one half that the inner split chooses among.
pub(super) const DELTAS: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3];
/// Levels are kept that hold this many times the notional: a reversal takes it twice at one moment.
const BOOK_DEPTH: f64 = 4.0;

/// On which terms calls are traded, and what is known of funding.
#[derive(Clone, PartialEq, Debug)]
pub struct MoneyTerms {
    /// Fee, notional and latency.
    pub trade: TradeTerms,
    /// Settlements of the market's funding, from whatever sources there are; two of one settlement count once.
    pub funding: Vec<FundingPayment>,
}

impl MoneyTerms {
    /// The terms in words: what makes one back-test another.
    #[must_use]
    pub fn words(&self) -> String {
        let TradeTerms { fee, notional, latency } = &self.trade;
        format!("{}={} notional={notional} latency={}", fee.tier(), fee.bps(), latency.compact())
    }
}

/// One model's trades.
pub(super) struct ModelTrades {
    /// Distance from one half that each fold's inner split chose.
    pub(super) delta: Vec<f64>,
    /// Thresholds tried, all folds together.
    pub(super) tried: usize,
    /// Rows decided at.
    pub(super) rows: usize,
    pub(super) report: TradeReport,
    /// Daily net P&L with each of [`DELTAS`] over all folds.
    pub(super) by_delta: Vec<Vec<f64>>,
}

impl ModelTrades {
    /// Sharpe ratio per day of each threshold; those without variation have none.
    pub(super) fn ratios(&self) -> Vec<f64> {
        let daily = self.by_delta.iter().map(|daily| {
            let mut daily = daily.clone();
            daily.resize(self.report.daily_net.len().max(daily.len()), 0.0);
            daily
        });
        daily.filter_map(|d| SharpeMoments::population(&d).ok()).map(|m| m.sharpe).collect()
    }
}

/// Everything that was traded.
pub(super) struct TradedFolds {
    /// In the order of the models.
    pub(super) models: Vec<ModelTrades>,
    pub(super) cover: FundingCover,
}

/// Trades the calls of models on the test blocks of folds. `step` is called with how many of how many steps are done.
pub(super) fn trade(
    study: &Study<'_>,
    models: &[&str],
    folds: &[StudyFold],
    terms: &MoneyTerms,
    parts: &KeptParts,
    step: &mut dyn FnMut(usize, usize),
) -> Result<TradedFolds, ResearchError> {
    let TargetId::Direction(horizon) = study.request.target else { return Err(no_direction(study.request.target)) };
    let holding = HoldRule { horizon: horizon.span(), renewed: false };
    // The calls of every fold, the books, and of each model a threshold for every fold, all thresholds over them, and those chosen.
    let of_model = folds.len() + DELTAS.len() + 1;
    let steps = folds.len() + 1 + models.len() * of_model;
    let mut stated: Vec<Vec<FoldCalls>> = vec![Vec::new(); models.len()];
    for (n, fold) in folds.iter().enumerate() {
        let calls = parts.part(&format!("calls-{}", fold.number), || {
            step(n, steps);
            calls_of(study, models, fold)
        })?;
        stated.iter_mut().zip(calls).for_each(|(all, calls)| all.push(calls));
    }
    step(folds.len(), steps);
    let latency = terms.trade.latency;
    let wanted: BTreeSet<Ts> = stated
        .iter()
        .flatten()
        .flat_map(|calls| [&calls.inner, &calls.test])
        .flat_map(|calls| moments(&always(calls), holding, latency))
        .collect();
    let (lake, market) = (&study.request.lake, &study.request.market);
    let books = books_at(lake, market, &wanted, Some(BOOK_DEPTH * terms.trade.notional))?;
    let payments = settlements(terms.funding.clone());
    let mut trading = Trading {
        holding,
        terms: &terms.trade,
        books: RecordedBooks::new(books, BOOK_AGE_MAX),
        payments: &payments,
        parts,
    };
    let mut traded = Vec::new();
    for (n, of_folds) in stated.iter().enumerate() {
        let mut within = |done: usize| step(folds.len() + 1 + n * of_model + done, steps);
        traded.push(trading.of_model(models[n], of_folds, &mut within)?);
    }
    let tested = || stated.iter().flatten().flat_map(|c| &c.test).map(|p| p.known_ts);
    let cover = match (tested().min(), tested().max()) {
        (Some(from), Some(to)) => funding_cover(market, &payments, from, to + holding.horizon + latency),
        _ => FundingCover::NotDue,
    };
    Ok(TradedFolds { models: traded, cover })
}

/// Parts of a back-test, in a folder of the study: they are of these fits, books, terms and payments.
pub(super) fn parts_of(
    study: &Study<'_>,
    models: &[&str],
    folds: &[StudyFold],
    terms: &MoneyTerms,
    folder: &str,
) -> Result<KeptParts, ResearchError> {
    let (lake, market) = (&study.request.lake, &study.request.market);
    let paid: Vec<_> = terms.funding.iter().map(|p| (p.at, p.rate, p.mark)).collect();
    let fits = study.fits_digest(models, folds)?;
    let tested: Vec<_> = folds.iter().map(|f| (f.number, f.test.begins(), f.test.len())).collect();
    let of = ("trades", models, &study.config_hash, fits, tested, books_digest(lake, market)?, terms.words(), paid);
    KeptParts::open(study.request.folder.join(folder), &of)
}

/// Books and terms that all models are traded on.
struct Trading<'a> {
    holding: HoldRule,
    terms: &'a TradeTerms,
    books: RecordedBooks,
    payments: &'a [FundingPayment],
    parts: &'a KeptParts,
}

impl Trading<'_> {
    fn of_model(
        &mut self,
        model: &str,
        stated: &[FoldCalls],
        step: &mut dyn FnMut(usize),
    ) -> Result<ModelTrades, ResearchError> {
        let (parts, holding) = (self.parts, self.holding);
        let (mut delta, mut tried, mut signals) = (Vec::new(), 0, Vec::new());
        for (n, FoldCalls { inner, test }) in stated.iter().enumerate() {
            let (chosen, of): (f64, usize) = parts.part(&format!("{model}-delta-{n}"), || {
                step(n);
                let (books, payments) = (&mut self.books, self.payments);
                let chosen = delta_of_inner_split(inner, &DELTAS, holding, self.terms, books, payments);
                chosen.map(|c| (c.delta, c.tried)).map_err(failed)
            })?;
            delta.push(chosen);
            tried += of;
            signals.extend(threshold(test, chosen));
        }
        let mut by_delta = Vec::new();
        for (n, delta) in DELTAS.into_iter().enumerate() {
            let daily: Vec<f64> = parts.part(&format!("{model}-daily-{n}"), || {
                step(stated.len() + n);
                let signals: Vec<StanceSignal> = stated.iter().flat_map(|c| threshold(&c.test, delta)).collect();
                Ok(self.traded(&signals)?.daily_net)
            })?;
            by_delta.push(daily);
        }
        step(stated.len() + DELTAS.len());
        Ok(ModelTrades { delta, tried, rows: signals.len(), report: self.traded(&signals)?, by_delta })
    }

    fn traded(&mut self, signals: &[StanceSignal]) -> Result<TradeReport, ResearchError> {
        backtest(signals, self.holding, self.terms, &mut self.books, self.payments).map_err(failed)
    }
}

fn failed(e: BacktestFault) -> ResearchError {
    ResearchError::Failed(e.to_string())
}

/// A position wanted at every row: whatever any threshold of any model may ask a book for.
fn always(calls: &[UpProbability]) -> Vec<StanceSignal> {
    calls.iter().map(|p| StanceSignal { known_ts: p.known_ts, stance: Stance::Long }).collect()
}

pub(super) fn no_direction(target: TargetId) -> ResearchError {
    ResearchError::Refused(format!(
        "{target} is no direction; there is a back-test of dir_1s, dir_5s, dir_30s, dir_1m and dir_5m"
    ))
}
