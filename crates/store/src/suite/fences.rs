//! Groups of markets: who has the greatest token writes, and an owner before that writes nothing more.

use super::rows::{One, minute, one, rows};
use super::sample::{self, SampleMarket};
use super::{Factory, hash, open, refused};
use crate::{
    Error, Fence, GroupState, LiveBatch, PointsVersion, Pruned, Reader, Recovery, Result, Retention, Writer, WriterRole,
};
use barograph_domain::{Event, Instrument, MinuteRow, Span, Ts};
use std::fmt::Debug;

/// Minute `n` of a market, with what was received in it.
fn publish(writer: &mut dyn Writer, one: &One, n: usize, fence: Option<Fence>) -> Result<crate::Appended> {
    let all = rows(i64::try_from(n).unwrap(), 1);
    let at = minute(i64::try_from(n).unwrap());
    let points: Vec<Event> = sample::events(&one.streams, 400, 1).into_iter().filter(|e| e.event_ts == at).collect();
    writer.append(&LiveBatch {
        fence,
        instruments: &one.instruments,
        streams: &one.streams,
        runs: std::slice::from_ref(&one.spec),
        rows: &all[n - 1..],
        points: &points,
        ..LiveBatch::default()
    })
}

fn by(group: u16, token: u64, through: Option<Ts>) -> Option<Fence> {
    Some(Fence { group, token, through })
}

fn fenced<T: Debug>(answer: Result<T>, want: (u16, u64, u64)) {
    match answer {
        Err(error @ Error::Fenced { group, token, newer }) => {
            assert_eq!((group, token, newer), want);
            assert_eq!(error.recovery(), Recovery::Stop);
            let (group, token, newer) = want;
            let text = format!("group {group} is written by a newer owner (token {token} < {newer})");
            assert!(error.to_string().starts_with(&text), "{error}");
        }
        other => panic!("not fenced: {other:?}"),
    }
}

/// Equal goes on, smaller is refused, each group by itself.
pub fn a_token_only_grows(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    assert_eq!(reader.live_groups().unwrap(), []);
    assert_eq!(writer.fence(2, 41).unwrap().through, None);
    assert_eq!(writer.fence(2, 41).unwrap().through, None, "the same owner again");
    assert_eq!(writer.fence(2, 44).unwrap().through, None);
    fenced(writer.fence(2, 41), (2, 41, 44));
    fenced(writer.fence(2, 0), (2, 0, 44));
    assert_eq!(writer.fence(0, 7).unwrap().through, None, "another group has another token");
    assert_eq!(writer.fence(u16::MAX, i64::MAX.unsigned_abs()).unwrap().through, None);
    refused(writer.fence(2, i64::MAX.unsigned_abs() + 1), "above 2^63");
    let state = |group, token| GroupState { group, token, through: None };
    let want = [state(0, 7), state(2, 44), state(u16::MAX, i64::MAX.unsigned_abs())];
    assert_eq!(reader.live_groups().unwrap(), want);
}

/// Nor does a part of its batch stay, and the newer owner goes on as if there had been none.
pub fn an_older_owner_writes_nothing(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    writer.fence(3, 10).unwrap();
    for n in 1..=3 {
        assert_eq!(publish(&mut *writer, &one, n, by(3, 10, Some(minute(1)))).unwrap().rows, 1);
    }
    assert_eq!(writer.fence(3, 11).unwrap().through, Some(minute(1)));
    let before = hash(&*reader);
    for _ in 0..2 {
        fenced(publish(&mut *writer, &one, 4, by(3, 10, Some(minute(4)))), (3, 10, 11));
        assert_eq!(hash(&*reader), before);
        assert_eq!(reader.live_groups().unwrap(), [GroupState { group: 3, token: 11, through: Some(minute(1)) }]);
    }
    assert_eq!(publish(&mut *writer, &one, 4, by(3, 11, None)).unwrap().rows, 1);
    // A batch is its own fence: that of an owner nobody announced refuses the ones before.
    assert_eq!(publish(&mut *writer, &one, 5, by(3, 20, None)).unwrap().rows, 1);
    fenced(publish(&mut *writer, &one, 6, by(3, 11, None)), (3, 11, 20));
    assert_ne!(hash(&*reader), before);
}

/// Also where a batch that says less comes later, or one that says nothing, or is refused for another reason.
pub fn how_far_a_group_is_never_goes_back(factory: &dyn Factory) {
    let (_site, mut writer, reader) = open(factory);
    let one = one();
    let through = |reader: &dyn Reader| reader.live_groups().unwrap()[0].through;
    let cases = [
        (None, None),
        (Some(minute(5)), Some(minute(5))),
        (Some(minute(2)), Some(minute(5))),
        (None, Some(minute(5))),
        (Some(minute(5)), Some(minute(5))),
        (Some(minute(9)), Some(minute(9))),
    ];
    for (n, (shown, want)) in (1..).zip(cases) {
        publish(&mut *writer, &one, n, by(1, 5, shown)).unwrap();
        assert_eq!(through(&*reader), want, "batch {n}");
        assert_eq!(writer.fence(1, 5).unwrap().through, want);
    }
    let stranger = MinuteRow { instrument: 9, ..SampleMarket::new(1).row(minute(20)) };
    let lost = LiveBatch { fence: by(1, 6, Some(minute(20))), rows: &[stranger], ..LiveBatch::default() };
    refused(writer.append(&lost), "no run");
    assert_eq!(reader.live_groups().unwrap(), [GroupState { group: 1, token: 5, through: Some(minute(9)) }]);
}

