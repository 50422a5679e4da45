//! What the header counts: episodes that are not over, and what began in the last day. Kept in memory, rebuilt from the store.

use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::time::DAY;
use barograph_domain::{Alert, InstrumentName, KnownAlert, Pattern, Ts};
use std::collections::{BTreeMap, BTreeSet};

/// Patterns whose beginnings the header counts.
pub(super) const COUNTED: [Pattern; 2] = [Pattern::LiquidationCascade, Pattern::VolatilityRegimeChange];

/// Counters, by what was reported of each market. What was heard since the start counts before what the store says, which may be read
/// while records of this process still wait to be written.
#[derive(Debug, Default)]
pub struct AlertBook {
    markets: BTreeMap<InstrumentName, Episodes>,
    /// When, what, and of whom; what is reported twice is there once.
    begun: BTreeSet<(Ts, Pattern, String)>,
    /// Raised with every change.
    pub(super) generation: u64,
}

/// What is known of one market.
#[derive(Debug, Default)]
struct Episodes {
    /// By subject; `true` for what compares a market with another one.
    open: BTreeMap<String, bool>,
    answer: StoreAnswer,
}

/// Whether the store has said what it has of a market.
#[derive(Debug)]
enum StoreAnswer {
    /// To come. Of these subjects, one per detector, rule and pair at most, it has nothing new.
    Awaited { heard: BTreeSet<String> },
    /// It has, or cannot.
    Settled,
}

impl Default for StoreAnswer {
    fn default() -> Self {
        Self::Awaited { heard: BTreeSet::new() }
    }
}

impl Episodes {
    /// Takes in a record; has what is open changed?
    fn take(&mut self, subject: String, alert: &Alert) -> bool {
        match (alert.state, alert.change) {
            (_, AlertChange::Happened) => false,
            (AlertState::Open | AlertState::NoData, _) => self.open.insert(subject, alert.other.is_some()).is_none(),
            (AlertState::Closed, _) => self.open.remove(&subject).is_some(),
        }
    }
}

impl AlertBook {
    /// A record was made.
    pub fn note(&mut self, market: &InstrumentName, alert: &Alert) {
        let subject = alert.subject(market);
        let mut moved = self.begin(&subject, alert);
        let of = self.markets.entry(market.clone()).or_default();
        if let StoreAnswer::Awaited { heard } = &mut of.answer {
            heard.insert(subject.clone());
        }
        moved |= of.take(subject, alert);
        self.generation += u64::from(moved);
    }

    /// What the store says of a market, in order. Read for the first time it adds to what was heard; read again it stands in the place of
    /// what was known.
    pub(super) fn read(&mut self, market: &InstrumentName, records: &[KnownAlert]) {
        let of = self.markets.entry(market.clone()).or_default();
        let before = of.open.clone();
        let heard = match core::mem::replace(&mut of.answer, StoreAnswer::Settled) {
            StoreAnswer::Awaited { heard } => heard,
            StoreAnswer::Settled => {
                of.open.clear();
                BTreeSet::new()
            }
        };
        for KnownAlert { alert, .. } in records {
            let subject = alert.subject(market);
            if !heard.contains(&subject) {
                of.take(subject, alert);
            }
        }
        let mut moved = of.open != before;
        for KnownAlert { alert, .. } in records {
            moved |= self.begin(&alert.subject(market), alert);
        }
        self.generation += u64::from(moved);
    }

    /// What the store says of a market cannot be read: what was heard is all there is.
    pub(super) fn give_up(&mut self, market: &InstrumentName) {
        self.markets.entry(market.clone()).or_default().answer = StoreAnswer::Settled;
    }

    /// Adds what another one heard, before anything was read.
    pub(in crate::service) fn join(&mut self, other: Self) {
        for (market, theirs) in other.markets {
            let of = self.markets.entry(market).or_default();
            of.open.extend(theirs.open);
            let answers = (&mut of.answer, theirs.answer);
            if let (StoreAnswer::Awaited { heard }, StoreAnswer::Awaited { heard: more }) = answers {
                heard.extend(more);
            }
        }
        self.begun.extend(other.begun);
        self.generation += 1;
    }

