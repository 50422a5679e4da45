//! Labels from rows.

use super::id::{ReturnHorizon, TargetId};
use super::labelled::{LabelledRows, Unlabelled};
use super::span::{LabelSpan, LabelSpans, SpanError};
use super::window::{Marks, WindowSums};
use crate::frame::{FrameColumn, ResearchFrame};
use crate::order::count;
use barograph_domain::time::YEAR;
use barograph_domain::{Span, math};

/// The columns that labels are read from.
const MID: &str = "mid_price";
const SINCE_GAP: &str = "dq_seconds_since_gap";
const BOOK_AGE: &str = "dq_book_age_ms";
const SWEEP_BUY: &str = "sweep_cost_buy_bps";
const SWEEP_SELL: &str = "sweep_cost_sell_bps";

/// The book changed in a row's second when its last change is younger than this.
const CHANGED_MS: f64 = 1_000.0;
/// A book that has not changed for longer is stale (features §7, book validity).
const STALE_MS: f64 = 5_000.0;
/// Seconds with a usable book that a forward volatility needs, of its 1 800: as many as the column `realized_vol_1800s` has returns (features
/// §7).
const USABLE_MIN: usize = 1_440;

/// Why there are no labels at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetError {
    /// The frame lacks a column that the target is made of.
    Column(&'static str),
    /// The spans that came of it do not fit together; a mistake of this program.
    Spans(SpanError),
}

impl core::fmt::Display for TargetError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Column(name) => write!(f, "the rows have no column {name}, which the target is made of"),
            Self::Spans(why) => write!(f, "{why}"),
        }
    }
}

impl core::error::Error for TargetError {}

/// Why a row has no label.
#[derive(Clone, Copy)]
enum NoLabel {
    Now,
    Unchanged,
    End,
    Gap,
    Stale,
    Unusable,
    Input,
    Zero,
}

/// A label before it is put among the others.
struct FoundLabel {
    value: f64,
    /// The row at which it is known.
    end: usize,
    /// Did the mid stay where it was? Of targets that are no moves: no.
    still: bool,
}

type Found = Result<FoundLabel, NoLabel>;

/// Reads labels from a frame. Each target takes time proportional to the rows.
#[derive(Debug)]
pub struct Labeller<'a> {
    frame: &'a ResearchFrame,
    mid: &'a FrameColumn,
    since_gap: &'a FrameColumn,
    unusable: Marks,
    /// Those of them whose book was stale.
    stale: Marks,
}

impl<'a> Labeller<'a> {
    /// Reads from a frame with the columns `mid_price` and `dq_seconds_since_gap`.
    ///
    /// # Errors
    /// One of the two is not there. Without the second nobody knows where gaps are.
    pub fn new(frame: &'a ResearchFrame) -> Result<Self, TargetError> {
        let unusable = Marks::new((0..frame.len()).map(|row| !frame.is_valid(row)));
        let age = frame.column(BOOK_AGE);
        let is_old = |row: usize| age.and_then(|a| a.get(row)).is_some_and(|ms| ms > STALE_MS);
        let stale = Marks::new((0..frame.len()).map(|row| !frame.is_valid(row) && is_old(row)));
        Ok(Self { frame, mid: column(frame, MID)?, since_gap: column(frame, SINCE_GAP)?, unusable, stale })
    }

    /// The labels of one target.
    ///
    /// # Errors
    /// A column that it is made of is not there.
    pub fn label(&self, target: TargetId) -> Result<LabelledRows, TargetError> {
        match target {
            TargetId::Return(h) | TargetId::Direction(h) | TargetId::Direction3(h) => {
                self.gather(target, |row| self.log_return(row, h))
            }
            TargetId::Tick1Return => self.ticks(target, 1),
            TargetId::Tick5Return | TargetId::Tick5Direction => self.ticks(target, 5),
            TargetId::VolRegime => self.forward_vol(target),
            TargetId::CostBuy1m | TargetId::CostBuy5m => self.forward_cost(target, SWEEP_BUY),
            TargetId::CostSell1m | TargetId::CostSell5m => self.forward_cost(target, SWEEP_SELL),
        }
    }

