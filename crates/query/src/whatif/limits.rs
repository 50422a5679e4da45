//! How much one question may replay: market-days for the time it takes, rows in memory for the room.
//!
//! A row of the columns that a question reads is a moment and a price, a number for each feature that its rules compare anew, and how old
//! the features of its axes are, in runs. Where no columns are kept, all features of the book are read first, a week at a time.

use super::ask::Market;
use barograph_api::QueryError;
use barograph_domain::{Span, Ts};

/// Changed thresholds at most: no shipped book has a hundred, each with an exit.
pub(super) const SET_MAX: usize = 256;
/// Bytes of a row without features: moment, price, labels.
const ROW_BYTES: u64 = 24;
/// Bytes of a number.
const NUMBER_BYTES: u64 = 8;
/// Bytes a row of a feature's age: a run of 24 bytes every five minutes; most have fewer.
const AGE_BYTES: u64 = 5;
/// Rows of a day.
const DAY_ROWS: u64 = 1_440;

/// What one answer may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WhatIfLimits {
    /// Days of stored minutes, over all markets.
    pub market_days: u64,
    /// Bytes of columns that are held at once.
    pub held_bytes: u64,
}

impl WhatIfLimits {
    /// As much as there is: a command has a process of its own.
    pub const NONE: Self = Self { market_days: u64::MAX, held_bytes: u64::MAX };
    /// Of a process that does other things besides. A year of 100 markets is 36,500 market-days. Under a changed threshold of the risk
    /// axis a row takes 95 bytes, so a year of a market 50 MB: two at a time are 0.1 GB, ten fit. A threshold is chosen over two months of
    /// all markets at once, 8 MB each: of 65 markets together.
    pub const SERVED: Self = Self { market_days: 40_000, held_bytes: 512 << 20 };

    /// How many markets may be held at once, at least one; refused where there are too many days, or one market is too much. `all`: they
    /// are held together.
    pub(super) fn at_once(&self, markets: &[Market], (from, to): (Ts, Ts), all: bool) -> Result<usize, QueryError> {
        let days: Vec<u64> = markets.iter().map(|m| m.days(from, to)).collect();
        let total: u64 = days.iter().sum();
        if total > self.market_days {
            let reason = format!(
                "{total} market-days of stored minutes are to be replayed; at most {} at once",
                self.market_days
            );
            return Err(too_much(reason));
        }
        let row = |m: &Market| {
            let (numbers, ages) = m.wanted().columns();
            ROW_BYTES + NUMBER_BYTES * numbers + AGE_BYTES * ages
        };
        let bytes: Vec<u64> = markets.iter().zip(&days).map(|(m, days)| days * DAY_ROWS * row(m)).collect();
        let most = bytes.iter().copied().max().unwrap_or(0);
        let held = if all { bytes.iter().sum() } else { most };
        if held > self.held_bytes {
            let reason = format!(
                "{} MiB of stored readings would be held at once; at most {}",
                held >> 20,
                self.held_bytes >> 20
            );
            return Err(too_much(reason));
        }
        Ok(usize::try_from(self.held_bytes / most.max(1)).unwrap_or(usize::MAX).max(1))
    }
}

fn too_much(reason: String) -> QueryError {
    let hint = "name fewer markets (markets), or a shorter stretch (from, to); `barograph rules whatif` beside the data folder takes as \
                much time and memory as it needs";
    QueryError::TooMuch { reason, hint: hint.to_owned() }
}

/// Days of a market's minutes that lie in a stretch, begun ones whole.
pub(super) fn days((first, last): (Ts, Ts), (from, to): (Ts, Ts)) -> u64 {
    let inside = last.min(to) - first.max(from);
    u64::try_from(inside.0.div_euclid(Span::days(1).0) + 1).unwrap_or(0)
}
