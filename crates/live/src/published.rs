//! What earlier processes have published, while their journal is run again: it stays, whatever the journal makes now.
//!
//! A journal that has lost a part, to damage or with a file that was taken away, makes other minutes than it did when it was
//! whole. They fill the windows of the markets; written and reported is only what comes after what was published.

use crate::Error;
use crate::share::Share;
use barograph_domain::time::LATENESS;
use barograph_domain::{Instrument, InstrumentName, KnownAlert, Ts};
use barograph_store::run::{GRID, row_of};
use barograph_store::{AlertQuery, Range, Reader, RunKey};
use barograph_verify::ledger::chain::{Chains, Head, day_of};
use std::collections::BTreeMap;

/// Up to where everything is published.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    markets: BTreeMap<InstrumentName, Until>,
    /// The newest hour between the markets.
    hour: Option<Ts>,
    /// The newest tick of the ledger.
    tick: Option<Ts>,
}

/// The same of one market.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Until {
    /// The newest minute.
    minute: Option<Ts>,
    /// When the newest alert behind that minute was known: those that an event makes do not wait for their minute.
    alert: Option<Ts>,
}

impl Published {
    /// What a store holds of a logic version.
    pub(crate) fn load(reader: &dyn Reader, logic_version: &str) -> Result<Self, Error> {
        Self::load_share(reader, logic_version, Share::All)
    }

    /// The same of the markets of a share.
    pub(crate) fn load_share(reader: &dyn Reader, logic_version: &str, share: Share) -> Result<Self, Error> {
        let mut markets = BTreeMap::new();
        for (instrument, minute) in reader.published(logic_version)?.into_iter().filter(|(i, _)| share.has(i)) {
            let key = RunKey { instrument, logic_version: logic_version.to_owned() };
            // Without rows of its own no market goes on for longer than a minute.
            let range = Range { start: minute + LATENESS, end: minute + GRID + LATENESS };
            let told = reader.alerts(&key, &AlertQuery { range, ..AlertQuery::default() })?.items;
            let alert = told.iter().map(|known| known.known_at).max();
            markets.insert(key.instrument, Until { minute: Some(minute), alert });
        }
        let hour = reader.published_hours(logic_version, Range::ALL)?.last().copied();
        let tick = reader.latest_ledger(logic_version, None)?.map(|t| t.ts);
        Ok(Self { markets, hour, tick })
    }

    /// The chains of the ledger as they stand on the day of its newest tick.
    pub(crate) fn chains(&self, reader: &dyn Reader, logic_version: &str) -> Result<Chains, Error> {
        let mut chains = Chains::default();
        let Some(day) = self.tick.map(day_of) else { return Ok(chains) };
        for one in reader.ledger_heads(logic_version, Range { start: day, end: Ts::MAX })? {
            chains.resume(one.day, one.event, Head { rows: one.rows, hash: one.head });
        }
        Ok(chains)
    }

    /// The same by the position of each market.
    pub(crate) fn of(&self, instruments: &[Instrument]) -> Vec<Until> {
        instruments.iter().map(|i| self.markets.get(&i.name).copied().unwrap_or_default()).collect()
    }

    /// Is this hour between the markets published?
    pub(crate) fn has_hour(&self, hour: Ts) -> bool {
        Some(hour) <= self.hour
    }
}

impl Published {
    /// Is any tick of the ledger stored?
    pub(crate) const fn has_any_tick(&self) -> bool {
        self.tick.is_some()
    }

    /// Is the ledger's tick of this minute published, or may none be published there any more?
    pub(crate) fn has_tick(&self, minute: Ts) -> bool {
        Some(minute) <= self.tick
    }
}

impl Until {
    /// Is this minute published, or may none be published there any more?
    pub(crate) fn has_minute(self, minute: Ts) -> bool {
        Some(minute) <= self.minute
    }

    /// Does what was known then belong to such a minute?
    pub(crate) fn has_known(self, known_ts: Ts) -> bool {
        self.has_minute(row_of(known_ts))
    }

    /// Is what an event made of this alert published? Of the last moment some may be missing, and the store knows the others.
    pub(crate) fn has_alert(self, known: &KnownAlert) -> bool {
        self.has_known(known.known_at) || Some(known.known_at) < self.alert
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;

    #[test]
    fn what_is_known_belongs_to_the_first_minute_that_sees_it() {
        let minute = Ts::from_civil(2026, 10, 1, 12, 5, 0);
        let until = Until { minute: Some(minute), alert: None };
        assert!(until.has_minute(minute) && !until.has_minute(minute + GRID));
        assert!(until.has_known(minute + LATENESS) && !until.has_known(minute + LATENESS + Span(1)));
        let nothing = Until::default();
        assert!(!nothing.has_minute(Ts::MIN) && !nothing.has_known(minute));
        assert!(!Published::default().has_hour(minute));
    }
}