    /// The mid of a row whose book could be used.
    fn mid(&self, row: usize) -> Option<f64> {
        self.mid.get(row).filter(|mid| *mid > 0.0 && self.frame.is_valid(row))
    }

    /// Why the book of a row could not be used.
    fn unused(&self, row: usize) -> NoLabel {
        if self.stale.among(row, row) > 0 { NoLabel::Stale } else { NoLabel::Unusable }
    }

    /// The row at `t + span`, provided that no second is missing up to it and no gap was declared.
    fn row_after(&self, row: usize, span: Span) -> Result<usize, NoLabel> {
        let times = self.frame.times();
        self.mid(row).ok_or(NoLabel::Now)?;
        let end = times[row] + span;
        if times.last().is_none_or(|last| *last < end) {
            return Err(NoLabel::End);
        }
        // Rows are a second apart at least, so that this one lies at the end only where no second is missing.
        let at = row + usize::try_from(span.as_secs()).unwrap_or(usize::MAX / 2);
        if times.get(at) != Some(&end) {
            return Err(NoLabel::Gap);
        }
        self.unbroken(row, at).map(|()| at)
    }

    /// Is every second there after `first` up to and with `last`, and no gap declared among them (research §1)? A book that stood still or
    /// was crossed in between is no gap: the recording goes on, and the next usable one says where the mid has come to.
    fn unbroken(&self, first: usize, last: usize) -> Result<(), NoLabel> {
        let span = self.frame.times()[last] - self.frame.times()[first];
        let seconds = span.as_secs_f64();
        let rows = usize::try_from(span.as_secs()).is_ok_and(|s| s == last - first);
        // Where the age of the last gap is absent, there may have been one.
        let declared = self.since_gap.get(last).is_none_or(|since| since < seconds);
        if !rows || declared { Err(NoLabel::Gap) } else { Ok(()) }
    }

    /// Could the book be used on every row after `first` up to and with `last`?
    fn usable(&self, first: usize, last: usize) -> Result<(), NoLabel> {
        if self.stale.among(first + 1, last) > 0 {
            return Err(NoLabel::Stale);
        }
        if self.unusable.among(first + 1, last) > 0 { Err(NoLabel::Unusable) } else { Ok(()) }
    }

    fn log_return(&self, row: usize, horizon: ReturnHorizon) -> Found {
        let end = self.row_after(row, horizon.span())?;
        let now = self.mid(row).ok_or(NoLabel::Now)?;
        let then = self.mid(end).ok_or_else(|| self.unused(end))?;
        let value = math::ln(then / now);
        Ok(FoundLabel { value, end, still: value == 0.0 })
    }

    fn ticks(&self, target: TargetId, k: usize) -> Result<LabelledRows, TargetError> {
        let age = column(self.frame, BOOK_AGE)?;
        let changed = |row: &usize| self.mid(*row).is_some() && age.get(*row).is_some_and(|ms| ms < CHANGED_MS);
        let changes: Vec<usize> = (0..self.frame.len()).filter(changed).collect();
        let mut places = vec![None; self.frame.len()];
        changes.iter().enumerate().for_each(|(place, row)| places[*row] = Some(place));
        self.gather(target, |row| {
            let now = self.mid(row).ok_or(NoLabel::Now)?;
            let place = places[row].ok_or(NoLabel::Unchanged)?;
            let end = *changes.get(place + k).ok_or(NoLabel::End)?;
            self.unbroken(row, end)?;
            let value = self.mid(end).ok_or(NoLabel::Input)? / now - 1.0;
            Ok(FoundLabel { value, end, still: value == 0.0 })
        })
    }

