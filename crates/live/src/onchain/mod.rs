//! On-chain and sentiment sources, fetched (R1.32–R1.34, R4.68; docs/onchain.md): what is set, one question and what came of it, and the
//! thread that asks when a series is due.
//!
//! What a body means, which of its values are news and when to ask again is pure and lives in `barograph_venues::onchain`. A source that is
//! lost costs its own newest values and nothing else: no minute, label or alert depends on one.

mod ask;
mod bodies;
mod poll;
mod state;

pub use ask::{OnchainAsker, OnchainMeans, SeriesOutcome, SeriesResult};
pub(crate) use poll::start;
pub use state::{OnchainLedger, SeriesState};

use barograph_notify::ask::AskedService;
use barograph_notify::secret::Secret;
use barograph_venues::onchain::{OnchainHost, OnchainSeries};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the user's provider of scored texts is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScoredTexts {
    /// On the disk; read again as it grows.
    File(PathBuf),
    /// At an address.
    Url(AskedService),
}

impl ScoredTexts {
    /// As set; none where nothing is.
    ///
    /// # Errors
    /// Why an address cannot be used.
    pub fn of(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text.starts_with("http://") || text.starts_with("https://") {
            return AskedService::feed(text).map(|feed| Some(Self::Url(feed)));
        }
        Ok((!text.is_empty()).then(|| Self::File(PathBuf::from(text))))
    }
}

/// What is fetched, from where and with which keys. By default nothing is.
#[derive(Clone, Default, Debug)]
pub struct OnchainSettings {
    /// The series, as the setting `onchain` names them.
    pub series: Vec<OnchainSeries>,
    /// Other addresses than those of the sources.
    pub bases: BTreeMap<OnchainHost, AskedService>,
    /// Keys, by the source they are for.
    pub keys: BTreeMap<OnchainHost, Secret>,
    /// The user's provider of scored texts.
    pub scored: Option<ScoredTexts>,
}

impl OnchainSettings {
    /// Every series that is to be fetched, the scored texts last.
    ///
    /// # Errors
    /// A series is named twice.
    pub fn all(&self) -> Result<Vec<OnchainSeries>, String> {
        let mut all = self.series.clone();
        if self.scored.is_some() {
            all.push(OnchainSeries::scored()?);
        }
        for (at, series) in all.iter().enumerate() {
            if all[..at].iter().any(|other| other.name() == series.name()) {
                return Err(format!("'{series}' is named twice"));
            }
        }
        Ok(all)
    }

    /// Is there anything to fetch?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.series.is_empty() && self.scored.is_none()
    }
}

/// Where what is remembered of the sources lies: what came of each series, and bodies as they were received.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("onchain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_a_file_or_an_address_and_a_series_is_named_once() {
        assert_eq!(ScoredTexts::of(" "), Ok(None));
        assert_eq!(ScoredTexts::of("scores.csv"), Ok(Some(ScoredTexts::File("scores.csv".into()))));
        assert!(matches!(ScoredTexts::of("https://feed.example/s?since=1d"), Ok(Some(ScoredTexts::Url(_)))));
        let refused = ScoredTexts::of("https://me:s3cret@feed.example/s").unwrap_err();
        assert!(!refused.contains("s3cret"), "{refused}");
        let series = |text| OnchainSeries::parse(text).unwrap();
        let settings = |list| OnchainSettings { series: list, ..OnchainSettings::default() };
        assert!(settings(Vec::new()).is_empty());
        assert_eq!(settings(vec![series("fng"), series("defillama.tvl")]).all().unwrap().len(), 2);
        let twice = settings(vec![series("defillama.tvl"), series("defillama.tvl.all")]).all().unwrap_err();
        assert_eq!(twice, "'defillama.tvl.all' is named twice");
    }
}
