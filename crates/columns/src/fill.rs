//! Columns 110 to 173 and those of data quality, from windows over seconds (features §7).

use crate::market_book::{BookSecond, Instant, end_of};
use crate::market_trades::{TradeFlow, TradeSecond};
use crate::ring::Merge as _;
use crate::row::{ResearchRow, ratio};
use crate::seconds::{BookFlow, BookSamples, FLOWS, Listened};
use crate::structural::STRUCTURAL;
use crate::windows::Windows;
use barograph_domain::cell::Reason;
use barograph_domain::{Span, math};

/// Share of a window of trades that may lie in gaps.
const GAP_SHARE: f64 = 0.01;
/// Pairs of return and flow that a slope needs, and those in which something was traded.
const IMPACT_MIN: [u32; 2] = [240, 60];
/// Marks come so many seconds after trades.
const MARK_OUT_S: u32 = 5;
/// Samples of which the share of valid ones is said.
const VALID_OVER: Span = Span::secs(300);
/// A gap that lies longer back is as long ago.
const GAP_AGE_MAX_S: f64 = 86_400.0;

/// Places of the first column of each kind.
mod at {
    pub(super) const OFI: usize = 109;
    pub(super) const MLOFI: usize = 113;
    pub(super) const VELOCITY: usize = 119;
    pub(super) const UPDATES: usize = 131;
    pub(super) const VOL: usize = 132;
    pub(super) const MEANS: usize = 137;
    pub(super) const REGIMES: usize = 142;
    pub(super) const ADVANCED: usize = 145;
    pub(super) const TRADES: usize = 149;
    pub(super) const QUALITY: usize = 193;
}

/// Share of a window after which its samples may be judged (features §1, coverage).
const SPAN_MIN: u32 = 4;

/// Was every second of a window of the book listened to?
fn whole(heard: Listened, seconds: u32) -> Result<(), Reason> {
    if heard.gaps > 0 {
        Err(Reason::Gap)
    } else if heard.whole < seconds {
        Err(Reason::Warming)
    } else {
        Ok(())
    }
}

/// The same of trades, of which some seconds may be missing.
fn nearly(heard: Listened, seconds: u32) -> Result<(), Reason> {
    at_least(heard, seconds, seconds)
}

/// The same where so many seconds of the window will do: the number of trades decides the rest.
fn partly(heard: Listened, seconds: u32) -> Result<(), Reason> {
    at_least(heard, seconds, seconds.div_ceil(SPAN_MIN))
}

fn at_least(heard: Listened, seconds: u32, least: u32) -> Result<(), Reason> {
    if heard.lost_ns as f64 > GAP_SHARE * 1e9 * f64::from(seconds) {
        Err(Reason::Gap)
    } else if heard.whole + heard.gaps < least {
        Err(Reason::Warming)
    } else {
        Ok(())
    }
}

/// Enough samples of a window without a gap.
pub(crate) fn enough(heard: Listened, n: u32, least: u32) -> Result<(), Reason> {
    if heard.gaps > 0 {
        Err(Reason::Gap)
    } else if n < least {
        Err(Reason::Warming)
    } else {
        Ok(())
    }
}

impl Windows {
    pub(crate) fn fill(&self, book: &BookSecond, traded: Option<&TradeSecond>, row: &mut ResearchRow) {
        self.fill_flows(row);
        self.fill_velocities(book.second, row);
        let (samples, trades) = (self.samples.last(300), self.trades.last(300));
        self.fill_rolling(&samples, row);
        self.fill_trades(book, (traded, &trades), row);
        self.fill_advanced(book.second, traded, samples.heard.gaps + trades.heard.gaps, row);
        self.fill_quality(book, &samples, row);
        // What is made of a book that cannot be used is not said either.
        if let Err(reason) = book.valid {
            row.withhold(STRUCTURAL..at::ADVANCED + 1, reason);
        }
    }

