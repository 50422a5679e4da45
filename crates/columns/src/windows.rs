//! Windows over seconds of a market's book and trades; what columns are made of them is in [`super::fill`].

use crate::amihud::Amihud;
use crate::fill::enough;
use crate::flow::{FlowSums, Matured};
use crate::hist::Hist;
use crate::market_book::{BookSecond, Instant};
use crate::market_trades::{TradeFlow, TradeSecond};
use crate::merge::Merge;
use crate::seconds::{BookCounts, BookFlow, FlowImpact, Listened, TradeCounts};
use crate::sliding::SlidingSum;
use crate::totals::RunningTotals;
use barograph_domain::cell::Reason;
use barograph_domain::{Ts, math};
use barograph_engine::kernel::Moments;

/// Seconds of a year of days without a night.
const YEAR_S: f64 = 31_536_000.0;
/// Hours of samples that a quantile of a day needs.
const HOURS_MIN: usize = 6;
/// Seconds that are remembered one by one: a power of two above the longest difference.
const INSTANTS: usize = 32;
/// Windows of volatilities.
pub(crate) const VOLS_S: [u32; 4] = [10, 60, 300, 1_800];
/// Share of them that needs returns, in tenths.
const VOL_MIN_TENTHS: u32 = 8;

/// Place of a second among those that are remembered.
fn slot(second: i64) -> usize {
    usize::try_from(second.rem_euclid(INSTANTS as i64)).unwrap_or(0)
}

/// A minute under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MinuteVolume {
    pub(crate) number: i64,
    pub(crate) start: Option<f64>,
    pub(crate) quote: f64,
    pub(crate) whole: bool,
}

/// Sums of the book.
#[derive(Clone, Debug)]
pub(crate) struct BookSums {
    /// Order flow of the best level and of the first ten, weighted; of half a minute the mean size at the best prices beside it.
    pub(crate) flow_5s: SlidingSum<[f64; 2]>,
    pub(crate) flow_30s: SlidingSum<[f64; 3]>,
    /// Spreads in basis points, beside how many imbalances of the first five levels there are and their sum.
    pub(crate) samples_60s: SlidingSum<(Moments, (u32, f64))>,
    /// The same beside quote of the first five levels.
    pub(crate) samples_300s: SlidingSum<(Moments, (u32, f64))>,
    /// Squares of returns of one second: of 10, 60, 300 and 1800 seconds.
    pub(crate) squares: [SlidingSum<f64>; 4],
}

/// Windows of trades.
#[derive(Clone, Debug)]
pub(crate) struct TradeWindows {
    /// The newest second by itself.
    pub(crate) now: FlowSums,
    pub(crate) counts: RunningTotals<TradeCounts>,
    pub(crate) flow_5s: SlidingSum<FlowSums>,
    pub(crate) flow_30s: SlidingSum<FlowSums>,
    /// What effective spreads are made of.
    pub(crate) effective_60s: SlidingSum<[f64; 2]>,
    pub(crate) all_300s: SlidingSum<TradeFlow>,
    pub(crate) matured_60s: SlidingSum<Matured>,
    pub(crate) matured_300s: SlidingSum<Matured>,
    pub(crate) impact_300s: SlidingSum<FlowImpact>,
}

impl TradeWindows {
    fn new() -> Self {
        Self {
            now: FlowSums::EMPTY,
            counts: RunningTotals::new(1_800),
            flow_5s: SlidingSum::new(5),
            flow_30s: SlidingSum::new(30),
            effective_60s: SlidingSum::new(60),
            all_300s: SlidingSum::new(300),
            matured_60s: SlidingSum::new(60),
            matured_300s: SlidingSum::new(300),
            impact_300s: SlidingSum::new(300),
        }
    }

