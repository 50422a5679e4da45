//! Whoever wants to see the minutes of a plan while they are stored, so that the files need no second run.

use crate::failure::Failure;
use crate::run::RunSink;
use barograph_domain::{InstrumentName, MinuteRow, Status, StreamIndex, Ts};
use barograph_lake::ImportPlan;
use barograph_store::{Dirty, Reader};

/// A plan and who is shown its minutes and gaps, market by market.
pub(super) struct Onlooker<'a> {
    pub(super) plan: &'a ImportPlan,
    pub(super) sink: &'a mut dyn RunSink,
}

impl Onlooker<'_> {
    /// Is what will be computed what a run over the files would give: every market of the plan from its beginning, from the
    /// plan's streams and no other?
    pub(super) fn can_see(&self, reader: &dyn Reader, dirty: &[Dirty]) -> Result<bool, Failure> {
        for instrument in self.plan.instruments() {
            let fresh = dirty.iter().any(|d| d.instrument == instrument.name && d.since.is_none());
            let planned = self.plan.streams().iter().filter(|d| d.instrument == instrument.name);
            let stored = reader.streams(Some(&instrument.name), None)?;
            if !fresh || !stored.iter().map(|i| &i.decl).eq(planned) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One market of the plan, whose streams are numbered from 0 in its own run.
    pub(super) fn at(&mut self, market: &InstrumentName) -> Option<Seen<'_>> {
        let instrument = self.plan.instruments().iter().position(|i| i.name == *market)?;
        let own = (0_u16..).zip(self.plan.streams()).filter(|(_, d)| d.instrument == *market);
        let streams = own.map(|(at, _)| StreamIndex(at)).collect();
        Some(Seen { sink: &mut *self.sink, instrument: u32::try_from(instrument).ok()?, streams, row: None })
    }
}

/// Minutes of one market on their way to an onlooker.
pub(super) struct Seen<'a> {
    sink: &'a mut dyn RunSink,
    instrument: u32,
    /// What the plan calls each stream of the market.
    streams: Vec<StreamIndex>,
    row: Option<MinuteRow>,
}

impl Seen<'_> {
    fn stream(&self, own: StreamIndex) -> StreamIndex {
        self.streams.get(own.index()).copied().unwrap_or(own)
    }

    pub(super) fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let mut named = self.row.take().unwrap_or_else(|| row.clone());
        named.clone_from(row);
        named.renumber(self.instrument, &self.streams);
        let told = self.sink.row(&named);
        self.row = Some(named);
        told
    }

    pub(super) fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        let named = self.stream(stream);
        self.sink.gap(named, status, known_ts)
    }
}
