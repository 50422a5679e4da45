//! Live batches: whole or not at all, repeatable, and what was published never changes.

use super::rows::{One, changes, everything, gap, minute, one, replace, rows, stored};
use super::sample::{self, START};
use super::{Factory, hash, open, refused};
use crate::{
    Appended, BookSample, Error, Gap, Inserted, LiveBatch, PointQuery, PointsVersion, Provenance, Pruned, Range,
    Reader, Result, Retention, RunSpec, Writer,
};
use barograph_domain::{Event, Metric, MinuteRow, Payload, Span, StreamDecl, Ts};

/// The events that were received within the minute before a row.
fn of_minute(events: &[Event], n: i64) -> Vec<Event> {
    let (from, until) = (minute(n - 1) + Span::millis(200), minute(n) + Span::millis(200));
    events.iter().filter(|e| from < e.recv_ts && e.recv_ts <= until).copied().collect()
}

fn book(n: i64) -> BookSample {
    let level = |i: i32, sign: f64| (50_000.0 + sign * f64::from(i), 0.25 * f64::from(i));
    BookSample {
        instrument: 0,
        ts: minute(n),
        known_ts: minute(n) + Span::millis(80),
        bids: (1..=25).map(|i| level(i, -1.0)).collect(),
        asks: (1..=20).map(|i| level(i, 1.0)).collect(),
    }
}

/// A batch of one market with these rows.
fn batch<'a>(one: &'a One, rows: &'a [MinuteRow], points: &'a [Event]) -> LiveBatch<'a> {
    LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        rows,
        points,
        ..LiveBatch::default()
    }
}

fn publish(writer: &mut dyn Writer, one: &One, rows: &[MinuteRow]) -> Appended {
    writer.append(&batch(one, rows, &[])).unwrap()
}

fn label_changes(reader: &dyn Reader, one: &One) -> Vec<crate::LabelChange> {
    reader.label_changes(&one.spec.key, Range::ALL, usize::MAX, None).unwrap().items
}

/// Minute by minute over several hours: the same rows, labels and gaps as an import of the same, down to the hash.
pub fn a_published_run_is_like_any_other(factory: &dyn Factory) {
    let one = one();
    let rows = rows(400, 1);
    let gaps: Vec<Gap> = [100, 250].map(|n| gap(&one, n)).to_vec();
    let (_site, mut writer, reader) = open(factory);
    for (n, row) in (1_i64..).zip(&rows) {
        let own: Vec<Gap> = gaps.iter().filter(|g| crate::run::row_of(g.known_ts) == minute(n)).cloned().collect();
        let live = LiveBatch { gaps: &own, ..batch(&one, std::slice::from_ref(row), &[]) };
        let done = writer.append(&live).unwrap();
        assert_eq!((done.rows, done.rows_same, done.gaps), (1, 0, own.len() as u64));
        if n % 37 == 0 {
            assert_eq!(
                reader.latest(&one.spec.key, 3, None).unwrap().rows,
                rows[usize::try_from(n).unwrap() - 3..][..3]
            );
        }
    }
    assert!(stored(&*reader, &one) == rows);
    assert_eq!(label_changes(&*reader, &one), changes(&rows));
    assert_eq!(reader.gaps(&one.spec.key, Range::ALL, 99, None).unwrap().items, gaps);
    let info = reader.run(&one.spec.key, None).unwrap().unwrap();
    assert_eq!((info.rows, info.minutes), (400, Some((minute(1), minute(400)))));
    assert_eq!((info.spec.streams, info.spec.book_text), (one.streams.clone(), one.spec.book_text.clone()));
    let (_other_site, mut other, imported) = open(factory);
    let mut run = other.replace(&one.spec, None, PointsVersion::default()).unwrap();
    gaps.iter().for_each(|g| run.gap(g).unwrap());
    rows.iter().for_each(|r| run.row(r).unwrap());
    run.finish().unwrap();
    let rows_only = |reader: &dyn Reader| {
        let sections = reader.check(true).unwrap().hash.unwrap().sections;
        sections.into_iter().filter(|s| s.section != "instruments" && s.section != "streams").collect::<Vec<_>>()
    };
    hash(&*reader);
    assert_eq!(rows_only(&*reader), rows_only(&*imported));
}

