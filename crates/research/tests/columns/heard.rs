//! What a recording has to say, kept to be fed again.

use barograph_columns::{OtherFeeds, ResearchRow};
use barograph_domain::depth::{BookSides, DepthLevel};
use barograph_domain::{GapReason, InstrumentName, Ts};
use barograph_engine::sessions::SessionSet;
use barograph_lake::Error;
use barograph_lake::recorded::{RecordListener, RecordStamps, Recorded, RecordedFeed, RecordedTrade};
use barograph_research::dataset::SecondRows;
use std::path::{Path, PathBuf};

pub(crate) type Sides = [Vec<DepthLevel>; 2];
pub(crate) type Row = (Ts, Box<ResearchRow>);
pub(crate) type Rows = Vec<Row>;

/// One thing that was heard.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Heard {
    Book(RecordStamps, Sides, u32),
    Trade(RecordStamps, RecordedTrade),
    Lost(RecordedFeed, Ts),
    Begins(Ts),
    Passed(Ts),
}

/// Keeps the first of what it hears.
#[derive(Debug)]
pub(crate) struct Tape {
    pub(crate) all: Vec<Heard>,
    pub(crate) levels: usize,
    pub(crate) most: usize,
}

impl Tape {
    fn push(&mut self, heard: Heard) {
        if self.all.len() < self.most {
            self.all.push(heard);
        }
    }
}

impl RecordListener for Tape {
    type Failure = Error;

    fn book(&mut self, at: RecordStamps, sides: &BookSides<'_>, updates: u32) -> Result<(), Error> {
        let side = |side: &[DepthLevel]| side.iter().take(self.levels).copied().collect();
        let sides = [side(sides.bids), side(sides.asks)];
        self.push(Heard::Book(at, sides, updates));
        Ok(())
    }

    fn trade(&mut self, at: RecordStamps, trade: RecordedTrade) -> Result<(), Error> {
        self.push(Heard::Trade(at, trade));
        Ok(())
    }

    fn lost(&mut self, feed: RecordedFeed, from: Ts, _: GapReason) -> Result<(), Error> {
        self.push(Heard::Lost(feed, from));
        Ok(())
    }

    fn trades_begin(&mut self, from: Ts) -> Result<(), Error> {
        self.push(Heard::Begins(from));
        Ok(())
    }

    fn passed(&mut self, recv: Ts) -> Result<(), Error> {
        self.push(Heard::Passed(recv));
        Ok(())
    }
}

/// The shipped recording.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz")
}

/// At most so many things, and so many levels of each book.
pub(crate) fn listen(market: &str, file: &Path, most: (usize, usize)) -> Vec<Heard> {
    listen_to_all(market, &[file.to_path_buf()], most)
}

/// The same of a recording in several files.
pub(crate) fn listen_to_all(market: &str, files: &[PathBuf], (most, levels): (usize, usize)) -> Vec<Heard> {
    let market = InstrumentName::parse(market).unwrap();
    let mut tape = Tape { all: Vec::new(), levels, most };
    let recorded = Recorded::open(&market, files).unwrap();
    recorded.play(recorded.spec(None).unwrap(), &mut tape).unwrap();
    tape.all
}

/// One thing into the rows of a market; what falls due comes out.
pub(crate) fn feed(rows: &mut SecondRows, heard: &Heard, known: &mut dyn FnMut(Ts) -> OtherFeeds, made: &mut Rows) {
    match heard {
        Heard::Book(at, [bids, asks], updates) => rows.book(*at, &BookSides { bids, asks }, *updates),
        Heard::Trade(at, trade) => rows.trade(*at, *trade),
        Heard::Lost(feed, from) => rows.lost(*feed, *from),
        Heard::Begins(from) => rows.trades_begin(*from),
        Heard::Passed(recv) => made.extend(core::iter::from_fn(|| rows.due_with(*recv, known))),
    }
}

/// The rows of all of it.
pub(crate) fn rows_of(all: &[Heard], tick: Option<f64>) -> Rows {
    let mut rows = SecondRows::new(tick, SessionSet::UTC);
    let mut made = Vec::new();
    all.iter().for_each(|heard| feed(&mut rows, heard, &mut |_| OtherFeeds::default(), &mut made));
    made
}
