//! Objects back to files.

use super::each::each;
use super::manifest::{CopyEntry, newest};
use super::{CopyFinding, CopyProgress, CopyStep};
use crate::{Error, ObjectDigest, ObjectStore, Result, TallyingWriter};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// What a pull did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PullReport {
    /// Files that came.
    pub came: u64,
    /// Bytes of those.
    pub came_bytes: u64,
    /// Files that were there already, read and found the same.
    pub present: u64,
    /// What is not as the manifest says, or was left as it is.
    pub findings: Vec<CopyFinding>,
    /// Key of the manifest.
    pub manifest: String,
}

enum Pulled {
    Came(u64),
    Present,
    Not(CopyFinding),
}

/// Brings every object of the newest manifest into a folder, each under a temporary name that is renamed once its digest is right. Files
/// that are there with the right digest are left; others under the same name too, with a finding, unless `replace`.
///
/// # Errors
/// When nothing was pushed, the place fails or a file cannot be written. Damaged and missing objects are findings, and the others come.
pub fn pull(store: &dyn ObjectStore, folder: &Path, replace: bool, progress: CopyProgress<'_>) -> Result<PullReport> {
    let Some(manifest) = newest(store)? else {
        return Err(Error::Absent { key: "manifests/".to_owned(), place: store.place() });
    };
    progress(CopyStep::Size(manifest.bytes()));
    let objects: Vec<_> = manifest.objects.iter().collect();
    let pulled = each(&objects, |(key, entry)| {
        let pulled = pull_one(store, folder, key, **entry, replace)?;
        progress(CopyStep::Done(entry.size));
        Ok(pulled)
    })?;
    let mut report = PullReport { manifest: manifest.key(), ..PullReport::default() };
    for pulled in pulled {
        match pulled {
            Pulled::Came(bytes) => {
                report.came += 1;
                report.came_bytes += bytes;
            }
            Pulled::Present => report.present += 1,
            Pulled::Not(finding) => report.findings.push(finding),
        }
    }
    Ok(report)
}

fn pull_one(store: &dyn ObjectStore, folder: &Path, key: &str, entry: CopyEntry, replace: bool) -> Result<Pulled> {
    let path = folder.join(key);
    let finding = |what: String| Ok(Pulled::Not(CopyFinding { key: key.to_owned(), what }));
    match digest_of(&path)? {
        Some((sha256, _)) if sha256 == entry.sha256 => return Ok(Pulled::Present),
        Some(_) if !replace => {
            return finding(format!(
                "'{}' is another file and was left; move it away, or replace such files",
                path.display()
            ));
        }
        Some(_) | None => {}
    }
    let above = path.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(Error::io(above))?;
    let temporary = Partial::of(&path);
    let file = File::create(&temporary.0).map_err(Error::io(&temporary.0))?;
    let mut out = TallyingWriter::new(BufWriter::new(file));
    match store.get_into(key, &mut out) {
        Ok(_) => {}
        Err(e @ (Error::Digest { .. } | Error::Absent { .. } | Error::Damaged { .. })) => {
            return finding(e.to_string());
        }
        Err(e) => return Err(e),
    }
    let synced = out.flush().and_then(|()| out.inner().get_ref().sync_all());
    synced.map_err(Error::io(&temporary.0))?;
    let (found, size) = out.finish();
    if found != entry.sha256 {
        let e = Error::Digest { key: key.to_owned(), expected: entry.sha256, found };
        return finding(e.to_string());
    }
    let renamed = fs::rename(&temporary.0, &path).and_then(|()| File::open(above)?.sync_all());
    renamed.map_err(Error::io(&path))?;
    Ok(Pulled::Came(size))
}

/// Digest and size of a file; `None` where there is none.
pub(super) fn digest_of(path: &Path) -> Result<Option<(ObjectDigest, u64)>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path)(e)),
    };
    ObjectDigest::of_reader(&mut file).map(Some).map_err(Error::io(path))
}

/// A file that is not whole yet, taken away when this is dropped. One that a killed pull left is written over.
struct Partial(PathBuf);

impl Partial {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self(path.with_file_name(format!(".{name}.partial")))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After a rename there is nothing under this name.
        drop(fs::remove_file(&self.0));
    }
}
