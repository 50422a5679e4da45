//! Counters of a live process, in the Prometheus text format: what came in, what could not be read, how long it took.
//!
//! A fixed set of atomics and histograms in steps of 1-2-5; nothing here locks on the path of a message except the table of
//! fault kinds, which is touched only when something is wrong.

use barograph_domain::Ts;
use barograph_domain::text::escape_control;
use barograph_net::VenueStats;
use barograph_venues::session::LagMeter;
use core::fmt::Write as _;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Upper bounds in microseconds, 1-2-5 to the decade, up to 500 s.
const BOUNDS: [u64; 27] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
];
/// One more for what is longer.
const BUCKETS: usize = BOUNDS.len() + 1;

/// Durations counted by [`BOUNDS`].
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    micros: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], micros: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Adds a duration; negative ones (clock skew) count as zero.
    pub(crate) fn add(&self, ns: i64) {
        let micros = u64::try_from(ns).unwrap_or(0).div_ceil(1_000);
        let at = BOUNDS.partition_point(|bound| *bound < micros);
        self.buckets[at].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Durations counted.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().map(|b| b.load(Ordering::Relaxed)).sum()
    }

    /// Upper bound of the bucket that holds this share of all durations, in microseconds; `None` while empty.
    #[cfg(test)]
    pub(crate) fn quantile_us(&self, share: f64) -> Option<u64> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of messages times a share of one"
        )]
        let wanted = ((total as f64) * share).ceil() as u64;
        let mut seen = 0;
        (0..BUCKETS).find_map(|k| {
            seen += self.buckets[k].load(Ordering::Relaxed);
            (seen >= wanted).then(|| BOUNDS.get(k).copied().unwrap_or(u64::MAX))
        })
    }

    fn print(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut seen = 0;
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS) {
            seen += bucket.load(Ordering::Relaxed);
            let le = bound as f64 / 1e6;
            push(out, format_args!("{name}_bucket{{{labels}{comma}le=\"{le}\"}} {seen}\n"));
        }
        seen += self.buckets[BUCKETS - 1].load(Ordering::Relaxed);
        push(out, format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {seen}\n"));
        let sum = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        push(out, format_args!("{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {seen}\n"));
    }
}

/// Of one venue.
#[derive(Debug, Default)]
pub(crate) struct VenueMeter {
    pub(crate) id: &'static str,
    pub(crate) messages: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) facts: AtomicU64,
    /// From the venue's stamp to ours.
    pub(crate) lag: Histogram,
    /// The same over the last minutes, to distinguish latency from clocks that disagree.
    pub(crate) lately: Mutex<LagMeter>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    /// Subscriptions by link.
    carried: Mutex<BTreeMap<u16, u64>>,
    /// Newest fault, for people.
    pub(crate) last_fault: Mutex<Option<String>>,
}

impl VenueMeter {
    /// Subscriptions of a link.
    pub(crate) fn carried(&self, link: u16) -> u64 {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).get(&link).copied().unwrap_or(0)
    }
}

/// Nobody has counted yet.
pub const UNKNOWN: u64 = u64::MAX;

/// All counters.
#[derive(Debug, Default)]
pub struct Meter {
    pub(crate) venues: Vec<VenueMeter>,
    /// From our stamp until values, ages and the open minute include the message.
    pub(crate) receipt_to_engine: Histogram,
    /// From t + 200 ms until the snapshot of minute t can be read.
    pub(crate) minute_to_readable: Histogram,
    /// R4.61.
    pub(crate) features: Histogram,
    /// One input through session and engine.
    pub(crate) step: Histogram,
    /// One batch into the store.
    pub(crate) store: Histogram,
    pub(crate) rows: AtomicU64,
    pub(crate) store_queue: AtomicU64,
    pub(crate) prunes_failed: AtomicU64,
    /// Published minutes that were made again, and compared with what is stored.
    pub(crate) minutes_compared: AtomicU64,
    /// Published minutes that the journal gave otherwise when it was run again.
    pub(crate) minutes_other: AtomicU64,
    /// Markets of which history is still to be fetched; [`UNKNOWN`] before the first second has passed.
    pub fetching: AtomicU64,
    pub(crate) journal_raw: AtomicU64,
    pub(crate) journal_written: AtomicU64,
    pub(crate) journal_files: AtomicU64,
    pub(crate) journal_queue: AtomicU64,
}

