//! Which of several recorded markets moves first (research §10, R5.8): pairs out of the lake through both clocks and two periods, and what
//! following a lead was worth.

use crate::ResearchError;
use crate::books::{BOOK_AGE_MAX, books_by, books_digest};
use crate::parts::KeptParts;
use crate::prices::mids;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_study::lead_lag::follow::FollowRule;
use barograph_study::lead_lag::mids::{MidPoint, MidSeries, StudyClock};
use barograph_study::lead_lag::profile::{LagProfile, NoProfile};
use barograph_study::lead_lag::study::{
    ClockProfiles, LeadFinding, LeadLagSetup, LeadingMarket, StepLead, lead_lag_study,
};
use barograph_study::money::backtest::{HoldRule, moments};
use barograph_study::money::blotter::TradeTerms;
use barograph_study::money::books::RecordedBooks;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What is asked.
#[derive(Clone, Debug)]
pub struct LeadLagRequest {
    /// The lake.
    pub lake: PathBuf,
    /// Markets; every pair of them is studied.
    pub markets: Vec<InstrumentName>,
    /// Steps of the grid; each is one more chance to find something by luck.
    pub steps: Vec<Span>,
    /// Largest difference that the venues' clocks may have.
    pub skew_bound: Span,
    /// Where the period that confirms begins; `None`: in the middle of what a pair has in common.
    pub confirm_from: Option<Ts>,
    /// On which terms a lead is followed; `None`: it is not.
    pub terms: Option<TradeTerms>,
}

/// What was found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeadLagReport {
    /// Markets, as given.
    pub markets: Vec<LeadLagMarket>,
    /// Largest difference of the venues' clocks that was allowed for, milliseconds.
    pub skew_ms: f64,
    /// |t| that a correlation has to exceed, corrected for lags, steps and pairs (Bonferroni).
    pub t_bound: f64,
    /// Every pair.
    pub pairs: Vec<LeadLagPair>,
}

/// One market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeadLagMarket {
    /// Its name.
    pub market: String,
    /// States of its book.
    pub states: usize,
    /// First and last of them by the venue's clock.
    pub span: [Ts; 2],
    /// Median of receipt less the venue's stamp, milliseconds; below 0 our clock was behind the venue's.
    pub delay_ms: f64,
}

/// Two markets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeadLagPair {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// The period in which a lead is sought, and the one that has to confirm it. `None`: the markets have no time in common.
    pub periods: Option<[[Ts; 2]; 2]>,
    /// Step by step.
    pub steps: Vec<LeadLagStep>,
}

/// One step of the grid.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeadLagStep {
    /// Its length, seconds.
    pub step_s: f64,
    /// `leads`, `within_skew`, `clocks_disagree`, `not_confirmed` or `too_little`.
    pub finding: String,
    /// The market that leads.
    pub leader: Option<String>,
    /// By how much, seconds.
    pub lead_s: Option<f64>,
    /// Correlation at that lag in the period that confirmed it.
    pub rho: Option<f64>,
    /// Why there are too few returns, where that is the finding.
    pub why: Option<String>,
    /// By the venues' clocks: the period that sought, the one that confirmed.
    pub event: [Option<LeadLagCurve>; 2],
    /// By our clock.
    pub receipt: [Option<LeadLagCurve>; 2],
    /// What following the lead was worth in the period that confirmed it.
    pub follow: Option<FollowWorth>,
}

/// Correlations of returns at every lag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeadLagCurve {
    /// At lags −10 to 10 steps; above 0 the first market moves first.
    pub rho: Vec<f64>,
    /// Pairs of returns behind the lag that has fewest.
    pub pairs: usize,
    /// Squares of those ahead over squares of those behind.
    pub lead_ratio: Option<f64>,
    /// Lag of the strongest beside 0.
    pub peak_lag: i32,
    /// Its correlation.
    pub peak_rho: f64,
    /// `ρ·√n`.
    pub peak_t: f64,
}

/// A follow rule after costs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FollowWorth {
    /// The market that is traded.
    pub follower: String,
    /// Smallest move of the leader over a step that is followed, basis points: the ninth tenth of those in the period that sought.
    pub bound_bps: f64,
    /// Round trips.
    pub trades: usize,
    /// Orders that found no usable book, or not enough in it.
    pub untraded: usize,
    /// P&L of a round trip before costs, basis points; `None` without trades.
    pub gross_bps: Option<f64>,
    /// What it cost: spread, impact, fees.
    pub cost_bps: Option<f64>,
    /// What is left.
    pub net_bps: Option<f64>,
}

struct HeardMarket {
    name: InstrumentName,
    points: Vec<MidPoint>,
    series: MidSeries,
}