    /// Is it new that this began?
    fn begin(&mut self, subject: &str, alert: &Alert) -> bool {
        let begins = matches!(alert.change, AlertChange::Opened | AlertChange::Happened);
        begins
            && COUNTED.contains(&alert.pattern)
            && self.begun.insert((alert.opened_at, alert.pattern, subject.to_owned()))
    }

    /// Episodes of a market that are not over, as its headline counts them: without those of pairs, which are of two markets.
    pub(super) fn open(&self, market: &InstrumentName) -> usize {
        self.markets.get(market).map_or(0, |of| of.open.values().filter(|of_pair| !**of_pair).count())
    }

    /// Episodes of all markets that are not over, those of pairs among them: what the list of open alerts shows.
    pub(super) fn all_open(&self) -> usize {
        self.markets.values().map(|of| of.open.len()).sum()
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
pub(super) mod tests {
    use super::*;
    use barograph_domain::{Severity, Span};

    pub(in super::super) fn record(pattern: Pattern, change: AlertChange, state: AlertState, hour: i64) -> Alert {
        let at = Ts(0) + Span::hours(hour);
        Alert { change, state, ..Alert::opened(pattern, at, Severity::High) }
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

    const HOURS: [i64; 3] = [10, 12, 14];

    fn known(change: AlertChange, state: AlertState, hour: i64) -> KnownAlert {
        let alert = record(Pattern::LiquidationCascade, change, state, hour);
        KnownAlert { known_at: alert.ts, alert }
    }

    /// The database was away: it answers before the records of this process that wait for it are in it.
    #[test]
    fn a_late_answer_of_the_store_overrules_nothing_that_was_heard() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let [first, second, third] = HOURS;
        let opened = |hour| known(AlertChange::Opened, AlertState::Open, hour);
        let closed = |hour| known(AlertChange::Closed, AlertState::Closed, hour);
        // What is heard, what the store says then, and how many are open and have begun.
        let cases = [
            (vec![closed(first)], vec![opened(first)], (0, 1)),
            (vec![opened(second), closed(second)], vec![opened(second)], (0, 1)),
            (vec![closed(first), opened(third)], vec![opened(first), closed(first)], (1, 2)),
            (vec![], vec![opened(first)], (1, 1)),
            (vec![], vec![opened(first), closed(first)], (0, 1)),
        ];
        let now = Ts(0) + Span::hours(15);
        for (i, (heard, stored, want)) in cases.into_iter().enumerate() {
            let (mut book, mut replayed) = (AlertBook::default(), AlertBook::default());
            for KnownAlert { alert, .. } in &heard {
                book.note(&market, alert);
                replayed.note(&market, alert);
            }
            // Heard in a journal that was run again it counts the same.
            let mut joined = AlertBook::default();
            joined.join(replayed);
            for mut book in [book, joined] {
                book.read(&market, &stored);
                assert_eq!((book.open(&market), book.begun(now)[0]), want, "case {i}");
                assert!(
                    matches!(book.markets[&market].answer, StoreAnswer::Settled),
                    "nothing is remembered any longer"
                );
            }
        }
    }

    #[test]
    fn what_is_read_again_stands_in_the_place_of_what_was_known() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let mut book = AlertBook::default();
        let opened = [known(AlertChange::Opened, AlertState::Open, 10)];
        book.read(&market, &opened);
        let told = book.generation;
        book.read(&market, &opened);
        assert_eq!((book.open(&market), book.generation), (1, told), "nothing new");
        book.read(&market, &[]);
        assert_eq!(book.open(&market), 0, "a correction took it back");
        assert!(book.generation > told);
        book.note(&market, &opened[0].alert);
        book.give_up(&market);
        assert_eq!(book.open(&market), 1, "what is known stays where no more can be read");
    }
}
