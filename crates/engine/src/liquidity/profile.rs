//! Market profile (features §4.6, R2.15): base volume by price over a span of bars, its point of control, value area and
//! nodes.
//!
//! A bin is centred on a multiple of its width, and the width is fixed for a UTC day by the day's first price. A bar's
//! volume is spread evenly over its range; a trade is a bar without one. The profile of a day and of the trailing 24 h are
//! the same function over their bars: nothing is subtracted.

use super::record::Record;
use barograph_domain::LevelType;
use barograph_domain::math::{log10, pow};
use serde::{Deserialize, Serialize};

/// Bars below which a profile says nothing.
pub const BARS_MIN: u32 = 60;
/// Width of a bin as a share of the day's first price.
const WIDTH: f64 = 0.0005;
/// Share of the volume in the value area.
const VALUE: f64 = 0.70;
/// A node has this many times the mean volume of a bin.
const NODE: f64 = 1.5;
/// Bins of a profile: a price that falls to nothing passes 2,000. What lies further from the first is counted at the edge.
const BINS_MAX: i64 = 8_192;
/// Nodes of a day, those of most volume first.
pub const NODES_MAX: usize = 32;

/// Smallest of {1, 2, 5}·10^k not below `max(tick, 0.0005·p)`; `None` unless the price is above 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "exponents of ten of a price")]
pub fn width(first_price: f64, tick: Option<f64>) -> Option<f64> {
    let least = (WIDTH * first_price).max(tick.unwrap_or(0.0));
    if !(least > 0.0 && least.is_finite()) {
        return None;
    }
    let exponent = log10(least).floor() as i32;
    // The logarithm may be one off at a power of ten; the first that fits decides.
    (exponent - 1..=exponent + 1).flat_map(|k| [1.0, 2.0, 5.0].map(|m| m * ten_to(k))).find(|w| *w >= least)
}

/// Powers of ten as a reader would write them: the quotient of integers is the nearest float.
fn ten_to(k: i32) -> f64 {
    if k < 0 { 1.0 / pow(10.0, f64::from(-k)) } else { pow(10.0, f64::from(k)) }
}

/// Volume by price.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Profile {
    width: f64,
    /// Bin of `volumes[0]`: centre / width.
    first: i64,
    volumes: Vec<f64>,
    bars: u32,
}

/// Bins and bars of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    from: i64,
    until: i64,
    bars: u32,
}

impl Extent {
    const fn is_empty(self) -> bool {
        self.from >= self.until
    }
}

/// Point of control and value area, as bin centres.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct ValueArea {
    /// Centre of the bin of most volume, the lowest of equals.
    pub poc: f64,
    /// Highest bin of the value area.
    pub vah: f64,
    /// Lowest bin of the value area.
    pub val: f64,
    /// Share of the volume in it.
    pub share: f64,
}

impl Profile {
    /// Without volume yet.
    #[must_use]
    pub fn new(width: f64) -> Self {
        Self { width, first: 0, volumes: Vec::new(), bars: 0 }
    }

    /// To be used again and again: with room for a day that moves by half.
    #[must_use]
    pub fn roomy() -> Self {
        Self::with_room(1_024)
    }

    /// To be used again and again: with room for so many bins.
    #[must_use]
    pub fn with_room(bins: usize) -> Self {
        Self { volumes: Vec::with_capacity(bins), ..Self::default() }
    }

    /// Empties it for bins of this width and keeps its memory.
    pub fn restart(&mut self, width: f64) {
        self.width = width;
        self.volumes.clear();
        self.bars = 0;
    }

    /// Becomes the same as another and keeps its memory.
    pub fn copy(&mut self, other: &Self) {
        (self.width, self.first, self.bars) = (other.width, other.first, other.bars);
        self.volumes.clone_from(&other.volumes);
    }

    /// Of bins that are already counted; `centre` is that of the first.
    #[must_use]
    pub fn of_bins(width: f64, centre: f64, volumes: Vec<f64>, bars: u32) -> Self {
        Self { width, first: round(centre / width), volumes, bars }
    }

