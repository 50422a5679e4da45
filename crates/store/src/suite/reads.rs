//! Questions about what is stored, now and as of a moment.

use super::rows::{changes, everything, gap, minute, one, replace, rows};
use super::sample::{self, START};
use super::{Factory, open, refused};
use crate::{Gap, ImportRecord, Inserted, PointQuery, Range, RowQuery, Rows};
use barograph_domain::{Metric, MinuteRow, Span, Ts};

/// A row may be used 200 ms after its minute.
pub fn latest_and_as_of(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(500, 1);
    replace(&mut *writer, &one, None, &rows);
    let latest = |count, as_of| reader.latest(&one.spec.key, count, as_of).unwrap().rows;
    assert_eq!(latest(1, None), rows[499..]);
    assert_eq!(latest(130, None), rows[370..]);
    assert_eq!(latest(9999, None), rows);
    for n in [1_usize, 59, 60, 61, 300, 500] {
        let known = rows[n - 1].ts + Span::millis(200);
        assert_eq!(latest(2, Some(known)), rows[n.saturating_sub(2)..n]);
        assert_eq!(latest(1, Some(Ts(known.0 - 1))), rows[n.saturating_sub(2)..n - 1]);
        let run = reader.runs(Some(known)).unwrap().remove(0);
        assert_eq!((run.rows, run.minutes), (n as u64, Some((rows[0].ts, rows[n - 1].ts))));
    }
    assert_eq!(latest(1, Some(START)), []);
    assert_eq!(reader.runs(Some(START)).unwrap()[0].minutes, None);
}

/// Half-open intervals; pages of any size; every n-th minute of absolute time.
pub fn history_in_pages_and_thinned(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(1000, 1);
    // Two segments, so that pages and intervals cross from one to the other.
    replace(&mut *writer, &one, None, &rows[..700]);
    replace(&mut *writer, &one, Some(minute(333)), &rows[332..]);
    let range = Range { start: minute(100), end: minute(901) };
    for every in [None, Some(Span::mins(1)), Some(Span::mins(7)), Some(Span::hours(1)), Some(Span::days(1))] {
        let as_of = Some(minute(880));
        let want: Vec<&MinuteRow> = rows
            .iter()
            .filter(|r| range.contains(r.ts) && r.ts < minute(880))
            .filter(|r| every.is_none_or(|e| r.ts.floor(e) == r.ts))
            .collect();
        for limit in [1, 13, 5000] {
            let mut query = RowQuery { range, every, after: None, limit, as_of };
            let mut joined = Vec::new();
            loop {
                let Rows { rows, next, .. } = reader.history(&one.spec.key, &query).unwrap();
                assert!(rows.len() <= limit);
                joined.extend(rows);
                let Some(next) = next else { break };
                query.range.start = next;
                if limit == 1 && joined.len() > 30 {
                    break;
                }
            }
            assert_eq!(joined.iter().collect::<Vec<_>>(), want[..joined.len()]);
            assert!(limit == 1 || joined.len() == want.len());
        }
    }
    let shifted = RowQuery { range, every: Some(Span::mins(60)), after: Some(Span::mins(1)), ..everything() };
    let want: Vec<&MinuteRow> = rows
        .iter()
        .filter(|r| range.contains(r.ts) && (r.ts - Span::mins(1)).floor(Span::hours(1)) + Span::mins(1) == r.ts)
        .collect();
    assert!(want.len() > 12, "hours have a minute after them");
    assert_eq!(reader.history(&one.spec.key, &shifted).unwrap().rows.iter().collect::<Vec<_>>(), want);
    for after in [Span::mins(60), Span::mins(-1)] {
        refused(reader.history(&one.spec.key, &RowQuery { after: Some(after), ..shifted }), "less than 'every'");
    }
    refused(reader.history(&one.spec.key, &RowQuery { limit: 0, ..everything() }), "positive");
    refused(reader.history(&one.spec.key, &RowQuery { every: Some(Span::ZERO), ..everything() }), "positive");
}

