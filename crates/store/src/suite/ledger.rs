//! The forecast ledger: bit for bit, published ticks for ever, computed ones with their minutes, packed without a trace.

use super::forecasts::{STEP, markets, odd, ticks};
use super::rows::{minute, one, replace, rows};
use super::sample::Random;
use super::{Factory, hash, joined, open, refused};
use crate::codec::ledger::canonical;
use crate::{
    Error, LedgerHead, LedgerPart, LedgerProgress, LedgerState, LiveBatch, LiveLedger, LiveLedgerState, Pruned, Range,
    Reader, Retention, Writer,
};
use barograph_domain::forecast::{ForecastEvent, LedgerTick, OutcomeKey, OutcomeRevision, WindowOutcome};
use barograph_domain::time::LATENESS;
use barograph_domain::{Span, Ts};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const T0: Ts = Ts::from_civil(2026, 1, 1, 22, 0, 0);
const DAY: Span = Span::days(1);

fn at(n: i64) -> Ts {
    T0 + Span(STEP.0 * n)
}

/// Ticks from the first grid instant on.
fn story(count: usize) -> Vec<LedgerTick> {
    ticks(T0, count, &markets(2), 3)
}

fn part<'a>(logic_version: &'a str, range: Range, ticks: &'a [LedgerTick]) -> LedgerPart<'a> {
    LedgerPart { logic_version, range, ticks, heads: &[], states: &[], revisions: &[], alerts: &[], done: None }
}

fn bits(ticks: &[LedgerTick]) -> Vec<Vec<u8>> {
    ticks.iter().map(canonical).collect()
}

fn publish_with(writer: &mut dyn Writer, logic: &str, tick: &LedgerTick, heads: &[LedgerHead]) -> crate::Result<u64> {
    let live = [LiveLedger { logic_version: logic.to_owned(), tick: tick.clone(), heads: heads.to_vec() }];
    let done = writer.append(&LiveBatch { ledger: &live, ..LiveBatch::default() })?;
    Ok(done.ledger)
}

fn publish(writer: &mut dyn Writer, tick: &LedgerTick) -> u64 {
    publish_with(writer, "v1", tick, &[]).unwrap()
}

fn all(reader: &dyn Reader, logic: &str) -> Vec<LedgerTick> {
    reader.ledger(logic, Range::ALL, &[], usize::MAX, None).unwrap().items
}

