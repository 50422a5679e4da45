//! Live batches: everything a tick publishes, in one transaction, a few dozen microseconds per market.
//!
//! What a batch refers to (streams, runs, layouts, the last minute published) is looked up once and remembered as long as
//! the same lists come back; any other write forgets it. The ordinary case — the next minute, newer points — then costs a
//! handful of statements per market. Everything else (a repeated batch, a minute in between, late points) takes the slow
//! way round, through the same tables.

use super::db::Connection;
use super::decl::Layout;
use super::fault::{Inner, SqlFault};
use super::levels::{self, Steps};
use super::live_rows::{self, RunSlot};
use super::originals::{Gathered, Newest};
use super::streams::{self, Stored};
use super::{
    alerts, books, bulk, digest, ledger, ledger_kept, originals, outbox, pieces, points, replace, runs, segment,
    universe,
};
use crate::codec::points::{self as packed, PackedPoint};
use crate::codec::{ChunkBuilder, Width};
use crate::postgres::{copy_points, ensure_months};
use crate::run::{GRID, stream_slots};
use crate::{Appended, LiveAlert, LiveBatch, LiveLevel, PointsVersion, Provenance, RunSpec};
use barograph_domain::{Event, InstrumentName, MinuteRow, Span, StreamDecl, StreamIndex, Ts};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Markets whose last hour is packed after one batch: a thousand are through after 20 minutes, at 2 ms each.
const PACKED_PER_BATCH: usize = 50;
const HOUR: Span = Span::hours(1);

/// What the lists of a batch mean in the store.
pub(super) struct Cache {
    fingerprint: u64,
    streams: Vec<Option<StreamSlot>>,
    instruments: Vec<InstrumentSlot>,
    runs: Vec<RunSlot>,
    builders: Vec<(Width, ChunkBuilder)>,
    /// Whose hour is looked at next.
    next_to_pack: usize,
    /// Ticks of the ledger are packed up to this hour.
    packed_until: Option<Ts>,
    tables: Newest,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("streams", &self.streams.len()).field("runs", &self.runs.len()).finish()
    }
}

/// One stream of the batch's list.
struct StreamSlot {
    stored: Stored,
    /// Position of its instrument in the batch's list.
    instrument: usize,
    /// Position in the layouts of its instrument.
    place: u16,
    /// Greatest key stored.
    newest: (Ts, u64),
}

/// One instrument of the batch's list.
struct InstrumentSlot {
    id: i64,
    runs: Vec<usize>,
    next_piece: i64,
    /// First piece that may have to be merged, and when its points were known.
    unmerged: Option<(i64, Ts)>,
    /// Has it had points?
    written: bool,
}

/// See [`crate::Writer::append`].
pub(super) fn append(conn: &Connection, cache: &mut Option<Box<Cache>>, batch: &LiveBatch<'_>) -> Inner<Appended> {
    let fingerprint = fingerprint(batch);
    if cache.as_ref().is_none_or(|c| c.fingerprint != fingerprint) {
        *cache = Some(Box::new(Cache::build(conn, batch, fingerprint)?));
    }
    let Some(cache) = cache else { return Ok(Appended::default()) };
    // All that several writers may create comes first, see `postgres::alone`.
    ensure_months(conn, "points", batch.points.iter().chain(batch.backfill).map(|e| e.event_ts))?;
    ensure_months(conn, "books", batch.books.iter().map(|b| b.ts))?;
    let mut done = Appended::default();
    cache.points(conn, batch, &mut done)?;
    cache.tables(conn, batch)?;
    // Before the rows: what this batch publishes is not made again.
    cache.again(conn, batch, &mut done)?;
    cache.rows(conn, batch, &mut done)?;
    for gap in batch.gaps {
        let stranger = || SqlFault::Invalid(format!("a gap of {} has no run in the batch", gap.stream.instrument));
        let at = batch.instruments.iter().position(|i| i.name == gap.stream.instrument).ok_or_else(stranger)?;
        if cache.instruments[at].runs.is_empty() {
            return Err(stranger());
        }
        let mut stored = false;
        for run in &cache.instruments[at].runs {
            let segment = cache.runs[*run].container(conn)?;
            stored |= replace::store_gap(conn, segment, gap)?;
        }
        done.gaps += u64::from(stored);
    }
    cache.levels(conn, batch, &mut done)?;
    // Before the alerts: an hour takes away what a computed one said in its place.
    for one in batch.universe {
        done.universe += u64::from(universe::publish(conn, one)?);
    }
    for one in batch.ledger {
        done.ledger += u64::from(ledger::publish(conn, one)?);
    }
    for one in batch.ledger_states {
        ledger_kept::put_state(conn, &one.logic_version, &one.state)?;
    }
    cache.alerts(conn, batch, &mut done)?;
    for book in batch.books {
        books::check(book)?;
        let Some(slot) = cache.instruments.get(book.instrument) else {
            return Err(SqlFault::Invalid(format!("an order book names instrument {} of the list", book.instrument)));
        };
        done.books += u64::from(books::put(conn, slot.id, book)?);
    }
    done.calendar = universe::put_calendar(conn, batch.calendar)?;
    done.messages = outbox::put_all(conn, batch.messages)?;
    cache.pack(conn, batch)?;
    Ok(done)
}

