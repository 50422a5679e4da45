//! Limits per client, by its address: how many connections at once, how many requests a second, how many wrong tokens a minute.
//!
//! Clients on this machine are its owner and have only the limits of the server as a whole, but for wrong tokens. What is
//! remembered of others is bounded: when the table is full, who asked longest ago is forgotten.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses remembered at once.
const REMEMBERED_MAX: usize = 4_096;
/// Wrong tokens of one address before it has to wait: people mistype, programs guess.
const WRONG_MAX: usize = 10;
const WRONG_WITHIN: Duration = Duration::from_secs(60);

/// What one client may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientLimits {
    /// Connections at once; each event stream is one.
    pub connections_max: u32,
    /// Requests a second, on average.
    pub requests_per_second: u32,
    /// Requests that may come together after a pause.
    pub burst: u32,
}

impl Default for ClientLimits {
    /// A page opens seven connections and asks some thirty times when it loads.
    fn default() -> Self {
        Self { connections_max: 32, requests_per_second: 50, burst: 200 }
    }
}

#[derive(Debug)]
struct Known {
    connections: u32,
    /// Requests left, in thousandths.
    left: u64,
    seen: Instant,
    /// Hashes of the wrong tokens it brought since then.
    wrong: Vec<[u8; 32]>,
    wrong_since: Instant,
}

/// All that are remembered.
#[derive(Debug)]
pub(crate) struct Clients {
    limits: ClientLimits,
    known: Mutex<BTreeMap<IpAddr, Known>>,
}

/// A place of a client's connections; given back when dropped.
#[derive(Debug)]
pub(crate) struct ClientPlace {
    clients: Arc<Clients>,
    ip: Option<IpAddr>,
}

impl Drop for ClientPlace {
    fn drop(&mut self) {
        if let Some(ip) = self.ip {
            self.clients.with(ip, Instant::now(), |k, _| k.connections = k.connections.saturating_sub(1));
        }
    }
}

impl Clients {
    pub(crate) fn new(limits: ClientLimits) -> Arc<Self> {
        Arc::new(Self { limits, known: Mutex::default() })
    }

    fn with<T>(&self, ip: IpAddr, now: Instant, work: impl FnOnce(&mut Known, ClientLimits) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED_MAX && !known.contains_key(&ip) {
            let idle = known.iter().filter(|(_, k)| k.connections == 0).min_by_key(|(_, k)| k.seen).map(|(ip, _)| *ip);
            idle.map(|ip| known.remove(&ip));
        }
        let full = u64::from(self.limits.burst) * 1_000;
        let fresh = Known { connections: 0, left: full, seen: now, wrong: Vec::new(), wrong_since: now };
        work(known.entry(ip).or_insert(fresh), self.limits)
    }

    /// A place for a connection; `None` when this client has all of its own.
    pub(crate) fn connection(self: &Arc<Self>, ip: IpAddr) -> Option<ClientPlace> {
        if ip.to_canonical().is_loopback() {
            return Some(ClientPlace { clients: Arc::clone(self), ip: None });
        }
        let free = self.with(ip, Instant::now(), |k, limits| {
            let free = k.connections < limits.connections_max;
            k.connections += u32::from(free);
            free
        });
        free.then(|| ClientPlace { clients: Arc::clone(self), ip: Some(ip) })
    }

    /// May it ask once more? Else, in how many seconds.
    pub(crate) fn request(&self, ip: IpAddr, now: Instant) -> Result<(), u32> {
        if ip.to_canonical().is_loopback() {
            return Ok(());
        }
        self.with(ip, now, |k, limits| {
            let passed = u64::try_from(now.saturating_duration_since(k.seen).as_millis()).unwrap_or(u64::MAX);
            let more = passed.saturating_mul(u64::from(limits.requests_per_second));
            k.left = k.left.saturating_add(more).min(u64::from(limits.burst) * 1_000);
            k.seen = now;
            match k.left.checked_sub(1_000) {
                Some(left) => {
                    k.left = left;
                    Ok(())
                }
                None => Err(1),
            }
        })
    }

    /// It brought a wrong token. Each counts once: a page that goes on asking with a cookie that was revoked guesses nothing. Where
    /// there were too many different ones, in how many seconds to come back.
    pub(crate) fn guessed(&self, ip: IpAddr, token: &str, now: Instant) -> Option<u32> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        self.with(ip, now, |k, _| {
            let passed = now.saturating_duration_since(k.wrong_since);
            if k.wrong.is_empty() || passed >= WRONG_WITHIN {
                k.wrong.clear();
                k.wrong_since = now;
            }
            if k.wrong.contains(&hash) {
                return None;
            }
            if k.wrong.len() < WRONG_MAX {
                k.wrong.push(hash);
                return None;
            }
            let left = WRONG_WITHIN.saturating_sub(now.saturating_duration_since(k.wrong_since)).as_secs();
            Some(u32::try_from(left).unwrap_or(u32::MAX).max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, n])
    }

    #[test]
    fn requests_come_back_with_time_and_others_are_not_held_up() {
        let clients = Clients::new(ClientLimits { connections_max: 2, requests_per_second: 2, burst: 3 });
        let begin = Instant::now();
        let asked = |n, ms| clients.request(ip(n), begin + Duration::from_millis(ms)).is_ok();
        assert_eq!([asked(1, 0), asked(1, 0), asked(1, 0), asked(1, 0)], [true, true, true, false]);
        assert!(asked(2, 0), "another client");
        assert_eq!([asked(1, 400), asked(1, 500), asked(1, 500)], [false, true, false]);
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert!((0..100).all(|_| clients.request(loopback, begin).is_ok()));
    }

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let clients = Clients::new(ClientLimits { connections_max: 2, ..ClientLimits::default() });
        let (a, b) = (clients.connection(ip(1)), clients.connection(ip(1)));
        assert!(a.is_some() && b.is_some() && clients.connection(ip(1)).is_none());
        assert!(clients.connection(ip(2)).is_some());
        drop(a);
        assert!(clients.connection(ip(1)).is_some());
    }

    #[test]
    fn who_guesses_waits_a_minute() {
        let clients = Clients::new(ClientLimits::default());
        let begin = Instant::now();
        let at = |s| begin + Duration::from_secs(s);
        let guess = |n: u8, token: usize, s: u64| clients.guessed(ip(n), &format!("guess {token}"), at(s));
        for n in 0..WRONG_MAX {
            assert_eq!(guess(1, n, 0), None);
        }
        assert_eq!(guess(1, 99, 20), Some(40));
        assert_eq!(guess(1, 3, 20), None, "one that was counted is not counted again");
        assert_eq!(guess(2, 99, 20), None, "another address");
        assert_eq!(guess(1, 99, 60), None, "a minute later");
        assert!(
            (0..1_000).all(|_| guess(3, 0, 0).is_none()),
            "a revoked cookie is one wrong token, however often it comes"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let clients = Clients::new(ClientLimits::default());
        let now = Instant::now();
        for n in 0..u32::try_from(REMEMBERED_MAX).unwrap() + 100 {
            let ip = IpAddr::from((0xC000_0000 + n).to_be_bytes());
            assert!(clients.request(ip, now).is_ok());
        }
        assert!(clients.known.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
