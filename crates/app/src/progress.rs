//! One progress line with rate and time left, on standard error, only on a terminal and only after a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Progress of one long task.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    began: Instant,
    shown: bool,
    /// Nothing was heard of how far it is.
    fresh: bool,
    style: Unit,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unit {
    /// Bytes of input.
    Bytes,
    /// Minutes of a replay, cuts of a check.
    Steps,
}

impl Progress {
    /// A task of `total` units; 0 when unknown.
    pub(crate) fn new(total: u64, what: &str, style: Unit) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        bar.set_message(what.to_owned());
        Self { bar, began: Instant::now(), shown: false, fresh: true, style }
    }

    /// `done` units are done.
    pub(crate) fn set(&mut self, done: u64) {
        if !self.shown && self.began.elapsed() > Duration::from_secs(1) {
            self.show();
        }
        self.bar.set_position(done);
        // What an earlier start has left done says nothing of the time left.
        if std::mem::take(&mut self.fresh) {
            self.bar.reset_eta();
        }
    }

    /// The same of a part of the task that has a total and a name of its own: the bar begins anew where another part does.
    #[cfg(feature = "lab")]
    pub(crate) fn set_part(&mut self, done: u64, total: u64, what: &str) {
        if self.bar.message() != what {
            self.bar.set_message(what.to_owned());
            self.bar.reset_eta();
        }
        self.bar.set_length(total);
        self.set(done);
    }

    fn show(&mut self) {
        self.shown = true;
        if !std::io::stderr().is_terminal() {
            return;
        }
        let template = match self.style {
            Unit::Bytes => "{msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            Unit::Steps => "{msg} {bar:24} {pos}/{len} {per_sec} {eta} left",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_part_has_its_own_total_and_name() {
        let mut progress = Progress::new(30, "dir_1s: fitting", Unit::Steps);
        for (done, total, what) in [(29, 30, "dir_1s: fitting"), (0, 7, "dir_1s: trading"), (7, 7, "dir_1s: trading")] {
            progress.set_part(done, total, what);
            assert_eq!((progress.bar.position(), progress.bar.length()), (done, Some(total)));
            assert_eq!(progress.bar.message(), what);
        }
    }
}
