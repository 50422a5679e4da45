//! Hours that are not there between two that are: holes of the recording, or hours that were taken away.
//!
//! Markets may have hours in which nobody listened: the hour behind then says that a gap is before its first row. Where it says none, rows
//! of the hours between were there once, unless nothing happened: what other tables hold of the time tells these apart.

use super::catalogue::{LakeHour, MarketFolder};
use super::place::{LakeMarket, Layer};
use super::{HourManifest, LayerResult};
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

const HOUR: Span = Span::hours(1);

/// Feature rows go on without books or trades for ten minutes: an hour with more of them was listened to.
const SILENT_ROWS_MAX: u64 = 600;

/// Hours that are not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AbsentHours {
    /// The layer.
    pub layer: Layer,
    /// The table.
    pub table: String,
    /// Whose rows.
    pub market: LakeMarket,
    /// Where the first of them begins.
    pub from: Ts,
    /// Where the last of them ends.
    pub until: Ts,
    /// Why they are not there, as far as the lake says.
    pub why: HourAbsence,
    /// The folder of the hour behind them.
    pub behind: PathBuf,
}

/// Why hours are not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HourAbsence {
    /// A manifest declares the gap: nobody listened.
    Declared,
    /// No gap is declared, and nothing shows that there were rows.
    Quiet,
    /// No gap is declared, and other rows show that the market was listened to.
    TakenAway,
}

impl AbsentHours {
    /// How many.
    #[must_use]
    pub const fn count(&self) -> i64 {
        (self.until.0 - self.from.0) / HOUR.0
    }

    /// What hours that were taken away mean, and what can be done.
    pub(super) fn advice(&self) -> String {
        format!(
            "the hours before it, from {} to {}, are not there, and no gap is declared: they were taken away, or an earlier release added runs newest \
             first. Import the recording of that time again: it fills them",
            self.from, self.until
        )
    }
}

impl fmt::Display for AbsentHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layer, table, LakeMarket { exchange, symbol, .. }) = (self.layer.word(), &self.table, &self.market);
        let n = self.count();
        let hours = if n == 1 { "1 hour".to_owned() } else { format!("{n} hours") };
        write!(f, "{layer}/{table} {exchange}:{symbol}: no rows from {} to {} ({hours}): ", self.from, self.until)?;
        f.write_str(match self.why {
            HourAbsence::Declared => "no data came in them, and the gap is declared",
            HourAbsence::Quiet => "no gap is declared, so nothing happened, or they were taken away",
            HourAbsence::TakenAway => "no gap is declared, and other tables have rows of that time",
        })
    }
}

impl LakeHour {
    /// What is stated of it: closed or under way; `None` while its writer runs, or where it did not stop in order.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn stated(&self) -> LayerResult<Option<HourManifest>> {
        let closed = self.manifest()?;
        if closed.is_some() { Ok(closed) } else { self.so_far() }
    }
}

/// An hour's manifest, as far as it can be read: what cannot is found elsewhere.
type StatedHours = BTreeMap<Ts, (PathBuf, Option<HourManifest>)>;

/// Absent hours of the tables that are not made of others. Markets are in the order of their tables.
pub(super) fn absent_in(markets: &[MarketFolder]) -> LayerResult<Vec<AbsentHours>> {
    let mut stated: Vec<(&MarketFolder, StatedHours)> = Vec::new();
    for market in markets.iter().filter(|market| market.layer != Layer::Gold) {
        let hours = market.hours(Ts::MIN, Ts::MAX)?;
        stated.push((
            market,
            hours.into_iter().map(|h| (h.hour, (h.folder.clone(), h.stated().ok().flatten()))).collect(),
        ));
    }
    let mut found = Vec::new();
    for (market, hours) in &stated {
        for ((before, (_, first)), (hour, (folder, next))) in hours.iter().zip(hours.iter().skip(1)) {
            let (from, until) = (*before + HOUR, *hour);
            // Of an hour that says nothing nobody knows what it follows.
            let Some(next) = next.as_ref().filter(|_| from < until) else { continue };
            let lost = first.as_ref().is_some_and(|m| m.gaps.iter().any(|gap| gap.until >= from));
            let why = if lost || next.gap_before().is_some() {
                HourAbsence::Declared
            } else if were_there(market, (from, until), &stated) {
                HourAbsence::TakenAway
            } else {
                HourAbsence::Quiet
            };
            let (layer, table, market) = (market.layer, market.table.clone(), market.market.clone());
            found.push(AbsentHours { layer, table, market, from, until, why, behind: folder.clone() });
        }
    }
    Ok(found)
}

/// Do rows show that a table had some between two moments? Feature rows are made every second, and a time without them is declared.
/// Where they are there, or trades are, the book moved. That nobody traded for an hour is ordinary.
fn were_there(of: &MarketFolder, (from, until): (Ts, Ts), stated: &[(&MarketFolder, StatedHours)]) -> bool {
    let shows = |other: &MarketFolder, hours: &StatedHours| match other.table.as_str() {
        _ if other.market != of.market => false,
        "trades" => hours.range(from..until).next().is_some(),
        "features" => {
            let many = |(_, m): &(PathBuf, Option<HourManifest>)| m.as_ref().is_some_and(|m| m.rows > SILENT_ROWS_MAX);
            let behind = hours.range(until..).next();
            let undeclared =
                |(_, m): &(PathBuf, Option<HourManifest>)| m.as_ref().is_some_and(|m| m.gap_before().is_none());
            hours.range(from..until).any(|(_, hour)| many(hour))
                || hours.range(..from).next().is_some()
                    && hours.range(from..until).next().is_none()
                    && behind.is_some_and(|(_, hour)| undeclared(hour))
        }
        _ => false,
    };
    match of.table.as_str() {
        "features" => true,
        "orderbook" => stated.iter().any(|(other, hours)| shows(other, hours)),
        _ => false,
    }
}