/// Shows whether the lists are those of the batch before.
fn fingerprint(batch: &LiveBatch<'_>) -> u64 {
    let mut h = DefaultHasher::new();
    for i in batch.instruments {
        (&i.name, i.expiry, streams::kind_word(i.kind)).hash(&mut h);
    }
    batch.streams.hash(&mut h);
    for r in batch.runs {
        (&r.key, &r.release, &r.book, &r.book_text, &r.config, &r.columns).hash(&mut h);
    }
    h.finish()
}

impl Cache {
    /// Numbers of the markets that rows or points were written of.
    pub(super) fn markets(&self) -> BTreeSet<i64> {
        self.instruments.iter().filter(|i| i.written || !i.runs.is_empty()).map(|i| i.id).collect()
    }

    fn build(conn: &Connection, batch: &LiveBatch<'_>, fingerprint: u64) -> Inner<Self> {
        let mut positions: BTreeMap<&InstrumentName, usize> = BTreeMap::new();
        let mut instruments = Vec::with_capacity(batch.instruments.len());
        for (at, instrument) in batch.instruments.iter().enumerate() {
            positions.insert(&instrument.name, at);
            instruments.push(InstrumentSlot::load(conn, streams::ensure_instrument(conn, instrument)?)?);
        }
        let mut layouts: Vec<Vec<StreamDecl>> = vec![Vec::new(); instruments.len()];
        for decl in batch.streams {
            if let Some(at) = positions.get(&decl.instrument) {
                layouts[*at].push(decl.clone());
            }
        }
        for own in &mut layouts {
            own.sort();
            own.dedup();
        }
        let mut slots = Vec::with_capacity(batch.streams.len());
        for decl in batch.streams {
            let Some(at) = positions.get(&decl.instrument).copied() else {
                slots.push(None);
                continue;
            };
            let place = layouts[at].binary_search(decl).ok().and_then(|p| u16::try_from(p).ok());
            let stored = streams::ensure(conn, instruments[at].id, decl)?;
            let newest = (stored.newest_event, u64::MAX);
            slots.push(place.map(|place| StreamSlot { stored, instrument: at, place, newest }));
        }
        let mut cache = Self {
            fingerprint,
            streams: slots,
            instruments,
            runs: Vec::with_capacity(batch.runs.len()),
            builders: Vec::new(),
            next_to_pack: 0,
            packed_until: None,
            tables: Newest::default(),
        };
        for spec in batch.runs {
            let Some(at) = positions.get(&spec.key.instrument).copied() else {
                return Err(SqlFault::Invalid(format!(
                    "the run of {} has no instrument in the batch",
                    spec.key.instrument
                )));
            };
            cache.instruments[at].runs.push(cache.runs.len());
            let layout = Layout { columns: spec.columns.clone(), streams: layouts[at].clone() };
            let mut run = open_run(conn, spec, &layout)?;
            if batch.fence.is_some() {
                run.begin(conn)?;
            }
            cache.runs.push(run);
            cache.add_builder(&layout)?;
        }
        Ok(cache)
    }

    /// One builder per width, in terms of layouts.
    fn add_builder(&mut self, layout: &Layout) -> Inner<()> {
        if self.builders.iter().all(|(width, _)| *width != layout.width()) {
            let same = (0..=u16::MAX).map(Some).collect();
            self.builders.push((layout.width(), ChunkBuilder::new(layout.width(), same)?));
        }
        Ok(())
    }

