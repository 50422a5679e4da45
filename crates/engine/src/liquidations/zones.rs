//! Price zones where much was liquidated (features §4.8, R4.6): "support zones" of the original, from realised
//! liquidations only.
//!
//! Bins are 0.1 % of the logarithm of the price; each event adds its money, halved every day. The weight is counted from
//! the beginning of the UTC day, so that a day's passing halves every bin exactly. Longs and shorts have bins of their own:
//! what a zone says is on which side positions were closed there. A bin without an event for seven days is forgotten.

use barograph_domain::math::{exp, exp2, ln};
use barograph_domain::{Side, Span, Ts};
use serde::{Deserialize, Serialize};

/// Width of a bin in the logarithm of the price.
pub const BIN: f64 = 0.001;
/// Half-life of an event's weight.
pub const HALF_LIFE: Span = Span::hours(24);
/// Days after which an event counts no more.
pub const DAYS: i64 = 7;
const DAYS_KEPT: usize = 7;
/// Events within those days below which there are no zones.
pub const EVENTS_MIN: u32 = 20;
/// Bins kept per market; where there are more, the lightest goes.
const BINS_MAX: usize = 384;

#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Mass {
    usd: f64,
    /// Σ usd · (price / centre of the bin − 1): the mean price keeps its digits.
    lean: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Bin {
    at: i32,
    last_day: i32,
    long: Mass,
    short: Mass,
}

impl Bin {
    fn of(&self, side: Side) -> Mass {
        match side {
            Side::Long => self.long,
            Side::Short => self.short,
        }
    }
}

/// A run of bins that stand out, as of one moment.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Zone {
    /// Side of the positions that were closed here.
    pub liquidated_side: Side,
    /// Mean price of what was closed, weighted by money.
    pub price: f64,
    /// Upper edge of the highest bin.
    pub top: f64,
    /// Lower edge of the lowest bin.
    pub bottom: f64,
    /// Decayed money, quote units.
    pub usd: f64,
    /// Its part of all decayed money of both sides.
    pub share: f64,
    /// First and last bin.
    pub(crate) bins: (i32, i32),
}

/// Decayed bins of one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bins {
    /// Ascending by price.
    bins: Vec<Bin>,
    /// UTC day the weights are counted from.
    day: i64,
    /// Events by day, the newest last.
    events: [u32; DAYS_KEPT],
    /// Bins let go because there were too many.
    dropped: u64,
}

fn day_of(t: Ts) -> i64 {
    t.0.div_euclid(Span::days(1).0)
}

/// Weight of an instant as seen from the beginning of a day.
fn weight(at: Ts, day: i64) -> f64 {
    exp2((at - Ts(day * Span::days(1).0)).as_secs_f64() / HALF_LIFE.as_secs_f64())
}

#[expect(clippy::cast_possible_truncation, reason = "the logarithm of a price is far below two million")]
fn bin_of(price: f64) -> i32 {
    (ln(price) / BIN).floor() as i32
}

fn edge(bin: i32) -> f64 {
    exp(f64::from(bin) * BIN)
}

impl Bins {
    /// Takes an event. A price that is not above zero has no logarithm and is left out.
    pub fn push(&mut self, at: Ts, side: Side, price: f64, usd: f64) {
        if !(price > 0.0 && price.is_finite() && usd > 0.0 && usd.is_finite()) {
            return;
        }
        if self.bins.is_empty() {
            self.bins.reserve(BINS_MAX + 1);
        }
        self.settle(at);
        let age = self.day - day_of(at);
        if age >= DAYS {
            return;
        }
        if let Some(n) = usize::try_from(DAYS - 1 - age).ok().and_then(|i| self.events.get_mut(i)) {
            *n = n.saturating_add(1);
        }
        let index = bin_of(price);
        let last_day = i32::try_from(day_of(at)).unwrap_or(i32::MAX);
        let place = self.bins.partition_point(|b| b.at < index);
        if self.bins.get(place).is_none_or(|b| b.at != index) {
            self.bins.insert(place, Bin { at: index, last_day, long: Mass::default(), short: Mass::default() });
        }
        let bin = &mut self.bins[place];
        bin.last_day = bin.last_day.max(last_day);
        let mass = match side {
            Side::Long => &mut bin.long,
            Side::Short => &mut bin.short,
        };
        let weighed = usd * weight(at, self.day);
        mass.usd += weighed;
        mass.lean += weighed * (price / edge(index) - 1.0);
        if self.bins.len() > BINS_MAX {
            self.drop_lightest();
        }
    }

