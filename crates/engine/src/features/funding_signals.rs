//! What stands out in funding: reversals, anomalies with their reasons, farming (features §2.1; R4.9 to R4.12, R3.19).
//!
//! Functions of readings that exist already, and the ring of the last complete blocks of eight hours.

use super::reading::{Fullness, ReadingOrigin, Slot};
use barograph_domain::thresholds::FUNDING_EXTREME;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Numbers of the funding rules; those of the originals unless set otherwise.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct FundingLimits {
    /// Standard scores beyond this are an anomaly (C06, `funding_extreme_z`).
    pub anomaly_z: f64,
    /// Change per 8 h beyond this is rapid (A24: 0.05 percentage points).
    pub change: f64,
    /// Volatility beyond this is high (R4.12).
    pub volatility: f64,
    /// Blocks beyond this, one way, count as farmed (A18).
    pub extreme: f64,
}

impl Default for FundingLimits {
    fn default() -> Self {
        Self { anomaly_z: 2.0, change: 0.0005, volatility: 0.0003, extreme: FUNDING_EXTREME }
    }
}

/// Words of `funding_anomaly_reasons`, by code: every combination, in the order of the list (z, change, volatility).
pub const ANOMALY_REASONS: &[&str] =
    &["none", "z", "change", "z,change", "volatility", "z,volatility", "change,volatility", "z,change,volatility"];

/// Why funding is called an anomaly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AnomalyReasons {
    /// Far from its day.
    pub z: bool,
    /// Moved fast.
    pub change: bool,
    /// Moves much.
    pub volatility: bool,
}

impl AnomalyReasons {
    /// Judges three readings; those that are not ready give no reason.
    #[must_use]
    pub fn of(z: Option<f64>, change: Option<f64>, volatility: Option<f64>, limits: &FundingLimits) -> Self {
        Self {
            z: z.is_some_and(|z| z.abs() > limits.anomaly_z),
            change: change.is_some_and(|c| c.abs() > limits.change),
            volatility: volatility.is_some_and(|v| v > limits.volatility),
        }
    }
    /// Code in [`ANOMALY_REASONS`].
    #[must_use]
    pub fn code(self) -> u8 {
        u8::from(self.z) | u8::from(self.change) << 1 | u8::from(self.volatility) << 2
    }
    /// Is there an event? Volatility alone is none (R4.12).
    #[must_use]
    pub fn is_event(self) -> bool {
        self.z || self.change
    }
    /// `abs(z) + 0.5` for each reason other than z (S01).
    #[must_use]
    pub fn score(self, z: f64) -> f64 {
        z.abs() + 0.5 * f64::from(u8::from(self.change) + u8::from(self.volatility))
    }
}

/// Did funding turn: another sign than eight hours ago, neither zero, by more than the limit (R4.9)?
#[must_use]
pub fn is_reversal(rate: f64, change_8h: f64, limits: &FundingLimits) -> bool {
    let before = rate - change_8h;
    rate * before < 0.0 && change_8h.abs() > limits.change
}

/// Complete blocks that are looked at (A18).
pub const BLOCKS: usize = 21;
/// Length of a block (S02).
pub const BLOCK: Span = Span::hours(8);

/// The last complete blocks of eight hours.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Farming {
    blocks: VecDeque<(Ts, f64)>,
}

impl Default for Farming {
    fn default() -> Self {
        Self { blocks: VecDeque::with_capacity(BLOCKS + 1) }
    }
}

impl Farming {
    /// Takes the sum of a complete block by its beginning. The same block again replaces itself; earlier ones find their
    /// place while they are among the last.
    pub fn push(&mut self, start: Ts, sum: f64) {
        let at = self.blocks.partition_point(|b| b.0 < start);
        if let Some(known) = self.blocks.get_mut(at).filter(|b| b.0 == start) {
            known.1 = sum;
            return;
        }
        self.blocks.insert(at, (start, sum));
        if self.blocks.len() > BLOCKS {
            self.blocks.pop_front();
        }
    }

    /// Beginning of the newest block.
    #[must_use]
    pub fn newest(&self) -> Option<Ts> {
        self.blocks.back().map(|b| b.0)
    }

