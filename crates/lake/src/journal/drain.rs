//! The writer thread: takes jobs in order, packs, appends, syncs. The first failure ends it.

use super::block::{Kind, Marker, Packer};
use super::disk::{Disk, DiskFile};
use super::queue::{Job, Shared, Text};
use barograph_domain::Ts;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct Drain {
    shared: Arc<Shared>,
    disk: Box<dyn Disk>,
    packer: Packer,
    files: BTreeMap<u64, OpenFile>,
    /// Folders with names in them that are not yet known to be on the device.
    folders: BTreeSet<PathBuf>,
    out: Vec<u8>,
}

struct OpenFile {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    /// The header line, until it is written with the first lines.
    header: Option<Vec<u8>>,
    first: Ts,
    last: Ts,
    lines: u32,
    next_line: u64,
    dirty: bool,
}

/// A failure with the file it happened to.
type Failure = (PathBuf, io::Error);

impl Drain {
    pub(super) fn new(shared: Arc<Shared>, disk: Box<dyn Disk>, level: i32) -> io::Result<Self> {
        Ok(Self {
            shared,
            disk,
            packer: Packer::new(level)?,
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            out: Vec::new(),
        })
    }

    /// Works until asked to stop, or until something fails.
    pub(super) fn run(mut self) {
        // Whoever waits must hear of a panic as of any other failure.
        let guard = Guard(Arc::clone(&self.shared));
        while let Some(job) = guard.0.pop() {
            if let Err((path, e)) = self.job(job) {
                guard.0.fail(format!("'{}': {e}", path.display()));
                return;
            }
        }
    }

    fn job(&mut self, job: Job) -> Result<(), Failure> {
        match job {
            Job::Open { file, folder, stem, header, first } => self.open(file, &folder, &stem, header, first),
            Job::Lines { file, text } => self.lines(file, text),
            Job::Close { file } => self.close(file),
            Job::Mark { ticket, sync } => {
                if sync {
                    self.sync()?;
                }
                self.shared.mark(ticket);
                Ok(())
            }
        }
    }

    fn open(&mut self, id: u64, folder: &Path, stem: &str, header: Vec<u8>, first: Ts) -> Result<(), Failure> {
        let (path, file) = self.disk.create(folder, stem).map_err(|e| (folder.join(stem), e))?;
        // The folder of the day and that of the venue may be new too.
        self.folders.extend(folder.ancestors().take(3).map(Path::to_path_buf));
        let header = Some(header);
        let (lines, next_line) = (0, 0);
        let open = OpenFile { path, file, header, first, last: first, lines, next_line, dirty: false };
        self.files.insert(id, open);
        self.shared.files_open(self.files.len());
        Ok(())
    }

    fn lines(&mut self, id: u64, text: Text) -> Result<(), Failure> {
        let Some(open) = self.files.get_mut(&id) else { return Err(unknown(id)) };
        self.out.clear();
        let at = |e| (open.path.clone(), e);
        let marker = Marker {
            kind: Kind::Lines,
            packed: 0,
            raw: 0,
            first_line: text.first_line,
            lines: text.lines,
            first: text.first,
            last: text.last,
        };
        if let Some(header) = open.header.take() {
            let marker = Marker { kind: Kind::Header, lines: 0, last: text.first, ..marker };
            self.packer.append(&mut self.out, marker, &header).map_err(at)?;
        }
        self.packer.append(&mut self.out, marker, &text.bytes).map_err(at)?;
        open.file.append(&self.out).map_err(at)?;
        open.last = text.last;
        open.lines = open.lines.saturating_add(text.lines);
        open.next_line = text.first_line + u64::from(text.lines);
        open.dirty = true;
        self.shared.wrote(text.bytes, self.out.len() as u64);
        self.out.shrink_to(1 << 20);
        Ok(())
    }

