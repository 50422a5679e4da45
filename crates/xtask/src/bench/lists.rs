//! Whole lists over HTTP while many markets are live, one request after another, as a page or a scraper asks for them.

use std::time::{Duration, Instant};

/// Requests per address: enough that the 99th percentile is not the worst.
const REQUESTS: usize = 200;
/// Between two requests, so that the process is not measured against its own clients.
const PAUSE: Duration = Duration::from_millis(20);
/// Every market; a page of streams; every counter.
const PATHS: [&str; 3] = ["/api/v1/markets", "/api/v1/feeds?limit=1000", "/metrics"];

/// 99th percentiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists {
    pub(crate) markets: Duration,
    pub(crate) feeds: Duration,
    pub(crate) metrics: Duration,
}

/// Asks for all of them.
pub(crate) fn run(get: impl Fn(&str) -> Result<String, String>) -> Result<Lists, String> {
    let time = |path: &str| {
        let mut times = Vec::with_capacity(REQUESTS);
        for _ in 0..REQUESTS {
            let begun = Instant::now();
            get(path)?;
            times.push(begun.elapsed());
            std::thread::sleep(PAUSE);
        }
        Ok::<_, String>(p99(&mut times))
    };
    Ok(Lists { markets: time(PATHS[0])?, feeds: time(PATHS[1])?, metrics: time(PATHS[2])? })
}

/// What 99 of 100 do not exceed.
fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    let at = (times.len() * 99).div_ceil(100);
    times.get(at.saturating_sub(1)).copied().unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(p99(&mut times), Duration::from_millis(198));
        assert_eq!(p99(&mut [Duration::from_millis(5)]), Duration::from_millis(5));
        assert_eq!(p99(&mut []), Duration::MAX);
    }

    #[test]
    fn every_list_is_asked_for_and_a_failure_is_one() {
        let seen = run(|path| if path.ends_with("metrics") { Err(path.to_owned()) } else { Ok(String::new()) });
        assert_eq!(seen.map(|_| ()), Err("/metrics".to_owned()));
    }
}
