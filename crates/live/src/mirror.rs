//! A live process in a Redis or Valkey server (R3.48): what the mirror asks, answered from memory, and its counters as Prometheus text.

use crate::tags::MKT;
use barograph_api::feeds::MirrorView;
use barograph_domain::time::LATENESS;
use barograph_domain::{InstrumentName, Span, Ts};
use barograph_mirror::{Mirror, MirrorAddress, MirrorSource, MirrorState, MirrorStats, Mirrored, SNAPSHOT_FOR};
use barograph_query::service::Service;
use bytes::Bytes;
use core::fmt::Write as _;
use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::io::Write as _;
use std::sync::Arc;

/// Shortest life of a key: four looks of the mirror. A world a hundred times as fast makes a minute in less, and the key anew.
const LIFE_MIN: Duration = Duration::from_secs(1);

/// Where a process is mirrored, and what has come of it.
#[derive(Clone, Debug)]
pub(crate) struct Mirroring {
    address: MirrorAddress,
    stats: Arc<MirrorStats>,
}

impl Mirroring {
    pub(crate) fn to(address: MirrorAddress) -> Self {
        Self { address, stats: Arc::default() }
    }

    /// Begins to write what `service` has in memory, until `stop`.
    pub(crate) fn start(
        &self,
        service: &Arc<Service>,
        logic_version: &str,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Mirror> {
        let source = Memory { service: Arc::clone(service), logic_version: logic_version.to_owned() };
        // Standard error may be closed; there is nobody left to report to.
        let report = |line| drop(writeln!(std::io::stderr(), "barograph: {MKT} {line}"));
        Mirror::start(self.address.clone(), Box::new(source), Arc::clone(&self.stats), Box::new(report), stop)
    }

    pub(crate) fn view(&self) -> MirrorView {
        let state = self.stats.state();
        MirrorView {
            address: self.address.to_string(),
            connected: state == MirrorState::Written,
            keys: self.stats.keys(),
            failures: self.stats.failures(),
            written_at: self.stats.written_at(),
            last_error: match state {
                MirrorState::Lost(why) => Some(why),
                MirrorState::Begun | MirrorState::Written => None,
            },
        }
    }

    pub(crate) fn exposition(&self) -> String {
        let (stats, mut out) = (&self.stats, String::new());
        let connected = u64::from(stats.state() == MirrorState::Written);
        for (name, kind, help, value) in [
            ("barograph_mirror_connected", "gauge", "whether the mirror took what was written last", connected),
            ("barograph_mirror_keys_total", "counter", "keys written to the mirror", stats.keys()),
            ("barograph_mirror_connections_total", "counter", "connections opened to the mirror", stats.connections()),
            ("barograph_mirror_failures_total", "counter", "attempts at the mirror that failed", stats.failures()),
        ] {
            // Writing to a String cannot fail.
            let _infallible = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        out
    }
}

/// Begins to mirror what `service` reads of a store that other processes write, until `stop`: in a cluster the minutes are made
/// elsewhere. One process does so: of two, the slower one would write a minute over the next.
///
/// # Errors
/// A thread cannot be started.
pub fn mirror_stored(
    address: MirrorAddress,
    service: &Arc<Service>,
    logic_version: &str,
    stop: Arc<AtomicBool>,
) -> std::io::Result<Mirror> {
    Mirroring::to(address).start(service, logic_version, stop)
}

/// Answers from the memory of the service.
struct Memory {
    service: Arc<Service>,
    logic_version: String,
}

/// What is left at `now` of the time in which a minute may be read, in seconds of a machine of which `rate` seconds of the world pass
/// in one; `None` once it is over.
fn life(minute: Ts, now: Ts, rate: f64) -> Option<Duration> {
    let left = minute + LATENESS + SNAPSHOT_FOR - now;
    (left > Span::ZERO).then(|| Duration::from_secs_f64(left.as_secs_f64() / rate.max(1.0)).max(LIFE_MIN))
}

impl MirrorSource for Memory {
    fn newest(&self) -> Vec<(InstrumentName, Ts)> {
        let (now, rate) = self.service.pace();
        let mut all = self.service.listened_minutes();
        all.retain(|(_, minute)| life(*minute, now, rate).is_some());
        all
    }

    fn snapshot(&self, instrument: &InstrumentName) -> Option<Mirrored> {
        let (now, rate) = self.service.pace();
        let (minute, json) = self.service.as_published(instrument)?;
        Some(Mirrored { json, for_time: life(minute, now, rate)? })
    }

    fn rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)> {
        self.service.board_rows(of)
    }

    fn now(&self) -> Ts {
        self.service.pace().0
    }

    fn version(&self) -> Bytes {
        let version = serde_json::json!({
            "program": env!("CARGO_PKG_VERSION"),
            "logic_version": self.logic_version,
            "written_at": self.now().to_string(),
        });
        Bytes::from(version.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_lives_until_three_minutes_after_its_minute_whenever_it_is_written() {
        let minute = Ts::from_secs(600);
        let at = |s: i64, rate| life(minute, Ts::from_secs(600 + s) + LATENESS, rate);
        assert_eq!(at(0, 1.0), Some(Duration::from_secs(180)));
        assert_eq!(at(100, 1.0), Some(Duration::from_secs(80)));
        assert_eq!(at(100, 8.0), Some(Duration::from_secs(10)));
        assert_eq!(at(100, 600.0), Some(LIFE_MIN));
        assert_eq!((at(180, 1.0), at(9_000, 1.0)), (None, None), "a minute of before the start is not shown as new");
    }

    #[test]
    fn counters_and_view_say_the_same_and_no_password() {
        let mirroring = Mirroring::to(MirrorAddress::parse("redis://:s3cret@cache:6379").unwrap());
        let view = mirroring.view();
        assert_eq!((view.address.as_str(), view.connected, view.last_error), ("redis://:***@cache:6379", false, None));
        let text = mirroring.exposition();
        assert!(text.contains("\nbarograph_mirror_connected 0\n"), "{text}");
        assert_eq!(text.matches("# TYPE ").count(), 4);
        assert!(!format!("{mirroring:?}{text}").contains("s3cret"));
    }
}