impl HeardMarket {
    fn read(request: &LeadLagRequest, name: &InstrumentName) -> Result<Self, ResearchError> {
        let points = mids(&request.lake, name)?;
        Ok(Self { name: name.clone(), series: MidSeries::new(&points), points })
    }

    fn span(&self) -> (Ts, Ts) {
        let first = self.points.first().map_or(Ts::MAX, |p| p.event_ts);
        (first, self.points.last().map_or(Ts::MIN, |p| p.event_ts))
    }

    fn about(&self) -> LeadLagMarket {
        let mut delays: Vec<Span> = self.points.iter().map(|p| p.recv_ts - p.event_ts).collect();
        delays.sort_unstable();
        let delay = delays.get(delays.len() / 2).copied().unwrap_or(Span::ZERO);
        let (from, to) = self.span();
        let states = self.points.iter().filter(|p| p.mid.is_some()).count();
        LeadLagMarket { market: self.name.to_string(), states, span: [from, to], delay_ms: 1e3 * delay.as_secs_f64() }
    }
}

/// Markets that are read when a pair needs them.
struct HeardMarkets<'a> {
    request: &'a LeadLagRequest,
    read: Vec<Option<HeardMarket>>,
}

impl HeardMarkets<'_> {
    fn get(&mut self, at: usize) -> Result<&HeardMarket, ResearchError> {
        if self.read[at].is_none() {
            self.read[at] = Some(HeardMarket::read(self.request, &self.request.markets[at])?);
        }
        self.read[at].as_ref().ok_or_else(|| ResearchError::Failed("a market was not read".to_owned()))
    }

    fn pair(&mut self, at: [usize; 2]) -> Result<[&HeardMarket; 2], ResearchError> {
        for one in at {
            self.get(one)?;
        }
        let read = |one: usize| self.read[one].as_ref();
        read(at[0])
            .zip(read(at[1]))
            .map(<[_; 2]>::from)
            .ok_or_else(|| ResearchError::Failed("a market was not read".to_owned()))
    }
}

/// Studies every pair. `step` is called with how many markets and pairs of how many are done. What was stopped goes on with the next pair.
///
/// # Errors
/// Fewer than two markets, one named twice, a period that makes no sense, or a lake without their books.
pub fn lead_lag(request: &LeadLagRequest, step: &mut dyn FnMut(usize, usize)) -> Result<LeadLagReport, ResearchError> {
    let refused = |text: &str| Err(ResearchError::Refused(text.to_owned()));
    let n = request.markets.len();
    if n < 2 {
        return refused("one market has nothing to lead; name two or more");
    }
    if (1..n).any(|at| request.markets[..at].contains(&request.markets[at])) {
        return refused("a market is named twice");
    }
    let pairs_studied = n * (n - 1) / 2;
    let setup = LeadLagSetup { steps: request.steps.clone(), pairs_studied, ..LeadLagSetup::new(request.skew_bound) };
    let parts = {
        let digests: Result<Vec<_>, _> = request.markets.iter().map(|name| books_digest(&request.lake, name)).collect();
        let LeadLagRequest { markets, steps, skew_bound, confirm_from, terms, .. } = request;
        let asked = format!("{:?}", (markets, steps, skew_bound, confirm_from, terms));
        let about = markets.iter().map(ToString::to_string).collect::<Vec<_>>().join("-");
        KeptParts::in_lake(&request.lake, "leadlag", &about, &("leadlag", asked, digests?))?
    };
    let mut heard = HeardMarkets { request, read: (0..n).map(|_| None).collect() };
    let mut markets: Vec<LeadLagMarket> = Vec::with_capacity(n);
    for at in 0..n {
        let about = parts.part(&format!("market-{at}"), || {
            step(at, n + pairs_studied);
            Ok(heard.get(at)?.about())
        })?;
        markets.push(about);
    }
    let mut pairs: Vec<LeadLagPair> = Vec::with_capacity(pairs_studied);
    for at in 0..n {
        for other in at + 1..n {
            let found = parts.part(&format!("pair-{at}-{other}"), || {
                step(n + pairs.len(), n + pairs_studied);
                let [a, b] = heard.pair([at, other])?;
                pair(request, &setup, a, b)
            })?;
            pairs.push(found);
        }
    }
    parts.end();
    if pairs.iter().all(|p| p.periods.is_none()) {
        return refused("no two of these markets were recorded at the same time");
    }
    Ok(LeadLagReport { markets, skew_ms: 1e3 * request.skew_bound.as_secs_f64(), t_bound: setup.t_bound(), pairs })
}

