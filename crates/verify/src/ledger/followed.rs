//! What followed one label: counts by outcome in narrow bins of the event's margin, and the wide bins that a day's table is made of.
//!
//! What has a memory ([`ForecastEvent::memory`]) is forgotten an era at a time, everything else never (ADR 35). All that counts stands in
//! one row of bins, so that a table is made of it without going through the eras.

use barograph_domain::forecast::{Abstention, CLASSES, ForecastEvent};
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Lower edges of the narrow bins of margin, in scale units: negative where the event is not asserted.
const EDGES: [f64; 30] = [
    f64::NEG_INFINITY,
    -25.0,
    -10.0,
    -8.0,
    -6.0,
    -5.0,
    -4.0,
    -3.0,
    -2.5,
    -2.0,
    -1.5,
    -1.0,
    -0.7,
    -0.4,
    -0.2,
    0.0,
    0.2,
    0.4,
    0.7,
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    4.0,
    5.0,
    6.0,
    8.0,
    10.0,
    25.0,
];
/// Counts that are forgotten are let go an era at a time.
const ERA: Span = Span::days(15);
/// The narrow bin of the largest margins.
const LAST_BIN: u8 = 29;
/// Wide bins: fifths of the history.
const WIDE: usize = 5;
/// Resolved forecasts of a label that a probability needs.
const FORECASTS_MIN: u32 = 100;
/// Windows of them that do not overlap.
const EPISODES_MIN: u32 = 30;
/// Outcomes that an event may have, at most.
const OUTCOMES: usize = CLASSES;

/// Narrow bin of a margin.
#[must_use]
pub fn bin_of(margin: f64) -> u8 {
    u8::try_from(EDGES.partition_point(|e| *e <= margin).saturating_sub(1)).unwrap_or(0)
}

/// Counts of one narrow bin.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Narrow {
    bin: u8,
    /// Resolved forecasts by outcome.
    by: [u32; OUTCOMES],
    /// Windows of them that do not overlap.
    separate: u32,
    /// Kept where all that counts stands, not in an era: windows reach over its end.
    busy_until: BusyUntil,
}

impl Narrow {
    fn count(&mut self, outcome: usize, separate: bool) {
        self.separate = self.separate.saturating_add(u32::from(separate));
        if let Some(n) = self.by.get_mut(outcome) {
            *n = n.saturating_add(1);
        }
    }

    fn forget(&mut self, other: &Self) {
        for (sum, n) in self.by.iter_mut().zip(other.by) {
            *sum = sum.saturating_sub(n);
        }
        self.separate = self.separate.saturating_sub(other.separate);
    }
}

/// The place of a bin among those that have cases, in order; it is added where it had none.
fn place_of(bins: &mut Vec<Narrow>, bin: u8) -> usize {
    bins.binary_search_by_key(&bin, |narrow| narrow.bin).unwrap_or_else(|at| {
        bins.insert(at, Narrow { bin, ..Narrow::default() });
        at
    })
}

/// What is forgotten at once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Era {
    number: u32,
    bins: Vec<Narrow>,
    /// Windows of all bins together that do not overlap.
    separate: u32,
}

/// Minute until which the last window lasts that overlaps no earlier one.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct BusyUntil(u32);

impl BusyUntil {
    /// Whether a window begins after the last separate one has ended; it is the last one then.
    fn is_apart(&mut self, issued: Ts, until: Ts) -> bool {
        let apart = minute_of(issued) >= self.0;
        if apart {
            self.0 = minute_of(until);
        }
        apart
    }
}

fn minute_of(t: Ts) -> u32 {
    u32::try_from(t.0.div_euclid(Span::mins(1).0)).unwrap_or(0)
}

fn era_of(t: Ts) -> u32 {
    u32::try_from(t.0.div_euclid(ERA.0)).unwrap_or(0)
}

/// What followed one label.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Followed {
    /// Narrow bins that have or had cases, in order: all that is not forgotten.
    bins: Vec<Narrow>,
    /// Windows of all bins together that do not overlap.
    separate: u32,
    busy_until: BusyUntil,
    /// Where the event has a memory: what all that counts is made of, oldest first; the last is under way.
    eras: VecDeque<Era>,
}

