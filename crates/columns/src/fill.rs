//! Columns 110 to 173 and those of data quality, from windows over seconds (features §7).

use crate::flow::effective_spread;
use crate::market_book::{BookSecond, Instant, end_of};
use crate::market_trades::TradeSecond;
use crate::row::{ResearchRow, ratio};
use crate::seconds::{BookCounts, FLOWS, Listened};
use crate::structural::STRUCTURAL;
use crate::windows::{TradeWindows, Windows};
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

/// Columns of trade flow.
const FLOW_COLUMNS: usize = 24;

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
    pub(super) const RUN: usize = TRADES + 21;
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
        let samples = self.book_counts.last(300);
        self.fill_rolling(&samples, row);
        match &self.trades {
            Some(trades) => {
                let heard = trades.counts.last(300).heard;
                self.fill_trades(book, (traded, trades, heard), row);
                let vpin = traded.and_then(|t| t.vpin).ok_or(Reason::Warming);
                self.fill_advanced(trades, vpin, samples.heard.gaps + heard.gaps, row);
            }
            None => Self::no_trades(samples.heard.gaps, row),
        }
        row.put_or(at::ADVANCED + 3, self.amihud.value(book.second));
        self.fill_quality(book, samples.valid, row);
        // What is made of a book that cannot be used is not said either.
        if let Err(reason) = book.valid {
            row.withhold(STRUCTURAL..at::ADVANCED + 1, reason);
        }
    }

    fn fill_flows(&self, row: &mut ResearchRow) {
        let sums = &self.book_sums;
        let [one, five, half] = [1, 5, 30].map(|seconds| (seconds, self.book_counts.last(seconds)));
        let (five_sums, half_sums) = (sums.flow_5s.sum(), sums.flow_30s.sum());
        let full = |(seconds, counts): (u32, BookCounts), short: u32, flow: f64| {
            whole(counts.heard, seconds)?;
            if short > 0 { Err(Reason::InsufficientLevels) } else { Ok(flow) }
        };
        let best = |of: (u32, BookCounts), flow: f64| full(of, of.1.short_best, flow);
        let half_best = best(half, half_sums[0]);
        row.put_or(at::OFI, best(one, self.book.best));
        row.put_or(at::OFI + 1, best(five, five_sums[0]));
        row.put_or(at::OFI + 2, half_best);
        let normal = half_best.and_then(|flow| {
            if half.1.sized < 30 {
                return Err(Reason::Stale);
            }
            ratio(flow, half_sums[2] / f64::from(half.1.sized))
        });
        row.put_or(at::OFI + 3, normal);
        for n in 0..FLOWS.len() {
            row.put_or(at::MLOFI + n, full(one, self.book.short[n], self.book.weighted[n]));
        }
        row.put_or(at::MLOFI + 4, full(five, five.1.short_ten, five_sums[1]));
        row.put_or(at::MLOFI + 5, full(half, half.1.short_ten, half_sums[1]));
        row.put_or(at::UPDATES, whole(one.1.heard, 1).map(|()| f64::from(self.book.updates)));
    }

    fn fill_velocities(&self, second: i64, row: &mut ResearchRow) {
        /// A moment so many seconds ago, and whether a gap lies since.
        #[derive(Clone, Copy)]
        struct Ago<'a> {
            seconds: u32,
            instant: Option<&'a Instant>,
            gone: bool,
        }
        type Read = fn(&Instant) -> Result<f64, Reason>;

        let ago = [0, 1, 2, 5, 10, 30].map(|seconds| Ago {
            seconds,
            instant: self.instant(second - i64::from(seconds)),
            gone: self.book_heard(seconds).gaps > 0,
        });
        let [now, one, two, five, ten, half] = &ago;
        let of = |ago: &Ago<'_>, read: Read| ago.instant.map_or(Err(Reason::Warming), read);
        // From one moment to a later one; of a gap since the first there is no difference.
        let pair = |from: &Ago<'_>, to: &Ago<'_>, read: Read| {
            if from.gone { Err(Reason::Gap) } else { Ok((of(from, read)?, of(to, read)?)) }
        };
        let log = |from: &Ago<'_>, to: &Ago<'_>, read: Read| {
            pair(from, to, read).map(|(a, b)| 1e4 * math::ln(b / a) / f64::from(from.seconds - to.seconds))
        };
        let mid: Read = |i| i.mid;
        // Those that were taken when the later of both came.
        let moved = |from: &Ago<'_>, to: &Ago<'_>, n: usize| {
            let known = to.instant.and_then(|i| i.moved[n]);
            let (a, b) = pair(from, to, mid)?;
            Ok(1e4 * known.unwrap_or_else(|| math::ln(b / a)) / f64::from(from.seconds - to.seconds))
        };
        let (in_one, in_five) = (moved(one, now, 0), moved(five, now, 1));
        let (one_before, five_before) = (moved(two, one, 0), moved(ten, five, 1));
        let values = [
            in_one,
            in_five,
            log(half, now, mid),
            in_one.and_then(|now| Ok(now - one_before?)),
            in_five.and_then(|now| Ok((now - five_before?) / 5.0)),
            log(one, now, |i| i.micro),
            log(five, now, |i| i.micro),
            pair(one, now, |i| i.imbalance[0]).map(|(a, b)| b - a),
            pair(five, now, |i| i.imbalance[1]).map(|(a, b)| (b - a) / 5.0),
            pair(one, now, |i| i.spread).map(|(a, b)| b - a),
            pair(five, now, |i| i.depth[0]).and_then(growth),
            pair(five, now, |i| i.depth[1]).and_then(growth),
        ];
        for (n, value) in values.into_iter().enumerate() {
            row.put_or(at::VELOCITY + n, value);
        }
    }

    fn fill_rolling(&self, far: &BookCounts, row: &mut ResearchRow) {
        let (minute, half_hour) = (self.minute_vol, self.volatility(3));
        let vols = [self.volatility(0), minute, self.volatility(2), half_hour];
        for (n, vol) in vols.into_iter().enumerate() {
            row.put_or(at::VOL + n, vol);
        }
        row.put_or(at::VOL + 4, minute.and_then(|a| ratio(a, half_hour?)));
        let near_heard = self.book_heard(60);
        let (spread, imbalance) = self.book_sums.samples_60s.sum();
        let (far_spread, depth) = self.book_sums.samples_300s.sum();
        let mean =
            |heard: Listened, (n, sum): (u32, f64), least: u32| enough(heard, n, least).map(|()| sum / f64::from(n));
        row.put_or(at::MEANS, enough(near_heard, spread.n, 48).map(|()| spread.mean));
        let far_enough = enough(far.heard, far_spread.n, 240);
        row.put_or(at::MEANS + 1, far_enough.map(|()| far_spread.mean));
        row.put_or(at::MEANS + 2, far_enough.map(|()| far_spread.sd()));
        row.put_or(at::MEANS + 3, mean(near_heard, imbalance, 48));
        row.put_or(at::MEANS + 4, mean(far.heard, depth, 240));
        let long = self.book_counts.last(1_800);
        let [judged, high, low] = long.judged;
        for (n, count) in [high, low].into_iter().enumerate() {
            let share = enough(long.heard, judged, 1_440).map(|()| f64::from(count) / f64::from(judged));
            row.put_or(at::REGIMES + n, share);
        }
        let [judged, wide] = far.wide;
        let share = enough(far.heard, judged, 240).map(|()| f64::from(wide) / f64::from(judged));
        row.put_or(at::REGIMES + 2, share);
    }

    /// What is said where nothing was ever heard of trades.
    fn no_trades(gaps: u32, row: &mut ResearchRow) {
        row.withhold(at::TRADES..at::TRADES + FLOW_COLUMNS, Reason::Warming);
        row.withhold(at::RUN..at::RUN + 1, Reason::MissingInput);
        row.withhold(at::ADVANCED..at::ADVANCED + 3, Reason::Warming);
        if gaps > 0 {
            row.withhold(at::ADVANCED..at::ADVANCED + 1, Reason::Gap);
        }
    }

    fn fill_trades(
        &self,
        book: &BookSecond,
        (traded, trades, heard): (Option<&TradeSecond>, &TradeWindows, Listened),
        row: &mut ResearchRow,
    ) {
        let (one, five, half, long) = (trades.now, trades.flow_5s.sum(), trades.flow_30s.sum(), trades.all_300s.sum());
        let mid = book.instant.mid;
        let off_mid = |vwap: Result<f64, Reason>| Ok(1e4 * math::ln(vwap? / mid?));
        let now_heard = trades.counts.last(1).heard;
        let [one_heard, five_heard, half_heard, minute_heard] =
            [1, 5, 30, 60].map(|seconds| nearly(trades.counts.last(seconds).heard, seconds));
        let long_heard = nearly(heard, 300);
        let far = trades.counts.last(1_800);
        let usual = nearly(far.heard, 1_800).map(|()| f64::from(far.trades) / 60.0);
        // Of a stream that has just begun the part of a second is said.
        let live = match traded {
            Some(now) if now.live => nearly(Listened { whole: 1, ..now_heard }, 1),
            _ => one_heard,
        };
        let sized = partly(heard, 300);
        let quoted = whole(self.book_heard(60), 60);
        let all = long.flow.sums;
        let large = || {
            if long.sized < all.trades { Err(Reason::Warming) } else { ratio(long.large, all.volume) }
        };
        let values: [Result<f64, Reason>; FLOW_COLUMNS] = [
            live.map(|()| f64::from(one.trades)),
            half_heard.map(|()| f64::from(half.trades)),
            live.map(|()| one.volume),
            half_heard.map(|()| half.volume),
            long_heard.map(|()| all.notional),
            one_heard.map(|()| one.signed),
            five_heard.map(|()| five.signed),
            half_heard.map(|()| half.signed),
            long_heard.map(|()| all.signed),
            five_heard.and_then(|()| five.imbalance()),
            half_heard.and_then(|()| half.imbalance()),
            long_heard.and_then(|()| all.imbalance()),
            half_heard.and_then(|()| half.count_imbalance()),
            half_heard.and_then(|()| off_mid(half.vwap())),
            long_heard.and_then(|()| off_mid(all.vwap())),
            long_heard.and_then(|()| all.mean_size()),
            sized.and_then(|()| long.flow.largest_ratio()),
            long_heard.and_then(|()| large()),
            half_heard.and_then(|()| ratio(f64::from(half.trades), usual?)),
            sized.and_then(|()| long.flow.gap_variation()),
            sized.and_then(|()| long.flow.sign_autocorrelation()),
            traded.and_then(|t| t.run).ok_or(Reason::MissingInput),
            minute_heard.and(quoted).and_then(|()| effective_spread(trades.effective_60s.sum())),
            self.matured(trades, 60, 60).and_then(|()| trades.matured_60s.sum().realized_spread()),
        ];
        for (n, value) in values.into_iter().enumerate() {
            row.put_or(at::TRADES + n, value);
        }
    }

    fn fill_advanced(&self, trades: &TradeWindows, vpin: Result<f64, Reason>, gaps: u32, row: &mut ResearchRow) {
        let impact = trades.impact_300s.sum();
        let [pairs, with_trades] = IMPACT_MIN;
        let slope = || {
            if impact.pairs.n < pairs || impact.traded < with_trades {
                return Err(Reason::Warming);
            }
            impact.pairs.slope().ok_or(Reason::ZeroVariance)
        };
        row.put_or(at::ADVANCED, if gaps > 0 { Err(Reason::Gap) } else { slope() });
        row.put_or(at::ADVANCED + 1, vpin);
        let toxicity = self.matured(trades, 300, 300 / SPAN_MIN).and_then(|()| trades.matured_300s.sum().toxicity());
        row.put_or(at::ADVANCED + 2, toxicity);
    }

    /// Of trades that lie five seconds back, `(t − seconds − 5 s, t − 5 s]`: were they and the book listened to long enough?
    fn matured(&self, trades: &TradeWindows, seconds: u32, least: u32) -> Result<(), Reason> {
        at_least(trades.counts.before(MARK_OUT_S, seconds).heard, seconds, least)?;
        // The book of the seconds in which the marks came counts too.
        let book = self.book_heard(seconds + MARK_OUT_S);
        enough(book, self.book_counts.before(MARK_OUT_S, seconds).heard.whole, least)
    }

    /// Was the book listened to in the last seconds?
    fn book_heard(&self, seconds: u32) -> Listened {
        self.book_counts.last(seconds).heard
    }

    fn fill_quality(&self, book: &BookSecond, valid: u32, row: &mut ResearchRow) {
        row.put_or(at::QUALITY, book.age_ms.ok_or(Reason::MissingInput));
        row.put(at::QUALITY + 1, book.since_gap_s.map_or(GAP_AGE_MAX_S, |s| s.min(GAP_AGE_MAX_S)));
        let begun = self.began.is_some_and(|began| end_of(book.second) - began >= VALID_OVER);
        let share = f64::from(valid) / VALID_OVER.as_secs_f64();
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
            (at::RUN, "tf_run_length"),
            (at::TRADES + FLOW_COLUMNS - 1, "tf_realized_spread_60s_bps"),
            (at::QUALITY, "dq_book_age_ms"),
            (at::QUALITY + 3, "dq_valid_fraction_300s"),
        ] {
            assert_eq!(catalogue()[place].id, id);
        }
    }
}
