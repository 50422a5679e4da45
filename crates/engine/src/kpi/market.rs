//! The trades of one market: one at a time, every arm of each followed to its end, and what a random moment gives at the same distances.
//!
//! A cross while a trade of the plain arm is open is passed over: so the entries are the same whatever the advice, and whatever
//! rule book gave it. A trade counts only where every arm is resolved; all others are counted by reason, and the counts add up.

use super::bands::Draws;
use super::entry::{Arm, JudgedEntry, NotJudged};
use super::fill::{ClosedTrade, FillBar, TradeExit, TradePlan, Unresolved};
use barograph_domain::advice::TargetSource;
use barograph_domain::{Side, Span, Ts};
use serde::Serialize;

/// Random moments drawn for each trade with a level as target (risk §8).
pub const BASELINE_DRAWS: usize = 200;

/// A closed bar of the strategy's timeframe from which a random trade may begin.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BarMark {
    /// Its close.
    pub at: Ts,
    /// Its last price.
    pub close: f64,
    /// ATR(14) of these bars.
    pub atr: f64,
}

/// One market: bars to follow trades on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MarketRecord {
    /// Bars by close, each once.
    pub bars: Vec<FillBar>,
    /// Their timeframe.
    pub step: Span,
    /// Where random trades may begin.
    pub marks: Vec<BarMark>,
}

/// What advice said of each moment of one strategy in one market, in order.
pub type JudgedMoments = Vec<Result<JudgedEntry, NotJudged>>;

/// Where crosses went; they add up to `crosses`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct KpiCounts {
    /// Crosses, or whatever the moments of the strategy are.
    pub crosses: u32,
    /// While the plain trade of an earlier one was open.
    pub while_open: u32,
    /// Without a context.
    pub no_context: u32,
    /// Without an average true range.
    pub no_atr: u32,
    /// With a stop or target that is no price.
    pub out_of_range: u32,
    /// A bar is missing before every arm ended.
    pub gap: u32,
    /// The bars end before every arm did.
    pub still_open: u32,
    /// Trades that are measured.
    pub measured: u32,
}

impl KpiCounts {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: &Self) -> Self {
        Self {
            crosses: self.crosses + other.crosses,
            while_open: self.while_open + other.while_open,
            no_context: self.no_context + other.no_context,
            no_atr: self.no_atr + other.no_atr,
            out_of_range: self.out_of_range + other.out_of_range,
            gap: self.gap + other.gap,
            still_open: self.still_open + other.still_open,
            measured: self.measured + other.measured,
        }
    }
    /// Do they add up?
    #[must_use]
    pub const fn add_up(&self) -> bool {
        let parts = self.while_open + self.no_context + self.no_atr + self.out_of_range + self.gap + self.still_open;
        self.crosses == parts + self.measured
    }
}

/// An entry with what came of each arm.
#[derive(Clone, PartialEq, Debug)]
pub struct MeasuredTrade {
    /// Position of the market.
    pub market: usize,
    /// The entry.
    pub entry: JudgedEntry,
    /// Results in the order of [`Arm::ALL`].
    pub results: [ClosedTrade; 5],
    /// With a level as target: share of random moments at which a target at the same distances was reached first.
    pub random: Option<f64>,
}

impl MeasuredTrade {
    /// The result of an arm.
    #[must_use]
    pub const fn result(&self, arm: Arm) -> &ClosedTrade {
        &self.results[arm.index()]
    }
}

/// Follows every cross of a strategy in a market.
#[must_use]
pub fn measure(
    (market, record): (usize, &MarketRecord),
    crosses: &[Result<JudgedEntry, NotJudged>],
    horizon: Span,
    seed: u64,
) -> (Vec<MeasuredTrade>, KpiCounts) {
    let (mut trades, mut counts) = (Vec::new(), KpiCounts::default());
    let mut free = Ts::MIN;
    // Markets draw apart, so that one more changes nothing of the others.
    let mut draws = Draws::new(seed ^ (u64::try_from(market).unwrap_or(0) + 1).wrapping_mul(0x9E37_79B9));
    for cross in crosses {
        counts.crosses += 1;
        let entry = match cross {
            Err(NotJudged::NoContext) => {
                counts.no_context += 1;
                continue;
            }
            Err(NotJudged::NoAtr) => {
                counts.no_atr += 1;
                continue;
            }
            Err(NotJudged::OutOfRange) => {
                counts.out_of_range += 1;
                continue;
            }
            Ok(entry) if entry.at < free => {
                counts.while_open += 1;
                continue;
            }
            Ok(entry) => entry,
        };
        let follow = |plan: &TradePlan| record.follow(plan, entry.at, horizon);
        free = follow(entry.plan(Arm::Plain)).map_or(entry.at + horizon, |closed| closed.at);
        match all(entry.plans.each_ref().map(follow)) {
            Err(Unresolved::Gap) => counts.gap += 1,
            Err(Unresolved::StillOpen) => counts.still_open += 1,
            Ok(results) => {
                counts.measured += 1;
                let of_level = entry.target_source == TargetSource::Liquidity;
                let random = if of_level { record.random(entry, horizon, &mut draws) } else { None };
                trades.push(MeasuredTrade { market, entry: entry.clone(), results, random });
            }
        }
    }
    (trades, counts)
}

fn all(results: [Result<ClosedTrade, Unresolved>; 5]) -> Result<[ClosedTrade; 5], Unresolved> {
    let [a, b, c, d, e] = results;
    Ok([a?, b?, c?, d?, e?])
}

impl MarketRecord {
    fn follow(&self, plan: &TradePlan, at: Ts, horizon: Span) -> Result<ClosedTrade, Unresolved> {
        let first = self.bars.partition_point(|b| b.close_ts <= at);
        plan.follow(at, horizon, self.step, &self.bars[first..])
    }

    /// Share of [`BASELINE_DRAWS`] random moments of this market at which a target at the entry's distances, in ATR, was reached
    /// before the stop; unresolved moments are left out.
    fn random(&self, entry: &JudgedEntry, horizon: Span, draws: &mut Draws) -> Option<f64> {
        let plan = entry.plan(Arm::Context);
        let [to_stop, to_target] = [plan.stop, plan.target].map(|p| (p - plan.entry).abs() / entry.atr);
        let towards = if plan.side == Side::Long { 1.0 } else { -1.0 };
        let (mut reached, mut n) = (0_u32, 0_u32);
        for _ in 0..BASELINE_DRAWS {
            let mark = self.marks.get(draws.below(self.marks.len()))?;
            let drawn = TradePlan {
                side: plan.side,
                entry: mark.close,
                stop: mark.close - towards * to_stop * mark.atr,
                target: mark.close + towards * to_target * mark.atr,
            };
            if let Ok(closed) = self.follow(&drawn, mark.at, horizon) {
                n += 1;
                reached += u32::from(closed.exit == TradeExit::Target);
            }
        }
        (n > 0).then(|| f64::from(reached) / f64::from(n))
    }
}
