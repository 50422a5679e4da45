//! What a live process listens to, as it is journalled at its start: enough to build the same sessions again without
//! asking any venue.

use crate::Error;
use crate::setup::Setup;
use crate::universe::WatchMarkets;
use barograph_domain::leg::SpotPairs;
use barograph_engine::Config;
use barograph_engine::models::{Fits, ModelMarkets, ModelPolicy};
use barograph_venues::mcp;
use barograph_venues::session::{MarketSpec, SessionConfig, VenueDef, venue};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// One venue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VenueConfig {
    /// Venue id.
    pub id: String,
    /// Hosts, markets and streams.
    pub session: SessionConfig,
}

/// Everything that decides what a live process makes of its inputs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LiveConfig {
    /// Which arithmetic and book; a journal of another one is replayed only when that is asked for.
    pub logic_version: String,
    /// Name of the rule book.
    pub book: String,
    /// The rule book itself.
    pub book_text: String,
    /// Which markets have statistical models.
    #[serde(default)]
    pub models: ModelMarkets,
    /// Which markets are compared, by whole names.
    #[serde(default)]
    pub watch: WatchMarkets,
    /// Which spot markets contracts are compared with, where that is declared.
    #[serde(default)]
    pub spot_pairs: SpotPairs,
    /// Venues, in the order of their numbers.
    pub venues: Vec<VenueConfig>,
    /// `synthetic` or `recorded` where the venue is the built-in server: every output says so.
    pub origin: Option<String>,
}

/// A change while running: the complete new list of a venue's markets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MarketsChange {
    /// Venue id.
    pub venue: String,
    /// The new list.
    pub markets: Vec<MarketSpec>,
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
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, Error> {
        serde_json::to_value(self).map_err(Error::failed)
    }

    /// As it comes back.
    pub(crate) fn from_json(value: &serde_json::Value) -> Result<Self, Error> {
        Self::deserialize(value)
            .map_err(|e| Error::failed(format!("the journal's start record cannot be read by this version: {e}")))
    }
}

impl VenueConfig {
    /// The venue of it.
    ///
    /// # Errors
    /// This build does not know the venue.
    pub fn def(&self) -> Result<&'static VenueDef, Error> {
        venue_of(&self.id, self.session.mcp.is_some()).ok_or_else(|| Error::refused(no_such_venue(&self.id)))
    }
}

/// Venues that are servers of tools, by the ids that settings and journals gave them: each lives as long as the program, as those
/// do that are built in.
static CALLED: Mutex<Vec<&'static VenueDef>> = Mutex::new(Vec::new());

/// The venue of this id: a built-in one, or a server of tools where `is_called`.
pub fn venue_of(id: &str, is_called: bool) -> Option<&'static VenueDef> {
    let trades = mcp::trades(id).filter(|_| is_called);
    let Some(trades) = trades else { return venue(id) };
    let mut known = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(def) = known.iter().find(|def| def.id == id) {
        return Some(def);
    }
    let id: &'static str = id.to_owned().leak();
    let def: &'static VenueDef = Box::leak(Box::new(mcp::def(id, trades)));
    known.push(def);
    Some(def)
}

/// What to say about a venue this build does not know.
pub fn no_such_venue(id: &str) -> String {
    let known: Vec<&str> = barograph_venues::session::VENUES.iter().map(|v| v.id).collect();
    format!("there is no live venue '{id}'; choose one of {}", known.join(", "))
}