    /// Everything of one instrument becomes one piece, unless some of it is not newer than what is stored.
    fn points(&mut self, conn: &Connection, batch: &LiveBatch<'_>, done: &mut Appended) -> Inner<()> {
        let mut per: BTreeMap<usize, Vec<(usize, PackedPoint)>> = BTreeMap::new();
        let all = [(batch.points, Provenance::Live), (batch.backfill, Provenance::Backfill)];
        for (event, provenance) in all.into_iter().flat_map(|(events, p)| events.iter().map(move |e| (e, p))) {
            points::check(batch.streams, event)?;
            let at = event.stream.index();
            let Some(slot) = self.streams.get(at).and_then(Option::as_ref) else {
                let name = &batch.streams[at].instrument;
                return Err(SqlFault::Invalid(format!("'{name}' has points but is not described")));
            };
            let Event { recv_ts: known_ts, event_ts, seq, payload, .. } = *event;
            let point = PackedPoint { stream: slot.stored.id, event_ts, known_ts, seq, provenance, payload };
            per.entry(slot.instrument).or_default().push((at, point));
        }
        let mut rows = Vec::new();
        for (instrument, mut own) in per {
            self.instruments[instrument].written = true;
            own.sort_by_key(|(_, p)| (p.stream, p.event_ts, p.seq));
            let (at, list): (Vec<usize>, Vec<PackedPoint>) = own.into_iter().unzip();
            let newer = |(i, p): (&usize, &PackedPoint)| {
                self.streams[*i].as_ref().is_some_and(|s| s.newest < (p.event_ts, p.seq))
            };
            let ordered = list.is_sorted_by(|a, b| (a.stream, a.event_ts, a.seq) < (b.stream, b.event_ts, b.seq));
            if ordered && at.iter().zip(&list).all(newer) {
                if conn.is_server() {
                    rows.extend(at.iter().zip(&list).filter_map(|(i, p)| {
                        let stored = &self.streams.get(*i)?.as_ref()?.stored;
                        Some(bulk::row(stored, &pieces::fact(p).event, 0, p.provenance))
                    }));
                } else {
                    self.new_piece(conn, instrument, &list)?;
                }
                self.count(conn, &at, &list)?;
                done.points.new += list.len() as u64;
            } else {
                self.settle(conn, batch, instrument, &at, &list, done)?;
            }
        }
        copy_points(conn, &rows)
    }

    /// What people read in SQL.
    fn tables(&mut self, conn: &Connection, batch: &LiveBatch<'_>) -> Inner<()> {
        let mut gathered = Gathered::default();
        for event in batch.points.iter().chain(batch.backfill) {
            if let Some(slot) = self.streams.get(event.stream.index()).and_then(Option::as_ref) {
                gathered.note(
                    slot.stored.instrument,
                    &slot.stored.decl,
                    event,
                    originals::hot_after(slot.stored.newest_event),
                );
            }
        }
        gathered.flush(conn, &mut self.tables)
    }

    fn new_piece(&mut self, conn: &Connection, instrument: usize, list: &[PackedPoint]) -> Inner<()> {
        let slot = &mut self.instruments[instrument];
        pieces::put_body(conn, slot.id, slot.next_piece, list, &packed::encode(list)?)?;
        let known = list.iter().map(|p| p.known_ts).max().unwrap_or(Ts::MIN);
        slot.unmerged.get_or_insert((slot.next_piece, known));
        slot.next_piece += 1;
        Ok(())
    }

    /// Brings the figures of streams up to date.
    fn count(&mut self, conn: &Connection, at: &[usize], list: &[PackedPoint]) -> Inner<()> {
        let mut scratch = Vec::new();
        for (group, i) in list.chunk_by(|a, b| a.stream == b.stream).zip(at.chunk_by(|a, b| a == b)) {
            let Some(slot) = i.first().and_then(|i| self.streams[*i].as_mut()) else { continue };
            let s = &mut slot.stored;
            for p in group {
                let fact = pieces::fact(p);
                s.points += 1;
                s.first_event = s.first_event.min(p.event_ts);
                s.newest_event = s.newest_event.max(p.event_ts);
                s.newest_known = s.newest_known.max(p.known_ts);
                s.lag_min = s.lag_min.min(p.known_ts.0.saturating_sub(p.event_ts.0));
                s.digest = s.digest.wrapping_add(digest::of_point(&fact.event, fact.provenance, &mut scratch));
                slot.newest = (p.event_ts, p.seq);
            }
            conn.send(
                "UPDATE streams SET points = ?2, first_event = ?3, newest_event = ?4, newest_known = ?5, lag_min = ?6,
                    digest = ?7
                 WHERE stream = ?1",
                [s.id, s.points, s.first_event.0, s.newest_event.0, s.newest_known.0, s.lag_min, s.digest],
            )?;
        }
        Ok(())
    }

