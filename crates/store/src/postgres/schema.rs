//! The tables on a server, version by version. Forward only, as for files; the version stands in `barograph_schema`.
//!
//! The core tables are those of the file with the same names and meanings, so that the same statements serve both. Points
//! and order books are partitioned by month of `event_ts`; partitions are made when the first row of a month comes. What
//! people ask a server in SQL are the views (R3.42–R3.45, R4.37), whose times are `timestamptz`. Points have columns for
//! that beside the exact payload; numbers are `float8` and keep every bit.

use super::tables::{V10, V11};

/// What turns version `i` into version `i + 1`.
pub(super) const MIGRATIONS: &[&str] = &[V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11];

/// Corrections: a later import that contradicts stored points, and points that were taken back (`provenance` 3 taken back, 4
/// corrected, each known since the moment of it). Runs as they answered before a correction go on answering for moments
/// before it: their record is in `past_runs`, under a number of its own below zero, with parts of its own.
const V9: &str = r#"
CREATE INDEX points_corrected ON points (stream, event_ts) WHERE provenance >= 3;
ALTER TABLE runs ADD COLUMN corrected_ts bigint;

CREATE TABLE past_runs (
    run bigint PRIMARY KEY,
    instrument text COLLATE "C" NOT NULL,
    logic_version text COLLATE "C" NOT NULL,
    retired_ts bigint NOT NULL,
    release text NOT NULL,
    book text NOT NULL,
    book_text text NOT NULL,
    config text NOT NULL,
    layout bigint NOT NULL REFERENCES layouts,
    live_segment bigint,
    digest bigint,
    UNIQUE (instrument, logic_version, retired_ts)
);

CREATE OR REPLACE VIEW metric_points AS
    SELECT i.name AS instrument, split_part(i.name, ':', 1) AS venue, substr(i.name, strpos(i.name, ':') + 1) AS symbol,
        s.source, s.metric, s.cadence / 1000000000.0 AS cadence_s, barograph_time(p.event_ts) AS event_time,
        barograph_time(coalesce(p.known_ts, p.event_ts + s.delay)) AS known_time, p.seq, p.value,
        (ARRAY['import', 'live', 'backfill', 'taken_back', 'correction'])[p.provenance + 1] AS provenance,
        p.open, p.high, p.low, p.volume, p.quote_volume, p.price, p.quantity, p.side, p.ask, p.interval_h,
        barograph_time(p.next_ts) AS next_time, p.event_ts, coalesce(p.known_ts, p.event_ts + s.delay) AS known_ts
    FROM points p JOIN streams s USING (stream) JOIN instruments i ON i.instrument = s.instrument;
"#;

/// The outbox: what is to be told, to whom, what became of it, and what is to be kept quiet.
const V8: &str = r#"
CREATE TABLE messages (
    message text COLLATE "C" PRIMARY KEY,
    fingerprint text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    phase text COLLATE "C" NOT NULL,
    instrument text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    known_ts bigint NOT NULL,
    body text NOT NULL,
    digest bigint NOT NULL
);
CREATE INDEX messages_known ON messages (known_ts);
CREATE INDEX messages_thing ON messages (fingerprint, known_ts, revision);
CREATE INDEX messages_groups ON messages (known_ts) WHERE kind = 'group';
CREATE TABLE deliveries (
    message text COLLATE "C" NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    known_ts bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    via text COLLATE "C",
    reason text NOT NULL,
    deliver_until bigint NOT NULL,
    attempts bigint NOT NULL,
    next_try bigint NOT NULL,
    ended_ts bigint,
    PRIMARY KEY (message, endpoint)
);
CREATE INDEX deliveries_known ON deliveries (known_ts, message, endpoint);
CREATE INDEX deliveries_unfinished ON deliveries (known_ts) WHERE ended_ts IS NULL;
CREATE INDEX deliveries_via ON deliveries (via, endpoint) WHERE via IS NOT NULL;
CREATE TABLE attempts (
    message text COLLATE "C" NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    at_ts bigint NOT NULL,
    status bigint,
    latency_ms bigint NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    excerpt text NOT NULL,
    PRIMARY KEY (message, endpoint, at_ts)
);
CREATE INDEX attempts_at ON attempts (at_ts);
CREATE TABLE endpoint_states (
    endpoint text COLLATE "C" PRIMARY KEY,
    disabled text,
    failing_since bigint,
    learned text
);
CREATE TABLE silences (
    silence text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    known_ts bigint NOT NULL,
    ends_ts bigint NOT NULL,
    changed_by text NOT NULL,
    body text NOT NULL,
    digest bigint NOT NULL,
    PRIMARY KEY (silence, revision)
);
"#;

