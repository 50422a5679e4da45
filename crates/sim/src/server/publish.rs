//! Which streams an event shows up in, and in whose spelling.

use crate::Venue;
use crate::fault::{Injected, InjectedFault, Scope};
use crate::num::Text;
use crate::server::hub::ClientHub;
use crate::server::streams::{Everything, Stream};
use crate::wire::{coinbase, coinex, spot, usdm};
use crate::world::World;
use crate::world::bar::{INTERVALS, TickBar, interval_start};
use crate::world::book::{BookUpdate, Speed};
use crate::world::candles::HistoryWindow;
use crate::world::event::{MarketEvent, Trade};
use crate::world::market::TradedMarket;

const FIVE_MINUTES_MS: i64 = 300_000;

impl ClientHub {
    /// Writes what happened in one market to those who asked.
    pub(crate) fn publish(&mut self, number: usize, market: &mut TradedMarket, events: &[MarketEvent], now_ms: i64) {
        if !self.is_heard(number) {
            return;
        }
        for event in events {
            match event {
                MarketEvent::Trade(trade) => {
                    self.publish_trade(number, market, trade, now_ms);
                    self.jump(market, "aggTrade");
                }
                MarketEvent::Top(top) if market.spec.venue == Venue::Coinex => {
                    let best = (top.bid, top.ask);
                    self.one(number, market, Stream::Best, |t, _| coinex::best(t, &market.spec, best, now_ms));
                }
                MarketEvent::Top(top) => self.one(number, market, Stream::BookTicker, |t, _| match market.spec.venue {
                    Venue::BinanceSpot => spot::book_ticker(t, &market.spec, top),
                    Venue::BinanceUsdm | Venue::Coinbase | Venue::Coinex => usdm::book_ticker(t, &market.spec, top),
                }),
                MarketEvent::Depth(update) => {
                    if update.speed == Speed::Ms200 {
                        self.publish_windows(number, market, now_ms);
                    } else if !self.is_stale(number) {
                        self.publish_depth(number, market, update, now_ms);
                    }
                    if update.speed == Speed::Ms100 {
                        self.jump(market, "depth");
                    }
                }
                MarketEvent::ForceOrder(order) => {
                    self.one(number, market, Stream::ForceOrder, |t, _| {
                        usdm::force_order(t, &market.spec, order, now_ms);
                    });
                    self.everyone(market.spec.venue, Everything::ForceOrders, |t| {
                        usdm::force_order(t, &market.spec, order, now_ms);
                    });
                }
                MarketEvent::Mark(mark) => {
                    let every = if mark.ms % 3_000 == 0 { &[1, 3][..] } else { &[1] };
                    for seconds in every {
                        self.one(number, market, Stream::Mark(*seconds), |t, _| {
                            usdm::mark_price(t, &market.spec.symbol, mark, "1");
                        });
                    }
                }
                MarketEvent::Sample(sample) => {
                    for seconds in [1, 3] {
                        self.one(number, market, Stream::Mark(seconds), |t, _| {
                            usdm::mark_sample(t, &market.spec.symbol, sample);
                        });
                    }
                }
                MarketEvent::Quarter => {
                    self.publish_candles(number, market, None, now_ms);
                    self.publish_batch(number, market, now_ms);
                }
                MarketEvent::Closed(bar) => self.publish_candles(number, market, Some(bar.open_ms), now_ms),
                MarketEvent::Second(ms) => self.publish_second(number, market, *ms),
                MarketEvent::Liquidation(_) => {}
            }
        }
    }

    fn publish_trade(&mut self, number: usize, market: &TradedMarket, trade: &Trade, now_ms: i64) {
        let (spec, on_spot) = (&market.spec, market.spec.venue == Venue::BinanceSpot);
        self.one(number, market, Stream::AggTrade, |t, _| {
            if on_spot { spot::agg_trade(t, spec, trade, now_ms) } else { usdm::agg_trade(t, spec, trade, now_ms) }
        });
        if self.is_wanted(number, Stream::Trade) {
            for (id, steps) in trade.singles() {
                self.one(number, market, Stream::Trade, |t, _| {
                    if on_spot {
                        spot::trade(t, spec, trade, id, steps, now_ms);
                    } else {
                        usdm::trade(t, spec, trade, id, steps, now_ms);
                    }
                });
            }
        }
        self.one(number, market, Stream::ProductTicker, |t, _| coinbase::ticker(t, market, "ticker", "update", now_ms));
    }

    fn publish_depth(&mut self, number: usize, market: &TradedMarket, update: &BookUpdate, now_ms: i64) {
        let on_spot = market.spec.venue == Venue::BinanceSpot;
        self.one(number, market, Stream::Depth(update.speed), |t, changed| {
            market.book.changed(update, changed);
            if on_spot {
                spot::depth_update(t, market, update, changed, now_ms);
            } else {
                usdm::depth_update(t, market, update, changed, now_ms);
            }
        });
        for levels in [5, 10, 20] {
            self.one(number, market, Stream::Partial(levels, update.speed), |t, _| {
                if on_spot {
                    spot::depth(t, market, levels.into());
                } else {
                    usdm::partial_depth(t, market, levels.into(), update, now_ms);
                }
            });
        }
        if update.speed == Speed::Ms50 {
            self.one(number, market, Stream::Level2, |t, changed| {
                market.book.changed(update, changed);
                coinbase::book_update(t, market, changed, now_ms);
            });
        }
    }

