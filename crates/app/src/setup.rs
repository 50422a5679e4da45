//! What a run is made with: rule book, import policy, and the logic version that follows from them.
//!
//! The logic version covers the book and the default policy of importers. What one import declares beyond that (another stamp,
//! another delay) belongs to its streams and is stored with them; hashing it into the logic version would make the store
//! depend on which files came together in one command. It is in [`config_hash`], which is printed and recorded.

use crate::config::{Settings, thresholds};
use crate::failure::Failure;
use crate::service::BookId;
use crate::universe::WatchMarkets;
use barograph_domain::{CalendarEntry, InstrumentName, StreamDecl};
use barograph_engine::calendar::Calendar;
use barograph_engine::models::ModelPolicy;
use barograph_engine::rules::{Book, CLUSTER_METHODS, logic_version};
use barograph_engine::{CATALOGUE, Config};
use barograph_lake::Plan;
use barograph_store::{Columns, FeatureColumn, RunKey, RunSpec};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;

/// Book and policy of one run.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) book: Arc<Book>,
    pub(crate) book_text: String,
    pub(crate) policy: String,
    pub(crate) logic_version: String,
    /// Statistical models over files; a live process has its own.
    pub(crate) models: ModelPolicy,
    /// Which markets are compared over files; a live process has its own.
    pub(crate) watch: WatchMarkets,
    /// What the calendar of the settings says, for a run over files.
    pub(crate) scheduled: Vec<CalendarEntry>,
    /// The calendar a run over files begins with.
    pub(crate) calendar: Option<Arc<Calendar>>,
    /// Whose market a bare symbol in it means.
    pub(crate) default_venue: String,
}

/// Text of a shipped book or of a file.
pub(crate) fn book_text(name: &str) -> Result<(String, String), Failure> {
    if let Some(text) = Book::shipped_text(name) {
        return Ok((format!("{name}.toml"), text.to_owned()));
    }
    if Path::new(name).is_file() {
        let text = std::fs::read_to_string(name).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
        return Ok((name.to_owned(), text));
    }
    Err(Failure::usage(format!("there is no rule book '{name}'; name a file or one of {}", Book::SHIPPED.join(", "))))
}

/// The configured book and its text, with the thresholds of the settings over its own.
pub(crate) fn configured_book(settings: &Settings) -> Result<(Book, String), Failure> {
    let (file, text) = book_text(&settings.book)?;
    let book = Book::parse(&file, &text).map_err(Failure::usage)?;
    let changed = thresholds::over(&file, &text, &book, &settings.written.thresholds)?;
    let changed = match with_clusters(settings, &file, changed.as_deref().unwrap_or(&text), &book)? {
        None => changed,
        other => other,
    };
    match changed {
        Some(text) => Ok((Book::parse(&file, &text).map_err(Failure::usage)?, text)),
        None => Ok((book, text)),
    }
}

/// The book's text with the settings' way to find equal highs and lows; `None` where it says so already.
fn with_clusters(settings: &Settings, file: &str, text: &str, book: &Book) -> Result<Option<String>, Failure> {
    let wanted = settings.level_clusters.filter(|method| *method != book.liquidity.cluster_method);
    let word = CLUSTER_METHODS.into_iter().find(|(_, method)| Some(*method) == wanted);
    word.map(|(word, _)| thresholds::with(file, text, "liquidity", &[("cluster_method", word.into())])).transpose()
}

impl Setup {
    /// The configured book under an import policy.
    pub(crate) fn new(settings: &Settings, policy: String) -> Result<Self, Failure> {
        let (book, text) = configured_book(settings)?;
        let scheduled = crate::calendar::of_files(settings.calendar.as_ref())?;
        let models = ModelPolicy { markets: settings.models()?.unwrap_or_default(), ..ModelPolicy::default() };
        Ok(Self {
            models,
            watch: settings.watch.clone(),
            calendar: crate::calendar::of_entries(scheduled.clone()).map(Arc::new),
            scheduled,
            default_venue: settings.default_venue.as_str().to_owned(),
            ..Self::of(book, text, policy)
        })
    }

    /// A book that has been read already.
    pub(crate) fn of(book: Book, book_text: String, policy: String) -> Self {
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
        }
    }

    /// For the engine.
    pub(crate) fn engine(&self) -> Config {
        Config { book: Arc::clone(&self.book), models: self.models.clone(), calendar: self.calendar.clone() }
    }

    /// For the store.
    pub(crate) fn run(&self, instrument: &InstrumentName, streams: &[StreamDecl]) -> RunSpec {
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

/// Twelve hex digits over everything declared for an import: policy, overrides, and stamp, cadence and delay of each stream.
pub(crate) fn config_hash(plan: &Plan) -> String {
    let mut hash = Sha256::new();
    hash.update(plan.policy_text());
    for decl in plan.streams() {
        hash.update(format!("{} {:?} {} {}\n", decl.label(), decl.stamp, decl.cadence, decl.delay));
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
}

/// What positions in rows mean under a book.
pub(crate) fn columns(book: &Book) -> Columns {
    Columns {
        features: CATALOGUE.iter().map(|s| FeatureColumn { id: s.id.to_owned(), version: s.version }).collect(),
        cuts: book.cuts().iter().map(|c| format!("{} {:?} {}", c.percentile.id(), c.op, c.theta)).collect(),
        rules: book.counted_names(),
    }
}

/// The configured book, to find its runs by.
pub(crate) fn book_id(settings: &Settings) -> Result<BookId, Failure> {
    let (book, text) = configured_book(settings)?;
    Ok(BookId { name: book.name, text: Some(text) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Common;

    fn setup(level_clusters: &str) -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("barograph.toml");
        std::fs::write(&config, format!("level_clusters = \"{level_clusters}\"\n")).unwrap();
        let common = Common { config: Some(config), ..Common::default() };
        let settings = Settings::load(&common, Vec::new()).map_err(|e| e.text()).unwrap();
        Setup::new(&settings, String::new()).map_err(|e| e.text()).unwrap()
    }

    #[test]
    fn s6_another_way_to_find_clusters_is_another_logic() {
        let [own, tolerance, kde] = ["book", "tolerance", "kde"].map(setup);
        assert_eq!((&own.logic_version, &own.book_text), (&tolerance.logic_version, &tolerance.book_text));
        assert_ne!(own.logic_version, kde.logic_version);
        assert!(kde.book_text.contains("cluster_method = \"kde\""), "rows keep the text that made them");
    }
}
