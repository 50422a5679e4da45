//! The writing side, owned by one thread.

use super::block::Content;
use super::config::{JournalConfig, JournalStats};
use super::disk::{Disk, Files};
use super::drain::Drain;
use super::escape::escape_into;
use super::lane::{Core, Lane};
use super::lock::WriterLock;
use super::queue::{Job, Shared, Ticket};
use super::record::{ControlRecord, write_line};
use super::recover::{RecoveredJournal, survey};
use super::{Error, REST, Result, layout};
use barograph_domain::Ts;
use barograph_venues::session::RequestId;
use std::thread::JoinHandle;

/// Largest frame or body. Coinbase's first level-2 message and Binance's instrument list, the largest seen, are a tenth of it.
pub const FRAME_BYTES_MAX: usize = 64 << 20;

/// Writes a journal. Frames and records are gathered per file on the calling thread and packed, written and synced by one
/// thread inside.
///
/// Stamps must increase strictly over all connections and control records, and beyond everything the folder already holds:
/// a reader that merges all files by stamp then gets back the order of processing. The one exception is a reply, which shares
/// its stamp with its body ([`Self::reply`]).
#[derive(Debug)]
pub struct JournalWriter {
    core: Core,
    lock: WriterLock,
    thread: Option<JoinHandle<()>>,
    control: Lane,
    lanes: Vec<Slot>,
    last: Option<Ts>,
    /// A reply record just written: its body may have the same stamp.
    reply: Option<(Ts, String)>,
    next_flush: Option<Ts>,
    next_sync: Option<Ts>,
    tickets: u64,
    stats: JournalStats,
}

/// An open connection of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileKey {
    slot: usize,
    /// Slots are used again; a key of an earlier use is refused.
    generation: u32,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    lane: Option<Lane>,
}

impl JournalWriter {
    /// Takes the folder and looks at what earlier processes left there. Files of others are never changed: what a crash cut
    /// off is reported, and new lines go into new files.
    ///
    /// # Errors
    /// When another process writes this journal, or the folder cannot be used.
    pub fn open(config: JournalConfig, now: Ts) -> Result<(Self, RecoveredJournal)> {
        Self::open_on(config, now, Box::<Files>::default())
    }

    pub(super) fn open_on(config: JournalConfig, now: Ts, disk: Box<dyn Disk>) -> Result<(Self, RecoveredJournal)> {
        if config.block_bytes == 0 || config.flush_every.0 <= 0 || config.sync_every.0 <= 0 {
            return Err(Error::Misuse("block size and flush and sync intervals must be positive".to_owned()));
        }
        std::fs::create_dir_all(&config.root).map_err(Error::io(&config.root))?;
        let lock = WriterLock::take(&config.root, now)?;
        let recovered = survey(&config.root)?;
        let shared = Shared::new(config.queue_bytes);
        let at_root = |e| Error::io(&config.root)(e);
        let drain = Drain::new(shared.clone(), disk, config.level).map_err(at_root)?;
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(|| drain.run()).map_err(at_root)?;
        let writer = Self {
            core: Core { config, shared, next_file: 0, bytes_raw: 0 },
            lock,
            thread: Some(thread),
            control: Lane::new(Content::Control, now),
            lanes: Vec::new(),
            last: recovered.last,
            reply: None,
            next_flush: None,
            next_sync: None,
            tickets: 0,
            stats: JournalStats::default(),
        };
        Ok((writer, recovered))
    }

    /// Begins a connection; `rank` is its place among the sources of the run. Its frames are numbered from 0. A file is made
    /// with the first frame.
    ///
    /// # Errors
    /// When a name cannot be part of a path.
    pub fn connection(&mut self, venue: &str, connection: &str, rank: u32, now: Ts) -> Result<FileKey> {
        layout::check_name("venue", venue)?;
        layout::check_name("connection", connection)?;
        self.core.shared.check()?;
        let content = Content::Frames { venue: venue.to_owned(), connection: connection.to_owned(), rank };
        if self.lanes.iter().any(|s| s.lane.as_ref().is_some_and(|l| same_connection(&l.content, &content))) {
            return Err(Error::Misuse(format!("connection '{connection}' of '{venue}' is already open")));
        }
        let lane = Some(Lane::new(content, now));
        if let Some(slot) = self.lanes.iter().position(|s| s.lane.is_none()) {
            self.lanes[slot].lane = lane;
            return Ok(FileKey { slot, generation: self.lanes[slot].generation });
        }
        self.lanes.push(Slot { generation: 0, lane });
        Ok(FileKey { slot: self.lanes.len() - 1, generation: 0 })
    }

