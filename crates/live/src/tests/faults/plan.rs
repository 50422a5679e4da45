//! Which faults a run of the simulation meets: every kind there is, dealt like cards, so that a few seeds see them all.

use crate::random::Random;
use barograph_domain::Span;
use barograph_sim::{FaultRule, InjectedFault, Venue, When};

/// Kinds of one run.
const PER_RUN: u64 = 9;

/// One kind of trouble.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Drop,
    DropNumbered,
    Duplicate,
    Reorder,
    Delay,
    HalfOpen,
    TruncatedText,
    TruncatedFrame,
    SequenceJump,
    TradeIdsJump,
    StaleBook,
    WrongCheck,
    ClockAhead,
    ClockBehind,
    TooMany,
    TooManyUntil,
    Banned,
    BannedUntil,
    ServerError,
    SlowRest,
    NoAnswer,
    CutBody,
    CutSnapshot,
    DayEnds,
    EndAnnounced,
    Refused,
    /// Answers to subscriptions are lost, late and come twice.
    LateAnswers,
    /// Subscriptions are refused.
    RefusedRequests,
    /// The process is asked to stop and started again.
    Stop,
    /// The process is killed and started again.
    Kill,
}

const KINDS: [Kind; 30] = [
    Kind::Drop,
    Kind::DropNumbered,
    Kind::Duplicate,
    Kind::Reorder,
    Kind::Delay,
    Kind::HalfOpen,
    Kind::TruncatedText,
    Kind::TruncatedFrame,
    Kind::SequenceJump,
    Kind::TradeIdsJump,
    Kind::StaleBook,
    Kind::WrongCheck,
    Kind::ClockAhead,
    Kind::ClockBehind,
    Kind::TooMany,
    Kind::TooManyUntil,
    Kind::Banned,
    Kind::BannedUntil,
    Kind::ServerError,
    Kind::SlowRest,
    Kind::NoAnswer,
    Kind::CutBody,
    Kind::CutSnapshot,
    Kind::DayEnds,
    Kind::EndAnnounced,
    Kind::Refused,
    Kind::LateAnswers,
    Kind::RefusedRequests,
    Kind::Stop,
    Kind::Kill,
];

/// The kinds of a seed, in order: the next cards of a pack that is shuffled anew whenever it is used up.
pub(super) fn kinds(seed: u64) -> Vec<Kind> {
    let count = KINDS.len() as u64;
    let first = seed * PER_RUN;
    (first..first + PER_RUN)
        .map(|card| {
            let mut random = Random::new(card / count);
            let mut pack = KINDS;
            for at in (1..pack.len()).rev() {
                pack.swap(at, index(&mut random, at + 1));
            }
            pack[usize::try_from(card % count).unwrap_or(0)]
        })
        .collect()
}

fn index(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.below(i64::try_from(limit).unwrap_or(1))).unwrap_or(0)
}