/// The same batches with and without one, and groups that have nothing.
pub fn a_fence_is_no_part_of_the_content(factory: &dyn Factory) {
    let one = one();
    let hashes = [false, true].map(|with| {
        let (_site, mut writer, reader) = open(factory);
        if with {
            writer.fence(8, 1).unwrap();
            writer.fence(9, 1).unwrap();
        }
        for n in 1..=70 {
            let at = minute(i64::try_from(n).unwrap());
            publish(&mut *writer, &one, n, by(8, 1, Some(at)).filter(|_| with)).unwrap();
        }
        assert_eq!(reader.live_groups().unwrap().len(), if with { 2 } else { 0 });
        hash(&*reader)
    });
    assert_eq!(hashes[0], hashes[1]);
    // Nor does one keep a writer of all markets from going on without.
    let (_site, mut writer, reader) = open(factory);
    writer.fence(8, 7).unwrap();
    publish(&mut *writer, &one, 1, by(8, 7, None)).unwrap();
    assert_eq!(publish(&mut *writer, &one, 2, None).unwrap().rows, 1);
    hash(&*reader);
}

/// By its token, which it has to show first.
pub fn a_groups_writer_writes_its_group_alone(factory: &dyn Factory) {
    let site = factory.site();
    let one = one();
    let mut writer = site.writer(&[WriterRole::Group(4)]).unwrap();
    refused(publish(&mut *writer, &one, 1, None), "without its fence");
    refused(publish(&mut *writer, &one, 1, by(5, 1, None)), "opened for group 4");
    refused(writer.fence(5, 1), "opened for group 4");
    refused(writer.prune(&Retention::default()), "raise its fence");
    refused(writer.insert_points(&one.instruments, &one.streams, &[]), "role 'ingest'");
    let Err(Error::Invalid(text)) = writer.replace(&one.spec, None, PointsVersion::default()).map(drop) else {
        panic!("a group replaces nothing")
    };
    assert!(text.contains("role 'context'"), "{text}");
    writer.fence(4, 6).unwrap();
    assert_eq!(publish(&mut *writer, &one, 1, by(4, 6, Some(minute(1)))).unwrap().rows, 1);
    assert_eq!(writer.prune(&Retention::default()).unwrap(), Pruned::default());
    drop(writer);
    let mut newer = site.writer(&[WriterRole::Group(4)]).unwrap();
    assert_eq!(newer.fence(4, 7).unwrap().through, Some(minute(1)));
    assert_eq!(publish(&mut *newer, &one, 2, by(4, 7, None)).unwrap().rows, 1);
    hash(&*site.reader().unwrap());
}

/// Nothing of the markets of others, whose writers remember how many points there are.
pub fn a_group_prunes_its_own_markets(factory: &dyn Factory) {
    let site = factory.site();
    let instruments: Vec<Instrument> = ["AAAUSDT", "BBBUSDT"].map(sample::instrument).to_vec();
    let streams = sample::streams(&instruments);
    let all = sample::events(&streams, 600, 1);
    let reader = || site.reader().unwrap();
    let of = |at: usize| {
        let own = |e: &&Event| streams[e.stream.index()].instrument == instruments[at].name;
        all.iter().filter(own).copied().collect::<Vec<Event>>()
    };
    let keep = Retention { raw: Span::mins(100), ..Retention::default() };
    let mut pruned = Vec::new();
    for (at, group) in [(0, 1_u16), (1, 2)] {
        let mut writer = site.writer(&[WriterRole::Group(group)]).unwrap();
        let fence = by(group, 1, None);
        writer.fence(group, 1).unwrap();
        assert_eq!(writer.prune(&keep).unwrap(), Pruned::default(), "it has no market yet");
        let points = of(at);
        let batch = LiveBatch { fence, instruments: &instruments, streams: &streams, ..LiveBatch::default() };
        writer.append(&LiveBatch { points: &points[..points.len() - 50], ..batch }).unwrap();
        pruned.push(writer.prune(&keep).unwrap().points);
        let left =
            |name: &Instrument| reader().streams(Some(&name.name), None).unwrap().iter().map(|s| s.points).sum::<u64>();
        assert!(pruned[at] > 1_000, "{pruned:?}");
        assert_eq!(left(&instruments[at]) + pruned[at], points.len() as u64 - 50);
        hash(&*reader());
        // What it remembers is what is there.
        writer.append(&LiveBatch { points: &points[points.len() - 50..], ..batch }).unwrap();
        hash(&*reader());
        if at == 1 {
            assert!(left(&instruments[0]) > 0);
            fenced(
                {
                    writer.fence(group, 2).unwrap();
                    writer.append(&LiveBatch { fence: by(group, 1, None), ..batch })
                },
                (group, 1, 2),
            );
        }
    }
}

/// Whichever is there first.
pub fn groups_and_one_writer_of_all_exclude_each_other(factory: &dyn Factory) {
    let site = factory.site();
    let locked = |roles: &[WriterRole]| {
        let answer = site.writer(roles);
        assert!(matches!(answer, Err(Error::Locked { .. })), "{roles:?} is let in");
    };
    let whole = site.writer(&WriterRole::ALL).unwrap();
    locked(&[WriterRole::Group(1)]);
    drop(whole);
    let group = site.writer(&[WriterRole::Group(1)]).unwrap();
    locked(&WriterRole::ALL);
    locked(&[WriterRole::Ingest]);
    locked(&[WriterRole::Context]);
    // Deliveries are nobody's business here.
    drop(site.outbox().unwrap());
    drop(group);
    drop(site.writer(&WriterRole::ALL).unwrap());
}
