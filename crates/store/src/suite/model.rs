//! Random writes in random order, against a model that keeps everything in a list and thinks about nothing.

use super::sample::{self, Random, START};
use super::{Factory, hash, open};
use crate::{PointQuery, Range, Result};
use barograph_domain::{Event, Metric, Payload, Span, StreamIndex, Ts};
use std::collections::BTreeMap;

/// One key of one stream: content and the earliest time it was known.
type Key = (StreamIndex, Ts, u64);
type Model = BTreeMap<Key, BTreeMap<Vec<u8>, (Ts, Payload)>>;

fn remember(model: &mut Model, event: &Event) {
    let mut bytes = Vec::new();
    event.payload.encode(&mut bytes);
    let revisions = model.entry((event.stream, event.event_ts, event.seq)).or_default();
    let known = revisions.entry(bytes).or_insert((event.recv_ts, event.payload));
    known.0 = known.0.min(event.recv_ts);
}

/// The latest revision of each key of a stream as of a moment.
fn latest(model: &Model, stream: StreamIndex, as_of: Ts) -> Vec<(Ts, Ts, Vec<u8>)> {
    let own = model.iter().filter(|((s, _, _), _)| *s == stream);
    own.filter_map(|((_, event, _), revisions)| {
        let known = revisions.iter().filter(|(_, (known, _))| *known <= as_of);
        known.map(|(bytes, (known, _))| (*known, bytes.clone())).max().map(|(known, bytes)| (*event, known, bytes))
    })
    .collect()
}

fn all(model: &Model) -> Vec<Event> {
    let mut events: Vec<Event> = model
        .iter()
        .flat_map(|((stream, event_ts, seq), revisions)| {
            revisions.values().map(|(recv_ts, payload)| Event {
                recv_ts: *recv_ts,
                event_ts: *event_ts,
                stream: *stream,
                seq: *seq,
                payload: *payload,
            })
        })
        .collect();
    events.sort_by(Event::order);
    events
}

/// Few distinct keys, values and times, so that everything that can coincide does.
fn random_events(random: &mut Random, n: usize) -> Vec<Event> {
    (0..n)
        .map(|_| {
            let event_ts = START + Span::mins(i64::try_from(random.below(6)).unwrap());
            let known = [0, 2, 2, 2, 30, 61, 600][usize::try_from(random.below(7)).unwrap()];
            // Mark and index price carry single values, bars a payload.
            let bar = random.once_in(3);
            let price = 1.0 + f64::from(u8::try_from(random.below(3)).unwrap());
            let (stream, payload) = if bar {
                (StreamIndex(0), sample::payload(Metric::Bar, price, &mut Random::new(random.below(3))))
            } else {
                (StreamIndex(2), Payload::Value(price))
            };
            Event { recv_ts: event_ts + Span::secs(known), event_ts, stream, seq: random.below(2), payload }
        })
        .collect()
}

/// For 40 seeds; the hash does not depend on the order either.
pub fn reads_agree_with_a_naive_model(factory: &dyn Factory) {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams = sample::streams(&instruments);
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut events = random_events(&mut random, 60);
        let mut model = Model::new();
        events.iter().for_each(|e| remember(&mut model, e));
        let mut hashes = Vec::new();
        for _ in 0..2 {
            let (_site, mut writer, reader) = open(factory);
            let mut rest = events.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(1 + usize::try_from(random.below(20)).unwrap()));
                writer.insert_points(&instruments, &streams, now).unwrap();
                rest = later;
            }
            let stored: Vec<Event> = reader.events(&streams, None, None).unwrap().collect::<Result<_>>().unwrap();
            assert_eq!(stored, all(&model), "seed {seed}");
            for second in [-1, 0, 1, 2, 29, 31, 62, 121, 330, 1000] {
                let as_of = START + Span::secs(second);
                for (metric, stream) in [(Metric::Bar, StreamIndex(0)), (Metric::MarkPrice, StreamIndex(2))] {
                    let page = reader.points(&PointQuery {
                        instrument: instruments[0].name.clone(),
                        metric,
                        source: None,
                        cadence: None,
                        range: Range::ALL,
                        limit: 1000,
                        as_of: Some(as_of),
                    });
                    let found: Vec<_> = page
                        .unwrap()
                        .items
                        .iter()
                        .map(|p| {
                            let mut bytes = Vec::new();
                            p.payload.encode(&mut bytes);
                            (p.event_ts, p.known_ts, bytes)
                        })
                        .collect();
                    assert_eq!(found, latest(&model, stream, as_of), "seed {seed}, {second} s, {metric:?}");
                }
            }
            hashes.push(hash(&*reader));
            random.shuffle(&mut events);
        }
        assert_eq!(hashes[0], hashes[1], "seed {seed}");
    }
}
