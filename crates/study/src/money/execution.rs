//! When to execute an order that has to be executed anyway (research §7, R5.7).
//!
//! A parent order is split over the rows of a grid. A schedule says how much is due by each row, a gate whether the row trades; what is
//! due and not traded is carried on, and at the last row whatever is left is tried. So every policy wants the same quantity in the
//! same time, and they differ only in when.

use super::books::{BookAt, NoBook};
use super::fills::{TakerBook, TakerSize, sign};
use super::medians::running_medians;
use super::resample::{MoneyBand, band_of};
use super::sharpe::count;
use barograph_domain::math::ln;
use barograph_domain::{Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Rows behind the running median of predicted costs.
pub const MEDIAN_ROWS: usize = 300;
/// Fewer predictions than this have no median; the gate is open then.
pub const MEDIAN_ROWS_MIN: usize = 30;
/// Fewer pairs of parents than this decide nothing (research §7).
pub const PARENTS_MIN: usize = 200;
/// The permanent part of an impact is what is left of it after this (research §7).
pub const PERMANENT_AFTER: Span = Span::mins(5);

/// An order to be split.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ParentOrder {
    /// Buyer's or seller's.
    pub taker: Side,
    /// Amount in base.
    pub quantity: f64,
    /// When it was decided.
    pub start: Ts,
    /// It has to be done until `start + horizon`.
    pub horizon: Span,
    /// `kyle_lambda` as known at the start: basis points per million quote.
    pub kyle_lambda: Option<f64>,
}

/// A row on which children may be sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ExecutionRow {
    /// When it was known.
    pub known_ts: Ts,
    /// Predicted cost of buying, basis points.
    pub buy_cost_bps: Option<f64>,
    /// Predicted cost of selling, basis points.
    pub sell_cost_bps: Option<f64>,
}

/// A trade of the market.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MarketPrint {
    /// When it happened.
    pub at: Ts,
    /// Quote per base.
    pub price: f64,
    /// Amount in base.
    pub quantity: f64,
}

/// When children are sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ExecutionPolicy {
    /// In equal parts, one on each row.
    Twap,
    /// Everything on the first row.
    Immediate,
    /// In equal parts, each when the predicted cost is below the running median of those before it; what is still left goes on the
    /// last row.
    Signal,
}

impl ExecutionPolicy {
    /// The policies in the order of the table.
    pub const ALL: [Self; 3] = [Self::Twap, Self::Immediate, Self::Signal];
}

/// How one parent was executed. Basis points; positive is worse for whoever executes, but for `impact` and `permanent`, where positive is a
/// move in the direction of the order.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ExecutionMetrics {
    /// Filled over wanted.
    pub fill_ratio: f64,
    /// Average fill against the mid at the decision. `None` where nothing was filled, as for all that compare a fill.
    pub shortfall_bps: Option<f64>,
    /// Average fill against the mean of the mids of the rows.
    pub vs_twap_bps: Option<f64>,
    /// Average fill against the market's volume-weighted average price; `None` also without trades.
    pub vs_vwap_bps: Option<f64>,
    /// Mid at the end against mid at the start. Recorded order books do not answer to the order: this is what the market did anyway.
    pub impact_bps: Option<f64>,
    /// Fills against the mids at their moments, weighted by quantity.
    pub temporary_bps: Option<f64>,
    /// Mid five minutes after the last fill against the mid at the decision.
    pub permanent_bps: Option<f64>,
    /// Wanted quantity over the market's volume; `None` without trades.
    pub participation: Option<f64>,
    /// Shortfall over what Kyle's λ predicts for an order of this size; `None` where λ is missing or not positive.
    pub shortfall_per_lambda: Option<f64>,
}

/// Why a parent cannot be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoExecution {
    /// There is no mid at the decision.
    Start(NoBook),
    /// No row lies within its time.
    Rows,
    /// Its quantity is not positive.
    Quantity,
}

impl core::fmt::Display for NoExecution {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Start(why) => write!(f, "no mid at the decision: {why}"),
            Self::Rows => write!(f, "no row lies within the order's time"),
            Self::Quantity => write!(f, "the quantity is not positive"),
        }
    }
}

impl core::error::Error for NoExecution {}

/// Everything that parents are executed in: rows and trades in the order of time, order books that answer in any order.
pub struct ExecutionMarket<'a> {
    rows: &'a [ExecutionRow],
    medians: &'a CostMedians,
    prints: &'a [MarketPrint],
    books: &'a mut dyn BookAt,
    latency: Span,
}

/// The running median of the predicted cost of buying and of selling at each row.
#[derive(Clone, PartialEq, Debug)]
pub struct CostMedians([Vec<Option<f64>>; 2]);

impl CostMedians {
    /// Of rows in the order of time.
    #[must_use]
    pub fn of(rows: &[ExecutionRow]) -> Self {
        let costs = [|r: &ExecutionRow| r.buy_cost_bps, |r: &ExecutionRow| r.sell_cost_bps];
        Self(costs.map(|cost| running_medians(rows.iter().map(cost), MEDIAN_ROWS, MEDIAN_ROWS_MIN)))
    }
}

