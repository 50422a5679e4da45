//! Runs a child and watches it: wall time, peak and course of its resident memory, its last line of output.
//!
//! Memory is read from `/proc/<pid>/status` every 20 ms: `VmHWM` is the kernel's own high-water mark, so the last value
//! read is the peak up to then. On systems without `/proc` the run fails rather than report nothing as little.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(20);

/// What was seen of a child that ended well.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) wall: Duration,
    pub(crate) peak_bytes: u64,
    /// Resident bytes, evenly spaced in time.
    pub(crate) resident: Vec<u64>,
    /// Last line of standard output.
    pub(crate) last_line: String,
}

impl Ran {
    /// Growth of resident memory from the middle of the run to its end, as a fraction.
    pub(crate) fn growth(&self) -> f64 {
        let half = self.resident.len() / 2;
        // Means over an eighth of the run: a single sample may catch an allocation on its way out.
        let around = |at: usize| {
            let window = &self.resident[at.min(self.resident.len())..];
            let window = &window[..window.len().min(self.resident.len() / 8 + 1)];
            window.iter().sum::<u64>() as f64 / window.len().max(1) as f64
        };
        let (middle, end) = (around(half), around(self.resident.len() - self.resident.len() / 8 - 1));
        if middle > 0.0 { end / middle - 1.0 } else { f64::INFINITY }
    }
}

/// Runs `binary` to its end. Its standard output is read and dropped line by line, so that it costs what a pipe costs.
pub(crate) fn run<A: AsRef<OsStr>>(binary: &Path, args: &[A]) -> Result<Ran, String> {
    let begun = Instant::now();
    let mut command = Command::new(binary);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("cannot start {}: {e}", binary.display()))?;
    let stdout = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let lines = stdout.map(|s| BufReader::new(s).lines());
        lines.into_iter().flatten().map_while(Result::ok).last().unwrap_or_default()
    });
    let (mut peak_bytes, mut resident) = (0, Vec::new());
    let status = loop {
        if let Some((high, now)) = memory(child.id()) {
            peak_bytes = peak_bytes.max(high);
            resident.push(now);
        }
        if let Some(status) = child.try_wait().map_err(|e| format!("cannot wait for {}: {e}", binary.display()))? {
            break status;
        }
        std::thread::sleep(EVERY);
    };
    let wall = begun.elapsed();
    let last_line = reader.join().unwrap_or_default();
    if !status.success() {
        return Err(format!("{} ended with {status}: {last_line}", binary.display()));
    }
    if resident.is_empty() {
        return Err("memory of a child cannot be read here (no /proc)".to_owned());
    }
    Ok(Ran { wall, peak_bytes, resident, last_line })
}

/// Peak and present resident bytes of a process; `None` when it has ended or there is no `/proc`.
fn memory(pid: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some((kilobytes(&status, "VmHWM:")? * 1_024, kilobytes(&status, "VmRSS:")? * 1_024))
}

fn kilobytes(status: &str, key: &str) -> Option<u64> {
    status.lines().find_map(|l| l.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_timed_weighed_and_heard() {
        let ran = run(Path::new("sh"), &["-c", "echo first; sleep 0.1; echo last"]).unwrap();
        assert_eq!(ran.last_line, "last");
        assert!(ran.wall >= Duration::from_millis(100) && ran.peak_bytes > 100_000, "{ran:?}");
        assert!(run(Path::new("sh"), &["-c", "exit 3"]).unwrap_err().contains("exit status: 3"));
    }

    #[test]
    fn growth_compares_the_middle_with_the_end() {
        let ran = |resident| Ran { wall: Duration::ZERO, peak_bytes: 0, resident, last_line: String::new() };
        assert!(ran(vec![100; 40]).growth().abs() < 1e-12);
        let ramp = ran((0..400).collect()).growth();
        assert!((ramp - 0.667).abs() < 0.01, "{ramp}");
        assert!(ran(vec![1, 50, 100, 100, 100, 100, 100, 100]).growth().abs() < 1e-12, "a warm-up is no growth");
    }
}
