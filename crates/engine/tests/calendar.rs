//! The door of the calendar: an event counts from when it came, minutes before it stay, and a saved engine goes on with it.

use crate::support;
use barograph_domain::{CalendarEntry, Event, Impact, MinuteRow, Reason, Span, Ts};
use barograph_engine::calendar::BLACKOUT_REASON;
use barograph_engine::explain::{Context, render};
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
        // Half an hour into the rollover, which is bad by itself.
        at: at.floor(Span::days(1)) + Span::mins(21 * 60 + 30),
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
    // Whatever else makes the period bad, the blackout is named, and minutes before it was known know nothing of it.
    let (book, instrument) = (config("default").book, &world.instruments[0]);
    let ctx = Context {
        book: &book,
        logic_version: "v0.1.0+0123456789ab",
        instrument,
        streams: &world.streams,
        held: None,
        calls: None,
    };
    let (mut beside, mut alone) = (0, 0);
    for row in &rows {
        let session = render(&ctx, row, None).session;
        let named = session.bad_period.contains(&BLACKOUT_REASON);
        assert_eq!(named, near(row.ts) && row.ts >= at, "at {}: {:?}", row.ts, session.bad_period);
        beside += usize::from(named && session.bad_period.len() > 1);
        alone += usize::from(named && session.bad_period.len() == 1);
    }
    assert!(beside > 10, "{beside} minutes with another reason, {alone} without");
    assert_eq!(plain[0].cells[Feature::MinutesToEvent.index()].reason(), Some(Reason::NotOffered));
}
