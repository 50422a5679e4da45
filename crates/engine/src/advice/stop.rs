//! Stop by ATR multiple, whether a stop lies on a cluster of stops, and one beyond that cluster (R2.25, R1.67, risk §2).
//!
//! A cluster is a strong level whose stops lie on the stop's side: known now, not mitigated. Clusters that touch count as one, so
//! that the suggested stop never lies on the next of them. The caller's stop is never replaced.

use super::context::AdviceContext;
use super::intent::{Intent, OperatorSettings, StopMode};
use super::parameters::Parameters;
use super::{rounding, sign};
use barograph_domain::advice::Missing;
use barograph_domain::{Level, LevelType, Side, Ts};

/// How near to a level counts as on it, ATR.
pub(super) const PAD: f64 = 0.10;
/// A stop beyond the cluster may be at most this much farther than the stop on it.
const FARTHEST: f64 = 1.5;

/// The stop in use and what is known about it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StopPlan {
    /// ATR all distances are measured in.
    pub atr: Option<f64>,
    /// `entry − σ · multiplier · ATR`, rounded away from the entry.
    pub base: Option<f64>,
    /// The stop all further numbers use.
    pub used: Option<f64>,
    /// `user`, `base` or `beyond_cluster`.
    pub source: Option<&'static str>,
    /// Distance from the entry to it.
    pub r: Option<f64>,
    /// Position, in the context's levels, of the level it lies on.
    pub on_level: Option<usize>,
    /// Levels and ATR are known, so that `on_level` means something.
    pub clusters_known: bool,
    /// A stop beyond the cluster it lies on.
    pub alternative: Option<f64>,
    /// Why there is no alternative for a stop that lies on a cluster.
    pub alternative_missing: Option<Missing>,
    /// Why there is no base stop, or no stop at all.
    pub missing: Option<Missing>,
}

pub(super) fn plan(
    ctx: Option<&AdviceContext<'_>>,
    intent: &Intent<'_>,
    parameters: &Parameters,
    settings: &OperatorSettings,
) -> StopPlan {
    let atr = intent.atr.or_else(|| ctx.and_then(|c| c.atr_14).filter(|a| a.is_finite() && *a > 0.0));
    let (base, missing) = match atr {
        None => (None, Some(Missing::AtrUndefined)),
        Some(a) => match base_stop(intent, a, parameters.stop_loss_atr_mult) {
            None => (None, Some(Missing::OutOfDomain)),
            some => (some, None),
        },
    };
    let (used, mut source) = match intent.stop {
        Some(stop) => (Some(stop), Some("user")),
        None => (base, base.map(|_| "base")),
    };
    let mut out = StopPlan {
        atr,
        base,
        used,
        source,
        r: None,
        on_level: None,
        clusters_known: false,
        alternative: None,
        alternative_missing: None,
        missing,
    };
    let known = ctx.and_then(|c| Some(Clusters { levels: c.levels?, weakest: c.verdict.cluster_strength, now: c.now }));
    if let (Some(stop), Some(atr), Some(known)) = (used, atr, known) {
        let hit = known.under(intent, stop, atr);
        out.clusters_known = true;
        if let Some(hit) = hit {
            let free = known.beyond(intent, stop, atr, hit.far);
            if intent.stop.is_none() && settings.stop_mode == StopMode::BeyondCluster && free.is_some() {
                source = Some("beyond_cluster");
                out.used = free;
                out.source = source;
            } else {
                out.on_level = Some(hit.index);
                out.alternative = free;
                out.alternative_missing = free.is_none().then_some(Missing::TooFar);
            }
        }
    }
    out.r = out.used.map(|s| (intent.entry - s).abs()).filter(|r| *r > 0.0);
    out
}

/// The stop of R2.27: `entry`, `atr` and `side` are the caller's; `None` when it would not be a price.
#[must_use]
pub fn take_stop(entry: f64, atr: f64, side: Side, mult: f64, tick: Option<f64>) -> Option<f64> {
    let stop = rounding::away(entry - sign(side) * mult * atr, side, tick);
    (stop.is_finite() && stop > 0.0 && (entry - stop) * sign(side) > 0.0).then_some(stop)
}

