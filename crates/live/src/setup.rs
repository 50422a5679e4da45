//! What a run is made with: rule book, import policy, and the logic version that follows from them.
//!
//! The logic version covers the book and the default policy of importers. What one import declares beyond that (another stamp,
//! another delay) belongs to its streams and is stored with them; hashing it into the logic version would make the store
//! depend on which files came together in one command.

use crate::share::Share;
use crate::universe::WatchMarkets;
use barograph_domain::{CalendarEntry, Instrument, InstrumentName, StreamDecl};
use barograph_engine::calendar::Calendar;
use barograph_engine::models::ModelPolicy;
use barograph_engine::rules::{RuleBook, logic_version};
use barograph_engine::{CATALOGUE, Config};
use barograph_query::render::Lens;
use barograph_store::{Columns, FeatureColumn, RunKey, RunSpec};
use std::sync::Arc;

/// Book and policy of one run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The rule book.
    pub book: Arc<RuleBook>,
    /// Its text.
    pub book_text: String,
    /// Policy of the import.
    pub policy: String,
    /// Which arithmetic and book.
    pub logic_version: String,
    /// Statistical models over files; a live process has its own.
    pub models: ModelPolicy,
    /// Which markets are compared over files; a live process has its own.
    pub watch: WatchMarkets,
    /// What the calendar of the settings says, for a run over files.
    pub scheduled: Vec<CalendarEntry>,
    /// The calendar a run over files begins with.
    pub calendar: Option<Arc<Calendar>>,
    /// Whose market a bare symbol in it means.
    pub default_venue: String,
    /// Which markets' minutes are made.
    pub share: Share,
}

impl Setup {
    /// A book that has been read already.
    pub fn of(book: RuleBook, book_text: String, policy: String) -> Self {
        let logic_version = logic_version(&book, &barograph_venues::policy::text());
        Self {
            book: Arc::new(book),
            book_text,
            policy,
            logic_version,
            models: ModelPolicy::default(),
            watch: WatchMarkets::default(),
            scheduled: Vec::new(),
            calendar: None,
            default_venue: barograph_api::DEFAULT_VENUE.to_owned(),
            share: Share::All,
        }
    }

    /// What rows of a market need to be explained.
    pub fn lens(&self, instrument: &Instrument, streams: &[StreamDecl]) -> Lens {
        Lens {
            book: Arc::clone(&self.book),
            logic_version: self.logic_version.clone(),
            instrument: instrument.clone(),
            streams: streams.into(),
            corrected: Arc::default(),
            held: None,
            calls: None,
        }
    }

    /// For the engine.
    pub fn engine(&self) -> Config {
        Config { book: Arc::clone(&self.book), models: self.models.clone(), calendar: self.calendar.clone() }
    }

    /// For the store.
    pub fn run(&self, instrument: &InstrumentName, streams: &[StreamDecl]) -> RunSpec {
        RunSpec {
            key: RunKey { instrument: instrument.clone(), logic_version: self.logic_version.clone() },
            release: env!("CARGO_PKG_VERSION").to_owned(),
            book: self.book.name.clone(),
            book_text: self.book_text.clone(),
            config: barograph_venues::policy::text(),
            columns: columns(&self.book),
            streams: streams.to_vec(),
        }
    }
}

/// What positions in rows mean under a book.
fn columns(book: &RuleBook) -> Columns {
    Columns {
        features: CATALOGUE.iter().map(|s| FeatureColumn { id: s.id.to_owned(), version: s.version }).collect(),
        cuts: book.cuts().iter().map(|c| format!("{} {:?} {}", c.percentile.id(), c.op, c.theta)).collect(),
        rules: book.counted_names(),
    }
}