fn pair(
    request: &LeadLagRequest,
    setup: &LeadLagSetup,
    a: &HeardMarket,
    b: &HeardMarket,
) -> Result<LeadLagPair, ResearchError> {
    let [(a_from, a_to), (b_from, b_to)] = [a.span(), b.span()];
    let (from, to) = (a_from.max(b_from), a_to.min(b_to));
    let none = LeadLagPair { a: a.name.to_string(), b: b.name.to_string(), periods: None, steps: Vec::new() };
    if from >= to {
        return Ok(none);
    }
    let middle = request.confirm_from.unwrap_or(Ts(from.0 + (to - from).0 / 2));
    let periods = [(from, middle), (middle, to)];
    let found = lead_lag_study(&a.series, &b.series, periods, setup).map_err(|e| {
        let (a, b) = (&a.name, &b.name);
        ResearchError::Refused(format!("{e}: {a} and {b} have the time from {from} to {to} in common"))
    })?;
    let steps = found.iter().map(|found| one(request, setup, [a, b], periods, found)).collect::<Result<_, _>>()?;
    Ok(LeadLagPair { periods: Some(periods.map(|(from, to)| [from, to])), steps, ..none })
}

fn one(
    request: &LeadLagRequest,
    setup: &LeadLagSetup,
    markets: [&HeardMarket; 2],
    periods: [(Ts, Ts); 2],
    found: &StepLead,
) -> Result<LeadLagStep, ResearchError> {
    let (finding, leads, why) = match found.finding {
        LeadFinding::Leads { market, lead, rho, .. } => ("leads", Some((market, lead, rho)), None),
        LeadFinding::WithinSkew => ("within_skew", None, None),
        LeadFinding::ClocksDisagree => ("clocks_disagree", None, None),
        LeadFinding::NotConfirmed => ("not_confirmed", None, None),
        LeadFinding::TooLittle(why) => ("too_little", None, Some(why.to_string())),
    };
    let of = |market| markets[usize::from(market == LeadingMarket::B)];
    let follow = match leads.zip(request.terms.as_ref()) {
        Some(((market, lead, rho), terms)) => {
            let follower = markets[usize::from(market == LeadingMarket::A)];
            let rule = FollowRule::fit(&of(market).series, periods[0], found.step, lead, rho < 0.0, setup.age_max);
            rule.map(|rule| worth(request, &rule, of(market), follower, periods[1], terms)).transpose()?
        }
        None => None,
    };
    let curves = |of: &ClockProfiles| [curve(&of.sought), curve(&of.confirmed)];
    Ok(LeadLagStep {
        step_s: found.step.as_secs_f64(),
        finding: finding.to_owned(),
        leader: leads.map(|(market, ..)| of(market).name.to_string()),
        lead_s: leads.map(|(_, lead, _)| lead.as_secs_f64()),
        rho: leads.map(|(.., rho)| rho),
        why,
        event: curves(&found.event),
        receipt: curves(&found.receipt),
        follow,
    })
}

fn curve(of: &Result<LagProfile, NoProfile>) -> Option<LeadLagCurve> {
    let of = of.as_ref().ok()?;
    Some(LeadLagCurve {
        rho: of.rho.to_vec(),
        pairs: of.pairs.iter().copied().min().unwrap_or_default(),
        lead_ratio: of.lead_ratio,
        peak_lag: of.peak.lag,
        peak_rho: of.peak.rho,
        peak_t: of.peak.t,
    })
}

/// Trades the follower in the period that confirmed the lead. The signals are by our clock, so its books are too: by another clock an order
/// could meet a book from before its signal.
fn worth(
    request: &LeadLagRequest,
    rule: &FollowRule,
    leader: &HeardMarket,
    follower: &HeardMarket,
    period: (Ts, Ts),
    terms: &TradeTerms,
) -> Result<FollowWorth, ResearchError> {
    let signals = rule.signals(&leader.series, period);
    let holding = HoldRule { horizon: rule.lead, renewed: false };
    let wanted = moments(&signals, holding, terms.latency).into_iter().collect();
    let books = books_by(StudyClock::Receipt, &request.lake, &follower.name, &wanted, None)?;
    let mut books = RecordedBooks::new(books, BOOK_AGE_MAX);
    let report =
        rule.value(&leader.series, period, terms, &mut books, &[]).map_err(|e| ResearchError::Failed(e.to_string()))?;
    let untraded = &report.untraded;
    Ok(FollowWorth {
        follower: follower.name.to_string(),
        bound_bps: 1e4 * rule.bound,
        trades: report.trips.len(),
        untraded: untraded.entries_no_book + untraded.entries_depth + untraded.exits,
        gross_bps: report.break_even_cost_bps(),
        cost_bps: report.avg_cost_bps(),
        net_bps: report.net_bps(),
    })
}
