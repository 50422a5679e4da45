//! Replacing a run from a minute on, in bounded memory, seen by readers all at once.
//!
//! Rows are packed as they come. Few of them (a day or two) are kept in memory and written in the final transaction,
//! into the run's last segment. More are staged: written, a few megabytes at a time, into a new segment that no run
//! shows yet, and the final transaction only says which segment covers which minutes. Against one long transaction this
//! keeps SQLite's single write lock free for the other writing role, keeps the log small, and leaves nothing worse than
//! garbage when the process is killed; the next writer removes it.
//!
//! Published minutes are not part of the game: their parts stay, rows for them are left out, and the new segment shows
//! the minutes around them.

use super::alerts;
use super::axes::{self, Labels, LabelsChanged};
use super::db::Connection;
use super::decl::{self, Layout};
use super::fault::{Inner, SqlFault};
use super::levels::{self, Steps};
use super::packing::Packer;
use super::segment::{self, Chunk, Part};
use super::writer::Core;
use super::{ledger_kept, rows, runs, universe};
use crate::run::{GRID, row_of};
use crate::schema::insert;
use crate::{Error, Gap, LabelChange, PointsVersion, Replaced, Result, RunKey, RunSpec, RunWriter};
use barograph_domain::alert::AlertChange;
use barograph_domain::{KnownAlert, LevelChange, MinuteRow, RiskRegime, Span, StatusState, StreamDecl, Ts};
use std::collections::VecDeque;

/// Chunks kept in memory before they are staged: two days and a half, a megabyte or two.
const PENDING_CHUNKS: usize = 60;
/// One checkpoint in each of these is kept, besides the latest two.
const CHECKPOINT_EVERY: Span = Span::days(7);
/// Checkpoints repeat themselves (rings of samples). Measured on those of a market with minutes: 18 % less than level 1, in 13 ms
/// each.
const CHECKPOINT_ZSTD_LEVEL: i32 = 3;

/// What has not been written yet.
#[derive(Default)]
struct Pending {
    chunks: Vec<Chunk>,
    labels: Vec<LabelChange>,
    turned: Vec<LabelsChanged>,
    gaps: Vec<Gap>,
    levels: Vec<(u32, LevelChange)>,
    alerts: Vec<KnownAlert>,
    checkpoints: Vec<(Ts, Vec<u8>)>,
}

/// See [`RunWriter`].
pub(super) struct Replacement<'a> {
    writer: &'a mut Core,
    packer: Packer,
    last: Option<Ts>,
    label: Option<RiskRegime>,
    /// Of the other axes.
    labels: Labels,
    /// Published minutes not passed yet, with the label in force at their end.
    published: VecDeque<(Part, Option<RiskRegime>, Labels)>,
    total: Replaced,
    steps: Steps,
    /// A refused row leaves a hole; then nothing may become visible.
    refused: bool,
    plan: Plan,
}

/// What the final transaction needs to know.
struct Plan {
    spec: RunSpec,
    layout: Layout,
    from: Option<Ts>,
    seen: PointsVersion,
    pending: Pending,
    /// The segment nobody sees yet.
    staged: Option<i64>,
}

impl<'a> Replacement<'a> {
    pub(super) fn begin(writer: &'a mut Core, spec: &RunSpec, from: Option<Ts>, seen: PointsVersion) -> Result<Self> {
        if let Some(t) = from.filter(|t| t.floor(GRID) != *t) {
            return Err(Error::Invalid(format!("{t} is not on the minute grid")));
        }
        let own = |s: &&StreamDecl| s.instrument == spec.key.instrument;
        let mut streams: Vec<StreamDecl> = spec.streams.iter().filter(own).cloned().collect();
        streams.sort();
        streams.dedup();
        let place = |s| streams.binary_search(s).ok().and_then(|p| u16::try_from(p).ok());
        let remap = spec.streams.iter().map(place).collect();
        let layout = Layout { columns: spec.columns.clone(), streams };
        let (label, labels, published) = writer.read(|conn| check(conn, spec, from))?;
        let packer = Packer::new(layout.width(), remap).map_err(|e| Error::Invalid(format!("zstd: {e}")))?;
        let plan = Plan { spec: spec.clone(), layout, from, seen, pending: Pending::default(), staged: None };
        let total = Replaced::default();
        let steps = Steps::default();
        Ok(Self { writer, packer, last: None, label, labels, published, total, steps, refused: false, plan })
    }

    fn refuse<T>(&mut self, what: String) -> Result<T> {
        self.refused = true;
        Err(Error::Invalid(what))
    }