    /// The larger of the shares of blocks above `+extreme` and below `−extreme`; `None` before 21 blocks.
    #[must_use]
    pub fn share(&self, extreme: f64) -> Option<f64> {
        if self.blocks.len() < BLOCKS {
            return None;
        }
        let above = self.blocks.iter().filter(|b| b.1 > extreme).count();
        let below = self.blocks.iter().filter(|b| b.1 < -extreme).count();
        #[expect(clippy::cast_precision_loss, reason = "at most 21")]
        let share = above.max(below) as f64 / BLOCKS as f64;
        Some(share)
    }

    /// The reading. Twenty-one blocks that reach much further back than a week, because some between them are missing, are
    /// a gap.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "some dozens of blocks")]
    pub fn slot(&self, origin: &ReadingOrigin, extreme: f64, coverage_min: f64) -> Slot {
        let have = self.blocks.len() as u32;
        let (Some(share), Some(first), Some(last)) = (self.share(extreme), self.blocks.front(), self.blocks.back())
        else {
            return origin.not_ready(State::Warming { have, need: BLOCKS as u32 });
        };
        let spanned = ((last.0 - first.0).0 / BLOCK.0 + 1).max(1);
        let coverage = BLOCKS as f64 / spanned as f64;
        if coverage < coverage_min {
            return origin.undefined(Reason::Gap);
        }
        origin.ready(share, Fullness { coverage: coverage as f32, partial: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_example_is_reproduced() {
        let limits = FundingLimits::default();
        let reasons = AnomalyReasons::of(Some(2.30), Some(0.0002), Some(0.000_42), &limits);
        assert_eq!(ANOMALY_REASONS[usize::from(reasons.code())], "z,volatility");
        assert!((reasons.score(2.30) - 2.80).abs() < 1e-12 && reasons.is_event());
        let calm = AnomalyReasons::of(Some(-2.0), Some(0.0005), Some(0.0003), &limits);
        assert_eq!((calm, calm.code()), (AnomalyReasons::default(), 0), "thresholds are strict");
        let alone = AnomalyReasons::of(Some(0.1), None, Some(0.01), &limits);
        assert!(!alone.is_event(), "volatility alone is no event");
        for code in 0..8_u8 {
            let words = ANOMALY_REASONS[usize::from(code)];
            let r = AnomalyReasons { z: code & 1 > 0, change: code & 2 > 0, volatility: code & 4 > 0 };
            assert_eq!(r.code(), code);
            assert_eq!(
                [words.contains('z'), words.contains("change"), words.contains("vol")],
                [r.z, r.change, r.volatility]
            );
        }
    }

    #[test]
    fn a_reversal_changes_the_sign_and_moves_far() {
        let limits = FundingLimits::default();
        for (now, before, want) in [
            (0.0003, -0.0003, true),
            (-0.0003, 0.0003, true),
            (0.0002, -0.0002, false),
            (0.0009, 0.0001, false),
            (0.0009, 0.0, false),
            (0.0, -0.0009, false),
        ] {
            assert_eq!(is_reversal(now, now - before, &limits), want, "{before} to {now}");
        }
    }

    #[test]
    fn blocks_find_their_place_and_holes_are_seen() {
        let at = |n: i64| Ts(0) + Span(BLOCK.0 * n);
        let origin = ReadingOrigin {
            anchor: at(30),
            event: at(30),
            expires: Ts::MAX,
            kind: barograph_domain::Kind::Measured,
            stream: barograph_domain::StreamIndex(0),
        };
        let mut f = Farming::default();
        for n in (0..20).rev() {
            f.push(at(n), if n < 15 { -0.0002 } else { 0.0002 });
        }
        assert_eq!(f.slot(&origin, 0.0001, 0.8).cell.state, State::Warming { have: 20, need: 21 });
        f.push(at(20), 0.0);
        assert_eq!(f.share(0.0001), Some(15.0 / 21.0));
        f.push(at(20), -0.0002);
        assert_eq!(f.share(0.0001), Some(16.0 / 21.0), "a revised block replaces itself");
        assert!(f.slot(&origin, 0.0001, 0.8).cell.ready().is_some());
        f.push(at(60), 0.0);
        assert_eq!(f.slot(&origin, 0.0001, 0.8).cell.state, State::Undefined(Reason::Gap));
    }
}
