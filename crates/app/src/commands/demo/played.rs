//! One day and a half of the built-in history reported minute by minute: the lines as they would have been said then.
//!
//! The minutes are those that the replay made, each from what was known by then. The page plays the same stretch.

use super::weather::WeatherLines;
use crate::commands::serve::Meanwhile;
use crate::failure::Failure;
use crate::report::Reports;
use crate::run::RunSink;
use crate::term::Paint;
use barograph_api::clock::StoryView;
use barograph_domain::{MinuteRow, Span, Status, StreamIndex, Ts};
use barograph_query::render::Lens;
use std::io::Write;

/// The sell-off of 2026-02-05, UTC.
pub(super) const STORY: StoryView =
    StoryView { from: Ts::from_civil(2026, 2, 5, 0, 0, 0), until: Ts::from_civil(2026, 2, 6, 6, 0, 0), speed: 600 };
/// A line per market at least this often.
const AT_LEAST: Span = Span::hours(12);

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
        writeln!(out, "5 February 2026 from recorded hourly bars, as reported at the time:")?;
        // A market's minutes of an hour come together, with its bar.
        let mut rows: Vec<&MinuteRow> = self.rows.iter().collect();
        rows.sort_by_key(|row| row.ts);
        for row in rows {
            if let Some(line) = lenses.get(row.instrument as usize).and_then(|lens| lines.line(lens, row)) {
                writeln!(out, "{line}")?;
            }
        }
        Ok(out.flush()?)
    }
}

/// The report and the played stretch from one run, and the page that can play it once it is stored.
pub(super) struct Both<'a> {
    pub(super) reports: &'a mut Reports,
    pub(super) day: &'a mut Played,
    pub(super) page: Option<&'a Meanwhile>,
}

impl RunSink for Both<'_> {
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        if row.ts >= STORY.from && row.ts < STORY.until {
            self.day.rows.push(row.clone());
        }
        self.reports.row(row)
    }
    fn stored(&mut self) {
        if let Some(page) = self.page {
            page.begin_with(STORY);
        }
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        self.reports.gap(stream, status, known_ts)
    }
}
