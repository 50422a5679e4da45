//! Objects as files below a folder, for a disk that several machines share and for tests.
//!
//! A file is written under a temporary name that begins with a dot, synced and renamed, so it is whole under its key or not there. Its
//! digest stands beside it in `<key>.sha256`, in the form that `sha256sum --check` reads. While an object is replaced it has no digest for
//! a moment, never a wrong one. What a killed process leaves is a hidden `.partial` file, which nothing here reads.

use crate::key::{DIGEST_ENDING, check_key, is_key};
use crate::{Error, ListedObject, ObjectDigest, ObjectHead, ObjectSource, ObjectStore, Result, TallyingWriter};
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes copied at once.
const PIECE: usize = 1 << 20;
/// Numbers of temporary files of this process.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// Objects below a folder, which is made with the first of them.
#[derive(Clone, Debug)]
pub struct FolderObjects {
    root: PathBuf,
}

impl FolderObjects {
    /// Below this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        check_key(key)?;
        Ok(self.root.join(key))
    }

    /// Writes a source to a temporary file beside its place and syncs it.
    fn write(key: &str, path: &Path, source: &ObjectSource<'_>) -> Result<Temporary> {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let temporary = Temporary::beside(path);
        let file = File::create(&temporary.0).map_err(Error::io(&temporary.0))?;
        let mut out = TallyingWriter::new(file);
        let mut offset = 0;
        while offset < source.size() {
            let len = usize::try_from(source.size() - offset).unwrap_or(PIECE).min(PIECE);
            let piece = source.piece(key, offset, len)?;
            out.write_all(&piece).map_err(Error::io(&temporary.0))?;
            offset += len as u64;
        }
        out.sync().map_err(Error::io(&temporary.0))?;
        if out.finish().0 != source.sha256() {
            return Err(Error::Changed { key: key.to_owned() });
        }
        Ok(temporary)
    }

    /// Puts the digest beside an object that is in its place.
    fn note(path: &Path, sha256: ObjectDigest) -> Result<()> {
        let beside = digest_file(path);
        let temporary = Temporary::beside(&beside);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let written = File::create(&temporary.0).and_then(|mut file| {
            writeln!(file, "{sha256}  {name}")?;
            file.sync_all()?;
            fs::rename(&temporary.0, &beside)?;
            sync_folder(&beside)
        });
        written.map_err(Error::io(&beside))
    }

    /// The digest beside an object; `None` where there is none. One that cannot be read is damage.
    fn noted(key: &str, path: &Path) -> Result<Option<ObjectDigest>> {
        let beside = digest_file(path);
        match fs::read(&beside) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                let digest = text.split_whitespace().next().and_then(ObjectDigest::parse);
                let what = || format!("'{}' does not begin with a SHA-256", beside.display());
                Ok(Some(digest.ok_or_else(|| Error::Damaged { key: key.to_owned(), what: what() })?))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&beside)(e)),
        }
    }

    fn walk(&self, folder: &Path, key: &str, prefix: &str, found: &mut Vec<ListedObject>) -> Result<()> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io(folder)(e)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::io(folder))?;
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let key = if key.is_empty() { name } else { format!("{key}/{name}") };
            let path = entry.path();
            let meta = match fs::metadata(&path) {
                Ok(meta) => meta,
                // It was renamed or taken away meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(Error::io(&path)(e)),
            };
            if meta.is_dir() {
                let below = format!("{key}/");
                if below.starts_with(prefix) || prefix.starts_with(&below) {
                    self.walk(&path, &key, prefix, found)?;
                }
            } else if key.starts_with(prefix) && is_key(&key) {
                found.push(ListedObject { key, size: meta.len() });
            }
        }
        Ok(())
    }
}

impl ObjectStore for FolderObjects {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn put(&self, key: &str, source: &ObjectSource<'_>) -> Result<()> {
        let path = self.path(key)?;
        let temporary = Self::write(key, &path, source)?;
        remove(&digest_file(&path))?;
        fs::rename(&temporary.0, &path).and_then(|()| sync_folder(&path)).map_err(Error::io(&path))?;
        Self::note(&path, source.sha256())
    }

    fn put_if_absent(&self, key: &str, source: &ObjectSource<'_>) -> Result<bool> {
        let path = self.path(key)?;
        if path.exists() {
            return Ok(false);
        }
        let temporary = Self::write(key, &path, source)?;
        // A link is refused where the name is taken, which a rename is not.
        match fs::hard_link(&temporary.0, &path) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(Error::io(&path)(e)),
        }
        sync_folder(&path).map_err(Error::io(&path))?;
        Self::note(&path, source.sha256())?;
        Ok(true)
    }

    fn get_into(&self, key: &str, into: &mut dyn Write) -> Result<ObjectHead> {
        let path = self.path(key)?;
        // Before the bytes: an object that is replaced meanwhile has no digest then, or not the one of the new bytes.
        let expected = Self::noted(key, &path)?;
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Absent { key: key.to_owned(), place: self.place() });
            }
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let mut out = TallyingWriter::new(into);
        let mut piece = vec![0; PIECE];
        loop {
            let n = file.read(&mut piece).map_err(Error::io(&path))?;
            if n == 0 {
                break;
            }
            out.write_all(&piece[..n]).map_err(Error::io(Path::new(key)))?;
        }
        let (found, size) = out.finish();
        match expected.filter(|expected| *expected != found) {
            Some(expected) => Err(Error::Digest { key: key.to_owned(), expected, found }),
            None => Ok(ObjectHead { size, sha256: expected }),
        }
    }

    fn head(&self, key: &str) -> Result<Option<ObjectHead>> {
        let path = self.path(key)?;
        match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => Ok(Some(ObjectHead { size: meta.len(), sha256: Self::noted(key, &path)? })),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&path)(e)),
        }
    }

    fn list(&self, prefix: &str) -> Result<Vec<ListedObject>> {
        let mut found = Vec::new();
        self.walk(&self.root, "", prefix, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn delete(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        remove(&path)?;
        remove(&digest_file(&path))
    }
}

/// A temporary file beside its place, taken away when this is dropped.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        Self(path.with_file_name(format!(".{name}.{}-{number}.partial", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing under this name.
        drop(fs::remove_file(&self.0));
    }
}

impl TallyingWriter<File> {
    /// Everything that was written is on the device afterwards.
    fn sync(&self) -> io::Result<()> {
        self.inner().sync_all()
    }
}

fn digest_file(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(DIGEST_ENDING);
    path.with_file_name(name)
}

/// A new name of a file is on the device only with its folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io(path)(e)),
    }
}
