//! Runs: rows bit for bit, replaced all at once, dirty until they follow from the points.

use super::sample::{self, START, SampleMarket};
use super::{Factory, hash, open, refused};
use crate::{Gap, LabelChange, PointsVersion, Range, Reader, Replaced, RowQuery, RunSpec, RunWriter, Writer};
use barograph_domain::{
    Event, Instrument, Metric, MinuteRow, Payload, Span, Status, StatusState, StreamDecl, StreamIndex, Ts,
};

/// A market with its run.
pub(super) struct One {
    pub(super) instruments: Vec<Instrument>,
    pub(super) streams: Vec<StreamDecl>,
    pub(super) spec: RunSpec,
}

pub(super) fn one() -> One {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    let spec = sample::spec(&instruments[0], &streams);
    One { instruments, streams, spec }
}

/// Minutes 1 to `n` of a seeded market.
pub(super) fn rows(n: i64, seed: u64) -> Vec<MinuteRow> {
    let mut market = SampleMarket::new(seed);
    (1..=n).map(|i| market.row(minute(i))).collect()
}

pub(super) fn minute(n: i64) -> Ts {
    START + Span::mins(n)
}

/// A gap of candles known half a minute after a minute.
pub(super) fn gap(one: &One, n: i64) -> Gap {
    let status = Status {
        state: StatusState::Gap,
        from: minute(n - 3),
        until: minute(n),
        reason: barograph_domain::GapReason::MissingRows,
    };
    Gap { stream: one.streams[0].clone(), status, known_ts: minute(n) + Span::secs(30) }
}

/// Replaces from a minute on, with a gap and a checkpoint every 100 minutes.
pub(super) fn replace(writer: &mut dyn Writer, one: &One, from: Option<Ts>, rows: &[MinuteRow]) -> Replaced {
    replace_seen(writer, one, from, rows, PointsVersion::default())
}

pub(super) fn replace_seen(
    writer: &mut dyn Writer,
    one: &One,
    from: Option<Ts>,
    rows: &[MinuteRow],
    seen: PointsVersion,
) -> Replaced {
    let mut run = writer.replace(&one.spec, from, seen).unwrap();
    for row in rows {
        put(&mut *run, one, row);
    }
    run.finish().unwrap()
}

fn put(run: &mut dyn RunWriter, one: &One, row: &MinuteRow) {
    let n = (row.ts - START).as_secs() / 60;
    if n % 100 == 1 {
        run.gap(&gap(one, n - 1)).unwrap();
    }
    run.row(row).unwrap();
    if n % 100 == 0 {
        run.checkpoint(row.ts, format!("engine after {n}").as_bytes()).unwrap();
    }
}

pub(super) fn everything() -> RowQuery {
    RowQuery { range: Range::ALL, every: None, after: None, limit: usize::MAX, as_of: None }
}

pub(super) fn stored(reader: &dyn Reader, one: &One) -> Vec<MinuteRow> {
    reader.history(&one.spec.key, &everything()).unwrap().rows
}

/// The label changes of rows, from the first on.
pub(super) fn changes(rows: &[MinuteRow]) -> Vec<LabelChange> {
    let mut before = None;
    let mut found = Vec::new();
    for row in rows {
        if before != Some(row.risk.label) {
            found.push(LabelChange { ts: row.ts, from: before, to: row.risk.label });
            before = Some(row.risk.label);
        }
    }
    found
}

fn stored_changes(reader: &dyn Reader, one: &One) -> Vec<LabelChange> {
    reader.label_changes(&one.spec.key, Range::ALL, usize::MAX, None).unwrap().items
}

fn stored_gaps(reader: &dyn Reader, one: &One) -> Vec<Gap> {
    reader.gaps(&one.spec.key, Range::ALL, usize::MAX, None).unwrap().items
}

