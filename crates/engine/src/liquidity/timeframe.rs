//! All levels of one timeframe, fed with its closed bars in order. Batch is pushing an array.
//!
//! A bar first meets the levels known before it (touch, sweep, mitigation), then breaks structure, then confirms what it
//! completes. Whatever it confirms is met by later bars only. Bars must be built from closed parts; one that is not newer
//! than the last is left out, because nothing known is rewritten.

use super::blocks::{self, Blocks};
use super::clusters::{Clusters, Peak};
use super::extremes::Extreme;
use super::kde::Kde;
use super::options::{ClusterMethod, ClusterPeaks, TimeframeOptions};
use super::reactions::{Reaction, Reactions};
use super::record::{Face, LevelHappening, Record};
use super::shelf::{Handle, Shelf};
use super::structure::{Structure, StructureBreak};
use super::volumes::Volumes;
use super::window::Window;
use super::{gaps, swings};
use crate::features::atr::Atr;
use crate::features::bars::BuiltBar;
use barograph_domain::{LevelType, Ts};
use serde::{Deserialize, Serialize};

/// Takes what a bar changed. Every method may be left as it is.
pub trait LevelSink {
    /// Somebody listens. Where nobody does, ranks of volumes wait until they are needed.
    const LISTENS: bool = true;
    /// Something happened to a level.
    fn level(&mut self, _change: &LevelHappening) {}
    /// Structure broke.
    fn structure(&mut self, _broke: &StructureBreak) {}
    /// A followed touch has ended.
    fn reaction(&mut self, _ended: &Reaction) {}
}

/// Nobody listens.
impl LevelSink for () {
    const LISTENS: bool = false;
}

/// Levels of one timeframe.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Liquidity {
    pub(super) options: TimeframeOptions,
    pub(super) lifetime: i64,
    pub(super) window: Window,
    pub(super) atr: Atr,
    pub(super) volumes: Volumes,
    pub(super) shelf: Shelf,
    pub(super) clusters: [Clusters; 2],
    kde: [Kde; 2],
    pub(super) structure: Structure,
    pub(super) blocks: Blocks,
    reactions: Reactions,
    pub(super) bars: i64,
    first: Option<i64>,
    pub(super) newest: Option<i64>,
}

impl Liquidity {
    /// Nothing seen.
    #[must_use]
    pub fn new(options: TimeframeOptions) -> Self {
        let wing = |w: u32| w.min(TimeframeOptions::WING_MAX);
        let options = TimeframeOptions {
            swing_left: wing(options.swing_left),
            swing_right: wing(options.swing_right),
            ..options
        };
        Self {
            options,
            lifetime: options.lifetime(),
            window: Window::new((options.swing_left + options.swing_right) as usize + 1),
            atr: Atr::default(),
            volumes: Volumes::new(!options.reactions),
            shelf: Shelf::new(),
            clusters: Face::BOTH.map(Clusters::new),
            kde: Face::BOTH.map(Kde::new),
            structure: Structure::new(),
            blocks: Blocks::default(),
            reactions: Reactions::new(options.reactions),
            bars: 0,
            first: None,
            newest: None,
        }
    }

    /// Takes a closed bar that may be used from `known_at` on.
    #[inline]
    pub fn push(&mut self, bar: &BuiltBar, known_at: Ts, sink: &mut impl LevelSink) {
        if self.newest.is_some_and(|n| bar.index <= n) {
            return;
        }
        // A missing bar breaks the recursion: its true range is not known, so the average starts again.
        if self.newest.is_some_and(|n| n + 1 != bar.index) {
            self.atr = Atr::default();
        }
        self.first.get_or_insert(bar.index);
        self.newest = Some(bar.index);
        self.bars += 1;
        self.atr.push(bar.high, bar.low, bar.close);
        self.meet(bar, known_at, sink);
        self.window.push(bar);
        self.volumes.push(bar.volume);
        let at = (bar.index, known_at);
        self.break_structure(bar, at, sink);
        self.confirm_gap(at, sink);
        self.confirm_swings(at, sink);
        if self.options.cluster_method == ClusterMethod::Tolerance {
            self.close_clusters(bar.close);
            if self.options.cluster_peaks == ClusterPeaks::Local {
                self.confirm_peaks(at, sink);
            }
        }
    }

