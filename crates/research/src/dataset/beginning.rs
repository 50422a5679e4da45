//! Whether a run that is given again once began behind a gap: an earlier call of it may have ended, or been killed, before it came to the first
//! row of every table, and the tables that it did not come to have to say so too.

use crate::ResearchError;
use barograph_domain::{InstrumentName, Ts};
use barograph_lake::layers::{LakeQuery, LakeReader, Layer, RowPlace, hours};
use barograph_lake::recorded::RecordedFeed;
use std::path::PathBuf;

/// Books, trades and feature rows, by the places that a feed has.
const TABLES: usize = 3;

/// The beginning of a run, as far as it is there already.
#[derive(Debug)]
pub(super) struct RunBeginning {
    lake: PathBuf,
    market: InstrumentName,
    /// Its first row says that nothing is known before it; `None` until something was heard.
    behind_a_gap: Option<bool>,
    /// Tables of which rows were met that are there.
    met: [bool; TABLES],
}

impl RunBeginning {
    pub(super) const fn new(lake: PathBuf, market: InstrumentName) -> Self {
        Self { lake, market, behind_a_gap: None, met: [false; TABLES] }
    }

    /// A row of a table was heard.
    pub(super) fn heard(&mut self, table: usize, ts: Ts, place: RowPlace) -> Result<(), ResearchError> {
        let is_there = matches!(place, RowPlace::There | RowPlace::Closed);
        self.met[table] |= is_there;
        if self.behind_a_gap.is_none() {
            self.behind_a_gap = Some(is_there && self.has_gap_row(table, ts)?);
        }
        Ok(())
    }

    /// Does a table begin behind the gap, because an earlier call of this run did not come to its first row?
    pub(super) fn is_behind_a_gap_for(&self, table: usize) -> bool {
        self.behind_a_gap == Some(true) && !self.met[table]
    }

    /// Is there a row of this moment that says that nothing is known before it?
    fn has_gap_row(&self, table: usize, ts: Ts) -> Result<bool, ResearchError> {
        let name = match table {
            _ if table == RecordedFeed::Book as usize => "orderbook",
            _ if table == RecordedFeed::Trades as usize => "trades",
            // A feature row is made of what was heard before it.
            _ => return Ok(false),
        };
        let query = LakeQuery {
            layer: Some(Layer::Bronze),
            table: Some(name.to_owned()),
            exchange: Some(self.market.venue.as_str().to_owned()),
            symbol: Some(self.market.symbol.clone()),
            from: Some(ts),
            until: Some(Ts(ts.0 + 1)),
            ..LakeQuery::default()
        };
        for batch in LakeReader::new(hours(&self.lake, &query)?, Some(&["ts", "gap"])) {
            let batch = batch?;
            let Some(times) = batch.moments("ts") else { continue };
            if times.iter().enumerate().any(|(row, at)| *at == ts.0 && batch.flag("gap", row) == Some(true)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
