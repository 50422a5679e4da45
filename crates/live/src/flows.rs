//! Patterns in books and trades of the markets whose books are followed (surveillance §5), as the process goes.
//!
//! What a session has made of one input goes to the market's detectors in the order in which it can be known: what was lost or
//! found, trades, prices and funding, then the book as it is after the input. Their clock is that of receipt. A market has detectors from its
//! first book on; what is held of one is a third of a megabyte, so markets without books have none.

use crate::peers::Peers;
use barograph_domain::{Alert, Instrument, KnownAlert, Metric, MinuteRow, OpenExperimental, Payload, StatusState, Ts};
use barograph_engine::order_flow::{
    BookState, FlowInput, FlowLevel, FlowStream, FlowThresholds, HourContext, OrderFlow,
};
use barograph_engine::{AlertOut, Feature};
use barograph_venues::session::{BookLevel, Emit, OrderBook, Origin};
use serde::{Deserialize, Serialize};

/// Levels of a side that are looked at, at most: the band of the detectors lies within far fewer on every venue.
const LEVELS_MAX: usize = 1_000;
/// Levels are given to twice the band, so that none of it is at the end of what is known.
const BANDS: f64 = 2.0;

/// One market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct MarketFlow {
    /// From the first book on.
    flow: Option<OrderFlow>,
    mark: Option<f64>,
    index: Option<f64>,
}

/// The detectors of all markets, by their place among the instruments.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Flows {
    markets: Vec<MarketFlow>,
    #[serde(skip)]
    peers: Peers,
    #[serde(skip)]
    bids: Vec<FlowLevel>,
    #[serde(skip)]
    asks: Vec<FlowLevel>,
    #[serde(skip)]
    alerts: Vec<Alert>,
    #[serde(skip)]
    out: Vec<AlertOut>,
}

impl Flows {
    /// A fact, or a change of continuity.
    pub(crate) fn fact(&mut self, at: Ts, instrument: u32, emit: &Emit, t: &FlowThresholds) {
        if emit.origin != Origin::Live {
            return;
        }
        let market = market_of(&mut self.markets, instrument);
        let stream = match emit.metric {
            Metric::Book => Some(FlowStream::Book),
            Metric::Trade => Some(FlowStream::Trades),
            _ => None,
        };
        let input = match emit.payload {
            Payload::Status(status) => stream.map(|stream| match status.state {
                StatusState::Live => FlowInput::Begins(stream),
                _ => FlowInput::Lost(stream),
            }),
            Payload::Trade { price, qty, aggressor_side } => Some(FlowInput::Trade { price, qty, aggressor_side }),
            Payload::Funding { next_ts, .. } => next_ts.filter(|next| *next > at).map(FlowInput::NextFunding),
            Payload::Value(value) => market.premium(emit.metric, value).map(FlowInput::Premium),
            _ => None,
        };
        if let (Some(input), Some(flow)) = (input, &mut market.flow) {
            flow.step(at, input, t, &mut self.alerts);
            self.report(at, instrument);
        }
    }

    /// The book of a market is like this.
    pub(crate) fn book(&mut self, at: Ts, instrument: u32, book: &OrderBook, t: &FlowThresholds) {
        let (Some(bid), Some(ask)) = (book.best_bid(), book.best_ask()) else { return };
        let band = BANDS * t.band_bps / 1e4;
        fill(&mut self.bids, book.bids(), bid.units, band);
        fill(&mut self.asks, book.asks(), ask.units, band);
        let market = market_of(&mut self.markets, instrument);
        // Another scale is another contract behind the same name.
        if market.flow.as_ref().is_none_or(|flow| flow.scale() != book.scale()) {
            market.flow = Some(OrderFlow::new(book.scale()));
        }
        let state = BookState { bids: &self.bids, asks: &self.asks };
        if let Some(flow) = &mut market.flow {
            flow.step(at, FlowInput::Book(state), t, &mut self.alerts);
        }
        self.report(at, instrument);
    }

