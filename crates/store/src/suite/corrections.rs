//! Later imports that say otherwise, and what is taken back: answers after them follow them whole, answers before them stay.

use super::rows::{One, changes, everything, minute, one, replace_seen, rows};
use super::sample::{self, START};
use super::{Factory, hash, open};
use crate::{Batches, Forgotten, Inserted, OneBatch, PointQuery, Range, Reader, Result, RowQuery, Writer};
use barograph_domain::{Event, Instrument, Metric, Payload, Side, Span, StreamDecl, StreamIndex, Ts};

/// More minutes than are read at once.
const MINUTES: i64 = 3_000;
/// When imports happen: long after what they are about.
const FIRST: Ts = Ts::from_civil(2027, 1, 1, 0, 0, 0);
const SECOND: Ts = Ts::from_civil(2027, 1, 2, 0, 0, 0);
const THIRD: Ts = Ts::from_civil(2027, 1, 3, 0, 0, 0);

struct Prices {
    instruments: Vec<Instrument>,
    streams: Vec<StreamDecl>,
    right: Vec<Event>,
    wrong: Vec<Event>,
}

/// Minutes of mark prices, and the same 3 % higher.
fn prices() -> Prices {
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams: Vec<StreamDecl> =
        sample::streams(&instruments).into_iter().filter(|s| s.metric == Metric::MarkPrice).collect();
    let right = sample::events(&streams, MINUTES, 11);
    let raise = |e: &Event| match e.payload {
        Payload::Value(v) => Event { payload: Payload::Value(v * 1.03), ..*e },
        _ => *e,
    };
    let wrong = right.iter().map(raise).collect();
    Prices { instruments, streams, right, wrong }
}

impl Prices {
    fn import(&self, writer: &mut dyn Writer, events: &[Event], at: Ts) -> (Inserted, u64) {
        let done = writer.import_points(&self.instruments, &self.streams, events, at).unwrap();
        (done.inserted, done.contradiction.rows)
    }

    fn forget(&self, writer: &mut dyn Writer, events: &[Event], at: Ts) -> Forgotten {
        let dry = writer.forget_batches(&self.streams, &mut OneBatch::new(events), at, true).unwrap();
        let done = forget(writer, &self.streams, events, at);
        assert_eq!(dry, done, "what would be touched is what is touched");
        done
    }

    /// Both ways of reading say this at a moment, and all pages of them.
    fn check_reads(&self, reader: &dyn Reader, as_of: Option<Ts>, want: &[Event], what: &str) {
        let found: Vec<Event> = reader.events(&self.streams, None, as_of).unwrap().collect::<Result<_>>().unwrap();
        assert!(found == want, "{what}: {} events of {}, or they differ", found.len(), want.len());
        let mut query = PointQuery {
            instrument: self.instruments[0].name.clone(),
            metric: Metric::MarkPrice,
            source: None,
            cadence: None,
            range: Range::ALL,
            limit: 1_000,
            as_of,
        };
        let mut points = Vec::new();
        loop {
            let page = reader.points(&query).unwrap();
            points.extend(page.items.into_iter().map(|p| (p.event_ts, p.payload)));
            let Some(next) = page.next else { break };
            query.range.start = next;
        }
        let want: Vec<(Ts, Payload)> = want.iter().map(|e| (e.event_ts, e.payload)).collect();
        assert!(points == want, "{what}: {} points of {}, or they differ", points.len(), want.len());
    }
}

fn forget(writer: &mut dyn Writer, streams: &[StreamDecl], events: &[Event], at: Ts) -> Forgotten {
    writer.forget_batches(streams, &mut OneBatch::new(events), at, false).unwrap()
}

const ARCHIVE_END: Ts = Ts(START.0 + (MINUTES + 60) * 60_000_000_000);