    fn publish_second(&mut self, number: usize, market: &TradedMarket, ms: i64) {
        let on_spot = market.spec.venue == Venue::BinanceSpot;
        if on_spot || ms % 2_000 == 0 {
            self.one(number, market, Stream::Ticker, |t, _| {
                if on_spot { spot::ticker(t, market, ms) } else { usdm::ticker(t, market, ms) }
            });
            self.one(number, market, Stream::MiniTicker, |t, _| usdm::mini_ticker(t, market, ms));
        }
        if ms % 5_000 == 0 {
            self.one(number, market, Stream::ProductTickerBatch, |t, _| {
                coinbase::ticker(t, market, "ticker_batch", "update", ms);
            });
        }
        if self.is_wanted(number, Stream::FiveMinutes) {
            let bars = five_minutes(market, 1, ms);
            self.one(number, market, Stream::FiveMinutes, |t, _| {
                coinbase::candles(t, &market.spec, "update", &bars, ms);
            });
        }
    }

    /// Coinbase and CoinEx: the trades of a quarter of a second in one message.
    fn publish_batch(&mut self, number: usize, market: &TradedMarket, now_ms: i64) {
        if !matches!(market.spec.venue, Venue::Coinbase | Venue::Coinex) {
            return;
        }
        let since = self.batch(number, market.aggregate_id());
        if since != market.aggregate_id() {
            let fresh = market.trades.iter().rev().take_while(|t| t.aggregate_id > since);
            self.one(number, market, Stream::MarketTrades, |t, _| {
                coinbase::trades(t, &market.spec, "update", fresh.clone(), now_ms);
            });
            self.one(number, market, Stream::Deals, |t, _| coinex::deal_list(t, &market.spec, fresh));
        }
    }

    /// Open candles, or those that end with the minute that began at `closed`.
    fn publish_candles(&mut self, number: usize, market: &TradedMarket, closed: Option<i64>, now_ms: i64) {
        for (n, interval) in (0_u8..).zip(INTERVALS) {
            let stream = Stream::Kline(n);
            if !self.is_wanted(number, stream) {
                continue;
            }
            let minute = closed.unwrap_or(market.bar.open_ms);
            let open_ms = interval_start(minute, interval.1);
            let length_ms = market.script.as_ref().map_or(60_000, |s| s.length_ms);
            if closed.is_some() && minute + length_ms != open_ms + interval.1 {
                continue;
            }
            let window = HistoryWindow { start_ms: Some(open_ms), end_ms: None, limit: 1 };
            let now_of = closed.map_or(now_ms, |_| now_ms.max(open_ms + interval.1));
            let candle: Option<TickBar> = if n == 0 && closed.is_none() {
                Some(market.bar)
            } else {
                market.candles(interval.1, &window, now_of).first().copied()
            };
            let Some(bar) = candle else { continue };
            self.one(number, market, stream, |t, _| {
                if market.spec.venue == Venue::BinanceSpot {
                    spot::kline(t, &market.spec, &bar, interval, closed.is_some(), now_ms);
                } else {
                    usdm::kline(t, &market.spec, &bar, interval, closed.is_some(), now_ms);
                }
            });
        }
    }

    /// Frames of all markets at once, every second.
    pub(crate) fn publish_everywhere(&mut self, world: &World, ms: i64) {
        let at = |venue: Venue| world.markets.iter().filter(move |m| m.spec.venue == venue);
        for every in [1_u8, 3] {
            if ms % (i64::from(every) * 1_000) == 0 {
                for tradfi in [false, true] {
                    let write = |t: &mut Text| usdm::mark_prices(t, at(Venue::BinanceUsdm), tradfi);
                    self.everyone(Venue::BinanceUsdm, Everything::Marks(every), write);
                }
            }
        }
        for venue in [Venue::BinanceUsdm, Venue::BinanceSpot] {
            self.everyone(venue, Everything::Tickers, |t| usdm::tickers(t, at(venue), ms));
            self.everyone(venue, Everything::MiniTickers, |t| usdm::mini_tickers(t, at(venue), ms));
        }
        if ms % 5_000 == 0 {
            for market in at(Venue::BinanceUsdm) {
                self.everyone(Venue::BinanceUsdm, Everything::BookTickers, |t| usdm::book_ticker_now(t, market, ms));
            }
        }
    }

    /// The ids of a market may jump here. Coinbase has no ids to jump: its numbering does, when a message is delivered. CoinEx has
    /// no numbers that anybody could miss.
    fn jump(&mut self, market: &mut TradedMarket, stream: &str) {
        if !self.plan.concerns(Scope::Sequence) || !matches!(market.spec.venue, Venue::BinanceUsdm | Venue::BinanceSpot)
        {
            return;
        }
        let place = (market.spec.venue, Some(market.spec.symbol.as_str()), Some(stream));
        let Some(fault @ InjectedFault::SequenceJump(by)) = self.plan.draw(Scope::Sequence, self.now, true, place)
        else {
            return;
        };
        let detail = if stream == "depth" {
            market.book.jump(by);
            format!("update ids jump by {by} to {}", market.book.last_id)
        } else {
            market.jump_trades(by);
            format!("aggregate ids jump by {by} to {}", market.aggregate_id())
        };
        self.plan.record(Injected {
            at: self.now,
            fault,
            venue: market.spec.venue,
            market: Some(market.spec.symbol.clone()),
            stream: Some(stream.to_owned()),
            connection: None,
            detail,
        });
    }
}

/// The newest five-minute candles of a product, oldest first; buckets without trades are left out.
pub(crate) fn five_minutes(market: &TradedMarket, limit: usize, now_ms: i64) -> Vec<TickBar> {
    let window = HistoryWindow { start_ms: None, end_ms: None, limit };
    let mut bars = market.candles(FIVE_MINUTES_MS, &window, now_ms);
    bars.retain(|b| b.trades > 0);
    bars
}
