//! Files into the store, and the store's instruments brought up to date.
//!
//! Points are committed in batches and mark their instruments dirty in the same transaction; from the first batch that
//! contradicts what is stored, all the rest is one transaction. Every dirty instrument is then run again from the last
//! checkpoint before its earliest change and its rows are replaced in one transaction. Killed anywhere, the next run finds the
//! marks and ends in the same store.

use crate::clock;
use crate::failure::Failure;
use crate::input;
use crate::progress::{Progress, Unit};
use crate::run::{Run, RunSink};
use crate::term::{number_of, plural};
use crate::universe;
use barograph_domain::time::{DAY, LATENESS};
use barograph_domain::{
    CalendarEntry, Event, Instrument, InstrumentName, MinuteRow, Span, Status, StreamDecl, StreamIndex, Ts,
};
use barograph_engine::{AlertOut, LevelOut};
use barograph_lake::{ImportPlan, Report};
use barograph_live::setup::Setup;
use barograph_store::run::row_of;
use barograph_store::{
    Contradiction, Dirty, Forgotten, Gap, ImportRecord, Imported, Inserted, PointsVersion, Reader, Replaced, RunKey,
    RunWriter, StoreTarget, StreamInfo, Writer, WriterRole, open_reader, open_writer,
};
use files::Files;
use onlooker::{Onlooker, Seen};
use std::io::Write as _;
use std::sync::mpsc::sync_channel;

mod files;
mod onlooker;

/// Events per transaction: some 20 MB of memory, a few hundred milliseconds of writing.
const BATCH: usize = 100_000;
/// Distance of checkpoints in a long run; the store thins them to the same.
const CHECKPOINT_EVERY: Span = Span::days(7);
/// Stored points read ahead: pieces times pieces' size, some 8 MB.
const AHEAD: usize = 8;
const PIECE: usize = 8_192;

/// What an import did.
#[derive(Debug)]
pub(crate) struct Ingested {
    pub(crate) report: Report,
    pub(crate) inserted: Inserted,
    /// Rows that say otherwise than what was stored.
    pub(crate) contradiction: Contradiction,
    /// When it began: its corrections are known since then.
    pub(crate) at: Ts,
    pub(crate) made: WrittenRows,
    /// Where it is, when that is a server; without the password.
    pub(crate) server: Option<String>,
    /// Every minute that a run over the files makes was shown while it was computed.
    pub(crate) shown: bool,
}

/// What a computation has written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WrittenRows {
    pub(crate) instruments: usize,
    pub(crate) rows: u64,
    /// Records of alerts of these rows.
    pub(crate) alerts: u64,
    /// Ticks of the ledger that are new or other than they were.
    pub(crate) ticks: u64,
}

/// Takes the folder or the server for writing, before any work is done for it.
pub(crate) fn open_target(target: &StoreTarget) -> Result<Box<dyn Writer>, Failure> {
    Ok(open_writer(target, &WriterRole::ALL)?)
}

/// Imports the planned files into the database of a folder or a server and runs what is dirty. Where nothing else is stored of
/// the plan's markets, `onlooker` sees every minute and gap that a run over the files would give, market by market, so that
/// nobody has to make that run; else it sees nothing.
pub(crate) fn into_target(
    target: &StoreTarget,
    writer: &mut dyn Writer,
    plan: &ImportPlan,
    source: &str,
    setup: &Setup,
    onlooker: Option<&mut dyn RunSink>,
) -> Result<Ingested, Failure> {
    let started = clock::now();
    let (report, Imported { inserted, contradiction }) = insert(writer, plan, started)?;
    let onlooker = onlooker.map(|sink| Onlooker { plan, sink });
    let (made, shown) = bring_up(target, writer, setup, onlooker)?;
    writer.record_import(&ImportRecord {
        started,
        finished: clock::now(),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_owned(),
        inserted,
        rejected: report.rejected_rows,
        detail: serde_json::to_string(&Detail {
            declarations: plan.declarations(),
            config: &setup.policy,
            rejected: &report.rejected,
        })
        .map_err(Failure::broken)?,
    })?;
    let server = match target {
        StoreTarget::Folder(_) => None,
        StoreTarget::Postgres(_) => Some(target.to_string()),
    };
    Ok(Ingested { report, inserted, contradiction, at: started, made, server, shown })
}

#[derive(serde::Serialize)]
struct Detail<'a> {
    declarations: Vec<barograph_lake::Declaration>,
    config: &'a str,
    rejected: &'a [barograph_lake::Rejection],
}