/// A few readings of every minute are those that the whole rows have.
pub fn glances_are_parts_of_rows(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    replace(&mut *writer, &one, None, &rows(500, 1));
    let query = RowQuery { limit: 333, ..everything() };
    let whole = reader.history(&one.spec.key, &query).unwrap();
    let last = whole.columns.features.len() - 1;
    for places in [&[0][..], &[last, 1], &[]] {
        let mut ids: Vec<&str> = places.iter().map(|p| whole.columns.features[*p].id.as_str()).collect();
        let named: Vec<_> = places.iter().map(|p| whole.columns.features[*p].clone()).collect();
        ids.push("what no run has");
        let found = reader.glances(&one.spec.key, &query, &ids).unwrap();
        assert_eq!((&found.columns.features, found.next, &found.streams), (&named, whole.next, &whole.streams));
        assert_eq!(found.rows.len(), whole.rows.len());
        for (got, want) in found.rows.iter().zip(&whole.rows) {
            let cells: Vec<_> = places.iter().map(|p| want.cells[*p]).collect();
            assert_eq!((got.ts, got.price, &got.cells), (want.ts, want.price, &cells));
            let labels = |r: &MinuteRow| (r.risk, r.trend, r.volatility, r.heat);
            assert_eq!(labels(got), labels(want));
            assert_eq!((got.cuts.len(), got.held.len(), &got.inputs), (0, 0, &want.inputs));
        }
    }
}

/// They are derived, so they cannot contradict the rows.
pub fn label_changes_follow_from_rows(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(5000, 1);
    let done = replace(&mut *writer, &one, None, &rows);
    let want = changes(&rows);
    assert!(want.len() > 10, "the sample has labels that change");
    assert_eq!(done.label_changes, want.len() as u64);
    let ask = |range, limit, as_of| reader.label_changes(&one.spec.key, range, limit, as_of).unwrap();
    assert_eq!(ask(Range::ALL, 9999, None).items, want);
    let third = want[3].ts;
    assert_eq!(ask(Range::ALL, 9999, Some(third + Span::millis(200))).items, want[..4]);
    assert_eq!(ask(Range::ALL, 9999, Some(third + Span::millis(199))).items, want[..3]);
    assert_eq!(ask(Range { start: want[1].ts, end: third }, 9999, None).items, want[1..3]);
    let page = ask(Range::ALL, 3, None);
    assert_eq!((page.items.as_slice(), page.next), (&want[..3], Some(third)));
}

/// By the time they were known.
pub fn gaps_as_of(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let mut run = writer.replace(&one.spec, None, crate::PointsVersion::default()).unwrap();
    let gaps: Vec<Gap> = [5, 20, 40].map(|n| gap(&one, n)).to_vec();
    let mut other = gaps[1].clone();
    other.stream = one.streams[2].clone();
    for g in [&gaps[2], &gaps[0], &gaps[1], &other, &gaps[1]] {
        run.gap(g).unwrap();
    }
    for row in rows(60, 1) {
        run.row(&row).unwrap();
    }
    run.finish().unwrap();
    let want = [gaps[0].clone(), gaps[1].clone(), other, gaps[2].clone()];
    let ask = |range, limit, as_of| reader.gaps(&one.spec.key, range, limit, as_of).unwrap();
    assert_eq!(ask(Range::ALL, 99, None).items, want);
    let second = gaps[1].known_ts;
    assert_eq!(ask(Range::ALL, 99, Some(second)).items, want[..3]);
    assert_eq!(ask(Range::ALL, 99, Some(Ts(second.0 - 1))).items, want[..1]);
    assert_eq!(ask(Range { start: second, end: gaps[2].known_ts }, 99, None).items, want[1..3]);
    let page = ask(Range::ALL, 2, None);
    assert_eq!((page.items.as_slice(), page.next), (&want[..3], Some(gaps[2].known_ts)));
}