    fn fill_flows(&self, row: &mut ResearchRow) {
        let ten = |seconds: usize| self.near.fold(seconds, BookFlow::EMPTY, BookFlow::with_ten);
        let sums = [(1, self.near.last(1)), (5, ten(5)), (30, ten(30))];
        let best = |sum: &BookFlow, seconds: u32| {
            whole(sum.heard, seconds)?;
            if sum.short_best > 0 { Err(Reason::InsufficientLevels) } else { Ok(sum.best) }
        };
        for (n, (seconds, sum)) in sums.iter().enumerate() {
            row.put_or(at::OFI + n, best(sum, *seconds));
        }
        let [(_, second), (_, five), (_, half)] = &sums;
        let normal = best(half, 30).and_then(|flow| {
            if half.samples < 30 {
                return Err(Reason::Stale);
            }
            ratio(flow, half.best_size / f64::from(half.samples))
        });
        row.put_or(at::OFI + 3, normal);
        let weighted = |sum: &BookFlow, seconds: u32, n: usize| {
            whole(sum.heard, seconds)?;
            if sum.short[n] > 0 { Err(Reason::InsufficientLevels) } else { Ok(sum.weighted[n]) }
        };
        for n in 0..FLOWS.len() {
            row.put_or(at::MLOFI + n, weighted(second, 1, n));
        }
        row.put_or(at::MLOFI + 4, weighted(five, 5, 2));
        row.put_or(at::MLOFI + 5, weighted(half, 30, 2));
        row.put_or(at::UPDATES, whole(second.heard, 1).map(|()| f64::from(second.updates)));
    }

    fn fill_velocities(&self, second: i64, row: &mut ResearchRow) {
        let gaps = [1, 2, 5, 10, 30].map(|seconds: i64| (seconds, self.gaps(usize::try_from(seconds).unwrap_or(0))));
        let gone = |seconds: i64| gaps.iter().any(|(one, n)| *one == seconds && *n > 0);
        let at = |back: i64| self.instant(second - back);
        let of = |back: i64, read: fn(&Instant) -> Result<f64, Reason>| match at(back) {
            Some(instant) => read(instant),
            None => Err(Reason::Warming),
        };
        // From one moment to a later one, both counted back from now; of a gap between them there is no difference.
        let pair = |from: i64, to: i64, read: fn(&Instant) -> Result<f64, Reason>| {
            if gone(from) { Err(Reason::Gap) } else { Ok((of(from, read)?, of(to, read)?)) }
        };
        let log = |from: i64, to: i64, read: fn(&Instant) -> Result<f64, Reason>| {
            pair(from, to, read).map(|(a, b)| 1e4 * math::ln(b / a) / (from - to) as f64)
        };
        let mid: fn(&Instant) -> Result<f64, Reason> = |i| i.mid;
        // Those that were taken when the later of both came.
        let moved = |from: i64, to: i64, n: usize| {
            let known = at(to).and_then(|i| i.moved[n]);
            pair(from, to, mid).map(|(a, b)| 1e4 * known.unwrap_or_else(|| math::ln(b / a)) / (from - to) as f64)
        };
        let (second, five) = (moved(1, 0, 0), moved(5, 0, 1));
        let (second_ago, five_ago) = (moved(2, 1, 0), moved(10, 5, 1));
        let values = [
            second,
            five,
            log(30, 0, mid),
            second.and_then(|now| Ok(now - second_ago?)),
            five.and_then(|now| Ok((now - five_ago?) / 5.0)),
            log(1, 0, |i| i.micro),
            log(5, 0, |i| i.micro),
            pair(1, 0, |i| i.imbalance[0]).map(|(a, b)| b - a),
            pair(5, 0, |i| i.imbalance[1]).map(|(a, b)| (b - a) / 5.0),
            pair(1, 0, |i| i.spread).map(|(a, b)| b - a),
            pair(5, 0, |i| i.depth[0]).and_then(growth),
            pair(5, 0, |i| i.depth[1]).and_then(growth),
        ];
        for (n, value) in values.into_iter().enumerate() {
            row.put_or(at::VELOCITY + n, value);
        }
    }

