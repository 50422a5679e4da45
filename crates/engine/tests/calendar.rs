//! The door of the calendar: an event counts from when it came, minutes before it stay, and a saved engine goes on with it.

mod support;

use barograph_domain::{CalendarEntry, Event, Impact, MinuteRow, Span, Ts};
use barograph_engine::{Engine, Feature, Outputs};
use support::{World, config, random_world};

fn feed(engine: &mut Engine, events: &[Event]) -> Vec<MinuteRow> {
    let (mut out, mut rows) = (Outputs::default(), Vec::new());
    for event in events {
        engine.step(event, &mut out);
        rows.extend(out.rows().iter().cloned());
        out.clear();
    }
    rows
}

fn engine(world: &World) -> Engine {
    Engine::new(config("default"), &world.instruments, &world.streams)
}

fn bad(row: &MinuteRow) -> Option<bool> {
    row.cells[Feature::SessionBadPeriod.index()].ready().map(|x| x > 0.5)
}

#[test]
fn an_event_counts_from_when_it_came_for_two_hours_and_a_saved_engine_goes_on() {
    let world = random_world(7, 1);
    let cut = world.events.len() / 4;
    let at = world.events[cut].recv_ts;
    let event = CalendarEntry {
        id: "cpi".to_owned(),
        name: "CPI".to_owned(),
        impact: Impact::High,
        at: at.floor(Span::hours(1)) + Span::hours(5),
        source: "test".to_owned(),
        known_ts: at,
        cancelled: false,
    };
    let plain = feed(&mut engine(&world), &world.events);
    let mut told = engine(&world);
    let mut rows = feed(&mut told, &world.events[..cut]);
    let mut out = Outputs::default();
    let early = CalendarEntry { known_ts: at - Span(1), ..event.clone() };
    assert!(told.update_calendar(at, &early, &mut out).unwrap_err().contains("was known at"));
    told.update_calendar(at, &event, &mut out).unwrap();
    rows.extend(out.rows().iter().cloned());
    let saved = told.save();
    let mut restored = Engine::restore(config("default"), &world.instruments, &world.streams, &saved).unwrap();
    let rest = feed(&mut told, &world.events[cut..]);
    assert!(feed(&mut restored, &world.events[cut..]) == rest, "a saved engine goes on with its calendar");
    rows.extend(rest);
    assert_eq!(rows.len(), plain.len());
    let near = |t: Ts| t >= event.at - Span::hours(2) && t <= event.at;
    let mut changed = 0;
    for (a, b) in rows.iter().zip(&plain) {
        let want = if near(a.ts) { Some(true) } else { bad(b) };
        assert_eq!((a.ts, bad(a)), (b.ts, want.filter(|_| bad(b).is_some())), "at {}", a.ts);
        changed += usize::from(bad(a) != bad(b));
    }
    assert!(changed > 60, "{changed} minutes");
}