/// A whole batch, also after it was packed, also by a writer that was opened again.
pub fn a_repeated_batch_changes_nothing(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(150, 1);
    let events = sample::events(&one.streams, 150, 1);
    let batches: Vec<Vec<Event>> = (1..=150).map(|n| of_minute(&events, n)).collect();
    let gaps = [gap(&one, 9)];
    let books = [book(3), book(4)];
    let all = |n: usize| {
        let full = LiveBatch { gaps: &gaps, books: &books, ..batch(&one, &rows[n..=n], &batches[n]) };
        (full, batches[n].len() as u64)
    };
    for n in 0..150 {
        let (full, count) = all(n);
        let done = writer.append(&full).unwrap();
        assert_eq!((done.points, done.rows), (Inserted { new: count, ..Inserted::default() }, 1));
        assert_eq!((done.gaps, done.books), if n == 0 { (1, 2) } else { (0, 0) });
        assert_eq!(writer.append(&full).unwrap().points.same, count, "at once");
    }
    let before = hash(&*reader);
    drop(writer);
    let mut writer = site.writer(&crate::WriterRole::ALL).unwrap();
    for n in [149, 0, 70, 149, 148] {
        let (full, count) = all(n);
        let same = Inserted { same: count, ..Inserted::default() };
        assert_eq!(writer.append(&full).unwrap(), Appended { points: same, rows_same: 1, ..Appended::default() });
    }
    assert_eq!(hash(&*reader), before);
    assert!(stored(&*reader, &one) == rows);
}

/// What a replayed journal makes of published minutes; and which those are.
pub fn what_is_made_again_is_compared_and_never_written(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let (good, other) = (rows(130, 1), rows(130, 2));
    let published = || reader.published(&one.spec.key.logic_version).unwrap();
    replace(&mut *writer, &one, None, &good);
    assert!(published().is_empty(), "an import publishes nothing");
    publish(&mut *writer, &one, &good[..100]);
    assert_eq!(published(), [(one.spec.key.instrument.clone(), minute(100))]);
    assert!(reader.published("another").unwrap().is_empty());
    let before = hash(&*reader);
    let again = |rows| LiveBatch { again: rows, ..batch(&one, &[], &[]) };
    assert_eq!(writer.append(&again(&good)).unwrap(), Appended::default());
    for n in [0, 59, 60, 99] {
        let done = writer.append(&again(&other[n..=n])).unwrap();
        assert_eq!(done, Appended { rows_other: 1, ..Appended::default() });
    }
    assert_eq!(hash(&*reader), before);
    assert!(stored(&*reader, &one) == good);
}

/// The whole batch is refused, with the market and the minute; nothing of it is stored.
pub fn a_published_minute_never_changes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let (good, other) = (rows(130, 1), rows(130, 2));
    for part in good.chunks(7) {
        publish(&mut *writer, &one, part);
    }
    let before = hash(&*reader);
    let events = sample::events(&one.streams, 3, 1);
    for n in [0, 59, 60, 100, 129] {
        let error = writer.append(&batch(&one, &other[n..=n], &events)).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("binance-usdm:BTCUSDT") && text.contains(&good[n].ts.to_string()), "{text}");
        match error {
            Error::Conflict { instrument, minute, .. } => {
                assert_eq!((&instrument, minute), (&one.instruments[0].name, good[n].ts));
            }
            other => panic!("{other}"),
        }
        assert_eq!(hash(&*reader), before);
    }
    let next = rows(131, 1);
    assert_eq!(publish(&mut *writer, &one, &next[130..]).rows, 1, "the writer goes on");
}