impl core::fmt::Debug for ExecutionMarket<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ExecutionMarket").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// Children of a parent, added up.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    quantity: f64,
    quote: f64,
    /// Quote at the mids of the fills.
    quote_at_mids: f64,
    last: Option<Ts>,
}

impl<'a> ExecutionMarket<'a> {
    /// Rows, with their medians, and trades in the order of time; children reach the order book after `latency`.
    #[must_use]
    pub fn new(
        (rows, medians): (&'a [ExecutionRow], &'a CostMedians),
        prints: &'a [MarketPrint],
        books: &'a mut dyn BookAt,
        latency: Span,
    ) -> Self {
        Self { rows, medians, prints, books, latency }
    }

    /// Executes one parent by one policy.
    ///
    /// # Errors
    /// The parent cannot be measured.
    pub fn execute(&mut self, parent: &ParentOrder, policy: ExecutionPolicy) -> Result<ExecutionMetrics, NoExecution> {
        if !(parent.quantity.is_finite() && parent.quantity > 0.0) {
            return Err(NoExecution::Quantity);
        }
        let end = parent.start + parent.horizon;
        let from = self.rows.partition_point(|r| r.known_ts < parent.start);
        let to = self.rows.partition_point(|r| r.known_ts < end).max(from);
        if from == to {
            return Err(NoExecution::Rows);
        }
        let decided = self.books.book_at(parent.start).map_err(NoExecution::Start)?.mid();
        let filled = self.children(parent, policy, from, to);
        let worse = |average: f64, than: f64| 1e4 * sign(parent.taker) * (average / than - 1.0);
        let average = (filled.quantity > 0.0).then(|| filled.quote / filled.quantity);
        let shortfall_bps = average.map(|a| worse(a, decided));
        let twap = self.twap(from, to);
        let (volume, vwap) = self.prints(parent.start, end);
        let expected = parent.kyle_lambda.filter(|l| *l > 0.0).map(|l| l * parent.quantity * decided / 1e6);
        Ok(ExecutionMetrics {
            fill_ratio: filled.quantity / parent.quantity,
            shortfall_bps,
            vs_twap_bps: average.zip(twap).map(|(a, t)| worse(a, t)),
            vs_vwap_bps: average.zip(vwap).map(|(a, v)| worse(a, v)),
            impact_bps: self.mid(end).map(|mid| 1e4 * sign(parent.taker) * ln(mid / decided)),
            temporary_bps: average.map(|_| worse(filled.quote, filled.quote_at_mids)),
            permanent_bps: filled.last.and_then(|t| self.mid(t + PERMANENT_AFTER)).map(|mid| worse(mid, decided)),
            participation: (volume > 0.0).then(|| parent.quantity / volume),
            shortfall_per_lambda: shortfall_bps.zip(expected).map(|(s, e)| s / e),
        })
    }

    /// Sends children on the rows `from..to`.
    fn children(&mut self, parent: &ParentOrder, policy: ExecutionPolicy, from: usize, to: usize) -> Filled {
        let mut filled = Filled::default();
        for row in from..to {
            let share = match policy {
                ExecutionPolicy::Immediate => 1.0,
                ExecutionPolicy::Twap | ExecutionPolicy::Signal => count(row + 1 - from) / count(to - from),
            };
            let due = parent.quantity * share - filled.quantity;
            let opens = policy != ExecutionPolicy::Signal || row + 1 == to || self.is_cheap(parent.taker, row);
            // A rest of rounding is no order.
            if !opens || due <= 1e-12 * parent.quantity {
                continue;
            }
            let at = self.rows[row].known_ts + self.latency;
            let fill = self.books.book_at(at).ok().and_then(|b| b.take(parent.taker, TakerSize::Quantity(due)).ok());
            if let Some(fill) = fill {
                filled.quantity += fill.quantity;
                filled.quote += fill.quote;
                filled.quote_at_mids += fill.quantity * fill.mid;
                filled.last = Some(at);
            }
        }
        filled
    }

    /// Is the predicted cost of a row below the median of those before it? A row without a prediction is not; without a median all are.
    fn is_cheap(&self, taker: Side, row: usize) -> bool {
        let (cost, medians) = match taker {
            Side::Long => (self.rows[row].buy_cost_bps, &self.medians.0[0]),
            Side::Short => (self.rows[row].sell_cost_bps, &self.medians.0[1]),
        };
        medians[row].is_none_or(|median| cost.is_some_and(|c| c < median))
    }

    fn mid(&mut self, at: Ts) -> Option<f64> {
        self.books.book_at(at).ok().map(TakerBook::mid)
    }

    fn twap(&mut self, from: usize, to: usize) -> Option<f64> {
        let mids: Vec<f64> = (from..to).filter_map(|row| self.mid(self.rows[row].known_ts)).collect();
        (!mids.is_empty()).then(|| mids.iter().sum::<f64>() / count(mids.len()))
    }

