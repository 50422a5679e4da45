//! A data folder on a network file system is refused: locks that keep two processes apart do not hold there between machines, and the
//! database's log lives in memory that only one machine sees. What is written there may be lost or torn without a word.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// File systems of other machines, by the names that the kernel has for them.
const REMOTE: [&str; 14] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "beegfs",
    "gpfs",
    "davfs",
    "coda",
];
/// The same behind FUSE.
const REMOTE_FUSE: [&str; 9] =
    ["sshfs", "s3fs", "rclone", "gcsfuse", "glusterfs", "ceph", "juicefs", "davfs", "goofys"];

/// Refuses a folder that lies on another machine. Where the system does not say what is mounted, nothing is known against it.
pub(crate) fn refuse(folder: &Path) -> Result<(), Failure> {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else { return Ok(()) };
    let Some(place) = existing(folder) else { return Ok(()) };
    match remote(&place, &mounts) {
        None => Ok(()),
        Some((kind, at)) => Err(Failure::usage(format!(
            "the data folder {} is on a network file system ({kind}, mounted at {at}): locks and the database's log cannot be relied on \
             there; choose a folder on this machine with --data, or keep the database on a server with --db-url",
            folder.display()
        ))),
    }
}

/// The folder without links, or the nearest above it that exists.
fn existing(folder: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(folder).ok()?;
    whole.ancestors().find_map(|place| std::fs::canonicalize(place).ok())
}

/// The remote file system that a place lies on, with where it is mounted; of several at one place the last holds (proc(5)).
fn remote(place: &Path, mounts: &str) -> Option<(String, String)> {
    let mut found: Option<(usize, String, String)> = None;
    for line in mounts.lines() {
        let Some((own, of_kind)) = line.split_once(" - ") else { continue };
        let (Some(at), Some(kind)) = (own.split(' ').nth(4), of_kind.split(' ').next()) else { continue };
        let at = plain(at);
        let depth = Path::new(&at).components().count();
        if place.starts_with(&at) && found.as_ref().is_none_or(|(known, ..)| depth >= *known) {
            found = Some((depth, kind.to_owned(), at));
        }
    }
    let (_, kind, at) = found?;
    let is_remote = match kind.strip_prefix("fuse.") {
        Some(behind) => REMOTE_FUSE.contains(&behind),
        None => REMOTE.contains(&kind.as_str()),
    };
    is_remote.then_some((kind, at))
}

/// Blanks and backslashes are written as octal numbers.
fn plain(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, meant)| text.replace(code, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:40 / /srv/share rw - nfs4 filer:/x rw,vers=4.2\n\
        31 30 8:2 / /srv/share/local rw - xfs /dev/sdb1 rw\n\
        32 22 0:50 / /srv/with\\040blank rw - cifs //h/s rw\n\
        33 22 0:51 / /srv/me/far rw - fuse.sshfs me@h: rw\n\
        34 22 0:52 / /srv/me/near rw - fuse.bindfs / rw\n\
        35 22 0:53 / /twice rw - nfs a:/ rw\n\
        36 22 0:54 / /twice rw - tmpfs tmpfs rw\n\
        torn line\n";

    #[test]
    fn a_folder_of_another_machine_is_known_by_where_it_lies() {
        for (place, want) in [
            ("/var/lib/barograph", None),
            ("/srv/share", Some("nfs4")),
            ("/srv/share/data/a", Some("nfs4")),
            ("/srv/shared", None),
            ("/srv/share/local/data", None),
            ("/srv/with blank/data", Some("cifs")),
            ("/srv/me/far/data", Some("fuse.sshfs")),
            ("/srv/me/near/data", None),
            ("/twice/data", None),
        ] {
            assert_eq!(remote(Path::new(place), MOUNTS).map(|(kind, _)| kind).as_deref(), want, "{place}");
        }
        assert_eq!(remote(Path::new("/x"), ""), None);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_lies_where_it_will_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("not/yet");
        assert_eq!(existing(&place), folder.path().canonicalize().ok());
        assert!(refuse(&place).is_ok());
    }
}
