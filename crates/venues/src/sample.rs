//! The first rows of a table, and what can be measured on them: how far apart rows are, and whether they are of one market.

use crate::layout::{BarColumns, Layout, Shape};
use crate::number;
use barograph_domain::{Span, Stamp, Ts};

/// A cell of the first rows, kept.
#[derive(Clone, PartialEq, Debug)]
pub enum Owned {
    /// Nothing there.
    Empty,
    /// Text as it stands in the file.
    Text(String),
    /// A float.
    Float(f64),
    /// An integer.
    Int(i64),
    /// An instant.
    Time(Ts),
}

impl Owned {
    /// As a number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(t) => number::decimal(t.as_bytes()),
            Self::Float(v) => Some(*v).filter(|v| v.is_finite()),
            Self::Int(n) => number::whole(*n),
            Self::Empty | Self::Time(_) => None,
        }
    }
    /// As an instant, where it is one.
    #[must_use]
    pub fn time(&self) -> Option<Ts> {
        let at = match self {
            Self::Text(t) => number::instant(t.as_bytes()),
            Self::Float(v) => number::whole_float(*v).and_then(Ts::from_epoch),
            Self::Int(n) => Ts::from_epoch(*n),
            Self::Time(at) => Some(*at),
            Self::Empty => None,
        };
        at.filter(|at| number::PLAUSIBLE.contains(at))
    }
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// The first rows of a table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sample {
    /// Column names, where the table has any.
    pub names: Option<Vec<String>>,
    /// Rows, at most some hundreds.
    pub rows: Vec<Vec<Owned>>,
    /// Rows must have as many cells as there are names (CSV); objects may leave some out.
    pub strict_width: bool,
}

/// Timeframe or step of a table, from its first rows: the commonest distance between neighbouring stamps of one key.
/// Settled funding is rounded to the minute, its stamps jitter. `None` for fewer than two rows.
#[must_use]
pub fn cadence(sample: &Sample, layout: &Layout) -> Option<Span> {
    if let (Shape::Funding { interval_h: Some(column), .. }, Some(row)) = (&layout.shape, sample.rows.first()) {
        let hours = row.get(*column).and_then(Owned::number).and_then(number::whole_float);
        return hours.filter(|h| (1..=168).contains(h)).map(Span::hours);
    }
    if let Shape::Bars { columns: BarColumns { close_time: Some(close), calendar_month: false, .. }, .. } = layout.shape
    {
        let length = |row: &Vec<Owned>| {
            let (from, until) = (row.get(layout.clock.column)?.time()?, row.get(close)?.time()?);
            Some(until.ceil(Span::secs(1)) - from).filter(|s| *s > Span::ZERO)
        };
        if layout.clock.stamp == Stamp::Open {
            return commonest(sample.rows.iter().filter_map(length));
        }
    }
    let is_funding = matches!(layout.shape, Shape::Funding { .. });
    let rounded = |s: Span| if is_funding { Span((Ts(s.0) + Span::secs(30)).floor(Span::mins(1)).0) } else { s };
    commonest(steps(sample, layout).into_iter().map(rounded).filter(|s| *s > Span::ZERO))
}

/// Distances between neighbouring stamps of the same key.
fn steps(sample: &Sample, layout: &Layout) -> Vec<Span> {
    let key = |row: &Vec<Owned>| {
        let keys = [layout.venue, layout.symbol].into_iter().flatten();
        keys.filter_map(|c| row.get(c)).map(|cell| format!("{cell:?}")).collect::<Vec<_>>()
    };
    let kept = |row: &&Vec<Owned>| {
        layout.filter.iter().all(|(c, want)| match row.get(*c) {
            Some(Owned::Text(t)) => t.eq_ignore_ascii_case(want),
            Some(Owned::Empty) | None => want.is_empty(),
            Some(_) => true,
        })
    };
    let stamp = |row: &Vec<Owned>| Some((key(row), row.get(layout.clock.column)?.time()?));
    let mut stamps: Vec<(Vec<String>, Ts)> = sample.rows.iter().filter(kept).filter_map(stamp).collect();
    stamps.sort();
    stamps.windows(2).filter(|w| w[0].0 == w[1].0).map(|w| w[1].1 - w[0].1).collect()
}

/// Candles and series of one market have one row per stamp. Where most rows share theirs, several markets are mixed, and
/// no column known here tells them apart.
pub(crate) fn one_row_per_stamp(sample: &Sample, layout: &Layout) -> Result<(), String> {
    let on_grid = matches!(layout.shape, Shape::Bars { .. } | Shape::Funding { .. } | Shape::Values(_));
    // Equal rows are duplicates, not markets.
    let mut rows = sample.rows.clone();
    rows.dedup();
    let steps = steps(&Sample { rows, ..Sample::default() }, layout);
    let same = steps.iter().filter(|s| **s == Span::ZERO).count();
    if on_grid && 2 * same > steps.len() {
        return Err("several rows share each stamp, as if of several markets; keep one with --columns \
             …,where.<column>=<value>"
            .to_owned());
    }
    Ok(())
}

/// The commonest, the shortest of equals.
fn commonest(spans: impl Iterator<Item = Span>) -> Option<Span> {
    let mut counts = std::collections::BTreeMap::<Span, usize>::new();
    for span in spans {
        *counts.entry(span).or_default() += 1;
    }
    counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0))).map(|(span, _)| span)
}