fn scanned(reader: &dyn Reader, range: Range, events: &[ForecastEvent], as_of: Option<Ts>) -> Vec<LedgerTick> {
    let mut found = Vec::new();
    reader
        .ledger_scan("v1", range, events, as_of, &mut |tick| {
            found.push(tick.clone());
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

fn head(n: i64, event: ForecastEvent, rows: u64) -> LedgerHead {
    LedgerHead { day: T0.floor(DAY) + Span(DAY.0 * n), event, rows, head: [u8::try_from(rows).unwrap(); 32] }
}

/// Pages join up over midnight, a moment shows what was known then, events nobody asks for stay away.
pub fn ticks_come_back_bit_for_bit_in_pages(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!((all(&*reader, "v1"), reader.latest_ledger("v1", None).unwrap()), (vec![], None));
    let mut told = story(40);
    told[30] = odd(at(30), 0.1 + 0.2);
    assert_eq!(writer.replace_ledger(&part("v1", Range::ALL, &told)).unwrap(), 40);
    assert_eq!(bits(&all(&*reader, "v1")), bits(&told));
    assert_eq!((all(&*reader, "v2"), reader.published_ticks("v1", Range::ALL).unwrap()), (vec![], vec![]));
    let page = |range| reader.ledger("v1", range, &[], 1, None).unwrap();
    assert_eq!(bits(&joined(page)), bits(&told));
    assert_eq!(page(Range::ALL).next, Some(at(24)), "no piece reaches over midnight");
    assert_eq!(bits(&scanned(&*reader, Range::ALL, &[], None)), bits(&told));
    let some = Range { start: at(3) + Span(1), end: at(29) };
    for found in
        [scanned(&*reader, some, &[], None), joined(|r| page(Range { start: r.start.max(some.start), ..some }))]
    {
        assert_eq!(bits(&found), bits(&told[4..29]));
    }
    for (as_of, newest) in [(at(26) + LATENESS, 26), (at(26) + LATENESS - Span(1), 25)] {
        let latest = reader.latest_ledger("v1", Some(as_of)).unwrap();
        assert_eq!(latest.map(|t| t.ts), Some(at(newest)));
        let shown = reader.ledger("v1", Range::ALL, &[], usize::MAX, Some(as_of)).unwrap().items;
        assert_eq!(shown.last().map(|t| t.ts), Some(at(newest)));
        assert_eq!(shown, scanned(&*reader, Range::ALL, &[], Some(as_of)));
    }
    assert_eq!(reader.latest_ledger("v1", Some(at(0))).unwrap(), None);
    let wanted = [ForecastEvent::VolClass24h, ForecastEvent::LevelReact];
    let few = scanned(&*reader, Range::ALL, &wanted, None);
    assert_eq!(few.iter().map(|t| t.ts).collect::<Vec<_>>(), told.iter().map(|t| t.ts).collect::<Vec<_>>());
    for (found, whole) in few.iter().zip(&told) {
        let issues = whole.issues.iter().filter(|i| wanted.contains(&i.event)).count();
        assert_eq!((found.issues.len(), found.begins), (issues, whole.begins));
    }
    let mut seen = 0;
    let stop = &mut |_: &LedgerTick| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    reader.ledger_scan("v1", Range::ALL, &[], None, stop).unwrap();
    assert_eq!(seen, 3);
    hash(&*reader);
}

/// A replaced run marks the ticks; what is computed anew takes their place; what was published does not move.
pub fn ticks_follow_the_minutes_and_published_ones_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let logic = one.spec.key.logic_version.clone();
    assert_eq!(reader.ledger_progress(&logic).unwrap(), None);
    replace(&mut *writer, &one, None, &rows(30, 1));
    let dirty = |since| Some(LedgerProgress { markets: String::new(), dirty_since: Some(since) });
    assert_eq!(reader.ledger_progress(&logic).unwrap(), dirty(Ts::MIN));
    let told = story(12);
    let whole = LedgerPart { done: Some("a,b"), ..part(&logic, Range::ALL, &told[..6]) };
    writer.replace_ledger(&whole).unwrap();
    let clean = LedgerProgress { markets: "a,b".to_owned(), dirty_since: None };
    assert_eq!(reader.ledger_progress(&logic).unwrap(), Some(clean.clone()));
    // Published: over a computed tick, and a new one.
    let live = |n: i64| odd(at(n), 0.5);
    for (n, new) in [(3, 1), (9, 1), (9, 0)] {
        assert_eq!(publish_with(&mut *writer, &logic, &live(n), &[]).unwrap(), new, "tick {n}");
    }
    assert_eq!(reader.ledger_progress(&logic).unwrap(), Some(clean), "publishing marks nothing");
    assert_eq!(reader.published_ticks(&logic, Range::ALL).unwrap(), [at(3), at(9)]);
    let before = [&told[..3], &[live(3)], &told[4..6], &[live(9)]].concat();
    assert_eq!(bits(&all(&*reader, &logic)), bits(&before));
    replace(&mut *writer, &one, Some(minute(20)), &rows(30, 2)[19..]);
    replace(&mut *writer, &one, Some(minute(25)), &rows(30, 3)[24..]);
    assert_eq!(reader.ledger_progress(&logic).unwrap().unwrap().dirty_since, Some(minute(20)), "the earliest");
    let other: Vec<LedgerTick> = ticks(T0, 12, &markets(3), 8);
    let since = Range { start: at(2), end: Ts::MAX };
    assert_eq!(writer.replace_ledger(&part(&logic, since, &other[2..11])).unwrap(), 7);
    let after = [&told[..2], &other[2..3], &[live(3)], &other[4..9], &[live(9)], &other[10..11]].concat();
    assert_eq!(bits(&all(&*reader, &logic)), bits(&after));
    writer.remove_run(&one.spec.key).unwrap();
    assert_eq!(reader.ledger_progress(&logic).unwrap().unwrap().dirty_since, Some(Ts::MIN));
    hash(&*reader);
}

/// Another content for a published minute refuses the batch, whatever else is in it, also once the tick is packed.
pub fn a_published_tick_never_changes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let mut told = story(40);
    let first = head(0, ForecastEvent::Calm4h, 7);
    for (n, tick) in told.iter().enumerate() {
        assert_eq!(publish_with(&mut *writer, "v1", tick, &[first][..usize::from(n == 0)]).unwrap(), 1);
    }
    let before = hash(&*reader);
    for n in [0, 25, 39] {
        let other = head(0, ForecastEvent::Calm4h, 9);
        assert_eq!(publish_with(&mut *writer, "v1", &told[n], &[other]).unwrap(), 0, "twice is once");
        let issue = &mut told[n].issues[3];
        issue.input_digest ^= 1;
        let (want, ts) = (told[n].markets[usize::from(told[n].issues[3].market)].clone(), told[n].ts);
        let live = [n, 100].map(|at| match told.get(at) {
            Some(tick) => tick.clone(),
            None => odd(self::at(100), 0.5),
        });
        let live = live.map(|tick| LiveLedger { logic_version: "v1".to_owned(), tick, heads: vec![] });
        match writer.append(&LiveBatch { ledger: &[live[1].clone(), live[0].clone()], ..LiveBatch::default() }) {
            Err(Error::Conflict { instrument, minute, .. }) => assert_eq!((instrument, minute), (want, ts)),
            other => panic!("not refused: {other:?}"),
        }
    }
    assert_eq!(hash(&*reader), before);
    refused(publish_with(&mut *writer, "v1", &odd(at(50) + Span(1), 0.5), &[]), "grid");
    refused(publish_with(&mut *writer, "v1", &odd(at(50), 0.5), &[LedgerHead { day: T0, ..first }]), "no day");
    assert_eq!(hash(&*reader), before);
}

/// Hours that are over are one piece, and days; nobody sees a difference but in pages.
pub fn ended_hours_and_days_are_packed(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let told = story(44);
    let sizes = |reader: &dyn Reader| {
        let (mut range, mut found) = (Range::ALL, Vec::new());
        loop {
            let page = reader.ledger("v1", range, &[], 1, None).unwrap();
            found.push(page.items.len());
            let Some(next) = page.next else { return found };
            range.start = next;
        }
    };
    told[..12].iter().for_each(|tick| assert_eq!(publish(&mut *writer, tick), 1));
    assert_eq!(sizes(&*reader), [1; 12]);
    publish(&mut *writer, &told[12]);
    assert_eq!(sizes(&*reader), [12, 1]);
    told[13..25].iter().for_each(|tick| assert_eq!(publish(&mut *writer, tick), 1));
    assert_eq!(sizes(&*reader), [24, 1], "the day is over");
    told[25..].iter().for_each(|tick| assert_eq!(publish(&mut *writer, tick), 1));
    assert_eq!(sizes(&*reader), [vec![24, 12], vec![1; 8]].concat());
    assert_eq!(bits(&all(&*reader, "v1")), bits(&told));
    assert_eq!(reader.published_ticks("v1", Range { start: at(20), end: at(30) }).unwrap().len(), 10);
    let packed = hash(&*reader);
    let (_site, mut writer, reader) = open(factory);
    told.iter().rev().for_each(|tick| assert_eq!(publish(&mut *writer, tick), 1));
    assert_eq!(hash(&*reader), packed, "order of arrival does not show");
}

/// Ticks published and computed in any order, against a list of what is where.
pub fn reads_agree_with_a_naive_ledger(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (mut random, market) = (Random::new(15), markets(2));
    let variants: Vec<Vec<LedgerTick>> = (0..3).map(|seed| ticks(T0, 60, &market, seed)).collect();
    let mut model: BTreeMap<Ts, (LedgerTick, bool)> = BTreeMap::new();
    for round in 0..120 {
        let pick = |n: u64, random: &mut Random| usize::try_from(random.below(n)).unwrap();
        let from = &variants[pick(3, &mut random)];
        if random.once_in(3) {
            let (a, b) = (pick(60, &mut random), pick(61, &mut random));
            let (a, b) = (a.min(b), a.max(b));
            let mut new = from[a..b].to_vec();
            new.retain(|_| !random.once_in(4));
            let range = Range { start: at(i64::try_from(a).unwrap()), end: at(i64::try_from(b).unwrap()) };
            let stored = writer.replace_ledger(&part("v1", range, &new)).unwrap();
            model.retain(|ts, (_, live)| *live || !range.contains(*ts));
            let fresh: Vec<_> = new.into_iter().filter(|t| !model.contains_key(&t.ts)).collect();
            assert_eq!(stored, fresh.len() as u64, "round {round}");
            model.extend(fresh.into_iter().map(|t| (t.ts, (t, false))));
        } else {
            let tick = &from[pick(60, &mut random)];
            let there = model.get(&tick.ts).filter(|(_, live)| *live);
            match (publish_with(&mut *writer, "v1", tick, &[]), there) {
                (Ok(new), None) => assert_eq!(new, 1),
                (Ok(new), Some((same, _))) => assert_eq!((new, canonical(same)), (0, canonical(tick))),
                (Err(Error::Conflict { .. }), Some((other, _))) => assert_ne!(canonical(other), canonical(tick)),
                (Err(other), _) => panic!("round {round}: {other}"),
            }
            if there.is_none() {
                model.insert(tick.ts, (tick.clone(), true));
            }
        }
        let want: Vec<LedgerTick> = model.values().map(|(tick, _)| tick.clone()).collect();
        assert!(bits(&all(&*reader, "v1")) == bits(&want), "round {round}");
    }
    let live: Vec<Ts> = model.iter().filter(|(_, (_, live))| *live).map(|(ts, _)| *ts).collect();
    assert_eq!(reader.published_ticks("v1", Range::ALL).unwrap(), live);
    hash(&*reader);
}

/// Heads are those of the last write; states later than what is replaced go, old ones when it is pruned.
pub fn heads_and_states_are_kept_beside_the_ticks(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (calm, high) = (ForecastEvent::Calm4h, ForecastEvent::HighVol1h);
    let told = story(40);
    let state = |n: i64, text: &str| LedgerState { ts: at(n), bytes: text.repeat(50).into_bytes() };
    let heads = [head(0, high, 1), head(0, calm, 2), head(1, high, 3)];
    let states: Vec<LedgerState> = (0..40).step_by(4).map(|n| state(n, "first")).collect();
    writer.replace_ledger(&LedgerPart { heads: &heads, states: &states, ..part("v1", Range::ALL, &told) }).unwrap();
    assert_eq!(reader.ledger_heads("v1", Range::ALL).unwrap(), heads);
    assert_eq!(reader.ledger_heads("v2", Range::ALL).unwrap(), []);
    assert_eq!(reader.ledger_heads("v1", Range { start: T0, end: Ts::MAX }).unwrap(), heads[2..]);
    assert_eq!(reader.ledger_state("v1", at(5)).unwrap().as_ref(), Some(&states[1]));
    assert_eq!(reader.ledger_state("v1", at(4)).unwrap().as_ref(), Some(&states[1]));
    assert_eq!(reader.ledger_state("v1", at(4) - Span(1)).unwrap().as_ref(), Some(&states[0]));
    assert_eq!(reader.ledger_state("v1", at(0) - Span(1)).unwrap(), None);
    publish_with(&mut *writer, "v1", &odd(at(60), 1.0), &[head(1, calm, 9)]).unwrap();
    // From the second tick on: the head of the day it is in stays where nothing is said of it, that of the next goes.
    let range = Range { start: at(2), end: Ts::MAX };
    let new = [head(0, calm, 4)];
    let saved = [state(2, "again"), state(8, "again")];
    writer.replace_ledger(&LedgerPart { heads: &new, states: &saved, ..part("v1", range, &told[2..]) }).unwrap();
    assert_eq!(reader.ledger_heads("v1", Range::ALL).unwrap(), [head(0, high, 1), head(0, calm, 4)]);
    let newest = |ts| reader.ledger_state("v1", ts).unwrap();
    assert_eq!(
        (newest(Ts::MAX), newest(at(7)), newest(at(1))),
        (Some(saved[1].clone()), Some(saved[0].clone()), Some(states[0].clone()))
    );
    let before = hash(&*reader);
    let (turned, far) = ([told[3].clone(), told[2].clone()], [head(9, calm, 1)]);
    let wrong = [
        LedgerPart { heads: &far, ..part("v1", Range { start: at(2), end: at(9) }, &[]) },
        LedgerPart { states: &saved, ..part("v1", Range { start: at(3), end: at(9) }, &[]) },
        part("v1", Range { start: at(3), end: at(9) }, &told[2..4]),
        part("v1", Range::ALL, &turned),
    ];
    for (part, word) in
        wrong.iter().zip(["day that is replaced", "minutes it replaces", "minutes it replaces", "order"])
    {
        refused(writer.replace_ledger(part), word);
        assert_eq!(hash(&*reader), before, "{word}");
    }
    let many: Vec<LedgerState> = (10..40).map(|n| state(n, "more")).collect();
    let range = Range { start: at(9), end: Ts::MAX };
    writer.replace_ledger(&LedgerPart { states: &many, ..part("v1", range, &told[9..]) }).unwrap();
    let content = hash(&*reader);
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned { ledger_states: 30, ..Pruned::default() });
    assert_eq!((newest(at(36)), newest(at(37))), (None, Some(many[27].clone())));
    assert_eq!(reader.ledger_states("v1").unwrap(), [at(37), at(38), at(39)]);
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned::default());
    assert_eq!(hash(&*reader), content, "neither ticks nor heads are ever pruned");
}