/// Not bar by bar: all of it, with the times at which its rows would have been known.
pub fn a_later_import_wins_whole(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    let all = p.right.len() as u64;
    assert_eq!(p.import(&mut *writer, &p.right, FIRST), (Inserted { new: all, ..Inserted::default() }, 0));
    let before = hash(&*reader);
    assert_eq!(p.import(&mut *writer, &p.right, SECOND), (Inserted { same: all, ..Inserted::default() }, 0));
    assert_eq!(hash(&*reader), before, "the same file again changes nothing, whenever");
    let done = writer.import_points(&p.instruments, &p.streams, &p.wrong, SECOND).unwrap();
    assert_eq!((done.inserted.revised, done.contradiction.rows), (all, all));
    assert!(done.contradiction.largest.is_some_and(|l| (l - 0.03).abs() < 1e-9), "{:?}", done.contradiction);
    p.check_reads(&*reader, None, &p.wrong, "now");
    p.check_reads(&*reader, Some(SECOND), &p.wrong, "from the second import on");
    p.check_reads(&*reader, Some(SECOND - Span(1)), &p.right, "just before it");
    p.check_reads(&*reader, Some(ARCHIVE_END), &p.right, "when the archive ended");
    hash(&*reader);
}

/// And what happened in between is still known to have been answered.
pub fn importing_the_right_file_again_heals(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    let all = p.right.len() as u64;
    p.import(&mut *writer, &p.right, FIRST);
    p.import(&mut *writer, &p.wrong, SECOND);
    assert_eq!(p.import(&mut *writer, &p.right, THIRD).1, all);
    p.check_reads(&*reader, None, &p.right, "now");
    p.check_reads(&*reader, Some(THIRD - Span(1)), &p.wrong, "between");
    p.check_reads(&*reader, Some(FIRST), &p.right, "before");
    let healed = hash(&*reader);
    assert_eq!(p.import(&mut *writer, &p.right, THIRD + Span::days(1)).0.same, all);
    assert_eq!(hash(&*reader), healed, "once more changes nothing");
    // A clock that was set back does not bring the wrong one in.
    p.import(&mut *writer, &p.wrong[..10], FIRST);
    let mixed: Vec<Event> = p.wrong[..10].iter().chain(&p.right[10..]).copied().collect();
    p.check_reads(&*reader, None, &mixed, "the last import wins whatever the clock says");
}

/// What lies beneath counts again; where nothing does there is nothing.
pub fn what_is_taken_back_counts_no_more(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    let all = p.right.len() as u64;
    p.import(&mut *writer, &p.right, FIRST);
    p.import(&mut *writer, &p.wrong, FIRST + Span::hours(1));
    let counts =
        |taken_back, restored, superseded, not_stored| Forgotten { taken_back, restored, superseded, not_stored };
    assert_eq!(p.forget(&mut *writer, &p.right, SECOND), counts(0, 0, all, 0), "it is not what counts");
    assert_eq!(p.forget(&mut *writer, &p.wrong, SECOND), counts(all, all, 0, 0));
    p.check_reads(&*reader, None, &p.right, "the earlier one again");
    p.check_reads(&*reader, Some(SECOND - Span(1)), &p.wrong, "before it was taken back");
    assert_eq!(p.forget(&mut *writer, &p.wrong, THIRD), counts(0, 0, 0, all), "it is gone already");
    assert_eq!(p.forget(&mut *writer, &p.right, THIRD), counts(all, 0, 0, 0));
    p.check_reads(&*reader, None, &[], "nothing is left");
    p.check_reads(&*reader, Some(THIRD - Span(1)), &p.right, "before that");
    hash(&*reader);
    assert_eq!(p.import(&mut *writer, &p.right, THIRD + Span::days(1)).0.revised, all);
    p.check_reads(&*reader, None, &p.right, "imported again");
    hash(&*reader);
}

