//! Watches on signals over a store: each minute is judged on what was known when it was published, whatever comes later.

use super::watch_tests::{MARKET, Process, asked, at, publish, start};
use crate::signals::SignalDesk;
use crate::watch::minutes::{judged_numbers, tried_numbers};
use crate::watch::signal::WatchedSignal;
use barograph_api::{AskWatches as _, QueryError};
use barograph_domain::{InstrumentName, SignalKnown, SignalName, SignalPoint, SignalScope, Span, Ts};
use barograph_store::{StoreTarget, open_reader};
use barograph_venues::onchain::vintage::{ASSUMED, KNOWN_TAG, PROVISIONAL_TAG, UNIT_TAG, YES};
use std::path::Path;

/// A value of a minute, known since another.
fn point(name: &str, scope: &str, (event, known): (i64, i64), value: f64, tags: &[(&str, &str)]) -> SignalPoint {
    SignalPoint {
        name: SignalName::any(name).unwrap(),
        scope: SignalScope::parse(scope).unwrap(),
        source: if scope == "*" { "news" } else { "desk" }.to_owned(),
        event_ts: at(event),
        value: Some(value),
        tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        known_ts: at(known),
        known: SignalKnown::Stated,
    }
}

fn mood(event: i64, known: i64, value: f64) -> SignalPoint {
    point("x.mood", "*", (event, known), value, &[(UNIT_TAG, "points")])
}

fn from(source: &str, of: SignalPoint) -> SignalPoint {
    SignalPoint { source: source.to_owned(), ..of }
}

fn bring(folder: &Path, points: &[SignalPoint]) {
    SignalDesk::new(StoreTarget::Folder(folder.to_owned())).put(points).unwrap();
}

/// Minutes of a market whose price never moves.
fn minutes(folder: &Path, numbers: std::ops::RangeInclusive<i64>) {
    publish(folder, &numbers.map(|n| (n, 100.0)).collect::<Vec<_>>());
}

fn refused(process: &Process, when: &str) -> String {
    process.service.put_watch(&asked(when, false)).unwrap_err().to_string()
}

fn turned_at(process: &Process) -> Vec<i64> {
    let view = process.service.watches().unwrap().items.remove(0);
    let mut found: Vec<i64> = view.watch.fired.iter().map(|turn| (turn.ts - at(0)).as_secs() / 60).collect();
    found.reverse();
    found
}

#[test]
fn it_comes_true_in_the_minute_that_knows_of_the_value_and_the_message_has_unit_age_and_source() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    bring(folder.path(), &[mood(-10, -10, 50.0)]);
    let process = start(folder.path(), at(0));
    let made = process.service.put_watch(&asked("x.mood > 60", false)).unwrap();
    assert_eq!(
        (made.watch.when.as_str(), made.watch.words.as_str(), made.now.as_deref()),
        ("x.mood above 60", "x.mood rises above 60", Some("x.mood is 50 points, 10 min old, from news"))
    );
    // Of minute 1, known since minute 3.
    bring(folder.path(), &[mood(1, 3, 61.0)]);
    minutes(folder.path(), 1..=2);
    assert_eq!(process.look(at(2)), Vec::<String>::new());
    minutes(folder.path(), 3..=4);
    let text =
        "x.mood rose above 60 points: it is 61 points, 2 min old, from news. Price 100.00. This watch has ended.";
    assert_eq!(process.look(at(4)), [format!("{MARKET}: {text}")]);
    assert_eq!((process.texts(), turned_at(&process)), (vec![text.to_owned()], vec![3]));
}

#[test]
fn values_of_the_market_count_once_one_is_known_and_those_of_every_market_before() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    bring(folder.path(), &[mood(0, 0, 10.0)]);
    let process = start(folder.path(), at(0));
    process.service.put_watch(&asked("x.mood crosses 15", true)).unwrap();
    let own = |minute, value| point("x.mood", MARKET, (minute, minute), value, &[]);
    bring(folder.path(), &[mood(40, 40, 20.0), own(80, 5.0), mood(81, 81, 30.0), own(120, 16.0)]);
    minutes(folder.path(), 1..=130);
    assert_eq!(process.look(at(130)).len(), 3);
    assert_eq!(turned_at(&process), [40, 80, 120], "81 is of every market, and no longer asked");
    assert!(process.texts()[1].contains("x.mood fell below 15: it is 5, 0 s old, from desk."), "{:?}", process.texts());
}

