//! What a market's recordings, its lake or its journal say, in the form of another tool.

use crate::ResearchError;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::Error;
use barograph_lake::export::{EventReport, EventWriter};
use barograph_lake::recorded::{CapturePlayed, JournalAudience, Recorded, play_journal};
use barograph_venues::session::MarketSpec;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes books and trades as hftbacktest's array of events: of files, of the folder of a lake, or of the journal in a data folder where
/// there is no file. What a contract is worth is given with the files, where they do not say it. Received in `range`, both ends included; `base` is the
/// smallest latency where the recorder's clock was behind the venue's. `out` is read again. Beside what was written comes what could not be used, each as a sentence.
///
/// # Errors
/// What is given is no recording of the market, or the file cannot be written.
pub fn export_events(
    market: &InstrumentName,
    (files, contract_size): (&[PathBuf], Option<f64>),
    data: &Path,
    (range, base): ((Option<Ts>, Option<Ts>), Span),
    out: File,
) -> Result<(EventReport, Vec<String>), ResearchError> {
    let failed = |e: std::io::Error| ResearchError::Failed(format!("the file cannot be written: {e}"));
    let mut writer = EventWriter::new(out, range, base).map_err(failed)?;
    let troubles;
    if files.is_empty() {
        let mut audience = OneMarket { market, writer: Some(writer) };
        let played = play_journal(&data.join("journal"), range.1, &mut audience)?;
        let heard = played.markets.into_iter().next().map(|one| one.listener).or(audience.writer);
        troubles = played.troubles;
        writer = heard.ok_or_else(|| ResearchError::Failed("the journal lost its listener".to_owned()))?;
    } else {
        let recorded = Recorded::open(market, files)?;
        troubles = unused(recorded.play(recorded.spec(contract_size)?, &mut writer)?);
    }
    let (file, report) = writer.finish().map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok((report, troubles))
}

/// What of recordings could not be used.
fn unused(played: CapturePlayed) -> Vec<String> {
    let mut troubles: Vec<String> =
        played.torn.into_iter().map(|torn| format!("{torn}; what came before is used")).collect();
    if played.unreadable > 0 {
        let first = played.first_unreadable.map(|first| format!("; the first: {first}")).unwrap_or_default();
        troubles.push(format!(
            "{} lines could not be read as part of a recording and were left out{first}",
            played.unreadable
        ));
    }
    if let Some(first) = played.first_repeated {
        troubles.push(format!(
            "{} rows repeat what came before them, or lie in the time of an earlier file, and were passed over; the first: {first}",
            played.repeated
        ));
    }
    let refused = played.played.refused;
    if refused > 0 {
        let first = played.played.first_refused.map(|first| format!("; the first: {first}")).unwrap_or_default();
        troubles.push(format!("{refused} messages could not be used{first}"));
    }
    troubles
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_used_is_stated() {
        let mut played =
            CapturePlayed { unreadable: 2, torn: vec!["a.gz breaks off".to_owned()], ..CapturePlayed::default() };
        played.played.refused = 3;
        played.played.first_refused = Some("no price".to_owned());
        played.first_unreadable = Some("a.csv, line 7".to_owned());
        (played.repeated, played.first_repeated) = (1, Some("b.csv, line 9".to_owned()));
        let stated = unused(played).join("\n");
        for part in [
            "a.gz breaks off",
            "2 lines",
            "the first: a.csv, line 7",
            "b.csv, line 9",
            "3 messages",
            "the first: no price",
        ] {
            assert!(stated.contains(part), "{part}: {stated}");
        }
        assert!(unused(CapturePlayed::default()).is_empty());
    }
}
