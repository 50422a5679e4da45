//! Names of targets.

use barograph_domain::Span;
use serde::{Deserialize, Serialize};

/// How far ahead a move of the mid is asked for (research §1: 1 s, 5 s, 30 s, 1 m, 5 m).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ReturnHorizon {
    /// One second.
    S1,
    /// Five seconds.
    S5,
    /// Thirty seconds.
    S30,
    /// One minute.
    M1,
    /// Five minutes.
    M5,
}

impl ReturnHorizon {
    /// The length.
    #[must_use]
    pub const fn span(self) -> Span {
        Span::secs(match self {
            Self::S1 => 1,
            Self::S5 => 5,
            Self::S30 => 30,
            Self::M1 => 60,
            Self::M5 => 300,
        })
    }
}

/// What is to be predicted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum TargetId {
    /// `ln(mid(t+h)/mid(t))` (R5.1, R5.29–30).
    Return(ReturnHorizon),
    /// 1 if the mid rises, 0 if it falls; a row whose mid does not move has no label (R5.31, A32).
    Direction(ReturnHorizon),
    /// 1, 0 or −1: the mid rises, does not move, falls (A32).
    Direction3(ReturnHorizon),
    /// `mid_{j+1}/mid_j − 1` over rows in which the book changed (R5.33).
    Tick1Return,
    /// `mid_{j+5}/mid_j − 1` over rows in which the book changed (R5.33).
    Tick5Return,
    /// 1 if [`Self::Tick5Return`] is above zero, else 0: no move counts as 0 (R5.33).
    Tick5Direction,
    /// Annualised volatility of the next 30 minutes, from one-second returns of the mid (R5.32). What is predicted is the class,
    /// whose cut points are fitted on training rows: [`VolTerciles`](super::VolTerciles).
    VolRegime,
    /// Mean cost of buying 100 000 quote at once over the next minute, in basis points of the mid (R5.7).
    CostBuy1m,
    /// The same over five minutes.
    CostBuy5m,
    /// Mean cost of selling 100 000 quote at once over the next minute, in basis points of the mid (R5.7).
    CostSell1m,
    /// The same over five minutes.
    CostSell5m,
}

/// What sort of number a target is, which decides how it is scored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetKind {
    /// Any number.
    Regression,
    /// 0 or 1.
    Binary,
    /// One of three classes.
    Classes3,
}

use ReturnHorizon::{M1, M5, S1, S5, S30};
use TargetId as Id;

/// Every target with its name.
const NAMES: [(&str, TargetId); 23] = [
    ("ret_1s", Id::Return(S1)),
    ("ret_5s", Id::Return(S5)),
    ("ret_30s", Id::Return(S30)),
    ("ret_1m", Id::Return(M1)),
    ("ret_5m", Id::Return(M5)),
    ("dir_1s", Id::Direction(S1)),
    ("dir_5s", Id::Direction(S5)),
    ("dir_30s", Id::Direction(S30)),
    ("dir_1m", Id::Direction(M1)),
    ("dir_5m", Id::Direction(M5)),
    ("dir3_1s", Id::Direction3(S1)),
    ("dir3_5s", Id::Direction3(S5)),
    ("dir3_30s", Id::Direction3(S30)),
    ("dir3_1m", Id::Direction3(M1)),
    ("dir3_5m", Id::Direction3(M5)),
    ("ret_1tick", Id::Tick1Return),
    ("ret_5tick", Id::Tick5Return),
    ("dir_5tick", Id::Tick5Direction),
    ("vol_regime_fwd", Id::VolRegime),
    ("cost_buy_fwd_1m", Id::CostBuy1m),
    ("cost_buy_fwd_5m", Id::CostBuy5m),
    ("cost_sell_fwd_1m", Id::CostSell1m),
    ("cost_sell_fwd_5m", Id::CostSell5m),
];

impl TargetId {
    /// Every target in the order of research §1.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        NAMES.iter().map(|(_, id)| *id)
    }

    /// Its name, as in files and commands.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, id)| *id == self).map_or("", |(name, _)| name)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// There is no such target; the error lists those there are.
    pub fn parse(text: &str) -> Result<Self, UnknownTarget> {
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, id)| *id).ok_or_else(|| UnknownTarget(text.to_owned()))
    }

    /// What sort of number it is. The forward volatility is a number until its classes are cut.
    #[must_use]
    pub const fn kind(self) -> TargetKind {
        match self {
            Self::Return(_)
            | Self::Tick1Return
            | Self::Tick5Return
            | Self::CostBuy1m
            | Self::CostBuy5m
            | Self::CostSell1m
            | Self::CostSell5m => TargetKind::Regression,
            Self::Direction(_) | Self::Tick5Direction => TargetKind::Binary,
            Self::Direction3(_) | Self::VolRegime => TargetKind::Classes3,
        }
    }

    /// What turns one of its numbers into basis points; `None` of what is no number.
    #[must_use]
    pub const fn bps(self) -> Option<f64> {
        match self {
            Self::Return(_) | Self::Tick1Return | Self::Tick5Return => Some(1e4),
            Self::CostBuy1m | Self::CostBuy5m | Self::CostSell1m | Self::CostSell5m => Some(1.0),
            Self::Direction(_) | Self::Direction3(_) | Self::Tick5Direction | Self::VolRegime => None,
        }
    }

    /// How far ahead it lies; `None` where that is counted in changes of the book.
    #[must_use]
    pub const fn horizon(self) -> Option<Span> {
        match self {
            Self::Return(h) | Self::Direction(h) | Self::Direction3(h) => Some(h.span()),
            Self::Tick1Return | Self::Tick5Return | Self::Tick5Direction => None,
            Self::VolRegime => Some(Span::mins(30)),
            Self::CostBuy1m | Self::CostSell1m => Some(Span::mins(1)),
            Self::CostBuy5m | Self::CostSell5m => Some(Span::mins(5)),
        }
    }
}

impl core::fmt::Display for TargetId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::str::FromStr for TargetId {
    type Err = UnknownTarget;
    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        Self::parse(text)
    }
}

impl TryFrom<String> for TargetId {
    type Error = UnknownTarget;
    fn try_from(text: String) -> Result<Self, UnknownTarget> {
        Self::parse(&text)
    }
}

impl From<TargetId> for String {
    fn from(id: TargetId) -> Self {
        id.name().to_owned()
    }
}

/// A name that no target has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownTarget(pub String);

impl core::fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "there is no target '{}'; there are", self.0)?;
        for (n, (name, _)) in NAMES.iter().enumerate() {
            write!(f, "{} {name}", if n == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for id in TargetId::all() {
            assert_eq!(TargetId::parse(id.name()), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!((json.as_str(), serde_json::from_str(&json).unwrap()), (format!("\"{id}\"").as_str(), id));
        }
    }

    #[test]
    fn every_number_has_a_size_in_basis_points_and_costs_are_in_them() {
        for id in TargetId::all() {
            assert_eq!(id.bps().is_some(), id.kind() == TargetKind::Regression, "{id}");
            assert_eq!(id.bps() == Some(1.0), id.name().starts_with("cost_"), "{id}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let text = TargetId::parse("ret_2s").unwrap_err().to_string();
        assert!(text.starts_with("there is no target 'ret_2s'; there are ret_1s, ret_5s,"), "{text}");
        assert!(TargetId::all().all(|id| text.contains(id.name())), "{text}");
    }
}
