//! The originals' tables in a file (R3.42–R3.45, R4.37; ADR 22): what is written for them, and the views that show it.
//!
//! Both spellings of a symbol match, from any program that opens the file. Each view has two halves. The first shows every row
//! under `BASE/QUOTE`. The second shows rows under another spelling, but only while somebody asks for that spelling with `=` or
//! `IN`: it goes through `pragma_table_info`, which has no rows unless its argument is given, and which has one for the empty
//! view that bears the spelling as its name. So nothing is shown twice, and nothing but SQLite itself is needed. Columns called
//! `symbol` have the affinity of that argument (NUMERIC), without which SQLite would not read the halves in the order of an index.

use super::source_word;

/// A view of two halves: columns, then what is read, once by the symbol itself and once by another spelling of it. `key` is
/// where the symbol stands.
macro_rules! halves {
    ($symbol:literal, $before:literal, $after:expr, $table:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $before,
            ", ",
            $symbol,
            " AS symbol, ",
            $after,
            " FROM ",
            $table,
            " ",
            $rest,
            " UNION ALL SELECT ",
            $before,
            ", p.arg, ",
            $after,
            " FROM pragma_table_info p CROSS JOIN spellings y ON y.other = p.arg CROSS JOIN ",
            $table,
            " ON ",
            $symbol,
            " = y.symbol ",
            $rest,
            " AND p.cid = 0"
        )
    };
}

/// Who said a metric of the market of a row: the venue, or by what the streams declare somebody else. Where several may have
/// said it, those whose points begin before the row and end after it, with commas between. Programs parse every view of a file
/// when they open it, so nothing here is newer than they may be.
macro_rules! source {
    ($metric:literal) => {
        concat!(
            "CASE WHEN m.sources IS NULL THEN ",
            source_word!("m.venue"),
            " ELSE coalesce(CASE WHEN instr(json_extract(m.sources, '$.' || ",
            $metric,
            "), ',') > 0 THEN (SELECT group_concat(w) FROM (SELECT DISTINCT ",
            source_word!("s.source"),
            " AS w FROM streams s WHERE s.instrument = g.instrument AND s.metric = ",
            $metric,
            " AND s.first_event < (strftime('%s', g.ts) + 1) * 1000000000
                AND s.newest_event > (strftime('%s', g.ts) - 60) * 1000000000 ORDER BY 1)) END,
                json_extract(m.sources, '$.' || ",
            $metric,
            "), ",
            source_word!("m.venue"),
            ") END"
        )
    };
}

