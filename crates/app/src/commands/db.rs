//! `db`: schema, retention, damage; of the data folder's database or of the server that `--db-url` names (R3.46).

use crate::cli::{Db, Forget};
use crate::commands::{reader, target};
use crate::config::{Settings, secret};
use crate::failure::Failure;
use crate::ingest::Withdrawn;
use crate::setup::configured;
use crate::term::number_of;
use crate::{ingest, input};
use barograph_domain::Span;
use barograph_store::{Forgotten, StoreTarget, WriterRole, migrate, open_writer, schema_version};
use std::borrow::Cow;
use std::io::Write as _;

pub(crate) fn run(command: &Db, settings: &Settings, json: bool) -> Result<(), Failure> {
    let target = match command {
        Db::Migrate { url: Some(url) } => {
            secret::check_url(url).map_err(|why| Failure::usage(format!("the URL: {why}")))?;
            StoreTarget::Postgres(url.clone())
        }
        Db::Forget(args) => return forget(args, settings, json),
        Db::Migrate { url: None } | Db::Prune { .. } | Db::Check { .. } => target(settings),
    };
    let place = match &target {
        StoreTarget::Folder(data) => data.display().to_string(),
        // Printed without the password.
        StoreTarget::Postgres(_) => target.to_string(),
    };
    let mut out = std::io::stdout().lock();
    match command {
        Db::Migrate { .. } => {
            match &target {
                // A folder in which another process writes is left alone.
                StoreTarget::Folder(_) => drop(open_writer(&target, &WriterRole::ALL)?),
                StoreTarget::Postgres(_) => migrate(&target)?,
            }
            if json {
                writeln!(
                    out,
                    "{}",
                    serde_json::json!({ "data": place, "migrated": true, "version": schema_version(&target) })
                )?;
            } else {
                writeln!(out, "the database in {place} has this version's schema")?;
            }
        }
        Db::Prune { days } => {
            let mut retention = settings.retention();
            if let Some(days) = days {
                retention.minute_rows = Span::days(i64::from(*days));
            }
            let (keep, raw) = (retention.minute_rows.as_days(), retention.raw.as_days());
            let pruned = open_writer(&target, &WriterRole::ALL)?.prune(&retention)?;
            if json {
                let value = serde_json::json!({ "data": place, "days": keep, "rows": pruned.rows, "points": pruned.points, "books": pruned.books });
                writeln!(out, "{value}")?;
            } else {
                writeln!(
                    out,
                    "removed {} older than {} (every fifth minute and all label changes stay), {} and {} older than {}",
                    number_of(pruned.rows, "minute row"),
                    number_of(keep, "day"),
                    number_of(pruned.points, "live point"),
                    number_of(pruned.books, "order book"),
                    number_of(raw, "day")
                )?;
            }
        }
        Db::Forget(_) => {}
        Db::Check { hash } => {
            let report = reader(settings)?.check(*hash)?;
            if json {
                let counts: serde_json::Map<String, serde_json::Value> =
                    report.counts.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
                let sha256 = report.hash.as_ref().map(|h| h.sha256.clone());
                let sections: Vec<serde_json::Value> = report
                    .hash
                    .iter()
                    .flat_map(|h| &h.sections)
                    .map(|s| serde_json::json!({ "section": s.section, "count": s.count, "sha256": s.sha256 }))
                    .collect();
                let value = serde_json::json!({ "data": place, "sound": report.is_sound(), "problems": report.problems, "counts": counts, "sha256": sha256, "sections": sections });
                writeln!(out, "{value}")?;
            } else {
                for (what, count) in &report.counts {
                    writeln!(out, "{count:>12} {}", counted(what, *count))?;
                }
                for problem in &report.problems {
                    writeln!(out, "problem: {}", problem.replace('\n', "\n  "))?;
                }
                if let Some(hash) = &report.hash {
                    for section in &hash.sections {
                        writeln!(out, "{} {} ({})", section.sha256, section.section, section.count)?;
                    }
                    writeln!(out, "{}", hash.sha256)?;
                }
            }
            if !report.is_sound() {
                return Err(Failure::No(format!(
                    "the database in '{place}' is damaged, see above; restore a copy or import again into a new data folder"
                )));
            }
        }
    }
    Ok(())
}

