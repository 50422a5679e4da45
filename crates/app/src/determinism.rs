//! The same input in other chunks, processes and orders must give the same bytes out.

use crate::commands::replay::Tee;
use crate::failure::Failure;
use crate::run::{Run, RunSink};
use barograph_domain::time::LATENESS;
use barograph_domain::{Event, MinuteRow, Status, StreamIndex, Ts};
use barograph_engine::{AlertOut, LevelOut};
use barograph_lake::ImportPlan;
use barograph_live::digest::RunDigest;
use barograph_live::random::Random;
use barograph_live::setup::Setup;
use std::path::{Path, PathBuf};

/// Restarts per check: enough to fall into every kind of window, few enough to be quick.
const RESTARTS: u64 = 24;

struct Digesting(RunDigest);

impl RunSink for Digesting {
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        self.0.level(level);
        Ok(())
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        self.0.alert(alert);
        Ok(())
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        self.0.row(row);
        Ok(())
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        self.0.gap(stream, status, known_ts);
        Ok(())
    }
}

/// One pass.
#[derive(Debug)]
pub(crate) struct Straight {
    /// Over everything in order: what `replay --hash` prints.
    pub(crate) hash: String,
    /// Of each market by itself, and of the gaps.
    parts: Vec<String>,
    /// Last minute of each market.
    last: Vec<Ts>,
}

/// Digests each market by itself: how time is cut decides which market's minutes come first, never what is in them.
struct ByMarket {
    markets: Vec<RunDigest>,
    gaps: RunDigest,
    last: Vec<Ts>,
    /// Minutes after a market's last input are made by nobody; a tick for another market makes them here.
    until: Option<Vec<Ts>>,
}

impl ByMarket {
    fn new(plan: &ImportPlan, setup: &Setup, until: Option<Vec<Ts>>) -> Self {
        let one = || RunDigest::new(&setup.logic_version);
        let markets: Vec<RunDigest> = plan.instruments().iter().map(|_| one()).collect();
        let last = vec![Ts::MIN; markets.len()];
        Self { markets, gaps: one(), last, until }
    }

    fn parts(self) -> Vec<String> {
        self.markets.into_iter().chain([self.gaps]).map(RunDigest::finish).collect()
    }
}

impl RunSink for ByMarket {
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        let market = level.instrument as usize;
        if self.until.as_ref().is_none_or(|until| level.change.known_at <= until[market] + LATENESS) {
            self.markets[market].level(level);
        }
        Ok(())
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        let market = alert.instrument as usize;
        if self.until.as_ref().is_none_or(|until| alert.known.known_at <= until[market] + LATENESS) {
            self.markets[market].alert(alert);
        }
        Ok(())
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        let market = row.instrument as usize;
        if self.until.as_ref().is_none_or(|until| row.ts <= until[market]) {
            self.markets[market].row(row);
            self.last[market] = row.ts;
        }
        Ok(())
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        self.gaps.gap(stream, status, known_ts);
        Ok(())
    }
}

/// One pass, event by event.
pub(crate) fn straight(plan: &ImportPlan, setup: &Setup) -> Result<Straight, Failure> {
    let mut digest = RunDigest::new(&setup.logic_version);
    let mut sink = ByMarket::new(plan, setup, None);
    let mut run = Run::new(setup, plan.instruments(), plan.streams());
    for event in plan.open(None) {
        run.event(&event, &mut Tee { first: &mut sink, digest: Some(&mut digest) })?;
    }
    run.finish(crate::clock::now(), &mut Tee { first: &mut sink, digest: Some(&mut digest) })?;
    let last = sink.last.clone();
    Ok(Straight { hash: digest.finish(), parts: sink.parts(), last })
}

/// Events handed over in batches of random size, with time advanced separately at random moments. Gives the hash of the
/// Events stepped in batches of random size, with what they make taken out only at the end of each batch.
pub(crate) fn chunked(plan: &ImportPlan, setup: &Setup, seed: u64, straight: &Straight) -> Result<String, Failure> {
    let mut random = Random::new(seed);
    let mut sink = ByMarket::new(plan, setup, Some(straight.last.clone()));
    let mut run = Run::new(setup, plan.instruments(), plan.streams());
    let mut reader = plan.open(None);
    let mut chunk: Vec<Event> = Vec::new();
    loop {
        chunk.clear();
        let size = usize::try_from(random.below(5_000)).unwrap_or(0) + 1;
        chunk.extend(reader.by_ref().take(size));
        if chunk.is_empty() {
            break;
        }
        run.chunk(&chunk, &mut sink)?;
    }
    run.finish(crate::clock::now(), &mut sink)?;
    let other = sink.parts().into_iter().zip(&straight.parts).find(|(found, part)| found != *part);
    Ok(other.map_or_else(|| straight.hash.clone(), |(found, _)| found))
}

/// The process "dies" at random events and goes on from what it had saved.
pub(crate) fn restarted(plan: &ImportPlan, setup: &Setup, seed: u64) -> Result<String, Failure> {
    let total = plan.open(None).count() as u64;
    let mut random = Random::new(seed ^ 0x5EED);
    let every = (total / RESTARTS).max(1);
    let mut sink = Digesting(RunDigest::new(&setup.logic_version));
    let mut run = Run::new(setup, plan.instruments(), plan.streams());
    for event in plan.open(None) {
        if random.bits().is_multiple_of(every) {
            let bytes = run.save()?;
            run = Run::restore(setup, plan.instruments(), plan.streams(), &bytes)
                .ok_or_else(|| Failure::broken("a checkpoint that was just saved cannot be restored"))?;
        }
        run.event(&event, &mut sink)?;
    }
    run.finish(crate::clock::now(), &mut sink)?;
    Ok(sink.0.finish())
}

/// All files below the paths, one by one, in a random order.
pub(crate) fn shuffled_paths(paths: &[PathBuf], seed: u64) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        walk(path, true, &mut files)?;
    }
    let mut random = Random::new(seed ^ 0x0F11E5);
    for i in (1..files.len()).rev() {
        let j = usize::try_from(random.below(i64::try_from(i).unwrap_or(0) + 1)).unwrap_or(0);
        files.swap(i, j);
    }
    Ok(files)
}

/// Files as an import of the folder would take them: notes, sums, settings and hidden files are left out there too.
fn walk(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
        entries.sort();
        for entry in entries {
            walk(&entry, false, files)?;
        }
        return Ok(());
    }
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let note = name.starts_with('.')
        || [".md", ".txt", ".toml", "checksum", ".sha256"].iter().any(|s| name.ends_with(s))
        || name.starts_with("license");
    if named || !note {
        files.push(path.to_owned());
    }
    Ok(())
}
