//! What the store says of a market's last hour and day; and the whole board as it was known at a moment.

use super::alerts::{AlertBook, COUNTED};
use super::cells::{RenderedRow, origin_of, seconds};
use super::health::Weighed;
use super::{data_of, header_of, open_cells};
use crate::health::{JudgedHour, at_their_worst, valid_metrics, weighs};
use crate::positions::WatchedStops;
use crate::render::{Lens, align};
use crate::service::{Service, configured_run, internal, lens_for, unreadable};
use barograph_api::QueryError;
use barograph_api::board::{BoardView, ChangeView, HeaderView, RowView};
use barograph_api::live::DataOrigin;
use barograph_domain::alert::AlertState;
use barograph_domain::health::ALERTS_OF;
use barograph_domain::time::{DAY, LATENESS};
use barograph_domain::{Axis, Instrument, InstrumentName, KnownAlert, Label, MinuteRow, Span, Ts};
use barograph_store::run::GRID;
use barograph_store::{AlertQuery, InstrumentInfo, Range, RowQuery, RunInfo, RunKey};
use std::collections::BTreeMap;

/// Minutes of a sparkline.
pub(super) const SPARK: i64 = 60;

/// Questions to the store at a time, for the board of a moment; so many connections it keeps.
const READERS: usize = 4;
/// Markets that are not worth a thread of their own.
const SHARE: usize = 16;

/// One market as it was known at a moment.
struct Past {
    rendered: RenderedRow,
    trail: Trail,
    records: Vec<KnownAlert>,
    /// Nothing before its first minute.
    known: Option<Known>,
}

/// Its minutes, and what made them.
struct Known {
    first: Ts,
    last: Ts,
    logic_version: String,
    origin: DataOrigin,
    weighed: Weighed,
}

/// What is remembered of a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrailMinute {
    close: Option<f64>,
    /// See [`valid_metrics`].
    valid: u32,
}

/// The last hour of a market.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// By minute, epoch seconds.
    pub(super) minutes: BTreeMap<i64, TrailMinute>,
    pub(super) changes: Vec<ChangeView>,
}

impl Trail {
    /// `lens` is that of the rows.
    pub(super) fn of(market: &InstrumentName, rows: &[MinuteRow], lens: &Lens) -> Self {
        let mut trail = Self::default();
        for row in rows {
            trail.close(row, lens);
        }
        for pair in rows.windows(2) {
            trail.changes.extend(changes(market, &pair[0], &pair[1]));
        }
        trail
    }

    /// Takes in the newest minute and forgets what is more than an hour older, and what was later and has been taken back.
    pub(super) fn close(&mut self, row: &MinuteRow, lens: &Lens) {
        drop(self.minutes.split_off(&seconds(row.ts)));
        let minute = TrailMinute { close: row.price.filter(|p| p.is_finite()), valid: valid_metrics(row, lens) };
        self.minutes.insert(seconds(row.ts), minute);
        if let Some((newest, _)) = self.minutes.last_key_value() {
            self.minutes = self.minutes.split_off(&(newest - (SPARK - 1) * 60));
        }
    }

    /// Adds what another one knows of minutes after its own, which are on their way to the store.
    pub(super) fn followed_by(&mut self, other: &Self) {
        let last = self.minutes.last_key_value().map_or(i64::MIN, |(at, _)| *at);
        self.minutes.extend(other.minutes.iter().filter(|(at, _)| **at > last).map(|(at, minute)| (*at, *minute)));
    }

    /// Would this minute be the next, with none left out and none stated anew?
    pub(super) fn goes_on_with(&self, row: &MinuteRow) -> bool {
        let next = |(at, _): (&i64, _)| at + GRID.as_secs() == seconds(row.ts);
        self.minutes.last_key_value().is_none_or(next)
    }

    /// The streams that were valid in each minute of an hour.
    pub(super) fn valid(&self, hour: JudgedHour) -> Vec<u32> {
        self.minutes.range(seconds(hour.from)..=seconds(hour.last)).map(|(_, minute)| minute.valid).collect()
    }

    /// The closes up to a minute.
    pub(super) fn spark(&self, last: Ts) -> Vec<Option<f64>> {
        let last = seconds(last);
        let all: Vec<Option<f64>> =
            (0..SPARK).rev().map(|back| self.minutes.get(&(last - back * 60)).and_then(|m| m.close)).collect();
        let first = all.iter().position(Option::is_some).unwrap_or(all.len());
        all[first..].to_vec()
    }
}

