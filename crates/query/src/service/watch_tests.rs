//! Watches over a store: asked for, judged by what is published, found again after a stop at any moment.

use super::hand_clock::Hand;
use super::test_rows::{each_second, price_at, standard_run};
use super::{BookId, Service};
use crate::positions::{NoticeReceivers, PositionDesk};
use crate::watch::WatchDesk;
use barograph_api::watches::{NewWatch, UserWatch, WatchChange};
use barograph_api::{AskWatches as _, QueryError};
use barograph_domain::advice::PositionNotice;
use barograph_domain::delivery::{
    Delivery, DeliveryState, Message, MessageKind, Notice, Outgoing, Phase, fingerprint, message_id,
};
use barograph_domain::{Event, Instrument, InstrumentName, MarketKind, Metric, MinuteRow, Span, StreamIndex, Ts};
use barograph_store::{
    DeliveryQuery, LiveBatch, SqliteReader, SqliteWriter, StoreTarget, Writer as _, WriterRole, open_reader,
};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub(super) const T0: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);
pub(super) const MARKET: &str = "binance-usdm:BTCUSDT";

pub(super) fn at(minute: i64) -> Ts {
    T0 + Span::mins(minute)
}

/// Writes published minutes: the number of each and its price.
pub(super) fn publish(folder: &Path, rows: &[(i64, f64)]) {
    let name = InstrumentName::parse(MARKET).unwrap();
    let run = standard_run(&name);
    let row = |(minute, price): &(i64, f64)| MinuteRow { price: Some(*price), ..MinuteRow::bare(at(*minute)) };
    let rows: Vec<MinuteRow> = rows.iter().map(row).collect();
    let stream = each_second(&name, Metric::MarkPrice);
    let point = |row: &MinuteRow| price_at(row.ts, StreamIndex(0), row.price.unwrap_or_default());
    let points: Vec<Event> = rows.iter().map(point).collect();
    let instruments = [Instrument { name, kind: MarketKind::Perpetual, expiry: None }];
    let batch = LiveBatch {
        instruments: &instruments,
        streams: &[stream],
        points: &points,
        runs: &[run],
        rows: &rows,
        ..LiveBatch::default()
    };
    SqliteWriter::open(folder, &WriterRole::ALL).unwrap().append(&batch).unwrap();
}

/// Remembers what it was handed, as a process that delivers would.
#[derive(Default)]
struct Desk(Mutex<Vec<String>>);

impl NoticeReceivers for Desk {
    fn of_position(&self, _: &PositionNotice) -> Option<Outgoing> {
        None
    }
    fn of_watch(&self, watch: &UserWatch, turn: &WatchChange) -> Option<Outgoing> {
        let id = message_id(&format!("watch|{}|{}", watch.id, turn.ts.0));
        let mut notice = Notice::bare(MessageKind::Watch, Phase::Happened, watch.id.clone(), turn.ts);
        notice.text.clone_from(&turn.text);
        let delivery = Delivery {
            endpoint: "desk".to_owned(),
            message: id.clone(),
            state: DeliveryState::Waiting,
            via: None,
            reason: String::new(),
            deliver_until: turn.ts + Span::mins(30),
            attempts: 0,
            next_try: turn.ts,
            ended_at: None,
        };
        let message = Message { id, fingerprint: fingerprint(&watch.id), known_at: turn.known_at, notice };
        Some(Outgoing { message, deliveries: vec![delivery] })
    }
    fn stored(&self, messages: Vec<Outgoing>) {
        self.0.lock().unwrap().extend(messages.into_iter().map(|m| m.message.notice.text));
    }
}

pub(super) struct Process {
    pub(super) service: Service,
    clock: Arc<Hand>,
    delivered: Arc<Desk>,
}

/// A process over the folder, as it starts.
pub(super) fn start(folder: &Path, now: Ts) -> Process {
    let clock = Arc::new(Hand::at(now));
    let reader = Box::new(SqliteReader::open(folder).unwrap());
    let venue = "binance-usdm".to_owned();
    let service = Service::new(reader, Arc::<Hand>::clone(&clock), None, BookId::named("default"), venue).unwrap();
    let delivered = Arc::new(Desk::default());
    let target = StoreTarget::Folder(folder.to_owned());
    let receivers = Arc::<Desk>::clone(&delivered);
    let desk = PositionDesk::new(target, Default::default()).delivering_to(Some(receivers));
    service.keep_positions(Arc::new(desk));
    service.keep_watches(Arc::new(WatchDesk::open(folder).unwrap()));
    Process { service, clock, delivered }
}

