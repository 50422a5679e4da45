//! Order books: one compressed row each, written with the tick that knew them.

use super::asked::{Asked as _, asked, select};
use super::db::{Connection, DbRow, NONE, params};
use super::fault::{Inner, SqlFault};
use crate::codec::book;
use crate::live::BOOK_LEVELS_MAX;
use crate::postgres::{ensure_months, reals};
use crate::schema::insert;
use crate::{BookSample, Page, Range, StoredOrderBook};
use barograph_domain::{InstrumentName, Span, Ts};

/// Refuses what is no order book: prices out of order, numbers that are none, too many levels.
pub(super) fn check(sample: &BookSample) -> Inner<()> {
    let refuse = |what: &str| Err(SqlFault::Invalid(format!("an order book at {} {what}", sample.ts)));
    for (side, sign) in [(&sample.bids, -1.0), (&sample.asks, 1.0)] {
        if side.len() > BOOK_LEVELS_MAX {
            return refuse(&format!("has {} levels on a side; at most {BOOK_LEVELS_MAX} are kept", side.len()));
        }
        if side.iter().any(|(price, qty)| !price.is_finite() || !qty.is_finite()) {
            return refuse("has a number that is none");
        }
        if !side.is_sorted_by(|a, b| sign * a.0 < sign * b.0) {
            return refuse("has prices that are not in order, best first");
        }
    }
    Ok(())
}

/// Stores a book; false when it is there already.
pub(super) fn put(conn: &Connection, instrument: i64, sample: &BookSample) -> Inner<bool> {
    let body = book::encode(&sample.bids, &sample.asks)?;
    let stored = if conn.is_server() {
        ensure_months(conn, "books", [sample.ts])?;
        let prices = |side: &[(f64, f64)]| reals(side.iter().map(|l| l.0).collect());
        let quantities = |side: &[(f64, f64)]| reals(side.iter().map(|l| l.1).collect());
        let (sql, row) = insert!(books on Server or Keep {
            instrument, ts: sample.ts.0, known_ts: sample.known_ts.0, body, bid_prices: prices(&sample.bids),
            bid_quantities: quantities(&sample.bids), ask_prices: prices(&sample.asks),
            ask_quantities: quantities(&sample.asks),
        });
        conn.execute(sql, row)?
    } else {
        let (sql, row) = insert!(books or Keep {
            instrument, ts: sample.ts.0, known_ts: sample.known_ts.0, body,
        });
        conn.execute(sql, row)?
    };
    if stored > 0 {
        return Ok(true);
    }
    let mut statement =
        conn.prepare(select!(StoredBook; " FROM books WHERE instrument = ?1 AND ts = ?2 AND known_ts = ?3"))?;
    let mut rows = statement.query([instrument, sample.ts.0, sample.known_ts.0])?;
    let same = match rows.next()? {
        Some(row) => {
            let known = read(row)?;
            (&known.bids, &known.asks) == (&sample.bids, &sample.asks)
        }
        None => false,
    };
    if same {
        return Ok(false);
    }
    Err(SqlFault::Invalid(format!("another order book of {} known at {} is stored", sample.ts, sample.known_ts)))
}

asked! {
    /// A stored book.
    struct StoredBook<'r> {
        ts: Ts, known_ts: Ts, body: &'r [u8],
    }
}

fn read(row: DbRow<'_>) -> Inner<StoredOrderBook> {
    let StoredBook { ts, known_ts, body } = StoredBook::read(row)?;
    let (bids, asks) = book::decode(body).map_err(|e| SqlFault::Damaged(format!("the order book of {ts} {e}")))?;
    Ok(StoredOrderBook { ts, known_ts, bids, asks })
}

/// Books of an instrument, oldest first.
pub(super) fn load(
    conn: &Connection,
    instrument: &InstrumentName,
    range: Range,
    limit: usize,
    as_of: Option<Ts>,
) -> Inner<Page<StoredOrderBook>> {
    if limit == 0 {
        return Err(SqlFault::Invalid("'limit' has to be positive".to_owned()));
    }
    let mut statement = conn.prepare(select!(
        StoredBook;
        " FROM books
         WHERE instrument = (SELECT instrument FROM instruments WHERE name = ?1) AND ts >= ?2 AND ts < ?3
            AND known_ts <= ?4
         ORDER BY ts, known_ts"
    ))?;
    let known = as_of.unwrap_or(Ts::MAX);
    let mut rows = statement.query(params![instrument.to_string(), range.start.0, range.end.0, known.0])?;
    let mut items: Vec<StoredOrderBook> = Vec::new();
    while let Some(row) = rows.next()? {
        let found = read(row)?;
        if items.len() >= limit && items.last().is_some_and(|b| b.ts < found.ts) {
            return Ok(Page { items, next: Some(found.ts) });
        }
        items.push(found);
    }
    Ok(Page { items, next: None })
}

/// All books: instrument and book, in order. For the hash and the check.
pub(super) fn walk(conn: &Connection, mut each: impl FnMut(&str, &StoredOrderBook)) -> Inner<()> {
    let mut statement = conn.prepare(select!(
        StoredBook;
        ", name FROM instruments JOIN books USING (instrument) ORDER BY name, ts, known_ts"
    ))?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(StoredBook::COLUMNS.len())?;
        each(&name, &read(row)?);
    }
    Ok(())
}

/// Removes books older than `keep`, counted from the newest.
pub(super) fn prune(conn: &Connection, instrument: i64, keep: Span) -> Inner<u64> {
    let removed = conn
        .prepare(
            "DELETE FROM books WHERE instrument = ?1 AND ts < (SELECT max(ts) FROM books WHERE instrument = ?1) - ?2",
        )?
        .execute([instrument, keep.0])?;
    Ok(removed as u64)
}
