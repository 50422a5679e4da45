//! What is usual at one market: its own last day of adds, of trades in windows of some seconds, of updates, and where its large
//! orders are taken back (surveillance §5). What belongs to an episode is left out, so that nobody raises the threshold he is
//! measured by.

use super::FlowThresholds;
use super::seconds::{SETTLED, Seconds};
use crate::kernel::TrailingHist;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Windows of trades, in seconds. One of another length is compared with the next longer one: of it usual volumes are larger, so
/// that nothing fires for the difference.
pub(super) const WINDOWS: [usize; 7] = [1, 2, 3, 4, 6, 8, 11];
/// Distances of large orders are counted by whole bps up to here.
const DISTANCES: usize = 20;
/// Large orders taken back that a most frequent distance needs.
const DISTANCES_MIN: u32 = 20;
const HOURS: usize = 24;
/// Intervals of a book that its median needs.
const INTERVALS_MIN: u32 = 100;

/// Numbers that are compared with, as of the last closed second. `None`: too little is known of the market.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct UsualLevels {
    /// Sizes of adds, in base: at the quantile of one large order, and of stacked ones.
    pub(super) add_large: Option<f64>,
    pub(super) add_stacked: Option<f64>,
    /// Volumes of [`WINDOWS`], in base, for the same two.
    pub(super) opposite_large: [Option<f64>; WINDOWS.len()],
    pub(super) opposite_stacked: [Option<f64>; WINDOWS.len()],
    /// Updates of a second that are rare, and the median of the last hour.
    pub(super) rate: Option<f64>,
    pub(super) rate_median: Option<f64>,
    /// Median milliseconds between updates.
    pub(super) interval_ms: Option<f64>,
    /// Distance, in bps, at which most large orders are taken back.
    pub(super) distance_bps: Option<f64>,
}

/// Of windows of at least this length.
pub(super) fn of_length(levels: &[Option<f64>; WINDOWS.len()], length: Span) -> Option<f64> {
    let at = WINDOWS.iter().position(|secs| length <= Span::secs(*secs as i64));
    levels[at.unwrap_or(WINDOWS.len() - 1)]
}

/// Distributions of one market.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Usual {
    adds: TrailingHist,
    windows: [TrailingHist; WINDOWS.len()],
    rates: TrailingHist,
    rates_1h: TrailingHist,
    intervals: TrailingHist,
    /// By hour, newest last.
    distances: VecDeque<(i64, [u16; DISTANCES])>,
    pub(super) levels: UsualLevels,
}

impl Default for Usual {
    fn default() -> Self {
        let hour = || TrailingHist::new(Span::mins(10), 6);
        Self {
            adds: TrailingHist::day(),
            windows: core::array::from_fn(|_| TrailingHist::day()),
            rates: TrailingHist::day(),
            rates_1h: hour(),
            intervals: hour(),
            distances: VecDeque::new(),
            levels: UsualLevels::default(),
        }
    }
}

impl Usual {
    /// An add that belongs to no episode.
    pub(super) fn add(&mut self, at: Ts, size: f64) {
        self.adds.push(at, size);
    }

    /// The time between two updates of the book.
    pub(super) fn interval(&mut self, at: Ts, span: Span) {
        self.intervals.push(at, span.as_secs_f64() * 1e3);
    }

    /// A large order was taken back without being part of an episode.
    pub(super) fn taken_back(&mut self, at: Ts, distance_bps: f64) {
        let hour = at.0.div_euclid(Span::hours(1).0);
        if self.distances.back().is_none_or(|(last, _)| *last != hour) {
            self.distances.push_back((hour, [0; DISTANCES]));
        }
        while self.distances.front().is_some_and(|(first, _)| *first <= hour - HOURS as i64) {
            self.distances.pop_front();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the number of bins")]
        let bin = distance_bps.clamp(0.0, DISTANCES as f64 - 0.5) as usize;
        if let Some((_, counts)) = self.distances.back_mut() {
            counts[bin] = counts[bin].saturating_add(1);
        }
    }

    /// A second closed; the one that has settled counts from now on. `hit`: it was a second of an episode of updates.
    pub(super) fn second(&mut self, at: Ts, seconds: &Seconds, hit: bool, t: &FlowThresholds) {
        let newest = seconds.back().next();
        if let Some(sum) = newest.filter(|sum| sum.mid.is_some() && !hit) {
            self.rates.push(at, f64::from(sum.updates));
            self.rates_1h.push(at, f64::from(sum.updates));
        }
        let (mut bought, mut sold, mut apart) = (0.0, 0.0, false);
        for (n, sum) in (1..).zip(seconds.back().skip(SETTLED)) {
            (bought, sold, apart) = (bought + sum.bought, sold + sum.sold, apart || sum.apart);
            if apart || n > WINDOWS[WINDOWS.len() - 1] {
                break;
            }
            if let Some(of) = WINDOWS.iter().position(|secs| *secs == n) {
                self.windows[of].push(at, bought);
                self.windows[of].push(at, sold);
            }
        }
        self.levels = self.measure(t);
    }

    fn measure(&self, t: &FlowThresholds) -> UsualLevels {
        let of = |hist: &TrailingHist, p: f64| hist.quantile(p).filter(|_| hist.slots() as f64 >= t.warm_hours);
        let median = |hist: &TrailingHist| hist.quantile(0.5).filter(|_| hist.samples() >= INTERVALS_MIN);
        let windows = |p: f64| core::array::from_fn(|at| of(&self.windows[at], p));
        UsualLevels {
            add_large: of(&self.adds, t.spoof_size_q),
            add_stacked: of(&self.adds, t.layer_size_q),
            opposite_large: windows(t.spoof_opposite_q),
            opposite_stacked: windows(t.layer_opposite_q),
            rate: of(&self.rates, t.stuffing_rate_q),
            rate_median: median(&self.rates_1h),
            interval_ms: median(&self.intervals),
            distance_bps: self.most_frequent(),
        }
    }

    fn most_frequent(&self) -> Option<f64> {
        let count = |bin: usize| self.distances.iter().map(|(_, counts)| u32::from(counts[bin])).sum::<u32>();
        let counts: [u32; DISTANCES] = core::array::from_fn(count);
        let (bin, _) = (0..).zip(counts).max_by_key(|(bin, n)| (*n, -bin))?;
        (counts.iter().sum::<u32>() >= DISTANCES_MIN).then(|| f64::from(bin) + 0.5)
    }
}
