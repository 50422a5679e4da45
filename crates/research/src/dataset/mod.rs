//! From recordings and the program's own journal to the lake: book states and trades as they were received (bronze), and the 197
//! columns of each second (silver).

mod bars;
mod beginning;
mod begins;
mod beside;
mod board;
mod edge;
mod follow;
mod held;
mod journal;
mod journal_market;
mod keep;
mod outward;
mod rows;
mod tick;

pub use bars::{bars_of_trades, has_trades, trades_of};
pub use beside::{DatasetBeside, FeedSource};
pub use follow::{FollowRequest, FollowStep, LakeFollower};
pub use held::{EachRow, rows_of_held};
pub use journal::{JournalDataset, JournalRequest, record_journal, record_journal_beside};
pub use outward::export_events;
pub use rows::{CLOSE_AFTER, SecondRows};

use crate::ResearchError;
use barograph_domain::{Instrument, InstrumentName, MarketKind, Ts};
use barograph_lake::layers::LakeConfig;
use barograph_lake::recorded::{CapturePlayed, Recorded};
use barograph_venues::session::registry;
use barograph_venues::symbols;
use beside::BesideRows;
use board::{VenueBoard, are_compared};
use core::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

/// What is to be recorded into the lake.
#[derive(Clone, Debug)]
pub struct DatasetRequest {
    /// Whose recording it is.
    pub market: InstrumentName,
    /// Its files.
    pub files: Vec<PathBuf>,
    /// Folder of the lake.
    pub lake: PathBuf,
    /// Smallest step of prices, where the user knows it: `spread_ticks` needs it.
    pub tick: Option<f64>,
    /// What a contract is worth, in base units of a linear one and quote units of an inverse one, where the recording does not say it.
    pub contract_size: Option<f64>,
}

/// What was recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct DatasetReport {
    /// What the files held.
    pub played: CapturePlayed,
    /// Rows of the data set.
    pub rows: u64,
    /// Rows whose book could be used.
    pub valid: u64,
    /// States, trades and rows that are in the lake already; nothing is written twice, and nothing of a closed hour again.
    pub already: u64,
    /// Where those hours begin.
    pub already_hours: BTreeSet<Ts>,
    /// States, trades and rows that the venue dated into an hour which was over when they came: they are left out.
    pub late: u64,
    /// States, trades and rows that lie before what an hour under way holds: they are left out, because rows do not go in front of others.
    pub before: u64,
    /// Where those hours begin.
    pub before_hours: BTreeSet<Ts>,
    /// States and trades that arrived after the row of their second was made: they count for later rows.
    pub behind: u64,
    /// Recordings beside of which nothing was received while this one was, each as a sentence.
    pub beside_apart: Vec<String>,
}

/// Plays recordings into the lake. `step` is called now and then with how many bytes of how many were read.
///
/// # Errors
/// A file is no recording, the venue is not known, the book never begins (nothing is written then), or the lake cannot be written.
pub fn record(request: &DatasetRequest, step: &mut dyn FnMut(u64, u64)) -> Result<DatasetReport, ResearchError> {
    record_beside(request, &DatasetBeside::default(), step)
}

