//! Facts as sessions report them: whatever the venue calls it, a price, a rate, a bar or a trade that came is continuity of its
//! stream, is reported once, and again when it has not changed for a while.
//!
//! A venue checks what it read and hands it to [`Desk`]; nothing here knows a venue's words.

use crate::session::history::Job;
use crate::session::seen::{Admit, Ids, Minutes};
use crate::session::{Desk, MarketIndex, OrderBook, Out, Priority, RepeatedValue, SessionConfig};
use barograph_domain::{GapReason, Metric, Payload, Span, Ts};
use serde::{Deserialize, Serialize};

/// The top of a book is reported at most this often.
const TOP_EVERY: Span = Span::secs(1);
/// A value that has not changed is reported again after this long, so that its age shows that it is still true.
const AGAIN: Span = Span::secs(10);
/// Rows of polled ratios.
pub(crate) const RATIO_PERIOD: Span = Span::mins(5);
/// Their first round is spread over this much: a start waits for it.
const RATIOS_WITHIN: Span = Span::secs(20);

/// Whose a fact is, when it was received, and when it happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// Receive time.
    pub now: Ts,
    /// Market, by its place in the configuration.
    pub market: MarketIndex,
    /// By the venue's clock.
    pub at: Ts,
}

/// What was reported last of a market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LastReported {
    top: RepeatedValue,
    book: Option<Ts>,
    mark: RepeatedValue,
    index: RepeatedValue,
    funding: RepeatedValue,
    interest: RepeatedValue,
}

/// Bars of a market: which were reported, and the beginning of the minute that is open.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EmittedBars {
    minutes: Minutes,
    open: Option<Ts>,
}

/// The bar of the running minute as last sent, where the venue does not say when it is final.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct RunningBar<B>(Option<(Ts, B)>);

impl<B> Default for RunningBar<B> {
    fn default() -> Self {
        Self(None)
    }
}

impl<B: Copy> RunningBar<B> {
    /// A bar is final when the venue's stamps are this far past its end.
    const GRACE: Span = Span::secs(2);

    /// The bar that closes at `close`, as it is now; one that is older than the bar held says nothing. Gives the bar that is final
    /// with it.
    pub(crate) fn hold(&mut self, close: Ts, bar: B) -> Option<(Ts, B)> {
        let held = self.0.map_or(close, |(held, _)| held);
        if close < held {
            return None;
        }
        self.0.replace((close, bar)).filter(|_| close > held)
    }

    /// Is the bar final by the venue's clock, although no newer one came?
    pub(crate) fn is_over(&self, there: Ts) -> bool {
        self.0.is_some_and(|(close, _)| there >= close + Self::GRACE)
    }

    /// Takes the bar, if it is over.
    pub(crate) fn take_if(&mut self, over: bool) -> Option<(Ts, B)> {
        self.0.take_if(|_| over)
    }
}

impl EmittedBars {
    /// Does this minute begin behind one that never closed here?
    pub(crate) fn skips(&self, start: Ts) -> bool {
        self.open.is_some_and(|open| start > open) && !self.minutes.has(start)
    }
}

/// Numbers facts of one message that are alike: twice in one message they are two, the same message twice is one.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    last: u64,
    ordinal: u64,
}

impl Repeats {
    /// The identity of the next fact, from the identity of what it says.
    pub(crate) fn identity(&mut self, says: u64) -> u64 {
        self.ordinal = if says == self.last { self.ordinal + 1 } else { 0 };
        self.last = says;
        says.wrapping_add(self.ordinal)
    }
}

impl Desk {
    /// A book is good and newer: its continuity, and at most once a second its top.
    pub(crate) fn book_moved(&mut self, m: Moment, seq: u64, told: &mut LastReported, book: &OrderBook, out: &mut Out) {
        self.alive(m.market, Metric::Book, m.now, m.at, out);
        if told.book.is_some_and(|t| m.now - t < TOP_EVERY) {
            return;
        }
        if let Some((bid, ask)) = book.top() {
            told.book = Some(m.now);
            out.live(m.market, Metric::Book, m.at, seq, Payload::BestBidAsk { bid, ask });
        }
    }

    /// A book cannot be trusted any longer; `sample` is what broke it.
    pub(crate) fn book_broken(&mut self, now: Ts, market: MarketIndex, why: GapReason, sample: &str, out: &mut Out) {
        self.lost(market, Metric::Book, now, why, out);
        let kind = match why {
            GapReason::CrossedBook => "crossed_book",
            GapReason::EmptyBook => "empty_book",
            GapReason::SequenceJump => "sequence_jump",
            GapReason::ChecksumMismatch => "checksum_mismatch",
            _ => "undecodable",
        };
        out.fault(kind, Some(market), "the book is built anew", sample.as_bytes());
    }

