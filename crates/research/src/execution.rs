//! When to execute an order that has to be executed anyway, on recorded books (research §7, R5.7): parents one after another through every
//! policy.

use crate::ResearchError;
use crate::books::{BOOK_AGE_MAX, books_at, books_digest};
use crate::dataset::CLOSE_AFTER;
use crate::load::load;
use crate::parts::KeptParts;
use crate::prices::{prints, trades_digest};
use crate::train::{StudyRequest, predicted};
use barograph_domain::{InstrumentName, Side, Span, Ts};
use barograph_study::ResearchFrame;
use barograph_study::money::books::{BookAt, RecordedBooks};
use barograph_study::money::execution::{
    CostMedians, ExecutionMarket, ExecutionMetrics, ExecutionPolicy, ExecutionRow, MeasuredParents, PERMANENT_AFTER,
    ParentOrder, PolicyResult,
};
use barograph_study::money::fills::TakerBook;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Steps for whoever shows how far it is: of 100, the rows and their costs take about so many.
const STEPS: usize = 100;
const ROWS_STEPS: usize = 40;
/// Parents whose books are read together, and whose results are kept while the rest is not done: of two a minute, eight hours.
const TOGETHER: usize = 1_000;
/// Parents that begin within this share a stretch of the market, and are drawn together.
const STRETCH: Span = Span::mins(30);

/// What is asked.
#[derive(Clone, Debug)]
pub struct ExecutionRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Whose books.
    pub market: InstrumentName,
    /// Quote of each parent.
    pub quote: f64,
    /// In what time it has to be done.
    pub horizon: Span,
    /// A parent begins each so often.
    pub every: Span,
    /// Children may be sent each so often.
    pub grid: Span,
    /// From a decision until a child is at the venue.
    pub latency: Span,
    /// Buyers or sellers only; `None`: one after the other.
    pub side: Option<Side>,
    /// Decides the resamples.
    pub seed: u64,
    /// Models that predict the cost of buying and of selling; `None`: a cost is predicted to stay as it is.
    pub predicted: Option<ExecutionForecast>,
}

/// Studies whose models predict what an order will cost.
#[derive(Clone, Debug)]
pub struct ExecutionForecast {
    /// Of `cost_buy_*`.
    pub buy: StudyRequest,
    /// Of `cost_sell_*`.
    pub sell: StudyRequest,
    /// Which model of them.
    pub model: String,
}

/// What was measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExecutionReport {
    /// Whose books.
    pub market: String,
    /// From the first row to the last.
    pub span: [Ts; 2],
    /// Quote of each parent.
    pub quote: f64,
    /// In what time it has to be done, seconds.
    pub horizon_s: f64,
    /// Seconds between the rows on which children may be sent.
    pub grid_s: f64,
    /// Milliseconds from a decision until a child is at the venue.
    pub latency_ms: f64,
    /// What predicts a cost: `persistence`, or a model.
    pub prediction: String,
    /// Parents that begin within the recording.
    pub parents: usize,
    /// Those that every policy could be measured on.
    pub measured: usize,
    /// Why the others could not be, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// The policies.
    pub policies: Vec<ExecutionPolicyRow>,
}

/// One policy over all parents. Means in basis points, positive is worse for whoever executes; `None` where no parent has the figure.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ExecutionPolicyRow {
    /// `twap`, `immediate` or `signal`.
    pub policy: String,
    /// Mean share that was filled.
    pub fill_ratio: Option<f64>,
    /// Average fill against the mid at the decision.
    pub shortfall_bps: Option<f64>,
    /// Average fill against the mean of the mids.
    pub vs_twap_bps: Option<f64>,
    /// Average fill against the market's volume-weighted average price.
    pub vs_vwap_bps: Option<f64>,
    /// Mid at the end against mid at the start: what the market did; recorded books do not answer.
    pub impact_bps: Option<f64>,
    /// Fills against the mids at their moments.
    pub temporary_bps: Option<f64>,
    /// Mid five minutes after the last fill against that at the decision.
    pub permanent_bps: Option<f64>,
    /// Quantity over the market's volume.
    pub participation: Option<f64>,
    /// Shortfall over what Kyle's λ says of the size.
    pub shortfall_per_lambda: Option<f64>,
    /// Mean shortfall less that of `twap` on the same parents.
    pub against_twap_bps: Option<f64>,
    /// Its 90 % band over blocks of parents, paired.
    pub against_twap_band: Option<[f64; 2]>,
    /// Why there is none.
    pub no_comparison: Option<String>,
}

/// Parents that begin one after another, executed.
#[derive(Default, Serialize, Deserialize)]
struct ExecutedParents {
    done: MeasuredParents,
    /// Those without a mid at the decision.
    unpriced: usize,
}

