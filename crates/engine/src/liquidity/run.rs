//! A whole run of bars at once. Which patterns there are is read from the columns, without a branch; what levels meet and
//! what becomes of them is the same code as for single bars. With any but the usual options bars are taken one by one.

use super::blocks::Candidate;
use super::clusters::Peak;
use super::options::{BlockRule, ClusterMethod, ClusterPeaks};
use super::record::{Face, Record};
use super::timeframe::Liquidity;
use super::{blocks, gaps, swings};
use crate::features::run::BarSeries;
use barograph_domain::LevelType;

/// Bars before the first whose patterns lie within the run.
const LEAD: usize = 4;

/// What a bar completes, in bits: swings two bars before it, peaks one bar before it (low, high each), gaps up and down.
mod mark {
    pub(super) const SWINGS: [u8; 2] = [1, 2];
    pub(super) const PEAKS: [u8; 2] = [4, 8];
    pub(super) const GAP_UP: u8 = 16;
    pub(super) const GAP_DOWN: u8 = 32;
}

/// A level that comes from elsewhere, and the bar of the run that it stands with.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    /// Position of the bar in the run.
    pub with: usize,
    /// What made it.
    pub kind: LevelType,
    /// Its price.
    pub price: f64,
    /// Bar that carries the price.
    pub formed: i64,
}

impl Added {
    fn record(&self) -> Record {
        Record::at(self.kind, self.price, self.formed, None)
    }
}

impl Liquidity {
    /// As [`Liquidity::push`] for each bar, where nobody listens. `added` enter after the bars they stand
    /// with, in their order.
    pub fn push_run(&mut self, run: &BarSeries<'_>, added: &[Added]) {
        let n = run.len();
        let first = run.index();
        let mut added = added.iter().copied();
        let mut next = added.next();
        let lead = if self.is_usual() && self.newest.is_none_or(|n| n < first) { n.min(LEAD) } else { n };
        for i in 0..lead {
            let bar = run.bar(first, i);
            self.push(&bar, run.close_ts(i), &mut ());
            while let Some(level) = next.filter(|a| a.with == i) {
                next = added.next();
                if let Some(newest) = self.newest {
                    self.add(level.record(), (newest, run.close_ts(i)), &mut ());
                }
            }
        }
        if lead == n {
            return;
        }
        let marks = marks(run);
        // As long as the run, so that no bar of it is looked for beyond their ends.
        let run = &run.cut(n);
        let marks = &marks[..n];
        // Last falling and last rising bar of the run.
        let mut last: [Option<usize>; 2] = [None; 2];
        // Volumes are only counted until ranks are taken of them.
        let mut filled = lead;
        for i in lead..n {
            let bar = run.bar(first, i);
            let at = (bar.index, run.close_ts(i));
            self.atr.push(bar.high, bar.low, bar.close);
            if self.shelf.is_due(bar.index) {
                self.volumes.fill(&run.volume[filled..i]);
                filled = i;
            }
            self.meet(&bar, at.1, &mut ());
            self.volumes.count();
            if let Some(broke) = self.structure.close(bar.close, bar.index) {
                self.remember(run, first, last);
                if let Some(candidate) = self.blocks.block(&broke, self.options.block_rule) {
                    self.add(blocks::record(&broke, &candidate), at, &mut ());
                }
            }
            // Nobody can guess the direction of a bar: chosen, not branched on.
            last = [
                if bar.close < bar.open { Some(i) } else { last[0] },
                if bar.close > bar.open { Some(i) } else { last[1] },
            ];
            let marks = marks[i];
            if marks & (mark::GAP_UP | mark::GAP_DOWN) != 0 {
                let (before, middle) = (run.bar(first, i - 2), run.bar(first, i - 1));
                if let Some((kind, zone)) = gaps::of(&before, &middle, &bar) {
                    self.add(gaps::record(kind, zone, &middle), at, &mut ());
                }
            }
            if marks & (mark::SWINGS[0] | mark::SWINGS[1]) != 0 {
                let swung = run.bar(first, i - 2);
                for face in Face::BOTH.into_iter().filter(|f| marks & mark::SWINGS[*f as usize] != 0) {
                    self.confirm_swing(face, &swung, at, &mut ());
                }
            }
            self.close_clusters(bar.close);
            if marks & (mark::PEAKS[0] | mark::PEAKS[1]) != 0 {
                let peaked = run.bar(first, i - 1);
                for face in Face::BOTH.into_iter().filter(|f| marks & mark::PEAKS[*f as usize] != 0) {
                    let peak = Peak { price: swings::price(&peaked, face), bar: peaked.index, volume: peaked.volume };
                    self.peak(face, &peak, at, &mut ());
                }
            }
            while let Some(level) = next.filter(|a| a.with == i) {
                next = added.next();
                self.add(level.record(), at, &mut ());
            }
        }
        self.volumes.fill(&run.volume[filled..]);
        self.remember(run, first, last);
        let shown = (n - lead).min(self.window.room());
        if n - lead > shown {
            self.window.skip(n - lead - shown);
        }
        for i in n - shown..n {
            self.window.push(&run.bar(first, i));
        }
        self.newest = Some(run.bar(first, n - 1).index);
        #[expect(clippy::cast_possible_wrap, reason = "rows of a frame")]
        let count = (n - lead) as i64;
        self.bars += count;
    }

