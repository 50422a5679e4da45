//! The back-test of a forecast's sign: decide at a row, act after the latency, hold, leave (research §6).
//!
//! Positions do not overlap. An exit is timed and needs no row; where the order book cannot take it, it is tried again at every later row.
//! A position may be renewed at its end, without trading, while the newest row still wants the same side.

use super::blotter::{Blotter, FundingPayment, Stance, TradeTerms};
use super::books::BookAt;
use super::report::TradeReport;
use barograph_domain::{Span, Ts};
use std::collections::BTreeSet;

/// A row older than this at a position's end no longer renews it.
const RENEWAL_AGE_MAX: Span = Span::secs(1);

/// A calibrated probability that the price rises over the horizon.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UpProbability {
    /// When it was known.
    pub known_ts: Ts,
    /// The probability.
    pub p_up: f64,
}

/// What a row wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StanceSignal {
    /// When it was known.
    pub known_ts: Ts,
    /// The position wanted.
    pub stance: Stance,
}

/// The policy `threshold`: long where `p > 0.5 + δ`, short where `p < 0.5 − δ`, else none.
#[must_use]
pub fn threshold(probabilities: &[UpProbability], delta: f64) -> Vec<StanceSignal> {
    let stance = |p: f64| match (p > 0.5 + delta, p < 0.5 - delta) {
        (true, _) => Stance::Long,
        (_, true) => Stance::Short,
        _ => Stance::Flat,
    };
    probabilities.iter().map(|p| StanceSignal { known_ts: p.known_ts, stance: stance(p.p_up) }).collect()
}

/// How long a position is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoldRule {
    /// From the decision to enter until that to leave.
    pub horizon: Span,
    /// Is it held for another horizon while the newest row wants the same side?
    pub renewed: bool,
}

/// Why there is no back-test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BacktestFault {
    /// There is no row.
    Empty,
    /// A row is not later than the one before it.
    Order(Ts),
    /// Horizon and notional have to be positive, the latency may not be negative.
    Terms,
}

impl core::fmt::Display for BacktestFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => write!(f, "there is no row to decide on"),
            Self::Order(at) => write!(f, "the row of {at} is not later than the one before it"),
            Self::Terms => write!(f, "horizon and notional have to be positive, the latency not negative"),
        }
    }
}

impl core::error::Error for BacktestFault {}

pub(crate) fn check_terms(terms: &TradeTerms) -> Result<(), BacktestFault> {
    let fine = terms.notional.is_finite() && terms.notional > 0.0 && terms.latency >= Span::ZERO;
    if fine { Ok(()) } else { Err(BacktestFault::Terms) }
}

/// Trades what the rows want. Funding payments in any order.
///
/// # Errors
/// Rows or terms that cannot be traded on.
pub fn backtest(
    signals: &[StanceSignal],
    holding: HoldRule,
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
) -> Result<TradeReport, BacktestFault> {
    check_terms(terms)?;
    let (Some(first), Some(last)) = (signals.first(), signals.last()) else { return Err(BacktestFault::Empty) };
    if holding.horizon <= Span::ZERO {
        return Err(BacktestFault::Terms);
    }
    if let Some(w) = signals.windows(2).find(|w| w[0].known_ts >= w[1].known_ts) {
        return Err(BacktestFault::Order(w[1].known_ts));
    }
    let mut blotter = Blotter::new(books, terms, payments);
    let mut at = 0;
    while let Some(signal) = signals.get(at) {
        at += 1;
        let Some(side) = signal.stance.side() else { continue };
        if blotter.enter(side, signal.known_ts).is_err() {
            continue;
        }
        let due = end_of_holding(signals, signal, holding);
        match leave(&mut blotter, signals, due) {
            Some(left) => at = first_from(signals, left),
            None => break,
        }
    }
    let (trips, untraded, unclosed) = blotter.finish();
    Ok(TradeReport::new(terms, trips, untraded, unclosed, (first.known_ts, last.known_ts)))
}