    fn fill_rolling(&self, far: &BookSamples, row: &mut ResearchRow) {
        let long = self.returns.last(1_800);
        let (minute, half_hour) = (self.minute_vol, Self::vol_of(&long, 1_440));
        let vols = [self.volatility(10, 8), minute, self.volatility(300, 240), half_hour];
        for (n, vol) in vols.into_iter().enumerate() {
            row.put_or(at::VOL + n, vol);
        }
        row.put_or(at::VOL + 4, minute.and_then(|a| ratio(a, half_hour?)));
        let near = self.samples.fold(60, BookSamples::EMPTY, BookSamples::with_minute);
        let mean =
            |heard: Listened, (n, sum): (u32, f64), least: u32| enough(heard, n, least).map(|()| sum / f64::from(n));
        row.put_or(at::MEANS, enough(near.heard, near.spread.n, 48).map(|()| near.spread.mean));
        row.put_or(at::MEANS + 1, enough(far.heard, far.spread.n, 240).map(|()| far.spread.mean));
        row.put_or(at::MEANS + 2, enough(far.heard, far.spread.n, 240).map(|()| far.spread.sd()));
        row.put_or(at::MEANS + 3, mean(near.heard, near.imbalance, 48));
        row.put_or(at::MEANS + 4, mean(far.heard, far.depth, 240));
        let [judged, high, low] = long.judged;
        for (n, count) in [high, low].into_iter().enumerate() {
            let share = enough(long.heard, judged, 1_440).map(|()| f64::from(count) / f64::from(judged));
            row.put_or(at::REGIMES + n, share);
        }
        let [judged, wide] = far.wide;
        let share = enough(far.heard, judged, 240).map(|()| f64::from(wide) / f64::from(judged));
        row.put_or(at::REGIMES + 2, share);
    }

    fn fill_trades(
        &self,
        book: &BookSecond,
        (traded, long): (Option<&TradeSecond>, &TradeFlow),
        row: &mut ResearchRow,
    ) {
        let sums = |seconds: usize| self.trades.fold(seconds, TradeFlow::EMPTY, TradeFlow::with_sums);
        let [one, five, half] = [1, 5, 30].map(sums);
        let minute = self.trades.fold(60, TradeFlow::EMPTY, TradeFlow::with_effective);
        let mid = book.instant.mid;
        let off_mid = |vwap: Result<f64, Reason>| Ok(1e4 * math::ln(vwap? / mid?));
        let [one_heard, five_heard, half_heard, minute_heard, long_heard] =
            [(one.heard, 1), (five.heard, 5), (half.heard, 30), (minute.heard, 60), (long.heard, 300)]
                .map(|(heard, s)| nearly(heard, s));
        let far = self.counts.last(1_800);
        let usual = nearly(far.heard, 1_800).map(|()| f64::from(far.trades) / 60.0);
        // Of a stream that has just begun the part of a second is said.
        let live = match traded {
            Some(now) if now.live => nearly(Listened { whole: 1, ..one.heard }, 1),
            _ => one_heard,
        };
        let sized = partly(long.heard, 300);
        let quoted = whole(self.book_heard(60), 60);
        let large = || {
            if long.sized < long.flow.trades { Err(Reason::Warming) } else { ratio(long.large, long.flow.volume) }
        };
        let values = [
            live.map(|()| f64::from(one.flow.trades)),
            half_heard.map(|()| f64::from(half.flow.trades)),
            live.map(|()| one.flow.volume),
            half_heard.map(|()| half.flow.volume),
            long_heard.map(|()| long.flow.notional),
            one_heard.map(|()| one.flow.signed),
            five_heard.map(|()| five.flow.signed),
            half_heard.map(|()| half.flow.signed),
            long_heard.map(|()| long.flow.signed),
            five_heard.and_then(|()| five.flow.imbalance()),
            half_heard.and_then(|()| half.flow.imbalance()),
            long_heard.and_then(|()| long.flow.imbalance()),
            half_heard.and_then(|()| half.flow.count_imbalance()),
            half_heard.and_then(|()| off_mid(half.flow.vwap())),
            long_heard.and_then(|()| off_mid(long.flow.vwap())),
            long_heard.and_then(|()| long.flow.mean_size()),
            sized.and_then(|()| long.flow.largest_ratio()),
            long_heard.and_then(|()| large()),
            half_heard.and_then(|()| ratio(f64::from(half.flow.trades), usual?)),
            sized.and_then(|()| long.flow.gap_variation()),
            sized.and_then(|()| long.flow.sign_autocorrelation()),
            traded.and_then(|t| t.run).ok_or(Reason::MissingInput),
            minute_heard.and(quoted).and_then(|()| minute.flow.effective_spread()),
            self.matured(60, 60).and_then(|()| self.marked.last(60).realized_spread()),
        ];
        for (n, value) in values.into_iter().enumerate() {
            row.put_or(at::TRADES + n, value);
        }
    }

