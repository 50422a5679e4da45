//! What lies before this process, read from the store a few markets per turn. Each has its turn: one that cannot be read for now is asked
//! about again when all others have been, and what is damaged is given up.

use super::alerts::AlertBook;
use super::past::Trail;
use super::{Keeper, Kept};
use crate::render::Lens;
use crate::service::Service;
use barograph_domain::{KnownAlert, Span, Ts};
use barograph_store::{Error, RunKey};
use std::sync::{Mutex, PoisonError};

/// Markets whose past is read from the store in one turn.
const READS: usize = 8;

/// How it stands with a part of a market's past.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PastState {
    /// To be read.
    Unread,
    /// As the store had it.
    Known,
    /// As the store had it, to be read again; shown until then.
    Again,
    /// It is damaged: what is known without it is all there is.
    GivenUp,
}

impl PastState {
    /// What has been read may be otherwise by now.
    pub(super) fn read_again(&mut self) {
        if *self == Self::Known {
            *self = Self::Again;
        }
    }

    const fn is_to_be_read(self) -> bool {
        matches!(self, Self::Unread | Self::Again)
    }

    /// After a reading that failed.
    const fn after(self, failed: &Error) -> Self {
        if matches!(failed, Error::Corrupt { .. }) { Self::GivenUp } else { self }
    }
}

/// Where it is read.
pub(super) trait PastSource {
    /// The hour of a market that ends with a minute.
    fn last_hour(&self, key: &RunKey, lens: &Lens, last: Ts) -> barograph_store::Result<Trail>;
    /// See [`Service::records`].
    fn alerts(&self, key: &RunKey, newest: Ts, now: Ts) -> barograph_store::Result<Vec<KnownAlert>>;
}

impl PastSource for Service {
    fn last_hour(&self, key: &RunKey, lens: &Lens, last: Ts) -> barograph_store::Result<Trail> {
        self.trail(key, lens, last)
    }

    fn alerts(&self, key: &RunKey, newest: Ts, now: Ts) -> barograph_store::Result<Vec<KnownAlert>> {
        self.records(key, newest, now, None)
    }
}

impl Keeper {
    /// Reads what is missing, a few markets at a time; a line for whatever is given up.
    pub(super) fn read_past(&mut self, store: &dyn PastSource, book: &Mutex<AlertBook>, now: Ts) -> Vec<String> {
        let count = self.markets.len();
        let (mut left, mut lines) = (READS, Vec::new());
        for _ in 0..count {
            let at = self.next_read % count;
            let kept = &mut self.markets[at];
            if kept.is_to_be_read()
                && let Some(key) = kept.key()
            {
                if left == 0 {
                    break;
                }
                left -= 1;
                lines.extend(kept.read_hour(store, &key, now));
                lines.extend(kept.read_alerts(store, &key, book, now));
            }
            self.next_read = at + 1;
        }
        lines
    }
}

impl Kept {
    /// Is something of its past still to be read? Each part may fail alone, as where the store is busy for a moment.
    fn is_to_be_read(&self) -> bool {
        self.minutes.is_to_be_read() || self.alerts.is_to_be_read()
    }

    /// Is something of its past not known at all yet?
    pub(super) fn lacks_past(&self) -> bool {
        self.minutes == PastState::Unread || self.alerts == PastState::Unread
    }

    fn read_hour(&mut self, store: &dyn PastSource, key: &RunKey, now: Ts) -> Option<String> {
        if !self.minutes.is_to_be_read() {
            return None;
        }
        let latest = self.latest.as_ref()?;
        match store.last_hour(key, &latest.lens, latest.row.ts) {
            Ok(mut trail) => {
                trail.followed_by(&self.trail);
                trail.changes.retain(|c| c.at >= now - Span::hours(1));
                self.trail = trail;
                self.moved = true;
                self.minutes = PastState::Known;
            }
            Err(failed) => {
                self.minutes = self.minutes.after(&failed);
                let line = || format!("the line of {} on the board begins now: {failed}", key.instrument);
                return (self.minutes == PastState::GivenUp).then(line);
            }
        }
        None
    }

