//! Sessions of agents: their records, files in the data folder, and those that are open over HTTP.
//!
//! A session over HTTP has a token of its own, whose hash is in memory only: when the process ends, so do its sessions, and their
//! records stay.

use crate::failure::Failure;
use crate::tokens::{drawn, hashed, same};
use barograph_api::agent_sessions::{
    AgentSessionBegun, AgentSessionLine, AgentSessionList, AgentSessions, NewAgentSession, SESSION_TOKEN, SessionBasis,
    SessionFault, SessionForecast, SessionReport, SessionWork,
};
use barograph_api::{AgentDoor, Inside};
use barograph_domain::Ts;
use barograph_mcp::{
    FORECAST, LockedSession, OverHttp, RecordLine, RecordSink, check_record, digest, forecasts_of, mask_basis, seed_of,
    session_report,
};
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Records of sessions, within the data folder.
const FOLDER: &str = "agent-sessions";
const EXTENSION: &str = "jsonl";
/// Sessions that are open at once, and how long one is idle before it makes room for another.
const OPEN_MAX: usize = 32;
const IDLE: Duration = Duration::from_secs(3_600);
/// Records that are listed, each read from its first line to its last.
const LISTED_MAX: usize = 200;
/// Reports that are kept, and that are made or wait for it.
const REPORTS_MAX: usize = 32;
const REPORTS_AT_ONCE: usize = 4;
const AGENT_MAX: usize = 64;
/// Seeds are numbers of JSON, which many readers hold in 53 bits.
const SEED_MAX: u64 = 1 << 53;

/// What somebody wants of a new session.
pub(crate) struct WantedSession {
    pub(crate) agent: Option<String>,
    pub(crate) from: Ts,
    pub(crate) until: Ts,
    /// With a mask, drawn from this seed where one is given.
    pub(crate) mask: Option<Option<u64>>,
}

/// What a session is about, with the digest of what is stored.
pub(crate) async fn basis(inside: &Inside, wanted: WantedSession) -> Result<SessionBasis, String> {
    let agent = wanted.agent.unwrap_or_else(|| "agent".to_owned());
    if agent.is_empty() || agent.chars().count() > AGENT_MAX || agent.chars().any(char::is_control) {
        return Err(format!(
            "agent: the name of an agent has 1 to {AGENT_MAX} characters; '{}' has not",
            agent.escape_debug()
        ));
    }
    let (from, until) = (wanted.from, wanted.until);
    if until <= from {
        return Err(format!("until: {}", barograph_mcp::ends_too_early(from, until)));
    }
    let data_digest = data_digest(inside, until).await?;
    let mask = match wanted.mask {
        None => None,
        Some(Some(seed)) if seed >= SEED_MAX => {
            return Err(format!("seed: {seed} is too large; give a whole number below {SEED_MAX}"));
        }
        Some(seed) => {
            let seed = seed.unwrap_or_else(|| seed_of(&format!("{agent}\n{from}\n{until}\n{data_digest}")));
            Some(mask_basis(inside, seed, until).await?)
        }
    };
    Ok(SessionBasis { agent, from, until, data_digest, version: env!("CARGO_PKG_VERSION").to_owned(), mask })
}

/// Digest of the streams that are stored, as known at the end of a session.
pub(crate) async fn data_digest(inside: &Inside, until: Ts) -> Result<String, String> {
    let reply = inside.ask(&format!("/api/v1/markets?as_of={}", until.iso()), None).await;
    let found = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
    if reply.status != 200 {
        let why = found["detail"].as_str().unwrap_or("nothing is stored");
        // The moment is no `as_of` of whoever begins a session, and cannot be left out.
        let why = why.strip_prefix("as_of: ").unwrap_or(why).split(';').next().unwrap_or(why);
        return Err(format!("until: {why}; a session ends at the latest where what is stored does"));
    }
    if found["items"].as_array().is_none_or(Vec::is_empty) {
        return Err(format!(
            "until: no market was known at {until}; barograph markets lists from when on there are any"
        ));
    }
    Ok(digest(&reply.body))
}