    fn drop_lightest(&mut self) {
        let mass = |b: &Bin| b.long.usd + b.short.usd;
        let lightest = (0..self.bins.len()).min_by(|a, b| mass(&self.bins[*a]).total_cmp(&mass(&self.bins[*b])));
        if let Some(at) = lightest {
            self.bins.remove(at);
            self.dropped += 1;
        }
    }

    /// Brings the weights to the day of `t`; earlier moments change nothing.
    pub fn settle(&mut self, t: Ts) {
        let today = day_of(t);
        if self.bins.is_empty() {
            self.day = self.day.max(today);
        }
        while self.day < today {
            self.day += 1;
            for bin in &mut self.bins {
                for mass in [&mut bin.long, &mut bin.short] {
                    mass.usd *= 0.5;
                    mass.lean *= 0.5;
                }
            }
            self.events.rotate_left(1);
            self.events[DAYS_KEPT - 1] = 0;
            let day = self.day;
            self.bins.retain(|b| day - i64::from(b.last_day) < DAYS);
            if self.bins.is_empty() {
                self.events = [0; DAYS_KEPT];
                self.day = today;
            }
        }
    }

    /// Events of the last seven days.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events.iter().fold(0, |a, b| a.saturating_add(*b))
    }

    /// Are there enough liquidations to speak of zones?
    #[must_use]
    pub fn are_enough(&self) -> bool {
        self.events() >= EVENTS_MIN
    }

    /// Zones at `t`, by price; longs before shorts. Empty below twenty events.
    pub fn zones(&self, t: Ts, out: &mut Vec<Zone>) {
        out.clear();
        if !self.are_enough() {
            return;
        }
        let total: f64 = self.bins.iter().map(|b| b.long.usd + b.short.usd).sum();
        let scale = 1.0 / weight(t, self.day);
        for side in [Side::Long, Side::Short] {
            let Some(threshold) = self.threshold(side) else { continue };
            let mut run: Option<(Zone, f64)> = None;
            for bin in &self.bins {
                let mass = bin.of(side);
                if mass.usd <= threshold {
                    continue;
                }
                let priced = edge(bin.at) * (mass.usd + mass.lean);
                run = match run {
                    Some((mut zone, sum)) if zone.bins.1 + 1 == bin.at => {
                        zone.bins.1 = bin.at;
                        zone.usd += mass.usd;
                        Some((zone, sum + priced))
                    }
                    before => {
                        out.extend(before.map(|(zone, sum)| finished(zone, sum, total, scale)));
                        let zone = Zone {
                            liquidated_side: side,
                            price: 0.0,
                            top: 0.0,
                            bottom: 0.0,
                            usd: mass.usd,
                            share: 0.0,
                            bins: (bin.at, bin.at),
                        };
                        Some((zone, priced))
                    }
                };
            }
            out.extend(run.map(|(zone, sum)| finished(zone, sum, total, scale)));
        }
    }

    /// Mean and one standard deviation of the bins of a side that are not empty; a single bin stands out by itself.
    fn threshold(&self, side: Side) -> Option<f64> {
        let masses = || self.bins.iter().map(|b| b.of(side).usd).filter(|m| *m > 0.0);
        let n = f64::from(u32::try_from(masses().count()).ok()?);
        if n < 2.0 {
            return (n > 0.0).then_some(0.0);
        }
        let mean = masses().sum::<f64>() / n;
        let variance = masses().map(|m| (m - mean) * (m - mean)).sum::<f64>() / n;
        Some(mean + variance.sqrt())
    }
}

