//! Watches: what somebody wants to hear of once it turns ([`condition`]), judged row by row in the order of minutes ([`Kept::step`]),
//! kept in one file of the data folder ([`desk`]).
//!
//! Rows are judged as they were published, each once: a row that is corrected later is not judged again, and no row of a minute
//! before the watch was asked for can make it come true. Between two turns nothing changes but which minute was judged last, so that
//! what a killed process had not written yet is judged again with the same result. Only for a signal ([`signal`]) is that minute written each
//! time: a history of one may come later, with moments of the past since when it is known ([`minutes`]).

pub mod condition;
mod desk;
pub mod minutes;
pub mod signal;

pub use desk::{DeskError, WAITING_MAX, WatchDesk, read};

use barograph_api::watches::UserWatch;
use barograph_domain::{Span, Ts};
use condition::{Condition, WatchedReading};
use serde::{Deserialize, Serialize};

/// After a turn a standing watch stays quiet for so long: a number at its limit would report itself every minute.
pub const QUIET: Span = Span::mins(30);
/// Turns kept with a watch.
pub const CHANGES_KEPT: usize = 20;

/// A watch with what is remembered of the minutes judged so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What was asked for, and what became of it.
    pub watch: UserWatch,
    /// The last reading, as [`WatchedReading::word`] has it.
    pub last: Option<String>,
    /// The minute that was judged last.
    pub judged: Option<Ts>,
    /// Turns since the last one that was reported.
    #[serde(default)]
    pub unreported: u32,
}

/// A watch came true: what is to be reported of it.
#[derive(Clone, PartialEq, Debug)]
pub struct WatchedChange {
    /// The reading before.
    pub before: String,
    /// What it is now.
    pub now: WatchedReading,
    /// Turns that were not reported since the last that was.
    pub unreported: u32,
}

impl Kept {
    /// A new watch over what the newest published minute reads as.
    pub fn new(watch: UserWatch, newest: Option<Ts>, reading: Option<&WatchedReading>) -> Self {
        Self { watch, last: reading.map(|r| r.word.to_owned()), judged: newest, unreported: 0 }
    }

    /// Does it go on?
    pub fn goes_on(&self) -> bool {
        self.watch.ended_at.is_none()
    }

