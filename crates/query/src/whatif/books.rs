//! The books of a question, and what their rules need of stored rows.

use super::kept::Wanted;
use barograph_api::QueryError;
use barograph_domain::{Axis, HeatRegime, RiskRegime, TrendRegime, VolRegime};
use barograph_engine::Feature;
use barograph_engine::rules::{Clause, RuleBook, RuleSet, Ruled, Warming, parts_of};
use barograph_engine::whatif::{StoredHistory, clause_truth_key};
use std::collections::BTreeSet;

/// The base and the changed book of a question.
#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) base: RuleBook,
    pub(super) changed: RuleBook,
}

impl Books {
    /// The axes to replay: risk, and those whose labels can differ.
    pub(super) fn axes(&self) -> Vec<Axis> {
        let (a, b) = (&self.base, &self.changed);
        let memory = a.hysteresis() != b.hysteresis() || a.dwell != b.dwell;
        let mut out = vec![Axis::Risk];
        if memory || a.trend().rules() != b.trend().rules() {
            out.push(Axis::Trend);
        }
        if memory || a.volatility().rules() != b.volatility().rules() {
            out.push(Axis::Volatility);
        }
        if memory || a.heat().rules() != b.heat().rules() {
            out.push(Axis::Heat);
        }
        out
    }

    /// Refuses what the readings that `stored` made cannot show.
    pub(super) fn check(&self, stored: &RuleBook) -> Result<(), QueryError> {
        // A book can show what it made itself.
        for (field, book) in [("base", &self.base), ("book", &self.changed)].into_iter().filter(|(_, b)| *b != stored) {
            if let Err(refused) = barograph_engine::whatif::check(stored, book) {
                let keys = refused.iter().map(|r| r.key.as_str()).collect::<Vec<_>>().join(", ");
                let reasons = refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                return Err(QueryError::BadField { field: field.to_owned(), value: keys, reason: reasons });
            }
        }
        Ok(())
    }

    /// What both books' rules need of rows that `stored` made.
    pub(super) fn wanted(&self, stored: &RuleBook) -> Wanted {
        let mut out = Wanted { price: true, ..Wanted::default() };
        // What events are judged by (verification §2).
        out.numbers.extend([Feature::RealizedVol1h, Feature::RealizedVol4h]);
        let own = own_keys(stored);
        let stale = StoredHistory::stale_keys(stored);
        for book in [&self.base, &self.changed] {
            let mut need = Need { book, own: &own, out: &mut out };
            for axis in self.axes() {
                match axis {
                    Axis::Risk => need.axis::<RiskRegime>(),
                    Axis::Trend => need.axis::<TrendRegime>(),
                    Axis::Volatility => need.axis::<VolRegime>(),
                    Axis::Heat => need.axis::<HeatRegime>(),
                }
            }
            for clause in book.alerts().iter().filter(|r| !r.is_at_event()).flat_map(|r| &r.groups) {
                clause.clauses.iter().for_each(|c| need.clause(c));
            }
            for key in StoredHistory::stale_keys(book) {
                if stale.contains(&key) {
                    out.stale.insert(key);
                } else {
                    out.inputs = true;
                }
            }
        }
        out
    }
}

/// Every feature that a book's rules read, and what means among them are made of: what is kept of its rows.
pub(super) fn features_of(book: &RuleBook) -> BTreeSet<Feature> {
    let read = book.features().iter().copied();
    let mut out: BTreeSet<Feature> =
        read.flat_map(|f| core::iter::once(f).chain(parts_of(f).iter().copied())).collect();
    out.extend([Feature::RealizedVol1h, Feature::RealizedVol4h]);
    for clause in book.alerts().iter().flat_map(|r| r.clauses()) {
        out.insert(clause.feature);
        if let Warming::Clause(stand_in) = &clause.warming {
            out.insert(stand_in.feature);
        }
    }
    out
}

/// Keys of what is kept of the clauses of a book.
fn own_keys(book: &RuleBook) -> BTreeSet<String> {
    fn of<L: Ruled>(set: &RuleSet<L>, book: &RuleBook, out: &mut BTreeSet<String>) {
        for clause in set.rules().iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses) {
            take(clause, book, out);
        }
    }
    fn take(clause: &Clause, book: &RuleBook, out: &mut BTreeSet<String>) {
        out.insert(clause_truth_key(clause, book));
        if let Warming::Clause(stand_in) = &clause.warming {
            out.insert(clause_truth_key(stand_in, book));
        }
    }
    let mut out = BTreeSet::new();
    of(book.risk(), book, &mut out);
    of(book.trend(), book, &mut out);
    of(book.volatility(), book, &mut out);
    of(book.heat(), book, &mut out);
    out.extend(book.alerts().iter().flat_map(|r| r.clauses()).map(|c| clause_truth_key(c, book)));
    out
}

struct Need<'a> {
    book: &'a RuleBook,
    own: &'a BTreeSet<String>,
    out: &'a mut Wanted,
}

impl Need<'_> {
    fn axis<L: Ruled>(&mut self) {
        let set = L::of(self.book);
        for clause in set.rules().iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses) {
            self.clause(clause);
        }
        self.out.ages.extend(set.features());
        self.out.ages.extend(set.features().iter().flat_map(|f| parts_of(*f)));
    }

    fn clause(&mut self, clause: &Clause) {
        let key = clause_truth_key(clause, self.book);
        if self.own.contains(&key) {
            self.out.said.insert(key);
            return;
        }
        self.out.numbers.insert(clause.feature);
        if let Warming::Clause(stand_in) = &clause.warming {
            self.clause(stand_in);
        }
    }
}