impl Meter {
    pub(crate) fn new(venues: &[&'static str]) -> Self {
        let venue = |id: &&'static str| VenueMeter { id, ..VenueMeter::default() };
        let fetching = AtomicU64::new(UNKNOWN);
        Self { venues: venues.iter().map(venue).collect(), fetching, ..Self::default() }
    }

    /// Counts something that could not be used.
    pub(crate) fn fault(&self, venue: usize, kind: &'static str, detail: &str) {
        let Some(venue) = self.venues.get(venue) else { return };
        *venue.faults.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
        *venue.last_fault.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(format!("{kind}: {}", escape_control(detail)));
    }

    /// Faults of a venue by kind.
    pub(crate) fn faults(&self, venue: usize) -> BTreeMap<&'static str, u64> {
        let Some(venue) = self.venues.get(venue) else { return BTreeMap::new() };
        venue.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A fact reached the engine.
    pub(crate) fn fact(&self, venue: usize) {
        if let Some(venue) = self.venues.get(venue) {
            venue.facts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What the links of a venue carry from now on.
    pub(crate) fn carries(&self, venue: usize, carried: BTreeMap<u16, u64>) {
        let Some(venue) = self.venues.get(venue) else { return };
        *venue.carried.lock().unwrap_or_else(PoisonError::into_inner) = carried;
    }

    /// An input received at `at` went through session and engine in this time; values include it now.
    pub(crate) fn passed(&self, at: Ts, (began, ended): (Ts, Ts), is_frame: bool) {
        self.step.add((ended - began).0.max(0));
        if is_frame {
            self.receipt_to_engine.add((ended - at).0);
        }
    }

    /// A fact was received `lag` after the venue stamped it.
    pub(crate) fn lagged(&self, venue: usize, now: Ts, event_ts: Ts) {
        let Some(venue) = self.venues.get(venue) else { return };
        venue.lag.add((now - event_ts).0);
        venue.lately.lock().unwrap_or_else(PoisonError::into_inner).note(now, event_ts);
    }

    /// The exposition text. `streams`: number of streams per venue and state.
    pub(crate) fn text(
        &self,
        streams: &BTreeMap<(String, &'static str), u64>,
        network: &[VenueStats],
        inbox: u64,
    ) -> String {
        let mut out = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: &dyn Fn(&mut String)| {
            push(&mut out, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            lines(&mut out);
        };
        type Count = fn(&VenueMeter) -> &AtomicU64;
        let per_venue: [(&str, &str, Count); 3] = [
            ("barograph_feed_messages_total", "Messages received.", |v| &v.messages),
            ("barograph_feed_bytes_total", "Bytes of messages received.", |v| &v.bytes),
            ("barograph_feed_facts_total", "Facts that reached the engine.", |v| &v.facts),
        ];
        for (name, help, of) in per_venue {
            family(name, "counter", help, &|out| {
                for v in &self.venues {
                    push(out, format_args!("{name}{{venue=\"{}\"}} {}\n", v.id, of(v).load(Ordering::Relaxed)));
                }
            });
        }
        family("barograph_feed_faults_total", "counter", "Messages that could not be used, by reason.", &|out| {
            for (at, v) in self.venues.iter().enumerate() {
                for (kind, n) in self.faults(at) {
                    push(
                        out,
                        format_args!("barograph_feed_faults_total{{venue=\"{}\",reason=\"{kind}\"}} {n}\n", v.id),
                    );
                }
            }
        });
        family("barograph_feed_streams", "gauge", "Streams by continuity.", &|out| {
            for ((venue, state), n) in streams {
                push(out, format_args!("barograph_feed_streams{{venue=\"{venue}\",continuity=\"{state}\"}} {n}\n"));
            }
        });
        family("barograph_feed_lag_seconds", "histogram", "From the venue's stamp to receipt.", &|out| {
            for v in &self.venues {
                v.lag.print(out, "barograph_feed_lag_seconds", &format!("venue=\"{}\"", v.id));
            }
        });
        family("barograph_feed_lag_recent_seconds", "gauge", "The same over the last minutes, by quantile.", &|out| {
            for v in &self.venues {
                let Some(lag) = v.lately.lock().unwrap_or_else(PoisonError::into_inner).lag() else { continue };
                for (quantile, span) in [("0.5", lag.p50), ("0.95", lag.p95), ("0.99", lag.p99)] {
                    let labels = format!("venue=\"{}\",quantile=\"{quantile}\"", v.id);
                    push(out, format_args!("barograph_feed_lag_recent_seconds{{{labels}}} {}\n", span.as_secs_f64()));
                }
            }
        });
        let histograms: [(&str, &str, &Histogram); 5] = [
            ("barograph_receipt_to_engine_seconds", "From receipt until values include it.", &self.receipt_to_engine),
            (
                "barograph_minute_to_readable_seconds",
                "From a minute plus 200 ms until it reads.",
                &self.minute_to_readable,
            ),
            (
                "barograph_minute_features_seconds",
                "Features, labels and rules of a minute, of all markets.",
                &self.features,
            ),
            ("barograph_step_seconds", "One input through session and engine.", &self.step),
            ("barograph_store_seconds", "One batch into the store.", &self.store),
        ];
        for (name, help, histogram) in histograms {
            family(name, "histogram", help, &|out| histogram.print(out, name, ""));
        }
        family("barograph_feed_budget_left", "gauge", "Request weight left in this period.", &|out| {
            for v in network {
                for p in &v.pools {
                    push(
                        out,
                        format_args!(
                            "barograph_feed_budget_left{{venue=\"{}\",pool=\"{}\"}} {}\n",
                            v.venue, p.pool, p.left
                        ),
                    );
                }
            }
        });
        family("barograph_feed_connections", "gauge", "Connections open.", &|out| {
            for v in network {
                push(out, format_args!("barograph_feed_connections{{venue=\"{}\"}} {}\n", v.venue, v.open));
            }
        });
        family("barograph_feed_reconnects_total", "counter", "Connections opened again after a loss.", &|out| {
            for v in network {
                push(out, format_args!("barograph_feed_reconnects_total{{venue=\"{}\"}} {}\n", v.venue, v.reconnects));
            }
        });
        type Counted = fn(&VenueStats) -> u64;
        let counters: [(&str, &str, Counted); 3] = [
            ("barograph_feed_wire_bytes_total", "Bytes read from sockets, before decompression.", |v| v.wire_bytes),
            ("barograph_feed_connect_failures_total", "Attempts to connect that failed.", |v| v.connect_failures),
            ("barograph_feed_refusals_total", "Refusals by status 403, 418, 429 or 451.", |v| v.refusals),
        ];
        for (name, help, of) in counters {
            family(name, "counter", help, &|out| {
                for v in network {
                    push(out, format_args!("{name}{{venue=\"{}\"}} {}\n", v.venue, of(v)));
                }
            });
        }
        family("barograph_inbox_messages", "gauge", "Messages received and not yet taken.", &|out| {
            push(out, format_args!("barograph_inbox_messages {inbox}\n"));
        });
        let plain: [(&str, &str, &str, &AtomicU64); 7] = [
            ("barograph_rows_published_total", "counter", "Minutes published.", &self.rows),
            ("barograph_store_queue_batches", "gauge", "Batches waiting for the store.", &self.store_queue),
            ("barograph_retention_failures_total", "counter", "Times retention did not work.", &self.prunes_failed),
            (
                "barograph_journal_raw_bytes_total",
                "counter",
                "Bytes journalled, before compression.",
                &self.journal_raw,
            ),
            ("barograph_journal_bytes_total", "counter", "Bytes of journal on disk.", &self.journal_written),
            ("barograph_journal_queue_bytes", "gauge", "Bytes waiting to be written.", &self.journal_queue),
            ("barograph_journal_files", "gauge", "Journal files open.", &self.journal_files),
        ];
        for (name, kind, help, value) in plain {
            family(name, kind, help, &|out| push(out, format_args!("{name} {}\n", value.load(Ordering::Relaxed))));
        }
        out
    }
}

pub(crate) fn push(out: &mut String, args: core::fmt::Arguments<'_>) {
    #[expect(clippy::let_underscore_must_use, reason = "writing to memory cannot fail")]
    let _ = out.write_fmt(args);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_steps_of_one_two_five() {
        let h = Histogram::default();
        assert_eq!(h.quantile_us(0.5), None);
        for us in [1_i64, 3, 3, 900, 40_000] {
            h.add(us * 1_000);
        }
        h.add(-5);
        let mut text = String::new();
        h.print(&mut text, "h", "");
        assert!(text.contains("h_bucket{le=\"0.00002\"} 4\nh_bucket{le=\"0.00005\"} 4\n"), "{text}");
        assert!(text.contains("h_bucket{le=\"0.05\"} 6\n") && text.contains("h_count{} 6"), "{text}");
        assert_eq!((h.quantile_us(0.5), h.quantile_us(0.99)), (Some(5), Some(50_000)));
        assert_eq!(h.count(), 6);
    }
}
