//! Large orders that came into the book and what became of them: what SPOOFING and LAYERING both look at.
//!
//! A feed of levels knows no orders. An add of a size that is rare here is followed as if it were one: what is cancelled at its
//! price afterwards is taken to be it, newest first; what trades there takes what rested before it first.

use super::FlowThresholds;
use super::accounting::{BookState, LevelFlow, RestingSide};
use super::usual::Usual;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Orders followed at once; of more the oldest is given up.
const FOLLOWED_MAX: usize = 128;
/// Nothing is found of an order after this: its life of 10 s at most, and what is waited for after it.
const FOLLOWED: Span = Span::secs(12);
/// Levels whose sizes a large order is compared with.
const BEST: usize = 10;

/// The book when something happened.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct BookMoment {
    pub(super) at: Ts,
    /// Best bid plus best ask, in units: twice the middle.
    pub(super) mid2: f64,
    /// Best ask less best bid, in units.
    pub(super) spread: f64,
    /// How far the middle moved with this update, in units, and the smallest step of prices.
    pub(super) moved: f64,
    pub(super) tick: f64,
}

impl BookMoment {
    /// The price jumped: what comes with it is the book that moves along, and no order that anybody shows.
    fn jumped(&self, t: &FlowThresholds) -> bool {
        self.moved.abs() >= t.stale_ticks * self.tick
    }
}

/// An order that is followed.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct PostedOrder {
    pub(super) side: RestingSide,
    pub(super) units: i64,
    /// Base quantity.
    pub(super) size: f64,
    /// What a large one had to reach, where it did.
    pub(super) large_from: Option<f64>,
    pub(super) posted: BookMoment,
    /// From the best price of its side, in units and in bps.
    pub(super) distance: f64,
    pub(super) distance_bps: f64,
    /// What rested at its price before it.
    ahead: f64,
    pub(super) cancelled: f64,
    pub(super) traded: f64,
    /// When enough of it was cancelled for a large order, and for a stacked one.
    pub(super) gone: Option<BookMoment>,
    pub(super) gone_stacked: Option<BookMoment>,
    /// It was judged as a large order; as a stacked one.
    pub(super) judged: bool,
    pub(super) stacked: bool,
    /// It was part of an episode.
    pub(super) counted: bool,
}

impl PostedOrder {
    /// How far the middle has moved away from it, in units.
    pub(super) fn moved_away(&self, by: &BookMoment) -> f64 {
        let up = 0.5 * (by.mid2 - self.posted.mid2);
        if self.side == RestingSide::Bid { up } else { -up }
    }

    /// The market went away from it before it was taken back: a quote that was out of date.
    pub(super) fn is_stale(&self, by: &BookMoment, t: &FlowThresholds) -> bool {
        let away = self.moved_away(by);
        away >= t.stale_ticks * by.tick && away >= t.stale_distance * self.distance
    }

    fn take(&mut self, flow: &LevelFlow, cancelled: &mut f64) {
        let ahead = flow.traded.min(self.ahead);
        self.ahead -= ahead;
        self.traded += (flow.traded - ahead).min(self.size - self.traded);
        let of = cancelled.min((self.size - self.cancelled - self.traded).max(0.0));
        self.cancelled = (self.cancelled + of - flow.late).max(0.0);
        *cancelled -= of;
    }
}

/// Orders that are followed, oldest first.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Posted {
    pub(super) orders: VecDeque<PostedOrder>,
}

impl Posted {
    pub(super) fn lose(&mut self) {
        self.orders.clear();
    }

    /// What happened at one price; `state` is the book after it.
    pub(super) fn flow(
        &mut self,
        flow: &LevelFlow,
        now: BookMoment,
        state: BookState<'_>,
        usual: &mut Usual,
        t: &FlowThresholds,
    ) {
        let add = flow.add();
        if add > 0.0 {
            match Self::of(flow, now, state, usual, t) {
                Some(order) => self.follow(order, usual, now.at),
                None => usual.add(now.at, add),
            }
            return;
        }
        let mut cancelled = flow.cancelled();
        let at_price = |o: &&mut PostedOrder| o.side == flow.side && o.units == flow.units;
        for order in self.orders.iter_mut().rev().filter(at_price) {
            order.take(flow, &mut cancelled);
            let since = |share: f64, known: Option<BookMoment>| {
                (order.cancelled >= share * order.size).then(|| known.unwrap_or(now))
            };
            (order.gone, order.gone_stacked) =
                (since(t.spoof_cancelled, order.gone), since(t.layer_cancelled, order.gone_stacked));
        }
    }

    fn of(
        flow: &LevelFlow,
        now: BookMoment,
        state: BookState<'_>,
        usual: &Usual,
        t: &FlowThresholds,
    ) -> Option<PostedOrder> {
        let size = flow.add();
        let least = usual.levels.add_stacked?.min(usual.levels.add_large?);
        let own = if flow.side == RestingSide::Bid { state.bids } else { state.asks };
        let best = own.first()?.units;
        let distance = (best - flow.units).abs() as f64;
        let distance_bps = 1e4 * distance / best as f64;
        let near = distance > 0.0 && distance_bps <= t.spoof_distance_bps.max(t.layer_distance_bps);
        if size < least || !near || now.jumped(t) {
            return None;
        }
        let from = usual.levels.add_large.filter(|q| size >= *q && distance_bps <= t.spoof_distance_bps);
        let large_from = from.map(|q| q.max(t.spoof_median_sizes * median_size(state))).filter(|from| size >= *from);
        Some(PostedOrder {
            side: flow.side,
            units: flow.units,
            size,
            large_from,
            posted: now,
            distance,
            distance_bps,
            ahead: flow.before,
            cancelled: 0.0,
            traded: 0.0,
            gone: None,
            gone_stacked: None,
            judged: false,
            stacked: false,
            counted: false,
        })
    }

    fn follow(&mut self, order: PostedOrder, usual: &mut Usual, at: Ts) {
        if self.orders.len() == FOLLOWED_MAX {
            self.orders.pop_front().iter().for_each(|old| give_up(old, usual, at));
        }
        self.orders.push_back(order);
    }

    /// Gives up what is too old to become anything; from then on it is one of the adds that are usual.
    pub(super) fn second(&mut self, at: Ts, usual: &mut Usual) {
        while self.orders.front().is_some_and(|o| at - o.posted.at > FOLLOWED) {
            self.orders.pop_front().iter().for_each(|old| give_up(old, usual, at));
        }
    }
}

fn give_up(order: &PostedOrder, usual: &mut Usual, at: Ts) {
    if order.counted {
        return;
    }
    usual.add(at, order.size);
    if order.large_from.is_some() && order.gone.is_some() {
        usual.taken_back(at, order.distance_bps);
    }
}

/// Median size of the ten best levels of both sides.
pub(super) fn median_size(state: BookState<'_>) -> f64 {
    let mut sizes: Vec<f64> = state.bids.iter().take(BEST).chain(state.asks.iter().take(BEST)).map(|l| l.qty).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    crate::kernel::rank::quantile(&sizes, 0.5).unwrap_or(0.0)
}
