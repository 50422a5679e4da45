//! Partitions by month: made when the first row of a month comes, dropped when retention has emptied them.
//!
//! A new one is attached, which readers do not wait for; creating it in place would lock the table against them.

use super::{alone, find_or_alone};
use crate::sql::db::{Connection, NONE, params};
use crate::sql::fault::Inner;
use barograph_domain::{Span, Ts};

/// The month of an instant: its number, first instant and end, and the suffix of its partition's name.
fn month(t: Ts) -> (i64, Ts, Ts, String) {
    let (year, month) = year_and_month(t);
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let start = |(y, m)| Ts(days_from_civil(y, m).saturating_mul(Span::days(1).0));
    let sign = if year < 0 { "b" } else { "y" };
    (year * 12 + month, start((year, month)), start(next), format!("{sign}{:04}m{month:02}", year.abs()))
}

/// Year and month of the Gregorian calendar, from the date's text.
fn year_and_month(t: Ts) -> (i64, i64) {
    let days = t.0.div_euclid(Span::days(1).0);
    // Days since 0000-03-01, cut into 400-year cycles, which all have 146,097 days.
    let z = days + 719_468;
    let (era, day) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month)
}

/// Days from 1970-01-01 to the first of a month.
const fn days_from_civil(year: i64, month: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (y.div_euclid(400), y.rem_euclid(400));
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Sees to it that every month of these instants has a partition. Nothing on a file.
pub(crate) fn ensure_months(
    conn: &Connection,
    table: &'static str,
    instants: impl IntoIterator<Item = Ts>,
) -> Inner<()> {
    let Some(session) = conn.server() else { return Ok(()) };
    // Neighbours are mostly of one month.
    let mut last = (Ts(1), Ts(0));
    for t in instants {
        if last.0 <= t && t < last.1 {
            continue;
        }
        let (number, from, until, suffix) = month(t);
        last = (from, until);
        if session.months.borrow().contains(&(table, number)) {
            continue;
        }
        let name = format!("{table}_{suffix}");
        let there = || {
            // Not by `to_regclass`: within a transaction that has looked once it goes on to find nothing, whatever another has made.
            let sql = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relname = CAST(?1 AS text) AND n.nspname = current_schema())";
            conn.query_row(sql, params![&name], |r| Ok(r.get::<bool>(0)?.then_some(())))
        };
        if find_or_alone(conn, there)?.is_none() {
            conn.execute_batch(&format!(
                "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
                 ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({}) TO ({})",
                from.0, until.0
            ))?;
        }
        session.months.borrow_mut().insert((table, number));
    }
    Ok(())
}

/// Drops the partitions that retention has emptied, except the newest, which is about to be written. Nothing on a file.
pub(crate) fn drop_empty(conn: &Connection, table: &'static str) -> Inner<()> {
    let Some(session) = conn.server() else { return Ok(()) };
    alone(conn)?;
    let mut statement = conn.prepare(
        "SELECT CAST(c.relname AS text) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
         WHERE h.inhparent = CAST(CAST(?1 AS text) AS regclass) ORDER BY c.relname",
    )?;
    let mut names = statement.query_map(params![table], |r| r.get::<String>(0))?.collect::<Inner<Vec<_>>>()?;
    names.pop();
    for name in names {
        let empty = || conn.query_row(format!("SELECT NOT EXISTS (SELECT FROM {name})"), NONE, |r| r.get::<bool>(0));
        if !empty()? {
            continue;
        }
        // Waiting for readers would make others wait for us. With the lock no writer has rows on their way into it.
        conn.execute_batch(&format!(
            "SET LOCAL lock_timeout = '200ms'; LOCK TABLE ONLY {table}, ONLY {name} IN ACCESS EXCLUSIVE MODE"
        ))?;
        if empty()? {
            conn.execute_batch(&format!("DROP TABLE {name}"))?;
            session.months.borrow_mut().clear();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_the_calendar() {
        for (t, name) in [
            (Ts(0), "y1970m01"),
            (Ts(-1), "y1969m12"),
            (Ts::from_civil(2024, 2, 29, 23, 59, 59), "y2024m02"),
            (Ts::from_civil(2024, 12, 31, 23, 59, 59), "y2024m12"),
            (Ts::from_civil(2000, 3, 1, 0, 0, 0), "y2000m03"),
        ] {
            let (_, from, until, suffix) = month(t);
            assert_eq!(suffix, name);
            assert!(from <= t && t < until, "{name}");
            assert_eq!(month(until).1, until);
            assert_eq!(month(from).1, from);
        }
        assert_eq!(month(Ts::from_civil(2026, 2, 5, 0, 0, 0)).1, Ts::from_civil(2026, 2, 1, 0, 0, 0));
    }
}
