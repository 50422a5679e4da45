//! Fifty seeds of a cluster in which everything goes wrong, and mistakes that have to be found.
//!
//! One seed again, with what happened last: `SIM_SEEDS=17..17 cargo test -p barograph-cluster --test simulated fifty`.

mod sim;

use sim::{BUGS, found, run};

/// The seeds of the suite, or those that were asked for.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let (first, last) = option_env!("SIM_SEEDS").unwrap_or("1..50").split_once("..").expect("SIM_SEEDS is FIRST..LAST");
    let number = |text: &str| text.parse().expect("SIM_SEEDS has two numbers");
    number(first)..=number(last)
}

#[test]
fn fifty_seeds_lose_nothing_and_publish_nothing_twice() {
    let (mut takeovers, mut fetches, mut gaps, mut refused, mut slowest_ms) = (0, 0, 0, 0, 0);
    for seed in seeds() {
        let report = run(seed);
        assert!(
            report.violations.is_empty(),
            "seed {seed}:\n{}\nbefore that:\n{}",
            report.violations.join("\n"),
            report.trace.join("\n")
        );
        assert!(report.rows > 0 && report.hours >= 4, "seed {seed}: {report:?}");
        takeovers += report.takeovers;
        fetches += report.fetches;
        gaps += report.gaps;
        refused += report.refused;
        slowest_ms = slowest_ms.max(report.takeover_ms);
    }
    eprintln!("{takeovers} takeovers, {fetches} fetches, {gaps} gaps, {refused} refused, slowest {slowest_ms} ms");
    assert!(takeovers > 0 && fetches > 0 && gaps > 0 && refused > 0, "faults were not met");
    assert!(slowest_ms <= 5_000, "{slowest_ms} ms");
}

/// A checkpoint was written before the store had a gap within what was published.
#[test]
fn seed_8584_declares_its_gap() {
    assert_eq!(run(8_584).violations, Vec::<String>::new());
}

#[test]
fn planted_mistakes_are_found() {
    for bug in BUGS {
        assert!(found(bug).is_some(), "{bug:?} is not found by 200 seeds");
    }
}
