//! What live data cost in the store: time of a tick and bytes of a market's minute, in the file and on a server.
//!
//! The bench target `append` of the store publishes 150 minutes of a thousand markets, eight points each, tick by tick; `tables`
//! asks the originals' queries of five million points.

use super::{Bed, Measured, figure};

/// Figures of the bench `append`, and what it calls them; those on a server need one.
const APPEND: [(&str, &str); 7] = [
    ("file_median_ms", "append_1000_markets_sqlite_median_ms"),
    ("file_p99_ms", "append_1000_markets_sqlite_p99_ms"),
    ("file_bytes", "sqlite_bytes_per_market_minute"),
    ("postgres_median_ms", "append_1000_markets_postgres_median_ms"),
    ("postgres_p99_ms", "append_1000_markets_postgres_p99_ms"),
    ("postgres_first_ms", "append_1000_markets_postgres_first_ms"),
    ("postgres_bytes", "postgres_bytes_per_market_minute"),
];

/// Of the bench `tables`.
const TABLES: [(&str, &str); 2] =
    [("file_tables_ms", "tables_sqlite_slowest_ms"), ("postgres_tables_ms", "tables_postgres_slowest_ms")];

pub(crate) fn measure(bed: &Bed) -> Result<Measured, String> {
    // Not on one core: the server beside it has cores of its own.
    let command = |target| ["bench", "--locked", "--package", "barograph-store", "--bench", target];
    let compile = |target| bed.cargo(&[&command(target)[..], &["--no-run"]].concat());
    bed.sampler.without(|| compile("append").and_then(|_| compile("tables")))?;
    let run = |target| bed.cargo(&command(target));
    let printed = [run("append")?, run("tables")?].join("\n");
    let why = |id: &str| match id.starts_with("postgres") {
        true => "PostgreSQL is not installed".to_owned(),
        false => "the bench does not print it".to_owned(),
    };
    let figures = APPEND.into_iter().chain(TABLES);
    Ok(figures.map(|(id, name)| (id, figure(&printed, name).ok_or_else(|| why(id)))).collect())
}
