//! A market that is only known by its bars: candles, mark, index, funding and open interest as rows, nothing else.
//!
//! A row is shown once its time has come: a candle when it has closed, a mark at its stamp. Between rows nothing is
//! said, for nothing is known. Trades, books, best prices and liquidations are not offered, and neither is a metric for
//! which there are no rows.

use crate::Venue;
use crate::num::round_i64;
use crate::world::bar::{TickBar, interval_start};
use crate::world::candles::HistoryWindow;
use crate::world::event::MarketEvent;
use crate::world::market::TradedMarket;
use crate::world::perp::{OpenInterestPoint, SettledFunding};
use crate::world::spec::Spec;
use barograph_domain::{Span, Ts};

/// One candle of a history. What the source did not hold is absent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct HistoryBar {
    /// Beginning of the bar.
    pub open_ts: Ts,
    /// Open, high, low, close.
    pub prices: [f64; 4],
    /// Base volume.
    pub volume: f64,
    /// Base volume of takers who bought.
    pub taker_buy_volume: Option<f64>,
    /// Trades in the bar, where the recording has them.
    pub trades: Option<i64>,
}

/// The rows of one market, each list sorted by time.
#[derive(Clone, PartialEq, Debug)]
pub struct HistoryMarket {
    /// Where it is listed.
    pub venue: Venue,
    /// The venue's spelling.
    pub symbol: String,
    /// What is traded.
    pub base: String,
    /// What it is paid with.
    pub quote: String,
    /// Decimals of prices; the tick is one unit of the last.
    pub price_decimals: u8,
    /// Decimals of quantities.
    pub quantity_decimals: u8,
    /// Hours between settlements, where there is funding.
    pub funding_interval_h: i64,
    /// Length of the candles.
    pub bar_length: Span,
    /// Candles of the script.
    pub bars: Vec<HistoryBar>,
    /// Mark prices at moments.
    pub mark: Vec<(Ts, f64)>,
    /// Index prices at moments.
    pub index: Vec<(Ts, f64)>,
    /// Settled funding rates at moments.
    pub funding: Vec<(Ts, f64)>,
    /// Open interest in base units at moments.
    pub open_interest: Vec<(Ts, f64)>,
}

/// A mark with what is known beside it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MarkSample {
    /// When, ms.
    pub ms: i64,
    /// Mark price.
    pub mark: f64,
    /// Index price of the same moment or the newest before.
    pub index: Option<f64>,
}

/// Rows ready to be played.
#[derive(Clone, Debug)]
pub struct PlayedScript {
    /// Length of the candles, ms.
    pub length_ms: i64,
    bars: Vec<TickBar>,
    marks: Vec<MarkSample>,
    funding: Vec<SettledFunding>,
    open_interest: Vec<OpenInterestPoint>,
    /// Which of volume's companions the source held.
    has_takers: bool,
    played_ms: i64,
}

impl HistoryMarket {
    pub(super) fn spec(&self, asset: usize) -> Spec {
        Spec {
            venue: self.venue,
            asset,
            lower: self.symbol.to_lowercase(),
            symbol: self.symbol.clone(),
            base: self.base.clone(),
            quote: self.quote.clone(),
            price_decimals: self.price_decimals,
            tick: 1,
            quantity_decimals: self.quantity_decimals,
            funding_interval_h: 0,
            tradfi: false,
            trade_notional: 0.0,
            open_interest_notional: 0.0,
        }
    }
}

/// The value of the newest row not after a moment.
fn newest(rows: &[(Ts, f64)], ts: Ts) -> Option<f64> {
    rows[..rows.partition_point(|r| r.0 <= ts)].last().map(|r| r.1)
}

