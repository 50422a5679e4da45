//! Candles made from stored bars or trades while they are read: a year of minutes is half a million points, of which nobody but
//! the fold sees more than one.

use crate::Range;
use barograph_domain::{InstrumentName, Span, Ts};

/// Which candles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CandleQuery {
    /// Market of the candles.
    pub instrument: InstrumentName,
    /// Their length; candles begin at whole multiples of it since 1970.
    pub every: Span,
    /// By their beginnings.
    pub range: Range,
    /// Only what was known then.
    pub as_of: Option<Ts>,
}

/// Open, high, low, close and volume of a stretch in which something was traded.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Candle {
    /// Its beginning.
    pub start: Ts,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Base volume; `None` where a bar in it has none.
    pub volume: Option<f64>,
}

impl Candle {
    /// Takes in what came after it.
    pub(crate) fn join(&mut self, later: &Self) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = self.volume.zip(later.volume).map(|(a, b)| a + b);
    }
}

/// The candles of an interval.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Candles {
    /// Ascending; one that has nothing in it is not there.
    pub items: Vec<Candle>,
    /// The first moment the stream behind them has anything of.
    pub first: Option<Ts>,
    /// The newest moment it has anything of.
    pub newest: Option<Ts>,
}
