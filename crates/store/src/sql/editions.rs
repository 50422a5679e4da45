//! Since when rows count that a correction made.
//!
//! A row is known 200 ms after its minute, as long as what it was made of is. One that a corrected import made anew says what nobody
//! could know before that import: the earlier edition of the run answers for moments before it. So a row is known since the last
//! correction before which the run said otherwise of its minute, or nothing. A row that came out the same was known all along.

use super::db::{Connection, params};
use super::fault::Inner;
use super::rows;
use super::segment::{self, Part};
use crate::run::{GRID, stream_slots};
use crate::{Range, RowQuery, Rows, RunKey};
use barograph_domain::{MinuteRow, StreamDecl, StreamIndex, Ts};
use std::collections::BTreeMap;

/// Rows of an edition with the moments since which corrected ones count; `asked` has the grid they were asked for on.
pub(super) fn dated(conn: &Connection, key: &RunKey, run: i64, asked: &RowQuery, found: Rows) -> Inner<Rows> {
    let editions = before(conn, key, run)?;
    if editions.is_empty() || found.rows.is_empty() {
        return Ok(found);
    }
    let own = segment::parts(conn, run)?;
    let mut corrected = BTreeMap::new();
    for (retired, past) in editions {
        let others = segment::parts(conn, past)?;
        // What both editions show from one segment was not made anew.
        let anew: Vec<&MinuteRow> = found
            .rows
            .iter()
            .filter(|row| !corrected.contains_key(&row.ts) && shown_by(&own, row.ts) != shown_by(&others, row.ts))
            .collect();
        let (Some(first), Some(last)) = (anew.first(), anew.last()) else { continue };
        let range = Range { start: first.ts, end: last.ts + GRID };
        let old = earlier(conn, past, &RowQuery { range, limit: usize::MAX, as_of: None, ..*asked }, &found)?;
        let changed = anew.into_iter().filter(|row| old.get(&row.ts) != Some(*row));
        corrected.extend(changed.map(|row| (row.ts, retired)).collect::<Vec<_>>());
    }
    Ok(Rows { corrected, ..found })
}

/// What a run was before corrections that an edition of it has seen, the newest first: until when each answered, and its number.
fn before(conn: &Connection, key: &RunKey, run: i64) -> Inner<Vec<(Ts, i64)>> {
    let mut statement = conn.prepare(
        "SELECT retired_ts, run FROM past_runs WHERE instrument = ?1 AND logic_version = ?2 AND retired_ts <
            coalesce((SELECT retired_ts FROM past_runs WHERE run = ?3), 9223372036854775807)
         ORDER BY retired_ts DESC",
    )?;
    let asked = params![key.instrument.to_string(), &key.logic_version, run];
    statement.query_map(asked, |r| Ok((Ts(r.get(0)?), r.get(1)?)))?.collect()
}

/// See [`crate::Reader::corrections`].
pub(super) fn corrections(conn: &Connection, key: &RunKey, run: i64) -> Inner<Vec<(Ts, Ts)>> {
    let own = segment::parts(conn, run)?;
    let mut found = Vec::new();
    for (retired, past) in before(conn, key, run)? {
        let others = segment::parts(conn, past)?;
        // Where who shows a minute changes, on either side.
        let mut edges: Vec<Ts> = own.iter().chain(&others).flat_map(|p| [p.from, p.until]).collect();
        edges.sort_unstable();
        let anew = |t: &&Ts| shown_by(&others, **t).is_some() && shown_by(&own, **t) != shown_by(&others, **t);
        found.extend(edges.iter().find(anew).map(|first| (*first, retired)));
    }
    Ok(found)
}

fn shown_by(parts: &[Part], ts: Ts) -> Option<i64> {
    parts.iter().find(|part| part.contains(ts)).map(|part| part.id)
}

/// Rows of an earlier edition by minute, in terms of the streams of `like`; none where their columns mean something else.
fn earlier(conn: &Connection, run: i64, query: &RowQuery, like: &Rows) -> Inner<BTreeMap<Ts, MinuteRow>> {
    let found = rows::history(conn, run, query, None)?;
    if found.columns != like.columns {
        return Ok(BTreeMap::new());
    }
    let place =
        |decl: &StreamDecl| like.streams.iter().position(|own| own == decl).and_then(|at| u16::try_from(at).ok());
    let places: Vec<Option<StreamIndex>> = found.streams.iter().map(|decl| place(decl).map(StreamIndex)).collect();
    let mut by_minute = BTreeMap::new();
    for mut row in found.rows {
        let known = stream_slots(&mut row).all(|slot| match places.get(slot.index()).copied().flatten() {
            Some(new) => {
                *slot = new;
                true
            }
            None => false,
        });
        if known {
            by_minute.insert(row.ts, row);
        }
    }
    Ok(by_minute)
}
