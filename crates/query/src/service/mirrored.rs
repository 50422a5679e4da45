//! What of a live process is worth keeping elsewhere too: the newest snapshots as they were published, and rows of the board under
//! the names of their columns. From memory; whoever mirrors it asks.

use super::Service;
use barograph_api::Rendered;
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Service {
    /// Each market that this process listens to, with its newest minute; those without one are left out.
    pub fn listened_minutes(&self) -> Vec<(InstrumentName, Ts)> {
        let Some(live) = &self.live else { return Vec::new() };
        let listened: BTreeSet<InstrumentName> = live.board().names().into_iter().collect();
        let newest = self.newest_of_all();
        let minutes = newest.iter().map(|latest| (&latest.lens.instrument.name, latest.row.ts));
        minutes.filter(|(name, _)| listened.contains(*name)).map(|(name, minute)| (name.clone(), minute)).collect()
    }

    /// The snapshot of a market's newest minute as it was published, with the minute: the bytes that the context of that minute has
    /// for ever (`as_of`), with no ages of the present moment in them, which would be wrong by the time somebody reads them.
    pub fn as_published(&self, name: &InstrumentName) -> Option<(Ts, Bytes)> {
        let latest = self.market(name)?;
        let lens = latest.lens.holding(self.held_as_read_last(&latest.lens, &latest.row));
        let snapshot = lens.snapshot(&latest.row, latest.previous.as_ref());
        Some((latest.row.ts, Rendered::fixed(Arc::new(snapshot)).ok()?.json))
    }

    /// Rows of the board, turned for it.
    pub fn board_rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)> {
        self.update_board();
        self.board.hub.named_rows(of)
    }

    /// The present moment of its markets, and how many of their seconds pass in one of the machine's.
    pub fn pace(&self) -> (Ts, f64) {
        (self.clock.now(), self.clock.rate())
    }
}