/// Of a live process's states that of each moment stays as it was first; of a quarter of weeks one each is kept beside the newest.
pub fn states_of_live_processes_are_kept_by_weeks(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let midnight = |n: i64| T0.floor(DAY) + Span(DAY.0 * n);
    let save = |writer: &mut dyn Writer, n: i64, text: &str| {
        let state = LedgerState { ts: midnight(n), bytes: text.as_bytes().to_vec() };
        let one = [LiveLedgerState { logic_version: "v1".to_owned(), state }];
        writer.append(&LiveBatch { ledger_states: &one, ..LiveBatch::default() }).unwrap();
    };
    for n in 0..120 {
        save(&mut *writer, n, "first");
    }
    save(&mut *writer, 5, "again");
    assert_eq!(reader.ledger_state("v1", midnight(5)).unwrap().unwrap().bytes, b"first");
    let weeks: Vec<i64> = (0..120).filter(|n| midnight(*n).0 % (7 * DAY.0) == 0).collect();
    assert_eq!(weeks.last(), Some(&119), "it is one of the newest as well");
    let kept: Vec<Ts> =
        weeks[weeks.len() - 14..weeks.len() - 1].iter().chain(&[117, 118, 119]).map(|n| midnight(*n)).collect();
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned { ledger_states: 104, ..Pruned::default() });
    assert_eq!(reader.ledger_states("v1").unwrap(), kept);
    assert_eq!(reader.ledger_states("v2").unwrap(), []);
}