/// A new file: a record is never written over.
pub(crate) fn new_record(data: &Path, agent: &str) -> Result<(PathBuf, File), Failure> {
    let folder = data.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(Failure::writing(&folder))?;
    // Letters of one byte: a name of file has 255 bytes, not characters.
    let plain: String = agent.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    for n in 1.. {
        let path = folder.join(format!("{plain}-{n}.{EXTENSION}"));
        match File::options().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Failure::writing(&path)(e)),
        }
    }
    Err(Failure::broken("no name is left for a record"))
}

/// A record in a file, handed to the operating system before the answer goes out.
pub(crate) struct RecordFile(pub(crate) File);

impl RecordSink for RecordFile {
    fn line(&mut self, line: &str) -> Result<(), String> {
        // With its end in one piece, so that one that was cut off is seen.
        self.0.write_all(format!("{line}\n").as_bytes()).map_err(|e| e.to_string())
    }
}

/// The forecasts on the record of a session, by its id.
pub(crate) fn stated(data: &Path, id: &str) -> Result<Vec<SessionForecast>, SessionFault> {
    let text = record_text(data, id)?;
    let read = check_record(&text).and_then(|(basis, lines, _)| forecasts_of(&basis, &lines));
    read.map_err(|why| SessionFault::Refused(format!("the record of {id} cannot be read: {why}")))
}

/// The record of a session.
fn record_text(data: &Path, id: &str) -> Result<String, SessionFault> {
    let unknown = || SessionFault::Unknown(format!("there is no session '{}'", id.escape_debug()));
    // No other characters are in the name of a record, so that an id leads nowhere else.
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(unknown());
    }
    match std::fs::read_to_string(data.join(FOLDER).join(format!("{id}.{EXTENSION}"))) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::IsADirectory) => {
            Err(SessionFault::Refused(format!("the record of {id} is none that this program has written")))
        }
        Err(e) => Err(SessionFault::Broken(format!("the record of {id}: {e}"))),
    }
}

/// A record as it was written, whose forecasts can all be read.
fn sound(text: &str) -> Result<(SessionBasis, Vec<RecordLine>, String), String> {
    let record = check_record(text)?;
    forecasts_of(&record.0, &record.1)?;
    Ok(record)
}

/// What a record is worth.
pub(crate) async fn judged(inside: &Inside, text: &str) -> Result<Result<SessionReport, String>, String> {
    let record = sound(text)?;
    let stored_now = match data_digest(inside, record.0.until).await {
        Ok(stored_now) => stored_now,
        Err(why) => return Ok(Err(why)),
    };
    Ok(session_report(inside, record, &stored_now).await)
}

/// A session that is open over HTTP.
struct OpenSession {
    id: String,
    hash: String,
    door: AgentDoor,
    used: Instant,
}

/// A report, with the digests of its record and of what was stored.
type StoredReport = ([String; 2], SessionReport);

/// The sessions of a process.
pub(crate) struct AgentRoom {
    data: PathBuf,
    open: Mutex<Vec<OpenSession>>,
    reports: Arc<ReportRoom>,
}

/// Reports that were made, and the making of others.
struct ReportRoom {
    kept: Mutex<Vec<StoredReport>>,
    /// Made one at a time: each asks the ledger hundreds of times.
    making: tokio::sync::Mutex<()>,
    /// Places of those that are made or wait for it.
    places: tokio::sync::Semaphore,
}