impl PlayedScript {
    pub(super) fn new(history: &HistoryMarket, spec: &Spec, now_ms: i64) -> Self {
        let steps = |q: f64| round_i64(q * crate::num::pow10(spec.quantity_decimals) as f64);
        let tick = |p: f64| round_i64(p / spec.tick_size());
        let bar = |b: &HistoryBar| {
            let [open, high, low, close] = b.prices.map(tick);
            let middle = (b.prices[1] + b.prices[2] + b.prices[3]) / 3.0;
            let takers = b.taker_buy_volume.unwrap_or(0.0);
            TickBar {
                open_ms: b.open_ts.as_millis(),
                open,
                high,
                low,
                close,
                volume: steps(b.volume),
                quote_volume: b.volume * middle,
                taker_buy: steps(takers),
                taker_buy_quote: takers * middle,
                // A candle without a count of trades still has prices to join.
                trades: b.trades.unwrap_or(1),
                ..TickBar::default()
            }
        };
        let mark_of = |ts: Ts| newest(&history.mark, ts).unwrap_or(0.0);
        Self {
            length_ms: history.bar_length.0 / 1_000_000,
            bars: history.bars.iter().map(bar).collect(),
            marks: history
                .mark
                .iter()
                .map(|(ts, mark)| MarkSample { ms: ts.as_millis(), mark: *mark, index: newest(&history.index, *ts) })
                .collect(),
            funding: history
                .funding
                .iter()
                .map(|(ts, rate)| SettledFunding { ms: ts.as_millis(), rate: *rate, mark: mark_of(*ts) })
                .collect(),
            open_interest: history
                .open_interest
                .iter()
                .map(|(ts, oi)| OpenInterestPoint { ms: ts.as_millis(), steps: steps(*oi), mark: mark_of(*ts) })
                .collect(),
            has_takers: history.bars.iter().all(|b| b.taker_buy_volume.is_some()),
            played_ms: now_ms,
        }
    }

    /// What has rows: names as `/sim/capabilities` lists them.
    #[must_use]
    pub fn offered(&self) -> Vec<&'static str> {
        let parts = [
            (!self.bars.is_empty(), "candles"),
            (self.has_takers && !self.bars.is_empty(), "taker_volume"),
            (!self.marks.is_empty(), "mark"),
            (self.marks.iter().any(|m| m.index.is_some()), "index"),
            (!self.funding.is_empty(), "funding"),
            (!self.open_interest.is_empty(), "open_interest"),
        ];
        parts.into_iter().filter(|p| p.0).map(|p| p.1).collect()
    }

    /// Everything whose time came since the last call.
    pub(super) fn play(&mut self, now_ms: i64, out: &mut Vec<MarketEvent>) {
        let (after, until) = (self.played_ms, now_ms);
        self.played_ms = now_ms;
        let from = self.marks.partition_point(|m| m.ms <= after);
        out.extend(self.marks[from..].iter().take_while(|m| m.ms <= until).map(|m| MarketEvent::Sample(*m)));
        let length = self.length_ms;
        let from = self.bars.partition_point(|b| b.open_ms + length <= after);
        out.extend(
            self.bars[from..].iter().take_while(|b| b.open_ms + length <= until).map(|b| MarketEvent::Closed(*b)),
        );
    }

    pub(super) fn candles(&self, length_ms: i64, window: &HistoryWindow, now_ms: i64) -> Vec<TickBar> {
        let closed = self.bars.partition_point(|b| b.open_ms + self.length_ms <= now_ms);
        let mut candles: Vec<TickBar> = Vec::new();
        for bar in &self.bars[..closed] {
            let open_ms = interval_start(bar.open_ms, length_ms);
            match candles.last_mut() {
                Some(last) if last.open_ms == open_ms => last.join(bar),
                _ => candles.push(TickBar { open_ms, ..*bar }),
            }
        }
        // A longer candle is shown when its last part has closed.
        candles.retain(|c| c.open_ms + length_ms <= now_ms);
        window.of(&candles, |c| c.open_ms)
    }

    /// The newest mark, if any has come.
    #[must_use]
    pub fn mark(&self, now_ms: i64) -> Option<MarkSample> {
        self.marks[..self.marks.partition_point(|m| m.ms <= now_ms)].last().copied()
    }

    pub(super) fn funding(&self, now_ms: i64) -> &[SettledFunding] {
        &self.funding[..self.funding.partition_point(|f| f.ms <= now_ms)]
    }

    pub(super) fn open_interest(&self, now_ms: i64) -> &[OpenInterestPoint] {
        &self.open_interest[..self.open_interest.partition_point(|o| o.ms <= now_ms)]
    }

    /// The newest open interest, if any has come.
    #[must_use]
    pub fn newest_open_interest(&self, now_ms: i64) -> Option<OpenInterestPoint> {
        self.open_interest(now_ms).last().copied()
    }

    /// Whether candles of this length can be made of the rows.
    #[must_use]
    pub const fn has_length(&self, length_ms: i64) -> bool {
        length_ms % self.length_ms == 0
    }
}

impl TradedMarket {
    /// Whether this market has no more than rows.
    #[must_use]
    pub const fn is_history(&self) -> bool {
        self.script.is_some()
    }
}
