//! What a market's recordings, its lake or its journal say, in the form of another tool.

use super::spec_of;
use crate::ResearchError;
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::Error;
use barograph_lake::export::{EventReport, EventWriter};
use barograph_lake::recorded::{JournalAudience, Recorded, play_journal};
use barograph_venues::session::MarketSpec;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes books and trades as hftbacktest's array of events: of files, of the folder of a lake, or of the journal in a data folder where
/// there is no file. Received in `range`, both ends included.
///
/// # Errors
/// What is given is no recording of the market, or the file cannot be written.
pub fn export_events(
    market: &InstrumentName,
    files: &[PathBuf],
    data: &Path,
    range: (Option<Ts>, Option<Ts>),
    out: File,
) -> Result<EventReport, ResearchError> {
    let failed = |e: std::io::Error| ResearchError::Failed(format!("the file cannot be written: {e}"));
    let mut writer = EventWriter::new(out, range).map_err(failed)?;
    if files.is_empty() {
        let mut audience = OneMarket { market, writer: Some(writer) };
        let played = play_journal(&data.join("journal"), range.1, &mut audience)?;
        let heard = played.markets.into_iter().next().map(|one| one.listener).or(audience.writer);
        writer = heard.ok_or_else(|| ResearchError::Failed("the journal lost its listener".to_owned()))?;
    } else {
        Recorded::open(market, files)?.play(spec_of(market)?, &mut writer)?;
    }
    let (file, report) = writer.finish().map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(report)
}

/// Hears one market of a journal.
struct OneMarket<'a> {
    market: &'a InstrumentName,
    /// Until the journal names the market.
    writer: Option<EventWriter<File>>,
}

impl JournalAudience for OneMarket<'_> {
    type Listener = EventWriter<File>;

    fn cares_for(&self, venue: &str) -> bool {
        self.market.venue.as_str() == venue
    }

    fn listener(
        &mut self,
        market: &InstrumentName,
        _: &MarketSpec,
        _: bool,
    ) -> Result<Option<EventWriter<File>>, Error> {
        Ok(if market == self.market { self.writer.take() } else { None })
    }
}