    /// A second is over; `change` is the return of its mid.
    fn push(&mut self, second: i64, heard: Listened, trades: &TradeFlow, matured: Matured, change: Option<f64>) {
        self.now = trades.flow.sums;
        self.counts.push(second, TradeCounts { heard, trades: self.now.trades });
        self.flow_5s.push(second, self.now);
        self.flow_30s.push(second, self.now);
        self.effective_60s.push(second, trades.flow.effective);
        self.all_300s.push(second, *trades);
        self.matured_60s.push(second, matured);
        self.matured_300s.push(second, matured);
        let impact = change.filter(|_| heard.whole == 1);
        let impact = impact.map_or(FlowImpact::EMPTY, |r| FlowImpact::of(trades.flow.signed_notional, 1e4 * r));
        self.impact_300s.push(second, impact);
    }

    /// Trades of a second whose row was made before they arrived.
    fn amend(&mut self, second: i64, late: &TradeFlow) {
        let flow = &late.flow;
        self.counts.amend(second, TradeCounts { trades: flow.sums.trades, ..TradeCounts::default() });
        self.flow_5s.amend(second, flow.sums);
        self.flow_30s.amend(second, flow.sums);
        self.effective_60s.amend(second, flow.effective);
        self.all_300s.amend(second, *late);
    }
}

