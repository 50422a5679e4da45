//! What happened to levels: bit for bit and in order, levels as of any moment; replaced with their minutes, never once
//! published.

use super::rows::{One, minute, one, replace, rows};
use super::{Factory, hash, joined, open, refused};
use crate::{LevelQuery, LiveBatch, LiveLevel, PointsVersion, Range, Reader};
use barograph_domain::{Kind, Level, LevelChange, LevelEvent, LevelType, Side, Span, Ts};

/// A level with number `which`, confirmed at minute `n`.
fn level(n: i64, which: u32) -> Level {
    Level {
        level_id: format!("0f8fad5b-d9cb-569f-a165-{:012x}", n * 16 + i64::from(which)),
        revision: 1,
        kind: if which == 0 { LevelType::EqualHighs } else { LevelType::BullishOb },
        timeframe: if n % 20 == 0 { Span::hours(1) } else { Span::mins(15) },
        side: Some(if which == 0 { Side::Short } else { Side::Long }),
        price: 0.1 + 0.2 * f64::from(which),
        top: 60_000.1,
        bottom: -0.0,
        formed_at: minute(n - 30),
        confirmed_at: minute(n),
        known_at: minute(n) + Span::millis(200),
        touched_at: None,
        mitigated_at: None,
        swept_at: None,
        touches: 0,
        volume: (which == 1).then_some(12.5),
        strength: 0.3,
        source: Kind::Measured,
    }
}

fn happened(level: Level, event: LevelEvent, n: i64) -> LevelChange {
    LevelChange { event, at: minute(n), known_at: minute(n) + Span::millis(200), level, members: 2, volume_rank: 0.625 }
}

/// Of the levels confirmed at minute `n`: known, touched and revised four minutes later, the first one broken after seven.
#[must_use]
pub fn story(n: i64) -> Vec<LevelChange> {
    let mut told = Vec::new();
    for which in 0..2 {
        told.push(happened(level(n, which), LevelEvent::Known, n));
    }
    let touched = Level { touches: 1, touched_at: Some(minute(n + 4)), ..level(n, 0) };
    told.push(happened(touched.clone(), LevelEvent::Touched, n + 4));
    let revised = Level { revision: 2, known_at: minute(n + 4) + Span::millis(200), ..touched };
    told.push(happened(revised.clone(), LevelEvent::Revised, n + 4));
    let broken = Level { mitigated_at: Some(minute(n + 7)), ..revised };
    told.push(happened(broken, LevelEvent::Broken, n + 7));
    told
}

/// Minutes 10, 20 … 290.
fn level_changes() -> Vec<LevelChange> {
    (1..30).flat_map(|k| story(10 * k)).collect()
}

fn all(reader: &dyn Reader, one: &One) -> Vec<LevelChange> {
    reader.level_changes(&one.spec.key, Range::ALL, usize::MAX, None).unwrap().items
}

fn store(writer: &mut dyn crate::Writer, one: &One, told: &[LevelChange]) {
    let mut run = writer.replace(&one.spec, None, PointsVersion::default()).unwrap();
    rows(300, 1).iter().for_each(|r| run.row(r).unwrap());
    told.iter().for_each(|c| run.level(c).unwrap());
    assert_eq!(run.finish().unwrap().levels, told.len() as u64);
}

/// What was known to have happened last to each level by `as_of`, by confirmation.
fn naive(told: &[LevelChange], as_of: Option<Ts>) -> Vec<LevelChange> {
    let mut found: Vec<LevelChange> = Vec::new();
    for change in told.iter().filter(|c| as_of.is_none_or(|t| c.known_at <= t)) {
        match found.iter_mut().find(|f| f.level.level_id == change.level.level_id) {
            Some(before) => *before = change.clone(),
            None => found.push(change.clone()),
        }
    }
    found.sort_by_key(|c| (c.level.confirmed_at, c.level.level_id.clone()));
    found
}

/// In the order in which they were reported, a page at a time.
pub fn changes_come_back_bit_for_bit_in_pages(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), level_changes());
    assert_eq!(all(&*reader, &one), [], "a run that does not exist has none");
    store(&mut *writer, &one, &told);
    assert_eq!(all(&*reader, &one), told);
    assert_eq!(joined(|range| reader.level_changes(&one.spec.key, range, 3, None).unwrap()), told);
    let moment = told[40].known_at;
    let asked = |range, as_of| reader.level_changes(&one.spec.key, range, usize::MAX, as_of).unwrap().items;
    assert!(asked(Range::ALL, Some(moment)).iter().eq(told.iter().filter(|c| c.known_at <= moment)));
    assert!(asked(Range { start: moment, end: Ts::MAX }, None).iter().eq(told.iter().filter(|c| c.known_at >= moment)));
    assert_eq!(reader.check(false).unwrap().counts.iter().find(|c| c.0 == "levels").map(|c| c.1), Some(145));
}

