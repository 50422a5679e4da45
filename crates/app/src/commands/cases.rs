//! `cases`: alerts somebody looks into. They are written straight into the store, beside whatever process runs.

mod print;

use super::advise::{refused, service};
use crate::cases::JournalRecorder;
use crate::cli::{CasesArgs, CasesCommand, EntryAuthor};
use crate::config::Settings;
use crate::failure::Failure;
use crate::term::Paint;
use barograph_api::AskCases as _;
use barograph_api::cases::{CaseEntryKind, CaseFilter, CaseFormat, CaseView, NewCase, NewCaseEntry};
use barograph_domain::case::{CaseState, Disposition, StepBounds};
use barograph_live::replay::journal_folder;
use barograph_query::cases::CaseDesk;
use barograph_query::service::Service;
use serde::Serialize;
use std::io::{StdoutLock, Write as _};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn run(args: &CasesArgs, settings: &Settings, json: bool) -> Result<(), Failure> {
    let service = service(settings)?;
    let recorder = JournalRecorder::new(journal_folder(&settings.data), None);
    service.keep_cases(Arc::new(CaseDesk::new(super::target(settings), Some(Box::new(recorder)))));
    let mut out = std::io::stdout().lock();
    match &args.command {
        Some(_) if args.state.is_some() => {
            return Err(Failure::usage("--state goes with the list: barograph cases --state open".to_owned()));
        }
        None => list(&mut out, &service, args, json)?,
        Some(command) => on_one(&mut out, &service, command, json)?,
    }
    Ok(out.flush()?)
}

fn on_one(out: &mut StdoutLock<'_>, service: &Service, command: &CasesCommand, json: bool) -> Result<(), Failure> {
    match command {
        CasesCommand::File { events, words } => {
            let new = NewCase { alerts: events.clone(), author: author(&words.by)?, note: words.note.clone() };
            let (case, is_new) = service.file_case(&new).map_err(refused_case)?;
            let first = if is_new { "filed" } else { "filed before" };
            written(out, &case, first, json)
        }
        CasesCommand::Show { id } => {
            let case = service.case(&whole(service, id)?, None).map_err(refused_case)?;
            if json { line(out, &case) } else { Ok(write!(out, "{}", print::case(&case, Paint::detect()))?) }
        }
        CasesCommand::Note { id, text, by } => {
            let entry = entry(CaseEntryKind::Note, by, Some(text), None)?;
            write(out, service, id, &entry, json)
        }
        CasesCommand::Ack { id, words } => {
            let entry = entry(CaseEntryKind::Acknowledged, &words.by, words.note.as_ref(), None)?;
            write(out, service, id, &entry, json)
        }
        CasesCommand::Close { id, disposition, words } => {
            let d = one_of(disposition, "disposition", &Disposition::ALL, Disposition::name)?;
            let entry = entry(CaseEntryKind::Closed, &words.by, words.note.as_ref(), Some(d))?;
            write(out, service, id, &entry, json)
        }
        CasesCommand::Export { id, format, out: file } => {
            let format = one_of(format, "--format", &CaseFormat::ALL, CaseFormat::name)?;
            let bytes = service.export_case(&whole(service, id)?, format).map_err(refused_case)?;
            export(out, &bytes, file.as_deref())
        }
        CasesCommand::Replay { id, books, trades } => {
            let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
            let bounds = StepBounds { books: count(*books), trades: count(*trades) };
            let id = whole(service, id)?;
            let replay = service.replay_case(&id, bounds).map_err(refused_case)?;
            if json {
                return line(out, &replay);
            }
            let case = service.case(&id, None).map_err(refused_case)?;
            Ok(write!(out, "{}", print::replay(&case, &replay, Paint::detect()))?)
        }
        CasesCommand::Record { id } => {
            let id = whole(service, id)?;
            let (added, missing) = service.record_case(&id).map_err(refused_case)?;
            if json {
                return line(out, &serde_json::json!({ "case_id": id, "added": added, "missing": missing }));
            }
            for why in &missing {
                writeln!(out, "{why}")?;
            }
            Ok(writeln!(
                out,
                "{} added; see them with: barograph cases replay {}",
                print::recordings(added),
                short(&id)
            )?)
        }
    }
}

fn list(out: &mut StdoutLock<'_>, service: &Service, args: &CasesArgs, json: bool) -> Result<(), Failure> {
    let state = args.state.as_deref().map(|w| one_of(w, "--state", &CaseState::ALL, CaseState::name)).transpose()?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let found = service.cases(&CaseFilter { state, as_of: None, limit }).map_err(refused_case)?;
    if json { line(out, &found) } else { Ok(write!(out, "{}", print::list(&found, state, Paint::detect()))?) }
}

fn write(
    out: &mut StdoutLock<'_>,
    service: &Service,
    id: &str,
    entry: &NewCaseEntry,
    json: bool,
) -> Result<(), Failure> {
    let case = service.write_case(&whole(service, id)?, entry).map_err(refused_case)?;
    written(out, &case, "written", json)
}

/// What a case has become, in one line and where to see all of it.
fn written(out: &mut StdoutLock<'_>, case: &CaseView, what: &str, json: bool) -> Result<(), Failure> {
    if json {
        return line(out, case);
    }
    let s = &case.summary;
    Ok(writeln!(
        out,
        "{what}: case {}, {}\nsee it with: barograph cases show {}",
        s.case_id,
        print::state(s.state, s.disposition),
        short(&s.case_id)
    )?)
}

fn export(out: &mut StdoutLock<'_>, bytes: &[u8], file: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = file else {
        out.write_all(bytes)?;
        return Ok(writeln!(out)?);
    };
    std::fs::write(path, bytes).map_err(|e| Failure::usage(format!("--out {}: {e}", path.display())))?;
    Ok(writeln!(out, "{} bytes in {}", bytes.len(), path.display())?)
}

fn entry(
    kind: CaseEntryKind,
    by: &EntryAuthor,
    note: Option<&String>,
    disposition: Option<Disposition>,
) -> Result<NewCaseEntry, Failure> {
    Ok(NewCaseEntry { kind, author: author(by)?, note: note.cloned(), disposition })
}

/// The name that was given, or the one the system knows the user by.
fn author(by: &EntryAuthor) -> Result<String, Failure> {
    let known =
        || ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.trim().is_empty()));
    by.author
        .clone()
        .or_else(known)
        .ok_or_else(|| Failure::usage("nobody is named: say who writes it with --author NAME".to_owned()))
}

fn whole(service: &Service, beginning: &str) -> Result<String, Failure> {
    service.whole_case_id(beginning).map_err(refused_case)
}

/// The beginning of an id, as it is shown and understood.
fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn refused_case(e: barograph_api::QueryError) -> Failure {
    use barograph_api::{DeliveryName, QueryError};
    match e {
        QueryError::Unknown { what: DeliveryName::Case, .. } => {
            Failure::usage(format!("{e}; those there are: barograph cases"))
        }
        QueryError::Unknown { what: DeliveryName::Alert, .. } => {
            Failure::usage(format!("{e}; alerts with their ids: barograph events --long"))
        }
        other => refused(other),
    }
}

fn one_of<T: Copy>(word: &str, what: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, Failure> {
    all.iter().copied().find(|t| name(*t).eq_ignore_ascii_case(word)).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|t| name(*t)).collect();
        Failure::usage(format!("{what}: there is no '{word}'; write one of {}", known.join(", ")))
    })
}

fn line<T: Serialize>(out: &mut StdoutLock<'_>, value: &T) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}