/// All windows of a market.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// At the rest of a division of their seconds by their number.
    pub(crate) instants: Box<[(i64, Instant); INSTANTS]>,
    /// The newest second by itself.
    pub(crate) book: BookFlow,
    pub(crate) book_counts: RunningTotals<BookCounts>,
    pub(crate) book_sums: BookSums,
    /// `None` where nothing was ever heard of trades, as in snapshots of a book.
    pub(crate) trades: Option<Box<TradeWindows>>,
    pub(crate) vols: Hist<2>,
    pub(crate) spreads: Hist<1>,
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
            instants: Box::new([(i64::MIN, Instant::NONE); INSTANTS]),
            book: BookFlow::default(),
            book_counts: RunningTotals::new(1_800),
            book_sums: BookSums {
                flow_5s: SlidingSum::new(5),
                flow_30s: SlidingSum::new(30),
                samples_60s: SlidingSum::new(60),
                samples_300s: SlidingSum::new(300),
                squares: VOLS_S.map(|seconds| SlidingSum::new(seconds as usize)),
            },
            trades: None,
            vols: Hist::new([1.0 / 3.0, 2.0 / 3.0]),
            spreads: Hist::new([0.75]),
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
        // A return over a gap is none.
        let change = now.moved[0].filter(|_| book.heard.gaps == 0);
        self.push_book(book, now, change);
        self.judge(second, book.valid.is_ok(), now);
        let (heard, trades) = traded.map_or((Listened::default(), TradeFlow::EMPTY), |t| (t.heard, t.trades));
        if traded.is_some() || self.trades.is_some() {
            let windows = self.trades.get_or_insert_with(|| Box::new(TradeWindows::new()));
            windows.push(second, heard, &trades, matured, change);
        }
        self.push_minute(second, now, (heard, trades.flow.sums.notional), book.heard);
        self.instants[slot(second)] = (second, *now);
    }

    fn push_book(&mut self, book: &BookSecond, now: &Instant, change: Option<f64>) {
        let (second, flow) = (book.second, &book.flow);
        let size = now.best_size.ok();
        self.book_counts.push(
            second,
            BookCounts {
                heard: book.heard,
                valid: u32::from(book.valid.is_ok()),
                sized: u32::from(size.is_some()),
                short_best: flow.short_best,
                short_ten: flow.short[2],
                returns: u32::from(change.is_some()),
                ..BookCounts::default()
            },
        );
        let sums = &mut self.book_sums;
        sums.flow_5s.push(second, [flow.best, flow.weighted[2]]);
        sums.flow_30s.push(second, [flow.best, flow.weighted[2], size.unwrap_or(0.0)]);
        let spread = now.spread.map_or(Moments::EMPTY, Moments::of);
        let imbalance = now.imbalance[1].map_or((0, 0.0), |imbalance| (1, imbalance));
        let depth = now.depth[0].and_then(|bids| Ok(bids + now.depth[1]?));
        sums.samples_60s.push(second, (spread, imbalance));
        sums.samples_300s.push(second, (spread, depth.map_or((0, 0.0), |depth| (1, depth))));
        let square = change.map_or(0.0, |r| r * r);
        sums.squares.iter_mut().for_each(|sum| sum.push(second, square));
        self.book = *flow;
    }

    /// Judges a second by the quantiles of the day that ends with it; what has no column is no sample.
    fn judge(&mut self, second: i64, valid: bool, now: &Instant) {
        let hour = second.div_euclid(3_600);
        let mut more = BookCounts::default();
        self.minute_vol = self.volatility(1);
        if let Some(vol) = self.minute_vol.ok().filter(|_| valid) {
            self.vols.add(hour, vol);
            let known = self.vols.hours() > HOURS_MIN;
            if let Some([low, high]) = if known { self.vols.judge(vol) } else { None } {
                more.judged = [1, u32::from(high.is_gt()), u32::from(low.is_lt())];
            }
        }
        if let Ok(spread) = now.spread {
            self.spreads.add(hour, spread);
            let known = self.spreads.hours() > HOURS_MIN;
            if let Some([wide]) = if known { self.spreads.judge(spread) } else { None } {
                more.wide = [1, u32::from(wide.is_gt())];
            }
        }
        self.book_counts.amend(second, more);
    }

    /// Trades of a second whose row was made before they arrived.
    pub(crate) fn amend_trades(&mut self, second: i64, late: &TradeFlow) {
        if let Some(trades) = &mut self.trades {
            trades.amend(second, late);
        }
        let number = (second - 1).div_euclid(60);
        if let Some(minute) = self.minute.as_mut().filter(|minute| minute.number == number) {
            minute.quote += late.flow.sums.notional;
        }
    }

    /// The same of changes of the book.
    pub(crate) fn amend_book(&mut self, second: i64, late: &BookFlow) {
        let counts = BookCounts { short_best: late.short_best, short_ten: late.short[2], ..BookCounts::default() };
        self.book_counts.amend(second, counts);
        self.book_sums.flow_5s.amend(second, [late.best, late.weighted[2]]);
        self.book_sums.flow_30s.amend(second, [late.best, late.weighted[2], 0.0]);
    }

    /// Logarithms of the mid over the one and the five seconds that end with this one, as far as both mids are there.
    fn moved(&self, second: i64, now: &Instant) -> [Option<f64>; 2] {
        [1, 5].map(|seconds| {
            let before = self.instant(second - seconds)?.mid.ok()?;
            Some(math::ln(now.mid.ok()? / before))
        })
    }

    fn push_minute(&mut self, second: i64, now: &Instant, (trades, notional): (Listened, f64), book: Listened) {
        // The second of a minute's end belongs to it.
        let number = (second - 1).div_euclid(60);
        let before = self.instant(second - 1).and_then(|i| i.mid.ok());
        let minute = match &mut self.minute {
            Some(minute) if minute.number == number => minute,
            other => {
                let whole = (second - 1).rem_euclid(60) == 0;
                other.insert(MinuteVolume { number, start: before, quote: 0.0, whole })
            }
        };
        minute.quote += notional;
        minute.whole &= trades.whole == 1;
        if trades.gaps + book.gaps > 0 {
            self.amihud.miss(second);
        }
        if second.rem_euclid(60) == 0 {
            let mids = minute.start.zip(now.mid.ok()).filter(|_| minute.whole);
            self.amihud.close(number, mids, minute.quote);
        }
    }

    /// How it stood at the end of a second.
    pub(crate) fn instant(&self, second: i64) -> Option<&Instant> {
        let (there, instant) = &self.instants[slot(second)];
        // One that was never closed is not there.
        (*there == second).then_some(instant)
    }

    /// Annualised volatility of one-second returns, over the nth of the windows.
    pub(crate) fn volatility(&self, n: usize) -> Result<f64, Reason> {
        let seconds = VOLS_S[n];
        let counts = self.book_counts.last(seconds);
        enough(counts.heard, counts.returns, seconds * VOL_MIN_TENTHS / 10)?;
        Ok((self.book_sums.squares[n].sum() / f64::from(counts.returns)).sqrt() * YEAR_S.sqrt())
    }
}
