//! Equal highs and lows as modes of a density (features §4.5, R2.14, C12): Gaussian kernels over the last 200 confirmed
//! swings of a face, weighted with their strength.
//!
//! Evaluated whenever a swing is confirmed. A mode whose zone the last close is already beyond makes no level; a mode within a
//! bandwidth of a level it made before is a revision of that level.

use super::options::TimeframeOptions;
use super::record::{Face, LevelHappening, Record};
use super::shelf::{Handle, Shelf};
use super::strength;
use barograph_domain::math::{exp, pow};
use barograph_domain::{LevelType, Ts};
use serde::{Deserialize, Serialize};

/// Swings the density is made of.
const SWINGS: usize = 200;
/// Fewer have no density.
const SWINGS_MIN: usize = 10;
/// Grid steps per bandwidth.
const GRID: f64 = 4.0;
/// A mode is this many times as dense as the grid is on average.
const DENSE: f64 = 2.0;
/// Modes standing per face; the oldest goes first.
const MODES_MAX: usize = 64;
/// 1/√(2π).
const NORMAL: f64 = 0.398_942_280_401_432_7;

/// `Σ w·φ((at − x)/h) / (h·Σ w)`; `None` without weight.
#[must_use]
pub fn density(points: &[(f64, f64)], bandwidth: f64, at: f64) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (x, w) in points {
        let u = (at - x) / bandwidth;
        sum += w * NORMAL * exp(-0.5 * u * u);
        weight += w;
    }
    (weight > 0.0 && bandwidth > 0.0).then(|| sum / (bandwidth * weight))
}

/// `max(0.5·tol·p, 1.06·sd·n^(−1/5))` with p the mean price; `None` below ten points or without spread.
#[must_use]
pub fn bandwidth(points: &[(f64, f64)], tolerance: f64) -> Option<f64> {
    if points.len() < SWINGS_MIN {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 200")]
    let n = points.len() as f64;
    let mean = points.iter().fold(0.0, |s, p| s + p.0) / n;
    let variance = points.iter().fold(0.0, |s, p| s + (p.0 - mean) * (p.0 - mean)) / n;
    (variance > 0.0).then(|| (0.5 * tolerance * mean.abs()).max(1.06 * variance.sqrt() * pow(n, -0.2)))
}

/// Local maxima of the density at least twice as dense as the grid's mean, from the lowest price up.
#[must_use]
pub fn modes(points: &[(f64, f64)], bandwidth: f64) -> Vec<f64> {
    let edges = points
        .iter()
        .fold(None, |e: Option<(f64, f64)>, p| Some(e.map_or((p.0, p.0), |(low, high)| (low.min(p.0), high.max(p.0)))));
    let Some((low, high)) = edges else { return Vec::new() };
    let step = bandwidth / GRID;
    // One bandwidth of margin on either side: a mode is never at the edge of the grid. Of n ≤ 200 prices with this bandwidth
    // the range is below 80 bandwidths.
    let (from, upto) = (low - bandwidth, high + bandwidth);
    let mut grid = Vec::new();
    let mut at = from;
    while at <= upto && grid.len() < 4_096 {
        grid.push((at, density(points, bandwidth, at).unwrap_or(0.0)));
        at = from + f64::from(u32::try_from(grid.len()).unwrap_or(u32::MAX)) * step;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 4096")]
    let mean = grid.iter().fold(0.0, |s, g| s + g.1) / grid.len().max(1) as f64;
    let peak = |w: &&[(f64, f64)]| w[1].1 > w[0].1 && w[1].1 >= w[2].1 && w[1].1 >= DENSE * mean;
    grid.windows(3).filter(peak).map(|w| w[1].0).collect()
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Swing {
    bar: i64,
    confirmed: i64,
    price: f64,
    volume: Option<f64>,
    rank: f64,
    /// As of the last look while it stood.
    touches: u32,
    level: Handle,
}

/// Density clusters of one face.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kde {
    face: Face,
    swings: Vec<Swing>,
    modes: Vec<Handle>,
}

impl Kde {
    pub(super) fn new(face: Face) -> Self {
        Self { face, swings: Vec::new(), modes: Vec::new() }
    }

    /// A swing was confirmed as level `level`; the density is looked at again. `close` is that of the newest bar.
    pub(super) fn swing(
        &mut self,
        level: Handle,
        close: f64,
        options: &TimeframeOptions,
        shelf: &mut Shelf,
        at: (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) {
        let Some(record) = shelf.get(level) else { return };
        if self.swings.len() == SWINGS {
            self.swings.remove(0);
        }
        self.swings.push(Swing {
            bar: record.formed,
            confirmed: at.0,
            price: record.price,
            volume: record.volume,
            rank: record.rank.unwrap_or(1.0),
            touches: 0,
            level,
        });
        for swing in &mut self.swings {
            swing.touches = shelf.get(swing.level).map_or(swing.touches, |r| r.touches);
        }
        let weighted = |s: &Swing| (s.price, strength::of(1, at.0 - s.confirmed, s.touches, s.rank, options));
        let points: Vec<(f64, f64)> = self.swings.iter().map(weighted).collect();
        let Some(bandwidth) = bandwidth(&points, options.cluster_tolerance) else { return };
        self.modes.retain(|m| shelf.get(*m).is_some());
        let mut used: Vec<Handle> = Vec::new();
        for mode in modes(&points, bandwidth) {
            let (bottom, top) = (mode - bandwidth, mode + bandwidth);
            let outer = if self.face == Face::High { top } else { -bottom };
            if self.face.outward(close) > outer {
                continue;
            }
            let level = self.level((mode, bottom, top), bandwidth, &used, shelf, at, sink);
            used.extend(level);
        }
    }

    fn level(
        &mut self,
        (mode, bottom, top): (f64, f64, f64),
        bandwidth: f64,
        used: &[Handle],
        shelf: &mut Shelf,
        at: (i64, Ts),
        sink: &mut impl FnMut(&LevelHappening),
    ) -> Option<Handle> {
        let inside = self.swings.iter().filter(|s| (bottom..=top).contains(&s.price));
        let members = u32::try_from(inside.clone().count()).unwrap_or(u32::MAX).max(1);
        let distance = |h: &Handle| shelf.get(*h).map_or(f64::INFINITY, |r| (r.price - mode).abs());
        let known = self.modes.iter().copied().filter(|m| !used.contains(m) && distance(m) <= bandwidth);
        if let Some(level) = known.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            let same =
                shelf.get(level).is_some_and(|r| (r.price - mode).abs() < bandwidth / GRID && r.members == members);
            if !same {
                shelf.revise(level, (mode, bottom, top), members, at, sink)?;
            }
            return Some(level);
        }
        let first = inside.clone().next().or(self.swings.last())?;
        let kind = if self.face == Face::High { LevelType::EqualHighs } else { LevelType::EqualLows };
        let record = Record::zone(kind, mode, (bottom, top), first.bar, first.volume);
        if self.modes.len() == MODES_MAX {
            self.modes.remove(0);
        }
        let level = shelf.add(Record { members, rank: Some(first.rank), ..record }, at, sink);
        self.modes.push(level);
        Some(level)
    }
}
