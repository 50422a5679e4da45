//! The originals' own workflows, typed as their users type them, each command a process of its own.

use crate::support::process::Running;
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::time::Duration;

/// A run that fetches a month of history and closes its minute.
const RUN: Duration = Duration::from_secs(150);

fn now() -> Ts {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Ts(i64::try_from(since.as_nanos()).unwrap())
}

/// The next moment at which a scheduler of every minute starts something.
fn next_minute() {
    let left = now().ceil(Span::mins(1)) - now();
    std::thread::sleep(Duration::from_nanos(u64::try_from(left.0).unwrap()) + Duration::from_millis(50));
}

fn context(place: &Place) -> Value {
    json_lines(&place.ok("generate_market_context --symbol BTCUSDT --json --data data")).remove(0)
}

/// The newest context is of this moment, and every axis says something.
#[track_caller]
fn says_something(place: &Place, when: &str) {
    let snapshot = context(place);
    for axis in ["risk", "trend", "volatility"] {
        assert_ne!(snapshot["regimes"][axis]["label"], "UNKNOWN", "{when}: {axis}: {}", snapshot["explanation"]);
    }
    let of = Ts::parse(snapshot["timestamp"].as_str().unwrap()).unwrap();
    assert!(now() - of < Span::mins(3), "{when}: of {of}, now {}", now());
    place.run("monitor_context_freshness --threshold 300 --data data").exits(0);
}

/// The first original: collect each minute, generate each five, watch freshness; from an empty folder, through a kill, and with
/// runs that overlap as a scheduler makes them.
#[test]
fn the_cron_jobs_of_the_first_original_give_a_context_from_the_first_run_on() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let collect = format!("collect_derivatives_metrics --symbol BTCUSDT --data data --endpoint {}", sim.endpoint);
    place.run("generate_market_context --symbol BTCUSDT --data data").exits(2);
    next_minute();
    let mut first = place.start(&collect);
    first.err.wait_for("listening to 1 of 3 markets");
    // The scheduler starts another one while history still comes in.
    let refused = place.run(&collect).exits(3).says("is listening into data already");
    assert!(refused.err.contains(&format!("process {} is listening", first.id())), "{}", refused.err);
    assert_eq!(first.wait(RUN), Some(0), "{}", first.err.text());
    says_something(&place, "after the first run");
    // Ratios of accounts and positions are public, and are polled.
    let markets = json_lines(&place.ok("markets --json --data data"));
    for metric in ["long_short_ratio", "top_trader_account_ratio", "top_trader_position_ratio", "taker_volume_ratio"] {
        let stream = markets[0]["streams"].as_array().unwrap().iter().find(|s| s["metric"] == metric);
        assert!(stream.is_some_and(|s| s["points"].as_u64() > Some(0)), "{metric}: {}", markets[0]);
    }

    let ends = |run: &mut Running| assert_eq!(run.wait(RUN), Some(0), "{}", run.err.text());
    next_minute();
    let mut second = place.start(&collect);
    second.err.wait_for("going on from");
    // Its turn comes when the one before has closed its minute.
    next_minute();
    let mut third = place.start(&collect);
    ends(&mut second);
    third.err.wait_for("going on from");
    says_something(&place, "after a run that another one waited for");
    std::thread::sleep(Duration::from_secs(10));
    third.signal("KILL");
    third.wait(Duration::from_secs(10));
    let mut fourth = place.start(&collect);
    ends(&mut fourth);
    says_something(&place, "after a kill");
    let said = place.ok("verify determinism data");
    assert!(said.starts_with("equal: ") && !said.starts_with("equal: 0 "), "{said}");
}

/// The same for half an hour, as the scheduler goes on doing it, with everything killed twice in the middle of a minute.
#[test]
#[ignore = "takes half an hour: cargo test --package barograph --test e2e -- --ignored half_an_hour"]
fn half_an_hour_of_the_cron_jobs_of_the_first_original() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let collect = format!("collect_derivatives_metrics --symbol BTCUSDT --data data --endpoint {}", sim.endpoint);
    let mut runs: Vec<Running> = Vec::new();
    for minute in 0..30 {
        next_minute();
        runs.push(place.start(&collect));
        if minute == 9 || minute == 17 {
            std::thread::sleep(Duration::from_secs(20));
            let running = runs.iter_mut().filter_map(|run| run.kill().then_some(())).count();
            assert!(running > 0, "minute {minute}: nothing was running");
            runs.clear();
        }
        // A run closes its minute and ends in the next one, so that two are under way at most.
        while runs.len() > 2 {
            let mut run = runs.remove(0);
            assert_eq!(run.wait(RUN), Some(0), "minute {minute}: {}", run.err.text());
        }
        if minute > 1 {
            place.run("monitor_context_freshness --threshold 300 --data data").exits(0);
            if minute % 5 == 0 {
                says_something(&place, &format!("minute {minute}"));
            }
        }
    }
    for run in &mut runs {
        assert_eq!(run.wait(RUN), Some(0), "{}", run.err.text());
    }
    let said = place.ok("verify determinism data");
    assert!(said.starts_with("equal: ") && !said.starts_with("equal: 0 "), "{said}");
}

/// Two starts of `up` in a row: the second knows at its first minute what the first had fetched.
#[test]
fn a_short_start_and_a_second_one_give_a_context_at_the_next_minute() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let up =
        |time: &str| format!("up --symbols BTCUSDT --no-serve --for {time} --data data --endpoint {}", sim.endpoint);
    place.run(&up("8s")).exits(0);
    place.run(&up("100s")).exits(0);
    says_something(&place, "after 8 s and 100 s");
}

/// The fifth original: level 2 and trades of Coinbase recorded raw, and read back from the record.
#[test]
fn coinbase_is_recorded_and_read_back() {
    let place = Place::new();
    let mut sim = place.start("sim --port 0 --venue coinbase --markets 2 --messages-per-s 100");
    // The printed words are what is typed.
    let hint = sim.out.wait_for("record it with: ");
    let words = hint.split_once("barograph up ").unwrap().1.to_owned();
    let mut up = place.start(&format!("up {words} --backfill 0 --books on --no-serve --data data --for 70s"));
    up.err.wait_for("listening to 1 of 2 markets");
    assert_eq!(up.wait(RUN), Some(0), "{}", up.err.text());
    let markets = json_lines(&place.ok("markets --json --data data"));
    let streams = markets[0]["streams"].as_array().unwrap();
    for metric in ["trade", "best_bid_ask", "order_book"] {
        let stored = streams.iter().find(|s| s["metric"] == metric);
        assert!(stored.is_some_and(|s| s["points"].as_u64() > Some(0)), "{metric}: {streams:?}");
    }
    // Bronze: every frame as it came, which gives what was published again.
    let journal = place.path("data/journal/venue=coinbase");
    assert!(std::fs::read_dir(&journal).unwrap().count() > 0, "{}", journal.display());
    let said = place.ok("verify determinism data");
    assert!(said.starts_with("equal: ") && !said.starts_with("equal: 0 "), "{said}");
    let snapshot = json_lines(&place.ok("context coinbase:BTC-USD --json --data data")).remove(0);
    assert_eq!(snapshot["instrument"], "coinbase:BTC-USD", "{snapshot}");
}
