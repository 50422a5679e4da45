//! Injected truth (surveillance §9): episodes of a known kind, side and strength laid over a market, look-alikes that must not
//! fire, and what the detectors made of them.

use super::market::{MadeMarket, MadeTrade, MarketClass, lot, play};
use barograph_domain::alert::AlertChange;
use barograph_domain::random::SplitMix;
use barograph_domain::{Alert, Pattern, Span, Ts};
use barograph_engine::order_flow::{FlowAccounting, FlowInput, FlowThresholds, OrderFlow, RestingSide};

/// What is laid over a book at one price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overlay {
    pub(crate) id: u64,
    pub(crate) side: RestingSide,
    pub(crate) units: i64,
    pub(crate) qty: f64,
}

/// A thing to do at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// Shows an order this far from the best price of its side.
    Post { id: u64, side: RestingSide, bps: f64, qty: f64 },
    /// Takes back what is left of it.
    Pull { id: u64 },
    /// Part of it trades.
    Fill { id: u64, part: f64 },
    /// Takes from the best price.
    Take { took: RestingSide, qty: f64 },
    /// The price moves by so many ticks.
    Move { up: bool, ticks: u32 },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Injected {
    /// In order of time.
    acts: Vec<(Ts, Act)>,
    next: usize,
    pub(crate) overlays: Vec<Overlay>,
    /// From, to: so many levels change a second, in states of their own.
    pub(crate) floods: Vec<(Ts, Ts, f64)>,
}

impl Injected {
    /// Acts in any order.
    pub(crate) fn of(mut acts: Vec<(Ts, Act)>, floods: Vec<(Ts, Ts, f64)>) -> Self {
        acts.sort_by_key(|(at, _)| *at);
        Self { acts, floods, ..Self::default() }
    }

    /// Does what is due before `at`'s step is shown.
    pub(crate) fn step(&mut self, at: Ts, market: &mut MadeMarket, trades: &mut Vec<MadeTrade>) {
        while let Some((_, act)) = self.acts.get(self.next).filter(|(t, _)| *t <= at) {
            self.next += 1;
            match *act {
                Act::Post { id, side, bps, qty } => {
                    let best = market.best(side);
                    let away = ((bps * best as f64 / 1e4).round() as i64).max(1);
                    let units = if side == RestingSide::Bid { best - away } else { best + away };
                    self.overlays.push(Overlay { id, side, units, qty });
                }
                Act::Pull { id } => self.overlays.retain(|o| o.id != id),
                Act::Fill { id, part } => {
                    for over in self.overlays.iter_mut().filter(|o| o.id == id) {
                        let qty = lot(part * over.qty);
                        over.qty -= qty;
                        trades.push(MadeTrade { took: over.side, units: over.units, qty });
                    }
                }
                Act::Take { took, qty } => trades.push(MadeTrade { took, units: market.best(took), qty: lot(qty) }),
                // Prices are traded through.
                Act::Move { up, ticks } => trades.extend((0..ticks).map(|_| {
                    let lost = market.shift(up);
                    let took = if up { RestingSide::Ask } else { RestingSide::Bid };
                    MadeTrade { took, units: lost.units, qty: lost.qty }
                })),
            }
        }
        // What the market has reached is gone.
        self.overlays.retain(|o| o.side.is_better(market.best(o.side), o.units) || market.best(o.side) == o.units);
    }

    /// Changes in this step.
    pub(crate) fn flood(&self, at: Ts, step: Span) -> usize {
        let rate = self.floods.iter().find(|(from, to, _)| at >= *from && at < *to).map_or(0.0, |(.., rate)| *rate);
        (rate * step.as_secs_f64()).round() as usize
    }
}

/// What is usual at the untouched market, measured by another way than the detectors'.
#[derive(Clone, Debug)]
pub(crate) struct Untouched {
    pub(crate) add_large: f64,
    pub(crate) add_stacked: f64,
    /// At seconds 1 to 11: quantiles 0.9 and 0.8 of volumes of one side.
    opposite: Vec<(f64, f64)>,
    pub(crate) rate: f64,
}