/// Facts of which several share a key are taken back one by one.
pub fn facts_are_taken_back_one_by_one(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let instruments = vec![sample::instrument("BTCUSDT")];
    let streams: Vec<StreamDecl> =
        sample::streams(&instruments).into_iter().filter(|s| s.metric == Metric::Liquidation).collect();
    let forced = |qty| Event {
        recv_ts: minute(1),
        event_ts: minute(1),
        stream: StreamIndex(0),
        seq: 0,
        payload: Payload::Liquidation { liquidated_side: Side::Long, price: 10.0, qty },
    };
    let both = [forced(1.0), forced(2.0)];
    let done = writer.import_points(&instruments, &streams, &both, FIRST).unwrap();
    assert_eq!(
        (done.inserted.new + done.inserted.revised, done.contradiction.rows),
        (2, 0),
        "neither contradicts the other"
    );
    assert_eq!(forget(&mut *writer, &streams, &both[..1], SECOND).taken_back, 1);
    let now = |as_of| reader.events(&streams, None, as_of).unwrap().collect::<Result<Vec<_>>>().unwrap();
    let mut both = both;
    both.sort_by(Event::order);
    assert_eq!(now(None), [forced(2.0)]);
    assert_eq!(now(Some(FIRST)), both);
    writer.import_points(&instruments, &streams, &both, THIRD).unwrap();
    assert_eq!(now(None), both);
    let later = THIRD + Span::days(1);
    assert_eq!(forget(&mut *writer, &streams, &both, later).taken_back, 2);
    assert_eq!(now(None), []);
    writer.import_points(&instruments, &streams, &both, later + Span::days(1)).unwrap();
    assert_eq!(now(None), both);
    hash(&*reader);
}

/// What is known by its receipt comes back at its receipt, whatever else is under its key.
pub fn recordings_come_back_at_their_receipt(factory: &dyn Factory) {
    for metric in [Metric::MarkPrice, Metric::Liquidation] {
        let (_site, mut writer, reader) = open(factory);
        let instruments = vec![sample::instrument("BTCUSDT")];
        let streams: Vec<StreamDecl> =
            sample::streams(&instruments).into_iter().filter(|s| s.metric == metric).collect();
        let received = |n: i64, size: f64, late: i64| Event {
            recv_ts: minute(n) + streams[0].delay + Span::millis(late),
            event_ts: minute(n),
            stream: StreamIndex(0),
            seq: 0,
            payload: match metric {
                Metric::MarkPrice => Payload::Value(10.0 + size),
                _ => Payload::Liquidation { liquidated_side: Side::Long, price: 10.0, qty: size },
            },
        };
        // Two are received under each key: another value later, or another fact with the first.
        let second = if metric == Metric::MarkPrice { 2_000 } else { 1_500 };
        let mut all: Vec<Event> =
            (1..=MINUTES).flat_map(|n| [received(n, 1.0, 1_500), received(n, 2.0, second)]).collect();
        all.sort_by(Event::order);
        let of = |size: usize| all.iter().skip(size).step_by(2).copied().collect::<Vec<_>>();
        let (ones, twos) = (of(0), of(1));
        let says = |as_of: Option<Ts>, want: &[Event], what: &str| {
            let found: Vec<Event> = reader.events(&streams, None, as_of).unwrap().collect::<Result<_>>().unwrap();
            assert!(found == want, "{metric:?} {what}: {} events of {}, or they differ", found.len(), want.len());
        };
        writer.import_points(&instruments, &streams, &all, FIRST).unwrap();
        says(None, &all, "as they were recorded");
        forget(&mut *writer, &streams, &twos, SECOND);
        says(None, &ones, "one of two is taken back");
        forget(&mut *writer, &streams, &ones, THIRD);
        says(None, &[], "both are");
        let later = THIRD + Span::days(1);
        writer.import_points(&instruments, &streams, &all, later).unwrap();
        says(None, &all, "imported again");
        says(Some(later - Span(1)), &[], "just before");
        says(Some(THIRD - Span(1)), &ones, "between");
        says(Some(SECOND - Span(1)), &all, "before");
        // Another value received at the moment of the last: a correction of that one.
        if metric == Metric::MarkPrice {
            let other: Vec<Event> = (1..=MINUTES).map(|n| received(n, 3.0, second)).collect();
            writer.import_points(&instruments, &streams, &other, later + Span::days(1)).unwrap();
            let mut want = [ones.clone(), other].concat();
            want.sort_by(Event::order);
            says(None, &want, "corrected");
        }
        hash(&*reader);
    }
}

