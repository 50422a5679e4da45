//! The originals' tables in a file: through the `sqlite3` of the machine where there is one, else through our own.

use crate::common::writer;
use crate::shared;
use barograph_store::SqliteWriter;
use std::path::Path;
use std::process::Command;

/// Rows of a question, as the program people have prints them.
fn ask(file: &Path, sql: &str) -> Vec<Vec<String>> {
    let Ok(done) = Command::new("sqlite3").args(["-readonly", "-separator", "\u{1f}"]).arg(file).arg(sql).output()
    else {
        return ask_ourselves(file, sql);
    };
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{sql}: {told}");
    let out = String::from_utf8(done.stdout).unwrap();
    out.lines().map(|line| line.split('\u{1f}').map(str::to_owned).collect()).collect()
}

fn ask_ourselves(file: &Path, sql: &str) -> Vec<Vec<String>> {
    barograph_testkit::skipped_part("asked by sqlite3", "sqlite3 is not installed; the library is asked instead");
    let conn = rusqlite::Connection::open(file).unwrap();
    let mut statement = conn.prepare(sql).unwrap();
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| {
        (0..columns)
            .map(|at| {
                Ok(match row.get::<_, rusqlite::types::Value>(at)? {
                    rusqlite::types::Value::Null => String::new(),
                    rusqlite::types::Value::Integer(n) => n.to_string(),
                    rusqlite::types::Value::Real(n) => format!("{n:?}"),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(_) => "blob".to_owned(),
                })
            })
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_originals_tables_answer_in_both_spellings() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let file = dir.path().join("barograph.db");
    shared::answer_as_the_originals_did(&mut writer, &|sql| ask(&file, sql));
}

#[test]
fn corrected_runs_keep_their_labels() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path());
    let file = dir.path().join("barograph.db");
    shared::corrected_runs_keep_their_labels(&mut writer, &|sql| ask(&file, sql));
}

/// What was stored before there were such tables is in them after the next opening.
#[test]
fn an_older_store_is_filled_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("barograph.db");
    shared::answer_as_the_originals_did(&mut writer(dir.path()), &|sql| ask(&file, sql));
    let content = || {
        ["market_rows", "settlements", "forced_closes", "spellings", "table_markets"]
            .map(|table| ask(&file, &format!("SELECT * FROM {table}")))
    };
    let before = content();
    {
        let conn = rusqlite::Connection::open(&file).unwrap();
        conn.execute_batch(
            "DELETE FROM market_rows; DELETE FROM settlements; DELETE FROM forced_closes; DELETE FROM table_markets",
        )
        .unwrap();
    }
    drop(SqliteWriter::open(dir.path(), &[]).unwrap());
    assert_eq!(content(), before);
}

/// What an earlier build stored says who said it after the next opening.
#[test]
fn sources_of_an_older_store_are_those_of_its_streams() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("barograph.db");
    shared::answer_as_the_originals_did(&mut writer(dir.path()), &|sql| ask(&file, sql));
    let before = [ask(&file, shared::SOURCES), ask(&file, "SELECT name, sources FROM table_markets")];
    let conn = rusqlite::Connection::open(&file).unwrap();
    let before_packing = "DROP INDEX live_points_times;";
    conn.execute_batch(&format!("{} {before_packing} PRAGMA user_version = 10;", shared::BEFORE_SOURCES)).unwrap();
    drop(conn);
    drop(SqliteWriter::open(dir.path(), &[]).unwrap());
    assert_eq!([ask(&file, shared::SOURCES), ask(&file, "SELECT name, sources FROM table_markets")], before);
}