/// The newest instant of each stream, as it looked then.
pub fn freshness_as_of(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let mut events = sample::events(&one.streams, 60, 1);
    // Something that was heard of an hour late.
    let late = events.iter_mut().find(|e| one.streams[e.stream.index()].metric == Metric::MarkPrice).unwrap();
    late.recv_ts = late.recv_ts + Span::hours(1);
    writer.insert_points(&one.instruments, &one.streams, &events).unwrap();
    for as_of in [None, Some(minute(0)), Some(minute(1) + Span::secs(2)), Some(minute(30)), Some(minute(90))] {
        let known: Vec<_> = events.iter().filter(|e| as_of.is_none_or(|t| e.recv_ts <= t)).collect();
        let found = reader.streams(Some(&one.instruments[0].name), as_of).unwrap();
        for (at, decl) in one.streams.iter().enumerate() {
            let own: Vec<_> = known.iter().filter(|e| e.stream.index() == at).collect();
            let info = found.iter().find(|s| s.decl == *decl);
            assert_eq!(info.map_or(0, |s| s.points), own.len() as u64, "{} as of {as_of:?}", decl.label());
            assert_eq!(info.map(|s| s.newest_event), own.iter().map(|e| e.event_ts).max());
            assert_eq!(info.map(|s| s.newest_known), own.iter().map(|e| e.recv_ts).max());
            assert_eq!(info.map(|s| s.first_event), own.iter().map(|e| e.event_ts).min());
        }
        assert!(found.is_sorted_by(|a, b| a.decl < b.decl));
        let instruments = reader.instruments(as_of).unwrap();
        assert_eq!(instruments.iter().map(|i| i.points).sum::<u64>(), known.len() as u64);
        assert_eq!(instruments.is_empty(), known.is_empty());
    }
    assert_eq!(reader.instruments(None).unwrap()[0].instrument, one.instruments[0]);
}

/// In the order in which they were recorded.
pub fn imports_are_listed(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let record = |n: u64| ImportRecord {
        started: minute(1),
        finished: minute(2),
        release: "0.1.0".to_owned(),
        source: format!("file {n}"),
        inserted: Inserted { new: n, revised: 1, same: 2, earlier: 3 },
        rejected: 4,
        detail: "{}".to_owned(),
    };
    for n in [2, 1] {
        writer.record_import(&record(n)).unwrap();
    }
    assert_eq!(reader.imports().unwrap(), [record(2), record(1)]);
}

/// With nothing, rather than with an error.
pub fn an_empty_store_answers(factory: &dyn Factory) {
    let (_site, _writer, reader) = open(factory);
    let one = one();
    let key = &one.spec.key;
    assert_eq!(reader.instruments(None).unwrap(), []);
    assert_eq!(reader.streams(None, Some(START)).unwrap(), []);
    assert_eq!(reader.runs(None).unwrap(), []);
    assert_eq!(reader.latest(key, 1, None).unwrap(), Rows::default());
    assert_eq!(reader.history(key, &everything()).unwrap(), Rows::default());
    assert_eq!(reader.label_changes(key, Range::ALL, 1, None).unwrap().items, []);
    assert_eq!(reader.gaps(key, Range::ALL, 1, None).unwrap().items, []);
    assert_eq!(reader.checkpoint(key, Ts::MAX).unwrap(), None);
    assert!(reader.database_bytes().unwrap() > 4_096, "tables take room too");
    assert_eq!(reader.events(&one.streams, None, None).unwrap().count(), 0);
    let query = PointQuery {
        instrument: one.instruments[0].name.clone(),
        metric: Metric::Bar,
        source: None,
        cadence: None,
        range: Range::ALL,
        limit: 1,
        as_of: None,
    };
    assert_eq!(reader.points(&query).unwrap().items, []);
    refused(reader.points(&PointQuery { limit: 0, ..query }), "positive");
    assert!(reader.check(true).unwrap().is_sound());
}
