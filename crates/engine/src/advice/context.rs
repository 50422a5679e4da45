//! What is known about a market when somebody asks for advice: filled from a snapshot, a row, or a frame.
//!
//! Every part is optional and says so in its type; a part that is absent is never read as calm.

use crate::explain::StopCare;
use crate::explain::guidance::mapping;
use crate::rules::{Inputs, VerdictTable};
use std::borrow::Cow;

use barograph_domain::{
    Level, Posture, RiskBias, RiskRegime, Side, Span, StopVulnerability, TradingSession, TrendRegime, Ts, VolRegime,
};

/// The context of one market at one moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdviceContext<'a> {
    /// The moment: levels known later do not exist, ages are counted to here.
    pub now: Ts,
    /// The snapshot behind it, where there is one.
    pub snapshot: Option<MarketSnapshot<'a>>,
    /// Price, quote units.
    pub price: Option<f64>,
    /// ATR(14) of the trading timeframe, quote units.
    pub atr_14: Option<f64>,
    /// Session and its multiplier.
    pub session: Option<SessionContext>,
    /// Trend; `None` or UNKNOWN where it is not there.
    pub trend: Option<TrendContext>,
    /// Volatility class; UNKNOWN where it is not there.
    pub volatility: VolRegime,
    /// Risk label.
    pub risk: RiskContext,
    /// Bias after staleness and personal shift.
    pub bias: RiskBias,
    /// Posture after staleness.
    pub posture: Posture,
    /// Stop vulnerability of either side.
    pub stops: SideStops,
    /// Set while a needed input is too old.
    pub stale: Option<Staleness<'a>>,
    /// Levels of all timeframes; `None` where liquidity is not there.
    pub levels: Option<&'a [Level]>,
    /// Next high-impact event; outer `None` without a calendar.
    pub event: Option<Option<UpcomingEvent<'a>>>,
    /// Confidence of the reading.
    pub confidence: Option<Confidence>,
    /// Why there is none.
    pub confidence_missing: Option<&'static str>,
    /// Health of the market, 0 to 100.
    pub health: Option<f64>,
    /// Correlation with assets in which positions are open; `None` where it is not known.
    pub overlaps: Option<&'a [CorrelatedPosition<'a>]>,
    /// What the book makes of findings.
    pub verdict: &'a VerdictTable,
    /// What it all was made from.
    pub inputs: Inputs,
    /// Guidance of the snapshot in words; `None`: that of the risk label.
    pub words: Option<Words<'a>>,
    /// What the market asks of positions that are held; `None`: what the risk label asks.
    pub positions: Option<&'a StopCare>,
}

/// Guidance in words, of all axes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words<'a> {
    /// The market in one or two sentences.
    pub headline: &'a str,
    /// For entries not yet made, without what stops add.
    pub new_entries: &'a str,
    /// For positions already held.
    pub open_positions: &'a str,
}

impl AdviceContext<'_> {
    /// A reading of this label and nothing else; bias and posture follow from the label (regimes §8).
    #[must_use]
    pub const fn of_label(now: Ts, label: RiskRegime, since: Ts) -> Self {
        let (bias, posture) = mapping(label);
        Self {
            now,
            snapshot: None,
            price: None,
            atr_14: None,
            session: None,
            trend: None,
            volatility: VolRegime::Unknown,
            risk: RiskContext { label, crowded: None, since, past: None },
            bias,
            posture,
            stops: SideStops { long: None, short: None },
            stale: None,
            levels: None,
            event: None,
            confidence: None,
            confidence_missing: Some(NO_FORECASTS),
            health: None,
            overlaps: None,
            verdict: &VerdictTable::SEED,
            inputs: Inputs::Market,
            words: None,
            positions: None,
        }
    }
    /// Trend, where it is known.
    pub(super) fn known_trend(&self) -> Option<TrendContext> {
        self.trend.filter(|t| t.label != TrendRegime::Unknown)
    }
    /// Volatility class, where it is known.
    pub(super) fn known_volatility(&self) -> Option<VolRegime> {
        (self.volatility != VolRegime::Unknown).then_some(self.volatility)
    }
    /// A stale or missing reading: posture counts for nothing then.
    pub(super) fn is_unusable(&self) -> bool {
        self.stale.is_some() || self.risk.label == RiskRegime::Unknown
    }
}