/// Few and many, with what their numbers mean.
pub fn rows_come_back_bit_for_bit(factory: &dyn Factory) {
    for n in [1, 59, 60, 61, 200, 6000] {
        let (_site, mut writer, reader) = open(factory);
        let one = one();
        let rows = rows(n, 1);
        let done = replace(&mut *writer, &one, None, &rows);
        assert_eq!(done.rows, rows.len() as u64);
        let found = reader.history(&one.spec.key, &everything()).unwrap();
        assert!(found.rows == rows, "{n} rows differ");
        assert_eq!(found.columns, one.spec.columns);
        assert_eq!(found.streams, one.streams);
        let run = &reader.runs(None).unwrap()[0];
        assert_eq!(run.spec, one.spec);
        assert_eq!((run.rows, run.minutes), (rows.len() as u64, Some((minute(1), minute(n)))));
        hash(&*reader);
    }
}

/// And only that: rows, label changes, gaps, checkpoints. From every kind of minute, with few rows and many.
pub fn a_replacement_keeps_what_is_before(factory: &dyn Factory) {
    let one = one();
    let (old, new) = (rows(9000, 1), rows(9000, 2));
    // One site for all: each replacement also meets what the ones before left.
    let (_site, mut writer, reader) = open(factory);
    for (from, until) in
        [(8990, 9000), (8880, 9000), (8881, 8900), (60, 100), (61, 9000), (4000, 9000), (1, 50), (0, 70), (2, 3)]
    {
        replace(&mut *writer, &one, None, &old);
        let kept: Vec<MinuteRow> = old.iter().filter(|r| r.ts < minute(from)).cloned().collect();
        let added: Vec<MinuteRow> =
            new.iter().filter(|r| r.ts >= minute(from) && r.ts <= minute(until)).cloned().collect();
        replace(&mut *writer, &one, Some(minute(from)), &added);
        let want: Vec<MinuteRow> = kept.into_iter().chain(added).collect();
        assert!(stored(&*reader, &one) == want, "from {from} until {until}");
        assert_eq!(stored_changes(&*reader, &one), changes(&want), "from {from} until {until}");
        let gaps: Vec<Gap> = want
            .iter()
            .map(|r| (r.ts - START).as_secs() / 60)
            .filter(|n| n % 100 == 1)
            .map(|n| gap(&one, n - 1))
            .collect();
        assert_eq!(stored_gaps(&*reader, &one), gaps, "from {from} until {until}");
        let last = until / 100 * 100;
        let checkpoint = reader.checkpoint(&one.spec.key, Ts::MAX).unwrap().map(|c| c.ts);
        assert_eq!(checkpoint, (last > 0).then(|| minute(last)), "from {from} until {until}");
        hash(&*reader);
    }
}

/// Neither for readers, nor in the hash, nor for the next replacement.
pub fn an_unfinished_replacement_leaves_no_trace(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let one = one();
    let (old, new) = (rows(5000, 1), rows(9000, 2));
    replace(&mut *writer, &one, None, &old);
    let before = hash(&*reader);
    for from in [None, Some(minute(2500))] {
        let mut run = writer.replace(&one.spec, from, PointsVersion::default()).unwrap();
        for row in new.iter().filter(|r| from.is_none_or(|f| r.ts >= f)) {
            put(&mut *run, &one, row);
        }
        drop(run);
        assert_eq!(hash(&*reader), before);
    }
    drop(writer);
    let mut writer = site.writer(&crate::WriterRole::ALL).unwrap();
    assert_eq!(hash(&*reader), before);
    replace(&mut *writer, &one, None, &new);
    assert!(stored(&*reader, &one) == new);
}