#[test]
fn a_value_that_is_too_old_is_none_and_never_comes_true() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    bring(folder.path(), &[mood(0, 0, 10.0)]);
    let process = start(folder.path(), at(0));
    process.service.put_watch(&asked("signal x.mood within 5m; x.mood above 15", false)).unwrap();
    // Known a quarter of an hour after it was, then in time.
    bring(folder.path(), &[mood(10, 25, 20.0)]);
    minutes(folder.path(), 1..=30);
    assert_eq!(process.look(at(30)), Vec::<String>::new());
    let view = process.service.watches().unwrap().items.remove(0);
    let why = "the newest value of x.mood is 20 min old, and counts for 5 min";
    assert_eq!((view.now, view.why_not_now.as_deref()), (None, Some(why)));
    bring(folder.path(), &[mood(34, 36, 20.0)]);
    minutes(folder.path(), 31..=40);
    assert_eq!((process.look(at(40)).len(), turned_at(&process)), (1, vec![36]));
}

#[test]
fn days_that_are_not_over_and_values_in_another_unit_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    let flow = |minute, value, tags: &[(&str, &str)]| point("dune.flow", "*", (minute, minute), value, tags);
    bring(folder.path(), &[flow(0, 10.0, &[(UNIT_TAG, "BTC")])]);
    let process = start(folder.path(), at(0));
    process.service.put_watch(&asked("dune.flow above 15", true)).unwrap();
    bring(folder.path(), &[flow(1, 99.0, &[(UNIT_TAG, "BTC"), (PROVISIONAL_TAG, YES)])]);
    minutes(folder.path(), 1..=5);
    assert_eq!(process.look(at(5)), Vec::<String>::new(), "what is provisional");
    // In another unit than the newest value, which is still provisional: none counts.
    bring(
        folder.path(),
        &[flow(6, 20.0, &[(UNIT_TAG, "USD")]), flow(8, 12.0, &[(UNIT_TAG, "BTC"), (PROVISIONAL_TAG, YES)])],
    );
    minutes(folder.path(), 6..=10);
    assert_eq!(process.look(at(10)).len(), 1);
    assert!(process.texts()[0].contains("it is 20 USD"), "{:?}", process.texts());
    let now = process.service.watches().unwrap().items.remove(0).now;
    assert_eq!(now.as_deref(), Some("dune.flow is 10 BTC, 10 min old, from news"));
}

#[test]
fn minutes_published_meanwhile_are_judged_in_order_and_a_history_that_comes_later_judges_none_again() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    bring(folder.path(), &[mood(0, 0, 10.0)]);
    let first = start(folder.path(), at(0));
    first.service.put_watch(&asked("x.mood crosses 15", true)).unwrap();
    minutes(folder.path(), 1..=10);
    assert_eq!(first.look(at(10)), Vec::<String>::new());
    drop(first);
    // Minutes 3 to 5 were judged on what was known then; a statement about them comes too late.
    bring(folder.path(), &[mood(3, 3, 20.0), mood(5, 5, 10.0), mood(12, 12, 20.0), mood(50, 50, 10.0)]);
    minutes(folder.path(), 11..=60);
    let next = start(folder.path(), at(60));
    assert_eq!((next.look(at(60)).len(), turned_at(&next)), (2, vec![12, 50]));
    assert_eq!(next.look(at(61)), Vec::<String>::new());
}

/// A minute has the same number by itself, with others after an absence, and over a stretch that is over.
#[test]
fn the_number_of_a_minute_is_of_that_minute_alone() {
    let folder = tempfile::tempdir().unwrap();
    let day = 24 * 60;
    let mut all = Vec::new();
    for n in 0..90_i64 {
        // Daily, known a day and a half later: the window of a rank ends long before the minute.
        let value = f64::from(i32::try_from((n * 37) % 23).unwrap());
        all.push(mood((n - 80) * day, (n - 80) * day + day * 3 / 2, value));
        all.push(point("x.own", if n < 40 { "*" } else { MARKET }, ((n - 80) * 60, (n - 80) * 60 + n % 7), value, &[]));
        all.push(point("x.two", "*", ((n - 80) * 60, (n - 80) * 60), value, &[]));
    }
    all.push(from("other", point("x.two", "*", (100, 100), 5.0, &[])));
    all.push(SignalPoint { value: None, ..mood(2 * day, 4 * day, 0.0) });
    bring(folder.path(), &all);
    let reader = open_reader(&StoreTarget::Folder(folder.path().to_owned())).unwrap();
    let market = InstrumentName::parse(MARKET).unwrap();
    let known: Vec<Ts> = (0..9 * 24).map(|hour| at(hour * 60 - 2 * day) + Span::millis(200)).collect();
    let mut some = 0;
    for text in [
        "x.mood.percentile_30d above 0.5",
        "signal x.mood within 3d; x.mood.z_7d above 1",
        "x.mood.delta_24h above 0.5",
        "signal x.own within 90m; x.own above 5",
        "x.own.percentile_30d above 0.5",
        "x.two above 5",
    ] {
        let of = WatchedSignal::parse(text).unwrap();
        let whole = judged_numbers(reader.as_ref(), &of, &market, &known).unwrap();
        let single = |at: &Ts| judged_numbers(reader.as_ref(), &of, &market, &[*at]).unwrap()[0].map(f64::to_bits);
        let alone: Vec<Option<u64>> = known.iter().map(single).collect();
        assert_eq!(whole.iter().map(|n| n.map(f64::to_bits)).collect::<Vec<_>>(), alone, "{text}");
        some += alone.iter().flatten().count();
        match tried_numbers(reader.as_ref(), &of, &market, &known) {
            Ok(found) => assert_eq!(found.numbers, whole, "{text}"),
            Err(_) => {
                assert!(text.starts_with("x.two"), "{text}");
                let first_none = known.iter().zip(&whole).find(|(_, n)| n.is_none()).unwrap().0;
                assert_eq!(
                    *first_none,
                    at(120) + Span::millis(200),
                    "from the minute on that knows of a second source"
                );
            }
        }
    }
    assert!(some > 600, "only {some} numbers");
}

