//! A data folder on a network file system is refused: locks that keep two processes apart do not hold there between machines, and the
//! database's log lives in memory that only one machine sees. What is written there may be lost or torn without a word.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// File systems of other machines, by the names that the kernel has for them. 9p is how virtual machines and WSL reach their host: it
/// shares no memory between processes.
const REMOTE: [&str; 17] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "orangefs",
    "pvfs2",
    "smb3",
    "smbfs",
];
/// The same behind FUSE: by its own name for what is mounted, or, where it has none, by who mounts it.
const REMOTE_FUSE: [&str; 24] = [
    "alluxio-fuse",
    "blobfuse",
    "blobfuse2",
    "ceph",
    "ceph-fuse",
    "curlftpfs",
    "davfs",
    "davfs2",
    "gcsfuse",
    "geesefs",
    "glusterfs",
    "goofys",
    "juicefs",
    "lizardfs",
    "mfs",
    "mfsmount",
    "moosefs",
    "mount-s3",
    "mountpoint-s3",
    "objectivefs",
    "rclone",
    "s3fs",
    "seaweedfs",
    "sshfs",
];

/// Refuses a folder that lies on another machine. Where the system does not say what is mounted, nothing is known against it.
pub(crate) fn refuse(folder: &Path) -> Result<(), Failure> {
    std::fs::read_to_string("/proc/self/mountinfo").map_or(Ok(()), |mounts| refuse_by(folder, &mounts))
}

fn refuse_by(folder: &Path, mounts: &str) -> Result<(), Failure> {
    let Some(place) = existing(folder) else { return Ok(()) };
    match remote(&place, mounts) {
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
    let mut found: Option<(usize, [&str; 2], String)> = None;
    for line in mounts.lines() {
        let Some((own, of_kind)) = line.split_once(" - ") else { continue };
        let mut of_kind = of_kind.split(' ');
        let (Some(at), Some(kind)) = (own.split(' ').nth(4), of_kind.next()) else { continue };
        let at = plain(at);
        let depth = Path::new(&at).components().count();
        if place.starts_with(&at) && found.as_ref().is_none_or(|(known, ..)| depth >= *known) {
            found = Some((depth, [kind, of_kind.next().unwrap_or_default()], at));
        }
    }
    let (_, [kind, source], at) = found?;
    let behind = kind.strip_prefix("fuse.").or_else(|| (kind == "fuse").then_some(source));
    let is_remote = match behind {
        // An address is of another machine, whoever mounts it: davfs2 gives nothing else.
        Some(behind) => REMOTE_FUSE.contains(&behind) || behind.contains("://"),
        None => REMOTE.contains(&kind),
    };
    is_remote.then(|| (if kind == "fuse" { format!("fuse, {source}") } else { kind.to_owned() }, at))
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
        37 22 0:55 / /srv/bucket rw - fuse mountpoint-s3 rw\n\
        38 22 0:56 / /srv/dav rw - fuse https://h/dav/ rw\n\
        39 22 0:57 / /srv/ntfs rw - fuse /dev/sdc1 rw\n\
        40 22 0:58 / /srv/ceph rw - fuse.ceph-fuse ceph-fuse rw\n\
        41 22 0:59 / /srv/host rw - 9p share rw\n\
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
            ("/srv/bucket/data", Some("fuse, mountpoint-s3")),
            ("/srv/dav/data", Some("fuse, https://h/dav/")),
            ("/srv/ntfs/data", None),
            ("/srv/ceph/data", Some("fuse.ceph-fuse")),
            ("/srv/host/data", Some("9p")),
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
        let mounted = folder.path().canonicalize().unwrap().display().to_string().replace(' ', "\\040");
        let mounts = format!("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / {mounted} rw - nfs4 filer:/x rw");
        let why = refuse_by(&place, &mounts).unwrap_err();
        let why = why.text().unwrap_or_default();
        for part in ["not/yet is on a network file system (nfs4, mounted at", "--data", "--db-url"] {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
}
