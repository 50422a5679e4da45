//! The lines of one connection, or of the control records, on their way into files: gathering, numbering, rotating.

use super::Result;
use super::block::{Content, FORMAT, Header, VERSION};
use super::config::JournalConfig;
use super::layout;
use super::queue::{Job, Shared, Text};
use barograph_domain::Ts;
use std::sync::Arc;

/// What all lanes of a writer share.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) config: JournalConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) next_file: u64,
    pub(super) bytes_raw: u64,
}

#[derive(Debug)]
pub(super) struct Lane {
    pub(super) content: Content,
    opened: Ts,
    next_seq: u64,
    file: Option<LaneFile>,
    text: Text,
}

#[derive(Clone, Copy, Debug)]
struct LaneFile {
    id: u64,
    hour: i64,
    raw: u64,
}

impl Lane {
    pub(super) fn new(content: Content, opened: Ts) -> Self {
        Self { content, opened, next_seq: 0, file: None, text: Text::default() }
    }

    /// Adds one line, which `write` appends, newline included.
    pub(super) fn append(
        &mut self,
        core: &mut Core,
        at: Ts,
        write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let hour = layout::hour(at);
        if self.file.is_some_and(|f| f.hour != hour || f.raw >= core.config.rotate_bytes) {
            self.close(core)?;
        }
        if self.text.bytes.capacity() == 0 {
            self.text.bytes = core.shared.buffer();
        }
        let before = self.text.bytes.len();
        if let Err(e) = write(&mut self.text.bytes) {
            self.text.bytes.truncate(before);
            return Err(e);
        }
        let added = (self.text.bytes.len() - before) as u64;
        let file = match self.file {
            Some(file) => file,
            None => self.open(core, at)?,
        };
        self.file = Some(LaneFile { raw: file.raw + added, ..file });
        core.bytes_raw += added;
        if self.text.lines == 0 {
            (self.text.first, self.text.first_line) = (at, self.next_seq);
        }
        self.text.lines += 1;
        self.text.last = at;
        self.next_seq += 1;
        if self.text.bytes.len() >= core.config.block_bytes {
            self.hand_over(core)?;
        }
        Ok(())
    }

    /// Gives the gathered lines to the writer thread.
    pub(super) fn hand_over(&mut self, core: &Core) -> Result<()> {
        match self.file {
            Some(LaneFile { id, .. }) if self.text.lines > 0 => {
                core.shared.push(Job::Lines { file: id, text: std::mem::take(&mut self.text) })
            }
            _ => Ok(()),
        }
    }

    /// Ends the present file; the next line begins another.
    pub(super) fn close(&mut self, core: &Core) -> Result<()> {
        self.hand_over(core)?;
        match self.file.take() {
            Some(file) => core.shared.push(Job::Close { file: file.id }),
            None => Ok(()),
        }
    }

    /// Ends the present file when its hour is over.
    pub(super) fn close_before(&mut self, core: &Core, now: Ts) -> Result<()> {
        if self.file.is_some_and(|f| f.hour < layout::hour(now)) { self.close(core) } else { Ok(()) }
    }

    fn open(&self, core: &mut Core, at: Ts) -> Result<LaneFile> {
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            content: self.content.clone(),
            opened: self.opened,
            first_ns: at.0,
            first_seq: self.next_seq,
        };
        let (folder, stem) = match &self.content {
            Content::Frames { venue, connection, .. } => layout::frames(&core.config.root, venue, connection, at),
            Content::Control => layout::control(&core.config.root, at),
        };
        let id = core.next_file;
        core.shared.push(Job::Open { file: id, folder, stem, header: header.line()?, first: at })?;
        core.next_file += 1;
        Ok(LaneFile { id, hour: layout::hour(at), raw: 0 })
    }
}
