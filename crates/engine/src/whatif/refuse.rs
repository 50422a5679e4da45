//! What stored readings cannot show: a book under which they would have been others.

use crate::catalogue::Feature;
use crate::rules::{RuleBook, replayed_as_stored};

/// A key that keeps a book from being replayed over the readings of another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The key, as in a book.
    pub key: String,
    /// Its value in the book that the readings were made with.
    pub stored: String,
    /// Its value in the other book.
    pub wanted: String,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "'{}' is {} in the book that the stored readings were made with and {} in the changed one: other readings would \
             follow; leave it as it is, or replay the recordings with the changed book",
            self.key, self.stored, self.wanted
        )
    }
}

/// Readings that are cut at the volatility classes' thresholds.
const OF_CLASSES: [Feature; 3] = [Feature::VolClass, Feature::RiskMultiplier, Feature::SizeFactor];

/// Can a book be replayed over readings that were made with another one?
///
/// # Errors
/// Every key that stands in the way.
pub fn check(stored: &RuleBook, wanted: &RuleBook) -> Result<(), Vec<Refusal>> {
    let (a, b) = (replayed_as_stored(stored), replayed_as_stored(wanted));
    let none = || "not stated".to_owned();
    let differs = |key: &&String| a.get(*key) != b.get(*key);
    let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut out: Vec<Refusal> = keys
        .iter()
        .copied()
        .filter(differs)
        .map(|key| Refusal {
            key: key.strip_prefix("book.").unwrap_or(key).to_owned(),
            stored: a.get(key).cloned().unwrap_or_else(none),
            wanted: b.get(key).cloned().unwrap_or_else(none),
        })
        .collect();
    let (was, is) = (stored.daily_bounds(), wanted.daily_bounds());
    if was.map(f64::to_bits) != is.map(f64::to_bits) {
        let of_alerts = wanted.alerts().iter().flat_map(crate::rules::AlertRule::clauses).map(|c| c.feature);
        let read = wanted.features().iter().copied().chain(of_alerts).find(|f| OF_CLASSES.contains(f));
        out.extend(read.map(|feature| Refusal {
            key: format!("volatility rules, which '{}' is cut by", feature.id()),
            stored: format!("{was:?}"),
            wanted: format!("{is:?}"),
        }));
    }
    if out.is_empty() { Ok(()) } else { Err(out) }
}