fn quantile(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((p * (values.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0)
}

impl Untouched {
    pub(crate) fn measure(class: MarketClass, seed: u64, length: Span) -> Self {
        let (mut accounting, mut flows) = (FlowAccounting::default(), Vec::new());
        let (mut adds, mut sizes) = (Vec::new(), Vec::new());
        let seconds = usize::try_from(length.as_secs()).unwrap() + 2;
        let (mut volumes, mut updates, mut trades) =
            (vec![(0.0, 0.0); seconds], vec![0.0; seconds], vec![0.0; seconds]);
        play(class, seed, length, &mut Injected::default(), |at, input| {
            let second = usize::try_from((at - super::START).as_secs()).unwrap();
            match input {
                FlowInput::Trade { qty, aggressor_side, .. } => {
                    trades[second] += 1.0;
                    match aggressor_side {
                        Some(barograph_domain::Side::Long) => volumes[second].0 += qty,
                        _ => volumes[second].1 += qty,
                    }
                }
                FlowInput::Book(state) => {
                    flows.clear();
                    accounting.update(at, state, &mut flows);
                    let mid = 0.5 * (state.bids[0].units + state.asks[0].units) as f64;
                    let near = flows.iter().filter(|f| (f.units as f64 / mid - 1.0).abs() <= 50e-4);
                    near.for_each(|f| {
                        updates[second] += 1.0;
                        adds.extend(Some(f.add()).filter(|add| *add > 0.0));
                    });
                    if at.as_millis() % 10_000 < 200 {
                        sizes.extend(state.bids.iter().chain(state.asks).take(10).map(|l| l.qty));
                    }
                }
                _ => {}
            }
        });
        let window = |secs: usize| -> (f64, f64) {
            let sum = |w: &[(f64, f64)]| [w.iter().map(|v| v.0).sum::<f64>(), w.iter().map(|v| v.1).sum()];
            let all: Vec<f64> = volumes.windows(secs).flat_map(sum).collect();
            (quantile(all.clone(), 0.9), quantile(all, 0.8))
        };
        let (large, median) = (quantile(adds.clone(), 0.99), quantile(sizes, 0.5));
        let rate =
            quantile(updates.clone(), 0.999).max(10.0 * quantile(updates, 0.5)).max(500.0 * quantile(trades, 0.95));
        Self {
            add_large: large.max(5.0 * median),
            add_stacked: quantile(adds, 0.95),
            opposite: (1..=11).map(window).collect(),
            rate,
        }
    }

    pub(crate) fn opposite(&self, length: f64) -> (f64, f64) {
        self.opposite[(length.ceil() as usize).clamp(1, 11) - 1]
    }
}

/// What was laid over the market, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Injection {
    pub(crate) from: Ts,
    pub(crate) to: Ts,
}

/// A plan: episodes of one pattern, or look-alikes of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) injected: Injected,
    pub(crate) injections: Vec<Injection>,
}

struct Planner<'a> {
    random: SplitMix,
    untouched: &'a Untouched,
    /// Intensity: sizes, volumes and rates over those of the thresholds.
    intensity: f64,
    class: MarketClass,
    acts: Vec<(Ts, Act)>,
    floods: Vec<(Ts, Ts, f64)>,
    ids: u64,
}

fn secs(s: f64) -> Span {
    Span((s * 1e9) as i64)
}