/// While a replacement is written, whatever is asked is answered from the old rows.
pub fn readers_never_see_half(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let (old, new) = (rows(5000, 1), rows(9000, 2));
    replace(&mut *writer, &one, None, &old);
    let before = hash(&*reader);
    let mut run = writer.replace(&one.spec, Some(minute(100)), PointsVersion::default()).unwrap();
    for (n, row) in new[99..].iter().enumerate() {
        put(&mut *run, &one, row);
        if n % 2000 == 1500 {
            assert_eq!(reader.latest(&one.spec.key, 1, None).unwrap().rows, old[4999..]);
            assert_eq!(hash(&*reader), before);
        }
    }
    run.finish().unwrap();
    let want: Vec<MinuteRow> = old[..99].iter().chain(&new[99..]).cloned().collect();
    assert!(stored(&*reader, &one) == want);
}

/// Because a refused row would be a hole nobody declared.
pub fn refused_rows_refuse_the_replacement(factory: &dyn Factory) {
    let one = one();
    let good = rows(3, 1);
    let off_grid = MinuteRow { ts: good[1].ts + Span::secs(1), ..good[1].clone() };
    let narrow = MinuteRow { cuts: Vec::new(), ..good[1].clone() };
    let mut stranger = good[1].clone();
    stranger.cells[7].stream = Some(StreamIndex(99));
    let early = MinuteRow { ts: minute(-5), ..good[1].clone() };
    let cases = [
        (off_grid, "minute grid"),
        (good[0].clone(), "after"),
        (narrow, "numbers of"),
        (stranger, "stream"),
        (early, "after"),
    ];
    for (row, word) in cases {
        let (_site, mut writer, reader) = open(factory);
        let mut run = writer.replace(&one.spec, Some(minute(0)), PointsVersion::default()).unwrap();
        run.row(&good[0]).unwrap();
        refused(run.row(&row), word);
        refused(run.finish(), "incomplete");
        assert_eq!(reader.runs(None).unwrap(), []);
    }
    let (_site, mut writer, _reader) = open(factory);
    refused(
        writer.replace(&one.spec, Some(minute(0) + Span::secs(1)), PointsVersion::default()).map(drop),
        "minute grid",
    );
    let mut run = writer.replace(&one.spec, Some(minute(50)), PointsVersion::default()).unwrap();
    refused(run.gap(&gap(&one, 20)), "earlier rows");
    refused(run.checkpoint(minute(20), b""), "before");
}

/// When a stream is added in front, numbers shift; what they mean does not.
pub fn stream_numbers_follow_their_streams(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let mut one = one();
    let old = rows(100, 1);
    replace(&mut *writer, &one, None, &old);
    // A stream of this instrument that ranks first, and another instrument's in front of all.
    let finer = StreamDecl { cadence: Span::secs(1), ..one.streams[0].clone() };
    let other = sample::streams(&[sample::instrument("AAAUSDT")]);
    one.spec.streams = other.into_iter().chain([finer.clone()]).chain(one.streams.iter().cloned()).collect();
    one.spec.streams.sort();
    let shift = u16::try_from(one.spec.streams.len() - one.streams.len()).unwrap();
    let new: Vec<MinuteRow> = rows(200, 1)[100..]
        .iter()
        .map(|r| {
            let mut r = r.clone();
            let slots = r.cells.iter_mut().map(|c| &mut c.stream).chain(r.inputs.iter_mut().map(|i| &mut i.stream));
            slots.flatten().for_each(|s| s.0 += shift);
            r
        })
        .collect();
    replace(&mut *writer, &one, Some(minute(101)), &new);
    let found = reader.history(&one.spec.key, &everything()).unwrap();
    assert_eq!(found.streams.len(), one.streams.len() + 1);
    assert_eq!(found.streams[0], finer);
    for (row, want) in found.rows.iter().zip(rows(200, 1)) {
        let name = |s: Option<StreamIndex>, list: &[StreamDecl]| s.map(|s| list[s.index()].clone());
        for (cell, want) in row.cells.iter().zip(&want.cells) {
            assert_eq!(name(cell.stream, &found.streams), name(want.stream, &one.streams), "{}", row.ts);
        }
    }
    hash(&*reader);
}

