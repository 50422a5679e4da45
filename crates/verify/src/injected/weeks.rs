//! Markets for the detectors that look at hours and days: trades and a middle by the second or so, over weeks, with episodes of
//! wash trading, pumps and pressure on funding injected (surveillance §9), and their look-alikes.

#![expect(
    clippy::cast_possible_truncation,
    reason = "prices in ticks and trades within seconds: numbers of known size"
)]

use super::made::{SCALE, lognormal, lot};
use super::{Injection, START};
use barograph_domain::random::SplitMix;
use barograph_domain::{Alert, Pattern, Side, Span, Ts};
use barograph_engine::order_flow::{BookState, FlowInput, FlowLevel, FlowThresholds, HourContext, OrderFlow};

/// What is injected into a market of some weeks.
#[derive(Clone, Copy, Debug)]
pub struct WeeksPlan {
    /// Which detector it is made for.
    pub pattern: Pattern,
    /// Sizes, volumes and rises over those of the thresholds; 0 lays nothing over it.
    pub intensity: f64,
    /// Look-alikes that must not fire, in place of episodes.
    pub look_alikes: bool,
    /// Episodes, at most.
    pub episodes: u64,
    /// Days before the first episode.
    pub warm: i64,
    /// Days in all, those before the first included.
    pub days: i64,
    /// Everything follows from it.
    pub seed: u64,
    /// Trades in an hour.
    pub trades: f64,
}

#[derive(Debug)]
struct Weeks {
    random: SplitMix,
    flow: OrderFlow,
    out: Vec<Alert>,
    t: FlowThresholds,
    mid: f64,
    at: Ts,
    size: f64,
}

const STEP: Span = Span::secs(5);

impl Weeks {
    fn book(&mut self) {
        let mid = self.mid.round() as i64;
        let side =
            |sign: i64| -> Vec<FlowLevel> { (1..=5).map(|n| FlowLevel { units: mid + sign * n, qty: 10.0 }).collect() };
        let (bids, asks) = (side(-1), side(1));
        self.flow.step(self.at, FlowInput::Book(BookState { bids: &bids, asks: &asks }), &self.t, &mut self.out);
    }
    fn trade(&mut self, at: Ts, qty: f64, bought: bool) {
        self.trade_at(self.mid.round() + if bought { 1.0 } else { -1.0 }, at, qty, bought);
    }
    fn trade_at(&mut self, units: f64, at: Ts, qty: f64, bought: bool) {
        let aggressor_side = Some(if bought { Side::Long } else { Side::Short });
        let price = units / 100.0;
        self.flow.step(at, FlowInput::Trade { price, qty, aggressor_side }, &self.t, &mut self.out);
    }
    fn size(&mut self) -> f64 {
        lot(self.size * lognormal(&mut self.random, 1.2))
    }
    fn uniform(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.random.unit()
    }
}

/// An episode under way, in the terms of its pattern.
#[derive(Clone, Copy, Debug)]
struct WeekEpisode {
    from: Ts,
    to: Ts,
    strength: f64,
    like: Option<u64>,
}

