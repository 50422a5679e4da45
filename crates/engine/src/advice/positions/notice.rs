//! How a change around a position is reported: ids, levels, words.

use super::{CONSERVATIVE_CARD, PositionContext};
use crate::advice::context::AdviceContext;
use crate::advice::digits::{own, price};
use crate::advice::text::in_units;
use barograph_domain::advice::{
    ContextBrief, NoticeLevel, NoticeTrigger, Position, PositionFlag, PositionNotice, PositionTexts, StopState,
};
use barograph_domain::{Level, RiskRegime, Ts, VolRegime};
use uuid::Uuid;

/// A notice that may be due.
#[derive(Clone, Debug)]
pub(super) struct Due<'a> {
    pub(super) trigger: NoticeTrigger,
    pub(super) level: NoticeLevel,
    pub(super) episode: Ts,
    /// The level it is about.
    pub(super) level_on: Option<&'a Level>,
    /// Every episode counts as the same.
    pub(super) any_episode: bool,
    /// It begins now; else it only lasts.
    pub(super) starts: bool,
    /// Never reported again.
    pub(super) once: bool,
    pub(super) repeat: u32,
}

impl Due<'_> {
    pub(super) const fn new(trigger: NoticeTrigger, level: NoticeLevel, episode: Ts) -> Self {
        Self { trigger, level, episode, level_on: None, any_episode: false, starts: false, once: false, repeat: 0 }
    }
    pub(super) const fn starting(mut self, starts: bool) -> Self {
        self.starts = starts;
        self
    }
    pub(super) const fn once(mut self) -> Self {
        self.once = true;
        self
    }
    pub(super) fn about(&self) -> &str {
        self.level_on.map_or("", |l| &l.level_id)
    }
}

/// The market as it is for a position that is far from its stop: what another position's stop asks for is not its own.
pub(super) fn brief(m: &AdviceContext<'_>) -> ContextBrief {
    let (bias, posture) = m.positions.map_or((m.bias, m.posture), |care| (care.far.bias, care.far.posture));
    ContextBrief {
        timestamp: m.now,
        snapshot_id: m.snapshot.map_or_else(String::new, |s| s.id.to_owned()),
        risk: m.risk.label,
        since: m.risk.since,
        risk_bias: bias,
        posture,
        volatility: (m.volatility != VolRegime::Unknown).then_some(m.volatility),
        price: m.price,
        price_at: m.price.and(m.snapshot).map(|s| s.timestamp),
        stale: m.stale.is_some(),
    }
}

/// What a check has found.
#[derive(Clone, Copy, Debug)]
pub(super) struct After<'a> {
    pub(super) brief: &'a ContextBrief,
    pub(super) flag: PositionFlag,
    pub(super) stop: Option<&'a StopState>,
    pub(super) guidance: &'a PositionTexts,
}

pub(super) fn notice(
    position: &Position,
    ctx: &PositionContext<'_>,
    due: &Due<'_>,
    old: Option<ContextBrief>,
    after: &After<'_>,
) -> PositionNotice {
    let (new, flag) = (after.brief, after.flag);
    let name =
        format!("notice|{}|{}|{}|{}|{}", position.id, due.trigger.name(), due.about(), due.episode.0, due.repeat);
    PositionNotice {
        notice_id: name_based(&name),
        position_id: position.id.clone(),
        instrument: position.instrument.clone(),
        timestamp: new.timestamp,
        trigger: due.trigger,
        level: due.level,
        flag,
        text: text((position, ctx), due, old.as_ref(), after),
        headline: ctx.market.words.map_or_else(String::new, |words| words.headline.to_owned()),
        open_positions: after.guidance.open_positions.clone(),
        new_entries: after.guidance.new_entries.clone(),
        episode: due.episode,
        repeat: due.repeat,
        old,
        new: new.clone(),
    }
}

/// UUIDv5 in the project's namespace: the same name gives the same id.
pub(super) fn name_based(name: &str) -> String {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"barograph");
    Uuid::new_v5(&namespace, name.as_bytes()).to_string()
}

fn text(
    (position, ctx): (&Position, &PositionContext<'_>),
    due: &Due<'_>,
    old: Option<&ContextBrief>,
    after: &After<'_>,
) -> String {
    use NoticeTrigger as T;
    let new = after.brief;
    let from_entry = |price: f64| Some((price - position.entry).abs()).filter(|d| *d > 0.0);
    let changed = |to: RiskRegime, what: &str| {
        let verb = if due.repeat > 0 { "is still" } else { "changed to" };
        format!("Market regime {verb} {}, {what}", to.spoken())
    };
    match due.trigger {
        T::Squeeze => changed(RiskRegime::SqueezeRisk, "consider tightening stop"),
        T::HighVol => changed(RiskRegime::HighVol, "review position size and stop"),
        T::Chop => changed(RiskRegime::ChopRisk, "expect whipsaw"),
        T::Normal => "Market regime back to normal".to_owned(),
        T::Unavailable => format!("Market context unavailable: {}", unavailable(&ctx.market)),
        T::Conservative => CONSERVATIVE_CARD.to_owned(),
        T::Volatility => volatility(due, old, new),
        T::StopReached => after.stop.map_or_else(String::new, |s| reached(s, due.repeat)),
        // A level at the entry itself needs no more digits than others.
        T::StopOnLevel => due.level_on.map_or_else(String::new, |l| {
            format!(
                "New liquidity level near your stop: {} from {} to {}",
                l.kind.spoken(),
                price(l.bottom, from_entry(l.bottom)),
                price(l.top, from_entry(l.top))
            )
        }),
        T::Cascade => ctx.cascade.map_or_else(String::new, |c| c.text.to_owned()),
    }
}

/// `4.2 %`; what would round to nothing is "less than 0.1 %".
fn percent(share: f64) -> String {
    let x = share * 100.0;
    if x < 0.05 { "less than 0.1 %".to_owned() } else { format!("{x:.1} %") }
}

/// "Stop 2.50 reached: price 2.40, 4.2 % beyond it".
fn reached(s: &StopState, repeat: u32) -> String {
    let still = if repeat > 0 { "still " } else { "" };
    let where_ = match s.distance {
        d if d < 0.0 => format!("{} beyond it", percent(-d)),
        d if d > 0.0 => format!("{} back from it", percent(d)),
        _ => "at it".to_owned(),
    };
    format!("Stop {} {still}reached: price {}, {where_}", own(s.stop), price(s.price, Some(s.price - s.stop)))
}

fn unavailable(m: &AdviceContext<'_>) -> String {
    let stale = m.stale.map(|s| {
        let warning = in_units(s.warning);
        let mut chars = warning.chars();
        chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect::<String>())
    });
    stale.unwrap_or_else(|| "an input is missing".to_owned())
}

fn volatility(due: &Due<'_>, old: Option<&ContextBrief>, new: &ContextBrief) -> String {
    // "Moves grew from steady to larger": the word for moves is said once.
    let class = |label: VolRegime| label.spoken().trim_end_matches(" moves");
    let to = new.volatility.map_or("unknown", class);
    let risk = new.volatility.and_then(VolRegime::risk_multiplier);
    let multiplier = risk.map(|r| format!(" (risk multiplier {r})")).unwrap_or_default();
    match old.and_then(|o| o.volatility).filter(|_| due.repeat == 0) {
        Some(from) => format!("Moves grew from {} to {to}{multiplier}", class(from)),
        None => format!("Moves are still {to}{multiplier}"),
    }
}