    /// Closes the chunk that rows were gathered in; stages when enough has come together.
    fn close_chunk(&mut self) -> Result<()> {
        self.plan.pending.chunks.extend(self.packer.close()?);
        if self.plan.pending.chunks.len() <= PENDING_CHUNKS {
            return Ok(());
        }
        let plan = &self.plan;
        self.plan.staged = Some(self.writer.write(|tx| plan.stage(tx))?);
        self.plan.pending = Pending::default();
        Ok(())
    }
}

impl Plan {
    fn first(&self) -> Ts {
        self.from.unwrap_or(Ts::MIN)
    }

    fn segment(&self, tx: &Connection) -> Inner<i64> {
        self.staged.map_or_else(|| segment::create(tx), Ok)
    }

    fn stage(&self, tx: &Connection) -> Inner<i64> {
        let segment = self.segment(tx)?;
        store(tx, segment, self.layout.ensure(tx)?, &self.spec.key, &self.pending)?;
        thin_checkpoints(tx, &[Part { id: segment, from: Ts::MIN, until: Ts::MAX, live: false }])?;
        Ok(segment)
    }

    fn conclude(&self, tx: &Connection) -> Inner<()> {
        runs::retire_corrected(tx, &self.spec.key)?;
        let layout = self.layout.ensure(tx)?;
        let run = runs::upsert(tx, &self.spec, layout, self.seen)?;
        let parts = segment::parts(tx, run)?;
        let kept = self.keep_before(tx, run, &parts)?;
        let published: Vec<Part> = parts.into_iter().filter(|p| p.live && p.until > self.first()).collect();
        let tail = kept.filter(|tail| published.is_empty() && tail.until == self.first() && self.staged.is_none());
        let appended = match tail {
            Some(tail) if !segment::is_shared(tx, tail.id, run)? => self.append(tx, run, tail, layout)?,
            _ => false,
        };
        if !appended {
            let segment = self.segment(tx)?;
            store(tx, segment, layout, &self.spec.key, &self.pending)?;
            let from = if kept.is_some() { self.first() } else { Ts::MIN };
            show_around(tx, run, segment, from, &published)?;
        }
        for part in &published {
            rows::settle_label(tx, run, part.from)?;
        }
        thin_checkpoints(tx, &segment::parts(tx, run)?)?;
        universe::mark(tx, &self.spec.key.logic_version, self.first())?;
        ledger_kept::mark(tx, &self.spec.key.logic_version, self.first())?;
        runs::clean(tx, run, self.from, self.seen)
    }

    /// Takes away the parts that are replaced; returns what is left of the one before, where it is not published.
    fn keep_before(&self, tx: &Connection, run: i64, parts: &[Part]) -> Inner<Option<Part>> {
        let mut kept = None;
        for old in parts.iter().filter(|p| !p.live) {
            match self.from {
                Some(from) if old.from < from => {
                    let left = Part { until: old.until.min(from), ..*old };
                    tx.prepare("UPDATE parts SET until_ts = ?3 WHERE run = ?1 AND from_ts = ?2")?.execute([
                        run,
                        left.from.0,
                        left.until.0,
                    ])?;
                    kept = Some(Self::forget_ends(tx, run, left, from)?);
                }
                _ => segment::remove_part(tx, run, *old)?,
            }
        }
        Ok(kept)
    }

    /// What lies behind is reported again, also where it is the end of an episode in published minutes: what the part's segment
    /// said of it goes. One that what the run was shows too goes on saying it there, and the run gets a copy.
    fn forget_ends(tx: &Connection, run: i64, left: Part, from: Ts) -> Inner<Part> {
        let shared = segment::is_shared(tx, left.id, run)?;
        if shared && alerts::ends_beside(tx, run, left.id, from)? {
            return segment::part_with_copy(tx, run, left, from);
        }
        if !shared {
            tx.prepare("DELETE FROM alerts WHERE segment = ?1 AND row_ts >= ?2")?.execute([left.id, from.0])?;
        }
        Ok(left)
    }

    /// Writes few rows into the run's last segment. False where that cannot be: its hour has another layout.
    fn append(&self, tx: &Connection, run: i64, tail: Part, layout: i64) -> Inner<bool> {
        let from = self.first();
        let before = segment::hour_at(tx, tail.id, from)?;
        let kept: Vec<MinuteRow> = match before {
            Some((other, _, _)) if other != layout => return Ok(false),
            Some((_, _, rows)) => rows.into_iter().filter(|r| r.ts < from).collect(),
            None => Vec::new(),
        };
        segment::cut(tx, tail.id, from)?;
        let first = segment::hour_key(tail.id, from);
        tx.prepare("DELETE FROM feature_chunks WHERE chunk BETWEEN ?1 AND ?2")?
            .execute([first + 1, segment::chunk_key(tail.id, Ts::MAX)])?;
        store(tx, tail.id, layout, &self.spec.key, &self.pending)?;
        let same_hour = |c: &&Chunk| segment::hour_key(tail.id, c.first) == first;
        if let Some(new) = self.pending.chunks.first().filter(same_hour) {
            let mut all = kept;
            let added = crate::codec::decode(&new.body, self.layout.width()).map_err(|e| SqlFault::chunk(first, e))?;
            all.extend(added);
            if let Some(chunk) = Chunk::pack(&all, &self.layout, false)? {
                chunk.put(tx, first, layout)?;
            }
        }
        tx.prepare("UPDATE parts SET until_ts = ?3 WHERE run = ?1 AND from_ts = ?2")?.execute([
            run,
            tail.from.0,
            i64::MAX,
        ])?;
        Ok(true)
    }
}