impl AgentRoom {
    /// Of this data folder.
    pub(crate) fn new(data: &Path) -> Self {
        let places = tokio::sync::Semaphore::new(REPORTS_AT_ONCE);
        let reports = ReportRoom { kept: Mutex::default(), making: tokio::sync::Mutex::default(), places };
        Self { data: data.to_owned(), open: Mutex::default(), reports: Arc::new(reports) }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenSession>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn begun(&self, inside: Inside, new: NewAgentSession) -> Result<AgentSessionBegun, SessionFault> {
        if new.seed.is_some() && new.mask != Some(true) {
            return Err(SessionFault::Refused(
                "seed: it is for a mask; add \"mask\": true, or leave it out".to_owned(),
            ));
        }
        make_room(&mut self.lock(), Instant::now())?;
        let mask = (new.mask == Some(true)).then_some(new.seed);
        let wanted = WantedSession { agent: new.agent, from: new.from, until: new.until, mask };
        if wanted.until <= wanted.from {
            return Err(SessionFault::Refused(barograph_mcp::ends_too_early(wanted.from, wanted.until)));
        }
        let basis = basis(&inside, wanted).await.map_err(SessionFault::Refused)?;
        let broken = |failure: Failure| SessionFault::Broken(failure.text().unwrap_or_default().to_owned());
        let token = drawn(SESSION_TOKEN).map_err(broken)?;
        let (path, file) = new_record(&self.data, &basis.agent).map_err(broken)?;
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let session = LockedSession::begin(basis.clone(), Box::new(RecordFile(file))).map_err(SessionFault::Broken)?;
        let door = OverHttp::new(env!("CARGO_PKG_VERSION")).within(Arc::new(session));
        let mut open = self.lock();
        // Somebody else may have come meanwhile.
        if let Err(full) = make_room(&mut open, Instant::now()) {
            drop(std::fs::remove_file(&path));
            return Err(full);
        }
        open.push(OpenSession {
            id: id.clone(),
            hash: hashed(&token),
            door: AgentDoor(Arc::new(door)),
            used: Instant::now(),
        });
        let is_masked = basis.mask.is_some();
        Ok(AgentSessionBegun { id, token, agent: basis.agent, from: basis.from, until: basis.until, is_masked })
    }

    async fn reported(&self, inside: Inside, id: &str) -> Result<SessionReport, SessionFault> {
        let broken = |why: &dyn core::fmt::Display| SessionFault::Broken(format!("the record of {id}: {why}"));
        let (data, of) = (self.data.clone(), id.to_owned());
        let read = tokio::task::spawn_blocking(move || record_text(&data, &of)).await;
        let text = read.map_err(|e| broken(&e))??;
        // Goes on where the client leaves, so that whoever asks again finds it.
        let reports = Arc::clone(&self.reports);
        let made = tokio::spawn(async move { reports.of(&inside, &text).await }).await;
        made.map_err(|e| broken(&e))?
    }
}

impl ReportRoom {
    /// The report of a record, made where it is not at hand.
    async fn of(&self, inside: &Inside, text: &str) -> Result<SessionReport, SessionFault> {
        let record = sound(text).map_err(|why| SessionFault::Refused(format!("the record cannot be judged: {why}")))?;
        let stored_now = data_digest(inside, record.0.until).await.map_err(SessionFault::Refused)?;
        let key = [digest(text.as_bytes()), stored_now];
        if let Some(report) = self.find(&key) {
            return Ok(report);
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(SessionFault::Full(format!(
                "{REPORTS_AT_ONCE} other reports are being made; ask again in a minute"
            )));
        };
        let _alone = self.making.lock().await;
        // Somebody else may have asked for the same.
        if let Some(report) = self.find(&key) {
            return Ok(report);
        }
        let report = session_report(inside, record, &key[1]).await.map_err(SessionFault::Broken)?;
        let mut kept = self.lock();
        if kept.len() >= REPORTS_MAX {
            kept.remove(0);
        }
        kept.push((key, report.clone()));
        Ok(report)
    }