/// A re-run fills the minutes before, between and after; its other rows are left out.
pub fn a_replacement_leaves_published_minutes(factory: &dyn Factory) {
    let (old, new) = (rows(600, 1), rows(700, 2));
    let one = one();
    let published: Vec<std::ops::RangeInclusive<i64>> = vec![100..=130, 135..=135, 200..=420, 590..=600];
    let is_published = |n: i64| published.iter().any(|p| p.contains(&n));
    let own = |n: i64| &old[usize::try_from(n).unwrap() - 1];
    for from in [None, Some(1), Some(110), Some(135), Some(140), Some(300), Some(500), Some(601)] {
        let (_site, mut writer, reader) = open(factory);
        for n in published.iter().cloned().flatten() {
            publish(&mut *writer, &one, std::slice::from_ref(own(n)));
        }
        // An earlier re-run, then the one that counts.
        replace(&mut *writer, &one, None, &rows(650, 3));
        let before = stored(&*reader, &one);
        let start = from.map_or(Ts::MIN, minute);
        let given: Vec<MinuteRow> = new.iter().filter(|r| r.ts >= start).cloned().collect();
        let done = replace(&mut *writer, &one, from.map(minute), &given);
        let want: Vec<MinuteRow> = (1..=700)
            .filter_map(|n| match n {
                _ if is_published(n) => Some(own(n).clone()),
                _ if minute(n) < start => before.iter().find(|r| r.ts == minute(n)).cloned(),
                _ => Some(new[usize::try_from(n).unwrap() - 1].clone()),
            })
            .collect();
        let kept = (1..=700).filter(|n| is_published(*n) && minute(*n) >= start).count() as u64;
        assert_eq!((done.rows, done.kept), (given.len() as u64 - kept, kept), "from {from:?}");
        assert!(stored(&*reader, &one) == want, "from {from:?}");
        assert_eq!(label_changes(&*reader, &one), changes(&want), "from {from:?}");
        let info = reader.run(&one.spec.key, None).unwrap().unwrap();
        assert_eq!(info.rows, want.len() as u64);
        hash(&*reader);
        // And life goes on behind it.
        let next = rows(701, 2);
        publish(&mut *writer, &one, &next[700..]);
        assert_eq!(reader.latest(&one.spec.key, 1, None).unwrap().rows, next[700..]);
        hash(&*reader);
    }
}

/// Minutes that only an import has computed are not published yet.
pub fn a_live_row_takes_the_place_of_an_imported_one(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let (old, new) = (rows(300, 1), rows(300, 2));
    replace(&mut *writer, &one, None, &old);
    let mut want = old.clone();
    for n in [250, 251, 252, 100, 101, 99, 0, 299, 254, 253] {
        assert_eq!(publish(&mut *writer, &one, &new[n..=n]).rows, 1);
        want[n] = new[n].clone();
        assert!(stored(&*reader, &one) == want, "minute {}", n + 1);
        assert_eq!(label_changes(&*reader, &one), changes(&want));
        assert_eq!(reader.run(&one.spec.key, None).unwrap().unwrap().rows, 300);
        hash(&*reader);
    }
}

fn events(reader: &dyn Reader, streams: &[StreamDecl], after: Option<Ts>, as_of: Option<Ts>) -> Vec<Event> {
    reader.events(streams, after, as_of).unwrap().collect::<Result<_>>().unwrap()
}

