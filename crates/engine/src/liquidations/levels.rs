//! Liquidation zones as liquidity levels with a life (features §4.1, §4.8; R4.6).
//!
//! Once an hour the zones are compared with those of the hour before. A zone that overlaps an earlier one of its side is the
//! same level; where its edges moved it gets a further revision with its own `known_at`. What was said of an hour stays.

use super::zones::{Bins, Zone};
use barograph_domain::{InstrumentName, Kind, Level, LevelType, Side, Span, Ts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Levels kept; where there are more zones, the lightest have no level.
const LEVELS_MAX: usize = 16;
/// Timeframe of the levels: they are looked at once an hour.
const TIMEFRAME: Span = Span::hours(1);

/// One zone with its history.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Tracked {
    zone: Zone,
    /// Its price when it was first seen: part of its name.
    first_price: f64,
    formed_at: Ts,
    known_at: Ts,
    revision: u32,
    kind: Kind,
}

/// The zones of a market as of the last whole hour.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ZoneLevels {
    tracked: Vec<Tracked>,
    #[serde(skip)]
    found: Vec<Zone>,
    #[serde(skip)]
    next: Vec<Tracked>,
}

fn overlap(a: &Zone, b: &Zone) -> i32 {
    if a.liquidated_side != b.liquidated_side {
        return 0;
    }
    a.bins.1.min(b.bins.1) - a.bins.0.max(b.bins.0) + 1
}

impl ZoneLevels {
    /// Looks at the zones of a whole hour.
    pub(super) fn refresh(&mut self, bins: &Bins, hour: Ts, kind: Kind) {
        bins.zones(hour, &mut self.found);
        self.found.sort_by(|a, b| b.usd.total_cmp(&a.usd));
        self.found.truncate(LEVELS_MAX);
        self.next.clear();
        for zone in &self.found {
            // The heaviest zone chooses first; a level has one continuation.
            let earlier = self
                .tracked
                .iter()
                .filter(|t| overlap(&t.zone, zone) > 0 && !self.next.iter().any(|n| n.is_same(t)))
                .max_by_key(|t| overlap(&t.zone, zone));
            self.next.push(match earlier {
                Some(t) if t.zone.bins == zone.bins => *t,
                Some(t) => Tracked { zone: *zone, known_at: hour, revision: t.revision + 1, kind, ..*t },
                None => {
                    Tracked { zone: *zone, first_price: zone.price, formed_at: hour, known_at: hour, revision: 1, kind }
                }
            });
        }
        self.next.sort_by(|a, b| a.zone.bottom.total_cmp(&b.zone.bottom));
        core::mem::swap(&mut self.tracked, &mut self.next);
    }

    /// Levels of the last whole hour, by price. Strength is the zone's part of all decayed money.
    pub fn levels<'a>(&'a self, instrument: &'a InstrumentName) -> impl Iterator<Item = Level> + 'a {
        self.tracked.iter().map(move |t| t.level(instrument))
    }

    /// Number of levels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tracked.len()
    }

    /// No zone stood out at the last whole hour.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tracked.is_empty()
    }
}

impl Tracked {
    fn is_same(&self, other: &Self) -> bool {
        (self.formed_at, self.zone.liquidated_side) == (other.formed_at, other.zone.liquidated_side)
            && self.first_price.to_bits() == other.first_price.to_bits()
    }

    fn level(&self, instrument: &InstrumentName) -> Level {
        let side = match self.zone.liquidated_side {
            Side::Long => "long",
            Side::Short => "short",
        };
        let name = format!(
            "{instrument}|{TIMEFRAME}|{}|{side}|{}|{}",
            LevelType::LiquidationZone.name(),
            self.formed_at.0,
            self.first_price
        );
        Level {
            level_id: Uuid::new_v5(&barograph_domain::alert::namespace(), name.as_bytes()).to_string(),
            revision: self.revision,
            kind: LevelType::LiquidationZone,
            timeframe: TIMEFRAME,
            side: Some(self.zone.liquidated_side),
            price: self.zone.price,
            top: self.zone.top,
            bottom: self.zone.bottom,
            formed_at: self.formed_at,
            confirmed_at: self.formed_at,
            known_at: self.known_at,
            touched_at: None,
            mitigated_at: None,
            swept_at: None,
            touches: 0,
            volume: None,
            strength: self.zone.share,
            source: self.kind,
        }
    }
}
