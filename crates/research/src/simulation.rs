//! A user's own rule through recorded books and costs (research §7, R4.71): what it traded, what that cost, and in which regimes.

use crate::ResearchError;
use crate::books::{PlayedBooks, books_digest};
use crate::due::funding_cover;
use crate::load::load_between;
use crate::parts::KeptParts;
use crate::signal_columns::{RuleSignal, SignalUsed, add_signal};
use crate::typed::shell_word;
use barograph_domain::{InstrumentName, Side, Ts};
use barograph_study::money::blotter::{FundingPayment, RoundTrip, TradeTerms};
use barograph_study::money::funding::{FundingCover, settlements};
use barograph_study::money::report::TradeReport;
use barograph_study::money::rule::TradingRule;
use barograph_study::money::simulator::{LabelTrack, SimulationPoint, simulate_from};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::path::PathBuf;

/// The part that is kept.
const HALFWAY: &str = "halfway";

/// What is asked.
#[derive(Clone, Debug)]
pub struct SimulationRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Whose rows and books.
    pub market: InstrumentName,
    /// The rule.
    pub rule: TradingRule,
    /// Labels of axes as they became known; none of an axis nobody knows of.
    pub labels: Vec<LabelTrack>,
    /// The signals that the rule declares.
    pub signals: Vec<RuleSignal>,
    /// On which terms is traded.
    pub terms: TradeTerms,
    /// Settlements of the market's funding, from whatever sources there are; two of one settlement count once.
    pub funding: Vec<FundingPayment>,
    /// First moment of a row that counts; all of them from the first on without it.
    pub from: Option<Ts>,
    /// First moment of a row that no longer counts; all of them to the last without it.
    pub until: Option<Ts>,
    /// Decides the resamples.
    pub seed: u64,
}

/// What the rule was worth.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SimulationReport {
    /// Whose rows and books.
    pub market: String,
    /// First and last row.
    pub span: [Ts; 2],
    /// Digest of the content of the hours that the rows are of.
    pub data_digest: String,
    /// Signals that the rule declares: what it was worth is not of market data alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<SignalUsed>,
    /// Rows that the rule was asked about.
    pub rows: usize,
    /// Of those it wanted to be long, short, and without a position.
    pub wanted: [usize; 3],
    /// Tier whose taker fee was paid.
    pub tier: String,
    /// That fee, basis points a side.
    pub fee_bps: f64,
    /// Milliseconds from a decision until its order was at the venue.
    pub latency_ms: f64,
    /// Quote behind every trade; the capital that returns are stated on.
    pub notional: f64,
    /// All round trips.
    pub all: TradeSummary,
    /// Those that were long.
    pub long: TradeSummary,
    /// Those that were short.
    pub short: TradeSummary,
    /// By the label of each axis that was known when the entry was decided.
    pub by_label: Vec<LabelSummary>,
    /// Entries that found no usable book.
    pub no_book: usize,
    /// Entries that the levels could not fill.
    pub no_depth: usize,
    /// Exits that had to be tried again.
    pub exits_again: usize,
    /// Is a position still open at the end, and in no figure?
    pub unclosed: bool,
    /// Costs of all trades by name, quote.
    pub costs: [(String, f64); 4],
    /// How much of the funding that was due is known, and so paid.
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
    /// Its 90 % band.
    pub sharpe_band: Option<[f64; 2]>,
    /// Why there is no Sharpe ratio.
    pub no_sharpe: Option<String>,
    /// Cumulative net P&L after each trade: moment, fraction of the capital.
    pub equity: Vec<(Ts, f64)>,
}

/// Round trips and what one of them made on average, basis points; `None` without any.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct TradeSummary {
    /// How many.
    pub trades: usize,
    /// Share that ended above zero after costs.
    pub won: Option<f64>,
    /// Before costs: what a round trip may cost until nothing is left.
    pub gross_bps: Option<f64>,
    /// Spread, impact and fees.
    pub cost_bps: Option<f64>,
    /// After all costs.
    pub net_bps: Option<f64>,
}

/// Round trips that were entered under one label.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LabelSummary {
    /// The axis.
    pub axis: String,
    /// The label; `None` where there was none.
    pub label: Option<String>,
    /// Its trades.
    #[serde(flatten)]
    pub trades: TradeSummary,
}

impl TradeSummary {
    fn of<'a>(trips: impl Iterator<Item = &'a RoundTrip>) -> Self {
        let (mut n, mut won, mut sums) = (0_u32, 0_u32, [0.0; 3]);
        for trip in trips {
            let (gross, cost, net) = (trip.gross(), trip.costs.trading(), trip.net());
            (n, won) = (n + 1, won + u32::from(net > 0.0));
            for (sum, quote) in sums.iter_mut().zip([gross, cost, net]) {
                *sum += trip.bps(quote);
            }
        }
        let mean = |sum: f64| (n > 0).then(|| sum / f64::from(n));
        let [gross_bps, cost_bps, net_bps] = sums.map(mean);
        Self {
            trades: usize::try_from(n).unwrap_or(usize::MAX),
            won: mean(f64::from(won)),
            gross_bps,
            cost_bps,
            net_bps,
        }
    }
}

/// A simulation between two rows, and what its rule wanted until then.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Halfway {
    point: SimulationPoint,
    rows: usize,
    wanted: [usize; 3],
}