fn finished(zone: Zone, priced: f64, total: f64, scale: f64) -> Zone {
    Zone {
        price: priced / zone.usd,
        top: edge(zone.bins.1 + 1),
        bottom: edge(zone.bins.0),
        usd: zone.usd * scale,
        share: zone.usd / total,
        ..zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(bins: &Bins, t: Ts) -> Vec<Zone> {
        let mut out = Vec::new();
        bins.zones(t, &mut out);
        out
    }

    #[test]
    fn the_heavy_bins_are_the_zone_and_its_money_halves_in_a_day() {
        let start = Ts::from_civil(2026, 2, 5, 6, 0, 0);
        let mut bins = Bins::default();
        for i in 0..30_i64 {
            // One dollar in each of thirty bins, and a million within 0.2 % around 60,000.
            let price = 50_000.0 * exp(BIN * (f64::from(i32::try_from(i).unwrap()) + 0.5));
            bins.push(start + Span::mins(i), Side::Long, price, 1.0);
        }
        for price in [60_010.0, 60_040.0, 60_080.0] {
            bins.push(start + Span::mins(30), Side::Long, price, 1e6);
        }
        let now = start + Span::mins(30);
        let found = zones(&bins, now);
        let total: f64 = found.iter().map(|z| z.usd).sum();
        assert!((total - 3e6).abs() < 1.0, "{found:?}");
        for z in &found {
            assert!(z.bottom < z.price && z.price < z.top && (60_000.0..60_090.0).contains(&z.price), "{z:?}");
            assert_eq!(z.liquidated_side, Side::Long);
        }
        bins.settle(now + Span::hours(24));
        let later: f64 = zones(&bins, now + Span::hours(24)).iter().map(|z| z.usd).sum();
        assert!((later - 0.5 * total).abs() < 1e-6 * total);
        bins.settle(now + Span::days(9));
        assert_eq!((zones(&bins, now + Span::days(9)), bins.events()), (vec![], 0), "seven days are over");
    }

    #[test]
    fn fewer_than_twenty_events_are_no_zones() {
        let mut bins = Bins::default();
        for i in 0..19_i32 {
            bins.push(
                Ts::from_secs(1_770_000_000 + i64::from(i)),
                Side::Short,
                100.0 + f64::from(i % 2),
                1e4 * f64::from(i + 1),
            );
        }
        assert_eq!(zones(&bins, Ts::from_secs(1_770_000_100)), vec![]);
        for bad in [f64::NAN, -1.0, 0.0, f64::INFINITY] {
            bins.push(Ts::from_secs(1_770_000_050), Side::Short, bad, 1.0);
            bins.push(Ts::from_secs(1_770_000_050), Side::Short, 1.0, bad);
        }
        assert_eq!(bins.events(), 19);
    }

    #[test]
    fn days_halve_exactly_whenever_they_are_noticed() {
        let start = Ts::from_civil(2026, 2, 1, 13, 7, 11);
        let (mut noticed, mut asleep) = (Bins::default(), Bins::default());
        for i in 0..200_i64 {
            let price = 100.0 + f64::from(i32::try_from(i % 17).unwrap()) * 0.13;
            for b in [&mut noticed, &mut asleep] {
                b.push(
                    start + Span::mins(7 * i),
                    if i % 3 == 0 { Side::Short } else { Side::Long },
                    price,
                    1e3 + price,
                );
            }
            noticed.settle(start + Span::mins(7 * i + 3));
        }
        let now = start + Span::days(4);
        for hours in 30..96 {
            noticed.settle(start + Span::hours(hours));
        }
        asleep.settle(now);
        noticed.settle(now);
        assert_eq!(noticed.bins, asleep.bins);
    }
}
