//! Stored minutes as columns, for tools that think in columns.
//!
//! A column is what a reading was at each minute; where it had no number there is none. Texts and sentences are made from rows elsewhere.

use crate::{Range, Reader, Result, RowQuery, RunInfo, RunKey};
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, Label as _, MinuteRow, Span, Ts};

/// Rows read at a time: a day of minutes.
const PAGE: usize = 1_440;

/// Minutes of one market in the order of time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MinuteColumns {
    /// Minutes of the rows.
    pub ts: Vec<Ts>,
    /// When each could be used: 200 ms later, or when a correction made it.
    pub known_ts: Vec<Ts>,
    /// Last price (mark, else last), where known.
    pub price: Vec<Option<f64>>,
    /// Published labels by axis: `risk`, `trend`, `volatility`, `heat`.
    pub labels: [(&'static str, Vec<&'static str>); 4],
    /// Readings by feature id, in the order of the run; words of a closed set as their codes.
    pub readings: Vec<(String, Vec<Option<f64>>)>,
}

/// Which minutes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MinuteRequest {
    /// By their minute.
    pub range: Range,
    /// Only minutes that are a multiple of this since 1970; all of them for `None`.
    pub every: Option<Span>,
    /// Only these features, in this order; all of the run for `None`.
    pub features: Option<Vec<String>>,
}

/// The run of a market whose rows reach furthest: of the newest logic where several were computed. `None` without rows.
///
/// # Errors
/// When the store cannot be read.
pub fn newest_run(reader: &dyn Reader, market: &InstrumentName) -> Result<Option<RunInfo>> {
    let runs = reader.runs_of(market, None)?;
    Ok(runs.into_iter().filter(|run| run.minutes.is_some()).max_by_key(|run| run.minutes.map(|(_, last)| last)))
}

/// Minutes of a run as columns.
///
/// # Errors
/// When the store cannot be read.
pub fn minute_columns(reader: &dyn Reader, run: &RunKey, wish: &MinuteRequest) -> Result<MinuteColumns> {
    let mut out = MinuteColumns {
        labels: ["risk", "trend", "volatility", "heat"].map(|axis| (axis, Vec::new())),
        ..MinuteColumns::default()
    };
    for id in wish.features.iter().flatten() {
        out.readings.push((id.clone(), Vec::new()));
    }
    let mut start = wish.range.start;
    loop {
        let range = Range { start, end: wish.range.end };
        let page =
            reader.history(run, &RowQuery { range, every: wish.every, after: None, limit: PAGE, as_of: None })?;
        let mut places = Vec::with_capacity(page.columns.features.len());
        for (cell, column) in page.columns.features.iter().enumerate() {
            let place = match out.readings.iter().position(|(id, _)| *id == column.id) {
                None if wish.features.is_none() => {
                    // A column that begins with this page has no numbers before it.
                    out.readings.push((column.id.clone(), vec![None; out.ts.len()]));
                    out.readings.len() - 1
                }
                None => continue,
                Some(place) => place,
            };
            places.push((cell, place));
        }
        for row in &page.rows {
            let known = page.corrected.get(&row.ts).copied().unwrap_or(row.ts + LATENESS);
            out.push(row, known, &places);
        }
        match page.next {
            Some(next) if next < wish.range.end => start = next,
            _ => return Ok(out),
        }
    }
}

impl MinuteColumns {
    fn push(&mut self, row: &MinuteRow, known: Ts, places: &[(usize, usize)]) {
        let before = self.ts.len();
        self.ts.push(row.ts);
        self.known_ts.push(known);
        self.price.push(row.price);
        let words = [row.risk.label.word(), row.trend.label.word(), row.volatility.label.word(), row.heat.label.word()];
        for ((_, column), word) in self.labels.iter_mut().zip(words) {
            column.push(word);
        }
        for (cell, place) in places {
            self.readings[*place].1.push(row.cells.get(*cell).and_then(barograph_domain::Cell::ready));
        }
        for (_, column) in &mut self.readings {
            column.resize(before + 1, None);
        }
    }
}
