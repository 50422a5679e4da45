//! What the writer and the reader of an event remember alike: of each member its last words, of the event its dictionaries.

use super::roster::Roster;
use std::collections::BTreeMap;

/// Last words of an issue's place. New ones are written as the difference.
#[derive(Clone, Copy, Default)]
pub(super) struct IssueSlot {
    pub(super) form: u8,
    pub(super) label: u8,
    pub(super) raw_label: u8,
    pub(super) state: u8,
    /// Number of the last probability in the dictionary.
    pub(super) probability: Option<usize>,
    /// The same of the last probabilities of classes.
    pub(super) classes: Option<usize>,
}

/// Last words of a resolution's place.
#[derive(Clone, Copy, Default)]
pub(super) struct ResolutionSlot {
    pub(super) form: u8,
    pub(super) class: u8,
}

/// Both lists of an event, that of what was not issued, and the last counts of each group by its code.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) issues: Roster<IssueSlot>,
    pub(super) not_issued: Roster<()>,
    pub(super) resolutions: Roster<ResolutionSlot>,
    pub(super) groups: Roster<()>,
    pub(super) counts: BTreeMap<u8, Vec<u32>>,
}

impl Memory {
    /// Counts of a group before, as many as there are now.
    pub(super) fn counts(&mut self, group: u8, len: usize) -> &mut Vec<u32> {
        let counts = self.counts.entry(group).or_default();
        counts.resize(len, 0);
        counts
    }
}

/// Bits of an issue's form: what is stated, whose history, which exceptions follow.
pub(super) mod issue {
    /// Two bits.
    pub(in super::super) const KIND: u8 = 0b11;
    pub(in super::super) const ABSTAINED: u8 = 0;
    pub(in super::super) const PROBABILITY: u8 = 1;
    pub(in super::super) const CLASSES: u8 = 2;
    /// Two more bits: the code of the scope.
    pub(in super::super) const SCOPE_SHIFT: u32 = 2;
    pub(in super::super) const HAS_STATE: u8 = 1 << 4;
    /// The window does not end a horizon later.
    pub(in super::super) const OTHER_END: u8 = 1 << 5;
    /// The digest is not that of the market's first issue.
    pub(in super::super) const OTHER_DIGEST: u8 = 1 << 6;
    /// It rests on other numbers of cases than what was stated last with these bits.
    pub(in super::super) const OTHER_CASES: u8 = 1 << 7;
}

/// Bits of a resolution's form.
pub(super) mod resolution {
    /// Three bits.
    pub(in super::super) const OUTCOME: u8 = 0b111;
    pub(in super::super) const MISSED: u8 = 0;
    pub(in super::super) const HAPPENED: u8 = 1;
    pub(in super::super) const GAP: u8 = 2;
    pub(in super::super) const VOID: u8 = 3;
    pub(in super::super) const CLASS: u8 = 4;
    /// The first number is there; that of the second is one further.
    pub(in super::super) const EVIDENCE_SHIFT: u8 = 3;
    /// It was not registered a horizon before.
    pub(in super::super) const OTHER_MOMENT: u8 = 1 << 5;
}

/// What stands for bits: those before, new ones, or the number of some in the dictionary and this.
pub(super) const SAME: u64 = 0;
pub(super) const NEW: u64 = 1;
pub(super) const KNOWN: u64 = 2;

/// Cases that a statement rests on: all of them, and those that do not overlap.
pub(super) type Cases = (u32, u32);
