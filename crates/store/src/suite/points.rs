//! Metric points: idempotent, revised, in order (R1.18, R1.82, A09).

use super::sample::{self, START};
use super::{Factory, hash, joined, open, refused};
use crate::{Inserted, PointQuery, Range, Reader, Result, Retention};
use barograph_domain::{
    Bar, Event, Instrument, MarketKind, Metric, Payload, Side, Span, Status, StatusState, StreamDecl, StreamIndex, Ts,
};

struct One {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
}

fn one() -> One {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    One { instruments, streams }
}

impl One {
    fn index(&self, metric: Metric) -> StreamIndex {
        let at = self.streams.iter().position(|s| s.metric == metric).unwrap();
        StreamIndex(u16::try_from(at).unwrap())
    }
    fn event(&self, metric: Metric, event_s: i64, known_s: i64, seq: u64, payload: Payload) -> Event {
        let at = |s| START + Span::secs(s);
        Event { recv_ts: at(known_s), event_ts: at(event_s), stream: self.index(metric), seq, payload }
    }
    fn mark(&self, event_s: i64, known_s: i64, value: f64) -> Event {
        self.event(Metric::MarkPrice, event_s, known_s, 0, Payload::Value(value))
    }
    fn query(&self, metric: Metric, as_of: Option<Ts>) -> PointQuery {
        PointQuery {
            instrument: self.instruments[0].name.clone(),
            metric,
            source: None,
            cadence: None,
            range: Range::ALL,
            limit: 1000,
            as_of,
        }
    }
}

fn events(reader: &dyn Reader, streams: &[StreamDecl], after: Option<Ts>, as_of: Option<Ts>) -> Vec<Event> {
    reader.events(streams, after, as_of).unwrap().collect::<Result<_>>().unwrap()
}

/// Headlines of the marks known at a second after the start.
fn marks(reader: &dyn Reader, one: &One, as_of_s: Option<i64>) -> Vec<f64> {
    let as_of = as_of_s.map(|s| START + Span::secs(s));
    let page = reader.points(&one.query(Metric::MarkPrice, as_of)).unwrap();
    page.items.iter().filter_map(|p| p.payload.headline()).collect()
}

/// Also when it is seen again later.
pub fn the_same_value_twice_changes_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let batch = sample::events(&one.streams, 30, 1);
    let first = writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    assert_eq!(first, Inserted { new: batch.len() as u64, ..Inserted::default() });
    let before = hash(&*reader);
    let version = reader.instruments(None).unwrap()[0].version;
    let later: Vec<Event> = batch.iter().map(|e| Event { recv_ts: e.recv_ts + Span::hours(1), ..*e }).collect();
    for again in [&batch, &later] {
        let got = writer.insert_points(&one.instruments, &one.streams, again).unwrap();
        assert_eq!(got, Inserted { same: batch.len() as u64, ..Inserted::default() });
        assert!(!got.changed());
    }
    assert_eq!(hash(&*reader), before);
    assert_eq!(reader.instruments(None).unwrap()[0].version, version);
    assert_eq!(events(&*reader, &one.streams, None, None), batch);
}

/// And `as_of` sees each at its time.
pub fn a_revision_is_a_new_row(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let (old, new) = (one.mark(60, 62, 5.0), one.mark(60, 90, 6.0));
    writer.insert_points(&one.instruments, &one.streams, &[old]).unwrap();
    let got = writer.insert_points(&one.instruments, &one.streams, &[new]).unwrap();
    assert_eq!(got, Inserted { revised: 1, ..Inserted::default() });
    assert_eq!(marks(&*reader, &one, Some(61)), [] as [f64; 0]);
    assert_eq!(marks(&*reader, &one, Some(62)), [5.0]);
    assert_eq!(marks(&*reader, &one, Some(89)), [5.0]);
    assert_eq!(marks(&*reader, &one, Some(90)), [6.0]);
    assert_eq!(marks(&*reader, &one, None), [6.0]);
    assert_eq!(events(&*reader, &one.streams, None, None), [old, new]);
}