/// Nothing changes or removes a note: neither another one of the same correction nor ticks that are replaced.
pub fn notes_are_added_and_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let told = story(12);
    let names = markets(2);
    let note = |n: i64, subject: Option<&str>, known: i64, now| OutcomeRevision {
        key: OutcomeKey {
            issued_ts: at(n),
            event: ForecastEvent::HighVol1h,
            market: names[0].clone(),
            subject: subject.map(Into::into),
        },
        known_ts: at(known),
        resolved_ts: at(n + 12),
        stands: WindowOutcome::Missed,
        now,
    };
    let add = |writer: &mut dyn Writer, notes: &[OutcomeRevision]| {
        writer.replace_ledger(&LedgerPart { revisions: notes, ..part("v1", Range::ALL, &told) }).unwrap();
    };
    let before = hash(&*reader);
    let two = [note(1, None, 900, WindowOutcome::Happened), note(3, Some("x"), 900, WindowOutcome::Class(2))];
    add(&mut *writer, &two);
    assert_ne!(hash(&*reader), before);
    add(&mut *writer, &[note(1, None, 900, WindowOutcome::Gap)]);
    add(&mut *writer, &[]);
    assert_eq!(reader.ledger_revisions("v1").unwrap(), two);
    let back = note(1, None, 901, WindowOutcome::Missed);
    add(&mut *writer, std::slice::from_ref(&back));
    assert_eq!(reader.ledger_revisions("v1").unwrap(), [two[0].clone(), back, two[1].clone()]);
    assert_eq!(reader.ledger_revisions("v2").unwrap(), []);
    assert!(two[0].differs() && reader.check(true).is_ok());
}