/// Sources are those of the streams and no longer the venue.
pub(crate) const V11: &str = concat!(
    "
UPDATE table_markets SET sources = nullif((SELECT json_group_object(metric, words) FROM
    (SELECT metric, group_concat(w) AS words FROM (SELECT DISTINCT s.metric, ",
    source_word!("s.source"),
    " AS w FROM streams s
        WHERE s.instrument = table_markets.instrument AND s.metric <> 'spot_price' ORDER BY 1, 2) GROUP BY metric)
    WHERE words <> ",
    source_word!("table_markets.venue"),
    "), '{}');
DROP VIEW IF EXISTS market_metrics;
DROP VIEW IF EXISTS futures_funding_rates;
DROP VIEW IF EXISTS futures_liquidations;
CREATE VIEW market_metrics AS ",
    halves!(
        "g.symbol",
        "g.ts",
        concat!(
            "k.metric_name, CASE k.k WHEN 1 THEN g.mark_price WHEN 2 THEN g.index_price WHEN 3 THEN g.funding_rate
            WHEN 4 THEN g.open_interest WHEN 5 THEN g.close WHEN 6 THEN g.premium_index WHEN 7 THEN g.open_interest_usd
            WHEN 8 THEN g.last_price WHEN 9 THEN g.long_short_ratio WHEN 10 THEN g.top_trader_account_ratio
            WHEN 11 THEN g.top_trader_position_ratio ELSE g.taker_volume_ratio END AS value, ",
            source!("k.metric_name"),
            " AS source, m.venue, m.name AS instrument"
        ),
        "market_rows g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument CROSS JOIN row_metrics k WHERE value IS NOT NULL"
    ),
    ";
CREATE VIEW futures_funding_rates AS ",
    halves!(
        "g.symbol",
        "g.ts",
        concat!(
            "g.funding_rate, 0 AS settled, g.interval_h, CAST(NULL AS TEXT) AS next_funding_time, ",
            source!("'funding_rate'"),
            " AS source, m.venue, m.name AS instrument"
        ),
        "market_rows g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument WHERE g.funding_rate IS NOT NULL"
    ),
    " UNION ALL ",
    halves!(
        "g.symbol",
        "g.ts",
        concat!("g.rate, 1, g.interval_h, g.next_ts, ", source!("'funding_rate_settled'"), ", m.venue, m.name"),
        "settlements g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument WHERE 1"
    ),
    ";
CREATE VIEW futures_liquidations AS ",
    halves!(
        "g.symbol",
        "g.ts",
        concat!(
            "g.liquidated_side, CASE g.liquidated_side WHEN 'long' THEN 'SELL' ELSE 'BUY' END AS side, g.price, g.quantity,
            g.price * g.quantity AS value_usd, ",
            source!("'liquidation_usd'"),
            " AS source, m.venue, m.name AS instrument"
        ),
        "forced_closes g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument WHERE 1"
    ),
    ";"
);

/// The version of the schema that brought them.
pub(crate) const V10: &str = concat!(
    "
INSERT INTO settings (name, value) VALUES ('basis_every', 60000000000);
INSERT INTO row_metrics (metric_name) VALUES ('mark_price'), ('index_price'), ('funding_rate'), ('open_interest'), ('bar'),
    ('premium_index'), ('open_interest_usd'), ('trade'), ('long_short_ratio'), ('top_trader_account_ratio'),
    ('top_trader_position_ratio'), ('taker_volume_ratio');

-- The futures price against the spot market of the same coin on the same exchange; where that is not recorded, against the
-- index, which `spot_source` says. Never mark against index: that is the premium.
CREATE VIEW futures_basis_history AS ",
    halves!(
        "g.symbol",
        "g.ts",
        "coalesce((g.best_bid + g.best_ask) / 2, g.last_price, g.close) AS futures_price,
            coalesce((s.best_bid + s.best_ask) / 2, s.last_price, s.close, g.index_price) AS spot_price,
            coalesce((g.best_bid + g.best_ask) / 2, g.last_price, g.close)
                - coalesce((s.best_bid + s.best_ask) / 2, s.last_price, s.close, g.index_price) AS basis,
            coalesce((g.best_bid + g.best_ask) / 2, g.last_price, g.close)
                / coalesce((s.best_bid + s.best_ask) / 2, s.last_price, s.close, g.index_price) - 1 AS basis_fraction,
            CASE WHEN coalesce(s.best_bid, s.last_price, s.close) IS NULL THEN 'index' ELSE 'spot' END AS spot_source,
            m.venue, m.name AS instrument",
        "market_rows g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument AND m.kind <> 'spot'
         LEFT JOIN table_markets l ON l.instrument = m.spot_leg
         LEFT JOIN market_rows s ON s.symbol = l.symbol AND s.ts = g.ts AND s.instrument = l.instrument
         WHERE futures_price IS NOT NULL AND spot_price > 0
            AND (unixepoch(g.ts) * 1000000000) % (SELECT value FROM settings WHERE name = 'basis_every') = 0"
    ),
    ";
CREATE VIEW market_snapshots AS ",
    halves!(
        "g.symbol",
        "g.ts",
        "'kline' AS kind, g.bar_s AS interval_s, g.open, g.high, g.low, g.close, g.volume, CAST(NULL AS REAL) AS best_bid,
            CAST(NULL AS REAL) AS best_ask,
            m.venue, m.name AS instrument",
        "market_rows g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument WHERE g.close IS NOT NULL"
    ),
    " UNION ALL ",
    halves!(
        "g.symbol",
        "g.ts",
        "'order_book', CAST(NULL AS REAL), CAST(NULL AS REAL), CAST(NULL AS REAL), CAST(NULL AS REAL), CAST(NULL AS REAL),
            CAST(NULL AS REAL), g.best_bid, g.best_ask, m.venue, m.name",
        "market_rows g",
        "CROSS JOIN table_markets m ON m.instrument = g.instrument WHERE g.best_bid IS NOT NULL"
    ),
    ";
-- Changes of the published label of each axis.
CREATE VIEW regimes AS ",
    halves!(
        "m.symbol",
        "datetime(c.ts / 1000000000, 'unixepoch') AS ts",
        "CAST('risk' AS TEXT) AS axis, c.after AS regime, c.before AS previous_regime, m.venue, m.name AS instrument, r.logic_version, r.book",
        "table_markets m",
        "CROSS JOIN runs r ON r.instrument = m.name CROSS JOIN parts t ON t.run = r.run CROSS JOIN label_changes c
            ON c.segment = t.segment AND c.ts >= t.from_ts AND c.ts < t.until_ts WHERE 1"
    ),
    " UNION ALL ",
    halves!(
        "m.symbol",
        "datetime(c.ts / 1000000000, 'unixepoch')",
        "c.axis, c.after, c.before, m.venue, m.name, r.logic_version, r.book",
        "table_markets m",
        "CROSS JOIN runs r ON r.instrument = m.name CROSS JOIN parts t ON t.run = r.run CROSS JOIN axis_changes c
            ON c.segment = t.segment AND c.ts >= t.from_ts AND c.ts < t.until_ts WHERE 1"
    ),
    ";
-- Records of alerts. Of a run that is replaced, what its parts show, and all that was published.
CREATE VIEW market_alerts AS ",
    halves!(
        "m.symbol",
        "datetime(a.known_ts / 1000000000, 'unixepoch') AS known_time",
        "a.alert AS alert_id, a.revision, a.pattern AS pattern_type, a.change,
            CASE a.severity WHEN 0 THEN 'INFO' WHEN 1 THEN 'LOW' WHEN 2 THEN 'MEDIUM' WHEN 3 THEN 'HIGH' ELSE 'CRITICAL' END
            AS severity, datetime(a.opened_ts / 1000000000, 'unixepoch') AS opened_at, a.body AS evidence, m.venue,
            m.name AS instrument, r.logic_version, r.book",
        "table_markets m",
        "CROSS JOIN runs r ON r.instrument = m.name CROSS JOIN alerts a ON a.segment = r.live_segment WHERE 1"
    ),
    " UNION ALL ",
    halves!(
        "m.symbol",
        "datetime(a.known_ts / 1000000000, 'unixepoch')",
        "a.alert, a.revision, a.pattern, a.change,
            CASE a.severity WHEN 0 THEN 'INFO' WHEN 1 THEN 'LOW' WHEN 2 THEN 'MEDIUM' WHEN 3 THEN 'HIGH' ELSE 'CRITICAL' END,
            datetime(a.opened_ts / 1000000000, 'unixepoch'), a.body, m.venue, m.name, r.logic_version, r.book",
        "table_markets m",
        "CROSS JOIN runs r ON r.instrument = m.name CROSS JOIN parts t ON t.run = r.run AND t.live = 0
         CROSS JOIN alerts a ON a.segment = t.segment AND a.row_ts >= t.from_ts AND a.row_ts < t.until_ts
         WHERE NOT EXISTS (SELECT 1 FROM alerts l WHERE l.segment = r.live_segment AND l.alert = a.alert
            AND l.revision = a.revision AND l.known_ts = a.known_ts)"
    ),
    ";"
);