/// In ticks of any length, some of them fetched late, some imported too: every read as if all had been imported.
pub fn live_points_read_like_imported_ones(factory: &dyn Factory) {
    let one = one();
    let mut all = sample::events(&one.streams, 300, 1);
    let mut random = sample::Random::new(9);
    for event in &mut all {
        event.recv_ts = event.event_ts + Span(1 + i64::try_from(random.below(90_000_000_000)).unwrap());
    }
    // Two liquidations with one key.
    let twin = all.iter().find(|e| matches!(e.payload, Payload::Liquidation { .. })).copied().unwrap();
    let Payload::Liquidation { liquidated_side, price, qty } = twin.payload else { unreachable!() };
    all.push(Event { payload: Payload::Liquidation { liquidated_side, price, qty: qty * 2.0 }, ..twin });
    all.sort_by(Event::order);
    let (_model_site, mut model, want) = open(factory);
    model.insert_points(&one.instruments, &one.streams, &all).unwrap();
    let (_site, mut writer, reader) = open(factory);
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(1 + usize::try_from(random.below(60)).unwrap()));
        let (late, live): (Vec<Event>, Vec<Event>) = now.iter().partition(|_| random.once_in(10));
        let batch = LiveBatch { backfill: &late, ..batch(&one, &[], &live) };
        let done = writer.append(&batch).unwrap();
        assert_eq!((done.points.new + done.points.revised, done.points.same), (now.len() as u64, 0));
        if random.once_in(8) {
            // An import of the same changes nothing.
            let again = writer.insert_points(&one.instruments, &one.streams, &now[..1]).unwrap();
            assert_eq!(again.same, 1);
        }
        rest = later;
    }
    assert_eq!(events(&*reader, &one.streams, None, None), all);
    for n in [0, 1, 50, 123, 299, 400] {
        let at = minute(n) + Span::secs(17);
        assert_eq!(
            events(&*reader, &one.streams, Some(at), Some(at + Span::mins(60))),
            events(&*want, &one.streams, Some(at), Some(at + Span::mins(60)))
        );
        assert_eq!(reader.streams(None, Some(at)).unwrap(), want.streams(None, Some(at)).unwrap());
        for metric in [Metric::Bar, Metric::MarkPrice, Metric::Liquidation] {
            let query = PointQuery {
                instrument: one.instruments[0].name.clone(),
                metric,
                source: None,
                cadence: None,
                range: Range { start: minute(n - 60), end: minute(n + 60) },
                limit: 50,
                as_of: Some(at),
            };
            let plain = |reader: &dyn Reader| {
                let page = reader.points(&query).unwrap();
                let strip = |p: crate::Point| (p.event_ts, p.known_ts, p.seq, p.payload);
                (page.items.into_iter().map(strip).collect::<Vec<_>>(), page.next)
            };
            assert_eq!(plain(&*reader), plain(&*want), "{metric:?} at {at}");
        }
    }
    assert_eq!(reader.streams(None, None).unwrap(), want.streams(None, None).unwrap());
    assert_ne!(hash(&*reader), hash(&*want), "provenance is content");
}

/// And it does not depend on the ticks in which it was written.
pub fn ticks_do_not_show(factory: &dyn Factory) {
    let one = one();
    let all = sample::events(&one.streams, 200, 1);
    let mut hashes = Vec::new();
    for size in [1_usize, 7, 100, 100_000] {
        let (_site, mut writer, reader) = open(factory);
        for part in all.chunks(size) {
            let (late, live): (Vec<Event>, Vec<Event>) = part.iter().partition(|e| e.event_ts.0 % 7 == 0);
            writer.append(&LiveBatch { backfill: &late, ..batch(&one, &[], &live) }).unwrap();
        }
        hashes.push(hash(&*reader));
    }
    assert!(hashes.iter().all(|h| *h == hashes[0]), "{hashes:?}");
}

/// Live, import and backfill can be told apart; a correction that is fetched later is a revision.
pub fn provenance_is_answered(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let at = one.streams.iter().position(|s| s.metric == Metric::MarkPrice).unwrap();
    let mark = |n: i64, late: Span, value: f64| Event {
        recv_ts: minute(n) + late,
        event_ts: minute(n),
        stream: barograph_domain::StreamIndex(u16::try_from(at).unwrap()),
        seq: 0,
        payload: Payload::Value(value),
    };
    let soon = Span::millis(90);
    writer.append(&batch(&one, &[], &[mark(1, soon, 1.0), mark(2, soon, 2.0)])).unwrap();
    let late = [mark(0, Span::hours(2), 0.0), mark(1, Span::hours(2), 1.5), mark(2, Span::hours(2), 2.0)];
    let done = writer.append(&LiveBatch { backfill: &late, ..batch(&one, &[], &[]) }).unwrap();
    assert_eq!(done.points, Inserted { new: 1, revised: 1, same: 1, earlier: 0 });
    writer.insert_points(&one.instruments, &one.streams, &[mark(3, Span::secs(2), 3.0)]).unwrap();
    let query = |as_of| PointQuery {
        instrument: one.instruments[0].name.clone(),
        metric: Metric::MarkPrice,
        source: None,
        cadence: None,
        range: Range::ALL,
        limit: 9,
        as_of,
    };
    let ask = |as_of| {
        let items = reader.points(&query(as_of)).unwrap().items;
        items.into_iter().map(|p| (p.payload.headline().unwrap(), p.provenance)).collect::<Vec<_>>()
    };
    use Provenance::{Backfill, Import, Live};
    assert_eq!(ask(None), [(0.0, Backfill), (1.5, Backfill), (2.0, Live), (3.0, Import)]);
    assert_eq!(ask(Some(minute(60))), [(1.0, Live), (2.0, Live), (3.0, Import)]);
    hash(&*reader);
}