/// Never by who came first.
pub fn equal_times_are_ordered_by_content(factory: &dyn Factory) {
    let one = one();
    let all = [one.mark(60, 62, 7.0), one.mark(60, 62, 5.0), one.mark(60, 62, 6.0)];
    let mut sorted = all.to_vec();
    sorted.sort_by(Event::order);
    let mut hashes = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let (_site, mut writer, reader) = open(factory);
        for at in order {
            writer.insert_points(&one.instruments, &one.streams, &[all[at]]).unwrap();
        }
        assert_eq!(events(&*reader, &one.streams, None, None), sorted);
        assert_eq!(marks(&*reader, &one, None), [sorted[2].payload.headline().unwrap()]);
        hashes.push(hash(&*reader));
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

/// Whichever of the two was written first.
pub fn of_two_times_the_earlier_counts(factory: &dyn Factory) {
    let one = one();
    let (early, late) = (one.mark(60, 61, 5.0), one.mark(60, 600, 5.0));
    let mut hashes = Vec::new();
    for order in [[early, late], [late, early]] {
        let (_site, mut writer, reader) = open(factory);
        for event in order {
            writer.insert_points(&one.instruments, &one.streams, &[event]).unwrap();
        }
        assert_eq!(events(&*reader, &one.streams, None, None), [early]);
        assert_eq!(marks(&*reader, &one, Some(61)), [5.0]);
        hashes.push(hash(&*reader));
    }
    assert_eq!(hashes[0], hashes[1]);
}

/// Two liquidations in one millisecond are two liquidations.
pub fn facts_that_share_a_key_are_all_kept(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let forced = |qty| Payload::Liquidation { liquidated_side: Side::Long, price: 10.0, qty };
    let batch = [1.0, 2.0].map(|q| one.event(Metric::Liquidation, 60, 60, 0, forced(q)));
    let trade =
        |seq, qty| one.event(Metric::Trade, 60, 60, seq, Payload::Trade { price: 1.0, qty, aggressor_side: None });
    let trades = [trade(1, 1.0), trade(2, 1.0)];
    writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    writer.insert_points(&one.instruments, &one.streams, &trades).unwrap();
    assert_eq!(reader.points(&one.query(Metric::Liquidation, None)).unwrap().items.len(), 2);
    let found = reader.points(&one.query(Metric::Trade, None)).unwrap().items;
    assert_eq!(found.iter().map(|p| p.seq).collect::<Vec<_>>(), [1, 2]);
}

/// Of every kind of payload, negative zero and the smallest numbers included.
pub fn every_bit_survives(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let bar = Bar { open: 1.0, high: 2.0, low: 0.1 + 0.2, close: 1.5, volume: None, quote_volume: Some(-0.0) };
    let funding = |rate, interval_h, next, special| Payload::Funding { rate, interval_h, next_ts: next, special };
    let cases = [
        (Metric::Bar, Payload::Bar(bar)),
        (Metric::Trade, Payload::Trade { price: 3.0, qty: 5e-324, aggressor_side: Some(Side::Short) }),
        (Metric::MarkPrice, Payload::Value(-0.0)),
        (Metric::MarkPrice, Payload::Value(50_000.0)),
        (Metric::MarkPrice, Payload::Value(5e-324)),
        (Metric::MarkPrice, Payload::Value(f64::MAX)),
        (Metric::FundingRate, funding(1e-4, None, None, false)),
        (Metric::FundingRate, funding(-0.0, None, None, false)),
        (Metric::FundingRate, funding(1e-4, Some(4.0), Some(START), true)),
        (Metric::Liquidation, Payload::Liquidation { liquidated_side: Side::Short, price: 1e300, qty: 1e300 }),
    ];
    let batch: Vec<Event> = (1..).zip(cases).map(|(s, (m, p))| one.event(m, 60 * s, 60 * s + 7, 0, p)).collect();
    writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    let bits = |events: &[Event]| {
        events
            .iter()
            .map(|e| {
                let mut bytes = Vec::new();
                e.payload.encode(&mut bytes);
                (e.recv_ts, e.event_ts, e.stream, bytes)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&events(&*reader, &one.streams, None, None)), bits(&batch));
}

/// Whatever their known times, also across more of them than are read at once.
pub fn events_come_in_the_total_order(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let instruments = vec![sample::instrument("BTCUSDT"), sample::instrument("ETHUSDT")];
    let streams = sample::streams(&instruments);
    let mut random = sample::Random::new(5);
    let mut batch = sample::events(&streams, 2500, 2);
    for event in &mut batch {
        if random.once_in(4) {
            event.recv_ts = event.recv_ts + Span::secs(i64::try_from(random.below(4000)).unwrap() - 1000);
        }
    }
    let mut sorted = batch.clone();
    sorted.sort_by(Event::order);
    random.shuffle(&mut batch);
    for part in batch.chunks(3000) {
        writer.insert_points(&instruments, &streams, part).unwrap();
    }
    let all = events(&*reader, &streams, None, None);
    assert_eq!(all.len(), sorted.len());
    assert!(all == sorted, "order differs");
    let eth: Vec<StreamDecl> = streams.iter().filter(|s| s.instrument == instruments[1].name).cloned().collect();
    let own = events(&*reader, &eth, None, None);
    assert!(own.iter().all(|e| e.stream.index() < eth.len()));
    assert_eq!(own.len(), sorted.iter().filter(|e| e.stream.index() >= eth.len()).count());
}

/// However many are read at once, the revisions of one key come together and in their order.
pub fn revisions_stay_together(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let late = |n: i64| if n % 2 == 0 { 2 } else { 9 };
    let mut batch: Vec<Event> =
        (1..6000_i64).flat_map(|n| [3.0, 2.0, 1.0].map(|v| one.mark(60 * n, 60 * n + late(n), v))).collect();
    writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    batch.sort_by(Event::order);
    assert!(events(&*reader, &one.streams, None, None) == batch, "order differs");
}

/// And up to another.
pub fn events_after_a_moment(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let mut batch = sample::events(&one.streams, 200, 3);
    batch.iter_mut().step_by(3).for_each(|e| e.recv_ts = e.recv_ts + Span::secs(30));
    writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    batch.sort_by(Event::order);
    for minute in [0, 1, 17, 100, 199, 300] {
        let after = START + Span::mins(minute) + Span::secs(2);
        let until = after + Span::mins(20);
        let want: Vec<Event> = batch.iter().filter(|e| e.recv_ts > after && e.recv_ts <= until).copied().collect();
        assert_eq!(events(&*reader, &one.streams, Some(after), Some(until)), want, "after minute {minute}");
    }
}

/// Neither points nor instruments nor streams.
pub fn a_refused_batch_leaves_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let good = one.mark(60, 62, 5.0);
    let before = hash(&*reader);
    let gap =
        Status { state: StatusState::Gap, from: START, until: START, reason: barograph_domain::GapReason::MissingRows };
    let bad = [
        (Event { payload: Payload::Status(gap), ..good }, "carries no"),
        (Event { payload: Payload::Tick, ..good }, "carries no"),
        (one.event(Metric::Bar, 60, 62, 0, Payload::Value(1.0)), "carries no bar"),
        (Event { stream: StreamIndex(99), ..good }, "not declared"),
        (Event { payload: Payload::Value(f64::NAN), ..good }, "not a number"),
        (Event { seq: u64::MAX, ..good }, "sequence"),
    ];
    for (event, word) in bad {
        refused(writer.insert_points(&one.instruments, &one.streams, &[good, event]), word);
    }
    refused(writer.insert_points(&[], &one.streams, &[good]), "not described");
    assert_eq!(hash(&*reader), before);
    writer.insert_points(&one.instruments, &one.streams, &[good]).unwrap();
    let spot = Instrument { kind: MarketKind::Spot, ..one.instruments[0].clone() };
    refused(writer.insert_points(&[spot], &one.streams, &[good]), "stored as perpetual");
}

/// However small they are, and with `as_of`.
pub fn pages_join_up(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let batch: Vec<Event> = (0..100_u64)
        .map(|n| {
            let payload = Payload::Trade { price: 1.0, qty: 1.0, aggressor_side: None };
            let second = i64::try_from(n / 7).unwrap();
            one.event(Metric::Trade, second, second + i64::from(n % 5 == 0) * 50, n, payload)
        })
        .collect();
    writer.insert_points(&one.instruments, &one.streams, &batch).unwrap();
    for as_of in [None, Some(START + Span::secs(40))] {
        let query = one.query(Metric::Trade, as_of);
        let whole = reader.points(&query).unwrap().items;
        assert_eq!(whole.len(), batch.iter().filter(|e| as_of.is_none_or(|t| e.recv_ts <= t)).count());
        for limit in [1, 3, 20] {
            let page = |range| {
                let page = reader.points(&PointQuery { range, limit, ..query.clone() }).unwrap();
                assert!(page.items.len() < limit + 7, "{} items", page.items.len());
                page
            };
            assert_eq!(joined(page), whole, "limit {limit}");
        }
    }
}

/// At once, in thin slices, again and again with a piece more each time: the same points, the same answers, the same digests.
pub fn however_a_history_came_in_it_is_the_same(factory: &dyn Factory) {
    let one = one();
    let mut batch = sample::events(&one.streams, 200, 5);
    batch.sort_by(Event::order);
    let ways: [(&str, usize, usize); 4] = [
        ("at once", batch.len(), batch.len()),
        ("in slices of 7", 7, 7),
        ("in slices of 300", 300, 300),
        ("overlapping", 500, 200),
    ];
    let mut first = None;
    for (way, size, step) in ways {
        let (_site, mut writer, reader) = open(factory);
        for at in (0..batch.len()).step_by(step) {
            let slice = &batch[at..batch.len().min(at + size)];
            writer.import_points(&one.instruments, &one.streams, slice, START + Span::days(400)).unwrap();
        }
        let again = writer.import_points(&one.instruments, &one.streams, &batch, START + Span::days(500)).unwrap();
        let same = Inserted { same: batch.len() as u64, ..Inserted::default() };
        assert_eq!((again.inserted, again.contradiction.rows), (same, 0), "{way}, once more");
        writer.prune(&Retention { raw: Span::mins(10), ..Retention::default() }).unwrap();
        let as_of = START + Span::mins(90);
        let said = (
            events(reader.as_ref(), &one.streams, None, None),
            events(reader.as_ref(), &one.streams, Some(START + Span::mins(61)), Some(as_of)),
            reader.points(&one.query(Metric::Bar, Some(as_of))).unwrap().items,
            reader.points(&one.query(Metric::MarkPrice, None)).unwrap().items,
            reader.streams(None, None).unwrap(),
            reader.streams(None, Some(as_of)).unwrap(),
            hash(reader.as_ref()),
        );
        assert_eq!(said.0.len(), batch.len(), "{way}");
        match &first {
            None => first = Some(said),
            Some(first) => assert!(*first == said, "{way}: another answer than at once"),
        }
    }
}

/// One metric may come from several of both.
pub fn sources_and_cadences_are_distinct(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let instruments = vec![sample::instrument("BTCUSDT")];
    let base = sample::streams(&instruments).into_iter().find(|s| s.metric == Metric::MarkPrice).unwrap();
    let mut streams = vec![
        base.clone(),
        StreamDecl { cadence: Span::hours(1), ..base.clone() },
        StreamDecl { source: "elsewhere".into(), ..base.clone() },
    ];
    streams.sort();
    let batch: Vec<Event> = (0..3_u16)
        .flat_map(|s| (1..=4).map(move |n| (s, n)))
        .map(|(s, n)| Event {
            recv_ts: START + Span::hours(n),
            event_ts: START + Span::hours(n),
            stream: StreamIndex(s),
            seq: 0,
            payload: Payload::Value(f64::from(s)),
        })
        .collect();
    writer.insert_points(&instruments, &streams, &batch).unwrap();
    let all = PointQuery {
        instrument: instruments[0].name.clone(),
        metric: Metric::MarkPrice,
        source: None,
        cadence: None,
        range: Range { start: START, end: START + Span::hours(3) },
        limit: 100,
        as_of: None,
    };
    let count = |q: &PointQuery| reader.points(q).unwrap().items.len();
    assert_eq!(count(&all), 6);
    assert_eq!(count(&PointQuery { source: Some("elsewhere".into()), ..all.clone() }), 2);
    assert_eq!(count(&PointQuery { cadence: Some(Span::hours(1)), ..all.clone() }), 2);
    assert_eq!(count(&PointQuery { metric: Metric::IndexPrice, ..all.clone() }), 0);
    let first_two = reader.points(&PointQuery { limit: 1, ..all }).unwrap();
    let ranks: Vec<StreamDecl> = first_two.items.into_iter().map(|p| p.stream).collect();
    assert_eq!(ranks, streams);
}
