//! The tables, version by version. Forward only: a published version is never edited, a new one is appended.
//! The version stands in the file's header (`user_version`).
//!
//! Times are nanoseconds since 1970, UTC. Two choices save most of the space: a point whose `known_ts` is its
//! `event_ts` plus its stream's declared delay stores none (so archives need one b-tree, and only what was really
//! received late enters a second one), and minute rows are chunks of an hour. The view `metric_points` is the readable
//! form of the points for anyone with an SQL prompt.

use super::tables::{V10, V11};

/// What turns a database of version `i` into one of version `i + 1`.
pub(super) const MIGRATIONS: &[&str] = &[V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11];

/// Corrections: a later import that contradicts stored points, and points that were taken back (`provenance` 3 taken back, 4
/// corrected, each known since the moment of it). Runs as they answered before a correction go on answering for moments
/// before it: their record is in `past_runs`, under a number of its own below zero, with parts of its own.
const V9: &str = "
CREATE INDEX points_corrected ON points (stream, event_ts) WHERE provenance >= 3;
ALTER TABLE runs ADD COLUMN corrected_ts INTEGER;

CREATE TABLE past_runs (
    run INTEGER PRIMARY KEY,
    instrument TEXT NOT NULL,
    logic_version TEXT NOT NULL,
    retired_ts INTEGER NOT NULL,
    release TEXT NOT NULL,
    book TEXT NOT NULL,
    book_text TEXT NOT NULL,
    config TEXT NOT NULL,
    layout INTEGER NOT NULL REFERENCES layouts,
    live_segment INTEGER,
    digest INTEGER,
    UNIQUE (instrument, logic_version, retired_ts)
) STRICT;

DROP VIEW metric_points;
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