/// A store without forecasts hashes as it did when there were none; with them every bit counts, packing does not.
pub fn a_ledger_shows_in_the_hash_when_there(factory: &dyn Factory) {
    let of = |parts: &[&[LedgerTick]], heads: &[LedgerHead]| {
        let (_site, mut writer, reader) = open(factory);
        for own in parts {
            let (Some(first), Some(last)) = (own.first(), own.last()) else { continue };
            let range = Range { start: first.ts, end: last.ts + Span(1) };
            writer.replace_ledger(&part("v1", range, own)).unwrap();
        }
        if !heads.is_empty() {
            writer
                .replace_ledger(&LedgerPart { heads, ..part("v1", Range { start: T0.floor(DAY), end: T0 }, &[]) })
                .unwrap();
        }
        hash(&*reader)
    };
    let mut told = story(9);
    let whole = of(&[&told], &[]);
    assert_ne!(whole, of(&[], &[]));
    assert_eq!(of(&[&told[4..], &told[..2], &told[2..4]], &[]), whole);
    let with_head = of(&[&told], &[head(0, ForecastEvent::Calm4h, 1)]);
    assert_ne!(with_head, whole);
    assert_ne!(of(&[&told], &[head(0, ForecastEvent::Calm4h, 2)]), with_head);
    told[5].resolutions[2].evidence[0] = Some(-0.0);
    assert_ne!(of(&[&told], &[]), whole);
}