/// The labels that differ between two rows.
pub(super) fn changes(market: &InstrumentName, before: &MinuteRow, after: &MinuteRow) -> Vec<ChangeView> {
    fn one<L: Label>(axis: Axis, from: L, to: L) -> Option<(Axis, &'static str, &'static str)> {
        (from != to).then(|| (axis, from.word(), to.word()))
    }
    let all = [
        one(Axis::Risk, before.risk.label, after.risk.label),
        one(Axis::Trend, before.trend.label, after.trend.label),
        one(Axis::Volatility, before.volatility.label, after.volatility.label),
        one(Axis::Heat, before.heat.label, after.heat.label),
    ];
    let view = |(axis, from, to)| ChangeView { instrument: market.clone(), axis, from, to, at: after.ts };
    all.into_iter().flatten().map(view).collect()
}

impl Service {
    /// The hour of a market that ends with a minute; by one more, because labels change between two.
    pub(super) fn trail(&self, key: &RunKey, lens: &Lens, last: Ts) -> barograph_store::Result<Trail> {
        let range = Range { start: last - GRID.times(SPARK), end: Ts(last.0.saturating_add(1)) };
        let query = RowQuery { range, every: None, after: None, limit: usize::MAX, as_of: None };
        let rows = self.reader.history(key, &query)?;
        Ok(Trail::of(&key.instrument, &rows.rows, &lens.over(&rows)))
    }

    /// Episodes that are not over at `now`, what began in the day before, and what weighs although it is over. A recording, whose
    /// newest minute is `newest`, is judged at its end.
    pub(super) fn records(
        &self,
        key: &RunKey,
        newest: Ts,
        now: Ts,
        as_of: Option<Ts>,
    ) -> barograph_store::Result<Vec<KnownAlert>> {
        let reader = self.reader.as_ref();
        let begun = AlertQuery {
            range: Range { start: now - DAY, end: Ts::MAX },
            patterns: COUNTED.to_vec(),
            as_of,
            ..AlertQuery::default()
        };
        let range = Range { start: now.min(newest + LATENESS) - ALERTS_OF, end: Ts::MAX };
        let recent = AlertQuery { range, as_of, ..AlertQuery::default() };
        let open = AlertQuery { open: true, as_of, ..AlertQuery::default() };
        // What began and is over must not be opened again by its first record: the open ones are noted from their last.
        let mut found = reader.alerts(key, &begun)?.items;
        let recent = reader.alerts(key, &recent)?.items.into_iter();
        let closed = recent.filter(|known| known.alert.state == AlertState::Closed && weighs(&known.alert));
        let open = reader.alerts(key, &open)?.items;
        found.extend(at_their_worst(reader, key, closed.chain(open), as_of)?);
        Ok(found)
    }

    /// See [`barograph_api::AskBoard::board_at`].
    pub(in crate::service) fn board_of(&self, moment: Ts) -> Result<BoardView, QueryError> {
        let as_of = Some(moment);
        let runs = self.reader.runs(as_of).map_err(internal)?;
        let instruments = self.reader.instruments(as_of).map_err(internal)?;
        // What the process listens to now has no part in what is shown of a moment.
        let mut view = BoardView::empty(moment, origin_of(core::iter::empty()));
        let mut book = AlertBook::default();
        let mut newest = Ts::MIN;
        let all = self.past_of_all(&runs, &instruments, moment)?;
        for (i, (info, past)) in instruments.iter().zip(all).enumerate() {
            let name = &info.instrument.name;
            let Past { mut rendered, trail, records, known } = past;
            let Some(Known { first, last, logic_version, origin, weighed }) = known else {
                view.rows.push(RowView::new(i, name, rendered.cells, &rendered.reasons));
                continue;
            };
            book.read(name, &records);
            for (column, value) in open_cells(&book, name) {
                rendered.cells[column as usize] = value;
            }
            rendered.healthy(&weighed.health(&trail, &book, moment));
            view.changes.extend(trail.changes.iter().filter(|c| c.at >= moment - Span::hours(1)).cloned());
            let own = RowView::new(i, name, rendered.cells, &rendered.reasons);
            view.rows.push(RowView { spark: trail.spark(last), headline: rendered.headline, ..own });
            view.origin = view.origin.mixed_with(origin);
            view.first_ts = Some(view.first_ts.map_or(first, |known| known.min(first)));
            view.last_ts = Some(view.last_ts.map_or(last, |known| known.max(last)));
            if last > newest {
                newest = last;
                view.logic_version = logic_version;
            }
        }
        view.changes.sort_by_key(|c| core::cmp::Reverse(c.at));
        view.changes.truncate(50);
        let (header, listened) = header_of(view.rows.iter().map(|r| &r.cells), &mut book, moment);
        view.header =
            HeaderView { data: data_of(header.live, listened, false, newest + GRID + GRID, moment), ..header };
        Ok(view)
    }