    /// Best bid and ask; `sample` is what says so.
    pub(crate) fn best(
        &mut self,
        m: Moment,
        (bid, ask, seq): (f64, f64, u64),
        told: &mut LastReported,
        sample: &str,
        out: &mut Out,
    ) {
        if bid >= ask {
            return out.fault("crossed_top", Some(m.market), "best bid not below best ask", sample.as_bytes());
        }
        self.alive(m.market, Metric::BestBidAsk, m.now, m.at, out);
        if told.top.due(m.at, [bid, ask, 0.0], AGAIN) {
            out.live(m.market, Metric::BestBidAsk, m.at, seq, Payload::BestBidAsk { bid, ask });
        }
    }

    /// The mark price.
    pub(crate) fn mark(&mut self, m: Moment, price: f64, told: &mut LastReported, out: &mut Out) {
        self.price(m, Metric::MarkPrice, price, &mut told.mark, out);
    }

    /// The index price.
    pub(crate) fn index(&mut self, m: Moment, price: f64, told: &mut LastReported, out: &mut Out) {
        self.price(m, Metric::IndexPrice, price, &mut told.index, out);
    }

    fn price(&mut self, m: Moment, metric: Metric, price: f64, said: &mut RepeatedValue, out: &mut Out) {
        if !self.wants(m.market, metric) {
            return;
        }
        self.alive(m.market, metric, m.now, m.at, out);
        if said.due(m.at, [price, 0.0, 0.0], AGAIN) {
            out.live(m.market, metric, m.at, 0, Payload::Value(price));
        }
    }

    /// The running funding rate, hours between settlements, the next settlement.
    #[expect(clippy::cast_precision_loss, reason = "an identity of the value, compared and never used as a number")]
    pub(crate) fn funding(
        &mut self,
        m: Moment,
        (rate, interval_h, next_ts): (f64, Option<f64>, Option<Ts>),
        told: &mut LastReported,
        out: &mut Out,
    ) {
        if !self.wants(m.market, Metric::FundingRate) {
            return;
        }
        self.alive(m.market, Metric::FundingRate, m.now, m.at, out);
        let value = [rate, interval_h.unwrap_or(-1.0), next_ts.map_or(-1.0, |t| t.0 as f64)];
        if told.funding.due(m.at, value, AGAIN) {
            let payload = Payload::Funding { rate, interval_h, next_ts, special: false };
            out.live(m.market, Metric::FundingRate, m.at, 0, payload);
        }
    }

    /// Open interest in base units and in USD, reported when `counted`, the venue's own number, moves, not with every tick of a price.
    pub(crate) fn interest(
        &mut self,
        m: Moment,
        counted: f64,
        (base, usd): (f64, Option<f64>),
        told: &mut LastReported,
        out: &mut Out,
    ) {
        let say = told.interest.due(m.at, [counted, 0.0, 0.0], AGAIN);
        for (metric, value) in [(Metric::OpenInterest, Some(base)), (Metric::OpenInterestUsd, usd)] {
            let Some(value) = value.filter(|_| self.wants(m.market, metric)) else { continue };
            self.alive(m.market, metric, m.now, m.at, out);
            if say {
                out.live(m.market, metric, m.at, 0, Payload::Value(value));
            }
        }
    }

    /// Open interest as the venue counts it: in base units, that of inverse contracts in USD. The other unit needs the mark price.
    pub(crate) fn interest_of(
        &mut self,
        m: Moment,
        inverse: bool,
        (counted, mark): (f64, f64),
        told: &mut LastReported,
        out: &mut Out,
    ) {
        let (base, usd) = if inverse { (counted / mark, counted) } else { (counted, counted * mark) };
        self.interest(m, counted, (base, Some(usd)), told, out);
    }

    /// A trade of the socket, once; `text` is its id as the venue writes it. True: it is new.
    pub(crate) fn trade(
        &mut self,
        m: Moment,
        (id, text): (u64, &str),
        (seq, payload): (u64, Payload),
        seen: &mut Ids,
        out: &mut Out,
    ) -> bool {
        match seen.admit(m.at, id) {
            Admit::Seen => false,
            Admit::TooLate => {
                out.fault("late_trade", Some(m.market), "older than all that is remembered", text.as_bytes());
                false
            }
            Admit::New => {
                self.alive(m.market, Metric::Trade, m.now, m.at, out);
                out.live(m.market, Metric::Trade, m.at, seq, payload);
                true
            }
        }
    }

