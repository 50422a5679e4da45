//! Ten thousand seeds of the simulated cluster: violations, and the slowest takeover in virtual time.

#[path = "../tests/sim/mod.rs"]
mod sim;

fn main() {
    let count: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(10_000);
    let (mut violations, mut slowest_ms, mut events) = (0_usize, 0, 0);
    for seed in 1..=count {
        let report = sim::run(seed);
        for violation in &report.violations {
            eprintln!("seed {seed}: {violation}");
        }
        violations += report.violations.len();
        slowest_ms = slowest_ms.max(report.takeover_ms);
        events += report.events;
    }
    println!("figure cluster_violations {violations}");
    println!("figure cluster_takeover_ms {slowest_ms}");
    println!("figure cluster_events {events}");
}
