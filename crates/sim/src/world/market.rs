//! One market: its book follows a fair price, takers trade against the book, the venue liquidates.
//!
//! A step is 50 ms. Makers quote around index × (1 + premium); takers buy where the book is cheap and sell where it is
//! dear; liquidation orders go through the same book and move both premium and index. Trades print at the levels they
//! took, so no print lies outside the book it met.

use crate::num::{floor_i64, natural, round_i64};
use crate::rng::Random;
use crate::world::bar::TickBar;
use crate::world::book::{BookHistory, Speed};
use crate::world::episode::Mood;
use crate::world::event::{Liquidation, MarketEvent, Top, Trade};
use crate::world::past::MarketPast;
use crate::world::perp::Perp;
use crate::world::script::PlayedScript;
use crate::world::spec::Spec;
use barograph_domain::math;
use std::collections::VecDeque;

/// Steps per second of a market.
pub(super) const STEPS_PER_S: f64 = 20.0;
const STEP_S: f64 = 1.0 / STEPS_PER_S;
/// Orders that the liquidation engine sends in one step at most.
const LIQUIDATIONS_PER_STEP: usize = 3;
/// Levels that count as near when a liquidation order is sized.
const NEAR_LEVELS: usize = 20;

/// How busy a market is and how much it remembers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Profile {
    /// Taker orders per second.
    pub(super) trades: f64,
    /// Quote changes per second.
    pub(super) quotes: f64,
    /// Changes behind the best price per second.
    pub(super) deep: f64,
    /// Levels per side.
    pub(super) levels: usize,
    /// Trades kept for questions.
    pub(super) trades_kept: usize,
    /// Minutes kept for questions.
    pub(super) bars_kept: usize,
}

/// One market of the synthetic world.
#[derive(Clone, Debug)]
pub struct TradedMarket {
    /// What it is.
    pub spec: Spec,
    /// Its order book.
    pub book: BookHistory,
    /// What makes it perpetual; absent on spot.
    pub perp: Option<Perp>,
    /// Newest trades, oldest first.
    pub trades: VecDeque<Trade>,
    /// Newest liquidation orders, oldest first.
    pub liquidations: VecDeque<Liquidation>,
    /// Complete minutes since the beginning, oldest first.
    pub bars: VecDeque<TickBar>,
    /// The running minute.
    pub bar: TickBar,
    /// The last 24 complete hours and the running one.
    pub hours: VecDeque<TickBar>,
    /// What was before the beginning.
    pub past: MarketPast,
    /// The rows it is made of, where it is history.
    pub script: Option<PlayedScript>,
    pub(super) profile: Profile,
    rng: Random,
    steps: u64,
    aggregate_id: u64,
    trade_id: u64,
    last_ms: i64,
    second_ms: i64,
    traded: i64,
    shown: Option<((i64, i64), (i64, i64))>,
}

/// Ids of trades that a millisecond has room for. A market gives some in a second. More than that would make the jump over a
/// restart one that clients do not believe (Coinbase's trades: ten million).
const TRADE_IDS_PER_MS: u64 = 1;
/// The same of changes of the book, up to four ids each.
const BOOK_IDS_PER_MS: u64 = 64;

/// How many ids a market has given before its world begins. They go by its clock, as a venue's go on through a restart: one that
/// begins later gives higher ids than one that ran before, whatever its seed. The seed decides the last digits.
fn ids_before(now_ms: i64, per_ms: u64, rng: &mut Random) -> u64 {
    natural(now_ms) * per_ms + natural(rng.below(1 << 31)) % 500
}