    /// Adds a bar, spread over its range, or a trade where low = high.
    pub fn add(&mut self, low: f64, high: f64, volume: f64) {
        self.bars = self.bars.saturating_add(1);
        let (from, upto) = (round(low / self.width), round(high / self.width));
        let (from, upto) = self.cover(from.min(upto), upto.max(from));
        if from == upto || high <= low {
            self.volumes[from] += volume;
            return;
        }
        self.spread((from, upto), (low, high), volume);
    }

    /// Adds what another profile of the same width has counted.
    pub fn merge(&mut self, other: &Self) {
        self.bars = self.bars.saturating_add(other.bars);
        let Ok(count) = i64::try_from(other.volumes.len()) else { return };
        if count == 0 {
            return;
        }
        let (from, upto) = self.cover(other.first, other.first + count - 1);
        if upto + 1 - from == other.volumes.len() {
            for (to, volume) in self.volumes[from..=upto].iter_mut().zip(&other.volumes) {
                *to += volume;
            }
        } else {
            // Beyond the edge: what lies there is counted at it.
            for (bin, volume) in (other.first..).zip(&other.volumes) {
                let (place, _) = self.cover(bin, bin);
                self.volumes[place] += volume;
            }
        }
    }

    /// Bins that are counted in, from the first up.
    #[must_use]
    pub fn extent(&self) -> Extent {
        let count = i64::try_from(self.volumes.len()).unwrap_or(i64::MAX);
        Extent { from: self.first, until: self.first.saturating_add(count), bars: self.bars }
    }