/// They are in the rows already; what an import adds is not.
pub fn live_points_make_no_run_dirty(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let all = sample::events(&one.streams, 60, 1);
    let version = &one.spec.key.logic_version;
    for (n, row) in (1_i64..).zip(rows(60, 1)) {
        writer.append(&batch(&one, &[row], &of_minute(&all, n))).unwrap();
        assert_eq!(reader.dirty(version).unwrap(), []);
    }
    let older = Event { recv_ts: minute(-5), event_ts: minute(-6), ..all[0] };
    writer.insert_points(&one.instruments, &one.streams, &[older]).unwrap();
    let dirty = reader.dirty(version).unwrap();
    assert_eq!(dirty[0].since, Some(minute(-5)));
    let seen = dirty[0].version;
    super::rows::replace_seen(&mut *writer, &one, Some(minute(-5)), &rows(60, 2), seen);
    assert_eq!(reader.dirty(version).unwrap(), []);
    assert!(stored(&*reader, &one) == rows(60, 1), "what was published stays");
}

/// Nothing of a refused batch is stored.
pub fn a_refused_live_batch_leaves_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let good = rows(3, 1);
    let events = sample::events(&one.streams, 2, 1);
    let before = hash(&*reader);
    let off_grid = [MinuteRow { ts: good[1].ts + Span::secs(1), ..good[1].clone() }];
    let narrow = [MinuteRow { cuts: Vec::new(), ..good[1].clone() }];
    let stranger = [MinuteRow { instrument: 9, ..good[1].clone() }];
    let mut lost = [good[1].clone()];
    lost[0].cells[7].stream = Some(barograph_domain::StreamIndex(99));
    let tick = [Event { payload: Payload::Tick, ..events[0] }];
    let crossed = [BookSample { bids: vec![(1.0, 1.0), (2.0, 1.0)], ..book(1) }];
    let deep = [BookSample { bids: vec![(1.0, 1.0); 26], ..book(1) }];
    let other = Gap { stream: sample::streams(&[sample::instrument("AAAUSDT")])[0].clone(), ..gap(&one, 5) };
    let full = batch(&one, &good, &events);
    let cases = [
        (LiveBatch { rows: &off_grid, ..full }, "minute grid"),
        (LiveBatch { rows: &narrow, ..full }, "numbers of"),
        (LiveBatch { rows: &stranger, ..full }, "no run"),
        (LiveBatch { rows: &lost, ..full }, "stream"),
        (LiveBatch { runs: &[], ..full }, "no run"),
        (LiveBatch { backfill: &tick, ..full }, "carries no"),
        (LiveBatch { books: &crossed, ..full }, "order"),
        (LiveBatch { books: &deep, ..full }, "levels"),
        (LiveBatch { gaps: std::slice::from_ref(&other), ..full }, "no run"),
        (LiveBatch { instruments: &[], runs: &[], rows: &[], ..full }, "not described"),
    ];
    for (case, word) in cases {
        refused(writer.append(&case), word);
        assert_eq!(hash(&*reader), before);
        assert_eq!(reader.runs(None).unwrap(), []);
    }
    writer.append(&full).unwrap();
    let mut other: RunSpec = one.spec.clone();
    other.columns.features[3].version = 2;
    refused(writer.append(&LiveBatch { runs: &[other], ..full }), "other columns");
}

