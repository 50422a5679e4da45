//! Deliveries as Prometheus text.

use barograph_notify::dispatch::{EndpointStats, Histogram, Stats};
use core::fmt::Write as _;

/// Counters of the dispatcher since its start.
pub(crate) fn exposition(stats: &Stats) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write(&mut out, stats);
    out
}

fn write(out: &mut String, stats: &Stats) -> core::fmt::Result {
    for (name, kind, help, value) in [
        ("barograph_delivery_queue", "gauge", "deliveries that wait or are under way", stats.queue),
        ("barograph_delivery_in_flight", "gauge", "requests under way", stats.in_flight),
        ("barograph_delivery_unwritten", "gauge", "results that the store has not taken yet", stats.unwritten),
        ("barograph_delivery_store_failures_total", "counter", "calls that the store refused", stats.store_failures),
        ("barograph_delivery_overflows_total", "counter", "times the queue was full", stats.overflows),
    ] {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")?;
    }
    let name = "barograph_deliveries_total";
    writeln!(out, "# HELP {name} deliveries by endpoint and what became of them\n# TYPE {name} counter")?;
    for (endpoint, s) in &stats.endpoints {
        for (outcome, n) in ends(s) {
            writeln!(out, "{name}{{endpoint=\"{endpoint}\",outcome=\"{outcome}\"}} {n}")?;
        }
    }
    let name = "barograph_endpoint_disabled";
    writeln!(out, "# HELP {name} whether nothing is sent to an endpoint any more\n# TYPE {name} gauge")?;
    for (endpoint, s) in &stats.endpoints {
        writeln!(out, "{name}{{endpoint=\"{endpoint}\"}} {}", u8::from(s.disabled.is_some()))?;
    }
    histogram(out, "barograph_delivery_seconds", "from the beginning of a request to its end", stats, |s| &s.latency)?;
    let help = "from the moment a message was known to its confirmation";
    histogram(out, "barograph_delivery_age_seconds", help, stats, |s| &s.age)
}

const fn ends(s: &EndpointStats) -> [(&'static str, u64); 6] {
    [
        ("delivered", s.delivered),
        ("retried", s.retried),
        ("superseded", s.superseded),
        ("held_back", s.held_back),
        ("expired", s.expired),
        ("dead", s.dead),
    ]
}

fn histogram(
    out: &mut String,
    name: &str,
    help: &str,
    stats: &Stats,
    of: fn(&EndpointStats) -> &Histogram,
) -> core::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram")?;
    for (endpoint, s) in &stats.endpoints {
        let h = of(s);
        let mut below = 0;
        for (le, count) in Histogram::BOUNDS_MS.iter().zip(h.counts) {
            below += count;
            let (whole, part) = (le / 1_000, le % 1_000);
            writeln!(out, "{name}_bucket{{endpoint=\"{endpoint}\",le=\"{whole}.{part:03}\"}} {below}")?;
        }
        let total = h.total();
        writeln!(out, "{name}_bucket{{endpoint=\"{endpoint}\",le=\"+Inf\"}} {total}")?;
        let (whole, part) = (h.sum_ms / 1_000, h.sum_ms % 1_000);
        writeln!(out, "{name}_sum{{endpoint=\"{endpoint}\"}} {whole}.{part:03}")?;
        writeln!(out, "{name}_count{{endpoint=\"{endpoint}\"}} {total}")?;
    }
    Ok(())
}
