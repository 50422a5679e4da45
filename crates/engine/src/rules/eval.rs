//! One row of readings judged by one book, in three-valued logic (regimes §2), without allocating.
//!
//! A clause is true, false, or unknown; unknown because an input is stale is kept apart, since only that shows the last
//! label instead of UNKNOWN (regimes §9). A clause whose input the market does not have is not applicable; so is a rule
//! that cannot do without it.

use super::book::{Clause, Group, Rule, RuleBook, Warming};
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::{Cell, Kind, Label, Reason, RiskRegime, Span, State, StreamDecl, Ts};

/// Outcome of a clause, a group or a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// An input has no usable reading, for another reason than age.
    Unknown,
    /// It would be known if no input were too old.
    Stale,
    /// The market does not have an input it needs.
    NotApplicable,
}

impl Truth {
    /// From a plain condition.
    #[must_use]
    pub const fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
    /// Unknown for whatever reason.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Self::Unknown | Self::Stale)
    }
    /// The word on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown | Self::Stale => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// What the rules of one axis say about one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluation<L = RiskRegime> {
    /// Label of the first true rule, the resting label when all are false, UNKNOWN when an unknown rule stands in the way or no
    /// rule can be judged on this market.
    pub raw: L,
    /// Position of the rule that gave the label.
    pub fired: Option<usize>,
    /// Rules that are true; bit n is rule n.
    pub holds: u32,
    /// Rules that are true or false.
    pub known: u32,
    /// Rules this market cannot be judged by.
    pub not_applicable: u32,
    /// UNKNOWN, and every unknown rule in the way would be known if no input were too old.
    pub unknown_by_stale: bool,
}

impl<L: Ruled> Evaluation<L> {
    /// Of no rule at all.
    pub(super) const fn nothing() -> Self {
        Self { raw: L::RESTING, fired: None, holds: 0, known: 0, not_applicable: 0, unknown_by_stale: false }
    }
    /// The market lacks what each of these rules needs: the axis cannot be judged here, now or later.
    #[must_use]
    pub fn is_left_out(&self, set: &RuleSet<L>) -> bool {
        !set.is_empty() && usize::try_from(self.not_applicable.count_ones()).is_ok_and(|n| n == set.len())
    }
}

/// What a cell gives to a rule.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Reading {
    Value(f64),
    Warming,
    Stale,
    Unknown,
    NotOffered,
}

/// Where clauses get their truth from: the row as it is, the row with one feature varied, or what was recorded of it.
pub(crate) trait ClauseSource {
    /// What the clause says, at its full or at its exit threshold.
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth;
}

/// Readings that say how new they are, and how often they come.
pub(crate) trait DatedReadings: ClauseSource {
    /// When the newest sample of a reading was, where the reading is ready.
    fn anchor(&self, feature: Feature) -> Option<Ts>;
    /// How often the stream of a reading has a sample, where the reading is ready.
    fn cadence(&self, feature: Feature) -> Option<Span>;
}

/// The row as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct AsRead<'a> {
    pub(super) allow_proxy: bool,
    pub(super) last_values: bool,
    pub(super) cells: &'a [Cell],
}

impl<'a> AsRead<'a> {
    pub(super) const fn new(book: &RuleBook, cells: &'a [Cell]) -> Self {
        Self { allow_proxy: book.allow_proxy, last_values: book.uses_last_values(), cells }
    }
    /// May a reading of this kind enter a rule?
    #[inline]
    pub(super) const fn may_enter(&self, kind: Kind) -> bool {
        self.allow_proxy || matches!(kind, Kind::Measured | Kind::Sampled)
    }
    #[inline]
    pub(super) fn read(&self, feature: Feature) -> Reading {
        let Some(cell) = self.cells.get(feature.index()) else { return Reading::Unknown };
        let may_enter = self.may_enter(cell.kind);
        match cell.state {
            State::Ready if may_enter => Reading::Value(cell.value),
            State::Stale if self.last_values && may_enter => Reading::Value(cell.value),
            State::Stale | State::Undefined(Reason::Stale) => Reading::Stale,
            State::Warming { .. } | State::Undefined(Reason::Warming) => Reading::Warming,
            State::Undefined(Reason::NotOffered) => Reading::NotOffered,
            State::Ready | State::Undefined(_) => Reading::Unknown,
        }
    }
}

/// What a reading makes of a clause; a percentile without history hands over to its stand-in.
#[inline]
pub(super) fn truth_of<R: ClauseSource>(reading: Reading, clause: &Clause, relaxed: bool, readings: &R) -> Truth {
    match reading {
        Reading::Value(x) => Truth::of(clause.holds(x, relaxed)),
        Reading::Warming => match &clause.warming {
            Warming::Unknown => Truth::Unknown,
            Warming::Always(holds) => Truth::of(*holds),
            Warming::Clause(stand_in) => readings.truth(stand_in, relaxed),
        },
        Reading::Stale => Truth::Stale,
        Reading::Unknown => Truth::Unknown,
        Reading::NotOffered => Truth::NotApplicable,
    }
}

impl ClauseSource for AsRead<'_> {
    #[inline]
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        truth_of(self.read(clause.feature), clause, relaxed, self)
    }
}

/// The row as it is, and where its readings come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dated<'a> {
    read: AsRead<'a>,
    streams: &'a [StreamDecl],
}

impl<'a> Dated<'a> {
    pub(crate) const fn new(book: &RuleBook, cells: &'a [Cell], streams: &'a [StreamDecl]) -> Self {
        Self { read: AsRead::new(book, cells), streams }
    }
    fn ready(&self, feature: Feature) -> Option<&'a Cell> {
        self.read.cells.get(feature.index()).filter(|c| c.state == State::Ready)
    }
}