    fn read_alerts(
        &mut self,
        store: &dyn PastSource,
        key: &RunKey,
        book: &Mutex<AlertBook>,
        now: Ts,
    ) -> Option<String> {
        if !self.alerts.is_to_be_read() {
            return None;
        }
        let newest = self.latest.as_ref()?.row.ts;
        let read = store.alerts(key, newest, now);
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(records) => {
                book.read(&key.instrument, &records);
                self.alerts = PastState::Known;
                self.moved = true;
                None
            }
            Err(failed) => {
                self.alerts = self.alerts.after(&failed);
                (self.alerts == PastState::GivenUp).then(|| {
                    book.give_up(&key.instrument);
                    format!("the board counts only new alerts of {}: {failed}", key.instrument)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::alerts::tests::record;
    use super::*;
    use crate::render::instrument;
    use crate::service::Latest;
    use barograph_domain::alert::{AlertChange, AlertState};
    use barograph_domain::{InstrumentName, MinuteRow, Pattern};
    use barograph_engine::rules::RuleBook;
    use core::cell::RefCell;
    use core::time::Duration;
    use std::path::PathBuf;
    use std::sync::Arc;

    const NOW: Ts = Ts::from_secs(15 * 3_600);

    /// How the store answers about the alerts of a market.
    #[derive(Clone, Copy, PartialEq)]
    enum Answer {
        /// A cascade that has not ended.
        OneOpen,
        Away,
        Damaged,
    }

    /// A store that answers about each market as it is set to, and remembers what it was asked.
    struct Scripted {
        answers: Vec<Answer>,
        asked: RefCell<Vec<usize>>,
    }

    impl Scripted {
        fn answer(&self, key: &RunKey) -> barograph_store::Result<()> {
            let market: usize = key.logic_version.parse().unwrap();
            self.asked.borrow_mut().push(market);
            let path = PathBuf::from("barograph.db");
            match self.answers[market] {
                Answer::OneOpen => Ok(()),
                Answer::Away => {
                    let (retry_after, reason) = (Duration::from_secs(1), "starting".to_owned());
                    Err(Error::Unavailable { path, retry_after, reason })
                }
                Answer::Damaged => Err(Error::Corrupt { path, detail: "the alert cannot be read".to_owned() }),
            }
        }

        fn take_asked(&self) -> Vec<usize> {
            core::mem::take(&mut *self.asked.borrow_mut())
        }
    }

    impl PastSource for Scripted {
        fn last_hour(&self, _: &RunKey, _: &Lens, _: Ts) -> barograph_store::Result<Trail> {
            Ok(Trail::default())
        }

        fn alerts(&self, key: &RunKey, _: Ts, _: Ts) -> barograph_store::Result<Vec<KnownAlert>> {
            self.answer(key)?;
            let alert = record(Pattern::LiquidationCascade, AlertChange::Opened, AlertState::Open, 10);
            Ok(vec![KnownAlert { known_at: alert.ts, alert }])
        }
    }

    /// A board of so many markets, each with a minute.
    fn keeper(markets: usize) -> Keeper {
        let kept = |n: usize| {
            let name = InstrumentName::parse(&format!("okx:M{n}-USDT")).unwrap();
            let lens = Lens {
                book: Arc::new(RuleBook::standard()),
                logic_version: n.to_string(),
                instrument: instrument(&name),
                streams: Arc::from([]),
                corrected: Arc::default(),
                held: None,
                calls: None,
            };
            let row = MinuteRow::bare(NOW);
            let latest = Latest { lens, first: NOW, row, previous: None, rendered: Mutex::default() };
            Kept { latest: Some(Arc::new(latest)), ..Kept::new(name) }
        };
        Keeper { markets: (0..markets).map(kept).collect(), ..Keeper::default() }
    }

    /// One turn; the markets that were asked about.
    fn turn(keeper: &mut Keeper, store: &Scripted, book: &Mutex<AlertBook>) -> Vec<usize> {
        keeper.markets.iter_mut().for_each(|kept| kept.moved = false);
        keeper.read_past(store, book, NOW);
        store.take_asked()
    }

    #[test]
    fn markets_behind_those_that_fail_have_their_turn() {
        let (mut keeper, book) = (keeper(20), Mutex::default());
        let mut store = Scripted { answers: vec![Answer::OneOpen; 20], asked: RefCell::default() };
        store.answers[..READS].fill(Answer::Away);
        let turns: Vec<Vec<usize>> = (0..4).map(|_| turn(&mut keeper, &store, &book)).collect();
        // The rest of the third turn is for those that failed, and so are all others.
        let want: [Vec<usize>; 4] =
            [(0..8).collect(), (8..16).collect(), (16..20).chain(0..4).collect(), (4..8).chain(0..4).collect()];
        assert_eq!(turns, want);
        assert_eq!(book.lock().unwrap().all_open(), 12);
        let moved = keeper.markets.iter().filter(|kept| kept.moved).count();
        assert_eq!(moved, 0, "nothing new is to be shown of markets that failed again");
    }

    #[test]
    fn what_a_busy_store_did_not_say_is_asked_for_again() {
        let (mut keeper, book) = (keeper(1), Mutex::default());
        let mut store = Scripted { answers: vec![Answer::Away], asked: RefCell::default() };
        for _ in 0..3 {
            assert_eq!(turn(&mut keeper, &store, &book), [0]);
            assert_eq!(keeper.markets[0].minutes, PastState::Known, "its minutes came, its alerts did not");
        }
        assert_eq!(book.lock().unwrap().all_open(), 0);
        store.answers[0] = Answer::OneOpen;
        assert_eq!(turn(&mut keeper, &store, &book), [0]);
        assert_eq!(book.lock().unwrap().all_open(), 1);
        assert_eq!(turn(&mut keeper, &store, &book), [0_usize; 0], "all of it is known");
    }

    #[test]
    fn what_is_damaged_is_given_up_and_said_once() {
        let (mut keeper, book) = (keeper(2), Mutex::<AlertBook>::default());
        let store = Scripted { answers: vec![Answer::Damaged, Answer::OneOpen], asked: RefCell::default() };
        let heard = record(Pattern::FundingManipulation, AlertChange::Opened, AlertState::Open, 11);
        book.lock().unwrap().note(&keeper.markets[0].name, &heard);
        let mut said = Vec::new();
        for _ in 0..3 {
            said.extend(keeper.read_past(&store, &book, NOW));
            // Beside another process every minute is a reason to read again.
            keeper.markets.iter_mut().for_each(|kept| kept.alerts.read_again());
        }
        assert_eq!(store.take_asked(), [0, 1, 1, 1]);
        let want = "the board counts only new alerts of okx:M0-USDT: 'barograph.db' is damaged (the alert cannot be read); \
                    restore a copy or import again into a new data folder";
        assert_eq!(said, [want]);
        assert_eq!(book.lock().unwrap().all_open(), 2, "what was heard counts");
    }

    #[test]
    fn an_episode_that_ended_while_the_store_was_away_stays_over() {
        let (mut keeper, book) = (keeper(1), Mutex::<AlertBook>::default());
        let mut store = Scripted { answers: vec![Answer::Away], asked: RefCell::default() };
        turn(&mut keeper, &store, &book);
        let end = record(Pattern::LiquidationCascade, AlertChange::Closed, AlertState::Closed, 10);
        book.lock().unwrap().note(&keeper.markets[0].name, &end);
        // It answers before that end, which waits for it, is in it.
        store.answers[0] = Answer::OneOpen;
        assert_eq!(turn(&mut keeper, &store, &book), [0]);
        assert_eq!(book.lock().unwrap().all_open(), 0);
    }

    /// Whoever asks about one market gets no health of a minute that is long past.
    #[test]
    fn a_health_that_is_not_known_any_longer_is_handed_to_nobody() {
        use crate::service::aging_tests::{MARKETS, market, service};
        let folder = tempfile::tempdir().unwrap();
        let (service, _clock) = service(folder.path(), &[], &[]);
        service.update_board();
        let name = market(MARKETS[0]);
        assert!(service.health_on_board(&name).is_some());
        let mut keeper = service.board.keeper.lock().unwrap();
        let kept = keeper.markets.iter_mut().find(|kept| kept.name == name).unwrap();
        kept.alerts = PastState::Unread;
        assert!(kept.health(&service, NOW).is_none() && service.health_on_board(&name).is_none());
    }
}
