//! One day and a half of the built-in history reported minute by minute: the lines as they would have been said then.
//!
//! The minutes are those that the replay made, each from what was known by then; on a terminal they are reported at a pace that
//! can be read, elsewhere at once.

use super::weather::WeatherLines;
use crate::failure::Failure;
use crate::report::Reports;
use crate::run::RunSink;
use crate::term::Paint;
use barograph_domain::{MinuteRow, Span, Status, StreamIndex, Ts};
use barograph_query::render::Lens;
use std::io::{IsTerminal as _, Write};
use std::time::Duration;

/// 2026-02-04 18:00 UTC, the evening before the sell-off.
const FROM: Ts = Ts::from_secs(1_770_228_000);
const LENGTH: Span = Span::hours(36);
/// A line per market at least this often.
const AT_LEAST: Span = Span::hours(3);
/// An hour takes so long where people watch: 36 hours in 18 seconds.
const HOUR_TAKES: Duration = Duration::from_millis(500);
const HOUR: Span = Span::hours(1);

/// The minutes of the stretch.
#[derive(Debug, Default)]
pub(super) struct Played {
    rows: Vec<MinuteRow>,
}

impl Played {
    /// Reports them in order.
    pub(super) fn print<'a>(
        &self,
        out: &mut impl Write,
        lenses: impl Iterator<Item = &'a Lens>,
        paint: Paint,
    ) -> Result<(), Failure> {
        let lenses: Vec<&Lens> = lenses.collect();
        let mut lines = WeatherLines::new(paint).at_least(AT_LEAST);
        let pause = std::io::stdout().is_terminal().then_some(HOUR_TAKES);
        writeln!(out, "2026-02-05, recorded hourly bars, as each minute would have been told then:")?;
        let mut hour = None;
        // A market's minutes of an hour come together, with its bar.
        let mut rows: Vec<&MinuteRow> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.ts);
        for row in rows {
            if let Some(line) = lenses.get(row.instrument as usize).and_then(|lens| lines.line(lens, row)) {
                writeln!(out, "{line}")?;
            }
            let now = row.ts.floor(HOUR);
            if hour.replace(now).is_some_and(|before| before != now) {
                out.flush()?;
                pause.into_iter().for_each(std::thread::sleep);
            }
        }
        Ok(out.flush()?)
    }
}

/// The report and the played stretch from one run.
pub(super) struct Both<'a>(pub(super) &'a mut Reports, pub(super) &'a mut Played);

impl RunSink for Both<'_> {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if row.ts >= FROM && row.ts < FROM + LENGTH {
            self.1.rows.push(row.clone());
        }
        self.0.row(row)
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        self.0.gap(stream, status, known_ts)
    }
}