impl ClauseSource for Dated<'_> {
    #[inline]
    fn truth(&self, clause: &Clause, relaxed: bool) -> Truth {
        self.read.truth(clause, relaxed)
    }
}

impl DatedReadings for Dated<'_> {
    fn anchor(&self, feature: Feature) -> Option<Ts> {
        self.ready(feature).map(|c| c.anchor)
    }
    fn cadence(&self, feature: Feature) -> Option<Span> {
        Some(self.streams.get(self.ready(feature)?.stream?.index())?.cadence)
    }
}

/// One true member makes a group true; members the market cannot have are left out.
pub(super) fn group_truth<R: ClauseSource>(group: &Group, readings: &R, relaxed: bool) -> Truth {
    let mut out = Truth::NotApplicable;
    for clause in &group.clauses {
        let t = readings.truth(clause, relaxed);
        out = match (out, t) {
            (_, Truth::True) => return Truth::True,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::Stale, _) | (_, Truth::Stale) => Truth::Stale,
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (other, Truth::NotApplicable) => other,
        };
    }
    out
}

/// One false group makes a rule false, unless the market lacks something another group needs.
pub(super) fn rule_truth<L, R: ClauseSource>(rule: &Rule<L>, readings: &R, relaxed: bool) -> Truth {
    groups_truth(&rule.groups, readings, relaxed)
}

pub(crate) fn groups_truth<R: ClauseSource>(groups: &[Group], readings: &R, relaxed: bool) -> Truth {
    let mut out = Truth::True;
    for group in groups {
        out = match (out, group_truth(group, readings, relaxed)) {
            (_, Truth::NotApplicable) => return Truth::NotApplicable,
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::Stale, _) | (_, Truth::Stale) => Truth::Stale,
            (other, Truth::True) => other,
        };
    }
    out
}

/// Judges a row by one axis. `cells` are in catalogue order. An axis whose every rule needs what the market does not have
/// is UNKNOWN.
#[must_use]
pub fn evaluate<L: Ruled>(book: &RuleBook, cells: &[Cell]) -> Evaluation<L> {
    evaluate_with(L::of(book), &AsRead::new(book, cells))
}

/// Outcome of one rule at full thresholds.
#[must_use]
pub fn rule_result<L>(book: &RuleBook, cells: &[Cell], rule: &Rule<L>) -> Truth {
    rule_truth(rule, &AsRead::new(book, cells), false)
}

/// Outcome of a conjunction of groups, at full or at exit thresholds. Unknown inputs of whatever reason make it unknown.
#[must_use]
pub fn condition(book: &RuleBook, cells: &[Cell], groups: &[Group], relaxed: bool) -> Truth {
    groups_truth(groups, &AsRead::new(book, cells), relaxed)
}

/// Outcome of one group at full thresholds.
#[must_use]
pub fn group_result(book: &RuleBook, cells: &[Cell], group: &Group) -> Truth {
    group_truth(group, &AsRead::new(book, cells), false)
}

/// Does a rule hold at its exit thresholds?
#[must_use]
pub fn holds_relaxed<L>(book: &RuleBook, cells: &[Cell], rule: &Rule<L>) -> bool {
    rule_truth(rule, &AsRead::new(book, cells), true) == Truth::True
}

/// Does a clause hold, at its full or at its exit threshold?
#[must_use]
pub fn clause_holds(book: &RuleBook, cells: &[Cell], clause: &Clause, relaxed: bool) -> bool {
    AsRead::new(book, cells).truth(clause, relaxed) == Truth::True
}

pub(crate) fn evaluate_with<L: Ruled, R: ClauseSource>(set: &RuleSet<L>, readings: &R) -> Evaluation<L> {
    let mut out = Evaluation::nothing();
    let (mut blocked, mut blocked_not_by_age) = (false, false);
    for (i, rule) in set.rules.iter().enumerate() {
        match rule_truth(rule, readings, false) {
            Truth::True => {
                out.holds |= 1 << i;
                out.known |= 1 << i;
                if out.fired.is_none() {
                    out.fired = Some(i);
                    out.raw = if blocked { L::UNKNOWN } else { rule.label };
                    out.unknown_by_stale = blocked && !blocked_not_by_age;
                }
            }
            Truth::False => out.known |= 1 << i,
            t @ (Truth::Unknown | Truth::Stale) => {
                blocked = true;
                blocked_not_by_age |= t == Truth::Unknown;
            }
            Truth::NotApplicable => out.not_applicable |= 1 << i,
        }
    }
    if out.fired.is_none() && blocked {
        out.raw = L::UNKNOWN;
        out.unknown_by_stale = !blocked_not_by_age;
    }
    if out.is_left_out(set) {
        out.raw = L::UNKNOWN;
    }
    if out.raw == L::UNKNOWN {
        out.fired = None;
    }
    out
}

/// Do the relaxed clauses of a published label still hold, with no rule of higher precedence true (regimes §6)?
pub(super) fn held_by_exit_band<L: Label, R: ClauseSource>(
    set: &RuleSet<L>,
    readings: &R,
    label: L,
    holds: u32,
) -> bool {
    for (i, rule) in set.rules.iter().enumerate() {
        if rule.label == label {
            if rule_truth(rule, readings, true) == Truth::True {
                return true;
            }
        } else if holds >> i & 1 == 1 {
            return false;
        }
    }
    false
}
