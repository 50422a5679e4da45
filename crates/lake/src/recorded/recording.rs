//! Any recording of a market: what its files are is found by what is in them.

use super::capture::{Capture, CapturePlayed};
use super::counted::{Counted, no_size, spec_of};
use super::depth::{DepthColumns, DepthFiles};
use super::lakes::LakeHours;
use super::listener::RecordListener;
#[cfg(feature = "parquet")]
use super::lists::{ListBooks, is_lists};
use super::lobster::{LobsterDay, LobsterFiles, LobsterPart};
use super::orders::{OrderColumns, OrderFiles};
use super::passed_on::HeardOut;
use super::piece::Piece;
use super::pulled::{PulledTrades, TradeColumns, TradeTable};
use super::table::{TableRows, TableStep, same_symbol};
use super::tardis::{TardisColumns, TardisDeltas};
use super::wide::{self, WideBooks, WideColumns};
use crate::error::Error;
use barograph_domain::{InstrumentName, MarketKind, Ts};
use barograph_venues::session::{MarketSpec, registry};
use barograph_venues::symbols::venue_of_tardis;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is understood, for errors.
const UNDERSTOOD: &str = "understood are: raw messages as hftbacktest's collector and cryptofeed write them; Bybit's order book archive \
     (ob200, ob500); Binance's depth archive (snap and update files); Tardis book_snapshot_5, book_snapshot_25 and incremental_book_L2; \
     LOBSTER message and orderbook pairs; Bitstamp orders; wide books (bid_price_L0 … ask_size_L19 beside a time); deep books as lists \
     (bids_px, bids_qty, asks_px, asks_qty); the folder of a lake; and beside books any file of trades that `import` understands";

/// What a set of files is.
#[derive(Debug)]
enum Origin {
    Capture(Capture),
    Wide {
        files: Vec<Piece>,
        /// Sizes are the venue's, not base units.
        raw: bool,
    },
    #[cfg(feature = "parquet")]
    Lists(Vec<Piece>),
    Tardis(Vec<Piece>),
    Depth {
        snapshots: Vec<Piece>,
        changes: Vec<Piece>,
    },
    Lobster(Vec<LobsterDay>),
    Orders(Vec<Piece>),
    Lake(LakeHours),
    /// Trades alone.
    NoBooks,
}

/// What one file is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum FileForm {
    Capture,
    /// As the lake has them.
    Wide,
    /// As a collector has them.
    RawWide,
    #[cfg(feature = "parquet")]
    Lists,
    Tardis,
    Snapshots,
    Changes,
    Lobster(LobsterPart),
    Orders,
    /// Trades in a table that is read here.
    TradeTable,
    /// Whatever the importers make of it.
    Other,
}

impl FileForm {
    /// Forms of books are not mixed; the two halves of some are one.
    const fn book(self) -> Option<&'static str> {
        match self {
            Self::Capture => Some("raw messages"),
            Self::Wide | Self::RawWide => Some("wide books"),
            #[cfg(feature = "parquet")]
            Self::Lists => Some("deep books as lists"),
            Self::Tardis => Some("Tardis incremental_book_L2"),
            Self::Snapshots | Self::Changes => Some("Binance's depth archive"),
            Self::Lobster(_) => Some("LOBSTER"),
            Self::Orders => Some("orders"),
            Self::TradeTable | Self::Other => None,
        }
    }
}

/// A recording of one market, ready to be played.
#[derive(Debug)]
pub struct Recorded {
    market: InstrumentName,
    origin: Origin,
    /// Files of trades beside the books, for the importers.
    imported: Vec<PathBuf>,
    /// Tables of trades beside the books.
    tables: Vec<Piece>,
    read: Arc<AtomicU64>,
    bytes: u64,
}

