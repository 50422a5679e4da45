//! Windows over seconds of a market's book and trades; what columns are made of them is in [`super::fill`].

use crate::amihud::Amihud;
use crate::fill::enough;
use crate::flow::Matured;
use crate::hist::Hist;
use crate::market_book::{BookSecond, Instant};
use crate::market_trades::{TradeFlow, TradeSecond};
use crate::ring::{Merge as _, Ring, merge_fields};
use crate::seconds::{BookFlow, BookSamples, FlowImpact, Listened, Returns};
use barograph_domain::cell::Reason;
use barograph_domain::{Ts, math};
use barograph_engine::kernel::Moments;
use std::collections::VecDeque;

/// Seconds of a year of days without a night.
const YEAR_S: f64 = 31_536_000.0;
/// Hours of samples that a quantile of a day needs.
const HOURS_MIN: usize = 6;
/// Seconds that are remembered one by one: the longest difference.
const INSTANTS: usize = 31;

/// Trades of long windows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TradeCount {
    pub(crate) heard: Listened,
    pub(crate) trades: u32,
}

merge_fields!(TradeCount { heard, trades });

/// A minute under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinuteVolume {
    pub(crate) number: i64,
    pub(crate) start: Option<f64>,
    pub(crate) quote: f64,
    pub(crate) whole: bool,
}

/// All windows of a market.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    pub(crate) instants: VecDeque<(i64, Instant)>,
    pub(crate) heard: Ring<Listened>,
    pub(crate) near: Ring<BookFlow>,
    pub(crate) samples: Ring<BookSamples>,
    pub(crate) returns: Ring<Returns>,
    pub(crate) impact: Ring<FlowImpact>,
    pub(crate) trades: Ring<TradeFlow>,
    pub(crate) marked: Ring<Matured>,
    pub(crate) counts: Ring<TradeCount>,
    pub(crate) vols: Hist,
    pub(crate) spreads: Hist,
    pub(crate) amihud: Amihud,
    pub(crate) minute: Option<MinuteVolume>,
    /// Volatility of the last minute, at the newest second.
    pub(crate) minute_vol: Result<f64, Reason>,
    /// When the first of the streams began.
    pub(crate) began: Option<Ts>,
}

impl Windows {
    pub(crate) fn new() -> Self {
        Self {
            instants: VecDeque::with_capacity(INSTANTS),
            heard: Ring::new(305),
            near: Ring::new(30),
            samples: Ring::new(300),
            returns: Ring::new(1_800),
            impact: Ring::new(300),
            trades: Ring::new(300),
            marked: Ring::new(300),
            counts: Ring::new(1_800),
            vols: Hist::default(),
            spreads: Hist::default(),
            amihud: Amihud::default(),
            minute: None,
            minute_vol: Err(Reason::Warming),
            began: None,
        }
    }

    /// Something is listened to from a moment on.
    pub(crate) fn begin(&mut self, at: Ts) {
        self.began = Some(self.began.map_or(at, |began| began.min(at)));
    }

    /// A second is over, by all that had arrived.
    pub(crate) fn push(&mut self, book: &BookSecond, traded: Option<&TradeSecond>, matured: Matured) {
        let second = book.second;
        let now = &Instant { moved: self.moved(second, &book.instant), ..book.instant };
        let trades = traded.map_or(TradeFlow::EMPTY, |t| t.trades);
        let heard = book.flow.heard;
        self.heard.push(second, heard);
        self.near.push(second, book.flow);
        // A return over a gap is none.
        let change = now.moved[0].filter(|_| heard.gaps == 0);
        self.push_returns(second, heard, book.valid.is_ok(), change);
        self.push_samples(second, heard, book.valid.is_ok(), now);
        let impact = change.filter(|_| trades.heard.whole == 1);
        let impact = impact.map_or(FlowImpact::EMPTY, |r| FlowImpact::of(trades.flow.signed_notional, 1e4 * r));
        self.impact.push(second, impact);
        self.trades.push(second, trades);
        self.counts.push(second, TradeCount { heard: trades.heard, trades: trades.flow.trades });
        self.marked.push(second, matured);
        self.push_minute(second, now, &trades, heard);
        if self.instants.len() == INSTANTS {
            self.instants.pop_front();
        }
        self.instants.push_back((second, *now));
    }

    /// Trades of a second whose row was made before they arrived.
    pub(crate) fn amend_trades(&mut self, second: i64, late: &TradeFlow) {
        self.trades.amend(second, |own| *own = own.merge(*late));
        self.counts.amend(second, |own| own.trades += late.flow.trades);
        let number = (second - 1).div_euclid(60);
        if let Some(minute) = self.minute.as_mut().filter(|minute| minute.number == number) {
            minute.quote += late.flow.notional;
        }
    }

