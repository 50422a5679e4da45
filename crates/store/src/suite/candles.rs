//! Candles: what a fold over the points known at a moment gives, holes left as holes.

use super::sample::{self, START};
use super::{Factory, open};
use crate::{Candle, CandleQuery, PointQuery, Range, Reader};
use barograph_domain::{Event, Metric, Payload, Span, Ts};

/// The same from the points that anybody can ask for.
fn by_hand(reader: &dyn Reader, query: &CandleQuery, metric: Metric) -> Vec<Candle> {
    let points = PointQuery {
        instrument: query.instrument.clone(),
        metric,
        source: None,
        cadence: None,
        range: Range::ALL,
        limit: usize::MAX,
        as_of: query.as_of,
    };
    let mut all: Vec<Candle> = Vec::new();
    for point in reader.points(&points).unwrap().items {
        let (length, [open, high, low, close], volume) = match point.payload {
            Payload::Bar(b) => (Span::mins(1), [b.open, b.high, b.low, b.close], b.volume),
            Payload::Trade { price, qty, .. } => (Span::ZERO, [price; 4], Some(qty)),
            other => panic!("{other:?}"),
        };
        let start = (point.event_ts - length).floor(query.every);
        if !query.range.contains(start) {
            continue;
        }
        match all.last_mut().filter(|c| c.start == start) {
            Some(c) => {
                (c.high, c.low, c.close) = (c.high.max(high), c.low.min(low), close);
                c.volume = c.volume.zip(volume).map(|(a, b)| a + b);
            }
            None => all.push(Candle { start, open, high, low, close, volume }),
        }
    }
    all
}

/// Bars where there are any, revisions by when they were known, trades where there is nothing else.
pub fn candles_are_the_points_of_their_stretch(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let both = ["BTCUSDT", "ETHUSDT"].map(sample::instrument);
    for (instrument, metric) in both.iter().zip([Metric::Bar, Metric::Trade]) {
        let streams = sample::streams(core::slice::from_ref(instrument));
        let mut batch = sample::events(&streams, 300, 7);
        let of = |e: &Event| streams[e.stream.index()].metric;
        // Two hours in the middle are missing; the second market has no bars.
        batch.retain(|e| {
            let hole = Span::mins(60) < e.event_ts - START && e.event_ts - START <= Span::mins(180);
            !hole && (metric == Metric::Bar || of(e) != Metric::Bar)
        });
        let revised: Vec<Event> = batch
            .iter()
            .filter(|e| of(e) == Metric::Bar && e.event_ts == START + Span::mins(20))
            .map(|e| {
                let Payload::Bar(b) = e.payload else { panic!("{e:?}") };
                let bar = barograph_domain::Bar { high: b.high * 2.0, ..b };
                Event { recv_ts: START + Span::hours(4), payload: Payload::Bar(bar), ..*e }
            })
            .collect();
        writer.insert_points(core::slice::from_ref(instrument), &streams, &batch).unwrap();
        writer.insert_points(core::slice::from_ref(instrument), &streams, &revised).unwrap();
        for every in [Span::mins(1), Span::mins(15), Span::hours(1), Span::days(1)] {
            for as_of in [None, Some(START + Span::mins(200)), Some(START + Span::mins(30) + Span::secs(1))] {
                for range in [Range::ALL, Range { start: START + Span::hours(1), end: START + Span::hours(4) }] {
                    let query = CandleQuery { instrument: instrument.name.clone(), every, range, as_of };
                    let found = reader.candles(&query).unwrap();
                    assert_eq!(found.items, by_hand(&*reader, &query, metric), "{query:?}");
                }
            }
        }
        let hours = |as_of| {
            let query =
                CandleQuery { instrument: instrument.name.clone(), every: Span::hours(1), range: Range::ALL, as_of };
            reader.candles(&query).unwrap().items
        };
        assert_eq!(hours(Some(Ts(START.0 - 1))), []);
        if metric == Metric::Bar {
            assert_eq!(hours(None).len(), 3, "two hours are not there");
            assert!(hours(None)[0].high > hours(Some(START + Span::hours(2)))[0].high, "it was not known then");
        }
    }
}
