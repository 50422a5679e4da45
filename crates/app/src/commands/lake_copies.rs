//! `lake push`, `lake pull` and `lake check --at`: copies of a data folder in object storage.
//!
//! What is pushed does not change any more: files of the journal that nobody writes, closed hours of all layers of the lake, and checkpoints.
//! The database, settings and hours under way are not: the first two have their own ways to be kept, the last go with a later push.

use super::lake::of_folder;
use crate::cli::lake::{PullArgs, PushArgs};
use crate::config::Settings;
use crate::failure::Failure;
use crate::progress::{Progress, Unit};
use barograph_lake::journal::{closed_files, is_written};
use barograph_lake::layers::{LakeQuery, MANIFEST, hours};
use barograph_live::replay::journal_folder;
use barograph_objects::copy::{self, CopyFile, CopyFinding, CopyStep, PushPlan};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Folder of checkpoints below a data folder, and how their names end.
const CHECKPOINTS: (&str, &str) = ("checkpoint", "ckpt");

pub(super) fn push(args: &PushArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let folder = of_folder(args.folder.as_ref(), settings);
    let store = crate::objects::place(&args.to, settings)?;
    let chosen = Chosen::of(&folder)?;
    let shown = CopyShown::new("pushing");
    let now = crate::clock::now();
    let report = copy::push(store.as_ref(), &chosen.plan, args.verify, now, &|step| shown.step(step))?;
    drop(shown);
    let left = report.left.iter().map(|left| (left.key.as_str(), left.why.as_str()));
    let left: Vec<_> = left.chain(chosen.damaged.iter().map(|(key, why)| (key.as_str(), why.as_str()))).collect();
    for (key, why) in &left {
        writeln!(std::io::stderr(), "barograph: {key} was left: {why}")?;
    }
    let mut out = std::io::stdout().lock();
    if json {
        let left: Vec<_> = left.iter().map(|(key, why)| serde_json::json!({ "key": key, "why": why })).collect();
        let line = serde_json::json!({ "folder": folder, "place": store.place(), "manifest": report.manifest, "sent": report.sent, "sent_bytes": report.sent_bytes, "present": report.present, "under_way": chosen.under_way, "left": left, "objects": report.objects, "bytes": report.bytes });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let (sent, bytes) = (files(report.sent), mib(report.sent_bytes));
    writeln!(out, "{sent} sent ({bytes}), {} there already", report.present)?;
    writeln!(out, "{} has {} in all ({})", store.place(), files(report.objects), mib(report.bytes))?;
    if chosen.under_way > 0 {
        writeln!(out, "{} and hours are under way; a later push sends them", files(chosen.under_way))?;
    }
    Ok(())
}

pub(super) fn pull(args: &PullArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let store = crate::objects::place(&args.from, settings)?;
    if is_written(&journal_folder(&args.folder)) {
        return Err(Failure::usage(format!(
            "a process writes the journal in {}; stop it, or name another folder",
            args.folder.display()
        )));
    }
    let shown = CopyShown::new("pulling");
    let report = copy::pull(store.as_ref(), &args.folder, args.replace, &|step| shown.step(step))?;
    drop(shown);
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::json!({ "folder": args.folder, "place": store.place(), "manifest": report.manifest, "came": report.came, "came_bytes": report.came_bytes, "present": report.present, "findings": found(&report.findings) });
        writeln!(out, "{line}")?;
    } else {
        report.findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
        let (came, bytes) = (files(report.came), mib(report.came_bytes));
        writeln!(out, "{came} came ({bytes}), {} there already, all verified", report.present)?;
    }
    ended(&report.findings)
}

pub(super) fn check(at: &str, folder: Option<&Path>, settings: &Settings, json: bool) -> Result<(), Failure> {
    let store = crate::objects::place(at, settings)?;
    let chosen = folder.map(Chosen::of).transpose()?;
    let compared = folder.zip(chosen.as_ref()).map(|(folder, chosen)| (folder, chosen.plan.files.as_slice()));
    let shown = CopyShown::new("checking");
    let report = copy::check(store.as_ref(), compared, &|step| shown.step(step))?;
    drop(shown);
    let mut out = std::io::stdout().lock();
    if json {
        let line = serde_json::json!({ "place": store.place(), "folder": folder, "manifest": report.manifest, "objects": report.objects, "bytes": report.bytes, "findings": found(&report.findings) });
        writeln!(out, "{line}")?;
    } else {
        report.findings.iter().try_for_each(|finding| writeln!(out, "{finding}"))?;
        if report.findings.is_empty() {
            let (objects, bytes) = (files(report.objects), mib(report.bytes));
            let and = folder.map(|folder| format!(", and so is {}", folder.display())).unwrap_or_default();
            writeln!(out, "{objects} read ({bytes}): {} is as its manifest says{and}", store.place())?;
        }
    }
    ended(&report.findings)
}