impl TradedMarket {
    pub(super) fn new(seed: u64, spec: Spec, profile: Profile, past: MarketPast, mood: &Mood, now_ms: i64) -> Self {
        let mut rng = Random::new(seed, 10 + spec.venue as u64, spec.asset as u64);
        let (index_price, premium) = (past.index, past.premium);
        let perp =
            (spec.funding_interval_h > 0).then(|| Perp::new(&spec, index_price, premium, now_ms, mood, &mut rng));
        let hours = past.last_day(&spec);
        let close = hours.back().map_or(0, |h| h.close);
        let mark = perp.as_ref().map_or(index_price, |p| p.mark.mark);
        let bar = TickBar::flat(now_ms.div_euclid(60_000) * 60_000, close, mark, index_price, premium);
        let aggregate_id = ids_before(now_ms, TRADE_IDS_PER_MS, &mut rng);
        let trade_id = ids_before(now_ms, TRADE_IDS_PER_MS, &mut rng);
        let mut market = Self {
            book: BookHistory::new(ids_before(now_ms, BOOK_IDS_PER_MS, &mut rng)),
            perp,
            trades: VecDeque::new(),
            liquidations: VecDeque::new(),
            bars: VecDeque::new(),
            bar,
            hours,
            past,
            script: None,
            profile,
            rng,
            steps: 0,
            aggregate_id,
            trade_id,
            last_ms: now_ms,
            second_ms: now_ms.div_euclid(1_000) * 1_000,
            traded: 0,
            shown: None,
            spec,
        };
        let fair = market.fair(index_price);
        market.requote(fair, mood);
        market.refill(mood);
        market
    }

    /// A market of rows: everything that is not a row is empty.
    pub(super) fn of_rows(spec: Spec, script: PlayedScript, now_ms: i64) -> Self {
        let past = MarketPast::new(0, &spec, 1.0, now_ms, 0, 0.0);
        let profile = Profile { trades: 0.0, quotes: 0.0, deep: 0.0, levels: 0, trades_kept: 0, bars_kept: 0 };
        Self {
            book: BookHistory::new(0),
            perp: None,
            trades: VecDeque::new(),
            liquidations: VecDeque::new(),
            bars: VecDeque::new(),
            bar: TickBar::default(),
            hours: VecDeque::new(),
            past,
            script: Some(script),
            profile,
            rng: Random::new(0, 0, 0),
            steps: 0,
            aggregate_id: 0,
            trade_id: 0,
            last_ms: now_ms,
            second_ms: now_ms,
            traded: 0,
            shown: None,
            spec,
        }
    }

    /// Id of the newest aggregate trade.
    #[must_use]
    pub const fn aggregate_id(&self) -> u64 {
        self.aggregate_id
    }
    /// Makes the trade ids jump as if `count` aggregates had happened that nobody heard of.
    pub(crate) const fn jump_trades(&mut self, count: u64) {
        self.aggregate_id += count;
        self.trade_id += count;
    }
    /// Price of the last trade, in ticks; the middle of the book before the first.
    #[must_use]
    pub fn last_tick(&self) -> i64 {
        self.trades.back().map_or(self.bar.close, |t| t.tick)
    }
    /// The last 24 hours up to now, as one bar.
    #[must_use]
    pub fn day(&self) -> TickBar {
        let mut hours = self.hours.iter();
        let mut day = hours.next().copied().unwrap_or(self.bar);
        hours.for_each(|h| day.join(h));
        day.join(&self.bar);
        day
    }

    /// 50 ms pass, up to `now_ms`. `index` is the price of the asset, which liquidations move.
    pub(super) fn step(&mut self, now_ms: i64, index: &mut f64, mood: &Mood, out: &mut Vec<MarketEvent>) {
        if let Some(script) = &mut self.script {
            script.play(now_ms, out);
            return;
        }
        self.book.forget();
        self.steps += 1;
        let second = now_ms.div_euclid(1_000) * 1_000;
        if second > self.second_ms {
            self.second(second, *index, mood, out);
        }
        if let Some(perp) = &mut self.perp {
            perp.wander(mood, STEP_S, &mut self.rng);
        }
        let fair = self.fair(*index);
        if self.rng.count(self.profile.quotes * STEP_S * mood.activity) > 0 || self.is_off(fair) {
            self.requote(fair, mood);
            self.show(now_ms, out);
        }
        for _ in 0..self.rng.count(self.profile.trades * STEP_S * mood.activity) {
            self.taker(fair, now_ms, out);
        }
        self.liquidate(now_ms, index, mood, out);
        for _ in 0..self.rng.count(self.profile.deep * STEP_S * mood.activity) {
            self.deep_change(mood);
        }
        self.refill(mood);
        self.show(now_ms, out);
        for speed in Speed::ALL {
            if self.steps.is_multiple_of(speed.steps()) {
                out.extend(self.book.publish(speed).map(MarketEvent::Depth));
            }
        }
        if self.steps.is_multiple_of(5) {
            out.push(MarketEvent::Quarter);
        }
    }

