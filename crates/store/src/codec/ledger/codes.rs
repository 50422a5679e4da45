//! Codes that enumerations of the ledger have in blobs, in the hash and nowhere else.
//!
//! They are written out, so that another order of variants elsewhere cannot shift what is stored; a new variant does not
//! compile until it has a code of its own.

use barograph_domain::forecast::{
    Abstention, CalibrationScope, ForecastEvent, Forecaster, NotIssuedReason, SymbolGroup,
};

/// Something with a code.
pub(super) trait Coded: Sized {
    /// Its code.
    fn code(self) -> u8;
    /// What has this code.
    fn of(code: u8) -> Option<Self>;
}

macro_rules! codes {
    ($($type:ident { $($variant:ident = $code:literal),* $(,)? })*) => {
        $(impl Coded for $type {
            fn code(self) -> u8 {
                match self { $(Self::$variant => $code),* }
            }
            fn of(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        })*
    };
}

codes! {
    ForecastEvent {
        HighVol1h = 0, Squeeze4h = 1, Chop4h = 2, Calm4h = 3, TrendUp24h = 4, TrendDown24h = 5, VolClass24h = 6,
        VolUp24h = 7, CorrBreak7d = 8, ZoneReach24h = 9, LevelReact = 10, AlertCascade1h = 11, AlertMove1h = 12,
        PostFundRev8h = 13,
    }
    Forecaster { Rules = 0, Hmm = 1, Bocpd = 2, Logistic = 3, Boosting = 4 }
    SymbolGroup { Btc = 0, Eth = 1, Other = 2 }
    // 0 is none.
    CalibrationScope { Market = 1, Group = 2, All = 3 }
    Abstention {
        FewForecasts = 0, FewEpisodes = 1, OneOutcome = 2, WideInterval = 3, NoLabel = 4, Stale = 5, Outlier = 6,
        NotModelled = 7,
    }
    NotIssuedReason { NoPrice = 0, MissingReference = 1, NoSide = 2, NotOffered = 3, AlreadyTrue = 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back<T: Coded + Copy + PartialEq + std::fmt::Debug>(all: &[T], highest: u8) {
        let codes: Vec<u8> = all.iter().map(|x| x.code()).collect();
        assert_eq!(codes.iter().max(), Some(&highest), "a stored code never changes");
        assert_eq!(
            codes.iter().map(|c| T::of(*c)).collect::<Vec<_>>(),
            all.iter().map(|x| Some(*x)).collect::<Vec<_>>()
        );
        assert_eq!(T::of(highest + 1), None);
    }

    #[test]
    fn every_variant_comes_back_from_its_code() {
        back(&ForecastEvent::ALL, 13);
        back(&Forecaster::ALL, 4);
        back(&SymbolGroup::ALL, 2);
        back(&CalibrationScope::ALL, 3);
        back(&Abstention::ALL, 7);
        back(&NotIssuedReason::ALL, 4);
    }
}
