//! What the settings make of a run: the rule book with the thresholds they put over its own, calendar, models, markets compared.
//!
//! What one import declares beyond the logic version is in [`config_hash`], which is printed and recorded.

use crate::clock::now_in;
use crate::config::{Settings, thresholds};
use crate::failure::Failure;
use barograph_engine::models::ModelPolicy;
use barograph_engine::rules::{CLUSTER_METHODS, RuleBook};
use barograph_lake::ImportPlan;
use barograph_live::calendar::{of_entries, of_files};
use barograph_live::setup::Setup;
use barograph_query::service::BookId;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;

/// Text of a shipped book or of a file.
pub(crate) fn book_text(name: &str) -> Result<(String, String), Failure> {
    if let Some(text) = RuleBook::shipped_text(name) {
        return Ok((format!("{name}.toml"), text.to_owned()));
    }
    if Path::new(name).is_file() {
        let text = std::fs::read_to_string(name).map_err(|e| Failure::usage(format!("{name}: {e}")))?;
        return Ok((name.to_owned(), text));
    }
    Err(Failure::usage(format!(
        "there is no rule book '{name}'; name a file or one of {}",
        RuleBook::SHIPPED.join(", ")
    )))
}

/// The configured book and its text, with the thresholds of the settings over its own.
pub(crate) fn configured_book(settings: &Settings) -> Result<(RuleBook, String), Failure> {
    let (file, text) = book_text(&settings.book)?;
    let book = RuleBook::parse(&file, &text).map_err(Failure::usage)?;
    let changed = thresholds::over(&file, &text, &book, &settings.written.thresholds)?;
    let changed = match with_clusters(settings, &file, changed.as_deref().unwrap_or(&text), &book)? {
        None => changed,
        other => other,
    };
    match changed {
        Some(text) => Ok((RuleBook::parse(&file, &text).map_err(Failure::usage)?, text)),
        None => Ok((book, text)),
    }
}

/// The book's text with the settings' way to find equal highs and lows; `None` where it says so already.
fn with_clusters(settings: &Settings, file: &str, text: &str, book: &RuleBook) -> Result<Option<String>, Failure> {
    let wanted = settings.level_clusters.filter(|method| *method != book.liquidity.cluster_method);
    let word = CLUSTER_METHODS.into_iter().find(|(_, method)| Some(*method) == wanted);
    word.map(|(word, _)| thresholds::with(file, text, "liquidity", &[("cluster_method", word.into())])).transpose()
}

/// The configured book under an import policy.
pub(crate) fn configured(settings: &Settings, policy: String) -> Result<Setup, Failure> {
    let (book, text) = configured_book(settings)?;
    let scheduled = of_files(settings.calendar.as_ref(), now_in(&settings.data))?;
    let models = ModelPolicy { markets: settings.models()?.unwrap_or_default(), ..ModelPolicy::default() };
    Ok(Setup {
        models,
        watch: settings.watch.clone(),
        calendar: of_entries(scheduled.clone()).map(Arc::new),
        scheduled,
        default_venue: settings.default_venue.as_str().to_owned(),
        ..Setup::of(book, text, policy)
    })
}

/// Twelve hex digits over everything declared for an import: policy, overrides, and stamp, cadence and delay of each stream.
pub(crate) fn config_hash(plan: &ImportPlan) -> String {
    let mut hash = Sha256::new();
    hash.update(plan.policy_text());
    for decl in plan.streams() {
        hash.update(format!("{} {:?} {} {}\n", decl.label(), decl.stamp, decl.cadence, decl.delay));
    }
    hash.finalize().iter().take(6).map(|b| format!("{b:02x}")).collect()
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
        configured(&settings, String::new()).map_err(|e| e.text()).unwrap()
    }

    #[test]
    fn s6_another_way_to_find_clusters_is_another_logic() {
        let [own, tolerance, kde] = ["book", "tolerance", "kde"].map(setup);
        assert_eq!((&own.logic_version, &own.book_text), (&tolerance.logic_version, &tolerance.book_text));
        assert_ne!(own.logic_version, kde.logic_version);
        assert!(kde.book_text.contains("cluster_method = \"kde\""), "rows keep the text that made them");
    }
}