fn base_stop(intent: &Intent<'_>, atr: f64, mult: f64) -> Option<f64> {
    take_stop(intent.entry, atr, intent.side, mult, intent.rules.tick)
}

/// Levels of which some are clusters of stops.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clusters<'a> {
    /// All that are known.
    pub levels: &'a [Level],
    /// Strength below which a level gathers no stops worth the name.
    pub weakest: f64,
    /// Seen from this moment.
    pub now: Ts,
}

impl<'a> Clusters<'a> {
    /// Those on which stops of this side lie (features §4.10), known and unmitigated, with their positions.
    pub fn of(self, side: Side) -> impl Iterator<Item = (usize, &'a Level)> {
        let is_one = move |l: &Level| l.strength >= self.weakest && is_live(l, self.now) && holds_stops(l, side);
        self.levels.iter().enumerate().filter(move |(_, l)| is_one(l))
    }

    fn under(self, intent: &Intent<'_>, stop: f64, atr: f64) -> Option<Hit> {
        let mut hit: Option<Hit> = None;
        for (i, level) in self.of(intent.side) {
            if !lies_on(level, stop, PAD * atr) {
                continue;
            }
            let edge = far_edge(level, intent.side);
            hit = Some(match hit {
                None => Hit { index: i, far: edge },
                Some(h) => Hit {
                    index: if level.strength > self.levels[h.index].strength { i } else { h.index },
                    far: if is_farther(edge, h.far, intent.side) { edge } else { h.far },
                },
            });
        }
        hit
    }

    /// First price beyond the cluster that lies on no further one, if it is near enough.
    fn beyond(self, intent: &Intent<'_>, stop: f64, atr: f64, mut far: f64) -> Option<f64> {
        let (side, pad) = (intent.side, PAD * atr);
        let farthest = FARTHEST * (intent.entry - stop).abs();
        loop {
            let free = far - sign(side) * pad;
            if (intent.entry - free).abs() > farthest || free <= 0.0 {
                return None;
            }
            let next = self
                .of(side)
                .map(|(_, l)| (l, far_edge(l, side)))
                .find(|(l, edge)| is_farther(*edge, far, side) && lies_on(l, free, pad));
            match next {
                Some((_, edge)) => far = edge,
                None => return Some(rounding::away(free, side, intent.rules.tick)).filter(|s| *s > 0.0),
            }
        }
    }
}

/// Known and unmitigated at `now`.
pub(super) fn is_live(level: &Level, now: Ts) -> bool {
    level.known_at <= now && level.mitigated_at.is_none_or(|m| m > now)
}

fn holds_stops(level: &Level, side: Side) -> bool {
    use LevelType as T;
    match level.kind {
        T::EqualLows | T::SwingLow | T::BullishOb | T::SessionLow | T::PrevDayLow => side == Side::Long,
        T::EqualHighs | T::SwingHigh | T::BearishOb | T::SessionHigh | T::PrevDayHigh => side == Side::Short,
        T::LiquidationZone => level.side == Some(side),
        T::BullishFvg | T::BearishFvg | T::VolumeNode => false,
    }
}

/// Does `price` lie within `pad` of the level?
pub(super) fn lies_on(level: &Level, price: f64, pad: f64) -> bool {
    price >= level.bottom - pad && price <= level.top + pad
}

/// The edge farther from the entry: the lower one for a long's stop.
const fn far_edge(level: &Level, side: Side) -> f64 {
    match side {
        Side::Long => level.bottom,
        Side::Short => level.top,
    }
}

struct Hit {
    /// Strongest level the stop lies on; the first of equals.
    index: usize,
    /// Farthest edge of all levels it lies on.
    far: f64,
}

fn is_farther(a: f64, b: f64, side: Side) -> bool {
    (b - a) * sign(side) > 0.0
}