/// Alerts of a market of some weeks, and what was injected.
#[must_use]
pub fn weeks(plan: WeeksPlan, t: &FlowThresholds, each_day: &mut dyn FnMut()) -> (Vec<Injection>, Vec<Alert>) {
    let mut s = Weeks {
        random: SplitMix::new(plan.seed),
        flow: OrderFlow::new(SCALE),
        out: Vec::new(),
        t: *t,
        mid: 100_000.0,
        at: START,
        size: 0.5,
    };
    let (mut injections, mut episode) = (Vec::new(), None::<WeekEpisode>);
    let first = START + Span::days(plan.warm);
    let end = START + Span::days(plan.days);
    let mut next = first;
    let mut n = 0_u64;
    let (mut base, mut premium, mut top) = (100_000.0_f64, 0.0_f64, 0.0_f64);
    while s.at < end {
        if episode.is_some_and(|e| s.at >= e.to) {
            episode = None;
        }
        if plan.intensity > 0.0 && episode.is_none() && s.at >= next && n < plan.episodes {
            let like = plan.look_alikes.then_some(n % 3);
            let (from, to, pause) = times(plan.pattern, s.at, &mut s);
            let strength = plan.intensity * s.uniform(1.0, 1.5);
            episode = Some(WeekEpisode { from, to, strength, like });
            injections.push(Injection { from, to, counts: true });
            (next, n) = (to + pause, n + 1);
        }
        hour_begins(&mut s, episode, plan.pattern);
        base *= 1.0 + 2e-5 * (s.random.unit() - 0.5);
        // The price returns to where it wandered from, so that weeks stay comparable.
        base += 1e-5 * (100_000.0 - base);
        let here = episode.filter(|e| s.at >= e.from);
        let chance = plan.trades * STEP.as_secs_f64() / 3_600.0;
        let count = chance.floor() + f64::from(u8::from(s.random.unit() < chance.fract()));
        let (mut buyers, mut big) = (0.5, 1.0);
        let into = here.map_or(0.0, |e| (s.at - e.from).as_secs_f64());
        s.mid = base;
        if let (Pattern::PumpAndDump, Some(e)) = (plan.pattern, here) {
            // Four minutes up, ten minutes that stay, twenty minutes down.
            let up = (into / 240.0).min(1.0);
            let down = ((into - 840.0) / 1_200.0).clamp(0.0, 1.0);
            // Look-alikes: a rise without volume, volume without a rise, a rise that buyers did not make.
            let (rise, volume) = (0.10 * e.strength, 10.0 * e.strength);
            let falls = 0.8 * down;
            s.mid = base * (1.0 + if e.like == Some(1) { 0.01 } else { rise } * (up - falls * up));
            if into < 300.0 {
                (buyers, big) =
                    (if e.like == Some(2) { 0.5 } else { 0.85 }, if e.like == Some(0) { 1.0 } else { 1.2 * volume });
            }
        }
        let window = here.filter(|_| plan.pattern == Pattern::FundingWindowPressure);
        if let Some(e) = window {
            let funding = e.to - Span::mins(5);
            // Look-alikes: volume without premium, a premium that stays, premium without volume.
            if s.at < funding {
                premium += if e.like == Some(0) { 0.0 } else { 1e-4 };
                top = premium;
            } else if e.like != Some(1) {
                let after = ((s.at - funding).as_secs_f64() / 120.0).min(1.0);
                premium = top * (1.0 - after * (window_reverts(e.strength)));
            }
            if s.at < funding && e.like != Some(2) {
                // Standard deviation of the signed volume of a minute of these trades: √(n · E[q²]).
                let sd = s.size * (plan.trades / 60.0 * 17.8).sqrt();
                s.trade(s.at + Span::millis(3), lot(4.0 * e.strength * sd / 12.0), true);
            }
        } else {
            premium = 0.95 * premium + 2e-5 * (s.random.unit() - 0.5);
        }
        for k in 0..count as i64 {
            let (qty, bought) = (lot(big * s.size()), s.random.unit() < buyers);
            s.trade(s.at + Span::millis(7 + 900 * k / count.max(1.0) as i64), qty, bought);
        }
        if let (Pattern::WashTrading, Some(e)) = (plan.pattern, here) {
            wash(&mut s, e, chance);
        }
        s.book();
        if plan.pattern == Pattern::FundingWindowPressure {
            s.flow.step(s.at, FlowInput::Premium(premium), &s.t, &mut s.out);
            // Of now and not of later: the settlement at this very moment is over.
            let funding = Ts(s.at.0 + 1).ceil(Span::hours(1));
            s.flow.step(s.at, FlowInput::NextFunding(funding), &s.t, &mut s.out);
        }
        s.at = s.at + STEP;
        if s.at.0 % Span::days(1).0 == 0 {
            each_day();
        }
    }
    s.flow.step(end, FlowInput::Tick, &s.t, &mut s.out);
    (injections, s.out)
}

/// Share of the premium's move that is undone.
fn window_reverts(strength: f64) -> f64 {
    (0.5 * strength).min(0.95)
}

/// What is known of an hour from elsewhere: calm ones and others.
fn hour_begins(s: &mut Weeks, episode: Option<WeekEpisode>, pattern: Pattern) {
    if s.at.0 % Span::hours(1).0 == 0 && pattern == Pattern::WashTrading {
        let wild = episode.is_some_and(|e| e.like == Some(0));
        let pct = if wild { 0.9 } else { s.random.unit() };
        let context = HourContext { volatility_pct: Some(pct), open_interest_pct: Some(pct), digits_elsewhere: None };
        s.flow.step(s.at, FlowInput::Hour(context), &s.t, &mut s.out);
    }
}

/// From, to, and the pause after it.
fn times(pattern: Pattern, at: Ts, s: &mut Weeks) -> (Ts, Ts, Span) {
    match pattern {
        Pattern::WashTrading => {
            let from = at.ceil(Span::hours(1));
            (from, from + Span::hours(2 + i64::from(s.random.unit() < 0.5)), Span::hours(4))
        }
        Pattern::PumpAndDump => (at, at + Span::mins(60), Span::mins(90)),
        _ => {
            let funding = (at + Span::mins(2)).ceil(Span::hours(1));
            (funding - Span::mins(1), funding + Span::mins(5), Span::hours(4))
        }
    }
}

/// Pairs of trades of one hand, for 10 to 25 % of the hour's volume, in round sizes; look-alikes: more volume in a wild hour,
/// equal sizes too far apart, one-sided equal sizes.
fn wash(s: &mut Weeks, e: WeekEpisode, chance: f64) {
    let share = 0.175 * e.strength / 1.25;
    let expected = chance * s.size * 2.05;
    let volume = expected * share / (1.0 - share.min(0.8));
    let pair = 2.0 * s.size * 2.0;
    let count = volume / pair;
    let n = count.floor() as i64 + i64::from(s.random.unit() < count.fract());
    for k in 0..n {
        let qty = [0.5, 1.0, 1.5][s.random.below(3) as usize];
        let qty = lot(qty * s.size * 2.0);
        let from = s.at + Span::millis(1_000 + 3_000 * k / n.max(1));
        let gap = Span::millis(50 + i64::try_from(s.random.below(850)).unwrap_or(0));
        let bought = s.random.unit() < 0.5;
        match e.like {
            Some(0) => {
                let (a, b) = (s.size(), s.size());
                s.trade(from, a, bought);
                s.trade(from + gap, b, s.random.clone().unit() < 0.5);
            }
            Some(1) => s.trade(from, qty, bought),
            Some(_) => {
                s.trade(from, qty, true);
                s.trade(from + gap, qty, true);
            }
            None => {
                let units = s.mid.round();
                s.trade_at(units, from, qty, bought);
                s.trade_at(units, from + gap, qty, !bought);
            }
        }
    }
}