/// Batches of a few hundred that look at what others see before each is handed out.
struct Watched<'a> {
    events: &'a [Event],
    at: usize,
    look: &'a dyn Fn(),
}

const WATCHED: usize = 700;

impl Batches for Watched<'_> {
    fn next(&mut self, batch: &mut Vec<Event>) {
        (self.look)();
        batch.clear();
        batch.extend(self.events.iter().skip(self.at * WATCHED).take(WATCHED));
        self.at += 1;
    }

    fn rewind(&mut self, done: usize) {
        self.at = done;
    }
}

/// What ends in the middle, whether refused or killed, leaves the earlier version; until the end others see that.
pub fn an_import_is_seen_whole_or_not_at_all(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    p.import(&mut *writer, &p.right, FIRST);
    let before = hash(&*reader);
    let look = || p.check_reads(&*reader, None, &p.right, "half-way");
    let mut broken = p.wrong.clone();
    let last = broken.last_mut().unwrap();
    last.payload = Payload::Value(f64::NAN);
    let watched = |events| Watched { events, at: 0, look: &look };
    let error = writer.import_batches(&p.instruments, &p.streams, &mut watched(&broken), SECOND).unwrap_err();
    assert!(error.to_string().contains("not a number"), "{error}");
    assert_eq!(hash(&*reader), before, "nothing of it");
    let done = writer.import_batches(&p.instruments, &p.streams, &mut watched(&p.wrong), SECOND).unwrap();
    assert_eq!((done.inserted.revised, done.contradiction.rows), (p.wrong.len() as u64, p.wrong.len() as u64));
    p.check_reads(&*reader, None, &p.wrong, "all of it");
    // What changes nothing that counts is stored as it comes.
    let (_site, mut writer, reader) = open(factory);
    let done = writer.import_batches(&p.instruments, &p.streams, &mut OneBatch::new(&p.right), FIRST).unwrap().inserted;
    assert_eq!(done.new, p.right.len() as u64);
    p.check_reads(&*reader, None, &p.right, "a first import");
}

/// The same of taking back.
pub fn a_file_is_taken_back_whole_or_not_at_all(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    p.import(&mut *writer, &p.right, FIRST);
    p.import(&mut *writer, &p.wrong, SECOND);
    let look = || p.check_reads(&*reader, None, &p.wrong, "half-way");
    let mut watched = Watched { events: &p.wrong, at: 0, look: &look };
    let done = writer.forget_batches(&p.streams, &mut watched, THIRD, false).unwrap();
    assert_eq!((done.taken_back, done.restored), (p.wrong.len() as u64, p.wrong.len() as u64));
    p.check_reads(&*reader, None, &p.right, "all of it");
}