    /// A liquidation, once.
    pub(crate) fn liquidation(&mut self, m: Moment, id: u64, payload: Payload, seen: &mut Ids, out: &mut Out) {
        if seen.admit(m.at, id) == Admit::New {
            self.alive(m.market, Metric::Liquidation, m.now, m.at, out);
            out.live(m.market, Metric::Liquidation, m.at, 0, payload);
        }
    }

    /// The bar of the minute that begins at `m.at`, closed or still open. That a minute is open says that all before it are
    /// closed: one that was not reported by then is fetched.
    pub(crate) fn bar(&mut self, m: Moment, closed: Option<Payload>, bars: &mut EmittedBars, out: &mut Out) {
        let start = m.at;
        if bars.open.is_none_or(|open| start >= open) {
            let missed = bars.open.filter(|_| bars.skips(start));
            bars.open = Some(start);
            if missed.is_some() {
                self.lost(m.market, Metric::Bar, m.now, GapReason::SequenceJump, out);
            }
            self.alive(m.market, Metric::Bar, m.now, start, out);
            if let Some(from) = missed {
                self.missed(m.market, Metric::Bar, m.now, from, start);
            }
        }
        let close = start + Span::mins(1);
        if let Some(bar) = closed
            && bars.minutes.admit(close) == Admit::New
        {
            self.alive(m.market, Metric::Bar, m.now, close, out);
            out.live(m.market, Metric::Bar, close, 0, bar);
        }
    }

    /// Bars of a page of history, oldest first; those that close after `upto` may not be final.
    pub(crate) fn past_bars(
        job: &Job,
        rows: impl Iterator<Item = (Ts, Payload)>,
        upto: Ts,
        bars: &mut EmittedBars,
        out: &mut Out,
    ) {
        for (close, bar) in rows {
            let wanted = close > job.from && close <= job.until && close <= upto;
            if wanted && bars.minutes.admit(close) != Admit::Seen {
                out.backfilled(job.market, Metric::Bar, close, 0, bar);
            }
        }
    }

    /// Values of a page of history, oldest first, none later than `upto`.
    pub(crate) fn past_values(job: &Job, rows: impl Iterator<Item = (Ts, f64)>, upto: Ts, out: &mut Out) {
        for (at, value) in rows.filter(|(at, _)| *at > job.from && *at <= job.until && *at <= upto) {
            out.backfilled(job.market, job.metric, at, 0, Payload::Value(value));
        }
    }

    /// Wants the newest row of each of these polled ratios whose turn it is; `due` is when, for each of them. The rounds of
    /// `markets` markets are spread.
    pub(crate) fn want_ratios(
        &mut self,
        now: Ts,
        (market, markets): (MarketIndex, usize),
        ratios: &[Metric],
        due: &mut [Option<Ts>],
        config: &SessionConfig,
    ) {
        let spread = RATIOS_WITHIN.0 / i64::try_from(markets.max(1)).unwrap_or(i64::MAX);
        for (metric, next) in ratios.iter().copied().zip(due) {
            if !self.wants(market, metric) {
                continue;
            }
            let due = *next.get_or_insert(now + Span(spread * i64::from(market.0)));
            if now >= due {
                *next = Some((due + config.every_or(metric, RATIO_PERIOD)).max(now));
                self.history.want(market, metric, now - RATIO_PERIOD.times(2), now, Priority::Poll, now);
            }
        }
    }

    /// A polled ratio, the newest of these rows; none says that there is no row yet. Rows are stamped with the beginning of their
    /// five minutes; one that is younger than those is taken for the end of them.
    pub(crate) fn ratio(&mut self, now: Ts, job: &Job, rows: Vec<(Ts, f64)>, out: &mut Out) {
        let Some((stamp, ratio)) = rows.into_iter().max_by_key(|(stamp, _)| *stamp) else { return };
        let at = if stamp + RATIO_PERIOD <= now { stamp + RATIO_PERIOD } else { stamp };
        let known = self.tracker.get(job.market, job.metric).and_then(|s| s.newest);
        if known.is_none_or(|before| at > before) {
            self.tracker.progress(job.market, job.metric, now, at, out);
            out.live(job.market, job.metric, at, 0, Payload::Value(ratio));
        }
    }
}