    #[expect(clippy::inline_always, reason = "most of a bar's work, and different where somebody listens")]
    #[inline(always)]
    pub(super) fn meet(&mut self, bar: &BuiltBar, known_at: Ts, sink: &mut impl LevelSink) {
        let first = self.first.unwrap_or(bar.index);
        self.shelf.expire(bar.index, (first, self.lifetime), &self.volumes);
        let (reactions, options) = (&mut self.reactions, &self.options);
        reactions.push(bar, |ended| sink.reaction(&ended));
        let atr = self.atr.value().filter(|_| options.reactions);
        self.shelf.meet(bar, (known_at, self.lifetime), &mut |c| sink.level(c), &mut |record, face| {
            if let Some(atr) = atr {
                reactions.touch(record, face, bar.index, atr, options);
            }
        });
    }

    #[inline]
    fn break_structure(&mut self, bar: &BuiltBar, at: (i64, Ts), sink: &mut impl LevelSink) {
        if let Some(broke) = self.structure.close(bar.close, bar.index) {
            sink.structure(&broke);
            if let Some(candidate) = self.blocks.block(&broke, self.options.block_rule) {
                self.add(blocks::record(&broke, &candidate), at, sink);
            }
        }
        self.blocks.push(bar, self.options.block_rule);
    }

    #[inline]
    fn confirm_gap(&mut self, at: (i64, Ts), sink: &mut impl LevelSink) {
        let Some((kind, zone)) = gaps::gap(&self.window) else { return };
        let least = self.options.fvg_min_atr;
        if least > 0.0 && self.atr.value().is_none_or(|atr| zone.1 - zone.0 < least * atr) {
            return;
        }
        self.add(gaps::record(kind, zone, self.window.back(1)), at, sink);
    }

    #[inline]
    fn confirm_swings(&mut self, at: (i64, Ts), sink: &mut impl LevelSink) {
        let (left, right) = (self.options.swing_left as usize, self.options.swing_right as usize);
        let found = swings::swing(&self.window, left, right);
        for face in Face::BOTH.into_iter().filter(|f| found[*f as usize]) {
            let bar = *self.window.back(right);
            self.confirm_swing(face, &bar, at, sink);
        }
    }

    pub(super) fn confirm_swing(&mut self, face: Face, bar: &BuiltBar, at: (i64, Ts), sink: &mut impl LevelSink) {
        let price = swings::price(bar, face);
        let kind = if face == Face::High { LevelType::SwingHigh } else { LevelType::SwingLow };
        let handle = self.add(Record::at(kind, price, bar.index, bar.volume), at, sink);
        self.structure.swing(face, price, bar.index, at.0 - self.lifetime);
        match (self.options.cluster_method, self.options.cluster_peaks) {
            (ClusterMethod::Kde, _) => {
                let close = self.window.back(0).close;
                let kde = &mut self.kde[face as usize];
                kde.swing(handle, close, &self.options, &mut self.shelf, at, &mut |c| sink.level(c));
            }
            (ClusterMethod::Tolerance, ClusterPeaks::Swings) => {
                self.peak(face, &Peak { price, bar: bar.index, volume: bar.volume }, at, sink);
            }
            (ClusterMethod::Tolerance, ClusterPeaks::Local) => {}
        }
    }

    #[inline]
    pub(super) fn close_clusters(&mut self, close: f64) {
        let [low, high] = &mut self.clusters;
        low.close(Face::Low.outward(close));
        high.close(Face::High.outward(close));
    }

    #[inline]
    fn confirm_peaks(&mut self, at: (i64, Ts), sink: &mut impl LevelSink) {
        if self.window.run() < 3 {
            return;
        }
        let found = swings::swing(&self.window, 1, 1);
        for face in Face::BOTH.into_iter().filter(|f| found[*f as usize]) {
            let bar = self.window.back(1);
            let peak = Peak { price: swings::price(bar, face), bar: bar.index, volume: bar.volume };
            self.peak(face, &peak, at, sink);
        }
    }

