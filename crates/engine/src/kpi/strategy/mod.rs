//! The strategies that advice is measured with (R2.43, R2.45): five examples that pick a side and a moment, none of them advice.
//!
//! Each is a function of the newest closed bar and the [`StrategyName::window`] bars before it, of one market on one timeframe
//! without a gap; it mirrors long and short. Their parameters are those of the textbooks that the files name; none was fitted on
//! any data. Stops, targets and sizes are not theirs: those come from the arms (`entry`).

mod cum_delta;
mod fibonacci_rsi;
mod multi_tf;
mod range_trading;
#[cfg(test)]
mod tests;
mod volume_vwap;

use super::fill::FillBar;
use barograph_domain::{Side, Span, Ts};
use serde::{Serialize, Serializer};
use std::collections::VecDeque;

/// Which strategy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum StrategyName {
    /// A close across the volume-weighted average on volume.
    #[default]
    VolumeVwap,
    /// A break of the channel that the cumulative delta breaks too.
    CumDelta,
    /// A cross of averages along the trend of the fourfold timeframe.
    MultiTf,
    /// The end of a pullback of 50 to 61.8 %, by relative strength.
    FibonacciRsi,
    /// A close back inside the Bollinger bands while nothing trends.
    RangeTrading,
}

impl StrategyName {
    /// All of them, the default first.
    pub const ALL: [Self; 5] =
        [Self::VolumeVwap, Self::CumDelta, Self::MultiTf, Self::FibonacciRsi, Self::RangeTrading];

    /// The word of commands, logs and the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VolumeVwap => "volume_vwap",
            Self::CumDelta => "cum_delta",
            Self::MultiTf => "multi_tf",
            Self::FibonacciRsi => "fibonacci_rsi",
            Self::RangeTrading => "range_trading",
        }
    }

    /// As people read it.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::VolumeVwap => "volume VWAP",
            Self::CumDelta => "cumulative delta",
            Self::MultiTf => "multi-timeframe trend",
            Self::FibonacciRsi => "Fibonacci RSI",
            Self::RangeTrading => "range trading",
        }
    }

    /// When it picks a long, in one sentence; a short is the mirror image.
    #[must_use]
    pub const fn definition(self) -> &'static str {
        match self {
            Self::VolumeVwap => {
                "a close that rises above the volume-weighted average of 24 bars, on more than 1.5 times the usual volume"
            }
            Self::CumDelta => {
                "the first close above the high of the 20 bars before while the cumulative delta is above all of its own 20; \
                 delta is estimated from where the close lies in its bar"
            }
            Self::MultiTf => {
                "the mean of 10 closes rises above that of 30 while the last closed bar of the fourfold timeframe lies above the \
                 mean of its 20"
            }
            Self::FibonacciRsi => {
                "RSI(14) rises through 40 after a pullback of 50 to 61.8 % of the upswing within 50 bars"
            }
            Self::RangeTrading => {
                "a close back above the lower Bollinger band (20, 2) while the efficiency ratio of 20 bars is below 0.3"
            }
        }
    }

    /// What its moments are called.
    #[must_use]
    pub const fn moments(self) -> &'static str {
        match self {
            Self::VolumeVwap => "crosses",
            Self::CumDelta | Self::MultiTf | Self::FibonacciRsi | Self::RangeTrading => "moments",
        }
    }

    /// Bars before the newest that a moment rests on at most: after a missing bar none comes for as long.
    #[must_use]
    pub const fn window(self) -> usize {
        match self {
            Self::VolumeVwap => volume_vwap::WINDOW,
            Self::CumDelta => cum_delta::WINDOW,
            Self::MultiTf => multi_tf::WINDOW,
            Self::FibonacciRsi => fibonacci_rsi::WINDOW,
            Self::RangeTrading => range_trading::WINDOW,
        }
    }

    /// Does it read volumes?
    const fn reads_volume(self) -> bool {
        matches!(self, Self::VolumeVwap | Self::CumDelta)
    }

    /// Reads what [`Self::name`] writes.
    ///
    /// # Errors
    /// With all names, for any other word.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|s| s.name()).collect();
            format!("there is no strategy '{text}'; there is {}", names.join(", "))
        })
    }
}

impl Serialize for StrategyName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// A side and a moment that a strategy picked.
#[derive(Clone, PartialEq, Debug)]
pub struct EntryMoment {
    /// Close of the bar.
    pub at: Ts,
    /// Whose side.
    pub side: Side,
    /// The close.
    pub price: f64,
    /// What decided, by name: prices in quote units, volumes in base units, ratios as such.
    pub readings: Vec<(&'static str, f64)>,
}

/// One strategy on the bars of one market.
#[derive(Clone, Debug)]
pub struct Strategy {
    name: StrategyName,
    timeframe: Span,
    /// The newest bars that follow each other, oldest first.
    bars: VecDeque<FillBar>,
    last: Option<Ts>,
}

impl Strategy {
    /// For bars of this timeframe.
    #[must_use]
    pub fn new(name: StrategyName, timeframe: Span) -> Self {
        Self { name, timeframe, bars: VecDeque::with_capacity(name.window() + 2), last: None }
    }

    /// Takes the next closed bar. One that is not later than the last one is left out; a missing bar, or one without a volume where
    /// that is read, begins the window anew.
    pub fn push(&mut self, bar: &FillBar) -> Option<EntryMoment> {
        if self.last.is_some_and(|l| bar.close_ts <= l) {
            return None;
        }
        let follows = self.last.is_none_or(|l| l + self.timeframe == bar.close_ts);
        self.last = Some(bar.close_ts);
        let is_read = !self.name.reads_volume() || bar.volume.is_some_and(|v| v.is_finite() && v >= 0.0);
        if !follows || !is_read {
            self.bars.clear();
        }
        if !is_read {
            return None;
        }
        if self.bars.len() > self.name.window() {
            self.bars.pop_front();
        }
        self.bars.push_back(*bar);
        if self.bars.len() <= self.name.window() {
            return None;
        }
        let (side, readings) = self.pick()?;
        Some(EntryMoment { at: bar.close_ts, side, price: bar.close, readings })
    }

    fn pick(&mut self) -> Option<Picked> {
        let bars = self.bars.make_contiguous();
        match self.name {
            StrategyName::VolumeVwap => volume_vwap::pick(bars),
            StrategyName::CumDelta => cum_delta::pick(bars),
            StrategyName::MultiTf => multi_tf::pick(bars, self.timeframe),
            StrategyName::FibonacciRsi => fibonacci_rsi::pick(bars),
            StrategyName::RangeTrading => range_trading::pick(bars),
        }
    }
}

/// A side, and what decided.
type Picked = (Side, Vec<(&'static str, f64)>);

/// `None` of nothing.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let n = u32::try_from(values.len()).ok().filter(|n| *n > 0)?;
    Some(values.sum::<f64>() / f64::from(n))
}

fn closes(bars: &[FillBar]) -> impl ExactSizeIterator<Item = f64> + Clone + '_ {
    bars.iter().map(|b| b.close)
}
