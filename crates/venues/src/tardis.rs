//! Tardis CSV: `derivative_ticker`, `trades`, `liquidations`.
//!
//! Quirks that decide code here:
//! - Stamps are microseconds; `timestamp` is the venue's clock, `local_timestamp` the receipt, which is the order of rows.
//! - `trades` and `liquidations` have the same eight columns: the file's name tells them apart, else the missing ids of
//!   liquidations.
//! - The side of a liquidation is the closing side: `sell` closes a long.
//! - `derivative_ticker` writes the whole state whenever one part changes; an empty cell was not known yet.
//! - Book files (`book_snapshot_*`, `incremental_book_L2`) are not used yet.

use crate::binance::archive::LabelShift;
use crate::layout::{Format, Layout, RowClock, Shape, SideColumn};
use barograph_domain::Stamp;

/// Columns every file begins with.
const KEYS: [&str; 4] = ["exchange", "symbol", "timestamp", "localtimestamp"];

/// What the header says, if it is a Tardis file: the layout, or why it cannot be used. `trades` and `liquidations` come
/// back as trades; the caller decides.
#[must_use]
pub fn layout(names: &[String], squeezed: &[String]) -> Option<Result<Layout, String>> {
    let find = |name: &str| squeezed.iter().position(|n| n == name);
    let keys: Vec<usize> = KEYS.iter().filter_map(|k| find(k)).collect();
    let [exchange, symbol, timestamp, local] = keys[..] else { return None };
    let (format, shape) = if let (Some(funding_rate), Some(funding_timestamp), Some(open_interest)) =
        (find("fundingrate"), find("fundingtimestamp"), find("openinterest"))
    {
        let (index_price, mark_price) = (find("indexprice")?, find("markprice")?);
        let shape = Shape::Ticker { funding_rate, funding_timestamp, open_interest, index_price, mark_price };
        (Format::TardisTicker, shape)
    } else if let (Some(id), Some(side), Some(price), Some(amount)) =
        (find("id"), find("side"), find("price"), find("amount"))
    {
        let shape = Shape::Trades { id: Some(id), price, qty: amount, side: SideColumn::Word(side) };
        (Format::TardisTrades, shape)
    } else {
        return Some(Err(
            "a tardis file of a kind not used yet; derivative_ticker, trades and liquidations are".to_owned()
        ));
    };
    let clock = RowClock { column: timestamp, recv: Some(local), stamp: Stamp::Instant, shift: LabelShift::None };
    Some(Ok(Layout {
        format,
        clock,
        shape,
        names: names.to_vec(),
        width: Some(names.len()),
        venue: Some(exchange),
        symbol: Some(symbol),
        filter: Vec::new(),
        ordered: true,
        filled: true,
        cadence: None,
    }))
}

/// The same columns, read as liquidations.
#[must_use]
pub fn as_liquidations(mut layout: Layout) -> Layout {
    if let Shape::Trades { id, price, qty, side: SideColumn::Word(side) } = layout.shape {
        layout.shape = Shape::Liquidations { side, price, average: None, qty, id };
        layout.format = Format::TardisLiquidations;
    }
    layout
}