    fn fill_advanced(&self, second: i64, traded: Option<&TradeSecond>, gaps: u32, row: &mut ResearchRow) {
        let impact = self.impact.last(300);
        let [pairs, with_trades] = IMPACT_MIN;
        let slope = || {
            if impact.pairs.n < pairs || impact.traded < with_trades {
                return Err(Reason::Warming);
            }
            impact.pairs.slope().ok_or(Reason::ZeroVariance)
        };
        row.put_or(at::ADVANCED, if gaps > 0 { Err(Reason::Gap) } else { slope() });
        row.put_or(at::ADVANCED + 1, traded.and_then(|t| t.vpin).ok_or(Reason::Warming));
        let toxicity = self.matured(300, 300 / SPAN_MIN).and_then(|()| self.marked.last(300).toxicity());
        row.put_or(at::ADVANCED + 2, toxicity);
        row.put_or(at::ADVANCED + 3, self.amihud.value(second));
    }

    /// Of trades that lie five seconds back, `(t − seconds − 5 s, t − 5 s]`: were they and the book listened to long enough?
    fn matured(&self, seconds: u32, least: u32) -> Result<(), Reason> {
        let delayed = usize::try_from(seconds + MARK_OUT_S).unwrap_or(0);
        let trades_heard = |last: usize| self.counts.fold(last, Listened::EMPTY, |sum, one| sum.merge(one.heard));
        let of = |last: usize| (trades_heard(last), self.book_heard(last));
        let ((trades, book), (late_trades, late_book)) = (of(delayed), of(MARK_OUT_S as usize));
        at_least(trades.before(late_trades), seconds, least)?;
        enough(book, book.before(late_book).whole, least)
    }

    /// Was the book listened to in the last seconds?
    fn book_heard(&self, seconds: usize) -> Listened {
        self.heard.last(seconds)
    }

    /// Seconds of them that a gap of the book lies in.
    fn gaps(&self, seconds: usize) -> u32 {
        self.heard.fold(seconds, 0, |sum, one| sum + one.gaps)
    }

    fn fill_quality(&self, book: &BookSecond, samples: &BookSamples, row: &mut ResearchRow) {
        row.put_or(at::QUALITY, book.age_ms.ok_or(Reason::MissingInput));
        row.put(at::QUALITY + 1, book.since_gap_s.map_or(GAP_AGE_MAX_S, |s| s.min(GAP_AGE_MAX_S)));
        let begun = self.began.is_some_and(|began| end_of(book.second) - began >= VALID_OVER);
        let share = f64::from(samples.valid) / VALID_OVER.as_secs_f64();
        row.put_or(at::QUALITY + 3, if begun { Ok(share) } else { Err(Reason::Warming) });
    }
}

/// Logarithm of a ratio over five seconds, per second.
fn growth((before, now): (f64, f64)) -> Result<f64, Reason> {
    if before == 0.0 || now == 0.0 { Err(Reason::ZeroDenominator) } else { Ok(math::ln(now / before) / 5.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    #[test]
    fn places_are_those_of_the_catalogue() {
        for (place, id) in [
            (at::OFI, "ofi"),
            (at::MLOFI, "mlofi_3"),
            (at::VELOCITY, "mid_velocity_1s"),
            (at::UPDATES, "book_update_rate_1s"),
            (at::VOL, "realized_vol_10s"),
            (at::MEANS, "mean_spread_60s"),
            (at::REGIMES, "regime_fraction_high_vol_1800s"),
            (at::ADVANCED, "kyle_lambda"),
            (at::TRADES, "tf_trade_count_1s"),
            (at::TRADES + 23, "tf_realized_spread_60s_bps"),
            (at::QUALITY, "dq_book_age_ms"),
            (at::QUALITY + 3, "dq_valid_fraction_300s"),
        ] {
            assert_eq!(catalogue()[place].id, id);
        }
    }
}
