//! Which stored run is meant by a rule book, and what is said where only other books have rows.

use crate::Error;
use crate::render::{Books, Lens};
use barograph_api::QueryError;
use barograph_domain::time::LATENESS;
use barograph_domain::{Instrument, InstrumentName, Ts};
use barograph_engine::rules::RuleBook;
use barograph_store::{Reader, RunInfo};

/// Which rule book is meant: by its own text where that is at hand, because a copy that someone edited may carry the same
/// name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookId {
    /// Its name.
    pub name: String,
    /// Its text, where that is at hand.
    pub text: Option<String>,
}

impl BookId {
    /// A book by name: a shipped one means the shipped text.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), text: RuleBook::shipped_text(name).map(str::to_owned) }
    }

    /// The book itself; the standard one where no more than a name is known.
    pub fn read(&self) -> RuleBook {
        let own = self.text.as_ref().and_then(|text| RuleBook::parse(&self.name, text).ok());
        own.unwrap_or_else(RuleBook::standard)
    }

    /// Was a run made by it?
    pub fn is(&self, run: &RunInfo) -> bool {
        self.is_of(&run.spec.book, &run.spec.book_text)
    }

    /// Is it the book of this name and text?
    pub fn is_of(&self, name: &str, text: &str) -> bool {
        self.name == name && self.text.as_ref().is_none_or(|own| own == text)
    }
}

/// The run of a market that a book's readers see: of several logic versions the one that reaches furthest.
pub fn configured_run<'a>(runs: &'a [RunInfo], market: &InstrumentName, book: &BookId) -> Option<&'a RunInfo> {
    runs.iter()
        .filter(|r| r.spec.key.instrument == *market && book.is(r))
        .max_by_key(|r| (r.minutes.map(|m| m.1), &r.spec.key.logic_version))
}

/// What a stored run's rows need to be explained.
pub fn lens_of(reader: &dyn Reader, info: &RunInfo) -> Result<Lens, Error> {
    let name = &info.spec.key.instrument;
    let instrument = reader
        .instruments(None)?
        .into_iter()
        .find(|i| i.instrument.name == *name)
        .map_or_else(|| crate::render::instrument(name), |i| i.instrument);
    lens_for(&mut Books::default(), info, &instrument)
}

/// The same for a market that is at hand.
pub(super) fn lens_for(books: &mut Books, info: &RunInfo, instrument: &Instrument) -> Result<Lens, Error> {
    Lens::stored(books, info, instrument)
        .ok_or_else(|| Error::Book { name: info.spec.book.clone(), logic_version: info.spec.key.logic_version.clone() })
}

/// Names of the books that rows of a market, or of any, are stored under.
pub(super) fn books(runs: &[RunInfo], market: Option<&InstrumentName>) -> Vec<String> {
    let of = runs.iter().filter(|r| market.is_none_or(|m| r.spec.key.instrument == *m) && r.minutes.is_some());
    let names: std::collections::BTreeSet<&str> = of.map(|r| r.spec.book.as_str()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What to say where a book has no rows of a market, or of any, while others have: that is no empty folder.
pub fn other_book(runs: &[RunInfo], market: Option<&InstrumentName>, book: &BookId) -> Option<QueryError> {
    let known = books(runs, market);
    let has_none = !runs.iter().any(|r| market.is_none_or(|m| r.spec.key.instrument == *m) && book.is(r));
    (has_none && !known.is_empty()).then(|| QueryError::OtherBook {
        instrument: market.cloned(),
        wanted: book.name.clone(),
        known,
    })
}

/// When the first and the last row of some runs were known; none where there are no rows.
pub fn reach<'a>(runs: impl Iterator<Item = &'a RunInfo>) -> Option<(Ts, Ts)> {
    let of = runs.filter_map(|r| r.minutes);
    let (first, last) = of.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    Some((first + LATENESS, last + LATENESS))
}
