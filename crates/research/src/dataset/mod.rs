//! From recordings and the program's own journal to the lake: book states and trades as they were received (bronze), and the 197
//! columns of each second (silver).

mod held;
mod journal;
mod keep;
mod rows;

pub use held::{EachRow, rows_of_held};
pub use journal::{JournalDataset, JournalRequest, record_journal};
pub use rows::{CLOSE_AFTER, SecondRows};

use crate::ResearchError;
use barograph_domain::{InstrumentName, MarketKind, Ts};
use barograph_lake::layers::LakeConfig;
use barograph_lake::recorded::{CapturePlayed, Recorded};
use barograph_venues::session::{MarketSpec, venue};
use std::collections::BTreeSet;
use std::path::PathBuf;

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
    /// States and trades that lie in hours which are in the lake already; nothing of a closed hour is written again.
    pub already: u64,
    /// Where those hours begin.
    pub already_hours: BTreeSet<Ts>,
}

/// Plays recordings into the lake. `step` is called now and then with how many bytes of how many were read.
///
/// # Errors
/// A file is no recording, the venue is not known, or the lake cannot be written.
pub fn record(request: &DatasetRequest, step: &mut dyn FnMut(u64, u64)) -> Result<DatasetReport, ResearchError> {
    let capture = Recorded::open(&request.market, &request.files)?;
    let (bytes, read) = capture.progress();
    let spec = spec_of(&request.market)?;
    let config = LakeConfig::import(&request.lake);
    let mut kept = keep::Kept::open(
        config,
        &request.market,
        request.tick,
        Box::new(move |_| {
            step(read.load(core::sync::atomic::Ordering::Relaxed), bytes);
        }),
    )?;
    let played = capture.play(spec, &mut kept)?;
    if played.played.books == 0 {
        // What was begun is dropped: an hour without its books is not closed.
        drop(kept);
        let (name, lines, trades) = (&request.market, played.lines, played.played.trades);
        return Err(ResearchError::Refused(if trades == 0 {
            format!("{lines} lines were read, and none of them is a book or a trade of {name}")
        } else {
            format!(
                "{lines} lines were read with {trades} trades of {name}, and its book never begins: changes need a whole book before \
                 them, which lies in the recording before; give both"
            )
        }));
    }
    let done = kept.finish()?;
    Ok(DatasetReport { played, ..done })
}

/// What sessions need to know of a market whose instrument list was not recorded.
fn spec_of(market: &InstrumentName) -> Result<MarketSpec, ResearchError> {
    let known = venue(market.venue.as_str());
    let kind = market.kind(known.map(|v| v.trades)).unwrap_or(MarketKind::Perpetual);
    let mut spec = MarketSpec::bare(&market.symbol, kind);
    if market.venue.as_str() == "binance-coinm" {
        spec.inverse = true;
        spec.contract_size = Some(f64::from(barograph_venues::symbols::coin_m_contract_size(&market.symbol)));
    }
    Ok(spec)
}
