//! Counters of the HTTP surface, printed in the Prometheus text format.
//!
//! A fixed table of atomics, one row per route: no lock and no allocation on the way of a request. The text is written here and not by
//! `prometheus-client`, which writes OpenMetrics only: another content type and other bytes than the format 0.0.4 that scrapers of this
//! program are promised.

use crate::query::Health;
use crate::routes::{self, Route};
use barograph_domain::Ts;
use core::fmt::Write as _;
use core::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the latency buckets, seconds: from a context out of memory to the request time limit.
const BUCKETS: [f64; 12] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// Statuses this server sends; the last one stands for any other.
const STATUSES: [u16; 20] =
    [200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 413, 414, 415, 421, 429, 431, 500, 503, 505, 0];

struct RouteStats {
    by_status: [AtomicU64; STATUSES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
}

/// Why a stream client was let go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dropped {
    /// It read slower than snapshots were published.
    Lagged,
    /// It did not read at all.
    Stalled,
    /// It opened more connections than a client may have.
    Connections,
}

/// All counters.
pub(crate) struct Telemetry {
    version: String,
    /// One row per route, and one for addresses that do not exist.
    routes: Vec<RouteStats>,
    connections: AtomicU64,
    stream_clients: AtomicU64,
    lagged: AtomicU64,
    stalled: AtomicU64,
    refused: AtomicU64,
    incidents: AtomicU64,
}

/// Counts something as present until dropped.
pub(crate) struct PresentCount<'a>(&'a AtomicU64);