    /// The sum of several profiles after the oldest of them left, which had this extent; `stay` are the others, oldest first.
    /// Whatever bin the leaving one had is added up anew, so that each bin is the sum that it would be without a past. False, with
    /// nothing done, where bins were counted at an edge.
    pub fn leave<'a>(&mut self, gone: Extent, stay: impl Iterator<Item = &'a Self> + Clone) -> bool {
        let had = self.extent();
        let mut whole = had;
        if gone.from <= had.from || gone.until >= had.until {
            // It may have been the only one at an end.
            (whole.from, whole.until) = stay.clone().fold((i64::MAX, i64::MIN), |(from, until), other| {
                let extent = other.extent();
                if extent.is_empty() { (from, until) } else { (from.min(extent.from), until.max(extent.until)) }
            });
        }
        if whole.is_empty() || had.until - had.from >= BINS_MAX {
            return false;
        }
        let places = |from: i64, until: i64| {
            let place = |bin: i64| usize::try_from(bin - whole.from).unwrap_or(0);
            place(from)..place(until)
        };
        self.volumes.truncate(usize::try_from(whole.until - had.from).unwrap_or(0));
        self.volumes.drain(..usize::try_from(whole.from - had.from).unwrap_or(0));
        self.first = whole.from;
        self.bars -= gone.bars;
        let anew = Extent { from: gone.from.max(whole.from), until: gone.until.min(whole.until), bars: 0 };
        if anew.is_empty() {
            return true;
        }
        self.volumes[places(anew.from, anew.until)].fill(0.0);
        let volumes = &mut self.volumes;
        stay.for_each(|other| {
            let extent = other.extent();
            let (from, until) = (extent.from.max(anew.from), extent.until.min(anew.until));
            if from < until {
                let at = usize::try_from(from - extent.from).unwrap_or(0);
                for (to, volume) in volumes[places(from, until)].iter_mut().zip(&other.volumes[at..]) {
                    *to += volume;
                }
            }
        });
        true
    }

    /// Width of its bins.
    #[must_use]
    pub const fn width(&self) -> f64 {
        self.width
    }

    fn spread(&mut self, (from, upto): (usize, usize), (low, high): (f64, f64), volume: f64) {
        let per_price = volume / (high - low);
        for bin in from..=upto {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "bins of a price")]
            let centre = (self.first + bin as i64) as f64 * self.width;
            let bottom = if bin == from { low } else { centre - 0.5 * self.width };
            let top = if bin == upto { high } else { centre + 0.5 * self.width };
            self.volumes[bin] += per_price * (top - bottom).max(0.0);
        }
    }

    /// Places of these bins, which are there nearly always.
    #[inline]
    fn cover(&mut self, from: i64, upto: i64) -> (usize, usize) {
        let places = usize::try_from(from - self.first).ok().zip(usize::try_from(upto - self.first).ok());
        match places {
            Some((from, upto)) if upto < self.volumes.len() => (from, upto),
            _ => self.grow(from, upto),
        }
    }

    /// Grows to these bins; their places, at the edge where they are too far.
    #[cold]
    fn grow(&mut self, from: i64, upto: i64) -> (usize, usize) {
        if self.volumes.is_empty() {
            self.first = from;
            self.volumes.push(0.0);
        }
        let count = |v: &[f64]| i64::try_from(v.len()).unwrap_or(i64::MAX);
        let room = BINS_MAX - count(&self.volumes);
        let below = (self.first - from).clamp(0, room);
        if below > 0 {
            // In place: a profile that is used again allocates nothing.
            let places = usize::try_from(below).unwrap_or(0);
            self.volumes.extend(core::iter::repeat_n(0.0, places));
            self.volumes.rotate_right(places);
            self.first -= below;
        }
        let above = (upto - (self.first + count(&self.volumes) - 1)).clamp(0, room - below);
        self.volumes.extend(core::iter::repeat_n(0.0, usize::try_from(above).unwrap_or(0)));
        let last = count(&self.volumes) - 1;
        let place = |bin: i64| usize::try_from((bin - self.first).clamp(0, last)).unwrap_or(0);
        (place(from), place(upto))
    }

    /// Bars or trades counted.
    #[must_use]
    pub fn bars(&self) -> u32 {
        self.bars
    }

    /// Volume by bin from the lowest up, with the centre of each.
    pub fn bins(&self) -> impl Iterator<Item = (f64, f64)> {
        self.volumes.iter().enumerate().map(|(i, v)| (self.centre(i), *v))
    }

    /// Point of control and value area; `None` without volume.
    #[must_use]
    pub fn value_area(&self) -> Option<ValueArea> {
        let total = self.volumes.iter().fold(0.0, |s, v| s + v);
        if total <= 0.0 {
            return None;
        }
        let mut poc = 0;
        for (i, v) in self.volumes.iter().enumerate() {
            if *v > self.volumes[poc] {
                poc = i;
            }
        }
        let at = |i: Option<usize>| i.and_then(|i| self.volumes.get(i).copied());
        let (mut low, mut high, mut inside) = (poc, poc, self.volumes[poc]);
        while inside < VALUE * total {
            // The larger of the next two bins above and below; where one side has a single bin left, that one.
            let above = at(Some(high + 1)).map(|v| v + at(Some(high + 2)).unwrap_or(0.0));
            let below = at(low.checked_sub(1)).map(|v| v + at(low.checked_sub(2)).unwrap_or(0.0));
            match (above, below) {
                (Some(a), b) if b.is_none_or(|b| a >= b) => {
                    high = (high + 2).min(self.volumes.len() - 1);
                    inside += a;
                }
                (_, Some(b)) => {
                    low = low.saturating_sub(2);
                    inside += b;
                }
                (_, None) => break,
            }
        }
        Some(ValueArea { poc: self.centre(poc), vah: self.centre(high), val: self.centre(low), share: inside / total })
    }

    /// Volume nodes as levels formed at `bar`: local maxima of the three-bin moving average with at least 1.5 times the mean
    /// volume of a bin. None below [`BARS_MIN`] bars. Their volume is ranked among the bins of the profile. `nodes` is
    /// emptied first.
    pub fn nodes(&self, bar: i64, nodes: &mut Vec<Record>) {
        nodes.clear();
        let count = self.volumes.len();
        if self.bars < BARS_MIN || count < 3 {
            return;
        }
        let at = |i: isize| usize::try_from(i).ok().and_then(|i| self.volumes.get(i).copied()).unwrap_or(0.0);
        let mean3 = |i: isize| at(i - 1) + at(i) + at(i + 1);
        #[expect(clippy::cast_precision_loss, reason = "at most 8,192 bins")]
        let n = count as f64;
        let mean = self.volumes.iter().fold(0.0, |s, v| s + v) / n;
        let found = (0..count)
            .filter(|place| {
                let i = isize::try_from(*place).unwrap_or(0);
                // Beside an empty stretch a single bin makes three equal means: the bin of most volume is meant.
                let rank = |i: isize| (mean3(i), at(i));
                rank(i) > rank(i - 1) && rank(i) >= rank(i + 1) && self.volumes[*place] >= NODE * mean
            })
            .map(|place| {
                let (centre, volume) = (self.centre(place), self.volumes[place]);
                let (mut below, mut equal) = (0.0, 0.0);
                for other in &self.volumes {
                    below += f64::from(u8::from(*other < volume));
                    equal += f64::from(u8::from(other.to_bits() == volume.to_bits()));
                }
                let zone = (centre - 0.5 * self.width, centre + 0.5 * self.width);
                let rank = (below + 0.5 * equal) / n;
                let node = Record::zone(LevelType::VolumeNode, centre, zone, bar, Some(volume));
                Record { rank: Some(rank), ..node }
            });
        nodes.extend(found);
        nodes.sort_unstable_by(|a, b| {
            b.volume.unwrap_or(0.0).total_cmp(&a.volume.unwrap_or(0.0)).then(a.price.total_cmp(&b.price))
        });
        nodes.truncate(NODES_MAX);
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "bins of a price")]
    fn centre(&self, place: usize) -> f64 {
        (self.first + place as i64) as f64 * self.width
    }
}

