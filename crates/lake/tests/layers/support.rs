//! Rows to play with, and what was read back as plain values.

use barograph_domain::{GapReason, Span, Ts};
use barograph_lake::layers::{
    BookHead, BookWriter, LakeConfig, LakeHour, LakeMarket, LakeQuery, LakeReader, OpenedPartition, hours,
};
use std::path::{Path, PathBuf};

/// Ten seconds before the end of an hour.
pub(crate) const BEGIN: Ts = Ts::from_civil(2024, 8, 8, 13, 59, 50);

pub(crate) fn market() -> LakeMarket {
    LakeMarket::new("binance-usdm", "BTCUSDT")
}

/// A state of a book, as it was handed in or read back.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Book {
    pub(crate) head: BookHead,
    pub(crate) bids: Vec<(f64, f64)>,
    pub(crate) asks: Vec<(f64, f64)>,
}

/// The `i`th state, `step` after the one before: a few to 23 levels, with the cells that are hard to keep.
pub(crate) fn book(i: u64, step: Span) -> Book {
    let ts = BEGIN + step.times(i64::try_from(i).unwrap());
    let depth = usize::try_from(i * 7 % 24).unwrap();
    let level = |side: f64, k: usize| {
        let k = k as f64;
        (
            60_000.1 + side * (k + 0.5 + (i % 13) as f64 * 0.1),
            if i.is_multiple_of(5) { -0.0 } else { 0.001 * (k + 1.0) },
        )
    };
    Book {
        head: BookHead {
            ts,
            known_ts: ts + Span::millis(3),
            updates: u32::try_from(i % 40).unwrap(),
            sequence: i * 3,
            gap: (i % 50 == 49).then_some(GapReason::SequenceJump),
        },
        bids: (0..depth).map(|k| level(-1.0, k)).collect(),
        asks: (0..24 - depth).map(|k| level(1.0, k)).collect(),
    }
}

pub(crate) fn open(config: LakeConfig) -> (BookWriter, OpenedPartition) {
    BookWriter::open(config, market()).unwrap()
}

pub(crate) fn push(writer: &mut BookWriter, book: &Book) {
    writer.push(&book.head, book.bids.iter().copied(), book.asks.iter().copied()).unwrap();
}

pub(crate) fn all_hours(root: &Path) -> Vec<LakeHour> {
    hours(root, &LakeQuery::default()).unwrap()
}

/// Every book row; reasons of gaps are not in rows, so a gap is [`GapReason::SequenceJump`], and only twenty levels are kept.
pub(crate) fn books(root: &Path) -> Vec<Book> {
    let mut found = Vec::new();
    for batch in LakeReader::new(all_hours(root), None) {
        let batch = batch.unwrap();
        let (ts, known) = (batch.moments("ts").unwrap(), batch.moments("known_ts").unwrap());
        for row in 0..batch.rows() {
            let side = |name: &str| {
                (0..20)
                    .filter_map(|k| {
                        let cell = |what: &str| batch.numbers(&format!("{name}_{what}_L{k}")).unwrap().get(row);
                        Some((cell("price")?, cell("size")?))
                    })
                    .collect()
            };
            let head = BookHead {
                ts: Ts(ts[row]),
                known_ts: Ts(known[row]),
                updates: u32::try_from(batch.count("updates", row).unwrap()).unwrap(),
                sequence: batch.count("sequence", row).unwrap(),
                gap: batch.flag("gap", row).unwrap().then_some(GapReason::SequenceJump),
            };
            found.push(Book { head, bids: side("bid"), asks: side("ask") });
        }
    }
    found
}

/// The same books with twenty levels at most.
pub(crate) fn as_kept(books: impl IntoIterator<Item = Book>) -> Vec<Book> {
    let kept = |mut book: Book| {
        book.bids.truncate(20);
        book.asks.truncate(20);
        book
    };
    books.into_iter().map(kept).collect()
}

/// Names in an hour's folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The folder of an hour of the market's books.
pub(crate) fn folder(root: &Path, hour: u32) -> PathBuf {
    root.join(format!("bronze/orderbook/exchange=binance-usdm/symbol=BTCUSDT/year=2024/month=08/day=08/hour={hour:02}"))
}
