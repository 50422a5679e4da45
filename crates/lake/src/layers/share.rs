//! Columns of one buffer, shared out among the cores where it holds many rows: they are encoded and digested one by one, and none
//! needs another.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A buffer with fewer rows, such as a second of a live book, is done before a thread has begun.
const SHARED_FROM: usize = 16_384;
/// What is encoded waits in memory until its turn in the file comes.
const HANDS_MAX: usize = 4;

/// Among how many threads the columns of so many rows are shared.
pub(super) fn hands(rows: usize) -> usize {
    if rows < SHARED_FROM { 1 } else { std::thread::available_parallelism().map_or(1, NonZero::get).min(HANDS_MAX) }
}

/// Does `count` pieces of work, each once, with as many threads as there are tools, of which this one is the first: what came of
/// each, in order.
pub(super) fn shared<T: Send, R: Send>(
    tools: &mut [T],
    count: usize,
    work: impl Fn(&mut T, usize) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let some = |tool: &mut T| {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|n| *n < count);
        numbers.map(|n| (n, work(tool, n))).collect::<Vec<_>>()
    };
    let Some((own, others)) = tools.split_first_mut() else { return Vec::new() };
    let mut all = std::thread::scope(|scope| {
        let others: Vec<_> = others.iter_mut().map(|tool| scope.spawn(|| some(tool))).collect();
        let mut all = some(own);
        for one in others {
            all.extend(one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_and_stands_in_its_place() {
        for (threads, count) in [(1, 5), (3, 100), (4, 2), (2, 0)] {
            let mut done = vec![0_usize; threads];
            let made = shared(&mut done, count, |own, n| {
                *own += 1;
                n * n
            });
            assert_eq!(made, (0..count).map(|n| n * n).collect::<Vec<_>>());
            assert_eq!(done.iter().sum::<usize>(), count, "{threads} threads");
        }
        assert_eq!(hands(SHARED_FROM - 1), 1);
    }
}
