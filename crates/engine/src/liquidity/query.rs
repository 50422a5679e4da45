//! Questions about published levels: the next target, the levels a stop sits on (features §4.7, risk §2).
//!
//! They work on the contract, so they answer the same about levels of the engine, of the store and of another day.

use barograph_domain::{Level, LevelType, Side, Ts};

/// Strength below which a level is no target.
pub const TARGET_STRENGTH_MIN: f64 = 0.3;

/// Types that targets are placed at.
#[must_use]
pub const fn is_target(kind: LevelType) -> bool {
    !matches!(
        kind,
        LevelType::BullishFvg
            | LevelType::BearishFvg
            | LevelType::SwingHigh
            | LevelType::SwingLow
            | LevelType::LiquidationZone
    )
}

/// Types under which stops of a side are thought to lie (features §4.10).
#[must_use]
pub fn holds_stops(level: &Level, stops: Side) -> bool {
    let kind = level.kind;
    level.side == Some(stops) && !matches!(kind, LevelType::BullishFvg | LevelType::BearishFvg)
}

/// Known at `now` and not used up by then.
#[must_use]
pub fn stands(level: &Level, now: Ts) -> bool {
    level.known_at <= now && level.mitigated_at.is_none_or(|m| m > now)
}

/// Distance from `entry` to the near edge in the direction of a trade; negative when the edge is behind or price is inside.
#[must_use]
pub fn distance(level: &Level, trade: Side, entry: f64) -> f64 {
    match trade {
        Side::Long => level.bottom - entry,
        Side::Short => entry - level.top,
    }
}

/// Target candidates in the direction of a trade: known, unmitigated, strong enough, of the types of features §4.7, wholly
/// beyond the entry.
pub fn targets(levels: &[Level], trade: Side, entry: f64, now: Ts) -> impl Iterator<Item = &Level> {
    levels.iter().filter(move |l| {
        is_target(l.kind) && stands(l, now) && l.strength >= TARGET_STRENGTH_MIN && distance(l, trade, entry) > 0.0
    })
}

/// The nearest target; of equally near ones the stronger, then the first.
#[must_use]
pub fn nearest_target(levels: &[Level], trade: Side, entry: f64, now: Ts) -> Option<&Level> {
    targets(levels, trade, entry, now).min_by(|a, b| {
        let near = |l: &Level| distance(l, trade, entry);
        near(a).total_cmp(&near(b)).then(b.strength.total_cmp(&a.strength))
    })
}

/// The levels of the stop side that a stop at `stop` is on: within `margin` of their zone. Strongest first.
#[must_use]
pub fn clusters_at(levels: &[Level], trade: Side, stop: f64, margin: f64, now: Ts) -> Vec<&Level> {
    let on =
        |l: &&Level| stands(l, now) && holds_stops(l, trade) && l.bottom - margin <= stop && stop <= l.top + margin;
    let mut found: Vec<&Level> = levels.iter().filter(on).collect();
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength).then(a.level_id.cmp(&b.level_id)));
    found
}

/// The edge a stop has to pass to be beyond a level.
#[must_use]
pub fn far_edge(level: &Level, trade: Side) -> f64 {
    match trade {
        Side::Long => level.bottom,
        Side::Short => level.top,
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact in binary")]
mod tests {
    use super::*;
    use barograph_domain::{Kind, Span};

    fn level(kind: LevelType, (bottom, top): (f64, f64), known_h: i64, strength: f64) -> Level {
        let at = Ts(0) + Span::hours(known_h);
        Level {
            level_id: format!("{kind:?}{bottom}"),
            revision: 1,
            kind,
            timeframe: Span::hours(1),
            side: crate::liquidity::Face::of(kind).map(crate::liquidity::Face::side),
            price: bottom,
            top,
            bottom,
            formed_at: at,
            confirmed_at: at,
            known_at: at,
            touched_at: None,
            mitigated_at: None,
            swept_at: None,
            touches: 0,
            volume: None,
            strength,
            source: Kind::Measured,
        }
    }

    #[test]
    fn the_nearest_target_is_known_strong_standing_and_of_a_type() {
        let now = Ts(0) + Span::hours(10);
        let mut used = level(LevelType::EqualHighs, (101.0, 101.5), 1, 0.9);
        used.mitigated_at = Some(Ts(0) + Span::hours(9));
        let levels = [
            used,
            level(LevelType::EqualHighs, (102.0, 103.0), 11, 0.9),
            level(LevelType::BearishOb, (103.0, 104.0), 1, 0.29),
            level(LevelType::SwingHigh, (104.0, 104.0), 1, 0.9),
            level(LevelType::BearishFvg, (104.5, 105.0), 1, 0.9),
            level(LevelType::PrevDayHigh, (106.0, 106.0), 1, 0.3),
            level(LevelType::VolumeNode, (107.0, 108.0), 1, 0.9),
            level(LevelType::EqualLows, (90.0, 91.0), 1, 0.9),
        ];
        let kind = |side, entry| nearest_target(&levels, side, entry, now).map(|l| l.kind);
        assert_eq!(kind(Side::Long, 100.0), Some(LevelType::PrevDayHigh));
        assert_eq!(kind(Side::Long, 106.0), Some(LevelType::VolumeNode), "at the edge is not beyond");
        assert_eq!(kind(Side::Short, 100.0), Some(LevelType::EqualLows));
        assert_eq!(kind(Side::Short, 90.5), None, "price is inside");
    }

    #[test]
    fn a_stop_within_the_margin_of_a_level_of_its_side_is_on_it() {
        let now = Ts(0) + Span::hours(10);
        let levels = [
            level(LevelType::EqualLows, (49_150.0, 49_180.0), 1, 0.5),
            level(LevelType::SwingLow, (49_175.0, 49_175.0), 1, 0.7),
            level(LevelType::BearishOb, (49_150.0, 49_180.0), 1, 0.9),
            level(LevelType::EqualLows, (49_150.0, 49_180.0), 12, 0.9),
        ];
        let at = |stop| clusters_at(&levels, Side::Long, stop, 40.0, now).iter().map(|l| l.kind).collect::<Vec<_>>();
        assert_eq!(at(49_168.4), [LevelType::SwingLow, LevelType::EqualLows]);
        assert_eq!(at(49_110.0), [LevelType::EqualLows]);
        assert_eq!(at(49_109.0), []);
        assert_eq!(far_edge(&levels[0], Side::Long), 49_150.0);
    }
}
