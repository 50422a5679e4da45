//! A journal is followed into the lake as it grows.

use crate::made::{End, Message, Recorder, behind, config, messages};
use barograph_columns::FeedMinute;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_lake::layers::{LakeConfig, LakeQuery, check, compact, hours};
use barograph_research::ResearchError;
use barograph_research::dataset::{
    DatasetBeside, FeedSource, FollowRequest, JournalRequest, LakeFollower, record_journal,
};
use std::path::Path;
use std::rc::Rc;
use std::sync::Barrier;

const USDM: &str = "binance-usdm";

/// The recording that comes with the sources.
fn shipped() -> Vec<Message> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/recordings/binance-usdm_btcusdt_20240718.gz");
    messages(&[("BTCUSDT", &path)], usize::MAX)
}

/// Table and digest of all hours.
fn content(lake: &Path) -> Vec<(String, String)> {
    let all = hours(lake, &LakeQuery::default()).unwrap();
    all.iter().map(|h| (h.table.clone(), h.content_digest().unwrap())).collect()
}

fn follower(dir: &Path, lake: &str) -> LakeFollower {
    let market = InstrumentName::new(USDM, "BTCUSDT").unwrap();
    let (data, lake) = (dir.to_owned(), dir.join(lake));
    let request = FollowRequest { data, markets: vec![market], lake, flush_every: Span::secs(10) };
    LakeFollower::new(&request, &DatasetBeside::default()).unwrap()
}

/// Steps until nothing more can be played; how many lines were.
fn catch_up(follower: &mut LakeFollower) -> u64 {
    let mut lines = 0;
    loop {
        let step = follower.step().unwrap();
        lines += step.lines;
        if !step.is_behind() {
            return lines;
        }
    }
}

#[test]
fn a_follower_writes_what_an_import_does_whatever_stops_it_in_between() {
    let all = shipped();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("journal");
    let mut waits = follower(dir.path(), "followed");
    assert_eq!(catch_up(&mut waits), 0, "there is no journal yet");
    let mut recorder = Recorder::new(USDM, config(USDM, &["BTCUSDT"]));
    recorder.run(&root, &all[..all.len() / 2], End::Killed);
    assert!(catch_up(&mut waits) > 1_000);
    let mut killed = follower(dir.path(), "killed");
    assert!(catch_up(&mut killed) > 1_000);
    let second = behind(&all, all.len() / 2, Span::secs(6));
    recorder.run(&root, second, End::InOrder);
    // One goes on, another was killed with rows that were in no file yet, a third begins now.
    assert!(catch_up(&mut waits) > 1_000);
    assert_eq!((catch_up(&mut waits), waits.take_troubles()), (0, Vec::new()));
    drop(killed);
    let mut again = follower(dir.path(), "killed");
    catch_up(&mut again);
    let report = &again.finish().unwrap()[0].1;
    assert!(report.already > 1_000, "{report:?}");
    let market = InstrumentName::new(USDM, "BTCUSDT").unwrap();
    let (data, lake) = (dir.path().to_owned(), dir.path().join("imported"));
    let request = JournalRequest { data, markets: vec![market], lake, from: None, until: None };
    let imported = record_journal(&request, &mut |_, _| {}).unwrap();
    let done = waits.finish().unwrap();
    assert_eq!(done[0].1.rows, imported.markets[0].1.rows);
    let want = content(&request.lake);
    assert_eq!(want.len(), 3);
    for lake in ["followed", "killed"] {
        assert_eq!(content(&dir.path().join(lake)), want, "{lake}");
        assert_eq!(check(&dir.path().join(lake)).unwrap(), [], "{lake}");
    }
}

#[test]
fn of_followers_that_begin_at_once_one_writes_and_the_others_say_who_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::new(USDM, config(USDM, &["BTCUSDT"]));
    recorder.run(&dir.path().join("journal"), &shipped(), End::InOrder);
    let market = InstrumentName::new(USDM, "BTCUSDT").unwrap();
    let request = |lake: &str| {
        let (data, lake) = (dir.path().to_owned(), dir.path().join(lake));
        JournalRequest { data, markets: vec![market.clone()], lake, from: None, until: None }
    };
    let (begun, over) = (Barrier::new(4), Barrier::new(4));
    let follow = || {
        begun.wait();
        let mut follower = follower(dir.path(), "lake");
        let refused = loop {
            match follower.step() {
                Ok(step) if step.is_behind() => {}
                Ok(_) => break None,
                Err(e) => break Some(e.to_string()),
            }
        };
        over.wait();
        if refused.is_none() {
            // An import and a compaction meet the one that goes on.
            let import = record_journal(&request("lake"), &mut |_, _| {}).unwrap_err().to_string();
            let compaction = compact(&LakeConfig::import(dir.path().join("lake")), Some(Ts::MAX)).unwrap();
            assert_eq!((compaction.closed, compaction.left.len()), (0, 3));
            let left = compaction.left.into_iter().map(|(_, why)| why);
            follower.finish().unwrap();
            return left.chain([import]).collect::<Vec<_>>();
        }
        refused.into_iter().collect()
    };
    let said: Vec<Vec<String>> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(follow)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(said.iter().filter(|one| one.len() == 4).count(), 1, "one of them writes: {said:?}");
    let who = format!("process {} already writes this market", std::process::id());
    assert!(said.iter().flatten().all(|sentence| sentence.contains(&who)), "{said:?}");
    record_journal(&request("imported"), &mut |_, _| {}).unwrap();
    assert_eq!(content(&dir.path().join("lake")), content(&dir.path().join("imported")));
    assert_eq!(check(&dir.path().join("lake")).unwrap(), []);
}

#[derive(Debug)]
struct NoMinutes;

impl FeedSource for NoMinutes {
    fn minutes(&self, _: &InstrumentName, _: Ts, _: Ts) -> Result<Vec<FeedMinute>, ResearchError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_follower_takes_no_readings_of_minutes_to_come() {
    let dir = tempfile::tempdir().unwrap();
    let (data, lake) = (dir.path().to_owned(), dir.path().join("lake"));
    let request = FollowRequest { data, markets: Vec::new(), lake, flush_every: Span::secs(10) };
    let beside = DatasetBeside { feeds: Some(Rc::new(NoMinutes)), ..DatasetBeside::default() };
    let refused = LakeFollower::new(&request, &beside).unwrap_err().to_string();
    assert!(refused.contains("readings of other feeds"), "{refused}");
}