/// Every moment at which [`backtest`] may ask for an order book, in order: what a recording has to be replayed for. Exits that have
/// to be tried again are among them, as they come at rows.
#[must_use]
pub fn moments(signals: &[StanceSignal], holding: HoldRule, latency: Span) -> Vec<Ts> {
    let last = signals.last().map_or(Ts::MIN, |s| s.known_ts);
    let mut exits = BTreeSet::new();
    for entry in signals.iter().filter(|s| s.stance != Stance::Flat) {
        let mut exit = entry.known_ts + holding.horizon;
        // Where an exit is known already, so are all its renewals.
        while exits.insert(exit) && holding.renewed && exit <= last + RENEWAL_AGE_MAX {
            exit = exit + holding.horizon;
        }
    }
    let mut out: Vec<Ts> = signals.iter().map(|s| s.known_ts).chain(exits).map(|t| t + latency).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Place of the first row known at or after a moment.
fn first_from(signals: &[StanceSignal], at: Ts) -> usize {
    signals.partition_point(|s| s.known_ts < at)
}

/// When the position of an entry is to be left, as long as order books take it.
fn end_of_holding(signals: &[StanceSignal], entry: &StanceSignal, holding: HoldRule) -> Ts {
    let renews = |due: Ts| {
        let newest = signals[..signals.partition_point(|s| s.known_ts <= due)].last();
        // A row that opened the position, or renewed it before, does not renew it again.
        let recent = |age: Span| age <= RENEWAL_AGE_MAX && age < holding.horizon;
        holding.renewed && newest.is_some_and(|s| s.stance == entry.stance && recent(due - s.known_ts))
    };
    let mut due = entry.known_ts + holding.horizon;
    while renews(due) {
        due = due + holding.horizon;
    }
    due
}

/// The moment at which it was decided to leave with success; `None` where the rows ended before.
fn leave(blotter: &mut Blotter<'_>, signals: &[StanceSignal], due: Ts) -> Option<Ts> {
    let later = signals[first_from(signals, due)..].iter().map(|s| s.known_ts).filter(|t| *t > due);
    core::iter::once(due).chain(later).find(|t| blotter.leave(*t).is_ok())
}

/// A threshold with what it earned where it was chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DeltaChoice {
    /// Distance from 0.5.
    pub delta: f64,
    /// Sum of net P&L on the inner split, as a fraction of the capital.
    pub net: f64,
    /// Thresholds that were tried: each is a trial.
    pub tried: usize,
}

/// Chooses δ from what each candidate earned on the inner split; of equals the largest, which trades least. A candidate without a
/// result is not chosen; `None` where none has one.
#[must_use]
pub fn choose_delta(scores: &[(f64, Option<f64>)]) -> Option<DeltaChoice> {
    let mut best: Option<(f64, f64)> = None;
    for (delta, net) in scores.iter().filter_map(|(delta, net)| Some((*delta, (*net)?))) {
        let better = best.is_none_or(|(d, n)| net > n || net >= n && delta > d);
        if better && net.is_finite() {
            best = Some((delta, net));
        }
    }
    best.map(|(delta, net)| DeltaChoice { delta, net, tried: scores.len() })
}

/// Chooses δ by trading every candidate on the inner split, and on nothing else. Order books are asked for from the beginning again
/// for each candidate.
///
/// # Errors
/// As [`backtest`]; [`BacktestFault::Empty`] also without candidates.
pub fn delta_of_inner_split(
    inner: &[UpProbability],
    candidates: &[f64],
    holding: HoldRule,
    terms: &TradeTerms,
    books: &mut dyn BookAt,
    payments: &[FundingPayment],
) -> Result<DeltaChoice, BacktestFault> {
    let mut scores = Vec::with_capacity(candidates.len());
    for delta in candidates {
        let report = backtest(&threshold(inner, *delta), holding, terms, books, payments)?;
        scores.push((*delta, Some(report.net())));
    }
    choose_delta(&scores).ok_or(BacktestFault::Empty)
}
