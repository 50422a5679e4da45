//! The content hash: SHA-256 over everything that was observed and everything that follows from it, streamed.
//!
//! Canonical means: instruments and streams by name and declaration, points by (`event_ts`, sequence, `known_ts`,
//! content), rows by minute with streams named instead of numbered. Slots, ids, page layout, segments, layouts, wall
//! clock times and checkpoints do not enter.

use super::asked::{Asked as _, select};
use super::db::Connection;
use super::decl::{self, Layout};
use super::fault::{Inner, SqlFault};
use super::pieces::Fact;
use super::rows::PackedRows;
use super::streams::{self, Stored};
use super::{points, rows, runs, segment};
use crate::codec::{self, words};
use crate::{ContentHash, Range, SectionHash};
use barograph_domain::{InputAge, MinuteRow, StreamIndex, Ts};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Bytes gathered before they are hashed.
const BUFFER: usize = 64 << 10;

/// One section in the making.
struct Section {
    name: &'static str,
    count: u64,
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Section {
    fn new(name: &'static str) -> Self {
        Self { name, count: 0, hash: Sha256::new(), buffer: Vec::with_capacity(BUFFER) }
    }

    /// A text, with its length, so that no two lists of texts give the same bytes.
    fn text(&mut self, text: &str) {
        self.int(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.bytes(text.as_bytes());
    }
    fn int(&mut self, n: i64) {
        self.bytes(&n.to_le_bytes());
    }
    fn uint(&mut self, n: u64) {
        self.bytes(&n.to_le_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.hash.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn finish(mut self) -> SectionHash {
        self.hash.update(&self.buffer);
        SectionHash { section: self.name, count: self.count, sha256: hex(&self.hash.finalize()) }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut out, b| {
        // Writing to a string cannot fail.
        let _infallible = write!(out, "{b:02x}");
        out
    })
}

/// Hashes what the read transaction of `conn` sees.
pub(super) fn of_content(conn: &Connection) -> Inner<ContentHash> {
    let stored = streams::load(conn, None)?;
    let mut sections = vec![
        instruments(conn, &stored)?,
        declarations(&stored)?,
        metric_points(conn, &stored)?,
        minute_rows(conn)?,
        label_changes(conn)?,
        gaps(conn)?,
    ];
    // Stores without levels hash as they did when there were none.
    sections.extend(Some(level_changes(conn)?).filter(|s| s.count > 0));
    // Nor do stores without alerts change.
    sections.extend(Some(alerts(conn)?).filter(|s| s.count > 0));
    // Stores without order books hash as they did when there were none.
    sections.extend(Some(books(conn)?).filter(|s| s.count > 0));
    sections.extend(Some(past_rows(conn)?).filter(|s| s.count > 0));
    // So do stores without rows between markets, and without a calendar.
    sections.extend([universe(conn)?, calendar(conn)?].into_iter().filter(|s| s.count > 0));
    // And stores without forecasts.
    sections.extend([ledger(conn)?, ledger_heads(conn)?, ledger_notes(conn)?].into_iter().filter(|s| s.count > 0));
    let mut total = Sha256::new();
    for s in &sections {
        total.update(format!("{} {} {}\n", s.section, s.count, s.sha256));
    }
    Ok(ContentHash { sha256: hex(&total.finalize()), sections })
}

fn instruments(conn: &Connection, stored: &[Stored]) -> Inner<SectionHash> {
    let mut out = Section::new("instruments");
    for (instrument, _) in streams::instruments(conn)? {
        if stored.iter().any(|s| s.decl.instrument == instrument.name) {
            out.text(&instrument.name.to_string());
            out.text(streams::kind_word(instrument.kind));
            out.int(instrument.expiry.map_or(i64::MIN, |t| t.0));
            out.count += 1;
        }
    }
    Ok(out.finish())
}

fn declarations(stored: &[Stored]) -> Inner<SectionHash> {
    let mut out = Section::new("streams");
    for stream in stored {
        out.text(&decl::to_text(&stream.decl)?);
        out.count += 1;
    }
    Ok(out.finish())
}

fn metric_points(conn: &Connection, stored: &[Stored]) -> Inner<SectionHash> {
    let mut out = Section::new("points");
    for stream in stored {
        out.text(&decl::to_text(&stream.decl)?);
        let mut key = None;
        let mut group: Vec<(i64, u8, Vec<u8>)> = Vec::new();
        points::walk(conn, stream, Ts::MIN, Ts::MAX, |Fact { event, provenance }| {
            let own = Some((event.event_ts.0, event.seq.cast_signed()));
            if key != own {
                put_group(&mut out, key, &mut group);
                key = own;
            }
            let mut bytes = Vec::with_capacity(56);
            event.payload.encode(&mut bytes);
            group.push((event.recv_ts.0, provenance.code(), bytes));
            Ok(true)
        })?;
        put_group(&mut out, key, &mut group);
    }
    Ok(out.finish())
}

fn put_group(out: &mut Section, key: Option<(i64, i64)>, group: &mut Vec<(i64, u8, Vec<u8>)>) {
    let Some((event, seq)) = key else { return };
    group.sort();
    for (known, provenance, bytes) in group.drain(..) {
        // Imported points hash as they did when there were no others.
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX) | i64::from(provenance) << 32;
        for n in [event, seq, known, length] {
            out.int(n);
        }
        out.bytes(&bytes);
        out.count += 1;
    }
}

fn minute_rows(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("rows");
    for (run, info) in runs::load(conn, runs::Which::All, None)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        let columns = &info.spec.columns;
        for feature in &columns.features {
            out.text(&feature.id);
            out.int(i64::from(feature.version));
        }
        columns.cuts.iter().chain(&columns.rules).for_each(|name| out.text(name));
        rows_of(conn, run, &mut out)?;
    }
    Ok(out.finish())
}

/// Rows of a run that its parts show.
fn rows_of(conn: &Connection, run: i64, out: &mut Section) -> Inner<()> {
    for part in segment::parts(conn, run)? {
        let (low, high) = part.chunks();
        let mut statement =
            conn.prepare(select!(PackedRows; " FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2 ORDER BY chunk"))?;
        let mut chunks = statement.query([low, high])?;
        let mut names = Names::default();
        while let Some(chunk) = chunks.next()? {
            let PackedRows { chunk, layout, body } = PackedRows::read(chunk)?;
            names.of(conn, layout)?;
            let rows = codec::decode(body, names.layout.width()).map_err(|e| SqlFault::chunk(chunk, e))?;
            for row in rows.iter().filter(|r| part.contains(r.ts)) {
                put_row(out, row, &names)?;
            }
        }
    }
    Ok(())
}

/// Runs as they answered before corrections.
fn past_rows(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("rows before corrections");
    for (retired, run, info) in runs::past(conn)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        out.int(retired.0);
        rows_of(conn, run, &mut out)?;
    }
    Ok(out.finish())
}

/// The names of the streams that a chunk calls by number: the first bytes of their declarations' digests.
struct Names {
    id: Option<i64>,
    layout: Layout,
    prints: Vec<u64>,
}

impl Default for Names {
    fn default() -> Self {
        let layout = Layout { columns: crate::Columns::default(), streams: Vec::new() };
        Self { id: None, layout, prints: Vec::new() }
    }
}

impl Names {
    fn of(&mut self, conn: &Connection, id: i64) -> Inner<()> {
        if self.id != Some(id) {
            self.layout = Layout::load(conn, id)?;
            let print = |d| {
                let digest = Sha256::digest(decl::to_text(d)?.as_bytes());
                let first = digest.first_chunk::<8>().copied().unwrap_or_default();
                Ok(u64::from_le_bytes(first))
            };
            self.prints = self.layout.streams.iter().map(print).collect::<Inner<_>>()?;
            self.id = Some(id);
        }
        Ok(())
    }

