//! Has the market changed? How far its readings have moved against their own past, and how good forecasts have been lately
//! (verification §5, research).
//!
//! These follow from published minutes and from the ledger's own outcomes, and go with the ledger's ticks. They say that something
//! is different, not that it is worse.

use super::{ForecastEvent, SymbolGroup};
use serde::{Deserialize, Serialize};

/// One word for how far a week of readings lies from the 13 weeks before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DriftWord {
    /// No further than in most weeks before.
    AsBefore,
    /// Further than in four of five weeks before.
    Shifted,
    /// Further than in 19 of 20 weeks before.
    Changed,
}

impl DriftWord {
    /// Every word, in rising order.
    pub const ALL: [Self; 3] = [Self::AsBefore, Self::Shifted, Self::Changed];

    /// As people read it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsBefore => "as before",
            Self::Shifted => "shifted",
            Self::Changed => "changed",
        }
    }
}

/// Population stability index of one reading of one market over a week that has ended, against the 13 weeks before it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeatureDrift {
    /// Position of the market in the tick.
    pub market: u16,
    /// Id of the reading.
    pub feature: Box<str>,
    /// The index, over tenths of the reference; 0 where both are spread alike.
    pub psi: f64,
    /// What two samples of this size give by chance where neighbouring values do not depend on each other.
    pub by_chance: f64,
    /// Values of the week, one every five minutes.
    pub n: u32,
    /// Values of the weeks before it.
    pub reference: u32,
    /// Earlier weeks that were judged, at most 104.
    pub weeks: u32,
    /// Four of five of these lie below this; `None` before there are 26.
    pub p80: Option<f64>,
    /// And 19 of 20 below this.
    pub p95: Option<f64>,
}

impl FeatureDrift {
    /// By custom an index below 0.1 is no change, whatever weeks before were like.
    pub const SMALL: f64 = 0.1;
    /// And one up to 0.25 no large one.
    pub const LARGE: f64 = 0.25;

    /// How it is called. An index over one week of a reading that moves slowly is large by nature, so it is held against its own
    /// weeks before; `None` while there are too few of them.
    #[must_use]
    pub fn word(&self) -> Option<DriftWord> {
        let (p80, p95) = (self.p80?, self.p95?);
        Some(if self.psi > Self::LARGE && self.psi > p95 {
            DriftWord::Changed
        } else if self.psi > Self::SMALL && self.psi > p80 {
            DriftWord::Shifted
        } else {
            DriftWord::AsBefore
        })
    }
}

/// Brier skill over persistence of the forecasts that resolved within the last 30 days, over the markets of a group.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct GroupSkill {
    /// Of what.
    pub event: ForecastEvent,
    /// Of which markets.
    pub group: SymbolGroup,
    /// One minus the ratio of the squared errors; 0 is as good as persistence.
    pub skill: f64,
    /// Its 90 % band, of whole days drawn again; `None` where there are too few days.
    pub band: Option<[f64; 2]>,
    /// Forecasts that were scored.
    pub n: u32,
    /// Windows of them that do not overlap.
    pub separate: u32,
}

/// How often the price of a market moved by one hourly ATR within an hour, from every fifth minute of the day that has ended: the base
/// rate that alerts are held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MoveBase {
    /// Position of the market in the tick.
    pub market: u16,
    /// Windows whose outcome is known.
    pub windows: u32,
    /// Of them those in which it moved so far.
    pub moved: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_index_is_no_news_where_weeks_are_like_that() {
        let of = |psi, p80, p95| FeatureDrift {
            market: 0,
            feature: "rv_1h".into(),
            psi,
            by_chance: 0.0,
            n: 2_016,
            reference: 26_208,
            weeks: 104,
            p80,
            p95,
        };
        let check = |psi, p80, p95, want| assert_eq!(of(psi, p80, p95).word(), want, "{psi} beside {p80:?}, {p95:?}");
        check(5.0, None, None, None);
        check(0.05, Some(0.01), Some(0.02), Some(DriftWord::AsBefore));
        check(0.2, Some(0.1), Some(0.15), Some(DriftWord::Shifted));
        check(0.2, Some(0.3), Some(0.6), Some(DriftWord::AsBefore));
        check(0.9, Some(0.5), Some(1.0), Some(DriftWord::Shifted));
        check(1.0, Some(0.5), Some(1.0), Some(DriftWord::Shifted));
        check(1.1, Some(0.5), Some(1.0), Some(DriftWord::Changed));
    }
}