impl Planner<'_> {
    fn uniform(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.random.unit()
    }
    fn whole(&mut self, lo: u64, hi: u64) -> u64 {
        lo + self.random.below(hi - lo + 1)
    }
    fn act(&mut self, at: Ts, act: Act) {
        self.acts.push((at, act));
    }
    /// Shows an order and gives its number.
    fn post(&mut self, at: Ts, side: RestingSide, bps: f64, qty: f64) -> u64 {
        self.ids += 1;
        self.act(at, Act::Post { id: self.ids, side, bps, qty: lot(qty) });
        self.ids
    }
    /// A few trades that come to this volume.
    fn take(&mut self, from: Ts, life: f64, took: RestingSide, volume: f64) {
        let n = self.whole(2, 5);
        for _ in 0..n {
            let at = from + secs(self.uniform(0.05, 0.9) * life);
            self.act(at, Act::Take { took, qty: volume / n as f64 });
        }
    }

    /// Large orders of one side: shown, answered, taken back. `like` says how a look-alike differs.
    fn spoofing(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        let (n, up) = (self.whole(3, 6), side == RestingSide::Bid);
        for episode in 0..n {
            let at = from + secs(50.0 * episode as f64 / n as f64 + self.uniform(0.0, 1.0));
            let (life, bps) = (self.uniform(0.5, 4.0), self.uniform(2.0, 15.0));
            let qty = self.intensity * self.uniform(1.0, 1.5) * self.untouched.add_large;
            let volume = self.intensity * self.uniform(1.0, 1.5) * self.untouched.opposite(life + 1.0).0;
            let id = self.post(at, side, bps, qty);
            match like {
                // It trades, most of it.
                Some(0) => {
                    (1..5).for_each(|k| self.act(at + secs(0.2 * life * f64::from(k)), Act::Fill { id, part: 0.35 }))
                }
                // The market leaves it behind, and it is taken back.
                Some(1) => {
                    let tick_bps = 1e4 / self.class.units as f64;
                    let ticks = (self.uniform(0.55, 1.0) * bps / tick_bps).max(5.0) as u32 + 1;
                    self.act(at + secs(0.5 * life), Act::Move { up, ticks });
                }
                // Both sides trade and both sides add, and what was added stays.
                Some(_) => {
                    self.post(at, side.opposite(), bps, qty);
                    self.take(at, life, side, volume);
                }
                None => {}
            }
            self.take(at, life, side.opposite(), volume);
            if like.is_none_or(|l| l < 2) {
                self.act(at + secs(life), Act::Pull { id });
            }
        }
        from + Span::secs(52)
    }

    fn layering(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        let (n, up) = (self.whole(2, 4), side == RestingSide::Bid);
        for stack in 0..n {
            let at = from + secs(100.0 * stack as f64 / n as f64 + self.uniform(0.0, 2.0));
            let (life, levels) = (self.uniform(2.0, 8.0), self.whole(3, 6));
            let volume = self.intensity * self.uniform(1.0, 1.5) * self.untouched.opposite(life).1;
            let first = self.uniform(2.0, 6.0);
            for level in 0..levels {
                let (came, went) = (secs(self.uniform(0.0, 0.2)), secs(life + self.uniform(0.0, 0.2)));
                let qty = self.intensity * self.uniform(1.0, 1.5) * self.untouched.add_stacked;
                let bps = first + level as f64 * self.uniform(1.2, 2.0);
                let id = self.post(at + came, side, bps, qty);
                match like {
                    Some(0) => (1..5)
                        .for_each(|k| self.act(at + secs(0.2 * life * f64::from(k)), Act::Fill { id, part: 0.35 })),
                    // Quotes of both sides stay.
                    Some(2) => drop(self.post(at + came, side.opposite(), bps, qty)),
                    _ => {}
                }
                if like != Some(2) {
                    self.act(at + went, Act::Pull { id });
                }
            }
            if like == Some(1) {
                let ticks = (self.uniform(0.6, 1.0) * 15.0 * self.class.units as f64 / 1e4).max(5.0) as u32 + 1;
                self.act(at + secs(0.5 * life), Act::Move { up, ticks });
            }
            self.take(at, life, side.opposite(), volume);
        }
        from + Span::secs(110)
    }

    fn stuffing(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        // Whole seconds: an episode of two needs two of them whole.
        let from = from.ceil(Span::secs(1));
        let to = from + Span::secs(i64::try_from(self.whole(2, 12)).unwrap());
        let rate = self.intensity * self.uniform(1.0, 1.5) * self.untouched.rate;
        self.floods.push((from, to, rate));
        let mut at = from;
        while at < to && like.is_some() {
            match like {
                // It trades as well.
                Some(0) => (0..rate as u64 / 250).for_each(|_| {
                    let took = if self.random.unit() < 0.5 { side } else { side.opposite() };
                    self.act(at, Act::Take { took, qty: 0.01 });
                }),
                // The price moves.
                _ => self.act(at + Span::millis(300), Act::Move { up: side == RestingSide::Bid, ticks: 3 }),
            }
            at = at + Span::secs(1);
        }
        to
    }
}

