//! Episodes drawn from the table of surveillance §9.1, and look-alikes of them that must not fire.

use super::Injection;
use super::acts::{LaidAct, LaidActs, LaidFlood, PlannedEpisode};
use super::made::{MarketClass, lot};
use super::usual::UsualSizes;
use barograph_domain::random::SplitMix;
use barograph_domain::{Pattern, Span, Ts};
use barograph_engine::order_flow::RestingSide;

/// A plan: episodes of one pattern, or look-alikes of it.
#[derive(Clone, Debug)]
pub struct LaidPlan {
    /// What is to be laid over.
    pub acts: LaidActs,
    /// When each episode begins and ends.
    pub injections: Vec<Injection>,
}

/// What can be done with a substrate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ground {
    /// Its price can be moved; orders that stay do so until the price reaches them.
    Made,
    /// Its prices are a matter of record: a look-alike waits for what the market does by itself, for so long at most.
    Recorded(Span),
}

/// Draws episodes.
#[derive(Clone, Debug)]
pub(super) struct EpisodePlanner {
    pub(super) random: SplitMix,
    pub(super) usual: UsualSizes,
    /// Sizes, volumes and rates over those of the thresholds.
    pub(super) intensity: f64,
    pub(super) ground: Ground,
    pub(super) acts: Vec<(Ts, LaidAct)>,
    pub(super) floods: Vec<LaidFlood>,
    pub(super) ids: u64,
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of an episode")]
fn secs(s: f64) -> Span {
    Span((s * 1e9) as i64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few basis points in ticks")]
fn whole_ticks(ticks: f64) -> u32 {
    ticks.max(5.0) as u32 + 1
}

impl EpisodePlanner {
    pub(super) fn uniform(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.random.unit()
    }
    pub(super) fn whole(&mut self, lo: u64, hi: u64) -> u64 {
        lo + self.random.below(hi - lo + 1)
    }
    pub(super) fn act(&mut self, at: Ts, act: LaidAct) {
        self.acts.push((at, act));
    }
    /// Shows an order and gives its number.
    fn post(&mut self, at: Ts, side: RestingSide, bps: f64, qty: f64) -> u64 {
        self.ids += 1;
        let qty = if matches!(self.ground, Ground::Made) { lot(qty) } else { qty };
        self.act(at, LaidAct::Post { id: self.ids, side, bps, qty });
        self.ids
    }
    /// The same of an order that stays.
    fn stay(&mut self, at: Ts, side: RestingSide, bps: f64, qty: f64) {
        let id = self.post(at, side, bps, qty);
        self.pull_late(at, id);
    }
    fn pull_late(&mut self, at: Ts, id: u64) {
        if let Ground::Recorded(patience) = self.ground {
            self.act(at + patience, LaidAct::Pull { id });
        }
    }
    /// A few trades that come to this volume.
    fn take(&mut self, from: Ts, life: f64, took: RestingSide, volume: f64) {
        let n = self.whole(2, 5);
        for _ in 0..n {
            let at = from + secs(self.uniform(0.05, 0.9) * life);
            self.act(at, LaidAct::Take { took, qty: volume / n as f64 });
        }
    }
    /// Most of an order trades within its life.
    fn fill(&mut self, at: Ts, life: f64, id: u64) {
        (1..5).for_each(|k| self.act(at + secs(0.2 * life * f64::from(k)), LaidAct::Fill { id, part: 0.35 }));
    }
    /// How long look-alikes of a kind last beyond what they imitate.
    fn extra(&self, like: Option<u64>) -> Span {
        match self.ground {
            Ground::Recorded(patience) if like.is_some_and(|l| l > 0) => patience,
            Ground::Recorded(_) | Ground::Made => Span::ZERO,
        }
    }

    /// Large orders of one side: shown, answered, taken back. `like` says how a look-alike differs.
    fn spoofing(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        let (n, up) = (self.whole(3, 6), side == RestingSide::Bid);
        for episode in 0..n {
            let at = from + secs(50.0 * episode as f64 / n as f64 + self.uniform(0.0, 1.0));
            let (life, bps) = (self.uniform(0.5, 4.0), self.uniform(2.0, 15.0));
            let qty = self.intensity * self.uniform(1.0, 1.5) * self.usual.add_large;
            let volume = self.intensity * self.uniform(1.0, 1.5) * self.usual.opposite(life + 1.0).0;
            let id = self.post(at, side, bps, qty);
            let mut pulled = Some(at + secs(life));
            match like {
                // It trades, most of it.
                Some(0) => self.fill(at, life, id),
                // The market leaves it behind, and it is taken back.
                Some(1) => match self.ground {
                    Ground::Made => {
                        let tick_bps = 1e4 / self.usual.ticks;
                        let ticks = whole_ticks(self.uniform(0.55, 1.0) * bps / tick_bps);
                        self.act(at + secs(0.5 * life), LaidAct::Move { up, ticks });
                    }
                    Ground::Recorded(_) => {
                        self.act(at, LaidAct::PullBehind { id });
                        self.pull_late(at, id);
                        pulled = None;
                    }
                },
                // Both sides trade and both sides add, and what was added stays.
                Some(_) => {
                    self.pull_late(at, id);
                    self.stay(at, side.opposite(), bps, qty);
                    self.take(at, life, side, volume);
                    pulled = None;
                }
                None => {}
            }
            self.take(at, life, side.opposite(), volume);
            if let Some(at) = pulled {
                self.act(at, LaidAct::Pull { id });
            }
        }
        from + Span::secs(52) + self.extra(like)
    }

    fn layering(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        let (n, up) = (self.whole(2, 4), side == RestingSide::Bid);
        for stack in 0..n {
            let at = from + secs(100.0 * stack as f64 / n as f64 + self.uniform(0.0, 2.0));
            let (life, levels) = (self.uniform(2.0, 8.0), self.whole(3, 6));
            let volume = self.intensity * self.uniform(1.0, 1.5) * self.usual.opposite(life).1;
            let first = self.uniform(2.0, 6.0);
            for level in 0..levels {
                let (came, went) = (secs(self.uniform(0.0, 0.2)), secs(life + self.uniform(0.0, 0.2)));
                let qty = self.intensity * self.uniform(1.0, 1.5) * self.usual.add_stacked;
                let bps = first + level as f64 * self.uniform(1.2, 2.0);
                let id = self.post(at + came, side, bps, qty);
                match (like, self.ground) {
                    (Some(0), _) => self.fill(at, life, id),
                    (Some(1), Ground::Recorded(_)) => {
                        self.act(at + came, LaidAct::PullBehind { id });
                        self.pull_late(at + came, id);
                        continue;
                    }
                    // Quotes of both sides stay.
                    (Some(2), _) => {
                        self.pull_late(at + came, id);
                        self.stay(at + came, side.opposite(), bps, qty);
                        continue;
                    }
                    _ => {}
                }
                self.act(at + went, LaidAct::Pull { id });
            }
            if like == Some(1) && matches!(self.ground, Ground::Made) {
                let ticks = whole_ticks(self.uniform(0.6, 1.0) * 15.0 * self.usual.ticks / 1e4);
                self.act(at + secs(0.5 * life), LaidAct::Move { up, ticks });
            }
            self.take(at, life, side.opposite(), volume);
        }
        from + Span::secs(110) + self.extra(like)
    }

    fn stuffing(&mut self, from: Ts, side: RestingSide, like: Option<u64>) -> Ts {
        // Whole seconds: an episode of two needs two of them whole.
        let from = from.ceil(Span::secs(1));
        let to = from + Span::secs(i64::try_from(self.whole(2, 12)).unwrap_or(2));
        let rate = self.intensity * self.uniform(1.0, 1.5) * self.usual.rate;
        if let (Ground::Recorded(patience), Some(1..)) = (self.ground, like) {
            // It begins whenever the price moves by itself.
            self.floods.push(LaidFlood { from, to: to + patience, rate });
            return to + patience;
        }
        self.floods.push(LaidFlood { from, to, rate });
        let mut at = from;
        while at < to && like.is_some() {
            match like {
                // It trades as well.
                Some(0) => (0..trades_beside(rate)).for_each(|_| {
                    let took = if self.random.unit() < 0.5 { side } else { side.opposite() };
                    self.act(at, LaidAct::Take { took, qty: self.usual.small });
                }),
                // The price moves.
                _ => self.act(at + Span::millis(300), LaidAct::Move { up: side == RestingSide::Bid, ticks: 3 }),
            }
            at = at + Span::secs(1);
        }
        to
    }

    /// An episode of this pattern from a moment on, and how a look-alike differs.
    pub(super) fn episode(&mut self, pattern: Pattern, at: Ts, side: RestingSide, like: Option<u64>) -> Injection {
        let to = match pattern {
            Pattern::Spoofing => self.spoofing(at, side, like),
            Pattern::Layering => self.layering(at, side, like),
            _ => self.stuffing(at, side, like),
        };
        Injection { from: at, to, counts: true }
    }

    /// The same, taken out.
    pub(super) fn planned(&mut self, pattern: Pattern, at: Ts, side: RestingSide, like: Option<u64>) -> PlannedEpisode {
        let laid = self.episode(pattern, at, side, like);
        PlannedEpisode { acts: core::mem::take(&mut self.acts), floods: core::mem::take(&mut self.floods), laid }
    }
}

/// Trades a second that keep a flood from being one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "changes of a book within a second")]
fn trades_beside(rate: f64) -> u64 {
    rate as u64 / 250
}

/// Episodes of a pattern over a made market, one in ten minutes or so, sides in turn.
#[must_use]
pub fn plan(
    pattern: Pattern,
    (_, usual): (MarketClass, &UsualSizes),
    intensity: f64,
    (from, count): (Ts, u64),
    look_alikes: bool,
    seed: u64,
) -> LaidPlan {
    let random = SplitMix::new(seed);
    let (usual, ground) = (usual.clone(), Ground::Made);
    let mut planner = EpisodePlanner { random, usual, intensity, ground, acts: Vec::new(), floods: Vec::new(), ids: 0 };
    let mut injections = Vec::new();
    for n in 0..count {
        let at = from + Span::secs(i64::try_from(n * 660 + planner.random.below(20)).unwrap_or(i64::MAX));
        let side = if n % 2 == 0 { RestingSide::Bid } else { RestingSide::Ask };
        let like = look_alikes.then_some(n / 2 % 3);
        injections.push(planner.episode(pattern, at, side, like));
    }
    LaidPlan { acts: LaidActs::of(planner.acts, planner.floods), injections }
}
