//! Candles, folded while points are read. See [`crate::candle`].

use super::db::Connection;
use super::fault::{Inner, SqlFault};
use super::pieces::Fact;
use super::streams::{self, Stored};
use super::{corrections, points};
use crate::candle::{Candle, CandleQuery, Candles};
use barograph_domain::{Metric, Payload, Span, Ts};

pub(super) fn load(conn: &Connection, q: &CandleQuery) -> Inner<Candles> {
    if q.every.0 <= 0 {
        return Err(SqlFault::Invalid("'every' has to be positive".to_owned()));
    }
    let Some(stream) = source(conn, q)? else { return Ok(Candles::default()) };
    // A bar is stamped with its close, a trade with its moment.
    let length = if stream.decl.metric == Metric::Bar { stream.decl.cadence } else { Span::ZERO };
    let known = q.as_of.unwrap_or(Ts::MAX);
    let latest = if q.as_of.is_some() { known.0.saturating_sub(stream.lag_min) } else { i64::MAX };
    // A range is by beginnings: what is cut by its ends belongs to the candle before, or is whole.
    let whole = |t: Ts| if t.0.unsigned_abs() > u64::MAX / 4 { t } else { t.ceil(q.every) };
    let first = Ts(whole(q.range.start).0.saturating_add(length.0));
    let last = Ts(whole(q.range.end).0.saturating_sub(1).saturating_add(length.0).min(latest));
    let mut fold =
        Fold { every: q.every, length, many: stream.decl.metric == Metric::Trade, held: Vec::new(), items: Vec::new() };
    points::walk(conn, &stream, first, last, |fact| {
        if fact.event.recv_ts <= known {
            fold.take(fact);
        }
        Ok(true)
    })?;
    fold.close();
    let opened = Ts(stream.first_event.0.saturating_sub(length.0));
    Ok(Candles { items: fold.items, first: Some(opened), newest: Some(stream.newest_event) })
}

/// The stream to make them of: the shortest bars that are not longer than a candle, else trades.
fn source(conn: &Connection, q: &CandleQuery) -> Inner<Option<Stored>> {
    let known = q.as_of.unwrap_or(Ts::MAX);
    let all = streams::load(conn, Some(&q.instrument))?;
    let mut all: Vec<Stored> =
        all.into_iter().filter(|s| s.first_event.0.saturating_add(s.lag_min.max(0)) <= known.0).collect();
    let bars = |s: &Stored| s.decl.metric == Metric::Bar && s.decl.cadence.0 > 0 && s.decl.cadence <= q.every;
    let rank = (0..all.len()).filter(|at| bars(&all[*at])).min_by_key(|at| (all[*at].decl.cadence, *at));
    let trades = || all.iter().position(|s| s.decl.metric == Metric::Trade);
    Ok(rank.or_else(trades).map(|at| all.swap_remove(at)))
}

struct Fold {
    every: Span,
    length: Span,
    /// Facts that share a key are all facts.
    many: bool,
    /// The rows of the key that is being read.
    held: Vec<Fact>,
    items: Vec<Candle>,
}

impl Fold {
    fn take(&mut self, fact: Fact) {
        if self.held.first().is_some_and(|held| held.key() != fact.key()) {
            self.close();
        }
        self.held.push(fact);
    }

    fn close(&mut self) {
        if self.held.len() > 1 {
            corrections::counting(&mut self.held, self.many, |f| (f.event.recv_ts, f.provenance, f.bytes()));
        }
        let mut held = std::mem::take(&mut self.held);
        held.drain(..).for_each(|fact| self.join(&fact));
        // Its room is used again.
        self.held = held;
    }

    fn join(&mut self, fact: &Fact) {
        let start = Ts(fact.event.event_ts.0.saturating_sub(self.length.0)).floor(self.every);
        let own = match fact.event.payload {
            Payload::Bar(b) => {
                Candle { start, open: b.open, high: b.high, low: b.low, close: b.close, volume: b.volume }
            }
            Payload::Trade { price, qty, .. } => {
                Candle { start, open: price, high: price, low: price, close: price, volume: Some(qty) }
            }
            Payload::Value(_)
            | Payload::Funding { .. }
            | Payload::BestBidAsk { .. }
            | Payload::Liquidation { .. }
            | Payload::Status(_)
            | Payload::Tick => return,
        };
        match self.items.last_mut().filter(|c| c.start == start) {
            Some(candle) => candle.join(&own),
            None => self.items.push(own),
        }
    }
}
