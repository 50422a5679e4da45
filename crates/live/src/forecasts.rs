//! The ledger of a process: published minutes, alerts, levels and hours in, ticks of forecasts and outcomes out, after the rows of
//! their minute.
//!
//! Minutes wait until the tick that has made those of all markets, as hours between the markets do, so the order in which markets
//! make theirs leaves no trace. Everything is read as it is published, so a store of the same rows gives the same ledger
//! ([`crate::ledger`]).

use crate::core::Core;
use barograph_domain::forecast::LedgerTick;
use barograph_domain::time::{DAY, LATENESS};
use barograph_domain::{Instrument, InstrumentName, LevelChange, MinuteRow, Pattern, StreamDecl, Ts, UniverseRow};
use barograph_engine::rules::RuleBook;
use barograph_engine::{AlertOut, LevelOut};
use barograph_store::LedgerState;
use barograph_store::run::GRID;
use barograph_verify::ledger::{Ledger, MinuteSample, SavedLedger};

impl Core {
    /// Forecasts go on from a ledger that another process left.
    pub(crate) fn adopt_ledger(&mut self, ledger: Ledger) {
        let mut forecasts = Forecasts { ledger, ..Forecasts::default() };
        forecasts.know(&self.instruments);
        self.forecasts = forecasts;
    }
}

/// The ledger with the numbers that markets have in this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forecasts {
    ledger: Ledger,
    /// Place of each instrument.
    places: Vec<usize>,
    names: Vec<Instrument>,
    /// When the newest alert or level was known.
    heard: Option<Ts>,
    /// The last minute of a UTC day has just been closed: the midnight after it.
    midnight: Option<Ts>,
}

impl Forecasts {
    /// These are the markets.
    pub(crate) fn know(&mut self, instruments: &[Instrument]) {
        for instrument in &instruments[self.places.len().min(instruments.len())..] {
            self.places.push(self.ledger.place(&instrument.name));
            self.names.push(instrument.clone());
        }
    }

    fn place(&self, instrument: u32) -> Option<usize> {
        self.places.get(instrument as usize).copied()
    }

    /// A minute was published.
    pub(crate) fn row(&mut self, row: &MinuteRow, streams: &[StreamDecl], book: &RuleBook) {
        if let Some(place) = self.place(row.instrument) {
            self.ledger.minute(place, MinuteSample::of(row, streams, book));
        }
    }

    /// A record of an alert was published; before its minute. What is said of a pair belongs to its hour.
    pub(crate) fn alert(&mut self, alert: &AlertOut, logic_version: &str) {
        if alert.known.alert.pattern == Pattern::CorrelationBreak {
            return;
        }
        if let (Some(place), Some(named)) = (self.place(alert.instrument), self.names.get(alert.instrument as usize)) {
            self.heard = self.heard.max(Some(alert.known.known_at));
            self.ledger.alert(place, &alert.known, || alert.known.alert.id(&named.name, logic_version));
        }
    }

    /// Something happened to a level; before its minute.
    pub(crate) fn level(&mut self, level: &LevelOut) {
        if let (Some(place), Some(named)) = (self.place(level.instrument), self.names.get(level.instrument as usize)) {
            let change: LevelChange = level.published(&named.name);
            self.heard = self.heard.max(Some(change.known_at));
            self.ledger.level(place, &change);
        }
    }

    /// An hour between the markets was published.
    pub(crate) fn hour(&mut self, row: &UniverseRow) {
        self.ledger.hour(row);
    }

    /// A market is not listened to any more.
    pub(crate) fn gone(&mut self, instrument: usize) {
        if let Some(place) = self.places.get(instrument) {
            self.ledger.gone(*place);
        }
    }

    /// All markets have made their minutes.
    pub(crate) fn close(&mut self) -> Vec<LedgerTick> {
        let before = self.ledger.closed();
        let ticks = self.ledger.close();
        let closed = self.ledger.closed().filter(|closed| Some(*closed) != before);
        // What was heard of the next minute already would come once more to whoever goes on from the state.
        let whole = |closed: &Ts| self.heard.is_none_or(|heard| heard <= *closed + LATENESS);
        self.midnight = closed.filter(whole).map(|closed| closed + GRID).filter(|next| next.floor(DAY) == *next);
        ticks
    }

    /// The state before the day that is about to begin, once a day.
    pub(crate) fn state_at_midnight(&mut self) -> Option<LedgerState> {
        self.midnight.take().map(|ts| LedgerState { ts, bytes: self.ledger.save() })
    }

    /// The ledger for a process that begins with markets of its own.
    pub(crate) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// What the book reports of a tick that was just made.
    pub(crate) fn judge(&mut self, tick: &LedgerTick, book: &RuleBook) -> Vec<AlertOut> {
        let told = self.ledger.judge(tick, book.drift_rules()).into_iter();
        let number = |name: &InstrumentName| u32::try_from(self.names.iter().position(|i| i.name == *name)?).ok();
        told.filter_map(|a| Some(AlertOut { instrument: number(&a.instrument)?, known: a.known })).collect()
    }

    /// State as it goes to a checkpoint.
    pub(crate) fn save(&self) -> SavedLedger<'_> {
        self.ledger.state()
    }

    /// Goes on from [`Self::save`]. One of another build begins anew: its first tick says so.
    pub(crate) fn restore(saved: SavedLedger<'_>, instruments: &[Instrument]) -> Self {
        let ledger = Ledger::from_state(saved).unwrap_or_default();
        let mut forecasts = Self { ledger, ..Self::default() };
        forecasts.know(instruments);
        forecasts
    }
}
