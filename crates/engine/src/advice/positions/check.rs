//! One position against one context: which changes are notices (risk §7).

use super::PositionContext;
use super::notice::{After, Due, brief, notice};
use super::texts;
use crate::advice::stop::{Clusters, PAD, lies_on};
use crate::explain::Care;
use barograph_domain::advice::{
    ContextBrief, NoticeLevel, NoticeTrigger, Position, PositionFlag, PositionNotice, PositionTexts, SeenPrice,
    StopReach, StopState,
};
use barograph_domain::{Label, Posture, RiskBias, RiskRegime, Span, Ts, VolRegime};
use serde::{Deserialize, Serialize};

/// A notice is reported again while it lasts, this long after the last time.
const AGAIN: Span = Span::hours(24);
/// Episodes that are remembered; older ones are over.
const MEMORY: usize = 64;

/// What is remembered of one position.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PositionState {
    /// Context of the last check.
    newest: Option<ContextBrief>,
    /// The last usable context: what a change is measured against.
    usable: Option<ContextBrief>,
    /// Since when there is no usable context.
    unavailable_since: Option<Ts>,
    /// The class volatility rose from, while it is above.
    rose_from: Option<VolRegime>,
    flag: PositionFlag,
    /// The stop against the price of the last check.
    #[serde(default)]
    stop: Option<StopState>,
    /// Guidance of the last check; `None` where an earlier version checked.
    #[serde(default)]
    texts: Option<PositionTexts>,
    told: Vec<GivenNotice>,
}

/// A notice that was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct GivenNotice {
    trigger: NoticeTrigger,
    /// The level, where the trigger is about one; else empty.
    about: String,
    episode: Ts,
    at: Ts,
    repeat: u32,
}

impl PositionState {
    /// Context of the last check.
    #[must_use]
    pub const fn newest(&self) -> Option<&ContextBrief> {
        self.newest.as_ref()
    }
    /// The mark of the position.
    #[must_use]
    pub const fn flag(&self) -> PositionFlag {
        self.flag
    }

    /// The stop against the price of the last check.
    #[must_use]
    pub const fn stop(&self) -> Option<&StopState> {
        self.stop.as_ref()
    }

    /// Guidance of the last check.
    pub(super) fn texts(&self, now: &ContextBrief) -> PositionTexts {
        self.texts.clone().unwrap_or_else(|| texts(now, self.stop(), None))
    }

    /// Checks the position against its market now.
    pub fn check(&mut self, position: &Position, ctx: &PositionContext<'_>) -> Vec<PositionNotice> {
        let now = brief(&ctx.market);
        let usable = !ctx.market.is_unusable();
        let old = self.newest.clone();
        let mut due = Vec::new();
        if usable {
            self.unavailable_since = None;
            self.regime(&now, &mut due);
            self.bias(&now, &mut due);
            self.volatility(&now, ctx, &mut due);
        } else {
            let since = *self.unavailable_since.get_or_insert(now.timestamp);
            due.push(Due::new(NoticeTrigger::Unavailable, NoticeLevel::Medium, since).starting(true));
        }
        self.stop = stop_state(position, ctx, self.stop.as_ref());
        self.stop_reached(position, ctx, &mut due);
        stop_on_level(position, ctx, &mut due);
        if let Some(c) = ctx.cascade.filter(|c| c.episode >= position.opened_at) {
            due.push(Due::new(NoticeTrigger::Cascade, c.level, c.episode).starting(true).once());
        }
        let care = asked(ctx, self.stop.as_ref());
        let asks = care.is_some_and(|c| c.posture < Posture::Normal);
        self.flag = self.mark(&now, usable, asks || ctx.cascade.is_some());
        let guidance = texts(&now, self.stop.as_ref(), care);
        // A change of label is reported against the last usable reading, all else against the last one.
        let before = if usable { self.usable.clone().or(old) } else { old };
        let due: Vec<Due<'_>> = due.into_iter().filter_map(|d| self.admit(d, now.timestamp)).collect();
        let after = After { brief: &now, flag: self.flag, stop: self.stop.as_ref(), guidance: &guidance };
        let out = due.iter().map(|d| notice(position, ctx, d, before.clone(), &after)).collect();
        if usable {
            self.usable = Some(now.clone());
        }
        self.newest = Some(now);
        self.texts = Some(guidance);
        out
    }

    fn regime(&self, now: &ContextBrief, due: &mut Vec<Due<'_>>) {
        let changed = self.usable.as_ref().is_some_and(|u| u.risk != now.risk);
        let of = match now.risk {
            RiskRegime::SqueezeRisk => Due::new(NoticeTrigger::Squeeze, NoticeLevel::High, now.since),
            RiskRegime::HighVol => Due::new(NoticeTrigger::HighVol, NoticeLevel::High, now.since),
            RiskRegime::ChopRisk => Due::new(NoticeTrigger::Chop, NoticeLevel::Medium, now.since),
            RiskRegime::Normal => Due::new(NoticeTrigger::Normal, NoticeLevel::Info, now.since).once(),
            RiskRegime::Unknown => return,
        };
        due.push(of.starting(changed));
    }