    /// The slow way: some of it is stored already, or late.
    fn settle(
        &mut self,
        conn: &Connection,
        batch: &LiveBatch<'_>,
        instrument: usize,
        at: &[usize],
        list: &[PackedPoint],
        done: &mut Appended,
    ) -> Inner<()> {
        let id = self.instruments[instrument].id;
        if pieces::latest(conn, id)?.is_some_and(|(_, body)| packed::encode(list).is_ok_and(|b| b == body)) {
            done.points.same += list.len() as u64;
            return Ok(());
        }
        for (group, i) in list.chunk_by(|a, b| a.stream == b.stream).zip(at.chunk_by(|a, b| a == b)) {
            let Some(place) = i.first().copied() else { continue };
            let index = StreamIndex(u16::try_from(place).unwrap_or(u16::MAX));
            for provenance in [Provenance::Live, Provenance::Backfill] {
                let own = group.iter().filter(|p| p.provenance == provenance);
                let events: Vec<Event> = own.map(|p| Event { stream: index, ..pieces::fact(p).event }).collect();
                if events.is_empty() {
                    continue;
                }
                let order: Vec<u32> = (0_u32..).zip(&events).map(|(n, _)| n).collect();
                let decl = &batch.streams[place];
                let tally = points::insert_stream(conn, batch.instruments, decl, &events, &order, provenance)?;
                points::add(&mut done.points, tally.inserted);
            }
            let stored = streams::find(conn, &batch.streams[place])?;
            if let (Some(slot), Some(stored)) = (self.streams[place].as_mut(), stored) {
                slot.newest = (stored.newest_event, u64::MAX);
                slot.stored = stored;
            }
        }
        let runs = std::mem::take(&mut self.instruments[instrument].runs);
        self.instruments[instrument] = InstrumentSlot { runs, written: true, ..InstrumentSlot::load(conn, id)? };
        Ok(())
    }

    fn levels(&mut self, conn: &Connection, batch: &LiveBatch<'_>, done: &mut Appended) -> Inner<()> {
        let mut steps: BTreeMap<usize, Steps> = BTreeMap::new();
        for LiveLevel { instrument, change } in batch.levels {
            let slot = self.instruments.get(*instrument).filter(|s| !s.runs.is_empty());
            let Some(slot) = slot else {
                return Err(SqlFault::Invalid(format!("a level known at {} has no run in the batch", change.known_at)));
            };
            let step = steps.entry(*instrument).or_default().of(change);
            let mut stored = false;
            for run in &slot.runs {
                let segment = self.runs[*run].container(conn)?;
                stored |= levels::put(conn, segment, step, change)?;
            }
            done.levels += u64::from(stored);
        }
        Ok(())
    }

    fn alerts(&mut self, conn: &Connection, batch: &LiveBatch<'_>, done: &mut Appended) -> Inner<()> {
        for LiveAlert { instrument, alert } in batch.alerts {
            let slot = self.instruments.get(*instrument).filter(|s| !s.runs.is_empty());
            let Some(slot) = slot else {
                return Err(SqlFault::Invalid(format!("an alert known at {} has no run in the batch", alert.known_at)));
            };
            let mut stored = false;
            for run in &slot.runs {
                let segment = self.runs[*run].container(conn)?;
                stored |= alerts::put(conn, segment, &batch.runs[*run].key, alert)?;
            }
            done.alerts += u64::from(stored);
        }
        Ok(())
    }

    fn rows(&mut self, conn: &Connection, batch: &LiveBatch<'_>, done: &mut Appended) -> Inner<()> {
        let mut order: Vec<&MinuteRow> = batch.rows.iter().collect();
        order.sort_by_key(|r| (r.instrument, r.ts));
        for row in order {
            let (at, row) = self.placed(row)?;
            for run in &self.instruments[at].runs {
                let width = self.runs[*run].layout.width();
                let Some((_, builder)) = self.builders.iter_mut().find(|(w, _)| *w == width) else { continue };
                let new = live_rows::publish(conn, &mut self.runs[*run], &batch.runs[*run].key, &row, builder)?;
                done.rows += u64::from(new);
                done.rows_same += u64::from(!new);
            }
        }
        Ok(())
    }

    /// Compares what is made again.
    fn again(&mut self, conn: &Connection, batch: &LiveBatch<'_>, done: &mut Appended) -> Inner<()> {
        for row in batch.again {
            let (at, row) = self.placed(row)?;
            for run in &self.instruments[at].runs {
                let width = self.runs[*run].layout.width();
                let Some((_, builder)) = self.builders.iter_mut().find(|(w, _)| *w == width) else { continue };
                done.rows_other += u64::from(live_rows::differs(conn, &self.runs[*run], &row, builder)?);
            }
        }
        Ok(())
    }