    pub(super) fn peak(&mut self, face: Face, peak: &Peak, at: (i64, Ts), sink: &mut impl LevelSink) {
        let (volumes, options) = (&self.volumes, &self.options);
        let clusters = &mut self.clusters[face as usize];
        if let Some(record) = clusters.peak(peak, options, &mut self.shelf, at, &mut |c| sink.level(c)) {
            let level = add(&mut self.shelf, record, volumes, options, at, sink);
            clusters.became(peak.bar, level);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, record: Record, at: (i64, Ts), sink: &mut impl LevelSink) -> Handle {
        add(&mut self.shelf, record, &self.volumes, &self.options, at, sink)
    }

    /// Adds an extreme of a completed day or session, formed at bar `formed`; `volume` is that bar's. Before any bar, nothing.
    pub fn add_extreme(
        &mut self,
        kind: LevelType,
        extreme: &Extreme,
        (formed, volume): (i64, Option<f64>),
        known_at: Ts,
        sink: &mut impl LevelSink,
    ) {
        let Some(newest) = self.newest else { return };
        self.add(Record::at(kind, extreme.price, formed, volume), (newest, known_at), sink);
    }

    /// The volume nodes of a completed day; those of the day before leave the profile. Before any bar, nothing.
    pub fn replace_nodes(&mut self, nodes: &[Record], known_at: Ts, sink: &mut impl LevelSink) {
        let Some(newest) = self.newest else { return };
        self.shelf.replace_nodes(nodes, (newest, known_at), &mut |c| sink.level(c));
    }

    /// Levels that stand and are not past their lifetime: lows, highs, each from the nearest outwards, then volume nodes.
    pub fn levels(&self) -> impl Iterator<Item = &Record> {
        let newest = self.newest.unwrap_or(i64::MAX);
        self.shelf.iter().filter(move |r| newest - r.confirmed <= self.lifetime)
    }

    /// Levels of a face whose near edge is at or beyond a price, from the nearest outwards.
    pub fn beyond(&self, face: Face, price: f64) -> impl Iterator<Item = &Record> {
        let newest = self.newest.unwrap_or(i64::MAX);
        self.shelf.beyond(face, price).filter(move |r| newest - r.confirmed <= self.lifetime)
    }

    /// Strength of a level at the newest bar.
    #[must_use]
    pub fn strength(&self, record: &Record) -> f64 {
        self.ranked(record).strength(self.newest.unwrap_or(record.confirmed), &self.options)
    }

    /// The level with the rank of its volume, which may still be waiting.
    #[must_use]
    pub fn ranked(&self, record: &Record) -> Record {
        let rank = record.rank.unwrap_or_else(|| self.volumes.rank(record.volume, record.moment));
        Record { rank: Some(rank), ..*record }
    }

    /// Levels that wait for the rank of their volume get it now: for those who will ask again and again.
    pub fn take_ranks(&mut self) {
        self.shelf.take_ranks(&self.volumes);
    }

    /// What was chosen.
    #[must_use]
    pub fn options(&self) -> &TimeframeOptions {
        &self.options
    }

    /// Wilder's average true range of these bars.
    #[must_use]
    pub fn atr(&self) -> &Atr {
        &self.atr
    }

    /// Direction of the last break of structure.
    #[must_use]
    pub fn direction(&self) -> Option<Face> {
        self.structure.state()
    }

    /// The newest bar.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        self.newest
    }

    /// Closed bars seen.
    #[must_use]
    pub fn bars(&self) -> i64 {
        self.bars
    }

    /// True while levels older than the first bar may still be missing.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.first.zip(self.newest).is_none_or(|(first, newest)| newest - first < self.lifetime)
    }
}

/// Puts a level on the shelf, with the rank of its volume where that is asked at once.
#[inline]
fn add<S: LevelSink>(
    shelf: &mut Shelf,
    mut record: Record,
    volumes: &Volumes,
    options: &TimeframeOptions,
    at: (i64, Ts),
    sink: &mut S,
) -> Handle {
    record.moment = volumes.moment();
    if S::LISTENS || options.reactions || options.cluster_method == ClusterMethod::Kde {
        record.rank = Some(volumes.rank(record.volume, record.moment));
    }
    shelf.add(record, at, &mut |c| sink.level(c))
}
