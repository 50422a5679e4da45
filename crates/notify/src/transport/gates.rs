//! When a request may begin: limits that a remote host sets for all its endpoints together, and rests it asks of one (delivery §1).

use hyper::HeaderMap;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// Requests under way at one host, whatever the number of its endpoints: as many as one endpoint may have.
const AT_ONCE: usize = 32;
/// No rest is kept for longer: what asks for more answers 429, and the planner waits without holding a request.
const REST_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Host {
    /// Nothing begins before this.
    next: Instant,
    slots: Arc<Semaphore>,
}

/// One gate per host and one per endpoint. Both are as many as the settings name.
#[derive(Debug, Default)]
pub(super) struct Gates {
    hosts: Mutex<BTreeMap<String, Host>>,
    endpoints: Mutex<BTreeMap<String, Instant>>,
}

impl Gates {
    /// Waits until a request may begin; the permit is kept until it has ended. `gap` is the least time between two at this host.
    pub(super) async fn admit(&self, host: &str, endpoint: &str, gap: Duration) -> Option<OwnedSemaphorePermit> {
        let rest = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).get(endpoint).copied();
        if let Some(rest) = rest {
            sleep_until(rest).await;
        }
        let slots = self.at(host, |h| Arc::clone(&h.slots));
        // Nobody closes it; without a permit the request would go as well.
        let permit = slots.acquire_owned().await.ok();
        let at = self.at(host, |h| {
            let at = h.next.max(Instant::now());
            h.next = at + gap;
            at
        });
        sleep_until(at).await;
        permit
    }

    /// What an answer says about the next request (delivery §3).
    pub(super) fn heed(&self, host: &str, endpoint: &str, status: u16, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
        let span = |name: &str| {
            let seconds = text(name)?.parse::<f64>().ok().filter(|s| s.is_finite() && *s > 0.0)?;
            Some(Duration::from_secs_f64(seconds.min(REST_MAX.as_secs_f64())))
        };
        if text("x-ratelimit-remaining") == Some("0")
            && let Some(rest) = span("x-ratelimit-reset-after")
        {
            let mut endpoints = self.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
            endpoints.insert(endpoint.to_owned(), Instant::now() + rest);
        }
        let is_global = text("x-ratelimit-scope") == Some("global") || text("x-ratelimit-global").is_some();
        if status == 429
            && is_global
            && let Some(rest) = span("retry-after")
        {
            self.at(host, |h| h.next = h.next.max(Instant::now() + rest));
        }
    }

    fn at<T>(&self, host: &str, work: impl FnOnce(&mut Host) -> T) -> T {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Host { next: Instant::now(), slots: Arc::new(Semaphore::new(AT_ONCE)) };
        work(hosts.entry(host.to_owned()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect()
    }

    /// Milliseconds until this endpoint may begin.
    async fn waits(gates: &Gates, host: &str, endpoint: &str, gap: u64) -> u128 {
        let began = Instant::now();
        drop(gates.admit(host, endpoint, Duration::from_millis(gap)).await);
        began.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn endpoints_at_one_host_share_its_pace_and_its_slots() {
        let gates = Gates::default();
        assert_eq!(waits(&gates, "t.example", "a", 500).await, 0);
        assert_eq!(waits(&gates, "t.example", "b", 500).await, 500);
        assert_eq!(waits(&gates, "other.example", "c", 500).await, 0);
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(gates.admit("h.example", "a", Duration::ZERO).await);
        }
        let more = tokio::time::timeout(Duration::from_secs(9), gates.admit("h.example", "b", Duration::ZERO));
        assert!(more.await.is_err(), "a thirty-third waits");
        held.pop();
        assert_eq!(waits(&gates, "h.example", "b", 0).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_rests_its_endpoint_and_a_global_limit_the_host() {
        let gates = Gates::default();
        gates.heed("d", "a", 200, &headers(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset-after", "2.5")]));
        assert_eq!(waits(&gates, "d", "a", 0).await, 0);
        gates.heed("d", "a", 200, &headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-after", "2.5")]));
        assert_eq!(waits(&gates, "d", "b", 0).await, 0, "another webhook has a bucket of its own");
        assert_eq!(waits(&gates, "d", "a", 0).await, 2_500);
        gates.heed("d", "a", 429, &headers(&[("x-ratelimit-scope", "user"), ("retry-after", "3")]));
        assert_eq!(waits(&gates, "d", "b", 0).await, 0);
        gates.heed("d", "a", 429, &headers(&[("x-ratelimit-scope", "global"), ("retry-after", "3")]));
        assert_eq!(waits(&gates, "d", "b", 0).await, 3_000);
        gates.heed("d", "a", 200, &headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-after", "1e9")]));
        assert_eq!(waits(&gates, "d", "a", 0).await, 60_000, "no rest is longer than a minute");
    }
}
