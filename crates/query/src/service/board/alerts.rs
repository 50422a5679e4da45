//! What the header counts, and what weighs on the health of a market: episodes that are not over, what began in the last day, and what
//! ended in the last hours. Kept in memory, rebuilt from the store.

use crate::health::may_weigh;
use barograph_domain::alert::{AlertChange, AlertState};
use barograph_domain::health::{ALERTS_OF, AlertBurden};
use barograph_domain::time::DAY;
use barograph_domain::{Alert, InstrumentName, KnownAlert, Pattern, Severity, Span, Trigger, Ts};
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
    /// Markets of which something has changed since it was asked last.
    changed: BTreeSet<InstrumentName>,
}

/// What is known of one market.
#[derive(Debug, Default)]
struct Episodes {
    /// By subject.
    open: BTreeMap<String, OpenEpisode>,
    /// What weighs on its health, by subject and beginning.
    weighing: BTreeMap<(String, Ts), Weighing>,
    answer: StoreAnswer,
}

/// An episode that weighs.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Weighing {
    pattern: Pattern,
    trigger: Option<Trigger>,
    severity: Severity,
    /// The greatest of its records: the last one has the score of a calm minute.
    score: f64,
    /// When it closed; `None` while it is open.
    closed: Option<Ts>,
    /// A stronger one says the same by now.
    inhibited: bool,
}

/// An episode that is not over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct OpenEpisode {
    counted: CountedAs,
    pattern: Pattern,
    trigger: Option<Trigger>,
    /// No input of it is missing.
    has_data: bool,
}

impl OpenEpisode {
    fn of(alert: &Alert) -> Self {
        let has_data = alert.state == AlertState::Open;
        Self { counted: CountedAs::of(alert), pattern: alert.pattern, trigger: alert.trigger, has_data }
    }
}

/// What an open episode is counted among.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CountedAs {
    /// The market's own.
    Own,
    /// The market's own that are experimental.
    Experimental,
    /// What compares a market with another one.
    Pair,
}