    /// What a published minute says of the hour under way: how calm it is, and what first digits are like on other venues.
    pub(crate) fn row(&mut self, row: &MinuteRow, instruments: &[Instrument], t: &FlowThresholds) {
        let at = row.instrument as usize;
        if self.markets.get(at).is_none_or(|market| market.flow.is_none()) {
            return;
        }
        let digits_elsewhere = self.digits_elsewhere(at, instruments, t);
        let Some(flow) = &mut self.markets[at].flow else { return };
        let read = |id| Feature::from_id(id).and_then(|feature| row.cells.get(feature.index())?.ready());
        // How far a change lies from the middle of its own past, whichever way it went.
        let size = |rank: f64| (2.0 * rank - 1.0).abs();
        let context = HourContext {
            volatility_pct: read("realized_vol_1h_pct_90d"),
            open_interest_pct: read("oi_delta_4h_pct_90d").map(size),
            digits_elsewhere,
        };
        flow.step(row.ts, FlowInput::Hour(context), t, &mut self.alerts);
    }

    /// Median over the markets of the same asset on other venues of how far the first digits of this hour's sizes are from natural
    /// ones; `None` where none of them has trades enough.
    fn digits_elsewhere(&mut self, at: usize, instruments: &[Instrument], t: &FlowThresholds) -> Option<f64> {
        self.peers.grow(instruments);
        let effect = |(other, market): (usize, &MarketFlow)| {
            let flow = market.flow.as_ref().filter(|_| self.peers.are_apart(at, other))?;
            flow.digits_so_far(t)
        };
        let mut effects: Vec<f64> = self.markets.iter().enumerate().filter_map(effect).collect();
        effects.sort_unstable_by(f64::total_cmp);
        let middle = effects.len() / 2;
        let upper = *effects.get(middle)?;
        Some(if effects.len().is_multiple_of(2) { f64::midpoint(effects[middle - 1], upper) } else { upper })
    }

    /// Time passed for all.
    pub(crate) fn tick(&mut self, at: Ts, t: &FlowThresholds) {
        self.all(at, &[FlowInput::Tick], t);
    }

    /// Nobody listened until now.
    pub(crate) fn away(&mut self, at: Ts, t: &FlowThresholds) {
        self.all(at, &[FlowInput::Lost(FlowStream::Book), FlowInput::Lost(FlowStream::Trades)], t);
    }

