//! One key-value entry, two workers, and answers that come late or never.

use super::*;

const PACE: TenurePace = TenurePace::of_ttl(600);

fn holder(name: &str) -> Holder {
    Holder { worker: WorkerId::new(name), boot: 1 }
}

fn entry(revision: u64, name: &str) -> LeaseInput {
    LeaseInput::Seen(Some(LeaseEntry { revision: Revision(revision), holder: Some(holder(name)) }))
}

fn vacant(revision: u64) -> LeaseInput {
    LeaseInput::Seen(Some(LeaseEntry { revision: Revision(revision), holder: None }))
}

fn written(ticket: u64, revision: u64) -> LeaseInput {
    LeaseInput::Answered(CasTicket(ticket), CasOutcome::Written(Revision(revision)))
}

fn other(ticket: u64) -> LeaseInput {
    LeaseInput::Answered(CasTicket(ticket), CasOutcome::Other)
}

/// Outputs in short: `read`, `take 3`, `hold`, `free 4`, `+7` acquired, `-7` lost.
fn short(out: &[LeaseOutput]) -> String {
    let words = out.iter().map(|o| match o {
        LeaseOutput::Read => "read".to_owned(),
        LeaseOutput::Write { ticket, expected, holder: Some(_) } => format!("hold {}@{}", ticket.0, expected.0),
        LeaseOutput::Write { ticket, expected, holder: None } => format!("free {}@{}", ticket.0, expected.0),
        LeaseOutput::Acquired(token) => format!("+{}", token.0.0),
        LeaseOutput::Lost(token) => format!("-{}", token.0.0),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Steps of worker `me`, which wants the lease, each with what follows.
fn check(steps: &[(u64, LeaseInput, &str)]) -> Tenure {
    let mut tenure = Tenure::new(holder("me"), PACE);
    tenure.want(true);
    for (n, (now_ms, input, follows)) in steps.iter().enumerate() {
        let mut out = Vec::new();
        tenure.step(*now_ms, input.clone(), &mut out);
        assert_eq!(short(&out), *follows, "step {n} at {now_ms} ms: {input:?}");
    }
    tenure
}

use LeaseInput::{Seen, Tick};

#[test]
fn a_free_lease_is_taken_and_renewed_and_its_token_stays() {
    let tenure = check(&[
        (0, Tick, "read"),
        (10, Seen(None), "hold 1@0"),
        (20, written(1, 7), "+7"),
        (209, Tick, ""),
        (210, Tick, "hold 2@7"),
        (220, written(2, 9), ""),
        (410, Tick, "hold 3@9"),
    ]);
    assert_eq!(tenure.token(), Some(FencingToken(Revision(7))));
}

#[test]
fn a_lease_is_dead_when_its_revision_stood_still() {
    check(&[
        (0, Tick, "read"),
        (10, entry(3, "them"), ""),
        (200, Tick, "read"),
        (210, entry(4, "them"), ""),
        (809, entry(4, "them"), "read"),
        (810, entry(4, "them"), "hold 1@4"),
        (820, other(1), "read"),
        (830, entry(5, "them"), ""),
    ]);
    check(&[(0, Tick, "read"), (5, vacant(8), "hold 1@8"), (9, written(1, 10), "+10")]);
}

#[test]
fn another_revision_ends_a_tenure_at_once() {
    let owned = [(0, Tick, "read"), (0, Seen(None), "hold 1@0"), (0, written(1, 7), "+7")];
    let renewal = [(200, Tick, "hold 2@7"), (210, other(2), "-7 read")];
    let watched = [(100, entry(8, "them"), "-7 read")];
    for rest in [&renewal[..], &watched[..]] {
        assert_eq!(check(&[&owned[..], rest].concat()).token(), None);
    }
}

#[test]
fn an_owner_without_answers_stops_by_itself() {
    check(&[
        (0, Tick, "read"),
        (0, Seen(None), "hold 1@0"),
        (90, written(1, 7), "+7"),
        (200, Tick, "hold 2@7"),
        (300, Tick, "read"),
        (400, Tick, "hold 3@7"),
        (500, Tick, "read"),
        (599, Tick, ""),
        (600, Tick, "-7 read"),
        (610, written(3, 11), ""),
    ]);
}

#[test]
fn a_renewal_nobody_answered_may_have_happened() {
    let doubt = [
        (0, Tick, "read"),
        (0, Seen(None), "hold 1@0"),
        (0, written(1, 7), "+7"),
        (200, Tick, "hold 2@7"),
        (300, Tick, "read"),
    ];
    // It did; the next is due a third of the time to live after it was asked for.
    let happened = [(310, entry(8, "me"), ""), (399, Tick, ""), (400, Tick, "hold 3@8")];
    // It did, as the next one finds out.
    let found = [(400, Tick, "hold 3@7"), (410, other(3), "read"), (420, entry(8, "me"), "hold 4@8")];
    let taken = [(310, entry(8, "them"), "-7 read")];
    let late = [(310, written(2, 8), ""), (400, Tick, "hold 3@7"), (410, written(3, 9), "")];
    for (rest, holds) in [(&happened[..], true), (&found[..], true), (&taken[..], false), (&late[..], true)] {
        assert_eq!(check(&[&doubt[..], rest].concat()).token().is_some(), holds);
    }
}

#[test]
fn a_write_that_took_it_unnoticed_is_followed_by_another() {
    check(&[
        (0, Seen(None), "hold 1@0"),
        (100, Tick, "read"),
        (110, entry(5, "me"), "hold 2@5"),
        (120, written(2, 6), "+6"),
        (130, written(1, 5), ""),
    ]);
}

#[test]
fn what_is_given_back_is_held_no_longer() {
    let mut tenure = check(&[(0, Tick, "read"), (0, Seen(None), "hold 1@0"), (0, written(1, 7), "+7")]);
    tenure.want(false);
    let mut out = Vec::new();
    tenure.release(50, &mut out);
    tenure.release(50, &mut out);
    assert_eq!((short(&out), tenure.token()), ("-7 free 2@7".to_owned(), None));
    out.clear();
    tenure.step(60, vacant(8), &mut out);
    assert_eq!(short(&out), "read", "not wanted, so not taken again");
}