    /// The price makers agree on, in ticks.
    fn fair(&self, index: f64) -> f64 {
        let premium = self.perp.as_ref().map_or(0.0, |p| p.premium);
        index * (1.0 + premium) / self.spec.tick_size()
    }

    fn second(&mut self, second: i64, index: f64, mood: &Mood, out: &mut Vec<MarketEvent>) {
        self.second_ms = second;
        if second.div_euclid(60_000) > self.bar.open_ms.div_euclid(60_000) {
            self.close_bar(second, out);
        }
        if let Some(perp) = &mut self.perp {
            perp.turnover(mood, self.traded, &mut self.rng);
            perp.second(second, index, &self.spec, &mut self.rng);
            let mark = perp.mark;
            self.bar.mark.add(mark.mark);
            self.bar.premium.add(perp.premium);
            out.push(MarketEvent::Mark(mark));
            if let Some(order) = perp.largest.take() {
                if let Some(kept) = self.liquidations.iter_mut().rev().find(|l| l.id == order.id) {
                    kept.shown = true;
                }
                out.push(MarketEvent::ForceOrder(order));
            }
        }
        self.bar.index.add(index);
        self.traded = 0;
        out.push(MarketEvent::Second(second));
    }

    fn close_bar(&mut self, now_ms: i64, out: &mut Vec<MarketEvent>) {
        let minute = now_ms.div_euclid(60_000) * 60_000;
        let done = self.bar;
        self.bar = TickBar::flat(minute, done.close, done.mark.close, done.index.close, done.premium.close);
        self.bars.push_back(done);
        if self.bars.len() > self.profile.bars_kept {
            self.bars.pop_front();
        }
        let hour = done.open_ms.div_euclid(3_600_000) * 3_600_000;
        match self.hours.back_mut() {
            Some(last) if last.open_ms >= hour => last.join(&done),
            _ => {
                self.hours.push_back(TickBar { open_ms: hour, ..done });
                if self.hours.len() > 24 {
                    self.hours.pop_front();
                }
            }
        }
        out.push(MarketEvent::Closed(done));
    }

    /// Whether the quotes are so far from fair that makers cannot wait.
    fn is_off(&self, fair: f64) -> bool {
        let Some(((bid, _), (ask, _))) = self.book.top() else { return true };
        let slack = (fair * 0.000_5).max(3.0);
        (bid as f64) > fair + slack || (ask as f64) < fair - slack
    }

    /// Makers move the best prices to where the fair price is.
    fn requote(&mut self, fair: f64, mood: &Mood) {
        let spread = if mood.depth < 0.6 { 2 + self.rng.below(4) } else { 1 + self.rng.below(2) };
        let bid = floor_i64(fair - 0.5 * (spread - 1) as f64).max(1);
        for (is_bid, best) in [(true, bid), (false, bid + spread)] {
            let inside = |tick: i64| if is_bid { tick > best } else { tick < best };
            let old = self.book.side(is_bid).best().map(|b| b.0);
            while let Some((tick, _)) = self.book.side(is_bid).best().filter(|(tick, _)| inside(*tick)) {
                self.book.set(is_bid, tick, 0);
            }
            let quantity = self.quantity(mood);
            self.book.set(is_bid, best, quantity);
            // Where the price left a hole, a few levels appear behind it.
            let hole = old.map_or(0, |old| (best - old).abs());
            if hole > 1 && old.is_some_and(|old| !inside(old)) {
                let sign = if is_bid { -1 } else { 1 };
                for _ in 0..2 {
                    let tick = best + sign * (1 + self.rng.below(hole.min(40)));
                    let quantity = self.quantity(mood);
                    if tick > 0 {
                        self.book.set(is_bid, tick, quantity);
                    }
                }
            }
        }
    }