    fn forward_vol(&self, target: TargetId) -> Result<LabelledRows, TargetError> {
        let span = Span::mins(30);
        let width = 1_800;
        let times = self.frame.times();
        // The mid of a row is the last valid one at or before it (research §1), so that a move over seconds in which the book stood still
        // or was crossed counts where it ends.
        let mut last = None;
        let squares: Vec<f64> = (0..self.frame.len())
            .map(|row| {
                let goes_on = row > 0 && times[row] - times[row - 1] == Span::secs(1);
                let before = last.filter(|_| goes_on);
                last = self.mid(row).or(before);
                let ret = last.zip(before).map_or(0.0, |(now, before): (f64, f64)| math::ln(now / before));
                ret * ret
            })
            .collect();
        let usable = Marks::new((0..self.frame.len()).map(|row| self.mid(row).is_some()));
        let sums = WindowSums::new(&squares, width);
        let year = YEAR.as_secs_f64();
        self.gather(target, |row| {
            let end = self.row_after(row, span)?;
            self.mid(end).ok_or_else(|| self.unused(end))?;
            let n = usable.among(row + 1, end);
            let sum = sums.get(row + 1).filter(|_| n >= USABLE_MIN).ok_or(NoLabel::Input)?;
            Ok(FoundLabel { value: (sum / count(width)).sqrt() * year.sqrt(), end, still: false })
        })
    }

    /// The mean of a cost over the seconds after the row. All of them have to be there: the cost is absent where the book is too thin
    /// for it, and a mean over the rest would leave out the dearest moments.
    fn forward_cost(&self, target: TargetId, name: &'static str) -> Result<LabelledRows, TargetError> {
        let costs = column(self.frame, name)?;
        let span = target.horizon().unwrap_or(Span::mins(1));
        let width = usize::try_from(span.as_secs()).unwrap_or(1);
        let there = Marks::new(costs.iter().map(|c| c.is_some()));
        let sums = WindowSums::new(&costs.iter().map(|c| c.unwrap_or(0.0)).collect::<Vec<_>>(), width);
        self.gather(target, |row| {
            let end = self.row_after(row, span)?;
            self.usable(row, end)?;
            self.mid(end).filter(|_| there.among(row + 1, end) == width).ok_or(NoLabel::Input)?;
            Ok(FoundLabel { value: sums.get(row + 1).ok_or(NoLabel::End)? / count(width), end, still: false })
        })
    }

    fn gather(&self, target: TargetId, of: impl Fn(usize) -> Found) -> Result<LabelledRows, TargetError> {
        let times = self.frame.times();
        let (mut spans, mut values, mut zeros) = (Vec::new(), Vec::new(), Vec::new());
        let mut unlabelled = Unlabelled::default();
        for row in 0..self.frame.len() {
            let found = of(row);
            if found.as_ref().is_ok_and(|f| f.still) {
                zeros.push(times[row]);
            }
            match found.and_then(|f| Ok((as_asked(target, f.value)?, f.end))) {
                Ok((value, end)) => {
                    spans.push(LabelSpan { row, start: times[row], end: times[end] });
                    values.push(value);
                }
                Err(why) => *unlabelled.of(why) += 1,
            }
        }
        let spans = LabelSpans::new(spans).map_err(TargetError::Spans)?;
        Ok(LabelledRows { target, spans, values, zeros, unlabelled })
    }
}

/// What a target makes of the move or number it stands for.
fn as_asked(target: TargetId, value: f64) -> Result<f64, NoLabel> {
    let above = if value > 0.0 { 1.0 } else { 0.0 };
    match target {
        TargetId::Direction(_) if value == 0.0 => Err(NoLabel::Zero),
        TargetId::Direction(_) | TargetId::Tick5Direction => Ok(above),
        TargetId::Direction3(_) => Ok(if value < 0.0 { -1.0 } else { above }),
        _ => Ok(value),
    }
}

impl Unlabelled {
    const fn of(&mut self, why: NoLabel) -> &mut usize {
        match why {
            NoLabel::Now => &mut self.now,
            NoLabel::Unchanged => &mut self.unchanged,
            NoLabel::End => &mut self.end,
            NoLabel::Gap => &mut self.gap,
            NoLabel::Stale => &mut self.stale,
            NoLabel::Unusable => &mut self.unusable,
            NoLabel::Input => &mut self.input,
            NoLabel::Zero => &mut self.zero,
        }
    }
}

fn column<'a>(frame: &'a ResearchFrame, name: &'static str) -> Result<&'a FrameColumn, TargetError> {
    frame.column(name).ok_or(TargetError::Column(name))
}