impl Process {
    pub(super) fn look(&self, now: Ts) -> Vec<String> {
        self.clock.set(now);
        self.service.refresh().unwrap();
        let (lines, unread) = self.service.check_watches().unwrap();
        assert!(unread.is_none(), "{unread:?}");
        lines
    }
    pub(super) fn texts(&self) -> Vec<String> {
        self.delivered.0.lock().unwrap().clone()
    }
}

pub(super) fn asked(when: &str, repeat: bool) -> NewWatch {
    NewWatch { market: "BTCUSDT".to_owned(), when: when.to_owned(), repeat, note: None, to: Vec::new() }
}

fn stored(folder: &Path) -> usize {
    let reader = open_reader(&StoreTarget::Folder(folder.to_owned())).unwrap();
    let query = DeliveryQuery {
        state: None,
        endpoint: None,
        instrument: None,
        kind: Some(MessageKind::Watch),
        as_of: None,
        before: None,
        after: None,
        limit: 100,
    };
    reader.deliveries(&query).unwrap().len()
}

const FELL: &str = "Price fell below 100.00: it is 99.00. This watch has ended.";

#[test]
fn it_comes_true_once_on_the_minute_that_turns_and_not_on_one_before_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 99.0), (1, 101.0)]);
    let process = start(folder.path(), at(1) + Span::secs(30));
    let made = process.service.put_watch(&asked("price below 100", false)).unwrap();
    assert_eq!((made.now.as_deref(), made.watch.turns), (Some("price is 101.00"), 0));
    // An import of minutes from before is judged by nobody.
    assert_eq!(process.look(at(2)), Vec::<String>::new());
    publish(folder.path(), &[(2, 102.0), (3, 99.0), (4, 101.0), (5, 98.0)]);
    assert_eq!(process.look(at(5)), [format!("{MARKET}: {FELL}")]);
    assert_eq!(process.texts(), [FELL]);
    let view = process.service.watches().unwrap().items.remove(0);
    assert_eq!((view.watch.ended_at, view.watch.turns), (Some(at(3) + Span::millis(200)), 1));
    assert_eq!((view.watch.fired[0].ts, view.now), (at(3), None));
    assert_eq!((process.look(at(6)), stored(folder.path())), (Vec::new(), 1));
}

#[test]
fn a_condition_is_tried_over_the_past_without_anybody_who_listens() {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<(i64, f64)> = (0..5_000).map(|n| (n, if n % 1_000 < 3 { 99.0 } else { 101.0 })).collect();
    publish(folder.path(), &rows);
    let process = start(folder.path(), at(5_000));
    let past = process.service.watch_past("BTCUSDT", "price  below 100.0").unwrap();
    assert_eq!((past.when.as_str(), past.minutes, past.turns), ("price below 100", 5_000, 4), "the first begins below");
    assert_eq!(past.recent, [at(4_000), at(3_000), at(2_000), at(1_000)], "over the ends of pages too");
    assert_eq!((past.since, past.until), (Some(at(0)), Some(at(4_999))));
    let none = process.service.watch_past("BTCUSDT", "oi_delta_4h above 10 %").unwrap();
    assert_eq!((none.minutes, none.since), (0, None), "no reading");
    assert!(matches!(process.service.watch_past("BTCUSDT", "price near 1"), Err(QueryError::BadField { .. })));
    assert!(matches!(process.service.watch_past("DOGE", "price below 1"), Err(QueryError::UnknownSymbol { .. })));
}

#[test]
fn minutes_published_while_nobody_ran_are_judged_after_the_start() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 101.0)]);
    let first = start(folder.path(), at(0));
    first.service.put_watch(&asked("price below 100", true)).unwrap();
    drop(first);
    publish(folder.path(), &[(1, 99.0), (2, 101.0), (3, 99.0), (40, 101.0), (41, 99.0)]);
    let next = start(folder.path(), at(42));
    assert_eq!(next.look(at(42)).len(), 2, "minute 3 is within the quiet time");
    let texts = next.texts();
    assert!(texts[1].contains("It turned once more within half an hour of the last message."), "{texts:?}");
}

