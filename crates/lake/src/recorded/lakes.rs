//! A lake read back: the states and trades of a market in its bronze layer, in the order in which they were received.

use super::counted::Counted;
use super::listener::RecordListener;
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::pulled::{PulledTrades, TradeTable};
use super::wide::WideBooks;
use crate::error::Error;
use crate::layers::{LakeQuery, Layer, hours, unknown_times};
use barograph_domain::{GapReason, InstrumentName, Ts};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Stretches of which nothing is known: the last known moment before, the first behind, and why.
type Holes = Vec<(Ts, Ts, GapReason)>;

/// Hours of one market.
#[derive(Clone, Debug)]
pub(super) struct LakeHours {
    books: Vec<Piece>,
    trades: Vec<Piece>,
    book_holes: Holes,
    trade_holes: Holes,
    symbol: String,
}

impl LakeHours {
    /// Is this the folder of a lake?
    pub(super) fn is_lake(folder: &Path) -> bool {
        folder.join(Layer::Bronze.word()).is_dir()
    }

    /// What a lake holds of a market.
    pub(super) fn find(root: &Path, market: &InstrumentName) -> Result<Self, Error> {
        let failed = |e: crate::layers::LayerError| Error::Usage(format!("{}: {e}", root.display()));
        let table = |name: &str| -> Result<(Vec<Piece>, Holes), Error> {
            let query = LakeQuery {
                layer: Some(Layer::Bronze),
                table: Some(name.to_owned()),
                exchange: Some(market.venue.as_str().to_owned()),
                symbol: Some(market.symbol.clone()),
                ..LakeQuery::default()
            };
            let mut files = Vec::new();
            let all = hours(root, &query).map_err(failed)?;
            for hour in &all {
                files.extend(hour.files().map_err(failed)?.iter().map(|p| Piece::plain(p)));
            }
            let why = |word: &str| GapReason::from_word(word).unwrap_or(GapReason::MissingRows);
            let holes = unknown_times(&all).map_err(failed)?;
            Ok((files, holes.into_iter().map(|gap| (gap.from, gap.until, why(&gap.reason))).collect()))
        };
        let (books, book_holes) = table("orderbook")?;
        let (trades, trade_holes) = table("trades")?;
        if books.is_empty() && trades.is_empty() {
            return Err(Error::Usage(format!("the lake in {} holds nothing of {market}", root.display())));
        }
        Ok(Self { books, trades, book_holes, trade_holes, symbol: market.symbol.clone() })
    }

    /// Bytes of its files.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.books.iter().chain(&self.trades)
    }

    /// Its trades.
    pub(super) fn trades(&self, read: &Arc<AtomicU64>) -> PulledTrades {
        let mut table = TradeTable::new(self.trades.clone(), &self.symbol, None, read);
        table.reasons.clone_from(&self.trade_holes);
        PulledTrades::Table(Box::new(table))
    }

    /// Plays its books; trades come between them.
    pub(super) fn play<L: RecordListener>(
        &self,
        read: &Arc<AtomicU64>,
        to: &mut HeardOut<'_, L>,
    ) -> Result<(), L::Failure> {
        // Sizes in a lake are in base.
        let counted = Counted::Base(1.0);
        WideBooks { files: &self.books, symbol: &self.symbol, counted, read, reasons: &self.book_holes }.play(to)
    }
}
