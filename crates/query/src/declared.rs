//! Signals that a rule or a condition declares, out of the store.

use crate::Error;
use crate::signal_revisions::{RevisionsWanted, SourceRevisions, revisions, scopes_on};
use barograph_domain::whatif::SignalMinutes;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_engine::signal_scopes::{ScopedSignal, SignalPart};
use barograph_engine::signal_track::{RevisionKnown, SIGNAL_STANDS};
use barograph_store::{Range, Reader};
use barograph_study::money::rule::DeclaredSignal;
use std::collections::BTreeMap;

/// Most values of one signal that one answer reads: 300 days of one every minute.
pub const SIGNAL_VALUES_READ_MAX: usize = 300 * 24 * 60;

/// A declared signal, as far as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSignal {
    /// An older value is absent.
    pub within: Span,
    /// Every revision, by scope and source.
    pub scoped: Vec<ScopedSignal>,
    /// What the newest values are in, by scope and source.
    pub units: BTreeMap<(String, String), String>,
}

/// Why a declaration cannot be followed.
#[derive(Debug)]
pub enum DeclaredFault {
    /// It has to be written otherwise; what to do is in the sentence.
    Meant(String),
    /// The store's failure.
    Store(Error),
}

impl From<Error> for DeclaredFault {
    fn from(e: Error) -> Self {
        Self::Store(e)
    }
}

/// What of a declared signal is known by `as_of`, of moments in a range; `None` where none speaks of the market.
///
/// # Errors
/// More than `most` values, or the store's failure.
pub fn stored_signal(
    reader: &dyn Reader,
    declared: &DeclaredSignal,
    market: &InstrumentName,
    (range, as_of): (Range, Ts),
    most: usize,
) -> Result<Option<StoredSignal>, DeclaredFault> {
    let name = &declared.name;
    let mut scopes = scopes_on(reader, market, name, declared.source.as_deref(), as_of)?;
    if scopes.is_empty() && declared.source.is_some() {
        // Whose values there are instead.
        scopes = scopes_on(reader, market, name, None, as_of)?;
    }
    let (mut scoped, mut units, mut left) = (Vec::new(), BTreeMap::new(), most);
    for since in scopes {
        let as_of = as_of.min(Ts(since.until.0.saturating_sub(1)));
        let found = revisions(reader, name, &since.scope, RevisionsWanted { range, as_of, most: left })?;
        let found = found.ok_or_else(|| {
            DeclaredFault::Meant(format!("{name} has more than {most} values in this stretch; ask for a shorter one"))
        })?;
        left -= found.values().map(|of| of.revisions.len()).sum::<usize>().min(left);
        let (scope, mut sources) = (since.scope.to_string(), BTreeMap::new());
        for (source, SourceRevisions { revisions, unit }) in found {
            units.extend(unit.map(|unit| ((scope.clone(), source.clone()), unit)));
            sources.insert(source, revisions);
        }
        scoped.push(ScopedSignal { scope, from: since.from, until: since.until, sources });
    }
    let within = declared.within.unwrap_or(SIGNAL_STANDS);
    Ok((!scoped.is_empty()).then_some(StoredSignal { within, scoped, units }))
}

/// Which values some minutes of a market are made of; `minutes` are those that had a value of each part.
#[must_use]
pub fn signal_minutes(
    market: &InstrumentName,
    (declared, within): (&DeclaredSignal, Span),
    parts: Vec<SignalPart>,
    minutes: Vec<usize>,
) -> Vec<SignalMinutes> {
    let of = |(part, minutes): (SignalPart, usize)| SignalMinutes {
        instrument: market.clone(),
        name: declared.name.to_string(),
        scope: part.scope,
        source: part.source,
        within_s: within.as_secs(),
        revisions: part.used.revisions.len() as u64,
        stated: part.used.known(RevisionKnown::Stated) as u64,
        assumed: part.used.known(RevisionKnown::Assumed) as u64,
        minutes: minutes as u64,
        digest: part.used.digest,
    };
    parts.into_iter().zip(minutes).map(of).collect()
}
