//! Words and payloads of the advice on a trade whose side, entry and stop the user chose (R1.64–R1.74, C01).
//!
//! Nothing here is an order, names a side that was not given, or says to enter a trade: it is what a market looks like
//! for a trade somebody has in mind, with the numbers that follow from it. The arithmetic is the engine's; this is what
//! goes over the wire.

mod position;
mod request;
mod stop_state;
mod view;

pub use position::{
    ContextBrief, NewPosition, NoticeTrigger, Position, PositionBook, PositionCard, PositionFlag, PositionNotice,
    PositionTexts,
};
pub use request::{AdviceRequest, TradeRecord};
pub use stop_state::{SeenPrice, StopReach, StopState};
pub use view::{
    AdviceOption, AdviceView, ExpectedValue, KellyView, MarketPrice, NearbyLevel, OptionKind, ParameterView, SizeView,
    SnapshotRef, StopView, TargetSource, TargetView, VerdictReason, WarningView,
};

use serde::{Deserialize, Serialize};

/// What the context says about the trade in hand, from mildest to most severe (risk §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// Nothing speaks against it.
    Allow,
    /// Something asks for care.
    Caution,
    /// Something speaks against it; the choice stays the user's.
    Avoid,
}

impl Verdict {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Caution => "CAUTION",
            Self::Avoid => "AVOID",
        }
    }
}

/// Weight of a warning or a notice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum NoticeLevel {
    /// For the record.
    Info,
    /// Worth a look.
    Low,
    /// Worth a thought.
    Medium,
    /// Look now.
    High,
    /// Look before anything else.
    Critical,
}

impl NoticeLevel {
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident $word:tt),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }
        impl $name {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The word on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// Why a verdict is what it is, in the order they are listed (risk §5).
    ReasonCode {
        /// A needed metric is too old (R1.52).
        DataStale "data_stale",
        /// There is no reading.
        NoData "no_data",
        /// A calendar event is two hours away or less (R2.55).
        PreNewsBlackout "pre_news_blackout",
        /// Volatility class EXTREME (R4.14).
        ExtremeVolatility "extreme_volatility",
        /// Risk label SQUEEZE_RISK (R1.66).
        SqueezeRisk "squeeze_risk",
        /// The crowded side is the side of this trade (C02).
        SqueezeAgainstSide "squeeze_against_side",
        /// Risk label HIGH_VOL or volatility class EXPLOSIVE (R1.43).
        HighVolatility "high_volatility",
        /// Risk label CHOP_RISK (R1.44).
        ChopRisk "chop_risk",
        /// The hours between New York and Asia (R2.6).
        RolloverSession "rollover_session",
        /// Volatility more than twice what this session usually has (R2.6).
        SessionVolAnomaly "session_vol_anomaly",
        /// The stop lies on a cluster, or stops are dense on its side (R1.67).
        StopCluster "stop_cluster",
        /// Against the trend of the trading timeframe.
        AgainstTrend "against_trend",
        /// Against a strong trend that several timeframes confirm (R4.20).
        AgainstStrongTrend "against_strong_trend",
        /// Timeframes disagree (R4.19).
        UnconfirmedRegime "unconfirmed_regime",
        /// Confidence below 0.4 (R2.47).
        LowConfidence "low_confidence",
        /// An open position moves with this market (R2.56).
        ExposureOverlap "exposure_overlap",
        /// Health of the market below 50 (R3.28).
        LowHealth "low_health",
        /// None of the above.
        Ok "ok",
    }
}

