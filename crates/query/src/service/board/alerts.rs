//! What the header counts: episodes that are not over, and what began in the last day. Kept in memory, rebuilt from the store.

use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::time::DAY;
use barograph_domain::{Alert, InstrumentName, Pattern, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// Patterns whose beginnings the header counts.
pub(super) const COUNTED: [Pattern; 2] = [Pattern::LiquidationCascade, Pattern::VolatilityRegimeChange];

/// Counters, by what was reported of each market.
#[derive(Debug, Default)]
pub(in crate::service) struct AlertBook {
    /// `true` for what compares a market with another one.
    open: BTreeMap<InstrumentName, BTreeMap<String, bool>>,
    /// When, what, and of whom; what is reported twice is there once.
    begun: BTreeSet<(Ts, Pattern, String)>,
    /// Raised with every change.
    pub(super) generation: u64,
}

impl AlertBook {
    /// A record was made or read.
    pub(in crate::service) fn note(&mut self, market: &InstrumentName, alert: &Alert) {
        let subject = alert.subject(market);
        let begins = matches!(alert.change, AlertChange::Opened | AlertChange::Happened);
        let mut moved = begins && COUNTED.contains(&alert.pattern) && {
            self.begun.insert((alert.opened_at, alert.pattern, subject.clone()))
        };
        let open = self.open.entry(market.clone()).or_default();
        moved |= match (alert.state, alert.change) {
            (_, AlertChange::Happened) => false,
            (AlertState::Open | AlertState::NoData, _) => open.insert(subject, alert.other.is_some()).is_none(),
            (AlertState::Closed, _) => open.remove(&subject).is_some(),
        };
        self.generation += u64::from(moved);
    }

    /// What is known of a market's episodes is read anew.
    pub(super) fn forget_open(&mut self, market: &InstrumentName) {
        self.generation += u64::from(self.open.remove(market).is_some());
    }

    /// Episodes of a market that are not over, as its headline counts them: without those of pairs, which are of two markets.
    pub(super) fn open(&self, market: &InstrumentName) -> usize {
        self.open.get(market).map_or(0, |open| open.values().filter(|of_pair| !**of_pair).count())
    }

    /// Episodes of all markets that are not over, those of pairs among them: what the list of open alerts shows.
    pub(super) fn all_open(&self) -> usize {
        self.open.values().map(BTreeMap::len).sum()
    }

    /// How many of a pattern began in the day before `now`; what is older is forgotten.
    pub(super) fn begun(&mut self, now: Ts) -> [usize; 2] {
        let first = now - DAY;
        while self.begun.first().is_some_and(|(at, ..)| *at < first) {
            self.begun.pop_first();
        }
        COUNTED.map(|pattern| self.begun.iter().filter(|(at, p, _)| *p == pattern && *at <= now).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::alert::BaseRate;
    use barograph_domain::{Severity, Span};

    fn record(pattern: Pattern, change: AlertChange, state: AlertState, hour: i64) -> Alert {
        let at = Ts(0) + Span::hours(hour);
        Alert {
            pattern,
            trigger: None,
            change,
            state,
            revision: 1,
            ts: at,
            severity: Severity::High,
            score: 1.0,
            opened_at: at,
            last_seen_at: at,
            closed_at: None,
            window_from: at,
            statistics: Vec::new(),
            data: Vec::new(),
            base_rate: BaseRate::default(),
            inhibited_by: None,
            other: None,
            rule: None,
        }
    }

    #[test]
    fn what_is_told_twice_counts_once_and_a_day_later_not_at_all() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let mut book = AlertBook::default();
        let cascade = |change, state| record(Pattern::LiquidationCascade, change, state, 10);
        for _ in 0..2 {
            book.note(&market, &cascade(AlertChange::Opened, AlertState::Open));
            book.note(&market, &record(Pattern::VolatilityRegimeChange, AlertChange::Happened, AlertState::Closed, 20));
        }
        let now = |hour| Ts(0) + Span::hours(hour);
        assert_eq!((book.open(&market), book.all_open(), book.begun(now(21))), (1, 1, [1, 1]));
        // A row counts what its headline knows of; the header everything.
        let mut pair = record(Pattern::CorrelationBreak, AlertChange::Opened, AlertState::Open, 20);
        pair.other = Some(InstrumentName::parse("okx:B-USDT").unwrap());
        book.note(&market, &pair);
        assert_eq!((book.open(&market), book.all_open()), (1, 2));
        (pair.change, pair.state) = (AlertChange::Closed, AlertState::Closed);
        book.note(&market, &pair);
        assert_eq!(book.all_open(), 1);
        book.note(&market, &cascade(AlertChange::Closed, AlertState::Closed));
        assert_eq!((book.open(&market), book.begun(now(35))), (0, [0, 1]));
        assert_eq!(book.begun(now(45)), [0, 0]);
    }
}