    /// Adds a frame as it was received.
    ///
    /// # Errors
    /// When the stamp is not later than the last one, the frame is too large, the key is closed, or the writer has failed.
    pub fn frame(&mut self, key: FileKey, at: Ts, bytes: &[u8]) -> Result<()> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(Error::Misuse(format!("a frame of {} bytes; {FRAME_BYTES_MAX} are allowed", bytes.len())));
        }
        let body = self.is_body_of_reply(key, at)?;
        if !body {
            self.check_stamp(at)?;
        }
        self.due(at)?;
        let lane = lane_of(&mut self.lanes, key)?;
        lane.append(&mut self.core, at, |line| {
            push_number(line, at.0);
            line.push(b' ');
            escape_into(line, bytes);
            line.push(b'\n');
            Ok(())
        })?;
        self.last = Some(at);
        self.reply = None;
        self.stats.frames += 1;
        Ok(())
    }

    /// Adds a control record.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub fn control(&mut self, at: Ts, record: &ControlRecord) -> Result<()> {
        self.check_stamp(at)?;
        self.due(at)?;
        self.control.append(&mut self.core, at, |line| write_line(line, at, record))?;
        self.last = Some(at);
        self.reply = match record {
            ControlRecord::Reply { venue, .. } => Some((at, venue.clone())),
            _ => None,
        };
        self.stats.records += 1;
        Ok(())
    }

    /// Adds the answer to a request: the control record and the body, both with this stamp. `key` is the connection
    /// [`REST`] of the venue.
    ///
    /// # Errors
    /// As [`Self::frame`]; also when the key is of another connection.
    pub fn reply(&mut self, key: FileKey, at: Ts, id: RequestId, status: u16, body: &[u8]) -> Result<()> {
        let venue = match &lane_of(&mut self.lanes, key)?.content {
            Content::Frames { venue, connection, .. } if connection == REST => venue.clone(),
            other => {
                return Err(Error::Misuse(format!("a reply belongs to the connection '{REST}', not to {other:?}")));
            }
        };
        self.control(at, &ControlRecord::Reply { venue, id, status })?;
        self.frame(key, at, body)
    }

    /// Ends a connection: its file is closed and synced, its key is no longer valid.
    ///
    /// # Errors
    /// When the key is already closed, or the writer has failed.
    pub fn close_connection(&mut self, key: FileKey, _now: Ts) -> Result<()> {
        lane_of(&mut self.lanes, key)?.close(&self.core)?;
        let slot = &mut self.lanes[key.slot];
        (slot.lane, slot.generation) = (None, slot.generation + 1);
        Ok(())
    }

    /// Does what is due by time: hands lines over, asks for a sync, closes files of past hours. To be called about once a
    /// second, because without frames nothing else looks at the time.
    ///
    /// # Errors
    /// When the writer has failed.
    pub fn poll(&mut self, now: Ts) -> Result<()> {
        self.due(now)?;
        self.control.close_before(&self.core, now)?;
        for lane in self.lanes.iter_mut().filter_map(|s| s.lane.as_mut()) {
            lane.close_before(&self.core, now)?;
        }
        Ok(())
    }

    /// Once the ticket is done, everything handed in so far survives the end of this process, however it ends.
    ///
    /// # Errors
    /// When the writer has failed.
    pub fn flush(&mut self) -> Result<Ticket> {
        self.mark(false)
    }

    /// As [`Self::flush`], and survives the end of the machine too.
    ///
    /// # Errors
    /// When the writer has failed.
    pub fn sync(&mut self) -> Result<Ticket> {
        self.mark(true)
    }

    /// Waits for a ticket; [`Ticket::wait`] does the same on any thread.
    ///
    /// # Errors
    /// When the writer has failed.
    pub fn wait(&self, ticket: &Ticket) -> Result<()> {
        ticket.wait()
    }

    /// Counts since opening.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let (tally, queued, failed) = self.core.shared.counts();
        JournalStats {
            bytes_raw: self.core.bytes_raw,
            bytes_written: tally.written,
            queue_bytes: queued as u64,
            files_open: tally.files_open,
            blocked: tally.blocked,
            blocked_for: tally.blocked_for,
            failed,
            ..self.stats.clone()
        }
    }

    /// The newest stamp of the journal; the next one must be later.
    #[must_use]
    pub const fn last(&self) -> Option<Ts> {
        self.last
    }

    /// Closes every file and gives the folder free. Dropping does the same and keeps silent about failures.
    ///
    /// # Errors
    /// When something could not be written.
    pub fn close(mut self) -> Result<()> {
        self.shut()
    }

    /// Ends as a process that is killed does: what has not been handed to the writing thread is gone, no file is closed. For
    /// simulations of a crash.
    pub fn abandon(mut self) {
        self.core.shared.stop();
        if let Some(thread) = self.thread.take() {
            // A thread that has failed is gone as well.
            drop(thread.join());
        }
    }

    fn shut(&mut self) -> Result<()> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let closed = self.close_all();
        self.core.shared.stop();
        if thread.join().is_err() {
            return self.core.shared.check();
        }
        closed?;
        self.core.shared.check()?;
        self.lock.clear()
    }

    fn close_all(&mut self) -> Result<()> {
        for lane in self.lanes.iter_mut().filter_map(|s| s.lane.as_mut()) {
            lane.close(&self.core)?;
        }
        self.control.close(&self.core)
    }

    fn hand_over(&mut self) -> Result<()> {
        self.control.hand_over(&self.core)?;
        for lane in self.lanes.iter_mut().filter_map(|s| s.lane.as_mut()) {
            lane.hand_over(&self.core)?;
        }
        Ok(())
    }

    fn mark(&mut self, sync: bool) -> Result<Ticket> {
        self.hand_over()?;
        self.tickets += 1;
        self.core.shared.push(Job::Mark { ticket: self.tickets, sync })?;
        Ok(Ticket { number: self.tickets, shared: self.core.shared.clone() })
    }

    fn due(&mut self, now: Ts) -> Result<()> {
        self.core.shared.check()?;
        let (flush, sync) = (self.core.config.flush_every, self.core.config.sync_every);
        let (next_flush, next_sync) =
            (*self.next_flush.get_or_insert(now + flush), *self.next_sync.get_or_insert(now + sync));
        if now >= next_sync {
            (self.next_flush, self.next_sync) = (Some(now + flush), Some(now + sync));
            self.mark(true)?;
        } else if now >= next_flush {
            self.next_flush = Some(now + flush);
            self.hand_over()?;
        }
        Ok(())
    }

    fn check_stamp(&self, at: Ts) -> Result<()> {
        match self.last {
            Some(last) if at <= last => Err(Error::Stamp { at, last }),
            _ if at.0 < 0 => Err(Error::Misuse(format!("stamp {} is before 1970", at.0))),
            _ => Ok(()),
        }
    }

    fn is_body_of_reply(&mut self, key: FileKey, at: Ts) -> Result<bool> {
        let Some((stamp, of)) = &self.reply else { return Ok(false) };
        let lane = lane_of(&mut self.lanes, key)?;
        Ok(*stamp == at
            && matches!(&lane.content, Content::Frames { venue, connection, .. } if venue == of && connection == REST))
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; `close` is for those who want to.
        match self.shut() {
            Ok(()) | Err(_) => {}
        }
    }
}

fn lane_of(lanes: &mut [Slot], key: FileKey) -> Result<&mut Lane> {
    lanes
        .get_mut(key.slot)
        .filter(|s| s.generation == key.generation)
        .and_then(|s| s.lane.as_mut())
        .ok_or_else(|| Error::Misuse("the connection is closed".to_owned()))
}

fn same_connection(a: &Content, b: &Content) -> bool {
    match (a, b) {
        (Content::Frames { venue: v, connection: c, .. }, Content::Frames { venue, connection, .. }) => {
            v == venue && c == connection
        }
        _ => false,
    }
}

/// Decimal digits of a number that is not negative.
fn push_number(out: &mut Vec<u8>, n: i64) {
    let mut digits = [0_u8; 20];
    let (mut at, mut rest) = (digits.len(), n.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