#[test]
fn the_past_has_how_often_it_came_true_and_how_many_values_are_assumed() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=600);
    let fear = |n: i64, known: &str| {
        let value = if n % 2 == 0 { 20.0 } else { 30.0 };
        point("fng.value", "*", (n * 60, n * 60), value, &[(UNIT_TAG, "index"), (KNOWN_TAG, known)])
    };
    bring(folder.path(), &(0..8).map(|n| fear(n, if n < 5 { ASSUMED } else { "source" })).collect::<Vec<_>>());
    let process = start(folder.path(), at(600));
    let past = process.service.watch_past("BTCUSDT", "fng.value above 25").unwrap();
    assert_eq!((past.turns, past.minutes, past.since), (4, 601, Some(at(0))));
    assert_eq!(past.recent, [at(420), at(300), at(180), at(60)]);
    let [used] = &past.signals[..] else { panic!("{past:?}") };
    assert_eq!((used.source.as_str(), used.revisions, used.assumed, used.stated, used.minutes), ("news", 8, 5, 3, 601));
    assert_eq!((past.unit.as_deref(), used.digest.len()), (Some("index"), 64));
    // What is known of later than the stretch changes nothing.
    bring(folder.path(), &[fear(11, ASSUMED)]);
    assert_eq!(process.service.watch_past("BTCUSDT", "fng.value above 25").unwrap(), past);
    let none = process.service.watch_past("BTCUSDT", "x.later above 1").unwrap();
    assert_eq!((none.minutes, none.turns, none.signals.len()), (0, 0, 0));
}

#[test]
fn what_is_not_known_is_refused_where_it_is_a_slip_and_waited_for_where_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    minutes(folder.path(), 0..=0);
    bring(
        folder.path(),
        &[
            mood(0, 0, 10.0),
            point("x.two", "*", (0, 0), 1.0, &[]),
            from("other", point("x.two", "*", (0, 0), 2.0, &[])),
            point("x.elsewhere", "bybit:ETHUSDT", (0, 0), 2.0, &[]),
        ],
    );
    let process = start(folder.path(), at(0));
    for (when, words) in [
        ("x.moood above 1", "nothing is known of x.moood for binance-usdm:BTCUSDT; did you mean 'x.mood'?"),
        ("x.mod.z_7d above 1", "did you mean 'x.mood.z_7d'?"),
        ("x.mood above 5", "x.mood is 10 points, 0 s old, from news already: there is nothing to wait for"),
        ("x.two above 5", "several sources, news, other; declare whose values are meant"),
        ("signal x.mood from desk; x.mood above 5", "no values from 'desk'"),
        ("x.mood above 5 %", "not written in percent"),
    ] {
        let why = refused(&process, when);
        assert!(why.contains(words), "{when}: {why}");
    }
    assert!(matches!(process.service.watch_past("BTCUSDT", "x.moood above 1"), Err(QueryError::BadField { .. })));
    let made = process.service.put_watch(&asked("x.elsewhere above 1", false)).unwrap();
    assert_eq!((made.now, made.why_not_now.as_deref()), (None, Some("no value of x.elsewhere is known yet")));
    let few = process.service.put_watch(&asked("x.mood.z_7d above 1", false)).unwrap();
    assert_eq!(few.why_not_now.as_deref(), Some("too few values for the 7 d score of x.mood, or all alike"));
    let one = process.service.put_watch(&asked("signal x.two from other; x.two crosses 5", false)).unwrap();
    assert_eq!(one.now.as_deref(), Some("x.two is 2, 0 s old, from other"));
    let same = process.service.put_watch(&asked("signal x.two from 'other' ; x.two crosses 5.0", false)).unwrap();
    assert_eq!(one.watch.id, same.watch.id);
    process.service.remove_watch(&one.watch.id).unwrap();
}