/// What taking back did.
#[derive(Debug)]
pub(crate) struct Withdrawn {
    pub(crate) report: Report,
    pub(crate) forgotten: Forgotten,
    /// Rows that stay because files that stay say them too.
    pub(crate) kept: u64,
    /// Since when it counts.
    pub(crate) at: Ts,
    /// Market minutes made.
    pub(crate) rows: u64,
}

/// Takes back what the planned files say and those to `keep` do not, and runs anew what follows; with `dry` only counts.
pub(crate) fn forget(
    target: &StoreTarget,
    writer: &mut dyn Writer,
    (plan, keep): (&ImportPlan, Option<&ImportPlan>),
    setup: &Setup,
    dry: bool,
) -> Result<Withdrawn, Failure> {
    let at = clock::now();
    let mut files = Files::new(plan, None).without(keep);
    let forgotten = writer.forget_batches(plan.streams(), &mut files, at, dry)?;
    let (report, kept) = files.finish();
    let rows = if dry { 0 } else { update(target, writer, setup)?.rows };
    Ok(Withdrawn { report, forgotten, kept, at, rows })
}

fn insert(writer: &mut dyn Writer, plan: &ImportPlan, at: Ts) -> Result<(Report, Imported), Failure> {
    let mut files = Files::new(plan, Some(Progress::new(plan.total_bytes(), "importing", Unit::Bytes)));
    let total = writer.import_batches(plan.instruments(), plan.streams(), &mut files, at)?;
    Ok((files.finish().0, total))
}

/// Runs every instrument whose rows do not follow from its points.
pub(crate) fn update(target: &StoreTarget, writer: &mut dyn Writer, setup: &Setup) -> Result<WrittenRows, Failure> {
    bring_up(target, writer, setup, None).map(|(made, _)| made)
}

/// The same before somebody's eyes; and whether everything was seen.
fn bring_up(
    target: &StoreTarget,
    writer: &mut dyn Writer,
    setup: &Setup,
    onlooker: Option<Onlooker<'_>>,
) -> Result<(WrittenRows, bool), Failure> {
    let reader = open_reader(target)?;
    let (setup, new) = with_calendar(reader.as_ref(), setup)?;
    let setup = &setup;
    let mut dirty = reader.dirty(&setup.logic_version)?;
    if let Some(since) = new.iter().map(|e| e.known_ts).min() {
        changed_since(reader.as_ref(), setup, since, &mut dirty)?;
    }
    let mut onlooker = match onlooker {
        Some(onlooker) if onlooker.can_see(reader.as_ref(), &dirty)? => Some(onlooker),
        _ => None,
    };
    let mut made = WrittenRows { instruments: dirty.len(), ..WrittenRows::default() };
    for one in &dirty {
        let seen = onlooker.as_mut().and_then(|o| o.at(&one.instrument));
        let replaced = rerun(reader.as_ref(), writer, setup, one, seen)?;
        made.rows += replaced.rows;
        made.alerts += replaced.alerts;
    }
    if let Some(onlooker) = &mut onlooker {
        onlooker.sink.stored();
    }
    // Last: killed before, the next run finds the same entries new.
    if !new.is_empty() {
        writer.put_calendar(&new)?;
    }
    universe::files::update(reader.as_ref(), writer, setup)?;
    made.ticks = crate::ledger::update(reader.as_ref(), writer, setup)?;
    Ok((made, onlooker.is_some()))
}

/// The same with the calendar that is stored and the one of the settings; what of it is not stored yet.
fn with_calendar(reader: &dyn Reader, setup: &Setup) -> Result<(Setup, Vec<CalendarEntry>), Failure> {
    let mut all = reader.calendar(None)?;
    let new = barograph_live::calendar::not_stored(&all, &setup.scheduled);
    all.extend(new.iter().cloned());
    let calendar = barograph_live::calendar::of_entries(all).map(std::sync::Arc::new);
    Ok((Setup { calendar, ..setup.clone() }, new))
}

