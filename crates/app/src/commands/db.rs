//! `db`: schema, retention, damage.

use crate::cli::Db;
use crate::commands::open_reader;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_domain::Span;
use barograph_store::{Reader as _, Retention, Role, SqliteWriter, Writer as _};
use std::io::Write as _;

pub(crate) fn run(command: &Db, settings: &Settings, json: bool) -> Result<(), Failure> {
    let data = settings.data();
    let mut out = std::io::stdout().lock();
    match command {
        Db::Migrate => {
            drop(SqliteWriter::open(&data, &Role::ALL)?);
            if json {
                writeln!(out, "{}", serde_json::json!({ "data": data, "migrated": true }))?;
            } else {
                writeln!(out, "the database in {} has this version's schema", data.display())?;
            }
        }
        Db::Prune { days } => {
            let keep = days.map_or_else(|| settings.number("keep_minutes_days"), |d| Ok(d as usize))?;
            let minute_rows = Span::days(i64::try_from(keep).unwrap_or(90));
            let pruned =
                SqliteWriter::open(&data, &Role::ALL)?.prune(&Retention { minute_rows, ..Retention::default() })?;
            if json {
                let value = serde_json::json!({ "rows": pruned.rows, "points": pruned.points, "days": keep });
                writeln!(out, "{value}")?;
            } else {
                writeln!(
                    out,
                    "removed {} minute rows older than {keep} days; every fifth minute and all label changes stay",
                    pruned.rows
                )?;
            }
        }
        Db::Check { hash } => {
            let report = open_reader(&data)?.check(*hash)?;
            if json {
                let counts: serde_json::Map<String, serde_json::Value> =
                    report.counts.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
                let sha256 = report.hash.as_ref().map(|h| h.sha256.clone());
                let value = serde_json::json!({ "sound": report.is_sound(), "problems": report.problems, "counts": counts, "sha256": sha256 });
                writeln!(out, "{value}")?;
            } else {
                for (what, count) in &report.counts {
                    writeln!(out, "{count:>12} {what}")?;
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
                    "the database in '{}' is damaged, see above; restore a copy or import again into a new data folder",
                    data.display()
                )));
            }
        }
    }
    Ok(())
}