/// What the venue server is set to for a kind; empty where the process itself is meant.
pub(super) fn rules(kind: Kind, random: &mut Random) -> Vec<FaultRule> {
    let binance = [Venue::BinanceUsdm, Venue::BinanceSpot][index(random, 2)];
    let venue = [binance, binance, Venue::Coinbase, Venue::Coinex][index(random, 4)];
    let now = |fault| FaultRule::new(fault, When::Now).venue(venue);
    // What makes a client ask: a book that is broken, on Coinbase a trade that is missing. On CoinEx it asks anyhow.
    let ask = || match venue {
        Venue::Coinbase => now(InjectedFault::Drop),
        Venue::Coinex => now(InjectedFault::Drop).stream("depth"),
        Venue::BinanceUsdm | Venue::BinanceSpot => now(InjectedFault::SequenceJump(3)).stream("depth"),
    };
    // Once, twice or three times in a row.
    let times = 1 + index(random, 3);
    let refused = |fault| core::iter::repeat_n(now(fault), times).chain([ask()]).collect();
    // A connection is lost, and what is asked on the next one meets these.
    let coinex = |first, then: Vec<(InjectedFault, &str)>| {
        let rule = |fault| FaultRule::new(fault, When::Now).venue(Venue::Coinex);
        let then = then.into_iter().map(|(fault, stream)| rule(fault).stream(stream));
        [rule(first)].into_iter().chain(then).collect()
    };
    let numbered = || if binance == Venue::BinanceUsdm { "aggTrade" } else { "depth" };
    match kind {
        Kind::Drop => vec![now(InjectedFault::Drop)],
        Kind::DropNumbered => vec![FaultRule::new(InjectedFault::Drop, When::Now).venue(binance).stream(numbered())],
        Kind::Duplicate => {
            ["", "Trade", "depth", "forceOrder", "deals"].map(|s| now(InjectedFault::Duplicate).stream(s)).to_vec()
        }
        Kind::Reorder => ["", "Trade", "depth", "deals"].map(|s| now(InjectedFault::Reorder).stream(s)).to_vec(),
        Kind::Delay => vec![now(InjectedFault::Delay(Span::secs(3)))],
        Kind::HalfOpen => vec![now(InjectedFault::HalfOpen)],
        Kind::TruncatedText => vec![now(InjectedFault::TruncatedText)],
        Kind::TruncatedFrame => vec![now(InjectedFault::TruncatedFrame)],
        // Without numbers a book is left out.
        Kind::SequenceJump if venue == Venue::Coinex => vec![now(InjectedFault::Drop).stream("depth")],
        Kind::SequenceJump => vec![now(InjectedFault::SequenceJump(7))],
        Kind::TradeIdsJump => {
            vec![FaultRule::new(InjectedFault::SequenceJump(4), When::Now).venue(binance).stream("aggTrade")]
        }
        Kind::StaleBook => vec![now(InjectedFault::StaleBook(Span::secs(45)))],
        Kind::WrongCheck if venue == Venue::Coinbase => vec![now(InjectedFault::WrongCheck)],
        Kind::WrongCheck => vec![now(InjectedFault::WrongCheck).stream("depth")],
        Kind::ClockAhead => vec![now(InjectedFault::ClockSkew(Span::millis(4_500), Span::secs(40)))],
        Kind::ClockBehind => vec![now(InjectedFault::ClockSkew(Span::millis(-4_500), Span::secs(40)))],
        Kind::TooMany => refused(InjectedFault::TooManyRequests(None)),
        Kind::TooManyUntil => refused(InjectedFault::TooManyRequests(Some(Span::secs(5)))),
        Kind::Banned => refused(InjectedFault::Banned(None)),
        Kind::BannedUntil => refused(InjectedFault::Banned(Some(Span::secs(20)))),
        Kind::ServerError => refused(InjectedFault::ServerError([500, 502, 503][index(&mut random.clone(), 3)])),
        Kind::SlowRest => refused(InjectedFault::SlowRest(Span::secs(4))),
        // Later than anybody waits.
        Kind::NoAnswer => refused(InjectedFault::SlowRest(Span::secs(40))),
        Kind::CutBody => refused(InjectedFault::CutBody),
        Kind::CutSnapshot if venue == Venue::Coinbase => {
            vec![now(InjectedFault::Cut), now(InjectedFault::TruncatedFrame).stream("level2")]
        }
        Kind::CutSnapshot if venue == Venue::Coinex => {
            vec![now(InjectedFault::Cut), now(InjectedFault::TruncatedFrame).stream("depth")]
        }
        Kind::CutSnapshot => vec![now(InjectedFault::CutBody).stream("depth"), ask()],
        Kind::DayEnds => vec![now(InjectedFault::Cut)],
        Kind::EndAnnounced => vec![FaultRule::new(InjectedFault::ServerShutdown, When::Now).venue(Venue::BinanceSpot)],
        Kind::Refused => vec![now(InjectedFault::RefuseSockets(Span::secs(8))), now(InjectedFault::Cut)],
        Kind::LateAnswers => {
            let answers = [InjectedFault::Drop, InjectedFault::Delay(Span::secs(4)), InjectedFault::Duplicate];
            coinex(InjectedFault::Cut, answers.map(|fault| (fault, "answer")).to_vec())
        }
        Kind::RefusedRequests => {
            // Busy, and too often: what is refused for good is not asked for again on that connection.
            let code = [23_002, 24_001][index(random, 2)];
            coinex(InjectedFault::Cut, vec![(InjectedFault::RefuseRequest(code), ".subscribe"); times])
        }
        Kind::Stop | Kind::Kill => Vec::new(),
    }
}

#[test]
fn every_kind_of_fault_is_met_several_times_in_twenty_seeds() {
    let met: Vec<Kind> = (1..21).flat_map(kinds).collect();
    for kind in KINDS {
        let times = met.iter().filter(|k| **k == kind).count();
        assert!(times >= 5, "{kind:?}: {times} times");
    }
    assert_ne!(kinds(3), kinds(31), "the packs differ");
}