    fn is_usual(&self) -> bool {
        let o = &self.options;
        (o.swing_left, o.swing_right) == (2, 2)
            && o.cluster_method == ClusterMethod::Tolerance
            && o.cluster_peaks == ClusterPeaks::Local
            && o.block_rule == BlockRule::LastOpposite
            && o.fvg_min_atr <= 0.0
            && !o.reactions
    }

    fn remember(&mut self, run: &BarSeries<'_>, first: i64, last: [Option<usize>; 2]) {
        for (way, i) in last.into_iter().enumerate() {
            if let Some(i) = i {
                self.blocks.remember(way, Candidate::from(&run.bar(first, i)));
            }
        }
    }
}

/// Marks of every bar; those of the first [`LEAD`] say nothing.
///
/// A swing is higher than the two bars before it and not exceeded by the two after it, a peak the same with one: each is found
/// by four comparisons of neighbours, which all patterns of a run share.
fn marks(run: &BarSeries<'_>) -> Vec<u8> {
    const BEYOND_ONE: [u8; 2] = [1, 2];
    const BEYOND_TWO: [u8; 2] = [4, 8];
    let (high, low) = (run.high, run.low);
    let n = run.len().min(high.len()).min(low.len());
    let bit = |holds: bool, bit: u8| u8::from(holds) * bit;
    let mut beyond = vec![0_u8; n];
    let neighbours = high.windows(3).zip(low.windows(3));
    for (to, (h, l)) in beyond[2.min(n)..].iter_mut().zip(neighbours) {
        *to = bit(l[2] < l[1], BEYOND_ONE[0])
            | bit(h[2] > h[1], BEYOND_ONE[1])
            | bit(l[2] < l[0], BEYOND_TWO[0])
            | bit(h[2] > h[0], BEYOND_TWO[1])
            | bit(l[2] > h[0], mark::GAP_UP)
            | bit(h[2] < l[0], mark::GAP_DOWN);
    }
    let mut marks = vec![0_u8; n];
    for (to, b) in marks[2.min(n)..].iter_mut().zip(beyond.windows(3)) {
        let swings = b[0] & (b[0] >> 2) & !b[1] & !(b[2] >> 2) & 3;
        let peaks = b[1] & !b[2] & 3;
        *to = swings | (peaks << 2) | (b[2] & (mark::GAP_UP | mark::GAP_DOWN));
    }
    marks
}
