//! How long things waited in a live process, counted in the moments in which the machine itself kept nobody waiting.
//!
//! A rented machine takes its cores away for milliseconds at a time, several times a second, on a bad day for seconds, and whoever
//! listens hears everything that much later. A thread that only sleeps says when that was: a moment in which it woke late, and
//! the one after, in which what was left lying is caught up with, say nothing of the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two readings of the counts.
pub(super) const EVERY: Duration = Duration::from_millis(100);

/// How long the thread sleeps, and what is late.
const SLEEPS: Duration = Duration::from_millis(2);
const LATE: Duration = Duration::from_millis(5);

/// So long says something of a 99th percentile.
const ENOUGH: Duration = Duration::from_secs(20);

/// A thread that only sleeps, until it is dropped.
#[derive(Debug)]
pub(super) struct Sleeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    longest_us: AtomicU64,
    ends: AtomicBool,
}

impl Sleeper {
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while !own.ends.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(SLEEPS);
                let late = began.elapsed().saturating_sub(SLEEPS).as_micros();
                own.longest_us.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// By how much it woke late at most since it was last asked.
    pub(super) fn longest(&self) -> Duration {
        Duration::from_micros(self.shared.longest_us.swap(0, Ordering::Relaxed))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was printed by it; there is nothing to add.
            drop(thread.join());
        }
    }
}

/// Upper bounds of a histogram in seconds, each with how many lie below it.
type Buckets = Vec<(f64, f64)>;

/// What was counted up to one moment, and by how much the sleeper woke late since the moment before.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    late: Duration,
    counted: [Buckets; 2],
    /// Of the same durations, in seconds.
    sums: [f64; 2],
}

impl Moment {
    /// From a metrics text, the histograms of these names.
    pub(super) fn of(late: Duration, text: &str, names: [&str; 2]) -> Self {
        Self { late, counted: names.map(|name| buckets(text, name)), sums: names.map(|name| sum(text, name)) }
    }
}

/// Moments, this long after one another.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) every: Duration,
    pub(super) readings: Vec<Moment>,
}

/// The moments that count, each with the one before it: neither began or ended with the machine standing still.
fn quiet(moments: &Moments) -> impl Iterator<Item = (&Moment, &Moment)> {
    let calm = |s: &Moment| s.late <= LATE;
    moments.readings.windows(2).filter(move |pair| pair.iter().all(calm)).map(|pair| (&pair[0], &pair[1]))
}

/// What to say of the moments.
pub(super) fn report(moments: &Moments) -> String {
    let worst = moments.readings.iter().map(|s| s.late).max().unwrap_or_default();
    format!(
        "waits are counted in {} of {} stretches of {:?}: in the others, or just before, the machine kept a sleeping thread waiting for \
         more than {} ms, at most {:.0} ms",
        quiet(moments).count(),
        moments.readings.len().saturating_sub(1),
        moments.every,
        LATE.as_millis(),
        worst.as_secs_f64() * 1e3
    )
}

/// Whether the machine stood still too often for a figure.
fn enough(moments: &Moments) -> Result<(), String> {
    let count = quiet(moments).count();
    if moments.every.mul_f64(count as f64) < ENOUGH {
        return Err(format!(
            "the machine stood still in all but {count} of {} stretches of {:?}",
            moments.readings.len().saturating_sub(1),
            moments.every
        ));
    }
    Ok(())
}

/// The longest of what histogram `n` counted in the moments that count, in seconds: what a moment's durations come to together,
/// which is that of the one that fell into it, and the bound of its bucket where several did and that is less.
pub(super) fn longest(moments: &Moments, n: usize) -> Result<f64, String> {
    enough(moments)?;
    let fell = |(first, last): (&Moment, &Moment)| {
        let below = |le: f64| first.counted[n].iter().find(|e| e.0 >= le).map_or(0.0, |e| e.1);
        let new = last.counted[n].iter().map(|(le, count)| (*le, count - below(*le))).collect::<Buckets>();
        let all = new.last().map(|b| b.1).filter(|all| *all > 0.0)?;
        let bound = new.iter().find(|(_, count)| *count >= all).map_or(f64::INFINITY, |(le, _)| *le);
        Some(bound.min(last.sums[n] - first.sums[n]))
    };
    quiet(moments)
        .filter_map(fell)
        .reduce(f64::max)
        .ok_or_else(|| "nothing was counted in the moments that count".to_owned())
}

/// Upper bound, in seconds, of the bucket that holds this share of what histogram `n` counted in the moments that count.
pub(super) fn quantile(moments: &Moments, n: usize, share: f64) -> Result<f64, String> {
    enough(moments)?;
    let mut sums = Buckets::new();
    for (first, last) in quiet(moments) {
        let early = &first.counted[n];
        for (le, count) in &last.counted[n] {
            // A bucket that was not there yet holds what the next one below it holds: nothing above.
            let new = count - early.iter().find(|e| e.0 >= *le).map_or(0.0, |e| e.1);
            match sums.iter_mut().find(|(bound, _)| bound.total_cmp(le).is_eq()) {
                Some((_, sum)) => *sum += new,
                None => sums.push((*le, new)),
            }
        }
    }
    let total = sums.last().map(|b| b.1).filter(|n| *n > 0.0).ok_or("nothing was counted in the moments that count")?;
    sums.iter()
        .find(|(_, count)| *count >= share * total)
        .map(|(le, _)| *le)
        .ok_or_else(|| "no bucket holds it".to_owned())
}

