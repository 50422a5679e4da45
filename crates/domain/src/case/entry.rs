//! What people write into a case: added to and never changed. State and disposition are those of the newest entry that says any.

use crate::Ts;
use crate::text::{is_one_line, is_plain_text};
use core::fmt;
use serde::{Deserialize, Serialize};

/// Longest name of an author, characters.
pub const CASE_AUTHOR_MAX: usize = 100;
/// Longest note, characters.
pub const CASE_NOTE_MAX: usize = 4_000;

/// Where a case is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Filed; nobody has taken it.
    Open,
    /// Somebody looks into it.
    Acknowledged,
    /// Somebody has come to an end with it.
    Closed,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
        }
    }
    /// The state of a word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == word)
    }
}

/// What a person made of the alerts of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// The pattern was there.
    True,
    /// It was something else.
    False,
    /// The evidence does not decide it.
    Unclear,
}

impl Disposition {
    /// Every disposition.
    pub const ALL: [Self; 3] = [Self::True, Self::False, Self::Unclear];
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unclear => "unclear",
        }
    }
    /// The disposition of a word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.name() == word)
    }
}

/// What an entry does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CaseStep {
    /// Files the case; the first entry and no other.
    Filed,
    /// Adds a note.
    Noted,
    /// Somebody looks into it.
    Acknowledged,
    /// Closes it; once more with another disposition, the later one counts.
    Closed(Disposition),
}

impl CaseStep {
    /// The word on the wire.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::Noted => "note",
            Self::Acknowledged => "acknowledged",
            Self::Closed(_) => "closed",
        }
    }
    /// What was made of the case, where this closes it.
    #[must_use]
    pub const fn disposition(self) -> Option<Disposition> {
        match self {
            Self::Closed(d) => Some(d),
            Self::Filed | Self::Noted | Self::Acknowledged => None,
        }
    }
    /// The step of a word and a disposition, which goes with `closed` alone.
    #[must_use]
    pub fn from_words(kind: &str, disposition: Option<Disposition>) -> Option<Self> {
        match (kind, disposition) {
            ("filed", None) => Some(Self::Filed),
            ("note", None) => Some(Self::Noted),
            ("acknowledged", None) => Some(Self::Acknowledged),
            ("closed", Some(d)) => Some(Self::Closed(d)),
            _ => None,
        }
    }
    const fn state(self) -> Option<CaseState> {
        match self {
            Self::Filed => Some(CaseState::Open),
            Self::Noted => None,
            Self::Acknowledged => Some(CaseState::Acknowledged),
            Self::Closed(_) => Some(CaseState::Closed),
        }
    }
}

/// An entry of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseEntry {
    /// Which case.
    pub case_id: String,
    /// Counts the entries of the case from 1.
    pub seq: u32,
    /// When it was written; never earlier than the entry before it.
    pub at: Ts,
    /// Who wrote it.
    pub author: String,
    /// What it does.
    pub step: CaseStep,
    /// Words to it.
    pub note: Option<String>,
}

/// An entry on its way into a case, with its texts checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryDraft {
    at: Ts,
    author: String,
    step: CaseStep,
    note: Option<String>,
}

/// Why an entry is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CaseRefusal {
    /// Nobody is named, or the name is too long or has more than one line.
    Author,
    /// The note is too long or holds what is no text.
    Note,
    /// A note without words.
    NoWords,
    /// A case is filed once.
    FiledAlready,
    /// Nobody looks into a case that is closed.
    Closed,
}

impl CaseRefusal {
    /// The field that is to be put right.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Note | Self::NoWords => "note",
            Self::FiledAlready | Self::Closed => "kind",
        }
    }
}

impl fmt::Display for CaseRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Author => {
                write!(f, "the author of an entry is one line of 1 to {CASE_AUTHOR_MAX} visible characters")
            }
            Self::Note => {
                write!(f, "a note has at most {CASE_NOTE_MAX} characters, visible ones and line breaks only")
            }
            Self::NoWords => f.write_str("a note needs words"),
            Self::FiledAlready => f.write_str("the case has been filed already; add a note to it"),
            Self::Closed => f.write_str("the case is closed; add a note, or close it again with another disposition"),
        }
    }
}

