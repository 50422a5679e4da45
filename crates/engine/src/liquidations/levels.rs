//! Liquidation zones as liquidity levels with a life (features §4.1, §4.8; R4.6).
//!
//! Once an hour the zones are compared with those of the hour before. A zone that overlaps an earlier one of its side is the
//! same level; where its edges moved, or its share by more than a twentieth of all money, it gets a further revision with its
//! own `known_at`: what was said of its strength is never further off than that. One that stands out no more is used
//! up, as a volume node that leaves its profile is. What was said of an hour stays. Bars do not touch or sweep zones: what
//! trades there is what they are made of.

use super::zones::{Bins, Zone};
use crate::features::hourly::hour_of;
use crate::liquidity::density::Zone as Near;
use crate::liquidity::{Face, Happening, LevelHappening, Record};
use barograph_domain::{Kind, LevelType, Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Levels kept; where there are more zones, the lightest have no level.
const LEVELS_MAX: usize = 16;
/// Zones there is room for before the lightest are left out: more would be memory for nothing.
const ZONES_ROOM: usize = 64;
/// Change of a zone's share that is worth a revision.
const SHARE_MOVED: f64 = 0.05;
/// Timeframe of the levels: they are looked at once an hour.
pub const TIMEFRAME: Span = Span::hours(1);

/// One zone with its history.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Tracked {
    zone: Zone,
    /// Its price when it was first seen: part of its name.
    first_price: f64,
    /// Hour in which it was first seen.
    formed: i64,
    known_at: Ts,
    revision: u32,
    kind: Kind,
}

/// The zones of a market as of the last whole hour.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ZoneLevels {
    tracked: Vec<Tracked>,
    /// There have been enough liquidations to speak of zones.
    enough: bool,
    #[serde(skip)]
    found: Vec<Zone>,
    #[serde(skip)]
    next: Vec<Tracked>,
    /// The same for whoever asks how much lies near a price.
    #[serde(skip)]
    near: Vec<Near>,
    /// What happened to them and was not taken yet.
    #[serde(skip)]
    pending: Vec<LevelHappening>,
}

fn overlap(a: &Zone, b: &Zone) -> i32 {
    if a.liquidated_side != b.liquidated_side {
        return 0;
    }
    a.bins.1.min(b.bins.1) - a.bins.0.max(b.bins.0) + 1
}

impl ZoneLevels {
    /// Looks at the zones of a whole hour; what follows may be used from `known_at` on.
    pub(super) fn refresh(&mut self, bins: &Bins, hour: Ts, known_at: Ts, kind: Kind) {
        self.enough = bins.are_enough();
        if self.found.capacity() == 0 && self.enough {
            self.make_room();
        }
        bins.zones(hour, &mut self.found);
        self.found.sort_unstable_by(|a, b| b.usd.total_cmp(&a.usd).then(order(a).cmp(&order(b))));
        self.found.truncate(LEVELS_MAX);
        self.next.clear();
        let bar = hour_of(hour);
        for zone in &self.found {
            // The heaviest zone chooses first; a level has one continuation.
            let earlier = self
                .tracked
                .iter()
                .filter(|t| overlap(&t.zone, zone) > 0 && !self.next.iter().any(|n| n.is_same(t)))
                .max_by_key(|t| overlap(&t.zone, zone));
            let (now, what) = match earlier {
                Some(t) if t.is_unchanged(zone) => (*t, None),
                Some(t) => {
                    let revision = t.revision + 1;
                    (Tracked { zone: *zone, known_at, revision, kind, ..*t }, Some(Happening::Revised))
                }
                None => {
                    let new =
                        Tracked { zone: *zone, first_price: zone.price, formed: bar, known_at, revision: 1, kind };
                    (new, Some(Happening::Known))
                }
            };
            self.next.push(now);
            self.pending.extend(what.map(|what| LevelHappening { what, record: now.record(), bar, known_at }));
        }
        for gone in self.tracked.iter().filter(|t| !self.next.iter().any(|n| n.is_same(t))) {
            let record = Record { mitigated: Some(bar), ..gone.record() };
            self.pending.push(LevelHappening { what: Happening::Mitigated { broken: false }, record, bar, known_at });
        }
        self.next
            .sort_unstable_by(|a, b| a.zone.bottom.total_cmp(&b.zone.bottom).then(order(&a.zone).cmp(&order(&b.zone))));
        core::mem::swap(&mut self.tracked, &mut self.next);
        self.reread();
    }

    fn make_room(&mut self) {
        self.found.reserve(ZONES_ROOM);
        self.next.reserve(LEVELS_MAX);
        self.tracked.reserve(LEVELS_MAX);
        self.near.reserve(LEVELS_MAX);
        self.pending.reserve(2 * LEVELS_MAX);
    }

    /// After a restore: what is derived is made again.
    pub(super) fn reread(&mut self) {
        self.near.clear();
        self.near.extend(self.tracked.iter().map(|t| Near {
            face: match t.zone.liquidated_side {
                Side::Long => Face::Low,
                Side::Short => Face::High,
            },
            top: t.zone.top,
            bottom: t.zone.bottom,
            strength: t.zone.share,
        }));
    }

    /// Levels of the last whole hour, by price. Strength is the zone's part of all decayed money.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.tracked.iter().map(Tracked::record)
    }

    /// Zones for the density of stops; `None` while there are too few liquidations to speak of any.
    #[must_use]
    pub fn near(&self) -> Option<&[Near]> {
        self.enough.then_some(&self.near)
    }

    /// What happened to them since this was asked last.
    pub fn take(&mut self) -> impl Iterator<Item = LevelHappening> + '_ {
        self.pending.drain(..)
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

/// An order among zones of equal weight: side, then price.
fn order(zone: &Zone) -> (Side, (i32, i32)) {
    (zone.liquidated_side, zone.bins)
}

impl Tracked {
    /// Is what was said of it still so of `zone`, edges and share?
    fn is_unchanged(&self, zone: &Zone) -> bool {
        self.zone.bins == zone.bins && (self.zone.share - zone.share).abs() <= SHARE_MOVED
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.formed, self.zone.liquidated_side) == (other.formed, other.zone.liquidated_side)
            && self.first_price.to_bits() == other.first_price.to_bits()
    }

    fn record(&self) -> Record {
        let Zone { price, bottom, top, share, liquidated_side, .. } = self.zone;
        Record {
            named: self.first_price,
            known_at: self.known_at,
            revision: self.revision,
            rank: Some(share),
            liquidated: Some((liquidated_side, self.kind)),
            ..Record::zone(LevelType::LiquidationZone, price, (bottom, top), self.formed, None)
        }
    }
}