    fn print(&self, stream: Option<StreamIndex>, at: Ts) -> Inner<u64> {
        let Some(stream) = stream else { return Ok(0) };
        let missing = || SqlFault::Damaged(format!("the row of {at} names stream {}", stream.0));
        self.prints.get(stream.index()).copied().ok_or_else(missing)
    }
}

fn put_row(out: &mut Section, row: &MinuteRow, names: &Names) -> Inner<()> {
    out.int(row.ts.0);
    for cell in &row.cells {
        let (state, samples) = words::put_state(cell.state);
        out.uint(cell.value.to_bits());
        out.int(cell.anchor.0);
        out.bytes(&cell.coverage.to_bits().to_le_bytes());
        out.uint(state);
        out.uint(samples);
        out.uint(words::put_kind(cell.kind) | u64::from(cell.partial) << 2);
        out.uint(names.print(cell.stream, row.ts)?);
    }
    for value in row.cuts.iter().chain([&row.price]) {
        out.bytes(&[u8::from(value.is_some())]);
        out.uint(value.map_or(0, f64::to_bits));
    }
    for held in &row.held {
        out.uint(u64::from(held.held) | u64::from(held.known) << 32);
    }
    for words in words::all_axes(row) {
        words.into_iter().for_each(|w| out.uint(w));
    }
    out.uint(words::put_timeframes(&row.timeframes));
    if row.open.count > 0 {
        out.uint(words::put_open(&row.open));
    }
    out.uint(row.inputs.len() as u64);
    for InputAge { metric, stream, anchor, gap } in &row.inputs {
        out.text(metric.name());
        out.uint(names.print(*stream, row.ts)?);
        out.int(anchor.0);
        if let Some(gap) = gap {
            out.text(gap.word());
        }
    }
    out.count += 1;
    Ok(())
}

fn label_changes(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("label changes");
    for (run, info) in runs::load(conn, runs::Which::All, None)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        for change in rows::label_changes(conn, run, Range::ALL, usize::MAX, None)?.items {
            out.int(change.ts.0);
            out.text(change.from.map_or("", barograph_domain::RiskRegime::name));
            out.text(change.to.name());
            out.count += 1;
        }
    }
    Ok(out.finish())
}