/// Lets a segment show every minute from `from` on that is not published.
fn show_around(conn: &Connection, run: i64, segment: i64, from: Ts, published: &[Part]) -> Inner<()> {
    let mut free = from;
    for part in published {
        segment::add_part(conn, run, Part { id: segment, from: free, until: part.from, live: false })?;
        free = free.max(part.until);
    }
    segment::add_part(conn, run, Part { id: segment, from: free, until: Ts::MAX, live: false })
}

/// The label in force before the request, and what it may not touch.
type Around = (Option<RiskRegime>, Labels, VecDeque<(Part, Option<RiskRegime>, Labels)>);

/// Does the request fit what is stored?
fn check(conn: &Connection, spec: &RunSpec, from: Option<Ts>) -> Inner<Around> {
    let Some(run) = segment::run_id(conn, &spec.key)? else {
        return Ok((None, Labels::default(), VecDeque::new()));
    };
    let first = from.unwrap_or(Ts::MIN);
    let mut published = VecDeque::new();
    for part in segment::parts(conn, run)?.into_iter().filter(|p| p.live && p.until > first) {
        published.push_back((part, rows::label_before(conn, run, part.until)?, axes::before(conn, run, part.until)?));
    }
    let stays = from.is_some() || !published.is_empty();
    if stays && runs::layout(conn, run)?.columns != spec.columns {
        return Err(SqlFault::Invalid(format!(
            "{} of {} is stored with other columns; replace all of it",
            spec.key.logic_version, spec.key.instrument
        )));
    }
    let label = from.map_or(Ok(None), |from| rows::label_before(conn, run, from))?;
    let labels = from.map_or(Ok(Labels::default()), |from| axes::before(conn, run, from))?;
    Ok((label, labels, published))
}

fn store(conn: &Connection, segment: i64, layout: i64, key: &RunKey, pending: &Pending) -> Inner<()> {
    for chunk in &pending.chunks {
        chunk.put(conn, segment::hour_key(segment, chunk.first), layout)?;
    }
    for change in &pending.labels {
        store_label(conn, segment, change)?;
    }
    for turned in &pending.turned {
        axes::store(conn, segment, turned)?;
    }
    for gap in &pending.gaps {
        store_gap(conn, segment, gap)?;
    }
    for (step, change) in &pending.levels {
        levels::put(conn, segment, *step, change)?;
    }
    for alert in &pending.alerts {
        alerts::put(conn, segment, key, alert)?;
    }
    for (ts, body) in &pending.checkpoints {
        let (sql, row) = insert!(checkpoints or Update { segment, ts: ts.0, body });
        conn.execute(sql, row)?;
    }
    Ok(())
}

/// Stores a gap; false when it is there already.
pub(super) fn store_gap(conn: &Connection, segment: i64, gap: &Gap) -> Inner<bool> {
    let (sql, row) = insert!(gaps or Keep {
        segment, row_ts: row_of(gap.known_ts).0, known_ts: gap.known_ts.0, decl: decl::to_text(&gap.stream)?,
        state: runs::state_word(gap.status.state), from_ts: gap.status.from.0, until_ts: gap.status.until.0,
        reason: gap.status.reason.word(),
    });
    Ok(conn.execute(sql, row)? > 0)
}

/// Stores a change of the label.
pub(super) fn store_label(conn: &Connection, segment: i64, change: &LabelChange) -> Inner<()> {
    let (sql, row) = insert!(label_changes or Update {
        segment, ts: change.ts.0, before: change.from.map(RiskRegime::name), after: change.to.name(),
    });
    conn.execute(sql, row)?;
    Ok(())
}