impl<'a> PresentCount<'a> {
    fn up(counter: &'a AtomicU64) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}
impl Drop for PresentCount<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Telemetry {
    pub(crate) fn new(version: &str) -> Self {
        let row = || RouteStats {
            by_status: [const { AtomicU64::new(0) }; STATUSES.len()],
            buckets: [const { AtomicU64::new(0) }; BUCKETS.len()],
            micros: AtomicU64::new(0),
        };
        Self {
            version: version.to_owned(),
            routes: (0..=routes::all().len()).map(|_| row()).collect(),
            connections: AtomicU64::new(0),
            stream_clients: AtomicU64::new(0),
            lagged: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            incidents: AtomicU64::new(0),
        }
    }

    /// One answered request, and the route it matched, if any.
    pub(crate) fn answered(&self, route: Option<&Route>, status: u16, took: Duration) {
        let index = route.map_or(routes::all().len(), |r| r.index);
        let Some(row) = self.routes.get(index) else { return };
        let code = STATUSES.iter().position(|s| *s == status).unwrap_or(STATUSES.len() - 1);
        row.by_status[code].fetch_add(1, Ordering::Relaxed);
        row.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if let Some(bucket) = BUCKETS.iter().position(|le| took.as_secs_f64() <= *le) {
            row.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
    }
    /// A connection, for as long as the guard lives.
    pub(crate) fn connection(&self) -> PresentCount<'_> {
        PresentCount::up(&self.connections)
    }
    /// A stream client, for as long as the guard lives.
    pub(crate) fn stream_client(&self) -> PresentCount<'_> {
        PresentCount::up(&self.stream_clients)
    }
    /// A client that was let go.
    pub(crate) fn dropped(&self, why: Dropped) {
        let counter = match why {
            Dropped::Lagged => &self.lagged,
            Dropped::Stalled => &self.stalled,
            Dropped::Connections => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    /// Something the operator heard of.
    pub(crate) fn incident(&self) {
        self.incidents.fetch_add(1, Ordering::Relaxed);
    }

    /// The whole registry as text.
    pub(crate) fn text(&self, health: &Health, now: Ts) -> String {
        let mut out = String::with_capacity(8 * 1024);
        // Writing to a String cannot fail.
        let _infallible = self.write(&mut out, health, now);
        out
    }

    fn write(&self, out: &mut String, health: &Health, now: Ts) -> core::fmt::Result {
        head(out, "barograph_build_info", "gauge", "release of the running program")?;
        writeln!(out, "barograph_build_info{{version=\"{}\"}} 1", escape(&self.version))?;
        self.write_requests(out)?;
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        for (name, kind, help, value) in [
            ("barograph_http_connections", "gauge", "open connections", get(&self.connections)),
            ("barograph_http_stream_clients", "gauge", "clients of the event stream", get(&self.stream_clients)),
            ("barograph_http_incidents_total", "counter", "failures reported to the operator", get(&self.incidents)),
        ] {
            head(out, name, kind, help)?;
            writeln!(out, "{name} {value}")?;
        }
        head(out, "barograph_http_stream_dropped_total", "counter", "stream clients let go, by reason")?;
        writeln!(out, "barograph_http_stream_dropped_total{{reason=\"lagged\"}} {}", get(&self.lagged))?;
        writeln!(out, "barograph_http_stream_dropped_total{{reason=\"stalled\"}} {}", get(&self.stalled))?;
        let help = "connections of clients that had all of theirs";
        head(out, "barograph_http_connections_refused_total", "counter", help)?;
        writeln!(out, "barograph_http_connections_refused_total {}", get(&self.refused))?;
        head(out, "barograph_snapshot_age_seconds", "gauge", "age of the newest snapshot of each market")?;
        for market in &health.markets {
            if let Some(newest) = market.newest {
                let (name, age) = (escape(&market.instrument.to_string()), (now - newest).as_secs());
                writeln!(out, "barograph_snapshot_age_seconds{{instrument=\"{name}\"}} {age}")?;
            }
        }
        Ok(())
    }

    fn write_requests(&self, out: &mut String) -> core::fmt::Result {
        let name = "barograph_http_requests_total";
        head(out, name, "counter", "answered requests by route and status")?;
        for (path, row) in self.rows() {
            for (status, count) in STATUSES.iter().zip(&row.by_status) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
                    writeln!(out, "{name}{{route=\"{path}\",status=\"{status}\"}} {count}")?;
                }
            }
        }
        let name = "barograph_http_request_duration_seconds";
        head(out, name, "histogram", "time from the head of a request to the beginning of its answer")?;
        for (path, row) in self.rows() {
            let total: u64 = row.by_status.iter().map(|c| c.load(Ordering::Relaxed)).sum();
            if total == 0 {
                continue;
            }
            let mut below = 0;
            for (le, count) in BUCKETS.iter().zip(&row.buckets) {
                below += count.load(Ordering::Relaxed);
                writeln!(out, "{name}_bucket{{route=\"{path}\",le=\"{le}\"}} {below}")?;
            }
            let micros = row.micros.load(Ordering::Relaxed);
            writeln!(out, "{name}_bucket{{route=\"{path}\",le=\"+Inf\"}} {total}")?;
            writeln!(out, "{name}_sum{{route=\"{path}\"}} {}.{:06}", micros / 1_000_000, micros % 1_000_000)?;
            writeln!(out, "{name}_count{{route=\"{path}\"}} {total}")?;
        }
        Ok(())
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, &RouteStats)> {
        routes::all().iter().map(|r| r.path.as_str()).chain(["unknown"]).zip(&self.routes)
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> core::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::MarketHealth;
    use barograph_domain::{InstrumentName, Span};

    #[test]
    fn counters_print_what_was_counted() {
        let t = Telemetry::new("1.2.3");
        t.answered(routes::find("/healthz"), 200, Duration::from_micros(300));
        t.answered(routes::find("/healthz"), 200, Duration::from_secs(60));
        t.answered(routes::find("/api/market-context/history"), 200, Duration::ZERO);
        t.answered(routes::find("/api/market-context/history/"), 200, Duration::ZERO);
        t.answered(None, 404, Duration::from_millis(1));
        t.answered(routes::find("/healthz"), 418, Duration::ZERO);
        t.dropped(Dropped::Lagged);
        let client = t.stream_client();
        let market = |newest| MarketHealth {
            instrument: InstrumentName::parse("binance-usdm:BTCUSDT").unwrap(),
            newest,
            gap_alert: Some(Span::hours(2)),
        };
        let health = Health { markets: vec![market(Some(Ts::from_secs(100))), market(None)], ..Health::default() };
        let text = t.text(&health, Ts::from_secs(160));
        drop(client);
        for line in [
            "barograph_build_info{version=\"1.2.3\"} 1",
            "barograph_http_requests_total{route=\"/healthz\",status=\"200\"} 2",
            "barograph_http_requests_total{route=\"/healthz\",status=\"other\"} 1",
            "barograph_http_requests_total{route=\"/api/market-context/history/\",status=\"200\"} 2",
            "barograph_http_requests_total{route=\"unknown\",status=\"404\"} 1",
            "barograph_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"0.00025\"} 1",
            "barograph_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"0.0005\"} 2",
            "barograph_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"10\"} 2",
            "barograph_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"+Inf\"} 3",
            "barograph_http_request_duration_seconds_sum{route=\"/healthz\"} 60.000300",
            "barograph_http_stream_clients 1",
            "barograph_http_stream_dropped_total{reason=\"lagged\"} 1",
            "barograph_snapshot_age_seconds{instrument=\"binance-usdm:BTCUSDT\"} 60",
        ] {
            assert_eq!(text.lines().filter(|l| *l == line).count(), 1, "{line}\n{text}");
        }
        assert!(t.text(&health, Ts(0)).contains("barograph_http_stream_clients 0"));
    }
}