    /// Quantity of a level.
    fn quantity(&mut self, mood: &Mood) -> i64 {
        let notional = self.spec.trade_notional * 10.0 * mood.depth * (0.2 + 1.6 * self.rng.unit());
        self.spec.steps(notional, self.past.index)
    }

    fn deep_change(&mut self, mood: &Mood) {
        let bid = self.rng.chance(0.5);
        let Some((best, _)) = self.book.side(bid).best() else { return };
        let reach = if self.rng.chance(0.7) { 10 } else { 60 };
        let depth = 1 + self.rng.below(reach);
        let tick = if bid { best - depth } else { best + depth };
        let few = self.book.side(bid).len() <= self.profile.levels / 2;
        let quantity = if !few && self.rng.chance(0.4) { 0 } else { self.quantity(mood) };
        if tick > 0 {
            self.book.set(bid, tick, quantity);
        }
    }

    /// Keeps both sides between their bounds: deep levels go first, and come back there.
    fn refill(&mut self, mood: &Mood) {
        for bid in [true, false] {
            while self.book.side(bid).len() > self.profile.levels + self.profile.levels / 8 {
                let Some(worst) = self.book.side(bid).worst() else { break };
                self.book.set(bid, worst, 0);
            }
            while self.book.side(bid).len() < self.profile.levels - self.profile.levels / 8 {
                let Some(worst) = self.book.side(bid).worst() else { break };
                let gap = if self.book.side(bid).len() < 20 { 1 } else { 1 + self.rng.below(4) };
                let tick = if bid { worst - gap } else { worst + gap };
                if tick <= 0 {
                    break;
                }
                let quantity = self.quantity(mood);
                self.book.set(bid, tick, quantity);
            }
        }
    }

    /// One taker order against the book.
    fn taker(&mut self, fair: f64, now_ms: i64, out: &mut Vec<MarketEvent>) {
        let Some(((bid, _), (ask, _))) = self.book.top() else { return };
        let middle = (bid + ask) as f64 / 2.0;
        let pull = ((fair - middle) / (8.0 * (ask - bid) as f64)).clamp(-0.35, 0.35);
        let buys = self.rng.chance(0.5 + pull);
        let size = -math::ln(1.0 - self.rng.unit());
        let quantity = self.spec.steps(self.spec.trade_notional * size, self.past.index);
        self.take(buys, quantity, now_ms, out);
        self.show(now_ms, out);
    }

    /// Takes up to `quantity` from the book: what was filled, its value in price units × steps, and the last fill.
    fn take(&mut self, buys: bool, quantity: i64, now_ms: i64, out: &mut Vec<MarketEvent>) -> (i64, i128, i64) {
        let ms = (now_ms - self.rng.below(4)).max(self.last_ms).max(self.second_ms);
        self.last_ms = ms;
        let (mut left, mut value, mut last_fill) = (quantity, 0_i128, 0);
        while left > 0 && self.book.side(!buys).len() > 4 {
            let Some((tick, there)) = self.book.side(!buys).best() else { break };
            let filled = left.min(there);
            self.book.set(!buys, tick, there - filled);
            left -= filled;
            value += i128::from(self.spec.units(tick)) * i128::from(filled);
            last_fill = filled;
            self.print(tick, filled, buys, ms, out);
        }
        (quantity - left, value, last_fill)
    }

    fn print(&mut self, tick: i64, quantity: i64, buys: bool, ms: i64, out: &mut Vec<MarketEvent>) {
        let singles = natural((1 + self.rng.below(3)).min(quantity));
        self.aggregate_id += 1;
        let trade = Trade {
            aggregate_id: self.aggregate_id,
            first_id: self.trade_id + 1,
            last_id: self.trade_id + singles,
            tick,
            quantity,
            buyer_is_maker: !buys,
            ms,
        };
        self.trade_id += singles;
        self.traded += quantity;
        self.add_to_bar(&trade);
        self.trades.push_back(trade);
        if self.trades.len() > self.profile.trades_kept {
            self.trades.pop_front();
        }
        out.push(MarketEvent::Trade(trade));
    }