/// Trades what the rule wants on every usable row of the data set. `step` is called with how many rows of how many are done. One that was
/// stopped goes on where a tenth of what it had done, or some four thousand rows, are lost at most.
///
/// # Errors
/// The lake holds no rows or books of the market, or the terms cannot be traded on.
pub fn simulated(
    request: &SimulationRequest,
    step: &mut dyn FnMut(usize, usize),
) -> Result<SimulationReport, ResearchError> {
    let SimulationRequest { lake, market, from, until, .. } = request;
    let mut loaded = load_between(lake, market, (*from, *until))?;
    let mut add = |signal| add_signal(&mut loaded.frame, &request.rule, signal);
    let signals = request.signals.iter().map(&mut add).collect::<Result<Vec<Vec<SignalUsed>>, _>>();
    let signals = signals.map_err(ResearchError::Refused)?.concat();
    let frame = &loaded.frame;
    let Some(span) = frame.times().first().zip(frame.times().last()).map(|(from, to)| [*from, *to]) else {
        let moment = |word: &str, at: &Option<Ts>| at.map_or(String::new(), |at| format!(" {word} {at}"));
        let within = format!("{}{}", moment("from", from), moment("until", until));
        return Err(ResearchError::Refused(format!(
            "{} holds no rows of {market}{within}; what it holds says: barograph lake ls --lake {}",
            lake.display(),
            shell_word(lake)
        )));
    };
    let payments = settlements(request.funding.clone());
    let asked =
        format!("{:?}", (market, from, until, &request.rule, &request.labels, &signals, &request.terms, &payments));
    let parts = KeptParts::in_lake(
        lake,
        "simulate",
        &market.to_string(),
        &("simulate", asked, &loaded.digest, books_digest(lake, market)?),
    )?;
    let Halfway { point, rows, wanted } = parts.found(HALFWAY).unwrap_or_default();
    let goes_on = (point.row > 0).then(|| frame.times()[point.row]);
    let mut books = PlayedBooks::open(lake, market, goes_on.or(*from))?;
    let seen = RefCell::new((rows, wanted, step));
    let mut kept = point.row;
    let mut keep = |point: &SimulationPoint| {
        // All trades so far are written each time: a tenth more of them, or of the rows, is worth it.
        if point.row * 10 < kept * 11 {
            return;
        }
        kept = point.row;
        let (rows, wanted, _) = *seen.borrow();
        parts.keep(HALFWAY, &Halfway { point: point.clone(), rows, wanted });
    };
    let at = (point, &mut keep as &mut dyn FnMut(&SimulationPoint));
    let report = simulate_from(at, frame, &request.labels, &request.terms, &mut books, &payments, |row| {
        let stance = request.rule.wants(row);
        let (rows, wanted, step) = &mut *seen.borrow_mut();
        *rows += 1;
        if rows.is_multiple_of(1_024) {
            step(*rows, frame.len());
        }
        wanted[match stance.side() {
            Some(Side::Long) => 0,
            Some(Side::Short) => 1,
            None => 2,
        }] += 1;
        stance
    });
    books.finish()?;
    let report = report.map_err(|e| ResearchError::Refused(e.to_string()))?;
    let (rows, wanted, _) = seen.into_inner();
    let funding = funding_cover(&request.market, &payments, span[0], span[1]);
    parts.end();
    let report = report_of(request, &report, span, loaded.digest.clone(), (rows, wanted, funding));
    Ok(SimulationReport { signals, ..report })
}

fn report_of(
    request: &SimulationRequest,
    report: &TradeReport,
    span: [Ts; 2],
    data_digest: String,
    (rows, wanted, funding): (usize, [usize; 3], FundingCover),
) -> SimulationReport {
    let (trips, terms, sharpe) = (&report.trips, &request.terms, report.sharpe_net());
    let of = |side: Side| TradeSummary::of(trips.iter().filter(|t| t.held == side));
    SimulationReport {
        market: request.market.to_string(),
        span,
        data_digest,
        signals: Vec::new(),
        rows,
        wanted,
        tier: terms.fee.tier().to_owned(),
        fee_bps: terms.fee.bps(),
        latency_ms: 1e3 * terms.latency.as_secs_f64(),
        notional: terms.notional,
        all: TradeSummary::of(trips.iter()),
        long: of(Side::Long),
        short: of(Side::Short),
        by_label: request.labels.iter().flat_map(|track| by_label(track, trips)).collect(),
        no_book: report.untraded.entries_no_book,
        no_depth: report.untraded.entries_depth,
        exits_again: report.untraded.exits,
        unclosed: report.unclosed,
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
        sharpe_band: report.sharpe_net_band(request.seed).ok().map(|b| [b.low, b.high]),
        no_sharpe: sharpe.err().map(|e| e.to_string()),
        equity: report.equity().into_iter().map(|p| (p.at, p.net)).collect(),
    }
}

/// The trades of each label that was there at an entry.
fn by_label(track: &LabelTrack, trips: &[RoundTrip]) -> Vec<LabelSummary> {
    let label = |trip: &RoundTrip| track.as_of(trip.decided_at).map(str::to_owned);
    let labels: std::collections::BTreeSet<Option<String>> = trips.iter().map(label).collect();
    let of = |of: Option<String>| LabelSummary {
        axis: track.axis().to_owned(),
        trades: TradeSummary::of(trips.iter().filter(|trip| label(trip) == of)),
        label: of,
    };
    labels.into_iter().map(of).collect()
}