/// The same with what is known beside the recording.
///
/// # Errors
/// As [`record`], also of what is beside it.
pub fn record_beside(
    request: &DatasetRequest,
    beside: &DatasetBeside,
    step: &mut dyn FnMut(u64, u64),
) -> Result<DatasetReport, ResearchError> {
    let board = Rc::new(RefCell::new(VenueBoard::new(beside.reference.clone())));
    let own = instrument(&request.market);
    let mut heard_beside: Vec<(&InstrumentName, (Ts, Ts))> = Vec::new();
    for (market, files) in &beside.recordings {
        let other = instrument(market);
        if !are_compared(&own, &other) {
            return Err(ResearchError::Refused(format!(
                "{market} cannot be compared with {}: another venue of the same asset is wanted, spot beside spot and perpetual beside \
                 perpetual",
                request.market
            )));
        }
        let member = board.borrow_mut().join_whole(other);
        let mut rows = BesideRows::new(&board, member);
        let size = beside.contract_sizes.iter().find(|(known, _)| known == market).map(|(_, size)| *size);
        let capture = Recorded::open(market, files)?;
        let played = capture.play(capture.spec(size)?, &mut rows)?;
        heard_beside.extend(played.span.map(|span| (market, span)));
        if played.played.books == 0 && played.played.trades == 0 {
            return Err(ResearchError::Refused(format!(
                "the files given beside hold no book and no trade of {market}"
            )));
        }
    }
    if let Some(name) = beside
        .reference
        .as_ref()
        .filter(|name| **name != request.market && !beside.recordings.iter().any(|(market, _)| market == *name))
    {
        return Err(ResearchError::Refused(format!(
            "{name} is to be the reference, and no recording of it is given beside"
        )));
    }
    let capture = Recorded::open(&request.market, &request.files).map_err(|e| without_options(e.into()))?;
    let (bytes, read) = capture.progress();
    let spec = capture.spec(request.contract_size)?;
    let begins = begins::check_book((&capture, &spec), &request.market, request.tick, &mut || {
        step(read.load(core::sync::atomic::Ordering::Relaxed), bytes)
    })?;
    if let Some((market, (from, until))) = heard_beside.iter().find(|(_, (_, until))| *until < begins) {
        return Err(ResearchError::Refused(format!(
            "the recording of {market} given beside is of {from} to {until}, and this one begins at {begins}: nothing of it could be compared; give one \
             of the same time. Nothing was written"
        )));
    }
    if let Some(tick) = request.tick {
        tick::check_rows(tick, &request.lake, &request.market)?;
    }
    let config = LakeConfig::import(&request.lake);
    let kept = keep::Kept::open(
        config,
        &request.market,
        request.tick,
        Box::new(move |_| {
            step(read.load(core::sync::atomic::Ordering::Relaxed), bytes);
        }),
    )?;
    let mut kept = kept.fed(beside.feeds.clone(), &request.market).compared(&board, own);
    let played = capture.play(spec, &mut kept).map_err(without_options)?;
    let done = kept.finish()?;
    let apart = |(market, (from, until)): &(&InstrumentName, (Ts, Ts))| {
        let (first, last) = played.span.filter(|(_, last)| last < from)?;
        Some(format!(
            "what was given of {market} beside is of {from} to {until}, and this recording is of {first} to {last}: nothing of it was compared"
        ))
    };
    let beside_apart = heard_beside.iter().filter_map(apart).collect();
    Ok(DatasetReport { played, beside_apart, ..done })
}

/// The importers' errors name options of theirs, which a data set has not: the clause that does is left out.
fn without_options(e: ResearchError) -> ResearchError {
    let ResearchError::Refused(text) = e else { return e };
    let kept =
        text.split("; ").filter(|clause| !["--columns", "--metric"].iter().any(|option| clause.contains(option)));
    ResearchError::Refused(kept.collect::<Vec<_>>().join("; "))
}

/// A market by what its venue and symbol say of it.
pub(crate) fn instrument(market: &InstrumentName) -> Instrument {
    let kind = registry::kind(market).unwrap_or(MarketKind::Perpetual);
    Instrument { name: market.clone(), kind, expiry: symbols::expiry(&market.symbol) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_that_a_data_set_cannot_follow_is_left_out() {
        for (text, want) in [
            (
                "t.csv: no known format has the columns a, b; map them with --columns time=<column>,value=<column>",
                "t.csv: no known format has the columns a, b",
            ),
            ("t.csv is empty; give another", "t.csv is empty; give another"),
        ] {
            assert_eq!(without_options(ResearchError::Refused(text.to_owned())).to_string(), want);
        }
    }
}