    /// The bias follows all axes, so that it can turn again and again under one risk label: each turn is an episode.
    fn bias(&self, now: &ContextBrief, due: &mut Vec<Due<'_>>) {
        let is = now.risk_bias == RiskBias::Conservative;
        let was = self.usable.as_ref().map(|u| u.risk_bias == RiskBias::Conservative);
        if is && was == Some(false) {
            due.push(Due::new(NoticeTrigger::Conservative, NoticeLevel::Info, now.timestamp).starting(true).once());
        }
    }

    fn volatility(&mut self, now: &ContextBrief, ctx: &PositionContext<'_>, due: &mut Vec<Due<'_>>) {
        let Some(class) = now.volatility else { return };
        let before = self.usable.as_ref().and_then(|u| u.volatility);
        let rose = before.is_some_and(|b| class.severity() > b.severity());
        if rose {
            self.rose_from = self.rose_from.or(before);
        }
        if self.rose_from.is_some_and(|from| class.severity() <= from.severity()) {
            self.rose_from = None;
        }
        if self.rose_from.is_some() {
            let level = if class == VolRegime::Extreme { NoticeLevel::Critical } else { NoticeLevel::Medium };
            let since = ctx.volatility_since.unwrap_or(now.timestamp);
            due.push(Due::new(NoticeTrigger::Volatility, level, since).starting(rose));
        }
    }

    /// Reported from the first look on: a position that is registered beyond its stop is beyond it. A price from before the
    /// position, of a market that says nothing now, is shown and not reported.
    fn stop_reached(&self, position: &Position, ctx: &PositionContext<'_>, due: &mut Vec<Due<'_>>) {
        let Some((stop, since)) = self.stop.as_ref().and_then(|s| Some((s, s.reached_at?))) else { return };
        let is_now = ctx.market.stale.is_none() || stop.price_at.is_some_and(|at| at >= position.opened_at);
        if is_now {
            due.push(Due::new(NoticeTrigger::StopReached, NoticeLevel::High, since).starting(true));
        }
    }

    fn mark(&self, now: &ContextBrief, usable: bool, asks: bool) -> PositionFlag {
        if self.stop.as_ref().is_some_and(StopState::is_reached) {
            return PositionFlag::Yellow;
        }
        let calm = now.risk == RiskRegime::Normal && self.rose_from.is_none() && !asks;
        match (usable, calm) {
            (false, _) => PositionFlag::Grey,
            (true, false) => PositionFlag::Yellow,
            (true, true) => PositionFlag::None,
        }
    }

    /// Once per episode, and again after a day while it lasts.
    fn admit<'a>(&mut self, mut due: Due<'a>, now: Ts) -> Option<Due<'a>> {
        let same = |t: &&mut GivenNotice| {
            t.trigger == due.trigger && t.about == due.about() && (t.episode == due.episode || due.any_episode)
        };
        if let Some(told) = self.told.iter_mut().find(same) {
            if due.once || now < told.at + AGAIN {
                return None;
            }
            told.at = now;
            told.repeat += 1;
            (due.repeat, due.episode) = (told.repeat, told.episode);
            return Some(due);
        }
        if !due.starts {
            return None;
        }
        // A bias can turn many times a day; its turns shall not push out what lasts.
        self.told.retain(|t| t.trigger != NoticeTrigger::Conservative || due.trigger != t.trigger);
        if self.told.len() == MEMORY {
            self.told.remove(0);
        }
        self.told.push(GivenNotice {
            trigger: due.trigger,
            about: due.about().to_owned(),
            episode: due.episode,
            at: now,
            repeat: 0,
        });
        Some(due)
    }
}

/// What the book's posture table asks of a position with this stop.
fn asked<'a>(ctx: &PositionContext<'a>, stop: Option<&StopState>) -> Option<&'a Care> {
    ctx.market.positions.map(|care| care.at(stop.map_or(StopReach::Far, |s| s.state)))
}

fn stop_state(position: &Position, ctx: &PositionContext<'_>, before: Option<&StopState>) -> Option<StopState> {
    let m = &ctx.market;
    let seen = SeenPrice { price: m.price?, at: m.snapshot.map(|s| s.timestamp), atr: m.atr_14 };
    StopState::of(position.side, position.stop?, seen, m.now, before)
}

/// Levels that formed after the entry and on which the stop lies now; each is reported once, whatever the regime does.
fn stop_on_level<'a>(position: &Position, ctx: &PositionContext<'a>, due: &mut Vec<Due<'a>>) {
    let m = &ctx.market;
    let (Some(stop), Some(atr), Some(levels)) = (position.stop, m.atr_14, m.levels) else { return };
    let known = Clusters { levels, weakest: m.verdict.cluster_strength, now: m.now };
    let on = known
        .of(position.side)
        .map(|(_, l)| l)
        .filter(|l| l.formed_at > position.opened_at && lies_on(l, stop, PAD * atr));
    due.extend(on.map(|l| {
        Due {
            level_on: Some(l),
            any_episode: true,
            ..Due::new(NoticeTrigger::StopOnLevel, NoticeLevel::Low, l.known_at)
        }
        .starting(true)
    }));
}
