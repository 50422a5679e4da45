//! What labels are there to foresee, as it came about: `hv_1h` and `squeeze_4h` (verification §2), and the share of
//! it that a label preceded.
//!
//! The conditions are read off the same recordings as the labels. Of `hv_1h` it is the engine's own `realized_vol_1h` above 0.80:
//! minute returns where there are minutes, the range of the bar where there are only hours. Of `squeeze_4h` it is the move of the
//! bars against the crowded side; no recording has liquidations of a venue, so that half of the definition is left out.
//!
//! An event is a maximal run of the condition; runs less than the horizon apart are one. Its onset is the first minute of the run. It
//! was foreseen where the label was on at some minute from the horizon before the onset up to the onset itself.

use crate::flutter::runs::{Period, Runs};
use barograph_domain::{MinuteRow, Span, Ts};
use barograph_engine::advice::wilson;
use barograph_engine::catalogue::Feature;
use std::collections::VecDeque;

/// Normal quantile of a band of 90 %.
const Z_90: f64 = 1.644_853_626_951_472_2;

/// The onsets of one kind of event.
#[derive(Clone, Debug)]
pub(crate) struct Onsets {
    horizon: Span,
    onsets: Vec<Ts>,
    /// Last minute at which the condition held.
    last: Option<Ts>,
}

/// Events of a period, how many were foreseen, and how many fell where the axis had no label.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Recall {
    pub(crate) events: u32,
    pub(crate) foreseen: u32,
    pub(crate) unjudged: u32,
}

impl Recall {
    pub(crate) fn add(&mut self, other: Self) {
        self.events += other.events;
        self.foreseen += other.foreseen;
        self.unjudged += other.unjudged;
    }
    /// Share and its Wilson band of 90 %.
    pub(crate) fn share(&self) -> Option<(f64, f64, f64)> {
        let (low, high) = wilson(self.foreseen, self.events, Z_90)?;
        Some((f64::from(self.foreseen) / f64::from(self.events), low, high))
    }
}

impl Onsets {
    pub(crate) const fn new(horizon: Span) -> Self {
        Self { horizon, onsets: Vec::new(), last: None }
    }

    /// The condition at a minute.
    pub(crate) fn push(&mut self, ts: Ts, holds: bool) {
        if holds {
            if self.last.is_none_or(|last| ts - last >= self.horizon) {
                self.onsets.push(ts);
            }
            self.last = Some(ts);
        }
    }

    /// How many of a period's events the label preceded.
    pub(crate) fn recall(&self, labels: &Runs, code: u8, unknown: u8, within: Period) -> Recall {
        let mut out = Recall::default();
        for onset in self.onsets.iter().filter(|ts| **ts >= within.0 && **ts < within.1) {
            if labels.at(*onset) == unknown {
                out.unjudged += 1;
                continue;
            }
            out.events += 1;
            out.foreseen += u32::from(labels.is_on_within(code, *onset - self.horizon, *onset));
        }
        out
    }
}

/// Follows moves against the crowded side: at which price a move that began on one of the last 4 h reaches twice the average true
/// range that was known when it began.
#[derive(Debug)]
pub(crate) struct Squeezes {
    /// Moment, price that is reached, and whether it lies below.
    open: VecDeque<(Ts, f64, bool)>,
    pub(crate) onsets: Onsets,
}

/// Horizon of `squeeze_4h`, and the grid on which forecasts are issued.
const REACH: Span = Span::hours(4);
const GRID: Span = Span::mins(5);

impl Squeezes {
    pub(crate) fn new() -> Self {
        Self { open: VecDeque::new(), onsets: Onsets::new(REACH) }
    }

    /// A bar that closed at this minute: may end what began before it.
    pub(crate) fn bar(&mut self, ts: Ts, step: Span, high: f64, low: f64) {
        // What began within the bar saw only a part of it.
        let reached = |(at, price, below): &(Ts, f64, bool)| {
            *at <= ts - step && ts - *at <= REACH && if *below { low <= *price } else { high >= *price }
        };
        let holds = self.open.iter().any(reached);
        self.onsets.push(ts, holds);
    }

    /// What a minute says about the crowd, the price and the range.
    pub(crate) fn row(&mut self, row: &MinuteRow) {
        while self.open.front().is_some_and(|(at, ..)| row.ts - *at > REACH) {
            self.open.pop_front();
        }
        if row.ts.floor(GRID) != row.ts {
            return;
        }
        let ready = |feature: Feature| row.cells[feature.index()].ready();
        if let (Some(price), Some(atr), Some(side)) =
            (row.price, ready(Feature::Atr14), ready(Feature::SqueezeDirection))
        {
            // The first word is LONG_SQUEEZE: longs are crowded, and a fall hurts them.
            let below = side < 0.5;
            self.open.push_back((row.ts, if below { price - 2.0 * atr } else { price + 2.0 * atr }, below));
        }
    }
}

#[test]
fn runs_near_each_other_are_one_event_and_a_label_before_or_at_the_onset_foresees_it() {
    let at = |minute: i64| Ts::from_civil(2025, 1, 1, 0, 0, 0) + Span::mins(minute);
    let mut onsets = Onsets::new(Span::hours(1));
    for minute in 0..1_000 {
        let holds = (300..305).contains(&minute) || minute == 350 || (500..600).contains(&minute) || minute == 10;
        onsets.push(at(minute), holds);
    }
    assert_eq!(onsets.onsets, [at(10), at(300), at(500)], "the run at 350 belongs to the one before");
    let mut labels = Runs::new(9);
    (0..1_000).for_each(|m| labels.push(at(m), if m < 20 { 9 } else { u8::from(m == 240 || m == 439) }));
    let got = onsets.recall(&labels, 1, 9, (at(0), at(1_000)));
    assert_eq!(got, Recall { events: 2, foreseen: 1, unjudged: 1 }, "an hour before is, a minute more is not");
    let (share, low, high) = got.share().unwrap();
    assert!((share - 0.5).abs() < 1e-12 && low > 0.1 && high < 0.9, "{share} {low} {high}");
}

#[test]
fn a_squeeze_is_a_move_of_two_ranges_against_the_crowd_within_four_hours() {
    let at = |minute: i64| Ts::from_civil(2025, 1, 1, 0, 0, 0) + Span::mins(minute);
    let reaches = |minute: i64, high: f64, low: f64, crowd: f64| {
        let mut squeezes = Squeezes::new();
        let mut row = MinuteRow::bare(at(0));
        row.cells =
            vec![barograph_domain::Cell::ready_at(crowd, at(0), barograph_domain::Kind::Measured); Feature::COUNT];
        row.cells[Feature::Atr14.index()].value = 2.0;
        row.price = Some(100.0);
        squeezes.row(&row);
        squeezes.bar(at(minute), Span::mins(5), high, low);
        squeezes.onsets.onsets.len()
    };
    assert_eq!(
        [reaches(60, 101.0, 96.0, 0.0), reaches(60, 101.0, 96.1, 0.0), reaches(60, 104.0, 99.0, 1.0)],
        [1, 0, 1]
    );
    assert_eq!(
        [reaches(240, 101.0, 96.0, 0.0), reaches(245, 101.0, 96.0, 0.0), reaches(4, 101.0, 96.0, 0.0)],
        [1, 0, 0]
    );
}
