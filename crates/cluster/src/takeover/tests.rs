//! One group and one worker, step by step: what it asks for, in which order.

use super::*;
use crate::{JournalStretch, KeptLimits, WorkerId};

const SETTINGS: WorkerSettings = WorkerSettings {
    lease: TenurePace { ttl_ms: 60_000, every_ms: 50_000, retry_ms: 1_000 },
    course: CoursePace {
        kept: KeptLimits { count: 8, bytes: 10_000 },
        hole_ms: 50,
        silent_ms: 2_000,
        retry_ms: 500,
        unstored_max: 2,
        checkpoint_pieces: 3,
        checkpoint_min_ms: 30_000,
        checkpoint_max_ms: 60_000,
        deposit_ms: 4_000,
    },
    beginning: Ts(0),
    release_ms: 3_000,
    load_ms: 1_500,
};
const TOKEN: FencingToken = FencingToken(Revision(7));
const NEWER: FencingToken = FencingToken(Revision(9));

use GroupInput::{
    Arrived, CasAnswer, Deposited, Fenced, Fetched, LeaseSeen, Loaded, Lost, Refused, Share, Stored, Tick,
};

fn me() -> Holder {
    Holder { worker: WorkerId::new("me"), boot: 1 }
}

fn stretch(after: i64, last: i64) -> JournalStretch {
    JournalStretch::new(Ts(after), Ts(last)).unwrap()
}

fn hole(after: i64, until: i64) -> Hole {
    Hole { after: Ts(after), until: Ts(until) }
}

fn stored(through: i64) -> GroupInput<JournalStretch> {
    Stored { token: TOKEN, through: Ts(through) }
}

fn loaded(checkpoint: Option<i64>, published: Option<i64>) -> GroupInput<JournalStretch> {
    Loaded { token: TOKEN, checkpoint: checkpoint.map(Ts), published: published.map(Ts) }
}