/// Minutes from `since` on have to be made anew, of every market.
fn changed_since(reader: &dyn Reader, setup: &Setup, since: Ts, dirty: &mut Vec<Dirty>) -> Result<(), Failure> {
    for one in dirty.iter_mut() {
        one.since = one.since.map(|s| s.min(since));
    }
    for run in reader.runs(None)? {
        let RunKey { instrument, logic_version } = run.spec.key;
        let reaches = run.minutes.is_some_and(|(_, last)| last >= row_of(since));
        if logic_version == setup.logic_version && reaches && !dirty.iter().any(|d| d.instrument == instrument) {
            dirty.push(Dirty { instrument, since: Some(since), version: PointsVersion::default() });
        }
    }
    Ok(())
}

fn rerun(
    reader: &dyn Reader,
    writer: &mut dyn Writer,
    setup: &Setup,
    dirty: &Dirty,
    mut seen: Option<Seen<'_>>,
) -> Result<Replaced, Failure> {
    let (name, since, version) = (&dirty.instrument, dirty.since, dirty.version);
    let infos = reader.streams(Some(name), None)?;
    let streams: Vec<StreamDecl> = infos.iter().map(|i| i.decl.clone()).collect();
    let instrument = reader
        .instruments(None)?
        .into_iter()
        .find(|i| i.instrument.name == *name)
        .map(|i| i.instrument)
        .ok_or_else(|| Failure::broken(format!("{name} is marked for a run but has no points")))?;
    let (Some(first), Some(last)) = (infos.iter().map(|i| i.first_event).min(), infos.iter().map(newest_input).max())
    else {
        return Ok(Replaced::default());
    };
    let spec = setup.run(name, &streams);
    let instruments = [instrument];
    let (mut run, after) = resume(reader, setup, &spec.key, since, &instruments, &streams)?;
    let from = after.map(|t| t + Span::mins(1));
    let mut progress = Progress::new(
        minutes_between(after.unwrap_or(first), last),
        &format!("replaying {}", name.symbol),
        Unit::Steps,
    );
    let mut target = writer.replace(&spec, from, version)?;
    let mut next_save = checkpoint_after(after.unwrap_or(first), last);
    let events = reader.events(&streams, after.map(|t| t + LATENESS), None)?;
    // Points are read while those before are computed.
    std::thread::scope(|scope| {
        let (full, pieces) = sync_channel::<Vec<barograph_store::Result<Event>>>(AHEAD);
        scope.spawn(move || {
            let mut events = events;
            loop {
                let piece: Vec<_> = events.by_ref().take(PIECE).collect();
                if piece.is_empty() || full.send(piece).is_err() {
                    return;
                }
            }
        });
        for event in pieces.into_iter().flatten() {
            let event = event?;
            let mut sink = StoreSink { target: target.as_mut(), market: name, streams: &streams, seen: seen.as_mut() };
            if event.recv_ts > next_save + LATENESS {
                run.advance(event.recv_ts, &mut sink)?;
                let made = row_of(event.recv_ts) - Span::mins(1);
                if made >= from.unwrap_or(Ts::MIN) && made >= row_of(first) {
                    target.checkpoint(made, &run.save()?)?;
                }
                next_save = checkpoint_after(made, last);
                progress.set(minutes_between(after.unwrap_or(first), made));
                sink = StoreSink { target: target.as_mut(), market: name, streams: &streams, seen: seen.as_mut() };
            }
            run.event(&event, &mut sink)?;
        }
        Ok::<_, Failure>(())
    })?;
    let mut sink = StoreSink { target: target.as_mut(), market: name, streams: &streams, seen: seen.as_mut() };
    run.finish(clock::now(), &mut sink)?;
    if seen.is_some() {
        report_late(&run)?;
    }
    Ok(target.finish()?)
}

/// Says how many rows were no part of the minutes they belong to.
pub(crate) fn report_late(run: &Run) -> Result<(), Failure> {
    let late: u64 = run.engine.markets().iter().map(barograph_engine::market::MarketState::late_events).sum();
    if late > 0 {
        writeln!(
            std::io::stderr(),
            "{} came later than declared; what is late counts for later minutes only",
            number_of(late, "row")
        )?;
    }
    Ok(())
}

/// When the newest point of a stream was first known; a correction is known later than the run goes.
fn newest_input(info: &StreamInfo) -> Ts {
    let declared = info.newest_event + info.decl.delay;
    if info.decl.filled { info.newest_known.max(declared) } else { declared }
}

