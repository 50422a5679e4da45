//! Economic calendars as people write and publish them: TOML, CSV, JSON and iCalendar text, mapped to entries in UTC (R2.55).
//!
//! Times are read as published: with an offset or `Z`, or as a local time with the name of its zone (`2026-03-18 14:00`,
//! `America/New_York`). Zone rules change by law, so they are not compiled into a pure crate: whoever reads the text passes a
//! [`Zones`]. An entry with a date alone has its time only where the event is one whose hour is fixed ([`usual`]).
//!
//! iCalendar knows events that repeat. Their instances are read [`Within`] a time around a moment that the caller names, and no
//! more of them than the engine's calendar holds.
//!
//! Nothing is guessed: an entry that lacks a time, has an unknown zone or an unknown impact is a [`Refused`] with its place and
//! the rest is read. Truth: RFC 5545 for iCalendar; the other three are ours and are described in `docs/calendar.md`.

mod fields;
mod ics;
mod shipped;
mod tables;

pub use fields::{Format, Known, Parsed, Refused, Within, Zones, parse, usual};
pub use shipped::{SHIPPED, shipped};
