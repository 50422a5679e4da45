//! A perpetual and its spot market as one vector out of the lake (R3.17).

use crate::load::{LoadedRows, load};
use crate::typed::dataset_command;
use crate::{ResearchError, dataset};
use barograph_columns::pair::{PAIR_COLUMNS, PairSide, join_pair, pair_names};
use barograph_domain::cell::Reason;
use barograph_domain::leg::SpotPairs;
use barograph_domain::{InstrumentName, MarketKind};
use barograph_lake::layers::{Layer, list};
use barograph_study::{FrameColumn, ResearchFrame};
use std::path::Path;

/// A perpetual's rows with those of its spot market.
#[derive(Clone, Debug)]
pub struct LoadedPair {
    /// The contract.
    pub future: InstrumentName,
    /// Its spot market.
    pub spot: InstrumentName,
    /// A row for each of the contract's, with the columns of [`pair_names`]; `row_valid` is the contract's.
    pub rows: LoadedRows,
}

/// A row of a table.
struct TableRow<'a>(&'a ResearchFrame, usize);

impl PairSide for TableRow<'_> {
    fn column(&self, at: usize) -> Result<f64, Reason> {
        // The lake keeps that there is no number, and the reasons of a row together.
        self.0.columns().get(at).and_then(|column| column.get(self.1)).ok_or(Reason::MissingInput)
    }
}

/// The vectors of a pair, by the name of either of its markets. The pair is the one that `pairs` declares, else the spot market of the same
/// base and quote on the same exchange: the same that the basis is of.
///
/// # Errors
/// The lake has no rows of one of both, or cannot be read.
pub fn load_pair(lake: &Path, market: &InstrumentName, pairs: &SpotPairs) -> Result<LoadedPair, ResearchError> {
    let (future, spot) = pair_of(lake, market, pairs)?;
    let (a, b) = (load(lake, &future)?, load(lake, &spot)?);
    let times = a.frame.times().to_vec();
    let mut columns = vec![FrameColumn::default(); PAIR_COLUMNS];
    let spots = b.frame.times();
    for (row, t) in times.iter().enumerate() {
        // Rows of one second are known at one moment.
        let newest = spots.partition_point(|s| s <= t).checked_sub(1);
        let beside = newest.map(|n| (spots[n], TableRow(&b.frame, n)));
        let mut out = columns.iter_mut();
        join_pair(*t, &TableRow(&a.frame, row), beside.as_ref().map(|(s, r)| (*s, r)), |value| {
            out.next().into_iter().for_each(|column| column.push(value.ok()));
        });
    }
    let valid = (0..times.len()).map(|row| a.frame.is_valid(row)).collect();
    let frame = ResearchFrame::new(times, valid, pair_names().zip(columns).collect())
        .map_err(|e| ResearchError::Failed(e.to_string()))?;
    let digest = format!("{}+{}", a.digest, b.digest);
    Ok(LoadedPair { future, spot, rows: LoadedRows { frame, digest } })
}

/// The two markets of a pair among those that a lake has rows of.
fn pair_of(
    lake: &Path,
    market: &InstrumentName,
    pairs: &SpotPairs,
) -> Result<(InstrumentName, InstrumentName), ResearchError> {
    let mut known = Vec::new();
    for one in list(lake)?.into_iter().filter(|l| l.layer == Layer::Silver && l.table == "features") {
        let name = InstrumentName::new(&one.market.exchange, &one.market.symbol);
        known.push(dataset::instrument(&name.map_err(|e| ResearchError::Failed(e.to_string()))?));
    }
    let Some(own) = known.iter().find(|i| i.name == *market) else {
        return Err(ResearchError::Refused(format!(
            "{} holds no feature rows of {market}; they are made by: {}",
            lake.display(),
            dataset_command(lake, market)
        )));
    };
    let (future, spot) = if own.kind == MarketKind::Spot {
        (pairs.perpetual(own, &known), Some(own))
    } else {
        (Some(own), pairs.leg(own, &known))
    };
    match (future, spot) {
        (Some(future), Some(spot)) => Ok((future.name.clone(), spot.name.clone())),
        _ => Err(ResearchError::Refused(format!(
            "{} holds no other half of {market}; a pair is a perpetual and the spot market of the same base and quote on the same \
             exchange, or what the setting spot_pairs declares",
            lake.display()
        ))),
    }
}