/// Executes parents by every policy. `step` is called with how many of how many steps are done. What was stopped goes on with the next
/// thousand parents.
///
/// # Errors
/// Lengths or a size that make no order, no rows, or no books.
pub fn execution(
    request: &ExecutionRequest,
    step: &mut dyn FnMut(usize, usize),
) -> Result<ExecutionReport, ResearchError> {
    check(request)?;
    step(0, STEPS);
    let loaded = load(&request.lake, &request.market)?;
    let frame = &loaded.frame;
    let rows = rows(request, frame)?;
    let Some(((_, first), (_, last))) = rows.first().copied().zip(rows.last().copied()) else {
        return Err(ResearchError::Refused("no row of the data set has a usable book".to_owned()));
    };
    step(ROWS_STEPS, STEPS);
    let grid: Vec<ExecutionRow> = rows.iter().map(|(_, row)| *row).collect();
    let starts = starts(request, &rows);
    let prints = prints(&request.lake, &request.market)?;
    let (lake, market) = (&request.lake, &request.market);
    let parts = {
        let asked =
            format!("{:?}", (market, request.quote, request.horizon, request.every, request.latency, request.side));
        let of = (asked, grid_digest(&grid), &loaded.digest, books_digest(lake, market)?, trades_digest(lake, market)?);
        KeptParts::in_lake(lake, "execution", &market.to_string(), &("execution", of))?
    };
    let medians = CostMedians::of(&grid);
    let mut all = ExecutedParents::default();
    for (at, together) in starts.chunks(TOGETHER).enumerate() {
        let before = at * TOGETHER;
        let executed: ExecutedParents = parts.part(&format!("parents-{before}"), || {
            let mut within =
                |done: usize| step(ROWS_STEPS + (before + done) * (STEPS - ROWS_STEPS) / starts.len(), STEPS);
            within(0);
            let wanted = wanted(request, &rows, together);
            let mut books = RecordedBooks::new(books_at(lake, market, &wanted, None)?, BOOK_AGE_MAX);
            let of = |(n, start): (usize, &usize)| parent(request, frame, &mut books, before + n, rows[*start].0);
            let parents: Vec<ParentOrder> = together.iter().enumerate().filter_map(of).collect();
            let mut market = ExecutionMarket::new((&grid, &medians), &prints, &mut books, request.latency);
            let done = MeasuredParents::of(&mut market, &parents, &mut within);
            Ok(ExecutedParents { done, unpriced: together.len() - parents.len() })
        })?;
        all.done.append(executed.done);
        all.unpriced += executed.unpriced;
    }
    parts.end();
    let ExecutedParents { done, unpriced } = all;
    let sharing = u32::try_from(STRETCH.0 / request.every.0).unwrap_or(u32::MAX).max(5);
    let mut left_out = BTreeMap::new();
    for why in &done.left_out {
        *left_out.entry(why.clone()).or_default() += 1;
    }
    if unpriced > 0 {
        left_out.insert("no mid at the decision".to_owned(), unpriced);
    }
    Ok(ExecutionReport {
        market: request.market.to_string(),
        span: [first.known_ts, last.known_ts],
        quote: request.quote,
        horizon_s: request.horizon.as_secs_f64(),
        grid_s: request.grid.as_secs_f64(),
        latency_ms: 1e3 * request.latency.as_secs_f64(),
        prediction: request.predicted.as_ref().map_or_else(|| "persistence".to_owned(), |p| p.model.clone()),
        parents: starts.len(),
        measured: done.measured.len(),
        left_out,
        policies: done.policies(f64::from(sharing), request.seed).iter().map(policy_row).collect(),
    })
}