impl Recorded {
    /// Finds out what files of one market are, in any order; or opens the folder of a lake.
    ///
    /// # Errors
    /// A file is nothing that is understood, files do not go together, or they are another market's.
    pub fn open(market: &InstrumentName, files: &[PathBuf]) -> Result<Self, Error> {
        let read = Arc::default();
        let market = market.clone();
        if let [folder] = files
            && LakeHours::is_lake(folder)
        {
            let lake = LakeHours::find(folder, &market)?;
            let bytes = bytes_of(lake.pieces().map(|p| &p.path))?;
            let (imported, tables) = (Vec::new(), Vec::new());
            return Ok(Self { market, origin: Origin::Lake(lake), imported, tables, read, bytes });
        }
        if files.is_empty() {
            return Err(Error::Usage(format!("no file was given; {UNDERSTOOD}")));
        }
        if let Some(folder) = files.iter().find(|p| p.is_dir()) {
            let shown = folder.display();
            return Err(Error::Usage(format!("{shown} is a folder and no lake; give its files, {UNDERSTOOD}")));
        }
        let mut found: Vec<(FileForm, Option<Ts>, Piece)> = Vec::new();
        for piece in Piece::all(files)? {
            let (form, begins) = form_of(&piece, &market)?;
            found.push((form, begins, piece));
        }
        found.sort_by(|a, b| (a.1, &a.2.shown).cmp(&(b.1, &b.2.shown)));
        let books: BTreeSet<&str> = found.iter().filter_map(|(form, ..)| form.book()).collect();
        if books.len() > 1 {
            let names = books.into_iter().collect::<Vec<_>>().join(" and ");
            return Err(Error::Usage(format!("books of several forms do not make one recording: {names}")));
        }
        let take = |want: FileForm| -> Vec<Piece> {
            found.iter().filter(|(form, ..)| *form == want).map(|(.., piece)| piece.clone()).collect()
        };
        let origin = match found.iter().map(|(form, ..)| *form).find(|form| form.book().is_some()) {
            Some(FileForm::Capture) => Origin::Capture(Capture::of(&market, take(FileForm::Capture))?),
            Some(FileForm::Wide | FileForm::RawWide) => {
                let wide = |form: &FileForm| matches!(form, FileForm::Wide | FileForm::RawWide);
                let files = found.iter().filter(|(form, ..)| wide(form)).map(|(.., piece)| piece.clone()).collect();
                Origin::Wide { files, raw: found.iter().any(|(form, ..)| *form == FileForm::RawWide) }
            }
            #[cfg(feature = "parquet")]
            Some(FileForm::Lists) => Origin::Lists(take(FileForm::Lists)),
            Some(FileForm::Tardis) => Origin::Tardis(take(FileForm::Tardis)),
            Some(FileForm::Snapshots | FileForm::Changes) => {
                Origin::Depth { snapshots: take(FileForm::Snapshots), changes: take(FileForm::Changes) }
            }
            Some(FileForm::Lobster(_)) => {
                let part = |(form, _, piece): &(FileForm, Option<Ts>, Piece)| match form {
                    FileForm::Lobster(part) => Some((*part, piece.clone())),
                    _ => None,
                };
                let parts: Vec<(LobsterPart, Piece)> = found.iter().filter_map(part).collect();
                recorded_at(&market, "LOBSTER's files", &["nasdaq", "lobster"])?;
                let days = LobsterDay::pairs(&parts).map_err(Error::Usage)?;
                if let Some(day) = days.iter().find(|d| !same_symbol(d.ticker.as_bytes(), &market.symbol)) {
                    return Err(Error::Usage(format!(
                        "these files are of {ticker} by their names, not of {market}; give {venue}:{ticker} as the market",
                        ticker = day.ticker,
                        venue = market.venue.as_str()
                    )));
                }
                Origin::Lobster(days)
            }
            Some(FileForm::Orders) => {
                recorded_at(
                    &market,
                    "order files of this form (id, exchange.timestamp, action, direction)",
                    &["bitstamp"],
                )?;
                Origin::Orders(take(FileForm::Orders))
            }
            Some(FileForm::TradeTable | FileForm::Other) | None => Origin::NoBooks,
        };
        let others: BTreeSet<PathBuf> = take(FileForm::Other).into_iter().map(|piece| piece.path).collect();
        let tables = take(FileForm::TradeTable);
        let bytes = bytes_of(files.iter())?;
        let recorded = Self { market, origin, imported: others.into_iter().collect(), tables, read, bytes };
        // Whether the importers understand the rest is known only by asking them.
        recorded.trades(None)?;
        Ok(recorded)
    }

    /// Bytes of the files as they lie on the disk, and how many of them were read so far.
    #[must_use]
    pub fn progress(&self) -> (u64, Arc<AtomicU64>) {
        match &self.origin {
            Origin::Capture(capture) => (self.bytes, capture.progress().1),
            _ => (self.bytes, Arc::clone(&self.read)),
        }
    }

    /// What is to be known of the market to play this: of contracts what one is worth, as the recording says it or else as it is given, in
    /// base units of a linear contract and quote units of an inverse one.
    ///
    /// # Errors
    /// A contract size is given where none is wanted, or it contradicts what is known; or a file cannot be read.
    pub fn spec(&self, contract_size: Option<f64>) -> Result<MarketSpec, Error> {
        let listed = match &self.origin {
            Origin::Capture(capture) => capture.listed()?,
            _ => None,
        };
        spec_of(&self.market, listed, contract_size)
    }

