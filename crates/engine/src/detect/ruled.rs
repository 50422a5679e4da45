//! The user's own alert rules at one market (regimes §12.1): inactive, pending, firing, suspended, over.
//!
//! A rule that holds without a break for its `pending` time fires; it goes on while its relaxed thresholds hold and for at least
//! `min_dwell`; after its end it is quiet for `cooldown`. An unknown input neither fires nor ends it: what fires is suspended,
//! what is pending begins anew, because nobody saw whether it held.

use super::base_rate::Spoken;
use super::{ended_by_start, score};
use crate::rules::{AlertRule, Clause, RuleBook, Test, Truth, condition, word_of};
use barograph_domain::alert::{AlertChange, BaseRate, Datum, Statistic, Word};
use barograph_domain::{Alert, AlertState, Cell, Severity, State, Ts};
use serde::{Deserialize, Serialize};

/// An episode that has begun.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Firing {
    opened_at: Ts,
    last_seen_at: Ts,
    severity: Severity,
    revision: u32,
    suspended: bool,
}

/// One rule at one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Ruled {
    /// Since when it has held without a break, while it is pending.
    pending: Option<Ts>,
    firing: Option<Firing>,
    /// It does not fire before this.
    quiet_until: Option<Ts>,
    spoken: Spoken,
}

/// All rules of the book at one market.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RuleWatch {
    rules: Vec<Ruled>,
}

/// What follows from one evaluation.
struct Report {
    change: AlertChange,
    state: AlertState,
    of: Firing,
    closed_at: Option<Ts>,
}

impl RuleWatch {
    /// Nothing is known yet; one place per rule of the book.
    #[must_use]
    pub fn new(book: &RuleBook) -> Self {
        Self { rules: book.alerts().iter().map(|_| Ruled::default()).collect() }
    }

    /// Judges one minute; records that follow are added to `out`.
    pub fn step(&mut self, ts: Ts, book: &RuleBook, cells: &[Cell], out: &mut Vec<Alert>) {
        for (rule, state) in book.alerts().iter().zip(&mut self.rules) {
            let truth = state.judge(ts, book, rule, cells, out);
            let known = matches!(truth, Truth::True | Truth::False);
            state.spoken.minute(ts, known, state.firing.is_some());
        }
    }

    /// Ends what fires, each with a record, because nothing follows it any more ([`super::episode::ENDED_BY`]). What is pending begins anew.
    pub fn end(&mut self, ts: Ts, book: &RuleBook, out: &mut Vec<Alert>) {
        for (rule, state) in book.alerts().iter().zip(&mut self.rules) {
            state.pending = None;
            let Some(report) = state.firing.and_then(|of| state.end(ts, rule, of)) else { continue };
            let mut ended = record(ts, rule, &[], &report, BaseRate::default(), None);
            ended.data.push(ended_by_start());
            out.push(ended);
        }
    }

    /// Rules that fire now, by their position in the book.
    pub fn open(&self) -> impl Iterator<Item = (usize, Severity)> {
        self.rules.iter().enumerate().filter_map(|(i, r)| Some((i, r.firing?.severity)))
    }

    /// Judges the rules that read what moves with every event, between minutes. Read are [`crate::rules::EVENT_FEATURE`] and
    /// [`RuleBook::read_at_events`].
    pub fn at_event(&mut self, ts: Ts, book: &RuleBook, cells: &[Cell], out: &mut Vec<Alert>) {
        for (rule, state) in book.alerts().iter().zip(&mut self.rules).filter(|(rule, _)| rule.is_at_event()) {
            state.judge(ts, book, rule, cells, out);
        }
    }
}

impl Ruled {
    fn judge(&mut self, ts: Ts, book: &RuleBook, rule: &AlertRule, cells: &[Cell], out: &mut Vec<Alert>) -> Truth {
        let full = condition(book, cells, &rule.groups, false);
        let leading = rule.leading().and_then(|c| value_of(cells, c));
        let report = self.minute(ts, rule, full, || condition(book, cells, &rule.groups, true), leading);
        if let Some(report) = report {
            let base_rate = self.spoken.rate_of(report.change, ts, report.of.opened_at);
            out.push(record(ts, rule, cells, &report, base_rate, leading));
        }
        full
    }

    /// What follows from what the rule says at its full and, where that is asked, at its relaxed thresholds.
    fn minute(
        &mut self,
        ts: Ts,
        rule: &AlertRule,
        full: Truth,
        relaxed: impl FnOnce() -> Truth,
        leading: Option<f64>,
    ) -> Option<Report> {
        match self.firing {
            None => self.waiting(ts, full, rule, leading),
            Some(firing) => self.running(ts, full, relaxed(), rule, leading, firing),
        }
    }

    fn waiting(&mut self, ts: Ts, full: Truth, rule: &AlertRule, leading: Option<f64>) -> Option<Report> {
        if full != Truth::True {
            self.pending = None;
            return None;
        }
        let since = *self.pending.get_or_insert(ts);
        if ts - since < rule.pending || self.quiet_until.is_some_and(|until| ts < until) {
            return None;
        }
        let severity = rule.severity(leading);
        let of = Firing { opened_at: ts, last_seen_at: ts, severity, revision: 1, suspended: false };
        (self.pending, self.firing) = (None, Some(of));
        Some(Report { change: AlertChange::Opened, state: AlertState::Open, of, closed_at: None })
    }

