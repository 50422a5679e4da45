//! The context of a market for advice, read from its snapshot and the row behind it.
//!
//! What a snapshot does not hold yet stays absent: the conditions on it are then listed as not evaluated.

use super::context::{
    AdviceContext, Calibrated, Confidence, CorrelatedPosition, CrowdedSide, MarketSnapshot, NO_FORECASTS,
    PastDurations, RiskContext, SessionContext, SideStops, Staleness, TrendContext, UpcomingEvent, Words,
};
use crate::calendar::Calendar;
use crate::catalogue::Feature;
use crate::explain::StopCare;
use crate::kernel::rank::quantile;
use crate::rules::VerdictTable;
use barograph_domain::advice::SeenPrice;
use barograph_domain::snapshot::{Snapshot, TimeframeLabels};
use barograph_domain::{Cell, Level, MinuteRow, Side, Span, TrendRegime, Ts, VolRegime};
use std::borrow::Cow;
use std::sync::Arc;

/// Said where an input is too old and the snapshot has no words for it.
const STALE: &str = "Data stale";

/// Owns what an [`AdviceContext`] borrows.
#[derive(Clone, Debug)]
pub struct AdviceBasis {
    snapshot: Arc<Snapshot>,
    now: Ts,
    atr_14: Option<f64>,
    past: Option<PastDurations>,
    levels: Option<Vec<Level>>,
    /// Name and minutes of the next event of high impact; outer `None` without a calendar.
    event: Option<Option<(String, f64)>>,
    overlaps: Option<Vec<CorrelatedPosition<'static>>>,
    health: Option<f64>,
    verdict: VerdictTable,
    positions: Option<StopCare>,
}

impl AdviceBasis {
    /// From a snapshot and the row it was rendered from, seen at `now`.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>, row: &MinuteRow, now: Ts) -> Self {
        let atr_14 = row.cells.get(Feature::Atr14.index()).and_then(Cell::ready);
        Self {
            snapshot,
            now,
            atr_14,
            past: None,
            levels: None,
            event: None,
            overlaps: None,
            health: None,
            verdict: VerdictTable::SEED,
            positions: None,
        }
    }
    /// With what the market asks of positions, where its book has a table for that.
    #[must_use]
    pub fn with_positions(mut self, care: Option<StopCare>) -> Self {
        self.positions = care;
        self
    }
    /// With what this book makes of findings.
    #[must_use]
    pub fn with_verdict(mut self, table: VerdictTable) -> Self {
        self.verdict = table;
        self
    }
    /// With how long past episodes of the present label lasted.
    #[must_use]
    pub fn with_past(mut self, durations: &[Span]) -> Self {
        self.past = PastDurations::of(durations);
        self
    }
    /// With the levels known of this market.
    #[must_use]
    pub fn with_levels(mut self, levels: Vec<Level>) -> Self {
        self.levels = Some(levels);
        self
    }
    /// With what a calendar says at that moment.
    #[must_use]
    pub fn with_calendar(mut self, calendar: &Calendar) -> Self {
        let next = calendar.next_high(self.now).zip(calendar.minutes_to_event(self.now));
        self.event = Some(next.map(|(event, minutes)| (event.name.clone(), minutes)));
        self
    }
    /// With the correlation of this market to those in which positions are open (`pair_corr_20`), by symbol.
    #[must_use]
    pub fn with_overlaps(mut self, positions: Vec<(String, f64)>) -> Self {
        let of = |(symbol, correlation)| CorrelatedPosition { symbol: Cow::Owned(symbol), correlation };
        self.overlaps = Some(positions.into_iter().map(of).collect());
        self
    }
    /// With the health of the market, 0 to 100; `None` where no stream was valid (R3.28).
    #[must_use]
    pub fn with_health(mut self, score: Option<f64>) -> Self {
        self.health = score;
        self
    }
    /// The market.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }
    /// The price with its minute; `None` while there is none.
    #[must_use]
    pub fn seen_price(&self) -> Option<SeenPrice> {
        Some(SeenPrice { price: self.snapshot.price?, at: Some(self.snapshot.timestamp), atr: self.atr_14 })
    }
    /// When the volatility class was entered; `None` while it is not known.
    #[must_use]
    pub fn volatility_since(&self) -> Option<Ts> {
        let axis = &self.snapshot.regimes.volatility;
        (axis.label != VolRegime::Unknown).then_some(axis.since)
    }
    /// The context.
    #[must_use]
    pub fn context(&self) -> AdviceContext<'_> {
        let s = &*self.snapshot;
        let risk = &s.regimes.risk;
        let warning = s.explanation.freshness_warning.as_deref();
        AdviceContext {
            snapshot: Some(MarketSnapshot {
                id: &s.snapshot_id,
                timestamp: s.timestamp,
                logic_version: &s.logic_version,
            }),
            price: s.price,
            atr_14: self.atr_14,
            risk: RiskContext {
                label: risk.label,
                crowded: risk.direction.and_then(crowded),
                since: risk.since,
                past: self.past,
            },
            bias: s.guidance.risk_bias,
            posture: s.guidance.posture,
            stops: SideStops { long: s.stop_vulnerability.long, short: s.stop_vulnerability.short },
            stale: (risk.stale || warning.is_some()).then(|| Staleness { warning: warning.unwrap_or(STALE) }),
            levels: self.levels.as_deref(),
            session: Some(session(s)),
            trend: trend(s),
            volatility: s.regimes.volatility.label,
            confidence: confidence(s).ok(),
            confidence_missing: confidence(s).err(),
            event: self
                .event
                .as_ref()
                .map(|next| next.as_ref().map(|(name, minutes)| UpcomingEvent { name, minutes: *minutes })),
            overlaps: self.overlaps.as_deref(),
            health: self.health,
            verdict: &self.verdict,
            positions: self.positions.as_ref(),
            words: Some(Words {
                headline: &s.headline,
                new_entries: &s.guidance.entries_alone,
                open_positions: &s.guidance.open_positions,
            }),
            ..AdviceContext::of_label(self.now, risk.label, risk.since)
        }
    }
}