/// What of a folder goes into a copy.
#[derive(Default)]
struct Chosen {
    plan: PushPlan,
    /// Files of the journal and hours of the lake that are not complete yet.
    under_way: u64,
    /// Hours that cannot be read, and why.
    damaged: Vec<(String, String)>,
}

impl Chosen {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let mut chosen = Self::default();
        let journal = closed_files(&journal_folder(folder)).map_err(|e| Failure::broken(crate::failure::chain(&e)))?;
        chosen.under_way = journal.open.len() as u64;
        for path in journal.closed {
            chosen.add(folder, &path)?;
        }
        for hour in hours(folder, &LakeQuery::default())? {
            match hour.manifest() {
                Ok(Some(manifest)) => {
                    let names = manifest.files.iter().map(|file| file.name.as_str()).chain([MANIFEST]);
                    for name in names {
                        chosen.add(folder, &hour.folder.join(name))?;
                    }
                    chosen.plan.whole.push(format!("{}/", key_of(folder, &hour.folder)?));
                }
                Ok(None) => chosen.under_way += 1,
                Err(e) => chosen.damaged.push((key_of(folder, &hour.folder)?, crate::failure::chain(&e))),
            }
        }
        let (checkpoints, ending) = CHECKPOINTS;
        if let Ok(entries) = std::fs::read_dir(folder.join(checkpoints)) {
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_some_and(|e| e == ending) {
                    chosen.add(folder, &path)?;
                }
            }
            // Two are kept, and the copy has those two: older ones serve nobody.
            chosen.plan.whole.push(format!("{checkpoints}/"));
        }
        chosen.plan.files.sort();
        if chosen.plan.files.is_empty() && chosen.under_way == 0 && chosen.damaged.is_empty() {
            return Err(Failure::usage(format!(
                "{} holds no journal, no lake and no checkpoint; name another folder",
                folder.display()
            )));
        }
        Ok(chosen)
    }

    fn add(&mut self, folder: &Path, path: &Path) -> Result<(), Failure> {
        self.plan.files.push(CopyFile { key: key_of(folder, path)?, path: path.to_owned() });
        Ok(())
    }
}

/// The path below a folder, with `/`.
fn key_of(folder: &Path, path: &Path) -> Result<String, Failure> {
    let names =
        path.strip_prefix(folder).map(|below| below.iter().map(|name| name.to_str()).collect::<Option<Vec<_>>>());
    let names = names.ok().flatten();
    names
        .map(|names| names.join("/"))
        .ok_or_else(|| Failure::usage(format!("{} has a name that is not UTF-8; rename it", path.display())))
}

fn found(findings: &[CopyFinding]) -> Vec<serde_json::Value> {
    findings.iter().map(|f| serde_json::json!({ "key": f.key, "what": f.what })).collect()
}

fn ended(findings: &[CopyFinding]) -> Result<(), Failure> {
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::No("1 finding".to_owned())),
        n => Err(Failure::No(format!("{n} findings"))),
    }
}

fn files(n: u64) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}

/// Mebibytes with one digit, by whole numbers.
fn mib(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// The progress line, fed by several threads.
struct CopyShown {
    what: &'static str,
    state: Mutex<(u64, Option<Progress>)>,
}

impl CopyShown {
    const fn new(what: &'static str) -> Self {
        Self { what, state: Mutex::new((0, None)) }
    }

    fn step(&self, step: CopyStep) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            CopyStep::Size(total) => *state = (0, Some(Progress::new(total, self.what, Unit::Bytes))),
            CopyStep::Done(bytes) => {
                state.0 += bytes;
                let done = state.0;
                if let Some(progress) = &mut state.1 {
                    progress.set(done);
                }
            }
        }
    }
}