/// Rows between markets and what is scheduled. Hours that a live process published are never replaced; the others follow from
/// stored minutes, and `universe_state` says from when on they do not. Entries of the calendar are revisions.
const V7: &str = r#"
CREATE TABLE universe_rows (
    logic_version text COLLATE "C" NOT NULL,
    ts bigint NOT NULL,
    known_ts bigint NOT NULL,
    watch text NOT NULL,
    live bigint NOT NULL,
    body bytea NOT NULL,
    digest bigint NOT NULL,
    PRIMARY KEY (logic_version, ts)
);
CREATE TABLE universe_state (
    logic_version text COLLATE "C" PRIMARY KEY,
    watch text NOT NULL,
    dirty_since bigint
);
CREATE TABLE calendar_entries (
    id text COLLATE "C" NOT NULL,
    known_ts bigint NOT NULL,
    at bigint NOT NULL,
    impact text NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    cancelled bigint NOT NULL,
    digest bigint NOT NULL,
    PRIMARY KEY (id, known_ts)
);
"#;

/// Records of alerts: appended and never changed, kept for ever (surveillance §1). Of a run that is replaced, the view shows
/// what its parts show, and all that was published.
const V6: &str = r#"
CREATE TABLE alerts (
    segment bigint NOT NULL,
    row_ts bigint NOT NULL,
    known_ts bigint NOT NULL,
    alert text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    pattern text COLLATE "C" NOT NULL,
    change text COLLATE "C" NOT NULL,
    severity bigint NOT NULL,
    opened_ts bigint NOT NULL,
    body text NOT NULL,
    digest bigint NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, alert, revision)
);
CREATE INDEX alerts_episode ON alerts (segment, alert);
CREATE VIEW market_alerts AS
    SELECT DISTINCT ON (r.run, a.known_ts, a.alert, a.revision) barograph_time(a.known_ts) AS known_time,
        split_part(r.instrument, ':', 1) AS venue, substr(r.instrument, strpos(r.instrument, ':') + 1) AS symbol,
        a.alert AS alert_id, a.revision, a.pattern AS pattern_type, a.change,
        (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[a.severity + 1] AS severity,
        barograph_time(a.opened_ts) AS opened_at, a.body::jsonb AS evidence, r.logic_version, r.book
    FROM runs r JOIN parts p USING (run)
        JOIN alerts a ON a.segment = r.live_segment
            OR a.segment = p.segment AND p.live = 0 AND a.row_ts >= p.from_ts AND a.row_ts < p.until_ts
    ORDER BY r.run, a.known_ts, a.alert, a.revision, a.segment = r.live_segment DESC;
"#;

/// Digests of records that nothing else would miss a byte of. NULL: written before there were any.
const V5: &str = r#"
ALTER TABLE runs ADD COLUMN digest bigint;
ALTER TABLE positions ADD COLUMN digest bigint;
ALTER TABLE position_states ADD COLUMN digest bigint;
ALTER TABLE position_notices ADD COLUMN digest bigint;
"#;

/// Positions people have registered (JSON bodies), what was told about them, and the memory of the watch.
const V4: &str = r#"
CREATE TABLE positions (
    id text COLLATE "C" PRIMARY KEY,
    registered_at bigint NOT NULL,
    removed_at bigint,
    body text NOT NULL
);
CREATE TABLE position_states (id text COLLATE "C" PRIMARY KEY, body text NOT NULL);
CREATE TABLE position_notices (
    notice_id text COLLATE "C" PRIMARY KEY,
    position_id text COLLATE "C" NOT NULL,
    instrument text COLLATE "C" NOT NULL,
    ts bigint NOT NULL,
    body text NOT NULL
);
CREATE INDEX position_notices_ts ON position_notices (ts);
"#;

/// What happened to levels: appended and never changed (features §4.1). A level as of a moment is the last record of it that
/// was known then.
const V3: &str = r#"
CREATE TABLE level_changes (
    segment bigint NOT NULL,
    row_ts bigint NOT NULL,
    step bigint NOT NULL,
    known_ts bigint NOT NULL,
    confirmed_ts bigint NOT NULL,
    level bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (segment, row_ts, step)
);
"#;

/// What views are told by whoever listens.
const V2: &str = r#"
CREATE TABLE settings (name text PRIMARY KEY, value bigint NOT NULL);
INSERT INTO settings (name, value) VALUES ('basis_every', 60000000000);

-- Mark against index at one moment, from one source, in the minutes that are whole multiples of `basis_every` (R3.39). The
-- minute of a moment is the one that ends there or next, as for readings.
CREATE OR REPLACE VIEW futures_basis_history AS
    SELECT m.event_time AS ts, m.venue, m.symbol, m.value AS mark_price, x.value AS index_price,
        m.value - x.value AS basis, m.value / nullif(x.value, 0) - 1 AS basis_fraction, m.source,
        greatest(m.known_time, x.known_time) AS known_ts
    FROM metric_points m JOIN metric_points x
        ON x.instrument = m.instrument AND x.source = m.source AND x.event_ts = m.event_ts AND x.metric = 'index_price'
    WHERE m.metric = 'mark_price'
        AND (m.event_ts + 59999999999) / 60000000000 * 60000000000
            % (SELECT value FROM settings WHERE name = 'basis_every') = 0;
"#;

const V1: &str = r#"
CREATE TABLE instruments (
    instrument bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    kind text NOT NULL,
    expiry bigint,
    points_version bigint NOT NULL
);
CREATE TABLE streams (
    stream bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument bigint NOT NULL REFERENCES instruments,
    source text NOT NULL,
    metric text NOT NULL,
    cadence bigint NOT NULL,
    delay bigint NOT NULL,
    decl text COLLATE "C" NOT NULL UNIQUE,
    points bigint NOT NULL,
    first_event bigint NOT NULL,
    newest_event bigint NOT NULL,
    newest_known bigint NOT NULL,
    lag_min bigint NOT NULL,
    digest bigint NOT NULL
);
CREATE INDEX streams_instrument ON streams (instrument);
CREATE INDEX streams_metric ON streams (metric);

CREATE TABLE points (
    stream bigint NOT NULL,
    event_ts bigint NOT NULL,
    seq bigint NOT NULL,
    rev bigint NOT NULL,
    known_ts bigint,
    value float8,
    payload bytea,
    provenance bigint NOT NULL DEFAULT 0,
    open float8, high float8, low float8, volume float8, quote_volume float8,
    price float8, quantity float8, side text, ask float8,
    interval_h float8, next_ts bigint,
    PRIMARY KEY (stream, event_ts, seq, rev)
) PARTITION BY RANGE (event_ts);
CREATE INDEX points_known ON points (stream, known_ts) WHERE known_ts IS NOT NULL;
CREATE INDEX points_time ON points USING brin (event_ts);

CREATE TABLE layouts (
    layout bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 bytea NOT NULL UNIQUE,
    body text NOT NULL
);
CREATE TABLE runs (
    run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument text COLLATE "C" NOT NULL,
    logic_version text COLLATE "C" NOT NULL,
    release text NOT NULL,
    book text NOT NULL,
    book_text text NOT NULL,
    config text NOT NULL,
    layout bigint NOT NULL REFERENCES layouts,
    dirty_since bigint,
    dirty_version bigint NOT NULL,
    live_segment bigint,
    UNIQUE (instrument, logic_version)
);
CREATE TABLE segments (segment bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE parts (
    run bigint NOT NULL,
    from_ts bigint NOT NULL,
    until_ts bigint NOT NULL,
    segment bigint NOT NULL,
    live bigint NOT NULL,
    PRIMARY KEY (run, from_ts)
);
CREATE INDEX parts_segment ON parts (segment, until_ts);
CREATE TABLE feature_chunks (
    chunk bigint PRIMARY KEY,
    layout bigint NOT NULL REFERENCES layouts,
    rows bigint NOT NULL,
    first_ts bigint NOT NULL,
    last_ts bigint NOT NULL,
    thinned bigint NOT NULL,
    body bytea NOT NULL
);
ALTER TABLE feature_chunks ALTER COLUMN body SET STORAGE EXTERNAL;  -- packed already
CREATE INDEX feature_chunks_extent ON feature_chunks (chunk) INCLUDE (rows, first_ts, last_ts, thinned);
CREATE TABLE label_changes (
    segment bigint NOT NULL,
    ts bigint NOT NULL,
    before text,
    after text NOT NULL,
    PRIMARY KEY (segment, ts)
);
CREATE TABLE gaps (
    segment bigint NOT NULL,
    row_ts bigint NOT NULL,
    known_ts bigint NOT NULL,
    decl text COLLATE "C" NOT NULL,
    state text NOT NULL,
    from_ts bigint NOT NULL,
    until_ts bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (segment, row_ts, known_ts, decl, state, from_ts, until_ts, reason)
);
CREATE TABLE checkpoints (
    checkpoint bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    segment bigint NOT NULL,
    ts bigint NOT NULL,
    body bytea NOT NULL,
    UNIQUE (segment, ts)
);
CREATE TABLE imports (
    import bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started bigint NOT NULL,
    finished bigint NOT NULL,
    release text NOT NULL,
    source text NOT NULL,
    points_new bigint NOT NULL,
    points_revised bigint NOT NULL,
    points_same bigint NOT NULL,
    points_earlier bigint NOT NULL,
    rejected bigint NOT NULL,
    detail text NOT NULL
);
CREATE TABLE books (
    instrument bigint NOT NULL,
    ts bigint NOT NULL,
    known_ts bigint NOT NULL,
    body bytea NOT NULL,
    bid_prices float8[] NOT NULL,
    bid_quantities float8[] NOT NULL,
    ask_prices float8[] NOT NULL,
    ask_quantities float8[] NOT NULL,
    PRIMARY KEY (instrument, ts, known_ts)
) PARTITION BY RANGE (ts);
CREATE INDEX books_time ON books USING brin (ts);

-- Nanoseconds as a time; the server's own times end at microseconds.
CREATE FUNCTION barograph_time(ns bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT timestamptz 'epoch' + (ns / 1000) * interval '1 microsecond' $$;

-- Every point, revisions included, with the names that go with it.
CREATE VIEW metric_points AS
    SELECT i.name AS instrument, split_part(i.name, ':', 1) AS venue, substr(i.name, strpos(i.name, ':') + 1) AS symbol,
        s.source, s.metric, s.cadence / 1000000000.0 AS cadence_s, barograph_time(p.event_ts) AS event_time,
        barograph_time(coalesce(p.known_ts, p.event_ts + s.delay)) AS known_time, p.seq, p.value,
        (ARRAY['import', 'live', 'backfill'])[p.provenance + 1] AS provenance,
        p.open, p.high, p.low, p.volume, p.quote_volume, p.price, p.quantity, p.side, p.ask, p.interval_h,
        barograph_time(p.next_ts) AS next_time, p.event_ts, coalesce(p.known_ts, p.event_ts + s.delay) AS known_ts
    FROM points p JOIN streams s USING (stream) JOIN instruments i ON i.instrument = s.instrument;

-- The latest revision of each value (R1.18, R4.37).
CREATE VIEW market_metrics AS
    SELECT DISTINCT ON (instrument, source, metric, cadence_s, event_ts, seq)
        event_time AS ts, instrument, venue, symbol, metric AS metric_name, value, source, cadence_s, known_time AS known_ts,
        provenance
    FROM metric_points WHERE metric NOT IN ('trade', 'liquidation_usd')
    ORDER BY instrument, source, metric, cadence_s, event_ts, seq, metric_points.known_ts DESC;

CREATE VIEW futures_funding_rates AS
    SELECT event_time AS ts, venue, symbol, value AS funding_rate, metric = 'funding_rate_settled' AS settled, interval_h,
        next_time AS next_funding_time, source, known_time AS known_ts, provenance
    FROM metric_points WHERE metric IN ('funding_rate', 'funding_rate_settled');

CREATE VIEW futures_liquidations AS
    SELECT event_time AS ts, venue, symbol, side AS liquidated_side, price, quantity, value AS value_usd, source,
        known_time AS known_ts, provenance
    FROM metric_points WHERE metric = 'liquidation_usd';

-- Mark against index at one moment, from one source.
CREATE VIEW futures_basis_history AS
    SELECT m.event_time AS ts, m.venue, m.symbol, m.value AS mark_price, x.value AS index_price,
        m.value - x.value AS basis, m.value / nullif(x.value, 0) - 1 AS basis_fraction, m.source,
        greatest(m.known_time, x.known_time) AS known_ts
    FROM metric_points m JOIN metric_points x
        ON x.instrument = m.instrument AND x.source = m.source AND x.event_ts = m.event_ts AND x.metric = 'index_price'
    WHERE m.metric = 'mark_price';

-- Order books and candles (R3.45).
CREATE VIEW market_snapshots AS
    SELECT barograph_time(b.ts) AS ts, split_part(i.name, ':', 1) AS venue,
        substr(i.name, strpos(i.name, ':') + 1) AS symbol, 'order_book' AS kind, NULL::numeric AS interval_s,
        NULL::float8 AS open, NULL::float8 AS high, NULL::float8 AS low, NULL::float8 AS close, NULL::float8 AS volume,
        b.bid_prices[1] AS best_bid, b.ask_prices[1] AS best_ask, b.bid_prices, b.bid_quantities, b.ask_prices,
        b.ask_quantities, barograph_time(b.known_ts) AS known_ts
    FROM books b JOIN instruments i USING (instrument)
    UNION ALL
    SELECT event_time, venue, symbol, 'kline', cadence_s, open, high, low, value, volume, NULL, NULL, NULL, NULL, NULL, NULL,
        known_time
    FROM metric_points WHERE metric = 'bar';

-- Changes of the published label, each until the next (R4.37).
CREATE VIEW regimes AS
    SELECT barograph_time(c.ts) AS ts, split_part(r.instrument, ':', 1) AS venue,
        substr(r.instrument, strpos(r.instrument, ':') + 1) AS symbol, 'risk' AS axis, c.after AS regime,
        c.before AS previous_regime, r.logic_version, r.book,
        lead(barograph_time(c.ts)) OVER (PARTITION BY r.run ORDER BY c.ts) AS until
    FROM runs r JOIN parts p USING (run)
        JOIN label_changes c ON c.segment = p.segment AND c.ts >= p.from_ts AND c.ts < p.until_ts;
"#;
