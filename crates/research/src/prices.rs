//! Mids and trades of a market out of the lake.

use crate::ResearchError;
use crate::books::{book_hours, missing, stamps};
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::layers::{LakeHour, LakeQuery, LakeReader, Layer, hours};
use barograph_study::lead_lag::mids::{MidPoint, StudyClock};
use barograph_study::money::execution::MarketPrint;
use std::path::Path;

/// Every mid of a market with both its clocks, and an absent one where a gap begins.
pub(crate) fn mids(lake: &Path, market: &InstrumentName) -> Result<Vec<MidPoint>, ResearchError> {
    let columns = ["ts", "known_ts", "gap", "bid_price_L0", "ask_price_L0"];
    let mut points: Vec<MidPoint> = Vec::new();
    for batch in LakeReader::new(book_hours(lake, market)?, Some(&columns)) {
        let batch = batch?;
        let last = points.last().map(|p| (p.event_ts, p.recv_ts));
        let events = stamps(&batch, StudyClock::Event, last.map(|l| l.0))?;
        let receipts = stamps(&batch, StudyClock::Receipt, last.map(|l| l.1))?;
        let bids = batch.numbers("bid_price_L0").ok_or_else(|| missing("bid_price_L0"))?;
        let asks = batch.numbers("ask_price_L0").ok_or_else(|| missing("ask_price_L0"))?;
        for (row, (event_ts, recv_ts)) in events.into_iter().zip(receipts).enumerate() {
            if let Some(before) = points.last().filter(|_| batch.flag("gap", row) == Some(true)) {
                let after = |t: Ts| Ts(t.0 + 1);
                points.push(MidPoint { event_ts: after(before.event_ts), recv_ts: after(before.recv_ts), mid: None });
            }
            let mid = bids.get(row).zip(asks.get(row)).map(|(bid, ask)| f64::midpoint(bid, ask));
            points.push(MidPoint { event_ts, recv_ts, mid });
        }
    }
    Ok(points)
}

/// Hours of a market's trades in a lake; none where it holds no trades of it.
fn trade_hours(lake: &Path, market: &InstrumentName) -> Result<Vec<LakeHour>, ResearchError> {
    let query = LakeQuery {
        layer: Some(Layer::Bronze),
        table: Some("trades".to_owned()),
        exchange: Some(market.venue.as_str().to_owned()),
        symbol: Some(market.symbol.clone()),
        ..LakeQuery::default()
    };
    Ok(hours(lake, &query)?)
}

/// What the trades of a market are known by: the digests of all their hours, in order.
pub(crate) fn trades_digest(lake: &Path, market: &InstrumentName) -> Result<String, ResearchError> {
    let digests = trade_hours(lake, market)?.iter().map(LakeHour::content_digest).collect::<Result<Vec<_>, _>>()?;
    Ok(digests.concat())
}

/// Every trade of a market in the order of the venue's clock.
pub(crate) fn prints(lake: &Path, market: &InstrumentName) -> Result<Vec<MarketPrint>, ResearchError> {
    let mut prints: Vec<MarketPrint> = Vec::new();
    for batch in LakeReader::new(trade_hours(lake, market)?, Some(&["ts", "price", "size"])) {
        let batch = batch?;
        let times = stamps(&batch, StudyClock::Event, prints.last().map(|p| p.at))?;
        let prices = batch.numbers("price").ok_or_else(|| missing("price"))?;
        let sizes = batch.numbers("size").ok_or_else(|| missing("size"))?;
        let print = |(row, at)| Some(MarketPrint { at, price: prices.get(row)?, quantity: sizes.get(row)? });
        prints.extend(times.into_iter().enumerate().filter_map(print));
    }
    Ok(prints)
}
