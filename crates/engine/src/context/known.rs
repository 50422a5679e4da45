//! The levels of a frame as advice asks for them, and the context made of a reading (risk §2, §3, §5).
//!
//! A frame may hold hundreds of levels, most of them far from any stop or target. Those that can matter to a trade at the
//! price are taken without ids; all of them, with ids, when somebody asks to see them.

use super::{Frame, FrameReading};
use crate::advice::{
    AdviceContext, Confidence, MarketSnapshot, RiskContext, SessionContext, SideStops, Staleness, TrendContext,
    UpcomingEvent,
};
use crate::explain::guidance::mapping;
use crate::liquidity::{Face, Named, Record, density, query};
use crate::rules::Inputs;
use barograph_domain::{Level, LevelEvent, Posture, RiskBias, TrendRegime, Ts};

/// Farthest candidate of a target: 1.5 times a ratio of 4 times a stop of 4, in ATR; a tenth more for zones.
const TARGET_ATR: f64 = 24.1;
/// Farthest level that a stop can lie on or be moved beyond: 1.5 times a stop of 4, in ATR, and the pad.
const STOP_ATR: f64 = 6.2;

/// Levels near a price, without ids.
#[derive(Clone, Debug, Default)]
pub struct KnownLevels(pub Vec<Level>);

impl Frame {
    /// Levels that can matter to a trade near `price`, known by the newest bar. Empty until the average range is known.
    #[must_use]
    pub fn levels_near(&self, price: f64) -> KnownLevels {
        let Some(atr) = self.chart().and_then(|c| c.atr().value()) else { return KnownLevels::default() };
        let mut out = Vec::with_capacity(64);
        let options = self.liquidity.options();
        let bar = self.liquidity.newest().unwrap_or(0);
        let (far, stop) = (TARGET_ATR * atr, STOP_ATR * atr);
        for record in self.liquidity.levels() {
            // Distance to the nearest edge; zero inside.
            let distance = (record.bottom - price).max(price - record.top).max(0.0);
            let strong = |r: &Record| r.strength(bar, options) >= query::TARGET_STRENGTH_MIN;
            let near = density::counts(record.kind) && distance <= stop;
            // A rank that nobody has taken counts as the highest: what is too weak with that is too weak.
            let target = query::is_target(record.kind) && distance <= far && strong(record);
            if !(near || target) {
                continue;
            }
            let ranked = self.liquidity.ranked(record);
            let level = self.level(&ranked, None);
            if near || level.strength >= query::TARGET_STRENGTH_MIN {
                out.push(level);
            }
        }
        KnownLevels(out)
    }

    /// All standing levels with their ids, lows first, each side from the nearest outwards.
    #[must_use]
    pub fn levels(&self, instrument: &str) -> Vec<Level> {
        let all = self.liquidity.levels();
        all.map(|record| self.level(&self.liquidity.ranked(record), Some(instrument))).collect()
    }

    /// As [`Frame::levels`], each with its members and what happened to it last.
    #[must_use]
    pub fn levels_in_full(&self, instrument: &str) -> Vec<(Level, u32, LevelEvent)> {
        let all = self.liquidity.levels();
        all.map(|record| {
            let level = self.level(&self.liquidity.ranked(record), Some(instrument));
            let last = match (record.touched, record.swept) {
                (touched, Some(swept)) if touched.is_none_or(|t| swept >= t) => LevelEvent::Swept,
                (Some(_), _) => LevelEvent::Touched,
                (None, _) if record.revision > 1 => LevelEvent::Revised,
                (None, _) => LevelEvent::Known,
            };
            (level, record.members, last)
        })
        .collect()
    }

    fn level(&self, record: &Record, instrument: Option<&str>) -> Level {
        let options = self.liquidity.options();
        let bar = self.liquidity.newest().unwrap_or(record.confirmed);
        let mut level = match instrument {
            None => record.to_unnamed(self.step(), bar, options),
            Some(instrument) => {
                record.to_level(&Named { instrument, timeframe: self.step(), tick: None }, bar, options)
            }
        };
        let phase = self.phase();
        level.formed_at = level.formed_at + phase;
        level.confirmed_at = level.confirmed_at + phase;
        level.touched_at = level.touched_at.map(|t| t + phase);
        level.swept_at = level.swept_at.map(|t| t + phase);
        level
    }

    /// Nearest level with stops under or over it on each side of the price.
    #[must_use]
    pub fn nearest(&self, price: f64) -> [Option<&Record>; 2] {
        Face::BOTH.map(|face| self.liquidity.beyond(face, price).next())
    }
}

impl FrameReading {
    /// The context that advice judges in. A stale frame counts as no reading for the posture; the label stays shown.
    #[must_use]
    pub fn advice<'a>(
        &'a self,
        levels: &'a KnownLevels,
        snapshot: Option<MarketSnapshot<'a>>,
        stale: Option<Staleness<'a>>,
        event: Option<Option<UpcomingEvent<'a>>>,
    ) -> AdviceContext<'a> {
        let (mut bias, mut posture) = mapping(self.risk);
        if stale.is_some() {
            bias = RiskBias::Conservative;
            posture = posture.min(Posture::Hold);
        }
        let s = &self.session;
        let known = self.trend.label != TrendRegime::Unknown;
        AdviceContext {
            now: self.now,
            snapshot,
            price: Some(self.price),
            atr_14: self.atr,
            session: Some(SessionContext {
                session: s.name,
                adaptive_mult: Some(s.adjusted.adaptive_mult),
                vol_adjustment_default: s.vol_ratio.is_none(),
                volume_adjustment_default: s.volume_ratio.is_none(),
                vol_ratio: s.vol_ratio,
            }),
            trend: known.then_some(TrendContext {
                label: self.trend.label,
                mtf_confirmed: self.trend.confirmation.confirmed
                    && self.trend.confirmation.primary == Some(self.trend.label),
                mtf_confidence: self.trend.confirmation.confidence,
                early: TrendContext::agree_early(
                    self.trend.label,
                    self.trend.timeframes.map(|l| (l != TrendRegime::Unknown).then_some(l)),
                ),
            }),
            volatility: self.volatility.label,
            risk: RiskContext { label: self.risk, crowded: None, since: Ts(self.now.0), past: None },
            bias,
            posture,
            stops: SideStops { long: self.stops[0], short: self.stops[1] },
            stale,
            levels: self.atr.map(|_| levels.0.as_slice()),
            event,
            confidence: Some(Confidence { value: self.confidence, calibrated: None }),
            confidence_missing: None,
            health: None,
            overlaps: None,
            verdict: &self.verdict,
            inputs: Inputs::Bars,
            words: None,
            positions: None,
        }
    }
}