/// The outbox: what is to be told, to whom, what became of it, and what is to be kept quiet.
const V8: &str = "
CREATE TABLE messages (
    message TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,              -- the same for all messages about one thing
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    instrument TEXT NOT NULL,               -- empty: several
    revision INTEGER NOT NULL,
    known_ts INTEGER NOT NULL,
    body TEXT NOT NULL,                     -- the notice, JSON
    digest INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_known ON messages (known_ts);
CREATE INDEX messages_thing ON messages (fingerprint, known_ts, revision);
CREATE INDEX messages_groups ON messages (known_ts) WHERE kind = 'group';

CREATE TABLE deliveries (
    message TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    known_ts INTEGER NOT NULL,              -- of the message
    state TEXT NOT NULL,
    via TEXT,                               -- message of the group it goes with
    reason TEXT NOT NULL,
    deliver_until INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_try INTEGER NOT NULL,
    ended_ts INTEGER,                       -- NULL: it waits, or goes with a group
    PRIMARY KEY (message, endpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_known ON deliveries (known_ts, message, endpoint);
CREATE INDEX deliveries_unfinished ON deliveries (known_ts) WHERE ended_ts IS NULL;
CREATE INDEX deliveries_via ON deliveries (via, endpoint) WHERE via IS NOT NULL;

CREATE TABLE attempts (
    message TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    at_ts INTEGER NOT NULL,
    status INTEGER,                         -- of HTTP; NULL: no answer
    latency_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    PRIMARY KEY (message, endpoint, at_ts)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_at ON attempts (at_ts);

CREATE TABLE endpoint_states (
    endpoint TEXT PRIMARY KEY,
    disabled TEXT,                          -- why nothing is sent any more
    failing_since INTEGER,
    learned TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE silences (
    silence TEXT NOT NULL,
    revision INTEGER NOT NULL,              -- counts from 1; the last that was known counts
    known_ts INTEGER NOT NULL,
    ends_ts INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    body TEXT NOT NULL,                     -- the whole silence, JSON
    digest INTEGER NOT NULL,
    PRIMARY KEY (silence, revision)
) STRICT, WITHOUT ROWID;
";

const V1: &str = "
CREATE TABLE instruments (
    instrument INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,              -- venue:symbol
    kind TEXT NOT NULL,
    expiry INTEGER,
    points_version INTEGER NOT NULL         -- counts the writes that changed its points
) STRICT;

CREATE TABLE streams (
    stream INTEGER PRIMARY KEY,
    instrument INTEGER NOT NULL REFERENCES instruments,
    source TEXT NOT NULL,
    metric TEXT NOT NULL,
    cadence INTEGER NOT NULL,
    delay INTEGER NOT NULL,
    decl TEXT NOT NULL UNIQUE,              -- the whole declaration, JSON
    points INTEGER NOT NULL,
    first_event INTEGER NOT NULL,
    newest_event INTEGER NOT NULL,
    newest_known INTEGER NOT NULL,
    lag_min INTEGER NOT NULL,               -- smallest known_ts - event_ts
    digest INTEGER NOT NULL                 -- sum of the digests of its points
) STRICT;
CREATE INDEX streams_instrument ON streams (instrument);

CREATE TABLE points (
    stream INTEGER NOT NULL,
    event_ts INTEGER NOT NULL,
    seq INTEGER NOT NULL,                   -- of the venue; 0 where there is none
    rev INTEGER NOT NULL,                   -- a slot, not an order: revisions are ordered by (known_ts, content)
    known_ts INTEGER,                       -- NULL: event_ts + delay of the stream
    value REAL,                             -- the one number people ask for
    payload BLOB,                           -- only where the value does not say it all
    PRIMARY KEY (stream, event_ts, seq, rev)
) STRICT, WITHOUT ROWID;
CREATE INDEX points_known ON points (stream, known_ts) WHERE known_ts IS NOT NULL;

CREATE VIEW metric_points AS
    SELECT s.source, i.name AS instrument, s.metric, s.cadence / 1000000000 AS cadence_s,
        strftime('%Y-%m-%dT%H:%M:%SZ', p.event_ts / 1000000000, 'unixepoch') AS event_time,
        strftime('%Y-%m-%dT%H:%M:%SZ', coalesce(p.known_ts, p.event_ts + s.delay) / 1000000000, 'unixepoch')
            AS known_time,
        p.value, p.event_ts, coalesce(p.known_ts, p.event_ts + s.delay) AS known_ts, p.seq
    FROM points p JOIN streams s USING (stream) JOIN instruments i USING (instrument);

CREATE TABLE layouts (                      -- what the positions in the rows of a chunk mean
    layout INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL UNIQUE,
    body TEXT NOT NULL                      -- columns and streams, JSON
) STRICT;

CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    instrument TEXT NOT NULL,
    logic_version TEXT NOT NULL,
    release TEXT NOT NULL,
    book TEXT NOT NULL,
    book_text TEXT NOT NULL,
    config TEXT NOT NULL,
    layout INTEGER NOT NULL REFERENCES layouts,
    dirty_since INTEGER,                    -- earliest known_ts of points its rows do not know yet
    dirty_version INTEGER NOT NULL,         -- points_version of the last of them
    UNIQUE (instrument, logic_version)
) STRICT;

-- What was written in one go. A run shows, for each minute, the one live segment that covers it; a replacement is
-- written beside the old segment and becomes visible by changing these few numbers.
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    run INTEGER,                            -- NULL: not (or no longer) part of a run
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL
) STRICT;
CREATE INDEX segments_run ON segments (run, from_ts);

CREATE TABLE feature_chunks (
    chunk INTEGER PRIMARY KEY,              -- segment and hour, see chunk_key
    layout INTEGER NOT NULL REFERENCES layouts,
    rows INTEGER NOT NULL,
    first_ts INTEGER NOT NULL,
    last_ts INTEGER NOT NULL,
    thinned INTEGER NOT NULL,               -- 1: only the 5-minute grid and label changes are left
    body BLOB NOT NULL
) STRICT;
-- What is counted without touching the bodies.
CREATE INDEX feature_chunks_extent ON feature_chunks (chunk, rows, first_ts, last_ts, thinned);

CREATE TABLE label_changes (
    segment INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    before TEXT,
    after TEXT NOT NULL,
    PRIMARY KEY (segment, ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (
    segment INTEGER NOT NULL,
    row_ts INTEGER NOT NULL,                -- first minute that saw it
    known_ts INTEGER NOT NULL,
    decl TEXT NOT NULL,
    state TEXT NOT NULL,
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, decl, state, from_ts, until_ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    checkpoint INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (segment, ts)
) STRICT;

CREATE TABLE imports (                      -- the only wall-clock times
    import INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    release TEXT NOT NULL,
    source TEXT NOT NULL,
    points_new INTEGER NOT NULL,
    points_revised INTEGER NOT NULL,
    points_same INTEGER NOT NULL,
    points_earlier INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
";

/// Rows between markets and what is scheduled. Hours that a live process published are never replaced; the others follow from
/// stored minutes, and `universe_state` says from when on they do not. Entries of the calendar are revisions.
const V7: &str = "
CREATE TABLE universe_rows (
    logic_version TEXT NOT NULL,
    ts INTEGER NOT NULL,                    -- the hour
    known_ts INTEGER NOT NULL,
    watch TEXT NOT NULL,                    -- the markets it compares
    live INTEGER NOT NULL,                  -- 1: published, never to be replaced
    body BLOB NOT NULL,                     -- JSON, packed, with a checksum
    digest INTEGER NOT NULL,                -- of all the other columns
    PRIMARY KEY (logic_version, ts)
) STRICT, WITHOUT ROWID;

CREATE TABLE universe_state (
    logic_version TEXT PRIMARY KEY,
    watch TEXT NOT NULL,
    dirty_since INTEGER                     -- NULL: rows follow from the minutes
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar_entries (
    id TEXT NOT NULL,
    known_ts INTEGER NOT NULL,
    at INTEGER NOT NULL,
    impact TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    cancelled INTEGER NOT NULL,
    digest INTEGER NOT NULL,                -- of all the other columns
    PRIMARY KEY (id, known_ts)
) STRICT, WITHOUT ROWID;
";

/// Positions people have registered (JSON bodies), what was told about them, and the memory of the watch.
const V4: &str = "
CREATE TABLE positions (
    id TEXT PRIMARY KEY,
    registered_at INTEGER NOT NULL,
    removed_at INTEGER,                     -- NULL: it is there
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE position_states (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE position_notices (
    notice_id TEXT PRIMARY KEY,
    position_id TEXT NOT NULL,
    instrument TEXT NOT NULL,
    ts INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX position_notices_ts ON position_notices (ts);
";

/// Records of alerts: appended and never changed, kept for ever (surveillance §1).
const V6: &str = "
CREATE TABLE alerts (
    segment INTEGER NOT NULL,
    row_ts INTEGER NOT NULL,                -- first minute that knew it
    known_ts INTEGER NOT NULL,
    alert TEXT NOT NULL,                    -- id of the episode
    revision INTEGER NOT NULL,              -- counts the records of an episode
    pattern TEXT NOT NULL,
    change TEXT NOT NULL,
    severity INTEGER NOT NULL,              -- 0 INFO, 1 LOW, 2 MEDIUM, 3 HIGH, 4 CRITICAL
    opened_ts INTEGER NOT NULL,
    body TEXT NOT NULL,                     -- the record, JSON
    digest INTEGER NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, alert, revision)
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_episode ON alerts (segment, alert);
";

/// Digests of records that nothing else would miss a byte of. NULL: written before there were any.
const V5: &str = "
ALTER TABLE runs ADD COLUMN digest INTEGER;
ALTER TABLE positions ADD COLUMN digest INTEGER;
ALTER TABLE position_states ADD COLUMN digest INTEGER;
ALTER TABLE position_notices ADD COLUMN digest INTEGER;
";

/// Live writing. A run may be made of several parts, some of them published live; the positions of chunks are minutes
/// instead of hours, so that a row can be stored on its own until its hour is over; a gap says why.
const V2: &str = "
CREATE TABLE parts (                        -- which segment shows which minutes of a run; they do not overlap
    run INTEGER NOT NULL,
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    live INTEGER NOT NULL,                  -- 1: published, never to be replaced
    PRIMARY KEY (run, from_ts)
) STRICT, WITHOUT ROWID;
INSERT INTO parts SELECT run, from_ts, until_ts, segment, 0 FROM segments WHERE run IS NOT NULL AND from_ts < until_ts;
CREATE INDEX parts_segment ON parts (segment, until_ts);
DROP INDEX segments_run;
ALTER TABLE segments DROP COLUMN run;
ALTER TABLE segments DROP COLUMN from_ts;
ALTER TABLE segments DROP COLUMN until_ts;
ALTER TABLE runs ADD COLUMN live_segment INTEGER;

CREATE TABLE feature_chunks_2 (
    chunk INTEGER PRIMARY KEY,              -- segment and minute, see chunk_key
    layout INTEGER NOT NULL REFERENCES layouts,
    rows INTEGER NOT NULL,
    first_ts INTEGER NOT NULL,
    last_ts INTEGER NOT NULL,
    thinned INTEGER NOT NULL,               -- 1: only the 5-minute grid and label changes are left
    body BLOB NOT NULL
) STRICT;
INSERT INTO feature_chunks_2
    SELECT chunk >> 32 << 32 | (((chunk & 4294967295) - 2147483648) * 60 + 2147483648),
        layout, rows, first_ts, last_ts, thinned, body FROM feature_chunks ORDER BY chunk;
DROP TABLE feature_chunks;
ALTER TABLE feature_chunks_2 RENAME TO feature_chunks;
CREATE INDEX feature_chunks_extent ON feature_chunks (chunk, rows, first_ts, last_ts, thinned);

CREATE TABLE gaps_2 (
    segment INTEGER NOT NULL,
    row_ts INTEGER NOT NULL,                -- first minute that saw it
    known_ts INTEGER NOT NULL,
    decl TEXT NOT NULL,
    state TEXT NOT NULL,
    from_ts INTEGER NOT NULL,
    until_ts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, decl, state, from_ts, until_ts, reason)
) STRICT, WITHOUT ROWID;
INSERT INTO gaps_2 SELECT segment, row_ts, known_ts, decl, state, from_ts, until_ts, 'missing_rows' FROM gaps;
DROP TABLE gaps;
ALTER TABLE gaps_2 RENAME TO gaps;

ALTER TABLE points ADD COLUMN provenance INTEGER NOT NULL DEFAULT 0;  -- 0 import, 1 live, 2 backfill

CREATE TABLE live_points (                  -- points of one instrument from one tick, later from one hour
    instrument INTEGER NOT NULL REFERENCES instruments,
    piece INTEGER NOT NULL,                 -- counts up
    points INTEGER NOT NULL,
    first_event INTEGER NOT NULL,
    newest_event INTEGER NOT NULL,
    first_known INTEGER NOT NULL,
    newest_known INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (instrument, piece)
) STRICT, WITHOUT ROWID;

CREATE TABLE books (                        -- order books (R3.40)
    instrument INTEGER NOT NULL REFERENCES instruments,
    ts INTEGER NOT NULL,
    known_ts INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (instrument, ts, known_ts)
) STRICT, WITHOUT ROWID;
";

/// What happened to levels: appended and never changed (features §4.1). A level as of a moment is the last record of it that
/// was known then.
const V3: &str = "
CREATE TABLE level_changes (
    segment INTEGER NOT NULL,
    row_ts INTEGER NOT NULL,                -- first minute that knew it
    step INTEGER NOT NULL,                  -- order within the minute
    known_ts INTEGER NOT NULL,
    confirmed_ts INTEGER NOT NULL,
    level BLOB NOT NULL,                    -- id
    body BLOB NOT NULL,                     -- what happened and the level after it
    PRIMARY KEY (segment, row_ts, step)
) STRICT, WITHOUT ROWID;
";