    fn close(&mut self, id: u64) -> Result<(), Failure> {
        let Some(mut open) = self.files.remove(&id) else { return Err(unknown(id)) };
        self.out.clear();
        Packer::end(&mut self.out, open.next_line, open.lines, open.first, open.last);
        open.file.append(&self.out).map_err(|e| (open.path.clone(), e))?;
        open.file.sync().map_err(|e| (open.path.clone(), e))?;
        self.sync_folders()?;
        self.shared.files_open(self.files.len());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Failure> {
        for open in self.files.values_mut().filter(|f| f.dirty) {
            open.file.sync().map_err(|e| (open.path.clone(), e))?;
            open.dirty = false;
        }
        self.sync_folders()
    }

    fn sync_folders(&mut self) -> Result<(), Failure> {
        while let Some(folder) = self.folders.pop_first() {
            self.disk.sync_folder(&folder).map_err(|e| (folder, e))?;
        }
        Ok(())
    }
}

fn unknown(id: u64) -> Failure {
    (PathBuf::new(), io::Error::other(format!("file number {id} is not open")))
}

struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the writer thread panicked".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControlRecord, Error, JournalConfig, JournalWriter};
    use super::*;
    use barograph_domain::Span;
    use std::sync::Mutex;

    /// A device with room for so many bytes; what reached it stays readable.
    struct Small {
        room: usize,
        syncs_fail: bool,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Disk for Small {
        fn create(&mut self, folder: &Path, stem: &str) -> io::Result<(PathBuf, Box<dyn DiskFile>)> {
            let file = Self { written: Arc::clone(&self.written), ..*self };
            Ok((folder.join(stem), Box::new(file)))
        }
        fn sync_folder(&mut self, _folder: &Path) -> io::Result<()> {
            Ok(())
        }
    }

    impl DiskFile for Small {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut written = self.written.lock().unwrap();
            let fits = bytes.len().min(self.room - written.len());
            written.extend_from_slice(&bytes[..fits]);
            if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
        fn sync(&mut self) -> io::Result<()> {
            if self.syncs_fail { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
        }
    }

    /// Writes ticks until the writer fails; how many were flushed, and what it said.
    fn until_it_fails(room: usize, syncs_fail: bool) -> (i64, Error, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let disk = Small { room, syncs_fail, written: Arc::clone(&written) };
        let mut writer = JournalWriter::open_on(JournalConfig::new(dir.path()), Ts(1), Box::new(disk)).unwrap().0;
        let mut n = 0;
        let error = loop {
            let at = Ts(1) + Span::millis(100 * (n + 1));
            if let Err(e) =
                writer.control(at, &ControlRecord::Tick).and_then(|()| writer.flush()).and_then(|t| t.wait())
            {
                break e;
            }
            n += 1;
            assert!(n < 10_000, "it never failed");
        };
        assert!(matches!(writer.control(Ts::MAX, &ControlRecord::Tick), Err(Error::Poisoned { .. })));
        assert!(writer.connection("v", "c", 0, Ts::MAX).is_err());
        assert!(writer.close().is_err());
        let written = written.lock().unwrap().clone();
        (n, error, written)
    }

    #[test]
    fn a_full_device_poisons_the_writer_and_keeps_what_was_flushed() {
        for room in [0, 10, 300, 301, 2_000] {
            let (flushed, error, written) = until_it_fails(room, false);
            assert!(error.to_string().contains("after a failed write"), "{error}");
            assert_eq!(written.len(), room);
            let mut text = Vec::new();
            // Ends with an error where the device was full.
            let read = zstd::stream::copy_decode(&written[..], &mut text);
            assert!(room == 0 || read.is_err());
            let lines = text.iter().filter(|b| **b == b'\n').count();
            assert_eq!(lines, if flushed == 0 { lines.min(1) } else { usize::try_from(flushed).unwrap() + 1 });
        }
    }

    #[test]
    fn a_failed_sync_poisons_the_writer_too() {
        let (flushed, error, _) = until_it_fails(1 << 20, true);
        // The first sync is due ten seconds in.
        assert_eq!(flushed, 99 + 1);
        assert!(error.to_string().contains("make room"), "{error}");
    }
}