/// Earlier revisions stay readable, and nothing shows before it was known.
pub fn levels_are_as_they_were_known_to_be(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), level_changes());
    store(&mut *writer, &one, &told);
    let ask = |query: &LevelQuery| reader.levels(&one.spec.key, query).unwrap().items;
    for n in [0, 9, 10, 13, 14, 16, 17, 100, 144, 290, 300] {
        let known = minute(n) + Span::millis(200);
        for as_of in [Some(known), Some(Ts(known.0 - 1))] {
            let query = LevelQuery { as_of, ..LevelQuery::default() };
            assert_eq!(ask(&query), naive(&told, as_of), "{n}");
        }
    }
    let now = naive(&told, None);
    assert_eq!(ask(&LevelQuery::default()), now);
    let only = |query: LevelQuery, keep: &dyn Fn(&Level) -> bool| {
        let want: Vec<LevelChange> = now.iter().filter(|c| keep(&c.level)).cloned().collect();
        assert!(!want.is_empty() && want.len() < now.len());
        assert_eq!(ask(&query), want, "{query:?}");
    };
    let base = LevelQuery::default();
    only(LevelQuery { standing: true, ..base.clone() }, &|l| l.mitigated_at.is_none());
    only(LevelQuery { timeframe: Some(Span::hours(1)), ..base.clone() }, &|l| l.timeframe == Span::hours(1));
    only(LevelQuery { kinds: vec![LevelType::BullishOb], ..base.clone() }, &|l| l.kind == LevelType::BullishOb);
    let range = Range { start: minute(100), end: minute(200) };
    only(LevelQuery { range, ..base.clone() }, &|l| range.contains(l.confirmed_at));
    let five = |range| reader.levels(&one.spec.key, &LevelQuery { range, limit: 5, ..base.clone() }).unwrap();
    assert_eq!(joined(five), now);
}

/// What is reported before stays, what follows goes with its minutes; an unfinished replacement leaves no trace.
pub fn levels_are_replaced_with_their_minutes(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let (one, told) = (one(), level_changes());
    store(&mut *writer, &one, &told);
    let before = hash(&*reader);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    story(160).iter().for_each(|c| run.level(c).unwrap());
    drop(run);
    assert_eq!(hash(&*reader), before);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    rows(300, 2)[150..].iter().for_each(|r| run.row(r).unwrap());
    story(165).iter().for_each(|c| run.level(c).unwrap());
    run.finish().unwrap();
    let want: Vec<LevelChange> = told.iter().filter(|c| c.known_at < minute(151)).cloned().chain(story(165)).collect();
    assert_eq!(all(&*reader, &one), want);
    assert_ne!(hash(&*reader), before);
    let mut run = writer.replace(&one.spec, Some(minute(151)), PointsVersion::default()).unwrap();
    refused(run.level(&story(150)[0]), "level");
    refused(run.finish(), "level");
}

/// What was published stays whatever a re-run says, twice is once, and it shows in the hash.
pub fn published_levels_stay(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let minutes = rows(20, 1);
    let bare = LiveBatch {
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        ..LiveBatch::default()
    };
    let mut published = Vec::new();
    for (n, row) in (1_i64..).zip(&minutes) {
        let own: Vec<LiveLevel> = (0..2)
            .map(|which| LiveLevel { instrument: 0, change: happened(level(n, which), LevelEvent::Known, n) })
            .collect();
        let batch = LiveBatch { rows: std::slice::from_ref(row), levels: &own, ..bare };
        assert_eq!(writer.append(&batch).unwrap().levels, 2);
        assert_eq!(writer.append(&batch).unwrap().levels, 0, "twice is once");
        published.extend(own.into_iter().map(|l| l.change));
    }
    assert_eq!(all(&*reader, &one), published);
    let before = hash(&*reader);
    // A re-run of published minutes, and of ten behind them.
    let mut run = writer.replace(&one.spec, None, PointsVersion::default()).unwrap();
    let other = |n| happened(level(n, 7), LevelEvent::Known, n);
    run.level(&other(5)).unwrap();
    rows(30, 2).iter().for_each(|r| run.row(r).unwrap());
    run.level(&other(25)).unwrap();
    run.finish().unwrap();
    published.push(other(25));
    assert_eq!(all(&*reader, &one), published);
    assert_ne!(hash(&*reader), before);
    let stray = [LiveLevel { instrument: 9, change: other(40) }];
    refused(writer.append(&LiveBatch { levels: &stray, ..bare }), "level");
    replace(&mut *writer, &one, None, &rows(30, 2));
    assert_eq!(all(&*reader, &one).len(), published.len() - 1, "what was not published went with its run");
}
