//! Signals: appended, revised, taken back, and known as of each moment; the user's, and so no part of the content.

use super::{Factory, Site, joined, refused};
use crate::{Range, Reader, SignalQuery, SignalStore, SignalsPut, WriterRole};
use barograph_domain::{SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use std::collections::BTreeMap;

const T0: Ts = Ts(1_770_000_000_000_000_000);

fn at(minutes: i64) -> Ts {
    T0 + Span::mins(minutes)
}

/// Of one source, known so many minutes after [`T0`].
#[must_use]
pub fn signal(event: i64, known: i64, value: Option<f64>) -> SignalPoint {
    SignalPoint {
        name: SignalName::parse("x.desk_flow").unwrap(),
        scope: SignalScope::parse("binance-usdm:BTCUSDT").unwrap(),
        source: "desk — “one”".to_owned(),
        event_ts: at(event),
        value,
        tags: BTreeMap::from([("unit".to_owned(), "USD".to_owned())]),
        known_ts: at(known),
        known: SignalKnown::Received,
    }
}

fn open(factory: &dyn Factory) -> (Box<dyn Site>, Box<dyn SignalStore>, Box<dyn Reader>) {
    let site = factory.site();
    let writer = site.signals().unwrap();
    let reader = site.reader().unwrap();
    (site, writer, reader)
}

fn query(as_of: Option<Ts>) -> SignalQuery {
    let SignalPoint { name, scope, .. } = signal(0, 0, None);
    SignalQuery { name, scope, source: None, range: Range::ALL, as_of, revisions: false, limit: 1_000 }
}

fn values(reader: &dyn Reader, as_of: Option<Ts>) -> Vec<f64> {
    reader.signal_points(&query(as_of)).unwrap().items.iter().filter_map(|p| p.value).collect()
}

const fn put(new: u64, revised: u64, same: u64) -> SignalsPut {
    SignalsPut { new, revised, same }
}

/// Brought, brought again, revised, taken back, brought once more; and what was known at each moment.
pub fn values_are_revised_and_stay_known_as_of(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!(reader.signals(None).unwrap(), []);
    let first = signal(0, 1, Some(0.1 + 0.2));
    assert_eq!(writer.put_signals(&[first.clone(), signal(5, 6, Some(-0.0))]).unwrap(), put(2, 0, 0));
    assert_eq!(writer.put_signals(&[signal(0, 9, Some(0.1 + 0.2))]).unwrap(), put(0, 0, 1), "later is the same");
    assert_eq!(writer.put_signals(&[signal(0, 10, Some(7.0))]).unwrap(), put(0, 1, 0));
    assert_eq!(writer.put_signals(&[signal(0, 20, None)]).unwrap(), put(0, 1, 0));
    assert_eq!(writer.put_signals(&[signal(0, 30, Some(8.0))]).unwrap(), put(0, 1, 0));
    let stated = SignalPoint { known: SignalKnown::Stated, tags: BTreeMap::new(), ..signal(0, 40, Some(8.0)) };
    assert_eq!(writer.put_signals(std::slice::from_ref(&stated)).unwrap(), put(0, 1, 0), "other tags are a revision");
    for (minute, known) in [
        (0, &[][..]),
        (1, &[0.1 + 0.2]),
        (9, &[0.1 + 0.2, -0.0]),
        (10, &[7.0, -0.0]),
        (20, &[-0.0]),
        (30, &[8.0, -0.0]),
    ] {
        assert_eq!(values(&*reader, Some(at(minute))), known, "as of minute {minute}");
    }
    let all = reader.signal_points(&SignalQuery { revisions: true, ..query(None) }).unwrap().items;
    assert_eq!(all.len(), 6, "what was taken back is among the revisions");
    assert_eq!((&all[0], &all[4]), (&first, &stated), "bit for bit");
    let [info] = &reader.signals(None).unwrap()[..] else { panic!("one signal") };
    assert_eq!((info.points, info.revisions), (2, 4));
    assert_eq!((info.first, info.newest, info.newest_known), (at(0), at(5), at(40)));
    let report = reader.check(false).unwrap();
    assert!(report.is_sound() && report.counts.contains(&("signal values", 6)), "{report:?}");
}

/// A value that cannot be stored, or that contradicts another, stores none of its batch.
pub fn a_refused_batch_of_signals_leaves_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let good = signal(0, 1, Some(1.0));
    refused(writer.put_signals(&[good.clone(), signal(5, 4, Some(1.0))]), "before the moment it is of");
    refused(writer.put_signals(&[good.clone(), signal(5, 6, Some(f64::NAN))]), "not a finite number");
    refused(writer.put_signals(&[good.clone(), signal(0, 1, Some(2.0))]), "two different values");
    assert_eq!(values(&*reader, None), [] as [f64; 0]);
    assert_eq!(writer.put_signals(&[good.clone(), good]).unwrap(), put(1, 0, 1), "twice the same is once");
    refused(writer.put_signals(&[signal(0, 1, Some(2.0))]), "two different values");
    assert_eq!(values(&*reader, None), [1.0]);
}