/// The bin whose centre is nearest; halves go up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a float beyond the range becomes the nearest integer"
)]
fn round(x: f64) -> i64 {
    // Cut towards zero by one instruction, then put right below it: `floor` is a call on most machines.
    let up = x + 0.5;
    let cut = up as i64;
    cut.saturating_sub(i64::from(cut as f64 > up))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact in binary")]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_a_round_number_not_below_a_twentieth_of_a_percent_nor_the_tick() {
        let cases = [(60_000.0, None, 50.0), (40_000.0, None, 20.0), (1.0, None, 0.0005), (0.9, None, 0.0005)];
        for (price, tick, want) in cases {
            assert_eq!(width(price, tick), Some(want), "{price}");
        }
        assert_eq!(width(1.0, Some(0.01)), Some(0.01));
        assert_eq!(width(0.0, None), None);
    }

    #[test]
    fn a_bar_is_spread_over_its_range_and_a_trade_is_not() {
        let mut p = Profile::new(10.0);
        p.add(95.0, 115.0, 4.0);
        p.add(112.0, 112.0, 1.0);
        let bins: Vec<_> = p.bins().collect();
        assert_eq!(bins, [(100.0, 2.0), (110.0, 3.0), (120.0, 0.0)]);
        p.add(81.0, 81.0, 1.0);
        assert_eq!(p.bins().next(), Some((80.0, 1.0)));
        assert_eq!(p.bins().map(|b| b.1).sum::<f64>(), 6.0);
    }

    #[test]
    fn a_profile_is_bounded_and_loses_no_volume() {
        let mut p = Profile::new(1.0);
        p.add(0.0, 0.0, 1.0);
        p.add(1e9, 1e9, 1.0);
        p.add(-1e9, -1e9, 1.0);
        assert_eq!(p.volumes.len(), 8_192);
        assert_eq!(p.bins().map(|b| b.1).sum::<f64>(), 3.0);
    }

    #[test]
    fn nodes_are_local_maxima_of_much_volume() {
        let volumes = vec![1.0, 2.0, 9.0, 2.0, 1.0, 1.0, 1.0, 7.0, 1.0, 1.0];
        let p = Profile::of_bins(10.0, 100.0, volumes.clone(), 60);
        let mut nodes = Vec::new();
        p.nodes(5, &mut nodes);
        assert_eq!(nodes.iter().map(|n| n.price).collect::<Vec<_>>(), [120.0, 170.0]);
        Profile::of_bins(10.0, 100.0, volumes, 59).nodes(5, &mut nodes);
        assert_eq!(nodes, []);
    }
}
