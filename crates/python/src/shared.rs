//! One engine that many strategies ask from many threads: analyses kept for a while, markets that grow bar by bar.
//!
//! Locks are held to look up or to put away, never while bars are worked through, except that a live market is
//! fed under its own lock. Keys are spread over sixteen shards. Time is an argument, in milliseconds of any clock that does
//! not run backwards; only the measurement of lock waits looks at one itself.

use barograph_engine::context::{Frame, FrameReading, KnownLevels};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

const SHARDS: usize = 16;
/// Analyses kept at most in a shard; the oldest goes first. An analysis of 500 bars is about 60 KB.
const KEPT_MAX: usize = 64;

/// A frame that was worked through.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The frame.
    pub frame: Frame,
    /// Market, as levels are named.
    pub symbol: String,
}

/// What a frame says at a price.
#[derive(Debug)]
pub struct PricedFrame {
    /// The reading.
    pub reading: FrameReading,
    /// Levels that matter at the price.
    pub levels: KnownLevels,
}

/// A live market. Contexts hold the analysis they were made of; it is copied when the next bar comes while one is still held.
pub type LiveAnalysis = Arc<Mutex<Arc<Analysis>>>;

#[derive(Debug, Default)]
struct Shard {
    kept: BTreeMap<u128, (u64, Arc<Analysis>)>,
    swept: u64,
}

/// Counts since the engine was made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Statistics {
    /// Asked and found.
    pub hits: u64,
    /// Asked and worked through.
    pub misses: u64,
    /// Kept now.
    pub size: usize,
    /// Dropped because they were too old or too many.
    pub evictions: u64,
    /// Locks that were taken.
    pub locks: u64,
    /// Locks that somebody else held.
    pub lock_waits: u64,
    /// Upper end of the bin that 99 % of all lock waits are below, microseconds.
    pub lock_wait_p99_us: f64,
}

/// Waits for locks by powers of two of nanoseconds; bin 0 is "at once".
#[derive(Debug)]
struct Waits([AtomicU64; 40]);

impl Default for Waits {
    fn default() -> Self {
        Self(core::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Waits {
    fn lock<'a, T>(&self, of: &'a Mutex<T>) -> MutexGuard<'a, T> {
        match of.try_lock() {
            Ok(guard) => {
                self.0[0].fetch_add(1, Ordering::Relaxed);
                guard
            }
            Err(TryLockError::Poisoned(p)) => p.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let began = Instant::now();
                let guard = of.lock().unwrap_or_else(PoisonError::into_inner);
                let ns = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
                let bin = usize::try_from(64 - ns.leading_zeros()).unwrap_or(39).min(39);
                self.0[bin].fetch_add(1, Ordering::Relaxed);
                guard
            }
        }
    }

    fn counts(&self) -> [u64; 40] {
        core::array::from_fn(|i| self.0[i].load(Ordering::Relaxed))
    }
}

/// The engine that strategies share.
#[derive(Debug, Default)]
pub struct SharedEngine {
    shards: [Mutex<Shard>; SHARDS],
    markets: [Mutex<BTreeMap<String, LiveAnalysis>>; SHARDS],
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
    waits: Waits,
}