impl CountedAs {
    const fn of(alert: &Alert) -> Self {
        match (&alert.other, alert.pattern.is_experimental()) {
            (Some(_), _) => Self::Pair,
            (None, true) => Self::Experimental,
            (None, false) => Self::Own,
        }
    }
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
        let moved = self.weigh(&subject, alert);
        let other = match (alert.state, alert.change) {
            (_, AlertChange::Happened) => false,
            (AlertState::Open | AlertState::NoData, _) => {
                let new = OpenEpisode::of(alert);
                self.open.insert(subject, new) != Some(new)
            }
            (AlertState::Closed, _) => self.open.remove(&subject).is_some(),
        };
        moved || other
    }

    /// Takes in what a record says of an episode's weight; is it another one than before?
    fn weigh(&mut self, subject: &str, alert: &Alert) -> bool {
        let inhibited = alert.inhibited_by.is_some();
        if !may_weigh(alert.pattern) {
            return false;
        }
        let key = (subject.to_owned(), alert.opened_at);
        let Alert { pattern, trigger, severity, .. } = *alert;
        let score = self.weighing.get(&key).map_or(alert.score, |known| known.score.max(alert.score));
        let closed = (alert.state == AlertState::Closed).then(|| alert.closed_at.unwrap_or(alert.ts));
        // An episode that was opened anew after a record was lost leaves its older beginnings behind.
        self.weighing.retain(|(of, began), known| {
            known.closed.map_or(of != subject || *began >= alert.opened_at, |at| alert.ts - at < ALERTS_OF)
        });
        let new = Weighing { pattern, trigger, severity, score, closed, inhibited };
        self.weighing.insert(key, new) != Some(new)
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
        self.note_change(market, moved);
    }

    /// What the store says of a market, in order. Read for the first time it adds to what was heard; read again it stands in the place of
    /// what was known.
    pub(super) fn read(&mut self, market: &InstrumentName, records: &[KnownAlert]) {
        let of = self.markets.entry(market.clone()).or_default();
        let before = (of.open.clone(), of.weighing.clone());
        let heard = match core::mem::replace(&mut of.answer, StoreAnswer::Settled) {
            StoreAnswer::Awaited { heard } => heard,
            StoreAnswer::Settled => {
                of.open.clear();
                of.weighing.clear();
                BTreeSet::new()
            }
        };
        for KnownAlert { alert, .. } in records {
            let subject = alert.subject(market);
            if !heard.contains(&subject) {
                of.take(subject, alert);
            } else if let Some(known) = of.weighing.get_mut(&(subject.clone(), alert.opened_at)) {
                // Records that came before what was heard may have a greater score.
                known.score = known.score.max(alert.score);
            } else if alert.state == AlertState::Closed {
                // An earlier episode of what was heard since.
                of.weigh(&subject, alert);
            }
        }
        let mut moved = (&of.open, &of.weighing) != (&before.0, &before.1);
        for KnownAlert { alert, .. } in records {
            moved |= self.begin(&alert.subject(market), alert);
        }
        self.note_change(market, moved);
    }

    /// What the store says of a market cannot be read: what was heard is all there is.
    pub(super) fn give_up(&mut self, market: &InstrumentName) {
        self.markets.entry(market.clone()).or_default().answer = StoreAnswer::Settled;
    }

    /// Adds what another one heard, before anything was read.
    pub(in crate::service) fn join(&mut self, other: Self) {
        for (market, theirs) in other.markets {
            self.changed.insert(market.clone());
            let of = self.markets.entry(market).or_default();
            of.open.extend(theirs.open);
            of.weighing.extend(theirs.weighing);
            let answers = (&mut of.answer, theirs.answer);
            if let (StoreAnswer::Awaited { heard }, StoreAnswer::Awaited { heard: more }) = answers {
                heard.extend(more);
            }
        }
        self.begun.extend(other.begun);
        self.generation += 1;
    }

    fn note_change(&mut self, market: &InstrumentName, moved: bool) {
        if moved {
            self.generation += 1;
            self.changed.insert(market.clone());
        }
    }

    /// Markets of which something has changed since this was asked last.
    pub(super) fn take_changed(&mut self) -> BTreeSet<InstrumentName> {
        core::mem::take(&mut self.changed)
    }

    /// Is it new that this began?
    fn begin(&mut self, subject: &str, alert: &Alert) -> bool {
        let begins = matches!(alert.change, AlertChange::Opened | AlertChange::Happened);
        begins
            && COUNTED.contains(&alert.pattern)
            && self.begun.insert((alert.opened_at, alert.pattern, subject.to_owned()))
    }

    /// Episodes of a market that are not over: without those of pairs, which are of two markets. And how many of them are experimental.
    pub(super) fn open(&self, market: &InstrumentName) -> (usize, usize) {
        let counted = |of: &Episodes, what| of.open.values().filter(|one| one.counted == what).count();
        self.markets.get(market).map_or((0, 0), |of| {
            let experimental = counted(of, CountedAs::Experimental);
            (counted(of, CountedAs::Own) + experimental, experimental)
        })
    }

    /// Episodes of all markets that are not over, those of pairs among them: what the list of open alerts shows.
    pub(super) fn all_open(&self) -> usize {
        self.markets.values().map(|of| of.open.len()).sum()
    }

    /// What weighs on the health of a market at a moment, as [`crate::analysis`] finds it in the store.
    pub(super) fn burdens(&self, market: &InstrumentName, moment: Ts) -> Vec<AlertBurden> {
        let all = self.markets.get(market).into_iter().flat_map(|of| of.weighing.values());
        let aged = all.filter(|w| !w.inhibited).map(|w| (w, w.closed.map(|at| (moment - at).max(Span::ZERO))));
        let recent = aged.filter(|(_, age)| age.is_none_or(|age| age < ALERTS_OF));
        recent.map(|(w, age)| AlertBurden::new((w.pattern, w.trigger), w.severity, w.score, age)).collect()
    }

    /// What is open of a market and has its data, whether it weighs or not.
    pub(super) fn open_with_data(&self, market: &InstrumentName) -> Vec<(Pattern, Option<Trigger>)> {
        let all = self.markets.get(market).into_iter().flat_map(|of| of.open.values());
        all.filter(|one| one.has_data).map(|one| (one.pattern, one.trigger)).collect()
    }

    /// Those of them that are experimental.
    pub(super) fn all_experimental(&self) -> usize {
        let open = self.markets.values().flat_map(|of| of.open.values());
        open.filter(|one| one.counted == CountedAs::Experimental).count()
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
        assert_eq!((book.open(&market), book.all_open(), book.begun(now(21))), ((1, 0), 1, [1, 1]));
        // A row counts what its headline knows of; the header everything.
        let mut pair = record(Pattern::CorrelationBreak, AlertChange::Opened, AlertState::Open, 20);
        pair.other = Some(InstrumentName::parse("okx:B-USDT").unwrap());
        book.note(&market, &pair);
        assert_eq!((book.open(&market), book.all_open()), ((1, 0), 2));
        (pair.change, pair.state) = (AlertChange::Closed, AlertState::Closed);
        book.note(&market, &pair);
        assert_eq!(book.all_open(), 1);
        book.note(&market, &cascade(AlertChange::Closed, AlertState::Closed));
        assert_eq!((book.open(&market), book.begun(now(35))), ((0, 0), [0, 1]));
        assert_eq!(book.begun(now(45)), [0, 0]);
    }

    #[test]
    fn experimental_episodes_are_counted_and_counted_apart() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let mut book = AlertBook::default();
        let spoofing = |change, state| record(Pattern::Spoofing, change, state, 10);
        book.note(&market, &spoofing(AlertChange::Opened, AlertState::Open));
        book.note(&market, &record(Pattern::FundingAnomaly, AlertChange::Opened, AlertState::Open, 10));
        assert_eq!((book.open(&market), book.all_open(), book.all_experimental()), ((2, 1), 2, 1));
        book.note(&market, &spoofing(AlertChange::Closed, AlertState::Closed));
        assert_eq!((book.open(&market), book.all_open(), book.all_experimental()), ((1, 0), 1, 0));
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
                assert_eq!((book.open(&market).0, book.begun(now)[0]), want, "case {i}");
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
        assert_eq!((book.open(&market), book.generation), ((1, 0), told), "nothing new");
        book.read(&market, &[]);
        assert_eq!(book.open(&market), (0, 0), "a correction took it back");
        assert!(book.generation > told);
        book.note(&market, &opened[0].alert);
        book.give_up(&market);
        assert_eq!(book.open(&market), (1, 0), "what is known stays where no more can be read");
    }

    /// R3.28: as long as an episode is open it weighs whole, then half as much with each hour, and not at all six hours later; whatever
    /// was heard before the store answered.
    #[test]
    fn what_weighs_is_forgotten_six_hours_after_its_end() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let mut opened = known(AlertChange::Opened, AlertState::Open, 10);
        opened.alert.score = 80.0;
        let closed = {
            let mut end = known(AlertChange::Closed, AlertState::Closed, 12);
            end.alert.score = 80.0;
            (end.alert.opened_at, end.alert.closed_at) = (opened.alert.opened_at, Some(end.alert.ts));
            end
        };
        let weights = |book: &AlertBook| {
            let at = |hour| {
                let all = book.burdens(&market, Ts(0) + Span::hours(hour));
                all.iter().map(|b| (b.weight / 0.5 * 1e3).round()).collect::<Vec<f64>>()
            };
            [at(12), at(13), at(17), at(18)]
        };
        let score = opened.alert.score / 100.0;
        let scaled = |shares: &[f64]| shares.iter().map(|s| (s * score * 1e3).round()).collect::<Vec<f64>>();
        let want = [scaled(&[1.0]), scaled(&[0.5]), scaled(&[1.0 / 32.0]), scaled(&[])];
        let mut heard = AlertBook::default();
        for record in [&opened, &closed] {
            heard.note(&market, &record.alert);
        }
        assert_eq!(weights(&heard), want);
        // Heard was the next episode only: the one before is the store's to know.
        let mut later = AlertBook::default();
        let mut next = known(AlertChange::Opened, AlertState::Open, 13);
        next.alert.inhibited_by = Some(Pattern::VolatilityRegimeChange);
        later.note(&market, &next.alert);
        later.read(&market, &[opened.clone(), closed.clone()]);
        assert_eq!(weights(&later), want);
        let again = [opened, closed];
        later.read(&market, &again);
        let told = later.generation;
        later.read(&market, &again);
        assert_eq!((weights(&later), later.generation), (want, told), "read again it is the same");
    }

    /// R3.28: what the store has of an earlier episode takes nothing from one that is open; records before what was noted may have a
    /// greater score.
    #[test]
    fn an_earlier_episode_leaves_the_open_one_its_weight() {
        let market = InstrumentName::parse("okx:A-USDT").unwrap();
        let scored = |mut known: KnownAlert, opened: i64, score| {
            known.alert.opened_at = Ts(0) + Span::hours(opened);
            known.alert.closed_at = (known.alert.state == AlertState::Closed).then_some(known.alert.ts);
            known.alert.score = score;
            known
        };
        let open = |hour, began, score| scored(known(AlertChange::Updated, AlertState::Open, hour), began, score);
        let closed = |hour, began, score| scored(known(AlertChange::Closed, AlertState::Closed, hour), began, score);
        // What is noted, what the store has then, and the scores that weigh at 15:00.
        let cases = [
            (vec![open(14, 13, 70.0)], vec![closed(12, 10, 80.0)], vec![80.0, 70.0]),
            (vec![open(14, 13, 70.0)], vec![closed(12, 10, 80.0), open(13, 13, 90.0)], vec![80.0, 90.0]),
            (vec![closed(14, 13, 0.5)], vec![open(13, 13, 90.0)], vec![90.0]),
            (vec![open(13, 13, 90.0), closed(14, 13, 0.5)], vec![], vec![90.0]),
        ];
        for (i, (noted, stored, want)) in cases.into_iter().enumerate() {
            let mut book = AlertBook::default();
            noted.iter().for_each(|known| book.note(&market, &known.alert));
            book.read(&market, &stored);
            let all = book.burdens(&market, Ts(0) + Span::hours(15));
            assert_eq!(all.iter().map(|b| b.anomaly_score).collect::<Vec<f64>>(), want, "case {i}");
            assert_eq!((book.take_changed(), book.take_changed()), ([market.clone()].into(), BTreeSet::new()));
        }
        // Its data are away: it is open, and could not be judged.
        let mut book = AlertBook::default();
        for (state, with_data) in [(AlertState::Open, 1), (AlertState::NoData, 0), (AlertState::Open, 1)] {
            book.note(&market, &Alert { state, ..open(14, 13, 70.0).alert });
            assert_eq!((book.open_with_data(&market).len(), book.open(&market).0), (with_data, 1));
        }
    }
}