    fn running(
        &mut self,
        ts: Ts,
        full: Truth,
        relaxed: Truth,
        rule: &AlertRule,
        leading: Option<f64>,
        firing: Firing,
    ) -> Option<Report> {
        let mut of = firing;
        let told = |of: &mut Firing, change, state| {
            of.revision += 1;
            Some(Report { change, state, of: *of, closed_at: None })
        };
        let report = match relaxed {
            Truth::Unknown | Truth::Stale if of.suspended => None,
            Truth::Unknown | Truth::Stale => {
                of.suspended = true;
                told(&mut of, AlertChange::Suspended, AlertState::NoData)
            }
            // What the venue no longer offers will not come back: nobody can say how it went on.
            Truth::NotApplicable => return self.end(ts, rule, of),
            Truth::False if ts - of.opened_at >= rule.min_dwell => return self.end(ts, rule, of),
            Truth::False | Truth::True => {
                if relaxed == Truth::True {
                    of.last_seen_at = ts;
                }
                let severity = if full == Truth::True { rule.severity(leading) } else { of.severity };
                let worse = severity > of.severity;
                of.severity = of.severity.max(severity);
                if core::mem::take(&mut of.suspended) {
                    told(&mut of, AlertChange::Resumed, AlertState::Open)
                } else if worse {
                    told(&mut of, AlertChange::Updated, AlertState::Open)
                } else {
                    None
                }
            }
        };
        self.firing = Some(of);
        report
    }

    fn end(&mut self, ts: Ts, rule: &AlertRule, mut of: Firing) -> Option<Report> {
        of.revision += 1;
        self.firing = None;
        self.quiet_until = (rule.cooldown.0 > 0).then(|| ts + rule.cooldown);
        Some(Report { change: AlertChange::Closed, state: AlertState::Closed, of, closed_at: Some(ts) })
    }
}

/// One rule over stored minutes: when its episodes open. Severities are left out.
#[derive(Debug, Default)]
pub(crate) struct Replaying(Ruled);

impl Replaying {
    /// Takes what the rule says of a minute; does an episode open?
    pub(crate) fn minute(&mut self, ts: Ts, rule: &AlertRule, full: Truth, relaxed: Truth) -> bool {
        let report = self.0.minute(ts, rule, full, || relaxed, None);
        report.is_some_and(|r| r.change == AlertChange::Opened)
    }
}

/// The number a clause compares, where there is one.
fn value_of(cells: &[Cell], clause: &Clause) -> Option<f64> {
    cells.get(clause.feature.index()).and_then(Cell::ready)
}

fn record(
    ts: Ts,
    rule: &AlertRule,
    cells: &[Cell],
    report: &Report,
    base_rate: BaseRate,
    leading: Option<f64>,
) -> Alert {
    let mut statistics = Vec::new();
    let mut data = Vec::new();
    for clause in rule.clauses() {
        let Some(cell) = cells.get(clause.feature.index()) else { continue };
        match clause.test {
            Test::Number { value, .. } => statistics.push(statistic(clause, cell, value)),
            Test::Codes { .. } => {
                let word = cell.ready().and_then(|x| word_of(clause.feature, x));
                let datum = word.map_or_else(
                    || Datum::Missing(cell.reason().unwrap_or(barograph_domain::Reason::MissingInput)),
                    |w| Datum::Word(Word::from(w)),
                );
                data.push((Word::from(clause.feature.id()), datum));
            }
        }
    }
    data.push((Word::from("rule"), Datum::Word(Word::from(rule.id.clone()))));
    if !rule.text.is_empty() {
        data.push((Word::from("text"), Datum::Word(Word::from(rule.text.clone()))));
    }
    let of = &report.of;
    Alert {
        pattern: rule.kind,
        trigger: None,
        change: report.change,
        state: report.state,
        revision: of.revision,
        ts,
        severity: of.severity,
        score: score(rule.leading().zip(leading).map_or(1.0, |(clause, x)| reach(clause, x))),
        opened_at: of.opened_at,
        last_seen_at: of.last_seen_at,
        closed_at: report.closed_at,
        window_from: of.opened_at.min(ts),
        statistics,
        data,
        base_rate,
        inhibited_by: None,
        other: None,
        rule: Some(Word::from(rule.id.clone())),
    }
}

pub(crate) fn statistic(clause: &Clause, cell: &Cell, threshold: f64) -> Statistic {
    let spec = clause.feature.spec();
    let value = cell.ready();
    Statistic {
        name: Word::from(spec.id),
        value,
        reason: cell.reason(),
        threshold,
        u: value.map(|x| reach(clause, x)),
        unit: Word::from(spec.unit),
        kind: cell.kind,
        coverage: if matches!(cell.state, State::Ready) { cell.coverage } else { 0.0 },
        decides: true,
        uncalibrated: false,
    }
}

/// How far a reading reaches, 1 at the threshold: their ratio, upside down where less is more. Where the two have no ratio, 1.
fn reach(clause: &Clause, x: f64) -> f64 {
    let Test::Number { op, value: c, .. } = clause.test else { return 1.0 };
    let x = if clause.abs { x.abs() } else { x };
    if x * c <= 0.0 {
        return 1.0;
    }
    // Below zero the further out is the smaller number.
    if op.is_below() == (c > 0.0) { c / x } else { x / c }
}