/// The same minutes under two arithmetics are two runs; one can go without the other.
pub fn logic_versions_stay_apart(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (first, mut second) = (one(), one());
    second.spec.key.logic_version = "v0.1.0+other".to_owned();
    second.spec.book = "absolute".to_owned();
    let (a, b) = (rows(100, 1), rows(150, 2));
    replace(&mut *writer, &first, None, &a);
    let alone = hash(&*reader);
    replace(&mut *writer, &second, None, &b);
    assert!(stored(&*reader, &first) == a && stored(&*reader, &second) == b);
    let both = reader.runs(None).unwrap();
    assert_eq!(both.len(), 2);
    let versions = reader.versions().unwrap();
    let known: Vec<_> = versions.iter().map(|v| (&v.logic_version, &v.book, &v.book_text)).collect();
    let want = [&first, &second].map(|one| (&one.spec.key.logic_version, &one.spec.book, &one.spec.book_text));
    assert_eq!(known, want);
    assert_eq!(reader.runs_of(&first.spec.key.instrument, None).unwrap(), both);
    assert_eq!(reader.runs_of(&sample::instrument("OTHERUSDT").name, None).unwrap(), []);
    writer.remove_run(&second.spec.key).unwrap();
    assert_eq!(hash(&*reader), alone);
    assert!(stored(&*reader, &second).is_empty());
    refused(writer.remove_run(&second.spec.key), "no run");
}

fn mark(one: &One, n: i64, value: f64) -> Event {
    let at = one.streams.iter().position(|s| s.metric == Metric::MarkPrice).unwrap();
    Event {
        recv_ts: minute(n) + Span::secs(2),
        event_ts: minute(n),
        stream: StreamIndex(u16::try_from(at).unwrap()),
        seq: 0,
        payload: Payload::Value(value),
    }
}

/// Points and mark are committed together; only a replacement that reaches far enough back takes the mark away.
pub fn a_run_is_dirty_until_it_has_seen_its_points(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let version = &one.spec.key.logic_version;
    let dirty = || reader.dirty(version).unwrap();
    assert_eq!(dirty(), []);
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 50, 1.0)]).unwrap();
    let first = dirty();
    assert_eq!((first.len(), first[0].since), (1, None), "no run of this logic version yet");
    replace_seen(&mut *writer, &one, None, &rows(100, 1), first[0].version);
    assert_eq!(dirty(), []);
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 70, 1.0), mark(&one, 60, 1.0)]).unwrap();
    let since = Some(minute(60) + Span::secs(2));
    assert_eq!(dirty()[0].since, since);
    let seen = dirty()[0].version;
    replace_seen(&mut *writer, &one, Some(minute(62)), &rows(100, 1)[61..], seen);
    assert_eq!(dirty()[0].since, since, "the row of minute 61 has not seen it");
    replace_seen(&mut *writer, &one, Some(minute(61)), &rows(100, 1)[60..], seen);
    assert_eq!(dirty(), []);
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 60, 1.0)]).unwrap();
    assert_eq!(dirty(), [], "nothing changed");
}

/// What is made of rows and kept elsewhere is made anew where they have changed.
pub fn marks_change_with_rows(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let range = |a, b| crate::Range { start: minute(a), end: minute(b) };
    let marks = || [range(0, 120), range(120, 999)].map(|r| reader.mark(&one.spec.key, r).unwrap());
    assert_eq!(marks(), ["", ""]);
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 50, 1.0)]).unwrap();
    let seen = reader.instruments(None).unwrap()[0].version;
    replace_seen(&mut *writer, &one, None, &rows(300, 1), seen);
    let first = marks();
    assert!(marks() == first && first[0] != first[1]);
    replace_seen(&mut *writer, &one, Some(minute(301)), &rows(400, 1)[300..], seen);
    let longer = marks();
    assert_eq!(
        (longer[0] == first[0], longer[1] == first[1]),
        (true, false),
        "rows at the end touch nothing before them"
    );
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 60, 1.0)]).unwrap();
    let dirty = marks();
    let seen = reader.instruments(None).unwrap()[0].version;
    replace_seen(&mut *writer, &one, Some(minute(61)), &rows(400, 2)[60..], seen);
    assert!(dirty[0] != longer[0] && marks()[0] != dirty[0] && marks()[0] != longer[0]);
}