/// Episodes of a pattern, one in ten minutes or so, sides in turn.
pub(crate) fn plan(
    pattern: Pattern,
    (class, untouched): (MarketClass, &Untouched),
    intensity: f64,
    (from, count): (Ts, u64),
    look_alikes: bool,
    seed: u64,
) -> Plan {
    let random = SplitMix::new(seed);
    let mut planner = Planner { random, untouched, intensity, class, acts: Vec::new(), floods: Vec::new(), ids: 0 };
    let mut injections = Vec::new();
    for n in 0..count {
        let at = from + Span::secs(i64::try_from(n * 660 + planner.random.below(20)).unwrap());
        let side = if n % 2 == 0 { RestingSide::Bid } else { RestingSide::Ask };
        let like = look_alikes.then_some(n / 2 % 3);
        let to = match pattern {
            Pattern::Spoofing => planner.spoofing(at, side, like),
            Pattern::Layering => planner.layering(at, side, like),
            _ => planner.stuffing(at, side, like),
        };
        injections.push(Injection { from: at, to });
    }
    Plan { injected: Injected::of(planner.acts, planner.floods), injections }
}

/// What the detectors say of a market of this class.
pub(crate) fn alerts_of(class: MarketClass, seed: u64, length: Span, injected: Injected) -> Vec<Alert> {
    let (mut flow, mut out, t) = (OrderFlow::new(super::market::SCALE), Vec::new(), FlowThresholds::default());
    let mut injected = injected;
    play(class, seed, length, &mut injected, |at, input| flow.step(at, input, &t, &mut out));
    out
}

/// Result of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scored {
    pub(crate) injections: usize,
    pub(crate) matched: usize,
    pub(crate) alerts_matched: usize,
    pub(crate) false_alerts: usize,
    pub(crate) background: usize,
    /// Seconds from the start of an injection to its alert.
    pub(crate) leads: Vec<f64>,
}

impl Scored {
    /// Matches alerts with injections; `untouched` are those of the market without any.
    pub(crate) fn of(pattern: Pattern, injections: &[Injection], alerts: &[Alert], untouched: &[Alert]) -> Self {
        let opened = |alerts: &[Alert]| -> Vec<Ts> {
            let of = |a: &&Alert| a.pattern == pattern && a.change == AlertChange::Opened;
            alerts.iter().filter(of).map(|a| a.opened_at).collect()
        };
        let (alerts, background) = (opened(alerts), opened(untouched));
        let fits = |i: &Injection, at: Ts| at >= i.from && at <= i.to + Span::mins(1);
        let mut scored = Self { injections: injections.len(), ..Self::default() };
        for injection in injections {
            if let Some(at) = alerts.iter().find(|at| fits(injection, **at)) {
                scored.matched += 1;
                scored.leads.push((*at - injection.from).as_secs_f64());
            }
        }
        for at in &alerts {
            if injections.iter().any(|i| fits(i, *at)) {
                scored.alerts_matched += 1;
            } else {
                scored.false_alerts += 1;
                scored.background += usize::from(background.iter().any(|b| (*b - *at).0.abs() <= Span::mins(5).0));
            }
        }
        scored
    }

    pub(crate) fn recall(&self) -> f64 {
        self.matched as f64 / self.injections as f64
    }
    pub(crate) fn precision(&self) -> f64 {
        self.alerts_matched as f64 / (self.alerts_matched + self.false_alerts).max(1) as f64
    }
    pub(crate) fn lenient(&self) -> f64 {
        self.alerts_matched as f64 / (self.alerts_matched + self.false_alerts - self.background).max(1) as f64
    }
    pub(crate) fn lead(&self, p: f64) -> f64 {
        quantile(self.leads.clone(), p)
    }
}
