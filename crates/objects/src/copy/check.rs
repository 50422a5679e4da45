//! Whether a copy is what its manifest says, byte for byte.

use super::each::each;
use super::manifest::{CopyEntry, newest};
use super::pull::digest_of;
use super::{CopyFile, CopyProgress, CopyStep};
use crate::{Error, ObjectStore, Result};
use core::fmt;
use std::path::Path;

/// Something that is not as it has to be.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CopyFinding {
    /// Key of the object.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for CopyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most reasons begin with the key.
        if self.what.starts_with(&format!("'{}'", self.key)) {
            return f.write_str(&self.what);
        }
        write!(f, "'{}': {}", self.key, self.what)
    }
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CopyCheck {
    /// Objects that were read.
    pub objects: u64,
    /// Bytes of them by the manifest.
    pub bytes: u64,
    /// What is wrong, by key.
    pub findings: Vec<CopyFinding>,
    /// Key of the manifest.
    pub manifest: String,
}

/// Reads every object of the newest manifest and compares size and digest. With a folder and its complete files, the files too: one that is
/// missing or another is a finding, and so is one that was not pushed.
///
/// # Errors
/// When nothing was pushed, or the place or the folder cannot be read.
pub fn check(
    store: &dyn ObjectStore,
    folder: Option<(&Path, &[CopyFile])>,
    progress: CopyProgress<'_>,
) -> Result<CopyCheck> {
    let Some(manifest) = newest(store)? else {
        return Err(Error::Absent { key: "manifests/".to_owned(), place: store.place() });
    };
    let bytes = manifest.bytes();
    progress(CopyStep::Size(bytes));
    let objects: Vec<_> = manifest.objects.iter().collect();
    let found = each(&objects, |(key, entry)| {
        let mut found: Vec<CopyFinding> = check_object(store, key, **entry)?.into_iter().collect();
        if let Some((folder, _)) = folder {
            found.extend(check_file(folder, key, **entry)?);
        }
        progress(CopyStep::Done(entry.size));
        Ok(found)
    })?;
    let mut findings: Vec<_> = found.into_iter().flatten().collect();
    for file in folder.map_or(&[][..], |(_, files)| files) {
        if !manifest.objects.contains_key(&file.key) {
            findings.push(CopyFinding { key: file.key.clone(), what: "it was not pushed yet".to_owned() });
        }
    }
    findings.sort();
    Ok(CopyCheck { objects: objects.len() as u64, bytes, findings, manifest: manifest.key() })
}

/// Reads an object and compares it with its entry; `None` where all is well.
pub(super) fn check_object(store: &dyn ObjectStore, key: &str, entry: CopyEntry) -> Result<Option<CopyFinding>> {
    let mut tally = crate::TallyingWriter::new(std::io::sink());
    let what = match store.get_into(key, &mut tally) {
        Ok(_) => {
            let (found, _) = tally.finish();
            let wrong = Error::Digest { key: key.to_owned(), expected: entry.sha256, found };
            (found != entry.sha256).then(|| wrong.to_string())
        }
        Err(e @ (Error::Digest { .. } | Error::Absent { .. } | Error::Damaged { .. })) => Some(e.to_string()),
        Err(e) => return Err(e),
    };
    Ok(what.map(|what| CopyFinding { key: key.to_owned(), what }))
}

fn check_file(folder: &Path, key: &str, entry: CopyEntry) -> Result<Option<CopyFinding>> {
    let path = folder.join(key);
    let what = match digest_of(&path)? {
        Some((found, _)) if found == entry.sha256 => return Ok(None),
        Some((found, _)) => {
            format!(
                "the file '{}' is another: its SHA-256 is {found}, in the copy it is {}",
                path.display(),
                entry.sha256
            )
        }
        None => format!("the file '{}' is missing", path.display()),
    };
    Ok(Some(CopyFinding { key: key.to_owned(), what }))
}
