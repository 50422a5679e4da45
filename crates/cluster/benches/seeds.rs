//! Ten thousand seeds of the simulated cluster: violations, the slowest takeover in virtual time, and how many planted mistakes are found.
//!
//! `cargo bench -p barograph-cluster --bench seeds -- 500` runs so many seeds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark is a program of its own")]

#[path = "../tests/sim/mod.rs"]
mod sim;

const SEEDS: u64 = 10_000;

fn main() {
    let count = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(SEEDS);
    let (mut violations, mut slowest_ms) = (0, 0);
    for seed in 1..=count {
        let report = sim::run(seed);
        for violation in &report.violations {
            eprintln!("seed {seed}: {violation}");
        }
        violations += report.violations.len();
        slowest_ms = slowest_ms.max(report.takeover_ms);
    }
    println!("figure cluster_violations {violations}");
    println!("figure cluster_takeover_ms {slowest_ms}");
    println!("figure cluster_mistakes {}", sim::BUGS.into_iter().filter(|bug| sim::found(*bug).is_some()).count());
}
