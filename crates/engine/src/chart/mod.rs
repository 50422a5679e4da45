//! One timeframe's closed bars and what is read off them: average true range, regression, ranges, volume (features §5).
//!
//! A push stores the bar and moves the recursion of the average true range; everything else is computed from the stored
//! window when it is asked for, from oldest to newest, so that a reading depends on the window's content only.

mod range;
mod readings;
mod timeframes;
mod trend;

pub use range::{RANGE_BARS, RANGE_BARS_MIN, RangeVolatility};
pub use readings::{ChartReadings, Read};
pub use timeframes::Charts;
pub use trend::Trend;

use crate::features::atr::Atr;
use crate::features::bars::BuiltBar;
use crate::features::run::BarSeries;
use crate::kernel::Block as _;
use crate::kernel::{Moments, Sum};
use barograph_domain::math::ln;
use barograph_domain::{Reason, Span, State, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bars of the regression window; half a year of weeks instead of fifty on 1 w.
const TREND_BARS: usize = 50;
const TREND_WEEKS: usize = 26;
/// Bars of the volume and dispersion windows of R2.57.
const SHORT_BARS: usize = 20;
/// Bars of a day at 1 h, and returns of the timeframe's own volatility.
const DAY_BARS: usize = 24;
/// Bars of [`Chart::price_z`] below which it says nothing.
const PRICE_Z_MIN: usize = 12;
const WEEK: Span = Span::days(7);

const fn trend_bars(timeframe: Span) -> usize {
    if timeframe.0 >= WEEK.0 { TREND_WEEKS } else { TREND_BARS }
}

/// The time that the regression of bars of this length is drawn over.
pub(crate) fn trend_span(timeframe: Span) -> Span {
    timeframe.times(i64::try_from(trend_bars(timeframe)).unwrap_or_default())
}

/// Closed bars of one timeframe. At most 51 bars are held.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chart {
    timeframe: Span,
    bars: VecDeque<BuiltBar>,
    atr: Atr,
    /// Regression and daily volatility of these bars, where they were worked out ahead.
    #[serde(skip)]
    ahead: Option<Box<(Read<Trend>, Read<f64>)>>,
}

impl Chart {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(timeframe: Span) -> Self {
        Self { timeframe, bars: VecDeque::with_capacity(TREND_BARS + 1), atr: Atr::default(), ahead: None }
    }

    /// Length of its bars.
    #[must_use]
    pub const fn timeframe(&self) -> Span {
        self.timeframe
    }

    /// Takes a closed bar. A missing bar breaks every window and the recursion: they begin again.
    pub fn push(&mut self, bar: &BuiltBar) {
        if let Some(last) = self.bars.back() {
            if bar.index <= last.index {
                return;
            }
            if bar.index > last.index + 1 {
                self.bars.clear();
                self.atr = Atr::default();
            }
        }
        if self.bars.len() > TREND_BARS {
            self.bars.pop_front();
        }
        self.bars.push_back(*bar);
        self.atr.push(bar.high, bar.low, bar.close);
        self.ahead = None;
    }

    /// Works out what is asked of every reading, once for the bars that there are.
    pub fn work_ahead(&mut self) {
        if self.ahead.is_none() {
            self.ahead = Some(Box::new((self.trend(), self.vol_daily())));
        }
    }

    /// As [`Self::push`] for each bar. `atr` is the average range after them, where somebody has already worked it out.
    pub fn push_run(&mut self, run: &BarSeries<'_>, atr: Option<Atr>) {
        let (n, first) = (run.len(), run.index());
        let late = self.bars.back().is_some_and(|last| first <= last.index);
        if n == 0 || late {
            (0..n).for_each(|i| self.push(&run.bar(first, i)));
            return;
        }
        if self.bars.back().is_some_and(|last| first > last.index + 1) {
            self.bars.clear();
            self.atr = Atr::default();
        }
        self.atr = atr.unwrap_or_else(|| {
            (0..n).fold(self.atr, |mut atr, i| {
                atr.push(run.high[i], run.low[i], run.close[i]);
                atr
            })
        });
        let shown = n.min(TREND_BARS + 1);
        let surplus = (self.bars.len() + shown).saturating_sub(TREND_BARS + 1);
        self.bars.drain(..surplus);
        self.bars.extend((n - shown..n).map(|i| run.bar(first, i)));
        self.ahead = None;
    }

    /// The newest bar.
    #[must_use]
    pub fn newest(&self) -> Option<&BuiltBar> {
        self.bars.back()
    }

    /// Close of the newest bar.
    #[must_use]
    pub fn anchor(&self) -> Option<Ts> {
        self.newest().map(|b| close_of(b.index, self.timeframe))
    }

    /// Average true range of 14 bars.
    #[must_use]
    pub fn atr(&self) -> &Atr {
        &self.atr
    }

    /// Bars the regression needs.
    #[must_use]
    pub fn trend_bars(&self) -> usize {
        trend_bars(self.timeframe)
    }

    /// The regression over the last 50 bars (26 on 1 w).
    ///
    /// # Errors
    /// Warming until the window is full without a missing bar; zero variance when all closes are equal.
    pub fn trend(&self) -> Result<Trend, State> {
        if let Some(ahead) = &self.ahead {
            return ahead.0;
        }
        let need = self.trend_bars();
        let mut closes = [0.0; TREND_BARS];
        let closes = &mut closes[..need];
        for (to, bar) in closes.iter_mut().zip(self.last(need)?) {
            *to = bar.close;
        }
        Trend::of(closes).map_err(State::Undefined)
    }

