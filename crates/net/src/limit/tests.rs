//! Budgets under random loads, seen from the venue: whatever is asked when, no window holds more than the weight.

use super::budget::Budget;
use crate::http::desk::{Asks, Next, WaitingLine};
use crate::world::SharedBudgets;
use barograph_domain::{Span, Ts};
use barograph_venues::session::{Pool, PoolId, Priority};
use proptest::prelude::*;

const PER: Span = Span::secs(60);

/// Spends as early as allowed, in order; each request comes some milliseconds after the one before went. Returns what went when.
fn spend_all(mut budget: Budget, wishes: &[(i64, u32)]) -> Vec<(Ts, u32)> {
    let mut now = Ts::from_secs(1_770_000_000);
    let mut spent = Vec::new();
    for &(gap_ms, weight) in wishes {
        now = now + Span::millis(gap_ms);
        now = budget.ready_at(now, weight, u32::MAX);
        assert_eq!(budget.ready_at(now, weight, u32::MAX), now, "what was promised holds");
        budget.spend(now, weight);
        spent.push((now, weight));
    }
    spent
}

fn wishes() -> impl Strategy<Value = Vec<(i64, u32)>> {
    prop::collection::vec((0_i64..20_000, 1_u32..60), 1..200)
}

proptest! {
    #[test]
    fn a_sliding_window_never_holds_more_than_the_weight(wishes in wishes()) {
        let spent = spend_all(Budget::new(100, PER, false, 0), &wishes);
        for (i, (start, _)) in spent.iter().enumerate() {
            let sum: u32 = spent[i..].iter().take_while(|(at, _)| *at < *start + PER).map(|(_, w)| w).sum();
            prop_assert!(sum <= 100, "{sum} within a period from {start}");
        }
    }

    #[test]
    fn the_venues_own_minute_never_holds_more_however_its_clock_is_off(wishes in wishes(), off_ms in -1_999_i64..2_000) {
        let spent = spend_all(Budget::new(100, PER, true, 0), &wishes);
        let mut minutes = std::collections::BTreeMap::new();
        for (at, weight) in spent {
            *minutes.entry((at + Span::millis(off_ms)).floor(PER)).or_insert(0) += weight;
        }
        for (minute, sum) in minutes {
            prop_assert!(sum <= 100, "{sum} in the venue's minute {minute}");
        }
    }

    /// Someone else spends behind the same address; the venue reports the sum with every answer.
    #[test]
    fn reports_of_the_venue_keep_the_sum_within_the_weight(wishes in wishes(), others in prop::collection::vec(0_u32..3, 200)) {
        let mut budget = Budget::new(100, PER, true, 10);
        let mut now = Ts::from_secs(1_770_000_000);
        let (mut minute, mut used) = (now, 0);
        for (&(gap_ms, weight), other) in wishes.iter().zip(others) {
            let weight = weight.min(8);
            now = budget.ready_at(now + Span::millis(gap_ms), weight, u32::MAX);
            if now.floor(PER) != minute {
                (minute, used) = (now.floor(PER), 0);
            }
            used += weight + other;
            budget.spend(now, weight);
            // The margin of ten is more than what the other spends between two answers.
            prop_assert!(used <= 100, "{used} in {minute}");
            budget.observed(now, now, used);
        }
    }
}

/// A request of a test.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Wish {
    id: usize,
    weight: u32,
    priority: Priority,
}

impl Asks for Wish {
    fn pool(&self) -> PoolId {
        PoolId(0)
    }
    fn weight(&self) -> u32 {
        self.weight
    }
    fn priority(&self) -> Priority {
        self.priority
    }
}

fn pool(weight: u32, in_flight_max: u32) -> Pool {
    Pool {
        id: PoolId(0),
        name: "weight",
        weight,
        per: PER,
        aligned: false,
        used_header: None,
        in_flight_max,
        shared: None,
    }
}

fn desk<J: Asks>(pool: Pool) -> WaitingLine<J> {
    WaitingLine::new(&[pool], |p| SharedBudgets::default().budget(p))
}

