//! `alerts deliver`: what waits in the outbox goes out, without listening to any venue.

use crate::clock::{Clock, SystemClock};
use crate::commands::serve::{runtime, watch_for_stop};
use crate::config::Settings;
use crate::failure::Failure;
use crate::setup::configured;
use barograph_domain::Span;
use barograph_live::delivery::Room;
use barograph_notify::dispatch::Stats;
use core::sync::atomic::Ordering;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CHECK_EVERY: Duration = Duration::from_millis(20);

pub(super) fn run(limit: &str, settings: &Settings, json: bool) -> Result<(), Failure> {
    let limit = Span::parse(limit).map_err(|why| Failure::usage(format!("--for: {why}")))?;
    let limit = Duration::from_nanos(limit.0.unsigned_abs());
    let receivers = settings.receivers()?;
    if receivers.is_empty() {
        return Err(Failure::usage("no receiver is set up; see docs/alerts.md for [[receiver]] tables".to_owned()));
    }
    let setup = configured(settings, barograph_venues::policy::text())?;
    let runtime = runtime()?;
    let stop = watch_for_stop(&runtime);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let target = crate::commands::target(settings);
    let room = Room::open(receivers, &target, &setup.book, clock, runtime.handle().clone())?;
    let begun = Instant::now();
    let mut left = 1;
    while left > 0 && begun.elapsed() < limit && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(CHECK_EVERY);
        // Before it has read the store it does not know of any.
        let stats = room.stats().unwrap_or_default();
        if let Some(why) = stats.broken {
            return Err(Failure::Broken(why));
        }
        left =
            if stats.recovered { stats.queue + stats.unwritten + stats.in_flight + u64::from(stats.unread) } else { 1 };
    }
    let stats = room.stats().unwrap_or_default();
    room.close();
    if stats.unread {
        // The dispatcher does not know how many more the store holds.
        let counts = barograph_store::open_reader(&target)?.delivered_counts(SystemClock.now())?;
        left = counts.iter().map(|c| c.waiting).sum();
    }
    print(&stats, left, begun.elapsed(), json)
}

fn print(stats: &Stats, left: u64, took: Duration, json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for (name, s) in &stats.endpoints {
        if json {
            let line = serde_json::json!({
                "endpoint": name, "delivered": s.delivered, "retried": s.retried, "superseded": s.superseded,
                "held_back": s.held_back, "expired": s.expired, "dead": s.dead, "disabled": s.disabled,
            });
            writeln!(out, "{line}")?;
        } else {
            writeln!(
                out,
                "{name:<20} {} delivered, {} tried again, {} superseded, {} held back, {} expired, {} dead",
                s.delivered, s.retried, s.superseded, s.held_back, s.expired, s.dead
            )?;
        }
    }
    if !json {
        writeln!(out, "{left} wait; it took {:.1} s", took.as_secs_f64())?;
    }
    Ok(())
}
