//! Signals of a rule as columns beside those of the data set: on each row what was known when the row was (R1.19, R4.71).

use barograph_domain::time::LATENESS;
use barograph_domain::{SignalNumber, Span, Ts};
use barograph_engine::signal_scopes::{PartNumbers, ScopedSignal, SignalPart, part_numbers, signal_parts};
use barograph_engine::signal_track::RevisionKnown;
use barograph_study::ResearchFrame;
use barograph_study::money::rule::{DeclaredSignal, TradingRule};
use serde::{Deserialize, Serialize};

/// A signal that a rule has declared, with what is stored of it.
#[derive(Clone, Debug)]
pub struct RuleSignal {
    /// As it was declared.
    pub declared: DeclaredSignal,
    /// An older value is absent.
    pub within: Span,
    /// Every revision, by scope and source.
    pub scoped: Vec<ScopedSignal>,
}

/// Which values of a signal a result is made of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SignalUsed {
    /// What is measured.
    pub name: String,
    /// `venue:symbol`, or `*` where it speaks of every market.
    pub scope: String,
    /// Who measured it.
    pub source: String,
    /// An older value was absent, seconds.
    pub within_s: i64,
    /// Values and revisions of them that a row could know of.
    pub revisions: usize,
    /// Of these, those whose owner states since when they were known; all others but the assumed count since they arrived.
    pub stated: usize,
    /// Of these, those of which it is assumed since when they were known, from how late their source usually is.
    pub assumed: usize,
    /// Digest of all of these with the moments since when they were known; 64 hexadecimal digits.
    pub digest: String,
    /// Rows on which it had a value.
    pub rows: usize,
}

/// Adds what a rule names of a signal as columns; what was used of it, the scope that counts earlier first.
///
/// # Errors
/// It has several sources or not the one that is named, or the frame has a column of that name; with what to do, in a sentence.
pub fn add_signal(
    frame: &mut ResearchFrame,
    rule: &TradingRule,
    signal: &RuleSignal,
) -> Result<Vec<SignalUsed>, String> {
    let DeclaredSignal { name, source, .. } = &signal.declared;
    let known: Vec<Ts> = frame.times().iter().map(|t| *t + LATENESS).collect();
    let Some(ends) = known.first().copied().zip(known.last().copied()) else { return Ok(Vec::new()) };
    let parts = signal_parts(name.as_str(), source.as_deref(), &signal.scoped, ends)
        .map_err(|fault| fault.sentence(name.as_str(), source.as_deref()))?;
    let asked = SignalNumber::ALL.into_iter().filter(|n| rule.asks_for(&signal.declared, *n));
    let numbers: Vec<SignalNumber> = asked.collect();
    let PartNumbers { columns, rows } = part_numbers(&parts, &known, signal.within, &numbers);
    for (number, column) in numbers.iter().zip(columns) {
        frame.add(number.of(name), column.into_iter().collect()).map_err(|e| e.to_string())?;
    }
    let of = |(SignalPart { scope, source, used, .. }, rows): (SignalPart, usize)| SignalUsed {
        name: name.to_string(),
        scope,
        source,
        within_s: signal.within.as_secs(),
        revisions: used.revisions.len(),
        stated: used.known(RevisionKnown::Stated),
        assumed: used.known(RevisionKnown::Assumed),
        digest: used.digest,
        rows,
    };
    Ok(parts.into_iter().zip(rows).map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_engine::signal_track::SignalRevision;
    use barograph_study::money::rule::RuleVocabulary;
    use std::collections::BTreeMap;

    #[test]
    fn a_row_is_known_a_little_later_than_its_moment_and_has_what_is_known_then() {
        let t0 = Ts::from_civil(2026, 3, 1, 0, 0, 0);
        let times = (0..5).map(|s| t0 + Span::secs(s)).collect();
        let mut frame = ResearchFrame::new(times, vec![true; 5], Vec::new()).unwrap();
        let text = "signal x.a; long when x.a > 0 and x.a.z_7d is missing";
        let rule = TradingRule::parse(text, &RuleVocabulary::default()).unwrap();
        let revision = |known_ts, value| SignalRevision {
            event_ts: t0,
            known_ts,
            value: Some(value),
            known: if known_ts > t0 + Span::secs(2) { RevisionKnown::Assumed } else { RevisionKnown::Stated },
        };
        let signal = RuleSignal {
            declared: rule.signals()[0].clone(),
            within: Span::millis(3_500),
            scoped: vec![ScopedSignal {
                scope: "*".to_owned(),
                from: Ts::MIN,
                until: Ts::MAX,
                sources: BTreeMap::from([
                    (
                        "desk".to_owned(),
                        vec![
                            revision(t0 + Span::millis(1_200), 7.0),
                            revision(t0 + Span::millis(2_201), 8.0),
                            revision(t0 + Span::millis(4_201), 9.0),
                        ],
                    ),
                    ("later".to_owned(), vec![revision(t0 + Span::millis(4_201), 1.0)]),
                ]),
            }],
        };
        let used = add_signal(&mut frame, &rule, &signal).unwrap();
        let [used] = &used[..] else { panic!("one scope and, as far as a row knows, one source") };
        let column = |name: &str| frame.column(name).map(|c| c.iter().collect::<Vec<_>>());
        let (seven, eight) = (Some(7.0), Some(8.0));
        assert_eq!(column("x.a"), Some(vec![None, seven, seven, eight, None]));
        assert_eq!(column("x.a.z_7d"), Some(vec![None; 5]));
        assert_eq!(column("x.a.delta_24h"), None, "nobody asked");
        assert_eq!((used.rows, used.revisions, used.stated, used.assumed), (3, 2, 1, 1));
        let twice = add_signal(&mut frame, &rule, &signal).unwrap_err();
        assert_eq!(twice, barograph_study::ResearchFrameError::Twice("x.a".to_owned()).to_string());
    }
}