/// The message is stored first. Killed before the watch remembers, the next process finds the same turn and the same message.
#[test]
fn killed_between_message_and_memory_it_is_delivered_once() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 101.0)]);
    let first = start(folder.path(), at(0));
    first.service.put_watch(&asked("price below 100", false)).unwrap();
    let file = folder.path().join("watches.json");
    let before = std::fs::read(&file).unwrap();
    publish(folder.path(), &[(1, 99.0)]);
    assert_eq!(first.look(at(1)).len(), 1);
    drop(first);
    std::fs::write(&file, before).unwrap();
    let next = start(folder.path(), at(2));
    assert_eq!(next.look(at(2)).len(), 1, "found again");
    assert_eq!(stored(folder.path()), 1, "one message, one delivery");
    drop(next);
    let last = start(folder.path(), at(3));
    assert_eq!((last.look(at(3)), last.service.watches().unwrap().items[0].watch.turns), (Vec::new(), 1));
}

#[test]
fn what_cannot_be_meant_is_refused_and_the_same_again_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 101.0)]);
    let process = start(folder.path(), at(0));
    let refused = |new: &NewWatch| process.service.put_watch(new).unwrap_err().to_string();
    for (when, says) in [
        ("price above 100", "price is 101.00 already: there is nothing to wait for"),
        ("price near 100", "none of below, above and crosses"),
    ] {
        assert!(refused(&asked(when, false)).contains(says), "{when}");
    }
    let note = NewWatch { note: Some("a\nb".to_owned()), ..asked("price below 100", false) };
    assert!(refused(&note).contains("one line"));
    let to = NewWatch { to: vec!["fax".to_owned()], ..asked("price below 100", false) };
    assert!(refused(&to).contains("there is no receiver 'fax'"));
    assert!(matches!(
        process.service.put_watch(&NewWatch { market: "DOGE".to_owned(), ..asked("price below 1", false) }),
        Err(QueryError::UnknownSymbol { .. })
    ));
    assert!(process.service.put_watch(&asked("price above 100", true)).is_ok(), "the next time is waited for");
    let one = process.service.put_watch(&asked("price below 100", false)).unwrap();
    let same = process.service.put_watch(&asked("price  <  100.0", false)).unwrap();
    assert_eq!(one.watch.id, same.watch.id);
    process.service.remove_watch(&one.watch.id).unwrap();
    assert!(matches!(process.service.remove_watch(&one.watch.id), Err(QueryError::Unknown { .. })));
    assert_eq!(process.service.watches().unwrap().items.len(), 1);
}

#[test]
fn there_are_so_many_at_most_and_one_that_ended_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 101.0)]);
    let process = start(folder.path(), at(0));
    for n in 0..crate::watch::WAITING_MAX {
        process.service.put_watch(&asked(&format!("price below {}", 100.0 - 0.1 * n as f64), false)).unwrap();
    }
    let more = asked("price below 5", false);
    assert!(matches!(process.service.put_watch(&more), Err(QueryError::Conflict { .. })));
    publish(folder.path(), &[(1, 99.95)]);
    assert_eq!(process.look(at(1)).len(), 1);
    process.service.put_watch(&more).unwrap();
}

#[test]
fn a_process_that_only_serves_lists_them_and_says_who_judges() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), &[(0, 101.0)]);
    let keeper = start(folder.path(), at(0));
    keeper.service.put_watch(&asked("price below 100", false)).unwrap();
    let clock = Arc::new(Hand::at(at(1)));
    let reader = Box::new(SqliteReader::open(folder.path()).unwrap());
    let service = Service::new(reader, clock, None, BookId::named("default"), "binance-usdm".to_owned()).unwrap();
    service.keep_in(folder.path().to_owned());
    let listed = service.watches().unwrap();
    assert_eq!((listed.items.len(), listed.judged_here), (1, false));
    assert!(listed.why_not.unwrap().contains("barograph up"));
    assert!(matches!(service.put_watch(&asked("price below 99", false)), Err(QueryError::Unavailable { .. })));
}