    /// The same of changes of the book.
    pub(crate) fn amend_book(&mut self, second: i64, late: &BookFlow) {
        self.near.amend(second, |own| *own = own.merge(*late));
    }

    /// Logarithms of the mid over the one and the five seconds that end with this one, as far as both mids are there.
    fn moved(&self, second: i64, now: &Instant) -> [Option<f64>; 2] {
        [1, 5].map(|seconds| {
            let before = self.instant(second - seconds)?.mid.ok()?;
            Some(math::ln(now.mid.ok()? / before))
        })
    }

    fn push_returns(&mut self, second: i64, heard: Listened, valid: bool, change: Option<f64>) {
        let mut own = Returns { heard, ..Returns::EMPTY };
        if let Some(r) = change {
            (own.n, own.squares) = (1, r * r);
        }
        self.returns.push(second, own);
        // Judged by the terciles of the day that ends with this second; what has no column is no sample.
        self.minute_vol = self.volatility(60, 48);
        let Some(vol) = self.minute_vol.ok().filter(|_| valid) else { return };
        let hour = second.div_euclid(3_600);
        self.vols.add(hour, vol);
        if self.vols.hours() <= HOURS_MIN {
            return;
        }
        if let Some((low, high)) = self.vols.quantile(1.0 / 3.0).zip(self.vols.quantile(2.0 / 3.0)) {
            own.judged = [1, u32::from(vol > high), u32::from(vol < low)];
            self.returns.replace(own);
        }
    }

    fn push_samples(&mut self, second: i64, heard: Listened, valid: bool, now: &Instant) {
        let mut own = BookSamples { heard, valid: u32::from(valid), ..BookSamples::EMPTY };
        if let Ok(spread) = now.spread {
            own.spread = Moments::of(spread);
            self.spreads.add(second.div_euclid(3_600), spread);
            let known = self.spreads.hours() > HOURS_MIN;
            if let Some(wide) = if known { self.spreads.quantile(0.75) } else { None } {
                own.wide = [1, u32::from(spread > wide)];
            }
        }
        if let Ok(imbalance) = now.imbalance[1] {
            own.imbalance = (1, imbalance);
        }
        if let (Ok(bids), Ok(asks)) = (now.depth[0], now.depth[1]) {
            own.depth = (1, bids + asks);
        }
        self.samples.push(second, own);
    }

    fn push_minute(&mut self, second: i64, now: &Instant, trades: &TradeFlow, book: Listened) {
        // The second of a minute's end belongs to it.
        let number = (second - 1).div_euclid(60);
        let before = self.instants.back().filter(|(s, _)| *s == second - 1).and_then(|(_, i)| i.mid.ok());
        let minute = match &mut self.minute {
            Some(minute) if minute.number == number => minute,
            other => {
                let whole = (second - 1).rem_euclid(60) == 0;
                other.insert(MinuteVolume { number, start: before, quote: 0.0, whole })
            }
        };
        minute.quote += trades.flow.notional;
        minute.whole &= trades.heard.whole == 1;
        if trades.heard.gaps + book.gaps > 0 {
            self.amihud.miss(second);
        }
        if second.rem_euclid(60) == 0 {
            let mids = minute.start.zip(now.mid.ok()).filter(|_| minute.whole);
            self.amihud.close(number, mids, minute.quote);
        }
    }

    /// How it stood at the end of a second.
    pub(crate) fn instant(&self, second: i64) -> Option<&Instant> {
        let (newest, _) = self.instants.back()?;
        let back = usize::try_from(newest - second).ok()?;
        // Seconds follow one another, but for such as were never closed.
        let near = self.instants.len().checked_sub(1 + back)?;
        self.instants.get(near).filter(|(s, _)| *s == second).map(|(_, instant)| instant)
    }

    /// Annualised volatility of one-second returns.
    pub(crate) fn volatility(&self, seconds: usize, least: u32) -> Result<f64, Reason> {
        Self::vol_of(&self.returns.fold(seconds, Returns::EMPTY, Returns::with_squares), least)
    }

    /// The same of returns that are summed already.
    pub(crate) fn vol_of(sum: &Returns, least: u32) -> Result<f64, Reason> {
        enough(sum.heard, sum.n, least)?;
        Ok((sum.squares / f64::from(sum.n)).sqrt() * YEAR_S.sqrt())
    }
}
