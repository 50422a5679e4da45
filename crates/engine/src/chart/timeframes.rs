//! The charts of one bar stream: 1 h, 4 h, 1 d and 1 w, each built from the closed bars of the finest one (R4.18).

use super::{Chart, offset_of};
use crate::features::atr::Atr;
use crate::features::bars::{BarBuilder, BarSample, BuiltBar};
use crate::features::run::BarSeries;
use barograph_domain::{Span, TIMEFRAMES, Ts};
use serde::{Deserialize, Serialize};

/// A timeframe with its builder.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Built {
    builder: BarBuilder,
    chart: Chart,
}

/// Charts of the timeframes that the stream's step divides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charts {
    /// Shortest first; the others are fed with its bars.
    built: Vec<Built>,
    /// Position of the first one in [`TIMEFRAMES`].
    first: usize,
    last_part: Option<Ts>,
}

impl Charts {
    /// For closed bars of this step; `None` when no timeframe can be built from them.
    #[must_use]
    pub fn new(step: Span) -> Option<Self> {
        let first = TIMEFRAMES.iter().position(|t| t.0 % step.0 == 0 && *t >= step)?;
        let built = TIMEFRAMES[first..].iter().enumerate().map(|(i, &timeframe)| Built {
            builder: BarBuilder::aligned(
                timeframe,
                if i == 0 { step } else { TIMEFRAMES[first] },
                offset_of(timeframe),
            ),
            chart: Chart::new(timeframe),
        });
        Some(Self { built: built.collect(), first, last_part: None })
    }

    /// Takes a closed bar of the stream; calls `finished` with each bar of the shortest timeframe. Returns whether any
    /// chart changed. Late and revised parts are left out: what was read is never rewritten.
    pub fn push(&mut self, close_ts: Ts, part: &BarSample, mut finished: impl FnMut(&BuiltBar)) -> bool {
        if self.last_part.is_some_and(|l| close_ts <= l) {
            return false;
        }
        self.last_part = Some(close_ts);
        let Some((finest, longer)) = self.built.split_first_mut() else { return false };
        let mut changed = false;
        let chart = &mut finest.chart;
        let timeframe = chart.timeframe();
        finest.builder.push(close_ts, part, |bar| {
            chart.push(&bar);
            finished(&bar);
            changed = true;
            feed(longer, super::close_of(bar.index, timeframe), &BarSample::from(&bar));
        });
        changed
    }

    /// As [`Self::push`] for a closed bar that has the length of the shortest timeframe and is newer than the last: it need not
    /// be built.
    pub fn push_whole(&mut self, close_ts: Ts, bar: &BuiltBar) {
        self.last_part = Some(close_ts);
        let Some((finest, longer)) = self.built.split_first_mut() else { return };
        finest.chart.push(bar);
        feed(longer, close_ts, &BarSample::from(bar));
    }

    /// As [`Self::push`] for each bar of a run that is newer than the last; [`Self::push_whole`] where its bars have the length
    /// of the shortest timeframe. `atr`: as in [`Chart::push_run`], for that timeframe.
    pub fn push_run(&mut self, run: &BarSeries<'_>, atr: Option<Atr>) {
        let n = run.len();
        if n == 0 {
            return;
        }
        if self.shortest() != run.step || self.last_part.is_some_and(|l| run.first <= l) {
            (0..n).for_each(|i| {
                self.push(run.close_ts(i), &run.sample(i), |_| {});
            });
            return;
        }
        self.last_part = Some(run.close_ts(n - 1));
        let Some((finest, longer)) = self.built.split_first_mut() else { return };
        finest.chart.push_run(run, atr);
        for Built { builder, chart } in longer {
            builder.push_run(run, |bar| chart.push(&bar));
        }
    }

    /// [`Chart::work_ahead`] on every timeframe.
    pub fn work_ahead(&mut self) {
        self.built.iter_mut().for_each(|b| b.chart.work_ahead());
    }

    /// Length of the bars of the shortest timeframe.
    #[must_use]
    pub const fn shortest(&self) -> Span {
        TIMEFRAMES[self.first]
    }

    /// The chart of a timeframe.
    #[must_use]
    pub fn of(&self, timeframe: Span) -> Option<&Chart> {
        self.built.iter().map(|b| &b.chart).find(|c| c.timeframe() == timeframe)
    }

    /// Charts in the order of [`TIMEFRAMES`]; `None` where a timeframe is not built.
    #[must_use]
    pub fn all(&self) -> [Option<&Chart>; 4] {
        core::array::from_fn(|i| i.checked_sub(self.first).and_then(|at| self.built.get(at)).map(|b| &b.chart))
    }
}

/// Hands a bar of the shortest timeframe to the longer ones.
fn feed(longer: &mut [Built], close_ts: Ts, bar: &BarSample) {
    for Built { builder, chart } in longer {
        builder.push(close_ts, bar, |bar| chart.push(&bar));
    }
}
