//! One writer per role: an advisory lock on `<data>/<role>.lock`, with the holder's process id in it.
//!
//! The operating system drops the lock when its holder dies, however it dies, so a lock is never stale; the id in the
//! file only serves the message.

use crate::sql::fault;
use crate::{Error, Result, WriterRole};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Held as long as this lives.
#[derive(Debug)]
pub(crate) struct RoleLock {
    file: File,
}

impl RoleLock {
    /// Takes the locks of some roles or says who has one. That of a group is both of a writer of all markets: a file has one
    /// writer of markets at a time.
    pub(crate) fn take_all(folder: &Path, roles: &[WriterRole]) -> Result<Vec<Self>> {
        let mut all: Vec<WriterRole> = Vec::new();
        for role in roles {
            match role {
                WriterRole::Group(_) => all.extend(WriterRole::ALL),
                WriterRole::Ingest | WriterRole::Context | WriterRole::Delivery => all.push(*role),
            }
        }
        all.into_iter().map(|role| Self::take(folder, role)).collect()
    }

    fn take(folder: &Path, role: WriterRole) -> Result<Self> {
        let path = folder.join(format!("{}.lock", role.name()));
        let at = |e| fault::io(path.clone(), e);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(e)) => return Err(at(e)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(Error::Locked { role: role.name(), pid, path });
            }
        }
        file.set_len(0).map_err(at)?;
        file.rewind().map_err(at)?;
        writeln!(file, "{}", std::process::id()).map_err(at)?;
        Ok(Self { file })
    }
}

impl Drop for RoleLock {
    /// A child process that was being started holds a copy of every descriptor until it runs its program: closing ours alone
    /// would leave the role taken for that long.
    fn drop(&mut self) {
        // A lock that cannot be let go ends with the file.
        drop(self.file.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_descriptor_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = RoleLock::take(dir.path(), WriterRole::Ingest).unwrap();
        let _copy = first.file.try_clone().unwrap();
        RoleLock::take(dir.path(), WriterRole::Ingest).unwrap_err();
        drop(first);
        RoleLock::take(dir.path(), WriterRole::Ingest).unwrap();
    }
}