/// What was read before is not said of what a replacement made of it, nor a minute later than is known.
pub fn a_minute_alone_is_as_among_others(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let alone = |at, as_of| {
        let range = Range { start: minute(at), end: Ts(minute(at).0 + 1) };
        reader.history(&one.spec.key, &RowQuery { range, limit: 1, as_of, ..everything() }).unwrap()
    };
    assert_eq!(alone(1, None).rows, []);
    for seed in [1, 2, 1] {
        replace(&mut *writer, &one, None, &rows(301, seed));
        // More of them than are remembered, some of them twice.
        for at in [0, 1, 60, 61, 301, 302].into_iter().chain(1..=301) {
            let (found, among) = (alone(at, None), everything_of(&*reader, &one, at));
            assert!(found.rows == among.rows, "minute {at} of {seed}");
            assert!(among.rows.is_empty() || (&found.streams, &found.columns) == (&among.streams, &among.columns));
        }
        assert_eq!(alone(60, Some(minute(61))).rows, everything_of(&*reader, &one, 60).rows);
        assert_eq!(alone(60, Some(minute(59))).rows, []);
    }
}

/// A minute by way of the hour around it.
fn everything_of(reader: &dyn Reader, one: &One, at: i64) -> crate::Rows {
    let range = Range { start: minute(at), end: minute(at + 1) };
    reader.history(&one.spec.key, &RowQuery { range, ..everything() }).unwrap()
}

/// The replacement read the events before they came.
pub fn points_that_come_in_during_a_run_keep_it_dirty(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let version = &one.spec.key.logic_version;
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 50, 1.0)]).unwrap();
    let seen = reader.instruments(None).unwrap()[0].version;
    writer.insert_points(&one.instruments, &one.streams, &[mark(&one, 51, 1.0)]).unwrap();
    replace_seen(&mut *writer, &one, None, &rows(100, 1), seen);
    let dirty = reader.dirty(version).unwrap();
    assert_eq!(dirty.len(), 1);
    replace_seen(&mut *writer, &one, None, &rows(100, 1), dirty[0].version);
    assert_eq!(reader.dirty(version).unwrap(), []);
}

/// To one a week and the latest two; a replacement takes those it makes wrong.
pub fn checkpoints_are_thinned(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(22 * 1440, 1);
    replace(&mut *writer, &one, None, &rows);
    let mut kept = Vec::new();
    let mut at = Ts::MAX;
    while let Some(found) = reader.checkpoint(&one.spec.key, at).unwrap() {
        let n = (found.ts - START).as_secs() / 60;
        assert_eq!(found.bytes, format!("engine after {n}").as_bytes());
        kept.push(n);
        at = Ts(found.ts.0 - 1);
    }
    // 2026-01-01 is a Thursday, like the first day of 1970: weeks of the grid begin at 0, 7, 14 and 21 days.
    assert_eq!(kept, [31_600, 31_500, 30_200, 20_100, 10_000]);
    replace(&mut *writer, &one, Some(minute(20_001)), &rows[20_000..20_050]);
    assert_eq!(reader.checkpoint(&one.spec.key, Ts::MAX).unwrap().map(|c| c.ts), Some(minute(10_000)));
}

/// Positions would mean two things in one run.
pub fn columns_cannot_change_half_way(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let mut one = one();
    replace(&mut *writer, &one, None, &rows(100, 1));
    one.spec.columns.features[3].version = 2;
    refused(writer.replace(&one.spec, Some(minute(50)), PointsVersion::default()).map(drop), "other columns");
    replace(&mut *writer, &one, None, &rows(100, 1));
    assert_eq!(reader.runs(None).unwrap()[0].spec.columns, one.spec.columns);
}