fn buckets(text: &str, name: &str) -> Buckets {
    let prefix = format!("{name}_bucket{{le=\"");
    let bucket = |line: &str| {
        let (le, count) = line.strip_prefix(&prefix)?.split_once("\"} ")?;
        Some((if le == "+Inf" { f64::INFINITY } else { le.parse().ok()? }, count.parse().ok()?))
    };
    text.lines().filter_map(bucket).collect()
}

/// What a histogram's durations come to, in seconds; nothing before the first.
fn sum(text: &str, name: &str) -> f64 {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix("_sum{} ")?.parse().ok();
    text.lines().find_map(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment that ends with so many durations up to 1 ms, 2 ms and in all.
    fn moment(late_ms: u64, [one, two, all]: [u32; 3]) -> Moment {
        let text =
            format!("h_bucket{{le=\"0.001\"}} {one}\nh_bucket{{le=\"0.002\"}} {two}\nh_bucket{{le=\"+Inf\"}} {all}\n");
        Moment::of(Duration::from_millis(late_ms), &text, ["h", "g"])
    }

    fn tenths(readings: Vec<Moment>) -> Moments {
        Moments { every: EVERY, readings }
    }

    #[test]
    fn what_waited_while_the_machine_stood_still_is_not_counted() {
        // Each time a hundred, of which 90 within a millisecond and 9 more within two.
        let steady = |n: u32| [90 * n, 99 * n, 100 * n];
        let calm = tenths((0..=300).map(|n| moment(0, steady(n))).collect());
        assert_eq!(quantile(&calm, 0, 0.5), Ok(0.001));
        assert_eq!(quantile(&calm, 0, 0.99), Ok(0.002));
        assert_eq!(quantile(&calm, 0, 1.0), Ok(f64::INFINITY));
        // One moment in which a thousand waited long, and the next.
        let late = |late_ms| {
            let mut all = calm.clone();
            all.readings[9].late = Duration::from_millis(late_ms);
            all.readings.iter_mut().skip(9).for_each(|s| s.counted[0][2].1 += 1_000.0);
            all
        };
        assert_eq!(quantile(&late(6), 0, 0.99), Ok(0.002), "the machine's doing");
        assert_eq!(quantile(&late(5), 0, 0.99), Ok(f64::INFINITY), "the program's");
        assert!(
            report(&late(6)).contains("298 of 300 stretches of 100ms") && report(&late(6)).contains("at most 6 ms")
        );
        assert!(quantile(&calm, 1, 0.99).unwrap_err().contains("nothing was counted"), "no such histogram");
    }

    #[test]
    fn the_longest_is_known_to_the_microsecond_where_it_fell_alone() {
        let moment = |late_ms, short: u32, all: u32, sum: f64| {
            let text = format!(
                "h_bucket{{le=\"0.02\"}} {short}\nh_bucket{{le=\"0.05\"}} {all}\nh_bucket{{le=\"+Inf\"}} {all}\nh_sum{{}} {sum}\n"
            );
            Moment::of(Duration::from_millis(late_ms), &text, ["h", "g"])
        };
        let nothing = |before: &Moment| vec![Moment { late: Duration::ZERO, ..before.clone() }; 100];
        let mut moments = nothing(&moment(0, 0, 0, 0.0));
        for (late_ms, short, all, sum) in [(0, 1, 1, 0.012), (0, 1, 2, 0.036), (9, 1, 3, 0.081), (0, 3, 5, 0.105)] {
            let last = moment(late_ms, short, all, sum);
            moments.extend([last.clone()].into_iter().chain(nothing(&last)));
        }
        let short = tenths(moments[..50].to_vec());
        let moments = tenths(moments);
        let found = longest(&moments, 0).unwrap();
        assert!(
            (found - 0.024).abs() < 1e-9,
            "24 ms alone; 45 ms while the machine stood still; two of 24 ms in all: {found}"
        );
        assert!(longest(&moments, 1).unwrap_err().contains("nothing was counted"), "no such histogram");
        assert!(longest(&short, 0).unwrap_err().contains("stood still"));
    }

    #[test]
    fn too_few_moments_are_no_figure() {
        let moments = tenths((0..=400).map(|n| moment(if n % 3 == 0 { 900 } else { 0 }, [n, n, n])).collect());
        assert_eq!(
            quantile(&moments, 0, 0.99),
            Err("the machine stood still in all but 133 of 400 stretches of 100ms".to_owned())
        );
    }

    #[test]
    fn the_sleeper_says_how_late_it_woke_and_forgets_it() {
        let sleeper = Sleeper::start();
        let until = Instant::now() + Duration::from_secs(60);
        while sleeper.longest().is_zero() {
            assert!(Instant::now() < until, "no thread wakes to the microsecond");
            std::thread::sleep(SLEEPS);
        }
    }
}