/// Commands in short.
fn short(commands: &[GroupCommand<JournalStretch>]) -> String {
    let words = commands.iter().map(|c| match c {
        GroupCommand::ReadLease => "read".to_owned(),
        GroupCommand::Cas { expected, holder: Some(_), .. } => format!("hold@{}", expected.0),
        GroupCommand::Cas { expected, holder: None, .. } => format!("free@{}", expected.0),
        GroupCommand::Fence(token) => format!("fence{}", token.0.0),
        GroupCommand::Load(_) => "load".to_owned(),
        GroupCommand::Begin { checkpoint, published, .. } => {
            format!("begin {:?} {:?}", checkpoint.map(|c| c.0), published.map(|p| p.0))
        }
        GroupCommand::Fetch { after, until: Some(until) } => format!("fetch {}..{}", after.0, until.0),
        GroupCommand::Fetch { after, until: None } => format!("fetch {}..", after.0),
        GroupCommand::Apply { message, after, .. } => format!("apply {}..{}", after.0, message.last().0),
        GroupCommand::Declare { gap, .. } => format!("gap {}..{}", gap.after.0, gap.until.0),
        GroupCommand::Snapshot(at) => format!("aside {}", at.0),
        GroupCommand::Deposit { at, .. } => format!("deposit {}", at.0),
        GroupCommand::Abandon(token) => format!("abandon{}", token.0.0),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// One step: milliseconds, what happens, what is asked for then.
type Step = (u64, GroupInput<JournalStretch>, &'static str);

fn check(steps: &[Step]) -> Stage {
    let mut worker = GroupWorker::new(me(), SETTINGS);
    for (n, (now_ms, input, follows)) in steps.iter().enumerate() {
        let mut out = Vec::new();
        worker.step(*now_ms, input.clone(), &mut out);
        assert_eq!(short(&out), *follows, "step {n} at {now_ms} ms: {input:?}");
    }
    worker.stage()
}

/// Up to the token.
fn taken() -> Vec<Step> {
    vec![
        (0, Share(true), "read"),
        (0, LeaseSeen(None), "hold@0"),
        (0, CasAnswer(CasTicket(1), CasOutcome::Written(TOKEN.0)), "fence7"),
    ]
}

/// Up to a course from stamp 10, of which nothing is newer.
fn following() -> Vec<Step> {
    let rest = [
        (0, Fenced(TOKEN), "load"),
        (0, loaded(Some(10), Some(10)), "begin Some(10) Some(10), fetch 10.."),
        (0, Fetched(stretch(10, 10)), ""),
    ];
    [taken(), rest.to_vec()].concat()
}

fn check_after(before: Vec<Step>, steps: &[Step]) -> Stage {
    check(&[before, steps.to_vec()].concat())
}

#[test]
fn nothing_is_read_before_the_store_has_the_token() {
    let steps = [
        (10, loaded(Some(5), None), ""),
        (20, Arrived(stretch(0, 5)), ""),
        (999, Tick, ""),
        (1_000, Tick, "read, fence7"),
        (1_010, Fenced(NEWER), ""),
        (1_020, Fenced(TOKEN), "load"),
        (1_030, Fenced(TOKEN), ""),
        (2_520, Tick, "load"),
        (2_530, loaded(None, None), "begin None None, fetch 0.."),
        (2_540, loaded(Some(5), None), ""),
    ];
    let steps = steps.map(|(at, input, follows)| (at, input, if at == 1_000 { "fence7" } else { follows }));
    assert_eq!(check_after(taken(), &steps), Stage::CatchingUp);
}

#[test]
fn what_the_checkpoint_lacks_is_fetched_until_nothing_is_newer() {
    let steps = [
        (0, Fenced(TOKEN), "load"),
        (0, loaded(Some(10), Some(25)), "begin Some(10) Some(25), fetch 10.."),
        // Published pieces wait for nothing: the store has them.
        (1, Fetched(stretch(10, 15)), "apply 10..15, fetch 15.."),
        (2, Fetched(stretch(15, 20)), "apply 15..20, fetch 20.."),
        (3, Fetched(stretch(18, 22)), "apply 20..22, aside 22, deposit 22, fetch 22.."),
        (4, Arrived(stretch(22, 30)), "apply 22..30"),
        (5, Arrived(stretch(30, 31)), "apply 30..31"),
    ];
    assert_eq!(check_after(taken(), &steps), Stage::Following);
}

#[test]
fn a_hole_is_fetched_when_it_is_old_and_declared_when_it_cannot_be() {
    let steps = [
        (100, Arrived(stretch(12, 14)), ""),
        (149, Tick, ""),
        (150, Tick, "fetch 10..12"),
        (600, Tick, ""),
        (650, Tick, "fetch 10..12"),
        (651, Lost(hole(9, 13)), "gap 10..12, apply 12..14"),
        (652, Arrived(stretch(20, 21)), ""),
        (702, Tick, "fetch 14..20"),
        (703, Fetched(stretch(14, 16)), ""),
    ];
    let empty = [(101, Arrived(stretch(12, 14)), ""), (151, Tick, "fetch 10..12"), (152, Fetched(stretch(10, 10)), "")];
    let again = [(651, Tick, ""), (652, Tick, "fetch 10..12")];
    check_after(following(), &[&empty[..], &again].concat());
    let fetched = steps.len() - 1;
    // Two pieces are not stored: nothing more is applied, and the rest of the hole is not asked for.
    assert_eq!(check_after(following(), &steps[..fetched]), Stage::Following);
    let more = [(710, stored(14), "apply 14..16, aside 16"), (711, Tick, "")];
    check_after(following(), &[&steps[..], &more].concat());
}

#[test]
fn silence_is_asked_about() {
    let steps = [
        (1_999, Tick, ""),
        (2_000, Tick, "fetch 10.."),
        (2_100, Fetched(stretch(10, 10)), ""),
        (4_099, Tick, ""),
        (4_100, Tick, "fetch 10.."),
        (4_110, Fetched(stretch(10, 12)), "apply 10..12"),
    ];
    check_after(following(), &steps);
}

#[test]
fn a_checkpoint_waits_for_the_store() {
    let steps = [
        (1, Arrived(stretch(10, 11)), "apply 10..11"),
        (2, Arrived(stretch(11, 12)), "apply 11..12"),
        (3, Arrived(stretch(12, 13)), ""),
        (4, stored(11), "apply 12..13, aside 13"),
        (5, stored(12), ""),
        (6, Stored { token: NEWER, through: Ts(99) }, ""),
        (7, stored(13), "deposit 13"),
        (4_006, Tick, "fetch 13.."),
        (4_007, Tick, "deposit 13"),
        (4_008, Deposited { token: TOKEN, at: Ts(12) }, ""),
        (4_009, Deposited { token: TOKEN, at: Ts(13) }, ""),
        (9_000, Fetched(stretch(13, 13)), ""),
    ];
    check_after(following(), &steps);
}

/// Seed 8,584 of the simulation: the owner died between the checkpoint and the store, and nobody knew of the gap.
#[test]
fn a_checkpoint_waits_for_a_gap_within_what_is_published() {
    let steps = [
        (0, Fenced(TOKEN), "load"),
        (0, loaded(Some(10), Some(90)), "begin Some(10) Some(90), fetch 10.."),
        (1, Fetched(stretch(10, 15)), "apply 10..15, fetch 15.."),
        (2, Lost(hole(15, 20)), "gap 15..20, fetch 20.."),
        (3, Fetched(stretch(20, 30)), "apply 20..30, aside 30, fetch 30.."),
        (4, stored(15), ""),
        (5, stored(20), "deposit 30"),
    ];
    check_after(taken(), &steps);
}

#[test]
fn a_newer_token_ends_everything() {
    let them = LeaseEntry { revision: NEWER.0, holder: Some(Holder { worker: WorkerId::new("them"), boot: 2 }) };
    let ends = [(Refused(TOKEN), "abandon7"), (LeaseSeen(Some(them)), "abandon7, read")];
    for before in [taken(), following()] {
        for (end, follows) in &ends {
            let steps = [(10, Refused(NEWER), ""), (20, end.clone(), *follows)];
            assert_eq!(check_after(before.clone(), &steps), Stage::Watching, "{end:?}");
        }
    }
    // A pause longer than the time to live: the message that waited is not applied.
    let late = [(60_000, Arrived(stretch(10, 11)), "abandon7, read")];
    assert_eq!(check_after(following(), &late), Stage::Watching);
}

#[test]
fn a_group_is_released_behind_its_last_checkpoint() {
    let before = [
        (1, Arrived(stretch(10, 11)), "apply 10..11"),
        (2, Share(false), "aside 11"),
        (3, Arrived(stretch(11, 12)), ""),
        (4, Share(true), ""),
        (5, Share(false), ""),
    ];
    let done = [
        (6, stored(11), "deposit 11"),
        (7, Deposited { token: TOKEN, at: Ts(11) }, "abandon7, free@7"),
        (8, Tick, "read"),
    ];
    let late = [(3_001, Tick, ""), (3_002, Tick, "abandon7, free@7")];
    for rest in [&done[..], &late[..]] {
        assert_eq!(check_after(following(), &[&before[..], rest].concat()), Stage::Watching);
    }
    let early = [(1, Share(false), "abandon7, free@7")];
    assert_eq!(check_after(taken(), &early), Stage::Watching);
}