/// What a number is of; `what` is said of several: `calendar entries`, `hours between markets`.
fn counted(what: &str, count: u64) -> Cow<'_, str> {
    if count != 1 {
        return Cow::Borrowed(what);
    }
    let (noun, rest) = what.find(" between ").map_or((what, ""), |at| what.split_at(at));
    match noun.strip_suffix("ies") {
        Some(stem) => Cow::Owned(format!("{stem}y{rest}")),
        None => Cow::Owned(format!("{}{rest}", noun.strip_suffix('s').unwrap_or(noun))),
    }
}

/// What these do.
const fn are(n: u64) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// Takes the rows of files back.
fn forget(args: &Forget, settings: &Settings, json: bool) -> Result<(), Failure> {
    let options = input::options(&args.declared, None, settings)?;
    let plan = input::plan(&args.sources, &options)?;
    let setup = configured(settings, plan.policy_text().to_owned())?;
    // Nothing is made for what cannot be there.
    drop(reader(settings)?);
    let target = target(settings);
    let mut writer = ingest::open_target(&target)?;
    let keep = if args.keep.is_empty() { None } else { Some(input::plan(&args.keep, &options)?) };
    let done = ingest::forget(&target, writer.as_mut(), (&plan, keep.as_ref()), &setup, args.dry_run)?;
    let Withdrawn { report, forgotten, kept, at, rows } = done;
    let at = at.floor(Span::secs(1));
    let Forgotten { taken_back, restored, superseded, not_stored } = forgotten;
    let mut out = std::io::stdout().lock();
    if json {
        let value = serde_json::json!({ "dry_run": args.dry_run, "known_ts": at, "rows": report.accepted, "taken_back": taken_back, "restored": restored, "superseded": superseded, "not_stored": not_stored, "kept": kept, "minutes": rows });
        writeln!(out, "{value}")?;
    } else {
        let done = if args.dry_run { "would be taken back" } else { "taken back" };
        writeln!(
            out,
            "{} {done}, {restored} of them for an earlier value that counts again; {superseded} {} replaced by a later import already, {not_stored} {} not stored",
            number_of(taken_back, "value"),
            are(superseded),
            are(not_stored)
        )?;
        if keep.is_some() {
            let stay = if kept == 1 {
                "stays because the files to keep say it"
            } else {
                "stay because the files to keep say them"
            };
            writeln!(out, "{} {stay} too", number_of(kept, "row"))?;
        }
        if !args.dry_run && taken_back > 0 {
            writeln!(
                out,
                "they count no more from {at} on, {} computed; answers as of earlier moments stay",
                number_of(rows, "minute")
            )?;
        }
    }
    if taken_back > 0 {
        return Ok(());
    }
    Err(Failure::No(
        "nothing that counts came from these files; was a venue, symbol or delay given with the import?".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every count of a check, as a store that is as good as empty gives them.
    #[test]
    fn one_of_anything_is_said_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = StoreTarget::Folder(folder.path().to_owned());
        drop(open_writer(&target, &WriterRole::ALL).unwrap());
        let report = barograph_store::open_reader(&target).unwrap().check(false).unwrap();
        let said: Vec<String> = report.counts.iter().map(|(what, _)| counted(what, 1).into_owned()).collect();
        let want = [
            "stream",
            "point",
            "run",
            "row",
            "label change",
            "gap",
            "level",
            "alert",
            "case",
            "message",
            "delivery",
            "silence",
            "signal value",
            "hour between markets",
            "calendar entry",
            "ledger tick",
            "instrument",
            "import",
            "order book",
        ];
        assert_eq!(said, want);
        for (what, _) in &report.counts {
            assert_eq!((counted(what, 0), counted(what, 36)), (Cow::Borrowed(*what), Cow::Borrowed(*what)));
        }
    }
}
