//! Readings of the charts: trend, ranges, and the labels of the trend and volatility axes on every timeframe.
//!
//! A timeframe is read from the first bar stream that has it ready; streams stand in the market's order of preference.

use super::Assembly;
use crate::ages::allowed;
use crate::catalogue::{Feature, each_feature};
use crate::chart::{ChartReadings, Read, Trend};
use crate::engine::Config;
use crate::features::reading::{Fullness, ReadingOrigin, Slot};
use crate::feeds::{Bars, Feeds, PriceFeed, PriceSeries};
use crate::rules::{Ruled, evaluate};
use barograph_domain::{Cell, Label, Span, State, TIMEFRAMES, Timeframes, TrendRegime, Ts, VolRegime};

impl Bars {
    /// Readings of the charts as of their newest bars.
    pub(crate) fn chart_readings(&self) -> &ChartReadings {
        &self.readings
    }
}

/// Bar streams with charts, in order of preference.
fn charted<'a>(feeds: &'a Feeds, config: &'a Config) -> impl Iterator<Item = (&'a PriceFeed, &'a Bars)> + Clone {
    feeds.prices.iter().filter(|f| allowed(bar_kind(f), config)).filter_map(|f| match &f.series {
        PriceSeries::Bars(bars) if bars.charts.is_some() => Some((f, &**bars)),
        PriceSeries::Bars(_) | PriceSeries::Plain(_) => None,
    })
}

/// Bars are what these definitions ask for: the stream's own kind, not that of its volatility.
fn bar_kind(feed: &PriceFeed) -> barograph_domain::Kind {
    feed.declared
}

/// As of which bars the charts were read last, and until when what was read holds.
#[derive(Clone, Debug, Default)]
pub(super) struct ChartsRead {
    taken: Vec<u32>,
    until: Option<Ts>,
}

impl ChartsRead {
    /// Whether a bar has closed or something has grown too old since the last time that this was true.
    pub(super) fn moved(&mut self, feeds: &Feeds, t: Ts, config: &Config) -> bool {
        let now = || charted(feeds, config).map(|(_, bars)| bars.chart_readings().taken);
        if self.until.is_some_and(|u| t <= u) && now().eq(self.taken.iter().copied()) {
            return false;
        }
        self.taken.clear();
        self.taken.extend(now());
        self.until = Some(Ts::MAX);
        true
    }

    /// A reading that was taken: it holds as long as it is ready.
    fn holds(&mut self, slot: &Slot) {
        if slot.cell.state == State::Ready {
            self.until = self.until.map(|u| u.min(slot.expires));
        }
    }
}

impl Assembly {
    pub(super) fn charts(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let at = TIMEFRAMES.iter().position(|f| *f == config.book.trend_tf).unwrap_or(0);
        let trend = |of: fn(&Trend) -> f64| choose(feeds, t, config, at, |r| r.trend[at].map(|line| (of(&line), 1.0)));
        let hourly = |of: fn(&ChartReadings) -> Read<(f64, f32)>| choose(feeds, t, config, 0, of);
        macro_rules! take {
            (trend $feature:ident ($of:expr) $among:tt) => {
                self.take_chart(Feature::$feature, &trend($of));
            };
            (hourly $feature:ident ($field:ident) $among:tt) => {
                self.take_chart(Feature::$feature, &hourly(|r| r.$field));
            };
            ($($other:tt)*) => {};
        }
        each_feature!(take);
    }

    fn take_chart(&mut self, feature: Feature, slot: &Slot) {
        self.put(feature, slot);
        self.charts_read.holds(slot);
    }

    /// Labels of the trend and the volatility axis on every timeframe, by the book's own rules with the readings of that
    /// timeframe in their place. They are asked again when a bar has closed or a stream fell silent.
    pub(super) fn timeframe_labels(&mut self, feeds: &Feeds, t: Ts, config: &Config) {
        let slots: [[Slot; 3]; 4] = core::array::from_fn(|i| {
            [
                choose(feeds, t, config, i, |r| r.trend[i].map(|v| (v.slope_pct, 1.0))),
                choose(feeds, t, config, i, |r| r.trend[i].map(|v| (v.p, 1.0))),
                choose(feeds, t, config, i, |r| r.vol_daily[i].map(|v| (v, 1.0))),
            ]
        });
        slots.iter().flatten().for_each(|slot| self.timeframes_read.holds(slot));
        let key = slots.map(|s| s.map(|slot| (slot.cell.anchor, slot.cell.stream, slot.at(t).state == State::Ready)));
        if self.timeframes_key.as_ref() == Some(&key) {
            return;
        }
        self.timeframes_key = Some(key);
        let mut cells = core::mem::take(&mut self.scratch_cells);
        cells.clear();
        cells.extend_from_slice(self.cells());
        let put = |cells: &mut Vec<Cell>, feature: Feature, slot: &Slot, scale: f64| {
            let cell = slot.at(t);
            cells[feature.index()] = Cell { value: cell.value * scale, ..cell };
        };
        let mut out = Timeframes::default();
        for (i, [slope, p, vol]) in slots.iter().enumerate() {
            // Thresholds are stated for the book's timeframe and grow with the root of the bar's length.
            let scale = (config.book.trend_tf.as_secs_f64() / TIMEFRAMES[i].as_secs_f64()).sqrt();
            put(&mut cells, Feature::SlopePct, slope, scale);
            put(&mut cells, Feature::TrendP, p, 1.0);
            put(&mut cells, Feature::VolDaily, vol, 1.0);
            out.trend[i] = raw::<TrendRegime>(config, &cells);
            out.volatility[i] = raw::<VolRegime>(config, &cells);
        }
        self.timeframes = out;
        self.scratch_cells = cells;
    }
}

fn raw<L: Ruled + Label>(config: &Config, cells: &[Cell]) -> L {
    evaluate::<L>(&config.book, cells).raw
}

/// A reading of one timeframe from the first stream that has it ready, else from the first that has seen a bar.
fn choose(feeds: &Feeds, t: Ts, config: &Config, at: usize, read: impl Fn(&ChartReadings) -> Read<(f64, f32)>) -> Slot {
    let mut seen = Slot::MISSING;
    for (feed, bars) in charted(feeds, config) {
        let readings = bars.chart_readings();
        let Some(anchor) = readings.anchors[at] else { continue };
        // What a timeframe says is that of its last close. It stands until the next one and the stream's own limit after it,
        // however many quiet minutes lie between; the limit of a bar of the stream's own length counts from its close.
        let next = if feed.step() < TIMEFRAMES[at] { TIMEFRAMES[at] } else { Span::ZERO };
        let expires = anchor + next + feed.max_age();
        let origin = ReadingOrigin { kind: bar_kind(feed), expires, ..feed.origin().at(anchor) };
        let slot = match read(readings) {
            Ok((value, coverage)) => origin.ready(value, Fullness { coverage, partial: coverage < 1.0 }),
            Err(state) => origin.not_ready(state),
        };
        if slot.ready(t).is_some() {
            return slot;
        }
        if seen.cell.stream.is_none() {
            seen = slot;
        }
    }
    seen
}
