//! Connections that have answered and wait for the next request to the same place.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A connection that was quiet for longer is not used again: servers commonly close theirs after 60 s or more.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// Kept connections, by the place they lead to. Whoever takes one owns it; it comes back when its answer was read whole.
pub struct KeptConnections<C> {
    most: usize,
    places: Mutex<BTreeMap<String, Vec<(Instant, C)>>>,
}

impl<C> KeptConnections<C> {
    /// Keeps at most so many for each place.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { most, places: Mutex::new(BTreeMap::new()) }
    }

    /// The one that answered last of those that are still `open` and not quiet for too long; the others are dropped.
    pub fn take(&self, place: &str, open: impl Fn(&C) -> bool) -> Option<C> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = places.get_mut(place)?;
        kept.retain(|(since, connection)| since.elapsed() < KEPT_FOR && open(connection));
        kept.pop().map(|(_, connection)| connection)
    }

    /// Keeps one that has answered; where there are enough it is closed.
    pub fn put(&self, place: &str, connection: C) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = places.entry(place.to_owned()).or_default();
        if kept.len() < self.most {
            kept.push((Instant::now(), connection));
        }
    }
}

impl<C> core::fmt::Debug for KeptConnections<C> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_one_is_used_first_and_none_that_is_closed_old_or_too_many() {
        let kept = KeptConnections::new(2);
        assert_eq!(kept.take("a", |_| true), None);
        kept.put("a", 1);
        tokio::time::advance(Duration::from_secs(20)).await;
        (2..=3).for_each(|n| kept.put("a", n));
        assert_eq!(kept.take("b", |_| true), None);
        assert_eq!(kept.take("a", |_| true), Some(2), "there was no room for a third");
        assert_eq!(kept.take("a", |n| *n != 1), None, "it is closed");
        kept.put("a", 4);
        tokio::time::advance(KEPT_FOR).await;
        assert_eq!(kept.take("a", |_| true), None);
    }
}
