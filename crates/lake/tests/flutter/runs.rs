//! What is counted of a label over time: changes, episodes and the flip-flop index (verification §5).
//!
//! A label is kept as runs: the moments at which it became another one. Everything here follows from them. Labels are their stored
//! codes; UNKNOWN is a label like the others where changes are counted, and its minutes count for no market-day.

use barograph_domain::time::DAY;
use barograph_domain::{Span, Ts};

/// A span of time, the beginning included and the end not.
pub(crate) type Period = (Ts, Ts);

/// The moments at which a label became another one, with its code from there on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    begins: Vec<(Ts, u8)>,
    end: Option<Ts>,
    /// The code that says nothing.
    unknown: u8,
}

/// What is said of one label over one period.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Time with a label, in days.
    pub(crate) days: f64,
    pub(crate) changes: usize,
    /// Changes to or from UNKNOWN among them.
    pub(crate) with_unknown: usize,
    /// Sum and number of the flip-flop indexes of whole UTC days.
    pub(crate) flip_flop: (f64, usize),
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.changes += other.changes;
        self.with_unknown += other.with_unknown;
        self.flip_flop.0 += other.flip_flop.0;
        self.flip_flop.1 += other.flip_flop.1;
    }
    /// Changes per market-day.
    #[expect(clippy::cast_precision_loss, reason = "thousands of changes")]
    pub(crate) fn rate(&self) -> f64 {
        self.changes as f64 / self.days
    }
    /// Mean flip-flop index of a day.
    #[expect(clippy::cast_precision_loss, reason = "thousands of days")]
    pub(crate) fn flip_flop_mean(&self) -> f64 {
        self.flip_flop.0 / self.flip_flop.1 as f64
    }
}

impl Runs {
    pub(crate) const fn new(unknown: u8) -> Self {
        Self { begins: Vec::new(), end: None, unknown }
    }

    /// The label of a minute. Nothing is kept before the first one that says something.
    pub(crate) fn push(&mut self, ts: Ts, code: u8) {
        let last = self.begins.last().map_or(self.unknown, |(_, code)| *code);
        if code != last {
            self.begins.push((ts, code));
        }
        self.end = Some(ts);
    }

    /// Label, beginning and end of every run, the one under way included.
    fn runs(&self) -> impl Iterator<Item = (u8, Ts, Ts)> + '_ {
        let end = self.end.unwrap_or(Ts::MIN);
        let until = self.begins.iter().skip(1).map(|(ts, _)| *ts).chain([end]);
        self.begins.iter().zip(until).map(|((from, code), until)| (*code, *from, until))
    }

    /// The label at a moment; UNKNOWN before the first.
    pub(crate) fn at(&self, ts: Ts) -> u8 {
        let after = self.begins.partition_point(|(from, _)| *from <= ts);
        after.checked_sub(1).map_or(self.unknown, |i| self.begins[i].1)
    }

    /// Is it this label at some moment from the one to the other, both included?
    pub(crate) fn is_on_within(&self, code: u8, from: Ts, to: Ts) -> bool {
        let first = self.begins.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let touched = self.begins.iter().skip(first).take_while(|(at, _)| *at <= to);
        self.at(from) == code || touched.skip_while(|(at, _)| *at < from).any(|(_, c)| *c == code)
    }

    /// Time within a period at which this and another series of the same axis differ, as a share of the time with a label here.
    pub(crate) fn differing(&self, other: &Self, within: Period) -> (f64, f64) {
        let (mut differ, mut known) = (0.0, 0.0);
        for (code, from, until) in self.runs() {
            if code == self.unknown {
                continue;
            }
            let (from, until) = (from.max(within.0), until.min(within.1));
            if from >= until {
                continue;
            }
            known += days(until - from);
            let mut at = from;
            while at < until {
                let next = other.begins.partition_point(|(ts, _)| *ts <= at);
                let to = other.begins.get(next).map_or(until, |(ts, _)| (*ts).min(until));
                if other.at(at) != code {
                    differ += days(to - at);
                }
                at = to;
            }
        }
        (differ, known)
    }

    /// Time within a period at which it is this label, in days.
    pub(crate) fn held(&self, code: u8, within: Period) -> f64 {
        let of = self.runs().filter(|(c, ..)| *c == code);
        of.map(|(_, from, until)| days((until.min(within.1) - from.max(within.0)).max(Span::ZERO))).sum()
    }

    pub(crate) fn counted(&self, within: Period, rank: impl Fn(u8) -> f64) -> Counted {
        let inside = |ts: Ts| ts >= within.0 && ts < within.1;
        let known: Vec<_> = self.runs().filter(|(code, ..)| *code != self.unknown).collect();
        let clipped = known.iter().map(|(_, from, until)| (until.min(&within.1), from.max(&within.0)));
        let days = clipped.map(|(until, from)| days((*until - *from).max(Span::ZERO))).sum();
        let pairs = self.begins.windows(2).filter(|w| inside(w[1].0));
        let with_unknown = pairs.clone().filter(|w| w[0].1 == self.unknown || w[1].1 == self.unknown).count();
        Counted { days, changes: pairs.count(), with_unknown, flip_flop: self.flip_flop(within, rank) }
    }

    /// Lengths of the completed episodes of a label that begin in a period, ascending; UNKNOWN is none.
    pub(crate) fn episodes(&self, within: Period) -> Vec<Span> {
        let whole = self.begins.len().saturating_sub(1);
        let inside = |ts: Ts| ts >= within.0 && ts < within.1;
        let of = self.runs().take(whole).filter(|(code, from, _)| *code != self.unknown && inside(*from));
        let mut lengths: Vec<Span> = of.map(|(_, from, until)| until - from).collect();
        lengths.sort_unstable();
        lengths
    }

    /// Sum of the flip-flop indexes of the UTC days that have a label throughout, and how many they are. A day is its 288 grid
    /// points of five minutes.
    fn flip_flop(&self, within: Period, rank: impl Fn(u8) -> f64) -> (f64, usize) {
        let (mut sum, mut n) = (0.0, 0);
        let Some((first, _)) = self.begins.first() else { return (sum, n) };
        let mut day = first.max(&within.0).ceil(DAY);
        while self.end.is_some_and(|end| day + DAY <= end) && day + DAY <= within.1 {
            let codes: Vec<u8> = (0..288).map(|i| self.at(day + Span::mins(5 * i))).collect();
            if !codes.contains(&self.unknown) {
                let series: Vec<f64> = codes.iter().map(|c| rank(*c)).collect();
                sum += flip_flop_index(&series).unwrap_or_default();
                n += 1;
            }
            day = day + DAY;
        }
        (sum, n)
    }
}