/// A stream that is added in front shifts numbers, not meanings, also in the middle of an hour.
pub fn published_rows_follow_their_streams(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let mut one = one();
    let all = rows(200, 1);
    for row in &all[..130] {
        publish(&mut *writer, &one, std::slice::from_ref(row));
    }
    let first = StreamDecl { cadence: Span::secs(1), ..one.streams[0].clone() };
    one.streams.insert(0, first.clone());
    for row in &all[128..] {
        let mut row = row.clone();
        crate::run::stream_slots(&mut row).for_each(|s| s.0 += 1);
        let done = publish(&mut *writer, &one, std::slice::from_ref(&row));
        assert_eq!(done.rows + done.rows_same, 1);
    }
    let found = reader.history(&one.spec.key, &everything()).unwrap();
    assert_eq!(found.rows.len(), 200);
    for (row, want) in found.rows.iter().zip(&all) {
        for (cell, want) in row.cells.iter().zip(&want.cells) {
            let name = want.stream.map(|s| &one.streams[s.index() + 1]);
            assert_eq!(cell.stream.map(|s| &found.streams[s.index()]), name, "{}", row.ts);
        }
    }
    hash(&*reader);
}

/// By the moment they show and as of any other.
pub fn order_books_come_back(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let books: Vec<BookSample> = (1..=5).map(book).collect();
    let done = writer.append(&LiveBatch { books: &books, ..batch(&one, &[], &[]) }).unwrap();
    assert_eq!(done.books, 5);
    let name = &one.instruments[0].name;
    let found = reader.books(name, Range::ALL, 99, None).unwrap().items;
    assert_eq!(found.len(), 5);
    for (found, want) in found.iter().zip(&books) {
        assert_eq!((found.ts, found.known_ts), (want.ts, want.known_ts));
        assert_eq!((&found.bids, &found.asks), (&want.bids, &want.asks));
    }
    let page = reader.books(name, Range { start: minute(2), end: minute(5) }, 2, None).unwrap();
    assert_eq!((page.items.len(), page.next), (2, Some(minute(4))));
    assert_eq!(reader.books(name, Range::ALL, 99, Some(books[2].known_ts)).unwrap().items.len(), 3);
    assert_eq!(reader.books(name, Range::ALL, 99, Some(Ts(books[2].known_ts.0 - 1))).unwrap().items.len(), 2);
    let other = [BookSample { bids: vec![(1.0, 1.0)], ..books[0].clone() }];
    refused(writer.append(&LiveBatch { books: &other, ..batch(&one, &[], &[]) }), "another order book");
    hash(&*reader);
}

/// Raw data 7 days, rows as any others; imported points stay.
pub fn raw_live_data_are_pruned(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let live = sample::events(&one.streams, 600, 1);
    let old = |e: &Event| Event { event_ts: e.event_ts - Span::days(30), recv_ts: e.recv_ts - Span::days(30), ..*e };
    let imported: Vec<Event> = live[..50].iter().map(old).collect();
    writer.insert_points(&one.instruments, &one.streams, &imported).unwrap();
    for n in 1..=600 {
        let books = [book(n)];
        writer.append(&LiveBatch { books: &books, ..batch(&one, &[], &of_minute(&live, n)) }).unwrap();
    }
    let late: Vec<Event> = live.iter().filter(|e| e.recv_ts > minute(600) + Span::millis(200)).copied().collect();
    writer.append(&batch(&one, &[], &late)).unwrap();
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned::default());
    let keep = Retention { raw: Span::mins(200), ..Retention::default() };
    let newest = |e: &Event| live.iter().filter(|o| o.stream == e.stream).map(|o| o.event_ts).max().unwrap();
    let mut want: Vec<Event> = live.iter().filter(|e| e.event_ts >= newest(e) - Span::mins(200)).copied().collect();
    want.extend(&imported);
    want.sort_by(Event::order);
    let pruned = writer.prune(&keep).unwrap();
    let points = (live.len() + imported.len() - want.len()) as u64;
    assert_eq!(pruned, Pruned { points, books: 399, ..Pruned::default() });
    assert_eq!(events(&*reader, &one.streams, None, None), want);
    assert_eq!(
        reader.books(&one.instruments[0].name, Range::ALL, 999, None).unwrap().items[0].ts,
        START + Span::mins(400)
    );
    hash(&*reader);
    assert_eq!(writer.prune(&keep).unwrap(), Pruned::default());
}
