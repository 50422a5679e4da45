//! Questions about what was: candles of any length, settled funding, open interest. One answer over the past before the
//! origin and the minutes since, with the paging rule that both Binance sheets state.

use crate::num::index;
use crate::world::bar::{TickBar, interval_start};
use crate::world::market::TradedMarket;
use crate::world::perp::{OpenInterestPoint, SettledFunding};

/// Which part of a history is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HistoryWindow {
    /// First moment, ms.
    pub start_ms: Option<i64>,
    /// Last moment, ms, inclusive.
    pub end_ms: Option<i64>,
    /// Rows at most.
    pub limit: usize,
}

impl HistoryWindow {
    /// The rows of a sorted list that are wanted: with a start the oldest, else the newest.
    pub(crate) fn of<T: Copy>(&self, rows: &[T], ms: impl Fn(&T) -> i64) -> Vec<T> {
        let inside: Vec<T> = rows
            .iter()
            .filter(|r| self.start_ms.is_none_or(|s| ms(r) >= s) && self.end_ms.is_none_or(|e| ms(r) <= e))
            .copied()
            .collect();
        let skipped = if self.start_ms.is_some() { 0 } else { inside.len().saturating_sub(self.limit) };
        inside.into_iter().skip(skipped).take(self.limit).collect()
    }

    /// Candle openings `from..to` of this window. `first` is the first minute there is.
    fn openings(&self, length_ms: i64, first_ms: i64, now_ms: i64) -> (i64, i64) {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX / length_ms);
        let newest = interval_start(now_ms, length_ms);
        if let Some(start) = self.start_ms {
            let mut from = interval_start(start.max(first_ms), length_ms);
            if from < start {
                from += length_ms;
            }
            let to = from.saturating_add(limit.saturating_mul(length_ms)).min(newest + length_ms);
            (from, self.end_ms.map_or(to, |end| to.min(end + 1)))
        } else {
            let last = interval_start(self.end_ms.unwrap_or(now_ms).min(now_ms), length_ms);
            (last - (limit - 1) * length_ms, last + length_ms)
        }
    }
}

impl TradedMarket {
    /// Candles of `length_ms`, oldest first; the running one is last unless the window ends before.
    #[must_use]
    pub fn candles(&self, length_ms: i64, window: &HistoryWindow, now_ms: i64) -> Vec<TickBar> {
        if let Some(script) = &self.script {
            return script.candles(length_ms, window, now_ms);
        }
        let (from, to) = window.openings(length_ms, self.past.start_ms, now_ms);
        let mut candles: Vec<TickBar> = Vec::new();
        let mut add = |bar: &TickBar| {
            let open_ms = interval_start(bar.open_ms, length_ms);
            match candles.last_mut() {
                Some(last) if last.open_ms == open_ms => last.join(bar),
                _ if open_ms >= from && open_ms < to => candles.push(TickBar { open_ms, ..*bar }),
                _ => {}
            }
            bar.open_ms < to + length_ms
        };
        self.past.minutes(&self.spec, from, to + length_ms, &mut add);
        let first = self.bars.front().map_or(0, |b| b.open_ms);
        let skip = index((from - first) / 60_000).min(self.bars.len());
        for bar in self.bars.iter().skip(skip) {
            if !add(bar) {
                break;
            }
        }
        add(&self.bar);
        candles
    }

    /// Settled funding in a window, oldest first.
    #[must_use]
    pub fn funding(&self, window: &HistoryWindow, now_ms: i64) -> Vec<SettledFunding> {
        if let Some(script) = &self.script {
            return window.of(script.funding(now_ms), |r| r.ms);
        }
        let from = window.start_ms.unwrap_or(self.past.start_ms).max(self.past.start_ms);
        let to = window.end_ms.unwrap_or(i64::MAX).min(self.past.origin_ms);
        let mut rows = self.past.settled(&self.spec, from, to);
        rows.extend(self.perp.iter().flat_map(|p| p.settled.iter().copied()));
        window.of(&rows, |r| r.ms)
    }

    /// Open interest at full steps of `length_ms` (a multiple of five minutes), oldest first.
    #[must_use]
    pub fn open_interest(&self, length_ms: i64, window: &HistoryWindow, now_ms: i64) -> Vec<OpenInterestPoint> {
        if let Some(script) = &self.script {
            let rows: Vec<_> = script.open_interest(now_ms).iter().filter(|o| o.ms % length_ms == 0).copied().collect();
            return window.of(&rows, |r| r.ms);
        }
        let Some(perp) = &self.perp else { return Vec::new() };
        let lived_from = perp.open_interest.front().map_or(self.past.origin_ms, |o| o.ms);
        // As many as could be wanted, back from the end of the past.
        let span = length_ms.saturating_mul(i64::try_from(window.limit + 1).unwrap_or(i64::MAX));
        let end = window.end_ms.unwrap_or(i64::MAX).min(lived_from - 1);
        let from = window.start_ms.unwrap_or(end.saturating_sub(span)).max(self.past.start_ms);
        let to = window.start_ms.map_or(end, |s| end.min(s.saturating_add(span)));
        let mut rows = Vec::new();
        let mut at = from.div_euclid(length_ms) * length_ms;
        while at <= to {
            if at >= from {
                let mark = self.past.index_at(at) * (1.0 + self.past.premium_at(at));
                rows.push(OpenInterestPoint { ms: at, steps: self.past.open_interest_at(at), mark });
            }
            at += length_ms;
        }
        rows.extend(perp.open_interest.iter().filter(|o| o.ms % length_ms == 0));
        window.of(&rows, |r| r.ms)
    }
}