impl ReasonCode {
    /// What is checked, as people say it: where it cannot be for want of data.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::DataStale => "age of the data",
            Self::NoData => "the reading",
            Self::PreNewsBlackout => "news calendar",
            Self::ExtremeVolatility => "extreme moves",
            Self::SqueezeRisk => "squeeze risk",
            Self::SqueezeAgainstSide => "crowded side",
            Self::HighVolatility => "high volatility",
            Self::ChopRisk => "chop risk",
            Self::RolloverSession => "rollover session",
            Self::SessionVolAnomaly => "volatility for the session",
            Self::StopCluster => "stop clusters",
            Self::AgainstTrend => "trend",
            Self::AgainstStrongTrend => "trend on several timeframes",
            Self::UnconfirmedRegime => "agreement of timeframes",
            Self::LowConfidence => "confidence",
            Self::ExposureOverlap => "correlation with open positions",
            Self::LowHealth => "health of the market",
            Self::Ok => "everything else",
        }
    }
}

codes! {
    /// Warnings shown before an entry (risk §6).
    WarningCode {
        /// SQUEEZE_RISK.
        Squeeze "W_SQUEEZE",
        /// HIGH_VOL.
        HighVol "W_HIGH_VOL",
        /// CHOP_RISK.
        Chop "W_CHOP",
        /// Stops are dense on the stop's side, or the stop lies on a cluster.
        StopCluster "W_STOP_CLUSTER",
        /// Some clustering on the stop's side.
        StopMedium "W_STOP_MEDIUM",
        /// Posture REDUCE or HOLD.
        Posture "W_POSTURE",
        /// Inputs too old.
        Stale "W_STALE",
        /// The stop is closer than half an ATR.
        StopTight "W_STOP_TIGHT",
        /// Any other reason of the verdict.
        Reasons "W_REASONS",
    }
}

codes! {
    /// What holds the size down (risk §4).
    SizeLimit {
        /// A quarter of the Kelly fraction at the lower bound of the win rate.
        Kelly "fractional_kelly",
        /// Never more than 1 % of equity (R1.41).
        OnePercent "one_percent_cap",
        /// The user's own cap.
        UserCap "user_cap",
        /// The risk the user usually takes.
        BaseRisk "base_risk",
        /// Notional against equity.
        MaxLeverage "max_leverage",
        /// Too small to trade.
        MinNotional "below_min_notional",
    }
}

codes! {
    /// Why a number is missing or stands in for another.
    Missing {
        /// There is no snapshot of this market.
        NoSnapshot "no_snapshot",
        /// No average true range: a stop cannot be invented.
        AtrUndefined "atr_undefined",
        /// An argument outside the domain of the formula.
        OutOfDomain "out_of_domain",
        /// Session context is not there.
        SessionNotAvailable "session_not_available",
        /// Trend is not there or UNKNOWN.
        TrendNotAvailable "trend_not_available",
        /// Volatility class is not there or UNKNOWN.
        VolatilityNotAvailable "volatility_not_available",
        /// The reading is too old or UNKNOWN.
        ContextUnusable "context_unusable",
        /// No equity was given.
        NoEquity "no_equity",
        /// Neither a stop was given nor could one be computed.
        NoStop "no_stop",
        /// Fewer than 100 resolved trades of this strategy.
        FewTrades "fewer_than_100_trades",
        /// No record of trades was given.
        NoRecord "no_trade_record",
        /// Liquidity levels are not there.
        LevelsNotAvailable "levels_not_available",
        /// Beyond the cluster lies too far from the entry.
        TooFar "beyond_1.5_times_the_stop",
        /// No level lies at the stop.
        NoLevelAtStop "no_level_at_the_stop",
        /// Confidence is not there.
        ConfidenceNotAvailable "confidence_not_available",
        /// The size falls below the venue's smallest notional.
        BelowMinNotional "below_min_notional",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_wire_words() {
        for code in ReasonCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        for code in WarningCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        for v in [Verdict::Allow, Verdict::Caution, Verdict::Avoid] {
            assert_eq!(serde_json::to_value(v).unwrap(), v.name());
        }
        assert!(Verdict::Avoid > Verdict::Caution && NoticeLevel::High > NoticeLevel::Medium);
        assert_eq!(serde_json::to_value(NoticeLevel::Critical).unwrap(), NoticeLevel::Critical.name());
    }
}