impl Followed {
    /// A forecast with a margin in this bin resolved to this outcome.
    pub(super) fn count(&mut self, event: ForecastEvent, bin: u8, outcome: usize, (issued, until): (Ts, Ts)) {
        let at = place_of(&mut self.bins, bin);
        let separate = self.busy_until.is_apart(issued, until);
        let separate_in_bin = self.bins[at].busy_until.is_apart(issued, until);
        self.separate = self.separate.saturating_add(u32::from(separate));
        self.bins[at].count(outcome, separate_in_bin);
        if event.memory().is_none() {
            return;
        }
        let number = era_of(until);
        if self.eras.back().is_none_or(|last| last.number < number) {
            self.eras.push_back(Era { number, ..Era::default() });
        }
        if let Some(era) = self.eras.back_mut() {
            era.separate = era.separate.saturating_add(u32::from(separate));
            let at = place_of(&mut era.bins, bin);
            era.bins[at].count(outcome, separate_in_bin);
        }
    }

    /// Lets go of what does not count any more: with the era under way they last as long as the memory of the event. Whether there
    /// was any.
    pub(super) fn forget(&mut self, event: ForecastEvent, now: Ts) -> bool {
        let Some(memory) = event.memory() else { return false };
        let first = era_of(now).saturating_sub(u32::try_from(memory.0 / ERA.0 - 1).unwrap_or(0));
        let before = self.eras.len();
        while self.eras.front().is_some_and(|e| e.number < first) {
            let Some(era) = self.eras.pop_front() else { break };
            self.separate = self.separate.saturating_sub(era.separate);
            for gone in &era.bins {
                let at = place_of(&mut self.bins, gone.bin);
                self.bins[at].forget(gone);
            }
        }
        self.eras.len() < before
    }

    /// Five bins of about as many cases each, in order of margin.
    pub(super) fn wide(&self, asserted: bool) -> Result<Vec<Wide>, Abstention> {
        let mut by = [0_u32; OUTCOMES];
        for narrow in &self.bins {
            add(&mut by, &narrow.by);
        }
        let all = all(&by);
        if all < FORECASTS_MIN {
            return Err(Abstention::FewForecasts);
        }
        if self.separate < EPISODES_MIN {
            return Err(Abstention::FewEpisodes);
        }
        if by.iter().filter(|n| **n > 0).count() < 2 {
            return Err(Abstention::OneOutcome);
        }
        let mut out: Vec<Wide> = Vec::with_capacity(WIDE);
        let (mut open, mut done) = (Wide::default(), 0_u32);
        for narrow in &self.bins {
            add(&mut open.by, &narrow.by);
            open.separate = open.separate.max(narrow.separate);
            open.last = narrow.bin;
            let part = u32::try_from(out.len() + 1).unwrap_or(u32::MAX);
            let share = u64::from(all) * u64::from(part);
            if out.len() + 1 < WIDE && u64::from(done + open.cases()) * WIDE as u64 >= share && open.cases() > 0 {
                done += open.cases();
                out.push(core::mem::take(&mut open));
            }
        }
        if open.cases() > 0 {
            out.push(open);
        }
        if let Some(last) = out.last_mut() {
            last.last = LAST_BIN;
        }
        for wide in &mut out {
            wide.smooth();
        }
        if asserted {
            pool(&mut out);
        }
        Ok(out)
    }
}

fn add(sum: &mut [u32; OUTCOMES], more: &[u32; OUTCOMES]) {
    for (sum, n) in sum.iter_mut().zip(more) {
        *sum = sum.saturating_add(*n);
    }
}

fn all(by: &[u32; OUTCOMES]) -> u32 {
    by.iter().fold(0, |sum, n| sum.saturating_add(*n))
}

/// One wide bin.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Wide {
    /// The last narrow bin in it.
    pub(super) last: u8,
    by: [u32; OUTCOMES],
    pub(super) separate: u32,
    /// Probability that the event happens.
    pub(super) p: f64,
}

impl Wide {
    pub(super) fn cases(&self) -> u32 {
        all(&self.by)
    }

    fn smooth(&mut self) {
        self.p = (f64::from(self.by[1]) + 0.5) / (f64::from(self.cases()) + 1.0);
    }

    pub(super) fn classes(&self) -> [f64; CLASSES] {
        let n = f64::from(self.cases()) + 0.5 * CLASSES as f64;
        self.by.map(|k| (f64::from(k) + 0.5) / n)
    }
}

/// Pool adjacent violators: never less likely at a larger margin; weights are numbers of cases.
fn pool(bins: &mut [Wide]) {
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(bins.len());
    for bin in bins.iter() {
        let weight = f64::from(bin.cases());
        blocks.push((bin.p, weight, 1));
        while let [.., (p, w, n), (q, v, m)] = blocks[..]
            && p > q
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push(((p * w + q * v) / (w + v), w + v, n + m));
        }
    }
    let pooled = blocks.into_iter().flat_map(|(p, _, n)| core::iter::repeat_n(p, n));
    for (bin, p) in bins.iter_mut().zip(pooled) {
        bin.p = p;
    }
}
