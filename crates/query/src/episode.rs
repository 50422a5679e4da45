//! One alert by its id: found over all runs, read with its own rule book, with what followed it and the earlier episodes most like it.

use crate::events::Kept;
use crate::outcomes;
use barograph_api::EventView;
use barograph_domain::{KnownAlert, Ts};
use barograph_store::{AlertQuery, Error, Reader, RunInfo};

/// Fewest characters of an id that are taken for its beginning.
pub const PREFIX_MIN: usize = 8;

/// An alert, where it is, and all that was recorded of it, the first record first.
#[derive(Debug)]
pub struct FoundAlert {
    /// Its run.
    pub run: RunInfo,
    /// The whole id.
    pub alert_id: String,
    /// At least one.
    pub records: Vec<KnownAlert>,
}

/// Why there is not one.
#[derive(Debug)]
pub enum NoEpisode {
    /// No alert has an id like this.
    Unknown,
    /// It has fewer characters than [`PREFIX_MIN`].
    Short,
    /// Several alerts begin with it.
    Several,
    /// The store cannot be read.
    Store(Error),
}

impl FoundAlert {
    /// The alert whose id is, or begins with, this.
    ///
    /// # Errors
    /// See [`NoEpisode`].
    pub fn find(reader: &dyn Reader, id: &str, as_of: Option<Ts>) -> Result<Self, NoEpisode> {
        let is_id = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if is_id && id.len() < PREFIX_MIN {
            return Err(NoEpisode::Short);
        }
        let mut found: Vec<Self> = Vec::new();
        let runs = if is_id { reader.runs(None).map_err(NoEpisode::Store)? } else { Vec::new() };
        for run in runs {
            let query = AlertQuery { episode: id.to_lowercase(), as_of, ..AlertQuery::default() };
            for known in reader.alerts(&run.spec.key, &query).map_err(NoEpisode::Store)?.items {
                let own = known.alert.id(&run.spec.key.instrument, &run.spec.key.logic_version);
                match found.iter_mut().find(|e| e.alert_id == own) {
                    Some(episode) => episode.records.push(known),
                    None => found.push(Self { run: run.clone(), alert_id: own, records: vec![known] }),
                }
            }
        }
        match <[Self; 1]>::try_from(found) {
            Ok([one]) => Ok(one),
            Err(none) if none.is_empty() => Err(NoEpisode::Unknown),
            Err(_several) => Err(NoEpisode::Several),
        }
    }

    /// Its newest record as it goes over the wire, with what followed and those like it.
    ///
    /// # Errors
    /// See [`NoEpisode`].
    pub fn view(
        &self,
        reader: &dyn Reader,
        kept: &Kept<'_>,
        as_of: Option<Ts>,
        now: Ts,
    ) -> Result<EventView, NoEpisode> {
        let key = &self.run.spec.key;
        let newest = self.records.iter().max_by_key(|k| k.alert.revision).ok_or(NoEpisode::Unknown)?;
        // Of records with the same score the first: the last of a turned list.
        let peak = self.records.iter().rev().max_by(|a, b| a.alert.score.total_cmp(&b.alert.score));
        let mut event = kept.view(reader, newest, as_of).map_err(NoEpisode::Store)?;
        let similar = outcomes::similar(reader, key, peak.unwrap_or(newest), as_of, now).map_err(NoEpisode::Store)?;
        let outcome =
            outcomes::outcome(reader, key, outcomes::began(&newest.alert), as_of, now).map_err(NoEpisode::Store)?;
        (event.evidence.similar, event.evidence.similar_reason) = (Some(similar), None);
        event.evidence.outcome = Some(outcome);
        Ok(event)
    }
}
