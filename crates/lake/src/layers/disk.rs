//! The few things the lake does with a file system, so that a test can put a failing one in its place.

use super::{LayerError, LayerResult};
use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where files are made.
pub(super) trait LakeDisk: Send + Debug {
    /// Makes a folder and those above it, and makes their entries outlast a power failure.
    fn make_folder(&mut self, folder: &Path) -> io::Result<()>;
    /// Makes an empty file; one that is there is emptied.
    fn create(&mut self, path: &Path) -> io::Result<Box<dyn LakeFile>>;
    /// Puts a file in a place; one that was there is gone then.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&mut self, path: &Path) -> io::Result<()>;
    /// Makes the entries of a folder outlast a power failure.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
}

/// One file being written.
pub(super) trait LakeFile: Write + Send + Debug {
    /// Makes the content outlast a power failure.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real one.
#[derive(Debug, Default)]
pub(super) struct RealDisk;

impl LakeDisk for RealDisk {
    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.is_dir()).collect();
        std::fs::create_dir_all(folder)?;
        for made in missing {
            if let Some(above) = made.parent().filter(|p| !p.as_os_str().is_empty()) {
                self.sync_folder(above)?;
            }
        }
        Ok(())
    }

    fn create(&mut self, path: &Path) -> io::Result<Box<dyn LakeFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl LakeFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// What a file is called until it is whole.
pub(super) const PARTIAL: &str = ".partial";

/// The temporary name of a file.
pub(super) fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(PARTIAL);
    path.with_file_name(name)
}

/// Puts a synced temporary file in its place, so that the place outlasts a power failure too.
pub(super) fn settle(disk: &mut dyn LakeDisk, path: &Path) -> LayerResult<()> {
    disk.rename(&partial(path), path).map_err(LayerError::io(path))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(LayerError::io(folder))
}

/// Writes a small file whole or not at all.
pub(super) fn put(disk: &mut dyn LakeDisk, path: &Path, bytes: &[u8]) -> LayerResult<()> {
    let temporary = partial(path);
    let mut file = disk.create(&temporary).map_err(LayerError::io(&temporary))?;
    file.write_all(bytes).and_then(|()| file.sync()).map_err(LayerError::io(&temporary))?;
    drop(file);
    settle(disk, path)
}