    fn all(&mut self, at: Ts, inputs: &[FlowInput<'_>], t: &FlowThresholds) {
        for instrument in 0..self.markets.len() {
            if let Some(flow) = &mut self.markets[instrument].flow {
                inputs.iter().for_each(|input| flow.step(at, *input, t, &mut self.alerts));
            }
            self.report(at, u32::try_from(instrument).unwrap_or(u32::MAX));
        }
    }

    /// The open episodes of a row's market.
    pub(crate) fn open(&self, row: &MinuteRow) -> OpenExperimental {
        let flow = self.markets.get(row.instrument as usize).and_then(|market| market.flow.as_ref());
        flow.map_or_else(OpenExperimental::default, |flow| flow.open(row.ts))
    }

    /// Ends every alert that is open, because nothing follows them any more.
    pub(crate) fn end(&mut self, at: Ts) {
        for instrument in 0..self.markets.len() {
            if let Some(flow) = &mut self.markets[instrument].flow {
                flow.end(at, &mut self.alerts);
            }
            self.report(at, u32::try_from(instrument).unwrap_or(u32::MAX));
        }
    }

    /// Records that were made, with the moment from which on they are known.
    fn report(&mut self, at: Ts, instrument: u32) {
        let known = |alert| AlertOut { instrument, known: KnownAlert { known_at: at, alert } };
        self.out.extend(self.alerts.drain(..).map(known));
    }

    /// Takes the records that were made since.
    pub(crate) fn take(&mut self) -> Vec<AlertOut> {
        core::mem::take(&mut self.out)
    }
}

impl MarketFlow {
    /// The premium, where this fact says something of it.
    fn premium(&mut self, metric: Metric, value: f64) -> Option<f64> {
        match metric {
            Metric::PremiumIndex => return Some(value),
            Metric::MarkPrice => self.mark = Some(value),
            Metric::IndexPrice => self.index = Some(value),
            _ => return None,
        }
        self.mark.zip(self.index.filter(|index| *index > 0.0)).map(|(mark, index)| mark / index - 1.0)
    }
}

/// The market of this place, made where there is none yet.
fn market_of(markets: &mut Vec<MarketFlow>, instrument: u32) -> &mut MarketFlow {
    let at = instrument as usize;
    if markets.len() <= at {
        markets.resize_with(at + 1, MarketFlow::default);
    }
    &mut markets[at]
}

/// The levels of a side within a part of its best price.
fn fill<'a>(to: &mut Vec<FlowLevel>, from: impl Iterator<Item = &'a BookLevel>, best: i64, band: f64) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "prices of a venue in its own scale"
    )]
    let reach = (best as f64 * band) as i64;
    to.clear();
    let near = from.take(LEVELS_MAX).take_while(|level| (level.units - best).abs() <= reach);
    to.extend(near.map(|level| FlowLevel { units: level.units, qty: level.qty }));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use barograph_domain::{GapReason, InstrumentName, MarketKind, Pattern, Side, Span, Status};
    use barograph_venues::session::{Decimal, MarketIndex};

    fn emit(metric: Metric, payload: Payload) -> Emit {
        Emit { market: MarketIndex(0), metric, event_ts: Ts(0), seq: 0, payload, origin: Origin::Live }
    }

    fn book(best: i64) -> OrderBook {
        let mut book = OrderBook::new(2, 500);
        for n in 0..400 {
            let price = |mantissa| Decimal { mantissa, scale: 2 };
            book.bid(price(best - n), 1.0).unwrap();
            book.ask(price(best + 1 + n), 1.0).unwrap();
        }
        book
    }

    /// Detectors begin with the first book, hear of losses, and are restored as they were.
    #[test]
    fn a_market_has_detectors_from_its_first_book_on() {
        let (t, mut flows) = (FlowThresholds::default(), Flows::default());
        let trade = Payload::Trade { price: 100.0, qty: 1.0, aggressor_side: Some(Side::Long) };
        flows.fact(Ts(0), 3, &emit(Metric::Trade, trade), &t);
        assert!(flows.markets.iter().all(|m| m.flow.is_none()), "there is no book");
        flows.book(Ts(1), 3, &book(10_000), &t);
        // Of four hundred levels those within 1 %.
        assert_eq!((flows.bids.len(), flows.asks.len(), flows.bids[0].units), (101, 101, 10_000));
        let mut at = Ts(1);
        for n in 0..400 {
            at = at + Span::millis(100);
            flows.book(at, 3, &book(10_000 + n % 3), &t);
            flows.fact(at, 3, &emit(Metric::Trade, trade), &t);
        }
        assert!(flows.markets[3].flow.as_ref().is_some_and(|f| f.is_offered(&t)));
        let saved = postcard::to_allocvec(&flows).unwrap();
        let mut again: Flows = postcard::from_bytes(&saved).unwrap();
        let lost = Status { state: StatusState::Gap, from: at, until: Status::OPEN, reason: GapReason::Silent };
        for flows in [&mut flows, &mut again] {
            flows.fact(at, 3, &emit(Metric::Book, Payload::Status(lost)), &t);
            flows.tick(at + Span::mins(2), &t);
            flows.away(at + Span::mins(3), &t);
        }
        assert!(flows.markets == again.markets && flows.take().is_empty());
    }

    /// The detectors of the first market, whose book is flooded with quotes at this moment after an hour of few.
    pub(crate) fn flooded(end: Ts) -> Flows {
        let (mut t, mut flows) = (FlowThresholds::default(), Flows::default());
        t.set("warm_hours", 1.0).unwrap();
        let (mut book, flood) = (book(10_000), end - Span::secs(5));
        let mut at = end.floor(Span::hours(1)) - Span::hours(1);
        for n in 0.. {
            // Within 50 bps there are forty of these prices a side; 800 changes a second are more than 500 for each trade.
            let (step, changed) = if at >= flood { (Span::millis(100), 40) } else { (Span::millis(200), 1) };
            at = at + step;
            if at > end {
                break;
            }
            let qty = if n % 2 == 0 { 1.5 } else { 1.0 };
            for level in 0..changed {
                book.bid(Decimal { mantissa: 9_990 - level, scale: 2 }, qty).unwrap();
                book.ask(Decimal { mantissa: 10_011 + level, scale: 2 }, qty).unwrap();
            }
            flows.book(at, 0, &book, &t);
            // Without trades nobody could say that there are few of them.
            if n == 0 {
                let trade = Payload::Trade { price: 100.0, qty: 1.0, aggressor_side: Some(Side::Long) };
                flows.fact(at, 0, &emit(Metric::Trade, trade), &t);
            }
        }
        flows
    }

    #[test]
    fn a_row_has_what_is_open_in_its_market() {
        let end = Ts::from_civil(2026, 10, 1, 12, 0, 20);
        let mut flows = flooded(end);
        let opened: Vec<Pattern> = flows.take().iter().map(|out| out.known.alert.pattern).collect();
        assert_eq!(opened, [Pattern::QuoteStuffing]);
        let row = |instrument, ts| MinuteRow { instrument, ..MinuteRow::bare(ts) };
        let one = OpenExperimental { count: 1, first: Some(Pattern::QuoteStuffing) };
        assert_eq!(flows.open(&row(0, end)), one);
        for other in [row(0, end - Span::mins(1)), row(1, end)] {
            assert_eq!(flows.open(&other), OpenExperimental::default(), "{} at {}", other.instrument, other.ts);
        }
    }

    /// First digits are held against the same asset on other venues, the middle of those that trade enough.
    #[test]
    fn digits_of_other_venues_are_those_of_the_same_asset_elsewhere() {
        let (t, mut flows) = (FlowThresholds::default(), Flows::default());
        let names = [
            "binance-usdm:BTCUSDT",
            "hyperliquid:BTC",
            "okx:BTC-USDT-SWAP",
            "binance-usdm:BTCUSDC",
            "okx:ETH-USDT-SWAP",
        ];
        let instrument = |name: &str| Instrument {
            name: InstrumentName::parse(name).unwrap(),
            kind: MarketKind::Perpetual,
            expiry: None,
        };
        let instruments = names.map(instrument);
        let hour = Ts::from_civil(2026, 10, 1, 12, 0, 0);
        // Of each the sizes that it trades by turns; the fourth trades too little.
        let sizes = [
            (300, [7.0, 70.0, 700.0]),
            (300, [1.0, 20.0, 300.0]),
            (300, [1.0, 10.0, 100.0]),
            (30, [9.0; 3]),
            (300, [8.0, 80.0, 800.0]),
        ];
        let trade = |qty| emit(Metric::Trade, Payload::Trade { price: 100.0, qty, aggressor_side: Some(Side::Long) });
        for (of, (count, sizes)) in (0..).zip(sizes) {
            flows.book(hour - Span::secs(30), of, &book(10_000), &t);
            let live = Status { state: StatusState::Live, from: hour, until: hour, reason: GapReason::Silent };
            for metric in [Metric::Book, Metric::Trade] {
                flows.fact(hour - Span::secs(30), of, &emit(metric, Payload::Status(live)), &t);
            }
            for n in 0..count {
                flows.fact(hour + Span::secs(n * 9), of, &trade(sizes[usize::try_from(n).unwrap() % 3]), &t);
            }
        }
        let effects = |of: usize| flows.markets[of].flow.as_ref().and_then(|flow| flow.digits_so_far(&t));
        let known: Vec<Option<f64>> = (0..5).map(effects).collect();
        assert!([0, 1, 2, 4].iter().all(|of| known[*of].is_some()) && known[3].is_none(), "{known:?}");
        let middle = |one: usize, other: usize| known[one].zip(known[other]).map(|(a, b)| f64::midpoint(a, b));
        let expected = [middle(1, 2), middle(0, 2), middle(0, 1), middle(1, 2), None];
        for (of, expected) in expected.into_iter().enumerate() {
            assert_eq!(flows.digits_elsewhere(of, &instruments, &t), expected, "{}", names[of]);
        }
    }

    #[test]
    fn a_premium_wants_mark_and_index() {
        let mut market = MarketFlow::default();
        assert_eq!(market.premium(Metric::MarkPrice, 101.0), None);
        assert_eq!(market.premium(Metric::OpenInterest, 5.0), None);
        let premium = market.premium(Metric::IndexPrice, 100.0).unwrap();
        assert!((premium - 0.01).abs() < 1e-12);
        assert_eq!(market.premium(Metric::PremiumIndex, -0.002), Some(-0.002));
    }
}