/// Rows, label changes and gaps that followed from what was corrected are still there for moments before.
pub fn answers_before_a_correction_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, p) = (one(), prices());
    let seen = |reader: &dyn Reader| reader.instruments(None).unwrap()[0].version;
    let (n, wild) = (400, |seed| rows(400, seed));
    p.import(&mut *writer, &p.right, FIRST);
    replace_seen(&mut *writer, &one, None, &wild(1), seen(&*reader));
    assert_eq!(reader.dirty(&one.spec.key.logic_version).unwrap(), []);

    let at = |as_of| {
        let found = reader.history(&one.spec.key, &RowQuery { as_of, ..everything() }).unwrap().rows;
        let labels = reader.label_changes(&one.spec.key, Range::ALL, usize::MAX, as_of).unwrap().items;
        assert_eq!(labels, changes(&found), "labels follow from rows");
        let info = reader.run(&one.spec.key, as_of).unwrap().unwrap();
        assert_eq!(info.rows, found.len() as u64);
        assert_eq!(reader.latest(&one.spec.key, 1, as_of).unwrap().rows, found[found.len() - 1..]);
        reader.gaps(&one.spec.key, Range::ALL, usize::MAX, as_of).unwrap();
        found
    };
    // From minute 101 on, into the same hour; then all of it; then only new points, which replace what counts now.
    let spliced = |old: &[_], new: &[_]| [&old[..100], &new[100..]].concat();
    p.import(&mut *writer, &p.wrong[100..], SECOND);
    let dirty = reader.dirty(&one.spec.key.logic_version).unwrap();
    assert_eq!(dirty[0].since, Some(p.wrong[100].recv_ts), "from what it corrects on");
    replace_seen(&mut *writer, &one, Some(minute(101)), &wild(2)[100..], seen(&*reader));
    let second = spliced(&wild(1), &wild(2));
    let check = |what: &str, cases: &[(Option<Ts>, &[_])]| {
        for (as_of, want) in cases {
            assert!(at(*as_of) == **want, "{what}, as of {as_of:?}");
        }
        hash(&*reader);
    };
    let (a, b) = (wild(1), second.clone());
    let early = minute(250) + Span::secs(1);
    check("after one", &[(None, &b), (Some(SECOND), &b), (Some(SECOND - Span(1)), &a), (Some(early), &a[..250])]);
    dated(&one, &*reader, (Some(SECOND - Span(1)), &[]));
    dated(&one, &*reader, (None, &[(101, SECOND)]));

    p.import(&mut *writer, &p.right, THIRD);
    replace_seen(&mut *writer, &one, None, &wild(3), seen(&*reader));
    let c = wild(3);
    check(
        "after two",
        &[(None, &c), (Some(THIRD - Span(1)), &b), (Some(SECOND - Span(1)), &a), (Some(early), &a[..250])],
    );
    dated(&one, &*reader, (None, &[(1, THIRD)]));
    dated(&one, &*reader, (Some(THIRD - Span(1)), &[(101, SECOND)]));

    // Without a correction nothing is kept, and what was kept is not touched.
    replace_seen(&mut *writer, &one, Some(minute(350)), &wild(4)[349..], seen(&*reader));
    let d = [&c[..349], &wild(4)[349..]].concat();
    check("after more", &[(None, &d), (Some(THIRD - Span(1)), &b), (Some(SECOND - Span(1)), &a)]);
    assert_eq!(reader.runs(None).unwrap().len(), 1, "one run, however often it was corrected");
    assert_eq!(n, a.len());

    writer.remove_run(&one.spec.key).unwrap();
    assert_eq!(reader.runs(Some(early)).unwrap(), []);
    hash(&*reader);
}

/// From which minute on rows are known since when; those before as their minutes say.
#[track_caller]
fn dated(one: &One, reader: &dyn Reader, (as_of, want): (Option<Ts>, &[(i64, Ts)])) {
    let since = |ts: Ts| want.iter().rev().find(|(n, _)| minute(*n) <= ts).map(|(_, at)| *at);
    let found = reader.history(&one.spec.key, &RowQuery { as_of, ..everything() }).unwrap();
    for row in &found.rows {
        assert_eq!(found.corrected.get(&row.ts).copied(), since(row.ts), "{} as of {as_of:?}", row.ts);
    }
    let newest = reader.latest(&one.spec.key, 1, as_of).unwrap();
    assert_eq!(newest.corrected.values().next().copied(), since(newest.rows[0].ts), "the newest");
}

/// What was replaced or taken back is no point of the stream any more, and nothing is as fresh as it was.
pub fn what_counts_no_more_is_not_counted(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let p = prices();
    let all = p.right.len() as u64;
    let says = |as_of, want: (u64, Ts, Ts), what: &str| {
        let found = reader.streams(None, as_of).unwrap().remove(0);
        assert_eq!((found.points, found.first_event, found.newest_event), want, "{what}");
        let market = reader.instruments(as_of).unwrap().remove(0);
        assert_eq!((market.points, market.first_event, market.newest_event), want, "{what}, of the market");
    };
    let (first, last) = (p.right[0].event_ts, p.right[p.right.len() - 1].event_ts);
    p.import(&mut *writer, &p.right, FIRST);
    says(None, (all, first, last), "a first import");
    p.import(&mut *writer, &p.wrong, SECOND);
    says(None, (all, first, last), "a value in the place of another is one");
    let half = p.right.len() / 2;
    p.import(&mut *writer, &p.right, THIRD);
    forget(&mut *writer, &p.streams, &p.right[half..], THIRD + Span::days(1));
    forget(&mut *writer, &p.streams, &p.wrong[half..], THIRD + Span::days(2));
    says(None, (half as u64, first, p.right[half - 1].event_ts), "the second half is taken back");
    says(Some(THIRD), (all, first, last), "before that");
    forget(&mut *writer, &p.streams, &p.right[..half], THIRD + Span::days(3));
    forget(&mut *writer, &p.streams, &p.wrong[..half], THIRD + Span::days(4));
    assert_eq!(reader.streams(None, None).unwrap()[0].points, 0, "all is");
    assert_eq!(reader.counting_streams(None, None).unwrap(), [], "nothing of it counts");
    assert!(!reader.counting_streams(None, Some(THIRD)).unwrap().is_empty(), "before that");
}