fn crowded(direction: &str) -> Option<CrowdedSide> {
    match direction {
        "LONG_SQUEEZE" => Some(CrowdedSide(Side::Long)),
        "SHORT_SQUEEZE" => Some(CrowdedSide(Side::Short)),
        _ => None,
    }
}

fn session(s: &Snapshot) -> SessionContext {
    let defaulted = |what: &str| s.session.defaults_used.contains(&what);
    SessionContext {
        session: s.session.name,
        adaptive_mult: s.session.adaptive_multiplier,
        vol_adjustment_default: defaulted("vol_adjustment_default"),
        volume_adjustment_default: defaulted("volume_adjustment_default"),
        vol_ratio: s.session.vol_ratio,
    }
}

/// The trend, confirmed where what most timeframes say is the label itself. A label that is only the last one shown while its
/// candles are too old is none to compute with.
fn trend(s: &Snapshot) -> Option<TrendContext> {
    let (axis, agreed) = (&s.regimes.trend, &s.regimes.trend.confirmation);
    (axis.raw_label != TrendRegime::Unknown && axis.label != TrendRegime::Unknown).then(|| TrendContext {
        label: axis.label,
        mtf_confirmed: agreed.confirmed && agreed.primary == Some(axis.label),
        mtf_confidence: agreed.confidence,
        early: {
            let TimeframeLabels { h1, h4, d1, w1 } = agreed.timeframes;
            TrendContext::agree_early(axis.label, [h1, h4, d1, w1])
        },
    })
}

/// How often what the trend label says followed similar moments; where it says nothing of what comes, what the risk label says.
fn confidence(s: &Snapshot) -> Result<Confidence, &'static str> {
    let (trend, risk) = (&s.regimes.trend, &s.regimes.risk);
    let of_trend = trend.event_id.filter(|_| trend.raw_label != TrendRegime::Unknown && !trend.stale);
    let axes = [(of_trend, trend.probability), (risk.event_id, risk.probability)];
    let call = |event: &str| s.calls.as_ref()?.events.iter().find(|c| c.event_id == event);
    for (event, value) in axes {
        let (Some(event), Some(value)) = (event, value) else { continue };
        let found = call(event);
        let calibrated = Calibrated {
            high: found.and_then(|c| c.interval).map_or(1.0, |[_, high]| high),
            usual: found.and_then(|c| c.usual),
        };
        return Ok(Confidence { value, calibrated: Some(calibrated) });
    }
    let asked = of_trend.or(risk.event_id);
    let why = |event: &str| call(event).map(|c| c.abstain_reason.unwrap_or("label_changed"));
    Err(asked.and_then(why).unwrap_or(NO_FORECASTS))
}

impl PastDurations {
    /// Median and 80 % range of these; `None` without any.
    #[must_use]
    pub fn of(durations: &[Span]) -> Option<Self> {
        let mut seconds: Vec<f64> = durations.iter().map(|d| d.as_secs_f64()).collect();
        seconds.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, reason = "durations of episodes in whole seconds")]
        let at = |q: f64| quantile(&seconds, q).map(|s| Span::secs(s.round() as i64));
        Some(Self {
            n: u32::try_from(seconds.len()).unwrap_or(u32::MAX),
            median: at(0.5)?,
            low: at(0.1)?,
            high: at(0.9)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_durations_are_quantiles() {
        assert_eq!(PastDurations::of(&[]), None);
        let one = PastDurations::of(&[Span::mins(7)]).unwrap();
        assert_eq!((one.n, one.median, one.low, one.high), (1, Span::mins(7), Span::mins(7), Span::mins(7)));
        let many: Vec<Span> = (0..=10).rev().map(Span::mins).collect();
        let many = PastDurations::of(&many).unwrap();
        assert_eq!((many.n, many.median, many.low, many.high), (11, Span::mins(5), Span::mins(1), Span::mins(9)));
    }
}
