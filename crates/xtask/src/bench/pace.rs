//! How fast this machine is at the moment, against the one on which the limits were set (ADR 29).
//!
//! A yardstick of fixed work (rolling sums, numbers written and read, a tree, a sort: what the program itself spends its time
//! on) takes about a millisecond. It is laid before and after a benchmark and beside it: a rented machine changes its speed by
//! half within seconds, with what its neighbours do, and one of its cores otherwise than the next; so both are put on the same
//! core where one is enough for the figure. What counts is the median of the thread's own time on a core: waiting for one is no
//! slowness of it. The yardstick uses nothing but the standard library, so that no change of the program changes it; a new
//! compiler may, and then it is compared with the reference again.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two readings beside a benchmark: about a hundredth of one core is taken.
const EVERY: Duration = Duration::from_millis(100);
/// Readings before a benchmark, as many after it, and the pause between two.
const AROUND: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// What the yardstick took, in microseconds, in the order it was laid.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Readings {
    pub(crate) around: Vec<f64>,
    pub(crate) beside: Vec<f64>,
}

impl Readings {
    /// Median of what was taken while nothing of ours ran.
    pub(crate) fn around_us(&self) -> Option<f64> {
        median(&self.around)
    }

    /// Median of what was taken beside the work; where it was too short for that, around it.
    pub(crate) fn beside_us(&self) -> Option<f64> {
        if self.beside.len() < 8 { self.around_us() } else { median(&self.beside) }
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Takes readings in the background until it is dropped; rests while something is compiled.
#[derive(Debug)]
pub(crate) struct Sampler {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// The kernel's number of that thread, where it can be known.
    number: Option<String>,
}

#[derive(Debug, Default)]
struct Shared {
    taken: Mutex<Readings>,
    rests: AtomicBool,
    ends: AtomicBool,
}

impl Shared {
    /// Held while a reading is taken: two at once would measure each other, and none may end in the next benchmark.
    fn taken(&self) -> MutexGuard<'_, Readings> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        while !self.ends.load(Ordering::Relaxed) {
            let mut taken = self.taken();
            if !self.rests.load(Ordering::Relaxed) {
                taken.beside.push(reading());
            }
            drop(taken);
            std::thread::sleep(EVERY);
        }
    }
}

impl Sampler {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared { rests: AtomicBool::new(true), ..Shared::default() });
        let (own, (says, said)) = (Arc::clone(&shared), mpsc::sync_channel(1));
        let thread = std::thread::spawn(move || {
            let number = std::fs::read_link("/proc/thread-self").ok();
            let number = number.and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()));
            // Who asked waits for it.
            drop(says.send(number));
            own.run();
        });
        let number = said.recv().ok().flatten();
        Self { shared, thread: Some(thread), number }
    }

    /// Does `work` between readings and beside them; what it answers, and all that was read.
    pub(crate) fn over<R>(&self, work: impl FnOnce() -> R) -> (R, Readings) {
        self.around();
        self.shared.rests.store(false, Ordering::Relaxed);
        let answer = work();
        self.shared.rests.store(true, Ordering::Relaxed);
        self.around();
        (answer, std::mem::take(&mut *self.shared.taken()))
    }

    /// Does what is no part of the measurement, without readings beside it: compiling, making data.
    pub(crate) fn without<R>(&self, work: impl FnOnce() -> R) -> R {
        let rested = self.shared.rests.swap(true, Ordering::Relaxed);
        let answer = work();
        self.shared.rests.store(rested, Ordering::Relaxed);
        answer
    }

    /// Does `work` with the readings beside it taken on one core, whose number it is given; with `None`, and said so, where
    /// cores cannot be chosen (no `taskset`, no `/proc`).
    pub(crate) fn on_one_core<R>(&self, work: impl FnOnce(Option<&str>) -> R) -> R {
        let allowed = allowed_cores().unwrap_or_default();
        let all = cores(&allowed);
        // A list may name cores that are switched off.
        let chosen = all.iter().rev().find(|core| self.move_to(core));
        if chosen.is_none() {
            eprintln!("taskset cannot pin threads here: the benchmark and the yardstick may run on different cores");
        }
        let answer = work(chosen.map(String::as_str));
        if chosen.is_some() && !self.move_to(&allowed) {
            eprintln!("taskset could not undo the pinning (cores {allowed}): the yardstick stays on one core");
        }
        answer
    }

    /// Lets the sampling thread run on these cores only; whether that was done.
    fn move_to(&self, cores: &str) -> bool {
        let Some(thread) = &self.number else { return false };
        let mut command = Command::new("taskset");
        command.args(["-cp", cores, thread]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn around(&self) {
        for _ in 0..AROUND {
            let mut taken = self.shared.taken();
            taken.around.push(reading());
            drop(taken);
            std::thread::sleep(PAUSE);
        }
    }
}

/// The cores this process may use, as the kernel lists them: `0-3`, `0,2`.
fn allowed_cores() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("Cpus_allowed_list:")).map(|list| list.trim().to_owned())
}