    /// Judges one minute by its reading; those that were judged are passed over.
    pub fn step(&mut self, condition: &Condition, ts: Ts, reading: Option<WatchedReading>) -> Option<WatchedChange> {
        if !self.goes_on() || self.judged.is_some_and(|judged| ts <= judged) {
            return None;
        }
        self.judged = Some(ts);
        let now = reading?;
        let before = self.last.replace(now.word.to_owned())?;
        if ts <= self.watch.created_at || !condition.becomes_met(&before, now.word) {
            return None;
        }
        let quiet = self.watch.fired.first().is_some_and(|turn| ts < turn.ts + QUIET);
        if quiet {
            self.unreported = self.unreported.saturating_add(1);
            return None;
        }
        Some(WatchedChange { before, now, unreported: std::mem::take(&mut self.unreported) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_api::watches::WatchChange;
    use barograph_domain::{AxisState, InstrumentName, MinuteRow, RiskRegime};

    pub(super) fn watch(repeat: bool, created_at: Ts) -> UserWatch {
        UserWatch {
            id: "wat_1".to_owned(),
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            when: "price below 100".to_owned(),
            words: "price falls below 100".to_owned(),
            repeat,
            note: None,
            to: Vec::new(),
            created_at,
            ended_at: None,
            turns: 0,
            fired: Vec::new(),
        }
    }

    fn row(minute: i64, price: Option<f64>) -> MinuteRow {
        MinuteRow { price, risk: AxisState::<RiskRegime>::default(), ..MinuteRow::bare(Ts(0) + Span::mins(minute)) }
    }

    fn turn(minute: i64) -> WatchChange {
        WatchChange {
            ts: Ts(0) + Span::mins(minute),
            known_at: Ts(0) + Span::mins(minute),
            title: String::new(),
            text: String::new(),
            headline: String::new(),
            new_entries: String::new(),
            open_positions: String::new(),
        }
    }

    fn begun(watch: UserWatch, condition: &Condition, newest: Option<&MinuteRow>) -> Kept {
        Kept::new(watch, newest.map(|row| row.ts), newest.and_then(|row| condition.reading(row)).as_ref())
    }

    fn stepped(kept: &mut Kept, condition: &Condition, row: &MinuteRow) -> Option<WatchedChange> {
        kept.step(condition, row.ts, condition.reading(row))
    }

    fn minutes(kept: &mut Kept, rows: &[(i64, Option<f64>)]) -> Vec<i64> {
        let condition = Condition::parse(&kept.watch.when).unwrap();
        let mut out = Vec::new();
        for (minute, price) in rows {
            if stepped(kept, &condition, &row(*minute, *price)).is_some() {
                kept.watch.fired.insert(0, turn(*minute));
                out.push(*minute);
            }
        }
        out
    }

    const FALLS: [(i64, Option<f64>); 8] = [
        (1, Some(99.0)),
        (2, Some(101.0)),
        (3, None),
        (4, Some(98.0)),
        (5, Some(101.0)),
        (6, Some(99.0)),
        (40, Some(101.0)),
        (41, Some(99.0)),
    ];

    #[test]
    fn it_begins_when_it_is_asked_for_and_a_missing_reading_turns_nothing() {
        let condition = Condition::parse("price below 100").unwrap();
        // Minute 1 fell before anybody asked; minute 3 has no price.
        let mut kept = begun(watch(true, Ts(0) + Span::secs(90)), &condition, Some(&row(0, Some(101.0))));
        assert_eq!(minutes(&mut kept, &FALLS), [4, 41], "6 is within the quiet half hour");
        assert_eq!(kept.judged, Some(Ts(0) + Span::mins(41)));
    }

    #[test]
    fn what_nobody_saw_before_is_no_turn() {
        let condition = Condition::parse("price below 100").unwrap();
        let mut kept = begun(watch(true, Ts(0)), &condition, None);
        assert_eq!(minutes(&mut kept, &FALLS[..1]), [0_i64; 0]);
        assert_eq!(kept.last.as_deref(), Some("yes"));
    }

    #[test]
    fn judged_again_after_a_restart_it_comes_to_the_same() {
        let condition = Condition::parse("price below 100").unwrap();
        let new = || begun(watch(true, Ts(0) + Span::secs(1)), &condition, Some(&row(0, Some(101.0))));
        let mut whole = new();
        let all = minutes(&mut whole, &FALLS);
        for stop in 0..FALLS.len() {
            let mut kept = new();
            let mut found = minutes(&mut kept, &FALLS[..stop]);
            let text = serde_json::to_string(&kept).unwrap();
            let mut restored: Kept = serde_json::from_str(&text).unwrap();
            // The store gives some of the rows again.
            found.extend(minutes(&mut restored, &FALLS[stop.saturating_sub(2)..]));
            assert_eq!((found, &restored), (all.clone(), &whole), "stopped after {stop}");
        }
    }

    #[test]
    fn turns_within_the_quiet_time_are_counted_with_the_next() {
        let condition = Condition::parse("price below 100").unwrap();
        let mut kept = begun(watch(true, Ts(0)), &condition, Some(&row(0, Some(101.0))));
        minutes(&mut kept, &FALLS[..7]);
        let last = stepped(&mut kept, &condition, &row(41, Some(99.0))).unwrap();
        assert_eq!((last.unreported, kept.unreported), (2, 0), "minutes 4 and 6 after minute 1");
        kept.watch.ended_at = Some(Ts(0));
        assert_eq!(stepped(&mut kept, &condition, &row(90, Some(101.0))), None, "it has ended");
    }
}