/// The snapshot a context was read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarketSnapshot<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its grid instant.
    pub timestamp: Ts,
    /// Its logic version.
    pub logic_version: &'a str,
}

/// Session context (features §3).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SessionContext {
    /// The session.
    pub session: TradingSession,
    /// `adaptive_mult`, in ATR.
    pub adaptive_mult: Option<f64>,
    /// Volatility entered as 1.0 for want of history.
    pub vol_adjustment_default: bool,
    /// Volume entered as 1.0 for want of history.
    pub volume_adjustment_default: bool,
    /// Volatility of the last hour over what the session usually has.
    pub vol_ratio: Option<f64>,
}

/// Trend context (regimes §3, features §5).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TrendContext {
    /// The label.
    pub label: TrendRegime,
    /// Several timeframes agree with it.
    pub mtf_confirmed: bool,
    /// Share of weight that agrees, where timeframes are known.
    pub mtf_confidence: Option<f64>,
    /// Too few timeframes to say so, and two or more that all point the label's way.
    pub early: bool,
}

impl TrendContext {
    /// Do these timeframes, of which some may not be ready, all point the way of the label?
    #[must_use]
    pub fn agree_early(label: TrendRegime, timeframes: [Option<TrendRegime>; 4]) -> bool {
        let ready = || timeframes.into_iter().flatten();
        let all = ready().all(|l| l.direction() == label.direction());
        label.direction() != 0 && ready().count() == 2 && all
    }
}

/// Which side suffers in a squeeze.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CrowdedSide(pub Side);

/// The risk axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RiskContext {
    /// Published label.
    pub label: RiskRegime,
    /// In a squeeze: the side that is crowded.
    pub crowded: Option<CrowdedSide>,
    /// When the label was entered.
    pub since: Ts,
    /// How long episodes of this label lasted before.
    pub past: Option<PastDurations>,
}

/// Durations of past episodes of a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PastDurations {
    /// How many.
    pub n: u32,
    /// Median of the durations.
    pub median: Span,
    /// 10 % quantile.
    pub low: Span,
    /// 90 % quantile.
    pub high: Span,
}

/// Stop vulnerability of either side (A04).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SideStops {
    /// Below the price.
    pub long: Option<StopVulnerability>,
    /// Above the price.
    pub short: Option<StopVulnerability>,
}

impl SideStops {
    /// Where the stops of this side lie.
    #[must_use]
    pub const fn of(self, side: Side) -> Option<StopVulnerability> {
        match side {
            Side::Long => self.long,
            Side::Short => self.short,
        }
    }
}

/// What is too old, and how that is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Staleness<'a> {
    /// "Data stale (6 minutes old)".
    pub warning: &'a str,
}

/// A calendar event ahead.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UpcomingEvent<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Minutes until it.
    pub minutes: f64,
}

/// Confidence of a reading (regimes §7).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Confidence {
    /// In [0, 1].
    pub value: f64,
    /// Where it comes from resolved forecasts: what it is held against. `None`: the heuristic.
    pub calibrated: Option<Calibrated>,
}

/// A frequency after similar moments beside the usual one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Calibrated {
    /// Upper end of its 90 % interval.
    pub high: f64,
    /// How often the event comes in all moments; `None` before that is known.
    pub usual: Option<f64>,
}

/// No ledger of forecasts states anything of the moment.
pub(crate) const NO_FORECASTS: &str = "no_forecasts";

impl Confidence {
    /// Less than a reading should have. A frequency is low where what the label says came more seldom than in all moments, the whole
    /// interval below; the heuristic below the table's number (R2.47). `None` where the usual frequency is not known.
    #[must_use]
    pub fn is_low(&self, least: f64) -> Option<bool> {
        match self.calibrated {
            None => Some(self.value < least),
            Some(by) => by.usual.map(|usual| by.high < usual),
        }
    }
}

/// An open position elsewhere that moves with this market.
#[derive(Clone, PartialEq, Debug)]
pub struct CorrelatedPosition<'a> {
    /// The other asset.
    pub symbol: Cow<'a, str>,
    /// `pair_corr_20`.
    pub correlation: f64,
}
