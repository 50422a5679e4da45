//! A level as the engine holds it, and what can happen to it.
//!
//! A record is small and counts time in bars; [`Record::to_level`] makes the published contract of it, with instants and
//! the name-based id, when somebody asks. Highs and lows are one code: in outward coordinates (price for highs, minus price
//! for lows) both lie above the market, so every rule is written once and mirrored prices give mirrored levels to the bit.

use super::options::TimeframeOptions;
use super::strength;
use crate::features::bars::BuiltBar;
use barograph_domain::{Kind, Level, LevelChange, LevelEvent, LevelType, Side, Span, Ts};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a level's stops lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Face {
    /// Below the market: stops of longs.
    Low,
    /// Above the market: stops of shorts.
    High,
}

impl Face {
    /// Both, in the order of arrays.
    pub const BOTH: [Self; 2] = [Self::Low, Self::High];

    /// The face of a type; a volume node has none, a zone's follows from its liquidated side.
    #[must_use]
    pub const fn of(kind: LevelType) -> Option<Self> {
        match kind {
            LevelType::EqualHighs
            | LevelType::SwingHigh
            | LevelType::SessionHigh
            | LevelType::PrevDayHigh
            | LevelType::BearishOb
            | LevelType::BearishFvg => Some(Self::High),
            LevelType::EqualLows
            | LevelType::SwingLow
            | LevelType::SessionLow
            | LevelType::PrevDayLow
            | LevelType::BullishOb
            | LevelType::BullishFvg => Some(Self::Low),
            LevelType::VolumeNode | LevelType::LiquidationZone => None,
        }
    }
    /// Whose stops they are.
    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::Low => Side::Long,
            Self::High => Side::Short,
        }
    }
    /// Price to outward coordinate and back.
    #[must_use]
    #[inline]
    pub fn outward(self, price: f64) -> f64 {
        match self {
            Self::Low => -price,
            Self::High => price,
        }
    }
    /// The bar in outward coordinates: (outermost, innermost, close).
    #[must_use]
    #[inline]
    pub fn bar(self, bar: &BuiltBar) -> (f64, f64, f64) {
        match self {
            Self::Low => (-bar.low, -bar.high, -bar.close),
            Self::High => (bar.high, bar.low, bar.close),
        }
    }
}

/// A level of one timeframe.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Distinguishes records in one engine; not published.
    pub key: u32,
    /// What made it.
    pub kind: LevelType,
    /// Reference price.
    pub price: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Price the id is made of: that of the first member.
    pub named: f64,
    /// Bar that carries the price.
    pub formed: i64,
    /// Bar that completed the definition.
    pub confirmed: i64,
    /// When this revision may first be used.
    pub known_at: Ts,
    /// First later bar whose range enters the zone.
    pub touched: Option<i64>,
    /// First bar that swept it.
    pub swept: Option<i64>,
    /// First later bar that trades through the far edge.
    pub mitigated: Option<i64>,
    /// Bars after confirmation that entered the zone.
    pub touches: u32,
    /// Members of a cluster; 1 for everything else.
    pub members: u32,
    /// Counts from 1.
    pub revision: u32,
    /// A reaction is being followed until this bar.
    pub followed: i64,
    /// Base volume of the defining bar.
    pub volume: Option<f64>,
    /// Mid-rank of that volume among the bars up to confirmation; 1 where bars have none. `None` until somebody needs it. Of a
    /// zone of liquidations: its share of all their money, which is its strength.
    pub rank: Option<f64>,
    /// Of a zone of liquidations: the side of the positions, and whether the venue shows every one.
    pub liquidated: Option<(Side, Kind)>,
    /// Volumes seen when it was confirmed.
    pub moment: u32,
}

impl Record {
    /// A level of one price.
    #[must_use]
    pub(super) fn at(kind: LevelType, price: f64, formed: i64, volume: Option<f64>) -> Self {
        Self::zone(kind, price, (price, price), formed, volume)
    }

    /// A level with edges (bottom, top); confirmation is set when it enters the book.
    #[must_use]
    pub(crate) fn zone(
        kind: LevelType,
        price: f64,
        (bottom, top): (f64, f64),
        formed: i64,
        volume: Option<f64>,
    ) -> Self {
        Self {
            key: 0,
            kind,
            price,
            top,
            bottom,
            named: price,
            formed,
            confirmed: formed,
            known_at: Ts(0),
            touched: None,
            swept: None,
            mitigated: None,
            touches: 0,
            members: 1,
            revision: 1,
            followed: i64::MIN,
            volume,
            rank: None,
            liquidated: None,
            moment: 0,
        }
    }

    /// Near edge in outward coordinates of its face.
    #[must_use]
    #[inline]
    pub fn near(&self, face: Face) -> f64 {
        match face {
            Face::Low => -self.top,
            Face::High => self.bottom,
        }
    }