/// What the rows of the grid say, in a few bytes: there are many.
fn grid_digest(grid: &[ExecutionRow]) -> String {
    let mut digest = Sha256::new();
    for row in grid {
        digest.update(row.known_ts.0.to_le_bytes());
        for cost in [row.buy_cost_bps, row.sell_cost_bps] {
            digest.update([u8::from(cost.is_some())]);
            digest.update(cost.unwrap_or_default().to_bits().to_le_bytes());
        }
    }
    digest.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn check(request: &ExecutionRequest) -> Result<(), ResearchError> {
    let refused = |text: String| Err(ResearchError::Refused(text));
    if !(request.quote.is_finite() && request.quote > 0.0) {
        return refused(format!("{} quote is no order", request.quote));
    }
    if request.grid > request.horizon {
        return refused(format!(
            "children each {} do not fit into an order that has to be done in {}",
            request.grid.compact(),
            request.horizon.compact()
        ));
    }
    Ok(())
}

/// Rows of the grid whose book could be used, with their places in the frame.
fn rows(request: &ExecutionRequest, frame: &ResearchFrame) -> Result<Vec<(usize, ExecutionRow)>, ResearchError> {
    let costs = match &request.predicted {
        Some(of) => Some([predicted(&of.buy, &of.model)?, predicted(&of.sell, &of.model)?]),
        None => None,
    };
    let now = ["sweep_cost_buy_bps", "sweep_cost_sell_bps"].map(|name| frame.column(name));
    let cost = |side: usize, row: usize| match &costs {
        Some(said) => said[side].get(&frame.times()[row]).copied(),
        None => now[side].and_then(|column| column.get(row)),
    };
    let on_grid = |row: &usize| {
        let known = costs.as_ref().is_none_or(|said| said[0].contains_key(&frame.times()[*row]));
        frame.is_valid(*row) && known && frame.times()[*row].0.rem_euclid(request.grid.0) == 0
    };
    let row = |row: usize| {
        let known_ts = frame.times()[row] + CLOSE_AFTER;
        (row, ExecutionRow { known_ts, buy_cost_bps: cost(0, row), sell_cost_bps: cost(1, row) })
    };
    Ok((0..frame.len()).filter(on_grid).map(row).collect())
}

/// Places in `rows` on which parents begin. A parent whose time is not over by the last row does not begin.
fn starts(request: &ExecutionRequest, rows: &[(usize, ExecutionRow)]) -> Vec<usize> {
    let last = rows.last().map_or(Ts::MIN, |(_, row)| row.known_ts);
    let (mut starts, mut next) = (Vec::new(), Ts::MIN);
    for (place, (_, row)) in rows.iter().enumerate() {
        if row.known_ts >= next && row.known_ts + request.horizon <= last {
            starts.push(place);
            next = row.known_ts + request.every;
        }
    }
    starts
}

/// Moments at which parents ask for a book: when they are decided and over, on their rows, and when children are at the venue.
fn wanted(request: &ExecutionRequest, rows: &[(usize, ExecutionRow)], starts: &[usize]) -> BTreeSet<Ts> {
    let mut wanted = BTreeSet::new();
    for start in starts {
        let begins = rows[*start].1.known_ts;
        let until = begins + request.horizon;
        wanted.extend([begins, until]);
        for t in rows[*start..].iter().map(|(_, row)| row.known_ts).take_while(|t| *t < until) {
            let sent = t + request.latency;
            wanted.extend([t, sent, sent + PERMANENT_AFTER]);
        }
    }
    wanted
}

fn parent(
    request: &ExecutionRequest,
    frame: &ResearchFrame,
    books: &mut RecordedBooks,
    n: usize,
    row: usize,
) -> Option<ParentOrder> {
    let start = frame.times()[row] + CLOSE_AFTER;
    let mid = books.book_at(start).ok().map(TakerBook::mid)?;
    let by_turns = if n.is_multiple_of(2) { Side::Long } else { Side::Short };
    Some(ParentOrder {
        taker: request.side.unwrap_or(by_turns),
        quantity: request.quote / mid,
        start,
        horizon: request.horizon,
        kyle_lambda: frame.column("kyle_lambda").and_then(|column| column.get(row)),
    })
}

fn policy_row(of: &PolicyResult) -> ExecutionPolicyRow {
    let mean = |metric: fn(&ExecutionMetrics) -> Option<f64>| of.mean(metric).map(|(mean, _)| mean);
    let against = of.vs_twap.ok().filter(|_| of.policy != ExecutionPolicy::Twap);
    ExecutionPolicyRow {
        policy: match of.policy {
            ExecutionPolicy::Twap => "twap",
            ExecutionPolicy::Immediate => "immediate",
            ExecutionPolicy::Signal => "signal",
        }
        .to_owned(),
        fill_ratio: mean(|m| Some(m.fill_ratio)),
        shortfall_bps: mean(|m| m.shortfall_bps),
        vs_twap_bps: mean(|m| m.vs_twap_bps),
        vs_vwap_bps: mean(|m| m.vs_vwap_bps),
        impact_bps: mean(|m| m.impact_bps),
        temporary_bps: mean(|m| m.temporary_bps),
        permanent_bps: mean(|m| m.permanent_bps),
        participation: mean(|m| m.participation),
        shortfall_per_lambda: mean(|m| m.shortfall_per_lambda),
        against_twap_bps: against.map(|b| b.value),
        against_twap_band: against.map(|b| [b.low, b.high]),
        no_comparison: of.vs_twap.err().map(|e| e.to_string()),
    }
}
