//! Whose values of a signal count on rows of something else: a market's own from the moment one of them was known, and those of every market
//! before (R1.19).
//!
//! Which values speak of a row, of which sources, and how many: all of it is made of what the rows could know. What is brought later
//! changes nothing of an answer, and refuses none.

use crate::signal_rows::{SIGNAL_BEFORE, SignalOf, SignalUse, signal_numbers, signal_use};
use crate::signal_track::SignalRevision;
use barograph_domain::signal::source_in_rule;
use barograph_domain::{SignalNumber, Span, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// What is stored of a signal in one scope, and when that scope counts.
#[derive(Clone, PartialEq, Debug)]
pub struct ScopedSignal {
    /// `venue:symbol`, or `*`.
    pub scope: String,
    /// It counts from this moment on.
    pub from: Ts,
    /// And before this one.
    pub until: Ts,
    /// All revisions by source, in any order.
    pub sources: BTreeMap<String, Vec<SignalRevision>>,
}

/// Values of one scope and one source that count on rows.
#[derive(Clone, PartialEq, Debug)]
pub struct SignalPart {
    /// `venue:symbol`, or `*`.
    pub scope: String,
    /// Who measured them; empty where nobody's values are there and none was named.
    pub source: String,
    /// They count on rows that are known from this moment on.
    pub from: Ts,
    /// And before this one.
    pub until: Ts,
    /// The values.
    pub used: SignalUse,
}

/// Why it cannot be stated whose values count on rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignalSourceFault {
    /// None is named, and rows know of several.
    Several {
        /// These, by name.
        known: Vec<String>,
    },
    /// The one that is named has no values that a row knows of, and others have.
    Other {
        /// These, by name.
        known: Vec<String>,
    },
}

impl SignalSourceFault {
    /// What to do about it, in a sentence; `source` is the one that was named.
    #[must_use]
    pub fn sentence(&self, name: &str, source: Option<&str>) -> String {
        let listed = |known: &[String]| known.join(", ");
        match self {
            Self::Several { known } => format!(
                "{name} comes from several sources, {}; declare whose values are meant, as in: signal {name} from {}",
                listed(known),
                known.first().map_or_else(|| "SOURCE".to_owned(), |source| source_in_rule(source))
            ),
            Self::Other { known } => format!(
                "{name} has no values from '{}' in this stretch; it has those of {}",
                source.unwrap_or_default(),
                listed(known)
            ),
        }
    }
}

/// Numbers of a signal on rows.
#[derive(Clone, PartialEq, Debug)]
pub struct PartNumbers {
    /// In the order in which the numbers were asked for; `None` where one is absent.
    pub columns: Vec<Vec<Option<f64>>>,
    /// Of each part the rows that had a value of it.
    pub rows: Vec<usize>,
}

/// What counts on rows of a signal, the earlier scope first: of the source that is named, else of the only one, because two that measure the
/// same are never mixed. `first` and `last` are the moments of the first row and of the last. One part without a value where there is none.
///
/// # Errors
/// [`SignalSourceFault`].
pub fn signal_parts(
    name: &str,
    source: Option<&str>,
    scoped: &[ScopedSignal],
    (first, last): (Ts, Ts),
) -> Result<Vec<SignalPart>, SignalSourceFault> {
    let (mut parts, mut others) = (Vec::new(), BTreeSet::new());
    for of in scoped.iter().filter(|s| s.from <= last && first < s.until) {
        let ends = (first, last.min(Ts(of.until.0.saturating_sub(1))));
        let made = |by: &str, all: &[SignalRevision]| SignalPart {
            scope: of.scope.clone(),
            source: by.to_owned(),
            from: of.from,
            until: of.until,
            used: signal_use(SignalOf { name, scope: &of.scope, source: by }, all, ends),
        };
        // Counted before a digest is made of it: there may be many of them.
        let counts = |r: &SignalRevision| r.event_ts >= ends.0 - SIGNAL_BEFORE && r.known_ts <= ends.1;
        let mut found: Vec<(&String, &Vec<SignalRevision>)> =
            of.sources.iter().filter(|(_, all)| all.iter().any(counts)).collect();
        if let Some(source) = source {
            others.extend(found.iter().map(|(by, _)| (*by).clone()).filter(|by| by != source));
            found.retain(|(by, _)| *by == source);
        }
        match found[..] {
            [] => {}
            [(by, all)] => parts.push(made(by, all)),
            _ => return Err(SignalSourceFault::Several { known: found.iter().map(|(by, _)| (*by).clone()).collect() }),
        }
    }
    if parts.is_empty() && !others.is_empty() {
        return Err(SignalSourceFault::Other { known: others.into_iter().collect() });
    }
    if let ([], Some(of)) = (&parts[..], scoped.iter().rfind(|s| s.from <= last).or(scoped.last())) {
        let (scope, source) = (of.scope.clone(), source.unwrap_or_default().to_owned());
        let used = signal_use(SignalOf { name, scope: &scope, source: &source }, &[], (first, last));
        parts.push(SignalPart { scope, source, from: of.from, until: of.until, used });
    }
    Ok(parts)
}