/// Serves everything, one at a time; returns the order, with moments.
fn serve_all(desk: &mut WaitingLine<Wish>) -> Vec<(Ts, Wish)> {
    let mut now = Ts::from_secs(0);
    let mut order = Vec::new();
    loop {
        match desk.next(now) {
            Next::Go(wish) => {
                order.push((now, wish));
                desk.done(PoolId(0));
            }
            Next::Wait(Some(at)) => {
                assert!(at > now, "time moves on");
                now = at;
            }
            Next::Wait(None) => return order,
        }
    }
}

fn priority() -> impl Strategy<Value = Priority> {
    prop::sample::select(vec![Priority::Sync, Priority::Poll, Priority::Repair, Priority::Backfill])
}

proptest! {
    #[test]
    fn everybody_is_served_once_in_order_within_the_weight(all in prop::collection::vec((1_u32..40, priority()), 1..150)) {
        let mut desk = desk(pool(100, 1));
        for (id, &(weight, priority)) in all.iter().enumerate() {
            desk.push(Wish { id, weight, priority }).unwrap();
        }
        let order = serve_all(&mut desk);
        prop_assert_eq!(order.len(), all.len());
        for level in [Priority::Sync, Priority::Poll, Priority::Repair, Priority::Backfill] {
            let ids: Vec<_> = order.iter().filter(|(_, w)| w.priority == level).map(|(_, w)| w.id).collect();
            prop_assert!(ids.is_sorted(), "first come, first served within a level");
        }
        for (i, (start, _)) in order.iter().enumerate() {
            let sum: u32 = order[i..].iter().take_while(|(at, _)| *at < *start + PER).map(|(_, w)| w.weight).sum();
            prop_assert!(sum <= 90, "{sum} within a period, of 90 after the margin");
        }
    }
}

#[test]
fn urgent_ones_go_first_and_the_others_keep_a_small_share() {
    let mut desk = desk(pool(100, 1));
    for id in 0..400 {
        let priority = if id < 200 { Priority::Backfill } else { Priority::Sync };
        desk.push(Wish { id, weight: 1, priority }).unwrap();
    }
    let order = serve_all(&mut desk);
    assert_eq!(order[0].1.priority, Priority::Sync);
    let last_sync = order.iter().rposition(|(_, w)| w.priority == Priority::Sync).unwrap();
    let before = order[..last_sync].iter().filter(|(_, w)| w.priority == Priority::Backfill).count();
    assert!((10..=14).contains(&before), "{before} of the 200 less urgent ones went before the last urgent one");
}

#[test]
fn less_urgent_ones_leave_room_for_a_book_that_breaks() {
    let mut desk = desk(pool(100, 1));
    for id in 0..100 {
        desk.push(Wish { id, weight: 1, priority: Priority::Backfill }).unwrap();
    }
    let now = Ts::from_secs(0);
    let mut went = 0;
    while let Next::Go(_) = desk.next(now) {
        went += 1;
        desk.done(PoolId(0));
    }
    assert_eq!(went, 45, "half of what the margin leaves");
    desk.push(Wish { id: 999, weight: 40, priority: Priority::Sync }).unwrap();
    assert!(matches!(desk.next(now), Next::Go(Wish { id: 999, .. })));
}

#[test]
fn lines_are_bounded_and_flights_limited() {
    let mut desk = desk(pool(100_000, 3));
    let wish = |id| Wish { id, weight: 1, priority: Priority::Poll };
    let refused = (0..10_000).filter(|id| desk.push(wish(*id)).is_err()).count();
    assert_eq!(refused, 10_000 - crate::http::desk::WAITING_MAX);
    let now = Ts::from_secs(0);
    for _ in 0..3 {
        assert!(matches!(desk.next(now), Next::Go(_)));
    }
    assert!(matches!(desk.next(now), Next::Wait(None)), "three are under way");
    desk.again(now + Span::secs(5), wish(0));
    assert!(matches!(desk.next(now), Next::Go(_)), "one came back");
    desk.done(PoolId(0));
    assert!(matches!(desk.next(now + Span::secs(5)), Next::Go(Wish { id: 0, .. })), "the returned one goes first");
    desk.pause(PoolId(0), Ts::from_secs(99));
    desk.done(PoolId(0));
    assert!(matches!(desk.next(now + Span::secs(6)), Next::Wait(Some(at)) if at == Ts::from_secs(99)));
}