    /// Are quantities in the files what the venue counts? In a lake, and in files like its own, they are base units; of LOBSTER and of orders
    /// shares and coins.
    const fn counts_as_the_venue(&self) -> bool {
        match &self.origin {
            Origin::Wide { raw, .. } => *raw,
            Origin::Lobster(_) | Origin::Orders(_) | Origin::Lake(_) => false,
            #[cfg(feature = "parquet")]
            Origin::Lists(_) => true,
            Origin::Capture(_) | Origin::Tardis(_) | Origin::Depth { .. } | Origin::NoBooks => true,
        }
    }

    /// Do files of trades lie beside the books whose quantities are what the venue counts? Those of archives are, whatever the books are.
    fn has_trades_as_the_venue_counts(&self) -> Result<bool, Error> {
        let as_the_venue = |piece: &Piece| -> Result<bool, Error> {
            let (names, _) = TableRows::open(piece, &Arc::default())?;
            Ok(TradeColumns::of(&names).is_some_and(|columns| !columns.in_base))
        };
        let mut tables = self.tables.iter().map(as_the_venue);
        Ok(!self.imported.is_empty() || tables.any(|found| found.as_ref().map_or(true, |found| *found)))
    }

    /// Plays everything.
    ///
    /// # Errors
    /// A file cannot be read, or the listener fails. A file that breaks off in the middle is played as far as it goes.
    pub fn play<L: RecordListener>(&self, spec: MarketSpec, to: &mut L) -> Result<CapturePlayed, L::Failure> {
        self.read.store(0, Ordering::Relaxed);
        let known = Counted::of(self.market.venue.as_str(), &spec);
        if known.is_none() && (self.counts_as_the_venue() || self.has_trades_as_the_venue_counts()?) {
            return Err(no_size(&self.market, &spec).into());
        }
        let counted = known.unwrap_or(Counted::Base(1.0));
        let trades = self.trades(Some(counted))?;
        let (read, symbol) = (&self.read, self.market.symbol.as_str());
        let own_trades = trades.is_some();
        let mut telling = HeardOut::new(to, trades);
        match &self.origin {
            Origin::Capture(capture) => {
                let mut session = capture.play(spec, counted, &mut telling)?;
                if own_trades {
                    session.played.trade_losses = 0;
                }
                let pulled = telling.finish()?;
                return Ok(together(session, pulled));
            }
            Origin::Wide { files, .. } => {
                WideBooks { files, symbol, counted, read, reasons: &[] }.play(&mut telling)?;
            }
            #[cfg(feature = "parquet")]
            Origin::Lists(files) => ListBooks { files, symbol, counted, read }.play(&mut telling)?,
            Origin::Tardis(files) => TardisDeltas { files, symbol, counted, read }.play(&mut telling)?,
            Origin::Depth { snapshots, changes } => {
                DepthFiles { snapshots, changes, symbol, counted, read }.play(&mut telling)?;
            }
            Origin::Lobster(days) => LobsterFiles { days, read }.play(&mut telling)?,
            Origin::Orders(files) => OrderFiles { files, read }.play(&mut telling)?,
            Origin::Lake(lake) => lake.play(read, &mut telling)?,
            Origin::NoBooks => {}
        }
        telling.finish()
    }

    fn trades(&self, counted: Option<Counted>) -> Result<Option<PulledTrades>, Error> {
        if let Origin::Lake(lake) = &self.origin {
            return Ok(Some(lake.trades(&self.read)));
        }
        match (self.imported.as_slice(), self.tables.as_slice()) {
            ([], []) => Ok(None),
            ([], tables) => {
                let table = TradeTable::new(tables.to_vec(), &self.market.symbol, counted, &self.read);
                Ok(Some(PulledTrades::Table(Box::new(table))))
            }
            (imported, []) => PulledTrades::imported(&self.market, imported, counted.unwrap_or(Counted::Base(1.0)))
                .map(Some)
                .map_err(|e| Error::Usage(format!("{e}; {UNDERSTOOD}"))),
            _ => Err(Error::Usage("trades of several forms do not make one recording".to_owned())),
        }
    }
}

/// What a session made of messages, and the trades of files beside them.
fn together(session: CapturePlayed, pulled: CapturePlayed) -> CapturePlayed {
    let mut all = session;
    all.lines += pulled.lines;
    all.unreadable += pulled.unreadable;
    all.first_unreadable = all.first_unreadable.or(pulled.first_unreadable);
    all.torn.extend(pulled.torn);
    all.span = pulled.span.or(all.span);
    all.played.trades += pulled.played.trades;
    all.played.unsided += pulled.played.unsided;
    all.played.trade_losses += pulled.played.trade_losses;
    all
}