impl EntryDraft {
    /// An entry of this moment. White space around the texts is dropped; a note without words is none.
    ///
    /// # Errors
    /// [`CaseRefusal::Author`], [`CaseRefusal::Note`]; [`CaseRefusal::NoWords`] of a step that is nothing but its note.
    pub fn new(at: Ts, author: &str, step: CaseStep, note: Option<&str>) -> Result<Self, CaseRefusal> {
        let author = author.trim();
        if !is_one_line(author, CASE_AUTHOR_MAX) {
            return Err(CaseRefusal::Author);
        }
        let note = note.map(str::trim).filter(|n| !n.is_empty());
        if note.is_some_and(|n| !is_plain_text(n, CASE_NOTE_MAX)) {
            return Err(CaseRefusal::Note);
        }
        if step == CaseStep::Noted && note.is_none() {
            return Err(CaseRefusal::NoWords);
        }
        Ok(Self { at, author: author.to_owned(), step, note: note.map(str::to_owned) })
    }

    /// What it does.
    #[must_use]
    pub const fn step(&self) -> CaseStep {
        self.step
    }

    /// The entry behind those a case has; `None` when it would say what the newest one says, so that a repeated request adds
    /// nothing.
    ///
    /// # Errors
    /// [`CaseRefusal::FiledAlready`] or [`CaseRefusal::Closed`].
    pub fn behind(&self, case_id: &str, before: &[CaseEntry]) -> Result<Option<CaseEntry>, CaseRefusal> {
        let newest = before.last();
        if newest.is_some_and(|n| n.step == self.step && n.author == self.author && n.note == self.note) {
            return Ok(None);
        }
        match (self.step, CaseStanding::of(before).map(|s| s.state)) {
            (CaseStep::Filed, Some(_)) => return Err(CaseRefusal::FiledAlready),
            (CaseStep::Acknowledged, Some(CaseState::Closed)) => return Err(CaseRefusal::Closed),
            _ => {}
        }
        Ok(Some(CaseEntry {
            case_id: case_id.to_owned(),
            seq: newest.map_or(1, |n| n.seq.saturating_add(1)),
            // A clock that was set back must not put an entry before the one it answers.
            at: newest.map_or(self.at, |n| self.at.max(n.at)),
            author: self.author.clone(),
            step: self.step,
            note: self.note.clone(),
        }))
    }
}

/// Where a case is, and what made it so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseStanding {
    /// Its state.
    pub state: CaseState,
    /// What was made of it; `None` while it is not closed.
    pub disposition: Option<Disposition>,
    /// Since when it is so.
    pub since: Ts,
    /// Who made it so.
    pub by: String,
}

