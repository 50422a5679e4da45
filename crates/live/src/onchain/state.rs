//! What came of each series, kept beside the store: a process and a command take turns with it, so no source is asked by two at once.

use super::{SeriesResult, folder};
use barograph_domain::Ts;
use barograph_venues::onchain::OnchainSeries;
use barograph_venues::onchain::reply::{RestOf, SourceRest};
use barograph_venues::onchain::schedule::SeriesPast;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The file's name.
const FILE: &str = "state.json";

/// What came of one series; absent fields never happened.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesState {
    /// When it was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<Ts>,
    /// When it last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched: Option<Ts>,
    /// When all of its history was read last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<Ts>,
    /// Failures since it last answered.
    pub failures: u32,
    /// Nothing is asked before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rests_until: Option<Ts>,
    /// Until when its newest complete value reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covered: Option<Ts>,
    /// The name its source gives to the body it sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// SHA-256 of the body that was kept last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Revisions so far.
    pub revisions: u64,
    /// Why it did not answer, or what is odd about its answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl SeriesState {
    /// As far as the schedule is concerned.
    #[must_use]
    pub const fn past(&self) -> SeriesPast {
        let Self { tried, fetched, whole, failures, rests_until, covered, .. } = self;
        SeriesPast {
            tried: *tried,
            fetched: *fetched,
            whole: *whole,
            failures: *failures,
            rests_until: *rests_until,
            covered: *covered,
        }
    }

    /// Nothing is asked for a time. The reason of a longer rest stays: it is what has to be done something about.
    pub(crate) fn rests(&mut self, rest: &SourceRest) {
        if self.rests_until.is_none_or(|until| rest.until > until) {
            (self.rests_until, self.note) = (Some(rest.until), Some(rest.why.clone()));
        }
    }

    /// It did not answer with anything usable, and is asked again after a pause.
    pub(crate) fn failed(&mut self, why: &str) {
        self.failures = self.failures.saturating_add(1);
        self.note = Some(why.to_owned());
    }
}

/// What came of all series; whoever holds it is the only one that asks.
#[derive(Debug)]
pub struct OnchainLedger {
    path: PathBuf,
    /// By name of the series.
    pub series: BTreeMap<String, SeriesState>,
    /// Held, not read.
    _lock: File,
}

impl OnchainLedger {
    /// Waits for whoever has it, and reads it. What cannot be read is put aside, with a line that says so.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn open(data: &Path) -> std::io::Result<Self> {
        let folder = folder(data);
        std::fs::create_dir_all(&folder)?;
        let lock = File::options().create(true).append(true).open(folder.join("lock"))?;
        lock.lock()?;
        let path = folder.join(FILE);
        let series = match Self::read(data) {
            Ok(series) => series,
            Err(why) => {
                let aside = path.with_extension("damaged");
                std::fs::rename(&path, &aside)?;
                let (path, aside) = (path.display(), aside.display());
                drop(std::io::Write::write_fmt(
                    &mut std::io::stderr(),
                    format_args!(
                        "barograph: {path} cannot be read ({why}) and was put aside as {aside}; every series is asked anew\n"
                    ),
                ));
                BTreeMap::new()
            }
        };
        Ok(Self { path, series, _lock: lock })
    }

    /// What came of each series, as it was written last; nothing where nothing was fetched.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(data: &Path) -> Result<BTreeMap<String, SeriesState>, String> {
        match std::fs::read(folder(data).join(FILE)) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| e.to_string()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(e) => Err(e.to_string()),
        }
    }

    /// What came of one series, for those of the same source: a rest that it wants is theirs too.
    pub fn share(&mut self, of: &OnchainSeries, all: &[OnchainSeries], result: &SeriesResult) {
        let SeriesResult::Rests(rest) = result else { return };
        if rest.of == RestOf::Series {
            return;
        }
        for other in all.iter().filter(|other| other.host() == of.host() && other.name() != of.name()) {
            self.series.entry(other.name().to_string()).or_default().rests(rest);
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let file = File::create(&new)?;
        serde_json::to_writer_pretty(&file, &self.series)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_a_series_is_there_after_a_restart_and_damage_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = OnchainLedger::open(folder.path()).unwrap();
        let state = SeriesState {
            tried: Some(Ts::from_secs(60)),
            failures: 2,
            note: Some("away".into()),
            ..SeriesState::default()
        };
        ledger.series.insert("fng.value".to_owned(), state.clone());
        ledger.save().unwrap();
        drop(ledger);
        assert_eq!(OnchainLedger::read(folder.path()).unwrap()["fng.value"], state);
        assert_eq!(state.past().failures, 2);
        let path = folder.path().join("onchain/state.json");
        std::fs::write(&path, "{\"fng").unwrap();
        assert!(OnchainLedger::read(folder.path()).is_err());
        assert_eq!(OnchainLedger::open(folder.path()).unwrap().series, BTreeMap::new());
        assert_eq!(std::fs::read_to_string(path.with_extension("damaged")).unwrap(), "{\"fng");
    }

    #[test]
    fn the_reason_of_the_longer_rest_stays() {
        let rest =
            |until, why: &str| SourceRest { until: Ts::from_secs(until), why: why.to_owned(), of: RestOf::Source };
        let mut state = SeriesState::default();
        for (until, why, noted) in [(60, "429", "429"), (900, "its key is refused", "its key is refused")] {
            state.rests(&rest(until, why));
            assert_eq!(state.note.as_deref(), Some(noted));
        }
        state.rests(&rest(120, "429"));
        assert_eq!((state.rests_until, state.note.as_deref()), (Some(Ts::from_secs(900)), Some("its key is refused")));
    }

    #[test]
    fn a_rest_that_a_source_wants_is_of_all_its_series() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = OnchainLedger::open(folder.path()).unwrap();
        let all =
            ["glassnode.btc.market.mvrv", "glassnode.eth.market.mvrv", "fng"].map(|s| OnchainSeries::parse(s).unwrap());
        let until =
            |ledger: &OnchainLedger, n: usize| ledger.series.get(all[n].name().as_str()).and_then(|s| s.rests_until);
        let rest = |of| SeriesResult::Rests(SourceRest { until: Ts::from_secs(60), why: "429".to_owned(), of });
        ledger.share(&all[0], &all, &rest(RestOf::Series));
        assert_eq!(until(&ledger, 1), None);
        ledger.share(&all[0], &all, &rest(RestOf::Source));
        assert_eq!((until(&ledger, 1), until(&ledger, 2)), (Some(Ts::from_secs(60)), None));
        assert_eq!(ledger.series[all[1].name().as_str()].note.as_deref(), Some("429"));
    }
}