/// Pages join up, and none ends within the values of a moment.
pub fn signals_come_in_pages(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let other = |n| SignalPoint { source: "other".to_owned(), ..signal(n, n + 1, Some(0.5)) };
    let all: Vec<SignalPoint> =
        (0..7_i32).flat_map(|n| [signal(n.into(), i64::from(n) + 1, Some(f64::from(n))), other(n.into())]).collect();
    writer.put_signals(&all).unwrap();
    for limit in [1, 2, 3, 100] {
        let paged = joined(|range| reader.signal_points(&SignalQuery { range, limit, ..query(None) }).unwrap());
        assert_eq!(paged, all, "pages of {limit}");
    }
    let part = SignalQuery { range: Range { start: at(2), end: at(4) }, ..query(None) };
    assert_eq!(reader.signal_points(&part).unwrap().items, all[4..8]);
    let one = SignalQuery { source: Some("other".to_owned()), ..query(None) };
    assert_eq!(reader.signal_points(&one).unwrap().items.len(), 7);
}

/// Values of another source, market or name are others.
pub fn sources_and_scopes_stay_apart(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let mine = signal(0, 1, Some(1.0));
    let every = SignalPoint { scope: SignalScope::Every, value: Some(2.0), ..mine.clone() };
    let named = SignalPoint { name: SignalName::parse("x.b").unwrap(), value: Some(3.0), ..mine.clone() };
    let other = SignalPoint { source: "z".to_owned(), value: Some(4.0), ..mine.clone() };
    assert_eq!(writer.put_signals(&[mine, every, named, other]).unwrap(), put(4, 0, 0));
    assert_eq!(values(&*reader, None), [1.0, 4.0]);
    let ask = |q: SignalQuery| reader.signal_points(&q).unwrap().items[0].value;
    assert_eq!(ask(SignalQuery { scope: SignalScope::Every, ..query(None) }), Some(2.0));
    assert_eq!(ask(SignalQuery { name: SignalName::parse("x.b").unwrap(), ..query(None) }), Some(3.0));
    let listed: Vec<String> =
        reader.signals(None).unwrap().iter().map(|i| format!("{} {} {}", i.name, i.scope, i.source)).collect();
    assert_eq!(
        listed,
        [
            "x.b binance-usdm:BTCUSDT desk — “one”",
            "x.desk_flow * desk — “one”",
            "x.desk_flow binance-usdm:BTCUSDT desk — “one”",
            "x.desk_flow binance-usdm:BTCUSDT z"
        ]
    );
    assert_eq!(reader.signals(Some(T0)).unwrap(), [], "nothing was known then");
    let name = SignalName::parse("x.desk_flow").unwrap();
    assert_eq!(reader.signals_of(&name, None).unwrap(), reader.signals(None).unwrap()[1..], "one name alone");
    assert_eq!(reader.signals_of(&name, Some(T0)).unwrap(), []);
    let since = |scope: &str, source| {
        reader.signal_since(&name, &SignalScope::parse(scope).unwrap(), source).unwrap().map(|ts| ts - T0)
    };
    writer.put_signals(&[SignalPoint { source: "z".to_owned(), ..signal(-9, 0, Some(1.0)) }]).unwrap();
    assert_eq!(since("binance-usdm:BTCUSDT", None), Some(Span::mins(0)), "of any source");
    assert_eq!(since("binance-usdm:BTCUSDT", Some("desk — “one”")), Some(Span::mins(1)));
    assert_eq!((since("*", None), since("*", Some("z"))), (Some(Span::mins(1)), None));
}

/// A history that states when it was known is the same in whichever order it is brought.
pub fn order_of_signals_does_not_show(factory: &dyn Factory) {
    // The last of the three says again what the first did.
    let stated = |event, known, value| SignalPoint { known: SignalKnown::Stated, ..signal(event, known, Some(value)) };
    let history = [stated(0, 1, 1.0), stated(0, 5, 2.0), stated(0, 9, 1.0), stated(2, 3, 4.0)];
    let revised = |order: &[usize]| {
        let (_site, mut writer, reader) = open(factory);
        for i in order {
            writer.put_signals(&history[*i..=*i]).unwrap();
        }
        (0..10).map(|m| values(&*reader, Some(at(m)))).collect::<Vec<_>>()
    };
    let one = revised(&[0, 1, 2, 3]);
    assert_eq!((&one[4], &one[9]), (&vec![1.0, 4.0], &vec![1.0, 4.0]));
    for order in [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1], [0, 2, 1, 3]] {
        assert_eq!(revised(&order), one, "{order:?}");
    }
}

/// Signals are the user's: the content of the store is the same with and without them; no role is needed.
pub fn signals_are_no_part_of_the_content(factory: &dyn Factory) {
    let (site, mut writer, reader) = open(factory);
    let before = super::hash(&*reader);
    let busy = site.writer(&WriterRole::ALL).unwrap();
    writer.put_signals(&[signal(0, 1, Some(1.0))]).unwrap();
    drop(busy);
    assert_eq!(super::hash(&*reader), before);
}