    /// What was known of each, in their order. Each market is a handful of questions to the store, which answers several at a time.
    fn past_of_all(
        &self,
        runs: &[RunInfo],
        instruments: &[InstrumentInfo],
        moment: Ts,
    ) -> Result<Vec<Past>, QueryError> {
        let workers = std::thread::available_parallelism().map_or(1, core::num::NonZero::get).min(READERS);
        let share = instruments.len().div_ceil(workers).max(SHARE);
        let stops = WatchedStops::read(self.reader.as_ref(), Some(moment)).map_err(internal)?;
        let read = |part: &[InstrumentInfo]| -> Result<Vec<Past>, QueryError> {
            part.iter().map(|info| self.past_of(runs, &info.instrument, &stops, moment)).collect()
        };
        if instruments.len() <= share {
            return read(instruments);
        }
        let parts: Vec<_> = std::thread::scope(|scope| {
            let begun: Vec<_> = instruments.chunks(share).map(|part| scope.spawn(move || read(part))).collect();
            begun.into_iter().map(|part| part.join().unwrap_or_else(|said| std::panic::resume_unwind(said))).collect()
        });
        let mut all = Vec::with_capacity(instruments.len());
        for part in parts {
            all.append(&mut part?);
        }
        Ok(all)
    }

    fn past_of(
        &self,
        runs: &[RunInfo],
        instrument: &Instrument,
        stops: &WatchedStops,
        moment: Ts,
    ) -> Result<Past, QueryError> {
        let as_of = Some(moment);
        let run = configured_run(runs, &instrument.name, &self.book);
        let mut rows = match run {
            Some(run) => {
                let minutes = 1 + usize::try_from(SPARK).unwrap_or(60);
                self.reader.latest(&run.spec.key, minutes, as_of).map_err(internal)?
            }
            None => barograph_store::Rows::default(),
        };
        align(&mut rows.rows, &rows.columns);
        let (Some(run), Some(row)) = (run, rows.rows.last()) else {
            return Ok(Past {
                rendered: RenderedRow::nothing(),
                trail: Trail::default(),
                records: Vec::new(),
                known: None,
            });
        };
        let lens = self.lens_at(run, instrument, &rows)?.holding(stops.held(&instrument.name, row));
        let previous = rows.rows.len().checked_sub(2).map(|at| &rows.rows[at]);
        let snapshot = lens.as_of(row, previous, moment);
        let rendered = RenderedRow::of(&lens, row, &snapshot);
        let first = run.minutes.map_or(row.ts, |m| m.0);
        Ok(Past {
            rendered,
            trail: Trail::of(&instrument.name, &rows.rows, &lens),
            records: self.records(&run.spec.key, row.ts, moment, as_of).map_err(internal)?,
            known: Some(Known {
                first,
                last: row.ts,
                logic_version: run.spec.key.logic_version.clone(),
                origin: origin_of(lens.streams.iter()),
                weighed: Weighed::new(&lens, row, first, &snapshot),
            }),
        })
    }

    fn lens_at(
        &self,
        run: &RunInfo,
        instrument: &Instrument,
        rows: &barograph_store::Rows,
    ) -> Result<Lens, QueryError> {
        let mut books = self.books.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let lens = lens_for(&mut books, run, instrument).map_err(|e| unreadable(&e))?;
        Ok(lens.over(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_ends_with_its_row_and_shows_holes() {
        let mut trail = Trail::default();
        for minute in [1_i64, 2, 4] {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            trail.minutes.insert(minute * 60, TrailMinute { close: Some(minute as f64), valid: 0 });
        }
        assert_eq!(trail.spark(Ts::from_secs(240)), [Some(1.0), Some(2.0), None, Some(4.0)]);
        assert_eq!(trail.spark(Ts::from_secs(300)).last(), Some(&None), "the minute of the row has no price");
        assert_eq!(Trail::default().spark(Ts::from_secs(300)), []);
    }
}