impl SharedEngine {
    /// The analysis kept under `key` if it is younger than `ttl_ms` at `now_ms`, else what `make` makes of it, which is kept
    /// when `ttl_ms` is above zero. Two threads that miss at once both make it.
    ///
    /// # Errors
    /// Those of `make`; nothing is kept then.
    pub fn analysis<E>(
        &self,
        key: u128,
        (now_ms, ttl_ms): (u64, u64),
        make: impl FnOnce() -> Result<Option<Analysis>, E>,
    ) -> Result<Option<Arc<Analysis>>, E> {
        let shard = &self.shards[place(key)];
        if ttl_ms > 0 {
            let guard = self.waits.lock(shard);
            if let Some((at, found)) = guard.kept.get(&key)
                && now_ms.saturating_sub(*at) < ttl_ms
            {
                let found = Arc::clone(found);
                drop(guard);
                self.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(Some(found));
            }
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let Some(made) = make()?.map(Arc::new) else { return Ok(None) };
        if ttl_ms > 0 {
            let gone = self.keep(shard, key, &made, (now_ms, ttl_ms));
            self.evictions.fetch_add(gone.len() as u64, Ordering::Relaxed);
            // Analyses are given back outside the lock.
            drop(gone);
        }
        Ok(Some(made))
    }

    fn keep(
        &self,
        shard: &Mutex<Shard>,
        key: u128,
        made: &Arc<Analysis>,
        (now_ms, ttl_ms): (u64, u64),
    ) -> Vec<Arc<Analysis>> {
        let mut guard = self.waits.lock(shard);
        let mut gone = Vec::new();
        if now_ms.saturating_sub(guard.swept) >= ttl_ms {
            guard.swept = now_ms;
            gone = take_old(&mut guard.kept, (now_ms, ttl_ms));
        }
        guard.kept.insert(key, (now_ms, Arc::clone(made)));
        if guard.kept.len() > KEPT_MAX
            && let Some(oldest) = guard.kept.iter().min_by_key(|(_, (at, _))| *at).map(|(k, _)| *k)
        {
            gone.extend(guard.kept.remove(&oldest).map(|(_, a)| a));
        }
        gone
    }

    /// Drops what is older than `ttl_ms`; how many.
    pub fn sweep(&self, now_ms: u64, ttl_ms: u64) -> usize {
        let mut gone = Vec::new();
        for shard in &self.shards {
            gone.append(&mut take_old(&mut self.waits.lock(shard).kept, (now_ms, ttl_ms)));
        }
        self.evictions.fetch_add(gone.len() as u64, Ordering::Relaxed);
        gone.len()
    }

    /// Forgets every analysis.
    pub fn clear(&self) {
        for shard in &self.shards {
            let gone = core::mem::take(&mut self.waits.lock(shard).kept);
            drop(gone);
        }
    }

    /// Counts; what has grown too old by `now_ms` is dropped first.
    pub fn statistics(&self, now_ms: u64, ttl_ms: u64) -> Statistics {
        self.sweep(now_ms, ttl_ms);
        let size = self.shards.iter().map(|s| self.waits.lock(s).kept.len()).sum();
        let counts = self.waits.counts();
        let locks: u64 = counts.iter().sum();
        let mut below = 0;
        let p99 = counts.iter().position(|c| {
            below += c;
            100 * below >= 99 * locks
        });
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let upper = p99.filter(|bin| *bin > 0).map_or(0.0, |bin| (1_u64 << bin) as f64 / 1e3);
        Statistics {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            size,
            evictions: self.evictions.load(Ordering::Relaxed),
            locks,
            lock_waits: locks - counts[0],
            lock_wait_p99_us: upper,
        }
    }

    /// The live market of this name, where it was begun.
    pub fn market(&self, symbol: &str) -> Option<LiveAnalysis> {
        self.waits.lock(&self.markets[place_of(symbol)]).get(symbol).cloned()
    }

    /// Begins or replaces a live market.
    pub fn begin(&self, symbol: &str, mut analysis: Arc<Analysis>) -> LiveAnalysis {
        Arc::make_mut(&mut analysis).frame.will_be_asked_often();
        let market = Arc::new(Mutex::new(analysis));
        self.waits.lock(&self.markets[place_of(symbol)]).insert(symbol.to_owned(), Arc::clone(&market));
        market
    }

    /// Forgets a live market; was it there?
    pub fn end(&self, symbol: &str) -> bool {
        self.waits.lock(&self.markets[place_of(symbol)]).remove(symbol).is_some()
    }

    /// Feeds a live market under its lock.
    pub fn feed<T>(&self, market: &Mutex<Arc<Analysis>>, f: impl FnOnce(&mut Frame) -> T) -> T {
        let mut guard = self.waits.lock(market);
        let frame = &mut Arc::make_mut(&mut guard).frame;
        let out = f(frame);
        frame.will_be_asked_often();
        out
    }

    /// A live market as it is now.
    pub fn now(&self, market: &Mutex<Arc<Analysis>>) -> Arc<Analysis> {
        Arc::clone(&self.waits.lock(market))
    }
}

fn take_old(kept: &mut BTreeMap<u128, (u64, Arc<Analysis>)>, (now_ms, ttl_ms): (u64, u64)) -> Vec<Arc<Analysis>> {
    let old = |at: u64| now_ms.saturating_sub(at) >= ttl_ms;
    let keys: Vec<u128> = kept.iter().filter(|(_, (at, _))| old(*at)).map(|(k, _)| *k).collect();
    keys.into_iter().filter_map(|k| kept.remove(&k)).map(|(_, a)| a).collect()
}

fn place(key: u128) -> usize {
    usize::try_from((key >> 60) % SHARDS as u128).unwrap_or(0)
}

fn place_of(symbol: &str) -> usize {
    symbol.bytes().fold(0_usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b))) % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Span;
    use barograph_engine::context::FrameOptions;
    use barograph_engine::rules::RuleBook;

    fn made() -> Result<Option<Analysis>, ()> {
        let options = FrameOptions::of(&RuleBook::shipped("default").unwrap());
        Ok(Some(Analysis { frame: Frame::new(Span::hours(1), Span::ZERO, &options), symbol: "X".to_owned() }))
    }

    #[test]
    fn analyses_live_for_the_ttl_and_are_counted() {
        let shared = SharedEngine::default();
        let ask = |key: u128, now: u64| shared.analysis(key << 60, (now, 100), made).unwrap().unwrap();
        let first = ask(1, 0);
        assert!(Arc::ptr_eq(&first, &ask(1, 99)));
        assert!(!Arc::ptr_eq(&first, &ask(1, 100)), "as old as the ttl is too old");
        ask(2, 150);
        let s = shared.statistics(150, 100);
        assert_eq!((s.hits, s.misses, s.size, s.evictions), (1, 3, 2, 1), "the first went when its place was swept");
        let s = shared.statistics(249, 100);
        assert_eq!((s.size, s.evictions), (1, 2), "one has grown too old without being asked for");
        assert_eq!(shared.analysis(9, (0, 0), made).unwrap().map(|_| ()), Some(()));
        assert_eq!(shared.statistics(249, 100).size, 1, "without a ttl nothing is kept");
    }

    #[test]
    fn a_shard_never_holds_more_than_its_share() {
        let shared = SharedEngine::default();
        for key in 0..200_u128 {
            shared.analysis(key, (u64::try_from(key).unwrap(), 1_000), made).unwrap();
        }
        assert_eq!(shared.statistics(200, 1_000).size, KEPT_MAX);
    }

    #[test]
    fn failures_are_not_kept() {
        let shared = SharedEngine::default();
        assert_eq!(shared.analysis(1, (0, 100), || Err("no")).map(|_| ()), Err("no"));
        assert_eq!(shared.analysis(1, (0, 100), || Ok::<_, ()>(None)).map(|a| a.is_none()), Ok(true));
        assert_eq!(shared.statistics(0, 100).size, 0);
    }
}