/// Keeps the latest two checkpoints and the last one of each week.
fn thin_checkpoints(conn: &Connection, segments: &[Part]) -> Inner<()> {
    let mut found: Vec<(i64, Ts)> = Vec::new();
    for s in segments {
        let mut statement =
            conn.prepare("SELECT ts FROM checkpoints WHERE segment = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts")?;
        for ts in statement.query_map([s.id, s.from.0, s.until.0], |r| r.get(0))? {
            found.push((s.id, Ts(ts?)));
        }
    }
    let spare = found.len().saturating_sub(2);
    for pair in found.windows(2).take(spare) {
        if let [(segment, ts), (_, next)] = pair
            && ts.floor(CHECKPOINT_EVERY) == next.floor(CHECKPOINT_EVERY)
        {
            conn.prepare("DELETE FROM checkpoints WHERE segment = ?1 AND ts = ?2")?.execute([*segment, ts.0])?;
        }
    }
    Ok(())
}

impl RunWriter for Replacement<'_> {
    fn row(&mut self, row: &MinuteRow) -> Result<()> {
        if row.ts.floor(GRID) != row.ts {
            return self.refuse(format!("the row of {} is not on the minute grid", row.ts));
        }
        if row.ts < self.plan.first() || self.last.is_some_and(|last| row.ts <= last) {
            return self.refuse(format!("the row of {} comes after it should have", row.ts));
        }
        while let Some((part, label, labels)) = self.published.front()
            && part.until <= row.ts
        {
            (self.label, self.labels) = (*label, *labels);
            self.published.pop_front();
        }
        if self.published.front().is_some_and(|(part, ..)| part.contains(row.ts)) {
            self.last = Some(row.ts);
            self.total.kept += 1;
            return Ok(());
        }
        let new_hour = |(first, _): (Ts, Ts)| segment::hour_key(0, first) != segment::hour_key(0, row.ts);
        if self.packer.open().is_some_and(new_hour) {
            self.close_chunk()?;
        }
        if let Err(e) = self.packer.push(row) {
            return self.refuse(format!("the row of {} {e}", row.ts));
        }
        self.last = Some(row.ts);
        self.total.rows += 1;
        if self.label != Some(row.risk.label) {
            self.plan.pending.labels.push(LabelChange { ts: row.ts, from: self.label, to: row.risk.label });
            self.label = Some(row.risk.label);
            self.total.label_changes += 1;
        }
        let after = axes::of(row);
        if self.labels != after {
            self.plan.pending.turned.push(LabelsChanged { ts: row.ts, before: self.labels, after });
            self.labels = after;
        }
        Ok(())
    }

    fn gap(&mut self, gap: &Gap) -> Result<()> {
        if row_of(gap.known_ts) < self.plan.first() {
            return self.refuse(format!("a gap known at {} was seen by earlier rows", gap.known_ts));
        }
        self.plan.pending.gaps.push(gap.clone());
        // The end of an open gap is no further one.
        self.total.gaps += u64::from(gap.status.state != StatusState::Live);
        Ok(())
    }

    fn level(&mut self, change: &LevelChange) -> Result<()> {
        let minute = row_of(change.known_at);
        if minute < self.plan.first() {
            return self.refuse(format!("a level known at {} was known to earlier rows", change.known_at));
        }
        if self.published.iter().any(|(part, ..)| part.contains(minute)) {
            return Ok(());
        }
        let step = self.steps.of(change);
        self.plan.pending.levels.push((step, change.clone()));
        self.total.levels += 1;
        Ok(())
    }

    fn alert(&mut self, alert: &KnownAlert) -> Result<()> {
        let minute = row_of(alert.known_at);
        if minute < self.plan.first() {
            return self.refuse(format!("an alert known at {} was known to earlier rows", alert.known_at));
        }
        let published = self.published.iter().any(|(part, ..)| part.contains(minute));
        // Nobody published the end of an episode that only computed minutes know: it is kept beside, and counts where their
        // beginning does.
        if published && alert.alert.change != AlertChange::Closed {
            return Ok(());
        }
        self.plan.pending.alerts.push(alert.clone());
        self.total.alerts += u64::from(!published);
        Ok(())
    }

    fn checkpoint(&mut self, ts: Ts, bytes: &[u8]) -> Result<()> {
        if ts < self.plan.first() {
            return self.refuse(format!("a checkpoint at {ts} lies before the replacement"));
        }
        let body = zstd::bulk::compress(bytes, CHECKPOINT_ZSTD_LEVEL)
            .map_err(|e| Error::Invalid(format!("a checkpoint at {ts}: {e}")))?;
        self.plan.pending.checkpoints.push((ts, body));
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Replaced> {
        if self.refused {
            return Err(Error::Invalid(
                "a refused row, gap, level, alert or checkpoint leaves the replacement incomplete".to_owned(),
            ));
        }
        self.close_chunk()?;
        self.plan.pending.chunks.extend(self.packer.rest()?);
        let plan = &self.plan;
        self.writer.write(|tx| plan.conclude(tx))?;
        // The replacement is visible; what it replaced can wait. If removing it fails, the writer says so next time.
        let _kept_in_the_writer = self.writer.collect_garbage();
        Ok(self.total)
    }
}