    /// Strength in [0, 1] at a bar (features §4.9); a rank that nobody has taken counts as 1. Levels that are handed out have
    /// theirs.
    #[must_use]
    pub fn strength(&self, bar: i64, options: &TimeframeOptions) -> f64 {
        if self.liquidated.is_some() {
            return self.rank.unwrap_or(0.0);
        }
        strength::of(self.members, bar - self.confirmed, self.touches, self.rank.unwrap_or(1.0), options)
    }

    /// The published contract as of bar `bar`. `tick` is the price step the id is rounded to; where it is not known, nine
    /// significant digits.
    #[must_use]
    pub fn to_level(&self, of: &Named<'_>, bar: i64, options: &TimeframeOptions) -> Level {
        Level { level_id: of.id(self), ..self.to_unnamed(of.timeframe, bar, options) }
    }

    /// As [`Record::to_level`] with an empty id, which costs most of it: for judging, where nobody reads ids.
    #[must_use]
    pub fn to_unnamed(&self, timeframe: Span, bar: i64, options: &TimeframeOptions) -> Level {
        let at = |index: i64| Ts(index * timeframe.0);
        Level {
            level_id: String::new(),
            revision: self.revision,
            kind: self.kind,
            timeframe,
            side: Face::of(self.kind).map(Face::side).or(self.liquidated.map(|(side, _)| side)),
            price: self.price,
            top: self.top,
            bottom: self.bottom,
            formed_at: at(self.formed),
            confirmed_at: at(self.confirmed),
            known_at: self.known_at,
            touched_at: self.touched.map(at),
            mitigated_at: self.mitigated.map(at),
            swept_at: self.swept.map(at),
            touches: self.touches,
            volume: self.volume,
            strength: self.strength(bar, options),
            source: self.liquidated.map_or(Kind::Measured, |(_, kind)| kind),
        }
    }
}

/// Whose levels these are: what the id is made of beside the record.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Name of the instrument.
    pub instrument: &'a str,
    /// Timeframe of the bars.
    pub timeframe: Span,
    /// Smallest price step, where it is known.
    pub tick: Option<f64>,
}

impl Named<'_> {
    /// Namespace of level ids: the version 5 UUID of this name in the URL namespace.
    const SPACE: &'static [u8] = b"https://barograph.dev/level";

    /// Name-based UUID (version 5, RFC 9562 §5.5) of instrument, timeframe, type, formed_at and price.
    #[must_use]
    pub fn id(&self, record: &Record) -> String {
        let price = match self.tick.filter(|t| *t > 0.0) {
            Some(tick) => format!("{:.0}*{tick}", record.named / tick),
            None => format!("{:.8e}", record.named),
        };
        let formed = record.formed * self.timeframe.0;
        let side = match record.liquidated {
            Some((Side::Long, _)) => "|long",
            Some((Side::Short, _)) => "|short",
            None => "",
        };
        let name = format!("{}|{}|{}|{formed}|{price}{side}", self.instrument, self.timeframe.0, record.kind.name());
        let space = Uuid::new_v5(&Uuid::NAMESPACE_URL, Self::SPACE);
        Uuid::new_v5(&space, name.as_bytes()).to_string()
    }
}

/// What happened to a level at a bar (features §4.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It became known.
    Known,
    /// A cluster took another member.
    Revised,
    /// A bar's range entered the zone.
    Touched,
    /// The bar went beyond the far edge and closed back.
    Swept,
    /// The bar traded through the far edge by the type's own rule; the level is used up.
    Mitigated {
        /// Its close was beyond the far edge (BREAK).
        broken: bool,
    },
}

/// A happening with its level.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LevelHappening {
    /// What happened.
    pub what: Happening,
    /// The level after it.
    pub record: Record,
    /// The bar.
    pub bar: i64,
    /// When it may first be used.
    pub known_at: Ts,
}

impl LevelHappening {
    /// The change as it is published.
    #[must_use]
    pub fn published(&self, of: &Named<'_>) -> LevelChange {
        let event = match self.what {
            Happening::Known => LevelEvent::Known,
            Happening::Revised => LevelEvent::Revised,
            Happening::Touched => LevelEvent::Touched,
            Happening::Swept => LevelEvent::Swept,
            Happening::Mitigated { broken: false } => LevelEvent::Mitigated,
            Happening::Mitigated { broken: true } => LevelEvent::Broken,
        };
        LevelChange {
            event,
            at: Ts(self.bar * of.timeframe.0),
            known_at: self.known_at,
            level: self.record.to_level(of, self.bar, &TimeframeOptions::default()),
            members: self.record.members,
            volume_rank: self.record.rank.unwrap_or(1.0),
        }
    }
}

/// Strength at a later moment of a level as it was published, by the default options: age goes on, what it was made of and
/// its touches do not.
#[must_use]
pub fn strength_at(change: &LevelChange, at: Ts) -> f64 {
    let level = &change.level;
    // A zone is weighed anew every hour; between, it is what was said of it.
    if level.kind == LevelType::LiquidationZone {
        return level.strength;
    }
    let bars = (at - level.confirmed_at).0.div_euclid(level.timeframe.0.max(1));
    strength::of(change.members, bars, level.touches, change.volume_rank, &TimeframeOptions::default())
}
