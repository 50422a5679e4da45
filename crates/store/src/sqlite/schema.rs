//! The schema of a file, version by version: what the declarations say, and beside it what only a file has. The version stands in
//! the file's header (`user_version`).
//!
//! The first version was another one in three tables. The view `metric_points` is the readable form of the points for anyone
//! with an SQL prompt. Of a view that a later version makes anew only the last form is here.

use crate::schema::{self, Database, VERSION, tables};
use crate::sql::originals::files as originals;

/// What turns a file of version `i` into one of version `i + 1`.
pub(super) fn migrations() -> Vec<String> {
    (1..=VERSION).map(|version| schema::step(version, Database::File) + &beside(version)).collect()
}

/// What follows on the declared.
fn beside(version: u8) -> String {
    match version {
        // Chunks were numbered by hours.
        1 => tables::feature_chunks.create_as("feature_chunks", Database::File) + V1,
        2 => parts_and_minutes(),
        9 => V9.to_owned(),
        10 => originals::V10.to_owned(),
        11 => originals::V11.to_owned(),
        _ => String::new(),
    }
}

/// Tables whose rows the second version keeps otherwise.
const V1: &str = "
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    run INTEGER,                            -- NULL: not (or no longer) part of a run
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL
) STRICT;
CREATE INDEX segments_run ON segments (run, from_ts);

CREATE TABLE gaps (
    segment INTEGER NOT NULL,
    row_ts INTEGER NOT NULL,
    known_ts INTEGER NOT NULL,
    decl TEXT NOT NULL,
    state TEXT NOT NULL,
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, decl, state, from_ts, until_ts)
) STRICT, WITHOUT ROWID;
";

/// Live writing. A run may be made of several parts, some of them published live; the positions of chunks are minutes
/// instead of hours, so that a row can be stored on its own until its hour is over; a gap says why.
fn parts_and_minutes() -> String {
    let chunks = tables::feature_chunks.create_as("feature_chunks_2", Database::File);
    let gaps = tables::gaps.create_as("gaps_2", Database::File);
    format!(
        "
INSERT INTO parts SELECT run, from_ts, until_ts, segment, 0 FROM segments WHERE run IS NOT NULL AND from_ts < until_ts;
DROP INDEX segments_run;
ALTER TABLE segments DROP COLUMN run;
ALTER TABLE segments DROP COLUMN from_ts;
ALTER TABLE segments DROP COLUMN until_ts;

{chunks}INSERT INTO feature_chunks_2
    SELECT chunk >> 32 << 32 | (((chunk & 4294967295) - 2147483648) * 60 + 2147483648),
        layout, rows, first_ts, last_ts, thinned, body FROM feature_chunks ORDER BY chunk;
DROP TABLE feature_chunks;
ALTER TABLE feature_chunks_2 RENAME TO feature_chunks;
-- What is counted without touching the bodies.
CREATE INDEX feature_chunks_extent ON feature_chunks (chunk, rows, first_ts, last_ts, thinned);

{gaps}INSERT INTO gaps_2 SELECT segment, row_ts, known_ts, decl, state, from_ts, until_ts, 'missing_rows' FROM gaps;
DROP TABLE gaps;
ALTER TABLE gaps_2 RENAME TO gaps;
"
    )
}

/// Corrections: points have a provenance to show.
const V9: &str = "
DROP VIEW IF EXISTS metric_points;
CREATE VIEW metric_points AS
    SELECT s.source, i.name AS instrument, s.metric, s.cadence / 1000000000 AS cadence_s,
        strftime('%Y-%m-%dT%H:%M:%SZ', p.event_ts / 1000000000, 'unixepoch') AS event_time,
        strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(p.known_ts, p.event_ts + s.delay) / 1000000000, 'unixepoch')
            AS known_time,
        p.value, p.event_ts, coalesce(p.known_ts, p.event_ts + s.delay) AS known_ts, p.seq,
        CASE p.provenance WHEN 0 THEN 'import' WHEN 1 THEN 'live' WHEN 2 THEN 'backfill' WHEN 3 THEN 'taken_back'
            ELSE 'correction' END AS provenance
    FROM points p JOIN streams s USING (stream) JOIN instruments i USING (instrument);
";
