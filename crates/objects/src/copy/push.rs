//! Files of a folder to objects.

use super::check::check_object;
use super::each::each;
use super::manifest::{CopyEntry, CopyManifest, is_reserved, newest};
use super::{CopyProgress, CopyStep};
use crate::{Error, ObjectSource, ObjectStore, Result};
use barograph_domain::Ts;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file and its key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CopyFile {
    /// Its path in the folder, with `/`.
    pub key: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What is to be pushed.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PushPlan {
    /// Complete files: their content does not change any more.
    pub files: Vec<CopyFile>,
    /// Folders, as beginnings of keys that end in `/`, whose files are all in `files`: what an earlier push had of them and this one has not
    /// is no part of the copy any more. Its objects stay.
    pub whole: Vec<String>,
}

/// A file that was not pushed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftFile {
    /// Its key.
    pub key: String,
    /// Why it was left, as people read it.
    pub why: String,
}

/// What a push did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PushReport {
    /// Files that were sent, and their bytes.
    pub sent: u64,
    /// Bytes of those.
    pub sent_bytes: u64,
    /// Files that were there already with this digest.
    pub present: u64,
    /// Files that went away or changed meanwhile; the next push has them.
    pub left: Vec<LeftFile>,
    /// Objects of the copy now.
    pub objects: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// Key of the manifest that is the newest now; `None` where there is nothing to push and was nothing.
    pub manifest: Option<String>,
}

/// What became of a file.
enum Pushed {
    Sent(CopyEntry),
    Present(CopyEntry),
    Left(String),
}

/// Sends what is not there with the same digest, and writes a manifest where the copy is another than before. What an interrupted push sent
/// is not sent again. With `read_back` what is there counts only once its bytes were read and found to be right, and is sent again where
/// they are not. One push at a time to a place.
///
/// # Errors
/// When the place fails, or a key cannot be one. Files that change or go away are left and reported.
pub fn push(
    store: &dyn ObjectStore,
    plan: &PushPlan,
    read_back: bool,
    now: Ts,
    progress: CopyProgress<'_>,
) -> Result<PushReport> {
    if let Some(file) = plan.files.iter().find(|file| is_reserved(&file.key)) {
        return Err(Error::Key { key: file.key.clone(), why: "manifests of copies stand there" });
    }
    let before = newest(store)?;
    let there: BTreeMap<String, u64> = store.list("")?.into_iter().map(|object| (object.key, object.size)).collect();
    let sizes = plan.files.iter().map(|file| file.path.metadata().map_or(0, |meta| meta.len()));
    progress(CopyStep::Size(sizes.sum()));
    let known = before.as_ref().map(|manifest| &manifest.objects);
    let pushed = each(&plan.files, |file| {
        let entry = known.and_then(|known| known.get(&file.key)).copied();
        let pushed = push_one(store, file, there.get(&file.key).copied(), entry, read_back)?;
        if let Pushed::Sent(entry) | Pushed::Present(entry) = &pushed {
            progress(CopyStep::Done(entry.size));
        }
        Ok(pushed)
    })?;
    let mut report = PushReport::default();
    let mut fresh = BTreeMap::new();
    for (file, pushed) in plan.files.iter().zip(pushed) {
        let entry = match pushed {
            Pushed::Sent(entry) => {
                report.sent += 1;
                report.sent_bytes += entry.size;
                entry
            }
            Pushed::Present(entry) => {
                report.present += 1;
                entry
            }
            Pushed::Left(why) => {
                report.left.push(LeftFile { key: file.key.clone(), why });
                continue;
            }
        };
        fresh.insert(file.key.clone(), entry);
    }
    let objects = joined(known, &fresh, plan, &report.left);
    let is_changed = before.as_ref().is_none_or(|before| before.objects != objects) && !objects.is_empty();
    let manifest = if is_changed {
        // Later than the one before, whatever the clock says.
        let at = before.as_ref().map_or(now, |before| now.max(Ts(before.at.0 + 1)));
        let manifest = CopyManifest { at, objects };
        manifest.put(store)?;
        Some(manifest)
    } else {
        before
    };
    if let Some(manifest) = manifest {
        report.objects = manifest.objects.len() as u64;
        report.bytes = manifest.bytes();
        report.manifest = Some(manifest.key());
    }
    Ok(report)
}

fn push_one(
    store: &dyn ObjectStore,
    file: &CopyFile,
    there: Option<u64>,
    known: Option<CopyEntry>,
    read_back: bool,
) -> Result<Pushed> {
    let source = match ObjectSource::of_file(&file.path) {
        Ok(source) => source,
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Pushed::Left("it went away meanwhile".to_owned()));
        }
        Err(e) => return Err(e),
    };
    let entry = CopyEntry { size: source.size(), sha256: source.sha256() };
    if there == Some(entry.size) {
        let same = match known {
            Some(known) => known == entry,
            // An interrupted push has no manifest: the object itself knows its digest.
            None => store.head(&file.key)?.is_some_and(|head| head.sha256 == Some(entry.sha256)),
        };
        if same && (!read_back || check_object(store, &file.key, entry)?.is_none()) {
            return Ok(Pushed::Present(entry));
        }
    }
    match store.put(&file.key, &source) {
        Ok(()) => Ok(Pushed::Sent(entry)),
        Err(Error::Changed { .. }) => Ok(Pushed::Left("it changed while it was read".to_owned())),
        Err(Error::Io { source, path }) if source.kind() == std::io::ErrorKind::NotFound && path == file.path => {
            Ok(Pushed::Left("it went away meanwhile".to_owned()))
        }
        Err(e) => Err(e),
    }
}

/// What the copy has now: what it had, with what was pushed. A whole folder is taken as it is, unless a file of it was left: then it stays
/// as it was, because half of it would be neither.
fn joined(
    known: Option<&BTreeMap<String, CopyEntry>>,
    fresh: &BTreeMap<String, CopyEntry>,
    plan: &PushPlan,
    left: &[LeftFile],
) -> BTreeMap<String, CopyEntry> {
    let within = |folder: &str, key: &str| key.starts_with(folder);
    let (torn, whole): (Vec<&String>, Vec<&String>) =
        plan.whole.iter().partition(|folder| left.iter().any(|file| within(folder, &file.key)));
    let mut objects = known.cloned().unwrap_or_default();
    for folder in whole {
        let keys: Vec<String> =
            objects.range(folder.clone()..).map(|(key, _)| key).take_while(|k| within(folder, k)).cloned().collect();
        for key in keys {
            objects.remove(&key);
        }
    }
    let kept = fresh.iter().filter(|(key, _)| !torn.iter().any(|folder| within(folder, key)));
    objects.extend(kept.map(|(key, entry)| (key.clone(), *entry)));
    objects
}
