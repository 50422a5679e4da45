//! The content hash: the same content gives the same digits, any other content gives others.

use super::rows::{gap, minute, one, replace, rows};
use super::sample::{self, Random};
use super::{Factory, hash, open};
use crate::{ImportRecord, Inserted, PointsVersion};
use barograph_domain::{
    Cell, Event, Instrument, Kind, Payload, Reason, RiskRegime, Span, State, StreamDecl, StreamIndex, TrendRegime, Ts,
    VolRegime,
};

/// Points in any order, in batches of any size, streams numbered in any way.
pub fn order_of_arrival_does_not_show(factory: &dyn Factory) {
    let instruments: Vec<Instrument> = ["BTCUSDT", "ETHUSDT"].map(sample::instrument).to_vec();
    let streams = sample::streams(&instruments);
    let mut events = sample::events(&streams, 300, 1);
    let twice: Vec<Event> = events.iter().step_by(7).copied().collect();
    events.extend(twice);
    let mut random = Random::new(3);
    let mut hashes = Vec::new();
    for _ in 0..3 {
        let (_site, mut writer, reader) = open(factory);
        let mut order: Vec<usize> = (0..streams.len()).collect();
        random.shuffle(&mut order);
        let list: Vec<StreamDecl> = order.iter().map(|at| streams[*at].clone()).collect();
        let place = |s: StreamIndex| order.iter().position(|at| *at == s.index()).unwrap();
        let moved: Vec<Event> = events
            .iter()
            .map(|e| Event { stream: StreamIndex(u16::try_from(place(e.stream)).unwrap()), ..*e })
            .collect();
        let size = 50 + usize::try_from(random.below(500)).unwrap();
        for part in moved.chunks(size) {
            writer.insert_points(&instruments, &list, part).unwrap();
        }
        hashes.push(hash(&*reader));
        random.shuffle(&mut events);
    }
    assert!(hashes.iter().all(|h| *h == hashes[0]), "{hashes:?}");
}

/// A run written at once or in pieces, over other rows or not, is the same run.
pub fn neither_do_pieces(factory: &dyn Factory) {
    let one = one();
    let rows = rows(5000, 1);
    let whole = {
        let (_site, mut writer, reader) = open(factory);
        replace(&mut *writer, &one, None, &rows);
        hash(&*reader)
    };
    for cuts in [&[2500][..], &[1, 2, 3, 60, 61, 4999], &[300, 4900, 4000, 4990]] {
        let (_site, mut writer, reader) = open(factory);
        replace(&mut *writer, &one, None, &super::rows::rows(4000, 9));
        replace(&mut *writer, &one, None, &rows);
        for from in cuts {
            let rest: Vec<_> = rows.iter().filter(|r| r.ts >= minute(*from)).cloned().collect();
            replace(&mut *writer, &one, Some(minute(*from)), &rest);
        }
        assert_eq!(hash(&*reader), whole, "cut at {cuts:?}");
    }
}

/// A reading that is there.
fn ready(row: &mut barograph_domain::MinuteRow) -> &mut Cell {
    row.cells.iter_mut().find(|c| c.state == State::Ready).unwrap()
}

/// One bit of one number, one state, one stream, one gap.
pub fn every_change_shows(factory: &dyn Factory) {
    let one = one();
    let good = rows(50, 1);
    let events = sample::events(&one.streams, 50, 1);
    let mut seen = std::collections::BTreeSet::new();
    let mut expect_new = |change: &dyn Fn(&mut Vec<barograph_domain::MinuteRow>, &mut Vec<Event>), gaps: &[i64]| {
        let (mut rows, mut events) = (good.clone(), events.clone());
        change(&mut rows, &mut events);
        let (_site, mut writer, reader) = open(factory);
        writer.insert_points(&one.instruments, &one.streams, &events).unwrap();
        let mut run = writer.replace(&one.spec, None, PointsVersion::default()).unwrap();
        gaps.iter().for_each(|n| run.gap(&gap(&one, *n)).unwrap());
        rows.iter().for_each(|r| run.row(r).unwrap());
        run.finish().unwrap();
        assert!(seen.insert(hash(&*reader)), "change {} does not show", seen.len());
    };
    expect_new(&|_, _| {}, &[]);
    expect_new(&|_, _| {}, &[10]);
    expect_new(&|rows, _| rows[7].cells[3].value = f64::from_bits(rows[7].cells[3].value.to_bits() ^ 1), &[]);
    expect_new(&|rows, _| rows[7].cells[3] = Cell::undefined(Reason::Gap), &[]);
    expect_new(&|rows, _| ready(&mut rows[7]).state = State::Stale, &[]);
    expect_new(&|rows, _| rows[7].cells[0].kind = Kind::Proxy, &[]);
    expect_new(&|rows, _| rows[7].cells[0].partial = true, &[]);
    expect_new(&|rows, _| rows[7].cells[0].stream = None, &[]);
    expect_new(&|rows, _| rows[7].cells[0].coverage = 0.5, &[]);
    expect_new(&|rows, _| rows[7].cells[0].anchor = minute(1), &[]);
    expect_new(&|rows, _| rows[7].price = None, &[]);
    expect_new(&|rows, _| rows[7].cuts[1] = Some(0.25), &[]);
    expect_new(&|rows, _| rows[7].held[1].known = 77, &[]);
    expect_new(&|rows, _| rows[7].inputs[1].anchor = minute(2), &[]);
    expect_new(&|rows, _| rows[7].risk.raw_label = RiskRegime::HighVol, &[]);
    expect_new(&|rows, _| rows[7].risk.candidate_count = 9, &[]);
    expect_new(&|rows, _| rows[7].trend.label = TrendRegime::Downtrend, &[]);
    expect_new(&|rows, _| rows[7].heat.since = Ts(7), &[]);
    expect_new(&|rows, _| rows[7].timeframes.volatility[3] = VolRegime::Extreme, &[]);
    expect_new(&|rows, _| rows[7].open.count = 40, &[]);
    expect_new(&|rows, _| rows.truncate(49), &[]);
    expect_new(&|_, events| events.truncate(events.len() - 1), &[]);
    expect_new(&|_, events| events[9].recv_ts = events[9].recv_ts + Span(1), &[]);
    let value = Payload::Value(3.0);
    let replace_mark = |events: &mut Vec<Event>| {
        let mark = events.iter_mut().find(|e| matches!(e.payload, Payload::Value(_)));
        mark.unwrap().payload = value;
    };
    expect_new(&|_, events| replace_mark(events), &[]);
}

/// Neither do unfinished or removed runs; see the tests there.
pub fn wall_clock_and_checkpoints_do_not(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let rows = rows(60, 1);
    replace(&mut *writer, &one, None, &rows);
    let before = hash(&*reader);
    let record = ImportRecord {
        started: minute(0),
        finished: minute(1),
        release: String::new(),
        source: String::new(),
        inserted: Inserted::default(),
        rejected: 0,
        detail: String::new(),
    };
    writer.record_import(&record).unwrap();
    assert_eq!(hash(&*reader), before);
    let mut run = writer.replace(&one.spec, Some(minute(60)), PointsVersion::default()).unwrap();
    run.row(&rows[59]).unwrap();
    run.checkpoint(minute(60), b"state").unwrap();
    run.finish().unwrap();
    assert!(reader.checkpoint(&one.spec.key, minute(60)).unwrap().is_some());
    assert_eq!(hash(&*reader), before);
}
