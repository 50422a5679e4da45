//! One-minute bars made of trades.
//!
//! The socket has five-minute candles only, and polling REST candles of a thousand products every minute would take more
//! than the ten requests per second the venue allows. Trade ids count up by one, so a minute whose trades are all known gives
//! exactly the venue's candle, at once and without a request. Minutes that are not wholly known (start, holes) are fetched.
//! A minute without trades has no bar, here as there.
//!
//! A minute ends by the venue's clock: when a trade of a later minute or any message stamped [`GRACE`] after its end came
//! (trades are sent in batches of a quarter of a second).

use super::map::{Sum, Trade};
use barograph_domain::{Bar, Span, Ts};
use serde::{Deserialize, Serialize};

const MINUTE: Span = Span::mins(1);
const GRACE: Span = Span::secs(1);

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Open {
    start: Ts,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    volume: Sum,
}

/// A closed bar with its close instant.
pub(super) type Closed = (Ts, Bar);

/// The bar of the running minute.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Bars {
    /// Bars are made of minutes that begin here or later; `None`: not begun.
    begin: Option<Ts>,
    open: Option<Open>,
    /// End of the newest bar that was closed.
    closed: Option<Ts>,
    /// Base units of one unit the venue counts.
    scale: f64,
}

impl Bars {
    pub(super) const fn new(scale: f64) -> Self {
        Self { begin: None, open: None, closed: None, scale }
    }

    /// Is it known which minutes are whole?
    pub(super) const fn begun(&self) -> bool {
        self.begin.is_some()
    }

    /// From here on all trades are known, before not: returns the beginning of what has to be fetched instead, when bars had
    /// begun, and the end of it.
    pub(super) fn restart(&mut self, now_there: Ts) -> (Option<Ts>, Ts) {
        let begin = (now_there + MINUTE).floor(MINUTE);
        let from = self.open.take().map(|o| o.start).or(self.begin);
        // A later restart never goes back before what an earlier one asked for.
        let begin = self.begin.map_or(begin, |b| b.max(begin));
        self.begin = Some(begin);
        (from, begin)
    }

    /// Takes a trade; gives the bar that it closes. Err: it belongs to a minute that is closed.
    pub(super) fn take(&mut self, trade: &Trade) -> Result<Option<Closed>, Ts> {
        let start = trade.time.floor(MINUTE);
        if self.closed.is_some_and(|c| start < c) {
            return Err(start);
        }
        if self.begin.is_none_or(|b| start < b) {
            // Before the beginning: fetched.
            return Ok(None);
        }
        let closed = if self.open.is_some_and(|o| o.start < start) { self.close() } else { None };
        let bar = self.open.get_or_insert(Open {
            start,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume: Sum::default(),
        });
        if start < bar.start {
            return Err(start);
        }
        bar.high = bar.high.max(trade.price);
        bar.low = bar.low.min(trade.price);
        bar.close = trade.price;
        bar.volume.add(trade.size);
        Ok(closed)
    }

    /// The venue's clock went on; gives the bar that this closes.
    pub(super) fn tick(&mut self, now_there: Ts) -> Option<Closed> {
        if self.open.is_some_and(|o| now_there >= o.start + MINUTE + GRACE) { self.close() } else { None }
    }

    fn close(&mut self) -> Option<Closed> {
        let o = self.open.take()?;
        let end = o.start + MINUTE;
        (self.begin, self.closed) = (Some(end), Some(end));
        let volume = Some(o.volume.to_f64() * self.scale);
        let bar = Bar { open: o.open, high: o.high, low: o.low, close: o.close, volume, quote_volume: None };
        Some((end, bar))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Decimal;

    fn trade(s: i64, price: f64) -> Trade {
        let size = Decimal { mantissa: 1, scale: 1 };
        Trade { id: 0, price, size, time: Ts(0) + Span::secs(s), side: None }
    }

    fn at(s: i64) -> Ts {
        Ts(0) + Span::secs(s)
    }

    #[test]
    fn whole_minutes_close_by_the_venues_clock() {
        let mut bars = Bars::new(1.0);
        assert_eq!(bars.take(&trade(5, 1.0)), Ok(None), "not begun");
        assert_eq!(bars.restart(at(70)), (None, at(120)));
        assert_eq!(bars.take(&trade(119, 1.0)), Ok(None), "an incomplete minute");
        for (s, p) in [(120, 5.0), (130, 7.0), (150, 4.0), (179, 6.0)] {
            assert_eq!(bars.take(&trade(s, p)), Ok(None));
        }
        assert_eq!(bars.tick(at(180)), None, "a batch may be on its way");
        let want = Bar { open: 5.0, high: 7.0, low: 4.0, close: 6.0, volume: Some(0.4), quote_volume: None };
        assert_eq!(bars.tick(at(181)), Some((at(180), want)));
        assert_eq!(bars.tick(at(500)), None, "no trades, no bar");
        assert_eq!(bars.take(&trade(310, 2.0)), Ok(None));
        assert_eq!(bars.take(&trade(200, 2.0)), Err(at(180)), "too late");
        let closed = bars.take(&trade(360, 3.0)).unwrap().unwrap();
        assert_eq!((closed.0, closed.1.close), (at(360), 2.0));
    }

    #[test]
    fn a_hole_takes_the_open_minute_with_it() {
        let mut bars = Bars::new(1.0);
        bars.restart(at(0));
        bars.take(&trade(70, 5.0)).unwrap();
        assert_eq!(bars.restart(at(200)), (Some(at(60)), at(240)), "minutes to be fetched");
        assert_eq!(bars.take(&trade(210, 5.0)), Ok(None));
        assert_eq!(bars.tick(at(1_000)), None);
        assert_eq!(bars.restart(at(250)), (Some(at(240)), at(300)), "a hole after a hole");
    }
}
