//! The originals' tables on a server.

use crate::server::{Server, shared as server};
use crate::shared;
use barograph_store::{PgWriter, WriterRole};

fn ask(url: &str, sql: &str) -> Vec<Vec<String>> {
    let rows = Server::ask(url, sql);
    rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect()
}

#[test]
fn corrected_runs_keep_their_labels() {
    let Some(server) = server() else { return };
    let url = server.schema();
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap();
    shared::corrected_runs_keep_their_labels(&mut writer, &|sql| ask(&url, sql));
}

#[test]
fn the_originals_tables_answer_in_both_spellings() {
    let Some(server) = server() else { return };
    let url = server.schema();
    let mut writer = PgWriter::connect(&url, &WriterRole::ALL).unwrap();
    let ask = |sql: &str| ask(&url, sql);
    shared::answer_as_the_originals_did(&mut writer, &ask);
    // What an earlier build stored says who said it after the next opening.
    let before = ask(shared::SOURCES);
    drop(writer);
    for sql in shared::BEFORE_SOURCES.split_inclusive(';').chain(["UPDATE barograph_schema SET version = 10"]) {
        ask(sql);
    }
    drop(PgWriter::connect(&url, &WriterRole::ALL).unwrap());
    assert_eq!(ask(shared::SOURCES), before);
    // A bound parameter of any type of text does the same.
    let bound = "PREPARE q (varchar) AS SELECT count(*) FROM market_metrics WHERE symbol = $1; EXECUTE q ('BTCUSDT')";
    assert_eq!(ask(bound), ask("SELECT count(*) FROM market_metrics"));
}