/// Each core of such a list; none of what is no list.
fn cores(list: &str) -> Vec<String> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<u16>().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().map(|core| core.to_string()).collect()
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was printed by it; there is nothing to add.
            drop(thread.join());
        }
    }
}

/// Microseconds that the yardstick takes now, of this thread's time on a core.
fn reading() -> f64 {
    let began = on_core_us();
    black_box((sums(), texts(), tree(), sorted()));
    on_core_us() - began
}

fn on_core_us() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e6 + now.tv_nsec as f64 / 1e3
}

/// Marsaglia's xorshift64: the same numbers each time.
const fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A number of `bits` bits.
fn number(state: &mut u64, bits: u32) -> f64 {
    // At most 32 bits are asked for, which a double holds.
    (next(state) >> (64 - bits)) as f64
}

/// Sums, squares and a fading maximum over a ring of a day of minutes.
fn sums() -> f64 {
    let (mut state, mut ring) = (1, [0.0; 1_440]);
    let (mut sum, mut squares, mut top) = (0.0, 0.0, 0.0_f64);
    for n in 0..40_000 {
        let new = number(&mut state, 24);
        let old = std::mem::replace(&mut ring[n % 1_440], new);
        sum += new - old;
        squares += new * new - old * old;
        top = new.max(top * 0.999);
        if n % 64 == 0 {
            top += (squares / 1_440.0).abs().sqrt().ln_1p() * 1e-9;
        }
    }
    sum + top
}

/// Numbers written into text and read again.
fn texts() -> f64 {
    let (mut state, mut sum) = (2, 0.0);
    for _ in 0..100 {
        let mut text = String::new();
        for _ in 0..8 {
            text.push_str(&format!("{:.2} ", number(&mut state, 32) / 1_000.0));
        }
        let read: Vec<f64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
        sum += read.iter().sum::<f64>();
    }
    sum
}

/// A tree filled and asked at random.
fn tree() -> u64 {
    let (mut state, mut map) = (3, BTreeMap::<u64, [u64; 8]>::new());
    for _ in 0..700 {
        map.entry(next(&mut state) >> 48).or_default()[0] += 1;
    }
    (0..1_400).filter_map(|_| map.range(next(&mut state) >> 48..).next()).map(|(_, counts)| counts[0]).sum()
}

fn sorted() -> u64 {
    let mut state = 4;
    let mut values: Vec<u64> = (0..8_192).map(|_| next(&mut state)).collect();
    values.sort_unstable();
    values[100]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_taken_around_and_beside_and_not_while_compiling() {
        let sampler = Sampler::start();
        let beside = || sampler.shared.taken().beside.len();
        let until = |count: usize| {
            let waits = (0..6_000).take_while(|_| beside() < count).map(|_| std::thread::sleep(PAUSE));
            assert!(waits.count() < 6_000, "no reading within a minute");
        };
        let (answer, seen) = sampler.over(|| {
            until(2);
            let before = sampler.without(|| {
                let before = beside();
                std::thread::sleep(EVERY * 3);
                assert_eq!(beside(), before, "none while it rests");
                before
            });
            until(before + 2);
            7
        });
        assert_eq!((answer, seen.around.len()), (7, 2 * AROUND));
        assert!(seen.beside.len() >= 4 && seen.around_us().is_some_and(|us| us > 0.0));
        assert_eq!(beside(), 0, "the next benchmark begins without readings");
    }

    #[test]
    fn work_and_readings_are_put_on_one_core() {
        let sampler = Sampler::start();
        let mine = || {
            let status =
                std::fs::read_to_string(format!("/proc/self/task/{}/status", sampler.number.as_ref()?)).ok()?;
            status.lines().find_map(|l| l.strip_prefix("Cpus_allowed_list:")).map(|list| list.trim().to_owned())
        };
        let seen = sampler.on_one_core(|core| core.map(|core| (core.to_owned(), mine())));
        if let Some((core, within)) = seen {
            assert_eq!(within, Some(core));
            assert_eq!(mine(), allowed_cores(), "and may run anywhere afterwards");
        } else {
            eprintln!("skipped: cores cannot be chosen here");
        }
    }

    #[test]
    fn lists_of_cores_are_read() {
        let cases = [("0-3", "0 1 2 3"), ("0,2", "0 2"), ("1,4-5", "1 4 5"), ("7", "7"), ("", ""), ("all", "")];
        for (list, each) in cases {
            assert_eq!(cores(list).join(" "), each, "{list}");
        }
    }

    #[test]
    fn few_readings_beside_give_way_to_those_around() {
        let of = |n: usize| Readings { around: vec![3.0, 1.0, 2.0], beside: vec![9.0; n] };
        assert_eq!((of(7).beside_us(), of(8).beside_us()), (Some(2.0), Some(9.0)));
        assert_eq!((of(8).around_us(), Readings::default().beside_us()), (Some(2.0), None));
    }
}