    fn add_to_bar(&mut self, trade: &Trade) {
        let bar = &mut self.bar;
        if bar.trades == 0 {
            (bar.open, bar.high, bar.low) = (trade.tick, trade.tick, trade.tick);
        }
        bar.high = bar.high.max(trade.tick);
        bar.low = bar.low.min(trade.tick);
        bar.close = trade.tick;
        bar.volume += trade.quantity;
        let quote = self.spec.price(trade.tick) * self.spec.quantity(trade.quantity);
        bar.quote_volume += quote;
        if !trade.buyer_is_maker {
            bar.taker_buy += trade.quantity;
            bar.taker_buy_quote += quote;
        }
        bar.trades += i64::try_from(trade.last_id - trade.first_id + 1).unwrap_or(1);
        bar.ids = Some((bar.ids.map_or(trade.first_id, |i| i.0), trade.last_id));
    }

    /// The venue closes what the mark has reached, in orders of about a twelfth of the near book.
    fn liquidate(&mut self, now_ms: i64, index_price: &mut f64, mood: &Mood, out: &mut Vec<MarketEvent>) {
        for _ in 0..LIQUIDATIONS_PER_STEP {
            let Some(perp) = &mut self.perp else { return };
            let mark = perp.mark_at(*index_price);
            if !perp.positions.reached(mark) {
                return;
            }
            let near: i64 = self.book.bids.iter().take(NEAR_LEVELS).map(|l| l.1).sum();
            let Some((long, quantity, price)) = perp.positions.liquidate(mark, (near / 12).max(1)) else { return };
            perp.liquidations += 1;
            let id = perp.liquidations;
            let (filled, value, last_fill) = self.take(!long, quantity, now_ms, out);
            // The order's price is where the last of the margin is gone: beyond the liquidation price.
            let limit = if long { price * 0.995 } else { price * 1.005 };
            let tick = round_i64(limit / self.spec.tick_size());
            // Where nobody is left on the other side, the venue takes the position over at that price.
            let (average, last_fill) = match i64::try_from(value / i128::from(filled.max(1))) {
                Ok(average) if filled > 0 => (average, last_fill),
                _ => (self.spec.units(tick), quantity),
            };
            let order = Liquidation {
                id,
                long,
                quantity,
                last_fill,
                tick,
                average_units: average,
                mark,
                liquidation_price: price,
                ms: self.last_ms,
                shown: false,
            };
            self.push(long, index_price, mood);
            self.record(order, out);
            self.show(now_ms, out);
        }
    }

    fn push(&mut self, long: bool, index_price: &mut f64, mood: &Mood) {
        let impact = if long { -mood.impact } else { mood.impact };
        *index_price *= 1.0 + impact / 2.0;
        if let Some(perp) = &mut self.perp {
            perp.push(impact / 2.0);
        }
    }

    fn record(&mut self, order: Liquidation, out: &mut Vec<MarketEvent>) {
        self.liquidations.push_back(order);
        if self.liquidations.len() > self.profile.trades_kept {
            self.liquidations.pop_front();
        }
        out.push(MarketEvent::Liquidation(order));
        if let Some(perp) = &mut self.perp {
            let notional = |l: &Liquidation| i128::from(l.quantity) * i128::from(l.average_units);
            if perp.largest.as_ref().is_none_or(|l| notional(l) < notional(&order)) {
                perp.largest = Some(order);
            }
        }
    }

    /// Publishes the best prices if they changed.
    fn show(&mut self, now_ms: i64, out: &mut Vec<MarketEvent>) {
        let top = self.book.top();
        if top != self.shown {
            self.shown = top;
            out.extend(top.map(|(bid, ask)| MarketEvent::Top(Top { id: self.book.last_id, bid, ask, ms: now_ms })));
        }
    }
}
