//! The schema on a server, version by version: what the declarations say, and beside it what only a server has. The version stands
//! in `barograph_schema`.
//!
//! The first version of a server is the second one of files. The core tables are those of the file with the same names and
//! meanings, so that the same statements serve both. Partitions are made when the first row of a month comes. What people ask a
//! server in SQL are the views (R3.42–R3.45, R4.37), whose times are `timestamptz`; numbers are `float8` and keep every bit. Of a
//! view that a later version makes anew only the last form is here.

use crate::schema::{self, Database, VERSION};
use crate::sql::originals::servers as originals;

/// What turns version `i` into version `i + 1`.
pub(super) fn migrations() -> impl Iterator<Item = String> {
    (1..=VERSION).map(|version| {
        let before = if version == 10 { originals::SYMBOLS } else { "" };
        before.to_owned() + &schema::step(version, Database::Server) + beside(version)
    })
}

/// What follows on the declared.
const fn beside(version: u8) -> &'static str {
    match version {
        1 => V1,
        2 => originals::V2,
        9 => V9,
        10 => originals::V10,
        11 => originals::V11,
        _ => "",
    }
}

const V1: &str = r#"
CREATE INDEX streams_metric ON streams (metric);
CREATE INDEX points_time ON points USING brin (event_ts);
CREATE INDEX books_time ON books USING brin (ts);
ALTER TABLE feature_chunks ALTER COLUMN body SET STORAGE EXTERNAL;  -- packed already
CREATE INDEX feature_chunks_extent ON feature_chunks (chunk) INCLUDE (rows, first_ts, last_ts, thinned);

-- Nanoseconds as a time; the server's own times end at microseconds.
CREATE FUNCTION barograph_time(ns bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT timestamptz 'epoch' + (ns / 1000) * interval '1 microsecond' $$;
"#;

/// Every point, revisions included, with the names that go with it.
const V9: &str = r#"
CREATE OR REPLACE VIEW metric_points AS
    SELECT i.name AS instrument, split_part(i.name, ':', 1) AS venue, substr(i.name, strpos(i.name, ':') + 1) AS symbol,
        s.source, s.metric, s.cadence / 1000000000.0 AS cadence_s, barograph_time(p.event_ts) AS event_time,
        barograph_time(coalesce(p.known_ts, p.event_ts + s.delay)) AS known_time, p.seq, p.value,
        (ARRAY['import', 'live', 'backfill', 'taken_back', 'correction'])[p.provenance + 1] AS provenance,
        p.open, p.high, p.low, p.volume, p.quote_volume, p.price, p.quantity, p.side, p.ask, p.interval_h,
        barograph_time(p.next_ts) AS next_time, p.event_ts, coalesce(p.known_ts, p.event_ts + s.delay) AS known_ts
    FROM points p JOIN streams s USING (stream) JOIN instruments i ON i.instrument = s.instrument;
"#;
