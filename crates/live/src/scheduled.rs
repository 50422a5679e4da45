//! The thread that reads the calendar: at the start and every hour. What it read is reported once, compared and journalled by the
//! core before it enters, so a replay never needs this thread. A reading that fails is reported, and tried again an hour later.

use crate::calendar::{CalendarSource, entries};
use crate::{Error, chain};
use barograph_domain::{CalendarEntry, Span};
use barograph_net::{Clock, Fetch, Net};
use barograph_venues::calendar::{Known, Within};
use barograph_venues::session::{Limits, Pool, PoolId};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Between two readings.
const EVERY: Span = Span::hours(1);
/// How soon the thread sees that it is to end.
const STEP: Duration = Duration::from_millis(50);
const TIMEOUT: Span = Span::secs(30);
/// Largest text that is read.
const BYTES_MAX: usize = 4 << 20;

/// The thread and the way back.
#[derive(Debug)]
pub(crate) struct Reading {
    read: Receiver<Vec<CalendarEntry>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What is needed to read.
pub(crate) struct Means {
    pub(crate) source: CalendarSource,
    pub(crate) net: Arc<Net>,
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Reading {
    /// Starts the thread.
    pub(crate) fn start(means: Means) -> Result<Self, Error> {
        let (tell, read) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("calendar".to_owned())
            .spawn(move || means.go_on(&tell, &told))
            .map_err(Error::failed)?;
        Ok(Self { read, stop, thread: Some(thread) })
    }

    /// What was read since, if anything was.
    pub(crate) fn news(&self) -> Option<Vec<CalendarEntry>> {
        self.read.try_recv().ok()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It may be in the middle of a request, which ends with the network.
        drop(self.thread.take());
    }
}

impl Means {
    fn go_on(&self, tell: &SyncSender<Vec<CalendarEntry>>, stop: &AtomicBool) {
        let venue = match &self.source {
            CalendarSource::Shipped | CalendarSource::File(_) => 0,
            CalendarSource::Url(_) => self.net.add_venue("calendar", limits()),
        };
        loop {
            let begun = self.clock.now();
            match self
                .text(venue)
                .and_then(|text| entries(&self.source, &text, Known::At(begun), Within::from_now(begun)))
            {
                Ok(list) => {
                    if tell.send(list).is_err() {
                        return;
                    }
                }
                Err(why) => drop(writeln!(
                    std::io::stderr(),
                    "barograph: [MKT] the calendar {} cannot be read, next try in an hour: {why}",
                    self.source.shown()
                )),
            }
            while self.clock.now() - begun < EVERY {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(STEP);
            }
        }
    }

    fn text(&self, venue: u8) -> Result<String, String> {
        let bytes = match &self.source {
            CalendarSource::Shipped => Vec::new(),
            CalendarSource::File(path) => bytes_of(path)?,
            CalendarSource::Url(url) => {
                let fetch = Fetch { url: url.clone(), body: None, pool: PoolId(0), weight: 1, timeout: TIMEOUT };
                let answer = self.runtime.block_on(self.net.fetch(venue, fetch));
                let answer = answer.map_err(|e| self.source.redacted(&chain(&e)))?;
                if answer.status != 200 {
                    return Err(format!("it answers with status {}", answer.status));
                }
                answer.body.to_vec()
            }
        };
        if bytes.len() > BYTES_MAX {
            return Err(format!("it has more than {BYTES_MAX} bytes"));
        }
        String::from_utf8(bytes).map_err(|_e| "it is no UTF-8 text".to_owned())
    }
}

/// What a file holds, or a little more than may be. What is no regular file may never end.
fn bytes_of(path: &Path) -> Result<Vec<u8>, String> {
    // Before it is opened: opening a pipe waits for a writer.
    if !std::fs::metadata(path).map_err(|e| e.to_string())?.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| e.to_string())?;
    file.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// One request at a time; nothing is streamed.
fn limits() -> Limits {
    Limits {
        operator: "calendar",
        messages_per_s: 1,
        connects_max: 1,
        connects_per: Span::secs(1),
        rotate_after: None,
        rotate_overlap: Span::secs(1),
        ping_every: None,
        dead_after: Span::secs(60),
        message_bytes_max: BYTES_MAX,
        rest_after_403: None,
        deflate: false,
        pools: vec![Pool {
            id: PoolId(0),
            name: "calendar",
            weight: 1,
            per: Span::secs(1),
            aligned: false,
            used_header: None,
            in_flight_max: 1,
            shared: None,
        }],
        host_rests_on_429: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_of_a_file_is_read_than_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.csv");
        std::fs::write(&path, b"name,at").unwrap();
        assert_eq!(bytes_of(&path).as_deref(), Ok(&b"name,at"[..]));
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(bytes_of(&path).map(|b| b.len()), Ok(BYTES_MAX + 1));
        assert_eq!(bytes_of(folder.path()), Err("it is no regular file".to_owned()));
    }
}