    fn find(&self, key: &[String; 2]) -> Option<SessionReport> {
        self.lock().iter().find(|(known, _)| known == key).map(|(_, report)| report.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<StoredReport>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the session that has been idle longest, where there is no place for another.
fn make_room(open: &mut Vec<OpenSession>, now: Instant) -> Result<(), SessionFault> {
    if open.len() < OPEN_MAX {
        return Ok(());
    }
    let longest = open.iter().enumerate().min_by_key(|(_, session)| session.used);
    let idle = longest.filter(|(_, session)| now.saturating_duration_since(session.used) > IDLE).map(|(at, _)| at);
    let Some(at) = idle else {
        return Err(SessionFault::Full(format!(
            "{OPEN_MAX} sessions are open, and each was asked something within the last hour"
        )));
    };
    open.remove(at);
    Ok(())
}

impl AgentSessions for AgentRoom {
    fn begin(&self, inside: Inside, new: NewAgentSession) -> SessionWork<'_, AgentSessionBegun> {
        Box::pin(self.begun(inside, new))
    }

    fn list(&self) -> Result<AgentSessionList, SessionFault> {
        let mut found = records(&self.data.join(FOLDER)).map_err(|e| SessionFault::Broken(e.to_string()))?;
        found.sort_by(|a, b| b.cmp(a));
        let open: Vec<String> = self.lock().iter().map(|session| session.id.clone()).collect();
        let more = found.len() > LISTED_MAX;
        // What is no record, or is being begun, is not listed.
        let lines = found.iter().take(LISTED_MAX).filter_map(|(_, path)| listed(path, &open).ok());
        Ok(AgentSessionList { items: lines.collect(), more })
    }

    fn report<'a>(&'a self, inside: Inside, id: &'a str) -> SessionWork<'a, SessionReport> {
        Box::pin(self.reported(inside, id))
    }

    fn forecasts(&self, id: &str) -> Result<Vec<SessionForecast>, SessionFault> {
        stated(&self.data, id)
    }

    fn door(&self, token: &str) -> Option<AgentDoor> {
        let hash = hashed(token);
        let mut open = self.lock();
        let mut found = None;
        for session in open.iter_mut() {
            if same(session.hash.as_bytes(), hash.as_bytes()) {
                session.used = Instant::now();
                found = Some(session.door.clone());
            }
        }
        found
    }
}

/// Files of a folder that may be records, with when they were written last.
fn records(folder: &Path) -> std::io::Result<Vec<(std::time::SystemTime, PathBuf)>> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push((std::fs::metadata(&path)?.modified()?, path));
        }
    }
    Ok(found)
}

#[derive(Deserialize)]
struct FirstLine {
    basis: SessionBasis,
}

#[derive(Deserialize)]
struct CallLine {
    tool: String,
    is_error: bool,
}

/// What the list has of a record; its chain is checked where it is judged.
fn listed(path: &Path, open: &[String]) -> std::io::Result<AgentSessionLine> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    let first: FirstLine = serde_json::from_str(&lines.next().transpose()?.unwrap_or_default())?;
    let (mut calls, mut forecasts) = (0, 0);
    for line in lines {
        // A last line that was cut off had no answer.
        let Ok(call) = serde_json::from_str::<CallLine>(&line?) else { break };
        calls += 1;
        forecasts += u64::from(call.tool == FORECAST && !call.is_error);
    }
    let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let SessionBasis { agent, from, until, mask, .. } = first.basis;
    let (is_masked, is_open) = (mask.is_some(), open.contains(&id));
    Ok(AgentSessionLine { id, agent, from, until, is_masked, is_open, calls, forecasts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(n: usize, used: Instant) -> OpenSession {
        let door = AgentDoor(Arc::new(OverHttp::new("v")));
        OpenSession { id: format!("a-{n}"), hash: hashed(&format!("t{n}")), door, used }
    }

    #[test]
    fn the_session_that_is_idle_longest_makes_room_and_none_that_is_in_use() {
        let now = Instant::now() + 3 * IDLE;
        let mut all: Vec<OpenSession> = (0..OPEN_MAX).map(|n| open(n, now - Duration::from_secs(60))).collect();
        assert!(matches!(make_room(&mut all, now), Err(SessionFault::Full(_))));
        all[7].used = now - 2 * IDLE;
        all[9].used = now - IDLE - Duration::from_secs(1);
        make_room(&mut all, now).unwrap();
        assert!(all.len() == OPEN_MAX - 1 && !all.iter().any(|s| s.id == "a-7"), "the longest goes");
        make_room(&mut all, now).unwrap();
        assert_eq!(all.len(), OPEN_MAX - 1, "there is room already");
    }

    #[test]
    fn a_token_opens_the_session_it_is_of() {
        let folder = tempfile::tempdir().unwrap();
        let room = AgentRoom::new(folder.path());
        room.lock().push(open(1, Instant::now()));
        assert!(room.door("t1").is_some() && room.door("t2").is_none() && room.door("").is_none());
        assert_eq!(room.list().unwrap(), AgentSessionList { items: Vec::new(), more: false });
    }
}