/// Rows are known since the import that made them what they are; those that came out the same, as before.
pub fn rows_are_known_since_the_correction_that_made_them(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, p) = (one(), prices());
    let seen = |reader: &dyn Reader| reader.instruments(None).unwrap()[0].version;
    let [a, b] = [1, 2].map(|seed| rows(400, seed));
    p.import(&mut *writer, &p.right, FIRST);
    replace_seen(&mut *writer, &one, None, &a, seen(&*reader));
    dated(&one, &*reader, (None, &[]));
    // All is made anew; before minute 201 it comes out as it was.
    p.import(&mut *writer, &p.wrong, SECOND);
    let second = [&a[..200], &b[200..]].concat();
    replace_seen(&mut *writer, &one, None, &second, seen(&*reader));
    dated(&one, &*reader, (None, &[(201, SECOND)]));
    dated(&one, &*reader, (Some(SECOND), &[(201, SECOND)]));
    dated(&one, &*reader, (Some(SECOND - Span(1)), &[]));
    // Healed: what it says now it says since then, though it had said so before.
    p.import(&mut *writer, &p.right, THIRD);
    replace_seen(&mut *writer, &one, None, &a, seen(&*reader));
    dated(&one, &*reader, (None, &[(201, THIRD)]));
    let hourly = RowQuery { every: Some(Span::hours(1)), ..everything() };
    let found = reader.history(&one.spec.key, &hourly).unwrap();
    let want = found.rows.iter().filter(|r| r.ts >= minute(201)).map(|r| (r.ts, THIRD)).collect();
    assert_eq!(found.corrected, want, "on a grid too");
}

/// A run that stays behind through two corrections is replaced once: until the second it had answered as before the first.
pub fn two_corrections_and_one_replacement(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, p) = (one(), prices());
    let seen = |reader: &dyn Reader| reader.instruments(None).unwrap()[0].version;
    let at = |as_of| reader.history(&one.spec.key, &RowQuery { as_of, ..everything() }).unwrap().rows;
    let [a, b, c] = [1, 2, 3].map(|seed| rows(400, seed));
    p.import(&mut *writer, &p.right, FIRST);
    replace_seen(&mut *writer, &one, None, &a, seen(&*reader));
    p.import(&mut *writer, &p.wrong, SECOND);
    p.import(&mut *writer, &p.right[..1_500], THIRD);
    replace_seen(&mut *writer, &one, None, &b, seen(&*reader));
    let check = |what: &str, cases: &[(Option<Ts>, &[_])]| {
        for (as_of, want) in cases {
            assert!(at(*as_of) == **want, "{what}, as of {as_of:?}");
        }
        hash(&*reader);
    };
    let before = |t: Ts| Some(t - Span(1));
    check("both", &[(None, &b), (Some(THIRD), &b), (before(THIRD), &a), (Some(SECOND), &a), (before(SECOND), &a)]);

    // A clock that was set back does not bring the last one into answers from before it either.
    p.import(&mut *writer, &p.right, FIRST);
    replace_seen(&mut *writer, &one, None, &c, seen(&*reader));
    check("set back", &[(None, &c), (Some(THIRD), &b), (before(THIRD), &a), (Some(FIRST), &a), (before(FIRST), &a)]);
}
