//! Events of a market: each goes to the feed of its stream, and waits there for its minute.

use super::{FeedRoute, MarketState, TICK};
use crate::engine::{Config, Outputs};
use crate::feeds::{PriceFeed, PriceSeries, RatioFeed};
use barograph_domain::time::LATENESS;
use barograph_domain::{Event, GapReason, Payload, Span, Status, StatusState, StreamIndex, Ts};

impl MarketState {
    /// Takes one event of this market. Records of alerts that the event itself makes are added to `out`.
    #[inline]
    pub(crate) fn apply(&mut self, event: &Event, route: FeedRoute, delay: Span, config: &Config, out: &mut Outputs) {
        if self.next_tick.is_none() {
            self.next_tick = Some((event.recv_ts - LATENESS).ceil(TICK));
        }
        self.last_recv = self.last_recv.max(event.recv_ts);
        if event.recv_ts - event.event_ts > delay + LATENESS
            && self.next_tick.is_some_and(|t| event.event_ts <= t - TICK)
        {
            self.late_events += 1;
        }
        if let Payload::Status(status) = &event.payload {
            self.take_status(event, status, route);
            return;
        }
        let at = event.event_ts;
        match (route, &event.payload) {
            (FeedRoute::Price(i), Payload::Bar(bar)) => {
                if let PriceSeries::Bars(bars) = &mut self.feeds.prices[i].series {
                    bars.series.push(at, (*bar).into());
                }
            }
            (FeedRoute::Price(i), Payload::Value(price) | Payload::Trade { price, .. }) => {
                push_price(&mut self.feeds.prices[i], at, *price)
            }
            (FeedRoute::Price(i), Payload::BestBidAsk { bid, ask }) => {
                push_price(&mut self.feeds.prices[i], at, 0.5 * (bid + ask))
            }
            (FeedRoute::Index(i), Payload::Value(price)) => push_price(&mut self.feeds.indexes[i], at, *price),
            (FeedRoute::Funding(i), Payload::Value(premium)) => {
                if let Some((series, _)) = &mut self.feeds.funding[i].premium {
                    series.push(at, *premium);
                }
            }
            (FeedRoute::Funding(i), Payload::Funding { rate, interval_h, next_ts, .. }) => {
                let feed = &mut self.feeds.funding[i];
                feed.next_ts = next_ts.or(feed.next_ts);
                feed.push(at, *rate, *interval_h, &self.feeds.settled);
            }
            (FeedRoute::Settled(i), Payload::Funding { rate, interval_h, special, .. }) => {
                self.feeds.settled[i].push(at, *rate, *interval_h, *special);
                if let Some(h) = self.feeds.settled[i].interval_hours() {
                    self.feeds
                        .funding
                        .iter_mut()
                        .filter_map(|f| f.premium.as_mut())
                        .for_each(|(_, m)| m.set_interval_hours(h));
                }
            }
            (FeedRoute::OpenInterest(i), Payload::Value(value)) => self.feeds.open_interest[i].push(at, *value),
            (FeedRoute::LongShort, Payload::Value(ratio)) => push_ratio(&mut self.feeds.long_short, at, *ratio),
            (FeedRoute::TopTraders, Payload::Value(ratio)) => push_ratio(&mut self.feeds.top_traders, at, *ratio),
            (FeedRoute::Liquidation, Payload::Liquidation { .. }) => self.liquidation(event, config, out),
            _ => return,
        }
        self.dirty = true;
    }

    /// Continuity of a stream changed, which is rare.
    #[cold]
    fn take_status(&mut self, event: &Event, status: &Status, route: FeedRoute) {
        self.note_lost(event.stream, status);
        self.gap(status, event.recv_ts, route);
    }

    fn note_lost(&mut self, stream: StreamIndex, status: &Status) {
        if status.is_open() {
            if self.lost(stream).is_none() {
                self.lost.push((stream, status.reason));
            }
        } else if status.state == StatusState::Live {
            self.lost.retain(|(s, _)| *s != stream);
        }
    }

    /// Why a stream is lost at this moment; `None` while it is continuous.
    #[must_use]
    pub fn lost(&self, stream: StreamIndex) -> Option<GapReason> {
        self.lost.iter().find(|(s, _)| *s == stream).map(|(_, reason)| *reason)
    }

    fn gap(&mut self, status: &Status, recv_ts: Ts, route: FeedRoute) {
        match route {
            FeedRoute::Price(i) => self.feeds.prices[i].gap(status),
            FeedRoute::Index(i) => self.feeds.indexes[i].gap(status),
            FeedRoute::Funding(i) => self.feeds.funding[i].gap(status),
            // Settlements come hours apart: a hole is one only when its end is known.
            FeedRoute::Settled(i) if !status.is_open() && status.from < status.until => {
                self.feeds.settled[i].gap(status.from, status.until);
            }
            FeedRoute::Settled(_) => return,
            FeedRoute::OpenInterest(i) => self.feeds.open_interest[i].gap(status),
            FeedRoute::LongShort => self.feeds.long_short.iter_mut().for_each(|f| f.series.gap(status)),
            FeedRoute::TopTraders => self.feeds.top_traders.iter_mut().for_each(|f| f.series.gap(status)),
            FeedRoute::Liquidation => self.feeds.liquidations.iter_mut().for_each(|l| l.gap(status, recv_ts)),
            FeedRoute::Unused => return,
        }
        self.dirty = true;
        if let Some(assembly) = &mut self.assembly {
            assembly.forget_expiry();
        }
    }
}

fn push_price(feed: &mut PriceFeed, at: Ts, price: f64) {
    if let PriceSeries::Plain(series) = &mut feed.series {
        series.push(at, price);
    }
}

fn push_ratio(feed: &mut Option<Box<RatioFeed>>, at: Ts, ratio: f64) {
    if let Some(feed) = feed {
        feed.series.push(at, ratio);
    }
}
