//! The originals' tables on a server (R3.42–R3.45, R4.37; ADR 22): what is written for them, and the views that show it.
//!
//! Both spellings of a symbol match: `market_symbol` is text whose `=` compares what is left without separators. The planner
//! sees through the functions, so an index on the bare spelling answers either.

use super::source_word;

/// What views learn from whoever listens.
pub(crate) const V2: &str = "INSERT INTO settings (name, value) VALUES ('basis_every', 60000000000);";

/// The type of the tables' symbols, before them.
pub(crate) const SYMBOLS: &str = r#"
CREATE FUNCTION barograph_bare(symbol text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT regexp_replace(translate(upper(symbol), '/-_', ''), '(SWAP|PERP)$', '') $$;
CREATE DOMAIN market_symbol AS text;
CREATE FUNCTION barograph_same(a market_symbol, b market_symbol) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT barograph_bare(a::text) = barograph_bare(b::text) $$;
CREATE FUNCTION barograph_same(a market_symbol, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT barograph_bare(a::text) = barograph_bare(b) $$;
CREATE FUNCTION barograph_same(a market_symbol, b varchar) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT barograph_bare(a::text) = barograph_bare(b::text) $$;
CREATE FUNCTION barograph_other(a market_symbol, b market_symbol) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $$ SELECT barograph_bare(a::text) <> barograph_bare(b::text) $$;
CREATE OPERATOR = (LEFTARG = market_symbol, RIGHTARG = market_symbol, FUNCTION = barograph_same, COMMUTATOR = =,
    RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR = (LEFTARG = market_symbol, RIGHTARG = text, FUNCTION = barograph_same, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR = (LEFTARG = market_symbol, RIGHTARG = varchar, FUNCTION = barograph_same, RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR <> (LEFTARG = market_symbol, RIGHTARG = market_symbol, FUNCTION = barograph_other, COMMUTATOR = <>,
    RESTRICT = neqsel, JOIN = neqjoinsel);
"#;

/// The version of the schema that brought the tables.
pub(crate) const V10: &str = r#"
CREATE INDEX market_rows_bare ON market_rows (barograph_bare(symbol::text), ts);
CREATE INDEX settlements_bare ON settlements (barograph_bare(symbol::text), ts);
CREATE INDEX forced_closes_bare ON forced_closes (barograph_bare(symbol::text), ts);

DROP VIEW IF EXISTS market_metrics, futures_funding_rates, futures_liquidations, futures_basis_history, market_snapshots,
    regimes, market_alerts;

-- The futures price against the spot market of the same coin on the same exchange; where that is not recorded, against the
-- index, which `spot_source` says. Never mark against index: that is the premium.
CREATE VIEW futures_basis_history AS
    SELECT g.ts, g.symbol, f.price AS futures_price, x.price AS spot_price, f.price - x.price AS basis,
        f.price / x.price - 1 AS basis_fraction, x.source AS spot_source, m.venue, m.name AS instrument
    FROM market_rows g JOIN table_markets m ON m.instrument = g.instrument AND m.kind <> 'spot'
        LEFT JOIN table_markets l ON l.instrument = m.spot_leg
        LEFT JOIN market_rows s ON s.symbol::text = l.symbol::text AND s.ts = g.ts AND s.instrument = l.instrument
        CROSS JOIN LATERAL (SELECT coalesce((g.best_bid + g.best_ask) / 2, g.last_price, g.close) AS price) f
        CROSS JOIN LATERAL (SELECT coalesce((s.best_bid + s.best_ask) / 2, s.last_price, s.close, g.index_price) AS price,
            CASE WHEN coalesce(s.best_bid, s.last_price, s.close) IS NULL THEN 'index' ELSE 'spot' END AS source) x
    WHERE f.price IS NOT NULL AND x.price > 0
        AND extract(epoch FROM g.ts)::bigint * 1000000000 % (SELECT value FROM settings WHERE name = 'basis_every') = 0;

-- Order books and candles (R3.45).
CREATE VIEW market_snapshots AS
    SELECT g.ts, g.symbol, 'kline' AS kind, g.bar_s AS interval_s, g.open, g.high, g.low, g.close, g.volume,
        NULL::float8 AS best_bid, NULL::float8 AS best_ask, m.venue, m.name AS instrument, NULL::float8[] AS bid_prices,
        NULL::float8[] AS bid_quantities, NULL::float8[] AS ask_prices, NULL::float8[] AS ask_quantities
    FROM market_rows g JOIN table_markets m USING (instrument) WHERE g.close IS NOT NULL
    UNION ALL
    SELECT barograph_time(b.ts), m.symbol, 'order_book', NULL, NULL, NULL, NULL, NULL, NULL, b.bid_prices[1], b.ask_prices[1],
        m.venue, m.name, b.bid_prices, b.bid_quantities, b.ask_prices, b.ask_quantities
    FROM table_markets m JOIN books b USING (instrument);

-- Changes of the published label of each axis (R4.37).
CREATE VIEW regimes AS
    SELECT barograph_time(c.ts) AS ts, m.symbol, c.axis, c.after AS regime, c.before AS previous_regime, m.venue,
        m.name AS instrument, r.logic_version, r.book
    FROM table_markets m JOIN runs r ON r.instrument = m.name JOIN parts t USING (run)
        JOIN (SELECT segment, ts, 'risk' AS axis, before, after FROM label_changes
            UNION ALL SELECT segment, ts, axis, before, after FROM axis_changes) c
            ON c.segment = t.segment AND c.ts >= t.from_ts AND c.ts < t.until_ts;

-- Records of alerts. Of a run that is replaced, what its parts show, and all that was published.
CREATE VIEW market_alerts AS
    SELECT barograph_time(a.known_ts) AS known_time, m.symbol, a.alert AS alert_id, a.revision, a.pattern AS pattern_type,
        a.change, (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[a.severity + 1] AS severity,
        barograph_time(a.opened_ts) AS opened_at, a.body::jsonb AS evidence, m.venue, m.name AS instrument, r.logic_version,
        r.book
    FROM table_markets m JOIN runs r ON r.instrument = m.name JOIN alerts a ON a.segment = r.live_segment
    UNION ALL
    SELECT barograph_time(a.known_ts), m.symbol, a.alert, a.revision, a.pattern, a.change,
        (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[a.severity + 1], barograph_time(a.opened_ts), a.body::jsonb, m.venue,
        m.name, r.logic_version, r.book
    FROM table_markets m JOIN runs r ON r.instrument = m.name JOIN parts t ON t.run = r.run AND t.live = 0
        JOIN alerts a ON a.segment = t.segment AND a.row_ts >= t.from_ts AND a.row_ts < t.until_ts
    WHERE NOT EXISTS (SELECT FROM alerts l WHERE l.segment = r.live_segment AND l.alert = a.alert
        AND l.revision = a.revision AND l.known_ts = a.known_ts);
"#;

/// Who said a metric of the market of a row: the venue, or by what the streams declare somebody else. Where several may have
/// said it, those whose points begin before the row and end after it, with commas between.
macro_rules! source {
    ($metric:literal) => {
        concat!(
            "CASE WHEN m.sources IS NULL THEN ",
            source_word!("m.venue"),
            " ELSE coalesce(CASE WHEN strpos(m.sources::json ->> ",
            $metric,
            ", ',') > 0 THEN (SELECT string_agg(DISTINCT w, ',' ORDER BY w) FROM (SELECT (",
            source_word!("s.source"),
            ") COLLATE \"C\" AS w FROM streams s WHERE s.instrument = g.instrument AND s.metric = ",
            $metric,
            " AND s.first_event < (floor(extract(epoch FROM g.ts))::bigint + 1) * 1000000000
                AND s.newest_event > (floor(extract(epoch FROM g.ts))::bigint - 60) * 1000000000) x) END,
                m.sources::json ->> ",
            $metric,
            ", ",
            source_word!("m.venue"),
            ") END"
        )
    };
}

/// Sources are those of the streams and no longer the venue.
pub(crate) const V11: &str = concat!(
    "
UPDATE table_markets SET sources = (SELECT json_object_agg(metric, words)::text FROM
    (SELECT metric, string_agg(DISTINCT w, ',' ORDER BY w) AS words FROM (SELECT s.metric, (",
    source_word!("s.source"),
    ") COLLATE \"C\" AS w FROM streams s
        WHERE s.instrument = table_markets.instrument AND s.metric <> 'spot_price') x GROUP BY metric) y
    WHERE words <> ",
    source_word!("table_markets.venue"),
    ");
DROP VIEW IF EXISTS market_metrics, futures_funding_rates, futures_liquidations;

CREATE VIEW market_metrics AS
    SELECT g.ts, g.symbol, v.metric_name, v.value, ",
    source!("v.metric_name"),
    " AS source, m.venue, m.name AS instrument
    FROM market_rows g JOIN table_markets m USING (instrument)
        CROSS JOIN LATERAL (VALUES ('mark_price', g.mark_price), ('index_price', g.index_price), ('funding_rate', g.funding_rate),
            ('open_interest', g.open_interest), ('bar', g.close), ('premium_index', g.premium_index),
            ('open_interest_usd', g.open_interest_usd), ('trade', g.last_price), ('long_short_ratio', g.long_short_ratio),
            ('top_trader_account_ratio', g.top_trader_account_ratio),
            ('top_trader_position_ratio', g.top_trader_position_ratio), ('taker_volume_ratio', g.taker_volume_ratio))
            v (metric_name, value)
    WHERE v.value IS NOT NULL;

CREATE VIEW futures_funding_rates AS
    SELECT g.ts, g.symbol, g.funding_rate, false AS settled, g.interval_h, NULL::timestamptz AS next_funding_time, ",
    source!("'funding_rate'"),
    " AS source, m.venue, m.name AS instrument
    FROM market_rows g JOIN table_markets m USING (instrument) WHERE g.funding_rate IS NOT NULL
    UNION ALL
    SELECT g.ts, g.symbol, g.rate, true, g.interval_h, g.next_ts, ",
    source!("'funding_rate_settled'"),
    ", m.venue, m.name
    FROM settlements g JOIN table_markets m USING (instrument);

CREATE VIEW futures_liquidations AS
    SELECT g.ts, g.symbol, g.liquidated_side, CASE g.liquidated_side WHEN 'long' THEN 'SELL' ELSE 'BUY' END AS side, g.price,
        g.quantity, g.price * g.quantity AS value_usd, ",
    source!("'liquidation_usd'"),
    " AS source, m.venue, m.name AS instrument
    FROM forced_closes g JOIN table_markets m USING (instrument);
"
);