#[expect(clippy::cast_precision_loss, reason = "days of some years")]
fn days(span: Span) -> f64 {
    span.0 as f64 / DAY.0 as f64
}

/// How much of a series' path was taken back again (Griffiths et al. 2019): `(Σ abs(step) − (max − min)) / (N − 2)`. `None` for
/// fewer than three values.
#[expect(clippy::cast_precision_loss, reason = "a day of values")]
pub(crate) fn flip_flop_index(series: &[f64]) -> Option<f64> {
    let steps = series.len().checked_sub(2).filter(|n| *n > 0)?;
    let path: f64 = series.windows(2).map(|w| (w[1] - w[0]).abs()).sum();
    let highest = series.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = series.iter().copied().fold(f64::INFINITY, f64::min);
    Some((path - (highest - lowest)) / steps as f64)
}

/// The value that a share of ascending ones does not exceed (nearest rank).
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
pub(crate) fn quantile(ascending: &[Span], share: f64) -> Option<Span> {
    let rank = (share * ascending.len() as f64).ceil() as usize;
    ascending.get(rank.saturating_sub(1)).copied()
}

#[test]
fn the_index_is_that_of_the_golden_vectors() {
    let golden = barograph_testkit::GoldenTable::whole("flip_flop");
    for row in golden.rows() {
        let series: Vec<f64> = row.text("series").split(';').map(|x| x.parse().unwrap()).collect();
        let got = flip_flop_index(&series).unwrap();
        assert!((got - row.need("flip_flop_index")).abs() <= 1e-12, "{series:?}: {got}");
    }
    assert_eq!((flip_flop_index(&[1.0, 2.0]), flip_flop_index(&[])), (None, None));
}

#[test]
fn a_label_is_counted_by_its_runs() {
    let at = |minute: i64| Ts::from_civil(2025, 1, 1, 0, 0, 0) + Span::mins(minute);
    let mut runs = Runs::new(9);
    for (minute, code) in (0..3_000).map(|m| (m, if m < 10 { 9 } else { u8::from((100..110).contains(&m)) * 3 })) {
        runs.push(at(minute), code);
    }
    let all = (at(0), at(3_000));
    let counted = runs.counted(all, f64::from);
    assert_eq!((counted.changes, counted.with_unknown), (2, 0), "the first label is no change");
    assert!((counted.days - 2_989.0 / 1_440.0).abs() < 1e-12, "{counted:?}");
    assert_eq!(runs.episodes(all), [Span::mins(10), Span::mins(90)], "what has not ended is no episode");
    assert_eq!((counted.flip_flop.1, counted.flip_flop.0), (1, 0.0), "the first day lacks ten minutes");
    assert_eq!([at(99), at(100), at(110)].map(|ts| runs.at(ts)), [0, 3, 0]);
    assert!(runs.is_on_within(3, at(105), at(300)) && runs.is_on_within(3, at(50), at(100)));
    assert!(!runs.is_on_within(3, at(50), at(99)) && !runs.is_on_within(3, at(110), at(300)));
    let mut raw = Runs::new(9);
    (0..3_000).for_each(|m| raw.push(at(m), 0));
    let (differ, known) = runs.differing(&raw, all);
    assert!((differ * 1_440.0 - 10.0).abs() < 1e-9 && (known * 1_440.0 - 2_989.0).abs() < 1e-9, "{differ} {known}");
    assert!((runs.held(3, all) * 1_440.0 - 10.0).abs() < 1e-9);
}
