//! Revisions of signals out of the store, and in which part of time whose values count (R1.13, R1.19, R1.33).
//!
//! What is fetched of a day that is not over counts in no reading, nor do values in another unit than the newest: both are taken out here as
//! they were known at each moment, so that whoever moves over the revisions needs no other rule.

use crate::Error;
use crate::signals::{scope_has, speaks_of};
use barograph_domain::{InstrumentName, OptionCurrency, SignalKnown, SignalName, SignalPoint, SignalScope, Ts};
use barograph_engine::signal_track::{RevisionKnown, SignalRevision};
use barograph_store::{Range, Reader, SignalQuery};
use barograph_venues::deribit::options::perpetual;
use barograph_venues::onchain::series::unit_of;
use barograph_venues::onchain::vintage::{UNIT_TAG, is_assumed, is_provisional};
use std::collections::{BTreeMap, BTreeSet};

/// What names of options begin with, and their volatility index.
pub(crate) const OF_OPTIONS: &str = "deribit.";
/// Values of one question to the store.
const PAGE: usize = 10_000;

/// All revisions of one signal of one source that matter to a stretch.
#[derive(Clone, Debug, Default)]
pub struct SourceRevisions {
    /// Those that count, in any order.
    pub revisions: Vec<SignalRevision>,
    /// The tag `unit` of the newest that has one, else what its source is known to give.
    pub unit: Option<String>,
}

impl SourceRevisions {
    /// How many of them are known since a moment that comes from there.
    #[must_use]
    pub fn known(&self, from: RevisionKnown) -> u64 {
        self.revisions.iter().filter(|r| r.known == from).count() as u64
    }
}

/// Which revisions are read.
#[derive(Clone, Copy, Debug)]
pub struct RevisionsWanted {
    /// The moments they are of.
    pub range: Range,
    /// Known by then.
    pub as_of: Ts,
    /// Most of them.
    pub most: usize,
}

/// A revision of a fetched value as it is stored.
#[derive(Clone, Debug)]
struct FetchedRevision {
    revision: SignalRevision,
    unit: Option<String>,
    is_provisional: bool,
}

/// All revisions of a signal, by source; `None` where there are more than wanted.
///
/// # Errors
/// The store's failure.
pub fn revisions(
    reader: &dyn Reader,
    name: &SignalName,
    scope: &SignalScope,
    wanted: RevisionsWanted,
) -> Result<Option<BTreeMap<String, SourceRevisions>>, Error> {
    let mut query = SignalQuery {
        name: name.clone(),
        scope: scope.clone(),
        source: None,
        range: wanted.range,
        as_of: Some(wanted.as_of),
        revisions: true,
        limit: PAGE,
    };
    let is_fetched = SignalName::is_fetched(name.as_str());
    let mut sources = BTreeMap::<String, SourceRevisions>::new();
    let (mut fetched, mut read) = (BTreeMap::<String, Vec<FetchedRevision>>::new(), 0);
    loop {
        let page = reader.signal_points(&query)?;
        read += page.items.len();
        if read > wanted.most {
            return Ok(None);
        }
        for mut point in page.items {
            let source = std::mem::take(&mut point.source);
            let of = sources.entry(source.clone()).or_default();
            if let Some(unit) = point.tags.get(UNIT_TAG) {
                of.unit = Some(unit.clone());
            }
            if is_fetched {
                fetched.entry(source).or_default().push(fetched_revision(&point));
            } else {
                of.revisions.push(revision(&point));
            }
        }
        match page.next {
            Some(next) => query.range.start = next,
            None => break,
        }
    }
    for (source, all) in fetched {
        sources.entry(source).or_default().revisions = counted(all);
    }
    for of in sources.values_mut() {
        of.unit = of.unit.take().or_else(|| unit_of(name).map(str::to_owned));
    }
    sources.retain(|_, of| !of.revisions.is_empty());
    Ok(Some(sources))
}

fn revision(point: &SignalPoint) -> SignalRevision {
    let known = match point.known {
        SignalKnown::Received => RevisionKnown::Arrived,
        SignalKnown::Stated => RevisionKnown::Stated,
    };
    SignalRevision { event_ts: point.event_ts, known_ts: point.known_ts, value: point.value, known }
}

fn fetched_revision(point: &SignalPoint) -> FetchedRevision {
    let mut revision = revision(point);
    if is_assumed(point) {
        revision.known = RevisionKnown::Assumed;
    }
    let unit = point.tags.get(UNIT_TAG).cloned();
    FetchedRevision { revision, unit, is_provisional: is_provisional(point) }
}

