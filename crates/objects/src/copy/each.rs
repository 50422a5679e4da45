//! The same work for many things on a few threads.

use crate::Result;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests under way at a time: most of their time is waiting for the other side.
const AT_ONCE: usize = 4;

/// What `work` makes of each item, in the order of the items. The first error ends it, once what is under way has ended.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> Result<R> + Sync) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new((Vec::with_capacity(items.len()), None));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { return };
                    let made = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    match made {
                        Ok(made) => done.0.push((at, made)),
                        Err(e) => {
                            done.1.get_or_insert(e);
                            next.store(items.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (mut made, failed) = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(e) = failed {
        return Err(e);
    }
    made.sort_by_key(|(at, _)| *at);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn results_are_in_order_and_an_error_ends_it() {
        let items: Vec<u32> = (0..100).collect();
        assert_eq!(each(&items, |n| Ok(n * 2)).unwrap(), items.iter().map(|n| n * 2).collect::<Vec<_>>());
        let begun = AtomicUsize::new(0);
        let failed = each(&items, |n| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *n == 3 { Err(Error::Address("three".to_owned())) } else { Ok(()) }
        });
        assert!(failed.is_err());
        assert!(begun.load(Ordering::Relaxed) < 100);
        assert!(each(&[], |n: &u32| Ok(*n)).unwrap().is_empty());
    }
}
