//! The rules of one axis: what they assert, what remains when none holds, how labels are entered and left.

use super::book::{Clause, DwellCounts, ENTER_DEFAULT, Enter, Rule, RuleBook, Warming, readings_over};
use super::fresh::clock_of;
use super::judged::Watched;
use super::readers::Readers;
use crate::catalogue::Feature;
use barograph_domain::{AxisState, HeatRegime, Label, Metric, RiskRegime, Span, TrendRegime, VolRegime};

/// Rules of one axis in order of precedence.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleSet<L> {
    pub(super) rules: Vec<Rule<L>>,
    /// Exit bands and dwell apply (regimes §6).
    pub(super) hysteresis: bool,
    pub(super) features: Vec<Feature>,
    /// What the features that it reads are made from, in rank order; readings of charts apart.
    pub(crate) metrics: Vec<Metric>,
    /// Readings of charts among its features: their age is that of a close.
    pub(crate) closes: Vec<Feature>,
    /// What varying a feature changes; filled in once margin units are known.
    pub(super) readers: Vec<Readers>,
    /// What its clauses compare.
    pub(super) watched: Vec<Watched>,
}

/// A label that a book can assert: where its rules are, and what remains when none holds.
pub trait Ruled: Label {
    /// The label when every rule is false.
    const RESTING: Self;
    /// Evaluations the resting label must be raw before it is published (regimes §6: trend one bar, else two).
    const ENTER_RESTING: Enter;
    /// The rules of this axis.
    fn of(book: &RuleBook) -> &RuleSet<Self>;
    /// May a rule assert it?
    fn is_asserted(self) -> bool {
        self != Self::RESTING && self != Self::UNKNOWN
    }
}

impl Ruled for RiskRegime {
    const RESTING: Self = Self::Normal;
    const ENTER_RESTING: Enter = ENTER_DEFAULT;
    fn of(book: &RuleBook) -> &RuleSet<Self> {
        &book.risk
    }
}
impl Ruled for TrendRegime {
    const RESTING: Self = Self::Sideways;
    const ENTER_RESTING: Enter = Enter::Immediate;
    fn of(book: &RuleBook) -> &RuleSet<Self> {
        &book.trend
    }
}
impl Ruled for VolRegime {
    const RESTING: Self = Self::Stable;
    const ENTER_RESTING: Enter = ENTER_DEFAULT;
    fn of(book: &RuleBook) -> &RuleSet<Self> {
        &book.volatility
    }
}
impl Ruled for HeatRegime {
    const RESTING: Self = Self::Neutral;
    const ENTER_RESTING: Enter = ENTER_DEFAULT;
    fn of(book: &RuleBook) -> &RuleSet<Self> {
        &book.heat
    }
}

impl<L: Ruled> RuleSet<L> {
    /// A checked set; its features' metrics are noted.
    pub(super) fn new(rules: Vec<Rule<L>>, hysteresis: bool) -> Self {
        let (features, metrics, closes, readers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut out = Self { rules, hysteresis, features, metrics, closes, readers, watched: Vec::new() };
        out.features = out.features_read();
        out.watched = Watched::of(&out);
        let (closes, rest): (Vec<_>, Vec<_>) = out.features.iter().partition(|f| clock_of(**f, Span::ZERO).is_some());
        out.closes = closes;
        out.metrics = rest.iter().flat_map(|f| f.spec().inputs).copied().collect();
        out.metrics.sort_unstable();
        out.metrics.dedup();
        out
    }
    /// Rules in order of precedence.
    #[must_use]
    pub fn rules(&self) -> &[Rule<L>] {
        &self.rules
    }
    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }
    /// No rule at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
    /// Exit bands and dwell of regimes §6; `false` publishes the raw label at once.
    #[must_use]
    pub const fn has_hysteresis(&self) -> bool {
        self.hysteresis
    }
    /// Every feature some clause reads, stand-ins and ranked features included, in catalogue order, each once.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }
    fn features_read(&self) -> Vec<Feature> {
        let mut out: Vec<Feature> = Vec::new();
        self.each_clause(&mut |clause| {
            out.push(clause.feature);
            out.extend(clause.feature.spec().ranks);
        });
        out.sort_unstable();
        out.dedup();
        out
    }
    /// Calls `f` on every clause in document order, a stand-in right after its percentile clause.
    pub(crate) fn each_clause<'a>(&'a self, f: &mut dyn FnMut(&'a Clause)) {
        for clause in self.rules.iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses) {
            f(clause);
            if let Warming::Clause(stand_in) = &clause.warming {
                f(stand_in);
            }
        }
    }
    /// Calls `f` on every feature by which readings of the rule that decides are counted: of the one that fired; where none did,
    /// of those of the label that would be left.
    pub(super) fn each_counted(&self, by: DwellCounts, fired: Option<usize>, label: L, f: &mut dyn FnMut(Feature)) {
        for (i, rule) in self.rules.iter().enumerate() {
            if fired.map_or(rule.label == label, |fired| fired == i) {
                rule.each_counted(by, f);
            }
        }
    }
    /// Calls `f` on every written clause.
    pub(super) fn each_clause_mut(&mut self, f: &mut dyn FnMut(&mut Clause)) {
        self.rules.iter_mut().flat_map(|r| &mut r.groups).flat_map(|g| &mut g.clauses).for_each(f);
    }
    /// Written clauses in document order.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Clause> {
        self.rules.iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses)
    }
    /// Numbers the clauses and notes which of them follow a feature: last, when they are complete.
    pub(super) fn note_readers(&mut self, scales: &[Option<f64>]) {
        let mut places = 0..;
        self.each_clause_mut(&mut |clause| clause.place = places.next().unwrap_or_default());
        self.readers = Readers::of(&self.written().collect::<Vec<_>>(), &self.features, scales);
    }
    /// Shortest stay of a published label: the longest any of its rules asks for.
    #[must_use]
    pub fn min_dwell(&self, label: L) -> Span {
        if !self.hysteresis {
            return Span::ZERO;
        }
        self.rules.iter().filter(|r| r.label == label).map(|r| r.min_dwell).max().unwrap_or(Span::ZERO)
    }
    /// For how long readings must be calmer than a published label before it is left: the longest any of its rules asks for.
    #[must_use]
    pub fn leave(&self, label: L) -> Span {
        if !self.hysteresis {
            return Span::ZERO;
        }
        self.rules.iter().filter(|r| r.label == label).map(|r| r.leave).max().unwrap_or(Span::ZERO)
    }
    /// Consecutive readings, one every so often, that it takes from a label to another one by this rule; `None` is the resting
    /// label, which no rule asserts.
    #[must_use]
    pub fn readings(&self, from: L, to: L, fired: Option<usize>, every: Span) -> u32 {
        if !self.hysteresis {
            return 1;
        }
        if self.is_left_slowly(from, to) {
            return readings_over(self.leave(from), every);
        }
        fired.and_then(|i| self.rules.get(i)).map_or(L::ENTER_RESTING, |r| r.enter).readings(every)
    }
    /// On the way from the one label to the other every calmer reading counts, whatever it says beyond that.
    pub(super) fn is_left_slowly(&self, from: L, to: L) -> bool {
        to.severity() < from.severity() && self.leave(from) > Span::ZERO
    }
    /// How many readings of those that count, of the label that waits, a label has been waiting for.
    pub(crate) fn waited(&self, state: &AxisState<L>, to: L) -> u32 {
        let same = state.candidate.is_some_and(|candidate| {
            candidate == to || self.is_left_slowly(state.label, candidate) && self.is_left_slowly(state.label, to)
        });
        if same { state.candidate_count } else { 0 }
    }
}
