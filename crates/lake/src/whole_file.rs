//! A file that appears whole or not at all: written under a temporary name beside its place, synced and renamed; what was not finished
//! is taken away again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The place of a file and where it is written until it is whole.
#[derive(Debug)]
pub struct WholeFile {
    /// Taken away when this is dropped before the file is in its place.
    temporary: PathBuf,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file; what has been left under the temporary name is written over.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn begin(path: &Path) -> io::Result<(Self, File)> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let temporary = path.with_file_name(name);
        let file = File::create(&temporary)?;
        Ok((Self { temporary, path: path.to_owned() }, file))
    }

    /// Puts the file in its place; one that was there is gone then.
    ///
    /// # Errors
    /// When it cannot be synced or renamed.
    pub fn finish(self, file: &File) -> io::Result<()> {
        file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        // After a rename there is nothing under this name.
        drop(std::fs::remove_file(&self.temporary));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_was_not_finished_leaves_nothing_and_takes_nothing_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "before").unwrap();
        let (whole, mut file) = WholeFile::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(whole);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        let (whole, mut file) = WholeFile::begin(&path).unwrap();
        file.write_all(b"after").unwrap();
        whole.finish(&file).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "after");
    }
}