    /// Volume and volume-weighted average price of the trades in `(after, until]`.
    fn prints(&self, after: Ts, until: Ts) -> (f64, Option<f64>) {
        let [from, to] = [after, until].map(|t| self.prints.partition_point(|p| p.at <= t));
        let prints = &self.prints[from..to.max(from)];
        let volume: f64 = prints.iter().map(|p| p.quantity).sum();
        let quote: f64 = prints.iter().map(|p| p.quantity * p.price).sum();
        (volume, (volume > 0.0).then(|| quote / volume))
    }
}

/// Why two policies are not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoComparison {
    /// Fewer parents have a shortfall by both policies than are needed.
    Parents {
        /// Parents that have.
        have: usize,
        /// Parents that are needed.
        needed: usize,
    },
}

impl core::fmt::Display for NoComparison {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self::Parents { have, needed } = self;
        write!(f, "{have} parents with both; a comparison needs {needed}")
    }
}

impl core::error::Error for NoComparison {}

/// Mean shortfall of one policy less that of another over the same parents, basis points, with its 90 % band: paired, so what happened to
/// both drops out. Below 0 the first is better; a band that holds 0 shows nothing. Blocks of parents that follow each other are
/// `block_mean` long on average: as many as share a stretch of the market.
///
/// # Errors
/// Fewer than 200 parents have a shortfall by both.
pub fn compare(
    of: &[ExecutionMetrics],
    against: &[ExecutionMetrics],
    block_mean: f64,
    seed: u64,
) -> Result<MoneyBand, NoComparison> {
    let pairs = of.iter().zip(against).filter_map(|(a, b)| Some(a.shortfall_bps? - b.shortfall_bps?));
    let differences: Vec<f64> = pairs.collect();
    let too_few = NoComparison::Parents { have: differences.len(), needed: PARENTS_MIN };
    if differences.len() < PARENTS_MIN {
        return Err(too_few);
    }
    let n = count(differences.len());
    band_of(differences.len(), block_mean, seed, |places| Some(places.iter().map(|k| differences[*k]).sum::<f64>() / n))
        .ok_or(too_few)
}

/// One policy over all parents.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyResult {
    /// The policy.
    pub policy: ExecutionPolicy,
    /// One entry per parent that could be measured, in the same order for every policy.
    pub parents: Vec<ExecutionMetrics>,
    /// Shortfall against `twap`; for `twap` itself 0 by construction.
    pub vs_twap: Result<MoneyBand, NoComparison>,
}

impl PolicyResult {
    /// Mean of one metric over the parents that have it, and how many do.
    pub fn mean(&self, metric: impl Fn(&ExecutionMetrics) -> Option<f64>) -> Option<(f64, usize)> {
        let values: Vec<f64> = self.parents.iter().filter_map(metric).collect();
        (!values.is_empty()).then(|| (values.iter().sum::<f64>() / count(values.len()), values.len()))
    }
}

/// What came of parents that follow each other, executed by every policy.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MeasuredParents {
    /// Those that could be measured, by the policies in the order of [`ExecutionPolicy::ALL`].
    pub measured: Vec<[ExecutionMetrics; 3]>,
    /// Why the others could not be.
    pub left_out: Vec<String>,
}

impl MeasuredParents {
    /// Executes every parent by every policy. `step` is called with how many parents are done.
    #[must_use]
    pub fn of(market: &mut ExecutionMarket<'_>, parents: &[ParentOrder], step: &mut dyn FnMut(usize)) -> Self {
        let mut done = Self::default();
        for (place, parent) in parents.iter().enumerate() {
            step(place);
            let [twap, immediate, signal] = ExecutionPolicy::ALL.map(|policy| market.execute(parent, policy));
            // What cannot be measured does not depend on the policy.
            match (twap, immediate, signal) {
                (Ok(twap), Ok(immediate), Ok(signal)) => done.measured.push([twap, immediate, signal]),
                (Err(why), ..) | (_, Err(why), _) | (.., Err(why)) => done.left_out.push(why.to_string()),
            }
        }
        done
    }

    /// Those that came later behind these.
    pub fn append(&mut self, mut later: Self) {
        self.measured.append(&mut later.measured);
        self.left_out.append(&mut later.left_out);
    }

    /// The policies, each over all of these parents and against `twap`, in the order of [`ExecutionPolicy::ALL`]. What `block_mean` and
    /// `seed` are says [`compare`].
    #[must_use]
    pub fn policies(&self, block_mean: f64, seed: u64) -> Vec<PolicyResult> {
        let by = |at: usize| -> Vec<ExecutionMetrics> { self.measured.iter().map(|all| all[at]).collect() };
        let twap = by(0);
        let policies = ExecutionPolicy::ALL.into_iter().enumerate().map(|(at, policy)| {
            let parents = by(at);
            let vs_twap = compare(&parents, &twap, block_mean, seed);
            PolicyResult { policy, parents, vs_twap }
        });
        policies.collect()
    }
}
