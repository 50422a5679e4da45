//! What live data cost in the store: time of a tick and bytes of a market's minute, in the file and on a server.
//!
//! The bench target `append` of the store publishes 150 minutes of a thousand markets, eight points each, tick by tick; `tables`
//! asks the originals' queries of five million points.

use super::figures::of;
use super::{Bed, Row, figure};

pub(crate) const ROWS: &[(&str, &str)] = &[
    ("1,000 live markets, a tick of minutes and points into the file, median and 99th percentile", "stated"),
    ("the same, bytes per market and minute, points included", "under 500"),
    ("the same on PostgreSQL, median and 99th percentile", "stated"),
    ("the same on PostgreSQL, bytes per market and minute", "stated"),
    ("the originals' queries at five million points, in the file, the slowest of nine", "50 ms"),
    ("the same on PostgreSQL", "50 ms"),
];

/// What an answer to a person may take.
const QUERY_MS_MAX: f64 = 50.0;

pub(crate) fn measure(bed: &Bed) -> Result<Vec<Row>, String> {
    let printed = bed.cargo(&["bench", "--locked", "--package", "barograph-store", "--bench", "append"])?;
    let need = |name: &str| figure(&printed, name).ok_or_else(|| format!("the bench prints no 'figure {name} …'"));
    let time = |store: &str| {
        let part = |what| need(&format!("append_1000_markets_{store}_{what}_ms"));
        Ok::<_, String>(format!("{:.0} and {:.0} ms", part("median")?, part("p99")?))
    };
    let row = |n, measured, ok| of("append").row(n, measured, ok);
    let bytes = need("sqlite_bytes_per_market_minute")?;
    let mut rows = vec![row(0, time("sqlite")?, true), row(1, format!("{bytes:.0}"), bytes < 500.0)];
    match need("postgres_bytes_per_market_minute") {
        Ok(bytes) => rows.extend([row(2, time("postgres")?, true), row(3, format!("{bytes:.0}"), true)]),
        Err(_none) => {
            let why = || "not measured: PostgreSQL is not installed".to_owned();
            rows.extend([row(2, why(), false), row(3, why(), false)]);
        }
    }
    let printed = bed.cargo(&["bench", "--locked", "--package", "barograph-store", "--bench", "tables"])?;
    for (n, store) in [(4, "sqlite"), (5, "postgres")] {
        rows.push(match figure(&printed, &format!("tables_{store}_slowest_ms")) {
            Some(ms) => row(n, format!("{ms:.0} ms"), ms < QUERY_MS_MAX),
            None => row(n, "not measured: PostgreSQL is not installed".to_owned(), false),
        });
    }
    Ok(rows)
}