/// Numbers of a signal at moments that ascend, on each of the part that counts then. A value that is older than `within` is absent, and so is
/// what is made of it.
#[must_use]
pub fn part_numbers(parts: &[SignalPart], moments: &[Ts], within: Span, numbers: &[SignalNumber]) -> PartNumbers {
    let mut out = PartNumbers { columns: vec![vec![None; moments.len()]; numbers.len()], rows: Vec::new() };
    for part in parts {
        let [begin, end] = [part.from, part.until].map(|limit| moments.partition_point(|at| *at < limit));
        let of = moments.get(begin..end).unwrap_or_default();
        let found = signal_numbers(&part.used, of.iter().copied(), within, numbers);
        for (column, values) in out.columns.iter_mut().zip(found.columns) {
            column.splice(begin..begin + values.len(), values);
        }
        out.rows.push(found.rows);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal_track::RevisionKnown;

    const T0: Ts = Ts::from_civil(2026, 3, 1, 0, 0, 0);

    fn at(hour: i64) -> Ts {
        T0 + Span::hours(hour)
    }

    /// Values of these hours, each known at its moment; the value is the hour.
    fn scoped(scope: &str, (from, until): (Ts, Ts), sources: &[(&str, &[i32])]) -> ScopedSignal {
        let of = |h: &i32| {
            let event_ts = at((*h).into());
            SignalRevision { event_ts, known_ts: event_ts, value: Some((*h).into()), known: RevisionKnown::Arrived }
        };
        let sources = sources.iter().map(|(by, hours)| ((*by).to_owned(), hours.iter().map(of).collect())).collect();
        ScopedSignal { scope: scope.to_owned(), from, until, sources }
    }

    fn named(parts: &[SignalPart]) -> Vec<(&str, &str, usize)> {
        parts.iter().map(|p| (p.scope.as_str(), p.source.as_str(), p.used.revisions.len())).collect()
    }

    #[test]
    fn values_of_every_market_count_until_one_of_its_own_is_known() {
        let all = [
            scoped("*", (Ts::MIN, at(3)), &[("news", &[0, 1, 2, 3, 4])]),
            scoped("own", (at(3), Ts::MAX), &[("desk", &[3])]),
        ];
        let moments: Vec<Ts> = (1..=4).map(at).collect();
        let parts = signal_parts("x.a", None, &all, (at(1), at(4))).unwrap();
        assert_eq!(named(&parts), [("*", "news", 3), ("own", "desk", 1)]);
        let found = part_numbers(&parts, &moments, Span::days(7), &[SignalNumber::Value]);
        assert_eq!(found.columns, [[Some(1.0), Some(2.0), Some(3.0), Some(3.0)]]);
        assert_eq!(found.rows, [2, 2]);
        // Rows before the own value are as they would be without it.
        let before = signal_parts("x.a", None, &all, (at(1), at(2))).unwrap();
        let alone = scoped("*", (Ts::MIN, Ts::MAX), &[("news", &[0, 1, 2])]);
        let alone = signal_parts("x.a", None, &[alone], (at(1), at(2))).unwrap();
        assert_eq!((&before[0].used, before.len()), (&alone[0].used, 1));
    }

    #[test]
    fn a_source_counts_where_a_row_knows_of_it() {
        let one = |hours: &[i32]| [scoped("*", (Ts::MIN, Ts::MAX), &[("desk", hours), ("news", &[1])])];
        let ask = |all: &[ScopedSignal], source| signal_parts("x.a", source, all, (at(1), at(4)));
        let several = |known: &[&str]| known.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
        assert_eq!(named(&ask(&one(&[5]), None).unwrap()), [("*", "news", 1)], "the other one came later");
        let both = SignalSourceFault::Several { known: several(&["desk", "news"]) };
        assert_eq!(ask(&one(&[4]), None), Err(both));
        assert_eq!(named(&ask(&one(&[4]), Some("desk")).unwrap()), [("*", "desk", 1)]);
        assert_eq!(
            ask(&one(&[5]), Some("desk")),
            Err(SignalSourceFault::Other { known: several(&["news"]) }),
            "its values came later"
        );
        let none = [scoped("*", (Ts::MIN, Ts::MAX), &[("desk", &[5])])];
        assert_eq!(named(&ask(&none, None).unwrap()), [("*", "", 0)]);
        assert_eq!(named(&ask(&none, Some("desk")).unwrap()), [("*", "desk", 0)]);
        assert_eq!(ask(&[], None), Ok(Vec::new()));
    }
}