/// What counts of fetched values: at each moment those that are not provisional, in the unit that the newest value had by then. One that
/// counts no more is taken back at that moment.
fn counted(mut all: Vec<FetchedRevision>) -> Vec<SignalRevision> {
    all.sort_by_key(|r| (r.revision.known_ts, r.revision.event_ts));
    let mut out = Vec::new();
    let (mut known, mut shown) = (BTreeMap::<Ts, &FetchedRevision>::new(), BTreeSet::<Ts>::new());
    let mut unit = None;
    for came in all.chunk_by(|a, b| a.revision.known_ts == b.revision.known_ts) {
        let mut moved: BTreeSet<Ts> = came.iter().map(|r| r.revision.event_ts).collect();
        for of in came {
            match of.revision.value {
                Some(_) => drop(known.insert(of.revision.event_ts, of)),
                None => drop(known.remove(&of.revision.event_ts)),
            }
        }
        let newest = known.last_key_value().and_then(|(_, of)| of.unit.as_ref());
        if newest != unit {
            unit = newest;
            moved.extend(known.keys());
        }
        let Some(known_ts) = came.first().map(|of| of.revision.known_ts) else { continue };
        for event_ts in moved {
            let counts = known.get(&event_ts).filter(|of| !of.is_provisional && of.unit.as_ref() == unit);
            match counts {
                // What only came back with its unit is known no sooner than that unit.
                Some(of) if shown.insert(event_ts) || of.revision.known_ts == known_ts => {
                    out.push(SignalRevision { known_ts, ..of.revision });
                }
                Some(_) => {}
                None if shown.remove(&event_ts) => {
                    out.push(SignalRevision { event_ts, known_ts, value: None, known: RevisionKnown::Arrived });
                }
                None => {}
            }
        }
    }
    out
}

/// A scope whose values count for a market in a part of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeSince {
    /// Of what they are.
    pub scope: SignalScope,
    /// They count from this moment on.
    pub from: Ts,
    /// And before this one.
    pub until: Ts,
}

/// The Deribit perpetual under which what is fetched of a market's currency is kept.
pub(crate) fn options_of(market: &InstrumentName) -> Option<InstrumentName> {
    let (base, _) = market.base_quote()?;
    perpetual(&OptionCurrency::parse(&base).ok()?)
}

/// Of what a name is read beside a market, the earlier first: its own values from the moment on since when one of them is known, before that
/// those of every market, else of options those of its currency. Of one source, where one is meant. What is known later than `at` is not there.
///
/// # Errors
/// The store's failure.
pub fn scopes_on(
    reader: &dyn Reader,
    market: &InstrumentName,
    name: &SignalName,
    source: Option<&str>,
    at: Ts,
) -> Result<Vec<ScopeSince>, Error> {
    let listed = options_of(market).filter(|of| name.as_str().starts_with(OF_OPTIONS) && of != market);
    let mut there = Vec::new();
    for scope in speaks_of(market).into_iter().chain(listed.map(SignalScope::Market)) {
        if scope_has(reader, name, &scope, source, Some(at))? {
            there.push(scope);
        }
    }
    let (mut out, mut until, last) = (Vec::new(), Ts::MAX, there.len().saturating_sub(1));
    for (rank, scope) in there.into_iter().enumerate() {
        // Before the first of them there is nothing of another scope to stand back for.
        let from = if rank == last { Ts::MIN } else { reader.signal_since(name, &scope, source)?.unwrap_or(Ts::MAX) };
        if from < until {
            out.push(ScopeSince { scope, from, until });
            until = from;
        }
    }
    out.reverse();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    const T0: Ts = Ts::from_civil(2026, 11, 1, 0, 0, 0);

    /// Day of its moment, day since when it is known, value, unit; `?` at its end: provisional.
    type Written = (i64, i64, Option<f64>, &'static str);

    fn shown(all: &[Written]) -> Vec<(i64, i64, Option<f64>)> {
        let day = |d: i64| T0 + Span::days(d);
        let of = |(event, known, value, unit): &Written| FetchedRevision {
            revision: SignalRevision {
                event_ts: day(*event),
                known_ts: day(*known),
                value: *value,
                known: RevisionKnown::Arrived,
            },
            unit: Some(unit.trim_end_matches('?').to_owned()).filter(|u| !u.is_empty()),
            is_provisional: unit.ends_with('?'),
        };
        let days = |t: Ts| (t - T0).as_secs() / 86_400;
        let found = counted(all.iter().map(of).collect());
        found.into_iter().map(|r| (days(r.event_ts), days(r.known_ts), r.value)).collect()
    }

    #[test]
    fn a_day_that_is_not_over_counts_once_it_is() {
        let (one, two) = (Some(1.0), Some(2.0));
        let all = [(1, 1, one, "?"), (1, 2, two, "?"), (1, 3, two, ""), (2, 3, one, "?")];
        assert_eq!(shown(&all), [(1, 3, two)]);
        let again = [(1, 1, one, ""), (1, 2, two, "?"), (1, 3, two, "")];
        assert_eq!(shown(&again), [(1, 1, one), (1, 2, None), (1, 3, two)], "one that is open again is taken back");
    }

    #[test]
    fn values_count_in_the_unit_of_the_newest_as_it_was_known() {
        let [one, two, three] = [1.0, 2.0, 3.0].map(Some);
        let all = [(1, 1, one, "BTC"), (2, 2, two, "BTC"), (3, 3, three, "USD"), (3, 5, None, "USD")];
        assert_eq!(
            shown(&all),
            [
                (1, 1, one),
                (2, 2, two),
                (1, 3, None),
                (2, 3, None),
                (3, 3, three),
                (1, 5, one),
                (2, 5, two),
                (3, 5, None)
            ],
            "they are back once the newest is taken back"
        );
        let named = [(1, 1, one, ""), (2, 2, two, ""), (1, 3, one, "USD"), (2, 3, two, "USD")];
        assert_eq!(shown(&named), [(1, 1, one), (2, 2, two), (1, 3, one), (2, 3, two)], "named later, the same values");
    }
}
