//! Rules of the user's own that are judged at events, in a market that is stopped and goes on within the minute.
//!
//! A rule that reads how many liquidations there are beside anything else reads that from the last minute. What is saved has to
//! hold it: liquidations come before the first minute after a restore, and then a rule that fired must not seem to have lost its
//! inputs, nor one that waits begin anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use crate::support;
use barograph_domain::alert::AlertChange;
use barograph_domain::{Event, Metric, Payload, Side, Span, StreamIndex};
use barograph_engine::rules::RuleBook;
use barograph_engine::{Config, Engine, Outputs};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{Random, World, random_world};

const RULES: &str = r#"
[[alert]]
id = "alone"
all = [{ feature = "liq_count_60s", op = ">", value = 3, exit = 1 }]

[[alert]]
id = "beside"
all = [
    { feature = "liq_count_60s", op = ">", value = 1, exit = 0.5 },
    { feature = "realized_vol_1h", op = ">", value = 0.0001, exit = 0.00009 },
]
severity = { MEDIUM = 1, HIGH = 3, CRITICAL = 6 }
cooldown = "30s"

[[alert]]
id = "waits"
all = [
    { feature = "liq_count_60s", op = ">", value = 1, exit = 0.5 },
    { feature = "funding_rate_8h", op = ">", value = -1.0, exit = -1.1, scale = 0.1 },
]
pending = "20s"

[[alert]]
id = "stands_in"
all = [
    { feature = "liq_count_60s", op = ">", value = 2, exit = 1 },
    { feature = "realized_vol_1h_pct_90d", op = ">", value = 0.05, exit = 0.01, scale = 0.1, warming = { feature = "realized_vol_1h", op = ">", value = 0.0001, exit = 0.00009 } },
]
"#;

fn config() -> Config {
    let text = RuleBook::shipped_text("default").unwrap();
    Config::new(Arc::new(RuleBook::parse("mine.toml", &format!("{text}\n{RULES}")).unwrap()))
}

/// Three days; in the last one liquidations come in groups, some of them across the end of a minute.
fn world(seed: u64) -> World {
    let mut world = random_world(seed, 3);
    let mut random = Random(seed);
    let at = world.streams.iter().position(|s| s.metric == Metric::Liquidation).unwrap();
    let stream = StreamIndex(u16::try_from(at).unwrap());
    let begins = world.events[0].recv_ts.floor(Span::mins(1)) + Span::days(2);
    let mut seq = 1;
    for group in 0..200 {
        let mut event_ts =
            begins + Span::mins(group * 7) + Span::millis(100 * i64::try_from(random.next() % 590).unwrap());
        for _ in 0..2 + random.next() % 8 {
            let liquidated_side = if random.unit() < 0.5 { Side::Long } else { Side::Short };
            let payload = Payload::Liquidation { liquidated_side, price: 60_000.0, qty: 0.1 };
            world.events.push(Event { recv_ts: event_ts, event_ts, stream, seq, payload });
            seq += 1;
            event_ts = event_ts + Span::millis(50 + 10 * i64::try_from(random.next() % 1_200).unwrap());
        }
    }
    world.events.sort_by(Event::order);
    world
}

/// Everything that came out, one line each, and the state in the end; with a restore before every event that `cut` wants.
fn told(world: &World, mut cut: impl FnMut(&Event) -> bool) -> (Vec<String>, Vec<u8>) {
    let mut engine = Engine::new(config(), &world.instruments, &world.streams);
    let (mut out, mut lines) = (Outputs::default(), Vec::new());
    for event in &world.events {
        if cut(event) {
            let saved = engine.save();
            engine = Engine::restore(config(), &world.instruments, &world.streams, &saved).unwrap();
        }
        engine.step(event, &mut out);
        lines.extend(out.rows().iter().map(|row| format!("{row:?}")));
        lines.extend(out.alerts().iter().map(|alert| serde_json::to_string(&alert.known).unwrap()));
        out.clear();
    }
    (lines, engine.save())
}

#[test]
fn rules_judged_at_events_go_on_as_if_nothing_had_been_stopped() {
    for seed in [7, 8] {
        let world = world(seed);
        let (whole, end) = told(&world, |_| false);
        covers(&world);
        let mut random = Random(seed ^ 0xc07);
        for round in 0..2 {
            let mut restored = 0;
            let (cut, cut_end) = told(&world, |event| {
                // Mostly right before a liquidation, so that it is judged before a minute is made.
                let chance = if matches!(event.payload, Payload::Liquidation { .. }) { 0.15 } else { 0.003 };
                let is = random.unit() < chance;
                restored += u32::from(is);
                is
            });
            assert!(restored > 100, "restored {restored} times");
            for (a, b) in cut.iter().zip(&whole) {
                assert!(a == b, "seed {seed}, round {round}:\n  {a}\nis without a restore\n  {b}");
            }
            assert_eq!(cut.len(), whole.len(), "seed {seed}, round {round}");
            assert!(cut_end == end, "seed {seed}, round {round}: the states differ in the end");
        }
    }
}

/// Each rule is opened by an event between minutes at some time, and ended; otherwise nothing is proved.
fn covers(world: &World) {
    let mut engine = Engine::new(config(), &world.instruments, &world.streams);
    let (mut out, mut seen) = (Outputs::default(), BTreeSet::new());
    for event in &world.events {
        engine.step(event, &mut out);
        for alert in out.alerts().iter().map(|a| &a.known.alert) {
            let between = alert.ts.floor(Span::mins(1)) != alert.ts;
            assert_ne!((alert.change, between && alert.rule.is_some()), (AlertChange::Suspended, true), "{alert:?}");
            seen.extend(alert.rule.clone().map(|id| (id.to_string(), alert.change == AlertChange::Opened && between)));
        }
        out.clear();
    }
    let opened: Vec<&str> = seen.iter().filter(|(_, opened)| *opened).map(|(id, _)| id.as_str()).collect();
    assert_eq!(opened, ["alone", "beside", "stands_in", "waits"], "opened between minutes");
}