    /// A row in terms of its instrument's layout, with the position of that instrument.
    fn placed(&self, row: &MinuteRow) -> Inner<(usize, MinuteRow)> {
        let at = usize::try_from(row.instrument).unwrap_or(usize::MAX);
        if self.instruments.get(at).is_none_or(|s| s.runs.is_empty()) {
            return Err(SqlFault::Invalid(format!("the row of {} has no run in the batch", row.ts)));
        }
        if row.ts.floor(GRID) != row.ts {
            return Err(SqlFault::Invalid(format!("the row of {} is not on the minute grid", row.ts)));
        }
        Ok((at, self.in_layout(row, at)?))
    }

    /// The row in terms of its instrument's layout.
    fn in_layout(&self, row: &MinuteRow, instrument: usize) -> Inner<MinuteRow> {
        let mut row = row.clone();
        row.instrument = 0;
        let ts = row.ts;
        for slot in stream_slots(&mut row) {
            let own = self.streams.get(slot.index()).and_then(Option::as_ref).filter(|s| s.instrument == instrument);
            let stranger = || SqlFault::Invalid(format!("the row of {ts} names a stream its run does not declare"));
            *slot = StreamIndex(own.ok_or_else(stranger)?.place);
        }
        Ok(row)
    }

    /// Packs the ledger's hours and days that are over.
    fn pack_ledger(&mut self, conn: &Connection, now: Ts) -> Inner<()> {
        let hour = Some(now.floor(HOUR));
        if self.packed_until < hour {
            ledger::pack(conn, now)?;
            self.packed_until = hour;
        }
        Ok(())
    }

    /// Packs some hours that are over.
    fn pack(&mut self, conn: &Connection, batch: &LiveBatch<'_>) -> Inner<()> {
        let made = batch.rows.iter().map(|r| r.ts).chain(batch.ledger.iter().map(|l| l.tick.ts));
        let Some(now) = made.chain(batch.points.iter().map(|p| p.recv_ts)).max() else { return Ok(()) };
        // Of several writers the one that publishes it.
        if batch.fence.is_none() || !batch.ledger.is_empty() {
            self.pack_ledger(conn, now)?;
        }
        let hour = now.floor(HOUR);
        let mut packed = 0;
        for _ in 0..self.instruments.len() {
            if packed == PACKED_PER_BATCH {
                break;
            }
            let at = self.next_to_pack % self.instruments.len();
            self.next_to_pack = at + 1;
            let slot = &mut self.instruments[at];
            let mut busy = false;
            if let Some((since, known)) = slot.unmerged
                && known < hour
            {
                pieces::merge_hours(conn, slot.id, since, now)?;
                let (runs, written) = (std::mem::take(&mut slot.runs), slot.written);
                *slot = InstrumentSlot { runs, written, ..InstrumentSlot::load(conn, slot.id)? };
                slot.unmerged = slot.unmerged.filter(|(_, known)| *known >= hour);
                busy = true;
            }
            for run in &slot.runs {
                busy |= live_rows::pack(conn, &mut self.runs[*run], hour)?;
            }
            packed += usize::from(busy);
        }
        Ok(())
    }
}

impl InstrumentSlot {
    fn load(conn: &Connection, id: i64) -> Inner<Self> {
        if conn.is_server() {
            return Ok(Self { id, runs: Vec::new(), next_piece: 0, unmerged: None, written: false });
        }
        let mut statement = conn.prepare(
            "SELECT max(piece), min(piece), min(newest_known) FROM
                (SELECT piece, newest_known FROM live_points WHERE instrument = ?1 AND piece >= 0
                 ORDER BY piece DESC LIMIT 120) AS recent",
        )?;
        let (last, first, known): (Option<i64>, Option<i64>, Option<i64>) =
            statement.query_row([id], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        let unmerged = first.zip(known.map(Ts));
        Ok(Self { id, runs: Vec::new(), next_piece: last.map_or(0, |n| n + 1), unmerged, written: false })
    }
}

/// Stores what a run is made with, if it is new or says so differently.
fn open_run(conn: &Connection, spec: &RunSpec, layout: &Layout) -> Inner<RunSlot> {
    if let Some(run) = segment::run_id(conn, &spec.key)?
        && runs::layout(conn, run)?.columns != spec.columns
    {
        return Err(SqlFault::Invalid(format!(
            "{} of {} is stored with other columns; publish under another logic version",
            spec.key.logic_version, spec.key.instrument
        )));
    }
    let id = layout.ensure(conn)?;
    // Imported points that no run has seen yet still want one.
    let run = runs::upsert(conn, spec, id, PointsVersion::default())?;
    RunSlot::load(conn, run, id, layout.clone())
}
