//! What the tests of rule books share: rows made of a few readings, streams, and a window that ranks for real.
#![allow(dead_code, reason = "each test file uses its own part")]

use barograph_domain::row::HeldCount;
use barograph_domain::{
    Cell, InputAge, InstrumentName, Kind, Metric, MinuteRow, Reason, Span, Stamp, State, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::catalogue::Feature;
use barograph_engine::rules::{RuleBook, cut, rank_of};

pub(crate) fn feature(id: &str) -> Feature {
    Feature::from_id(id).unwrap_or_else(|| panic!("no feature {id}"))
}

pub(crate) fn shipped(name: &str) -> RuleBook {
    RuleBook::shipped(name).unwrap_or_else(|| panic!("no book {name}"))
}

/// A row at `ts` with these readings; everything else was never seen.
pub(crate) fn row(ts: Ts, readings: &[(&str, f64)]) -> Vec<Cell> {
    let mut cells = vec![Cell::undefined(Reason::MissingInput); Feature::COUNT];
    for (id, value) in readings {
        cells[feature(id).index()] = Cell::ready_at(*value, ts, Kind::Measured);
    }
    cells
}

pub(crate) fn set(cells: &mut [Cell], id: &str, state: State) {
    cells[feature(id).index()].state = state;
}

pub(crate) fn minute(n: i64) -> Ts {
    Ts::from_civil(2026, 2, 5, 0, 0, 0) + Span::mins(n)
}

pub(crate) fn stream(metric: Metric, cadence: Span, filled: bool) -> StreamDecl {
    StreamDecl {
        instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap_or_else(|e| panic!("{e}")),
        metric,
        kind: Kind::Measured,
        cadence,
        source: "binance-usdm".to_owned(),
        delay: Span::secs(60),
        stamp: Stamp::Instant,
        filled,
    }
}

/// Live mark, funding and open interest, in rank order, as the books read them.
pub(crate) fn live_streams() -> Vec<StreamDecl> {
    [Metric::MarkPrice, Metric::FundingRate, Metric::OpenInterest].map(|m| stream(m, Span::mins(1), true)).to_vec()
}

/// Ages of [`live_streams`], seconds before `ts`.
pub(crate) fn ages(ts: Ts, seconds: [i64; 3]) -> Vec<InputAge> {
    live_streams()
        .iter()
        .zip(seconds)
        .zip(0_u16..)
        .map(|((s, age), i)| InputAge {
            metric: s.metric,
            stream: Some(StreamIndex(i)),
            anchor: ts - Span::secs(age),
            gap: None,
        })
        .collect()
}

/// `n` values whose rank runs evenly between the given (rank, value) points.
pub(crate) fn window(n: u32, points: &[(f64, f64)]) -> Vec<f64> {
    let value_at = |rank: f64| {
        let after = points.iter().position(|(r, _)| *r >= rank).unwrap_or(points.len() - 1).max(1);
        let ((r0, v0), (r1, v1)) = (points[after - 1], points[after]);
        v0 + (v1 - v0) * (rank - r0) / (r1 - r0)
    };
    (0..n).map(|i| value_at((f64::from(i) + 0.5) / f64::from(n))).collect()
}

/// A whole minute row: readings, percentiles ranked in their windows, cuts, ages. The axis state is left to the caller.
pub(crate) fn minute_row(book: &RuleBook, ts: Ts, readings: &[(&str, f64)], windows: &[(&str, Vec<f64>)]) -> MinuteRow {
    let mut cells = row(ts, readings);
    for (id, others) in windows {
        let ranked = feature(id).spec().ranks.map_or(0.0, |r| cells[r.index()].value);
        cells[feature(id).index()] = Cell::ready_at(rank_of(others, ranked), ts, Kind::Measured);
    }
    let cuts = book
        .cuts()
        .iter()
        .map(|c| windows.iter().find(|(id, _)| feature(id) == c.percentile).and_then(|(_, w)| cut(w, c.op, c.theta)))
        .collect();
    let (held, inputs) = (vec![HeldCount::default(); book.counted()], ages(ts, [0; 3]));
    MinuteRow { cells, cuts, held, inputs, price: Some(63_120.0), ..MinuteRow::bare(ts) }
}
