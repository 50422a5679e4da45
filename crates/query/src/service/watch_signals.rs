//! Watches on signals, beside those on rows: what a condition reads as in minutes, and where it stands.
//!
//! Only here the store is asked for signals, and only for a watch that is on one: with none, a minute costs what it did.

use super::{Latest, Service, unreadable};
use crate::declared::DeclaredFault;
use crate::service::watches::bad;
use crate::signal_revisions::{OF_OPTIONS, options_of, scopes_on};
use crate::watch::condition::{Condition, WatchedReading};
use crate::watch::minutes::{judged_numbers, seen_signal};
use crate::watch::signal::WatchedSignal;
use barograph_api::QueryError;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, MinuteRow, SignalNumber, SignalScope, Ts};
use barograph_study::money::rule::alike;

/// Where a condition is in the newest minute.
#[derive(Debug, Default)]
pub(super) struct SeenNow {
    pub(super) reading: Option<WatchedReading>,
    /// In words.
    pub(super) state: Option<String>,
    /// Why a signal has no reading.
    pub(super) why_none: Option<String>,
}

/// Why a condition on a signal cannot be followed.
#[derive(Debug)]
pub(super) enum WatchFault {
    /// It has to be written otherwise.
    Meant(String),
    /// The store's failure.
    Store(QueryError),
}

impl WatchFault {
    /// As the refusal of a condition.
    pub(super) fn of(self, when: &str) -> QueryError {
        match self {
            Self::Meant(why) => bad("when", when, why),
            Self::Store(e) => e,
        }
    }

    pub(super) fn sentence(self) -> String {
        match self {
            Self::Meant(why) => why,
            Self::Store(e) => e.to_string(),
        }
    }
}

impl From<DeclaredFault> for WatchFault {
    fn from(fault: DeclaredFault) -> Self {
        match fault {
            DeclaredFault::Meant(why) => Self::Meant(why),
            DeclaredFault::Store(e) => Self::Store(unreadable(&e)),
        }
    }
}

impl Service {
    /// Where a condition is in the newest minute of a market.
    pub(super) fn watch_now(
        &self,
        condition: &Condition,
        market: &InstrumentName,
        latest: Option<&Latest>,
    ) -> Result<SeenNow, WatchFault> {
        let Some(latest) = latest else { return Ok(SeenNow::default()) };
        let Some(signal) = condition.signal() else {
            let reading = condition.reading(&latest.row);
            return Ok(SeenNow { state: reading.as_ref().map(|now| condition.state(now)), reading, why_none: None });
        };
        let seen = seen_signal(self.reader.as_ref(), signal, market, latest.row.ts + LATENESS)?;
        let reading = seen.number.map(|number| signal.reading(number));
        Ok(SeenNow { reading, state: signal.state(&seen), why_none: seen.why_none })
    }

    /// What a condition reads as in published minutes after the one that was judged last.
    pub(super) fn readings<'a>(
        &self,
        condition: &Condition,
        market: &InstrumentName,
        (judged, rows): (Option<Ts>, &'a [MinuteRow]),
    ) -> Result<Vec<(&'a MinuteRow, Option<WatchedReading>)>, QueryError> {
        let rows = rows.iter().filter(|row| judged.is_none_or(|judged| judged < row.ts));
        let Some(signal) = condition.signal() else {
            return Ok(rows.map(|row| (row, condition.reading(row))).collect());
        };
        let rows: Vec<&MinuteRow> = rows.collect();
        let known: Vec<Ts> = rows.iter().map(|row| row.ts + LATENESS).collect();
        let numbers = judged_numbers(self.reader.as_ref(), signal, market, &known).map_err(|e| unreadable(&e))?;
        Ok(rows.into_iter().zip(numbers).map(|(row, number)| (row, number.map(|n| signal.reading(n)))).collect())
    }

    /// What happened in a minute, with value, unit, age and source.
    pub(super) fn signal_reported(
        &self,
        signal: &WatchedSignal,
        market: &InstrumentName,
        now: &WatchedReading,
        ts: Ts,
    ) -> Result<(String, String), QueryError> {
        let seen = match seen_signal(self.reader.as_ref(), signal, market, ts + LATENESS) {
            Ok(seen) => seen,
            // It had a number a moment ago; the number is reported without what stands behind it.
            Err(DeclaredFault::Meant(_)) => Default::default(),
            Err(DeclaredFault::Store(e)) => return Err(unreadable(&e)),
        };
        Ok(signal.reported(now, &seen))
    }

    /// A name of which nothing is known, though one that is written almost alike speaks of the market, is a slip. One like no other may get its
    /// first value yet.
    pub(super) fn is_known(&self, signal: &WatchedSignal, market: &InstrumentName) -> Result<(), WatchFault> {
        let (reader, name, now) = (self.reader.as_ref(), &signal.declared.name, self.clock.now());
        let scopes = scopes_on(reader, market, name, None, now);
        if !scopes.map_err(|e| WatchFault::Store(unreadable(&e)))?.is_empty() {
            return Ok(());
        }
        let all = reader.signals(Some(now)).map_err(|e| WatchFault::Store(super::internal(e)))?;
        let options = options_of(market);
        let speaks = |name: &str, scope: &SignalScope| match scope {
            SignalScope::Every => true,
            SignalScope::Market(of) => of == market || (name.starts_with(OF_OPTIONS) && options.as_ref() == Some(of)),
        };
        let mut known: Vec<String> = Vec::new();
        for info in all.iter().filter(|info| speaks(info.name.as_str(), &info.scope)) {
            known.extend(SignalNumber::ALL.map(|number| number.of(&info.name)));
        }
        let asked = signal.number.of(name);
        // Of a short name each letter counts.
        let letters_max = (name.as_str().chars().count().saturating_sub(2) + 2) / 4;
        match alike(&asked, known.iter().map(String::as_str), letters_max) {
            None => Ok(()),
            Some(like) => Err(WatchFault::Meant(format!(
                "nothing is known of {name} for {market}; did you mean '{like}'? Where it is another signal, bring its first value before"
            ))),
        }
    }
}