fn gaps(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("gaps");
    for (run, info) in runs::load(conn, runs::Which::All, None)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        for gap in rows::stored_gaps(conn, run, Ts::MIN, Ts::MAX)? {
            for n in [gap.known_ts, gap.from_ts, gap.until_ts] {
                out.int(n.0);
            }
            for text in [&gap.decl, &gap.state, &gap.reason] {
                out.text(text);
            }
            out.count += 1;
        }
    }
    Ok(out.finish())
}

fn level_changes(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("levels");
    for (run, info) in runs::load(conn, runs::Which::All, None)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        for change in super::levels::changes(conn, run, Range::ALL, usize::MAX, None)?.items {
            let body = codec::level::canonical(&change).map_err(|e| SqlFault::Damaged(format!("a level {e}")))?;
            out.uint(body.len() as u64);
            out.bytes(&body);
            out.count += 1;
        }
    }
    Ok(out.finish())
}

fn alerts(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("alerts");
    for (run, info) in runs::load(conn, runs::Which::All, None)? {
        out.text(&info.spec.key.instrument.to_string());
        out.text(&info.spec.key.logic_version);
        for known in super::alerts::records(conn, run, &crate::AlertQuery::default())?.items {
            out.int(known.known_at.0);
            let text = serde_json::to_string(&known.alert).map_err(|e| SqlFault::Damaged(format!("an alert: {e}")))?;
            out.text(&text);
            out.count += 1;
        }
    }
    Ok(out.finish())
}

fn books(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("order books");
    super::books::walk(conn, |name, book| {
        out.text(name);
        out.int(book.ts.0);
        out.int(book.known_ts.0);
        for side in [&book.bids, &book.asks] {
            out.uint(side.len() as u64);
            for (price, qty) in side {
                out.uint(price.to_bits());
                out.uint(qty.to_bits());
            }
        }
        out.count += 1;
    })?;
    Ok(out.finish())
}

fn universe(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("hours between markets");
    super::universe::walk(conn, |logic, row| {
        out.text(logic);
        let text = codec::universe::text(row).map_err(|e| SqlFault::Damaged(format!("the hour {} {e}", row.ts)))?;
        out.uint(text.len() as u64);
        out.bytes(&text);
        out.count += 1;
        Ok(())
    })?;
    Ok(out.finish())
}

fn calendar(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("calendar entries");
    for e in super::universe::calendar(conn, None)? {
        for text in [e.id.as_str(), &e.name, e.impact.name(), &e.source] {
            out.text(text);
        }
        out.int(e.at.0);
        out.int(e.known_ts.0);
        out.uint(u64::from(e.cancelled));
        out.count += 1;
    }
    Ok(out.finish())
}

/// Ticks of the ledger, however they are packed.
fn ledger(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("ledger");
    super::ledger_read::walk(conn, |logic, tick| {
        out.text(logic);
        let content = codec::ledger::canonical(tick);
        out.uint(content.len() as u64);
        out.bytes(&content);
        out.count += 1;
    })?;
    Ok(out.finish())
}

fn ledger_notes(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("notes of the ledger");
    for (logic, note) in super::ledger_notes::list(conn, None)? {
        out.text(&logic);
        out.int(note.key.issued_ts.0);
        out.text(note.key.event.id());
        out.text(&note.key.market.to_string());
        out.text(note.key.subject.as_deref().unwrap_or_default());
        out.int(note.known_ts.0);
        out.int(note.resolved_ts.0);
        out.text(note.stands.word());
        out.text(note.now.word());
        out.count += 1;
    }
    Ok(out.finish())
}

fn ledger_heads(conn: &Connection) -> Inner<SectionHash> {
    let mut out = Section::new("heads of the ledger");
    for (logic, head) in super::ledger_kept::all_heads(conn)? {
        out.text(&logic);
        out.int(head.day.0);
        out.text(head.event.id());
        out.uint(head.rows);
        out.bytes(&head.head);
        out.count += 1;
    }
    Ok(out.finish())
}
