//! What of a live process is worth keeping elsewhere too: the newest snapshots as they were published, and rows of the board under
//! the names of their columns. From memory; whoever mirrors it asks.

use super::Service;
use barograph_api::Rendered;
use barograph_domain::{InstrumentName, Ts};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Service {
    /// Each market that this process listens to, with its newest minute; those without one are left out. Where minutes are made by other
    /// processes, and only read here, all that are stored.
    pub fn listened_minutes(&self) -> Vec<(InstrumentName, Ts)> {
        let listened: Option<BTreeSet<InstrumentName>> =
            self.live.as_ref().map(|live| live.board().names().iter().cloned().collect());
        let newest = self.newest_of_all();
        let minutes = newest.iter().map(|latest| (&latest.lens.instrument.name, latest.row.ts));
        let is_listened = |name: &InstrumentName| listened.as_ref().is_none_or(|all| all.contains(name));
        minutes.filter(|(name, _)| is_listened(name)).map(|(name, minute)| (name.clone(), minute)).collect()
    }

    /// The snapshot of a market's newest minute as it was published, with the minute: the bytes that the context of that minute has
    /// for ever (`as_of`) for who holds no position, with no ages of the present moment in them, which would be wrong by the time
    /// somebody reads them. Others may read a mirror, so no position of the user's is in it.
    pub fn as_published(&self, name: &InstrumentName) -> Option<(Ts, Bytes)> {
        let latest = self.market(name)?;
        let lens = latest.lens.holding(None);
        let snapshot = lens.snapshot(&latest.row, latest.previous.as_ref());
        Some((latest.row.ts, Rendered::fixed(Arc::new(snapshot)).ok()?.json))
    }

    /// Rows of the board, brought up to date, without the user's positions.
    pub fn board_rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)> {
        self.impersonal_rows(of)
    }

    /// The present moment of its markets, and how many of their seconds pass in one of the machine's.
    pub fn pace(&self) -> (Ts, f64) {
        (self.clock.now(), self.clock.rate())
    }
}

#[cfg(test)]
mod tests {
    use super::super::aging_tests::{MARKETS, ROW, market, service};
    use barograph_api::{AskBoard as _, AskMarkets as _};
    use barograph_domain::advice::{Position, PositionBook};
    use barograph_domain::{Side, Span};
    use barograph_store::{StoreTarget, open_positions};

    /// Its stop stands where the price is: whoever asks this process reads so, whoever reads a mirror does not.
    #[test]
    fn a_position_near_its_stop_is_in_no_mirror() {
        let folder = tempfile::tempdir().unwrap();
        let (service, clock) = service(folder.path(), &[], &[]);
        let name = market(MARKETS[0]);
        let as_nobody = service.context(&name, None, None).unwrap().snapshot.headline.clone();
        let published = service.as_published(&name).unwrap();
        let mut positions = open_positions(&StoreTarget::Folder(folder.path().to_owned())).unwrap();
        let position = Position {
            id: "own".to_owned(),
            instrument: name.clone(),
            side: Side::Long,
            entry: 110.0,
            stop: Some(100.125),
            size: Some(1.0),
            strategy: None,
            opened_at: ROW - Span::hours(1),
            registered_by: PositionBook::User,
        };
        positions.put_position(&position, ROW).unwrap();
        clock.set(ROW + Span::mins(2));
        let asked = service.context(&name, None, None).unwrap();
        assert!(asked.snapshot.headline.contains("100.125"), "{}", asked.snapshot.headline);
        assert!(!as_nobody.contains("100.125"));
        let latest = service.market(&name).unwrap();
        assert!(service.held_as_read_last(&latest.lens, &latest.row).is_some());

        let rows = service.board_rows(core::slice::from_ref(&name));
        let board = String::from_utf8(service.board().unwrap().json().to_vec()).unwrap();
        assert!(board.contains("100.125"), "the board of this process has it: {board}");
        let row: serde_json::Value = serde_json::from_slice(&rows[0].1).unwrap();
        let headline = row["headline"].as_str().unwrap();
        assert!(!headline.is_empty() && !headline.contains("100.125"), "{headline}");
        assert_eq!(service.as_published(&name).unwrap(), published, "the bytes are those of before it");
    }
}
