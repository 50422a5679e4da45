//! What people register and keep: positions, signals, cases.

use super::SqlWriter;
use crate::sql::{cases, positions, signals};
use crate::{
    CaseOutcome, CaseWriter, Outgoing, PositionWriter, Registered, Result, SignalStore, SignalsPut, WatchState,
};
use barograph_domain::advice::{Position, PositionNotice};
use barograph_domain::case::{CaseFile, CaseRecording, EntryDraft};
use barograph_domain::{SignalPoint, Ts};

impl<K> PositionWriter for SqlWriter<K> {
    fn put_position(&mut self, position: &Position, at: Ts) -> Result<Registered> {
        self.core.write(|tx| positions::put(tx, position, at))
    }

    fn remove_position(&mut self, id: &str, at: Ts) -> Result<bool> {
        self.core.write(|tx| positions::remove(tx, id, at))
    }

    fn record_check(&mut self, states: &[WatchState], notices: &[PositionNotice], messages: &[Outgoing]) -> Result<()> {
        self.core.write(|tx| positions::record(tx, states, notices, messages))
    }
}

impl<K> SignalStore for SqlWriter<K> {
    fn put_signals(&mut self, points: &[SignalPoint]) -> Result<SignalsPut> {
        self.core.write(|tx| signals::put(tx, points))
    }
}

impl<K> CaseWriter for SqlWriter<K> {
    fn file_case(&mut self, file: &CaseFile, first: &EntryDraft, recordings: &[CaseRecording]) -> Result<bool> {
        self.core.write(|tx| cases::file(tx, file, first, recordings))
    }

    fn record_case(&mut self, id: &str, recordings: &[CaseRecording], at: Ts) -> Result<usize> {
        self.core.write(|tx| cases::record(tx, id, recordings, at))
    }

    fn write_case(&mut self, id: &str, entry: &EntryDraft) -> Result<CaseOutcome> {
        self.core.write(|tx| cases::write(tx, id, entry))
    }
}
