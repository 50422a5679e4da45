//! What a live process listens to, as it is journalled at its start: enough to build the same sessions again without
//! asking any venue.

use crate::failure::Failure;
use crate::setup::Setup;
use crate::universe::WatchMarkets;
use barograph_domain::leg::SpotPairs;
use barograph_engine::Config;
use barograph_engine::models::{Fits, ModelMarkets, ModelPolicy};
use barograph_venues::session::{MarketSpec, SessionConfig};
use serde::{Deserialize, Serialize};

/// One venue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct VenueConfig {
    /// Venue id.
    pub(crate) id: String,
    /// Hosts, markets and streams.
    pub(crate) session: SessionConfig,
}

/// Everything that decides what a live process makes of its inputs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct LiveConfig {
    /// Which arithmetic and book; a journal of another one is replayed only when that is asked for.
    pub(crate) logic_version: String,
    /// Name of the rule book.
    pub(crate) book: String,
    /// The rule book itself.
    pub(crate) book_text: String,
    /// Which markets have statistical models.
    #[serde(default)]
    pub(crate) models: ModelMarkets,
    /// Which markets are compared, by whole names.
    #[serde(default)]
    pub(crate) watch: WatchMarkets,
    /// Which spot markets contracts are compared with, where that is declared.
    #[serde(default)]
    pub(crate) spot_pairs: SpotPairs,
    /// Venues, in the order of their numbers.
    pub(crate) venues: Vec<VenueConfig>,
    /// `synthetic` or `recorded` where the venue is the built-in server: every output says so.
    pub(crate) origin: Option<String>,
}

/// A change while running: the complete new list of a venue's markets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct MarketsChange {
    /// Venue id.
    pub(crate) venue: String,
    /// The new list.
    pub(crate) markets: Vec<MarketSpec>,
}

impl LiveConfig {
    /// What the engine runs with. Fits come from outside: they are journalled before they enter.
    pub(crate) fn engine(&self, setup: &Setup) -> Config {
        // What is scheduled comes from outside too, journalled.
        Config { models: self.models(), calendar: None, ..setup.engine() }
    }

    /// How models are run.
    pub(crate) fn models(&self) -> ModelPolicy {
        ModelPolicy { markets: self.models.clone(), fits: Fits::Outside }
    }

    /// As it goes into the control file.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, Failure> {
        serde_json::to_value(self).map_err(Failure::broken)
    }

    /// As it comes back.
    pub(crate) fn from_json(value: &serde_json::Value) -> Result<Self, Failure> {
        Self::deserialize(value)
            .map_err(|e| Failure::broken(format!("the journal's start record cannot be read by this version: {e}")))
    }
}

/// What to say about a venue this build does not know.
pub(crate) fn no_such_venue(id: &str) -> String {
    let known: Vec<&str> = barograph_venues::session::VENUES.iter().map(|v| v.id).collect();
    format!("there is no live venue '{id}'; choose one of {}", known.join(", "))
}
