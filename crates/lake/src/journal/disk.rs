//! The few things the writer thread does with a file system, so that a test can put a failing one in its place.

use super::layout::next_number;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where files are made.
pub(super) trait Disk: Send {
    /// Makes the next file of this name; never opens one that exists.
    fn create(&mut self, folder: &Path, stem: &str) -> io::Result<(PathBuf, Box<dyn DiskFile>)>;
    /// Makes the entries of a folder outlast a power failure.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
}

/// One file being written.
pub(super) trait DiskFile: Send {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes the content outlast a power failure.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Next number by folder and name; forgotten when large, because the folder itself knows.
    next: BTreeMap<(PathBuf, String), u64>,
}

/// A day of a thousand connections; beyond that, days gone by are what fills the map.
const NAMES_MAX: usize = 4_096;

impl Disk for Files {
    fn create(&mut self, folder: &Path, stem: &str) -> io::Result<(PathBuf, Box<dyn DiskFile>)> {
        std::fs::create_dir_all(folder)?;
        if self.next.len() >= NAMES_MAX {
            self.next.clear();
        }
        let key = (folder.to_path_buf(), stem.to_owned());
        let mut n = match self.next.get(&key) {
            Some(n) => *n,
            None => next_number(folder, stem)?,
        };
        loop {
            let path = folder.join(format!("{stem}{n}.zst"));
            n += 1;
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    self.next.insert(key, n);
                    return Ok((path, Box::new(file)));
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
