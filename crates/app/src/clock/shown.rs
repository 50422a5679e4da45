//! The clock of a world that runs at another pace than the machine, left in the data folder while it runs: commands beside the demo
//! judge ages by it. A file of a process that is gone is ignored: its lock says so, and goes with it however it ends.

use super::{Clock, SystemClock};
use barograph_domain::{Span, Ts};
use std::fs::{File, TryLockError};
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

const FILE: &str = "clock";
/// A world that is closer to the machine's clock than this, at the same pace, runs by it.
const SAME: Span = Span::secs(1);
/// How often the file is looked after: the pace may change while it runs.
const EVERY: Duration = Duration::from_secs(1);

/// One reading of a world's clock: what it showed at a moment of the machine, and how fast it goes.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Reading {
    world: Ts,
    machine: Ts,
    rate: f64,
}

impl Reading {
    fn of(clock: &dyn Clock) -> Self {
        Self { world: clock.now(), machine: SystemClock.now(), rate: clock.rate() }
    }

    fn is_machine(self) -> bool {
        let apart = self.world - self.machine;
        (self.rate - 1.0).abs() < f64::EPSILON && apart < SAME && apart > Span::ZERO - SAME
    }

    /// What the world's clock shows at another moment of the machine.
    fn at(self, machine: Ts) -> Ts {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a world is not played for centuries, and ages are of seconds"
        )]
        let gone = ((machine - self.machine).0.max(0) as f64 * self.rate) as i64;
        self.world + Span(gone)
    }

    fn line(self) -> String {
        format!("{} {} {}", self.world.0, self.machine.0, self.rate)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse::<i64>().ok();
        let (world, machine) = (Ts(number()?), Ts(number()?));
        let rate = words.next()?.parse::<f64>().ok().filter(|r| r.is_finite() && *r >= 0.0)?;
        Some(Self { world, machine, rate })
    }
}

/// A world's clock that is left in a data folder for as long as it is in use.
#[derive(Debug)]
struct ShownClock {
    inner: Arc<dyn Clock>,
    path: PathBuf,
}

impl Clock for ShownClock {
    fn now(&self) -> Ts {
        self.inner.now()
    }
    fn rate(&self) -> f64 {
        self.inner.rate()
    }
}

impl Drop for ShownClock {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// The same clock, shown in this folder to commands beside it. The machine's clock needs no showing, and one that cannot be shown
/// runs all the same.
pub(crate) fn shown(clock: Arc<dyn Clock>, folder: &Path) -> Arc<dyn Clock> {
    if Reading::of(&*clock).is_machine() {
        return clock;
    }
    let path = folder.join(FILE);
    let Ok(file) = open(&path) else { return clock };
    let shown = Arc::new(ShownClock { inner: clock, path });
    let seen = Arc::downgrade(&shown);
    let kept = std::thread::Builder::new().name("clock".to_owned()).spawn(move || keep(&file, &seen));
    drop(kept);
    shown
}

fn open(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    file.try_lock().map_err(|e| match e {
        TryLockError::Error(e) => e,
        TryLockError::WouldBlock => std::io::ErrorKind::WouldBlock.into(),
    })?;
    Ok(file)
}

/// Writes while the clock is in use; whoever holds it is not kept alive by this.
fn keep(mut file: &File, clock: &Weak<ShownClock>) {
    while let Some(clock) = clock.upgrade() {
        let line = Reading::of(&*clock).line();
        drop(clock);
        // One write of less than a page; a reader that comes between the two sees nothing and asks again.
        let written = file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(line.as_bytes()));
        if written.is_err() {
            return;
        }
        std::thread::sleep(EVERY);
    }
}

/// The present moment in a data folder: by the clock that a running world has left there, else by the machine's.
pub(crate) fn now_in(folder: &Path) -> Ts {
    world(folder).unwrap_or_else(|| SystemClock.now())
}

/// Do commands beside this folder read a clock that is not the machine's?
pub(crate) fn is_simulated(folder: &Path) -> bool {
    world(folder).is_some()
}

/// The clock of commands beside a data folder.
#[derive(Debug)]
pub(crate) struct FolderClock(pub(crate) PathBuf);

impl Clock for FolderClock {
    fn now(&self) -> Ts {
        now_in(&self.0)
    }
    fn rate(&self) -> f64 {
        reading(&self.0).map_or(1.0, |reading| reading.rate)
    }
}

/// A world with a clock of its own runs in this folder.
fn world(folder: &Path) -> Option<Ts> {
    reading(folder).map(|reading| reading.at(SystemClock.now()))
}

fn reading(folder: &Path) -> Option<Reading> {
    const TRIES: u32 = 3;
    let file = File::open(folder.join(FILE)).ok()?;
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    (0..TRIES).find_map(|_| {
        let text = std::fs::read_to_string(folder.join(FILE)).ok()?;
        let reading = Reading::parse(&text);
        if reading.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        reading
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World(Ts, f64);
    impl Clock for World {
        fn now(&self) -> Ts {
            self.0
        }
        fn rate(&self) -> f64 {
            self.1
        }
    }

    fn eventually(folder: &Path, want: impl Fn(Option<Ts>) -> bool) -> Option<Ts> {
        for _ in 0..500 {
            let found = world(folder);
            if want(found) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        world(folder)
    }

    #[test]
    fn commands_beside_a_world_read_its_clock_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let told = Ts::from_civil(2026, 2, 5, 14, 35, 0);
        let clock = shown(Arc::new(World(told, 20.0)), folder.path());
        let found = eventually(folder.path(), |t| t.is_some()).expect("the clock is there");
        assert!(found >= told && found - told < Span::hours(1), "{found}");
        assert_eq!(clock.now(), told);
        drop(clock);
        assert_eq!(eventually(folder.path(), |t| t.is_none()), None, "it went with its owner");
    }

    /// A process that died leaves its file, and nobody holds the lock.
    #[test]
    fn a_clock_of_a_process_that_is_gone_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "1770302100000000000 1795000000000000000 20").unwrap();
        assert_eq!(world(folder.path()), None);
        let off = now_in(folder.path()) - SystemClock.now();
        assert!(off < Span::secs(5) && off > Span::secs(-5));
    }

    #[test]
    fn the_clock_of_the_machine_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let _clock = shown(Arc::new(SystemClock), folder.path());
        assert!(!folder.path().join(FILE).exists());
    }

    #[test]
    fn a_reading_goes_on_at_its_pace() {
        let reading = Reading { world: Ts(1_000), machine: Ts(500), rate: 20.0 };
        assert_eq!(reading.at(Ts(510)), Ts(1_200));
        assert_eq!(Reading::parse(&reading.line()), Some(reading));
        for line in ["", "1", "1 2", "1 2 x", "1 2 -3", "1 2 NaN"] {
            assert_eq!(Reading::parse(line), None, "{line}");
        }
    }
}