/// The engine as it was before the earliest change, with the minute of its last row; else a new one.
fn resume(
    reader: &dyn Reader,
    setup: &Setup,
    key: &RunKey,
    since: Option<Ts>,
    instruments: &[Instrument],
    streams: &[StreamDecl],
) -> Result<(Run, Option<Ts>), Failure> {
    if let Some(since) = since {
        let before = row_of(since) - Span::mins(1);
        if let Some(saved) = reader.checkpoint(key, before)?
            && let Some(run) = Run::restore(setup, instruments, streams, &saved.bytes)
        {
            return Ok((run, Some(saved.ts)));
        }
    }
    Ok((Run::new(setup, instruments, streams), None))
}

/// The moment of the next checkpoint: weekly, daily over the last two days, because new rows usually join the end.
fn checkpoint_after(t: Ts, last: Ts) -> Ts {
    let weekly = (t + Span(1)).ceil(CHECKPOINT_EVERY);
    let daily = (t + Span(1)).ceil(DAY);
    if daily >= last - DAY.times(2) { daily } else { weekly.min((last - DAY.times(2)).ceil(DAY)) }
}

fn minutes_between(a: Ts, b: Ts) -> u64 {
    u64::try_from((b - a).0 / Span::mins(1).0).unwrap_or(0)
}

/// Writes a run into the store.
struct StoreSink<'a, 'b> {
    target: &'a mut dyn RunWriter,
    /// A run is of one market.
    market: &'a InstrumentName,
    streams: &'a [StreamDecl],
    seen: Option<&'a mut Seen<'b>>,
}

impl RunSink for StoreSink<'_, '_> {
    fn level(&mut self, level: &LevelOut) -> Result<(), Failure> {
        Ok(self.target.level(&level.published(self.market))?)
    }
    fn alert(&mut self, alert: &AlertOut) -> Result<(), Failure> {
        Ok(self.target.alert(&alert.known)?)
    }
    fn row(&mut self, row: &MinuteRow) -> Result<(), Failure> {
        self.target.row(row)?;
        self.seen.as_mut().map_or(Ok(()), |seen| seen.row(row))
    }
    fn gap(&mut self, stream: StreamIndex, status: &Status, known_ts: Ts) -> Result<(), Failure> {
        if let Some(seen) = &mut self.seen {
            seen.gap(stream, status, known_ts)?;
        }
        let stream = self.streams[stream.index()].clone();
        Ok(self.target.gap(&Gap { stream, status: *status, known_ts })?)
    }
}

/// What to say of rows that contradict stored ones.
fn contradiction(ingested: &Ingested) -> Option<String> {
    let Contradiction { rows, largest } = ingested.contradiction;
    let change = largest.map_or(String::new(), |l| format!(" (largest change {:+.1} %)", 100.0 * l).replace('-', "−"));
    (rows > 0).then(|| {
        format!(
            "{rows} of {} contradict stored ones{change}: they count from {} on; answers as of earlier moments stay as \
             they were. To take them back: barograph db forget --source FILE",
            number_of(ingested.report.accepted, "row"),
            ingested.at.floor(Span::secs(1)),
        )
    })
}

/// The summary of an import, on standard error.
pub(crate) fn print(ingested: &Ingested) -> Result<(), Failure> {
    input::print_report(&ingested.report)?;
    let i = &ingested.inserted;
    let mut err = std::io::stderr().lock();
    let known = if i.same > 0 { format!(", {} already stored", i.same) } else { String::new() };
    let revised = if i.revised > 0 { format!(", {} revised", i.revised) } else { String::new() };
    if let Some(text) = contradiction(ingested) {
        writeln!(err, "{text}")?;
    }
    let WrittenRows { instruments, rows, alerts, ticks } = ingested.made;
    let place = ingested.server.as_ref().map_or(String::new(), |server| format!(", in {server}"));
    writeln!(
        err,
        "stored {}{revised}{known}; {} of {} computed{place}",
        number_of(i.new, "new point"),
        number_of(rows, "minute"),
        number_of(instruments, "market")
    )?;
    if alerts > 0 {
        let many = plural(alerts);
        writeln!(err, "{} alert record{many} stored; alerts of imported history are not delivered", counted(alerts))?;
    }
    if ticks > 0 {
        writeln!(err, "forecasts registered and resolved at {} of 5 min", number_of(ticks, "step"))?;
    }
    Ok(())
}

/// "1,036"
fn counted(n: u64) -> String {
    let digits = n.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_are_read_in_groups() {
        for (n, want) in [(0, "0"), (999, "999"), (1_036, "1,036"), (1_234_567, "1,234,567")] {
            assert_eq!(super::counted(n), want);
        }
    }
}