impl CaseStanding {
    /// After these entries, in their order; `None` where there are none.
    #[must_use]
    pub fn of(entries: &[CaseEntry]) -> Option<Self> {
        let (entry, state) = entries.iter().rev().find_map(|e| e.step.state().map(|s| (e, s)))?;
        Some(Self { state, disposition: entry.step.disposition(), since: entry.at, by: entry.author.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(at: i64, step: CaseStep, note: Option<&str>) -> EntryDraft {
        EntryDraft::new(Ts(at), " ann ", step, note).unwrap()
    }

    /// When, what, with which words.
    type Written<'a> = (i64, CaseStep, Option<&'a str>);
    /// Entries, and the state, disposition and moment that follow.
    type Followed<'a> = (&'a [Written<'a>], CaseState, Option<Disposition>, i64);

    fn written(steps: &[Written<'_>]) -> Vec<CaseEntry> {
        let mut all = Vec::new();
        for (at, step, note) in steps {
            all.extend(draft(*at, *step, *note).behind("c", &all).unwrap());
        }
        all
    }

    #[test]
    fn words_round_trip() {
        for d in Disposition::ALL {
            assert_eq!(Disposition::from_name(d.name()), Some(d));
            assert_eq!(CaseStep::from_words("closed", Some(d)), Some(CaseStep::Closed(d)));
            assert_eq!(CaseStep::from_words("note", Some(d)), None);
            assert_eq!(serde_json::to_value(d).unwrap(), d.name());
        }
        for s in CaseState::ALL {
            assert_eq!(CaseState::from_name(s.name()), Some(s));
            assert_eq!(serde_json::to_value(s).unwrap(), s.name());
        }
        for step in [CaseStep::Filed, CaseStep::Noted, CaseStep::Acknowledged] {
            assert_eq!(CaseStep::from_words(step.kind(), None), Some(step));
        }
        assert_eq!(CaseStep::from_words("closed", None), None);
    }

    #[test]
    fn state_and_disposition_are_those_of_the_newest_step_that_has_any() {
        use Disposition::{False, True};
        let cases: [Followed<'_>; 4] = [
            (&[(1, CaseStep::Filed, None)], CaseState::Open, None, 1),
            (&[(1, CaseStep::Filed, None), (2, CaseStep::Noted, Some("x"))], CaseState::Open, None, 1),
            (&[(1, CaseStep::Filed, None), (2, CaseStep::Acknowledged, None)], CaseState::Acknowledged, None, 2),
            (
                &[(1, CaseStep::Filed, None), (2, CaseStep::Closed(True), None), (3, CaseStep::Closed(False), None)],
                CaseState::Closed,
                Some(False),
                3,
            ),
        ];
        for (steps, state, disposition, since) in cases {
            let by = "ann".to_owned();
            assert_eq!(
                CaseStanding::of(&written(steps)),
                Some(CaseStanding { state, disposition, since: Ts(since), by }),
                "{steps:?}"
            );
        }
        assert_eq!(CaseStanding::of(&[]), None);
    }

    #[test]
    fn an_entry_follows_the_one_before_it_and_a_repetition_adds_nothing() {
        let all = written(&[(5, CaseStep::Filed, None), (3, CaseStep::Noted, Some(" a\nb "))]);
        assert_eq!((all[1].seq, all[1].at, all[1].note.as_deref()), (2, Ts(5), Some("a\nb")));
        assert_eq!(draft(9, CaseStep::Noted, Some("a\nb")).behind("c", &all), Ok(None));
        assert!(draft(9, CaseStep::Noted, Some("a")).behind("c", &all).unwrap().is_some());
        assert_eq!(draft(9, CaseStep::Filed, Some("again")).behind("c", &all), Err(CaseRefusal::FiledAlready));
        let closed = written(&[(1, CaseStep::Filed, None), (2, CaseStep::Closed(Disposition::Unclear), None)]);
        assert_eq!(draft(9, CaseStep::Acknowledged, None).behind("c", &closed), Err(CaseRefusal::Closed));
    }

    #[test]
    fn texts_are_checked() {
        let long = "x".repeat(CASE_NOTE_MAX + 1);
        let of = |author: &str, note: Option<&str>| EntryDraft::new(Ts(1), author, CaseStep::Noted, note).map(drop);
        for (author, note, want) in [
            ("", Some("x"), Err(CaseRefusal::Author)),
            ("a\nb", Some("x"), Err(CaseRefusal::Author)),
            ("ann", Some("  "), Err(CaseRefusal::NoWords)),
            ("ann", None, Err(CaseRefusal::NoWords)),
            ("ann", Some("\u{1b}[2J"), Err(CaseRefusal::Note)),
            ("ann", Some("not \u{202e}eurt"), Err(CaseRefusal::Note)),
            ("a\u{200b}nn", Some("x"), Err(CaseRefusal::Author)),
            ("ann\u{2028}", Some("x"), Ok(())),
            ("a\u{2028}nn", Some("x"), Err(CaseRefusal::Author)),
            ("ann", Some("two\nlines"), Ok(())),
            ("ann", Some(long.as_str()), Err(CaseRefusal::Note)),
            ("ann", Some(&long[1..]), Ok(())),
        ] {
            assert_eq!(of(author, note), want, "{author:?} {note:?}");
        }
        assert!(EntryDraft::new(Ts(1), &"é".repeat(CASE_AUTHOR_MAX), CaseStep::Filed, None).is_ok());
    }
}