fn bytes_of<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<u64, Error> {
    let length =
        |path: &PathBuf| Ok(path.metadata().map_err(|source| Error::Path { path: path.clone(), source })?.len());
    files.map(length).sum()
}

/// What a file is, and where it begins.
fn form_of(piece: &Piece, market: &InstrumentName) -> Result<(FileForm, Option<Ts>), Error> {
    let unread = Arc::default();
    if piece.columnar().is_none() {
        let mut lines = piece.lines(&unread)?;
        let Some(first) = lines.next() else {
            return Err(Error::Usage(format!("{} is empty, or its packing is broken", piece.shown)));
        };
        let bytes = lines.bytes(&first);
        if let Some(part) = LobsterPart::of(bytes) {
            return Ok((FileForm::Lobster(part), None));
        }
        if Capture::is_one(bytes) {
            return Ok((FileForm::Capture, None));
        }
    }
    let (names, mut rows) = TableRows::open(piece, &unread)?;
    let row = rows.step() == TableStep::Row;
    if let Some(column) = names.iter().position(|n| n == "market_type") {
        of_kind(piece, &rows, column, market)?;
    }
    if let Some(columns) = WideColumns::of(&names) {
        if let Some(exchange) = columns.exchange.filter(|_| columns.raw_sizes) {
            of_market(piece, &rows, exchange, market)?;
        }
        let form = if columns.raw_sizes { FileForm::RawWide } else { FileForm::Wide };
        let begins = columns.begins(&rows);
        wide::runs_forward(piece, &columns, &mut rows)?;
        return Ok((form, begins));
    }
    #[cfg(feature = "parquet")]
    if is_lists(&names) {
        let at = names.iter().position(|n| n == "ts_ms").and_then(|c| rows.moment(c));
        return Ok((FileForm::Lists, at));
    }
    if let Some(columns) = TardisColumns::of(&names) {
        of_market(piece, &rows, columns.exchange, market)?;
        return Ok((FileForm::Tardis, columns.begins(&rows)));
    }
    if let Some(columns) = DepthColumns::of(&names) {
        let form = match rows.text(columns.kind) {
            Some(b"snap") => FileForm::Snapshots,
            Some(b"set") => FileForm::Changes,
            _ if !row => FileForm::Changes,
            _ => {
                let shown = &piece.shown;
                return Err(Error::Usage(format!(
                    "{shown}: rows of a depth archive are 'snap' or 'set', not this one's"
                )));
            }
        };
        return Ok((form, columns.begins(&rows)));
    }
    if let Some(columns) = OrderColumns::of(&names) {
        return Ok((FileForm::Orders, columns.begins(&rows)));
    }
    if let Some(columns) = TradeColumns::of(&names) {
        return Ok((FileForm::TradeTable, columns.begins(&rows)));
    }
    Ok((FileForm::Other, None))
}

/// Files that name the type of their market have to be of the market's: spot and futures have one symbol at some venues.
fn of_kind(piece: &Piece, rows: &TableRows, column: usize, market: &InstrumentName) -> Result<(), Error> {
    let Some(said) = rows.text(column).and_then(|t| core::str::from_utf8(t).ok()) else { return Ok(()) };
    let Some(kind) = registry::kind(market) else { return Ok(()) };
    if said.eq_ignore_ascii_case("spot") == (kind == MarketKind::Spot) {
        return Ok(());
    }
    Err(Error::Usage(format!("{} is of the market type '{said}', and {market} is not", piece.shown)))
}

/// Files of forms that one exchange's recordings have are filed under no other.
fn recorded_at(market: &InstrumentName, what: &str, venues: &[&str]) -> Result<(), Error> {
    let venue = market.venue.as_str();
    if venues.contains(&venue) {
        return Ok(());
    }
    let right: Vec<String> = venues.iter().map(|right| format!("{right}:SYMBOL")).collect();
    let right = right.join(" or ");
    Err(Error::Usage(format!(
        "{what} are not of {venue}; give the market they were recorded at, as {right}, not {market}"
    )))
}

/// Files that name their exchange have to be of the market's venue.
fn of_market(piece: &Piece, rows: &TableRows, column: usize, market: &InstrumentName) -> Result<(), Error> {
    let Some(exchange) = rows.text(column).and_then(|e| core::str::from_utf8(e).ok()) else { return Ok(()) };
    let venue = venue_of_tardis(exchange);
    if venue == market.venue.as_str() {
        return Ok(());
    }
    Err(Error::Usage(format!("{} is of {venue}, not of {}", piece.shown, market.venue.as_str())))
}