    /// The four range estimators over the last 24 bars, 20 at least; and the share of the 24 that was there.
    ///
    /// # Errors
    /// Warming until there are 20 bars and the close before them.
    pub fn range_volatility(&self) -> Result<(RangeVolatility, f32), State> {
        let n = self.bars.len().saturating_sub(1).min(RANGE_BARS);
        if n < RANGE_BARS_MIN {
            return Err(warming(n, RANGE_BARS_MIN));
        }
        let first = self.bars.len() - n;
        let before = self.bars[first - 1].close;
        RangeVolatility::of(self.bars.range(first..), before, self.timeframe)
            .map(|v| (v, share(n, RANGE_BARS)))
            .ok_or(State::Undefined(Reason::MissingInput))
    }

    /// Population standard deviation of the last 20 log returns of closes, in percent per bar (R2.57).
    ///
    /// # Errors
    /// Warming until there are 20 returns.
    pub fn vol_pct(&self) -> Result<f64, State> {
        let bars = self.bars.len().checked_sub(SHORT_BARS + 1).map(|first| self.bars.range(first..));
        let bars = bars.ok_or_else(|| warming(self.bars.len().saturating_sub(1), SHORT_BARS))?;
        let next = bars.clone().skip(1);
        let moments =
            bars.zip(next).map(|(a, b)| Moments::of(ln(b.close / a.close))).fold(Moments::EMPTY, Moments::merge);
        Ok(moments.sd() * 100.0)
    }

    /// Volume of the newest bar over the mean of the 20 before it (R2.57).
    ///
    /// # Errors
    /// Warming until there are 21 bars; missing input where bars have no volume; zero denominator.
    pub fn volume_ratio(&self) -> Result<f64, State> {
        let first = self.bars.len().checked_sub(SHORT_BARS + 1);
        let first = first.ok_or_else(|| warming(self.bars.len().saturating_sub(1), SHORT_BARS))?;
        let missing = || State::Undefined(Reason::MissingInput);
        let last = self.bars.back().and_then(|b| b.volume).ok_or_else(missing)?;
        let mut sum = Sum::EMPTY;
        for bar in self.bars.range(first..self.bars.len() - 1) {
            sum = sum.merge(Sum::of(bar.volume.ok_or_else(missing)?));
        }
        match sum.mean() {
            Some(mean) if mean > 0.0 => Ok(last / mean),
            _ => Err(State::Undefined(Reason::ZeroDenominator)),
        }
    }

    /// Standard score of the newest close among the last 24, 12 at least (`price_z_24h` on 1 h bars); and the
    /// share of the 24 that was there.
    ///
    /// # Errors
    /// Warming until there are 12 bars; zero variance when all closes are equal.
    pub fn price_z(&self) -> Result<(f64, f32), State> {
        let n = self.bars.len().min(DAY_BARS);
        if n < PRICE_Z_MIN {
            return Err(warming(n, PRICE_Z_MIN));
        }
        let window = self.bars.range(self.bars.len() - n..);
        let moments = window.map(|b| Moments::of(b.close)).fold(Moments::EMPTY, Moments::merge);
        let close = self.bars.back().map_or(0.0, |b| b.close);
        let z = crate::features::reading::score_value(moments.score(close)).map_err(State::Undefined)?;
        Ok((z, share(n, DAY_BARS)))
    }

    /// Daily volatility from the last 24 returns of this timeframe: what the volatility axis is asked on it (regimes §4).
    ///
    /// # Errors
    /// Warming until there are 24 returns.
    pub fn vol_daily(&self) -> Result<f64, State> {
        if let Some(ahead) = &self.ahead {
            return ahead.1;
        }
        let bars = self.bars.len().checked_sub(DAY_BARS + 1).map(|first| self.bars.range(first..));
        let bars = bars.ok_or_else(|| warming(self.bars.len().saturating_sub(1), DAY_BARS))?;
        let next = bars.clone().skip(1);
        let squared = bars.zip(next).map(|(a, b)| {
            let r = ln(b.close / a.close);
            Sum::of(r * r)
        });
        let sum = squared.fold(Sum::EMPTY, Sum::merge);
        let per_day = Span::days(1).as_secs_f64() / self.timeframe.as_secs_f64();
        Ok((sum.total() / f64::from(sum.n) * per_day).sqrt())
    }

    fn last(&self, n: usize) -> Result<impl Iterator<Item = &BuiltBar>, State> {
        match self.bars.len().checked_sub(n) {
            Some(first) => Ok(self.bars.range(first..)),
            None => Err(warming(self.bars.len(), n)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "24 bars")]
fn share(have: usize, whole: usize) -> f32 {
    have as f32 / whole as f32
}

#[expect(clippy::cast_possible_truncation, reason = "at most 51 bars")]
fn warming(have: usize, need: usize) -> State {
    State::Warming { have: have as u32, need: need as u32 }
}

/// Weeks begin on Monday, 00:00 UTC, as venues' weekly bars do; all other timeframes are aligned to 1970-01-01.
#[must_use]
pub fn offset_of(timeframe: Span) -> Span {
    if timeframe == WEEK { Span::days(4) } else { Span::ZERO }
}

/// Close of the bar with this index.
#[must_use]
pub fn close_of(index: i64, timeframe: Span) -> Ts {
    Ts(index * timeframe.0) + offset_of(timeframe)
}
